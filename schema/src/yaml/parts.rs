//! The single values of the language: names, texts, flags and SQL, each with its place.
//!
//! They are read by [`super::de`] only, which recognises them by name: no other serde format knows
//! where a value stands.

use std::fmt;
use std::sync::Arc;

use serde::Deserialize;
use serde::de::{self, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::position::Positions;
use crate::span::{FileId, Span};

pub(super) const NAME: &str = "$name";
pub(super) const TEXT: &str = "$text";
pub(super) const SQL: &str = "$sql";
pub(super) const BODY: &str = "$body";
pub(super) const FLAG: &str = "$flag";
pub(super) const DATUM: &str = "$datum";
pub(super) const AT: &str = "$at";
pub(super) const MAYBE: &str = "$maybe";
/// The name under which an enum chooses its variant by the shape of the value: `scalar`, `mapping`,
/// `sequence`.
pub(super) const SHAPE: &str = "$shape";

/// An identifier or a dotted SQL name, exactly as written: never folded to lower case.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Name {
    /// The characters.
    pub text: String,
    /// Their place, quotes included.
    pub span: Span,
}

impl Name {
    /// The characters.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "`{}`", self.text)
    }
}

impl fmt::Display for Name {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.text)
    }
}

/// Text that is no SQL: a comment, a label, the value of an option.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Text {
    /// The characters.
    pub text: String,
    /// Their place.
    pub span: Span,
}

impl Text {
    /// The characters.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:?}", self.text)
    }
}

/// `true` or `false`, and nothing else.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Flag {
    /// The value.
    pub value: bool,
    /// Its place.
    pub span: Span,
}

/// A value of a row. Whether it is plain matters: `null` is no value, and `'null'` is a text.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Datum {
    /// The characters.
    pub text: String,
    /// Whether it stands without quotes.
    pub plain: bool,
    /// Its place.
    pub span: Span,
}

impl fmt::Debug for Flag {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.value, formatter)
    }
}

/// Any value with its place, for words of an enum and numbers.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct At<T> {
    /// The value.
    pub value: T,
    /// Its place.
    pub span: Span,
}

impl<T: fmt::Debug> fmt::Debug for At<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.value.fmt(formatter)
    }
}

/// A value that may be left empty behind its key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Maybe<T>(pub Option<T>);

/// A fragment of SQL, as written, which knows where each of its characters stands. Cheap to clone.
#[derive(Clone, PartialEq, Eq)]
pub struct Sql {
    text: Arc<str>,
    span: Span,
    positions: Positions,
    quoted: bool,
}

/// The body of a routine: SQL or any other language, which may be empty, in quotes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BodySql(pub Sql);

impl Sql {
    /// The SQL.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The SQL as a shared text.
    #[must_use]
    pub fn shared(&self) -> Arc<str> {
        Arc::clone(&self.text)
    }

    /// The place of the whole value, quotes included.
    #[must_use]
    pub fn span(&self) -> Span {
        self.span
    }

    /// Whether it stands in YAML's quotes, which may have been meant as SQL's.
    #[must_use]
    pub fn is_quoted(&self) -> bool {
        self.quoted
    }

    /// Where the bytes of the text stand in the file.
    #[must_use]
    pub fn positions(&self) -> &Positions {
        &self.positions
    }

    /// The place of the character at a byte of the text, for a caret; behind the last one at the end.
    #[must_use]
    pub fn locate(&self, offset: usize) -> Span {
        let start = crate::span::floor(&self.text, offset);
        let len = self.text.get(start..).and_then(|rest| rest.chars().next()).map_or(0, char::len_utf8);
        let narrow = |offset: usize| u32::try_from(offset).unwrap_or(u32::MAX);
        let (start, end) = (narrow(start), narrow(start + len));
        let first = self.positions.position(start);
        let end = if len == 0 { first } else { self.positions.behind(start, end) };
        Span { file: self.span.file, start: first, end }
    }

    /// The place of a range of the text.
    #[must_use]
    pub fn locate_range(&self, start: usize, end: usize) -> Span {
        if end <= start {
            return self.locate(start);
        }
        let text = self.text.get(..crate::span::floor(&self.text, end)).unwrap_or("");
        let last = text.char_indices().next_back().map_or(start, |(at, _)| at);
        self.locate(start).to(self.locate(last))
    }
}

impl Sql {
    /// A file of SQL.
    #[must_use]
    pub fn of_file(text: &str, file: FileId) -> Self {
        let span = Span::new(file, 0, text.len());
        Self { text: text.into(), span, positions: Positions::linear(0), quoted: false }
    }

    /// A fragment that stands nowhere in a file: every character's place is `span`'s first byte.
    #[must_use]
    pub fn made(text: impl Into<Arc<str>>, span: Span) -> Self {
        Self { text: text.into(), span, positions: Positions::constant(span.start), quoted: false }
    }

