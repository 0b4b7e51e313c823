//! Order: which statement must come before which. What is committed together is said in `unit`.
//!
//! For steps a and b: (1) a makes X, b uses X in the desired catalog: a first. (2) a uses X in the current catalog, b
//! takes X away or changes it: a first. (3) a frees a name slot, b takes it: a first. Statements are sorted for
//! reading, then disturbed as little as these edges allow.

use super::change::Changes;
use super::node::Node;
use super::{Arrow, Because, Verb};
use petgraph::algo::tarjan_scc;
use petgraph::graph::{DiGraph, NodeIndex};
use schemac_schema::catalog::{Catalog, Standing};
use schemac_schema::code::Code;
use schemac_schema::diagnostic::Diagnostic;
use schemac_schema::id::{ObjectId, Slot};
use schemac_schema::object::Context;
use std::collections::{BTreeSet, HashMap};
use std::fmt;

/// Why one node comes before another.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Edge {
    /// The second uses what the first makes.
    Makes(ObjectId),
    /// The first uses what the second takes away or changes.
    Releases(ObjectId),
    /// The first frees a name that the second takes.
    Frees(Slot),
    /// The parts of one object.
    Part(ObjectId),
    /// The second evaluates a function whose body speaks of what the first makes.
    Speaks(ObjectId),
}

impl fmt::Display for Edge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Edge::Makes(id) => write!(f, "makes {id}"),
            Edge::Releases(id) => write!(f, "lets go of {id}"),
            Edge::Part(id) => write!(f, "is of {id}"),
            Edge::Speaks(id) => write!(f, "runs what speaks of {id}"),
            Edge::Frees(slot) => match slot {
                Slot::Relation(name) | Slot::Type(name) => write!(f, "frees the name {name}"),
                Slot::Routine(name, arguments) => write!(f, "frees the name {name}({arguments})"),
                Slot::On(what, parent, name) => {
                    write!(f, "frees the {what} name {name} on {}", parent.path())
                }
                Slot::Own(id) => write!(f, "frees the name of {id}"),
            },
        }
    }
}

/// The graph of a plan.
pub type Graph = DiGraph<usize, Edge>;

/// Which nodes make, drop and move what.
struct Roles {
    makers: HashMap<ObjectId, Vec<usize>>,
    changers: HashMap<ObjectId, Vec<usize>>,
    droppers: HashMap<ObjectId, usize>,
    movers: HashMap<ObjectId, usize>,
}

fn roles(nodes: &[Node]) -> Roles {
    let mut roles = Roles {
        makers: HashMap::new(),
        changers: HashMap::new(),
        droppers: HashMap::new(),
        movers: HashMap::new(),
    };
    for (index, node) in nodes.iter().enumerate() {
        match node.verb {
            Verb::Create => roles.makers.entry(node.id).or_default().push(index),
            Verb::Alter => {
                roles.makers.entry(node.id).or_default().push(index);
                roles.changers.entry(node.id).or_default().push(index);
            }
            Verb::Move => {
                roles.makers.entry(node.id).or_default().push(index);
                roles.movers.insert(node.id, index);
                for (new, _) in node.along.iter().filter(|(new, until)| new == until) {
                    roles.makers.entry(*new).or_default().push(index);
                    roles.movers.insert(*new, index);
                }
            }
            Verb::Drop => {
                roles.droppers.insert(node.id, index);
                roles.droppers.extend(node.carries.iter().map(|carried| (*carried, index)));
            }
        }
    }
    roles
}

pub(super) fn with_ancestors(id: ObjectId) -> impl Iterator<Item = ObjectId> {
    std::iter::successors(Some(id), |id| id.parent())
}

fn schema_of(id: ObjectId) -> Option<ObjectId> {
    let schema = id.schema()?;
    (!id.is_schema()).then(|| ObjectId::of_schema(schema))
}

