//! Tables in publications in the files of an import: at the table, or at the publication where there is more to say.

use super::Member;
use crate::id::ObjectId;
use crate::object::Kind;
use crate::sql;
use crate::write::{Node, Writer, name};

/// A table in a publication.
pub fn write(member: &Member, id: ObjectId, out: &mut Writer<'_>) {
    let Some(table) = id.parent() else { return };
    let Some(table_name) = table.qname() else { return };
    if member.columns.is_empty() && member.rows.is_none() && table.kind() == Kind::Table {
        out.entry(table).push("published_in", Node::Text(name(id.name())));
        return;
    }
    let publication = out.entry(ObjectId::global(Kind::Publication, id.name()));
    let entry = publication.named("tables").at(&sql::qualified(table_name), "");
    if !member.columns.is_empty() {
        entry.set("columns", Node::List(member.columns.iter().map(|one| Node::Text(name(*one))).collect()));
    }
    if let Some(rows) = &member.rows {
        entry.set("where", Node::Sql(rows.text().into()));
    }
}
