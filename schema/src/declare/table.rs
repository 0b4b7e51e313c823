//! Tables, with everything that stands in their entries.

use super::constraint::Constraint;
use super::{Declarations, facade, mixin, written_ident, written_name};
use crate::code::Code;
use crate::diagnostic::Diagnostic;
use crate::fragment::{Aside, Fragment, Grammar};
use crate::id::ObjectId;
use crate::ident::{Ident, QName};
use crate::kinds::column::{self, declare as columns};
use crate::kinds::comment::ON_INDEX;
use crate::kinds::default::Default as ColumnDefault;
use crate::kinds::foreign_key::Action;
use crate::kinds::key::chosen_name;
use crate::kinds::options::Options;
use crate::kinds::sequence::Sequence;
use crate::kinds::table::{ReplicaIdentity, Table};
use crate::kinds::{
    check, exclusion, foreign_key, identity_sequence, index, key, not_null, policy, rule, statistics, trigger,
};
use crate::object::{Kind, Object};
use crate::reference::{Reference, Target};
use crate::spec::security::{Rules, Triggers};
use crate::spec::{ColumnSpec, IndexSpec, Map, Name, PolicySpec, Rls, StatisticsSpec, TableSpec};
use crate::type_name::TypeName;
use crate::yaml::{OneOrMany, Sql, Text, Written};
use std::collections::BTreeSet;

/// The columns of a table, by name; not known where it also has those of a parent.
pub(super) type Known = BTreeSet<Ident>;

impl<'a> Declarations<'a> {
    pub(super) fn table(&mut self, schema: Ident, name: &Name, spec: &TableSpec) {
        let Some(own) = self.name(name) else { return };
        let mixed = mixin::mixed(self, schema, own, spec);
        let spec = mixed.as_ref().map_or(spec, |mixed| &mixed.table);
        let id = ObjectId::in_schema(Kind::Table, QName::new(schema, own));
        let table = self.table_itself(spec);
        self.add(id, Object::Table(table), name.span);

        let partitioned = spec.partition_by.is_some();
        let known: Known = spec.columns.iter().map(|(name, _)| Ident::new(name.as_str())).collect();
        let known = spec.inherits.is_empty().then_some(&known);
        let mut constraints = Vec::new();
        let mut declared = Vec::new();
        for (name, written) in &spec.columns {
            let Some(own) = self.name(name) else { continue };
            if let Some(mut column) = self.keep_declared(columns::column(own, written)) {
                constraints.append(&mut column.constraints);
                declared.push((own, name, written, column));
            }
        }
        self.table_constraints(spec, &mut constraints);
        for constraint in &constraints {
            let Object::Key(key) = &constraint.object else { continue };
            let primary = declared.iter_mut().filter(|(own, ..)| key.primary && key.columns.contains(own));
            primary.for_each(|(.., column)| column.column.not_null = true);
        }
        self.moved(id, &spec.moved_from, |old| ObjectId::in_schema(Kind::Table, old));
        let mut tables = vec![id];
        tables.extend(
            self.out.moves.iter().filter(|one| one.to == id).flat_map(|one| one.from.iter().copied()),
        );
        for (position, (own, name, written, column)) in (1..).zip(declared) {
            self.column(own, name, written, column, position, &tables);
        }
        self.parts(id, spec, constraints, known);
        self.inherited.extend((!spec.inherited.is_empty()).then(|| (id, spec.inherited.clone())));
        self.serials_moved(id, spec);
        for facade in &spec.facade {
            facade::of_entry(self, id, facade);
        }
        let first = spec.partitions.named.iter().next().map(|(name, _)| name.span);
        if let Some(span) = first.filter(|_| !partitioned) {
            let error =
                Diagnostic::error(Code::MissingKey, format!("{id} has partitions and no partition key"));
            self.report(
                error.at(span).help("`partition_by:` says how it is divided, such as `range (created_at)`"),
            );
        }
        self.partitions(id, &spec.partitions);
        for (name, view) in mixed.iter().flat_map(|mixed| &mixed.views) {
            self.view(schema, name, view);
        }
    }

