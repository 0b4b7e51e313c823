//! A set of objects: the database as it is, or as it shall be.

use crate::id::{ObjectId, Slot};
use crate::ident::{Hashed, Ident, Known, QName};
use crate::kinds::Kin;
use crate::object::{self, Kind, Object};
use crate::span::Span;
use indexmap::IndexMap;
use std::collections::{BTreeSet, HashMap};
use std::sync::OnceLock;

/// Where an object comes from and what may be done to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// A file declares it (desired side), or it is in a managed place (current side).
    Managed,
    /// No file declares it; it stays as it is.
    Kept,
    /// It belongs to somebody else (a platform schema, an extension): may be referenced, is never changed.
    External,
}

/// One object of a catalog.
#[derive(Clone, Debug)]
pub struct Entry {
    /// What it is.
    pub object: Object,
    /// Where it was declared.
    pub span: Option<Span>,
    /// What may be done to it.
    pub standing: Standing,
    /// What it uses, beyond its parent. From pg_depend, or found by `bind`.
    pub uses: Vec<ObjectId>,
}

/// A set of objects by id, with the indexes that every stage needs.
#[derive(Clone, Debug, Default)]
pub struct Catalog {
    // Objects are large: they stay where they are when the order changes.
    entries: IndexMap<ObjectId, Box<Entry>, Hashed>,
    slots: Known<Slot, ObjectId>,
    routines: Known<QName, Vec<ObjectId>>,
    children: Known<ObjectId, Vec<ObjectId>>,
    // Found when it is first asked for, and forgotten when anything may have changed.
    kin: OnceLock<Kin>,
}

impl Catalog {
    /// Adds an object.
    ///
    /// # Errors
    /// Gives back the id that already holds one of its name slots; nothing is changed then.
    pub fn insert(&mut self, id: ObjectId, entry: Entry) -> Result<(), ObjectId> {
        let slots = own_slots(id, &entry);
        // The name of an identity column's sequence is PostgreSQL's to choose, and makes way.
        let makes_way = |slot: &Slot, holder: &ObjectId| {
            matches!(slot, Slot::Relation(_)) && holder.kind().is_satellite()
        };
        let mut holders = slots.iter().filter_map(|slot| Some((slot, self.slots.get(slot)?)));
        if let Some((_, holder)) = holders.find(|(slot, holder)| !makes_way(slot, holder)) {
            return Err(*holder);
        }
        self.link(id, entry, slots);
        Ok(())
    }

    fn link(&mut self, id: ObjectId, entry: Entry, slots: Vec<Slot>) {
        self.kin.take();
        for slot in slots {
            if let Slot::Routine(name, _) = slot {
                self.routines.entry(name).or_default().push(id);
            }
            self.slots.insert(slot, id);
        }
        if id.kind().is_satellite() {
            let names = entry.object.slots(id).into_iter().filter(|slot| matches!(slot, Slot::Relation(_)));
            for slot in names {
                self.slots.entry(slot).or_insert(id);
            }
        }
        // Links run up to the root even through what is no object itself (the comment on a view's column).
        let mut below = id;
        while let Some(parent) = below.parent() {
            let children = self.children.entry(parent).or_default();
            let known = below != id && children.contains(&below);
            if !known {
                children.push(below);
            }
            if known || self.entries.contains_key(&parent) {
                break;
            }
            below = parent;
        }
        self.entries.insert(id, Box::new(entry));
    }

    /// Adds an object also when another one still holds one of its name slots: the current side under its future
    /// names, where the holder is on its way out. The newcomer is found by the name from now on.
    pub fn insert_over(&mut self, id: ObjectId, entry: Entry) {
        let slots = own_slots(id, &entry);
        self.link(id, entry, slots);
    }

    /// Brings the objects into the order of their ids, so that the same set gives the same output.
    pub fn sort(&mut self) {
        self.kin.take();
        // A stable sort sees what is in order already: most of it, the second time.
        self.entries.sort_keys();
        for children in self.children.values_mut() {
            children.sort_unstable();
        }
        for routines in self.routines.values_mut() {
            routines.sort_unstable();
        }
    }

    /// The object of an id.
    pub fn get(&self, id: ObjectId) -> Option<&Entry> {
        self.entries.get(&id).map(Box::as_ref)
    }

    /// The object of an id, to change it in place. Its address cannot change here.
    pub fn get_mut(&mut self, id: ObjectId) -> Option<&mut Entry> {
        self.kin.take();
        self.entries.get_mut(&id).map(Box::as_mut)
    }

