//! `schemac diff`: what would change?

use super::{Allow, Exit, Stop, allow_parser, refuse, refused};
use crate::Global;
use crate::operations::{self, Cache, Failure, Planned};
use crate::shell::Shell;
use schemac_compiler::render;
use schemac_compiler::timings::{self, timed};
use schemac_schema::parse;
use std::path::PathBuf;

const EXAMPLES: &str = "\
Examples:
  schemac diff --db postgres://me@localhost/app
  schemac diff --format sql > change.sql && psql --no-psqlrc --file=change.sql
  schemac diff --save plan.json        what `schemac apply plan.json` will run
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
#[derive(clap::Args, Default)]
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
    /// Write the plan into a file too, for `schemac apply PLAN`
    #[arg(long, value_name = "PLAN")]
    save: Option<PathBuf>,
    /// Write schemac.lock: what the server said of this project's SQL, so that it need not be asked again
    #[arg(long)]
    lock: bool,
    /// Say on standard error what the stages took, and how many texts were parsed and decided by what
    #[arg(long, hide = true)]
    timings: bool,
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
    // What is written into the lock are pairs of texts.
    let believed = if arguments.lock { Cache::Texts } else { Cache::Runs };
    let planned = operations::plan(&global.dir, global.db.as_deref(), believed.unless(global.no_cache))?;
    if arguments.lock {
        operations::lock(&global.dir, &planned)?;
    }
    if let Some(path) = &arguments.save {
        operations::save(&planned, path)?;
    }
    let exit = timed("show", || show(&planned, format, &arguments, shell));
    if arguments.timings {
        for (stage, took) in timings::taken() {
            shell.say(&format!("{:>8.1} ms  {stage}", took.as_secs_f64() * 1000.0));
        }
        let (times, again) = parse::parsed();
        let parsed = [("texts parsed", times), ("texts parsed again", again)];
        for (what, many) in timings::counted().into_iter().chain(parsed) {
            shell.say(&format!("{many:>8}     {what}"));
        }
    }
    exit
}

fn show(planned: &Planned, format: Format, arguments: &Arguments, shell: &mut Shell) -> Result<Exit, Stop> {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::tests::{lossy, planned};
    use crate::shell::tests::heard;
    use schemac_compiler::plan::Plan;
    use schemac_schema::step::Loss;

    fn run(plan: Plan, format: Format, arguments: &Arguments) -> (Exit, String, String) {
        let (mut shell, out, err) = heard(false);
        let exit = show(&planned(plan), format, arguments, &mut shell);
        (exit.unwrap_or(Exit::Error), out.text(), err.text())
    }

    #[test]
    fn exit_codes_tell_of_changes_only_when_asked() {
        let asked = Arguments { exit_code: true, ..Arguments::default() };
        for format in [Format::Text, Format::Json] {
            assert_eq!(run(lossy(), format, &Arguments::default()).0, Exit::Done);
            assert_eq!(run(lossy(), format, &asked).0, Exit::Changes);
            assert_eq!(run(Plan::default(), format, &asked).0, Exit::Done);
        }
        assert_eq!(run(Plan::default(), Format::Sql, &asked).0, Exit::Done);
    }

    #[test]
    fn a_script_that_loses_something_is_given_only_when_that_is_allowed() {
        let mut arguments = Arguments { exit_code: true, ..Arguments::default() };
        let (exit, out, err) = run(lossy(), Format::Sql, &arguments);
        assert_eq!((exit, out.as_str()), (Exit::Refused, ""));
        assert!(err.contains("the rows of table app.gone") && err.contains("--allow drop-table\n"), "{err}");
        arguments.allow = vec![Allow::One(Loss::Revoke)];
        let (exit, _, err) = run(lossy(), Format::Sql, &arguments);
        assert_eq!(exit, Exit::Refused);
        assert!(err.contains("--allow drop-table,revoke\n"), "{err}");
        for allow in [Allow::All, Allow::One(Loss::DropTable)] {
            arguments.allow = vec![allow];
            let (exit, out, _) = run(lossy(), Format::Sql, &arguments);
            assert_eq!(exit, Exit::Changes);
            assert!(out.contains("DROP TABLE app.gone;"), "{out}");
        }
    }
}
