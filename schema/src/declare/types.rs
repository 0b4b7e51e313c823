//! Types and sequences, with what stands in their entries.

use super::{Declarations, written_name};
use crate::code::Code;
use crate::declare::frame::Frame;
use crate::diagnostic::Diagnostic;
use crate::id::ObjectId;
use crate::ident::{Ident, QName};
use crate::kinds::grant::{self, Grant};
use crate::kinds::owned_by::{self, OwnedBy};
use crate::kinds::{check, collation, composite, domain, enumeration, not_null, range, sequence};
use crate::object::{Kind, Object};
use crate::reference::{Reference, Target};
use crate::spec::types::{CollationSpec, DomainTypeSpec, EnumSpec, SequenceSpec, TypeSpec};
use crate::spec::{Grants, Name};
use crate::type_name::TypeName;
use crate::yaml::{Sql, Written};

impl Declarations<'_> {
    pub(super) fn enumeration(&mut self, schema: Ident, name: &Name, spec: &EnumSpec) {
        let Some(own) = self.name(name) else { return };
        let Some(object) = self.keep(enumeration::declare::enumeration(spec)) else { return };
        let id = ObjectId::in_schema(Kind::Enum, QName::new(schema, own));
        self.add(id, Object::Enum(object), name.span);
        match spec {
            EnumSpec::Short(_) => self.type_grants(id, &Grants::default(), name),
            EnumSpec::Long(spec) => {
                self.type_grants(id, &spec.grants, name);
                self.comment(id, spec.comment.as_ref());
                self.moved(id, &spec.moved_from, |old| ObjectId::in_schema(Kind::Enum, old));
            }
        }
    }

    pub(super) fn collation(&mut self, schema: Ident, name: &Name, spec: &CollationSpec) {
        let Some(own) = self.name(name) else { return };
        let Some(object) = self.keep(collation::declare::collation(name, spec)) else { return };
        if let Some(rules) = &spec.rules {
            self.needs(16, rules.span, "`rules` of a collation");
        }
        let id = ObjectId::in_schema(Kind::Collation, QName::new(schema, own));
        self.add(id, Object::Collation(object), name.span);
        self.comment(id, spec.comment.as_ref());
        self.moved(id, &spec.moved_from, |old| ObjectId::in_schema(Kind::Collation, old));
    }

    pub(super) fn domain(&mut self, schema: Ident, name: &Name, written: &Written<DomainTypeSpec>) {
        let Some(own) = self.name(name) else { return };
        let Some(object) = self.keep(domain::declare::domain(written)) else { return };
        let id = ObjectId::in_schema(Kind::Domain, QName::new(schema, own));
        self.add(id, Object::Domain(object), name.span);
        let Written::Long(spec) = written else { return self.type_grants(id, &Grants::default(), name) };
        self.type_grants(id, &spec.grants, name);
        self.comment(id, spec.comment.as_ref());
        self.moved(id, &spec.moved_from, |old| ObjectId::in_schema(Kind::Domain, old));
        if let Some(Written::Long(said)) = &spec.not_null {
            let said = not_null::declare::said(said, name.span);
            if said.own.no_inherit || said.own.not_valid {
                let message =
                    "the NOT NULL of a domain is for all its values: it has a name and a comment only";
                self.report(Diagnostic::error(Code::WrongStatement, message).at(said.span));
            }
            self.not_null(id, &said);
        }
        for (name, written) in &spec.checks {
            let Some(own) = self.name(name) else { continue };
            let Some(constraint) = self.keep(check::declare::check(Some(own), written)) else { continue };
            let check = ObjectId::on(Kind::Check, id, own);
            self.add(check, constraint.object, name.span);
            self.comment(check, constraint.comment.as_ref());
        }
    }

    /// A composite or range type.
    pub(super) fn composite_or_range(&mut self, schema: Ident, name: &Name, spec: &TypeSpec) {
        let Some(own) = self.name(name) else { return };
        let name_of = QName::new(schema, own);
        let id = match &spec.range {
            Some(of) => {
                if let Some((field, _)) = spec.fields.iter().next() {
                    let message = format!("`{name}` is a range and has fields: it can be one of the two");
                    self.report(Diagnostic::error(Code::WrongStatement, message).at(field.span));
                }
                let Some(object) = self.keep(range::declare::range(own, spec, of)) else { return };
                let id = ObjectId::in_schema(Kind::Range, name_of);
                self.add(id, Object::Range(object), name.span);
                id
            }
            None => {
                let Some(object) = self.keep(composite::declare::composite(spec)) else { return };
                let id = ObjectId::in_schema(Kind::Composite, name_of);
                self.add(id, Object::Composite(object), name.span);
                id
            }
        };
        self.type_grants(id, &spec.grants, name);
        self.comment(id, spec.comment.as_ref());
        self.moved(id, &spec.moved_from, |old| ObjectId::in_schema(id.kind(), old));
        for (name, written) in &spec.fields {
            let (Some(own), Written::Long(field)) = (self.name(name), written) else { continue };
            self.comment(ObjectId::on(Kind::Column, id, own), field.comment.as_ref());
            if let Some(old) = field.renamed_from.0.first() {
                self.not_modelled(old.span, "renaming a field (it is dropped and added)");
            }
        }
    }

    pub(super) fn sequence(&mut self, schema: Ident, name: &Name, spec: &SequenceSpec) {
        let Some(own) = self.name(name) else { return };
        let id = ObjectId::in_schema(Kind::Sequence, QName::new(schema, own));
        let serial = self.serials.iter().find(|(_, of)| *of == id).map(|(column, _)| *column);
        let is_new = self.sequences.insert(id, spec.clone()).is_none();
        if let Some(column) = serial.filter(|column| is_new && may_own(*column, spec)) {
            // A table that was read before has it already.
            let type_name = match self.out.catalog.get(id).map(|entry| &entry.object) {
                Some(Object::Sequence(known)) => known.type_name,
                _ => built_in("bigint"),
            };
            self.entry_of_serial(column, id, type_name, name);
        } else {
            let read = sequence::declare::sequence(spec, built_in("bigint"));
            let Some(object) = self.keep(read) else { return };
            self.add(id, Object::Sequence(object), name.span);
        }
        self.grants(id, &spec.grants, None);
        self.comment(id, spec.comment.as_ref());
        self.moved(id, &spec.moved_from, |old| ObjectId::in_schema(Kind::Sequence, old));
        if let Some(owner) = spec.owned_by.as_ref().filter(|_| serial.is_none()) {
            match written_name(owner).as_slice() {
                [table, column] => self.owned_by(id, QName::new(schema, *table), *column, owner),
                [schema, table, column] => self.owned_by(id, QName::new(*schema, *table), *column, owner),
                _ => {
                    let message = format!("`{owner}` must be a table and its column, as `table.column`");
                    self.report(Diagnostic::error(Code::UnknownValue, message).at(owner.span));
                }
            }
        }
    }

    /// The sequence of a serial column as its own entry has it: what that does not say is as the column has it.
    pub(super) fn entry_of_serial(
        &mut self,
        column: ObjectId,
        id: ObjectId,
        type_name: TypeName,
        name: &Name,
    ) {
        let Some(spec) = self.sequences.get(&id) else { return };
        let read = sequence::declare::sequence(spec, type_name);
        let Some(object) = self.keep(read) else { return };
        match self.out.catalog.get_mut(id) {
            Some(entry) => entry.object = Object::Sequence(object),
            None => self.add(id, Object::Sequence(object), name.span),
        }
        if let Some(table) = column.root().qname().filter(|_| !self.out.catalog.contains(owned_by::id(id))) {
            self.owned_by(id, table, column.name(), name);
        }
    }

    /// Says which column owns a sequence.
    pub(super) fn owned_by(&mut self, sequence: ObjectId, table: QName, column: Ident, place: &Name) {
        let mut table = Reference::to(Target::Relation, table);
        table.span.0 = Some(place.span);
        let object = Object::OwnedBy(OwnedBy { table, column });
        self.add(owned_by::id(sequence), object, place.span);
    }

    /// Everybody may use a type unless the file says otherwise: `public: none`.
    fn type_grants(&mut self, id: ObjectId, grants: &Grants, name: &Name) {
        self.grants(id, grants, None);
        if !grants.iter().any(|(grantee, _)| grantee.as_str() == "public") {
            let grant = Grant::all(id.kind(), self.version);
            self.add(grant::id(id, Ident::new("public")), Object::Grant(grant), name.span);
        }
    }
}

