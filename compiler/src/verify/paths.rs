//! Who finds the facade by its bare name, and who something else: a relation of that name in a schema that comes earlier on
//! a role's search_path has come since.
//!
//! Not here: names with a schema, which nothing can shadow; temporary tables, which each session has for itself.

use super::{Error, Facade, Finding, Left, Verdict, rows};
use postgres::Client;
use schemac_schema::ident::{Ident, QName};
use schemac_schema::names::search_path;
use schemac_schema::sql;

/// Relations of the same name as facades in other schemas, for each role that may do something by it: the facade's
/// number, the role, its search_path, what it finds, and whether that is younger than the facade.
fn question(facades: &[(&Facade, QName, QName)]) -> String {
    let pairs: Vec<String> = facades
        .iter()
        .enumerate()
        .map(|(number, (_, old, new))| {
            let name = |name: &QName| sql::literal(&sql::qualified(*name));
            format!("({number}, {}, {})", name(old), name(new))
        })
        .collect();
    let pairs = pairs.join(", ");
    let setting = |role: &str, database: &str| {
        format!(
            "(SELECT pg_catalog.substr(s, 13) FROM pg_catalog.pg_db_role_setting d, LATERAL pg_catalog.unnest(d.setconfig) s \
             WHERE d.setrole = {role} AND d.setdatabase = {database} AND s LIKE 'search\\_path=%')"
        )
    };
    let here = "(SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database())";
    let path =
        [setting("r.oid", here), setting("r.oid", "0"), setting("0", here), setting("0", "0")].join(", ");
    format!(
        "SELECT w.number, r.rolname, coalesce({path}, '\"$user\", public'), n.nspname, CASE c.relkind WHEN 'v' THEN 'view' \
         WHEN 'm' THEN 'materialized view' WHEN 'f' THEN 'foreign table' WHEN 'S' THEN 'sequence' ELSE 'table' END, \
         c.oid::pg_catalog.int8 > v.oid::pg_catalog.int8, f.nspname, c.relname \
         FROM (VALUES {pairs}) w (number, old, new) \
         JOIN pg_catalog.pg_class v ON v.oid = pg_catalog.to_regclass(w.old) JOIN pg_catalog.pg_namespace f ON f.oid = v.relnamespace \
         JOIN pg_catalog.pg_class c ON c.relname = v.relname AND c.oid <> v.oid AND c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S') \
         JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace, pg_catalog.pg_roles r \
         WHERE c.oid IS DISTINCT FROM pg_catalog.to_regclass(w.new) \
         AND (r.oid = v.relowner OR r.oid IN (SELECT a.grantee FROM pg_catalog.aclexplode(v.relacl) a)) \
         AND pg_catalog.has_schema_privilege(r.oid, n.oid, 'USAGE') ORDER BY 1, 2, 4"
    )
}

pub(super) fn shadows(client: &mut Client, left: &Left, findings: &mut Vec<Finding>) -> Result<(), Error> {
    let named = |facade: &'_ Facade| Some((facade.name.qname()?, facade.of.qname()?));
    let facades: Vec<(&Facade, QName, QName)> =
        left.facades.iter().filter_map(|facade| named(facade).map(|(old, new)| (facade, old, new))).collect();
    if facades.is_empty() {
        return Ok(());
    }
    for row in rows(&client.simple_query(&question(&facades))?) {
        let text = |place: usize| row.get(place).and_then(Option::as_deref).unwrap_or_default();
        let Some((facade, ..)) = text(0).parse().ok().and_then(|number: usize| facades.get(number)) else {
            continue;
        };
        let (role, kind, name) = (text(1), text(4), text(7));
        let own = |schema: &Ident| if schema.as_str() == "$user" { Ident::new(role) } else { *schema };
        let path: Vec<Ident> = search_path(text(2)).iter().map(own).collect();
        let place = |schema: &str| path.iter().position(|one| one.as_str() == schema);
        let shadowed = match (place(text(3)), place(text(6))) {
            (Some(other), Some(facade)) => other < facade,
            _ => false,
        };
        if !shadowed {
            continue;
        }
        let other = sql::qualified(QName::new(text(3), name));
        let message = format!("by the name {name} {role} finds {kind} {other}, whose schema comes first");
        let (verdict, since) = match text(5) == "t" {
            true => (Verdict::Failed, ""),
            false => (Verdict::Note, "; it is older than the facade"),
        };
        findings.push(Finding::new(verdict, "facade", facade.name, format!("{message}{since}")));
    }
    Ok(())
}
