//! The caret stands under the very characters that are wrong, however YAML spells the SQL around them.
//!
//! An error is planted in SQL made at random, which is then written in each of YAML's styles. What the message points
//! at must be, byte for byte, what was written for the planted word.

use std::collections::{BTreeSet, HashMap};

use schemac_compiler::bind::{Binding, bind};
use schemac_schema::code::Code;
use schemac_schema::declare::declare;
use schemac_schema::diagnostic::Diagnostic;
use schemac_schema::ident::Ident;
use schemac_schema::parse;
use schemac_schema::span::Sources;
use schemac_schema::spec;

const ROUNDS: usize = 6_000;

/// Terms that may stand between `and`s.
const TERMS: &[&[&str]] = &[
    &["a", "=", "'it''s'"],
    &["\"wíde \"\"漢🦀\"", "=", "'µ→'"],
    &["b", "in", "(", "1", ",", "2", ")"],
    &["a", "~", "'\\d\\n'"],
    &["a", "<>", "e'\\'\\t'"],
    &["(", "a", "||", "'\"'", ")", "is", "not", "null"],
];

/// What is wrong, and with which code: words after a whole term are a syntax error, others names that nobody knows.
const PLANTED: &[(&str, Code)] = &[
    ("oops", Code::SqlSyntax),
    ("'it''s'", Code::SqlSyntax),
    ("\"ä\\ \"\"漢\"", Code::SqlSyntax),
    ("''", Code::SqlSyntax),
    ("nowhere", Code::UnknownColumn),
    ("\"no'w \"\"hère\"", Code::UnknownColumn),
];

const STYLES: &[&str] = &["", "'", "\"", "|", "|-", "|+", "|N", "|N-", ">", ">-", ">N", ">N+"];

/// A small generator of numbers, the same in every run.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap_or(0) % limit.max(1)
    }

    fn of<'a, T>(&mut self, all: &'a [T]) -> &'a T {
        &all[self.below(all.len())]
    }
}

/// The words of an expression, which of them is wrong, and the code that says so.
fn expression(numbers: &mut Numbers) -> (Vec<&'static str>, usize, Code) {
    let (planted, code) = *numbers.of(PLANTED);
    let mut words: Vec<&str> = Vec::new();
    let (before, after) = (1 + numbers.below(3), numbers.below(3));
    for index in 0..before {
        words.extend((index > 0).then_some("and"));
        // A plain scalar begins with no quote.
        words.extend(if index > 0 { *numbers.of(TERMS) } else { TERMS[0] });
    }
    if code == Code::UnknownColumn {
        words.push("and");
    } else if words.last().is_some_and(|last| last.ends_with('\'')) {
        // Two texts with a line between them are one.
        words.extend(["and", "b", "=", "1"]);
    }
    let at = words.len();
    words.push(planted);
    if code == Code::UnknownColumn {
        words.extend(["=", "1"]);
    }
    for _ in 0..after {
        words.push("and");
        words.extend(*numbers.of(TERMS));
    }
    (words, at, code)
}

/// A word as it is spelt in a style.
fn spelt(word: &str, style: &str, numbers: &mut Numbers) -> String {
    match style {
        "'" => word.replace('\'', "''"),
        "\"" => word.chars().map(|character| escaped(character, numbers)).collect(),
        _ => word.to_owned(),
    }
}

fn escaped(character: char, numbers: &mut Numbers) -> String {
    let code = u32::from(character);
    match (character, numbers.below(6)) {
        ('"' | '\\', 0..4) => format!("\\{character}"),
        (_, 0) if code <= 0xff => format!("\\x{code:02x}"),
        ('"' | '\\', _) | (_, 1) => format!("\\U{code:08x}"),
        (_, 2) if code <= 0xffff => format!("\\u{code:04X}"),
        _ => character.to_string(),
    }
}

/// What stands between two words.
fn gap(style: &str, newline: &str, indent: &str, numbers: &mut Numbers) -> String {
    let block = style.starts_with(['|', '>']);
    match numbers.below(12) {
        0 => "  ".into(),
        1 => "\t".into(),
        2 if style == "\"" => "\\n".into(),
        2 if style == "\"" => "\\t ".into(),
        3 if style == "\"" => format!(" \\{newline}{indent}"),
        4 => format!("{newline}{newline}{indent}"),
        5 => format!("{newline}{indent}{}", " ".repeat(numbers.below(4))),
        6 if !block => format!(" \t{newline}{indent}\t"),
        6 => format!(" \t{newline}{indent}"),
        7 => format!("{newline}{indent}"),
        _ => " ".into(),
    }
}

