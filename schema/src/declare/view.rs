//! Views.

use super::{Declarations, facade};
use crate::declare::frame;
use crate::diagnostic::Diagnostic;
use crate::fragment::{Aside, Fragment, Grammar};
use crate::id::ObjectId;
use crate::ident::{Ident, QName};
use crate::kinds::default::Default as ColumnDefault;
use crate::kinds::materialized_view::MaterializedView;
use crate::kinds::options::Options;
use crate::kinds::view::View;
use crate::object::{Kind, Object};
use crate::parse;
use crate::spec::{MaterializedViewSpec, Name, ViewSpec};
use crate::yaml::Sql;

impl Declarations<'_> {
    pub(super) fn view(&mut self, schema: Ident, name: &Name, spec: &ViewSpec) {
        let Some(own) = self.name(name) else { return };
        let id = ObjectId::in_schema(Kind::View, QName::new(schema, own));
        let Some(query) = self.keep(query(&spec.query)) else { return };
        let view = View {
            query,
            columns: Aside(Vec::new()),
            options: Options::declared(&spec.options),
            owner: Aside(spec.owner.as_ref().map(super::written_ident)),
            output: Aside(None),
        };
        self.add(id, Object::View(view), name.span);
        self.comment(id, spec.comment.as_ref());
        self.grants(id, &spec.grants, None);
        self.triggers(id, &spec.triggers, None);
        self.rules(id, &spec.rules);
        for (name, spec) in &spec.columns {
            let Some(own) = self.name(name) else { continue };
            let column = ObjectId::on(Kind::Column, id, own);
            self.comment(column, spec.comment.as_ref());
            self.grants(column, &spec.grants, None);
            if let Some(default) = &spec.default
                && self.keep(frame::expression(default)).is_some()
            {
                let value = Fragment::declared(default, Grammar::Expression);
                let id = ObjectId::of(Kind::Default, column, "");
                self.add(id, Object::Default(ColumnDefault::new(value)), default.span());
            }
        }
        self.moved(id, &spec.moved_from, |old| ObjectId::in_schema(Kind::View, old));
        for facade in &spec.facade {
            facade::of_entry(self, id, facade);
        }
    }
}

impl Declarations<'_> {
    pub(super) fn materialized_view(&mut self, schema: Ident, name: &Name, spec: &MaterializedViewSpec) {
        let Some(own) = self.name(name) else { return };
        let id = ObjectId::in_schema(Kind::MaterializedView, QName::new(schema, own));
        let Some(query) = self.keep(query(&spec.query)) else { return };
        let view = MaterializedView {
            query,
            options: Options::declared(&spec.options),
            access_method: spec
                .access_method
                .as_ref()
                .map(super::written_ident)
                .filter(|name| name.as_str() != "heap"),
            tablespace: spec.tablespace.as_ref().map(super::written_ident),
            with_data: Aside(spec.with_data.is_none_or(|flag| flag.value)),
            owner: Aside(spec.owner.as_ref().map(super::written_ident)),
            output: Aside(None),
        };
        self.add(id, Object::MaterializedView(view), name.span);
        self.comment(id, spec.comment.as_ref());
        self.grants(id, &spec.grants, None);
        self.indexes(id, &spec.indexes, None);
        self.statistics(id, &spec.statistics, None);
        for (name, spec) in &spec.columns {
            let Some(own) = self.name(name) else { continue };
            let column = ObjectId::on(Kind::Column, id, own);
            self.comment(column, spec.comment.as_ref());
            self.grants(column, &spec.grants, None);
            if let Some(default) = &spec.default {
                self.not_modelled(default.span(), "a default on a view's column");
            }
        }
        self.moved(id, &spec.moved_from, |old| ObjectId::in_schema(Kind::MaterializedView, old));
        for facade in &spec.facade {
            facade::of_entry(self, id, facade);
        }
    }
}

/// A query: SELECT, VALUES, or WITH … SELECT.
pub(super) fn query(sql: &Sql) -> Result<Fragment, Diagnostic> {
    // A semicolon at the end is what people are used to; it is no part of the query.
    let tokens = parse::tokens(sql.text()).map_err(|error| frame::syntax_error(sql, &error))?;
    let semicolon = tokens.last().filter(|last| sql.text().get(last.start..last.end) == Some(";"));
    let sql = sql.part(0, semicolon.map_or(sql.text().len(), |last| last.start));
    frame::unread(&sql, Grammar::Query)
}
