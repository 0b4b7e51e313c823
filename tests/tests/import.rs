//! `schemac import`: what it writes is the database, for schemac's own diff and for pg_dump.

use std::fs;
use std::path::{Path, PathBuf};

use schemac_tests::product::{self, Run};
use schemac_tests::servers::{self, As, Database};
use schemac_tests::{dump, repository};

const VERSIONS: [u32; 2] = [15, 18];

/// A folder that goes away with the test.
struct Folder(PathBuf);

impl Folder {
    fn new(database: &Database<'_>) -> Self {
        let version = database.server().major();
        let path = std::env::temp_dir().join(format!(
            "schemac-import-{}-{version}-{}",
            std::process::id(),
            database.name()
        ));
        let _ = fs::remove_dir_all(&path);
        Folder(path)
    }

    fn text(&self, path: &str) -> String {
        fs::read_to_string(self.0.join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if std::env::var_os("KEEP").is_some() {
            return;
        }
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn import(database: &Database<'_>, out: &Path, more: &[&str]) -> Run {
    let mut arguments = vec!["import", "--out", out.to_str().expect("a path")];
    arguments.extend(more);
    let mut command = product::bare(&arguments);
    command.env("DATABASE_URL", database.url_as_owner());
    product::finish(command).expect("runs")
}

/// Imports, compares with the same database, builds anew and compares the dumps.
#[track_caller]
fn round_trip(original: &Database<'_>, prepare: &dyn Fn(&Database<'_>), more: &[&str]) -> Folder {
    let folder = Folder::new(original);
    let run = import(original, &folder.0, more);
    run.expect(0);
    let files = || {
        let mut texts = String::new();
        for entry in fs::read_dir(folder.0.join("schema")).expect("files").flatten() {
            texts.push_str(&fs::read_to_string(entry.path()).expect("a file"));
        }
        texts
    };
    assert_eq!(run.stderr, "", "{}\n{}", run.all(), files());
    let diff = product::run(&folder.0, &original.url_as_owner(), &["diff", "--exit-code"]).expect("runs");
    assert_eq!(diff.code, 0, "{}\n{}", diff.all(), files());
    let fresh = original.server().database();
    prepare(&fresh);
    let applied = product::run(&folder.0, &fresh.url_as_owner(), &["apply", "--yes"]).expect("runs");
    assert_eq!(applied.code, 0, "{}\n{}", applied.all(), files());
    // PostgreSQL does not always read its own words as it wrote them: what counts is what its own dump would restore.
    let restored = original.restored().expect("the dump is restored");
    let difference =
        dump::difference(&without_identity_grants(&restored.dump()), &without_identity_grants(&fresh.dump()));
    assert_eq!(difference, "", "{}", files());
    folder
}

/// Privileges on the sequence of an identity column are not read: nobody needs them to insert.
fn without_identity_grants(dump: &str) -> String {
    let sequences: Vec<&str> =
        dump.lines().filter_map(|line| line.trim().strip_prefix("SEQUENCE NAME ")).collect();
    let grants = |line: &&str| {
        sequences.iter().any(|name| line.starts_with(&format!("GRANT ALL ON SEQUENCE {name} TO ")))
    };
    dump.lines().filter(|line| !grants(line)).map(|line| format!("{line}\n")).collect()
}

fn on_all(sql: &str, setup: &str, check: impl Fn(&Folder, u32)) {
    for major in VERSIONS {
        let Some(server) = servers::get(major) else { continue };
        let prepare = |database: &Database<'_>| {
            database.execute_as(As::Superuser, setup).expect("the setup");
        };
        let database = server.database();
        prepare(&database);
        database.execute(sql).expect("the schema");
        check(&round_trip(&database, &prepare, &[]), major);
    }
}

const TABLES: &str = r#"
create schema app;
comment on schema app is 'What it''s about: # all';
grant usage on schema app to anon, authenticated;
create table app.orgs (
    id int generated always as identity primary key,
    name varchar(200) not null,
    slug text collate "C",
    code char(3) default 'x' not null,
    price numeric(10,2) default (1 + 0.5) check (price > 0),
    big text,
    at timestamptz not null default now(),
    tags text[] default '{}',
    flag boolean default (1 < 2 and 3 < 4),
    lower text generated always as (lower(name)) stored,
    on_line bool default false,
    constraint orgs_key unique nulls not distinct (slug, code) include (at) with (fillfactor = 50),
    constraint named check (name <> 'a: b # c' and name !~ '^\s+$') no inherit
);
alter table app.orgs add constraint later check (code <> '') not valid;
alter table app.orgs alter column name set statistics 200, alter column slug set (n_distinct = 5),
    alter column big set storage external;
comment on column app.orgs.name is E'two\nlines';
comment on constraint orgs_key on app.orgs is 'unique enough';
comment on table app.orgs is 'null';
create index orgs_plain on app.orgs (name, at desc nulls last);
create unique index orgs_lower on app.orgs (lower(name)) include (code) with (fillfactor = 70) where flag;
create index orgs_tags on app.orgs using gin (tags);
comment on index app.orgs_tags is 'for tags';
create unlogged table app.members (
    org int not null,
    who uuid not null default '11111111-1111-4111-8111-111111111111',
    since bigint generated by default as identity (start with 100 increment by 5 cycle) not null,
    primary key (org, who),
    constraint members_org foreign key (org) references app.orgs (id) on delete cascade on update set null
        deferrable initially deferred,
    unique (who)
) with (fillfactor = 80, autovacuum_enabled = false, toast.autovacuum_enabled = off);
alter table app.members replica identity using index members_who_key;
alter table app.members enable row level security, force row level security;
create policy "Own rows: read" on app.members for select to authenticated, anon
    using (who = '11111111-1111-4111-8111-111111111111' or exists (select from app.orgs o where o.id = org and o.flag));
create policy add on app.members as restrictive for insert with check (org > 0);
comment on policy add on app.members is 'narrow';
create policy everything on app.members using (true) with check (false);
grant select, insert, update (who, org) on app.members to authenticated;
grant select (org) on app.members to anon with grant option;
grant all on app.orgs to service_role;
grant select on app.orgs to public;
create trigger touch before update of name, code or insert on app.orgs for each row
    when (new.name is distinct from 'x') execute function suppress_redundant_updates_trigger();
create constraint trigger late after delete on app.orgs deferrable initially deferred for each row
    execute function suppress_redundant_updates_trigger('a', 'it''s');
create trigger statement after update on app.orgs referencing old table as o new table as n for each statement
    execute function suppress_redundant_updates_trigger();
alter table app.orgs disable trigger touch;
comment on trigger late on app.orgs is 'late';
create view app.names with (security_barrier = true) as
    select o.id, o.name, count(*) as members from app.orgs o left join app.members m on m.org = o.id
    where o.name <> 'a
  b' group by o.id, o.name;
comment on view app.names is 'names';
comment on column app.names.members is 'how many';
grant select (id) on app.names to anon;
create view app.flat as select id, name, flag from app.orgs;
alter view app.flat alter column flag set default true;
create trigger instead instead of insert on app.flat for each row execute function suppress_redundant_updates_trigger();
create table app.empty ();
create schema "Odd-Names";
create table "Odd-Names"."null" ("on" int, "A b" text primary key, "x.y" text unique, "it's" int, "select" int, "ä" int);
create table "Odd-Names"."a:b#c" ("a" text references "Odd-Names"."null");
comment on column app.orgs.name is ' with space around ';
comment on column app.orgs.slug is E'lines\n  of text\n';
comment on column app.orgs.code is E'\n\n';
comment on column app.orgs.price is '  ';
"#;

#[test]
fn tables_and_views() {
    on_all(TABLES, "", |_, _| {});
}

const ROUTINES: &str = r#"
create schema app;
create table app.t (id int primary key, name text, hidden text);
create function app.touch() returns trigger language plpgsql security definer set search_path = '' as $$
begin
    -- a: b # c
    new.name := lower(new.name);

