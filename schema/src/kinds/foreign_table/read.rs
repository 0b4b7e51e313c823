//! Reads foreign tables.

use super::ForeignTable;
use crate::fragment::Aside;
use crate::kinds::options::Options;
use crate::object::{Kind, Object};
use crate::read::{Reader, class};

/// Foreign tables.
pub const READER: Reader = Reader {
    name: "foreign tables",
    sql: |_| include_str!("read.sql").into(),
    decode: |row, out| {
        let (oid, name, schema) = (row.oid()?, row.ident()?, row.oid()?);
        let Some(id) = out.in_schema(Kind::ForeignTable, schema, name) else { return Ok(()) };
        let (row_type, array_type) = (row.opt_oid()?, row.opt_oid()?);
        let owner = Aside(Some(out.role(row.oid()?)?));
        let server = row.ident()?;
        let options = Options(row.options()?.into_iter().collect());
        if row.flag()? {
            out.unplaced.push(format!("{id} is a partition or child; the files declare it by itself"));
        }
        let table = ForeignTable { server, options, owner };
        out.add(id, Object::ForeignTable(table), class::RELATION, oid, 0)?;
        out.alias(class::TYPE, row_type, id);
        out.alias(class::TYPE, array_type, id);
        Ok(())
    },
};
