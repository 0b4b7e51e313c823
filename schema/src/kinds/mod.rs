//! The kinds, one folder each: `mod.rs` is the contract, `read.sql` and `read.rs` take it from the catalogs,
//! `declare.rs` from what people write.

pub mod aggregate;
pub mod check;
pub mod column;
pub mod comment;
pub mod default;
pub mod default_privileges;
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
pub mod policy;
pub mod publication;
pub mod schema;
pub mod table;
pub mod trigger;
pub mod view;

use crate::catalog::Catalog;
use crate::id::ObjectId;
use crate::ident::QName;
use crate::object::Kind;

/// What PostgreSQL moves along when a relation gets another schema: the sequences that its columns own.
pub fn followers(catalog: &Catalog, from: ObjectId, to: ObjectId) -> Vec<(ObjectId, ObjectId)> {
    let (Some(old), Some(new)) = (from.qname(), to.qname()) else { return Vec::new() };
    if old.schema == new.schema || !from.kind().is_lockable() {
        return Vec::new();
    }
    catalog
        .iter()
        .filter(|(id, entry)| {
            id.kind() == Kind::Sequence && entry.uses.iter().any(|used| used.parent() == Some(from))
        })
        .filter_map(|(id, _)| {
            let name = id.qname()?;
            Some((id, ObjectId::in_schema(Kind::Sequence, QName { schema: new.schema, name: name.name })))
        })
        .collect()
}
