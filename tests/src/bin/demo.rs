//! The demonstration behind `script/demo`: a private server, and schemac's commands one after another.

use std::process::ExitCode;

use schemac_compiler::scratch::{self, Options, Scratch};

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("demo: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> schemac_tests::Result<()> {
    let installation = scratch::newest()?;
    println!("starting a throw-away PostgreSQL {}", installation.version);
    let server = Scratch::start(&installation, Options::default())?;
    server.create_database("demo")?;
    let url = server.url("demo");

    // The steps come here.
    let _ = url;

    println!("stopping the server and removing its files");
    server.stop();
    Ok(())
}
