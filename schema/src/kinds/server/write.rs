//! Foreign servers in the files of an import.

use super::Server;
use crate::id::ObjectId;
use crate::write::{Node, Writer, name};

/// A foreign server.
pub fn write(server: &Server, id: ObjectId, out: &mut Writer<'_>) {
    let Server { wrapper, kind, version, options, owner } = server;
    let owner = owner.0.filter(|owner| Some(*owner) != out.owner);
    let entry = out.entry(id);
    entry.set("foreign_data_wrapper", Node::Text(name(*wrapper)));
    for (key, text) in [("type", kind), ("version", version)] {
        if let Some(text) = text {
            entry.set(key, Node::Text(text.as_str().into()));
        }
    }
    options.write(entry);
    if let Some(owner) = owner {
        entry.set("owner", Node::Text(name(owner)));
    }
}
