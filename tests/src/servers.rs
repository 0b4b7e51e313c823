//! Live servers: one of each major version for a whole test process, and databases of one test each.

use std::fmt;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use postgres::{Client, NoTls, SimpleQueryMessage};
use schemac_compiler::scratch::{self, Options, Scratch};

use crate::{Result, dump, is_ci, repository};

/// The versions that schemac is for.
pub const MAJORS: [u32; 5] = [14, 15, 16, 17, 18];

/// The role that owns the databases: it may log in and is no superuser, as on managed platforms.
pub const OWNER: &str = "owner";

/// The roles of an API in front of the database; the owner may become each of them.
pub const API_ROLES: [&str; 3] = ["anon", "authenticated", "service_role"];

/// A server that runs until the test process ends.
#[derive(Debug)]
pub struct Server {
    scratch: Scratch,
    databases: AtomicU32,
    admin: Admin,
}

/// The server of a major version, started when it is first asked for.
///
/// Where the version is missing this panics in CI, and otherwise says once what is missing and how to
/// get it; the test then has nothing to do.
pub fn get(major: u32) -> Option<&'static Server> {
    static SERVERS: [OnceLock<Option<Server>>; MAJORS.len()] = [const { OnceLock::new() }; MAJORS.len()];
    let place = MAJORS.iter().position(|known| *known == major);
    let place = place.unwrap_or_else(|| panic!("PostgreSQL {major} is none of {MAJORS:?}"));
    let server = SERVERS[place].get_or_init(|| {
        let installation = match scratch::installation(major) {
            Ok(installation) => installation,
            Err(error) if is_ci() => panic!("{error}; or run script/bootstrap --versions"),
            Err(error) => {
                eprintln!("skipped on PostgreSQL {major}: {error}; or run script/bootstrap --versions");
                return None;
            }
        };
        let server = Server::start(&installation);
        Some(server.unwrap_or_else(|error| panic!("PostgreSQL {major} did not start: {error}")))
    });
    server.as_ref()
}

/// The servers of all versions that this machine has, the oldest first; of those of `SCHEMAC_VERSIONS` (`15,18`) only,
/// where that is set.
///
/// # Panics
/// When it names a version that there is none of: nothing would be tested, and nobody would notice.
pub fn all() -> impl Iterator<Item = &'static Server> {
    let wanted = std::env::var("SCHEMAC_VERSIONS").unwrap_or_default();
    let wanted: Vec<u32> = wanted
        .split(',')
        .map(str::trim)
        .filter(|word| !word.is_empty())
        .map(|word| {
            let known = word.parse().ok().filter(|major| MAJORS.contains(major));
            known.unwrap_or_else(|| panic!("SCHEMAC_VERSIONS: {word} is none of {MAJORS:?}"))
        })
        .collect();
    MAJORS.into_iter().filter(move |major| wanted.is_empty() || wanted.contains(major)).filter_map(get)
}

impl Server {
    /// Starts a server for a test that needs one of its own: one it kills, or with other settings.
    pub fn start(installation: &scratch::Installation) -> Result<Self> {
        Server::start_with(installation, Options::default())
    }

    /// Starts a server of its own with settings.
    pub fn start_with(installation: &scratch::Installation, options: Options) -> Result<Self> {
        let scratch = Scratch::start(installation, options)?;
        let mut client = scratch.connect("postgres")?;
        client.batch_execute(&format!("CREATE ROLE {OWNER} LOGIN PASSWORD '{}'", scratch.password()))?;
        for role in API_ROLES {
            // As Supabase has it: the service role is above row-level security.
            let bypass = if role == "service_role" { "BYPASSRLS" } else { "" };
            client.batch_execute(&format!("CREATE ROLE {role} NOLOGIN {bypass}; GRANT {role} TO {OWNER}"))?;
        }
        Ok(Server { scratch, databases: AtomicU32::new(0), admin: Admin(Mutex::new(client)) })
    }

