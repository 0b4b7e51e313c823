//! The way back after others went on: what they made follows or is in the way, by name; rows that came since are there.

use schemac_tests::dump;
use schemac_tests::project::Project;
use schemac_tests::servers::{self, As, Database};

const BEFORE: &str = "
create type public.mood as enum ('good', 'bad');
create table public.users (id serial primary key, name text not null, mood public.mood default 'good');
create table public.parts (id int, at date not null) partition by range (at);
create table public.parts_2026 partition of public.parts for values from ('2026-01-01') to ('2027-01-01');
create view public.names as select id, name from public.users;
grant select, insert on public.users to authenticated;
insert into public.users (name) values ('Ada'), ('Bola');
insert into public.parts values (1, '2026-05-05');
create table public.notes (id int generated always as identity primary key, at date);
create statistics public.notes_both on id, at from public.notes;
create function public.half(n int) returns int language sql as 'select n / 2';
";

const PROJECT: &str = "postgres: 14\nsources: [app.yaml]\nsearch_path: [public]\nundeclared: keep\n\
                       external: { roles: [anon, authenticated] }\n";

const DOMAIN: &str = "domain: app
functions:
  half:
    moved_from: [public.half]
    facade: public.half
    arguments: n int
    returns: int
    body: select n / 2
enums:
  mood: { moved_from: [public.mood], values: [good, bad] }
tables:
  users:
    moved_from: [public.users]
    facade: public.users
    columns:
      id: serial primary key
      name: text not null
      mood: app.mood default 'good'
    grants: { authenticated: [select, insert] }
  parts:
    moved_from: [public.parts]
    facade: public.parts
    columns: { id: int, at: date not null }
    partition_by: range (at)
    partitions:
      parts_2026: for values from ('2026-01-01') to ('2027-01-01')
  notes:
    moved_from: [public.notes]
    facade: public.notes
    columns: { id: int generated always as identity primary key, at: date }
    statistics:
      notes_both: on id, at
views:
  names:
    moved_from: [public.names]
    query: select id, name from app.users
";

/// What somebody does, as the owner unless it says otherwise, and a question that is true after the way back.
const FOLLOWS: &[(&str, &str)] = &[
    ("drop view public.users", "select true"),
    ("drop view public.users, public.parts", "select true"),
    (
        "drop view public.users; alter table app.users set schema public",
        "select to_regclass('app.users') is null",
    ),
    (
        "insert into public.users (name) values ('Chi'); insert into app.users (name) values ('Dayo')",
        "select count(*) = 4 and max(id) = 4 and nextval('public.users_id_seq') = 5 from public.users",
    ),
    (
        "create table app.parts_2027 partition of app.parts for values from ('2027-01-01') to ('2028-01-01');
         insert into app.parts values (2, '2027-01-01')",
        "select count(*) = 2 and to_regclass('public.parts_2027') is not null from public.parts",
    ),
    (
        "create function public.shout(u app.users) returns text language sql as 'select upper(u.name)'",
        "select string_agg(public.shout(u), ' ' order by id) = 'ADA BOLA' from public.users u",
    ),
    (
        "create materialized view public.moods as select mood, count(*) from app.users group by mood",
        "select count(*) = 1 from public.moods",
    ),
    (
        "create table public.visits (user_id int references app.users, mood app.mood default 'bad');
         insert into public.visits values (2)",
        "select mood = 'bad'::public.mood from public.visits",
    ),
    (
        "create function public.late(m app.mood) returns text language sql begin atomic select m::text; end",
        "select public.late('bad'::public.mood) = 'bad'",
    ),
    ("create table app.more (id int); insert into app.more values (1)", "select count(*) = 1 from app.more"),
    (
        "reset role; create operator app.=== (leftarg = int, rightarg = int, function = int4eq)",
        "select to_regnamespace('app') is not null and to_regclass('app.users') is null",
    ),
    ("vacuum full app.users", "select count(*) = 2 from public.users"),
    ("drop function public.half(int)", "select public.half(4) = 2"),
    (
        "create function public.half(n bigint) returns int language sql as 'select 1'",
        "select public.half(4) = 2",
    ),
    ("alter view public.users rename to people", "select count(*) = 2 from public.people"),
    (
        "create table app.child () inherits (app.notes); insert into app.child values (7)",
        "select count(*) = 1 from public.notes",
    ),
    (
        "create view public.over_names as select * from app.names",
        "select count(*) = 2 from public.over_names",
    ),
];

