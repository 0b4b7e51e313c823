//! The tokens of a text, and what the words around one say of it.
//!
//! PL/pgSQL is no SQL, and a body may be put together from pieces: only the scanner reads both.

use crate::ident::Ident;
use crate::names::dotted_name;
use crate::{parse, sql};

/// What may begin a statement behind THEN or ELSE.
pub(super) const STATEMENTS: [&str; 23] = [
    "select", "insert", "update", "delete", "merge", "truncate", "copy", "alter", "create", "drop", "lock",
    "execute", "perform", "return", "raise", "if", "with", "for", "while", "comment", "analyze", "call",
    "open",
];

/// The tokens of a text, with what is asked of them.
pub(super) struct Words<'t> {
    pub(super) text: &'t str,
    pub(super) tokens: Vec<parse::Token>,
    /// Where each token's statement begins.
    starts: Vec<usize>,
    /// Whether it stands where PL/pgSQL declares variables.
    declares: Vec<bool>,
}

impl<'t> Words<'t> {
    pub(super) fn of(text: &'t str) -> Option<Self> {
        let tokens = parse::tokens(text).ok()?;
        let mut words = Self { text, tokens, starts: Vec::new(), declares: Vec::new() };
        let (mut start, mut declares) = (0, false);
        for at in 0..words.tokens.len() {
            let before = at.checked_sub(1).map_or(";".into(), |before| words.word(before));
            let begins = match before.as_str() {
                ";" | "begin" | "loop" | "declare" | "atomic" => true,
                "then" | "else" => STATEMENTS.contains(&words.word(at).as_str()),
                // Behind a label.
                ">>" => {
                    ["declare", "begin", "for", "while", "loop", "foreach"].contains(&words.word(at).as_str())
                }
                _ => false,
            };
            if begins {
                start = at;
            }
            words.starts.push(start);
            match words.word(at).as_str() {
                "declare" if start == at => declares = true,
                "begin" if start == at || declares => declares = false,
                _ => {}
            }
            words.declares.push(declares);
        }
        Some(words)
    }

