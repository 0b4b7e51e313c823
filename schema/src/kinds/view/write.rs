//! Views in the files of an import.

use super::View;
use crate::id::ObjectId;
use crate::write::{Node, Writer, name};

/// A view.
pub fn write(view: &View, id: ObjectId, out: &mut Writer<'_>) {
    let View { query, columns: _, options, owner, output: _ } = view;
    let owner = owner.0.filter(|owner| Some(*owner) != out.owner);
    let entry = out.entry(id);
    if let Some(owner) = owner {
        entry.set("owner", Node::Text(name(owner)));
    }
    entry.set("query", Node::Sql(query.text().into()));
    options.write(entry);
}
