//! What the whole ladder says of written and stored forms: a catalog in which they are the two sides, compared on a
//! live server.

use std::collections::{BTreeSet, HashMap};

use postgres::Client;
use schemac_compiler::bind::{self, Binding};
use schemac_compiler::introspect::Reading;
use schemac_compiler::memory::{Circumstances, Meanings, Memory};
use schemac_compiler::normalize::{self, Decided};
use schemac_compiler::plan;
use schemac_compiler::relocate::Relocated;
use schemac_compiler::settle::Remembering;
use schemac_schema::analyse::World;
use schemac_schema::catalog::Catalog;
use schemac_schema::id::ObjectId;
use schemac_schema::ident::Ident;
use schemac_schema::object::Server;

use crate::made::Made;

/// A written form at a place, and the form that a database has.
#[derive(Clone, Debug)]
pub struct Case<'a> {
    /// The kind of place.
    pub place: &'a str,
    /// The relation that it belongs to.
    pub on: ObjectId,
    /// The type that the place has, where it needs one.
    pub of: &'a str,
    /// What is declared.
    pub written: &'a str,
    /// What the database has.
    pub stored: &'a str,
}

/// What the ladder said.
#[derive(Debug)]
pub struct Verdict {
    /// For each case whether both are equal, and why nothing could be said.
    pub cases: Vec<(bool, Option<String>)>,
    /// How many each rung decided.
    pub decided: Decided,
    /// For each case as what it would be stored, found out without a server, or why that cannot be said.
    pub analysed: Vec<Result<String, String>>,
}

/// What a database that was read differs in from itself, without a server; nothing, or it is a mistake.
pub fn differs_from_itself(reading: &Reading) -> Option<String> {
    let (mut desired, current) = (reading.catalog.clone(), &reading.catalog);
    let path = &reading.search_path;
    let normalized = normalize::offline(&mut desired, current, reading.server.version, path);
    if !normalized.unproven.is_empty() || normalized.decided != Decided::default() {
        return Some(format!("{normalized:?}"));
    }
    let relocated = Relocated { catalog: current.clone(), ..Relocated::default() };
    match plan::plan(&relocated, &desired, &reading.server, path) {
        Ok(plan) if plan.is_empty() => None,
        other => Some(format!("{other:?}")),
    }
}

/// Judges cases that stand beside each other in one catalog.
///
/// # Errors
/// The server cannot be asked.
pub fn judge(
    base: &Catalog,
    cases: &[Case<'_>],
    server: &Server,
    search_path: &[Ident],
    client: &mut Client,
) -> crate::Result<Verdict> {
    let (mut desired, mut current) = (Made(base.clone()), Made(base.clone()));
    let mut ids = Vec::new();
    for (number, case) in cases.iter().enumerate() {
        ids.push(desired.probe(case.place, case.on, case.of, case.written, number));
        current.probe(case.place, case.on, case.of, case.stored, number);
    }
    let Made(mut desired) = desired;
    let relocated = Relocated { catalog: current.0, ..Relocated::default() };
    let own = BTreeSet::new();
    let facades = HashMap::new();
    let binding = Binding { search_path, complete: true, facades: &facades, own: &own };
    // A view and its like are one object; what stands on a column or a domain is bound with that.
    let all: Vec<ObjectId> = ids.iter().flat_map(|id| id.parent().into_iter().chain([*id])).collect();
    bind::bind_these(&mut desired, &all, &binding, &mut Vec::new());
    let analysed = {
        let world = World::new(&desired, base, search_path, server.version, true);
        let all = ids.iter().map(|id| {
            let mut found = Vec::new();
            if let Some(entry) = desired.get(*id) {
                entry.object.analyse(*id, &world, &mut found);
            }
            let last = found.pop().map(|(_, found)| found.map_err(|why| why.0.into_owned()));
            last.unwrap_or_else(|| Err("this place is not analysed".into()))
        });
        all.collect()
    };
    let none = BTreeSet::new();
    let circumstances = Circumstances { version: server.version, search_path, facades: &none };
    let meanings = Meanings::new(base, &circumstances);
    let mut memory = Memory::default();
    let mut remembering = Remembering { memory: &mut memory, meanings: &meanings };
    let normalized =
        normalize::normalize(&mut desired, &relocated, server, search_path, &mut remembering, client)?;
    let cases = ids
        .iter()
        .map(|id| {
            let sides = (desired.get(*id), relocated.catalog.get(*id));
            let equal = matches!(sides, (Some(a), Some(b)) if a.object == b.object);
            let why = normalized.unproven.iter().find(|(of, _)| of == id).map(|(_, why)| why.clone());
            (equal, why)
        })
        .collect();
    Ok(Verdict { cases, decided: normalized.decided, analysed })
}
