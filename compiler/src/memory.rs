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
//! `schemac.lock`, which belongs to the project.

use crate::state;
use postgres::Client;
use schemac_schema::catalog::Catalog;
use schemac_schema::fragment::Fragment;
use schemac_schema::id::ObjectId;
use schemac_schema::ident::{Ident, QName};
use sha2::{Digest as _, Sha256};
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::{fs, io};

/// Another number makes every pair unknown that was remembered before: for another meaning of what is digested. So does
/// another version, which may analyse SQL otherwise.
const FORMAT: &str = concat!("schemac equal 1 ", env!("CARGO_PKG_VERSION"));

/// How many pairs a user's file keeps.
const KEPT: usize = 200_000;

/// What a project's file of pairs is called.
pub const LOCK_FILE: &str = "schemac.lock";

/// What is remembered, and what a run adds to it.
#[derive(Debug, Default)]
pub struct Memory {
    cache: Option<PathBuf>,
    lock: Option<PathBuf>,
    known: Option<HashSet<String>>,
    cached: BTreeSet<String>,
    /// The pairs of this run, by what they are about.
    used: BTreeMap<String, String>,
}

impl Memory {
    /// With a file of this user and the project's `schemac.lock`, where there are such.
    pub fn new(cache: Option<PathBuf>, lock: Option<PathBuf>) -> Self {
        Self { cache, lock, ..Self::default() }
    }

    /// Whether a pair is remembered. The sources are read when the first pair is asked for.
    pub fn knows(&mut self, pair: &str, client: &mut Client) -> bool {
        if self.known.is_none() {
            self.open(client);
        }
        // What was proven a moment ago counts too.
        self.used.contains_key(pair) || self.known.as_ref().is_some_and(|known| known.contains(pair))
    }

    /// What cannot be read is not remembered.
    fn open(&mut self, client: &mut Client) {
        let mut known: HashSet<String> = HashSet::new();
        if let Some(path) = &self.cache {
            self.cached = read_cache(path).unwrap_or_default();
            known.extend(self.cached.iter().cloned());
        }
        if let Some(path) = &self.lock {
            known.extend(fs::read_to_string(path).map(|text| locked(&text)).unwrap_or_default());
        }
        if let Ok(pairs) = state::memory::read(client) {
            known.extend(pairs);
        }
        self.known = Some(known);
    }

    /// Says that a pair holds in this run, and what it is about.
    pub fn holds(&mut self, pair: String, about: String) {
        self.used.insert(pair, about);
    }

    /// The pairs that hold in this run.
    pub fn pairs(&self) -> BTreeSet<String> {
        self.used.keys().cloned().collect()
    }

    /// Writes the user's file, where this run knows more than it. Somebody else who writes at the same time does no
    /// harm: a file is replaced as a whole.
    ///
    /// # Errors
    /// The file cannot be written. Nothing is lost but time.
    pub fn keep(&self) -> io::Result<()> {
        let Some(path) =
            self.cache.as_ref().filter(|_| self.used.keys().any(|pair| !self.cached.contains(pair)))
        else {
            return Ok(());
        };
        let mut all = self.pairs();
        // Another run may have written meanwhile.
        let room = KEPT.saturating_sub(all.len());
        all.extend(read_cache(path).unwrap_or_default().into_iter().take(room));
        let mut text = format!("{FORMAT}\n");
        for pair in &all {
            text.push_str(pair);
            text.push('\n');
        }
        let sum = short(Sha256::digest(&text).as_slice());
        text.push_str(&format!("end {sum}\n"));
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        replace(path, &text)
    }

