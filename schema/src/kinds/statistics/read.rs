//! Reads extended statistics.

use crate::fragment::{Fragment, Grammar};
use crate::id::ObjectId;
use crate::kinds::statistics::{Statistics, stored_definition};
use crate::object::{Kind, Object};
use crate::read::{Reader, class};

/// Extended statistics.
pub const READER: Reader = Reader {
    name: "statistics",
    sql: |_| {
        "SELECT oid, stxname, stxrelid, stxnamespace, pg_get_statisticsobjdef(oid), NULLIF(stxstattarget, -1) \
         FROM pg_statistic_ext WHERE oid >= 16384"
            .into()
    },
    decode: |row, out| {
        let (oid, name) = (row.oid()?, row.ident()?);
        let (Some(table), Some(schema)) = (out.relation(row.oid()?), out.schema(row.oid()?)) else {
            return Ok(());
        };
        let id = ObjectId::on(Kind::Statistics, table, name);
        if out.catalog.contains(id) {
            out.unplaced.push(format!("statistics {schema}.{name} beside others of that name on {table}"));
            return Ok(());
        }
        let definition = Fragment::canonical(&stored_definition(row.text()?), Grammar::Statistics);
        let statistics = Statistics { schema, definition, target: row.opt_int()? };
        out.add(id, Object::Statistics(statistics), class::STATISTICS, oid, 0)
    },
};
