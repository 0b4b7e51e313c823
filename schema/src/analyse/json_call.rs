//! Analyses what SQL/JSON writes in a grammar of its own: constructors (JSON_OBJECT and its kin, from 16 on) and queries
//! (JSON_VALUE and its kin, from 17 on), as parse_expr.c does and ruleutils.c prints them.
//!
//! Not understood: JSON_TABLE, JSON_ARRAY of a query, windows, contexts that are no JSON yet.

use crate::analyse::coerce::{self, Context};
use crate::analyse::expr::{Expr, Form, Node, Piece, Sort};
use crate::analyse::expression::Analyser;
use crate::analyse::types::{self, Type};
use crate::analyse::{Analysed, undecided};
use crate::ident::Ident;
use crate::sql;
use crate::tree::Tree;

/// What is returned, and whether FORMAT JSON is said of a type that has a format of its own.
#[derive(Clone, Copy)]
struct Returned {
    of: Type,
    modifier: i32,
    formatted: bool,
}

fn words(text: impl Into<String>) -> Piece {
    Piece::Words(text.into())
}

/// RETURNING as it is printed.
fn returning(pieces: &mut Vec<Piece>, returned: Returned) -> Analysed<()> {
    let Returned { of, modifier, formatted } = returned;
    let format = if formatted && of.is("jsonb") { " FORMAT JSON" } else { "" };
    pieces.push(words(format!(" RETURNING {}{format}", types::written(of, modifier)?)));
    Ok(())
}

