//! Files and rows of relations, and which types they are: what no catalog of schemac holds.
//!
//! Rows are counted by the table that they are in, so that those of a child which came later are told apart. Not here:
//! what it means that something is otherwise than it was (`verify`).

use super::{Part, Relation};
use crate::state::{Unavailable, pinned};
use postgres::{Client, SimpleQueryMessage, SimpleQueryRow};
use schemac_schema::id::ObjectId;
use schemac_schema::ident::QName;
use schemac_schema::sql;
use std::collections::BTreeMap;

/// From how many rows on, by the server's own estimate, rows are not counted.
const COUNTED: f64 = 1_000_000.0;

/// Objects by their names, and the names as rows of VALUES.
fn named(of: &[ObjectId]) -> (BTreeMap<QName, ObjectId>, String) {
    let names: BTreeMap<QName, ObjectId> = of.iter().filter_map(|id| Some((id.qname()?, *id))).collect();
    let rows: Vec<String> = names
        .keys()
        .map(|name| format!("({}, {})", sql::literal(name.schema.as_str()), sql::literal(name.name.as_str())))
        .collect();
    (names, rows.join(", "))
}

/// A relation and all below it, with their names.
const BELOW: &str = "WITH RECURSIVE below (oid) AS (SELECT c.oid UNION SELECT i.inhrelid FROM below b \
    JOIN pg_catalog.pg_inherits i ON i.inhparent = b.oid)";

/// Files and rows of relations, by two questions.
///
/// # Errors
/// The server could not be asked.
pub fn relations_of(client: &mut Client, of: &[ObjectId]) -> Result<Vec<Relation>, Unavailable> {
    let (names, rows) = named(of);
    if names.is_empty() {
        return Ok(Vec::new());
    }
    // Somebody's row-level security would hide rows from the count. What is not populated cannot be read.
    let question = format!(
        "SELECT n.nspname, c.relname, c.oid, c.relfilenode, c.relkind IN ('r', 'p', 'm') AND c.relispopulated \
         AND ({BELOW} SELECT pg_catalog.sum(greatest(k.reltuples, 0)) FROM below JOIN pg_catalog.pg_class k USING (oid)) < {COUNTED} \
         AND pg_catalog.has_table_privilege(c.oid, 'SELECT') AND NOT pg_catalog.row_security_active(c.oid), \
         CASE WHEN c.relkind = 'S' THEN {} END, \
         ({BELOW} SELECT pg_catalog.json_agg(pg_catalog.json_build_object('oid', k.oid::pg_catalog.int8, \
         'name', pg_catalog.format('%I.%I', s.nspname, k.relname), 'rows', 0) ORDER BY k.oid) \
         FROM below JOIN pg_catalog.pg_class k USING (oid) JOIN pg_catalog.pg_namespace s ON s.oid = k.relnamespace \
         WHERE k.relkind IN ('r', 'm', 'f')), \
         (SELECT pg_catalog.json_agg(DISTINCT k.conname) FROM pg_catalog.pg_trigger t \
         JOIN pg_catalog.pg_constraint k ON k.oid = t.tgconstraint \
         WHERE t.tgrelid = c.oid AND t.tgisinternal AND t.tgenabled IN ('D', 'R') AND k.contype = 'f'), \
         (SELECT pg_catalog.json_object_agg(a.attname, {}) FROM pg_catalog.pg_depend d JOIN pg_catalog.pg_attribute a \
         ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid WHERE d.refobjid = c.oid AND d.deptype = 'i' \
         AND d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.refclassid = d.classid AND a.attidentity <> ''), \
         c.relispopulated \
         FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
         WHERE (n.nspname, c.relname) IN (VALUES {rows}) ORDER BY 1, 2",
        reached("c.oid"),
        reached("d.objid")
    );
    let (mut relations, mut counts) = (Vec::new(), Vec::new());
    for message in pinned(client, &question)? {
        let SimpleQueryMessage::Row(row) = message else { continue };
        let text = |place: usize| row.get(place).unwrap_or_default();
        let Some(id) = names.get(&QName::new(text(0), text(1))) else { continue };
        let mut parts: Vec<Part> = from_json(&row, 6);
        let mut rows = None;
        if let (true, Some(name)) = (text(4) == "t", id.qname()) {
            counts.push(counting(relations.len(), &sql::qualified(name), text(2), &parts));
            rows = Some(0);
        } else {
            parts.clear();
        }
        let number = |place: usize| text(place).parse().unwrap_or(0);
        relations.push(Relation {
            id: *id,
            oid: number(2),
            file: number(3),
            rows,
            parts,
            unchecked: from_json(&row, 7),
            identities: from_json(&row, 8),
            unpopulated: text(9) == "f",
            reached: text(5).parse().ok(),
        });
    }
    if counts.is_empty() {
        return Ok(relations);
    }
    for message in pinned(client, &counts.join(" UNION ALL "))? {
        let SimpleQueryMessage::Row(row) = message else { continue };
        let number = |place: usize| row.get(place).and_then(|text| text.parse::<u64>().ok());
        let (Some(place), Some(oid), Some(count)) = (number(0), number(1), number(2)) else { continue };
        let relation = usize::try_from(place).ok().and_then(|place| relations.get_mut(place));
        let Some(relation) = relation else { continue };
        relation.rows = relation.rows.map(|rows| rows + count);
        if let Some(part) = relation.parts.iter_mut().find(|part| u64::from(part.oid) == oid) {
            part.rows = count;
        }
    }
    Ok(relations)
}

