//! The invariants of ARCHITECTURE.md that can be read off the source.

use std::fs;
use std::path::{Path, PathBuf};

use schemac_schema::object::Kind;
use schemac_tests::repository;

fn sources(folder: &str) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    let mut open = vec![repository().join(folder)];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push((path.clone(), fs::read_to_string(&path).expect("a source file")));
            }
        }
    }
    assert!(!found.is_empty(), "no sources in {folder}");
    found.sort();
    found
}

/// A file's code without its tests.
fn code(text: &str) -> &str {
    text.split("#[cfg(test)]").next().unwrap_or(text)
}

fn complain(what: &str, places: &[String]) {
    assert!(places.is_empty(), "{what}:\n{}", places.join("\n"));
}

fn places(folder: &str, wrong: impl Fn(&Path, &str) -> bool) -> Vec<String> {
    let mut places = Vec::new();
    for (path, text) in sources(folder) {
        for (number, line) in code(&text).lines().enumerate() {
            if !line.trim_start().starts_with("//") && wrong(&path, line) {
                places.push(format!("{}:{}: {}", path.display(), number + 1, line.trim()));
            }
        }
    }
    places
}

#[test]
fn the_schema_does_no_io() {
    let wrong = ["std::fs", "std::net", "std::process", "std::env", "postgres::"];
    complain(
        "schema/ does IO",
        &places("schema/src", |_, line| wrong.iter().any(|word| line.contains(word))),
    );
}

#[test]
fn arrows_run_one_way() {
    complain(
        "schema/ knows the compiler",
        &places("schema/src", |_, line| line.contains("schemac_compiler")),
    );
    for folder in ["schema", "compiler"] {
        let manifest = fs::read_to_string(repository().join(folder).join("Cargo.toml")).expect("a manifest");
        assert!(!manifest.contains("clap"), "{folder}/ talks to people");
    }
}

#[test]
fn the_compiler_names_no_kind() {
    let names_a_kind = |path: &Path, line: &str| {
        !path.ends_with("tests.rs")
            && ["Kind::", "Object::"].iter().any(|prefix| {
                line.match_indices(prefix).any(|(at, _)| {
                    let before = line[..at].chars().next_back();
                    let word: String =
                        line[at + prefix.len()..].chars().take_while(|c| c.is_ascii_alphanumeric()).collect();
                    !before.is_some_and(|c| c.is_ascii_alphanumeric())
                        && Kind::ALL.iter().any(|kind| format!("{kind:?}") == word)
                })
            })
    };
    complain(
        "the compiler names a kind; what it knows of it belongs beside the kinds",
        &places("compiler/src", names_a_kind),
    );
}

#[test]
fn pg_query_has_one_door() {
    let elsewhere =
        |path: &Path, line: &str| line.contains("pg_query::") && !path.ends_with("schema/src/parse.rs");
    complain("pg_query is used outside of parse.rs", &places("schema/src", elsewhere));
    complain(
        "pg_query is used in the compiler",
        &places("compiler/src", |_, line| line.contains("pg_query::")),
    );
}

#[test]
fn quotes_are_doubled_in_one_place() {
    // Whoever doubles quotes is quoting.
    let doubles = |path: &Path, line: &str| {
        // YAML has quotes of its own.
        let of_yaml =
            path.components().any(|part| ["yaml", "write"].iter().any(|one| part.as_os_str() == *one));
        !path.ends_with("schema/src/sql.rs")
            && !of_yaml
            && line.contains("replace(")
            && (line.contains(r#"\"\""#) || line.contains("\"''\"") || line.contains(r#"""""#))
    };
    for folder in ["schema/src", "compiler/src", "cli/src"] {
        complain("names or literals are quoted outside of sql.rs", &places(folder, doubles));
    }
}

#[test]
fn no_plan_can_cascade() {
    let cascades = |_: &Path, line: &str| {
        line.contains("CASCADE") && line.contains("kw(") && !line.contains("\"CASCADE\"")
            || line.contains("DROP") && line.contains("CASCADE")
    };
    complain("CASCADE is written", &places("schema/src/kinds", cascades));
}

#[test]
fn files_say_what_they_are_for_and_stay_small() {
    let mut wrong = Vec::new();
    for folder in ["schema/src", "compiler/src", "cli/src", "tests/src", "tests/tests"] {
        for (path, text) in sources(folder) {
            if !text.starts_with("//!") {
                wrong.push(format!("{} does not begin with //!", path.display()));
            }
            let lines = text.lines().count();
            if lines > 700 {
                wrong.push(format!("{} has {lines} lines", path.display()));
            }
        }
    }
    complain("files", &wrong);
}

#[test]
fn nothing_names_this_machine() {
    let mut wrong = Vec::new();
    for folder in ["schema", "compiler", "cli", "tests", "docs", "script", "fixtures", ".ci"] {
        let mut open = vec![repository().join(folder)];
        while let Some(folder) = open.pop() {
            for path in fs::read_dir(&folder).into_iter().flatten().flatten().map(|entry| entry.path()) {
                if path.is_dir() {
                    open.push(path);
                } else if let Ok(text) = fs::read_to_string(&path) {
                    // Spelled in two parts, so that this file does not name it.
                    if text.contains(concat!("/wo", "rk/")) {
                        wrong.push(path.display().to_string());
                    }
                }
            }
        }
    }
    complain("paths of a developer's machine", &wrong);
}
