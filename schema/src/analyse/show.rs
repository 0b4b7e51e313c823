//! Prints expressions as ruleutils.c does without pretty printing of parentheses, under an empty search_path.

use crate::analyse::expr::{
    Bound, Call, Expr, Form, Index, Node, Over, Piece, Sort, Sub, SubKind, Way, Window,
};
use crate::analyse::naming::{Names, SYSTEM_COLUMN};
use crate::analyse::types::{self, Type};
use crate::analyse::{Analysed, undecided};
use crate::ident::Ident;
use crate::sql;

/// Prints one fragment.
#[derive(Debug)]
pub struct Show {
    /// What was printed.
    pub text: String,
    /// The names around, the innermost query's last.
    pub names: Vec<Names>,
    /// Whether columns are printed with their relation.
    pub prefix: bool,
    /// Whether a column is printed to sort by, where it could be mistaken for what comes out.
    pub sorting: bool,
    /// The server's major version.
    pub version: u32,
}

/// A string constant as ruleutils prints it, where backslashes are characters like others.
fn quote(text: &str) -> String {
    format!("'{}'", crate::sql::doubled(text))
}

impl Show {
    pub(super) fn put(&mut self, text: &str) {
        self.text.push_str(text);
    }

    /// Prints a list with commas.
    pub(super) fn list(&mut self, exprs: &[Expr], implicit: bool) -> Analysed<()> {
        for (place, expr) in exprs.iter().enumerate() {
            if place > 0 {
                self.put(", ");
            }
            self.expr(expr, implicit)?;
        }
        Ok(())
    }

    fn level(&self, up: usize) -> Analysed<&Names> {
        let level = self.names.len().checked_sub(up + 1).and_then(|level| self.names.get(level));
        level.map_or_else(|| undecided("a column of nowhere"), Ok)
    }

    pub(super) fn name_of(&self, up: usize, relation: usize) -> Analysed<Option<Ident>> {
        match self.level(up)?.relations.get(relation) {
            Some(name) => Ok(*name),
            None => undecided("a column of nowhere"),
        }
    }

    /// `get_variable`: prints a column, and says what it is called.
    pub(super) fn column(&mut self, expr: &Expr) -> Analysed<Option<Ident>> {
        let Node::Column { up, relation, number, name } = &expr.node else { return Ok(None) };
        let level = self.level(*up)?;
        let columns = level.columns.get(*relation);
        let name = match columns.and_then(|columns| columns.get(*number)) {
            _ if *number == SYSTEM_COLUMN => *name,
            Some(name) if !name.is_empty() => *name,
            _ => return undecided("a column of nowhere"),
        };
        let mistaken = self.sorting && level.outputs.iter().any(|(output, of)| *output == name && of != expr);
        if let Some(of) = self.name_of(*up, *relation)?.filter(|_| self.prefix || mistaken) {
            self.put(sql::quoted_on(of, self.version));
            self.put(".");
        }
        self.put(sql::quoted_on(name, self.version));
        Ok(Some(name))
    }

    /// `get_rule_expr_toplevel`: a whole row with its type, so that it is not taken for all its columns.
    pub(super) fn top(&mut self, expr: &Expr, implicit: bool) -> Analysed<()> {
        self.expr(expr, implicit)?;
        if matches!(expr.node, Node::Row { .. }) {
            self.put(&format!("::{}", types::written(expr.of, -1)?));
        }
        Ok(())
    }

