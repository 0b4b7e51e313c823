//! What the catalogs say of facades and what is behind them, asked anew and not by the readers.

use super::{Error, Facade, Finding, Left, Verdict, rows};
use postgres::Client;
use schemac_schema::catalog::Catalog;
use schemac_schema::id::{Address, ObjectId};
use schemac_schema::kinds::function::asks_its_caller;
use schemac_schema::sql;

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
        if version < 15 && text(9) == "t" {
            wrong.push(
                "row-level security of the table does not bind who uses it: before PostgreSQL 15 a view reads and writes as its owner"
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

/// A privilege of the facade is none too many where its grantee has it on the table too, be it as everybody or as a member.
/// A column that the facade calls otherwise is looked for among all of the table's.
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
             AND o.grantee IN (g.grantee, 0) AND o.privilege = g.privilege) \
             AND NOT (g.grantee <> 0 AND coalesce(pg_catalog.has_table_privilege(g.grantee, (SELECT oid FROM t), g.privilege), true)) \
           UNION ALL SELECT g.privilege || ' (' || g.name || ') to ' || CASE g.grantee WHEN 0 THEN 'everybody' ELSE pg_catalog.pg_get_userbyid(g.grantee) END \
             FROM columns g WHERE place = 'v' AND NOT EXISTS (SELECT FROM columns o WHERE o.place = 't' AND o.name = g.name \
             AND o.grantee IN (g.grantee, 0) AND o.privilege = g.privilege) \
             AND NOT EXISTS (SELECT FROM given o WHERE o.place = 't' AND o.grantee IN (g.grantee, 0) AND o.privilege = g.privilege) \
             AND NOT (g.grantee <> 0 AND coalesce( \
               pg_catalog.has_column_privilege(g.grantee, (SELECT oid FROM t), (SELECT b.attnum FROM t JOIN pg_catalog.pg_attribute b \
                 ON b.attrelid = t.oid AND b.attname = g.name AND b.attnum > 0 AND NOT b.attisdropped), g.privilege), \
               pg_catalog.has_any_column_privilege(g.grantee, (SELECT oid FROM t), g.privilege), true))) \
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
           AND pg_catalog.has_schema_privilege(r.oid, t.relnamespace, 'USAGE')), \
         (SELECT relrowsecurity FROM t) \
         FROM (SELECT) one LEFT JOIN v ON true"
    )
}

/// Each routine that keeps an old name belongs to the owner of what it calls, runs as the same, and lets nobody do more.
pub(super) fn wrappers(
    client: &mut Client,
    left: &Left,
    now: &Catalog,
    findings: &mut Vec<Finding>,
) -> Result<(), Error> {
    for facade in &left.wrappers {
        let (Some(old), Some(_)) = (now.get(facade.name), now.get(facade.of)) else {
            let gone = if now.contains(facade.name) { facade.of } else { facade.name };
            findings.push(Finding::new(Verdict::Failed, "facade", facade.name, format!("{gone} is gone")));
            continue;
        };
        let (Some(name), Some(of)) = (signature(facade.name), signature(facade.of)) else { continue };
        let found = rows(&client.simple_query(&routine_question(&sql::literal(&name), &sql::literal(&of)))?);
        let Some(row) = found.first() else { continue };
        let text = |place: usize| row.get(place).and_then(Option::as_deref).unwrap_or_default();
        let mut wrong = Vec::new();
        if text(0) != text(1) {
            wrong.push(format!("it belongs to {}, and what it calls to {}", text(0), text(1)));
        }
        if !text(2).is_empty() {
            wrong.push(format!("privileges to {} that what it calls does not give", text(2)));
        }
        if asks_its_caller(&old.object) && !text(3).is_empty() {
            let locked =
                format!("its callers need USAGE on the schema of {}, and {} has none", facade.of, text(3));
            wrong.push(locked);
        }
        if asks_its_caller(&old.object) && text(4) == "t" {
            let message = format!(
                "its callers need USAGE on the schema of {}, which not everybody has who may call it",
                facade.of
            );
            findings.push(Finding::new(Verdict::Note, "facade", facade.name, message));
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
    Ok(())
}

/// The owners of both routines, who may call the one and not the other, who may call the first and may not enter the
/// schema of the second, and whether everybody is among these. What somebody has as a member counts.
fn routine_question(old: &str, new: &str) -> String {
    format!(
        "WITH v AS (SELECT * FROM pg_catalog.pg_proc WHERE oid = pg_catalog.to_regprocedure({old})), \
         t AS (SELECT * FROM pg_catalog.pg_proc WHERE oid = pg_catalog.to_regprocedure({new})), \
         callers (grantee) AS (SELECT a.grantee FROM v, LATERAL pg_catalog.aclexplode(coalesce(v.proacl, \
           pg_catalog.acldefault('f', v.proowner))) a WHERE a.grantee <> v.proowner AND a.privilege_type = 'EXECUTE'), \
         everybody (calls, enters) AS (SELECT \
           EXISTS (SELECT FROM pg_catalog.aclexplode(coalesce(t.proacl, pg_catalog.acldefault('f', t.proowner))) a \
             WHERE a.grantee = 0 AND a.privilege_type = 'EXECUTE'), \
           EXISTS (SELECT FROM pg_catalog.pg_namespace n, LATERAL pg_catalog.aclexplode(n.nspacl) a \
             WHERE n.oid = t.pronamespace AND a.grantee = 0 AND a.privilege_type = 'USAGE') FROM t) \
         SELECT pg_catalog.pg_get_userbyid(v.proowner), pg_catalog.pg_get_userbyid(t.proowner), \
         (SELECT pg_catalog.string_agg(CASE c.grantee WHEN 0 THEN 'everybody' ELSE pg_catalog.pg_get_userbyid(c.grantee) END, ', ' ORDER BY c.grantee) \
           FROM callers c WHERE NOT everybody.calls \
           AND NOT (c.grantee <> 0 AND pg_catalog.has_function_privilege(c.grantee, t.oid, 'EXECUTE'))), \
         (SELECT pg_catalog.string_agg(r.rolname, ', ' ORDER BY r.rolname) FROM callers c JOIN pg_catalog.pg_roles r ON r.oid = c.grantee \
           WHERE NOT pg_catalog.has_schema_privilege(r.oid, t.pronamespace, 'USAGE')), \
         EXISTS (SELECT FROM callers c WHERE c.grantee = 0) AND NOT everybody.enters \
         FROM v, t, everybody"
    )
}

/// A routine's name with its argument types, as `to_regprocedure` takes it.
pub(super) fn signature(id: ObjectId) -> Option<String> {
    match id.address() {
        Address::Routine(name, arguments) => {
            Some(format!("{}({})", sql::qualified(name), arguments.as_str()))
        }
        _ => None,
    }
}

/// The names of a facade and what is behind it, as they stand in SQL.
pub(super) fn names(facade: &Facade) -> Option<(String, String)> {
    Some((sql::qualified(facade.name.qname()?), sql::qualified(facade.of.qname()?)))
}
