//! The kinds, one folder each: `mod.rs` is the contract, `read.sql` and `read.rs` take it from the catalogs,
//! `declare.rs` from what people write.

pub mod aggregate;
pub mod check;
pub mod column;
pub mod comment;
pub mod composite;
pub mod default;
pub mod default_privileges;
pub mod domain;
pub mod enumeration;
pub mod extension;
pub mod foreign_key;
pub mod function;
pub mod grant;
pub mod index;
pub mod key;
pub mod materialized_view;
pub mod member;
pub mod naming;
pub mod opaque;
pub mod options;
pub mod owned_by;
pub mod policy;
pub mod publication;
pub mod range;
pub mod schema;
pub mod sequence;
pub mod table;
pub mod trigger;
pub mod types;
pub mod view;

use crate::catalog::Catalog;
use crate::id::ObjectId;
use crate::ident::QName;

/// What PostgreSQL moves along when a relation gets another schema: the sequences that its columns own.
pub fn followers(catalog: &Catalog, from: ObjectId, to: ObjectId) -> Vec<(ObjectId, ObjectId)> {
    let (Some(old), Some(new)) = (from.qname(), to.qname()) else { return Vec::new() };
    if old.schema == new.schema || !from.kind().is_lockable() {
        return Vec::new();
    }
    owned(catalog, from)
        .filter_map(|id| {
            let name = id.qname()?;
            Some((id, ObjectId::in_schema(id.kind(), QName { schema: new.schema, name: name.name })))
        })
        .collect()
}

/// What columns of a relation own, or one column: it goes wherever they go.
pub fn owned(catalog: &Catalog, owner: ObjectId) -> impl Iterator<Item = ObjectId> {
    catalog
        .iter()
        .filter(move |(_, entry)| {
            entry.object.takes_along() && entry.uses.iter().any(|used| *used == owner || used.is_below(owner))
        })
        .filter_map(|(id, _)| id.parent())
}
