//! `schemac graph`: what hangs together?

use super::{Exit, Stop};
use crate::Global;
use crate::operations;
use crate::shell::Shell;
use schemac_compiler::render::graph;

const EXAMPLES: &str = "\
Examples:
  schemac graph | dot -Tsvg > schema.svg        the project, drawn by Graphviz
  schemac graph --format mermaid                for Markdown
  schemac graph --plan --db postgres://me@localhost/app

Exit codes:
  0  done
  1  an error";

/// How to write a graph.
#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// For Graphviz
    Dot,
    /// For Markdown
    Mermaid,
}

/// Draw what the project's objects use, or why the steps of a plan come in their order
///
/// An arrow of the project runs from an object to one that it uses and says by which of its parts; no database is needed. An arrow of a plan runs from a step to one that waits for it and says why.
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Arguments {
    /// How to write it
    #[arg(long, value_enum, default_value = "dot")]
    format: Format,
    /// Draw the plan from the database to the project
    #[arg(long)]
    plan: bool,
}

pub fn run(arguments: Arguments, global: &Global, shell: &mut Shell) -> Result<Exit, Stop> {
    let (graph, report) = if arguments.plan {
        let planned = operations::plan(
            &global.dir,
            global.db.as_deref(),
            operations::Cache::Texts.unless(global.no_cache),
        )?;
        (graph::plan(&planned.plan), planned.report)
    } else {
        let (catalog, report) = operations::declared(&global.dir)?;
        (graph::project(&catalog), report)
    };
    let text = match arguments.format {
        Format::Dot => graph.dot(),
        Format::Mermaid => graph.mermaid(),
    };
    if shell.is_json() {
        shell.out_json(&serde_json::json!({ "format": 1, "graph": text }))?;
    } else {
        shell.diagnostics(&report.diagnostics, &report.sources);
        shell.out(&text)?;
    }
    Ok(Exit::Done)
}
