//! The program itself, run as people run it.

use std::env;
use std::ffi::OsStr;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::thread;
use std::time::{Duration, Instant};

use crate::{Result, repository};

/// Longer than any command of a test takes; what runs on is a bug of its own.
const PATIENCE: Duration = Duration::from_secs(120);

/// What a command has said.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The exit code; -1 when a signal ended it.
    pub code: i32,
    /// What it printed.
    pub stdout: String,
    /// What it complained about.
    pub stderr: String,
}

impl Outcome {
    /// Everything for a failure's message.
    pub fn words(&self) -> String {
        format!("exit code {}\n{}{}", self.code, self.stdout, self.stderr)
    }
}

/// The program: `SCHEMAC_BIN`, or that of this build, which is brought up to date first.
pub fn path() -> Result<&'static Path> {
    static PATH: OnceLock<std::result::Result<PathBuf, String>> = OnceLock::new();
    let path = PATH.get_or_init(|| find().map_err(|error| error.to_string()));
    path.as_deref().map_err(|error| error.clone().into())
}

fn find() -> Result<PathBuf> {
    if let Some(named) = env::var_os("SCHEMAC_BIN") {
        return Ok(named.into());
    }
    // target/<profile>/deps/<test>, or target/<triple>/<profile>/deps/<test>.
    let test = env::current_exe()?;
    let profile = test.ancestors().nth(2).ok_or("the test lies outside of a target folder")?;
    let name = match profile.file_name().and_then(OsStr::to_str) {
        Some("debug") | None => "dev",
        Some(name) => name,
    };
    let program = profile.join(format!("schemac{}", env::consts::EXE_SUFFIX));
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    // A test of another package than the program's does not make cargo build the program.
    let build = Command::new(cargo)
        .current_dir(repository())
        .args(["build", "--quiet", "--package", "schemac", "--bin", "schemac", "--profile", name])
        .output()?;
    if !build.status.success() {
        return Err(format!("schemac does not build: {}", String::from_utf8_lossy(&build.stderr)).into());
    }
    if !program.is_file() {
        return Err(format!("schemac is not at {}; SCHEMAC_BIN may name it", program.display()).into());
    }
    Ok(program)
}

/// Runs a command without anything of the environment that would lead it to another database.
pub fn run<I, S>(arguments: I) -> Result<Outcome>
where
    I: IntoIterator<Item = S>,
    S: AsRef<OsStr>,
{
    let mut command = Command::new(path()?);
    for (name, _) in env::vars_os() {
        if name.to_string_lossy().starts_with("PG") || name == "DATABASE_URL" {
            command.env_remove(name);
        }
    }
    let mut child = command
        .args(arguments)
        .env("NO_COLOR", "1")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    let stdout = reader(child.stdout.take());
    let stderr = reader(child.stderr.take());
    let begin = Instant::now();
    let status = loop {
        if let Some(status) = child.try_wait()? {
            break status;
        }
        if begin.elapsed() > PATIENCE {
            child.kill()?;
            child.wait()?;
            return Err(format!("schemac did not end within {PATIENCE:?}").into());
        }
        thread::sleep(Duration::from_millis(5));
    };
    let text = |thread: thread::JoinHandle<String>| thread.join().unwrap_or_default();
    Ok(Outcome { code: status.code().unwrap_or(-1), stdout: text(stdout), stderr: text(stderr) })
}

fn reader(pipe: Option<impl Read + Send + 'static>) -> thread::JoinHandle<String> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        if let Some(mut pipe) = pipe {
            let _ = pipe.read_to_end(&mut bytes);
        }
        String::from_utf8_lossy(&bytes).into_owned()
    })
}
