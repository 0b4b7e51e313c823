//! From changes to nodes: the statements of one change, with what it makes, uses, takes away, and which name slots it
//! frees and takes.

use super::change::{Change, Changes};
use super::park::Parked;
use super::{Because, Verb};
use crate::relocate::Relocated;
use schemac_schema::catalog::{Catalog, Entry, Standing};
use schemac_schema::code::Code;
use schemac_schema::declare::facade::is_facade;
use schemac_schema::diagnostic::Diagnostic;
use schemac_schema::fragment::{Fragment, Grammar};
use schemac_schema::id::{Address, ObjectId, Slot};
use schemac_schema::ident::{Ident, QName};
use schemac_schema::kinds;
use schemac_schema::names;
use schemac_schema::object::{self, Context, Object, Visitor};
use schemac_schema::reference::Reference;
use schemac_schema::step::{ELEMENTS, Step, Steps};
use schemac_schema::type_name::TypeName;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

/// The statements of one change of one object.
#[derive(Clone, Debug)]
pub struct Node {
    /// The object, by its desired id.
    pub id: ObjectId,
    /// What happens to it.
    pub verb: Verb,
    /// Why.
    pub because: Because,
    /// The statements, in order.
    pub steps: Vec<Step>,
    /// What they use of the desired side.
    pub uses_desired: Vec<ObjectId>,
    /// What the object that they change or drop uses on the current side.
    pub uses_current: Vec<ObjectId>,
    /// The name slots that become free.
    pub frees: Vec<Slot>,
    /// The name slots that are taken.
    pub takes: Vec<Slot>,
    /// What must be gone before.
    pub after: Vec<ObjectId>,
    /// Its place among its siblings.
    pub place: u32,
    /// It is about a type that gives up its name and goes away.
    pub parked: bool,
    /// What goes away with what it drops (owned sequences).
    pub carries: Vec<ObjectId>,
    /// What PostgreSQL moves with what it moves (owned sequences): by its desired id, and what it is called until it has
    /// a new name of its own.
    pub along: Vec<(ObjectId, ObjectId)>,
    /// What a body that is only bound when it runs names of what this plan makes or moves.
    pub mentions: BTreeSet<QName>,
    /// The same with what it names without a schema, which the search_path leads to: less sure.
    pub speaks: BTreeSet<QName>,
    /// What the body names until it is changed, and nothing is called afterwards: what moves away without a facade.
    pub lets_go: BTreeSet<QName>,
    /// Whether the body asks what its trigger's table is called and will no longer, or will and does not yet.
    pub asks: (bool, bool),
}

impl Node {
    /// Whether its elements can stand inside a CREATE TABLE.
    pub fn is_element(&self) -> bool {
        self.verb == Verb::Create && self.steps.first().is_some_and(|step| step.element.is_some())
    }

    /// Whether it is a CREATE TABLE that elements can stand in.
    pub fn takes_elements(&self) -> bool {
        self.verb == Verb::Create && self.steps.first().is_some_and(|step| step.sql.contains(ELEMENTS))
    }
}