    return new;
end
$$;
comment on function app.touch() is 'touches';
create trigger touch before insert on app.t for each row execute function app.touch();
create function app.find(query text, how_many int default 10, inout total bigint default null, variadic rest text[] default '{}')
    returns bigint language sql stable strict parallel safe cost 7 set search_path = "$user", public, "Odd, one" set work_mem = '16MB'
    as 'select count(*) from app.t';
create function app.find(query int) returns table (id int, "Name" varchar) language sql rows 5
    begin atomic select t.id, t.name from app.t where t.id = query; end;
create function app.row(t app.t) returns setof app.t immutable language sql return null::app.t;
create procedure app.clean(inout n int) language plpgsql as 'begin delete from app.t; end';
revoke execute on function app.row(app.t) from public;
grant execute on function app.row(app.t) to anon;
grant execute on function app.find(int) to authenticated;
create aggregate app.total(int) (sfunc = int4pl, stype = int, initcond = '0', combinefunc = int4pl, parallel = safe);
create materialized view app.names as select name, count(*) as n from app.t group by name with no data;
create unique index names_key on app.names (name);
create index names_n on app.names using brin (n);
comment on materialized view app.names is 'names';
comment on column app.names.n is 'how many';
grant select on app.names to anon;
alter default privileges in schema app grant select, insert on tables to anon, authenticated;
alter default privileges in schema app grant all on tables to service_role;
alter default privileges revoke execute on functions from public;
create publication feed for table app.t with (publish = 'insert, update');
"#;

#[test]
fn routines_and_what_stands_outside() {
    on_all(ROUTINES, "", |_, _| {});
}

/// Bodies with all sorts of white space around and inside them: PostgreSQL keeps it, and so does a dump.
const BODIES: &[&str] = &[
    "select 1",
    " select 1 ",
    "\nselect 1\n",
    "\n  select 1,\n    2\n",
    "\nselect 1,\n\n   \n    2",
    "\n\n\tselect 1\n",
    "select 1,\n2",
    "select 1,\n2\n  ",
    "\n  select 1\n  ",
    "\nselect 1\n\n",
    "\nselect '$'\n",
    "select '$$'",
    "--$",
    "\r\nselect 1,\r\n 2\r\n",
    "\n# no comment: { [ ' \"\n",
    "\n\u{a0}select 1\n",
    "",
    " \n ",
];

#[test]
fn bodies_keep_their_white_space() {
    let mut sql = String::from("create schema app;\nset check_function_bodies = off;\n");
    for (number, body) in BODIES.iter().enumerate() {
        let body = schemac_schema::sql::literal(body);
        sql.push_str(&format!("create function app.f{number}() returns int language plpgsql as {body};\n"));
        sql.push_str(&format!(
            "create function app.o(a int{}) returns int language plpgsql as {body};\n",
            ", int".repeat(number)
        ));
    }
    on_all(&sql, "", |folder, _| {
        // What people write most comes back as they would write it.
        let text = folder.text("schema/app.yaml");
        assert!(
            text.contains("body: select 1\n") && !text.contains("body: |\n      select 1,\n          2"),
            "{text}"
        );
        assert!(text.contains("    body: |2\n        select 1,\n          2\n"), "{text}");
    });
}

const TYPES: &str = r#"
create schema app;
create type app.mood as enum ('on', 'null', '1.10', 'a, b', '');
comment on type app.mood is 'how it is';
create type app.plain as enum ('a', 'b');
create domain app.email as text collate "C" default 'x' not null constraint shape check (value ~ '@');
create domain app.year as int;
create type app.money as (amount numeric(12,2), currency char(3) collate "C");
create type app.span as range (subtype = float8, subtype_diff = float8mi, multirange_type_name = app.spans);
revoke usage on type app.plain from public;
grant usage on type app.plain to anon;
create sequence app.invoice start 1000 increment 10 cache 5 cycle maxvalue 5000;
create sequence app.small as smallint;
grant usage on sequence app.small to anon;
create table app.t (
    id serial primary key, other bigserial, mood app.mood default 'null' not null, moods app.mood[], price app.money,
    year app.year, granted serial, "Odd" smallserial, own int default nextval('app.invoice')
);
grant usage on sequence app.t_granted_seq to anon;
comment on column app.t.id is 'with a comment';
alter sequence app.small owned by app.t.year;
"#;

#[test]
fn types_and_sequences() {
    on_all(TYPES, "", |_, _| {});
}

const DIVIDED: &str = r#"
create schema app;
create schema old;
create table app.audits (id int not null, at timestamptz not null, kind text default 'x', primary key (id, at)) partition by range (at);
create table app.audits_1 partition of app.audits for values from ('2026-01-01') to ('2026-02-01') with (fillfactor = 70);
create table old.audits_2 partition of app.audits for values from ('2025-01-01') to ('2026-01-01') partition by range (id);
create table old.audits_2_x partition of old.audits_2 for values from (minvalue) to (5);
create table app.every partition of app.audits default;
create index audits_kind on app.audits (kind);
comment on table app.audits_1 is 'January';
grant select on app.audits_1 to anon;
create table app.base (id int, name text not null);
create table app.child (extra int) inherits (app.base);
create table app.rooms (room int4range, during tstzrange, constraint no_overlap exclude using gist (room with =, during with &&) with (fillfactor = 80) where (room is not null) deferrable);
create table app.kinds (kind text) partition by list (kind);
create table app.kinds_x partition of app.kinds for values in ('x', 'a: b', null);
create statistics app.many (ndistinct, dependencies) on id, at from app.audits;
"#;

#[test]
fn what_is_divided_or_inherited() {
    on_all(DIVIDED, "", |_, _| {});
}

fn fixture_comes_back(major: u32, moves: bool) {
    let Some(server) = servers::get(major) else { return };
    let prepare = |database: &Database<'_>| {
        database.psql_file(As::Superuser, fixture("platform.sql")).expect("the platform loads");
    };
    let database = server.database();
    prepare(&database);
    database.psql_file(As::Owner, fixture("before.sql")).expect("the flat database loads");
    if moves {
        database.psql_file(As::Owner, fixture("by_hand.sql")).expect("everything moves");
    }
    round_trip(&database, &prepare, &["--profile", "supabase"]);
}

