//! Whether the schema is still as it was when it was read.
//!
//! The functions that print definitions (`pg_get_expr`, `pg_get_indexdef`) look at names as they are now, not as the
//! reading transaction sees them: what is renamed meanwhile has its old name in one row and its new one in another, and
//! no error tells. So the last statement of a reading asks whether any other transaction can have ended since its
//! snapshot. Mostly none has; else it is asked whether one of them has written a name or a definition.
//!
//! Not seen: what was dropped and nothing else. Reading it is an error or NULL, which the readers know.

use postgres::{Client, SimpleQueryMessage, SimpleQueryRow};
use schemac_schema::sql;

/// When the schema was read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Moment {
    /// The first transaction that began after it, by its 32-bit number; none was read when it is empty.
    next: String,
    /// The transactions that were under way, as an array.
    running: String,
    /// Whether no transaction has written anything until the reading was over.
    quiet: bool,
}

/// Asks for the moment, at the end of the transaction that read. `age` counts from the transaction that would begin now.
pub(crate) const QUESTION: &str = "\
SELECT pg_catalog.pg_snapshot_xmax(s)::pg_catalog.xid::pg_catalog.text, \
ARRAY(SELECT x::pg_catalog.xid::pg_catalog.text FROM pg_catalog.pg_snapshot_xip(s) AS x)::pg_catalog.text, \
pg_catalog.pg_snapshot_xmin(s) OPERATOR(pg_catalog.=) pg_catalog.pg_snapshot_xmax(s) \
AND pg_catalog.age(pg_catalog.pg_snapshot_xmax(s)::pg_catalog.xid) OPERATOR(pg_catalog.=) 0 \
FROM pg_catalog.pg_current_snapshot() AS s";

impl Moment {
    pub(crate) fn of(row: &SimpleQueryRow) -> Self {
        let text = |place| row.get(place).unwrap_or_default().to_owned();
        Self { next: text(0), running: text(1), quiet: row.get(2) == Some("t") }
    }

    /// Whether nothing can have changed while it was read.
    pub(crate) fn is_certain(&self) -> bool {
        self.quiet || self.next.is_empty()
    }
}

/// The catalogs that hold names and definitions, each with what of it is nobody else's business: temporary objects, and
/// types that come with a table or another type.
const WATCHED: [(&str, &str); 7] = [
    ("pg_class", "relpersistence <> 't'"),
    (
        "pg_attribute",
        "NOT EXISTS (SELECT FROM pg_catalog.pg_class c WHERE c.oid = attrelid AND c.relpersistence = 't')",
    ),
    ("pg_type", "typtype <> 'c' AND typcategory <> 'A'"),
    ("pg_proc", "true"),
    ("pg_namespace", "nspname !~ '^pg_'"),
    ("pg_enum", "true"),
    ("pg_trigger", "NOT tgisinternal"),
];

/// Whether a name or a definition was written by a transaction that ended after the moment.
///
/// # Errors
/// The server cannot be asked.
pub fn changed_since(client: &mut Client, moment: &Moment) -> Result<bool, postgres::Error> {
    if moment.next.is_empty() {
        return Ok(false);
    }
    let next = sql::literal(&moment.next);
    let running = sql::literal(&moment.running);
    let each = WATCHED.map(|(catalog, watched)| {
        format!(
            "EXISTS (SELECT FROM pg_catalog.{catalog} w WHERE (pg_catalog.age(w.xmin) <= pg_catalog.age({next}::xid) \
             OR w.xmin::text = ANY ({running}::text[])) AND {watched})"
        )
    });
    let question = format!(
        "BEGIN TRANSACTION READ ONLY; SET LOCAL search_path = pg_catalog; SELECT {}; COMMIT",
        each.join(" OR ")
    );
    let messages = client.simple_query(&question)?;
    Ok(messages
        .iter()
        .any(|message| matches!(message, SimpleQueryMessage::Row(row) if row.get(0) == Some("t"))))
}
