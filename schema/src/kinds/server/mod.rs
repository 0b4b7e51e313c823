//! Foreign servers, without the mappings of users, which hold passwords.

pub mod read;
pub mod write;

use crate::catalog::Catalog;
use crate::fragment::Aside;
use crate::id::ObjectId;
use crate::ident::{Ident, Text};
use crate::kinds::options::Options;
use crate::kinds::{grant, types};
use crate::object::{Alter, Context, Kind, Nature, Object, ObjectKind, Visitor};
use crate::sql::Sql;
use crate::step::{Loss, Steps};
use crate::write::Writer;

/// A foreign server.
#[derive(Clone, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub struct Server {
    /// Its wrapper.
    pub wrapper: Ident,
    /// Its type.
    pub kind: Option<Text>,
    /// Its version.
    pub version: Option<Text>,
    /// Its options.
    pub options: Options,
    /// Its owner, where it is known.
    pub owner: Aside<Option<Ident>>,
}

impl ObjectKind for Server {
    fn nature(&self) -> Nature {
        Nature { dies_with_parent: false, ..Nature::CARRIED }
    }

    fn visit(&mut self, _: &mut dyn Visitor) {}

    fn uses(&self, _: ObjectId, catalog: &Catalog, out: &mut Vec<ObjectId>) {
        let wrapper = ObjectId::global(Kind::ForeignDataWrapper, self.wrapper);
        out.extend(catalog.contains(wrapper).then_some(wrapper));
    }

    crate::kinds::types::has_owner!();

    fn implies(&self, id: ObjectId, context: &Context<'_>) -> Vec<(ObjectId, Object)> {
        grant::implied(id, context)
    }

    fn write(&self, id: ObjectId, out: &mut Writer<'_>) {
        write::write(self, id, out);
    }

    fn create(&self, id: ObjectId, context: &Context<'_>, out: &mut Steps) {
        let mut sql = Sql::new("CREATE SERVER");
        sql.ident(id.name());
        if let Some(kind) = self.kind {
            sql.kw("TYPE").literal(kind.as_str());
        }
        if let Some(version) = self.version {
            sql.kw("VERSION").literal(version.as_str());
        }
        sql.kw("FOREIGN DATA WRAPPER").ident(self.wrapper);
        self.options.generic(&mut sql);
        out.push(sql);
        types::set_owner(id, self.owner.0, context, out);
    }

    fn alter(old: &Self, new: &Self, id: ObjectId, _: &Context<'_>, out: &mut Steps) -> Alter {
        let Self { wrapper, kind, version, options, owner: _ } = new;
        if *wrapper != old.wrapper || *kind != old.kind {
            return Alter::Replace("a server's wrapper and type are chosen when it is created");
        }
        if *version != old.version {
            let mut sql = types::alter(id);
            sql.kw("VERSION");
            match version {
                Some(version) => sql.literal(version.as_str()),
                None => sql.kw("NULL"),
            };
            out.push(sql);
        }
        if *options != old.options {
            let mut sql = types::alter(id);
            old.options.generic_changes(options, &mut sql);
            out.push(sql);
        }
        Alter::InPlace
    }

    fn drop(&self, id: ObjectId, _: &Context<'_>, out: &mut Steps) {
        out.push(types::drop(id)).loses(Loss::DropObject, id);
    }
}
