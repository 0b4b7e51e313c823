//! Exclusion constraints in the files of an import: what follows EXCLUDE.

use super::Exclusion;
use crate::fragment::{Fragment, Grammar};
use crate::id::ObjectId;
use crate::kinds::{index, key::write::timing};
use crate::sql::Sql;
use crate::write::{Node, Writer};

/// An exclusion constraint.
pub fn write(exclusion: &Exclusion, id: ObjectId, out: &mut Writer<'_>) {
    let Exclusion { definition, timing: when, options, tablespace } = exclusion;
    let (head, predicate) = index::split_predicate(definition.text());
    let mut sql = Sql::default();
    sql.fragment(&Fragment::part(head, Grammar::Exclusion));
    options.with(&mut sql);
    if let Some(tablespace) = tablespace {
        sql.kw("USING INDEX TABLESPACE").ident(*tablespace);
    }
    if let Some(predicate) = predicate {
        sql.fragment(&Fragment::part(predicate, Grammar::Exclusion));
    }
    sql.kw(timing(*when));
    out.put(id, 0, Node::definition(sql.into_text().trim_end().to_owned()));
}
