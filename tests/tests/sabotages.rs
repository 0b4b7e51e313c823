//! More sabotages of what an apply moved: of facades of every sort, of what tables lean on, of who finds what by a name.
//! `schemac verify` says each of them.

use schemac_tests::project::Project;
use schemac_tests::sabotage::{self, Sabotage};
use schemac_tests::servers;

const BEFORE: &str = "
create function public.stamp() returns trigger language plpgsql as $$ begin new.at := now(); return new; end $$;
create function public.may_see(owner uuid) returns boolean language sql stable as
    $$ select owner = nullif(current_setting('request.jwt.claim.sub', true), '')::uuid $$;
create function public.double(n int, more int default 1) returns int language sql as 'select n * 2 + more';
create procedure public.work(inout n int) language plpgsql as 'begin n := n + 1; end';
create type public.mood as enum ('good', 'bad');
create sequence public.numbers start 5;
create table public.notes (
    id serial primary key, owner_id uuid not null, body text default 'empty', mood public.mood default 'good',
    at timestamptz not null default now(), number int default nextval('public.numbers'));
create index notes_body_idx on public.notes (body);
alter table public.notes enable row level security;
create policy own on public.notes to authenticated using (public.may_see(owner_id));
create policy all_rows on public.notes to service_role using (true);
create trigger stamped before update on public.notes for each row execute function public.stamp();
grant select, insert, update, delete on public.notes to authenticated, service_role;
grant usage on sequence public.notes_id_seq, public.numbers to authenticated, service_role;
create table public.keys (id int primary key, name text, status text default 'on');
grant select, insert on public.keys to service_role;
create table public.parts (note_id int references public.notes, at date not null) partition by range (at);
create table public.parts_2026 partition of public.parts for values from ('2026-01-01') to ('2027-01-01');
grant select on public.parts to service_role;
create publication feed for table public.notes;
insert into public.notes (owner_id) select gen_random_uuid() from generate_series(1, 5);
insert into public.keys values (1, 'a'), (2, 'b');
insert into public.parts values (1, '2026-03-03');
";

const PROJECT: &str = "domain: app
grants: { service_role: usage }
enums:
  mood: { moved_from: [public.mood], values: [good, bad] }
sequences:
  numbers:
    moved_from: [public.numbers]
    start: 5
    grants: { authenticated: usage, service_role: usage }
functions:
  double:
    moved_from: [public.double]
    facade: public.double
    arguments: n int, more int default 1
    returns: int
    body: select n * 2 + more
procedures:
  work:
    moved_from: [public.work]
    facade: public.work
    arguments: inout n int
    language: plpgsql
    body: begin n := n + 1; end
facades:
  public.old_keys:
    of: app.keys
    where: status = 'on'
    columns: { id: id, label: name }
tables:
  notes:
    moved_from: [public.notes]
    facade: public.notes
    published_in: [feed]
    columns:
      id: serial primary key
      owner_id: uuid not null
      body: text default 'empty'
      mood: app.mood default 'good'
      at: timestamptz not null default now()
      number: int default nextval('app.numbers')
    indexes: { notes_body_idx: (body) }
    rls: enabled
    policies:
      own: { to: authenticated, using: public.may_see(owner_id) }
      all_rows: { to: service_role, using: 'true' }
    triggers:
      stamped: before update for each row execute function public.stamp()
    grants:
      authenticated: [select, insert, update, delete]
      service_role: [select, insert, update, delete]
  keys:
    moved_from: [public.keys]
    facade: { name: public.keys, writes: triggers }
    columns:
      id: int primary key
      name: text
      status: text default 'on'
    grants: { service_role: [select, insert] }
  parts:
    moved_from: [public.parts]
    facade: public.parts
    columns:
      note_id: int
      at: date not null
    foreign_keys:
      parts_note_id_fkey: (note_id) references app.notes
    partition_by: range (at)
    partitions:
      parts_2026: for values from ('2026-01-01') to ('2027-01-01')
    grants: { service_role: select }
";

