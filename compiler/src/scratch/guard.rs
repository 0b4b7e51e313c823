//! Keeps a server no longer than the process that wanted it.
//!
//! The server is made and run by a small shell script that waits on a pipe from this process. When
//! the pipe closes, by a drop, an exit, Ctrl-C or `kill -9`, the script stops it and removes its folder. The script is in a process group of its own, so a Ctrl-C in the terminal ends only us.

use std::fs;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use super::account::Account;
use super::error::{Error, Result};
use super::folder::Folder;

const SCRIPT: &str = include_str!("guard.sh");

/// How often a starting server is looked at.
const INTERVAL: Duration = Duration::from_millis(5);

/// The script that runs the server; dropping it stops both and waits until they are gone.
#[derive(Debug)]
pub(super) struct Guard {
    shell: Child,
}

impl Guard {
    /// Makes and starts a server in the folder, which holds `password` and `settings`.
    pub(super) fn start(bin: &Path, account: &Account, folder: &Folder) -> Result<Self> {
        let mut command = Command::new("/bin/sh");
        command
            .args(["-c", SCRIPT, "schemac-guard"])
            .arg(bin)
            .arg(folder.path())
            .current_dir(folder.path())
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        clean_environment(&mut command);
        account.run_as(&mut command);
        let shell = command.spawn().map_err(Error::io("start", Path::new("/bin/sh")))?;
        Ok(Guard { shell })
    }

    /// Waits until the server takes connections; an error holds its log.
    pub(super) fn wait_until_ready(&self, bin: &Path, folder: &Folder, patience: Duration) -> Result<()> {
        let deadline = Instant::now() + patience;
        loop {
            if is_ready(folder) {
                return Ok(());
            }
            if folder.ended().exists() || Instant::now() > deadline {
                return Err(Error::NotStarted { bin: bin.to_owned(), log: folder.log(), patience });
            }
            thread::sleep(INTERVAL);
        }
    }

    /// Stops the server at once and waits until it is gone.
    pub(super) fn stop(&mut self) {
        drop(self.shell.stdin.take());
        let _ = self.shell.wait();
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        self.stop();
    }
}

/// The server's process id, while it runs.
pub(super) fn process_id(folder: &Folder) -> Option<u32> {
    fs::read_to_string(folder.data().join("postmaster.pid")).ok()?.lines().next()?.trim().parse().ok()
}

/// Takes away what would make the server or its client programs behave differently here.
pub(super) fn clean_environment(command: &mut Command) {
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("PG") {
            command.env_remove(name);
        }
    }
    command.env("LC_ALL", "C").env("TZ", "UTC");
}

/// The eighth line of `postmaster.pid` holds the server's state.
fn is_ready(folder: &Folder) -> bool {
    fs::read_to_string(folder.data().join("postmaster.pid"))
        .is_ok_and(|text| text.lines().nth(7).is_some_and(|state| state.trim() == "ready"))
}
