//! What PostgreSQL would store where SQL is a list of keys: exclusion constraints, partition keys and bounds, extended
//! statistics. Not here: indexes (`index.rs`), which have most of it.

use crate::analyse::expr::{Expr, Form, Node};
use crate::analyse::expression::Analyser;
use crate::analyse::place::{self, Seen};
use crate::analyse::types::{self, Type};
use crate::analyse::world::World;
use crate::analyse::{Analysed, coerce, constant, index, undecided};
use crate::fragment::Fragment;
use crate::id::ObjectId;
use crate::ident::Ident;
use crate::object::Object;
use crate::sql;
use crate::tree::Tree;

/// What follows EXCLUDE.
///
/// # Errors
/// Why that cannot be said.
pub fn exclusion(world: &World<'_>, fragment: &Fragment, table: ObjectId) -> Analysed<String> {
    world.reads(fragment)?;
    let Ok((tree, _)) = fragment.tree() else { return undecided("a syntax error") };
    let Some(constraint) = tree.get("cmds").items().first().map(|command| command.get("def")) else {
        return undecided("no constraint");
    };
    if !constraint.get("options").is_nothing() || !constraint.get("indexspace").is_nothing() {
        return undecided("storage parameters");
    }
    let method = match constraint.get("access_method").str() {
        "" => "btree",
        method => method,
    };
    let mut text = format!("USING {} (", sql::quoted(Ident::new(method)));
    for (place, pair) in constraint.get("exclusions").items().iter().enumerate() {
        let items = if pair.name() == "List" { pair.get("items").items() } else { pair.items() };
        let [element, operator] = items else { return undecided("an element of EXCLUDE") };
        let operator = if operator.name() == "List" { operator.get("items") } else { operator };
        let name = match operator.strings()[..] {
            [name] | ["pg_catalog", name] => name.to_owned(),
            _ => return undecided("an operator with a schema"),
        };
        if world.has_operators(&name) {
            return undecided(format!("users made operators called {name}"));
        }
        if place > 0 {
            text.push_str(", ");
        }
        text.push_str(&index::key(world, element, table, method)?);
        text.push_str(&format!(" WITH {name}"));
    }
    text.push(')');
    let included = constraint.get("including").strings();
    if !included.is_empty() {
        let names: Vec<&str> = included.into_iter().map(|name| sql::quoted(Ident::new(name))).collect();
        text.push_str(&format!(" INCLUDE ({})", names.join(", ")));
    }
    let condition = constraint.get("where_clause");
    if !condition.is_nothing() {
        let (mut analyser, names) = place::around(world, Seen::Columns(table))?;
        let expr = analyser.expression(condition)?;
        let expr = coerce::to_boolean(world, expr)?;
        if expr.is_constant() {
            return undecided("a condition that is a constant");
        }
        text.push_str(&format!(" WHERE ({})", place::print(world, &expr, names, false)?));
    }
    Ok(text)
}

/// What follows PARTITION BY.
///
/// # Errors
/// Why that cannot be said.
pub fn partition_key(world: &World<'_>, fragment: &Fragment, table: ObjectId) -> Analysed<String> {
    world.reads(fragment)?;
    let Ok((tree, _)) = fragment.tree() else { return undecided("a syntax error") };
    let key = tree.get("partspec");
    let (word, method) = match key.get("strategy").int() {
        1 => ("LIST", "btree"),
        2 => ("RANGE", "btree"),
        3 => ("HASH", "hash"),
        _ => return undecided("a strategy that is not known"),
    };
    let mut keys = Vec::new();
    for element in key.get("part_params").items() {
        keys.push(index::key(world, element, table, method)?);
    }
    Ok(format!("{word} ({})", keys.join(", ")))
}

/// The types of a partitioned table's key.
fn key_types(world: &World<'_>, table: ObjectId) -> Analysed<Vec<(Type, i32)>> {
    let key = match world.catalog.get(table).map(|entry| &entry.object) {
        Some(Object::Table(found)) => found.partition_by.as_ref(),
        _ => None,
    };
    let Some(Ok((tree, _))) = key.map(Fragment::tree) else { return undecided("a table without a key") };
    let mut found = Vec::new();
    for element in tree.get("partspec").get("part_params").items() {
        let (mut analyser, _) = place::around(world, Seen::Columns(table))?;
        let expr = match element.get("name").str() {
            "" => analyser.expression(element.get("expr"))?,
            name => analyser.scope.column(&[name])?,
        };
        found.push((expr.of, expr.modifier));
    }
    Ok(found)
}

/// What follows the table's name in PARTITION OF.
///
/// # Errors
/// Why that cannot be said.
pub fn bound(world: &World<'_>, fragment: &Fragment, table: ObjectId) -> Analysed<String> {
    world.reads(fragment)?;
    let Ok((tree, _)) = fragment.tree() else { return undecided("a syntax error") };
    let bound = tree.get("partbound");
    if bound.get("is_default").flag() {
        return Ok("DEFAULT".into());
    }
    let types = key_types(world, table)?;
    let list = |field: &str, of: &dyn Fn(usize) -> Option<(Type, i32)>| -> Analysed<String> {
        let mut values = Vec::new();
        for (place, value) in bound.get(field).items().iter().enumerate() {
            let Some((of, modifier)) = of(place) else { return undecided("a bound of another length") };
            values.push(bound_value(world, value, of, modifier)?);
        }
        Ok(values.join(", "))
    };
    match bound.get("strategy").str() {
        "h" => Ok(format!(
            "FOR VALUES WITH (modulus {}, remainder {})",
            bound.get("modulus").int(),
            bound.get("remainder").int()
        )),
        "l" => Ok(format!("FOR VALUES IN ({})", list("listdatums", &|_| types.first().copied())?)),
        "r" => Ok(format!(
            "FOR VALUES FROM ({}) TO ({})",
            list("lowerdatums", &|place| types.get(place).copied())?,
            list("upperdatums", &|place| types.get(place).copied())?
        )),
        _ => undecided("a bound of another strategy"),
    }
}

