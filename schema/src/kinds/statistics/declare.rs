//! Extended statistics as people write them: `(ndistinct) on a, b`.

use super::Statistics;
use crate::declare::constraint;
use crate::declare::frame::Frame;
use crate::diagnostic::Diagnostic;
use crate::fragment::{Fragment, Grammar};
use crate::ident::Ident;
use crate::span::Span;
use crate::spec::StatisticsSpec;
use crate::yaml::Written;

/// Statistics of a table in a schema, and the columns that they name with their places.
///
/// # Errors
/// What PostgreSQL's grammar says, with its place.
pub fn statistics(
    schema: Ident,
    written: &Written<StatisticsSpec>,
) -> Result<(Statistics, Vec<(Ident, Span)>), Diagnostic> {
    let (sql, target) = match written {
        Written::Short(sql) => (sql, None),
        Written::Long(spec) => (&spec.definition, spec.target),
    };
    let frame = Frame::read(sql, "CREATE STATISTICS s ", " FROM t")?;
    if let Some(from) = frame.words().find_outside(0, "from").and_then(|at| frame.words().token(at)) {
        return Err(frame.refuse(from.start, "statistics are about the table in whose entry they stand"));
    }
    let mut columns = Vec::new();
    frame.tree.walk(&mut |node| {
        if node.name() == "StatsElem" && !node.get("name").str().is_empty() {
            columns.push(Ident::new(node.get("name").str()));
        }
    });
    let places = constraint::places(&frame, 0, &columns);
    let target = target.filter(|target| *target >= 0).map(i64::from);
    let definition = Fragment::declared(sql, Grammar::Statistics);
    Ok((Statistics { schema, definition, target }, places))
}
