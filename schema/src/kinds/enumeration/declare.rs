//! Enums as people write them: the list of their labels, or keys.

use super::Enum;
use crate::code::Code;
use crate::declare::written_ident;
use crate::diagnostic::Diagnostic;
use crate::fragment::Aside;
use crate::ident::{MAX_NAME_BYTES, Text};
use crate::spec::types::EnumSpec;

/// An enum from its short or long form.
///
/// # Errors
/// A label that is there twice or that PostgreSQL would not take.
pub fn enumeration(spec: &EnumSpec) -> Result<Enum, Diagnostic> {
    let (labels, owner) = match spec {
        EnumSpec::Short(labels) => (labels, None),
        EnumSpec::Long(spec) => (&spec.values, spec.owner.as_ref()),
    };
    let mut values: Vec<Text> = Vec::with_capacity(labels.len());
    for label in labels {
        let text = Text::new(label.as_str());
        let bytes = label.as_str().len();
        if bytes > MAX_NAME_BYTES {
            let message =
                format!("the value `{text}` has {bytes} bytes, and PostgreSQL takes {MAX_NAME_BYTES}");
            return Err(Diagnostic::error(Code::NameTooLong, message).at(label.span));
        }
        if values.contains(&text) {
            let message = format!("the value `{text}` is there twice");
            return Err(Diagnostic::error(Code::TwoOwners, message).at(label.span));
        }
        values.push(text);
    }
    Ok(Enum { values, owner: Aside(owner.map(written_ident)) })
}
