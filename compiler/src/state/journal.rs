//! The journal of applies, a row each: when, by whom, the plan, the way back, and facts before and after.
//!
//! A row is written before the first segment runs, so that an apply that was torn off is known too. Not here: what the
//! facts are, and how the way back is computed.

use super::{Unavailable, first_row, pinned, table, write};
use crate::apply::LOCK_KEY;
use postgres::Client;
use schemac_schema::id::ObjectId;
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
    /// The applies that it takes back, where it is a rollback.
    pub undoes: Vec<i64>,
}

/// The row of an apply that runs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Running {
    /// Its id.
    pub id: i64,
    /// The applies that it takes back.
    pub undoes: Vec<i64>,
}

impl Running {
    /// The statements that say how far it is. They run in the transaction of the segment itself, so that whatever
    /// happens between two segments, the journal tells what was committed.
    pub fn passed(&self, segments: usize, of: usize) -> String {
        let ended = if segments == of {
            format!(", state = {}, finished = pg_catalog.clock_timestamp()", literal(State::Done.word()))
        } else {
            String::new()
        };
        let table = table("applies");
        let mut statements = format!(
            "UPDATE {table} SET segments = {segments}{ended} WHERE id OPERATOR(pg_catalog.=) {}",
            self.id
        );
        if segments == of && !self.undoes.is_empty() {
            statements.push_str("; ");
            statements.push_str(&undo(&self.undoes));
        }
        statements
    }
}

/// The statements that say of applies that nothing of them is left. What one of them had taken back stands again.
fn undo(of: &[i64]) -> String {
    let (table, of) = (table("applies"), ids(of));
    let [done, failed, undone] =
        [State::Done, State::Failed, State::Undone].map(|state| literal(state.word()));
    format!(
        "UPDATE {table} SET state = {undone} WHERE id OPERATOR(pg_catalog.=) ANY ({of}); \
         UPDATE {table} SET state = CASE WHEN segments OPERATOR(pg_catalog.=) \
         pg_catalog.jsonb_array_length(forward OPERATOR(pg_catalog.->) 'segments') THEN {done} ELSE {failed} END \
         WHERE state OPERATOR(pg_catalog.=) {undone} AND id OPERATOR(pg_catalog.<>) ALL ({of}) \
         AND id IN (SELECT pg_catalog.unnest(undoes) FROM {table} WHERE id OPERATOR(pg_catalog.=) ANY ({of}))"
    )
}

fn ids(ids: &[i64]) -> String {
    let ids: Vec<String> = ids.iter().map(ToString::to_string).collect();
    format!("'{{{}}}'::pg_catalog.int8[]", ids.join(","))
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
        "INSERT INTO {} (schemac, plan, forward, reverse, before, undoes) VALUES ({}, {}, {}, {}, {}, {}) \
         RETURNING id",
        table("applies"),
        literal(&begun.schemac),
        literal(&begun.plan),
        json(Some(&begun.forward)),
        json(begun.reverse.as_deref()),
        json(begun.before.as_deref()),
        ids(&begun.undoes),
    );
    let answer = first_row(&write(client, &statement)?);
    let id = answer.first().and_then(|id| id.parse().ok());
    id.ok_or_else(|| Unavailable::Cannot("the journal gave no id".into()))
}

/// Writes how an apply ended, after how many committed segments, the way back from it and facts about the database
/// after it, as JSON.
///
/// # Errors
/// The server does not take it.
pub fn finish(
    client: &mut Client,
    id: i64,
    state: State,
    segments: usize,
    known: &Known,
) -> Result<(), Unavailable> {
    let statement = format!(
        "UPDATE {} SET finished = pg_catalog.clock_timestamp(), state = {}, segments = {segments}, after = {}, \
         reverse = {} WHERE id OPERATOR(pg_catalog.=) {id}",
        table("applies"),
        literal(state.word()),
        json(known.after.as_deref()),
        json(known.reverse.as_deref()),
    );
    write(client, &statement).map(drop)
}

/// Says of applies that nothing of them is left.
///
/// # Errors
/// The server does not take it.
pub fn undone(client: &mut Client, of: &[i64]) -> Result<(), Unavailable> {
    write(client, &undo(of)).map(drop)
}

/// What is known when an apply has ended.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Known {
    /// Facts about the database, as JSON.
    pub after: Option<String>,
    /// The plan that leads back, as JSON.
    pub reverse: Option<String>,
}

/// One row of the journal, without its long texts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Apply {
    /// Its id.
    pub id: i64,
    /// When it began, as the server writes it (ISO, UTC).
    pub started: String,
    /// When it ended; empty while it runs, or where it was torn off.
    pub finished: String,
    /// By whom.
    pub role: String,
    /// `running`, `done`, `failed` or `undone`; `broken off` where it says that it runs and nobody holds its lock.
    pub state: String,
    /// How many segments were committed.
    pub segments: usize,
    /// How many segments the plan has.
    pub of: usize,
    /// How many statements the plan has.
    pub steps: usize,
    /// What moved: the old names and the new ones.
    pub moves: Vec<(ObjectId, ObjectId)>,
    /// The applies that it takes back, where it is a rollback.
    pub undoes: Vec<i64>,
    /// The applies of which it takes a part back, where it is that.
    pub partly: Vec<i64>,
}

