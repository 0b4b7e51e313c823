//! The journal of applies, a row each: when, by whom, the plan, the way back, and facts before and after.
//!
//! A row is written before the first segment runs, so that an apply that was torn off is known too. Not here: what the
//! facts are, and how the way back is computed.

use super::{Unavailable, first_row, pinned, table, write};
use postgres::Client;
use schemac_schema::sql::literal;

/// What is known when an apply begins. Texts of JSON are given as text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Begun {
    /// The version of schemac.
    pub schemac: String,
    /// The digest of the plan.
    pub plan: String,
    /// The plan, as JSON.
    pub forward: String,
    /// The plan that leads back, as JSON.
    pub reverse: Option<String>,
    /// Facts about the database before, as JSON.
    pub before: Option<String>,
}

/// How an apply ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Everything ran.
    Done,
    /// A statement failed; what was committed before it stays.
    Failed,
    /// It was rolled back later.
    Undone,
}

impl State {
    /// The word in the table.
    pub fn word(self) -> &'static str {
        match self {
            State::Done => "done",
            State::Failed => "failed",
            State::Undone => "undone",
        }
    }
}

/// Writes that an apply begins; its id. [`super::ensure`] comes before.
///
/// # Errors
/// The server does not take it; nothing is written then.
pub fn begin(client: &mut Client, begun: &Begun) -> Result<i64, Unavailable> {
    let statement = format!(
        "INSERT INTO {} (schemac, plan, forward, reverse, before) VALUES ({}, {}, {}, {}, {}) RETURNING id",
        table("applies"),
        literal(&begun.schemac),
        literal(&begun.plan),
        json(Some(&begun.forward)),
        json(begun.reverse.as_deref()),
        json(begun.before.as_deref()),
    );
    let answer = first_row(&write(client, &statement)?);
    let id = answer.first().and_then(|id| id.parse().ok());
    id.ok_or_else(|| Unavailable::Cannot("the journal gave no id".into()))
}

/// Writes how an apply ended, after how many committed segments, and facts about the database after, as JSON.
///
/// # Errors
/// The server does not take it.
pub fn finish(
    client: &mut Client,
    id: i64,
    state: State,
    segments: usize,
    after: Option<&str>,
) -> Result<(), Unavailable> {
    let statement = format!(
        "UPDATE {} SET finished = pg_catalog.clock_timestamp(), state = {}, segments = {segments}, after = {} \
         WHERE id OPERATOR(pg_catalog.=) {id}",
        table("applies"),
        literal(state.word()),
        json(after),
    );
    write(client, &statement).map(drop)
}

/// One row of the journal, without its long texts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Apply {
    /// Its id.
    pub id: i64,
    /// When it began, as the server writes it (ISO, UTC).
    pub started: String,
    /// When it ended; empty while it runs, or where it was torn off.
    pub finished: String,
    /// By whom.
    pub role: String,
    /// `running`, `done`, `failed` or `undone`.
    pub state: String,
    /// How many segments were committed.
    pub segments: usize,
}

/// All applies, the first one first; none where nothing was ever recorded.
///
/// # Errors
/// The role may not read them.
pub fn applies(client: &mut Client) -> Result<Vec<Apply>, Unavailable> {
    let there = first_row(&pinned(client, "SELECT pg_catalog.to_regclass('schemac.applies') IS NOT NULL")?);
    if there.first().is_none_or(|there| there != "t") {
        return Ok(Vec::new());
    }
    let question =
        format!("SELECT id, started, finished, role, state, segments FROM {} ORDER BY id", table("applies"));
    let rows = pinned(client, &question)?;
    Ok(rows
        .iter()
        .filter_map(|message| match message {
            postgres::SimpleQueryMessage::Row(row) => {
                let text = |place: usize| row.get(place).unwrap_or_default().to_owned();
                Some(Apply {
                    id: text(0).parse().ok()?,
                    started: text(1),
                    finished: text(2),
                    role: text(3),
                    state: text(4),
                    segments: text(5).parse().ok()?,
                })
            }
            _ => None,
        })
        .collect())
}

fn json(text: Option<&str>) -> String {
    text.map_or_else(|| "NULL".to_owned(), |text| format!("{}::pg_catalog.jsonb", literal(text)))
}
