//! What touched objects lean on without being touched themselves, as deep as it goes: what policies, triggers, defaults and
//! queries call and read, what that calls and reads, the types of all of it, and the schemas that the touched are in.
//!
//! Bodies that are strings bind to nothing, so what they speak of counts as used: one too many is no harm, one too few is.
//! Of a table that is only read, what decides about its rows is kept, and not its indexes. Not here: what became of it
//! since (`verify`).

use crate::plan;
use schemac_schema::catalog::{Catalog, Standing};
use schemac_schema::id::ObjectId;
use schemac_schema::ident::Ident;
use schemac_schema::keep::Kept;
use std::collections::BTreeSet;

/// What these objects lean on; each object once, with what stands on it.
pub(super) fn of(
    touched: &BTreeSet<ObjectId>,
    objects: &[Kept],
    catalog: &Catalog,
    search_path: &[Ident],
) -> Vec<Kept> {
    // What belongs to somebody else changes as they please.
    let ours = |root: ObjectId| {
        let kept = catalog.get(root).is_some_and(|entry| entry.standing != Standing::External);
        kept && !touched.contains(&root)
    };
    let mut roots: BTreeSet<ObjectId> = objects
        .iter()
        .filter_map(|kept| kept.id.schema())
        .map(ObjectId::of_schema)
        .filter(|schema| ours(*schema))
        .collect();
    let mut kept: BTreeSet<ObjectId> = roots.iter().flat_map(|root| whole(catalog, *root)).collect();
    let mut open: Vec<ObjectId> = objects.iter().map(|kept| kept.id).collect();
    while let Some(id) = open.pop() {
        for root in used(id, catalog, search_path) {
            if !ours(root) || !roots.insert(root) {
                continue;
            }
            let mut whole = whole(catalog, root);
            whole.retain(|id| counts(*id));
            open.extend(whole.iter().copied());
            kept.extend(whole);
        }
    }
    kept.into_iter().filter_map(|id| Some(Kept::of(id, catalog.get(id)?))).collect()
}

/// Whether it plays a part what an object is that others lean on: not everything does that stands on a table.
pub fn counts(id: ObjectId) -> bool {
    id.kind().matters_to_users(id.root().kind())
}

fn whole(catalog: &Catalog, root: ObjectId) -> Vec<ObjectId> {
    catalog.descendants(root).into_iter().chain([root]).collect()
}

/// The outermost objects that one object calls, reads or stores values of.
fn used(id: ObjectId, catalog: &Catalog, search_path: &[Ident]) -> BTreeSet<ObjectId> {
    let Some(entry) = catalog.get(id) else { return BTreeSet::new() };
    let reads = id.kind().reads_rows();
    let bound = entry.uses.iter().map(|used| used.root());
    let mut all: BTreeSet<ObjectId> = bound.filter(|root| reads || !root.kind().holds_rows()).collect();
    all.retain(|root| root.kind().is_leaned_on());
    for name in plan::mentions(id, search_path, catalog) {
        let named = catalog.relation(name).map(ObjectId::root).into_iter();
        let named: Vec<ObjectId> = named.chain(catalog.routines(name).iter().copied()).collect();
        // What is bound only when it runs is found in a schema that the caller may enter.
        let schema = (!named.is_empty()).then(|| ObjectId::of_schema(name.schema));
        all.extend(named.into_iter().filter(|root| root.kind().is_leaned_on()).chain(schema));
    }
    all
}
