//! What lives outside a schema: extensions, publications, privileges by default.

use super::{Declarations, frame, written_ident};
use crate::code::Code;
use crate::diagnostic::Diagnostic;
use crate::fragment::{Aside, Fragment, Grammar};
use crate::id::ObjectId;
use crate::ident::{Ident, QName, Text};
use crate::kinds::default_privileges::declare::entries;
use crate::kinds::event_trigger;
use crate::kinds::extension::Extension;
use crate::kinds::member::Member;
use crate::kinds::publication::{EVERYTHING, Publication};
use crate::object::{Kind, Object};
use crate::spec::global::Publish;
use crate::spec::{DefaultPrivilegeSpec, DomainSpec, Name, PublicationSpec};
use crate::yaml::{Flag, OneOrMany, Written};

impl Declarations<'_> {
    pub(super) fn globals(&mut self, file: &DomainSpec) {
        for (name, spec) in &file.extensions {
            let Some(own) = self.name(name) else { continue };
            let id = ObjectId::global(Kind::Extension, own);
            let extension = Extension {
                schema: spec.schema.as_ref().map(written_ident),
                version: spec.version.as_ref().map(|version| Text::new(version.as_str())),
            };
            self.add(id, Object::Extension(extension), name.span);
            self.comment(id, spec.comment.as_ref());
        }
        for (name, spec) in &file.publications {
            self.publication(name, spec);
        }
        for (name, written) in &file.event_triggers {
            let Some(own) = self.name(name) else { continue };
            let Some(trigger) = self.keep(event_trigger::declare::event_trigger(written)) else { continue };
            let id = ObjectId::global(Kind::EventTrigger, own);
            self.add(id, Object::EventTrigger(trigger), name.span);
            if let Written::Long(spec) = written {
                self.comment(id, spec.comment.as_ref());
            }
        }
    }

    fn publication(&mut self, name: &Name, spec: &PublicationSpec) {
        let Some(own) = self.name(name) else { return };
        let id = ObjectId::global(Kind::Publication, own);
        let words = spec.publish.iter().map(|word| match word.value {
            Publish::Insert => EVERYTHING[0],
            Publish::Update => EVERYTHING[1],
            Publish::Delete => EVERYTHING[2],
            Publish::Truncate => EVERYTHING[3],
        });
        let usual = Publication::usual();
        let is = |flag: Option<Flag>| flag.is_some_and(|flag| flag.value);
        let generated = spec.generated_columns.as_ref().map(|name| name.as_str().to_ascii_lowercase());
        let publication = Publication {
            all_tables: is(spec.all_tables),
            schemas: spec.schemas.iter().map(written_ident).collect(),
            publish: if spec.publish.is_empty() { usual.publish } else { words.map(Text::new).collect() },
            via_root: is(spec.via_root),
            generated_columns: generated.filter(|word| word != "none").map(|word| Text::new(&word)),
            owner: Aside(spec.owner.as_ref().map(written_ident)),
        };
        if self.version < 15 {
            if let Some(schema) = spec.schemas.0.first() {
                let message = "a publication of schemas needs PostgreSQL 15";
                self.report(Diagnostic::error(Code::UnknownValue, message).at(schema.span));
            }
        }
        self.add(id, Object::Publication(publication), name.span);
        self.comment(id, spec.comment.as_ref());
        for (table, spec) in &spec.tables {
            let [schema, table_name] = super::key_name(table)[..] else {
                let message = format!("`{table}` must be a name with its schema");
                self.report(Diagnostic::error(Code::UnknownValue, message).at(table.span));
                continue;
            };
            let mut member = Member::default();
            if let Some(spec) = &spec.0 {
                member.columns = spec.columns.iter().map(written_ident).collect();
                if let Some(rows) = &spec.r#where {
                    if self.keep(frame::expression(rows)).is_none() {
                        continue;
                    }
                    member.rows = Some(Fragment::declared(rows, Grammar::Expression));
                }
            }
            let table_id = ObjectId::in_schema(Kind::Table, QName::new(schema, table_name));
            self.add(ObjectId::on(Kind::Member, table_id, own), Object::Member(member), table.span);
        }
    }

    /// `published_in:` of a table. What a publication's own entry says of the table goes further.
    pub(super) fn published(&mut self, table: ObjectId, names: &OneOrMany<Name>) {
        for name in names {
            self.published.push((table, written_ident(name), name.span));
        }
    }

    pub(super) fn expand_published(&mut self) {
        for (table, publication, span) in std::mem::take(&mut self.published) {
            let id = ObjectId::on(Kind::Member, table, publication);
            if !self.out.catalog.contains(id) {
                self.add(id, Object::Member(Member::default()), span);
            }
        }
    }

    pub(super) fn default_privileges(&mut self, specs: &[DefaultPrivilegeSpec], schema: Option<Ident>) {
        for spec in specs {
            let span = spec.objects.span;
            let Some(entries) = self.keep(entries(spec, schema, self.version)) else { continue };
            for entry in entries {
                if entry.schema.is_some() && entry.grant.privileges.is_empty() {
                    let message = "in a schema privileges by default can only be added";
                    let error = Diagnostic::error(Code::WrongStatement, message).at(span);
                    let help = "what PostgreSQL gives by itself is taken away everywhere: in a file without `domain:`";
                    self.report(error.help(help));
                    continue;
                }
                self.add_default_privileges(entry, span);
            }
        }
    }

    /// Several items may speak of one role, place, kind and grantee.
    fn add_default_privileges(
        &mut self,
        entry: crate::kinds::default_privileges::DefaultPrivileges,
        span: crate::span::Span,
    ) {
        let id = entry.id();
        if let Some(Object::DefaultPrivileges(known)) =
            self.out.catalog.get_mut(id).map(|entry| &mut entry.object)
        {
            for (word, option) in entry.grant.privileges {
                *known.grant.privileges.entry(word).or_insert(false) |= option;
            }
            return;
        }
        self.add(id, Object::DefaultPrivileges(entry), span);
    }
}