    /// `get_rule_expr`; `implicit`: whether casts that PostgreSQL added are shown at the top.
    pub fn expr(&mut self, expr: &Expr, implicit: bool) -> Analysed<()> {
        match &expr.node {
            Node::Column { .. } => {
                self.column(expr)?;
            }
            Node::Row { up, relation } => match self.name_of(*up, *relation)? {
                Some(of) => {
                    self.put(sql::quoted_on(of, self.version));
                    self.put(".*");
                }
                None => return undecided("a row of a nameless relation"),
            },
            Node::Output(name) => self.put(sql::quoted_on(*name, self.version)),
            Node::Constant(value) => self.constant(value.as_deref(), expr, false, false)?,
            Node::Cast(inner, Form::Implicit, _) if !implicit => self.expr(inner, false)?,
            Node::Cast(inner, ..) => self.cast(inner, expr.of, expr.modifier)?,
            Node::Call(call) => self.call(call)?,
            Node::Operator(name, left, right) => {
                self.put("(");
                if let Some(left) = left {
                    self.expr(left, true)?;
                    self.put(" ");
                }
                self.put(name);
                self.put(" ");
                self.expr(right, true)?;
                self.put(")");
            }
            Node::Distinct(left, right) => {
                self.put("(");
                self.expr(left, true)?;
                self.put(" IS DISTINCT FROM ");
                self.expr(right, true)?;
                self.put(")");
            }
            Node::NullIf(left, right) => {
                self.put("NULLIF(");
                self.expr(left, true)?;
                self.put(", ");
                self.expr(right, true)?;
                self.put(")");
            }
            Node::AnyAll { name, any, left, right } => {
                self.put("(");
                self.expr(left, true)?;
                self.put(&format!(" {name} {} (", if *any { "ANY" } else { "ALL" }));
                self.expr(right, true)?;
                if matches!(&right.node, Node::Sub(sub) if sub.kind == SubKind::Value) {
                    self.put(&format!("::{}", types::written(right.of, right.modifier)?));
                }
                self.put("))");
            }
            Node::And(arguments) => self.joined(arguments, " AND ")?,
            Node::Or(arguments) => self.joined(arguments, " OR ")?,
            Node::Not(argument) => {
                self.put("(NOT ");
                self.expr(argument, false)?;
                self.put(")");
            }
            Node::NullTest(argument, not) => {
                self.put("(");
                self.expr(argument, true)?;
                self.put(if *not { " IS NOT NULL)" } else { " IS NULL)" });
            }
            Node::BooleanTest(argument, word) => {
                self.put("(");
                self.expr(argument, false)?;
                self.put(&format!(" {word})"));
            }
            Node::Case { argument, arms, otherwise } => {
                self.put("CASE");
                if let Some(argument) = argument {
                    self.put(" ");
                    self.expr(argument, true)?;
                }
                for (condition, result) in arms {
                    self.put(" WHEN ");
                    self.expr(condition, false)?;
                    self.put(" THEN ");
                    self.expr(result, true)?;
                }
                self.put(" ELSE ");
                self.expr(otherwise, true)?;
                self.put(" END");
            }
            Node::Among(word, arguments) => {
                self.put(word);
                self.put("(");
                self.list(arguments, true)?;
                self.put(")");
            }
            Node::Value(text) => self.put(text),
            Node::Array(elements) => {
                self.put("ARRAY[");
                self.list(elements, true)?;
                self.put("]");
                if elements.is_empty() {
                    self.put(&format!("::{}", types::written(expr.of, -1)?));
                }
            }
            Node::MakeRow(fields, cast) => {
                self.put("ROW(");
                for (place, field) in fields.iter().enumerate() {
                    if place > 0 {
                        self.put(", ");
                    }
                    self.top(field, true)?;
                }
                self.put(")");
                if *cast {
                    self.put(&format!("::{}", types::written(expr.of, -1)?));
                }
            }
            Node::Field(inner, name) => {
                let parentheses = !matches!(inner.node, Node::Field(..) | Node::Subscript { .. });
                if parentheses {
                    self.put("(");
                }
                self.expr(inner, true)?;
                if parentheses {
                    self.put(")");
                }
                self.put(".");
                self.put(sql::quoted_on(*name, self.version));
            }
            Node::Grouping(arguments) => {
                self.put("GROUPING(");
                self.list(arguments, true)?;
                self.put(")");
            }
            Node::IsJson(inner, words) => {
                self.put("(");
                self.expr(inner, true)?;
                self.put(words);
                self.put(")");
            }
            Node::Spelled(pieces) => {
                for piece in pieces {
                    match piece {
                        Piece::Words(words) => self.put(words),
                        Piece::Expr(inner, shown) => self.expr(inner, shown.unwrap_or(implicit))?,
                        Piece::Bare(inner) => match &inner.node {
                            Node::Constant(value) => self.constant(value.as_deref(), inner, true, false)?,
                            _ => self.expr(inner, implicit)?,
                        },
                        Piece::Order(order) => self.order(order, false)?,
                    }
                }
            }
            Node::Named(name, inner) => {
                self.put(sql::quoted_on(*name, self.version));
                self.put(" => ");
                self.expr(inner, implicit)?;
            }
            Node::RowCompare(name, left, right) => {
                self.put("(ROW(");
                self.list(left, true)?;
                self.put(&format!(") {name} ROW("));
                self.list(right, true)?;
                self.put("))");
            }
            Node::Collate(inner, name) => {
                self.put("(");
                self.expr(inner, implicit)?;
                self.put(&format!(" COLLATE {name})"));
            }
            Node::Subscript { of, indices } => self.subscript(of, indices, implicit)?,
            Node::Sub(sub) => self.sub(sub)?,
            Node::DomainValue => self.put("VALUE"),
            Node::Default => self.put("DEFAULT"),
            Node::Argument(routine, Some(name), _) => {
                // Beside relations a column could be meant.
                if self.names.iter().any(|names| !names.relations.is_empty()) {
                    self.put(sql::quoted_on(*routine, self.version));
                    self.put(".");
                }
                self.put(sql::quoted_on(*name, self.version));
            }
            Node::Argument(_, None, number) => self.put(&format!("${number}")),
        }
        Ok(())
    }

