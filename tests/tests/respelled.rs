//! People write SQL as they like: a database that was made from a project has nothing to do for the same project in
//! other words, and one that was made from other words has nothing to do for the project. And whatever was read does not
//! differ from itself, without a server too.
//!
//! The whole project of `fixtures/disruptor` on all versions, and every fixture of a kind on one version each, in turns
//! (on all with `SCHEMAC_ALL_VERSIONS=1`).

use std::collections::BTreeSet;
use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use schemac_compiler::introspect;
use schemac_tests::cases::{self, Case};
use schemac_tests::judge::differs_from_itself;
use schemac_tests::product::{self, Run};
use schemac_tests::respell::{Spelling, respell};
use schemac_tests::servers::{self, As, Database, Server};
use schemac_tests::{Result, dump, fixture};

/// The ways to write it otherwise: each alone, then together.
const WAYS: [&[Spelling]; 7] = [
    &[Spelling::Shouted],
    &[Spelling::Spaced],
    &[Spelling::Parenthesised],
    &[Spelling::Bare],
    &[Spelling::Qualified],
    BARE,
    QUALIFIED,
];
const BARE: &[Spelling] = &[Spelling::Shouted, Spelling::Spaced, Spelling::Parenthesised, Spelling::Bare];
const QUALIFIED: &[Spelling] =
    &[Spelling::Shouted, Spelling::Spaced, Spelling::Parenthesised, Spelling::Qualified];

/// A folder that goes away at the end.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let name = format!("respelled-{}-{}", name.replace('/', "-"), std::process::id());
        Self(Path::new(env!("CARGO_TARGET_TMPDIR")).join(name))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// How many texts of a diff that had nothing to do were not the stored ones, and who said that they are equal.
#[derive(Clone, Copy, Debug, Default)]
struct Decided {
    analysed: usize,
    asked: usize,
}

fn decided(run: &Run) -> Decided {
    let count = |what: &str| {
        let line = run.stderr.lines().find(|line| line.contains(what));
        line.and_then(|line| line.split_whitespace().find_map(|word| word.parse().ok())).unwrap_or(0)
    };
    Decided { analysed: count("texts equal by analysis"), asked: count("texts equal by the server's answer") }
}

/// Nothing is left to do; or what is.
fn nothing_to_do(database: &Database<'_>, by: As, project: &Path) -> Result<Decided> {
    let run = product::run(project, &database.url(by), &["diff", "--exit-code", "--timings", "--no-cache"])?;
    if run.code != 0 {
        return Err(format!("nothing should be left to do\n{}", run.all()).into());
    }
    Ok(decided(&run))
}

fn apply(database: &Database<'_>, by: As, project: &Path) -> Result<()> {
    let run = product::run(project, &database.url(by), &["apply", "--yes", "--allow", "all"])?;
    if run.code == 0 { Ok(()) } else { Err(run.all().into()) }
}

/// What was proven in an apply is forgotten, so that all is compared again.
fn forget(database: &Database<'_>) -> Result<()> {
    let exists = "select to_regclass('schemac.memory') is not null";
    let mut client = database.connect(As::Superuser);
    if client.query_one(exists, &[])?.get(0) {
        client.batch_execute("truncate schemac.memory")?;
    }
    Ok(())
}

#[test]
fn the_whole_project_of_the_guide_in_other_words() {
    let project = fixture::folder().join("project");
    for server in servers::all() {
        let major = server.major();
        let database = fixture::flat(server);
        apply(&database, As::Owner, &project).unwrap();
        forget(&database).unwrap();
        let reading = introspect::introspect(&mut database.connect(As::Superuser), &BTreeSet::new()).unwrap();
        assert_eq!(differs_from_itself(&reading), None);
        let dumped = database.dump();
        for (number, way) in WAYS.iter().enumerate() {
            let folder = Folder::new(&format!("guide-{major}-{number}"));
            let places = respell(&project, &folder.0, way, major).unwrap();
            // Only a few names have a schema that need none: those of `public`.
            assert!(places > 10, "{way:?}: only {places} places");
            let decided = nothing_to_do(&database, As::Owner, &folder.0)
                .unwrap_or_else(|error| panic!("PostgreSQL {major}, {way:?}: {error}"));
            println!(
                "PostgreSQL {major}, {way:?}: {places} places, {} texts equal by analysis, {} by asking",
                decided.analysed, decided.asked
            );
            if number >= 5 {
                product::run(&folder.0, "", &["fmt"]).unwrap().expect(0);
                nothing_to_do(&database, As::Owner, &folder.0).unwrap();
                // The other way round.
                let other = fixture::flat(server);
                apply(&other, As::Owner, &folder.0).unwrap();
                forget(&other).unwrap();
                assert_eq!(dump::difference(&dumped, &other.dump()), "", "PostgreSQL {major}, {way:?}");
                nothing_to_do(&other, As::Owner, &project)
                    .unwrap_or_else(|error| panic!("PostgreSQL {major}, from {way:?}: {error}"));
            }
        }
    }
}

