//! As whom a view reads and writes what is behind it: whether its users get past row-level security.

use super::View;
use crate::catalog::Catalog;
use crate::id::ObjectId;
use crate::kinds::trigger::When;
use crate::object::{Kind, Object};
use std::collections::BTreeSet;

impl View {
    /// Whether what is behind it is reached as who uses it, and not as its owner (PostgreSQL 15).
    pub fn is_invoker(&self) -> bool {
        // As PostgreSQL's parse_bool reads it; a prefix is enough for it.
        self.options.0.iter().any(|(name, value)| {
            let value = value.as_str().to_ascii_lowercase();
            let on = value == "on" || value == "1";
            let long = ["true", "yes"].iter().any(|word| !value.is_empty() && word.starts_with(&value));
            name.as_str() == "security_invoker" && (on || long)
        })
    }
}

/// The tables with row-level security that users of a view reach as somebody else: through the view as its owner, or
/// through a SECURITY DEFINER function that one of its INSTEAD OF triggers calls.
pub fn bypassed(catalog: &Catalog, id: ObjectId) -> BTreeSet<ObjectId> {
    let Some(Object::View(view)) = catalog.get(id).map(|entry| &entry.object) else {
        return BTreeSet::new();
    };
    let definer = catalog.children_of(id, Kind::Trigger).any(|trigger| calls_definer(catalog, trigger));
    if view.is_invoker() && !definer {
        return BTreeSet::new();
    }
    let (mut seen, mut found) = (BTreeSet::from([id]), BTreeSet::new());
    let mut open = vec![id];
    while let Some(relation) = open.pop() {
        let Some(entry) = catalog.get(relation) else { continue };
        match &entry.object {
            Object::Table(table) if table.rls => drop(found.insert(relation)),
            // Another view that reads as its owner opens what it opens, whoever uses it.
            Object::View(view) if relation == id || view.is_invoker() => {
                let used = entry.uses.iter().map(|used| used.root());
                open.extend(used.filter(|used| used.kind().is_relation() && seen.insert(*used)));
            }
            _ => {}
        }
    }
    found
}

fn calls_definer(catalog: &Catalog, trigger: ObjectId) -> bool {
    let Some(Object::Trigger(trigger)) = catalog.get(trigger).map(|entry| &entry.object) else {
        return false;
    };
    let Some(name) = trigger.function.qname().filter(|_| trigger.when == When::InsteadOf) else {
        return false;
    };
    catalog.routines(name).iter().any(|routine| {
        matches!(catalog.get(*routine).map(|entry| &entry.object),
            Some(Object::Function(function)) if function.attributes.definer)
    })
}
