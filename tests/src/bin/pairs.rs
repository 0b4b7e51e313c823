//! Migrates between the states that SQL scripts leave behind: loads a script statement by statement without stopping
//! on errors, and takes the database after each stretch of it as a state.
//!
//! With `--from A.sql --to B.sql`, or a folder that has `a.sql` and `b.sql` (a missing one is an empty database), two
//! scripts are the two states instead: each is loaded whole, without an error, and nothing is dropped from it.
//!
//! Each state is imported (its own diff is empty, a database built from the files has the same dump); between
//! neighbouring states, between each state and an empty database, and between the last and the first, the import of
//! one is applied to a copy of the other (the second diff is empty, the dumps are equal). What schemac does not model
//! is dropped from the states beforehand, unless `--keep-unmodelled`. The files are arguments: nothing of them belongs
//! to schemac.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use postgres::{Client, SimpleQueryMessage};
use schemac_tests::product::{self, Run};
use schemac_tests::servers::{self, As, Database, Server};
use schemac_tests::{Result, dump, rows, script};

struct Wishes {
    files: Vec<PathBuf>,
    /// The two states of one comparison, beside those of the folders among `files`.
    from: Option<PathBuf>,
    to: Option<PathBuf>,
    /// Prints what is planned between two states.
    plans: bool,
    major: u32,
    states: usize,
    keep: bool,
    no_drops: bool,
    verbose: bool,
    prelude: Option<PathBuf>,
}

fn main() -> ExitCode {
    let mut wishes = Wishes {
        files: Vec::new(),
        from: None,
        to: None,
        plans: false,
        major: 18,
        states: 4,
        keep: false,
        no_drops: false,
        verbose: false,
        prelude: None,
    };
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--verbose" => wishes.verbose = true,
            "--plans" => wishes.plans = true,
            "--from" => wishes.from = arguments.next().map(PathBuf::from),
            "--to" => wishes.to = arguments.next().map(PathBuf::from),
            "--keep-unmodelled" => wishes.keep = true,
            "--no-drops" => wishes.no_drops = true,
            "--version" => wishes.major = arguments.next().and_then(|text| text.parse().ok()).unwrap_or(18),
            "--states" => wishes.states = arguments.next().and_then(|text| text.parse().ok()).unwrap_or(4),
            "--prelude" => wishes.prelude = arguments.next().map(PathBuf::from),
            _ => wishes.files.push(argument.into()),
        }
    }
    // What each run is about, and the two scripts where these are a state each; one that is missing is an empty database.
    let mut runs: Vec<(PathBuf, Option<[Option<PathBuf>; 2]>)> = Vec::new();
    for file in &wishes.files {
        let script = |name: &str| Some(file.join(name)).filter(|path| path.is_file());
        runs.push((file.clone(), file.is_dir().then(|| [script("a.sql"), script("b.sql")])));
    }
    if let Some(file) = wishes.to.as_ref().or(wishes.from.as_ref()) {
        runs.push((file.clone(), Some([wishes.from.clone(), wishes.to.clone()])));
    }
    let Some(server) = servers::get(wishes.major).filter(|_| !runs.is_empty()) else {
        eprintln!(
            "usage: script/pairs [--version 18] [--states 4] [--prelude FILE] [--keep-unmodelled] [--no-drops] [--verbose] FILE.sql …\n       \
             script/pairs [--version 18] [--plans] [--verbose] (FOLDER … | --from A.sql --to B.sql)"
        );
        return ExitCode::FAILURE;
    };
    let mut well = true;
    for (file, scripts) in runs {
        let name = file.file_stem().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let mut report = Report { name, verbose: wishes.verbose, checks: 0, failures: 0 };
        if let Err(error) = one(&wishes, server, &file, scripts, &mut report) {
            report.failed("the run", &error.to_string());
        }
        println!("{:<24} {} of {} checks failed", report.name, report.failures, report.checks);
        well &= report.failures == 0;
        forget_roles(server);
    }
    if well { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

struct Report {
    name: String,
    verbose: bool,
    checks: usize,
    failures: usize,
}

impl Report {
    /// One check; what is said is what went wrong.
    fn check(&mut self, what: &str, said: &str) {
        self.checks += 1;
        if !said.is_empty() {
            self.failed(what, said);
        }
    }

    fn failed(&mut self, what: &str, said: &str) {
        const LINES: usize = 60;
        self.failures += 1;
        println!("FAILED {}: {what}", self.name);
        let all: Vec<&str> = said.lines().collect();
        let (first, last) = all.split_at(if self.verbose { all.len() } else { all.len().min(LINES / 2) });
        for line in first.iter().chain(&last[last.len().saturating_sub(LINES / 2)..]) {
            println!("    {line}");
        }
    }

    fn code(&mut self, what: &str, run: &Run) -> bool {
        let tail = |text: &str| {
            let lines: Vec<&str> = text.lines().collect();
            lines[lines.len().saturating_sub(40)..].join("\n")
        };
        let panicked = run.stderr.contains("panicked");
        let said = if run.code == 0 && !panicked {
            String::new()
        } else {
            format!("exit code {}\n{}\n{}", run.code, tail(&run.stdout), tail(&run.stderr))
        };
        self.check(what, &said);
        said.is_empty()
    }
}

/// A database, its import and its dumps.
struct State<'a> {
    label: String,
    database: Database<'a>,
    folder: PathBuf,
    dump: String,
    /// What a dump restores: PostgreSQL does not read all of its own words as it wrote them.
    restored: Option<String>,
    /// Whether its files compare owners: they do where there are several.
    owners: bool,
}

