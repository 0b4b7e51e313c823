//! Whatever stands in a file, nothing panics, and it takes a bounded time and memory.
//!
//! Every file of the fixtures is changed at random: bytes and whole lines are changed, moved, doubled and cut off. The
//! same seeds give the same files in every run; `SCHEMAC_MUTATIONS=100000` tries more of them.

use std::collections::{BTreeSet, HashMap};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use std::{env, fs};

use schemac_compiler::bind::{Binding, bind};
use schemac_compiler::planfile;
use schemac_schema::declare::declare;
use schemac_schema::diagnostic::Diagnostic;
use schemac_schema::ident::Ident;
use schemac_schema::include;
use schemac_schema::parse;
use schemac_schema::span::Sources;
use schemac_schema::spec;
use schemac_tests::product;
use schemac_tests::servers;
use schemac_tests::{cases, repository};

/// How many files are made from each kind of file.
const ROUNDS: usize = 1_000;

/// How long one file may take, on a machine that does other things too.
const SLOWEST: Duration = Duration::from_secs(20);

/// How many files of a domain could be read.
static READ: AtomicUsize = AtomicUsize::new(0);

/// A small generator of numbers, the same in every run.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap_or(0) % limit.max(1)
    }
}

const PIECES: &[&str] = &[
    "(",
    ")",
    "'",
    "\"",
    ";",
    ",",
    " ",
    "--",
    "/*",
    "*/",
    "\\",
    "{table}",
    "é",
    "→",
    "$$",
    "[",
    "]",
    "{",
    "}",
    ": ",
    "- ",
    "|",
    ">-",
    "&a ",
    "*a",
    "!t ",
    "\t",
    "\r",
    "\u{0}",
    "\u{feff}",
    "# ",
    "::",
    ".",
    "\n",
    "null",
    "true",
    "~",
    "e'\\",
    "u&\"",
    "99999999999999999999",
    "-1",
    "0x",
    "not ",
    "or ",
    "select ",
    "default ",
    "references ",
];

fn mutated(text: &str, numbers: &mut Numbers) -> String {
    let mut text = text.to_owned();
    for _ in 0..=numbers.below(3) {
        text = match numbers.below(8) {
            0..4 => characters(&text, numbers),
            4..7 => lines(&text, numbers),
            _ => {
                let bytes = text.into_bytes();
                let end = numbers.below(bytes.len());
                String::from_utf8_lossy(&bytes[..end]).into_owned()
            }
        };
    }
    text
}

fn characters(text: &str, numbers: &mut Numbers) -> String {
    let mut text: Vec<char> = text.chars().collect();
    let at = numbers.below(text.len());
    match numbers.below(4) {
        0 => {
            let end = (at + numbers.below(12)).min(text.len());
            text.drain(at..end);
        }
        1 => {
            let from = numbers.below(text.len());
            let piece: Vec<char> = text[from..(from + numbers.below(40)).min(text.len())].to_vec();
            text.splice(at..at, piece);
        }
        2 if !text.is_empty() => {
            let number = u32::try_from(numbers.below(0x2_0000)).unwrap_or(0);
            text[at] = char::from_u32(number).unwrap_or('\u{7f}');
        }
        _ => {
            let piece = PIECES[numbers.below(PIECES.len())];
            text.splice(at..at, piece.chars());
        }
    }
    text.into_iter().collect()
}

fn lines(text: &str, numbers: &mut Numbers) -> String {
    let mut lines: Vec<&str> = text.lines().collect();
    if lines.is_empty() {
        return text.to_owned();
    }
    let (at, to) = (numbers.below(lines.len()), numbers.below(lines.len()));
    match numbers.below(4) {
        0 => drop(lines.remove(at)),
        1 => lines.insert(to, lines[at]),
        2 => lines.swap(at, to),
        _ => {
            let from = lines.remove(at);
            lines.insert(to.min(lines.len()), from);
        }
    }
    lines.join("\n") + "\n"
}

/// What `schemac check` does with the file of a domain, all its messages rendered.
fn domain(text: &str) {
    let mut sources = Sources::new();
    let file = sources.add("mutated.yaml", text);
    let read = match spec::read_domain(&sources, file) {
        Ok(read) => read,
        Err(error) => return render(&[error], &sources),
    };
    READ.fetch_add(1, Ordering::Relaxed);
    let mut declared = declare(&[read], 15, &[Ident::new("ext"), Ident::new("auth")].into());
    for diagnostic in &declared.diagnostics {
        assert!(diagnostic.render(&sources, false).contains("mutated.yaml:"), "{diagnostic:?}");
    }
    let search_path = [Ident::new("public"), Ident::new("app")];
    let own: BTreeSet<Ident> = declared.schemas.keys().copied().collect();
    for complete in [false, true] {
        let mut catalog = declared.catalog.clone();
        let facades = HashMap::new();
        let binding = Binding { search_path: &search_path, complete, facades: &facades, own: &own };
        let doubtful = bind(&mut catalog, &binding, &mut declared.diagnostics);
        declared.diagnostics.extend(doubtful.into_iter().map(|one| one.diagnostic));
    }
    render(&declared.diagnostics, &sources);
}

