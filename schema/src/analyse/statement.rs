//! What PostgreSQL would store where whole statements stand: rewrite rules, and bodies of routines in standard SQL.

use crate::analyse::expr::{Expr, Node};
use crate::analyse::expression::Analyser;
use crate::analyse::naming::Names;
use crate::analyse::query::{Body, Output, Query};
use crate::analyse::scope::{Level, Visible};
use crate::analyse::show::Show;
use crate::analyse::types;
use crate::analyse::world::World;
use crate::analyse::write::{is_write, renamed};
use crate::analyse::{Analysed, coerce, undecided};
use crate::fragment::Fragment;
use crate::id::ObjectId;
use crate::ident::{Ident, QName};
use crate::sql;
use crate::tree::Tree;
use crate::type_name::TypeName;

/// What a rule stands on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct On {
    /// The table or view.
    pub relation: ObjectId,
    /// Whether the event has OLD: UPDATE and DELETE do.
    pub old: bool,
    /// Whether it has NEW: INSERT and UPDATE do.
    pub new: bool,
}

/// An argument that a body can name.
#[derive(Clone, Copy, Debug)]
pub struct Argument {
    /// Its name.
    pub name: Option<Ident>,
    /// Its type.
    pub of: TypeName,
}

fn show(world: &World<'_>, names: Vec<Names>) -> Show {
    Show { text: String::new(), names, prefix: true, sorting: false, version: world.version }
}

/// What follows the relation's name in `pg_get_ruledef`, without the semicolon.
///
/// # Errors
/// Why that cannot be said.
pub fn rule(world: &World<'_>, fragment: &Fragment, on: On) -> Analysed<String> {
    world.reads(fragment)?;
    let Ok((tree, _)) = fragment.tree() else { return undecided("a syntax error") };
    let Some(name) = on.relation.qname() else { return undecided("a relation without a name") };
    let columns = Analyser::new(world).columns(on.relation)?;
    let rows = |bare: bool| {
        [("old", on.old), ("new", on.new)]
            .into_iter()
            .enumerate()
            .map(|(place, (word, there))| {
                let (relation, visible) = renamed(place, word, name, &columns, bare);
                (relation, there.then_some(visible))
            })
            .collect::<Vec<_>>()
    };
    let mut text = String::new();
    let condition = tree.get("where_clause");
    if !condition.is_nothing() {
        let mut analyser = Analyser::new(world);
        let mut level = Level::default();
        // Columns need no name in front, as far as only one row has them.
        level.visible.extend(rows(true).into_iter().filter_map(|(_, visible)| visible));
        analyser.scope.levels.push(level);
        let condition = analyser.expression(condition)?;
        let condition = coerce::to_boolean(world, condition)?;
        let own: Vec<Ident> = columns.iter().map(|(name, ..)| *name).collect();
        let names = Names {
            relations: vec![Some(Ident::new("old")), Some(Ident::new("new"))],
            columns: vec![own.clone(), own],
            ..Names::default()
        };
        let mut show = show(world, vec![names]);
        show.expr(&condition, false)?;
        text.push_str(&format!("WHERE {} ", show.text));
    }
    text.push_str(if tree.get("instead").flag() { "DO INSTEAD " } else { "DO " });
    let actions = tree.get("actions");
    let actions = if actions.name() == "List" { actions.get("items").items() } else { actions.items() };
    let mut printed = Vec::new();
    for action in actions {
        let action = if action.name() == "RawStmt" { action.get("stmt") } else { action };
        if action.name() == "NotifyStmt" {
            printed.push(notify(action));
            continue;
        }
        let mut analyser = Analyser::new(world);
        let (relations, visible): (Vec<_>, Vec<_>) = rows(false).into_iter().unzip();
        analyser.rows = Some((relations, visible.into_iter().flatten().collect()));
        let query = analyser.statement(action)?;
        let mut show = show(world, Vec::new());
        show.query(&query, true)?;
        printed.push(show.text);
    }
    match &printed[..] {
        [] => text.push_str("NOTHING"),
        [one] => text.push_str(one),
        several => {
            text.push('(');
            for one in several {
                text.push_str(&format!(" {one};"));
            }
            text.push_str(" )");
        }
    }
    Ok(text)
}

fn notify(tree: &Tree) -> String {
    let name = sql::quoted(Ident::new(tree.get("conditionname").str()));
    match tree.get("payload").str() {
        "" => format!("NOTIFY {name}"),
        payload => format!("NOTIFY {name}, '{}'", sql::doubled(payload)),
    }
}

/// What `pg_get_function_sqlbody` gives.
///
/// # Errors
/// Why that cannot be said.
pub fn body(
    world: &World<'_>,
    fragment: &Fragment,
    routine: QName,
    arguments: &[Argument],
) -> Analysed<String> {
    world.reads(fragment)?;
    let Ok((tree, _)) = fragment.tree() else { return undecided("a syntax error") };
    if arguments.iter().any(|one| one.name.is_none()) && arguments.iter().any(|one| one.name.is_some()) {
        // It is printed as a name of no length.
        return undecided("an argument without a name beside others");
    }
    let mut columns = Vec::new();
    for (number, argument) in (1..).zip(arguments) {
        // A routine knows no length of what it is given.
        let (of, _) = types::of(&argument.of)?;
        if of.is_polymorphic() {
            return undecided("an argument of any type");
        }
        let name = argument.name.unwrap_or_else(|| Ident::new(""));
        columns.push((name, Expr::new(Node::Argument(routine.name, argument.name, number), of)));
    }
    let body = tree.get("sql_body");
    let print = |tree: &Tree| -> Analysed<String> {
        let mut analyser = Analyser::new(world);
        let (name, columns) = (Some(routine.name), columns.clone());
        let visible = Visible { name, qualified: None, columns, bare: true, row: None, system: false };
        analyser.scope.levels.push(Level { visible: vec![visible] });
        let query = analyser.statement(tree)?;
        let mut show = show(world, vec![Names::default()]);
        show.query(&query, false)?;
        Ok(show.text)
    };
    if body.name() == "ReturnStmt" {
        return print(body);
    }
    // BEGIN ATOMIC is a list of one list of statements.
    let lists = if body.name() == "List" { body.get("items").items() } else { body.items() };
    let [list] = lists else { return undecided("a body of this form") };
    let statements = if list.name() == "List" { list.get("items").items() } else { list.items() };
    let mut text = String::from("BEGIN ATOMIC");
    for statement in statements {
        text.push_str(&format!(" {};", print(statement)?));
    }
    text.push_str(" END");
    Ok(text)
}

impl Analyser<'_> {
    /// A statement that stands by itself.
    fn statement(&mut self, tree: &Tree) -> Analysed<Query> {
        match tree.name() {
            "SelectStmt" => self.sub_query(tree),
            "ReturnStmt" => {
                self.scope.levels.push(Level::default());
                let expr = self.expression(tree.get("returnval")).and_then(|expr| self.settled(expr));
                self.scope.levels.pop();
                let (name, expr) = (Ident::new("?column?"), expr?);
                Ok(Query::of(Body::Return(Box::new(Output { name, expr }))))
            }
            _ if is_write(tree) => self.write(tree),
            other => undecided(format!("{other} is not understood")),
        }
    }
}
