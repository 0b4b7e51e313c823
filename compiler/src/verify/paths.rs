//! Who finds the facade by its bare name, and who something else: a relation of that name in a schema that comes earlier on
//! a role's search_path has come since.
//!
//! Not here: names with a schema, which nothing can shadow; temporary tables, which each session has for itself.

use super::{Error, Finding, Left, Verdict, rows};
use postgres::Client;
use schemac_schema::ident::Ident;
use schemac_schema::names::search_path;
use schemac_schema::sql;

/// Relations of the same name in other schemas, for each role that may do something by it: the role, its search_path,
/// what it finds, and whether that is younger than the facade.
fn question(old: &str, new: &str) -> String {
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
        "SELECT r.rolname, coalesce({path}, '\"$user\", public'), n.nspname, CASE c.relkind WHEN 'v' THEN 'view' \
         WHEN 'm' THEN 'materialized view' WHEN 'f' THEN 'foreign table' WHEN 'S' THEN 'sequence' ELSE 'table' END, \
         c.oid::pg_catalog.int8 > v.oid::pg_catalog.int8, f.nspname, c.relname \
         FROM pg_catalog.pg_class v JOIN pg_catalog.pg_namespace f ON f.oid = v.relnamespace \
         JOIN pg_catalog.pg_class c ON c.relname = v.relname AND c.oid <> v.oid AND c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S') \
         JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace, pg_catalog.pg_roles r \
         WHERE v.oid = pg_catalog.to_regclass({old}) AND c.oid IS DISTINCT FROM pg_catalog.to_regclass({new}) \
         AND (r.oid = v.relowner OR r.oid IN (SELECT a.grantee FROM pg_catalog.aclexplode(v.relacl) a)) \
         AND pg_catalog.has_schema_privilege(r.oid, n.oid, 'USAGE') ORDER BY 1, 3"
    )
}

pub(super) fn shadows(client: &mut Client, left: &Left, findings: &mut Vec<Finding>) -> Result<(), Error> {
    for facade in &left.facades {
        let (Some(old), Some(new)) = (facade.name.qname(), facade.of.qname()) else { continue };
        let names = (sql::literal(&sql::qualified(old)), sql::literal(&sql::qualified(new)));
        for row in rows(&client.simple_query(&question(&names.0, &names.1))?) {
            let text = |place: usize| row.get(place).and_then(Option::as_deref).unwrap_or_default();
            let own = |schema: &Ident| if schema.as_str() == "$user" { Ident::new(text(0)) } else { *schema };
            let path: Vec<Ident> = search_path(text(1)).iter().map(own).collect();
            let place = |schema: &str| path.iter().position(|one| one.as_str() == schema);
            let shadowed = match (place(text(2)), place(text(5))) {
                (Some(other), Some(facade)) => other < facade,
                _ => false,
            };
            if !shadowed {
                continue;
            }
            let (role, kind, other) =
                (text(0), text(3), sql::qualified(schemac_schema::ident::QName::new(text(2), text(6))));
            let message =
                format!("by the name {} {role} finds {kind} {other}, whose schema comes first", text(6));
            let (verdict, since) = match text(4) == "t" {
                true => (Verdict::Failed, ""),
                false => (Verdict::Note, "; it is older than the facade"),
            };
            findings.push(Finding::new(verdict, "facade", facade.name, format!("{message}{since}")));
        }
    }
    Ok(())
}