fn project(text: &str) {
    let mut sources = Sources::new();
    let file = sources.add("schemac.yaml", text);
    if let Err(error) = spec::read_project(&sources, file) {
        render(&[error], &sources);
    }
}

fn rules(text: &str) {
    let mut sources = Sources::new();
    let file = sources.add("rules.yaml", text);
    if let Err(error) = spec::read_rules(&sources, file) {
        render(&[error], &sources);
    }
}

fn plan(text: &str) {
    let mut sources = Sources::new();
    let file = sources.add("plan.json", text);
    if let Err(errors) = planfile::read(&sources, file) {
        render(&errors, &sources);
    }
}

fn render(diagnostics: &[Diagnostic], sources: &Sources) {
    for diagnostic in diagnostics {
        assert!(diagnostic.render(sources, false).contains("[SC0"), "{diagnostic:?}");
    }
}

/// Every file of the fixtures: those of domains, and project files.
fn files() -> (Vec<String>, Vec<String>) {
    let (mut domains, mut projects) = (Vec::new(), Vec::new());
    for case in cases::all().unwrap() {
        for (path, text) in case.before.into_iter().chain(case.after) {
            if path == "schemac.yaml" { projects.push(text) } else { domains.push(text) }
        }
    }
    let disruptor = repository().join("fixtures/disruptor/project");
    projects.push(fs::read_to_string(disruptor.join("schemac.yaml")).unwrap());
    domains.push(fs::read_to_string(repository().join("schema/src/spec/tests/library.yaml")).unwrap());
    for entry in fs::read_dir(disruptor.join("schema")).unwrap() {
        let text = fs::read_to_string(entry.unwrap().path()).unwrap();
        // A large file takes long and shows no more.
        let mut part = String::new();
        for line in text.lines().take(150) {
            part.push_str(line);
            part.push('\n');
        }
        domains.push(part);
    }
    domains.sort();
    (domains, projects)
}

fn try_all(what: &str, files: &[String], read: fn(&str)) {
    let more = env::var("SCHEMAC_MUTATIONS").ok().and_then(|number| number.parse().ok());
    let rounds: usize = more.unwrap_or(ROUNDS);
    let mut failures = Vec::new();
    parse::on_large_stack(|| {
        for seed in 0..rounds {
            let mut numbers = Numbers(seed as u64);
            numbers.below(2);
            let original = &files[numbers.below(files.len())];
            let text = mutated(original, &mut numbers);
            let started = Instant::now();
            let fine = catch_unwind(AssertUnwindSafe(|| read(&text))).is_ok();
            let took = started.elapsed();
            if !fine || took > SLOWEST {
                let path = env::temp_dir().join(format!("schemac-mutation-{what}-{seed}"));
                let kept = fs::write(&path, &text).is_ok();
                failures.push(format!(
                    "seed {seed}: fine: {fine}, took {took:?}, kept {kept}: {}",
                    path.display()
                ));
            }
        }
    });
    assert!(failures.is_empty(), "{what}: {}", failures.join("\n"));
}

#[test]
fn domains_that_were_changed_at_random_make_nothing_panic() {
    try_all("domain", &files().0, domain);
    // Files that are refused at once would show nothing.
    let read = READ.load(Ordering::Relaxed);
    assert!(read * 5 > ROUNDS, "only {read} could be read");
}

/// Files of SQL under `include:`, changed at random.
fn included(text: &str) {
    let mut sources = Sources::new();
    let yaml = sources.add("a.yaml", "domain: app\ntables: { t: { columns: { id: int } } }\n");
    let file = sources.add("mutated.sql", text);
    let Ok(mut domain) = spec::read_domain(&sources, yaml) else { return };
    render(&include::read(&sources, file, &mut domain), &sources);
    render(&declare(&[domain], 15, &BTreeSet::new()).diagnostics, &sources);
}

#[test]
fn files_of_sql_that_were_changed_at_random_make_nothing_panic() {
    try_all("included", &[INCLUDED.to_owned()], included);
}

const INCLUDED: &str = "\
create function app.f(a int, b text default 'x, y') returns table (n int) language plpgsql stable as $$
begin
  return query select 1;
