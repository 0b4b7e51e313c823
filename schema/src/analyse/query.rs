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
    /// INSERT, UPDATE, DELETE.
    Write(Box<Write>),
    /// RETURN.
    Return(Box<Output>),
}

/// A statement that writes.
#[derive(Clone, Debug, PartialEq)]
pub struct Write {
    /// What it does.
    pub verb: Verb,
    /// Where its target stands among the relations.
    pub target: usize,
    /// Its relations, FROM or USING, and WHERE; what comes out is RETURNING.
    pub select: Select,
}

/// What a statement that writes does.
#[derive(Clone, Debug, PartialEq)]
pub enum Verb {
    /// INSERT.
    Insert(Insert),
    /// UPDATE: the columns with their values.
    Update(Assignments),
    /// DELETE.
    Delete,
}

/// An INSERT.
#[derive(Clone, Debug, PartialEq)]
pub struct Insert {
    /// The columns.
    pub columns: Vec<Ident>,
    /// OVERRIDING, with a space behind it.
    pub overriding: &'static str,
    /// What is put there.
    pub given: Given,
    /// ON CONFLICT.
    pub conflict: Option<Conflict>,
}

/// What an INSERT puts there.
#[derive(Clone, Debug, PartialEq)]
pub enum Given {
    /// DEFAULT VALUES.
    Nothing,
    /// VALUES, of one row or several.
    Rows(Vec<Vec<Expr>>),
    /// What a query gives.
    Query(Box<Query>),
}

/// ON CONFLICT.
#[derive(Clone, Debug, PartialEq)]
pub struct Conflict {
    /// The columns and expressions of an index, and its condition.
    pub keys: Vec<Expr>,
    /// The condition of that index.
    pub condition: Option<Expr>,
    /// ON CONSTRAINT.
    pub constraint: Option<Ident>,
    /// DO UPDATE: SET and WHERE.
    pub update: Option<(Assignments, Option<Expr>)>,
}

/// Columns, each with the value that it shall have.
pub type Assignments = Vec<(Ident, Expr)>;

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
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Select {
    /// DISTINCT.
    pub distinct: bool,
    /// DISTINCT ON, by expressions.
    pub distinct_on: Vec<Sort>,
    /// What it returns.
    pub outputs: Vec<Output>,
    /// The relations that it reads, in the order of PostgreSQL's range table. Joins have a place there too.
    pub relations: Vec<Relation>,
    /// How many of them, at the beginning, nobody named: OLD and NEW of a rule.
    pub unnamed: usize,
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
    /// One that is nothing beside this.
    pub fn of(body: Body) -> Self {
        Self {
            with: Vec::new(),
            recursive: false,
            body,
            order: Vec::new(),
            limit: None,
            offset: None,
            ties: false,
            locks: Vec::new(),
        }
    }

    /// Its output columns.
    pub fn outputs(&self) -> std::slice::Iter<'_, Output> {
        match &self.body {
            Body::Select(select) => select.outputs.iter(),
            Body::Set(set) => set.outputs.iter(),
            Body::Values(_, outputs) => outputs.iter(),
            Body::Write(write) => write.select.outputs.iter(),
            Body::Return(output) => std::slice::from_ref(&**output).iter(),
        }
    }
}
