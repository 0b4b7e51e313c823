//! What somebody does to a database behind schemac's back, and what `schemac verify` must say of it.

use crate::project::Project;
use crate::servers::{As, Database};

/// What begins the words that verify must say although nothing fails.
pub const HARMLESS: &str = "harmless: ";

/// What somebody does, how it is taken back, and what verify must say.
pub type Sabotage<'a> = (&'a str, &'a str, &'a str);

/// Does one thing after the other, as the superuser, and takes it back; `schemac` with these arguments must say of each what
/// it must.
///
/// # Panics
/// It does not, or one of them cannot be done, or not be taken back.
#[track_caller]
pub fn all_are_found(project: &Project, database: &Database<'_>, arguments: &[&str], all: &[Sabotage<'_>]) {
    let mut missed = Vec::new();
    for (done, repair, expected) in all {
        database.execute_as(As::Superuser, done).unwrap_or_else(|error| panic!("{done}: {error}"));
        let run = project.run(database, arguments);
        let (code, words) = match expected.strip_prefix(HARMLESS) {
            Some(words) => (0, words),
            None => (2, *expected),
        };
        if run.code != code || !run.stdout.contains(words) {
            missed.push(format!("{done}\n  expected {code}: {words}\n{}", run.all()));
        }
        database.execute_as(As::Superuser, repair).unwrap_or_else(|error| panic!("{repair}: {error}"));
    }
    let major = database.server().major();
    assert!(missed.is_empty(), "PostgreSQL {major}: {} not found:\n{}", missed.len(), missed.join("\n"));
}
