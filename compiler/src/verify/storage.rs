//! Moved relations are the same ones, with the same files and no fewer rows; sequences did not go back.
//!
//! Rows of a child or partition that came since are not those that moved: they are told apart. Not here: what is read
//! (`record::relations`).

use super::{Error, Finding, Left, Options, Verdict};
use crate::record::{Part, Relation, names_of, relations_of, types_of};
use postgres::Client;
use schemac_schema::id::ObjectId;
use std::collections::BTreeMap;

pub(super) fn storage(
    client: &mut Client,
    left: &Left,
    options: &Options,
    findings: &mut Vec<Finding>,
) -> Result<(), Error> {
    let ids: Vec<ObjectId> = left.relations.keys().copied().collect();
    let (types, ids): (Vec<ObjectId>, Vec<ObjectId>) = ids.into_iter().partition(|id| id.kind().is_type());
    let mut now = relations_of(client, &ids).map_err(Error::Journal)?;
    now.extend(types_of(client, &types).map_err(Error::Journal)?);
    let parts: Vec<u32> =
        left.relations.values().flat_map(|one| one.parts.iter().map(|part| part.oid)).collect();
    let names = names_of(client, &parts).map_err(Error::Journal)?;
    for (id, was) in &left.relations {
        let Some(is) = now.iter().find(|one| one.id == *id) else {
            findings.push(Finding::new(Verdict::Failed, "storage", id, "it is gone"));
            continue;
        };
        let (verdict, message) = file(was, is, left.files.get(id).copied());
        findings.push(Finding::new(verdict, "storage", id, message));
        for key in is.unchecked.iter().filter(|key| !was.unchecked.contains(key)) {
            let message = format!("{key} is not enforced: its triggers do not fire (DISABLE TRIGGER ALL)");
            findings.push(Finding::new(Verdict::Failed, "definition", id, message));
        }
        for (column, was) in &was.identities {
            // A column that is called otherwise, or is none any more, is told as such.
            let (Some(was), Some(is)) = (was, is.identities.get(column)) else { continue };
            let Some(message) = went_back(*was, *is) else { continue };
            findings.push(Finding::new(
                Verdict::Failed,
                "rows",
                id,
                format!("the identity of {column}: {message}"),
            ));
        }
        if let Some((verdict, message)) = rows(was, is, &names, options) {
            findings.push(Finding::new(verdict, "rows", id, message));
        }
    }
    Ok(())
}

/// What became of a relation's file; `left` is the one that it had when its apply ended.
fn file(was: &Relation, is: &Relation, left: Option<u32>) -> (Verdict, String) {
    let kind = was.id.kind();
    if kind.is_type() {
        return match is.oid == was.oid {
            true => (Verdict::Passed, "the same type as before it moved".to_owned()),
            false => {
                (Verdict::Failed, "it is another type of that name: columns have the old one".to_owned())
            }
        };
    }
    if is.oid != was.oid {
        return (Verdict::Failed, "it is another relation of that name: a copy, or made anew".to_owned());
    }
    if is.file == was.file {
        return (Verdict::Passed, "the same relation with the same file as before it moved".to_owned());
    }
    // What a view shows and where a sequence is are no rows that somebody wrote.
    if kind.is_view() {
        let message =
            "it was written anew since it moved, as REFRESH does: the same relation in another file";
        return (Verdict::Note, message.to_owned());
    }
    if !kind.holds_rows() {
        let message = "it is the same sequence in another file, as after ALTER SEQUENCE or RESTART IDENTITY";
        return (Verdict::Note, message.to_owned());
    }
    let since = match left {
        Some(left) if left == was.file => ", after the move, which left it as it was",
        _ => "",
    };
    let message = format!(
        "its file was {} before it moved and is {}: its rows were written anew{since} (TRUNCATE, VACUUM FULL, CLUSTER, \
         SET TABLESPACE, SET UNLOGGED, or a change of a column's type)",
        was.file, is.file
    );
    (Verdict::Failed, message)
}

