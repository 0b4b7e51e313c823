//! Pairs of SQL that the server once stored as the same text, as digests, in the database that said so.
//!
//! Not here: what a pair's digest covers.

use super::{TRUSTED, Unavailable, first_row, pinned, table, write};
use crate::pair::Pair;
use postgres::{Client, SimpleQueryMessage};
use schemac_schema::sql::literal;
use std::collections::BTreeSet;

/// How many pairs are written in one statement.
const CHUNK: usize = 5_000;

/// How long a pair that nobody saw again is kept.
const KEPT: &str = "90 days";

/// What is remembered. Nothing is where nothing was kept, or where this role may not look, or should not believe it.
///
/// # Errors
/// The connection is lost. Anything else means that nothing is remembered.
pub fn read(client: &mut Client) -> Result<BTreeSet<Pair>, Unavailable> {
    let question = format!(
        "SELECT NOT pg_catalog.pg_is_in_recovery() \
         AND pg_catalog.has_schema_privilege(n.oid, 'USAGE') \
         AND pg_catalog.has_table_privilege(c.oid, 'SELECT') AND {TRUSTED} \
         FROM pg_catalog.pg_namespace n JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid \
         WHERE n.nspname = 'schemac' AND c.relname = 'memory' AND c.relkind = 'r'"
    );
    let answer = first_row(&pinned(client, &question)?);
    if answer.first().is_none_or(|usable| usable != "t") {
        return Ok(BTreeSet::new());
    }
    let rows = match pinned(client, &format!("SELECT pair FROM {}", table("memory"))) {
        Ok(rows) => rows,
        Err(Unavailable::Server(error)) if error.is_connection_lost() => {
            return Err(Unavailable::Server(error));
        }
        Err(_) => return Ok(BTreeSet::new()),
    };
    let pairs = rows.iter().filter_map(|message| match message {
        SimpleQueryMessage::Row(row) => row.get(0).and_then(Pair::read),
        _ => None,
    });
    Ok(pairs.collect())
}

/// Remembers pairs, and forgets those that were not seen for long. [`super::ensure`] comes before.
///
/// # Errors
/// The server does not take them.
pub fn add(client: &mut Client, pairs: &BTreeSet<Pair>) -> Result<(), Unavailable> {
    let pairs: Vec<String> = pairs.iter().map(|pair| format!("({})", literal(&pair.to_string()))).collect();
    let table = table("memory");
    let mut statements = vec![format!(
        "DELETE FROM {table} WHERE seen OPERATOR(pg_catalog.<) \
         (pg_catalog.now() OPERATOR(pg_catalog.-) '{KEPT}'::pg_catalog.interval)"
    )];
    statements.extend(pairs.chunks(CHUNK).map(|chunk| {
        format!(
            "INSERT INTO {table} (pair) VALUES {} ON CONFLICT (pair) DO UPDATE SET seen = DEFAULT",
            chunk.join(", ")
        )
    }));
    write(client, &statements.join(";\n")).map(drop)
}
