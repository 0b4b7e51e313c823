//! Who finds the facade by its bare name, and who something else: a relation or routine of that name in a schema that comes
//! earlier on a role's search_path has come since.
//!
//! All roles are asked about that may use the facade, be it as everybody or as a member, but for superusers and
//! PostgreSQL's own. Not here: names with a schema, which nothing can shadow; temporary objects, which each session has
//! for itself.

use super::facts::{names, signature};
use super::{Error, Facade, Finding, Left, Verdict, rows};
use postgres::Client;
use schemac_schema::id::ObjectId;
use schemac_schema::ident::{Ident, QName};
use schemac_schema::names::search_path;
use schemac_schema::sql;
use std::collections::BTreeMap;

/// How many roles are told by name.
const TOLD: usize = 3;

pub(super) fn shadows(client: &mut Client, left: &Left, findings: &mut Vec<Finding>) -> Result<(), Error> {
    let mut told = Shadows::default();
    told.ask(client, &left.facades, names, relations)?;
    let signatures = |facade: &Facade| Some((signature(facade.name)?, signature(facade.of)?));
    told.ask(client, &left.wrappers, signatures, routines)?;
    findings.extend(told.findings());
    Ok(())
}

/// What comes before which facade, and for whom.
#[derive(Default)]
struct Shadows(BTreeMap<Shadow, Vec<String>>);

#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Shadow {
    facade: ObjectId,
    /// What it is, for people.
    other: String,
    younger: bool,
    /// The same name and other arguments: some calls find it.
    some: bool,
}

impl Shadows {
    fn ask(
        &mut self,
        client: &mut Client,
        facades: &[Facade],
        named: impl Fn(&Facade) -> Option<(String, String)>,
        question: impl Fn(&str) -> String,
    ) -> Result<(), Error> {
        let facades: Vec<(&Facade, (String, String))> =
            facades.iter().filter_map(|facade| Some((facade, named(facade)?))).collect();
        if facades.is_empty() {
            return Ok(());
        }
        let pair = |(number, (_, (old, new))): (usize, &(&Facade, (String, String)))| {
            format!("({number}, {}, {})", sql::literal(old), sql::literal(new))
        };
        let pairs: Vec<String> = facades.iter().enumerate().map(pair).collect();
        for row in rows(&client.simple_query(&question(&pairs.join(", ")))?) {
            let text = |place: usize| row.get(place).and_then(Option::as_deref).unwrap_or_default();
            let Some((facade, _)) = text(0).parse().ok().and_then(|number: usize| facades.get(number)) else {
                continue;
            };
            if !comes_first(text(1), text(2), text(3), text(6)) {
                continue;
            }
            let shadow = Shadow {
                facade: facade.name,
                other: format!("{} {}{}", text(4), sql::qualified(QName::new(text(3), text(7))), text(8)),
                younger: text(5) == "t",
                some: text(9) == "t",
            };
            self.0.entry(shadow).or_default().push(text(1).to_owned());
        }
        Ok(())
    }

    fn findings(self) -> impl Iterator<Item = Finding> {
        self.0.into_iter().map(|(shadow, roles)| {
            let more = roles.len().saturating_sub(TOLD);
            let mut who = roles.iter().take(TOLD).map(String::as_str).collect::<Vec<_>>().join(", ");
            if more > 0 {
                who.push_str(&format!(" and {more} more"));
            }
            let verb = if roles.len() == 1 { "finds" } else { "find" };
            let name = shadow.facade.name();
            let other = &shadow.other;
            let calls = if shadow.some { " where a call's values are of its types" } else { "" };
            let message = format!("by the name {name} {who} {verb} {other}{calls}, whose schema comes first");
            let (verdict, since) = match (shadow.younger, shadow.some) {
                (true, false) => (Verdict::Failed, ""),
                (true, true) => (Verdict::Note, "; it is younger than the facade"),
                (false, _) => (Verdict::Note, "; it is older than the facade"),
            };
            Finding::new(verdict, "facade", shadow.facade, format!("{message}{since}"))
        })
    }
}

/// Whether a role's search_path names one schema before another, which it names too.
fn comes_first(role: &str, path: &str, one: &str, other: &str) -> bool {
    let own = |schema: &Ident| if schema.as_str() == "$user" { Ident::new(role) } else { *schema };
    let path: Vec<Ident> = search_path(path).iter().map(own).collect();
    let place = |schema: &str| path.iter().position(|one| one.as_str() == schema);
    // PostgreSQL's own comes first where nobody says otherwise.
    let one = place(one).map(|place| place + 1).or((one == "pg_catalog").then_some(0));
    matches!((one, place(other)), (Some(one), Some(other)) if one < other + 1)
}

