//! Facades: an old name lives on as a view with the privileges and the comment of what is behind it.
//!
//! They become ordinary objects here, before anything is compared. What a facade shows is in `shape`, how it is written
//! through where PostgreSQL cannot do it by itself in `triggers`. Functions have facades too: `routine`.

mod readers;
mod rows;
mod shape;
mod triggers;

pub(super) use readers::{Read, Way};
pub use shape::{Shape, Shown, arrange};

use super::{Declarations, Facade, frame, key_name};
use crate::catalog::Catalog;
use crate::code::Code;
use crate::diagnostic::Diagnostic;
use crate::fragment::Aside;
use crate::id::ObjectId;
use crate::ident::{Ident, QName, Text};
use crate::kinds::comment::Comment;
use crate::kinds::default::Default as ColumnDefault;
use crate::kinds::grant;
use crate::kinds::options::Options;
use crate::kinds::view::View;
use crate::object::{Kind, Object};
use crate::span::Span;
use crate::spec::{FacadeSecurity, FacadeSpec, FacadeWrites, Grants, Map, Name, TableFacadeSpec};
use crate::yaml::{At, Sql, Written};
use std::collections::{BTreeMap, BTreeSet};

/// A facade that waits until every table is known.
#[derive(Debug)]
pub(super) struct Pending {
    name: QName,
    /// What is behind it: its kind is known once everything is.
    of: ObjectId,
    /// What clients see and what it is now.
    columns: Vec<(Ident, Sql)>,
    /// Only these columns; the others do not pass through.
    only: bool,
    writes: FacadeWrites,
    security: FacadeSecurity,
    row_functions: bool,
    condition: Option<Sql>,
    comment: Option<String>,
    grants: Option<Grants>,
    span: Span,
}

