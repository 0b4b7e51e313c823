//! The fixture `disruptor`, end to end: the guide is carried out, eighty-three tables move behind facades, and no client
//! notices. What is expected comes from the flat database and from `by_hand.sql`, never from schemac.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use postgres::Client;
use schemac_tests::rows::{self, Names};
use schemac_tests::servers::{self, As, Database, Server};
use schemac_tests::{clients, crowd, dump, fixture, product};

fn project() -> PathBuf {
    fixture::folder().join("project")
}

fn blocks() -> Vec<clients::Block> {
    clients::parse(&std::fs::read_to_string(fixture::folder().join("clients.sql")).expect("clients.sql"))
        .expect("parses")
}

/// Old and new name of each table that moves, as `by_hand.sql` says.
fn moves() -> BTreeMap<String, String> {
    let script = std::fs::read_to_string(fixture::folder().join("by_hand.sql")).expect("by_hand.sql");
    let calls = script.lines().filter_map(|line| line.strip_prefix("call pg_temp.move('"));
    let moves = calls.map(|call| {
        let words: Vec<&str> = call.trim_end_matches("');").split("', '").collect();
        (words[0].to_owned(), format!("{}.{}", words[1], words[2]))
    });
    moves.collect()
}

fn moved_names() -> Names {
    moves().iter().fold(Names::default(), |names, (old, new)| names.table(old, new))
}

/// The file of each of these tables, and of the partitions below.
fn storage<'a>(admin: &mut Client, tables: impl Iterator<Item = &'a String>) -> Vec<Vec<u32>> {
    tables
        .map(|table| {
            let sql = "SELECT pg_relation_filenode(relid) FROM pg_partition_tree($1::text::regclass) \
                       UNION ALL SELECT pg_relation_filenode($1::text::regclass) ORDER BY 1";
            let rows = admin.query(sql, &[table]).expect("pg_class");
            rows.iter().filter_map(|row| row.get(0)).collect()
        })
        .collect()
}

fn apply(database: &Database<'_>, more: &[&str]) -> product::Run {
    let arguments: Vec<&str> = ["apply", "--yes"].iter().chain(more).copied().collect();
    product::run(&project(), &database.url_as_owner(), &arguments).expect("runs")
}

/// A second diff finds nothing to do, and nothing to say.
#[track_caller]
fn nothing_is_left(database: &Database<'_>) {
    let run = product::run(&project(), &database.url_as_owner(), &["diff", "--exit-code"]).expect("runs");
    assert_eq!(run.expect(0).stderr, "", "{}", run.all());
}

/// The words of a facade's comment are schemac's own.
fn without_facade_comments(dump: &str) -> String {
    let mut out = String::new();
    let mut statement = String::new();
    for line in dump.lines() {
        if statement.is_empty() && !line.starts_with("COMMENT ON VIEW ") {
            out.push_str(line);
            out.push('\n');
            continue;
        }
        statement.push_str(line);
        statement.push('\n');
        if line.ends_with("';") {
            if !statement.contains("Facade: the table is ") {
                out.push_str(&statement);
            }
            statement.clear();
        }
    }
    out
}

#[track_caller]
fn same_clients(what: &str, before: &[clients::Answer], after: &[clients::Answer]) {
    let difference = clients::difference(before, after);
    assert!(difference.is_empty(), "{what}: the clients are answered differently\n{difference}");
}

/// How many of something a diff counted (`--timings`).
#[track_caller]
fn counted(run: &product::Run, what: &str) -> usize {
    let line = run.stderr.lines().find(|line| line.trim_end().ends_with(&format!("     {what}")));
    let number = line.and_then(|line| line.split_whitespace().next());
    number.and_then(|number| number.parse().ok()).unwrap_or_else(|| panic!("{what}: {}", run.all()))
}

#[test]
fn each_text_is_parsed_once() {
    let Some(server) = servers::get(18).or_else(|| servers::all().last()) else { return };
    let database = fixture::flat(server);
    let url = database.url_as_owner();
    let diff = |project: &std::path::Path| {
        let run = product::run(project, &url, &["diff", "--timings", "--no-cache"]).expect("runs");
        run.expect(0);
        run
    };
    // A plan that moves everything, its SQL as people wrote it.
    let run = diff(&project());
    assert!(counted(&run, "texts parsed") > 100, "{}", run.all());
    assert_eq!(counted(&run, "texts parsed again"), 0, "{}", run.all());

    // What the catalog wrote itself is hardly parsed at all.
    let imported = std::env::temp_dir().join(format!("schemac-parsed-{}", std::process::id()));
    let out = imported.to_string_lossy();
    product::finish(product::bare(&["import", "--db", &url, "--profile", "supabase", "--out", &out]))
        .expect("runs")
        .expect(0);
    let own = diff(&imported);
    std::fs::remove_dir_all(&imported).expect("it was written");
    assert!(own.stdout.contains("Nothing to do"), "{}", own.all());
    assert_eq!(counted(&own, "texts parsed again"), 0, "{}", own.all());
    assert!(counted(&own, "texts parsed") < counted(&run, "texts parsed"), "{}", own.all());
}

