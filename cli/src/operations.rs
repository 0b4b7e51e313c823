//! What the commands can do, without a word about how it is shown.
//!
//! Commands talk to people and call these; these call the compiler's stages.

use schemac_compiler::plan::{Plan, PlannedStep, Segment};
use schemac_schema::diagnostic::{Diagnostic, Severity};
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
pub fn check(_dir: &Path) -> Result<Checked, Failure> {
    Err(not_wired("check"))
}

/// Compares the project with the database.
pub fn plan(_dir: &Path, _database: &Database, _options: PlanOptions) -> Result<Planned, Failure> {
    Err(not_wired("diff"))
}

/// Runs a plan. Losses are the caller's concern: nothing is refused here because of them.
pub fn apply(
    _database: &Database,
    _planned: &Planned,
    _options: ApplyOptions,
    _progress: &mut dyn Progress,
) -> Result<(), Failure> {
    Err(not_wired("apply"))
}

fn not_wired(what: &str) -> Failure {
    Failure::Outside { message: format!("`schemac {what}` is not wired yet"), help: None }
}
