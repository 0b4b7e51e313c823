//! Foreign data wrappers in the files of an import.

use super::ForeignDataWrapper;
use crate::id::ObjectId;
use crate::reference::Reference;
use crate::sql;
use crate::write::{Node, Writer, name};

/// A foreign data wrapper.
pub fn write(wrapper: &ForeignDataWrapper, id: ObjectId, out: &mut Writer<'_>) {
    let ForeignDataWrapper { handler, validator, options, owner } = wrapper;
    let owner = owner.0.filter(|owner| Some(*owner) != out.owner);
    let entry = out.entry(id);
    for (key, function) in [("handler", handler), ("validator", validator)] {
        if let Some(function) = function.as_ref().and_then(Reference::qname) {
            entry.set(key, Node::Text(sql::qualified(function)));
        }
    }
    options.write(entry);
    if let Some(owner) = owner {
        entry.set("owner", Node::Text(name(owner)));
    }
}
