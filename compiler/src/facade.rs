//! What the old names of a plan would open: row-level security that does not bind whoever uses a facade.
//!
//! It is a loss like others, and refused until it is allowed by name. What the facades are is said where they are
//! declared; here only what they mean for the plan.

use crate::plan::{Plan, PlannedStep, Verb};
use schemac_schema::catalog::Catalog;
use schemac_schema::declare::Facade;
use schemac_schema::declare::facade;
use schemac_schema::id::ObjectId;
use schemac_schema::kinds::view::bypassed;
use schemac_schema::step::Loss;
use std::collections::BTreeSet;

/// Brings the columns of the facades into the order in which clients know them; before names are bound.
pub fn arrange(facades: &mut [Facade], current: &Catalog, desired: &mut Catalog) {
    for facade in facades {
        if let Some(shape) = &mut facade.shape {
            facade::arrange(facade.id, facade.of, shape, current, desired);
        }
    }
}

/// Adds the loss to the steps by which a facade comes to read or write past row-level security.
pub fn guard(plan: &mut Plan, facades: &[Facade], current: &Catalog, desired: &Catalog) {
    for facade in facades {
        let id = facade.id;
        let after = bypassed(desired, id);
        // What is open already is not opened by this plan.
        let before = if after.is_empty() { BTreeSet::new() } else { bypassed(current, id) };
        let opened: BTreeSet<ObjectId> = after.difference(&before).copied().collect();
        if opened.is_empty() {
            continue;
        }
        let comes = |step: &PlannedStep| step.object == id && step.verb != Verb::Drop;
        // The facade is there and stays, and its table gets policies, or its triggers another function.
        let changes = |step: &PlannedStep| step.object.root() == id || opened.contains(&step.object);
        let chosen = plan.steps().position(comes).or_else(|| plan.steps().position(changes)).unwrap_or(0);
        let step = plan.segments.iter_mut().flat_map(|segment| &mut segment.steps).nth(chosen);
        if let Some(step) = step {
            step.impact.loses.push((Loss::FacadeBypassesRls, id));
        }
    }
}
