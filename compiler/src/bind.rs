//! Resolves the names inside declared objects to object ids, under the project's search_path.
//!
//! References are qualified in place, so that what is emitted means the same in every session. What the files do not
//! declare is looked up in the database, whose undeclared objects are part of the desired side by now.

use schemac_schema::catalog::{Catalog, Standing};
use schemac_schema::code::Code;
use schemac_schema::diagnostic::Diagnostic;
use schemac_schema::fragment::{Fragment, Grammar};
use schemac_schema::id::ObjectId;
use schemac_schema::ident::{Ident, QName};
use schemac_schema::kinds;
use schemac_schema::names::{self, Mention, MentionKind};
use schemac_schema::object::Visitor;
use schemac_schema::reference::{Reference, Target};
use schemac_schema::span::Span;
use schemac_schema::sql;
use schemac_schema::type_name::{self, TypeName};
use std::collections::{BTreeSet, HashMap};

/// What binding needs beside the catalog.
pub struct Binding<'a> {
    /// How unqualified names resolve.
    pub search_path: &'a [Ident],
    /// Whether a database was read: only then is an unknown name an error.
    pub complete: bool,
    /// Facades by name, with the table that each stands for.
    pub facades: &'a HashMap<QName, ObjectId>,
}

/// Resolves the names in every declared object of the catalog; unknown ones become diagnostics, all of them.
pub fn bind(catalog: &mut Catalog, binding: &Binding<'_>, diagnostics: &mut Vec<Diagnostic>) {
    let declared: Vec<ObjectId> =
        catalog.iter().filter(|(_, entry)| entry.standing == Standing::Managed).map(|(id, _)| id).collect();
    let bringers: Vec<(ObjectId, Ident)> =
        catalog.iter().filter_map(|(id, entry)| Some((id, entry.object.brings()?))).collect();
    for id in declared {
        let Some(entry) = catalog.get(id) else { continue };
        let mut object = entry.object.clone();
        let mut binder = Binder {
            catalog,
            binding,
            id,
            span: entry.span,
            uses: BTreeSet::new(),
            diagnostics,
            bringers: &bringers,
            generated_facade: id.root().qname().is_some_and(|name| binding.facades.contains_key(&name)),
        };
        object.visit(&mut binder);
        let mut uses = binder.uses;
        object.complete(id, catalog);
        let mut structural = Vec::new();
        object.uses(id, catalog, &mut structural);
        uses.extend(structural);
        // A column that came from a parent is made and changed there.
        let origins: Vec<ObjectId> = uses.iter().filter_map(|used| kinds::origin(catalog, *used)).collect();
        uses.extend(origins);
        // Who uses a member of an extension uses the extension.
        let members: Vec<&ObjectId> = uses
            .iter()
            .filter(|used| catalog.get(**used).is_some_and(|entry| entry.standing == Standing::External))
            .collect();
        let wholes: Vec<ObjectId> = members
            .into_iter()
            .filter_map(|used| catalog.get(*used))
            .flat_map(|entry| entry.uses.iter().copied().filter(|used| used.kind().has_members()))
            .collect();
        uses.extend(wholes);
        uses.retain(|used| *used != id && !id.is_below(*used));
        if let Some(entry) = catalog.get_mut(id) {
            entry.object = object;
            entry.uses = uses.into_iter().collect();
        }
    }
}

struct Binder<'a> {
    catalog: &'a Catalog,
    binding: &'a Binding<'a>,
    id: ObjectId,
    span: Option<Span>,
    uses: BTreeSet<ObjectId>,
    diagnostics: &'a mut Vec<Diagnostic>,
    generated_facade: bool,
    /// What brings objects that no file declares, and into which schema.
    bringers: &'a [(ObjectId, Ident)],
}

