//! Fixtures of one behaviour each: `fixtures/<kind>/<behaviour>.md`.
//!
//! A sentence says what is shown. Fenced blocks hold the rest; their info strings are:
//!
//! - `sql setup`: run by the superuser before everything, such as functions of an external schema;
//! - `yaml before`, `yaml after`: a file of the project on either side, several where a first line
//!   `# file: schema/other.yaml` says so; without one it is `schema/app.yaml`. [`PROJECT`] is the project
//!   file unless there is a block for it. A side without a block is a project without files;
//! - `sql rows`: what is put into the tables of `before`;
//! - `sql expect`: statements run by the superuser after `after` was applied, each in the same transaction that is
//!   rolled back. Lines `-- > a | b` below one are its rows, `-- > none` no rows, `-- > error 42501` a failure;
//! - `sql plan`, `sql plan back`: exactly the statements of the plan from before to after, and of the one back,
//!   in any order (that the order works is shown by applying). Written from PostgreSQL's semantics, never
//!   copied from the program;
//! - `sql directly`: what `after` means in plain SQL, run by the owner: the second witness that no attribute is
//!   lost on both sides of a comparison.
//!
//! Lines outside of blocks that begin with one of these words say more:
//!
//! - `versions: 15-18`, `roles: one, Another` (created when missing);
//! - `by: superuser`: the superuser applies, and not the owner of the database;
//! - `allow: drop-column`: what `apply` must be allowed; without it the apply is refused;
//! - `allow back: revoke`: the same for the way back; all, when it does not say;
//! - `one way: <reason>`: there is no way back;
//! - `moved: old.name = new.name`, `renamed: new.table: old_column = new_column`, `changed: new.table.new_column`:
//!   how rows compare;
//! - `open: <what is missing>`: the product cannot do this yet; the fixture must fail, and says so once it does not;
//! - `refused: <words>`: the diff to `after` is an error that has these words, and changes nothing.

use std::collections::BTreeSet;
use std::fs;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

use crate::servers::As;
use crate::sql::{Statement, TokenKind, statements};
use crate::{Result, repository};

/// The project file of a fixture that has none of its own.
pub const PROJECT: &str = "\
postgres: 14
sources: [schema/]
search_path: [public, extensions]
external:
  schemas: [ext]
  roles: [anon, authenticated, service_role]
undeclared: drop
";

/// A file of a project: its path in the project's folder, and its text.
pub type File = (String, String);

/// One fixture.
#[derive(Clone, Debug)]
pub struct Case {
    /// `<kind>/<behaviour>`.
    pub name: String,
    /// Where it is.
    pub path: PathBuf,
    /// What it shows.
    pub says: String,
    /// The major versions that it is for.
    pub versions: RangeInclusive<u32>,
    /// Roles that it needs.
    pub roles: Vec<String>,
    /// Who applies.
    pub by: As,
    /// SQL before everything.
    pub setup: String,
    /// The project before.
    pub before: Vec<File>,
    /// The project after.
    pub after: Vec<File>,
    /// SQL that fills the tables.
    pub rows: String,
    /// What is asked after the change.
    pub expect: Vec<Question>,
    /// The plan there.
    pub plan: Option<Vec<String>>,
    /// The plan back.
    pub plan_back: Option<Vec<String>>,
    /// What `after` means in SQL.
    pub directly: Option<String>,
    /// What is allowed on the way there.
    pub allow: BTreeSet<String>,
    /// What is allowed on the way back; everything when it does not say.
    pub allow_back: Option<BTreeSet<String>>,
    /// Why there is no way back.
    pub one_way: Option<String>,
    /// Tables by their old and new name.
    pub moved: Vec<(String, String)>,
    /// Columns: the new name of the table, the old and the new name of the column.
    pub renamed: Vec<(String, String, String)>,
    /// Columns whose values change: table and column, by their new names.
    pub changed: Vec<(String, String)>,
    /// What the product cannot do yet.
    pub open: Option<String>,
    /// Words of the error that the diff ends with.
    pub refused: Option<String>,
}

/// A statement and what it must answer.
#[derive(Clone, Debug)]
pub struct Question {
    /// The statement.
    pub sql: String,
    /// Its rows, or the error; only success counts when there is none.
    pub answer: Option<Vec<String>>,
    /// Its line in the file.
    pub line: usize,
}

/// All fixtures, by name.
pub fn all() -> Result<Vec<Case>> {
    let mut cases = Vec::new();
    let root = repository().join("fixtures");
    let mut kinds: Vec<PathBuf> = entries(&root)?;
    // What is said about wrong input has a test of its own.
    kinds.retain(|path| path.is_dir() && !path.ends_with("diagnostics"));
    for kind in kinds {
        for path in entries(&kind)? {
            // A project's folder may have a README of its own.
            let is_case = path.extension().is_some_and(|extension| extension == "md")
                && path.file_name().is_some_and(|name| name != "README.md");
            if is_case {
                let name = path.strip_prefix(&root)?.with_extension("");
                let text = fs::read_to_string(&path)?;
                let case = parse(&name.to_string_lossy(), &path, &text);
                cases.push(case.map_err(|error| format!("{}: {error}", path.display()))?);
            }
        }
    }
    Ok(cases)
}

