//! The catalog in words that mean it when they are read again, as far as that can be shown without a server.

use crate::normalize;
use schemac_schema::catalog::{Catalog, Standing};
use schemac_schema::fragment::{Fragment, Grammar};
use schemac_schema::id::ObjectId;
use schemac_schema::object::Visitor;
use schemac_schema::reference::Reference;
use schemac_schema::type_name::TypeName;
use schemac_schema::write;
use std::collections::BTreeSet;

/// The catalog with other words where PostgreSQL would not read its own as it wrote them.
pub fn spelled(catalog: &Catalog, version: u32) -> Catalog {
    let mut spelled = catalog.clone();
    let mut changed: BTreeSet<ObjectId> = BTreeSet::new();
    for (id, entry) in spelled.iter_mut().filter(|(_, entry)| entry.standing == Standing::Managed) {
        let mut speller = Speller(false);
        entry.object.visit(&mut speller);
        if speller.0 {
            changed.insert(id);
        }
    }
    if changed.is_empty() {
        return spelled;
    }
    let mut settled = spelled.clone();
    normalize::offline(&mut settled, catalog, version, &[]);
    for id in changed {
        let (Some(settled), Some(stored)) = (settled.get(id), catalog.get(id)) else { continue };
        if settled.object != stored.object {
            if let Some(entry) = spelled.get_mut(id) {
                entry.object = stored.object.clone();
            }
        }
    }
    spelled
}

struct Speller(bool);

impl Visitor for Speller {
    fn fragment(&mut self, _: &str, fragment: &mut Fragment) {
        // A body in a string is kept as it is, letter by letter.
        if fragment.grammar() == Grammar::Body {
            return;
        }
        if let Some(text) = write::spell(fragment.text()) {
            fragment.rewrite(&text);
            self.0 = true;
        }
    }
    fn type_name(&mut self, _: &mut TypeName) {}
    fn reference(&mut self, _: &mut Reference) {}
}
