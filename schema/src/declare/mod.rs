//! From what people write to objects: every file of a project is flattened into one catalog.
//!
//! Entries nest because people like it; objects do not. Each entry is read by its kind's `declare.rs`; here is what
//! joins them: names that PostgreSQL would choose, mixins, facades, and what one entry says about another. Errors are
//! collected. Not here: names are not resolved (`bind`), and no file is opened (`load`).

pub mod constraint;
mod domain;
pub mod facade;
mod foreign;
pub mod frame;
mod global;
mod mixin;
mod partition;
mod routine;
mod substitute;
mod table;
pub(crate) mod types;
mod view;

#[cfg(test)]
mod tests;

use crate::catalog::{Catalog, Entry, Standing};
use crate::code::Code;
use crate::diagnostic::Diagnostic;
use crate::id::ObjectId;
use crate::ident::{Ident, MAX_NAME_BYTES, QName, Text};
use crate::kinds::comment::Comment;
use crate::kinds::grant::declare::Privileges;
use crate::names;
use crate::object::{Kind, Object};
use crate::span::Span;
use crate::spec::{DomainSpec, Grants, MixinSpec};
use crate::yaml::{self, Name, OneOrMany, Sql};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// Where an object was before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Move {
    /// The ids that it may have had. A column's stand on its table as it is called now, and on the table's old names.
    pub from: Vec<ObjectId>,
    /// What it is called now.
    pub to: ObjectId,
    /// Where the file says so.
    pub span: Span,
}

/// An old name that lives on as a view.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Facade {
    /// The view or function that it is.
    pub id: ObjectId,
    /// The old name.
    pub name: QName,
    /// What is behind it.
    pub of: ObjectId,
    /// What a view shows.
    pub shape: Option<facade::Shape>,
    /// Where the file says so.
    pub span: Span,
}

/// What a project's files declare.
#[derive(Debug, Default)]
pub struct Declared {
    /// The objects.
    pub catalog: Catalog,
    /// What was somewhere else before.
    pub moves: Vec<Move>,
    /// What the files say was nowhere else: the only name that it had is its own.
    pub unmoved: BTreeSet<ObjectId>,
    /// The facades, whose views are in the catalog.
    pub facades: Vec<Facade>,
    /// What is meant to go.
    pub dropped: Vec<(QName, Span)>,
    /// What is meant to go from objects that belong to somebody else.
    pub dropped_parts: Vec<(ObjectId, Span)>,
    /// The schemas that have a file.
    pub schemas: BTreeMap<Ident, Span>,
    /// Questions that must be answered with true.
    pub checks: Vec<Check>,
    /// Errors and warnings, in the order in which they were found.
    pub diagnostics: Vec<Diagnostic>,
}

/// A question of the project's own that must be answered with true after an apply.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// What it is called.
    pub name: String,
    /// A query of one value.
    pub sql: String,
    /// Where it stands.
    pub span: Span,
}

/// Flattens the files of a project for a server of that major version. What `external` names cannot be declared.
pub fn declare(files: &[DomainSpec], version: u32, external: &BTreeSet<Ident>) -> Declared {
    let mut declarations = Declarations {
        out: Declared::default(),
        version,
        external,
        mixins: HashMap::new(),
        facades: Vec::new(),
        read_as_caller: facade::Read::default(),
        let_in: Vec::new(),
        routine_facades: Vec::new(),
        published: Vec::new(),
        serials: Vec::new(),
        sequences: HashMap::new(),
        twice: BTreeSet::new(),
        inherited: Vec::new(),
    };
    declarations.collect_mixins(files);
    for file in files {
        declarations.file(file);
    }
    declarations.inherit();
    declarations.inherited();
    declarations.expand_facades();
    declarations.expand_routine_facades();
    declarations.expand_published();
    exchanges(&declarations.out.moves, &mut declarations.out.diagnostics);
    let mut out = declarations.out;
    out.catalog.sort();
    out.diagnostics = gathered(std::mem::take(&mut out.diagnostics));
    out
}

