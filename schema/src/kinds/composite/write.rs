//! Composite types in the files of an import: their fields.

use super::Composite;
use crate::id::ObjectId;
use crate::kinds::column::write::spoken;
use crate::kinds::types;
use crate::reference::Reference;
use crate::sql;
use crate::write::{Map, Node, Writer, name};

/// A composite type.
pub fn write(composite: &Composite, id: ObjectId, out: &mut Writer<'_>) {
    let owner = composite.owner.0.filter(|owner| Some(*owner) != out.owner);
    let entry = out.entry(id);
    if let Some(owner) = owner {
        entry.set("owner", Node::Text(name(owner)));
    }
    let fields = entry.named("fields");
    for (name, field) in &composite.fields {
        let type_name = Node::Sql(spoken(&field.type_name).text().as_str().into());
        let mut long = Map::keys();
        long.set("type", type_name.clone());
        let collation = field.collation.as_ref().and_then(Reference::qname);
        if let Some(collation) = collation {
            long.set("collation", Node::Text(sql::qualified(collation)));
        }
        let node = if collation.is_some() { Node::Map(long) } else { Node::Short(Box::new(type_name), long) };
        fields.put(name.as_str(), "", field.position.0, node);
    }
    types::write_public(id, out);
}
