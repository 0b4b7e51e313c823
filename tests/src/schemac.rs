//! The program under test, run as people run it.

use std::ffi::OsStr;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use std::sync::OnceLock;

/// The program, built from this very source.
///
/// # Panics
/// Panics when it does not compile.
pub fn program() -> &'static PathBuf {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    PROGRAM.get_or_init(|| {
        // Cargo builds no programs of other packages for a test; this is quick when there is nothing to build.
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let status = Command::new(cargo)
            .args(["build", "--quiet", "--workspace", "--bin", "schemac"])
            .current_dir(crate::repository())
            .status();
        assert!(status.is_ok_and(|status| status.success()), "schemac does not build");
        let target = std::env::var_os("CARGO_TARGET_DIR").map_or("target".into(), PathBuf::from);
        crate::repository().join(target).join("debug/schemac")
    })
}

/// What a run of the program gave.
#[derive(Debug)]
pub struct Run {
    /// The exit code; none after a signal.
    pub code: Option<i32>,
    /// Standard output.
    pub out: String,
    /// Standard error.
    pub err: String,
}

/// The program with arguments, no terminal, and nothing of the caller's database settings.
pub fn command(arguments: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Command {
    let mut command = Command::new(program());
    command.args(arguments).stdin(Stdio::null());
    let ours = |name: &str| name.starts_with("PG") || matches!(name, "DATABASE_URL" | "NO_COLOR");
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_str().is_some_and(ours)) {
        command.env_remove(name);
    }
    command
}

/// Runs the program to its end.
///
/// # Panics
/// Panics when it cannot be started.
pub fn run(arguments: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Run {
    finished(command(arguments).output())
}

/// What a finished run gave.
///
/// # Panics
/// Panics when it could not be started.
pub fn finished(output: std::io::Result<Output>) -> Run {
    let output = output.unwrap_or_else(|error| panic!("cannot start schemac: {error}"));
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Run { code: output.status.code(), out: text(&output.stdout), err: text(&output.stderr) }
}