/// The search_path that a role `r` begins with.
fn path() -> String {
    let setting = |role: &str, database: &str| {
        format!(
            "(SELECT pg_catalog.substr(s, 13) FROM pg_catalog.pg_db_role_setting d, LATERAL pg_catalog.unnest(d.setconfig) s \
             WHERE d.setrole = {role} AND d.setdatabase = {database} AND s LIKE 'search\\_path=%')"
        )
    };
    let here = "(SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database())";
    let path =
        [setting("r.oid", here), setting("r.oid", "0"), setting("0", here), setting("0", "0")].join(", ");
    format!("coalesce({path}, '\"$user\", public')")
}

/// Who is asked about: whom an answer is about anyway, and no superuser, to whom everything is allowed.
const ROLES: &str = "NOT r.rolsuper AND r.rolname NOT LIKE 'pg\\_%'";

/// Relations of the same name as facades in other schemas, for each role that may do something by it: the facade's
/// number, the role, its search_path, what it finds, and whether that is younger than the facade.
fn relations(pairs: &str) -> String {
    format!(
        "SELECT w.number, r.rolname, {}, n.nspname, CASE c.relkind WHEN 'v' THEN 'view' \
         WHEN 'm' THEN 'materialized view' WHEN 'f' THEN 'foreign table' WHEN 'S' THEN 'sequence' ELSE 'table' END, \
         c.oid::pg_catalog.int8 > v.oid::pg_catalog.int8, f.nspname, c.relname, '', false \
         FROM (VALUES {pairs}) w (number, old, new) \
         JOIN pg_catalog.pg_class v ON v.oid = pg_catalog.to_regclass(w.old) JOIN pg_catalog.pg_namespace f ON f.oid = v.relnamespace \
         JOIN pg_catalog.pg_class c ON c.relname = v.relname AND c.oid <> v.oid AND c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S') \
         JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace, pg_catalog.pg_roles r \
         WHERE c.oid IS DISTINCT FROM pg_catalog.to_regclass(w.new) AND {ROLES} \
         AND (pg_catalog.has_table_privilege(r.oid, v.oid, 'SELECT, INSERT, UPDATE, DELETE') \
         OR pg_catalog.has_any_column_privilege(r.oid, v.oid, 'SELECT, INSERT, UPDATE')) \
         AND pg_catalog.has_schema_privilege(r.oid, n.oid, 'USAGE') ORDER BY 1, 2, 4",
        path()
    )
}

/// The same of routines: those with the same argument types, and those with others.
fn routines(pairs: &str) -> String {
    format!(
        "SELECT w.number, r.rolname, {}, n.nspname, CASE c.prokind WHEN 'p' THEN 'procedure' WHEN 'a' THEN 'aggregate' ELSE 'function' END, \
         c.oid::pg_catalog.int8 > v.oid::pg_catalog.int8, f.nspname, c.proname, \
         '(' || pg_catalog.oidvectortypes(c.proargtypes) || ')', c.proargtypes <> v.proargtypes \
         FROM (VALUES {pairs}) w (number, old, new) \
         JOIN pg_catalog.pg_proc v ON v.oid = pg_catalog.to_regprocedure(w.old) JOIN pg_catalog.pg_namespace f ON f.oid = v.pronamespace \
         JOIN pg_catalog.pg_proc c ON c.proname = v.proname AND c.pronamespace <> v.pronamespace \
         JOIN pg_catalog.pg_namespace n ON n.oid = c.pronamespace, pg_catalog.pg_roles r \
         WHERE c.oid IS DISTINCT FROM pg_catalog.to_regprocedure(w.new) AND {ROLES} \
         AND (c.proargtypes = v.proargtypes OR c.oid::pg_catalog.int8 > v.oid::pg_catalog.int8 AND c.pronargs = v.pronargs) \
         AND pg_catalog.has_function_privilege(r.oid, v.oid, 'EXECUTE') \
         AND pg_catalog.has_schema_privilege(r.oid, n.oid, 'USAGE') ORDER BY 1, 2, 4",
        path()
    )
}
