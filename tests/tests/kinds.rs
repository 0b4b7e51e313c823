//! Every fixture `fixtures/<kind>/<behaviour>.md`, on live servers, in both directions.
//!
//! Judged by: a second diff is empty, `pg_dump` is equal to that of a database built directly, rows are kept, what
//! loses data is refused unless it was allowed, and where a fixture has a plan, the plan has these statements
//! and no others. `SCHEMAC_CASE=view/` runs some only, `SCHEMAC_VERSIONS=15,18` on some versions only.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::{env, fs, thread};

use postgres::{Client, SimpleQueryMessage};
use schemac_schema::span::Sources;
use schemac_schema::spec;
use schemac_tests::cases::{self, Case, Question};
use schemac_tests::product::{self, Run};
use schemac_tests::rows::{Names, checksums};
use schemac_tests::servers::{self, As, Database, Server};
use schemac_tests::{Result, dump, unified_diff};

/// How many fixtures run at once at least: while one waits for a server, another one computes.
const FEWEST_THREADS: usize = 2;

/// How many lines of a failed run are shown.
const SHOWN: usize = 30;

#[test]
fn every_fixture_can_be_read() {
    let mut failures = Vec::new();
    for case in cases::all().unwrap() {
        for (side, files) in [("before", &case.before), ("after", &case.after)] {
            // Files of SQL are read with the file that includes them, by the test that runs the fixture.
            for (name, text) in files.iter().filter(|(name, _)| !name.ends_with(".sql")) {
                let mut sources = Sources::new();
                let file = sources.add(name.clone(), text.as_str());
                let read = if name == "schemac.yaml" {
                    spec::read_project(&sources, file).map(drop)
                } else {
                    spec::read_domain(&sources, file).map(drop)
                };
                if let Err(diagnostic) = read {
                    failures.push(format!("{} ({side}): {}", case.name, diagnostic.render(&sources, false)));
                }
            }
        }
    }
    assert!(failures.is_empty(), "\n{}", failures.join("\n"));
}

#[test]
fn every_fixture_works_in_both_directions() {
    let wanted = env::var("SCHEMAC_CASE").unwrap_or_default();
    let cases = cases::all().unwrap();
    let mut jobs = Vec::new();
    // Case by case, so that neighbours are on servers of their own and do not wait for each other there.
    let servers: Vec<&Server> = servers::all().collect();
    for case in cases.iter().filter(|case| case.name.contains(&wanted)) {
        let meant = servers.iter().filter(|server| case.versions.contains(&server.major()));
        jobs.extend(meant.map(|server| (*server, case)));
    }
    product::program();
    let threads =
        thread::available_parallelism().map_or(FEWEST_THREADS, |cores| cores.get().max(FEWEST_THREADS));
    let next = AtomicUsize::new(0);
    let failures = Mutex::new(BTreeMap::new());
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while let Some((server, case)) = jobs.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let mut report = Report::default();
                    if let Err(error) = run(server, case, &mut report) {
                        report.add(error.to_string());
                    }
                    if let Some(missing) = &case.open {
                        if report.failures.is_empty() {
                            report.add(format!("this works now, so take the line away: `open: {missing}`"));
                        } else {
                            eprintln!("open: {} on PostgreSQL {}: {missing}", case.name, server.major());
                            report.failures.clear();
                        }
                    }
                    if !report.failures.is_empty() {
                        let key = (case.name.clone(), server.major());
                        failures.lock().unwrap().insert(key, (case, report));
                    }
                }
            });
        }
    });
    let failures = failures.into_inner().unwrap();
    let mut text = String::new();
    for ((name, major), (case, report)) in &failures {
        let _ = writeln!(text, "\n=== {name} on PostgreSQL {major}: {}", case.says);
        for failure in &report.failures {
            let _ = writeln!(text, "--- {}", failure.trim_end());
        }
    }
    let mut names: BTreeMap<&str, Vec<u32>> = BTreeMap::new();
    for (name, major) in failures.keys() {
        names.entry(name).or_default().push(*major);
    }
    for (name, majors) in &names {
        let _ = writeln!(text, "failed: {name} {majors:?}");
    }
    let _ = writeln!(text, "{} of {} runs passed", jobs.len() - failures.len(), jobs.len());
    assert!(failures.is_empty(), "{text}");
    eprint!("{text}");
}

