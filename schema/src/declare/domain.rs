//! One file of the schema.

use super::{Declarations, key_name};
use crate::code::Code;
use crate::diagnostic::Diagnostic;
use crate::fragment::Aside;
use crate::id::ObjectId;
use crate::ident::{Ident, QName};
use crate::kinds::schema::Schema;
use crate::object::{Kind, Object};
use crate::read::OWN_SCHEMA;
use crate::span::Span;
use crate::spec::{DomainSpec, Map, Name, OnExternalSpec};

impl<'a> Declarations<'a> {
    pub(super) fn file(&mut self, file: &'a DomainSpec) {
        self.report_unmodelled(file);
        for (name, spec) in &file.on_external {
            self.on_external(name, spec);
        }
        for (name, spec) in &file.facades {
            self.reshaping_facade(name, spec);
        }
        self.globals(file);
        self.foreign_data(file);
        for (name, sql) in &file.checks {
            let Some(query) = self.keep(super::view::query(sql)) else { continue };
            let (sql, name_of) = (query.text().to_owned(), name.as_str().to_owned());
            self.out.checks.push(super::Check { name: name_of, sql, span: name.span });
        }
        let Some(domain) = &file.domain else {
            self.default_privileges(&file.default_privileges, None);
            let homeless = [
                first(&file.collations),
                first(&file.enums),
                first(&file.domains),
                first(&file.types),
                first(&file.sequences),
                first(&file.tables),
                first(&file.foreign_tables),
                first(&file.views),
                first(&file.materialized_views),
                first(&file.functions),
                first(&file.procedures),
                first(&file.aggregates),
                file.dropped.first().map(|name| name.span),
            ];
            if let Some(span) = homeless.into_iter().flatten().min() {
                let error =
                    Diagnostic::error(Code::MissingKey, "the file does not say which schema this belongs to");
                self.report(error.at(span).help("begin the file with `domain: name_of_the_schema`"));
            }
            return;
        };
        let Some(schema) = self.name(domain) else { return };
        if self.external.contains(&schema) {
            let message =
                format!("the schema `{schema}` is external: nothing in it is created, altered or dropped");
            let error = Diagnostic::error(Code::ExternalObject, message).at(domain.span);
            self.report(error.help("what the project adds to a table of it stands under `on_external:`"));
            return;
        }
        self.schema(schema, domain.span, file);
        for (name, spec) in &file.collations {
            self.collation(schema, name, spec);
        }
        for (name, spec) in &file.enums {
            self.enumeration(schema, name, spec);
        }
        for (name, spec) in &file.domains {
            self.domain(schema, name, spec);
        }
        for (name, spec) in &file.types {
            self.composite_or_range(schema, name, spec);
        }
        for (name, spec) in &file.sequences {
            self.sequence(schema, name, spec);
        }
        for (name, spec) in &file.tables {
            self.table(schema, name, spec);
        }
        for (name, spec) in &file.foreign_tables {
            self.foreign_table(schema, name, spec);
        }
        for (name, spec) in &file.views {
            self.view(schema, name, spec);
        }
        for (name, spec) in &file.materialized_views {
            self.materialized_view(schema, name, spec);
        }
        for (procedure, map) in [(false, &file.functions), (true, &file.procedures)] {
            for (name, overloads) in map {
                for spec in overloads {
                    self.routine(schema, name, spec, procedure);
                }
            }
        }
        for (name, overloads) in &file.aggregates {
            for spec in overloads {
                self.aggregate(schema, name, spec);
            }
        }
        self.default_privileges(&file.default_privileges, Some(schema));
        for name in &file.dropped {
            if let Some(name_of) = self.qualified(name, Some(schema)) {
                self.out.dropped.push((name_of, name.span));
            }
        }
    }

    /// The files of a folder may be about one schema; it is one object then.
    fn schema(&mut self, schema: Ident, span: Span, file: &DomainSpec) {
        if schema.as_str() == OWN_SCHEMA {
            let message = format!("`{OWN_SCHEMA}` is the schema in which schemac keeps what it remembers");
            let error = Diagnostic::error(Code::OwnSchema, message).at(span);
            self.report(error.help("call the domain something else"));
        }
        let id = ObjectId::global(Kind::Schema, schema);
        if self.out.schemas.insert(schema, span).is_none() {
            let owner = file.owner.as_ref().map(super::written_ident);
            self.add(id, Object::Schema(Schema { owner: Aside(owner) }), span);
        } else if let (Some(owner), Some(entry)) = (&file.owner, self.out.catalog.get_mut(id)) {
            entry.object = Object::Schema(Schema { owner: Aside(Some(super::written_ident(owner))) });
        }
        self.comment(id, file.comment.as_ref());
        self.grants(id, &file.grants, None);
        if let Some(old) = file.renamed_from.0.first() {
            self.not_modelled(old.span, "renaming a schema");
        }
    }

    fn on_external(&mut self, name: &Name, spec: &OnExternalSpec) {
        let parts = key_name(name);
        let [schema, own] = parts.as_slice() else {
            let message = format!("`{name}` must be a name with its schema");
            return self.report(Diagnostic::error(Code::UnknownValue, message).at(name.span));
        };
        if !self.external.contains(schema) {
            let message = format!("`{schema}` is no external schema");
            let error = Diagnostic::error(Code::UnknownSchema, message).at(name.span);
            return self.report(error.help("list it under `external: schemas:` in schemac.yaml"));
        }
        let table = ObjectId::in_schema(Kind::Table, QName::new(*schema, *own));
        self.indexes(table, &spec.indexes, None);
        self.policies(table, &spec.policies);
        self.triggers(table, &spec.triggers, None);
        self.grants(table, &spec.grants, None);
        self.comment(table, spec.comment.as_ref());
        if let Some(rls) = spec.rls {
            self.not_modelled(rls.span, "row-level security of an external table");
        }
        self.published(table, &spec.published_in);
        let dropped = &spec.dropped;
        for (kind, names) in [
            (Kind::Trigger, &dropped.triggers),
            (Kind::Policy, &dropped.policies),
            (Kind::Index, &dropped.indexes),
            (Kind::Grant, &dropped.grants),
        ] {
            for name in names {
                let Some(own) = self.name(name) else { continue };
                let id = match kind {
                    Kind::Grant => ObjectId::of(kind, table, super::role(own).as_str()),
                    _ => ObjectId::on(kind, table, own),
                };
                if self.out.catalog.contains(id) {
                    let message = format!("{id} is declared, and `dropped` says that it is meant to go");
                    self.report(Diagnostic::error(Code::TwoOwners, message).at(name.span));
                } else {
                    self.out.dropped_parts.push((id, name.span));
                }
            }
        }
    }

    /// One warning for each key that nothing is built for yet, with the names that stand under it.
    fn report_unmodelled(&mut self, file: &DomainSpec) {
        let warnings =
            [listed("data", &file.data), listed("backfills", &file.backfills), listed("roles", &file.roles)];
        for warning in warnings.into_iter().flatten() {
            self.report(warning);
        }
    }
}

fn first<V>(map: &Map<V>) -> Option<Span> {
    map.iter().next().map(|(name, _)| name.span)
}

fn unmodelled(key: &str, span: Span) -> Diagnostic {
    Diagnostic::warning(Code::NotModelled, format!("`{key}` is not modelled yet and is ignored")).at(span)
}

fn listed<V>(key: &str, map: &Map<V>) -> Option<Diagnostic> {
    let names: Vec<&str> = map.iter().map(|(name, _)| name.as_str()).collect();
    Some(unmodelled(key, first(map)?).with_note(format!("ignored here: {}", names.join(", "))))
}
