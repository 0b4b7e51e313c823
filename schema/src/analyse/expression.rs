//! Analyses expressions, as parse_expr.c does: operators, predicates, casts, rows and sub-selects.
//!
//! What makes a value of others (arrays, CASE, sub-selects) is in `construct.rs`, what has a name and arguments in
//! `call.rs`, queries are in `select.rs`. Anything that is not listed here is
//! undecided.

use crate::analyse::coerce::{self, Context};
use crate::analyse::constant;
use crate::analyse::expr::{Expr, Form, Node, Piece, SubKind, Window};
use crate::analyse::query::Relation;
use crate::analyse::resolve;
use crate::analyse::scope::{Scope, Visible};
use crate::analyse::types::{self, Class, Type};
use crate::analyse::with::Common;
use crate::analyse::world::World;
use crate::analyse::{Analysed, undecided};
use crate::ident::Ident;
use crate::tree::Tree;
use crate::type_name::TypeName;
use std::borrow::Cow;

/// Analyses what stands in a scope.
#[derive(Debug)]
pub struct Analyser<'a> {
    /// What names mean.
    pub world: &'a World<'a>,
    /// The relations that can be seen, the innermost query's last.
    pub scope: Scope,
    /// The type of VALUE in a domain's check.
    pub value: Option<(Type, i32)>,
    /// The common table expressions that can be seen, the nearest last.
    pub with: Vec<Common>,
    /// The windows of the query that is analysed.
    pub windows: Vec<(Ident, Window)>,
    /// How many queries are within each other.
    pub depth: usize,
    /// OLD and NEW of a rule, until the first query has them in its FROM.
    pub rows: Option<Rows>,
}

/// Relations that a query has without naming them, and how they can be seen.
pub type Rows = (Vec<Relation>, Vec<Visible>);

/// The kinds of `A_Expr` in the protocol.
mod kind {
    pub const OP: i64 = 1;
    pub const OP_ANY: i64 = 2;
    pub const OP_ALL: i64 = 3;
    pub const DISTINCT: i64 = 4;
    pub const NOT_DISTINCT: i64 = 5;
    pub const NULLIF: i64 = 6;
    pub const IN: i64 = 7;
    pub const LIKE: i64 = 8;
    pub const ILIKE: i64 = 9;
    pub const SIMILAR: i64 = 10;
    pub const BETWEEN: i64 = 11;
    pub const NOT_BETWEEN: i64 = 12;
    pub const BETWEEN_SYM: i64 = 13;
    pub const NOT_BETWEEN_SYM: i64 = 14;
}

impl<'a> Analyser<'a> {
    /// Sees nothing yet.
    pub fn new(world: &'a World<'a>) -> Self {
        Self {
            world,
            scope: Scope::default(),
            value: None,
            with: Vec::new(),
            windows: Vec::new(),
            depth: 0,
            rows: None,
        }
    }

    /// Analyses an expression.
    ///
    /// # Errors
    /// Why it is not understood.
    pub fn expression(&mut self, tree: &Tree) -> Analysed<Expr> {
        match tree.name() {
            "AConst" => literal(tree),
            "ColumnRef" => self.column(tree),
            "AExpr" => self.operator_expression(tree),
            "BoolExpr" => self.boolean(tree),
            "FuncCall" => self.call(tree),
            "TypeCast" => self.cast(tree),
            "NullTest" => {
                let argument = self.expression(tree.get("arg"))?;
                let not = tree.get("nulltesttype").int() == 2;
                Ok(Expr::truth(Node::NullTest(Box::new(argument), not)))
            }
            "BooleanTest" => {
                let argument = self.expression(tree.get("arg"))?;
                let argument = coerce::to_boolean(self.world, argument)?;
                let words =
                    ["IS TRUE", "IS NOT TRUE", "IS FALSE", "IS NOT FALSE", "IS UNKNOWN", "IS NOT UNKNOWN"];
                let place = usize::try_from(tree.get("booltesttype").int() - 1).unwrap_or(usize::MAX);
                let Some(word) = words.get(place) else { return undecided("a test of truth") };
                Ok(Expr::truth(Node::BooleanTest(Box::new(argument), word)))
            }
            "CaseExpr" => self.case(tree),
            "CoalesceExpr" => self.among("COALESCE", tree),
            "MinMaxExpr" => self.among(if tree.get("op").int() == 2 { "LEAST" } else { "GREATEST" }, tree),
            "SqlValueFunction" => value_function(tree),
            "AArrayExpr" => self.array(tree, None),
            "RowExpr" => {
                let fields = self.expressions(tree.get("args").items())?;
                Ok(Expr::new(Node::MakeRow(fields, false), Type::system("record")))
            }
            "CollateClause" => self.collate(tree),
            "AIndirection" => self.indirection(tree),
            "SubLink" => self.sub_link(tree),
            "GroupingFunc" => {
                let arguments = self.expressions(tree.get("args").items())?;
                Ok(Expr::new(Node::Grouping(arguments), Type::system("int4")))
            }
            "JsonIsPredicate" => self.is_json(tree),
            "ParamRef" => self.numbered(tree),
            name if name.starts_with("Json") => self.json_call(tree),
            other => undecided(format!("{other} is not understood")),
        }
    }

