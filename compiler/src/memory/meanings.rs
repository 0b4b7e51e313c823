//! What the words of texts may mean in a database, and the digest of a pair, which covers it.
//!
//! Not here: where pairs are kept.

use super::FORMAT;
use crate::pair::{Pair, update};
use schemac_schema::catalog::Catalog;
use schemac_schema::fragment::Fragment;
use schemac_schema::id::ObjectId;
use schemac_schema::ident::{Hashed, Ident, QName};
use sha2::{Digest as _, Sha256};
use std::borrow::Cow;
use std::collections::{BTreeSet, HashMap, HashSet};
use std::fmt::Write as _;
use std::sync::OnceLock;

/// What the words of texts may mean in a database.
#[derive(Debug)]
pub struct Meanings<'a> {
    catalog: &'a Catalog,
    /// The place of each word that something is called, in `named`.
    places: HashMap<String, usize, Hashed>,
    /// In the order of the words.
    named: Vec<Named>,
    whole: [u8; 32],
}

/// What bears a name, whatever its schema.
#[derive(Debug)]
struct Named {
    word: String,
    ids: Vec<ObjectId>,
    shallow: OnceLock<Shallow>,
    deep: OnceLock<[u8; 32]>,
}

/// What these are to those who name them.
#[derive(Debug)]
struct Shallow {
    digests: Vec<[u8; 32]>,
    /// The words that they stand on, by place.
    stands_on: Vec<usize>,
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
        let mut names: HashMap<String, Vec<ObjectId>, Hashed> = HashMap::default();
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
        odd.sort_unstable();
        for id in odd {
            update(&mut whole, &shallow(catalog, id).0);
        }
        let new = |(word, mut ids): (String, Vec<ObjectId>)| {
            ids.sort_unstable();
            Named { word, ids, shallow: OnceLock::new(), deep: OnceLock::new() }
        };
        let mut named: Vec<Named> = names.into_iter().map(new).collect();
        named.sort_unstable_by(|a, b| a.word.cmp(&b.word));
        let places = named.iter().enumerate().map(|(place, named)| (named.word.clone(), place)).collect();
        Self { catalog, places, named, whole: whole.finalize().into() }
    }

    fn shallow(&self, named: &Named) -> Shallow {
        let (mut digests, mut stands_on) = (Vec::new(), Vec::new());
        for id in &named.ids {
            let (text, below) = shallow(self.catalog, *id);
            digests.push(Sha256::digest(&text).into());
            stands_on.extend(words(&lower(&below)).filter_map(|word| self.places.get(word)));
        }
        Shallow { digests, stands_on }
    }

    /// What a word may mean, with all that this stands on.
    fn deep(&self, place: usize) -> [u8; 32] {
        let mut reached = BTreeSet::from([place]);
        let mut open = vec![place];
        let mut digest = Sha256::new();
        let mut digests: Vec<[u8; 32]> = Vec::new();
        while let Some(named) = open.pop().and_then(|place| self.named.get(place)) {
            let shallow = named.shallow.get_or_init(|| self.shallow(named));
            digests.extend(&shallow.digests);
            open.extend(shallow.stands_on.iter().copied().filter(|next| reached.insert(*next)));
        }
        digests.sort_unstable();
        digests.iter().for_each(|one| digest.update(one));
        digest.finalize().into()
    }

    /// The digest of a pair in a place of an object; `None` where what the text means depends on more than the
    /// database: the day, or names in a spelling that hides them.
    pub fn pair(&self, object: ObjectId, place: &str, fragment: &Fragment, stored: &str) -> Option<Pair> {
        let declared = written(fragment);
        let texts = Texts::new(object, declared, stored);
        if depends_on_more(&texts.declared) {
            return None;
        }
        let mut digest = Sha256::new();
        digest.update(self.whole);
        for text in [&format!("{object:?}"), place, declared, stored] {
            update(&mut digest, text);
        }
        let mut places: Vec<usize> =
            texts.words().filter_map(|word| self.places.get(word)).copied().collect();
        places.sort_unstable();
        places.dedup();
        for place in places {
            let Some(named) = self.named.get(place) else { continue };
            update(&mut digest, &named.word);
            digest.update(named.deep.get_or_init(|| self.deep(place)));
        }
        Some(Pair::of(digest.finalize().into()))
    }
}

