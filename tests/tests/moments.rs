//! Between two transactions of a plan nobody is locked out, and nobody sees what they see neither before nor after it.
//!
//! The script is run transaction by transaction; after each, every role asks through the names that clients know. What
//! it hears is what it heard before the plan or what it hears after it, and it changes once.

use std::collections::BTreeMap;

use postgres::{Client, NoTls, SimpleQueryMessage};
use schemac_tests::servers::{self, As, Database};
use schemac_tests::{product, script};

const BEFORE: &str = "
create table public.open_notes (id int primary key, owner text not null, body text);
insert into public.open_notes select n, case when n % 2 = 0 then 'a' else 'b' end, 'x' from generate_series(1, 6) n;
grant select, update, delete on public.open_notes to authenticated;
create table public.notes (id int primary key, owner text not null, body text, kind text not null default 'k');
insert into public.notes select n, case when n % 2 = 0 then 'a' else 'b' end, 'x' from generate_series(1, 6) n;
alter table public.notes enable row level security;
create policy old_own on public.notes to authenticated using (owner = 'a');
create policy old_own_write on public.notes for update to authenticated using (owner = 'a');
grant select, update on public.notes to authenticated;
create table public.log (line text);
create function public.old_audit() returns trigger language plpgsql security definer as
    $$ begin insert into public.log values (new.body); return new; end $$;
create trigger old_audit after update on public.notes for each row execute function public.old_audit();
";

