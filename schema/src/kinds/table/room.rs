//! Partitions take room among their siblings: what is in a room leaves before others come there, also where several
//! exchange their rooms.

use super::Table;
use crate::catalog::Catalog;
use crate::id::ObjectId;
use crate::object::{Context, Object};

fn table(id: ObjectId, catalog: &Catalog) -> Option<&Table> {
    match catalog.get(id).map(|entry| &entry.object) {
        Some(Object::Table(table)) => Some(table),
        _ => None,
    }
}

/// The partitions of a table that stay with it in other rooms. They leave together, in front of the first one's new
/// bound, so that each finds its new room empty.
pub(super) fn shifting(whole: ObjectId, context: &Context<'_>) -> Vec<ObjectId> {
    let shifts = |part: &ObjectId| {
        let sides = table(*part, context.current).zip(table(*part, context.desired));
        sides.is_some_and(|(old, new)| {
            let stays = old.parent() == Some(whole) && new.parent() == Some(whole);
            stays && old.partition_of != new.partition_of && old.partition_by == new.partition_by
        })
    };
    let mut found: Vec<ObjectId> =
        context.current.kin().children(whole).iter().copied().filter(shifts).collect();
    found.sort_unstable();
    found
}

/// What comes into a room only after this partition has left its own.
pub(super) fn makes_room(id: ObjectId, context: &Context<'_>) -> Vec<ObjectId> {
    let sides = table(id, context.current).zip(table(id, context.desired));
    let Some((old, new)) = sides.filter(|(old, new)| old.partition_of != new.partition_of) else {
        return Vec::new();
    };
    let Some(whole) = old.parent() else { return Vec::new() };
    let mut found = shifting(whole, context);
    let is_new = |part: &ObjectId| table(*part, context.current).and_then(Table::parent) != Some(whole);
    let new_ones = context.desired.kin().children(whole).iter().copied().filter(is_new);
    if new.parent() != Some(whole) {
        // Nobody who writes is without the one that takes its place.
        let bound = |of: &Table| Some(of.partition_of.as_ref()?.1.text().to_ascii_lowercase());
        let takes_over = |part: &ObjectId| table(*part, context.desired).and_then(bound) == bound(old);
        found.extend(new_ones.filter(takes_over));
        return found;
    }
    if found.first() != Some(&id) {
        return Vec::new();
    }
    found.remove(0);
    found.extend(new_ones);
    found
}

/// Whether PostgreSQL reads a partition for everything else before another one comes: it must not have its rows.
pub(super) fn has_default(whole: ObjectId, context: &Context<'_>) -> bool {
    let is_default = |part: &ObjectId| {
        let bound = table(*part, context.current).and_then(|table| table.partition_of.as_ref());
        bound.is_some_and(|(_, bound)| bound.text().eq_ignore_ascii_case("default"))
    };
    context.current.kin().children(whole).iter().any(is_default)
}

/// The foreign keys that PostgreSQL would find violated while a partition with its rows is out of its table.
pub(super) fn referrers(id: ObjectId, context: &Context<'_>) -> Vec<ObjectId> {
    let whole = table(id, context.current).and_then(Table::parent);
    if !whole.is_some_and(|whole| shifting(whole, context).contains(&id)) {
        return Vec::new();
    }
    let wholes = super::wholes(id, context.current);
    let found = wholes.flat_map(|whole| context.current.kin().referrers(whole).iter().copied());
    found.filter(|key| context.desired.contains(*key)).collect()
}

/// What has been in a room of its table and goes, where a partition gets other bounds or joins.
pub(super) fn comes_after(new: &Table, id: ObjectId, context: &Context<'_>) -> Vec<ObjectId> {
    let changes = table(id, context.current).is_some_and(|old| old.partition_of != new.partition_of);
    let whole = new.parent().filter(|_| changes);
    let made_anew = |part: &ObjectId| {
        let new = table(*part, context.desired);
        new.is_none_or(|new| {
            table(*part, context.current).is_some_and(|old| old.partition_by != new.partition_by)
        })
    };
    let parts = whole.into_iter().flat_map(|whole| context.current.kin().children(whole)).copied();
    parts.filter(|part| *part != id && made_anew(part)).collect()
}
