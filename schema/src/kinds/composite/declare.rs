//! Composite types as people write them: their fields.

use super::{Composite, Field};
use crate::declare::{types, written_ident, written_name};
use crate::diagnostic::Diagnostic;
use crate::fragment::Aside;
use crate::ident::Ident;
use crate::reference::{Reference, Target};
use crate::spec::types::TypeSpec;
use crate::yaml::Written;

/// A composite type.
///
/// # Errors
/// What PostgreSQL's grammar says, with its place.
pub fn composite(spec: &TypeSpec) -> Result<Composite, Diagnostic> {
    let mut composite =
        Composite { fields: Default::default(), owner: Aside(spec.owner.as_ref().map(written_ident)) };
    for (place, (name, written)) in (1..).zip(&spec.fields) {
        let (sql, named) = match written {
            Written::Short(sql) => (sql, None),
            Written::Long(spec) => (&spec.r#type, spec.collation.as_ref()),
        };
        let (type_name, collation) = types::with_collation(sql)?;
        let named =
            named.map(|name| Reference::written(Target::Collation, &written_name(name), Some(name.span)));
        let field = Field { type_name, collation: named.or(collation), position: Aside(place) };
        composite.fields.insert(Ident::new(name.as_str()), field);
    }
    Ok(composite)
}
