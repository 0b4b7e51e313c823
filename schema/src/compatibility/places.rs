//! Where a name stands: whether the words around it say that it is a relation's, a type's, a query's of WITH, and no
//! variable's, column's or alias's.
//!
//! Not here: what the name means (`bodies`), and the words themselves (`words`).

use super::words::{STATEMENTS, Words};
use crate::ident::Ident;
use crate::names::dotted_name;
use crate::parse;

/// Behind what a statement may begin, as far as UPDATE is concerned: not FOR UPDATE, DO UPDATE and ON UPDATE.
const BEFORE_UPDATE: [&str; 16] = [
    "", ";", "(", ")", "begin", "then", "else", "loop", "in", "query", "explain", "analyze", "verbose",
    "instead", "also", "atomic",
];

impl Words<'_> {
    /// Whether a name is a relation's, as the words before it say.
    pub(super) fn is_relation(&self, at: usize) -> bool {
        if !self.starts_name(at) || self.is_temporary_made(at) {
            return false;
        }
        let (before, earlier) = (self.before(at, 1), self.before(at, 2));
        let start = self.statement(at).start;
        let first = self.word(start);
        let first = first.as_str();
        let said = |words: &[&str]| words.contains(&first);
        match before.as_str() {
            "join" | "truncate" | "references" | "copy" => true,
            // Of a cursor, and of `extract(year from x)` and its like.
            "from" => earlier != "distinct" && !said(&["fetch", "move"]) && !self.is_in_call(at),
            "into" => matches!(earlier.as_str(), "insert" | "merge"),
            "update" => BEFORE_UPDATE.contains(&earlier.as_str()),
            "only" => {
                ["from", "join", "update", "table", "on", "truncate", "exists"].contains(&earlier.as_str())
            }
            // Of DELETE and MERGE; what EXECUTE, OPEN and RAISE use are values.
            "using" => {
                let has = |word: &str| self.has(start..at, &[word]);
                !said(&["raise"]) && !has("execute") && !has("open") && (has("delete") || has("merge"))
            }
            "table" => !said(&["returns"]),
            "exists" => said(&["drop", "alter", "create"]),
            "lock" | "reindex" => start + 1 == at,
            "vacuum" | "analyze" | "cluster" | "full" | "verbose" | "freeze" => {
                said(&["vacuum", "analyze", "cluster"])
            }
            "view" => said(&["refresh", "alter", "drop"]),
            "concurrently" => said(&["refresh"]),
            "sequence" => said(&["alter", "drop", "grant", "revoke", "comment"]),
            "on" => {
                said(&["grant", "revoke", "comment"])
                    || said(&["create", "drop", "alter"])
                        && !self.has(start..at, &["select"])
                        && !self.has(start..at, &["join"])
            }
            "to" => said(&["create"]) && self.has(start..at, &["rule"]),
            "like" => said(&["create"]) && matches!(earlier.as_str(), "(" | ","),
            "of" => earlier == "partition",
            "partition" => matches!(earlier.as_str(), "attach" | "detach"),
            ")" => said(&["vacuum", "analyze", "cluster"]) && self.word(start + 1) == "(",
            "(" => match earlier.as_str() {
                "inherits" => true,
                "from" | "join" | "only" => !self.is_in_call(at - 1),
                _ => false,
            },
            _ => false,
        }
    }

    /// Whether a name is one more relation of a list: `from a, b`, `truncate a, b`.
    pub(super) fn is_listed(&self, at: usize) -> bool {
        if self.before(at, 1) != "," {
            return false;
        }
        let start = self.statement(at).start;
        if self.word(start) == "raise" || self.has(start..at, &["execute"]) || self.has(start..at, &["open"])
        {
            return false;
        }
        let mut depth = 0_usize;
        for earlier in (start..at).rev() {
            match self.word(earlier).as_str() {
                ")" => depth += 1,
                "(" if depth == 0 => return false,
                "(" => depth -= 1,
                "from" if depth == 0 => return self.before(earlier, 1) != "distinct",
                "using" | "truncate" | "lock" | "table" | "vacuum" | "analyze" if depth == 0 => return true,
                // What a join is on has no comma.
                "on" if depth == 0 && self.before(earlier, 1) != "distinct" => {}
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
        let said = matches!(
            self.word(statement.start).as_str(),
            "drop" | "alter" | "reindex" | "comment" | "cluster"
        );
        said && matches!(self.before(at, 1).as_str(), "index" | "concurrently" | "exists" | "using")
            && (self.has(statement.start..at, &["index"]) || self.has(statement.start..at, &["cluster"]))
    }

    /// Whether a name is a type's: of a cast, of a variable.
    pub(super) fn is_type(&self, at: usize) -> bool {
        match self.before(at, 1).as_str() {
            "::" => true,
            "as" => self.opening(at).is_some_and(|open| self.before(open, 1) == "cast"),
            before => match self.declared_at(at) {
                Some(1) => before != "cursor",
                Some(2) => before == "constant",
                _ => false,
            },
        }
    }

    /// Whether a name without a schema is a query's of a WITH clause.
    pub(super) fn is_with_query(&self, at: usize, name: Ident) -> bool {
        let statement = self.statement(at);
        statement.clone().any(|query| {
            if !matches!(self.before(query, 1).as_str(), "with" | "recursive" | ",")
                || !self.is_called(query, name)
            {
                return false;
            }
            let mut next = query + 1;
            if self.raw(next) == "(" {
                next = self.closing(next) + 1;
            }
            if self.word(next) != "as" {
                return false;
            }
            next += 1 + usize::from(self.word(next + 1) == "not");
            next += usize::from(self.word(next) == "materialized");
            if self.raw(next) != "(" {
                return false;
            }
            let Some(with) = self.with_before(query) else { return false };
            // Within itself it is the relation of that name, unless it calls itself.
            let begins = if self.word(with + 1) == "recursive" { with } else { self.closing(next) };
            let ends = self.opening(with).map_or(statement.end, |open| self.closing(open));
            (begins..ends).contains(&at)
        })
    }

    fn is_called(&self, at: usize, name: Ident) -> bool {
        dotted_name(self.raw(at), 0).is_some_and(|(parts, _)| parts == [name])
    }

    /// The WITH to which the query that begins at a token belongs.
    fn with_before(&self, query: usize) -> Option<usize> {
        let mut depth = 0_usize;
        for earlier in (self.statement(query).start..query).rev() {
            match self.word(earlier).as_str() {
                ")" => depth += 1,
                "(" if depth == 0 => return None,
                "(" => depth -= 1,
                "with" if depth == 0 => return Some(earlier),
                "select" | "insert" | "update" | "delete" | "from" if depth == 0 => return None,
                _ => {}
            }
        }
        None
    }

    /// Whether a temporary table of that name has been made before: it comes first.
    pub(super) fn is_temporary(&self, at: usize, name: Ident) -> bool {
        let start = self.statement(at).start;
        (0..start).any(|made| self.is_temporary_made(made) && self.is_called(made, name))
    }

    /// Whether a name is that of a temporary relation which is made here.
    fn is_temporary_made(&self, at: usize) -> bool {
        let start = self.statement(at).start;
        let begins = matches!(self.word(start).as_str(), "create" | "select" | "with");
        let before = self.before(at, 1);
        let named =
            matches!(before.as_str(), "table" | "exists" | "view" | "temp" | "temporary" | "sequence");
        begins
            && named
            && (at.saturating_sub(5).max(start)..at).any(|word| {
                let word = self.word(word);
                word == "temp" || word == "temporary"
            })
    }

    /// Whether a bare word of that name stands somewhere as an alias or a variable, so that `name.x` may be its column.
    pub(super) fn is_alias(&self, name: Ident) -> bool {
        (0..self.tokens.len()).any(|at| {
            let alone = self.starts_name(at) && self.raw(at + 1) != "." && self.is_called(at, name);
            alone
                && (self.before(at, 1) == "as"
                    || self.declared_at(at) == Some(0)
                    || self.starts_name_before(at))
        })
    }

    /// Whether the token before is a name too: then this one is its alias.
    fn starts_name_before(&self, at: usize) -> bool {
        use crate::parse::{Keyword, Token};
        let plain = |token: &Token| matches!(token.keyword, Keyword::No | Keyword::Unreserved);
        at.checked_sub(1).filter(|before| self.word(*before) != "schema").is_some_and(|before| {
            let first = self.raw(before).chars().next();
            let name =
                first.is_some_and(|c| c.is_alphabetic() || c == '_' || c == '"') && !self.is_text(before);
            name && self.tokens.get(before).is_some_and(plain)
        })
    }

    /// By what the columns of a relation are called: its alias, or its own name.
    pub(super) fn alias(&self, behind: usize, name: Ident) -> Ident {
        let next =
            (0..self.tokens.len()).find(|at| self.tokens[*at].start >= behind).unwrap_or(self.tokens.len());
        let next = next + usize::from(self.word(next) == "as");
        let plain = self.tokens.get(next).is_some_and(|token| token.keyword == crate::parse::Keyword::No);
        let alias = if plain && self.starts_name(next) { dotted_name(self.raw(next), 0) } else { None };
        alias.and_then(|(parts, _)| parts.first().copied()).unwrap_or(name)
    }

    /// Whether a FROM is that of `extract(year from x)` and its like.
    fn is_in_call(&self, at: usize) -> bool {
        self.opening(at).is_some_and(|open| {
            ["extract", "substring", "trim", "overlay", "position"].contains(&self.before(open, 1).as_str())
                && !self.has(open..at, &["select"])
        })
    }

    /// Whether a token is a column that every table has and no view, of what is called so or of nothing in particular.
    pub(super) fn is_system_column(&self, at: usize, alias: Ident) -> bool {
        let column = ["ctid", "xmin", "xmax", "cmin", "cmax", "tableoid"].contains(&self.word(at).as_str());
        column && (self.before(at, 1) != "." || at.checked_sub(2).is_some_and(|of| self.is_called(of, alias)))
    }

    /// How many values a call gives whose bracket opens at a token.
    pub(super) fn given(&self, open: usize) -> usize {
        let (mut depth, mut commas) = (0_usize, 0);
        let close = self.closing(open);
        for at in open + 1..close {
            match self.raw(at) {
                "(" | "[" => depth += 1,
                ")" | "]" => depth = depth.saturating_sub(1),
                "," if depth == 0 => commas += 1,
                _ => {}
            }
        }
        if open + 1 >= close { 0 } else { commas + 1 }
    }

    /// Where the INSERT around a token ends: with its bracket, or where another begins.
    pub(super) fn insert_ends(&self, at: usize) -> usize {
        let statement = self.statement(at);
        let bracket = self.opening(at).map_or(statement.end, |open| self.closing(open));
        let next = (at..statement.end).find(|next| self.has(*next..*next + 2, &["insert", "into"]));
        next.map_or(bracket, |next| next.min(bracket))
    }

    /// Whether a text may be SQL, or a piece of it. A whole text is, where it can be read as such.
    pub(super) fn may_be_sql(&self, at: usize, content: &str) -> bool {
        let mut begins = at;
        while self.before(begins, 1) == "||" && begins > 1 {
            begins -= 2;
        }
        if self.has(self.statement(at).start..at, &["execute"]) {
            return true;
        }
        let verb = |text: &str| {
            let word = text.split(|c: char| !c.is_alphanumeric()).find(|word| !word.is_empty());
            let word = word.unwrap_or_default().to_ascii_lowercase();
            STATEMENTS.contains(&word.as_str()) || OTHERS.contains(&word.as_str())
        };
        // A piece of what begins as SQL does, or with what cannot be seen.
        if begins != at || self.raw(at + 1) == "||" || self.caller(at) == "format" {
            return !self.is_text(begins) || verb(&self.content(begins).0);
        }
        verb(content) && (is_block(content) || parse::check(content).is_ok())
    }
}

/// What else a text of SQL may begin with.
const OTHERS: [&str; 18] = [
    "begin", "declare", "do", "grant", "revoke", "vacuum", "reindex", "cluster", "refresh", "explain",
    "table", "values", "prepare", "set", "select", "start", "fetch", "security",
];

/// Whether a text is a body of PL/pgSQL, which is no SQL.
fn is_block(text: &str) -> bool {
    let text = text.trim_start().to_ascii_lowercase();
    let begins = text.starts_with("begin") || text.starts_with("declare") || text.starts_with("<<");
    begins && text.contains("end")
}
