//! Comments in the files of an import: a key of what they are on.

use super::Comment;
use crate::id::ObjectId;
use crate::object::Kind;
use crate::write::{Node, Writer};

/// The comment that every new database has.
const STANDARD: &str = "standard public schema";

/// A comment.
pub fn write(comment: &Comment, id: ObjectId, out: &mut Writer<'_>) {
    let Some(target) = id.parent() else { return };
    let text = comment.text.as_str();
    if target.kind() == Kind::Schema && target.name().as_str() == "public" && text == STANDARD {
        return out.leave_out(id);
    }
    // One line end at the end belongs to how YAML writes lines; one that is meant needs another.
    let more = if text.ends_with('\n') { "\n" } else { "" };
    let key = if id.name().as_str() == super::ON_INDEX { "index_comment" } else { "comment" };
    out.entry(target).set(key, Node::Text(format!("{text}{more}")));
}
