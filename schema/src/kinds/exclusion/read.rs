//! Reads exclusion constraints; their indexes are part of them.

use crate::fragment::{Fragment, Grammar};
use crate::id::ObjectId;
use crate::kinds::exclusion::{Exclusion, stored_definition};
use crate::kinds::key::read::timing;
use crate::kinds::key::{clustered_part, part_of};
use crate::kinds::options::Options;
use crate::object::{Kind, Object};
use crate::read::{Reader, class};

/// Exclusion constraints.
pub const READER: Reader = Reader {
    name: "exclusion constraints",
    sql: |_| include_str!("read.sql").into(),
    decode: |row, out| {
        let (oid, name, relation, index) = (row.oid()?, row.ident()?, row.oid()?, row.opt_oid()?);
        let Some(parent) = out.relation(relation) else { return Ok(()) };
        let (whole, clustered) = (row.opt_oid()?, row.flag()?);
        clustered_part(out, clustered, ObjectId::on(Kind::Exclusion, parent, name));
        if let Some(whole) = whole {
            part_of(out, (oid, index), whole, ObjectId::on(Kind::Exclusion, parent, name));
            return Ok(());
        }
        let definition = Fragment::canonical(&stored_definition(row.text()?), Grammar::Exclusion);
        let timing = timing(row)?;
        let options = Options(row.options()?.into_iter().collect());
        let exclusion = Exclusion { definition, timing, options, tablespace: row.opt_ident()? };
        let id = ObjectId::on(Kind::Exclusion, parent, name);
        out.add(id, Object::Exclusion(exclusion), class::CONSTRAINT, oid, 0)?;
        out.alias(class::RELATION, index, id);
        Ok(())
    },
};
