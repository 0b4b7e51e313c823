//! Objects as data and back: what an apply records of the database, so that there is a way back from it.
//!
//! The kinds derive their shape; here are the parts that are interned, parsed or called by address. What comes back
//! compares equal to what was kept, and is written by the same statements. Not here: where it is kept, and what a
//! shape of another version of schemac means.

use crate::catalog::{Entry, Standing};
use crate::fragment::{Fragment, Grammar};
use crate::id::{Address, ObjectId};
use crate::ident::{Ident, QName, Text};
use crate::object::{Kind, Object};
use crate::type_name::TypeName;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// An object of a catalog under its id, without the place in a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kept {
    /// What it is called.
    pub id: ObjectId,
    /// What it is.
    pub object: Object,
    /// Whether it belonged to somebody else.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub external: bool,
    /// What it uses.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub uses: Vec<ObjectId>,
}

impl Kept {
    /// What is kept of an entry.
    pub fn of(id: ObjectId, entry: &Entry) -> Self {
        let external = entry.standing == Standing::External;
        Self { id, object: entry.object.clone(), external, uses: entry.uses.clone() }
    }

    /// The entry that it was.
    pub fn entry(&self) -> Entry {
        let standing = if self.external { Standing::External } else { Standing::Managed };
        Entry { object: self.object.clone(), span: None, standing, uses: self.uses.clone() }
    }
}

impl Serialize for Text {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(|text| Text::new(&text))
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct IdShape {
    kind: String,
    name: Ident,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    schema: Option<Ident>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    arguments: Option<Text>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    on: Option<ObjectId>,
}

impl Serialize for ObjectId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (schema, arguments) = match self.address() {
            Address::InSchema(name) => (Some(name.schema), None),
            Address::Routine(name, arguments) => (Some(name.schema), Some(arguments)),
            Address::Global(_) | Address::On(..) | Address::Of(..) => (None, None),
        };
        let kind = self.kind().word().to_owned();
        IdShape { kind, name: self.name(), schema, arguments, on: self.parent() }.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for ObjectId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let IdShape { kind, name, schema, arguments, on } = IdShape::deserialize(deserializer)?;
        let kind = Kind::ALL
            .iter()
            .copied()
            .find(|known| known.word() == kind)
            .ok_or_else(|| D::Error::custom(format!("there is no kind of object {kind:?}")))?;
        let address = match (on, schema, arguments) {
            (Some(on), ..) if kind.is_satellite() => Address::Of(on, name),
            (Some(on), ..) => Address::On(on, name),
            (None, Some(schema), Some(arguments)) => Address::Routine(QName { schema, name }, arguments),
            (None, Some(schema), None) => Address::InSchema(QName { schema, name }),
            (None, None, _) => Address::Global(name),
        };
        Ok(ObjectId::new(kind, address))
    }
}

#[derive(Serialize, Deserialize)]
struct FragmentShape {
    sql: Text,
    grammar: Grammar,
}

impl Serialize for Fragment {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        FragmentShape { sql: Text::new(self.text()), grammar: self.grammar() }.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Fragment {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let FragmentShape { sql, grammar } = FragmentShape::deserialize(deserializer)?;
        Ok(match grammar {
            Grammar::Body => Fragment::body(sql.as_str()),
            grammar => Fragment::canonical(sql.as_str(), grammar),
        })
    }
}

impl Serialize for TypeName {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        (self.canonical(), self.text()).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for TypeName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let (canonical, text) = <(String, String)>::deserialize(deserializer)?;
        // The canonical name is unambiguous; the text is how a person reads it.
        let one = TypeName::parse(&canonical).map_err(|error| D::Error::custom(error.message))?;
        let other = TypeName::parse(&text).map_err(|error| D::Error::custom(error.message))?;
        Ok(if one == other { other } else { one })
    }
}

/// Keywords of SQL as keys of a mapping.
pub(crate) mod words {
    use super::Text;
    use serde::{Deserialize as _, Deserializer, Serialize as _, Serializer};
    use std::collections::BTreeMap;

    pub(crate) fn serialize<S: Serializer>(
        words: &BTreeMap<&'static str, i64>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        words.serialize(serializer)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<BTreeMap<&'static str, i64>, D::Error> {
        let words = BTreeMap::<Text, i64>::deserialize(deserializer)?;
        Ok(words.into_iter().map(|(word, value)| (word.as_str(), value)).collect())
    }
}