/// What somebody does to the database, as one transaction that verify looks at once it is committed, how it is taken
/// back, and what verify must say.
const SABOTAGES: &[Sabotage<'_>] = &[
    // The facade is something else.
    (
        "alter view public.notes rename to away; create materialized view public.notes as select * from app.notes",
        "drop materialized view public.notes; alter view public.away rename to notes",
        "facade: view public.notes: it is no view",
    ),
    (
        "alter view public.notes rename to away; create table public.notes (like app.notes including all)",
        "drop table public.notes; alter view public.away rename to notes",
        "facade: view public.notes: it is a table",
    ),
    (
        "alter view public.notes set (security_barrier = true)",
        "alter view public.notes reset (security_barrier)",
        "view public.notes: is different",
    ),
    (
        "alter view public.notes set (check_option = cascaded)",
        "alter view public.notes reset (check_option)",
        "view public.notes: is different",
    ),
    (
        "create rule nothing as on delete to public.notes do instead nothing",
        "drop rule nothing on public.notes",
        "rule nothing on public.notes: is new",
    ),
    (
        "alter view public.old_keys alter column label set default 'x'",
        "alter view public.old_keys alter column label drop default",
        "default on column public.old_keys.label: is new",
    ),
    (
        "create or replace view public.old_keys with (security_invoker = true) as select id, name as label from app.keys",
        "create or replace view public.old_keys with (security_invoker = true) as select id, name as label from app.keys \
         where status = 'on'",
        "view public.old_keys: is different",
    ),
    // INSTEAD OF triggers.
    (
        "alter function app.public_keys_facade() security definer",
        "alter function app.public_keys_facade() security invoker",
        "function app.public_keys_facade(): is different",
    ),
    (
        "create function public.nothing() returns trigger language plpgsql as 'begin return new; end';
         do $$ declare t text; begin select tgname into t from pg_trigger where tgrelid = 'public.keys'::regclass limit 1;
         execute format('create or replace trigger %I instead of insert or update or delete on public.keys
             for each row execute function public.nothing()', t); end $$",
        "",
        "on public.keys: is different",
    ),
    (
        "do $$ declare t text; begin select tgname into t from pg_trigger where tgrelid = 'public.keys'::regclass limit 1;
         execute format('alter trigger %I on public.keys rename to other', t); end $$",
        "",
        "on public.keys: is gone",
    ),
    // What the table leans on.
    (
        "create or replace function public.may_see(owner uuid) returns boolean language sql stable as 'select true'",
        "create or replace function public.may_see(owner uuid) returns boolean language sql stable as
         $$ select owner = nullif(current_setting('request.jwt.claim.sub', true), '')::uuid $$",
        "function public.may_see(uuid): is different since apply 1",
    ),
    (
        "create or replace function public.stamp() returns trigger language plpgsql as 'begin return null; end'",
        "create or replace function public.stamp() returns trigger language plpgsql as
         $$ begin new.at := now(); return new; end $$",
        "function public.stamp(): is different since apply 1",
    ),
    (
        "revoke execute on function public.may_see(uuid) from public",
        "grant execute on function public.may_see(uuid) to public",
        "on function public.may_see(uuid): is gone",
    ),
    (
        "alter sequence app.notes_id_seq owned by none",
        "alter sequence app.notes_id_seq owned by app.notes.id",
        "ownership on sequence app.notes_id_seq: is gone",
    ),
    (
        "revoke usage on sequence app.numbers from authenticated",
        "grant usage on sequence app.numbers to authenticated",
        "privileges to authenticated on sequence app.numbers: is gone",
    ),
    (
        "select setval('app.numbers', 5, false)",
        "select setval('app.numbers', 9)",
        "sequence app.numbers: it was at",
    ),
    ("alter type app.mood add value 'fair'", "", "enum type app.mood: is different"),
    // Policies, privileges, structure.
    (
        "alter policy own on app.notes to public",
        "alter policy own on app.notes to authenticated",
        "policy own on app.notes: is different",
    ),
    (
        "grant select on public.notes to authenticated with grant option",
        "revoke grant option for select on public.notes from authenticated",
        "privileges to authenticated on view public.notes: is different",
    ),
    (
        "alter table app.notes enable always trigger stamped",
        "alter table app.notes enable trigger stamped",
        "trigger stamped on app.notes: is different",
    ),
    ("drop index app.notes_body_idx", "create index notes_body_idx on app.notes (body)", "index notes_body_idx on app.notes: is gone"),
    (
        "alter table app.parts drop constraint parts_note_id_fkey",
        "alter table app.parts add constraint parts_note_id_fkey foreign key (note_id) references app.notes",
        "parts_note_id_fkey on app.parts: is gone",
    ),
    (
        "alter table app.parts detach partition app.parts_2026",
        "alter table app.parts attach partition app.parts_2026 for values from ('2026-01-01') to ('2027-01-01')",
        "table app.parts_2026: is different",
    ),
    ("alter publication feed drop table app.notes", "alter publication feed add table app.notes", "is gone since apply 1"),
    // Routines.
    (
        "create or replace function public.double(n int, more int default 1) returns int language sql as 'select 0'",
        "",
        "function public.double(int4, int4): is different",
    ),
    ("alter procedure public.work(int) security definer", "alter procedure public.work(int) security invoker", "function public.work(int4): is different"),
    // Who finds what by a name.
    (
        "create schema authenticated; grant usage on schema authenticated to authenticated;
         create view authenticated.notes as select 1 as id",
        "drop schema authenticated cascade",
        "by the name notes authenticated finds view authenticated.notes, whose schema comes first",
    ),
    (
        "create schema early; create table early.keys (id int); grant usage on schema early to service_role;
         alter role service_role set search_path = early, public",
        "alter role service_role reset search_path; drop schema early cascade",
        "by the name keys service_role finds table early.keys",
    ),
    (
        "create schema early; create table early.parts (id int); grant usage on schema early to public;
         do $$ begin execute format('alter database %I set search_path = early, public', current_database()); end $$",
        "do $$ begin execute format('alter database %I reset search_path', current_database()); end $$;
         drop schema early cascade",
        "by the name parts owner, service_role find table early.parts",
    ),
    (
        "revoke usage on schema public from public",
        "grant usage on schema public to public",
        "privileges to public on schema public: is gone since apply 1",
    ),
];

fn every_sabotage_is_found(major: u32) {
    let Some(server) = servers::get(major) else { return };
    let database = server.database();
    database.execute(BEFORE).expect("the tables");
    let project = Project::new(
        &format!("sabotages-{major}"),
        &[
            (
                "schemac.yaml",
                "postgres: 15\nsources: [app.yaml]\nsearch_path: [public]\nundeclared: keep\n\
                 external: { roles: [anon, authenticated, service_role] }\n",
            ),
            ("app.yaml", PROJECT),
        ],
    );
    project.apply(&database);
    project.run(&database, &["verify"]).expect(0);
    sabotage::all_are_found(&project, &database, &["verify"], SABOTAGES);
}

#[test]
fn every_sabotage_is_found_on_15() {
    every_sabotage_is_found(15);
}

#[test]
fn every_sabotage_is_found_on_17() {
    every_sabotage_is_found(17);
}

#[test]
fn every_sabotage_is_found_on_18() {
    every_sabotage_is_found(18);
}

/// What later applies do to what moved tables lean on is no sabotage, nor is the way back.
#[test]
fn later_applies_are_no_sabotage() {
    for server in [15, 17, 18].into_iter().filter_map(servers::get) {
        let database = server.database();
        database
            .execute(
                "create type public.mood as enum ('good', 'bad');
                 create function public.is_good(m public.mood) returns boolean language sql stable as $$ select m = 'good' $$;
                 create view public.settings as select 1 as least;
                 create table public.notes (id int primary key, mood public.mood);
                 alter table public.notes enable row level security;
                 create policy good on public.notes to authenticated using (public.is_good(mood) and id >= (select least from public.settings));
                 grant select on public.notes to authenticated; grant select on public.settings to authenticated",
            )
            .expect("the tables");
        let tables = "tables:
  notes:
    moved_from: [public.notes]
    facade: public.notes
    columns: { id: int primary key, mood: MOOD }
    rls: enabled
    policies:
      good: { to: authenticated, using: GOOD(mood) and id >= (select least from SETTINGS) }
    grants: { authenticated: select }
";
        let with = |mood: &str, good: &str, settings: &str, more: &str| {
            let tables = tables.replace("MOOD", mood).replace("GOOD", good).replace("SETTINGS", settings);
            format!("domain: app\n{more}{tables}")
        };
        let mood = "enums:\n  mood: { moved_from: [public.mood], values: [good, bad] }\n";
        let good = |body: &str| {
            format!(
                "functions:\n  is_good:\n    moved_from: [public.is_good]\n    arguments: m app.mood\n    returns: boolean\n    \
                 attributes: stable\n    body: {body}\n"
            )
        };
        let settings = "views:\n  settings:\n    moved_from: [public.settings]\n    query: select 2 as least\n    \
                        grants: { authenticated: select }\n";
        let states = [
            with("public.mood", "public.is_good", "public.settings", ""),
            with("app.mood", "public.is_good", "public.settings", mood),
            with(
                "app.mood",
                "app.is_good",
                "public.settings",
                &format!("{mood}{}", good("select m = 'good'")),
            ),
            with(
                "app.mood",
                "app.is_good",
                "app.settings",
                &format!("{mood}{}{settings}", good("select m is not null")),
            ),
        ];
        let project = Project::new(
            &format!("later-{}", server.major()),
            &[(
                "schemac.yaml",
                "postgres: 15\nsources: [app.yaml]\nsearch_path: [public]\nundeclared: keep\n\
                 external: { roles: [authenticated] }\n",
            )],
        );
        for (at, state) in states.iter().enumerate() {
            project.write("app.yaml", state);
            project.run(&database, &["apply", "--yes", "--allow", "all"]).expect(0);
            let run = project.run(&database, &["verify"]);
            assert_eq!(run.code, 0, "PostgreSQL {}, state {at}: {}", server.major(), run.all());
        }
        for _ in 1..states.len() {
            project.run(&database, &["rollback", "--yes", "--allow", "all"]).expect(0);
            let run = project.run(&database, &["verify"]);
            assert_eq!(run.code, 0, "PostgreSQL {}, on the way back: {}", server.major(), run.all());
        }
        database.execute("create or replace function public.is_good(m public.mood) returns boolean language sql stable as 'select true'").expect("a function");
        project.run(&database, &["verify"]).expect(2);
    }
}