/// What somebody does, and what is said of it.
const REFUSED: &[(&str, &str)] = &[
    ("alter table app.users rename to people", "table app.users is gone since apply 1"),
    ("alter table app.users rename column name to label", "column app.users.name is gone since apply 1"),
    ("alter table app.users add column age int default 3", "column app.users.age is new since apply 1"),
    ("alter table app.users enable row level security", "table app.users is different since apply 1"),
    ("alter type app.mood add value 'fair'", "enum type app.mood is different since apply 1"),
    ("alter type app.mood rename to feeling", "enum type app.mood is gone since apply 1"),
    (
        "create table public.teams (id int primary key); alter table app.users add column team int references public.teams",
        "on app.users is new since apply 1",
    ),
    ("grant select on app.users to anon", "privileges to anon on table app.users is new since apply 1"),
    (
        "alter table app.parts detach partition app.parts_2026",
        "table app.parts_2026 is different since apply 1",
    ),
    (
        "create or replace view app.names as select id, upper(name) as name from app.users",
        "view app.names is different since apply 1",
    ),
    (
        "create statistics public.both on name, mood from app.users",
        "statistics both on app.users is new since apply 1",
    ),
    ("create table public.names (id int)", "public.names"),
    ("create type public.mood as enum ('x')", "public.mood"),
    (
        "create view public.notes_id_seq as select 1",
        "view public.notes_id_seq has the name that identity sequence on column public.notes.id goes back to",
    ),
    (
        "create table public.notes_pkey (id int)",
        "table public.notes_pkey has the name that key notes_pkey on public.notes goes back to",
    ),
    ("create statistics public.notes_both on id, name from app.users", "notes_both on app.users"),
    (
        "create table public.parts_2026 (id int)",
        "both table app.parts_2026 and table public.parts_2026 exist",
    ),
    (
        "create or replace function public.half(n int) returns int language sql as 'select 0'",
        "function public.half(int4) is different since apply 1",
    ),
    (
        "reset role; create table app.parts_2028 partition of app.parts for values from ('2028-01-01') to ('2029-01-01')",
        "table app.parts_2028 belongs to postgres, and the role of this connection may not move or change it",
    ),
    (
        "create function public.row_of(u public.users) returns int language sql as 'select u.id'",
        "function public.row_of(public.users) is in the way: it uses view public.users",
    ),
    (
        "create table public.keeps (u public.users)",
        "column public.keeps.u is in the way: it uses view public.users",
    ),
    ("drop table app.parts_2026", "the database changed: table app.parts_2026 is gone since apply 1\n"),
    (
        "reset role; create publication all_of_it for tables in schema app",
        "publication all_of_it holds the tables of schema app, which goes",
    ),
    ("alter schema app rename to other", "\n  table app.users is gone since apply 1\n"),
    ("drop table app.users cascade", "table app.users is gone since apply 1"),
    ("alter sequence app.users_id_seq owned by none", "sequence app.users_id_seq"),
];

fn is_true(database: &Database<'_>, question: &str) -> bool {
    database.connect(As::Superuser).query_one(question, &[]).is_ok_and(|row| row.get(0))
}

/// Lines of a dump that the other has not.
fn lost(first: &str, now: &str) -> Vec<String> {
    let now = dump::normalized(now);
    let now: Vec<&str> = now.lines().collect();
    let first = dump::normalized(first);
    let gone = first.lines().filter(|line| !line.trim().is_empty() && !now.contains(line));
    gone.map(str::to_owned).collect()
}

fn the_way_back(major: u32) {
    let Some(server) = servers::get(major) else { return };
    let project = Project::new(&format!("since-{major}"), &[("schemac.yaml", PROJECT), ("app.yaml", DOMAIN)]);
    let moved = server.database();
    moved.execute(BEFORE).expect("the tables");
    let first = moved.dump();
    project.apply(&moved);
    let after = |since: &str| {
        let database = server.copy(&moved).expect("a copy");
        let mut client = database.connect(As::Superuser);
        client.batch_execute("set role owner").expect("the owner");
        client.batch_execute(since).unwrap_or_else(|error| panic!("{since}: {error}"));
        database
    };
    let mut wrong = Vec::new();
    for (since, question) in FOLLOWS {
        let database = after(since);
        let run = project.run(&database, &["rollback", "--yes"]);
        let lost = lost(&first, &database.dump());
        if run.code != 0 || !is_true(&database, question) || !lost.is_empty() {
            wrong.push(format!("{since}\n{lost:?}\n{}", run.all()));
        }
    }
    for (since, expected) in REFUSED {
        let database = after(since);
        let now = database.dump();
        let run = project.run(&database, &["rollback", "--yes", "--allow", "all"]);
        let changed = dump::difference(&now, &database.dump());
        if run.code != 1 || !run.stderr.contains(expected) || !changed.is_empty() {
            wrong.push(format!("{since}\n  expected {expected}\n{changed}{}", run.all()));
        }
    }
    assert!(wrong.is_empty(), "PostgreSQL {major}: {}", wrong.join("\n\n"));
}

#[test]
fn the_way_back_on_15() {
    the_way_back(15);
}

#[test]
fn the_way_back_on_17() {
    the_way_back(17);
}

#[test]
fn the_way_back_on_18() {
    the_way_back(18);
}
