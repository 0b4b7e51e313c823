//! Colours and the moving bar are for terminals: a real one shows them, and nothing of them gets into pipes.

use std::path::Path;
use std::process::Command;

use schemac_tests::product;
use schemac_tests::project::Project;
use schemac_tests::servers::{self, As, Database};
use schemac_tests::terminal::{self, On, Shown};

const ESCAPE: char = '\x1b';

fn project(name: &str, schema: &str) -> Project {
    let files = [("schemac.yaml", "postgres: 15\n"), ("schema/app.yaml", schema)];
    Project::new(&format!("terminal-{name}"), &files)
}

/// A project with an error, so that `check` has something to say.
fn wrong(name: &str) -> Project {
    project(name, "domain: app\ntables:\n  t:\n    colums: {}\n")
}

fn check(folder: &Path, arguments: &[&str], environment: &[(&str, &str)]) -> Command {
    let mut command = product::bare(&["check"]);
    command.arg("--dir").arg(folder).args(arguments).env("TERM", "xterm");
    for (name, value) in environment {
        command.env(name, value);
    }
    command
}

const ERRORS: On = On { stdin: None, stdout: false, stderr: true };
const ALL: On = On { stdin: None, stdout: true, stderr: true };
const NONE: On = On { stdin: None, stdout: false, stderr: false };

fn shown(command: Command, on: On) -> Shown {
    terminal::run(command, on).expect("a terminal")
}

#[test]
fn messages_have_colours_on_a_terminal_unless_somebody_minds() {
    let project = wrong("messages");
    for (arguments, environment, coloured) in [
        (&[][..], &[][..], true),
        (&[], &[("NO_COLOR", "")], true),
        (&[], &[("NO_COLOR", "1")], false),
        (&[], &[("NO_COLOR", "0")], false),
        (&[], &[("NO_COLOR", "1"), ("CLICOLOR_FORCE", "1")], false),
        (&[], &[("CLICOLOR", "0")], false),
        (&[], &[("CLICOLOR", "0"), ("CLICOLOR_FORCE", "1")], true),
        (&[], &[("TERM", "dumb")], false),
        (&["--color", "never"], &[("CLICOLOR_FORCE", "1")], false),
        (&["--color", "always"], &[("NO_COLOR", "1")], true),
    ] {
        let Shown { run, screen } = shown(check(project.folder(), arguments, environment), ERRORS);
        assert!(screen.contains("SC0103"), "{}\n{screen}", run.all());
        assert_eq!(screen.contains(ESCAPE), coloured, "{arguments:?} {environment:?}\n{screen}");
        assert!(!run.stdout.contains(ESCAPE), "{}", run.all());
    }
}

#[test]
fn nothing_of_it_is_in_a_pipe_unless_somebody_asks() {
    let project = wrong("pipe");
    for (arguments, environment, coloured) in [
        (&[][..], &[][..], false),
        (&[], &[("CLICOLOR", "1")], false),
        (&[], &[("CLICOLOR_FORCE", "0")], false),
        (&[], &[("CLICOLOR_FORCE", "1")], true),
        (&["--color", "always"], &[], true),
    ] {
        let Shown { run, screen } = shown(check(project.folder(), arguments, environment), NONE);
        assert!(run.stderr.contains("SC0103"), "{}", run.all());
        assert_eq!(run.stderr.contains(ESCAPE), coloured, "{arguments:?} {environment:?}\n{}", run.stderr);
        assert_eq!(screen, "", "nothing of the program is the terminal");
    }
}

#[test]
fn help_has_colours_where_messages_have() {
    for (environment, on, coloured) in [
        (&[][..], ALL, true),
        (&[("NO_COLOR", "1")], ALL, false),
        (&[], NONE, false),
        (&[("CLICOLOR_FORCE", "1")], NONE, true),
    ] {
        let mut command = product::bare(&["--help"]);
        command.env("TERM", "xterm").envs(environment.iter().copied());
        let Shown { run, screen } = shown(command, on);
        let text = format!("{screen}{}", run.stdout);
        assert!(text.contains("Global options"), "{text}");
        assert_eq!(text.contains(ESCAPE), coloured, "{environment:?}\n{text}");
    }
}

fn tables(database: &Database<'_>) -> i64 {
    let count = "select count(*) from pg_tables where schemaname = 'app'";
    database.connect(As::Superuser).query_one(count, &[]).expect("an answer").get(0)
}

const TWO: &str =
    "domain: app\ntables:\n  one:\n    columns: { id: int }\n  two:\n    columns: { id: int }\n";

#[test]
fn plans_and_the_bar_are_for_whoever_looks() {
    let Some(server) = servers::get(15) else { return };
    let project = project("apply", TWO);
    let on = |arguments: &[&str], streams: On| {
        let database = server.database();
        let mut command = product::command(project.folder(), &database.url_as_owner(), arguments);
        command.env("TERM", "xterm");
        let shown = shown(command, streams);
        (tables(&database), shown)
    };
    // A plan on the terminal, the bar moving on it until it is taken away.
    let (made, Shown { run, screen }) = on(&["apply", "--yes"], ALL);
    assert_eq!((run.code, made), (0, 2), "{screen}");
    assert!(screen.contains("\r\x1b[2K") && screen.contains("[####"), "{screen:?}");
    assert!(screen.rfind("\x1b[2K") > screen.rfind("####"), "the bar is still there: {screen:?}");
    assert!(screen.contains("\x1b["), "{screen:?}");
    // Only the messages are on the terminal: the plan is plain.
    let (_, Shown { run, screen }) = on(&["apply", "--yes"], ERRORS);
    assert!(run.stdout.contains("CREATE TABLE") && !run.stdout.contains(ESCAPE), "{}", run.stdout);
    assert!(screen.contains("[####"), "{screen:?}");
    // Both are pipes: a line for each step.
    let (_, Shown { run, .. }) = on(&["apply", "--yes"], NONE);
    assert!(run.stderr.contains("[1/") && !run.all().contains(['\r', ESCAPE]), "{}", run.all());
    // What a program reads has no colours on a terminal either.
    for arguments in [&["diff", "--json"][..], &["diff", "--format", "json"], &["diff", "--format", "sql"]] {
        let (_, Shown { screen, .. }) = on(arguments, ALL);
        assert!(screen.contains("CREATE TABLE") && !screen.contains(ESCAPE), "{arguments:?} {screen:?}");
    }
}

#[test]
fn a_question_is_answered_on_a_terminal_only() {
    let Some(server) = servers::get(15) else { return };
    let project = project("question", TWO);
    for (typed, code, made) in [(Some("n\n"), None, 0), (Some("y\n"), Some(0), 2), (None, Some(1), 0)] {
        let database = server.database();
        let mut command = product::command(project.folder(), &database.url_as_owner(), &["apply"]);
        command.env("TERM", "xterm");
        let Shown { run, screen } = shown(command, On { stdin: typed, ..ALL });
        assert_eq!(screen.contains("[y/N]"), typed.is_some(), "{screen}");
        assert_eq!(tables(&database), made, "{typed:?}\n{screen}");
        assert!(code.is_none_or(|code| code == run.code), "{typed:?} {}\n{screen}", run.code);
    }
}