    /// Analyses several expressions.
    pub fn expressions(&mut self, trees: &[Tree]) -> Analysed<Vec<Expr>> {
        trees.iter().map(|tree| self.expression(tree)).collect()
    }

    /// A literal of no type becomes text, as `resolveTargetListUnknowns` does.
    pub fn settled(&self, expr: Expr) -> Analysed<Expr> {
        if expr.of.is_unknown() {
            let text = Type::system("text");
            return coerce::coerce_type(self.world, expr, text, Context::Implicit, Form::Implicit);
        }
        Ok(expr)
    }

    fn column(&mut self, tree: &Tree) -> Analysed<Expr> {
        let mut parts = Vec::new();
        for field in tree.get("fields").items() {
            parts.push(if field.name() == "AStar" { "*" } else { field.str() });
        }
        if let (Some((of, modifier)), ["value"]) = (self.value, &parts[..]) {
            return Ok(Expr { node: Node::DomainValue, of, modifier });
        }
        if let [name, field] = parts[..] {
            // A field of an argument, unless a relation or the routine is called so.
            if !self.scope.is_named(name) {
                if let Ok(argument @ Expr { node: Node::Argument(..), .. }) = self.scope.column(&[name]) {
                    return self.field(argument, field);
                }
            }
        }
        let found = self.scope.column(&parts)?;
        // A relation of that name stands before an argument.
        match (&found.node, &parts[..]) {
            (Node::Argument(..), [name]) if self.scope.is_relation(name) => {
                undecided("a row, or an argument")
            }
            _ => Ok(found),
        }
    }

    /// `$1`.
    fn numbered(&self, tree: &Tree) -> Analysed<Expr> {
        let level = self.scope.levels.first();
        let columns = level.iter().flat_map(|level| &level.visible).flat_map(|visible| &visible.columns);
        let number = usize::try_from(tree.get("number").int()).unwrap_or(0);
        let is_it = |expr: &&Expr| matches!(expr.node, Node::Argument(_, _, own) if own == number);
        let found = columns.map(|(_, expr)| expr).find(is_it).cloned();
        found.map_or_else(|| undecided("an argument that is not there"), Ok)
    }

    /// A binary or prefix operator on analysed operands: `make_op`.
    pub fn operate(&self, name: &str, left: Option<Expr>, right: Expr) -> Analysed<Expr> {
        let found = resolve::operator(self.world, name, left.as_ref().map(|left| left.of), right.of)?;
        let implicit =
            |expr, target| coerce::coerce_type(self.world, expr, target, Context::Implicit, Form::Implicit);
        let (left, right) = match (left, &found.operands[..]) {
            (Some(left), [of_left, of_right]) => {
                (Some(implicit(left, *of_left)?), implicit(right, *of_right)?)
            }
            (None, [of_right]) => (None, implicit(right, *of_right)?),
            _ => return undecided("an operator of other operands"),
        };
        Ok(Expr::new(Node::Operator(name.to_owned(), left.map(Box::new), Box::new(right)), found.result))
    }

