//! What the commands can do, without a word about how it is shown.
//!
//! Commands talk to people and call these; these call the compiler's stages.

use schemac_compiler::apply::{self, Applied, ApplyError, ApplyOptions, FailedStatement, Progress};
use schemac_compiler::connect::{ConnectError, connect};
use schemac_compiler::plan::Plan;
use schemac_schema::diagnostic::{Diagnostic, Severity};
use schemac_schema::span::Sources;
use std::path::Path;

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
}

/// Compiles the project, without a database.
pub fn check(_dir: &Path) -> Result<Checked, Failure> {
    Err(not_wired("check"))
}

/// Compares the project with the database of the URL, or of the environment.
pub fn plan(_dir: &Path, _url: Option<&str>) -> Result<Planned, Failure> {
    Err(not_wired("diff"))
}

/// Runs a plan. Losses are the caller's concern: nothing is refused here because of them.
pub fn apply(
    url: Option<&str>,
    planned: &Planned,
    options: &ApplyOptions,
    progress: &mut dyn Progress,
) -> Result<Applied, Failure> {
    let mut connection = connect(url)?;
    apply::apply(&mut connection.client, &planned.plan, options, progress).map_err(|error| match error {
        ApplyError::Statement(failed) => {
            let place = failed.span.map(|span| planned.report.sources.describe(span));
            Failure::Statement { failed, place }
        }
        other => Failure::Outside { message: other.to_string(), help: None },
    })
}

fn not_wired(what: &str) -> Failure {
    Failure::Outside { message: format!("`schemac {what}` is not wired yet"), help: None }
}
