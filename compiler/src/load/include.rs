//! The files of SQL that domains include: found, checked to be of the project, and read, always in the same order.
//!
//! Patterns count from the folder of the file that has them. What they find stays inside of the project's folder, also
//! behind links. What the statements mean is known in `schemac_schema::include`.

use super::files::{read_text, shown};
use glob::{MatchOptions, Pattern};
use schemac_schema::code::Code;
use schemac_schema::diagnostic::Diagnostic;
use schemac_schema::include;
use schemac_schema::span::{Sources, Span};
use schemac_schema::spec::{DomainSpec, Text};
use std::collections::HashMap;
use std::path::{Component, Path, PathBuf};

const OPTIONS: MatchOptions =
    MatchOptions { case_sensitive: true, require_literal_separator: true, require_literal_leading_dot: true };

/// Reads what the domains include into them; each comes with the path of its file. Gives all that is wrong.
pub fn read(dir: &Path, domains: &mut [(PathBuf, DomainSpec)], sources: &mut Sources) -> Vec<Diagnostic> {
    let mut diagnostics = Vec::new();
    let mut known: HashMap<PathBuf, Span> = HashMap::new();
    for (path, domain) in domains {
        let includes = std::mem::take(&mut domain.include);
        if let (Some(first), None) = (includes.first(), &domain.domain) {
            let message = "the file does not say which schema the included files belong to";
            let error = Diagnostic::error(Code::MissingKey, message).at(first.span);
            diagnostics.push(error.help("begin the file with `domain: name_of_the_schema`"));
            continue;
        }
        let mut own: Vec<PathBuf> = Vec::new();
        for pattern in &includes {
            let folder = path.parent().unwrap_or(dir);
            let found = match find(dir, folder, pattern) {
                Ok(found) => found,
                Err(error) => {
                    diagnostics.push(error);
                    continue;
                }
            };
            for (file, real) in found {
                // Two patterns of one file may overlap; a file is read once.
                if own.contains(&real) {
                    continue;
                }
                if let Some(first) = known.get(&real) {
                    let message = format!("`{}` is included twice", shown(&file));
                    let error = Diagnostic::error(Code::TwoOwners, message).at(pattern.span);
                    diagnostics.push(error.label(*first, "the first"));
                    continue;
                }
                known.insert(real.clone(), pattern.span);
                own.push(real);
                match read_text(&file) {
                    Ok(text) => {
                        let id = sources.add(shown(&file), text);
                        diagnostics.extend(include::read(sources, id, domain));
                    }
                    Err(error) => diagnostics.push(error.at(pattern.span)),
                }
            }
        }
    }
    diagnostics
}

/// The files that a pattern means, by name, as they are shown and as they really are.
fn find(dir: &Path, folder: &Path, pattern: &Text) -> Result<Vec<(PathBuf, PathBuf)>, Diagnostic> {
    let error = |code: Code, message: String| Diagnostic::error(code, message).at(pattern.span);
    let outside = || {
        let message = format!("`{}` is outside of the project", pattern.as_str());
        error(Code::OutsideProject, message).help("a project is one folder: move the file into it")
    };
    let written = Path::new(pattern.as_str());
    let within = folder.strip_prefix(dir).unwrap_or(folder);
    let relative = inside(&within.join(written)).filter(|_| !written.is_absolute()).ok_or_else(outside)?;
    if written.extension().and_then(|end| end.to_str()) != Some("sql") {
        let message = format!("`{}` names no files of SQL", pattern.as_str());
        return Err(error(Code::UnknownValue, message).help("write `*.sql`: YAML is listed under `sources:`"));
    }
    let (Some(root), Some(relative)) = (dir.to_str(), relative.to_str()) else {
        return Err(error(
            Code::UnreadableFile,
            format!("`{}` is no path that can be read", pattern.as_str()),
        ));
    };
    let root = if root.is_empty() { "." } else { root };
    let whole = format!("{}/{relative}", Pattern::escape(root.trim_end_matches('/')));
    let paths = glob::glob_with(&whole, OPTIONS).map_err(|wrong| {
        error(Code::UnknownValue, format!("`{}` is no pattern of paths: {}", pattern.as_str(), wrong.msg))
    })?;
    let real_dir = dir.canonicalize().unwrap_or_else(|_| dir.to_owned());
    let mut found = Vec::new();
    for path in paths {
        let path = path.map_err(|wrong| {
            let message = format!("`{}` cannot be read: {}", wrong.path().display(), wrong.error());
            error(Code::UnreadableFile, message)
        })?;
        let unreadable = |wrong: std::io::Error| {
            error(Code::UnreadableFile, format!("`{}` cannot be read: {wrong}", shown(&path)))
        };
        let real = path.canonicalize().map_err(unreadable)?;
        if !real.starts_with(&real_dir) {
            let message = format!("`{}` is a link to a file outside of the project", shown(&path));
            return Err(error(Code::OutsideProject, message).help("move the file into the project's folder"));
        }
        if !real.is_file() {
            let message = format!("`{}` is no file", shown(&path));
            return Err(error(Code::UnreadableFile, message).help("name the files in it: `folder/*.sql`"));
        }
        found.push((path, real));
    }
    if found.is_empty() {
        let whole = shown(&dir.join(relative));
        let message = format!("there is no file `{whole}`");
        let help = "what a missing file declares would be dropped; take the line out if that is meant";
        return Err(error(Code::UnreadableFile, message).help(help));
    }
    Ok(found)
}

/// A path without `.` and `..`; nothing where it leads out.
fn inside(path: &Path) -> Option<PathBuf> {
    let mut clean = PathBuf::new();
    for component in path.components() {
        match component {
            Component::Normal(name) => clean.push(name),
            Component::CurDir => {}
            Component::ParentDir => {
                if !clean.pop() {
                    return None;
                }
            }
            Component::RootDir | Component::Prefix(_) => return None,
        }
    }
    Some(clean)
}
