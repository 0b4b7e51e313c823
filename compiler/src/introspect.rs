//! A live database into a `Catalog`.
//!
//! Four round trips: one asks what server this is, the others run all readers in one read-only transaction; what one
//! brought is understood while the server is at the next. All are simple queries without prepared statements, so that
//! they also pass a transaction pooler. A snapshot does not
//! protect `pg_get_*` from schema changes of others, so what was torn apart is read again (`moment`). What the rows mean
//! is the kinds' business (`schema::read`).

use crate::moment::{self, Moment};
use crate::pair::{Pair, update};
use crate::timings::timed;
use postgres::error::SqlState;
use postgres::{Client, SimpleQueryMessage, SimpleQueryRow};
use schemac_schema::catalog::Catalog;
use schemac_schema::id::ObjectId;
use schemac_schema::ident::{Ident, Text};
use schemac_schema::object::Server;
use schemac_schema::parse;
use schemac_schema::read::{self, Declarations, OtherGrantor, READERS, Row, SETTINGS};
use schemac_schema::sql;
use sha2::{Digest as _, Sha256};
use std::collections::BTreeSet;
use std::fmt;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

/// The oldest version that schemac works with.
pub const OLDEST: u32 = 14;

/// How often a database that changes meanwhile is read.
const ATTEMPTS: u32 = 5;

/// How much longer each time it is waited before the next attempt.
const PAUSE: Duration = Duration::from_millis(50);

/// What was found in a database.
#[derive(Debug)]
pub struct Reading {
    /// The objects.
    pub catalog: Catalog,
    /// The server, and the role of the connection.
    pub server: Server,
    /// The name of the database.
    pub database: Ident,
    /// Whether the role is a superuser.
    pub superuser: bool,
    /// The schemas of the connection's search_path that exist.
    pub search_path: Vec<Ident>,
    /// The objects in managed places that are only read: what they are, and which.
    pub unmodelled: Vec<(Text, ObjectId)>,
    /// Privileges that somebody else than the owner gave.
    pub other_grantors: Vec<OtherGrantor>,
    /// What was found on something that is no object of its own, in words.
    pub unplaced: Vec<String>,
    /// When it was read.
    pub moment: Moment,
    /// A digest of all that the server said.
    pub digest: String,
}

/// Why a database could not be read.
#[derive(Debug)]
pub enum Error {
    /// The server or the connection says no.
    Server(postgres::Error),
    /// The server is older than [`OLDEST`].
    TooOld(String),
    /// It changed while it was read, each time that it was; the last message.
    KeepsChanging(String),
    /// The catalogs gave what a reader does not expect.
    Unexpected {
        /// What was being read.
        reader: &'static str,
        /// What is wrong.
        message: String,
    },
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Server(error) => match error.as_db_error() {
                Some(error) => write!(f, "the server could not be read: {}", error.message()),
                None => write!(f, "the server could not be read: {error}"),
            },
            Error::TooOld(version) => {
                write!(f, "the server is PostgreSQL {version}; schemac works with {OLDEST} and later")
            }
            Error::KeepsChanging(last) => {
                write!(f, "the schema keeps changing while it is read ({last}): try again")
            }
            Error::Unexpected { reader, message } => write!(f, "could not read {reader}: {message}"),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Error::Server(error) => Some(error),
            _ => None,
        }
    }
}

impl From<postgres::Error> for Error {
    fn from(error: postgres::Error) -> Self {
        Error::Server(error)
    }
}

/// Reads the database of a connection. Objects in the schemas `external` belong to somebody else.
///
/// # Errors
/// The server is unreachable, too old, or its schema changes each time while it is read.
pub fn introspect(client: &mut Client, external: &BTreeSet<Ident>) -> Result<Reading, Error> {
    let Session { server, database, superuser, search_path, said } = session(client)?;
    let scripts = scripts(server.version);
    let mut attempts = 1;
    let Whole { declarations, moment, rows } = loop {
        let found = read(client, &scripts, server.version, external).and_then(|whole| {
            match whole.moment.is_certain() || !moment::changed_since(client, &whole.moment)? {
                true => Ok(whole),
                false => Err(Failure::Changed("something got another name or definition".into())),
            }
        });
        match found {
            Ok(found) => break found,
            Err(Failure::Changed(last)) if attempts >= ATTEMPTS => return Err(Error::KeepsChanging(last)),
            Err(Failure::Changed(_)) => {
                thread::sleep(PAUSE * attempts);
                attempts += 1;
            }
            Err(Failure::Final(error)) => return Err(error),
        }
    };
    let unmodelled = declarations.unmodelled();
    Ok(Reading {
        catalog: declarations.catalog,
        server,
        database,
        superuser,
        search_path,
        unmodelled,
        other_grantors: declarations.other_grantors,
        unplaced: declarations.unplaced,
        moment,
        digest: format!("{said:?} {rows:?}"),
    })
}