impl State<'_> {
    /// What differs from this state, if it differs from both of its dumps.
    fn difference(&self, other: &str) -> String {
        let mentioned = |dump: &str| match self.owners {
            true => dump.to_owned(),
            false => dump.lines().filter(|line| !line.contains(" OWNER TO ")).collect::<Vec<_>>().join("\n"),
        };
        let other = &mentioned(other);
        let first = dump::difference(&mentioned(&self.dump), other);
        match &self.restored {
            _ if first.is_empty() => first,
            Some(restored) if dump::difference(&mentioned(restored), other).is_empty() => String::new(),
            _ => first,
        }
    }
}

/// A run over one script, or over two that are a state each.
fn one(
    wishes: &Wishes,
    server: &'static Server,
    file: &Path,
    scripts: Option<[Option<PathBuf>; 2]>,
    report: &mut Report,
) -> Result<()> {
    let out = std::env::temp_dir().join(format!("schemac-pairs-{}-{}", std::process::id(), report.name));
    let found = match scripts {
        Some(scripts) => two(wishes, server, scripts, &out, report),
        None => states(wishes, server, file, &out, report),
    };
    let _ = fs::remove_dir_all(&out);
    found
}

fn states(
    wishes: &Wishes,
    server: &'static Server,
    file: &Path,
    out: &Path,
    report: &mut Report,
) -> Result<()> {
    let text = String::from_utf8_lossy(&fs::read(file)?).into_owned();
    let prelude = match &wishes.prelude {
        Some(file) => script::statements(&fs::read_to_string(file)?),
        None => Vec::new(),
    };
    let mut statements = Vec::new();
    let mut ends = Vec::new();
    for part in parts(&text) {
        statements.extend(script::statements(&part));
        if wishes.no_drops {
            statements.retain(|statement| !takes_away(statement));
        }
        ends.push(statements.len());
    }
    if ends.len() == 1 {
        ends = (1..=wishes.states).map(|number| statements.len() * number / wishes.states).collect();
    }
    let mut states: Vec<State<'_>> = Vec::new();
    let empty = state(wishes, server, "empty", &prelude, &out.join("empty"), report)?;
    for (number, until) in ends.into_iter().enumerate() {
        let all: Vec<String> = prelude.iter().chain(&statements[..until]).cloned().collect();
        let label = format!("{until} of {} statements", statements.len());
        if let Some(state) = state(wishes, server, &label, &all, &out.join(number.to_string()), report)? {
            let fresh = server.database();
            let run = apply(&fresh, &state.folder)?;
            if report.code(&format!("{label}: build from the import"), &run) {
                settled(&fresh, &state, &format!("{label}: built from the import"), report)?;
            }
            states.push(state);
        }
    }
    let Some(empty) = empty else { return Ok(()) };
    for state in &states {
        if state.difference(&empty.dump).is_empty() {
            continue;
        }
        let copy = copy(server, &state.database)?;
        migrate(&copy, state, &empty, report)?;
    }
    let last = states.len().saturating_sub(1);
    let mut pairs: Vec<(usize, usize)> = (1..states.len()).map(|next| (next - 1, next)).collect();
    pairs.extend((last > 1).then_some((0, last)));
    for (from, to) in pairs {
        let copy = copy(server, &states[from].database)?;
        if migrate(&copy, &states[from], &states[to], report)? {
            migrate(&copy, &states[to], &states[from], report)?;
        }
    }
    Ok(())
}

