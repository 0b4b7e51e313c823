//! Who runs the server: this process's user, or somebody else when that is root.
//!
//! PostgreSQL refuses to run as root. The other account may not be able to enter the folder where
//! the programs lie (a checkout below `/root`), so they are copied into the server's folder then.

use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use super::error::{Error, Result};
use super::folder::{Folder, give};
use super::installation::Installation;

/// The accounts to run as in root's place, the first that exists.
const ACCOUNTS: [&str; 2] = ["postgres", "nobody"];

/// Whom programs of the server are run as.
#[derive(Clone, Copy, Debug)]
pub(super) enum Account {
    /// This process's own user.
    Own,
    /// Another one, because this process is root.
    Other {
        /// User id.
        user: u32,
        /// Group id.
        group: u32,
    },
}

impl Account {
    /// The account for a folder that this process has just made.
    pub(super) fn for_owner_of(folder: &Folder) -> Result<Self> {
        if folder.owner()? != 0 {
            return Ok(Account::Own);
        }
        ACCOUNTS
            .iter()
            .find_map(|name| Some(Account::Other { user: id("-u", name)?, group: id("-g", name)? }))
            .ok_or(Error::NoAccount)
    }

    pub(super) fn is_other(&self) -> bool {
        matches!(self, Account::Other { .. })
    }

    /// Lets a command run as this account; the standard library drops root's other groups too.
    pub(super) fn run_as(&self, command: &mut Command) {
        if let Account::Other { user, group } = *self {
            command.uid(user).gid(group);
        }
    }

    /// Gives a file or folder, not what is in it, to this account.
    pub(super) fn own(&self, path: &Path) -> Result<()> {
        match *self {
            Account::Own => Ok(()),
            Account::Other { user, group } => give(path, user, group),
        }
    }

    pub(super) fn can_enter(&self, folder: &Path) -> Result<bool> {
        self.test("-x", folder)
    }

    /// The folder of programs that this account can run: the installation's own, or a copy of it.
    pub(super) fn reachable_bin(&self, installation: &Installation, folder: &Folder) -> Result<PathBuf> {
        if !self.is_other() || self.test("-x", &installation.bin.join("postgres"))? {
            return Ok(installation.bin.clone());
        }
        let Some(prefix) = installation.bin.parent() else { return Ok(installation.bin.clone()) };
        let copy = folder.path().join("programs");
        // The programs find lib and share next to bin, so all three move together.
        self.prepare(Command::new("cp").arg("-RP").arg(prefix).arg(&copy), "copy the server's programs")?;
        self.prepare(
            Command::new("chmod").args(["-R", "a+rX"]).arg(&copy),
            "make the server's programs readable",
        )?;
        Ok(copy.join("bin"))
    }

    /// Runs `test` as this account, from a folder that every account can enter.
    fn test(&self, flag: &str, path: &Path) -> Result<bool> {
        let mut command = Command::new("/bin/sh");
        command.args(["-c", "test \"$1\" \"$2\"", "sh", flag]).arg(path).current_dir("/");
        self.run_as(&mut command);
        let output = quiet(&mut command).map_err(Error::io("start", Path::new("/bin/sh")))?;
        Ok(output.status.success())
    }

    fn prepare(&self, command: &mut Command, purpose: &str) -> Result<()> {
        let output = quiet(command).map_err(Error::io("start", Path::new(command.get_program())))?;
        if output.status.success() {
            return Ok(());
        }
        let output = String::from_utf8_lossy(&output.stderr).into_owned();
        Err(Error::Prepare { purpose: purpose.to_owned(), output })
    }
}

fn quiet(command: &mut Command) -> std::io::Result<Output> {
    command.stdin(Stdio::null()).output()
}

/// Asks the system, which may know accounts from other places than `/etc/passwd`.
fn id(flag: &str, name: &str) -> Option<u32> {
    let output = quiet(Command::new("id").args([flag, name])).ok()?;
    String::from_utf8(output.stdout).ok()?.trim().parse().ok()
}