#[derive(Debug)]
struct Session {
    server: Server,
    database: Ident,
    superuser: bool,
    search_path: Vec<Ident>,
    said: Pair,
}

const SESSION: &str = "SELECT pg_catalog.current_setting('server_version_num'), \
    pg_catalog.current_setting('server_version'), current_user, pg_catalog.current_database(), \
    (SELECT r.rolsuper FROM pg_catalog.pg_roles r WHERE r.rolname = current_user), \
    pg_catalog.current_schemas(false)";

fn session(client: &mut Client) -> Result<Session, Error> {
    let messages = client.simple_query(SESSION)?;
    let row = messages.iter().find_map(|message| match message {
        SimpleQueryMessage::Row(row) => Some(row),
        _ => None,
    });
    let cells: Vec<Option<&str>> = row.map(cells).unwrap_or_default();
    let mut row = Row::new(&cells);
    let read = (|| {
        let (number, words) = (row.int()?, row.text()?.to_owned());
        let version = u32::try_from(number / 10_000).unwrap_or(0);
        let (role, database, superuser) = (row.ident()?, row.ident()?, row.flag()?);
        let search_path = row.list()?.iter().map(|schema| Ident::new(schema)).collect();
        let mut said = Sha256::new();
        digest(&mut said, &cells);
        let said = Pair::of(said.finalize().into());
        Ok((words, Session { server: Server { version, role }, database, superuser, search_path, said }))
    })();
    let (words, session) = read.map_err(|error: read::Error| unexpected("the session", &error))?;
    if session.server.version < OLDEST { Err(Error::TooOld(words)) } else { Ok(session) }
}

/// Those of the names that functions of pg_catalog have.
///
/// # Errors
/// The server could not be asked.
pub fn system_functions(client: &mut Client, names: &BTreeSet<Ident>) -> Result<BTreeSet<Ident>, Error> {
    let names: Vec<String> = names.iter().map(|name| sql::literal(name.as_str())).collect();
    let messages = client.simple_query(&format!(
        "SELECT DISTINCT p.proname FROM pg_catalog.pg_proc p \
         WHERE p.pronamespace = 'pg_catalog'::pg_catalog.regnamespace AND p.proname IN ({})",
        names.join(", ")
    ))?;
    Ok(messages
        .iter()
        .filter_map(|message| match message {
            SimpleQueryMessage::Row(row) => row.get(0).map(Ident::new),
            _ => None,
        })
        .collect())
}

/// All that is asked, as strings of statements, each for one round trip.
fn scripts(version: u32) -> Vec<String> {
    let mut scripts = vec![String::from("BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")];
    for setting in SETTINGS {
        add(&mut scripts, setting);
    }
    for (place, reader) in READERS.iter().enumerate() {
        if place > 0 && place % PER_TRIP == 0 {
            scripts.push(String::new());
        }
        add(&mut scripts, &(reader.sql)(version));
    }
    add(&mut scripts, moment::QUESTION);
    add(&mut scripts, "COMMIT");
    scripts
}

/// How many readers go in one round trip: what one trip brought is understood while the server is at the next.
const PER_TRIP: usize = READERS.len().div_ceil(3);

fn add(scripts: &mut [String], statement: &str) {
    let Some(script) = scripts.last_mut() else { return };
    // A query may end in a comment.
    script.push_str(if script.is_empty() { "" } else { "\n;\n" });
    script.push_str(statement);
}

enum Failure {
    Changed(String),
    Final(Error),
}

impl From<postgres::Error> for Failure {
    fn from(error: postgres::Error) -> Self {
        Failure::Final(error.into())
    }
}

/// One reading.
struct Whole {
    declarations: Declarations,
    moment: Moment,
    rows: Pair,
}

/// Adds a row to a digest.
fn digest(digest: &mut Sha256, cells: &[Option<&str>]) {
    digest.update((cells.len() as u64).to_be_bytes());
    for cell in cells {
        match cell {
            Some(cell) => update(digest, cell),
            // No text is as long.
            None => digest.update(u64::MAX.to_be_bytes()),
        }
    }
}

