//! The tokens of a text, and what the words around one say of it.
//!
//! PL/pgSQL is no SQL, and a body may be put together from pieces: only the scanner reads both.

use crate::ident::Ident;
use crate::names::dotted_name;
use crate::{parse, sql};

/// What may begin a statement behind THEN or ELSE.
const STATEMENTS: [&str; 22] = [
    "insert", "update", "delete", "merge", "truncate", "copy", "alter", "create", "drop", "lock", "execute",
    "perform", "return", "raise", "if", "with", "for", "while", "comment", "analyze", "call", "open",
];

/// The tokens of a text, with what is asked of them.
pub(super) struct Words<'t> {
    pub(super) text: &'t str,
    pub(super) tokens: Vec<parse::Token>,
    /// Where each token's statement begins.
    starts: Vec<usize>,
}

impl<'t> Words<'t> {
    pub(super) fn of(text: &'t str) -> Option<Self> {
        let tokens = parse::tokens(text).ok()?;
        let mut words = Self { text, tokens, starts: Vec::new() };
        let mut start = 0;
        for at in 0..words.tokens.len() {
            let before = at.checked_sub(1).map_or(";".into(), |before| words.word(before));
            let begins = match before.as_str() {
                ";" | "begin" | "loop" | "declare" | "atomic" => true,
                "then" | "else" => STATEMENTS.contains(&words.word(at).as_str()),
                _ => false,
            };
            if begins {
                start = at;
            }
            words.starts.push(start);
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

    /// The function in whose parentheses a token is the first argument.
    pub(super) fn caller(&self, at: usize) -> String {
        if self.before(at, 1) == "(" { self.before(at, 2) } else { String::new() }
    }

    /// Whether a token begins the name of a relation, and can be no variable, column or argument.
    pub(super) fn is_certain(&self, at: usize) -> bool {
        if !self.starts_name(at) {
            return false;
        }
        let (before, earlier) = (self.before(at, 1), self.before(at, 2));
        match before.as_str() {
            "join" => true,
            "from" => earlier != "distinct" && !self.is_in_call(at),
            "into" => matches!(earlier.as_str(), "insert" | "merge"),
            // Not FOR UPDATE, DO UPDATE and ON UPDATE.
            "update" => matches!(earlier.as_str(), "" | ";" | "(" | ")" | "begin" | "then" | "else" | "loop"),
            "only" => matches!(earlier.as_str(), "from" | "join" | "update"),
            "truncate" => true,
            "table" => matches!(earlier.as_str(), "truncate" | "alter" | "lock"),
            _ => false,
        }
    }

    /// Whether a token is one more relation of a list: `from a, b`, `truncate a, b`.
    pub(super) fn is_listed(&self, at: usize) -> bool {
        if self.before(at, 1) != "," {
            return false;
        }
        let mut depth = 0_usize;
        for earlier in (self.statement(at).start..at).rev() {
            match self.word(earlier).as_str() {
                ")" => depth += 1,
                "(" if depth == 0 => return false,
                "(" => depth -= 1,
                "from" | "using" | "truncate" | "lock" | "table" if depth == 0 => return true,
                "select" | "where" | "by" | "set" | "values" | "returning" | "on" | "having" | "in"
                    if depth == 0 =>
                {
                    return false;
                }
                _ => {}
            }
        }
        false
    }

    /// Whether a token is the name of an index that is there.
    pub(super) fn is_index(&self, at: usize) -> bool {
        let statement = self.statement(at);
        let said = matches!(self.word(statement.start).as_str(), "drop" | "alter" | "reindex" | "comment");
        said && matches!(self.before(at, 1).as_str(), "index" | "concurrently" | "exists")
            && self.has(statement.start..at, &["index"])
    }

    /// The relation of `name%rowtype` or `name.column%type`, nothing of a variable's; `None` where no such word stands.
    pub(super) fn row_of<'a>(&self, parts: &'a [Ident], end: usize) -> Option<&'a [Ident]> {
        let rest = self.text.get(end..)?.trim_start().strip_prefix('%')?.trim_start().to_ascii_lowercase();
        if rest.starts_with("rowtype") {
            return Some(parts);
        }
        rest.starts_with("type").then(|| parts.split_last().map_or(parts, |(_, relation)| relation))
    }

    /// Whether a FROM is that of `extract(year from x)` and its like.
    fn is_in_call(&self, at: usize) -> bool {
        let mut depth = 0_usize;
        for open in (0..at).rev() {
            match self.raw(open) {
                ")" => depth += 1,
                "(" if depth == 0 => {
                    let caller = self.before(open, 1);
                    return ["extract", "substring", "trim", "overlay"].contains(&caller.as_str());
                }
                "(" => depth -= 1,
                ";" => return false,
                _ => {}
            }
        }
        false
    }

    /// Whether the body itself makes something of that name: a WITH query, a temporary table.
    pub(super) fn is_made(&self, name: Ident) -> bool {
        (0..self.tokens.len()).any(|at| {
            let is_it = || dotted_name(self.raw(at), 0).is_some_and(|(parts, _)| parts == [name]);
            let behind = self.word(at + 1);
            let begins = behind == "as" || behind == "(";
            let query = begins && matches!(self.before(at, 1).as_str(), "with" | "recursive" | ",");
            let table = self.before(at, 1) == "table" || self.before(at, 1) == "exists";
            let temporary = || {
                let from = at.saturating_sub(5);
                self.has(from..at, &["temp"]) || self.has(from..at, &["temporary"])
            };
            (query || (table && temporary())) && is_it()
        })
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
