//! What each role gets through the old name and the new one: the same rows, and, where it is asked for, the same effect
//! of writes. Each comparison sees one snapshot and is rolled back.
//!
//! Not here: the team's own queries (`queries`).

use super::facts::names;
use super::{Error, Facade, Finding, Left, Options, Verdict, dressed, rows};
use crate::introspect::Reading;
use postgres::Client;
use schemac_schema::ident::Ident;
use schemac_schema::sql;
use std::collections::{BTreeMap, BTreeSet};

/// How many subjects are sampled from a table.
const SAMPLED: usize = 2;

/// As how many roles is tried what everybody may do: first those that a policy names.
const AS_EVERYBODY: usize = 5;

/// Somebody who asks.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Caller {
    role: String,
    subject: Option<String>,
}

impl Caller {
    fn words(&self) -> String {
        match &self.subject {
            Some(subject) => format!("{} {subject}", self.role),
            None => self.role.clone(),
        }
    }
}

pub(super) fn compare(
    client: &mut Client,
    left: &Left,
    reading: &Reading,
    options: &Options,
    findings: &mut Vec<Finding>,
) -> Result<(), Error> {
    let mut asked: BTreeSet<String> = BTreeSet::new();
    for facade in &left.facades {
        let Some((old, new)) = names(facade) else { continue };
        let Some(shape) = shape(client, &old, &new)? else { continue };
        let mut callers: Vec<Caller> = Vec::new();
        if shape.untried > 0 {
            let message =
                format!("everybody may use it, and not each role was tried (not tried: {})", shape.untried);
            findings.push(Finding::new(Verdict::Unchecked, "reading", facade.name, message));
        }
        for (role, may) in &shape.roles {
            if !may {
                let message =
                    format!("as {role} it was not tried: the role of this connection may not act as it");
                findings.push(Finding::new(Verdict::Unchecked, "reading", facade.name, message));
                continue;
            }
            let given =
                options.subjects.iter().filter(|(of, _)| of == role).map(|(_, subject)| subject.clone());
            let subjects: Vec<String> = if options.subjects.is_empty() {
                sampled(client, left, reading, facade, &new)?
            } else {
                given.collect()
            };
            asked.insert(role.clone());
            callers.push(Caller { role: role.clone(), subject: None });
            callers.extend(
                subjects.into_iter().map(|subject| Caller { role: role.clone(), subject: Some(subject) }),
            );
        }
        if shape.estimate > options.rows as f64 {
            let message = format!(
                "its rows were not compared: there are about {}, more than --rows {}",
                shape.estimate, options.rows
            );
            findings.push(Finding::new(Verdict::Unchecked, "reading", facade.name, message));
        } else if shape.columns.is_empty() {
            let message = "it shares no column with the table by name, so their rows were not compared";
            findings.push(Finding::new(Verdict::Unchecked, "reading", facade.name, message));
        } else {
            read(client, facade, (&old, &new), &shape, (&callers, options), findings)?;
        }
        if options.writes {
            write(client, facade, (&old, &new), &shape, &callers, findings)?;
        }
    }
    let named: BTreeSet<&String> = options.subjects.iter().map(|(role, _)| role).collect();
    for role in named.into_iter().filter(|role| !asked.contains(*role)) {
        let message = "nothing was asked as it: it has no privilege on an old name, or the role of this connection may not act as it";
        findings.push(Finding::new(Verdict::Unchecked, "reading", format!("role {role}"), message));
    }
    if !options.writes && !left.facades.is_empty() {
        let message = "writes through the old names were not tried; --writes does, and rolls back";
        findings.push(Finding::new(Verdict::Unchecked, "writing", "facades", message));
    }
    Ok(())
}

