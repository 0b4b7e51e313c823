//! The door to pg_query: SQL text in, generic trees and tokens out.
//!
//! The grammar is PostgreSQL 18's. Callers run on a large stack (`on_large_stack`), since deep expressions make
//! deep trees.

use crate::tree::Tree;
use std::collections::HashMap;
use std::fmt;
use std::sync::{LazyLock, Mutex, PoisonError};

/// A syntax error and where it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SyntaxError {
    /// PostgreSQL's message.
    pub message: String,
    /// Byte offset in the text that was given, when PostgreSQL says where.
    pub offset: Option<usize>,
}

impl fmt::Display for SyntaxError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for SyntaxError {}

/// The stack that parsing and walking deep trees may need, in bytes. Only pages that are used cost memory.
const STACK_BYTES: usize = 512 * 1024 * 1024;

/// Runs `work` on a thread whose stack is large enough for any tree that PostgreSQL itself accepts.
///
/// # Panics
/// Panics when `work` does, or when the machine cannot start a thread.
pub fn on_large_stack<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().stack_size(STACK_BYTES).spawn_scoped(scope, work);
        match thread.map(std::thread::ScopedJoinHandle::join) {
            Ok(Ok(value)) => value,
            Ok(Err(panic)) => std::panic::resume_unwind(panic),
            Err(error) => panic!("cannot start a thread: {error}"),
        }
    })
}

/// Parses statements; each is a tree (`SelectStmt`, …) with its start and end in the text.
///
/// # Errors
/// The syntax error that PostgreSQL's grammar gives.
pub fn statements(text: &str) -> Result<Vec<Statement>, SyntaxError> {
    readable(text)?;
    let parsed = pg_query::parse(text, pg_query::ParserOptions::default())
        .map_err(|error| syntax_error(text, &error))?;
    Ok(parsed
        .protobuf
        .stmts
        .iter()
        .map(|raw| {
            let start = usize::try_from(raw.stmt_location).unwrap_or(0);
            let length = usize::try_from(raw.stmt_len).unwrap_or(0);
            let end = if length == 0 { text.len() } else { start + length };
            Statement { tree: raw.stmt.as_ref().map_or(Tree::Nothing, Tree::of), start, end }
        })
        .collect())
}

/// One parsed statement.
#[derive(Clone, Debug)]
pub struct Statement {
    /// Its tree.
    pub tree: Tree,
    /// Where it starts in the text, in bytes; white space and comments before it are included.
    pub start: usize,
    /// Where it ends, without the semicolon.
    pub end: usize,
}

/// Trees of the first short texts: the columns, defaults and indexes that every table has alike are parsed once.
static KNOWN: LazyLock<Mutex<HashMap<Box<str>, Tree>>> = LazyLock::new(Mutex::default);
/// The longest text that is known by heart, in bytes.
const KNOWN_BYTES: usize = 128;
/// How many texts are known by heart.
const KNOWN_TEXTS: usize = 1000;

/// Parses exactly one statement.
///
/// # Errors
/// A syntax error, or that there is not exactly one.
pub fn statement(text: &str) -> Result<Tree, SyntaxError> {
    if text.len() > KNOWN_BYTES {
        return one_statement(text);
    }
    if let Some(known) = KNOWN.lock().unwrap_or_else(PoisonError::into_inner).get(text) {
        return Ok(known.clone());
    }
    let tree = one_statement(text)?;
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    if known.len() < KNOWN_TEXTS {
        known.insert(text.into(), tree.clone());
    }
    Ok(tree)
}

fn one_statement(text: &str) -> Result<Tree, SyntaxError> {
    let mut all = statements(text)?;
    match all.len() {
        1 => Ok(all.remove(0).tree),
        0 => Err(SyntaxError { message: "there is no statement here".into(), offset: None }),
        _ => Err(SyntaxError {
            message: "there is more than one statement here".into(),
            offset: all.get(1).map(|second| second.start),
        }),
    }
}

/// The grammar's word for a kind of object: `OBJECT_TABLE`.
pub fn object_type(number: i64) -> &'static str {
    enumerated::<pg_query::protobuf::ObjectType>(number).map_or("", |value| value.as_str_name())
}

/// The grammar's word for a command of ALTER TABLE: `AT_DropColumn`.
pub fn alter_type(number: i64) -> &'static str {
    enumerated::<pg_query::protobuf::AlterTableType>(number).map_or("", |value| value.as_str_name())
}

/// The grammar's word for what goes along: `DROP_CASCADE`.
pub fn drop_behaviour(number: i64) -> &'static str {
    enumerated::<pg_query::protobuf::DropBehavior>(number).map_or("", |value| value.as_str_name())
}

fn enumerated<T: TryFrom<i32>>(number: i64) -> Option<T> {
    T::try_from(i32::try_from(number).ok()?).ok()
}

/// Parses one expression: what may stand in parentheses in a select list.
/// Locations in the tree count from the start of `text`, plus `EXPRESSION_PREFIX`.
///
/// # Errors
/// A syntax error, with its offset in `text`.
pub fn expression(text: &str) -> Result<Tree, SyntaxError> {
    let wrapped = format!("{EXPRESSION_HEAD}{text}\n)");
    let inner = |error: SyntaxError| SyntaxError {
        offset: error.offset.map(|offset| offset.saturating_sub(EXPRESSION_PREFIX).min(text.len())),
        message: error
            .message
            .replace("syntax error at or near \")\"", "syntax error at the end of the expression"),
    };
    let tree = statement(&wrapped).map_err(inner)?;
    let targets = tree.get("target_list").items();
    let plain = matches!(&tree, Tree::Node("SelectStmt", fields)
        if fields.iter().all(|(name, _)| matches!(*name, "target_list" | "limit_option" | "op")));
    match targets {
        [target] if plain && target.get("name").is_nothing() && !is_our_row(target.get("val")) => {
            Ok(target.get("val").clone())
        }
        _ => Err(SyntaxError { message: "this is not one expression".into(), offset: Some(0) }),
    }
}

