//! The language as JSON Schema (draft 2020-12), for editors: derived from the structs that the reader fills, so that
//! both know the same keys.
//!
//! What JSON Schema cannot say (that SQL is SQL, that a name exists) is not here. A scalar is never only a string: an
//! editor takes `on`, `null` and `1.10` for other types, and the reader takes them as they are written.

use schemars::generate::SchemaSettings;
use schemars::transform::RecursiveTransform;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::{Value, json};
use std::borrow::Cow;

use super::data::DataValue;
use super::partition::{EverySpec, PartitionSpec, PartitionsSpec};
use super::types::{EnumSpec, LongEnumSpec};
use super::{DomainSpec, ProjectSpec, RuleSpec};
use crate::yaml::{At, BodySql, Datum, Flag, Map, Maybe, Name, OneOrMany, Sql, Text, Written};

/// The files that people write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A file of the schema.
    Domain,
    /// `schemac.yaml`.
    Project,
    /// The rules of an import.
    Rules,
}

/// Keys that are read and not written any more, by the struct and the key that they stand for.
const ALIASES: [(&str, &str, &str); 1] = [("PolicySpec", "with_check", "check")];

/// The JSON Schema of a kind of file.
#[must_use]
pub fn json_schema(kind: Kind) -> Value {
    let settings = SchemaSettings::draft2020_12().with(|settings| {
        settings.transforms.push(Box::new(RecursiveTransform(may_be_empty)));
    });
    let generator = settings.into_generator();
    let (schema, title) = match kind {
        Kind::Domain => (generator.into_root_schema_for::<DomainSpec>(), "A file of a schemac project"),
        Kind::Project => (generator.into_root_schema_for::<ProjectSpec>(), "schemac.yaml"),
        Kind::Rules => (generator.into_root_schema_for::<Vec<RuleSpec>>(), "The rules of schemac import"),
    };
    let mut schema = schema.to_value();
    schema["title"] = json!(title);
    for (name, key, alias) in ALIASES {
        let pointer = format!("/$defs/{name}/properties");
        if let Some(properties) = schema.pointer_mut(&pointer)
            && let Some(value) = properties.get(key).cloned()
        {
            properties[alias] = value;
        }
    }
    schema
}

/// A key with nothing behind it is an empty mapping or list.
fn may_be_empty(schema: &mut Schema) {
    let required = schema.get("required").is_some();
    let kind = schema.get("type").and_then(Value::as_str).map(str::to_owned);
    if let Some(kind) = kind.filter(|kind| (kind == "object" && !required) || kind == "array") {
        schema.insert("type".into(), json!([kind, "null"]));
    }
}

/// What an editor may take a single value for.
fn scalar(description: &str) -> Schema {
    json_schema!({ "type": ["string", "number", "boolean", "null"], "description": description })
}

macro_rules! scalars {
    ($($type:ty, $name:literal, $description:literal)*) => {
        $(impl JsonSchema for $type {
            fn schema_name() -> Cow<'static, str> {
                $name.into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                scalar($description)
            }
        })*
    };
}

scalars! {
    Name, "Name", "A name, exactly as written"
    Text, "Text", "A text"
    Sql, "Sql", "A fragment of SQL"
    BodySql, "Body", "The body of a routine"
    Datum, "Datum", "A value of a row"
}

impl JsonSchema for Flag {
    fn schema_name() -> Cow<'static, str> {
        "Flag".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "boolean" })
    }
}

macro_rules! inlined {
    ($(<$($parameter:ident),+> $type:ty, $schema:expr;)*) => {
        $(impl<$($parameter: JsonSchema),+> JsonSchema for $type {
            fn inline_schema() -> bool {
                true
            }

            fn schema_name() -> Cow<'static, str> {
                let names = [$($parameter::schema_name()),+];
                format!("{}_{}", stringify!($type).split('<').next().unwrap_or_default(), names.join("_")).into()
            }

            fn json_schema(generator: &mut SchemaGenerator) -> Schema {
                let schema: fn(&mut SchemaGenerator) -> Schema = $schema;
                schema(generator)
            }
        })*
    };
}

inlined! {
    <T> At<T>, |generator| generator.subschema_for::<T>();
    <V> Map<V>, |generator| {
        json_schema!({ "type": "object", "additionalProperties": generator.subschema_for::<V>() })
    };
    <T> OneOrMany<T>, |generator| {
        let one = generator.subschema_for::<T>();
        json_schema!({ "anyOf": [one, { "type": "array", "items": one }] })
    };
    <L, S> Written<L, S>, |generator| {
        json_schema!({ "anyOf": [generator.subschema_for::<S>(), generator.subschema_for::<L>()] })
    };
    <T> Maybe<T>, |generator| {
        json_schema!({ "anyOf": [generator.subschema_for::<T>(), { "type": "null" }] })
    };
}

