//! Equality of fragments: a ladder, each rung asked only where the one above could not say "equal".
//!
//! The first rung is the text; the second analyses the declared fragment with the types of the desired catalog
//! (`schemac_schema::analyse`); the last is the server, which is asked how it would store the declared fragment.
//! Nothing whose references change in this very plan is settled by asking about the current state: it stays
//! different, which is safe.

use crate::connect::ServerError;
use crate::elaborate::{self, Answer, Answers};
use crate::relocate::Relocated;
use crate::rename::{self, Renaming};
use crate::settle::{self, Remembering};
use crate::timings::{self, timed};
use schemac_schema::analyse::{World, same_but_for_aliases, squeeze};
use schemac_schema::catalog::{Catalog, Standing};
use schemac_schema::fragment::{Fragment, Grammar};
use schemac_schema::id::ObjectId;
use schemac_schema::ident::{Ident, Text};
use schemac_schema::object::{Context, Object, Server, Visitor};
use schemac_schema::question::Questions;
use schemac_schema::reference::Reference;
use schemac_schema::type_name::TypeName;
use std::collections::{BTreeSet, HashMap, HashSet};

/// What normalization found out.
#[derive(Debug, Default)]
pub struct Normalized {
    /// Objects with differences that nobody could be asked about, and why.
    pub unproven: Vec<(ObjectId, String)>,
    /// How many fragments each rung decided.
    pub decided: Decided,
    /// Whether the server was asked about something that it did not call equal.
    pub asked_in_vain: bool,
    /// The places at which analysis or the server said that both texts are one.
    pub proven: Vec<(ObjectId, String)>,
    /// Whether something was proven that cannot be remembered.
    pub passing: bool,
}

/// How many fragments whose texts differ each rung decided.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Decided {
    /// Equal by analysis, without a server.
    pub analysed: usize,
    /// Equal by the server's answer.
    pub asked: usize,
    /// Different by the server's answer.
    pub different: usize,
}

/// The pairs that differ in their texts.
fn undecided(desired: &Catalog, current: &Catalog) -> Vec<ObjectId> {
    desired
        .iter()
        .filter(|(_, entry)| entry.standing == Standing::Managed)
        .filter(|(id, entry)| current.get(*id).is_some_and(|live| live.object != entry.object))
        .filter(|(id, entry)| {
            let live = current.get(*id).map(|live| fragments(&live.object)).unwrap_or_default();
            // A body in a string is what it is: nobody has to be asked.
            let differs = |place: &String, text: &Text| live.get(place).is_some_and(|old| old != text);
            fragments(&entry.object).iter().any(|(place, text)| {
                differs(place, text) && grammar_of(&entry.object, place) != Grammar::Body
            })
        })
        .map(|(id, _)| id)
        .collect()
}

/// The canonical texts of an object's fragments by place.
pub fn fragments(object: &Object) -> HashMap<String, Text> {
    struct Collect(HashMap<String, Text>);
    impl Visitor for Collect {
        fn fragment(&mut self, place: &str, fragment: &mut Fragment) {
            self.0.insert(place.to_owned(), fragment.canonical_text());
        }
        fn type_name(&mut self, _: &mut TypeName) {}
        fn reference(&mut self, _: &mut Reference) {}
    }
    let mut collect = Collect(HashMap::new());
    object.clone().visit(&mut collect);
    collect.0
}

/// Settles what the server stores alike.
///
/// # Errors
/// What the connection says, when the server cannot be asked at all.
pub fn normalize(
    desired: &mut Catalog,
    relocated: &Relocated,
    server: &Server,
    search_path: &[Ident],
    remembering: &mut Remembering<'_>,
    client: &mut postgres::Client,
) -> Result<Normalized, ServerError> {
    let mut normalized = Normalized::default();
    let current = &relocated.catalog;
    let mut open: BTreeSet<ObjectId> = undecided(desired, current).into_iter().collect();
    settle::recall(&mut open, desired, relocated, remembering, client);
    if !open.is_empty() {
        timed("analyse", || analyse(&mut open, desired, current, server, search_path, &mut normalized));
    }
    open.extend(new_below(&open, desired, current));
    // A view over a changed view can be asked about once the columns of that one are known.
    while !open.is_empty() {
        let (questions, answered) = {
            let questions = questions(&open, desired, relocated, server, &mut normalized);
            let answered: BTreeSet<ObjectId> =
                questions.list.iter().map(|question| question.object).collect();
            (questions, answered)
        };
        let answers = timed("ask the server", || {
            elaborate::elaborate(client, &questions, search_path, &elaborate::Options::default())
        })?;
        settle(desired, relocated, &questions, &answers, &mut normalized);
        open.retain(|id| !answered.contains(id));
        if answered.is_empty() {
            break;
        }
    }
    let Decided { analysed, asked, different } = normalized.decided;
    timings::count("texts equal by analysis", analysed);
    timings::count("texts equal by the server's answer", asked);
    timings::count("texts different by the server's answer", different);
    normalized.passing = !settle::remember(&normalized.proven, desired, relocated, remembering);
    normalized
        .unproven
        .extend(open.into_iter().map(|id| (id, "it refers to something that this plan changes".into())));
    Ok(normalized)
}

