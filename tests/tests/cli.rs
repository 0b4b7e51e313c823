//! The command line as people and scripts meet it: help, usage errors, exit codes, colours, pipes.

use schemac_schema::code::Code;
use schemac_schema::step::Loss;
use schemac_tests::product::{self, Run};
use schemac_tests::servers::{self, OWNER};
use std::io::Read;
use std::path::PathBuf;
use std::process::Stdio;

const COMMANDS: &[&str] = &[
    "init",
    "check",
    "diff",
    "apply",
    "history",
    "verify",
    "rollback",
    "graph",
    "import",
    "fmt",
    "schema",
    "explain",
    "completions",
];

fn run(arguments: &[&str]) -> Run {
    product::finish(product::bare(arguments)).unwrap()
}

#[test]
fn every_command_has_help_with_examples() {
    let whole = run(&["--help"]);
    assert_eq!(whole.code, 0);
    for word in ["Exit codes:", "DATABASE_URL", "PG*", "Examples:"] {
        assert!(whole.stdout.contains(word), "{word}: {}", whole.stdout);
    }
    for command in COMMANDS {
        assert!(whole.stdout.contains(&format!("\n  {command} ")), "{}", whole.stdout);
        for flag in ["--help", "-h"] {
            let help = run(&[command, flag]);
            assert_eq!(help.code, 0, "{command}");
            assert!(help.stdout.contains(&format!("schemac {command}")), "{}", help.stdout);
            assert!(help.stdout.contains("Examples:"), "{}", help.stdout);
            assert!(help.stdout.lines().all(|line| line.chars().count() <= 100), "{}", help.stdout);
            assert_eq!(help.stderr, "");
        }
    }
}

#[test]
fn wrong_usage_is_exit_code_1_and_never_the_2_that_means_changes() {
    for (arguments, said) in [
        (&["diff", "--formt", "sql"][..], "--format"),
        (&["diff", "--format", "yaml"], "json"),
        (&["frobnicate"], "frobnicate"),
        (&[], "Usage: schemac"),
        (&["apply", "--lock-timeout", "soon"], "such as 500ms"),
        (&["apply", "--retry", "often"], "--retry"),
        (&["completions"], "<SHELL>"),
        (&["diff", "--json", "--format", "sql"], "exclude each other"),
        (&["apply", "--json"], "--yes"),
    ] {
        let result = run(arguments);
        assert_eq!(result.code, 1, "{arguments:?}: {result:?}");
        assert!(format!("{}{}", result.stdout, result.stderr).contains(said), "{arguments:?}: {result:?}");
    }
}

#[test]
fn a_word_that_allow_does_not_know_is_refused_with_the_nearest() {
    for command in ["diff", "apply"] {
        let result = run(&[command, "--allow", "drop-column,drop-tabel"]);
        assert_eq!(result.code, 1, "{result:?}");
        assert!(
            result.stderr.contains("'drop-tabel'") && result.stderr.contains("'drop-table'"),
            "{}",
            result.stderr
        );
        for loss in Loss::ALL {
            assert!(result.stderr.contains(loss.word()), "{}", result.stderr);
        }
        let help = run(&[command, "--help"]).stdout;
        assert!(Loss::ALL.iter().all(|loss| help.contains(&format!("- {}:", loss.word()))), "{help}");
        assert!(help.contains("- all:"), "{help}");
    }
}

#[test]
fn every_code_is_explained() {
    let list = run(&["explain"]);
    assert_eq!((list.code, list.stdout.lines().count()), (0, Code::all().len()));
    for code in Code::all() {
        assert!(list.stdout.contains(&format!("{code}  {}\n", code.title())), "{code}");
        let one = run(&["explain", code.id()]);
        assert_eq!(one.code, 0);
        assert_eq!(one.stdout, format!("{code}: {}\n\n{}\n", code.title(), code.explanation()));
    }
    assert_eq!(run(&["explain", "sc0103"]).stdout, run(&["explain", "103"]).stdout);
    let json = run(&["explain", "SC0103", "--json"]);
    assert!(json.stdout.starts_with('{') && json.stdout.contains("\"code\": \"SC0103\""), "{}", json.stdout);
    let unknown = run(&["explain", "SC9999"]);
    assert_eq!((unknown.code, unknown.stdout.as_str()), (1, ""));
    assert!(
        unknown.stderr.contains("SC9999") && unknown.stderr.contains("schemac explain"),
        "{}",
        unknown.stderr
    );
}

