//! `schemac verify`: proof that what moved is what it was, and that the old names work.

use super::{Exit, Stop, counted};
use crate::Global;
use crate::operations::{self, Failure};
use crate::shell::Shell;
use schemac_compiler::verify::{Finding, Options, Verdict};
use serde_json::json;
use std::path::PathBuf;

const EXAMPLES: &str = "\
Examples:
  schemac verify                                              after an apply that moved something
  schemac verify --writes --subject authenticated:1111-…      also write, and roll back
  schemac verify --queries clients.sql --record before.json   before the apply
  schemac verify --queries clients.sql --compare before.json  after it

Exit codes:
  0  everything that was looked at is as it should be
  1  an error
  2  something is not: it is said what";

/// Prove that what moved is what it was, and that the old names work
///
/// Compares the database with what the applies recorded: definitions, row-level security, policies, privileges, files and rows; and what each role gets through the old and the new name. It reads, unless --writes is given. What it could not look at is said too.
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Arguments {
    /// Also insert, upsert, update and delete through both names as each role, and roll back; sequences advance
    #[arg(long)]
    writes: bool,
    /// Who asks: a role and the subject of its token; some are sampled when none is given
    #[arg(long, value_name = "ROLE:SUB", value_parser = subject)]
    subject: Vec<(String, String)>,
    /// Up to how many rows of a table are compared by both names
    #[arg(long, value_name = "ROWS", default_value_t = 100_000)]
    rows: u64,
    /// Fewer rows than before the move are no failure: clients delete
    #[arg(long)]
    rows_may_go: bool,
    /// Also say what is as it should be
    #[arg(long)]
    all: bool,
    /// The team's own queries: blocks of SQL below `-- client: NAME`, `-- role: ROLE`, `-- sub: SUBJECT`
    #[arg(long, value_name = "QUERIES")]
    queries: Option<PathBuf>,
    /// Write the answers to the queries into a file, and do nothing else
    #[arg(long, value_name = "FILE", requires = "queries", conflicts_with = "compare")]
    record: Option<PathBuf>,
    /// Compare the answers to the queries with those of a file
    #[arg(long, value_name = "FILE", requires = "queries")]
    compare: Option<PathBuf>,
}

fn subject(text: &str) -> Result<(String, String), String> {
    let (role, subject) = text.split_once(':').ok_or_else(|| "a role, a colon and a subject".to_owned())?;
    Ok((role.to_owned(), subject.to_owned()))
}

pub fn run(arguments: Arguments, global: &Global, shell: &mut Shell) -> Result<Exit, Stop> {
    let url = global.db.as_deref();
    if let (Some(queries), Some(file)) = (&arguments.queries, &arguments.record) {
        let answers = operations::answers(url, queries)?;
        operations::keep(&answers, file)?;
        if shell.is_json() {
            shell.out_json(&json!({ "format": 1, "recorded": answers.len() }))?;
        } else {
            let count = counted(answers.len(), "client");
            shell.out(&format!("The answers to {count} are in {}.\n", file.display()))?;
        }
        return Ok(Exit::Done);
    }
    if arguments.queries.is_some() && arguments.compare.is_none() {
        let message = "answers to --queries are compared with answers, and there are none".to_owned();
        let help = Some("--record FILE before the change writes them; then --compare FILE".to_owned());
        return Err(Failure::Outside { message, help }.into());
    }
    let before = arguments.compare.as_deref().map(operations::kept).transpose()?;
    let options = Options {
        writes: arguments.writes,
        subjects: arguments.subject,
        rows_may_go: arguments.rows_may_go,
        rows: arguments.rows,
    };
    let mut findings = operations::verify(url, &options)?;
    findings.extend(operations::checks(&global.dir, url)?);
    if let (Some(queries), Some(before)) = (&arguments.queries, &before) {
        findings.extend(before.compare(&operations::answers(url, queries)?));
    }
    findings.sort();
    show(&findings, arguments.all, shell)?;
    let failed = findings.iter().any(|finding| finding.verdict == Verdict::Failed);
    Ok(if failed { Exit::Changes } else { Exit::Done })
}

fn show(findings: &[Finding], all: bool, shell: &mut Shell) -> Result<(), Stop> {
    let count = |verdict| findings.iter().filter(|finding| finding.verdict == verdict).count();
    let (passed, failed) = (count(Verdict::Passed), count(Verdict::Failed));
    if shell.is_json() {
        let value = json!({ "format": 1, "passed": passed, "failed": failed, "findings": findings });
        shell.out_json(&value)?;
        return Ok(());
    }
    for finding in findings.iter().filter(|finding| all || finding.verdict != Verdict::Passed) {
        let word = match finding.verdict {
            Verdict::Failed => "FAILED",
            Verdict::Unchecked => "not checked",
            Verdict::Note => "note",
            Verdict::Passed => "passed",
        };
        shell.out(&format!("{word}: {}: {}: {}\n", finding.check, finding.object, finding.message))?;
    }
    let unchecked = count(Verdict::Unchecked);
    let left = if unchecked > 0 { format!(", {unchecked} could not be made") } else { String::new() };
    shell.out(&format!("{} passed, {failed} failed{left}.\n", counted(passed, "check")))?;
    Ok(())
}
