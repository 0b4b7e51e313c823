//! What shall be taken back: the applies that a wish is about, with what was recorded of them.
//!
//! Not here: whether that is possible.

use super::{Error, Wish};
use crate::connect::Connection;
use crate::plan;
use crate::record::{self, Record};
use crate::relocate::Relocation;
use crate::state::journal;
use schemac_schema::id::ObjectId;
use schemac_schema::ident::QName;
use schemac_schema::kinds::{companions, followers};
use std::collections::{BTreeMap, BTreeSet};

/// An apply with what was recorded of it.
pub(super) struct Recorded {
    pub(super) apply: journal::Apply,
    pub(super) before: Record,
    pub(super) after: Option<Record>,
}

/// Looks the applies up that the wish is about, the last one first.
pub(super) fn recorded(
    connection: &mut Connection,
    wish: &Wish,
    applies: &[journal::Apply],
) -> Result<Vec<Recorded>, Error> {
    let known = applies.len();
    let mut standing: Vec<journal::Apply> = applies.iter().filter(|apply| apply.stands()).cloned().collect();
    standing.reverse();
    match wish {
        Wish::Last => standing.truncate(1),
        Wish::Table(_) => {}
        Wish::To(id) => {
            standing = applies.iter().filter(|apply| apply.is_there() && apply.id >= *id).cloned().collect();
            standing.reverse();
            // Where it went forth and back since, nothing is left of either.
            standing.retain(|apply| {
                let back = apply.undoes.iter().chain(&apply.partly);
                apply.id == *id || !apply.is_way_back() || back.clone().any(|of| of < id)
            });
            let Some(asked) = applies.iter().find(|apply| apply.id == *id) else {
                return Err(Error::Nothing(format!("the journal holds no apply {id}")));
            };
            if !asked.is_there() {
                let why =
                    if asked.segments == 0 { "it changed nothing" } else { "it was taken back already" };
                return Err(Error::Nothing(format!("apply {id} cannot be taken back: {why}")));
            }
        }
    }
    if standing.is_empty() {
        let why = if known == 0 { "no apply is recorded" } else { "no apply stands that was not taken back" };
        let back = applies.iter().rev().find(|apply| apply.is_there() && apply.is_way_back());
        let again = back.map_or_else(String::new, |back| {
            format!("; the way back {0} itself can be taken back: schemac rollback --to {0}", back.id)
        });
        return Err(Error::Nothing(format!("there is nothing to take back: {why} in this database{again}")));
    }
    let ids: Vec<i64> = standing.iter().map(|apply| apply.id).collect();
    let texts = journal::texts(&mut connection.client, &ids).map_err(Error::Journal)?;
    let mut recorded = Vec::new();
    for (apply, texts) in standing.into_iter().zip(texts) {
        let before = texts.before.as_deref().map(|text| read(apply.id, text)).transpose()?;
        let Some(before) = before else {
            if matches!(wish, Wish::Table(_)) {
                continue;
            }
            let why = format!("of apply {} is not recorded how the database was before", apply.id);
            return Err(Error::Nothing(why));
        };
        if let Wish::Table(name) = wish
            && !before.touched.iter().any(|root| is_called(*root, name))
        {
            continue;
        }
        let after = texts.after.as_deref().map(|text| read(apply.id, text)).transpose()?;
        recorded.push(Recorded { apply, before, after });
        if matches!(wish, Wish::Table(_)) {
            break;
        }
    }
    if let (Wish::Table(name), true) = (wish, recorded.is_empty()) {
        return Err(Error::Nothing(format!("no apply that stands has touched a table {name}")));
    }
    Ok(recorded)
}

fn read(id: i64, text: &str) -> Result<Record, Error> {
    let record: Result<Record, _> = serde_json::from_str(text);
    match record {
        Ok(record) if record.format == record::FORMAT => Ok(record),
        _ => Err(Error::Nothing(format!(
            "apply {id} was recorded by another version of schemac, in another shape"
        ))),
    }
}

fn is_called(root: ObjectId, name: &str) -> bool {
    root.kind().is_relation() && (root.path() == name || root.name().as_str() == name)
}

/// The touched objects that belong to one table: it, what its facade is, and what moves along.
pub(super) fn restrict(one: &Recorded, name: &str) -> BTreeSet<ObjectId> {
    let before = &one.before;
    let catalog = before.catalog();
    let mut wanted: BTreeSet<ObjectId> =
        before.touched.iter().copied().filter(|root| is_called(*root, name)).collect();
    loop {
        let count = wanted.len();
        for (old, new) in before.moves.iter().filter(|(old, _)| old.parent().is_none()) {
            if wanted.contains(old) || wanted.contains(new) {
                wanted.extend([*old, *new]);
                let along =
                    companions(&catalog, *old, *new).into_iter().chain(followers(&catalog, *old, *new));
                wanted.extend(along.flat_map(|(from, to)| [from.root(), to.root()]));
            }
        }
        // The facade has the old name.
        let names: BTreeSet<_> = wanted.iter().filter_map(|id| id.qname()).collect();
        let same =
            |id: &ObjectId| id.kind().is_relation() && id.qname().is_some_and(|name| names.contains(&name));
        wanted.extend(before.touched.iter().copied().filter(same));
        if wanted.len() == count {
            break;
        }
    }
    // Bodies that were changed to the new names.
    let left = one.after.as_ref().map(Record::catalog).unwrap_or_default();
    let new: BTreeSet<QName> = before
        .moves
        .iter()
        .filter(|(_, new)| wanted.contains(new))
        .filter_map(|(_, new)| new.qname())
        .collect();
    let names_them = |id: &ObjectId| plan::mentions(*id, &[], &left).iter().any(|name| new.contains(name));
    wanted.extend(before.touched.iter().copied().filter(names_them));
    wanted
}

/// The first of the applies right before these that broke off: what the last one finished, they had begun.
pub(super) fn torn_before(applies: &[journal::Apply], recorded: &[Recorded]) -> Option<i64> {
    let first = recorded.last()?.apply.id;
    let older = applies.iter().rev().filter(|apply| apply.id < first && apply.is_there());
    older.take_while(|apply| apply.stands() && apply.is_torn()).last().map(|apply| apply.id)
}

/// What the applies before this one moved, back to the names before all of them: a way back that broke off may have
/// gone as far.
pub(super) fn first_names(applies: &[journal::Apply], id: i64) -> Vec<Relocation> {
    let mut first: BTreeMap<ObjectId, ObjectId> = BTreeMap::new();
    for (old, new) in applies.iter().filter(|one| one.id < id && one.stands()).flat_map(|one| &one.moves) {
        if old.parent().is_none() && !old.kind().is_routine() {
            first.insert(*new, first.get(old).copied().unwrap_or(*old));
        }
    }
    first.into_iter().filter(|(from, to)| from != to).map(|(from, to)| Relocation { from, to }).collect()
}
