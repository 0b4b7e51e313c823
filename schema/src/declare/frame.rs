//! A person's SQL inside the statement where it stands, so that PostgreSQL's own grammar reads it.
//!
//! Offsets of the statement's tree are mapped back to the fragment, and an error to the file. A fragment cannot
//! leave its place: a parenthesis that it did not open, or a semicolon, is an error before anything is parsed. What
//! says nothing but itself (a policy, a named check, a query) is parsed when its names are asked for, if ever.

use crate::catalog::Catalog;
use crate::code::Code;
use crate::diagnostic::Diagnostic;
use crate::fragment::{self, Fragment, Grammar};
use crate::ident::Ident;
use crate::names;
use crate::object::Visitor;
use crate::parse::{self, SyntaxError, Token};
use crate::reference::{Reference, Target};
use crate::span::Span;
use crate::tree::Tree;
use crate::type_name::TypeName;
use crate::yaml::Sql;
use std::borrow::Cow;

/// A fragment, its tokens, and the statement that it was read in.
#[derive(Debug)]
pub struct Frame<'a> {
    /// The fragment.
    pub sql: &'a Sql,
    /// The statement.
    pub tree: Tree,
    words: Words<'a>,
    head: usize,
    /// The first byte of the fragment that stands in the statement.
    from: usize,
    /// Where in the fragment something was put in, and how long it is.
    insert: (usize, usize),
}

impl<'a> Frame<'a> {
    /// Reads `head fragment tail`.
    ///
    /// # Errors
    /// What PostgreSQL's grammar says, at the place in the file.
    pub fn read(sql: &'a Sql, head: &str, tail: &str) -> Result<Self, Diagnostic> {
        let words = Words::of(sql)?;
        let end = sql.text().len();
        Self::parse(sql, words, (0, head), (end, ""), tail)
    }

    /// Reads `head fragment` from the byte `from` on, with `middle` put before the byte `at`.
    ///
    /// # Errors
    /// What PostgreSQL's grammar says, at the place in the file.
    pub fn read_around(
        sql: &'a Sql,
        words: Words<'a>,
        (from, head): (usize, &str),
        (at, middle): (usize, &str),
    ) -> Result<Self, Diagnostic> {
        Self::parse(sql, words, (from, head), (at, middle), "")
    }

    fn parse(
        sql: &'a Sql,
        words: Words<'a>,
        (from, head): (usize, &str),
        (at, middle): (usize, &str),
        tail: &str,
    ) -> Result<Self, Diagnostic> {
        let text = sql.text();
        let before = text.get(from..at).unwrap_or("");
        let after = text.get(at..).unwrap_or("");
        // A line comment at the end must not swallow the tail.
        let statement = format!("{head}{before}{middle}{after}\n{tail}");
        let insert = (at, middle.len());
        let mut frame = Self { sql, tree: Tree::Nothing, words, head: head.len(), from, insert };
        match parse::statement(&statement) {
            Ok(tree) => frame.tree = tree,
            Err(error) => {
                let offset = error.offset.map(|offset| frame.inside(offset));
                return Err(syntax_error(sql, &SyntaxError { offset, ..error }));
            }
        }
        Ok(frame)
    }

    /// The byte of the fragment that a location of the tree means.
    pub fn at(&self, location: &Tree) -> usize {
        self.inside(usize::try_from(location.int()).unwrap_or(0))
    }

    /// From an offset in the statement to one in the fragment.
    fn inside(&self, offset: usize) -> usize {
        let mut offset = offset.saturating_sub(self.head) + self.from;
        let (at, len) = self.insert;
        if offset >= at {
            offset = offset.saturating_sub(len).max(at);
        }
        offset.min(self.sql.text().len())
    }

    /// The tokens of the fragment.
    pub fn words(&self) -> &Words<'a> {
        &self.words
    }

    /// The fragment's bytes `start..end` without what is no token around them.
    pub fn slice(&self, start: usize, end: usize) -> Sql {
        let (start, end) = self.words.trim(start, end);
        self.sql.part(start, end)
    }

    /// What stands in the parentheses that open at or behind the byte `from`.
    pub fn inside_parentheses(&self, from: usize) -> Option<Sql> {
        let open = self.words.find(from, |word| word == "(")?;
        let close = self.words.closing(open)?;
        let (start, end) = (self.words.token(open)?.end, self.words.token(close)?.start);
        Some(self.sql.part(start, end).trimmed())
    }

    /// A reference to a dotted name that stands at the byte `start`.
    pub fn reference(&self, target: Target, parts: &[Ident], start: usize) -> Reference {
        let end = names::dotted_name(self.sql.text(), start).map_or(start, |(_, end)| end);
        Reference::written(target, parts, Some(self.sql.locate_range(start, end)))
    }

    /// A reference to the relation of a `RangeVar`.
    pub fn relation(&self, range: &Tree) -> Reference {
        let parts: Vec<Ident> = ["schemaname", "relname"]
            .iter()
            .map(|field| range.get(field).str())
            .filter(|part| !part.is_empty())
            .map(Ident::new)
            .collect();
        self.reference(Target::Relation, &parts, self.at(range.get("location")))
    }

    /// Something that the grammar takes and that may not stand here.
    pub fn refuse(&self, start: usize, message: impl Into<String>) -> Diagnostic {
        refuse(self.sql, start, message)
    }

    /// The place of the token at a byte.
    pub fn span(&self, start: usize) -> Span {
        token_span(self.sql, start)
    }
}

