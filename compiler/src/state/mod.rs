//! The database's own `schemac` schema: what schemac remembers there, defined once.
//!
//! It comes into being with the first apply that writes something to it, is granted to nobody, and belongs to no
//! catalog that is compared (the readers pass it over). Every name is qualified and the search_path is pinned, so that
//! nothing of somebody else's runs; and it is used only while somebody who is trusted anyway owns it: a table of a
//! stranger could have triggers. Nothing secret is kept: pairs of SQL are digests, plans hold what the catalogs hold.
//!
//! A publication FOR ALL TABLES would send its rows to subscribers that have no such table, and stop them. What is
//! UNLOGGED is never published, so the tables are that while there is such a publication; without it the journal is
//! logged. Not here: what is written into the journal beyond its own columns, and when.

pub mod journal;
pub mod memory;

use crate::connect::{SET_LOCAL, ServerError};
use postgres::{Client, SimpleQueryMessage};
use schemac_schema::ident::{Ident, QName};
use schemac_schema::sql;
use std::fmt;

pub use schemac_schema::read::OWN_SCHEMA;

/// What made each version out of the one before; the first makes it out of nothing. Never change one that was
/// released: add another.
const MIGRATIONS: &[&str] = &[include_str!("version_1.sql")];

/// The tables that a publication FOR ALL TABLES must not see, and that are logged otherwise.
const LOGGED: &[&str] = &["version", "applies"];

/// Why nothing can be kept in the database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unavailable {
    /// The role may not, the server is a standby, the schema is somebody else's: why, in words.
    Cannot(String),
    /// The server said no.
    Server(ServerError),
}

impl fmt::Display for Unavailable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Unavailable::Cannot(why) => f.write_str(why),
            Unavailable::Server(error) => f.write_str(&error.message),
        }
    }
}

impl std::error::Error for Unavailable {}

impl From<postgres::Error> for Unavailable {
    fn from(error: postgres::Error) -> Self {
        Unavailable::Server(error.into())
    }
}

/// Makes the schema and its tables, or brings them to this version; where they are right, nothing is changed. The
/// client must not be in a transaction and is in none afterwards. Not safe beside another `ensure`: hold the advisory
/// lock of an apply, or be ready to hear that it was made meanwhile.
///
/// # Errors
/// Why nothing can be kept here. The database is as it was then.
pub fn ensure(client: &mut Client) -> Result<(), Unavailable> {
    let found = look(client)?;
    if found.standby {
        return Err(Unavailable::Cannot("the server is a standby".into()));
    }
    if !found.exists && !found.may_create {
        let why = "the role may not create a schema in this database: GRANT CREATE ON DATABASE, or let its owner \
                   create the schema `schemac` once";
        return Err(Unavailable::Cannot(why.into()));
    }
    let from = match found.version {
        Some(version) => version,
        // An empty schema of that name was made for us; anything else in it is somebody else's.
        None if !found.exists || found.relations == 0 => 0,
        None => {
            return Err(Unavailable::Cannot(
                "the schema `schemac` holds something that is not schemac's".into(),
            ));
        }
    };
    if !found.trusted {
        let why = "the schema `schemac` belongs to another role that is neither a superuser nor the owner of the database";
        return Err(Unavailable::Cannot(why.into()));
    }
    if from > MIGRATIONS.len() {
        return Err(Unavailable::Cannot(format!(
            "the schema `schemac` was made by a newer schemac: its version is {from}, and this one knows {}",
            MIGRATIONS.len()
        )));
    }
    if found.exists && !found.owned {
        return Err(Unavailable::Cannot("the schema `schemac` belongs to another role".into()));
    }
    if from < MIGRATIONS.len() {
        migrate(client, from, &found)?;
    }
    settle(client, from < MIGRATIONS.len(), &found)
}

/// What is there.
#[derive(Debug, Default)]
struct Found {
    standby: bool,
    exists: bool,
    may_create: bool,
    trusted: bool,
    owned: bool,
    relations: i64,
    version: Option<usize>,
    published: bool,
    /// Logged tables that should not be, or the other way round.
    unsettled: Vec<String>,
}

