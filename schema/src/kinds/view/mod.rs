//! Views.

pub mod read;
mod security;
pub mod write;

pub use security::bypassed;

use crate::analyse::{self, Found, World};
use crate::fragment::{Aside, Fragment};
use crate::id::ObjectId;
use crate::ident::{Ident, Text};
use crate::kinds::options::Options;
use crate::kinds::{grant, naming, table};
use crate::object::{Alter, Context, Kind, Nature, Object, ObjectKind, Visitor};
use crate::question::{Question, Questions, Read};
use crate::sql::{self, Sql};
use crate::step::{Lock, Steps};
use crate::write::Writer;

/// A view.
#[derive(Clone, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub struct View {
    /// Its query.
    pub query: Fragment,
    /// The names of its columns, where they are given beside the query.
    pub columns: Aside<Vec<Ident>>,
    /// `security_invoker`, `security_barrier`, `check_option`.
    pub options: Options,
    /// Its owner, where it is known.
    pub owner: Aside<Option<Ident>>,
    /// The columns that come out, with their types: from the catalog, or from the server's answer.
    pub output: Aside<Option<Text>>,
}

impl View {
    fn statement(&self, head: &'static str, id: ObjectId) -> Sql {
        let mut sql = Sql::new(head);
        naming::own_name(&mut sql, id);
        if !self.columns.0.is_empty() {
            sql.idents(&self.columns.0);
        }
        // Without WITH a CREATE OR REPLACE VIEW would clear the options, security_invoker among them.
        self.options.with(&mut sql);
        sql.kw("AS").kw("\n").fragment(&self.query);
        sql
    }
}

impl ObjectKind for View {
    fn nature(&self) -> Nature {
        Nature { dies_with_parent: false, ..Nature::REBUILT }
    }

    fn visit(&mut self, visitor: &mut dyn Visitor) {
        visitor.fragment("query", &mut self.query);
    }

    crate::kinds::types::has_owner!();

    fn stored(place: &str, text: &str) -> String {
        let text = text.trim();
        let query = if place == "query" { text.strip_suffix(';').unwrap_or(text) } else { text };
        query.trim_end().to_owned()
    }

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
        out.push(self.statement("CREATE VIEW", id));
        if let Some(owner) = self.owner.0.filter(|owner| *owner != context.server.role) {
            let mut sql = Sql::new("ALTER VIEW");
            naming::own_name(&mut sql, id);
            sql.kw("OWNER TO").ident(owner);
            out.push(sql);
        }
    }

    fn alter(old: &Self, new: &Self, id: ObjectId, _: &Context<'_>, out: &mut Steps) -> Alter {
        let Self { query, columns: _, options, owner: _, output } = new;
        if *query != old.query {
            let appends = match (old.output.0, output.0) {
                (Some(before), Some(after)) => {
                    let rest = after.as_str().strip_prefix(before.as_str());
                    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('\n'))
                }
                _ => false,
            };
            if !appends {
                return Alter::Replace("its columns change otherwise than by new ones at the end");
            }
            out.push(new.statement("CREATE OR REPLACE VIEW", id)).lock(id, Lock::AccessExclusive);
            // A replaced view takes exactly the options of the statement.
            return Alter::InPlace;
        }
        let mut head = Sql::new("ALTER VIEW");
        naming::own_name(&mut head, id);
        for statement in old.options.alter(options, &head) {
            out.push(statement).lock(id, Lock::AccessExclusive);
        }
        Alter::InPlace
    }

    fn drop(&self, id: ObjectId, _: &Context<'_>, out: &mut Steps) {
        let mut sql = Sql::new("DROP VIEW");
        naming::own_name(&mut sql, id);
        out.push(sql).lock(id, Lock::AccessExclusive);
    }

    fn rename(&self, from: ObjectId, to: ObjectId, context: &Context<'_>, out: &mut Steps) {
        table::rename_relation(from, to, context, out);
    }

    fn query(&self) -> Option<(&Fragment, &[Ident])> {
        Some((&self.query, &self.columns.0))
    }

    fn analyse(&self, _: ObjectId, world: &World<'_>, out: &mut Found) {
        out.push(("query", analyse::query(world, &self.query, &self.columns.0)));
    }

    fn ask(&self, id: ObjectId, context: &Context<'_>, out: &mut Questions) {
        let name = out.fresh_name();
        let Some(masked) = out.mask(&self.query, context) else { return };
        let mut make = Sql::new("CREATE TEMPORARY VIEW");
        make.ident(name);
        if !self.columns.0.is_empty() {
            make.idents(&self.columns.0);
        }
        make.kw("AS").fragment(&masked.fragment);
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
}

/// The columns that go from what a query reads, where it counts them: it joins by all that two tables share, or gives
/// columns other names, one after the other.
pub fn counted(query: &Fragment, id: ObjectId, context: &Context<'_>) -> Vec<ObjectId> {
    if !query.names().is_ok_and(|names| names.natural) {
        return Vec::new();
    }
    let uses = context.desired.get(id).map(|entry| entry.uses.as_slice()).unwrap_or_default();
    let tables = uses.iter().filter(|used| used.parent().is_none());
    let columns = tables.flat_map(|table| context.current.children_of(*table, Kind::Column));
    // What the view itself lets go of waits for it.
    let own = context.current.get(id).map(|entry| entry.uses.as_slice()).unwrap_or_default();
    columns.filter(|column| !context.desired.contains(*column) && !own.contains(column)).collect()
}

/// The statement that makes a table in pg_temp with columns as [`output_query`] gives them; a collation follows as a
/// number there and is left out.
pub fn stand_in_with(name: Ident, output: Text) -> String {
    let bare = |line: &'static str| match line.rsplit_once(' ') {
        Some((column, number)) if number.bytes().all(|byte| byte.is_ascii_digit()) => column,
        _ => line,
    };
    let columns: Vec<&str> = output.as_str().lines().map(bare).collect();
    format!("CREATE TEMPORARY TABLE {} ({})", sql::quoted(name), columns.join(", "))
}

/// A query for a relation's columns, one a line: the quoted name, the type, the collation where it is not the type's.
pub fn output_query(relation: &str) -> String {
    format!(
        "SELECT pg_catalog.string_agg(pg_catalog.quote_ident(a.attname) || ' ' || \
         pg_catalog.format_type(a.atttypid, a.atttypmod) || \
         CASE WHEN a.attcollation <> t.typcollation THEN ' ' || a.attcollation::pg_catalog.text ELSE '' END, \
         E'\\n' ORDER BY a.attnum) \
         FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_type t ON t.oid = a.atttypid \
         WHERE a.attrelid = {relation} AND a.attnum > 0 AND NOT a.attisdropped"
    )
}
