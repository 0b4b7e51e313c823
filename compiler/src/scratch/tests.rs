//! Scratch servers: they answer, let nobody else in, and leave nothing behind.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use postgres::{Client, NoTls};

use super::installation::parse_version;
use super::*;

#[test]
fn reads_what_the_server_says_about_its_version() {
    let version = |text| parse_version(text).map(|version| (version.major, version.minor));
    assert_eq!(version("postgres (PostgreSQL) 15.20 (Debian 15.20-0+deb12u1)\n"), Some((15, 20)));
    assert_eq!(version("postgres (PostgreSQL) 18beta2"), Some((18, 0)));
    assert_eq!(version("postgres (PostgreSQL) 19devel"), Some((19, 0)));
    assert_eq!(version("something else"), None);
}

#[test]
fn says_what_to_do_when_a_version_is_missing() {
    let error = Error::NoInstallation { major: Some(16), found: vec![Version { major: 15, minor: 20 }] };
    let text = error.to_string();
    assert!(text.contains("no PostgreSQL 16 server") && text.contains("15.20"), "{text}");
    assert!(text.contains("SCHEMAC_PG_BIN"), "{text}");
}

#[test]
fn answers_keeps_others_out_and_is_gone_after_a_drop() {
    let Some(scratch) = start(Options::default().set("work_mem", "5MB")) else { return };
    scratch.create_database("some \"odd\" name").unwrap();
    let mut client = scratch.connect("some \"odd\" name").unwrap();
    let mut ask = |sql: &str| -> String { client.query_one(sql, &[]).unwrap().get(0) };
    assert_eq!(ask("SHOW server_version_num")[..2], scratch.version().major.to_string());
    assert_eq!(ask("SHOW server_encoding"), "UTF8");
    assert_eq!(ask("SELECT datcollate::text FROM pg_database WHERE datname = current_database()"), "C");
    assert_eq!(ask("SHOW fsync"), "off");
    assert_eq!(ask("SHOW work_mem"), "5MB");
    Client::connect(&scratch.socket_url(SUPERUSER, "postgres"), NoTls).unwrap();

    let stranger = Client::connect(&scratch.url_as(SUPERUSER, "guessed", "postgres"), NoTls);
    let error = stranger.err().expect("a wrong password is refused");
    assert_eq!(error.code(), Some(&postgres::error::SqlState::INVALID_PASSWORD));
    let mode = fs::metadata(scratch.folder.path()).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o700);

    let (folder, server) = (scratch.folder.path().to_owned(), scratch.process_id().unwrap());
    assert!(!is_root(server), "the server runs as root");
    drop(scratch);
    assert!(!folder.exists());
    assert!(!is_running(server));
}

#[test]
fn a_wrong_setting_is_an_error_with_the_servers_words() {
    let Ok(installation) = newest() else { return };
    let error = Scratch::start(&installation, Options::default().set("no_such_setting", "1")).unwrap_err();
    assert!(error.to_string().contains("no_such_setting"), "{error}");
}

/// Not a test of its own: the process that the next test kills.
#[test]
#[ignore = "waits to be killed"]
fn waits_to_be_killed() {
    let Some(scratch) = start(Options::default()) else { return };
    let report = std::env::var_os("SCHEMAC_TEST_REPORT").expect("started by the other test");
    let text = format!("{}\n{}\n", scratch.process_id().unwrap(), scratch.folder.path().display());
    fs::write(PathBuf::from(report), text).unwrap();
    thread::sleep(Duration::from_secs(60));
}

#[test]
fn nothing_is_left_when_this_process_is_killed() {
    if newest().is_err() {
        return;
    }
    for signal in ["-KILL", "-INT"] {
        let folder = Folder::create().unwrap();
        let report = folder.path().join("report");
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--ignored", "--exact", "scratch::tests::waits_to_be_killed"])
            .env("SCHEMAC_TEST_REPORT", &report)
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        wait_until(|| fs::read_to_string(&report).is_ok_and(|text| text.lines().count() == 2));
        let text = fs::read_to_string(&report).unwrap();
        let (server, path) = text.trim().split_once('\n').unwrap();
        let server = server.parse().unwrap();
        assert!(is_running(server));
        let kill = format!("kill {signal} {}", child.id());
        assert!(Command::new("/bin/sh").args(["-c", &kill]).status().unwrap().success());
        child.wait().unwrap();
        wait_until(|| !PathBuf::from(path).exists() && !is_running(server));
    }
}

#[test]
fn programs_that_the_servers_user_cannot_reach_are_copied() {
    let Some(relocatable) = installations().into_iter().find(|found| !found.bin.starts_with("/usr")) else {
        eprintln!("skipped: no PostgreSQL that can be moved (script/bootstrap --versions)");
        return;
    };
    let hidden = Folder::create().unwrap();
    let prefix = relocatable.bin.parent().unwrap();
    let copied = Command::new("cp").arg("-RP").arg(prefix).arg(hidden.path().join("prefix")).status();
    assert!(copied.unwrap().success());
    let bin = hidden.path().join("prefix/bin");
    let scratch =
        Scratch::start(&Installation { bin, version: relocatable.version }, Options::default()).unwrap();
    scratch.connect("postgres").unwrap();
}

fn wait_until(mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(30);
    while !holds() {
        assert!(Instant::now() < deadline, "still not so after 30 s");
        thread::sleep(Duration::from_millis(20));
    }
}

fn is_running(process: u32) -> bool {
    // "PID (name) state …"; a zombie is gone, only nobody has asked for its exit code yet.
    fs::read_to_string(format!("/proc/{process}/stat"))
        .is_ok_and(|text| text.rsplit(')').next().is_some_and(|rest| !rest.trim_start().starts_with('Z')))
}

fn is_root(process: u32) -> bool {
    fs::metadata(format!("/proc/{process}")).unwrap().uid() == 0
}

fn start(options: Options) -> Option<Scratch> {
    match newest() {
        Ok(installation) => Some(Scratch::start(&installation, options).unwrap()),
        Err(error) => {
            eprintln!("skipped: {error}");
            None
        }
    }
}
