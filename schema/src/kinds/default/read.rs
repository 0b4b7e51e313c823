//! Reads the defaults of columns. The expressions of generated columns belong to the column.

use crate::fragment::{Fragment, Grammar};
use crate::id::ObjectId;
use crate::kinds::default::Default;
use crate::kinds::table;
use crate::object::{Kind, Object};
use crate::read::{Reader, class};

/// Defaults; a view's columns may have some too.
pub const READER: Reader = Reader {
    name: "defaults",
    sql: |_| include_str!("read.sql").into(),
    decode: |row, out| {
        let (oid, relation, number) = (row.oid()?, row.oid()?, row.sub()?);
        let Some(column) = out.target(class::RELATION, relation, number) else { return Ok(()) };
        let id = ObjectId::of(Kind::Default, column, "");
        let (text, own) = (row.text()?, row.flag()?);
        // A child has a copy of its parent's.
        let inherited = out.catalog.get(column).map(|entry| &entry.object);
        let inherited = matches!(inherited, Some(Object::Column(column)) if column.inherited.0);
        if inherited && !own {
            let origin = table::origin(&out.catalog, column);
            out.clone_of(
                class::DEFAULT,
                Some(oid),
                origin.map_or(column, |of| ObjectId::of(Kind::Default, of, "")),
            );
            return Ok(());
        }
        let value = Fragment::canonical(text, Grammar::Expression);
        out.add(id, Object::Default(Default::new(value)), class::DEFAULT, oid, 0)
    },
};
