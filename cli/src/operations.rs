//! What the commands can do, without a word about how it is shown.
//!
//! Commands talk to people and call these; these call the compiler's stages.

mod back;
mod files;
mod proof;

pub use back::{history, nothing_left, way_back};
pub use files::{Begun, Formatted, format, init};
pub use proof::{answers, checks, keep, kept, verify};
use schemac_compiler::apply::{self, Applied, ApplyError, ApplyOptions, FailedStatement, Progress};
use schemac_compiler::compile;
use schemac_compiler::connect::{ConnectError, Connection, connect};
use schemac_compiler::fingerprint::Seen;
use schemac_compiler::import::{self, Imported};
use schemac_compiler::introspect::{self, Reading};
use schemac_compiler::load::{self, Project};
use schemac_compiler::memory::{self, Memory, Runs};
use schemac_compiler::plan::Plan;
use schemac_compiler::planfile::{self, Saved};
use schemac_compiler::record::Record;
use schemac_compiler::rollback::Back;
use schemac_compiler::state::journal::Running;
use schemac_compiler::state::{self, Unavailable, journal};
use schemac_compiler::timings::timed;
use schemac_schema::catalog::Catalog;
use schemac_schema::code::Code;
use schemac_schema::diagnostic::{Diagnostic, Severity};
use schemac_schema::span::Sources;
use schemac_schema::spec;
use schemac_schema::spec::project::Profile;
use std::fs;
use std::io;
use std::path::Path;
use std::time::Duration;

/// What is to be said about the project's files.
#[derive(Debug, Default)]
pub struct Report {
    /// The files.
    pub sources: Sources,
    /// What there is to say about them, in order.
    pub diagnostics: Vec<Diagnostic>,
}

impl Report {
    /// How many diagnostics weigh that much.
    pub fn count(&self, severity: Severity) -> usize {
        self.diagnostics.iter().filter(|diagnostic| diagnostic.severity == severity).count()
    }
}

/// Why an operation came to no result.
#[derive(Debug)]
pub enum Failure {
    /// The files hold errors.
    Project(Report),
    /// Anything outside of the files: no connection, a missing right, a database that has changed meanwhile.
    Outside {
        /// One sentence without a full stop.
        message: String,
        /// What to do about it.
        help: Option<String>,
    },
    /// A statement of a plan failed. What was committed before it stays.
    Statement {
        /// The statement, what the server said, and where the database stands.
        failed: Box<FailedStatement>,
        /// Where the object is declared: file, line and column.
        place: Option<String>,
    },
}

impl From<ConnectError> for Failure {
    fn from(error: ConnectError) -> Self {
        Failure::Outside { message: error.message, help: Some(error.help) }
    }
}

/// A project that compiles.
#[derive(Debug)]
pub struct Checked {
    /// Warnings and notes.
    pub report: Report,
    /// How many objects are declared.
    pub objects: usize,
    /// In how many files.
    pub files: usize,
}

/// A plan, and the files that its steps point into.
#[derive(Debug)]
pub struct Planned {
    /// Warnings and notes about the files; the plan has its own notes.
    pub report: Report,
    /// The plan.
    pub plan: Plan,
    /// What it was made from.
    pub seen: Option<Seen>,
    /// The digest of the project's files that a saved plan was made from.
    pub project: Option<String>,
    /// What was remembered of its SQL, or found out.
    pub memory: Memory,
}

/// Compiles the project, without a database.
pub fn check(dir: &Path) -> Result<Checked, Failure> {
    let mut project = read(dir, ASSUMED)?;
    let found = compile::check(&mut project);
    let (objects, files) = (project.catalog.len(), project.sources.files().count());
    let mut report = Report { sources: project.sources, diagnostics: project.warnings };
    match found {
        Ok(()) => Ok(Checked { report, objects, files }),
        Err(errors) => {
            report.diagnostics.extend(errors);
            Err(Failure::Project(report))
        }
    }
}

/// What the project declares, without a database.
pub fn declared(dir: &Path) -> Result<(Catalog, Report), Failure> {
    let mut project = read(dir, ASSUMED)?;
    let found = compile::check(&mut project);
    let mut report = Report { sources: project.sources, diagnostics: project.warnings };
    match found {
        Ok(()) => Ok((project.catalog, report)),
        Err(errors) => {
            report.diagnostics.extend(errors);
            Err(Failure::Project(report))
        }
    }
}

