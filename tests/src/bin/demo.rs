//! The demonstration behind `script/demo`: a private server, and schemac's commands one after another.
//!
//! It shows the main job on the fixture `disruptor`: the tables of a flat database move into the schemas of their domains,
//! and no client notices. What schemac says at length is abridged here.

use std::collections::BTreeMap;
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

    heading("schemac import: a project from the flat database, sorted by the guide's rules");
    let out = std::env::temp_dir().join(format!("schemac-demo-{}", std::process::id()));
    let imported = import(&out, &fixture, &owner_url);
    let _ = std::fs::remove_dir_all(&out);
    imported?;
    println!("\nPeople make it theirs: fixtures/disruptor/project is what came of it.");

    heading("schemac check: do the files make sense?");
    print!("{}", schemac(&project, &owner_url, &["check"])?);
    heading("schemac diff: what would happen?");
    println!("{}", abridged(&schemac(&project, &owner_url, &["diff"])?));
    heading("schemac apply");
    let applied = schemac(&project, &owner_url, &["apply", "--yes"])?;
    let lines: Vec<&str> = applied.lines().collect();
    println!("  … the plan once more, and what is under way, then:");
    let end = lines.iter().rposition(|line| line.starts_with("Done: ")).unwrap_or(0);
    println!("{}", lines[end..].join("\n"));

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
    print!("{}", schemac(&project, &owner_url, &["diff"])?);

    heading("schemac verify: is everything as the apply left it, and do the old names work?");
    let proof = schemac(&project, &owner_url, &["verify", "--writes", "--all"])?;
    println!("{}", proved(&proof));

    heading("schemac rollback: the way back, with a row written since");
    admin.batch_execute(
        "insert into public.memory_entries (title, content, user_id, organization_id) \
         select 'Written meanwhile', 'through the old name', user_id, organization_id from public.memory_entries limit 1",
    )?;
    let back = schemac(&project, &owner_url, &["rollback", "--yes"])?;
    let lines: Vec<&str> = back.lines().collect();
    println!("  … the plan, and what is under way, then:");
    println!("{}", lines.last().copied().unwrap_or_default());
    admin.batch_execute("delete from public.memory_entries where title = 'Written meanwhile'")?;
    let again = clients::run(&mut admin, &blocks)?;
    let difference = clients::difference(&before, &again);
    if !difference.is_empty() {
        return Err(format!("after the rollback the clients are answered differently:\n{difference}").into());
    }
    println!("The row was there. The same {} queries once more: the same answers.\n", again.len());
    print!("{}", schemac(&project, &owner_url, &["history"])?);

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
    admin.batch_execute("GRANT anon, authenticated, service_role TO app_owner")?;
    if server.version().major < 15 {
        // Later versions give it to the owner of the database by themselves.
        admin.batch_execute("ALTER SCHEMA public OWNER TO app_owner")?;
    }
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

/// Imports into a folder, and shows the domains and one table of it.
fn import(out: &Path, fixture: &Path, url: &str) -> Result<()> {
    let (folder, rules) = (out.display().to_string(), fixture.join("rules.yaml").display().to_string());
    let shown = ["import", "--rules", "fixtures/disruptor/rules.yaml", "--out", "db"];
    println!("$ schemac {}\n", shown.join(" "));
    let mut command =
        product::bare(&["import", "--profile", "supabase", "--rules", &rules, "--out", &folder]);
    let run = product::finish({
        command.env("DATABASE_URL", url);
        command
    })?;
    if run.code != 0 {
        return Err(format!("schemac import: {}", run.all()).into());
    }
    print!("{}", run.stdout.replace(&folder, "db"));
    println!("\ndb/schema/auth_gateway.yaml begins with:");
    let text = std::fs::read_to_string(out.join("schema/auth_gateway.yaml"))?;
    let table = text.lines().skip_while(|line| !line.starts_with("tables:")).take(12);
    table.for_each(|line| println!("  {line}"));
    println!("  …");
    Ok(())
}

/// Shows the command as a person would type it, and gives what it prints.
fn schemac(project: &Path, url: &str, arguments: &[&str]) -> Result<String> {
    println!("$ schemac {}\n", arguments.join(" "));
    let run = product::run(project, url, arguments)?;
    let here = format!("{}/", repository().display());
    if run.code == 0 {
        Ok(run.stdout.replace(&here, ""))
    } else {
        Err(format!("schemac: {}", run.all()).into())
    }
}

