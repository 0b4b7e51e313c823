//! The folder of one scratch server: data, socket, log, and nothing of anybody else's.

use std::env;
use std::fs::{self, DirBuilder, OpenOptions};
use std::io::Write;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, chown};
use std::path::{Path, PathBuf};

use super::account::Account;
use super::error::{Error, Result};
use super::random_hex;

/// The longest path of a socket that every system takes is 103 bytes; its name takes the rest.
const LONGEST_SOCKET_FOLDER: usize = 103 - "/.s.PGSQL.65535".len();

/// A folder that is removed with everything in it when this is dropped.
#[derive(Debug)]
pub(super) struct Folder {
    path: PathBuf,
}

impl Folder {
    /// Makes an empty folder, private to this process's user, below the one for temporary files.
    pub(super) fn create() -> Result<Self> {
        Folder::create_below(&env::temp_dir()).or_else(|error| {
            // TMPDIR may be missing, not writable, or too long for a socket.
            Folder::create_below(Path::new("/tmp")).map_err(|_| error)
        })
    }

    fn create_below(parent: &Path) -> Result<Self> {
        let path = parent.join(format!("schemac-{}", &random_hex()?[..16]));
        if path.as_os_str().as_bytes().len() > LONGEST_SOCKET_FOLDER {
            return Err(Error::NoTemporaryFolder { tried: vec![parent.to_owned()] });
        }
        DirBuilder::new().mode(0o700).create(&path).map_err(Error::io("create", &path))?;
        Ok(Folder { path })
    }

    /// Gives the folder to the account that will run the server, in a place that it can enter.
    pub(super) fn hand_to(&mut self, account: &Account) -> Result<()> {
        if !account.is_other() {
            return Ok(());
        }
        let mut tried = Vec::new();
        for parent in [None, Some("/tmp"), Some("/var/tmp")] {
            if let Some(parent) = parent {
                // The assignment drops, and so removes, the folder that could not be entered.
                *self = Folder::create_below(Path::new(parent))?;
            }
            account.own(&self.path)?;
            if account.can_enter(&self.path)? {
                return Ok(());
            }
            tried.extend(self.path.parent().map(Path::to_owned));
        }
        Err(Error::NoTemporaryFolder { tried })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn data(&self) -> PathBuf {
        self.path.join("data")
    }

    /// Where the socket lies: the folder itself, which keeps the path short.
    pub(super) fn socket(&self) -> &Path {
        &self.path
    }

    pub(super) fn log_path(&self) -> PathBuf {
        self.path.join("log")
    }

    pub(super) fn log(&self) -> String {
        fs::read(self.log_path())
            .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
            .unwrap_or_default()
    }

    /// The file that says that the server has ended.
    pub(super) fn ended(&self) -> PathBuf {
        self.path.join("ended")
    }

    /// The user whom the folder belongs to: right after `create`, the one who runs this process.
    pub(super) fn owner(&self) -> Result<u32> {
        Ok(fs::metadata(&self.path).map_err(Error::io("look at", &self.path))?.uid())
    }

    /// Writes a file that only the account can read.
    pub(super) fn write_private(&self, name: &str, text: &str, account: &Account) -> Result<PathBuf> {
        let path = self.path.join(name);
        OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&path)
            .and_then(|mut file| file.write_all(text.as_bytes()))
            .map_err(Error::io("write", &path))?;
        account.own(&path)?;
        Ok(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // The guard may have removed it already.
        let _ = fs::remove_dir_all(&self.path);
    }
}

/// Gives a file to a user and a group.
pub(super) fn give(path: &Path, user: u32, group: u32) -> Result<()> {
    chown(path, Some(user), Some(group)).map_err(Error::io("change the owner of", path))
}
