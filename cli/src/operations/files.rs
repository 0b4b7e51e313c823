//! What is done to the files of a project and to nothing else: their shape, and a first project.

use super::{ASSUMED, Failure, Report, outside};
use schemac_compiler::connect::connect;
use schemac_compiler::load;
use schemac_schema::ident::Ident;
use schemac_schema::layout::{Laid, layout};
use schemac_schema::spec::json_schema::{Kind, json_schema};
use schemac_schema::write::{self, Map, Node};
use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};

/// What became of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Formatted {
    /// It has its shape already.
    Kept,
    /// It got its shape, or would.
    Changed,
    /// It would not be read as the same.
    Refused,
}

/// Gives files their shape; without names, those of the project. With `check` nothing is written.
pub fn format(dir: &Path, files: &[PathBuf], check: bool) -> Result<Vec<(PathBuf, Formatted)>, Failure> {
    let files = if files.is_empty() {
        load::files_of(dir).map_err(|failure| {
            Failure::Project(Report { sources: failure.sources, diagnostics: failure.diagnostics })
        })?
    } else {
        files.to_vec()
    };
    let schemas = [json_schema(Kind::Domain), json_schema(Kind::Project)];
    let (mut report, mut texts, mut done) = (Report::default(), Vec::new(), Vec::new());
    for path in files {
        let text = match load::read_text(&path) {
            Ok(text) => text,
            Err(error) => {
                report.diagnostics.push(error);
                continue;
            }
        };
        let is_project = path.file_name().is_some_and(|name| name == load::PROJECT_FILE);
        let kind = if is_project { Kind::Project } else { Kind::Domain };
        let file = report.sources.add(path.display().to_string(), text.as_str());
        match layout(&report.sources, file, kind, &schemas[usize::from(is_project)]) {
            Ok(Laid::Out(new)) if new == text => done.push((path, Formatted::Kept)),
            Ok(Laid::Out(new)) => {
                texts.push((path.clone(), new));
                done.push((path, Formatted::Changed));
            }
            Ok(Laid::Refused) => done.push((path, Formatted::Refused)),
            Err(error) => report.diagnostics.push(error),
        }
    }
    // All or nothing: a file with an error leaves the others as they are.
    if !report.diagnostics.is_empty() {
        return Err(Failure::Project(report));
    }
    for (path, text) in texts.iter().filter(|_| !check) {
        fs::write(path, text)
            .map_err(|error| outside(&format!("{} cannot be written: {error}", path.display()), None))?;
    }
    Ok(done)
}

/// A project that was begun.
#[derive(Debug)]
pub struct Begun {
    /// The files that were written.
    pub files: Vec<PathBuf>,
    /// The oldest major version of the server that it is for.
    pub version: u32,
}

/// Writes a first project. A URL tells the version; without one it is an old one that is still widely used.
pub fn init(dir: &Path, url: Option<&str>, domain: &str) -> Result<Begun, Failure> {
    let version = match url {
        Some(url) => connect(Some(url))?.version,
        None => ASSUMED,
    };
    let domain = Ident::new(domain);
    let file: String =
        domain.as_str().chars().map(|c| if c.is_alphanumeric() || c == '_' { c } else { '_' }).collect();
    let paths = [dir.join(load::PROJECT_FILE), dir.join("schema").join(format!("{file}.yaml"))];
    if let Some(there) = paths.iter().find(|path| path.exists()) {
        let help = "name another folder with --dir; `schemac check` tells whether this one is right";
        return Err(outside(
            &format!("{} is there already; nothing was written", there.display()),
            Some(help),
        ));
    }
    let mut head = Map::keys();
    head.set("domain", Node::Text(domain.as_str().to_owned()));
    let head = write::text(&head);
    let texts = [
        format!(
            "# The project: what it is for and where its files are. docs/language.md describes every key.\n\
             postgres: {version}\nsources: [schema/]\nsearch_path: [public]\n\
             # What no file declares stays, and is named: keep | report | drop\nundeclared: report\n"
        ),
        format!(
            "{head}\n# A table, for a start:\n#\n# tables:\n#   users:\n#     columns:\n\
             #       id: bigint generated always as identity primary key\n#       email: text not null unique\n"
        ),
    ];
    for (path, text) in paths.iter().zip(&texts) {
        let folder = path.parent().unwrap_or(dir);
        // Never replaces a file that somebody else makes meanwhile.
        let written = fs::create_dir_all(folder)
            .and_then(|()| OpenOptions::new().write(true).create_new(true).open(path))
            .and_then(|mut file| file.write_all(text.as_bytes()));
        written.map_err(|error| outside(&format!("{} cannot be written: {error}", path.display()), None))?;
    }
    // What it wrote is a project, whatever the domain is called.
    load::load(dir, version).map_err(|failure| {
        for path in &paths {
            // Only what was written above.
            let _ = fs::remove_file(path);
        }
        Failure::Project(Report { sources: failure.sources, diagnostics: failure.diagnostics })
    })?;
    Ok(Begun { files: paths.into(), version })
}
