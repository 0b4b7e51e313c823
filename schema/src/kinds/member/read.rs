//! Reads which tables publications hold one by one.

use super::Member;
use crate::fragment::{Fragment, Grammar};
use crate::id::ObjectId;
use crate::object::{Kind, Object};
use crate::read::{Reader, class};

/// `pg_publication_rel`.
const PUBLISHED_TABLE: u32 = 6106;

/// Tables in publications.
pub const READER: Reader = Reader {
    name: "published tables",
    sql: |version| crate::read::for_version(include_str!("read.sql"), version),
    decode: |row, out| {
        let oid = row.oid()?;
        let publication = out.exact(class::PUBLICATION, row.oid()?, 0);
        let relation = row.oid()?;
        let numbers = row.numbers::<i32>()?;
        let rows = row.text_if()?.map(|text| Fragment::canonical(text, Grammar::Expression));
        let (Some(publication), Some(table)) = (publication, out.relation(relation)) else { return Ok(()) };
        let columns = out.column_names(relation, &numbers)?.into_iter().collect();
        let id = ObjectId::on(Kind::Member, table, publication.name());
        out.add(id, Object::Member(Member { columns, rows }), PUBLISHED_TABLE, oid, 0)?;
        out.uses(id, publication);
        Ok(())
    },
};
