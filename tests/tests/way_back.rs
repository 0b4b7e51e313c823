//! History and the way back: after a rollback the database is what it was, with the rows written since.

use std::path::Path;

use postgres::Client;
use schemac_tests::servers::{self, As};
use schemac_tests::{clients, dump, fixture, product};

fn blocks() -> Vec<clients::Block> {
    clients::parse(&std::fs::read_to_string(fixture::folder().join("clients.sql")).expect("clients.sql"))
        .expect("parses")
}

/// Every table's oid and file.
fn storage(admin: &mut Client) -> Vec<(u32, u32)> {
    admin
        .query(
            "SELECT c.oid, c.relfilenode FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace \
             WHERE c.relkind IN ('r', 'S', 'i') AND n.nspname !~ '^(pg_|information_schema|schemac)' ORDER BY 1",
            &[],
        )
        .expect("pg_class")
        .iter()
        .map(|row| (row.get(0), row.get(1)))
        .collect()
}

fn value(admin: &mut Client, question: &str) -> String {
    admin.query_one(question, &[]).expect("an answer").get(0)
}

fn there_and_back(major: u32) {
    let Some(server) = servers::get(major) else { return };
    let database = fixture::flat(server);
    let (mut admin, url) = (database.connect(As::Superuser), database.url_as_owner());
    let blocks = blocks();
    let first = database.dump();
    let before = clients::run(&mut admin, &blocks).expect("the clients run");
    let files = storage(&mut admin);

    let project = fixture::folder().join("project");
    let run = product::run(&project, &url, &["apply", "--yes"]).expect("runs");
    assert!(run.expect(0).stdout.contains("Recorded as apply 1"), "{}", run.all());
    let after = clients::run(&mut admin, &blocks).expect("the clients run");
    let difference = clients::difference(&before, &after);
    assert!(difference.is_empty(), "PostgreSQL {major}, after the apply\n{difference}");
    let history = product::run(&project, &url, &["history", "--json"]).expect("runs");
    let history: serde_json::Value = serde_json::from_str(&history.expect(0).stdout).expect("JSON");
    assert_eq!(history["applies"][0]["state"], "done");
    assert!(history["applies"][0]["moves"].as_array().is_some_and(|moves| moves.len() >= 15), "{history}");
    let recorded = value(&mut admin, "SELECT count(*)::text FROM schemac.applies WHERE reverse IS NOT NULL");
    assert_eq!(recorded, "1", "the way back is recorded with the apply");

    let run = product::run(Path::new("/"), &url, &["rollback", "--yes"]).expect("runs");
    run.expect(0);
    let back = clients::run(&mut admin, &blocks).expect("the clients run");
    let difference = clients::difference(&before, &back);
    assert!(difference.is_empty(), "PostgreSQL {major}, after the rollback\n{difference}");
    let difference = dump::difference(&first, &database.dump());
    assert!(
        difference.is_empty(),
        "PostgreSQL {major}: the rollback does not restore the dump\n{difference}"
    );
    assert_eq!(files, storage(&mut admin), "PostgreSQL {major}: something was made anew");
    let history = product::run(&project, &url, &["history"]).expect("runs");
    assert!(history.expect(0).stdout.contains("undone"), "{}", history.all());
    let run = product::run(&project, &url, &["rollback", "--yes"]).expect("runs");
    assert!(run.expect(1).stderr.contains("there is nothing to take back"), "{}", run.all());
    // Forward again.
    product::run(&project, &url, &["apply", "--yes"]).expect("runs").expect(0);
}

#[test]
fn there_and_back_on_15() {
    there_and_back(15);
}

#[test]
fn there_and_back_on_17() {
    there_and_back(17);
}

#[test]
fn there_and_back_on_18() {
    there_and_back(18);
}

/// Table by table, with what refers to what stays behind: sequences that follow, overloads for rows, foreign keys.
const ONE_BY_ONE: [&str; 4] = [
    "auth_gateway.user_accounts",
    "client_services.transactions",
    "security_service.key_security_events",
    "public.vendor_usage_logs",
];

#[test]
fn table_by_table() {
    for server in [15, 18].into_iter().filter_map(servers::get) {
        let database = fixture::flat(server);
        let (first, url) = (database.dump(), database.url_as_owner());
        let project = fixture::folder().join("project");
        product::run(&project, &url, &["apply", "--yes"]).expect("runs").expect(0);
        for table in ONE_BY_ONE {
            product::run(&project, &url, &["rollback", "--table", table, "--yes"]).expect("runs").expect(0);
            product::run(&project, &url, &["verify"]).expect("runs").expect(0);
        }
        product::run(&project, &url, &["rollback", "--yes"]).expect("runs").expect(0);
        let difference = dump::difference(&first, &database.dump());
        assert!(difference.is_empty(), "PostgreSQL {}: not as it was\n{difference}", server.major());
    }
}
