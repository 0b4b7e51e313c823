//! What runs while the plan runs: a check, an index or a materialized view evaluates functions whose bodies are strings
//! to PostgreSQL, so that nothing else says what they need.
//!
//! These edges order where they can and never make a cycle. What a body speaks of is read off its words (`node`).

use super::Verb;
use super::node::Node;
use super::order::{self, Edge, Graph};
use petgraph::graph::NodeIndex;
use schemac_schema::id::ObjectId;
use schemac_schema::ident::QName;
use std::collections::{BTreeSet, HashMap};

/// Adds an edge from whatever makes what a body speaks of, also through other bodies, to what evaluates it.
pub fn soften(graph: &mut Graph, nodes: &[Node]) {
    let mut routines: HashMap<ObjectId, usize> = HashMap::new();
    let mut made: HashMap<QName, Vec<usize>> = HashMap::new();
    for (index, node) in nodes.iter().enumerate().filter(|(_, node)| node.verb != Verb::Drop) {
        let root = node.id.root();
        if root.kind().is_routine() && node.id == root && node.verb != Verb::Move {
            routines.insert(root, index);
        }
        if node.id == root || node.id.kind().is_evaluated() {
            if let Some(name) = root.qname() {
                made.entry(name).or_default().push(index);
            }
        }
    }
    if routines.values().all(|routine| nodes[*routine].speaks.is_empty()) {
        return;
    }
    for (index, node) in nodes.iter().enumerate() {
        if node.verb == Verb::Drop || !node.id.kind().is_evaluated() {
            continue;
        }
        let makers = makers(node, nodes, &routines, &made);
        if makers.iter().all(|maker| *maker == index) {
            continue;
        }
        let later = order::after(graph, std::iter::once(index));
        for maker in makers.into_iter().filter(|maker| *maker != index && !later[*maker]) {
            let edge = Edge::Speaks(nodes[maker].id);
            graph.add_edge(NodeIndex::new(maker), NodeIndex::new(index), edge);
        }
    }
}

/// What makes something that a body speaks of which a node evaluates.
fn makers(
    node: &Node,
    nodes: &[Node],
    routines: &HashMap<ObjectId, usize>,
    made: &HashMap<QName, Vec<usize>>,
) -> BTreeSet<usize> {
    let mut found = BTreeSet::new();
    let mut seen: BTreeSet<usize> = BTreeSet::new();
    let mut open: Vec<usize> =
        node.uses_desired.iter().filter_map(|used| routines.get(used)).copied().collect();
    while let Some(routine) = open.pop() {
        if !seen.insert(routine) {
            continue;
        }
        for maker in nodes[routine].speaks.iter().filter_map(|name| made.get(name)).flatten() {
            found.insert(*maker);
            open.extend(routines.get(&nodes[*maker].id));
        }
    }
    found
}
