//! Schemas. Their privileges and comment are objects of their own.

pub mod read;
pub mod write;

use crate::fragment::Aside;
use crate::id::ObjectId;
use crate::ident::Ident;
use crate::object::{Alter, Context, Nature, ObjectKind, Visitor};
use crate::sql::Sql;
use crate::step::{Loss, Steps};
use crate::write::Writer;

/// A schema.
#[derive(Clone, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub struct Schema {
    /// Its owner, where it is known.
    pub owner: Aside<Option<Ident>>,
}

impl ObjectKind for Schema {
    fn nature(&self) -> Nature {
        Nature::DATA
    }

    fn visit(&mut self, _: &mut dyn Visitor) {}

    fn inherit(&mut self, current: &Self) {
        self.owner = current.owner;
    }

    fn write(&self, id: ObjectId, out: &mut Writer<'_>) {
        write::write(self, id, out);
    }

    fn create(&self, id: ObjectId, _: &Context<'_>, out: &mut Steps) {
        let mut sql = Sql::new("CREATE SCHEMA");
        sql.ident(id.name());
        out.push(sql);
    }

    fn alter(_: &Self, new: &Self, _: ObjectId, _: &Context<'_>, _: &mut Steps) -> Alter {
        let Self { owner: _ } = new;
        Alter::InPlace
    }

    fn drop(&self, id: ObjectId, _: &Context<'_>, out: &mut Steps) {
        let mut sql = Sql::new("DROP SCHEMA");
        sql.ident(id.name());
        out.push(sql).loses(Loss::DropObject, id);
    }
}