/// What became of a relation's rows, or of what a sequence has given.
fn rows(
    was: &Relation,
    is: &Relation,
    names: &BTreeMap<u32, String>,
    options: &Options,
) -> Option<(Verdict, String)> {
    let kind = was.id.kind();
    if let (Some(before), Some(now)) = (was.rows, is.rows) {
        let moved = Moved::of(was, is, now);
        let words = moved.words(names);
        if moved.rows < before && kind.is_view() {
            let message =
                format!("it showed {} before it moved and shows {}{words}", counted(before), moved.rows);
            return Some((Verdict::Note, message));
        }
        if moved.rows < before && !options.rows_may_go {
            let message = format!(
                "{} of {} that it had before it moved are missing{words}; if clients deleted them: --rows-may-go",
                before - moved.rows,
                counted(before)
            );
            return Some((Verdict::Failed, message));
        }
        let message = match moved.rows == before {
            true => format!("{}, as before it moved{words}", counted(before)),
            false => format!("it had {} before it moved and has {}{words}", counted(before), moved.rows),
        };
        let as_before = moved.rows == before && words.is_empty();
        return Some((if as_before { Verdict::Passed } else { Verdict::Note }, message));
    }
    if is.unpopulated && !was.unpopulated {
        return Some((Verdict::Failed, "nothing can be read from it until it is refreshed".to_owned()));
    }
    if let Some(message) = was.reached.and_then(|was| went_back(was, is.reached)) {
        return Some((Verdict::Failed, message));
    }
    let message = "its rows were not counted: there are more than a million, or the role may not see all";
    (kind.holds_rows() || was.rows.is_some()).then(|| (Verdict::Unchecked, message.to_owned()))
}

/// What there is to say of a sequence that is before where it was.
fn went_back(was: i64, is: Option<i64>) -> Option<String> {
    let now = is.map_or_else(
        || "its start, goes round now, or may not be looked at".to_owned(),
        |at| at.abs().to_string(),
    );
    let message = format!(
        "it was at {} before it moved and is at {now}: it gives values that were given already",
        was.abs()
    );
    is.is_none_or(|is| was > is).then_some(message)
}

/// The rows of now that are in tables in which the rows were that moved, and what else there is to say.
struct Moved<'a> {
    rows: u64,
    come: Vec<&'a Part>,
    gone: Vec<&'a Part>,
}

impl<'a> Moved<'a> {
    fn of(was: &'a Relation, is: &'a Relation, all: u64) -> Self {
        // An old record does not say where its rows were.
        if was.parts.is_empty() {
            return Self { rows: all, come: Vec::new(), gone: Vec::new() };
        }
        let other = |parts: &'a [Part], than: &'a [Part]| -> Vec<&'a Part> {
            let others = parts.iter().filter(|part| !than.iter().any(|one| one.oid == part.oid));
            others.filter(|part| part.rows > 0).collect()
        };
        let (come, gone) = (other(&is.parts, &was.parts), other(&was.parts, &is.parts));
        let rows = all.saturating_sub(come.iter().map(|part| part.rows).sum());
        Self { rows, come, gone }
    }

    fn words(&self, names: &BTreeMap<u32, String>) -> String {
        let gone = self.gone.iter().map(|part| (part, "was", "no part of it any more"));
        let come = self.come.iter().map(|part| (part, "is", "a part of it only since then"));
        gone.chain(come)
            .map(|(part, verb, what)| {
                let verb = match (verb, part.rows) {
                    (verb, 1) => verb,
                    ("is", _) => "are",
                    _ => "were",
                };
                let name = names.get(&part.oid).unwrap_or(&part.name);
                format!("; {} {verb} in {name}, {what}", counted(part.rows))
            })
            .collect()
    }
}

fn counted(rows: u64) -> String {
    format!("{rows} {}", if rows == 1 { "row" } else { "rows" })
}
