//! Schemas. Their privileges and comment are objects of their own.

pub mod read;
pub mod write;

use crate::fragment::Aside;
use crate::id::ObjectId;
use crate::ident::Ident;
use crate::kinds::{grant, types};
use crate::object::{Alter, Context, Kind, Nature, Object, ObjectKind, Visitor};
use crate::sql::Sql;
use crate::step::{Loss, Steps};
use crate::write::Writer;

/// A schema.
#[derive(Clone, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub struct Schema {
    /// Its owner, where it is known.
    pub owner: Aside<Option<Ident>>,
}

/// Who owns what every new database has: the schema `public`. Before PostgreSQL 15 it is whoever made the cluster.
pub fn first_owner(id: ObjectId, version: u32) -> Option<Option<Ident>> {
    let is_public = id.kind() == Kind::Schema && id.name().as_str() == "public";
    is_public.then(|| (version >= 15).then(|| Ident::new("pg_database_owner")))
}

impl ObjectKind for Schema {
    fn nature(&self) -> Nature {
        Nature::DATA
    }

    fn visit(&mut self, _: &mut dyn Visitor) {}

    crate::kinds::types::has_owner!();

    /// ALTER DEFAULT PRIVILEGES … ON SCHEMAS is about new schemas too.
    fn implies(&self, id: ObjectId, context: &Context<'_>) -> Vec<(ObjectId, Object)> {
        grant::implied(id, context)
    }

    fn write(&self, id: ObjectId, out: &mut Writer<'_>) {
        write::write(self, id, out);
    }

    fn create(&self, id: ObjectId, context: &Context<'_>, out: &mut Steps) {
        let mut sql = Sql::new("CREATE SCHEMA");
        sql.ident(id.name());
        out.push(sql);
        types::set_owner(id, self.owner.0, context, out);
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
