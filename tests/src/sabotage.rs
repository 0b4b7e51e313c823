//! What somebody does to a database behind schemac's back, and what `schemac verify` must say of it.

use crate::project::Project;
use crate::servers::{As, Database};

/// What begins the words that verify must say although nothing fails.
pub const HARMLESS: &str = "harmless: ";

/// What somebody does, how it is taken back, and what verify must say.
pub type Sabotage<'a> = (&'a str, &'a str, &'a str);

/// Does one thing after the other, as the superuser, takes it back, and tells of which `schemac` with these arguments did
/// not say what it must.
///
/// # Panics
/// One of them cannot be done, or not be taken back.
#[must_use]
pub fn missed<'a>(
    project: &Project,
    database: &Database<'_>,
    arguments: &[&str],
    all: impl IntoIterator<Item = Sabotage<'a>>,
) -> Vec<String> {
    let mut missed = Vec::new();
    for (done, repair, expected) in all {
        database.execute_as(As::Superuser, done).unwrap_or_else(|error| panic!("{done}: {error}"));
        let run = project.run(database, arguments);
        let (code, words) = match expected.strip_prefix(HARMLESS) {
            Some(words) => (0, words),
            None => (2, expected),
        };
        if run.code != code || !run.stdout.contains(words) {
            missed.push(format!("{done}\n  expected {code}: {words}\n{}", run.all()));
        }
        database.execute_as(As::Superuser, repair).unwrap_or_else(|error| panic!("{repair}: {error}"));
    }
    missed
}
