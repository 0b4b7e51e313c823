//! Tables in the files of an import, without what stands on them.

use super::{ReplicaIdentity, Table};
use crate::id::ObjectId;
use crate::reference::Reference;
use crate::sql::{self, Sql};
use crate::write::{Map, Node, Writer, name};

/// A table's own keys.
pub fn write(table: &Table, id: ObjectId, out: &mut Writer<'_>) {
    let Table {
        owner,
        unlogged,
        options,
        rls,
        rls_forced,
        replica_identity,
        partition_by,
        partition_of,
        inherits,
        access_method,
        tablespace,
        parts: _,
    } = table;
    let owner = owner.0.filter(|owner| Some(*owner) != out.owner);
    let mut own = Map::keys();
    let entry = &mut own;
    if !inherits.is_empty() {
        let parents = inherits.iter().filter_map(Reference::qname);
        entry.set("inherits", Node::List(parents.map(|one| Node::Text(sql::qualified(one))).collect()));
    }
    if let Some(partition_by) = partition_by {
        entry.set("partition_by", Node::Sql(partition_by.text().into()));
    }
    if let Some(owner) = owner {
        entry.set("owner", Node::Text(name(owner)));
    }
    entry.flag("unlogged", *unlogged);
    options.write(entry);
    match (rls, rls_forced) {
        (true, true) => entry.set("rls", Node::word("forced")),
        (true, false) => entry.set("rls", Node::word("enabled")),
        (false, true) => entry.set("rls", Node::word("forced_when_enabled")),
        (false, false) => entry,
    };
    match replica_identity {
        ReplicaIdentity::Default => {}
        ReplicaIdentity::Full => drop(entry.set("replica_identity", Node::word("full"))),
        ReplicaIdentity::Nothing => drop(entry.set("replica_identity", Node::word("nothing"))),
        ReplicaIdentity::Index(index) => {
            let mut sql = Sql::new("using index");
            sql.ident(*index);
            entry.set("replica_identity", Node::Sql(sql.into_text()));
        }
    }
    if let Some(method) = access_method {
        entry.set("access_method", Node::Text(name(*method)));
    }
    if let Some(tablespace) = tablespace {
        entry.set("tablespace", Node::Text(name(*tablespace)));
    }
    match partition_of {
        Some((_, bound)) if own.is_empty() => out.put(id, 0, Node::definition(bound.text().into())),
        Some((_, bound)) => {
            own.set("definition", Node::Sql(bound.text().into()));
            out.put(id, 0, Node::Map(own));
        }
        None => out.put(id, 0, Node::Map(own)),
    }
}
