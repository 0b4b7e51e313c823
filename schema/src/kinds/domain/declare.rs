//! Domains as people write them: the type, or keys.

use super::Domain;
use crate::declare::{frame, types, written_ident, written_name};
use crate::diagnostic::Diagnostic;
use crate::fragment::Aside;
use crate::kinds::{column, not_null};
use crate::reference::{Reference, Target};
use crate::spec::types::DomainTypeSpec;
use crate::yaml::Written;

/// A domain from its short or long form.
///
/// # Errors
/// What PostgreSQL's grammar says, with its place.
pub fn domain(written: &Written<DomainTypeSpec>) -> Result<Domain, Diagnostic> {
    let spec = match written {
        Written::Short(sql) => {
            let (base, collation) = types::with_collation(sql)?;
            let (not_null_name, owner) = (Aside(None), Aside(None));
            return Ok(Domain { base, collation, default: None, not_null: false, not_null_name, owner });
        }
        Written::Long(spec) => spec,
    };
    let (base, collation) = types::with_collation(&spec.r#type)?;
    let named = spec.collation.as_ref();
    let named = named.map(|name| Reference::written(Target::Collation, &written_name(name), Some(name.span)));
    let default = match &spec.default {
        Some(value) => {
            let tree = frame::expression(value).map_err(|error| column::declare::quoted(value, error))?;
            let default = column::declare::default(value, &tree)?;
            // PostgreSQL does not store it either.
            let is_nothing = tree.is_null() && base.is_system();
            (!is_nothing).then_some(default)
        }
        None => None,
    };
    Ok(Domain {
        base,
        collation: named.or(collation),
        default,
        not_null: not_null::declare::refuses(spec.not_null.as_ref()),
        not_null_name: Aside(None),
        owner: Aside(spec.owner.as_ref().map(written_ident)),
    })
}
