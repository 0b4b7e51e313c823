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

/// The schemas and roles that a profile presets.
pub fn preset(profile: Option<Profile>) -> (BTreeSet<Ident>, BTreeSet<Ident>) {
    let supabase = profile == Some(Profile::Supabase);
    let preset = |names: &'static [&'static str]| {
        names.iter().filter(move |_| supabase).map(|name| Ident::new(name)).collect::<BTreeSet<_>>()
    };
    (preset(SUPABASE_SCHEMAS), preset(SUPABASE_ROLES))
}

/// The external schemas and roles of a project.
pub fn external(spec: &ProjectSpec) -> (BTreeSet<Ident>, BTreeSet<Ident>) {
    let (mut schemas, mut roles) = preset(spec.profile.map(|profile| profile.value));
    let listed = |names: &[schemac_schema::yaml::Name]| -> Vec<Ident> {
        names.iter().map(|name| Ident::new(name.as_str())).collect()
    };
    schemas.extend(listed(&spec.external.schemas));
    roles.extend(listed(&spec.external.roles));
    (schemas, roles)
}
