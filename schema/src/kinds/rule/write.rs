//! Rules in the files of an import: what follows `CREATE RULE name AS`, without the table.

use super::{Event, Rule};
use crate::id::ObjectId;
use crate::kinds::trigger::write::enabled;
use crate::sql::Sql;
use crate::write::{Node, Writer};

/// A rule.
pub fn write(rule: &Rule, id: ObjectId, out: &mut Writer<'_>) {
    let Rule { event, definition, enabled: when } = rule;
    let mut sql = Sql::new(match event {
        Event::Insert => "on insert",
        Event::Update => "on update",
        Event::Delete => "on delete",
    });
    sql.fragment(definition);
    out.put(id, 0, Node::definition(sql.into_text()));
    enabled(*when, id, out);
}
