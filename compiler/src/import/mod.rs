//! A live database into a project's files.
//!
//! What is written is read back at once, and each object compared with the one that it came from: what the files do
//! not say, or say differently, is listed by name, so that nothing is missed silently. Nothing is stored here.

mod heads;
mod readback;
mod sort;
mod spelling;

use crate::connect::Connection;
use crate::introspect::{self, Reading};
use crate::load::profile;
use crate::relocate;
use schemac_schema::catalog::{Catalog, Entry, Standing};
use schemac_schema::diagnostic::Diagnostic;
use schemac_schema::id::ObjectId;
use schemac_schema::ident::{Ident, QName};
use schemac_schema::kinds;
use schemac_schema::spec::RuleSpec;
use schemac_schema::spec::project::Profile;
use schemac_schema::write::{File, Writer};
use std::collections::{BTreeMap, BTreeSet};

/// What to do beside writing.
#[derive(Debug, Default)]
pub struct Options {
    /// Whose platform it is.
    pub profile: Option<Profile>,
    /// Which tables of `public` go to which domain.
    pub rules: Vec<RuleSpec>,
}

/// A project that was not stored yet.
#[derive(Debug, Default)]
pub struct Imported {
    /// The files by their path in the project's folder.
    pub files: BTreeMap<String, String>,
    /// What the files do not say, in words, by name.
    pub missing: Vec<String>,
    /// The tables that no rule speaks of.
    pub review_needed: Vec<QName>,
    /// The rules that fit no table, as they are written.
    pub unused_rules: Vec<String>,
    /// How many objects were read.
    pub objects: usize,
    /// How many tables go to another schema.
    pub moved: usize,
}

/// Why nothing was imported.
#[derive(Debug)]
pub enum Error {
    /// The database could not be read.
    Read(introspect::Error),
    /// The rules cannot be followed.
    Rules(Vec<Diagnostic>),
}

/// Reads the database of a connection and writes the files that declare it.
///
/// # Errors
/// The database cannot be read, or two tables would get one name.
pub fn import(connection: &mut Connection, options: &Options) -> Result<Imported, Error> {
    let external = profile::preset(options.profile).0;
    let mut reading = introspect::introspect(&mut connection.client, &external).map_err(Error::Read)?;
    let mut catalog = std::mem::take(&mut reading.catalog);
    take_over(&mut catalog, &external);
    let sorted = sort::sort(&catalog, &options.rules);
    let mut diagnostics = Vec::new();
    let relocated = relocate::relocate(catalog, &sorted.moves, &Catalog::default(), &mut diagnostics);
    if !diagnostics.is_empty() {
        return Err(Error::Rules(diagnostics));
    }
    let catalog = &spelling::spelled(&relocated.catalog, reading.server.version);
    let usual = usual_owner(catalog);
    let owners = has_owners(catalog, usual, reading.server.version);
    let mut writer = Writer::write(catalog, reading.server.version, usual, owners);
    for one in &relocated.moves {
        sort::write_move(one, &mut writer);
    }
    let missing = missing(&writer, &reading);
    let mut files = texts(&writer, &missing);
    let mut roles = roles(catalog);
    if owners {
        roles.extend(managed(catalog).filter_map(|(_, entry)| entry.object.owner()));
    }
    let usual = usual.filter(|_| owners);
    let project =
        heads::project(&reading, options, (roles, usual), &sorted.review_needed, missing.is_empty());
    files.insert("schemac.yaml".into(), project);
    let mut missing: Vec<String> = missing.into_values().flatten().collect();
    missing.extend(readback::differences(&files, &writer, reading.server.version, &external));
    Ok(Imported {
        files,
        missing,
        review_needed: sorted.review_needed,
        unused_rules: sorted.unused_rules,
        objects: catalog.iter().filter(|(_, entry)| entry.standing == Standing::Managed).count(),
        moved: relocated.moves.len(),
    })
}

/// The role that owns most objects: the files name owners only where they are others.
fn usual_owner(catalog: &Catalog) -> Option<Ident> {
    let mut owners: BTreeMap<Ident, usize> = BTreeMap::new();
    for owner in managed(catalog).filter_map(|(_, entry)| entry.object.owner()) {
        *owners.entry(owner).or_default() += 1;
    }
    owners
        .into_iter()
        .max_by_key(|(owner, count)| (*count, std::cmp::Reverse(*owner)))
        .map(|(owner, _)| owner)
}

