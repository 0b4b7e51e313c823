//! Who the roles are that policies and privileges name: row-level security says nothing of whom it does not bind, and
//! who is somebody's member gets what is that one's.
//!
//! Roles belong to the whole server, and no catalog of schemac holds them. Not here: owners, who come and go with what
//! they own, and what a role's settings do.

use super::Record;
use crate::state::{Unavailable, pinned};
use postgres::{Client, SimpleQueryMessage};
use schemac_schema::ident::Ident;
use schemac_schema::kinds::named_roles;
use schemac_schema::sql;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// From which version on a membership says whether the member may become the other.
const MEMBERS_WITH_OPTIONS: u32 = 16;

/// What is kept of a role.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Role {
    /// Its name.
    pub name: Ident,
    /// Whether everything is allowed to it.
    pub superuser: bool,
    /// Whether row-level security does not bind it.
    pub bypasses: bool,
    /// The roles that it has the privileges and policies of, at any remove; none of a superuser, who has all.
    pub has: BTreeSet<Ident>,
    /// Those that it can only become (SET ROLE).
    pub becomes: BTreeSet<Ident>,
}

/// The roles that a record's objects name, but for everybody and owners.
pub(super) fn of(client: &mut Client, record: &Record, version: u32) -> Result<Vec<Role>, Unavailable> {
    let kept = || record.objects.iter().chain(&record.leans);
    let mut names: BTreeSet<Ident> = kept().flat_map(|kept| named_roles(kept.id, &kept.object)).collect();
    for owner in kept().filter_map(|kept| kept.object.owner()) {
        names.remove(&owner);
    }
    named(client, &names, version)
}

/// Those of these roles that there are.
///
/// # Errors
/// The server could not be asked.
pub fn named(client: &mut Client, names: &BTreeSet<Ident>, version: u32) -> Result<Vec<Role>, Unavailable> {
    if names.is_empty() {
        return Ok(Vec::new());
    }
    let names: Vec<String> = names.iter().map(|name| sql::literal(name.as_str())).collect();
    let set = if version < MEMBERS_WITH_OPTIONS { "MEMBER" } else { "SET" };
    let others = |condition: &str| {
        format!(
            "(SELECT coalesce(pg_catalog.json_agg(o.rolname ORDER BY o.rolname), '[]') FROM pg_catalog.pg_roles o \
             WHERE o.oid <> r.oid AND NOT r.rolsuper AND {condition})"
        )
    };
    let has = "pg_catalog.pg_has_role(r.oid, o.oid, 'USAGE')";
    let question = format!(
        "SELECT r.rolname, r.rolsuper, r.rolbypassrls, {}, {} FROM pg_catalog.pg_roles r WHERE r.rolname IN ({}) ORDER BY 1",
        others(has),
        others(&format!("pg_catalog.pg_has_role(r.oid, o.oid, '{set}') AND NOT {has}")),
        names.join(", ")
    );
    let mut roles = Vec::new();
    for message in pinned(client, &question)? {
        let SimpleQueryMessage::Row(row) = message else { continue };
        let text = |place: usize| row.get(place).unwrap_or_default();
        let list = |place: usize| serde_json::from_str(text(place)).unwrap_or_default();
        roles.push(Role {
            name: Ident::new(text(0)),
            superuser: text(1) == "t",
            bypasses: text(2) == "t",
            has: list(3),
            becomes: list(4),
        });
    }
    Ok(roles)
}