/// Says each thing once: a mixin's error does not come again for every table, and what is not modelled yet comes
/// with its first place and the number of the others.
fn gathered(diagnostics: Vec<Diagnostic>) -> Vec<Diagnostic> {
    let mut kept: Vec<Diagnostic> = Vec::new();
    let mut others: BTreeMap<usize, usize> = BTreeMap::new();
    let mut first: HashMap<String, usize> = HashMap::new();
    for diagnostic in diagnostics {
        if diagnostic.code != Code::NotModelled {
            if !kept.contains(&diagnostic) {
                kept.push(diagnostic);
            }
        } else if let Some(at) = first.get(&diagnostic.message) {
            *others.entry(*at).or_default() += 1;
            kept[*at].notes.extend(diagnostic.notes);
        } else {
            first.insert(diagnostic.message.clone(), kept.len());
            kept.push(diagnostic);
        }
    }
    for (at, count) in others {
        let places = if count == 1 { "one other place".to_owned() } else { format!("{count} other places") };
        kept[at].notes.push(format!("and in {places}"));
    }
    kept
}

/// Two objects that say of each other that they had the other's name would be exchanged by each apply.
fn exchanges(moves: &[Move], diagnostics: &mut Vec<Diagnostic>) {
    let came: HashMap<ObjectId, &Move> =
        moves.iter().flat_map(|wish| wish.from.iter().map(move |from| (*from, wish))).collect();
    for wish in moves {
        let Some(other) = came.get(&wish.to).filter(|other| other.to != wish.to) else { continue };
        if wish.from.contains(&other.to) && wish.to < other.to {
            let message = format!("{} and {} exchange their names", wish.to, other.to);
            let error = Diagnostic::error(Code::ExchangedNames, message).at(wish.span);
            diagnostics.push(error.label(other.span, "and the other way round here").help(
                "do it in two steps: move one to a third name, apply, then move both to where they belong",
            ));
        }
    }
}

struct Declarations<'a> {
    out: Declared,
    version: u32,
    external: &'a BTreeSet<Ident>,
    mixins: HashMap<&'a str, (&'a Name, &'a MixinSpec)>,
    facades: Vec<facade::Pending>,
    /// What is read without a way into a schema, before the facades are there.
    read_as_caller: facade::Read,
    /// The facades that may be a role's one way to a table.
    let_in: Vec<facade::Way>,
    routine_facades: Vec<routine::PendingRoutine>,
    published: Vec<(ObjectId, Ident, Span)>,
    /// Serial columns and their sequences, in the order of the tables.
    serials: Vec<(ObjectId, ObjectId)>,
    /// The sequences that have entries of their own.
    sequences: HashMap<ObjectId, crate::spec::types::SequenceSpec>,
    /// What is declared twice, and was reported.
    twice: BTreeSet<ObjectId>,
    /// What children say otherwise about the columns that they have from others.
    inherited: Vec<(ObjectId, crate::yaml::Map<crate::spec::InheritedSpec>)>,
}

impl<'a> Declarations<'a> {
    fn report(&mut self, diagnostic: Diagnostic) {
        self.out.diagnostics.push(diagnostic);
    }

    /// The value, or nothing and a report.
    fn keep<T>(&mut self, result: Result<T, Diagnostic>) -> Option<T> {
        match result {
            Ok(value) => Some(value),
            Err(diagnostic) => {
                self.report(diagnostic);
                None
            }
        }
    }

    /// Something that is read and not built yet.
    fn not_modelled(&mut self, span: Span, what: &str) {
        let message = format!("{what} is not modelled yet and is ignored");
        self.report(Diagnostic::warning(Code::NotModelled, message).at(span));
    }

