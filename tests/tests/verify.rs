//! `schemac verify`: passes after an apply, and says what is wrong after each of many sabotages.

use schemac_tests::project::Project;
use schemac_tests::sabotage::{self, Sabotage};
use schemac_tests::servers::{self, As};
use schemac_tests::{product, repository};

const BEFORE: &str = "
create function public.stamp() returns trigger language plpgsql as $$ begin new.at := now(); return new; end $$;
create table public.notes (
    id serial primary key,
    owner_id uuid not null,
    body text not null default 'empty',
    at timestamptz not null default now(),
    secret text
);
comment on table public.notes is 'What people note';
alter table public.notes enable row level security;
create policy own on public.notes to authenticated
    using (owner_id = nullif(current_setting('request.jwt.claim.sub', true), '')::uuid);
create policy all_rows on public.notes to service_role using (true);
create trigger stamped before update on public.notes for each row execute function public.stamp();
grant select, insert, update, delete on public.notes to authenticated, service_role;
grant usage on sequence public.notes_id_seq to authenticated, service_role;
grant select (id, body) on public.notes to anon;
create table public.logs (id int primary key, line text);
alter table public.logs enable row level security;
alter table public.logs force row level security;
grant select on public.logs to service_role;
insert into public.notes (owner_id, body)
    select ('00000000-0000-4000-8000-00000000000' || n % 3)::uuid, 'note ' || n from generate_series(1, 12) n;
";

const PROJECT: &str = "
domain: app
grants: { service_role: usage }
tables:
  notes:
    moved_from: [public.notes]
    facade: public.notes
    comment: What people note
    columns:
      id: serial primary key
      owner_id: uuid not null
      body: text not null default 'empty'
      at: timestamptz not null default now()
      secret: text
    rls: enabled
    policies:
      own:
        to: authenticated
        using: owner_id = nullif(current_setting('request.jwt.claim.sub', true), '')::uuid
      all_rows: { to: service_role, using: 'true' }
    triggers:
      stamped: before update for each row execute function public.stamp()
    grants:
      authenticated: [select, insert, update, delete]
      service_role: [select, insert, update, delete]
      anon: 'select (id, body)'
  logs:
    moved_from: [public.logs]
    facade: public.logs
    columns:
      id: int primary key
      line: text
    rls: forced
    grants: { service_role: select }
";

