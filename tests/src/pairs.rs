//! Pairs of what people write and what PostgreSQL stores, for the equality of SQL: the written side is in
//! `fixtures/normalize/written`, the stored side is what servers of all versions answered
//! (`cargo run -p schemac-tests --bin corpus`).

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;

use postgres::{Client, SimpleQueryMessage};
use schemac_schema::id::ObjectId;
use schemac_schema::object::Kind;

use crate::made::table;
use crate::{Result, repository};

/// The kinds of places that there are pairs for.
pub const PLACES: [&str; 17] = [
    "check",
    "policy",
    "trigger",
    "default",
    "generated",
    "domain",
    "index",
    "predicate",
    "view",
    "exclusion",
    "partition_key",
    "bound",
    "statistics",
    "rows",
    "argument",
    "rule",
    "body",
];

/// The places whose written forms come with a type, with the key that a bound is of, with a rule's event, or with what
/// stands before a routine's body.
const TYPED: [&str; 7] = ["default", "generated", "domain", "bound", "argument", "rule", "body"];

/// One pair.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Pair {
    /// The type that the place has, where it needs one: a default's, a domain's.
    pub of: String,
    /// What is written.
    pub written: String,
    /// What each version stores; a version that refuses it is missing.
    pub stored: BTreeMap<u32, String>,
}

/// Where the fixtures are.
pub fn folder() -> PathBuf {
    repository().join("fixtures/normalize")
}

/// The relation of the project that a place belongs to.
pub fn relation(place: &str) -> ObjectId {
    table("app", if place == "default" { "members" } else { "users" })
}

/// The lines of a file of written forms.
///
/// # Errors
/// The file cannot be read.
pub fn lines(name: &str) -> Result<Vec<String>> {
    let text = fs::read_to_string(folder().join("written").join(format!("{name}.txt")))?;
    Ok(text.lines().map(str::trim_end).filter(|line| !line.is_empty()).map(str::to_owned).collect())
}

/// What is written for a place: the type and the text.
///
/// # Errors
/// A file cannot be read.
pub fn written(place: &str) -> Result<Vec<(String, String)>> {
    let plain = |lines: Vec<String>| lines.into_iter().map(|line| (String::new(), line)).collect::<Vec<_>>();
    let typed = |lines: Vec<String>| {
        lines
            .into_iter()
            .filter_map(|line| line.split_once('\t').map(|(of, text)| (of.to_owned(), text.to_owned())))
            .collect::<Vec<_>>()
    };
    let conditions = lines("conditions")?;
    Ok(match place {
        "check" => plain(conditions),
        "policy" => plain(lines("policies")?.into_iter().chain(conditions).collect()),
        "trigger" => {
            let of_new = conditions.iter().filter_map(|text| of_new(text));
            plain(lines("triggers")?.into_iter().chain(of_new).collect())
        }
        "predicate" => plain(conditions.iter().map(|text| format!("(id) where {text}")).collect()),
        "index" => plain(lines("indexes")?),
        "view" => {
            let filtered = conditions.iter().map(|text| format!("select id from users where {text}"));
            plain(lines("views")?.into_iter().chain(filtered).collect())
        }
        "default" => typed(lines("defaults")?),
        "generated" => typed(lines("generated")?),
        "domain" => typed(lines("domains")?),
        "exclusion" => plain(lines("exclusions")?),
        "partition_key" => plain(lines("partition_keys")?),
        "bound" => typed(lines("bounds")?),
        "statistics" => plain(lines("statistics")?),
        "rows" => plain(conditions.into_iter().step_by(4).collect()),
        "argument" => typed(lines("arguments")?),
        "rule" => typed(lines("rules")?),
        "body" => typed(lines("bodies")?),
        other => return Err(format!("no place {other}").into()),
    })
}

/// A condition with its columns as those of NEW.
fn of_new(text: &str) -> Option<String> {
    use schemac_schema::fragment::{Grammar, names};
    use schemac_schema::names::{MentionKind, splice};
    let found = names(text, Grammar::Expression).ok()?;
    let columns = found.mentions.iter().filter(|mention| mention.kind == MentionKind::Column);
    let changes = columns
        .map(|mention| {
            let last = text.get(mention.start..mention.end)?.rsplit('.').next()?;
            Some((mention.start, mention.end, format!("new.{last}")))
        })
        .collect::<Option<Vec<_>>>()?;
    Some(splice(text, changes))
}

fn escape(text: &str) -> String {
    text.replace('\\', "\\\\").replace('\n', "\\n")
}

