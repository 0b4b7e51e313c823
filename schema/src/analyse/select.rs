//! Analyses queries, as analyze.c and parse_clause.c do.

use crate::analyse::coerce::{self, Context};
use crate::analyse::expr::{Expr, Form, Node, Sort};
use crate::analyse::expression::Analyser;
use crate::analyse::figure::figure;
use crate::analyse::query::{Body, Group, Output, Query, Relation, Select, Set, Source};
use crate::analyse::scope::{Level, Visible};
use crate::analyse::types::{self, Type};
use crate::analyse::write::is_write;
use crate::analyse::{Analysed, naming, resolve, undecided};
use crate::id::ObjectId;
use crate::ident::{Ident, QName};
use crate::object::Kind;
use crate::tree::Tree;

/// A relation's columns.
pub type Columns = Vec<(Ident, Type, i32)>;

/// Fields of a SELECT that are not understood here when they are there.
const ODD: [&str; 1] = ["into_clause"];

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
        if is_write(tree) {
            return self.write(tree);
        }
        if tree.name() != "SelectStmt" || ODD.iter().any(|odd| !tree.get(odd).is_nothing()) {
            return undecided("a query of this form");
        }
        let known = self.with.len();
        let windows = std::mem::take(&mut self.windows);
        self.scope.levels.push(Level::default());
        let query = self.query_inside(tree, settle);
        self.scope.levels.pop();
        self.with.truncate(known);
        self.windows = windows;
        query
    }

    fn query_inside(&mut self, tree: &Tree, settle: bool) -> Analysed<Query> {
        let (with, recursive) = self.with_clause(tree.get("with_clause"))?;
        let plain = tree.get("op").int() <= 1 && tree.get("values_lists").is_nothing();
        if self.rows.is_some() && !plain {
            return undecided("OLD and NEW in a query of this form");
        }
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
        let ties = tree.get("limit_option").int() == 3;
        let locks = locks(tree.get("locking_clause"), &body)?;
        Ok(Query { with, recursive, body, order, limit, offset, ties, locks })
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
            let expr = Expr { node: Node::Output(of_left.name), of: common, modifier };
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
    pub(super) fn arm(&mut self, tree: &Tree) -> Analysed<Query> {
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
            outputs.push(Output { name, expr: Expr { node: Node::Output(name), of: common, modifier } });
        }
        if !tree.get("sort_clause").is_nothing() {
            return undecided("ORDER BY of VALUES");
        }
        Ok(Body::Values(rows, outputs))
    }

    fn select(&mut self, tree: &Tree, settle: bool) -> Analysed<(Body, Vec<Sort>)> {
        let (mut relations, rows) = self.rows.take().unwrap_or_default();
        self.level()?.visible.extend(rows);
        let unnamed = relations.len();
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
        let mut order: Vec<Sort> = Vec::new();
        for item in tree.get("sort_clause").items() {
            let (key, output) = self.key(item.get("node"), &outputs, false)?;
            if !order.iter().any(|known| known.key == key) {
                order.push(self.sort(item, key, output)?);
            }
        }
        let group = self.group(tree.get("group_clause").items(), &outputs)?;
        let group_distinct = tree.get("group_distinct").flag();
        if !group.is_empty() && from.iter().any(naming::dangerous) {
            // From 18 on such a column is printed as what it was merged from, in some places.
            return undecided("GROUP BY over a column that a join merged");
        }
        if group_distinct && group.iter().any(|one| matches!(one, Group::Sets(..))) {
            return undecided("sets of which only different ones count");
        }
        let mut windows = Vec::new();
        for item in tree.get("window_clause").items() {
            let window = self.window(item)?;
            let name = Ident::new(item.get("name").str());
            self.windows.push((name, window.clone()));
            windows.push((name, window));
        }
        let mut distinct_on: Vec<Sort> = Vec::new();
        let distinct = tree.get("distinct_clause").items();
        let plain = distinct.iter().all(Tree::is_nothing) && !distinct.is_empty();
        if !plain {
            let mut keys: Vec<(Expr, Option<usize>)> = Vec::new();
            for item in distinct {
                let key = self.key(item, &outputs, false)?;
                if !keys.iter().any(|(known, _)| *known == key.0) {
                    keys.push(key);
                }
            }
            // Those of ORDER BY come first, in the order there.
            let at = |key: &Expr| order.iter().position(|sort| sort.key == *key).unwrap_or(usize::MAX);
            keys.sort_by_key(|(key, _)| at(key));
            for (key, output) in keys {
                distinct_on.push(Sort { key, output, descending: false, nulls_first: false });
            }
        }
        let select = Select {
            distinct: plain,
            distinct_on,
            outputs,
            relations,
            unnamed,
            from,
            filter,
            group,
            group_distinct,
            having,
            windows,
        };
        Ok((Body::Select(Box::new(select)), order))
    }

    pub(super) fn condition(&mut self, tree: &Tree) -> Analysed<Option<Expr>> {
        if tree.is_nothing() {
            return Ok(None);
        }
        let condition = self.expression(tree)?;
        coerce::to_boolean(self.world, condition).map(Some)
    }

    /// `transformTargetEntry` and the expansion of `*`.
    pub(super) fn target(&mut self, target: &Tree, settle: bool, outputs: &mut Vec<Output>) -> Analysed<()> {
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
            "" => figure(value, self.world.version)?,
            name => name.to_owned(),
        };
        outputs.push(Output { name: Ident::new(&name), expr });
        Ok(())
    }

    /// `findTargetlistEntrySQL92`.
    pub(super) fn key(
        &mut self,
        tree: &Tree,
        outputs: &[Output],
        group: bool,
    ) -> Analysed<(Expr, Option<usize>)> {
        if tree.name() == "ColumnRef" {
            if let [name] = tree.get("fields").strings()[..] {
                // GROUP BY prefers a column of FROM to one that comes out.
                let of_from = match self.scope.levels.last() {
                    Some(level) if group => level.column(&[name])?.is_some(),
                    _ => false,
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

    pub(super) fn level(&mut self) -> Analysed<&mut Level> {
        match self.scope.levels.last_mut() {
            Some(level) => Ok(level),
            None => undecided("a relation outside of a query"),
        }
    }

    /// A relation's columns in the desired catalog.
    pub fn columns(&mut self, id: ObjectId) -> Analysed<Columns> {
        let catalog = self.world.catalog;
        if !id.kind().is_view() && id.kind() != Kind::Sequence {
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
        if id.kind() == Kind::Sequence {
            let column = |name: &str, of: &str| (Ident::new(name), Type::system(of), -1);
            return Ok(vec![
                column("last_value", "int8"),
                column("log_cnt", "int8"),
                column("is_called", "bool"),
            ]);
        }
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

/// FOR UPDATE and its kin: `transformLockingClause`.
fn locks(tree: &Tree, body: &Body) -> Analysed<Vec<(&'static str, usize, &'static str)>> {
    let mut found = Vec::new();
    let clauses = tree.items();
    let (clause, select) = match (clauses, body) {
        ([], _) => return Ok(found),
        ([clause], Body::Select(select)) => (clause, select),
        _ => return undecided("locks of this form"),
    };
    let strength = match clause.get("strength").int() {
        2 => "KEY SHARE",
        3 => "SHARE",
        4 => "NO KEY UPDATE",
        5 => "UPDATE",
        _ => return undecided("a lock of this strength"),
    };
    let waiting = match clause.get("wait_policy").int() {
        2 => " SKIP LOCKED",
        3 => " NOWAIT",
        _ => "",
    };
    let lockable = |relation: &Relation| matches!(relation.source, Source::Named(..) | Source::Query(_));
    let names = clause.get("locked_rels").items();
    if names.is_empty() {
        for (place, relation) in select.relations.iter().enumerate().skip(select.unnamed) {
            if lockable(relation) {
                found.push((strength, place, waiting));
            }
        }
        return Ok(found);
    }
    for name in names {
        let name = name.get("relname").str();
        let of = |relation: &Relation| relation.name.is_some_and(|own| own.as_str() == name);
        let mut relations = select.relations.iter().enumerate().skip(select.unnamed);
        let Some((place, _)) = relations.find(|(_, relation)| of(relation)) else {
            return undecided("a lock of nothing");
        };
        if name == "unnamed_subquery"
            || !lockable(&select.relations[place])
            || found.iter().any(|(_, known, _)| *known == place)
        {
            return undecided("a lock of this");
        }
        found.push((strength, place, waiting));
    }
    Ok(found)
}

/// The columns that a query has for others.
pub(super) fn columns_of(query: &Query, names: &[Ident]) -> Analysed<Columns> {
    let mut columns: Columns =
        query.outputs().map(|output| (output.name, output.expr.of, output.expr.modifier)).collect();
    rename(&mut columns, names)?;
    Ok(columns)
}

pub(super) fn rename(columns: &mut Columns, names: &[Ident]) -> Analysed<()> {
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