/// The tokens of a fragment with their texts.
#[derive(Clone, Debug)]
pub struct Words<'a> {
    text: &'a str,
    tokens: Cow<'a, [Token]>,
}

impl<'a> Words<'a> {
    /// The tokens of a fragment that stays in its place.
    ///
    /// # Errors
    /// A lexical error, a parenthesis without its other one, a semicolon.
    pub fn of(sql: &'a Sql) -> Result<Self, Diagnostic> {
        Self::read(sql, false)
    }

    /// As [`Words::of`], where several statements may stand between parentheses: a rule's actions.
    ///
    /// # Errors
    /// The same.
    pub fn of_actions(sql: &'a Sql) -> Result<Self, Diagnostic> {
        Self::read(sql, true)
    }

    fn read(sql: &'a Sql, actions: bool) -> Result<Self, Diagnostic> {
        let text = sql.text();
        let tokens = parse::tokens(text).map_err(|error| syntax_error(sql, &error))?;
        if tokens.is_empty() {
            let message = "a fragment of SQL is empty: there is nothing but comments";
            return Err(Diagnostic::error(Code::EmptyFragment, message).at(sql.span()));
        }
        let words = Self { text, tokens: Cow::Owned(tokens) };
        let mut open = Vec::new();
        for (index, token) in words.tokens.iter().enumerate() {
            let matching = match words.word(index) {
                word @ ("(" | "[") => {
                    open.push((word, token.start));
                    true
                }
                ")" => open.pop().is_some_and(|(word, _)| word == "("),
                "]" => open.pop().is_some_and(|(word, _)| word == "["),
                ";" if !(actions && open.len() == 1) => {
                    return Err(refuse(
                        sql,
                        token.start,
                        "a semicolon ends a statement, and this is only a part of one",
                    ));
                }
                _ => true,
            };
            if !matching {
                let message = format!("syntax error at or near \"{}\"", words.word(index));
                return Err(syntax_error(sql, &SyntaxError { message, offset: Some(token.start) }));
            }
        }
        if let Some((word, at)) = open.pop() {
            let message = format!("this \"{word}\" is never closed");
            return Err(syntax_error(sql, &SyntaxError { message, offset: Some(at) }));
        }
        Ok(words)
    }

    /// Some of the tokens of a text that was read already: one statement of a file.
    pub fn over(text: &'a str, tokens: &'a [Token]) -> Self {
        Self { text, tokens: Cow::Borrowed(tokens) }
    }

    /// A token.
    pub fn token(&self, index: usize) -> Option<Token> {
        self.tokens.get(index).copied()
    }

