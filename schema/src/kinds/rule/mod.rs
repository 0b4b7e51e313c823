//! Rewrite rules of tables and views, without the rule that makes a view: that is the view itself.

pub mod declare;
pub mod read;
pub mod write;

use crate::analyse::{self, Found, On, World};
use crate::catalog::Catalog;
use crate::fragment::{self, Fragment, Grammar};
use crate::id::ObjectId;
use crate::ident::{Ident, QName};
use crate::kinds::trigger::Enabled;
use crate::kinds::{naming, table, view};
use crate::names;
use crate::object::{Alter, Context, Nature, Object, ObjectKind, Visitor};
use crate::parse;
use crate::question::{Question, Questions, Read, StandIn};
use crate::sql::{self, Sql};
use crate::step::{Lock, Steps};
use crate::tree::Tree;
use crate::write::Writer;

/// What a rule rewrites.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub enum Event {
    /// INSERT.
    Insert,
    /// UPDATE.
    Update,
    /// DELETE.
    Delete,
}

/// A rewrite rule.
#[derive(Clone, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub struct Rule {
    /// What it rewrites.
    pub event: Event,
    /// What follows the table's name: `WHERE (…) DO INSTEAD NOTHING`.
    pub definition: Fragment,
    /// For which sessions it holds.
    pub enabled: Enabled,
}

impl Rule {
    fn statement(&self, id: ObjectId, replace: bool) -> Sql {
        let mut sql = Sql::new(if replace { "CREATE OR REPLACE RULE" } else { "CREATE RULE" });
        sql.ident(id.name()).kw("AS");
        self.on(&mut sql);
        if let Some(parent) = id.parent() {
            naming::own_name(&mut sql, parent);
        }
        sql.fragment(&self.definition);
        sql
    }

    fn on(&self, sql: &mut Sql) {
        sql.kw(match self.event {
            Event::Insert => "ON INSERT TO",
            Event::Update => "ON UPDATE TO",
            Event::Delete => "ON DELETE TO",
        });
    }

    fn set_enabled(&self, id: ObjectId, out: &mut Steps) {
        let mut sql = Sql::new("ALTER TABLE");
        if let Some(parent) = id.parent() {
            naming::own_name(&mut sql, parent);
        }
        sql.kw(match self.enabled {
            Enabled::Origin => "ENABLE RULE",
            Enabled::Disabled => "DISABLE RULE",
            Enabled::Replica => "ENABLE REPLICA RULE",
            Enabled::Always => "ENABLE ALWAYS RULE",
        });
        sql.ident(id.name());
        out.push(sql).lock(id.root(), Lock::AccessExclusive);
    }
}

impl ObjectKind for Rule {
    fn nature(&self) -> Nature {
        Nature::REBUILT
    }

    fn visit(&mut self, visitor: &mut dyn Visitor) {
        visitor.fragment("rule", &mut self.definition);
    }

    /// The columns that its actions write: no expression names them.
    fn uses(&self, _: ObjectId, catalog: &Catalog, out: &mut Vec<ObjectId>) {
        let Ok((tree, _)) = fragment::tree(self.definition.text(), Grammar::Rule) else { return };
        tree.walk(&mut |node| {
            let (targets, all) = match node.name() {
                "InsertStmt" => (node.get("cols"), node.get("cols").items().is_empty()),
                "UpdateStmt" => (node.get("target_list"), false),
                _ => return,
            };
            let Some(relation) = target(node.get("relation")).and_then(|name| catalog.relation(name)) else {
                return;
            };
            if all {
                out.extend(catalog.columns(relation).into_iter().map(|(id, _)| id));
            }
            let names = targets.items().iter().map(|target| Ident::new(target.get("name").str()));
            out.extend(names.filter_map(|name| catalog.column(relation, name)));
        });
    }

    fn write(&self, id: ObjectId, out: &mut Writer<'_>) {
        write::write(self, id, out);
    }

    fn create(&self, id: ObjectId, _: &Context<'_>, out: &mut Steps) {
        out.push(self.statement(id, false)).lock(id.root(), Lock::AccessExclusive);
        if self.enabled != Enabled::Origin {
            self.set_enabled(id, out);
        }
    }

    fn alter(old: &Self, new: &Self, id: ObjectId, _: &Context<'_>, out: &mut Steps) -> Alter {
        let Self { event, definition, enabled } = new;
        if *event != old.event || *definition != old.definition {
            // It keeps its comment, and for which sessions it holds.
            out.push(new.statement(id, true)).lock(id.root(), Lock::AccessExclusive);
        }
        if *enabled != old.enabled {
            new.set_enabled(id, out);
        }
        Alter::InPlace
    }

