//! `schemac apply`: make it so.

use super::{Allow, Exit, Stop, allow_parser, counted, refuse, refused};
use crate::Global;
use crate::operations::{self, Cache, Failure, Planned};
use crate::shell::Shell;
use schemac_compiler::apply::{Applied, ApplyOptions, Progress, Retry};
use schemac_compiler::plan::{PlannedStep, Segment, Verb};
use schemac_compiler::render;
use schemac_compiler::rollback::Back;
use schemac_compiler::verify::Verdict;
use serde_json::json;
use std::path::PathBuf;
use std::time::Duration;

const EXAMPLES: &str = "\
Examples:
  schemac apply --db postgres://me@localhost/app        shows the plan, asks
  schemac apply --yes --allow drop-column               may drop columns
  schemac apply plan.json                               what diff --save plan.json showed
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
    /// A plan that `schemac diff --save` wrote: runs exactly that, unless the database changed
    #[arg(value_name = "PLAN")]
    plan: Option<PathBuf>,
    #[command(flatten)]
    how: How,
}

/// How a plan is run.
#[derive(clap::Args)]
pub struct How {
    /// Do not ask
    #[arg(long, short)]
    pub yes: bool,
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

impl How {
    pub fn options(&self) -> ApplyOptions {
        ApplyOptions {
            lock_timeout: self.lock_timeout,
            retries: self.retry,
            single_transaction: self.single_transaction,
            journal: None,
        }
    }

    /// What was done, as a sentence.
    pub fn done(&self, applied: &Applied) -> String {
        let (steps, segments) =
            (counted(applied.steps, "step"), transactions(applied.segments, self.single_transaction));
        format!("Done: {steps} in {segments}.")
    }
}

pub fn run(arguments: Arguments, global: &Global, shell: &mut Shell) -> Result<Exit, Stop> {
    ask_first(&arguments.how, shell)?;
    let url = global.db.as_deref();
    let planned = match &arguments.plan {
        Some(path) => operations::saved(path)?,
        None => operations::plan(&global.dir, url, Cache::Runs.unless(global.no_cache))?,
    };
    if let Some(exit) = decide(&planned, &arguments.how, shell)? {
        return Ok(exit);
    }
    let (applied, id) = carry_out(url, &planned, &Back::default(), &arguments.how, shell)?;
    let done = arguments.how.done(&applied);
    let result = json!({ "format": 1, "id": id, "steps": applied.steps, "segments": applied.segments });
    // A saved plan is held against the files that it was made from, and no others.
    if arguments.plan.is_some() && operations::same_files(&global.dir, &planned) != Some(true) {
        if shell.is_json() {
            shell.out_json(&result)?;
        } else {
            shell.out(&format!(
                "{done} Not compared again: its project is not in this folder, or has changed.\n"
            ))?;
        }
        return Ok(Exit::Done);
    }
    let left = operations::plan(&global.dir, url, Cache::Texts.unless(global.no_cache))?;
    if !left.plan.is_empty() {
        let text = render::text(&left.plan, &left.report.sources, false, shell.width());
        shell.say(&format!("What is left:\n{text}"));
        return Err(outside(
            "the plan ran, but the database is not yet what the files describe",
            "see above",
        )
        .into());
    }
    if id.is_some()
        && let Err(why) = operations::remember(url, &left)
    {
        shell.say(&format!("What was found equal is not remembered in the database: {why}."));
    }
    let checks = operations::checks(&global.dir, url)?;
    let untrue: Vec<String> = checks
        .iter()
        .filter(|check| check.verdict == Verdict::Failed)
        .map(|check| format!("{}: {}", check.object, check.message))
        .collect();
    if !untrue.is_empty() {
        let message = format!("the plan ran, but checks of the project are not true: {}", untrue.join("; "));
        return Err(outside(&message, "put it right, or take the apply back: schemac rollback").into());
    }
    if shell.is_json() {
        shell.out_json(&result)?;
    } else {
        shell.out(&format!("{done} Compared again: nothing is left to do.\n{}", way_back(id, &planned)))?;
    }
    Ok(Exit::Done)
}

/// What helps who wants to go back, where something moved.
fn way_back(id: Option<i64>, planned: &Planned) -> String {
    match id {
        Some(id) if planned.plan.steps().any(|step| step.verb == Verb::Move) => {
            format!("Recorded as apply {id}: `schemac verify` proves it, `schemac rollback` takes it back.\n")
        }
        _ => String::new(),
    }
}

/// With JSON nothing is shown that somebody could decide on.
pub fn ask_first(how: &How, shell: &Shell) -> Result<(), Stop> {
    if shell.is_json() && !how.yes {
        return Err(outside("with --json nothing is shown to decide on", "add --yes").into());
    }
    Ok(())
}

/// Runs the plan and shows how it goes; what was done, and under which number it is recorded.
pub fn carry_out(
    url: Option<&str>,
    planned: &Planned,
    back: &Back,
    how: &How,
    shell: &mut Shell,
) -> Result<(Applied, Option<i64>), Stop> {
    let result = operations::apply(url, planned, back, &how.options(), &mut Shown { shell, done: 0, of: 0 });
    shell.clear();
    let operations::Done { applied, recorded } = result?;
    if let Err(why) = &recorded {
        shell.say(&format!("Nothing is recorded in the database: {why}."));
    }
    Ok((applied, recorded.ok()))
}

/// Shows the plan and finds out whether it shall run; if not, how the command ends.
pub fn decide(planned: &Planned, arguments: &How, shell: &mut Shell) -> Result<Option<Exit>, Stop> {
    let plan = &planned.plan;
    let shown = show(planned, shell);
    if plan.is_empty() {
        shown?;
        if shell.is_json() {
            shell.out_json(&json!({ "format": 1, "steps": 0, "segments": 0 }))?;
        }
        return Ok(Some(Exit::Done));
    }
    let losses = refused(plan, &arguments.allow);
    if !losses.is_empty() {
        return refuse(&losses, &arguments.allow, "nothing was changed", shell).map(Some);
    }
    if arguments.yes {
        // A reader of the plan who has gone away does not stop the work.
        return Ok(None);
    }
    shown?;
    if !shell.can_ask() {
        let help = "nothing was changed; --yes runs the plan without asking";
        return Err(outside("there is no terminal to ask on", help).into());
    }
    let (steps, segments) =
        (counted(plan.steps().count(), "step"), counted(plan.segments.len(), "transaction"));
    if shell.confirm(&format!("Run {steps} in {segments}?")) {
        return Ok(None);
    }
    shell.say("Nothing was changed.");
    Ok(Some(Exit::Error))
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

fn transactions(segments: usize, single: bool) -> String {
    if single { "one transaction".to_owned() } else { counted(segments, "transaction") }
}

/// Shows how the plan runs.
struct Shown<'a> {
    shell: &'a mut Shell,
    done: usize,
    of: usize,
}

impl Progress for Shown<'_> {
    fn started(&mut self, number: usize, count: usize, _segment: &Segment) {
        (self.done, self.of) = (number.saturating_sub(1), count);
    }

