//! Triggers of tables and views.

pub mod declare;
pub mod read;
pub mod write;

use crate::analyse::{self, Found, Place, Seen, World};
use crate::catalog::Catalog;
use crate::fragment::Fragment;
use crate::id::ObjectId;
use crate::ident::{Ident, Text};
use crate::kinds::key::Timing;
use crate::kinds::{copied_trigger, naming, table};
use crate::object::{Alter, Context, Kind, Nature, ObjectKind, Visitor};
use crate::question::{Question, Questions, Read};
use crate::reference::Reference;
use crate::sql::{self, Sql};
use crate::step::{Guard, Lock, Steps};
use crate::write::Writer;

/// When a trigger fires.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub enum When {
    /// BEFORE.
    Before,
    /// AFTER.
    After,
    /// INSTEAD OF.
    InsteadOf,
}

/// For which sessions a trigger fires (`session_replication_role`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default, serde::Serialize, serde::Deserialize)]
pub enum Enabled {
    /// Origin and local.
    #[default]
    Origin,
    /// Never.
    Disabled,
    /// Replica only.
    Replica,
    /// Always.
    Always,
}

/// A trigger.
#[derive(Clone, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub struct Trigger {
    /// When it fires.
    pub when: When,
    /// On INSERT.
    pub insert: bool,
    /// On DELETE.
    pub delete: bool,
    /// On UPDATE.
    pub update: bool,
    /// UPDATE OF these columns only, sorted.
    pub update_of: Vec<Ident>,
    /// On TRUNCATE.
    pub truncate: bool,
    /// FOR EACH ROW, not STATEMENT.
    pub row: bool,
    /// WHEN (…).
    pub condition: Option<Fragment>,
    /// The function that it calls.
    pub function: Reference,
    /// The arguments, texts.
    pub arguments: Vec<Text>,
    /// A constraint trigger, and when it is checked.
    pub constraint: Option<Timing>,
    /// FROM: the other table of a constraint trigger.
    pub from: Option<Reference>,
    /// REFERENCING OLD TABLE AS.
    pub old_table: Option<Ident>,
    /// REFERENCING NEW TABLE AS.
    pub new_table: Option<Ident>,
    /// For which sessions it fires.
    pub enabled: Enabled,
}

impl Trigger {
    fn statement(&self, id: ObjectId, replace: bool) -> Sql {
        let mut sql = Sql::new("CREATE");
        if replace {
            sql.kw("OR REPLACE");
        }
        sql.kw(if self.constraint.is_some() { "CONSTRAINT TRIGGER" } else { "TRIGGER" }).ident(id.name());
        if let Some(parent) = id.parent() {
            self.body(&mut sql, parent);
        }
        sql.kw("FOR EACH").kw(if self.row { "ROW" } else { "STATEMENT" });
        if let Some(condition) = &self.condition {
            sql.kw("WHEN (").tight().fragment(condition).kw(")");
        }
        sql.kw("EXECUTE FUNCTION");
        if let Some(function) = self.function.qname() {
            sql.name(function);
        }
        let arguments: Vec<Sql> = self
            .arguments
            .iter()
            .map(|argument| {
                let mut item = Sql::default();
                item.literal(argument.as_str());
                item
            })
            .collect();
        sql.kw("(").tight();
        if !arguments.is_empty() {
            sql.list(&arguments);
        }
        sql.kw(")");
        sql
    }

