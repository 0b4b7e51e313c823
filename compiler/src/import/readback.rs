//! Reads the files of an import as any project's, and compares what they declare with what was to be written.

use crate::bind::{self, Binding};
use schemac_schema::catalog::{Catalog, Standing};
use schemac_schema::declare;
use schemac_schema::diagnostic::{Diagnostic, Severity};
use schemac_schema::id::ObjectId;
use schemac_schema::ident::{Ident, QName};
use schemac_schema::object::Object;
use schemac_schema::span::Sources;
use schemac_schema::spec;
use schemac_schema::write::Writer;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// What the files say otherwise than the catalog, in words, by name.
pub fn differences(
    files: &BTreeMap<String, String>,
    writer: &Writer<'_>,
    version: u32,
    external: &BTreeSet<Ident>,
) -> Vec<String> {
    let mut sources = Sources::new();
    let (mut domains, mut said) = (Vec::new(), Vec::new());
    for (path, text) in files.iter().filter(|(path, _)| path.starts_with("schema/")) {
        let file = sources.add(path.as_str(), text.as_str());
        match spec::read_domain(&sources, file) {
            Ok(domain) => domains.push(domain),
            Err(error) => said.push(error),
        }
    }
    let mut declared = declare::declare(&domains, version, external);
    said.append(&mut declared.diagnostics);
    let facades: HashMap<QName, ObjectId> = declared.facades.iter().map(|one| (one.name, one.of)).collect();
    let search_path = [Ident::new("pg_catalog")];
    let binding =
        Binding { search_path: &search_path, complete: false, facades: &facades, own: &BTreeSet::new() };
    let mut errors = Vec::new();
    bind::bind(&mut declared.catalog, &binding, &mut errors);
    said.extend(errors);
    let mut differences: Vec<String> =
        said.iter().filter(|one| counts(one)).map(|one| place(one, &sources)).collect();
    differences.extend(objects(&declared.catalog, writer));
    differences
}

fn counts(diagnostic: &Diagnostic) -> bool {
    diagnostic.severity != Severity::Note
}

fn place(diagnostic: &Diagnostic, sources: &Sources) -> String {
    match diagnostic.primary {
        Some(span) => format!("{}: {}", sources.describe(span), diagnostic.message),
        None => diagnostic.message.clone(),
    }
}

fn objects(declared: &Catalog, writer: &Writer<'_>) -> Vec<String> {
    let mut differences = Vec::new();
    for (id, live) in writer.catalog.iter().filter(|(_, entry)| entry.standing == Standing::Managed) {
        if writer.is_left_out(id)
            || writer.lacks(id.root())
            || writer.says_missing(id)
            || is_cloned(&live.object)
        {
            continue;
        }
        match declared.get(id) {
            None => differences.push(format!("{id} is not in the files")),
            Some(entry) => {
                // What files leave alone (an extension's version) is taken over from the database, here as in a diff.
                let mut object = entry.object.clone();
                object.inherit(&live.object);
                if object != live.object {
                    differences.push(format!("{id} is not in the files as it is in the database"));
                }
            }
        }
    }
    differences
}

/// What PostgreSQL makes along with another object is not declared.
fn is_cloned(object: &Object) -> bool {
    object.kind().is_only_a_name()
}
