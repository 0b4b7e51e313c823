//! An analysed expression: what PostgreSQL's parse analysis makes of a raw one, as far as it is understood here.

use crate::analyse::query::Query;
use crate::analyse::types::Type;
use crate::ident::Ident;

/// An expression with its type.
#[derive(Clone, Debug, PartialEq)]
pub struct Expr {
    /// What it is.
    pub node: Node,
    /// Its type.
    pub of: Type,
    /// The modifier that is known of its value, -1 for none.
    pub modifier: i32,
}

/// How a cast came about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Somebody wrote it.
    Explicit,
    /// PostgreSQL added it; it is printed only where that is needed to get it again.
    Implicit,
}

/// What a cast does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// It calls a function.
    Function,
    /// Anything else.
    Other,
}

/// The kinds of expressions.
#[derive(Clone, Debug, PartialEq)]
pub enum Node {
    /// A column: how many queries further out, which relation of that query, which of its columns, its name. A join's
    /// are those that it merged and that are neither side's own.
    Column { up: usize, relation: usize, number: usize, name: Ident },
    /// A whole row.
    Row { up: usize, relation: usize },
    /// What comes out of a set operation or of VALUES.
    Output(Ident),
    /// A constant as its type prints it; `None` is NULL.
    Constant(Option<String>),
    /// Any cast: relabelling, by a function, by text, element by element, to a domain.
    Cast(Box<Expr>, Form, Way),
    /// A function call.
    Call(Box<Call>),
    /// An operator.
    Operator(String, Option<Box<Expr>>, Box<Expr>),
    /// IS DISTINCT FROM.
    Distinct(Box<Expr>, Box<Expr>),
    /// NULLIF.
    NullIf(Box<Expr>, Box<Expr>),
    /// `left op ANY (right)`, or ALL.
    AnyAll { name: String, any: bool, left: Box<Expr>, right: Box<Expr> },
    /// AND.
    And(Vec<Expr>),
    /// OR.
    Or(Vec<Expr>),
    /// NOT.
    Not(Box<Expr>),
    /// IS NULL, IS NOT NULL.
    NullTest(Box<Expr>, bool),
    /// `IS TRUE` and its kin.
    BooleanTest(Box<Expr>, &'static str),
    /// CASE.
    Case { argument: Option<Box<Expr>>, arms: Vec<(Expr, Expr)>, otherwise: Box<Expr> },
    /// COALESCE, GREATEST, LEAST.
    Among(&'static str, Vec<Expr>),
    /// CURRENT_DATE and its kin.
    Value(String),
    /// ARRAY[…].
    Array(Vec<Expr>),
    /// ROW(…); whether somebody wrote a cast of it to a row type.
    MakeRow(Vec<Expr>, bool),
    /// A field of a row.
    Field(Box<Expr>, Ident),
    /// GROUPING(…).
    Grouping(Vec<Expr>),
    /// IS JSON, with its words.
    IsJson(Box<Expr>, String),
    /// What has a grammar of its own, as it is spelled.
    Spelled(Vec<Piece>),
    /// An argument by name.
    Named(Ident, Box<Expr>),
    /// A comparison of rows.
    RowCompare(String, Vec<Expr>, Vec<Expr>),
    /// COLLATE.
    Collate(Box<Expr>, String),
    /// `array[1]`, `json['a']`, slices.
    Subscript { of: Box<Expr>, indices: Vec<Index> },
    /// A sub-select.
    Sub(Box<Sub>),
    /// The value that a domain checks.
    DomainValue,
    /// DEFAULT, where a value of a column stands.
    Default,
    /// An argument of a routine: the routine, the argument's name, its number.
    Argument(Ident, Option<Ident>, usize),
}

/// A part of what has a grammar of its own.
#[derive(Clone, Debug, PartialEq)]
pub enum Piece {
    /// Words and signs.
    Words(String),
    /// An expression, and whether casts that PostgreSQL added are shown at its top, where that is not as around it.
    Expr(Expr, Option<bool>),
    /// A constant without its type, or an expression.
    Bare(Expr),
    /// Elements of ORDER BY.
    Order(Vec<Sort>),
}

/// One subscript.
#[derive(Clone, Debug, PartialEq)]
pub struct Index {
    /// Whether it is a slice.
    pub slice: bool,
    /// The lower bound of a slice.
    pub lower: Option<Expr>,
    /// The upper bound, or the subscript.
    pub upper: Option<Expr>,
}

/// A call.
#[derive(Clone, Debug, PartialEq)]
pub struct Call {
    /// Its name as it is printed.
    pub name: String,
    /// The name in pg_catalog that was written in syntax of its own (EXTRACT, POSITION …).
    pub syntax: Option<String>,
    /// The arguments, those of VARIADIC gathered.
    pub arguments: Vec<Expr>,
    /// Whether the last is printed as VARIADIC.
    pub variadic: bool,
    /// count(*).
    pub star: bool,
    /// DISTINCT of an aggregate.
    pub distinct: bool,
    /// ORDER BY of an aggregate.
    pub order: Vec<Sort>,
    /// FILTER.
    pub filter: Option<Expr>,
    /// OVER.
    pub over: Option<Over>,
    /// WITHIN GROUP: then ORDER BY is there, and the arguments are those in front.
    pub within: bool,
}

/// An element of ORDER BY.
#[derive(Clone, Debug, PartialEq)]
pub struct Sort {
    /// What is sorted by.
    pub key: Expr,
    /// The number of an output column that this is, where it is one.
    pub output: Option<usize>,
    /// DESC.
    pub descending: bool,
    /// NULLS FIRST.
    pub nulls_first: bool,
}

/// What stands behind OVER.
#[derive(Clone, Debug, PartialEq)]
pub enum Over {
    /// A window of the WINDOW clause.
    Named(Ident),
    /// A window of its own.
    Own(Window),
}

/// A window.
#[derive(Clone, Debug, PartialEq)]
pub struct Window {
    /// The window that it goes on from.
    pub from: Option<Ident>,
    /// PARTITION BY.
    pub partition: Vec<Expr>,
    /// ORDER BY, where it has its own.
    pub order: Vec<Sort>,
    /// ORDER BY that is in force, the other window's where it is that one's.
    pub sorted: Vec<Sort>,
    /// The frame, where it is not the usual one.
    pub frame: Option<Frame>,
}

/// A frame: the words, with the offsets between them.
#[derive(Clone, Debug, PartialEq)]
pub struct Frame {
    /// `RANGE `, `ROWS ` or `GROUPS `.
    pub unit: &'static str,
    /// Whether BETWEEN stands there.
    pub between: bool,
    /// Where it begins.
    pub start: Bound,
    /// Where it ends.
    pub end: Bound,
    /// `EXCLUDE …`.
    pub exclude: &'static str,
}

/// An end of a frame.
#[derive(Clone, Debug, PartialEq)]
pub enum Bound {
    /// `UNBOUNDED PRECEDING`, `UNBOUNDED FOLLOWING`, `CURRENT ROW`.
    Words(&'static str),
    /// So far before or behind.
    Offset(Box<Expr>, &'static str),
}

/// A sub-select inside an expression.
#[derive(Clone, Debug, PartialEq)]
pub struct Sub {
    /// Which kind.
    pub kind: SubKind,
    /// The query.
    pub query: Query,
}

/// The kinds of sub-selects.
#[derive(Clone, Debug, PartialEq)]
pub enum SubKind {
    /// EXISTS.
    Exists,
    /// A value.
    Value,
    /// ARRAY(…).
    Array,
    /// `left op ANY (…)`; `=` is printed as IN. Several values are a row.
    Any(Vec<Expr>, String),
    /// `left op ALL (…)`.
    All(Vec<Expr>, String),
    /// `(left, …) op (…)`.
    Compare(Vec<Expr>, String),
}

impl Expr {
    /// An expression without a known modifier.
    pub fn new(node: Node, of: Type) -> Self {
        Self { node, of, modifier: -1 }
    }

    /// A truth value.
    pub fn truth(node: Node) -> Self {
        Self::new(node, Type::system("bool"))
    }

    /// A literal of no type yet.
    pub fn unknown(text: Option<String>) -> Self {
        Self::new(Node::Constant(text), Type::unknown())
    }

    /// Whether it is a constant.
    pub fn is_constant(&self) -> bool {
        matches!(self.node, Node::Constant(_))
    }
}