    /// `make_distinct_op`.
    fn distinct(&self, left: Expr, right: Expr) -> Analysed<Expr> {
        match self.operate("=", Some(left), right)? {
            Expr { node: Node::Operator(_, Some(left), right), of, .. } if of.is("bool") => {
                Ok(Expr::truth(Node::Distinct(left, right)))
            }
            _ => undecided("IS DISTINCT FROM"),
        }
    }

    fn operator_name(tree: &Tree) -> Analysed<String> {
        match tree.get("name").strings()[..] {
            [name] => Ok(name.to_owned()),
            ["pg_catalog", name] => Ok(name.to_owned()),
            _ => undecided("an operator with a schema"),
        }
    }

    fn operator_expression(&mut self, tree: &Tree) -> Analysed<Expr> {
        let (left, right) = (tree.get("lexpr"), tree.get("rexpr"));
        match tree.get("kind").int() {
            kind::OP | kind::LIKE | kind::ILIKE | kind::SIMILAR => self.plain_operator(tree),
            kind::OP_ANY | kind::OP_ALL => {
                let name = Self::operator_name(tree)?;
                let (left, right) = (self.expression(left)?, self.expression(right)?);
                self.any_all(name, tree.get("kind").int() == kind::OP_ANY, left, right)
            }
            kind @ (kind::DISTINCT | kind::NOT_DISTINCT) => {
                let not = kind == kind::NOT_DISTINCT;
                for (this, other) in [(left, right), (right, left)] {
                    if this.is_null() {
                        let argument = self.expression(other)?;
                        if argument.of.class(self.world)? == Class::Row {
                            return undecided("a test of a row for NULL");
                        }
                        return Ok(Expr::truth(Node::NullTest(Box::new(argument), !not)));
                    }
                }
                let distinct = if left.name() == "RowExpr" && right.name() == "RowExpr" {
                    let left = self.expressions(left.get("args").items())?;
                    let right = self.expressions(right.get("args").items())?;
                    if left.len() != right.len() {
                        return undecided("rows of different lengths");
                    }
                    let mut result = None;
                    for (left, right) in left.into_iter().zip(right) {
                        result = Some(join(result, self.distinct(left, right)?, true));
                    }
                    match result {
                        Some(result) => result,
                        None => return undecided("rows of nothing"),
                    }
                } else {
                    let (left, right) = (self.expression(left)?, self.expression(right)?);
                    self.distinct(left, right)?
                };
                Ok(if not { Expr::truth(Node::Not(Box::new(distinct))) } else { distinct })
            }
            kind::NULLIF => {
                let (left, right) = (self.expression(left)?, self.expression(right)?);
                match self.operate("=", Some(left), right)?.node {
                    Node::Operator(_, Some(left), right) => {
                        let (of, modifier) = (left.of, left.modifier);
                        Ok(Expr { node: Node::NullIf(left, right), of, modifier })
                    }
                    _ => undecided("NULLIF"),
                }
            }
            kind::IN => self.in_list(tree),
            kind @ (kind::BETWEEN | kind::NOT_BETWEEN | kind::BETWEEN_SYM | kind::NOT_BETWEEN_SYM) => {
                let [low, high] = list(right) else { return undecided("BETWEEN") };
                let mut compare = |name: &str, bound: &Tree| {
                    let (value, bound) = (self.expression(left)?, self.expression(bound)?);
                    self.operate(name, Some(value), bound)
                };
                let mut pair = |not: bool, low: &Tree, high: &Tree| {
                    let pair = if not {
                        Node::Or(vec![compare("<", low)?, compare(">", high)?])
                    } else {
                        Node::And(vec![compare(">=", low)?, compare("<=", high)?])
                    };
                    Analysed::Ok(Expr::truth(pair))
                };
                match kind {
                    kind::BETWEEN => pair(false, low, high),
                    kind::NOT_BETWEEN => pair(true, low, high),
                    kind::BETWEEN_SYM => {
                        Ok(Expr::truth(Node::Or(vec![pair(false, low, high)?, pair(false, high, low)?])))
                    }
                    _ => Ok(Expr::truth(Node::And(vec![pair(true, low, high)?, pair(true, high, low)?]))),
                }
            }
            _ => undecided("an operator expression"),
        }
    }