impl Apply {
    /// Whether something of it is in the database: it changed something, and was not taken back.
    pub fn is_there(&self) -> bool {
        self.segments > 0 && self.state != State::Undone.word()
    }

    /// Whether it takes others back, or a part of them.
    pub fn is_way_back(&self) -> bool {
        !self.undoes.is_empty() || !self.partly.is_empty()
    }

    /// Whether something of it stands in the database: it was not taken back, and takes nothing back itself.
    pub fn stands(&self) -> bool {
        self.is_there() && !self.is_way_back()
    }

    /// Whether it broke off in the middle or failed.
    pub fn is_torn(&self) -> bool {
        self.segments < self.of
    }
}

/// Whether the journal is there.
fn exists(client: &mut Client) -> Result<bool, Unavailable> {
    let there = first_row(&pinned(client, "SELECT pg_catalog.to_regclass('schemac.applies') IS NOT NULL")?);
    Ok(there.first().is_some_and(|there| there == "t"))
}

/// All applies, the first one first; none where nothing was ever recorded.
///
/// # Errors
/// The role may not read them.
pub fn applies(client: &mut Client) -> Result<Vec<Apply>, Unavailable> {
    if !exists(client)? {
        return Ok(Vec::new());
    }
    let question = format!(
        "SELECT id, pg_catalog.to_char(started AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS'), \
         pg_catalog.to_char(finished AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS'), role, \
         CASE WHEN state = 'running' AND NOT EXISTS (SELECT FROM pg_catalog.pg_locks l WHERE l.locktype = 'advisory' \
         AND l.granted AND l.objsubid = 1 AND l.classid = {} AND l.objid = {} AND l.database = \
         (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database())) \
         THEN 'broken off' ELSE state END, segments, \
         pg_catalog.jsonb_array_length(forward -> 'segments'), \
         (SELECT coalesce(sum(pg_catalog.jsonb_array_length(s -> 'steps')), 0) \
         FROM pg_catalog.jsonb_array_elements(forward -> 'segments') s), \
         pg_catalog.array_to_string(undoes, ','), coalesce(before -> 'moves', '[]'), \
         coalesce(before -> 'partly', '[]') \
         FROM {} ORDER BY id",
        LOCK_KEY >> 32,
        LOCK_KEY & 0xffff_ffff,
        table("applies")
    );
    let rows = pinned(client, &question)?;
    Ok(rows
        .iter()
        .filter_map(|message| match message {
            postgres::SimpleQueryMessage::Row(row) => {
                let text = |place: usize| row.get(place).unwrap_or_default().to_owned();
                let moves: Vec<(ObjectId, ObjectId)> = serde_json::from_str(&text(9)).unwrap_or_default();
                Some(Apply {
                    id: text(0).parse().ok()?,
                    started: text(1),
                    finished: text(2),
                    role: text(3),
                    state: text(4),
                    segments: text(5).parse().ok()?,
                    of: text(6).parse().unwrap_or(0),
                    steps: text(7).parse().unwrap_or(0),
                    undoes: text(8).split(',').filter_map(|id| id.parse().ok()).collect(),
                    partly: serde_json::from_str(&text(10)).unwrap_or_default(),
                    moves,
                })
            }
            _ => None,
        })
        .collect())
}

/// The long texts of an apply: facts before and after, and the plan that leads back, as JSON.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Texts {
    /// Facts about the database before.
    pub before: Option<String>,
    /// Facts about the database after.
    pub after: Option<String>,
    /// The plan that leads back.
    pub reverse: Option<String>,
}

/// The long texts of some applies, in the order of the ids that are asked for.
///
/// # Errors
/// The role may not read them.
pub fn texts(client: &mut Client, of: &[i64]) -> Result<Vec<Texts>, Unavailable> {
    let question = format!(
        "SELECT a.before, a.after, a.reverse FROM unnest({}) WITH ORDINALITY AS asked (id, place) \
         JOIN {} a ON a.id = asked.id ORDER BY asked.place",
        ids(of),
        table("applies")
    );
    let rows = pinned(client, &question)?;
    let text = |row: &postgres::SimpleQueryRow, place| row.get(place).map(str::to_owned);
    Ok(rows
        .iter()
        .filter_map(|message| match message {
            postgres::SimpleQueryMessage::Row(row) => {
                Some(Texts { before: text(row, 0), after: text(row, 1), reverse: text(row, 2) })
            }
            _ => None,
        })
        .collect())
}

fn json(text: Option<&str>) -> String {
    text.map_or_else(|| "NULL".to_owned(), |text| format!("{}::pg_catalog.jsonb", literal(text)))
}
