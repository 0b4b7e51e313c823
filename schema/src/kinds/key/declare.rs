//! Keys as people write them: `(a, b)`, `nulls not distinct (a, b)`, with what follows the columns.

use super::Key;
use crate::declare::constraint::{self, Constraint};
use crate::declare::frame::Frame;
use crate::diagnostic::Diagnostic;
use crate::ident::Ident;
use crate::kinds::key::Timing;
use crate::kinds::options::Options;
use crate::object::Object;
use crate::spec::KeySpec;
use crate::tree::Tree;
use crate::yaml::{Flag, Sql, Written};

/// A key from its short or long form.
///
/// # Errors
/// What PostgreSQL's grammar says, with its place.
pub fn key(name: Option<Ident>, written: &Written<KeySpec>, primary: bool) -> Result<Constraint, Diagnostic> {
    let (sql, long) = match written {
        Written::Short(sql) => (sql, None),
        Written::Long(spec) => (&spec.definition, Some(spec)),
    };
    let mut constraint = short(name, sql, primary)?;
    if let Some(spec) = long {
        set_timing(&mut constraint, spec.deferrable, spec.initially_deferred)?;
        if let Object::Key(key) = &mut constraint.object {
            key.clustered = spec.clustered.is_some_and(|flag| flag.value);
        }
        constraint.comment.clone_from(&spec.comment);
        constraint.index_comment.clone_from(&spec.index_comment);
    }
    Ok(constraint)
}

/// A key from what follows PRIMARY KEY or UNIQUE.
///
/// # Errors
/// What PostgreSQL's grammar says, with its place.
pub fn short(name: Option<Ident>, sql: &Sql, primary: bool) -> Result<Constraint, Diagnostic> {
    let (frame, node) = constraint::read(sql, if primary { "PRIMARY KEY" } else { "UNIQUE" })?;
    let key = from_tree(&frame, &node, &[]);
    let columns = constraint::places(&frame, 0, &[key.columns.as_slice(), &key.include].concat());
    Ok(Constraint {
        name,
        named_after: if primary { Vec::new() } else { [key.columns.as_slice(), &key.include].concat() },
        object: Object::Key(key),
        columns,
        comment: None,
        index_comment: None,
        span: sql.span(),
    })
}

/// A key from its node; `column` is the column behind which it stands.
pub fn from_tree(_: &Frame<'_>, node: &Tree, column: &[Ident]) -> Key {
    let tablespace = node.get("indexspace").str();
    Key {
        primary: node.get("contype").int() == constraint::kind::PRIMARY,
        columns: if column.is_empty() { constraint::columns(node.get("keys")) } else { column.to_vec() },
        include: constraint::columns(node.get("including")),
        nulls_not_distinct: node.get("nulls_not_distinct").flag(),
        without_overlaps: node.get("without_overlaps").flag(),
        timing: constraint::timing(node),
        options: Options::from_tree(node.get("options").items()),
        tablespace: (!tablespace.is_empty()).then(|| Ident::new(tablespace)),
        clustered: false,
        invalid: false,
    }
}

/// `deferrable:` and `initially_deferred:` of a long form.
///
/// # Errors
/// The definition says it too.
pub fn set_timing(
    constraint: &mut Constraint,
    deferrable: Option<Flag>,
    deferred: Option<Flag>,
) -> Result<(), Diagnostic> {
    let said = match &constraint.object {
        Object::Key(key) => key.timing,
        Object::ForeignKey(key) => key.timing,
        Object::Exclusion(exclusion) => exclusion.timing,
        _ => Timing::Immediate,
    };
    let spoken = deferrable.map(|flag| (flag, "deferrable"));
    let spoken = spoken.or(deferred.map(|flag| (flag, "initially_deferred")));
    if let Some((flag, key)) = spoken.filter(|_| said != Timing::Immediate) {
        return Err(constraint::twice(flag.span, key));
    }
    let on = |flag: Option<Flag>| flag.is_some_and(|flag| flag.value);
    constraint.set_timing(match (on(deferrable), on(deferred)) {
        (_, true) => Timing::Deferred,
        (true, false) => Timing::Deferrable,
        (false, false) => said,
    });
    Ok(())
}
