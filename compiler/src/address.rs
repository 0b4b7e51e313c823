//! Gives declared routines the ids that they have in a database, and fills in the role that applies the plan.
//!
//! A routine is called by its argument types. A file may write them without their schema, so the id is known only when
//! the types are: before anything is compared.

use schemac_schema::catalog::{Catalog, Entry};
use schemac_schema::declare::{Facade, Move};
use schemac_schema::fragment::Fragment;
use schemac_schema::id::ObjectId;
use schemac_schema::ident::{Ident, QName};
use schemac_schema::object::Visitor;
use schemac_schema::reference::Reference;
use schemac_schema::type_name::TypeName;
use std::collections::{HashMap, HashSet};

/// What people wrote, with the ids still to be completed.
pub struct Declared<'a> {
    /// The objects.
    pub catalog: &'a mut Catalog,
    /// What was somewhere else before.
    pub moves: &'a mut Vec<Move>,
    /// Old names that live on.
    pub facades: &'a mut Vec<Facade>,
}

/// Completes the ids. `current` is the database as it is, `role` the one that applies the plan.
pub fn address(declared: &mut Declared<'_>, current: &Catalog, search_path: &[Ident], role: Ident) {
    let mut new: HashMap<ObjectId, ObjectId> = HashMap::new();
    let leaving: HashSet<ObjectId> = declared.moves.iter().flat_map(|one| one.from.iter().copied()).collect();
    let ids: Vec<ObjectId> = declared.catalog.ids().collect();
    for id in ids {
        let Some(mut object) = declared.catalog.get(id).map(|entry| entry.object.clone()) else { continue };
        if id.kind().is_routine() {
            object.visit(&mut Types { declared: declared.catalog, current, leaving: &leaving, search_path });
        } else if !object.take_role(role) {
            continue;
        }
        let address = object.address(id);
        if let Some(entry) = declared.catalog.get_mut(id) {
            entry.object = object;
        }
        if address != id {
            new.insert(id, address);
        }
    }
    if !new.is_empty() {
        rebase(declared.catalog, &new);
        let moved = |id: ObjectId| new.get(&id).copied();
        for one in declared.moves.iter_mut() {
            let Some(to) = moved(one.to) else { continue };
            // The old names had the same arguments.
            for from in &mut one.from {
                *from = from_arguments(*from, to).unwrap_or(*from);
            }
            one.to = to;
        }
        for facade in declared.facades.iter_mut() {
            facade.id = moved(facade.id).unwrap_or(facade.id);
            facade.of = moved(facade.of).unwrap_or(facade.of);
        }
    }
}

/// The id `from` with the arguments of `to`.
pub fn from_arguments(from: ObjectId, to: ObjectId) -> Option<ObjectId> {
    use schemac_schema::id::Address;
    match (from.address(), to.address()) {
        (Address::Routine(name, _), Address::Routine(_, arguments)) => {
            Some(ObjectId::new(from.kind(), Address::Routine(name, arguments)))
        }
        _ => None,
    }
}

/// Gives objects and what stands on them other ids. Two that come to have one id were one; the first stays.
pub fn rebase(catalog: &mut Catalog, new: &HashMap<ObjectId, ObjectId>) {
    let is_hidden = |id: ObjectId| {
        let holder = id.qname().filter(|_| id.kind().is_relation()).and_then(|name| catalog.relation(name));
        holder.is_some_and(|holder| holder != id)
    };
    // A facade is still there when what is behind it has its name back: it goes first, so that it is not found by it.
    let hidden: HashSet<ObjectId> = catalog.ids().filter(|id| is_hidden(*id)).collect();
    let mut entries: Vec<(ObjectId, Entry)> = std::mem::take(catalog).into_entries().collect();
    entries.sort_by_key(|(id, _)| !hidden.contains(id));
    for (id, mut entry) in entries {
        let rebased = |id: ObjectId| new.get(&id.root()).map_or(id, |to| id.rebased(id.root(), *to));
        entry.uses = entry.uses.iter().map(|used| rebased(*used)).collect();
        if !catalog.contains(rebased(id)) {
            catalog.insert_over(rebased(id), entry);
        }
    }
    catalog.sort();
}

/// Resolves types by name only.
struct Types<'a> {
    declared: &'a Catalog,
    current: &'a Catalog,
    /// What goes to another name: its old one means nothing any more.
    leaving: &'a HashSet<ObjectId>,
    search_path: &'a [Ident],
}

impl Visitor for Types<'_> {
    fn fragment(&mut self, _: &str, _: &mut Fragment) {}

    fn type_name(&mut self, type_name: &mut TypeName) {
        if type_name.qname().is_some() {
            return;
        }
        let found = self.search_path.iter().find_map(|schema| {
            let name = QName { schema: *schema, name: type_name.name() };
            let stays = || self.current.type_named(name).filter(|id| !self.leaving.contains(id));
            self.declared.type_named(name).or_else(stays).map(|_| name)
        });
        if let Some(name) = found {
            *type_name = type_name.renamed(name);
        }
    }

    fn reference(&mut self, _: &mut Reference) {}
}