    /// The fragment with every `{name}` replaced that `value` knows; the rest keeps its places, and what is
    /// put in stands where its braces stood.
    #[must_use]
    pub fn substitute<'v>(&self, value: impl Fn(&str) -> Option<&'v str>) -> Self {
        let (text, edits) = substitute(&self.text, value);
        if edits.is_empty() {
            return self.clone();
        }
        let positions = self.positions.edited(self.text.len(), &edits);
        Self { text: text.into(), span: self.span, positions, quoted: self.quoted }
    }
}

impl Sql {
    /// The bytes `start..end` of the text as a fragment of its own that still knows its places.
    #[must_use]
    pub fn part(&self, start: usize, end: usize) -> Self {
        let len = self.text.len();
        let end = crate::span::floor(&self.text, end.min(len));
        let start = crate::span::floor(&self.text, start.min(end));
        if start == 0 && end == len {
            return self.clone();
        }
        let span = self.locate_range(start, end);
        let edits = [Edit { start: 0, end: start, len: 0 }, Edit { start: end, end: len, len: 0 }];
        let positions = self.positions.edited(len, &edits);
        Self { text: self.text.get(start..end).unwrap_or("").into(), span, positions, quoted: self.quoted }
    }

    /// The fragment without the bytes `start..end`; the rest keeps its places.
    #[must_use]
    pub fn without(&self, start: usize, end: usize) -> Self {
        let (Some(before), Some(after)) = (self.text.get(..start), self.text.get(end..)) else {
            return self.clone();
        };
        let positions = self.positions.edited(self.text.len(), &[Edit { start, end, len: 0 }]);
        Self { text: format!("{before}{after}").into(), span: self.span, positions, quoted: self.quoted }
    }

    /// The fragment without white space around it.
    #[must_use]
    pub fn trimmed(&self) -> Self {
        let end = self.text.trim_end().len();
        self.part(end - self.text.trim().len(), end)
    }
}

impl Text {
    /// The text with every `{name}` replaced that `value` knows.
    #[must_use]
    pub fn substitute<'v>(&self, value: impl Fn(&str) -> Option<&'v str>) -> Self {
        Self { text: substitute(&self.text, value).0, span: self.span }
    }
}

impl Name {
    /// The name with every `{name}` replaced that `value` knows.
    #[must_use]
    pub fn substitute<'v>(&self, value: impl Fn(&str) -> Option<&'v str>) -> Self {
        Self { text: substitute(&self.text, value).0, span: self.span }
    }
}

/// A replaced range of a text and the length of what took its place.
pub(super) struct Edit {
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) len: usize,
}

fn substitute<'v>(text: &str, value: impl Fn(&str) -> Option<&'v str>) -> (String, Vec<Edit>) {
    let (mut out, mut edits, mut done) = (String::with_capacity(text.len()), Vec::new(), 0);
    for (start, _) in text.match_indices('{') {
        let Some(inside) = text.get(start + 1..).filter(|_| start >= done) else { continue };
        let Some(len) = inside.find(['{', '}']).filter(|at| inside.as_bytes().get(*at) == Some(&b'}')) else {
            continue;
        };
        let Some(value) = inside.get(..len).and_then(&value) else { continue };
        let end = start + len + 2;
        out.push_str(text.get(done..start).unwrap_or(""));
        out.push_str(value);
        edits.push(Edit { start, end, len: value.len() });
        done = end;
    }
    out.push_str(text.get(done..).unwrap_or(""));
    (out, edits)
}

impl fmt::Debug for Sql {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "sql {:?}", self.text)
    }
}

/// A mapping with names as keys, in the order of the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Map<V>(pub Vec<(Name, V)>);

impl<V> Default for Map<V> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<V> Map<V> {
    /// The entries in the order of the file.
    pub fn iter(&self) -> std::slice::Iter<'_, (Name, V)> {
        self.0.iter()
    }

    /// The value of a name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&V> {
        self.0.iter().find(|(key, _)| key.text == name).map(|(_, value)| value)
    }

    /// Whether there are no entries.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many entries there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }
}

impl<V> IntoIterator for Map<V> {
    type Item = (Name, V);
    type IntoIter = std::vec::IntoIter<(Name, V)>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl<'a, V> IntoIterator for &'a Map<V> {
    type Item = &'a (Name, V);
    type IntoIter = std::slice::Iter<'a, (Name, V)>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter()
    }
}

/// One value, or a list of them.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(from = "OneOrManyShape<T>")]
#[serde(bound = "T: Deserialize<'de>")]
pub struct OneOrMany<T>(pub Vec<T>);

impl<T> Default for OneOrMany<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T> OneOrMany<T> {
    /// The values in the order of the file.
    pub fn iter(&self) -> std::slice::Iter<'_, T> {
        self.0.iter()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<'a, T> IntoIterator for &'a OneOrMany<T> {
    type Item = &'a T;
    type IntoIter = std::slice::Iter<'a, T>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter()
    }
}

