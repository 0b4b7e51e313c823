//! History and the way back, without a word about how they are shown.

use super::{Failure, Planned, Report, outside};
use schemac_compiler::connect::{Connection, connect};
use schemac_compiler::introspect;
use schemac_compiler::record::Record;
use schemac_compiler::render;
use schemac_compiler::rollback::{self, Back, Error, Wish};
use schemac_compiler::state::Unavailable;
use schemac_compiler::state::journal::{self, Apply, Known, State};
use schemac_schema::span::Sources;

/// A record as it is stored.
pub(super) fn text(record: &Record) -> Option<String> {
    serde_json::to_string(record).ok()
}

/// Records how an apply ended, and the way back from it.
pub(super) fn finish(
    connection: &mut Connection,
    id: i64,
    state: State,
    segments: usize,
    before: &Record,
) -> Result<(), Unavailable> {
    let reading = introspect::introspect(&mut connection.client, &before.external)
        .map_err(|error| Unavailable::Cannot(error.to_string()))?;
    let after = before.after(&mut connection.client, &reading)?;
    // Where there is none, the command that looks for it says why.
    let reverse = rollback::reverse(connection, &reading, before, &after).ok();
    let reverse = reverse.map(|plan| render::json(&plan, &Sources::new()).to_string());
    let known = Known { after: text(&after), reverse };
    journal::finish(&mut connection.client, id, state, segments, &known)
}

/// All applies that the database knows of, the first one first.
pub fn history(url: Option<&str>) -> Result<Vec<Apply>, Failure> {
    let mut connection = connect(url)?;
    journal::applies(&mut connection.client)
        .map_err(|error| outside(&format!("the journal cannot be read: {error}"), None))
}

/// The plan that leads back, and the applies that it is about.
pub fn way_back(url: Option<&str>, wish: &Wish) -> Result<(Planned, Back), Failure> {
    let mut connection = connect(url)?;
    let mut sources = Sources::new();
    match rollback::way_back(&mut connection, wish, &mut sources) {
        Ok(way) => {
            let report = Report { sources, diagnostics: Vec::new() };
            let planned = Planned {
                report,
                plan: way.plan,
                seen: Some(way.seen),
                project: None,
                memory: Default::default(),
            };
            Ok((planned, way.back))
        }
        Err(Error::Diagnostics(diagnostics)) => Err(Failure::Project(Report { sources, diagnostics })),
        Err(Error::Refused(reasons)) => {
            let message = match reasons.as_slice() {
                [reason] => format!("there is no way back, since the database changed: {reason}"),
                all => format!("there is no way back, since the database changed:\n  {}", all.join("\n  ")),
            };
            let help = "take that back first; a later apply is taken back with it by --to";
            Err(outside(&message, Some(help)))
        }
        Err(error) => Err(outside(&error.to_string(), None)),
    }
}

/// Says of applies that nothing of them is left.
pub fn nothing_left(url: Option<&str>, of: &[i64]) -> Result<(), Failure> {
    let mut connection = connect(url)?;
    journal::undone(&mut connection.client, of)
        .map_err(|error| outside(&format!("the journal cannot be written: {error}"), None))
}
