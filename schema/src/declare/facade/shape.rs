//! What a facade shows, and in which order: the query of its view.
//!
//! Clients know columns by their place too (`INSERT INTO old.t VALUES (…)`, `SELECT *`), so a facade keeps the order in
//! which they see them, and what is new comes at the end.

use crate::catalog::Catalog;
use crate::fragment::{Fragment, Grammar};
use crate::id::ObjectId;
use crate::ident::Ident;
use crate::names;
use crate::object::Object;
use crate::span::Span;
use crate::sql::{qualified, quoted};
use crate::yaml::Sql;
use std::collections::HashMap;

/// One column of a facade.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shown {
    /// Its name for the clients.
    pub seen: Ident,
    /// The column that it is; none when it is computed.
    pub column: Option<Ident>,
    /// What stands in the query.
    item: String,
}

impl Shown {
    /// A column that passes through.
    pub(super) fn plain(column: Ident, seen: Ident) -> Self {
        let item = match seen == column {
            true => quoted(column).to_owned(),
            false => format!("{} AS {}", quoted(column), quoted(seen)),
        };
        Self { seen, column: Some(column), item }
    }

    /// A column that is computed.
    pub(super) fn computed(seen: Ident, sql: &Sql) -> Self {
        // A line comment would swallow what follows.
        let text = sql.text();
        let end = if text.lines().last().is_some_and(|line| line.contains("--")) { "\n    " } else { "" };
        Self { seen, column: None, item: format!("({text}{end}) AS {}", quoted(seen)) }
    }
}

/// What a facade shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shape {
    /// The columns, in order; none for everything that a view has.
    pub columns: Vec<Shown>,
    /// Their order is said in a file.
    pub(super) ordered: bool,
    /// The rows.
    pub(super) condition: Option<String>,
}

impl Shape {
    /// The query over a table or view.
    pub(super) fn query(&self, of: ObjectId) -> Option<String> {
        let table = of.qname().map(qualified)?;
        if self.columns.is_empty() {
            return Some(format!("SELECT *\nFROM {table}"));
        }
        let items: Vec<&str> = self.columns.iter().map(|shown| shown.item.as_str()).collect();
        let mut query = format!("SELECT\n    {}\nFROM {table}", items.join(",\n    "));
        if let Some(condition) = &self.condition {
            query.push_str(&format!("\nWHERE {condition}"));
        }
        Some(query)
    }
}

/// Gives a facade's view the columns in the order in which clients see them, and the owner of what is behind it:
/// `current` is the database under its future names, `desired` what it shall be, completed.
pub fn arrange(view: ObjectId, of: ObjectId, shape: &mut Shape, current: &Catalog, desired: &mut Catalog) {
    let owner = match desired.get(of).map(|entry| &entry.object) {
        Some(Object::Table(table)) => table.owner.0,
        Some(Object::View(view)) => view.owner.0,
        Some(Object::MaterializedView(view)) => view.owner.0,
        _ => None,
    };
    let there: Vec<Ident> = match current.get(view).map(|entry| &entry.object) {
        Some(Object::View(view)) => output_names(view.output.0.map_or("", |text| text.as_str())),
        _ => Vec::new(),
    };
    let place: HashMap<Ident, usize> = if !there.is_empty() {
        (0..).zip(there).map(|(place, name)| (name, place)).collect()
    } else if shape.ordered {
        HashMap::new()
    } else {
        let columns: Vec<Ident> = desired.columns(of).iter().map(|(id, _)| id.name()).collect();
        let place = |shown: &Shown| columns.iter().position(|name| Some(*name) == shown.column);
        shape.columns.iter().filter_map(|shown| Some((shown.seen, place(shown)?))).collect()
    };
    shape.columns.sort_by_key(|shown| place.get(&shown.seen).copied().unwrap_or(usize::MAX));
    let Some(query) = shape.query(of) else { return };
    let Some(entry) = desired.get_mut(view) else { return };
    let span = entry.span;
    let Object::View(view) = &mut entry.object else { return };
    view.owner.0 = view.owner.0.or(owner);
    if view.query.text() != query {
        view.query = match span {
            Some(span) => fragment(query, span),
            None => Fragment::canonical(&query, Grammar::Query),
        };
    }
}

pub(super) fn fragment(query: String, span: Span) -> Fragment {
    Fragment::declared(&crate::declare::made(query, span), Grammar::Query)
}

/// The names of a relation's columns in what the catalog says of them: the quoted name and the type, one a line.
fn output_names(output: &str) -> Vec<Ident> {
    output
        .lines()
        .filter_map(|line| names::dotted_name(line, 0))
        .filter_map(|(parts, _)| parts.first().copied())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_from_the_columns_of_a_view() {
        let names = output_names("id integer\n\"Full Name\" text COLLATE \"C\"\n\"a \"\"b\" numeric(1,2)");
        assert_eq!(names, [Ident::new("id"), Ident::new("Full Name"), Ident::new("a \"b")]);
    }
}