/// What somebody did to the database, how it is taken back, and what verify must say.
const SABOTAGES: &[Sabotage<'_>] = &[
    // The option is cleared.
    (
        "alter view public.notes reset (security_invoker)",
        "alter view public.notes set (security_invoker = true)",
        "facade: view public.notes: it has no security_invoker",
    ),
    // The option says no.
    (
        "alter view public.notes set (security_invoker = false)",
        "alter view public.notes set (security_invoker = true)",
        "facade: view public.notes: it has no security_invoker",
    ),
    // A grant is widened.
    (
        "grant insert on public.notes to anon",
        "revoke insert on public.notes from anon",
        "privileges that the table does not give: INSERT to anon",
    ),
    // A column's grant is widened.
    (
        "grant select (secret) on public.notes to anon",
        "revoke select (secret) on public.notes from anon",
        "privileges to anon on column public.notes.secret: is new since apply 1",
    ),
    // Who reads some columns enters the table's schema.
    (
        "grant usage on schema app to anon",
        "revoke usage on schema app from anon",
        "past it the whole table can be read, whose schema can be entered, by anon",
    ),
    // Everybody may read.
    (
        "grant select on public.logs to public",
        "revoke select on public.logs from public",
        "SELECT to everybody",
    ),
    // A grant is lost.
    (
        "revoke update on public.notes from authenticated",
        "grant update on public.notes to authenticated",
        "privileges to authenticated on view public.notes: is different since apply 1",
    ),
    // A grant on the table is lost.
    (
        "revoke select on app.notes from authenticated",
        "grant select on app.notes to authenticated",
        "privileges to authenticated on table app.notes: is different since apply 1",
    ),
    // A column is missing.
    (
        "drop view public.logs; create view public.logs with (security_invoker = true) as select id from app.logs;
         grant select on public.logs to service_role",
        "drop view public.logs; create view public.logs with (security_invoker = true) as select id, line from app.logs;
         grant select on public.logs to service_role; comment on view public.logs is 'Facade: the table is app.logs.';
         alter view public.logs owner to owner",
        "facade: view public.logs: the table's column line is not in it",
    ),
    // A column has another name.
    (
        "alter view public.notes rename column body to text",
        "alter view public.notes rename column text to body",
        "column public.notes.body: is gone since apply 1",
    ),
    // A trigger is disabled.
    (
        "alter table app.notes disable trigger stamped",
        "alter table app.notes enable trigger stamped",
        "trigger stamped on app.notes: is different since apply 1: enabled was",
    ),
    // A trigger is dropped.
    (
        "drop trigger stamped on app.notes",
        "create trigger stamped before update on app.notes for each row execute function public.stamp()",
        "trigger stamped on app.notes: is gone since apply 1",
    ),
    // The facade has another owner.
    (
        "alter view public.notes owner to service_role",
        "alter view public.notes owner to owner;
         grant select, insert, update, delete on public.notes to service_role",
        "it belongs to service_role, and the table to owner",
    ),
    // The table has another owner.
    (
        "alter table app.logs owner to service_role",
        "alter table app.logs owner to owner; grant select on app.logs to service_role",
        "it belongs to owner, and the table to service_role",
    ),
    // A policy is dropped.
    (
        "drop policy own on app.notes",
        "create policy own on app.notes to authenticated
         using (owner_id = nullif(current_setting('request.jwt.claim.sub', true), '')::uuid)",
        "policy own on app.notes: is gone since apply 1",
    ),
    // A policy is changed.
    (
        "alter policy own on app.notes using (true)",
        "alter policy own on app.notes
         using (owner_id = nullif(current_setting('request.jwt.claim.sub', true), '')::uuid)",
        "policy own on app.notes: is different since apply 1: using was",
    ),
    // A policy is added.
    (
        "create policy more on app.notes using (true)",
        "drop policy more on app.notes",
        "policy more on app.notes: is new since apply 1",
    ),
    // Row-level security is off.
    (
        "alter table app.notes disable row level security",
        "alter table app.notes enable row level security",
        "table app.notes: is different since apply 1: rls was true and is false",
    ),
    // Row-level security is not forced.
    (
        "alter table app.logs no force row level security",
        "alter table app.logs force row level security",
        "table app.logs: is different since apply 1: rls_forced was true and is false",
    ),
    // A default is lost.
    (
        "alter view public.notes alter column body drop default",
        "alter view public.notes alter column body set default 'empty'",
        "default on column public.notes.body: is gone since apply 1",
    ),
    // A comment is lost.
    (
        "comment on table app.notes is null",
        "comment on table app.notes is 'What people note'",
        "comment on table app.notes: is gone since apply 1",
    ),
    // The sequence is elsewhere.
    (
        "alter sequence app.notes_id_seq owned by none; alter sequence app.notes_id_seq set schema public",
        "alter sequence public.notes_id_seq set schema app; alter sequence app.notes_id_seq owned by app.notes.id",
        "sequence app.notes_id_seq: it is gone",
    ),
    // The facade filters.
    (
        "create or replace view public.notes with (security_invoker = true) as
         select id, owner_id, body, at, secret from app.notes where id > 3",
        "create or replace view public.notes with (security_invoker = true) as
         select id, owner_id, body, at, secret from app.notes",
        "reading: view public.notes: as service_role: 9 rows",
    ),
    // A table stands where the facade was.
    (
        "alter view public.notes rename to put_away; create table public.notes (id int)",
        "drop table public.notes; alter view public.put_away rename to notes",
        "facade: view public.notes: it is a table",
    ),
    // Rows are missing.
    (
        "create table public.saved as select * from app.notes where id > 10; delete from app.notes where id > 10",
        "insert into app.notes select * from public.saved; drop table public.saved",
        "2 of 12 rows that it had before it moved are missing",
    ),
    // The table is written anew.
    (
        "cluster app.notes using notes_pkey",
        "alter table app.notes set without cluster",
        "table app.notes: its file was",
    ),
];

const FILE: &str = "postgres: 15\nsources: [app.yaml]\nexternal: { roles: [anon, authenticated, service_role] }\n\
                    undeclared: keep\n";

