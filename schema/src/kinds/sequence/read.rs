//! Reads sequences, with the columns that own them. The settings of an identity column's are part of the column.

use crate::fragment::Aside;
use crate::id::ObjectId;
use crate::ident::Ident;
use crate::kinds::identity_sequence::{self, IdentitySequence};
use crate::kinds::owned_by::{self, OwnedBy};
use crate::kinds::sequence::Sequence;
use crate::object::{Kind, Object};
use crate::read::{Declarations, Error, Reader, Row, class};
use crate::reference::{Reference, Target};
use std::collections::BTreeMap;

/// Sequences. After columns.
pub const READER: Reader = Reader {
    name: "sequences",
    sql: |_| include_str!("read.sql").into(),
    decode: |row, out| {
        let (oid, name, schema) = (row.oid()?, row.ident()?, row.oid()?);
        let is_identity = row.letter()? == 'i';
        let column = match (row.opt_oid()?, row.opt_int()?) {
            (Some(relation), Some(number)) => out.column(relation, i32::try_from(number).unwrap_or(0)),
            _ => None,
        };
        let (owner, unlogged) = (row.oid()?, row.flag()?);
        if is_identity {
            return of_identity((oid, name, unlogged), column, row, out);
        }
        let Some(id) = out.in_schema(Kind::Sequence, schema, name) else { return Ok(()) };
        let sequence = Sequence { unlogged, owner: Aside(Some(out.role(owner)?)), ..settings(row)? };
        out.add(id, Object::Sequence(sequence), class::RELATION, oid, 0)?;
        let Some(column) = column else { return Ok(()) };
        let Some(table) = column.root().qname() else { return Ok(()) };
        let ownership = OwnedBy { table: Reference::to(Target::Relation, table), column: column.name() };
        out.add_satellite(owned_by::id(id), Object::OwnedBy(ownership))?;
        out.uses(owned_by::id(id), column);
        Ok(())
    },
};

fn settings(row: &mut Row<'_>) -> Result<Sequence, Error> {
    let type_name = row.type_name()?;
    Ok(Sequence {
        start: row.int()?,
        increment: row.int()?,
        minimum: row.int()?,
        maximum: row.int()?,
        cache: row.int()?,
        cycle: row.flag()?,
        ..Sequence::usual(type_name, 1)
    })
}

fn of_identity(
    (oid, name, unlogged): (u32, Ident, bool),
    column: Option<ObjectId>,
    row: &mut Row<'_>,
    out: &mut Declarations,
) -> Result<(), Error> {
    let Some(column) = column else { return Ok(()) };
    let found = settings(row)?;
    let usual = Sequence::usual(found.type_name, found.increment);
    let usual_start = if found.increment > 0 { found.minimum } else { found.maximum };
    let all = [
        ("START WITH", found.start, usual_start),
        ("INCREMENT BY", found.increment, 1),
        ("MINVALUE", found.minimum, usual.minimum),
        ("MAXVALUE", found.maximum, usual.maximum),
        ("CACHE", found.cache, 1),
        ("CYCLE", i64::from(found.cycle), 0),
    ];
    let options: BTreeMap<&'static str, i64> = all
        .into_iter()
        .filter(|(_, value, usual)| value != usual)
        .map(|(word, value, _)| (word, value))
        .collect();
    if let Some(Object::Column(column)) = out.catalog.get_mut(column).map(|entry| &mut entry.object) {
        if let Some(identity) = &mut column.identity {
            identity.options = options;
        }
    }
    let as_table = match column.parent().and_then(|table| out.catalog.get(table)).map(|entry| &entry.object) {
        Some(Object::Table(table)) => table.unlogged,
        _ => false,
    };
    // PostgreSQL 14 has no unlogged sequences, whatever the table is.
    let unlogged = Some(unlogged).filter(|unlogged| *unlogged != as_table && out.version >= 15);
    let sequence = IdentitySequence { name: Some(name), unlogged };
    out.add(identity_sequence::id(column), Object::IdentitySequence(sequence), class::RELATION, oid, 0)
}