/// What a facade and its table have in common.
struct Shape {
    /// Columns of both, as they stand in SQL.
    columns: Vec<String>,
    /// The columns of the primary key.
    key: Vec<String>,
    /// Columns that must be given: not null, without a default.
    needed: Vec<String>,
    /// Columns that may be written.
    writable: Vec<String>,
    /// Roles with privileges on the facade, and whether we may act as them. Where everybody has some, also some that have
    /// them only so.
    roles: BTreeMap<String, bool>,
    /// How many others there are that have privileges only as everybody.
    untried: usize,
    /// The columns of those that may read some by the old name, and not all, as they stand in SQL.
    partly: BTreeMap<String, Vec<String>>,
    /// The schema of the table, where these roles may not enter it by themselves.
    schema: String,
    estimate: f64,
    triggers: Vec<String>,
}

fn shape(client: &mut Client, old: &str, new: &str) -> Result<Option<Shape>, Error> {
    let (old, new) = (sql::literal(old), sql::literal(new));
    let question = format!(
        "SELECT b.attname, coalesce(b.attnum = ANY (k.indkey), false), \
         b.attnotnull AND NOT b.atthasdef AND b.attidentity = '' AND b.attgenerated = '', \
         b.attgenerated = '' AND b.attidentity <> 'a' \
         FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_attribute b ON b.attname = a.attname \
         LEFT JOIN pg_catalog.pg_index k ON k.indrelid = b.attrelid AND k.indisprimary \
         WHERE a.attrelid = pg_catalog.to_regclass({old}) AND b.attrelid = pg_catalog.to_regclass({new}) \
         AND a.attnum > 0 AND b.attnum > 0 AND NOT b.attisdropped ORDER BY a.attnum"
    );
    let columns = rows(&client.simple_query(&question)?);
    let question = format!(
        "WITH given (grantee) AS (SELECT a.grantee FROM pg_catalog.pg_class c, LATERAL pg_catalog.aclexplode(c.relacl) a \
         WHERE c.oid = pg_catalog.to_regclass({old}) AND a.grantee <> c.relowner \
         UNION SELECT a.grantee FROM pg_catalog.pg_attribute c, LATERAL pg_catalog.aclexplode(c.attacl) a \
         WHERE c.attrelid = pg_catalog.to_regclass({old})) \
         SELECT r.rolname, pg_catalog.pg_has_role(r.oid, 'MEMBER'), r.oid IN (SELECT grantee FROM given) \
         FROM pg_catalog.pg_roles r JOIN pg_catalog.pg_class v ON v.oid = pg_catalog.to_regclass({old}) \
         WHERE NOT r.rolsuper AND (r.oid IN (SELECT grantee FROM given) OR 0 IN (SELECT grantee FROM given) \
         AND r.oid <> v.relowner AND r.rolname NOT LIKE 'pg\\_%' AND pg_catalog.has_schema_privilege(r.oid, v.relnamespace, 'USAGE')) \
         ORDER BY 3 DESC, EXISTS (SELECT FROM pg_catalog.pg_policy p WHERE p.polrelid = pg_catalog.to_regclass({new}) \
         AND r.oid = ANY (p.polroles)) DESC, 2 DESC, 1"
    );
    let roles = rows(&client.simple_query(&question)?);
    let question = format!(
        "SELECT r.rolname, a.attname FROM pg_catalog.pg_roles r, pg_catalog.pg_attribute a \
         WHERE a.attrelid = pg_catalog.to_regclass({old}) AND a.attnum > 0 AND NOT r.rolsuper \
         AND EXISTS (SELECT FROM pg_catalog.pg_attribute c, LATERAL pg_catalog.aclexplode(c.attacl) x \
         WHERE c.attrelid = a.attrelid AND x.grantee IN (r.oid, 0)) \
         AND pg_catalog.has_column_privilege(r.oid, a.attrelid, a.attnum, 'SELECT') \
         AND NOT pg_catalog.has_table_privilege(r.oid, a.attrelid, 'SELECT') ORDER BY 1, a.attnum"
    );
    let mut partly: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for row in rows(&client.simple_query(&question)?) {
        if let [Some(role), Some(column)] = row.as_slice() {
            let column = sql::quoted(Ident::new(column)).to_owned();
            partly.entry(role.clone()).or_default().push(column);
        }
    }
    let question = format!(
        "SELECT c.reltuples, n.nspname, (SELECT pg_catalog.string_agg(t.tgname, ', ' ORDER BY t.tgname) \
         FROM pg_catalog.pg_trigger t WHERE t.tgrelid = c.oid AND NOT t.tgisinternal AND t.tgenabled <> 'D') \
         FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
         WHERE c.oid = pg_catalog.to_regclass({new}) AND pg_catalog.to_regclass({old}) IS NOT NULL"
    );
    let table = rows(&client.simple_query(&question)?);
    let Some([Some(estimate), Some(schema), triggers]) = table.first().map(Vec::as_slice) else {
        return Ok(None);
    };
    let pick = |place: usize| -> Vec<String> {
        let chosen = |row: &&Vec<Option<String>>| place == 0 || row[place].as_deref() == Some("t");
        let name = |row: &Vec<Option<String>>| {
            sql::quoted(Ident::new(row[0].as_deref().unwrap_or_default())).to_owned()
        };
        columns.iter().filter(chosen).map(name).collect()
    };
    let role =
        |row: &Vec<Option<String>>| (row[0].clone().unwrap_or_default(), row[1].as_deref() == Some("t"));
    let (given, public): (Vec<_>, Vec<_>) =
        roles.iter().partition(|row| row.get(2).is_some_and(|given| given.as_deref() == Some("t")));
    let may = |row: &&&Vec<Option<String>>| row[1].as_deref() == Some("t");
    let named = given.into_iter().map(role);
    let tried = public.iter().filter(may).take(AS_EVERYBODY).map(|row| role(row));
    Ok(Some(Shape {
        columns: pick(0),
        key: pick(1),
        needed: pick(2),
        writable: pick(3),
        roles: named.chain(tried).collect(),
        untried: public.len() - AS_EVERYBODY.min(public.iter().filter(may).count()),
        partly,
        schema: schema.clone(),
        estimate: estimate.parse().unwrap_or(f64::MAX),
        triggers: triggers.iter().flat_map(|all| all.split(", ")).map(str::to_owned).collect(),
    }))
}

