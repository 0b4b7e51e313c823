//! Privileges in the files of an import: for each grantee a list, those on single columns included.

use super::{Grant, all_privileges};
use crate::id::ObjectId;
use crate::ident::{Ident, Text};
use crate::object::{Kind, Object};
use crate::sql::Sql;
use crate::write::{Node, Writer};
use std::collections::BTreeMap;

/// The privileges of one grantee.
pub fn write(grant: &Grant, id: ObjectId, out: &mut Writer<'_>) {
    let Some(target) = id.parent() else { return };
    let goes_without_saying = is_standard(target, out) || is_execute_of_all(grant, target, id.name());
    if goes_without_saying {
        return out.leave_out(id);
    }
    let object = target.parent().filter(|_| target.kind() == Kind::Column).unwrap_or(target);
    let mut items = Vec::new();
    if object == target {
        items.extend(whole(grant, target.kind(), out.version));
    } else if out.catalog.contains(ObjectId::of(Kind::Grant, object, id.name())) {
        // It stands with those on the whole object.
        return;
    }
    items.extend(of_columns(object, id.name(), out));
    let node = match items.as_slice() {
        [] => Node::word("none"),
        [_] => items.remove(0),
        _ => Node::List(items),
    };
    out.entry(object).named("grants").put(id.name().as_str(), "", 0, node);
}

/// Everybody may call a routine and use a type unless its entry says otherwise.
fn is_execute_of_all(grant: &Grant, target: ObjectId, grantee: Ident) -> bool {
    let word = if target.kind().is_routine() { "EXECUTE" } else { "USAGE" };
    let plain = Grant { privileges: [(Text::new(word), false)].into_iter().collect() };
    (target.kind().is_routine() || target.kind().is_type()) && grantee.as_str() == "public" && *grant == plain
}

/// `all`, or the single privileges; those with grant option in an item of their own.
pub fn whole(grant: &Grant, kind: Kind, version: u32) -> Vec<Node> {
    let every = all_privileges(kind, version);
    let words = |option: bool| {
        grant
            .privileges
            .iter()
            .filter(move |(_, with)| **with == option)
            .map(|(word, _)| *word)
            .collect::<Vec<_>>()
    };
    let is_all = |words: &[Text]| {
        every.len() > 1 && every.iter().all(|one| words.iter().any(|word| word.as_str() == *one))
    };
    let (plain, option) = (words(false), words(true));
    let lower =
        |words: &[Text]| words.iter().map(|word| word.as_str().to_ascii_lowercase()).collect::<Vec<_>>();
    let mut items: Vec<Node> = if is_all(&plain) {
        vec![Node::word("all")]
    } else {
        lower(&plain).into_iter().map(Node::Word).collect()
    };
    if !option.is_empty() {
        let list = if is_all(&option) { "all".to_owned() } else { lower(&option).join(", ") };
        items.push(Node::Sql(format!("{list} with grant option")));
    }
    items
}

/// `update (title, content)` for each privilege that the grantee has on columns.
fn of_columns(object: ObjectId, grantee: Ident, out: &Writer<'_>) -> Vec<Node> {
    let mut by_word: BTreeMap<(bool, Text), Vec<(u32, Ident)>> = BTreeMap::new();
    for below in out.catalog.descendants(object) {
        let Some(column) = below.parent().filter(|column| column.kind() == Kind::Column) else { continue };
        let Some(Object::Grant(grant)) = out.catalog.get(below).map(|entry| &entry.object) else { continue };
        if below.name() != grantee {
            continue;
        }
        let place = out.catalog.get(column).map_or(0, |entry| entry.object.place());
        let place = match out.catalog.get(column).map(|entry| &entry.object) {
            Some(Object::Column(column)) => column.position.0,
            _ => place,
        };
        for (word, option) in &grant.privileges {
            by_word.entry((*option, *word)).or_default().push((place, column.name()));
        }
    }
    by_word
        .into_iter()
        .map(|((option, word), mut columns)| {
            columns.sort_unstable();
            let names: Vec<Ident> = columns.into_iter().map(|(_, name)| name).collect();
            let mut sql = Sql::default();
            sql.idents(&names);
            let tail = if option { " with grant option" } else { "" };
            Node::Sql(format!("{} {}{tail}", word.as_str().to_ascii_lowercase(), sql.text()))
        })
        .collect()
}

/// Whether these are the privileges that the schema `public` has in every new database.
fn is_standard(target: ObjectId, out: &Writer<'_>) -> bool {
    if target.kind() != Kind::Schema || target.name().as_str() != "public" {
        return false;
    }
    let mut words = vec!["USAGE"];
    if out.version < 15 {
        words.insert(0, "CREATE");
    }
    let grants: Vec<_> = out.catalog.children_of(target, Kind::Grant).collect();
    let [one] = grants.as_slice() else { return false };
    match out.catalog.get(*one).map(|entry| &entry.object) {
        Some(Object::Grant(grant)) if one.name().as_str() == "public" => grant
            .privileges
            .iter()
            .map(|(word, option)| (word.as_str(), *option))
            .eq(words.iter().map(|word| (*word, false))),
        _ => false,
    }
}
