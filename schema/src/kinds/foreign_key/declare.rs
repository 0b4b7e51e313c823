//! Foreign keys as people write them: `(user_id) references auth.users (id) on delete cascade`.

use super::{Action, ForeignKey};
use crate::declare::constraint::{self, Constraint};
use crate::declare::frame::Frame;
use crate::diagnostic::Diagnostic;
use crate::ident::Ident;
use crate::kinds::key::declare::set_timing;
use crate::object::Object;
use crate::spec::ForeignKeySpec;
use crate::tree::Tree;
use crate::yaml::Written;

/// A foreign key from its short or long form.
///
/// # Errors
/// What PostgreSQL's grammar says, with its place.
pub fn foreign_key(name: Option<Ident>, written: &Written<ForeignKeySpec>) -> Result<Constraint, Diagnostic> {
    let (sql, long) = match written {
        Written::Short(sql) => (sql, None),
        Written::Long(spec) => (&spec.definition, Some(spec)),
    };
    let (frame, node) = constraint::read(sql, "FOREIGN KEY")?;
    let mut key = from_tree(&frame, &node, &[])?;
    if let Some(spec) = long {
        key.not_valid |= spec.not_valid.is_some_and(|flag| flag.value);
        if spec.enforced.is_some_and(|flag| !flag.value) {
            (key.not_enforced, key.not_valid) = (true, false);
        }
    }
    let mut constraint = Constraint {
        name,
        named_after: key.columns.clone(),
        columns: constraint::places(&frame, 0, &key.columns),
        object: Object::ForeignKey(key),
        comment: None,
        index_comment: None,
        span: sql.span(),
    };
    if let Some(spec) = long {
        set_timing(&mut constraint, spec.deferrable, spec.initially_deferred)?;
        constraint.comment.clone_from(&spec.comment);
    }
    Ok(constraint)
}

/// A foreign key from its node; `column` is the column behind which it stands.
///
/// # Errors
/// MATCH PARTIAL, which PostgreSQL does not have.
pub fn from_tree(frame: &Frame<'_>, node: &Tree, column: &[Ident]) -> Result<ForeignKey, Diagnostic> {
    if node.get("fk_matchtype").str() == "p" {
        let at = frame.at(node.get("location"));
        return Err(frame.refuse(at, "PostgreSQL does not have MATCH PARTIAL"));
    }
    let action = |field: &str| match node.get(field).str() {
        "r" => Action::Restrict,
        "c" => Action::Cascade,
        "n" => Action::SetNull(constraint::columns(node.get("fk_del_set_cols"))),
        "d" => Action::SetDefault(constraint::columns(node.get("fk_del_set_cols"))),
        _ => Action::NoAction,
    };
    let without_columns = |action: Action| match action {
        Action::SetNull(_) => Action::SetNull(Vec::new()),
        Action::SetDefault(_) => Action::SetDefault(Vec::new()),
        other => other,
    };
    let not_enforced = !node.get("is_enforced").flag();
    Ok(ForeignKey {
        columns: if column.is_empty() { constraint::columns(node.get("fk_attrs")) } else { column.to_vec() },
        target: frame.relation(node.get("pktable")),
        target_columns: constraint::columns(node.get("pk_attrs")),
        match_full: node.get("fk_matchtype").str() == "f",
        on_delete: action("fk_del_action"),
        on_update: without_columns(action("fk_upd_action")),
        timing: constraint::timing(node),
        not_valid: node.get("skip_validation").flag() && !not_enforced,
        not_enforced,
        period: node.get("fk_with_period").flag(),
    })
}
