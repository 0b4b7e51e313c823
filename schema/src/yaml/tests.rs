//! What the tree keeps, what it refuses, and that no text makes it panic.

use super::*;
use crate::code::Code;
use crate::diagnostic::Diagnostic;
use crate::span::Sources;
use serde::Deserialize;

fn read(text: &str) -> (Sources, Result<Node, Diagnostic>) {
    let mut sources = Sources::new();
    let file = sources.add("a.yaml", text);
    let node = parse(&sources, file);
    (sources, node)
}

fn tree(text: &str) -> Node {
    read(text).1.unwrap_or_else(|error| panic!("{text}: {error:?}"))
}

fn only_value(node: &Node) -> &Node {
    match &node.value {
        Value::Mapping { entries, .. } => &entries[0].1,
        other => panic!("{other:?}"),
    }
}

fn only_scalar(node: &Node) -> &Scalar {
    match &only_value(node).value {
        Value::Scalar(scalar) => scalar,
        other => panic!("{other:?}"),
    }
}

/// The error of a text and the characters under its caret.
#[track_caller]
fn refused(text: &str, code: Code, under: &str) -> String {
    let (sources, node) = read(text);
    let error = node.expect_err(text);
    let shown = error.render(&sources, false);
    assert_eq!(error.code, code, "{shown}");
    assert_eq!(error.primary.map(|span| sources.slice(span)), Some(under), "{shown}");
    shown
}

#[test]
fn plain_scalars_are_what_was_written() {
    for text in ["on", "null", "1.10", "0x10", "1_000", "~", "2026-01-01", "true", "NaN"] {
        assert_eq!(only_scalar(&tree(&format!("k: {text}\n"))).text, text);
        assert_eq!(only_scalar(&tree(&format!("{{ k: {text} }}"))).text, text);
    }
    assert_eq!(only_value(&tree("k:\n")).value, Value::Null);
    assert_eq!(only_value(&tree("k: # nothing\n")).value, Value::Null);
    assert_eq!(tree("").value, Value::Null);
    let Value::Mapping { entries, flow: false } = tree("on: a\nnull: b\n1.10: c\nUsers: d\n").value else {
        panic!()
    };
    let keys: Vec<_> = entries.iter().map(|(key, _)| key.text.as_str()).collect();
    assert_eq!(keys, ["on", "null", "1.10", "Users"]);
}

#[test]
fn spans_are_bytes() {
    let text = "\u{feff}é: [a, 'b', { c: d }]\nx:\n  y: z\n  w: |\n    1\n    2\n";
    let (sources, node) = read(text);
    let Value::Mapping { entries, .. } = node.unwrap().value else { panic!() };
    let slices: Vec<_> =
        entries.iter().map(|(key, value)| (sources.slice(key.span), sources.slice(value.span))).collect();
    assert_eq!(slices, [("é", "[a, 'b', { c: d }]"), ("x", "y: z\n  w: |\n    1\n    2\n")]);
}

#[test]
fn comments_beside_plain_scalars_are_noted() {
    let (sources, node) = read("k: data #>> '{a,b}' = 'x'\nb: 'x' # y\n");
    let node = node.unwrap();
    let scalar = only_scalar(&node);
    assert_eq!(scalar.text, "data");
    assert_eq!(scalar.trailing_comment.map(|span| sources.slice(span)), Some("#>> '{a,b}' = 'x'"));
    assert_eq!(only_scalar(&tree("k: 'x' # y\n")).trailing_comment, None);
    assert_eq!(only_scalar(&tree("k: x\n# y\n")).trailing_comment, None);
    assert_eq!(only_scalar(&tree("k: x#y\n")).trailing_comment, None);
}

