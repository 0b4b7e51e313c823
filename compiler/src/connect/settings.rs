//! Where and as whom to connect, gathered as libpq does: what was given, then the service, then the environment,
//! then the defaults.
//!
//! No message of this file repeats any part of what was given, since a mistake in it puts the password in places
//! where nobody expects it (`postgres://me:pa/ss@host`).

use std::collections::BTreeMap;

use super::files;

/// How the environment is asked; tests give their own.
pub(super) type Environment<'a> = &'a dyn Fn(&str) -> Option<String>;

/// Every setting by libpq's keyword.
#[derive(Clone, Default)]
pub(super) struct Settings {
    values: BTreeMap<&'static str, String>,
    /// Where the address came from, for messages: `--db`, `DATABASE_URL`, `the PG* variables`.
    pub(super) source: &'static str,
}

/// libpq's keywords (its documentation, "Parameter Key Words") with the variables that stand in for them.
const KEYWORDS: &[(&str, &str)] = &[
    ("application_name", ""),
    ("channel_binding", "PGCHANNELBINDING"),
    ("client_encoding", ""),
    ("connect_timeout", "PGCONNECT_TIMEOUT"),
    ("dbname", "PGDATABASE"),
    ("fallback_application_name", ""),
    ("gssdelegation", ""),
    ("gssencmode", ""),
    ("gsslib", ""),
    ("host", "PGHOST"),
    ("hostaddr", "PGHOSTADDR"),
    ("keepalives", ""),
    ("keepalives_count", ""),
    ("keepalives_idle", ""),
    ("keepalives_interval", ""),
    ("krbsrvname", ""),
    ("load_balance_hosts", ""),
    ("max_protocol_version", ""),
    ("min_protocol_version", ""),
    ("options", "PGOPTIONS"),
    ("passfile", "PGPASSFILE"),
    ("password", "PGPASSWORD"),
    ("port", "PGPORT"),
    ("require_auth", ""),
    ("requirepeer", ""),
    ("service", "PGSERVICE"),
    ("servicefile", "PGSERVICEFILE"),
    ("sslcert", "PGSSLCERT"),
    ("sslcertmode", ""),
    ("sslcompression", ""),
    ("sslcrl", ""),
    ("sslcrldir", ""),
    ("sslkey", "PGSSLKEY"),
    ("ssl_max_protocol_version", ""),
    ("ssl_min_protocol_version", ""),
    ("sslmode", "PGSSLMODE"),
    ("sslnegotiation", "PGSSLNEGOTIATION"),
    ("sslpassword", ""),
    ("sslrootcert", "PGSSLROOTCERT"),
    ("sslsni", ""),
    ("target_session_attrs", "PGTARGETSESSIONATTRS"),
    ("tcp_user_timeout", ""),
    ("user", "PGUSER"),
];

/// The keyword as this file spells it, where libpq knows it.
pub(super) fn keyword(name: &str) -> Option<&'static str> {
    KEYWORDS.iter().map(|(keyword, _)| *keyword).find(|keyword| *keyword == name)
}

/// What is wrong with what was given; never a part of it.
pub(super) type Wrong = String;

impl Settings {
    /// A setting; empty counts as not given.
    pub(super) fn get(&self, keyword: &str) -> Option<&str> {
        self.values.get(keyword).map(String::as_str).filter(|value| !value.is_empty())
    }

    fn set(&mut self, keyword: &'static str, value: String) {
        self.values.insert(keyword, value);
    }

    fn set_if_missing(&mut self, keyword: &'static str, value: String) {
        self.values.entry(keyword).or_insert(value);
    }

    /// Gathers the settings.
    pub(super) fn gather(url: Option<&str>, environment: Environment<'_>) -> Result<Self, Wrong> {
        let variable = environment("DATABASE_URL").filter(|url| !url.is_empty());
        let (text, source) = match (url, &variable) {
            (Some(url), _) => (url, "--db"),
            (None, Some(url)) => (url.as_str(), "DATABASE_URL"),
            (None, None) => ("", "the PG* variables"),
        };
        let mut settings = Self { source, ..parse(text).map_err(|wrong| format!("{source}: {wrong}"))? };
        settings.add_service(environment)?;
        for (keyword, variable) in KEYWORDS.iter().filter(|(_, variable)| !variable.is_empty()) {
            if let Some(value) = environment(variable) {
                settings.set_if_missing(keyword, value);
            }
        }
        if settings.get("user").is_none() {
            let user = environment("USER").or_else(|| environment("LOGNAME")).filter(|user| !user.is_empty());
            let user = user.or_else(files::account_name).unwrap_or_else(|| "postgres".into());
            settings.set("user", user);
        }
        if settings.get("dbname").is_none() {
            let user = settings.get("user").unwrap_or_default().to_owned();
            settings.set("dbname", user);
        }
        Ok(settings)
    }

