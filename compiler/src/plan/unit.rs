//! Units: what is committed together, and in which order the units come.
//!
//! Statements are sorted for reading, then disturbed as little as the graph of `order` allows. What a unit locks and
//! which neighbours are joined is said in `segment`.

use super::Verb;
use super::change::Changes;
use super::node::Node;
use super::order::{self, Edge, Graph, with_ancestors};
use petgraph::algo::tarjan_scc;
use petgraph::graph::{DiGraph, NodeIndex};
use schemac_schema::catalog::Catalog;
use schemac_schema::id::{ObjectId, Slot};
use schemac_schema::object::Kind;
use schemac_schema::step::Guard;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// Groups of nodes that are committed together, in order; within a group the nodes are in order too.
pub fn groups(
    (graph, together): (&Graph, &[(usize, usize)]),
    nodes: &[Node],
    changes: &Changes,
    current: &Catalog,
) -> Vec<Vec<usize>> {
    let mut units = Units::new(nodes.len());
    for (a, b) in together {
        units.join(*a, *b);
    }
    let mut by_id: HashMap<ObjectId, Vec<usize>> = HashMap::new();
    for (index, node) in nodes.iter().enumerate() {
        by_id.entry(node.id).or_default().push(index);
    }
    // The two halves of a replacement, and what is rebuilt because of it.
    for indexes in by_id.values() {
        let halves = indexes.iter().any(|index| nodes[*index].verb == Verb::Drop);
        if halves {
            for pair in indexes.windows(2) {
                units.join(pair[0], pair[1]);
            }
        }
    }
    for (cause, dependent) in &changes.together {
        let first = |id: &ObjectId| {
            with_ancestors(*id).find_map(|id| by_id.get(&id).and_then(|indexes| indexes.first()).copied())
        };
        if let (Some(a), Some(b)) = (first(cause), first(dependent)) {
            units.join(a, b);
        }
    }
    // Whoever takes a relation's name in this plan serves the clients that knew it by that name.
    for edge in graph.raw_edges() {
        if matches!(edge.weight, Edge::Frees(Slot::Relation(_) | Slot::Type(_) | Slot::Routine(..))) {
            units.join(edge.source().index(), edge.target().index());
        }
    }
    // A routine over rows of the old name (a computed column of an API) is there when that name is.
    for (index, node) in nodes.iter().enumerate() {
        if node.verb != Verb::Create || !node.id.kind().is_routine() {
            continue;
        }
        for used in node.uses_desired.iter().filter(|used| used.kind().is_relation()) {
            for view in by_id.get(used).into_iter().flatten().filter(|one| !nodes[**one].takes.is_empty()) {
                let replaces = graph
                    .edges_directed(NodeIndex::new(*view), petgraph::Direction::Incoming)
                    .any(|edge| matches!(edge.weight(), Edge::Frees(Slot::Relation(_))));
                if replaces {
                    units.join(*view, index);
                }
            }
        }
    }
    // A new object appears with everything that stands on it, unless that waits for other new things.
    for (index, node) in nodes.iter().enumerate() {
        let Some(parent) = node.id.parent() else { continue };
        let waits = node.uses_desired.iter().any(|used| {
            used.root() != node.id.root() && with_ancestors(*used).any(|id| by_id.contains_key(&id))
        });
        let Some(above) = with_ancestors(parent).find_map(|id| by_id.get(&id)) else { continue };
        let new = above.iter().copied().find(|above| nodes[*above].verb == Verb::Create);
        if let (Some(above), false) = (new, waits) {
            units.join(above, index);
        }
    }
    guards(&mut units, graph, nodes, current);
    units.sorted(graph, nodes)
}

/// Who may see and do what changes at one moment: between two commits nobody is locked out, and nobody sees more than
/// before or after. Where the table moves, that is the moment; but nothing waits for a table to be read or written anew
/// while a lock is held, so that what needs such a thing first comes later, whole.
fn guards(units: &mut Units, graph: &Graph, nodes: &[Node], current: &Catalog) {
    let heavy = |node: &Node| {
        node.steps.iter().map(|step| &step.impact).any(|impact| {
            impact.scans || impact.rewrites || impact.outside_transaction || impact.ends_segment
        })
    };
    let late =
        order::after(graph, nodes.iter().enumerate().filter(|(_, node)| heavy(node)).map(|(at, _)| at));
    let mut found: BTreeMap<(ObjectId, Guard), Vec<usize>> = BTreeMap::new();
    for (index, node) in nodes.iter().enumerate() {
        let guards: BTreeSet<Guard> = node.steps.iter().filter_map(|step| step.impact.guards).collect();
        for guard in guards.into_iter().filter(|_| current.contains(node.id.root())) {
            found.entry((node.id.root(), guard)).or_default().push(index);
        }
    }
    let movers: HashMap<ObjectId, usize> = nodes
        .iter()
        .enumerate()
        .filter(|(_, node)| node.verb == Verb::Move && node.id.parent().is_none())
        .map(|(index, node)| (node.id, index))
        .collect();
    for ((root, guard), mut members) in found {
        let mover = movers.get(&root).copied();
        // What stands between the move and a guard would be pulled into the move.
        let between = mover.map(|mover| {
            let others = |at: &usize| nodes[*at].id.root() != root;
            order::after(graph, order::successors(graph, mover).filter(others))
        });
        let waits = |at: &usize| late[*at] || between.as_ref().is_some_and(|between| between[*at]);
        match guard {
            Guard::Rows if members.iter().any(waits) => {}
            // A privilege on a column that is still to come is missed by nobody.
            Guard::Privileges => {
                members.retain(|at| !waits(at));
                members.extend(mover);
            }
            Guard::Rows => members.extend(mover),
        }
        for pair in members.windows(2) {
            units.join(pair[0], pair[1]);
        }
    }
}