fn entries(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut paths = fs::read_dir(folder)?
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<std::io::Result<Vec<PathBuf>>>()?;
    paths.sort();
    Ok(paths)
}

/// Writes a side of a fixture as a project into a folder.
///
/// # Errors
/// A file cannot be written.
pub fn write(project: &Path, files: &[File]) -> Result<()> {
    fs::create_dir_all(project.join("schema"))?;
    fs::write(project.join("schemac.yaml"), PROJECT)?;
    for (name, text) in files {
        let path = project.join(name);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent)?;
        }
        fs::write(path, text)?;
    }
    Ok(())
}

fn parse(name: &str, path: &Path, text: &str) -> Result<Case> {
    let mut case = Case {
        name: name.to_owned(),
        path: path.to_owned(),
        says: String::new(),
        versions: 14..=18,
        roles: Vec::new(),
        by: As::Owner,
        setup: String::new(),
        before: Vec::new(),
        after: Vec::new(),
        rows: String::new(),
        expect: Vec::new(),
        plan: None,
        plan_back: None,
        directly: None,
        allow: BTreeSet::new(),
        allow_back: None,
        one_way: None,
        moved: Vec::new(),
        renamed: Vec::new(),
        changed: Vec::new(),
        open: None,
        refused: None,
    };
    let mut lines = text.lines().enumerate();
    while let Some((at, line)) = lines.next() {
        let at = at + 1;
        let Some(info) = line.strip_prefix("```") else {
            header(&mut case, line).map_err(|error| format!("line {at}: {error}"))?;
            continue;
        };
        let mut block = String::new();
        loop {
            match lines.next() {
                Some((_, "```")) => break,
                Some((_, line)) => {
                    block.push_str(line);
                    block.push('\n');
                }
                None => return Err(format!("line {at}: the block has no end").into()),
            }
        }
        match info.trim() {
            "sql setup" => case.setup.push_str(&block),
            "sql rows" => case.rows.push_str(&block),
            "sql directly" => case.directly = Some(block),
            "sql plan" => case.plan = Some(plan(&block)),
            "sql plan back" => case.plan_back = Some(plan(&block)),
            "sql expect" => case.expect.extend(questions(&block, at + 1)?),
            "yaml before" | "sql before" => case.before.push(file(block)),
            "yaml after" | "sql after" => case.after.push(file(block)),
            other => return Err(format!("line {at}: a block cannot be \"{other}\"").into()),
        }
    }
    if case.says.is_empty() {
        return Err("it does not say what it shows".into());
    }
    Ok(case)
}

fn header(case: &mut Case, line: &str) -> Result<()> {
    let words = |value: &str| -> Vec<String> {
        value.split(',').map(|word| word.trim().to_owned()).filter(|word| !word.is_empty()).collect()
    };
    let Some((key, value)) = line.split_once(": ").or_else(|| line.split_once(':')) else {
        say(&mut case.says, line);
        return Ok(());
    };
    let value = value.trim();
    let two = |text: &str| -> Result<(String, String)> {
        let (old, new) = text.split_once(" = ").ok_or("two names with = between are needed")?;
        Ok((old.trim().to_owned(), new.trim().to_owned()))
    };
    match key {
        "versions" => {
            let (first, last) = value.split_once('-').unwrap_or((value, value));
            case.versions = first.parse()?..=last.parse()?;
        }
        "roles" => case.roles = words(value),
        "by" if value == "superuser" => case.by = As::Superuser,
        "allow" => case.allow = words(value).into_iter().collect(),
        "allow back" => case.allow_back = Some(words(value).into_iter().collect()),
        "one way" => case.one_way = Some(value.to_owned()),
        "moved" => case.moved.push(two(value)?),
        "renamed" => {
            let (table, columns) = value.split_once(": ").ok_or("a table and : are needed")?;
            let (old, new) = two(columns)?;
            case.renamed.push((table.to_owned(), old, new));
        }
        "changed" => {
            let (table, column) = value.rsplit_once('.').ok_or("schema.table.column is needed")?;
            case.changed.push((table.to_owned(), column.to_owned()));
        }
        "open" => case.open = Some(value.to_owned()),
        "refused" => case.refused = Some(value.to_owned()),
        _ => say(&mut case.says, line),
    }
    Ok(())
}

fn say(says: &mut String, line: &str) {
    let line = line.trim_start_matches('#').trim();
    if !says.is_empty() && !line.is_empty() {
        says.push(' ');
    }
    says.push_str(line);
}

