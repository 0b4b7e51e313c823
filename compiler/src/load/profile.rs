//! What belongs to somebody else: what the project file lists, and what its profile presets.

use schemac_schema::ident::Ident;
use schemac_schema::spec::ProjectSpec;
use schemac_schema::spec::project::Profile;
use std::collections::BTreeSet;

/// The schemas and roles that Supabase brings.
const SUPABASE_SCHEMAS: &[&str] = &[
    "_analytics",
    "_realtime",
    "_supavisor",
    "auth",
    "cron",
    "extensions",
    "graphql",
    "graphql_public",
    "net",
    "pgbouncer",
    "pgmq",
    "pgsodium",
    "pgsodium_masks",
    "pgtle",
    "realtime",
    "storage",
    "supabase_functions",
    "supabase_migrations",
    "vault",
];
const SUPABASE_ROLES: &[&str] = &[
    "anon",
    "authenticated",
    "authenticator",
    "dashboard_user",
    "pgbouncer",
    "postgres",
    "service_role",
    "supabase_admin",
    "supabase_auth_admin",
    "supabase_functions_admin",
    "supabase_read_only_user",
    "supabase_realtime_admin",
    "supabase_replication_admin",
    "supabase_storage_admin",
];

/// The external schemas and roles of a project.
pub fn external(spec: &ProjectSpec) -> (BTreeSet<Ident>, BTreeSet<Ident>) {
    let supabase = spec.profile.is_some_and(|profile| profile.value == Profile::Supabase);
    let preset =
        |names: &'static [&'static str]| names.iter().filter(move |_| supabase).map(|name| Ident::new(name));
    let listed = |names: &[schemac_schema::yaml::Name]| -> Vec<Ident> {
        names.iter().map(|name| Ident::new(name.as_str())).collect()
    };
    let schemas = preset(SUPABASE_SCHEMAS).chain(listed(&spec.external.schemas)).collect();
    let roles = preset(SUPABASE_ROLES).chain(listed(&spec.external.roles)).collect();
    (schemas, roles)
}