#[test]
fn the_whole_fixture_comes_back_before_its_moves() {
    for major in servers::MAJORS {
        fixture_comes_back(major, false);
    }
}

#[test]
fn the_whole_fixture_comes_back_after_its_moves() {
    for major in servers::MAJORS {
        fixture_comes_back(major, true);
    }
}

#[test]
fn a_folder_with_files_is_left_alone() {
    let Some(server) = servers::get(18) else { return };
    let database = server.database();
    let folder = Folder::new(&database);
    fs::create_dir_all(&folder.0).expect("a folder");
    fs::write(folder.0.join("mine.txt"), "mine").expect("a file");
    let run = import(&database, &folder.0, &[]);
    assert!(run.expect(1).stderr.contains("is not an empty folder"), "{}", run.all());
    import(&database, &folder.0, &["--force"]).expect(0);
    assert_eq!(folder.text("mine.txt"), "mine");
}

#[test]
fn nothing_is_missed_silently() {
    let Some(server) = servers::get(18) else { return };
    let database = server.database();
    let sql = "create table t (a int); create rule r as on insert to t do instead nothing;
        create type pair as (a int); create table typed of pair;
        create table loose (a int not null no inherit, b int);
        alter table loose add constraint later not null b not valid;
        create text search configuration words (copy = simple);
        create schema auth; create table auth.users (id uuid);
        create function f() returns trigger language plpgsql as 'begin return new; end';
        create trigger made after insert on auth.users for each row execute function f()";
    database.execute(sql).expect("the schema");
    let folder = Folder::new(&database);
    let run = import(&database, &folder.0, &["--strict"]);
    assert!(run.expect(1).stderr.contains("not in the files: rule public.t.r"), "{}", run.all());
    for what in [
        "table public.typed is a table OF public.pair",
        "the NOT NULL constraint loose_a_not_null of column public.loose.a is NO INHERIT",
        "the NOT NULL constraint later of column public.loose.b is NOT VALID",
    ] {
        assert!(run.stderr.contains(&format!("not in the files: {what}")), "{}", run.all());
    }
    assert!(!folder.0.exists(), "something was written");
    let run = import(&database, &folder.0, &["--profile", "supabase"]);
    assert!(run.expect(0).stderr.contains("text search configuration"), "{}", run.all());
    assert!(folder.text("schema/public.yaml").starts_with("# In the database, and not in this file"));
    // What the files could not say is not dropped for that.
    assert!(folder.text("schemac.yaml").contains("undeclared: report"));
}

