//! Where the tokens of plain SQL stand, found without pg_query.
//!
//! Its scanner costs a dozen system calls a text, and most texts are short and plain: words, numbers, strings and
//! common operators. Only those are read here; anything that PostgreSQL's scanner has a finer rule for (escapes,
//! comments, dollar quotes, strings in several pieces, rare operators, whatever may be an error) is left to it.
//! `parse::tokens` does both and is the only caller. Not here: what a token means.

use crate::parse::{Keyword, Token};
use std::collections::HashMap;
use std::sync::LazyLock;

/// The tokens of a text, where it is plain all over.
pub fn plain(text: &str) -> Option<Vec<Token>> {
    let bytes = text.as_bytes();
    let mut tokens = Vec::with_capacity(text.len() / 4 + 1);
    let mut at = 0;
    while let Some(first) = bytes.get(at).copied() {
        let start = at;
        let mut keyword = Keyword::No;
        match first {
            b' ' | b'\t' | b'\n' | b'\r' => {
                at += 1;
                continue;
            }
            b'a'..=b'z' | b'A'..=b'Z' | b'_' | 0x80.. => {
                at = span(bytes, at, is_word);
                // `E'…'`, `U&"…"` and their kin.
                if matches!(bytes.get(at), Some(b'\'' | b'"'))
                    || at == start + 1 && matches!(first, b'u' | b'U') && bytes.get(at) == Some(&b'&')
                {
                    return None;
                }
                keyword = keyword_of(text.get(start..at)?);
            }
            b'0'..=b'9' => {
                at = span(bytes, at, |byte| byte.is_ascii_digit());
                if bytes.get(at) == Some(&b'.') && bytes.get(at + 1).is_some_and(u8::is_ascii_digit) {
                    at = span(bytes, at + 1, |byte| byte.is_ascii_digit());
                }
                if bytes.get(at).is_some_and(|next| is_word(*next) || *next == b'.') {
                    return None;
                }
            }
            b'\'' | b'"' => {
                at = quoted(bytes, at, first)?;
                if first == b'"' && at == start + 2 {
                    return None;
                }
                // Behind a line break the string goes on; a comment between is none of ours.
                let next = span(bytes, at, |byte| byte.is_ascii_whitespace());
                if first == b'\'' && next > at && bytes.get(next) == Some(&b'\'') {
                    return None;
                }
            }
            b'(' | b')' | b'[' | b']' | b',' | b';' => at += 1,
            b'.' if !bytes.get(at + 1).is_some_and(|next| next.is_ascii_digit() || *next == b'.') => at += 1,
            b':' => {
                at += match bytes.get(at + 1) {
                    Some(b':' | b'=') => 2,
                    _ => 1,
                };
            }
            _ if is_operator(first) => {
                at = span(bytes, at, is_operator);
                if !OPERATORS.contains(&text.get(start..at)?) {
                    return None;
                }
            }
            _ => return None,
        }
        tokens.push(Token { start, end: at, keyword });
    }
    Some(tokens)
}

/// Operators that are one token, whatever stands around them.
const OPERATORS: &[&str] = &[
    "=", "<>", "<", ">", "<=", ">=", "!=", "=>", "+", "-", "*", "/", "%", "^", "||", "->", "->>", "#>",
    "#>>", "@>", "<@", "&&", "~", "~*", "!~", "!~*", "~~", "~~*", "!~~", "!~~*",
];

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'$' | 0x80..)
}

fn is_operator(byte: u8) -> bool {
    b"~!@#^&|`?+-*/%<>=".contains(&byte)
}

/// Behind the bytes from `at` on that are such.
fn span(bytes: &[u8], at: usize, such: impl Fn(u8) -> bool) -> usize {
    bytes.iter().skip(at).position(|byte| !such(*byte)).map_or(bytes.len(), |length| at + length)
}

/// Behind the quote that closes the one at `at`; twice is the quote itself.
fn quoted(bytes: &[u8], at: usize, quote: u8) -> Option<usize> {
    let mut at = at + 1;
    loop {
        at = span(bytes, at, |byte| byte != quote) + 1;
        if at > bytes.len() {
            return None;
        }
        if bytes.get(at) != Some(&quote) {
            return Some(at);
        }
        at += 1;
    }
}

fn keyword_of(word: &str) -> Keyword {
    static KEYWORDS: LazyLock<HashMap<String, Keyword>> = LazyLock::new(crate::parse::keywords);
    let known = if word.bytes().any(|byte| byte.is_ascii_uppercase()) {
        KEYWORDS.get(&word.to_ascii_lowercase())
    } else {
        KEYWORDS.get(word)
    };
    known.copied().unwrap_or(Keyword::No)
}