    /// Writes the project's `schemac.lock`: a line for each pair of this run, in the order of what they are about, so
    /// that two branches merge. An unchanged file is left alone.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn write_lock(&self, path: &Path) -> io::Result<()> {
        let mut lines: Vec<(String, &String)> =
            self.used.iter().map(|(pair, about)| (about.escape_debug().to_string(), pair)).collect();
        lines.sort();
        let mut text = String::from(LOCK_HEAD);
        for (about, pair) in lines {
            text.push_str(&format!("{pair} {about}\n"));
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

/// A user's file; `None` where it is missing, or not whole.
fn read_cache(path: &Path) -> Option<BTreeSet<String>> {
    let text = fs::read_to_string(path).ok()?;
    let at = text.trim_end().rfind('\n')? + 1;
    let (body, end) = text.split_at(at);
    let sum = end.trim_end().strip_prefix("end ")?;
    let mut lines = body.lines();
    if sum != short(Sha256::digest(body).as_slice()) || lines.next() != Some(FORMAT) {
        return None;
    }
    Some(lines.filter(|line| is_pair(line)).map(str::to_owned).collect())
}

/// The pairs of a `schemac.lock`. Lines that a merge left are no pairs.
fn locked(text: &str) -> HashSet<String> {
    let first = text.lines().filter_map(|line| line.split(' ').next());
    first.filter(|word| is_pair(word)).map(str::to_owned).collect()
}

fn is_pair(word: &str) -> bool {
    word.len() == 32 && word.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

/// The first 128 bits of a digest.
fn short(digest: &[u8]) -> String {
    digest.iter().take(16).map(|byte| format!("{byte:02x}")).collect()
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
    Some(folder.join("schemac").join(format!("equal-{}", short(digest.finalize().as_slice()))))
}

/// What the words of texts may mean in a database.
#[derive(Debug)]
pub struct Meanings<'a> {
    catalog: &'a Catalog,
    names: HashMap<String, Vec<ObjectId>>,
    whole: [u8; 32],
    known: RefCell<HashMap<String, [u8; 32]>>,
}

/// What the texts of a run have in common.
#[derive(Debug)]
pub struct Circumstances<'a> {
    /// The server's major version.
    pub version: u32,
    /// How unqualified names resolve.
    pub search_path: &'a [Ident],
    /// Names at which the project refuses to be looked up.
    pub facades: &'a BTreeSet<QName>,
}

impl<'a> Meanings<'a> {
    /// Of a database as it is.
    pub fn new(catalog: &'a Catalog, circumstances: &Circumstances<'_>) -> Self {
        let mut names: HashMap<String, Vec<ObjectId>> = HashMap::new();
        let mut whole = Sha256::new();
        update(&mut whole, FORMAT);
        update(&mut whole, &circumstances.version.to_string());
        for schema in circumstances.search_path {
            update(&mut whole, schema.as_str());
        }
        update(&mut whole, "facades");
        for facade in circumstances.facades {
            update(&mut whole, &format!("{facade:?}"));
        }
        let mut odd = Vec::new();
        for id in catalog.ids().filter(|id| id.root() == *id) {
            let name = id.name();
            if id.kind().is_only_a_name() || id.kind().has_members() {
                odd.push(id);
            } else if id.qname().is_some() {
                match word_of(name.as_str()) {
                    Some(word) => names.entry(word).or_default().push(id),
                    None => odd.push(id),
                }
            }
        }
        let mut meanings = Self { catalog, names, whole: [0; 32], known: RefCell::default() };
        odd.sort_unstable();
        for id in odd {
            update(&mut whole, &meanings.shallow(id).0);
        }
        for ids in meanings.names.values_mut() {
            ids.sort_unstable();
        }
        meanings.whole = whole.finalize().into();
        meanings
    }

    /// What an object is to those who name it, and the text whose words it stands on.
    fn shallow(&self, id: ObjectId) -> (String, String) {
        let columns = if id.kind().is_relation() { self.catalog.columns(id) } else { Vec::new() };
        let mut text = format!("{id:?}");
        let mut stands_on = text.clone();
        if columns.is_empty() {
            // A view's columns are those of its query.
            let object = self.catalog.get(id).map(|entry| format!("{:?}", entry.object)).unwrap_or_default();
            text.push_str(&object);
            if id.kind().is_relation() || id.kind().is_type() {
                stands_on = object;
            }
        } else {
            stands_on.clear();
        }
        for (column, definition) in columns {
            let collation = definition.collation.as_ref().map(|collation| (collation.schema, collation.name));
            text.push_str(&format!("\0{:?}\0{:?}\0{collation:?}", column.name(), definition.type_name));
            stands_on.push_str(&format!(" {:?}", definition.type_name));
        }
        (text, stands_on)
    }

    /// What a word may mean, with all that this stands on.
    fn word(&self, word: &str) -> [u8; 32] {
        if let Some(known) = self.known.borrow().get(word) {
            return *known;
        }
        let mut reached = BTreeSet::from([word.to_owned()]);
        let mut open = vec![word.to_owned()];
        let mut texts = BTreeSet::new();
        while let Some(word) = open.pop() {
            for id in self.names.get(&word).into_iter().flatten() {
                let (text, stands_on) = self.shallow(*id);
                texts.insert(text);
                for next in words(&stands_on) {
                    if self.names.contains_key(&next) && reached.insert(next.clone()) {
                        open.push(next);
                    }
                }
            }
        }
        let mut digest = Sha256::new();
        for text in texts {
            update(&mut digest, &text);
        }
        let digest = digest.finalize().into();
        self.known.borrow_mut().insert(word.to_owned(), digest);
        digest
    }

