//! Analyses INSERT, UPDATE and DELETE, as analyze.c does, for rules and bodies of routines.
//!
//! MERGE is not understood here, nor are assignments to a field or an element of a value.

use crate::analyse::coerce::{self, Context};
use crate::analyse::expr::{Expr, Form, Node};
use crate::analyse::expression::Analyser;
use crate::analyse::query::{
    Assignments, Body, Conflict, Given, Insert, Query, Relation, Select, Source, Verb, Write,
};
use crate::analyse::scope::{Level, Visible};
use crate::analyse::select::Columns;
use crate::analyse::types::Type;
use crate::analyse::{Analysed, undecided};
use crate::id::ObjectId;
use crate::ident::{Ident, QName};
use crate::tree::Tree;

/// Whether a statement is one that writes and that can be understood here.
pub(super) fn is_write(tree: &Tree) -> bool {
    matches!(tree.name(), "InsertStmt" | "UpdateStmt" | "DeleteStmt")
}

/// A relation under another name, as OLD, NEW and EXCLUDED are.
pub(super) fn renamed(
    place: usize,
    name: &str,
    of: QName,
    columns: &Columns,
    bare: bool,
) -> (Relation, Visible) {
    let name = Ident::new(name);
    let relation = Relation {
        name: Some(name),
        alias: true,
        columns: Vec::new(),
        real: columns.iter().map(|(name, ..)| *name).collect(),
        source: Source::Named(of, false),
        lateral: false,
        sample: None,
    };
    let row = Some(Type { name: of, array: false });
    let mut visible = Visible::relation(place, name, None, columns.clone(), row);
    visible.bare = bare;
    (relation, visible)
}

/// What is written to.
struct Target {
    name: QName,
    columns: Columns,
    visible: Visible,
}

impl Target {
    fn column(&self, name: &str) -> Analysed<(Ident, Type, i32)> {
        let found = self.columns.iter().find(|(own, ..)| own.as_str() == name).copied();
        found.map_or_else(|| undecided(format!("the column {name} is not known")), Ok)
    }
}

/// A query that is more than VALUES.
fn is_general(tree: &Tree) -> bool {
    const CLAUSES: [&str; 5] =
        ["sort_clause", "limit_offset", "limit_count", "locking_clause", "with_clause"];
    tree.get("values_lists").is_nothing() || CLAUSES.iter().any(|clause| !tree.get(clause).is_nothing())
}

fn row(tree: &Tree) -> &[Tree] {
    if tree.name() == "List" { tree.get("items").items() } else { tree.items() }
}

