//! Extended statistics. They stand in a schema, but go with the table that they are about.

pub mod declare;
pub mod read;
pub mod write;

use crate::analyse::{self, Found, World};
use crate::catalog::Catalog;
use crate::fragment::{self, Fragment, Grammar};
use crate::id::{ObjectId, Slot};
use crate::ident::{Ident, QName};
use crate::kinds::column::compare;
use crate::kinds::{naming, table};
use crate::object::{Alter, Context, Kind, Nature, ObjectKind, Visitor};
use crate::question::{Question, Questions, Read};
use crate::sql::{self, Sql};
use crate::step::{Lock, Steps};
use crate::write::Writer;

/// Extended statistics.
#[derive(Clone, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub struct Statistics {
    /// The schema that they are in; PostgreSQL leaves them there when the table moves.
    pub schema: Ident,
    /// What follows the name, without FROM: `(ndistinct) ON a, b`.
    pub definition: Fragment,
    /// Their target, unless it is the default.
    pub target: Option<i64>,
}

impl Statistics {
    fn qname(&self, id: ObjectId) -> QName {
        QName { schema: self.schema, name: id.name() }
    }

    fn set_target(&self, id: ObjectId, out: &mut Steps) {
        let mut sql = Sql::new("ALTER STATISTICS");
        sql.name(self.qname(id)).kw("SET STATISTICS").number(self.target.unwrap_or(-1));
        out.push(sql).lock(id.root(), Lock::ShareUpdateExclusive);
    }
}

impl ObjectKind for Statistics {
    fn nature(&self) -> Nature {
        Nature::CARRIED
    }

    fn visit(&mut self, visitor: &mut dyn Visitor) {
        visitor.fragment("statistics", &mut self.definition);
    }

    fn extra_slots(&self, id: ObjectId) -> Vec<Slot> {
        vec![Slot::Own(ObjectId::in_schema(Kind::Statistics, self.qname(id)))]
    }

    fn uses(&self, id: ObjectId, catalog: &Catalog, out: &mut Vec<ObjectId>) {
        let Some(table) = id.parent() else { return };
        let Ok((tree, _)) = fragment::tree(self.definition.text(), Grammar::Statistics) else { return };
        tree.walk(&mut |node| {
            if node.name() == "StatsElem" && !node.get("name").str().is_empty() {
                out.extend(catalog.column(table, Ident::new(node.get("name").str())));
            }
        });
    }

    fn gives_way(&self, id: ObjectId, context: &Context<'_>) -> bool {
        compare::has_expressions(&self.definition) && compare::stands_between(id, context)
    }

    fn write(&self, id: ObjectId, out: &mut Writer<'_>) {
        write::write(self, id, out);
    }

    fn create(&self, id: ObjectId, _: &Context<'_>, out: &mut Steps) {
        let Some(table) = id.parent() else { return };
        let mut sql = Sql::new("CREATE STATISTICS");
        sql.name(self.qname(id)).fragment(&self.definition).kw("FROM");
        naming::own_name(&mut sql, table);
        out.push(sql).lock(table, Lock::ShareUpdateExclusive);
        if self.target.is_some() {
            self.set_target(id, out);
        }
    }

    fn alter(old: &Self, new: &Self, id: ObjectId, _: &Context<'_>, out: &mut Steps) -> Alter {
        let Self { schema, definition, target } = new;
        if *definition != old.definition {
            return Alter::Replace("what statistics are about is chosen when they are created");
        }
        if *schema != old.schema {
            let mut sql = Sql::new("ALTER STATISTICS");
            sql.name(old.qname(id)).kw("SET SCHEMA").ident(*schema);
            out.push(sql);
        }
        if *target != old.target {
            new.set_target(id, out);
        }
        Alter::InPlace
    }

    fn drop(&self, id: ObjectId, _: &Context<'_>, out: &mut Steps) {
        let mut sql = Sql::new("DROP STATISTICS");
        sql.name(self.qname(id));
        out.push(sql).lock(id.root(), Lock::ShareUpdateExclusive);
    }

    fn analyse(&self, id: ObjectId, world: &World<'_>, out: &mut Found) {
        if let Some(table) = id.parent() {
            out.push(("statistics", analyse::statistics(world, &self.definition, table)));
        }
    }

    fn ask(&self, id: ObjectId, context: &Context<'_>, out: &mut Questions) {
        let Some(stand_in) = id.parent().and_then(|parent| table::stand_in(parent, context)) else { return };
        let name = out.fresh_name();
        let mut make = Sql::new("CREATE STATISTICS pg_temp.");
        make.tight().ident(name).fragment(&self.definition).kw("FROM pg_temp.").tight().ident(stand_in.name);
        let read = format!(
            "(SELECT pg_catalog.pg_get_statisticsobjdef(oid) FROM pg_catalog.pg_statistic_ext \
             WHERE stxname = {} AND stxnamespace = pg_catalog.pg_my_temp_schema())",
            sql::literal(name.as_str())
        );
        out.push(Question {
            object: id,
            stand_in: Some(stand_in),
            make: make.into_text(),
            read: vec![("statistics".into(), Read::Alone(read))],
            element: None,
            instead: Vec::new(),
        });
    }

    fn stored(_place: &str, text: &str) -> String {
        stored_definition(text)
    }
}

/// What stands between the name and FROM in `pg_get_statisticsobjdef`.
pub fn stored_definition(definition: &str) -> String {
    let Ok(tokens) = crate::parse::tokens(definition) else { return definition.to_owned() };
    let word =
        |at: usize| tokens.get(at).and_then(|token| definition.get(token.start..token.end)).unwrap_or("");
    // CREATE STATISTICS schema.name: a name has one token, and quotes where it could be taken for another.
    let first = if word(3) == "." { 5 } else { 3 };
    let from = tokens.get(first).map_or(definition.len(), |token| token.start);
    let last = (first..tokens.len()).rev().find(|at| word(*at) == "FROM");
    let to = last.and_then(|at| tokens.get(at)).map_or(definition.len(), |token| token.start);
    definition.get(from..to).unwrap_or(definition).trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_definition_is_what_stands_between_the_name_and_the_table() {
        for (stored, definition) in [
            ("CREATE STATISTICS app.s (ndistinct) ON a, b FROM app.t", "(ndistinct) ON a, b"),
            ("CREATE STATISTICS app.\"FROM\" ON a, lower(b) FROM \"X\".t", "ON a, lower(b)"),
            ("CREATE STATISTICS s ON EXTRACT(year FROM d), b FROM t", "ON EXTRACT(year FROM d), b"),
        ] {
            assert_eq!(stored_definition(stored), definition);
        }
    }
}
