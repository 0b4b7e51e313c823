//! Reads what schemac does not write: enough of each object that names resolve and dependents are known.

use crate::id::{Address, ObjectId};
use crate::ident::{Ident, QName, Text};
use crate::kinds::opaque::Opaque;
use crate::object::{Kind, Object};
use crate::read::{Error, Reader, class, type_name};

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

/// Extensions. What initdb has brought, and what is in an external schema, is somebody else's.
pub const EXTENSIONS: Reader = Reader {
    name: "extensions",
    sql: |_| "SELECT oid, extname, extnamespace FROM pg_extension".into(),
    decode: |row, out| {
        let (oid, name, schema) = (row.oid()?, row.ident()?, row.oid()?);
        let (id, object) = (ObjectId::global(Kind::Extension, name), Object::Extension(opaque("extension")));
        if oid < FIRST_USER_OID {
            return out.add_external(id, object, class::EXTENSION, oid);
        }
        out.add_global(id, object, class::EXTENSION, oid, out.schema(schema))
    },
};

/// `FirstNormalObjectId`: what has a lower oid, initdb has made.
const FIRST_USER_OID: u32 = 16384;

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

/// Collations that users made.
pub const COLLATIONS: Reader = Reader {
    name: "collations",
    sql: |_| "SELECT oid, collname, collnamespace FROM pg_collation WHERE oid >= 16384".into(),
    decode: |row, out| {
        let (oid, name, schema) = (row.oid()?, row.ident()?, row.oid()?);
        match out.in_schema(Kind::Collation, schema, name) {
            Some(id) => out.add(id, Object::Collation(opaque("collation")), class::COLLATION, oid, 0),
            None => Ok(()),
        }
    },
};

/// Types that are not the row or array types of something else.
pub const TYPES: Reader = Reader {
    name: "types",
    sql: |_| include_str!("types.sql").into(),
    decode: |row, out| {
        let (oid, name, schema, letter) = (row.oid()?, row.ident()?, row.oid()?, row.letter()?);
        let (kind, object) = match letter {
            'e' => (Kind::Enum, Object::Enum(opaque("enum type"))),
            'd' => (Kind::Domain, Object::Domain(opaque("domain"))),
            'c' => (Kind::Composite, Object::Composite(opaque("composite type"))),
            'r' => (Kind::Range, Object::Range(opaque("range type"))),
            _ => (Kind::BaseType, Object::BaseType(opaque("base type"))),
        };
        let Some(id) = out.in_schema(kind, schema, name) else { return Ok(()) };
        out.add(id, object, class::TYPE, oid, 0)?;
        out.alias(class::TYPE, row.opt_oid()?, id);
        out.alias(class::RELATION, row.opt_oid()?, id);
        out.alias(class::TYPE, row.opt_oid()?, id);
        out.alias(class::TYPE, row.opt_oid()?, id);
        Ok(())
    },
};

/// Foreign tables and materialized views.
pub const RELATIONS: Reader = Reader {
    name: "foreign tables and materialized views",
    sql: |_| include_str!("relations.sql").into(),
    decode: |row, out| {
        let (oid, name, schema, letter) = (row.oid()?, row.ident()?, row.oid()?, row.letter()?);
        let (kind, object) = match letter {
            'f' => (Kind::ForeignTable, Object::ForeignTable(opaque("foreign table"))),
            _ => (Kind::MaterializedView, Object::MaterializedView(opaque("materialized view"))),
        };
        let Some(id) = out.in_schema(kind, schema, name) else { return Ok(()) };
        out.add(id, object, class::RELATION, oid, 0)?;
        out.alias(class::TYPE, row.opt_oid()?, id);
        out.alias(class::TYPE, row.opt_oid()?, id);
        Ok(())
    },
};

/// Functions, procedures, window functions and aggregates.
pub const ROUTINES: Reader = Reader {
    name: "functions",
    sql: |_| include_str!("routines.sql").into(),
    decode: |row, out| {
        let (oid, name, schema, letter) = (row.oid()?, row.ident()?, row.oid()?, row.letter()?);
        let arguments = row.list()?;
        // The constructors of a range type are part of the type.
        if let (Some(class), Some(owner)) = (row.opt_oid()?, row.opt_oid()?)
            && let Some(owner) = out.find(class, owner, 0)
        {
            out.alias(class::ROUTINE, Some(oid), owner);
            return Ok(());
        }
        let Some(schema) = out.schema(schema) else { return Ok(()) };
        let types: Result<Vec<&str>, Error> = arguments
            .iter()
            .map(|argument| Ok(type_name(argument)?.without_modifiers().canonical().as_str()))
            .collect();
        let address = Address::Routine(QName::new(schema, name), Text::new(&types?.join(", ")));
        let (kind, object) = match letter {
            'a' => (Kind::Aggregate, Object::Aggregate(opaque("aggregate"))),
            'p' => (Kind::Function, Object::Function(opaque("procedure"))),
            'w' => (Kind::Function, Object::Function(opaque("window function"))),
            _ => (Kind::Function, Object::Function(opaque("function"))),
        };
        out.add(ObjectId::new(kind, address), object, class::ROUTINE, oid, 0)
    },
};

/// Rules; the rule of a view is the view itself.
pub const RULES: Reader = Reader {
    name: "rules",
    sql: |_| "SELECT oid, rulename, ev_class, rulename = '_RETURN' FROM pg_rewrite WHERE oid >= 16384".into(),
    decode: |row, out| {
        let (oid, name) = (row.oid()?, row.ident()?);
        let Some(parent) = out.relation(row.oid()?) else { return Ok(()) };
        if row.flag()? {
            out.alias(class::RULE, Some(oid), parent);
            return Ok(());
        }
        out.add(ObjectId::on(Kind::Rule, parent, name), Object::Rule(opaque("rule")), class::RULE, oid, 0)
    },
};

/// Publications; their members are part of them.
pub const PUBLICATIONS: Reader = Reader {
    name: "publications",
    sql: |version| crate::read::for_version(include_str!("publications.sql"), version),
    decode: |row, out| {
        let (class, oid, publication) = (row.oid()?, row.oid()?, row.oid()?);
        if let Some(name) = row.opt_text()? {
            let id = ObjectId::global(Kind::Publication, Ident::new(name));
            return out.add_global(id, Object::Publication(opaque("publication")), class, oid, None);
        }
        if let Some(id) = out.find(class::PUBLICATION, publication, 0) {
            out.alias(class, Some(oid), id);
        }
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
        out.add_global(id, Object::Unmodelled(opaque(what)), class, oid, schema)
    },
};
