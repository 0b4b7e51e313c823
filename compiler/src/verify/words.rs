//! What differs between two objects, in words for people: the parts that differ and nothing else, SQL as SQL.
//!
//! Not here: whether that matters.

use schemac_schema::object::Object;
use serde_json::{Map, Value};

/// What differs between two objects of one kind, by the names of their parts.
pub(super) fn changed(was: &Object, is: &Object) -> String {
    let parts = |object: &Object| match serde_json::to_value(object) {
        Ok(Value::Object(kinds)) => kinds.into_iter().next().map_or(Value::Null, |(_, parts)| parts),
        _ => Value::Null,
    };
    let mut words = Vec::new();
    compare("", &parts(was), &parts(is), &mut words);
    words.join(", ")
}

fn compare(name: &str, was: &Value, is: &Value, words: &mut Vec<String>) {
    if was == is {
        return;
    }
    // Of two things of one sort, what they are is told: `body was`, not `body Text was`.
    if let Some(((was_sort, old), (_, new))) = sort(was).zip(sort(is)).filter(|(was, is)| was.0 == is.0)
        && was_sort.starts_with(char::is_uppercase)
    {
        return compare(name, old, new, words);
    }
    let both = (parts(was), parts(is));
    // Of two things that are not of one sort no part is the other's.
    let alike = sort(was).zip(sort(is)).is_none_or(|(was, is)| was.0 == is.0);
    let ((Some(old), Some(new)), true) = (both, alike) else {
        words.push(match name {
            "" => format!("{} became {}", shown(was), shown(is)),
            name => format!("{name} was {} and is {}", shown(was), shown(is)),
        });
        return;
    };
    let below = |part: &String| if name.is_empty() { part.clone() } else { format!("{name} {part}") };
    for (part, value) in old {
        match new.get(part) {
            Some(other) => compare(&below(part), value, other, words),
            None => words.push(format!("{} is gone", below(part))),
        }
    }
    words.extend(
        new.keys().filter(|part| !old.contains_key(*part)).map(|part| format!("{} is new", below(part))),
    );
}

/// The parts of what has some, and is nothing that people write as one: SQL, a name.
fn parts(value: &Value) -> Option<&Map<String, Value>> {
    value.as_object().filter(|_| sql(value).is_none() && name(value).is_none())
}

/// The sort of a thing of which there are several, and what it is.
fn sort(value: &Value) -> Option<(&String, &Value)> {
    let mut sorts = value.as_object().filter(|sorts| sorts.len() == 1)?.iter();
    sorts.next().filter(|(_, inner)| inner.is_object() || inner.is_array())
}

fn sql(value: &Value) -> Option<&str> {
    value.get("grammar").and_then(|_| value.get("sql"))?.as_str()
}

fn name(value: &Value) -> Option<String> {
    let (schema, name) = (value.get("schema")?, value.get("name")?.as_str()?);
    Some(schema.as_str().map_or_else(|| name.to_owned(), |schema| format!("{schema}.{name}")))
}

fn shown(value: &Value) -> String {
    match value {
        Value::Array(all) => format!("[{}]", all.iter().map(shown).collect::<Vec<_>>().join(", ")),
        _ => match (sql(value), name(value), sort(value)) {
            (Some(sql), ..) => Value::from(sql).to_string(),
            (None, Some(name), _) => name,
            (None, None, Some((_, inner))) => shown(inner),
            (None, None, None) => value.to_string(),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn only_what_differs_is_told() {
        let told = |was: Value, is: Value| {
            let mut words = Vec::new();
            compare("", &was, &is, &mut words);
            words.join(", ")
        };
        let sql = |text: &str| json!({ "grammar": "Expression", "sql": text });
        assert_eq!(
            told(
                json!({ "using": sql("a > 1"), "check": null }),
                json!({ "using": sql("true"), "check": null })
            ),
            r#"using was "a > 1" and is "true""#
        );
        assert_eq!(
            told(json!({ "privileges": { "SELECT": false } }), json!({ "privileges": { "INSERT": false } })),
            "privileges SELECT is gone, privileges INSERT is new"
        );
        let parent = json!({ "name": "t", "schema": "app", "target": "Relation", "resolved": null });
        assert_eq!(
            told(json!({ "inherits": [] }), json!({ "inherits": [parent] })),
            "inherits was [] and is [app.t]"
        );
        assert_eq!(
            told(json!({ "body": { "Sql": sql("a") } }), json!({ "body": { "Text": sql("b") } })),
            r#"body was "a" and is "b""#
        );
        assert_eq!(
            told(json!({ "body": { "Text": sql("a") } }), json!({ "body": { "Text": sql("b") } })),
            r#"body was "a" and is "b""#
        );
        assert_eq!(told(json!("a"), json!("b")), r#""a" became "b""#);
    }
}
