//! `schemac explain`: what does that code mean?

use super::{Exit, Stop};
use crate::operations::Failure;
use crate::shell::Shell;
use schemac_schema::code::Code;
use serde_json::json;

const EXAMPLES: &str = "\
Examples:
  schemac explain SC0103    an unknown key
  schemac explain 103       the same
  schemac explain           all codes, a line each";

/// Say what the code of a message means, and how to put things right
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Arguments {
    /// The code, as a message shows it in brackets; without one, all are listed
    code: Option<String>,
}

pub fn run(arguments: Arguments, shell: &mut Shell) -> Result<Exit, Stop> {
    let codes = match &arguments.code {
        None => Code::all().to_vec(),
        Some(id) => vec![find(id)?],
    };
    if shell.is_json() {
        let all: Vec<_> = codes
            .iter()
            .map(
                |code| json!({ "code": code.id(), "title": code.title(), "explanation": code.explanation() }),
            )
            .collect();
        shell.out_json(&json!({ "format": 1, "codes": all }))?;
        return Ok(Exit::Done);
    }
    let text: String = match (&arguments.code, codes.as_slice()) {
        (Some(_), [code]) => format!("{code}: {}\n\n{}\n", code.title(), code.explanation()),
        _ => codes.iter().map(|code| format!("{code}  {}\n", code.title())).collect(),
    };
    shell.out(&text)?;
    Ok(Exit::Done)
}

fn find(id: &str) -> Result<Code, Stop> {
    let trimmed = id.trim().trim_start_matches('[').trim_end_matches(']');
    let padded = format!("{trimmed:0>4}");
    Code::find(trimmed).or_else(|| Code::find(&padded)).ok_or_else(|| {
        let help = Some("`schemac explain` lists all codes".to_owned());
        Failure::Outside { message: format!("there is no code `{id}`"), help }.into()
    })
}
