//! What the commands can do, without a word about how it is shown.
//!
//! Commands talk to people and call these; these call the compiler's stages.

use schemac_compiler::apply::{self, ApplyError};
use schemac_compiler::compile;
use schemac_compiler::connect::{self, Connection};
use schemac_compiler::load::{self, Project};
use schemac_compiler::plan::{Plan, PlannedStep, Segment};
use schemac_schema::diagnostic::{Diagnostic, Severity};
use schemac_schema::id::ObjectId;
use schemac_schema::span::Sources;
use std::path::Path;
use std::time::Duration;

/// Where the database is.
#[derive(Clone, Debug)]
pub struct Database {
    /// `postgres://…`, or none: the PG* variables say it.
    pub url: Option<String>,
}

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
    Statement(Box<Stopped>),
}

/// A plan that stopped at a statement.
#[derive(Debug)]
pub struct Stopped {
    /// The statement, and where it comes from.
    pub step: PlannedStep,
    /// What the server said, with its detail and hint on lines of their own.
    pub message: String,
    /// How many segments are committed.
    pub committed: usize,
    /// How many segments the plan has.
    pub segments: usize,
    /// The files that the step's span points into.
    pub sources: Sources,
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
    /// The objects that it concerns, and the digest of them when it was made.
    pub seen: Option<(Vec<ObjectId>, String)>,
}

/// How to plan.
#[derive(Clone, Copy, Debug, Default)]
pub struct PlanOptions {
    /// One segment for everything that can run in a transaction.
    pub single_transaction: bool,
}

/// How to run a plan.
#[derive(Clone, Copy, Debug)]
pub struct ApplyOptions {
    /// How long a statement waits for a lock. Zero waits for ever.
    pub lock_timeout: Duration,
    /// How often a segment is tried again after it did not get its locks.
    pub retry: u32,
}

/// Hears how a plan runs.
pub trait Progress {
    /// A segment begins, counted from 1.
    fn segment(&mut self, number: usize, segment: &Segment);
    /// A step of it is about to run.
    fn step(&mut self, step: &PlannedStep);
    /// The segment did not get its locks and is tried again, counted from 1; what the server said.
    fn retry(&mut self, attempt: u32, message: &str);
    /// The segment is committed.
    fn committed(&mut self, number: usize);
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

/// The version that a project is read for while no server is at hand and its file names none.
const ASSUMED: u32 = 15;

fn read(dir: &Path, version: u32) -> Result<Project, Failure> {
    load::load(dir, version)
        .map_err(|failure| Failure::Project(Report { sources: failure.sources, diagnostics: failure.diagnostics }))
}

fn connected(database: &Database) -> Result<Connection, Failure> {
    connect::connect(database.url.as_deref())
        .map_err(|error| Failure::Outside { message: error.message, help: Some(error.help) })
}

fn outside(message: String) -> Failure {
    Failure::Outside { message, help: None }
}

fn failed(error: compile::Error, project: Project) -> Failure {
    match error {
        compile::Error::Diagnostics(errors) => {
            let mut diagnostics = project.warnings;
            diagnostics.extend(errors);
            Failure::Project(Report { sources: project.sources, diagnostics })
        }
        other => outside(other.to_string()),
    }
}

/// Compares the project with the database.
pub fn plan(dir: &Path, database: &Database, options: PlanOptions) -> Result<Planned, Failure> {
    // What is wrong in the files is said first, with or without a database.
    read(dir, ASSUMED)?;
    let mut connection = connected(database)?;
    let mut project = read(dir, connection.version)?;
    match compile::compile(&mut project, &mut connection) {
        Ok(mut compiled) => {
            if options.single_transaction {
                compiled.plan = compiled.plan.in_one_transaction();
            }
            let report = Report { sources: project.sources, diagnostics: project.warnings };
            Ok(Planned { report, plan: compiled.plan, seen: Some((compiled.concerned, compiled.fingerprint)) })
        }
        Err(error) => Err(failed(error, project)),
    }
}

/// Runs a plan. Losses are the caller's concern: nothing is refused here because of them.
pub fn apply(
    dir: &Path,
    database: &Database,
    planned: &Planned,
    options: ApplyOptions,
    progress: &mut dyn Progress,
) -> Result<(), Failure> {
    let mut connection = connected(database)?;
    if let Some((concerned, fingerprint)) = &planned.seen {
        let project = read(dir, connection.version)?;
        match compile::unchanged(&project, &mut connection, concerned, fingerprint) {
            Ok(true) => {}
            Ok(false) => {
                return Err(Failure::Outside {
                    message: "the database changed since the plan was made; nothing was run".into(),
                    help: Some("run the command again: it makes a new plan".into()),
                });
            }
            Err(error) => return Err(failed(error, project)),
        }
    }
    let settings = apply::ApplyOptions {
        lock_timeout: options.lock_timeout,
        retries: options.retry,
        ..apply::ApplyOptions::default()
    };
    let mut heard = Heard(progress);
    match apply::apply(&mut connection.client, &planned.plan, &settings, &mut heard) {
        Ok(_) => Ok(()),
        Err(ApplyError::Statement(failed)) => Err(stopped(*failed, planned)),
        Err(error) => Err(outside(error.to_string())),
    }
}

/// The statement that failed, with its step in the plan.
fn stopped(failed: apply::FailedStatement, planned: &Planned) -> Failure {
    let step = planned.plan.segments.get(failed.segment.saturating_sub(1)).and_then(|segment| {
        segment.steps.iter().find(|step| step.sql == failed.statement).or_else(|| segment.steps.first())
    });
    let Some(step) = step else { return outside(failed.error.to_string()) };
    let mut step = step.clone();
    step.sql = failed.statement;
    Failure::Statement(Box::new(Stopped {
        step,
        message: failed.error.to_string(),
        committed: failed.boundary,
        segments: failed.segments,
        sources: planned.report.sources.clone(),
    }))
}

/// Passes on what the compiler says of its progress.
struct Heard<'a>(&'a mut dyn Progress);

impl apply::Progress for Heard<'_> {
    fn started(&mut self, number: usize, _: usize, segment: &Segment) {
        self.0.segment(number, segment);
    }

    fn step(&mut self, _: usize, _: usize, _: usize, planned: &PlannedStep) {
        self.0.step(planned);
    }

    fn retrying(&mut self, retry: &apply::Retry<'_>) {
        self.0.retry(retry.retry, &retry.error.message);
    }

    fn finished(&mut self, number: usize, _: usize, _: std::time::Duration) {
        self.0.committed(number);
    }
}
