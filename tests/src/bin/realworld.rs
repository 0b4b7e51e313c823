//! Runs real databases through an import: loads each sub-folder's SQL, imports it, compares the import with the
//! database that it came from, builds it anew and compares the dumps. One line for each; details with `--verbose`.
//!
//! A sub-folder is a database when it has `.sql` files and a `meta.json`; what the latter asks for
//! (`needs_supabase_prelude`, `before`) is loaded first. The folder is an argument: nothing of it belongs to schemac.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use schemac_tests::servers::{self, As, Database};
use schemac_tests::{Result, dump, product};

struct Wishes {
    folder: PathBuf,
    only: Vec<String>,
    major: u32,
    verbose: bool,
}

fn main() -> ExitCode {
    let mut wishes = Wishes { folder: PathBuf::new(), only: Vec::new(), major: 18, verbose: false };
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--verbose" => wishes.verbose = true,
            "--version" => wishes.major = arguments.next().and_then(|text| text.parse().ok()).unwrap_or(18),
            _ if wishes.folder.as_os_str().is_empty() => wishes.folder = argument.into(),
            _ => wishes.only.push(argument),
        }
    }
    let Ok(folders) = folders(&wishes) else {
        eprintln!("usage: script/realworld FOLDER [--version 18] [--verbose] [NAME …]");
        return ExitCode::FAILURE;
    };
    let mut well = true;
    for folder in folders {
        let name = folder.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let found = one(&wishes, &folder).unwrap_or_else(|error| vec![("failed".into(), error.to_string())]);
        well &= found.is_empty();
        let words: Vec<&str> = found.iter().map(|(what, _)| what.as_str()).collect();
        println!("{name:<24} {}", if words.is_empty() { "ok".to_owned() } else { words.join("; ") });
        for (_, detail) in found.iter().filter(|_| wishes.verbose) {
            println!("{detail}\n");
        }
    }
    if well { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn folders(wishes: &Wishes) -> Result<Vec<PathBuf>> {
    let mut folders: Vec<PathBuf> =
        fs::read_dir(&wishes.folder)?.flatten().map(|entry| entry.path()).collect();
    folders.retain(|path| path.join("meta.json").is_file());
    let named =
        |path: &Path| wishes.only.iter().any(|name| path.file_name().is_some_and(|own| own == name.as_str()));
    folders.retain(|path| wishes.only.is_empty() || named(path));
    folders.sort();
    Ok(folders)
}

/// What does not work, in a word and in full.
fn one(wishes: &Wishes, folder: &Path) -> Result<Vec<(String, String)>> {
    let server = servers::get(wishes.major).ok_or("this version of PostgreSQL is not here")?;
    let meta = fs::read_to_string(folder.join("meta.json"))?;
    let supabase = meta.contains("\"needs_supabase_prelude\": true");
    let prepare = |database: &Database<'_>| -> Result<()> {
        if database.major() < 15 {
            // As every other new database has it, so that a dump that says so changes nothing.
            database.execute_as(As::Superuser, "ALTER SCHEMA public OWNER TO CURRENT_USER")?;
        }
        if supabase {
            database.psql_file(As::Superuser, wishes.folder.join("supabase_prelude.sql"))?;
        }
        Ok(())
    };
    let original = server.database();
    prepare(&original)?;
    load(&original, folder)?;
    let out =
        std::env::temp_dir().join(format!("schemac-realworld-{}-{}", std::process::id(), original.name()));
    let found = compare(&original, supabase, &prepare, &out);
    let _ = fs::remove_dir_all(&out);
    found
}

fn load(database: &Database<'_>, folder: &Path) -> Result<()> {
    let mut files: Vec<PathBuf> = fs::read_dir(folder)?.flatten().map(|entry| entry.path()).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "sql"));
    files.sort();
    for file in files {
        let text = fs::read_to_string(&file)?;
        // A database of its own is not made, and nobody connects to another one.
        let about_databases = |line: &&str| {
            let line = line.trim_start().to_ascii_lowercase();
            line.starts_with("\\c ")
                || line.starts_with("create database")
                || line.starts_with("drop database")
        };
        let script: Vec<&str> = text.lines().filter(|line| !about_databases(line)).collect();
        database.psql(As::Superuser, &script.join("\n"))?;
    }
    Ok(())
}

fn compare(
    original: &Database<'_>,
    supabase: bool,
    prepare: &dyn Fn(&Database<'_>) -> Result<()>,
    out: &Path,
) -> Result<Vec<(String, String)>> {
    let mut found = Vec::new();
    let folder = out.to_string_lossy().into_owned();
    let mut arguments = vec!["import", "--out", &folder];
    if supabase {
        arguments.extend(["--profile", "supabase"]);
    }
    let mut command = product::bare(&arguments);
    command.env("DATABASE_URL", original.url_as_superuser());
    let run = product::finish(command)?;
    let missing = run.stderr.lines().filter(|line| line.starts_with("warning: not in the files")).count();
    if run.code != 0 {
        return Ok(vec![("import fails".into(), run.all())]);
    }
    if missing > 0 {
        found.push((format!("{missing} not in the files"), run.stderr.clone()));
    }
    let run = product::run(out, &original.url_as_superuser(), &["diff", "--exit-code"])?;
    if run.code != 0 {
        found.push(("own diff is not empty".into(), run.all()));
    }
    let fresh = original.server().database();
    prepare(&fresh)?;
    let run = product::run(out, &fresh.url_as_superuser(), &["apply", "--yes"])?;
    if run.code != 0 {
        found.push(("cannot be built".into(), run.all()));
        return Ok(found);
    }
    // PostgreSQL does not always read its own words as it wrote them: what counts is what its own dump would restore.
    let restored = original.restored()?;
    let difference = dump::difference(&restored.dump(), &fresh.dump());
    let lines = difference.lines().filter(|line| line.starts_with(['+', '-'])).count();
    if lines > 0 {
        found.push((format!("the dumps differ in {lines} lines"), difference));
    }
    Ok(found)
}
