//! serde over a [`Node`]: specs derive `Deserialize`, and every error knows its place.
//!
//! Four newtypes ([`Name`](super::Name), [`Text`](super::Text), [`Flag`](super::Flag),
//! [`Sql`](super::Sql)) are recognised by name and get their spans. An enum whose serde name is
//! `$shape` chooses its variant by the shape of the value, which is what `untagged` would do if it kept
//! places. `flatten` and `untagged` lose places and are not for specs.

use std::fmt;

use serde::de::value::{BorrowedStrDeserializer, SeqDeserializer};
use serde::de::{
    self, Deserialize, DeserializeSeed, Deserializer, EnumAccess, Expected, IntoDeserializer, MapAccess,
    SeqAccess, Unexpected, VariantAccess, Visitor,
};
use serde::forward_to_deserialize_any;

use super::node::{Key, Node, Scalar, Style, Value};
use super::parts::{AT, BODY, DATUM, FLAG, MAYBE, NAME, SHAPE, SQL, TEXT};
use crate::code::Code;
use crate::diagnostic::Diagnostic;
use crate::span::Span;

/// Reads a value of the language from its node.
///
/// # Errors
///
/// The first thing that has no meaning, with its place.
pub fn from_node<'de, T: Deserialize<'de>>(node: &'de Node) -> Result<T, Diagnostic> {
    let at = Span { end: node.span.start, ..node.span };
    T::deserialize(NodeDeserializer { node, key: None }).map_err(|error| *error.at(at).0)
}

/// A diagnostic on its way through serde; the innermost place that is known stays.
#[derive(Debug)]
pub struct Error(Box<Diagnostic>);

impl Error {
    fn new(code: Code, message: impl Into<String>) -> Self {
        Self(Box::new(Diagnostic::error(code, message)))
    }

    fn help(mut self, help: impl Into<String>) -> Self {
        self.0.help = Some(help.into());
        self
    }

    fn at(mut self, span: Span) -> Self {
        self.0.primary.get_or_insert(span);
        self
    }

    /// Names the nearest known word, and all of them.
    fn among(mut self, word: &str, known: &[&'static str], what: &str) -> Self {
        if let Some(nearest) = nearest(word, known) {
            self = self.help(format!("did you mean `{nearest}`?"));
        }
        if !known.is_empty() {
            self.0.notes.push(format!("{what}: {}", known.join(", ")));
        }
        self
    }
}

impl fmt::Display for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0.message)
    }
}

impl std::error::Error for Error {}

impl de::Error for Error {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self::new(Code::UnknownValue, message.to_string())
    }

    fn invalid_type(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::new(Code::WrongShape, format!("{expected} belongs here, not {found}"))
    }

    fn invalid_value(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::new(Code::UnknownValue, format!("{expected} belongs here, not {found}"))
    }

    fn unknown_field(field: &str, known: &'static [&'static str]) -> Self {
        Self::new(Code::UnknownKey, format!("unknown key `{field}`")).among(field, known, "known keys")
    }

    fn unknown_variant(variant: &str, known: &'static [&'static str]) -> Self {
        let message = format!("`{variant}` is not possible here");
        Self::new(Code::UnknownValue, message).among(variant, known, "possible values")
    }

    fn missing_field(field: &'static str) -> Self {
        Self::new(Code::MissingKey, format!("the key `{field}` is missing"))
    }
}

/// The known word that was likely meant.
fn nearest(word: &str, known: &[&'static str]) -> Option<&'static str> {
    let word = word.to_lowercase().replace(['-', ' '], "_");
    let distance = |known: &&&'static str| strsim::osa_distance(&word, known);
    let best = known.iter().min_by_key(distance)?;
    let near = distance(&best) <= (word.chars().count() / 3).max(1);
    // A singular for its plural (`policy`, `index`) is further away than a typing error.
    let common = |known: &&&'static str| {
        known.chars().zip(word.chars()).take_while(|(one, other)| one == other).count()
    };
    let related = || known.iter().find(|known| word.len() > 2 && common(known) + 1 >= word.chars().count());
    if near { Some(best) } else { related().copied() }
}

#[derive(Clone, Copy)]
struct NodeDeserializer<'de> {
    node: &'de Node,
    /// The key that the node stands behind.
    key: Option<&'de Key>,
}