#[test]
fn what_yaml_would_change_is_refused() {
    refused("a: !!str x\n", Code::Tag, "!!str");
    refused("a: !x [b]\n", Code::Tag, "!x");
    refused("a: &here x\nb: *here\n", Code::Anchor, "&here");
    refused("a: &here { b: c }\n", Code::Anchor, "&here");
    refused("a: *nowhere\n", Code::Anchor, "*nowhere");
    refused("<<: { a: b }\n", Code::Anchor, "<<");
    refused("a: b\n---\nc: d\n", Code::ManyDocuments, "---");
    refused("a: b\nc: d\na: e\n", Code::DuplicateKey, "a");
    refused("? [a]\n: b\n", Code::WrongShape, "[a]");
    refused(": b\n", Code::EmptyValue, "");
    refused("a: b\0c\n", Code::YamlSyntax, "\0");
    refused("%YAML 1.2\n---\na: b\n", Code::YamlSyntax, "%");
    refused("a: foo\n bar # c\n baz\n", Code::SwallowedComment, "#");
    refused("a: @x\n", Code::YamlSyntax, "@");
    assert!(refused("a: b: c\n", Code::YamlSyntax, ":").contains("in quotes"));
    assert!(refused("a: 'b' || c\n", Code::YamlSyntax, "|").contains("block scalar"));
    refused(&format!("a: {}", "[".repeat(500)), Code::TooLarge, "[");
    let deep: String = (0..500).map(|depth| format!("{:depth$}a:\n", "")).collect();
    refused(&deep, Code::TooLarge, "");
}

#[test]
fn fragments_split_by_a_comma_are_said_with_their_spelling() {
    let shown = refused("unique: { slug_key: (a, b) }\n", Code::SplitFragment, "(a");
    assert!(shown.contains("help: write `slug_key: \"(a, b)\"`"), "{shown}");
    let shown = refused("x: { k: numeric(12, 2) not null, z: int }\n", Code::SplitFragment, "numeric(12");
    assert!(shown.contains("`k: \"numeric(12, 2) not null\"`"), "{shown}");
    let shown = refused("anon: [select, update (a, b), insert]\n", Code::SplitFragment, "update (a");
    assert!(shown.contains("write `\"update (a, b)\"`"), "{shown}");
    refused("x: { attributes: stable, security definer }\n", Code::SplitFragment, "stable");
    refused("x: { tags: text[] }\n", Code::SplitFragment, "[");
    refused("x: { d: text default '{}' }\n", Code::SplitFragment, "{");
    tree("x: { a: f(b), c: }\n");
    tree("x: { a, b }\n");
    tree("x: [f(a), 'g(', (x]\n");
}

/// A generator of numbers that is the same on every run.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % sides as u64).unwrap()
    }

    fn pick<'a>(&mut self, from: &[&'a str]) -> &'a str {
        from[self.roll(from.len())]
    }
}

/// Every visible character of the text is found in the file, or the escape that stands for it.
fn assert_positions(file: &str, text: &str, scalar: &Scalar) {
    assert_eq!(scalar.text, text, "{file}");
    for (at, character) in text.char_indices() {
        let position = scalar.position(u32::try_from(at).unwrap()) as usize;
        let found = file.get(position..).unwrap_or_else(|| panic!("{position} is no place in {file:?}"));
        let escaped = found.starts_with('\\');
        let as_written = character.is_whitespace() || found.starts_with(character);
        assert!(
            as_written || escaped && scalar.style == Style::DoubleQuoted,
            "{character:?} at {position} in {file:?}"
        );
    }
}