    fn add_service(&mut self, environment: Environment<'_>) -> Result<(), Wrong> {
        let named = self.get("service").map(str::to_owned);
        let Some(service) = named.or_else(|| environment("PGSERVICE")).filter(|name| !name.is_empty()) else {
            return Ok(());
        };
        let given = self.get("servicefile").map(str::to_owned).or_else(|| environment("PGSERVICEFILE"));
        for (keyword, value) in files::service(&service, given.as_deref(), environment)? {
            self.set_if_missing(keyword, value);
        }
        Ok(())
    }

    /// The servers to try, in order: host, address, port. A host that begins with `/` is a socket's folder.
    pub(super) fn servers(&self) -> Result<Vec<Server>, Wrong> {
        let split = |keyword| -> Vec<String> {
            self.get(keyword).map(|list| list.split(',').map(str::to_owned).collect()).unwrap_or_default()
        };
        let (hosts, addresses, ports) = (split("host"), split("hostaddr"), split("port"));
        let count = hosts.len().max(addresses.len()).max(1);
        if !hosts.is_empty() && !addresses.is_empty() && hosts.len() != addresses.len() {
            return Err("there must be as many hosts as host addresses".into());
        }
        if ports.len() > 1 && ports.len() != count {
            return Err("there must be one port, or as many as there are hosts".into());
        }
        (0..count)
            .map(|index| {
                let port = ports.get(index).or(ports.first()).map_or("", |port| port.trim());
                let port = if port.is_empty() { Ok(5432) } else { port.parse::<u16>().map_err(|_| ()) };
                let port = port.ok().filter(|port| *port > 0);
                let Some(port) = port else {
                    return Err("the port is no number from 1 to 65535".into());
                };
                let filled = |list: &[String]| list.get(index).filter(|host| !host.is_empty()).cloned();
                let address = filled(&addresses);
                let host = filled(&hosts).or_else(|| address.clone());
                Ok(Server { host: host.unwrap_or_else(|| default_socket(port)), address, port })
            })
            .collect()
    }
}

/// One server to try.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Server {
    /// Its name, or the folder of its socket.
    pub(super) host: String,
    /// Its address, where the name shall not be looked up.
    pub(super) address: Option<String>,
    /// Its port.
    pub(super) port: u16,
}

impl Server {
    /// Whether it is reached through a socket in the file system.
    pub(super) fn is_socket(&self) -> bool {
        self.host.starts_with('/') && self.address.is_none()
    }
}

/// The folders where distributions put the socket, the default first.
pub(super) const SOCKET_FOLDERS: [&str; 2] = ["/var/run/postgresql", "/tmp"];

fn default_socket(port: u16) -> String {
    let there = |folder: &&str| std::path::Path::new(folder).join(format!(".s.PGSQL.{port}")).exists();
    SOCKET_FOLDERS.into_iter().find(there).unwrap_or(SOCKET_FOLDERS[0]).to_owned()
}

/// Reads either form of libpq's connection strings.
fn parse(text: &str) -> Result<Settings, Wrong> {
    let text = text.trim();
    let scheme = |prefix: &str| text.get(..prefix.len()).filter(|head| head.eq_ignore_ascii_case(prefix));
    match scheme("postgresql://").or_else(|| scheme("postgres://")) {
        Some(head) => parse_url(&text[head.len()..]),
        None if text.contains("://") => {
            Err("an address of a database begins with postgres:// or postgresql://".into())
        }
        // As libpq has it for `dbname`: without a `=` it is the name of a database.
        None if !text.is_empty() && !text.contains('=') => {
            let mut settings = Settings::default();
            settings.set("dbname", text.to_owned());
            Ok(settings)
        }
        None => parse_keywords(text),
    }
}