end
$$;
create procedure p(inout a int) language sql begin atomic; select 1; end;
create type mood as enum ('sad', 'ok'); create type pair as (a int, \"B\" text[]);
create view v with (security_barrier) as select id from app.t with check option;
create materialized view m as select 1 as a with no data; create unique index m_key on m (a);
create constraint trigger x after insert on app.t for each row execute function f();
comment on function f(int, text) is 'it''s'; grant execute on function f(int, text) to r, \"S\" with grant option;
revoke all on function f from public; grant select on v to r;
";

#[test]
fn other_files_that_were_changed_at_random_make_nothing_panic() {
    try_all("project", &files().1, project);
    let read = |path: &Path| fs::read_to_string(path).unwrap();
    try_all("rules", &[read(&repository().join("fixtures/disruptor/rules.yaml"))], rules);
    if let Some(saved) = saved() {
        try_all("plan", &[saved], plan);
    }
}

/// A plan as `schemac diff --save` writes it, where there is a server.
fn saved() -> Option<String> {
    let database = servers::get(15)?.database();
    let folder = env::temp_dir().join(format!("schemac-mutations-{}", std::process::id()));
    fs::create_dir_all(folder.join("schema")).unwrap();
    fs::write(folder.join("schemac.yaml"), "postgres: 15\n").unwrap();
    fs::write(folder.join("schema/app.yaml"), PLANNED).unwrap();
    let file = folder.join("plan.json");
    let outcome =
        product::run(&folder, &database.url_as_owner(), &["diff", "--save", &file.to_string_lossy()])
            .unwrap();
    outcome.expect(0);
    let text = fs::read_to_string(file).unwrap();
    fs::remove_dir_all(folder).unwrap();
    Some(text)
}

const PLANNED: &str = "\
domain: app
enums:
  mood: [sad, ok]
tables:
  t:
    facade: public.t
    columns:
      id: bigint generated always as identity primary key
      mood: app.mood default 'ok'
    indexes:
      t_mood_idx: (mood) where id > 0
    rls: enabled
    policies:
      own: { for: select, using: id > 1 }
";

/// Input that is made to take all the time or memory there is.
#[test]
fn hostile_input_takes_a_bounded_time() {
    let check = |sql: String| {
        format!(
            "domain: app\ntables:\n  t:\n    columns:\n      a: int\n    checks:\n      c: |\n        {sql}\n"
        )
    };
    let many = |piece: &str, times: usize| piece.repeat(times);
    let aliases = {
        let mut text = String::from("a: &a [x, x]\n");
        for (one, next) in ('a'..'y').zip('b'..'z') {
            text.push_str(&format!("{next}: &{next} [*{one}, *{one}, *{one}, *{one}]\n"));
        }
        text
    };
    let inputs = [
        ("parentheses", check(format!("{}1{} = 1", many("(", 5_000), many(")", 5_000)))),
        ("open parentheses", check(many("(", 200_000))),
        ("closed parentheses", check(many(")", 200_000))),
        ("not", check(format!("{}true", many("not ", 20_000)))),
        ("sum", check(format!("1{} > 0", many(" + 1", 20_000)))),
        ("and", check(format!("true{}", many(" and a = 1", 20_000)))),
        ("casts", check(format!("a{} = 1", many("::int", 5_000)))),
        ("cases", check(format!("{}true{}", many("case when a = 1 then ", 2_000), many(" end", 2_000)))),
        ("subqueries", check(format!("{}1{} = 1", many("(select ", 2_000), many(")", 2_000)))),
        ("long name", check(format!("{} = 1", many("a", 1_000_000)))),
        ("long text", check(format!("a::text <> '{}'", many("x", 2_000_000)))),
        ("open text", check(format!("a::text <> '{}", many("x", 1_000_000)))),
        ("open comments", check(many("/*", 100_000))),
        ("open dollars", check(many("$a", 100_000))),
        ("list", check(format!("a in (1{})", many(", 1", 100_000)))),
        (
            "columns",
            format!(
                "domain: app\ntables:\n  t:\n    columns:\n{}",
                (0..5_000).map(|n| format!("      c{n}: int\n")).collect::<String>()
            ),
        ),
        ("flow", format!("domain: {}", many("[", 500_000))),
        ("blocks", (0..5_000).map(|n| format!("{}a:\n", many(" ", n))).collect()),
        ("dashes", many("- ", 500_000)),
        ("aliases", aliases),
        ("question marks", many("? ", 500_000)),
        ("quotes", many("\"", 1_000_001)),
        ("one line", many("x", 3_000_000)),
        ("mixins", {
            let mut text = String::from("domain: app\nmixins:\n  m0: { columns: { c: int } }\n");
            for n in 1..40 {
                text.push_str(&format!("  m{n}: {{ use: [m{}, m{}] }}\n", n - 1, n - 1));
            }
            text + "tables:\n  t: { use: [m39] }\n"
        }),
    ];
    parse::on_large_stack(|| {
        for (what, text) in inputs {
            for read in [domain, project, rules, plan] {
                let started = Instant::now();
                read(&text);
                assert!(started.elapsed() < SLOWEST, "{what} took {:?}", started.elapsed());
            }
        }
    });
}