/// The whole guide on one server. Before 15 views cannot ask as their caller: the facades open what row-level security
/// closes, and have to be allowed.
fn guide_on(major: u32) {
    let Some(server) = servers::get(major) else { return };
    let database = fixture::flat(server);
    let (mut admin, url) = (database.connect(As::Superuser), database.url_as_owner());
    let allow: &[&str] = if major < 15 { &["--allow", "facade-bypasses-rls"] } else { &[] };
    let mut blocks = blocks();
    if major < 15 {
        // Who is above row-level security anyway sees the same, but where it is forced upon the view's owner too.
        let forced = |sql: &String| sql.contains("encrypted_secrets") || sql.contains("mcp_proxy_tokens");
        blocks.retain(|block| block.role == "service_role" && !block.statements.iter().any(forced));
    }
    let before = clients::run(&mut admin, &blocks).expect("the clients run");
    let rows_before = rows::checksums(&mut admin, &moved_names()).expect("rows");
    let files_before = storage(&mut admin, moves().keys());

    product::run(&project(), &url, &["check"]).expect("runs").expect(0);
    let script: Vec<&str> = ["diff", "--format", "sql"].iter().chain(allow).copied().collect();
    let first = product::run(&project(), &url, &script).expect("runs");
    let second = product::run(&project(), &url, &script).expect("runs");
    assert_eq!(first.expect(0).stdout, second.stdout, "the same input gives the same bytes");
    if major < 15 {
        let refused = apply(&database, &[]);
        assert!(refused.expect(3).stderr.contains("facade-bypasses-rls"), "{}", refused.all());
        let untouched = rows::checksums(&mut admin, &moved_names()).expect("rows");
        assert_eq!(rows_before, untouched, "what was refused was done");
    } else {
        // Everything is declared, everything is modelled, and nothing stays open.
        assert_eq!(first.stderr, "", "{}", first.all());
    }
    apply(&database, allow).expect(0);
    nothing_is_left(&database);

    same_clients(
        &format!("PostgreSQL {major}"),
        &before,
        &clients::run(&mut admin, &blocks).expect("the clients run"),
    );
    let rows_after = rows::checksums(&mut admin, &Names::default()).expect("rows");
    assert_eq!(rows_before, rows_after, "rows were changed");
    assert_eq!(files_before, storage(&mut admin, moves().values()), "a table was copied, not moved");

    let hand = fixture::flat(server);
    hand.psql_file(As::Owner, fixture::folder().join("by_hand.sql")).expect("the moves by hand");
    let by_hand = hand.dump();
    let difference = dump::difference(&without_facade_comments(&database.dump()), &by_hand);
    assert!(difference.is_empty(), "PostgreSQL {major}: it differs from the moves by hand\n{difference}");
    let direct = fixture::platform(server);
    apply(&direct, allow).expect(0);
    nothing_is_left(&direct);
    let plain = |dump: &str| trimmed_bodies(&without_identity_grants(&without_facade_comments(dump)));
    let difference = dump::difference(&plain(&by_hand), &plain(&direct.dump()));
    assert!(difference.is_empty(), "PostgreSQL {major}: built directly it is different\n{difference}");
}

/// Privileges on the sequence of an identity column are not declared: nobody needs them to insert.
fn without_identity_grants(dump: &str) -> String {
    let sequences: BTreeSet<&str> =
        dump.lines().filter_map(|line| line.trim().strip_prefix("SEQUENCE NAME ")).collect();
    let is_grant = |line: &str| {
        let rest = line.strip_prefix("GRANT ALL ON SEQUENCE ").and_then(|rest| rest.split_once(" TO "));
        rest.is_some_and(|(name, _)| sequences.contains(name))
    };
    dump.lines().filter(|line| !is_grant(line)).map(|line| format!("{line}\n")).collect()
}

/// Bodies of functions without the white space around them, which files need not have as the database has it.
fn trimmed_bodies(dump: &str) -> String {
    let mut parts = dump.split("\n    AS $");
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (tag, rest) = part.split_once('$').expect("a dollar quote");
        let (body, rest) = rest.split_once(&format!("${tag}$;")).expect("its end");
        out.push_str(&format!("\n    AS ${tag}${}${tag}$;{rest}", body.trim()));
    }
    out
}

#[test]
fn the_guide_on_14() {
    guide_on(14);
}

#[test]
fn the_guide_on_15() {
    guide_on(15);
}

#[test]
fn the_guide_on_16() {
    guide_on(16);
}

#[test]
fn the_guide_on_17() {
    guide_on(17);
}

#[test]
fn the_guide_on_18() {
    guide_on(18);
}

/// The script that `--format sql` gives does the same as `apply`.
#[test]
fn psql_runs_the_script_as_it_is() {
    let Some(server) = servers::get(15) else { return };
    let database = fixture::flat(server);
    let url = database.url_as_owner();
    let script = product::run(&project(), &url, &["diff", "--format", "sql"]).expect("runs");
    database.psql(As::Owner, &script.expect(0).stdout).expect("psql runs the script");
    product::run(&project(), &url, &["diff", "--exit-code"]).expect("runs").expect(0);
}

