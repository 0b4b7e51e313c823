//! Reads views. Their columns are no objects; `output` holds them.

use crate::fragment::{Aside, Fragment, Grammar};
use crate::ident::Text;
use crate::kinds::options::Options;
use crate::kinds::view::{View, output_query};
use crate::object::{Kind, Object};
use crate::read::{Reader, class};

/// Views.
pub const READER: Reader = Reader {
    name: "views",
    sql: |_| include_str!("read.sql").replace("/* output */", &output_query("c.oid")),
    decode: |row, out| {
        let (oid, name, schema) = (row.oid()?, row.ident()?, row.oid()?);
        let Some(id) = out.in_schema(Kind::View, schema, name) else { return Ok(()) };
        let (row_type, array_type) = (row.opt_oid()?, row.opt_oid()?);
        let owner = Aside(Some(out.role(row.oid()?)?));
        let options = Options(row.options()?.into_iter().collect());
        let query = row.text()?.trim_end();
        let query = Fragment::canonical(query.strip_suffix(';').unwrap_or(query), Grammar::Query);
        let output = Aside(row.opt_text()?.map(Text::new));
        let view = View { query, columns: Aside(Vec::new()), options, owner, output };
        out.add(id, Object::View(view), class::RELATION, oid, 0)?;
        out.alias(class::TYPE, row_type, id);
        out.alias(class::TYPE, array_type, id);
        Ok(())
    },
};
