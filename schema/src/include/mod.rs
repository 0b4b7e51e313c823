//! Files of SQL under `include:`: plain CREATE statements, read into the same entries as the YAML beside them.
//!
//! A statement is cut into the fragments that the entry would hold, and each still knows where it stands in the SQL
//! file; from there on both ways are one. Routines, views, enums, composite types, triggers and indexes are read, and
//! comments and privileges of what the same file makes. Not here: tables and all else, which stand in YAML; which
//! files there are (`load` of the compiler).

mod about;
mod relation;
mod routine;

use crate::code::Code;
use crate::declare::frame::Words;
use crate::diagnostic::Diagnostic;
use crate::ident::Text as Interned;
use crate::parse::{self, Statement, Token};
use crate::span::{FileId, Sources, Span};
use crate::spec::DomainSpec;
use crate::tree::Tree;
use crate::yaml::{Name, Sql, Text};
use std::ops::Deref;

/// The largest file in bytes, as for YAML.
const MAX_BYTES: usize = 64 << 20;

/// What can stand in such a file, for messages.
const KNOWN: &str = "CREATE FUNCTION, PROCEDURE, VIEW, MATERIALIZED VIEW, TYPE … AS, TRIGGER and INDEX, and COMMENT ON, \
                     GRANT and REVOKE for what the file makes, are read from SQL files; all else stands in YAML";

/// Adds what a file of SQL makes to the domain whose file includes it. Gives all that is wrong.
pub fn read(sources: &Sources, file: FileId, domain: &mut DomainSpec) -> Vec<Diagnostic> {
    let text = sources.text(file);
    let Some(schema) = domain.domain.clone() else { return Vec::new() };
    if text.len() > MAX_BYTES {
        let message =
            format!("the file has {} MiB, and {} are read at most", text.len() >> 20, MAX_BYTES >> 20);
        return vec![Diagnostic::error(Code::TooLarge, message).at(Span::new(file, 0, 0))];
    }
    // A mark at the beginning that some editors leave is no SQL.
    let mark = if text.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
    let whole = Sql::of_file(text, file).part(mark, text.len());
    let syntax = |error: &parse::SyntaxError| vec![crate::declare::frame::syntax_error(&whole, error)];
    let statements = match parse::statements(whole.text()) {
        Ok(statements) => statements,
        Err(error) => return syntax(&error),
    };
    let tokens = match parse::tokens(whole.text()) {
        Ok(tokens) => tokens,
        Err(error) => return syntax(&error),
    };
    let mut file = File { whole: &whole, tokens: &tokens, schema, made: Vec::new(), domain };
    statements.iter().filter_map(|statement| file.statement(statement).err()).collect()
}

/// One file and what it has made so far.
struct File<'a> {
    whole: &'a Sql,
    tokens: &'a [Token],
    /// The schema of the domain that includes the file.
    schema: Name,
    /// The entries that came from here.
    made: Vec<Made>,
    domain: &'a mut DomainSpec,
}

/// An entry that came from the file.
struct Made {
    what: What,
    name: String,
    /// Of a routine, the types of its input arguments.
    inputs: Vec<Interned>,
    /// Its place in the map of its kind.
    at: usize,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum What {
    Function,
    Procedure,
    View,
    MaterializedView,
    Enum,
    Composite,
}

type Done = Result<(), Diagnostic>;

impl File<'_> {
    fn statement(&mut self, statement: &Statement) -> Done {
        let first = self.tokens.partition_point(|token| token.start < statement.start);
        let last = self.tokens.partition_point(|token| token.end <= statement.end);
        let tokens = self.tokens.get(first..last).unwrap_or(&[]);
        let words = Part { whole: self.whole, words: Words::over(self.whole.text(), tokens) };
        let tree = &statement.tree;
        match tree.name() {
            "CreateFunctionStmt" => self.routine(&words, tree),
            "ViewStmt" => self.view(&words, tree),
            "CreateTableAsStmt" if words.has(0..4, "materialized") => self.materialized_view(&words, tree),
            "CreateEnumStmt" => self.enumeration(&words, tree),
            "CompositeTypeStmt" => self.composite(&words, tree),
            "CreateTrigStmt" => self.trigger(&words, tree),
            "IndexStmt" => self.index(&words, tree),
            "CommentStmt" => self.comment(&words, tree),
            "GrantStmt" => self.grant(&words, tree),
            _ => Err(words.refuse(0, "this statement is not read from a file of SQL").help(KNOWN)),
        }
    }

    /// The own name of what a statement makes, which is in the domain's schema, and the token behind it. It begins at
    /// a token.
    fn name(&self, words: &Part<'_>, at: usize, parts: &[&str]) -> Result<(Name, usize), Diagnostic> {
        let behind = at + parts.len() * 2 - 1;
        let span = words.span(at, behind);
        let (schema, own) = match parts {
            [own] => (None, *own),
            [schema, own] => (Some(*schema), *own),
            _ => return Err(words.refuse(at, "a name is `schema.name` or `name`")),
        };
        if let Some(schema) = schema.filter(|schema| *schema != self.schema.as_str()) {
            let message =
                format!("`{own}` is in `{schema}`, and the file is included by the domain `{}`", self.schema);
            let error = Diagnostic::error(Code::WrongStatement, message).at(span);
            return Err(error
                .label(self.schema.span, "which is declared here")
                .help(format!("include the file where `domain: {schema}` stands")));
        }
        Ok((Name { text: own.to_owned(), span }, behind))
    }