/// `a, b` in our own parentheses would be a row constructor.
fn is_our_row(tree: &Tree) -> bool {
    tree.name() == "RowExpr" && usize::try_from(tree.get("location").int()) == Ok(EXPRESSION_PREFIX - 1)
}

const EXPRESSION_HEAD: &str = "SELECT (";

/// How far locations in an expression's tree are ahead of its text.
pub const EXPRESSION_PREFIX: usize = EXPRESSION_HEAD.len();

/// A token of SQL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Token {
    /// First byte.
    pub start: usize,
    /// One past the last byte.
    pub end: usize,
    /// The token's number in PostgreSQL's grammar (an ASCII character is its own code).
    pub token: i32,
    /// Which keyword class it is.
    pub keyword: Keyword,
}

/// The classes of keywords, from PostgreSQL's kwlist.h.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keyword {
    /// Not a keyword.
    No,
    /// May be any name.
    Unreserved,
    /// May be a column's name.
    ColumnName,
    /// May be a type's or function's name.
    TypeOrFunction,
    /// Must be quoted.
    Reserved,
}

/// How many characters of operators may stand in a row where comments open among them: PostgreSQL's scanner reads the
/// rest of the row again for each.
const ROW: usize = 4096;

/// What PostgreSQL's scanner must not be given.
fn readable(text: &str) -> Result<(), SyntaxError> {
    if let Some(nul) = text.find('\0') {
        return Err(SyntaxError { message: "SQL cannot contain a NUL character".into(), offset: Some(nul) });
    }
    let mut start = 0;
    if text.len() > ROW {
        for row in text.split(|c: char| !"~!@#^&|`?+-*/%<>=".contains(c)) {
            if row.len() > ROW && row.matches("/*").nth(1).is_some() {
                let message = "too many comments are opened in a row".into();
                return Err(SyntaxError { message, offset: Some(start) });
            }
            start += row.len()
                + text
                    .get(start + row.len()..)
                    .and_then(|rest| rest.chars().next())
                    .map_or(0, char::len_utf8);
        }
    }
    Ok(())
}

/// The tokens of a text; comments are left out.
///
/// # Errors
/// A lexical error (an unterminated string, …).
pub fn tokens(text: &str) -> Result<Vec<Token>, SyntaxError> {
    readable(text)?;
    let scanned = pg_query::scan(text).map_err(|error| syntax_error(text, &error))?;
    Ok(scanned
        .tokens
        .iter()
        .filter(|token| !matches!(token.token, SQL_COMMENT | C_COMMENT))
        .map(|token| Token {
            start: usize::try_from(token.start).unwrap_or(0),
            end: usize::try_from(token.end).unwrap_or(0),
            token: token.token,
            keyword: match token.keyword_kind {
                1 => Keyword::Unreserved,
                2 => Keyword::ColumnName,
                3 => Keyword::TypeOrFunction,
                4 => Keyword::Reserved,
                _ => Keyword::No,
            },
        })
        .collect())
}

const SQL_COMMENT: i32 = pg_query::protobuf::Token::SqlComment as i32;
const C_COMMENT: i32 = pg_query::protobuf::Token::CComment as i32;

fn syntax_error(text: &str, error: &pg_query::Error) -> SyntaxError {
    let message = match error {
        pg_query::Error::Parse(message) | pg_query::Error::Scan(message) => message.clone(),
        other => other.to_string(),
    };
    let offset = locate(text, &message);
    SyntaxError { message, offset }
}

/// Where the error is. pg_query does not pass PostgreSQL's cursor position on, but the grammar reads from left to
/// right: the offending token is the first one of that text at which a cut-off statement fails with this message.
fn locate(text: &str, message: &str) -> Option<usize> {
    if message.ends_with("at end of input") {
        return Some(text.trim_end().len());
    }
    let (_, near) = message.split_once("at or near \"")?;
    let near = near.strip_suffix('"').unwrap_or(near);
    let occurrences: Vec<usize> = text.match_indices(near).map(|(at, _)| at).take(200).collect();
    if let [only] = occurrences[..] {
        return Some(only);
    }
    occurrences.iter().copied().find(|at| {
        let cut = &text[..at + near.len()];
        matches!(pg_query::parse(cut, pg_query::ParserOptions::default()),
            Err(pg_query::Error::Parse(again)) if again == message)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_offset_of_an_error_is_that_of_the_offending_token() {
        let text = "a = b and b b > 1";
        let error = expression(text).expect_err("two names in a row");
        assert_eq!(error.offset, Some(12), "{error:?}");
        assert_eq!(expression("a = ").expect_err("cut off").offset, Some(4));
    }

    #[test]
    fn an_expression_is_one_expression_and_nothing_more() {
        assert!(expression("a = 1 -- why").is_ok());
        assert!(expression("(select auth.uid()) = user_id").is_ok());
        for hostile in ["1) from (select 1", "1, 2", "1) , (2", "1) union select (2", ") (", "1 as x", ""] {
            assert!(expression(hostile).is_err(), "{hostile}");
        }
    }

    #[test]
    fn a_sum_of_thousand_terms_parses() {
        let sum = vec!["x"; 1000].join(" + ");
        assert!(on_large_stack(|| expression(&sum).is_ok()));
    }
}
