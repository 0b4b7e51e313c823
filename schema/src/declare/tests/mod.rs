//! From YAML to objects, form by form, and where the caret stands when one is wrong.

mod columns;
mod facades;
mod mixins;
mod parts;

use super::{Declared, declare};
use crate::catalog::Catalog;
use crate::diagnostic::Severity;
use crate::id::ObjectId;
use crate::ident::{Ident, QName};
use crate::object::{Kind, Object};
use crate::span::Sources;
use crate::spec::read_domain;

/// Declares files for version 15, with `auth` external.
fn project(files: &[&str]) -> (Declared, Sources) {
    for_version(files, 15)
}

fn for_version(files: &[&str], version: u32) -> (Declared, Sources) {
    let mut sources = Sources::new();
    let mut domains = Vec::new();
    for (index, text) in files.iter().enumerate() {
        let file = sources.add(format!("{index}.yaml"), *text);
        let read = read_domain(&sources, file);
        domains.push(read.unwrap_or_else(|error| panic!("{}", error.render(&sources, false))));
    }
    let mut declared = declare(&domains, version, &[Ident::new("auth")].into());
    // What is said when nobody binds.
    declared.diagnostics.extend(super::frame::all_unreadable(&mut declared.catalog));
    (declared, sources)
}

/// The catalog of files that have no errors.
fn catalog(files: &[&str]) -> Catalog {
    let (declared, sources) = project(files);
    let errors = declared.diagnostics.iter().filter(|found| found.severity == Severity::Error);
    let errors: String = errors.map(|error| error.render(&sources, false)).collect();
    assert!(errors.is_empty(), "{errors}");
    declared.catalog
}

/// Every diagnostic of files, as people see them.
fn complaints(files: &[&str]) -> String {
    let (declared, sources) = project(files);
    declared.diagnostics.iter().map(|found| found.render(&sources, false)).collect::<Vec<_>>().join("\n")
}

/// A domain `app` with one table `t` whose entry is `body`, indented by four.
fn table(body: &str) -> String {
    let lines: Vec<String> = body.lines().map(|line| format!("    {line}\n")).collect();
    format!("domain: app\ntables:\n  t:\n{}", lines.concat())
}

/// The catalog of such a table.
fn one(body: &str) -> Catalog {
    catalog(&[&table(body)])
}

/// Asserts a message and that its carets stand under what `marked` has in «».
#[track_caller]
fn caret(body: &str, message: &str, marked: &str) {
    let shown = complaints(&[&table(body)]);
    assert!(shown.contains(message), "{message}\n{shown}");
    let source = marked.replace(['«', '»'], "");
    let lines: Vec<&str> =
        shown.lines().map(|line| line.split_once("| ").map_or("", |(_, rest)| rest)).collect();
    let found = lines.windows(2).find(|pair| pair[0].trim() == source.trim_end());
    let pair = found.unwrap_or_else(|| panic!("no line {source:?} in\n{shown}"));
    let indent = pair[0].len() - pair[0].trim_start().len();
    let (before, rest) = marked.split_once('«').expect("a mark");
    let width = rest.split_once('»').expect("its end").0.chars().count();
    let expected = format!("{}{}", " ".repeat(indent + before.chars().count()), "^".repeat(width.max(1)));
    assert_eq!(pair[1], expected, "\n{shown}");
}

fn t() -> ObjectId {
    ObjectId::in_schema(Kind::Table, QName::new("app", "t"))
}

fn column(name: &str) -> ObjectId {
    ObjectId::on(Kind::Column, t(), name)
}

fn get(catalog: &Catalog, id: ObjectId) -> &Object {
    &catalog.get(id).unwrap_or_else(|| panic!("no {id} in {:?}", catalog.ids().collect::<Vec<_>>())).object
}

/// An object's own type out of its enum.
macro_rules! object {
    ($catalog:expr, $kind:ident, $id:expr) => {
        match $crate::declare::tests::get(&$catalog, $id) {
            $crate::object::Object::$kind(object) => object.clone(),
            other => panic!("{other:?}"),
        }
    };
}
use object;
