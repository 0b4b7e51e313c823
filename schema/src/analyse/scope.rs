//! Which relations and columns can be seen where, as parse_relation.c has it.

use crate::analyse::expr::{Expr, Node};
use crate::analyse::naming::SYSTEM_COLUMN;
use crate::analyse::types::Type;
use crate::analyse::{Analysed, undecided};
use crate::ident::{Ident, QName};

/// The queries around an expression, the innermost last.
#[derive(Clone, Debug, Default)]
pub struct Scope {
    /// Each with what can be seen of it.
    pub levels: Vec<Level>,
}

/// What can be seen of one query.
#[derive(Clone, Debug, Default)]
pub struct Level {
    /// In the order of FROM.
    pub visible: Vec<Visible>,
}

/// A relation, or a join, as it can be seen.
#[derive(Clone, Debug)]
pub struct Visible {
    /// Its name, where it can be named.
    pub name: Option<Ident>,
    /// Its schema and name, where it is a relation without an alias.
    pub qualified: Option<QName>,
    /// Its columns with what they stand for.
    pub columns: Vec<(Ident, Expr)>,
    /// Whether columns are found without its name.
    pub bare: bool,
    /// What stands for its whole row.
    pub row: Option<Expr>,
    /// Whether it has the columns that every table has.
    pub system: bool,
}

impl Scope {
    /// A column reference.
    pub fn column(&self, parts: &[&str]) -> Analysed<Expr> {
        for (up, level) in self.levels.iter().rev().enumerate() {
            if let Some(found) = level.column(parts)? {
                return Ok(raised(found, up));
            }
        }
        // No column anywhere: the name of a relation is its row.
        if let [name] = parts {
            for (up, level) in self.levels.iter().rev().enumerate() {
                let named = |visible: &&Visible| visible.name.is_some_and(|own| own.as_str() == *name);
                if let Some(visible) = level.only(named)? {
                    return match &visible.row {
                        Some(row) => Ok(raised(row.clone(), up)),
                        None => undecided("a whole row"),
                    };
                }
            }
        }
        undecided(format!("the column {} is not known", parts.join(".")))
    }

    /// Whether a relation of that name can be seen.
    pub fn is_relation(&self, name: &str) -> bool {
        self.named(name).any(|visible| visible.row.is_some())
    }

    /// Whether a relation of that name can be seen, or a routine's arguments by its name.
    pub fn is_named(&self, name: &str) -> bool {
        self.named(name).next().is_some()
    }

    fn named(&self, name: &str) -> impl Iterator<Item = &Visible> {
        let visible = self.levels.iter().flat_map(|level| &level.visible);
        visible.filter(move |visible| visible.name.is_some_and(|own| own.as_str() == name))
    }
}

/// The same as seen from so many queries further in.
pub fn raised(mut expr: Expr, by: usize) -> Expr {
    if by > 0 {
        if let Node::Column { up, .. } | Node::Row { up, .. } = &mut expr.node {
            *up += by;
        }
    }
    expr
}

impl Level {
    /// A column of this query's own FROM.
    pub(super) fn column(&self, parts: &[&str]) -> Analysed<Option<Expr>> {
        let (relation, name) = match parts {
            [name] => {
                let mut found = None;
                for visible in self.visible.iter().filter(|visible| visible.bare) {
                    for (_, expr) in visible.columns.iter().filter(|(column, _)| column.as_str() == *name) {
                        if found.is_some() {
                            return undecided(format!("{name} is ambiguous"));
                        }
                        found = Some(expr.clone());
                    }
                }
                if found.is_some() {
                    return Ok(found);
                }
                for visible in self.visible.iter().filter(|visible| visible.bare) {
                    if let Some(column) = visible.system_column(name) {
                        if found.is_some() {
                            return undecided(format!("{name} is ambiguous"));
                        }
                        found = Some(column);
                    }
                }
                return Ok(found);
            }
            [relation, name] => {
                let named = |visible: &&Visible| visible.name.is_some_and(|own| own.as_str() == *relation);
                (self.only(named)?, name)
            }
            [schema, relation, name] => {
                let qualified = QName::new(*schema, *relation);
                (self.only(|visible| visible.qualified == Some(qualified))?, name)
            }
            _ => return undecided("a name of many parts"),
        };
        let Some(relation) = relation else { return Ok(None) };
        if *name == "*" {
            return match &relation.row {
                Some(row) => Ok(Some(row.clone())),
                None => undecided("a whole row"),
            };
        }
        if let Some(column) = relation.system_column(name) {
            return Ok(Some(column));
        }
        let mut found = relation.columns.iter().filter(|(column, _)| column.as_str() == *name);
        match (found.next(), found.next()) {
            (Some((_, expr)), None) => Ok(Some(expr.clone())),
            _ => undecided(format!("the column {name} is not known")),
        }
    }

    fn only(&self, fits: impl Fn(&&Visible) -> bool) -> Analysed<Option<&Visible>> {
        let mut found = self.visible.iter().filter(|visible| fits(visible));
        match (found.next(), found.next()) {
            (_, Some(_)) => undecided("a relation's name is ambiguous"),
            (found, None) => Ok(found),
        }
    }
}

impl Visible {
    /// A relation at a place of the range table.
    pub fn relation(
        place: usize,
        name: Ident,
        qualified: Option<QName>,
        columns: Vec<(Ident, Type, i32)>,
        row: Option<Type>,
    ) -> Self {
        let columns = columns
            .into_iter()
            .enumerate()
            .map(|(number, (name, of, modifier))| {
                let node = Node::Column { up: 0, relation: place, number, name };
                (name, Expr { node, of, modifier })
            })
            .collect();
        let row = row.map(|of| Expr::new(Node::Row { up: 0, relation: place }, of));
        Self { name: Some(name), qualified, columns, bare: true, row, system: false }
    }

    /// A column that every table has.
    fn system_column(&self, name: &str) -> Option<Expr> {
        const COLUMNS: [(&str, &str); 6] = [
            ("ctid", "tid"),
            ("xmin", "xid"),
            ("cmin", "cid"),
            ("xmax", "xid"),
            ("cmax", "cid"),
            ("tableoid", "oid"),
        ];
        let (_, of) = COLUMNS.iter().find(|(own, _)| *own == name).filter(|_| self.system)?;
        let Some(Node::Row { up, relation }) = self.row.as_ref().map(|row| &row.node) else { return None };
        let (up, relation, name) = (*up, *relation, Ident::new(name));
        Some(Expr::new(Node::Column { up, relation, number: SYSTEM_COLUMN, name }, Type::system(of)))
    }
}