    /// Whether the id is there.
    pub fn contains(&self, id: ObjectId) -> bool {
        self.entries.contains_key(&id)
    }

    /// All objects, in order.
    pub fn iter(&self) -> impl Iterator<Item = (ObjectId, &Entry)> {
        self.entries.iter().map(|(id, entry)| (*id, entry.as_ref()))
    }

    /// All objects, to change them in place.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = (ObjectId, &mut Entry)> {
        self.kin.take();
        self.entries.iter_mut().map(|(id, entry)| (*id, entry.as_mut()))
    }

    /// All ids, in order.
    pub fn ids(&self) -> impl Iterator<Item = ObjectId> {
        self.entries.keys().copied()
    }

    /// Takes the catalog apart.
    pub fn into_entries(self) -> impl Iterator<Item = (ObjectId, Entry)> {
        self.entries.into_iter().map(|(id, entry)| (id, *entry))
    }

    /// Leaves out what a rule does not keep; with an object goes nothing that hangs on it.
    pub fn retain(&mut self, keep: impl Fn(ObjectId) -> bool) {
        if self.ids().all(&keep) {
            return;
        }
        for (id, entry) in std::mem::take(self).into_entries().filter(|(id, _)| keep(*id)) {
            // It was in a catalog before.
            let _ = self.insert(id, entry);
        }
    }

    /// How many objects there are.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Who holds a name slot.
    pub fn holder(&self, slot: Slot) -> Option<ObjectId> {
        self.slots.get(&slot).copied()
    }

    /// The relation of that name: a table, view, sequence, index.
    pub fn relation(&self, name: QName) -> Option<ObjectId> {
        self.holder(Slot::Relation(name))
    }

    /// The type of that name, a table's row type included.
    pub fn type_named(&self, name: QName) -> Option<ObjectId> {
        self.holder(Slot::Type(name))
    }

    /// The routines of that name.
    pub fn routines(&self, name: QName) -> &[ObjectId] {
        self.routines.get(&name).map_or(&[], Vec::as_slice)
    }

    /// What stands directly on an object or belongs to it.
    pub fn children(&self, id: ObjectId) -> &[ObjectId] {
        self.children.get(&id).map_or(&[], Vec::as_slice)
    }

    /// The children of one kind.
    pub fn children_of(&self, id: ObjectId, kind: Kind) -> impl Iterator<Item = ObjectId> {
        self.children(id).iter().copied().filter(move |child| child.kind() == kind)
    }

    /// Everything below an object, at any depth, also satellites of things that are no objects themselves (the
    /// comment on a view's column).
    pub fn descendants(&self, id: ObjectId) -> Vec<ObjectId> {
        let mut found = Vec::new();
        let mut open = vec![id];
        while let Some(parent) = open.pop() {
            for child in self.children(parent) {
                found.push(*child);
                open.push(*child);
            }
        }
        found
    }

    /// Who has its columns from whom, and what columns own.
    pub fn kin(&self) -> &Kin {
        self.kin.get_or_init(|| Kin::of(self))
    }

    /// The columns of a relation in their order.
    pub fn columns(&self, relation: ObjectId) -> Vec<(ObjectId, &crate::kinds::column::Column)> {
        let mut columns: Vec<_> = self
            .children_of(relation, Kind::Column)
            .filter_map(|id| match &self.get(id)?.object {
                Object::Column(column) => Some((id, column)),
                _ => None,
            })
            .collect();
        columns.sort_by_key(|(id, column)| (column.position.0, *id));
        columns
    }

    /// A column of a relation.
    pub fn column(&self, relation: ObjectId, name: Ident) -> Option<ObjectId> {
        let id = ObjectId::on(Kind::Column, relation, name);
        self.contains(id).then_some(id)
    }

    /// The type of a column.
    pub fn type_of(&self, column: ObjectId) -> Option<crate::type_name::TypeName> {
        match &self.get(column)?.object {
            Object::Column(column) => Some(column.type_name),
            _ => None,
        }
    }

    /// Who uses what: for each object, those that use it.
    pub fn users(&self) -> HashMap<ObjectId, BTreeSet<ObjectId>> {
        let mut users: HashMap<ObjectId, BTreeSet<ObjectId>> = HashMap::new();
        for (id, entry) in self.iter() {
            for used in &entry.uses {
                users.entry(*used).or_default().insert(id);
            }
        }
        users
    }
}

/// The names by which an object is found.
fn own_slots(id: ObjectId, entry: &Entry) -> Vec<Slot> {
    let mut slots = object::slots(id);
    slots.extend(entry.object.brings_types(id).into_iter().map(Slot::Type));
    slots
}
