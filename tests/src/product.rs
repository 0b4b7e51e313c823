//! Runs the `schemac` program as a person or a pipeline would.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::OnceLock;

use crate::Result;

/// The built program. Cargo puts it beside the folder of the running test; it is built once if it is not there.
///
/// # Panics
/// Panics when it cannot be built.
pub fn program() -> &'static Path {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    PROGRAM.get_or_init(|| {
        let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        // Of the whole workspace, so that dependencies have the features that the tests were built with.
        cargo.args(["build", "--quiet", "--workspace", "--bin", "schemac"]).current_dir(crate::repository());
        // Cargo tells a test about its package; build scripts (ring's) would take that for news and build all anew.
        for (name, _) in std::env::vars_os() {
            let told = |name: &str| name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_");
            if name.to_str().is_some_and(told) {
                cargo.env_remove(name);
            }
        }
        let here = std::env::current_exe().unwrap_or_default();
        let profile =
            here.ancestors().find(|folder| folder.ends_with("debug") || folder.ends_with("release"));
        let profile = profile.map(Path::to_owned).unwrap_or_else(|| crate::repository().join("target/debug"));
        if profile.ends_with("release") {
            cargo.arg("--release");
        }
        let built = cargo.stdin(Stdio::null()).status().is_ok_and(|status| status.success());
        let program = profile.join("schemac");
        assert!(built && program.is_file(), "cargo did not build {}", program.display());
        program
    })
}

/// What a run of the program came to.
#[derive(Clone, Debug)]
pub struct Run {
    /// The exit code, -1 after a signal.
    pub code: i32,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

impl Run {
    /// Everything that it printed, for messages of tests.
    pub fn all(&self) -> String {
        format!("exit code {}\n{}\n{}", self.code, self.stdout, self.stderr)
    }

    /// Panics with everything that was printed unless the exit code is this one.
    #[track_caller]
    pub fn expect(&self, code: i32) -> &Self {
        assert_eq!(self.code, code, "{}", self.all());
        self
    }
}

/// A command on a project and a database, not run yet. The environment's own database settings are left out.
pub fn command(dir: &Path, url: &str, arguments: &[&str]) -> Command {
    let mut command = bare(arguments);
    command.arg("--dir").arg(dir).env("DATABASE_URL", url);
    command
}

/// A command without a project and a database, not run yet.
pub fn bare(arguments: &[&str]) -> Command {
    let mut command = Command::new(program());
    command.args(arguments).stdin(Stdio::null());
    let ours = |name: &str| {
        name.starts_with("PG") || matches!(name, "DATABASE_URL" | "NO_COLOR" | "CLICOLOR" | "CLICOLOR_FORCE")
    };
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_str().is_some_and(ours)) {
        command.env_remove(name);
    }
    // No cache: what one test found equal is nobody else's business.
    command.env("XDG_CACHE_HOME", "/dev/null/none");
    command
}

/// Runs a command on a project and a database.
///
/// # Errors
/// When the program cannot be started.
pub fn run(dir: &Path, url: &str, arguments: &[&str]) -> Result<Run> {
    finish(command(dir, url, arguments))
}

/// Runs a command to its end.
///
/// # Errors
/// When the program cannot be started.
pub fn finish(mut command: Command) -> Result<Run> {
    let Output { status, stdout, stderr } = command.output()?;
    Ok(Run {
        code: status.code().unwrap_or(-1),
        stdout: String::from_utf8_lossy(&stdout).into_owned(),
        stderr: String::from_utf8_lossy(&stderr).into_owned(),
    })
}
