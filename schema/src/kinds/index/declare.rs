//! Indexes as people write them: what follows the table in CREATE INDEX, with `unique` before it.

use super::Index;
use crate::declare::frame::{Frame, Words};
use crate::diagnostic::Diagnostic;
use crate::fragment::{Fragment, Grammar};
use crate::ident::Ident;
use crate::kinds::options::Options;
use crate::span::Span;
use crate::yaml::Sql;

/// An index, and the columns that it names with their places.
///
/// # Errors
/// What PostgreSQL's grammar says, with its place.
pub fn index(sql: &Sql) -> Result<(Index, Vec<(Ident, Span)>), Diagnostic> {
    let words = Words::of(sql)?;
    let unique = words.is(0, "unique");
    let mut first = usize::from(unique);
    // The access method that goes without saying.
    if words.is(first, "using") && words.is(first + 1, "btree") {
        first += 2;
    }
    let start = words.token(first).map_or(sql.text().len(), |token| token.start);
    let sql = sql.part(start, sql.text().len());
    let frame = Frame::read(&sql, "CREATE INDEX ON t ", "")?;
    let tree = &frame.tree;
    let mut definition = sql.clone();
    // TABLESPACE stands behind WITH: the last one is cut out first, so that the places of the first one hold.
    let words = frame.words();
    let where_at = words.find_outside(0, "where").unwrap_or(words.len());
    let tablespace = tree.get("table_space").str();
    if !tablespace.is_empty() {
        definition = cut(&definition, words, words.find_outside(0, "tablespace"), where_at, |at| at + 1);
    }
    if !tree.get("options").is_nothing() {
        definition = cut(&definition, words, words.find_outside(0, "with"), where_at, |at| {
            words.closing(at + 1).unwrap_or(at)
        });
    }
    let columns = super::column_names(tree);
    let places = crate::declare::constraint::places(&frame, 0, &columns);
    let index = Index {
        unique,
        definition: Fragment::declared(&definition, Grammar::Index),
        options: Options::from_tree(tree.get("options").items()),
        tablespace: (!tablespace.is_empty()).then(|| Ident::new(tablespace)),
        clustered: false,
        statistics: Options::default(),
        invalid: false,
    };
    Ok((index, places))
}

/// The definition without the clause that begins at a token before `limit`.
fn cut(
    definition: &Sql,
    words: &Words<'_>,
    first: Option<usize>,
    limit: usize,
    last: impl Fn(usize) -> usize,
) -> Sql {
    let Some(first) = first.filter(|first| *first < limit) else { return definition.clone() };
    let (Some(from), Some(_)) = (words.token(first), words.token(last(first))) else {
        return definition.clone();
    };
    // Up to the next token, so that no two blanks are left.
    let to = words.token(last(first) + 1).map_or(definition.text().len(), |token| token.start);
    definition.without(from.start, to.min(definition.text().len()))
}