    fn joined(&mut self, arguments: &[Expr], word: &str) -> Analysed<()> {
        self.put("(");
        for (place, argument) in arguments.iter().enumerate() {
            if place > 0 {
                self.put(word);
            }
            self.expr(argument, false)?;
        }
        self.put(")");
        Ok(())
    }

    /// `get_const_expr`: `bare` without its type, `labelled` with it in any case.
    fn constant(&mut self, value: Option<&str>, expr: &Expr, bare: bool, labelled: bool) -> Analysed<()> {
        let of = expr.of;
        let Some(value) = value else {
            self.put("NULL");
            if !bare {
                self.put(&format!("::{}", types::written(of, expr.modifier)?));
            }
            return Ok(());
        };
        let signed = !value.starts_with(|first: char| first.is_ascii_digit());
        let label = if of.is("int4") {
            if signed {
                self.put(&quote(value))
            } else {
                self.put(value)
            };
            signed
        } else if of.is("numeric") {
            let plain = !signed && value.contains(['.', 'e', 'E']);
            if plain {
                self.put(value)
            } else {
                self.put(&quote(value))
            };
            !plain || expr.modifier >= 0
        } else if of.is("bool") {
            self.put(value);
            false
        } else {
            self.put(&quote(value));
            !of.is_unknown()
        };
        if labelled || label && !bare {
            self.put(&format!("::{}", types::written(of, expr.modifier)?));
        }
        Ok(())
    }

    /// `get_coercion_expr`.
    fn cast(&mut self, inner: &Expr, of: Type, modifier: i32) -> Analysed<()> {
        match &inner.node {
            Node::Constant(value) if inner.of == of && inner.modifier == -1 => {
                self.constant(value.as_deref(), inner, true, false)?;
            }
            _ => {
                self.put("(");
                self.expr(inner, false)?;
                self.put(")");
            }
        }
        self.put(&format!("::{}", types::written(of, modifier)?));
        Ok(())
    }

    fn subscript(&mut self, of: &Expr, indices: &[Index], implicit: bool) -> Analysed<()> {
        // Another subscript would read as one more of the same.
        let parentheses = !matches!(of.node, Node::Column { .. } | Node::Field(..));
        if parentheses {
            self.put("(");
        }
        self.expr(of, implicit)?;
        if parentheses {
            self.put(")");
        }
        for index in indices {
            self.put("[");
            if index.slice {
                if let Some(lower) = &index.lower {
                    self.expr(lower, false)?;
                }
                self.put(":");
            }
            if let Some(upper) = &index.upper {
                self.expr(upper, false)?;
            }
            self.put("]");
        }
        Ok(())
    }