/// How much of each sort was looked at, what was found for one table, and the last line.
fn proved(findings: &str) -> String {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for line in findings.lines() {
        if let [verdict, check, _] = line.splitn(3, ": ").collect::<Vec<_>>()[..] {
            *counts.entry(format!("{verdict}: {check}")).or_default() += 1;
        }
    }
    let mut out: Vec<String> = counts.iter().map(|(what, count)| format!("  {count:>4} {what}")).collect();
    out.push("  Of one table:".into());
    let of_one = findings.lines().filter(|line| line.contains(" public.memory_versions: "));
    out.extend(of_one.take(6).map(|line| format!("    {}", line.chars().take(170).collect::<String>())));
    out.push(findings.lines().last().unwrap_or_default().to_owned());
    out.join("\n")
}

/// A plan with one of its many transactions, and of each list in its report the beginning.
fn abridged(plan: &str) -> String {
    const ITEMS: usize = 2;
    const WIDTH: usize = 160;
    let begins = |line: &str| line.starts_with("-- transaction");
    let (head, rest): (Vec<&str>, Vec<&str>) = {
        let lines: Vec<&str> = plan.lines().collect();
        let at = lines.iter().position(|line| begins(line)).unwrap_or(lines.len());
        (lines[..at].to_vec(), lines[at..].to_vec())
    };
    let mut out: Vec<String> = head.iter().take(1).map(|line| (*line).to_owned()).collect();
    out.push("  …".into());
    let wanted =
        rest.iter().position(|line| line.contains("move table public.memory_versions to ")).unwrap_or(0);
    let from = rest[..wanted].iter().rposition(|line| begins(line)).unwrap_or(0);
    let to = rest[wanted..].iter().position(|line| begins(line)).map_or(rest.len(), |at| wanted + at);
    out.extend(rest[from..to].iter().map(|line| (*line).to_owned()));
    out.push("  …".into());
    let mut skipped = 0_usize;
    let mut items = 0_usize;
    let report = rest.iter().skip_while(|line| !line.starts_with("What clients of the old names find"));
    for line in report.chain(std::iter::once(&"")) {
        let item = line.starts_with("    ") && !line.trim_start().starts_with("help:");
        items = if item {
            items + 1
        } else if line.starts_with("    ") {
            items
        } else {
            0
        };
        if items > ITEMS {
            skipped += 1;
            continue;
        }
        if skipped > 0 {
            out.push(format!("    … and {skipped} more"));
            skipped = 0;
        }
        let cut: String = line.chars().take(WIDTH).collect();
        out.push(if cut.len() < line.len() { format!("{cut}…") } else { cut });
    }
    out.join("\n").trim_end().to_owned()
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

/// How many tables each domain has now, and a few old names.
fn places(admin: &mut Client) -> Result<()> {
    for row in admin.query(
        "SELECT n.nspname, count(*), string_agg(t.relname, ', ' ORDER BY t.relname) \
         FROM pg_class t JOIN pg_namespace n ON n.oid = t.relnamespace \
         WHERE t.relkind IN ('r', 'p') AND NOT t.relispartition AND n.nspname !~ '^pg_' \
         AND n.nspname NOT IN ('information_schema', 'auth', 'public', 'maas', 'schemac') GROUP BY 1 ORDER BY 1",
        &[],
    )? {
        let (schema, count, tables): (String, i64, String) = (row.get(0), row.get(1), row.get(2));
        let cut: String = tables.chars().take(80).collect();
        let dots = if cut.len() < tables.len() { "…" } else { "" };
        println!("  {schema:<17} {count:>2}: {cut}{dots}");
    }
    let facades = admin.query_one(
        "SELECT count(*) FROM pg_class c JOIN pg_description d ON d.objoid = c.oid AND d.objsubid = 0 \
         WHERE c.relkind = 'v' AND d.description LIKE '%Facade: the table is %'",
        &[],
    )?;
    println!("Their {} old names are views.", facades.get::<_, i64>(0));
    Ok(())
}