fn every_sabotage_is_found(major: u32) {
    let Some(server) = servers::get(major) else { return };
    let database = server.database();
    database.execute(BEFORE).expect("the tables");
    let files = [("schemac.yaml", FILE), ("app.yaml", PROJECT)];
    let project = Project::new(&format!("verify-{major}"), &files);
    project.run(&database, &["apply", "--yes"]).expect(0);
    let run = project.run(&database, &["verify", "--writes", "--all"]);
    run.expect(0);
    for expected in [
        "passed: reading: view public.notes: as service_role: the same 12 rows by both names",
        "as authenticated 00000000-0000-4000-8000-000000000000: the same 4 rows by both names",
        "passed: storage: table app.notes: the same relation with the same file",
        "passed: rows: table app.notes: 12 rows",
        "as service_role: the same by both names: insert 1, update 1, delete 1, upsert 1",
        "triggers that fired, and whose effects were rolled back: stamped",
        "not checked: rows: table app.logs: its rows were not counted",
    ] {
        assert!(run.stdout.contains(expected), "nothing says {expected:?}\n{}", run.all());
    }
    sabotage::all_are_found(&project, &database, &["verify", "--writes"], SABOTAGES);
    // Only the last one cannot be repaired.
    let run = project.run(&database, &["verify"]);
    assert_eq!(run.stdout.matches("FAILED").count(), 1, "{}", run.all());
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

/// Before 15 no view reads as its caller: that was allowed, and is said all the same. Nothing else is wrong.
#[test]
fn what_14_opens_is_said() {
    let Some(server) = servers::get(14) else { return };
    let database = server.database();
    database.execute(BEFORE).expect("the tables");
    let files = [("schemac.yaml", &*FILE.replace("postgres: 15", "postgres: 14")), ("app.yaml", PROJECT)];
    let project = Project::new("verify-14", &files);
    let apply = ["apply", "--yes", "--allow", "facade-bypasses-rls"];
    project.run(&database, &apply).expect(0);
    let run = project.run(&database, &["verify"]);
    let failed: Vec<&str> = run.stdout.lines().filter(|line| line.starts_with("FAILED")).collect();
    let said = |line: &&&str| line.contains("does not bind who uses it: before PostgreSQL 15");
    assert_eq!(failed.iter().filter(said).count(), 2, "{}", run.expect(2).all());
    database.execute("alter table app.notes disable row level security").expect("an alteration");
    let run = project.run(&database, &["verify"]);
    assert!(
        run.expect(2).stdout.contains("table app.notes: is different since apply 1: rls was true"),
        "{}",
        run.all()
    );
}

/// A plan may write a table's rows anew, in the apply that moves it or in a later one: that is no copy.
#[test]
fn rows_that_a_plan_writes_anew_are_no_copy() {
    let Some(server) = servers::get(18) else { return };
    let database = server.database();
    database
        .execute_as(
            As::Owner,
            "create table public.t (id int primary key, a text); insert into t values (1, '2')",
        )
        .expect("the schema");
    let folder = std::env::temp_dir().join(format!("schemac-verify-anew-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    std::fs::write(folder.join("schemac.yaml"), "postgres: 15\nsources: [app.yaml]\n").expect("writes");
    let url = database.url_as_owner();
    for (a, code) in [("{ type: int, using: 'a::int' }", 0), ("{ type: bigint }", 0), ("{ type: bigint }", 2)]
    {
        let tables = "tables: { t: { moved_from: [public.t], facade: public.t, columns:";
        let text = format!("domain: app\n{tables} {{ id: int primary key, a: {a} }} }} }}\n");
        std::fs::write(folder.join("app.yaml"), text).expect("writes");
        product::run(&folder, &url, &["apply", "--yes"]).expect("runs").expect(0);
        if code == 2 {
            database.execute_as(As::Owner, "vacuum full app.t").expect("runs");
        }
        let run = product::run(&folder, &url, &["verify"]).expect("runs");
        assert_eq!(run.code, code, "{}", run.all());
    }
    std::fs::remove_dir_all(folder).expect("goes");
}

/// For each role that asks: what went by an index before the move goes by it through the facade, and when it does not any
/// more that is told, though the answers are the same.
#[test]
fn an_index_that_is_not_used_any_more_is_told() {
    for server in [15, 18].into_iter().filter_map(servers::get) {
        let database = server.database();
        let project = Project::new(
            &format!("lost-index-{}", server.major()),
            &[
                (
                    "schemac.yaml",
                    "postgres: 15\nsources: [app.yaml]\nexternal: { roles: [authenticated, service_role] }\n",
                ),
                (
                    "app.yaml",
                    "domain: app\ntables:\n  t:\n    moved_from: [public.t]\n    facade: public.t\n    columns:\n      \
                     id: int primary key\n      v: text\n    indexes: { t_v_idx: (v) }\n    rls: enabled\n    policies:\n      \
                     all_rows: { using: 'true' }\n    grants: { authenticated: select, service_role: select }\n",
                ),
                (
                    "queries.sql",
                    "-- client: a user\n-- role: authenticated\nselect id from public.t where v = 'v 7';\n\
                     -- client: the service\n-- role: service_role\nselect count(*) from t where v = 'v 8';\n",
                ),
            ],
        );
        database
            .execute(
                "create table public.t (id int primary key, v text); create index t_v_idx on public.t (v);
                 alter table public.t enable row level security; create policy all_rows on public.t using (true);
                 grant select on public.t to authenticated, service_role;
                 insert into public.t select n, 'v ' || n from generate_series(1, 5000) n; analyze public.t",
            )
            .expect("the table");
        let path = |file: &str| project.folder().join(file).to_string_lossy().into_owned();
        let (queries, answers) = (path("queries.sql"), path("answers.json"));
        project.run(&database, &["verify", "--queries", &queries, "--record", &answers]).expect(0);
        project.apply(&database);
        let compare = ["verify", "--queries", &queries, "--compare", &answers];
        project.run(&database, &compare).expect(0);
        database.execute("drop index app.t_v_idx").expect("drops");
        let run = project.run(&database, &compare);
        run.expect(2);
        for client in ["a user", "the service"] {
            let told = run
                .stdout
                .lines()
                .any(|line| line.contains(client) && line.contains("used the index t_v_idx"));
            assert!(told, "{client}: {}", run.all());
        }
    }
}

/// The fixture's clients by the product's own reader: recorded before, compared after.
#[test]
fn queries_are_answered_as_before() {
    let Some(server) = servers::get(15) else { return };
    let fixture = repository().join("fixtures/disruptor");
    let database = server.database();
    database.psql_file(As::Superuser, fixture.join("platform.sql")).expect("the platform loads");
    database.psql_file(As::Owner, fixture.join("before.sql")).expect("the flat database loads");
    let (url, project) = (database.url_as_owner(), fixture.join("project"));
    let answers = std::env::temp_dir().join(format!("schemac-answers-{}.json", std::process::id()));
    let (queries, file) = (fixture.join("clients.sql"), answers.to_str().expect("a path"));
    let queries = queries.to_str().expect("a path");
    let small = ["set enable_seqscan = off"];
    database.execute_as(As::Superuser, &format!("alter role owner {}", small[0])).expect("sets");
    product::run(&project, &url, &["verify", "--queries", queries, "--record", file])
        .expect("runs")
        .expect(0);
    product::run(&project, &url, &["apply", "--yes"]).expect("runs").expect(0);
    let compare = ["verify", "--queries", queries, "--compare", file];
    product::run(&project, &url, &compare).expect("runs").expect(0);
    database
        .execute_as(
            As::Superuser,
            "update security_service.memory_entries set title = 'other' where id = md5('memory-12')::uuid",
        )
        .expect("updates");
    let run = product::run(&project, &url, &compare).expect("runs");
    run.expect(2);
    assert!(run.stdout.contains("FAILED: query: memory_entries: a whole row"), "{}", run.all());
    database.execute_as(As::Superuser, "alter role owner reset enable_seqscan").expect("resets");
    std::fs::remove_file(answers).expect("goes");
}

/// A table that moves on from a schema which its readers could never enter: nobody asks by that name.
#[test]
fn an_old_name_that_nobody_could_reach_is_not_compared() {
    for server in [15, 18].into_iter().filter_map(servers::get) {
        let database = server.database();
        let app = "domain: app\n";
        let core = "domain: core\ntables:\n  t:\n    moved_from: [app.t]\n    facade: app.t\n    columns: { id: int primary key, v: text }
    grants: { service_role: [select, insert] }\n";
        let files = [
            ("schemac.yaml", "postgres: 15\nsources: [app.yaml, core.yaml]\n"),
            ("app.yaml", app),
            ("core.yaml", core),
        ];
        let project = Project::new(&format!("verify-closed-{}", server.major()), &files);
        database
            .execute(
                "create schema app; create table app.t (id int primary key, v text);
                 grant select, insert on app.t to service_role; insert into app.t values (1, 'a')",
            )
            .expect("the table");
        project.apply(&database);
        for arguments in [&["verify"][..], &["verify", "--writes"]] {
            let run = project.run(&database, arguments);
            run.expect(0);
            let told = "as service_role: not compared, since the role may not enter the old name's schema";
            assert_eq!(run.stdout.contains(told), arguments.len() == 2, "{}", run.all());
        }
    }
}