    /// What stands on a table beside its columns.
    pub(super) fn parts(
        &mut self,
        id: ObjectId,
        spec: &TableSpec,
        constraints: Vec<Constraint>,
        known: Option<&Known>,
    ) {
        self.constraints(id, constraints, known);
        self.indexes(id, &spec.indexes, known);
        self.statistics(id, &spec.statistics, known);
        self.policies(id, &spec.policies);
        self.triggers(id, &spec.triggers, known);
        self.rules(id, &spec.rules);
        self.grants(id, &spec.grants, known);
        self.comment(id, spec.comment.as_ref());
        self.published(id, &spec.published_in);
    }

    pub(super) fn table_itself(&mut self, spec: &TableSpec) -> Table {
        let rls = spec.rls.map(|rls| rls.value);
        let replica_identity = spec.replica_identity.as_ref().map(replica_identity);
        Table {
            owner: Aside(spec.owner.as_ref().map(written_ident)),
            unlogged: spec.unlogged.is_some_and(|flag| flag.value),
            options: Options::declared(&spec.options),
            rls: matches!(rls, Some(Rls::Enabled | Rls::Forced)),
            rls_forced: matches!(rls, Some(Rls::Forced | Rls::ForcedWhenEnabled)),
            replica_identity: replica_identity.and_then(|read| self.keep(read)).unwrap_or_default(),
            partition_by: spec.partition_by.as_ref().map(partition_key).and_then(|read| self.keep(read)),
            partition_of: None,
            inherits: spec
                .inherits
                .iter()
                .map(|name| Reference::written(Target::Relation, &written_name(name), Some(name.span)))
                .collect(),
            access_method: spec.access_method.as_ref().map(written_ident),
            tablespace: spec.tablespace.as_ref().map(written_ident),
            parts: Aside(Vec::new()),
        }
    }

    pub(super) fn keep_declared(
        &mut self,
        read: Result<columns::Declared, Diagnostic>,
    ) -> Option<columns::Declared> {
        let declared = self.keep(read)?;
        for (span, what) in &declared.ignored {
            self.not_modelled(*span, what);
        }
        Some(declared)
    }

    pub(super) fn column(
        &mut self,
        own: Ident,
        name: &Name,
        written: &Written<ColumnSpec>,
        declared: columns::Declared,
        position: u32,
        tables: &[ObjectId],
    ) {
        let Some(table) = tables.first().copied() else { return };
        let id = ObjectId::on(Kind::Column, table, own);
        let mut default = declared.default;
        if declared.serial {
            let Some(table_name) = table.qname() else { return };
            // A sequence that has an entry of its own may be this one.
            let is_own = |holder: ObjectId| {
                self.sequences.get(&holder).is_some_and(|entry| super::types::may_own(id, entry))
                    && !self.serials.iter().any(|(_, other)| *other == holder)
            };
            let taken = |candidate: &str| {
                let holder = self.out.catalog.relation(QName::new(table_name.schema, candidate));
                holder.is_some_and(|holder| !is_own(holder))
            };
            let sequence = choose(table_name.name.as_str(), own.as_str(), "seq", taken);
            let sequence = QName::new(table_name.schema, sequence);
            if default.is_some() {
                let error =
                    Diagnostic::error(Code::WrongStatement, "a serial column has its default already");
                self.report(error.at(name.span));
            }
            default = Some(columns::next_value(sequence, name.span));
            self.serial(table, own, name, sequence, declared.column.type_name);
        }
        let column = column::Column { position: Aside(position), ..declared.column };
        let several = [column.generated.is_some(), column.identity.is_some(), default.is_some()];
        if several.iter().filter(|given| **given).count() > 1 {
            let message = format!("`{own}` can have one of a default, an identity and a generated value");
            self.report(Diagnostic::error(Code::WrongStatement, message).at(name.span));
        }
        if column.generated.as_ref().is_some_and(|generated| !generated.stored) {
            self.needs(18, name.span, "a generated column that is not STORED");
        }
        let is_identity = column.identity.is_some();
        self.add(id, Object::Column(column), name.span);
        if let Some(said) = &declared.not_null {
            self.not_null(id, said);
        }
        if is_identity {
            self.identity_sequence(id, name, written, &declared.sequence);
        }
        if let Some(value) = default {
            let span = value.origin().map_or(name.span, Sql::span);
            self.add(ObjectId::of(Kind::Default, id, ""), Object::Default(ColumnDefault::new(value)), span);
        }
        let Written::Long(spec) = written else { return };
        self.comment(id, spec.comment.as_ref());
        self.grants(id, &spec.grants, None);
        // Where the table moves too, the column is found on the table's old names.
        let from: Vec<ObjectId> = spec
            .renamed_from
            .iter()
            .map(written_ident)
            .filter(|old| *old != own)
            .flat_map(|old| tables.iter().map(move |table| ObjectId::on(Kind::Column, *table, old)))
            .collect();
        if let (Some(first), false) = (spec.renamed_from.0.first(), from.is_empty()) {
            self.out.moves.push(super::Move { from, to: id, span: first.span });
        }
    }

