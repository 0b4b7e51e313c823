//! `schemac rollback`: take an apply back.

use super::apply::{How, ask_first, carry_out, decide};
use super::{Exit, Stop};
use crate::Global;
use crate::operations;
use crate::shell::Shell;
use schemac_compiler::rollback::Wish;
use serde_json::json;

const EXAMPLES: &str = "\
Examples:
  schemac rollback                       the last apply: shows the plan, asks
  schemac rollback --to 12 --yes         apply 12 and all later ones
  schemac rollback --to 13               a rollback that has number 13: forward again
  schemac rollback --table public.users  what the last apply did to one table

Exit codes:
  0  done, or nothing to do
  1  an error, the answer was no, or the database has changed since: it is said what stands in the way
  3  something would be lost that --allow does not name; nothing was changed";

/// Take an apply back: what moved moves back, with all rows
///
/// The plan is made from what the apply recorded and from the database as it is now. Rows that were written since stay. A rollback is in the history like an apply, and is taken back like one by --to: that leads forward again.
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Arguments {
    /// This apply and all later ones; `schemac history` shows the numbers
    #[arg(long, value_name = "ID", conflicts_with = "table")]
    to: Option<i64>,
    /// Only one table, with its facade and what moved along with it, by its old or new name
    #[arg(long, value_name = "NAME")]
    table: Option<String>,
    #[command(flatten)]
    how: How,
}

pub fn run(arguments: Arguments, global: &Global, shell: &mut Shell) -> Result<Exit, Stop> {
    ask_first(&arguments.how, shell)?;
    let url = global.db.as_deref();
    let wish = match (arguments.to, arguments.table) {
        (Some(id), _) => Wish::To(id),
        (None, Some(table)) => Wish::Table(table),
        (None, None) => Wish::Last,
    };
    let (planned, back) = operations::way_back(url, &wish)?;
    let of = || back.whole.iter().chain(&back.partly);
    let ids: Vec<String> = of().map(ToString::to_string).collect();
    let ids = ids.join(", ");
    if !shell.is_json() {
        shell.out(&format!("The way back from apply {ids}:\n\n"))?;
    }
    if planned.plan.is_empty() && !back.whole.is_empty() {
        // It was taken back piece by piece, or by hand.
        operations::nothing_left(url, &back.whole)?;
    }
    if let Some(exit) = decide(&planned, &arguments.how, shell)? {
        return Ok(exit);
    }
    let (applied, id) = carry_out(url, &planned, &back, &arguments.how, shell)?;
    if shell.is_json() {
        let result = json!({ "format": 1, "id": id, "steps": applied.steps, "segments": applied.segments, "undoes": back.whole, "partly": back.partly });
        shell.out_json(&result)?;
    } else {
        shell.out(&format!("{} Taken back: {ids}.\n", arguments.how.done(&applied)))?;
    }
    Ok(Exit::Done)
}