    fn plain_operator(&mut self, tree: &Tree) -> Analysed<Expr> {
        let name = Self::operator_name(tree)?;
        let (left, right) = (tree.get("lexpr"), tree.get("rexpr"));
        if left.name() == "RowExpr" && right.name() == "RowExpr" {
            let left = self.expressions(left.get("args").items())?;
            let right = self.expressions(right.get("args").items())?;
            return self.compare_rows(&name, left, right);
        }
        if left.name() == "RowExpr" && right.name() == "SubLink" && right.get("sub_link_type").int() == 5 {
            let left = self.expressions(left.get("args").items())?;
            return self.compare_with_query(name, left, right.get("subselect"), SubKind::Compare);
        }
        let left = if left.is_nothing() { None } else { Some(self.expression(left)?) };
        let right = self.expression(right)?;
        self.operate(&name, left, right)
    }

    /// The operands of a comparison of rows field by field, after coercion: `make_row_comparison_op`. For an order all
    /// must be of PostgreSQL's own types: which operators go together is not known of others.
    fn pair_up(&self, name: &str, left: Vec<Expr>, right: Vec<Expr>) -> Analysed<Vec<Expr>> {
        if left.len() != right.len() || left.is_empty() {
            return undecided("rows of different lengths");
        }
        let several = left.len() > 1;
        let mut pairs = Vec::new();
        for (left, right) in left.into_iter().zip(right) {
            pairs.push(self.operate(name, Some(left), right)?);
        }
        if pairs.iter().any(|pair| !pair.of.is("bool")) {
            return undecided("a comparison of rows that is no truth value");
        }
        if several && !matches!(name, "=" | "<>" | "<" | "<=" | ">" | ">=") {
            return undecided("a comparison of rows");
        }
        if several && !matches!(name, "=" | "<>") {
            for pair in &pairs {
                let Node::Operator(_, Some(left), right) = &pair.node else {
                    return undecided("a comparison of rows");
                };
                // An operator of another family is refused or chosen by what all have in common.
                if !left.of.is_system() || !right.of.is_system() {
                    return undecided("a comparison of rows of types that users made");
                }
            }
        }
        Ok(pairs)
    }

    /// The left operands of such a comparison.
    pub(super) fn pairs(&self, name: &str, left: Vec<Expr>, right: Vec<Expr>) -> Analysed<Option<Vec<Expr>>> {
        let pairs = self.pair_up(name, left, right)?;
        Ok(pairs
            .into_iter()
            .map(|pair| match pair.node {
                Node::Operator(_, Some(left), _) => Some(*left),
                _ => None,
            })
            .collect())
    }

    fn compare_rows(&mut self, name: &str, left: Vec<Expr>, right: Vec<Expr>) -> Analysed<Expr> {
        let mut pairs = self.pair_up(name, left, right)?;
        if pairs.len() == 1 {
            return pairs.pop().map_or_else(|| undecided("no pair"), Ok);
        }
        match name {
            "=" => Ok(Expr::truth(Node::And(pairs))),
            "<>" => Ok(Expr::truth(Node::Or(pairs))),
            _ => {
                let (mut lefts, mut rights) = (Vec::new(), Vec::new());
                for pair in pairs {
                    let Node::Operator(_, Some(left), right) = pair.node else {
                        return undecided("a comparison of rows");
                    };
                    lefts.push(*left);
                    rights.push(*right);
                }
                Ok(Expr::truth(Node::RowCompare(name.to_owned(), lefts, rights)))
            }
        }
    }

