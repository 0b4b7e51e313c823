//! Materialized views in the files of an import.

use super::MaterializedView;
use crate::id::ObjectId;
use crate::write::{Node, Writer, name};

/// A materialized view.
pub fn write(view: &MaterializedView, id: ObjectId, out: &mut Writer<'_>) {
    let MaterializedView { query, options, access_method, tablespace, with_data, owner, output: _ } = view;
    let owner = owner.0.filter(|owner| Some(*owner) != out.owner);
    let entry = out.entry(id);
    let names = [("owner", owner), ("access_method", *access_method), ("tablespace", *tablespace)];
    for (key, value) in names {
        if let Some(value) = value {
            entry.set(key, Node::Text(name(value)));
        }
    }
    entry.set("query", Node::Sql(query.text().into()));
    if !with_data.0 {
        entry.set("with_data", Node::word(false));
    }
    options.write(entry);
}
