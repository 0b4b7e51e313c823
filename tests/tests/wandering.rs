//! Databases made at random move twice, and come back: whatever is in them, nothing is lost and no client notices.
//!
//! `schemac_tests::wander` makes them. After each of the two moves: a second diff is empty, the dump is that of the same
//! project on an empty database, every row is there, `verify` passes, and what clients ask by the flat names is answered
//! as before. Both are taken back, to the dump before. `SCHEMAC_SEED=12` tries one seed, `SCHEMAC_SEEDS=100-200` many;
//! `SCHEMAC_KEEP=folder` keeps their projects and rows there.

use std::collections::BTreeSet;
use std::path::Path;
use std::{env, fs, thread};

use schemac_tests::dump;
use schemac_tests::product::Run;
use schemac_tests::project::Project;
use schemac_tests::rows::{self, Names};
use schemac_tests::servers::{self, As, Database, Server};
use schemac_tests::wander::{self, Expected, Outcome, Sort, World};
use serde_json::Value;

/// The seeds of every run.
const SEEDS: std::ops::RangeInclusive<u64> = 1..=2;

/// How many lines of a failed run are shown.
const SHOWN: usize = 15;

fn seeds() -> Vec<u64> {
    let number = |text: &str| text.trim().parse::<u64>().ok();
    if let Some(seed) = env::var("SCHEMAC_SEED").ok().as_deref().and_then(number) {
        return vec![seed];
    }
    let range = env::var("SCHEMAC_SEEDS").ok();
    let range = range.as_deref().and_then(|text| text.split_once('-'));
    match range.and_then(|(first, last)| Some((number(first)?, number(last)?))) {
        Some((first, last)) => (first..=last).collect(),
        None => SEEDS.collect(),
    }
}

#[test]
fn worlds_move_and_come_back() {
    // Before 15 views cannot ask as their caller, and clients are answered otherwise.
    let servers: Vec<&Server> =
        servers::all().filter(|server| [15, 17, 18].contains(&server.major())).collect();
    schemac_tests::product::program();
    let failures: Vec<String> = thread::scope(|scope| {
        let runs: Vec<_> = servers.into_iter().map(|server| scope.spawn(|| all_on(server))).collect();
        runs.into_iter().flat_map(|run| run.join().expect("a thread")).collect()
    });
    assert!(failures.is_empty(), "\n{}\n{} failed", failures.join("\n"), failures.len());
}

fn all_on(server: &Server) -> Vec<String> {
    let mut failures = Vec::new();
    for seed in seeds() {
        let world = wander::world(seed, server.major());
        if let Err(said) = wander(server, &world) {
            failures.push(format!("=== seed {seed} on PostgreSQL {}: {said}", server.major()));
        }
    }
    failures
}

