//! What a plan means for the clients of names that move. What is looked for is said beside the kinds, in
//! `schemac_schema::compatibility`.

use crate::connect::ServerError;
use crate::load::Project;
use crate::plan::Plan;
use crate::relocate::Relocated;
use crate::scheduled::{Scheduled, scheduled};
use postgres::Client;
use schemac_schema::catalog::{Catalog, Standing};
use schemac_schema::code::Code;
use schemac_schema::compatibility::{self, Compatibility, Finding, Rule, Sides};
use schemac_schema::diagnostic::Diagnostic;
use schemac_schema::id::ObjectId;
use schemac_schema::ident::Ident;
use schemac_schema::span::Span;
use std::collections::BTreeSet;

/// Looks for what knows a name that moves. What cannot stay so is an error.
pub fn report(
    relocated: &Relocated,
    desired: &Catalog,
    project: &Project,
    (search_path, version): (&[Ident], u32),
    client: &mut Client,
    diagnostics: &mut Vec<Diagnostic>,
) -> Result<Compatibility, ServerError> {
    // What belongs to an extension goes with it, and that is said of the extension.
    let belongs = |now: &ObjectId| {
        relocated.catalog.get(*now).is_some_and(|entry| entry.standing == Standing::External)
    };
    let mut moved: Vec<(ObjectId, ObjectId)> = relocated
        .was
        .iter()
        .filter(|(now, _)| now.parent().is_none() && !relocated.shadows.contains_key(now) && !belongs(now))
        .map(|(now, old)| (*old, *now))
        .collect();
    moved.sort_unstable();
    let scheduled = if moved.is_empty() { Scheduled::default() } else { scheduled(client)? };
    let exposed = exposed(project);
    let found = compatibility::report(&Sides {
        moved: &moved,
        before: relocated.before(),
        desired,
        facades: &project.facades,
        search_path,
        exposed: &exposed,
        version,
        outside: &scheduled.jobs,
        hidden: scheduled.hidden,
    });
    for finding in &found.findings {
        let code = match finding.rule {
            Rule::PublicationLost => Code::PublicationLosesTable,
            // In a body it is a finding like others.
            Rule::Ddl if finding.line.is_none() => Code::OldNameIsNoTable,
            _ => continue,
        };
        let old = finding.old.map(|old| old.path()).unwrap_or_default();
        let error = Diagnostic::error(code, format!("{} and {old}: {}", finding.at, finding.rule.why()));
        let error = error.help(finding.rule.help());
        diagnostics.push(error.at(finding.span));
    }
    Ok(found)
}

/// A warning for each name without a schema in a function's body that means a facade. PostgreSQL looks it up at each
/// call, so that nothing else would tell; it works as long as the facade lives, so that nobody is held up by it.
pub fn bare_names(desired: &Catalog, project: &Project, search_path: &[Ident]) -> Vec<BareName> {
    let found = compatibility::bare_names(desired, &project.facades, search_path);
    found.into_iter().map(|finding| bare_name(&finding, project)).collect()
}

/// A body that says a name which is a facade's and was a table's.
#[derive(Debug)]
pub struct BareName {
    /// Whose body it is.
    pub of: ObjectId,
    /// The facade.
    pub facade: Option<ObjectId>,
    /// What is said of it.
    pub warning: Diagnostic,
}

fn bare_name(finding: &Finding, project: &Project) -> BareName {
    let name = finding.old.map(|old| old.path()).unwrap_or_default();
    let table =
        project.facades.iter().find(|facade| finding.old.is_some_and(|old| old.qname() == Some(facade.name)));
    let table = table.map(|facade| facade.of.path()).unwrap_or_default();
    let message = format!(
        "the body of {} says \"{}\", which is the facade {name} and not the table",
        finding.at,
        finding.old.map(|old| old.name().to_string()).unwrap_or_default()
    );
    let warning = Diagnostic::warning(Code::OldNameBindsToFacade, message)
        .help(format!("write {table}, or {name} where the facade is meant"));
    let len = u32::try_from(finding.what.len()).unwrap_or(0);
    let at = finding.span.map(|span| Span { end: span.start.saturating_add(len), ..span });
    BareName { of: finding.at, facade: finding.old, warning: warning.at(at) }
}

fn exposed(project: &Project) -> BTreeSet<Ident> {
    project.spec.exposed.iter().map(|name| Ident::new(name.as_str())).collect()
}

/// Whether an API server that keeps a picture of the exposed schemas has to look again after the plan.
pub fn must_reload(plan: &Plan, relocated: &Relocated, project: &Project) -> bool {
    let exposed = exposed(project);
    let shows = |id: ObjectId| id.schema().is_some_and(|schema| exposed.contains(&schema));
    plan.steps()
        .any(|step| shows(step.object) || relocated.was.get(&step.object).is_some_and(|old| shows(*old)))
}
