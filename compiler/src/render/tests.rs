//! Hand-made plans, rendered.

use super::*;
use crate::plan::Segment;
use schemac_schema::code::Code;
use schemac_schema::compatibility::{Compatibility, Finding, OldName, Rule};
use schemac_schema::diagnostic::Diagnostic;
use schemac_schema::ident::QName;
use schemac_schema::object::Kind;
use schemac_schema::span::{Sources, Span};
use schemac_schema::step::{Impact, Lock};

const YAML: &str =
    "domain: vault\ntables:\n  secrets:\n    moved_from: [public.secrets]\n    facade: public.secrets\n";

fn sources() -> Sources {
    let mut sources = Sources::new();
    sources.add("schema/vault.yaml", YAML);
    sources
}

fn at(needle: &str) -> Option<Span> {
    let file = sources().files().next()?;
    YAML.find(needle).map(|start| Span::new(file, start, start + needle.len()))
}

fn relation(kind: Kind, schema: &str, name: &str) -> ObjectId {
    ObjectId::in_schema(kind, QName::new(schema, name))
}

fn step(verb: Verb, object: ObjectId, because: Because, span: Option<Span>, sql: &str) -> PlannedStep {
    PlannedStep { object, verb, sql: sql.into(), impact: Impact::default(), because, span, texts: None }
}

fn segment(steps: Vec<PlannedStep>, locks: Vec<ObjectId>) -> Segment {
    Segment { steps, transactional: true, locks }
}

/// A table moves behind its facade, a view changes, an index is built alone, a table goes.
fn plan() -> Plan {
    let old = relation(Kind::Table, "public", "secrets");
    let new = relation(Kind::Table, "vault", "secrets");
    let facade = relation(Kind::View, "public", "secrets");
    let view = relation(Kind::View, "public", "recent");
    let gone = relation(Kind::Table, "public", "gone");
    let create_schema = step(
        Verb::Create,
        ObjectId::global(Kind::Schema, "vault"),
        Because::Declared,
        at("vault"),
        "CREATE SCHEMA vault",
    );
    let mut moved = step(
        Verb::Move,
        new,
        Because::MovedFrom(old),
        at("moved_from"),
        "ALTER TABLE public.secrets SET SCHEMA vault",
    );
    moved.impact.lock = Some((old, Lock::AccessExclusive));
    let made = step(
        Verb::Create,
        facade,
        Because::Declared,
        at("facade"),
        "CREATE VIEW public.secrets WITH (security_invoker = true) AS\nSELECT id, name FROM vault.secrets",
    );
    let mut changed = step(
        Verb::Alter,
        view,
        Because::Declared,
        None,
        "CREATE OR REPLACE VIEW public.recent AS\nselect id\nfrom vault.secrets -- all",
    );
    changed.texts =
        Some(("select id\nfrom public.secrets".into(), "select id\nfrom vault.secrets -- all".into()));
    let mut index = step(
        Verb::Create,
        ObjectId::on(Kind::Index, new, "secrets_name_idx"),
        Because::Declared,
        None,
        "CREATE INDEX CONCURRENTLY secrets_name_idx ON vault.secrets (name)",
    );
    index.impact.outside_transaction = true;
    index.impact.scans = true;
    index.impact.lock = Some((new, Lock::ShareUpdateExclusive));
    let mut dropped = step(Verb::Drop, gone, Because::NotDeclared, None, "DROP TABLE public.gone");
    dropped.impact.loses.push((Loss::DropTable, gone));
    Plan {
        segments: vec![
            segment(vec![create_schema], vec![]),
            segment(vec![moved, made], vec![old]),
            segment(vec![changed], vec![]),
            Segment { steps: vec![index], transactional: false, locks: vec![] },
            segment(vec![dropped], vec![gone]),
        ],
        notes: vec![Diagnostic::note(Code::UnknownRelation, "public.other is declared by no file")],
        search_path: vec!["public".into(), "Odd name".into()],
        arrows: Vec::new(),
        compatibility: Compatibility::default(),
        back: false,
    }
}

