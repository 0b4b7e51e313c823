//! What bodies that are strings ask of the order: PostgreSQL binds them when they run, so it keeps none of these itself.
//!
//! A body is changed when what it says is true, and before what it said stops being so. These are wishes: where one
//! would close a circle, or where neither body is true on both sides of a move, both are committed together.

use super::Verb;
use super::node::Node;
use super::order::{Edge, Graph};
use crate::relocate::Relocated;
use petgraph::algo::tarjan_scc;
use petgraph::graph::NodeIndex;
use schemac_schema::id::ObjectId;
use schemac_schema::ident::QName;
use std::collections::{BTreeSet, HashMap};

type Wish = (usize, usize, Edge);

/// Adds the edges that bodies wish for; the pairs that are committed together since no order of theirs leaves every
/// client working.
pub fn follow(graph: &mut Graph, nodes: &[Node], relocated: &Relocated) -> Vec<(usize, usize)> {
    let movers: HashMap<ObjectId, usize> = nodes
        .iter()
        .enumerate()
        .filter(|(_, node)| node.verb == Verb::Move)
        .map(|(index, node)| (node.id, index))
        .collect();
    if movers.is_empty() {
        return Vec::new();
    }
    let (mut wishes, mut together) = (Vec::new(), Vec::new());
    names(nodes, &movers, relocated, &mut wishes, &mut together);
    questions(nodes, &movers, relocated, &mut wishes);
    wishes.sort();
    wishes.dedup();
    soften(graph, wishes, &mut together);
    together
}

/// A body calls things as they will be called: until they are, clients go on with the old body. Where the old names go,
/// it is changed before they do, if what it says is true by then.
fn names(
    nodes: &[Node],
    movers: &HashMap<ObjectId, usize>,
    relocated: &Relocated,
    wishes: &mut Vec<Wish>,
    together: &mut Vec<(usize, usize)>,
) {
    let coming: HashMap<QName, (ObjectId, usize)> =
        movers.iter().filter_map(|(id, mover)| Some((id.qname()?, (*id, *mover)))).collect();
    let leaving: HashMap<QName, (ObjectId, usize)> = relocated
        .moves
        .iter()
        .filter_map(|one| Some((one.from.qname()?, (one.to, *movers.get(&one.to)?))))
        .collect();
    // A facade that gives way to what is behind it has its name already.
    let served: BTreeSet<QName> = relocated
        .moves
        .iter()
        .filter(|one| relocated.facade_at(one.to).is_some())
        .filter_map(|one| one.to.qname())
        .collect();
    for (index, node) in nodes.iter().enumerate() {
        let early = node.mentions.iter().all(|name| served.contains(name));
        for (id, mover) in node.lets_go.iter().filter_map(|name| leaving.get(name)) {
            if early {
                wishes.push((index, *mover, Edge::Releases(*id)));
            } else {
                together.push((index, *mover));
            }
        }
        if early && !node.lets_go.is_empty() {
            continue;
        }
        for (id, mover) in node.mentions.iter().filter_map(|name| coming.get(name)) {
            wishes.push((*mover, index, Edge::Makes(*id)));
        }
    }
}

/// What asks for its table's name hears another one after the move.
fn questions(
    nodes: &[Node],
    movers: &HashMap<ObjectId, usize>,
    relocated: &Relocated,
    wishes: &mut Vec<Wish>,
) {
    if nodes.iter().all(|node| node.asks.0 == node.asks.1) {
        return;
    }
    let mut users: HashMap<ObjectId, Vec<(ObjectId, usize)>> = HashMap::new();
    for (id, mover) in movers {
        for below in relocated.catalog.descendants(*id) {
            for used in relocated.catalog.get(below).iter().flat_map(|entry| &entry.uses) {
                users.entry(*used).or_default().push((*id, *mover));
            }
        }
    }
    for (index, node) in nodes.iter().enumerate().filter(|(_, node)| node.asks.0 != node.asks.1) {
        for (id, mover) in users.get(&node.id).into_iter().flatten() {
            wishes.push(if node.asks.0 {
                (index, *mover, Edge::Releases(*id))
            } else {
                (*mover, index, Edge::Makes(*id))
            });
        }
    }
}

fn soften(graph: &mut Graph, wishes: Vec<Wish>, together: &mut Vec<(usize, usize)>) {
    let added: Vec<_> = wishes
        .into_iter()
        .filter(|(from, to, _)| from != to)
        .map(|(from, to, edge)| (from, to, graph.add_edge(NodeIndex::new(from), NodeIndex::new(to), edge)))
        .collect();
    let mut circle = vec![0; graph.node_count()];
    for (number, component) in tarjan_scc(&*graph).into_iter().enumerate() {
        for node in component {
            circle[node.index()] = number;
        }
    }
    let closing: BTreeSet<_> =
        added.iter().filter(|(from, to, _)| circle[*from] == circle[*to]).map(|(.., edge)| *edge).collect();
    together
        .extend(added.iter().filter(|(.., edge)| closing.contains(edge)).map(|(from, to, _)| (*from, *to)));
    graph.retain_edges(|_, edge| !closing.contains(&edge));
}
