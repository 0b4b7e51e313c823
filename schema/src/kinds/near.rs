//! Near misses: an object that goes while one like it comes, a column that goes while one of its type comes. Rows, values
//! and what only the database knows would be lost where a move or a new name was meant.

use crate::catalog::{Catalog, Entry, Standing};
use crate::id::{Address, ObjectId};
use crate::ident::{Ident, Text};
use crate::object::Kind;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// Tables that no file declares any more, each with a new one of the same name and columns in another schema. `current`
/// is the database under its future names, `desired` bound and completed.
pub fn lookalikes(current: &Catalog, desired: &Catalog) -> Vec<(ObjectId, ObjectId)> {
    let declared = |id: ObjectId| desired.get(id).is_some_and(|entry| entry.standing == Standing::Managed);
    let mut new: BTreeMap<(Ident, BTreeSet<(Ident, Text)>), ObjectId> = BTreeMap::new();
    for id in desired.ids().filter(|id| id.kind() == Kind::Table && declared(*id) && !current.contains(*id)) {
        new.insert((id.name(), columns(desired, id)), id);
    }
    if new.is_empty() {
        return Vec::new();
    }
    current
        .iter()
        .filter(|(id, entry)| {
            id.kind() == Kind::Table && entry.standing != Standing::External && !declared(*id)
        })
        .filter_map(|(id, _)| Some((id, *new.get(&(id.name(), columns(current, id)))?)))
        .filter(|(old, new)| old.schema() != new.schema())
        .collect()
}

fn columns(catalog: &Catalog, table: ObjectId) -> BTreeSet<(Ident, Text)> {
    let columns = catalog.columns(table);
    columns.iter().map(|(id, column)| (id.name(), column.type_name.canonical())).collect()
}

/// Other whole objects that go, each with a new one of the same kind and name (of routines, arguments too) in another
/// schema.
pub fn namesakes(current: &Catalog, desired: &Catalog) -> Vec<(ObjectId, ObjectId)> {
    let key = |id: ObjectId| match id.address() {
        Address::InSchema(name) => Some((id.kind(), name.name, Text::new(""))),
        Address::Routine(name, arguments) => Some((id.kind(), name.name, arguments)),
        _ => None,
    };
    let wanted = |id: &ObjectId| id.kind() != Kind::Table;
    let mut new: HashMap<_, ObjectId> = HashMap::new();
    for id in desired.ids().filter(wanted).filter(|id| !current.contains(*id)) {
        if let Some(key) = key(id) {
            new.insert(key, id);
        }
    }
    if new.is_empty() {
        return Vec::new();
    }
    let goes =
        |(id, entry): &(ObjectId, &Entry)| entry.standing != Standing::External && !desired.contains(*id);
    current
        .iter()
        .filter(|(id, _)| wanted(id))
        .filter(goes)
        .filter_map(|(id, _)| Some((id, *new.get(&key(id)?)?)))
        .filter(|(old, new)| old.schema() != new.schema())
        .collect()
}

/// Columns that go, each with the one new column of the same type on its table.
pub fn renamed_columns(current: &Catalog, desired: &Catalog) -> Vec<(ObjectId, ObjectId)> {
    let mut found = Vec::new();
    for table in desired.ids().filter(|id| id.kind() == Kind::Table && current.contains(*id)) {
        let (before, after) = (current.columns(table), desired.columns(table));
        let gone: Vec<_> = before.iter().filter(|(id, _)| !desired.contains(*id)).collect();
        let new: Vec<_> = after.iter().filter(|(id, _)| !current.contains(*id)).collect();
        for (old, column) in &gone {
            let alike = |other: Text| other == column.type_name.canonical();
            let mut candidates = new.iter().filter(|(_, other)| alike(other.type_name.canonical()));
            let rivals = gone.iter().filter(|(_, other)| alike(other.type_name.canonical())).count();
            if let (Some((candidate, _)), None, 1) = (candidates.next(), candidates.next(), rivals) {
                found.push((*old, *candidate));
            }
        }
    }
    found
}
