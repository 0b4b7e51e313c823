//! Reads the checks of tables and domains.

use crate::fragment::{Fragment, Grammar};
use crate::id::ObjectId;
use crate::kinds::check::Check;
use crate::kinds::table;
use crate::object::{Kind, Object};
use crate::read::{Reader, class, for_version};

/// Checks.
pub const READER: Reader = Reader {
    name: "checks",
    sql: |version| for_version(include_str!("read.sql"), version),
    decode: |row, out| {
        let (oid, name) = (row.oid()?, row.ident()?);
        let (relation, domain) = (row.oid()?, row.oid()?);
        let parent = out.relation(relation).or_else(|| out.exact(class::TYPE, domain, 0));
        let Some(parent) = parent else { return Ok(()) };
        let expression = Fragment::canonical(row.text()?, Grammar::Expression);
        let no_inherit = row.flag()?;
        let (validated, enforced) = (row.flag()?, row.flag()?);
        // What is not enforced is never valid; that goes without saying.
        let id = ObjectId::on(Kind::Check, parent, name);
        if row.flag()? {
            let origin = table::origin(&out.catalog, id);
            out.clone_of(class::CONSTRAINT, Some(oid), origin.unwrap_or(parent));
            if let Some(origin) = origin {
                out.part(parent, Kind::Check, name, origin);
            }
            return Ok(());
        }
        let check =
            Check { expression, no_inherit, not_valid: enforced && !validated, not_enforced: !enforced };
        out.add(id, Object::Check(check), class::CONSTRAINT, oid, 0)
    },
};