/// Builds the graph of what PostgreSQL itself asks for.
pub fn graph(nodes: &[Node], changes: &Changes) -> Graph {
    let roles = roles(nodes);
    let mut edges: BTreeSet<(usize, usize, Edge)> = BTreeSet::new();
    let mut add = |from: usize, to: usize, edge: Edge| {
        if from != to {
            edges.insert((from, to, edge));
        }
    };
    let mut freed: HashMap<Slot, Vec<usize>> = HashMap::new();
    for (index, node) in nodes.iter().enumerate() {
        for slot in &node.frees {
            freed.entry(*slot).or_default().push(index);
        }
    }
    for (index, node) in nodes.iter().enumerate() {
        if node.verb != Verb::Drop {
            // (1) What it uses, what that stands on, and its own parents and schema.
            let own = with_ancestors(node.id).skip(1).chain(schema_of(node.id.root()));
            let used =
                node.uses_desired.iter().flat_map(|used| with_ancestors(*used).chain(schema_of(used.root())));
            for id in own.chain(used) {
                for maker in roles.makers.get(&id).into_iter().flatten() {
                    add(*maker, index, Edge::Makes(id));
                }
            }
            // Its own object moves first, then is changed under its new name.
            if let Some(mover) = roles.movers.get(&node.id) {
                add(*mover, index, Edge::Part(node.id));
            }
        } else {
            // Statements name things as they will be called: what moves, moves first.
            for id in with_ancestors(node.id) {
                if let Some(mover) = roles.movers.get(&id) {
                    add(*mover, index, Edge::Part(id));
                }
            }
            for id in with_ancestors(node.id).skip(1) {
                if let Some(dropper) = roles.droppers.get(&id) {
                    add(index, *dropper, Edge::Part(id));
                }
            }
            // Only what stands on the changed thing itself makes way: a renamed column comes after its table's changes,
            // and the old default goes by the column's new name.
            if let Some(parent) = node.id.parent() {
                for changer in roles.changers.get(&parent).into_iter().flatten() {
                    add(index, *changer, Edge::Releases(parent));
                }
            }
            if let Some(dropper) = schema_of(node.id.root()).and_then(|schema| roles.droppers.get(&schema)) {
                add(index, *dropper, Edge::Releases(node.id));
            }
            // The new one comes after the old one.
            for maker in roles.makers.get(&node.id).into_iter().flatten() {
                if nodes[*maker].verb == Verb::Create {
                    add(index, *maker, Edge::Part(node.id));
                }
            }
        }
        // A routine is called by its argument types: those that move, move first.
        if node.id.root().kind().is_routine() {
            for used in &node.uses_current {
                // One that goes for a parked type is dropped under the name that the type still has.
                let goes_first =
                    |mover: usize| nodes[mover].parked && node.verb == Verb::Drop && !node.parked;
                let mover = roles.movers.get(used).filter(|_| used.kind() != node.id.kind());
                if let Some(mover) = mover.filter(|mover| !goes_first(**mover)) {
                    add(*mover, index, Edge::Makes(*used));
                }
            }
        }
        // (2) Who lets go of something comes before it goes.
        if matches!(node.verb, Verb::Drop | Verb::Alter) {
            for used in &node.uses_current {
                for id in with_ancestors(*used) {
                    if let Some(dropper) = roles.droppers.get(&id) {
                        add(index, *dropper, Edge::Releases(*used));
                    }
                }
                // A routine's arguments are said by their types' names, which a parked type is about to give up.
                if let Some(mover) = roles.movers.get(used).filter(|mover| nodes[**mover].parked) {
                    if node.verb == Verb::Drop && !node.parked {
                        add(index, *mover, Edge::Releases(*used));
                    }
                }
                // What uses members of a whole goes by the names that these have then.
                if node.verb == Verb::Drop && used.kind().has_members() {
                    for changer in roles.changers.get(used).into_iter().flatten() {
                        add(*changer, index, Edge::Part(*used));
                    }
                } else if node.verb == Verb::Drop {
                    // Nothing has to make way for a new value of an enum, and it must be committed first.
                    let adds =
                        |changer: &&usize| nodes[**changer].steps.iter().any(|step| step.impact.ends_segment);
                    for changer in
                        roles.changers.get(used).into_iter().flatten().filter(|changer| !adds(changer))
                    {
                        add(index, *changer, Edge::Releases(*used));
                    }
                }
            }
        }
        for other in &node.after {
            if let Some(gone) = roles.droppers.get(other) {
                add(*gone, index, Edge::Releases(*other));
            }
        }
        // (3) Names.
        for slot in &node.takes {
            for holder in freed.get(slot).into_iter().flatten() {
                // What moves along with the mover is dropped under its new name, afterwards.
                let holds = nodes[*holder].id;
                let along = node.along.iter().any(|(new, _)| *new == holds);
                let own = holds == node.id || holds.is_below(node.id) || along;
                if node.verb != Verb::Move || !own {
                    add(*holder, index, Edge::Frees(*slot));
                }
            }
        }
        // A moved relation leaves a schema that goes away.
        if let (Verb::Move, Because::MovedFrom(from)) = (node.verb, &node.because) {
            if let Some(dropper) = schema_of(from.root()).and_then(|schema| roles.droppers.get(&schema)) {
                add(index, *dropper, Edge::Releases(*from));
            }
        }
    }
    for (user, used) in &changes.letting_go {
        for changer in roles.changers.get(user).into_iter().flatten() {
            let makers = roles.makers.get(used).into_iter().flatten();
            for later in makers.filter(|maker| nodes[**maker].verb != Verb::Move) {
                edges.insert((*changer, *later, Edge::Releases(*used)));
            }
        }
    }
    // What made room comes back when the cause is done.
    for (cause, dependent) in &changes.together {
        let done =
            roles.droppers.get(cause).into_iter().chain(roles.changers.get(cause).into_iter().flatten());
        for done in done {
            for maker in roles.makers.get(dependent).into_iter().flatten() {
                if nodes[*maker].verb == Verb::Create {
                    edges.insert((*done, *maker, Edge::Releases(*cause)));
                }
            }
        }
    }
    let mut graph = Graph::with_capacity(nodes.len(), edges.len());
    for index in 0..nodes.len() {
        graph.add_node(index);
    }
    for (from, to, edge) in edges {
        graph.add_edge(NodeIndex::new(from), NodeIndex::new(to), edge);
    }
    graph
}