/// PostgreSQL reads some of its own words otherwise than it wrote them; the files have words that it reads as they were.
#[test]
fn lists_over_varchar_are_built_as_they_were() {
    let sql = "create table t (role varchar(20) check (role in ('user', 'it''s')), b text, c char(3),
            constraint other check (lower(b) not in ('x', 'y') or role not in ('user', E'a\\\\b') or c in ('a', 'b')));
        create index on t (b) where role in ('user', 'admin');
        alter table t enable row level security;
        create policy p on t using (b <> '' and role in ('user', 'admin'));
        create view v as select role in ('user', 'admin') as usual, case when role not in ('a', 'b') then 1 end as n from t;
        create function f() returns text language sql as
            'select $x$((role)::text = ANY ((ARRAY[''a''::character varying])::text[]))$x$::text'";
    for major in VERSIONS {
        let Some(server) = servers::get(major) else { continue };
        let database = server.database();
        database.execute(sql).expect("the schema");
        let folder = round_trip_exactly(&database);
        let text = folder.text("schema/public.yaml");
        assert!(text.contains("(role IN ('user', 'it''s'))"), "{text}");
        assert!(text.contains("((role)::text = ANY ((ARRAY[''a''::character varying])::text[]))"), "{text}");
    }
}

/// The same with the dump of the database itself: nothing in it is read otherwise than it was written.
#[track_caller]
fn round_trip_exactly(original: &Database<'_>) -> Folder {
    let folder = round_trip(original, &|_| (), &[]);
    let fresh = original.server().database();
    product::run(&folder.0, &fresh.url_as_owner(), &["apply", "--yes"]).expect("runs").expect(0);
    assert_eq!(dump::difference(&original.dump(), &fresh.dump()), "");
    folder
}