/// The nodes of all changes, in the order of ids.
pub fn nodes(
    changes: &Changes,
    relocated: &Relocated,
    parked: &Parked,
    (context, search_path): (&Context<'_>, &[Ident]),
) -> Vec<Node> {
    let mut nodes = Vec::new();
    // A facade's name is one that clients know already.
    let old: HashSet<QName> = relocated.moves.iter().filter_map(|one| one.from.qname()).collect();
    let created = changes.map.iter().filter(|(_, change)| matches!(change, Change::Create(_)));
    let new: HashSet<QName> = created
        .filter_map(|(id, _)| id.qname())
        .filter(|name| !old.contains(name))
        .chain(relocated.moves.iter().filter_map(|one| one.to.qname()))
        .collect();
    // What moves away from a name that nothing new takes.
    let kept: HashSet<QName> = changes
        .map
        .iter()
        .filter(|(_, change)| matches!(change, Change::Create(_)))
        .filter_map(|(id, _)| id.qname().filter(|name| old.contains(name)))
        .collect();
    let followers = followers(relocated);
    for relocation in &relocated.moves {
        nodes.push(relocation_node(relocation.from, relocation.to, &followers, (relocated, context)));
    }
    let carried = carried(changes, context);
    let circles = circles(changes, &carried, context);
    for (id, change) in &changes.map {
        match change {
            Change::Create(because) => nodes.extend(create(*id, because.clone(), context)),
            Change::Drop(because) => {
                let dropped = drop(*id, because.clone(), changes, (&circles, &carried), (relocated, context));
                // Its values are in the new type by then.
                nodes.extend(
                    dropped.map(|node| if parked.types.contains_key(id) { lossless(node) } else { node }),
                );
            }
            Change::Replace(because) => {
                // What comes back from its definition is not lost.
                let whole = context.current.get(*id).is_some_and(|entry| entry.object.nature().rebuildable);
                let dropped = drop(*id, because.clone(), changes, (&circles, &carried), (relocated, context));
                nodes.extend(dropped.map(|node| if whole { lossless(node) } else { node }));
                nodes.extend(create(*id, because.clone(), context));
            }
            Change::Alter(steps) => {
                let mut node = bare(*id, Verb::Alter, Because::Declared, steps.clone());
                node.uses_desired = uses_desired(*id, context);
                node.uses_current = uses(*id, context.current);
                node.uses_current.extend(holds(*id, context.current));
                node.mentions = mentions(*id, &[], context.desired);
                node.mentions.retain(|name| new.contains(name));
                node.lets_go = mentions(*id, &[], context.current);
                node.lets_go.retain(|name| old.contains(name) && !kept.contains(name));
                let (now, then) = (asks(*id, context.current), asks(*id, context.desired));
                if id.parent().is_none() {
                    node.after = context
                        .desired
                        .get(*id)
                        .map(|entry| entry.object.comes_after(*id, context))
                        .unwrap_or_default();
                }
                node.asks = (!now.is_subset(&then), !then.is_subset(&now));
                let slots = |catalog: &Catalog| {
                    let own = catalog.get(*id).map(|entry| entry.object.slots(*id)).unwrap_or_default();
                    own.into_iter().chain(brought(*id, catalog)).collect::<Vec<Slot>>()
                };
                // A column becomes an identity column, which has a sequence, or no longer is one.
                let (old, new) = (slots(context.current), slots(context.desired));
                node.takes = new.iter().copied().filter(|slot| !old.contains(slot)).collect();
                node.frees = old.into_iter().filter(|slot| !new.contains(slot)).collect();
                nodes.push(node);
            }
            Change::Implied(implied) => {
                let Some(entry) = context.desired.get(*id) else { continue };
                let mut steps = Steps::default();
                Object::alter(implied, &entry.object, *id, context, &mut steps);
                nodes.push(lossless(bare(*id, Verb::Alter, Because::Declared, steps)));
            }
            Change::Unwanted(implied) => {
                let mut steps = Steps::default();
                implied.drop(*id, context, &mut steps);
                // It depends on its parent's creation like something that is created.
                let because = id.parent().map_or(Because::NotDeclared, Because::Implied);
                nodes.push(lossless(bare(*id, Verb::Alter, because, steps)));
            }
        }
    }
    nodes.retain(|node| !node.steps.is_empty());
    let made: HashSet<QName> = nodes
        .iter()
        .filter(|node| node.verb != Verb::Drop)
        .filter_map(|node| node.id.root().qname())
        .collect();
    for node in &mut nodes {
        if node.id.kind().is_routine() && matches!(node.verb, Verb::Create | Verb::Alter) {
            node.speaks = mentions(node.id, search_path, context.desired);
            node.speaks.retain(|name| made.contains(name));
        }
        node.parked = parked.types.contains_key(&node.id);
        // Nobody else ever has the name under which it waits.
        match node.verb {
            Verb::Move if node.parked => node.takes.clear(),
            Verb::Drop if node.parked => node.frees.clear(),
            _ => {}
        }
    }
    nodes
}

/// What goes away with the column that owns it: it, and the column.
fn carried(changes: &Changes, context: &Context<'_>) -> BTreeMap<ObjectId, ObjectId> {
    let goes = |id: &ObjectId| matches!(changes.map.get(id), Some(Change::Drop(_)));
    let gone = |id: ObjectId| {
        std::iter::once(id)
            .chain(above(id))
            .any(|id| matches!(changes.map.get(&id), Some(Change::Drop(_) | Change::Replace(_))))
    };
    context
        .current
        .iter()
        .filter(|(_, entry)| entry.object.takes_along())
        .filter_map(|(id, entry)| {
            let carried = id.parent().filter(goes)?;
            let column =
                entry.uses.iter().copied().filter(|used| used.parent().is_some()).find(|used| gone(*used))?;
            Some((carried, column))
        })
        .collect()
}

/// Nobody loses what only existed inside the transaction.
fn lossless(mut node: Node) -> Node {
    for step in &mut node.steps {
        step.impact.loses.clear();
    }
    node
}

fn bare(id: ObjectId, verb: Verb, because: Because, steps: Steps) -> Node {
    Node {
        id,
        verb,
        because,
        steps: steps.list,
        uses_desired: Vec::new(),
        uses_current: Vec::new(),
        frees: Vec::new(),
        takes: Vec::new(),
        after: Vec::new(),
        place: 0,
        parked: false,
        carries: Vec::new(),
        along: Vec::new(),
        mentions: BTreeSet::new(),
        speaks: BTreeSet::new(),
        lets_go: BTreeSet::new(),
        asks: (false, false),
    }
}

/// The bodies of an object that are strings to PostgreSQL.
fn bodies(id: ObjectId, catalog: &Catalog) -> Vec<String> {
    struct Bodies(Vec<String>);
    impl Visitor for Bodies {
        fn fragment(&mut self, _: &str, fragment: &mut Fragment) {
            if fragment.grammar() == Grammar::Body {
                self.0.push(fragment.text().to_owned());
            }
        }
        fn type_name(&mut self, _: &mut TypeName) {}
        fn reference(&mut self, _: &mut Reference) {}
    }
    let mut bodies = Bodies(Vec::new());
    if let Some(entry) = catalog.get(id) {
        entry.object.clone().visit(&mut bodies);
    }
    bodies.0
}

/// The names in the bodies of an object that are strings to PostgreSQL; those without a schema are in all of these.
pub fn mentions(id: ObjectId, search_path: &[Ident], catalog: &Catalog) -> BTreeSet<QName> {
    bodies(id, catalog).iter().flat_map(|body| names::spoken(body, search_path)).collect()
}

fn asks(id: ObjectId, catalog: &Catalog) -> BTreeSet<&'static str> {
    bodies(id, catalog).iter().flat_map(|body| names::asks_for_its_table(body)).collect()
}

