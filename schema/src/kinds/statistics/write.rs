//! Extended statistics in the files of an import: what follows the name, without FROM.

use super::Statistics;
use crate::id::ObjectId;
use crate::write::{Node, Writer};

/// Extended statistics.
pub fn write(statistics: &Statistics, id: ObjectId, out: &mut Writer<'_>) {
    let Statistics { schema, definition, target } = statistics;
    if id.schema() != Some(*schema) {
        out.missing(id, "its place in another schema than its table's");
    }
    out.put(id, 0, Node::definition(definition.text().into()));
    if let Some(target) = target {
        out.entry(id).set("target", Node::word(target));
    }
}
