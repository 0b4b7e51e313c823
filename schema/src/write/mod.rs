//! From objects to the files that declare them: what `schemac import` writes.
//!
//! Each object writes its own entry (`kinds/<kind>/write.rs`), at the place that its id has in the language; satellites
//! write into the entry of what they stand on. Here is the tree that they fill; `format` gives it its shape. Nothing is
//! opened here, and what has no form in the language is listed, never left out.

mod format;
mod scalar;
mod spell;
mod tree;

pub use format::rank;
pub use scalar::name;
pub use spell::spell;
pub use tree::{Map, Node};

use crate::catalog::{Catalog, Standing};
use crate::id::{Address, ObjectId};
use crate::ident::{Ident, Text};
use crate::kinds::{grant, identity_sequence};
use crate::object::{Kind, Object};
use crate::sql;
use std::collections::{BTreeMap, BTreeSet};

/// Where an entry stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum File {
    /// What lives outside of schemas.
    Database,
    /// One schema.
    Domain(Ident),
}

/// Fills the files.
#[derive(Debug)]
pub struct Writer<'a> {
    /// The objects.
    pub catalog: &'a Catalog,
    /// The major version of the server that they come from.
    pub version: u32,
    /// The role that owns what says nothing else.
    pub owner: Option<Ident>,
    /// Whether objects belong to several roles.
    pub owners: bool,
    /// Whether privileges on sequences are an own matter in this database: then the files say of each that a column
    /// brings who may use it, also where nobody may. Otherwise they may be as privileges by default make them.
    pub sequences: bool,
    files: BTreeMap<File, Map>,
    missing: BTreeSet<(Text, ObjectId)>,
    routines: BTreeMap<ObjectId, &'static str>,
    left_out: BTreeSet<ObjectId>,
}

impl<'a> Writer<'a> {
    /// Writes every object of a catalog that is not somebody else's.
    pub fn write(catalog: &'a Catalog, version: u32, owner: Option<Ident>, owners: bool) -> Self {
        let (files, missing) = (BTreeMap::new(), BTreeSet::new());
        let (routines, left_out) = (BTreeMap::new(), BTreeSet::new());
        let mine = |standing: Standing| standing == Standing::Managed;
        let own = catalog.iter().filter(|(_, entry)| mine(entry.standing));
        let sequences = own.into_iter().any(|(id, entry)| grant::is_about_sequences(id, &entry.object));
        let mut writer =
            Self { catalog, version, owner, owners, sequences, files, missing, routines, left_out };
        // What stands on an object comes after it, whatever the order of kinds.
        let (wholes, parts): (Vec<_>, Vec<_>) = catalog
            .iter()
            .filter(|(_, entry)| mine(entry.standing))
            .partition(|(id, _)| id.parent().is_none());
        for (id, entry) in wholes.into_iter().chain(parts) {
            // A part of what has no form has none either; it goes without saying.
            if id.parent().is_none() || !writer.lacks(id.root()) {
                entry.object.write(id, &mut writer);
            }
        }
        writer
    }

    /// Says that something about an object has no form in the language.
    pub fn missing(&mut self, id: ObjectId, what: &str) {
        self.missing.insert((Text::new(what), id));
    }

    /// Whether the object itself has no form.
    pub fn lacks(&self, id: ObjectId) -> bool {
        self.missing.contains(&(Text::new(what_is(id, self.catalog)), id))
    }

    /// Says that there is no form for the object.
    pub fn missing_whole(&mut self, id: ObjectId) {
        let what = what_is(id, self.catalog);
        self.missing(id, what);
    }

    /// Whether something about the object has no form.
    pub fn says_missing(&self, id: ObjectId) -> bool {
        self.missing.iter().any(|(_, known)| *known == id)
    }

    /// Leaves an object out, because it goes without saying.
    pub fn leave_out(&mut self, id: ObjectId) {
        self.left_out.insert(id);
    }

    /// Whether it was left out.
    pub fn is_left_out(&self, id: ObjectId) -> bool {
        self.left_out.contains(&id)
    }

    /// What has no form: what it is, and of which object.
    pub fn all_missing(&self) -> impl Iterator<Item = (Text, ObjectId)> {
        self.missing.iter().copied()
    }

    /// Says under which key of its file a routine stands (`functions`, `procedures`). Before its entry is asked for.
    pub fn routine(&mut self, id: ObjectId, section: &'static str) {
        self.routines.insert(id, section);
    }

    /// The entry of an object, which others write into; made when there is none.
    pub fn entry(&mut self, id: ObjectId) -> &mut Map {
        if let Some((parent, key)) = self.partition(id) {
            return self.entry(parent).named("partitions").at(&key, "");
        }
        let section = self.section(id);
        match id.address() {
            Address::Of(column, _) if id.kind() == Kind::IdentitySequence => {
                self.entry(column).at("identity", "")
            }
            Address::Of(column, _) if id.kind() == Kind::NotNull => self.entry(column).at("not_null", ""),
            Address::Of(target, _) => self.entry(target),
            Address::On(parent, name) => self.entry(parent).named(section).at(name.as_str(), ""),
            Address::Routine(name, arguments) => {
                self.file(File::Domain(name.schema)).named(section).at(name.name.as_str(), arguments.as_str())
            }
            // What the files put on somebody else's table.
            Address::InSchema(name) if self.standing(id) == Some(Standing::External) => {
                self.file(File::Database).named("on_external").at(&sql::qualified(name), "")
            }
            Address::InSchema(name) => {
                self.file(File::Domain(name.schema)).named(section).at(name.name.as_str(), "")
            }
            Address::Global(name) if id.kind() == Kind::Schema => self.file(File::Domain(name)),
            Address::Global(name) => self.file(File::Database).named(section).at(name.as_str(), ""),
        }
    }

