//! Check constraints of tables and domains.

pub mod declare;
pub mod read;
pub mod write;

use crate::analyse::{self, Found, Place, Seen, World};
use crate::fragment::Fragment;
use crate::id::ObjectId;
use crate::ident::Ident;
use crate::kinds::column::compare::stands_between;
use crate::kinds::domain::{self, Domain};
use crate::kinds::{naming, table};
use crate::object::{Alter, Context, Kind, Nature, Object, ObjectKind, Obstacle, Visitor};
use crate::question::{Question, Questions, Read};
use crate::sql::{self, Sql};
use crate::step::{Element, Lock, Steps};
use crate::write::Writer;

/// A check constraint.
#[derive(Clone, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub struct Check {
    /// The condition.
    pub expression: Fragment,
    /// NO INHERIT.
    pub no_inherit: bool,
    /// NOT VALID: existing rows were not checked.
    pub not_valid: bool,
    /// NOT ENFORCED (PostgreSQL 18).
    pub not_enforced: bool,
}

impl Check {
    /// `CONSTRAINT name CHECK (…)`.
    pub fn definition(&self, id: ObjectId) -> Sql {
        let mut sql = Sql::new("CONSTRAINT");
        sql.ident(id.name()).kw("CHECK (").tight().fragment(&self.expression).kw(")");
        if self.no_inherit {
            sql.kw("NO INHERIT");
        }
        if self.not_enforced {
            sql.kw("NOT ENFORCED");
        }
        sql
    }

    fn ask_of_domain(&self, id: ObjectId, domain: &Domain, name: Ident) -> Question {
        let mut make = domain::stand_in(name, domain);
        make.kw("CONSTRAINT").ident(name).kw("CHECK (").tight().fragment(&self.expression).kw(")");
        let read = format!(
            "(SELECT pg_catalog.pg_get_expr(conbin, 0) FROM pg_catalog.pg_constraint \
             WHERE contypid = {}::pg_catalog.regtype AND conname = {})",
            domain::regtype(name),
            sql::literal(name.as_str())
        );
        Question {
            object: id,
            stand_in: None,
            make: make.into_text(),
            read: vec![("check".into(), Read::Alone(read))],
            element: None,
            instead: Vec::new(),
        }
    }
}

impl ObjectKind for Check {
    fn nature(&self) -> Nature {
        Nature::CARRIED
    }

    fn visit(&mut self, visitor: &mut dyn Visitor) {
        visitor.fragment("check", &mut self.expression);
    }

    fn write(&self, id: ObjectId, out: &mut Writer<'_>) {
        write::write(self, id, out);
    }

    fn obstacle(&self, id: ObjectId, context: &Context<'_>) -> Option<Obstacle> {
        let domain = id.parent().filter(|parent| parent.kind() == Kind::Domain)?;
        if self.not_valid || self.not_enforced {
            return None;
        }
        let column = domain::within::column(domain, context)?;
        Some(Obstacle {
            message: format!("{id} cannot be added: {column} has the domain inside of another type"),
            help: "PostgreSQL cannot check the values that are there: with `not_valid: true` it holds for new ones",
        })
    }

    fn gives_way(&self, id: ObjectId, context: &Context<'_>) -> bool {
        stands_between(id, context)
    }

    fn comes_after(&self, id: ObjectId, context: &Context<'_>) -> Vec<ObjectId> {
        let domain = id.parent().filter(|parent| parent.kind() == Kind::Domain);
        domain.map(|domain| domain::within::leaving(domain, context)).unwrap_or_default()
    }

    fn create(&self, id: ObjectId, context: &Context<'_>, out: &mut Steps) {
        if table::stays(id, context) {
            return;
        }
        let definition = self.definition(id);
        let mut sql = naming::alter_parent(id);
        sql.kw("ADD").sql(&definition);
        if self.not_valid && !self.not_enforced {
            sql.kw("NOT VALID");
        }
        let step = out.push(sql).lock(id.root(), Lock::AccessExclusive);
        if self.not_valid || self.not_enforced {
            return;
        }
        step.scans();
        if id.parent().is_some_and(|parent| matches!(parent.kind(), Kind::Table | Kind::ForeignTable)) {
            step.element(Element::Item(definition));
        }
    }

    fn alter(old: &Self, new: &Self, id: ObjectId, _: &Context<'_>, out: &mut Steps) -> Alter {
        let Self { expression, no_inherit, not_valid, not_enforced } = new;
        let same = *expression == old.expression
            && *no_inherit == old.no_inherit
            && *not_enforced == old.not_enforced;
        if same && old.not_valid && !not_valid {
            let mut sql = naming::alter_parent(id);
            sql.kw("VALIDATE CONSTRAINT").ident(id.name());
            out.push(sql).lock(id.root(), Lock::ShareUpdateExclusive).scans();
            return Alter::InPlace;
        }
        Alter::Replace("a check cannot be changed in place")
    }

    fn drop(&self, id: ObjectId, context: &Context<'_>, out: &mut Steps) {
        if table::merges(id, context) {
            return;
        }
        drop_constraint(id, out);
    }

    fn analyse(&self, id: ObjectId, world: &World<'_>, out: &mut Found) {
        let Some(parent) = id.parent() else { return };
        let seen = match world.catalog.get(parent).map(|entry| &entry.object) {
            Some(Object::Domain(domain)) => Seen::Value(domain.base),
            _ => Seen::Columns(parent),
        };
        out.push(("check", analyse::expression(world, &self.expression, Place::Condition(seen))));
    }

    fn ask(&self, id: ObjectId, context: &Context<'_>, out: &mut Questions) {
        let Some(parent) = id.parent() else { return };
        if let Some(Object::Domain(domain)) = context.desired.get(parent).map(|entry| &entry.object) {
            let name = out.fresh_name();
            out.push(self.ask_of_domain(id, domain, name));
            return;
        }
        let Some(stand_in) = table::stand_in(parent, context) else { return };
        let name = out.fresh_name();
        let mut element = Sql::new("CONSTRAINT");
        element.ident(name).kw("CHECK (").tight().fragment(&self.expression).kw(")");
        let mut make = Sql::new("ALTER TABLE pg_temp.");
        make.tight().ident(stand_in.name).kw("ADD").sql(&element);
        out.push(Question {
            object: id,
            stand_in: Some(stand_in),
            make: make.into_text(),
            read: vec![("check".into(), Read::Among(STORED, name.as_str().to_owned()))],
            element: Some(element.into_text()),
            instead: Vec::new(),
        });
    }
}

/// The checks of stand-ins as they are stored.
const STORED: &str = "SELECT conname, pg_catalog.pg_get_expr(conbin, conrelid) FROM pg_catalog.pg_constraint \
    WHERE contype = 'c' AND conrelid = ANY ($1)";

/// `ALTER TABLE … DROP CONSTRAINT`, for every kind of constraint.
pub fn drop_constraint(id: ObjectId, out: &mut Steps) {
    let mut sql = naming::alter_parent(id);
    sql.kw("DROP CONSTRAINT").ident(id.name());
    out.push(sql).lock(id.root(), Lock::AccessExclusive);
}