/// What an object is to those who name it, and the text whose words it stands on.
fn shallow(catalog: &Catalog, id: ObjectId) -> (String, String) {
    let columns = if id.kind().is_relation() { catalog.columns(id) } else { Vec::new() };
    let mut text = format!("{id:?}");
    let mut stands_on = text.clone();
    if columns.is_empty() {
        // A view's columns are those of its query.
        let object = catalog.get(id).map(|entry| format!("{:?}", entry.object)).unwrap_or_default();
        text.push_str(&object);
        if id.kind().is_relation() || id.kind().is_type() {
            stands_on = object;
        }
    } else {
        stands_on.clear();
    }
    for (column, definition) in columns {
        let collation = definition.collation.as_ref().map(|collation| (collation.schema, collation.name));
        let _ = write!(text, "\0{:?}\0{:?}\0{collation:?}", column.name(), definition.type_name);
        let _ = write!(stands_on, " {:?}", definition.type_name);
    }
    (text, stands_on)
}

/// The names of relations, routines and types that a plan changes, as words, with what bears them.
#[derive(Debug, Default)]
pub struct Changed {
    words: HashMap<String, HashSet<ObjectId>, Hashed>,
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
            || Texts::new(object, written(fragment), stored)
                .words()
                .filter_map(|word| self.words.get(word))
                .any(|ids| ids.iter().any(|id| *id != object))
    }
}

/// The text as it stands in the file: names are not qualified yet there.
fn written(fragment: &Fragment) -> &str {
    fragment.origin().map_or_else(|| fragment.text(), |origin| origin.text())
}

/// Both texts and the name of what they stand on, in lower case.
struct Texts<'a> {
    declared: Cow<'a, str>,
    stored: Cow<'a, str>,
    name: Option<String>,
}

impl<'a> Texts<'a> {
    fn new(object: ObjectId, declared: &'a str, stored: &'a str) -> Self {
        let name = word_of(object.root().name().as_str());
        Self { declared: lower(declared), stored: lower(stored), name }
    }

    fn words(&self) -> impl Iterator<Item = &str> {
        words(&self.declared).chain(words(&self.stored)).chain(self.name.as_deref())
    }
}

/// What is a part of a word, in any spelling of a name that needs no escape.
fn in_word(character: char) -> bool {
    character.is_ascii_alphanumeric() || character == '_' || character == '$' || !character.is_ascii()
}

/// The words of a text. What is not ASCII is part of one, so a text falls apart between bytes.
fn words(text: &str) -> impl Iterator<Item = &str> {
    let apart = |byte: &u8| !(byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'$' | 0x80..));
    text.as_bytes().split(apart).filter(|word| !word.is_empty()).filter_map(|word| str::from_utf8(word).ok())
}

fn lower(text: &str) -> Cow<'_, str> {
    match text.bytes().any(|byte| byte.is_ascii_uppercase()) {
        true => Cow::Owned(text.to_ascii_lowercase()),
        false => Cow::Borrowed(text),
    }
}

/// A name as a word; `None` where a text may spell it as several.
fn word_of(name: &str) -> Option<String> {
    (!name.is_empty() && name.chars().all(in_word)).then(|| name.to_ascii_lowercase())
}

/// Of a text in lower case.
fn depends_on_more(text: &str) -> bool {
    let passing = |(at, _): (usize, &str)| {
        let rest = text.get(at + 1..).unwrap_or_default();
        ["now", "today", "tomorrow", "yesterday"].iter().any(|word| rest.starts_with(word))
    };
    text.contains("u&") || text.match_indices('\'').any(passing)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_found_in_every_spelling() {
        let text = lower("Norm(\"Odd Name\".s) = 'x_1'::app.Mood");
        let found: Vec<&str> = words(&text).collect();
        assert_eq!(found, ["norm", "odd", "name", "s", "x_1", "app", "mood"]);
        assert_eq!(word_of("Norm").as_deref(), Some("norm"));
        assert_eq!(word_of("Odd Name"), None);
        assert!(["d > 'Today'::date", "U&\"\\0061\" > 1"].iter().all(|text| depends_on_more(&lower(text))));
    }
}
