//! `schemac history`: what was applied to this database, and what became of it.

use super::{Exit, Stop, counted};
use crate::Global;
use crate::operations;
use crate::shell::Shell;
use schemac_compiler::state::journal::Apply;
use serde_json::json;

const EXAMPLES: &str = "\
Examples:
  schemac history --db postgres://me@localhost/app
  schemac history --moves          with everything that moved
  schemac history --json

Exit codes:
  0  done
  1  an error";

/// Show what was applied to this database
///
/// The database keeps a journal in its schema `schemac`. What broke off in the middle is in it too, with how far it came: each transaction of an apply says so in the journal itself.
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Arguments {
    /// Also show what moved, from where to where
    #[arg(long)]
    moves: bool,
}

pub fn run(arguments: Arguments, global: &Global, shell: &mut Shell) -> Result<Exit, Stop> {
    let applies = operations::history(global.db.as_deref())?;
    if shell.is_json() {
        let applies: Vec<_> = applies.iter().map(as_json).collect();
        shell.out_json(&json!({ "format": 1, "applies": applies }))?;
        return Ok(Exit::Done);
    }
    if applies.is_empty() {
        shell.out("No apply is recorded in this database.\n")?;
    }
    for apply in &applies {
        shell.out(&as_text(apply, arguments.moves))?;
    }
    Ok(Exit::Done)
}

fn as_json(apply: &Apply) -> serde_json::Value {
    let time = |text: &str| if text.is_empty() { None } else { Some(format!("{}Z", text.replace(' ', "T"))) };
    json!({
        "id": apply.id,
        "started": time(&apply.started),
        "finished": time(&apply.finished),
        "role": apply.role,
        "state": apply.state,
        "segments": apply.segments,
        "segments_planned": apply.of,
        "steps_planned": apply.steps,
        "moves": apply.moves.iter().map(|(from, to)| json!({ "from": from.to_string(), "to": to.to_string() })).collect::<Vec<_>>(),
        "undoes": apply.undoes,
        "partly": apply.partly,
    })
}

fn as_text(apply: &Apply, moves: bool) -> String {
    let mut what = Vec::new();
    for (words, of) in [("takes back", &apply.undoes), ("takes back a part of", &apply.partly)] {
        if !of.is_empty() {
            let ids: Vec<String> = of.iter().map(ToString::to_string).collect();
            what.push(format!("{words} {}", ids.join(", ")));
        }
    }
    if !apply.moves.is_empty() {
        what.push(format!("moves {}", counted(apply.moves.len(), "object")));
    }
    what.push(counted(apply.steps, "step"));
    if apply.segments != apply.of {
        what.push(format!("{} of {} transactions", apply.segments, apply.of));
    }
    let mut text = format!(
        "{:>4}  {} UTC  {:<10}  {}  by {}\n",
        apply.id,
        apply.started,
        apply.state,
        what.join(", "),
        apply.role
    );
    if moves {
        for (from, to) in &apply.moves {
            text.push_str(&format!("        {from} → {to}\n"));
        }
    }
    text
}
