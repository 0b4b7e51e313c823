//! Analyses FROM, as parse_clause.c and parse_relation.c do: relations, sub-selects, functions and joins.

use crate::analyse::coerce::{self, Context};
use crate::analyse::expr::{Expr, Form, Node};
use crate::analyse::expression::{Analyser, has_column};
use crate::analyse::figure::figure;
use crate::analyse::query::{Called, From, Join, Relation, Source};
use crate::analyse::scope::Visible;
use crate::analyse::select::{Columns, columns_of, rename};
use crate::analyse::types::{Class, Type};
use crate::analyse::{Analysed, system, undecided};
use crate::ident::{Ident, QName};
use crate::sql;
use crate::tree::Tree;

/// What an element of FROM is called.
struct Alias {
    name: Option<Ident>,
    columns: Vec<Ident>,
}

impl Alias {
    fn of(tree: &Tree) -> Self {
        let alias = tree.get("alias");
        let name = match alias.get("aliasname").str() {
            "" => None,
            name => Some(Ident::new(name)),
        };
        Self { name, columns: alias.get("colnames").strings().into_iter().map(Ident::new).collect() }
    }
}

fn names_of(columns: &Columns) -> Vec<Ident> {
    columns.iter().map(|(name, ..)| *name).collect()
}

/// A relation that PostgreSQL brings: pg_catalog is looked at first, the information schema only by its name.
pub(super) fn system_relation(schema: &str, name: &str, version: u32) -> Option<(QName, bool, Columns)> {
    const INFORMATION: &str = "information_schema";
    let (schema, found) = match schema {
        "" | "pg_catalog" => ("pg_catalog", system::relation(name, version)?),
        INFORMATION => (INFORMATION, system::relation(&format!("{INFORMATION}.{name}"), version)?),
        _ => return None,
    };
    let (is_table, columns) = found;
    let of = |name: &str| match name.split_once('.') {
        Some((schema, name)) => Type { name: QName::new(schema, name), array: false },
        None => Type::system(name),
    };
    let columns = columns.into_iter().map(|(name, own, modifier)| (Ident::new(name), of(own), modifier));
    Some((QName::new(schema, name), is_table, columns.collect()))
}

