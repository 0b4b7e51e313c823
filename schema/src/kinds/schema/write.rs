//! Schemas in the files of an import: one file each.

use super::{Schema, first_owner};
use crate::id::ObjectId;
use crate::ident::Ident;
use crate::kinds::grant;
use crate::write::{Node, Writer, name};

/// A schema has a file, even when nothing is in it.
pub fn write(schema: &Schema, id: ObjectId, out: &mut Writer<'_>) {
    let usual = match first_owner(id, out.version) {
        Some(_) => None,
        None => out.owner,
    };
    let owner = schema.owner.0.filter(|owner| out.owners && Some(*owner) != usual);
    let entry = out.entry(id);
    if let Some(owner) = owner {
        entry.set("owner", Node::Text(name(owner)));
    }
    // Everybody may use this one unless a file says otherwise.
    let everybody = grant::id(id, Ident::new("public"));
    if id.is_public_schema() && !out.catalog.contains(everybody) {
        out.entry(id).named("grants").put("public", "", 0, Node::word("none"));
    }
}
