//! Row-level security policies.

pub mod declare;
pub mod read;
pub mod write;

use crate::analyse::{self, Found, Place, Seen, World};
use crate::fragment::Fragment;
use crate::id::ObjectId;
use crate::kinds::{naming, table};
use crate::object::{Alter, Context, Nature, ObjectKind, Visitor};
use crate::question::{Question, Questions, Read};
use crate::reference::Reference;
use crate::sql::Sql;
use crate::step::{Guard, Lock, Steps};
use crate::write::Writer;

/// For which command a policy is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default, serde::Serialize, serde::Deserialize)]
pub enum Command {
    /// ALL.
    #[default]
    All,
    /// SELECT.
    Select,
    /// INSERT.
    Insert,
    /// UPDATE.
    Update,
    /// DELETE.
    Delete,
}

/// A policy.
#[derive(Clone, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub struct Policy {
    /// For which command.
    pub command: Command,
    /// PERMISSIVE, not RESTRICTIVE.
    pub permissive: bool,
    /// To whom, sorted; `public` is everybody.
    pub roles: Vec<Reference>,
    /// USING.
    pub using: Option<Fragment>,
    /// WITH CHECK.
    pub check: Option<Fragment>,
}

impl Policy {
    fn clauses(&self, sql: &mut Sql) {
        if let Some(using) = &self.using {
            sql.kw("USING (").tight().fragment(using).kw(")");
        }
        if let Some(check) = &self.check {
            sql.kw("WITH CHECK (").tight().fragment(check).kw(")");
        }
    }

    fn write_roles(&self, sql: &mut Sql) {
        let roles: Vec<Sql> = self
            .roles
            .iter()
            .map(|role| {
                let mut item = Sql::default();
                if role.name.as_str() == "public" {
                    item.kw("PUBLIC");
                } else {
                    item.ident(role.name);
                }
                item
            })
            .collect();
        sql.kw("TO").list(&roles);
    }

    fn write_command(&self, sql: &mut Sql) {
        sql.kw(match self.command {
            Command::All => "FOR ALL",
            Command::Select => "FOR SELECT",
            Command::Insert => "FOR INSERT",
            Command::Update => "FOR UPDATE",
            Command::Delete => "FOR DELETE",
        });
    }
}

/// The conditions of stand-ins' policies as they are stored.
const USING: &str = "SELECT polname, pg_catalog.pg_get_expr(polqual, polrelid) FROM pg_catalog.pg_policy \
    WHERE polrelid = ANY ($1)";
const WITH_CHECK: &str = "SELECT polname, pg_catalog.pg_get_expr(polwithcheck, polrelid) \
    FROM pg_catalog.pg_policy WHERE polrelid = ANY ($1)";

impl ObjectKind for Policy {
    fn nature(&self) -> Nature {
        Nature::REBUILT
    }

    fn visit(&mut self, visitor: &mut dyn Visitor) {
        for role in &mut self.roles {
            visitor.reference(role);
        }
        if let Some(using) = &mut self.using {
            visitor.fragment("using", using);
        }
        if let Some(check) = &mut self.check {
            visitor.fragment("check", check);
        }
    }

    fn write(&self, id: ObjectId, out: &mut Writer<'_>) {
        write::write(self, id, out);
    }

    fn create(&self, id: ObjectId, _: &Context<'_>, out: &mut Steps) {
        let mut sql = Sql::new("CREATE POLICY");
        sql.ident(id.name()).kw("ON");
        if let Some(parent) = id.parent() {
            naming::own_name(&mut sql, parent);
        }
        if !self.permissive {
            sql.kw("AS RESTRICTIVE");
        }
        if self.command != Command::All {
            self.write_command(&mut sql);
        }
        self.write_roles(&mut sql);
        self.clauses(&mut sql);
        out.push(sql).lock(id.root(), Lock::AccessExclusive).guards(Guard::Rows);
    }

    fn alter(old: &Self, new: &Self, id: ObjectId, _: &Context<'_>, out: &mut Steps) -> Alter {
        let Self { command, permissive, roles, using, check } = new;
        if *command != old.command || *permissive != old.permissive {
            return Alter::Replace("a policy's command and mode are chosen when it is created");
        }
        if (using.is_none() && old.using.is_some()) || (check.is_none() && old.check.is_some()) {
            return Alter::Replace("a policy's expression cannot be taken away in place");
        }
        let mut sql = Sql::new("ALTER POLICY");
        sql.ident(id.name()).kw("ON");
        if let Some(parent) = id.parent() {
            naming::own_name(&mut sql, parent);
        }
        if *roles != old.roles {
            new.write_roles(&mut sql);
        }
        let changed = Policy {
            using: using.clone().filter(|_| *using != old.using),
            check: check.clone().filter(|_| *check != old.check),
            ..new.clone()
        };
        changed.clauses(&mut sql);
        out.push(sql).lock(id.root(), Lock::AccessExclusive).guards(Guard::Rows);
        Alter::InPlace
    }

    fn drop(&self, id: ObjectId, _: &Context<'_>, out: &mut Steps) {
        let mut sql = Sql::new("DROP POLICY");
        sql.ident(id.name()).kw("ON");
        if let Some(parent) = id.parent() {
            naming::own_name(&mut sql, parent);
        }
        out.push(sql).lock(id.root(), Lock::AccessExclusive).guards(Guard::Rows);
    }

    fn analyse(&self, id: ObjectId, world: &World<'_>, out: &mut Found) {
        let Some(table) = id.parent() else { return };
        for (name, fragment) in [("using", &self.using), ("check", &self.check)] {
            if let Some(fragment) = fragment {
                let place = Place::Condition(Seen::Columns(table));
                out.push((name, analyse::expression(world, fragment, place)));
            }
        }
    }

    fn ask(&self, id: ObjectId, context: &Context<'_>, out: &mut Questions) {
        let Some(stand_in) = id.parent().and_then(|parent| table::stand_in(parent, context)) else { return };
        let name = out.fresh_name();
        let (mut policy, mut prelude, mut instead) = (self.clone(), String::new(), Vec::new());
        for fragment in [&mut policy.using, &mut policy.check].into_iter().flatten() {
            let Some(masked) = out.mask(fragment, context) else { return };
            *fragment = masked.fragment;
            prelude.push_str(&masked.prelude);
            instead.extend(masked.instead);
        }
        let mut make = Sql::new("CREATE POLICY");
        make.ident(name).kw("ON pg_temp.").tight().ident(stand_in.name);
        policy.write_command(&mut make);
        policy.clauses(&mut make);
        let mut places = Vec::new();
        if self.using.is_some() {
            places.push(("using".to_owned(), Read::Among(USING, name.as_str().to_owned())));
        }
        if self.check.is_some() {
            places.push(("check".to_owned(), Read::Among(WITH_CHECK, name.as_str().to_owned())));
        }
        out.push(Question {
            object: id,
            stand_in: Some(stand_in),
            make: prelude + make.text(),
            read: places,
            element: None,
            instead,
        });
    }
}