    /// `make_scalar_array_op`.
    fn any_all(&self, name: String, any: bool, left: Expr, right: Expr) -> Analysed<Expr> {
        let element = if right.of.is_unknown() {
            right.of
        } else {
            match right.of.base(-1, self.world)?.0.element() {
                Some(element) => element,
                None => return undecided("ANY of what is no array"),
            }
        };
        let found = resolve::operator(self.world, &name, Some(left.of), element)?;
        let [of_left, of_right] = found.operands[..] else { return undecided("ANY of one operand") };
        if !found.result.is("bool") {
            return undecided("ANY of what is no truth value");
        }
        let array = of_right.array_of(self.world)?;
        let implicit =
            |expr, target| coerce::coerce_type(self.world, expr, target, Context::Implicit, Form::Implicit);
        let (left, right) = (Box::new(implicit(left, of_left)?), Box::new(implicit(right, array)?));
        Ok(Expr::truth(Node::AnyAll { name, any, left, right }))
    }

    /// `transformAExprIn`: constants and the like become one array, columns are compared one by one.
    fn in_list(&mut self, tree: &Tree) -> Analysed<Expr> {
        let name = Self::operator_name(tree)?;
        let any = name != "<>";
        let row = tree.get("lexpr").name() == "RowExpr";
        let left = if row { None } else { Some(self.expression(tree.get("lexpr"))?) };
        let trees = list(tree.get("rexpr"));
        if let (true, None) = (row, &left) {
            let mut result: Option<Expr> = None;
            for item in trees {
                if item.name() != "RowExpr" {
                    return undecided("a row in a list of other things");
                }
                let left = self.expressions(tree.get("lexpr").get("args").items())?;
                let right = self.expressions(item.get("args").items())?;
                let one = self.compare_rows(&name, left, right)?;
                result = Some(join(result, one, any));
            }
            return result.map_or_else(|| undecided("an empty list"), Ok);
        }
        let Some(left) = left else { return undecided("IN") };
        let (mut constants, mut rest) = (Vec::new(), Vec::new());
        for item in trees {
            let item = self.expression(item)?;
            if has_column(&item)? { rest.push(item) } else { constants.push(item) }
        }
        let mut result = None;
        if constants.len() > 1 {
            let all: Vec<&Expr> = std::iter::once(&left).chain(&constants).collect();
            let common = coerce::common_type(self.world, &all)?;
            if common.is("record") {
                return undecided("rows in a list");
            }
            for expr in &all {
                if !coerce::can_coerce(self.world, expr.of, common, Context::Implicit)? {
                    return undecided("values of types that do not go together");
                }
            }
            let array = common.array_of(self.world)?;
            let elements: Analysed<Vec<Expr>> =
                constants.into_iter().map(|expr| coerce::to_common(self.world, expr, common)).collect();
            let array = Expr::new(Node::Array(elements?), array);
            result = Some(self.any_all(name.clone(), any, left.clone(), array)?);
        } else {
            // One constant among columns keeps its place in the list.
            rest = self.expressions(trees)?;
        }
        for item in rest {
            let one = self.operate(&name, Some(left.clone()), item)?;
            result = Some(join(result, coerce::to_boolean(self.world, one)?, any));
        }
        result.map_or_else(|| undecided("an empty list"), Ok)
    }

    fn boolean(&mut self, tree: &Tree) -> Analysed<Expr> {
        let mut arguments = Vec::new();
        for argument in tree.get("args").items() {
            let argument = self.expression(argument)?;
            arguments.push(coerce::to_boolean(self.world, argument)?);
        }
        Ok(Expr::truth(match tree.get("boolop").int() {
            1 => Node::And(arguments),
            2 => Node::Or(arguments),
            _ => match arguments.pop() {
                Some(argument) => Node::Not(Box::new(argument)),
                None => return undecided("NOT"),
            },
        }))
    }

    /// The type that a `TypeName` node means.
    pub fn type_of(&self, tree: &Tree) -> Analysed<(Type, i32)> {
        if tree.get("setof").flag() || tree.get("pct_type").flag() {
            return undecided("a type by reference");
        }
        let names = tree.get("names").strings();
        let written = TypeName::from_tree(tree, "?");
        if written.qname().is_some() {
            let (of, modifier) = types::of(&written)?;
            of.class(self.world)?;
            return Ok((of, modifier));
        }
        let Some(found) = self.world.find(&names, |name| self.world.catalog.type_named(name).map(|_| name))
        else {
            return undecided(format!("the type {} is not known", names.join(".")));
        };
        if !written.modifiers().is_empty() {
            return undecided("a modifier of a type that users made");
        }
        Ok((Type { name: found, array: written.is_array() }, -1))
    }

