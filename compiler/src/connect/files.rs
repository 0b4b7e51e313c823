//! The two files of libpq: passwords (`.pgpass`) and services (`pg_service.conf`), read as libpq reads them.

use std::fs;
use std::path::{Path, PathBuf};

use super::settings::{Environment, Wrong, keyword};

/// What the password file says, and why it was not asked.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// The password.
    Password(String),
    /// There is no file, or no line of it is for this server.
    Nothing,
    /// Others may read the file, so it is not used, as libpq has it.
    Readable(PathBuf),
}

/// The password of a server, from the file that was named or the one in the home folder.
pub(super) fn password(
    named: Option<&str>,
    environment: Environment<'_>,
    (host, port, database, user): (&str, u16, &str, &str),
) -> Found {
    let home =
        || environment("HOME").filter(|home| !home.is_empty()).map(|home| Path::new(&home).join(".pgpass"));
    let Some(path) = named.map(PathBuf::from).or_else(home) else { return Found::Nothing };
    let Ok(metadata) = fs::metadata(&path) else { return Found::Nothing };
    if !metadata.is_file() {
        return Found::Nothing;
    }
    if open_to_others(&metadata) {
        return Found::Readable(path);
    }
    let Ok(bytes) = fs::read(&path) else { return Found::Nothing };
    // The default folder of the socket goes by the name of localhost.
    let host = if super::settings::SOCKET_FOLDERS.contains(&host) { "localhost" } else { host };
    let text = String::from_utf8_lossy(&bytes);
    find(&text, [host, &port.to_string(), database, user]).map_or(Found::Nothing, Found::Password)
}

#[cfg(unix)]
fn open_to_others(metadata: &fs::Metadata) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    metadata.permissions().mode() & 0o077 != 0
}

#[cfg(not(unix))]
fn open_to_others(_: &fs::Metadata) -> bool {
    false
}

/// The password of the first line whose four fields match. In each, `*` alone matches everything and a backslash
/// takes the next character as it is; the password ends at a colon that has none.
fn find(text: &str, wanted: [&str; 4]) -> Option<String> {
    text.split('\n').map(|line| line.trim_end_matches('\r')).filter(|line| !line.starts_with('#')).find_map(
        |line| {
            let mut rest = line;
            for token in wanted {
                rest = after_field(rest, token)?;
            }
            Some(unescaped(rest))
        },
    )
}

fn after_field<'a>(line: &'a str, token: &str) -> Option<&'a str> {
    if let Some(rest) = line.strip_prefix("*:") {
        return Some(rest);
    }
    let mut token = token.chars();
    let mut line = line.chars();
    loop {
        match line.next()? {
            ':' => return token.next().is_none().then_some(line.as_str()),
            '\\' => {
                if line.next()? != token.next()? {
                    return None;
                }
            }
            c => {
                if c != token.next()? {
                    return None;
                }
            }
        }
    }
}

fn unescaped(text: &str) -> String {
    let mut password = String::new();
    let mut rest = text.chars();
    while let Some(c) = rest.next() {
        match c {
            ':' => break,
            '\\' => password.push(rest.next().unwrap_or('\\')),
            c => password.push(c),
        }
    }
    password
}

/// The settings of a service: from the file that was named or the one in the home folder, else the system's.
pub(super) fn service(
    name: &str,
    named: Option<&str>,
    environment: Environment<'_>,
) -> Result<Vec<(&'static str, String)>, Wrong> {
    let home = environment("HOME").filter(|home| !home.is_empty());
    let own = match named {
        Some(path) if !Path::new(path).exists() => {
            return Err(format!("the service file {path} is not there"));
        }
        Some(path) => Some(PathBuf::from(path)),
        None => home.map(|home| Path::new(&home).join(".pg_service.conf")),
    };
    let system = environment("PGSYSCONFDIR").unwrap_or_else(|| "/etc/postgresql-common".into());
    for path in own.into_iter().chain([Path::new(&system).join("pg_service.conf")]) {
        let Ok(text) = fs::read_to_string(&path) else { continue };
        if let Some(found) = section(&text, name).map_err(|wrong| format!("{}: {wrong}", path.display()))? {
            return Ok(found);
        }
    }
    Err(format!(
        "the service {name} is defined nowhere: PGSERVICEFILE, ~/.pg_service.conf or pg_service.conf in PGSYSCONFDIR"
    ))
}

