//! The database's own `schemac` schema: made by an apply, granted to nobody, trusted only where it may be.

use schemac_compiler::introspect::introspect;
use schemac_compiler::pair::Pair;
use schemac_compiler::state::{self, journal, memory};
use schemac_tests::product;
use schemac_tests::servers::{self, As, Database};
use std::collections::BTreeSet;
use std::path::PathBuf;

use crate::value;

/// A project of one table.
fn project(name: &str) -> PathBuf {
    let folder = std::env::temp_dir().join(format!("schemac-state-{name}-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("schemac.yaml"), "postgres: 14\nsources: [app.yaml]\n").unwrap();
    std::fs::write(folder.join("app.yaml"), "domain: app\ntables:\n  t: { columns: { a: int } }\n").unwrap();
    folder
}

fn exists(database: &Database<'_>) -> bool {
    value(&mut database.connect(As::Superuser), "select to_regnamespace('schemac') is not null") == "t"
}

/// Who may do anything in the schema, beside its owner.
const STRANGERS: &str = "select string_agg(a.grantee::text, ',') from (
    select nspowner, nspacl from pg_namespace where nspname = 'schemac' union all
    select relowner, relacl from pg_class where relnamespace = 'schemac'::regnamespace) o (owner, acl),
    aclexplode(acl) a where a.grantee <> o.owner";

#[test]
fn an_apply_makes_it_and_nobody_gets_it() {
    let folder = project("made");
    for server in servers::all() {
        let database = server.database();
        let leaks = "create schema app; alter default privileges grant all on schemas to anon, public;
            alter default privileges grant all on tables to anon, public;
            alter default privileges grant all on sequences to authenticated";
        database.execute(leaks).unwrap();
        let url = database.url_as_owner();
        product::run(&folder, &url, &["diff"]).unwrap().expect(0);
        product::run(&folder, &url, &["check"]).unwrap().expect(0);
        assert!(!exists(&database), "diff has written");
        product::run(&folder, &url, &["apply", "--yes"]).unwrap().expect(0);
        let mut client = database.connect(As::Owner);
        assert_eq!(value(&mut client, STRANGERS), "(null)");
        assert_eq!(value(&mut client, "select version from schemac.version"), "1");
        let applies = journal::applies(&mut client).unwrap();
        let [apply] = applies.as_slice() else { panic!("{applies:?}") };
        assert_eq!((apply.state.as_str(), apply.role.as_str(), apply.segments > 0), ("done", "owner", true));
        assert!(!apply.finished.is_empty());
        assert_eq!(value(&mut client, "select forward ->> 'format' from schemac.applies"), "1");
        // Nobody sees it: not the readers, not the next diff, not even where everything that no file declares goes.
        let reading = introspect(&mut client, &BTreeSet::new()).unwrap();
        assert!(reading.catalog.ids().all(|id| !id.path().contains("schemac")));
        let undeclared = "postgres: 14\nsources: [app.yaml]\nundeclared: drop\n";
        std::fs::write(folder.join("schemac.yaml"), undeclared).unwrap();
        let publication = "create publication everything for all tables";
        database.execute_as(As::Superuser, publication).unwrap();
        product::run(&folder, &url, &["diff"]).unwrap().expect(0);
        let run = product::run(&folder, &url, &["diff"]).unwrap();
        assert!(!run.stdout.contains("schemac."), "{}", run.all());
        // What would be published is not logged, and logged again afterwards; the journal stays.
        let unlogged = "select string_agg(relname, ',' order by relname) from pg_class
            where relnamespace = 'schemac'::regnamespace and relkind = 'r' and relpersistence = 'u'";
        state::ensure(&mut client).unwrap();
        assert_eq!(value(&mut client, unlogged), "applies,memory,version");
        let published = "select count(*)::text from pg_publication_tables where schemaname = 'schemac'";
        assert_eq!(value(&mut client, published), "0");
        database.execute_as(As::Superuser, "drop publication everything").unwrap();
        state::ensure(&mut client).unwrap();
        assert_eq!(value(&mut client, unlogged), "memory");
        assert_eq!(journal::applies(&mut client).unwrap(), applies);
        std::fs::write(folder.join("schemac.yaml"), "postgres: 14\nsources: [app.yaml]\n").unwrap();
    }
    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
fn a_publication_for_all_tables_never_has_a_row_of_it() {
    let Some(server) = servers::get(18).or_else(|| servers::all().last()) else { return };
    let database = server.database();
    database.execute_as(As::Superuser, "create publication everything for all tables").unwrap();
    let folder = project("published");
    product::run(&folder, &database.url_as_owner(), &["apply", "--yes"]).unwrap().expect(0);
    let logged = "select count(*)::text from pg_class where relnamespace = 'schemac'::regnamespace \
        and relkind = 'r' and relpersistence <> 'u'";
    let mut client = database.connect(As::Owner);
    assert_eq!(value(&mut client, logged), "0");
    assert_eq!(value(&mut client, "select state from schemac.applies"), "done");
    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
fn a_role_that_may_not_create_a_schema_still_applies_and_hears_it() {
    let Some(server) = servers::get(15).or_else(|| servers::all().next()) else { return };
    let database = server.database();
    server.ensure_role("guest_of_state", "LOGIN").unwrap();
    database.execute("create schema app; alter schema app owner to guest_of_state").unwrap();
    let folder = project("guest");
    std::fs::write(folder.join("app.yaml"), "domain: app\ntables:\n  t: { columns: { a: int } }\n").unwrap();
    let admin = database.url_as_superuser();
    let url =
        format!("{admin}{}options=-crole%3Dguest_of_state", if admin.contains('?') { '&' } else { '?' });
    let run = product::run(&folder, &url, &["apply", "--yes"]).unwrap();
    run.expect(0);
    assert!(
        run.stderr.contains("Nothing is recorded in the database: the role may not create a schema"),
        "{}",
        run.all()
    );
    assert!(!exists(&database));
    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
fn what_a_stranger_made_is_neither_read_nor_written() {
    let Some(server) = servers::get(15).or_else(|| servers::all().next()) else { return };
    let database = server.database();
    server.ensure_role("stranger_of_state", "LOGIN").unwrap();
    let mut client = database.connect(As::Owner);
    state::ensure(&mut client).unwrap();
    let pairs: BTreeSet<Pair> = ["a", "b"].iter().filter_map(|digit| Pair::read(&digit.repeat(32))).collect();
    memory::add(&mut client, &pairs).unwrap();
    memory::add(&mut client, &pairs).unwrap();
    assert_eq!(memory::read(&mut client).unwrap(), pairs);
    // Nobody else can look, and hears of nothing.
    let mut guest = database.connect(As::Superuser);
    guest.batch_execute("set role stranger_of_state").unwrap();
    assert_eq!(memory::read(&mut guest).unwrap(), BTreeSet::new());
    let give = "alter table schemac.memory owner to stranger_of_state; \
        grant all on schema schemac to public; grant all on schemac.memory to public";
    database.execute_as(As::Superuser, give).unwrap();
    assert_eq!(memory::read(&mut client).unwrap(), BTreeSet::new());
    let refused = state::ensure(&mut client).unwrap_err().to_string();
    assert!(refused.contains("belongs to another role"), "{refused}");

    let other = server.database();
    other.execute("create schema schemac; create table schemac.users (a int)").unwrap();
    let refused = state::ensure(&mut other.connect(As::Owner)).unwrap_err().to_string();
    assert!(refused.contains("not schemac's"), "{refused}");
    let newer = server.database();
    let mut client = newer.connect(As::Owner);
    newer.execute("create schema schemac").unwrap();
    state::ensure(&mut client).unwrap();
    newer.execute("update schemac.version set version = 99").unwrap();
    let refused = state::ensure(&mut client).unwrap_err().to_string();
    assert!(refused.contains("newer schemac"), "{refused}");
}