fn holds(id: ObjectId, catalog: &Catalog) -> Vec<ObjectId> {
    catalog.get(id).map(|entry| entry.object.holds(id, catalog)).unwrap_or_default()
}

fn uses(id: ObjectId, catalog: &Catalog) -> Vec<ObjectId> {
    catalog.get(id).map(|entry| entry.uses.clone()).unwrap_or_default()
}

/// What an object uses of the desired side. A column brings its type along: a new value of an enum may stand in any
/// expression over the column. What stores values of a type waits for what stands on the type: the checks of a domain
/// cannot be added once an array column has it.
fn uses_desired(id: ObjectId, context: &Context<'_>) -> Vec<ObjectId> {
    let mut own = uses(id, context.desired);
    // What is bound knows these already; what was recorded for a way back was read, and does not.
    if let Some(entry) = context.desired.get(id) {
        let mut more = Vec::new();
        entry.object.uses(id, context.desired, &mut more);
        own.extend(more.into_iter().filter(|used| *used != id && !id.is_below(*used)));
    }
    let stores = context.desired.get(id).is_some_and(|entry| !entry.object.nature().rebuildable);
    let mut all: BTreeSet<ObjectId> = own.iter().copied().collect();
    for used in &own {
        if stores && used.kind().is_type() {
            all.extend(
                context
                    .desired
                    .children(*used)
                    .iter()
                    .filter(|child| matches!(child.address(), Address::On(..))),
            );
        } else if used.parent().is_some() {
            all.extend(uses(*used, context.desired).into_iter().filter(|used| used.kind().is_type()));
        }
    }
    // What it is handed down must be there, and as it shall be.
    all.extend(kinds::handed_down(id, context.desired));
    all.remove(&id);
    all.into_iter().collect()
}

/// The names of relations that come and go with an object, by no statement of their own: the sequence of an identity
/// column.
fn brought(id: ObjectId, catalog: &Catalog) -> Vec<Slot> {
    let satellites = catalog.children(id).iter().filter(|child| child.kind().is_satellite());
    let slots =
        satellites.filter_map(|child| catalog.get(*child).map(|entry| entry.object.slots(*child))).flatten();
    slots.filter(|slot| matches!(slot, Slot::Relation(_))).collect()
}

