//! The measurement behind `script/bench`: a no-op `schemac diff` beside `pg_dump --schema-only` of the same database.
//!
//! Each run of one is followed by a run of the other, so that what disturbs the machine disturbs both. The median
//! counts. Peak memory is that of the process alone, from /proc, in runs of their own.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use postgres::{Client, NoTls};
use schemac_compiler::elaborate::{self, Answer, elaborate};
use schemac_compiler::introspect;
use schemac_compiler::scratch::{self, Options, Scratch};
use schemac_schema::object::{Context, Kind};
use schemac_schema::question::Questions;
use schemac_tests::{Result, dump, generate, product};

const USAGE: &str = "\
Measures a no-op `schemac diff` beside `pg_dump --schema-only`.

  script/bench                     100 and 1,000 tables
  script/bench 100 300             other sizes
  script/bench --runs 15           more runs; the median counts (7 by default)
  script/bench --sql               builds the databases with SQL instead of `schemac apply`
  script/bench --timings           also shows what the stages of the diffs took
  script/bench --hold              keeps server and projects until a line comes in, for a profiler
  script/bench --write DIR 1000    only writes the project and its SQL into a folder";

#[derive(Default)]
struct Arguments {
    sizes: Vec<usize>,
    runs: usize,
    sql: bool,
    timings: bool,
    hold: bool,
    write: Option<PathBuf>,
}

fn arguments() -> Result<Option<Arguments>> {
    let mut found = Arguments { runs: 7, ..Arguments::default() };
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        match word.as_str() {
            "--help" | "-h" => return Ok(None),
            "--sql" => found.sql = true,
            "--timings" => found.timings = true,
            "--hold" => found.hold = true,
            "--runs" => found.runs = words.next().ok_or("--runs needs a number")?.parse()?,
            "--write" => found.write = Some(words.next().ok_or("--write needs a folder")?.into()),
            size => {
                found.sizes.push(size.parse().map_err(|_| format!("unknown argument {size}; see --help"))?)
            }
        }
    }
    if found.sizes.is_empty() {
        found.sizes = vec![100, 1000];
    }
    found.runs = found.runs.max(1);
    Ok(Some(found))
}

