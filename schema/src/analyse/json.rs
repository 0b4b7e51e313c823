//! JSON constants as `jsonb_out` prints them: keys by length and bytes, the last of equal ones, one blank behind `:`
//! and `,`. Numbers with an exponent and escapes are left undecided.

use std::fmt;

/// A value.
#[derive(Clone, Debug, PartialEq)]
pub enum Json {
    /// null, true, false or a number.
    Plain(String),
    /// A string, without quotes; nothing in it needs an escape.
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
        let end = self.rest.find('"')?;
        let text = &self.rest[..end];
        self.rest = &self.rest[end + 1..];
        (!text.contains(|c: char| c == '\\' || c.is_control())).then(|| text.to_owned())
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
                Json::Plain(word.to_owned())
            }
        };
        self.depth -= 1;
        Some(value)
    }
}

fn is_number(word: &str) -> bool {
    let digits = word.strip_prefix('-').unwrap_or(word);
    let (whole, fraction) = digits.split_once('.').map_or((digits, None), |(a, b)| (a, Some(b)));
    let all = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    all(whole) && (whole == "0" || !whole.starts_with('0')) && fraction.is_none_or(all) && word != "-0"
}

impl fmt::Display for Json {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Json::Plain(word) => f.write_str(word),
            Json::Text(text) => write!(f, "\"{text}\""),
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
                    write!(f, "{}\"{key}\": {value}", if place == 0 { "" } else { ", " })?;
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
        for odd in ["1e5", "01", "\"a\\n\"", "{a:1}", "[1,]", "", "[", "-0", "tru"] {
            assert_eq!(printed(odd), None, "{odd}");
        }
    }
}