#[test]
fn a_plan_for_people() {
    let expected = "\
Plan: 3 to create, 1 to alter, 1 to move, 1 to drop in 5 transactions.
Locks 3 existing relations.

vault
-- transaction 1 of 5
  + create schema vault  declared, schema/vault.yaml:1
      CREATE SCHEMA vault
-- transaction 2 of 5: locks public.secrets briefly
  > move table public.secrets to vault.secrets
      moved_from says that it was public.secrets, schema/vault.yaml:4
      ALTER TABLE public.secrets SET SCHEMA vault
  + create view public.secrets  declared, schema/vault.yaml:5
      CREATE VIEW public.secrets WITH (security_invoker = true) AS
      SELECT id, name FROM vault.secrets

public
-- transaction 3 of 5
  ~ alter view public.recent  declared otherwise than it is
      CREATE OR REPLACE VIEW public.recent AS
      select id
      from vault.secrets -- all
      | @@ -1,2 +1,2 @@
      |  select id
      | -from public.secrets
      | +from vault.secrets -- all

vault
-- outside a transaction, 4 of 5
  + create index secrets_name_idx on vault.secrets  declared
      CREATE INDEX CONCURRENTLY secrets_name_idx ON vault.secrets (name)
      ! reads the whole table
      ! cannot be undone by a rollback

public
-- transaction 5 of 5: locks public.gone briefly
  - drop table public.gone  no file declares it
      DROP TABLE public.gone
      ! loses the rows of table public.gone  (--allow drop-table)

note[SC0303]: public.other is declared by no file

What this plan loses for good:
  drop-table   the rows of table public.gone
It runs only with --allow drop-table
";
    assert_eq!(text(&plan(), &sources(), false, 80), expected);
}

#[test]
fn colours_change_nothing_but_colours() {
    let coloured = text(&plan(), &sources(), true, 80);
    assert!(coloured.contains("\x1b[36m> move table public.secrets to vault.secrets\x1b[0m"), "{coloured}");
    let mut plain = String::new();
    for (index, part) in coloured.split("\x1b[").enumerate() {
        let part = if index == 0 { part } else { part.split_once('m').map_or("", |(_, rest)| rest) };
        plain.push_str(part);
    }
    assert_eq!(plain, text(&plan(), &sources(), false, 80));
}

#[test]
fn a_script_for_psql() {
    let script = sql(&plan());
    let start = "\
-- Made by schemac: 3 to create, 1 to alter, 1 to move, 1 to drop in 5 transactions.
-- Run it with: psql --no-psqlrc --file=THIS_FILE
-- When it stops at an error, what was committed stays; make a new script for the rest.
\\set ON_ERROR_STOP on
\\set AUTOCOMMIT on
SET client_encoding = 'UTF8';

-- transaction 1 of 5
BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE;
SET LOCAL search_path = public, \"Odd name\";
SET LOCAL lock_timeout = '500ms'; SET LOCAL statement_timeout = 0;
SET LOCAL TimeZone = 'UTC'; SET LOCAL DateStyle = 'ISO, MDY'; ";
    assert!(script.starts_with(start), "{script}");
    let first = "\
-- create schema vault: declared
CREATE SCHEMA vault;
COMMIT;
";
    assert!(script.contains(first), "{script}");
    let moved = "\
LOCK TABLE ONLY public.secrets IN ACCESS EXCLUSIVE MODE;
-- move table public.secrets to vault.secrets: moved_from says that it was public.secrets
ALTER TABLE public.secrets SET SCHEMA vault;
";
    assert!(script.contains(moved), "{script}");
    assert!(script.contains("from vault.secrets -- all\n;\nCOMMIT;\n"), "{script}");
    let alone = "\
-- create index secrets_name_idx on vault.secrets: declared
CREATE INDEX CONCURRENTLY secrets_name_idx ON vault.secrets (name);
RESET search_path; RESET lock_timeout; RESET statement_timeout; RESET TimeZone; ";
    assert!(script.contains(alone), "{script}");
    let statements: String =
        script.lines().filter(|line| !line.starts_with('\\')).map(|line| format!("{line}\n")).collect();
    schemac_schema::parse::statements(&statements).unwrap();
}

#[test]
fn psql_reads_no_variables_and_no_line_of_a_name() {
    let view = relation(Kind::View, "public", "a\n\\! rm -rf\r\x1b[2J");
    let sql_text =
        "CREATE VIEW v AS SELECT a[1:USER], a[1 :HOST], a[1:2], 'x:USER', b::text, f(c := 1) FROM t";
    let plan = Plan {
        segments: vec![segment(vec![step(Verb::Create, view, Because::Declared, None, sql_text)], vec![])],
        ..Plan::default()
    };
    let script = sql(&plan);
    assert!(script.contains("a[1\\:USER], a[1 \\:HOST], a[1\\:2], 'x:USER', b::text, f(c := 1)"), "{script}");
    assert!(
        script.contains("-- create view public.a\u{fffd}\\! rm -rf\u{fffd}\u{fffd}[2J: declared\n"),
        "{script}"
    );
    let shown = text(&plan, &sources(), false, 80);
    assert!(!shown.contains('\x1b') && !shown.contains('\r'), "{shown}");
}

#[test]
fn nothing_to_do() {
    let plan = Plan::default();
    assert_eq!(
        text(&plan, &sources(), false, 80),
        "Nothing to do: the database is as the files describe it.\n"
    );
    assert_eq!(sql(&plan), "-- Made by schemac. Nothing to do.\n");
    assert_eq!(json(&plan, &sources())["segments"], serde_json::json!([]));
}