    /// A token's text as it stands there; nothing behind the last one.
    pub fn word(&self, index: usize) -> &'a str {
        self.tokens.get(index).and_then(|token| self.text.get(token.start..token.end)).unwrap_or("")
    }

    /// Whether a token is that keyword.
    pub fn is(&self, index: usize, keyword: &str) -> bool {
        self.word(index).eq_ignore_ascii_case(keyword)
    }

    /// How many tokens there are.
    pub fn len(&self) -> usize {
        self.tokens.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.tokens.is_empty()
    }

    /// The first token that starts at the byte `from` or behind it.
    pub fn index_at(&self, from: usize) -> usize {
        self.tokens.partition_point(|token| token.start < from)
    }

    /// The first such token from the byte `from` on, at any depth.
    pub fn find(&self, from: usize, wanted: impl Fn(&str) -> bool) -> Option<usize> {
        (self.index_at(from)..self.len()).find(|index| wanted(self.word(*index)))
    }

    /// The first keyword from a token on that stands in no parentheses.
    pub fn find_outside(&self, from: usize, keyword: &str) -> Option<usize> {
        let mut depth = 0_usize;
        for index in from..self.len() {
            match self.word(index) {
                "(" | "[" => depth += 1,
                ")" | "]" => depth = depth.saturating_sub(1),
                _ if depth == 0 && self.is(index, keyword) => return Some(index),
                _ => {}
            }
        }
        None
    }

    /// The token that closes the parenthesis at a token.
    pub fn closing(&self, open: usize) -> Option<usize> {
        let mut depth = 0_usize;
        for index in open..self.len() {
            match self.word(index) {
                "(" => depth += 1,
                ")" if depth <= 1 => return Some(index),
                ")" => depth -= 1,
                _ => {}
            }
        }
        None
    }

    /// A range without what is no token at its ends; empty at its start when there is none in it.
    pub fn trim(&self, start: usize, end: usize) -> (usize, usize) {
        let first = self.index_at(start);
        let last = self.tokens.partition_point(|token| token.end <= end);
        match (self.tokens.get(first), last.checked_sub(1).and_then(|last| self.tokens.get(last))) {
            (Some(first), Some(last)) if first.start < last.end => (first.start, last.end),
            _ => (start, start),
        }
    }
}

/// PostgreSQL's complaint, with its caret in the file.
pub fn syntax_error(sql: &Sql, error: &SyntaxError) -> Diagnostic {
    let text = sql.text();
    let offset = error.offset.unwrap_or(0).min(text.len());
    let end = text.trim_end().len();
    let (message, span) = if error.offset.is_some() && offset >= end {
        ("syntax error at the end: something is missing".to_owned(), sql.locate(end))
    } else if error.offset.is_some() {
        (error.message.clone(), token_span(sql, offset))
    } else {
        (error.message.clone(), sql.span())
    };
    Diagnostic::error(Code::SqlSyntax, message).at(span)
}

/// Something that the grammar takes and that may not stand here.
pub fn refuse(sql: &Sql, start: usize, message: impl Into<String>) -> Diagnostic {
    Diagnostic::error(Code::WrongStatement, message).at(token_span(sql, start))
}

fn token_span(sql: &Sql, start: usize) -> Span {
    let tokens = parse::tokens(sql.text()).unwrap_or_default();
    match tokens.iter().find(|token| token.start == start) {
        Some(token) => sql.locate_range(token.start, token.end),
        None => sql.locate(start),
    }
}

/// Sees to it that a fragment stays in its place, and leaves its grammar to `bind`: what is word for word what the
/// database has is never parsed, since PostgreSQL itself wrote it.
///
/// # Errors
/// See [`Words::of`].
pub fn unread(sql: &Sql, grammar: Grammar) -> Result<Fragment, Diagnostic> {
    Words::of(sql)?;
    Ok(Fragment::declared(sql, grammar))
}

/// The complaint about a fragment that `bind` could not read.
pub fn unreadable(fragment: &Fragment, error: &SyntaxError) -> Option<Diagnostic> {
    let sql = fragment.origin()?;
    // A text that was changed has its places elsewhere.
    let offset = error.offset.filter(|_| sql.text() == fragment.text());
    Some(syntax_error(sql, &SyntaxError { offset, ..error.clone() }))
}

/// The complaints about all fragments of a catalog that cannot be read, each once.
pub fn all_unreadable(catalog: &mut Catalog) -> Vec<Diagnostic> {
    struct Read(Vec<Diagnostic>);
    impl Visitor for Read {
        fn fragment(&mut self, _: &str, fragment: &mut Fragment) {
            let error = fragment.names().err().and_then(|error| unreadable(fragment, &error));
            self.0.extend(error.filter(|error| !self.0.contains(error)));
        }
        fn type_name(&mut self, _: &mut TypeName) {}
        fn reference(&mut self, _: &mut Reference) {}
    }
    let mut read = Read(Vec::new());
    for (_, entry) in catalog.iter_mut() {
        entry.object.visit(&mut read);
    }
    read.0
}

/// Reads an expression and gives its tree, whose locations are `parse::EXPRESSION_PREFIX` ahead.
///
/// # Errors
/// What PostgreSQL's grammar says, at the place in the file.
pub fn expression(sql: &Sql) -> Result<Tree, Diagnostic> {
    Words::of(sql)?;
    let tree = parse::expression(sql.text()).map_err(|error| syntax_error(sql, &error))?;
    // A fragment begins and ends with a character; its names are asked for soon.
    if !sql.text().starts_with(char::is_whitespace) {
        fragment::learn(sql.text().trim_end(), Grammar::Expression, &tree, parse::EXPRESSION_PREFIX);
    }
    Ok(tree)
}
