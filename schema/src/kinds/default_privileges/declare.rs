//! Privileges by default as people write them.

use super::DefaultPrivileges;
use crate::declare::written_ident;
use crate::diagnostic::Diagnostic;
use crate::ident::{Ident, Text};
use crate::kinds::grant::Grant;
use crate::kinds::grant::declare::privileges;
use crate::object::Kind;
use crate::spec::DefaultPrivilegeSpec;
use crate::spec::security::DefaultPrivilegeObjects;

/// The entries of one item of `default_privileges:`. A role that is not named is the empty one: it is the role that
/// applies the plan, which only the connection knows.
///
/// # Errors
/// What PostgreSQL's grammar says, and words that are no privilege of such objects.
pub fn entries(
    spec: &DefaultPrivilegeSpec,
    schema: Option<Ident>,
    version: u32,
) -> Result<Vec<DefaultPrivileges>, Diagnostic> {
    let (objects, kind) = match spec.objects.value {
        DefaultPrivilegeObjects::Tables => ("TABLES", Kind::Table),
        DefaultPrivilegeObjects::Sequences => ("SEQUENCES", Kind::Sequence),
        DefaultPrivilegeObjects::Functions => ("FUNCTIONS", Kind::Function),
        DefaultPrivilegeObjects::Types => ("TYPES", Kind::Enum),
        DefaultPrivilegeObjects::Schemas => ("SCHEMAS", Kind::Schema),
    };
    let given = privileges(&spec.grant, kind, version)?.whole;
    let taken = privileges(&spec.revoke, kind, version)?.whole;
    let roles: Vec<Ident> = if spec.r#for.is_empty() {
        vec![Ident::new("")]
    } else {
        spec.r#for.iter().map(written_ident).collect()
    };
    let mut entries = Vec::new();
    for role in roles {
        for grantee in &spec.to {
            let mut grant = given.clone();
            let grantee = written_ident(grantee);
            // Taking away leaves what PostgreSQL gives otherwise.
            if !taken.privileges.is_empty() && given.privileges.is_empty() {
                grant = Grant::all(kind, version);
                grant.privileges.retain(|word, _| !taken.privileges.contains_key(word));
            }
            entries.push(DefaultPrivileges { role, schema, objects: Text::new(objects), grantee, grant });
        }
    }
    Ok(entries)
}