/// Policies, privileges and triggers get other names and other texts, a new column and a new check need the table to be
/// read and written anew, and `MOVES` puts the tables elsewhere at once.
const AFTER: &str = "
domain: DOMAIN
tables:
  open_notes:
    MOVES_OPEN
    columns:
      id: int primary key
      owner: text not null
      body: text
      half: int generated always as (id / 2) stored
    checks:
      positive: id > 0
    rls: enabled
    policies:
      zz_own: { to: authenticated, using: owner = 'a' }
    grants: { authenticated: [select, \"update (body)\", delete] }
  notes:
    MOVES_NOTES
    columns:
      id: int primary key
      owner: text not null
      body: text
      kind: varchar(20) not null default 'k'
    indexes:
      notes_owner_idx: (owner)
    rls: enabled
    policies:
      a_own: { for: select, to: authenticated, using: owner = 'a' }
      zz_own_write: { for: update, to: authenticated, using: owner = 'a' }
      mm_all: { as: restrictive, to: authenticated, using: length(owner) < 5 }
    triggers:
      zz_audit: after update for each row execute function public.new_audit()
    grants: { authenticated: [select, \"update (body, kind)\"] }
";

const PUBLIC: &str = "
domain: public
grants: { public: usage }
tables:
  log:
    columns: { line: text }
functions:
  new_audit:
    returns: trigger
    language: plpgsql
    attributes: security definer
    body: |
      begin
        insert into public.log values (new.body);
        return new;
      end
";

/// What a client asks, in a transaction that is rolled back.
const QUESTIONS: &[&str] = &[
    "select count(*) from public.open_notes",
    "update public.open_notes set body = 'y' where id < 5",
    "delete from public.open_notes where id = 2",
    "select count(*) from public.notes",
    "update public.notes set body = 'y' where id < 5",
    "update public.notes set body = 'y' where id = 2; reset role; select count(*) from public.log",
];

#[test]
fn every_commit_leaves_who_sees_what() {
    for server in servers::all() {
        if server.major() < 15 {
            continue; // A facade over row-level security is refused on 14.
        }
        for moves in [false, true] {
            let database = server.database();
            server.ensure_role("authenticated", "nologin").expect("a role");
            database.execute_as(As::Owner, BEFORE).expect("the state before");
            let plan = plan(&database, moves);
            let mut asking = Client::connect(&database.url_as_superuser(), NoTls).expect("connects");
            let mut running = Client::connect(&database.url_as_owner(), NoTls).expect("connects");
            let mut heard: BTreeMap<&str, Vec<String>> = BTreeMap::new();
            ask(&mut asking, &mut heard);
            for text in script::statements(&plan) {
                running.batch_execute(&text).unwrap_or_else(|error| panic!("{text}: {error}"));
                if text.eq_ignore_ascii_case("commit") {
                    ask(&mut asking, &mut heard);
                }
            }
            for (question, answers) in &mut heard {
                answers.dedup();
                let what = format!("PostgreSQL {}, moves: {moves}: {question}: {answers:?}", server.major());
                assert!(answers.len() <= 2, "it changes more than once: {what}");
            }
            assert_eq!(heard[QUESTIONS[0]], ["6", "3"], "row-level security came");
            assert_eq!(heard[QUESTIONS[3]], ["3"], "nothing changed for who reads");
            assert_eq!(heard[QUESTIONS[5]], ["1"], "every update is in the log, once");
        }
    }
}

/// A column that numbers its rows itself and one that takes a sequence's numbers become each other: whoever writes
/// after any commit gets numbers.
#[test]
fn every_commit_leaves_rows_numbered() {
    let before = "create sequence public.shared;
        create table public.t (a int generated by default as identity,
            b int not null default nextval('public.shared'), c int generated by default as identity,
            d int not null default nextval('public.shared'), e int);
        insert into public.t (e) values (1)";
    let after = "
domain: public
grants: { public: usage }
sequences:
  shared: {}
tables:
  t:
    columns:
      a: int not null default nextval('public.shared')
      b: int generated by default as identity
      c: bigint not null default nextval('public.shared')
      d: bigint generated by default as identity
      e: bigint
    checks:
      numbered: a > 0 and b > 0
";
    for server in servers::all() {
        let database = server.database();
        server.ensure_role("authenticated", "nologin").expect("a role");
        database.execute_as(As::Owner, before).expect("the state before");
        let plan = script_to(&database, &[("public.yaml", after)]);
        let mut running = Client::connect(&database.url_as_owner(), NoTls).expect("connects");
        for text in script::statements(&plan) {
            running.batch_execute(&text).unwrap_or_else(|error| panic!("{text}: {error}"));
            if text.eq_ignore_ascii_case("commit") {
                let written = database.execute("insert into public.t (e) values (1)");
                written.unwrap_or_else(|error| panic!("{plan}\n{error}"));
            }
        }
    }
}

fn plan(database: &Database<'_>, moves: bool) -> String {
    let (domain, open, notes) = match moves {
        true => (
            "app",
            "moved_from: [public.open_notes]\n    facade: public.open_notes",
            "moved_from: [public.notes]\n    facade: public.notes",
        ),
        false => ("public", "", ""),
    };
    let tables = AFTER.replace("DOMAIN", domain).replace("MOVES_OPEN", open).replace("MOVES_NOTES", notes);
    script_to(database, &[("tables.yaml", &tables), ("public.yaml", PUBLIC)])
}

/// The script that leads from a database to some files.
fn script_to(database: &Database<'_>, files: &[(&str, &str)]) -> String {
    const PROJECT: &str = "postgres: 14\nsources: ['.']\nsearch_path: [public]\nexternal: { roles: [authenticated] }\nundeclared: drop\n";
    let name = format!("schemac-moments-{}-{}-{}", database.major(), database.name(), std::process::id());
    let folder = std::env::temp_dir().join(name);
    std::fs::create_dir_all(&folder).expect("a folder");
    for (name, text) in files.iter().chain(&[("schemac.yaml", PROJECT)]) {
        std::fs::write(folder.join(name), text).expect("writes");
    }
    let allowed = "revoke,drop-object";
    let run =
        product::run(&folder, &database.url_as_owner(), &["diff", "--format", "sql", "--allow", allowed]);
    let run = run.expect("runs");
    run.expect(0);
    std::fs::remove_dir_all(folder).expect("goes");
    run.stdout
}

/// Notes what a client hears now, an error by its code.
fn ask(client: &mut Client, heard: &mut BTreeMap<&str, Vec<String>>) {
    for question in QUESTIONS {
        client.batch_execute("begin; set local role authenticated").expect("begins");
        let answer = match client.simple_query(question) {
            Err(error) => error.code().map_or_else(|| error.to_string(), |code| code.code().to_owned()),
            Ok(messages) => messages.iter().fold(String::new(), |last, message| match message {
                SimpleQueryMessage::Row(row) => row.get(0).unwrap_or("null").to_owned(),
                SimpleQueryMessage::CommandComplete(count) if last.is_empty() => count.to_string(),
                _ => last,
            }),
        };
        client.batch_execute("rollback").expect("ends");
        heard.entry(question).or_default().push(answer);
    }
}
