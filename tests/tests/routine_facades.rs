//! Facades of routines of every sort: the same answers by the old name, for each role, with and without USAGE on the new
//! schema, and what cannot be repaired is said by the plan and by `schemac verify`.

use postgres::SimpleQueryMessage;
use schemac_tests::project::Project;
use schemac_tests::servers::{self, As, Database};
use serde_json::Value;

const PROJECT: &str = "postgres: 14\nsources: [app.yaml]\nsearch_path: [public]\nundeclared: keep\n\
                       external: { roles: [anon, authenticated] }\n";

/// The same for a database and a project; `AT` is the schema, and the lists of old names come with `MOVED`.
const ROUTINES: &str = "domain: app
grants: { authenticated: usage }
tables:
  users:
    MOVED users
    facade: public.users
    columns: { id: int primary key, name: text }
    grants: { anon: select, authenticated: select }
functions:
  with_default:
    MOVED with_default
    arguments: a int, b int default 2, c text default 'c'
    returns: text
    body: select a || ' ' || b || c
  variadic_one:
    MOVED variadic_one
    arguments: sep text, variadic parts text[]
    returns: text
    body: select array_to_string(parts, sep)
  out_one:
    MOVED out_one
    arguments: a int, out b int
    body: select a + 1
  out_two:
    MOVED out_two
    arguments: a int, out b int, inout c text
    body: select a + 1, c || '!'
  table_of:
    MOVED table_of
    arguments: n int
    returns: table (i int, square int)
    body: select i, i * i from generate_series(1, n) i
  set_of_rows:
    MOVED set_of_rows
    arguments: above int default 0
    returns: setof app.users
    body: select * from public.users where id > above order by id
  one_row:
    MOVED one_row
    arguments: which int
    returns: app.users
    attributes: security definer
    body: select row(u.id, u.name)::app.users from public.users u where id = which
  set_of_text:
    MOVED set_of_text
    returns: setof text
    body: values ('a'), ('b')
  some_record:
    MOVED some_record
    returns: setof record
    body: select 1, 'x'::text
  is_strict:
    MOVED is_strict
    arguments: a int
    returns: int
    attributes: immutable strict
    body: select 1
  any_first:
    MOVED any_first
    arguments: list anyarray
    returns: anyelement
    body: select list[1]
  who:
    MOVED who
    returns: text
    attributes: security definer
    body: select current_user::text || ' ' || session_user
  any_who:
    MOVED any_who
    arguments: a anyelement
    returns: text
    attributes: security definer
    body: select current_user::text || ' ' || a::text
  invoker:
    MOVED invoker
    returns: text
    body: select current_user::text
procedures:
  work:
    MOVED work
    arguments: inout n int, step int default 1
    language: plpgsql
    body: begin n := n + step; end
  sealed:
    MOVED sealed
    arguments: out who text
    language: plpgsql
    attributes: security definer
    body: begin who := current_user; end
  commits:
    MOVED commits
    language: plpgsql
    body: begin commit; end
";

const CALLS: &[&str] = &[
    "select public.with_default(1)",
    "select public.with_default(a => 1, c => 'z')",
    "select public.with_default(c := 'y', b := 5, a := 4)",
    "select public.with_default(1, 3)",
    "select public.variadic_one('-', 'a', 'b', 'c')",
    "select public.variadic_one('-', variadic array['x', 'y'])",
    "select public.variadic_one('-')",
    "select public.out_one(4)",
    "select b from public.out_one(a => 4)",
    "select (public.out_two(4, 'c')).c",
    "select * from public.out_two(a => 1, c => 'd')",
    "select string_agg(i || '=' || square, ',') from public.table_of(3)",
    "select public.table_of(n => 1)",
    "select string_agg(name, ',') from public.set_of_rows()",
    "select string_agg(u.name, ',') from public.set_of_rows(above => 1) u",
    "select (public.one_row(2)).name",
    "select public.one_row(9) is null",
    "select string_agg(t, ',') from public.set_of_text() t",
    "select b from public.some_record() as t(a int, b text)",
    "select public.is_strict(null) is null",
    "select public.is_strict(a => 3)",
    "select public.any_first(array['p', 'q'])",
    "select public.any_first(list => array[7, 8])",
    "select public.who()",
    "select public.any_who(5)",
    "select public.invoker()",
    "call public.work(4)",
    "call public.work(step => 5, n => 1)",
    "call public.sealed(null)",
    "select public.with_default('a'::text)",
];

