//! Runs the program on a real terminal: a pseudo-terminal, of which the test is the keyboard and the screen.

use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::process::{Command, Stdio};
use std::thread;

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};

use crate::Result;
use crate::product::Run;

/// Which of the program's streams are the terminal; the others are pipes, or closed for standard input.
#[derive(Clone, Copy, Debug, Default)]
pub struct On {
    /// Standard input, where this is typed.
    pub stdin: Option<&'static str>,
    /// Standard output.
    pub stdout: bool,
    /// Standard error.
    pub stderr: bool,
}

/// What a run came to, and everything that was shown on the terminal.
#[derive(Debug)]
pub struct Shown {
    /// The exit code, and what went into pipes.
    pub run: Run,
    /// What was shown, with every control character.
    pub screen: String,
}

/// Runs a command whose streams are partly a terminal of 80 columns.
///
/// # Errors
/// When there is no terminal to be had, or the program cannot be started.
pub fn run(mut command: Command, on: On) -> Result<Shown> {
    let (screen, terminal) = pair()?;
    let stream = |own: bool| -> Result<Stdio> {
        Ok(if own { Stdio::from(terminal.try_clone()?) } else { Stdio::piped() })
    };
    command.stdout(stream(on.stdout)?).stderr(stream(on.stderr)?);
    if let Some(typed) = on.stdin {
        command.stdin(Stdio::from(terminal.try_clone()?));
        File::from(screen.try_clone()?).write_all(typed.as_bytes())?;
    }
    let child = command.spawn()?;
    // The screen ends when nobody has the terminal any more.
    drop((command, terminal));
    let watching = thread::spawn(move || seen(screen));
    let output = child.wait_with_output()?;
    let screen = watching.join().unwrap_or_default();
    Ok(Shown {
        run: Run {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        },
        screen: String::from_utf8_lossy(&screen).into_owned(),
    })
}

/// The two ends of a terminal: the screen with its keyboard, and what a program writes to and reads from.
fn pair() -> Result<(OwnedFd, OwnedFd)> {
    let screen = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY)?;
    grantpt(&screen)?;
    unlockpt(&screen)?;
    let name = ptsname(&screen, Vec::new())?;
    let path = std::ffi::OsStr::from_bytes(name.as_bytes());
    let terminal = OpenOptions::new().read(true).write(true).open(path)?;
    tcsetwinsize(&terminal, Winsize { ws_row: 24, ws_col: 80, ws_xpixel: 0, ws_ypixel: 0 })?;
    Ok((screen, terminal.into()))
}

/// All that is shown until the other end is closed, which reads as an error on Linux.
fn seen(screen: OwnedFd) -> Vec<u8> {
    let (mut screen, mut shown, mut some) = (File::from(screen), Vec::new(), [0; 4096]);
    while let Ok(count @ 1..) = screen.read(&mut some) {
        shown.extend_from_slice(&some[..count]);
    }
    shown
}