    /// Something that only newer servers have.
    fn needs(&mut self, version: u32, span: Span, what: &str) {
        if self.version < version {
            let message = format!("{what} needs PostgreSQL {version}, and the target is {}", self.version);
            self.report(Diagnostic::error(Code::UnknownValue, message).at(span));
        }
    }

    fn collect_mixins(&mut self, files: &'a [DomainSpec]) {
        for (name, mixin) in files.iter().flat_map(|file| &file.mixins) {
            if let Some((first, _)) = self.mixins.get(name.as_str()) {
                let (first, message) = (first.span, format!("two mixins are called `{name}`"));
                self.report(
                    Diagnostic::error(Code::TwoOwners, message).at(name.span).label(first, "the first"),
                );
                continue;
            }
            self.mixins.insert(name.as_str(), (name, mixin));
        }
    }

    /// Puts an object into the catalog. Two owners of one name are an error that shows both.
    fn add(&mut self, id: ObjectId, object: impl Into<Object>, span: Span) {
        let entry =
            Entry { object: object.into(), span: Some(span), standing: Standing::Managed, uses: Vec::new() };
        let Err(holder) = self.out.catalog.insert(id, entry) else { return };
        // What stands on something that is there twice is there twice too.
        if holder == id && id.parent().is_some() && self.twice.contains(&id.root()) {
            return;
        }
        if holder == id {
            self.twice.insert(id);
        }
        let message = if holder == id {
            format!("{id} is declared twice")
        } else {
            format!("{id} and {holder} want the same name")
        };
        let mut error = Diagnostic::error(Code::TwoOwners, message).at(span);
        if let Some(first) = self.out.catalog.get(holder).and_then(|entry| entry.span) {
            error = error.label(first, "the first");
        }
        self.report(error);
    }

    /// A key as a name; one that PostgreSQL would cut is an error.
    fn name(&mut self, name: &Name) -> Option<Ident> {
        let bytes = name.as_str().len();
        if bytes <= MAX_NAME_BYTES {
            return Some(Ident::new(name.as_str()));
        }
        let message = format!("`{name}` has {bytes} bytes, and PostgreSQL keeps {MAX_NAME_BYTES}");
        self.report(Diagnostic::error(Code::NameTooLong, message).at(name.span));
        None
    }

    /// A value that names something in a schema; without one it is in `schema`.
    fn qualified(&mut self, name: &Name, schema: Option<Ident>) -> Option<QName> {
        let parts = written_name(name);
        let qualified = match (parts.as_slice(), schema) {
            ([schema, own], _) => Some(QName::new(*schema, *own)),
            ([own], Some(schema)) => Some(QName::new(schema, *own)),
            _ => None,
        };
        if qualified.is_none() {
            let message = format!("`{name}` must be a name with its schema");
            self.report(Diagnostic::error(Code::UnknownValue, message).at(name.span));
        }
        qualified
    }

    fn comment(&mut self, target: ObjectId, comment: Option<&yaml::Text>) {
        self.comment_at(ObjectId::of(Kind::Comment, target, ""), comment);
    }

    /// A comment by its own id.
    fn comment_at(&mut self, id: ObjectId, comment: Option<&yaml::Text>) {
        let Some(comment) = comment else { return };
        // A block scalar ends its last line, which nobody means.
        let text = comment.as_str().strip_suffix('\n').unwrap_or(comment.as_str());
        if text.is_empty() {
            return;
        }
        let object = Object::Comment(Comment { text: Text::new(text) });
        self.add(id, object, comment.span);
    }

