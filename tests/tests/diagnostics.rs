//! What is said about wrong input, word for word: `fixtures/diagnostics/<CODE>-<what>.md`, at least one for each code.
//!
//! A fixture is a sentence, the files of a project (`yaml` blocks, `sql` blocks for files of SQL, with `crlf`, `bom` or `latin1` for how they are saved; a first line
//! `# file: path` or `-- file: path` says where it is, `schema/app.yaml` otherwise), and all that the program prints
//! (`text`), standard error first. `command:` is what runs, `check` when it does not say. With a block `sql setup`
//! there is a database (`server:` says of which version), in which the superuser ran it; `sql meanwhile` runs between
//! the first command and the second.
//! Beside a plan, `text has` holds lines of it. Expectations were read line by line before they were kept.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use schemac_schema::code::Code;
use schemac_tests::product::{self, Run};
use schemac_tests::servers::{self, As};
use schemac_tests::{Result, repository, unified_diff};

const PROJECT: &str = "\
postgres: 15
sources: [schema/]
search_path: [public, extensions]
external:
  schemas: [ext]
  roles: [anon, authenticated, service_role]
";

/// The server that the ones with a database need when they do not say.
const MAJOR: u32 = 15;

struct Fixture {
    name: String,
    files: Vec<(String, Vec<u8>)>,
    commands: Vec<String>,
    major: u32,
    setup: Option<String>,
    meanwhile: Option<String>,
    expected: String,
    has: Vec<String>,
}

impl Fixture {
    fn says(&self, code: Code) -> bool {
        self.expected.contains(code.id()) || self.has.iter().any(|line| line.contains(code.id()))
    }
}

fn fixtures() -> Vec<Fixture> {
    let folder = repository().join("fixtures/diagnostics");
    let mut paths: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths
        .iter()
        .map(|path| fixture(path).unwrap_or_else(|error| panic!("{}: {error}", path.display())))
        .collect()
}

fn fixture(path: &Path) -> Result<Fixture> {
    let text = fs::read_to_string(path)?;
    let mut fixture = Fixture {
        name: path.file_stem().unwrap_or_default().to_string_lossy().into_owned(),
        files: Vec::new(),
        commands: Vec::new(),
        major: MAJOR,
        setup: None,
        meanwhile: None,
        expected: String::new(),
        has: Vec::new(),
    };
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        if let Some(command) = line.strip_prefix("command: ") {
            fixture.commands.push(command.to_owned());
        }
        if let Some(major) = line.strip_prefix("server: ") {
            fixture.major = major.parse()?;
        }
        let Some(info) = line.strip_prefix("```") else { continue };
        let mut block = String::new();
        for line in lines.by_ref().take_while(|line| *line != "```") {
            block.push_str(line);
            block.push('\n');
        }
        match info {
            "text" => fixture.expected = block,
            "text has" => fixture.has = block.lines().map(str::to_owned).collect(),
            "sql setup" => fixture.setup = Some(block),
            "sql meanwhile" => fixture.meanwhile = Some(block),
            _ => {
                let first = block.lines().next().unwrap_or_default();
                let path = first.strip_prefix("# file: ").or(first.strip_prefix("-- file: "));
                let default = if info == "json" { "plan.json" } else { "schema/app.yaml" };
                let path = path.unwrap_or(default).to_owned();
                fixture.files.push((path, bytes(&block, info)));
            }
        }
    }
    if fixture.commands.is_empty() {
        fixture.commands.push("check".into());
    }
    Ok(fixture)
}

/// A file as it is saved: `yaml crlf`, `yaml bom` and `sql latin1` say how.
fn bytes(text: &str, info: &str) -> Vec<u8> {
    let mut bytes = text.as_bytes().to_vec();
    for word in info.split_whitespace().skip(1) {
        bytes = match word {
            "crlf" => String::from_utf8_lossy(&bytes).replace('\n', "\r\n").into_bytes(),
            "bom" => [b"\xef\xbb\xbf".as_slice(), &bytes].concat(),
            "latin1" => text.chars().map(|c| u8::try_from(u32::from(c)).unwrap_or(b'?')).collect(),
            other => panic!("no way of saving is called {other}"),
        };
    }
    bytes
}

/// A folder that goes away.
struct Folder(PathBuf);

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn printed(fixture: &Fixture) -> Result<Option<String>> {
    let path = format!("schemac-diagnostics-{}-{}", std::process::id(), fixture.name);
    let folder = Folder(std::env::temp_dir().join(path));
    fs::create_dir_all(folder.0.join("schema"))?;
    fs::write(folder.0.join("schemac.yaml"), PROJECT)?;
    for (path, text) in &fixture.files {
        let path = folder.0.join(path);
        fs::create_dir_all(path.parent().unwrap_or(&folder.0))?;
        fs::write(path, text)?;
    }
    let server = match fixture.setup.is_some() {
        true => match servers::get(fixture.major) {
            Some(server) => Some(server),
            None => return Ok(None),
        },
        false => None,
    };
    let database = server.map(|server| server.database());
    if let (Some(database), Some(setup)) = (&database, &fixture.setup) {
        database.psql(As::Superuser, setup)?;
    }
    let mut last = None;
    for (index, command) in fixture.commands.iter().enumerate() {
        if let (1, Some(database), Some(meanwhile)) = (index, &database, &fixture.meanwhile) {
            database.psql(As::Superuser, meanwhile)?;
        }
        let words: Vec<&str> = command.split_whitespace().collect();
        let mut run = product::bare(&words);
        run.current_dir(&folder.0);
        if let Some(database) = &database {
            run.env("DATABASE_URL", database.url_as_owner());
        }
        last = Some(product::finish(run)?);
    }
    Ok(last.map(|Run { stdout, stderr, .. }| format!("{stderr}{stdout}")))
}

#[test]
fn what_is_said_is_said_word_for_word() {
    let (mut failures, mut count) = (String::new(), 0);
    let fixtures = fixtures();
    for fixture in &fixtures {
        match printed(fixture) {
            Ok(None) => {}
            Ok(Some(actual)) => {
                count += 1;
                let missing = fixture.has.iter().find(|line| !actual.contains(line.as_str()));
                let difference = match missing {
                    Some(line) => format!("nothing says {line:?}\n{actual}"),
                    None if fixture.has.is_empty() => {
                        unified_diff(&fixture.expected, &actual, "expected", "printed")
                    }
                    None => String::new(),
                };
                if !difference.is_empty() {
                    let _ = writeln!(failures, "=== {}\n{difference}", fixture.name);
                }
            }
            Err(error) => {
                let _ = writeln!(failures, "=== {}: {error}", fixture.name);
            }
        }
    }
    assert!(failures.is_empty(), "{failures}");
    assert!(count > 80, "only {count}");
}

#[test]
fn every_code_has_a_fixture() {
    let fixtures = fixtures();
    for code in Code::all() {
        let own = fixtures.iter().filter(|fixture| fixture.name.starts_with(&format!("{code}-")));
        let shown = own.filter(|fixture| fixture.says(*code)).count();
        assert!(shown > 0, "no fixture shows {code} ({})", code.title());
    }
    for fixture in &fixtures {
        let code = fixture.name.split('-').next().unwrap_or_default();
        assert!(
            Code::find(code).is_some_and(|code| fixture.says(code)),
            "{} does not show its code",
            fixture.name
        );
    }
}