/// The question how many rows a relation has, by the tables that they are in. An index can answer it where it has none below.
fn counting(place: usize, name: &str, oid: &str, parts: &[Part]) -> String {
    match parts {
        [one] if one.oid.to_string() == oid => {
            format!("SELECT {place}, {oid}::pg_catalog.int8, pg_catalog.count(*) FROM {name}")
        }
        _ => format!(
            "(SELECT {place}, tableoid::pg_catalog.int8, pg_catalog.count(*) FROM {name} GROUP BY tableoid)"
        ),
    }
}

/// How far a sequence is, in its own direction; NULL of one that goes round, or that nobody here may look at.
fn reached(oid: &str) -> String {
    format!(
        "CASE WHEN pg_catalog.has_sequence_privilege({oid}, 'USAGE, SELECT') THEN (SELECT pg_catalog.pg_sequence_last_value({oid}) \
         * pg_catalog.sign(s.seqincrement)::pg_catalog.int8 FROM pg_catalog.pg_sequence s WHERE s.seqrelid = {oid} AND NOT s.seqcycle) END"
    )
}

/// What came as JSON; a NULL is empty.
fn from_json<T: serde::de::DeserializeOwned + Default>(row: &SimpleQueryRow, place: usize) -> T {
    row.get(place).and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default()
}

/// The names that tables have now, by their oids, as they stand in SQL; of those that there are.
///
/// # Errors
/// The server could not be asked.
pub fn names_of(client: &mut Client, of: &[u32]) -> Result<BTreeMap<u32, String>, Unavailable> {
    if of.is_empty() {
        return Ok(BTreeMap::new());
    }
    let oids: Vec<String> = of.iter().map(ToString::to_string).collect();
    let question = format!(
        "SELECT c.oid, pg_catalog.format('%I.%I', n.nspname, c.relname) FROM pg_catalog.pg_class c \
         JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE c.oid IN ({})",
        oids.join(", ")
    );
    let found = pinned(client, &question)?;
    Ok(found
        .iter()
        .filter_map(|message| match message {
            SimpleQueryMessage::Row(row) => Some((row.get(0)?.parse().ok()?, row.get(1)?.to_owned())),
            _ => None,
        })
        .collect())
}

/// Which types they are.
///
/// # Errors
/// The server could not be asked.
pub fn types_of(client: &mut Client, of: &[ObjectId]) -> Result<Vec<Relation>, Unavailable> {
    let (names, rows) = named(of);
    if names.is_empty() {
        return Ok(Vec::new());
    }
    let question = format!(
        "SELECT n.nspname, t.typname, t.oid FROM pg_catalog.pg_type t \
         JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace \
         WHERE (n.nspname, t.typname) IN (VALUES {rows}) ORDER BY 1, 2"
    );
    let mut types = Vec::new();
    for message in pinned(client, &question)? {
        let SimpleQueryMessage::Row(row) = message else { continue };
        let text = |place: usize| row.get(place).unwrap_or_default();
        if let Some(id) = names.get(&QName::new(text(0), text(1))) {
            types.push(Relation { oid: text(2).parse().unwrap_or(0), ..Relation::nothing(*id) });
        }
    }
    Ok(types)
}
