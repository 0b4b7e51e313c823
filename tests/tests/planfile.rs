//! Plans as files, and graphs, as people and pipelines meet them.

use std::fs;
use std::path::{Path, PathBuf};

use schemac_tests::product::{self, Run};
use schemac_tests::servers::{self, As, Database};

const BEFORE: &str = "
    create table public.users (id int primary key, name text, old int);
    alter table public.users enable row level security;
    create table public.gone (id int);
    grant select on public.users to anon;
    insert into public.users values (1, 'Ada', 1);
";

const PROJECT: &str = "\
postgres: 14
sources: [schema/]
search_path: [public]
external: { roles: [anon] }
undeclared: keep
";

const DOMAIN: &str = "\
domain: app
tables:
  users:
    moved_from: [public.users]
    facade: public.users
    columns:
      id: int primary key
      name: text
    indexes:
      users_name_idx: (lower(name))
    rls: enabled
";

/// A folder with a project, which goes away.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("schemac-planfile-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(path.join("schema")).expect("a folder");
        fs::write(path.join("schemac.yaml"), PROJECT).expect("a file");
        fs::write(path.join("schema/app.yaml"), DOMAIN).expect("a file");
        Self(path)
    }

    fn plan(&self) -> PathBuf {
        self.0.join("plan.json")
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn run(folder: &Path, database: &Database<'_>, arguments: &[&str]) -> Run {
    product::run(folder, &database.url_as_owner(), arguments).expect("it runs")
}

fn saved(folder: &Folder, database: &Database<'_>) -> String {
    let plan = folder.plan();
    run(&folder.0, database, &["diff", "--save", &plan.to_string_lossy()]).expect(0);
    fs::read_to_string(plan).expect("the plan was written")
}

fn apply(folder: &Folder, database: &Database<'_>, more: &[&str]) -> Run {
    let plan = folder.plan().to_string_lossy().into_owned();
    run(&folder.0, database, &[&["apply", "--yes", plan.as_str()], more].concat())
}

#[test]
fn what_was_saved_runs_once_and_only_while_the_database_is_as_it_was() {
    let Some(server) = servers::get(15) else { return };
    let (folder, database) = (Folder::new("saved"), server.database());
    database.execute(BEFORE).unwrap();
    let text = saved(&folder, &database);
    assert_eq!(text, saved(&folder, &database), "the same input gives the same bytes");
    let password = database.url_as_owner().split(['/', ':', '@']).nth(4).map(str::to_owned);
    assert!(password.is_some_and(|password| password.len() > 3 && !text.contains(&password)), "{text}");

    // Losses are refused as ever, and nothing runs.
    let refused = apply(&folder, &database, &[]);
    assert!(refused.expect(3).stderr.contains("drop-column"), "{}", refused.all());

    // It changed: a column more.
    database.execute("alter table public.users add extra int").unwrap();
    let changed = apply(&folder, &database, &["--allow", "all"]);
    assert!(changed.expect(1).stderr.contains("changed since the plan was made"), "{}", changed.all());
    database.execute("alter table public.users drop extra").unwrap();

    // What nobody concerned is no obstacle.
    database.execute("create table public.elsewhere (id int)").unwrap();
    let done = apply(&folder, &database, &["--allow", "all"]);
    assert!(done.expect(0).stdout.contains("Compared again: nothing is left"), "{}", done.all());
    let row = database.connect(As::Owner).query_one("select name from app.users", &[]).unwrap();
    assert_eq!(row.get::<_, String>(0), "Ada");

    // Done once, it is of another database.
    let again = apply(&folder, &database, &["--allow", "all"]);
    assert!(again.expect(1).stderr.contains("changed since the plan was made"), "{}", again.all());
}

#[test]
fn a_plan_needs_no_project_but_its_own_server_version() {
    let (Some(server), Some(other)) = (servers::get(15), servers::get(18)) else { return };
    let (folder, database) = (Folder::new("alone"), server.database());
    database.execute(BEFORE).unwrap();
    saved(&folder, &database);
    let elsewhere = other.database();
    elsewhere.execute(BEFORE).unwrap();
    let refused = apply(&folder, &elsewhere, &["--allow", "all"]);
    assert!(refused.expect(1).stderr.contains("made for PostgreSQL 15"), "{}", refused.all());
    fs::remove_file(folder.0.join("schemac.yaml")).unwrap();
    let done = apply(&folder, &database, &["--allow", "all"]);
    assert!(done.expect(0).stdout.contains("Not compared again"), "{}", done.all());
}

#[test]
fn a_file_that_was_changed_is_believed_no_word() {
    let Some(server) = servers::get(15) else { return };
    let (folder, database) = (Folder::new("tampered"), server.database());
    database.execute(BEFORE).unwrap();
    let text = saved(&folder, &database);
    let index = "CREATE INDEX users_name_idx ON app.users ((lower(name)))";
    let index = if text.contains(index) { index.to_owned() } else { statement(&text, "CREATE INDEX") };
    // What the file says of losses is taken out; the statements still tell.
    let silent = text.replace("\"allow\": \"drop-column\"", "\"allow\": \"drop-object\"");
    let cases: &[(&str, i32, &str)] = &[
        ("DROP TABLE public.gone", 3, "drop-table"),
        ("ALTER TABLE app.users DROP name", 3, "drop-column"),
        ("ALTER TABLE app.users DISABLE ROW LEVEL SECURITY", 3, "disable-rls"),
        ("REVOKE SELECT ON public.gone FROM anon", 3, "revoke"),
        ("TRUNCATE public.users", 1, "TRUNCATE"),
        ("DELETE FROM public.users", 1, "DELETE"),
        ("SELECT 1; DROP TABLE public.gone", 1, "more than one statement"),
        ("DROP TABLE public.gone CASCADE", 1, "CASCADE"),
        ("COMMIT", 1, "TRANSACTION"),
        ("DROP TABLE (", 1, "syntax error"),
    ];
    for (statement, code, said) in cases {
        let hostile = silent.replace(&index, statement);
        assert_ne!(hostile, silent, "{text}");
        fs::write(folder.plan(), hostile).unwrap();
        let refused = apply(&folder, &database, &["--allow", "drop-object"]);
        refused.expect(*code);
        assert!(refused.stderr.contains(said), "{statement}: {}", refused.all());
    }
    // No more than the file's shape, in all its parts.
    for (from, to, said) in [
        ("\"format\": 1", "\"format\": 99", "format 99"),
        ("\"segments\":", "\"segment\":", "not a plan"),
        ("\"verb\": \"create\"", "\"verb\": \"eat\"", "eat"),
        ("\"made_from\":", "\"made_of\":", "made_from"),
        ("\"mode\": \"ACCESS EXCLUSIVE\"", "\"mode\": \"WISH\"", "WISH"),
        ("\"transactional\": true", "\"transactional\": 1", "expected a boolean"),
        ("{", "", "not a plan"),
    ] {
        fs::write(folder.plan(), text.replacen(from, to, 1)).unwrap();
        let refused = apply(&folder, &database, &["--allow", "all"]);
        refused.expect(1);
        assert!(
            refused.stderr.contains("SC0606") && refused.stderr.contains(said),
            "{from}: {}",
            refused.all()
        );
    }
    let untouched =
        database.connect(As::Owner).query_one("select count(*) from public.users, public.gone", &[]);
    assert!(untouched.is_ok());
}

/// The statement of a plan's text that begins so.
fn statement(text: &str, head: &str) -> String {
    let start = text.find(head).expect(head);
    text[start..].split('"').next().unwrap_or_default().to_owned()
}

#[test]
fn graphs_of_a_project_and_of_a_plan_have_reasons_on_their_arrows() {
    let folder = Folder::new("graph");
    let dir = folder.0.to_string_lossy().into_owned();
    let of_project = product::finish(product::bare(&["graph", "--dir", &dir])).unwrap();
    let text = &of_project.expect(0).stdout;
    assert!(text.starts_with("digraph schemac {") && text.contains("[label=\"table app.users\"]"), "{text}");
    assert!(text.contains("view public.users") && text.contains("-> "), "{text}");
    let mermaid = product::finish(product::bare(&["graph", "--dir", &dir, "--format", "mermaid"])).unwrap();
    assert!(mermaid.expect(0).stdout.starts_with("flowchart LR\n"), "{}", mermaid.stdout);
    let Some(server) = servers::get(15) else { return };
    let database = server.database();
    database.execute(BEFORE).unwrap();
    let of_plan = run(&folder.0, &database, &["graph", "--plan"]);
    let text = &of_plan.expect(0).stdout;
    assert!(text.contains("move table public.users to app.users"), "{text}");
    assert!(text.contains("frees the name public.users"), "{text}");
    assert_eq!(*text, run(&folder.0, &database, &["graph", "--plan"]).stdout);
}
