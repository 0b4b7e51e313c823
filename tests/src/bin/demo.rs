//! The demonstration behind `script/demo`: a private server, and schemac's commands one after another.
//!
//! It shows the main job on the fixture `disruptor`: fifteen tables of a flat database move into a domain schema, and
//! no client notices.

use std::path::Path;
use std::process::{Command, ExitCode};

use postgres::{Client, NoTls};
use schemac_compiler::scratch::{self, Options, Scratch};
use schemac_tests::{Result, clients, product, repository};

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("demo: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<()> {
    let installation = scratch::newest()?;
    let fixture = repository().join("fixtures/disruptor");
    let project = fixture.join("project");
    heading("A private, throw-away PostgreSQL");
    println!(
        "Starting PostgreSQL {} on loopback; it is stopped and removed at the end.",
        installation.version
    );
    let server = Scratch::start(&installation, Options::default())?;
    let (owner_url, mut admin) = load(&server, &fixture)?;

    heading("The clients, before");
    let blocks = clients::parse(&std::fs::read_to_string(fixture.join("clients.sql"))?)?;
    let before = clients::run(&mut admin, &blocks)?;
    println!("{} queries of the clients were run and their answers kept. One of them:", before.len());
    sample(&blocks, &before);

    heading("schemac check: do the files make sense?");
    schemac(&project, &owner_url, &["check"])?;
    heading("schemac diff: what would happen?");
    schemac(&project, &owner_url, &["diff"])?;
    heading("schemac apply");
    schemac(&project, &owner_url, &["apply", "--yes"])?;

    heading("The clients, after");
    let after = clients::run(&mut admin, &blocks)?;
    let difference = clients::difference(&before, &after);
    if !difference.is_empty() {
        return Err(format!("the clients are answered differently:\n{difference}").into());
    }
    println!("The same {} queries through the old names: the same answers, the same refusals.", after.len());
    sample(&blocks, &after);
    println!("\nWhere the tables are now:");
    places(&mut admin)?;

    heading("schemac diff, once more");
    schemac(&project, &owner_url, &["diff"])?;

    println!("\nStopping the server and removing its files.");
    drop(admin);
    server.stop();
    Ok(())
}

/// Loads the fixture as a role that is no superuser, as on managed platforms.
fn load(server: &Scratch, fixture: &Path) -> Result<(String, Client)> {
    let mut admin = Client::connect(&server.url("postgres"), NoTls)?;
    admin.batch_execute("CREATE ROLE app_owner LOGIN PASSWORD 'demo' CREATEROLE")?;
    admin.batch_execute("CREATE DATABASE disruptor OWNER app_owner")?;
    let (super_url, owner_url) = (server.url("disruptor"), server.url_as("app_owner", "demo", "disruptor"));
    psql(&super_url, &fixture.join("platform.sql"))?;
    let mut admin = Client::connect(&super_url, NoTls)?;
    admin.batch_execute(
        "GRANT CREATE ON SCHEMA public TO app_owner; GRANT anon, authenticated, service_role TO app_owner",
    )?;
    psql(&owner_url, &fixture.join("before.sql"))?;
    let counts = admin.query_one(
        "SELECT (SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace \
                 WHERE relkind IN ('r', 'p') AND NOT relispartition AND nspname IN ('public', 'maas', 'core')), \
                (SELECT count(*) FROM pg_policy), (SELECT count(*) FROM memory_entries)",
        &[],
    )?;
    println!(
        "Loaded fixtures/disruptor/before.sql: {} tables, {} policies, {} memory entries among the rows.",
        counts.get::<_, i64>(0),
        counts.get::<_, i64>(1),
        counts.get::<_, i64>(2)
    );
    Ok((owner_url, admin))
}

fn psql(url: &str, file: &Path) -> Result<()> {
    let run =
        Command::new("psql").args(["-X", "-q", "-v", "ON_ERROR_STOP=1", "-f"]).arg(file).arg(url).output()?;
    if run.status.success() {
        return Ok(());
    }
    Err(format!("psql -f {}: {}", file.display(), String::from_utf8_lossy(&run.stderr)).into())
}

/// Shows the command as a person would type it, and what it prints.
fn schemac(project: &Path, url: &str, arguments: &[&str]) -> Result<()> {
    println!("$ schemac {}\n", arguments.join(" "));
    let status = product::command(project, url, arguments).status()?;
    if status.success() { Ok(()) } else { Err(format!("schemac {}: {status}", arguments.join(" ")).into()) }
}

fn heading(text: &str) {
    println!("\n{text}\n{}\n", "─".repeat(text.chars().count()));
}

fn sample(blocks: &[clients::Block], answers: &[clients::Answer]) {
    let wanted = "memory_entries: list everything visible, Ada";
    for (block, answer) in blocks.iter().zip(answers).filter(|(block, _)| block.name == wanted) {
        println!("  as {} {}", block.role, block.sub.as_deref().unwrap_or(""));
        for statement in &block.statements {
            println!("  {}", statement.trim().replace('\n', "\n  "));
        }
        for line in answer.to_string().lines().take(8) {
            println!("    {line}");
        }
    }
}

fn places(admin: &mut Client) -> Result<()> {
    for row in admin.query(
        "SELECT v.relname, v.relkind::text, n.nspname FROM pg_class t JOIN pg_namespace n ON n.oid = t.relnamespace \
         JOIN pg_class v ON v.relname = t.relname JOIN pg_namespace p ON p.oid = v.relnamespace AND p.nspname = 'public' \
         WHERE n.nspname = 'security_service' AND t.relkind = 'r' AND v.relkind = 'v' ORDER BY 1",
        &[],
    )? {
        let name: String = row.get(0);
        let schema: String = row.get(2);
        println!("  public.{name} (a view) → {schema}.{name} (the table)");
    }
    Ok(())
}
