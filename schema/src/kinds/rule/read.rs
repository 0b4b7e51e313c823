//! Reads rules; that of a view is another name of the view.

use super::{Event, Rule, behind_table};
use crate::fragment::{Fragment, Grammar};
use crate::id::ObjectId;
use crate::kinds::trigger::read::enabled;
use crate::object::{Kind, Object};
use crate::read::{Reader, class};

/// Rules.
pub const READER: Reader = Reader {
    name: "rules",
    sql: |_| include_str!("read.sql").into(),
    decode: |row, out| {
        let (oid, name) = (row.oid()?, row.ident()?);
        let Some(parent) = out.relation(row.oid()?) else { return Ok(()) };
        if row.flag()? {
            out.alias(class::RULE, Some(oid), parent);
            return Ok(());
        }
        let event = match row.letter()? {
            '2' => Event::Update,
            '4' => Event::Delete,
            _ => Event::Insert,
        };
        let definition = row.text_if()?.map_or("", behind_table);
        let definition = Fragment::canonical(definition, Grammar::Rule);
        let rule = Rule { event, definition, enabled: enabled(row.letter()?) };
        out.add(ObjectId::on(Kind::Rule, parent, name), Object::Rule(rule), class::RULE, oid, 0)
    },
};
