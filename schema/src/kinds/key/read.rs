//! Reads primary keys and unique constraints; their indexes are part of them.

use crate::id::ObjectId;
use crate::kinds::key::{Key, Timing};
use crate::kinds::options::Options;
use crate::object::{Kind, Object};
use crate::read::{Error, Reader, Row, class, for_version};

/// Keys.
pub const READER: Reader = Reader {
    name: "keys",
    sql: |version| for_version(include_str!("read.sql"), version),
    decode: |row, out| {
        let (oid, name, relation, index) = (row.oid()?, row.ident()?, row.oid()?, row.opt_oid()?);
        let Some(parent) = out.relation(relation) else { return Ok(()) };
        let (whole, clustered) = (row.opt_oid()?, row.flag()?);
        if let Some(whole) = whole {
            let own = ObjectId::on(Kind::Key, parent, name);
            super::part_of(out, (oid, index), whole, own);
            super::clustered_part(out, clustered, own);
            return Ok(());
        }
        let primary = row.flag()?;
        let columns: Vec<i32> = row.numbers()?;
        let all: Vec<i32> = row.numbers()?;
        let include = out.column_names(relation, all.get(columns.len()..).unwrap_or(&[]))?;
        let columns = out.column_names(relation, &columns)?;
        let timing = timing(row)?;
        let options = Options(row.options()?.into_iter().collect());
        let tablespace = row.opt_ident()?;
        let (nulls_not_distinct, without_overlaps) = (row.flag()?, row.flag()?);
        let invalid = !row.flag()?;
        let key = Key {
            primary,
            columns,
            include,
            nulls_not_distinct,
            without_overlaps,
            timing,
            options,
            tablespace,
            clustered,
            invalid,
        };
        let id = ObjectId::on(Kind::Key, parent, name);
        out.add(id, Object::Key(key), class::CONSTRAINT, oid, 0)?;
        out.alias(class::RELATION, index, id);
        Ok(())
    },
};

/// Two cells: deferrable, and initially deferred.
pub fn timing(row: &mut Row<'_>) -> Result<Timing, Error> {
    Ok(match (row.flag()?, row.flag()?) {
        (false, _) => Timing::Immediate,
        (true, false) => Timing::Deferrable,
        (true, true) => Timing::Deferred,
    })
}
