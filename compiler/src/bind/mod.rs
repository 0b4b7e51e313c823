//! Resolves the names inside declared objects to object ids, under the project's search_path.
//!
//! References are qualified in place, so that what is emitted means the same in every session. What the files do not
//! declare is looked up in the database, whose undeclared objects are part of the desired side by now.

mod unknown;

pub(crate) use self::unknown::nearest;
use schemac_schema::builtin;
use schemac_schema::catalog::{Catalog, Standing};
use schemac_schema::code::Code;
use schemac_schema::declare::facade::is_facade;
use schemac_schema::declare::frame;
use schemac_schema::diagnostic::Diagnostic;
use schemac_schema::fragment::{Fragment, Grammar};
use schemac_schema::id::{Address, ObjectId};
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
    /// The schemas of the project: without a database, a name in one of them that nobody declares and that is nearly
    /// another one is worth a warning.
    pub own: &'a BTreeSet<Ident>,
}

/// A function without a schema that no catalog has and that is none of PostgreSQL's known ones: a misspelt one, or one
/// that this server has beyond them.
#[derive(Debug)]
pub struct Doubtful {
    /// Its name.
    pub name: Ident,
    /// What to say if the server does not have it.
    pub diagnostic: Diagnostic,
}

/// Resolves the names in every declared object of the catalog; unknown ones become diagnostics, all of them. What only
/// the server can tell is given back.
pub fn bind(
    catalog: &mut Catalog,
    binding: &Binding<'_>,
    diagnostics: &mut Vec<Diagnostic>,
) -> Vec<Doubtful> {
    let declared = managed(catalog);
    bind_these(catalog, &declared, binding, diagnostics)
}

/// The declared objects of a catalog.
pub fn managed(catalog: &Catalog) -> Vec<ObjectId> {
    catalog.iter().filter(|(_, entry)| entry.standing == Standing::Managed).map(|(id, _)| id).collect()
}