/// What a project put on the platform's tables is imported with it, and what the platform put there is not.
#[test]
fn what_stands_on_the_platforms_tables_comes_along() {
    let platform =
        "create schema auth authorization owner; create schema storage authorization owner; set role owner;
        create table auth.users (id uuid primary key);
        create function auth.theirs() returns trigger language plpgsql as 'begin return new; end';
        create trigger theirs before insert on auth.users for each row execute function auth.theirs();
        create table storage.objects (id uuid primary key, owner uuid);
        alter table storage.objects enable row level security; reset role";
    let own = "create function public.welcome() returns trigger language plpgsql as 'begin return new; end';
        create trigger welcome after insert on auth.users for each row execute function public.welcome();
        comment on trigger welcome on auth.users is 'New people';
        create policy \"Own files\" on storage.objects for select to authenticated using (owner is not null);";
    for major in VERSIONS {
        let Some(server) = servers::get(major) else { continue };
        let prepare = |database: &Database<'_>| {
            server.ensure_role("authenticated", "nologin").expect("a role");
            database.execute_as(As::Superuser, platform).expect("the platform");
        };
        let database = server.database();
        prepare(&database);
        database.execute_as(As::Owner, own).expect("the schema");
        let folder = round_trip(&database, &prepare, &["--profile", "supabase"]);
        let text = folder.text("schema/database.yaml");
        for expected in
            ["  auth.users:", "      welcome:", "New people", "  storage.objects:", "      Own files:"]
        {
            assert!(text.contains(expected), "{expected} is not in\n{text}");
        }
        assert!(!text.contains("theirs"), "{text}");
    }
}

