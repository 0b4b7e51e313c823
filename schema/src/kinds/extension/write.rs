//! Extensions in the files of an import: where they are, not in which version.

use super::Extension;
use crate::id::ObjectId;
use crate::write::{Node, Writer, name};

/// An extension.
pub fn write(extension: &Extension, id: ObjectId, out: &mut Writer<'_>) {
    let entry = out.entry(id);
    if let Some(schema) = extension.schema {
        entry.set("schema", Node::Text(name(schema)));
    }
}