    /// An empty database that belongs to [`OWNER`] and is dropped at the end.
    #[track_caller]
    pub fn database(&self) -> Database<'_> {
        self.try_database().unwrap_or_else(|error| panic!("no database for this test: {error}"))
    }

    fn try_database(&self) -> Result<Database<'_>> {
        let name = format!("test_{}", self.databases.fetch_add(1, Ordering::Relaxed));
        self.create(&name, "template0")?;
        let database = Database { server: self, name };
        if self.major() < 15 {
            // Later versions give it to the owner of the database by themselves.
            database.execute_as(As::Superuser, &format!("ALTER SCHEMA public OWNER TO {OWNER}"))?;
        }
        Ok(database)
    }

    /// A database with everything that another one has, to which nobody is connected. Dropped at the end.
    ///
    /// # Errors
    /// When somebody is.
    pub fn copy(&self, original: &Database<'_>) -> Result<Database<'_>> {
        let name = format!("test_{}", self.databases.fetch_add(1, Ordering::Relaxed));
        self.create(&name, &original.name)?;
        Ok(Database { server: self, name })
    }

    /// Copies files instead of writing each page to the log: on these servers, which never write anything down for good,
    /// it takes half the time, and so does dropping the copy.
    fn create(&self, name: &str, template: &str) -> std::result::Result<(), postgres::Error> {
        let strategy = if self.major() < 15 { "" } else { "STRATEGY file_copy" };
        let sql = format!("CREATE DATABASE {name} OWNER {OWNER} TEMPLATE {template} {strategy}");
        self.admin.lock().batch_execute(&sql)
    }

    /// Runs SQL about the whole server (roles, tablespaces) as the superuser, one test at a time.
    pub fn execute(&self, sql: &str) -> std::result::Result<(), postgres::Error> {
        self.admin.lock().batch_execute(sql)
    }

    /// Creates a role, with options such as `LOGIN`, unless another test has already done so.
    pub fn ensure_role(&self, name: &str, options: &str) -> std::result::Result<(), postgres::Error> {
        // One at a time, so nobody creates it between the question and the answer.
        let mut admin = self.admin.lock();
        if admin.query("SELECT FROM pg_roles WHERE rolname = $1", &[&name])?.is_empty() {
            let quoted = name.replace('"', "\"\"");
            admin.batch_execute(&format!(
                "CREATE ROLE \"{quoted}\" {options}; GRANT \"{quoted}\" TO {OWNER}"
            ))?;
        }
        Ok(())
    }

    /// The major version.
    pub fn major(&self) -> u32 {
        self.scratch.version().major
    }

    /// The running server itself.
    pub fn scratch(&self) -> &Scratch {
        &self.scratch
    }
}

/// Who does something in a database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum As {
    /// [`OWNER`], no superuser.
    Owner,
    /// The superuser.
    Superuser,
}

/// A database of one test.
#[derive(Debug)]
pub struct Database<'a> {
    server: &'a Server,
    name: String,
}