impl<'de> NodeDeserializer<'de> {
    /// Where an error about the whole value points: a long or a missing one is shown by its key.
    fn place(self) -> Span {
        match (&self.node.value, self.key) {
            (Value::Mapping { flow: false, .. }, None) => {
                Span { end: self.node.span.start, ..self.node.span }
            }
            (Value::Scalar(_), _) | (_, None) => self.node.span,
            (_, Some(key)) => key.span,
        }
    }

    fn error(self, code: Code, message: impl Into<String>) -> Error {
        Error::new(code, message).at(self.place())
    }

    fn wrong_shape(self, expected: &str) -> Error {
        let expected = match self.key {
            Some(key) => format!("`{}` must be {expected}", key.text),
            None => format!("{expected} belongs here"),
        };
        let message = format!("{expected}, not {}", self.node.shape());
        self.error(Code::WrongShape, message)
    }

    fn scalar(self, expected: &str) -> Result<&'de Scalar, Error> {
        match &self.node.value {
            Value::Scalar(scalar) => Ok(scalar),
            Value::Null if expected == "SQL" => {
                let error = self.error(Code::EmptyFragment, "SQL belongs here, and nothing stands here");
                Err(error)
            }
            Value::Null => {
                let message = format!("{expected} belongs here, and nothing stands here");
                Err(self.error(Code::EmptyValue, message))
            }
            Value::Mapping { flow: true, .. } | Value::Sequence { flow: true, .. } if expected == "SQL" => {
                let error = self.wrong_shape(expected);
                Err(error.help("SQL that begins with a brace or a bracket stands in quotes"))
            }
            Value::Mapping { .. } | Value::Sequence { .. } => Err(self.wrong_shape(expected)),
        }
    }

    fn name(self) -> Result<&'de Scalar, Error> {
        let scalar = self.scalar("a name")?;
        if scalar.text.is_empty() {
            return Err(self.error(Code::EmptyValue, "a name is empty"));
        }
        Ok(scalar)
    }

    /// An empty text is a body, where somebody wrote one.
    fn body(self) -> Result<&'de Scalar, Error> {
        match &self.node.value {
            Value::Scalar(scalar) if scalar.text.trim().is_empty() && scalar.style != Style::Plain => {
                Ok(scalar)
            }
            _ => self.sql(),
        }
    }

    fn sql(self) -> Result<&'de Scalar, Error> {
        let scalar = self.scalar("SQL")?;
        // A function may do nothing, if its file says so.
        let nothing = self.key.is_some_and(|key| key.text == "body") && scalar.style != Style::Plain;
        if scalar.text.trim().is_empty() && !nothing {
            return Err(self.error(Code::EmptyFragment, "a fragment of SQL is empty"));
        }
        if let Some(comment) = scalar.trailing_comment {
            let error =
                Error::new(Code::SwallowedComment, "the SQL ends where this comment begins").at(comment);
            let mut error = error.help(
                "put the comment on a line of its own, or, if `#` belongs to the SQL, the SQL in a block scalar (`|`)",
            );
            error.0.labels.push((self.node.span, "all that is read".into()));
            return Err(error);
        }
        Ok(scalar)
    }

    fn flag(self) -> Result<&'de Scalar, Error> {
        let scalar = self.scalar("`true` or `false`")?;
        let message = format!("`{}` is neither `true` nor `false`", scalar.text);
        match (scalar.text.as_str(), scalar.style) {
            ("true" | "false", Style::Plain) => Ok(scalar),
            ("true" | "false", _) => {
                let error = self.error(Code::UnknownValue, "a flag in quotes is a text");
                Err(error.help(format!("write `{}` without quotes", scalar.text)))
            }
            ("yes" | "on" | "True" | "TRUE", _) => {
                Err(self.error(Code::UnknownValue, message).help("write `true`"))
            }
            ("no" | "off" | "False" | "FALSE", _) => {
                Err(self.error(Code::UnknownValue, message).help("write `false`"))
            }
            _ => Err(self.error(Code::UnknownValue, message)),
        }
    }

    fn number<N: std::str::FromStr>(self) -> Result<N, Error> {
        let scalar = self.scalar("a number")?;
        let parsed = scalar.text.parse().ok().filter(|_| scalar.style == Style::Plain);
        parsed.ok_or_else(|| {
            self.error(Code::UnknownValue, format!("`{}` is no number that is possible here", scalar.text))
        })
    }
}