/// Whether objects belong to several roles, so that the files have to say which.
fn has_owners(catalog: &Catalog, usual: Option<Ident>, version: u32) -> bool {
    managed(catalog).any(|(id, entry)| match kinds::first_owner(id, version) {
        Some(first) => first.is_some() && entry.object.owner() != first,
        None => entry.object.owner().is_some_and(|owner| Some(owner) != usual),
    })
}

fn managed(catalog: &Catalog) -> impl Iterator<Item = (ObjectId, &Entry)> {
    catalog.iter().filter(|(_, entry)| entry.standing == Standing::Managed)
}

/// The roles that the files name as grantees or in policies.
fn roles(catalog: &Catalog) -> BTreeSet<Ident> {
    let mut roles = BTreeSet::new();
    for (id, entry) in catalog.iter().filter(|(_, entry)| entry.standing == Standing::Managed) {
        roles.extend(kinds::named_roles(id, &entry.object));
    }
    roles.remove(&Ident::new("public"));
    roles
}

/// What has no form in the language, by the file that it would stand in.
fn missing(writer: &Writer<'_>, reading: &Reading) -> BTreeMap<File, Vec<String>> {
    let mut missing: BTreeMap<File, Vec<String>> = BTreeMap::new();
    let mut add = |id: Option<ObjectId>, text: String| {
        let file = id.and_then(ObjectId::schema).map_or(File::Database, File::Domain);
        missing.entry(file).or_default().push(text);
    };
    for (what, id) in writer.all_missing() {
        let whole = writer.lacks(id);
        let text = match id.kind() {
            kind if kind.is_only_a_name() => id.name().to_string(),
            _ if whole => format!("{what} {}", id.path()),
            _ => format!("{id}: {what}"),
        };
        add(Some(id), text);
    }
    for other in &reading.other_grantors {
        let text =
            format!("{}: {} was given by {}, not by the owner", other.grant, other.privilege, other.grantor);
        add(Some(other.grant), text);
    }
    for text in &reading.unplaced {
        add(None, text.clone());
    }
    missing
}

/// What this project has put on the platform's tables, policies and triggers that call its functions, is its own with
/// all that stands on it. What an extension brought to a table of its own stays the extension's.
fn take_over(catalog: &mut Catalog, external: &BTreeSet<Ident>) {
    let is_managed =
        |id: &ObjectId| catalog.get(id.root()).is_some_and(|entry| entry.standing == Standing::Managed);
    let own: BTreeSet<ObjectId> = catalog
        .iter()
        .filter(|(id, entry)| {
            entry.standing == Standing::External
                && id.schema().is_some_and(|schema| external.contains(&schema))
                && catalog.get(id.root()).is_some_and(|table| {
                    kinds::is_put_on_others(*id, &table.uses, || entry.uses.iter().any(is_managed))
                })
        })
        .map(|(id, _)| id)
        .collect();
    for (id, entry) in catalog.iter_mut() {
        if own.contains(&id) || id.parent().is_some_and(|parent| own.contains(&parent)) {
            entry.standing = Standing::Managed;
        }
    }
}

/// The files of the schema, each with a head that lists what it lacks.
fn texts(writer: &Writer<'_>, missing: &BTreeMap<File, Vec<String>>) -> BTreeMap<String, String> {
    let mut texts = writer.texts();
    for file in missing.keys() {
        texts.entry(*file).or_default();
    }
    let mut files = BTreeMap::new();
    for (file, text) in texts {
        let wanted = match file {
            File::Database => "database".to_owned(),
            File::Domain(name) => heads::file_name(name),
        };
        // Names of files differ where those of schemas do, also where letters have no case.
        let mut path = format!("schema/{wanted}.yaml");
        let mut number = 1;
        while files.keys().any(|known: &String| known.eq_ignore_ascii_case(&path)) {
            number += 1;
            path = format!("schema/{wanted}_{number}.yaml");
        }
        let head = missing.get(&file).map_or(String::new(), |all| heads::of_missing(all));
        files.insert(path, format!("{head}{text}"));
    }
    files
}
