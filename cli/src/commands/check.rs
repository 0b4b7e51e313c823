//! `schemac check`: is the project right?

use super::{Exit, Stop, counted};
use crate::Global;
use crate::operations;
use crate::shell::Shell;
use schemac_compiler::render;
use schemac_schema::diagnostic::Severity;
use serde_json::json;

const EXAMPLES: &str = "\
Examples:
  schemac check              the project in this folder
  schemac check --dir db     the project in the folder db
  schemac check --json       for editors and CI

Exit codes:
  0  no errors
  1  errors";

/// Compile the project's files and say what is wrong with them
///
/// Needs no database; what the files only refer to is not looked up.
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Arguments {}

pub fn run(_arguments: Arguments, global: &Global, shell: &mut Shell) -> Result<Exit, Stop> {
    let checked = operations::check(&global.dir)?;
    let report = &checked.report;
    if shell.is_json() {
        let said = report.diagnostics.iter().map(|one| render::json_diagnostic(one, &report.sources));
        shell.out_json(&json!({
            "format": 1,
            "objects": checked.objects,
            "files": checked.files,
            "diagnostics": said.collect::<Vec<_>>(),
        }))?;
        return Ok(Exit::Done);
    }
    shell.diagnostics(&report.diagnostics, &report.sources);
    let (objects, files) = (counted(checked.objects, "object"), counted(checked.files, "file"));
    let warnings = match report.count(Severity::Warning) {
        0 => String::new(),
        number => format!(", {}", counted(number, "warning")),
    };
    shell.out(&format!("{objects} in {files}, no errors{warnings}\n"))?;
    Ok(Exit::Done)
}
