//! Primary keys and unique constraints.

pub mod declare;
pub mod read;
pub mod write;

use crate::catalog::{Catalog, Standing};
use crate::id::{ObjectId, Slot};
use crate::ident::{Ident, Text};
use crate::kinds::options::Options;
use crate::kinds::{index, naming, table};
use crate::object::{Alter, Context, Kind, Nature, Object, ObjectKind, Visitor};
use crate::read::{Declarations, class};
use crate::sql::Sql;
use crate::step::{Element, Lock, Steps};
use crate::write::Writer;

/// A primary key or unique constraint.
#[derive(Clone, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub struct Key {
    /// PRIMARY KEY, not UNIQUE.
    pub primary: bool,
    /// Its columns, in order.
    pub columns: Vec<Ident>,
    /// INCLUDE columns.
    pub include: Vec<Ident>,
    /// NULLS NOT DISTINCT (PostgreSQL 15).
    pub nulls_not_distinct: bool,
    /// WITHOUT OVERLAPS on the last column (PostgreSQL 18).
    pub without_overlaps: bool,
    /// When it is checked.
    pub timing: Timing,
    /// Storage parameters of its index.
    pub options: Options,
    /// Tablespace of its index.
    pub tablespace: Option<Ident>,
    /// CLUSTER goes by its index.
    #[serde(default)]
    pub clustered: bool,
    /// A partitioned table's of which some partition has no part: nothing keeps it there.
    #[serde(default)]
    pub invalid: bool,
}

/// When a constraint is checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default, serde::Serialize, serde::Deserialize)]
pub enum Timing {
    /// NOT DEFERRABLE.
    #[default]
    Immediate,
    /// DEFERRABLE INITIALLY IMMEDIATE.
    Deferrable,
    /// DEFERRABLE INITIALLY DEFERRED.
    Deferred,
}

impl Timing {
    /// Adds the words, none for the default.
    pub fn write(self, sql: &mut Sql) {
        match self {
            Timing::Immediate => {}
            Timing::Deferrable => {
                sql.kw("DEFERRABLE");
            }
            Timing::Deferred => {
                sql.kw("DEFERRABLE INITIALLY DEFERRED");
            }
        }
    }
}

impl Key {
    fn definition(&self, id: ObjectId) -> Sql {
        let mut sql = Sql::new("CONSTRAINT");
        sql.ident(id.name()).kw(if self.primary { "PRIMARY KEY" } else { "UNIQUE" });
        if self.nulls_not_distinct {
            sql.kw("NULLS NOT DISTINCT");
        }
        let mut columns: Vec<Sql> = self
            .columns
            .iter()
            .map(|name| {
                let mut column = Sql::default();
                column.ident(*name);
                column
            })
            .collect();
        if let Some(last) = columns.last_mut().filter(|_| self.without_overlaps) {
            last.kw("WITHOUT OVERLAPS");
        }
        sql.kw("(").tight().list(&columns).kw(")");
        if !self.include.is_empty() {
            sql.kw("INCLUDE").idents(&self.include);
        }
        self.options.with(&mut sql);
        if let Some(tablespace) = self.tablespace {
            sql.kw("USING INDEX TABLESPACE").ident(tablespace);
        }
        self.timing.write(&mut sql);
        sql
    }
}

/// Whether a column is a part of its table's primary key.
pub fn is_primary(column: ObjectId, catalog: &Catalog) -> bool {
    let keys = column.parent().into_iter().flat_map(|table| catalog.children_of(table, Kind::Key));
    keys.filter_map(|key| catalog.get(key)).any(|entry| {
        matches!(&entry.object, Object::Key(key) if key.primary && key.columns.contains(&column.name()))
    })
}

impl Key {
    /// What PostgreSQL calls the part that a partition has of its table's.
    fn part_name(&self, id: ObjectId) -> Text {
        let table = id.root().name();
        if self.primary {
            return chosen_name(table.as_str(), "", "pkey");
        }
        let columns: Vec<&str> = self.columns.iter().chain(&self.include).map(|name| name.as_str()).collect();
        chosen_name(table.as_str(), &columns.join("_"), "key")
    }

    /// Whether another key of the table says the same, and stands in front.
    fn has_twin(&self, id: ObjectId, catalog: &Catalog) -> bool {
        let Some(table) = id.parent().filter(|_| !self.primary) else { return false };
        catalog.children_of(table, Kind::Key).filter(|other| *other != id).any(|other| {
            matches!(catalog.get(other).map(|entry| &entry.object), Some(Object::Key(key))
                if key.columns == self.columns && (key.primary || other < id))
        })
    }
}

impl ObjectKind for Key {
    fn nature(&self) -> Nature {
        Nature::CARRIED
    }

    fn visit(&mut self, visitor: &mut dyn Visitor) {
        for name in self.columns.iter_mut().chain(&mut self.include) {
            visitor.column(None, name);
        }
    }

    fn extra_slots(&self, id: ObjectId) -> Vec<Slot> {
        let table = id.parent().filter(|_| self.primary);
        table.map(|table| Slot::On("primary key", table, Ident::new(""))).into_iter().collect()
    }

    fn uses(&self, id: ObjectId, catalog: &Catalog, out: &mut Vec<ObjectId>) {
        let Some(table) = id.parent() else { return };
        out.extend(self.columns.iter().chain(&self.include).filter_map(|name| catalog.column(table, *name)));
    }

