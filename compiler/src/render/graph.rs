//! Dependencies as a drawing: of what a project declares, or of the steps of a plan, in DOT or mermaid.

use crate::plan::{Plan, Verb};
use schemac_schema::catalog::Catalog;
use schemac_schema::id::ObjectId;
use std::collections::{BTreeMap, BTreeSet};

/// Boxes and arrows, each with words, in a fixed order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Graph {
    boxes: Vec<String>,
    arrows: Vec<(usize, usize, String)>,
}

/// The whole objects of a catalog; an arrow runs from what uses to what is used, and says by which of its parts.
pub fn project(catalog: &Catalog) -> Graph {
    let roots: BTreeSet<ObjectId> = catalog.ids().map(ObjectId::root).collect();
    let mut arrows: BTreeMap<(ObjectId, ObjectId), BTreeSet<&str>> = BTreeMap::new();
    for (id, entry) in catalog.iter() {
        for used in entry.uses.iter().map(|used| used.root()) {
            if used != id.root() && roots.contains(&used) {
                arrows.entry((id.root(), used)).or_default().insert(id.kind().word());
            }
        }
    }
    let place: BTreeMap<ObjectId, usize> = roots.iter().enumerate().map(|(place, id)| (*id, place)).collect();
    Graph {
        boxes: roots.iter().map(ToString::to_string).collect(),
        arrows: arrows
            .into_iter()
            .map(|((from, to), by)| (place[&from], place[&to], by.into_iter().collect::<Vec<_>>().join(", ")))
            .collect(),
    }
}

/// The changes of a plan in the order in which they run; an arrow runs from what comes first to what waits for it, and
/// says why.
pub fn plan(plan: &Plan) -> Graph {
    let mut place: BTreeMap<(Verb, ObjectId), usize> = BTreeMap::new();
    let mut boxes = Vec::new();
    for step in plan.steps() {
        place.entry((step.verb, step.object)).or_insert_with(|| {
            boxes.push(super::action(step));
            boxes.len() - 1
        });
    }
    let mut arrows: BTreeMap<(usize, usize), BTreeSet<String>> = BTreeMap::new();
    for arrow in &plan.arrows {
        if let (Some(from), Some(to)) = (place.get(&arrow.before), place.get(&arrow.after)) {
            arrows.entry((*from, *to)).or_default().insert(arrow.why.to_string());
        }
    }
    let arrows = arrows
        .into_iter()
        .map(|((from, to), why)| (from, to, why.into_iter().collect::<Vec<_>>().join("; ")));
    Graph { boxes, arrows: arrows.collect() }
}

impl Graph {
    /// For Graphviz.
    pub fn dot(&self) -> String {
        let quoted =
            |text: &str| format!("\"{}\"", super::one_line(text).replace('\\', "\\\\").replace('"', "\\\""));
        let mut out = String::from("digraph schemac {\n  rankdir=LR;\n  node [shape=box];\n");
        for (place, label) in self.boxes.iter().enumerate() {
            out.push_str(&format!("  n{place} [label={}];\n", quoted(label)));
        }
        for (from, to, why) in &self.arrows {
            out.push_str(&format!("  n{from} -> n{to} [label={}];\n", quoted(why)));
        }
        out.push_str("}\n");
        out
    }

    /// For what draws mermaid: many forges and editors do, in Markdown.
    pub fn mermaid(&self) -> String {
        // What is special to mermaid or HTML goes by its number.
        let quoted = |text: &str| {
            let plain = |c: char| c.is_alphanumeric() || " .,:;_()-".contains(c);
            let escaped = |c: char| if plain(c) { c.to_string() } else { format!("#{};", u32::from(c)) };
            format!("\"{}\"", super::one_line(text).chars().map(escaped).collect::<String>())
        };
        let mut out = String::from("flowchart LR\n");
        for (place, label) in self.boxes.iter().enumerate() {
            out.push_str(&format!("  n{place}[{}]\n", quoted(label)));
        }
        for (from, to, why) in &self.arrows {
            out.push_str(&format!("  n{from} -->|{}| n{to}\n", quoted(why)));
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::Edge;
    use crate::plan::{Arrow, Because, PlannedStep, Segment};
    use schemac_schema::ident::QName;
    use schemac_schema::object::Kind;
    use schemac_schema::step::Impact;

    #[test]
    fn reasons_stand_on_the_arrows_and_hostile_names_stay_inside_their_quotes() {
        let table = ObjectId::in_schema(Kind::Table, QName::new("app", "t"));
        let view = ObjectId::in_schema(Kind::View, QName::new("app", "v\"]\n x"));
        let step = |object| PlannedStep {
            object,
            verb: Verb::Create,
            sql: String::new(),
            impact: Impact::default(),
            because: Because::Declared,
            span: None,
            texts: None,
        };
        let segment =
            Segment { steps: vec![step(table), step(view)], transactional: true, locks: Vec::new() };
        let arrow =
            Arrow { before: (Verb::Create, table), after: (Verb::Create, view), why: Edge::Makes(table) };
        let plan = Plan { segments: vec![segment], arrows: vec![arrow.clone(), arrow], ..Plan::default() };
        let graph = super::plan(&plan);
        assert_eq!(
            graph.dot(),
            "digraph schemac {\n  rankdir=LR;\n  node [shape=box];\n  n0 [label=\"create table app.t\"];\n  \
             n1 [label=\"create view app.v\\\"]\u{fffd} x\"];\n  n0 -> n1 [label=\"makes table app.t\"];\n}\n"
        );
        assert_eq!(
            graph.mermaid(),
            "flowchart LR\n  n0[\"create table app.t\"]\n  n1[\"create view app.v#34;#93;#65533; x\"]\n  \
             n0 -->|\"makes table app.t\"| n1\n"
        );
    }
}