/// Hands a value and its place to the visitors of `parts`.
fn visit_part<'de, V: Visitor<'de>>(
    visitor: V,
    span: Span,
    text: &'de str,
    positions: Vec<u32>,
) -> Result<V::Value, Error> {
    visitor.visit_seq(PartAccess { numbers: [span.file.0, span.start, span.end], next: 0, text, positions })
}

struct PartAccess<'de> {
    numbers: [u32; 3],
    next: usize,
    text: &'de str,
    positions: Vec<u32>,
}

impl<'de> SeqAccess<'de> for PartAccess<'de> {
    type Error = Error;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Error> {
        self.next += 1;
        match (self.numbers.get(self.next - 1), self.next) {
            (Some(number), _) => seed.deserialize((*number).into_deserializer()).map(Some),
            (None, 4) => seed.deserialize(BorrowedStrDeserializer::new(self.text)).map(Some),
            (None, 5) => {
                let positions = std::mem::take(&mut self.positions);
                seed.deserialize(SeqDeserializer::new(positions.into_iter())).map(Some)
            }
            _ => Ok(None),
        }
    }
}

struct AtAccess<'de> {
    numbers: [u32; 3],
    next: usize,
    value: NodeDeserializer<'de>,
}

impl<'de> SeqAccess<'de> for AtAccess<'de> {
    type Error = Error;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Error> {
        self.next += 1;
        match self.numbers.get(self.next - 1) {
            Some(number) => seed.deserialize((*number).into_deserializer()).map(Some),
            None => seed.deserialize(self.value).map_err(|error| error.at(self.value.place())).map(Some),
        }
    }
}

macro_rules! numbers {
    ($($method:ident $visit:ident)*) => {
        $(fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
            visitor.$visit(self.number()?)
        })*
    };
}

impl<'de> Deserializer<'de> for NodeDeserializer<'de> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match &self.node.value {
            Value::Mapping { .. } => self.deserialize_map(visitor),
            Value::Sequence { .. } => self.deserialize_seq(visitor),
            Value::Scalar(scalar) => visitor.visit_borrowed_str(&scalar.text),
            Value::Null => visitor.visit_unit(),
        }
    }

    numbers! {
        deserialize_i8 visit_i8 deserialize_i16 visit_i16 deserialize_i32 visit_i32 deserialize_i64 visit_i64
        deserialize_u8 visit_u8 deserialize_u16 visit_u16 deserialize_u32 visit_u32 deserialize_u64 visit_u64
        deserialize_f32 visit_f32 deserialize_f64 visit_f64
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_bool(self.flag()?.text == "true")
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_borrowed_str(&self.scalar("a text")?.text)
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_str(visitor)
    }

    fn deserialize_identifier<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_str(visitor)
    }

    /// A key that is there means something: an empty value is an error of what stands inside.
    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        let span = self.node.span;
        match name {
            NAME => visit_part(visitor, span, &self.name()?.text, Vec::new()),
            TEXT => visit_part(visitor, span, &self.scalar("a text")?.text, Vec::new()),
            FLAG => visit_part(visitor, span, &self.flag()?.text, Vec::new()),
            SQL | BODY => {
                let scalar = if name == BODY { self.body()? } else { self.sql()? };
                let quoted = matches!(scalar.style, Style::SingleQuoted | Style::DoubleQuoted);
                let mut numbers = scalar.positions.numbers();
                numbers.push(quoted.into());
                visit_part(visitor, span, &scalar.text, numbers)
            }
            DATUM => {
                let scalar = self.scalar("a value")?;
                let plain = if scalar.style == Style::Plain { vec![1] } else { Vec::new() };
                visit_part(visitor, span, &scalar.text, plain)
            }
            AT => visitor.visit_seq(AtAccess {
                numbers: [span.file.0, span.start, span.end],
                next: 0,
                value: self,
            }),
            MAYBE if matches!(self.node.value, Value::Null) => visitor.visit_none(),
            MAYBE => visitor.visit_some(self),
            _ => visitor.visit_newtype_struct(self),
        }
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        let items = match &self.node.value {
            Value::Sequence { items, .. } => items.as_slice(),
            Value::Null => &[],
            _ => return Err(self.wrong_shape("a list")),
        };
        visitor.visit_seq(Items { items: items.iter() }).map_err(|error| error.at(self.place()))
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        let entries = match &self.node.value {
            Value::Mapping { entries, .. } => entries.as_slice(),
            Value::Null => &[],
            _ => return Err(self.wrong_shape("a mapping")),
        };
        visitor
            .visit_map(Entries { entries: entries.iter(), value: None })
            .map_err(|error| error.at(self.place()))
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.deserialize_map(visitor)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        if name != SHAPE {
            let scalar = self.scalar("a word")?;
            let word: BorrowedStrDeserializer<'de, Error> = BorrowedStrDeserializer::new(&scalar.text);
            return visitor.visit_enum(word).map_err(|error| error.at(self.place()));
        }
        let can_be = |shape: &str| variants.contains(&shape);
        let variant = match &self.node.value {
            Value::Scalar(_) if can_be("scalar") => "scalar",
            Value::Mapping { .. } if can_be("mapping") => "mapping",
            Value::Sequence { .. } if can_be("sequence") => "sequence",
            // An empty value is reported by the short form, which says what belongs there.
            Value::Null => variants.first().copied().unwrap_or("mapping"),
            _ => {
                let words = variants.iter().map(|variant| match *variant {
                    "scalar" => "a single value",
                    "sequence" => "a list",
                    _ => "a mapping",
                });
                return Err(self.wrong_shape(&words.collect::<Vec<_>>().join(" or ")));
            }
        };
        visitor.visit_enum(Shape { variant, value: self })
    }

    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.node.value {
            Value::Null => visitor.visit_unit(),
            _ => Err(self.wrong_shape("nothing")),
        }
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_unit()
    }

    forward_to_deserialize_any! { i128 u128 char bytes byte_buf unit_struct tuple tuple_struct }
}

