//! What the report reads in bodies of functions and in scheduled jobs: bodies that are made to mislead. Nothing is missed,
//! nothing is claimed that is not so, and what is said to go on working is run before and after.

use schemac_tests::product;
use schemac_tests::project::Project;
use schemac_tests::servers::{self, As, Database};
use serde_json::Value;

const PROJECT: &str = "postgres: 14\nsources: [schema/]\nsearch_path: [public]\nundeclared: keep\n";

const BEFORE: &str = "
create type public.status as enum ('active', 'off');
create table public.users (id int primary key, name text);
create table public.\"Users\" (id int);
create table public.bare (id int);
create table public.numbered (id serial);
create function public.audit() returns trigger language plpgsql as 'begin return new; end';
create table public.others (id int primary key, users int, name text, at date);
create function public.helper() returns int language sql as 'select 1';
create function public.helper(int) returns int language sql as 'select 2';
insert into public.users values (1, 'a'), (2, 'b');
insert into public.others values (1, 7, 'c', '2026-01-01');
";

const DOMAIN: &str = "domain: app
enums:
  status: { moved_from: [public.status], values: [active, off] }
tables:
  users:
    moved_from: [public.users]
    facade: public.users
    columns: { id: int primary key, name: text }
  Users:
    moved_from: ['public.\"Users\"']
    facade: 'public.\"Users\"'
    columns: { id: int }
  numbered:
    moved_from: [public.numbered]
    facade: public.numbered
    columns: { id: serial }
  bare:
    moved_from: [public.bare]
    columns: { id: int }
functions:
  helper:
    moved_from: [public.helper]
    returns: int
    body: select 1
";

