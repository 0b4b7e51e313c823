//! Near misses of `moved_from` and `renamed_from`: what looks like a move and would lose rows, values or clients.

use crate::load::Project;
use schemac_schema::catalog::Catalog;
use schemac_schema::code::Code;
use schemac_schema::diagnostic::Diagnostic;
use schemac_schema::id::ObjectId;
use schemac_schema::kinds::near::{Likeness, Miss, lookalikes, namesakes, renamed_columns};

/// What is as good as certainly a move, and would lose something, is an error; what only may be one is a warning, and
/// columns that look renamed are worth a note. `current` is the database under its future names.
pub fn misses(
    current: &Catalog,
    desired: &Catalog,
    project: &Project,
    diagnostics: &mut Vec<Diagnostic>,
    notes: &mut Vec<Diagnostic>,
) {
    let span = |id: ObjectId| desired.get(id).and_then(|entry| entry.span);
    let dropped = |id: ObjectId| project.dropped.iter().any(|(name, _)| Some(*name) == id.qname());
    let unmoved = |id: ObjectId| {
        let same = |own: &ObjectId| (own.kind(), own.qname()) == (id.kind(), id.qname());
        project.unmoved.iter().any(same)
    };
    let meant = |id: ObjectId| if current.contains(id) { dropped(id) } else { unmoved(id) };
    let found = lookalikes(current, desired, meant);
    for miss in found.into_iter().chain(namesakes(current, desired, meant)) {
        let stays = desired.contains(miss.old);
        let one = if miss.sure { Diagnostic::error } else { Diagnostic::warning };
        let said = one(Code::LooksMoved, told(&miss, stays)).help(help(&miss, stays));
        let said = said.at(miss.new.first().and_then(|new| span(*new)));
        if miss.sure { diagnostics.push(said) } else { notes.push(said) }
    }
    for (old, new) in renamed_columns(current, desired) {
        let message = format!("{old} goes and `{}` of the same type comes: its values are lost", new.name());
        let help = format!("to keep them, write `renamed_from: {}`", old.name());
        notes.push(Diagnostic::note(Code::LooksRenamed, message).at(span(new)).help(help));
    }
}

/// Several things in a sentence.
fn list(ids: &[ObjectId]) -> String {
    let words: Vec<String> = ids.iter().map(ToString::to_string).collect();
    match words.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} or {last}", rest.join(", ")),
        _ => words.concat(),
    }
}

/// What would be lost.
fn told(miss: &Miss, stays: bool) -> String {
    let (old, new) = (miss.old, list(&miss.new));
    let goes = if stays { "stays behind undeclared" } else { "would be dropped" };
    let renamed = miss.new.iter().all(|new| new.name() != old.name());
    let columns = match miss.likeness {
        Likeness::Counter if stays => {
            return format!("{old} {goes}, and {new} comes: it begins anew, and both count from then on");
        }
        Likeness::Counter => {
            return format!(
                "{old} goes and {new} comes: how far it has counted is lost, and values are given twice"
            );
        }
        Likeness::Definition => {
            return format!(
                "{old} goes and {new} with the same definition comes: who uses the old name finds nothing there"
            );
        }
        Likeness::Name => {
            return format!("{old} goes and {new} comes: who uses the old name finds nothing there");
        }
        Likeness::Some(shared) => format!("{shared} columns of the same names"),
        Likeness::Columns(many) if renamed => format!("the same {many} columns"),
        Likeness::Columns(_) => "the same columns".to_owned(),
    };
    let also = match miss.rivals.as_slice() {
        [] => String::new(),
        rivals => format!("; {} has them too", list(rivals)),
    };
    format!("{old} {goes}, and {new} with {columns} would be new and empty{also}")
}

/// What helps.
fn help(miss: &Miss, stays: bool) -> String {
    let name = |id: ObjectId| id.qname().map(|name| name.to_string()).unwrap_or_default();
    let old = name(miss.old);
    let rows = matches!(miss.likeness, Likeness::Columns(_) | Likeness::Some(_));
    let moves = if rows { "to move it with its rows" } else { "to move it" };
    let own = miss.new.first().map(|new| name(*new)).unwrap_or_default();
    let dropped = if stays { "" } else { ", or list the old one under `dropped:`" };
    format!(
        "{moves}, write `moved_from: [{old}]`; where another is meant, give it its own name, `moved_from: [{own}]`{dropped}"
    )
}
