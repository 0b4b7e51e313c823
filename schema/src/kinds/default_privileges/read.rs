//! Reads privileges by default.

use crate::ident::{Ident, Text};
use crate::kinds::default_privileges::DefaultPrivileges;
use crate::kinds::grant::Grant;
use crate::kinds::grant::read::{by_grantee, is_complete, items};
use crate::object::{Kind, Object};
use crate::read::Reader;

/// `pg_default_acl`.
const DEFAULT_PRIVILEGES: u32 = 826;

/// Privileges by default. An entry for everywhere replaces what PostgreSQL gives by itself, so a grantee of that who
/// is not in it has an empty one.
pub const READER: Reader = Reader {
    name: "default privileges",
    sql: |_| {
        "SELECT oid, defaclrole, defaclnamespace, defaclobjtype, defaclacl::text FROM pg_default_acl".into()
    },
    decode: |row, out| {
        let oid = row.oid()?;
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
        if schema.is_none() {
            grants.entry(role).or_default();
            if grants.get(&role).is_some_and(|grant| is_complete(grant, kind, out.version)) {
                grants.remove(&role);
            }
        }
        if schema.is_none() && matches!(kind, Kind::Function | Kind::Enum) {
            // Where everybody has what PostgreSQL gives by itself, nothing is said; otherwise it was taken away.
            let everybody = Ident::new("public");
            if grants.get(&everybody) == Some(&Grant::all(kind, out.version)) {
                grants.remove(&everybody);
            } else {
                grants.entry(everybody).or_default();
            }
        }
        for (grantee, grant) in grants {
            let entry = DefaultPrivileges { role, schema, objects: Text::new(objects), grantee, grant };
            let (id, schema) = (entry.id(), entry.schema);
            out.add_global(id, Object::DefaultPrivileges(entry), DEFAULT_PRIVILEGES, oid, schema)?;
        }
        Ok(())
    },
};