    /// What the NOT NULL of a column or domain has that is its own. Servers before 18 (17 for a domain) take a name and
    /// forget it.
    pub(super) fn not_null(&mut self, column: ObjectId, said: &not_null::declare::Said) {
        let mut own = said.own;
        own.name = own.name.filter(|name| !not_null::is_chosen(*name, column));
        let kept = self.version >= if column.kind() == Kind::Domain { 17 } else { 18 };
        if own.no_inherit {
            self.needs(18, said.span, "a NOT NULL that children do not inherit");
        }
        if own.not_valid {
            self.needs(18, said.span, "a NOT NULL that is not validated");
        }
        let says = own != not_null::NotNull::default() || said.comment.is_some();
        if kept && says {
            let id = not_null::id(column);
            self.add(id, Object::NotNull(own), said.span);
            self.comment(id, said.comment.as_ref());
        }
    }

    /// The sequence of an identity column.
    fn identity_sequence(
        &mut self,
        column: ObjectId,
        name: &Name,
        written: &Written<ColumnSpec>,
        said: &identity_sequence::declare::Said,
    ) {
        let table = match self.out.catalog.get(column.root()).map(|entry| &entry.object) {
            Some(Object::Table(table)) => table.unlogged,
            _ => false,
        };
        let Some(schema) = column.schema() else { return };
        let read = identity_sequence::declare::sequence(said, schema, table);
        let Some(sequence) = self.keep(read) else { return };
        if sequence.unlogged.is_some() {
            self.needs(15, name.span, "a sequence that is logged otherwise than its table");
        }
        let id = identity_sequence::id(column);
        self.add(id, Object::IdentitySequence(sequence), name.span);
        let Written::Long(spec) = written else { return };
        if let Some(Written::Long(spec)) = &spec.identity {
            self.comment(id, spec.comment.as_ref());
            self.grants(id, &spec.grants, None);
        }
    }

    /// The sequence of a serial column, and that the column owns it.
    fn serial(&mut self, table: ObjectId, own: Ident, name: &Name, sequence: QName, type_name: TypeName) {
        let Some(table_name) = table.qname() else { return };
        let id = ObjectId::in_schema(Kind::Sequence, sequence);
        let column = ObjectId::on(Kind::Column, table, own);
        if self.sequences.contains_key(&id) {
            self.entry_of_serial(column, id, type_name, name);
        } else {
            let sequence = Sequence { brought: Aside(true), ..Sequence::usual(type_name, 1) };
            self.add(id, Object::Sequence(sequence), name.span);
            self.owned_by(id, table_name, own, name);
        }
        self.serials.push((column, id));
    }

