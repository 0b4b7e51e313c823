//! Literals of text search, as `tsvectorout` and `tsqueryout` print them: lexemes in order with their positions, and
//! conditions on them. Not understood: escapes, and signs in words without quotes that have another meaning elsewhere.

use crate::sql;
use std::collections::BTreeMap;

/// The last position that is told from others.
const LAST: u32 = 16_383;

/// A word at the beginning of a text, with or without quotes.
fn word(text: &str) -> Option<(String, &str)> {
    if let Some(inner) = text.strip_prefix('\'') {
        let (mut value, mut characters) = (String::new(), inner.char_indices().peekable());
        loop {
            match characters.next()? {
                (_, '\\') => return None,
                (_, '\'') if characters.next_if(|(_, next)| *next == '\'').is_some() => value.push('\''),
                (at, '\'') => return (!value.is_empty()).then(|| (value, &inner[at + 1..])),
                (_, c) => value.push(c),
            }
        }
    }
    let plain = |c: char| c.is_alphanumeric() || "_-./@+".contains(c);
    let end = text.find(|c| !plain(c)).unwrap_or(text.len());
    (end > 0).then(|| (text[..end].to_owned(), &text[end..]))
}

fn quoted(word: &str) -> String {
    format!("'{}'", sql::doubled(word))
}

/// `tsvector`.
pub fn vector(text: &str) -> Option<String> {
    let (mut found, mut rest): (BTreeMap<String, BTreeMap<u32, char>>, _) = (BTreeMap::new(), text.trim());
    while !rest.is_empty() {
        let (lexeme, mut behind) = word(rest)?;
        let places = found.entry(lexeme).or_default();
        if let Some(list) = behind.strip_prefix(':') {
            let end = list.find(char::is_whitespace).unwrap_or(list.len());
            for one in list[..end].split(',') {
                let weight = one.chars().next_back().map(|last| last.to_ascii_uppercase())?;
                let (digits, weight) = match weight {
                    'A'..='D' => (&one[..one.len() - 1], weight),
                    _ => (one, 'D'),
                };
                let plain = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
                let place: u32 = digits.parse().ok().filter(|place| plain && (1..=LAST).contains(place))?;
                // Of one place the greatest weight stays.
                let known = places.entry(place).or_insert(weight);
                *known = weight.min(*known);
            }
            behind = &list[end..];
        }
        if !behind.is_empty() && !behind.starts_with(char::is_whitespace) {
            return None;
        }
        rest = behind.trim_start();
    }
    let one = |(lexeme, places): (&String, &BTreeMap<u32, char>)| {
        let places: Vec<String> = places
            .iter()
            .map(
                |(place, weight)| if *weight == 'D' { place.to_string() } else { format!("{place}{weight}") },
            )
            .collect();
        let sign = if places.is_empty() { "" } else { ":" };
        format!("{}{sign}{}", quoted(lexeme), places.join(","))
    };
    Some(found.iter().map(one).collect::<Vec<_>>().join(" "))
}

/// A condition.
enum Query {
    Word(String),
    Not(Box<Query>),
    /// `|`, `&`, or how far the one is behind the other.
    Both(Sign, Box<Query>, Box<Query>),
}

#[derive(Clone, Copy, PartialEq)]
enum Sign {
    Or,
    And,
    Behind(u32),
}

impl Sign {
    fn priority(self) -> u8 {
        match self {
            Sign::Or => 1,
            Sign::And => 2,
            Sign::Behind(_) => 3,
        }
    }

    /// The sign at the beginning of a text.
    fn read(text: &str) -> Option<(Self, &str)> {
        if let Some(rest) = text.strip_prefix('|') {
            return Some((Sign::Or, rest));
        }
        if let Some(rest) = text.strip_prefix('&') {
            return Some((Sign::And, rest));
        }
        let (distance, rest) = text.strip_prefix('<')?.split_once('>')?;
        let number = |digits: &str| {
            let plain = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
            digits.parse().ok().filter(|number| plain && *number <= LAST)
        };
        Some((Sign::Behind(if distance == "-" { 1 } else { number(distance)? }), rest))
    }
}

struct Reader<'a> {
    rest: &'a str,
    depth: usize,
}

