//! `schemac schema`: the language as JSON Schema, for editors.

use super::{Exit, Stop};
use crate::shell::Shell;
use schemac_schema::spec::json_schema::{Kind, json_schema};

const EXAMPLES: &str = "\
Examples:
  schemac schema > schemac.schema.json             for the files of the schema
  schemac schema project > project.schema.json     for schemac.yaml

A first line tells the editor which one a file has:
  # yaml-language-server: $schema=../schemac.schema.json";

/// Print the JSON Schema of a project's YAML files, for completion and checks in an editor
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Arguments {
    /// The kind of file
    #[arg(value_enum, default_value = "domain")]
    file: File,
}

#[derive(Clone, Copy, clap::ValueEnum)]
enum File {
    /// A file of the schema
    Domain,
    /// schemac.yaml
    Project,
    /// The rules of `schemac import --rules`
    Rules,
}

pub fn run(arguments: Arguments, shell: &mut Shell) -> Result<Exit, Stop> {
    let kind = match arguments.file {
        File::Domain => Kind::Domain,
        File::Project => Kind::Project,
        File::Rules => Kind::Rules,
    };
    shell.out_json(&json_schema(kind))?;
    Ok(Exit::Done)
}