/// What went wrong with one fixture on one server.
#[derive(Default)]
struct Report {
    step: &'static str,
    failures: Vec<String>,
}

impl Report {
    fn add(&mut self, what: String) {
        self.failures.push(format!("{}: {what}", self.step));
    }

    /// Nothing differs, or the difference is a failure.
    fn same(&mut self, what: &str, difference: &str) {
        if !difference.is_empty() {
            self.add(format!("{what}\n{difference}"));
        }
    }
}

/// A database, and who applies plans to it.
struct Site<'a> {
    database: Database<'a>,
    by: As,
}

impl<'a> Deref for Site<'a> {
    type Target = Database<'a>;

    fn deref(&self) -> &Database<'a> {
        &self.database
    }
}

fn run(server: &Server, case: &Case, report: &mut Report) -> Result<()> {
    report.step = "setup";
    for role in &case.roles {
        server.ensure_role(role, "NOLOGIN")?;
    }
    let folder = Folder::new(case, server)?;
    let new_database = || -> Result<Site<'_>> {
        let database = server.database();
        database.psql(As::Superuser, &case.setup)?;
        Ok(Site { database, by: case.by })
    };

    let main = new_database()?;
    report.step = "apply `before` to an empty database";
    expect_code(&apply(&main, &folder.before, Some("all"))?, 0)?;
    report.step = "diff of `before` against itself";
    nothing_to_do(&main, &folder.before, report)?;
    main.psql(As::Superuser, &case.rows)?;
    let dump_before = main.dump();

    if let Some(reason) = &case.refused {
        report.step = "diff to `after`, which is refused";
        for outcome in
            [diff(&main, &folder.after, &["--allow", "all"])?, apply(&main, &folder.after, Some("all"))?]
        {
            expect_code(&outcome, 1)?;
            if !outcome.stderr.contains(reason.as_str()) {
                report.add(format!("the error does not say \"{reason}\"\n{}", words(&outcome)));
            }
        }
        report.same("the database has changed", &dump::difference(&dump_before, &main.dump()));
        return Ok(());
    }

    report.step = "apply `after` to an empty database";
    let direct = new_database()?;
    expect_code(&apply(&direct, &folder.after, Some("all"))?, 0)?;
    nothing_to_do(&direct, &folder.after, report)?;
    let dump_after = direct.dump();
    if let Some(sql) = &case.directly {
        report.step = "the `after` that was built, against its SQL";
        let by_hand = new_database()?;
        by_hand.psql(case.by, sql)?;
        report.same("the dumps differ (old: by hand)", &dump::difference(&by_hand.dump(), &dump_after));
    }

    report.step = "plan to `after`";
    let allow = join(&case.allow);
    check_plan(&main, &folder.after, &allow, case.plan.as_deref(), report)?;
    let rows = Rows::new(case, &columns(&main)?, &columns(&direct)?, report);
    let rows_before = checksums(&mut main.connect(As::Superuser), &rows.before)?;
    if !case.allow.is_empty() {
        report.step = "apply `after` without --allow";
        let outcome = apply(&main, &folder.after, None)?;
        if outcome.code != 3 {
            report.add(format!("exit code 3 is due\n{}", words(&outcome)));
        }
        report.same("the database has changed", &dump::difference(&dump_before, &main.dump()));
    }

    report.step = "apply `after`";
    expect_code(&apply(&main, &folder.after, Some(&allow))?, 0)?;
    report.step = "diff after the apply";
    nothing_to_do(&main, &folder.after, report)?;
    report.step = "after the apply";
    report.same("the dumps differ (old: built directly)", &dump::difference(&dump_after, &main.dump()));
    let rows_after = checksums(&mut main.connect(As::Superuser), &rows.after)?;
    report.same("rows differ", &unified_diff(&lines(&rows_before), &lines(&rows_after), "before", "after"));
    ask(&mut main.connect(As::Superuser), &case.expect, report)?;

    if case.one_way.is_some() {
        return Ok(());
    }
    report.step = "plan back to `before`";
    let allow_back = case.allow_back.as_ref().map_or("all".to_owned(), join);
    check_plan(&main, &folder.before, &allow_back, case.plan_back.as_deref(), report)?;
    report.step = "apply `before` again";
    expect_code(&apply(&main, &folder.before, Some(&allow_back))?, 0)?;
    report.step = "diff after the way back";
    nothing_to_do(&main, &folder.before, report)?;
    report.step = "after the way back";
    report.same("the dumps differ (old: at first)", &dump::difference(&dump_before, &main.dump()));
    let rows_back = checksums(&mut main.connect(As::Superuser), &rows.before)?;
    report.same("rows differ", &unified_diff(&lines(&rows_before), &lines(&rows_back), "before", "back"));
    Ok(())
}

