//! A new column that numbers the rows of a table that has children. PostgreSQL adds no such column to these (before 17 not to
//! partitions either): the rows get their numbers from a sequence that is there for that only, and the column is made to
//! number itself afterwards.

use super::{Column, Identity, alter, always, identity_options, said_sequence, serial_sequence};
use crate::catalog::Catalog;
use crate::id::ObjectId;
use crate::kinds::{identity_sequence, naming, sequence, table};
use crate::object::{Context, Object};
use crate::sql::{self, Sql};
use crate::step::{Lock, Steps};

/// Whether the column cannot come with its identity.
pub(super) fn has_children(id: ObjectId, context: &Context<'_>) -> bool {
    let Some(table) = id.parent() else { return false };
    let divided = context.server.version >= 17 && table::is_divided(table, context.current);
    !divided && !context.current.kin().children(table).is_empty()
}

/// Adds it in steps.
pub(super) fn add(
    column: &Column,
    identity: &Identity,
    id: ObjectId,
    context: &Context<'_>,
    out: &mut Steps,
) {
    let Some(table) = id.parent() else { return };
    let Some(name) =
        identity_sequence::name_of(identity_sequence::id(id), [context.desired, context.current])
    else {
        return;
    };
    let mut sql = Sql::new("CREATE SEQUENCE");
    sql.name(name);
    for (word, value) in &identity.options {
        sql.kw(word);
        if *word != "CYCLE" {
            sql.number(*value);
        }
    }
    out.push(sql);
    let plain = Column { identity: None, not_null: true, ..column.clone() };
    let mut sql = naming::alter_parent(id);
    sql.kw("ADD COLUMN").sql(&plain.definition(id, context.desired));
    sql.kw("DEFAULT pg_catalog.nextval(").tight().literal(&sql::qualified(name)).kw("::pg_catalog.regclass)");
    out.push(sql).lock(table, Lock::AccessExclusive).rewrites();
    let mut sql = alter(id);
    sql.kw("DROP DEFAULT");
    out.push(sql).lock(table, Lock::AccessExclusive);
    let mut sql = Sql::new("DROP SEQUENCE");
    sql.name(name);
    out.push(sql);
    let mut sql = alter(id);
    sql.kw("ADD GENERATED").kw(always(identity.always)).kw("AS IDENTITY");
    identity_options(&mut sql, &identity.options, said_sequence(id, context.desired));
    out.push(sql).lock(table, Lock::AccessExclusive);
    sequence::go_on(&serial_sequence(id), id, &identity.settings(column.type_name), out);
}

/// Whether a parent computes the same column: before 16 a child's own entry may not say that too.
pub(super) fn is_computed_above(id: ObjectId, catalog: &Catalog) -> bool {
    let parents = id.parent().map(|table| table::parents(catalog, table)).unwrap_or_default();
    parents.into_iter().any(|parent| {
        let above = ObjectId::on(id.kind(), parent, id.name());
        match catalog.get(above).map(|entry| &entry.object) {
            Some(Object::Column(column)) if column.inherited.0 => is_computed_above(above, catalog),
            Some(Object::Column(column)) => column.generated.is_some(),
            _ => false,
        }
    })
}
