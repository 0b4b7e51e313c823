//! `--format sql`: psql runs the script as it is, whatever stands in it.

use schemac_compiler::plan::{Because, Plan, PlannedStep, Segment, Verb};
use schemac_compiler::render;
use schemac_schema::id::ObjectId;
use schemac_schema::ident::QName;
use schemac_schema::object::Kind;
use schemac_schema::step::Impact;
use schemac_tests::servers::{self, As};

fn step(kind: Kind, name: &str, sql: &str) -> PlannedStep {
    PlannedStep {
        object: ObjectId::in_schema(kind, QName::new("app", name)),
        verb: Verb::Create,
        sql: sql.into(),
        impact: Impact::default(),
        because: Because::Declared,
        span: None,
        texts: None,
    }
}

fn segment(steps: Vec<PlannedStep>) -> Segment {
    Segment { steps, transactional: true, locks: vec![] }
}

fn plan(segments: Vec<Segment>) -> Plan {
    Plan { segments, search_path: vec!["app".into(), "Odd, name".into()], ..Plan::default() }
}

#[test]
fn psql_runs_a_script_as_it_is() {
    for server in servers::all() {
        let database = server.database();
        let odd = "t\n\\! exit 1\n; select 1/0; -- ";
        let table = ObjectId::in_schema(Kind::Table, QName::new("app", odd));
        let name = schemac_schema::sql::quoted(odd.into());
        let mut locked = segment(vec![
            // HOST is a variable of psql, unless something keeps it from reading one.
            step(
                Kind::View,
                "v",
                &format!("CREATE VIEW app.v AS SELECT a[1:HOST] AS part FROM {name} -- end"),
            ),
            step(
                Kind::Function,
                "f",
                "CREATE FUNCTION app.f() RETURNS text LANGUAGE sql BEGIN ATOMIC; SELECT 'a:HOST\\'; END",
            ),
        ]);
        locked.locks = vec![table];
        let index = format!("CREATE INDEX CONCURRENTLY i ON {name} (host)");
        let alone =
            Segment { steps: vec![step(Kind::Index, "i", &index)], transactional: false, locks: vec![] };
        let create =
            format!("CREATE TABLE app.{name} (host int, a int[], seen date DEFAULT '02/01/2026'::date)");
        let made = plan(vec![
            segment(vec![step(Kind::Schema, "app", "CREATE SCHEMA app")]),
            segment(vec![step(Kind::Table, odd, &create)]),
            locked,
            alone,
        ]);
        database.psql(As::Owner, &render::sql(&made)).unwrap();
        let ask = format!("INSERT INTO app.{name} VALUES (2, '{{7,8,9}}'); SELECT part, app.f() FROM app.v");
        let answer = database.psql(As::Owner, &ask).unwrap();
        assert!(answer.contains("{7,8}") && answer.contains("a:HOST\\"), "{answer}");
    }
}

#[test]
fn a_script_stops_at_an_error_and_keeps_what_was_committed() {
    for server in servers::all() {
        let database = server.database();
        let made = plan(vec![
            segment(vec![step(Kind::Schema, "app", "CREATE SCHEMA app")]),
            segment(vec![
                step(Kind::Table, "one", "CREATE TABLE app.one ()"),
                step(Kind::Table, "two", "CREATE TABLE app.two (x nonsense)"),
            ]),
            segment(vec![step(Kind::Table, "three", "CREATE TABLE app.three ()")]),
        ]);
        let error = database.psql(As::Owner, &render::sql(&made)).unwrap_err().to_string();
        assert!(error.contains("nonsense"), "{error}");
        let ask =
            "SELECT count(*) || ' of ' || to_regnamespace('app') FROM pg_tables WHERE schemaname = 'app'";
        let answer = database.psql(As::Owner, ask).unwrap();
        assert!(answer.contains("0 of app"), "{answer}");
    }
}