fn unescape(text: &str) -> String {
    let mut out = String::new();
    let mut characters = text.chars();
    while let Some(c) = characters.next() {
        match c {
            '\\' => match characters.next() {
                Some('n') => out.push('\n'),
                Some(other) => out.push(other),
                None => {}
            },
            c => out.push(c),
        }
    }
    out
}

/// Writes the pairs of a place.
///
/// # Errors
/// The file cannot be written.
pub fn save(place: &str, pairs: &[Pair]) -> Result<()> {
    let mut out = String::new();
    for pair in pairs {
        let of = if pair.of.is_empty() { String::new() } else { format!("{}\t", pair.of) };
        let _ = writeln!(out, "{of}{}", escape(&pair.written));
        let mut by_text: Vec<(&str, Vec<String>)> = Vec::new();
        for (version, text) in &pair.stored {
            match by_text.iter_mut().find(|(known, _)| known == text) {
                Some((_, versions)) => versions.push(version.to_string()),
                None => by_text.push((text, vec![version.to_string()])),
            }
        }
        for (text, versions) in by_text {
            let _ = writeln!(out, "  {}: {}", versions.join(" "), escape(text));
        }
    }
    let file = folder().join("stored").join(format!("{place}.txt"));
    if let Some(folder) = file.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::write(file, out)?;
    Ok(())
}

/// Reads the pairs of a place; those of `mutants/check` are different in meaning from those of `check`.
///
/// # Errors
/// The file cannot be read, or is not of this form.
pub fn load(place: &str) -> Result<Vec<Pair>> {
    let text = fs::read_to_string(folder().join("stored").join(format!("{place}.txt")))?;
    let mut pairs: Vec<Pair> = Vec::new();
    for line in text.lines() {
        match line.strip_prefix("  ") {
            Some(stored) => {
                let (versions, stored) = stored.split_once(": ").ok_or("a line without versions")?;
                let pair = pairs.last_mut().ok_or("a stored form without a written one")?;
                for version in versions.split(' ') {
                    pair.stored.insert(version.parse()?, unescape(stored));
                }
            }
            None => {
                let typed = TYPED.iter().any(|name| place.ends_with(name));
                let (of, written) = line.split_once('\t').filter(|_| typed).unwrap_or(("", line));
                pairs.push(Pair { of: of.into(), written: unescape(written), stored: BTreeMap::new() });
            }
        }
    }
    Ok(pairs)
}

