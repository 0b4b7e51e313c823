//! Reads event triggers.

use super::EventTrigger;
use crate::fragment::Aside;
use crate::id::ObjectId;
use crate::ident::{QName, Text};
use crate::kinds::trigger::read::enabled;
use crate::object::{Kind, Object};
use crate::read::{Reader, class};
use crate::reference::{Reference, Target};

/// Event triggers.
pub const READER: Reader = Reader {
    name: "event triggers",
    sql: |_| include_str!("read.sql").into(),
    decode: |row, out| {
        let (oid, name) = (row.oid()?, row.ident()?);
        let owner = Aside(Some(out.role(row.oid()?)?));
        let event = row.ident()?;
        let tags = row.list()?.iter().map(|tag| Text::new(tag)).collect();
        let function = Reference::to(Target::Routine, QName::new(row.ident()?, row.ident()?));
        let enabled = enabled(row.letter()?);
        let trigger = EventTrigger { event, tags, function, enabled, owner };
        let id = ObjectId::global(Kind::EventTrigger, name);
        out.add_global(id, Object::EventTrigger(trigger), class::EVENT_TRIGGER, oid, None)
    },
};
