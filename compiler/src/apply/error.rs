//! Why a plan did not run to its end, and where the database stands then.

use std::error::Error;
use std::fmt;

use schemac_schema::id::ObjectId;
use schemac_schema::span::Span;

use crate::connect::ServerError;

/// Why a plan did not run to its end.
#[derive(Clone, Debug)]
pub enum ApplyError {
    /// Another apply works on this database.
    Busy(Holder),
    /// The connection goes to another server process from one transaction to the next.
    Pooler {
        /// How many segments were committed.
        boundary: usize,
    },
    /// The plan has a statement that PostgreSQL refuses in a transaction.
    NotInOneTransaction(String),
    /// A statement failed.
    Statement(Box<FailedStatement>),
    /// The server could not be asked for the lock.
    Server(ServerError),
}

/// Who applies at the moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Holder {
    /// Its server process; 0 when it has just gone.
    pub pid: i32,
    /// What it calls itself.
    pub application: String,
    /// Its role; empty when we may not see it.
    pub role: String,
    /// Since when it is connected.
    pub since: String,
}

/// A statement that failed.
#[derive(Clone, Debug)]
pub struct FailedStatement {
    /// The statement.
    pub statement: String,
    /// What it is about; `None` for LOCK TABLE, BEGIN and COMMIT.
    pub object: Option<ObjectId>,
    /// Where that is declared.
    pub span: Option<Span>,
    /// What the server said.
    pub error: ServerError,
    /// Which segment it is of, from 1.
    pub segment: usize,
    /// How many there are.
    pub segments: usize,
    /// How often the segment had been tried again.
    pub retries: u32,
    /// The database stands where this many segments have been committed.
    pub boundary: usize,
    /// Whether that is known: false when the connection broke while the segment was being committed, or when a
    /// statement outside a transaction failed and may have left something.
    pub certain: bool,
}

impl fmt::Display for ApplyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Busy(Holder { pid: 0, .. }) => {
                f.write_str("another apply is at work on this database; try again")
            }
            Self::Busy(holder) => {
                write!(
                    f,
                    "another apply is at work on this database: process {} ({}",
                    holder.pid, holder.application
                )?;
                if !holder.role.is_empty() {
                    write!(f, ", role {}", holder.role)?;
                }
                if !holder.since.is_empty() {
                    write!(f, ", connected since {}", holder.since)?;
                }
                write!(
                    f,
                    "); wait until it is done, or end it with SELECT pg_terminate_backend({})",
                    holder.pid
                )
            }
            Self::Pooler { boundary } => {
                write!(
                    f,
                    "the connection goes through a transaction pooler, where one apply cannot keep out another; \
                     connect to the server itself (or a session pooler). {}",
                    standing(*boundary)
                )
            }
            Self::NotInOneTransaction(statement) => {
                write!(
                    f,
                    "this statement cannot run in a transaction, so the plan cannot run in one: {statement}"
                )
            }
            Self::Statement(failed) => failed.fmt(f),
            Self::Server(error) => write!(f, "the server refused: {error}"),
        }
    }
}

impl Error for ApplyError {}

impl fmt::Display for FailedStatement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "segment {} of {} failed", self.segment, self.segments)?;
        if let Some(object) = self.object {
            write!(f, " at {object}")?;
        }
        writeln!(f, ": {}", self.error)?;
        writeln!(f, "statement: {}", self.statement)?;
        if self.retries > 0 {
            writeln!(f, "it had been tried again {} times", self.retries)?;
        }
        if self.certain {
            f.write_str(&standing(self.boundary))
        } else if self.error.is_connection_lost() {
            write!(
                f,
                "the connection broke while segment {} was being committed, so whether it was is not known; \
                 run schemac diff",
                self.segment
            )
        } else {
            write!(
                f,
                "{}; this statement runs outside a transaction and may have left something behind (an index that is \
                 not valid): run schemac diff",
                standing(self.boundary)
            )
        }
    }
}

fn standing(boundary: usize) -> String {
    match boundary {
        0 => "nothing was changed".to_owned(),
        number => {
            format!("the database stands behind segment {number}; the same command again goes on from there")
        }
    }
}
