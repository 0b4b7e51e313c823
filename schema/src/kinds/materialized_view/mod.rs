//! Materialized views. Their indexes, privileges and comments are objects of their own.

pub mod read;
pub mod write;

use crate::analyse::{self, Found, World};
use crate::fragment::{Aside, Fragment};
use crate::id::ObjectId;
use crate::ident::{Ident, Text};
use crate::kinds::options::Options;
use crate::kinds::view::{counted, output_query, stand_in_with};
use crate::kinds::{grant, naming, table};
use crate::object::{Alter, Context, Nature, Object, ObjectKind, Visitor};
use crate::question::{Question, Questions, Read, StandIn};
use crate::sql::{self, Sql};
use crate::step::{Lock, Steps};
use crate::write::Writer;

/// A materialized view.
#[derive(Clone, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub struct MaterializedView {
    /// Its query.
    pub query: Fragment,
    /// Storage parameters.
    pub options: Options,
    /// Its access method, unless it is the default one.
    pub access_method: Option<Ident>,
    /// Its tablespace, unless it is the database's.
    pub tablespace: Option<Ident>,
    /// Whether it is filled when it is made. Its rows are no part of the schema.
    pub with_data: Aside<bool>,
    /// Its owner, where it is known.
    pub owner: Aside<Option<Ident>>,
    /// The columns that come out, with their types: from the catalog, or from the server's answer.
    pub output: Aside<Option<Text>>,
}

fn head(id: ObjectId) -> Sql {
    let mut sql = Sql::new("ALTER MATERIALIZED VIEW");
    naming::own_name(&mut sql, id);
    sql
}

impl MaterializedView {
    /// A temporary table with its columns, for questions about its indexes.
    pub fn stand_in(&self, id: ObjectId, current: Option<&Self>) -> Option<StandIn> {
        let live = || current.filter(|live| live.query == self.query).and_then(|live| live.output.0);
        let columns = self.output.0.or_else(live)?;
        Some(StandIn { relation: id, name: id.name(), create: stand_in_with(id.name(), columns) })
    }
}

impl ObjectKind for MaterializedView {
    fn nature(&self) -> Nature {
        Nature { dies_with_parent: false, ..Nature::REBUILT }
    }

    fn visit(&mut self, visitor: &mut dyn Visitor) {
        visitor.fragment("query", &mut self.query);
    }

    crate::kinds::types::has_owner!();

    fn answer(&mut self, place: &str, text: &str) {
        if place == "output" {
            self.output = Aside(Some(Text::new(text)));
        }
    }

    fn implies(&self, id: ObjectId, context: &Context<'_>) -> Vec<(ObjectId, Object)> {
        grant::implied(id, context)
    }

    fn write(&self, id: ObjectId, out: &mut Writer<'_>) {
        write::write(self, id, out);
    }

    fn comes_after(&self, id: ObjectId, context: &Context<'_>) -> Vec<ObjectId> {
        counted(&self.query, id, context)
    }

    fn create(&self, id: ObjectId, context: &Context<'_>, out: &mut Steps) {
        let mut sql = Sql::new("CREATE MATERIALIZED VIEW");
        naming::own_name(&mut sql, id);
        if let Some(method) = self.access_method {
            sql.kw("USING").ident(method);
        }
        self.options.with(&mut sql);
        if let Some(tablespace) = self.tablespace {
            sql.kw("TABLESPACE").ident(tablespace);
        }
        sql.kw("AS").kw("\n").fragment(&self.query);
        if !self.with_data.0 {
            sql.kw("\n").kw("WITH NO DATA");
        }
        out.push(sql);
        if let Some(owner) = self.owner.0.filter(|owner| *owner != context.server.role) {
            let mut sql = head(id);
            sql.kw("OWNER TO").ident(owner);
            out.push(sql);
        }
    }

    fn alter(old: &Self, new: &Self, id: ObjectId, _: &Context<'_>, out: &mut Steps) -> Alter {
        let Self { query, options, access_method, tablespace, with_data: _, owner: _, output: _ } = new;
        if *query != old.query {
            return Alter::Replace("the query of a materialized view cannot be changed in place");
        }
        if *access_method != old.access_method {
            let mut sql = head(id);
            sql.kw("SET ACCESS METHOD").ident(access_method.unwrap_or_else(|| Ident::new("heap")));
            out.push(sql).lock(id, Lock::AccessExclusive).rewrites();
        }
        if *tablespace != old.tablespace {
            let mut sql = head(id);
            sql.kw("SET TABLESPACE").ident(tablespace.unwrap_or_else(|| Ident::new("pg_default")));
            out.push(sql).lock(id, Lock::AccessExclusive).rewrites();
        }
        for statement in old.options.alter(options, &head(id)) {
            out.push(statement).lock(id, Lock::ShareUpdateExclusive);
        }
        Alter::InPlace
    }

    fn drop(&self, id: ObjectId, _: &Context<'_>, out: &mut Steps) {
        let mut sql = Sql::new("DROP MATERIALIZED VIEW");
        naming::own_name(&mut sql, id);
        out.push(sql).lock(id, Lock::AccessExclusive);
    }

    fn rename(&self, from: ObjectId, to: ObjectId, context: &Context<'_>, out: &mut Steps) {
        table::rename_relation(from, to, context, out);
    }

    fn query(&self) -> Option<(&Fragment, &[Ident])> {
        Some((&self.query, &[]))
    }

    fn analyse(&self, _: ObjectId, world: &World<'_>, out: &mut Found) {
        out.push(("query", analyse::query(world, &self.query, &[])));
    }

    fn ask(&self, id: ObjectId, context: &Context<'_>, out: &mut Questions) {
        let name = out.fresh_name();
        let Some(masked) = out.mask(&self.query, context) else { return };
        let mut make = Sql::new("CREATE TEMPORARY VIEW");
        make.ident(name).kw("AS").fragment(&masked.fragment);
        let target = sql::literal(&format!("pg_temp.{}", sql::quoted(name)));
        let read = format!("(SELECT pg_catalog.pg_get_viewdef({target}::pg_catalog.regclass))");
        let output = format!("({})", output_query(&format!("{target}::pg_catalog.regclass")));
        out.push(Question {
            object: id,
            stand_in: None,
            make: masked.prelude + make.text(),
            read: vec![("query".into(), Read::Alone(read)), ("output".into(), Read::Alone(output))],
            element: None,
            instead: masked.instead,
        });
    }

    fn stored(place: &str, text: &str) -> String {
        if place == "query" { text.trim_end().trim_end_matches(';').to_owned() } else { text.to_owned() }
    }
}
