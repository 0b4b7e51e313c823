//! Single values: which of YAML's spellings leaves them as they are.

use crate::ident::Ident;
use crate::sql;

/// A name in a value: bare, unless it has a dot or a quote, which would be read as SQL's.
pub fn name(name: Ident) -> String {
    if name.as_str().contains(['.', '"']) { sql::quoted(name).to_owned() } else { name.as_str().to_owned() }
}

/// A single value on one line.
pub(super) fn inline(text: &str, is_sql: bool, in_brackets: bool) -> String {
    let brackets = in_brackets && text.contains([',', '[', ']', '{', '}']);
    if is_plain(text, is_sql) && !brackets { text.to_owned() } else { quoted(text) }
}

/// A key: a name, exactly.
pub(super) fn key(text: &str) -> String {
    let safe = |c: char| c.is_alphanumeric() || "_ .'()/$-&".contains(c);
    let plain = is_plain(text, false) && text.chars().all(safe);
    if plain { text.to_owned() } else { quoted(text) }
}

/// Whether a text can stand in a block scalar: lines, and nothing that YAML would change.
pub(super) fn fits_block(text: &str) -> bool {
    let printable = |c: char| c == '\n' || c == '\t' || !is_special(c);
    text.contains('\n')
        && !text.starts_with([' ', '\n', '\t'])
        && !text.ends_with('\n')
        && text.chars().all(printable)
}

/// Whether lines can stand in a block scalar as they are, with nothing but one line end behind the last.
pub(super) fn is_block(text: &str) -> bool {
    let printable = |c: char| c == '\n' || c == '\t' || !is_special(c);
    let lines = text.strip_suffix('\n').unwrap_or(text);
    !lines.is_empty() && !lines.ends_with(char::is_whitespace) && text.chars().all(printable)
}

fn is_special(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}')
}

/// Whether a text is the same in YAML without any quotes, also for readers that give types to plain values.
fn is_plain(text: &str, is_sql: bool) -> bool {
    let Some(first) = text.chars().next() else { return false };
    let starts_badly = "-?:,[]{}#&*!|>'\"%@`=<~".contains(first);
    let harmless = !starts_badly
        && !text.starts_with([' ', '\t'])
        && !text.ends_with([' ', '\t', ':'])
        && !text.contains(": ")
        && !text.contains(" #")
        && !text.contains("\t#")
        && !text.contains(":\t")
        && !text.chars().any(is_special)
        && !text.starts_with("...");
    // A lone number in SQL is what it looks like.
    harmless && !(looks_typed(text) && !(is_sql && text.bytes().all(|byte| byte.is_ascii_digit())))
}

/// Whether other readers would take a word for a boolean, a null, a number or a date.
fn looks_typed(text: &str) -> bool {
    const WORDS: &[&str] = &["true", "false", "yes", "no", "on", "off", "y", "n", "null", ".inf", ".nan"];
    let lower = text.to_ascii_lowercase();
    let number = text.starts_with(|c: char| c.is_ascii_digit() || c == '+' || c == '.')
        && text.chars().all(|c| c.is_ascii_alphanumeric() || "+-._:".contains(c));
    WORDS.contains(&lower.as_str()) || number
}

fn quoted(text: &str) -> String {
    if text.chars().any(is_special) {
        return escaped(text);
    }
    if text.contains(['"', '\\']) { format!("'{}'", text.replace('\'', "''")) } else { format!("\"{text}\"") }
}

fn escaped(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\r' => out.push_str("\\r"),
            c if is_special(c) => out.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}
