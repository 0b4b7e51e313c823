//! `schemac fmt`: one shape for the project's files.

use super::{Exit, Stop, counted};
use crate::Global;
use crate::operations::{self, Formatted};
use crate::shell::Shell;
use serde_json::json;
use std::path::PathBuf;

const EXAMPLES: &str = "\
Examples:
  schemac fmt                     every file of the project here
  schemac fmt schema/app.yaml     one file
  schemac fmt --check             change nothing, and tell (for CI)

Exit codes:
  0  every file has its shape (now)
  1  an error, or a file that cannot be given its shape without changing what it says
  2  there are files to change (--check)";

/// Give the project's YAML files one shape: indentation, order of keys, blank lines; comments stay
///
/// Lines are indented anew and keys of the language come into its order; names keep theirs. Blanks at the ends of
/// lines, blank lines beyond one, a byte order mark and CR LF go away. What stands on a line stays as it is. A file is
/// only written when it is read as the same afterwards.
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Arguments {
    /// The files; all of the project, when none is named
    files: Vec<PathBuf>,
    /// Change nothing; say which files would change, and exit with 2 if there are some
    #[arg(long)]
    check: bool,
}

pub fn run(arguments: Arguments, global: &Global, shell: &mut Shell) -> Result<Exit, Stop> {
    let formatted = operations::format(&global.dir, &arguments.files, arguments.check)?;
    let paths = |wanted: Formatted| -> Vec<String> {
        formatted
            .iter()
            .filter(|(_, what)| *what == wanted)
            .map(|(path, _)| path.display().to_string())
            .collect()
    };
    let (changed, refused) = (paths(Formatted::Changed), paths(Formatted::Refused));
    let exit = match (refused.is_empty(), changed.is_empty() || !arguments.check) {
        (false, _) => Exit::Error,
        (true, true) => Exit::Done,
        (true, false) => Exit::Changes,
    };
    if shell.is_json() {
        shell.out_json(&json!({ "format": 1, "changed": changed, "refused": refused }))?;
        return Ok(exit);
    }
    let verb = if arguments.check { "would change" } else { "changed" };
    for path in &changed {
        shell.out(&format!("{verb} {path}\n"))?;
    }
    for path in &refused {
        let message = format!("{path} is left as it is: in its shape it would not be read as the same");
        shell.error(&message, Some("please report it with the file"));
    }
    if changed.is_empty() && refused.is_empty() {
        let files = counted(formatted.len(), "file");
        shell.out(&format!("{files}, nothing to change\n"))?;
    }
    Ok(exit)
}