    pub(super) fn raw(&self, at: usize) -> &'t str {
        self.tokens.get(at).and_then(|token| self.text.get(token.start..token.end)).unwrap_or_default()
    }

    /// A token in lower case; a quoted name and a text are no words.
    pub(super) fn word(&self, at: usize) -> String {
        self.raw(at).to_ascii_lowercase()
    }

    pub(super) fn before(&self, at: usize, steps: usize) -> String {
        at.checked_sub(steps).map(|at| self.word(at)).unwrap_or_default()
    }

    pub(super) fn is_text(&self, at: usize) -> bool {
        let raw = self.raw(at);
        raw.starts_with('\'')
            || (raw.starts_with('$') && raw.len() > 1 && raw.ends_with('$'))
            || (raw.len() > 1 && raw.starts_with(['e', 'E', 'n', 'N', 'u', 'U']) && raw.ends_with('\''))
    }

    /// What a text says, and where that begins.
    pub(super) fn content(&self, at: usize) -> (String, usize) {
        let (raw, start) = (self.raw(at), self.tokens.get(at).map_or(0, |token| token.start));
        if let Some(rest) = raw.strip_prefix('$') {
            let tag = rest.find('$').map_or(0, |end| end + 2);
            let inside = raw.get(tag..raw.len().saturating_sub(tag)).unwrap_or_default();
            return (inside.to_owned(), start + tag);
        }
        let open = raw.find('\'').map_or(0, |at| at + 1);
        let inside = raw.get(open..raw.len().saturating_sub(1)).unwrap_or_default();
        (sql::undoubled(inside), start + open)
    }

    pub(super) fn starts_name(&self, at: usize) -> bool {
        let first = self.raw(at).chars().next();
        let names = first.is_some_and(|c| c.is_alphabetic() || c == '_' || c == '"');
        names && !self.is_text(at) && self.before(at, 1) != "."
    }

    /// The tokens of the statement around a token.
    pub(super) fn statement(&self, at: usize) -> std::ops::Range<usize> {
        let start = self.starts.get(at).copied().unwrap_or(0);
        let end = (at..self.tokens.len()).find(|next| self.starts[*next] != start || self.raw(*next) == ";");
        start..end.unwrap_or(self.tokens.len())
    }

    /// Whether a token is in a part that declares variables: the place within its declaration, from 0.
    pub(super) fn declared_at(&self, at: usize) -> Option<usize> {
        let declares = self.declares.get(at).copied().unwrap_or_default();
        declares.then(|| at - self.starts.get(at).copied().unwrap_or(at))
    }

    /// The bracket that closes one that opens at a token.
    pub(super) fn closing(&self, open: usize) -> usize {
        let mut depth = 0_usize;
        for at in open..self.tokens.len() {
            match self.raw(at) {
                "(" => depth += 1,
                ")" if depth <= 1 => return at,
                ")" => depth -= 1,
                _ => {}
            }
        }
        self.tokens.len()
    }

    /// The bracket around a token, within its statement.
    pub(super) fn opening(&self, at: usize) -> Option<usize> {
        let mut depth = 0_usize;
        for earlier in (self.starts.get(at).copied().unwrap_or(0)..at).rev() {
            match self.raw(earlier) {
                ")" => depth += 1,
                "(" if depth == 0 => return Some(earlier),
                "(" => depth -= 1,
                _ => {}
            }
        }
        None
    }

    /// The dotted name that begins at a token, and where it ends. Comments may stand between its parts.
    pub(super) fn dotted(&self, at: usize) -> Option<(Vec<Ident>, usize)> {
        let (mut parts, mut next) = (Vec::new(), at);
        loop {
            let (part, _) = dotted_name(self.raw(next), 0)?;
            parts.push(*part.first()?);
            let more = self.raw(next + 1) == "." && dotted_name(self.raw(next + 2), 0).is_some();
            if !more {
                return Some((parts, self.tokens.get(next)?.end));
            }
            next += 2;
        }
    }

    /// The column with which a text is compared: `c = 't'`, `c <> 't'`, `c in ('s', 't')`, `c = any (array['t'])`.
    pub(super) fn compared(&self, at: usize) -> String {
        let mut back = at;
        while back > 0
            && (matches!(
                self.before(back, 1).as_str(),
                "(" | "[" | "," | "array" | "any" | "all" | "in" | "not"
            ) || self.is_text(back - 1))
        {
            back -= 1;
        }
        let sign = matches!(self.before(back, 1).as_str(), "=" | "<>" | "!=");
        match (back == at, sign) {
            (_, true) => self.before(back, 2),
            // A list without a sign is that of IN.
            (false, false) if (back..at).any(|list| self.word(list) == "in") => self.before(back, 1),
            _ => String::new(),
        }
    }

    /// The function in whose parentheses a token is an argument.
    pub(super) fn call_around(&self, at: usize) -> String {
        self.opening(at).map(|open| self.before(open, 1)).unwrap_or_default()
    }

    /// The function in whose parentheses a token is the first argument.
    pub(super) fn caller(&self, at: usize) -> String {
        if self.before(at, 1) == "(" { self.before(at, 2) } else { String::new() }
    }

    /// The relation of `name%rowtype` or `name.column%type`, nothing of a variable's; `None` where no such word stands.
    pub(super) fn row_of<'a>(&self, parts: &'a [Ident], end: usize) -> Option<&'a [Ident]> {
        let rest = self.text.get(end..)?.trim_start().strip_prefix('%')?.trim_start().to_ascii_lowercase();
        if rest.starts_with("rowtype") {
            return Some(parts);
        }
        rest.starts_with("type").then(|| parts.split_last().map_or(parts, |(_, relation)| relation))
    }

    pub(super) fn has(&self, range: std::ops::Range<usize>, words: &[&str]) -> bool {
        range.clone().any(|at| {
            words
                .iter()
                .enumerate()
                .all(|(step, word)| at + step < range.end && self.word(at + step) == *word)
        })
    }
}