#[test]
fn shells_get_their_completions() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let result = run(&["completions", shell]);
        assert_eq!(result.code, 0, "{result:?}");
        assert!(COMMANDS.iter().all(|command| result.stdout.contains(command)), "{shell}");
    }
}

#[test]
fn the_version_is_that_of_the_workspace() {
    assert_eq!(run(&["--version"]).stdout, format!("schemac {}\n", env!("CARGO_PKG_VERSION")));
}

#[test]
fn colours_come_only_when_asked_for() {
    for (arguments, coloured) in [
        (&["explain", "SC9999"][..], false),
        (&["explain", "SC9999", "--color", "never"], false),
        (&["explain", "SC9999", "--color", "always"], true),
        (&["--color=always", "--help"], true),
        (&["--help"], false),
        (&["--color=always", "--nonsense"], true),
        (&["--color=never", "--nonsense"], false),
    ] {
        let result = run(arguments);
        let escaped = result.stdout.contains('\x1b') || result.stderr.contains('\x1b');
        assert_eq!(escaped, coloured, "{arguments:?}: {result:?}");
    }
}

#[test]
fn a_reader_who_goes_away_is_no_error() {
    let mut child = product::bare(&["completions", "bash"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let mut said = String::new();
    child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
    assert_eq!((child.wait().unwrap().code(), said.as_str()), (Some(0), ""));
}

#[test]
fn an_output_that_cannot_be_written_is_an_error() {
    let Ok(full) = std::fs::OpenOptions::new().write(true).open("/dev/full") else { return };
    let result = product::bare(&["explain"]).stdout(full).output().unwrap();
    assert_eq!(result.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&result.stderr).contains("cannot write the output"));
}

/// A folder that goes away.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("schemac-cli-{}-{name}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn run(&self, arguments: &[&str]) -> Run {
        let mut command = product::bare(arguments);
        command.current_dir(&self.0);
        product::finish(command).unwrap()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[test]
fn init_begins_a_project_that_check_takes_and_never_replaces_one() {
    let folder = Folder::new("init");
    for (dir, domain) in [("a", "app"), ("b", "Strange \"name\": 'x' #"), ("c", "on"), ("d", "a.b")] {
        let made = folder.run(&["init", "--dir", dir, "--domain", domain]);
        assert_eq!(made.code, 0, "{made:?}");
        let checked = folder.run(&["check", "--dir", dir]);
        assert_eq!(
            (checked.code, checked.stdout.as_str()),
            (0, "1 object in 2 files, no errors\n"),
            "{checked:?}"
        );
        let shaped = folder.run(&["fmt", "--check", "--dir", dir]);
        assert_eq!(shaped.code, 0, "{shaped:?}");
    }
    std::fs::write(folder.0.join("a/schemac.yaml"), "postgres: 17\n").unwrap();
    let again = folder.run(&["init", "--dir", "a"]);
    assert!(again.code == 1 && again.stderr.contains("is there already"), "{again:?}");
    assert_eq!(std::fs::read_to_string(folder.0.join("a/schemac.yaml")).unwrap(), "postgres: 17\n");
    let long = "x".repeat(64);
    let refused = folder.run(&["init", "--dir", "e", "--domain", &long]);
    assert!(refused.code == 1 && refused.stderr.contains("SC0311"), "{refused:?}");
    assert!(!folder.0.join("e/schemac.yaml").exists());
}

#[test]
fn fmt_writes_only_what_is_read_as_the_same_and_check_writes_nothing() {
    let folder = Folder::new("fmt");
    assert_eq!(folder.run(&["init"]).code, 0);
    let path = folder.0.join("schema/app.yaml");
    let before = "domain: app\ntables:\n    t:\n        columns:\n            # first\n            a: int   # one\n        comment: T\n";
    let after =
        "domain: app\ntables:\n  t:\n    comment: T\n    columns:\n      # first\n      a: int   # one\n";
    std::fs::write(&path, before).unwrap();
    let wrong = folder.run(&["fmt"]);
    assert!(wrong.code == 1 && wrong.stderr.contains("SC0204"), "SQL has no comment on its line: {wrong:?}");
    let (before, after) = (before.replace("   # one", ""), after.replace("   # one", ""));
    std::fs::write(&path, &before).unwrap();
    let told = folder.run(&["fmt", "--check"]);
    assert_eq!((told.code, told.stdout.as_str()), (2, "would change ./schema/app.yaml\n"), "{told:?}");
    assert_eq!(std::fs::read_to_string(&path).unwrap(), before);
    let json = folder.run(&["fmt", "--check", "--json"]);
    assert!(json.code == 2 && json.stdout.contains("\"changed\""), "{json:?}");
    assert_eq!(folder.run(&["fmt"]).code, 0);
    assert_eq!(std::fs::read_to_string(&path).unwrap(), after);
    assert_eq!(folder.run(&["fmt"]).stdout, "2 files, nothing to change\n");
    assert_eq!(folder.run(&["fmt", "nowhere.yaml"]).code, 1);
}

#[test]
fn schema_prints_a_json_schema_for_each_kind_of_file() {
    for kind in ["domain", "project", "rules"] {
        let printed = run(&["schema", kind]);
        let value: serde_json::Value = serde_json::from_str(&printed.stdout).unwrap();
        assert_eq!(value["$schema"], "https://json-schema.org/draft/2020-12/schema", "{kind}");
    }
    assert_eq!(run(&["schema"]).stdout, run(&["schema", "domain"]).stdout);
}

/// Each trouble with a connection is one clear error, in both forms, and nobody sees the password.
#[test]
fn who_cannot_connect_hears_why_without_the_password() {
    let folder = Folder::new("connect");
    assert_eq!(folder.run(&["init"]).code, 0);
    let mut urls = vec![
        ("postgres://me:hunter2@127.0.0.1:1/app".to_owned(), "127.0.0.1:1"),
        ("postgres://me:hunter2@nowhere.invalid/app".to_owned(), "nowhere.invalid"),
        ("postgres://me:hunter2@127.0.0.1:notaport/app".to_owned(), "port"),
        ("mysql://me:hunter2@127.0.0.1/app".to_owned(), "postgres://"),
        ("postgres://me:hunter2@127.0.0.1:1/app?sslmode=maybe".to_owned(), "sslmode"),
    ];
    if let Some(server) = servers::get(15) {
        let database = server.database();
        let scratch = server.scratch();
        urls.push((scratch.url_as(OWNER, "hunter2", database.name()), "password"));
        urls.push((scratch.url_as(OWNER, scratch.password(), "no_such_database"), "no_such_database"));
        urls.push((format!("{}?sslmode=require", database.url_as_owner()), "TLS"));
    }
    for (url, word) in urls {
        for command in ["diff", "apply", "history"] {
            let said = folder.run(&[command, "--db", &url]);
            assert_eq!(said.code, 1, "{url}: {said:?}");
            assert!(said.stderr.starts_with("error: ") && said.stderr.contains(word), "{word}: {said:?}");
            assert!(said.stderr.contains("help: ") && !said.stderr.contains("hunter2"), "{said:?}");
            assert!(!said.stderr.contains('\r') && !said.stderr.contains('\x1b'), "{said:?}");
        }
        let said = folder.run(&["diff", "--json", "--db", &url]);
        let value: serde_json::Value = serde_json::from_str(&said.stdout).unwrap();
        assert!(value["error"]["message"].as_str().is_some_and(|text| !text.is_empty()), "{said:?}");
        assert!(value["error"]["help"].is_string() && said.stderr.is_empty(), "{said:?}");
        assert!(said.code == 1 && !said.stdout.contains("hunter2"), "{said:?}");
    }
}

#[test]
fn wrong_files_are_exit_code_1_in_both_forms() {
    let folder = Folder::new("files");
    assert_eq!(folder.run(&["init"]).code, 0);
    std::fs::write(folder.0.join("schema/app.yaml"), b"domain: app\ncomment: \xff\n").unwrap();
    let said = folder.run(&["check"]);
    assert!(said.code == 1 && said.stderr.contains("is not UTF-8: its line 2"), "{said:?}");
    std::fs::write(folder.0.join("schema/app.yaml"), "domain: app\ncolums: 1\n").unwrap();
    let said = folder.run(&["check", "--json"]);
    let value: serde_json::Value = serde_json::from_str(&said.stdout).unwrap();
    assert_eq!((said.code, &value["diagnostics"][0]["code"]), (1, &"SC0103".into()), "{said:?}");
}
