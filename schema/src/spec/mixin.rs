//! Conventions that several tables share.

use schemars::JsonSchema;
use serde::Deserialize;

use super::security::{Grants, PolicySpec, Rls, Rules, Triggers};
use super::table::{
    CheckSpec, ColumnSpec, ExclusionSpec, ForeignKeySpec, IndexSpec, KeySpec, PrimaryKeySpec, StatisticsSpec,
};
use super::view::ViewSpec;
use crate::yaml::{At, Map, Maybe, Name, OneOrMany, Sql, Text, Written};

/// A mixin that a table uses: its name, or its name with parameters.
pub type UseSpec = Written<Map<Map<Text>>, Name>;

/// A convention. `{schema}`, `{table}` and its parameters in braces stand for the table's own
/// in keys and in SQL.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MixinSpec {
    /// Its parameters, each with its default or empty where a table must give one.
    #[serde(default)]
    pub parameters: Map<Maybe<Text>>,
    /// What the convention is about; for readers of the file.
    #[serde(default)]
    pub comment: Option<Text>,
    /// The conventions that it builds on.
    #[serde(default)]
    pub r#use: Vec<UseSpec>,
    /// Its columns in order; the short form is what follows the name in CREATE TABLE.
    #[serde(default)]
    pub columns: Map<Written<ColumnSpec>>,
    /// Its primary key: `(id)`, or a name with it.
    #[serde(default)]
    pub primary_key: Option<PrimaryKeySpec>,
    /// Its unique constraints.
    #[serde(default)]
    pub unique: Map<Written<KeySpec>>,
    /// Its check constraints.
    #[serde(default)]
    pub checks: Map<Written<CheckSpec>>,
    /// Its foreign keys.
    #[serde(default)]
    pub foreign_keys: Map<Written<ForeignKeySpec>>,
    /// Its exclusion constraints.
    #[serde(default)]
    pub exclusions: Map<Written<ExclusionSpec>>,
    /// Its indexes that no constraint owns.
    #[serde(default)]
    pub indexes: Map<Written<IndexSpec>>,
    /// Its extended statistics.
    #[serde(default)]
    pub statistics: Map<Written<StatisticsSpec>>,
    /// Row-level security.
    #[serde(default)]
    pub rls: Option<At<Rls>>,
    /// Its policies.
    #[serde(default)]
    pub policies: Map<PolicySpec>,
    /// Its triggers.
    #[serde(default)]
    pub triggers: Triggers,
    /// Its rules.
    #[serde(default)]
    pub rules: Rules,
    /// Who may do what.
    #[serde(default)]
    pub grants: Grants,
    /// What stands in `WITH (…)`, `toast.` included.
    #[serde(default)]
    pub options: Map<Text>,
    /// What follows REPLICA IDENTITY: `full`, `nothing`, `using index name`.
    #[serde(default)]
    pub replica_identity: Option<Sql>,
    /// The publications that hold it.
    #[serde(default)]
    pub published_in: OneOrMany<Name>,
    /// Views that come with the table, in its schema.
    #[serde(default)]
    pub views: Map<ViewSpec>,
}
