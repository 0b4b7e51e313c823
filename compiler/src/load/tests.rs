//! Whole projects are read.

use super::load;
use schemac_schema::catalog::Catalog;
use schemac_schema::id::ObjectId;
use schemac_schema::ident::QName;
use schemac_schema::object::{Kind, Object};
use std::path::{Path, PathBuf};

fn fixture() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/disruptor/project")
}

fn count(catalog: &Catalog, kind: Kind) -> usize {
    catalog.ids().filter(|id| id.kind() == kind).count()
}

#[test]
fn the_fixture_is_read_whole() {
    let project = load(&fixture(), 15).unwrap_or_else(|failure| panic!("{failure}"));
    // 99 tables, as in before.sql, and three partitions.
    assert_eq!(count(&project.catalog, Kind::Table), 102);
    // A serial column's sequence comes along, with a name of its own.
    let tables = project.moves.iter().filter(|one| one.to.kind() == Kind::Table).count();
    // Partitions move with their table.
    assert_eq!(tables, 83 + 3);
    let facades = project.facades.iter().filter(|facade| facade.of.kind() == Kind::Table).count();
    assert_eq!(facades, 83);
    let name = QName::new("public", "stored_api_keys");
    let facade = ObjectId::in_schema(Kind::View, name);
    match project.catalog.get(facade).map(|entry| &entry.object) {
        Some(Object::View(view)) => {
            assert!(
                view.query.text().contains("FROM security_service.stored_api_keys"),
                "{}",
                view.query.text()
            );
        }
        other => panic!("{other:?}"),
    }
    for warning in &project.warnings {
        println!("{}", warning.render(&project.sources, false));
    }
}

#[test]
fn a_missing_project_is_said_so() {
    let failure = load(Path::new("/nowhere/at/all"), 15).expect_err("nothing there");
    assert!(
        failure.to_string().contains("error[SC0701]: there is no schemac.yaml in `/nowhere/at/all`"),
        "{failure}"
    );
}
