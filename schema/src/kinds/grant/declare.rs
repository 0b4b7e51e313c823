//! Privileges as people write them: `select`, `update (title, content)`, `all`, `with grant option`, `none`.

use super::{Grant, all_privileges};
use crate::code::Code;
use crate::declare::frame::{Frame, Words};
use crate::diagnostic::Diagnostic;
use crate::ident::{Ident, Text};
use crate::object::Kind;
use crate::span::Span;
use crate::yaml::{OneOrMany, Sql};
use std::collections::BTreeMap;

/// The newest major version whose privileges are known: a project may be written for more than one server.
const NEWEST: u32 = 18;

/// What one grantee may do: with the whole object, and with single columns.
#[derive(Clone, Debug, Default)]
pub struct Privileges {
    /// With the object.
    pub whole: Grant,
    /// With columns, each with the place of its name.
    pub columns: BTreeMap<Ident, (Grant, Span)>,
}

/// The privileges that a list of fragments gives on an object of a kind.
///
/// # Errors
/// What PostgreSQL's grammar says, and words that are no privilege of the kind.
pub fn privileges(written: &OneOrMany<Sql>, kind: Kind, version: u32) -> Result<Privileges, Diagnostic> {
    let mut out = Privileges::default();
    for sql in written {
        one(sql, kind, version, &mut out)?;
    }
    Ok(out)
}

fn one(sql: &Sql, kind: Kind, version: u32, out: &mut Privileges) -> Result<(), Diagnostic> {
    let words = Words::of(sql)?;
    if words.len() == 1 && words.is(0, "none") {
        return Ok(());
    }
    let last = words.len();
    let option =
        last > 3 && words.is(last - 3, "with") && words.is(last - 2, "grant") && words.is(last - 1, "option");
    let end = if option { words.token(last - 4).map_or(0, |token| token.end) } else { sql.text().len() };
    let sql = sql.part(0, end);
    let frame = Frame::read(&sql, "GRANT ", " ON t TO r")?;
    let privileges = frame.tree.get("privileges").items();
    if frame.tree.name() != "GrantStmt" {
        return Err(frame.refuse(0, "these are no privileges"));
    }
    let every = |kind: Kind| all_privileges(kind, version).iter().map(|word| Text::new(word));
    if privileges.is_empty() {
        add(&mut out.whole, every(kind), option);
    }
    let mut from = 0;
    for privilege in privileges {
        let word = privilege.get("priv_name").str().to_ascii_uppercase();
        let columns = privilege.get("cols").strings();
        let target = if columns.is_empty() { kind } else { Kind::Column };
        let at = frame.words().find(from, |text| word.is_empty() || text.eq_ignore_ascii_case(&word));
        let token = at.and_then(|at| frame.words().token(at));
        let known = |version: u32| all_privileges(target, version).contains(&word.as_str());
        if !word.is_empty() && !known(NEWEST) {
            let span = token.map_or(sql.span(), |token| sql.locate_range(token.start, token.end));
            return Err(unknown(&word, target, span));
        }
        // A privilege that only newer servers know goes without saying on this one, as it does for `all`.
        if !word.is_empty() && !known(version) {
            continue;
        }
        let given: Vec<Text> = if word.is_empty() { every(target).collect() } else { vec![Text::new(&word)] };
        if columns.is_empty() {
            add(&mut out.whole, given, option);
            from = token.map_or(from, |token| token.end);
            continue;
        }
        if kind == Kind::Column {
            let at = token.map_or(0, |token| token.start);
            return Err(frame.refuse(at, "these are a column's privileges already; name no columns"));
        }
        let names: Vec<Ident> = columns.into_iter().map(Ident::new).collect();
        let start = token.map_or(from, |token| token.end);
        for (name, span) in crate::declare::constraint::places(&frame, start, &names) {
            let (grant, _) = out.columns.entry(name).or_insert_with(|| (Grant::default(), span));
            add(grant, given.iter().copied(), option);
            from = from.max(start);
        }
    }
    Ok(())
}

fn add(grant: &mut Grant, words: impl IntoIterator<Item = Text>, option: bool) {
    for word in words {
        *grant.privileges.entry(word).or_insert(false) |= option;
    }
}

fn unknown(word: &str, kind: Kind, span: Span) -> Diagnostic {
    let known = all_privileges(kind, NEWEST).join(", ").to_lowercase();
    let message = format!("`{}` is no privilege of a {}", word.to_lowercase(), kind.word());
    Diagnostic::error(Code::UnknownValue, message).at(span).help(format!("there are {known}, and `all`"))
}