impl Analyser<'_> {
    /// An element of FROM, which becomes visible.
    pub(super) fn item_of_from(&mut self, tree: &Tree, relations: &mut Vec<Relation>) -> Analysed<From> {
        match tree.name() {
            "RangeVar" => self.named(tree, relations),
            "RangeSubselect" => self.sub_select(tree, relations),
            "RangeFunction" => self.functions(tree, relations),
            "RangeTableSample" => self.sample(tree, relations),
            "JoinExpr" => self.join(tree, relations),
            _ => undecided(format!("{} in FROM", tree.name())),
        }
    }

    fn named(&mut self, tree: &Tree, relations: &mut Vec<Relation>) -> Analysed<From> {
        let Alias { name: alias, columns: alias_columns } = Alias::of(tree);
        let place = relations.len();
        let (schema, name) = (tree.get("schemaname").str(), tree.get("relname").str());
        let own = Ident::new(name);
        let with = self.with.iter().rev().find(|known| known.name == own && schema.is_empty());
        let (source, qualified, mut columns, row, system) = match with {
            Some(known) => {
                let Some(columns) = known.columns.clone() else {
                    return undecided("a WITH query that comes later or is not understood");
                };
                (Source::With(own), None, columns, Type::system("record"), false)
            }
            None => {
                let (found, columns, system) = self.relation_named(schema, name)?;
                let row = Type { name: found, array: false };
                (Source::Named(found, !tree.get("inh").flag()), Some(found), columns, row, system)
            }
        };
        let mut real = names_of(&columns);
        rename(&mut columns, &alias_columns)?;
        if qualified.is_none() {
            real = names_of(&columns);
        }
        let shown = alias.unwrap_or(own);
        relations.push(Relation {
            name: Some(shown),
            alias: alias.is_some(),
            columns: alias_columns,
            real,
            source,
            lateral: false,
            sample: None,
        });
        let qualified = qualified.filter(|_| alias.is_none());
        let mut visible = Visible::relation(place, shown, qualified, columns, Some(row));
        visible.system = system;
        self.level()?.visible.push(visible);
        Ok(From::Relation(place))
    }

    /// A relation by its name: its full name, its columns, and whether it has those that every table has.
    fn relation_named(&mut self, schema: &str, name: &str) -> Analysed<(QName, Columns, bool)> {
        if let Some((found, is_table, columns)) = system_relation(schema, name, self.world.version) {
            // It would be printed with its schema.
            if self.with.iter().any(|known| known.name.as_str() == name) {
                return undecided("a relation of PostgreSQL's own that is called like a WITH query");
            }
            return Ok((found, columns, is_table));
        }
        let parts: Vec<&str> = [schema, name].into_iter().filter(|part| !part.is_empty()).collect();
        let Some((id, found)) = self.world.relation(&parts).and_then(|id| Some((id, id.qname()?))) else {
            return undecided(format!("the relation {name} is not known"));
        };
        Ok((found, self.columns(id)?, id.kind().is_lockable()))
    }

    fn sub_select(&mut self, tree: &Tree, relations: &mut Vec<Relation>) -> Analysed<From> {
        let Alias { name: alias, columns: alias_columns } = Alias::of(tree);
        let place = relations.len();
        let lateral = tree.get("lateral").flag();
        // It does not see its neighbours.
        let neighbours = if lateral { Vec::new() } else { std::mem::take(&mut self.level()?.visible) };
        let query = self.sub_query(tree.get("subquery"));
        if !lateral {
            self.level()?.visible = neighbours;
        }
        let query = query?;
        let columns = columns_of(&query, &alias_columns)?;
        let shown = match alias {
            Some(name) => name,
            None if self.world.version >= 16 => Ident::new("unnamed_subquery"),
            None => return undecided("a sub-select without an alias"),
        };
        relations.push(Relation {
            name: Some(shown),
            alias: true,
            columns: alias_columns,
            real: names_of(&columns),
            source: Source::Query(Box::new(query)),
            lateral,
            sample: None,
        });
        let mut visible = Visible::relation(place, shown, None, columns, Some(Type::system("record")));
        if alias.is_none() {
            // It has no name by which it could be meant.
            visible.name = None;
            visible.row = None;
        }
        self.level()?.visible.push(visible);
        Ok(From::Relation(place))
    }

    fn sample(&mut self, tree: &Tree, relations: &mut Vec<Relation>) -> Analysed<From> {
        let item = self.item_of_from(tree.get("relation"), relations)?;
        let method = match tree.get("method").strings()[..] {
            [name] | ["pg_catalog", name] if matches!(name, "bernoulli" | "system") => Ident::new(name),
            _ => return undecided("a sampling method"),
        };
        let single = |analyser: &mut Self, tree: &Tree, of: &str| {
            let expr = analyser.expression(tree)?;
            let of = Type::system(of);
            coerce::to_target(analyser.world, expr, of, -1, Context::Assignment, Form::Implicit)
        };
        let [argument] = tree.get("args").items() else { return undecided("TABLESAMPLE") };
        let argument = single(self, argument, "float4")?;
        let repeatable = match tree.get("repeatable") {
            Tree::Nothing => None,
            repeatable => Some(single(self, repeatable, "float8")?),
        };
        let Some(relation) = relations.get_mut(item.place()) else { return undecided("TABLESAMPLE") };
        relation.sample = Some((sql::quoted(method).to_owned(), vec![argument], repeatable));
        Ok(item)
    }

    /// `transformRangeFunction`.
    fn functions(&mut self, tree: &Tree, relations: &mut Vec<Relation>) -> Analysed<From> {
        let Alias { name: alias, columns: alias_columns } = Alias::of(tree);
        let place = relations.len();
        let ordinality = tree.get("ordinality").flag();
        let pairs = tree.get("functions").items();
        let (mut called, mut names): (Vec<Called>, Vec<String>) = (Vec::new(), Vec::new());
        let mut columns: Columns = Vec::new();
        let mut whole = None;
        let mut split = Vec::new();
        for pair in pairs {
            let items = if pair.name() == "List" { pair.get("items").items() } else { pair.items() };
            let Some(function) = items.first() else { return undecided("a function in FROM") };
            let defined = items.get(1).unwrap_or(&Tree::Nothing);
            let defined = if defined.name() == "List" { defined.get("items") } else { defined };
            // unnest of several arrays is several unnest, each found in pg_catalog.
            let arguments = function.get("args").items();
            let plain = ["agg_order", "agg_filter", "over", "agg_star", "agg_distinct", "func_variadic"];
            let several = function.name() == "FuncCall"
                && function.get("funcname").strings() == ["unnest"]
                && arguments.len() > 1
                && defined.items().is_empty()
                && plain.iter().all(|field| function.get(field).is_nothing());
            if several {
                for argument in arguments {
                    let mut one = function.clone();
                    if let Some(slot) = one.get_mut("args") {
                        *slot = Tree::List(vec![argument.clone()]);
                    }
                    split.push((one, Tree::Nothing, true));
                }
            } else {
                split.push((function.clone(), defined.clone(), false));
            }
        }
        let count = split.len();
        for (function, defined, of_unnest) in &split {
            let name = if *of_unnest { "unnest".to_owned() } else { figure(function, self.world.version)? };
            let (expr, out, function) = match function.name() {
                "FuncCall" => {
                    let (expr, function) = self.called(function)?;
                    let own = function.name.schema.as_str() == "pg_catalog";
                    if *of_unnest && !own {
                        return undecided("unnest of users");
                    }
                    (expr, function.out.clone(), Some(function))
                }
                _ => (self.expression(function)?, Vec::new(), None),
            };
            let defined = if defined.is_nothing() { tree.get("coldeflist") } else { defined };
            let mut told: Columns = Vec::new();
            for definition in defined.items() {
                let (of, modifier) = self.type_of(definition.get("type_name"))?;
                if !definition.get("coll_clause").is_nothing() {
                    return undecided("a column of a collation");
                }
                told.push((Ident::new(definition.get("colname").str()), of, modifier));
            }
            let class = expr.of.class(self.world)?;
            if !told.is_empty() {
                if !expr.of.is("record") || !out.is_empty() {
                    return undecided("columns of what has its own");
                }
                columns.extend(told.iter().copied());
            } else if expr.of.is("record") {
                if out.is_empty() {
                    return undecided("a record of no known columns");
                }
                columns.extend(out.iter().copied());
                whole = Some(Type::system("record"));
            } else if class == Class::Row {
                let fields = self.world.fields(expr.of)?;
                columns.extend(fields);
                whole = Some(expr.of);
            } else if matches!(class, Class::Domain(..))
                && expr.of.base(-1, self.world)?.0.class(self.world)? == Class::Row
            {
                return undecided("a domain over a row in FROM");
            } else {
                // chooseScalarFunctionAlias: a named OUT argument, the alias, or the function's name.
                let named = match (&out[..], &function) {
                    ([(out, ..)], Some(_)) => Some(*out),
                    _ => None,
                };
                let own = named.or(alias.filter(|_| count == 1)).unwrap_or_else(|| Ident::new(&name));
                columns.push((own, expr.of, expr.modifier));
            }
            names.push(name);
            called.push(Called { expr, columns: told });
        }
        if ordinality {
            columns.push((Ident::new("ordinality"), Type::system("int8"), -1));
        }
        rename(&mut columns, &alias_columns)?;
        let Some(first) = names.first() else { return undecided("ROWS FROM of nothing") };
        let shown = alias.unwrap_or_else(|| Ident::new(first));
        let mut lateral = tree.get("lateral").flag();
        for function in &called {
            lateral |= has_column(&function.expr)?;
        }
        let row = if count == 1 && !ordinality { whole } else { Some(Type::system("record")) };
        relations.push(Relation {
            name: Some(shown),
            alias: true,
            columns: alias_columns,
            real: names_of(&columns),
            source: Source::Functions(called, ordinality),
            lateral,
            sample: None,
        });
        let mut visible = Visible::relation(place, shown, None, columns, row);
        if row.is_none() {
            // A scalar function's row is its value.
            visible.row = visible.columns.first().map(|(_, expr)| expr.clone());
        }
        self.level()?.visible.push(visible);
        Ok(From::Relation(place))
    }

    fn join(&mut self, tree: &Tree, relations: &mut Vec<Relation>) -> Analysed<From> {
        if !tree.get("alias").is_nothing() || !tree.get("join_using_alias").is_nothing() {
            return undecided("a join with an alias");
        }
        let outside = self.level()?.visible.len();
        let left = self.item_of_from(tree.get("larg"), relations)?;
        // What is on the left can be seen from the right by LATERAL.
        let after_left = self.level()?.visible.len();
        let right = self.item_of_from(tree.get("rarg"), relations)?;
        let of_right = self.level()?.visible.split_off(after_left);
        let of_left = self.level()?.visible.split_off(outside);
        let bare = |side: &[Visible]| -> Vec<(Ident, Expr)> {
            side.iter().filter(|visible| visible.bare).flat_map(|visible| visible.columns.clone()).collect()
        };
        let (left_columns, right_columns) = (bare(&of_left), bare(&of_right));
        let using: Vec<Ident> = if tree.get("is_natural").flag() {
            let both = |(name, _): &&(Ident, Expr)| right_columns.iter().any(|(other, _)| other == name);
            left_columns.iter().filter(both).map(|(name, _)| *name).collect()
        } else {
            tree.get("using_clause").strings().into_iter().map(Ident::new).collect()
        };
        let kind = tree.get("jointype").int();
        let place = relations.len();
        let (mut columns, mut sides, mut dangerous) = (Vec::new(), Vec::new(), false);
        for (number, name) in using.iter().enumerate() {
            let only = |columns: &[(Ident, Expr)]| {
                let mut found = columns.iter().enumerate().filter(|(_, (own, _))| own == name);
                match (found.next(), found.next()) {
                    (Some((place, (_, expr))), None) => Ok((place, expr.clone())),
                    _ => undecided("a column of USING"),
                }
            };
            let ((of_left, left), (of_right, right)) = (only(&left_columns)?, only(&right_columns)?);
            self.operate("=", Some(left.clone()), right.clone())?;
            let common = coerce::common_type(self.world, &[&left, &right])?;
            let modifier = coerce::common_modifier(&[left.clone(), right.clone()], common);
            let as_it_is = |side: &Expr| side.of == common && side.modifier == modifier;
            // buildMergedJoinVar: one of both sides, where that needs no cast.
            let chosen = match kind {
                1 if as_it_is(&left) => Some(left),
                1 if as_it_is(&right) => Some(right),
                2 if as_it_is(&left) => Some(left),
                4 if as_it_is(&right) => Some(right),
                _ => None,
            };
            let own = |expr: &Expr| matches!(&expr.node, Node::Column { relation, .. } if relations.get(*relation).is_some_and(|relation| relation.source != Source::Join));
            dangerous |= !chosen.as_ref().is_some_and(own);
            let node = Node::Column { up: 0, relation: place, number, name: *name };
            let merged = Expr { node, of: common, modifier };
            columns.push((*name, chosen.unwrap_or(merged)));
            sides.push((Some(of_left), Some(of_right)));
        }
        for (place, (name, expr)) in left_columns.into_iter().enumerate() {
            if !using.contains(&name) {
                columns.push((name, expr));
                sides.push((Some(place), None));
            }
        }
        for (place, (name, expr)) in right_columns.into_iter().enumerate() {
            if !using.contains(&name) {
                columns.push((name, expr));
                sides.push((None, Some(place)));
            }
        }
        let real = columns.iter().map(|(name, _)| *name).collect();
        let mut visible: Vec<Visible> = of_left.into_iter().chain(of_right).collect();
        for visible in &mut visible {
            visible.bare = false;
        }
        let row = None;
        visible.push(Visible { name: None, qualified: None, columns, bare: true, row, system: false });
        // The condition sees both sides and nothing beside them.
        let neighbours = std::mem::replace(&mut self.level()?.visible, visible);
        let on = self.condition(tree.get("quals"))?;
        let level = self.level()?;
        let own = std::mem::replace(&mut level.visible, neighbours);
        level.visible.extend(own);
        relations.push(Relation {
            name: None,
            alias: false,
            columns: Vec::new(),
            real,
            source: Source::Join,
            lateral: false,
            sample: None,
        });
        let word = match kind {
            2 => "LEFT JOIN",
            3 => "FULL JOIN",
            4 => "RIGHT JOIN",
            _ if on.is_none() && using.is_empty() => "CROSS JOIN",
            _ => "JOIN",
        };
        Ok(From::Join(Box::new(Join { place, columns: sides, dangerous, word, left, right, using, on })))
    }
}
