//! Publications. The tables that they hold one by one are objects of their own (`member`).

pub mod read;
pub mod write;

use crate::catalog::Catalog;
use crate::fragment::Aside;
use crate::id::ObjectId;
use crate::ident::{Ident, Text};
use crate::object::{Alter, Context, Kind, Nature, ObjectKind, Visitor};
use crate::sql::Sql;
use crate::step::{Loss, Steps};
use crate::write::Writer;
use std::collections::BTreeSet;

/// A publication.
#[derive(Clone, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub struct Publication {
    /// FOR ALL TABLES.
    pub all_tables: bool,
    /// FOR TABLES IN SCHEMA.
    pub schemas: BTreeSet<Ident>,
    /// What is published: `insert`, `update`, `delete`, `truncate`.
    pub publish: BTreeSet<Text>,
    /// Partitions are published as their root.
    pub via_root: bool,
    /// `publish_generated_columns`, unless it is none.
    pub generated_columns: Option<Text>,
    /// Its owner, where it is known.
    pub owner: Aside<Option<Ident>>,
}

/// What is published when nobody says: everything, in PostgreSQL's order.
pub const EVERYTHING: [&str; 4] = ["insert", "update", "delete", "truncate"];

fn alter(id: ObjectId) -> Sql {
    let mut sql = Sql::new("ALTER PUBLICATION");
    sql.ident(id.name());
    sql
}

fn schemas<'a>(sql: &mut Sql, schemas: impl Iterator<Item = &'a Ident>) {
    let schemas: Vec<Sql> = schemas
        .map(|schema| {
            let mut item = Sql::default();
            item.ident(*schema);
            item
        })
        .collect();
    sql.kw("TABLES IN SCHEMA").list(&schemas);
}

impl Publication {
    /// The options that differ from `old`, as items of WITH or SET.
    fn options(&self, old: &Publication) -> Vec<Sql> {
        let mut items = Vec::new();
        let mut add = |name: &'static str, value: &str| {
            let mut item = Sql::new(name);
            item.kw("=").literal(value);
            items.push(item);
        };
        if self.publish != old.publish {
            let words: Vec<&str> =
                EVERYTHING.iter().copied().filter(|word| self.publish.contains(&Text::new(word))).collect();
            add("publish", &words.join(", "));
        }
        if self.via_root != old.via_root {
            add("publish_via_partition_root", if self.via_root { "true" } else { "false" });
        }
        if self.generated_columns != old.generated_columns {
            add("publish_generated_columns", self.generated_columns.map_or("none", Text::as_str));
        }
        items
    }

    /// A publication of nothing, with PostgreSQL's options.
    pub fn usual() -> Self {
        Self {
            all_tables: false,
            schemas: BTreeSet::new(),
            publish: EVERYTHING.iter().map(|word| Text::new(word)).collect(),
            via_root: false,
            generated_columns: None,
            owner: Aside(None),
        }
    }
}

impl ObjectKind for Publication {
    fn nature(&self) -> Nature {
        Nature { dies_with_parent: false, ..Nature::CARRIED }
    }

    fn visit(&mut self, _: &mut dyn Visitor) {}

    crate::kinds::types::has_owner!();

    fn uses(&self, _: ObjectId, catalog: &Catalog, out: &mut Vec<ObjectId>) {
        let schemas = self.schemas.iter().map(|schema| ObjectId::global(Kind::Schema, *schema));
        out.extend(schemas.filter(|schema| catalog.contains(*schema)));
    }

    fn write(&self, id: ObjectId, out: &mut Writer<'_>) {
        write::write(self, id, out);
    }

    fn create(&self, id: ObjectId, context: &Context<'_>, out: &mut Steps) {
        let mut sql = Sql::new("CREATE PUBLICATION");
        sql.ident(id.name());
        if self.all_tables {
            sql.kw("FOR ALL TABLES");
        } else if !self.schemas.is_empty() {
            sql.kw("FOR");
            schemas(&mut sql, self.schemas.iter());
        }
        let options = self.options(&Self::usual());
        if !options.is_empty() {
            sql.kw("WITH (").list(&options).kw(")");
        }
        out.push(sql);
        if let Some(owner) = self.owner.0.filter(|owner| *owner != context.server.role) {
            let mut sql = alter(id);
            sql.kw("OWNER TO").ident(owner);
            out.push(sql);
        }
    }

    fn alter(old: &Self, new: &Self, id: ObjectId, _: &Context<'_>, out: &mut Steps) -> Alter {
        let Self { all_tables, schemas: wanted, publish: _, via_root: _, generated_columns: _, owner: _ } =
            new;
        if *all_tables != old.all_tables {
            return Alter::Replace("whether a publication holds every table is chosen when it is created");
        }
        let gone: Vec<&Ident> = old.schemas.difference(wanted).collect();
        let added: Vec<&Ident> = wanted.difference(&old.schemas).collect();
        for (list, word) in [(added, "ADD"), (gone, "DROP")] {
            if !list.is_empty() {
                let mut sql = alter(id);
                sql.kw(word);
                schemas(&mut sql, list.into_iter());
                out.push(sql);
            }
        }
        let options = new.options(old);
        if !options.is_empty() {
            let mut sql = alter(id);
            sql.kw("SET (").list(&options).kw(")");
            out.push(sql);
        }
        Alter::InPlace
    }

    fn drop(&self, id: ObjectId, _: &Context<'_>, out: &mut Steps) {
        let mut sql = Sql::new("DROP PUBLICATION");
        sql.ident(id.name());
        out.push(sql).loses(Loss::DropObject, id);
    }
}
