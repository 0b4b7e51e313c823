//! Collations as people write them: the words of CREATE COLLATION.

use super::Collation;
use crate::code::Code;
use crate::declare::written_ident;
use crate::diagnostic::Diagnostic;
use crate::fragment::Aside;
use crate::ident::Text;
use crate::spec::types::{CollationProvider, CollationSpec};
use crate::yaml::Name;

/// A collation.
///
/// # Errors
/// No locale, or one that is said twice.
pub fn collation(name: &Name, spec: &CollationSpec) -> Result<Collation, Diagnostic> {
    let provider = match spec.provider.map(|provider| provider.value) {
        None | Some(CollationProvider::Libc) => "libc",
        Some(CollationProvider::Icu) => "icu",
        Some(CollationProvider::Builtin) => "builtin",
    };
    let (collate, ctype) = match (&spec.locale, &spec.lc_collate, &spec.lc_ctype) {
        (Some(locale), None, None) => (locale, locale),
        (None, Some(collate), Some(ctype)) => (collate, ctype),
        _ => {
            let message = format!("the collation `{name}` needs `locale`, or `lc_collate` and `lc_ctype`");
            return Err(Diagnostic::error(Code::MissingKey, message).at(name.span));
        }
    };
    Ok(Collation {
        provider: Text::new(provider),
        collate: Text::new(collate.as_str()),
        ctype: Text::new(ctype.as_str()),
        deterministic: spec.deterministic.is_none_or(|flag| flag.value),
        rules: spec.rules.as_ref().map(|rules| Text::new(rules.as_str())),
        owner: Aside(spec.owner.as_ref().map(written_ident)),
    })
}
