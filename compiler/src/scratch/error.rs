//! What can go wrong with a scratch server, each with what to do about it.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::installation::Version;

/// A result of this module.
pub type Result<T> = std::result::Result<T, Error>;

/// Why there is no scratch server.
#[derive(Debug)]
pub enum Error {
    /// No folder with `initdb` and `postgres` was found, or none of the wanted major version.
    NoInstallation {
        /// The major version that was asked for.
        major: Option<u32>,
        /// What was found instead.
        found: Vec<Version>,
    },
    /// This process is root, PostgreSQL refuses to run as root, and there is no other account.
    NoAccount,
    /// No folder for temporary files lets the server's user in.
    NoTemporaryFolder {
        /// The folders that were tried.
        tried: Vec<PathBuf>,
    },
    /// No loopback port could be had.
    FreePort(io::Error),
    /// A file or a program could not be used.
    Io {
        /// What was to be done with it: "read", "write", "start".
        action: &'static str,
        /// Which file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// A program that prepares the server failed.
    Prepare {
        /// What it was for.
        purpose: String,
        /// What it printed.
        output: String,
    },
    /// `initdb` failed, or the server ended or did not become ready.
    NotStarted {
        /// The folder of the programs.
        bin: PathBuf,
        /// What they wrote to their log.
        log: String,
        /// How long it was waited for.
        patience: Duration,
    },
    /// The server runs but a connection failed.
    Connect {
        /// The database.
        database: String,
        /// What the driver says.
        source: postgres::Error,
    },
    /// A database could not be created.
    CreateDatabase {
        /// The database.
        database: String,
        /// What the server says.
        source: postgres::Error,
    },
}

impl Error {
    /// Wraps an error of the file system: `.map_err(Error::io("read", &path))`.
    pub(super) fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Error {
        let path = path.to_owned();
        move |source| Error::Io { action, path, source }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::NoInstallation { major: None, .. } => write!(
                f,
                "no PostgreSQL server found on this machine: install one (on Debian: apt-get install \
                 postgresql) or name the folder of its initdb in SCHEMAC_PG_BIN"
            ),
            Error::NoInstallation { major: Some(major), found } => {
                write!(f, "no PostgreSQL {major} server found on this machine")?;
                if !found.is_empty() {
                    let found: Vec<String> = found.iter().map(Version::to_string).collect();
                    write!(f, " (only {})", found.join(", "))?;
                }
                write!(f, ": install it or name the folder of its initdb in SCHEMAC_PG_BIN")
            }
            Error::NoAccount => write!(
                f,
                "PostgreSQL does not run as root, and neither the account postgres nor nobody exists: \
                 run this as another user"
            ),
            Error::NoTemporaryFolder { tried } => {
                let tried: Vec<String> = tried.iter().map(|path| path.display().to_string()).collect();
                write!(
                    f,
                    "no folder for the server's files: tried {}; name one in TMPDIR that the server's user \
                     may enter, with a short path",
                    tried.join(", ")
                )
            }
            Error::FreePort(source) => write!(f, "no free port on 127.0.0.1: {source}"),
            Error::Io { action, path, source } => {
                write!(f, "could not {action} {}: {source}", path.display())
            }
            Error::Prepare { purpose, output } => write!(f, "could not {purpose}: {}", output.trim()),
            Error::NotStarted { bin, log, patience } => write!(
                f,
                "the scratch server of {} did not start within {} s; its log says:\n{}",
                bin.display(),
                patience.as_secs(),
                log.trim()
            ),
            Error::Connect { database, source } => {
                write!(f, "could not connect to database {database} of the scratch server: {}", Chain(source))
            }
            Error::CreateDatabase { database, source } => {
                write!(f, "could not create database {database} on the scratch server: {}", Chain(source))
            }
        }
    }
}

/// An error with its causes on one line; the driver's own text leaves out what the server said.
struct Chain<'a>(&'a dyn std::error::Error);

impl fmt::Display for Chain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)?;
        let mut cause = self.0.source();
        while let Some(error) = cause {
            write!(f, ": {error}")?;
            cause = error.source();
        }
        Ok(())
    }
}

// The text above already says what the cause says, so there is no `source`.
impl std::error::Error for Error {}
