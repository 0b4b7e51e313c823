//! A project in a folder of its own, which goes with it.

use std::fs;
use std::path::{Path, PathBuf};

use crate::product::{self, Run};
use crate::servers::{As, Database};

/// A project's folder.
#[derive(Debug)]
pub struct Project(PathBuf);

impl Project {
    /// With these files.
    ///
    /// # Panics
    /// The folder cannot be written.
    pub fn new(name: &str, files: &[(&str, &str)]) -> Self {
        let path = std::env::temp_dir().join(format!("schemac-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        let project = Self(path);
        for (file, text) in files {
            project.write(file, text);
        }
        project
    }

    /// Writes a file of it.
    ///
    /// # Panics
    /// It cannot be written.
    pub fn write(&self, file: &str, text: &str) {
        let path = self.0.join(file);
        fs::create_dir_all(path.parent().unwrap_or(&self.0)).expect("a folder");
        fs::write(path, text).expect("a file");
    }

    /// Where it is.
    pub fn folder(&self) -> &Path {
        &self.0
    }

    /// Runs a command as the database's owner.
    ///
    /// # Panics
    /// The program cannot be started.
    pub fn run(&self, database: &Database<'_>, arguments: &[&str]) -> Run {
        self.run_as(database, As::Owner, arguments)
    }

    /// Runs a command.
    ///
    /// # Panics
    /// The program cannot be started.
    pub fn run_as(&self, database: &Database<'_>, who: As, arguments: &[&str]) -> Run {
        product::run(&self.0, &database.url(who), arguments).expect("it runs")
    }

    /// Applies it, and sees that nothing is left to do.
    ///
    /// # Panics
    /// Something fails, or is left.
    #[track_caller]
    pub fn apply(&self, database: &Database<'_>) -> Run {
        let run = self.run(database, &["apply", "--yes"]);
        run.expect(0);
        self.run(database, &["diff", "--exit-code"]).expect(0);
        run
    }
}

impl Drop for Project {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}
