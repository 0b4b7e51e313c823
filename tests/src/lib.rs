//! Support for the tests: live servers, comparable dumps and rows, and what clients see.
//!
//! Nothing here judges; the tests in `tests/` do.

pub mod cases;
pub mod clients;
pub mod crowd;
pub mod dump;
pub mod fixture;
pub mod generate;
pub mod judge;
pub mod made;
pub mod mutate;
pub mod pairs;
pub mod product;
pub mod project;
pub mod respell;
pub mod rows;
pub mod sabotage;
pub mod script;
pub mod servers;
mod sql;
pub mod terminal;
pub mod wander;

use std::path::{Path, PathBuf};

/// An error of the outside world, with enough said to find the cause.
pub type Error = Box<dyn std::error::Error + Send + Sync>;

/// What supporting functions return; a test unwraps it or passes it on.
pub type Result<T> = std::result::Result<T, Error>;

/// The folder of the repository.
pub fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().map(Path::to_owned).unwrap_or_default()
}

/// Whether a missing server version is an error (in CI) and not a skipped test.
pub fn is_ci() -> bool {
    std::env::var_os("CI").is_some_and(|value| !value.is_empty() && value != "false" && value != "0")
}

/// What differs between two texts, as a unified diff with three lines around; empty when nothing does.
pub fn unified_diff(old: &str, new: &str, old_name: &str, new_name: &str) -> String {
    if old == new {
        return String::new();
    }
    similar::TextDiff::from_lines(old, new)
        .unified_diff()
        .context_radius(3)
        .header(old_name, new_name)
        .to_string()
}