/// Settles what can be shown equal between two catalogs with no server at hand; `version` is the major version that both
/// are for. What stays different in a fragment could not be proven equal, which may only mean that it is not understood.
pub fn offline(desired: &mut Catalog, current: &Catalog, version: u32, search_path: &[Ident]) -> Normalized {
    let mut normalized = Normalized::default();
    let mut open: BTreeSet<ObjectId> = undecided(desired, current).into_iter().collect();
    let server = Server { version, role: Ident::new("") };
    analyse(&mut open, desired, current, &server, search_path, &mut normalized);
    let why = "could not be proven equal without a server";
    normalized.unproven.extend(open.into_iter().map(|id| (id, why.to_owned())));
    normalized
}

/// New relations that undecided objects use and whose columns only the server can tell.
fn new_below(open: &BTreeSet<ObjectId>, desired: &Catalog, current: &Catalog) -> BTreeSet<ObjectId> {
    let mut found = BTreeSet::new();
    let mut stack: Vec<ObjectId> = open.iter().copied().collect();
    while let Some(id) = stack.pop() {
        for used in desired.get(id).map(|entry| entry.uses.as_slice()).unwrap_or_default() {
            let new = used.kind().is_relation() && !used.kind().is_lockable() && !current.contains(*used);
            if new && found.insert(*used) {
                stack.push(*used);
            }
        }
    }
    found
}

