//! `schemac diff`: what would change?

use super::{Allow, Exit, Stop, allow_parser, database, refuse, refused};
use crate::Global;
use crate::operations::{self, Failure, PlanOptions};
use crate::shell::Shell;
use schemac_compiler::render;

const EXAMPLES: &str = "\
Examples:
  schemac diff --db postgres://me@localhost/app
  schemac diff --format sql > change.sql && psql --no-psqlrc --file=change.sql
  schemac diff --exit-code > /dev/null || echo 'not what the files say'

Exit codes:
  0  done; with --exit-code: nothing to do
  1  an error
  2  with --exit-code: there are changes
  3  with --format sql: something would be lost that --allow does not name
     (goes before 2)";

/// How to show a plan.
#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// For people
    Text,
    /// A script that psql runs as it is
    Sql,
    /// For programs; docs/plan-format.md describes it
    Json,
}

/// Show what it takes to make the database what the files describe
///
/// The plan says what would run, in which order, and why. Nothing is changed.
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Arguments {
    /// How to show the plan [default: text, or json with --json]
    #[arg(long, value_enum, hide_default_value = true)]
    format: Option<Format>,
    /// Exit with 2 when there is something to do
    #[arg(long)]
    exit_code: bool,
    /// What a script may lose for good, separated by commas
    #[arg(long, value_name = "WHAT", value_delimiter = ',', value_parser = allow_parser())]
    allow: Vec<Allow>,
    /// One transaction for everything; for a database that nobody uses meanwhile
    #[arg(long)]
    single_transaction: bool,
}

pub fn run(arguments: Arguments, global: &Global, shell: &mut Shell) -> Result<Exit, Stop> {
    let format = match (arguments.format, shell.is_json()) {
        (None, false) => Format::Text,
        (None | Some(Format::Json), _) => Format::Json,
        (Some(format), false) => format,
        (Some(_), true) => {
            let message = "--json and --format with anything but json exclude each other".to_owned();
            return Err(Failure::Outside { message, help: None }.into());
        }
    };
    let options = PlanOptions { single_transaction: arguments.single_transaction };
    let planned = operations::plan(&global.dir, &database(global), options)?;
    let (plan, sources) = (&planned.plan, &planned.report.sources);
    shell.diagnostics(&planned.report.diagnostics, sources);
    match format {
        Format::Text => shell.out(&render::text(plan, sources, shell.colour(), shell.width()))?,
        Format::Json => shell.out_json(&render::json(plan, sources))?,
        Format::Sql => {
            let losses = refused(plan, &arguments.allow);
            if !losses.is_empty() {
                return refuse(&losses, &arguments.allow, "no script was made", shell);
            }
            shell.out(&render::sql(plan))?;
        }
    }
    Ok(if arguments.exit_code && !plan.is_empty() { Exit::Changes } else { Exit::Done })
}
