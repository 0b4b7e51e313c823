//! Triggers in the files of an import: what follows `CREATE TRIGGER name`, without `ON table`.

use super::{Enabled, Trigger, When};
use crate::id::ObjectId;
use crate::ident::Ident;
use crate::kinds::key::{Timing, write::timing};
use crate::reference::Reference;
use crate::sql::Sql;
use crate::write::{Node, Writer};

/// A trigger. One that is cloned from a partitioned table's comes with that.
pub fn write(trigger: &Trigger, id: ObjectId, out: &mut Writer<'_>) {
    out.put(id, 0, Node::definition(definition(trigger)));
    enabled(trigger.enabled, id, out);
}

/// For which sessions something fires, where that is not the usual.
pub fn enabled(enabled: Enabled, id: ObjectId, out: &mut Writer<'_>) {
    if enabled != Enabled::Origin {
        out.entry(id).set("enabled", Node::word(word(enabled)));
    }
}

/// The word for it.
pub fn word(enabled: Enabled) -> &'static str {
    match enabled {
        Enabled::Origin => "origin",
        Enabled::Disabled => "disabled",
        Enabled::Replica => "replica",
        Enabled::Always => "always",
    }
}

fn definition(trigger: &Trigger) -> String {
    let mut sql = Sql::default();
    if trigger.constraint.is_some() {
        sql.kw("constraint");
    }
    sql.kw(match trigger.when {
        When::Before => "before",
        When::After => "after",
        When::InsteadOf => "instead of",
    });
    events(trigger, &mut sql);
    if let Some(from) = trigger.from.as_ref().and_then(Reference::qname) {
        sql.kw("from").name(from);
    }
    sql.kw(timing(trigger.constraint.unwrap_or(Timing::Immediate)));
    if trigger.old_table.is_some() || trigger.new_table.is_some() {
        sql.kw("referencing");
    }
    if let Some(name) = trigger.old_table {
        sql.kw("old table as").ident(name);
    }
    if let Some(name) = trigger.new_table {
        sql.kw("new table as").ident(name);
    }
    sql.kw(if trigger.row { "for each row" } else { "for each statement" });
    if let Some(condition) = &trigger.condition {
        sql.kw("when (").tight().fragment(condition).kw(")");
    }
    sql.kw("execute function");
    if let Some(function) = trigger.function.qname() {
        sql.name(function);
    }
    let arguments: Vec<Sql> = trigger
        .arguments
        .iter()
        .map(|argument| {
            let mut item = Sql::default();
            item.literal(argument.as_str());
            item
        })
        .collect();
    sql.tight().kw("(").tight();
    if !arguments.is_empty() {
        sql.list(&arguments);
    }
    sql.kw(")");
    sql.into_text()
}

fn events(trigger: &Trigger, sql: &mut Sql) {
    let all = [
        (trigger.insert, "insert"),
        (trigger.update, "update"),
        (trigger.delete, "delete"),
        (trigger.truncate, "truncate"),
    ];
    for (number, (_, word)) in all.iter().filter(|(on, _)| *on).enumerate() {
        if number > 0 {
            sql.kw("or");
        }
        sql.kw(word);
        if *word == "update" && !trigger.update_of.is_empty() {
            sql.kw("of").list(&trigger.update_of.iter().map(|name| ident(*name)).collect::<Vec<_>>());
        }
    }
}

fn ident(name: Ident) -> Sql {
    let mut sql = Sql::default();
    sql.ident(name);
    sql
}
