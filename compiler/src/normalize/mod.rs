//! Equality of fragments: a ladder, each rung asked only where the one above could not say "equal".
//!
//! The first rung is the text; the last is the server, which is asked how it would store the declared fragment.
//! Nothing whose references change in this very plan is settled by asking about the current state: it stays
//! different, which is safe.

use crate::connect::ServerError;
use crate::elaborate::{self, Answer, Answers};
use crate::relocate::Relocated;
use crate::rename;
use crate::timings::timed;
use schemac_schema::catalog::{Catalog, Standing};
use schemac_schema::fragment::{Fragment, Grammar};
use schemac_schema::id::ObjectId;
use schemac_schema::ident::{Ident, Text};
use schemac_schema::object::{Context, Object, Server, Visitor};
use schemac_schema::question::Questions;
use schemac_schema::reference::Reference;
use schemac_schema::type_name::TypeName;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

/// What normalization found out.
#[derive(Debug, Default)]
pub struct Normalized {
    /// Objects with differences that nobody could be asked about, and why.
    pub unproven: Vec<(ObjectId, String)>,
    /// How many pairs each rung decided: the text, the server; and how many stayed different.
    pub decided: [usize; 3],
}

/// The pairs that differ in their texts.
fn undecided(desired: &Catalog, current: &Catalog) -> Vec<ObjectId> {
    desired
        .iter()
        .filter(|(_, entry)| entry.standing == Standing::Managed)
        .filter(|(id, entry)| current.get(*id).is_some_and(|live| live.object != entry.object))
        .filter(|(id, entry)| {
            let live = current.get(*id).map(|live| fragments(&live.object)).unwrap_or_default();
            fragments(&entry.object).iter().any(|(place, text)| live.get(place).is_some_and(|old| old != text))
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

/// Settles what the server stores alike. Returns the names of those that it could not be asked about.
///
/// # Errors
/// What the connection says, when the server cannot be asked at all.
pub fn normalize(
    desired: &mut Catalog,
    relocated: &Relocated,
    server: &Server,
    search_path: &[Ident],
    client: &mut postgres::Client,
) -> Result<Normalized, ServerError> {
    let mut normalized = Normalized::default();
    let current = &relocated.catalog;
    let open = undecided(desired, current);
    if open.is_empty() {
        return Ok(normalized);
    }
    let mut changing = changing(desired, current, &open);
    let users = users(desired, &open);
    let spoiled = spoiled(&changing, &users);
    normalized.unproven.extend(
        open.iter()
            .filter(|id| spoiled.contains(id))
            .map(|id| (*id, "it refers to something that this plan changes".to_owned())),
    );
    let mut questions = Questions::default();
    let asked = under_current_names(desired, relocated, &open);
    let context = Context { current, desired: asked.as_ref().unwrap_or(desired), server };
    for id in open.iter().filter(|id| !spoiled.contains(id)) {
        if let Some(entry) = context.desired.get(*id) {
            entry.object.ask(*id, &context, &mut questions);
        }
    }
    let answers = timed("ask the server", || {
        elaborate::elaborate(client, &questions, search_path, &elaborate::Options::default())
    })?;
    let stored = stored(desired, relocated, &questions, &answers, &mut normalized);
    // An answer holds as long as what it speaks of stays: what turns out to differ takes those that use it along.
    let equal = |id: &ObjectId| {
        stored.get(id).is_some_and(|object| current.get(*id).is_some_and(|live| live.object == *object))
    };
    changing.extend(open.iter().filter(|id| !equal(id) && !id.kind().is_lockable()));
    let spoiled = self::spoiled(&changing, &users);
    for (id, object) in stored {
        if spoiled.contains(&id) {
            normalized.unproven.push((id, "it refers to something that this plan changes".into()));
        } else if let Some(entry) = desired.get_mut(id) {
            entry.object = object;
        }
    }
    Ok(normalized)
}

/// The desired side as far as questions need it, under the names that the database has now; `None` where nothing is
/// renamed. The relation that a fragment stands on is a stand-in under its future name.
fn under_current_names(desired: &Catalog, relocated: &Relocated, open: &[ObjectId]) -> Option<Catalog> {
    let back = relocated.renaming.reversed();
    if back.is_empty() {
        return None;
    }
    let roots: BTreeSet<ObjectId> = open.iter().map(|id| id.root()).collect();
    let mut asked = Catalog::default();
    for id in roots.into_iter().flat_map(|root| std::iter::once(root).chain(desired.descendants(root))) {
        let Some(mut entry) = desired.get(id).cloned() else { continue };
        if entry.standing == Standing::Managed {
            back.apply(&mut entry.object, None);
        }
        // They have been together in one catalog before.
        let _: Result<(), ObjectId> = asked.insert(id, entry);
    }
    Some(asked)
}

/// For each object those of the open ones that use it. The stand-in has the columns that the relation shall have: an
/// object's own relation is no obstacle.
fn users(desired: &Catalog, open: &[ObjectId]) -> HashMap<ObjectId, Vec<ObjectId>> {
    let mut users: HashMap<ObjectId, Vec<ObjectId>> = HashMap::new();
    for id in open {
        let own = id.root();
        let uses = desired.get(*id).map(|entry| entry.uses.as_slice()).unwrap_or_default();
        for used in uses.iter().filter(|used| used.parent() != Some(own)) {
            users.entry(*used).or_default().push(*id);
        }
    }
    users
}

/// The open objects that nobody can be asked about, since they use what changes, or use such objects.
fn spoiled(changing: &HashSet<ObjectId>, users: &HashMap<ObjectId, Vec<ObjectId>>) -> HashSet<ObjectId> {
    let mut spoiled = HashSet::new();
    let mut open: Vec<ObjectId> = changing.iter().copied().collect();
    while let Some(used) = open.pop() {
        for user in users.get(&used).into_iter().flatten() {
            if spoiled.insert(*user) {
                open.push(*user);
            }
        }
    }
    spoiled
}

/// What the objects would be with the texts that the server would store.
fn stored(
    desired: &Catalog,
    relocated: &Relocated,
    questions: &Questions,
    answers: &Answers,
    normalized: &mut Normalized,
) -> BTreeMap<ObjectId, Object> {
    let mut objects: BTreeMap<ObjectId, Object> = BTreeMap::new();
    for question in &questions.list {
        let id = question.object;
        let Some(live) = relocated.catalog.get(id).map(|entry| fragments(&entry.object)) else { continue };
        let Some(entry) = desired.get(id) else { continue };
        let object = objects.entry(id).or_insert_with(|| entry.object.clone());
        for (place, _) in &question.read {
            match answers.get(id, place) {
                Some(Answer::Stored(text)) => {
                    // The answer speaks of the current names; the current side has its future ones.
                    let mut stored = Fragment::canonical(text, grammar_of(object, place));
                    if let Some(mapped) = relocated.renaming.text(&stored, rename::own_relation(id)) {
                        stored.rewrite(&mapped);
                    }
                    let equal = live.get(place) == Some(&stored.canonical_text());
                    normalized.decided[if equal { 1 } else { 2 }] += 1;
                    object.answer(place, text);
                    object.visit(&mut Settle { place, canonical: stored.canonical_text() });
                }
                Some(Answer::Failed { message, .. }) => normalized.unproven.push((id, message.clone())),
                Some(Answer::Nothing) | None => {}
            }
        }
    }
    if let Some(reason) = &answers.unavailable {
        normalized.unproven.extend(questions.list.iter().map(|question| (question.object, reason.clone())));
    }
    objects
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

/// Objects that this plan creates, changes or drops, apart from those whose fragments are still undecided.
fn changing(desired: &Catalog, current: &Catalog, open: &[ObjectId]) -> HashSet<ObjectId> {
    let mut changing = HashSet::new();
    for (id, entry) in desired.iter() {
        match current.get(id) {
            None => {
                changing.insert(id);
            }
            Some(live) if live.object != entry.object => {
                // A relation's own settings do not change what its columns mean.
                if !id.kind().is_lockable() {
                    changing.insert(id);
                }
            }
            Some(_) => {}
        }
    }
    for id in open {
        changing.remove(id);
    }
    changing.extend(current.ids().filter(|id| !desired.contains(*id)));
    changing
}
