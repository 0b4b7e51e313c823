//! Foreign keys.

pub mod declare;
pub mod read;
pub mod write;

use crate::catalog::Catalog;
use crate::id::ObjectId;
use crate::ident::Ident;
use crate::kinds::check::drop_constraint;
use crate::kinds::column;
use crate::kinds::key::Timing;
use crate::kinds::naming;
use crate::kinds::table;
use crate::object::{Alter, Context, Kind, Nature, Object, ObjectKind, Visitor};
use crate::reference::Reference;
use crate::sql::Sql;
use crate::step::{Lock, Steps};
use crate::write::Writer;

/// What happens to referencing rows.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Default, serde::Serialize, serde::Deserialize)]
pub enum Action {
    /// NO ACTION.
    #[default]
    NoAction,
    /// RESTRICT.
    Restrict,
    /// CASCADE.
    Cascade,
    /// SET NULL, of these columns only when there are some (PostgreSQL 15).
    SetNull(Vec<Ident>),
    /// SET DEFAULT, of these columns only when there are some (PostgreSQL 15).
    SetDefault(Vec<Ident>),
}

/// A foreign key.
#[derive(Clone, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub struct ForeignKey {
    /// The referencing columns.
    pub columns: Vec<Ident>,
    /// The referenced table.
    pub target: Reference,
    /// The referenced columns; the primary key's when none were written.
    pub target_columns: Vec<Ident>,
    /// MATCH FULL.
    pub match_full: bool,
    /// ON DELETE.
    pub on_delete: Action,
    /// ON UPDATE.
    pub on_update: Action,
    /// When it is checked.
    pub timing: Timing,
    /// NOT VALID: existing rows were not checked.
    pub not_valid: bool,
    /// NOT ENFORCED (PostgreSQL 18).
    pub not_enforced: bool,
    /// PERIOD on the last columns (PostgreSQL 18).
    pub period: bool,
}

impl Action {
    fn write(&self, sql: &mut Sql, event: &'static str) {
        let (word, columns) = match self {
            Action::NoAction => return,
            Action::Restrict => ("RESTRICT", None),
            Action::Cascade => ("CASCADE", None),
            Action::SetNull(columns) => ("SET NULL", Some(columns)),
            Action::SetDefault(columns) => ("SET DEFAULT", Some(columns)),
        };
        sql.kw(event).kw(word);
        if let Some(columns) = columns.filter(|columns| !columns.is_empty()) {
            sql.idents(columns);
        }
    }
}

impl ForeignKey {
    fn list(&self, sql: &mut Sql, columns: &[Ident]) {
        if !self.period {
            sql.idents(columns);
            return;
        }
        let items: Vec<Sql> = columns
            .iter()
            .enumerate()
            .map(|(index, name)| {
                let mut item = Sql::default();
                if index + 1 == columns.len() {
                    item.kw("PERIOD");
                }
                item.ident(*name);
                item
            })
            .collect();
        sql.kw("(").tight().list(&items).kw(")");
    }
}

impl ObjectKind for ForeignKey {
    fn nature(&self) -> Nature {
        Nature::CARRIED
    }

    fn visit(&mut self, visitor: &mut dyn Visitor) {
        let only = match &mut self.on_delete {
            Action::SetNull(columns) | Action::SetDefault(columns) => columns.as_mut_slice(),
            _ => &mut [],
        };
        for name in self.columns.iter_mut().chain(only) {
            visitor.column(None, name);
        }
        for name in &mut self.target_columns {
            visitor.column(Some(&self.target), name);
        }
        visitor.reference(&mut self.target);
    }

    fn complete(&mut self, _: ObjectId, catalog: &Catalog) {
        if !self.target_columns.is_empty() {
            return;
        }
        let Some(table) = self.target.qname().and_then(|name| catalog.relation(name)) else { return };
        let primary = catalog.children_of(table, Kind::Key).find_map(|key| match &catalog.get(key)?.object {
            Object::Key(key) if key.primary => Some(key.columns.clone()),
            _ => None,
        });
        self.target_columns = primary.unwrap_or_default();
    }

