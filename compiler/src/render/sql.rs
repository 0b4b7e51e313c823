//! A plan as a script that psql runs as it is.
//!
//! The statements are those of the plan, byte for byte, but for what psql itself would read in them.

use super::{RELOAD, action, compatibility, counted, counts, one_line, reason};
use crate::connect::SET_LOCAL;
use crate::plan::{Plan, PlannedStep, Segment};
use schemac_schema::id::ObjectId;
use schemac_schema::ident::{Ident, QName};
use schemac_schema::parse;
use schemac_schema::sql::Sql;

/// How long a statement of a script waits for a lock: less than PostgreSQL's deadlock_timeout, so that clients which
/// queue behind it go on before anyone is cancelled.
const LOCK_TIMEOUT: &str = "500ms";

/// The plan as a script for psql.
pub fn sql(plan: &Plan) -> String {
    let mut out = String::new();
    header(plan, &mut out);
    for (depth, _, text) in compatibility::lines(plan, None) {
        out.push_str(&format!("-- {}{text}\n", "  ".repeat(depth)));
    }
    for (index, segment) in plan.segments.iter().enumerate() {
        let number = format!("{} of {}", index + 1, plan.segments.len());
        if segment.transactional {
            transaction(plan, segment, &number, &mut out);
        } else {
            alone(plan, segment, &number, &mut out);
        }
    }
    if plan.compatibility.reload {
        out.push_str(&format!("\n{RELOAD};\n"));
    }
    out
}

/// Where the names of the statements are looked up, as SET takes it.
fn path(search_path: &[Ident]) -> String {
    let mut path = Sql::default();
    match search_path {
        [] => path.literal(""),
        names => path.list(&names.iter().map(|name| ident(*name)).collect::<Vec<_>>()),
    };
    path.into_text()
}

fn ident(name: Ident) -> Sql {
    let mut sql = Sql::default();
    sql.ident(name);
    sql
}

fn header(plan: &Plan, out: &mut String) {
    if plan.is_empty() {
        out.push_str("-- Made by schemac. Nothing to do.\n");
        return;
    }
    let transactions = counted(plan.segments.len(), "transaction");
    out.push_str(&format!(
        "-- Made by schemac: {} in {transactions}.\n\
         -- Run it with: psql --no-psqlrc --file=THIS_FILE\n\
         -- When it stops at an error, what was committed stays; make a new script for the rest.\n\
         \\set ON_ERROR_STOP on\n\
         \\set AUTOCOMMIT on\n\
         SET client_encoding = 'UTF8';\n",
        counts(plan)
    ));
}

fn transaction(plan: &Plan, segment: &Segment, number: &str, out: &mut String) {
    out.push_str(&format!(
        "\n-- transaction {number}\n\
         BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE;\n\
         SET LOCAL search_path = {};\n\
         SET LOCAL lock_timeout = '{LOCK_TIMEOUT}'; SET LOCAL statement_timeout = 0;\n\
         {SET_LOCAL};\n",
        path(&plan.search_path)
    ));
    if let Some(lock) = lock(&segment.locks) {
        out.push_str(&format!("{lock};\n"));
    }
    for step in &segment.steps {
        statement(step, out);
    }
    out.push_str("COMMIT;\n");
}

/// What PostgreSQL refuses in a transaction waits for all others, without blocking them: no lock_timeout.
fn alone(plan: &Plan, segment: &Segment, number: &str, out: &mut String) {
    let settings = SET_LOCAL.replace("SET LOCAL ", "SET ");
    out.push_str(&format!(
        "\n-- outside a transaction, {number}\n\
         SET search_path = {};\n\
         SET lock_timeout = 0; SET statement_timeout = 0;\n\
         {settings};\n",
        path(&plan.search_path)
    ));
    for step in &segment.steps {
        statement(step, out);
    }
    let names = settings.split("; ").filter_map(|setting| setting.split(' ').nth(1));
    let all = ["search_path", "lock_timeout", "statement_timeout"].into_iter().chain(names);
    let resets: Vec<String> = all.map(|name| format!("RESET {name};")).collect();
    out.push_str(&format!("{}\n", resets.join(" ")));
}

/// Everything at once and before anything else, so that the transaction waits while it holds nothing. ONLY: partitions
/// that are concerned are named themselves.
fn lock(relations: &[ObjectId]) -> Option<String> {
    let mut relations: Vec<ObjectId> =
        relations.iter().copied().filter(|id| id.kind().can_be_locked()).collect();
    relations.sort_unstable_by_key(|id| (!id.kind().is_view(), *id));
    relations.dedup();
    let only = |name: QName| {
        let mut sql = Sql::new("ONLY");
        sql.name(name);
        sql
    };
    let names: Vec<Sql> = relations.iter().filter_map(|id| id.qname()).map(only).collect();
    if names.is_empty() {
        return None;
    }
    let mut sql = Sql::new("LOCK TABLE");
    sql.list(&names).kw("IN ACCESS EXCLUSIVE MODE");
    Some(sql.into_text())
}

fn statement(step: &PlannedStep, out: &mut String) {
    let comment = one_line(&format!("{}: {}", action(step), reason(step)));
    let text = for_psql(step.sql.trim_end());
    // A comment at the end of the statement would swallow the semicolon.
    let commented = text.lines().next_back().is_some_and(|line| line.contains("--"));
    let end = if commented { "\n;" } else { ";" };
    out.push_str(&format!("-- {comment}\n{text}{end}\n"));
}

/// psql replaces `:name` by its own variable, in an array's slice too; a backslash keeps the colon.
fn for_psql(text: &str) -> String {
    if !text.contains(':') {
        return text.to_owned();
    }
    let Ok(tokens) = parse::tokens(text) else { return text.to_owned() };
    let mut out = String::with_capacity(text.len());
    let mut done = 0;
    for token in tokens.iter().filter(|token| text.get(token.start..token.end) == Some(":")) {
        out.push_str(text.get(done..token.start).unwrap_or_default());
        let next = text.get(token.end..).and_then(|rest| rest.chars().next());
        if next.is_some_and(|c| {
            c.is_ascii_alphanumeric() || !c.is_ascii() || matches!(c, '_' | '\'' | '"' | '{')
        }) {
            out.push('\\');
        }
        done = token.start;
    }
    out.push_str(text.get(done..).unwrap_or_default());
    out
}
