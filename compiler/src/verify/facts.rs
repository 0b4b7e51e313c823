//! What the catalogs say of moved relations and their facades, asked anew and not by the readers.

use super::{Error, Facade, Finding, Left, Options, Verdict, rows};
use crate::record::{relations_of, types_of};
use postgres::Client;
use schemac_schema::catalog::Catalog;
use schemac_schema::id::ObjectId;
use schemac_schema::ident::Ident;
use schemac_schema::kinds::function::asks_its_caller;
use schemac_schema::object::Object;
use schemac_schema::sql;
use std::collections::BTreeMap;

/// Moved relations are the same relations with the same files and no fewer rows.
pub(super) fn storage(
    client: &mut Client,
    left: &Left,
    options: &Options,
    findings: &mut Vec<Finding>,
) -> Result<(), Error> {
    let ids: Vec<ObjectId> = left.relations.keys().copied().collect();
    let (types, ids): (Vec<ObjectId>, Vec<ObjectId>) = ids.into_iter().partition(|id| id.kind().is_type());
    let mut now = relations_of(client, &ids).map_err(Error::Journal)?;
    now.extend(types_of(client, &types).map_err(Error::Journal)?);
    for (id, was) in &left.relations {
        let Some(is) = now.iter().find(|one| one.id == *id) else {
            findings.push(Finding::new(Verdict::Failed, "storage", id, "it is gone"));
            continue;
        };
        let (verdict, message) = match (is.oid == was.oid, is.file == was.file) {
            (false, _) if id.kind().is_type() => {
                (Verdict::Failed, "it is another type of that name: columns have the old one".to_owned())
            }
            (false, _) => {
                (Verdict::Failed, "it is another relation of that name: a copy, or made anew".to_owned())
            }
            (true, _) if id.kind().is_type() => {
                (Verdict::Passed, "the same type as before it moved".to_owned())
            }
            (_, false) => (
                Verdict::Failed,
                format!(
                    "its file was {} before it moved and is {}: its rows were written anew (TRUNCATE, VACUUM FULL, \
                     CLUSTER, or a change of a column's type)",
                    was.file, is.file
                ),
            ),
            _ => (Verdict::Passed, "the same relation with the same file as before it moved".to_owned()),
        };
        findings.push(Finding::new(verdict, "storage", id, message));
        let (verdict, message) = match (was.rows, is.rows) {
            (Some(was), Some(is)) if is < was && !options.rows_may_go => (
                Verdict::Failed,
                format!(
                    "{} of {was} rows that it had before it moved are missing; if clients deleted them: --rows-may-go",
                    was - is
                ),
            ),
            (Some(was), Some(is)) if is != was => {
                (Verdict::Note, format!("it had {was} rows before it moved and has {is}"))
            }
            (Some(_), Some(is)) => (Verdict::Passed, format!("{is} rows, as before it moved")),
            // A sequence's state is no row.
            _ if was.reached > is.reached => (
                Verdict::Failed,
                format!(
                    "it was at {} before it moved and is at {}: it gives values that were given already",
                    was.reached.unwrap_or_default().abs(),
                    is.reached.map_or_else(
                        || "its start, or may not be looked at".to_owned(),
                        |at| at.abs().to_string()
                    )
                ),
            ),
            _ if !id.kind().can_be_locked() => continue,
            _ => (
                Verdict::Unchecked,
                "its rows were not counted: there are more than a million, or the role may not see all"
                    .to_owned(),
            ),
        };
        findings.push(Finding::new(verdict, "rows", id, message));
    }
    Ok(())
}

