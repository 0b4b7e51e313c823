//! Applies and rollbacks that end in the middle, by a real `kill -9` of schemac and by `pg_terminate_backend`: clients are
//! answered all along, and the same command again goes on and finishes.

use std::cell::Cell;
use std::process::{Child, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use postgres::Client;
use schemac_tests::servers::{self, As, Database, Server};
use schemac_tests::{clients, crowd, dump, fixture, product};

/// How it ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    /// The program is gone, and cannot say a word.
    Killed,
    /// The server ends its session.
    Terminated,
}

/// Where it ends.
#[derive(Clone, Copy, Debug)]
enum Place {
    /// When this many transactions have been committed.
    After(i64),
    /// In the middle of the transaction that moves this table, while it waits for somebody who reads there.
    Moving(&'static str),
}

const PLACES: [(Place, End); 5] = [
    (Place::After(1), End::Killed),
    (Place::Moving("public.memory_entries"), End::Killed),
    (Place::After(12), End::Terminated),
    (Place::After(3), End::Killed),
    (Place::Moving("public.vendor_platform_sessions"), End::Terminated),
];

fn text(admin: &mut Client, question: &str) -> String {
    admin.query_one(question, &[]).expect("an answer").get(0)
}

/// The file of each table, index and sequence, by what never changes.
fn storage(admin: &mut Client) -> String {
    text(
        admin,
        "SELECT string_agg(c.oid || ':' || c.relfilenode, ' ' ORDER BY c.oid) FROM pg_class c \
         JOIN pg_namespace n ON n.oid = c.relnamespace \
         WHERE c.relkind IN ('r', 'S', 'i') AND n.nspname !~ '^(pg_|information_schema|schemac)'",
    )
}

const SESSIONS: &str =
    "FROM pg_stat_activity WHERE application_name = 'schemac' AND datname = current_database()";

#[track_caller]
fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    let begin = Instant::now();
    while !is_so() {
        assert!(begin.elapsed() < Duration::from_secs(120), "it never came to that: {what}");
        sleep(Duration::from_millis(2));
    }
}

/// Starts a command and ends it in the middle.
fn interrupted(database: &Database<'_>, arguments: &[&str], place: Place, end: End) {
    let mut admin = database.connect(As::Superuser);
    let mut reader = database.connect(As::Superuser);
    let known = "SELECT count(*)::text FROM schemac.applies";
    let is_there = text(&mut admin, "SELECT (to_regclass('schemac.applies') IS NOT NULL)::text") == "true";
    let before = if is_there { text(&mut admin, known) } else { "0".to_owned() };
    let mut holding = None;
    if let Place::Moving(table) = place {
        let mut transaction = reader.transaction().expect("begins");
        transaction.batch_execute(&format!("SELECT FROM {table} LIMIT 1")).expect("reads");
        holding = Some(transaction);
    }
    let mut command =
        product::command(&fixture::folder().join("project"), &database.url_as_owner(), arguments);
    // Into a file: a pipe that nobody reads would stop it.
    let heard =
        std::env::temp_dir().join(format!("schemac-interrupted-{}-{}", std::process::id(), database.major()));
    let file = std::fs::File::create(&heard).expect("a file");
    let mut child: Child = command.stdout(Stdio::null()).stderr(file).spawn().expect("it starts");
    let what = format!("{arguments:?} {place:?}");
    wait_until(&what, || {
        if let Some(status) = child.try_wait().expect("a child") {
            panic!("{what}: it was over before: {status}");
        }
        match place {
            Place::After(segments) => {
                let far = "SELECT coalesce(max(segments), 0)::text FROM schemac.applies \
                           WHERE id = (SELECT max(id) FROM schemac.applies)";
                let there = text(&mut admin, "SELECT (to_regclass('schemac.applies') IS NOT NULL)::text");
                there == "true"
                    && text(&mut admin, known) != before
                    && text(&mut admin, far).parse::<i64>().is_ok_and(|far| far >= segments)
            }
            Place::Moving(_) => {
                text(&mut admin, &format!("SELECT count(*)::text {SESSIONS} AND wait_event_type = 'Lock'"))
                    != "0"
            }
        }
    });
    match end {
        End::Killed => child.kill().expect("kill -9"),
        End::Terminated => {
            admin.batch_execute(&format!("SELECT pg_terminate_backend(pid) {SESSIONS}")).expect("ends");
        }
    }
    let status = child.wait().expect("it ended");
    drop(holding);
    let said = std::fs::read_to_string(&heard).expect("what it said");
    std::fs::remove_file(heard).expect("goes");
    match end {
        End::Killed => assert_eq!(status.code(), None, "{what}: {said}"),
        End::Terminated => {
            assert_eq!(status.code(), Some(1), "{what}: {said}");
            // The server's word may be lost with the connection that it was to come by.
            let why = [
                "terminating connection due to administrator command",
                "connection closed",
                "Connection reset",
            ];
            assert!(why.iter().any(|why| said.contains(why)), "{what}: {said}");
        }
    }
    // The server finds out by itself that nobody listens any more.
    wait_until(&what, || text(&mut admin, &format!("SELECT count(*)::text {SESSIONS}")) == "0");
    let state =
        product::run(&fixture::folder().join("project"), &database.url_as_owner(), &["history", "--json"]);
    let state: serde_json::Value =
        serde_json::from_str(&state.expect("runs").expect(0).stdout).expect("JSON");
    let last = state["applies"].as_array().and_then(|all| all.last()).cloned().unwrap_or_default();
    assert_eq!(last["state"], "broken off", "{what}: {last}");
    assert!(last["segments"].as_i64() < last["segments_planned"].as_i64(), "{what}: {last}");
}

