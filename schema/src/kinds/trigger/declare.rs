//! Triggers as people write them: what follows `CREATE TRIGGER name`, without `ON table`.

use super::{Enabled, Trigger, When};
use crate::declare::constraint;
use crate::declare::frame::{Frame, Words};
use crate::diagnostic::Diagnostic;
use crate::fragment::{Fragment, Grammar};
use crate::ident::{Ident, Text};
use crate::reference::Target;
use crate::span::Span;
use crate::spec::TriggerSpec;
use crate::spec::security::TriggerEnabled;
use crate::tree::Tree;
use crate::yaml::{Sql, Written};

/// A trigger from its short or long form, and the columns behind UPDATE OF with their places.
///
/// # Errors
/// What PostgreSQL's grammar says, with its place.
pub fn trigger(
    written: &Written<TriggerSpec>,
    table: Ident,
) -> Result<(Trigger, Vec<(Ident, Span)>), Diagnostic> {
    match written {
        Written::Short(sql) => short(sql, table),
        Written::Long(spec) => {
            let (mut trigger, columns) = short(&spec.definition, table)?;
            trigger.enabled = spec.enabled.map_or(Enabled::Origin, |word| enabled(word.value));
            Ok((trigger, columns))
        }
    }
}

/// For which sessions something fires.
pub fn enabled(word: TriggerEnabled) -> Enabled {
    match word {
        TriggerEnabled::Origin => Enabled::Origin,
        TriggerEnabled::Replica => Enabled::Replica,
        TriggerEnabled::Always => Enabled::Always,
        TriggerEnabled::Disabled => Enabled::Disabled,
    }
}

/// `TRIGGER_TYPE_…` of PostgreSQL's pg_trigger.h.
const BEFORE: i64 = 1 << 1;
const INSERT: i64 = 1 << 2;
const DELETE: i64 = 1 << 3;
const UPDATE: i64 = 1 << 4;
const TRUNCATE: i64 = 1 << 5;
const INSTEAD: i64 = 1 << 6;

fn short(sql: &Sql, table: Ident) -> Result<(Trigger, Vec<(Ident, Span)>), Diagnostic> {
    let words = Words::of(sql)?;
    let constraint = words.is(0, "constraint");
    let first = usize::from(constraint);
    let events_end = behind_events(&words, first);
    let has_table = words.is(events_end, "on");
    let from = words.token(first).map_or(sql.text().len(), |token| token.start);
    let at = events_end
        .checked_sub(1)
        .and_then(|last| words.token(last))
        .map_or(from, |token| token.end.max(from));
    let head = if constraint { "CREATE CONSTRAINT TRIGGER x " } else { "CREATE TRIGGER x " };
    let frame = Frame::read_around(sql, words, (from, head), (at, if has_table { "" } else { " ON t " }))?;
    let tree = &frame.tree;
    if has_table && tree.get("relation").get("relname").str() != table.as_str() {
        let at = frame.at(tree.get("relation").get("location"));
        return Err(frame
            .refuse(at, format!("the trigger stands in the entry of `{table}`, and this is another table")));
    }
    let has = |bit: i64| tree.get("events").int() & bit != 0;
    let mut update_of = constraint::columns(tree.get("columns"));
    let places = constraint::places(&frame, 0, &update_of);
    update_of.sort();
    update_of.dedup();
    let transition = |new: bool| {
        let mut found = tree.get("transition_rels").items().iter();
        let found = found.find(|node| node.get("is_new").flag() == new);
        found.map(|node| Ident::new(node.get("name").str()))
    };
    let timing = constraint::timing(tree);
    let from = tree.get("constrrel");
    let trigger = Trigger {
        when: match tree.get("timing").int() {
            BEFORE => When::Before,
            INSTEAD => When::InsteadOf,
            _ => When::After,
        },
        insert: has(INSERT),
        delete: has(DELETE),
        update: has(UPDATE),
        update_of,
        truncate: has(TRUNCATE),
        row: tree.get("row").flag(),
        condition: condition(&frame),
        function: function(&frame),
        arguments: tree.get("args").strings().into_iter().map(Text::new).collect(),
        constraint: constraint.then_some(timing),
        from: (!from.is_nothing()).then(|| frame.relation(from)),
        old_table: transition(false),
        new_table: transition(true),
        enabled: Enabled::Origin,
    };
    Ok((trigger, places))
}

/// The token behind `BEFORE INSERT OR UPDATE OF a, b`, where `ON table` belongs.
fn behind_events(words: &Words<'_>, first: usize) -> usize {
    let mut at = first + if words.is(first, "instead") { 2 } else { 1 };
    loop {
        at += 1;
        if words.is(at, "of") {
            at += 2;
            while words.word(at) == "," {
                at += 2;
            }
        }
        if !words.is(at, "or") {
            return at.min(words.len());
        }
        at += 1;
    }
}

fn condition(frame: &Frame<'_>) -> Option<Fragment> {
    if frame.tree.get("when_clause").is_nothing() {
        return None;
    }
    // WHEN is reserved, so a name of that spelling stands in quotes.
    let when = frame.words().find(0, |word| word.eq_ignore_ascii_case("when"))?;
    let sql = frame.inside_parentheses(frame.words().token(when)?.start)?;
    Some(Fragment::declared(&sql, Grammar::Expression))
}

fn function(frame: &Frame<'_>) -> crate::reference::Reference {
    let words = frame.words();
    let execute = words.find_outside(0, "execute").unwrap_or(0);
    let start = words.token(execute + 2).map_or(0, |token| token.start);
    let parts: Vec<Ident> = names(frame.tree.get("funcname"));
    frame.reference(Target::Routine, &parts, start)
}

fn names(list: &Tree) -> Vec<Ident> {
    list.strings().into_iter().map(Ident::new).collect()
}