/// Each facade is a view that reads as its caller, lets nobody do more than the table does, and shows the same types.
pub(super) fn facades(
    client: &mut Client,
    left: &Left,
    version: u32,
    findings: &mut Vec<Finding>,
) -> Result<(), Error> {
    for facade in &left.facades {
        let (Some(old), Some(new)) = (facade.name.qname(), facade.of.qname()) else { continue };
        let (old, new) = (sql::literal(&sql::qualified(old)), sql::literal(&sql::qualified(new)));
        let found = rows(&client.simple_query(&question(&old, &new))?);
        let Some(row) = found.first() else { continue };
        let text = |place: usize| row.get(place).and_then(Option::as_deref).unwrap_or_default();
        let mut wrong = Vec::new();
        if text(0) != "v" {
            let what = match text(0) {
                "" => "there is nothing of that name".to_owned(),
                "r" | "p" => {
                    "it is a table: whoever writes there does not reach the rows that moved".to_owned()
                }
                _ => "it is no view".to_owned(),
            };
            findings.push(Finding::new(Verdict::Failed, "facade", facade.name, what));
            continue;
        }
        if version >= 15 && text(1) != "t" && text(7) == "t" {
            wrong.push(
                "it has no security_invoker: row-level security is that of its owner, not of the caller"
                    .to_owned(),
            );
        }
        if text(2) != text(3) {
            wrong.push(format!("it belongs to {}, and the table to {}", text(2), text(3)));
        }
        if !text(4).is_empty() {
            wrong.push(format!("privileges that the table does not give: {}", text(4)));
        }
        if !text(8).is_empty() {
            wrong.push(format!(
                "it gives some columns only, and past it the whole table can be read, whose schema can be entered, by {}",
                text(8)
            ));
        }
        if !text(5).is_empty() {
            wrong.push(format!("columns of another type than in the table: {}", text(5)));
        }
        if !text(6).is_empty() {
            wrong.push(format!("the table's column {} is not in it", text(6)));
        }
        if wrong.is_empty() {
            let message = format!("a view of {} that gives nobody more than it", facade.of);
            findings.push(Finding::new(Verdict::Passed, "facade", facade.name, message));
        }
        findings.extend(
            wrong.into_iter().map(|message| Finding::new(Verdict::Failed, "facade", facade.name, message)),
        );
    }
    Ok(())
}

fn question(old: &str, new: &str) -> String {
    format!(
        "WITH v AS (SELECT * FROM pg_catalog.pg_class WHERE oid = pg_catalog.to_regclass({old})), \
         t AS (SELECT * FROM pg_catalog.pg_class WHERE oid = pg_catalog.to_regclass({new})), \
         given (place, grantee, privilege) AS ( \
           SELECT 'v', a.grantee, a.privilege_type FROM v, LATERAL pg_catalog.aclexplode(v.relacl) a WHERE a.grantee <> v.relowner \
           UNION ALL SELECT 't', a.grantee, a.privilege_type FROM t, LATERAL pg_catalog.aclexplode(t.relacl) a), \
         columns (place, name, grantee, privilege) AS ( \
           SELECT 'v', c.attname, a.grantee, a.privilege_type FROM v JOIN pg_catalog.pg_attribute c ON c.attrelid = v.oid, \
             LATERAL pg_catalog.aclexplode(c.attacl) a WHERE a.grantee <> v.relowner \
           UNION ALL SELECT 't', c.attname, a.grantee, a.privilege_type FROM t JOIN pg_catalog.pg_attribute c ON c.attrelid = t.oid, \
             LATERAL pg_catalog.aclexplode(c.attacl) a), \
         more (words) AS ( \
           SELECT g.privilege || ' to ' || CASE g.grantee WHEN 0 THEN 'everybody' ELSE pg_catalog.pg_get_userbyid(g.grantee) END \
             FROM given g WHERE place = 'v' AND NOT EXISTS (SELECT FROM given o WHERE o.place = 't' \
             AND o.grantee = g.grantee AND o.privilege = g.privilege) \
           UNION ALL SELECT g.privilege || ' (' || g.name || ') to ' || CASE g.grantee WHEN 0 THEN 'everybody' ELSE pg_catalog.pg_get_userbyid(g.grantee) END \
             FROM columns g WHERE place = 'v' AND NOT EXISTS (SELECT FROM columns o WHERE o.place = 't' AND o.name = g.name \
             AND o.grantee = g.grantee AND o.privilege = g.privilege) \
             AND NOT EXISTS (SELECT FROM given o WHERE o.place = 't' AND o.grantee = g.grantee AND o.privilege = g.privilege)) \
         SELECT v.relkind, EXISTS (SELECT FROM unnest(v.reloptions) o WHERE o IN ('security_invoker=true', 'security_invoker=on', 'security_invoker=1', 'security_invoker=yes')), \
         pg_catalog.pg_get_userbyid(v.relowner), (SELECT pg_catalog.pg_get_userbyid(relowner) FROM t), \
         (SELECT pg_catalog.string_agg(words, ', ' ORDER BY words) FROM more), \
         (SELECT pg_catalog.string_agg(a.attname, ', ' ORDER BY a.attnum) FROM pg_catalog.pg_attribute a \
           JOIN pg_catalog.pg_attribute b ON b.attrelid = (SELECT oid FROM t) AND b.attname = a.attname AND b.attnum > 0 AND NOT b.attisdropped \
           WHERE a.attrelid = v.oid AND a.attnum > 0 AND (a.atttypid <> b.atttypid OR a.atttypmod <> b.atttypmod)), \
         (SELECT pg_catalog.string_agg(b.attname, ', ' ORDER BY b.attnum) FROM pg_catalog.pg_attribute b \
           WHERE b.attrelid = (SELECT oid FROM t) AND b.attnum > 0 AND NOT b.attisdropped AND (SELECT relkind FROM t) IN ('r', 'p') \
           AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d JOIN pg_catalog.pg_rewrite r ON r.oid = d.objid \
             WHERE d.classid = 'pg_catalog.pg_rewrite'::pg_catalog.regclass AND r.ev_class = v.oid \
             AND d.refobjid = b.attrelid AND d.refobjsubid = b.attnum)), \
         (SELECT relrowsecurity OR relkind = 'v' FROM t), \
         (SELECT pg_catalog.string_agg(DISTINCT r.rolname, ', ' ORDER BY r.rolname) FROM t, columns c \
           JOIN pg_catalog.pg_roles r ON r.oid = c.grantee \
           WHERE c.place = 'v' AND c.privilege = 'SELECT' AND NOT pg_catalog.has_table_privilege(r.oid, v.oid, 'SELECT') \
           AND pg_catalog.has_table_privilege(r.oid, t.oid, 'SELECT') \
           AND pg_catalog.has_schema_privilege(r.oid, t.relnamespace, 'USAGE')) \
         FROM (SELECT) one LEFT JOIN v ON true"
    )
}