/// Reads everything once, in one transaction. Another thread understands what has come meanwhile.
fn read(
    client: &mut Client,
    scripts: &[String],
    version: u32,
    external: &BTreeSet<Ident>,
) -> Result<Whole, Failure> {
    let (come, coming) = mpsc::channel::<Vec<SimpleQueryMessage>>();
    let (asked, understood) = thread::scope(|scope| {
        let understanding = scope.spawn(|| {
            parse::on_large_stack(|| {
                let mut decoding = Decoding {
                    statement: 0,
                    out: Declarations::new(version, external),
                    moment: Moment::default(),
                    rows: Sha256::new(),
                };
                for messages in coming {
                    decoding.take(messages)?;
                }
                let Decoding { out: mut declarations, moment, rows, .. } = decoding;
                declarations.finish();
                Ok(Whole { declarations, moment, rows: Pair::of(rows.finalize().into()) })
            })
        });
        let asked = scripts.iter().try_for_each(|script| {
            let messages = query(client, script)?;
            // Who does not listen any more has found an error.
            come.send(messages).map_err(|_| Failure::Changed(String::new()))
        });
        drop(come);
        (asked, understanding.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
    });
    if asked.is_err() || understood.is_err() {
        // The transaction may still be open.
        if !client.is_closed() {
            client.batch_execute("ROLLBACK").map_err(|error| Failure::Final(error.into()))?;
        }
    }
    match (asked, understood) {
        (_, Err(failure)) | (Err(failure), Ok(_)) => Err(failure),
        (Ok(()), Ok(found)) => Ok(found),
    }
}

fn query(client: &mut Client, script: &str) -> Result<Vec<SimpleQueryMessage>, Failure> {
    timed("wait for the catalogs", || client.simple_query(script)).map_err(|error| {
        match error.as_db_error() {
            Some(said) if is_passing(said.code()) => Failure::Changed(said.message().to_owned()),
            _ => Failure::Final(error.into()),
        }
    })
}

/// What the rows of the statements so far said.
struct Decoding {
    /// How many statements came before.
    statement: usize,
    out: Declarations,
    moment: Moment,
    rows: Sha256,
}

impl Decoding {
    /// Takes the rows of some statements.
    fn take(&mut self, messages: Vec<SimpleQueryMessage>) -> Result<(), Failure> {
        let mut row_cells = Vec::new();
        for message in &messages {
            match message {
                // BEGIN and the settings come first; each statement ends with its completion.
                SimpleQueryMessage::CommandComplete(_) => self.statement += 1,
                SimpleQueryMessage::Row(row) => {
                    let place = self.statement.checked_sub(1 + SETTINGS.len());
                    let reader = place.and_then(|place| Some((place, READERS.get(place)?)));
                    let Some((place, reader)) = reader else {
                        self.moment = Moment::of(row);
                        continue;
                    };
                    row_cells.clear();
                    row_cells.extend((0..row.len()).map(|index| row.get(index)));
                    self.rows.update((place as u64).to_be_bytes());
                    digest(&mut self.rows, &row_cells);
                    (reader.decode)(&mut Row::new(&row_cells), &mut self.out).map_err(
                        |error| match error {
                            read::Error::Changed(what) => {
                                Failure::Changed(format!("{}: {what}", reader.name))
                            }
                            read::Error::Malformed(_) => Failure::Final(unexpected(reader.name, &error)),
                        },
                    )?;
                }
                _ => {}
            }
        }
        Ok(())
    }
}

/// Errors that come from schema changes of others (`could not open relation`, `cache lookup failed`).
fn is_passing(code: &SqlState) -> bool {
    [
        &SqlState::INTERNAL_ERROR,
        &SqlState::UNDEFINED_TABLE,
        &SqlState::UNDEFINED_COLUMN,
        &SqlState::UNDEFINED_FUNCTION,
        &SqlState::UNDEFINED_OBJECT,
        &SqlState::T_R_SERIALIZATION_FAILURE,
        &SqlState::T_R_DEADLOCK_DETECTED,
        &SqlState::LOCK_NOT_AVAILABLE,
    ]
    .contains(&code)
}

fn unexpected(reader: &'static str, error: &read::Error) -> Error {
    Error::Unexpected { reader, message: error.to_string() }
}

fn cells(row: &SimpleQueryRow) -> Vec<Option<&str>> {
    (0..row.len()).map(|index| row.get(index)).collect()
}