/// A body, and what is found in it: the rule and the line, in order. A body with nothing that breaks answers as before.
const BODIES: &[(&str, &[(&str, u64)])] = &[
    // Nothing of the old names.
    ("begin -- from public.users\n /* truncate users; perform public.helper() */ return 'x'; end", &[]),
    ("begin raise notice 'nothing from users, nor in public.users'; return 'public'; end", &[]),
    ("begin return jsonb_build_object('error', 'no rows from users'); end", &[]),
    (
        "begin return 'update users failed: ' || 'public.users is busy'; end",
        &[("old-name", 1), ("old-name", 1)],
    ),
    ("declare r record; begin select 7 as users into r; r.users := 1; return r.users; end", &[]),
    ("declare users int; begin select count(*) into users from public.others; return users; end", &[]),
    ("declare users int; begin select 1, 2 into strict users, users; return users; end", &[]),
    (
        "declare users int := 1; r int; begin execute 'select $1 + $2' into r using users, users; return r; end",
        &[],
    ),
    ("declare users date := '2026-02-03'; begin return extract(year from users); end", &[]),
    ("declare users text := ' a '; begin return trim(both from users) is distinct from users; end", &[]),
    (
        "declare users cursor for select id from public.others; n int; begin open users; fetch next from users into n; \
         close users; return n; end",
        &[],
    ),
    ("declare users int; begin for users in select 3 loop return users; end loop; return 0; end", &[]),
    (
        "declare users text := 'm'; begin raise notice using message = users, hint = users; return users; end",
        &[],
    ),
    (
        "begin insert into public.others (id, users) values (2, 3); update others set users = 4; return 'x'; end",
        &[],
    ),
    ("begin return (select count(public.users) from public.others public where public.users > 0); end", &[]),
    ("begin perform set_config('public.users', 'x', true); return current_setting('public.users'); end", &[]),
    ("begin return '{\"public.users\": 1}'::jsonb -> 'public.users'; end", &[]),
    ("begin return (with users as (select 1 as id) select count(*) from users); end", &[]),
    (
        "begin return (with a as (select 1), users (id) as not materialized (select 2) select count(*) from a, users); end",
        &[],
    ),
    (
        "begin return (with recursive users (n) as (select 1 union all select n + 1 from users where n < 3) \
         select count(*) from users); end",
        &[],
    ),
    (
        "begin create temp table users on commit drop as select 1; return (select count(*) from users); end",
        &[],
    ),
    ("begin return public.helper(5); end", &[]),
    // The old names, which go on working.
    ("begin return (select count(*)\n from public.\"Users\"); end", &[("old-name", 2)]),
    (
        "begin return (with users as (\nselect * from users) select count(*) from users); end",
        &[("old-name", 2)],
    ),
    (
        "declare n int; begin with users as (select 1) select count(*) into n from users;\n return n + (select count(*) from users); end",
        &[("old-name", 2)],
    ),
    (
        "begin return (select (select count(*) from (with users as (select 1) select * from users) x)\n + count(*) from users); end",
        &[("old-name", 2)],
    ),
    (
        "declare\n r users%rowtype; begin select * into r from public.others limit 0; return r.name is null; end",
        &[("old-name", 2)],
    ),
    ("declare\n r public.users; begin return r.name is null; end", &[("old-name", 2)]),
    ("declare a int;\n r constant users := null; begin return r is null; end", &[("old-name", 2)]),
    ("<<outer_block>> declare\n r users[]; begin return r is null; end", &[("old-name", 2)]),
    ("declare n\n users.id%type := 4; begin return n; end", &[("old-name", 2)]),
    (
        "begin return (null::\nusers) is null and cast(null as\n users) is null; end",
        &[("old-name", 2), ("old-name", 3)],
    ),
    ("begin return (jsonb_populate_record(null::public.users, '{\"id\": 5}')).id; end", &[("old-name", 1)]),
    ("begin perform 1\n from users; return found; end", &[("old-name", 2)]),
    (
        "begin return (select count(*) from others a join others b on a.id = b.id,\n users); end",
        &[("old-name", 2)],
    ),
    ("begin return (select count(*) from (\nusers u join others o on true)); end", &[("old-name", 2)]),
    (
        "begin return (select count(*) from others o cross join lateral (select * from\n users) u); end",
        &[("old-name", 2)],
    ),
    ("begin return (select count(o.ctid) from others o,\n users u); end", &[("old-name", 2)]),
    ("begin execute\n format('select count(*) from %I', 'users'); return 'x'; end", &[("old-name", 1)]),
    ("begin execute 'select 1 from ' ||\n quote_ident('users'); return 'x'; end", &[("dynamic-sql", 1)]),
    (
        "declare q text := 'select 1\n from users'; begin execute q; return q; end",
        &[("dynamic-sql", 2), ("old-name", 2)],
    ),
    ("begin execute 'do $b$ begin perform 1\n from users; end $b$'; return 'x'; end", &[("old-name", 2)]),
    ("begin delete from others using\n users where false; return found; end", &[("old-name", 2)]),
    (
        "begin if exists (select from\n users) then return 'some'; end if; return 'none'; end",
        &[("old-name", 2)],
    ),
    ("begin lock table\n users in share mode; return 'x'; end", &[("old-name", 2)]),
    (
        "begin with a as (insert into\n users values (8, 'h') returning id) insert into others (id) select id from a \
         on conflict on constraint others_pkey do nothing; return 'x'; end",
        &[("old-name", 2)],
    ),
    ("begin copy (select * from\n public.users) to '/dev/null'; return 'x'; end", &[("old-name", 2)]),
    (
        "begin for n in 1..1 loop update\n users set name = name; end loop; return 'x'; end",
        &[("old-name", 2)],
    ),
    ("begin return (select public.id from\n users as public where public.id = 1); end", &[("old-name", 2)]),
    ("begin /* /* users */ from users */ return e'from \\'users'; end", &[]),
    (
        "declare n int; begin execute e'select count(*)\n from users' into n; return n; end",
        &[("old-name", 2)],
    ),
    (
        "declare n int; begin execute $q$select count(*)\n from users where id = $1$q$ into n using 1; return n; end",
        &[("old-name", 2)],
    ),
    ("begin execute concat('select 1 from ',\n 'users'); return 'x'; end", &[("dynamic-sql", 1)]),
    ("begin execute format($f$select 1 from %I$f$,\n 'users'); return 'x'; end", &[("old-name", 1)]),
    (
        "declare r record; begin for r in execute 'select * from\n users' loop return r.name; end loop; end",
        &[("old-name", 2)],
    ),
    (
        "declare c refcursor; begin open c for execute 'select * from\n users'; close c; return 'x'; end",
        &[("old-name", 2)],
    ),
    (
        "declare c refcursor; begin open c for select * from\n users; close c; return 'x'; end",
        &[("old-name", 2)],
    ),
    (
        "declare c cursor (k int) for select * from\n users where id = k; begin open c (1); close c; return 'x'; end",
        &[("old-name", 2)],
    ),
    (
        "begin with gone as (delete from\n users where false returning *) insert into others (id) select id from gone; return found; end",
        &[("old-name", 2)],
    ),
    ("begin update only\n users as u set name = u.name; return found; end", &[("old-name", 2)]),
    (
        "begin return (select count(*) from others where id in (select id from (table\n users) x)); end",
        &[("old-name", 2)],
    ),
    ("begin return has_table_privilege(current_user,\n 'users', 'select'); end", &[("name-in-text", 2)]),
    ("begin return to_regclass(\n'users') is null; end", &[("name-in-text", 2)]),
    (
        "begin create view of_users as select * from\n users; drop view of_users; return 'x'; end",
        &[("old-name", 2)],
    ),
    ("begin create table kids (like\n users); drop table kids; return 'x'; end", &[("old-name", 2)]),
    (
        "begin grant select on\n users to public; revoke select on\n users from public; return 'x'; end",
        &[("old-name", 2), ("old-name", 3)],
    ),
    (
        "begin assert (select count(*) from\n users) > 0, 'no rows from users'; return 'x'; end",
        &[("old-name", 2)],
    ),
    ("declare users public.others%rowtype; begin users.id := 1; users.users := 2; return users; end", &[]),
    ("begin return (select count(*) from others users where users.id = 1 and users.users > 0); end", &[]),
    (
        "begin return (select count(*) from PUBLIC . \"users\",\n\"Users\"); end",
        &[("old-name", 1), ("old-name", 2)],
    ),
    ("begin return (select count(*) from public./* here */\nusers); end", &[("old-name", 1)]),
    (
        "begin return (select max(public.users.id) from\n public.users); end",
        &[("old-name", 1), ("old-name", 2)],
    ),
    ("begin return (select count(*) from\n users join others using (id)); end", &[("old-name", 2)]),
    (
        "begin begin perform 1 / 0; exception when others then insert into\n users values (9, 'i'); end; return found; end",
        &[("old-name", 2)],
    ),
    (
        "begin return case when exists (select from\n users) then 'some' else 'none' end; end",
        &[("old-name", 2)],
    ),
    (
        "begin insert into others (id, users) select id + 10, id from\n users; return found; end",
        &[("old-name", 2)],
    ),
    ("begin delete from\n users using others where false; return found; end", &[("old-name", 2)]),
    ("begin return '/public.users/of'; end", &[]),
    (
        "begin return (select string_agg(relname, ',') from pg_class where relname =\n 'users'); end",
        &[("name-in-text", 2)],
    ),
    // What breaks.
    ("begin return (with a as (select 1) select count(*) from a,\n bare); end", &[("no-facade", 2)]),
    ("begin execute $q$ truncate\n users $q$; return 'x'; end", &[("truncate", 2)]),
    ("begin create index on\n users (name); return 'x'; end", &[("ddl", 2)]),
    ("begin comment on table\n users is 'x'; return 'x'; end", &[("ddl", 2)]),
    ("begin create table kids () inherits\n (users); return 'x'; end", &[("ddl", 2)]),
    ("begin drop table if exists others,\n users; return 'x'; end", &[("ddl", 2)]),
    ("begin perform\n public.helper(); return 'x'; end", &[("function-name", 2)]),
    ("begin return\n 'public.helper()'::regprocedure; end", &[("function-name", 2)]),
    ("declare s\n status := 'active'; begin return s; end", &[("type-name", 2)]),
    ("begin return cast('active' as\n status); end", &[("type-name", 2)]),
    ("declare r\n bare[]; begin return r is null; end", &[("no-facade", 2)]),
    ("begin alter table if exists only\n users add check (id > 0); return 'x'; end", &[("ddl", 2)]),
    ("begin drop table\n users cascade; return 'x'; end", &[("ddl", 2)]),
    ("begin create index if not exists named on\n users (name); return 'x'; end", &[("ddl", 2)]),
    (
        "begin execute 'create trigger t after insert on\n users for each row execute function audit()'; return 'x'; end",
        &[("ddl", 2)],
    ),
    ("begin create policy p on\n users using (true); return 'x'; end", &[("ddl", 2)]),
    ("begin return pg_get_serial_sequence(\n'numbered', 'id'); end", &[("serial-sequence", 2)]),
    ("begin return nextval(\n'numbered_id_seq'); end", &[("sequence-name", 2)]),
    ("begin alter sequence\n numbered_id_seq restart; return 'x'; end", &[("sequence-name", 2)]),
    ("begin return (select count(x.xmin) from others o,\n users x); end", &[("system-column", 2)]),
];