    fn write(&self, id: ObjectId, out: &mut Writer<'_>) {
        write::write(self, id, out);
    }

    fn comes_after(&self, id: ObjectId, context: &Context<'_>) -> Vec<ObjectId> {
        table::of_partitions(id, context)
    }

    fn unsettles(&self, id: ObjectId, context: &Context<'_>) -> Vec<ObjectId> {
        table::unsettled(id, context)
    }

    fn create(&self, id: ObjectId, context: &Context<'_>, out: &mut Steps) {
        if table::stays(id, context) || table::comes_as_part(id, self.part_name(id), context) {
            return;
        }
        let definition = self.definition(id);
        let mut sql = naming::alter_parent(id);
        sql.kw("ADD").sql(&definition);
        let step = out.push(sql).lock(id.root(), Lock::AccessExclusive).scans();
        // Of keys that say the same, CREATE TABLE makes one.
        if !self.has_twin(id, context.desired) {
            step.element(Element::Item(definition));
        }
        if self.clustered {
            index::cluster(id, out);
        }
        table::identify_by(id, context, out);
    }

    fn alter(old: &Self, new: &Self, id: ObjectId, context: &Context<'_>, out: &mut Steps) -> Alter {
        let Self {
            primary,
            columns,
            include,
            nulls_not_distinct,
            without_overlaps,
            timing,
            options,
            tablespace,
            clustered,
            invalid,
        } = new;
        if old.invalid && !invalid {
            return Alter::Replace("it is not valid: a partition has no part of it");
        }
        let same = *primary == old.primary
            && *columns == old.columns
            && *include == old.include
            && *nulls_not_distinct == old.nulls_not_distinct
            && *without_overlaps == old.without_overlaps
            && *timing == old.timing;
        if !same {
            return Alter::Replace("a key cannot be changed in place");
        }
        if *options != old.options && table::is_divided(id.root(), context.current) {
            return Alter::Replace("what is stored as partitions has no options that could be changed");
        }
        let mut head = Sql::new("ALTER INDEX");
        if let Some(schema) = id.schema() {
            head.name(crate::ident::QName { schema, name: id.name() });
        }
        for statement in old.options.alter(options, &head) {
            out.push(statement).lock(id.root(), Lock::ShareUpdateExclusive);
        }
        if *tablespace != old.tablespace {
            head.kw("SET TABLESPACE").ident(tablespace.unwrap_or_else(|| Ident::new("pg_default")));
            out.push(head).lock(id.root(), Lock::AccessExclusive);
        }
        index::cluster_otherwise((old.clustered, *clustered), id, context, out);
        Alter::InPlace
    }

    fn drop(&self, id: ObjectId, context: &Context<'_>, out: &mut Steps) {
        if table::merges(id, context) {
            return;
        }
        let mut sql = naming::alter_parent(id);
        sql.kw("DROP CONSTRAINT").ident(id.name());
        table::drop_key(id, sql, context, out);
    }
}

/// A partition's constraint with its index is a part of the one on the partitioned table, whose index `whole` is.
pub fn part_of(out: &mut Declarations, (constraint, index): (u32, Option<u32>), whole: u32, own: ObjectId) {
    if let Some(whole) = out.find(class::RELATION, whole, 0) {
        out.clone_of(class::CONSTRAINT, Some(constraint), whole);
        out.clone_of(class::RELATION, index, whole);
        if let Some(table) = own.parent() {
            out.part(table, own.kind(), own.name(), whole);
        }
    }
}

/// What CLUSTER goes by and no file can say is noted: a partition's part of its table's index, an exclusion constraint.
pub fn clustered_part(out: &mut Declarations, clustered: bool, own: ObjectId) {
    let mine =
        |table: &ObjectId| out.catalog.get(*table).is_some_and(|entry| entry.standing == Standing::Managed);
    if let Some(table) = own.parent().filter(|table| clustered && mine(table)) {
        out.unplaced.push(format!("CLUSTER of {table} goes by {}", own.name()));
    }
}

/// The name that PostgreSQL gives a constraint or index: `ChooseRelationName`'s `makeObjectName`, which shortens the
/// two names evenly until the whole fits into 63 bytes.
pub fn chosen_name(table: &str, columns: &str, label: &str) -> Text {
    let overhead = label.len() + usize::from(!label.is_empty()) + usize::from(!columns.is_empty());
    let available = crate::ident::MAX_NAME_BYTES.saturating_sub(overhead);
    let (mut first, mut second) = (table.len(), columns.len());
    while first + second > available {
        if first > second { first -= 1 } else { second -= 1 }
    }
    let clip = |text: &str, mut length: usize| {
        while !text.is_char_boundary(length) {
            length -= 1;
        }
        text[..length].to_owned()
    };
    let mut name = clip(table, first);
    for part in [clip(columns, second), label.to_owned()] {
        if !part.is_empty() {
            name.push('_');
            name.push_str(&part);
        }
    }
    Text::new(&name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_names_are_shortened_as_postgresql_does() {
        assert_eq!(chosen_name("t", "a_b", "key").as_str(), "t_a_b_key");
        assert_eq!(chosen_name("t", "", "pkey").as_str(), "t_pkey");
        let long = chosen_name(&"t".repeat(50), &"c".repeat(50), "fkey");
        assert_eq!(long.as_str().len(), 63);
        assert_eq!(long.as_str(), format!("{}_{}_fkey", "t".repeat(29), "c".repeat(28)));
    }
}
