//! Why there is no connection, and what the server says when a statement fails.

use std::error::Error as StdError;
use std::fmt;
use std::path::Path;

use postgres::error::{DbError, ErrorPosition};

/// What kind of trouble it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// What was given makes no sense.
    Settings,
    /// Nobody answers there.
    Unreachable,
    /// The password is wrong or missing.
    Password,
    /// The database does not exist.
    Database,
    /// The role does not exist, or may not come in.
    Rights,
    /// Encryption did not come about.
    Tls,
    /// The server is older than 14, or works in an encoding that is none.
    Server,
    /// The server takes nobody at the moment.
    Busy,
    /// Something else.
    Other,
}

/// Why there is no connection.
#[derive(Debug)]
pub struct ConnectError {
    /// What kind of trouble it is.
    pub trouble: Trouble,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub help: String,
}

impl fmt::Display for ConnectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl StdError for ConnectError {}

/// Where we wanted to go.
pub(super) struct Target {
    pub(super) place: String,
    pub(super) socket: bool,
    pub(super) user: String,
    pub(super) database: String,
    pub(super) source: &'static str,
}

impl ConnectError {
    fn new(trouble: Trouble, message: impl Into<String>, help: impl Into<String>) -> Self {
        Self { trouble, message: message.into(), help: help.into() }
    }

    pub(super) fn settings(wrong: String) -> Self {
        let help = "an address is postgres://USER:PASSWORD@HOST:PORT/DATABASE, or host=… user=… dbname=…; it is given \
                    with --db or in DATABASE_URL, or in parts in PGHOST, PGPORT, PGUSER, PGPASSWORD and PGDATABASE";
        Self::new(Trouble::Settings, format!("the address of the database is not understood: {wrong}"), help)
    }

    pub(super) fn certificates(wrong: String) -> Self {
        let help = "sslmode=require encrypts without asking who the server is";
        Self::new(Trouble::Tls, format!("no certificates to check the server with: {wrong}"), help)
    }

    pub(super) fn too_old(version: &str, target: &Target) -> Self {
        let message = format!("the server at {} is PostgreSQL {version}", target.place);
        let help = format!("schemac works with PostgreSQL {} and later; upgrade the server", super::OLDEST);
        Self::new(Trouble::Server, message, help)
    }

    pub(super) fn encoding(target: &Target) -> Self {
        let message =
            format!("the database \"{}\" is encoded as SQL_ASCII, which is no encoding", target.database);
        Self::new(Trouble::Server, message, "dump it and restore it into a database with ENCODING 'UTF8'")
    }

    /// From what the driver says. Its errors hold no password.
    pub(super) fn connecting(error: &postgres::Error, target: &Target, ignored: Option<&Path>) -> Self {
        let Target { place, user, database, source, .. } = target;
        if let Some(error) = error.as_db_error() {
            return Self::refused(error, target, ignored);
        }
        let text = reasons(error);
        if text.contains("password missing") || text.contains("password") && text.contains("configuration") {
            let message =
                format!("the server at {place} wants a password for \"{user}\", and none was given");
            return Self::new(Trouble::Password, message, missing_password(target, ignored));
        }
        if text.contains("server does not support TLS") {
            let message = format!("the server at {place} does not offer TLS, which sslmode demands");
            return Self::new(Trouble::Tls, message, "turn ssl on at the server, or say sslmode=prefer");
        }
        if is_tls(error) {
            let message = format!("no encrypted connection to {place}: {text}");
            let help = "verify-full wants a certificate for exactly this host, signed by somebody that sslrootcert \
                        names; sslmode=require encrypts without asking who the server is";
            return Self::new(Trouble::Tls, message, help);
        }
        if text.contains("session is not writable") || text.contains("session is writable") {
            let message = format!("the server at {place} is not of the kind that target_session_attrs wants");
            return Self::new(
                Trouble::Server,
                message,
                "name the other server, or leave target_session_attrs out",
            );
        }
        let message = format!("no connection to {place} for \"{user}\" and database \"{database}\": {text}");
        let help = if text.contains("lookup") {
            format!("no such host is known; look at the host's name in {source}")
        } else if target.socket {
            format!(
                "no server listens at this socket; start it, or name the host ({source} names none): \
                 --db postgres://USER@HOST:PORT/DATABASE or PGHOST"
            )
        } else if text.contains("refused") {
            format!("nobody listens there; look at host and port in {source}, and whether the server runs")
        } else if text.contains("timed out") || text.contains("timeout") || text.contains("unreachable") {
            format!("nobody answers there; look at host and port in {source}, and at firewalls in between")
        } else {
            format!("look at host and port in {source}")
        };
        Self::new(Trouble::Unreachable, message, help)
    }

