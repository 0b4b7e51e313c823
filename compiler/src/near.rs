//! Near misses of `moved_from` and `renamed_from`: what looks like a move and would lose rows or values.

use crate::load::Project;
use schemac_schema::catalog::Catalog;
use schemac_schema::code::Code;
use schemac_schema::diagnostic::Diagnostic;
use schemac_schema::id::ObjectId;
use schemac_schema::kinds::near::{lookalikes, namesakes, renamed_columns};

/// Tables that look moved are errors; other objects that do, and columns that look renamed, are worth a note. `current` is
/// the database under its future names.
pub fn misses(
    current: &Catalog,
    desired: &Catalog,
    project: &Project,
    diagnostics: &mut Vec<Diagnostic>,
    notes: &mut Vec<Diagnostic>,
) {
    let span = |id: ObjectId| desired.get(id).and_then(|entry| entry.span);
    for (old, new) in lookalikes(current, desired) {
        if project.dropped.iter().any(|(name, _)| Some(*name) == old.qname()) {
            continue;
        }
        let stays = if desired.contains(old) { "stays behind undeclared" } else { "would be dropped" };
        let message = format!("{old} {stays}, and {new} with the same columns would be new and empty");
        let help = format!(
            "to move it with its rows, write `moved_from: [{}]`; where another table is meant, declare both or list the \
             old one under `dropped:`",
            old.path()
        );
        diagnostics.push(Diagnostic::error(Code::LooksMoved, message).at(span(new)).help(help));
    }
    for (old, new) in namesakes(current, desired) {
        if project.dropped.iter().any(|(name, _)| Some(*name) == old.qname()) {
            continue;
        }
        let message = format!(
            "{old} goes and {new} comes: what uses it, and what only the database knows of it (how far a sequence has \
             counted), does not come along"
        );
        let old = old.qname().map(|name| name.to_string()).unwrap_or_default();
        let help = format!("to move it, write `moved_from: [{old}]`");
        notes.push(Diagnostic::note(Code::LooksMoved, message).at(span(new)).help(help));
    }
    for (old, new) in renamed_columns(current, desired) {
        let message = format!("{old} goes and `{}` of the same type comes: its values are lost", new.name());
        let help = format!("to keep them, write `renamed_from: {}`", old.name());
        notes.push(Diagnostic::note(Code::LooksRenamed, message).at(span(new)).help(help));
    }
}
