//! Interned names and texts: equal means the same pointer, order is the order of the bytes.
//!
//! A database of a thousand tables repeats the same few thousand names in a hundred thousand places. Each is
//! stored once for the life of the process, so ids compare by one machine word and catalogs copy nothing.
//! Not here: quoting (`sql`), and folding of unquoted names (the parser's work).

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::hash::{BuildHasher, Hash, Hasher};
use std::sync::{LazyLock, Mutex, PoisonError};

/// How what is interned is hashed: as quickly as a word can be, and with a seed, since names may be anybody's.
pub type Hashed = foldhash::fast::RandomState;

/// A map by what is interned.
pub type Known<K, V> = HashMap<K, V, Hashed>;

/// What is stored once, in parts with a lock each, so that threads seldom wait for each other.
pub(crate) struct Interned<T: ?Sized + 'static> {
    hashed: Hashed,
    parts: [Mutex<HashSet<&'static T, Hashed>>; 32],
}

impl<T: ?Sized + 'static> Default for Interned<T> {
    fn default() -> Self {
        Self { hashed: Hashed::default(), parts: std::array::from_fn(|_| Mutex::default()) }
    }
}

impl<T: ?Sized + Eq + Hash + 'static> Interned<T> {
    /// What is stored and equal; else `store` makes it.
    pub(crate) fn get(&self, wanted: &T, store: impl FnOnce() -> &'static T) -> &'static T {
        let part = usize::try_from(self.hashed.hash_one(wanted) >> 59).unwrap_or(0);
        let mut part = self.parts[part % self.parts.len()].lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = part.get(wanted) {
            return known;
        }
        let stored = store();
        part.insert(stored);
        stored
    }
}

static INTERNED: LazyLock<Interned<str>> = LazyLock::new(Interned::default);

/// A text stored once; equality is one comparison of pointers.
#[derive(Clone, Copy)]
pub struct Text(&'static str);

impl Text {
    /// Interns `text`.
    pub fn new(text: &str) -> Self {
        Self(INTERNED.get(text, || Box::leak(text.to_owned().into_boxed_str())))
    }

    /// The text itself.
    pub fn as_str(self) -> &'static str {
        self.0
    }

    /// Whether there is nothing in it.
    pub fn is_empty(self) -> bool {
        self.0.is_empty()
    }
}

impl PartialEq for Text {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self.0, other.0)
    }
}

impl Eq for Text {}

impl Hash for Text {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (self.0.as_ptr() as usize).hash(state);
    }
}

impl PartialOrd for Text {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Text {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        if self == other { std::cmp::Ordering::Equal } else { self.0.cmp(other.0) }
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.0, f)
    }
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl From<&str> for Text {
    fn from(text: &str) -> Self {
        Self::new(text)
    }
}

/// A name as PostgreSQL stores it: exact, never folded, at most 63 bytes.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
pub struct Ident(Text);

/// The longest name that PostgreSQL stores, in bytes (NAMEDATALEN - 1).
pub const MAX_NAME_BYTES: usize = 63;

impl Ident {
    /// Interns a name.
    pub fn new(name: &str) -> Self {
        Self(Text::new(name))
    }

    /// The name itself, unquoted.
    pub fn as_str(self) -> &'static str {
        self.0.as_str()
    }

    /// Whether the name is empty (the address of a satellite that needs no name).
    pub fn is_empty(self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Debug for Ident {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Display for Ident {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl From<&str> for Ident {
    fn from(name: &str) -> Self {
        Self::new(name)
    }
}

/// A name in a schema.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
pub struct QName {
    /// The schema.
    pub schema: Ident,
    /// The name in it.
    pub name: Ident,
}

impl QName {
    /// A qualified name of two parts.
    pub fn new(schema: impl Into<Ident>, name: impl Into<Ident>) -> Self {
        Self { schema: schema.into(), name: name.into() }
    }
}

impl fmt::Debug for QName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.schema, self.name)
    }
}

impl fmt::Display for QName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.schema, self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_names_are_one_pointer_and_order_is_by_bytes() {
        assert_eq!(Ident::new("a"), Ident::new(&String::from("a")));
        assert_ne!(Ident::new("a"), Ident::new("A"));
        assert!(Ident::new("a") < Ident::new("b"));
        assert!(QName::new("a", "z") < QName::new("b", "a"));
    }
}
