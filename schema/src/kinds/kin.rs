//! Who has its columns from whom, who refers to whom, and what columns own: a catalog's tables, foreign keys and sequences
//! the other way round, found once for many questions.

use super::table;
use crate::catalog::Catalog;
use crate::id::ObjectId;
use crate::ident::Known;
use crate::object::Object;

/// The children of tables, what refers to tables, and what columns own.
#[derive(Clone, Debug, Default)]
pub struct Kin {
    children: Known<ObjectId, Vec<ObjectId>>,
    referrers: Known<ObjectId, Vec<ObjectId>>,
    owned: Known<ObjectId, Vec<(ObjectId, ObjectId)>>,
}

impl Kin {
    /// Goes through a catalog once.
    pub fn of(catalog: &Catalog) -> Self {
        let mut kin = Self::default();
        for (id, entry) in catalog.iter() {
            match &entry.object {
                Object::Table(_) => {
                    for parent in table::parents(catalog, id) {
                        kin.children.entry(parent).or_default().push(id);
                    }
                }
                Object::ForeignKey(key) => {
                    let target = key.target.qname().and_then(|name| catalog.relation(name));
                    if let Some(target) = target {
                        kin.referrers.entry(target).or_default().push(id);
                    }
                }
                _ => {}
            }
            if let Some(owned) = id.parent().filter(|_| entry.object.takes_along()) {
                for used in &entry.uses {
                    kin.owned.entry(used.root()).or_default().push((*used, owned));
                }
            }
        }
        kin
    }

    /// The tables that have their columns directly from one: its partitions, or those that inherit from it.
    pub fn children(&self, of: ObjectId) -> &[ObjectId] {
        self.children.get(&of).map_or(&[], Vec::as_slice)
    }

    /// The foreign keys that refer to a table.
    pub fn referrers(&self, of: ObjectId) -> &[ObjectId] {
        self.referrers.get(&of).map_or(&[], Vec::as_slice)
    }

    /// What is owned by a relation's columns, each with what owns it.
    pub fn owned(&self, relation: ObjectId) -> &[(ObjectId, ObjectId)] {
        self.owned.get(&relation).map_or(&[], Vec::as_slice)
    }
}