/// `tsquery`.
pub fn query(text: &str) -> Option<String> {
    let mut reader = Reader { rest: text, depth: 0 };
    let query = reader.from(1)?;
    let mut out = String::new();
    print(&query, 0, false, &mut out);
    reader.rest.trim().is_empty().then_some(out)
}

impl Reader<'_> {
    /// What binds at least so strongly.
    fn from(&mut self, priority: u8) -> Option<Query> {
        if priority > 3 {
            return self.single();
        }
        let mut left = self.from(priority + 1)?;
        while let Some((sign, rest)) = Sign::read(self.rest.trim_start()) {
            if sign.priority() != priority {
                break;
            }
            self.rest = rest;
            let right = self.from(priority + 1)?;
            left = Query::Both(sign, Box::new(left), Box::new(right));
        }
        Some(left)
    }

    fn single(&mut self) -> Option<Query> {
        self.depth += 1;
        if self.depth > 50 {
            return None;
        }
        self.rest = self.rest.trim_start();
        let found = if let Some(rest) = self.rest.strip_prefix('!') {
            self.rest = rest;
            Query::Not(Box::new(self.single()?))
        } else if let Some(rest) = self.rest.strip_prefix('(') {
            self.rest = rest;
            let inner = self.from(1)?;
            self.rest = self.rest.trim_start().strip_prefix(')')?;
            inner
        } else {
            let (lexeme, rest) = word(self.rest)?;
            self.rest = rest;
            let mut printed = quoted(&lexeme);
            if let Some(flags) = rest.strip_prefix(':') {
                let end = flags.find(|c| !"*ABCDabcd".contains(c)).unwrap_or(flags.len());
                let given = flags[..end].to_ascii_uppercase();
                if end == 0 {
                    return None;
                }
                printed.push(':');
                printed.extend("*ABCD".chars().filter(|flag| given.contains(*flag)));
                self.rest = &flags[end..];
            }
            if self.rest.starts_with(|c: char| !c.is_whitespace() && !"&|<)".contains(c)) {
                return None;
            }
            Query::Word(printed)
        };
        self.depth -= 1;
        Some(found)
    }
}

/// `infix`.
fn print(query: &Query, around: u8, behind: bool, out: &mut String) {
    match query {
        Query::Word(word) => out.push_str(word),
        Query::Not(inner) => {
            out.push('!');
            print(inner, 4, false, out);
        }
        Query::Both(sign, left, right) => {
            let is_behind = matches!(sign, Sign::Behind(_));
            let parentheses = sign.priority() < around || is_behind && behind;
            out.push_str(if parentheses { "( " } else { "" });
            print(left, sign.priority(), false, out);
            match sign {
                Sign::Or => out.push_str(" | "),
                Sign::And => out.push_str(" & "),
                Sign::Behind(1) => out.push_str(" <-> "),
                Sign::Behind(distance) => out.push_str(&format!(" <{distance}> ")),
            }
            print(right, sign.priority(), is_behind, out);
            out.push_str(if parentheses { " )" } else { "" });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lexemes_are_in_order_and_conditions_in_parentheses() {
        for (text, printed) in
            [("b a  b", "'a' 'b'"), ("'it''s' a:3,1B,1", "'a':1B,3 'it''s'"), ("a:2A,2C", "'a':2A"), ("", "")]
        {
            assert_eq!(vector(text).as_deref(), Some(printed), "{text}");
        }
        for odd in ["a\\b", "a:", "a:0", "a:x", "'a", "a:1*"] {
            assert_eq!(vector(odd), None, "{odd}");
        }
        for (text, printed) in [
            ("a&b | !c", "'a' & 'b' | !'c'"),
            ("(a|b)&c", "( 'a' | 'b' ) & 'c'"),
            ("!(a|b)", "!( 'a' | 'b' )"),
            ("a <-> (b <2> c)", "'a' <-> ( 'b' <2> 'c' )"),
            ("a <-> b <-> c", "'a' <-> 'b' <-> 'c'"),
            ("'a b':*ba", "'a b':*AB"),
            ("a & (b & c)", "'a' & 'b' & 'c'"),
        ] {
            assert_eq!(query(text).as_deref(), Some(printed), "{text}");
        }
        for odd in ["", "a b", "a &", "(a", "a:x", "a<-b"] {
            assert_eq!(query(odd), None, "{odd}");
        }
    }
}