impl Binder<'_> {
    fn find(&self, parts: &[Ident], find: impl Fn(QName) -> Option<ObjectId>) -> Option<(QName, ObjectId)> {
        match *parts {
            [name] => self.binding.search_path.iter().find_map(|schema| {
                let name = QName { schema: *schema, name };
                find(name).map(|id| (name, id))
            }),
            [.., schema, name] => {
                let name = QName { schema, name };
                find(name).map(|id| (name, id))
            }
            [] => None,
        }
    }

    fn relation(&self, parts: &[Ident]) -> Option<(QName, ObjectId)> {
        self.find(parts, |name| self.catalog.relation(name))
    }

    fn unknown(
        &mut self,
        code: Code,
        what: &str,
        parts: &[Ident],
        span: Option<Span>,
        known: impl Fn(ObjectId) -> Option<String>,
    ) {
        if !self.binding.complete || is_system(parts) || self.is_brought(parts) {
            return;
        }
        let name = parts.iter().map(|part| part.as_str()).collect::<Vec<_>>().join(".");
        let nearest = nearest(&name, self.catalog.ids().filter_map(known));
        let mut diagnostic =
            Diagnostic::error(code, format!("{} uses {what} \"{name}\", which does not exist", self.id));
        if let Some(span) = span.or(self.span) {
            diagnostic = diagnostic.at(span);
        }
        self.diagnostics.push(match nearest {
            Some(nearest) => diagnostic.help(format!("did you mean \"{nearest}\"?")),
            None => diagnostic.help(format!("declare it in a file, or create it in the database before ({what}s that others manage are found there)")),
        });
    }

    /// Whether an object that the plan creates may bring what has this name; then it is used.
    fn is_brought(&mut self, parts: &[Ident]) -> bool {
        let schema = match *parts {
            [.., schema, _] => Some(schema),
            _ => None,
        };
        let path = self.binding.search_path;
        let brought = self.bringers.iter().filter(|(_, place)| match schema {
            Some(schema) => schema == *place,
            None => path.contains(place),
        });
        let bringers: Vec<ObjectId> = brought.map(|(id, _)| *id).collect();
        self.uses.extend(bringers.iter().copied());
        !bringers.is_empty()
    }

    /// A name without a schema that means a facade would change its meaning when the facade goes.
    fn refuse_facade(&mut self, mention: &Mention, name: QName, span: Option<Span>) {
        let Some(table) = self.binding.facades.get(&name).copied() else { return };
        if self.generated_facade || mention.parts.len() != 1 {
            return;
        }
        let mut diagnostic = Diagnostic::error(
            Code::OldNameBindsToFacade,
            format!(
                "{} says \"{}\", which is the facade {name} and not the table",
                self.id, mention.parts[0]
            ),
        )
        .help(format!("write {}, or {name} where the facade is meant", table.path()));
        if let Some(span) = span {
            diagnostic = diagnostic.at(span);
        }
        self.diagnostics.push(diagnostic);
    }

    fn add_columns(&mut self, relation: ObjectId, name: Ident) -> bool {
        if name.as_str() == "*" {
            let all: Vec<ObjectId> = self.catalog.columns(relation).into_iter().map(|(id, _)| id).collect();
            self.uses.extend(all);
            return true;
        }
        match self.catalog.column(relation, name) {
            Some(column) => {
                self.uses.insert(column);
                true
            }
            None => false,
        }
    }
}

fn relation_name(id: ObjectId) -> Option<String> {
    id.kind().is_relation().then(|| id.path())
}

fn routine_name(id: ObjectId) -> Option<String> {
    id.qname().filter(|_| id.kind().is_routine()).map(|name| name.to_string())
}

fn type_name_of(id: ObjectId) -> Option<String> {
    id.kind().is_type().then(|| id.path())
}

fn role_name(id: ObjectId) -> Option<String> {
    (id == ObjectId::of_role(id.name())).then(|| id.name().to_string())
}

fn locate(fragment: &Fragment, mention: &Mention) -> Option<Span> {
    fragment.origin().map(|origin| origin.locate_range(mention.start, mention.end))
}

