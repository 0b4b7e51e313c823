//! JSON paths as `jsonpath_out` prints them.
//!
//! Only what versions 14 to 18 read alike: no comments, no escapes outside of quotes, numbers in decimal digits.

use crate::analyse::{constant, json};
use std::iter::Peekable;
use std::vec::IntoIter;

/// A path, printed; `None` where it is not understood.
pub fn printed(text: &str, version: u32) -> Option<String> {
    let mut reader = Reader { tokens: tokens(text)?.into_iter().peekable(), depth: 0, version };
    let strict = reader.word("strict");
    if !strict {
        reader.word("lax");
    }
    let (path, _) = reader.either()?;
    if reader.tokens.next().is_some() {
        return None;
    }
    let mut out = String::from(if strict { "strict " } else { "" });
    print(&path, false, true, &mut out)?;
    Some(out)
}

/// An item of a path; what follows it stands behind it.
#[derive(Clone, Debug, PartialEq)]
enum Item {
    /// What is printed as it is.
    Plain(&'static str),
    Text(String),
    Number(String),
    Variable(String),
    Key(String),
    AnyKey,
    /// `**` between two levels; the last is none.
    Any(Option<u32>, Option<u32>),
    Index(Vec<(Path, Option<Path>)>),
    Filter(Path),
    Exists(Path),
    Not(Path),
    Unknown(Path),
    Sign(char, Path),
    Binary(&'static str, Path, Path),
    Like(Path, String, String),
    Method(String, Vec<Path>),
}

type Path = Vec<Item>;

#[derive(Clone, Debug, PartialEq)]
enum Token {
    /// A word without quotes.
    Word(String),
    Text(String),
    Variable(String),
    /// Digits alone.
    Whole(String),
    Number(String),
    Sign(&'static str),
}

const SIGNS: [&str; 29] = [
    "**", "&&", "||", "==", "!=", "<>", "<=", ">=", "<", ">", "!", "*", "+", "-", "/", "%", "(", ")", "[",
    "]", "{", "}", ".", ",", "?", "@", "$", ":", "#",
];

fn is_special(c: char) -> bool {
    "?%$.[]{}()|&!=<>@#,*:-+/\\\"' \t\n\r\x0c".contains(c)
}

fn tokens(text: &str) -> Option<Vec<Token>> {
    let (mut rest, mut found) = (text, Vec::new());
    loop {
        rest = rest.trim_start_matches([' ', '\t', '\n', '\r', '\x0c']);
        let Some(first) = rest.chars().next() else { return Some(found) };
        if rest.starts_with("/*") {
            return None;
        }
        if let Some(behind) = rest.strip_prefix('$') {
            if let Some(quoted) = behind.strip_prefix('"') {
                let (name, behind) = string(quoted)?;
                found.push(Token::Variable(name));
                rest = behind;
                continue;
            }
            let end = behind.find(is_special).unwrap_or(behind.len());
            if end > 0 {
                found.push(Token::Variable(behind[..end].to_owned()));
                rest = &behind[end..];
                continue;
            }
        }
        if let Some(quoted) = rest.strip_prefix('"') {
            let (value, behind) = string(quoted)?;
            found.push(Token::Text(value));
            rest = behind;
        } else if first.is_ascii_digit()
            || first == '.' && rest[1..].starts_with(|c: char| c.is_ascii_digit())
        {
            let (token, behind) = number(rest)?;
            found.push(token);
            rest = behind;
        } else if let Some(sign) = SIGNS.iter().find(|sign| rest.starts_with(**sign)) {
            found.push(Token::Sign(sign));
            rest = &rest[sign.len()..];
        } else {
            let end = rest.find(is_special).unwrap_or(rest.len());
            if end == 0 || rest[end..].starts_with('\\') {
                return None;
            }
            found.push(Token::Word(rest[..end].to_owned()));
            rest = &rest[end..];
        }
    }
}

/// A number that every version takes for one.
fn number(text: &str) -> Option<(Token, &str)> {
    let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
    let whole = digits(text);
    if whole > 1 && text.starts_with('0') {
        return None;
    }
    let mut end = whole;
    if text[end..].starts_with('.') {
        let fraction = digits(&text[end + 1..]);
        if fraction == 0 {
            return None;
        }
        end += 1 + fraction;
    }
    if text[end..].starts_with(['e', 'E']) {
        let signed = usize::from(text[end + 1..].starts_with(['+', '-']));
        let exponent = digits(&text[end + 1 + signed..]);
        if exponent == 0 {
            return None;
        }
        end += 1 + signed + exponent;
    }
    let (number, rest) = text.split_at(end);
    if rest.starts_with(|c| !is_special(c) || matches!(c, '.' | '\\')) {
        return None;
    }
    let printed = constant::numeric(number)?;
    Some((if end == whole { Token::Whole(printed) } else { Token::Number(printed) }, rest))
}

/// What stands in quotes, without the first.
fn string(text: &str) -> Option<(String, &str)> {
    let (mut value, mut characters) = (String::new(), text.char_indices());
    loop {
        match characters.next()? {
            (at, '"') => return Some((value, &text[at + 1..])),
            (at, '\\') => match text[at + 1..].chars().next()? {
                'v' => {
                    characters.next();
                    value.push('\x0b');
                }
                'x' => {
                    let code =
                        u32::from_str_radix(text.get(at + 2..at + 4)?, 16).ok().filter(|code| *code > 0)?;
                    value.push(char::from_u32(code)?);
                    characters.nth(2);
                }
                'u' if text[at + 2..].starts_with('{') => return None,
                _ => value.push(json::escaped(&mut characters)?),
            },
            (_, c) => value.push(c),
        }
    }
}

struct Reader {
    tokens: Peekable<IntoIter<Token>>,
    depth: usize,
    version: u32,
}

/// A path, and whether it says true or false.
type Read = (Path, bool);

impl Reader {
    fn sign(&mut self, sign: &str) -> bool {
        self.tokens.next_if(|token| matches!(token, Token::Sign(own) if *own == sign)).is_some()
    }

    fn word(&mut self, word: &str) -> bool {
        let same = |token: &Token| matches!(token, Token::Word(own) if own.eq_ignore_ascii_case(word));
        self.tokens.next_if(same).is_some()
    }

    fn one_of(&mut self, signs: &[&'static str]) -> Option<&'static str> {
        signs.iter().copied().find(|sign| self.sign(sign))
    }

    /// A path or a condition.
    fn either(&mut self) -> Option<Read> {
        self.depth += 1;
        if self.depth > 50 {
            return None;
        }
        let mut left = self.all()?;
        while self.sign("||") {
            let right = self.all()?;
            left = both("||", left, right)?;
        }
        self.depth -= 1;
        Some(left)
    }

    fn all(&mut self) -> Option<Read> {
        let mut left = self.single()?;
        while self.sign("&&") {
            let right = self.single()?;
            left = both("&&", left, right)?;
        }
        Some(left)
    }

    /// One condition, or a path.
    fn single(&mut self) -> Option<Read> {
        if self.sign("!") {
            let (path, true) = self.primary()? else { return None };
            let delimited = matches!(&path[..], [_]);
            return delimited.then(|| (vec![Item::Not(path)], true));
        }
        let (left, condition) = self.sum()?;
        if condition {
            return Some((left, true));
        }
        if let Some(name) = self.one_of(&["==", "!=", "<>", "<=", ">=", "<", ">"]) {
            let (right, false) = self.sum()? else { return None };
            let name = if name == "<>" { "!=" } else { name };
            return Some((vec![Item::Binary(name, left, right)], true));
        }
        if self.word("starts") {
            let with = self.word("with");
            let right = match self.tokens.next().filter(|_| with)? {
                Token::Text(text) => Item::Text(text),
                Token::Variable(name) => Item::Variable(name),
                _ => return None,
            };
            return Some((vec![Item::Binary("starts with", left, vec![right])], true));
        }
        if self.word("like_regex") {
            let Token::Text(pattern) = self.tokens.next()? else { return None };
            let mut flags = String::new();
            if self.word("flag") {
                let Token::Text(given) = self.tokens.next()? else { return None };
                if given.chars().any(|flag| !"ismq".contains(flag)) {
                    return None;
                }
                flags = "ismq".chars().filter(|flag| given.contains(*flag)).collect();
            }
            return Some((vec![Item::Like(left, pattern, flags)], true));
        }
        Some((left, false))
    }

    fn sum(&mut self) -> Option<Read> {
        let mut left = self.product()?;
        while let Some(name) = self.one_of(&["+", "-"]) {
            let right = self.product()?;
            left = calculated(name, left, right)?;
        }
        Some(left)
    }

    fn product(&mut self) -> Option<Read> {
        let mut left = self.signed()?;
        while let Some(name) = self.one_of(&["*", "/", "%"]) {
            let right = self.signed()?;
            left = calculated(name, left, right)?;
        }
        Some(left)
    }

    fn signed(&mut self) -> Option<Read> {
        let sign = match self.one_of(&["+", "-"]) {
            None => return self.primary(),
            Some("+") => '+',
            Some(_) => '-',
        };
        self.depth += 1;
        if self.depth > 50 {
            return None;
        }
        let (path, false) = self.signed()? else { return None };
        self.depth -= 1;
        if let [Item::Number(number)] = &path[..] {
            let number = match (sign, number.strip_prefix('-')) {
                ('+', _) => number.clone(),
                (_, Some(rest)) => rest.to_owned(),
                (_, None) => constant::numeric(&format!("-{number}"))?,
            };
            return Some((vec![Item::Number(number)], false));
        }
        Some((vec![Item::Sign(sign, path)], false))
    }

    fn primary(&mut self) -> Option<Read> {
        let mut condition = false;
        let mut parentheses = false;
        let mut path = match self.tokens.next()? {
            Token::Text(text) => vec![Item::Text(text)],
            Token::Variable(name) => vec![Item::Variable(name)],
            Token::Whole(number) | Token::Number(number) => vec![Item::Number(number)],
            Token::Sign("$") => vec![Item::Plain("$")],
            Token::Sign("@") => vec![Item::Plain("@")],
            Token::Sign("(") => {
                let (path, is_condition) = self.either()?;
                if !self.sign(")") {
                    return None;
                }
                (condition, parentheses) = (is_condition, true);
                path
            }
            Token::Word(word) => match word.as_str() {
                "null" => vec![Item::Plain("null")],
                "true" => vec![Item::Plain("true")],
                "false" => vec![Item::Plain("false")],
                word if word.eq_ignore_ascii_case("last") => vec![Item::Plain("last")],
                word if word.eq_ignore_ascii_case("exists") && self.sign("(") => {
                    let (path, false) = self.either()? else { return None };
                    return self.sign(")").then(|| (vec![Item::Exists(path)], true));
                }
                _ => return None,
            },
            Token::Sign(_) => return None,
        };
        if condition && self.word("is") {
            return self.word("unknown").then(|| (vec![Item::Unknown(path)], true));
        }
        let before = path.len();
        while let Some(item) = self.accessor() {
            path.push(item?);
        }
        if self.version < 15 && matches!(path[..], [Item::Number(_), _, ..]) {
            // 14 prints such a number without brackets, which reads as another one.
            return None;
        }
        // A condition that something is taken of is a value.
        Some((path.clone(), condition && parentheses && path.len() == before))
    }

    /// What follows an item, if anything does.
    fn accessor(&mut self) -> Option<Option<Item>> {
        if self.sign("[") {
            return Some(self.subscripts());
        }
        if self.sign("?") {
            return Some(self.filter());
        }
        self.sign(".").then(|| self.member())
    }

    fn filter(&mut self) -> Option<Item> {
        if !self.sign("(") {
            return None;
        }
        let (path, true) = self.either()? else { return None };
        self.sign(")").then_some(Item::Filter(path))
    }

    fn subscripts(&mut self) -> Option<Item> {
        if self.sign("*") {
            return self.sign("]").then_some(Item::Plain("[*]"));
        }
        let mut found = Vec::new();
        loop {
            let (from, false) = self.sum()? else { return None };
            let to = if self.word("to") {
                let (to, false) = self.sum()? else { return None };
                Some(to)
            } else {
                None
            };
            found.push((from, to));
            if self.sign("]") {
                return Some(Item::Index(found));
            }
            if !self.sign(",") {
                return None;
            }
        }
    }

    fn member(&mut self) -> Option<Item> {
        if self.sign("**") {
            return self.levels();
        }
        if self.sign("*") {
            return Some(Item::AnyKey);
        }
        match self.tokens.next()? {
            Token::Text(text) => Some(Item::Key(text)),
            Token::Word(word) if self.sign("(") => self.method(&word.to_ascii_lowercase()),
            Token::Word(word) => Some(Item::Key(word)),
            _ => None,
        }
    }

    fn levels(&mut self) -> Option<Item> {
        if !self.sign("{") {
            return Some(Item::Any(Some(0), None));
        }
        let from = self.level()?;
        let to = if self.word("to") { self.level()? } else { from };
        self.sign("}").then_some(Item::Any(from, to))
    }

    fn level(&mut self) -> Option<Option<u32>> {
        if self.word("last") {
            return Some(None);
        }
        let Token::Whole(number) = self.tokens.next()? else { return None };
        number.parse::<i32>().ok().and_then(|number| u32::try_from(number).ok()).map(Some)
    }

    fn method(&mut self, name: &str) -> Option<Item> {
        let plain = ["abs", "size", "type", "floor", "double", "ceiling", "keyvalue"];
        let since_17 = ["bigint", "boolean", "date", "integer", "number", "string"];
        let precise = ["time", "time_tz", "timestamp", "timestamp_tz"];
        let mut arguments = Vec::new();
        if name == "datetime" {
            if let Some(Token::Text(text)) = self.tokens.next_if(|token| matches!(token, Token::Text(_))) {
                arguments.push(vec![Item::Text(text)]);
            }
        } else if precise.contains(&name) && self.version >= 17 {
            if let Some(Token::Whole(number)) = self.tokens.next_if(|token| matches!(token, Token::Whole(_)))
            {
                arguments.push(vec![Item::Number(number)]);
            }
        } else if name == "decimal" && self.version >= 17 {
            while !matches!(self.tokens.peek(), Some(Token::Sign(")"))) {
                if !arguments.is_empty() && !self.sign(",") || arguments.len() == 2 {
                    return None;
                }
                match self.signed()? {
                    (number, false) if matches!(&number[..], [Item::Number(_)]) => arguments.push(number),
                    _ => return None,
                }
            }
        } else if !(plain.contains(&name) || since_17.contains(&name) && self.version >= 17) {
            return None;
        }
        self.sign(")").then(|| Item::Method(name.to_owned(), arguments))
    }
}

fn both(name: &'static str, left: Read, right: Read) -> Option<Read> {
    (left.1 && right.1).then(|| (vec![Item::Binary(name, left.0, right.0)], true))
}

fn calculated(name: &'static str, left: Read, right: Read) -> Option<Read> {
    (!left.1 && !right.1).then(|| (vec![Item::Binary(name, left.0, right.0)], false))
}

/// `operationPriority`.
fn priority(item: &Item) -> u8 {
    match item {
        Item::Binary("||", ..) => 0,
        Item::Binary("&&", ..) => 1,
        Item::Binary("+" | "-", ..) => 3,
        Item::Binary("*" | "/" | "%", ..) => 4,
        Item::Binary(..) => 2,
        Item::Sign(..) => 5,
        _ => 6,
    }
}

/// `printJsonPathItem` of a path's first item and of those behind it.
fn print(path: &[Item], inside: bool, brackets: bool, out: &mut String) -> Option<()> {
    let Some((item, next)) = path.split_first() else { return Some(()) };
    let operand = |path: &[Item], out: &mut String| {
        print(path, false, path.first().is_some_and(|own| priority(own) <= priority(item)), out)
    };
    let operates = matches!(item, Item::Binary(..) | Item::Sign(..) | Item::Like(..));
    if operates && !brackets && !next.is_empty() {
        // What is taken of it would read as taken of its last operand.
        return None;
    }
    if operates && brackets {
        out.push('(');
    }
    let dot = if inside { "." } else { "" };
    match item {
        Item::Plain(text) => out.push_str(text),
        Item::Text(text) => out.push_str(&json::quoted(text)),
        Item::Number(number) if next.is_empty() => out.push_str(number),
        Item::Number(number) => out.push_str(&format!("({number})")),
        Item::Variable(name) => out.push_str(&format!("${}", json::quoted(name))),
        Item::Key(name) => out.push_str(&format!("{dot}{}", json::quoted(name))),
        Item::AnyKey => out.push_str(&format!("{dot}*")),
        Item::Any(from, to) => {
            let level =
                |level: &Option<u32>| level.map_or_else(|| "last".to_owned(), |level| level.to_string());
            out.push_str(&match (from, to) {
                (Some(0), None) => format!("{dot}**"),
                _ if from == to => format!("{dot}**{{{}}}", level(from)),
                _ => format!("{dot}**{{{} to {}}}", level(from), level(to)),
            });
        }
        Item::Index(pairs) => {
            out.push('[');
            for (place, (from, to)) in pairs.iter().enumerate() {
                out.push_str(if place > 0 { "," } else { "" });
                print(from, false, false, out)?;
                if let Some(to) = to {
                    out.push_str(" to ");
                    print(to, false, false, out)?;
                }
            }
            out.push(']');
        }
        Item::Filter(inner) | Item::Exists(inner) | Item::Not(inner) | Item::Unknown(inner) => {
            out.push_str(match item {
                Item::Filter(_) => "?(",
                Item::Exists(_) => "exists (",
                Item::Not(_) => "!(",
                _ => "(",
            });
            print(inner, false, false, out)?;
            out.push_str(if matches!(item, Item::Unknown(_)) { ") is unknown" } else { ")" });
        }
        Item::Sign(sign, inner) => {
            out.push(*sign);
            operand(inner, out)?;
        }
        Item::Binary(name, left, right) => {
            operand(left, out)?;
            out.push_str(&format!(" {name} "));
            operand(right, out)?;
        }
        Item::Like(inner, pattern, flags) => {
            operand(inner, out)?;
            out.push_str(&format!(" like_regex {}", json::quoted(pattern)));
            if !flags.is_empty() {
                out.push_str(&format!(" flag \"{flags}\""));
            }
        }
        Item::Method(name, arguments) => {
            out.push_str(&format!(".{name}("));
            for (place, argument) in arguments.iter().enumerate() {
                out.push_str(if place > 0 { "," } else { "" });
                print(argument, false, false, out)?;
            }
            out.push(')');
        }
    }
    if operates && brackets {
        out.push(')');
    }
    print(next, true, true, out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_printed_with_quotes_and_brackets() {
        for (text, stored) in [
            ("$", "$"),
            ("strict $.a", "strict $.\"a\""),
            ("lax $.a[*].b", "$.\"a\"[*].\"b\""),
            ("$.wait == null", "($.\"wait\" == null)"),
            ("$ ? (@.a == \"x\" && !(@.b > 1))", "$?(@.\"a\" == \"x\" && !(@.\"b\" > 1))"),
            ("exists($.a ? (@ == 1)) || $.c <> 2", "(exists ($.\"a\"?(@ == 1)) || $.\"c\" != 2)"),
            ("$.a.**{2 to last}.*", "$.\"a\".**{2 to last}.*"),
            ("$a.b[$a + 1, last]", "$\"a\".\"b\"[$\"a\" + 1,last]"),
            ("-$.a * 2", "(-$.\"a\" * 2)"),
            ("1 + 2 * 3", "(1 + 2 * 3)"),
            ("$ ? (@ like_regex \"^a\" flag \"mi\")", "$?(@ like_regex \"^a\" flag \"im\")"),
            ("$.type()", "$.type()"),
            ("($.a > 1) is unknown", "($.\"a\" > 1) is unknown"),
            ("$ ? (@ starts with $x)", "$?(@ starts with $\"x\")"),
            ("$.\"a\\tb\"", "$.\"a\\tb\""),
        ] {
            assert_eq!(printed(text, 14).as_deref(), Some(stored), "{text}");
        }
        for odd in ["", "$.", "$ ? (@)", "1 == 2 == 3", "$[", "!$.a", "01", "1.type()", "$.a /* b */", "$ &&"]
        {
            assert_eq!(printed(odd, 18), None, "{odd}");
        }
        assert_eq!(printed("$.bigint()", 16), None);
        assert_eq!(printed("$.decimal(4,-2)", 17).as_deref(), Some("$.decimal(4,-2)"));
    }
}
