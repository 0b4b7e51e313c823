//! The language as it is written down: the examples of the documents are read, the tables of keys are those of the
//! reader, and the JSON Schema takes what the reader takes.

use std::collections::BTreeSet;
use std::fs;

use schemac_schema::declare::{declare, frame};
use schemac_schema::diagnostic::Severity;
use schemac_schema::ident::Ident;
use schemac_schema::parse;
use schemac_schema::span::Sources;
use schemac_schema::spec::json_schema::{Kind, json_schema};
use schemac_schema::spec::{self};
use schemac_schema::yaml::{self, Node, Style, Value};
use schemac_tests::{cases, repository};
use serde_json::{Map, Number, Value as Json};

/// The fenced blocks of a document that have this info string.
fn blocks(document: &str, info: &str) -> Vec<(usize, String)> {
    let (mut found, mut lines) = (Vec::new(), document.lines().enumerate());
    while let Some((at, line)) = lines.next() {
        let Some(own) = line.strip_prefix("```") else { continue };
        let text: String = lines
            .by_ref()
            .map(|(_, line)| line)
            .take_while(|line| *line != "```")
            .fold(String::new(), |all, line| all + line + "\n");
        if own == info {
            found.push((at + 1, text));
        }
    }
    found
}

/// What belongs to a domain.
const HOMELESS: [&str; 7] = ["facades:", "tables:", "views:", "functions:", "enums:", "types:", "sequences:"];

#[test]
fn the_examples_of_the_documents_are_read() {
    let mut count = 0;
    for name in ["docs/language.md", "docs/facades.md", "README.md"] {
        let text = fs::read_to_string(repository().join(name)).unwrap();
        for (line, example) in blocks(&text, "yaml") {
            // A part of a file is shown without its first line.
            let part = HOMELESS.iter().any(|key| example.starts_with(key));
            let head = if part { "domain: app\n" } else { "" };
            let mut sources = Sources::new();
            let file = sources.add(format!("{name}, the block at line {line}"), format!("{head}{example}"));
            if example.lines().take(2).any(|line| line.contains("schemac.yaml")) {
                let read = spec::read_project(&sources, file);
                assert!(read.is_ok(), "{}", read.err().unwrap().render(&sources, false));
                count += 1;
                continue;
            }
            let read = spec::read_domain(&sources, file);
            let read = read.unwrap_or_else(|error| panic!("{}", error.render(&sources, false)));
            let external = ["auth", "storage", "extensions"].map(Ident::new);
            let declared = parse::on_large_stack(|| {
                let mut declared = declare(&[read], 18, &external.into());
                declared.diagnostics.extend(frame::all_unreadable(&mut declared.catalog));
                declared
            });
            let errors: Vec<String> = declared
                .diagnostics
                .iter()
                .filter(|one| one.severity == Severity::Error)
                .map(|one| one.render(&sources, false))
                .collect();
            assert!(errors.is_empty(), "{}", errors.concat());
            count += 1;
        }
    }
    assert!(count > 12, "only {count}");
}

