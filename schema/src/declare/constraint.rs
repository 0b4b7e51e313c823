//! A constraint as it was declared, whose name PostgreSQL may still have to choose.

use crate::code::Code;
use crate::declare::frame::Frame;
use crate::diagnostic::Diagnostic;
use crate::ident::Ident;
use crate::kinds::key::Timing;
use crate::object::Object;
use crate::span::Span;
use crate::tree::Tree;
use crate::yaml::Sql;

/// `ConstrType` of PostgreSQL's parse nodes.
pub mod kind {
    #![allow(missing_docs)]
    pub const NULL: i64 = 1;
    pub const NOT_NULL: i64 = 2;
    pub const DEFAULT: i64 = 3;
    pub const IDENTITY: i64 = 4;
    pub const GENERATED: i64 = 5;
    pub const CHECK: i64 = 6;
    pub const PRIMARY: i64 = 7;
    pub const UNIQUE: i64 = 8;
    pub const FOREIGN: i64 = 10;
    pub const DEFERRABLE: i64 = 11;
    pub const NOT_DEFERRABLE: i64 = 12;
    pub const DEFERRED: i64 = 13;
    pub const IMMEDIATE: i64 = 14;
    pub const ENFORCED: i64 = 15;
    pub const NOT_ENFORCED: i64 = 16;
}

/// A constraint.
#[derive(Clone, Debug)]
pub struct Constraint {
    /// Its name, where one was written.
    pub name: Option<Ident>,
    /// What it is.
    pub object: Object,
    /// The columns that a chosen name is made of.
    pub named_after: Vec<Ident>,
    /// The columns of its table that it names, with their places.
    pub columns: Vec<(Ident, Span)>,
    /// Its comment.
    pub comment: Option<crate::yaml::Text>,
    /// The comment of its index.
    pub index_comment: Option<crate::yaml::Text>,
    /// Where it stands.
    pub span: Span,
}

impl Constraint {
    /// The last part of a chosen name.
    pub fn label(&self) -> &'static str {
        match &self.object {
            Object::Key(key) if key.primary => "pkey",
            Object::Key(_) => "key",
            Object::ForeignKey(_) => "fkey",
            Object::Exclusion(_) => "excl",
            _ => "check",
        }
    }

    /// The words DEFERRABLE and the like behind it.
    pub fn set_timing(&mut self, timing: Timing) -> bool {
        match &mut self.object {
            Object::Key(key) => key.timing = timing,
            Object::ForeignKey(key) => key.timing = timing,
            Object::Exclusion(exclusion) => exclusion.timing = timing,
            _ => return false,
        }
        true
    }
}

/// When a constraint node is checked.
pub fn timing(node: &Tree) -> Timing {
    match (node.get("deferrable").flag(), node.get("initdeferred").flag()) {
        (_, true) => Timing::Deferred,
        (true, false) => Timing::Deferrable,
        (false, false) => Timing::Immediate,
    }
}

/// Names of columns in a list of the tree.
pub fn columns(list: &Tree) -> Vec<Ident> {
    list.strings().into_iter().map(Ident::new).collect()
}

/// The places of columns, found by their spelling.
pub fn places(frame: &Frame<'_>, from: usize, names: &[Ident]) -> Vec<(Ident, Span)> {
    let words = frame.words();
    let mut index = words.index_at(from);
    let mut found = Vec::with_capacity(names.len());
    for name in names {
        let at = (index..words.len()).find(|index| {
            let word = words.word(*index);
            crate::names::dotted_name(word, 0)
                .is_some_and(|(parts, end)| parts == [*name] && end == word.len())
        });
        let token = at.and_then(|at| words.token(at));
        found.push((
            *name,
            token.map_or(frame.sql.span(), |token| frame.sql.locate_range(token.start, token.end)),
        ));
        index = at.map_or(index, |at| at + 1);
    }
    found
}

/// Reads `ALTER TABLE t ADD CONSTRAINT c KEYWORD fragment` and hands its one constraint node over.
///
/// # Errors
/// What PostgreSQL's grammar says, or that there is more than the constraint.
pub fn read<'a>(sql: &'a Sql, keyword: &str) -> Result<(Frame<'a>, Tree), Diagnostic> {
    let frame = Frame::read(sql, &format!("ALTER TABLE t ADD CONSTRAINT c {keyword} "), "")?;
    let node = match frame.tree.get("cmds").items() {
        [command] => command.get("def").clone(),
        // Each further command begins behind a comma.
        _ => Tree::Nothing,
    };
    if node.name() != "Constraint" {
        let comma = comma_outside(&frame).unwrap_or(0);
        return Err(frame.refuse(comma, "this is more than one constraint"));
    }
    if !node.get("indexname").str().is_empty() {
        return Err(
            frame.refuse(0, "USING INDEX is a way to make a constraint, not what it is; write its columns")
        );
    }
    Ok((frame, node))
}

fn comma_outside(frame: &Frame<'_>) -> Option<usize> {
    let words = frame.words();
    words.find_outside(0, ",").and_then(|index| words.token(index)).map(|token| token.start)
}

/// A clause that has a key of its own and is said twice.
pub fn twice(span: Span, key: &str) -> Diagnostic {
    Diagnostic::error(Code::WrongStatement, format!("`{key}` is said in the definition and beside it"))
        .at(span)
}
