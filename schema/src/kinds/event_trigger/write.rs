//! Event triggers in the files of an import: what follows their name.

use super::EventTrigger;
use crate::id::ObjectId;
use crate::kinds::trigger::write::enabled;
use crate::sql::Sql;
use crate::write::{Node, Writer, name};

/// An event trigger.
pub fn write(trigger: &EventTrigger, id: ObjectId, out: &mut Writer<'_>) {
    let EventTrigger { event, tags, function, enabled: when, owner } = trigger;
    let mut sql = Sql::new("on");
    sql.ident(*event);
    if !tags.is_empty() {
        let tags: Vec<Sql> = tags.iter().map(|tag| super::literal(tag.as_str())).collect();
        sql.kw("when tag in (").list(&tags).kw(")");
    }
    sql.kw(" execute function");
    if let Some(function) = function.qname() {
        sql.name(function);
    }
    sql.kw("()");
    out.put(id, 0, Node::definition(sql.into_text()));
    enabled(*when, id, out);
    if let Some(owner) = owner.0.filter(|owner| Some(*owner) != out.owner) {
        out.entry(id).set("owner", Node::Text(name(owner)));
    }
}
