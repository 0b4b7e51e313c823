//! The NOT NULL of a column in the files of an import: keys of the column's `not_null`.

use super::NotNull;
use crate::id::ObjectId;
use crate::write::{Node, Writer, name};

/// What it has that is its own; a comment comes by itself.
pub fn write(own: NotNull, id: ObjectId, out: &mut Writer<'_>) {
    let map = out.entry(id);
    if let Some(given) = own.name {
        map.set("name", Node::Text(name(given)));
    }
    map.flag("no_inherit", own.no_inherit).flag("not_valid", own.not_valid);
}