#[test]
fn strict_takes_what_the_files_leave_to_the_database() {
    let Some(server) = servers::get(18) else { return };
    let database = server.database();
    // Its version is nobody's business but the database's, until a file names one.
    database.execute("create schema tools; create extension pgcrypto schema tools").expect("the schema");
    let folder = Folder::new(&database);
    import(&database, &folder.0, &["--strict"]).expect(0);
    assert!(!folder.text("schema/database.yaml").contains("version"));
    assert!(folder.text("schemac.yaml").contains("undeclared: drop"));
}

fn fixture(path: &str) -> PathBuf {
    repository().join("fixtures/disruptor").join(path)
}

/// What the guide leaves where it is: the business's own books, and the price list.
const STAYS: [&str; 8] = [
    "business_exchange_rates",
    "business_invoice_lines",
    "business_invoices",
    "business_profiles",
    "edoc_documents",
    "edoc_financial_analyses",
    "edoc_signatures",
    "subscription_plans",
];

/// Old name in `public`, domain and new name of each table that a file names.
fn sorted_as(lines: impl Iterator<Item = (String, String)>) -> Vec<(String, String, String)> {
    lines
        .map(|(old, new)| {
            let (domain, name) = new.split_once('.').expect("a name with its schema");
            (old, domain.to_owned(), name.to_owned())
        })
        .collect()
}

/// What the guide's phases 2 to 5 say, and every move of `by_hand.sql` out of `public`.
fn expected_domains() -> Vec<(String, String, String)> {
    let guide = fs::read_to_string(fixture("guide.txt")).expect("guide.txt");
    let lines = guide.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    let mut all = sorted_as(lines.map(|line| {
        let (old, new) = line.split_once(' ').expect("two names");
        (old.to_owned(), new.to_owned())
    }));
    assert_eq!(all.len(), 41, "the guide names 41 tables in its phases 2 to 5");
    let script = fs::read_to_string(fixture("by_hand.sql")).expect("by_hand.sql");
    let calls = script.lines().filter_map(|line| line.strip_prefix("call pg_temp.move('public."));
    all.extend(sorted_as(calls.map(|call| {
        let words: Vec<&str> = call.trim_end_matches("');").split("', '").collect();
        (words[0].to_owned(), format!("{}.{}", words[1], words[2]))
    })));
    all
}

#[test]
fn rules_sort_the_flat_schema_as_the_guide_does() {
    let Some(server) = servers::get(15) else { return };
    let database = server.database();
    database.psql_file(As::Superuser, fixture("platform.sql")).expect("the platform loads");
    database.psql_file(As::Owner, fixture("before.sql")).expect("the flat database loads");
    let folder = Folder::new(&database);
    let rules = fixture("rules.yaml");
    let more = ["--profile", "supabase", "--rules", rules.to_str().expect("a path")];
    let run = import(&database, &folder.0, &more);
    run.expect(0);
    for (old, domain, name) in expected_domains() {
        let text = folder.text(&format!("schema/{domain}.yaml"));
        let tables = &text[text.find("\ntables:\n").expect("tables")..];
        let entry = format!("\n  {name}:\n");
        let at = tables.find(&entry).unwrap_or_else(|| panic!("{name} is not in {domain}:\n{text}"));
        let rest = &tables[at..];
        let head = &rest[..rest.find("    columns:").expect("columns")];
        assert!(head.contains(&format!("    moved_from: [public.{old}]\n")), "{head}");
        assert!(head.contains(&format!("    facade: public.{old}\n")), "{head}");
    }
    // What refers to a moved table has its new name.
    let text = folder.text("schema/security_service.yaml");
    assert!(text.contains("references security_service.memory_entries (id)"), "{text}");
    assert!(!text.contains("public.memory_entries m"), "{text}");
    assert!(folder.text("schema/public.yaml").contains("security_service.stored_api_keys"));
    let (_, review) = run.stdout.split_once("review_needed").expect("review_needed");
    let left: Vec<&str> = review.lines().filter_map(|line| line.strip_prefix("  public.")).collect();
    assert_eq!(left, STAYS, "{}", run.all());
    for table in STAYS {
        assert!(folder.text("schemac.yaml").contains(&format!("#   public.{table}\n")));
    }
    assert!(!run.stderr.contains("no table fits"), "{}", run.all());
}
