//! What PostgreSQL would store for an index: `pg_get_indexdef` behind the table's name.

use crate::analyse::expr::{Expr, Node, Piece};
use crate::analyse::place::{self, Seen};
use crate::analyse::system;
use crate::analyse::world::World;
use crate::analyse::{Analysed, coerce, undecided};
use crate::fragment::Fragment;
use crate::id::ObjectId;
use crate::ident::{Ident, QName};
use crate::kinds::column::Column;
use crate::object::Object;
use crate::sql;
use crate::tree::Tree;

/// What PostgreSQL would store for an index of a relation.
///
/// # Errors
/// Why that cannot be said.
pub fn index(world: &World<'_>, fragment: &Fragment, table: ObjectId) -> Analysed<String> {
    world.reads(fragment)?;
    let Ok((tree, _)) = fragment.tree() else { return undecided("a syntax error") };
    if !tree.get("options").is_nothing() || !tree.get("table_space").is_nothing() {
        return undecided("storage parameters");
    }
    let method = match tree.get("access_method").str() {
        "" => "btree",
        // DefineIndex goes on taking the name that it had.
        "rtree" => "gist",
        method => method,
    };
    let mut text = format!("USING {} (", sql::quoted(Ident::new(method)));
    for (place, element) in tree.get("index_params").items().iter().enumerate() {
        if place > 0 {
            text.push_str(", ");
        }
        text.push_str(&key(world, element, table, method)?);
    }
    text.push(')');
    let included = tree.get("index_including_params").items();
    if !included.is_empty() {
        let mut names = Vec::new();
        for element in included {
            let name = element.get("name").str();
            if name.is_empty() {
                return undecided("an expression that is included");
            }
            names.push(sql::quoted(Ident::new(name)));
        }
        text.push_str(&format!(" INCLUDE ({})", names.join(", ")));
    }
    if tree.get("nulls_not_distinct").flag() {
        text.push_str(" NULLS NOT DISTINCT");
    }
    let predicate = tree.get("where_clause");
    if !predicate.is_nothing() {
        let (mut analyser, names) = place::around(world, Seen::Columns(table))?;
        let expr = analyser.expression(predicate)?;
        let expr = coerce::to_boolean(world, expr)?;
        // A constant TRUE is dropped, and several conditions are kept as one.
        if expr.is_constant() {
            return undecided("a predicate that is a constant");
        }
        text.push_str(" WHERE ");
        text.push_str(&place::print(world, &expr, names, false)?);
    }
    Ok(text)
}

/// A column or expression with how it is sorted.
pub(super) fn key(world: &World<'_>, element: &Tree, table: ObjectId, method: &str) -> Analysed<String> {
    if !element.get("opclassopts").is_nothing() {
        return undecided("parameters of an operator class");
    }
    let mut collations = element.get("collation").strings();
    let (mut analyser, names) = place::around(world, Seen::Columns(table))?;
    let expr = match element.get("name").str() {
        "" => {
            let mut tree = element.get("expr");
            while tree.name() == "CollateClause" {
                if !collations.is_empty() {
                    return undecided("two collations");
                }
                collations = tree.get("collname").strings();
                tree = tree.get("arg");
            }
            analyser.expression(tree)?
        }
        name => analyser.scope.column(&[name])?,
    };
    if expr.of.is_unknown() {
        return undecided("a key of no type");
    }
    let printed = place::print(world, &expr, names, false)?;
    let mut text = if looks_like_function(&expr) { printed } else { format!("({printed})") };
    if let Node::Column { name, .. } = &expr.node {
        text = sql::quoted(*name).to_owned();
    }
    if !collations.is_empty() {
        let name = match collations[..] {
            [name] | ["pg_catalog", name] if matches!(name, "C" | "POSIX") => name,
            _ => return undecided("a collation that depends on the server"),
        };
        let plain = ["text", "varchar", "bpchar"].iter().any(|word| expr.of.is(word));
        if !plain || has_collation(world, &expr, table) {
            return undecided("a collation over another");
        }
        text.push_str(&format!(" COLLATE {}", sql::quoted(Ident::new(name))));
    }
    let classes = element.get("opclass").strings();
    if !classes.is_empty() {
        text.push_str(&operator_class(world, &classes, method, &expr)?);
    }
    let descending = element.get("ordering").int() == 3;
    let nulls = element.get("nulls_ordering").int();
    if method != "btree" && (element.get("ordering").int() > 1 || nulls > 1) {
        return undecided("an order of what has none");
    }
    match (descending, nulls) {
        (true, 3) => text.push_str(" DESC NULLS LAST"),
        (true, _) => text.push_str(" DESC"),
        (false, 2) => text.push_str(" NULLS FIRST"),
        _ => {}
    }
    Ok(text)
}

/// `looks_like_function`: what the grammar takes without parentheses.
fn looks_like_function(expr: &Expr) -> bool {
    let node = &expr.node;
    let is_query = |word: &str| ["JSON_EXISTS(", "JSON_QUERY(", "JSON_VALUE("].contains(&word);
    match node {
        Node::Column { .. } | Node::Call(_) | Node::Value(_) | Node::Among(..) | Node::NullIf(..) => true,
        Node::Spelled(pieces) => matches!(pieces.first(), Some(Piece::Words(word)) if is_query(word)),
        _ => false,
    }
}

/// Whether a key has a collation that is not its type's, as far as can be seen.
fn has_collation(world: &World<'_>, expr: &Expr, table: ObjectId) -> bool {
    let of_column = |name: Ident| {
        let column = world.catalog.column(table, name).and_then(|id| world.catalog.get(id));
        matches!(column.map(|entry| &entry.object), Some(Object::Column(Column { collation: None, .. })))
    };
    match &expr.node {
        Node::Column { name, .. } => !of_column(*name),
        Node::Call(call) => call
            .arguments
            .iter()
            .any(|argument| !argument.is_constant() && has_collation(world, argument, table)),
        Node::Cast(inner, ..) => has_collation(world, inner, table),
        Node::Operator(_, left, right) => {
            left.iter().chain([right]).any(|side| !side.is_constant() && has_collation(world, side, table))
        }
        _ => true,
    }
}

/// `get_opclass_name`: a class is printed unless it is the default of the key's type.
fn operator_class(world: &World<'_>, parts: &[&str], method: &str, expr: &Expr) -> Analysed<String> {
    let name = match parts {
        [name] | ["pg_catalog", name] => *name,
        _ => "",
    };
    let system = system::operator_classes(method, world.version).find(|(class, ..)| *class == name);
    if let Some((class, of, default)) = system {
        let of = super::types::Type::system(of);
        return match (default, of == expr.of) {
            (false, _) => Ok(format!(" {}", sql::quoted(Ident::new(class)))),
            (true, true) => Ok(String::new()),
            (true, false) => undecided("an operator class of another type"),
        };
    }
    let class = world.find(parts, |name: QName| {
        let written = sql::qualified(name);
        world
            .has_operator_class(&format!("{written} USING {}", sql::quoted(Ident::new(method))))
            .then_some(written)
    });
    match class {
        Some(written) => Ok(format!(" {written}")),
        None => undecided(format!("the operator class {}", parts.join("."))),
    }
}
