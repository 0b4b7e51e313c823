//! Privileges by default in the files of an import: one item for all who get the same.

use super::DefaultPrivileges;
use crate::id::ObjectId;
use crate::kinds::grant;
use crate::object::{Kind, Object};
use crate::write::{File, Map, Node, Writer, name};

/// The item of an entry, written by the first that has the same privileges.
pub fn write(entry: &DefaultPrivileges, id: ObjectId, out: &mut Writer<'_>) {
    let same: Vec<(ObjectId, &DefaultPrivileges)> = out
        .catalog
        .iter()
        .filter_map(|(id, other)| match &other.object {
            Object::DefaultPrivileges(other) => Some((id, other)),
            _ => None,
        })
        .filter(|(_, other)| DefaultPrivileges { grantee: entry.grantee, ..(*other).clone() } == *entry)
        .collect();
    if same.first().is_none_or(|(first, _)| *first != id) {
        return;
    }
    let (word, kind) = match entry.objects.as_str() {
        "TABLES" => ("tables", Kind::Table),
        "SEQUENCES" => ("sequences", Kind::Sequence),
        "FUNCTIONS" => ("functions", Kind::Function),
        "TYPES" => ("types", Kind::Enum),
        _ => ("schemas", Kind::Schema),
    };
    let list = |mut items: Vec<Node>| if items.len() == 1 { items.remove(0) } else { Node::List(items) };
    let mut map = Map::keys();
    map.set("for", Node::Text(name(entry.role))).set("objects", Node::word(word));
    map.set("to", list(same.iter().map(|(_, other)| Node::Text(name(other.grantee))).collect()));
    if entry.grant.privileges.is_empty() {
        map.set("revoke", Node::word("all"));
    } else {
        map.set("grant", list(grant::write::whole(&entry.grant, kind, out.version)));
    }
    let file = entry.schema.map_or(File::Database, File::Domain);
    out.file(file).push("default_privileges", Node::Map(map));
}
