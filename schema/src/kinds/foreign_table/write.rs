//! Foreign tables in the files of an import, without what stands on them.

use super::ForeignTable;
use crate::id::ObjectId;
use crate::write::{Map, Node, Writer, name};

/// A foreign table's own keys.
pub fn write(table: &ForeignTable, id: ObjectId, out: &mut Writer<'_>) {
    let ForeignTable { server, options, owner } = table;
    let owner = owner.0.filter(|owner| Some(*owner) != out.owner);
    let mut entry = Map::keys();
    entry.set("server", Node::Text(name(*server)));
    options.write(&mut entry);
    if let Some(owner) = owner {
        entry.set("owner", Node::Text(name(owner)));
    }
    out.put(id, 0, Node::Map(entry));
}