/// `transformPartitionBoundValue`: a constant of the key's type, printed without it.
fn bound_value(world: &World<'_>, tree: &Tree, of: Type, modifier: i32) -> Analysed<String> {
    if tree.name() == "ColumnRef" {
        return match tree.get("fields").strings()[..] {
            ["minvalue"] => Ok("MINVALUE".into()),
            ["maxvalue"] => Ok("MAXVALUE".into()),
            _ => undecided("a name as a bound"),
        };
    }
    if modifier >= 0 && !of.is("varchar") {
        return undecided("a bound of a type of some length");
    }
    let value = match Analyser::new(world).expression(tree)? {
        Expr { node: Node::Constant(value), of: given, .. } => (value, given),
        // A literal with its cast to the very type.
        Expr { node: Node::Cast(inner, Form::Explicit, _), of: given, .. } if given == of => match *inner {
            Expr { node: Node::Constant(value), of: given, .. } => (value, given),
            _ => return undecided("a bound that is computed"),
        },
        _ => return undecided("a bound that is computed"),
    };
    let (Some(text), given) = value else { return Ok("NULL".into()) };
    let whole = |of: Type| ["int2", "int4", "int8"].iter().any(|name| of.is(name));
    let texts = |of: Type| ["text", "varchar"].iter().any(|name| of.is(name));
    let value = if given.is_unknown() || whole(given) && whole(of) || texts(given) && texts(of) {
        constant::input(world, of, &text)?
    } else if given == of || whole(given) && of.is("numeric") {
        text
    } else {
        return undecided("a bound of another type");
    };
    let digit = value.starts_with(|first: char| first.is_ascii_digit());
    let bare = of.is("bool") || digit && (of.is("int4") || of.is("numeric") && value.contains('.'));
    Ok(if bare { value } else { format!("'{}'", sql::doubled(&value)) })
}

/// What follows the name in CREATE STATISTICS, without FROM.
///
/// # Errors
/// Why that cannot be said.
pub fn statistics(world: &World<'_>, fragment: &Fragment, table: ObjectId) -> Analysed<String> {
    const KINDS: [&str; 3] = ["ndistinct", "dependencies", "mcv"];
    world.reads(fragment)?;
    let Ok((tree, _)) = fragment.tree() else { return undecided("a syntax error") };
    let kinds = tree.get("stat_types").strings();
    if kinds.iter().any(|kind| !KINDS.contains(kind)) {
        return undecided("statistics that are not known");
    }
    let columns = Analyser::new(world).columns(table)?;
    let (mut places, mut expressions) = (Vec::new(), Vec::new());
    for element in tree.get("exprs").items() {
        let (mut analyser, names) = place::around(world, Seen::Columns(table))?;
        let expr = match element.get("name").str() {
            "" => analyser.expression(element.get("expr"))?,
            name => analyser.scope.column(&[name])?,
        };
        match &expr.node {
            Node::Column { number, name, .. } => places.push((*number, *name)),
            _ => expressions.push(plain(world, &expr, names)?),
        }
    }
    if places.iter().any(|(number, _)| *number >= columns.len()) {
        return undecided("statistics of a column that every table has");
    }
    // Columns come first, in the order of the table.
    places.sort_unstable();
    places.dedup();
    let count = places.len() + expressions.len();
    let mut keys: Vec<String> = places.iter().map(|(_, name)| sql::quoted(*name).to_owned()).collect();
    keys.extend(expressions);
    let all = kinds.is_empty() || KINDS.iter().all(|kind| kinds.contains(kind));
    let head = if all || count < 2 {
        String::new()
    } else {
        let kinds: Vec<&str> = KINDS.into_iter().filter(|kind| kinds.contains(kind)).collect();
        format!("({}) ", kinds.join(", "))
    };
    Ok(format!("{head}ON {}", keys.join(", ")))
}

/// An expression of statistics: these alone are printed with only the parentheses that are needed, which is the same
/// for a call or an operator on columns and plain constants.
fn plain(world: &World<'_>, expr: &Expr, names: crate::analyse::naming::Names) -> Analysed<String> {
    let simple = |expr: &Expr| matches!(&expr.node, Node::Column { .. } | Node::Constant(Some(_)));
    let text = place::print(world, expr, names, false)?;
    match &expr.node {
        Node::Call(call) if call.syntax.is_none() && call.arguments.iter().all(simple) => Ok(text),
        Node::Operator(_, Some(left), right) if simple(left) && simple(right) => Ok(text),
        _ => undecided("an expression of statistics"),
    }
}

/// A default of a routine's argument.
///
/// # Errors
/// Why that cannot be said.
pub fn argument(world: &World<'_>, fragment: &Fragment, of: crate::type_name::TypeName) -> Analysed<String> {
    if types::of(&of)?.0.is_polymorphic() {
        return undecided("an argument of any type");
    }
    place::expression(world, fragment, place::Place::Assigned(Seen::Nothing, of))
}
