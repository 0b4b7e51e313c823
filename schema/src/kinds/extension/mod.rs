//! Extensions. What they bring with them belongs to them and is never changed.

pub mod read;
pub mod write;

use crate::catalog::Catalog;
use crate::id::ObjectId;
use crate::ident::{Ident, Text};
use crate::object::{Alter, Context, Kind, Nature, ObjectKind, Visitor};
use crate::sql::Sql;
use crate::step::{Loss, Steps};
use crate::write::Writer;

/// An extension.
#[derive(Clone, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub struct Extension {
    /// The schema of its objects; the one it has, when nobody says.
    pub schema: Option<Ident>,
    /// Its version; the one it has, when nobody says.
    pub version: Option<Text>,
}

fn head(word: &'static str, id: ObjectId) -> Sql {
    let mut sql = Sql::new(word);
    sql.kw("EXTENSION").ident(id.name());
    sql
}

impl ObjectKind for Extension {
    fn nature(&self) -> Nature {
        Nature { dies_with_parent: false, ..Nature::DATA }
    }

    fn visit(&mut self, _: &mut dyn Visitor) {}

    fn inherit(&mut self, current: &Self) {
        self.schema = self.schema.or(current.schema);
        self.version = self.version.or(current.version);
    }

    fn brings(&self) -> Option<Ident> {
        Some(self.schema.unwrap_or_else(|| Ident::new("public")))
    }

    fn uses(&self, _: ObjectId, catalog: &Catalog, out: &mut Vec<ObjectId>) {
        let schema = self.schema.map(|schema| ObjectId::global(Kind::Schema, schema));
        out.extend(schema.filter(|schema| catalog.contains(*schema)));
    }

    fn write(&self, id: ObjectId, out: &mut Writer<'_>) {
        write::write(self, id, out);
    }

    fn create(&self, id: ObjectId, _: &Context<'_>, out: &mut Steps) {
        let mut sql = head("CREATE", id);
        if let Some(schema) = self.schema {
            sql.kw("SCHEMA").ident(schema);
        }
        if let Some(version) = self.version {
            sql.kw("VERSION").literal(version.as_str());
        }
        out.push(sql);
    }

    fn alter(old: &Self, new: &Self, id: ObjectId, _: &Context<'_>, out: &mut Steps) -> Alter {
        let Self { schema, version } = new;
        if let (true, Some(schema)) = (*schema != old.schema, schema) {
            let mut sql = head("ALTER", id);
            sql.kw("SET SCHEMA").ident(*schema);
            out.push(sql);
        }
        if let (true, Some(version)) = (*version != old.version, version) {
            let mut sql = head("ALTER", id);
            sql.kw("UPDATE TO").literal(version.as_str());
            out.push(sql);
        }
        Alter::InPlace
    }

    fn drop(&self, id: ObjectId, _: &Context<'_>, out: &mut Steps) {
        out.push(head("DROP", id)).loses(Loss::DropObject, id);
    }
}
