//! What compares a column with another one, while both become of other types: between the two statements there may be no
//! operator for the old type of the one and the new type of the other.

use super::becomes_incomparable;
use crate::fragment::Fragment;
use crate::id::ObjectId;
use crate::object::{Context, Kind};

/// Whether an object stands on two columns that become of types which are not compared with their old ones.
pub fn stands_between(id: ObjectId, context: &Context<'_>) -> bool {
    let uses = context.current.get(id).map(|entry| entry.uses.as_slice()).unwrap_or_default();
    let columns = uses.iter().filter(|used| used.kind() == Kind::Column);
    columns.filter(|column| becomes_incomparable(**column, context)).count() > 1
}

/// Whether a list of columns has expressions or a condition: plain columns are not compared with each other.
pub fn has_expressions(definition: &Fragment) -> bool {
    let mut found = false;
    if let Ok((tree, _)) = definition.tree() {
        tree.walk(&mut |node| found |= node.name() == "ColumnRef");
    }
    found
}
