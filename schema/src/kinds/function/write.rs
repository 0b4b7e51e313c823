//! Functions and procedures in the files of an import.

use super::settings::Settings;
use super::{Attributes, Body, Function, Returns, argument};
use crate::fragment::without_outer_space;
use crate::id::ObjectId;
use crate::ident::Ident;
use crate::kinds::grant;
use crate::reference::Reference;
use crate::sql::Sql;
use crate::write::{Map, Node, Writer, name};

/// A routine.
pub fn write(function: &Function, id: ObjectId, out: &mut Writer<'_>) {
    out.routine(id, if function.procedure { "procedures" } else { "functions" });
    let owner = function.owner.0.filter(|owner| Some(*owner) != out.owner);
    let everybody = out.catalog.contains(grant::id(id, Ident::new("public")));
    let entry = out.entry(id);
    if let Some(owner) = owner {
        entry.set("owner", Node::Text(name(owner)));
    }
    if !everybody {
        entry.set("public", Node::word("none"));
    }
    if !function.arguments.is_empty() {
        let mut sql = Sql::default();
        sql.list(&function.arguments.iter().map(argument).collect::<Vec<_>>());
        entry.set("arguments", Node::Sql(sql.into_text()));
    }
    if let Some(returns) = &function.returns {
        entry.set("returns", Node::Sql(result(returns)));
    }
    if function.language.as_str() != "sql" {
        entry.set("language", Node::Text(name(function.language)));
    }
    let attributes = attributes(function);
    if !attributes.is_empty() {
        entry.set("attributes", Node::Sql(attributes));
    }
    settings(&function.attributes.settings, entry);
    match &function.body {
        Body::Text(text) => body(text.text(), entry),
        Body::Sql(text) => entry.set("body", Node::Sql(text.text().into())),
        Body::Library { file, symbol } => {
            entry.set("library", Node::Text(file.as_str().into()));
            entry.set("body", Node::Sql(symbol.as_str().into()))
        }
    };
}

/// A body, exactly: in the form that gives it the white space around it, or with that said beside it.
fn body<'m>(text: &str, entry: &'m mut Map) -> &'m mut Map {
    if !text.contains('\n') && !without_outer_space(text).is_empty() {
        return entry.set("body", Node::Sql(text.into()));
    }
    let lines = text.strip_prefix('\n').filter(|lines| lines.contains('\n'));
    if let Some(lines) = lines.filter(|lines| Node::is_block(lines)) {
        return entry.set("body", Node::Block(lines.into()));
    }
    let core = without_outer_space(text);
    if !text.is_empty() {
        let (before, after) = text.split_once(core).filter(|_| !core.is_empty()).unwrap_or((text, ""));
        let around = [before, after].map(|space| Node::Text(space.into()));
        entry.set("outer_space", Node::List(around.into()));
    }
    entry.set("body", Node::Sql(core.into()))
}

fn result(returns: &Returns) -> String {
    let mut sql = Sql::default();
    match returns {
        Returns::Type { set, type_name } => {
            if *set {
                sql.kw("setof");
            }
            sql.type_name(type_name);
        }
        Returns::Table(columns) => {
            let columns: Vec<Sql> = columns
                .iter()
                .map(|(name, type_name)| {
                    let mut item = Sql::default();
                    item.ident(*name).type_name(type_name);
                    item
                })
                .collect();
            sql.kw("table").kw("(").tight().list(&columns).kw(")");
        }
    }
    sql.into_text()
}

fn attributes(function: &Function) -> String {
    let mut words = Sql::default();
    if function.window {
        words.kw("WINDOW");
    }
    let plain = Attributes { settings: Settings::default(), ..function.attributes.clone() };
    plain.changes(&Attributes::default(), &mut words, function);
    // Keywords and numbers only.
    let mut text = words.into_text().to_ascii_lowercase();
    let mut sql = Sql::default();
    if let Some(support) = function.support.as_ref().and_then(Reference::qname) {
        sql.kw("support").name(support);
    }
    if !function.transforms.is_empty() {
        let types: Vec<Sql> = function
            .transforms
            .iter()
            .map(|one| {
                let mut item = Sql::new("for type");
                item.type_name(one);
                item
            })
            .collect();
        sql.kw("transform").list(&types);
    }
    if !sql.is_empty() {
        text.push(' ');
        text.push_str(sql.text());
    }
    text.trim().to_owned()
}

fn settings(settings: &Settings, entry: &mut Map) {
    for (name, values) in settings.written() {
        let mut values: Vec<Node> = values.into_iter().map(Node::Text).collect();
        let node = if values.len() == 1 { values.remove(0) } else { Node::List(values) };
        entry.named("set").put(name.as_str(), "", 0, node);
    }
}
