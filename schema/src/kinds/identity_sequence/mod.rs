//! The sequence behind an identity column: its name, and whether it is logged otherwise than its table. An object of its
//! own, so that privileges and a comment can stand on it; it comes and goes with the column's identity.
//!
//! Not here: who gives the values and the settings of the sequence, which belong to the column (`column::Identity`).
//! Its owner is the table's, always, and it is always in the table's schema.

pub mod declare;
pub mod write;

use crate::catalog::Catalog;
use crate::id::{ObjectId, Slot};
use crate::ident::{Ident, QName};
use crate::kinds::{grant, key};
use crate::object::{Alter, Context, Kind, Nature, Object, ObjectKind, Visitor};
use crate::sql::Sql;
use crate::step::Steps;
use crate::write::Writer;

/// The sequence of an identity column.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default, serde::Serialize, serde::Deserialize)]
pub struct IdentitySequence {
    /// Its name. Where no file says one, it keeps the one that it has, or gets the one that PostgreSQL chooses.
    pub name: Option<Ident>,
    /// Whether it is written to the write-ahead log, where that is otherwise than its table (PostgreSQL 15).
    pub unlogged: Option<bool>,
}

/// The id of the sequence of an identity column.
pub fn id(column: ObjectId) -> ObjectId {
    ObjectId::of(Kind::IdentitySequence, column, "")
}

/// The name that PostgreSQL gives the sequence of a column, where nobody else has it.
pub fn chosen(column: ObjectId) -> Option<QName> {
    let table = column.parent()?.qname()?;
    let name = key::chosen_name(table.name.as_str(), column.name().as_str(), "seq");
    Some(QName { schema: table.schema, name: Ident::new(name.as_str()) })
}

impl IdentitySequence {
    fn qname(self, id: ObjectId) -> Option<QName> {
        let chosen = chosen(id.parent()?)?;
        Some(QName { name: self.name.unwrap_or(chosen.name), ..chosen })
    }

    /// Its name where the statement that makes it has to say it.
    pub fn said(self, column: ObjectId) -> Option<QName> {
        let own = self.qname(id(column))?;
        (Some(own) != chosen(column)).then_some(own)
    }

    /// `ALTER SEQUENCE app.s SET UNLOGGED`, where it differs from what it is.
    fn log(self, old: Option<bool>, id: ObjectId, context: &Context<'_>, out: &mut Steps) {
        if self.unlogged == old {
            return;
        }
        let as_table = match context.desired.get(id.root()).map(|entry| &entry.object) {
            Some(Object::Table(table)) => table.unlogged,
            _ => false,
        };
        let mut sql = Sql::new("ALTER SEQUENCE");
        if let Some(name) = self.qname(id) {
            sql.name(name);
        }
        sql.kw(if self.unlogged.unwrap_or(as_table) { "SET UNLOGGED" } else { "SET LOGGED" });
        out.push(sql);
    }
}

/// What the sequence is called on the first of the two sides that has it.
pub fn name_of(id: ObjectId, sides: [&Catalog; 2]) -> Option<QName> {
    let found = sides.into_iter().find_map(|side| match side.get(id).map(|entry| &entry.object) {
        Some(Object::IdentitySequence(sequence)) => sequence.qname(id),
        _ => None,
    });
    found.or_else(|| IdentitySequence::default().qname(id))
}

impl ObjectKind for IdentitySequence {
    fn nature(&self) -> Nature {
        Nature::DATA
    }

    fn visit(&mut self, _: &mut dyn Visitor) {}

    fn inherit(&mut self, current: &Self) {
        self.name = self.name.or(current.name);
    }

    fn extra_slots(&self, id: ObjectId) -> Vec<Slot> {
        self.qname(id).map(Slot::Relation).into_iter().collect()
    }

    fn implies(&self, id: ObjectId, context: &Context<'_>) -> Vec<(ObjectId, Object)> {
        grant::implied(id, context)
    }

    fn write(&self, id: ObjectId, out: &mut Writer<'_>) {
        write::write(*self, id, out);
    }

    /// The column's own statement makes it.
    fn create(&self, id: ObjectId, context: &Context<'_>, out: &mut Steps) {
        self.log(None, id, context, out);
    }

    fn alter(old: &Self, new: &Self, id: ObjectId, context: &Context<'_>, out: &mut Steps) -> Alter {
        let Self { name, unlogged: _ } = new;
        if *name != old.name
            && let (Some(from), Some(to)) = (old.qname(id), new.qname(id))
            && from != to
        {
            let mut sql = Sql::new("ALTER SEQUENCE");
            sql.name(from).kw("RENAME TO").ident(to.name);
            out.push(sql);
        }
        new.log(old.unlogged, id, context, out);
        Alter::InPlace
    }

    /// It goes with its column, or with what makes that an identity column.
    fn drop(&self, _: ObjectId, _: &Context<'_>, _: &mut Steps) {}
}