/// From either of two states to the other and to nothing, with the rows that the scripts leave behind.
fn two(
    wishes: &Wishes,
    server: &'static Server,
    scripts: [Option<PathBuf>; 2],
    out: &Path,
    report: &mut Report,
) -> Result<()> {
    let mut states = Vec::new();
    for (label, script) in [("empty", None), ("a", scripts[0].as_ref()), ("b", scripts[1].as_ref())] {
        let database = server.database();
        if let Some(script) = script {
            let said = database.psql_file(As::Superuser, script).err();
            report.check(
                &format!("{label}: load"),
                &said.as_ref().map(ToString::to_string).unwrap_or_default(),
            );
            if said.is_some() {
                return Ok(());
            }
        }
        let Some(state) = imported(wishes, label, database, &out.join(label), report)? else { return Ok(()) };
        states.push(state);
    }
    let [empty, a, b] = &states[..] else { return Ok(()) };
    for (state, other) in [(a, b), (b, a)] {
        let fresh = server.database();
        migrate(&fresh, empty, state, report)?;
        let copied = copy(server, &state.database)?;
        if wishes.plans {
            let run = product::run(&other.folder, &copied.url_as_superuser(), &["diff"])?;
            println!(
                "---- {}: {} -> {}\n{}{}",
                report.name, state.label, other.label, run.stdout, run.stderr
            );
        }
        let before = rows::checksums(&mut copied.connect(As::Superuser), &rows::Names::default())?;
        let failures = report.failures;
        if migrate(&copied, state, other, report)? {
            let after = rows::checksums(&mut copied.connect(As::Superuser), &rows::Names::default())?;
            let gone =
                before.iter().filter(|(name, (rows, _))| after.get(*name).is_some_and(|(now, _)| now < rows));
            let gone: Vec<&str> = gone.map(|(name, _)| name.as_str()).collect();
            report.check(&format!("{} -> {}: rows of", state.label, other.label), &gone.join(", "));
            migrate(&copied, other, state, report)?;
        }
        println!(
            "{:<24} {} -> {}: {}",
            report.name,
            state.label,
            other.label,
            if report.failures == failures { "well" } else { "FAILED" }
        );
        let copied = copy(server, &state.database)?;
        migrate(&copied, state, empty, report)?;
    }
    Ok(())
}

/// The stretches that lines `-- state` divide a script into.
fn parts(text: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    for line in text.lines() {
        match parts.last_mut() {
            Some(part) if line.trim() != "-- state" => {
                part.push_str(line);
                part.push('\n');
            }
            _ => parts.push(String::new()),
        }
    }
    parts
}

/// Whether a statement drops a whole object, or is about transactions: without them more remains.
fn takes_away(statement: &str) -> bool {
    let start = statement.trim_start().to_ascii_lowercase();
    let words: Vec<&str> = start.split_ascii_whitespace().take(2).collect();
    matches!(
        words.as_slice(),
        ["drop", ..]
            | ["begin" | "commit" | "rollback" | "abort" | "savepoint" | "release", ..]
            | ["start", "transaction"]
    )
}

/// Applies the files of one state to a copy of another.
fn migrate(copy: &Database<'_>, from: &State<'_>, to: &State<'_>, report: &mut Report) -> Result<bool> {
    let label = format!("{} -> {}", from.label, to.label);
    let run = apply(copy, &to.folder)?;
    Ok(report.code(&label, &run) && settled(copy, to, &label, report)?)
}