#[derive(Deserialize)]
#[serde(rename = "$shape", rename_all = "lowercase")]
enum OneOrManyShape<T> {
    Scalar(T),
    Mapping(T),
    Sequence(Vec<T>),
}

impl<T> From<OneOrManyShape<T>> for OneOrMany<T> {
    fn from(shape: OneOrManyShape<T>) -> Self {
        match shape {
            OneOrManyShape::Scalar(one) | OneOrManyShape::Mapping(one) => Self(vec![one]),
            OneOrManyShape::Sequence(many) => Self(many),
        }
    }
}

/// Something with a short form, written as one value, and a long form with keys of its own.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename = "$shape")]
pub enum Written<L, S = Sql> {
    /// One value.
    #[serde(rename = "scalar")]
    Short(S),
    /// A mapping.
    #[serde(rename = "mapping")]
    Long(L),
}

/// The numbers and the text that [`super::de`] hands over for a value with a place.
struct Part<'de> {
    span: Span,
    text: std::borrow::Cow<'de, str>,
    positions: Vec<u32>,
}

struct PartVisitor(&'static str);

impl<'de> Visitor<'de> for PartVisitor {
    type Value = Part<'de>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.0)
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_any(self)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Self::Value, A::Error> {
        let missing = || de::Error::custom("a value without a place");
        let mut number = || access.next_element::<u32>()?.ok_or_else(missing);
        let span = Span { file: FileId(number()?), start: number()?, end: number()? };
        let text = access.next_element::<&'de str>()?.ok_or_else(missing)?;
        let positions = access.next_element()?.unwrap_or_default();
        Ok(Part { span, text: text.into(), positions })
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Self::Value, A::Error> {
        while access.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Err(de::Error::invalid_type(de::Unexpected::Map, &self))
    }
}

impl<'de> Deserialize<'de> for Name {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let part = deserializer.deserialize_newtype_struct(NAME, PartVisitor("a name"))?;
        Ok(Self { text: part.text.into_owned(), span: part.span })
    }
}

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let part = deserializer.deserialize_newtype_struct(TEXT, PartVisitor("a text"))?;
        Ok(Self { text: part.text.into_owned(), span: part.span })
    }
}

impl<'de> Deserialize<'de> for Flag {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let part = deserializer.deserialize_newtype_struct(FLAG, PartVisitor("`true` or `false`"))?;
        Ok(Self { value: part.text == "true", span: part.span })
    }
}

fn sql_of(part: Part<'_>) -> Sql {
    let (quoted, numbers) = part.positions.split_last().unwrap_or((&0, &[]));
    let positions = Positions::from_numbers(numbers);
    Sql { text: part.text.into(), span: part.span, positions, quoted: *quoted == 1 }
}

impl<'de> Deserialize<'de> for Sql {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(sql_of(deserializer.deserialize_newtype_struct(SQL, PartVisitor("SQL"))?))
    }
}

impl<'de> Deserialize<'de> for BodySql {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self(sql_of(deserializer.deserialize_newtype_struct(BODY, PartVisitor("a body"))?)))
    }
}

impl<'de> Deserialize<'de> for Datum {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let part = deserializer.deserialize_newtype_struct(DATUM, PartVisitor("a value"))?;
        Ok(Self { text: part.text.into_owned(), plain: !part.positions.is_empty(), span: part.span })
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for At<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Located<T>(std::marker::PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for Located<T> {
            type Value = At<T>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a value")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Self::Value, A::Error> {
                let missing = || de::Error::custom("a value without a place");
                let mut number = || access.next_element::<u32>()?.ok_or_else(missing);
                let span = Span { file: FileId(number()?), start: number()?, end: number()? };
                Ok(At { value: access.next_element()?.ok_or_else(missing)?, span })
            }
        }

        deserializer.deserialize_newtype_struct(AT, Located(std::marker::PhantomData))
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Maybe<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Optional<T>(std::marker::PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for Optional<T> {
            type Value = Maybe<T>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a value or nothing")
            }

            fn visit_none<E: de::Error>(self) -> Result<Self::Value, E> {
                Ok(Maybe(None))
            }

            fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
                T::deserialize(deserializer).map(Some).map(Maybe)
            }
        }

        deserializer.deserialize_newtype_struct(MAYBE, Optional(std::marker::PhantomData))
    }
}

impl<'de, V: Deserialize<'de>> Deserialize<'de> for Map<V> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Entries<V>(std::marker::PhantomData<V>);

        impl<'de, V: Deserialize<'de>> Visitor<'de> for Entries<V> {
            type Value = Map<V>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a mapping")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Self::Value, A::Error> {
                let mut entries = Vec::with_capacity(access.size_hint().unwrap_or(0));
                while let Some(entry) = access.next_entry()? {
                    entries.push(entry);
                }
                Ok(Map(entries))
            }
        }

        deserializer.deserialize_map(Entries(std::marker::PhantomData))
    }
}
