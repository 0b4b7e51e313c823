//! Reads privileges by default.

use crate::ident::{Ident, Text};
use crate::kinds::default_privileges::DefaultPrivileges;
use crate::kinds::grant::read::{by_grantee, is_complete, items};
use crate::object::{Kind, Object};
use crate::read::Reader;

/// Privileges by default. An entry for everywhere replaces what PostgreSQL gives by itself, so a grantee of that who
/// is not in it has an empty one.
pub const READER: Reader = Reader {
    name: "default privileges",
    sql: |_| "SELECT defaclrole, defaclnamespace, defaclobjtype, defaclacl::text FROM pg_default_acl".into(),
    decode: |row, out| {
        let role = out.role(row.oid()?)?;
        let schema = match row.opt_oid()?.map(|oid| out.schema(oid)) {
            Some(None) => return Ok(()),
            Some(schema) => schema,
            None => None,
        };
        let (objects, kind) = match row.letter()? {
            'r' => ("TABLES", Kind::Table),
            'S' => ("SEQUENCES", Kind::Sequence),
            'f' => ("FUNCTIONS", Kind::Function),
            'T' => ("TYPES", Kind::Enum),
            'n' => ("SCHEMAS", Kind::Schema),
            other => {
                out.unplaced.push(format!("default privileges of role {role} for objects of kind {other}"));
                return Ok(());
            }
        };
        let mut grants = by_grantee(&items(row.text()?)?);
        if grants.get(&role).is_some_and(|grant| is_complete(grant, kind, out.version)) {
            grants.remove(&role);
        }
        if schema.is_none() && matches!(kind, Kind::Function | Kind::Enum) {
            grants.entry(Ident::new("public")).or_default();
        }
        for (grantee, grant) in grants {
            let entry = DefaultPrivileges { role, schema, objects: Text::new(objects), grantee, grant };
            out.add_satellite(entry.id(), Object::DefaultPrivileges(entry))?;
        }
        Ok(())
    },
};
