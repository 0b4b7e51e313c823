//! The whole way from a project and a database to a plan; reads like the diagram in ARCHITECTURE.md.

use crate::address::{self, Declared};
use crate::bind::{self, Binding, Doubtful};
use crate::compatibility::{self, BareName};
use crate::complete;
use crate::connect::{Connection, ServerError};
use crate::facade;
use crate::fingerprint::{self, Seen};
use crate::introspect::{self, Reading};
use crate::load::Project;
use crate::memory::{Circumstances, Meanings, Memory};
use crate::moment;
use crate::near;
use crate::normalize;
use crate::plan::{self, Plan};
use crate::relocate::{self, Relocated};
use crate::settle::{self, Remembering};
use crate::timings::{self, timed};
use postgres::Client;
use schemac_schema::catalog::{Catalog, Standing};
use schemac_schema::code::Code;
use schemac_schema::compatibility::Compatibility;
use schemac_schema::diagnostic::{Diagnostic, Severity};
use schemac_schema::id::ObjectId;
use schemac_schema::ident::{Ident, QName};
use schemac_schema::kinds;
use schemac_schema::parse;
use schemac_schema::read::OtherGrantor;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt;

/// A plan, and what belongs to it.
#[derive(Debug)]
pub struct Compiled {
    /// The plan.
    pub plan: Plan,
    /// What it was made from.
    pub seen: Seen,
}