    /// Puts the entry of an object that has a short form. What others write into it makes it the long one.
    pub fn put(&mut self, id: ObjectId, place: u32, node: Node) {
        if let Some((parent, key)) = self.partition(id) {
            return self.entry(parent).named("partitions").put(&key, "", place, node);
        }
        let section = self.section(id);
        let map = match id.address() {
            Address::On(parent, _) | Address::Of(parent, _) => self.entry(parent).named(section),
            Address::InSchema(name) | Address::Routine(name, _) => {
                self.file(File::Domain(name.schema)).named(section)
            }
            Address::Global(_) => self.file(File::Database).named(section),
        };
        let which = match id.address() {
            Address::Routine(_, arguments) => arguments.as_str(),
            _ => "",
        };
        map.put(id.name().as_str(), which, place, node);
    }

    /// A file.
    pub fn file(&mut self, file: File) -> &mut Map {
        self.files.entry(file).or_insert_with(|| {
            let mut map = Map::keys();
            if let File::Domain(name) = file {
                map.set("domain", Node::Text(name.as_str().into()));
            }
            map
        })
    }

    /// The files with their texts.
    pub fn texts(&self) -> BTreeMap<File, String> {
        self.files.iter().map(|(file, map)| (*file, format::file(map))).collect()
    }

    /// Whether anything stands on an object that its short form cannot say.
    pub fn is_bare(&self, id: ObjectId) -> bool {
        self.catalog.children(id).iter().all(|child| child.kind() == Kind::Default || self.is_silent(*child))
    }

    /// Whether a part of an object goes without saying: an identity column's sequence with nothing that is its own.
    fn is_silent(&self, part: ObjectId) -> bool {
        let usual = match self.catalog.get(part).map(|entry| &entry.object) {
            Some(Object::IdentitySequence(sequence)) => identity_sequence::write::is_usual(*sequence, part),
            _ => false,
        };
        usual && self.catalog.children(part).is_empty() && !self.sequences
    }

    /// Whether a column's entry has nothing but its short form: its privileges stand with the table's.
    pub fn is_bare_or_granted(&self, id: ObjectId) -> bool {
        let apart = |kind: Kind| matches!(kind, Kind::Default | Kind::Grant);
        self.catalog.children(id).iter().all(|child| apart(child.kind()) || self.is_silent(*child))
    }

    fn standing(&self, id: ObjectId) -> Option<Standing> {
        self.catalog.get(id).map(|entry| entry.standing)
    }

    /// The table in whose entry a partition stands, and under which name.
    fn partition(&self, id: ObjectId) -> Option<(ObjectId, String)> {
        let Object::Table(table) = &self.catalog.get(id)?.object else { return None };
        let parent = self.catalog.relation(table.partition_of.as_ref()?.0.qname()?)?;
        let own = id.qname()?;
        let is_plain = Some(own.schema) == parent.schema()
            && !own.name.as_str().contains(['.', '"'])
            && own.name.as_str() != "every";
        Some((parent, if is_plain { own.name.as_str().to_owned() } else { sql::qualified(own) }))
    }

    fn section(&self, id: ObjectId) -> &'static str {
        match id.kind() {
            Kind::Extension => "extensions",
            Kind::Role => "roles",
            Kind::Publication => "publications",
            Kind::EventTrigger => "event_triggers",
            Kind::ForeignDataWrapper => "foreign_data_wrappers",
            Kind::Server => "servers",
            Kind::Collation => "collations",
            Kind::Enum => "enums",
            Kind::Domain => "domains",
            Kind::Composite | Kind::Range | Kind::BaseType => "types",
            Kind::Sequence => "sequences",
            Kind::Function => self.routines.get(&id).copied().unwrap_or("functions"),
            Kind::Aggregate => "aggregates",
            Kind::Table => "tables",
            Kind::ForeignTable => "foreign_tables",
            Kind::Column if id.root().kind() == Kind::Composite => "fields",
            Kind::Column => match self.catalog.get(id).map(|entry| &entry.object) {
                Some(Object::Column(column)) if column.inherited.0 => "inherited",
                _ => "columns",
            },
            Kind::Check => "checks",
            Kind::Key => match self.catalog.get(id).map(|entry| &entry.object) {
                Some(Object::Key(key)) if key.primary => "primary_key",
                _ => "unique",
            },
            Kind::Exclusion => "exclusions",
            Kind::Index => "indexes",
            Kind::View => "views",
            Kind::MaterializedView => "materialized_views",
            Kind::Statistics => "statistics",
            Kind::ForeignKey => "foreign_keys",
            Kind::Trigger => "triggers",
            Kind::CopiedTrigger => "inherited_triggers",
            Kind::Policy => "policies",
            Kind::Rule => "rules",
            _ => "others",
        }
    }
}

/// The text of a file.
pub fn text(map: &Map) -> String {
    format::file(map)
}

/// What an object is, in PostgreSQL's words.
fn what_is(id: ObjectId, catalog: &Catalog) -> &'static str {
    match catalog.get(id).map(|entry| &entry.object) {
        Some(Object::Unmodelled(opaque)) => opaque.what.as_str(),
        _ => id.kind().word(),
    }
}

#[cfg(test)]
mod tests;