/// Subjects that occur in the columns that the table's policies compare with a uuid.
fn sampled(
    client: &mut Client,
    left: &Left,
    reading: &Reading,
    facade: &Facade,
    new: &str,
) -> Result<Vec<String>, Error> {
    let policies: Vec<String> = reading
        .catalog
        .descendants(facade.of)
        .into_iter()
        .filter_map(|id| reading.catalog.get(id))
        .flat_map(|entry| crate::normalize::fragments(&entry.object))
        .filter(|(place, _)| place == "using" || place == "check")
        .map(|(_, text)| text.as_str().to_owned())
        .collect();
    let _ = left;
    if policies.is_empty() {
        return Ok(Vec::new());
    }
    let question = format!(
        "SELECT attname FROM pg_catalog.pg_attribute WHERE attrelid = pg_catalog.to_regclass({}) AND attnum > 0 \
         AND atttypid = 'pg_catalog.uuid'::pg_catalog.regtype AND NOT attisdropped ORDER BY attnum",
        sql::literal(new)
    );
    let mut subjects = Vec::new();
    for row in rows(&client.simple_query(&question)?) {
        let name = row[0].clone().unwrap_or_default();
        if !policies.iter().any(|text| text.contains(&name)) {
            continue;
        }
        let column = sql::quoted(Ident::new(&name));
        // Where the owner may not see them, nothing is sampled.
        let asked = client.simple_query(&format!(
            "SELECT DISTINCT {column} FROM {new} WHERE {column} IS NOT NULL ORDER BY 1 LIMIT {SAMPLED}"
        ));
        let found = asked.map(|messages| rows(&messages)).unwrap_or_default();
        subjects.extend(found.into_iter().filter_map(|row| row[0].clone()));
        break;
    }
    Ok(subjects)
}

