//! The roles that policies and privileges name are who they were: none has come above row-level security, or by a
//! membership to the rows and privileges of another, and none has lost them.
//!
//! Not here: who is a member of them, which the facade's own privileges have nothing to do with.

use super::{Error, Finding, Left, Verdict};
use crate::record::{Role, named};
use postgres::Client;
use schemac_schema::id::ObjectId;
use schemac_schema::ident::Ident;
use std::collections::BTreeSet;

pub(super) fn compare(
    client: &mut Client,
    left: &Left,
    version: u32,
    findings: &mut Vec<Finding>,
) -> Result<(), Error> {
    let names: BTreeSet<Ident> = left.roles.keys().copied().collect();
    let now = named(client, &names, version).map_err(Error::Journal)?;
    for (name, (apply, was)) in &left.roles {
        let id = ObjectId::of_role(*name);
        let mut say = |verdict, message: String| findings.push(Finding::new(verdict, "role", id, message));
        let Some(is) = now.iter().find(|role| role.name == *name) else {
            say(Verdict::Failed, format!("it is gone since apply {apply}"));
            continue;
        };
        let (told, notes) = (changes(was, is), only_becomes(was, is));
        if told.is_empty() {
            say(Verdict::Passed, format!("it is who it was when apply {apply} ended"));
        }
        for what in told {
            say(Verdict::Failed, format!("{what} since apply {apply}"));
        }
        for what in notes {
            say(Verdict::Note, format!("{what} since apply {apply}"));
        }
    }
    Ok(())
}

fn changes(was: &Role, is: &Role) -> Vec<String> {
    let mut told = Vec::new();
    if was.superuser != is.superuser {
        told.push(if is.superuser { "it is a superuser" } else { "it is no superuser any more" }.to_owned());
    }
    if was.bypasses != is.bypasses {
        let above = "it is above row-level security (BYPASSRLS)";
        let below = "row-level security binds it, which it was above (NOBYPASSRLS)";
        told.push(if is.bypasses { above } else { below }.to_owned());
    }
    // Of a superuser's memberships nothing is kept.
    if was.superuser || is.superuser {
        return told;
    }
    told.extend(is.has.difference(&was.has).map(|other| format!("it has what {other} has")));
    told.extend(was.has.difference(&is.has).map(|other| format!("it has no longer what {other} has")));
    told
}

fn only_becomes(was: &Role, is: &Role) -> Vec<String> {
    if was.superuser || is.superuser {
        return Vec::new();
    }
    let more = is.becomes.difference(&was.becomes).filter(|other| !was.has.contains(*other));
    more.map(|other| format!("it may become {other} (SET ROLE)")).collect()
}