fn answer(database: &Database<'_>, sql: &str) -> String {
    database.answer(sql).unwrap_or_else(|code| if code.is_empty() { code } else { format!("error {code}") })
}

/// What is found in an object: the rule and the line.
fn found(report: &Value, name: &str) -> Vec<(String, u64)> {
    let all = report["findings"].as_array().expect("a list").iter();
    let here = all.filter(|one| one["at"]["name"] == name);
    let mut found: Vec<(String, u64)> = here
        .map(|one| {
            (one["rule"].as_str().unwrap_or_default().to_owned(), one["line"].as_u64().unwrap_or_default())
        })
        .collect();
    found.sort();
    found
}

fn report(project: &Project, database: &Database<'_>) -> Value {
    let run = project.run(database, &["diff", "--json"]);
    serde_json::from_str::<Value>(&run.expect(0).stdout).expect("JSON")["compatibility"].clone()
}

fn bodies_are_read(major: u32) {
    let Some(server) = servers::get(major) else { return };
    let database = server.database();
    let mut sql = BEFORE.to_owned();
    for (at, (body, _)) in BODIES.iter().enumerate() {
        sql.push_str(&format!(
            "create function public.f_{at}() returns text language plpgsql as $body${body}$body$;\n"
        ));
    }
    sql.push_str(
        "create function public.s() returns text language sql as 'select count(*)::text\n from users';",
    );
    database.psql(As::Owner, &sql).expect("the database");
    let ask = |at: usize| answer(&database, &format!("select public.f_{at}()"));
    let before: Vec<String> = (0..BODIES.len()).map(ask).collect();
    for (answer, (body, _)) in before.iter().zip(BODIES) {
        assert!(!answer.starts_with("error"), "PostgreSQL {major}: {body}: {answer}");
    }
    let project =
        Project::new(&format!("bodies-{major}"), &[("schemac.yaml", PROJECT), ("schema/app.yaml", DOMAIN)]);
    let report = report(&project, &database);
    let mut wrong = Vec::new();
    for (at, (body, expected)) in BODIES.iter().enumerate() {
        let found = found(&report, &format!("f_{at}"));
        let found: Vec<(&str, u64)> = found.iter().map(|(rule, line)| (rule.as_str(), *line)).collect();
        if found != *expected {
            wrong.push(format!("{body}\n  {found:?}, not {expected:?}"));
        }
    }
    assert!(wrong.is_empty(), "PostgreSQL {major}:\n{}", wrong.join("\n"));
    assert_eq!(found(&report, "s"), [("old-name".to_owned(), 2)]);
    project.apply(&database);
    let mut wrong = Vec::new();
    for (at, (body, expected)) in BODIES.iter().enumerate() {
        let after = ask(at);
        // A name in a text means the facade, which may answer the same.
        let may_change = expected.iter().any(|(rule, _)| *rule == "name-in-text");
        let works = expected.iter().all(|(rule, _)| ["old-name", "dynamic-sql"].contains(rule));
        if !may_change && (after == before[at]) != works {
            wrong.push(format!("{body}: {} and {after}", before[at]));
        }
    }
    assert!(wrong.is_empty(), "PostgreSQL {major}:\n{}", wrong.join("\n"));
}

