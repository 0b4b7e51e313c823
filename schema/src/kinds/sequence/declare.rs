//! Sequences as people write them.

use super::Sequence;
use crate::code::Code;
use crate::declare::{types, written_ident};
use crate::diagnostic::Diagnostic;
use crate::fragment::Aside;
use crate::spec::types::SequenceSpec;
use crate::type_name::TypeName;

/// A sequence; what is not said is as PostgreSQL would have it, for a sequence of the type `usual`.
///
/// # Errors
/// A type that no sequence has.
pub fn sequence(spec: &SequenceSpec, usual: TypeName) -> Result<Sequence, Diagnostic> {
    let type_name = match &spec.r#type {
        Some(sql) => {
            let type_name = types::with_collation(sql)?.0;
            if !is_integer(&type_name) {
                let message = format!("a sequence is of type smallint, integer or bigint, not {type_name}");
                return Err(Diagnostic::error(Code::UnknownValue, message).at(sql.span()));
            }
            type_name
        }
        None => usual,
    };
    let increment = spec.increment.unwrap_or(1);
    let usual = Sequence::usual(type_name, increment);
    let minimum = spec.min_value.unwrap_or(usual.minimum);
    let maximum = spec.max_value.unwrap_or(usual.maximum);
    Ok(Sequence {
        minimum,
        maximum,
        start: spec.start.unwrap_or(if increment > 0 { minimum } else { maximum }),
        cache: spec.cache.unwrap_or(usual.cache),
        cycle: spec.cycle.is_some_and(|flag| flag.value),
        unlogged: spec.unlogged.is_some_and(|flag| flag.value),
        owner: Aside(spec.owner.as_ref().map(written_ident)),
        ..usual
    })
}

fn is_integer(type_name: &TypeName) -> bool {
    type_name.is_system()
        && !type_name.is_array()
        && matches!(type_name.name().as_str(), "int2" | "int4" | "int8")
}
