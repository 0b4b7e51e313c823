//! Runs that found nothing to do: the same files against the same rows need no second comparison.
//!
//! A plan is a function of the project's files, of what the server's catalogs gave, of the server, its role and
//! settings, and of this program. A digest of all that stands for a run, so it may be believed without another look at
//! a single text; where anything differs, the pairs of texts are what is remembered. Only runs whose every text may be
//! remembered are kept: what depends on the day is not.

use super::{FORMAT, read_cache, replace, summed};
use crate::pair::{Pair, update};
use sha2::{Digest as _, Sha256};
use std::path::{Path, PathBuf};
use std::{fs, io};

/// How many runs a user's file keeps, the newest first.
const KEPT: usize = 64;

/// The runs of one database that this user's file knows.
#[derive(Debug)]
pub struct Runs {
    path: PathBuf,
    program: String,
    new: Option<Pair>,
}

impl Runs {
    /// With the file beside `cache`. `program` tells one build of this program from another.
    pub fn new(cache: &Path, program: String) -> Self {
        let mut name = cache.file_name().unwrap_or_default().to_owned();
        name.push("-runs");
        Self { path: cache.with_file_name(name), program, new: None }
    }

    /// The digest of a run on what these texts stand for.
    pub fn digest(&self, of: &[&str]) -> Pair {
        let mut digest = Sha256::new();
        update(&mut digest, FORMAT);
        for text in of.iter().chain([&self.program.as_str()]) {
            update(&mut digest, text);
        }
        Pair::of(digest.finalize().into())
    }

    /// Whether such a run found nothing to do.
    pub fn knows(&self, run: Pair) -> bool {
        read_cache(&self.path).unwrap_or_default().contains(&run)
    }

    /// Says that a run found nothing to do.
    pub fn found_nothing(&mut self, run: Pair) {
        self.new = Some(run);
    }

    /// Writes the file, where there is a new run.
    ///
    /// # Errors
    /// The file cannot be written. Nothing is lost but time.
    pub fn keep(&self) -> io::Result<()> {
        let Some(new) = self.new else { return Ok(()) };
        let known = read_cache(&self.path).unwrap_or_default();
        let mut all = vec![new];
        all.extend(known.into_iter().filter(|run| *run != new));
        all.truncate(KEPT);
        if let Some(folder) = self.path.parent() {
            fs::create_dir_all(folder)?;
        }
        replace(&self.path, &summed(&all))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_runs_are_kept() {
        let folder = std::env::temp_dir().join(format!("schemac-runs-{}", std::process::id()));
        let mut runs = Runs::new(&folder.join("equal"), "this".into());
        let of = |number: usize| Pair::read(&format!("{number:032x}")).unwrap();
        for number in 0..KEPT + 2 {
            assert!(!runs.knows(of(number)));
            runs.found_nothing(of(number));
            runs.keep().unwrap();
            assert!(runs.knows(of(number)));
        }
        assert!(!runs.knows(of(1)) && runs.knows(of(2)));
        let again = Runs::new(&folder.join("equal"), "that".into());
        assert!(again.knows(of(2)));
        assert_ne!(again.digest(&["a", "b"]), runs.digest(&["a", "b"]), "another program");
        assert_ne!(runs.digest(&["a", "b"]), runs.digest(&["ab", ""]));
        fs::remove_dir_all(folder).unwrap();
    }
}