/// Why there is no plan.
#[derive(Debug)]
pub enum Error {
    /// What the files say cannot be carried out.
    Diagnostics(Vec<Diagnostic>),
    /// The database could not be read.
    Read(introspect::Error),
    /// The database could not be asked.
    Ask(ServerError),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Diagnostics(all) => write!(f, "{} errors", all.len()),
            Error::Read(error) => error.fmt(f),
            Error::Ask(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for Error {}

/// The search_path of a project's fragments: what the file says, else `public`.
pub fn search_path(project: &Project) -> Vec<Ident> {
    let path: Vec<Ident> = project.spec.search_path.iter().map(|name| Ident::new(&name.text)).collect();
    if path.is_empty() { vec![Ident::new("public")] } else { path }
}

/// The facades of a project by name.
fn facades(project: &Project) -> HashMap<QName, ObjectId> {
    project.facades.iter().map(|facade| (facade.name, facade.of)).collect()
}

/// Checks a project without a database: what the files do not declare is no error.
///
/// # Errors
/// Every error that the files hold.
pub fn check(project: &mut Project) -> Result<(), Vec<Diagnostic>> {
    let mut diagnostics = Vec::new();
    let (facades, search_path) = (facades(project), search_path(project));
    address(project, &Catalog::default(), &search_path, Ident::new(""));
    let binding = Binding {
        search_path: &search_path,
        complete: false,
        facades: &facades,
        own: &project.managed_schemas,
    };
    bind::bind(&mut project.catalog, &binding, &mut diagnostics);
    let bare_names = compatibility::bare_names(&project.catalog, project, &search_path);
    diagnostics.extend(bare_names.into_iter().map(|found| found.warning));
    project.catalog.sort();
    Diagnostic::sort(&mut diagnostics);
    if has_errors(&diagnostics) {
        return Err(diagnostics);
    }
    project.warnings.append(&mut diagnostics);
    Ok(())
}

fn address(project: &mut Project, current: &Catalog, search_path: &[Ident], role: Ident) {
    let mut declared =
        Declared { catalog: &mut project.catalog, moves: &mut project.moves, facades: &mut project.facades };
    address::address(&mut declared, current, search_path, role);
}

fn has_errors(diagnostics: &[Diagnostic]) -> bool {
    diagnostics.iter().any(|diagnostic| diagnostic.severity == Severity::Error)
}

/// The current side under the names that it will have.
fn current(
    project: &mut Project,
    reading: &mut Reading,
    search_path: &[Ident],
    diagnostics: &mut Vec<Diagnostic>,
) -> Relocated {
    let mut catalog = std::mem::take(&mut reading.catalog);
    address(project, &catalog, search_path, reading.server.role);
    complete::adopt(&mut catalog, project);
    let mut relocated = relocate::relocate(catalog, &project.moves, &project.catalog, diagnostics);
    let left = kinds::left_columns(&relocated.catalog, &project.catalog);
    if !left.is_empty() && relocated.before.is_none() {
        relocated.before = Some(relocated.catalog.clone());
    }
    for column in left {
        kinds::fill_in(&mut relocated.catalog, column);
    }
    relocated
}

/// Makes the plan from the database, as it was read, to what the project describes. The project's catalog is bound and
/// completed on the way.
///
/// # Errors
/// What the files say wrongly or what cannot be carried out, all at once; or that the database cannot be asked.
pub fn compile(
    project: &mut Project,
    connection: &mut Connection,
    mut reading: Reading,
    memory: &mut Memory,
) -> Result<Compiled, Error> {
    let (mut diagnostics, mut notes) = (Vec::new(), Vec::new());
    let search_path = search_path(project);
    let given = std::mem::take(&mut reading.other_grantors);
    let relocated = current(project, &mut reading, &search_path, &mut diagnostics);
    let mut desired = std::mem::take(&mut project.catalog);
    timed("complete", || complete::complete(&mut desired, &relocated, project, &mut notes));
    facade::arrange(&mut project.facades, &relocated.catalog, &mut desired);
    let facades = facades(project);
    let own = &project.managed_schemas;
    let binding = Binding { search_path: &search_path, complete: true, facades: &facades, own };
    let run = memory.runs.as_ref().map(|runs| (runs.digest(&[&project.digest, &reading.digest]), runs));
    if run.is_some_and(|(run, runs)| runs.knows(run)) {
        timings::count("runs known to have nothing to do", 1);
        let plan = Plan { search_path: search_path.clone(), ..Plan::default() };
        notes.extend(unmodelled(&reading));
        let seen = seen(&plan, &relocated, project.external_schemas.clone(), reading.server.version);
        let_go((relocated, desired));
        return Ok(Compiled { plan: Plan { notes, ..plan }, seen });
    }
    let run = run.map(|(run, _)| run);
    let names = facades.keys().copied().collect();
    let circumstances =
        Circumstances { version: reading.server.version, search_path: &search_path, facades: &names };
    let meanings = Meanings::new(relocated.before(), &circumstances);
    let mut remembering = Remembering { memory, meanings: &meanings };

    // First as if nothing had changed: what is equal as it stands is not parsed. Then, if that was wrong, all of it.
    let settled = timed("settle", || {
        settle::settle(&mut desired, &relocated, &mut remembering, &mut connection.client)
    });
    let (equal, rest): (Vec<ObjectId>, Vec<ObjectId>) =
        bind::managed(&desired).into_iter().partition(|id| settled.objects.contains(id));
    let mut doubtful = timed("bind", || bind::bind_these(&mut desired, &rest, &binding, &mut diagnostics));
    diagnostics.extend(notes.iter().filter(|note| note.severity == Severity::Error).cloned());
    diagnostics.extend(given_by_others(&given, &relocated, &desired));
    let mut compare = |desired: &mut Catalog, client: &mut Client| {
        let server = &reading.server;
        let normalized = timed("normalize", || {
            normalize::normalize(desired, &relocated, server, &search_path, &mut remembering, client)
        });
        let normalized = normalized.map_err(Error::Ask)?;
        Ok((normalized, timed("plan", || plan::plan(&relocated, desired, server, &search_path))))
    };
    let mut compared = None;
    let hopeful = !equal.is_empty() && doubtful.is_empty() && !has_errors(&diagnostics);
    if hopeful && !settle::is_changed(&desired, &relocated.catalog) {
        let first = compare(&mut desired, &mut connection.client)?;
        compared = Some(first).filter(|(_, plan)| matches!(plan, Ok(plan) if plan.is_empty()));
    }
    let (mut found, mut bare_names) = (Compatibility::default(), Vec::new());
    let (normalized, plan) = match compared {
        Some((normalized, plan)) => {
            // It was compared to the end, and would be again.
            let lasts = normalized.unproven.is_empty() && !normalized.passing;
            if let (Some(runs), Some(run), true) = (&mut remembering.memory.runs, run, lasts) {
                runs.found_nothing(run);
            }
            (normalized, plan)
        }
        None => {
            settled.take_back(&mut desired);
            doubtful
                .extend(timed("bind", || bind::bind_these(&mut desired, &equal, &binding, &mut diagnostics)));
            diagnostics.extend(unknown(doubtful, connection)?);
            bare_names = compatibility::bare_names(&desired, project, &search_path);
            if has_errors(&diagnostics) {
                diagnostics.extend(bare_names.into_iter().map(|found| found.warning));
                Diagnostic::sort(&mut diagnostics);
                return Err(Error::Diagnostics(diagnostics));
            }
            near::misses(&relocated.catalog, &desired, project, &mut diagnostics, &mut notes);
            found = timed("compatibility", || {
                let server = (search_path.as_slice(), reading.server.version);
                let client = &mut connection.client;
                compatibility::report(&relocated, &desired, project, server, client, &mut diagnostics)
            })
            .map_err(Error::Ask)?;
            if has_errors(&diagnostics) {
                return Err(Error::Diagnostics(diagnostics));
            }
            compare(&mut desired, &mut connection.client)?
        }
    };
    parse::forget();
    // An answer that is no "equal" may be about a schema that is another one by now.
    if normalized.asked_in_vain
        && moment::changed_since(&mut connection.client, &reading.moment)
            .map_err(ServerError::from)
            .map_err(Error::Ask)?
    {
        let what = "something changed while SQL was compared".to_owned();
        return Err(Error::Read(introspect::Error::KeepsChanging(what)));
    }
    let mut plan = plan.map_err(Error::Diagnostics)?;
    project.warnings.extend(of_plan(bare_names, &plan));
    plan.compatibility = found;
    plan.compatibility.reload = compatibility::must_reload(&plan, &relocated, project);
    facade::guard(&mut plan, &project.facades, &relocated.catalog, &desired);
    notes.extend(unproven(&normalized, &plan, &desired));
    notes.extend(unmodelled(&reading));
    plan.notes = notes;
    let seen = seen(&plan, &relocated, project.external_schemas.clone(), reading.server.version);
    let_go((relocated, desired));
    Ok(Compiled { plan, seen })
}

/// What is said of bodies that the plan makes or changes, or whose names it makes a facade's: `check` says all of it.
fn of_plan(found: Vec<BareName>, plan: &Plan) -> Vec<Diagnostic> {
    let planned: BTreeSet<ObjectId> = plan.steps().map(|step| step.object.root()).collect();
    let concerns = |found: &BareName| {
        planned.contains(&found.of.root()) || found.facade.is_some_and(|facade| planned.contains(&facade))
    };
    let mut warnings: Vec<Diagnostic> =
        found.into_iter().filter(concerns).map(|found| found.warning).collect();
    Diagnostic::sort(&mut warnings);
    warnings
}

/// Frees what nobody needs any more, beside what comes next: two catalogs take longer than a plan takes to print.
fn let_go<T: Send + 'static>(what: T) {
    // Without a thread it is freed here.
    let _ = std::thread::Builder::new().spawn(move || drop(what));
}

/// Of functions that only the server may know, those that it does not have. There are hardly ever any.
fn unknown(doubtful: Vec<Doubtful>, connection: &mut Connection) -> Result<Vec<Diagnostic>, Error> {
    if doubtful.is_empty() {
        return Ok(Vec::new());
    }
    let names: BTreeSet<Ident> = doubtful.iter().map(|one| one.name).collect();
    let known = introspect::system_functions(&mut connection.client, &names).map_err(Error::Read)?;
    Ok(doubtful.into_iter().filter(|one| !known.contains(&one.name)).map(|one| one.diagnostic).collect())
}

/// What a plan was made from, so that it can be told later whether that has changed.
pub(crate) fn seen(plan: &Plan, relocated: &Relocated, external: BTreeSet<Ident>, version: u32) -> Seen {
    let mut concerned: BTreeSet<ObjectId> = plan.steps().map(|step| step.object.root()).collect();
    concerned.extend(concerned.clone().iter().filter_map(|id| relocated.was.get(id)));
    let concerned: Vec<ObjectId> = concerned.into_iter().collect();
    let fingerprint = fingerprint::fingerprint(relocated.before(), &concerned);
    Seen { concerned, fingerprint, external, version }
}

/// Differences that are in the plan only because nobody could be asked.
fn unproven(normalized: &normalize::Normalized, plan: &Plan, desired: &Catalog) -> Vec<Diagnostic> {
    let planned: BTreeSet<ObjectId> = plan.steps().map(|step| step.object).collect();
    let mut seen = BTreeSet::new();
    normalized
        .unproven
        .iter()
        .filter(|(id, _)| planned.contains(id) && seen.insert(*id))
        .map(|(id, why)| {
            let note = Diagnostic::note(Code::NotProven, format!("{id} could not be proven equal: {why}"));
            note.at(desired.get(*id).and_then(|entry| entry.span))
        })
        .collect()
}

/// Privileges that shall go and that somebody else than the owner gave: the owner's REVOKE would do nothing and say
/// nothing.
fn given_by_others(given: &[OtherGrantor], relocated: &Relocated, desired: &Catalog) -> Vec<Diagnostic> {
    let now: HashMap<ObjectId, ObjectId> = relocated.was.iter().map(|(new, old)| (*old, *new)).collect();
    given
        .iter()
        .filter_map(|other| {
            let id = now.get(&other.grant).copied().unwrap_or(other.grant);
            let target = id.parent()?;
            let managed = relocated.catalog.get(id)?.standing == Standing::Managed;
            // Where the object goes, what was given on it goes too.
            if !managed || !desired.contains(target) || relocated.shadows.contains_key(&id.root()) {
                return None;
            }
            let stays = desired.get(id).is_some_and(|entry| entry.object.gives(other.privilege));
            (!stays).then(|| {
                let message = format!(
                    "{} of {id} shall go, but {} gave it, and only {} can take it away",
                    other.privilege, other.grantor, other.grantor
                );
                Diagnostic::error(Code::Blocked, message)
                    .help(format!("revoke it as {}, or declare it until then", other.grantor))
            })
        })
        .collect()
}

/// What is only read, by name: one note a kind.
fn unmodelled(reading: &introspect::Reading) -> Vec<Diagnostic> {
    let mut by_kind: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for (what, id) in &reading.unmodelled {
        by_kind.entry(what.as_str()).or_default().push(id.path());
    }
    by_kind
        .into_iter()
        .map(|(what, mut names)| {
            names.sort();
            let count = names.len();
            names.truncate(10);
            if count > names.len() {
                names.push(format!("and {} more", count - names.len()));
            }
            Diagnostic::note(
                Code::NotModelled,
                format!("only read, not compared: {count} × {what}: {}", names.join(", ")),
            )
        })
        .collect()
}
