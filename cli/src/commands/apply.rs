//! `schemac apply`: make it so.

use super::{Allow, Exit, Stop, allow_parser, counted, database, refuse, refused};
use crate::Global;
use crate::operations::{self, ApplyOptions, Failure, PlanOptions, Planned, Progress};
use crate::shell::Shell;
use schemac_compiler::plan::{PlannedStep, Segment};
use schemac_compiler::render;
use serde_json::json;
use std::time::Duration;

const EXAMPLES: &str = "\
Examples:
  schemac apply --db postgres://me@localhost/app        shows the plan, asks
  schemac apply --yes --allow drop-column               may drop columns
  schemac apply --yes --lock-timeout 200ms --retry 100  beside busy clients

Exit codes:
  0  done, or nothing to do
  1  an error, or the answer was no
  3  something would be lost that --allow does not name; nothing was changed";

/// Make the database what the files describe
///
/// Shows the plan, asks, and runs it in short transactions, each of which leaves every client working. When a statement fails, what was committed before it stays, and another apply does the rest.
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Arguments {
    /// Do not ask
    #[arg(long, short)]
    yes: bool,
    /// What may be lost for good, separated by commas
    #[arg(long, value_name = "WHAT", value_delimiter = ',', value_parser = allow_parser())]
    allow: Vec<Allow>,
    /// How long a statement waits for a lock before its transaction lets go and is tried again; 0 waits for ever
    #[arg(long, value_name = "TIME", default_value = "500ms", value_parser = duration)]
    lock_timeout: Duration,
    /// How often a transaction that did not get its locks is tried again
    #[arg(long, value_name = "TIMES", default_value_t = 20)]
    retry: u32,
    /// One transaction for everything; for a database that nobody uses meanwhile
    #[arg(long)]
    single_transaction: bool,
}

pub fn run(arguments: Arguments, global: &Global, shell: &mut Shell) -> Result<Exit, Stop> {
    let database = database(global);
    let options = PlanOptions { single_transaction: arguments.single_transaction };
    let planned = operations::plan(&global.dir, &database, options)?;
    let steps = planned.plan.steps().count();
    let segments = planned.plan.segments.len();

    let shown = show(&planned, shell);
    if planned.plan.is_empty() {
        shown?;
        if shell.is_json() {
            shell.out_json(&json!({ "format": 1, "steps": 0, "segments": 0 }))?;
        }
        return Ok(Exit::Done);
    }
    let losses = refused(&planned.plan, &arguments.allow);
    if !losses.is_empty() {
        return refuse(&losses, &arguments.allow, "nothing was changed", shell);
    }
    // With --yes a reader of the plan who has gone away does not stop the work.
    if !arguments.yes {
        shown?;
        if !shell.can_ask() {
            return Err(
                outside("there is no terminal to ask on", "--yes runs the plan without asking").into()
            );
        }
        if !shell.confirm(&format!("Run {} in {}?", counted(steps, "step"), counted(segments, "transaction")))
        {
            shell.say("Nothing was changed.");
            return Ok(Exit::Error);
        }
    }

    let options = ApplyOptions { lock_timeout: arguments.lock_timeout, retry: arguments.retry };
    let result =
        operations::apply(&database, &planned, options, &mut Shown { shell, number: 0, of: segments });
    shell.clear();
    result?;

    let left = operations::plan(&global.dir, &database, PlanOptions::default())?;
    if !left.plan.is_empty() {
        let text = render::text(&left.plan, &left.report.sources, false, shell.width());
        shell.say(&format!("What is left:\n{text}"));
        return Err(outside(
            "the plan ran, but the database is not yet what the files describe",
            "see above",
        )
        .into());
    }
    if shell.is_json() {
        shell.out_json(&json!({ "format": 1, "steps": steps, "segments": segments }))?;
    } else {
        let (steps, segments) = (counted(steps, "step"), counted(segments, "transaction"));
        shell.out(&format!("Done: {steps} in {segments}. Compared again: nothing is left to do.\n"))?;
    }
    Ok(Exit::Done)
}

/// Shows the plan; programs that read JSON have `diff` for that.
fn show(planned: &Planned, shell: &mut Shell) -> std::io::Result<()> {
    let sources = &planned.report.sources;
    shell.diagnostics(&planned.report.diagnostics, sources);
    if shell.is_json() {
        return Ok(());
    }
    shell.out(&render::text(&planned.plan, sources, shell.colour(), shell.width()))
}

fn outside(message: &str, help: &str) -> Failure {
    Failure::Outside { message: message.to_owned(), help: Some(help.to_owned()) }
}

/// Shows how the plan runs.
struct Shown<'a> {
    shell: &'a mut Shell,
    number: usize,
    of: usize,
}

impl Progress for Shown<'_> {
    fn segment(&mut self, number: usize, _segment: &Segment) {
        self.number = number;
    }

    fn step(&mut self, step: &PlannedStep) {
        self.shell.progress(self.number.saturating_sub(1), self.of, &render::action(step));
    }

    fn retry(&mut self, attempt: u32, message: &str) {
        self.shell.say(&format!(
            "transaction {} of {}, try {}: {message}",
            self.number,
            self.of,
            attempt + 1
        ));
    }

    fn committed(&mut self, number: usize) {
        if number == self.of {
            self.shell.progress(number, self.of, "comparing again");
        }
    }
}

/// A time as PostgreSQL writes it: `500ms`, `2s`, `1min`; a bare number counts milliseconds.
fn duration(text: &str) -> Result<Duration, String> {
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let unit: u64 = match unit.trim() {
        "" | "ms" => 1,
        "s" => 1000,
        "min" => 60_000,
        _ => return Err("a number and ms, s or min, such as 500ms".to_owned()),
    };
    let number: u64 = number.parse().map_err(|_| "a number and ms, s or min, such as 500ms".to_owned())?;
    let milliseconds = number.checked_mul(unit).filter(|value| i32::try_from(*value).is_ok());
    milliseconds.map(Duration::from_millis).ok_or_else(|| "at most 24 days".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_as_postgresql_writes_them() {
        for (text, milliseconds) in [("500ms", 500), ("0", 0), ("2s", 2000), ("1 min", 60_000), ("250", 250)]
        {
            assert_eq!(duration(text), Ok(Duration::from_millis(milliseconds)), "{text}");
        }
        for text in ["", "s", "-1", "1h", "1.5s", "99999999999999999999", "9999999min"] {
            assert!(duration(text).is_err(), "{text}");
        }
    }
}
