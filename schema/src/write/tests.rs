//! What is written is read back as it was.

use super::*;
use crate::span::Sources;
use crate::yaml;

fn texts() -> Vec<&'static str> {
    vec![
        "plain",
        "",
        " ",
        "null",
        "true",
        "on",
        "1.10",
        "1e3",
        "0x1f",
        "~",
        "2026-01-01",
        "a: b",
        "a #b",
        "a:",
        "- a",
        "-1",
        "'x'::text",
        "\"char\"",
        "a'b\"c\\d",
        "[a]",
        "{a}",
        "a, b",
        "*",
        "&a",
        "!x",
        "|",
        ">",
        "%",
        "@",
        "`",
        "?",
        "? a",
        "tab\there",
        "line\nline",
        "line\n  indented\n\nlast",
        "\nfirst",
        " first\nsecond",
        "last\n",
        "cr\r\nlf",
        "\u{1}",
        "\u{85}",
        "\u{2028}",
        "\u{feff}x",
        "größe",
        "...",
        "---",
        "--- a",
        "<<",
        "=",
        "#",
        "a\n# b",
        "a\n \n b ",
        "\\",
        "'",
        "\"",
        "{table}",
    ]
}

#[test]
fn every_text_is_read_back_as_it_was() {
    let mut map = Map::keys();
    let names = map.named("options");
    for (place, text) in (0..).zip(texts()) {
        names.put(&format!("v{place}"), "", place, Node::Text(text.into()));
    }
    let list = texts().into_iter().map(|text| Node::Text(text.into())).collect();
    map.set("values", Node::List(list));
    let short = ["a, b", "on", "x'y", "-", "#", "[", ": "];
    map.set("published_in", Node::List(short.iter().map(|text| Node::Text((*text).into())).collect()));
    let text = format::file(&map);
    let mut sources = Sources::new();
    let file = sources.add("a.yaml", text.as_str());
    let node = yaml::parse(&sources, file)
        .unwrap_or_else(|error| panic!("{}\n{text}", error.render(&sources, false)));
    let mut found: Vec<String> = Vec::new();
    collect(&node, &mut found);
    let mut expected: Vec<&str> = texts();
    expected.extend(texts());
    expected.extend(short);
    assert_eq!(found, expected, "{text}");
}

#[test]
fn every_name_is_read_back_as_it_was() {
    let mut map = Map::keys();
    let names = map.named("tables");
    for (place, text) in (0..).zip(texts()).filter(|(_, text)| !text.is_empty()) {
        names.put(text, "", place, Node::word(1));
    }
    let text = format::file(&map);
    let mut sources = Sources::new();
    let file = sources.add("a.yaml", text.as_str());
    let node = yaml::parse(&sources, file)
        .unwrap_or_else(|error| panic!("{}\n{text}", error.render(&sources, false)));
    let yaml::Value::Mapping { entries, .. } = node.value else { panic!("{text}") };
    let yaml::Value::Mapping { entries, .. } = &entries[0].1.value else { panic!("{text}") };
    let found: Vec<&str> = entries.iter().map(|(key, _)| key.text.as_str()).collect();
    let expected: Vec<&str> = texts().into_iter().filter(|text| !text.is_empty()).collect();
    assert_eq!(found, expected, "{text}");
}

fn collect(node: &yaml::Node, out: &mut Vec<String>) {
    match &node.value {
        yaml::Value::Mapping { entries, .. } => entries.iter().for_each(|(_, node)| collect(node, out)),
        yaml::Value::Sequence { items, .. } => items.iter().for_each(|node| collect(node, out)),
        yaml::Value::Scalar(scalar) => out.push(scalar.text.clone()),
        yaml::Value::Null => out.push("(nothing)".into()),
    }
}
