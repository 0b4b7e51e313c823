//! `schemac verify` of what is no table: moved types, domains, sequences and functions, the project's own checks, and the
//! team's queries with the indexes that they use.

use std::path::PathBuf;

use schemac_tests::product;
use schemac_tests::servers::{self, As, Database, Server};

const BEFORE: &str = "
create type public.mood as enum ('good', 'bad');
create domain public.email as text check (value like '%@%');
create sequence public.numbers start 10;
select nextval('public.numbers'), nextval('public.numbers');
create function public.twice(n int) returns int language sql immutable as 'select n * 2';
revoke execute on function public.twice(int) from public;
grant execute on function public.twice(int) to authenticated;
create table public.people (id int primary key, mood public.mood, mail public.email);
create index people_mail_idx on public.people (mail);
grant select on public.people to authenticated;
insert into public.people select n, 'good', n || '@example.org' from generate_series(1, 5) n;
";

const PROJECT: &str = "
domain: app
enums:
  mood: { moved_from: [public.mood], values: [good, bad] }
domains:
  email:
    moved_from: [public.email]
    type: text
    checks:
      email_check: value like '%@%'
sequences:
  numbers: { moved_from: [public.numbers], start: 10 }
functions:
  twice:
    moved_from: [public.twice]
    facade: public.twice
    arguments: n int
    returns: int
    language: sql
    attributes: immutable
    body: select n * 2
    public: none
    grants: { authenticated: execute }
tables:
  people:
    moved_from: [public.people]
    facade: public.people
    columns:
      id: int primary key
      mood: app.mood
      mail: app.email
    indexes:
      people_mail_idx: (mail)
    grants: { authenticated: select }
checks:
  everybody_has_mail: select not exists (select from app.people where mail is null)
  moods_are_known: select bool_and(mood is not null) from people
";

/// What somebody did to the database, how it is taken back, and what verify must say.
const SABOTAGES: &[(&str, &str, &str, &str)] = &[
    (
        "the function's facade has another owner",
        "alter function public.twice(int) owner to service_role",
        "alter function public.twice(int) owner to owner; revoke execute on function public.twice(int) from public, service_role;
         grant execute on function public.twice(int) to authenticated",
        "facade: function public.twice(int4): it belongs to service_role, and what it calls to owner",
    ),
    (
        "the function's facade may be called by more",
        "grant execute on function public.twice(int) to anon",
        "revoke execute on function public.twice(int) from anon",
        "facade: function public.twice(int4): privileges to anon that what it calls does not give",
    ),
    (
        "the function's facade may be called by everybody",
        "grant execute on function public.twice(int) to public",
        "revoke execute on function public.twice(int) from public",
        "facade: function public.twice(int4): privileges to everybody that what it calls does not give",
    ),
    (
        "the function behind the facade says otherwise",
        "create or replace function app.twice(n int) returns int language sql immutable as 'select n * 3'",
        "create or replace function app.twice(n int) returns int language sql immutable as 'select n * 2'",
        "definition: function app.twice(int4): is different since apply 1: body was",
    ),
    (
        "the sequence starts again",
        "select setval('app.numbers', 10)",
        "select setval('app.numbers', 11)",
        "rows: sequence app.numbers: it was at 11 before it moved and is at 10",
    ),
    (
        "the type is made anew",
        "alter type app.mood rename to old_mood; create type app.mood as enum ('good', 'bad')",
        "drop type app.mood; alter type app.old_mood rename to mood",
        "storage: enum type app.mood: it is another type of that name",
    ),
    (
        "a value of the type has another name",
        "alter type app.mood rename value 'bad' to 'worse'",
        "alter type app.mood rename value 'worse' to 'bad'",
        "definition: enum type app.mood: is different since apply 1",
    ),
    (
        "the domain lost its check",
        "alter domain app.email drop constraint email_check",
        "alter domain app.email add constraint email_check check (value like '%@%')",
        "check email_check on app.email: is gone since apply 1",
    ),
    (
        "a check of the project is not true",
        "insert into app.people values (6, 'good', null)",
        "delete from app.people where id = 6",
        "FAILED: check: everybody_has_mail: the answer is false",
    ),
    (
        "a check of the project has no answer",
        "alter table app.people rename to persons",
        "alter table app.persons rename to people",
        "FAILED: check: everybody_has_mail: it cannot be asked",
    ),
    (
        "the function's facade is gone",
        "drop function public.twice(int)",
        "",
        "facade: function public.twice(int4): function public.twice(int4) is gone",
    ),
];

