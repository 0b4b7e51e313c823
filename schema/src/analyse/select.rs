//! Analyses queries, as analyze.c and parse_clause.c do.

use crate::analyse::coerce::{self, Context};
use crate::analyse::expr::{Expr, Form, Node, Sort};
use crate::analyse::expression::Analyser;
use crate::analyse::figure::figure;
use crate::analyse::query::{Body, From, Join, Output, Query, Relation, Select, Set, Source, With};
use crate::analyse::scope::{Level, Visible};
use crate::analyse::types::{self, Type};
use crate::analyse::{Analysed, resolve, undecided};
use crate::id::ObjectId;
use crate::ident::{Ident, QName};
use crate::tree::Tree;

/// A relation's columns.
pub type Columns = Vec<(Ident, Type, i32)>;

/// Fields of a SELECT that are not understood here when they are there.
const ODD: [&str; 5] =
    ["into_clause", "locking_clause", "window_clause", "group_distinct", "join_using_alias"];

impl Analyser<'_> {
    /// A sub-select of an expression, whose literals of no type become text.
    pub fn sub_query(&mut self, tree: &Tree) -> Analysed<Query> {
        self.depth += 1;
        if self.depth > 30 {
            return undecided("queries within queries");
        }
        let query = self.query(tree, true);
        self.depth -= 1;
        query
    }

    fn query(&mut self, tree: &Tree, settle: bool) -> Analysed<Query> {
        if tree.name() != "SelectStmt" || ODD.iter().any(|odd| !tree.get(odd).is_nothing()) {
            return undecided("a query of this form");
        }
        let known = self.with.len();
        self.scope.levels.push(Level::default());
        let query = self.query_inside(tree, settle);
        self.scope.levels.pop();
        self.with.truncate(known);
        query
    }

    fn query_inside(&mut self, tree: &Tree, settle: bool) -> Analysed<Query> {
        let (with, recursive) = self.with_clause(tree.get("with_clause"))?;
        let (body, order) = if tree.get("op").int() > 1 {
            self.set_operation(tree)?
        } else if !tree.get("values_lists").is_nothing() {
            (self.values(tree)?, Vec::new())
        } else {
            self.select(tree, settle)?
        };
        let mut bound = |name: &str| match tree.get(name) {
            Tree::Nothing => Ok(None),
            bound => {
                let bound = self.expression(bound)?;
                let number = Type::system("int8");
                coerce::to_target(self.world, bound, number, -1, Context::Implicit, Form::Implicit).map(Some)
            }
        };
        let (offset, limit) = (bound("limit_offset")?, bound("limit_count")?);
        if tree.get("limit_option").int() == 3 {
            return undecided("WITH TIES");
        }
        Ok(Query { with, recursive, body, order, limit, offset })
    }

    fn with_clause(&mut self, tree: &Tree) -> Analysed<(Vec<With>, bool)> {
        let mut found = Vec::new();
        if tree.get("recursive").flag() {
            return undecided("WITH RECURSIVE");
        }
        for cte in tree.get("ctes").items() {
            if !cte.get("search_clause").is_nothing() || !cte.get("cycle_clause").is_nothing() {
                return undecided("SEARCH or CYCLE");
            }
            // A WITH query sees the queries outside of the one that it belongs to.
            let query = self.sub_query(cte.get("ctequery"))?;
            let columns: Vec<Ident> =
                cte.get("aliascolnames").strings().into_iter().map(Ident::new).collect();
            let materialized = match cte.get("ctematerialized").int() {
                2 => Some(true),
                3 => Some(false),
                _ => None,
            };
            let name = Ident::new(cte.get("ctename").str());
            let outputs = columns_of(&query, &columns)?;
            self.with.push((name, outputs));
            found.push(With { name, columns, materialized, query });
        }
        Ok((found, false))
    }

    fn set_operation(&mut self, tree: &Tree) -> Analysed<(Body, Vec<Sort>)> {
        let word = match tree.get("op").int() {
            2 => "UNION",
            3 => "INTERSECT",
            _ => "EXCEPT",
        };
        let mut left = self.arm(tree.get("larg"))?;
        let mut right = self.arm(tree.get("rarg"))?;
        let pairs: Vec<(Output, Output)> = left.outputs().cloned().zip(right.outputs().cloned()).collect();
        if left.outputs().len() != right.outputs().len() {
            return undecided("sides of different lengths");
        }
        let mut outputs = Vec::new();
        for (place, (of_left, of_right)) in pairs.into_iter().enumerate() {
            let common = coerce::common_type(self.world, &[&of_left.expr, &of_right.expr])?;
            for (side, output) in [(&mut left, &of_left), (&mut right, &of_right)] {
                let coerced = if output.expr.is_constant() && output.expr.of.is_unknown() {
                    coerce::to_common(self.world, output.expr.clone(), common)?
                } else if coerce::can_coerce(self.world, output.expr.of, common, Context::Implicit)? {
                    // The set operation converts what comes out; the side itself stays as it is.
                    continue;
                } else {
                    return undecided("sides of types that do not go together");
                };
                match &mut side.body {
                    Body::Select(select) => {
                        if let Some(output) = select.outputs.get_mut(place) {
                            output.expr = coerced;
                        }
                    }
                    _ => return undecided("a literal in a nested set operation"),
                }
            }
            let modifier =
                if of_left.expr.of == of_right.expr.of && of_left.expr.modifier == of_right.expr.modifier {
                    of_left.expr.modifier
                } else {
                    -1
                };
            let expr = Expr { node: Node::Merged(of_left.name), of: common, modifier };
            outputs.push(Output { name: of_left.name, expr });
        }
        let mut order = Vec::new();
        for item in tree.get("sort_clause").items() {
            let place = output_place(item.get("node"), &outputs);
            let Some(place) = place else { return undecided("ORDER BY of a set operation") };
            order.push(self.sort(item, outputs[place].expr.clone(), Some(place + 1))?);
        }
        let all = tree.get("all").flag();
        Ok((Body::Set(Box::new(Set { word, all, left, right, outputs })), order))
    }

    /// One side of a set operation.
    fn arm(&mut self, tree: &Tree) -> Analysed<Query> {
        self.depth += 1;
        if self.depth > 30 {
            return undecided("queries within queries");
        }
        let query = self.query(tree, false);
        self.depth -= 1;
        query
    }

    fn values(&mut self, tree: &Tree) -> Analysed<Body> {
        let mut rows = Vec::new();
        for row in tree.get("values_lists").items() {
            let row =
                self.expressions(if row.name() == "List" { row.get("items").items() } else { row.items() })?;
            rows.push(row);
        }
        let Some(width) = rows.first().map(Vec::len) else { return undecided("VALUES") };
        if rows.iter().any(|row| row.len() != width) {
            return undecided("VALUES of different lengths");
        }
        let mut outputs = Vec::new();
        for place in 0..width {
            let column: Vec<&Expr> = rows.iter().map(|row| &row[place]).collect();
            let common = coerce::common_type(self.world, &column)?;
            for row in &mut rows {
                let given = std::mem::replace(&mut row[place], Expr::unknown(None));
                row[place] = coerce::to_common(self.world, given, common)?;
            }
            let column: Vec<Expr> = rows.iter().map(|row| row[place].clone()).collect();
            let modifier = coerce::common_modifier(&column, common);
            let name = Ident::new(&format!("column{}", place + 1));
            outputs.push(Output { name, expr: Expr { node: Node::Merged(name), of: common, modifier } });
        }
        if !tree.get("sort_clause").is_nothing() {
            return undecided("ORDER BY of VALUES");
        }
        Ok(Body::Values(rows, outputs))
    }

    fn select(&mut self, tree: &Tree, settle: bool) -> Analysed<(Body, Vec<Sort>)> {
        let mut relations = Vec::new();
        let mut from = Vec::new();
        for item in tree.get("from_clause").items() {
            from.push(self.item_of_from(item, &mut relations)?);
        }
        let mut outputs = Vec::new();
        for target in tree.get("target_list").items() {
            self.target(target, settle, &mut outputs)?;
        }
        let filter = self.condition(tree.get("where_clause"))?;
        let having = self.condition(tree.get("having_clause"))?;
        let mut order = Vec::new();
        for item in tree.get("sort_clause").items() {
            let (key, output) = self.key(item.get("node"), &outputs, false)?;
            order.push(self.sort(item, key, output)?);
        }
        let mut group = Vec::new();
        for item in tree.get("group_clause").items() {
            if item.name() == "GroupingSet" {
                return undecided("grouping sets");
            }
            let (key, output) = self.key(item, &outputs, true)?;
            group.push(Sort { key, output, descending: false, nulls_first: false });
        }
        let mut distinct_on = Vec::new();
        let distinct = tree.get("distinct_clause").items();
        let plain = distinct.iter().all(Tree::is_nothing) && !distinct.is_empty();
        if !plain {
            for item in distinct {
                let (key, output) = self.key(item, &outputs, false)?;
                distinct_on.push(Sort { key, output, descending: false, nulls_first: false });
            }
        }
        let select = Select { distinct: plain, distinct_on, outputs, relations, from, filter, group, having };
        Ok((Body::Select(Box::new(select)), order))
    }

    fn condition(&mut self, tree: &Tree) -> Analysed<Option<Expr>> {
        if tree.is_nothing() {
            return Ok(None);
        }
        let condition = self.expression(tree)?;
        coerce::to_boolean(self.world, condition).map(Some)
    }

    /// `transformTargetEntry` and the expansion of `*`.
    fn target(&mut self, target: &Tree, settle: bool, outputs: &mut Vec<Output>) -> Analysed<()> {
        let value = target.get("val");
        let fields = value.get("fields").items();
        if value.name() == "ColumnRef" && fields.last().is_some_and(|last| last.name() == "AStar") {
            let parts: Vec<&str> = fields[..fields.len() - 1].iter().map(Tree::str).collect();
            let Some(level) = self.scope.levels.last() else { return undecided("* of nothing") };
            let chosen: Vec<&Visible> = match parts[..] {
                [] => level.visible.iter().filter(|visible| visible.bare).collect(),
                [name] => {
                    let own = |visible: &&Visible| visible.name.is_some_and(|own| own.as_str() == name);
                    level.visible.iter().filter(own).collect()
                }
                [schema, name] => {
                    let qualified = QName::new(schema, name);
                    level.visible.iter().filter(|visible| visible.qualified == Some(qualified)).collect()
                }
                _ => return undecided("* of many parts"),
            };
            if chosen.is_empty() || (!parts.is_empty() && chosen.len() != 1) {
                return undecided("* of what is not known");
            }
            for visible in chosen {
                outputs.extend(
                    visible.columns.iter().map(|(name, expr)| Output { name: *name, expr: expr.clone() }),
                );
            }
            return Ok(());
        }
        if value.name() == "AIndirection"
            && value.get("indirection").items().iter().any(|item| item.name() == "AStar")
        {
            return undecided("the fields of a value");
        }
        let expr = self.expression(value)?;
        let expr = if settle { self.settled(expr)? } else { expr };
        let name = match target.get("name").str() {
            "" => figure(value),
            name => name.to_owned(),
        };
        outputs.push(Output { name: Ident::new(&name), expr });
        Ok(())
    }

    /// `findTargetlistEntrySQL92`.
    fn key(&mut self, tree: &Tree, outputs: &[Output], group: bool) -> Analysed<(Expr, Option<usize>)> {
        if tree.name() == "ColumnRef" {
            if let [name] = tree.get("fields").strings()[..] {
                // GROUP BY prefers a column of FROM to one that comes out.
                let of_from =
                    group && {
                        let level = self.scope.levels.last();
                        level.is_some_and(|level| {
                            level.visible.iter().filter(|visible| visible.bare).any(|visible| {
                                visible.columns.iter().any(|(column, _)| column.as_str() == name)
                            })
                        })
                    };
                if !of_from {
                    let mut found = None;
                    for (place, output) in outputs.iter().enumerate() {
                        if output.name.as_str() == name {
                            match found {
                                None => found = Some(place),
                                Some(known) if outputs[known].expr == output.expr => {}
                                Some(_) => return undecided("ORDER BY is ambiguous"),
                            }
                        }
                    }
                    if let Some(place) = found {
                        return Ok((outputs[place].expr.clone(), Some(place + 1)));
                    }
                }
            }
        }
        if tree.name() == "AConst" {
            let place = usize::try_from(tree.get("val").get("ival").int())
                .ok()
                .and_then(|place| place.checked_sub(1));
            let output = place.and_then(|place| outputs.get(place).map(|output| (place, output)));
            return match (tree.get("val").name(), output) {
                ("Integer", Some((place, output))) => Ok((output.expr.clone(), Some(place + 1))),
                _ => undecided("a constant to sort by"),
            };
        }
        let key = self.expression(tree)?;
        let key = self.settled(key)?;
        let output = outputs.iter().position(|output| output.expr == key).map(|place| place + 1);
        Ok((key, output))
    }

    /// An element of ORDER BY.
    pub fn sort(&mut self, item: &Tree, key: Expr, output: Option<usize>) -> Analysed<Sort> {
        if !item.get("use_op").is_nothing() {
            return undecided("ORDER BY USING");
        }
        let descending = item.get("sortby_dir").int() == 3;
        let nulls_first = match item.get("sortby_nulls").int() {
            2 => true,
            3 => false,
            _ => descending,
        };
        // What cannot be sorted has no such clause.
        resolve::operator(self.world, "<", Some(key.of), key.of)?;
        Ok(Sort { key, output, descending, nulls_first })
    }

    fn level(&mut self) -> Analysed<&mut Level> {
        match self.scope.levels.last_mut() {
            Some(level) => Ok(level),
            None => undecided("a relation outside of a query"),
        }
    }

    /// An element of FROM, which becomes visible.
    fn item_of_from(&mut self, tree: &Tree, relations: &mut Vec<Relation>) -> Analysed<From> {
        let alias = tree.get("alias");
        let alias_name = match alias.get("aliasname").str() {
            "" => None,
            name => Some(Ident::new(name)),
        };
        let alias_columns: Vec<Ident> = alias.get("colnames").strings().into_iter().map(Ident::new).collect();
        let place = relations.len();
        match tree.name() {
            "RangeVar" => {
                let (schema, name) = (tree.get("schemaname").str(), tree.get("relname").str());
                let own = Ident::new(name);
                let with = self.with.iter().rev().find(|(known, _)| *known == own && schema.is_empty());
                let (source, qualified, mut columns, row) = match with {
                    Some((known, columns)) => (Source::With(*known), None, columns.clone(), None),
                    None => {
                        let parts: Vec<&str> =
                            [schema, name].into_iter().filter(|part| !part.is_empty()).collect();
                        let Some((id, found)) =
                            self.world.relation(&parts).and_then(|id| Some((id, id.qname()?)))
                        else {
                            return undecided(format!("the relation {name} is not known"));
                        };
                        let columns = self.columns(id)?;
                        let row = Type { name: found, array: false };
                        (Source::Named(found, !tree.get("inh").flag()), Some(found), columns, Some(row))
                    }
                };
                rename(&mut columns, &alias_columns)?;
                let shown = alias_name.unwrap_or(own);
                relations.push(Relation {
                    name: Some(shown),
                    alias: alias_name.is_some(),
                    columns: alias_columns,
                    source,
                });
                let qualified = qualified.filter(|_| alias_name.is_none());
                let visible = Visible::relation(place, shown, qualified, columns, row);
                self.level()?.visible.push(visible);
                Ok(From::Relation(place))
            }
            "RangeSubselect" => {
                if tree.get("lateral").flag() {
                    return undecided("LATERAL");
                }
                let Some(name) = alias_name else { return undecided("a sub-select without an alias") };
                // It does not see its neighbours.
                let neighbours = std::mem::take(&mut self.level()?.visible);
                let query = self.sub_query(tree.get("subquery"));
                self.level()?.visible = neighbours;
                let query = query?;
                let columns = columns_of(&query, &alias_columns)?;
                relations.push(Relation {
                    name: Some(name),
                    alias: true,
                    columns: alias_columns,
                    source: Source::Query(Box::new(query)),
                });
                let visible = Visible::relation(place, name, None, columns, None);
                self.level()?.visible.push(visible);
                Ok(From::Relation(place))
            }
            "JoinExpr" => self.join(tree, relations),
            _ => undecided(format!("{} in FROM", tree.name())),
        }
    }

    fn join(&mut self, tree: &Tree, relations: &mut Vec<Relation>) -> Analysed<From> {
        if !tree.get("alias").is_nothing() || !tree.get("join_using_alias").is_nothing() {
            return undecided("a join with an alias");
        }
        let outside = std::mem::take(&mut self.level()?.visible);
        let left = self.item_of_from(tree.get("larg"), relations)?;
        let of_left = std::mem::take(&mut self.level()?.visible);
        let right = self.item_of_from(tree.get("rarg"), relations)?;
        let of_right = std::mem::take(&mut self.level()?.visible);
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
        let mut merged = Vec::new();
        for name in &using {
            let only = |columns: &[(Ident, Expr)]| {
                let mut found = columns.iter().filter(|(own, _)| own == name);
                match (found.next(), found.next()) {
                    (Some((_, expr)), None) => Ok(expr.clone()),
                    _ => undecided("a column of USING"),
                }
            };
            let (left, right) = (only(&left_columns)?, only(&right_columns)?);
            self.operate("=", Some(left.clone()), right.clone())?;
            if left.of != right.of || left.modifier != right.modifier {
                return undecided("USING of columns of different types");
            }
            let expr = match kind {
                4 => right,
                3 => Expr { node: Node::Merged(*name), ..left },
                _ => left,
            };
            merged.push((*name, expr));
        }
        let mut columns = merged;
        for side in [left_columns, right_columns] {
            columns.extend(side.into_iter().filter(|(name, _)| !using.contains(name)));
        }
        let mut visible: Vec<Visible> = of_left.into_iter().chain(of_right).collect();
        for visible in &mut visible {
            visible.bare = false;
        }
        visible.push(Visible { name: None, qualified: None, columns, bare: true, row: None, hidden: false });
        self.level()?.visible = visible;
        let on = self.condition(tree.get("quals"))?;
        let level = self.level()?;
        let mut all = outside;
        all.append(&mut level.visible);
        level.visible = all;
        relations.push(Relation { name: None, alias: false, columns: Vec::new(), source: Source::Join });
        let word = match kind {
            2 => "LEFT JOIN",
            3 => "FULL JOIN",
            4 => "RIGHT JOIN",
            _ if on.is_none() && using.is_empty() => "CROSS JOIN",
            _ => "JOIN",
        };
        Ok(From::Join(Box::new(Join { word, left, right, using, on })))
    }

    /// A relation's columns in the desired catalog.
    pub fn columns(&mut self, id: ObjectId) -> Analysed<Columns> {
        let catalog = self.world.catalog;
        if !id.kind().is_view() {
            let mut found = Vec::new();
            for (column, definition) in catalog.columns(id) {
                let (of, modifier) = types::of(&definition.type_name)?;
                found.push((column.name(), of, modifier));
            }
            return if found.is_empty() {
                undecided(format!("the columns of {}", id.path()))
            } else {
                Ok(found)
            };
        }
        let query = catalog.get(id).and_then(|entry| entry.object.query());
        let Some((tree, names)) = query.and_then(|(query, names)| Some((query.tree().ok()?.0, names))) else {
            return undecided(format!("the columns of {}", id.path()));
        };
        self.depth += 1;
        if self.depth > 20 {
            return undecided("views over views");
        }
        let mut inner = Analyser::new(self.world);
        inner.depth = self.depth;
        let query = inner.sub_query(&tree)?;
        self.depth -= 1;
        columns_of(&query, names)
    }
}

/// The columns that a query has for others.
fn columns_of(query: &Query, names: &[Ident]) -> Analysed<Columns> {
    let mut columns: Columns =
        query.outputs().map(|output| (output.name, output.expr.of, output.expr.modifier)).collect();
    rename(&mut columns, names)?;
    Ok(columns)
}

fn rename(columns: &mut Columns, names: &[Ident]) -> Analysed<()> {
    if names.len() > columns.len() {
        return undecided("more names than columns");
    }
    for (column, name) in columns.iter_mut().zip(names) {
        column.0 = *name;
    }
    Ok(())
}

/// The output column that an element of a set operation's ORDER BY names.
fn output_place(tree: &Tree, outputs: &[Output]) -> Option<usize> {
    if tree.name() == "ColumnRef" {
        let [name] = tree.get("fields").strings()[..] else { return None };
        return outputs.iter().position(|output| output.name.as_str() == name);
    }
    let place = usize::try_from(tree.get("val").get("ival").int()).ok()?.checked_sub(1)?;
    (place < outputs.len()).then_some(place)
}
