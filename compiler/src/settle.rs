//! What needs no second look: declared objects that are word for word what the database has, or differ from it only in
//! SQL of which it is remembered that it means the same.
//!
//! Before binding, so that their SQL is never parsed. That is a bet on a plan that changes nothing: only there the
//! whole database is what a remembered pair speaks of, and nothing of it is emitted. When the plan does change
//! something, all of it is taken back and done the long way, where a pair is believed only if the plan touches nothing
//! that it mentions. Not here: what a pair's digest covers (`memory`).

use crate::memory::{Changed, Meanings, Memory};
use crate::normalize;
use crate::pair::Pair;
use crate::relocate::Relocated;
use crate::timings;
use postgres::Client;
use schemac_schema::catalog::{Catalog, Standing};
use schemac_schema::fragment::{Fragment, Grammar};
use schemac_schema::id::ObjectId;
use schemac_schema::ident::Text;
use schemac_schema::object::{Object, Visitor};
use schemac_schema::reference::Reference;
use schemac_schema::type_name::TypeName;
use std::collections::{BTreeSet, HashSet};
use std::thread;

/// The memory, and what its keys are made from.
#[derive(Debug)]
pub struct Remembering<'a> {
    /// What is remembered.
    pub memory: &'a mut Memory,
    /// What words mean in the database as it is.
    pub meanings: &'a Meanings<'a>,
}

/// What was settled before binding.
#[derive(Debug, Default)]
pub struct Settled {
    /// All objects that need no binding.
    pub objects: HashSet<ObjectId>,
    /// Those among them that the memory settled.
    remembered: Vec<ObjectId>,
}

/// How deep a chain of views is settled from memory; what stands higher is asked about.
const ROUNDS: usize = 24;

/// Finds the objects of the desired side that need no second look. Where something moves, there are none: its names
/// are still mapped.
pub fn settle(
    desired: &mut Catalog,
    relocated: &Relocated,
    remembering: &mut Remembering<'_>,
    client: &mut Client,
) -> Settled {
    let mut settled = Settled::default();
    if !relocated.moves.is_empty() || relocated.before.is_some() {
        return settled;
    }
    let mut remembered = 0;
    for (id, found) in compared(desired, &relocated.catalog, remembering.meanings) {
        let (object, pairs) = match found {
            Compared::Equal => {
                settled.objects.insert(id);
                continue;
            }
            Compared::If(object, pairs) => (object, pairs),
        };
        if holds(id, &pairs, remembering.memory, client) {
            if let Some(entry) = desired.get_mut(id) {
                entry.object = *object;
            }
            settled.objects.insert(id);
            settled.remembered.push(id);
            remembered += pairs.len();
        }
    }
    timings::count("objects equal word for word", settled.objects.len() - settled.remembered.len());
    timings::count("texts equal by memory", remembered);
    settled
}

/// What the two sides of an object have in common before any SQL is understood.
enum Compared {
    /// Everything.
    Equal,
    /// Everything where these pairs hold, with their places: then it is this object. Most objects are equal, and an
    /// object is large.
    If(Box<Object>, Vec<(Pair, Text)>),
}

/// How many objects are worth a thread of their own.
const WORTH_A_THREAD: usize = 2_000;

