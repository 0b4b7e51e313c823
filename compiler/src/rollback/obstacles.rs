//! What stands in the way back since, or would be left behind by it: names that are taken or forsaken, a schema that is
//! published, what others own.
//!
//! Each is a reason in words, and a refusal before anything runs. Not here: what differs from what an apply left.

use super::Target;
use crate::plan::{self, Plan, Verb};
use crate::relocate::Relocated;
use crate::state::{Unavailable, pinned};
use postgres::{Client, SimpleQueryMessage};
use schemac_schema::catalog::Catalog;
use schemac_schema::id::{ObjectId, Slot};
use schemac_schema::ident::{Ident, QName};
use schemac_schema::object::slots;
use schemac_schema::sql;
use std::collections::{BTreeMap, BTreeSet, HashMap};

impl Target {
    /// Names that what goes back shall have, and that somebody else has taken since.
    pub(super) fn taken(&self, reasons: &mut Vec<String>) {
        let back: BTreeSet<ObjectId> = self.moves.iter().map(|(_, then)| then.root()).collect();
        let mut holders: HashMap<Slot, ObjectId> = HashMap::new();
        for (id, entry) in self.state.iter() {
            // What comes along has a name too: the sequence of an identity column.
            let along = entry.object.slots(id).into_iter();
            let along = along.filter(|slot| matches!(slot, Slot::Relation(_) | Slot::Type(_) | Slot::Own(_)));
            for slot in slots(id).into_iter().chain(along) {
                let Some(other) = holders.insert(slot, id).filter(|other| *other != id) else { continue };
                let (theirs, ours) = if back.contains(&id.root()) { (other, id) } else { (id, other) };
                if back.contains(&ours.root()) {
                    reasons.push(format!("{theirs} has the name that {ours} goes back to"));
                }
            }
        }
    }

    /// Bodies that PostgreSQL binds only when they run, and that name what will be called otherwise.
    pub(super) fn forsaken(&self, reasons: &mut Vec<String>) {
        let names: BTreeSet<QName> = self.state.ids().filter_map(|id| id.qname()).collect();
        let gone: BTreeSet<QName> = self
            .moves
            .iter()
            .filter_map(|(now, _)| now.qname())
            .filter(|name| !names.contains(name))
            .collect();
        for id in self.state.ids() {
            let named = plan::mentions(id, &[], &self.state);
            if let Some(name) = named.iter().find(|name| gone.contains(*name)) {
                reasons.push(format!("{id} names {name}, which nothing is called afterwards"));
            }
        }
    }

    /// What tells subscribers of all tables of a schema that goes: it would go on without it, and nobody would notice.
    pub(super) fn published(&self, now: &Catalog, reasons: &mut Vec<String>) {
        let goes = |id: &ObjectId| id.is_schema() && now.contains(*id) && !self.state.contains(*id);
        for (id, entry) in self.state.iter().filter(|(id, _)| id.kind().tells_subscribers()) {
            let mut uses = Vec::new();
            entry.object.uses(id, now, &mut uses);
            if let Some(schema) = uses.iter().find(|used| goes(used)) {
                reasons.push(format!("{id} holds the tables of {schema}, which goes"));
            }
        }
    }
}

/// What the plan moves or changes and the role of the connection may not: it belongs to others.
pub(super) fn not_ours(
    client: &mut Client,
    plan: &Plan,
    relocated: &Relocated,
) -> Result<Vec<String>, Unavailable> {
    let mut owned: BTreeMap<Ident, BTreeSet<ObjectId>> = BTreeMap::new();
    for step in plan.steps().filter(|step| matches!(step.verb, Verb::Move | Verb::Alter)) {
        let root = step.object.root();
        let now = relocated.was.get(&root).copied().unwrap_or(root);
        let owner = relocated.before().get(now).and_then(|entry| entry.object.owner());
        if let Some(owner) = owner {
            owned.entry(owner).or_default().insert(now);
        }
    }
    if owned.is_empty() {
        return Ok(Vec::new());
    }
    let names: Vec<String> = owned.keys().map(|owner| sql::literal(owner.as_str())).collect();
    let question = format!(
        "SELECT r.rolname FROM pg_catalog.pg_roles r WHERE r.rolname IN ({}) \
         AND NOT pg_catalog.pg_has_role(r.oid, 'USAGE') ORDER BY 1",
        names.join(", ")
    );
    let mut reasons = Vec::new();
    for message in pinned(client, &question)? {
        let SimpleQueryMessage::Row(row) = message else { continue };
        let owner = Ident::new(row.get(0).unwrap_or_default());
        let theirs = owned.get(&owner).into_iter().flatten();
        reasons.extend(theirs.map(|id| {
            format!("{id} belongs to {owner}, and the role of this connection may not move or change it")
        }));
    }
    Ok(reasons)
}
