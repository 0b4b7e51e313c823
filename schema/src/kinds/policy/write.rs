//! Policies in the files of an import.

use super::{Command, Policy};
use crate::id::ObjectId;
use crate::write::{Node, Writer, name};

/// A policy.
pub fn write(policy: &Policy, id: ObjectId, out: &mut Writer<'_>) {
    let Policy { command, permissive, roles, using, check } = policy;
    let entry = out.entry(id);
    let word = match command {
        Command::All => None,
        Command::Select => Some("select"),
        Command::Insert => Some("insert"),
        Command::Update => Some("update"),
        Command::Delete => Some("delete"),
    };
    if let Some(word) = word {
        entry.set("for", Node::word(word));
    }
    if !permissive {
        entry.set("as", Node::word("restrictive"));
    }
    match roles.as_slice() {
        [one] if one.name.as_str() == "public" => {}
        [one] => drop(entry.set("to", Node::Text(name(one.name)))),
        all => {
            let all = all.iter().map(|role| Node::Text(name(role.name))).collect();
            entry.set("to", Node::List(all));
        }
    }
    if let Some(using) = using {
        entry.set("using", Node::Sql(using.text().into()));
    }
    if let Some(check) = check {
        entry.set("with_check", Node::Sql(check.text().into()));
    }
}
