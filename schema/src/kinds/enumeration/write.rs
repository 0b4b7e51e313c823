//! Enums in the files of an import: their labels.

use super::Enum;
use crate::id::ObjectId;
use crate::kinds::types;
use crate::write::{Map, Node, Writer, name};

/// An enum.
pub fn write(of: &Enum, id: ObjectId, out: &mut Writer<'_>) {
    let values = Node::List(of.values.iter().map(|value| Node::Text(value.as_str().into())).collect());
    let mut long = Map::keys();
    long.set("values", values.clone());
    let owner = of.owner.0.filter(|owner| Some(*owner) != out.owner);
    out.put(id, 0, Node::Short(Box::new(values), long));
    if let Some(owner) = owner {
        out.entry(id).set("owner", Node::Text(name(owner)));
    }
    types::write_public(id, out);
}
