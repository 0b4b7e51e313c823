//! Rows that belong to the schema, and backfills.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::yaml::{At, Datum, Map, Name, OneOrMany, Sql};

/// Rows of a table.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DataSpec {
    /// The columns by which a row is known.
    pub key: OneOrMany<Name>,
    /// The rows; columns that a row does not name are left alone.
    #[serde(default)]
    pub rows: Vec<Map<DataValue>>,
}

/// A value of a row; lists and mappings are for json columns.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename = "$shape")]
pub enum DataValue {
    /// A single value; a plain `null` is no value.
    #[serde(rename = "scalar")]
    Single(Datum),
    /// A list.
    #[serde(rename = "sequence")]
    List(Vec<DataValue>),
    /// A mapping.
    #[serde(rename = "mapping")]
    Mapping(Map<DataValue>),
}

/// A statement that runs once per database.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BackfillSpec {
    /// When it runs.
    pub stage: At<Stage>,
    /// The tables that must be there.
    #[serde(default)]
    pub after: OneOrMany<Name>,
    /// Where it runs in many short transactions.
    #[serde(default)]
    pub batch: Option<BatchSpec>,
    /// The statement.
    pub sql: Sql,
}

/// When a backfill runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// Before the tables move.
    Expand,
    /// While old and new stand side by side.
    Migrate,
    /// Before the old goes.
    Contract,
}

/// How a backfill is cut into short transactions.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BatchSpec {
    /// The table whose rows are gone through.
    pub table: Name,
    /// The column that orders them.
    pub key: Name,
    /// How many at a time.
    pub size: u32,
}
