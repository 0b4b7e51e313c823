//! Analyses function calls, as parse_func.c and parse_agg.c do: plain ones, those with a grammar of their own,
//! aggregates and window functions.

use crate::analyse::coerce::{self, Context};
use crate::analyse::expr::{Call, Expr, Form, Node, Window};
use crate::analyse::expression::Analyser;
use crate::analyse::types::Type;
use crate::analyse::{Analysed, resolve, undecided};
use crate::sql;
use crate::tree::Tree;

/// `COERCE_SQL_SYNTAX`.
const SQL_SYNTAX: i64 = 4;

/// `FRAMEOPTION_DEFAULTS`: RANGE UNBOUNDED PRECEDING, in parsenodes.h.
const USUAL_FRAME: i64 = 0x422;

impl Analyser<'_> {
    /// Analyses a call.
    pub fn call(&mut self, tree: &Tree) -> Analysed<Expr> {
        if tree.get("func_variadic").flag() || tree.get("agg_within_group").flag() {
            return undecided("VARIADIC or WITHIN GROUP");
        }
        let trees = tree.get("args").items();
        if trees.iter().any(|argument| argument.name() == "NamedArgExpr") {
            return undecided("arguments by name");
        }
        let mut arguments = self.expressions(trees)?;
        let inputs: Vec<Type> = arguments.iter().map(|argument| argument.of).collect();
        let parts = tree.get("funcname").strings();
        let function = resolve::function(self.world, &parts, &inputs)?;
        if function.set {
            return undecided("a function that returns a set");
        }
        for (argument, declared) in arguments.iter_mut().zip(&function.arguments) {
            let given = std::mem::replace(argument, Expr::unknown(None));
            *argument = coerce::coerce_type(self.world, given, *declared, Context::Implicit, Form::Implicit)?;
        }
        let mut variadic = false;
        if let Some(gathered) = function.gathered {
            let elements = arguments.split_off(arguments.len() - gathered);
            let Some(of) = elements.first().map(|element| element.of) else { return undecided("VARIADIC") };
            arguments.push(Expr::new(Node::Array(elements), of.array_of(self.world)?));
            variadic = true;
        }
        let system = function.name.schema.as_str() == "pg_catalog";
        let own_syntax = tree.get("funcformat").int() == SQL_SYNTAX;
        let mut call = Call {
            name: if system {
                sql::quoted(function.name.name).to_owned()
            } else {
                sql::qualified(function.name)
            },
            syntax: (own_syntax && system).then(|| function.name.name.as_str().to_owned()),
            arguments,
            variadic,
            star: tree.get("agg_star").flag(),
            distinct: tree.get("agg_distinct").flag(),
            order: Vec::new(),
            filter: None,
            over: None,
        };
        let plain = !call.star
            && !call.distinct
            && tree.get("agg_order").is_nothing()
            && tree.get("agg_filter").is_nothing()
            && tree.get("over").is_nothing();
        match function.kind {
            'f' if plain => {}
            'a' | 'w' => self.decorate(&mut call, tree)?,
            _ => return undecided("a call of this kind"),
        }
        if function.kind == 'w' && call.over.is_none() {
            return undecided("a window function without OVER");
        }
        Ok(Expr::new(Node::Call(Box::new(call)), function.result))
    }

    /// What aggregates and window functions have besides.
    fn decorate(&mut self, call: &mut Call, tree: &Tree) -> Analysed<()> {
        for item in tree.get("agg_order").items() {
            let key = self.expression(item.get("node"))?;
            let key = self.settled(key)?;
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
        let named = !over.get("name").is_nothing() || !over.get("refname").is_nothing();
        if named || over.get("frame_options").int() != USUAL_FRAME || !call.order.is_empty() || call.distinct
        {
            return undecided("a window with a name or a frame");
        }
        let mut window = Window { partition: Vec::new(), order: Vec::new() };
        for item in over.get("partition_clause").items() {
            let key = self.expression(item)?;
            window.partition.push(self.settled(key)?);
        }
        for item in over.get("order_clause").items() {
            let key = self.expression(item.get("node"))?;
            let key = self.settled(key)?;
            window.order.push(self.sort(item, key, None)?);
        }
        call.over = Some(window);
        Ok(())
    }
}
