//! What is remembered of equal pairs: a declared text, and the text as which a server once stored it.
//!
//! A text alone is no key: `norm(s)` is another function once `public.norm` exists, and `select *` another query once a
//! table has another column. So a pair's digest covers, beside both texts and their place, everything that their words
//! may mean in the database as it is: all relations with their columns, all routines, all types of such a name,
//! whatever their schema, and what these stand on in turn; all operators, casts and extensions; the server's version,
//! the search_path, and the facades. Words are taken, not names that were resolved: that needs no parser, and what is
//! one word too many only makes a question be asked again.
//!
//! So the claim of a pair is about a whole database: declared there, where nothing else changes, the one is stored as
//! the other. It is believed where nothing that the texts mention changes in the same plan.
//!
//! Pairs are digests, so no SQL is kept: in the database's own schema (`state::memory`), in a file of this user, and in
//! `schemac.lock`, which belongs to the project. This user's files also know whole runs (`runs`).

mod meanings;
mod runs;

use crate::pair::{Pair, update};
use crate::state;
use postgres::Client;
use schemac_schema::id::ObjectId;
use schemac_schema::ident::{Hashed, Text};
use sha2::{Digest as _, Sha256};
use std::collections::{BTreeSet, HashMap, HashSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{fs, io};

pub use self::meanings::{Changed, Circumstances, Meanings};
pub use self::runs::Runs;

/// Another number makes every pair unknown that was remembered before: for another meaning of what is digested. So does
/// another version, which may analyse SQL otherwise.
const FORMAT: &str = concat!("schemac equal 2 ", env!("CARGO_PKG_VERSION"));

/// How many pairs a user's file keeps.
const KEPT: usize = 200_000;

/// What a project's file of pairs is called.
pub const LOCK_FILE: &str = "schemac.lock";

/// What is remembered, and what a run adds to it.
#[derive(Debug, Default)]
pub struct Memory {
    cache: Option<PathBuf>,
    lock: Option<PathBuf>,
    /// What the cache knows; none was read yet.
    cached: Option<HashSet<Pair, Hashed>>,
    /// What else is known.
    known: HashSet<Pair, Hashed>,
    /// The pairs of this run, with the place that they are about.
    used: HashMap<Pair, (ObjectId, Text), Hashed>,
    /// Whole runs, where these are believed.
    pub runs: Option<Runs>,
}

impl Memory {
    /// With a file of this user and the project's `schemac.lock`, where there are such.
    pub fn new(cache: Option<PathBuf>, lock: Option<PathBuf>) -> Self {
        Self { cache, lock, ..Self::default() }
    }

    /// Whether a pair is remembered. The sources are read when the first pair is asked for.
    pub fn knows(&mut self, pair: Pair, client: &mut Client) -> bool {
        if self.cached.is_none() {
            self.open(client);
        }
        // What was proven a moment ago counts too.
        self.is_cached(pair) || self.known.contains(&pair) || self.used.contains_key(&pair)
    }

    fn is_cached(&self, pair: Pair) -> bool {
        self.cached.as_ref().is_some_and(|cached| cached.contains(&pair))
    }

    /// What cannot be read is not remembered.
    fn open(&mut self, client: &mut Client) {
        let cached = self.cache.as_deref().and_then(read_cache).unwrap_or_default();
        self.cached = Some(cached.into_iter().collect());
        if let Some(path) = &self.lock {
            self.known.extend(fs::read_to_string(path).map(|text| locked(&text)).unwrap_or_default());
        }
        if let Ok(pairs) = state::memory::read(client) {
            self.known.extend(pairs);
        }
    }

    /// Says that a pair holds in this run, and which place of an object it is about.
    pub fn holds(&mut self, pair: Pair, object: ObjectId, place: Text) {
        self.used.insert(pair, (object, place));
    }

    /// The pairs that hold in this run.
    pub fn pairs(&self) -> BTreeSet<Pair> {
        self.used.keys().copied().collect()
    }

    /// Writes the user's file, where this run knows more than it. Somebody else who writes at the same time does no
    /// harm: a file is replaced as a whole.
    ///
    /// # Errors
    /// The file cannot be written. Nothing is lost but time.
    pub fn keep(&self) -> io::Result<()> {
        if let Some(runs) = &self.runs {
            runs.keep()?;
        }
        let Some(path) = self.cache.as_ref().filter(|_| self.used.keys().any(|pair| !self.is_cached(*pair)))
        else {
            return Ok(());
        };
        let mut all = self.pairs();
        // Another run may have written meanwhile.
        let room = KEPT.saturating_sub(all.len());
        all.extend(read_cache(path).unwrap_or_default().into_iter().take(room));
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        replace(path, &summed(&all))
    }

    /// Writes the project's `schemac.lock`: a line for each pair of this run, in the order of what they are about, so
    /// that two branches merge. An unchanged file is left alone.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn write_lock(&self, path: &Path) -> io::Result<()> {
        let about = |(object, place): &(ObjectId, Text)| format!("{object:?} {}", place.as_str());
        let mut lines: Vec<(String, Pair)> =
            self.used.iter().map(|(pair, of)| (about(of).escape_debug().to_string(), *pair)).collect();
        lines.sort();
        let mut text = String::from(LOCK_HEAD);
        for (about, pair) in lines {
            let _ = writeln!(text, "{pair} {about}");
        }
        if fs::read_to_string(path).is_ok_and(|known| known == text) { Ok(()) } else { replace(path, &text) }
    }
}