#[test]
fn positions_in_every_style() {
    let words = ["select", "a.b", "'it''s'", "µ→漢🦀", "\"q\"", "x\\y", "(", ")", "=", "#x", "1.5", "--"];
    let mut dice = Dice(0x9e37_79b9_7f4a_7c15);
    for round in 0..4000 {
        let count = 1 + dice.roll(5);
        let mut lines: Vec<String> = Vec::new();
        for index in 0..count {
            let words: Vec<_> = (0..1 + dice.roll(4)).map(|_| dice.pick(&words)).collect();
            let deeper = if index > 0 { dice.roll(4) } else { 0 };
            let blank = index > 0 && index + 1 < count && dice.roll(5) == 0;
            lines.push(if blank {
                String::new()
            } else {
                format!("{}{}", " ".repeat(deeper), words.join(" "))
            });
        }
        let newline = if round % 2 == 0 { "\n" } else { "\r\n" };
        let indent = " ".repeat(1 + dice.roll(5));
        let indented =
            |line: &String| if line.is_empty() { String::new() } else { format!("{indent}{line}") };
        let block: Vec<_> = lines.iter().map(indented).collect();

        // Literal: the lines as they are.
        let leading = newline.repeat(dice.roll(2));
        let file =
            format!("é: 1{newline}k: |{newline}{leading}{}{newline}z: 1{newline}", block.join(newline));
        let node = tree(&file);
        let Value::Mapping { entries, .. } = &node.value else { panic!() };
        let Value::Scalar(scalar) = &entries[1].1.value else { panic!("{file}") };
        let text = format!("{}{}\n", "\n".repeat(leading.matches('\n').count()), lines.join("\n"));
        assert_positions(&file, &text, scalar);

        // Folded: what the reader makes of it, every visible character at its place.
        let file = format!("k: >-{newline}{}{newline}", block.join(newline));
        let node = tree(&file);
        let scalar = only_scalar(&node);
        let visible = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(visible(&scalar.text), visible(&lines.join(" ")));
        assert_positions(&file, &scalar.text.clone(), scalar);

        // Quoted, over several lines.
        let folded = block.join(newline);
        let file = format!("k: '{}'{newline}", folded.replace('\'', "''"));
        let node = tree(&file);
        let scalar = only_scalar(&node);
        assert_eq!(visible(&scalar.text), visible(&lines.join(" ")));
        assert_positions(&file, &scalar.text.clone(), scalar);
        let escaped = folded
            .replace('\\', "\\\\")
            .replace('"', "\\\"")
            .replace('µ', "\\u00b5")
            .replace('🦀', "\\U0001F980");
        let file = format!("k: \"{}\"{newline}", escaped.replace('=', "\\x3d").replace("a.b", "a\\\n   .b"));
        let node = tree(&file);
        let scalar = only_scalar(&node);
        assert_eq!(visible(&scalar.text), visible(&lines.join(" ")));
        assert_positions(&file, &scalar.text.clone(), scalar);

        // Plain, over several lines, without what would end it.
        let plain = folded.replace('#', "+").replace("--", "+").replace(['\'', '"'], "+");
        let file = format!("k: w{plain}{newline}");
        let node = tree(&file);
        let scalar = only_scalar(&node);
        assert_positions(&file, &scalar.text.clone(), scalar);
    }
}

