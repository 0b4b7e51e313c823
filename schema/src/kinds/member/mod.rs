//! Tables in publications: one object for each pair, which stands on the table and dies with it.

pub mod read;
pub mod write;

use crate::analyse::{self, Found, Place, Seen, World};
use crate::catalog::Catalog;
use crate::fragment::Fragment;
use crate::id::ObjectId;
use crate::ident::Ident;
use crate::kinds::{naming, table};
use crate::object::{Alter, Context, Kind, Nature, ObjectKind, Visitor};
use crate::question::{Question, Questions, Read};
use crate::sql::{self, Sql};
use crate::step::{Lock, Steps};
use crate::write::Writer;
use std::collections::BTreeSet;

/// A table in a publication; the publication's name is the object's.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Default, serde::Serialize, serde::Deserialize)]
pub struct Member {
    /// Only these columns; all when there are none.
    pub columns: BTreeSet<Ident>,
    /// Only these rows.
    pub rows: Option<Fragment>,
}

fn head(id: ObjectId, word: &'static str) -> Sql {
    let mut sql = Sql::new("ALTER PUBLICATION");
    sql.ident(id.name()).kw(word);
    naming::own_name(&mut sql, id.parent().unwrap_or(id));
    sql
}

impl ObjectKind for Member {
    fn nature(&self) -> Nature {
        // PostgreSQL refuses to change the type of a column that a filter names.
        if self.rows.is_some() { Nature::REBUILT } else { Nature::CARRIED }
    }

    fn visit(&mut self, visitor: &mut dyn Visitor) {
        if let Some(rows) = &mut self.rows {
            visitor.fragment("where", rows);
        }
    }

    fn uses(&self, id: ObjectId, catalog: &Catalog, out: &mut Vec<ObjectId>) {
        let publication = ObjectId::global(Kind::Publication, id.name());
        out.extend(Some(publication).filter(|publication| catalog.contains(*publication)));
        let Some(table) = id.parent() else { return };
        out.extend(self.columns.iter().filter_map(|name| catalog.column(table, *name)));
    }

    fn write(&self, id: ObjectId, out: &mut Writer<'_>) {
        write::write(self, id, out);
    }

    fn create(&self, id: ObjectId, _: &Context<'_>, out: &mut Steps) {
        let mut sql = head(id, "ADD TABLE ONLY");
        if !self.columns.is_empty() {
            sql.idents(&self.columns.iter().copied().collect::<Vec<_>>());
        }
        if let Some(rows) = &self.rows {
            sql.kw("WHERE (").tight().fragment(rows).kw(")");
        }
        out.push(sql).lock(id.root(), Lock::ShareUpdateExclusive);
    }

    fn alter(_: &Self, new: &Self, _: ObjectId, _: &Context<'_>, _: &mut Steps) -> Alter {
        let Self { columns: _, rows: _ } = new;
        Alter::Replace("what of a table is published cannot be changed for one table alone")
    }

    fn drop(&self, id: ObjectId, _: &Context<'_>, out: &mut Steps) {
        out.push(head(id, "DROP TABLE ONLY")).lock(id.root(), Lock::ShareUpdateExclusive);
    }

    fn analyse(&self, id: ObjectId, world: &World<'_>, out: &mut Found) {
        if let (Some(rows), Some(table)) = (&self.rows, id.parent()) {
            let place = Place::Condition(Seen::Columns(table));
            out.push(("where", analyse::expression(world, rows, place)));
        }
    }

    fn ask(&self, id: ObjectId, context: &Context<'_>, out: &mut Questions) {
        let (Some(rows), Some(parent)) = (&self.rows, id.parent()) else { return };
        let Some(stand_in) = table::stand_in(parent, context) else { return };
        // A temporary table cannot be published; a check's expression is stored alike.
        let name = out.fresh_name();
        let relation = sql::literal(&format!("pg_temp.{}", sql::quoted(stand_in.name)));
        let mut make = Sql::new("ALTER TABLE pg_temp.");
        make.tight().ident(stand_in.name).kw("ADD CONSTRAINT").ident(name);
        make.kw("CHECK (").tight().fragment(rows).kw(")");
        let read = format!(
            "(SELECT pg_catalog.pg_get_expr(conbin, conrelid) FROM pg_catalog.pg_constraint \
             WHERE conrelid = {relation}::pg_catalog.regclass AND conname = {})",
            sql::literal(name.as_str())
        );
        out.push(Question {
            object: id,
            stand_in: Some(stand_in),
            make: make.into_text(),
            read: vec![("where".into(), Read::Alone(read))],
            element: None,
            instead: Vec::new(),
        });
    }
}