/// What a statement came to: its first row, or the SQLSTATE.
fn outcome(client: &mut Client, statement: &str) -> Result<String, postgres::Error> {
    client.batch_execute("SAVEPOINT verify")?;
    match client.simple_query(statement) {
        Ok(messages) => {
            client.batch_execute("ROLLBACK TO SAVEPOINT verify")?;
            let cells = rows(&messages).first().map(|row| {
                row.iter().map(|cell| cell.clone().unwrap_or_default()).collect::<Vec<_>>().join("/")
            });
            Ok(cells.unwrap_or_default())
        }
        Err(error) => {
            let Some(code) = error.code().map(|code| code.code().to_owned()) else { return Err(error) };
            client.batch_execute("ROLLBACK TO SAVEPOINT verify")?;
            let said = error.as_db_error().map(|said| said.message().to_owned()).unwrap_or_default();
            Ok(format!("{REFUSED}{code} ({said})"))
        }
    }
}

const REFUSED: &str = "refused with ";

const NO_ENTRY: &str = "permission denied for schema";

/// The same outcome: messages name objects, so of a refusal only the SQLSTATE counts.
fn same(old: &str, new: &str) -> bool {
    let code = |text: &str| text.split(" (").next().unwrap_or_default().to_owned();
    if old.starts_with(REFUSED) { code(old) == code(new) } else { old == new }
}

/// Begins as somebody. Where the caller may not enter the schema of the table, the new name is made reachable for the
/// length of this transaction, if that is allowed.
fn begin(client: &mut Client, caller: &Caller, shape: &Shape, enter: bool) -> Result<(), postgres::Error> {
    client.batch_execute(
        "BEGIN ISOLATION LEVEL REPEATABLE READ; SET LOCAL lock_timeout = '2s'; SET LOCAL statement_timeout = '60s'",
    )?;
    if enter {
        let (schema, role) = (sql::quoted(Ident::new(&shape.schema)), sql::quoted(Ident::new(&caller.role)));
        // Where we may not, the comparison says so.
        outcome_kept(client, &format!("GRANT USAGE ON SCHEMA {schema} TO {role}"))?;
    }
    client.simple_query(&dressed(&caller.role, caller.subject.as_deref())).map(drop)
}

fn outcome_kept(client: &mut Client, statement: &str) -> Result<(), postgres::Error> {
    client.batch_execute("SAVEPOINT enter")?;
    match client.batch_execute(statement) {
        Ok(()) => client.batch_execute("RELEASE SAVEPOINT enter"),
        Err(_) => client.batch_execute("ROLLBACK TO SAVEPOINT enter"),
    }
}

fn read(
    client: &mut Client,
    facade: &Facade,
    (old, new): (&str, &str),
    shape: &Shape,
    (callers, options): (&[Caller], &Options),
    findings: &mut Vec<Finding>,
) -> Result<(), Error> {
    // The table may give more than its facade, to who cannot get at it.
    let question = |name: &str, caller: &Caller| {
        let some = shape.partly.get(&caller.role);
        let may = |column: &&String| some.is_none_or(|some| some.contains(column));
        let columns: Vec<&str> = shape.columns.iter().filter(may).map(String::as_str).collect();
        let columns = columns.join(", ");
        format!(
            "SELECT pg_catalog.count(*), coalesce(pg_catalog.sum(('x' || pg_catalog.substr(pg_catalog.md5(r::pg_catalog.text), 1, 8))\
             ::pg_catalog.bit(32)::pg_catalog.int8), 0) FROM (SELECT {columns} FROM {name}) r"
        )
    };
    for caller in callers {
        begin(client, caller, shape, options.writes)?;
        let (before, after) =
            (outcome(client, &question(old, caller))?, outcome(client, &question(new, caller))?);
        client.batch_execute("ROLLBACK")?;
        let who = caller.words();
        let closed = after.contains(NO_ENTRY);
        let (verdict, message) = if before.contains(NO_ENTRY) && !after.starts_with(REFUSED) {
            // Who could enter it when the last apply ended is compared with the schema's privileges.
            (
                Verdict::Unchecked,
                format!("as {who}: not compared, since the role may not enter the old name's schema"),
            )
        } else if same(&before, &after) && !closed {
            let what = match before.split_once('/') {
                Some((count, _)) => format!("the same {count} rows by both names"),
                None => format!("by both names {before}"),
            };
            (Verdict::Passed, format!("as {who}: {what}"))
        } else if closed && !options.writes {
            let message = format!(
                "as {who}: not compared, since the role may not enter the table's schema; --writes lets it in for a \
                 transaction that is rolled back"
            );
            (Verdict::Unchecked, message)
        } else {
            let rows = |text: &str| match text.split_once('/') {
                Some((count, digest)) => format!("{count} rows (digest {digest})"),
                None => text.to_owned(),
            };
            (
                Verdict::Failed,
                format!("as {who}: {} by the old name, {} by {}", rows(&before), rows(&after), facade.of),
            )
        };
        findings.push(Finding::new(verdict, "reading", facade.name, message));
    }
    Ok(())
}