fn create(id: ObjectId, because: Because, context: &Context<'_>) -> Option<Node> {
    let entry = context.desired.get(id)?;
    let mut steps = Steps::default();
    entry.object.create(id, context, &mut steps);
    let mut node = bare(id, Verb::Create, because, steps);
    node.uses_desired = uses_desired(id, context);
    node.uses_desired.extend(kinds::leavers(id, context.current, context.desired));
    node.takes = entry.object.slots(id);
    node.takes.extend(brought(id, context.desired));
    node.takes.extend(kinds::taken_of_relatives(id, context.current, context.desired));
    node.after = entry.object.comes_after(id, context);
    node.place = entry.object.place();
    Some(node)
}

/// Whole objects that go in this plan and use each other in a circle, each with the number of its circle.
fn circles(
    changes: &Changes,
    carried: &BTreeMap<ObjectId, ObjectId>,
    context: &Context<'_>,
) -> HashMap<ObjectId, usize> {
    let mut graph = petgraph::graphmap::DiGraphMap::<ObjectId, ()>::new();
    for (id, change) in &changes.map {
        if !matches!(change, Change::Drop(_) | Change::Replace(_)) {
            continue;
        }
        // What says who owns a sequence goes with either of the two.
        if context.current.get(*id).is_some_and(|entry| entry.object.takes_along()) {
            continue;
        }
        for used in uses(*id, context.current).into_iter().chain(holds(*id, context.current)) {
            let with_it = carried.contains_key(&id.root()) || carried.contains_key(&used.root());
            if used.root() != id.root() && !with_it {
                graph.add_edge(id.root(), used.root(), ());
            }
        }
    }
    let components = petgraph::algo::tarjan_scc(&graph);
    let circles = components.into_iter().filter(|component| component.len() > 1).enumerate();
    circles.flat_map(|(number, component)| component.into_iter().map(move |id| (id, number))).collect()
}