fn join(words: &BTreeSet<String>) -> String {
    words.iter().map(String::as_str).collect::<Vec<_>>().join(",")
}

/// Applies; on PostgreSQL 15 by way of a plan file, which has to do the same and to refuse at least the same.
///
/// A file is judged by its statements alone: what a plan drops and brings back counts as lost there, and needs leave.
/// Where the file is refused, the plan itself decides.
fn apply(database: &Site<'_>, project: &Path, allow: Option<&str>) -> Result<Run> {
    const REFUSED: i32 = 3;
    let mut arguments = vec!["apply", "--yes"];
    if let Some(allow) = allow.filter(|allow| !allow.is_empty()) {
        arguments.extend(["--allow", allow]);
    }
    if database.major() == 15 {
        let file = project.join("plan.json").to_string_lossy().into_owned();
        let saved = diff(database, project, &["--save", &file])?;
        if saved.code != 0 {
            return Ok(saved);
        }
        let from_file = [&arguments[..], &[file.as_str()]].concat();
        let run = product::run(project, &database.url(database.by), &from_file)?;
        if run.code != REFUSED {
            return Ok(run);
        }
    }
    product::run(project, &database.url(database.by), &arguments)
}

fn diff(database: &Site<'_>, project: &Path, more: &[&str]) -> Result<Run> {
    product::run(project, &database.url(database.by), &[&["diff"], more].concat())
}

fn expect_code(outcome: &Run, code: i32) -> Result<()> {
    if outcome.code == code {
        Ok(())
    } else {
        Err(format!("exit code {code} is due\n{}", words(outcome)).into())
    }
}

/// The end of what a run has printed, where it says what went wrong.
fn words(run: &Run) -> String {
    let all = run.all();
    let lines: Vec<&str> = all.lines().collect();
    format!("exit code {}\n{}", run.code, lines[lines.len().saturating_sub(SHOWN)..].join("\n"))
}

fn nothing_to_do(database: &Site<'_>, project: &Path, report: &mut Report) -> Result<()> {
    let outcome = diff(database, project, &["--exit-code"])?;
    if outcome.code != 0 {
        report.add(format!("nothing should be left to do\n{}", words(&outcome)));
    }
    Ok(())
}

/// The plan is the same twice, to the byte, and has the statements that the fixture says.
fn check_plan(
    database: &Site<'_>,
    project: &Path,
    allow: &str,
    expected: Option<&[String]>,
    report: &mut Report,
) -> Result<()> {
    let flags: &[&str] =
        if allow.is_empty() { &["--format", "sql"] } else { &["--format", "sql", "--allow", allow] };
    let outcome = diff(database, project, flags)?;
    expect_code(&outcome, 0)?;
    let Some(expected) = expected else { return Ok(()) };
    let text = |statements: &[String]| statements.iter().fold(String::new(), |text, line| text + line + "\n");
    let actual = cases::plan(&outcome.stdout);
    report.same("another plan", &unified_diff(&text(expected), &text(&actual), "expected", "actual"));
    let again = diff(database, project, flags)?;
    report
        .same("the plan is not the same twice", &unified_diff(&outcome.stdout, &again.stdout, "one", "two"));
    Ok(())
}

fn lines(sums: &BTreeMap<String, (i64, String)>) -> String {
    sums.iter()
        .fold(String::new(), |text, (name, (count, sum))| format!("{text}{name}: {count} rows, {sum}\n"))
}

/// What of the rows is compared, under which names.
struct Rows {
    before: Names,
    after: Names,
}

/// Per table its columns, and whether each is generated.
type Columns = BTreeMap<String, BTreeMap<String, bool>>;