    fn body(&self, sql: &mut Sql, parent: ObjectId) {
        sql.kw(match self.when {
            When::Before => "BEFORE",
            When::After => "AFTER",
            When::InsteadOf => "INSTEAD OF",
        });
        let mut first = true;
        for (on, word) in [
            (self.insert, "INSERT"),
            (self.delete, "DELETE"),
            (self.update, "UPDATE"),
            (self.truncate, "TRUNCATE"),
        ] {
            if !on {
                continue;
            }
            if !first {
                sql.kw("OR");
            }
            first = false;
            sql.kw(word);
            if word == "UPDATE" && !self.update_of.is_empty() {
                let columns: Vec<Sql> = self
                    .update_of
                    .iter()
                    .map(|name| {
                        let mut item = Sql::default();
                        item.ident(*name);
                        item
                    })
                    .collect();
                sql.kw("OF").list(&columns);
            }
        }
        sql.kw("ON");
        naming::own_name(sql, parent);
        if let Some(from) = self.from.as_ref().and_then(Reference::qname) {
            sql.kw("FROM").name(from);
        }
        if let Some(timing) = self.constraint {
            timing.write(sql);
        }
        if self.old_table.is_some() || self.new_table.is_some() {
            sql.kw("REFERENCING");
            if let Some(name) = self.old_table {
                sql.kw("OLD TABLE AS").ident(name);
            }
            if let Some(name) = self.new_table {
                sql.kw("NEW TABLE AS").ident(name);
            }
        }
    }

    fn set_enabled(&self, id: ObjectId, out: &mut Steps) {
        fire(id, self.enabled, out);
    }
}

/// `ALTER TABLE t ENABLE TRIGGER a`; what partitions have of it goes along.
pub fn fire(id: ObjectId, enabled: Enabled, out: &mut Steps) {
    let mut sql = Sql::new("ALTER TABLE");
    if let Some(parent) = id.parent() {
        naming::own_name(&mut sql, parent);
    }
    sql.kw(match enabled {
        Enabled::Origin => "ENABLE TRIGGER",
        Enabled::Disabled => "DISABLE TRIGGER",
        Enabled::Replica => "ENABLE REPLICA TRIGGER",
        Enabled::Always => "ENABLE ALWAYS TRIGGER",
    });
    sql.ident(id.name());
    out.push(sql).lock(id.root(), Lock::ShareRowExclusive).guards(Guard::Rows);
}

impl ObjectKind for Trigger {
    fn nature(&self) -> Nature {
        Nature::REBUILT
    }

    fn visit(&mut self, visitor: &mut dyn Visitor) {
        if let Some(condition) = &mut self.condition {
            visitor.fragment("when", condition);
        }
        visitor.reference(&mut self.function);
        for name in &mut self.update_of {
            visitor.column(None, name);
        }
        self.update_of.sort_unstable();
        if let Some(from) = &mut self.from {
            visitor.reference(from);
        }
    }

    fn uses(&self, id: ObjectId, catalog: &Catalog, out: &mut Vec<ObjectId>) {
        let Some(table) = id.parent() else { return };
        out.extend(self.update_of.iter().filter_map(|name| catalog.column(table, *name)));
    }

    fn write(&self, id: ObjectId, out: &mut Writer<'_>) {
        write::write(self, id, out);
    }

    fn create(&self, id: ObjectId, _: &Context<'_>, out: &mut Steps) {
        out.push(self.statement(id, false)).lock(id.root(), Lock::ShareRowExclusive).guards(Guard::Rows);
        if self.enabled != Enabled::Origin {
            self.set_enabled(id, out);
        }
    }

    fn alter(old: &Self, new: &Self, id: ObjectId, context: &Context<'_>, out: &mut Steps) -> Alter {
        let Self {
            when: _,
            insert: _,
            delete: _,
            update: _,
            update_of: _,
            truncate: _,
            row: _,
            condition: _,
            function: _,
            arguments: _,
            constraint,
            from: _,
            old_table: _,
            new_table: _,
            enabled,
        } = new;
        let as_old = Trigger { enabled: old.enabled, ..new.clone() };
        if as_old != *old {
            if constraint.is_some() || old.constraint.is_some() {
                return Alter::Replace("a constraint trigger cannot be replaced in place");
            }
            out.push(new.statement(id, true)).lock(id.root(), Lock::ShareRowExclusive).guards(Guard::Rows);
            // A replaced trigger fires for origin again.
            if *enabled != Enabled::Origin {
                new.set_enabled(id, out);
            }
        } else {
            new.set_enabled(id, out);
        }
        if let Some(table) = id.parent() {
            copied_trigger::say_again(table, Some(id), context, out);
        }
        Alter::InPlace
    }

