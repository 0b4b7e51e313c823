//! The commands, one file each: arguments, and what is said. What they do is in `operations`.

mod apply;
mod check;
mod completions;
mod diff;
mod explain;

use crate::Global;
use crate::operations::{Database, Failure, Stopped};
use crate::shell::Shell;
use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use schemac_compiler::plan::Plan;
use schemac_compiler::render;
use schemac_schema::id::ObjectId;
use schemac_schema::step::Loss;
use serde_json::json;
use std::io;

/// A command. What help says about each stands at its arguments.
#[derive(clap::Subcommand)]
pub enum Command {
    Check(check::Arguments),
    Diff(diff::Arguments),
    Apply(apply::Arguments),
    Explain(explain::Arguments),
    Completions(completions::Arguments),
}

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// As it should.
    Done = 0,
    /// With an error, which was said.
    Error = 1,
    /// With changes, where it was asked to tell.
    Changes = 2,
    /// With nothing done, since something would be lost that is not allowed.
    Refused = 3,
}

/// Why a command ended early.
pub enum Stop {
    /// The work failed.
    Failure(Failure),
    /// The result could not be written.
    Output(io::Error),
}

impl From<Failure> for Stop {
    fn from(failure: Failure) -> Self {
        Stop::Failure(failure)
    }
}

impl From<io::Error> for Stop {
    fn from(error: io::Error) -> Self {
        Stop::Output(error)
    }
}

/// Runs a command.
pub fn run(command: Command, global: &Global, shell: &mut Shell) -> Result<Exit, Stop> {
    match command {
        Command::Check(arguments) => check::run(arguments, global, shell),
        Command::Diff(arguments) => diff::run(arguments, global, shell),
        Command::Apply(arguments) => apply::run(arguments, global, shell),
        Command::Explain(arguments) => explain::run(arguments, shell),
        Command::Completions(arguments) => completions::run(arguments, shell),
    }
}

/// Says why a command failed.
pub fn report(failure: &Failure, shell: &mut Shell) {
    if shell.is_json() {
        // The exit code tells as much to one who does not read.
        let _ = shell.out_json(&failure_as_json(failure));
        return;
    }
    match failure {
        Failure::Project(report) => {
            shell.diagnostics(&report.diagnostics, &report.sources);
            let errors = counted(report.count(schemac_schema::diagnostic::Severity::Error), "error");
            shell.say(&format!("\n{errors}; `schemac explain CODE` says more about a code"));
        }
        Failure::Outside { message, help } => shell.error(message, help.as_deref()),
        Failure::Statement(stopped) => statement(stopped, shell),
    }
}

fn statement(stopped: &Stopped, shell: &mut Shell) {
    let step = &stopped.step;
    shell.error(&format!("{} failed: {}", render::action(step), stopped.message), None);
    if let Some(span) = step.span {
        shell.say(&format!(" --> {}", stopped.sources.describe(span)));
    }
    for line in step.sql.lines() {
        shell.say(&format!("    {line}"));
    }
    let (committed, of) = (stopped.committed, stopped.segments);
    shell.say(&if committed == 0 {
        "Nothing was changed.".to_owned()
    } else {
        format!("{committed} of {of} transactions are committed and stay; apply again does the rest.")
    });
}

fn failure_as_json(failure: &Failure) -> serde_json::Value {
    let diagnostics = match failure {
        Failure::Project(report) => report
            .diagnostics
            .iter()
            .map(|diagnostic| render::json_diagnostic(diagnostic, &report.sources))
            .collect(),
        _ => Vec::new(),
    };
    let error = match failure {
        Failure::Project(_) => json!({ "message": "the project's files hold errors" }),
        Failure::Outside { message, help } => json!({ "message": message, "help": help }),
        Failure::Statement(stopped) => json!({
            "message": stopped.message,
            "action": render::action(&stopped.step),
            "sql": stopped.step.sql,
            "at": stopped.step.span.map(|span| stopped.sources.describe(span)),
            "committed": stopped.committed,
            "segments": stopped.segments,
        }),
    };
    json!({ "format": 1, "error": error, "diagnostics": diagnostics })
}

/// Where `--db`, DATABASE_URL or the PG* variables say that the database is.
fn database(global: &Global) -> Database {
    let from_environment = || std::env::var("DATABASE_URL").ok().filter(|url| !url.is_empty());
    Database { url: global.db.clone().or_else(from_environment) }
}

/// What `--allow` names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Allow {
    /// Everything.
    All,
    /// One kind of loss.
    One(Loss),
}

/// Reads a word of `--allow`.
fn allow_parser() -> impl TypedValueParser<Value = Allow> {
    let help = |loss: Loss| match loss {
        Loss::DropTable => "tables, with their rows",
        Loss::DropColumn => "columns, with their values",
        Loss::DropObject => "other objects that hold data or cannot be brought back",
        Loss::DisableRls => "row-level security of a table",
        Loss::Revoke => "privileges that somebody has",
    };
    let words = Loss::ALL.iter().map(|loss| PossibleValue::new(loss.word()).help(help(*loss)));
    PossibleValuesParser::new(words.chain([PossibleValue::new("all").help("all of these")])).map(|word| {
        Loss::ALL.iter().find(|loss| loss.word() == word).map_or(Allow::All, |loss| Allow::One(*loss))
    })
}

/// What the plan loses and `--allow` does not name.
fn refused(plan: &Plan, allow: &[Allow]) -> Vec<(Loss, ObjectId)> {
    let allowed = |loss: Loss| allow.contains(&Allow::All) || allow.contains(&Allow::One(loss));
    plan.losses().into_iter().filter(|(loss, _)| !allowed(*loss)).collect()
}

/// Says what would be lost, and that nothing was done.
fn refuse(
    losses: &[(Loss, ObjectId)],
    allowed: &[Allow],
    what: &str,
    shell: &mut Shell,
) -> Result<Exit, Stop> {
    let words: Vec<&str> = Loss::ALL
        .iter()
        .filter(|loss| allowed.contains(&Allow::One(**loss)) || losses.iter().any(|(lost, _)| lost == *loss))
        .map(|loss| loss.word())
        .collect();
    let words = words.join(",");
    if shell.is_json() {
        let losses: Vec<_> = losses
            .iter()
            .map(|(loss, id)| json!({ "allow": loss.word(), "object": id.to_string() }))
            .collect();
        shell.out_json(&json!({ "format": 1, "refused": losses, "allow": words }))?;
        return Ok(Exit::Refused);
    }
    shell.error(&format!("{what}, because this would be lost:"), None);
    for (loss, object) in losses {
        shell.say(&format!("  {:<12} {}", loss.word(), render::lost(*loss, *object)));
    }
    shell.say(&format!("If that is meant: --allow {words}"));
    Ok(Exit::Refused)
}

/// `1 object`, `2 objects`.
fn counted(number: usize, one: &str) -> String {
    if number == 1 { format!("1 {one}") } else { format!("{number} {one}s") }
}