    /// PostgreSQL moves the sequence of a serial column with its table and does not rename it; it gets the name that
    /// the column gives it now, rather than a new sequence that begins anew.
    fn serials_moved(&mut self, table: ObjectId, spec: &TableSpec) {
        let Some(now) =
            table.qname().filter(|_| self.serials.last().is_some_and(|(column, _)| column.root() == table))
        else {
            return;
        };
        let mut tables = vec![now];
        for old in &spec.moved_from {
            tables.extend(self.qualified(old, Some(now.schema)));
        }
        for (name, written) in &spec.columns {
            let own = Ident::new(name.as_str());
            let column = ObjectId::on(Kind::Column, table, own);
            let Some((_, to)) = self.serials.iter().rev().find(|(serial, _)| *serial == column).copied()
            else {
                continue;
            };
            let old_columns =
                long(written).map(|spec| spec.renamed_from.iter().map(written_ident)).into_iter().flatten();
            let columns: Vec<Ident> = std::iter::once(own).chain(old_columns).collect();
            let from: Vec<ObjectId> = tables
                .iter()
                .flat_map(|table| columns.iter().map(move |column| (*table, *column)))
                .map(|(table, column)| {
                    let name = chosen_name(table.name.as_str(), column.as_str(), "seq");
                    ObjectId::in_schema(Kind::Sequence, QName::new(table.schema, name.as_str()))
                })
                .filter(|from| *from != to)
                .collect();
            if !from.is_empty() {
                self.out.moves.push(super::Move { from, to, span: name.span });
            }
        }
    }

    /// The constraints that the table's own maps declare, behind those of its columns.
    pub(super) fn table_constraints(&mut self, spec: &TableSpec, out: &mut Vec<Constraint>) {
        match &spec.primary_key {
            Some(Written::Short(sql)) => out.extend(self.keep(key::declare::short(None, sql, true))),
            Some(Written::Long(map)) => {
                for (name, written) in map {
                    let Some(own) = self.name(name) else { continue };
                    out.extend(self.keep(named(name, key::declare::key(Some(own), written, true))));
                }
            }
            None => {}
        }
        for (name, written) in &spec.unique {
            let Some(own) = self.name(name) else { continue };
            out.extend(self.keep(named(name, key::declare::key(Some(own), written, false))));
            self.renamed(long(written).map(|spec| &spec.renamed_from), "constraint");
        }
        for (name, written) in &spec.checks {
            let Some(own) = self.name(name) else { continue };
            out.extend(self.keep(named(name, check::declare::check(Some(own), written))));
            self.renamed(long(written).map(|spec| &spec.renamed_from), "constraint");
        }
        for (name, written) in &spec.exclusions {
            let Some(own) = self.name(name) else { continue };
            out.extend(self.keep(named(name, exclusion::declare::exclusion(Some(own), written))));
            self.renamed(long(written).map(|spec| &spec.renamed_from), "constraint");
        }
        for (name, written) in &spec.foreign_keys {
            let Some(own) = self.name(name) else { continue };
            out.extend(self.keep(named(name, foreign_key::declare::foreign_key(Some(own), written))));
            self.renamed(long(written).map(|spec| &spec.renamed_from), "constraint");
        }
    }

    /// Adds constraints. Names that PostgreSQL would choose come last, so that they make way for written ones; checks
    /// first, then keys, then foreign keys, as CREATE TABLE goes about it.
    pub(super) fn constraints(
        &mut self,
        table: ObjectId,
        constraints: Vec<Constraint>,
        known: Option<&Known>,
    ) {
        let Some(table_name) = table.qname() else { return };
        let mut taken: BTreeSet<Ident> = constraints.iter().filter_map(|one| one.name).collect();
        let (written, mut unnamed): (Vec<_>, Vec<_>) =
            constraints.into_iter().partition(|one| one.name.is_some());
        unnamed.sort_by_key(|one| match one.object.kind() {
            Kind::Check => 0,
            Kind::Key => 1,
            _ => 2,
        });
        let mut primary = None;
        for constraint in written.into_iter().chain(unnamed) {
            if matches!(&constraint.object, Object::Key(key) if key.primary) {
                if let Some(first) = primary {
                    let error = Diagnostic::error(Code::TwoOwners, format!("{table} has two primary keys"));
                    self.report(error.at(constraint.span).label(first, "the first"));
                    continue;
                }
                primary = Some(constraint.span);
            }
            for (column, span) in &constraint.columns {
                self.has_column(table, *column, known, *span);
            }
            let kind = constraint.object.kind();
            let name = constraint.name.unwrap_or_else(|| {
                let columns: Vec<&str> = constraint.named_after.iter().map(|name| name.as_str()).collect();
                let is_taken = |candidate: &str| {
                    let relation = QName::new(table_name.schema, candidate);
                    taken.contains(&Ident::new(candidate))
                        || (kind == Kind::Key && self.out.catalog.relation(relation).is_some())
                };
                choose(table_name.name.as_str(), &columns.join("_"), constraint.label(), is_taken)
            });
            taken.insert(name);
            self.constraint_needs(&constraint);
            let id = ObjectId::on(kind, table, name);
            self.add(id, constraint.object, constraint.span);
            self.comment(id, constraint.comment.as_ref());
            self.comment_at(ObjectId::of(Kind::Comment, id, ON_INDEX), constraint.index_comment.as_ref());
        }
    }

