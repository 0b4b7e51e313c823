//! Foreign tables, without what stands on them. They hold no rows here: they may be dropped and made again.

pub mod read;
pub mod write;

use crate::catalog::Catalog;
use crate::fragment::Aside;
use crate::id::ObjectId;
use crate::ident::Ident;
use crate::kinds::options::Options;
use crate::kinds::{grant, naming, table, types};
use crate::object::{Alter, Context, Kind, Nature, Object, ObjectKind, Visitor};
use crate::sql::Sql;
use crate::step::{ELEMENTS, Lock, Loss, Steps};
use crate::write::Writer;

/// A foreign table.
#[derive(Clone, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub struct ForeignTable {
    /// Its server.
    pub server: Ident,
    /// Its options.
    pub options: Options,
    /// Its owner, where it is known.
    pub owner: Aside<Option<Ident>>,
}

impl ObjectKind for ForeignTable {
    fn nature(&self) -> Nature {
        Nature { dies_with_parent: false, ..Nature::CARRIED }
    }

    fn visit(&mut self, _: &mut dyn Visitor) {}

    fn uses(&self, _: ObjectId, catalog: &Catalog, out: &mut Vec<ObjectId>) {
        let server = ObjectId::global(Kind::Server, self.server);
        out.extend(catalog.contains(server).then_some(server));
    }

    crate::kinds::types::has_owner!();

    fn implies(&self, id: ObjectId, context: &Context<'_>) -> Vec<(ObjectId, Object)> {
        grant::implied(id, context)
    }

    fn write(&self, id: ObjectId, out: &mut Writer<'_>) {
        write::write(self, id, out);
    }

    fn create(&self, id: ObjectId, context: &Context<'_>, out: &mut Steps) {
        let mut sql = Sql::new("CREATE FOREIGN TABLE");
        naming::own_name(&mut sql, id);
        // `fold` puts the elements where the marker stands.
        sql.kw(ELEMENTS).kw("SERVER").ident(self.server);
        self.options.generic(&mut sql);
        out.push(sql);
        types::set_owner(id, self.owner.0, context, out);
    }

    fn alter(old: &Self, new: &Self, id: ObjectId, _: &Context<'_>, out: &mut Steps) -> Alter {
        let Self { server, options, owner: _ } = new;
        if *server != old.server {
            return Alter::Replace("a foreign table's server is chosen when it is created");
        }
        if *options != old.options {
            let mut sql = types::alter(id);
            old.options.generic_changes(options, &mut sql);
            out.push(sql).lock(id, Lock::AccessExclusive);
        }
        Alter::InPlace
    }

    fn drop(&self, id: ObjectId, _: &Context<'_>, out: &mut Steps) {
        out.push(types::drop(id)).lock(id, Lock::AccessExclusive).loses(Loss::DropTable, id);
    }

    fn rename(&self, from: ObjectId, to: ObjectId, context: &Context<'_>, out: &mut Steps) {
        table::rename_relation(from, to, context, out);
    }
}
