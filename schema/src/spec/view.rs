//! Views and materialized views.

use schemars::JsonSchema;
use serde::Deserialize;

use super::facade::TableFacades;
use super::security::{Grants, Rules, Triggers};
use super::table::{IndexSpec, StatisticsSpec};
use crate::yaml::{Flag, Map, Name, OneOrMany, Sql, Text, Written};

/// A view.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ViewSpec {
    /// Its query.
    pub query: Sql,
    /// What stands in `WITH (…)`, such as `security_invoker`.
    #[serde(default)]
    pub options: Map<Text>,
    /// What is to be said about single columns; they come from the query.
    #[serde(default)]
    pub columns: Map<ViewColumnSpec>,
    /// Its comment.
    #[serde(default)]
    pub comment: Option<Text>,
    /// Its owner.
    #[serde(default)]
    pub owner: Option<Name>,
    /// Who may do what.
    #[serde(default)]
    pub grants: Grants,
    /// INSTEAD OF triggers.
    #[serde(default)]
    pub triggers: Triggers,
    /// Its rules.
    #[serde(default)]
    pub rules: Rules,
    /// The names that it had.
    #[serde(default)]
    pub moved_from: OneOrMany<Name>,
    /// The old names that live on.
    #[serde(default)]
    pub facade: TableFacades,
}

/// A column of a view.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ViewColumnSpec {
    /// Its comment.
    #[serde(default)]
    pub comment: Option<Text>,
    /// What an INSERT through the view puts in.
    #[serde(default)]
    pub default: Option<Sql>,
    /// Who may do what with this column.
    #[serde(default)]
    pub grants: Grants,
}

/// A materialized view.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MaterializedViewSpec {
    /// Its query.
    pub query: Sql,
    /// What stands in `WITH (…)`.
    #[serde(default)]
    pub options: Map<Text>,
    /// What is to be said about single columns.
    #[serde(default)]
    pub columns: Map<ViewColumnSpec>,
    /// Its indexes.
    #[serde(default)]
    pub indexes: Map<Written<IndexSpec>>,
    /// Its extended statistics.
    #[serde(default)]
    pub statistics: Map<Written<StatisticsSpec>>,
    /// Whether it is filled when it is made; `true`, when it does not say.
    #[serde(default)]
    pub with_data: Option<Flag>,
    /// How its rows are kept.
    #[serde(default)]
    pub access_method: Option<Name>,
    /// Where its rows are kept.
    #[serde(default)]
    pub tablespace: Option<Name>,
    /// Its comment.
    #[serde(default)]
    pub comment: Option<Text>,
    /// Its owner.
    #[serde(default)]
    pub owner: Option<Name>,
    /// Who may do what.
    #[serde(default)]
    pub grants: Grants,
    /// The names that it had.
    #[serde(default)]
    pub moved_from: OneOrMany<Name>,
    /// The old names that live on.
    #[serde(default)]
    pub facade: TableFacades,
}
