//! Connecting to the database that people name, as libpq does, with messages that say what to do.
//!
//! Nothing here uses named prepared statements, so that a transaction pooler in between does no harm. A password is
//! in no message: messages are written from what is known (host, port, user, database), never from what was given.

mod error;
mod files;
mod settings;
mod tls;

use std::time::Duration;

use postgres::config::{ChannelBinding, SslMode, SslNegotiation, TargetSessionAttrs};
use postgres::{Client, Config, NoTls};

pub use self::error::{ConnectError, ServerError, Trouble};

use self::files::Found;
use self::settings::{Environment, Server, Settings};
use self::tls::Mode;

/// The oldest PostgreSQL that schemac works with.
pub const OLDEST: u32 = 14;

/// What pg_stat_activity calls us.
pub const APPLICATION_NAME: &str = "schemac";

/// What makes SQL mean the same, and the server print the same, in every session; begins each transaction. Not the
/// search_path, which each stage sets for itself.
pub const SET_LOCAL: &str = "SET LOCAL TimeZone = 'UTC'; SET LOCAL DateStyle = 'ISO, MDY'; \
    SET LOCAL IntervalStyle = 'postgres'; SET LOCAL standard_conforming_strings = on; \
    SET LOCAL transform_null_equals = off; SET LOCAL quote_all_identifiers = off; \
    SET LOCAL extra_float_digits = 1; SET LOCAL check_function_bodies = off; SET LOCAL row_security = on";

/// A connection and what was learned on the way.
pub struct Connection {
    /// The connection; only its simple queries are used.
    pub client: Client,
    /// Major version of the server.
    pub version: u32,
    /// The role that works here.
    pub role: String,
    /// The database.
    pub database: String,
    /// Where it is, for people: `host:port`, or a socket's folder. Never with a password.
    pub place: String,
}

/// Connects to the database of `url` (a libpq URL, or `keyword=value` pairs), else of `DATABASE_URL`, else of the
/// `PG*` variables; what one does not say the next does, then `PGSERVICE` and `.pgpass`, then libpq's defaults.
///
/// # Errors
/// What is wrong and what to do about it.
pub fn connect(url: Option<&str>) -> Result<Connection, ConnectError> {
    connect_with(url, &|name| std::env::var(name).ok())
}

/// As [`connect`], with another environment.
///
/// # Errors
/// What is wrong and what to do about it.
pub fn connect_with(
    url: Option<&str>,
    environment: &dyn Fn(&str) -> Option<String>,
) -> Result<Connection, ConnectError> {
    let settings = Settings::gather(url, environment).map_err(ConnectError::settings)?;
    let servers = settings.servers().map_err(ConnectError::settings)?;
    let base = config(&settings).map_err(ConnectError::settings)?;
    let mut first = None;
    for server in &servers {
        match try_server(&settings, &base, server, environment) {
            Ok(connection) => return Ok(connection),
            Err(error) => first = first.or(Some(error)),
        }
    }
    Err(first.unwrap_or_else(|| ConnectError::settings("no host is named".into())))
}

fn config(settings: &Settings) -> Result<Config, String> {
    let mut config = Config::new();
    let name = settings.get("application_name").unwrap_or(APPLICATION_NAME);
    config.application_name(name);
    if let Some(user) = settings.get("user") {
        config.user(user);
    }
    if let Some(database) = settings.get("dbname") {
        config.dbname(database);
    }
    if let Some(options) = settings.get("options") {
        config.options(options);
    }
    // Without a word about it a wrong address should not take minutes to fail.
    let seconds = match settings.get("connect_timeout") {
        None => Some(15),
        Some(text) => match text.trim().parse::<i64>() {
            Ok(seconds) => u64::try_from(seconds).ok().filter(|seconds| *seconds > 0),
            Err(_) => return Err("connect_timeout is no number of seconds".into()),
        },
    };
    if let Some(seconds) = seconds {
        config.connect_timeout(Duration::from_secs(seconds));
    }
    config.target_session_attrs(match settings.get("target_session_attrs") {
        None | Some("any") => TargetSessionAttrs::Any,
        Some("read-write" | "primary") => TargetSessionAttrs::ReadWrite,
        Some("read-only" | "standby") => TargetSessionAttrs::ReadOnly,
        Some(_) => {
            return Err("target_session_attrs is any, read-write, read-only, primary or standby".into());
        }
    });
    config.channel_binding(match settings.get("channel_binding") {
        None | Some("prefer") => ChannelBinding::Prefer,
        Some("disable") => ChannelBinding::Disable,
        Some("require") => ChannelBinding::Require,
        Some(_) => return Err("channel_binding is disable, prefer or require".into()),
    });
    if settings.get("sslnegotiation") == Some("direct") {
        config.ssl_negotiation(SslNegotiation::Direct);
    }
    Ok(config)
}

