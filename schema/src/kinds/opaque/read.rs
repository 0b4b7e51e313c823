//! Reads what schemac does not write: enough of each object that names resolve and dependents are known.

use crate::catalog::Standing;
use crate::id::ObjectId;
use crate::ident::{Ident, Text};
use crate::kinds::opaque::Opaque;
use crate::object::{Kind, Object};
use crate::read::{Reader, class};

fn opaque(what: &str) -> Opaque {
    Opaque { what: Text::new(what) }
}

/// Roles of the cluster; they are nobody's to change here.
pub const ROLES: Reader = Reader {
    name: "roles",
    sql: |_| "SELECT oid, rolname FROM pg_roles".into(),
    decode: |row, out| {
        let oid = row.oid()?;
        out.add_external(
            ObjectId::global(Kind::Role, row.ident()?),
            Object::Role(opaque("role")),
            class::ROLE,
            oid,
        )
    },
};

/// Which objects belong to an extension.
pub const MEMBERS: Reader = Reader {
    name: "extension members",
    sql: |_| "SELECT classid, objid FROM pg_depend WHERE deptype = 'e' AND refclassid = 3079".into(),
    decode: |row, out| {
        out.member(row.oid()?, row.oid()?);
        Ok(())
    },
};

/// Procedural languages.
pub const LANGUAGES: Reader = Reader {
    name: "languages",
    sql: |_| "SELECT oid, lanname FROM pg_language WHERE lanispl".into(),
    decode: |row, out| {
        let (oid, name) = (row.oid()?, row.ident()?);
        let object = Object::Language(opaque("language"));
        out.add_global(ObjectId::global(Kind::Language, name), object, class::LANGUAGE, oid, None)
    },
};

/// Base types that users made, and shells of them.
pub const BASE_TYPES: Reader = Reader {
    name: "base types",
    sql: |_| include_str!("types.sql").into(),
    decode: |row, out| {
        let (oid, name, schema) = (row.oid()?, row.ident()?, row.oid()?);
        let Some(id) = out.in_schema(Kind::BaseType, schema, name) else { return Ok(()) };
        out.add(id, Object::BaseType(opaque("base type")), class::TYPE, oid, 0)?;
        out.alias(class::TYPE, row.opt_oid()?, id);
        Ok(())
    },
};

/// Everything else that has a name.
pub const UNMODELLED: Reader = Reader {
    name: "other objects",
    sql: |_| include_str!("unmodelled.sql").into(),
    decode: |row, out| {
        let (class, oid, schema) = (row.oid()?, row.oid()?, row.opt_oid()?);
        let (what, identity) = (row.text()?, row.text()?);
        let schema = match schema.map(|oid| out.schema(oid)) {
            Some(None) => return Ok(()),
            Some(Some(schema)) => Some(schema),
            None => None,
        };
        let id = ObjectId::global(Kind::Unmodelled, Ident::new(&format!("{what} {identity}")));
        out.add_global(id, Object::Unmodelled(opaque(what)), class, oid, schema)?;
        // As long as it is there, its schema cannot go; what an extension brings goes with that.
        let ours = out.catalog.get(id).is_some_and(|entry| entry.standing != Standing::External);
        if let Some(schema) = schema.filter(|_| ours) {
            out.uses(id, ObjectId::of_schema(schema));
        }
        Ok(())
    },
};
