//! Analyses expressions that make a value of others: arrays, CASE, COALESCE and its kin, collations, subscripts,
//! sub-selects.

use crate::analyse::coerce::{self, Context};
use crate::analyse::expr::{Expr, Form, Index, Node, Sub, SubKind};
use crate::analyse::expression::Analyser;
use crate::analyse::types::{Class, Type};
use crate::analyse::{Analysed, undecided};
use crate::ident::Ident;
use crate::tree::Tree;

impl Analyser<'_> {
    /// `transformArrayExpr`.
    pub(super) fn array(&mut self, tree: &Tree, wanted: Option<(Type, Type, i32)>) -> Analysed<Expr> {
        self.depth += 1;
        if self.depth > 30 {
            return undecided("arrays within arrays");
        }
        let mut elements = Vec::new();
        let mut nested = false;
        for item in tree.get("elements").items() {
            let element = if item.name() == "AArrayExpr" {
                nested = true;
                self.array(item, wanted)?
            } else {
                self.expression(item)?
            };
            nested |= element.of.array;
            elements.push(element);
        }
        self.depth -= 1;
        let (array, element, explicit) = match wanted {
            Some((array, element, _)) => (array, if nested { array } else { element }, true),
            None if elements.is_empty() => return undecided("an empty array of no type"),
            None => {
                let all: Vec<&Expr> = elements.iter().collect();
                let common = coerce::common_type(self.world, &all)?;
                let array = if nested { common } else { common.array_of(self.world)? };
                if !array.array {
                    return undecided("an array of arrays and others");
                }
                (array, common, false)
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

    /// `transformIndirection`: fields and subscripts, in any order.
    pub(super) fn indirection(&mut self, tree: &Tree) -> Analysed<Expr> {
        let mut of = self.expression(tree.get("arg"))?;
        let mut items = tree.get("indirection").items();
        while let Some((first, rest)) = items.split_first() {
            if first.name() == "String" {
                of = self.field(of, first.str())?;
                items = rest;
                continue;
            }
            let count = items.iter().take_while(|item| item.name() == "AIndices").count();
            if count == 0 {
                return undecided("a field");
            }
            let (subscripts, rest) = items.split_at(count);
            of = self.subscript(of, subscripts)?;
            items = rest;
        }
        Ok(of)
    }

    fn subscript(&mut self, of: Expr, items: &[Tree]) -> Analysed<Expr> {
        if of.of.is("jsonb") {
            return self.json_subscript(of, items);
        }
        let (base, _) = of.of.base(-1, self.world)?;
        let Some(element) = base.element() else { return undecided("a subscript of no array") };
        if base != of.of {
            return undecided("a subscript of a domain");
        }
        let (mut indices, mut slice) = (Vec::new(), false);
        for item in items {
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

    /// `jsonb_subscript_transform`: numbers are places, all else is keys.
    fn json_subscript(&mut self, of: Expr, items: &[Tree]) -> Analysed<Expr> {
        let mut indices = Vec::new();
        for item in items {
            if item.get("is_slice").flag() {
                return undecided("a slice of jsonb");
            }
            let key = self.expression(item.get("uidx"))?;
            let (text, number) = (Type::system("text"), Type::system("int4"));
            let to = if key.of.is_unknown() {
                text
            } else {
                let to_number = coerce::can_coerce(self.world, key.of, number, Context::Implicit)?;
                let to_text = coerce::can_coerce(self.world, key.of, text, Context::Implicit)?;
                match (to_number, to_text) {
                    (true, false) => number,
                    (false, true) => text,
                    _ => return undecided("a subscript of jsonb"),
                }
            };
            let upper = coerce::coerce_type(self.world, key, to, Context::Implicit, Form::Implicit)?;
            indices.push(Index { slice: false, lower: None, upper: Some(upper) });
        }
        let result = Type::system("jsonb");
        Ok(Expr::new(Node::Subscript { of: Box::new(of), indices }, result))
    }

    /// `ParseComplexProjection`, where it is no call.
    pub(super) fn field(&mut self, of: Expr, name: &str) -> Analysed<Expr> {
        if of.of.class(self.world)? != Class::Row {
            return undecided("a field");
        }
        let fields = self.world.fields(of.of)?;
        let found = fields.iter().enumerate().find(|(_, (own, ..))| own.as_str() == name);
        let Some((number, (name, field, modifier))) = found else { return undecided("a field") };
        let (name, field, modifier) = (*name, *field, *modifier);
        let node = match of.node {
            Node::Row { up, relation } => Node::Column { up, relation, number, name },
            _ => Node::Field(Box::new(of), name),
        };
        Ok(Expr { node, of: field, modifier })
    }

    /// IS JSON.
    pub(super) fn is_json(&mut self, tree: &Tree) -> Analysed<Expr> {
        let argument = self.expression(tree.get("expr"))?;
        let format = tree.get("format");
        if !format.is_nothing() && format.get("format_type").int() > 1 {
            return undecided("FORMAT JSON");
        }
        let argument = if argument.of.is_unknown() || argument.of.category(self.world)?.0 == 'S' {
            let text = Type::system("text");
            coerce::to_target(self.world, argument, text, -1, Context::Implicit, Form::Implicit)?
        } else if ["json", "jsonb", "bytea"].iter().any(|of| argument.of.is(of)) {
            argument
        } else {
            return undecided("IS JSON of this");
        };
        let mut words = match tree.get("item_type").int() {
            2 => " IS JSON OBJECT",
            3 => " IS JSON ARRAY",
            4 => " IS JSON SCALAR",
            _ => " IS JSON",
        }
        .to_owned();
        if tree.get("unique_keys").flag() {
            words.push_str(" WITH UNIQUE KEYS");
        }
        Ok(Expr::truth(Node::IsJson(Box::new(argument), words)))
    }

    /// Values compared with the columns of a query, each by an operator of that name.
    pub(super) fn compare_with_query(
        &mut self,
        name: String,
        left: Vec<Expr>,
        tree: &Tree,
        kind: fn(Vec<Expr>, String) -> SubKind,
    ) -> Analysed<Expr> {
        let query = self.sub_query(tree)?;
        let outputs: Vec<(Type, i32)> =
            query.outputs().map(|output| (output.expr.of, output.expr.modifier)).collect();
        if outputs.len() != left.len() {
            return undecided("a query of another number of columns");
        }
        // The sub-select's columns stand on the right as parameters of their types.
        let right = outputs.into_iter().map(|(of, modifier)| Expr { node: Node::DomainValue, of, modifier });
        let left = match self.pairs(&name, left, right.collect())? {
            Some(left) => left,
            None => return undecided("a comparison with a query"),
        };
        Ok(Expr::truth(Node::Sub(Box::new(Sub { kind: kind(left, name), query }))))
    }

    pub(super) fn sub_link(&mut self, tree: &Tree) -> Analysed<Expr> {
        let kind = tree.get("sub_link_type").int();
        if let 2 | 3 = kind {
            return self.any_of_query(tree);
        }
        let query = self.sub_query(tree.get("subselect"))?;
        let outputs: Vec<(Type, i32)> =
            query.outputs().map(|output| (output.expr.of, output.expr.modifier)).collect();
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
            _ => undecided("a sub-select of this kind"),
        }
    }

    /// `IN (SELECT …)`, ANY and ALL.
    fn any_of_query(&mut self, tree: &Tree) -> Analysed<Expr> {
        let kind = tree.get("sub_link_type").int();
        let name = match tree.get("oper_name").strings()[..] {
            [] => "=".to_owned(),
            [name] | ["pg_catalog", name] => name.to_owned(),
            _ => return undecided("an operator with a schema"),
        };
        let test = tree.get("testexpr");
        let left = if test.name() == "RowExpr" {
            self.expressions(test.get("args").items())?
        } else {
            vec![self.expression(test)?]
        };
        let kind = if kind == 3 { SubKind::Any } else { SubKind::All };
        self.compare_with_query(name, left, tree.get("subselect"), kind)
    }
}
