//! Range types in the files of an import.

use super::{Range, chosen_multirange};
use crate::id::ObjectId;
use crate::ident::QName;
use crate::kinds::column::write::spoken;
use crate::kinds::types;
use crate::reference::Reference;
use crate::sql;
use crate::write::{Map, Node, Writer, name};

/// A range type.
pub fn write(range: &Range, id: ObjectId, out: &mut Writer<'_>) {
    let mut of = Map::keys();
    of.set("subtype", Node::Sql(spoken(&range.subtype).text().as_str().into()));
    if let Some(class) = range.operator_class {
        let schema = range.operator_class_schema.0;
        let text = schema.map_or_else(|| name(class), |schema| sql::qualified(QName::new(schema, class)));
        of.set("subtype_opclass", Node::Text(text));
    }
    let references = [
        ("collation", &range.collation),
        ("canonical", &range.canonical),
        ("subtype_diff", &range.subtype_diff),
    ];
    for (key, reference) in references {
        if let Some(reference) = reference.as_ref().and_then(Reference::qname) {
            of.set(key, Node::Text(sql::qualified(reference)));
        }
    }
    if range.multirange != chosen_multirange(id.name().as_str()) {
        of.set("multirange_type_name", Node::Text(name(range.multirange)));
    }
    let owner = range.owner.0.filter(|owner| Some(*owner) != out.owner);
    let entry = out.entry(id);
    if let Some(owner) = owner {
        entry.set("owner", Node::Text(name(owner)));
    }
    entry.set("range", Node::Map(of));
    types::write_public(id, out);
}
