//! Storage parameters and view options: `WITH (fillfactor = 70)`.

use crate::ident::{Ident, Text};
use crate::sql::Sql;
use crate::tree::Tree;
use crate::write::{Map, Node};
use crate::yaml;
use indexmap::IndexMap;
use std::collections::BTreeMap;
use std::hash::{Hash, Hasher};

/// Options by name. Values are texts as pg_class.reloptions holds them.
///
/// They keep the order in which they were written, as PostgreSQL does; it plays no part in equality.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Options(#[serde(with = "indexmap::map::serde_seq")] pub IndexMap<Ident, Text>);

impl Hash for Options {
    fn hash<H: Hasher>(&self, state: &mut H) {
        let sorted: BTreeMap<&Ident, &Text> = self.0.iter().collect();
        sorted.hash(state);
    }
}

impl Options {
    /// Options from the list of a parse tree; one without a value is `true`.
    pub fn from_tree(list: &[Tree]) -> Self {
        let option = |node: &Tree| {
            let (space, name) = (node.get("defnamespace").str(), node.get("defname").str());
            let name = if space.is_empty() { name.to_owned() } else { format!("{space}.{name}") };
            (Ident::new(&name), Text::new(&value(node.get("arg"))))
        };
        Self(list.iter().map(option).collect())
    }

    /// Options from a mapping of a file.
    pub fn declared(map: &yaml::Map<yaml::Text>) -> Self {
        let option =
            |(name, value): &(yaml::Name, yaml::Text)| (Ident::new(name.as_str()), Text::new(value.as_str()));
        Self(map.iter().map(option).collect())
    }

    /// Writes them into an entry of an import.
    pub fn write(&self, entry: &mut Map) {
        for (name, value) in &self.0 {
            entry.named("options").put(name.as_str(), "", 0, Node::word_or_text(value.as_str()));
        }
    }

    /// Adds `WITH (…)` when there are options.
    pub fn with(&self, sql: &mut Sql) {
        if !self.0.is_empty() {
            sql.kw("WITH");
            self.list(sql);
        }
    }

    fn list(&self, sql: &mut Sql) {
        let items: Vec<Sql> = self
            .0
            .iter()
            .map(|(name, value)| {
                let mut item = Sql::default();
                option_name(&mut item, *name);
                item.kw("=").literal(value.as_str());
                item
            })
            .collect();
        sql.kw("(").list(&items).kw(")");
    }

    /// Those whose names begin so.
    #[must_use]
    pub fn only(&self, space: &str) -> Options {
        let some = self.0.iter().filter(|(name, _)| name.as_str().starts_with(space));
        Options(some.map(|(name, value)| (*name, *value)).collect())
    }

    /// Adds `OPTIONS (name 'value')`, as foreign data has them.
    pub fn generic(&self, sql: &mut Sql) {
        if self.0.is_empty() {
            return;
        }
        let items: Vec<Sql> = self.0.iter().map(|(name, value)| generic("", *name, Some(*value))).collect();
        sql.kw("OPTIONS (").tight().list(&items).kw(")");
    }

    /// Adds `OPTIONS (ADD …, SET …, DROP …)`.
    pub fn generic_changes(&self, new: &Options, sql: &mut Sql) {
        let (set, reset) = self.changes(new);
        let mut items: Vec<Sql> = reset.into_iter().map(|name| generic("DROP", name, None)).collect();
        items.extend(set.0.iter().map(|(name, value)| {
            generic(if self.0.contains_key(name) { "SET" } else { "ADD" }, *name, Some(*value))
        }));
        sql.kw("OPTIONS (").tight().list(&items).kw(")");
    }

    /// What to set and what to reset to get from `self` to `new`.
    pub fn changes(&self, new: &Options) -> (Options, Vec<Ident>) {
        let set = new.0.iter().filter(|(name, value)| self.0.get(*name) != Some(*value));
        let reset = self.0.keys().filter(|name| !new.0.contains_key(*name));
        (Options(set.map(|(n, v)| (*n, *v)).collect()), reset.copied().collect())
    }

    /// The statements that change options, each behind `head` (`ALTER TABLE app.t`).
    pub fn alter(&self, new: &Options, head: &Sql) -> Vec<Sql> {
        let (set, reset) = self.changes(new);
        let mut statements = Vec::new();
        if !set.0.is_empty() {
            let mut sql = head.clone();
            sql.kw("SET");
            set.list(&mut sql);
            statements.push(sql);
        }
        if !reset.is_empty() {
            let mut sql = head.clone();
            let names: Vec<Sql> = reset
                .iter()
                .map(|name| {
                    let mut item = Sql::default();
                    option_name(&mut item, *name);
                    item
                })
                .collect();
            sql.kw("RESET (").list(&names).kw(")");
            statements.push(sql);
        }
        statements
    }
}

fn generic(word: &'static str, name: Ident, value: Option<Text>) -> Sql {
    let mut item = Sql::default();
    if !word.is_empty() {
        item.kw(word);
    }
    item.ident(name);
    if let Some(value) = value {
        item.literal(value.as_str());
    }
    item
}

/// Options may be qualified: `toast.autovacuum_enabled`.
fn option_name(sql: &mut Sql, name: Ident) {
    match name.as_str().split_once('.') {
        Some((space, own)) => {
            sql.ident(Ident::new(space)).kw(".").tight().ident(Ident::new(own));
        }
        None => {
            sql.ident(name);
        }
    }
}

/// The text of an option's value, as pg_class.reloptions has it.
pub fn value(node: &Tree) -> String {
    match node.name() {
        "" => "true".into(),
        "Integer" => node.get("ival").int().to_string(),
        "Float" => node.get("fval").str().to_owned(),
        "Boolean" => node.get("boolval").flag().to_string(),
        "TypeName" => node.get("names").strings().join("."),
        _ => node.str().to_owned(),
    }
}
