//! Tables: columns, constraints, indexes and everything else that hangs on one.

use schemars::JsonSchema;
use serde::Deserialize;

use super::facade::TableFacades;
use super::mixin::UseSpec;
use super::partition::PartitionsSpec;
use super::security::{Grants, PolicySpec, Rls, Rules, Triggers};
use crate::yaml::{At, Flag, Map, Name, OneOrMany, Sql, Text, Written};

/// A table.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TableSpec {
    /// Its comment.
    #[serde(default)]
    pub comment: Option<Text>,
    /// Its owner.
    #[serde(default)]
    pub owner: Option<Name>,
    /// Every name that it had.
    #[serde(default)]
    pub moved_from: OneOrMany<Name>,
    /// The old names that live on.
    #[serde(default)]
    pub facade: TableFacades,
    /// The conventions that it follows.
    #[serde(default)]
    pub r#use: Vec<UseSpec>,
    /// Its columns in order; the short form is what follows the name in CREATE TABLE.
    #[serde(default)]
    pub columns: Map<Written<ColumnSpec>>,
    /// What it says otherwise about the columns that it has from its parents.
    #[serde(default)]
    pub inherited: Map<InheritedSpec>,
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
    /// What follows PARTITION BY.
    #[serde(default)]
    pub partition_by: Option<Sql>,
    /// Its partitions.
    #[serde(default)]
    pub partitions: PartitionsSpec,
    /// The tables that it inherits from.
    #[serde(default)]
    pub inherits: OneOrMany<Name>,
    /// Whether a crash may empty it.
    #[serde(default)]
    pub unlogged: Option<Flag>,
    /// Where its rows are kept.
    #[serde(default)]
    pub tablespace: Option<Name>,
    /// How its rows are kept.
    #[serde(default)]
    pub access_method: Option<Name>,
}

/// The long form of a column.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ColumnSpec {
    /// Its type, and nothing but the type.
    pub r#type: Sql,
    /// Whether null is refused; the long form says more about the constraint that does it.
    #[serde(default)]
    pub not_null: Option<Written<NotNullSpec, Flag>>,
    /// Its default.
    #[serde(default)]
    pub default: Option<Sql>,
    /// The expression that it is computed from; stored, unless the long form says otherwise.
    #[serde(default)]
    pub generated: Option<Written<GeneratedSpec>>,
    /// Whether it is an identity column.
    #[serde(default)]
    pub identity: Option<Written<IdentitySpec, IdentityKind>>,
    /// The names that it had.
    #[serde(default)]
    pub renamed_from: OneOrMany<Name>,
    /// How existing values convert when the type changes.
    #[serde(default)]
    pub using: Option<Sql>,
    /// Its collation.
    #[serde(default)]
    pub collation: Option<Name>,
    /// Its statistics target.
    #[serde(default)]
    pub statistics: Option<i32>,
    /// How large values are kept.
    #[serde(default)]
    pub storage: Option<At<ColumnStorage>>,
    /// How large values are compressed: `pglz`, `lz4`, `default`.
    #[serde(default)]
    pub compression: Option<Name>,
    /// Its attribute options, such as `n_distinct`.
    #[serde(default)]
    pub options: Map<Text>,
    /// Who may do what with this column.
    #[serde(default)]
    pub grants: Grants,
    /// Its comment.
    #[serde(default)]
    pub comment: Option<Text>,
}

/// The long form of NOT NULL, which PostgreSQL 18 keeps as a constraint.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NotNullSpec {
    /// The name of the constraint; older servers know none.
    #[serde(default)]
    pub name: Option<Name>,
    /// Whether child tables may have null; PostgreSQL 18.
    #[serde(default)]
    pub no_inherit: Option<Flag>,
    /// Whether rows that were there before are left unchecked; PostgreSQL 18.
    #[serde(default)]
    pub not_valid: Option<Flag>,
    /// The comment of the constraint; PostgreSQL 18.
    #[serde(default)]
    pub comment: Option<Text>,
}

/// What a child or partition says otherwise about a column that it has from a parent.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct InheritedSpec {
    /// Whether null is refused where the parent takes it.
    #[serde(default)]
    pub not_null: Option<Written<NotNullSpec, Flag>>,
    /// A default of its own; `"null"`, where it has none and the parent has one.
    #[serde(default)]
    pub default: Option<Sql>,
    /// Its statistics target.
    #[serde(default)]
    pub statistics: Option<i32>,
    /// How large values are kept.
    #[serde(default)]
    pub storage: Option<At<ColumnStorage>>,
    /// How large values are compressed: `pglz`, `lz4`, `default`.
    #[serde(default)]
    pub compression: Option<Name>,
    /// Its attribute options, such as `n_distinct`.
    #[serde(default)]
    pub options: Map<Text>,
    /// Who may do what with this column.
    #[serde(default)]
    pub grants: Grants,
    /// Its comment.
    #[serde(default)]
    pub comment: Option<Text>,
}

/// The long form of a generated column.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GeneratedSpec {
    /// The expression.
    pub expression: Sql,
    /// Whether it is kept; `stored`, when it does not say.
    #[serde(default)]
    pub kind: Option<At<GeneratedKind>>,
}

/// Whether a generated column is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum GeneratedKind {
    /// Computed when written.
    Stored,
    /// Computed when read; PostgreSQL 18.
    Virtual,
}