/// As [`bind`], only for some of the objects.
pub fn bind_these(
    catalog: &mut Catalog,
    declared: &[ObjectId],
    binding: &Binding<'_>,
    diagnostics: &mut Vec<Diagnostic>,
) -> Vec<Doubtful> {
    let mut doubtful = Vec::new();
    let bringers: Vec<(ObjectId, Ident)> =
        catalog.iter().filter_map(|(id, entry)| Some((id, entry.object.brings()?))).collect();
    for id in declared.iter().copied() {
        let Some(entry) = catalog.get(id) else { continue };
        let mut object = entry.object.clone();
        let mut binder = Binder {
            catalog,
            binding,
            id,
            span: entry.span,
            uses: BTreeSet::new(),
            diagnostics,
            doubtful: &mut doubtful,
            bringers: &bringers,
            generated_facade: id.root().qname().is_some_and(|name| binding.facades.contains_key(&name)),
        };
        object.visit(&mut binder);
        for role in kinds::grantees(id, &object) {
            binder.role(role, None);
        }
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
    doubtful
}

struct Binder<'a> {
    catalog: &'a Catalog,
    binding: &'a Binding<'a>,
    id: ObjectId,
    span: Option<Span>,
    uses: BTreeSet<ObjectId>,
    diagnostics: &'a mut Vec<Diagnostic>,
    doubtful: &'a mut Vec<Doubtful>,
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

    fn role(&mut self, name: Ident, span: Option<Span>) {
        let role = ObjectId::of_role(name);
        if self.catalog.contains(role) {
            self.uses.insert(role);
        } else if !matches!(name.as_str(), "public" | "current_user" | "current_role" | "session_user") {
            self.unknown(Code::UnknownRole, "role", &[name], span);
        }
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

fn locate(fragment: &Fragment, mention: &Mention) -> Option<Span> {
    fragment.origin().map(|origin| origin.locate_range(mention.start, mention.end))
}

impl Visitor for Binder<'_> {
    fn fragment(&mut self, _: &str, fragment: &mut Fragment) {
        let names = match fragment.names() {
            Ok(names) => names,
            Err(error) => {
                // A mixin's is the same for every table.
                let said = frame::unreadable(fragment, &error);
                self.diagnostics.extend(said.filter(|error| !self.diagnostics.contains(error)));
                return;
            }
        };
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
                    );
                }
            }
        }
        let simple = scope.is_empty();
        if !names.grouped_by.is_empty() {
            let keys =
                scope.iter().flat_map(|(_, id)| kinds::keys_within(self.catalog, *id, &names.grouped_by));
            self.uses.extend(keys);
        }
        if let Some(own) = own {
            scope.push((own.name(), own));
        }
        if names.natural {
            for (_, relation) in scope.clone() {
                self.add_columns(relation, Ident::new("*"));
            }
        }
        for written in &names.written {
            let Some((_, relation)) = self.relation(&written.relation) else { continue };
            let known = self.add_columns(relation, written.column);
            if !known && kinds::knows_its_columns(self.catalog, relation) {
                let origin = fragment.origin().zip(written.place);
                let span = origin.map(|(origin, (start, end))| origin.locate_range(start, end));
                self.unknown_column(&[relation], written.column, span);
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

    fn column(&mut self, of: Option<&Reference>, name: &mut Ident) {
        // Those of the object's own table are looked up where they are read.
        let Some(of) = of else { return };
        let parts: Vec<Ident> = of.schema.into_iter().chain([of.name]).collect();
        let Some((_, relation)) = self.relation(&parts) else { return };
        let known = kinds::knows_its_columns(self.catalog, relation);
        if known && self.catalog.column(relation, *name).is_none() {
            self.unknown_column(&[relation], *name, of.span.0);
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
                self.unknown(Code::UnknownType, "type", &parts, type_name.place());
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
                    self.unknown(Code::UnknownRelation, "relation", &parts, reference.span.0);
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
                            self.unknown(Code::UnknownFunction, "function", &parts, reference.span.0);
                            self.assume(reference);
                        }
                    }
                }
            }
            Target::Role => {
                self.role(reference.name, reference.span.0);
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
            // A facade calls what is behind it, or the facade that takes what it takes, and no other one.
            let inputs = |id: ObjectId| match id.address() {
                Address::Routine(_, inputs) => Some(inputs),
                _ => None,
            };
            let facade = is_facade(self.catalog, self.id, None);
            let other = |id: &ObjectId| {
                facade && inputs(*id) != inputs(self.id) && is_facade(self.catalog, *id, None)
            };
            self.uses.extend(self.catalog.routines(name).iter().copied().filter(|id| !other(id)));
        } else if let [name] = mention.parts[..] {
            // One of PostgreSQL's own, of an extension that this plan creates, or a misspelt one.
            if !self.is_brought(&mention.parts) && !builtin::is_function(name.as_str()) {
                let said = self.diagnostics.len();
                self.unknown(Code::UnknownFunction, "function", &mention.parts, locate(fragment, mention));
                if self.binding.complete {
                    let said = self.diagnostics.drain(said..);
                    self.doubtful.extend(said.map(|diagnostic| Doubtful { name, diagnostic }));
                }
            }
        } else if mention.parts.len() == 2 {
            self.unknown(Code::UnknownFunction, "function", &mention.parts, locate(fragment, mention));
        }
    }

    /// Whether the tables in scope are all that a column can come from, so that one which none has does not exist.
    fn is_closed(&self, scope: &[(Ident, ObjectId)], fragment: &Fragment) -> bool {
        // In a routine they can be its arguments.
        !self.id.kind().is_routine()
            && fragment.names().is_ok_and(|names| names.closed)
            && !scope.is_empty()
            && scope.iter().all(|(_, relation)| kinds::knows_its_columns(self.catalog, *relation))
    }

    /// `t.f` also calls the function f with the row of t.
    fn may_be_call(&self, name: Ident) -> bool {
        builtin::is_function(name.as_str())
            || self.catalog.ids().any(|id| id.kind().is_routine() && id.name() == name)
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
                if found || whole_row || SYSTEM_COLUMNS.contains(&column.as_str()) {
                    return;
                }
                if simple && fragment.grammar() != Grammar::Query {
                    let own = own.filter(|own| own.kind().has_plain_columns());
                    if let Some(own) = own.filter(|_| !self.id.kind().renames_its_table()) {
                        self.unknown_column(&[own], column, locate(fragment, mention));
                    }
                } else if !mention.may_be_output && self.is_closed(scope, fragment) {
                    let tables: Vec<ObjectId> = scope.iter().map(|(_, relation)| *relation).collect();
                    self.unknown_column(&tables, column, locate(fragment, mention));
                }
            }
            [alias, column] => {
                let (mut known, mut found) = (false, SYSTEM_COLUMNS.contains(&column.as_str()));
                for (_, relation) in scope.iter().filter(|(name, _)| *name == alias) {
                    known = true;
                    found |= self.add_columns(*relation, column);
                }
                if known && !found && self.is_closed(scope, fragment) && !self.may_be_call(column) {
                    let named = scope.iter().filter(|(name, _)| *name == alias);
                    let tables: Vec<ObjectId> = named.map(|(_, relation)| *relation).collect();
                    self.unknown_column(&tables, column, locate(fragment, mention));
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