fn section(text: &str, name: &str) -> Result<Option<Vec<(&'static str, String)>>, Wrong> {
    let (mut found, mut inside) = (None, false);
    for (number, line) in text.lines().enumerate() {
        let number = number + 1;
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        if let Some(header) = line.strip_prefix('[') {
            if inside {
                return Ok(found);
            }
            inside = header.strip_prefix(name).is_some_and(|rest| rest.starts_with(']'));
            if inside {
                found = Some(Vec::new());
            }
            continue;
        }
        let Some(list) = found.as_mut().filter(|_| inside) else { continue };
        if line.starts_with("ldap") {
            return Err(format!("line {number}: services from LDAP are not read"));
        }
        let Some((key, value)) = line.split_once('=') else {
            return Err(format!("line {number}: a line is keyword=value"));
        };
        if key == "service" || key == "servicefile" {
            return Err(format!("line {number}: a service does not name another service"));
        }
        let Some(key) = keyword(key) else {
            return Err(format!(
                "line {number}: a keyword that PostgreSQL does not know; no blanks stand around `=`"
            ));
        };
        // The first of two wins.
        if list.iter().all(|(known, _)| *known != key) {
            list.push((key, value.to_owned()));
        }
    }
    Ok(found)
}

/// The name of the operating system's account that runs this process.
pub(super) fn account_name() -> Option<String> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("Uid:"))?;
    let id = line.split_whitespace().nth(1)?;
    let accounts = fs::read_to_string("/etc/passwd").ok()?;
    accounts.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1) == Some(id)).then(|| name.to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_password_file_is_read_as_libpq_reads_it() {
        let text = "# a:5432:d:u:comment\n\
                    a:5432:d:u:plain\r\n\
                    b:*:*:u:pa\\:ss\\\\w\\ord:rest\n\
                    \\:\\:1:5432:*:*:six\n\
                    c:5432:d\\:e:u\\\\v:escaped\n\
                    c*:1:d:u:no pattern\n\
                    *:*:*:last: white space \n\
                    short:5432\n";
        for (wanted, password) in [
            (["a", "5432", "d", "u"], Some("plain")),
            (["a", "5432", "d", "uu"], None),
            (["aa", "5432", "d", "u"], None),
            (["b", "1", "x", "u"], Some("pa:ss\\word")),
            (["::1", "5432", "d", "anyone"], Some("six")),
            (["c", "5432", "d:e", "u\\v"], Some("escaped")),
            (["cx", "1", "d", "u"], None),
            (["x", "1", "d", "last"], Some(" white space ")),
            (["short", "5432", "d", "u"], None),
        ] {
            assert_eq!(find(text, wanted).as_deref(), password, "{wanted:?}");
        }
    }

    #[test]
    fn a_password_file_that_others_may_read_is_not_used() {
        let folder = std::env::temp_dir().join(format!("schemac-pgpass-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let path = folder.join("pass");
        fs::write(&path, "localhost:5432:d:u:secret\n").unwrap();
        let named = path.to_string_lossy().into_owned();
        let ask = |host| password(Some(&named), &|_| None, (host, 5432, "d", "u"));
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
            assert_eq!(ask("localhost"), Found::Readable(path.clone()));
            fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        }
        assert_eq!(ask("localhost"), Found::Password("secret".into()));
        assert_eq!(ask("/var/run/postgresql"), Found::Password("secret".into()));
        assert_eq!(ask("/elsewhere"), Found::Nothing);
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn services_are_sections() {
        let text = "# services\n[one]\nhost=h\nport=1\nhost=later\n\n  [one-more]\nhost=other\npassword=a = b\n[bad]\nhost = h\n";
        let shown = |name| section(text, name).map(|found| found.map(|list| format!("{list:?}")));
        assert_eq!(shown("one").unwrap().unwrap(), r#"[("host", "h"), ("port", "1")]"#);
        assert_eq!(shown("one-more").unwrap().unwrap(), r#"[("host", "other"), ("password", "a = b")]"#);
        assert_eq!(shown("two"), Ok(None));
        assert!(shown("bad").unwrap_err().contains("line 11"));
    }
}