/// Whether the schema and everything in it belongs to somebody whose triggers may run as us: ourselves, a superuser,
/// the owner of the database.
pub(crate) const TRUSTED: &str = "(SELECT pg_catalog.bool_and(o.oid = me.oid OR o.rolsuper OR o.oid = d.datdba) \
    FROM (SELECT n.nspowner FROM pg_catalog.pg_namespace n WHERE n.nspname = 'schemac' \
    UNION SELECT c.relowner FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
    WHERE n.nspname = 'schemac') owners (owner) \
    JOIN pg_catalog.pg_roles o ON o.oid = owners.owner, \
    pg_catalog.pg_roles me, pg_catalog.pg_database d \
    WHERE me.rolname = current_user AND d.datname = pg_catalog.current_database())";

fn look(client: &mut Client) -> Result<Found, Unavailable> {
    let question = format!(
        "SELECT pg_catalog.pg_is_in_recovery(), n.oid IS NOT NULL, \
         pg_catalog.has_database_privilege(pg_catalog.current_database(), 'CREATE'), \
         coalesce({TRUSTED}, true), \
         coalesce(pg_catalog.pg_has_role(n.nspowner, 'USAGE'), false), \
         (SELECT pg_catalog.count(*) FROM pg_catalog.pg_class c WHERE c.relnamespace = n.oid), \
         EXISTS (SELECT FROM pg_catalog.pg_class c WHERE c.relnamespace = n.oid AND c.relname = 'version' \
         AND c.relkind = 'r'), \
         EXISTS (SELECT FROM pg_catalog.pg_publication p WHERE p.puballtables), \
         (SELECT pg_catalog.string_agg(c.relname || '=' || c.relpersistence::pg_catalog.text, ',' ORDER BY c.relname) \
         FROM pg_catalog.pg_class c WHERE c.relnamespace = n.oid AND c.relkind = 'r') \
         FROM (SELECT) one LEFT JOIN pg_catalog.pg_namespace n ON n.nspname = 'schemac'"
    );
    let cells = first_row(&pinned(client, &question)?);
    let flag = |place: usize| cells.get(place).is_some_and(|cell| cell == "t");
    let mut found = Found {
        standby: flag(0),
        exists: flag(1),
        may_create: flag(2),
        trusted: flag(3),
        owned: flag(4),
        relations: cells.get(5).and_then(|cell| cell.parse().ok()).unwrap_or(0),
        published: flag(7),
        ..Found::default()
    };
    let wanted = if found.published { "u" } else { "p" };
    let tables = cells.get(8).map(String::as_str).unwrap_or_default().split(',');
    found.unsettled = tables
        .filter_map(|table| table.split_once('='))
        .filter(|(table, kept)| LOGGED.contains(table) && *kept != wanted)
        .map(|(table, _)| table.to_owned())
        .collect();
    // Whose table it is was looked at before anything is read from it.
    if flag(6) && found.trusted && found.owned {
        let version = format!("SELECT max(version) FROM {}", table("version"));
        let cells = first_row(&pinned(client, &version)?);
        // Emptied by a crash while it was not logged: the tables are there, and hold no version.
        let version = cells.first().and_then(|cell| cell.parse().ok());
        found.version = Some(version.unwrap_or(MIGRATIONS.len()));
    } else if flag(6) {
        found.version = Some(0);
    }
    Ok(found)
}

/// A table of the schema as it stands in SQL.
pub(crate) fn table(name: &str) -> String {
    sql::qualified(QName::new(OWN_SCHEMA, name))
}

/// What begins a transaction that touches the schema: nothing of somebody else's is found by a bare name.
fn begin(access: &str) -> String {
    format!(
        "BEGIN {access}; {SET_LOCAL}; SET LOCAL search_path = pg_catalog, pg_temp; SET LOCAL lock_timeout = '2s'"
    )
}

