//! Foreign data: wrappers, servers and foreign tables with what stands in their entries.

use super::{Declarations, written_ident, written_name};
use crate::fragment::Aside;
use crate::id::ObjectId;
use crate::ident::{Ident, QName, Text};
use crate::kinds::foreign_data_wrapper::ForeignDataWrapper;
use crate::kinds::foreign_table::ForeignTable;
use crate::kinds::options::Options;
use crate::kinds::server::Server;
use crate::kinds::{check, column::declare as columns};
use crate::object::{Kind, Object};
use crate::reference::{Reference, Target};
use crate::spec::{DomainSpec, ForeignDataWrapperSpec, ForeignTableSpec, Name, ServerSpec};

impl Declarations<'_> {
    pub(super) fn foreign_data(&mut self, file: &DomainSpec) {
        for (name, spec) in &file.foreign_data_wrappers {
            self.foreign_data_wrapper(name, spec);
        }
        for (name, spec) in &file.servers {
            self.server(name, spec);
        }
    }

    fn foreign_data_wrapper(&mut self, name: &Name, spec: &ForeignDataWrapperSpec) {
        let Some(own) = self.name(name) else { return };
        let function =
            |name: &Name| Reference::written(Target::AnyRoutine, &written_name(name), Some(name.span));
        let id = ObjectId::global(Kind::ForeignDataWrapper, own);
        let wrapper = ForeignDataWrapper {
            handler: spec.handler.as_ref().map(function),
            validator: spec.validator.as_ref().map(function),
            options: Options::declared(&spec.options),
            owner: Aside(spec.owner.as_ref().map(written_ident)),
        };
        self.add(id, Object::ForeignDataWrapper(wrapper), name.span);
        self.comment(id, spec.comment.as_ref());
        self.grants(id, &spec.grants, None);
    }

    fn server(&mut self, name: &Name, spec: &ServerSpec) {
        let Some(own) = self.name(name) else { return };
        let id = ObjectId::global(Kind::Server, own);
        let server = Server {
            wrapper: written_ident(&spec.foreign_data_wrapper),
            kind: spec.r#type.as_ref().map(|text| Text::new(text.as_str())),
            version: spec.version.as_ref().map(|text| Text::new(text.as_str())),
            options: Options::declared(&spec.options),
            owner: Aside(spec.owner.as_ref().map(written_ident)),
        };
        self.add(id, Object::Server(server), name.span);
        self.comment(id, spec.comment.as_ref());
        self.grants(id, &spec.grants, None);
        if let Some((user, _)) = spec.user_mappings.iter().next() {
            self.not_modelled(user.span, "a mapping of users");
        }
    }

    pub(super) fn foreign_table(&mut self, schema: Ident, name: &Name, spec: &ForeignTableSpec) {
        let Some(own) = self.name(name) else { return };
        let id = ObjectId::in_schema(Kind::ForeignTable, QName::new(schema, own));
        let table = ForeignTable {
            server: written_ident(&spec.server),
            options: Options::declared(&spec.options),
            owner: Aside(spec.owner.as_ref().map(written_ident)),
        };
        self.add(id, Object::ForeignTable(table), name.span);
        self.moved(id, &spec.moved_from, |old| ObjectId::in_schema(Kind::ForeignTable, old));
        let mut constraints = Vec::new();
        for (position, (name, written)) in (1..).zip(&spec.columns) {
            let Some(own) = self.name(name) else { continue };
            let Some(mut declared) = self.keep_declared(columns::column(own, written)) else { continue };
            constraints.append(&mut declared.constraints);
            if let Some(options) = spec.column_options.get(name.as_str()) {
                declared.column.foreign = Options::declared(options);
            }
            self.column(own, name, written, declared, position, &[id]);
        }
        for (name, written) in &spec.checks {
            let Some(own) = self.name(name) else { continue };
            constraints.extend(self.keep(check::declare::check(Some(own), written)));
        }
        self.constraints(id, constraints, None);
        self.statistics(id, &spec.statistics, None);
        self.triggers(id, &spec.triggers, None);
        self.grants(id, &spec.grants, None);
        self.comment(id, spec.comment.as_ref());
    }
}
