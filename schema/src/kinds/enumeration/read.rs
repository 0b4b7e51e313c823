//! Reads enum types.

use crate::fragment::Aside;
use crate::ident::Text;
use crate::kinds::enumeration::Enum;
use crate::object::{Kind, Object};
use crate::read::{Reader, class};

/// Enums.
pub const READER: Reader = Reader {
    name: "enums",
    sql: |_| include_str!("read.sql").into(),
    decode: |row, out| {
        let (oid, name, schema) = (row.oid()?, row.ident()?, row.oid()?);
        let Some(id) = out.in_schema(Kind::Enum, schema, name) else { return Ok(()) };
        let owner = Aside(Some(out.role(row.oid()?)?));
        let array_type = row.opt_oid()?;
        let values = row.list()?.iter().map(|label| Text::new(label)).collect();
        out.add(id, Object::Enum(Enum { values, owner }), class::TYPE, oid, 0)?;
        out.alias(class::TYPE, array_type, id);
        Ok(())
    },
};