/// Whether the entry of a sequence leaves a column its owner.
pub(super) fn may_own(column: ObjectId, spec: &SequenceSpec) -> bool {
    let Some(table) = column.root().qname() else { return false };
    let Some(owner) = &spec.owned_by else { return true };
    match written_name(owner).as_slice() {
        [own, name] => *own == table.name && *name == column.name(),
        [schema, own, name] => QName::new(*schema, *own) == table && *name == column.name(),
        _ => false,
    }
}

/// A type alone, or with the collation behind it.
///
/// # Errors
/// What PostgreSQL's grammar says, with its place.
pub(crate) fn with_collation(sql: &Sql) -> Result<(TypeName, Option<Reference>), Diagnostic> {
    let frame = Frame::read(sql, "CREATE TYPE t AS (f ", ")")?;
    let node = match frame.tree.get("coldeflist").items() {
        [node] if node.name() == "ColumnDef" => node,
        _ => return Err(frame.refuse(0, "this is more than one type")),
    };
    let clause = node.get("coll_clause");
    let end = if clause.is_nothing() { sql.text().len() } else { frame.at(clause.get("location")) };
    let type_tree = node.get("type_name");
    if type_tree.get("setof").flag() {
        return Err(frame.refuse(0, "this holds one value, not SETOF"));
    }
    let written = frame.slice(0, end);
    let type_name = TypeName::from_tree(type_tree, written.text()).located(written.span());
    if clause.is_nothing() {
        return Ok((type_name, None));
    }
    let index = frame.words().index_at(end) + 1;
    let start = frame.words().token(index).map_or(end, |token| token.start);
    let parts: Vec<Ident> = clause.get("collname").strings().into_iter().map(Ident::new).collect();
    Ok((type_name, Some(frame.reference(Target::Collation, &parts, start))))
}

/// A type of PostgreSQL's own.
pub(crate) fn built_in(name: &'static str) -> TypeName {
    TypeName::parse(name).unwrap_or_else(|_| TypeName::of(QName::new("pg_catalog", name)))
}