/// What anon, who may not enter the new schema, can call by its old name no more: it is bound when it runs, as its caller.
const LOCKED: &[&str] = &["public.work(", "public.any_first("];

fn yaml(moved: bool) -> String {
    let mut out = String::new();
    for line in ROUTINES.lines() {
        match line.split_once("MOVED ") {
            Some((indent, name)) if moved => {
                out.push_str(&format!("{indent}moved_from: [public.{name}]\n"));
                if name != "users" {
                    out.push_str(&format!("{indent}facade: public.{name}\n"));
                }
            }
            Some(_) => {}
            None if !moved && line.starts_with("    facade:") => {}
            None if !moved && line.starts_with("grants:") => out.push_str("grants: { public: usage }\n"),
            None => out.push_str(&format!("{line}\n")),
        }
    }
    if moved { out } else { out.replace("app", "public") }
}

fn answer(database: &Database<'_>, role: &str, sql: &str) -> String {
    let mut client = database.connect(As::Superuser);
    if !role.is_empty() {
        client.batch_execute(&format!("set role {role}")).expect("a role");
    }
    match client.simple_query(sql) {
        Ok(messages) => {
            let rows = messages.iter().filter_map(|message| match message {
                SimpleQueryMessage::Row(row) => {
                    let cells = (0..row.len()).map(|at| row.get(at).unwrap_or("null").to_owned());
                    Some(cells.collect::<Vec<_>>().join("|"))
                }
                _ => None,
            });
            rows.collect::<Vec<_>>().join(";")
        }
        Err(error) => error.code().map(|code| format!("error {}", code.code())).unwrap_or_default(),
    }
}

fn answers_by_the_old_names(major: u32) {
    let Some(server) = servers::get(major) else { return };
    let database = server.database();
    let before = Project::new(
        &format!("routines-before-{major}"),
        &[("schemac.yaml", PROJECT), ("app.yaml", &yaml(false))],
    );
    before.apply(&database);
    database.execute("insert into public.users values (1, 'Ada'), (2, 'Bola')").expect("rows");
    let roles = ["owner", "anon", "authenticated"];
    let ask = |role: &str| CALLS.iter().map(|call| answer(&database, role, call)).collect::<Vec<_>>();
    let first: Vec<Vec<String>> = roles.iter().map(|role| ask(role)).collect();
    let failing = first[0].iter().filter(|answer| answer.starts_with("error")).count();
    // A variadic call needs a value, and one call is of a type that there is not.
    assert_eq!(failing, 2, "PostgreSQL {major}: {:?}", CALLS.iter().zip(&first[0]).collect::<Vec<_>>());
    let project =
        Project::new(&format!("routines-{major}"), &[("schemac.yaml", PROJECT), ("app.yaml", &yaml(true))]);
    let run = project.run(&database, &["diff", "--json"]);
    let report: Value = serde_json::from_str(&run.expect(0).stdout).expect("JSON");
    let all = report["compatibility"]["findings"].as_array().expect("a list").iter();
    let mut usage: Vec<&str> = all
        .filter(|one| one["rule"] == "routine-usage")
        .filter_map(|one| one["at"]["name"].as_str())
        .collect();
    usage.dedup();
    assert_eq!(usage, ["any_first", "commits", "work"], "PostgreSQL {major}");
    project.apply(&database);
    for (role, before) in roles.iter().zip(&first) {
        for ((call, before), after) in CALLS.iter().zip(before).zip(ask(role)) {
            let locked = *role == "anon" && LOCKED.iter().any(|name| call.contains(name));
            let expected = if locked { "error 42501" } else { before };
            assert_eq!(after, expected, "PostgreSQL {major}: {call} as {role}");
        }
    }
    // A transaction of its own is begun and ended through the old name as before.
    assert_eq!(answer(&database, "authenticated", "call public.commits()"), "");
    let run = project.run(&database, &["verify"]);
    run.expect(0);
    assert!(run.stdout.contains("which not everybody has who may call it"), "{}", run.all());
    // Who may call it by name is told by name.
    database.execute("grant execute on procedure app.work, public.work to anon").expect("a grant");
    let run = project.run(&database, &["verify"]);
    run.expect(2);
    assert!(run.stdout.contains("and anon has none"), "{}", run.all());
}

#[test]
fn answers_by_the_old_names_on_15() {
    answers_by_the_old_names(15);
}

#[test]
fn answers_by_the_old_names_on_17() {
    answers_by_the_old_names(17);
}

#[test]
fn answers_by_the_old_names_on_18() {
    answers_by_the_old_names(18);
}