/// A facade in an entry.
pub(super) fn of_entry(
    declarations: &mut Declarations<'_>,
    of: ObjectId,
    written: &Written<TableFacadeSpec, Name>,
) {
    let (name, long) = match written {
        Written::Short(name) => (name, None),
        Written::Long(spec) => (&spec.name, Some(spec)),
    };
    let Some(own) = declarations.qualified(name, None) else { return };
    let nothing = Map::default();
    let Some(columns) = declarations.facade_columns(long.map_or(&nothing, |spec| &spec.columns)) else {
        return;
    };
    declarations.facades.push(Pending {
        name: own,
        of,
        columns,
        only: false,
        writes: value(long.and_then(|spec| spec.writes), FacadeWrites::Auto),
        security: value(long.and_then(|spec| spec.security), FacadeSecurity::Invoker),
        row_functions: long.and_then(|spec| spec.row_functions).is_some_and(|flag| flag.value),
        condition: long.and_then(|spec| spec.r#where.clone()),
        comment: long.and_then(|spec| spec.comment.as_ref()).map(|text| text.as_str().to_owned()),
        grants: long.and_then(|spec| spec.grants.clone()),
        span: name.span,
    });
}

fn value<T: Copy>(written: Option<At<T>>, usual: T) -> T {
    written.map_or(usual, |written| written.value)
}

impl Declarations<'_> {
    /// A facade of `facades:`, which shows only what it lists.
    pub(super) fn reshaping_facade(&mut self, name: &Name, spec: &FacadeSpec) {
        let [schema, own] = key_name(name)[..] else {
            let message = format!("`{name}` must be a name with its schema");
            return self.report(Diagnostic::error(Code::UnknownValue, message).at(name.span));
        };
        let Some(of) = self.qualified(&spec.of, None) else { return };
        let Some(columns) = self.facade_columns(&spec.columns) else { return };
        if columns.is_empty() {
            let message = format!("the facade `{name}` shows no column");
            let error = Diagnostic::error(Code::MissingKey, message).at(name.span);
            return self.report(error.help(
                "list under `columns:` what clients see; `facade:` in the table's entry shows all columns",
            ));
        }
        self.facades.push(Pending {
            name: QName::new(schema, own),
            of: ObjectId::in_schema(Kind::Table, of),
            columns,
            only: true,
            writes: value(spec.writes, FacadeWrites::Auto),
            security: value(spec.security, FacadeSecurity::Invoker),
            row_functions: false,
            condition: spec.r#where.clone(),
            comment: spec.comment.as_ref().map(|text| text.as_str().to_owned()),
            grants: spec.grants.clone(),
            span: name.span,
        });
    }

    fn facade_columns(&mut self, map: &Map<Sql>) -> Option<Vec<(Ident, Sql)>> {
        let mut columns = Vec::new();
        for (name, sql) in map {
            let own = self.name(name);
            let tree = self.keep(frame::expression(sql));
            columns.push((own?, tree.map(|_| sql.trimmed())?));
        }
        Some(columns)
    }

    /// Turns the facades into ordinary objects, once every table is known. One over another facade waits for it.
    pub(super) fn expand_facades(&mut self) {
        let open = std::mem::take(&mut self.facades);
        if !open.is_empty() {
            self.read_as_caller = Read::of(&self.out.catalog);
        }
        self.expand_in_order(open);
        // What lets a role read a whole table is for none of the facades to copy, so it comes behind all of them.
        for way in std::mem::take(&mut self.let_in) {
            readers::let_in(self, way);
        }
    }

    fn expand_in_order(&mut self, mut open: Vec<Pending>) {
        loop {
            let names: BTreeSet<QName> = open.iter().map(|facade| facade.name).collect();
            let (waiting, ready): (Vec<Pending>, Vec<Pending>) = open
                .into_iter()
                .partition(|facade| facade.of.qname().is_some_and(|name| names.contains(&name)));
            if ready.is_empty() {
                for facade in waiting {
                    let message = format!("the facades {} and those behind it show each other", facade.name);
                    self.report(Diagnostic::error(Code::UnknownRelation, message).at(facade.span));
                }
                return;
            }
            for facade in ready {
                self.expand(facade);
            }
            open = waiting;
        }
    }

    fn expand(&mut self, mut facade: Pending) {
        // `of:` does not say what it is.
        if let Some(found) = facade.of.qname().and_then(|name| self.out.catalog.relation(name)) {
            facade.of = found;
        }
        if !matches!(facade.of.kind(), Kind::Table | Kind::View | Kind::MaterializedView)
            || !self.out.catalog.contains(facade.of)
        {
            let message = format!("no file declares the {}", facade.of);
            return self.report(Diagnostic::error(Code::UnknownRelation, message).at(facade.span));
        }
        if facade.of.kind() == Kind::MaterializedView {
            facade.writes = FacadeWrites::None;
        }
        let id = ObjectId::in_schema(Kind::View, facade.name);
        let Some(shape) = self.facade_shape(&facade) else { return };
        if facade.writes == FacadeWrites::Triggers {
            self.facade_triggers(&facade, id, &shape);
        }
        if facade.row_functions {
            self.facade_row_functions(&facade, &shape);
        }
        self.add_facade(&facade, id, shape);
    }

    /// The view, and what stands on it.
    fn add_facade(&mut self, facade: &Pending, id: ObjectId, shape: Shape) {
        let Some(query) = shape.query(facade.of) else { return };
        let view = View {
            query: shape::fragment(query, facade.span),
            columns: Aside(Vec::new()),
            options: self.facade_options(facade),
            owner: self.owner(facade.of),
            output: Aside(None),
        };
        self.add(id, Object::View(view), facade.span);
        self.facade_defaults(facade, id, &shape);
        self.facade_grants(facade, id, &shape);
        self.let_in.extend(readers::Way::of(facade));
        self.facade_comment(facade, id, &shape);
        let (name, of, span) = (facade.name, facade.of, facade.span);
        self.out.facades.push(Facade { id, name, of, shape: Some(shape), span });
    }

    /// Who owns what is behind a facade, where a file says so.
    fn owner(&self, of: ObjectId) -> Aside<Option<Ident>> {
        match self.out.catalog.get(of).map(|entry| &entry.object) {
            Some(Object::Table(table)) => table.owner,
            Some(Object::View(view)) => view.owner,
            Some(Object::MaterializedView(view)) => view.owner,
            _ => Aside(None),
        }
    }

    /// PostgreSQL 14 has no security_invoker; the plan says where that would open what row-level security closes.
    fn facade_options(&self, facade: &Pending) -> Options {
        let mut options = Options::default();
        // Where triggers write, `security` speaks of their functions.
        let definer = facade.security == FacadeSecurity::Definer && facade.writes != FacadeWrites::Triggers;
        if self.version >= 15 && !definer {
            options.0.insert(Ident::new("security_invoker"), Text::new("true"));
        }
        options
    }

    fn facade_shape(&mut self, facade: &Pending) -> Option<Shape> {
        let columns: Vec<Ident> = match self.out.facades.iter().find(|behind| behind.id == facade.of) {
            Some(behind) => {
                let shape = behind.shape.as_ref();
                shape.map_or(Vec::new(), |shape| shape.columns.iter().map(|shown| shown.seen).collect())
            }
            None => self.out.catalog.columns(facade.of).iter().map(|(id, _)| id.name()).collect(),
        };
        let known: Option<BTreeSet<Ident>> = (!columns.is_empty()).then(|| columns.iter().copied().collect());
        if known.is_none() && !facade.columns.is_empty() && !facade.only {
            let message = format!("what {} shows is only known to PostgreSQL", facade.of);
            let error = Diagnostic::error(Code::UnknownColumn, message).at(facade.span);
            self.report(error.help("list all columns under `facades:` with `of:`, or none"));
            return None;
        }
        let mut targets: BTreeMap<Ident, Ident> = BTreeMap::new();
        let mut listed = Vec::new();
        let mut wrong = false;
        for (seen, sql) in &facade.columns {
            let column = plain_column(sql);
            if let Some(column) = column {
                wrong |= !self.has_column(facade.of, column, known.as_ref(), sql.span());
                targets.insert(column, *seen);
            }
            listed.push(match column {
                Some(column) => Shown::plain(column, *seen),
                None => Shown::computed(*seen, sql),
            });
        }
        if wrong {
            return None;
        }
        let mut condition = None;
        if let Some(written) = &facade.condition {
            self.keep(frame::expression(written))?;
            condition = Some(written.text().trim().to_owned());
        }
        if facade.only {
            return Some(Shape { columns: listed, ordered: true, condition });
        }
        self.unnamed_renames(facade, &targets);
        let seen = |column: &Ident| targets.get(column).copied().unwrap_or(*column);
        let passed = columns.iter().map(|column| Shown::plain(*column, seen(column)));
        let computed = listed.into_iter().filter(|shown| shown.column.is_none());
        Some(Shape { columns: passed.chain(computed).collect(), ordered: false, condition })
    }

    /// A column that was renamed must be called something for the clients of the old name.
    fn unnamed_renames(&mut self, facade: &Pending, targets: &BTreeMap<Ident, Ident>) {
        let renamed: Vec<(ObjectId, ObjectId)> = self
            .out
            .moves
            .iter()
            .filter(|one| one.to.kind() == Kind::Column && one.to.parent() == Some(facade.of))
            .filter_map(|one| Some((one.to, *one.from.first()?)))
            .filter(|(to, _)| !targets.contains_key(&to.name()))
            .collect();
        for (to, from) in renamed {
            let message = format!(
                "`{}` was renamed to `{}`: the facade must say which name clients see",
                from.name(),
                to.name()
            );
            let help = format!("under the facade's `columns:`, write `{}: {}`", from.name(), to.name());
            self.report(Diagnostic::error(Code::FacadeColumnName, message).at(facade.span).help(help));
        }
    }

    /// Through a view, `UPDATE … SET c = DEFAULT` takes the view's own default, and there is none unless it is said.
    fn facade_defaults(&mut self, facade: &Pending, id: ObjectId, shape: &Shape) {
        if facade.writes == FacadeWrites::None {
            return;
        }
        for (shown, column) in passed(shape) {
            let column = ObjectId::on(Kind::Column, facade.of, column);
            let own = ObjectId::of(Kind::Default, column, "");
            let Some(Object::Default(default)) = self.out.catalog.get(own).map(|entry| &entry.object) else {
                continue;
            };
            // What says nothing below says nothing above; a domain has a default to stand against.
            let of = self.out.catalog.get(column).map(|entry| &entry.object);
            let is_plain = matches!(of, Some(Object::Column(column)) if column.type_name.is_system());
            if is_plain && ColumnDefault::is_null(default.value.text()) {
                continue;
            }
            let like = Aside(default.like.0.or(Some(column)));
            let default = ColumnDefault { like, ..default.clone() };
            let to = ObjectId::of(Kind::Default, ObjectId::on(Kind::Column, id, shown), "");
            self.add(to, Object::Default(default), facade.span);
        }
    }

    fn facade_grants(&mut self, facade: &Pending, id: ObjectId, shape: &Shape) {
        const WRITES: [&str; 4] = ["INSERT", "UPDATE", "DELETE", "TRUNCATE"];
        if let Some(grants) = &facade.grants {
            let known = shape.columns.iter().map(|shown| shown.seen).collect();
            return self.grants(
                id,
                grants,
                Some(&known).filter(|known: &&BTreeSet<Ident>| !known.is_empty()),
            );
        }
        let seen: BTreeMap<Ident, Ident> = passed(shape).map(|(seen, column)| (column, seen)).collect();
        let mut grants = Vec::new();
        for below in self.out.catalog.descendants(facade.of) {
            let (Some(target), Kind::Grant) = (below.parent(), below.kind()) else { continue };
            let to = if target == facade.of {
                id
            } else if target.kind() == Kind::Column && target.parent() == Some(facade.of) {
                // What a view shows as a whole it shows under the same names.
                let whole = shape.columns.is_empty().then(|| target.name());
                let Some(seen) = seen.get(&target.name()).copied().or(whole) else { continue };
                ObjectId::on(Kind::Column, id, seen)
            } else {
                continue;
            };
            let Some(Object::Grant(grant)) = self.out.catalog.get(below).map(|entry| &entry.object) else {
                continue;
            };
            let mut grant = grant.clone();
            if facade.writes == FacadeWrites::None {
                grant.privileges.retain(|word, _| !WRITES.contains(&word.as_str()));
            }
            if !grant.privileges.is_empty() {
                grants.push((grant::id(to, below.name()), grant));
            }
        }
        grants.sort_by_key(|(id, _)| *id);
        for (id, grant) in grants {
            self.add(id, Object::Grant(grant), facade.span);
        }
    }

    fn facade_comment(&mut self, facade: &Pending, id: ObjectId, shape: &Shape) {
        let behind = ObjectId::of(Kind::Comment, facade.of, "");
        let own = match self.out.catalog.get(behind).map(|entry| &entry.object) {
            Some(Object::Comment(comment)) => comment.text.as_str(),
            _ => "",
        };
        let own = facade.comment.as_deref().map_or(own, str::trim);
        let line = line(facade.of);
        let text = if own.is_empty() { line } else { format!("{own}\n{line}") };
        let comment = Comment { text: Text::new(&text) };
        self.add(ObjectId::of(Kind::Comment, id, ""), Object::Comment(comment), facade.span);
        // Comments on columns mean something to API servers.
        for (seen, column) in passed(shape) {
            let behind = ObjectId::of(Kind::Comment, ObjectId::on(Kind::Column, facade.of, column), "");
            let Some(Object::Comment(comment)) = self.out.catalog.get(behind).map(|entry| &entry.object)
            else {
                continue;
            };
            let comment = *comment;
            let to = ObjectId::of(Kind::Comment, ObjectId::on(Kind::Column, id, seen), "");
            self.add(to, Object::Comment(comment), facade.span);
        }
    }
}

