//! Plans run among clients, and stop at a boundary.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use schemac_compiler::apply::{ApplyError, ApplyOptions, Progress, Quiet, Retry, apply};
use schemac_compiler::connect::connect_with;
use schemac_compiler::plan::{Because, Plan, PlannedStep, Segment, Verb};
use schemac_schema::id::ObjectId;
use schemac_tests::made::table;
use schemac_tests::servers::{self, As, Database};

use crate::{no_environment, value};

fn step(object: ObjectId, sql: &str) -> PlannedStep {
    PlannedStep {
        object,
        verb: Verb::Alter,
        sql: sql.into(),
        impact: Default::default(),
        because: Because::Declared,
        span: None,
        texts: None,
    }
}

fn segment(locks: &[ObjectId], steps: Vec<PlannedStep>) -> Segment {
    Segment { steps, transactional: true, locks: locks.to_vec() }
}

fn plan(segments: Vec<Segment>) -> Plan {
    Plan { segments, search_path: vec!["app".into(), "Odd \"one".into()], ..Plan::default() }
}

/// Moves `public.tN` behind a facade.
fn moves(count: usize) -> Plan {
    let segments = (0..count).map(|number| {
        let (name, id) = (format!("t{number}"), table("public", &format!("t{number}")));
        segment(
            &[id],
            vec![
                step(id, &format!("ALTER TABLE public.{name} SET SCHEMA app")),
                step(id, &format!("CREATE VIEW public.{name} AS SELECT * FROM app.{name}")),
            ],
        )
    });
    plan(segments.collect())
}

fn tables(database: &Database<'_>, count: usize) {
    database.execute("create schema app").unwrap();
    for number in 0..count {
        let sql = format!(
            "create table public.t{number} (id serial primary key, n int); insert into public.t{number} (n) values (1)"
        );
        database.execute(&sql).unwrap();
    }
}

#[derive(Default)]
struct Heard {
    started: usize,
    finished: usize,
    retries: usize,
}

impl Progress for Heard {
    fn started(&mut self, _: usize, _: usize, _: &Segment) {
        self.started += 1;
    }
    fn retrying(&mut self, _: &Retry<'_>) {
        self.retries += 1;
    }
    fn finished(&mut self, _: usize, _: usize, _: Duration) {
        self.finished += 1;
    }
}

#[test]
fn apply_gets_through_among_sixteen_clients_and_hurts_none() {
    for major in [15, 18] {
        let Some(server) = servers::get(major) else { continue };
        let database = server.database();
        tables(&database, 15);
        let (stop, rounds) = (AtomicBool::new(false), AtomicUsize::new(0));
        thread::scope(|scope| {
            for client in 0..16 {
                let (database, stop, rounds) = (&database, &stop, &rounds);
                scope.spawn(move || {
                    let mut connection = database.connect(As::Owner);
                    let mut at = client;
                    while !stop.load(Ordering::Relaxed) {
                        at = (at * 7 + 3) % 15;
                        let (one, two) = (at, (at + client) % 15);
                        // Some hold their locks for a while.
                        let pause = if client % 4 == 0 { "select pg_sleep(0.2);" } else { "" };
                        let sql = format!(
                            "begin; select * from public.t{one} where id = 1; insert into public.t{two} (n) values (2); \
                             {pause} commit"
                        );
                        if let Err(error) = connection.batch_execute(&sql) {
                            stop.store(true, Ordering::Relaxed);
                            panic!("client {client}: {error:?}");
                        }
                        rounds.fetch_add(1, Ordering::Relaxed);
                    }
                });
            }
            let mut heard = Heard::default();
            let begin = Instant::now();
            let options =
                ApplyOptions { lock_timeout: Duration::from_millis(100), retries: 60, ..Default::default() };
            let outcome = apply(&mut database.connect(As::Owner), &moves(15), &options, &mut heard);
            stop.store(true, Ordering::Relaxed);
            let applied = outcome.unwrap();
            eprintln!(
                "PostgreSQL {major}: 15 moves among 16 clients in {:.0?}, {} retries, {} rounds of clients",
                begin.elapsed(),
                applied.retries,
                rounds.load(Ordering::Relaxed)
            );
            assert_eq!((applied.segments, applied.steps, heard.started, heard.finished), (15, 30, 15, 15));
            assert_eq!(heard.retries as u32, applied.retries);
        });
    }
}

#[test]
fn a_segment_that_stays_locked_is_tried_so_often_and_leaves_nothing() {
    let Some(server) = servers::get(15) else { return };
    let database = server.database();
    tables(&database, 3);
    let mut holder = database.connect(As::Owner);
    holder.batch_execute("begin; insert into public.t1 (n) values (5)").unwrap();
    let mut client = database.connect(As::Owner);
    let options = ApplyOptions { lock_timeout: Duration::from_millis(50), retries: 2, ..Default::default() };
    let mut heard = Heard::default();
    let error = apply(&mut client, &moves(3), &options, &mut heard).unwrap_err();
    let ApplyError::Statement(failed) = &error else { panic!("{error}") };
    assert_eq!((failed.error.sqlstate.as_str(), failed.segment, failed.boundary), ("55P03", 2, 1));
    assert_eq!((failed.retries, heard.retries, heard.finished), (2, 2, 1));
    assert_eq!(failed.statement, "LOCK TABLE ONLY public.t1 IN ACCESS EXCLUSIVE MODE");
    assert!(error.to_string().contains("behind segment 1; the same command again"), "{error}");
    // One transaction for all leaves nothing at all.
    holder.batch_execute("rollback").unwrap();
    let mut rest = moves(3);
    rest.segments.remove(0);
    rest.segments.push(segment(&[], vec![step(table("app", "x"), "SELECT 1/0")]));
    let single = ApplyOptions { single_transaction: true, ..options.clone() };
    let error = apply(&mut client, &rest, &single, &mut Quiet).unwrap_err();
    assert!(error.to_string().contains("nothing was changed"), "{error}");
    assert_eq!(value(&mut client, "select to_regclass('app.t1')"), "(null)");
    rest.segments.pop();
    let applied = apply(&mut client, &rest, &single, &mut Quiet).unwrap();
    assert_eq!((applied.segments, applied.steps), (2, 4));
}

