//! Schemas in the files of an import: one file each.

use super::Schema;
use crate::id::ObjectId;
use crate::write::Writer;

/// A schema has a file, even when nothing is in it.
pub fn write(_: &Schema, id: ObjectId, out: &mut Writer<'_>) {
    out.entry(id);
}