struct Items<'de> {
    items: std::slice::Iter<'de, Node>,
}

impl<'de> SeqAccess<'de> for Items<'de> {
    type Error = Error;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Error> {
        let Some(node) = self.items.next() else { return Ok(None) };
        seed.deserialize(NodeDeserializer { node, key: None }).map_err(|error| error.at(node.span)).map(Some)
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.items.len())
    }
}

struct Entries<'de> {
    entries: std::slice::Iter<'de, (Key, Node)>,
    value: Option<&'de (Key, Node)>,
}

impl<'de> MapAccess<'de> for Entries<'de> {
    type Error = Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Error> {
        self.value = self.entries.next();
        let Some((key, _)) = self.value else { return Ok(None) };
        seed.deserialize(KeyDeserializer { key }).map_err(|error| error.at(key.span)).map(Some)
    }

    fn next_value_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<T::Value, Error> {
        let Some((key, node)) = self.value.take() else {
            return Err(Error::new(Code::WrongShape, "a value without a key"));
        };
        let value = NodeDeserializer { node, key: Some(key) };
        seed.deserialize(value).map_err(|error| error.at(value.place()))
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.entries.len())
    }
}

struct KeyDeserializer<'de> {
    key: &'de Key,
}

impl<'de> Deserializer<'de> for KeyDeserializer<'de> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_borrowed_str(&self.key.text)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        match name {
            NAME if self.key.text.is_empty() => Err(Error::new(Code::EmptyValue, "a name is empty")),
            NAME | TEXT => visit_part(visitor, self.key.span, &self.key.text, Vec::new()),
            _ => visitor.visit_newtype_struct(self),
        }
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit
        unit_struct seq tuple tuple_struct map struct enum identifier ignored_any
    }
}

struct Shape<'de> {
    variant: &'static str,
    value: NodeDeserializer<'de>,
}

impl<'de> EnumAccess<'de> for Shape<'de> {
    type Error = Error;
    type Variant = Self;

    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, Self), Error> {
        let variant = seed.deserialize(BorrowedStrDeserializer::<Error>::new(self.variant))?;
        Ok((variant, self))
    }
}

impl<'de> VariantAccess<'de> for Shape<'de> {
    type Error = Error;

    fn unit_variant(self) -> Result<(), Error> {
        Ok(())
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, Error> {
        let place = self.value.place();
        seed.deserialize(self.value).map_err(|error| error.at(place))
    }

    fn tuple_variant<V: Visitor<'de>>(self, _len: usize, visitor: V) -> Result<V::Value, Error> {
        self.value.deserialize_seq(visitor)
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        _fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.value.deserialize_map(visitor)
    }
}