    fn constraint_needs(&mut self, constraint: &Constraint) {
        let span = constraint.span;
        match &constraint.object {
            Object::Key(key) if key.without_overlaps => self.needs(18, span, "WITHOUT OVERLAPS"),
            Object::Key(key) if key.nulls_not_distinct => self.needs(15, span, "NULLS NOT DISTINCT"),
            Object::ForeignKey(key) if key.period => self.needs(18, span, "PERIOD"),
            Object::ForeignKey(key) if key.not_enforced => self.needs(18, span, "NOT ENFORCED"),
            Object::Check(check) if check.not_enforced => self.needs(18, span, "NOT ENFORCED"),
            Object::ForeignKey(key) => match &key.on_delete {
                Action::SetNull(columns) | Action::SetDefault(columns) if !columns.is_empty() => {
                    self.needs(15, span, "setting only some of the columns");
                }
                _ => {}
            },
            _ => {}
        }
    }

    pub(super) fn indexes(&mut self, table: ObjectId, map: &Map<Written<IndexSpec>>, known: Option<&Known>) {
        for (name, written) in map {
            let Some(own) = self.name(name) else { continue };
            let long = long(written);
            let sql = match written {
                Written::Short(sql) => sql,
                Written::Long(spec) => &spec.definition,
            };
            let Some((mut index, columns)) = self.keep(index::declare::index(sql)) else { continue };
            index.clustered = long.and_then(|spec| spec.clustered).is_some_and(|flag| flag.value);
            if let Some(long) = long {
                self.index_statistics(&long.statistics);
                index.statistics = Options::declared(&long.statistics);
            }
            for (column, span) in columns {
                self.has_column(table, column, known, span);
            }
            let id = ObjectId::on(Kind::Index, table, own);
            self.add(id, Object::Index(index), name.span);
            self.comment(id, long.and_then(|spec| spec.comment.as_ref()));
            self.renamed(long.map(|spec| &spec.renamed_from), "index");
        }
    }

    fn index_statistics(&mut self, targets: &Map<Text>) {
        for (column, target) in targets {
            let is_number = |text: &str| text.parse::<u16>().is_ok();
            if !is_number(column.as_str()) || !is_number(target.as_str()) {
                let message =
                    "a statistics target of an index is `number of its column: target`, such as `1: 500`";
                self.report(Diagnostic::error(Code::UnknownValue, message).at(column.span));
            }
        }
    }

    pub(super) fn statistics(
        &mut self,
        table: ObjectId,
        map: &Map<Written<StatisticsSpec>>,
        known: Option<&Known>,
    ) {
        let Some(schema) = table.schema() else { return };
        for (name, written) in map {
            let Some(own) = self.name(name) else { continue };
            let Some((statistics, columns)) = self.keep(statistics::declare::statistics(schema, written))
            else {
                continue;
            };
            for (column, span) in columns {
                self.has_column(table, column, known, span);
            }
            let id = ObjectId::on(Kind::Statistics, table, own);
            self.add(id, Object::Statistics(statistics), name.span);
            let long = long(written);
            self.comment(id, long.and_then(|spec| spec.comment.as_ref()));
            self.renamed(long.map(|spec| &spec.renamed_from), "statistics object");
        }
    }

    pub(super) fn policies(&mut self, table: ObjectId, map: &Map<PolicySpec>) {
        for (name, spec) in map {
            let Some(own) = self.name(name) else { continue };
            let Some(policy) = self.keep(policy::declare::policy(spec, name.span)) else { continue };
            let id = ObjectId::on(Kind::Policy, table, own);
            self.add(id, Object::Policy(policy), name.span);
            self.comment(id, spec.comment.as_ref());
            self.renamed(Some(&spec.renamed_from), "policy");
        }
    }