/// Runs statements that read, in a transaction of their own.
pub(crate) fn pinned(client: &mut Client, statements: &str) -> Result<Vec<SimpleQueryMessage>, Unavailable> {
    transact(client, "READ ONLY", statements)
}

/// Runs statements that write, in a transaction of their own: all or nothing.
pub(crate) fn write(client: &mut Client, statements: &str) -> Result<Vec<SimpleQueryMessage>, Unavailable> {
    transact(client, "READ WRITE", statements)
}

fn transact(
    client: &mut Client,
    access: &str,
    statements: &str,
) -> Result<Vec<SimpleQueryMessage>, Unavailable> {
    client.simple_query(&format!("{}; {statements}\n; COMMIT", begin(access))).map_err(|error| {
        // Fails where the connection is gone; the first error says it better.
        let _ = client.batch_execute("ROLLBACK");
        error.into()
    })
}

fn migrate(client: &mut Client, from: usize, found: &Found) -> Result<(), Unavailable> {
    let mut statements = String::new();
    if !found.exists {
        statements.push_str("CREATE SCHEMA schemac;\n");
    }
    for migration in &MIGRATIONS[from..] {
        statements.push_str(migration);
        statements.push_str(";\n");
    }
    if found.published {
        // Before the first row: subscribers must not hear of it.
        for name in LOGGED {
            statements.push_str(&format!("ALTER TABLE {} SET UNLOGGED;\n", table(name)));
        }
    }
    let version = MIGRATIONS.len();
    statements.push_str(&format!(
        "INSERT INTO {table} (version) VALUES ({version}) ON CONFLICT (one) DO UPDATE SET version = {version}",
        table = table("version")
    ));
    write(client, &statements).map(drop)
}

/// What nobody asked for is taken away from everybody but the owner: privileges by default, and events that grant. And
/// a table is logged or not as the publications want it.
fn settle(client: &mut Client, changed: bool, found: &Found) -> Result<(), Unavailable> {
    let mut statements = Vec::new();
    if changed {
        let question = "SELECT '', r.rolname FROM pg_catalog.pg_namespace n, \
            LATERAL pg_catalog.aclexplode(n.nspacl) a LEFT JOIN pg_catalog.pg_roles r ON r.oid = a.grantee \
            WHERE n.nspname = 'schemac' AND a.grantee <> n.nspowner \
            UNION SELECT c.relname, r.rolname FROM pg_catalog.pg_class c \
            JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace, \
            LATERAL pg_catalog.aclexplode(c.relacl) a LEFT JOIN pg_catalog.pg_roles r ON r.oid = a.grantee \
            WHERE n.nspname = 'schemac' AND a.grantee <> c.relowner ORDER BY 1, 2";
        for message in pinned(client, question)? {
            let SimpleQueryMessage::Row(row) = message else { continue };
            let grantee = row.get(1).map_or("PUBLIC", |role| sql::quoted(Ident::new(role)));
            statements.push(match row.get(0).unwrap_or_default() {
                "" => format!("REVOKE ALL ON SCHEMA {OWN_SCHEMA} FROM {grantee}"),
                relation => format!("REVOKE ALL ON {} FROM {grantee}", table(relation)),
            });
        }
    }
    let logged = if found.published { "UNLOGGED" } else { "LOGGED" };
    statements.extend(found.unsettled.iter().map(|name| format!("ALTER TABLE {} SET {logged}", table(name))));
    if statements.is_empty() {
        return Ok(());
    }
    write(client, &statements.join(";\n")).map(drop)
}

/// The cells of the first row; a NULL is empty.
pub(crate) fn first_row(messages: &[SimpleQueryMessage]) -> Vec<String> {
    let row = messages.iter().find_map(|message| match message {
        SimpleQueryMessage::Row(row) => Some(row),
        _ => None,
    });
    row.map_or_else(Vec::new, |row| {
        (0..row.len()).map(|place| row.get(place).unwrap_or_default().to_owned()).collect()
    })
}
