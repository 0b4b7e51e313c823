//! Reads materialized views.

use super::MaterializedView;
use crate::fragment::{Aside, Fragment, Grammar};
use crate::ident::Text;
use crate::kinds::options::Options;
use crate::kinds::view::output_query;
use crate::object::{Kind, Object};
use crate::read::{Reader, class};

/// Materialized views.
pub const READER: Reader = Reader {
    name: "materialized views",
    sql: |_| include_str!("read.sql").replace("/* output */", &output_query("c.oid")),
    decode: |row, out| {
        let (oid, name, schema) = (row.oid()?, row.ident()?, row.oid()?);
        let Some(id) = out.in_schema(Kind::MaterializedView, schema, name) else { return Ok(()) };
        let (row_type, array_type) = (row.opt_oid()?, row.opt_oid()?);
        let owner = Aside(Some(out.role(row.oid()?)?));
        let options = Options(row.options()?.into_iter().collect());
        let access_method = row.opt_ident()?.filter(|method| method.as_str() != "heap");
        let (tablespace, with_data) = (row.opt_ident()?, Aside(row.flag()?));
        let query = row.text()?.trim_end();
        let query = Fragment::canonical(query.strip_suffix(';').unwrap_or(query), Grammar::Query);
        let output = Aside(row.opt_text()?.map(Text::new));
        let view = MaterializedView { query, options, access_method, tablespace, with_data, owner, output };
        out.add(id, Object::MaterializedView(view), class::RELATION, oid, 0)?;
        out.alias(class::TYPE, row_type, id);
        out.alias(class::TYPE, array_type, id);
        Ok(())
    },
};