/// Disjoint sets of nodes.
struct Units {
    parents: Vec<usize>,
}

impl Units {
    fn new(count: usize) -> Self {
        Self { parents: (0..count).collect() }
    }

    fn find(&mut self, index: usize) -> usize {
        let mut root = index;
        while self.parents[root] != root {
            root = self.parents[root];
        }
        let mut at = index;
        while self.parents[at] != root {
            at = std::mem::replace(&mut self.parents[at], root);
        }
        root
    }

    fn join(&mut self, a: usize, b: usize) {
        let (a, b) = (self.find(a), self.find(b));
        let (low, high) = (a.min(b), a.max(b));
        self.parents[high] = low;
    }

    /// Contracts the units; units that wait for each other become one. Then sorts units and, within, nodes.
    fn sorted(mut self, graph: &Graph, nodes: &[Node]) -> Vec<Vec<usize>> {
        let mut contracted: DiGraph<(), ()> = DiGraph::new();
        let mut unit_of: HashMap<usize, NodeIndex> = HashMap::new();
        let mut of_node = Vec::with_capacity(nodes.len());
        for index in 0..nodes.len() {
            let root = self.find(index);
            let unit = *unit_of.entry(root).or_insert_with(|| contracted.add_node(()));
            of_node.push(unit);
        }
        for edge in graph.raw_edges() {
            let (a, b) = (of_node[edge.source().index()], of_node[edge.target().index()]);
            if a != b {
                contracted.update_edge(a, b, ());
            }
        }
        let components = tarjan_scc(&contracted);
        let mut group_of_unit = HashMap::new();
        for (group, component) in components.iter().enumerate() {
            for unit in component {
                group_of_unit.insert(*unit, group);
            }
        }
        let group_of: Vec<usize> = of_node.iter().map(|unit| group_of_unit[unit]).collect();
        let mut members: Vec<Vec<usize>> = vec![Vec::new(); components.len()];
        for (index, group) in group_of.iter().enumerate() {
            members[*group].push(index);
        }
        let keys: Vec<Key> = nodes.iter().map(key).collect();
        let mut before: Vec<BTreeSet<usize>> = vec![BTreeSet::new(); members.len()];
        let mut before_node: Vec<Vec<usize>> = vec![Vec::new(); nodes.len()];
        for edge in graph.raw_edges() {
            let (a, b) = (edge.source().index(), edge.target().index());
            if group_of[a] == group_of[b] {
                before_node[b].push(a);
            } else {
                before[group_of[b]].insert(group_of[a]);
            }
        }
        for group in &mut members {
            *group = depth_first(group, |index| keys[*index], |index| before_node[*index].clone());
        }
        let group_key: Vec<Option<Key>> =
            members.iter().map(|group| group.iter().map(|index| keys[*index]).min()).collect();
        let all: Vec<usize> = (0..members.len()).collect();
        let order =
            depth_first(&all, |group| group_key[*group], |group| before[*group].iter().copied().collect());
        order.into_iter().map(|group| std::mem::take(&mut members[group])).collect()
    }
}

/// Sorted for reading: by stage, root object, kind, place.
type Key = (u8, ObjectId, bool, Kind, u32, u8, ObjectId);

fn key(node: &Node) -> Key {
    let root = node.id.root();
    let stage = match node.verb {
        _ if root.kind().comes_last() => 4,
        Verb::Drop => 3,
        Verb::Move => 1,
        _ if root.is_schema() => 0,
        _ if node.id.kind().reads_late() && node.verb == Verb::Create => 2,
        // What a new body speaks of is there by then.
        _ if !node.mentions.is_empty() => 2,
        _ => 1,
    };
    let verb = match node.verb {
        Verb::Move => 0,
        Verb::Drop => 1,
        Verb::Create => 2,
        Verb::Alter => 3,
    };
    (stage, root, node.id != root, node.id.kind(), node.place, verb, node.id)
}

/// Visits in the order of keys, prerequisites first. The graph has no cycles.
fn depth_first<K: Ord>(
    all: &[usize],
    key: impl Fn(&usize) -> K,
    before: impl Fn(&usize) -> Vec<usize>,
) -> Vec<usize> {
    let mut sorted: Vec<usize> = all.to_vec();
    sorted.sort_by_cached_key(|index| key(index));
    let members: BTreeSet<usize> = all.iter().copied().collect();
    let mut state: BTreeMap<usize, bool> = BTreeMap::new();
    let mut order = Vec::with_capacity(all.len());
    for start in sorted {
        let mut stack = vec![(start, false)];
        while let Some((index, expanded)) = stack.pop() {
            if expanded {
                if state.insert(index, true) != Some(true) {
                    order.push(index);
                }
                continue;
            }
            if state.contains_key(&index) {
                continue;
            }
            state.insert(index, false);
            stack.push((index, true));
            let mut first: Vec<usize> = before(&index)
                .into_iter()
                .filter(|other| members.contains(other) && !state.contains_key(other))
                .collect();
            first.sort_by_cached_key(|index| key(index));
            stack.extend(first.into_iter().rev().map(|other| (other, false)));
        }
    }
    order
}