impl Rows {
    fn new(case: &Case, before: &Columns, after: &Columns, report: &mut Report) -> Self {
        let mut rows = Rows { before: Names::default(), after: Names::default() };
        let new_table = |name: &str| {
            let moved = case.moved.iter().find(|(old, _)| old == name);
            moved.map_or(name.to_owned(), |(_, new)| new.clone())
        };
        let new_column = |table: &str, name: &str| {
            let renamed = case.renamed.iter().find(|(of, old, _)| of == table && old == name);
            renamed.map_or(name.to_owned(), |(_, _, new)| new.clone())
        };
        let may_lose = |what: &str| case.allow.contains("all") || case.allow.contains(what);
        let mut seen: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for (old, columns) in before {
            let new = new_table(old);
            let Some(new_columns) = after.get(&new) else {
                rows.before = rows.before.without_table(old);
                if !may_lose("drop-table") {
                    report
                        .add(format!("the fixture loses the table {old}, but its `allow:` does not say so"));
                }
                continue;
            };
            rows.before = rows.before.table(old, &new);
            let seen = seen.entry(new.clone()).or_default();
            for (column, generated) in columns {
                let other = new_column(&new, column);
                if !new_columns.contains_key(&other) && !generated && !may_lose("drop-column") {
                    report.add(format!("the fixture loses {old}.{column}, but its `allow:` does not say so"));
                }
                if new_columns.contains_key(&other) && !case.changed.contains(&(new.clone(), other.clone())) {
                    rows.before = rows.before.column(old, column, &other);
                    seen.insert(other);
                } else {
                    rows.before = rows.before.without_column(old, column);
                }
            }
        }
        for (table, columns) in after {
            let Some(seen) = seen.get(table) else {
                rows.after = rows.after.without_table(table);
                continue;
            };
            for column in columns.keys().filter(|column| !seen.contains(*column)) {
                rows.after = rows.after.without_column(table, column);
            }
        }
        rows
    }
}

fn columns(database: &Database<'_>) -> Result<Columns> {
    let mut columns = Columns::new();
    let rows = database.connect(As::Superuser).query(
        "SELECT n.nspname || '.' || c.relname, a.attname::text, a.attgenerated <> ''
         FROM pg_class c
         JOIN pg_namespace n ON n.oid = c.relnamespace
         LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
         WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition
           AND n.nspname !~ '^pg_' AND n.nspname NOT IN ('information_schema', 'schemac')",
        &[],
    )?;
    for row in rows {
        let of = columns.entry(row.get(0)).or_default();
        if let Some(name) = row.get::<_, Option<String>>(1) {
            of.insert(name, row.get(2));
        }
    }
    Ok(columns)
}

/// Runs the questions in a transaction that is rolled back.
fn ask(client: &mut Client, questions: &[Question], report: &mut Report) -> Result<()> {
    let mut transaction = client.transaction()?;
    for question in questions {
        let mut savepoint = transaction.savepoint("question")?;
        let answer = match savepoint.simple_query(&question.sql) {
            Ok(messages) => {
                savepoint.commit()?;
                messages.iter().filter_map(row).collect()
            }
            Err(error) => {
                let code =
                    error.code().map(|code| code.code().to_owned()).ok_or_else(|| error.to_string())?;
                savepoint.rollback()?;
                if question.answer.is_none() {
                    report.add(format!("line {}: {}\n{error:?}", question.line, question.sql));
                }
                vec![format!("error {code}")]
            }
        };
        if let Some(expected) = question.answer.as_ref().filter(|expected| **expected != answer) {
            report.add(format!(
                "line {}: {}\nexpected {expected:?}\nanswered {answer:?}",
                question.line, question.sql
            ));
        }
    }
    transaction.rollback()?;
    Ok(())
}

fn row(message: &SimpleQueryMessage) -> Option<String> {
    let SimpleQueryMessage::Row(row) = message else { return None };
    let values: Vec<&str> = (0..row.len()).map(|at| row.get(at).unwrap_or("null")).collect();
    Some(values.join(" | "))
}

/// Both projects of a fixture on disk, gone at the end.
struct Folder {
    root: PathBuf,
    before: PathBuf,
    after: PathBuf,
}

impl Folder {
    fn new(case: &Case, server: &Server) -> Result<Self> {
        let name = format!("{}-{}-{}", case.name.replace('/', "-"), server.major(), std::process::id());
        let root = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        let folder = Folder { before: root.join("before"), after: root.join("after"), root };
        for (project, files) in [(&folder.before, &case.before), (&folder.after, &case.after)] {
            cases::write(project, files)?;
        }
        Ok(folder)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.root);
    }
}
