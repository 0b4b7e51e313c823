//! JSON constants as `jsonb_out` prints them: keys by length and bytes, the last of equal ones, one blank behind `:`
//! and `,`.

use crate::analyse::constant;
use std::fmt;
use std::str::CharIndices;

/// A value.
#[derive(Clone, Debug, PartialEq)]
pub enum Json {
    /// null, true, false or a number.
    Plain(String),
    /// A string, without quotes and escapes.
    Text(String),
    /// An array.
    List(Vec<Json>),
    /// An object, sorted.
    Object(Vec<(String, Json)>),
}

/// Reads JSON of which it is sure how it is printed.
pub fn of(text: &str) -> Option<Json> {
    let mut reader = Reader { rest: text, depth: 0 };
    let value = reader.value()?;
    reader.blanks();
    reader.rest.is_empty().then_some(value)
}

struct Reader<'a> {
    rest: &'a str,
    depth: u32,
}

impl Reader<'_> {
    fn blanks(&mut self) {
        self.rest = self.rest.trim_start_matches([' ', '\t', '\n', '\r']);
    }

    fn take(&mut self, what: &str) -> bool {
        self.blanks();
        match self.rest.strip_prefix(what) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn text(&mut self) -> Option<String> {
        if !self.take("\"") {
            return None;
        }
        let (mut text, mut characters) = (String::new(), self.rest.char_indices());
        loop {
            match characters.next()? {
                (at, '"') => {
                    self.rest = &self.rest[at + 1..];
                    return Some(text);
                }
                (_, '\\') => text.push(escaped(&mut characters)?),
                (_, c) if c < ' ' => return None,
                (_, c) => text.push(c),
            }
        }
    }

    fn value(&mut self) -> Option<Json> {
        self.depth += 1;
        if self.depth > 100 {
            return None;
        }
        self.blanks();
        let value = match self.rest.chars().next()? {
            '"' => Json::Text(self.text()?),
            '[' => {
                self.take("[");
                let mut list = Vec::new();
                if !self.take("]") {
                    loop {
                        list.push(self.value()?);
                        if self.take("]") {
                            break;
                        }
                        if !self.take(",") {
                            return None;
                        }
                    }
                }
                Json::List(list)
            }
            '{' => {
                self.take("{");
                let mut entries: Vec<(String, Json)> = Vec::new();
                if !self.take("}") {
                    loop {
                        let key = self.text()?;
                        if !self.take(":") {
                            return None;
                        }
                        let value = self.value()?;
                        entries.retain(|(known, _)| *known != key);
                        entries.push((key, value));
                        if self.take("}") {
                            break;
                        }
                        if !self.take(",") {
                            return None;
                        }
                    }
                }
                entries.sort_by(|(a, _), (b, _)| a.len().cmp(&b.len()).then_with(|| a.cmp(b)));
                Json::Object(entries)
            }
            _ => {
                let end = self
                    .rest
                    .find(|c: char| !(c.is_ascii_alphanumeric() || "+-.".contains(c)))
                    .unwrap_or(self.rest.len());
                let word = &self.rest[..end];
                self.rest = &self.rest[end..];
                if !matches!(word, "null" | "true" | "false") && !is_number(word) {
                    return None;
                }
                // A number is kept as numeric.
                Json::Plain(if is_number(word) { constant::numeric(word)? } else { word.to_owned() })
            }
        };
        self.depth -= 1;
        Some(value)
    }
}

/// What stands behind a backslash. Halves of a character make one; NUL is in no text.
pub fn escaped(characters: &mut CharIndices<'_>) -> Option<char> {
    let half = |characters: &mut CharIndices<'_>| {
        let mut number = 0;
        for _ in 0..4 {
            number = number * 16 + characters.next()?.1.to_digit(16)?;
        }
        Some(number)
    };
    Some(match characters.next()?.1 {
        c @ ('"' | '\\' | '/') => c,
        'b' => '\x08',
        'f' => '\x0c',
        'n' => '\n',
        'r' => '\r',
        't' => '\t',
        'u' => match half(characters)? {
            0 => return None,
            first @ 0xd800..0xdc00 => {
                if (characters.next()?.1, characters.next()?.1) != ('\\', 'u') {
                    return None;
                }
                let second = half(characters)?.checked_sub(0xdc00).filter(|second| *second < 0x400)?;
                char::from_u32(0x10000 + ((first - 0xd800) << 10) + second)?
            }
            other => char::from_u32(other)?,
        },
        _ => return None,
    })
}

/// `escape_json`.
pub fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\x08' => out.push_str("\\b"),
            '\x0c' => out.push_str("\\f"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if c < ' ' => out.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

fn is_number(word: &str) -> bool {
    let (word, exponent) = match word.split_once(['e', 'E']) {
        Some((word, exponent)) => (word, exponent.strip_prefix(['+', '-']).unwrap_or(exponent)),
        None => (word, "0"),
    };
    let digits = word.strip_prefix('-').unwrap_or(word);
    let (whole, fraction) = digits.split_once('.').map_or((digits, None), |(a, b)| (a, Some(b)));
    let all = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    all(whole) && (whole == "0" || !whole.starts_with('0')) && fraction.is_none_or(all) && all(exponent)
}

impl fmt::Display for Json {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Json::Plain(word) => f.write_str(word),
            Json::Text(text) => f.write_str(&quoted(text)),
            Json::List(list) => {
                f.write_str("[")?;
                for (place, value) in list.iter().enumerate() {
                    write!(f, "{}{value}", if place == 0 { "" } else { ", " })?;
                }
                f.write_str("]")
            }
            Json::Object(entries) => {
                f.write_str("{")?;
                for (place, (key, value)) in entries.iter().enumerate() {
                    write!(f, "{}{}: {value}", if place == 0 { "" } else { ", " }, quoted(key))?;
                }
                f.write_str("}")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn objects_are_printed_in_jsonb_order() {
        let printed = |text: &str| of(text).map(|value| value.to_string());
        assert_eq!(
            printed(r#"{"bb":1,"a":[1,2.50,true],"c":{}, "a":null}"#).as_deref(),
            Some(r#"{"a": null, "c": {}, "bb": 1}"#)
        );
        for (text, stored) in [
            ("[1e5, -0, 1.50E-2, -0.0]", "[100000, 0, 0.0150, 0.0]"),
            (r#""a\nb\/\u00e9\ud83d\ude00\u0001\"""#, "\"a\\nb/\u{e9}\u{1f600}\\u0001\\\"\""),
            (r#"{"\u0061":1,"a":2}"#, r#"{"a": 2}"#),
        ] {
            assert_eq!(printed(text).as_deref(), Some(stored), "{text}");
        }
        for odd in
            ["1e", "01", "\"a\n\"", "{a:1}", "[1,]", "", "[", "tru", r#""\u0000""#, r#""\ud800""#, r#""\x""#]
        {
            assert_eq!(printed(odd), None, "{odd}");
        }
    }
}