/// `user:password@host:port,host:port/database?keyword=value&…`, everything percent-encoded.
fn parse_url(text: &str) -> Result<Settings, Wrong> {
    let mut settings = Settings::default();
    let end = text.find(['@', '/']).unwrap_or(text.len());
    let mut rest = text;
    if text[end..].starts_with('@') {
        let (user, password) = match text[..end].split_once(':') {
            Some((user, password)) => (user, Some(password)),
            None => (&text[..end], None),
        };
        if !user.is_empty() {
            settings.set("user", decoded(user)?);
        }
        if let Some(password) = password {
            settings.set("password", decoded(password)?);
        }
        rest = &text[end + 1..];
    }
    let (rest, query) = rest.split_once('?').map_or((rest, ""), |(rest, query)| (rest, query));
    let (authority, database) =
        rest.split_once('/').map_or((rest, ""), |(authority, path)| (authority, path));
    if authority.contains('@') {
        return Err(
            "there is more than one `@` in front of the host; in a user's name or a password write it \
                    as %40"
                .into(),
        );
    }
    if database.contains('@') || query.split('=').next().is_some_and(|name| name.contains('@')) {
        return Err(
            "there is a `@` behind the first `/` or `?`; in a user's name or a password write `/` as \
                    %2F, `?` as %3F and `@` as %40"
                .into(),
        );
    }
    let (mut hosts, mut ports) = (Vec::new(), Vec::new());
    for part in authority.split(',') {
        let (host, port) = if let Some(inner) = part.strip_prefix('[') {
            let Some((host, behind)) = inner.split_once(']') else {
                return Err("a `[` in front of an IPv6 address has no `]`".into());
            };
            match behind.strip_prefix(':') {
                Some(port) => (host, port),
                None if behind.is_empty() => (host, ""),
                None => return Err("only `:` and a port may follow the `]` of an IPv6 address".into()),
            }
        } else {
            part.split_once(':').unwrap_or((part, ""))
        };
        hosts.push(decoded(host)?);
        ports.push(decoded(port)?);
    }
    if hosts.iter().any(|host| !host.is_empty()) {
        settings.set("host", hosts.join(","));
    }
    if ports.iter().any(|port| !port.is_empty()) {
        settings.set("port", ports.join(","));
    }
    if !database.is_empty() {
        settings.set("dbname", decoded(database)?);
    }
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let Some((name, value)) = pair.split_once('=') else {
            return Err("behind the `?` stand pairs keyword=value with `&` between".into());
        };
        let (name, value) = (decoded(name)?, decoded(value)?);
        // As libpq has it, for JDBC's sake.
        let (name, value) = if name == "ssl" && value == "true" {
            ("sslmode".to_owned(), "require".to_owned())
        } else {
            (name, value)
        };
        // Poolers and drivers have keywords of their own (`pgbouncer=true`), which mean nothing here.
        if let Some(keyword) = keyword(&name) {
            settings.set(keyword, value);
        } else if !FOREIGN_KEYWORDS.contains(&name.as_str()) {
            return Err("behind the `?` stands a keyword that PostgreSQL does not know".into());
        }
    }
    Ok(settings)
}

/// Keywords that other drivers put into a URL and that say nothing about where to connect.
const FOREIGN_KEYWORDS: &[&str] = &[
    "connection_limit",
    "pgbouncer",
    "pool_timeout",
    "prepareThreshold",
    "schema",
    "socket_timeout",
    "statement_cache_size",
    "supa",
    "workaround",
];

/// `%41` is `A`.
fn decoded(text: &str) -> Result<String, Wrong> {
    let wrong = || {
        "a `%` stands before two hexadecimal digits other than 00; write the character itself as %25"
            .to_owned()
    };
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let mut digit = || rest.next().and_then(|digit| char::from(digit).to_digit(16));
        let (Some(high), Some(low)) = (digit(), digit()) else { return Err(wrong()) };
        let value = u8::try_from(high * 16 + low).ok().filter(|value| *value != 0);
        bytes.push(value.ok_or_else(wrong)?);
    }
    String::from_utf8(bytes).map_err(|_| "what is percent-encoded is no UTF-8".to_owned())
}