fn drop(
    id: ObjectId,
    because: Because,
    changes: &Changes,
    (circles, carried): (&HashMap<ObjectId, usize>, &BTreeMap<ObjectId, ObjectId>),
    (relocated, context): (&Relocated, &Context<'_>),
) -> Option<Node> {
    let entry = context.current.get(id)?;
    if carried.contains_key(&id.root()) {
        return None;
    }
    let gone =
        |other: ObjectId| matches!(changes.map.get(&other), Some(Change::Drop(_) | Change::Replace(_)));
    // It goes with its parent, unless that is in a circle which only its own statement breaks.
    let breaks = |id: ObjectId, entry: &Entry| {
        circles.get(&id.root()).is_some_and(|circle| {
            let inside =
                |used: &ObjectId| used.root() != id.root() && circles.get(&used.root()) == Some(circle);
            entry.uses.iter().any(inside) || entry.object.holds(id, context.current).iter().any(inside)
        })
    };
    let dies = |id: ObjectId, entry: &Entry| {
        entry.object.nature().dies_with_parent && above(id).into_iter().any(gone) && !breaks(id, entry)
    };
    if dies(id, entry) {
        return None;
    }
    let mut steps = Steps::default();
    let own = relocated.own_name(id);
    entry.object.drop(own, context, &mut steps);
    let mut node = bare(id, Verb::Drop, because, steps);
    // What it takes along counts as its own.
    let mut used: BTreeSet<ObjectId> =
        entry.uses.iter().copied().chain(entry.object.holds(id, context.current)).collect();
    node.frees = entry.object.slots(own);
    node.frees.extend(kinds::freed_to_relatives(id, context.current, context.desired));
    for child in context.current.descendants(id) {
        if let Some(child_entry) = context.current.get(child).filter(|entry| dies(child, entry)) {
            let held = child_entry.object.holds(child, context.current);
            used.extend(child_entry.uses.iter().copied().chain(held).filter(|used| used.root() != id.root()));
            node.frees.extend(child_entry.object.slots(relocated.own_name(child)));
        }
    }
    for (taken, column) in carried {
        if *column == id || column.is_below(id) {
            node.frees
                .extend(context.current.get(*taken).iter().flat_map(|entry| entry.object.slots(*taken)));
            node.carries.push(*taken);
        }
    }
    if own != id {
        // It gives up a name that what moves waits for, so it cannot wait for the move.
        used.retain(|used| !relocated.was.contains_key(&used.root()));
    }
    node.uses_current = used.into_iter().collect();
    node.after = kinds::goes_after(id, context.current);
    // It was made from what is behind it.
    Some(if is_facade(context.current, id, None) { lossless(node) } else { node })
}

fn above(id: ObjectId) -> Vec<ObjectId> {
    let mut found = Vec::new();
    let mut at = id;
    while let Some(parent) = at.parent() {
        found.push(parent);
        at = parent;
    }
    found
}

/// What PostgreSQL moves when relations get another schema.
#[derive(Default)]
struct Followers {
    /// By the desired id of the relation: their own, and what they are called once that has moved.
    of: BTreeMap<ObjectId, Vec<(ObjectId, ObjectId)>>,
    /// By their desired id what they are called until they get a name of their own.
    until: BTreeMap<ObjectId, ObjectId>,
}

fn followers(relocated: &Relocated) -> Followers {
    let own: HashMap<ObjectId, ObjectId> = relocated.moves.iter().map(|one| (one.from, one.to)).collect();
    let mut followers = Followers::default();
    for one in relocated.moves.iter().filter(|one| one.from.parent().is_none()) {
        for (was, until) in kinds::followers(relocated.before(), one.from, one.to) {
            let new = own.get(&was).copied().unwrap_or(until);
            followers.of.entry(one.to).or_default().push((new, until));
            followers.until.insert(new, until);
        }
    }
    followers
}

/// What is moved along comes where another relation of its name is and stays.
pub fn refuse_taken(
    nodes: &[Node],
    relocated: &Relocated,
    desired: &Catalog,
    diagnostics: &mut Vec<Diagnostic>,
) {
    let before = relocated.before();
    for (table, new, until) in nodes.iter().flat_map(|node| {
        let until = node.along.iter();
        until.map(|(new, until)| (node.id, *new, *until))
    }) {
        let Some(name) = until.qname() else { continue };
        let frees = |node: &Node| node.id != new && node.frees.contains(&Slot::Relation(name));
        let Some(holder) = before.relation(name).filter(|_| !nodes.iter().any(frees)) else { continue };
        let was = relocated.was.get(&new).copied().unwrap_or(new);
        let message = format!("{was} goes to its new schema with {table}, and {holder} is there already");
        let error = Diagnostic::error(Code::BothNamesExist, message)
            .help(format!("rename one of them first, or drop {holder} if it is left over"));
        let span = desired.get(table).and_then(|entry| entry.span);
        diagnostics.push(error.at(span));
    }
}

fn relocation_node(
    from: ObjectId,
    to: ObjectId,
    followers: &Followers,
    (relocated, context): (&Relocated, &Context<'_>),
) -> Node {
    let mut steps = Steps::default();
    // What belongs to an extension moves with it.
    if let Some(entry) = context.current.get(to).filter(|entry| entry.standing != Standing::External) {
        entry.object.rename(from, to, context, &mut steps);
    }
    let mut node = bare(to, Verb::Move, Because::MovedFrom(from), steps);
    if to.kind().is_routine() {
        node.uses_current = uses(to, context.current);
    }
    let below = context.current.descendants(to);
    for id in std::iter::once(to).chain(below) {
        let Some(entry) = context.current.get(id) else { continue };
        // What is unique only on its relation moves with that; a column's own renaming has its slots here.
        let counts = |slot: &Slot| id == to || !matches!(slot, Slot::On(..) | Slot::Own(_));
        node.takes.extend(entry.object.slots(id).into_iter().filter(counts));
        if let Some(was) = relocated.was.get(&id) {
            node.frees.extend(entry.object.slots(*was).into_iter().filter(counts));
        }
    }
    for (new, until) in followers.of.get(&to).into_iter().flatten() {
        node.along.push((*new, *until));
        node.takes.extend(object::slots(*until));
        node.frees.extend(relocated.was.get(new).into_iter().flat_map(|was| object::slots(*was)));
    }
    if let Some(until) = followers.until.get(&to) {
        // Its owner has brought it here.
        node.frees = object::slots(*until);
    }
    // What is moved along gets its new name afterwards.
    for child in context.current.children(to) {
        let Some(entry) = context.current.get(*child).filter(|entry| entry.object.takes_along()) else {
            continue;
        };
        node.uses_desired.extend(entry.uses.iter().copied());
    }
    let same: BTreeSet<Slot> = node.takes.iter().copied().filter(|slot| node.frees.contains(slot)).collect();
    node.takes.retain(|slot| !same.contains(slot));
    node.frees.retain(|slot| !same.contains(slot));
    node
}