impl Visitor for Binder<'_> {
    fn fragment(&mut self, _: &str, fragment: &mut Fragment) {
        let Ok(names) = fragment.names() else { return };
        let (text, mentions) = (fragment.text(), &names.mentions);
        let own = Some(self.id.root()).filter(|root| *root != self.id && root.kind().is_relation());
        let mut changes = Vec::new();
        // The relations in scope, by the name in front of their columns. Scopes inside a fragment are not told
        // apart: one name too many in `uses` orders more than it must, one too few would lose a dependency.
        let mut scope: Vec<(Ident, ObjectId)> = Vec::new();
        for mention in mentions.iter().filter(|mention| mention.kind == MentionKind::Relation) {
            match self.relation(&mention.parts) {
                Some((name, id)) => {
                    self.refuse_facade(mention, name, locate(fragment, mention));
                    self.uses.insert(id);
                    scope.push((mention.alias.unwrap_or(name.name), id));
                    if mention.parts.len() == 1 {
                        changes.push((mention.start, mention.end, sql::qualified(name)));
                    }
                }
                None => {
                    self.unknown(
                        Code::UnknownRelation,
                        "relation",
                        &mention.parts,
                        locate(fragment, mention),
                        relation_name,
                    );
                }
            }
        }
        let simple = scope.is_empty();
        if let Some(own) = own {
            scope.push((own.name(), own));
        }
        if names.natural {
            for (_, relation) in scope.clone() {
                self.add_columns(relation, Ident::new("*"));
            }
        }
        for mention in mentions {
            match mention.kind {
                MentionKind::Relation => {}
                MentionKind::Column => self.column(mention, &scope, own, simple, fragment, &mut changes),
                MentionKind::Routine => self.routine(mention, fragment),
                MentionKind::Type | MentionKind::TypeLiteral => {
                    if mention.parts.len() == 1 && type_name::is_built_in(mention.parts[0].as_str()) {
                        continue;
                    }
                    match self.find(&mention.parts, |name| self.catalog.type_named(name)) {
                        Some((name, id)) => {
                            self.uses.insert(id);
                            if mention.parts.len() == 1 && mention.kind == MentionKind::Type {
                                changes.push((mention.start, mention.end, sql::qualified(name)));
                            }
                        }
                        None => {
                            let element = mention.parts.last().map_or("", |name| name.as_str());
                            if !type_name::is_built_in(element.trim_start_matches('_')) {
                                self.unknown(
                                    Code::UnknownType,
                                    "type",
                                    &mention.parts,
                                    locate(fragment, mention),
                                    |_| None,
                                );
                            }
                        }
                    }
                }
                MentionKind::RelationLiteral => {
                    if let Some((name, id)) = self.relation(&mention.parts) {
                        self.refuse_facade(mention, name, locate(fragment, mention));
                        self.uses.insert(id);
                        if mention.parts.len() == 1 {
                            changes.push((mention.start, mention.end, sql::doubled(&sql::qualified(name))));
                        }
                    } else {
                        self.unknown(
                            Code::UnknownRelation,
                            "relation",
                            &mention.parts,
                            locate(fragment, mention),
                            relation_name,
                        );
                    }
                }
                MentionKind::RoutineLiteral => {
                    let routines =
                        self.find(&mention.parts, |name| self.catalog.routines(name).first().copied());
                    if let Some((name, _)) = routines {
                        self.uses.extend(self.catalog.routines(name).iter().copied());
                    }
                }
            }
        }
        if !changes.is_empty() {
            let qualified = names::splice(text, changes);
            fragment.rewrite(&qualified);
        }
    }

    fn type_name(&mut self, type_name: &mut TypeName) {
        if type_name.is_system() {
            return;
        }
        let parts: Vec<Ident> = match type_name.qname() {
            Some(name) => vec![name.schema, name.name],
            None => vec![type_name.name()],
        };
        let array_name = type_name.name().as_str().strip_prefix('_').map(Ident::new);
        let found = self.find(&parts, |name| self.catalog.type_named(name));
        match found {
            Some((name, id)) => {
                if type_name.qname().is_none() {
                    *type_name = type_name.renamed(name);
                }
                self.uses.insert(id);
            }
            None if array_name.is_some() => {}
            None => {
                self.unknown(Code::UnknownType, "type", &parts, None, type_name_of);
            }
        }
    }

    fn reference(&mut self, reference: &mut Reference) {
        let parts: Vec<Ident> = reference.schema.into_iter().chain([reference.name]).collect();
        match reference.target {
            Target::Relation => match self.relation(&parts) {
                Some((name, id)) => {
                    if let (None, Some(table)) = (reference.schema, self.binding.facades.get(&name)) {
                        let message = format!(
                            "{} says \"{}\", which is the facade {name} and not the table",
                            self.id, reference.name
                        );
                        let mut diagnostic = Diagnostic::error(Code::OldNameBindsToFacade, message)
                            .help(format!("write {}", table.path()));
                        if let Some(span) = reference.span.0.or(self.span) {
                            diagnostic = diagnostic.at(span);
                        }
                        self.diagnostics.push(diagnostic);
                    }
                    reference.schema = Some(name.schema);
                    reference.resolved.0 = Some(id);
                    self.uses.insert(id);
                }
                None => {
                    self.unknown(Code::UnknownRelation, "relation", &parts, reference.span.0, relation_name);
                    self.assume(reference);
                }
            },
            Target::Routine | Target::AnyRoutine => {
                let found = self.find(&parts, |name| self.catalog.routines(name).first().copied());
                match found {
                    Some((name, _)) => {
                        reference.schema = Some(name.schema);
                        self.uses.extend(self.catalog.routines(name).iter().copied());
                    }
                    None => {
                        let any = reference.target == Target::AnyRoutine;
                        let system = reference.schema.is_none()
                            && (any || SYSTEM_TRIGGER_FUNCTIONS.contains(&reference.name.as_str()));
                        if system {
                            reference.schema = Some(Ident::new("pg_catalog"));
                        } else {
                            self.unknown(
                                Code::UnknownFunction,
                                "function",
                                &parts,
                                reference.span.0,
                                routine_name,
                            );
                            self.assume(reference);
                        }
                    }
                }
            }
            Target::Role => {
                let role = ObjectId::of_role(reference.name);
                if self.catalog.contains(role) {
                    self.uses.insert(role);
                } else if !matches!(
                    reference.name.as_str(),
                    "public" | "current_user" | "current_role" | "session_user"
                ) {
                    self.unknown(Code::UnknownRole, "role", &[reference.name], reference.span.0, role_name);
                }
            }
            Target::Collation => {
                let id_of = |name: QName| {
                    let id = ObjectId::of_collation(name);
                    self.catalog.contains(id).then_some(id)
                };
                match self.find(&parts, id_of) {
                    Some((name, id)) => {
                        reference.schema = Some(name.schema);
                        self.uses.insert(id);
                    }
                    None => reference.schema = reference.schema.or(Some(Ident::new("pg_catalog"))),
                }
            }
        }
    }
}