fn file(block: String) -> File {
    let first = block.lines().next();
    let name = first.and_then(|line| line.strip_prefix("# file: ").or(line.strip_prefix("-- file: ")));
    (name.map_or("schema/app.yaml", str::trim).to_owned(), block)
}

fn questions(block: &str, first: usize) -> Result<Vec<Question>> {
    let mut questions: Vec<Question> = Vec::new();
    let mut sql = String::new();
    for (at, line) in block.lines().enumerate() {
        let line_number = first + at;
        if let Some(row) = line.strip_prefix("-- > ") {
            let question = questions.last_mut().filter(|_| sql.trim().is_empty());
            let question = question.ok_or(format!("line {line_number}: an answer without a statement"))?;
            let rows = question.answer.get_or_insert_default();
            if row != "none" {
                rows.push(row.to_owned());
            }
            continue;
        }
        sql.push_str(line);
        sql.push('\n');
        if line.trim_end().ends_with(';') {
            let sql = std::mem::take(&mut sql).trim().trim_end_matches(';').to_owned();
            questions.push(Question { sql, answer: None, line: line_number });
        }
    }
    if sql.trim().is_empty() { Ok(questions) } else { Err("the last statement has no semicolon".into()) }
}

/// The statements of a script that change something, in a form in which only their meaning counts: without blanks,
/// comments, capitals of keywords, needless quotes and the short names of types; sorted. What a script says about
/// itself (transactions, settings, locks) is left out.
pub fn plan(script: &str) -> Vec<String> {
    let mut all: Vec<String> =
        statements(script).iter().filter(|statement| !is_frame(statement)).map(plain).collect();
    all.sort_unstable();
    all
}

fn is_frame(statement: &Statement<'_>) -> bool {
    const WORDS: [&str; 8] = ["begin", "start", "commit", "set", "reset", "lock", "select", "rollback"];
    let first = statement.tokens.iter().find(|token| !token.is_blank());
    first.is_none_or(|token| WORDS.iter().any(|word| token.is(word)))
}

fn plain(statement: &Statement<'_>) -> String {
    let mut text = String::new();
    for token in statement.tokens.iter().filter(|token| !token.is_blank()) {
        if !text.is_empty() && !token.is_symbol(".") && !text.ends_with('.') {
            text.push(' ');
        }
        match token.kind {
            TokenKind::Word => {
                let word = token.text.to_lowercase();
                let known = TYPES.iter().find(|(short, _)| *short == word);
                text.push_str(known.map_or(&word, |(_, long)| long));
            }
            TokenKind::Quoted => text.push_str(&unquoted(token.text)),
            _ => text.push_str(token.text),
        }
    }
    text
}

const TYPES: [(&str, &str); 8] = [
    ("int", "integer"),
    ("int4", "integer"),
    ("int8", "bigint"),
    ("int2", "smallint"),
    ("bool", "boolean"),
    ("float8", "double precision"),
    ("timestamptz", "timestamp with time zone"),
    ("varchar", "character varying"),
];

fn unquoted(text: &str) -> String {
    let inside = &text[1..text.len() - 1];
    let is_plain = inside.starts_with(|c: char| c.is_ascii_lowercase() || c == '_')
        && inside.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
    if is_plain { inside.to_owned() } else { text.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plans_compare_by_meaning() {
        let one = "BEGIN;\nSET LOCAL x = 1;\n-- why\nALTER TABLE app.t\n  ADD COLUMN \"a\" int4;\nDROP VIEW app.\"V\";\nCOMMIT;";
        let other = "drop view app.\"V\"; alter table \"app\".t add column a integer;";
        assert_eq!(plan(one), plan(other));
        assert_ne!(plan(one), plan(&other.replace("\"V\"", "v")));
        assert_ne!(plan(one), plan(&other.replace(" a ", " b ")));
        assert_eq!(plan("select 1; begin;"), Vec::<String>::new());
    }

    #[test]
    fn reads_a_fixture() {
        let text = "# It works.\n\nallow: drop-column, revoke\nmoved: public.a = app.b\n\n\
            ```yaml before\ndomain: app\n```\n```yaml after\n# file: schema/b.yaml\ndomain: b\n```\n\
            ```sql expect\nselect 1,\n  2;\n-- > 1 | 2\nselect 3;\n```\n";
        let case = parse("x/y", Path::new("y.md"), text).unwrap();
        assert_eq!(case.says, "It works.");
        assert_eq!(case.allow.len(), 2);
        assert_eq!(case.moved, [("public.a".to_owned(), "app.b".to_owned())]);
        assert_eq!(case.before[0].0, "schema/app.yaml");
        assert_eq!(case.after[0].0, "schema/b.yaml");
        assert_eq!(case.expect.len(), 2);
        assert_eq!(case.expect[0].answer.as_deref(), Some(&["1 | 2".to_owned()][..]));
        assert!(parse("x/y", Path::new("y.md"), "a\n```sql what\n```\n").is_err());
    }
}
