//! Facades: an old name lives on as a view with the table's privileges and comment.

use super::{Declarations, Facade, frame, key_name, made};
use crate::code::Code;
use crate::diagnostic::Diagnostic;
use crate::fragment::{Aside, Fragment, Grammar};
use crate::id::ObjectId;
use crate::ident::{Ident, QName, Text};
use crate::kinds::comment::Comment;
use crate::kinds::default::Default as ColumnDefault;
use crate::kinds::grant;
use crate::kinds::options::Options;
use crate::kinds::view::View;
use crate::object::{Kind, Object};
use crate::span::Span;
use crate::spec::{FacadeSpec, FacadeWrites, Map, Name, TableFacadeSpec};
use crate::sql::{qualified, quoted};
use crate::yaml::{At, Sql, Written};
use std::collections::{BTreeMap, BTreeSet};

/// A facade that waits until every table is known.
#[derive(Debug)]
pub(super) struct Pending {
    name: QName,
    of: ObjectId,
    /// What clients see and what it is now.
    columns: Vec<(Ident, Sql)>,
    /// Only these columns; the others do not pass through.
    only: bool,
    writes: FacadeWrites,
    condition: Option<Sql>,
    comment: Option<String>,
    span: Span,
}

/// A facade in a table's entry.
pub(super) fn of_table(
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
    let columns = declarations.facade_columns(long.map_or(&nothing, |spec| &spec.columns));
    let writes = declarations.facade_writes(long.and_then(|spec| spec.writes));
    let (Some(columns), Some(writes)) = (columns, writes) else { return };
    let condition = long.and_then(|spec| spec.r#where.clone());
    let comment = long.and_then(|spec| spec.comment.as_ref()).map(|text| text.as_str().to_owned());
    let pending =
        Pending { name: own, of, columns, only: false, writes, condition, comment, span: name.span };
    declarations.facades.push(pending);
}

impl Declarations<'_> {
    /// A facade of `facades:`, which shows only what it lists.
    pub(super) fn reshaping_facade(&mut self, name: &Name, spec: &FacadeSpec) {
        let [schema, own] = key_name(name)[..] else {
            let message = format!("`{name}` must be a name with its schema");
            return self.report(Diagnostic::error(Code::UnknownValue, message).at(name.span));
        };
        let Some(of) = self.qualified(&spec.of, None) else { return };
        let (columns, writes) = (self.facade_columns(&spec.columns), self.facade_writes(spec.writes));
        let (Some(columns), Some(writes)) = (columns, writes) else { return };
        self.facades.push(Pending {
            name: QName::new(schema, own),
            of: ObjectId::in_schema(Kind::Table, of),
            columns,
            only: true,
            writes,
            condition: spec.r#where.clone(),
            comment: spec.comment.as_ref().map(|text| text.as_str().to_owned()),
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

    fn facade_writes(&mut self, writes: Option<At<FacadeWrites>>) -> Option<FacadeWrites> {
        let Some(writes) = writes else { return Some(FacadeWrites::Auto) };
        if writes.value != FacadeWrites::Triggers {
            return Some(writes.value);
        }
        let error =
            Diagnostic::error(Code::NotModelled, "`writes: triggers` is not built yet").at(writes.span);
        self.report(
            error.help("`auto` takes every write that PostgreSQL can pass on by itself; `none` is read-only"),
        );
        None
    }

    /// Turns the facades into ordinary objects, once every table is known.
    pub(super) fn expand_facades(&mut self) {
        for facade in std::mem::take(&mut self.facades) {
            self.expand(&facade);
        }
    }

    fn expand(&mut self, facade: &Pending) {
        let Some(Object::Table(table)) = self.out.catalog.get(facade.of).map(|entry| &entry.object) else {
            let message = format!("no file declares the {}", facade.of);
            return self.report(Diagnostic::error(Code::UnknownRelation, message).at(facade.span));
        };
        let owner = table.owner;
        let id = ObjectId::in_schema(Kind::View, facade.name);
        let Some((query, passed)) = self.facade_query(facade) else { return };
        let mut options = Options::default();
        // PostgreSQL 14 has no such option; the planner complains where that would open what row-level security closes.
        if self.version >= 15 {
            options.0.insert(Ident::new("security_invoker"), Text::new("true"));
        }
        let query = Fragment::declared(&made(query, facade.span), Grammar::Query);
        let view = View { query, columns: Aside(Vec::new()), options, owner, output: Aside(None) };
        self.add(id, Object::View(view), facade.span);
        self.facade_defaults(facade, id, &passed);
        self.facade_grants(facade, id, &passed);
        self.facade_comment(facade, id);
        self.out.facades.push(Facade { name: facade.name, of: facade.of, span: facade.span });
    }

    /// The query, and for each column of the table the name under which it passes through.
    fn facade_query(&mut self, facade: &Pending) -> Option<(String, BTreeMap<Ident, Ident>)> {
        let columns: Vec<Ident> =
            self.out.catalog.columns(facade.of).iter().map(|(id, _)| id.name()).collect();
        let known: BTreeSet<Ident> = columns.iter().copied().collect();
        let mut targets: BTreeMap<Ident, Ident> = BTreeMap::new();
        let mut computed = Vec::new();
        let mut wrong = false;
        for (seen, sql) in &facade.columns {
            match plain_column(sql) {
                Some(column) => {
                    wrong |= !self.has_column(facade.of, column, Some(&known), sql.span());
                    targets.insert(column, *seen);
                }
                None => computed.push((*seen, sql)),
            }
        }
        if wrong {
            return None;
        }
        self.unnamed_renames(facade, &targets);
        let mut items: Vec<String> = Vec::new();
        let mut passed = BTreeMap::new();
        let show = |column: Ident, seen: Ident| match seen == column {
            true => quoted(column).to_owned(),
            false => format!("{} AS {}", quoted(column), quoted(seen)),
        };
        if facade.only {
            for (seen, sql) in &facade.columns {
                items.push(match plain_column(sql) {
                    Some(column) => show(column, *seen),
                    None => computed_item(*seen, sql),
                });
            }
            passed = targets;
        } else {
            for column in columns {
                let seen = targets.get(&column).copied().unwrap_or(column);
                items.push(show(column, seen));
                passed.insert(column, seen);
            }
            items.extend(computed.iter().map(|(seen, sql)| computed_item(*seen, sql)));
        }
        let table = facade.of.qname().map(qualified)?;
        let mut query = format!("SELECT\n    {}\nFROM {table}", items.join(",\n    "));
        if let Some(condition) = &facade.condition {
            self.keep(frame::expression(condition))?;
            query.push_str(&format!("\nWHERE {}", condition.text().trim()));
        }
        Some((query, passed))
    }

    /// A column that was renamed must be called something for the clients of the old name.
    fn unnamed_renames(&mut self, facade: &Pending, targets: &BTreeMap<Ident, Ident>) {
        if facade.only {
            return;
        }
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
    fn facade_defaults(&mut self, facade: &Pending, id: ObjectId, passed: &BTreeMap<Ident, Ident>) {
        if facade.writes == FacadeWrites::None {
            return;
        }
        for (column, seen) in passed {
            let column = ObjectId::on(Kind::Column, facade.of, *column);
            let own = ObjectId::of(Kind::Default, column, "");
            let Some(Object::Default(default)) = self.out.catalog.get(own).map(|entry| &entry.object) else {
                continue;
            };
            let default = ColumnDefault { like: Aside(Some(column)), ..default.clone() };
            let to = ObjectId::of(Kind::Default, ObjectId::on(Kind::Column, id, *seen), "");
            self.add(to, Object::Default(default), facade.span);
        }
    }

    fn facade_grants(&mut self, facade: &Pending, id: ObjectId, passed: &BTreeMap<Ident, Ident>) {
        const WRITES: [&str; 4] = ["INSERT", "UPDATE", "DELETE", "TRUNCATE"];
        let mut grants = Vec::new();
        for below in self.out.catalog.descendants(facade.of) {
            let (Some(target), Kind::Grant) = (below.parent(), below.kind()) else { continue };
            let to = if target == facade.of {
                id
            } else if let (Kind::Column, Some(seen)) = (target.kind(), passed.get(&target.name())) {
                ObjectId::on(Kind::Column, id, *seen)
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

    fn facade_comment(&mut self, facade: &Pending, id: ObjectId) {
        let of_table = ObjectId::of(Kind::Comment, facade.of, "");
        let tables = match self.out.catalog.get(of_table).map(|entry| &entry.object) {
            Some(Object::Comment(comment)) => comment.text.as_str(),
            _ => "",
        };
        let own = facade.comment.as_deref().map_or(tables, str::trim);
        let line = format!("Facade: the table is {}.", facade.of.path());
        let text = if own.is_empty() { line } else { format!("{own}\n{line}") };
        let comment = Comment { text: Text::new(&text) };
        self.add(ObjectId::of(Kind::Comment, id, ""), Object::Comment(comment), facade.span);
    }
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

fn computed_item(seen: Ident, sql: &Sql) -> String {
    // A line comment would swallow what follows.
    let text = sql.text();
    let end = if text.lines().last().is_some_and(|line| line.contains("--")) { "\n    " } else { "" };
    format!("({text}{end}) AS {}", quoted(seen))
}
