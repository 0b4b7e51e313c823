//! The commands, one file each: arguments, and what is said. What they do is in `operations`.

mod apply;
mod check;
mod completions;
mod diff;
mod explain;
mod fmt;
mod graph;
mod history;
mod import;
mod init;
mod rollback;
mod schema;
mod verify;

use crate::Global;
use crate::operations::Failure;
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
    Init(init::Arguments),
    Check(check::Arguments),
    Diff(diff::Arguments),
    Apply(apply::Arguments),
    History(history::Arguments),
    Verify(verify::Arguments),
    Rollback(rollback::Arguments),
    Graph(graph::Arguments),
    Import(import::Arguments),
    Fmt(fmt::Arguments),
    Schema(schema::Arguments),
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
        Command::Init(arguments) => init::run(arguments, global, shell),
        Command::Fmt(arguments) => fmt::run(arguments, global, shell),
        Command::Schema(arguments) => schema::run(arguments, shell),
        Command::Check(arguments) => check::run(arguments, global, shell),
        Command::Diff(arguments) => diff::run(arguments, global, shell),
        Command::Apply(arguments) => apply::run(arguments, global, shell),
        Command::History(arguments) => history::run(arguments, global, shell),
        Command::Verify(arguments) => verify::run(arguments, global, shell),
        Command::Rollback(arguments) => rollback::run(arguments, global, shell),
        Command::Graph(arguments) => graph::run(arguments, global, shell),
        Command::Import(arguments) => import::run(arguments, global, shell),
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
        Failure::Statement { failed, place } => {
            shell.error(&failed.to_string(), None);
            if let Some(place) = place {
                shell.say(&format!(" --> {place}"));
            }
        }
    }
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
        Failure::Statement { failed, place } => json!({
            "message": failed.error.message,
            "sqlstate": failed.error.sqlstate,
            "help": failed.error.hint,
            "object": failed.object.map(|object| object.to_string()),
            "sql": failed.statement,
            "at": place,
            "segment": failed.segment,
            "segments": failed.segments,
            "committed": failed.boundary,
            "certain": failed.certain,
        }),
    };
    json!({ "format": 1, "error": error, "diagnostics": diagnostics })
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
        Loss::FacadeBypassesRls => "row-level security, for whoever uses a facade's old name",
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::operations::{Planned, Report};
    use crate::shell::tests::heard;
    use schemac_compiler::apply::FailedStatement;
    use schemac_compiler::connect::ServerError;
    use schemac_compiler::plan::{Because, PlannedStep, Segment, Verb};
    use schemac_schema::code::Code;
    use schemac_schema::diagnostic::Diagnostic;
    use schemac_schema::ident::QName;
    use schemac_schema::object::Kind;
    use schemac_schema::span::Span;
    use schemac_schema::step::Impact;

    /// A plan that loses a table.
    pub fn lossy() -> Plan {
        let object = ObjectId::in_schema(Kind::Table, QName::new("app", "gone"));
        let step = PlannedStep {
            object,
            verb: Verb::Drop,
            sql: "DROP TABLE app.gone".into(),
            impact: Impact { loses: vec![(Loss::DropTable, object)], ..Impact::default() },
            because: Because::NotDeclared,
            span: None,
            texts: None,
        };
        let segments = vec![Segment { steps: vec![step], transactional: true, locks: vec![object] }];
        Plan { segments, ..Plan::default() }
    }

    pub fn planned(plan: Plan) -> Planned {
        Planned { report: Report::default(), plan, seen: None, project: None, memory: Default::default() }
    }

    fn failed() -> Failure {
        let message = "canceling statement due to lock timeout".to_owned();
        let failed = FailedStatement {
            statement: "DROP TABLE app.gone".into(),
            object: lossy().steps().next().map(|step| step.object),
            span: None,
            error: ServerError { sqlstate: "55P03".into(), message, ..ServerError::default() },
            segment: 3,
            segments: 4,
            retries: 20,
            boundary: 2,
            certain: true,
        };
        Failure::Statement { failed: Box::new(failed), place: Some("schema/app.yaml:2:11".into()) }
    }

    #[test]
    fn a_statement_that_failed_is_shown_with_its_origin_and_what_stays() {
        let (mut shell, out, err) = heard(false);
        report(&failed(), &mut shell);
        let expected = "\
error: segment 3 of 4 failed at table app.gone: canceling statement due to lock timeout (55P03)
statement: DROP TABLE app.gone
it had been tried again 20 times
the database stands behind segment 2; the same command again goes on from there
 --> schema/app.yaml:2:11
";
        assert_eq!((err.text().as_str(), out.text().as_str()), (expected, ""));
    }

    #[test]
    fn errors_of_files_come_with_their_number() {
        let mut files = Report::default();
        let file = files.sources.add("a.yaml", "colums: {}\n");
        let wrong = Diagnostic::error(Code::UnknownKey, "unknown key `colums`").at(Span::new(file, 0, 6));
        files.diagnostics = vec![wrong.clone(), wrong];
        let (mut shell, _, err) = heard(false);
        report(&Failure::Project(files), &mut shell);
        assert!(err.text().contains("a.yaml:1:1") && err.text().contains("\n2 errors; "), "{}", err.text());
    }

    #[test]
    fn programs_get_failures_and_refusals_as_json() {
        let (mut shell, out, _) = heard(true);
        report(&failed(), &mut shell);
        let value: serde_json::Value = serde_json::from_str(&out.text()).unwrap();
        assert_eq!(value["error"]["at"], "schema/app.yaml:2:11");
        assert_eq!(value["error"]["committed"], 2);

        let (mut shell, out, err) = heard(true);
        let exit = refuse(&lossy().losses(), &[], "nothing was changed", &mut shell);
        assert!(matches!(exit, Ok(Exit::Refused)));
        let value: serde_json::Value = serde_json::from_str(&out.text()).unwrap();
        assert_eq!(value["refused"][0], json!({ "allow": "drop-table", "object": "table app.gone" }));
        assert_eq!(err.text(), "");
    }
}