fn try_server(
    settings: &Settings,
    base: &Config,
    server: &Server,
    environment: Environment<'_>,
) -> Result<Connection, ConnectError> {
    let target = error::Target {
        place: if server.is_socket() {
            format!("{}/.s.PGSQL.{}", server.host, server.port)
        } else {
            format!("{}:{}", server.host, server.port)
        },
        socket: server.is_socket(),
        user: settings.get("user").unwrap_or_default().to_owned(),
        database: settings.get("dbname").unwrap_or_default().to_owned(),
        source: settings.source,
    };
    let mut config = base.clone();
    config.port(server.port);
    if server.is_socket() {
        config.host_path(&server.host);
    } else {
        config.host(&server.host);
        if let Some(address) = &server.address {
            let address = address.parse();
            config.hostaddr(address.map_err(|_| ConnectError::settings("hostaddr is no IP address".into()))?);
        }
    }
    let mut ignored = None;
    if let Some(password) = settings.get("password") {
        config.password(password);
    } else {
        let host = (server.host.as_str(), server.port, target.database.as_str(), target.user.as_str());
        match files::password(settings.get("passfile"), environment, host) {
            Found::Password(password) => {
                config.password(password);
            }
            Found::Readable(path) => ignored = Some(path),
            Found::Nothing => {}
        }
    }
    let Some(mode) = Mode::of(settings) else {
        let words = "sslmode is disable, allow, prefer, require, verify-ca or verify-full";
        return Err(ConnectError::settings(words.into()));
    };
    let outcome = if server.is_socket() {
        plain(&mut config)
    } else {
        encrypted(&mut config, mode, settings, environment)?
    };
    let client = outcome.map_err(|error| ConnectError::connecting(&error, &target, ignored.as_deref()))?;
    greet(client, target)
}

fn plain(config: &mut Config) -> Result<Client, postgres::Error> {
    config.ssl_mode(SslMode::Disable).connect(NoTls)
}

/// Connects over TCP; the outer error is about certificates of ours.
fn encrypted(
    config: &mut Config,
    mode: Mode,
    settings: &Settings,
    environment: Environment<'_>,
) -> Result<Result<Client, postgres::Error>, ConnectError> {
    if mode == Mode::Disable {
        return Ok(plain(config));
    }
    let connector = tls::connector(mode, settings, environment).map_err(ConnectError::certificates)?;
    Ok(match mode {
        Mode::Allow => plain(config)
            .or_else(|error| config.ssl_mode(SslMode::Require).connect(connector).map_err(|_| error)),
        // What `prefer` promises is a connection; a server whose TLS does not work is still talked to.
        Mode::Prefer => {
            config.ssl_mode(SslMode::Prefer).connect(connector).or_else(|error| match error.as_db_error() {
                Some(_) => Err(error),
                None if error::is_tls(&error) => plain(config),
                None => Err(error),
            })
        }
        _ => config.ssl_mode(SslMode::Require).connect(connector),
    })
}

/// The first question: who answers, in which version.
fn greet(mut client: Client, target: error::Target) -> Result<Connection, ConnectError> {
    let question = "SELECT pg_catalog.current_setting('server_version_num'), \
                    pg_catalog.current_setting('server_version'), current_user, pg_catalog.current_database(), \
                    pg_catalog.current_setting('server_encoding')";
    let rows =
        client.simple_query(question).map_err(|error| ConnectError::connecting(&error, &target, None))?;
    let mut values = rows.iter().find_map(|message| match message {
        postgres::SimpleQueryMessage::Row(row) => {
            Some((0..5).map(|place| row.get(place).unwrap_or_default().to_owned()))
        }
        _ => None,
    });
    let mut next = || values.as_mut().and_then(Iterator::next).unwrap_or_default();
    let (number, version, role, database, encoding) = (next(), next(), next(), next(), next());
    let major = number.parse::<u32>().unwrap_or_default() / 10_000;
    if major < OLDEST {
        return Err(ConnectError::too_old(&version, &target));
    }
    if encoding == "SQL_ASCII" {
        return Err(ConnectError::encoding(&target));
    }
    Ok(Connection { client, version: major, role, database, place: target.place })
}
