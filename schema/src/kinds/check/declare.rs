//! Checks as people write them: an expression.

use super::Check;
use crate::declare::constraint::Constraint;
use crate::declare::frame::{self, Frame};
use crate::diagnostic::Diagnostic;
use crate::fragment::{Fragment, Grammar};
use crate::ident::Ident;
use crate::object::Object;
use crate::span::Span;
use crate::spec::CheckSpec;
use crate::tree::Tree;
use crate::yaml::{Sql, Written};

/// A check from its short or long form.
///
/// # Errors
/// What PostgreSQL's grammar says, with its place.
pub fn check(name: Option<Ident>, written: &Written<CheckSpec>) -> Result<Constraint, Diagnostic> {
    let (sql, long) = match written {
        Written::Short(sql) => (sql, None),
        Written::Long(spec) => (&spec.definition, Some(spec)),
    };
    // Only a name that is to be chosen depends on what it says.
    let tree = match name {
        Some(_) => frame::unread(sql, Grammar::Expression).map(|_| Tree::Nothing)?,
        None => frame::expression(sql)?,
    };
    let mut check = plain(sql);
    if let Some(spec) = long {
        check.not_valid = spec.not_valid.is_some_and(|flag| flag.value);
        check.no_inherit = spec.no_inherit.is_some_and(|flag| flag.value);
        if spec.enforced.is_some_and(|flag| !flag.value) {
            (check.not_enforced, check.not_valid) = (true, false);
        }
    }
    let comment = long.and_then(|spec| spec.comment.clone());
    Ok(constraint(name, check, &tree, sql.span(), comment))
}

/// A check from its node, behind a column.
///
/// # Errors
/// There is no expression in parentheses.
pub fn from_tree(
    frame: &Frame<'_>,
    node: &Tree,
    name: Option<Ident>,
    start: usize,
) -> Result<Constraint, Diagnostic> {
    let words = frame.words();
    let keyword = words.find(start, |word| word.eq_ignore_ascii_case("check"));
    let at = keyword.and_then(|index| words.token(index)).map_or(start, |token| token.start);
    let Some(sql) = frame.inside_parentheses(at) else {
        return Err(frame.refuse(start, "a check has its condition in parentheses"));
    };
    let not_enforced = !node.get("is_enforced").flag();
    let check = Check {
        no_inherit: node.get("is_no_inherit").flag(),
        not_valid: node.get("skip_validation").flag() && !not_enforced,
        not_enforced,
        ..plain(&sql)
    };
    Ok(constraint(name, check, node.get("raw_expr"), frame.span(start), None))
}

fn plain(sql: &Sql) -> Check {
    let expression = Fragment::declared(sql, Grammar::Expression);
    Check { expression, no_inherit: false, not_valid: false, not_enforced: false }
}

fn constraint(
    name: Option<Ident>,
    check: Check,
    tree: &Tree,
    span: Span,
    comment: Option<crate::yaml::Text>,
) -> Constraint {
    Constraint {
        name,
        object: Object::Check(check),
        named_after: one_column(tree),
        columns: Vec::new(),
        comment,
        index_comment: None,
        span,
    }
}

/// The column that a chosen name is made of: the only one that the condition mentions.
fn one_column(tree: &Tree) -> Vec<Ident> {
    let mut columns: Vec<Ident> = Vec::new();
    tree.walk(&mut |node| {
        if node.name() == "ColumnRef" {
            columns.extend(node.get("fields").strings().last().map(|name| Ident::new(name)));
        }
    });
    columns.sort();
    columns.dedup();
    if columns.len() > 1 { Vec::new() } else { columns }
}
