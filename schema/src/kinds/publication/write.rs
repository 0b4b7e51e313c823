//! Publications in the files of an import.

use super::{EVERYTHING, Publication};
use crate::id::ObjectId;
use crate::ident::Text;
use crate::write::{Node, Writer, name};

/// A publication; most of its tables name it themselves.
pub fn write(publication: &Publication, id: ObjectId, out: &mut Writer<'_>) {
    let Publication { all_tables, schemas, publish, via_root, generated_columns, owner } = publication;
    let owner = owner.0.filter(|owner| Some(*owner) != out.owner);
    let entry = out.entry(id);
    if let Some(owner) = owner {
        entry.set("owner", Node::Text(name(owner)));
    }
    entry.flag("all_tables", *all_tables).flag("via_root", *via_root);
    if !schemas.is_empty() {
        entry.set("schemas", Node::List(schemas.iter().map(|one| Node::Text(name(*one))).collect()));
    }
    if *publish != Publication::usual().publish {
        let words = EVERYTHING.iter().filter(|word| publish.contains(&Text::new(word)));
        entry.set("publish", Node::List(words.map(Node::word).collect()));
    }
    if let Some(generated) = generated_columns {
        entry.set("generated_columns", Node::word(generated));
    }
}