#[test]
fn bodies_are_read_on_15() {
    bodies_are_read(15);
}

#[test]
fn bodies_are_read_on_17() {
    bodies_are_read(17);
}

#[test]
fn bodies_are_read_on_18() {
    bodies_are_read(18);
}

/// DO blocks and maintenance in jobs (a stand-in for the table of pg_cron).
#[test]
fn jobs_are_read() {
    let Some(server) = servers::get(17) else { return };
    let database = server.database();
    database.psql(As::Owner, BEFORE).expect("the database");
    database
        .psql(
            As::Superuser,
            r"create schema cron; grant usage on schema cron to public;
             create table cron.job (jobid bigserial, command text, jobname text); grant select on cron.job to public;
             insert into cron.job (command) values
                (E'do $$ begin\n execute ''truncate '' || quote_ident(''users'');\n delete from users; end $$'),
                ('vacuum analyze users'), ('vacuum (full) public.users'), ('reindex table users'),
                (E'do $$ declare users int; begin select 1 into users; raise notice ''from users''; end $$'),
                ('select 1 from public.bare');",
        )
        .expect("jobs");
    let project = Project::new("bodies-jobs", &[("schemac.yaml", PROJECT), ("schema/app.yaml", DOMAIN)]);
    let report = report(&project, &database);
    let all = report["findings"].as_array().expect("a list").iter();
    let jobs = all.filter(|one| one["at"]["text"] == "table cron.job");
    let mut said: Vec<String> = jobs
        .map(|one| format!("{} {} {}", one["what"].as_str().unwrap_or_default(), one["rule"], one["line"]))
        .collect();
    said.sort();
    assert_eq!(
        said,
        [
            "job 1: execute 'truncate ' || quote_ident('users'); \"dynamic-sql\" 2",
            "job 1: users \"old-name\" 3",
            "job 2: users \"ddl\" 1",
            "job 3: public.users \"ddl\" 1",
            "job 4: users \"ddl\" 1",
            "job 6: public.bare \"no-facade\" 1",
        ],
        "{report:#}"
    );
    let run = product::run(project.folder(), &database.url_as_owner(), &["diff"]).expect("it runs");
    run.expect(0);
}
