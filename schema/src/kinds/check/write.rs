//! Checks in the files of an import: an expression, or keys where there is more to say.

use super::Check;
use crate::id::ObjectId;
use crate::write::{Node, Writer};

/// A check.
pub fn write(check: &Check, id: ObjectId, out: &mut Writer<'_>) {
    let Check { expression, no_inherit, not_valid, not_enforced } = check;
    out.put(id, 0, Node::definition(expression.text().into()));
    if *no_inherit || *not_valid || *not_enforced {
        let entry = out.entry(id);
        entry.flag("no_inherit", *no_inherit).flag("not_valid", *not_valid && !not_enforced);
        if *not_enforced {
            entry.set("enforced", Node::word(false));
        }
    }
}
