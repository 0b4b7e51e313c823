//! Analyses function calls, as parse_func.c and parse_agg.c do: plain ones, those with a grammar of their own,
//! aggregates and window functions. Windows themselves are in `window.rs`.

use crate::analyse::coerce::{self, Context};
use crate::analyse::expr::{Call, Expr, Form, Node, Over};
use crate::analyse::expression::Analyser;
use crate::analyse::resolve::{self, Function, Request};
use crate::analyse::types::Type;
use crate::analyse::{Analysed, undecided};
use crate::ident::Ident;
use crate::sql;
use crate::tree::Tree;

/// `COERCE_SQL_SYNTAX`.
const SQL_SYNTAX: i64 = 4;

/// Aggregates whose arguments are sorted: how many of their arguments stand in front.
const ORDERED: [(&str, usize); 3] = [("percentile_cont", 1), ("percentile_disc", 1), ("mode", 0)];

/// The expression without the casts that PostgreSQL added: `strip_implicit_coercions`.
fn stripped(mut expr: &Expr) -> &Expr {
    while let Node::Cast(inner, Form::Implicit, _) = &expr.node {
        expr = inner;
    }
    expr
}

impl Analyser<'_> {
    /// Analyses a call.
    pub fn call(&mut self, tree: &Tree) -> Analysed<Expr> {
        self.called(tree).map(|(expr, _)| expr)
    }

    /// Analyses a call, and says what is called.
    pub fn called(&mut self, tree: &Tree) -> Analysed<(Expr, Function)> {
        let trees = tree.get("args").items();
        let (mut names, mut arguments) = (Vec::new(), Vec::new());
        for argument in trees {
            if argument.name() == "NamedArgExpr" {
                names.push(Ident::new(argument.get("name").str()));
                arguments.push(self.expression(argument.get("arg"))?);
            } else if names.is_empty() {
                arguments.push(self.expression(argument)?);
            } else {
                return undecided("an argument by place behind one by name");
            }
        }
        let within = tree.get("agg_within_group").flag();
        let mut sorted = Vec::new();
        if within {
            for item in tree.get("agg_order").items() {
                sorted.push(self.expression(item.get("node"))?);
            }
        }
        let inputs: Vec<Type> = arguments.iter().chain(&sorted).map(|argument| argument.of).collect();
        let parts = tree.get("funcname").strings();
        let last = parts.last().copied().unwrap_or_default();
        let direct = ORDERED.iter().find(|(name, _)| *name == last).map(|(_, direct)| *direct);
        if within && (direct != Some(arguments.len()) || sorted.len() != 1) {
            return undecided("WITHIN GROUP");
        }
        let variadic = tree.get("func_variadic").flag();
        let request = Request { parts: &parts, inputs: &inputs, names: &names, variadic };
        let function = resolve::function(self.world, &request)?;
        if within != (direct.is_some() && function.kind == 'a') {
            return undecided("an aggregate of sorted arguments");
        }
        for (argument, declared) in arguments.iter_mut().chain(&mut sorted).zip(&function.arguments) {
            let given = std::mem::replace(argument, Expr::unknown(None));
            *argument = coerce::coerce_type(self.world, given, *declared, Context::Implicit, Form::Implicit)?;
        }
        if let Some(gathered) = function.gathered {
            let elements = arguments.split_off(arguments.len() - gathered);
            let Some(of) = elements.first().map(|element| element.of) else { return undecided("VARIADIC") };
            arguments.push(Expr::new(Node::Array(elements), of.array_of(self.world)?));
        }
        let by_place = arguments.len() - names.len();
        for (argument, name) in arguments[by_place..].iter_mut().zip(names) {
            let given = std::mem::replace(argument, Expr::unknown(None));
            let (of, modifier) = (given.of, given.modifier);
            *argument = Expr { node: Node::Named(name, Box::new(given)), of, modifier };
        }
        let system = function.name.schema.as_str() == "pg_catalog";
        let own_syntax = tree.get("funcformat").int() == SQL_SYNTAX;
        let mut call = Call {
            name: if system {
                sql::quoted_on(function.name.name, self.world.version).to_owned()
            } else {
                sql::qualified(function.name)
            },
            syntax: (own_syntax && system).then(|| function.name.name.as_str().to_owned()),
            arguments,
            variadic: function.variadic,
            star: tree.get("agg_star").flag(),
            distinct: tree.get("agg_distinct").flag(),
            order: Vec::new(),
            filter: None,
            over: None,
            within,
        };
        let plain = !call.star
            && !call.distinct
            && tree.get("agg_order").is_nothing()
            && tree.get("agg_filter").is_nothing()
            && tree.get("over").is_nothing();
        match function.kind {
            'f' if plain => {}
            'a' | 'w' => self.decorate(&mut call, tree, sorted)?,
            _ => return undecided("a call of this kind"),
        }
        if function.kind == 'w' && call.over.is_none() {
            return undecided("a window function without OVER");
        }
        Ok((Expr::new(Node::Call(Box::new(call)), function.result), function))
    }

    /// What aggregates and window functions have besides.
    fn decorate(&mut self, call: &mut Call, tree: &Tree, sorted: Vec<Expr>) -> Analysed<()> {
        if call.distinct {
            for argument in &mut call.arguments {
                let given = std::mem::replace(argument, Expr::unknown(None));
                *argument = self.settled(given)?;
            }
        }
        let mut sorted = sorted.into_iter();
        for item in tree.get("agg_order").items() {
            let key = match sorted.next() {
                Some(key) => key,
                None => {
                    let key = self.expression(item.get("node"))?;
                    // An argument that is sorted by is taken as it was coerced.
                    let same = call.arguments.iter().find(|argument| stripped(argument) == &key);
                    match same {
                        Some(same) => same.clone(),
                        None => self.settled(key)?,
                    }
                }
            };
            call.order.push(self.sort(item, key, None)?);
        }
        if let filter @ Tree::Node(..) = tree.get("agg_filter") {
            let filter = self.expression(filter)?;
            call.filter = Some(coerce::to_boolean(self.world, filter)?);
        }
        let over = tree.get("over");
        if over.is_nothing() {
            return Ok(());
        }
        if !call.order.is_empty() || call.distinct {
            return undecided("a sorted aggregate over a window");
        }
        call.over = Some(match over.get("name").str() {
            "" => Over::Own(self.window(over)?),
            name => Over::Named(Ident::new(name)),
        });
        Ok(())
    }
}