/// Nothing is left to do, and the dump is the state's.
fn settled(database: &Database<'_>, state: &State<'_>, label: &str, report: &mut Report) -> Result<bool> {
    let failures = report.failures;
    let run = product::run(&state.folder, &database.url_as_superuser(), &["diff", "--exit-code"])?;
    report.code(&format!("{label}: second diff"), &run);
    report.check(&format!("{label}: dumps (old: the state)"), &state.difference(&database.dump()));
    Ok(report.failures == failures)
}

fn apply(database: &Database<'_>, folder: &Path) -> Result<Run> {
    product::run(folder, &database.url_as_superuser(), &["apply", "--yes", "--allow", "all"])
}

/// The state after some statements, whatever each of them said.
fn state<'a>(
    wishes: &Wishes,
    server: &'a Server,
    label: &str,
    statements: &[String],
    folder: &Path,
    report: &mut Report,
) -> Result<Option<State<'a>>> {
    let database = server.database();
    {
        let mut client = database.connect(As::Superuser);
        client.batch_execute("SET statement_timeout = '10s'; SET client_min_messages = error")?;
        for statement in statements {
            if client.is_closed() {
                client = database.connect(As::Superuser);
            }
            let _ = client.batch_execute(statement);
        }
    }
    let mut client = database.connect(As::Superuser);
    scrub(&mut client, wishes.keep)?;
    drop(client);
    imported(wishes, label, database, folder, report)
}

/// The state that a database has; none where there is no import.
fn imported<'a>(
    wishes: &Wishes,
    label: &str,
    database: Database<'a>,
    folder: &Path,
    report: &mut Report,
) -> Result<Option<State<'a>>> {
    let path = folder.to_string_lossy().into_owned();
    let mut command = product::bare(&["import", "--out", &path]);
    command.env("DATABASE_URL", database.url_as_superuser());
    let run = product::finish(command)?;
    if !report.code(&format!("{label}: import"), &run) {
        return Ok(None);
    }
    let missing: Vec<&str> =
        run.stderr.lines().filter(|line| line.starts_with("warning: not in the files")).collect();
    if !wishes.keep && label != "empty" {
        report.check(&format!("{label}: everything is in the files"), &missing.join("\n"));
    }
    let project = folder.join("schemac.yaml");
    let text = fs::read_to_string(&project)?.replace("undeclared: report", "undeclared: drop");
    let owners = text.contains("owners: true");
    fs::write(&project, text)?;
    let run = product::run(folder, &database.url_as_superuser(), &["diff", "--exit-code"])?;
    report.code(&format!("{label}: own diff"), &run);
    let restored = database.restored().map(|restored| restored.dump()).ok();
    let dump = database.dump();
    if wishes.verbose {
        println!("{label}: {}", run.stdout.lines().last().unwrap_or_default());
    }
    Ok(Some(State { label: label.to_owned(), database, folder: folder.to_owned(), dump, restored, owners }))
}

/// Takes the rows away, which would be in the way for their own reasons, and what is not modelled.
fn scrub(client: &mut Client, keep: bool) -> Result<()> {
    let _ = client.batch_execute(
        "DO $$ DECLARE one text; BEGIN
           FOR one IN SELECT pg_catalog.quote_ident(evtname) FROM pg_catalog.pg_event_trigger LOOP
             EXECUTE pg_catalog.format('ALTER EVENT TRIGGER %s DISABLE', one);
           END LOOP; END $$",
    );
    let _ = client.batch_execute(
        "DO $$ DECLARE one regclass; BEGIN
           SET LOCAL session_replication_role = replica;
           FOR one IN SELECT oid FROM pg_catalog.pg_class WHERE relkind = 'r' AND oid >= 16384 AND relpersistence <> 't' LOOP
             BEGIN EXECUTE pg_catalog.format('TRUNCATE TABLE %s CASCADE', one); EXCEPTION WHEN OTHERS THEN NULL; END;
           END LOOP; END $$",
    );
    if keep {
        return Ok(());
    }
    // Several times, since what goes takes others along, and some come in each other's way.
    for _ in 0..3 {
        let mut drops = Vec::new();
        for message in client.simple_query(UNMODELLED)? {
            if let SimpleQueryMessage::Row(row) = message {
                drops.extend(row.get(0).map(str::to_owned));
            }
        }
        if drops.is_empty() {
            break;
        }
        for one in drops {
            let mut sql = String::new();
            let _ = write!(sql, "{one}");
            let _ = client.batch_execute(&sql);
        }
    }
    Ok(())
}

