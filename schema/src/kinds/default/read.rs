//! Reads the defaults of columns. The expressions of generated columns belong to the column.

use crate::fragment::{Fragment, Grammar};
use crate::id::ObjectId;
use crate::kinds::default::Default;
use crate::object::{Kind, Object};
use crate::read::{Reader, class};

/// Defaults; a view's columns may have some too.
pub const READER: Reader = Reader {
    name: "defaults",
    sql: |_| include_str!("read.sql").into(),
    decode: |row, out| {
        let (oid, relation, number) = (row.oid()?, row.oid()?, row.sub()?);
        let Some(column) = out.target(class::RELATION, relation, number) else { return Ok(()) };
        let text = row.text()?;
        if text.starts_with("NULL::") && Default::is_null(text) {
            return Ok(());
        }
        let value = Fragment::canonical(text, Grammar::Expression);
        let id = ObjectId::of(Kind::Default, column, "");
        out.add(id, Object::Default(Default::new(value)), class::DEFAULT, oid, 0)
    },
};