fn on(major: u32) {
    let Some(shared) = servers::get(major) else { return };
    // A server of its own: sessions are ended on it.
    let server = Server::start(shared.scratch().installation()).expect("a server");
    let database = fixture::flat(&server);
    let (mut admin, url, project) =
        (database.connect(As::Superuser), database.url_as_owner(), fixture::folder().join("project"));
    let mut blocks =
        clients::parse(&std::fs::read_to_string(fixture::folder().join("clients.sql")).expect("clients.sql"))
            .expect("parses");
    // What asks which rows others have locked is answered by what the others do.
    let asks =
        |sql: &String| ["nowait", "skip locked"].iter().any(|words| sql.to_lowercase().contains(words));
    blocks.retain(|block| !block.statements.iter().any(asks));
    let (first, files) = (database.dump(), storage(&mut admin));
    let expected = clients::run(&mut admin, &blocks).expect("the clients run");
    // A quarter each time, another one every time; the crowd asks at random meanwhile.
    let turn = Cell::new(0);
    let same = |what: &str| {
        turn.set(turn.get() + 1);
        let (mut some, mut answers) = (Vec::new(), Vec::new());
        for (block, answer) in blocks.iter().zip(&expected).skip(turn.get() % 4).step_by(4) {
            some.push(block.clone());
            answers.push(answer.clone());
        }
        let mut client = database.connect(As::Superuser);
        let mut ask = |block| {
            // The crowd writes the same rows meanwhile.
            let mut tries = std::iter::repeat_with(|| clients::run_block(&mut client, block)).take(10);
            let answer = tries.find(|answer| !answer.as_ref().is_ok_and(clients::Answer::is_deadlock));
            answer.expect("one of ten in no deadlock").expect("a client's answer")
        };
        let now: Vec<_> = some.iter().map(&mut ask).collect();
        let difference = clients::difference(&answers, &now);
        assert!(
            difference.is_empty(),
            "PostgreSQL {major}, {what}: they are answered differently\n{difference}"
        );
    };
    let mut there = || {
        for (place, end) in PLACES {
            interrupted(&database, &["apply", "--yes"], place, end);
            same(&format!("an apply was {end:?} {place:?}"));
        }
        product::run(&project, &url, &["apply", "--yes"]).expect("runs").expect(0);
        product::run(&project, &url, &["diff", "--exit-code"]).expect("runs").expect(0);
        same("after the last apply");
        product::run(&project, &url, &["verify"]).expect("runs").expect(0);
    };
    let back = ["rollback", "--to", "1", "--yes"];
    let mut way_back = || {
        for (place, end) in PLACES {
            interrupted(&database, &back, place, end);
            same(&format!("a rollback was {end:?} {place:?}"));
        }
        product::run(&project, &url, &back).expect("runs").expect(0);
        same("after the last rollback");
    };
    let report = crowd::ask_while(
        &database.url_as_superuser(),
        3,
        &blocks,
        &expected,
        &mut [&mut there, &mut way_back],
    );
    assert!(report.wrong.is_empty(), "{} wrong answers:\n{}", report.wrong.len(), report.wrong.join("\n"));
    let difference = dump::difference(&first, &database.dump());
    assert!(difference.is_empty(), "PostgreSQL {major}: the dump is not restored\n{difference}");
    assert_eq!(files, storage(&mut admin), "PostgreSQL {major}: something was made anew");
}

#[test]
fn the_same_command_goes_on_on_15() {
    on(15);
}

#[test]
fn the_same_command_goes_on_on_18() {
    on(18);
}
