//! A partitioned table's index takes a partition's own primary key or unique constraint for its part. PostgreSQL drops
//! neither of the two from then on, until the partition stands alone: it is taken out for that and put in again.

use super::{Table, alter};
use crate::catalog::Catalog;
use crate::id::{ObjectId, Slot};
use crate::ident::Ident;
use crate::kinds::{copied_trigger, naming};
use crate::object::{self, Context, Kind, Object};
use crate::sql::Sql;
use crate::step::{Lock, Steps};

fn table(id: ObjectId, catalog: &Catalog) -> Option<&Table> {
    match catalog.get(id).map(|entry| &entry.object) {
        Some(Object::Table(table)) => Some(table),
        _ => None,
    }
}

fn parts(id: ObjectId, catalog: &Catalog) -> &[(ObjectId, ObjectId)] {
    table(id, catalog).map(|table| table.parts.0.as_slice()).unwrap_or_default()
}

/// The index that has a partition's own key for its part.
pub fn adopter(key: ObjectId, current: &Catalog) -> Option<ObjectId> {
    let own = parts(key.root(), current).iter().find(|(own, _)| *own == key);
    own.map(|(_, whole)| *whole).filter(|_| current.contains(key))
}

/// The indexes that are made anew for an own key to come: they have a part of its name.
pub fn unsettled(key: ObjectId, context: &Context<'_>) -> Vec<ObjectId> {
    let has_its_name = |(own, whole): &&(ObjectId, ObjectId)| {
        own.name() == key.name() && whole.kind() == Kind::Index && !context.current.contains(*own)
    };
    let found = parts(key.root(), context.current).iter().filter(has_its_name);
    found.map(|(_, whole)| *whole).filter(|_| !context.current.contains(key)).collect()
}

/// The name slots that become free below a partitioned table with its index or constraint: those of the parts.
pub fn freed_with(whole: ObjectId, current: &Catalog) -> Vec<Slot> {
    let Some(of) = whole.parent().filter(|of| super::is_divided(*of, current)) else { return Vec::new() };
    let below = super::partitions(current, of).into_iter().flat_map(|part| parts(part, current));
    let go = below.filter(|(own, of)| *of == whole && !current.contains(*own));
    go.flat_map(|(own, _)| object::slots(*own)).collect()
}

/// The keys that partitions have of their own and that an index takes for its parts when they are there first.
pub fn adoptable(index: ObjectId, columns: &[Ident], desired: &Catalog) -> Vec<ObjectId> {
    let Some(of) = index.parent().filter(|of| super::is_divided(*of, desired)) else { return Vec::new() };
    let keys =
        super::partitions(desired, of).into_iter().flat_map(|part| desired.children_of(part, Kind::Key));
    let fits = |key: &ObjectId| match desired.get(*key).map(|entry| &entry.object) {
        Some(Object::Key(key)) => key.columns == columns,
        _ => false,
    };
    keys.filter(fits).collect()
}

/// Drops an own key by its statement. One that is a part goes while its table stands alone, or behind what makes its
/// table leave, or once the whole has gone.
pub fn drop_key(key: ObjectId, statement: Sql, context: &Context<'_>, out: &mut Steps) {
    let sides = table(key.root(), context.current).zip(table(key.root(), context.desired));
    let leaves = sides.is_some_and(|(old, new)| old.parent() != new.parent());
    match adopter(key, context.current) {
        Some(_) if leaves => {}
        Some(whole) if context.desired.contains(whole) => apart(vec![key.root()], statement, context, out),
        _ => drop(out.push(statement).lock(key.root(), Lock::AccessExclusive)),
    }
}

/// Drops the index of a partitioned table while the partitions stand alone whose own keys are its parts.
pub fn drop_index(index: ObjectId, statement: Sql, context: &Context<'_>, out: &mut Steps) {
    let Some(of) = index.parent().filter(|of| super::is_divided(*of, context.current)) else {
        out.push(statement).lock(index.root(), Lock::AccessExclusive);
        return;
    };
    let mut keepers = super::partitions(context.current, of);
    keepers.retain(|part| {
        let own = parts(*part, context.current);
        let keeps = own.iter().any(|(own, whole)| *whole == index && context.current.contains(*own));
        keeps && context.desired.contains(*part)
    });
    apart(keepers, statement, context, out);
}

/// A statement that PostgreSQL refuses while tables are partitions.
fn apart(tables: Vec<ObjectId>, statement: Sql, context: &Context<'_>, out: &mut Steps) {
    let of = |id: &ObjectId| {
        let (_, bound) = table(*id, context.current)?.partition_of.as_ref()?;
        Some((*id, table(*id, context.current)?.parent()?, bound))
    };
    let places: Vec<_> = tables.iter().filter_map(of).collect();
    for (id, whole, _) in &places {
        let mut sql = alter(*whole);
        naming::own_name(sql.kw("DETACH PARTITION"), *id);
        out.push(sql).lock(*whole, Lock::AccessExclusive);
    }
    out.push(statement);
    for (id, whole, bound) in places {
        let mut sql = alter(whole);
        naming::own_name(sql.kw("ATTACH PARTITION"), id);
        sql.fragment(bound);
        out.push(sql).lock(whole, Lock::AccessExclusive).scans();
        copied_trigger::say_again(id, None, context, out);
    }
}
