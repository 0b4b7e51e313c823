//! Keys in the files of an import: in the column's short form, by themselves, or under their names.

use super::{Key, Timing, chosen_name};
use crate::id::ObjectId;
use crate::kinds::column;
use crate::object::{Kind, Object};
use crate::sql::Sql;
use crate::write::{Node, Writer};

/// A key, unless its column says it.
pub fn write(key: &Key, id: ObjectId, out: &mut Writer<'_>) {
    if let ([own], Some(table)) = (key.columns.as_slice(), id.parent()) {
        let own = ObjectId::on(Kind::Column, table, *own);
        if key.primary && is_inline(own, out) && column::write::holds_key(own, out) {
            return;
        }
    }
    put(key, id, out);
}

/// The primary key of a column that cannot say it.
pub fn write_named(column: ObjectId, out: &mut Writer<'_>) {
    let found = column.parent().and_then(|table| primary(table, out));
    if let Some((id, key)) = found.map(|(id, key)| (id, key.clone())) {
        put(&key, id, out);
    }
}

/// Whether a column is by itself its table's primary key, and nothing is to say about that but that.
pub fn is_inline(column: ObjectId, out: &Writer<'_>) -> bool {
    let Some((id, key)) = column.parent().and_then(|table| primary(table, out)) else { return false };
    let plain = Key { columns: vec![column.name()], ..bare(true) };
    *key == plain && is_chosen(id) && out.is_bare(id)
}

fn primary<'a>(table: ObjectId, out: &Writer<'a>) -> Option<(ObjectId, &'a Key)> {
    out.catalog.children_of(table, Kind::Key).find_map(|id| match &out.catalog.get(id)?.object {
        Object::Key(key) if key.primary => Some((id, key)),
        _ => None,
    })
}

fn bare(primary: bool) -> Key {
    Key {
        primary,
        columns: Vec::new(),
        include: Vec::new(),
        nulls_not_distinct: false,
        without_overlaps: false,
        timing: Timing::Immediate,
        options: crate::kinds::options::Options::default(),
        tablespace: None,
        clustered: false,
        invalid: false,
    }
}

/// Whether PostgreSQL would choose that name for a primary key.
fn is_chosen(id: ObjectId) -> bool {
    id.parent()
        .is_some_and(|table| chosen_name(table.name().as_str(), "", "pkey").as_str() == id.name().as_str())
}

fn put(key: &Key, id: ObjectId, out: &mut Writer<'_>) {
    let definition = definition(key);
    if key.invalid {
        out.missing(id, "it is not valid, and the files declare it as if it were");
    }
    let is_short = key.primary && !key.clustered && is_chosen(id) && out.is_bare(id);
    match id.parent().filter(|_| is_short) {
        Some(table) => drop(out.entry(table).set("primary_key", Node::Sql(definition))),
        None => out.put(id, 0, Node::definition(definition)),
    }
    if key.clustered {
        out.entry(id).set("clustered", Node::word("true"));
    }
}

fn definition(key: &Key) -> String {
    let mut sql = Sql::default();
    if key.nulls_not_distinct {
        sql.kw("nulls not distinct");
    }
    let mut columns: Vec<Sql> = key
        .columns
        .iter()
        .map(|name| {
            let mut column = Sql::default();
            column.ident(*name);
            column
        })
        .collect();
    if let Some(last) = columns.last_mut().filter(|_| key.without_overlaps) {
        last.kw("without overlaps");
    }
    sql.kw("(").tight().list(&columns).kw(")");
    if !key.include.is_empty() {
        sql.kw("include").idents(&key.include);
    }
    key.options.with(&mut sql);
    if let Some(tablespace) = key.tablespace {
        sql.kw("using index tablespace").ident(tablespace);
    }
    sql.kw(timing(key.timing));
    sql.into_text().trim_end().to_owned()
}

/// The words of a constraint that can wait.
pub fn timing(timing: Timing) -> &'static str {
    match timing {
        Timing::Immediate => "",
        Timing::Deferrable => "deferrable",
        Timing::Deferred => "deferrable initially deferred",
    }
}
