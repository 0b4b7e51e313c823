//! The command line as people and scripts meet it: help, usage errors, exit codes, colours, pipes.

use schemac_schema::code::Code;
use schemac_schema::step::Loss;
use schemac_tests::product::{self, Run};
use std::io::Read;
use std::process::Stdio;

const COMMANDS: &[&str] = &["check", "diff", "apply", "graph", "explain", "completions"];

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
