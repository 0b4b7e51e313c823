//! Policies as people write them.

use super::{Command, Policy};
use crate::code::Code;
use crate::declare::frame;
use crate::diagnostic::Diagnostic;
use crate::fragment::{Fragment, Grammar};
use crate::ident::Ident;
use crate::reference::Reference;
use crate::span::Span;
use crate::spec::PolicySpec;
use crate::spec::security::{PolicyCommand, PolicyMode};
use crate::yaml::Sql;

/// A policy; `place` is its name's.
///
/// # Errors
/// What PostgreSQL's grammar says, and conditions that the command cannot have.
pub fn policy(spec: &PolicySpec, place: Span) -> Result<Policy, Diagnostic> {
    let command = match spec.r#for.map(|command| command.value) {
        None | Some(PolicyCommand::All) => Command::All,
        Some(PolicyCommand::Select) => Command::Select,
        Some(PolicyCommand::Insert) => Command::Insert,
        Some(PolicyCommand::Update) => Command::Update,
        Some(PolicyCommand::Delete) => Command::Delete,
    };
    let refuse =
        |sql: &Sql, message: &str| Err(Diagnostic::error(Code::WrongStatement, message).at(sql.span()));
    match (command, &spec.using, &spec.with_check) {
        (Command::Insert, Some(using), _) => {
            return refuse(using, "a policy for INSERT has only `with_check`: there is no row to see yet");
        }
        (Command::Select | Command::Delete, _, Some(check)) => {
            return refuse(check, "a policy for SELECT or DELETE has only `using`: no row is written");
        }
        _ => {}
    }
    let mut roles: Vec<Reference> = spec
        .to
        .iter()
        .map(|name| {
            Reference::role(crate::declare::role(crate::declare::written_ident(name)), Some(name.span))
        })
        .collect();
    if roles.is_empty() {
        roles.push(Reference::role(Ident::new("public"), Some(place)));
    }
    roles.sort_by_key(|role| role.name);
    roles.dedup_by_key(|role| role.name);
    Ok(Policy {
        command,
        permissive: !spec.r#as.is_some_and(|mode| mode.value == PolicyMode::Restrictive),
        roles,
        using: spec.using.as_ref().map(condition).transpose()?,
        check: spec.with_check.as_ref().map(condition).transpose()?,
    })
}

fn condition(sql: &Sql) -> Result<Fragment, Diagnostic> {
    frame::unread(sql, Grammar::Expression)
}