/// Statements that drop what schemac does not model.
const UNMODELLED: &str = "
SELECT pg_catalog.format('DROP EVENT TRIGGER %I', evtname) FROM pg_catalog.pg_event_trigger
UNION ALL SELECT pg_catalog.format('DROP SUBSCRIPTION %I', subname) FROM pg_catalog.pg_subscription s JOIN pg_catalog.pg_database d ON d.oid = s.subdbid AND d.datname = current_database()
UNION ALL SELECT pg_catalog.format('DROP RULE %I ON %s', rulename, ev_class::regclass) FROM pg_catalog.pg_rewrite WHERE oid >= 16384 AND ev_type <> '1'
UNION ALL SELECT pg_catalog.format('DROP FOREIGN DATA WRAPPER %I CASCADE', fdwname) FROM pg_catalog.pg_foreign_data_wrapper WHERE oid >= 16384
UNION ALL SELECT pg_catalog.format('DROP %s %s CASCADE', CASE WHEN i.type = 'operator of access method' THEN 'x' ELSE i.type END, i.identity)
  FROM (SELECT 2605 AS class, oid FROM pg_catalog.pg_cast c WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_depend d WHERE d.classid = 2605 AND d.objid = c.oid AND d.deptype = 'i')
    UNION ALL SELECT 2617, oid FROM pg_catalog.pg_operator
    UNION ALL SELECT 2616, oid FROM pg_catalog.pg_opclass
    UNION ALL SELECT 2753, oid FROM pg_catalog.pg_opfamily
    UNION ALL SELECT 2607, oid FROM pg_catalog.pg_conversion
    UNION ALL SELECT 3602, oid FROM pg_catalog.pg_ts_config
    UNION ALL SELECT 3600, oid FROM pg_catalog.pg_ts_dict
    UNION ALL SELECT 3601, oid FROM pg_catalog.pg_ts_parser
    UNION ALL SELECT 3764, oid FROM pg_catalog.pg_ts_template
    UNION ALL SELECT 2601, oid FROM pg_catalog.pg_am
    UNION ALL SELECT 3576, oid FROM pg_catalog.pg_transform
    UNION ALL SELECT 3456, oid FROM pg_catalog.pg_collation
    UNION ALL SELECT 2612, oid FROM pg_catalog.pg_language
    UNION ALL SELECT 1247, oid FROM pg_catalog.pg_type t WHERE typtype = 'b' AND NOT EXISTS (SELECT FROM pg_catalog.pg_type e WHERE e.typarray = t.oid)
    UNION ALL SELECT 1247, oid FROM pg_catalog.pg_type t WHERE typtype = 'p' AND NOT typisdefined
    UNION ALL SELECT 1255, oid FROM pg_catalog.pg_proc WHERE prolang IN (12, 13)
  ) o CROSS JOIN LATERAL pg_catalog.pg_identify_object(o.class, o.oid, 0) i WHERE o.oid >= 16384";

/// A copy of a database that nobody is connected to.
fn copy<'a>(server: &'a Server, original: &Database<'_>) -> Result<Database<'a>> {
    server.copy(original)
}

/// Roles are the cluster's: what a script left behind is not the next one's.
fn forget_roles(server: &Server) {
    let _ = server.execute(
        "DO $$ DECLARE one text; BEGIN
           FOR one IN SELECT rolname FROM pg_roles WHERE rolname LIKE 'regress%' LOOP
             BEGIN EXECUTE format('DROP ROLE %I', one); EXCEPTION WHEN OTHERS THEN NULL; END;
           END LOOP; END $$",
    );
}