    fn drop(&self, id: ObjectId, _: &Context<'_>, out: &mut Steps) {
        let mut sql = Sql::new("DROP TRIGGER");
        sql.ident(id.name()).kw("ON");
        if let Some(parent) = id.parent() {
            naming::own_name(&mut sql, parent);
        }
        out.push(sql).lock(id.root(), Lock::AccessExclusive).guards(Guard::Rows);
    }

    fn analyse(&self, id: ObjectId, world: &World<'_>, out: &mut Found) {
        if let (Some(condition), Some(parent)) = (&self.condition, id.parent()) {
            let place = Place::Condition(Seen::OldAndNew(parent));
            out.push(("when", analyse::expression(world, condition, place)));
        }
    }

    fn ask(&self, id: ObjectId, context: &Context<'_>, out: &mut Questions) {
        let (Some(condition), Some(parent)) = (&self.condition, id.parent()) else { return };
        if parent.kind() != Kind::Table {
            return;
        }
        let Some(stand_in) = table::stand_in(parent, context) else { return };
        let name = out.fresh_name();
        let mut make = Sql::new("CREATE TRIGGER");
        make.ident(name);
        make.kw(match (self.when, self.row) {
            (When::Before, _) => "BEFORE",
            _ => "AFTER",
        });
        // Any trigger function serves: only the condition is asked about.
        let events = match (self.insert, self.update, self.delete) {
            (true, true, true) => "INSERT OR UPDATE OR DELETE",
            (true, true, false) => "INSERT OR UPDATE",
            (true, false, true) => "INSERT OR DELETE",
            (false, true, true) => "UPDATE OR DELETE",
            (true, false, false) => "INSERT",
            (false, true, false) => "UPDATE",
            _ => "DELETE",
        };
        make.kw(events).kw("ON pg_temp.").tight().ident(stand_in.name);
        make.kw("FOR EACH").kw(if self.row { "ROW" } else { "STATEMENT" });
        make.kw("WHEN (").tight().fragment(condition).kw(")");
        make.kw("EXECUTE FUNCTION pg_catalog.suppress_redundant_updates_trigger()");
        let read = format!(
            "(SELECT pg_catalog.pg_get_triggerdef(oid) FROM pg_catalog.pg_trigger \
             WHERE tgrelid = {}::pg_catalog.regclass AND tgname = {})",
            sql::literal(&format!("pg_temp.{}", sql::quoted(stand_in.name))),
            sql::literal(name.as_str())
        );
        out.push(Question {
            object: id,
            stand_in: Some(stand_in),
            make: make.into_text(),
            read: vec![("when".into(), Read::Alone(read))],
            element: None,
            instead: Vec::new(),
        });
    }

    fn stored(_place: &str, text: &str) -> String {
        condition_of(text).unwrap_or(text).to_owned()
    }
}

/// The condition in `pg_get_triggerdef`'s text: what stands in the parentheses behind WHEN.
pub fn condition_of(definition: &str) -> Option<&str> {
    let tokens = crate::parse::tokens(definition).ok()?;
    let word = |token: &crate::parse::Token| definition.get(token.start..token.end).unwrap_or("");
    // WHEN comes behind FOR EACH ROW; names in front of it are quoted when they are keywords.
    let when = tokens.iter().position(|token| word(token) == "WHEN")?;
    let open = tokens.get(when + 1)?;
    let mut depth = 0_i32;
    for token in &tokens[when + 1..] {
        match word(token) {
            "(" => depth += 1,
            ")" => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return definition.get(open.end..token.start).map(str::trim);
        }
    }
    None
}