#[test]
fn a_plan_for_programs() {
    let value = json(&plan(), &sources());
    assert_eq!(value["format"], 1);
    assert_eq!(value["summary"]["move"], 1);
    assert_eq!(value["search_path"][1], "Odd name");
    assert_eq!(value["losses"][0]["allow"], "drop-table");
    assert_eq!(value["notes"][0]["code"], "SC0303");
    let moved = &value["segments"][1]["steps"][0];
    assert_eq!(moved["object"]["schema"], "vault");
    assert_eq!(moved["because"]["rule"], "moved-from");
    assert_eq!(moved["because"]["object"]["text"], "table public.secrets");
    assert_eq!(moved["declared"], serde_json::json!({ "file": "schema/vault.yaml", "line": 4, "column": 5 }));
    assert_eq!(moved["impact"]["lock"]["mode"], "ACCESS EXCLUSIVE");
    assert_eq!(value["segments"][3]["steps"][0]["object"]["on"]["name"], "secrets");
    assert_eq!(value["segments"][3]["transactional"], false);
    assert_eq!(value["segments"][2]["steps"][0]["change"]["before"], "select id\nfrom public.secrets");
    assert_eq!(value.to_string(), json(&plan(), &sources()).to_string());
}

#[test]
fn reasons_in_words() {
    let table = relation(Kind::Table, "app", "users");
    let column = ObjectId::on(Kind::Column, table, "mail");
    let old = ObjectId::on(Kind::Column, table, "email");
    let words = |verb, because| {
        let step = step(verb, column, because, None, "");
        format!("{}: {}", action(&step), reason(&step))
    };
    assert_eq!(
        words(Verb::Move, Because::MovedFrom(old)),
        "rename column app.users.email to mail: renamed_from says that it was app.users.email"
    );
    assert_eq!(
        words(Verb::Drop, Because::Rebuilt(table, "its type changes")),
        "drop column app.users.mail: makes room for table app.users: its type changes"
    );
    assert_eq!(
        words(Verb::Create, Because::With(table)),
        "create column app.users.mail: comes with table app.users"
    );
    assert_eq!(
        words(Verb::Drop, Because::Implied(table)),
        "drop column app.users.mail: PostgreSQL adds it to table app.users by itself, and no file wants it"
    );
}

#[test]
fn every_loss_has_a_word_to_allow_it() {
    let table = relation(Kind::Table, "app", "users");
    let all: Vec<_> = Loss::ALL.iter().rev().map(|loss| (*loss, table)).collect();
    assert_eq!(
        allow_words(&all),
        "drop-table,drop-column,drop-object,disable-rls,facade-bypasses-rls,revoke"
    );
    assert!(Loss::ALL.iter().all(|loss| lost(*loss, table).contains("app.users")));
}

#[test]
fn what_clients_find_is_in_every_format() {
    let (old, now) = (relation(Kind::Table, "public", "users"), relation(Kind::Table, "app", "users"));
    let at_line = Finding {
        rule: Rule::Truncate,
        old: Some(old),
        at: ObjectId::new(Kind::Function, Address::Routine(QName::new("public", "clean"), "".into())),
        line: Some(3),
        span: at("secrets"),
        what: "public.users\n".into(),
    };
    let facade = Some(relation(Kind::View, "public", "users"));
    let name = OldName { old, now, facade, works: vec!["SELECT"], stops: vec!["COPY"] };
    let compatibility = Compatibility { names: vec![name], findings: vec![at_line], reload: true };
    let plan = Plan { compatibility, ..plan() };
    let shown = text(&plan, &sources(), false, 120);
    for line in [
        "What clients of the old names find:\n",
        "  table public.users: through facades SELECT go on; COPY stop\n",
        "  breaks (truncate): a view cannot be truncated\n",
        "    function public.clean(), line 3 (schema/vault.yaml:3): public.users: public.users\u{fffd}\n",
        "NOTIFY pgrst",
    ] {
        assert!(shown.contains(line), "{line}{shown}");
    }
    let script = sql(&plan);
    assert!(script.contains("--     function public.clean(), line 3: public.users"), "{script}");
    assert!(script.ends_with("\nNOTIFY pgrst, 'reload schema';\n"), "{script}");
    let value = json(&plan, &sources());
    let found = &value["compatibility"]["findings"][0];
    assert_eq!((&found["rule"], &found["line"]), (&"truncate".into(), &3.into()));
    assert_eq!(found["declared"]["line"], 3);
    assert!(
        json(&Plan::default(), &sources())["compatibility"]["names"].as_array().is_some_and(Vec::is_empty)
    );
}

#[test]
fn no_file_is_the_reason_for_a_way_back() {
    let shown = text(&Plan { back: true, ..plan() }, &sources(), false, 160);
    for words in [
        "> move table public.secrets to vault.secrets  it was called so before",
        "- drop table public.gone  it was not there before",
    ] {
        assert!(shown.contains(words), "{shown}");
    }
}
