//! `schemac init`: a first project.

use super::{Exit, Stop};
use crate::Global;
use crate::operations::{self, Begun};
use crate::shell::Shell;
use serde_json::json;

const EXAMPLES: &str = "\
Examples:
  schemac init --dir shop                                   a project of one empty domain
  schemac init --dir shop --domain billing                  which is called billing
  schemac init --dir shop --db postgres://me@localhost/app  for the version of that server

To take over a database with all that is in it: schemac import --out FOLDER";

/// Begin a project: schemac.yaml and the file of a first domain
///
/// With --db the server is asked for its version only; nothing is read from the database and nothing is written there.
/// Files that are there already are never replaced.
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Arguments {
    /// The first domain: a schema of the database
    #[arg(long, value_name = "NAME", default_value = "app")]
    domain: String,
}

pub fn run(arguments: Arguments, global: &Global, shell: &mut Shell) -> Result<Exit, Stop> {
    let Begun { files, version } = operations::init(&global.dir, global.db.as_deref(), &arguments.domain)?;
    let files: Vec<String> = files.iter().map(|path| path.display().to_string()).collect();
    if shell.is_json() {
        shell.out_json(&json!({ "format": 1, "files": files, "postgres": version }))?;
        return Ok(Exit::Done);
    }
    for file in &files {
        shell.out(&format!("wrote {file}\n"))?;
    }
    shell.out(&format!("for PostgreSQL {version} and later; `schemac check` tells whether it is right\n"))?;
    Ok(Exit::Done)
}