impl JsonSchema for EnumSpec {
    fn schema_name() -> Cow<'static, str> {
        "EnumSpec".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let (short, long) =
            (generator.subschema_for::<Vec<Text>>(), generator.subschema_for::<LongEnumSpec>());
        json_schema!({ "description": "An enum: its labels in order, or the long form", "anyOf": [short, long] })
    }
}

impl JsonSchema for DataValue {
    fn schema_name() -> Cow<'static, str> {
        "DataValue".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let all = [
            generator.subschema_for::<Datum>(),
            generator.subschema_for::<Vec<DataValue>>(),
            generator.subschema_for::<Map<DataValue>>(),
        ];
        json_schema!({ "description": "A value of a row; lists and mappings are for json columns", "anyOf": all })
    }
}

impl JsonSchema for PartitionsSpec {
    fn schema_name() -> Cow<'static, str> {
        "PartitionsSpec".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "The partitions of a table, by name; `every` makes them as time goes on",
            "type": "object",
            "properties": { "every": generator.subschema_for::<EverySpec>() },
            "additionalProperties": generator.subschema_for::<Written<PartitionSpec>>(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::span::Sources;
    use crate::spec::{read_domain, read_project, read_rules};
    use std::collections::BTreeSet;

    /// Every way through a schema to an object: the steps of a document to it, and the object. `x` is a name.
    fn objects(root: &Value) -> Vec<(Vec<Step>, &serde_json::Map<String, Value>)> {
        let (mut found, mut seen) = (Vec::new(), Vec::new());
        walk(root, root, &mut Vec::new(), &mut seen, &mut found);
        found
    }

    /// A step into a document.
    #[derive(Debug, Clone, PartialEq, Eq)]
    enum Step {
        /// To the value of a key.
        Key(String),
        /// To the first item of a list.
        Item,
    }

    fn walk<'a>(
        root: &'a Value,
        schema: &'a Value,
        path: &mut Vec<Step>,
        seen: &mut Vec<&'a str>,
        found: &mut Vec<(Vec<Step>, &'a serde_json::Map<String, Value>)>,
    ) {
        let Some(object) = schema.as_object() else { return };
        if let Some(name) = object.get("$ref").and_then(Value::as_str) {
            if !seen.contains(&name) {
                seen.push(name);
                if let Some(target) = name.strip_prefix('#').and_then(|pointer| root.pointer(pointer)) {
                    walk(root, target, path, seen, found);
                }
                seen.pop();
            }
            return;
        }
        for key in ["anyOf", "oneOf", "allOf"] {
            for one in object.get(key).and_then(Value::as_array).into_iter().flatten() {
                walk(root, one, path, seen, found);
            }
        }
        if let Some(items) = object.get("items") {
            path.push(Step::Item);
            walk(root, items, path, seen, found);
            path.pop();
        }
        let properties = object.get("properties").and_then(Value::as_object);
        if properties.is_some() {
            found.push((path.clone(), object));
        }
        for (key, value) in properties.into_iter().flatten() {
            path.push(Step::Key(key.clone()));
            walk(root, value, path, seen, found);
            path.pop();
        }
        if let Some(rest) = object.get("additionalProperties").filter(|rest| rest.is_object()) {
            path.push(Step::Key("x".into()));
            walk(root, rest, path, seen, found);
            path.pop();
        }
    }

    /// The keys that the reader names when it meets a wrong one at that place.
    fn known(kind: Kind, path: &[Step]) -> BTreeSet<String> {
        let mut text = String::new();
        for step in path {
            match step {
                Step::Key(key) => text.push_str(&format!("{{ {key}: ")),
                Step::Item => text.push_str("[ "),
            }
        }
        text.push_str("{ no_such_key: 1 }");
        for step in path.iter().rev() {
            text.push_str(if *step == Step::Item { " ]" } else { " }" });
        }
        let mut sources = Sources::new();
        let file = sources.add("x.yaml", text.as_str());
        let error = match kind {
            Kind::Domain => read_domain(&sources, file).err(),
            Kind::Project => read_project(&sources, file).err(),
            Kind::Rules => read_rules(&sources, file).err(),
        };
        let error = error.unwrap_or_else(|| panic!("{text} is read"));
        assert!(error.message.contains("no_such_key"), "{text}: {}", error.message);
        let notes = error.notes.iter().find_map(|note| note.strip_prefix("known keys: "));
        notes.unwrap_or_else(|| panic!("{text}: {error:?}")).split(", ").map(str::to_owned).collect()
    }

    #[test]
    fn the_reader_and_the_json_schema_know_the_same_keys() {
        let mut count = 0;
        for kind in [Kind::Domain, Kind::Project, Kind::Rules] {
            let schema = json_schema(kind);
            assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
            for (path, object) in objects(&schema) {
                // Partitions have names beside the one key.
                if object.get("additionalProperties") != Some(&Value::Bool(false)) {
                    continue;
                }
                let keys: BTreeSet<String> =
                    object["properties"].as_object().unwrap().keys().cloned().collect();
                assert_eq!(keys, known(kind, &path), "{path:?}");
                count += 1;
            }
        }
        assert!(count > 100, "only {count}");
    }
}
