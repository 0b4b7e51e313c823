//! A plan as people, psql and programs read it.
//!
//! The words that all three share are here: what a step does and why it is there. Nothing is printed here, and nothing
//! depends on the time, the machine or the terminal: the same plan gives the same bytes.

mod compatibility;
pub mod graph;
mod json;
mod sql;
#[cfg(test)]
mod tests;
mod text;

pub use json::{FORMAT, diagnostic as json_diagnostic, json, object as json_object};
pub use sql::sql;
pub use text::text;

use crate::plan::{Because, Plan, PlannedStep, Verb};
use schemac_schema::code::Code;
use schemac_schema::id::{Address, ObjectId};
use schemac_schema::step::Loss;
use std::collections::BTreeSet;

/// Tells PostgREST to look at the exposed schemas again; nobody else listens.
pub const RELOAD: &str = "NOTIFY pgrst, 'reload schema'";

/// What a step does, in words: `create view public.users`, `move table public.users to app.users`.
pub fn action(step: &PlannedStep) -> String {
    let object = step.object;
    let Because::MovedFrom(old) = step.because else {
        return format!("{} {object}", step.verb.word());
    };
    if step.verb != Verb::Move || old == object {
        return format!("{} {object}", step.verb.word());
    }
    if old.parent().is_some() || old.schema() == object.schema() {
        return format!("rename {old} to {}", object.name());
    }
    format!("move {old} to {}", object.path())
}

/// Why a step is there, in words.
pub fn reason(step: &PlannedStep) -> String {
    match (step.because.clone(), step.verb) {
        (Because::Declared, Verb::Create) => "declared".into(),
        (Because::Declared, Verb::Drop) => "declared to go".into(),
        (Because::Declared, Verb::Alter | Verb::Move) => "declared otherwise than it is".into(),
        (Because::NotDeclared, _) => "no file declares it".into(),
        (Because::MovedFrom(old), _) => {
            let key = if matches!(old.address(), Address::On(..)) { "renamed_from" } else { "moved_from" };
            format!("{key} says that it was {}", old.path())
        }
        (Because::Rebuilt(id, why), Verb::Drop) => format!("makes room for {id}: {why}"),
        (Because::Rebuilt(id, why), Verb::Create) => format!("comes back after {id}: {why}"),
        (Because::Rebuilt(id, why), _) => format!("because of {id}: {why}"),
        (Because::Replaced(why), _) => format!("cannot be changed in place: {why}"),
        (Because::With(id), Verb::Create) => format!("comes with {id}"),
        (Because::With(id), _) => format!("goes with {id}"),
        (Because::Implied(id), _) => format!("PostgreSQL adds it to {id} by itself, and no file wants it"),
    }
}

/// Why a step of a way back is there: no file speaks of it.
pub fn reason_back(step: &PlannedStep) -> String {
    match (&step.because, step.verb) {
        (Because::Declared, Verb::Create) => "it was there before".into(),
        (Because::Declared, Verb::Alter | Verb::Move) => "it was otherwise before".into(),
        (Because::Declared, Verb::Drop) | (Because::NotDeclared, _) => "it was not there before".into(),
        (Because::MovedFrom(_), _) => "it was called so before".into(),
        (Because::Implied(id), _) => {
            format!("PostgreSQL adds it to {id} by itself, and it was not there before")
        }
        _ => reason(step),
    }
}

/// What is lost, in words: `the rows of table public.users`.
pub fn lost(loss: Loss, object: ObjectId) -> String {
    match loss {
        Loss::DropTable => format!("the rows of {object}"),
        Loss::DropColumn => format!("the values of {object}"),
        Loss::DropObject | Loss::Revoke => object.to_string(),
        Loss::DisableRls => format!("row-level security of {object}"),
        Loss::FacadeBypassesRls => {
            format!(
                "row-level security for whoever uses {object} (schemac explain {})",
                Code::FacadeBypassesRls
            )
        }
    }
}

/// The words that `--allow` needs before a plan with these losses may run: `drop-table,revoke`.
pub fn allow_words(losses: &[(Loss, ObjectId)]) -> String {
    let needed = |loss: &&Loss| losses.iter().any(|(lost, _)| lost == *loss);
    Loss::ALL.iter().filter(needed).map(|loss| loss.word()).collect::<Vec<_>>().join(",")
}

/// How many steps do what: `15 to create, 15 to move`.
fn counts(plan: &Plan) -> String {
    let count = |verb: Verb| plan.steps().filter(|step| step.verb == verb).count();
    [Verb::Create, Verb::Alter, Verb::Move, Verb::Drop]
        .into_iter()
        .filter(|verb| count(*verb) > 0)
        .map(|verb| format!("{} to {}", count(verb), verb.word()))
        .collect::<Vec<_>>()
        .join(", ")
}

/// The relations that exist before the plan and that it locks.
fn locked(plan: &Plan) -> BTreeSet<ObjectId> {
    let first = plan.segments.iter().flat_map(|segment| segment.locks.iter().copied());
    let later = plan.steps().filter_map(|step| step.impact.lock.map(|(relation, _)| relation));
    first.chain(later).collect()
}

/// A text on one line, without characters that would end a comment or disturb a terminal. Names can hold anything.
fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

/// A text of many lines, without characters that would disturb a terminal.
fn many_lines(text: &str) -> String {
    let disturbs = |c: char| c.is_control() && !matches!(c, '\n' | '\t');
    text.replace("\r\n", "\n").chars().map(|c| if disturbs(c) { '\u{fffd}' } else { c }).collect()
}

/// `1 transaction`, `2 transactions`.
fn counted(number: usize, one: &str) -> String {
    if number == 1 { format!("1 {one}") } else { format!("{number} {one}s") }
}
