//! Pairs of SQL that were proven equal are not asked about again, and are forgotten when what they mean changes.

use schemac_tests::product;
use schemac_tests::servers::{self, As, Database};
use std::fs;
use std::path::{Path, PathBuf};

use crate::value;

struct Project(PathBuf);

impl Project {
    fn new(name: &str, yaml: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("schemac-memory-{name}-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let project = "postgres: 14\nsources: [app.yaml]\nsearch_path: [app, public]\nundeclared: keep\n";
        fs::write(folder.join("schemac.yaml"), project).unwrap();
        fs::write(folder.join("app.yaml"), yaml).unwrap();
        Self(folder)
    }

    fn cache(&self) -> PathBuf {
        self.0.join("cache")
    }

    /// This user's file of pairs, or of runs.
    fn file(&self, of_runs: bool) -> PathBuf {
        let files = fs::read_dir(self.cache().join("schemac")).unwrap().map(|entry| entry.unwrap().path());
        files.into_iter().find(|file| file.to_string_lossy().ends_with("-runs") == of_runs).unwrap()
    }

    /// Forgets which runs found nothing to do.
    fn forget_runs(&self) {
        fs::remove_file(self.file(true)).unwrap();
    }

    /// Whether a diff finds nothing to do, and whether it knew so from an earlier run.
    fn nothing(&self, url: &str, arguments: &[&str]) -> (bool, bool) {
        let all: Vec<&str> = ["diff", "--timings"].iter().chain(arguments).copied().collect();
        let mut command = product::command(&self.0, url, &all);
        command.env("XDG_CACHE_HOME", self.cache());
        let run = product::finish(command).unwrap();
        run.expect(0);
        (run.stdout.contains(EQUAL), run.stderr.contains("runs known to have nothing to do"))
    }

    /// Runs a diff with a cache; its standard output, and how often SQL had to be analysed or the server asked.
    fn diff(&self, url: &str, arguments: &[&str]) -> (String, usize) {
        let all: Vec<&str> = ["diff", "--timings"].iter().chain(arguments).copied().collect();
        let mut command = product::command(&self.0, url, &all);
        command.env("XDG_CACHE_HOME", self.cache());
        let run = product::finish(command).unwrap();
        run.expect(0);
        let asked = ["analyse", "ask the server"].iter().map(|stage| run.stderr.matches(stage).count());
        (run.stdout.clone(), asked.sum())
    }

    fn apply(&self, url: &str) {
        product::run(&self.0, url, &["apply", "--yes"]).unwrap().expect(0);
    }
}

impl Drop for Project {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

const EQUAL: &str = "Nothing to do";

fn forget(database: &Database<'_>) {
    database.execute("truncate schemac.memory").unwrap();
}

const TABLE: &str = "domain: app
tables:
  t:
    columns:
      id: bigint primary key
      s: varchar(20) default 'a' not null
      n: int
    checks:
      s_check: s in ('a', 'b') and n between 1 and 5
    indexes:
      s_idx: (lower(s)) where s like 'a%'
views:
  v:
    query: select id, s from t where s in ('a', 'b')
  w:
    query: select * from v where s <> 'b'
";

#[test]
fn a_run_that_found_nothing_to_do_is_known_until_anything_differs() {
    for server in servers::all() {
        let database = server.database();
        let project = Project::new(&format!("runs-{}", server.major()), TABLE);
        let url = database.url_as_owner();
        project.apply(&url);
        assert_eq!(project.nothing(&url, &[]), (true, false));
        assert_eq!(project.nothing(&url, &[]), (true, true));
        // A lock is made of texts, and no cache is none.
        assert_eq!(project.nothing(&url, &["--lock"]), (true, false));
        assert!(fs::read_to_string(project.0.join("schemac.lock")).unwrap().contains("s_check"));
        assert_eq!(project.nothing(&url, &["--no-cache"]), (true, false));
        // Somebody else, who may see or own other things.
        assert_eq!(project.nothing(&database.url_as_superuser(), &[]), (true, false));
        assert_eq!(project.nothing(&url, &[]), (true, true));

        // Whatever the database says otherwise, also where nobody declares it.
        let changes = [
            ("comment on column app.t.n is 'x'", "comment on column app.t.n is null", false),
            ("alter table app.t alter n set default 7", "alter table app.t alter n drop default", false),
            ("alter index app.s_idx rename to other", "alter index app.other rename to s_idx", false),
            ("grant select on app.t to public", "revoke select on app.t from public", false),
            ("create schema apart", "drop schema apart", true),
            (
                "create function public.lower(text) returns text language sql as 'select $1'",
                "drop function public.lower(text)",
                true,
            ),
        ];
        for (there, back, still) in changes {
            database.execute(there).unwrap();
            assert_eq!(project.nothing(&url, &[]), (still, false), "{there}");
            assert_eq!(project.nothing(&url, &[]), (still, still), "{there}");
            database.execute(back).unwrap();
            assert!(project.nothing(&url, &[]).0, "{back}");
            assert_eq!(project.nothing(&url, &[]), (true, true), "{back}");
        }
        // Whatever the files say otherwise.
        fs::write(project.0.join("app.yaml"), format!("{TABLE}# the end\n")).unwrap();
        assert_eq!(project.nothing(&url, &[]), (true, false));
        let other = TABLE.replace("between 1 and 5", "between 1 and 6");
        fs::write(project.0.join("app.yaml"), other).unwrap();
        assert_eq!(project.nothing(&url, &[]), (false, false));
        assert_eq!(project.nothing(&url, &[]), (false, false));
        fs::write(project.0.join("app.yaml"), TABLE).unwrap();
        assert_eq!(project.nothing(&url, &[]), (true, true));
        // A file that was cut off is none.
        let text = fs::read_to_string(project.file(true)).unwrap();
        fs::write(project.file(true), &text[..text.len() - 20]).unwrap();
        assert_eq!(project.nothing(&url, &[]), (true, false));
    }
}

#[test]
fn a_run_that_depends_on_the_day_is_not_known() {
    for server in servers::all() {
        let database = server.database();
        let yaml =
            "domain: app\ntables:\n  t:\n    columns: { d: date }\n    checks: { c: \"d < 'today'\" }\n";
        let project = Project::new(&format!("day-{}", server.major()), yaml);
        let url = database.url_as_owner();
        project.apply(&url);
        for _ in 0..2 {
            assert_eq!(project.nothing(&url, &[]), (true, false));
        }
    }
}

#[test]
fn what_was_proven_is_not_asked_again() {
    for server in servers::all() {
        let database = server.database();
        let project = Project::new(&format!("known-{}", server.major()), TABLE);
        let url = database.url_as_owner();
        project.apply(&url);
        // The apply has compared again, and has kept what it heard in the database.
        let mut client = database.connect(As::Owner);
        assert_ne!(value(&mut client, "select count(*)::text from schemac.memory"), "0");
        let (shown, asked) = project.diff(&url, &["--no-cache"]);
        assert!(shown.contains(EQUAL) && asked == 0, "{asked} {shown}");
        assert!(!project.cache().exists(), "--no-cache has written");

        // Without it the server is asked, and the user's own file is enough afterwards.
        forget(&database);
        let (shown, asked) = project.diff(&url, &["--no-cache"]);
        assert!(shown.contains(EQUAL) && asked > 0, "{asked} {shown}");
        assert!(project.diff(&url, &[]).1 > 0);
        project.forget_runs();
        let (shown, asked) = project.diff(&url, &[]);
        assert!(shown.contains(EQUAL) && asked == 0, "{asked} {shown}");
        // A file that was cut off is none.
        project.forget_runs();
        let file = project.file(false);
        let text = fs::read_to_string(&file).unwrap();
        fs::write(&file, &text[..text.len() - 20]).unwrap();
        assert!(project.diff(&url, &[]).1 > 0);

        // And so is a lock, the same for the same database, where there is nothing else.
        project.diff(&url, &["--lock"]);
        let lock = fs::read(project.0.join("schemac.lock")).unwrap();
        fs::remove_dir_all(project.cache()).unwrap();
        let (shown, asked) = project.diff(&url, &["--no-cache", "--lock"]);
        assert!(shown.contains(EQUAL) && asked == 0, "{asked} {shown}");
        assert_eq!(fs::read(project.0.join("schemac.lock")).unwrap(), lock);

        // A change elsewhere takes nothing of it away; one in the text itself is seen.
        let more = TABLE.replace("views:\n", "  other:\n    columns: { a: int }\nviews:\n");
        fs::write(project.0.join("app.yaml"), more).unwrap();
        let (shown, asked) = project.diff(&url, &["--no-cache"]);
        assert!(shown.contains("create table app.other") && !shown.contains("s_check"), "{shown}");
        assert_eq!(asked, 0, "{shown}");
        let other = TABLE.replace("between 1 and 5", "between 1 and 6");
        fs::write(project.0.join("app.yaml"), other).unwrap();
        let (shown, _) = project.diff(&url, &["--no-cache"]);
        assert!(shown.contains("s_check") && !shown.contains("s_idx"), "{shown}");
    }
}

#[test]
fn a_committed_lock_is_enough_for_a_role_that_may_only_read() {
    for server in servers::all() {
        let database = server.database();
        let project = Project::new(&format!("reader-{}", server.major()), TABLE);
        let of_moment = TABLE.replace(
            "    checks:\n",
            "      at: timestamptz\n    checks:\n      at_check: at > '2024-01-01 Europe/Berlin'\n",
        );
        fs::write(project.0.join("app.yaml"), &of_moment).unwrap();
        project.apply(&database.url_as_owner());
        forget(&database);
        server.ensure_role("reader", &format!("LOGIN PASSWORD '{}'", server.scratch().password())).unwrap();
        let revoke = format!("REVOKE TEMPORARY ON DATABASE {} FROM PUBLIC", database.name());
        database.execute_as(As::Superuser, &revoke).unwrap();
        let reader = server.scratch().url_as("reader", server.scratch().password(), database.name());
        let compare = |arguments: &[&str]| {
            let all: Vec<&str> =
                ["diff", "--exit-code", "--no-cache"].iter().chain(arguments).copied().collect();
            product::run(&project.0, &reader, &all).unwrap()
        };
        // Nobody may be asked: what analysis cannot tell stays in the plan, with the reason and what helps.
        let run = compare(&[]);
        let said = run.expect(2).all();
        assert!(said.contains("at_check") && !said.contains("s_check"), "{said}");
        assert!(said.contains("may not create temporary objects here: GRANT TEMPORARY"), "{said}");

        // Who may ask writes the lock; the reader's pipeline needs nothing else, and changes nothing.
        project.diff(&database.url_as_owner(), &["--lock", "--no-cache"]);
        let lock = project.0.join("schemac.lock");
        let text = fs::read(&lock).unwrap();
        let folder = fs::metadata(&project.0).unwrap().permissions();
        let run = compare(&[]);
        assert!(run.expect(0).stdout.contains(EQUAL), "{}", run.all());
        assert!(!run.stderr.contains("could not be proven"), "{}", run.all());
        assert_eq!(
            (fs::read(&lock).unwrap(), fs::metadata(&project.0).unwrap().permissions()),
            (text, folder)
        );

        // A change of the text is seen, and of nothing else; one in the database too.
        fs::write(project.0.join("app.yaml"), of_moment.replace("2024-01-01", "2024-01-02")).unwrap();
        let said = compare(&[]).expect(2).stdout.clone();
        assert!(said.contains("at_check") && !said.contains("s_check"), "{said}");
        fs::write(project.0.join("app.yaml"), &of_moment).unwrap();
        database
            .execute(
                "alter table app.t drop constraint at_check; \
                 alter table app.t add constraint at_check check (at > '2024-01-03')",
            )
            .unwrap();
        assert!(compare(&[]).expect(2).stdout.contains("at_check"));
    }
}

const NORM: &str = "domain: app
tables:
  t:
    columns: { s: text }
    checks:
      s_check: norm(s) in ('a', 'b')
";

#[test]
fn a_function_of_that_name_makes_it_another_text() {
    let Some(server) = servers::get(15).or_else(|| servers::all().next()) else { return };
    let database = server.database();
    let function = |schema: &str, argument: &str| {
        let sql = format!(
            "create function {schema}.norm({argument}) returns text immutable language sql as 'select $1::text'"
        );
        database.execute(&sql).unwrap();
    };
    function("public", "varchar");
    let project = Project::new("norm", NORM);
    let url = database.url_as_owner();
    project.apply(&url);
    assert_eq!(project.diff(&url, &["--no-cache"]).1, 0);
    // Nearer, or a better match: the text means another function now, and the check that is there the old one.
    function("public", "text");
    let (shown, asked) = project.diff(&url, &["--no-cache"]);
    assert!(asked > 0 && shown.contains("s_check"), "{asked} {shown}");
    // The same name where nobody looks is asked about, and means nothing.
    database.execute("drop function public.norm(text); create schema hidden").unwrap();
    assert_eq!(project.diff(&url, &["--no-cache"]).1, 0);
    function("hidden", "text");
    let (shown, asked) = project.diff(&url, &["--no-cache"]);
    assert!(asked > 0 && shown.contains(EQUAL), "{asked} {shown}");
}

const STAR: &str = "domain: app
tables:
  t:
    columns: { a: int, b: int }
views:
  v: { query: select * from t }
  w: { query: select * from v }
";

#[test]
fn a_new_column_makes_a_star_another_text() {
    let Some(server) = servers::get(15).or_else(|| servers::all().next()) else { return };
    let database = server.database();
    let project = Project::new("star", STAR);
    let url = database.url_as_owner();
    project.apply(&url);
    assert_eq!(project.diff(&url, &["--no-cache"]).1, 0);
    // In the files only.
    let more = STAR.replace("b: int", "b: int, c: int");
    fs::write(project.0.join("app.yaml"), &more).unwrap();
    let (shown, _) = project.diff(&url, &["--no-cache"]);
    for changed in ["column app.t.c", "view app.v", "view app.w"] {
        assert!(shown.contains(changed), "{changed}\n{shown}");
    }
    // In the database only, and then in both.
    fs::write(project.0.join("app.yaml"), STAR).unwrap();
    database.execute("alter table app.t add c int").unwrap();
    let (shown, _) = project.diff(&url, &["--no-cache", "--allow", "all"]);
    assert!(shown.contains("drop column app.t.c"), "{shown}");
    fs::write(project.0.join("app.yaml"), &more).unwrap();
    let (shown, asked) = project.diff(&url, &["--no-cache"]);
    assert!(asked > 0 && shown.contains("view app.v") && shown.contains("view app.w"), "{asked} {shown}");
    assert!(!Path::new(&project.0).join("schemac.lock").exists());
}

const TYPES: &str = "domain: app
enums:
  mood: [ok, sad]
domains:
  amount: numeric(8,2)
tables:
  plain:
    columns: { id: int, s: text }
    checks:
      plain_check: s in ('a', 'b') and id between 1 and 5
  moody:
    columns: { m: app.mood }
  priced:
    columns: { id: int, price: app.amount }
    checks:
      priced_check: price between 1 and 5
views:
  cheap:
    query: select id from priced where price in (1, 2)
  dear:
    query: select * from cheap where id between 1 and 2
";

#[test]
fn a_type_that_changes_takes_the_word_of_what_is_of_it_alone() {
    let Some(server) = servers::get(15).or_else(|| servers::all().next()) else { return };
    let database = server.database();
    let project = Project::new("types", TYPES);
    let url = database.url_as_owner();
    project.apply(&url);
    assert_eq!(project.diff(&url, &["--no-cache"]).1, 0);
    // No SQL is about the enum or what is of it: all is believed.
    let write = |text: &str| fs::write(project.0.join("app.yaml"), text).unwrap();
    write(&TYPES.replace("[ok, sad]", "[ok, sad, glad]"));
    let (shown, asked) = project.diff(&url, &["--no-cache"]);
    assert!(asked == 0 && shown.contains("enum type app.mood"), "{asked} {shown}");
    assert!(!shown.contains("app.plain") && !shown.contains("app.priced"), "{shown}");
    // What is over the domain's column does not name the domain, and is made anew.
    write(&TYPES.replace("numeric(8,2)", "double precision"));
    let (shown, _) = project.diff(&url, &["--no-cache", "--allow", "all"]);
    for changed in ["priced_check", "view app.cheap"] {
        assert!(shown.contains(changed), "{changed}\n{shown}");
    }
    assert!(!shown.contains("app.plain"), "{shown}");
}