impl Database<'_> {
    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The server that it is on.
    pub fn server(&self) -> &Server {
        self.server
    }

    /// Its address for [`OWNER`].
    pub fn url_as_owner(&self) -> String {
        self.url(As::Owner)
    }

    /// The server's major version.
    pub fn major(&self) -> u32 {
        self.server.major()
    }

    /// Its address for the superuser.
    pub fn url_as_superuser(&self) -> String {
        self.url(As::Superuser)
    }

    /// Its address.
    pub fn url(&self, who: As) -> String {
        let role = match who {
            As::Owner => OWNER,
            As::Superuser => scratch::SUPERUSER,
        };
        let scratch = &self.server.scratch;
        scratch.url_as(role, scratch.password(), &self.name)
    }

    /// A connection.
    #[track_caller]
    pub fn connect(&self, who: As) -> Client {
        Client::connect(&self.url(who), NoTls)
            .unwrap_or_else(|error| panic!("no connection to {}: {error}", self.name))
    }

    /// Runs statements as the owner, over a connection of their own.
    pub fn execute(&self, sql: &str) -> std::result::Result<(), postgres::Error> {
        self.execute_as(As::Owner, sql)
    }

    /// Runs statements, over a connection of their own.
    pub fn execute_as(&self, who: As, sql: &str) -> std::result::Result<(), postgres::Error> {
        Client::connect(&self.url(who), NoTls)?.batch_execute(sql)
    }

    /// The first value of a query as a superuser, who changes nothing by it: empty without a row; else the SQLSTATE.
    ///
    /// # Errors
    /// The server refuses it.
    #[track_caller]
    pub fn answer(&self, sql: &str) -> std::result::Result<String, String> {
        let mut client = self.connect(As::Superuser);
        let mut transaction = client.transaction().expect("a transaction");
        let found = transaction.simple_query(sql).map(|messages| {
            messages.iter().find_map(|message| match message {
                SimpleQueryMessage::Row(row) => Some(row.get(0).unwrap_or("null").to_owned()),
                _ => None,
            })
        });
        found
            .map(Option::unwrap_or_default)
            .map_err(|error| error.code().map(|code| code.code().to_owned()).unwrap_or_default())
    }

    /// Runs a file with psql, which stops at the first error; returns what it printed.
    pub fn psql_file(&self, who: As, path: impl AsRef<Path>) -> Result<String> {
        self.run_psql(who, &path.as_ref().to_string_lossy(), "")
    }

    /// Runs a script with psql, which stops at the first error; returns what it printed.
    pub fn psql(&self, who: As, script: &str) -> Result<String> {
        self.run_psql(who, "-", script)
    }

    fn run_psql(&self, who: As, file: &str, input: &str) -> Result<String> {
        let fetched = repository().join(".cache/pg_dump18/bin/psql");
        let program = if fetched.is_file() { fetched } else { "psql".into() };
        let mut child = Command::new(&program)
            .args(["--no-psqlrc", "--quiet", "--no-password", "--set", "ON_ERROR_STOP=1"])
            .args(["--dbname", &self.url(who), "--file", file])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|error| format!("could not start {}: {error}", program.display()))?;
        // Written from beside, since psql may print much before it has read everything.
        let (pipe, input) = (child.stdin.take(), input.to_owned());
        let writer = std::thread::spawn(move || pipe.map(|mut pipe| pipe.write_all(input.as_bytes())));
        let output = child.wait_with_output()?;
        // psql that stops early closes its end; its own words say why.
        let _ = writer.join();
        if !output.status.success() {
            return Err(format!("psql failed: {}", String::from_utf8_lossy(&output.stderr).trim()).into());
        }
        Ok(String::from_utf8(output.stdout)?)
    }

    /// A new database with what `pg_dump` says about this one.
    ///
    /// PostgreSQL does not always store what it prints as it was (`varchar` arrays in checks), so this and not the
    /// database itself is what a third way must be equal to.
    pub fn restored(&self) -> Result<Database<'_>> {
        let restored = self.server.database();
        // A setting that only the servers of the newest pg_dump know.
        let known = |line: &&str| !line.starts_with("SET transaction_timeout");
        let dump = self.dump();
        // Not `lines`, which takes a carriage return at the end of a line of a body away.
        let script: Vec<&str> = dump.split('\n').filter(known).collect();
        restored.psql(As::Superuser, &script.join("\n"))?;
        Ok(restored)
    }

    /// Its schema as `pg_dump` writes it; see [`dump`] for comparing.
    #[track_caller]
    pub fn dump(&self) -> String {
        dump::of(&self.url(As::Superuser)).unwrap_or_else(|error| panic!("no dump of {}: {error}", self.name))
    }
}

impl Drop for Database<'_> {
    fn drop(&mut self) {
        // A server that a test has killed has no databases any more.
        let _ = self.server.admin.lock().batch_execute(&format!("DROP DATABASE {} WITH (FORCE)", self.name));
    }
}

/// The superuser's connection for what concerns the whole server, used by one test at a time.
struct Admin(Mutex<Client>);

impl Admin {
    fn lock(&self) -> MutexGuard<'_, Client> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Admin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Admin")
    }
}
