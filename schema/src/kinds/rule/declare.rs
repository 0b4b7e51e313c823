//! Rules as people write them: what follows `CREATE RULE name AS`, with or without `TO table`.

use super::{Event, Rule};
use crate::code::Code;
use crate::declare::frame::{Frame, Words, refuse};
use crate::diagnostic::Diagnostic;
use crate::fragment::{Fragment, Grammar};
use crate::ident::Ident;
use crate::kinds::trigger::Enabled;
use crate::kinds::trigger::declare::enabled;
use crate::names;
use crate::spec::security::RewriteRuleSpec;
use crate::yaml::{Sql, Written};

/// A rule from its short or long form.
///
/// # Errors
/// What PostgreSQL's grammar says, with its place; a rule for SELECT, which only a view has.
pub fn rule(written: &Written<RewriteRuleSpec>, table: Ident) -> Result<Rule, Diagnostic> {
    match written {
        Written::Short(sql) => short(sql, table),
        Written::Long(spec) => {
            let enabled = spec.enabled.map_or(Enabled::Origin, |word| enabled(word.value));
            Ok(Rule { enabled, ..short(&spec.definition, table)? })
        }
    }
}

fn short(sql: &Sql, table: Ident) -> Result<Rule, Diagnostic> {
    let words = Words::of_actions(sql)?;
    let at = |index: usize| words.token(index).map_or(sql.text().len(), |token| token.start);
    let event = match words.word(1).to_ascii_lowercase().as_str() {
        "insert" => Event::Insert,
        "update" => Event::Update,
        "delete" => Event::Delete,
        _ => return Err(refuse(sql, at(1), "a rule is `on insert`, `on update` or `on delete`")),
    };
    if !words.is(0, "on") {
        return Err(refuse(sql, at(0), "a rule begins with `on insert`, `on update` or `on delete`"));
    }
    let mut start = at(2);
    if words.is(2, "to") {
        let (parts, end) = names::dotted_name(sql.text(), at(3)).unwrap_or((Vec::new(), at(3)));
        if parts.last() != Some(&table) {
            let message = format!("the rule stands in the entry of `{table}`, and this is another table");
            return Err(Diagnostic::error(Code::WrongStatement, message).at(sql.locate_range(at(3), end)));
        }
        start = end;
    }
    let part = sql.part(start, sql.text().len());
    let words = Words::of_actions(&part)?;
    Frame::read_around(&part, words, (0, "CREATE RULE x AS ON INSERT TO x "), (part.text().len(), ""))?;
    Ok(Rule { event, definition: Fragment::declared(&part, Grammar::Rule), enabled: Enabled::Origin })
}