/// Sixteen clients read and write random tables through the old names while all tables move, and while they move back:
/// nobody gets an error or a wrong answer.
fn sixteen_clients_work_on(major: u32) {
    let Some(shared) = servers::get(major) else { return };
    // One crowd at a time: what is measured is not how they wait for each other's servers.
    static ALONE: Mutex<()> = Mutex::new(());
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    // A server of its own: its log tells who was in a deadlock with whom.
    let server = Server::start(shared.scratch().installation()).expect("a server");
    let database = fixture::flat(&server);
    let first = database.dump();
    let mut blocks = blocks();
    // What asks which rows others have locked is answered by what the others do.
    blocks
        .retain(|block| !block.statements.iter().any(|sql| says(sql, "nowait") || says(sql, "skip locked")));
    let expected = clients::run(&mut database.connect(As::Superuser), &blocks).expect("the clients run");
    let (mut there, mut back) = (None, None);
    let report = crowd::ask_while(
        &database.url_as_superuser(),
        16,
        &blocks,
        &expected,
        &mut [&mut || there = Some(apply(&database, &[])), &mut || back = Some(way_back(&database))],
    );
    there.expect("it ran").expect(0);
    back.expect("it ran").expect(0);
    assert!(report.wrong.is_empty(), "{} wrong answers:\n{}", report.wrong.len(), report.wrong.join("\n"));
    for (what, latency) in ["there", "back"].iter().zip(&report.during) {
        eprintln!("sixteen clients on PostgreSQL {major}, {what}: {latency}");
    }
    eprintln!("sixteen clients on PostgreSQL {major}, quiet: {}", report.quiet);
    // Over rows, that is over transactions, clients wait for each other. A deadlock over a relation would be the move's.
    let log = server.scratch().log();
    let ours: Vec<&str> =
        log.lines().filter(|line| line.contains("waits for") && line.contains(" on relation ")).collect();
    let involved: Vec<&&str> = ours.iter().filter(|line| line.contains("AccessExclusiveLock")).collect();
    assert!(involved.is_empty(), "the move was in a deadlock: {ours:?}");
    let difference = dump::difference(&first, &database.dump());
    assert!(difference.is_empty(), "the way back does not restore the dump\n{difference}");
}

#[test]
fn sixteen_clients_work_on_while_the_tables_move_and_move_back_on_15() {
    sixteen_clients_work_on(15);
}

#[test]
fn sixteen_clients_work_on_while_the_tables_move_and_move_back_on_17() {
    sixteen_clients_work_on(17);
}

#[test]
fn sixteen_clients_work_on_while_the_tables_move_and_move_back_on_18() {
    sixteen_clients_work_on(18);
}

fn way_back(database: &Database<'_>) -> product::Run {
    let arguments = ["rollback", "--yes"];
    product::run(&project(), &database.url_as_owner(), &arguments).expect("runs")
}

fn says(sql: &str, words: &str) -> bool {
    sql.to_lowercase().contains(words)
}

/// A statement that fails in the middle leaves every client working, and applying again finishes.
#[test]
fn a_failure_in_the_middle_leaves_every_client_working() {
    let Some(server) = servers::get(15) else { return };
    let database = fixture::flat(server);
    let (mut admin, url) = (database.connect(As::Superuser), database.url_as_owner());
    let blocks = blocks();
    let before = clients::run(&mut admin, &blocks).expect("the clients run");
    // An event trigger of the platform refuses one of the moves.
    admin
        .batch_execute(
            "create function public.refuse() returns event_trigger language plpgsql as $$ begin \
             if exists (select from pg_event_trigger_ddl_commands() where object_identity = 'security_service.memory_chunks') then \
             raise exception 'not today'; end if; end $$; \
             create event trigger refuse on ddl_command_end when tag in ('ALTER TABLE') execute function public.refuse()",
        )
        .expect("an event trigger");
    let run = product::run(&project(), &url, &["apply", "--yes"]).expect("runs");
    run.expect(1);
    assert!(run.stderr.contains("not today"), "{}", run.all());
    assert!(run.stderr.contains("memory_chunks"), "{}", run.all());
    assert!(run.stderr.contains("security_service.yaml"), "the origin in the files is named: {}", run.all());
    let between = clients::run(&mut admin, &blocks).expect("the clients run");
    let difference = clients::difference(&before, &between);
    assert!(difference.is_empty(), "{difference}");
    admin.batch_execute("drop event trigger refuse; drop function public.refuse()").expect("drops");
    product::run(&project(), &url, &["apply", "--yes"]).expect("runs").expect(0);
    product::run(&project(), &url, &["diff", "--exit-code"]).expect("runs").expect(0);
    let after = clients::run(&mut admin, &blocks).expect("the clients run");
    let difference = clients::difference(&before, &after);
    assert!(difference.is_empty(), "{difference}");
}
