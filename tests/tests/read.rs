//! What is read from live databases, on every version that there is.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use postgres::{Client, NoTls};
use schemac_compiler::introspect::{Reading, introspect};
use schemac_schema::catalog::Standing;
use schemac_schema::fragment::Aside;
use schemac_schema::id::ObjectId;
use schemac_schema::ident::{Ident, QName, Text};
use schemac_schema::kinds::column::{Column, Identity};
use schemac_schema::kinds::foreign_key::{Action, ForeignKey};
use schemac_schema::kinds::key::{Key, Timing};
use schemac_schema::kinds::table::{ReplicaIdentity, Table};
use schemac_schema::kinds::trigger::{Enabled, Trigger, When};
use schemac_schema::kinds::view::View;
use schemac_schema::object::{Kind, Object};
use schemac_schema::type_name::TypeName;
use schemac_tests::repository;
use schemac_tests::servers::{self, As, Database};

fn read(database: &Database<'_>) -> Reading {
    read_with(database, &[])
}

fn read_with(database: &Database<'_>, external: &[&str]) -> Reading {
    let external: BTreeSet<Ident> = external.iter().map(|name| Ident::new(name)).collect();
    let mut client = database.connect(As::Owner);
    introspect(&mut client, &external).unwrap_or_else(|error| panic!("{error}"))
}

fn relation(kind: Kind, schema: &str, name: &str) -> ObjectId {
    ObjectId::in_schema(kind, QName::new(schema, name))
}

fn table(name: &str) -> ObjectId {
    relation(Kind::Table, "app", name)
}

fn names(names: &[&str]) -> Vec<Ident> {
    names.iter().map(|name| Ident::new(name)).collect()
}

macro_rules! object {
    ($reading:expr, $variant:ident, $id:expr) => {{
        let id = $id;
        match $reading.catalog.get(id).map(|entry| &entry.object) {
            Some(Object::$variant(object)) => object,
            other => panic!("{id}: {other:?}"),
        }
    }};
}

/// The ids that an object uses, as people read them.
fn uses(reading: &Reading, id: ObjectId) -> Vec<String> {
    let entry = reading.catalog.get(id).unwrap_or_else(|| panic!("no {id}"));
    entry.uses.iter().map(ToString::to_string).collect()
}

#[test]
fn smoke() {
    for server in servers::all() {
        let database = server.database();
        database.execute("create schema app; create table app.t (id int primary key)").unwrap();
        let begin = Instant::now();
        let reading = read(&database);
        eprintln!("{}: {:?} {} objects", server.major(), begin.elapsed(), reading.catalog.len());
        for (id, entry) in reading.catalog.iter().filter(|(id, _)| id.kind() != Kind::Role) {
            eprintln!("  {id} {:?} {:?}", entry.standing, entry.uses);
        }
    }
}