/// Compares the managed objects of both sides, in the order of the desired one; those that differ otherwise are left
/// out. Objects have nothing to do with each other here, so several processors share them.
fn compared(desired: &Catalog, current: &Catalog, meanings: &Meanings<'_>) -> Vec<(ObjectId, Compared)> {
    let managed: Vec<(ObjectId, &Object, &Object)> = desired
        .iter()
        .filter(|(_, entry)| entry.standing == Standing::Managed)
        .filter_map(|(id, entry)| Some((id, &entry.object, &current.get(id)?.object)))
        .collect();
    let compare = |(id, object, live): &(ObjectId, &Object, &Object)| {
        if object == live {
            return Some((*id, Compared::Equal));
        }
        let differing = differing(object, live);
        let settled = only_in(&differing, object, live)?;
        Some((*id, Compared::If(Box::new(settled), pairs(*id, &differing, meanings)?)))
    };
    let processors = thread::available_parallelism().map_or(1, usize::from);
    let share = managed.len().div_ceil(processors).max(WORTH_A_THREAD);
    thread::scope(|scope| {
        let (mine, others) = managed.split_at(share.min(managed.len()));
        let others: Vec<_> = others
            .chunks(share)
            .map(|chunk| scope.spawn(move || chunk.iter().filter_map(compare).collect::<Vec<_>>()))
            .collect();
        let mut found: Vec<_> = mine.iter().filter_map(compare).collect();
        for other in others {
            found.extend(other.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
        }
        found
    })
}

/// Whether the plan changes something whatever their SQL means: an object is on one side only, or differs in more than
/// that.
pub fn is_changed(desired: &Catalog, current: &Catalog) -> bool {
    current.ids().any(|id| !desired.contains(id))
        || desired.iter().any(|(id, entry)| match current.get(id) {
            None => true,
            Some(live) if live.object == entry.object => false,
            Some(live) => {
                only_in(&differing(&entry.object, &live.object), &entry.object, &live.object).is_none()
            }
        })
}

impl Settled {
    /// Takes back what the memory settled: each text stands for itself again.
    pub fn take_back(&self, desired: &mut Catalog) {
        for id in &self.remembered {
            if let Some(entry) = desired.get_mut(*id) {
                entry.object.visit(&mut Unsettle);
            }
        }
    }
}

/// Settles from memory what differs in bound objects, where the plan touches nothing that the texts mention; takes it
/// out of what is open.
pub fn recall(
    open: &mut BTreeSet<ObjectId>,
    desired: &mut Catalog,
    relocated: &Relocated,
    remembering: &mut Remembering<'_>,
    client: &mut Client,
) {
    for _ in 0..ROUNDS {
        let changed = changed(desired, relocated);
        let mut decided = Vec::new();
        for id in open.iter() {
            let Some(live) = relocated.catalog.get(*id) else { continue };
            let Some(entry) = desired.get_mut(*id) else { continue };
            let differing = differing(&entry.object, &live.object);
            let safe = !differing
                .iter()
                .any(|(_, fragment, stored)| changed.touches(*id, fragment, stored.as_str()));
            if safe && !differing.is_empty() && believe(*id, &differing, remembering, client) {
                entry.object = with(&differing, &entry.object);
                timings::count("texts equal by memory", differing.len());
                decided.push(*id);
            }
        }
        if decided.is_empty() {
            return;
        }
        for id in decided {
            open.remove(&id);
        }
    }
}

/// Remembers what the server has proven, where the plan touches nothing that the texts mention. Gives whether all of it
/// could be remembered.
pub fn remember(
    proven: &[(ObjectId, String)],
    desired: &Catalog,
    relocated: &Relocated,
    remembering: &mut Remembering<'_>,
) -> bool {
    if proven.is_empty() {
        return true;
    }
    let changed = changed(desired, relocated);
    let mut all = true;
    for (id, place) in proven {
        let Some(entry) = desired.get(*id) else { continue };
        for (found, fragment) in fragments(&entry.object) {
            let stored = fragment.canonical_text();
            if found.as_str() != place {
                continue;
            }
            let safe = !changed.touches(*id, &fragment, stored.as_str());
            let pair =
                safe.then(|| remembering.meanings.pair(*id, place, &fragment, stored.as_str())).flatten();
            match pair {
                Some(pair) => remembering.memory.holds(pair, *id, Text::new(place)),
                None => all = false,
            }
        }
    }
    all
}

fn changed(desired: &Catalog, relocated: &Relocated) -> Changed {
    let mut changed = Changed::default();
    for id in normalize::changing(desired, &relocated.catalog) {
        changed.add(id);
    }
    for relocation in &relocated.moves {
        changed.add(relocation.from);
        changed.add(relocation.to);
    }
    for (new, old) in &relocated.was {
        changed.add(*new);
        changed.add(*old);
    }
    for id in of_changed_types(desired, &relocated.catalog) {
        changed.add(id);
    }
    changed
}

/// What is of a type that becomes another one in this plan, at any depth: columns, views over them, routines that take
/// or give such values. Texts that mention these need not name the type.
fn of_changed_types(desired: &Catalog, current: &Catalog) -> BTreeSet<ObjectId> {
    let mut found = BTreeSet::new();
    let differs = |id: &ObjectId| match (desired.get(*id), current.get(*id)) {
        (Some(new), Some(old)) => new.object != old.object,
        _ => true,
    };
    let mut open: Vec<ObjectId> =
        desired.ids().chain(current.ids()).filter(|id| id.kind().is_type()).filter(differs).collect();
    // What is below a type makes it: a domain's check.
    let below =
        desired.ids().chain(current.ids()).filter(|id| id.root().kind().is_type() && id.root() != *id);
    open.extend(below.filter(differs).map(|id| id.root()));
    if open.is_empty() {
        return found;
    }
    let users = [desired.users(), current.users()];
    while let Some(id) = open.pop() {
        if !found.insert(id) {
            continue;
        }
        open.extend(users.iter().filter_map(|users| users.get(&id)).flatten());
        if id.kind().is_column() {
            open.extend(id.parent());
        }
    }
    found
}

/// Whether what differs in an object is remembered to mean the same; it holds in this run then.
fn believe(
    id: ObjectId,
    differing: &[(Text, Fragment, Text)],
    remembering: &mut Remembering<'_>,
    client: &mut Client,
) -> bool {
    let pairs = pairs(id, differing, remembering.meanings);
    pairs.is_some_and(|pairs| holds(id, &pairs, remembering.memory, client))
}

/// The pairs that would make what differs the same, each with its place; `None` where one cannot be told.
fn pairs(
    id: ObjectId,
    differing: &[(Text, Fragment, Text)],
    meanings: &Meanings<'_>,
) -> Option<Vec<(Pair, Text)>> {
    let pair = |(place, fragment, stored): &(Text, Fragment, Text)| {
        Some((meanings.pair(id, place.as_str(), fragment, stored.as_str())?, *place))
    };
    differing.iter().map(pair).collect()
}

/// Whether all of these pairs are remembered; they hold in this run then.
fn holds(id: ObjectId, pairs: &[(Pair, Text)], memory: &mut Memory, client: &mut Client) -> bool {
    let known = pairs.iter().all(|(pair, _)| memory.knows(*pair, client));
    if known {
        pairs.iter().for_each(|(pair, place)| memory.holds(*pair, id, *place));
    }
    known
}

/// The places at which both objects have SQL, in other words.
fn differing(desired: &Object, live: &Object) -> Vec<(Text, Fragment, Text)> {
    let live = fragments(live);
    fragments(desired)
        .into_iter()
        .filter(|(_, fragment)| fragment.grammar() != Grammar::Body)
        .filter_map(|(place, fragment)| {
            let (_, stored) = live.iter().find(|(other, _)| *other == place)?;
            let stored = stored.canonical_text();
            (stored != fragment.canonical_text()).then_some((place, fragment, stored))
        })
        .collect()
}

/// The object with these places settled, where that makes it the live one.
fn only_in(differing: &[(Text, Fragment, Text)], object: &Object, live: &Object) -> Option<Object> {
    if differing.is_empty() {
        return None;
    }
    Some(with(differing, object)).filter(|object| object == live)
}

fn with(differing: &[(Text, Fragment, Text)], object: &Object) -> Object {
    let mut object = object.clone();
    object.visit(&mut Settle(differing));
    object
}

fn fragments(object: &Object) -> Vec<(Text, Fragment)> {
    let mut collect = Collect(Vec::new());
    object.clone().visit(&mut collect);
    collect.0
}

struct Collect(Vec<(Text, Fragment)>);

impl Visitor for Collect {
    fn fragment(&mut self, place: &str, fragment: &mut Fragment) {
        self.0.push((Text::new(place), fragment.clone()));
    }
    fn type_name(&mut self, _: &mut TypeName) {}
    fn reference(&mut self, _: &mut Reference) {}
}

struct Settle<'a>(&'a [(Text, Fragment, Text)]);

impl Visitor for Settle<'_> {
    fn fragment(&mut self, place: &str, fragment: &mut Fragment) {
        if let Some((_, _, stored)) = self.0.iter().find(|(other, ..)| other.as_str() == place) {
            fragment.settle(*stored);
        }
    }
    fn type_name(&mut self, _: &mut TypeName) {}
    fn reference(&mut self, _: &mut Reference) {}
}

struct Unsettle;

impl Visitor for Unsettle {
    fn fragment(&mut self, _: &str, fragment: &mut Fragment) {
        if fragment.grammar() != Grammar::Body {
            fragment.unsettle();
        }
    }
    fn type_name(&mut self, _: &mut TypeName) {}
    fn reference(&mut self, _: &mut Reference) {}
}