/// The statements that put a written form where it belongs, and the query that reads it back.
fn question(place: &str, relation: &str, of: &str, text: &str) -> (String, String) {
    match place {
        "check" => (
            format!("ALTER TABLE {relation} ADD CONSTRAINT schemac_probe CHECK ({text}) NOT VALID"),
            "SELECT pg_get_expr(conbin, conrelid) FROM pg_constraint WHERE conname = 'schemac_probe'".into(),
        ),
        "policy" => (
            format!("CREATE POLICY schemac_probe ON {relation} USING ({text})"),
            "SELECT pg_get_expr(polqual, polrelid) FROM pg_policy WHERE polname = 'schemac_probe'".into(),
        ),
        "trigger" => (
            format!(
                "CREATE TRIGGER schemac_probe BEFORE {} ON {relation} FOR EACH ROW WHEN ({text}) \
                 EXECUTE FUNCTION suppress_redundant_updates_trigger()",
                if text.to_lowercase().contains("old.") { "UPDATE" } else { "INSERT OR UPDATE" }
            ),
            "SELECT pg_get_triggerdef(oid) FROM pg_trigger WHERE tgname = 'schemac_probe'".into(),
        ),
        "default" => (
            format!("CREATE TABLE app.probe (it {of}); ALTER TABLE app.probe ALTER it SET DEFAULT {text}"),
            "SELECT pg_get_expr(adbin, adrelid) FROM pg_attrdef WHERE adrelid = 'app.probe'::regclass".into(),
        ),
        "generated" => (
            format!(
                "ALTER TABLE {relation} ADD COLUMN schemac_probe {of} GENERATED ALWAYS AS ({text}) STORED"
            ),
            "SELECT pg_get_expr(adbin, adrelid) FROM pg_attrdef JOIN pg_attribute ON attrelid = adrelid \
             AND attnum = adnum WHERE attname = 'schemac_probe'"
                .into(),
        ),
        "domain" => (
            format!("CREATE DOMAIN app.probe AS {of} CONSTRAINT schemac_probe CHECK ({text})"),
            "SELECT pg_get_expr(conbin, 0) FROM pg_constraint WHERE conname = 'schemac_probe'".into(),
        ),
        "index" | "predicate" => (
            format!("CREATE INDEX schemac_probe ON {relation} {text}"),
            "SELECT pg_get_indexdef(oid) FROM pg_class WHERE relname = 'schemac_probe'".into(),
        ),
        "exclusion" => (
            format!("ALTER TABLE {relation} ADD CONSTRAINT schemac_probe EXCLUDE {text}"),
            "SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = 'schemac_probe'".into(),
        ),
        "statistics" => (
            format!("CREATE STATISTICS app.schemac_probe {text} FROM {relation}"),
            "SELECT pg_get_statisticsobjdef(oid) FROM pg_statistic_ext WHERE stxname = 'schemac_probe'".into(),
        ),
        "rows" => (
            format!("CREATE PUBLICATION schemac_probe FOR TABLE {relation} WHERE ({text})"),
            "SELECT pg_get_expr(prqual, prrelid) FROM pg_publication_rel JOIN pg_publication p ON p.oid = prpubid \
             WHERE pubname = 'schemac_probe'"
                .into(),
        ),
        "partition_key" => (
            format!("CREATE TABLE app.probe (LIKE {relation}) PARTITION BY {text}"),
            "SELECT pg_get_partkeydef('app.probe'::regclass)".into(),
        ),
        "bound" => (
            format!(
                "CREATE TABLE app.probe (LIKE {relation}) PARTITION BY {of}; \
                 CREATE TABLE app.part PARTITION OF app.probe {text}"
            ),
            "SELECT pg_get_expr(relpartbound, oid) FROM pg_class WHERE oid = 'app.part'::regclass".into(),
        ),
        "argument" => (
            format!(
                "CREATE FUNCTION app.probe(a {of} DEFAULT {text}) RETURNS int LANGUAGE sql AS 'SELECT 1'"
            ),
            "SELECT pg_get_function_arg_default(oid, 1) FROM pg_proc WHERE proname = 'probe'".into(),
        ),
        "rule" => (
            format!("CREATE RULE schemac_probe AS ON {of} TO {relation} {text}"),
            "SELECT pg_get_ruledef(oid) FROM pg_rewrite WHERE rulename = 'schemac_probe'".into(),
        ),
        "body" => (
            format!("CREATE FUNCTION app.f{of} LANGUAGE sql {text}"),
            "SELECT pg_get_function_sqlbody(oid) FROM pg_proc WHERE proname = 'f' \
             AND pronamespace = 'app'::regnamespace"
                .into(),
        ),
        _ => (
            format!("CREATE VIEW app.probe AS {text}"),
            "SELECT pg_get_viewdef('app.probe'::regclass)".into(),
        ),
    }
}

/// How a server stores a written form in the project's database, or what it says against it. Nothing is left behind.
///
/// # Errors
/// The server refuses it.
pub fn stored(client: &mut Client, place: &str, of: &str, text: &str) -> std::result::Result<String, String> {
    let relation = relation(place).qname().map(schemac_schema::sql::qualified).unwrap_or_default();
    stored_on(client, place, &relation, "app, public", of, text)
}

/// The same on another relation, under another search_path; the schema `app` is used for what is made.
///
/// # Errors
/// The server refuses it.
pub fn stored_on(
    client: &mut Client,
    place: &str,
    relation: &str,
    search_path: &str,
    of: &str,
    text: &str,
) -> std::result::Result<String, String> {
    let (make, read) = question(place, relation, of, text);
    let sql = format!(
        "BEGIN; SET LOCAL TimeZone = 'UTC'; SET LOCAL DateStyle = 'ISO, MDY'; SET LOCAL IntervalStyle = 'postgres'; \
         SET LOCAL bytea_output = 'hex'; SET LOCAL extra_float_digits = 1; \
         SET LOCAL search_path = {search_path}; {make}; \
         SET LOCAL search_path = pg_catalog, pg_temp; {read}; ROLLBACK"
    );
    let messages = client.simple_query(&sql).map_err(|error| {
        let _ = client.batch_execute("ROLLBACK");
        error.as_db_error().map_or_else(|| error.to_string(), |error| error.message().to_owned())
    })?;
    let text = messages.iter().find_map(|message| match message {
        SimpleQueryMessage::Row(row) => Some(row.get(0).map(str::to_owned)),
        _ => None,
    });
    let text = text.flatten().ok_or("nothing is stored")?;
    let (kind, word) = match place {
        "trigger" => (Kind::Trigger, "when"),
        "index" | "predicate" => (Kind::Index, "index"),
        "view" => (Kind::View, "query"),
        "exclusion" => (Kind::Exclusion, "exclusion"),
        "statistics" => (Kind::Statistics, "statistics"),
        "rule" => (Kind::Rule, "rule"),
        _ => (Kind::Check, ""),
    };
    Ok(kind.stored(word, &text))
}
