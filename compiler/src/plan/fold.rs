//! Gathers what stands in a new table's parentheses: columns, defaults, checks and keys become one CREATE TABLE.
//!
//! Folding must not make a cycle: a default that calls a function over the new table's row type stays apart.

use super::change::Changes;
use super::node::Node;
use super::order::{self, Graph};
use petgraph::algo::tarjan_scc;
use schemac_schema::id::ObjectId;
use schemac_schema::sql::Sql;
use schemac_schema::step::{ELEMENTS, Element, Step};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// Folds elements into their tables' statements.
pub fn fold(nodes: Vec<Node>, changes: &Changes) -> Vec<Node> {
    let nodes = columns_with_defaults(nodes);
    let tables: HashMap<ObjectId, usize> = nodes
        .iter()
        .enumerate()
        .filter(|(_, node)| node.takes_elements())
        .map(|(index, node)| (node.id, index))
        .collect();
    if tables.is_empty() {
        return nodes;
    }
    let mut into: BTreeMap<usize, usize> = BTreeMap::new();
    for (index, node) in nodes.iter().enumerate() {
        if let Some(table) = tables.get(&node.id.root()).filter(|_| node.is_element()) {
            into.insert(index, *table);
        }
    }
    let graph = order::graph(&nodes, changes);
    // What would wait for the table it stands in is taken out again, until nothing does.
    while let Some(stuck) = waiting(&graph, &into) {
        into.retain(|index, table| {
            !(stuck.contains(index) && stuck.contains(table)) || is_plain(&nodes[*index])
        });
        if into.iter().all(|(index, _)| is_plain(&nodes[*index])) {
            break;
        }
    }
    // Words behind a column need the column there.
    let columns: BTreeSet<ObjectId> = into.keys().map(|index| nodes[*index].id).collect();
    into.retain(|index, _| match nodes[*index].steps.first().and_then(|step| step.element.as_ref()) {
        Some(Element::Suffix(column, _)) => columns.contains(column),
        _ => true,
    });
    assemble(nodes, &into)
}

/// A new column of an existing table comes with its default: the rows that are there get it too.
fn columns_with_defaults(nodes: Vec<Node>) -> Vec<Node> {
    let columns: HashMap<ObjectId, usize> = nodes
        .iter()
        .enumerate()
        .filter(|(_, node)| {
            matches!(node.steps.first().and_then(|step| step.element.as_ref()), Some(Element::Item(_)))
        })
        .filter(|(_, node)| node.is_element())
        .map(|(index, node)| (node.id, index))
        .collect();
    let mut joined: HashMap<usize, Vec<Node>> = HashMap::new();
    let mut rest: Vec<(usize, Node)> = Vec::new();
    for (index, node) in nodes.into_iter().enumerate() {
        let of = match node.steps.first().and_then(|step| step.element.as_ref()) {
            Some(Element::Suffix(column, _)) if node.is_element() => columns.get(column).copied(),
            _ => None,
        };
        match of {
            Some(column) => joined.entry(column).or_default().push(node),
            None => rest.push((index, node)),
        }
    }
    rest.into_iter()
        .map(|(index, mut node)| {
            for default in joined.remove(&index).unwrap_or_default() {
                join(&mut node, default);
            }
            node
        })
        .collect()
}

fn join(column: &mut Node, default: Node) {
    let mut steps = default.steps.into_iter();
    if let (Some(first), Some(Step { element: Some(Element::Suffix(_, words)), .. })) =
        (column.steps.first_mut(), steps.next())
    {
        first.sql.push(' ');
        first.sql.push_str(words.text());
        if let Some(Element::Item(item)) = &mut first.element {
            item.kw(" ").tight().sql(&words);
        }
    }
    column.steps.extend(steps);
    column.uses_desired.extend(default.uses_desired);
    column.takes.extend(default.takes);
}

/// Whether a node can wait for nothing but its table: a column of a built-in type.
fn is_plain(node: &Node) -> bool {
    node.uses_desired.is_empty()
}

/// The members of cycles that the contraction makes.
fn waiting(graph: &Graph, into: &BTreeMap<usize, usize>) -> Option<BTreeSet<usize>> {
    let home = |index: usize| into.get(&index).copied().unwrap_or(index);
    let mut contracted = petgraph::graph::DiGraph::<usize, ()>::new();
    let places: Vec<_> = graph.node_indices().map(|node| contracted.add_node(node.index())).collect();
    for edge in graph.raw_edges() {
        let (a, b) = (home(edge.source().index()), home(edge.target().index()));
        if a != b {
            contracted.update_edge(places[a], places[b], ());
        }
    }
    let stuck: BTreeSet<usize> = tarjan_scc(&contracted)
        .into_iter()
        .filter(|component| component.len() > 1)
        .flatten()
        .map(|node| contracted[node])
        .collect();
    if stuck.is_empty() {
        return None;
    }
    // A stuck table stands for everything folded into it.
    let mut all = stuck.clone();
    all.extend(into.iter().filter(|(_, table)| stuck.contains(table)).map(|(index, _)| *index));
    Some(all)
}

fn assemble(nodes: Vec<Node>, into: &BTreeMap<usize, usize>) -> Vec<Node> {
    let mut items: HashMap<usize, Vec<(u8, u32, ObjectId, Sql)>> = HashMap::new();
    let mut suffixes: HashMap<ObjectId, Vec<Sql>> = HashMap::new();
    let mut rest: HashMap<usize, Vec<(ObjectId, Step)>> = HashMap::new();
    let mut joined: HashMap<usize, (BTreeSet<ObjectId>, Vec<schemac_schema::id::Slot>)> = HashMap::new();
    for (index, table) in into {
        let node = &nodes[*index];
        let (uses, takes) = joined.entry(*table).or_default();
        uses.extend(node.uses_desired.iter().copied());
        takes.extend(node.takes.iter().copied());
        for step in &node.steps {
            match &step.element {
                Some(Element::Item(sql)) => {
                    // Columns in their order, then constraints.
                    let band = u8::from(node.place == 0);
                    items.entry(*table).or_default().push((band, node.place, node.id, sql.clone()));
                }
                Some(Element::Suffix(column, sql)) => suffixes.entry(*column).or_default().push(sql.clone()),
                None => rest.entry(*table).or_default().push((node.id, step.clone())),
            }
        }
    }
    let mut out = Vec::with_capacity(nodes.len() - into.len());
    for (index, mut node) in nodes.into_iter().enumerate() {
        if into.contains_key(&index) {
            continue;
        }
        if node.takes_elements() {
            let mut elements = items.remove(&index).unwrap_or_default();
            elements.sort_by_key(|(band, place, id, _)| (*band, *place, *id));
            let lines: Vec<Sql> = elements
                .into_iter()
                .map(|(_, _, id, mut sql)| {
                    for suffix in suffixes.remove(&id).unwrap_or_default() {
                        sql.sql(&suffix);
                    }
                    sql
                })
                .collect();
            let mut block = Sql::default();
            block.lines(&lines);
            if let Some(first) = node.steps.first_mut() {
                first.sql = first.sql.replacen(ELEMENTS, block.text(), 1);
            }
            let mut later = rest.remove(&index).unwrap_or_default();
            later.sort_by_key(|(id, _)| *id);
            node.steps.splice(1..1, later.into_iter().map(|(_, step)| step));
            if let Some((uses, takes)) = joined.remove(&index) {
                node.uses_desired.extend(uses.into_iter().filter(|used| used.root() != node.id));
                node.takes.extend(takes);
            }
        }
        out.push(node);
    }
    out
}