    /// Privileges, with those of single columns. `known` says which columns there are, where that is known.
    fn grants(&mut self, target: ObjectId, grants: &Grants, known: Option<&BTreeSet<Ident>>) {
        for (grantee, written) in grants {
            let Some(role) = self.name(grantee).map(role) else { continue };
            let read = crate::kinds::grant::declare::privileges(written, target.kind(), self.version);
            let Some(Privileges { whole, columns }) = self.keep(read) else { continue };
            // The owner may have lost everything; everybody else has nothing until it is given.
            // That everybody loses what they have on the schema public has to be said too. Of a column's sequence it says
            // that the files speak of its privileges at all.
            let of_column = target.kind() == Kind::IdentitySequence;
            let said = role.as_str() != "public" || target.is_public_schema() || of_column;
            let nothing = columns.is_empty() && said;
            if !whole.privileges.is_empty() || nothing {
                self.add_grant(target, role, whole, grantee.span);
            }
            for (column, (grant, span)) in columns {
                if self.has_column(target, column, known, span) {
                    let column = ObjectId::on(Kind::Column, target, column);
                    self.add_grant(column, role, grant, span);
                }
            }
        }
    }

    /// A column's privileges may stand in the table's entry and in its own.
    fn add_grant(&mut self, target: ObjectId, role: Ident, grant: crate::kinds::grant::Grant, span: Span) {
        let id = crate::kinds::grant::id(target, role);
        match self.out.catalog.get_mut(id).map(|entry| &mut entry.object) {
            Some(Object::Grant(known)) if target.kind() == Kind::Column => {
                for (word, option) in grant.privileges {
                    *known.privileges.entry(word).or_insert(false) |= option;
                }
            }
            _ => self.add(id, Object::Grant(grant), span),
        }
    }

    fn has_column(
        &mut self,
        table: ObjectId,
        column: Ident,
        known: Option<&BTreeSet<Ident>>,
        span: Span,
    ) -> bool {
        let Some(known) = known.filter(|known| !known.contains(&column)) else { return true };
        let message = format!("{} `{}` has no column `{column}`", table.kind().word(), table.path());
        let mut error = Diagnostic::error(Code::UnknownColumn, message).at(span);
        let near = known
            .iter()
            .map(|name| (strsim::damerau_levenshtein(name.as_str(), column.as_str()), *name))
            .min();
        if let Some((_, name)) = near.filter(|(distance, _)| *distance <= 2) {
            error = error.help(format!("did you mean `{name}`?"));
        }
        self.report(error);
        false
    }

    /// `moved_from:` and `renamed_from:`.
    fn moved(&mut self, to: ObjectId, names: &OneOrMany<Name>, id: impl Fn(QName) -> ObjectId) {
        let Some(schema) = to.schema() else { return };
        let mut from = Vec::new();
        for name in names {
            let Some(old) = self.qualified(name, Some(schema)).map(&id) else { continue };
            if old != to {
                from.push(old);
            }
        }
        if let (Some(first), false) = (names.0.first(), from.is_empty()) {
            self.out.moves.push(Move { from, to, span: first.span });
        } else if !names.0.is_empty() {
            self.out.unmoved.insert(to);
        }
    }
}

/// The parts of a name in a value: an SQL name when it has a dot or quotes, else exactly what stands there.
pub(crate) fn written_name(name: &Name) -> Vec<Ident> {
    let text = name.as_str();
    match names::dotted_name(text, 0) {
        Some((parts, end)) if end == text.len() && text.contains(['.', '"']) => parts,
        _ => vec![Ident::new(text)],
    }
}

/// A name without a schema in a value: a role, an old column.
pub(crate) fn written_ident(name: &Name) -> Ident {
    match written_name(name).as_slice() {
        [one] => *one,
        _ => Ident::new(name.as_str()),
    }
}

/// A role; PUBLIC is everybody, in any spelling.
pub(crate) fn role(name: Ident) -> Ident {
    if name.as_str().eq_ignore_ascii_case("public") { Ident::new("public") } else { name }
}

/// The parts of a name in a key, which is exact: only quotes and dots are read.
fn key_name(name: &Name) -> Vec<Ident> {
    let text = name.as_str();
    if text.contains('"') {
        return written_name(name);
    }
    text.split('.').map(Ident::new).collect()
}

/// A fragment that was made, not written.
fn made(text: String, span: Span) -> Sql {
    Sql::made(text, span)
}