    fn relation_name(&self, words: &Part<'_>, range: &Tree) -> Result<(Name, usize), Diagnostic> {
        let at = words.index_at(position(range.get("location")));
        let parts: Vec<&str> = ["catalogname", "schemaname", "relname"]
            .iter()
            .map(|field| range.get(field).str())
            .filter(|part| !part.is_empty())
            .collect();
        self.name(words, at, &parts)
    }
}

/// The items of a list, which is a node of its own in some places.
fn listed(tree: &Tree) -> &[Tree] {
    if tree.name() == "List" { tree.get("items").items() } else { tree.items() }
}

/// The parts of a dotted name.
fn parts(tree: &Tree) -> Vec<&str> {
    match tree.name() {
        "TypeName" => tree.get("names").strings(),
        _ => listed(tree).iter().map(Tree::str).collect(),
    }
}

/// The byte that a location of the tree means.
fn position(location: &Tree) -> usize {
    usize::try_from(location.int()).unwrap_or(0)
}

/// A statement as its tokens.
struct Part<'a> {
    whole: &'a Sql,
    words: Words<'a>,
}

impl<'a> Deref for Part<'a> {
    type Target = Words<'a>;

    fn deref(&self) -> &Words<'a> {
        &self.words
    }
}

impl Part<'_> {
    fn has(&self, mut range: std::ops::Range<usize>, keyword: &str) -> bool {
        range.any(|index| self.is(index, keyword))
    }

    fn start(&self, index: usize) -> usize {
        let last = || self.token(self.len().checked_sub(1)?);
        self.token(index).or_else(last).map_or(0, |token| token.start)
    }

    /// The ranges of tokens between the commas that stand in no parentheses of their own.
    fn pieces(&self, first: usize, last: usize) -> Vec<std::ops::Range<usize>> {
        let (mut found, mut start, mut depth) = (Vec::new(), first, 0_usize);
        for at in first..last {
            match self.word(at) {
                "(" | "[" => depth += 1,
                ")" | "]" => depth = depth.saturating_sub(1),
                "," if depth == 0 => {
                    found.push(start..at);
                    start = at + 1;
                }
                _ => {}
            }
        }
        if start < last {
            found.push(start..last);
        }
        found
    }

    /// The tokens `first..last` as a fragment that knows its places.
    fn slice(&self, first: usize, last: usize) -> Sql {
        let start = self.start(first);
        let end = last.checked_sub(1).and_then(|last| self.token(last)).map_or(start, |token| token.end);
        self.whole.part(start, end.max(start))
    }

    fn span(&self, first: usize, last: usize) -> Span {
        self.slice(first, last.max(first + 1)).span()
    }

    fn refuse(&self, at: usize, message: impl Into<String>) -> Diagnostic {
        Diagnostic::error(Code::WrongStatement, message).at(self.span(at, at + 1))
    }

    /// The name that one token is.
    fn own_name(&self, at: usize) -> Name {
        let raw = self.word(at);
        let parts = crate::names::dotted_name(raw, 0).map(|(parts, _)| parts);
        let text = parts
            .and_then(|parts| Some(parts.first()?.as_str().to_owned()))
            .unwrap_or_else(|| raw.to_owned());
        Name { text, span: self.span(at, at + 1) }
    }

    /// A text that stands at a token and that the grammar has read already.
    fn text(&self, at: usize, text: &str) -> Text {
        Text { text: text.to_owned(), span: self.span(at, at + 1) }
    }

    /// `WITH (…)` of a relation: every option and what it says.
    fn options(&self, options: &Tree) -> Vec<(Name, Text)> {
        let mut found = Vec::new();
        for option in options.items() {
            let at = self.index_at(position(option.get("location")));
            let namespace = option.get("defnamespace").str();
            let own = option.get("defname").str();
            let name = if namespace.is_empty() { own.to_owned() } else { format!("{namespace}.{own}") };
            let value = scalar(option.get("arg")).unwrap_or_else(|| "true".to_owned());
            found.push((Name { text: name, span: self.span(at, at + 1) }, self.text(at, &value)));
        }
        found
    }
}

/// A value of an option.
fn scalar(tree: &Tree) -> Option<String> {
    match tree.name() {
        "Integer" => Some(tree.get("ival").int().to_string()),
        "Float" => Some(tree.get("fval").str().to_owned()),
        "Boolean" => Some(tree.get("boolval").flag().to_string()),
        "TypeName" => tree.get("names").strings().last().map(|word| (*word).to_owned()),
        "String" => Some(tree.str().to_owned()),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
