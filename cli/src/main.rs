//! The command line: reads the arguments, runs one command, and says how it ended.

mod commands;
mod operations;
mod shell;

use clap::{ColorChoice, CommandFactory, FromArgMatches, Parser};
use commands::{Command, Exit, Stop};
use shell::{Colour, Shell};
use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

const EXAMPLES: &str = "\
Examples:
  schemac check                                    is the project here right?
  schemac diff --db postgres://me@localhost/app    what would change?
  schemac apply --db postgres://me@localhost/app   change it, after asking

Exit codes:
  0  done
  1  an error
  2  there are changes (diff --exit-code)
  3  something would be lost that --allow does not name";

/// A compiler for PostgreSQL schemas: declare what the database shall be, and see and run what it takes.
#[derive(Parser)]
#[command(name = "schemac", version, arg_required_else_help = true, after_help = EXAMPLES, max_term_width = 100)]
struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Command,
}

/// What every command takes.
#[derive(clap::Args)]
#[command(next_help_heading = "Global options")]
struct Global {
    /// The project's folder, with schemac.yaml in it
    #[arg(long, global = true, value_name = "FOLDER", default_value = ".")]
    dir: PathBuf,
    /// The database; else DATABASE_URL says it, else PGHOST, PGUSER, PGDATABASE and the other PG* variables
    #[arg(long, global = true, value_name = "URL")]
    db: Option<String>,
    /// When to use colours; `auto` is on a terminal, as NO_COLOR, CLICOLOR and CLICOLOR_FORCE have it
    #[arg(long, global = true, value_name = "WHEN", value_enum, default_value = "auto")]
    color: Colour,
    /// Write JSON to standard output
    #[arg(long, global = true)]
    json: bool,
    /// Neither read nor write this user's file of SQL that was found equal before
    #[arg(long, global = true)]
    no_cache: bool,
}

fn main() -> ExitCode {
    let arguments: Vec<OsString> = std::env::args_os().collect();
    ExitCode::from(schemac_schema::parse::on_large_stack(|| run(&arguments)) as u8)
}

fn run(arguments: &[OsString]) -> Exit {
    let matches = Cli::command().color(colour_of_help(arguments)).try_get_matches_from(arguments);
    let cli = match matches.and_then(|matches| Cli::from_arg_matches(&matches)) {
        Ok(cli) => cli,
        Err(message) => {
            // Where nobody reads it, nothing is lost.
            let _ = message.print();
            // clap's own code for wrong usage is 2, which here means that there are changes.
            return if message.exit_code() == 0 { Exit::Done } else { Exit::Error };
        }
    };
    let mut shell = Shell::new(cli.global.color, cli.global.json);
    match commands::run(cli.command, &cli.global, &mut shell) {
        Ok(exit) => exit,
        Err(Stop::Output(error)) if error.kind() == std::io::ErrorKind::BrokenPipe => Exit::Done,
        Err(Stop::Output(error)) => {
            shell.error(&format!("cannot write the output: {error}"), None);
            Exit::Error
        }
        Err(Stop::Failure(failure)) => {
            commands::report(&failure, &mut shell);
            Exit::Error
        }
    }
}

/// Help and usage errors are written before there is a parsed `--color`.
fn colour_of_help(arguments: &[OsString]) -> ColorChoice {
    let mut words = arguments.iter().filter_map(|word| word.to_str());
    let mut choice = ColorChoice::Auto;
    while let Some(word) = words.next() {
        let when =
            word.strip_prefix("--color=").or_else(|| if word == "--color" { words.next() } else { None });
        match when {
            Some("always") => choice = ColorChoice::Always,
            Some("never") => choice = ColorChoice::Never,
            _ => {}
        }
    }
    choice
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_arguments_are_well_defined() {
        Cli::command().debug_assert();
    }
}