/// Each routine that keeps an old name belongs to the owner of what it calls, runs as the same, and lets nobody do more.
pub(super) fn wrappers(left: &Left, now: &Catalog, findings: &mut Vec<Finding>) {
    for facade in &left.wrappers {
        let (Some(old), Some(new)) = (now.get(facade.name), now.get(facade.of)) else {
            let gone = if now.contains(facade.name) { facade.of } else { facade.name };
            findings.push(Finding::new(Verdict::Failed, "facade", facade.name, format!("{gone} is gone")));
            continue;
        };
        let mut wrong = Vec::new();
        if old.object.owner() != new.object.owner() {
            let name = |object: &Object| object.owner().map_or("nobody known", |owner| owner.as_str());
            wrong.push(format!(
                "it belongs to {}, and what it calls to {}",
                name(&old.object),
                name(&new.object)
            ));
        }
        let given = |id: ObjectId| -> BTreeMap<Ident, &Object> {
            let children = now.children(id).iter().filter(|child| child.kind().is_grant());
            children.filter_map(|child| Some((child.name(), &now.get(*child)?.object))).collect()
        };
        let behind = given(facade.of);
        for (grantee, object) in given(facade.name) {
            let who = if grantee.as_str() == "public" { "everybody" } else { grantee.as_str() };
            match behind.get(&grantee) {
                Some(other) if *other == object => {}
                _ => wrong.push(format!("privileges to {who} that what it calls does not give")),
            }
        }
        if asks_its_caller(&old.object) {
            let locked = |role: &str| {
                format!("its callers need USAGE on the schema of {}, and {role} has none", facade.of)
            };
            for who in without_usage(now, facade) {
                if who.as_str() == "public" {
                    let message = format!(
                        "its callers need USAGE on the schema of {}, which not everybody has who may call it",
                        facade.of
                    );
                    findings.push(Finding::new(Verdict::Note, "facade", facade.name, message));
                } else {
                    wrong.push(locked(who.as_str()));
                }
            }
        }
        if wrong.is_empty() {
            let message = format!("a routine that calls {} and gives nobody more than it", facade.of);
            findings.push(Finding::new(Verdict::Passed, "facade", facade.name, message));
        }
        findings.extend(
            wrong.into_iter().map(|message| Finding::new(Verdict::Failed, "facade", facade.name, message)),
        );
        let message = "it was not called: nobody knows what a call does; --queries asks the team's own";
        findings.push(Finding::new(Verdict::Unchecked, "reading", facade.name, message));
    }
}

/// Who may call a routine, and may not enter the schema of what it calls: the call ends with an error. Roles that have it
/// from others are not looked through.
fn without_usage(now: &Catalog, facade: &Facade) -> Vec<Ident> {
    let grantees = |of: ObjectId| -> Vec<Ident> {
        let grants = now.children(of).iter().filter(|id| id.kind().is_grant());
        grants.map(|id| id.name()).collect()
    };
    let owner = |of: ObjectId| now.get(of).and_then(|entry| entry.object.owner());
    let Some(schema) = facade.of.schema().map(ObjectId::of_schema) else { return Vec::new() };
    let may = grantees(schema);
    if may.iter().any(|role| role.as_str() == "public") {
        return Vec::new();
    }
    let without = |role: &Ident| !may.contains(role) && owner(schema) != Some(*role);
    grantees(facade.name).into_iter().filter(without).collect()
}

/// The names of a facade and what is behind it, as they stand in SQL.
pub(super) fn names(facade: &Facade) -> Option<(String, String)> {
    Some((sql::qualified(facade.name.qname()?), sql::qualified(facade.of.qname()?)))
}
