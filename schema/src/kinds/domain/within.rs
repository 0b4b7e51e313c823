//! Where values of a domain are stored inside of other values: in arrays, composites and ranges, and in rows of a table
//! that a column holds. PostgreSQL cannot find them there, and refuses what it would have to check them for
//! (`get_rels_with_domain`, `find_composite_type_dependencies`).

use crate::catalog::Catalog;
use crate::fragment::Fragment;
use crate::id::ObjectId;
use crate::ident::QName;
use crate::object::{Context, Kind, Object, Visitor};
use crate::reference::Reference;
use crate::type_name::TypeName;
use std::collections::{BTreeSet, HashSet};

/// A column that holds values of the domain inside of others, before this plan and after it. One that comes to it does so
/// once the domain is changed.
pub fn column(domain: ObjectId, context: &Context<'_>) -> Option<ObjectId> {
    columns(domain, context.current).into_iter().find(|column| context.desired.contains(*column))
}

/// Such columns that this plan drops, alone or with their relations: they go before the domain is changed.
pub fn leaving(domain: ObjectId, context: &Context<'_>) -> Vec<ObjectId> {
    let gone = |id: &ObjectId| !context.desired.contains(*id);
    let columns = columns(domain, context.current);
    columns.into_iter().flat_map(|column| [column, column.root()]).filter(gone).collect()
}

fn columns(domain: ObjectId, catalog: &Catalog) -> BTreeSet<ObjectId> {
    if !catalog.contains(domain) {
        return BTreeSet::new();
    }
    let users = catalog.users();
    let (mut found, mut seen) = (BTreeSet::new(), HashSet::new());
    // A type or relation, and whether its values are inside of others.
    let mut open = vec![(domain, false)];
    while let Some((of, inside)) = open.pop() {
        if !seen.insert((of, inside)) {
            continue;
        }
        let brought = catalog.get(of).map(|entry| entry.object.brings_types(of)).unwrap_or_default();
        let names: Vec<QName> = of.qname().into_iter().chain(brought).collect();
        for user in users.get(&of).into_iter().flatten() {
            let Some(how) = catalog.get(*user).and_then(|entry| holds(&entry.object, &names)) else {
                continue;
            };
            match (user.kind(), user.parent()) {
                (Kind::Column, Some(relation)) => {
                    let stored = matches!(relation.kind(), Kind::Table | Kind::MaterializedView);
                    if stored && (inside || how == How::Array) {
                        found.insert(*user);
                    } else {
                        open.push((relation, true));
                    }
                }
                (Kind::Domain, _) => open.push((*user, inside || how == How::Array)),
                _ => open.push((*user, true)),
            }
        }
    }
    found
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum How {
    Itself,
    Array,
}

/// How an object is made of a type or relation of one of these names, if it is: one by one, or as an array.
fn holds(object: &Object, of: &[QName]) -> Option<How> {
    struct Find<'a>(&'a [QName], Option<How>);
    impl Visitor for Find<'_> {
        fn fragment(&mut self, _: &str, _: &mut Fragment) {}
        fn reference(&mut self, _: &mut Reference) {}
        fn type_name(&mut self, type_name: &mut TypeName) {
            if type_name.qname().is_some_and(|name| self.0.contains(&name)) {
                let how = if type_name.is_array() { How::Array } else { How::Itself };
                self.1 = self.1.filter(|known| *known == How::Array).or(Some(how));
            }
        }
    }
    if !matches!(object, Object::Column(_) | Object::Domain(_) | Object::Composite(_) | Object::Range(_)) {
        return None;
    }
    let mut find = Find(of, None);
    object.clone().visit(&mut find);
    find.1
}