fn main() -> ExitCode {
    let outcome = arguments().and_then(|arguments| match arguments {
        Some(arguments) => run(&arguments),
        None => {
            println!("{USAGE}");
            Ok(())
        }
    });
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bench: {error}");
            if let Some(cause) = error.source() {
                eprintln!("  {cause}");
            }
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> Result<()> {
    if let Some(folder) = &arguments.write {
        let generated = generate::generate(arguments.sizes[0]);
        generated.write(folder)?;
        std::fs::write(folder.join("prelude.sql"), generated.prelude)?;
        std::fs::write(folder.join("schema.sql"), generated.sql)?;
        return Ok(());
    }
    let installation = scratch::newest()?;
    // Large schemas need many locks in one transaction of pg_dump.
    let options = Options::default().set("max_locks_per_transaction", "1024");
    let server = Scratch::start(&installation, options)?;
    let mut admin = Client::connect(&server.url("postgres"), NoTls)?;
    admin.batch_execute("CREATE ROLE authenticated NOLOGIN; CREATE ROLE service_role NOLOGIN BYPASSRLS")?;
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    println!("PostgreSQL {}, {cores} cores, median of {} runs", installation.version, arguments.runs);
    println!("{:>6}  {:<28} {:>9} {:>7} {:>9} {:>7}", "tables", "what", "time", "ratio", "memory", "ratio");
    for size in &arguments.sizes {
        measure(*size, arguments, &server, &mut admin)?;
        ask(*size, arguments.runs, &server, &mut admin)?;
    }
    drop(admin);
    server.stop();
    Ok(())
}

/// Prints the lines of one size.
fn measure(size: usize, arguments: &Arguments, server: &Scratch, admin: &mut Client) -> Result<()> {
    let name = format!("bench_{size}");
    admin.batch_execute(&format!("CREATE DATABASE {name} TEMPLATE template0"))?;
    let url = server.url(&name);
    let folder = Folder::new(&name)?;
    let generated = generate::generate(size);
    generated.write(&folder.0)?;
    let mut client = Client::connect(&url, NoTls)?;
    client.batch_execute(&generated.prelude)?;
    let begin = Instant::now();
    if arguments.sql {
        client.batch_execute(&generated.sql)?;
    } else {
        product::run(&folder.0, &url, &["apply", "--yes"])?.expect(0);
    }
    let built = begin.elapsed();
    client.batch_execute("ANALYZE")?;
    drop(client);

    // An apply has remembered what it found equal: in the database, and not in this user's files.
    let _ = Client::connect(&url, NoTls)?.batch_execute("TRUNCATE schemac.memory");
    let cache = Folder::new(&format!("{name}_cache"))?;
    let dump = || dump::command(&url);
    let by_hand = |arguments: &[&str]| {
        let mut command = product::command(&folder.0, &url, &["diff", "--exit-code"]);
        command.args(arguments).env("XDG_CACHE_HOME", &cache.0);
        command
    };
    let mut measured = vec![
        ("pg_dump --schema-only", Measured::default()),
        ("diff, by hand, unknown", Measured::default()),
        ("diff, by hand, remembered", Measured::default()),
        ("diff, by hand, pairs known", Measured::default()),
    ];
    let imported = Folder::new(&format!("{name}_import"))?;
    let imports = import(&imported.0, &url)?;
    if imports {
        measured.push(("diff, imported", Measured::default()));
    }
    let command = |place: usize| match place {
        0 => dump(),
        1 => Ok(by_hand(&["--no-cache"])),
        2 => Ok(by_hand(&[])),
        3 => cache.forget_runs().map(|()| by_hand(&[])),
        _ => Ok(diff(&imported.0, &url)),
    };
    for round in 0..=arguments.runs {
        for (place, (_, measured)) in measured.iter_mut().enumerate() {
            if round == 0 {
                // The first run fills the caches, and is measured for its memory.
                measured.memory = memory(command(place)?)?;
            } else {
                measured.times.push(time(command(place)?)?);
            }
        }
    }
    let (base_time, base_memory) = (measured[0].1.median(), measured[0].1.memory);
    for (what, measured) in &mut measured {
        println!(
            "{size:>6}  {what:<28} {:>6.0} ms {:>7.2} {:>6.1} MB {:>7.2}",
            measured.median().as_secs_f64() * 1000.0,
            measured.median().as_secs_f64() / base_time.as_secs_f64(),
            measured.memory as f64 / 1024.0,
            measured.memory as f64 / base_memory as f64,
        );
    }
    if !imports {
        println!("{size:>6}  {:<28} this schemac has no import", "diff, imported");
    }
    println!(
        "{size:>6}  {:<28} {:>6.0} ms",
        if arguments.sql { "built with SQL" } else { "schemac apply" },
        built.as_secs_f64() * 1000.0
    );
    for (what, command) in [
        ("by hand, unknown", by_hand(&["--no-cache", "--timings"])),
        ("by hand, remembered", by_hand(&["--timings"])),
        ("by hand, pairs known", by_hand(&["--timings"])),
        ("imported", product::command(&imported.0, &url, &["diff", "--timings"])),
    ] {
        if what.ends_with("pairs known") {
            cache.forget_runs()?;
        }
        // What was counted follows what was timed.
        let said = product::finish(command)?.stderr;
        let counted = said.lines().filter(|line| line.starts_with(' ') && !line.contains(" ms  "));
        let counted: Vec<String> =
            counted.map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
        println!("{size:>6}  {what}: {}", counted.join(", "));
        if arguments.timings {
            println!("{said}");
        }
    }
    if arguments.hold {
        println!("DATABASE_URL={url}");
        println!("by hand   {}", folder.0.display());
        println!("imported  {}", imported.0.display());
        println!("cache     {}", cache.0.display());
        std::io::stdin().read_line(&mut String::new())?;
    }
    Ok(())
}

/// Prints what it takes to ask the server about two fragments of each table, beside `pg_dump` of these tables.
fn ask(tables: usize, runs: usize, server: &Scratch, admin: &mut Client) -> Result<()> {
    let name = format!("bench_ask_{tables}");
    admin.batch_execute(&format!("CREATE DATABASE {name} TEMPLATE template0"))?;
    let url = server.url(&name);
    let mut client = Client::connect(&url, NoTls)?;
    client.batch_execute(&format!(
        "CREATE SCHEMA app; DO $do$ BEGIN FOR number IN 1 .. {tables} LOOP EXECUTE format('CREATE TABLE app.t%s \
         (id bigint PRIMARY KEY, name text, state text, at timestamptz, \
         CONSTRAINT one_%1$s CHECK (length(name) > %1$s AND state IN (''a'', ''b'')), \
         CONSTRAINT two_%1$s CHECK (id BETWEEN 1 AND %1$s))', number); END LOOP; END $do$; ANALYZE"
    ))?;
    let reading = introspect::introspect(&mut client, &BTreeSet::new())?;
    let catalog = &reading.catalog;
    let context = Context { current: catalog, desired: catalog, server: &reading.server };
    let mut questions = Questions::default();
    for (id, entry) in catalog.iter().filter(|(id, _)| id.kind() == Kind::Check) {
        entry.object.ask(id, &context, &mut questions);
    }
    let (mut dumped, mut asked) = (Measured::default(), Measured::default());
    for _ in 0..runs {
        dumped.times.push(time(dump::command(&url)?)?);
        let begin = Instant::now();
        let answers = elaborate(&mut client, &questions, &["app".into()], &elaborate::Options::default())
            .map_err(|error| error.message)?;
        asked.times.push(begin.elapsed());
        let stored = answers.iter().filter(|(_, _, answer)| matches!(answer, Answer::Stored(_))).count();
        if stored != 2 * tables {
            return Err(format!("{stored} answers to {} questions", 2 * tables).into());
        }
    }
    let (dumped, asked) = (dumped.median().as_secs_f64(), asked.median().as_secs_f64());
    println!("{tables:>6}  {:<28} {:>6.0} ms {:>7.2}", "pg_dump of small tables", dumped * 1000.0, 1.0);
    let what = format!("asking about {} fragments", questions.list.len());
    println!("{tables:>6}  {what:<28} {:>6.0} ms {:>7.2}", asked * 1000.0, asked / dumped);
    Ok(())
}

fn diff(folder: &Path, url: &str) -> Command {
    product::command(folder, url, &["diff", "--exit-code"])
}

/// Imports the database into a folder; false where schemac cannot do that yet.
fn import(folder: &Path, url: &str) -> Result<bool> {
    if product::finish(product::bare(&["import", "--help"]))?.code != 0 {
        return Ok(false);
    }
    let out = folder.to_string_lossy();
    product::finish(product::bare(&["import", "--db", url, "--out", &out]))?.expect(0);
    Ok(true)
}

#[derive(Default)]
struct Measured {
    times: Vec<Duration>,
    /// In kilobytes.
    memory: u64,
}

impl Measured {
    fn median(&mut self) -> Duration {
        self.times.sort();
        self.times.get(self.times.len() / 2).copied().unwrap_or_default()
    }
}

fn time(mut command: Command) -> Result<Duration> {
    let begin = Instant::now();
    let status = command.stdout(Stdio::null()).status()?;
    let took = begin.elapsed();
    if status.success() { Ok(took) } else { Err(format!("{command:?}: {status}").into()) }
}

/// The peak of resident memory, in kilobytes; looked at until the process ends.
fn memory(mut command: Command) -> Result<u64> {
    let mut child = command.stdout(Stdio::null()).spawn()?;
    let status = format!("/proc/{}/status", child.id());
    let mut peak = 0;
    while child.try_wait()?.is_none() {
        let text = std::fs::read_to_string(&status).unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let now = line.and_then(|line| line.split_whitespace().next()?.parse().ok());
        peak = peak.max(now.unwrap_or(0));
        std::thread::sleep(Duration::from_millis(1));
    }
    let status = child.wait()?;
    if status.success() { Ok(peak) } else { Err(format!("{command:?}: {status}").into()) }
}

/// A folder that goes away at the end.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Result<Self> {
        let path = std::env::temp_dir().join(format!("schemac-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&path)?;
        Ok(Self(path))
    }

    /// Takes the runs that found nothing to do out of a cache, and leaves the pairs of texts there.
    fn forget_runs(&self) -> Result<()> {
        for entry in std::fs::read_dir(self.0.join("schemac"))? {
            let path = entry?.path();
            if path.to_string_lossy().ends_with("-runs") {
                std::fs::remove_file(path)?;
            }
        }
        Ok(())
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
