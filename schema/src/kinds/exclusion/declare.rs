//! Exclusion constraints as people write them: `using gist (room with =, during with &&) where (…)`.

use super::{Exclusion, column_names};
use crate::declare::constraint::{self, Constraint};
use crate::declare::frame::Words;
use crate::diagnostic::Diagnostic;
use crate::fragment::{Fragment, Grammar};
use crate::ident::Ident;
use crate::kinds::key::declare::set_timing;
use crate::kinds::options::Options;
use crate::object::Object;
use crate::spec::ExclusionSpec;
use crate::yaml::{Sql, Written};

/// A constraint from its short or long form.
///
/// # Errors
/// What PostgreSQL's grammar says, with its place.
pub fn exclusion(name: Option<Ident>, written: &Written<ExclusionSpec>) -> Result<Constraint, Diagnostic> {
    let (sql, long) = match written {
        Written::Short(sql) => (sql, None),
        Written::Long(spec) => (&spec.definition, Some(spec)),
    };
    let (frame, node) = constraint::read(sql, "EXCLUDE")?;
    let columns = column_names(&node);
    let places = constraint::places(&frame, 0, &columns);
    let words = frame.words();
    // What has a field of its own is cut out, the last first, so that the places of the others hold.
    let mut definition = sql.clone();
    let behind = words.find_outside(0, "where").and_then(|at| words.closing(at)).unwrap_or(0);
    let timing =
        ["not", "deferrable", "initially"].iter().filter_map(|word| words.find_outside(behind, word)).min();
    if let Some(at) = timing {
        definition = cut(&definition, words, at, words.len());
    }
    let tablespace = node.get("indexspace").str();
    if let Some(at) = words.find_outside(1, "using").filter(|_| !tablespace.is_empty()) {
        // USING INDEX TABLESPACE name; the first word may be the USING of the access method.
        definition = cut(&definition, words, at, at + 4);
    }
    if let Some(at) = words.find_outside(0, "with").filter(|_| !node.get("options").is_nothing()) {
        definition = cut(&definition, words, at, words.closing(at).map_or(at, |close| close + 1));
    }
    let exclusion = Exclusion {
        definition: Fragment::declared(&definition, Grammar::Exclusion),
        timing: constraint::timing(&node),
        options: Options::from_tree(node.get("options").items()),
        tablespace: (!tablespace.is_empty()).then(|| Ident::new(tablespace)),
    };
    let mut constraint = Constraint {
        name,
        named_after: columns,
        columns: places,
        object: Object::Exclusion(exclusion),
        comment: None,
        index_comment: None,
        span: sql.span(),
    };
    if let Some(spec) = long {
        set_timing(&mut constraint, spec.deferrable, spec.initially_deferred)?;
        constraint.comment.clone_from(&spec.comment);
        constraint.index_comment.clone_from(&spec.index_comment);
    }
    Ok(constraint)
}

/// The definition without the tokens `first..last`.
fn cut(definition: &Sql, words: &Words<'_>, first: usize, last: usize) -> Sql {
    let Some(from) = words.token(first).map(|token| token.start) else { return definition.clone() };
    let to = words.token(last).map_or(definition.text().len(), |token| token.start);
    definition.without(from, to.min(definition.text().len()))
}
