//! Reads schemas; those of the server, of temporary objects and schemac's own are passed over.

use crate::fragment::Aside;
use crate::id::ObjectId;
use crate::kinds::schema::Schema;
use crate::object::{Kind, Object};
use crate::read::{Reader, class};

/// Schemas with their owners.
pub const READER: Reader = Reader {
    name: "schemas",
    sql: |_| include_str!("read.sql").into(),
    decode: |row, out| {
        let (oid, name) = (row.oid()?, row.ident()?);
        let owner = Aside(Some(out.role(row.oid()?)?));
        out.add(ObjectId::global(Kind::Schema, name), Object::Schema(Schema { owner }), class::SCHEMA, oid, 0)
    },
};
