//! Settings that hold during a call: `SET search_path TO …`.
//!
//! pg_proc.proconfig holds one text for each. Where a setting is a list of names, that text is the names, quoted and
//! separated by commas; PostgreSQL would take a single literal with commas for one name.

use crate::fragment::Aside;
use crate::ident::{Ident, Text};
use crate::names;
use crate::sql::{self, Sql};
use std::collections::BTreeMap;

/// Settings by name, in lower case: in PostgreSQL too, two spellings are one setting.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub struct Settings(BTreeMap<Ident, Setting>);

/// One setting.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
struct Setting {
    /// Its name as it is spelt. That of a setting which PostgreSQL does not know (`"My.tenant"`) is kept as it was
    /// spelt first in the session, and SET and RESET find it by that spelling only.
    name: Aside<Ident>,
    /// A text as pg_proc.proconfig holds it.
    value: Text,
}

/// `GUC_LIST_QUOTE`: the list of pg_dump's `variable_is_guc_list_quote`.
const NAME_LISTS: &[&str] = &[
    "local_preload_libraries",
    "search_path",
    "session_preload_libraries",
    "shared_preload_libraries",
    "temp_tablespaces",
    "unix_socket_directories",
];

fn is_name_list(name: Ident) -> bool {
    NAME_LISTS.contains(&name.as_str())
}

impl Settings {
    /// The value of a setting; `name` is in lower case.
    pub fn get(&self, name: &str) -> Option<Text> {
        self.0.get(&Ident::new(name)).map(|setting| setting.value)
    }

    /// Takes a setting from pg_proc.proconfig.
    pub fn insert_stored(&mut self, name: &str, value: &str) {
        let key = key(name);
        let value = if is_name_list(key) { joined(&elements(value)) } else { value.to_owned() };
        self.insert(name, &value);
    }

    /// Takes a setting from a file. The only value of a list of names may hold several, separated by commas.
    pub fn insert_written(&mut self, name: &str, values: &[&str]) {
        let is_name_list = is_name_list(key(name));
        let value = match values {
            [one] if is_name_list && one.contains(',') => joined(&elements(one)),
            _ if is_name_list => joined(&values.iter().map(|one| unquoted(one)).collect::<Vec<_>>()),
            _ => values.join(", "),
        };
        self.insert(name, &value);
    }

    fn insert(&mut self, name: &str, value: &str) {
        let key = key(name);
        // PostgreSQL keeps its own spelling of its own settings; people write them in lower case.
        let name = if name.contains('.') { Ident::new(name) } else { key };
        self.0.insert(key, Setting { name: Aside(name), value: Text::new(value) });
    }

    /// The settings as people write them: names of a list one by one.
    pub fn written(&self) -> Vec<(Ident, Vec<String>)> {
        let names = |value: Text| {
            elements(value.as_str()).iter().map(|one| sql::quoted(Ident::new(one)).to_owned()).collect()
        };
        self.0
            .iter()
            .map(|(key, Setting { name, value })| {
                (name.0, if is_name_list(*key) { names(*value) } else { vec![value.as_str().to_owned()] })
            })
            .collect()
    }

    /// Writes what leads from `old` to `self`.
    pub fn changes(&self, old: &Settings, sql: &mut Sql) {
        for (key, setting) in self.0.iter().filter(|(key, setting)| old.0.get(*key) != Some(*setting)) {
            let Setting { name: Aside(own), value } = setting;
            // Another spelling of what is there would stand beside it.
            let name = old.0.get(key).map_or(*own, |old| old.name.0);
            sql.kw("SET");
            setting_name(sql, name);
            sql.kw("TO");
            if !is_name_list(*key) {
                sql.literal(value.as_str());
                continue;
            }
            let items: Vec<Sql> = elements(value.as_str())
                .iter()
                .map(|element| {
                    let mut item = Sql::default();
                    // A name between double quotes cannot be empty.
                    if element.is_empty() {
                        item.literal("");
                    } else {
                        item.ident(Ident::new(element));
                    }
                    item
                })
                .collect();
            if items.is_empty() {
                sql.literal("");
            } else {
                sql.list(&items);
            }
        }
        for (_, setting) in old.0.iter().filter(|(key, _)| !self.0.contains_key(*key)) {
            sql.kw("RESET");
            setting_name(sql, setting.name.0);
        }
    }
}

fn key(name: &str) -> Ident {
    Ident::new(&name.to_ascii_lowercase())
}

/// Settings of extensions are qualified: `auto_explain.log_min_duration`.
fn setting_name(sql: &mut Sql, name: Ident) {
    match name.as_str().split_once('.') {
        Some((space, own)) => {
            sql.ident(Ident::new(space)).kw(".").tight().ident(Ident::new(own));
        }
        None => {
            sql.ident(name);
        }
    }
}

/// `"$user"` with its quotes, or a name as it is.
fn unquoted(text: &str) -> String {
    match names::dotted_name(text, 0) {
        Some((parts, end)) if text.starts_with('"') && end == text.len() && parts.len() == 1 => {
            parts[0].to_string()
        }
        _ => text.to_owned(),
    }
}

fn joined(elements: &[String]) -> String {
    let quoted: Vec<&str> = elements.iter().map(|element| sql::quoted(Ident::new(element))).collect();
    quoted.join(", ")
}

/// The names of a list, as `SplitIdentifierString` takes them apart.
fn elements(value: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut rest = value.trim();
    while !rest.is_empty() {
        let (element, after) = if let Some(quoted) = rest.strip_prefix('"') {
            let mut element = String::new();
            let mut tail = quoted;
            loop {
                let Some(end) = tail.find('"') else {
                    element.push_str(tail);
                    break (element, "");
                };
                element.push_str(&tail[..end]);
                tail = &tail[end + 1..];
                match tail.strip_prefix('"') {
                    Some(more) => {
                        element.push('"');
                        tail = more;
                    }
                    None => break (element, tail),
                }
            }
        } else {
            let end = rest.find(',').unwrap_or(rest.len());
            (rest[..end].trim().to_ascii_lowercase(), &rest[end..])
        };
        found.push(element);
        let after = after.trim_start();
        rest = after.strip_prefix(',').unwrap_or(after).trim_start();
    }
    found
}