#[test]
fn every_fixture_in_other_words() {
    let wanted = env::var("SCHEMAC_CASE").unwrap_or_default();
    let every = env::var_os("SCHEMAC_ALL_VERSIONS").is_some();
    let servers: Vec<&Server> = servers::all().collect();
    let cases = cases::all().unwrap();
    let cases = cases.iter().filter(|case| {
        case.name.contains(&wanted) && case.refused.is_none() && case.open.is_none() && !case.after.is_empty()
    });
    let mut jobs = Vec::new();
    for (number, case) in cases.enumerate() {
        let meant: Vec<&&Server> =
            servers.iter().filter(|server| case.versions.contains(&server.major())).collect();
        let turn = number % meant.len().max(1);
        let chosen = meant.into_iter().enumerate().filter(|(place, _)| every || *place == turn);
        jobs.extend(chosen.map(|(_, server)| (*server, case)));
    }
    product::program();
    let (next, places) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let (analysed, asked) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let failures = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(2, usize::from) {
            scope.spawn(|| {
                while let Some((server, case)) = jobs.get(next.fetch_add(1, Ordering::Relaxed)) {
                    match run(server, case) {
                        Ok((changed, decided)) => {
                            places.fetch_add(changed, Ordering::Relaxed);
                            analysed.fetch_add(decided.analysed, Ordering::Relaxed);
                            asked.fetch_add(decided.asked, Ordering::Relaxed);
                        }
                        Err(error) => {
                            let text = format!("=== {} on PostgreSQL {}: {error}", case.name, server.major());
                            failures.lock().unwrap().push(text);
                        }
                    }
                }
            });
        }
    });
    let failures = failures.into_inner().unwrap();
    println!(
        "{} runs, {} places, {} texts equal by analysis, {} by asking",
        jobs.len(),
        places.into_inner(),
        analysed.into_inner(),
        asked.into_inner()
    );
    assert!(failures.is_empty(), "{}\n{} of {} failed", failures.join("\n"), failures.len(), jobs.len());
}

fn run(server: &Server, case: &Case) -> Result<(usize, Decided)> {
    for role in &case.roles {
        server.ensure_role(role, "NOLOGIN")?;
    }
    let root = Folder::new(&format!("{}-{}", case.name, server.major()));
    let project = root.0.join("project");
    cases::write(&project, &case.after)?;
    let database = server.database();
    database.psql(As::Superuser, &case.setup)?;
    apply(&database, case.by, &project)?;
    forget(&database)?;
    let reading = introspect::introspect(&mut database.connect(As::Superuser), &BTreeSet::new())?;
    if let Some(difference) = differs_from_itself(&reading) {
        return Err(format!("what was read differs from itself: {difference}").into());
    }
    // One spelling is compared with what the project made, the project with what another one makes.
    let (bare, qualified) = (root.0.join("bare"), root.0.join("qualified"));
    let mut places = respell(&project, &bare, BARE, server.major())?;
    let one = nothing_to_do(&database, case.by, &bare).map_err(|error| format!("{BARE:?}: {error}"))?;
    places += respell(&project, &qualified, QUALIFIED, server.major())?;
    let made = server.database();
    made.psql(As::Superuser, &case.setup)?;
    apply(&made, case.by, &qualified)?;
    forget(&made)?;
    let difference = dump::difference(&database.dump(), &made.dump());
    if !difference.is_empty() {
        return Err(format!("{QUALIFIED:?} makes another database\n{difference}").into());
    }
    let other =
        nothing_to_do(&made, case.by, &project).map_err(|error| format!("from {QUALIFIED:?}: {error}"))?;
    let sum = Decided { analysed: one.analysed + other.analysed, asked: one.asked + other.asked };
    Ok((places, sum))
}