/// The long form of an identity column.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct IdentitySpec {
    /// Who gives the value.
    pub generate: At<IdentityKind>,
    /// The name of its sequence.
    #[serde(default)]
    pub sequence: Option<Name>,
    /// The first value.
    #[serde(default)]
    pub start: Option<i64>,
    /// The step.
    #[serde(default)]
    pub increment: Option<i64>,
    /// The smallest value.
    #[serde(default)]
    pub min_value: Option<i64>,
    /// The largest value.
    #[serde(default)]
    pub max_value: Option<i64>,
    /// How many values a session takes at once.
    #[serde(default)]
    pub cache: Option<i64>,
    /// Whether it begins again at its end.
    #[serde(default)]
    pub cycle: Option<Flag>,
    /// Whether a crash may empty its sequence; as the table has it, when it does not say. PostgreSQL 15.
    #[serde(default)]
    pub unlogged: Option<Flag>,
    /// Who may do what with its sequence; what there is stays, when it does not say. `public: none` says nobody.
    #[serde(default)]
    pub grants: Grants,
    /// The comment of its sequence.
    #[serde(default)]
    pub comment: Option<Text>,
}

/// Who gives an identity column its value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum IdentityKind {
    /// PostgreSQL, always.
    Always,
    /// PostgreSQL, unless the INSERT does.
    #[serde(rename = "by default", alias = "by_default")]
    ByDefault,
}

/// How large values of a column are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ColumnStorage {
    /// In the row, as they are.
    Plain,
    /// Outside, as they are.
    External,
    /// Outside, compressed.
    Extended,
    /// In the row, compressed.
    Main,
    /// As the type has it.
    Default,
}

/// A primary key: what follows PRIMARY KEY, or a name with that.
pub type PrimaryKeySpec = Written<Map<Written<KeySpec>>>;

/// The long form of a primary or unique key.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct KeySpec {
    /// What follows PRIMARY KEY or UNIQUE.
    pub definition: Sql,
    /// Whether CLUSTER goes by its index.
    #[serde(default)]
    pub clustered: Option<Flag>,
    /// Whether the check can wait for the end of the transaction.
    #[serde(default)]
    pub deferrable: Option<Flag>,
    /// Whether it does.
    #[serde(default)]
    pub initially_deferred: Option<Flag>,
    /// The comment of its index.
    #[serde(default)]
    pub index_comment: Option<Text>,
    /// Its comment.
    #[serde(default)]
    pub comment: Option<Text>,
    /// The names that it had.
    #[serde(default)]
    pub renamed_from: OneOrMany<Name>,
}

/// The long form of a check.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CheckSpec {
    /// The expression.
    pub definition: Sql,
    /// Whether rows that were there before are left unchecked.
    #[serde(default)]
    pub not_valid: Option<Flag>,
    /// Whether child tables are left alone.
    #[serde(default)]
    pub no_inherit: Option<Flag>,
    /// Whether it is checked at all; PostgreSQL 18.
    #[serde(default)]
    pub enforced: Option<Flag>,
    /// Its comment.
    #[serde(default)]
    pub comment: Option<Text>,
    /// The names that it had.
    #[serde(default)]
    pub renamed_from: OneOrMany<Name>,
}

/// The long form of a foreign key.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ForeignKeySpec {
    /// What follows FOREIGN KEY: `(user_id) references auth.users (id)`.
    pub definition: Sql,
    /// Whether rows that were there before are left unchecked.
    #[serde(default)]
    pub not_valid: Option<Flag>,
    /// Whether it is checked at all; PostgreSQL 18.
    #[serde(default)]
    pub enforced: Option<Flag>,
    /// Whether the check can wait for the end of the transaction.
    #[serde(default)]
    pub deferrable: Option<Flag>,
    /// Whether it does.
    #[serde(default)]
    pub initially_deferred: Option<Flag>,
    /// Its comment.
    #[serde(default)]
    pub comment: Option<Text>,
    /// The names that it had.
    #[serde(default)]
    pub renamed_from: OneOrMany<Name>,
}

/// The long form of an exclusion.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ExclusionSpec {
    /// What follows EXCLUDE.
    pub definition: Sql,
    /// Whether the check can wait for the end of the transaction.
    #[serde(default)]
    pub deferrable: Option<Flag>,
    /// Whether it does.
    #[serde(default)]
    pub initially_deferred: Option<Flag>,
    /// The comment of its index.
    #[serde(default)]
    pub index_comment: Option<Text>,
    /// Its comment.
    #[serde(default)]
    pub comment: Option<Text>,
    /// The names that it had.
    #[serde(default)]
    pub renamed_from: OneOrMany<Name>,
}

/// The long form of an index.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct IndexSpec {
    /// What follows the table in CREATE INDEX, with `unique` before it: `unique using btree (a) where b`.
    pub definition: Sql,
    /// Whether CLUSTER goes by it.
    #[serde(default)]
    pub clustered: Option<Flag>,
    /// The statistics targets of its expressions, by their numbers among the columns of the index.
    #[serde(default)]
    pub statistics: Map<Text>,
    /// Its comment.
    #[serde(default)]
    pub comment: Option<Text>,
    /// The names that it had.
    #[serde(default)]
    pub renamed_from: OneOrMany<Name>,
}

/// The long form of extended statistics.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StatisticsSpec {
    /// What follows the name in CREATE STATISTICS, without FROM: `(ndistinct) on a, b`.
    pub definition: Sql,
    /// Its statistics target.
    #[serde(default)]
    pub target: Option<i32>,
    /// Its comment.
    #[serde(default)]
    pub comment: Option<Text>,
    /// The names that it had.
    #[serde(default)]
    pub renamed_from: OneOrMany<Name>,
}