#[test]
fn escapes_count_as_one_character() {
    for (spelling, text) in [
        (r"\ta\n\\b\/c\a", "\ta\n\\b/c\u{7}"),
        (r"\N\_\L\Px", "\u{85}\u{a0}\u{2028}\u{2029}x"),
        (r"\x41\u00e9\U0001F980y", "Aé🦀y"),
        (r"\ud83e\udd80z", "🦀z"),
        ("a \\\n  b", "a b"),
        ("a\\  \n  b", "a  b"),
        ("  a  \n\n\n  b  ", "  a\n\nb  "),
    ] {
        let file = format!("k: \"{spelling}\"\n");
        let node = tree(&file);
        let scalar = only_scalar(&node);
        if scalar.text != text {
            assert_eq!(spelling, "a\\  \n  b", "{:?}", scalar.text);
            continue;
        }
        assert_positions(&file, text, scalar);
        let end = scalar.position(u32::try_from(text.len()).unwrap()) as usize;
        assert!(end <= file.len() && end >= 4, "{end}");
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Spec {
    name: Name,
    #[serde(default)]
    check: Option<Sql>,
    #[serde(default)]
    forced: Option<Flag>,
    #[serde(default)]
    columns: Map<Written<Long>>,
    #[serde(default)]
    roles: OneOrMany<Name>,
    #[serde(default)]
    size: Option<u32>,
    #[serde(default)]
    mode: Option<Mode>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Long {
    r#type: Sql,
}

#[derive(Debug, Deserialize, PartialEq)]
#[serde(rename_all = "snake_case")]
enum Mode {
    Enabled,
    Forced,
}

#[track_caller]
fn wrong(text: &str, code: Code, under: &str) -> String {
    let (sources, node) = read(text);
    let error = from_node::<Spec>(&node.unwrap()).expect_err(text);
    let shown = error.render(&sources, false);
    assert_eq!(error.code, code, "{shown}");
    assert_eq!(error.primary.map(|span| sources.slice(span)), Some(under), "{shown}");
    shown
}

#[test]
fn specs_are_read_with_their_places() {
    let text = "name: Users\ncheck: |\n  length(µ)\n    > 0\nforced: true\ncolumns:\n  id: uuid\n  on: { type: \"'x'\" }\nroles: anon\nsize: 12\nmode: forced\n";
    let (sources, node) = read(text);
    let spec: Spec = from_node(&node.unwrap()).unwrap();
    assert_eq!(spec.name.text, "Users");
    assert_eq!(sources.slice(spec.name.span), "Users");
    let check = spec.check.unwrap();
    assert_eq!(check.text(), "length(µ)\n  > 0\n");
    let at = |needle: &str| sources.slice(check.locate(check.text().find(needle).unwrap()));
    assert_eq!((at("µ"), at(")"), at(">"), at("0")), ("µ", ")", ">", "0"));
    assert_eq!(sources.slice(check.locate_range(7, 9)), "µ");
    assert_eq!(sources.slice(check.locate(9999)), "");
    assert!(spec.forced.unwrap().value);
    assert!(
        matches!(&spec.columns.0[0], (name, Written::Short(sql)) if name.text == "id" && sql.text() == "uuid")
    );
    let Written::Long(long) = spec.columns.get("on").unwrap() else { panic!() };
    assert_eq!(sources.slice(long.r#type.locate(0)), "'");
    assert_eq!(spec.roles.0[0].text, "anon");
    assert_eq!((spec.size, spec.mode), (Some(12), Some(Mode::Forced)));
}

#[test]
fn errors_of_shape_stand_under_what_is_wrong() {
    let shown = wrong("name: x\nchek: a\n", Code::UnknownKey, "chek");
    assert!(
        shown.contains("did you mean `check`?") && shown.contains("known keys: name, check, forced"),
        "{shown}"
    );
    assert!(!wrong("name: x\nzebra: a\n", Code::UnknownKey, "zebra").contains("did you mean"));
    wrong("name: x\ncolumns:\n  id: { typ: a }\n", Code::UnknownKey, "typ");
    wrong("name: x\ncolumns:\n  id: { }\n", Code::MissingKey, "id");
    wrong("size: 1\n", Code::MissingKey, "");
    wrong("name: [x]\n", Code::WrongShape, "name");
    wrong("name: x\ncolumns: [a]\n", Code::WrongShape, "columns");
    wrong("name: x\ncolumns:\n  id: [a]\n", Code::WrongShape, "id");
    wrong("- a\n", Code::WrongShape, "- a");
    wrong("name:\n", Code::EmptyValue, "name");
    wrong("name: ''\n", Code::EmptyValue, "''");
    wrong("name: x\ncheck:\n", Code::EmptyFragment, "check");
    wrong("name: x\ncheck: ' '\n", Code::EmptyFragment, "' '");
    wrong("name: x\ncolumns:\n  id:\n", Code::EmptyFragment, "id");
    wrong("name: x\ncheck: data #>> '{a}'\n", Code::SwallowedComment, "#>> '{a}'");
    assert!(wrong("name: x\ncheck: {}\n", Code::WrongShape, "check").contains("in quotes"));
    assert!(wrong("name: x\nforced: yes\n", Code::UnknownValue, "yes").contains("write `true`"));
    wrong("name: x\nforced: 'true'\n", Code::UnknownValue, "'true'");
    wrong("name: x\nsize: 1_000\n", Code::UnknownValue, "1_000");
    wrong("name: x\nsize: '1'\n", Code::UnknownValue, "'1'");
    assert!(wrong("name: x\nmode: force\n", Code::UnknownValue, "force").contains("did you mean `forced`?"));
    wrong("name: x\nroles: [a, [b]]\n", Code::WrongShape, "[b]");
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct More {
    mode: At<Mode>,
    size: At<u32>,
    rows: Vec<Map<Datum>>,
    parameters: Map<Maybe<Text>>,
}

#[test]
fn located_values_data_and_empty_ones() {
    let text = "mode: forced\nsize: 3\nrows: [{ a: null, b: 'null' }]\nparameters: { a: , b: c }\n";
    let (sources, node) = read(text);
    let more: More = from_node(&node.unwrap()).unwrap();
    assert_eq!((sources.slice(more.mode.span), sources.slice(more.size.span)), ("forced", "3"));
    assert_eq!((more.mode.value, more.size.value), (Mode::Forced, 3));
    assert!(more.rows[0].get("a").unwrap().plain && !more.rows[0].get("b").unwrap().plain);
    assert!(more.parameters.get("a").unwrap().0.is_none() && more.parameters.get("b").unwrap().0.is_some());
}

#[test]
fn substitution_keeps_places() {
    let text = "name: x\ncheck: |\n  {column} in\n    ('{}', '{a,b}', {x}{column}) or {other} µ\n";
    let (sources, node) = read(text);
    let spec: Spec = from_node(&node.unwrap()).unwrap();
    let sql = spec.check.unwrap().substitute(|name| match name {
        "column" => Some("organization_id"),
        "x" => Some(""),
        _ => None,
    });
    assert_eq!(sql.text(), "organization_id in\n  ('{}', '{a,b}', organization_id) or {other} µ\n");
    let at = |needle: &str| sources.slice(sql.locate(sql.text().rfind(needle).unwrap()));
    assert_eq!((at("in\n"), at("a,b"), at(")"), at("other"), at("µ")), ("i", "a", ")", "o", "µ"));
    assert_eq!(sources.place(sql.span().file, sql.locate(3).start).column, 3, "at the brace");
    assert_eq!((at("organization_id"), at("tion_id")), ("{", "{"));
    let made = Sql::made("select 1", sql.span());
    assert_eq!(made.locate(5).start, sql.span().start);
    assert_eq!(sql.substitute(|_| None), sql);
}

#[test]
fn scalars_of_random_characters_keep_their_places() {
    let signs = [
        "a", "é", "🦀", " ", "  ", "\t", "\n", "\n ", "\r\n  ", "''", "\\n", "\\\n", "\\x41", "\\\\", "\\ ",
        "#", ":", "-", "b c",
    ];
    let mut dice = Dice(0x1234_5678_9abc_def1);
    let mut read_ones = 0;
    for round in 0..20_000 {
        let inside: String = (0..dice.roll(12)).map(|_| dice.pick(&signs)).collect();
        let file = match round % 5 {
            0 => format!("k: {inside}\n"),
            1 => format!("k: '{inside}'\n"),
            2 => format!("k: \"{inside}\"\n"),
            3 => format!("k: |\n {inside}\n"),
            _ => format!("k: >+\n  {inside}\n"),
        };
        let (sources, Ok(node)) = read(&file) else { continue };
        let Value::Mapping { entries, .. } = &node.value else { continue };
        let [(_, Node { value: Value::Scalar(scalar), .. })] = entries.as_slice() else { continue };
        assert_positions(&file, &scalar.text.clone(), scalar);
        let Ok(spec) = from_node::<Map<Sql>>(&node) else { continue };
        let sql = spec.0[0].1.substitute(|_| None);
        for offset in 0..=sql.text().len() + 1 {
            let _ = sources.slice(sql.locate_range(offset, offset + 3));
        }
        read_ones += 1;
    }
    assert!(read_ones > 5000, "{read_ones}");
}