impl Analyser<'_> {
    /// A node of SQL/JSON.
    pub(super) fn json_call(&mut self, tree: &Tree) -> Analysed<Expr> {
        match tree.name() {
            "JsonFuncExpr" if self.world.version >= 17 => self.json_query(tree),
            "JsonObjectConstructor" if self.world.version >= 16 => self.json_object(tree),
            "JsonArrayConstructor" if self.world.version >= 16 => self.json_array(tree),
            "JsonObjectAgg" | "JsonArrayAgg" if self.world.version >= 16 => self.json_aggregate(tree),
            "JsonScalarExpr" | "JsonParseExpr" | "JsonSerializeExpr" if self.world.version >= 17 => {
                self.json_conversion(tree)
            }
            other => undecided(format!("{other} is not understood")),
        }
    }

    /// RETURNING, where it is said.
    fn returned(&mut self, output: &Tree) -> Analysed<Option<Returned>> {
        if output.is_nothing() {
            return Ok(None);
        }
        let (of, modifier) = self.type_of(output.get("type_name"))?;
        let format = output.get("returning").get("format").get("format_type").int();
        Ok(Some(Returned { of, modifier, formatted: format > 1 }))
    }

    /// `transformJsonValueExpr` of something that becomes part of JSON: itself, and FORMAT where it is said.
    fn json_value(&mut self, tree: &Tree) -> Analysed<(Expr, String)> {
        let expr = self.expression(tree.get("raw_expr"))?;
        let expr = self.settled(expr)?;
        let format = tree.get("format");
        if format.get("format_type").int() <= 1 || expr.of.is("json") || expr.of.is("jsonb") {
            return Ok((expr, String::new()));
        }
        let encoding = match format.get("encoding").int() {
            0 | 1 => "",
            2 if expr.of.is("bytea") => " ENCODING UTF8",
            _ => return undecided("an encoding of JSON"),
        };
        if !["text", "varchar", "bytea"].iter().any(|name| expr.of.is(name)) {
            return undecided("FORMAT JSON of this");
        }
        Ok((expr, format!(" FORMAT JSON{encoding}")))
    }

    fn json_object(&mut self, tree: &Tree) -> Analysed<Expr> {
        let (mut pieces, mut binary) = (vec![words("JSON_OBJECT(")], false);
        for (place, pair) in tree.get("exprs").items().iter().enumerate() {
            let key = self.expression(pair.get("key"))?;
            let (value, format) = self.json_value(pair.get("value"))?;
            binary |= value.of.is("jsonb") || key.of.is("jsonb");
            pieces.push(words(if place > 0 { ", " } else { "" }));
            pieces.extend([
                Piece::Expr(key, Some(true)),
                words(" : "),
                Piece::Expr(value, Some(true)),
                words(format),
            ]);
        }
        let unique = tree.get("unique").flag();
        let absent = if tree.get("absent_on_null").flag() { " ABSENT ON NULL" } else { "" };
        pieces.push(words(format!("{absent}{}", if unique { " WITH UNIQUE KEYS" } else { "" })));
        self.constructed(pieces, tree.get("output"), binary)
    }

    fn json_array(&mut self, tree: &Tree) -> Analysed<Expr> {
        let (mut pieces, mut binary) = (vec![words("JSON_ARRAY(")], false);
        for (place, item) in tree.get("exprs").items().iter().enumerate() {
            let (value, format) = self.json_value(item)?;
            binary |= value.of.is("jsonb");
            pieces.push(words(if place > 0 { ", " } else { "" }));
            pieces.extend([Piece::Expr(value, Some(true)), words(format)]);
        }
        pieces.push(words(if tree.get("absent_on_null").flag() { "" } else { " NULL ON NULL" }));
        self.constructed(pieces, tree.get("output"), binary)
    }

    /// RETURNING and the end; without it JSON is returned, of the kind that goes in.
    fn constructed(&mut self, mut pieces: Vec<Piece>, output: &Tree, binary: bool) -> Analysed<Expr> {
        let usual = Type::system(if binary { "jsonb" } else { "json" });
        let usual = Returned { of: usual, modifier: -1, formatted: false };
        let returned = self.returned(output)?.unwrap_or(usual);
        returning(&mut pieces, returned)?;
        pieces.push(words(")"));
        Ok(Expr { node: Node::Spelled(pieces), of: returned.of, modifier: returned.modifier })
    }

    fn json_aggregate(&mut self, tree: &Tree) -> Analysed<Expr> {
        let constructor = tree.get("constructor");
        if !constructor.get("over").is_nothing() {
            return undecided("an aggregate of JSON over a window");
        }
        let (mut pieces, mut binary) = (Vec::new(), false);
        let absent = tree.get("absent_on_null").flag();
        let options = if tree.name() == "JsonObjectAgg" {
            let pair = tree.get("arg");
            let key = self.expression(pair.get("key"))?;
            let (value, format) = self.json_value(pair.get("value"))?;
            binary |= value.of.is("jsonb") || key.of.is("jsonb");
            pieces.extend([words("JSON_OBJECTAGG("), Piece::Expr(key, Some(true)), words(" : ")]);
            pieces.extend([Piece::Expr(value, Some(true)), words(format)]);
            let unique = tree.get("unique").flag();
            format!(
                "{}{}",
                if absent { " ABSENT ON NULL" } else { "" },
                if unique { " WITH UNIQUE KEYS" } else { "" }
            )
        } else {
            let (value, format) = self.json_value(tree.get("arg"))?;
            binary |= value.of.is("jsonb");
            pieces.extend([words("JSON_ARRAYAGG("), Piece::Expr(value, Some(true)), words(format)]);
            String::from(if absent { "" } else { " NULL ON NULL" })
        };
        let mut order: Vec<Sort> = Vec::new();
        for item in constructor.get("agg_order").items() {
            let key = self.expression(item.get("node"))?;
            let key = self.settled(key)?;
            order.push(self.sort(item, key, None)?);
        }
        if !order.is_empty() {
            pieces.extend([words(" ORDER BY "), Piece::Order(order)]);
        }
        pieces.push(words(options));
        let mut made = self.constructed(pieces, constructor.get("output"), binary)?;
        if let (filter @ Tree::Node(..), Node::Spelled(pieces)) =
            (constructor.get("agg_filter"), &mut made.node)
        {
            let filter = self.expression(filter)?;
            let filter = coerce::to_boolean(self.world, filter)?;
            pieces.extend([words(" FILTER (WHERE "), Piece::Expr(filter, Some(false)), words(")")]);
        }
        Ok(made)
    }

    /// JSON(…), JSON_SCALAR(…), JSON_SERIALIZE(…).
    fn json_conversion(&mut self, tree: &Tree) -> Analysed<Expr> {
        let (json, text) = (Type::system("json"), Type::system("text"));
        if tree.name() == "JsonScalarExpr" {
            let expr = self.expression(tree.get("expr"))?;
            let expr = self.settled(expr)?;
            let pieces = vec![words("JSON_SCALAR("), Piece::Expr(expr, Some(true)), words(")")];
            return Ok(Expr::new(Node::Spelled(pieces), json));
        }
        let (expr, format) = self.json_value(tree.get("expr"))?;
        if !["text", "varchar", "bytea", "json", "jsonb"].iter().any(|name| expr.of.is(name)) {
            return undecided("JSON of this");
        }
        if tree.name() == "JsonParseExpr" {
            if tree.get("unique_keys").flag() {
                return undecided("JSON with unique keys");
            }
            let pieces = vec![words("JSON("), Piece::Expr(expr, Some(true)), words(format), words(")")];
            return Ok(Expr::new(Node::Spelled(pieces), json));
        }
        let mut pieces = vec![words("JSON_SERIALIZE("), Piece::Expr(expr, Some(true)), words(format)];
        let usual = Returned { of: text, modifier: -1, formatted: false };
        let returned = self.returned(tree.get("output"))?.unwrap_or(usual);
        returning(&mut pieces, returned)?;
        pieces.push(words(")"));
        Ok(Expr { node: Node::Spelled(pieces), of: returned.of, modifier: returned.modifier })
    }

    /// `transformJsonFuncExpr`.
    fn json_query(&mut self, tree: &Tree) -> Analysed<Expr> {
        let op = tree.get("op").int();
        let (word, usual) = match op {
            1 => ("JSON_EXISTS(", "bool"),
            2 => ("JSON_QUERY(", "jsonb"),
            3 => ("JSON_VALUE(", "text"),
            _ => return undecided("a query of JSON"),
        };
        let item = tree.get("context_item");
        let context = self.expression(item.get("raw_expr"))?;
        if !context.of.is("json") && !context.of.is("jsonb")
            || item.get("format").get("format_type").int() > 1
        {
            return undecided("a query of what is no JSON yet");
        }
        let path = self.expression(tree.get("pathspec"))?;
        let of_path = Type::system("jsonpath");
        let path = coerce::to_target(self.world, path, of_path, -1, Context::Explicit, Form::Implicit)?;
        let mut pieces = vec![words(word), Piece::Expr(context, None), words(", "), Piece::Bare(path)];
        for (place, argument) in tree.get("passing").items().iter().enumerate() {
            let (value, format) = self.json_value(argument.get("val"))?;
            const PLAIN: [&str; 18] = [
                "bool",
                "numeric",
                "int2",
                "int4",
                "int8",
                "float4",
                "float8",
                "text",
                "varchar",
                "bpchar",
                "date",
                "time",
                "timetz",
                "timestamp",
                "timestamptz",
                "jsonb",
                "json",
                "name",
            ];
            if !format.is_empty() || !PLAIN.iter().any(|name| value.of.is(name)) {
                return undecided("an argument of a path");
            }
            let name = sql::quoted_on(Ident::new(argument.get("name").str()), self.world.version);
            pieces.push(words(if place > 0 { ", " } else { " PASSING " }));
            pieces.extend([Piece::Expr(value, None), words(format!(" AS {name}"))]);
        }
        let usual = Returned { of: Type::system(usual), modifier: -1, formatted: false };
        let returned = self.returned(tree.get("output"))?.unwrap_or(usual);
        if op != 1 {
            returning(&mut pieces, Returned { formatted: returned.formatted && op == 2, ..returned })?;
        }
        let quotes = tree.get("quotes").int();
        if op == 2 {
            let wrapper = match tree.get("wrapper").int() {
                3 => " WITH CONDITIONAL WRAPPER",
                4 => " WITH UNCONDITIONAL WRAPPER",
                _ => " WITHOUT WRAPPER",
            };
            pieces.push(words(format!(
                "{wrapper}{}",
                if quotes == 3 { " OMIT QUOTES" } else { " KEEP QUOTES" }
            )));
        } else if quotes > 1 || tree.get("wrapper").int() > 1 {
            return undecided("a wrapper of what has none");
        }
        for (field, word) in [("on_empty", "EMPTY"), ("on_error", "ERROR")] {
            self.behavior(tree.get(field), word, op == 1, returned, &mut pieces)?;
        }
        pieces.push(words(")"));
        Ok(Expr { node: Node::Spelled(pieces), of: returned.of, modifier: returned.modifier })
    }

    /// What comes of nothing or of an error, unless it is the usual thing.
    fn behavior(
        &mut self,
        tree: &Tree,
        when: &str,
        exists: bool,
        returned: Returned,
        pieces: &mut Vec<Piece>,
    ) -> Analysed<()> {
        let word = match tree.get("btype").int() {
            0 => return Ok(()),
            1 if !exists => return Ok(()),
            5 if exists => return Ok(()),
            1 => "NULL",
            2 => "ERROR",
            4 => "TRUE",
            5 => "FALSE",
            6 => "UNKNOWN",
            7 => "EMPTY ARRAY",
            8 => "EMPTY OBJECT",
            9 => {
                let expr = self.expression(tree.get("expr"))?;
                let Returned { of, modifier, .. } = returned;
                if expr.of.is("jsonb") && !of.is("jsonb")
                    || expr.is_constant() && matches!(expr.node, Node::Constant(None))
                {
                    return undecided("a default that is converted each time");
                }
                // Of the very type it stays, of whatever length.
                let expr = if expr.of == of {
                    expr
                } else {
                    coerce::to_target(self.world, expr, of, modifier, Context::Explicit, Form::Explicit)?
                };
                pieces.extend([words(" DEFAULT "), Piece::Expr(expr, None), words(format!(" ON {when}"))]);
                return Ok(());
            }
            _ => return undecided("what comes of nothing"),
        };
        pieces.push(words(format!(" {word} ON {when}")));
        Ok(())
    }
}