/// One paragraph on one line, as a table has it.
fn first(text: Option<&Json>) -> String {
    let text = text.and_then(Json::as_str).unwrap_or_default();
    text.split("\n\n").next().unwrap_or_default().split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn the_document_lists_every_key() {
    let document = fs::read_to_string(repository().join("docs/language.md")).unwrap();
    let (_, reference) = document.split_once("## Every key\n").unwrap();
    let mut expected: BTreeSet<String> = BTreeSet::new();
    for (kind, root) in [(Kind::Project, "ProjectSpec"), (Kind::Domain, "DomainSpec"), (Kind::Rules, "")] {
        let schema = json_schema(kind);
        let own = [(root, &schema)].into_iter();
        let all = schema["$defs"].as_object().unwrap();
        for (name, object) in own.chain(all.iter().map(|(name, value)| (name.as_str(), value))) {
            let Some(properties) = object.get("properties").and_then(Json::as_object) else { continue };
            let required = object.get("required").and_then(Json::as_array).cloned().unwrap_or_default();
            for (key, value) in properties {
                let must = if required.iter().any(|one| one == key) { " (must be there)" } else { "" };
                let says = first(value.get("description")).replace('|', "\\|");
                expected.insert(format!("{name}: | `{key}`{must} | {says} |"));
            }
        }
    }
    let (mut found, mut section) = (BTreeSet::new(), "");
    for line in reference.lines() {
        if let Some(name) = line.strip_prefix("### ") {
            section = name;
        } else if line.starts_with("| `") {
            found.insert(format!("{section}: {line}"));
        }
    }
    let missing: Vec<&String> = expected.difference(&found).collect();
    let surplus: Vec<&String> = found.difference(&expected).collect();
    assert!(missing.is_empty() && surplus.is_empty(), "missing: {missing:#?}\nsurplus: {surplus:#?}");
}

/// A file as an editor takes it: plain words are booleans, nulls and numbers where YAML says so.
fn as_json(node: &Node) -> Json {
    match &node.value {
        Value::Mapping { entries, .. } => {
            let entries = entries.iter().map(|(key, value)| (key.text.clone(), as_json(value)));
            Json::Object(entries.collect::<Map<_, _>>())
        }
        Value::Sequence { items, .. } => Json::Array(items.iter().map(as_json).collect()),
        Value::Null => Json::Null,
        Value::Scalar(scalar) if scalar.style == Style::Plain => match scalar.text.as_str() {
            "null" | "~" => Json::Null,
            "true" => Json::Bool(true),
            "false" => Json::Bool(false),
            text => text
                .parse::<i64>()
                .map(Json::from)
                .ok()
                .or_else(|| Number::from_f64(text.parse().ok()?).map(Json::Number))
                .unwrap_or_else(|| Json::String(text.to_owned())),
        },
        Value::Scalar(scalar) => Json::String(scalar.text.clone()),
    }
}

/// What is wrong with a value by a schema; only the words that the schemas use are known.
fn wrong(root: &Json, schema: &Json, value: &Json, at: &str) -> Option<String> {
    let says = |what: &str| Some(format!("{at}: {what}: {value}"));
    let object = match schema {
        Json::Bool(true) => return None,
        Json::Bool(false) => return says("nothing belongs here"),
        Json::Object(object) => object,
        other => panic!("{other} is no schema"),
    };
    for (word, rule) in object {
        let found = match word.as_str() {
            "$ref" => {
                let pointer = rule.as_str().unwrap().strip_prefix('#').unwrap();
                wrong(root, root.pointer(pointer).unwrap(), value, at)
            }
            "anyOf" | "oneOf" => {
                let all: Vec<_> =
                    rule.as_array().unwrap().iter().map(|one| wrong(root, one, value, at)).collect();
                let right = all.iter().filter(|one| one.is_none()).count();
                let enough = if word == "oneOf" { right == 1 } else { right > 0 };
                // The deepest reason says most.
                if enough { None } else { all.into_iter().flatten().max_by_key(String::len) }
            }
            "type" => {
                let is = |kind: &str| match kind {
                    "object" => value.is_object(),
                    "array" => value.is_array(),
                    "string" => value.is_string(),
                    "boolean" => value.is_boolean(),
                    "null" => value.is_null(),
                    "number" => value.is_number(),
                    "integer" => value.is_i64() || value.is_u64(),
                    other => panic!("no type is called {other}"),
                };
                let fits = match rule {
                    Json::String(one) => is(one),
                    many => many.as_array().unwrap().iter().any(|one| is(one.as_str().unwrap())),
                };
                if fits { None } else { says(&format!("no {rule}")) }
            }
            "enum" => rule.as_array().filter(|all| !all.contains(value)).and_then(|_| says("not possible")),
            "const" => (rule != value).then(|| says("not possible")).flatten(),
            "required" => value.as_object().and_then(|map| {
                let missing =
                    rule.as_array().unwrap().iter().find(|key| !map.contains_key(key.as_str().unwrap()));
                missing.and_then(|key| says(&format!("{key} is missing")))
            }),
            "properties" | "additionalProperties" => value.as_object().and_then(|map| {
                let known = object.get("properties").and_then(Json::as_object);
                map.iter().find_map(|(key, value)| {
                    let at = format!("{at}/{key}");
                    match (known.and_then(|known| known.get(key)), word.as_str()) {
                        (Some(schema), "properties") => wrong(root, schema, value, &at),
                        (None, "additionalProperties") => wrong(root, rule, value, &at),
                        _ => None,
                    }
                })
            }),
            "items" => value.as_array().and_then(|all| {
                all.iter()
                    .enumerate()
                    .find_map(|(index, one)| wrong(root, rule, one, &format!("{at}/{index}")))
            }),
            "minimum" => value
                .as_f64()
                .filter(|number| *number < rule.as_f64().unwrap())
                .and_then(|_| says("too small")),
            "maximum" => value
                .as_f64()
                .filter(|number| *number > rule.as_f64().unwrap())
                .and_then(|_| says("too large")),
            "title" | "description" | "default" | "format" | "$schema" | "$defs" => None,
            other => panic!("the word {other} is not known here"),
        };
        if found.is_some() {
            return found;
        }
    }
    None
}

fn judged(kind: Kind, text: &str) -> Option<String> {
    let mut sources = Sources::new();
    let file = sources.add("x.yaml", text);
    let node = yaml::parse(&sources, file).ok()?;
    let schema = json_schema(kind);
    // A file without content declares nothing.
    if matches!(node.value, Value::Null) { None } else { wrong(&schema, &schema, &as_json(&node), "") }
}

#[test]
fn the_json_schema_takes_every_project_and_no_unknown_key() {
    let mut files: Vec<(String, String)> = Vec::new();
    for case in cases::all().unwrap() {
        if case.refused.is_none() {
            let all = case.before.into_iter().chain(case.after);
            files.extend(all.map(|(path, text)| (format!("{} {path}", case.name), text)));
        }
    }
    let disruptor = repository().join("fixtures/disruptor/project");
    files.push(("schemac.yaml".into(), fs::read_to_string(disruptor.join("schemac.yaml")).unwrap()));
    for entry in fs::read_dir(disruptor.join("schema")).unwrap() {
        let path = entry.unwrap().path();
        files.push((path.display().to_string(), fs::read_to_string(path).unwrap()));
    }
    let library = repository().join("schema/src/spec/tests/library.yaml");
    files.push(("library.yaml".into(), fs::read_to_string(library).unwrap()));
    let mut count = 0;
    for (name, text) in files.iter().filter(|(name, _)| !name.ends_with(".sql")) {
        let kind = if name.ends_with("schemac.yaml") { Kind::Project } else { Kind::Domain };
        assert_eq!(judged(kind, text), None, "{name}");
        count += 1;
    }
    assert!(count > 100, "only {count}");

    let mut refused = 0;
    for entry in fs::read_dir(repository().join("fixtures/diagnostics")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if !name.starts_with("SC0103") && !name.starts_with("SC0104-view") {
            continue;
        }
        let text = fs::read_to_string(&path).unwrap();
        let wrong = blocks(&text, "yaml").into_iter().any(|(_, text)| {
            let project = text.lines().next().is_some_and(|line| line.contains("schemac.yaml"));
            judged(if project { Kind::Project } else { Kind::Domain }, &text).is_some()
        });
        assert!(wrong, "{name} is taken");
        refused += 1;
    }
    assert!(refused > 3, "only {refused}");
}
