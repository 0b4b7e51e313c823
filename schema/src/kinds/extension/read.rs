//! Reads extensions.

use super::Extension;
use crate::id::ObjectId;
use crate::ident::Text;
use crate::object::{Kind, Object};
use crate::read::{Reader, class};

/// Extensions. What initdb has brought, and what is in an external schema, is somebody else's.
pub const READER: Reader = Reader {
    name: "extensions",
    sql: |_| {
        "SELECT e.oid, e.extname, e.extnamespace, n.nspname, e.extversion \
         FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace"
            .into()
    },
    decode: |row, out| {
        let (oid, name, schema) = (row.oid()?, row.ident()?, row.oid()?);
        let extension = Extension { schema: Some(row.ident()?), version: Some(Text::new(row.text()?)) };
        let (id, object) = (ObjectId::global(Kind::Extension, name), Object::Extension(extension));
        if oid < FIRST_USER_OID {
            return out.add_external(id, object, class::EXTENSION, oid);
        }
        let schema = out.schema(schema);
        out.add_global(id, object, class::EXTENSION, oid, schema)?;
        if let Some(schema) = schema {
            out.uses(id, ObjectId::of_schema(schema));
        }
        Ok(())
    },
};

/// `FirstNormalObjectId`: what has a lower oid, initdb has made.
const FIRST_USER_OID: u32 = 16384;