const LOCK_HEAD: &str = "\
# SQL of this project that a server stored in other words and that means the same: a digest each, of both texts and of
# everything that they refer to. Written by `schemac diff --lock`; commit it. Where a digest no longer fits, the server
# is asked again. Conflicts in a merge: keep both sides, or write it again.
";

/// A file that is there whole, or as it was.
fn replace(path: &Path, text: &str) -> io::Result<()> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.new", std::process::id()));
    let new = path.with_file_name(name);
    fs::write(&new, text).and_then(|()| fs::rename(&new, path)).inspect_err(|_| {
        let _ = fs::remove_file(&new);
    })
}

/// What a user's file holds, so that one that is not whole is known.
fn summed<'a>(pairs: impl IntoIterator<Item = &'a Pair>) -> String {
    let mut text = format!("{FORMAT}\n");
    for pair in pairs {
        let _ = writeln!(text, "{pair}");
    }
    let sum = Pair::of(Sha256::digest(&text).into());
    text.push_str(&format!("end {sum}\n"));
    text
}

/// A user's file; `None` where it is missing, or not whole.
fn read_cache(path: &Path) -> Option<Vec<Pair>> {
    let text = fs::read_to_string(path).ok()?;
    let at = text.trim_end().rfind('\n')? + 1;
    let (body, end) = text.split_at(at);
    let sum = end.trim_end().strip_prefix("end ")?;
    let mut lines = body.lines();
    if Pair::read(sum) != Some(Pair::of(Sha256::digest(body).into())) || lines.next() != Some(FORMAT) {
        return None;
    }
    Some(lines.filter_map(Pair::read).collect())
}

/// The pairs of a `schemac.lock`. Lines that a merge left are no pairs.
fn locked(text: &str) -> HashSet<Pair> {
    let first = text.lines().filter_map(|line| line.split(' ').next());
    first.filter_map(Pair::read).collect()
}

/// Where this user's file for a database is: `$XDG_CACHE_HOME/schemac`, else `~/.cache/schemac`.
pub fn cache_file(
    environment: &dyn Fn(&str) -> Option<String>,
    place: &str,
    database: &str,
) -> Option<PathBuf> {
    let absolute = |name| environment(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let folder = absolute("XDG_CACHE_HOME").or_else(|| Some(absolute("HOME")?.join(".cache")))?;
    let mut digest = Sha256::new();
    update(&mut digest, place);
    update(&mut digest, database);
    Some(folder.join("schemac").join(format!("equal-{}", Pair::of(digest.finalize().into()))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use schemac_schema::ident::QName;

    fn of(digit: &str) -> Pair {
        Pair::read(&digit.repeat(32)).unwrap()
    }

    fn table() -> ObjectId {
        ObjectId::of_table(QName::new("app", "t"))
    }

    fn folder() -> PathBuf {
        let path = std::env::temp_dir().join(format!("schemac-memory-{}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        path
    }

    #[test]
    fn a_file_that_is_not_whole_is_none() {
        let path = folder().join("equal");
        let memory = |pair: &str| {
            let mut memory = Memory { cache: Some(path.clone()), ..Memory::default() };
            memory.holds(of(pair), table(), Text::new("x"));
            memory
        };
        memory("a").keep().unwrap();
        memory("b").keep().unwrap();
        let both = vec![of("a"), of("b")];
        assert_eq!(read_cache(&path), Some(both.clone()));
        let whole = fs::read(&path).unwrap();
        for at in 0..whole.len() {
            let mut broken = whole.clone();
            broken[at] ^= 1;
            fs::write(&path, &broken).unwrap();
            assert!(read_cache(&path).is_none_or(|pairs| pairs == both), "byte {at}");
            fs::write(&path, &whole[..at]).unwrap();
            assert!(read_cache(&path).is_none_or(|pairs| pairs == both), "cut at {at}");
        }
        // A broken one is replaced, not mended.
        fs::write(&path, &whole[..whole.len() / 2]).unwrap();
        memory("c").keep().unwrap();
        assert_eq!(read_cache(&path), Some(vec![of("c")]));
        fs::remove_dir_all(folder()).unwrap();
    }

    #[test]
    fn a_lock_is_sorted_and_survives_a_merge() {
        let path = folder().join("schemac.lock");
        let mut memory = Memory::default();
        memory.holds(of("f"), table(), Text::new("a"));
        memory.holds(of("0"), table(), Text::new("b\nsplit"));
        memory.write_lock(&path).unwrap();
        let text = fs::read_to_string(&path).unwrap();
        let lines: Vec<&str> = text.lines().skip(3).collect();
        assert_eq!(
            lines,
            [format!("{} table app.t a", of("f")), format!("{} table app.t b\\nsplit", of("0"))]
        );
        let merged = format!("<<<<<<< ours\n{text}=======\n{text}>>>>>>> theirs\n");
        assert_eq!(locked(&merged), locked(&text));
        assert_eq!(locked(&text).len(), 2);
    }
}