impl Analyser<'_> {
    /// A statement that writes.
    pub(super) fn write(&mut self, tree: &Tree) -> Analysed<Query> {
        let known = self.with.len();
        let windows = std::mem::take(&mut self.windows);
        self.scope.levels.push(Level::default());
        let query = self.write_inside(tree);
        self.scope.levels.pop();
        self.with.truncate(known);
        self.windows = windows;
        query
    }

    fn write_inside(&mut self, tree: &Tree) -> Analysed<Query> {
        let (with, recursive) = self.with_clause(tree.get("with_clause"))?;
        let write = match tree.name() {
            "InsertStmt" => self.insert(tree)?,
            "UpdateStmt" => self.update(tree)?,
            _ => self.delete(tree)?,
        };
        Ok(Query { with, recursive, ..Query::of(Body::Write(Box::new(write))) })
    }

    /// `setTargetRelation`.
    fn target_of(&mut self, tree: &Tree, relations: &mut Vec<Relation>) -> Analysed<Target> {
        let range = tree.get("relation");
        let (schema, own) = (range.get("schemaname").str(), range.get("relname").str());
        if schema.is_empty() && self.with.iter().any(|known| known.name.as_str() == own) {
            return undecided("a WITH query that is written to");
        }
        let parts: Vec<&str> = [schema, own].into_iter().filter(|part| !part.is_empty()).collect();
        let found: Option<(ObjectId, QName)> =
            self.world.relation(&parts).and_then(|id| Some((id, id.qname()?)));
        let Some((id, name)) = found else { return undecided(format!("the relation {own} is not known")) };
        let columns = self.columns(id)?;
        let alias = match range.get("alias").get("aliasname").str() {
            "" => None,
            alias => Some(Ident::new(alias)),
        };
        let shown = alias.unwrap_or(name.name);
        let row = Some(Type { name, array: false });
        let qualified = alias.is_none().then_some(name);
        let mut visible = Visible::relation(relations.len(), shown, qualified, columns.clone(), row);
        visible.system = id.kind().is_lockable();
        // ONLY says nothing about an INSERT.
        let only = tree.name() != "InsertStmt" && !range.get("inh").flag();
        relations.push(Relation {
            name: Some(shown),
            alias: alias.is_some(),
            columns: Vec::new(),
            real: columns.iter().map(|(name, ..)| *name).collect(),
            source: Source::Named(name, only),
            lateral: false,
            sample: None,
        });
        Ok(Target { name, columns, visible })
    }

    /// `transformAssignedExpr`.
    fn assigned(&mut self, tree: &Tree, (_, of, modifier): (Ident, Type, i32)) -> Analysed<Expr> {
        if tree.name() == "SetToDefault" {
            return Ok(Expr { node: Node::Default, of, modifier });
        }
        let expr = self.expression(tree)?;
        coerce::to_target(self.world, expr, of, modifier, Context::Assignment, Form::Implicit)
    }

    /// `transformUpdateTargetList`.
    fn assignments(&mut self, trees: &[Tree], target: &Target) -> Analysed<Assignments> {
        let mut found = Vec::new();
        for tree in trees {
            if !tree.get("indirection").is_nothing() {
                return undecided("a part of a column");
            }
            let column = target.column(tree.get("name").str())?;
            let mut value = tree.get("val");
            if value.name() == "MultiAssignRef" {
                let place =
                    usize::try_from(value.get("colno").int()).ok().and_then(|place| place.checked_sub(1));
                let source = value.get("source");
                let one = place.filter(|_| source.name() == "RowExpr");
                match one.and_then(|place| source.get("args").items().get(place)) {
                    Some(one) => value = one,
                    None => return undecided("several columns from a query"),
                }
            }
            found.push((column.0, self.assigned(value, column)?));
        }
        Ok(found)
    }

    /// `transformReturningList`.
    fn returning(&mut self, tree: &Tree, select: &mut Select) -> Analysed<()> {
        let clause = tree.get("returning_clause");
        if !clause.get("options").is_nothing() {
            return undecided("other names for OLD and NEW");
        }
        let list = if clause.is_nothing() { tree.get("returning_list") } else { clause.get("exprs") };
        for target in list.items() {
            self.target(target, true, &mut select.outputs)?;
        }
        Ok(())
    }

    /// The target with its place, and what stands beside it in FROM or USING.
    fn beside(&mut self, tree: &Tree, clause: &str) -> Analysed<(Target, usize, Select)> {
        let (mut relations, rows) = self.rows.take().unwrap_or_default();
        let place = relations.len();
        let target = self.target_of(tree, &mut relations)?;
        let level = self.level()?;
        level.visible.extend(rows);
        level.visible.push(target.visible.clone());
        let mut select = Select::default();
        for item in tree.get(clause).items() {
            select.from.push(self.item_of_from(item, &mut relations)?);
        }
        select.relations = relations;
        Ok((target, place, select))
    }

    fn update(&mut self, tree: &Tree) -> Analysed<Write> {
        let (target, place, mut select) = self.beside(tree, "from_clause")?;
        let set = self.assignments(tree.get("target_list").items(), &target)?;
        select.filter = self.condition(tree.get("where_clause"))?;
        self.returning(tree, &mut select)?;
        Ok(Write { verb: Verb::Update(set), target: place, select })
    }

    fn delete(&mut self, tree: &Tree) -> Analysed<Write> {
        let (_, place, mut select) = self.beside(tree, "using_clause")?;
        select.filter = self.condition(tree.get("where_clause"))?;
        self.returning(tree, &mut select)?;
        Ok(Write { verb: Verb::Delete, target: place, select })
    }

    fn insert(&mut self, tree: &Tree) -> Analysed<Write> {
        let source = tree.get("select_stmt");
        let general = !source.is_nothing() && is_general(source);
        // A query has OLD and NEW in its own FROM.
        let (mut relations, rows) =
            if general { Default::default() } else { self.rows.take().unwrap_or_default() };
        let place = relations.len();
        let target = self.target_of(tree, &mut relations)?;
        let mut columns = Vec::new();
        for column in tree.get("cols").items() {
            if !column.get("indirection").is_nothing() {
                return undecided("a part of a column");
            }
            columns.push(target.column(column.get("name").str())?);
        }
        let listed = !columns.is_empty();
        if !listed && !source.is_nothing() {
            columns.clone_from(&target.columns);
        }
        self.level()?.visible.extend(rows);
        let (given, width) = if general {
            let query = self.arm(source)?;
            let width = query.outputs().len();
            (Given::Query(Box::new(query)), width)
        } else {
            let mut rows = Vec::new();
            for values in source.get("values_lists").items() {
                let values = row(values);
                if values.len() > columns.len() {
                    return undecided("more values than columns");
                }
                let values = values.iter().zip(&columns).map(|(value, column)| self.assigned(value, *column));
                rows.push(values.collect::<Analysed<Vec<Expr>>>()?);
            }
            let width = rows.first().map_or(0, Vec::len);
            if rows.iter().any(|row| row.len() != width) {
                return undecided("VALUES of different lengths");
            }
            (if rows.is_empty() { Given::Nothing } else { Given::Rows(rows) }, width)
        };
        if width > columns.len() || listed && width < columns.len() {
            return undecided("another number of values than of columns");
        }
        columns.truncate(width);
        // What comes behind sees the target and nothing else.
        let level = self.level()?;
        level.visible = vec![target.visible.clone()];
        let conflict = match tree.get("on_conflict_clause") {
            Tree::Nothing => None,
            clause => Some(self.conflict(clause, &target, &mut relations)?),
        };
        self.level()?.visible.truncate(1);
        let mut select = Select { relations, ..Select::default() };
        self.returning(tree, &mut select)?;
        let overriding = match tree.get("override").int() {
            2 => "OVERRIDING USER VALUE ",
            3 => "OVERRIDING SYSTEM VALUE ",
            _ => "",
        };
        let columns = columns.into_iter().map(|(name, ..)| name).collect();
        let insert = Insert { columns, overriding, given, conflict };
        Ok(Write { verb: Verb::Insert(insert), target: place, select })
    }

    /// `transformOnConflictClause`.
    fn conflict(
        &mut self,
        clause: &Tree,
        target: &Target,
        relations: &mut Vec<Relation>,
    ) -> Analysed<Conflict> {
        let infer = clause.get("infer");
        let mut found = Conflict { keys: Vec::new(), condition: None, constraint: None, update: None };
        for element in infer.get("index_elems").items() {
            if !element.get("collation").is_nothing() || !element.get("opclass").is_nothing() {
                return undecided("a key of some collation or operator class");
            }
            found.keys.push(match element.get("name").str() {
                "" => self.expression(element.get("expr"))?,
                name => self.scope.column(&[name])?,
            });
        }
        found.condition = self.condition(infer.get("where_clause"))?;
        let constraint = infer.get("conname").str();
        found.constraint = (!constraint.is_empty()).then(|| Ident::new(constraint));
        if clause.get("action").int() == 3 {
            let (excluded, visible) =
                renamed(relations.len(), "excluded", target.name, &target.columns, true);
            relations.push(excluded);
            self.level()?.visible.push(visible);
            let set = self.assignments(clause.get("target_list").items(), target)?;
            found.update = Some((set, self.condition(clause.get("where_clause"))?));
        }
        Ok(found)
    }
}
