//! Defaults in the files of an import: a table's column has its own, a view's column an entry for it.

use super::Default;
use crate::id::ObjectId;
use crate::object::Kind;
use crate::write::{Node, Writer};

/// The default of a view's column.
pub fn write(default: &Default, id: ObjectId, out: &mut Writer<'_>) {
    let Some(column) = id.parent() else { return };
    if matches!(column.root().kind(), Kind::Table | Kind::ForeignTable) && out.catalog.contains(column) {
        return;
    }
    out.entry(column).set("default", Node::Sql(default.value.text().into()));
}