    fn drop(&self, id: ObjectId, _: &Context<'_>, out: &mut Steps) {
        let mut sql = Sql::new("DROP RULE");
        sql.ident(id.name()).kw("ON");
        if let Some(parent) = id.parent() {
            naming::own_name(&mut sql, parent);
        }
        out.push(sql).lock(id.root(), Lock::AccessExclusive);
    }

    fn analyse(&self, id: ObjectId, world: &World<'_>, out: &mut Found) {
        let Some(relation) = id.parent() else { return };
        let (old, new) = (self.event != Event::Insert, self.event != Event::Delete);
        out.push(("rule", analyse::rule(world, &self.definition, On { relation, old, new })));
    }

    fn ask(&self, id: ObjectId, context: &Context<'_>, out: &mut Questions) {
        let Some((mut stand_in, named)) = id.parent().and_then(|parent| stand_in(parent, context, out))
        else {
            return;
        };
        // A target of INSERT takes no alias as a stand-in needs it: such a rule stays undecided.
        match out.mask(&self.definition, context) {
            Some(masked) if masked.instead.is_empty() => {}
            _ => return,
        }
        let name = out.fresh_name();
        let mut make = Sql::new("CREATE RULE");
        make.ident(name).kw("AS");
        self.on(&mut make);
        make.kw("pg_temp.").tight().ident(named).fragment(&self.definition);
        let relation = format!("pg_temp.{}", sql::quoted(named));
        let read = format!(
            "(SELECT pg_catalog.pg_get_ruledef(oid) FROM pg_catalog.pg_rewrite \
             WHERE ev_class = {}::pg_catalog.regclass AND rulename = {})",
            sql::literal(&relation),
            sql::literal(name.as_str())
        );
        let prelude = match &stand_in {
            Some(one) if one.relation.kind().is_view() => format!("{};\n", one.create),
            _ => String::new(),
        };
        if !prelude.is_empty() {
            stand_in = None;
        }
        out.push(Question {
            object: id,
            stand_in,
            make: prelude + make.text(),
            read: vec![("rule".into(), Read::Alone(read))],
            element: None,
            instead: Vec::new(),
        });
    }

    fn stored(_place: &str, text: &str) -> String {
        behind_table(text).to_owned()
    }
}

/// A table in pg_temp with the columns of what the rule stands on, and its name there.
fn stand_in(
    parent: ObjectId,
    context: &Context<'_>,
    out: &mut Questions,
) -> Option<(Option<StandIn>, Ident)> {
    let view = |catalog: &Catalog| match catalog.get(parent).map(|entry| &entry.object) {
        Some(Object::View(view)) => Some(view.clone()),
        _ => None,
    };
    let Some(desired) = view(context.desired) else {
        let stand_in = table::stand_in(parent, context)?;
        let name = stand_in.name;
        return Some((Some(stand_in), name));
    };
    let same = view(context.current).filter(|current| current.query == desired.query);
    let output = desired.output.0.or_else(|| same.and_then(|current| current.output.0))?;
    let name = out.fresh_name();
    Some((Some(StandIn { relation: parent, name, create: view::stand_in_with(name, output) }), name))
}

fn target(range: &Tree) -> Option<QName> {
    let (schema, name) = (range.get("schemaname").str(), range.get("relname").str());
    (!schema.is_empty() && !name.is_empty()).then(|| QName::new(schema, name))
}

/// What stands behind the table's name in `pg_get_ruledef`. Names that are keywords are quoted there, so the first TO
/// is the grammar's.
pub fn behind_table(definition: &str) -> &str {
    let tokens = parse::tokens(definition).unwrap_or_default();
    let to = tokens.iter().position(|token| definition.get(token.start..token.end) == Some("TO"));
    let name = to.and_then(|at| tokens.get(at + 1)).map(|token| token.start);
    let end = name.and_then(|start| names::dotted_name(definition, start)).map_or(0, |(_, end)| end);
    let rest = definition.get(end..).unwrap_or(definition).trim();
    rest.strip_suffix(';').unwrap_or(rest).trim_end()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_follows_the_table_is_the_definition() {
        for (stored, expected) in [
            ("CREATE RULE r AS\n    ON INSERT TO app.t DO INSTEAD NOTHING;", "DO INSTEAD NOTHING"),
            (
                "CREATE RULE \"TO\" AS\n    ON UPDATE TO app.\"t TO\"\n   WHERE (new.a > 1) DO ALSO ( DELETE FROM app.u;\n);",
                "WHERE (new.a > 1) DO ALSO ( DELETE FROM app.u;\n)",
            ),
        ] {
            assert_eq!(behind_table(stored), expected);
        }
    }
}
