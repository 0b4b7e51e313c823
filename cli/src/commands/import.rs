//! `schemac import`: a live database into a project.

use super::{Exit, Stop, counted};
use crate::Global;
use crate::operations::{self, ImportOptions};
use crate::shell::Shell;
use schemac_compiler::import::Imported;
use schemac_schema::spec::project::Profile;
use serde_json::json;
use std::path::PathBuf;

const EXAMPLES: &str = "\
Examples:
  schemac import --db postgres://me@localhost/app --out db
  schemac import --db $URL --out db --profile supabase
  schemac import --db $URL --out db --rules rules.yaml   sorts a flat public schema

Rules are a list in YAML; the first that fits a table of `public` says where it goes:
  - { match: \"mcp_*\", domain: tools }
  - { match: user_roles, domain: auth_gateway }

Exit codes:
  0  done; what has no form in the language is named
  1  an error; with --strict: something has no form, and nothing was written";

/// Whose platform the database stands on.
#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Platform {
    /// Nobody's
    None,
    /// Supabase: its schemas and roles are external
    Supabase,
}

/// Write a project from a live database
///
/// One file for each schema. A diff of the project against the same database is empty.
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Arguments {
    /// The folder to write into; it must be empty, or not there
    #[arg(long, value_name = "FOLDER")]
    out: PathBuf,
    /// Whose platform the database stands on
    #[arg(long, value_enum, default_value = "none")]
    profile: Platform,
    /// A file with rules that sort the tables of `public` into domains
    #[arg(long, value_name = "FILE")]
    rules: Option<PathBuf>,
    /// Write nothing when something has no form in the language
    #[arg(long)]
    strict: bool,
    /// Write into a folder that is not empty; files of the same name are replaced
    #[arg(long)]
    force: bool,
}

pub fn run(arguments: Arguments, global: &Global, shell: &mut Shell) -> Result<Exit, Stop> {
    let options = ImportOptions {
        out: &arguments.out,
        profile: (arguments.profile == Platform::Supabase).then_some(Profile::Supabase),
        rules: arguments.rules.as_deref(),
        strict: arguments.strict,
        force: arguments.force,
    };
    let (imported, written) = operations::import(global.db.as_deref(), &options)?;
    let exit = if written { Exit::Done } else { Exit::Error };
    if shell.is_json() {
        let review: Vec<String> = imported.review_needed.iter().map(ToString::to_string).collect();
        shell.out_json(&json!({
            "format": 1,
            "written": written,
            "files": imported.files.keys().collect::<Vec<_>>(),
            "objects": imported.objects,
            "moved": imported.moved,
            "missing": imported.missing,
            "review_needed": review,
            "unused_rules": imported.unused_rules,
        }))?;
        return Ok(exit);
    }
    for one in &imported.missing {
        shell.say(&format!("warning: not in the files: {one}"));
    }
    for rule in &imported.unused_rules {
        shell.say(&format!("warning: no table fits the rule `{rule}`"));
    }
    if !written {
        let count = counted(imported.missing.len(), "thing");
        shell.error(&format!("nothing was written, because {count} would be missing (--strict)"), None);
        return Ok(exit);
    }
    shell.out(&summary(&imported, &arguments))?;
    Ok(exit)
}

fn summary(imported: &Imported, arguments: &Arguments) -> String {
    let (objects, files) = (counted(imported.objects, "object"), counted(imported.files.len(), "file"));
    let mut text = format!("{objects} in {files} in {}", arguments.out.display());
    if imported.moved > 0 {
        text.push_str(&format!(", {} sorted into domains", counted(imported.moved, "table")));
    }
    text.push('\n');
    if !imported.review_needed.is_empty() {
        text.push_str("review_needed (no rule speaks of these tables; they stay where they are):\n");
        for table in &imported.review_needed {
            text.push_str(&format!("  {table}\n"));
        }
    }
    text
}