    fn call(&mut self, call: &Call) -> Analysed<()> {
        if call.syntax.is_some() && self.own_syntax(call)? {
            return Ok(());
        }
        self.put(&call.name);
        self.put("(");
        if call.distinct {
            self.put("DISTINCT ");
        }
        if call.star {
            self.put("*");
        }
        for (place, argument) in call.arguments.iter().enumerate() {
            if place > 0 {
                self.put(", ");
            }
            if call.variadic && place + 1 == call.arguments.len() {
                self.put("VARIADIC ");
            }
            self.expr(argument, true)?;
        }
        if call.within {
            self.put(") WITHIN GROUP (ORDER BY ");
            self.order(&call.order, false)?;
        } else if !call.order.is_empty() {
            self.put(" ORDER BY ");
            self.order(&call.order, false)?;
        }
        self.put(")");
        if let Some(filter) = &call.filter {
            self.put(" FILTER (WHERE ");
            self.expr(filter, false)?;
            self.put(")");
        }
        match &call.over {
            None => {}
            Some(Over::Named(name)) => self.put(&format!(" OVER {}", sql::quoted_on(*name, self.version))),
            Some(Over::Own(window)) => {
                self.put(" OVER ");
                self.window(window)?;
            }
        }
        Ok(())
    }

    /// `get_rule_windowspec`.
    pub(super) fn window(&mut self, window: &Window) -> Analysed<()> {
        self.put("(");
        let mut blank = "";
        if let Some(name) = window.from {
            self.put(sql::quoted_on(name, self.version));
            blank = " ";
        }
        if !window.partition.is_empty() && window.from.is_none() {
            self.put("PARTITION BY ");
            for (place, key) in window.partition.iter().enumerate() {
                if place > 0 {
                    self.put(", ");
                }
                self.sort_key(key)?;
            }
            blank = " ";
        }
        if !window.order.is_empty() {
            self.put(blank);
            self.put("ORDER BY ");
            self.order(&window.order, false)?;
            blank = " ";
        }
        if let Some(frame) = &window.frame {
            self.put(blank);
            self.put(frame.unit);
            if frame.between {
                self.put("BETWEEN ");
            }
            self.bound(&frame.start)?;
            if frame.between {
                self.put("AND ");
                self.bound(&frame.end)?;
            }
            self.put(frame.exclude);
            self.text.truncate(self.text.trim_end().len());
        }
        self.put(")");
        Ok(())
    }

    fn bound(&mut self, bound: &Bound) -> Analysed<()> {
        match bound {
            Bound::Words(words) => self.put(words),
            Bound::Offset(expr, word) => {
                self.expr(expr, false)?;
                self.put(word);
                self.put(" ");
            }
        }
        Ok(())
    }