/// `host=localhost password='it''s \' here'`.
fn parse_keywords(text: &str) -> Result<Settings, Wrong> {
    let mut settings = Settings::default();
    let mut rest = text.chars().peekable();
    loop {
        while rest.next_if(|c| c.is_whitespace()).is_some() {}
        if rest.peek().is_none() {
            return Ok(settings);
        }
        let mut name = String::new();
        while let Some(c) = rest.next_if(|c| *c != '=' && !c.is_whitespace()) {
            name.push(c);
        }
        while rest.next_if(|c| c.is_whitespace()).is_some() {}
        if rest.next() != Some('=') {
            return Err("a keyword has no `=`; a value with blanks stands in single quotes".into());
        }
        while rest.next_if(|c| c.is_whitespace()).is_some() {}
        let mut value = String::new();
        if rest.next_if_eq(&'\'').is_some() {
            loop {
                match rest.next() {
                    Some('\'') => break,
                    Some('\\') => value.extend(rest.next()),
                    Some(c) => value.push(c),
                    None => return Err("a value's closing single quote is missing".into()),
                }
            }
        } else {
            while let Some(c) = rest.next_if(|c| !c.is_whitespace()) {
                if c == '\\' { value.extend(rest.next()) } else { value.push(c) }
            }
        }
        let Some(keyword) = keyword(&name) else {
            return Err("there is a keyword that PostgreSQL does not know".into());
        };
        settings.set(keyword, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gather(url: &str, environment: &[(&str, &str)]) -> Result<Settings, Wrong> {
        let find = |name: &str| {
            environment.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
        };
        Settings::gather(Some(url).filter(|url| !url.is_empty()), &find)
    }

    fn show(settings: &Settings) -> String {
        let shown = ["user", "password", "host", "port", "dbname", "sslmode", "options"];
        let shown = shown.into_iter().filter_map(|name| Some(format!("{name}={}", settings.get(name)?)));
        shown.collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn both_forms_of_connection_strings_are_read_as_libpq_reads_them() {
        for (text, expected) in [
            (
                "postgres://me:s%40c@h:1/d?sslmode=require",
                "user=me password=s@c host=h port=1 dbname=d sslmode=require",
            ),
            ("postgresql://me@[::1]:6/d", "user=me host=::1 port=6 dbname=d"),
            ("postgres://me@%2Fvar%2Frun:5433/d", "user=me host=/var/run port=5433 dbname=d"),
            ("postgres:///d?host=/tmp&user=x", "user=x host=/tmp dbname=d"),
            ("postgres://a,b:7/d?user=me", "user=me host=a,b port=,7 dbname=d"),
            ("postgres://me:a:b?c@h", "user=me password=a:b?c host=h dbname=me"),
            ("postgres://h/d?ssl=true&user=u&pgbouncer=true", "user=u host=h dbname=d sslmode=require"),
            ("host = h user=u password='a b\\'c\\\\' dbname=d", "user=u password=a b'c\\ host=h dbname=d"),
            ("host=h user=u\\ v options='-c a=b'", "user=u v host=h dbname=u v options=-c a=b"),
            ("postgres://me@h", "user=me host=h dbname=me"),
        ] {
            let settings = gather(text, &[]).unwrap_or_else(|wrong| panic!("{text}: {wrong}"));
            assert_eq!(show(&settings), expected, "{text}");
        }
    }

    #[test]
    fn what_was_given_goes_before_the_environment() {
        let environment = [
            ("DATABASE_URL", "postgres://other@elsewhere/x"),
            ("PGHOST", "env"),
            ("PGPORT", "77"),
            ("PGUSER", "envuser"),
            ("PGPASSWORD", "secret"),
        ];
        let settings = gather("postgres://me@h/d", &environment).unwrap();
        assert_eq!(show(&settings), "user=me password=secret host=h port=77 dbname=d");
        let settings = gather("", &environment).unwrap();
        assert_eq!(show(&settings), "user=other password=secret host=elsewhere port=77 dbname=x");
        assert_eq!(settings.source, "DATABASE_URL");
        let settings = gather("", &environment[1..]).unwrap();
        assert_eq!(show(&settings), "user=envuser password=secret host=env port=77 dbname=envuser");
        assert_eq!(gather("", &[("USER", "u")]).unwrap().servers().unwrap()[0].port, 5432);
    }

    #[test]
    fn hosts_and_ports_are_paired() {
        let servers = gather("postgres://a:1,b:2,c/d", &[("USER", "u")]).unwrap().servers().unwrap();
        let shown: Vec<_> = servers.iter().map(|server| (server.host.as_str(), server.port)).collect();
        assert_eq!(shown, [("a", 1), ("b", 2), ("c", 5432)]);
        let servers = gather("host=a,b port=9 user=u", &[]).unwrap().servers().unwrap();
        assert_eq!(servers.iter().map(|server| server.port).collect::<Vec<_>>(), [9, 9]);
    }

    #[test]
    fn no_message_repeats_what_was_given() {
        for text in [
            "postgres://me:hunter2@hunter2@h/d",
            "postgres://me:hunter2/hunter2@h/d",
            "postgres://me:hunter2%zzhunter2@h/d",
            "postgres://me:hunter2/d",
            "postgres://me/d?hunter2@h/d",
            "postgres://h/d?pasword=hunter2",
            "postgres://h/d?hunter2",
            "mysql://me:hunter2@h/d",
            "host=h password=a hunter2",
            "host=h password='hunter2",
            "host=h hunter2=1",
            "host=h,i,j port=1,hunter2",
            "host=h port=hunter2",
        ] {
            let wrong = gather(text, &[]).and_then(|settings| settings.servers().map(|_| ())).unwrap_err();
            assert!(!wrong.contains("hunter2"), "{text}: {wrong}");
        }
    }
}
