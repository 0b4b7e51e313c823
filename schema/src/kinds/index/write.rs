//! Indexes in the files of an import: what follows the table in CREATE INDEX.

use super::{Index, split_predicate};
use crate::fragment::{Fragment, Grammar};
use crate::id::ObjectId;
use crate::sql::Sql;
use crate::write::{Node, Writer};

/// An index.
pub fn write(index: &Index, id: ObjectId, out: &mut Writer<'_>) {
    let Index { unique, definition, options, tablespace, clustered, statistics, invalid } = index;
    if *invalid {
        out.missing(id, "it is not valid, and the files declare it as if it were");
    }
    let mut sql = Sql::default();
    if *unique {
        sql.kw("unique");
    }
    let (head, predicate) = split_predicate(definition.text());
    sql.fragment(&Fragment::part(head, Grammar::Index));
    options.with(&mut sql);
    if let Some(tablespace) = tablespace {
        sql.kw("TABLESPACE").ident(*tablespace);
    }
    if let Some(predicate) = predicate {
        sql.fragment(&Fragment::part(predicate, Grammar::Index));
    }
    out.put(id, 0, Node::definition(sql.into_text()));
    if *clustered {
        out.entry(id).set("clustered", Node::word("true"));
    }
    for (column, target) in &statistics.0 {
        out.entry(id).named("statistics").put(column.as_str(), "", 0, Node::word(target));
    }
}
