//! A table that is there becomes the child or partition of another one: INHERIT and ATTACH PARTITION take it only when
//! it has every column and check of the parent. What it lacks is added by the same change, in front.

use super::{Table, alter};
use crate::catalog::Catalog;
use crate::id::ObjectId;
use crate::ident::Ident;
use crate::kinds::column::{self, Column, Generated};
use crate::kinds::key;
use crate::object::{Context, Kind, Object};
use crate::reference::Reference;
use crate::step::{Lock, Steps};
use std::collections::BTreeSet;

/// Adds what a table lacks to join its new parents.
pub(super) fn prepare(old: &Table, new: &Table, id: ObjectId, context: &Context<'_>, out: &mut Steps) {
    let mut done: BTreeSet<(Kind, Ident)> = BTreeSet::new();
    for parent in new_parents(old, new, context) {
        for (above, spec) in context.desired.columns(parent) {
            if !done.insert((Kind::Column, above.name())) {
                continue;
            }
            let own = ObjectId::on(Kind::Column, id, above.name());
            let refuses = refuses_null(above, context.desired);
            // It is no child yet, so that its parent's statement does not change it.
            if let Some(Object::Column(live)) = context.current.get(own).map(|entry| &entry.object)
                && !live.inherited.0
                && (live.type_name != spec.type_name || live.collation != spec.collation)
            {
                let sql = column::set_type(live, spec, own, context);
                out.push(sql).lock(id, Lock::AccessExclusive).rewrites();
            }
            if !context.current.contains(own) {
                let declared = match context.desired.get(own).map(|entry| &entry.object) {
                    Some(Object::Column(column)) => column.clone(),
                    _ => spec.handed_down(),
                };
                let column = Column {
                    not_null: declared.not_null || refuses,
                    generated: if declared.inherited.0 {
                        generated(above, context.desired)
                    } else {
                        declared.generated.clone()
                    },
                    ..declared
                };
                let mut sql = alter(id);
                sql.kw("ADD COLUMN").sql(&column.definition(own, context.desired));
                out.push(sql).lock(id, Lock::AccessExclusive);
            } else if refuses && !refuses_null(own, context.current) {
                out.push(column::set_not_null(own, true)).lock(id, Lock::AccessExclusive).scans();
            }
        }
        for above in context.desired.children_of(parent, Kind::Check) {
            let own = ObjectId::on(Kind::Check, id, above.name());
            let Some(Object::Check(check)) = context.desired.get(above).map(|entry| &entry.object) else {
                continue;
            };
            let stays = context.desired.contains(own) || merges(own, context);
            let known = context.current.contains(own) && stays || !done.insert((Kind::Check, above.name()));
            if check.no_inherit || known {
                continue;
            }
            let mut sql = alter(id);
            sql.kw("ADD").sql(&check.definition(own));
            if check.not_valid && !check.not_enforced {
                sql.kw(" NOT VALID");
            }
            out.push(sql).lock(id, Lock::AccessExclusive).scans();
        }
    }
}

/// What must be gone before a table that is there joins others: the columns and checks that its new parents lose, which it
/// would need or have from there.
pub(super) fn comes_after(new: &Table, id: ObjectId, context: &Context<'_>) -> Vec<ObjectId> {
    let Some(Object::Table(old)) = context.current.get(id).map(|entry| &entry.object) else {
        return Vec::new();
    };
    let above = new_parents(old, new, context).flat_map(|parent| context.current.children(parent)).copied();
    let above = above.filter(|part| matches!(part.kind(), Kind::Column | Kind::Check));
    above.filter(|other| !context.desired.contains(*other)).collect()
}

/// Whether a new column of a table that is there comes by itself: the table joins a parent that has it.
pub fn is_brought_by_joining(id: ObjectId, context: &Context<'_>) -> bool {
    let Some(table) = id.parent() else { return false };
    let of = |catalog: &Catalog| match catalog.get(table).map(|entry| &entry.object) {
        Some(Object::Table(table)) => Some(table.clone()),
        _ => None,
    };
    let (Some(old), Some(new)) = (of(context.current), of(context.desired)) else { return false };
    let mut parents = new_parents(&old, &new, context);
    !context.current.contains(id)
        && parents.any(|parent| context.desired.contains(ObjectId::on(Kind::Column, parent, id.name())))
}

/// Whether a check, index or key that no file declares on a table is taken for a part of its new parent's: it stays.
pub fn merges(id: ObjectId, context: &Context<'_>) -> bool {
    let Some(table) = id.parent().filter(|_| !context.desired.contains(id)) else { return false };
    let (Some(Object::Table(old)), Some(Object::Table(new)), Some(live)) = (
        context.current.get(table).map(|entry| &entry.object),
        context.desired.get(table).map(|entry| &entry.object),
        context.current.get(id),
    ) else {
        return false;
    };
    let attached = old.partition_of.is_none() && new.partition_of.is_some();
    let by_name = id.kind() == Kind::Check;
    (attached || by_name)
        && new_parents(old, new, context).any(|parent| {
            context.desired.children_of(parent, id.kind()).any(|above| {
                (!by_name || above.name() == id.name())
                    && context.desired.get(above).is_some_and(|above| above.object == live.object)
            })
        })
}

fn new_parents<'a>(
    old: &'a Table,
    new: &'a Table,
    context: &'a Context<'_>,
) -> impl Iterator<Item = ObjectId> + 'a {
    let joined = new.inherits.iter().filter(|parent| !old.inherits.contains(parent));
    let whole = |table: &'a Table| table.partition_of.as_ref().map(|(parent, _)| parent);
    let attached = whole(new).filter(|parent| Some(*parent) != whole(old));
    joined.chain(attached).filter_map(Reference::qname).filter_map(|name| context.desired.relation(name))
}

/// Whether a column refuses null, for its own sake or for a parent's.
pub(crate) fn refuses_null(column: ObjectId, catalog: &Catalog) -> bool {
    let mut open = vec![column];
    let mut at = 0;
    while let Some(one) = open.get(at).copied() {
        at += 1;
        let not_null = matches!(catalog.get(one).map(|entry| &entry.object),
            Some(Object::Column(column)) if column.not_null || column.identity.is_some());
        if not_null || key::is_primary(one, catalog) {
            return true;
        }
        let parents = one.parent().map(|table| super::parents(catalog, table)).unwrap_or_default();
        let above = parents.into_iter().map(|parent| ObjectId::on(Kind::Column, parent, column.name()));
        let above: Vec<ObjectId> =
            above.filter(|one| catalog.contains(*one) && !open.contains(one)).collect();
        open.extend(above);
    }
    false
}

/// What computes a column, where it was made.
pub(crate) fn generated(column: ObjectId, catalog: &Catalog) -> Option<Generated> {
    let origin = crate::kinds::origin(catalog, column).unwrap_or(column);
    match catalog.get(origin).map(|entry| &entry.object) {
        Some(Object::Column(column)) => column.generated.clone(),
        _ => None,
    }
}
