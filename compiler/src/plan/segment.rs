//! Segments: what is committed together.
//!
//! A segment is the smallest unit that leaves every client working. Neighbours are joined while that costs nobody
//! anything: at most one existing relation is locked, and nothing is scanned behind an ACCESS EXCLUSIVE lock.

use super::node::Node;
use super::{PlannedStep, Segment, Verb};
use crate::relocate::Relocated;
use schemac_schema::catalog::Catalog;
use schemac_schema::id::ObjectId;
use schemac_schema::step::{Impact, Lock};
use std::collections::BTreeSet;

/// What a group of nodes does to others while it runs.
#[derive(Default)]
struct Footprint {
    locked: BTreeSet<ObjectId>,
    exclusive: bool,
    scans: bool,
    alone: bool,
    ends: bool,
}

fn footprint(nodes: &[&Node], current: &Catalog) -> Footprint {
    let mut footprint = Footprint::default();
    for impact in nodes.iter().flat_map(|node| &node.steps).map(|step| &step.impact) {
        if let Some((relation, lock)) = impact.lock.filter(|(relation, _)| current.contains(*relation)) {
            footprint.locked.insert(relation);
            footprint.exclusive |= lock == Lock::AccessExclusive;
        }
        footprint.scans |= impact.scans || impact.rewrites;
        footprint.alone |= impact.outside_transaction;
        footprint.ends |= impact.ends_segment;
    }
    footprint
}

impl Footprint {
    fn can_join(&self, next: &Footprint) -> bool {
        if self.alone || next.alone || self.ends {
            return false;
        }
        let together: BTreeSet<ObjectId> = self.locked.union(&next.locked).copied().collect();
        together.len() <= 1 && !(self.exclusive && next.scans) && !(self.scans && next.exclusive)
    }

    fn join(&mut self, next: Footprint) {
        self.locked.extend(next.locked);
        self.exclusive |= next.exclusive;
        self.scans |= next.scans;
        self.alone |= next.alone;
        self.ends |= next.ends;
    }
}

/// Cuts groups into segments.
pub fn segments(
    groups: &[Vec<usize>],
    nodes: &[Node],
    relocated: &Relocated,
    planned: impl Fn(&Node) -> Vec<PlannedStep>,
) -> Vec<Segment> {
    let current = &relocated.catalog;
    let mut segments: Vec<(Footprint, Vec<&Node>)> = Vec::new();
    for group in groups {
        let members: Vec<&Node> = group.iter().map(|index| &nodes[*index]).collect();
        let next = footprint(&members, current);
        match segments.last_mut() {
            Some((last, all)) if last.can_join(&next) => {
                last.join(next);
                all.extend(members);
            }
            _ => segments.push((next, members)),
        }
    }
    // A relation goes by its old name until the segment that moves it.
    let mut moved: BTreeSet<ObjectId> = BTreeSet::new();
    segments
        .into_iter()
        .map(|(footprint, members)| {
            let steps: Vec<PlannedStep> = members.iter().flat_map(|node| planned(node)).collect();
            let locks = locks(&steps, relocated, &moved);
            moved.extend(members.iter().filter(|node| node.verb == Verb::Move).map(|node| node.id));
            Segment { steps, transactional: !footprint.alone, locks }
        })
        .collect()
}

/// The relations to lock first: those that the segment takes ACCESS EXCLUSIVE and that exist, by their names of then.
/// Of views those that stand on nothing else: clients hold a facade while they wait for its table.
fn locks(steps: &[PlannedStep], relocated: &Relocated, moved: &BTreeSet<ObjectId>) -> Vec<ObjectId> {
    let exclusive = |impact: &Impact| impact.lock.filter(|(_, lock)| *lock == Lock::AccessExclusive);
    let taken = || steps.iter().filter_map(|step| exclusive(&step.impact)).map(|(relation, _)| relation);
    let tables: BTreeSet<ObjectId> = taken()
        .filter(|relation| relation.kind().is_lockable() && relocated.catalog.contains(*relation))
        .collect();
    let stands_on_them = |view: &ObjectId| {
        relocated.catalog.get(*view).is_some_and(|entry| {
            let mut below =
                entry.uses.iter().map(|used| used.root()).filter(|used| used.kind().is_relation());
            below.clone().next().is_some() && below.all(|used| tables.contains(&used))
        })
    };
    let views = taken().filter(|view| view.kind().is_view() && view.kind().can_be_locked());
    let found: BTreeSet<ObjectId> = views
        .filter(stands_on_them)
        .chain(tables.iter().copied())
        .map(|relation| match relocated.was.get(&relation) {
            Some(was) if !moved.contains(&relation) => *was,
            _ => relation,
        })
        .collect();
    found.into_iter().collect()
}