    fn uses(&self, id: ObjectId, catalog: &Catalog, out: &mut Vec<ObjectId>) {
        if let Some(table) = id.parent() {
            out.extend(self.columns.iter().filter_map(|name| catalog.column(table, *name)));
        }
        let Some(target) = self.target.qname().and_then(|name| catalog.relation(name)) else { return };
        out.push(target);
        out.extend(self.target_columns.iter().filter_map(|name| catalog.column(target, *name)));
        // PostgreSQL picks the unique index over exactly these columns, whatever their order.
        let mut wanted = self.target_columns.clone();
        wanted.sort_unstable();
        let serves = |columns: &[Ident]| {
            let mut columns = columns.to_vec();
            columns.sort_unstable();
            columns == wanted
        };
        for child in catalog.children(target) {
            match catalog.get(*child).map(|entry| &entry.object) {
                Some(Object::Key(key)) if serves(&key.columns) => out.push(*child),
                Some(Object::Index(index)) if index.unique => out.push(*child),
                _ => {}
            }
        }
    }

    /// Its two ends get their new types one after the other, and in between it has no operator for both.
    fn gives_way(&self, id: ObjectId, context: &Context<'_>) -> bool {
        let target = self.target.qname().and_then(|name| context.current.relation(name));
        let Some((table, target)) = id.parent().zip(target) else { return false };
        let becomes_other = |table: ObjectId, name: &Ident| {
            let column = context.current.column(table, *name);
            column.is_some_and(|column| column::becomes_incomparable(column, context))
        };
        self.columns
            .iter()
            .zip(&self.target_columns)
            .any(|(from, to)| becomes_other(table, from) && becomes_other(target, to))
    }

    /// PostgreSQL drops no partition of a table that a foreign key refers to.
    fn holds(&self, _: ObjectId, catalog: &Catalog) -> Vec<ObjectId> {
        let target = self.target.qname().and_then(|name| catalog.relation(name));
        target.map(|target| table::partitions(catalog, target)).unwrap_or_default()
    }

    fn write(&self, id: ObjectId, out: &mut Writer<'_>) {
        write::write(self, id, out);
    }

    fn comes_after(&self, id: ObjectId, context: &Context<'_>) -> Vec<ObjectId> {
        table::of_partitions(id, context)
    }

    fn create(&self, id: ObjectId, context: &Context<'_>, out: &mut Steps) {
        if table::stays(id, context) {
            return;
        }
        let Some(target) = self.target.qname() else { return };
        let mut sql = naming::alter_parent(id);
        sql.kw("ADD CONSTRAINT").ident(id.name()).kw("FOREIGN KEY");
        self.list(&mut sql, &self.columns);
        sql.kw("REFERENCES").name(target);
        if !self.target_columns.is_empty() {
            self.list(&mut sql, &self.target_columns);
        }
        if self.match_full {
            sql.kw("MATCH FULL");
        }
        self.on_update.write(&mut sql, "ON UPDATE");
        self.on_delete.write(&mut sql, "ON DELETE");
        self.timing.write(&mut sql);
        if self.not_enforced {
            sql.kw("NOT ENFORCED");
        } else if self.not_valid {
            sql.kw("NOT VALID");
        }
        let step = out.push(sql).lock(id.root(), Lock::ShareRowExclusive);
        if !self.not_valid && !self.not_enforced {
            step.scans();
        }
    }

    fn alter(old: &Self, new: &Self, id: ObjectId, _: &Context<'_>, out: &mut Steps) -> Alter {
        let Self {
            columns,
            target,
            target_columns,
            match_full,
            on_delete,
            on_update,
            timing,
            not_valid,
            not_enforced,
            period,
        } = new;
        let same = *columns == old.columns
            && *target == old.target
            && *target_columns == old.target_columns
            && *match_full == old.match_full
            && *on_delete == old.on_delete
            && *on_update == old.on_update
            && *not_enforced == old.not_enforced
            && *period == old.period;
        if !same || (*not_valid && !old.not_valid) {
            return Alter::Replace("a foreign key's definition cannot be changed in place");
        }
        if *timing != old.timing {
            let mut sql = naming::alter_parent(id);
            sql.kw("ALTER CONSTRAINT").ident(id.name());
            match timing {
                Timing::Immediate => {
                    sql.kw("NOT DEFERRABLE");
                }
                Timing::Deferrable => {
                    sql.kw("DEFERRABLE INITIALLY IMMEDIATE");
                }
                Timing::Deferred => timing.write(&mut sql),
            }
            out.push(sql).lock(id.root(), Lock::ShareRowExclusive);
        }
        if old.not_valid && !not_valid {
            let mut sql = naming::alter_parent(id);
            sql.kw("VALIDATE CONSTRAINT").ident(id.name());
            out.push(sql).lock(id.root(), Lock::ShareUpdateExclusive).scans();
        }
        Alter::InPlace
    }

    fn drop(&self, id: ObjectId, context: &Context<'_>, out: &mut Steps) {
        if table::merges(id, context) {
            return;
        }
        drop_constraint(id, out);
    }
}