/// Which nodes come directly after one.
pub fn successors(graph: &Graph, of: usize) -> impl Iterator<Item = usize> {
    graph.neighbors(NodeIndex::new(of)).map(|next| next.index())
}

/// Which nodes come after some of these, or are some of them.
pub fn after(graph: &Graph, starts: impl Iterator<Item = usize>) -> Vec<bool> {
    let mut seen = vec![false; graph.node_count()];
    let mut open: Vec<usize> = starts.collect();
    while let Some(at) = open.pop() {
        if !std::mem::replace(&mut seen[at], true) {
            open.extend(successors(graph, at));
        }
    }
    seen
}

/// The edges, for people.
pub fn arrows(graph: &Graph, nodes: &[Node]) -> Vec<Arrow> {
    let change = |index: NodeIndex| (nodes[index.index()].verb, nodes[index.index()].id);
    let edges = graph.raw_edges().iter();
    edges
        .map(|edge| Arrow {
            before: change(edge.source()),
            after: change(edge.target()),
            why: edge.weight.clone(),
        })
        .collect()
}

/// What is changed in place in a circle of steps that wait for each other, and can as well be dropped and created: with
/// its two halves apart, what it no longer uses can go before what it will use comes.
pub fn opening(graph: &Graph, nodes: &[Node], context: &Context<'_>) -> Option<ObjectId> {
    let can_go = |node: &&Node| {
        let live = context.current.get(node.id).filter(|live| live.standing == Standing::Managed);
        node.verb == Verb::Alter && live.is_some_and(|live| live.object.nature().rebuildable)
    };
    let circles = tarjan_scc(graph).into_iter().filter(|component| component.len() > 1);
    circles.flatten().map(|index| &nodes[graph[index]]).filter(can_go).map(|node| node.id).min()
}

/// Things that are made of each other (two views that read one another), or a defect: the reasons are shown, and no
/// plan is made.
pub fn refuse_cycles(graph: &Graph, nodes: &[Node], desired: &Catalog, diagnostics: &mut Vec<Diagnostic>) {
    for component in tarjan_scc(graph) {
        if component.len() < 2 {
            continue;
        }
        let mut chain: Vec<String> = Vec::new();
        for from in &component {
            for edge in graph.edges(*from) {
                use petgraph::visit::EdgeRef;
                if component.contains(&edge.target()) && chain.len() < 20 {
                    let (a, b) = (&nodes[graph[*from]], &nodes[graph[edge.target()]]);
                    chain.push(format!(
                        "{} {} before {} {}: {}",
                        a.verb.word(),
                        a.id,
                        b.verb.word(),
                        b.id,
                        edge.weight()
                    ));
                }
            }
        }
        chain.sort();
        let spans = component
            .iter()
            .filter_map(|index| desired.get(nodes[graph[*index]].id.root()).and_then(|entry| entry.span));
        let error = Diagnostic::error(Code::PlanCycle, "these steps wait for each other");
        let mut diagnostic = error.at(spans.min());
        for line in chain {
            diagnostic = diagnostic.with_note(line);
        }
        diagnostics.push(diagnostic);
    }
}