    pub(super) fn triggers(&mut self, table: ObjectId, map: &Triggers, known: Option<&Known>) {
        for (name, written) in map {
            let Some(own) = self.name(name) else { continue };
            let Some((trigger, columns)) = self.keep(trigger::declare::trigger(written, table.name())) else {
                continue;
            };
            for (column, span) in columns {
                self.has_column(table, column, known, span);
            }
            let id = ObjectId::on(Kind::Trigger, table, own);
            self.add(id, Object::Trigger(trigger), name.span);
            let long = long(written);
            self.comment(id, long.and_then(|spec| spec.comment.as_ref()));
            self.renamed(long.map(|spec| &spec.renamed_from), "trigger");
        }
    }

    pub(super) fn rules(&mut self, relation: ObjectId, map: &Rules) {
        for (name, written) in map {
            let Some(own) = self.name(name) else { continue };
            let Some(rule) = self.keep(rule::declare::rule(written, relation.name())) else { continue };
            let id = ObjectId::on(Kind::Rule, relation, own);
            self.add(id, Object::Rule(rule), name.span);
            let long = long(written);
            self.comment(id, long.and_then(|spec| spec.comment.as_ref()));
            self.renamed(long.map(|spec| &spec.renamed_from), "rule");
        }
    }

    fn renamed(&mut self, names: Option<&OneOrMany<Name>>, what: &str) {
        if let Some(name) = names.and_then(|names| names.0.first()) {
            self.not_modelled(name.span, &format!("renaming a {what} (it is dropped and made anew)"));
        }
    }
}

fn long<L>(written: &Written<L>) -> Option<&L> {
    match written {
        Written::Short(_) => None,
        Written::Long(spec) => Some(spec),
    }
}

/// A constraint with a name of its own stands where its name does.
fn named(name: &Name, read: Result<Constraint, Diagnostic>) -> Result<Constraint, Diagnostic> {
    read.map(|constraint| Constraint { span: name.span, ..constraint })
}

/// PostgreSQL's `ChooseRelationName`: the label gets a number until nobody has the name.
fn choose(table: &str, columns: &str, label: &str, taken: impl Fn(&str) -> bool) -> Ident {
    let mut name = chosen_name(table, columns, label);
    let mut pass = 0_u32;
    while taken(name.as_str()) {
        pass += 1;
        name = chosen_name(table, columns, &format!("{label}{pass}"));
    }
    Ident::new(name.as_str())
}

fn replica_identity(sql: &Sql) -> Result<ReplicaIdentity, Diagnostic> {
    let frame = super::frame::Frame::read(sql, "ALTER TABLE t REPLICA IDENTITY ", "")?;
    let node = match frame.tree.get("cmds").items() {
        [command] => command.get("def"),
        _ => return Err(frame.refuse(0, "this is more than what follows REPLICA IDENTITY")),
    };
    Ok(match node.get("identity_type").str() {
        "f" => ReplicaIdentity::Full,
        "n" => ReplicaIdentity::Nothing,
        "i" => ReplicaIdentity::Index(Ident::new(node.get("name").str())),
        _ => ReplicaIdentity::Default,
    })
}

/// The partition key: `range (created_at)`.
fn partition_key(sql: &Sql) -> Result<Fragment, Diagnostic> {
    let frame = super::frame::Frame::read(sql, "CREATE TABLE t () PARTITION BY ", "")?;
    let words = frame.words();
    if !["range", "list", "hash"].iter().any(|strategy| words.is(0, strategy)) {
        return Err(frame.refuse(0, "a partition key is `range (…)`, `list (…)` or `hash (…)`"));
    }
    if frame.inside_parentheses(0).is_none() {
        return Err(frame.refuse(0, "a partition key names columns"));
    }
    let written = ["with", "using", "tablespace", "on"].iter().find_map(|word| words.find_outside(1, word));
    if let Some(token) = written.and_then(|index| words.token(index)) {
        return Err(frame.refuse(token.start, "this has a key of its own"));
    }
    Ok(Fragment::declared(sql, Grammar::PartitionKey))
}