/// Functions of pg_catalog that triggers call.
const SYSTEM_TRIGGER_FUNCTIONS: &[&str] =
    &["suppress_redundant_updates_trigger", "tsvector_update_trigger", "tsvector_update_trigger_column"];

impl Binder<'_> {
    /// A name that nothing is known of keeps its meaning only with a schema: the first of the search_path.
    fn assume(&self, reference: &mut Reference) {
        if reference.schema.is_none() {
            reference.schema = self.binding.search_path.first().copied();
        }
    }

    fn routine(&mut self, mention: &Mention, fragment: &Fragment) {
        if mention.parts.first().is_some_and(|first| first.as_str() == "pg_catalog") {
            return;
        }
        let found = self.find(&mention.parts, |name| self.catalog.routines(name).first().copied());
        if let Some((name, _)) = found {
            // A call whose argument types are not known binds to every overload of its name. It stays as written:
            // pg_catalog may have a better candidate, which only the server can tell.
            self.uses.extend(self.catalog.routines(name).iter().copied());
        } else if mention.parts.len() == 1 {
            // One of PostgreSQL's own, or of an extension that this plan creates.
            self.is_brought(&mention.parts);
        } else if mention.parts.len() == 2 {
            self.unknown(
                Code::UnknownFunction,
                "function",
                &mention.parts,
                locate(fragment, mention),
                routine_name,
            );
        }
    }

    fn column(
        &mut self,
        mention: &Mention,
        scope: &[(Ident, ObjectId)],
        own: Option<ObjectId>,
        simple: bool,
        fragment: &Fragment,
        changes: &mut Vec<(usize, usize, String)>,
    ) {
        match mention.parts[..] {
            [column] => {
                let mut found = false;
                for (_, relation) in scope {
                    found |= self.add_columns(*relation, column);
                }
                let whole_row = scope.iter().any(|(alias, _)| *alias == column);
                if whole_row {
                    for (_, relation) in scope.iter().filter(|(alias, _)| *alias == column) {
                        self.add_columns(*relation, Ident::new("*"));
                    }
                }
                let plain = simple && fragment.grammar() != Grammar::Query && !found && !whole_row;
                if let (true, Some(own)) = (plain, own.filter(|own| own.kind().has_plain_columns())) {
                    if !SYSTEM_COLUMNS.contains(&column.as_str()) && !self.id.kind().renames_its_table() {
                        self.unknown_column(own, column, locate(fragment, mention));
                    }
                }
            }
            [alias, column] => {
                let mut known = false;
                for (_, relation) in scope.iter().filter(|(name, _)| *name == alias) {
                    known = true;
                    self.add_columns(*relation, column);
                }
                // OLD and NEW of a trigger's condition.
                if let (false, Some(own)) = (known, own) {
                    if matches!(alias.as_str(), "old" | "new") {
                        self.add_columns(own, column);
                    }
                }
            }
            [schema, relation, column] => {
                let Some(id) = self.catalog.relation(QName { schema, name: relation }) else { return };
                self.add_columns(id, column);
                if own == Some(id) && scope.iter().filter(|(name, _)| *name == relation).count() == 1 {
                    let column = if column.as_str() == "*" { "*" } else { sql::quoted(column) };
                    changes.push((mention.start, mention.end, format!("{}.{column}", sql::quoted(relation))));
                }
            }
            _ => {}
        }
    }

    fn unknown_column(&mut self, table: ObjectId, column: Ident, span: Option<Span>) {
        let names: Vec<String> =
            self.catalog.columns(table).into_iter().map(|(id, _)| id.name().to_string()).collect();
        if names.is_empty() {
            return;
        }
        let nearest = nearest(column.as_str(), names.into_iter());
        let mut diagnostic = Diagnostic::error(
            Code::UnknownColumn,
            format!("{} uses the column \"{column}\", which {} does not have", self.id, table.path()),
        );
        if let Some(span) = span.or(self.span) {
            diagnostic = diagnostic.at(span);
        }
        if let Some(nearest) = nearest {
            diagnostic = diagnostic.help(format!("did you mean \"{nearest}\"?"));
        }
        self.diagnostics.push(diagnostic);
    }
}

const SYSTEM_COLUMNS: &[&str] = &["ctid", "xmin", "xmax", "cmin", "cmax", "tableoid"];

/// Whether a name is one of PostgreSQL's own, which no catalog here holds.
fn is_system(parts: &[Ident]) -> bool {
    match parts {
        [name] => name.as_str().starts_with("pg_"),
        [schema, ..] => {
            matches!(schema.as_str(), "pg_catalog" | "information_schema" | "pg_temp" | "pg_toast")
        }
        [] => true,
    }
}

/// The known name that is nearest to a wrong one, where one is near.
fn nearest(name: &str, known: impl Iterator<Item = String>) -> Option<String> {
    let limit = (name.len() / 3).max(1);
    known
        .filter(|candidate| candidate.len().abs_diff(name.len()) <= limit)
        .map(|candidate| (strsim::osa_distance(name, &candidate), candidate))
        .filter(|(distance, _)| *distance <= limit)
        .min()
        .map(|(_, candidate)| candidate)
}
