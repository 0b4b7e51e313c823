//! The whole database of `fixtures/disruptor` on a server.

use std::path::PathBuf;

use crate::repository;
use crate::servers::{As, Database, Server};

/// Its folder.
pub fn folder() -> PathBuf {
    repository().join("fixtures/disruptor")
}

/// A database with what the platform brings.
///
/// # Panics
/// The file cannot be run.
pub fn platform(server: &Server) -> Database<'_> {
    let database = server.database();
    database.psql_file(As::Superuser, folder().join("platform.sql")).expect("the platform loads");
    database
}

/// The flat database, owned by a role that is no superuser.
///
/// # Panics
/// A file cannot be run.
pub fn flat(server: &Server) -> Database<'_> {
    let database = platform(server);
    database.psql_file(As::Owner, folder().join("before.sql")).expect("the flat database loads");
    database
}
