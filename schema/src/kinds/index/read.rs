//! Reads the indexes that belong to no constraint.

use crate::fragment::{Fragment, Grammar};
use crate::id::ObjectId;
use crate::kinds::index::{Index, stored_definition};
use crate::kinds::key;
use crate::kinds::options::Options;
use crate::object::{Kind, Object};
use crate::read::{Reader, class};

/// Indexes.
pub const READER: Reader = Reader {
    name: "indexes",
    sql: |_| include_str!("read.sql").into(),
    decode: |row, out| {
        let (oid, name) = (row.oid()?, row.ident()?);
        let Some(parent) = out.relation(row.oid()?) else { return Ok(()) };
        let (whole, clustered) = (row.opt_oid()?, row.flag()?);
        if let Some(whole) = whole {
            // A part of the partitioned table's.
            if let Some(whole) = out.find(class::RELATION, whole, 0) {
                out.clone_of(class::RELATION, Some(oid), whole);
                out.part(parent, Kind::Index, name, whole);
                key::clustered_part(out, clustered, ObjectId::on(Kind::Index, parent, name));
            }
            return Ok(());
        }
        let (unique, valid) = (row.flag()?, row.flag()?);
        let definition = Fragment::canonical(&stored_definition(row.text()?), Grammar::Index);
        let options = Options(row.options()?.into_iter().collect());
        let tablespace = row.opt_ident()?;
        let statistics = Options(row.options()?.into_iter().collect());
        let keys: Vec<u32> = row.numbers()?;
        let index = Index { unique, definition, options, tablespace, clustered, statistics, invalid: !valid };
        let id = ObjectId::on(Kind::Index, parent, name);
        out.add(id, Object::Index(index), class::RELATION, oid, 0)?;
        for key in keys {
            let own = out.find(class::RELATION, key, 0);
            if let Some((table, own)) = own.and_then(|own| Some((own.parent()?, own))) {
                out.part(table, own.kind(), own.name(), id);
            }
        }
        Ok(())
    },
};
