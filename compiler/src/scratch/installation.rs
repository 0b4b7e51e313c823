//! Which PostgreSQL servers this machine could start.
//!
//! Only looks; running one is the parent module's business.

use std::collections::BTreeSet;
use std::env;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::error::{Error, Result};

/// Major and minor version; a minor of a development version counts as 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version {
    /// 18 of 18.4.
    pub major: u32,
    /// 4 of 18.4.
    pub minor: u32,
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

/// A folder of programs that can make and run a server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Installation {
    /// The folder of `initdb` and `postgres`.
    pub bin: PathBuf,
    /// What `postgres --version` says.
    pub version: Version,
}

/// All servers of this machine, in the order of preference: those named in `SCHEMAC_PG_BIN` (folders
/// with colons between), those on the path, Debian's, and those in `.cache/postgres` of this folder
/// or one above. A folder appears once.
pub fn installations() -> Vec<Installation> {
    let mut seen = BTreeSet::new();
    candidates()
        .into_iter()
        .filter_map(|folder| fs::canonicalize(folder).ok())
        .filter(|folder| seen.insert(folder.clone()))
        .filter_map(|folder| inspect(&folder))
        .collect()
}

/// The preferred server of a major version.
pub fn installation(major: u32) -> Result<Installation> {
    let all = installations();
    match all.iter().find(|installation| installation.version.major == major) {
        Some(installation) => Ok(installation.clone()),
        None => {
            let found: BTreeSet<Version> = all.into_iter().map(|installation| installation.version).collect();
            Err(Error::NoInstallation { major: Some(major), found: found.into_iter().collect() })
        }
    }
}

/// The server with the highest version; of equal ones the preferred.
pub fn newest() -> Result<Installation> {
    let mut all = installations();
    all.reverse();
    all.into_iter()
        .max_by_key(|installation| installation.version)
        .ok_or(Error::NoInstallation { major: None, found: Vec::new() })
}

fn candidates() -> Vec<PathBuf> {
    let mut folders = Vec::new();
    if let Some(named) = env::var_os("SCHEMAC_PG_BIN") {
        folders.extend(env::split_paths(&named));
    }
    if let Some(path) = env::var_os("PATH") {
        // A link such as /usr/local/bin/initdb leads to the folder where the other programs lie.
        folders.extend(
            env::split_paths(&path)
                .filter_map(|folder| fs::canonicalize(folder.join("initdb")).ok())
                .filter_map(|program| program.parent().map(Path::to_owned)),
        );
        folders.extend(env::split_paths(&path).filter_map(|folder| bindir(&folder.join("pg_config"))));
    }
    folders.extend(bin_folders_below(Path::new("/usr/lib/postgresql")));
    if let Ok(current) = env::current_dir() {
        for folder in current.ancestors() {
            folders.extend(bin_folders_below(&folder.join(".cache/postgres")));
        }
    }
    folders
}

/// `<folder>/<major>/bin` for each major version, the newest first.
fn bin_folders_below(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let mut majors: Vec<u32> =
        entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect();
    majors.sort_unstable_by(|a, b| b.cmp(a));
    majors.into_iter().map(|major| folder.join(major.to_string()).join("bin")).collect()
}

fn bindir(pg_config: &Path) -> Option<PathBuf> {
    if !pg_config.is_file() {
        return None;
    }
    let output = Command::new(pg_config).arg("--bindir").stdin(Stdio::null()).output().ok()?;
    Some(PathBuf::from(String::from_utf8(output.stdout).ok()?.trim()))
}

fn inspect(bin: &Path) -> Option<Installation> {
    if !bin.join("initdb").is_file() {
        return None;
    }
    let output = Command::new(bin.join("postgres")).arg("--version").stdin(Stdio::null()).output().ok()?;
    let version = parse_version(&String::from_utf8(output.stdout).ok()?)?;
    Some(Installation { bin: bin.to_owned(), version })
}

/// Reads `postgres (PostgreSQL) 15.20 (Debian 15.20-0+deb12u1)`, and `19devel`.
pub(super) fn parse_version(text: &str) -> Option<Version> {
    let word = text.split_whitespace().find(|word| word.starts_with(|c: char| c.is_ascii_digit()))?;
    let number = |text: &str| -> Option<u32> {
        let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
        text[..end].parse().ok()
    };
    let major = number(word)?;
    let minor = word.split_once('.').and_then(|(_, rest)| number(rest)).unwrap_or(0);
    Some(Version { major, minor })
}