    fn cast(&mut self, tree: &Tree) -> Analysed<Expr> {
        let type_name = tree.get("type_name");
        let (target, modifier) = self.type_of(type_name)?;
        let argument = tree.get("arg");
        if argument.name() == "AArrayExpr" {
            let (base, _) = target.base(modifier, self.world)?;
            if let Some(element) = base.element() {
                let array = self.array(argument, Some((base, element, modifier)))?;
                return coerce::to_target(
                    self.world,
                    array,
                    target,
                    modifier,
                    Context::Explicit,
                    Form::Explicit,
                );
            }
        }
        let argument = self.expression(argument)?;
        coerce::to_target(self.world, argument, target, modifier, Context::Explicit, Form::Explicit)
    }
}

/// The items of a list, which is a node of its own where any expression may stand.
fn list(tree: &Tree) -> &[Tree] {
    if tree.name() == "List" { tree.get("items").items() } else { tree.items() }
}

/// Adds one to what was found before, by OR or AND.
fn join(before: Option<Expr>, one: Expr, any: bool) -> Expr {
    match before {
        None => one,
        Some(before) => {
            let both = vec![before, one];
            Expr::truth(if any { Node::Or(both) } else { Node::And(both) })
        }
    }
}

/// A constant of the grammar.
fn literal(tree: &Tree) -> Analysed<Expr> {
    if tree.get("isnull").flag() {
        return Ok(Expr::unknown(None));
    }
    let value = tree.get("val");
    match value.name() {
        "Integer" => {
            let number = value.get("ival").int().to_string();
            Ok(Expr::new(Node::Constant(Some(number)), Type::system("int4")))
        }
        "Float" => {
            let text = value.get("fval").str();
            let Some(text) = decimal(text) else { return undecided(format!("the number {text}")) };
            if let Ok(whole) = text.parse::<i64>() {
                // The least number that fits into four bytes is read without its sign.
                let of = if i32::try_from(whole).is_ok() { "int4" } else { "int8" };
                return Ok(Expr::new(Node::Constant(Some(whole.to_string())), Type::system(of)));
            }
            match constant::numeric(&text) {
                Some(number) => Ok(Expr::new(Node::Constant(Some(number)), Type::system("numeric"))),
                None => undecided(format!("the number {text}")),
            }
        }
        "Boolean" => {
            let word = if value.get("boolval").flag() { "true" } else { "false" };
            Ok(Expr::new(Node::Constant(Some(word.into())), Type::system("bool")))
        }
        "BitString" => {
            let text = value.get("bsval").str();
            match constant::bits(text) {
                Some(digits) => Ok(Expr::new(Node::Constant(Some(digits)), Type::system("bit"))),
                None => undecided("bits of other digits"),
            }
        }
        "String" => Ok(Expr::unknown(Some(value.get("sval").str().to_owned()))),
        _ => undecided("a constant of this kind"),
    }
}

/// A number as decimal digits: from 16 on it may be written in other digits and with `_` between them.
fn decimal(text: &str) -> Option<Cow<'_, str>> {
    let (sign, digits) = text.strip_prefix('-').map_or(("", text), |rest| ("-", rest));
    let digits = if digits.contains('_') { Cow::from(digits.replace('_', "")) } else { Cow::from(digits) };
    let radix = match digits.get(..2) {
        Some("0x" | "0X") => 16,
        Some("0o" | "0O") => 8,
        Some("0b" | "0B") => 2,
        _ => return Some(if sign.is_empty() { digits } else { Cow::from(format!("-{digits}")) }),
    };
    let number = u128::from_str_radix(digits.get(2..)?, radix).ok()?;
    Some(Cow::from(format!("{sign}{number}")))
}