/// The version that a project is read for while no server is at hand.
const ASSUMED: u32 = 15;

fn read(dir: &Path, version: u32) -> Result<Project, Failure> {
    timed("load", || load::load(dir, version)).map_err(|failure| {
        Failure::Project(Report { sources: failure.sources, diagnostics: failure.diagnostics })
    })
}

fn failed(error: compile::Error, project: Project) -> Failure {
    match error {
        compile::Error::Diagnostics(errors) => {
            let mut diagnostics = project.warnings;
            diagnostics.extend(errors);
            Failure::Project(Report { sources: project.sources, diagnostics })
        }
        other => Failure::Outside { message: other.to_string(), help: None },
    }
}

/// What of this user's files is believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cache {
    /// Nothing is read there, nor written.
    Nothing,
    /// What texts were found equal.
    Texts,
    /// That too, and which runs found nothing to do: then no text is looked at, and no pair is known afterwards.
    Runs,
}

impl Cache {
    /// As much as this, unless there shall be no cache.
    pub fn unless(self, none: bool) -> Self {
        if none { Cache::Nothing } else { self }
    }
}

/// This build of the program: another one may compare otherwise.
fn build() -> Option<String> {
    let file = std::env::current_exe().ok()?.metadata().ok()?;
    let modified = file.modified().ok()?.duration_since(std::time::UNIX_EPOCH).ok()?;
    Some(format!("{} {}", file.len(), modified.as_nanos()))
}

/// Compares the project with the database of the URL, or of the environment.
pub fn plan(dir: &Path, url: Option<&str>, cache: Cache) -> Result<Planned, Failure> {
    let (say, heard) = std::sync::mpsc::channel();
    let url = url.map(str::to_owned);
    // Where the project file is wrong, it is said below.
    let external = load::external(dir).unwrap_or_default();
    // The server works while the files are read.
    let database = std::thread::spawn(move || -> Result<_, ConnectError> {
        let mut connection = timed("connect", || connect(url.as_deref()))?;
        // Nobody listens any more where the files hold errors.
        let _ = say.send(connection.version);
        let reading =
            timed("read the catalogs, beside", || introspect::introspect(&mut connection.client, &external));
        Ok((connection, reading))
    });
    let version = heard.recv_timeout(PATIENCE).unwrap_or(ASSUMED);
    // What is wrong in the files is said first, with or without a database.
    let mut project = read(dir, version)?;
    let Ok(database) = database.join() else {
        return Err(outside("the reading of the database broke off", None));
    };
    let database = database.map_err(Failure::from).and_then(|(connection, reading)| match reading {
        Ok(reading) => Ok((connection, reading)),
        Err(error) => Err(outside(&error.to_string(), None)),
    });
    let (mut connection, reading) = match database {
        Ok(database) => database,
        // What can be told without it.
        Err(failure) => {
            return Err(compile::check(&mut project)
                .map_or_else(|errors| failed(compile::Error::Diagnostics(errors), project), |()| failure));
        }
    };
    if connection.version != version {
        project = read(dir, connection.version)?;
    }
    let environment = |name: &str| std::env::var(name).ok();
    let cached = || memory::cache_file(&environment, &connection.place, &connection.database);
    let file = if cache == Cache::Nothing { None } else { cached() };
    let runs =
        file.as_deref().filter(|_| cache == Cache::Runs).and_then(|file| Some(Runs::new(file, build()?)));
    let mut memory = Memory::new(file, Some(dir.join(memory::LOCK_FILE)));
    memory.runs = runs;
    match compile::compile(&mut project, &mut connection, reading, &mut memory) {
        Ok(compiled) => {
            // Without it the next run takes longer, and nothing else.
            let _ = memory.keep();
            let report = Report { sources: project.sources, diagnostics: project.warnings };
            let (plan, seen) = (compiled.plan, Some(compiled.seen));
            Ok(Planned { report, plan, seen, project: None, memory })
        }
        Err(error) => Err(failed(error, project)),
    }
}

/// Writes the project's `schemac.lock`.
pub fn lock(dir: &Path, planned: &Planned) -> Result<(), Failure> {
    let path = dir.join(memory::LOCK_FILE);
    let written = planned.memory.write_lock(&path);
    written.map_err(|error| outside(&format!("{} cannot be written: {error}", path.display()), None))
}

