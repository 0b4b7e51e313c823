//! Sequences in the files of an import, but for those that a serial column brings.

use super::Sequence;
use crate::fragment::Fragment;
use crate::id::ObjectId;
use crate::ident::{Ident, QName};
use crate::kinds::column::{Column, declare::next_value, write::nowhere};
use crate::kinds::key::chosen_name;
use crate::kinds::owned_by::{self, OwnedBy};
use crate::object::{Kind, Object};
use crate::reference::Reference;
use crate::sql;
use crate::write::{Node, Writer, name};

/// A sequence.
pub fn write(sequence: &Sequence, id: ObjectId, out: &mut Writer<'_>) {
    if owner(id, out).is_some_and(|column| is_serial(column, out)) {
        return;
    }
    let usual = Sequence::usual(sequence.type_name, sequence.increment);
    let owned_by = match out.catalog.get(owned_by::id(id)).map(|entry| &entry.object) {
        Some(Object::OwnedBy(OwnedBy { table, column })) => {
            table.qname().map(|table| format!("{}.{}", sql::qualified(table), sql::quoted(*column)))
        }
        _ => None,
    };
    // What a column owns belongs to whom the table belongs.
    let role = sequence.owner.0.filter(|owner| Some(*owner) != out.owner && owned_by.is_none());
    let entry = out.entry(id);
    let is_bigint = sequence.type_name.name().as_str() == "int8";
    if !is_bigint {
        entry.set("type", Node::Sql(sequence.type_name.text().as_str().into()));
    }
    let first = if sequence.increment > 0 { sequence.minimum } else { sequence.maximum };
    let numbers = [
        ("start", sequence.start, first),
        ("increment", sequence.increment, 1),
        ("min_value", sequence.minimum, usual.minimum),
        ("max_value", sequence.maximum, usual.maximum),
        ("cache", sequence.cache, usual.cache),
    ];
    for (key, value, usual) in numbers {
        if value != usual {
            entry.set(key, Node::word(value));
        }
    }
    entry.flag("cycle", sequence.cycle).flag("unlogged", sequence.unlogged);
    if let Some(role) = role {
        entry.set("owner", Node::Text(name(role)));
    }
    if let Some(owned_by) = owned_by {
        entry.set("owned_by", Node::Text(owned_by));
    }
}

/// The column that owns a sequence.
pub fn owner(id: ObjectId, out: &Writer<'_>) -> Option<ObjectId> {
    match out.catalog.get(owned_by::id(id)).map(|entry| &entry.object) {
        Some(Object::OwnedBy(OwnedBy { table, column })) => {
            let table = out.catalog.relation(Reference::qname(table)?)?;
            Some(ObjectId::on(Kind::Column, table, *column))
        }
        _ => None,
    }
}

/// Whether `serial` says all about a column's default and its sequence.
pub fn is_serial(column: ObjectId, out: &Writer<'_>) -> bool {
    let Some(table) = column.parent() else { return false };
    let Some(table_name) = table.qname() else { return false };
    let Some(Object::Column(Column { type_name, not_null: true, .. })) =
        out.catalog.get(column).map(|entry| &entry.object)
    else {
        return false;
    };
    let chosen = chosen_name(table_name.name.as_str(), column.name().as_str(), "seq");
    let sequence_name = QName::new(table_name.schema, Ident::new(chosen.as_str()));
    let sequence = ObjectId::in_schema(Kind::Sequence, sequence_name);
    let is_usual = match out.catalog.get(sequence).map(|entry| &entry.object) {
        Some(Object::Sequence(found)) => {
            matches!(type_name.name().as_str(), "int2" | "int4" | "int8")
                && *found == Sequence::usual(*type_name, 1)
                && out.catalog.get(table).is_some_and(|entry| entry.object.owner() == found.owner.0)
        }
        _ => false,
    };
    let own = |value: &Fragment| *value == next_value(sequence_name, nowhere());
    let default = match out.catalog.get(ObjectId::of(Kind::Default, column, "")).map(|entry| &entry.object) {
        Some(Object::Default(default)) => own(&default.value),
        _ => false,
    };
    let bare = out.catalog.children(sequence).iter().all(|child| child.kind() == Kind::OwnedBy);
    is_usual && default && bare && !out.sequences && owner(sequence, out) == Some(column)
}