    fn step(&mut self, _number: usize, _step: usize, _count: usize, planned: &PlannedStep) {
        self.shell.progress(self.done, self.of, &render::action(planned));
    }

    fn retrying(&mut self, retry: &Retry<'_>) {
        let Retry { segment, retry, retries, error, .. } = retry;
        self.shell.say(&format!("segment {segment}: {}; trying again, {retry} of {retries}", error.message));
    }

    fn finished(&mut self, number: usize, count: usize, _took: Duration) {
        if number == count {
            self.shell.progress(number, count, "comparing again");
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
    use crate::commands::tests::{lossy, planned};
    use crate::shell::tests::heard;
    use schemac_compiler::connect::ServerError;
    use schemac_compiler::plan::Plan;

    fn arguments(yes: bool, allow: &[Allow]) -> How {
        let lock_timeout = Duration::from_millis(500);
        How { yes, allow: allow.to_vec(), lock_timeout, retry: 20, single_transaction: false }
    }

    #[test]
    fn nothing_runs_that_is_not_wanted() {
        let (mut shell, out, _) = heard(false);
        let nothing = decide(&planned(Plan::default()), &arguments(false, &[]), &mut shell);
        assert!(matches!(nothing, Ok(Some(Exit::Done))));
        assert!(out.text().starts_with("Nothing to do"), "{}", out.text());

        let (mut shell, out, err) = heard(false);
        let refused = decide(&planned(lossy()), &arguments(true, &[]), &mut shell);
        assert!(matches!(refused, Ok(Some(Exit::Refused))));
        assert!(out.text().contains("- drop table app.gone"), "{}", out.text());
        assert!(err.text().contains("If that is meant: --allow drop-table\n"), "{}", err.text());

        let (mut shell, _, _) = heard(false);
        let Err(Stop::Failure(failure)) =
            decide(&planned(lossy()), &arguments(false, &[Allow::All]), &mut shell)
        else {
            panic!("it must not run without an answer");
        };
        assert!(matches!(failure, Failure::Outside { message, .. } if message.contains("no terminal")));

        let wanted = decide(&planned(lossy()), &arguments(true, &[Allow::All]), &mut shell);
        assert!(matches!(wanted, Ok(None)));
    }

    #[test]
    fn progress_is_a_line_each_without_a_terminal() {
        let (mut shell, _, err) = heard(false);
        let plan = lossy();
        let error =
            ServerError { message: "canceling statement due to lock timeout".into(), ..Default::default() };
        let mut shown = Shown { shell: &mut shell, done: 0, of: 0 };
        shown.started(1, 1, &plan.segments[0]);
        shown.step(1, 1, 1, &plan.segments[0].steps[0]);
        shown.retrying(&Retry { segment: 1, retry: 1, retries: 20, error: &error, pause: Duration::ZERO });
        shown.finished(1, 1, Duration::ZERO);
        let expected = "[0/1] drop table app.gone\n\
            segment 1: canceling statement due to lock timeout; trying again, 1 of 20\n[1/1] comparing again\n";
        assert_eq!(err.text(), expected);
    }

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