/// Keeps in the database what was found equal there; why not, where that cannot be.
pub fn remember(url: Option<&str>, planned: &Planned) -> Result<(), Unavailable> {
    let pairs = planned.memory.pairs();
    if pairs.is_empty() {
        return Ok(());
    }
    let mut connection = connect(url).map_err(|error| Unavailable::Cannot(error.message))?;
    state::ensure(&mut connection.client)?;
    state::memory::add(&mut connection.client, &pairs)
}

/// How long the files wait for the server to say its version.
const PATIENCE: Duration = Duration::from_secs(1);

fn outside(message: &str, help: Option<&str>) -> Failure {
    Failure::Outside { message: message.to_owned(), help: help.map(str::to_owned) }
}

/// Writes a plan into a file.
pub fn save(planned: &Planned, path: &Path) -> Result<(), Failure> {
    let Some(seen) = &planned.seen else { return Ok(()) };
    let text = planfile::write(&planned.plan, seen, &planned.report.sources).map_err(|diagnostics| {
        Failure::Project(Report { sources: planned.report.sources.clone(), diagnostics })
    })?;
    std::fs::write(path, text)
        .map_err(|error| outside(&format!("{} cannot be written: {error}", path.display()), None))
}

/// Reads a plan from a file.
pub fn saved(path: &Path) -> Result<Planned, Failure> {
    let text = std::fs::read_to_string(path)
        .map_err(|error| outside(&format!("{} cannot be read: {error}", path.display()), None))?;
    let mut sources = Sources::new();
    let file = sources.add(path.display().to_string(), text);
    match planfile::read(&sources, file) {
        Ok(Saved { plan, seen, project }) => {
            let report = Report { sources, diagnostics: Vec::new() };
            Ok(Planned { report, plan, seen: Some(seen), project: Some(project), memory: Memory::default() })
        }
        Err(diagnostics) => Err(Failure::Project(Report { sources, diagnostics })),
    }
}

/// Whether the project's files are still those that a saved plan was made from; `None` where there is no project.
pub fn same_files(dir: &Path, planned: &Planned) -> Option<bool> {
    let version = planned.seen.as_ref().map_or(ASSUMED, |seen| seen.version);
    let project = read(dir, version).ok()?;
    Some(planned.project.as_deref() == Some(project.digest.as_str()))
}

/// Runs a plan, which takes `back` what was applied. Losses are the caller's concern: nothing is refused here because
/// of them.
pub fn apply(
    url: Option<&str>,
    planned: &Planned,
    back: &Back,
    options: &ApplyOptions,
    progress: &mut dyn Progress,
) -> Result<Done, Failure> {
    let mut connection = connect(url)?;
    if let Some(seen) = &planned.seen {
        if connection.version != seen.version {
            let message = format!(
                "the plan was made for PostgreSQL {}, and the server is {}; nothing was run",
                seen.version, connection.version
            );
            return Err(outside(&message, Some("make the plan again")));
        }
    }
    let external = planned.seen.as_ref().map(|seen| seen.external.clone()).unwrap_or_default();
    let reading = introspect::introspect(&mut connection.client, &external)
        .map_err(|error| outside(&error.to_string(), None))?;
    if planned.seen.as_ref().is_some_and(|seen| !seen.holds(&reading.catalog)) {
        let message = "the database changed since the plan was made; nothing was run";
        let changed = Diagnostic::error(Code::DatabaseChanged, message)
            .help("make a new plan: run the command again, or diff --save");
        return Err(Failure::Project(Report { diagnostics: vec![changed], ..Report::default() }));
    }
    // The row comes before the first statement, so that an apply that is torn off is known too.
    let entry = begin(&mut connection, planned, &reading, back);
    let running = entry.as_ref().ok().map(|(id, _)| Running { id: *id, undoes: back.whole.clone() });
    let options = ApplyOptions { journal: running, ..options.clone() };
    let outcome = apply::apply(&mut connection.client, &planned.plan, &options, progress);
    let recorded = entry.and_then(|(id, before)| {
        let (state, segments) = match &outcome {
            Ok(applied) => (journal::State::Done, applied.segments),
            Err(ApplyError::Statement(failed)) => (journal::State::Failed, failed.boundary),
            Err(ApplyError::Pooler { boundary }) => (journal::State::Failed, *boundary),
            Err(_) => (journal::State::Failed, 0),
        };
        back::finish(&mut connection, id, state, segments, &before).map(|()| id)
    });
    let applied = outcome.map_err(|error| match error {
        ApplyError::Statement(failed) => {
            let place = failed.span.map(|span| planned.report.sources.describe(span));
            Failure::Statement { failed, place }
        }
        other => Failure::Outside { message: other.to_string(), help: None },
    })?;
    Ok(Done { applied, recorded })
}

