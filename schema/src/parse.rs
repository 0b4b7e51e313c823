//! The door to pg_query: SQL text in, generic trees and tokens out.
//!
//! The grammar is PostgreSQL 18's. Callers run on a large stack (`on_large_stack`), since deep expressions make
//! deep trees.

use crate::ident::{Hashed, Text};
use crate::lex;
use crate::tree::Tree;
use std::collections::{HashMap, HashSet};
use std::fmt;
use std::hash::BuildHasher;
use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};

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
    let _turn = turn();
    in_turn(text)
}

/// Sees whether a text is statements; each is parsed once (overloads often have the same body).
///
/// # Errors
/// The syntax error that PostgreSQL's grammar gives.
pub fn check(text: &str) -> Result<(), SyntaxError> {
    static GOOD: LazyLock<Mutex<HashSet<Text, Hashed>>> = LazyLock::new(Mutex::default);
    let _turn = turn();
    let key = Text::new(text);
    let mut good = GOOD.lock().unwrap_or_else(PoisonError::into_inner);
    if !good.contains(&key) {
        in_turn(text)?;
        good.insert(key);
    }
    Ok(())
}

fn in_turn(text: &str) -> Result<Vec<Statement>, SyntaxError> {
    readable(text)?;
    count(text);
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

/// Trees of statements, so that each text is parsed once: the columns that every table has alike, and the SQL that is
/// bound first and analysed then.
static TREES: LazyLock<Mutex<Trees>> = LazyLock::new(Mutex::default);

#[derive(Default)]
struct Trees {
    known: HashMap<Box<str>, Tree>,
    bytes: usize,
}

/// How much text is kept with its trees, in bytes: a tree takes some hundred times as much as its text.
const TREES_BYTES: usize = 1 << 20;

/// Parses exactly one statement. Its tree is kept for the next who asks, as long as there is room.
///
/// # Errors
/// A syntax error, or that there is not exactly one.
pub fn statement(text: &str) -> Result<Tree, SyntaxError> {
    let known = || TREES.lock().unwrap_or_else(PoisonError::into_inner).known.get(text).cloned();
    if let Some(tree) = known() {
        return Ok(tree);
    }
    let turn = turn();
    // Another thread may just have parsed it.
    if let Some(tree) = known() {
        return Ok(tree);
    }
    let tree = one_statement(text)?;
    let mut trees = TREES.lock().unwrap_or_else(PoisonError::into_inner);
    if trees.bytes + text.len() <= TREES_BYTES && trees.known.insert(text.into(), tree.clone()).is_none() {
        trees.bytes += text.len();
    }
    drop(turn);
    Ok(tree)
}

/// Lets go of all trees that are kept: nobody is going to ask for many of them again.
pub fn forget() {
    let trees = std::mem::take(&mut *TREES.lock().unwrap_or_else(PoisonError::into_inner));
    drop(trees);
}

static PARSED: LazyLock<Mutex<Parsed>> = LazyLock::new(Mutex::default);

#[derive(Default)]
struct Parsed {
    times: usize,
    again: usize,
    known: HashSet<u64, Hashed>,
}

/// How often pg_query has parsed something in this process, and how often among these a text that it had parsed
/// before. Each distinct text should be parsed once.
pub fn parsed() -> (usize, usize) {
    let parsed = PARSED.lock().unwrap_or_else(PoisonError::into_inner);
    (parsed.times, parsed.again)
}

fn count(text: &str) {
    static SEED: LazyLock<Hashed> = LazyLock::new(Hashed::default);
    let mut parsed = PARSED.lock().unwrap_or_else(PoisonError::into_inner);
    parsed.times += 1;
    if !parsed.known.insert(SEED.hash_one(text)) {
        parsed.again += 1;
    }
}

fn one_statement(text: &str) -> Result<Tree, SyntaxError> {
    let mut all = in_turn(text)?;
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
    match lex::plain(text) {
        Some(tokens) => Ok(tokens),
        None => scan(text),
    }
}

/// The tokens of a text as pg_query's scanner finds them.
fn scan(text: &str) -> Result<Vec<Token>, SyntaxError> {
    readable(text)?;
    let _turn = turn();
    let scanned = pg_query::scan(text).map_err(|error| syntax_error(text, &error))?;
    Ok(scanned
        .tokens
        .iter()
        .filter(|token| !matches!(token.token, SQL_COMMENT | C_COMMENT))
        .map(|token| Token {
            start: usize::try_from(token.start).unwrap_or(0),
            end: usize::try_from(token.end).unwrap_or(0),
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

/// All keywords in lower case: the words among the names of the grammar's tokens that its scanner takes for such.
pub(crate) fn keywords() -> HashMap<String, Keyword> {
    let names = (0..2_000).filter_map(|number| pg_query::protobuf::Token::try_from(number).ok());
    let words: Vec<String> = names
        .map(|token| token.as_str_name().to_ascii_lowercase())
        .map(|name| name.strip_suffix("_p").map(str::to_owned).unwrap_or(name))
        .collect();
    let text = words.join(" ");
    let known = scan(&text).unwrap_or_default().into_iter();
    known
        .filter(|token| token.keyword != Keyword::No)
        .map(|token| (text[token.start..token.end].to_owned(), token.keyword))
        .collect()
}

/// A turn to call pg_query, while no other thread does: meanwhile it has the process's standard error lead into a pipe,
/// and two calls at a time would give each other's pipe back instead of it.
fn turn() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::new(());
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
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
    fn plain_texts_have_the_tokens_that_the_scanner_finds() {
        let mut texts: Vec<String> = [
            "a=-1",
            "a<>b and c::int4[1]",
            "x.y.*",
            "\"A b\".\"c\"\"d\"",
            "'it''s'",
            "a:b:=c",
            "1.5+2 - 3",
            "1..2",
            "1.5.3",
            "1.",
            ".5",
            "5e3",
            "0x1F",
            "1_000",
            "12abc",
            "'a'\n'b'",
            "'a' -- c\n'b'",
            "e'\\n'",
            "E'a'",
            "U&'a'",
            "u&\"a\"",
            "b'1'",
            "x'f'",
            "N'a'",
            "$1",
            "$$a$$",
            "$t$ a $t$",
            "a/* c */b",
            "a--c",
            "a@-b",
            "a<-1",
            "a*-1",
            "a=>b",
            "a ->> 'b' = 'c'",
            "a#>>'{b,c}'",
            "\"\"",
            "'open",
            "\"open",
            "ä = 'ö' and Größe > 1",
            "a\x0cb",
            "a?b",
            "a !~~ 'b'",
            "a !~~* 'b'",
            "a -- b",
            "f(a,b);",
            "{a}",
            "a\\b",
            "a~~b",
            "SELECT Current_Date",
            "_a$1",
            "a . b",
            "'a'||'b'",
            "a:::b",
            "a:=b",
            "a[1:2]",
            "x\u{a0}y",
            "a<@b",
            "a @> b",
            "a@@b",
            "u & v",
            "u &v",
            "u&v",
            "a!b",
        ]
        .map(str::to_owned)
        .into();
        for text in texts.clone() {
            texts.extend(text.char_indices().map(|(at, _)| text[at..].to_owned()));
            texts.extend(text.char_indices().map(|(at, _)| text[..at].to_owned()));
            texts.push(format!("{text}{text}"));
            texts.push(format!("{text} {text}"));
            texts.push(format!("'{text}"));
        }
        for text in &texts {
            if let Some(plain) = lex::plain(text) {
                assert_eq!(Ok(plain), scan(text), "{text:?}");
            }
        }
        let plain = |text: &&String| lex::plain(text).is_some();
        assert!(texts.iter().filter(plain).count() * 3 > texts.len(), "hardly any text is plain");
    }

    #[test]
    fn all_keywords_are_known() {
        let known = keywords();
        // As many as kwlist.h of PostgreSQL 18 has.
        assert_eq!(known.len(), 494, "{known:?}");
        let class = |word: &str| known.get(word).copied();
        assert_eq!(class("select"), Some(Keyword::Reserved));
        assert_eq!(class("abort"), Some(Keyword::Unreserved));
        assert_eq!(class("left"), Some(Keyword::TypeOrFunction));
        assert_eq!(class("coalesce"), Some(Keyword::ColumnName));
    }

    #[test]
    fn a_sum_of_thousand_terms_parses() {
        let sum = vec!["x"; 1000].join(" + ");
        assert!(on_large_stack(|| expression(&sum).is_ok()));
    }
}
