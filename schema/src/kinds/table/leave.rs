//! A partition leaves its table: its parts of the table's indexes and constraints become its own, under the names that
//! they have. What the files want as it is stays; what they do not want goes.

use super::Table;
use crate::catalog::{Catalog, Entry};
use crate::fragment::{Fragment, Grammar};
use crate::id::ObjectId;
use crate::ident::Text;
use crate::kinds::naming;
use crate::object::{Context, Kind, Object};
use crate::sql::Sql;
use crate::step::{Lock, Loss, Steps};

/// What is left to do right behind DETACH PARTITION.
pub(super) fn settle(old: &Table, new: &Table, id: ObjectId, context: &Context<'_>, out: &mut Steps) {
    if old.partition_of.is_none() || old.parent() == new.parent() {
        return;
    }
    for (own, _) in old.parts.0.iter().filter(|(own, _)| own.parent() == Some(id)) {
        let kept = match context.current.get(*own) {
            // A key of its own that was a part too, and could not go before.
            Some(live) => context.desired.get(*own).is_some_and(|entry| entry.object == live.object),
            // Another table takes its indexes as its own, or leaves them: they are told apart only when it stands
            // alone. A foreign key it makes anew, and that of the old one may refer to what goes.
            None => new.partition_of.is_some() && own.kind() != Kind::ForeignKey || stays(*own, context),
        };
        if kept {
            continue;
        }
        // The whole may have gone before, and all parts with it.
        let sql = if own.kind() == Kind::Index {
            let mut sql = Sql::new("DROP INDEX IF EXISTS");
            naming::own_name(&mut sql, *own);
            sql
        } else {
            let mut sql = naming::alter_parent(*own);
            sql.kw("DROP CONSTRAINT IF EXISTS").ident(own.name());
            sql
        };
        out.push(sql).lock(id, Lock::AccessExclusive);
    }
    unwanted_columns(id, context, out);
}

/// The columns that a table had from one that it leaves stay as its own: those that the files do not want go. A parent
/// that it stays with takes its own along.
pub(super) fn unwanted_columns(id: ObjectId, context: &Context<'_>, out: &mut Steps) {
    let later = super::parents(context.desired, id);
    let stays_with: Vec<ObjectId> =
        super::parents(context.current, id).into_iter().filter(|parent| later.contains(parent)).collect();
    for (column, spec) in context.current.columns(id) {
        let goes_with =
            |parent: &ObjectId| context.current.contains(ObjectId::on(Kind::Column, *parent, column.name()));
        if spec.inherited.0 && !context.desired.contains(column) && !stays_with.iter().any(goes_with) {
            let mut sql = naming::alter_parent(column);
            sql.kw("DROP COLUMN").ident(column.name());
            out.push(sql).lock(id, Lock::AccessExclusive).loses(Loss::DropColumn, column);
        }
    }
}

/// What a table's parts of its whole's foreign keys refer to.
pub(super) fn referred_to(table: &Table, catalog: &Catalog) -> Vec<ObjectId> {
    let wholes = table.parts.0.iter().filter_map(|(_, whole)| catalog.get(*whole));
    let target = |entry: &Entry| match &entry.object {
        Object::ForeignKey(key) => key.target.qname().and_then(|name| catalog.relation(name)),
        _ => None,
    };
    wholes.filter_map(target).collect()
}

/// Whether an index or constraint that the files want on a table is there once the table has left the one that it is a
/// partition of, and is as they want it.
pub fn stays(id: ObjectId, context: &Context<'_>) -> bool {
    let Some(table) = id.parent().filter(|table| table.kind() == Kind::Table) else { return false };
    let (Some(Object::Table(old)), Some(Object::Table(new))) = (
        context.current.get(table).map(|entry| &entry.object),
        context.desired.get(table).map(|entry| &entry.object),
    ) else {
        return false;
    };
    let whole = old.parts.0.iter().find(|(own, _)| *own == id).map(|(_, whole)| *whole);
    let leaves = old.partition_of.is_some() && new.partition_of.is_none();
    let (Some(wanted), Some(whole)) = (context.desired.get(id), whole.filter(|_| leaves)) else {
        return false;
    };
    context.current.get(whole).is_some_and(|whole| whole.object == wanted.object)
}

/// An object with the words that the files have: of two that say the same PostgreSQL may know one only.
fn as_written(object: &Object) -> Object {
    let mut object = object.clone();
    if let Object::Index(index) = &mut object {
        index.definition = Fragment::canonical(index.definition.text(), Grammar::Index);
    }
    object
}

/// Whether an index or constraint that the files declare on a partition is the part that it has of its table's anyway: it
/// says the same, and its name is the one that PostgreSQL chooses for the part.
pub fn comes_as_part(id: ObjectId, chosen: Text, context: &Context<'_>) -> bool {
    let Some(table) = id.parent().filter(|_| id.name().as_str() == chosen.as_str()) else { return false };
    let Some(wanted) = context.desired.get(id) else { return false };
    let parts = match context.current.get(table).map(|entry| &entry.object) {
        Some(Object::Table(table)) => table.parts.0.as_slice(),
        _ => &[],
    };
    let otherwise = |whole: ObjectId| parts.iter().any(|(own, of)| *of == whole && *own != id);
    super::wholes(table, context.desired).any(|above| {
        let mut wholes = context.desired.children_of(above, id.kind());
        wholes.any(|whole| {
            let whole_object = context.desired.get(whole).map(|whole| &whole.object);
            let same = whole_object.is_some_and(|whole| as_written(whole) == as_written(&wanted.object));
            same && !otherwise(whole)
        })
    })
}
