//! The tree of a file: keys of the language, and maps of what people name.

use std::collections::BTreeMap;

/// A value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Node {
    /// A word of the language, a number, a flag: never quoted.
    Word(String),
    /// A text or a name.
    Text(String),
    /// SQL.
    Sql(String),
    /// Lines, exactly, line ends at the end included; see [`Node::is_block`].
    Block(String),
    /// A list.
    List(Vec<Node>),
    /// Keys or names with values.
    Map(Map),
    /// A short form, and the long one that it becomes when there is more to say.
    Short(Box<Node>, Map),
}

impl Node {
    /// Whether a text of lines can stand in a block scalar exactly as it is.
    pub fn is_block(text: &str) -> bool {
        super::scalar::is_block(text)
    }

    /// SQL, short, which the long form has under `definition`.
    pub fn definition(sql: String) -> Self {
        let mut long = Map::keys();
        long.set("definition", Node::Sql(sql.clone()));
        Node::Short(Box::new(Node::Sql(sql)), long)
    }

    /// The value of an option: a number or a flag stands as it is.
    pub fn word_or_text(value: &str) -> Self {
        let is_number = !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
        let is_word = is_number || matches!(value, "true" | "false" | "on" | "off");
        if is_word { Node::Word(value.into()) } else { Node::Text(value.into()) }
    }

    /// A word of the language.
    pub fn word(word: impl ToString) -> Self {
        Node::Word(word.to_string())
    }
}

/// An entry of a map.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Item {
    /// Its place among the others; those of one place are in the order of their names.
    pub(super) place: u32,
    pub(super) node: Node,
}

/// Keys or names with values. Their order does not depend on the order in which they were put in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Map {
    /// Whether these are names that people gave, and not keys of the language.
    pub(super) named: bool,
    /// By name, and what tells overloads apart.
    pub(super) items: BTreeMap<(String, String), Item>,
}

impl Map {
    /// A map of keys of the language.
    pub fn keys() -> Self {
        Self { named: false, items: BTreeMap::new() }
    }

    /// A map of names.
    pub fn names() -> Self {
        Self { named: true, items: BTreeMap::new() }
    }

    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// Sets a key of the language.
    pub fn set(&mut self, key: &'static str, node: Node) -> &mut Self {
        self.put(key, "", 0, node);
        self
    }

    /// Adds an item to a list.
    pub fn push(&mut self, key: &'static str, node: Node) {
        let item = self.items.entry((key.to_owned(), String::new()));
        let item = item.or_insert_with(|| Item { place: 0, node: Node::List(Vec::new()) });
        if let Node::List(items) = &mut item.node {
            items.push(node);
        }
    }

    /// Sets a flag when it is on.
    pub fn flag(&mut self, key: &'static str, on: bool) -> &mut Self {
        if on {
            self.set(key, Node::word(true));
        }
        self
    }

    /// The map of names under a key.
    pub fn named(&mut self, key: &'static str) -> &mut Map {
        self.below(key, "", Map::names())
    }

    /// The entry of a name. `which` tells overloads apart.
    pub fn at(&mut self, name: &str, which: &str) -> &mut Map {
        self.below(name, which, Map::keys())
    }

    /// The map of names under a name.
    pub fn below_names(&mut self, name: &str) -> &mut Map {
        self.below(name, "", Map::names())
    }

    fn below(&mut self, name: &str, which: &str, new: Map) -> &mut Map {
        let key = (name.to_owned(), which.to_owned());
        let item = self.items.entry(key).or_insert_with(|| Item { place: 0, node: Node::Map(new.clone()) });
        if !matches!(item.node, Node::Map(_)) {
            let old = std::mem::replace(&mut item.node, Node::Map(new));
            if let Node::Short(_, long) = old {
                item.node = Node::Map(long);
            }
        }
        match &mut item.node {
            Node::Map(map) => map,
            _ => unreachable!("it was just made one"),
        }
    }

    /// Puts a value under a name. What was already written into the entry stays.
    pub fn put(&mut self, name: &str, which: &str, place: u32, node: Node) {
        let key = (name.to_owned(), which.to_owned());
        let known = self.items.remove(&key);
        let node = match (known.map(|item| item.node), node) {
            (Some(Node::Map(known)), Node::Map(mut new) | Node::Short(_, mut new)) => {
                for (key, item) in known.items {
                    new.items.entry(key).or_insert(item);
                }
                Node::Map(new)
            }
            (_, node) => node,
        };
        self.items.insert(key, Item { place, node });
    }

    /// Takes a value out.
    pub fn take(&mut self, name: &str) -> Option<Node> {
        self.items.remove(&(name.to_owned(), String::new())).map(|item| item.node)
    }
}
