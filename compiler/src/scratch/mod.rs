//! A throw-away PostgreSQL: found on this machine, started privately, gone at the end.
//!
//! [`installations`] says which servers this machine could start, [`Scratch::start`] starts one with
//! a data folder of its own. Nobody else gets in: the socket lies in a folder that only the server's
//! user may enter, and the loopback port wants a random password. Nothing is left behind, not even
//! when this process is killed (see `guard`).
//!
//! Not here: installing PostgreSQL, and anything that knows what the server is used for.

mod account;
mod error;
mod folder;
mod guard;
mod installation;

use std::fs;
use std::io::Read;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::time::Duration;

use postgres::{Client, NoTls};
use schemac_schema::sql;

pub use self::error::{Error, Result};
pub use self::installation::{Installation, Version, installation, installations, newest};

use self::account::Account;
use self::folder::Folder;
use self::guard::Guard;

/// How a server is started.
#[derive(Clone, Debug)]
pub struct Options {
    /// Settings beyond the usual ones, written last, so that they win: `("wal_level", "logical")`.
    pub settings: Vec<(String, String)>,
    /// How long the server may take until it answers.
    pub patience: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Options { settings: Vec::new(), patience: Duration::from_secs(60) }
    }
}

impl Options {
    /// Adds a setting of `postgresql.conf`.
    pub fn set(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.settings.push((name.into(), value.into()));
        self
    }
}

/// A running server, which stops and is removed when this is dropped.
#[derive(Debug)]
pub struct Scratch {
    // Fields are dropped in this order: the server stops before its folder goes.
    guard: Guard,
    folder: Folder,
    installation: Installation,
    password: String,
    port: u16,
}

/// The superuser of every scratch server.
pub const SUPERUSER: &str = "postgres";

/// How often another port is tried when somebody took the one that was free a moment ago.
const PORT_ATTEMPTS: usize = 8;

impl Scratch {
    /// Makes a data folder and starts a server in it; returns when it takes connections.
    pub fn start(installation: &Installation, options: Options) -> Result<Self> {
        let mut attempts = 1;
        loop {
            match Scratch::start_once(installation, &options) {
                // Somebody took the port that was free a moment ago.
                Err(Error::NotStarted { log, .. })
                    if attempts < PORT_ATTEMPTS && log.contains("Address already in use") =>
                {
                    attempts += 1;
                }
                outcome => return outcome,
            }
        }
    }

    fn start_once(installation: &Installation, options: &Options) -> Result<Self> {
        let password = random_hex()?;
        let port = free_port()?;
        let mut folder = Folder::create()?;
        let account = Account::for_owner_of(&folder)?;
        folder.hand_to(&account)?;
        folder.write_private("password", &format!("{password}\n"), &account)?;
        folder.write_private("settings", &settings(&folder, port, options), &account)?;
        let bin = account.reachable_bin(installation, &folder)?;
        let guard = Guard::start(&bin, &account, &folder)?;
        guard.wait_until_ready(&bin, &folder, options.patience)?;
        Ok(Scratch { guard, folder, installation: installation.clone(), password, port })
    }

    /// The address of a database, for the superuser, over loopback with the password.
    pub fn url(&self, database: &str) -> String {
        self.url_as(SUPERUSER, &self.password, database)
    }

    /// The address of a database for another role, which must have this password.
    pub fn url_as(&self, role: &str, password: &str, database: &str) -> String {
        format!(
            "postgres://{}:{}@127.0.0.1:{}/{}",
            percent_encoded(role),
            percent_encoded(password),
            self.port,
            percent_encoded(database)
        )
    }

    /// The address of a database through the private socket, where every role may enter without a
    /// password; only root and the server's own user reach the socket.
    pub fn socket_url(&self, role: &str, database: &str) -> String {
        format!(
            "postgres://{}@{}:{}/{}",
            percent_encoded(role),
            percent_encoded(&self.folder.socket().to_string_lossy()),
            self.port,
            percent_encoded(database)
        )
    }

    /// A connection to a database as the superuser.
    pub fn connect(&self, database: &str) -> Result<Client> {
        Client::connect(&self.url(database), NoTls)
            .map_err(|source| Error::Connect { database: database.to_owned(), source })
    }

    /// Creates an empty database, owned by the superuser.
    pub fn create_database(&self, name: &str) -> Result<()> {
        let quoted = sql::in_quotes(name);
        self.connect("postgres")?
            .batch_execute(&format!("CREATE DATABASE {quoted} TEMPLATE template0"))
            .map_err(|source| Error::CreateDatabase { database: name.to_owned(), source })
    }

    /// Major and minor version of the server.
    pub fn version(&self) -> Version {
        self.installation.version
    }

    /// What was started.
    pub fn installation(&self) -> &Installation {
        &self.installation
    }

    /// The superuser's password.
    pub fn password(&self) -> &str {
        &self.password
    }

    /// The loopback port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The server's data folder, for what only files can say (certificates, `pg_hba.conf`).
    pub fn data_folder(&self) -> PathBuf {
        self.folder.data()
    }

    /// What the server has written to its log so far.
    pub fn log(&self) -> String {
        self.folder.log()
    }

    /// The process id of the server, for tests that kill it.
    pub fn process_id(&self) -> Option<u32> {
        guard::process_id(&self.folder)
    }

    /// Stops the server and removes everything; dropping does the same.
    pub fn stop(mut self) {
        self.guard.stop();
    }
}

/// The settings that make the server private, quick and the same on every machine.
fn settings(folder: &Folder, port: u16, options: &Options) -> String {
    let socket = folder.socket().to_string_lossy().into_owned();
    let port = port.to_string();
    let mut settings = vec![
        ("listen_addresses", "127.0.0.1"),
        ("port", &port),
        ("unix_socket_directories", &socket),
        ("unix_socket_permissions", "0700"),
        ("max_connections", "100"),
        // Nothing here needs to survive a crash.
        ("fsync", "off"),
        ("synchronous_commit", "off"),
        ("full_page_writes", "off"),
        ("jit", "off"),
        // Nothing here lives long enough to be vacuumed.
        ("autovacuum", "off"),
        ("timezone", "UTC"),
        ("log_timezone", "UTC"),
        ("password_encryption", "scram-sha-256"),
        ("logging_collector", "off"),
        ("log_destination", "stderr"),
    ];
    settings.extend(options.settings.iter().map(|(name, value)| (name.as_str(), value.as_str())));
    settings.iter().map(|(name, value)| format!("{name} = '{}'\n", sql::doubled(value))).collect()
}

/// A loopback port that nobody listens on at this moment.
fn free_port() -> Result<u16> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).map_err(Error::FreePort)?;
    Ok(listener.local_addr().map_err(Error::FreePort)?.port())
}

/// 128 random bits.
fn random_hex() -> Result<String> {
    let path = Path::new("/dev/urandom");
    let mut bytes = [0u8; 16];
    fs::File::open(path).and_then(|mut file| file.read_exact(&mut bytes)).map_err(Error::io("read", path))?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

/// A part of an address with everything but letters, digits and `-._~` written as `%XX`.
fn percent_encoded(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}

#[cfg(test)]
mod tests;
