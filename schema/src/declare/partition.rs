//! Partitions, and the columns that tables have from those which they inherit from.

use super::frame::Frame;
use super::{Declarations, facade, key_name};
use crate::code::Code;
use crate::diagnostic::Diagnostic;
use crate::fragment::{Fragment, Grammar};
use crate::id::ObjectId;
use crate::ident::{Ident, QName};
use crate::kinds::column::{Column, declare as columns};
use crate::kinds::copied_trigger::{self, declare::copied_trigger};
use crate::kinds::default::Default as ColumnDefault;
use crate::kinds::not_null;
use crate::kinds::table::Table;
use crate::object::{Kind, Object};
use crate::reference::{Reference, Target};
use crate::span::Span;
use crate::spec::{EverySpec, Name, PartitionSpec, PartitionsSpec};
use crate::yaml::{Sql, Written};
use std::collections::BTreeSet;

impl Declarations<'_> {
    /// The partitions of a table, each with its own.
    pub(super) fn partitions(&mut self, parent: ObjectId, spec: &PartitionsSpec) {
        let EverySpec { hour, day, week, month, quarter, year } = &spec.every;
        let rolling = [hour, day, week, month, quarter, year].into_iter().flatten().next();
        if let Some(rolling) = rolling {
            self.not_modelled(rolling.name.span, "a row of partitions that goes on with time (`every`)");
        }
        for (name, written) in &spec.named {
            self.partition(parent, name, written);
        }
    }

    fn partition(&mut self, parent: ObjectId, name: &Name, written: &Written<PartitionSpec>) {
        let (Some(_), Some(above)) = (self.name(name), parent.qname()) else { return };
        // Where it does not say, it is where its table is.
        let own = match key_name(name)[..] {
            [schema, own] => QName::new(schema, own),
            _ => QName::new(above.schema, name.as_str()),
        };
        let (sql, long) = match written {
            Written::Short(sql) => (sql, None),
            Written::Long(spec) => (&spec.definition, Some(spec.as_table())),
        };
        let Some(bound) = self.keep(bound(sql)) else { return };
        let spec = long.unwrap_or_default();
        let id = ObjectId::in_schema(Kind::Table, own);
        let table = Table {
            partition_of: Some((Reference::to(Target::Relation, above), bound)),
            ..self.table_itself(&spec)
        };
        self.add(id, Object::Table(table), name.span);
        self.moved(id, &spec.moved_from, |old| ObjectId::in_schema(Kind::Table, old));
        let known: BTreeSet<Ident> = self.hand_down(parent, id).into_iter().collect();
        self.inherited.extend((!spec.inherited.is_empty()).then(|| (id, spec.inherited.clone())));
        let mut constraints = Vec::new();
        self.table_constraints(&spec, &mut constraints);
        self.parts(id, &spec, constraints, Some(&known));
        if let Written::Long(spec) = written {
            self.copied_triggers(id, spec);
        }
        for facade in &spec.facade {
            facade::of_entry(self, id, facade);
        }
        self.partitions(id, &spec.partitions);
    }

    /// Which of its table's triggers fire otherwise on a partition.
    fn copied_triggers(&mut self, partition: ObjectId, spec: &PartitionSpec) {
        for (name, word) in &spec.inherited_triggers {
            let Some(own) = self.name(name) else { continue };
            let id = ObjectId::on(Kind::CopiedTrigger, partition, own);
            self.add(id, Object::CopiedTrigger(copied_trigger(word.value)), name.span);
        }
    }

    /// Gives a table the columns of a parent that it does not have yet; their names.
    fn hand_down(&mut self, parent: ObjectId, child: ObjectId) -> Vec<Ident> {
        let columns: Vec<(Ident, Column)> = self
            .out
            .catalog
            .columns(parent)
            .into_iter()
            .map(|(id, column)| (id.name(), column.handed_down()))
            .collect();
        for (name, column) in &columns {
            if self.out.catalog.column(child, *name).is_none() {
                let id = ObjectId::on(Kind::Column, child, *name);
                let span = self
                    .out
                    .catalog
                    .get(ObjectId::on(Kind::Column, parent, *name))
                    .and_then(|entry| entry.span);
                let span = span.unwrap_or_else(|| child_span(self, child));
                self.add(id, Object::Column(column.clone()), span);
            }
        }
        columns.into_iter().map(|(name, _)| name).collect()
    }

    /// Gives every table the columns of the tables that it inherits from, in front of its own.
    pub(super) fn inherit(&mut self) {
        let mut open: Vec<ObjectId> = self
            .out
            .catalog
            .iter()
            .filter(|(_, entry)| matches!(&entry.object, Object::Table(table) if !table.inherits.is_empty()))
            .map(|(id, _)| id)
            .collect();
        open.sort_unstable();
        // Those whose parents wait for nobody come first; what waits in a circle is PostgreSQL's to refuse.
        while !open.is_empty() {
            let ready: Vec<ObjectId> = open
                .iter()
                .copied()
                .filter(|id| !self.declared_parents(*id).iter().any(|parent| open.contains(parent)))
                .collect();
            if ready.is_empty() {
                return;
            }
            open.retain(|id| !ready.contains(id));
            for id in ready {
                let own: Vec<ObjectId> =
                    self.out.catalog.columns(id).into_iter().map(|(column, _)| column).collect();
                let mut count = 0_u32;
                for parent in self.declared_parents(id) {
                    for name in self.hand_down(parent, id) {
                        count += 1;
                        self.place(ObjectId::on(Kind::Column, id, name), |_| count);
                    }
                }
                for column in own {
                    self.place(column, |position| position + count);
                }
            }
        }
    }

    /// What children and partitions say otherwise about the columns that they have from others.
    pub(super) fn inherited(&mut self) {
        for (table, specs) in std::mem::take(&mut self.inherited) {
            for (name, spec) in &specs {
                let id = ObjectId::on(Kind::Column, table, name.as_str());
                let mut own = match self.out.catalog.get(id).map(|entry| &entry.object) {
                    Some(Object::Column(column)) if column.inherited.0 => column.clone(),
                    _ => {
                        let message = format!("{table} has no column `{name}` from a parent");
                        self.report(Diagnostic::error(Code::UnknownColumn, message).at(name.span));
                        continue;
                    }
                };
                let read = columns::inherited(spec, &mut own);
                let Some(default) = self.keep(read) else { continue };
                if let Some(entry) = self.out.catalog.get_mut(id) {
                    entry.object = Object::Column(own);
                }
                if let Some(value) = default {
                    let span = value.origin().map_or(name.span, Sql::span);
                    let default = Object::Default(ColumnDefault::new(value));
                    self.add(ObjectId::of(Kind::Default, id, ""), default, span);
                }
                if let Some(Written::Long(own)) = &spec.not_null {
                    self.not_null(id, &not_null::declare::said(own, name.span));
                }
                self.comment(id, spec.comment.as_ref());
                self.grants(id, &spec.grants, None);
            }
        }
        self.keys_of_children();
        self.originals();
    }

    /// What is said of a copied trigger must be about one that is copied, and is said for nothing where the copy fires as
    /// its table's does.
    fn originals(&mut self) {
        let catalog = &self.out.catalog;
        let mut unsaid = BTreeSet::new();
        let mut unknown = Vec::new();
        for (id, entry) in catalog.iter() {
            let Object::CopiedTrigger(copy) = &entry.object else { continue };
            let table = copied_trigger::original(id, catalog).and_then(|table| catalog.get(table));
            if !matches!(table.map(|table| &table.object), Some(Object::Trigger(table)) if table.row) {
                unknown.push((id, entry.span));
            } else if copied_trigger::usual(id, catalog) == Some(copy.enabled) {
                unsaid.insert(id);
            }
        }
        for (id, span) in unknown {
            let message = format!("{} has no row trigger {} from its table", id.root(), id.name());
            self.report(Diagnostic::error(Code::UnknownTrigger, message).at(span));
        }
        if !unsaid.is_empty() {
            self.out.catalog.retain(|id| !unsaid.contains(&id));
        }
    }

    /// A primary key of a child's own makes its columns refuse null, whatever the parent's do.
    fn keys_of_children(&mut self) {
        let catalog = &self.out.catalog;
        let mut own = Vec::new();
        for (id, entry) in catalog.iter() {
            let (Object::Key(key), Some(table)) = (&entry.object, id.parent()) else { continue };
            for name in key.columns.iter().filter(|_| key.primary) {
                let column = ObjectId::on(Kind::Column, table, *name);
                let origin = crate::kinds::origin(catalog, column);
                let above = origin.and_then(|origin| catalog.get(origin)).map(|entry| &entry.object);
                if matches!(above, Some(Object::Column(above)) if !above.not_null) {
                    own.push(column);
                }
            }
        }
        for id in own {
            if let Some(Object::Column(column)) = self.out.catalog.get_mut(id).map(|entry| &mut entry.object)
            {
                column.not_null = true;
            }
        }
    }

    fn place(&mut self, column: ObjectId, position: impl Fn(u32) -> u32) {
        if let Some(Object::Column(column)) = self.out.catalog.get_mut(column).map(|entry| &mut entry.object)
        {
            column.position.0 = position(column.position.0);
        }
    }

    /// The tables of the files that a table inherits from. A name without a schema is looked for beside the table and
    /// in `public`: the search_path is not known here.
    fn declared_parents(&self, id: ObjectId) -> Vec<ObjectId> {
        let Some(Object::Table(table)) = self.out.catalog.get(id).map(|entry| &entry.object) else {
            return Vec::new();
        };
        let schemas = [id.schema(), Some(Ident::new("public"))];
        table
            .inherits
            .iter()
            .filter_map(|parent| {
                let mut names = match parent.schema {
                    Some(schema) => vec![QName::new(schema, parent.name)],
                    None => schemas.iter().flatten().map(|schema| QName::new(*schema, parent.name)).collect(),
                };
                names.retain(|name| self.out.catalog.contains(ObjectId::in_schema(Kind::Table, *name)));
                names.first().map(|name| ObjectId::in_schema(Kind::Table, *name))
            })
            .collect()
    }
}

fn child_span(declarations: &Declarations<'_>, id: ObjectId) -> Span {
    let span = declarations.out.catalog.get(id).and_then(|entry| entry.span);
    span.unwrap_or_else(|| Span::new(crate::span::FileId(0), 0, 0))
}

/// A bound: `default`, `for values …`.
fn bound(sql: &Sql) -> Result<Fragment, Diagnostic> {
    let frame = Frame::read(sql, "CREATE TABLE t PARTITION OF p ", "")?;
    let words = frame.words();
    if words.is(0, "default") && words.len() == 1 {
        return Ok(Fragment::canonical("DEFAULT", Grammar::Bound));
    }
    if !words.is(0, "for") {
        return Err(frame.refuse(0, "a partition is `default` or `for values …`"));
    }
    let other = ["partition", "using", "tablespace"].iter().find_map(|word| words.find_outside(1, word));
    // FOR VALUES WITH (modulus …) is a bound, a second WITH is not.
    let with = words.find_outside(3, "with").filter(|_| !frame.tree.get("options").is_nothing());
    if let Some(token) = other.or(with).and_then(|index| words.token(index)) {
        return Err(frame.refuse(token.start, "this has a key of its own"));
    }
    Ok(Fragment::declared(sql, Grammar::Bound))
}
