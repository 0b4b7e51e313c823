//! Analyses expressions that make a value of others: arrays, CASE, COALESCE and its kin, collations, subscripts,
//! sub-selects.

use crate::analyse::coerce::{self, Context};
use crate::analyse::expr::{Expr, Form, Index, Node, Sub, SubKind};
use crate::analyse::expression::Analyser;
use crate::analyse::types::Type;
use crate::analyse::{Analysed, undecided};
use crate::ident::Ident;
use crate::tree::Tree;

impl Analyser<'_> {
    /// `transformArrayExpr`.
    pub(super) fn array(&mut self, tree: &Tree, wanted: Option<(Type, Type, i32)>) -> Analysed<Expr> {
        let trees = tree.get("elements").items();
        if trees.iter().any(|item| item.name() == "AArrayExpr") {
            return undecided("an array of arrays");
        }
        let elements = self.expressions(trees)?;
        if elements.iter().any(|element| element.of.array) {
            return undecided("an array of arrays");
        }
        let (array, element, explicit) = match wanted {
            Some((array, element, _)) => (array, element, true),
            None if elements.is_empty() => return undecided("an empty array of no type"),
            None => {
                let all: Vec<&Expr> = elements.iter().collect();
                let common = coerce::common_type(self.world, &all)?;
                (common.array_of(self.world)?, common, false)
            }
        };
        let modifier = wanted.map_or(-1, |(_, _, modifier)| modifier);
        let mut coerced = Vec::new();
        for expr in elements {
            coerced.push(if explicit {
                coerce::to_target(self.world, expr, element, modifier, Context::Explicit, Form::Explicit)?
            } else {
                coerce::to_common(self.world, expr, element)?
            });
        }
        let modifier = coerce::common_modifier(&coerced, element);
        Ok(Expr { node: Node::Array(coerced), of: array, modifier })
    }

    pub(super) fn case(&mut self, tree: &Tree) -> Analysed<Expr> {
        let argument = match tree.get("arg") {
            Tree::Nothing => None,
            argument => {
                let argument = self.expression(argument)?;
                Some(self.settled(argument)?)
            }
        };
        let (mut conditions, mut results) = (Vec::new(), Vec::new());
        for arm in tree.get("args").items() {
            let condition = self.expression(arm.get("expr"))?;
            conditions.push(match &argument {
                None => coerce::to_boolean(self.world, condition)?,
                Some(argument) => {
                    // CASE x WHEN y is x = y, of which only y is printed.
                    let stand_in = Expr { modifier: -1, ..argument.clone() };
                    let compared = self.operate("=", Some(stand_in), condition)?;
                    match compared.node {
                        Node::Operator(_, Some(_), right) => *right,
                        _ => return undecided("CASE"),
                    }
                }
            });
            results.push(self.expression(arm.get("result"))?);
        }
        let otherwise = match tree.get("defresult") {
            Tree::Nothing => Expr::unknown(None),
            otherwise => self.expression(otherwise)?,
        };
        let all: Vec<&Expr> = std::iter::once(&otherwise).chain(&results).collect();
        let common = coerce::common_type(self.world, &all)?;
        let otherwise = coerce::to_common(self.world, otherwise, common)?;
        let results: Analysed<Vec<Expr>> =
            results.into_iter().map(|expr| coerce::to_common(self.world, expr, common)).collect();
        let results = results?;
        let mut all = results.clone();
        all.push(otherwise.clone());
        let modifier = coerce::common_modifier(&all, common);
        let node = Node::Case {
            argument: argument.map(Box::new),
            arms: conditions.into_iter().zip(results).collect(),
            otherwise: Box::new(otherwise),
        };
        Ok(Expr { node, of: common, modifier })
    }

    pub(super) fn among(&mut self, word: &'static str, tree: &Tree) -> Analysed<Expr> {
        let arguments = self.expressions(tree.get("args").items())?;
        let all: Vec<&Expr> = arguments.iter().collect();
        let common = coerce::common_type(self.world, &all)?;
        let arguments: Analysed<Vec<Expr>> =
            arguments.into_iter().map(|expr| coerce::to_common(self.world, expr, common)).collect();
        let arguments = arguments?;
        let modifier = coerce::common_modifier(&arguments, common);
        Ok(Expr { node: Node::Among(word, arguments), of: common, modifier })
    }

    pub(super) fn collate(&mut self, tree: &Tree) -> Analysed<Expr> {
        let argument = self.expression(tree.get("arg"))?;
        if !argument.of.is_unknown() && !coerce::collatable(self.world, argument.of)? {
            return undecided("COLLATE of what has no collation");
        }
        let names = tree.get("collname").strings();
        let known = ["C", "POSIX", "default", "ucs_basic"];
        let name = match names[..] {
            [name] | ["pg_catalog", name] if known.contains(&name) => name,
            _ => return undecided("a collation that depends on the server"),
        };
        let (of, modifier) = (argument.of, argument.modifier);
        let name = crate::sql::quoted(Ident::new(name)).to_owned();
        Ok(Expr { node: Node::Collate(Box::new(argument), name), of, modifier })
    }

    pub(super) fn indirection(&mut self, tree: &Tree) -> Analysed<Expr> {
        let of = self.expression(tree.get("arg"))?;
        let (base, _) = of.of.base(-1, self.world)?;
        let Some(element) = base.element() else { return undecided("a field or subscript") };
        if base != of.of {
            return undecided("a subscript of a domain");
        }
        let (mut indices, mut slice) = (Vec::new(), false);
        for item in tree.get("indirection").items() {
            if item.name() != "AIndices" {
                return undecided("a field");
            }
            let mut bound = |name: &str| match item.get(name) {
                Tree::Nothing => Ok(None),
                bound => {
                    let bound = self.expression(bound)?;
                    let int = Type::system("int4");
                    coerce::to_target(self.world, bound, int, -1, Context::Assignment, Form::Implicit)
                        .map(Some)
                }
            };
            let index =
                Index { slice: item.get("is_slice").flag(), lower: bound("lidx")?, upper: bound("uidx")? };
            slice |= index.slice;
            indices.push(index);
        }
        if slice && indices.iter().any(|index| !index.slice) {
            return undecided("slices and subscripts together");
        }
        let (result, modifier) = (if slice { base } else { element }, of.modifier);
        Ok(Expr { node: Node::Subscript { of: Box::new(of), indices }, of: result, modifier })
    }

    pub(super) fn sub_link(&mut self, tree: &Tree) -> Analysed<Expr> {
        let query = self.sub_query(tree.get("subselect"))?;
        let outputs: Vec<(Type, i32)> =
            query.outputs().map(|output| (output.expr.of, output.expr.modifier)).collect();
        let kind = tree.get("sub_link_type").int();
        let one = || match outputs[..] {
            [one] => Ok(one),
            _ => undecided("a sub-select of several columns"),
        };
        match kind {
            1 => Ok(Expr::truth(Node::Sub(Box::new(Sub { kind: SubKind::Exists, query })))),
            5 => {
                let (of, modifier) = one()?;
                Ok(Expr { node: Node::Sub(Box::new(Sub { kind: SubKind::Value, query })), of, modifier })
            }
            7 => {
                let (of, modifier) = one()?;
                let of = of.array_of(self.world)?;
                Ok(Expr { node: Node::Sub(Box::new(Sub { kind: SubKind::Array, query })), of, modifier })
            }
            2 | 3 => {
                let name = match tree.get("oper_name").strings()[..] {
                    [] => "=".to_owned(),
                    [name] | ["pg_catalog", name] => name.to_owned(),
                    _ => return undecided("an operator with a schema"),
                };
                if tree.get("testexpr").name() == "RowExpr" {
                    return undecided("a row in a sub-select");
                }
                let left = self.expression(tree.get("testexpr"))?;
                let (of, modifier) = one()?;
                // The sub-select's column stands on the right as a parameter of its type.
                let parameter = Expr { node: Node::DomainValue, of, modifier };
                let compared = self.operate(&name, Some(left), parameter)?;
                if !compared.of.is("bool") {
                    return undecided("ANY of what is no truth value");
                }
                let Node::Operator(_, Some(left), right) = compared.node else { return undecided("ANY") };
                let _ = right;
                let kind =
                    if kind == 3 { SubKind::Any(vec![*left], name) } else { SubKind::All(vec![*left], name) };
                Ok(Expr::truth(Node::Sub(Box::new(Sub { kind, query }))))
            }
            _ => undecided("a sub-select of this kind"),
        }
    }
}