fn wander(server: &Server, world: &World) -> Result<(), String> {
    let project = Project::new(&format!("wander-{}-{}", server.major(), world.seed), &[]);
    let database = server.database();
    if let Some(kept) = env::var_os("SCHEMAC_KEEP") {
        for state in 0..wander::STATES {
            for (name, text) in world.files(state) {
                let path = Path::new(&kept).join(format!("{}/{state}/{name}", world.seed));
                fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
                fs::write(path, text).expect("a file");
            }
        }
        fs::write(Path::new(&kept).join(format!("{}/rows.sql", world.seed)), world.rows()).expect("a file");
    }
    let mut dumps = Vec::new();
    let (mut before, mut rows_before) = (Vec::new(), None);
    let mut told = BTreeSet::new();
    for state in 0..wander::STATES {
        let step = |what: &str, said: String| format!("state {state}, {what}\n{said}");
        for (name, text) in world.files(state) {
            project.write(&name, &text);
        }
        let mut arguments = vec!["apply", "--yes"];
        // The function of a facade's triggers is made anew in the schema where its table goes; and a role that could read
        // some columns through a facade only, and may enter the next schema, may no more read all of the table.
        if state > 0 {
            arguments.extend(["--allow", "drop-object,revoke"]);
        }
        let plan = project.run(&database, &["diff", "--json"]);
        let run = project.run(&database, &arguments);
        if run.code != 0 {
            return Err(step("apply", end(&run)));
        }
        let left = project.run(&database, &["diff", "--exit-code"]);
        if left.code != 0 {
            return Err(step("diff afterwards", end(&left)));
        }
        if state == 0 {
            database
                .execute_as(As::Superuser, &world.rows())
                .map_err(|error| step("rows", format!("{error:?}")))?;
        }
        let dumped = database.dump();
        let fresh = server.database();
        let run = project.run(&fresh, &arguments);
        if run.code != 0 {
            return Err(step("apply to an empty database", end(&run)));
        }
        let difference = dump::difference(&fresh.dump(), &dumped);
        if !difference.is_empty() {
            return Err(step("the dump of an empty database (-) and of this one (+)", difference));
        }
        dumps.push(dumped);
        let verified = project.run(&database, &["verify"]);
        told.extend(self::told(&plan.stdout));
        let untold = untold(&verified.stdout, &told);
        if state > 0 && (!untold.is_empty() || ![0, 2].contains(&verified.code)) {
            return Err(step("verify", format!("{}\n{}", untold.join("\n"), verified.stderr)));
        }
        let rows = rows::checksums(&mut database.connect(As::Superuser), &names(world, state))
            .map_err(|error| step("rows", error.to_string()))?;
        let rows_before = rows_before.get_or_insert_with(|| rows.clone());
        if *rows_before != rows {
            return Err(step("rows", format!("{rows_before:#?}\n{rows:#?}")));
        }
        let answers =
            answers(server, &database, world).map_err(|error| step("clients", error.to_string()))?;
        if state == 0 {
            before = answers;
            continue;
        }
        let mut noticed = String::new();
        for ((ask, old), new) in world.asks().iter().zip(&before).zip(&answers) {
            let fine = match world.expected(ask, state) {
                Expected::Anything => true,
                Expected::Same => {
                    let view = |at: usize| {
                        let place = &world.things[at].places[0];
                        format!("view {}.{}", place.schema, place.name)
                    };
                    let is_told = |at: usize| told.contains(&(view(at), ask.role.to_owned()));
                    let through = world.things[ask.about].asks.into_iter().chain([ask.about]).any(is_told);
                    old == new || *new == Err("42501".into()) && through
                }
                Expected::Refused => new.is_err(),
            };
            if !fine {
                noticed.push_str(&format!(
                    "{} as {}: {}\n  was {old:?}\n  is  {new:?}\n",
                    ask.what, ask.role, ask.sql
                ));
            }
        }
        if !noticed.is_empty() {
            return Err(step("clients", noticed));
        }
    }
    for state in (0..wander::STATES - 1).rev() {
        let run = project.run(&database, &["rollback", "--yes", "--allow", "drop-object,revoke"]);
        let difference =
            if run.code == 0 { dump::difference(&dumps[state], &database.dump()) } else { String::new() };
        if run.code != 0 || !difference.is_empty() {
            return Err(format!("rollback to state {state}\n{}\n{difference}", end(&run)));
        }
    }
    let after = answers(server, &database, world).map_err(|error| error.to_string())?;
    if before != after {
        return Err("clients notice that it was there and back".to_owned());
    }
    Ok(())
}

/// The end of what a run printed; the plan before it is long.
fn end(run: &Run) -> String {
    let left = run.stdout.split_once("What is left:").map_or("", |(_, left)| left);
    let lines: Vec<&str> = run.stderr.lines().collect();
    format!("exit code {}\n{left}\n{}", run.code, lines[lines.len().saturating_sub(SHOWN)..].join("\n"))
}

/// The facades, as they are printed, with the roles that a plan says to read nothing through them.
fn told(plan: &str) -> BTreeSet<(String, String)> {
    let plan: Value = serde_json::from_str(plan).unwrap_or_default();
    let findings = plan["compatibility"]["findings"].as_array().cloned().unwrap_or_default();
    let word = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let told = findings.iter().filter(|finding| finding["rule"] == "column-privilege");
    told.map(|finding| (word(&finding["at"]["text"]), word(&finding["what"]))).collect()
}

/// What `verify` says that nobody has been told.
fn untold(verified: &str, told: &BTreeSet<(String, String)>) -> Vec<String> {
    let failed = verified.lines().filter(|line| line.starts_with("FAILED"));
    let is_told = |line: &&str| {
        told.iter().any(|(view, role)| {
            line.starts_with(&format!("FAILED: reading: {view}: as {role}: refused with 42501"))
        })
    };
    failed.filter(|line| !is_told(line)).map(str::to_owned).collect()
}

/// The tables and columns of a state by their flat names.
fn names(world: &World, state: usize) -> Names {
    let tables = world.things.iter().filter(|thing| thing.sort == Sort::Table);
    tables.fold(Names::default(), |mut names, thing| {
        let name = |state: usize| format!("{}.{}", thing.places[state].schema, thing.places[state].name);
        names = names.table(&name(state), &name(0));
        for column in &thing.columns {
            names = names.column(&name(state), &column.names[state], &column.names[0]);
        }
        names
    })
}

/// What clients are answered, by a copy: sequences go on counting after a rollback.
fn answers(server: &Server, database: &Database<'_>, world: &World) -> schemac_tests::Result<Vec<Outcome>> {
    let copy = server.copy(database)?;
    let mut client = copy.connect(As::Superuser);
    world.asks().iter().map(|ask| wander::answer(&mut client, ask)).collect()
}