/// Settles what analysis without a server shows to be stored as it is; such objects are open no more.
fn analyse(
    open: &mut BTreeSet<ObjectId>,
    desired: &mut Catalog,
    current: &Catalog,
    server: &Server,
    search_path: &[Ident],
    normalized: &mut Normalized,
) {
    if open.is_empty() {
        return;
    }
    // Nobody knows yet what an extension brings that this plan creates.
    let settled = desired.iter().all(|(id, entry)| entry.object.brings().is_none() || current.contains(id));
    let mut equal: Vec<(ObjectId, &'static str, Text)> = Vec::new();
    {
        let world = World::new(desired, current, search_path, server.version, settled);
        for id in open.iter() {
            let (Some(entry), Some(live)) = (desired.get(*id), current.get(*id)) else { continue };
            let live = fragments(&live.object);
            let mut found = Vec::new();
            entry.object.analyse(*id, &world, &mut found);
            for (place, text) in found {
                let (Ok(text), Some(stored)) = (text, live.get(place)) else { continue };
                let grammar = grammar_of(&entry.object, place);
                if squeeze(&text) == squeeze(stored.as_str())
                    || same_but_for_aliases(&text, stored.as_str(), grammar)
                {
                    equal.push((*id, place, *stored));
                }
            }
        }
    }
    for (id, place, canonical) in equal {
        if let Some(entry) = desired.get_mut(id) {
            entry.object.visit(&mut Settle { place, canonical });
            normalized.decided.analysed += 1;
            normalized.proven.push((id, place.to_owned()));
        }
    }
    let still: BTreeSet<ObjectId> = undecided(desired, current).into_iter().collect();
    open.retain(|id| still.contains(id));
}

fn questions(
    open: &BTreeSet<ObjectId>,
    desired: &Catalog,
    relocated: &Relocated,
    server: &Server,
    normalized: &mut Normalized,
) -> Questions {
    let current = &relocated.catalog;
    let changing = changing(desired, current);
    let retyped = retyped(desired, &changing);
    let back = relocated.renaming.reversed().of_constants();
    // Types have no stand-ins: those that move are asked about by today's names.
    let mut types = Renaming::default();
    types.types = back
        .types
        .iter()
        .filter(|(new, _)| !back.relations.contains_key(new))
        .map(|(a, b)| (*a, *b))
        .collect();
    let today = (!types.is_empty()).then(|| {
        let mut today = desired.clone();
        for (_, entry) in today.iter_mut().filter(|(id, _)| id.kind().is_column() || id.kind().is_type()) {
            types.apply(&mut entry.object, None);
        }
        today
    });
    let context = Context { current, desired: today.as_ref().unwrap_or(desired), server };
    let mut questions =
        Questions::new(relocated.moves.iter().map(|relocation| relocation.to.root()).collect());
    for id in open {
        let Some(entry) = desired.get(*id) else { continue };
        let own = id.root();
        // The stand-in has the columns that a relation shall have: their changes are no obstacle.
        let unsound = entry.uses.iter().any(|used| {
            // A stand-in's columns are of the types as they are today.
            retyped.contains(used)
                || changing.contains(used) && used.parent() != Some(own) && !used.root().kind().is_relation()
        });
        if unsound {
            normalized.unproven.push((*id, "it refers to something that this plan changes".into()));
        } else if back.is_empty() {
            entry.object.ask(*id, &context, &mut questions);
        } else {
            let mut object = entry.object.clone();
            back.apply(&mut object, None);
            object.ask(*id, &context, &mut questions);
        }
    }
    questions
}

fn settle(
    desired: &mut Catalog,
    relocated: &Relocated,
    questions: &Questions,
    answers: &Answers,
    normalized: &mut Normalized,
) {
    let forward = relocated.renaming.of_constants();
    for question in &questions.list {
        let id = question.object;
        let live = relocated.catalog.get(id).map(|entry| fragments(&entry.object)).unwrap_or_default();
        let Some(entry) = desired.get_mut(id) else { continue };
        for (place, _) in &question.read {
            match answers.get(id, place) {
                Some(Answer::Stored(text)) => {
                    // The answer speaks of stand-ins and of constants' current names; the current side of future ones.
                    let grammar = grammar_of(&entry.object, place);
                    let mut stored = Fragment::canonical(&question.unmasked(text, grammar), grammar);
                    if let Some(mapped) = forward.text(&stored, rename::own_relation(id)) {
                        stored.rewrite(&mapped);
                    }
                    let answer = stored.canonical_text();
                    let same = |live: &&Text| {
                        **live == answer || same_but_for_aliases(live.as_str(), answer.as_str(), grammar)
                    };
                    let equal = live.get(place).filter(same);
                    if equal.is_some() {
                        normalized.decided.asked += 1;
                        normalized.proven.push((id, place.clone()));
                    } else {
                        normalized.decided.different += 1;
                        normalized.asked_in_vain |= live.contains_key(place);
                    }
                    entry.object.answer(place, text);
                    entry.object.visit(&mut Settle { place, canonical: equal.copied().unwrap_or(answer) });
                }
                Some(Answer::Failed { message, .. }) => {
                    normalized.asked_in_vain = true;
                    normalized.unproven.push((id, message.clone()));
                }
                Some(Answer::Nothing) | None => {}
            }
        }
    }
    if let Some(reason) = &answers.unavailable {
        normalized.unproven.extend(questions.list.iter().map(|question| (question.object, reason.clone())));
    }
}

fn grammar_of(object: &Object, place: &str) -> Grammar {
    struct Find<'a>(&'a str, Grammar);
    impl Visitor for Find<'_> {
        fn fragment(&mut self, place: &str, fragment: &mut Fragment) {
            if place == self.0 {
                self.1 = fragment.grammar();
            }
        }
        fn type_name(&mut self, _: &mut TypeName) {}
        fn reference(&mut self, _: &mut Reference) {}
    }
    let mut find = Find(place, Grammar::Body);
    object.clone().visit(&mut find);
    find.1
}

struct Settle<'a> {
    place: &'a str,
    canonical: Text,
}

impl Visitor for Settle<'_> {
    fn fragment(&mut self, place: &str, fragment: &mut Fragment) {
        if place == self.place {
            fragment.settle(self.canonical);
        }
    }
    fn type_name(&mut self, _: &mut TypeName) {}
    fn reference(&mut self, _: &mut Reference) {}
}

/// Objects that this plan creates, changes or drops, apart from differences in fragments that are still undecided.
pub(crate) fn changing(desired: &Catalog, current: &Catalog) -> HashSet<ObjectId> {
    let mut changing = HashSet::new();
    for (id, entry) in desired.iter() {
        match current.get(id) {
            None => {
                changing.insert(id);
            }
            Some(live) if live.object != entry.object => {
                // A relation's own settings do not change what its columns mean.
                let same = id.kind().is_lockable() || id.kind().keeps_meaning();
                if !same && !entry.object.means_as(&live.object) {
                    changing.insert(id);
                }
            }
            Some(_) => {}
        }
    }
    changing.extend(current.ids().filter(|id| !desired.contains(*id)));
    changing
}

/// Columns of types that change in this plan.
fn retyped(desired: &Catalog, changing: &HashSet<ObjectId>) -> HashSet<ObjectId> {
    let types: HashSet<ObjectId> = changing.iter().copied().filter(|id| id.kind().is_type()).collect();
    if types.is_empty() {
        return types;
    }
    desired
        .iter()
        .filter(|(id, entry)| id.kind().is_column() && entry.uses.iter().any(|used| types.contains(used)))
        .map(|(id, _)| id)
        .collect()
}
