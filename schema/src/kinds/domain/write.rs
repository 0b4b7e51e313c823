//! Domains in the files of an import: the type, or keys where there is more to say.

use super::Domain;
use crate::id::ObjectId;
use crate::kinds::column::write::spoken;
use crate::kinds::types;
use crate::reference::Reference;
use crate::sql;
use crate::write::{Map, Node, Writer, name};

/// A domain.
pub fn write(domain: &Domain, id: ObjectId, out: &mut Writer<'_>) {
    let Domain { base, collation, default, not_null, not_null_name: _, owner } = domain;
    let base = Node::Sql(spoken(base).text().as_str().into());
    let mut long = Map::keys();
    long.set("type", base.clone()).flag("not_null", *not_null);
    if let Some(collation) = collation.as_ref().and_then(Reference::qname) {
        long.set("collation", Node::Text(sql::qualified(collation)));
    }
    if let Some(default) = default {
        long.set("default", Node::Sql(default.text().into()));
    }
    if let Some(owner) = owner.0.filter(|owner| Some(*owner) != out.owner) {
        long.set("owner", Node::Text(name(owner)));
    }
    let is_plain = !not_null && collation.is_none() && default.is_none() && owner.0 == out.owner;
    out.put(id, 0, if is_plain { Node::Short(Box::new(base), long) } else { Node::Map(long) });
    types::write_public(id, out);
}