/// What an apply came to.
#[derive(Debug)]
pub struct Done {
    /// What was done.
    pub applied: Applied,
    /// Its number in the database's journal, or why it has none.
    pub recorded: Result<i64, Unavailable>,
}

fn begin(
    connection: &mut Connection,
    planned: &Planned,
    reading: &Reading,
    back: &Back,
) -> Result<(i64, Record), Unavailable> {
    state::ensure(&mut connection.client)?;
    let seen = planned.seen.clone().unwrap_or_default();
    let forward = planfile::write(&planned.plan, &seen, &planned.report.sources)
        .map_err(|_| Unavailable::Cannot("the plan cannot be written down".into()))?;
    let before = Record::before(&mut connection.client, reading, &planned.plan, &seen.external)?;
    let before = Record { partly: back.partly.clone(), ..before };
    let begun = journal::Begun {
        schemac: env!("CARGO_PKG_VERSION").to_owned(),
        plan: planfile::digest_of(&forward),
        forward,
        before: back::text(&before),
        undoes: back.whole.clone(),
        ..Default::default()
    };
    journal::begin(&mut connection.client, &begun).map(|id| (id, before))
}

/// How to import.
#[derive(Debug)]
pub struct ImportOptions<'a> {
    /// The folder to write into.
    pub out: &'a Path,
    /// Whose platform it is.
    pub profile: Option<Profile>,
    /// The file of rules.
    pub rules: Option<&'a Path>,
    /// Nothing is written when something would be missing.
    pub strict: bool,
    /// The folder need not be empty.
    pub force: bool,
}

/// Writes a project from the database of the URL, or of the environment; and whether it was written.
pub fn import(url: Option<&str>, options: &ImportOptions<'_>) -> Result<(Imported, bool), Failure> {
    let out = options.out;
    let outside = |message: String, help: &str| Failure::Outside { message, help: Some(help.into()) };
    let occupied = || {
        let message = format!("{} is not an empty folder", out.display());
        outside(message, "name a folder that is not there yet, or say --force to replace files in this one")
    };
    match fs::read_dir(out).map(|mut entries| entries.next().is_none()) {
        Ok(is_empty) if is_empty || options.force => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        _ => return Err(occupied()),
    }
    let mut report = Report::default();
    let rules = match options.rules {
        None => Vec::new(),
        Some(path) => {
            let text = fs::read_to_string(path).map_err(|error| {
                outside(format!("cannot read {}: {error}", path.display()), "--rules names a YAML file")
            })?;
            let file = report.sources.add(path.display().to_string(), text);
            match spec::read_rules(&report.sources, file) {
                Ok(rules) => rules,
                Err(error) => {
                    report.diagnostics.push(error);
                    return Err(Failure::Project(report));
                }
            }
        }
    };
    let mut connection = connect(url)?;
    let wishes = import::Options { profile: options.profile, rules };
    let imported = import::import(&mut connection, &wishes).map_err(|error| match error {
        import::Error::Read(error) => Failure::Outside { message: error.to_string(), help: None },
        import::Error::Rules(diagnostics) => Failure::Project(Report { diagnostics, ..report }),
    })?;
    if options.strict && !imported.missing.is_empty() {
        return Ok((imported, false));
    }
    for (path, text) in &imported.files {
        let path = out.join(path);
        let stored = path.parent().map_or(Ok(()), fs::create_dir_all).and_then(|()| fs::write(&path, text));
        stored.map_err(|error| {
            outside(
                format!("cannot write {}: {error}", path.display()),
                "files that were written before it are there",
            )
        })?;
    }
    Ok((imported, true))
}
