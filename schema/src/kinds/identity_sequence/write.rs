//! The sequence of an identity column in the files of an import: keys of the column's `identity`.

use super::{IdentitySequence, chosen};
use crate::id::ObjectId;
use crate::kinds::types;
use crate::object::Kind;
use crate::write::{Map, Node, Writer, name};

/// That nobody may use it, where that is no matter of course: the column's entry says the rest, since it has a short form
/// where there is nothing to say.
pub fn write(_: IdentitySequence, id: ObjectId, out: &mut Writer<'_>) {
    if out.sequences && out.catalog.children_of(id, Kind::Grant).next().is_none() {
        types::write_public(id, out);
    }
}

/// What differs from what PostgreSQL chooses.
pub fn keys(sequence: IdentitySequence, id: ObjectId, map: &mut Map) {
    let usual = id.parent().and_then(chosen).map(|usual| usual.name);
    if let Some(own) = sequence.name.filter(|own| Some(*own) != usual) {
        map.set("sequence", Node::Text(name(own)));
    }
    if let Some(unlogged) = sequence.unlogged {
        map.set("unlogged", Node::word(unlogged));
    }
}

/// Whether there is nothing to say about it.
pub fn is_usual(sequence: IdentitySequence, id: ObjectId) -> bool {
    let mut map = Map::keys();
    keys(sequence, id, &mut map);
    map.is_empty()
}