    /// `get_func_sql_syntax`.
    fn own_syntax(&mut self, call: &Call) -> Analysed<bool> {
        let name = call.syntax.as_deref().unwrap_or("");
        let arguments = &call.arguments[..];
        let mut parts = |pieces: &[(&str, Option<usize>)]| -> Analysed<bool> {
            for (text, place) in pieces {
                self.put(text);
                if let Some(argument) = place.and_then(|place| arguments.get(place)) {
                    self.expr(argument, false)?;
                }
            }
            Ok(true)
        };
        match (name, arguments.len()) {
            ("timezone", 2) => parts(&[("(", Some(1)), (" AT TIME ZONE ", Some(0)), (")", None)]),
            ("timezone", 1) => parts(&[("(", Some(0)), (" AT LOCAL)", None)]),
            ("overlaps", 4) => parts(&[
                ("((", Some(0)),
                (", ", Some(1)),
                (") OVERLAPS (", Some(2)),
                (", ", Some(3)),
                ("))", None),
            ]),
            ("extract", 2) => {
                let Node::Constant(Some(field)) = &arguments[0].node else {
                    return undecided("EXTRACT of no field");
                };
                if !field.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_') {
                    return undecided("EXTRACT of a field in quotes");
                }
                let head = format!("EXTRACT({field} FROM ");
                parts(&[(&head, Some(1)), (")", None)])
            }
            ("overlay", 3) => {
                parts(&[("OVERLAY(", Some(0)), (" PLACING ", Some(1)), (" FROM ", Some(2)), (")", None)])
            }
            ("overlay", 4) => parts(&[
                ("OVERLAY(", Some(0)),
                (" PLACING ", Some(1)),
                (" FROM ", Some(2)),
                (" FOR ", Some(3)),
                (")", None),
            ]),
            ("position", 2) => parts(&[("POSITION((", Some(1)), (") IN (", Some(0)), ("))", None)]),
            ("substring", 2) if !arguments[1].of.is("text") => {
                parts(&[("SUBSTRING(", Some(0)), (" FROM ", Some(1)), (")", None)])
            }
            ("substring", 3) if !arguments[1].of.is("text") => {
                parts(&[("SUBSTRING(", Some(0)), (" FROM ", Some(1)), (" FOR ", Some(2)), (")", None)])
            }
            ("substring", 3) => {
                parts(&[("SUBSTRING(", Some(0)), (" SIMILAR ", Some(1)), (" ESCAPE ", Some(2)), (")", None)])
            }
            ("btrim" | "ltrim" | "rtrim", 1 | 2) => {
                let side = match name {
                    "btrim" => "TRIM(BOTH",
                    "ltrim" => "TRIM(LEADING",
                    _ => "TRIM(TRAILING",
                };
                if arguments.len() == 2 {
                    parts(&[(side, None), (" ", Some(1)), (" FROM ", Some(0)), (")", None)])
                } else {
                    parts(&[(side, None), (" FROM ", Some(0)), (")", None)])
                }
            }
            ("substring", 2) => Ok(false),
            ("system_user", 0) => parts(&[("SYSTEM_USER", None)]),
            _ => undecided(format!("the syntax of {name}")),
        }
    }

    fn sub(&mut self, sub: &Sub) -> Analysed<()> {
        self.put(if sub.kind == SubKind::Array { "ARRAY(" } else { "(" });
        let mut closed = ")";
        match &sub.kind {
            SubKind::Any(left, name) | SubKind::All(left, name) | SubKind::Compare(left, name) => {
                if left.len() > 1 {
                    self.put("(");
                }
                self.list(left, true)?;
                if left.len() > 1 {
                    self.put(")");
                }
                self.put(&match (&sub.kind, name.as_str()) {
                    (SubKind::Any(..), "=") => " IN (".to_owned(),
                    (SubKind::Any(..), name) => format!(" {name} ANY ("),
                    (SubKind::All(..), name) => format!(" {name} ALL ("),
                    (_, name) => format!(" {name} ("),
                });
                closed = "))";
            }
            SubKind::Exists => {
                self.put("EXISTS (");
                closed = "))";
            }
            SubKind::Value | SubKind::Array => {}
        }
        self.query(&sub.query, false)?;
        self.put(closed);
        Ok(())
    }

    /// `get_rule_orderby`; `numbers`: what comes out is meant by its number.
    pub(super) fn order(&mut self, order: &[Sort], numbers: bool) -> Analysed<()> {
        for (place, sort) in order.iter().enumerate() {
            if place > 0 {
                self.put(", ");
            }
            match sort.output.filter(|_| numbers) {
                Some(output) => self.put(&output.to_string()),
                None => self.sort_key(&sort.key)?,
            }
            if sort.descending {
                self.put(" DESC");
                if !sort.nulls_first {
                    self.put(" NULLS LAST");
                }
            } else if sort.nulls_first {
                self.put(" NULLS FIRST");
            }
        }
        Ok(())
    }

    /// `get_rule_sortgroupclause`.
    pub(super) fn sort_key(&mut self, key: &Expr) -> Analysed<()> {
        if let Node::Constant(value) = &key.node {
            return self.constant(value.as_deref(), key, false, true);
        }
        let before = std::mem::replace(&mut self.sorting, matches!(key.node, Node::Column { .. }));
        let parentheses = matches!(key.node, Node::Call(_) | Node::Cast(_, _, Way::Function));
        if parentheses {
            self.put("(");
        }
        self.expr(key, true)?;
        if parentheses {
            self.put(")");
        }
        self.sorting = before;
        Ok(())
    }
}