    fn refused(error: &DbError, target: &Target, ignored: Option<&Path>) -> Self {
        let Target { place, user, database, source, .. } = target;
        let said = error.message();
        match error.code().code() {
            // Poolers answer a missing password with the same code.
            "28P01" => {
                let help = match ignored {
                    Some(_) => missing_password(target, ignored),
                    None => format!(
                        "look at the user and the password in {source}; a password may also stand in PGPASSWORD or \
                         ~/.pgpass, and in a URL `@`, `/`, `:`, `%` are written %40, %2F, %3A, %25"
                    ),
                };
                let message = format!("the server at {place} does not take the password of \"{user}\"");
                Self::new(Trouble::Password, message, help)
            }
            "3D000" => {
                let message = format!("the server at {place} has no database \"{database}\"");
                let help = format!(
                    "create it with CREATE DATABASE, or name another in {source}; `psql -l` lists them"
                );
                Self::new(Trouble::Database, message, help)
            }
            "28000" if said.contains("does not exist") => {
                let message = format!("the server at {place} has no role \"{user}\"");
                Self::new(
                    Trouble::Rights,
                    message,
                    format!("name another user in {source}, or create the role"),
                )
            }
            "28000" if said.contains("not permitted to log in") => {
                let message = format!("the role \"{user}\" may not log in at {place}");
                Self::new(
                    Trouble::Rights,
                    message,
                    format!("ALTER ROLE … LOGIN, or name another user in {source}"),
                )
            }
            "28000" => {
                let message =
                    format!("the server at {place} lets \"{user}\" not into \"{database}\": {said}");
                let help = "a line of the server's pg_hba.conf must allow it; with `no encryption` in the message, \
                            say sslmode=require";
                Self::new(Trouble::Rights, message, help)
            }
            "42501" => {
                let message =
                    format!("the role \"{user}\" may not connect to \"{database}\" at {place}: {said}");
                let help = "the database's owner allows it with GRANT CONNECT ON DATABASE … TO …";
                Self::new(Trouble::Rights, message, help)
            }
            "53300" | "57P03" | "57P01" | "57P02" => {
                let message = format!("the server at {place} takes no connection at the moment: {said}");
                Self::new(
                    Trouble::Busy,
                    message,
                    "wait and try again; max_connections limits how many it takes",
                )
            }
            code => {
                let message = format!("the server at {place} refuses the connection: {said} ({code})");
                let help = error.hint().map_or_else(|| format!("look at {source}"), str::to_owned);
                Self::new(Trouble::Other, message, help)
            }
        }
    }
}

fn missing_password(target: &Target, ignored: Option<&Path>) -> String {
    match ignored {
        Some(path) => {
            format!("{} is not used, since others may read it: chmod 0600 {}", path.display(), path.display())
        }
        None => format!(
            "put it into {}, PGPASSWORD or ~/.pgpass",
            target.source.replace("the PG* variables", "the URL")
        ),
    }
}

/// Whether the driver failed at TLS.
pub(super) fn is_tls(error: &postgres::Error) -> bool {
    error.to_string().contains("TLS")
}

/// What the driver says, with all reasons behind it.
pub(crate) fn reasons(error: &postgres::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(reason) = source {
        let reason_text = reason.to_string();
        if !text.contains(&reason_text) {
            text.push_str(": ");
            text.push_str(&reason_text);
        }
        source = reason.source();
    }
    text.strip_prefix("error connecting to server: ").map(str::to_owned).unwrap_or(text)
}

/// What the server said about a statement.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ServerError {
    /// The five characters of SQLSTATE; empty when the connection itself broke.
    pub sqlstate: String,
    /// The message.
    pub message: String,
    /// More about it.
    pub detail: Option<String>,
    /// The server's advice.
    pub hint: Option<String>,
    /// Where in functions it happened.
    pub context: Option<Box<str>>,
    /// The character of the statement that it is about, from 1.
    pub position: Option<u32>,
}

impl ServerError {
    /// Whether the connection is gone, so that nothing more can be said to the server.
    pub fn is_connection_lost(&self) -> bool {
        self.sqlstate.is_empty()
            || matches!(self.sqlstate.as_str(), "57P01" | "57P02" | "57P03" | "57P05" | "25P03")
    }
}

impl From<&postgres::Error> for ServerError {
    fn from(error: &postgres::Error) -> Self {
        let Some(said) = error.as_db_error() else {
            return Self { message: reasons(error), ..Self::default() };
        };
        let owned = |text: Option<&str>| text.map(str::to_owned);
        Self {
            sqlstate: said.code().code().to_owned(),
            message: said.message().to_owned(),
            detail: owned(said.detail()),
            hint: owned(said.hint()),
            context: said.where_().map(Into::into),
            position: match said.position() {
                Some(ErrorPosition::Original(position)) => Some(*position),
                _ => None,
            },
        }
    }
}

impl From<postgres::Error> for ServerError {
    fn from(error: postgres::Error) -> Self {
        Self::from(&error)
    }
}

impl fmt::Display for ServerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        if !self.sqlstate.is_empty() {
            write!(f, " ({})", self.sqlstate)?;
        }
        for (word, text) in [("detail", &self.detail), ("hint", &self.hint)] {
            if let Some(text) = text {
                write!(f, "\n{word}: {text}")?;
            }
        }
        Ok(())
    }
}

impl StdError for ServerError {}
