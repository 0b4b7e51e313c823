//! A plan for programs. The shape is described in docs/plan-format.md; what changes a meaning changes `FORMAT`.

use super::{action, compatibility, locked, reason};
use crate::plan::{Because, Plan, PlannedStep, Segment, Verb};
use schemac_schema::diagnostic::Diagnostic;
use schemac_schema::id::{Address, ObjectId};
use schemac_schema::span::{Sources, Span};
use serde_json::{Value, json};

/// The version of the shape.
pub const FORMAT: u32 = 1;

/// The plan as JSON.
pub fn json(plan: &Plan, sources: &Sources) -> Value {
    let count = |verb: Verb| plan.steps().filter(|step| step.verb == verb).count();
    json!({
        "format": FORMAT,
        "summary": {
            "create": count(Verb::Create),
            "alter": count(Verb::Alter),
            "move": count(Verb::Move),
            "drop": count(Verb::Drop),
            "segments": plan.segments.len(),
            "locked": locked(plan).into_iter().map(object).collect::<Vec<_>>(),
        },
        "search_path": plan.search_path,
        "segments": plan.segments.iter().map(|one| segment(one, sources)).collect::<Vec<_>>(),
        "losses": plan.losses().into_iter().map(|(loss, id)| json!({ "allow": loss.word(), "object": object(id) }))
            .collect::<Vec<_>>(),
        "compatibility": compatibility::json(plan, sources),
        "notes": plan.notes.iter().map(|note| diagnostic(note, sources)).collect::<Vec<_>>(),
    })
}

/// A diagnostic as JSON, as it stands in `notes` and in the output of `schemac --json check`.
pub fn diagnostic(diagnostic: &Diagnostic, sources: &Sources) -> Value {
    let labels =
        diagnostic.labels.iter().map(|(span, text)| json!({ "at": place(*span, sources), "text": text }));
    json!({
        "code": diagnostic.code.id(),
        "severity": diagnostic.severity.word(),
        "message": diagnostic.message,
        "at": diagnostic.primary.map(|span| place(span, sources)),
        "labels": labels.collect::<Vec<_>>(),
        "help": diagnostic.help,
        "notes": diagnostic.notes,
    })
}

fn segment(segment: &Segment, sources: &Sources) -> Value {
    json!({
        "transactional": segment.transactional,
        "locks": segment.locks.iter().copied().map(object).collect::<Vec<_>>(),
        "steps": segment.steps.iter().map(|one| step(one, sources)).collect::<Vec<_>>(),
    })
}

fn step(step: &PlannedStep, sources: &Sources) -> Value {
    let impact = &step.impact;
    json!({
        "verb": step.verb.word(),
        "object": object(step.object),
        "domain": step.domain(),
        "action": action(step),
        "sql": step.sql,
        "because": because(step),
        "declared": step.span.map(|span| place(span, sources)),
        "impact": {
            "lock": impact.lock.map(|(relation, lock)| json!({ "relation": object(relation), "mode": lock.words() })),
            "rewrites": impact.rewrites,
            "scans": impact.scans,
            "loses": impact.loses.iter().map(|(loss, id)| json!({ "allow": loss.word(), "object": object(*id) }))
                .collect::<Vec<_>>(),
        },
        "change": step.texts.as_ref().map(|(before, after)| json!({ "before": before, "after": after })),
    })
}

fn because(step: &PlannedStep) -> Value {
    let (rule, of, why) = match &step.because {
        Because::Declared => ("declared", None, None),
        Because::NotDeclared => ("not-declared", None, None),
        Because::MovedFrom(old) => ("moved-from", Some(*old), None),
        Because::Rebuilt(id, why) => ("rebuilt", Some(*id), Some(*why)),
        Because::Replaced(why) => ("replaced", None, Some(*why)),
        Because::With(id) => ("with", Some(*id), None),
        Because::Implied(id) => ("implied", Some(*id), None),
    };
    json!({ "rule": rule, "object": of.map(object), "why": why, "words": reason(step) })
}

pub(super) fn place(span: Span, sources: &Sources) -> Value {
    let place = sources.place(span.file, span.start);
    json!({ "file": sources.path(span.file), "line": place.line, "column": place.column })
}

/// An object as JSON.
pub fn object(id: ObjectId) -> Value {
    let mut value = json!({ "kind": id.kind().word(), "name": id.name(), "text": id.to_string() });
    match id.address() {
        Address::Global(_) => {}
        Address::InSchema(name) => value["schema"] = json!(name.schema),
        Address::Routine(name, arguments) => {
            value["schema"] = json!(name.schema);
            value["arguments"] = json!(arguments);
        }
        Address::On(parent, _) | Address::Of(parent, _) => value["on"] = object(parent),
    }
    value
}
