//! The command line as people and scripts meet it: help, usage errors, exit codes, colours, pipes.

use schemac_schema::code::Code;
use schemac_schema::step::Loss;
use schemac_tests::schemac::{self, run};
use std::io::Read;
use std::process::Stdio;

const COMMANDS: &[&str] = &["check", "diff", "apply", "explain", "completions"];

#[test]
fn every_command_has_help_with_examples() {
    let whole = run(["--help"]);
    assert_eq!(whole.code, Some(0));
    for word in ["Exit codes:", "DATABASE_URL", "PG*", "Examples:"] {
        assert!(whole.out.contains(word), "{word}: {}", whole.out);
    }
    for command in COMMANDS {
        assert!(whole.out.contains(&format!("\n  {command} ")), "{}", whole.out);
        for flag in ["--help", "-h"] {
            let help = run([command, flag]);
            assert_eq!(help.code, Some(0), "{command}");
            assert!(help.out.contains(&format!("schemac {command}")), "{}", help.out);
            assert!(help.out.contains("Examples:"), "{}", help.out);
            assert!(help.out.lines().all(|line| line.chars().count() <= 100), "{}", help.out);
            assert_eq!(help.err, "");
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
    ] {
        let result = run(arguments);
        assert_eq!(result.code, Some(1), "{arguments:?}: {result:?}");
        assert!(format!("{}{}", result.out, result.err).contains(said), "{arguments:?}: {result:?}");
    }
}

#[test]
fn a_word_that_allow_does_not_know_is_refused_with_the_nearest() {
    for command in ["diff", "apply"] {
        let result = run([command, "--allow", "drop-column,drop-tabel"]);
        assert_eq!(result.code, Some(1), "{result:?}");
        assert!(result.err.contains("'drop-tabel'") && result.err.contains("'drop-table'"), "{}", result.err);
        for loss in Loss::ALL {
            assert!(result.err.contains(loss.word()), "{}", result.err);
        }
        let help = run([command, "--help"]).out;
        assert!(Loss::ALL.iter().all(|loss| help.contains(&format!("- {}:", loss.word()))), "{help}");
        assert!(help.contains("- all:"), "{help}");
    }
}

#[test]
fn every_code_is_explained() {
    let list = run(["explain"]);
    assert_eq!((list.code, list.out.lines().count()), (Some(0), Code::all().len()));
    for code in Code::all() {
        assert!(list.out.contains(&format!("{code}  {}\n", code.title())), "{code}");
        let one = run(["explain", code.id()]);
        assert_eq!(one.code, Some(0));
        assert_eq!(one.out, format!("{code}: {}\n\n{}\n", code.title(), code.explanation()));
    }
    assert_eq!(run(["explain", "sc0103"]).out, run(["explain", "103"]).out);
    let json = run(["explain", "SC0103", "--json"]);
    assert!(json.out.starts_with('{') && json.out.contains("\"code\": \"SC0103\""), "{}", json.out);
    let unknown = run(["explain", "SC9999"]);
    assert_eq!((unknown.code, unknown.out.as_str()), (Some(1), ""));
    assert!(unknown.err.contains("SC9999") && unknown.err.contains("schemac explain"), "{}", unknown.err);
}

#[test]
fn shells_get_their_completions() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let result = run(["completions", shell]);
        assert_eq!(result.code, Some(0), "{result:?}");
        assert!(COMMANDS.iter().all(|command| result.out.contains(command)), "{shell}");
    }
}

#[test]
fn the_version_is_that_of_the_workspace() {
    assert_eq!(run(["--version"]).out, format!("schemac {}\n", env!("CARGO_PKG_VERSION")));
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
        let escaped = result.out.contains('\x1b') || result.err.contains('\x1b');
        assert_eq!(escaped, coloured, "{arguments:?}: {result:?}");
    }
}

#[test]
fn a_reader_who_goes_away_is_no_error() {
    let mut child = schemac::command(["completions", "bash"])
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
    let result = schemac::finished(schemac::command(["explain"]).stdout(full).output());
    assert_eq!(result.code, Some(1));
    assert!(result.err.contains("cannot write the output"), "{}", result.err);
}