    /// The digest of a pair in a place of an object; `None` where what the text means depends on more than the
    /// database: the day, or names in a spelling that hides them.
    pub fn pair(&self, object: ObjectId, place: &str, fragment: &Fragment, stored: &str) -> Option<String> {
        let declared = written(fragment);
        if depends_on_more(declared) {
            return None;
        }
        let mut digest = Sha256::new();
        digest.update(self.whole);
        for text in [&format!("{object:?}"), place, declared, stored] {
            update(&mut digest, text);
        }
        for word in mentioned(object, declared, stored) {
            if self.names.contains_key(&word) {
                update(&mut digest, &word);
                digest.update(self.word(&word));
            }
        }
        Some(short(digest.finalize().as_slice()))
    }
}

/// The names of relations, routines and types that a plan changes, as words, with what bears them.
#[derive(Debug, Default)]
pub struct Changed {
    words: HashMap<String, HashSet<ObjectId>>,
    any: bool,
}

impl Changed {
    /// Adds what a plan makes, changes or takes away.
    pub fn add(&mut self, id: ObjectId) {
        let root = id.root();
        if id != root && !id.kind().is_column() {
            return;
        }
        match word_of(root.name().as_str()).filter(|_| root.qname().is_some()) {
            Some(word) => {
                self.words.entry(word).or_default().insert(id);
            }
            None => self.any |= root.qname().is_some() || root.kind().has_members(),
        }
    }

    /// Whether texts of an object mention anything of it, beside the object itself.
    pub fn touches(&self, object: ObjectId, fragment: &Fragment, stored: &str) -> bool {
        self.any
            || mentioned(object, written(fragment), stored)
                .iter()
                .filter_map(|word| self.words.get(word))
                .any(|ids| ids.iter().any(|id| *id != object))
    }
}

/// The text as it stands in the file: names are not qualified yet there.
fn written(fragment: &Fragment) -> &str {
    fragment.origin().map_or_else(|| fragment.text(), |origin| origin.text())
}

/// The words of both texts, and the name of what they stand on.
fn mentioned(object: ObjectId, declared: &str, stored: &str) -> BTreeSet<String> {
    let mut all: BTreeSet<String> = words(declared).chain(words(stored)).collect();
    all.extend(word_of(object.root().name().as_str()));
    all
}

/// What is a part of a word, in any spelling of a name that needs no escape.
fn in_word(character: char) -> bool {
    character.is_ascii_alphanumeric() || character == '_' || character == '$' || !character.is_ascii()
}

/// The words of a text, in lower case.
fn words(text: &str) -> impl Iterator<Item = String> {
    text.split(|character| !in_word(character)).filter(|word| !word.is_empty()).map(str::to_ascii_lowercase)
}

/// A name as a word; `None` where a text may spell it as several.
fn word_of(name: &str) -> Option<String> {
    (!name.is_empty() && name.chars().all(in_word)).then(|| name.to_ascii_lowercase())
}

fn depends_on_more(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    lower.contains("u&")
        || ["'now", "'today", "'tomorrow", "'yesterday"].iter().any(|word| lower.contains(word))
}

/// Lengths stand in front, so that no two lists of texts look alike.
fn update(digest: &mut Sha256, text: &str) {
    digest.update((text.len() as u64).to_be_bytes());
    digest.update(text);
}

#[cfg(test)]
mod tests {
    use super::*;

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
            memory.holds(pair.repeat(32), "x".into());
            memory
        };
        memory("a").keep().unwrap();
        memory("b").keep().unwrap();
        let both = BTreeSet::from(["a".repeat(32), "b".repeat(32)]);
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
        assert_eq!(read_cache(&path), Some(BTreeSet::from(["c".repeat(32)])));
        fs::remove_dir_all(folder()).unwrap();
    }

    #[test]
    fn a_lock_is_sorted_and_survives_a_merge() {
        let path = folder().join("schemac.lock");
        let mut memory = Memory::default();
        memory.holds("f".repeat(32), "check a".into());
        memory.holds("0".repeat(32), "check b\nsplit".into());
        memory.write_lock(&path).unwrap();
        let text = fs::read_to_string(&path).unwrap();
        let lines: Vec<&str> = text.lines().skip(3).collect();
        assert_eq!(
            lines,
            [format!("{} check a", "f".repeat(32)), format!("{} check b\\nsplit", "0".repeat(32))]
        );
        let merged = format!("<<<<<<< ours\n{text}=======\n{text}>>>>>>> theirs\n");
        assert_eq!(locked(&merged), locked(&text));
        assert_eq!(locked(&text).len(), 2);
    }

    #[test]
    fn words_are_found_in_every_spelling() {
        let found: Vec<String> = words("Norm(\"Odd Name\".s) = 'x_1'::app.Mood").collect();
        assert_eq!(found, ["norm", "odd", "name", "s", "x_1", "app", "mood"]);
        assert_eq!(word_of("Norm").as_deref(), Some("norm"));
        assert_eq!(word_of("Odd Name"), None);
        assert!(depends_on_more("d > 'Today'::date") && depends_on_more("U&\"\\0061\" > 1"));
    }
}