#[test]
fn a_statement_that_fails_leaves_the_database_at_a_boundary() {
    for major in [15, 18] {
        let Some(server) = servers::get(major) else { continue };
        let database = server.database();
        tables(&database, 3);
        let mut broken = moves(3);
        let second = table("public", "t1");
        let wrong = step(second, "ALTER TABLE app.t1 ADD CONSTRAINT c CHECK (n > 1)");
        broken.segments[1].steps.push(wrong.clone());
        let mut client = database.connect(As::Owner);
        let error = apply(&mut client, &broken, &ApplyOptions::default(), &mut Quiet).unwrap_err();
        let ApplyError::Statement(failed) = &error else { panic!("{error}") };
        assert_eq!((failed.segment, failed.segments, failed.boundary, failed.certain), (2, 3, 1, true));
        assert_eq!((failed.object, failed.statement.as_str()), (Some(second), wrong.sql.as_str()));
        assert_eq!(failed.error.sqlstate, "23514");
        assert!(error.to_string().contains("segment 2 of 3 failed at table public.t1"), "{error}");
        // Every client still works, through the old names.
        let mut owner = database.connect(As::Owner);
        for number in 0..3 {
            owner.batch_execute(&format!("insert into public.t{number} (n) values (3)")).unwrap();
        }
        assert_eq!(value(&mut owner, "select relkind from pg_class where oid = 'public.t1'::regclass"), "r");
        // The same connection is in no transaction and holds no lock; the rest goes through.
        let advisory = "select count(*) from pg_locks where locktype = 'advisory' and database = \
                        (select oid from pg_database where datname = current_database())";
        assert_eq!(value(&mut owner, advisory), "0");
        broken.segments[1].steps.pop();
        broken.segments.remove(0);
        assert_eq!(apply(&mut client, &broken, &ApplyOptions::default(), &mut Quiet).unwrap().segments, 2);
        assert_eq!(value(&mut client, "show search_path"), "\"$user\", public");
    }
}

#[test]
fn two_applies_keep_out_of_each_others_way() {
    let Some(server) = servers::get(18) else { return };
    let database = server.database();
    tables(&database, 1);
    let mut first = connect_with(Some(&database.url_as_owner()), &no_environment).unwrap();
    let pid = value(&mut first.client, "select pg_backend_pid()");
    let slow = plan(vec![segment(&[], vec![step(table("app", "x"), "SELECT pg_catalog.pg_sleep(1)")])]);
    thread::scope(|scope| {
        let running =
            scope.spawn(move || apply(&mut first.client, &slow, &ApplyOptions::default(), &mut Quiet));
        thread::sleep(Duration::from_millis(300));
        let mut client = database.connect(As::Owner);
        let error = apply(&mut client, &moves(1), &ApplyOptions::default(), &mut Quiet).unwrap_err();
        assert!(matches!(&error, ApplyError::Busy(holder) if holder.pid.to_string() == pid), "{error}");
        assert!(error.to_string().contains("(schemac, role owner"), "{error}");
        running.join().unwrap().unwrap();
        apply(&mut client, &moves(1), &ApplyOptions::default(), &mut Quiet).unwrap();
    });
}

#[test]
fn statements_outside_a_transaction_and_tables_that_may_not_be_locked() {
    let Some(server) = servers::get(15) else { return };
    let database = server.database();
    tables(&database, 1);
    database.execute("create schema \"Odd \"\"one\"; revoke all on public.t0 from owner").unwrap();
    let id = table("public", "t0");
    let outside = |sql: &str| Segment { steps: vec![step(id, sql)], transactional: false, locks: Vec::new() };
    let mut whole = moves(1);
    whole.segments.push(outside("CREATE INDEX CONCURRENTLY t0_n ON app.t0 (n)"));
    whole.segments.push(outside("CREATE UNIQUE INDEX CONCURRENTLY t0_n ON app.t0 (n)"));
    let mut client = database.connect(As::Owner);
    let single = ApplyOptions { single_transaction: true, ..Default::default() };
    let error = apply(&mut client, &whole, &single, &mut Quiet).unwrap_err();
    assert!(matches!(error, ApplyError::NotInOneTransaction(_)));
    let error = apply(&mut client, &whole, &ApplyOptions::default(), &mut Quiet).unwrap_err();
    let ApplyError::Statement(failed) = &error else { panic!("{error}") };
    assert_eq!((failed.error.sqlstate.as_str(), failed.boundary, failed.certain), ("42P07", 2, false));
    assert_eq!(value(&mut client, "show search_path"), "\"$user\", public");
    assert_eq!(value(&mut client, "show check_function_bodies"), "on");
}
