//! Range types as people write them.

use super::{Range, chosen_multirange};
use crate::declare::{types, written_ident, written_name};
use crate::diagnostic::Diagnostic;
use crate::fragment::Aside;
use crate::ident::Ident;
use crate::reference::{Reference, Target};
use crate::spec::types::{RangeSpec, TypeSpec};
use crate::yaml::Name;

/// Functions of pg_catalog that are there for ranges (pg_range.dat).
const SYSTEM_DIFFERENCES: &[&str] = &[
    "daterange_subdiff",
    "float4mi",
    "float8mi",
    "int4range_subdiff",
    "int8range_subdiff",
    "numrange_subdiff",
    "tsrange_subdiff",
    "tstzrange_subdiff",
];

/// A range type.
///
/// # Errors
/// What PostgreSQL's grammar says, with its place.
pub fn range(name: Ident, spec: &TypeSpec, range: &RangeSpec) -> Result<Range, Diagnostic> {
    let (subtype, collation) = types::with_collation(&range.subtype)?;
    let reference = |target: Target| {
        move |name: &Name| {
            let parts = written_name(name);
            let parts = match parts.as_slice() {
                [own] if target == Target::Routine && SYSTEM_DIFFERENCES.contains(&own.as_str()) => {
                    vec![Ident::new("pg_catalog"), *own]
                }
                _ => parts,
            };
            Reference::written(target, &parts, Some(name.span))
        }
    };
    let class = range.subtype_opclass.as_ref().map(written_name).unwrap_or_default();
    let (schema, class) = match class.as_slice() {
        [.., schema, own] => (Some(*schema), Some(*own)),
        [own] => (None, Some(*own)),
        [] => (None, None),
    };
    let multirange = range.multirange_type_name.as_ref().and_then(|name| written_name(name).last().copied());
    Ok(Range {
        subtype,
        operator_class: class,
        operator_class_schema: Aside(schema),
        collation: range.collation.as_ref().map(reference(Target::Collation)).or(collation),
        canonical: range.canonical.as_ref().map(reference(Target::Routine)),
        subtype_diff: range.subtype_diff.as_ref().map(reference(Target::Routine)),
        multirange: multirange.unwrap_or_else(|| chosen_multirange(name.as_str())),
        owner: Aside(spec.owner.as_ref().map(written_ident)),
    })
}
