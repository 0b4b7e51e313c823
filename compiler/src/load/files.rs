//! Finds and reads a project's files, always in the same order.

use schemac_schema::code::Code;
use schemac_schema::diagnostic::Diagnostic;
use schemac_schema::span::{FileId, Sources, Span};
use schemac_schema::spec::{self, ProjectSpec};
use std::io;
use std::path::{Path, PathBuf};

/// The name of the project file.
pub const PROJECT_FILE: &str = "schemac.yaml";

/// Reads the project file.
pub fn project(dir: &Path, sources: &mut Sources) -> Result<ProjectSpec, Diagnostic> {
    let path = dir.join(PROJECT_FILE);
    if !path.exists() {
        let message = format!("there is no {PROJECT_FILE} in `{}`", dir.display());
        return Err(Diagnostic::error(Code::ProjectMissing, message).help(
            "`--dir` names the folder of the project; `schemac init` makes an empty one, `schemac import` one from a database",
        ));
    }
    let text = read_text(&path)?;
    let file = sources.add(shown(&path), text);
    spec::read_project(sources, file)
}

/// Reads every source of the project: files as listed, folders by name, each once.
pub fn sources(
    dir: &Path,
    spec: &ProjectSpec,
    sources: &mut Sources,
    diagnostics: &mut Vec<Diagnostic>,
) -> Vec<(FileId, PathBuf)> {
    let mut found: Vec<PathBuf> = Vec::new();
    let written: Vec<(&str, Option<Span>)> = match spec.sources.as_slice() {
        [] => vec![("schema/", None)],
        some => some.iter().map(|text| (text.as_str(), Some(text.span))).collect(),
    };
    for (source, span) in written {
        let before = found.len();
        if let Err((path, error)) = walk(&dir.join(source), &mut found) {
            let diagnostic = unreadable(&path, &error);
            diagnostics.push(diagnostic.at(span));
        }
        // Two sources may overlap; a file is read once.
        let (known, new) = found.split_at(before);
        let new: Vec<PathBuf> = new.iter().filter(|path| !known.contains(path)).cloned().collect();
        found.truncate(before);
        found.extend(new);
    }
    let mut files = Vec::new();
    for path in found {
        match read_text(&path) {
            Ok(text) => files.push((sources.add(shown(&path), text), path)),
            Err(error) => diagnostics.push(error),
        }
    }
    files
}

/// The YAML files below a path, by name; hidden ones are left out.
fn walk(path: &Path, found: &mut Vec<PathBuf>) -> Result<(), (PathBuf, io::Error)> {
    let failed = |error| (path.to_owned(), error);
    if !std::fs::metadata(path).map_err(failed)?.is_dir() {
        found.push(path.to_owned());
        return Ok(());
    }
    let entries: Result<Vec<_>, _> = std::fs::read_dir(path).map_err(failed)?.collect();
    let mut entries: Vec<PathBuf> = entries.map_err(failed)?.into_iter().map(|entry| entry.path()).collect();
    entries.sort();
    for entry in entries {
        let name = entry.file_name().unwrap_or_default().to_string_lossy();
        let yaml = matches!(entry.extension().and_then(|end| end.to_str()), Some("yaml" | "yml"));
        // A link to a folder could lead back here.
        let folder = std::fs::symlink_metadata(&entry).is_ok_and(|data| data.is_dir());
        if !name.starts_with('.') && name != PROJECT_FILE && (folder || yaml) {
            walk(&entry, found)?;
        }
    }
    Ok(())
}

/// The text of a file.
///
/// # Errors
/// That it cannot be read, or is not UTF-8, and where it is not.
pub fn read_text(path: &Path) -> Result<String, Diagnostic> {
    let bytes = std::fs::read(path).map_err(|error| unreadable(path, &error))?;
    String::from_utf8(bytes).map_err(|error| {
        let valid = error.utf8_error().valid_up_to();
        let bytes = error.as_bytes();
        let line = bytes.iter().take(valid).filter(|byte| **byte == b'\n').count() + 1;
        let byte = bytes.get(valid).copied().unwrap_or(0);
        let message = format!("`{}` is not UTF-8: its line {line} holds the byte 0x{byte:02X}", shown(path));
        Diagnostic::error(Code::UnreadableFile, message).help("save the file as UTF-8")
    })
}

fn unreadable(path: &Path, error: &io::Error) -> Diagnostic {
    Diagnostic::error(Code::UnreadableFile, format!("`{}` cannot be read: {error}", shown(path)))
}

/// A path as it is shown.
pub fn shown(path: &Path) -> String {
    let text = path.display().to_string();
    text.strip_prefix("./").map_or(text.clone(), str::to_owned)
}