/// CURRENT_DATE and its kin.
fn value_function(tree: &Tree) -> Analysed<Expr> {
    let precision = tree.get("typmod").int();
    let (word, of, precise) = match tree.get("op").int() {
        1 => ("CURRENT_DATE", "date", false),
        2 => ("CURRENT_TIME", "timetz", false),
        3 => ("CURRENT_TIME", "timetz", true),
        4 => ("CURRENT_TIMESTAMP", "timestamptz", false),
        5 => ("CURRENT_TIMESTAMP", "timestamptz", true),
        6 => ("LOCALTIME", "time", false),
        7 => ("LOCALTIME", "time", true),
        8 => ("LOCALTIMESTAMP", "timestamp", false),
        9 => ("LOCALTIMESTAMP", "timestamp", true),
        10 => ("CURRENT_ROLE", "name", false),
        11 => ("CURRENT_USER", "name", false),
        12 => ("USER", "name", false),
        13 => ("SESSION_USER", "name", false),
        14 => ("CURRENT_CATALOG", "name", false),
        15 => ("CURRENT_SCHEMA", "name", false),
        _ => return undecided("a value of the session"),
    };
    if precise && !(0..=6).contains(&precision) {
        return undecided("a precision that PostgreSQL reduces");
    }
    let text = if precise { format!("{word}({precision})") } else { word.to_owned() };
    let modifier = if precise { i32::try_from(precision).unwrap_or(-1) } else { -1 };
    Ok(Expr { node: Node::Value(text), of: Type::system(of), modifier })
}

/// `contain_vars_of_level` for the query that the expression stands in.
pub fn has_column(expr: &Expr) -> Analysed<bool> {
    let any = |exprs: &mut dyn Iterator<Item = &Expr>| -> Analysed<bool> {
        for expr in exprs {
            if has_column(expr)? {
                return Ok(true);
            }
        }
        Ok(false)
    };
    match &expr.node {
        Node::Column { up, .. } | Node::Row { up, .. } => Ok(*up == 0),
        Node::Constant(_) | Node::Value(_) | Node::DomainValue | Node::Argument(..) => Ok(false),
        Node::Cast(inner, ..) | Node::Collate(inner, _) | Node::Not(inner) => has_column(inner),
        Node::Field(inner, _) | Node::Named(_, inner) | Node::IsJson(inner, _) => has_column(inner),
        Node::NullTest(inner, _) | Node::BooleanTest(inner, _) => has_column(inner),
        Node::Operator(_, left, right) => any(&mut left.iter().chain([right]).map(|side| &**side)),
        Node::Distinct(left, right) | Node::NullIf(left, right) | Node::AnyAll { left, right, .. } => {
            any(&mut [left, right].into_iter().map(|side| &**side))
        }
        Node::And(list)
        | Node::Or(list)
        | Node::Among(_, list)
        | Node::Array(list)
        | Node::MakeRow(list, _) => any(&mut list.iter()),
        Node::Call(call) if call.over.is_none() && call.filter.is_none() && call.order.is_empty() => {
            any(&mut call.arguments.iter())
        }
        Node::Spelled(pieces) => {
            let inner = |piece: &Piece| match piece {
                Piece::Words(_) => Ok(None),
                Piece::Expr(inner, _) | Piece::Bare(inner) => Ok(Some(inner.clone())),
                Piece::Order(_) => undecided("what may hold columns"),
            };
            let exprs: Vec<Option<Expr>> = pieces.iter().map(inner).collect::<Analysed<_>>()?;
            any(&mut exprs.iter().flatten())
        }
        Node::Case { argument, arms, otherwise } => {
            let arms = arms.iter().flat_map(|(condition, result)| [condition, result]);
            any(&mut argument.iter().map(|argument| &**argument).chain(arms).chain([&**otherwise]))
        }
        Node::Subscript { of, indices } => {
            let bounds = indices.iter().flat_map(|index| index.lower.iter().chain(&index.upper));
            any(&mut std::iter::once(&**of).chain(bounds))
        }
        _ => undecided("what may hold columns"),
    }
}