/// The file of a domain with the expression in one of the places for SQL, and the bytes of the planted word.
fn file(words: &[&str], planted: usize, style: &str, numbers: &mut Numbers) -> (String, usize, usize) {
    let newline = *numbers.of(&["\n", "\r\n"]);
    let (head, key, lead) = *numbers.of(&[
        ("tables:\n  t:\n    columns: { a: text, b: int, wíde \"漢🦀: text }\n    checks:\n", "shape", ""),
        (
            "tables:\n  t:\n    columns: { a: text, b: int, wíde \"漢🦀: text }\n    checks:\n",
            "'it''s \"µ\"'",
            "",
        ),
        (
            "tables:\n  t:\n    columns: { a: text, b: int, wíde \"漢🦀: text }\n    indexes:\n",
            "t_idx",
            "(a) where",
        ),
        (
            "tables:\n  t:\n    columns: { a: text, b: int, wíde \"漢🦀: text }\nviews:\n",
            "  v",
            "select a from app.t where",
        ),
    ]);
    let depth = 6;
    let deeper = 1 + numbers.below(9);
    let indent = " ".repeat(depth + deeper);
    let mut text = format!("# µ 漢\ndomain: app\n{head}").replace('\n', newline);
    text.push_str(&if key.starts_with(' ') {
        format!("  v:{newline}{}query: ", " ".repeat(depth))
    } else {
        format!("{}{key}: ", " ".repeat(depth))
    });
    match style {
        "" | "'" | "\"" => text.push_str(style),
        block => {
            text.push_str(&block.replace('N', &deeper.to_string()));
            text.push_str(newline);
            text.push_str(&newline.repeat(numbers.below(2)));
            text.push_str(&indent);
            if block.contains('N') {
                text.push_str(&" ".repeat(numbers.below(3)));
            }
        }
    }
    for word in lead.split_whitespace() {
        text.push_str(&spelt(word, style, numbers));
        text.push(' ');
    }
    let (mut start, mut end) = (0, 0);
    for (index, word) in words.iter().enumerate() {
        if index > 0 {
            text.push_str(&gap(style, newline, &indent, numbers));
        }
        if index == planted {
            start = text.len();
        }
        text.push_str(&spelt(word, style, numbers));
        if index == planted {
            end = text.len();
        }
    }
    if matches!(style, "'" | "\"") {
        text.push_str(style);
    }
    text.push_str(newline);
    (text, start, end)
}

fn complaints(text: &str) -> (Sources, Vec<Diagnostic>) {
    let mut sources = Sources::new();
    let file = sources.add("app.yaml", text);
    let domain = match spec::read_domain(&sources, file) {
        Ok(domain) => domain,
        Err(error) => return (sources, vec![error]),
    };
    let mut declared = declare(&[domain], 15, &BTreeSet::new());
    let (search_path, facades) = ([Ident::new("app")], HashMap::new());
    let own: BTreeSet<Ident> = declared.schemas.keys().copied().collect();
    let binding = Binding { search_path: &search_path, complete: true, facades: &facades, own: &own };
    bind(&mut declared.catalog, &binding, &mut declared.diagnostics);
    (sources, declared.diagnostics)
}

#[test]
fn the_caret_stands_under_what_is_wrong_in_every_style() {
    let mut failures = Vec::new();
    parse::on_large_stack(|| {
        for seed in 0..ROUNDS {
            let mut numbers = Numbers(seed as u64);
            numbers.below(2);
            let style = STYLES[seed % STYLES.len()];
            let (words, planted, code) = expression(&mut numbers);
            let (text, start, end) = file(&words, planted, style, &mut numbers);
            let (sources, all) = complaints(&text);
            let said = all.iter().find(|one| one.code == code);
            let span = said.and_then(|one| one.primary);
            let found = span.map(|span| (span.start as usize, span.end as usize));
            if found != Some((start, end)) {
                let shown: String = all.iter().map(|one| one.render(&sources, false)).collect();
                let wanted = &text[start..end];
                failures.push(format!(
                    "seed {seed}, {style}: {wanted:?} at {start}..{end}, not {found:?}\n{text:?}\n{shown}"
                ));
            }
        }
    });
    let count = failures.len();
    failures.truncate(4);
    assert!(failures.is_empty(), "{count} of {ROUNDS}\n{}", failures.join("\n\n"));
}
