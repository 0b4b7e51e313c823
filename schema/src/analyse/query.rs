//! An analysed query, as far as it is understood here.

use crate::analyse::expr::{Expr, Sort, Window};
use crate::analyse::types::Type;
use crate::ident::{Ident, QName};

/// A query.
#[derive(Clone, Debug, PartialEq)]
pub struct Query {
    /// WITH.
    pub with: Vec<With>,
    /// WITH RECURSIVE.
    pub recursive: bool,
    /// What it does.
    pub body: Body,
    /// ORDER BY.
    pub order: Vec<Sort>,
    /// LIMIT.
    pub limit: Option<Expr>,
    /// OFFSET.
    pub offset: Option<Expr>,
    /// FETCH FIRST … WITH TIES instead of LIMIT.
    pub ties: bool,
    /// FOR UPDATE and its kin: the strength, the relation, what is done about waiting.
    pub locks: Vec<(&'static str, usize, &'static str)>,
}

/// What a query does.
#[derive(Clone, Debug, PartialEq)]
pub enum Body {
    /// SELECT.
    Select(Box<Select>),
    /// UNION, INTERSECT, EXCEPT.
    Set(Box<Set>),
    /// VALUES.
    Values(Vec<Vec<Expr>>, Vec<Output>),
}

/// A set operation.
#[derive(Clone, Debug, PartialEq)]
pub struct Set {
    /// UNION, INTERSECT, EXCEPT.
    pub word: &'static str,
    /// ALL.
    pub all: bool,
    /// Left.
    pub left: Query,
    /// Right.
    pub right: Query,
    /// Its columns: names of the left side, types of both.
    pub outputs: Vec<Output>,
}

/// A SELECT.
#[derive(Clone, Debug, PartialEq)]
pub struct Select {
    /// DISTINCT.
    pub distinct: bool,
    /// DISTINCT ON, by expressions.
    pub distinct_on: Vec<Sort>,
    /// What it returns.
    pub outputs: Vec<Output>,
    /// The relations that it reads, in the order of PostgreSQL's range table. Joins have a place there too.
    pub relations: Vec<Relation>,
    /// FROM.
    pub from: Vec<From>,
    /// WHERE.
    pub filter: Option<Expr>,
    /// GROUP BY.
    pub group: Vec<Group>,
    /// GROUP BY DISTINCT.
    pub group_distinct: bool,
    /// HAVING.
    pub having: Option<Expr>,
    /// WINDOW.
    pub windows: Vec<(Ident, Window)>,
}

/// An element of GROUP BY.
#[derive(Clone, Debug, PartialEq)]
pub enum Group {
    /// What is grouped by.
    Key(Sort),
    /// Several together.
    Keys(Vec<Sort>),
    /// `()`.
    Empty,
    /// `ROLLUP(`, `CUBE(`, `GROUPING SETS (`.
    Sets(&'static str, Vec<Group>),
}

/// An output column.
#[derive(Clone, Debug, PartialEq)]
pub struct Output {
    /// Its name.
    pub name: Ident,
    /// Its value.
    pub expr: Expr,
}

/// A place of the range table.
#[derive(Clone, Debug, PartialEq)]
pub struct Relation {
    /// What it is called unless that name is taken; a join has none.
    pub name: Option<Ident>,
    /// Whether somebody gave it an alias.
    pub alias: bool,
    /// Other names for its columns.
    pub columns: Vec<Ident>,
    /// The names of its columns: a table's own, of anything else with the other names.
    pub real: Vec<Ident>,
    /// What it is.
    pub source: Source,
    /// LATERAL.
    pub lateral: bool,
    /// TABLESAMPLE: the method, its arguments, REPEATABLE.
    pub sample: Option<(String, Vec<Expr>, Option<Expr>)>,
}

/// What a relation in FROM is.
#[derive(Clone, Debug, PartialEq)]
pub enum Source {
    /// A table or view.
    Named(QName, bool),
    /// A common table expression.
    With(Ident),
    /// A sub-select.
    Query(Box<Query>),
    /// Functions.
    Functions(Vec<Called>, bool),
    /// A join.
    Join,
}

/// A function in FROM.
#[derive(Clone, Debug, PartialEq)]
pub struct Called {
    /// The call.
    pub expr: Expr,
    /// What it is told to return: names and types.
    pub columns: Vec<(Ident, Type, i32)>,
}

/// An element of FROM.
#[derive(Clone, Debug, PartialEq)]
pub enum From {
    /// A relation.
    Relation(usize),
    /// A join.
    Join(Box<Join>),
}

/// A join.
#[derive(Clone, Debug, PartialEq)]
pub struct Join {
    /// Its place among the relations.
    pub place: usize,
    /// For each column that comes out, which of the left and of the right side's it is; those of USING come first.
    pub columns: Vec<(Option<usize>, Option<usize>)>,
    /// Whether a column of USING is neither side's own.
    pub dangerous: bool,
    /// `JOIN`, `LEFT JOIN` …
    pub word: &'static str,
    /// Left.
    pub left: From,
    /// Right.
    pub right: From,
    /// USING.
    pub using: Vec<Ident>,
    /// ON.
    pub on: Option<Expr>,
}

/// A common table expression.
#[derive(Clone, Debug, PartialEq)]
pub struct With {
    /// Its name.
    pub name: Ident,
    /// Other names for its columns.
    pub columns: Vec<Ident>,
    /// MATERIALIZED, NOT MATERIALIZED.
    pub materialized: Option<bool>,
    /// Its query.
    pub query: Query,
    /// SEARCH and CYCLE, as they are printed.
    pub after: Vec<After>,
}

/// SEARCH or CYCLE.
#[derive(Clone, Debug, PartialEq)]
pub enum After {
    /// SEARCH: breadth first, the columns, the column that it makes.
    Search(bool, Vec<Ident>, Ident),
    /// CYCLE: the columns, the mark, its values unless they are the usual ones, the path.
    Cycle(Vec<Ident>, Ident, Option<(Expr, Expr)>, Ident),
}

impl From {
    /// Its place among the relations.
    pub fn place(&self) -> usize {
        match self {
            From::Relation(place) => *place,
            From::Join(join) => join.place,
        }
    }
}

impl Query {
    /// Its output columns.
    pub fn outputs(&self) -> std::slice::Iter<'_, Output> {
        match &self.body {
            Body::Select(select) => select.outputs.iter(),
            Body::Set(set) => set.outputs.iter(),
            Body::Values(_, outputs) => outputs.iter(),
        }
    }
}