fn folder(name: &str) -> PathBuf {
    let folder = std::env::temp_dir().join(format!("schemac-proof-{name}-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    let project = "postgres: 15\nsources: [app.yaml]\nsearch_path: [app, public]\n\
                   external: { roles: [anon, authenticated, service_role] }\nundeclared: keep\n";
    std::fs::write(folder.join("schemac.yaml"), project).expect("writes");
    std::fs::write(folder.join("app.yaml"), PROJECT).expect("writes");
    folder
}

fn before(server: &Server) -> Database<'_> {
    let database = server.database();
    database.execute(BEFORE).expect("the objects");
    database
}

#[test]
fn what_is_no_table_is_verified_too() {
    for server in [15, 18].into_iter().filter_map(servers::get) {
        let (database, folder) = (before(server), folder(&format!("all-{}", server.major())));
        let url = database.url_as_owner();
        product::run(&folder, &url, &["apply", "--yes"]).expect("runs").expect(0);
        let run = product::run(&folder, &url, &["verify", "--all"]).expect("runs");
        run.expect(0);
        for expected in [
            "passed: storage: enum type app.mood: the same type as before it moved",
            "passed: storage: domain app.email: the same type as before it moved",
            "passed: storage: sequence app.numbers: the same relation",
            "passed: facade: function public.twice(int4): a routine that calls function app.twice(int4)",
            "not checked: reading: function public.twice(int4): it was not called",
            "passed: check: everybody_has_mail: true",
            "passed: check: moods_are_known: true",
        ] {
            assert!(run.stdout.contains(expected), "nothing says {expected:?}\n{}", run.all());
        }
        let mut missed = Vec::new();
        for (what, sabotage, repair, expected) in SABOTAGES {
            database.execute_as(As::Superuser, sabotage).unwrap_or_else(|error| panic!("{what}: {error}"));
            let run = product::run(&folder, &url, &["verify"]).expect("runs");
            if run.code != 2 || !run.stdout.contains(expected) {
                missed.push(format!("{what}: {:?}\n{}", run.code, run.all()));
            }
            database.execute_as(As::Superuser, repair).unwrap_or_else(|error| panic!("{what}: {error}"));
        }
        assert!(missed.is_empty(), "{} not found:\n{}", missed.len(), missed.join("\n"));
        // Without a project there are no checks, and it says so.
        let empty = folder.join("empty");
        std::fs::create_dir_all(&empty).expect("a folder");
        let run = product::run(&empty, &url, &["verify"]).expect("runs");
        assert!(run.stdout.contains("not checked: check: checks: there is no project"), "{}", run.all());
        std::fs::remove_dir_all(folder).expect("goes");
    }
}

#[test]
fn an_apply_asks_the_checks() {
    let Some(server) = servers::get(18).or_else(|| servers::all().last()) else { return };
    let (database, folder) = (before(server), folder("apply"));
    database.execute("update public.people set mail = null where id = 1").expect("a row");
    let run = product::run(&folder, &database.url_as_owner(), &["apply", "--yes"]).expect("runs");
    let expected = "checks of the project are not true: everybody_has_mail: the answer is false";
    assert!(run.expect(1).stderr.contains(expected), "{}", run.all());
    // Errors in a check are found with the files.
    let broken = PROJECT.replace("select bool_and(mood is not null) from people", "select bool_and(");
    std::fs::write(folder.join("app.yaml"), broken).expect("writes");
    let run = product::run(&folder, &database.url_as_owner(), &["check"]).expect("runs");
    assert!(run.expect(1).stderr.contains("app.yaml:37"), "{}", run.all());
    std::fs::remove_dir_all(folder).expect("goes");
}

#[test]
fn an_index_that_a_query_no_longer_uses_is_told() {
    let Some(server) = servers::get(15).or_else(|| servers::all().last()) else { return };
    let (database, folder) = (before(server), folder("index"));
    let url = database.url_as_owner();
    // Five rows are read whole otherwise.
    let alter = format!("alter database {} set enable_seqscan = off", database.name());
    database.execute_as(As::Superuser, &alter).expect("sets");
    let queries = "-- client: by mail\n-- role: authenticated\n\
                   select id from public.people where mail = '3@example.org';\n\
                   -- client: all\n-- role: authenticated\nselect count(*) from public.people;\n";
    std::fs::write(folder.join("queries.sql"), queries).expect("writes");
    let (file, answers) = (folder.join("queries.sql"), folder.join("answers.json"));
    let (file, answers) = (file.to_str().expect("a path"), answers.to_str().expect("a path"));
    // Without answers to compare with, and nowhere to write them, there is nothing to do.
    let run = product::run(&folder, &url, &["verify", "--queries", file]).expect("runs");
    assert!(run.expect(1).stderr.contains("--record FILE before the change"), "{}", run.all());
    let record = ["verify", "--queries", file, "--record", answers];
    product::run(&folder, &url, &record).expect("runs").expect(0);
    product::run(&folder, &url, &["apply", "--yes"]).expect("runs").expect(0);
    let compare = ["verify", "--queries", file, "--compare", answers];
    product::run(&folder, &url, &compare).expect("runs").expect(0);
    database.execute("drop index app.people_mail_idx").expect("drops");
    let run = product::run(&folder, &url, &compare).expect("runs");
    let expected = "FAILED: query: by mail: statement 1 used the index people_mail_idx, and no longer does";
    assert!(run.expect(2).stdout.contains(expected), "{}", run.all());
    std::fs::remove_dir_all(folder).expect("goes");
}