fn write(
    client: &mut Client,
    facade: &Facade,
    (old, new): (&str, &str),
    shape: &Shape,
    callers: &[Caller],
    findings: &mut Vec<Finding>,
) -> Result<(), Error> {
    if !shape.triggers.is_empty() {
        let message =
            format!("triggers that fired, and whose effects were rolled back: {}", shape.triggers.join(", "));
        findings.push(Finding::new(Verdict::Note, "writing", facade.name, message));
    }
    let statements = statements(shape);
    if statements.len() < 4 {
        let message =
            "no update, delete or upsert was tried: the table has no primary key with a column beside it";
        findings.push(Finding::new(Verdict::Unchecked, "writing", facade.name, message));
    }
    for caller in callers {
        if shape.partly.contains_key(&caller.role) {
            let message = format!("as {}: no write was tried: it may use some columns only", caller.words());
            findings.push(Finding::new(Verdict::Unchecked, "writing", facade.name, message));
            continue;
        }
        let mut tried = Vec::new();
        for (what, statement) in &statements {
            begin(client, caller, shape, true)?;
            let through = |name: &str| {
                let counted = statement.replace("{}", name);
                format!("WITH done AS ({counted} RETURNING 1) SELECT pg_catalog.count(*) FROM done")
            };
            let (before, after) = (outcome(client, &through(old))?, outcome(client, &through(new))?);
            client.batch_execute("ROLLBACK")?;
            if before.contains(NO_ENTRY) {
                continue;
            }
            if same(&before, &after) {
                let code = before.split(" (").next().unwrap_or_default();
                tried.push(format!("{what} {code}"));
            } else {
                let message = format!(
                    "as {}: {what} is {before} by the old name, {after} by {}",
                    caller.words(),
                    facade.of
                );
                findings.push(Finding::new(Verdict::Failed, "writing", facade.name, message));
            }
        }
        if !tried.is_empty() {
            let message = format!("as {}: the same by both names: {}", caller.words(), tried.join(", "));
            findings.push(Finding::new(Verdict::Passed, "writing", facade.name, message));
        }
    }
    Ok(())
}

/// One statement of each sort, for either name.
fn statements(shape: &Shape) -> Vec<(&'static str, String)> {
    let given = shape.needed.join(", ");
    let values =
        if given.is_empty() { String::new() } else { format!("({given}) SELECT {given} FROM {{}} LIMIT 1") };
    let insert = if given.is_empty() {
        "INSERT INTO {} DEFAULT VALUES".to_owned()
    } else {
        format!("INSERT INTO {{}} {values}")
    };
    let mut statements = vec![("insert", insert)];
    let other = shape.writable.iter().find(|column| !shape.key.contains(column));
    if let (false, Some(other)) = (shape.key.is_empty(), other) {
        let key = shape.key.join(", ");
        let one = format!("({key}) = (SELECT {key} FROM {{}} ORDER BY {key} LIMIT 1)");
        statements.push(("update", format!("UPDATE {{}} SET {other} = {other} WHERE {one}")));
        statements.push(("delete", format!("DELETE FROM {{}} WHERE {one}")));
        let writable = shape.writable.join(", ");
        statements.push((
            "upsert",
            format!(
                "INSERT INTO {{}} ({writable}) SELECT {writable} FROM {{}} ORDER BY {key} LIMIT 1 \
                 ON CONFLICT ({key}) DO UPDATE SET {other} = excluded.{other}"
            ),
        ));
    }
    statements
}
