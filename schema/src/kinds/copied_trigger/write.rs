//! Copies of triggers in the files of an import: only those that fire otherwise than their table's.

use super::CopiedTrigger;
use crate::id::ObjectId;
use crate::kinds::trigger::write::word;
use crate::write::{Node, Writer};

/// When a copy fires.
pub fn write(copy: CopiedTrigger, id: ObjectId, out: &mut Writer<'_>) {
    out.put(id, 0, Node::word(word(copy.enabled)));
}