/// What the last line of a facade's comment says: where the real thing is. A facade is known by it in the database.
pub fn line(of: ObjectId) -> String {
    let what = match of.kind() {
        Kind::Table => "table",
        Kind::Function => "function",
        _ => "view",
    };
    match of.qname() {
        Some(name) => format!("Facade: the {what} is {name}."),
        None => String::new(),
    }
}

/// Whether an object of the database is a facade; of a certain thing, where that is said.
pub fn is_facade(current: &Catalog, id: ObjectId, of: Option<ObjectId>) -> bool {
    let comment = current.get(ObjectId::of(Kind::Comment, id, "")).map(|entry| &entry.object);
    let (Some(Object::Comment(comment)), Kind::View | Kind::Function) = (comment, id.kind()) else {
        return false;
    };
    let last = comment.text.as_str().lines().next_back().unwrap_or_default();
    match of {
        Some(of) => last == line(of),
        None => last.starts_with("Facade: the ") && last.ends_with('.'),
    }
}

/// What clients see of a column, and the column.
fn passed(shape: &Shape) -> impl Iterator<Item = (Ident, Ident)> {
    shape.columns.iter().filter_map(|shown| Some((shown.seen, shown.column?)))
}

/// The column, where the SQL is nothing else.
fn plain_column(sql: &Sql) -> Option<Ident> {
    let tree = crate::parse::expression(sql.text()).ok()?;
    match tree.get("fields").strings().as_slice() {
        [name] if tree.name() == "ColumnRef" && tree.get("fields").items().len() == 1 => {
            Some(Ident::new(name))
        }
        _ => None,
    }
}
