//! `schemac completions`: for shells.

use super::{Exit, Stop};
use crate::Cli;
use crate::shell::Shell;
use clap::CommandFactory;

const EXAMPLES: &str = "\
Examples:
  source <(schemac completions bash)
  schemac completions zsh > ~/.zfunc/_schemac
  schemac completions fish > ~/.config/fish/completions/schemac.fish";

/// Print a script that completes schemac's arguments in a shell
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Arguments {
    /// The shell that will read it
    #[arg(value_enum)]
    shell: clap_complete::Shell,
}

pub fn run(arguments: Arguments, shell: &mut Shell) -> Result<Exit, Stop> {
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut Cli::command(), "schemac", &mut script);
    shell.out(&String::from_utf8_lossy(&script))?;
    Ok(Exit::Done)
}
