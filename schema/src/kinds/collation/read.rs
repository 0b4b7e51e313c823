//! Reads collations.

use super::Collation;
use crate::fragment::Aside;
use crate::ident::Text;
use crate::object::{Kind, Object};
use crate::read::{Reader, class, for_version};

/// Collations.
pub const READER: Reader = Reader {
    name: "collations",
    sql: |version| {
        for_version(&include_str!("read.sql").replace("/* locale */", locale_column(version)), version)
    },
    decode: |row, out| {
        let (oid, name, schema) = (row.oid()?, row.ident()?, row.oid()?);
        let Some(id) = out.in_schema(Kind::Collation, schema, name) else { return Ok(()) };
        let owner = Aside(Some(out.role(row.oid()?)?));
        let provider = Text::new(row.text()?);
        let (collate, ctype) = (Text::new(row.text()?), Text::new(row.text()?));
        let deterministic = row.flag()?;
        let rules = row.opt_text()?.map(Text::new);
        let collation = Collation { provider, collate, ctype, deterministic, rules, owner };
        out.add(id, Object::Collation(collation), class::COLLATION, oid, 0)
    },
};

/// Where a version keeps the locale of other providers than libc; NULL, where it is with libc's.
fn locale_column(version: u32) -> &'static str {
    match version {
        ..15 => "NULL::text",
        15 | 16 => "o.colliculocale",
        _ => "o.colllocale",
    }
}
