//! What lives outside a schema, and foreign data.

use schemars::JsonSchema;
use serde::Deserialize;

use super::security::{Grants, Triggers};
use super::table::{CheckSpec, ColumnSpec, StatisticsSpec};
use crate::yaml::{At, Flag, Map, Maybe, Name, OneOrMany, Sql, Text, Written};

/// An extension.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ExtensionSpec {
    /// The schema of its objects.
    #[serde(default)]
    pub schema: Option<Name>,
    /// The version that must be there; any, when it does not say.
    #[serde(default)]
    pub version: Option<Text>,
    /// Its comment.
    #[serde(default)]
    pub comment: Option<Text>,
}

/// A role; flags that it does not mention are PostgreSQL's defaults.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RoleSpec {
    /// Whether it can log in.
    #[serde(default)]
    pub login: Option<Flag>,
    /// Whether it has the privileges of the roles that it is in.
    #[serde(default)]
    pub inherit: Option<Flag>,
    /// Whether it is a superuser.
    #[serde(default)]
    pub superuser: Option<Flag>,
    /// Whether it can make databases.
    #[serde(default)]
    pub createdb: Option<Flag>,
    /// Whether it can make roles.
    #[serde(default)]
    pub createrole: Option<Flag>,
    /// Whether it can replicate.
    #[serde(default)]
    pub replication: Option<Flag>,
    /// Whether row-level security leaves it alone.
    #[serde(default)]
    pub bypassrls: Option<Flag>,
    /// How many connections it may have.
    #[serde(default)]
    pub connection_limit: Option<i32>,
    /// Until when its password holds.
    #[serde(default)]
    pub valid_until: Option<Text>,
    /// The roles that it is in.
    #[serde(default)]
    pub member_of: OneOrMany<Name>,
    /// Its settings.
    #[serde(default)]
    pub set: Map<OneOrMany<Text>>,
    /// Its comment.
    #[serde(default)]
    pub comment: Option<Text>,
}

/// A publication; tables name theirs with `published_in`.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PublicationSpec {
    /// What is published; everything, when it does not say.
    #[serde(default)]
    pub publish: OneOrMany<At<Publish>>,
    /// Whether it holds every table.
    #[serde(default)]
    pub all_tables: Option<Flag>,
    /// The schemas whose every table it holds.
    #[serde(default)]
    pub schemas: OneOrMany<Name>,
    /// Tables with fewer columns or rows.
    #[serde(default)]
    pub tables: Map<Maybe<PublishedTableSpec>>,
    /// Whether partitions are published as their root (`publish_via_partition_root`).
    #[serde(default)]
    pub via_root: Option<Flag>,
    /// Whether generated columns are published (`publish_generated_columns`).
    #[serde(default)]
    pub generated_columns: Option<Name>,
    /// Its comment.
    #[serde(default)]
    pub comment: Option<Text>,
    /// Its owner.
    #[serde(default)]
    pub owner: Option<Name>,
}

/// What a publication publishes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Publish {
    /// INSERT.
    Insert,
    /// UPDATE.
    Update,
    /// DELETE.
    Delete,
    /// TRUNCATE.
    Truncate,
}

/// What of a table is published.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PublishedTableSpec {
    /// These columns; all, when it names none.
    #[serde(default)]
    pub columns: OneOrMany<Name>,
    /// These rows.
    #[serde(default)]
    pub r#where: Option<Sql>,
}

/// The long form of an event trigger.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EventTriggerSpec {
    /// What follows the name: `on ddl_command_end when tag in ('CREATE TABLE') execute function f()`.
    pub definition: Sql,
    /// When it fires.
    #[serde(default)]
    pub enabled: Option<At<super::security::TriggerEnabled>>,
    /// Its comment.
    #[serde(default)]
    pub comment: Option<Text>,
    /// Its owner.
    #[serde(default)]
    pub owner: Option<Name>,
}

/// A foreign data wrapper.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ForeignDataWrapperSpec {
    /// Its handler function.
    #[serde(default)]
    pub handler: Option<Name>,
    /// Its validator function.
    #[serde(default)]
    pub validator: Option<Name>,
    /// Its options.
    #[serde(default)]
    pub options: Map<Text>,
    /// Who may use it.
    #[serde(default)]
    pub grants: Grants,
    /// Its comment.
    #[serde(default)]
    pub comment: Option<Text>,
    /// Its owner.
    #[serde(default)]
    pub owner: Option<Name>,
}

/// A foreign server.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ServerSpec {
    /// Its wrapper.
    pub foreign_data_wrapper: Name,
    /// Its type.
    #[serde(default)]
    pub r#type: Option<Text>,
    /// Its version.
    #[serde(default)]
    pub version: Option<Text>,
    /// Its options.
    #[serde(default)]
    pub options: Map<Text>,
    /// For a role (or `public`), the options of its mapping.
    #[serde(default)]
    pub user_mappings: Map<Map<Text>>,
    /// Who may use it.
    #[serde(default)]
    pub grants: Grants,
    /// Its comment.
    #[serde(default)]
    pub comment: Option<Text>,
    /// Its owner.
    #[serde(default)]
    pub owner: Option<Name>,
}

/// A foreign table.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ForeignTableSpec {
    /// Its server.
    pub server: Name,
    /// Its columns in order.
    #[serde(default)]
    pub columns: Map<Written<ColumnSpec>>,
    /// For a column, its options for the server.
    #[serde(default)]
    pub column_options: Map<Map<Text>>,
    /// What its rows hold.
    #[serde(default)]
    pub checks: Map<Written<CheckSpec>>,
    /// Its extended statistics.
    #[serde(default)]
    pub statistics: Map<Written<StatisticsSpec>>,
    /// Its options.
    #[serde(default)]
    pub options: Map<Text>,
    /// Its triggers.
    #[serde(default)]
    pub triggers: Triggers,
    /// Who may do what.
    #[serde(default)]
    pub grants: Grants,
    /// Its comment.
    #[serde(default)]
    pub comment: Option<Text>,
    /// Its owner.
    #[serde(default)]
    pub owner: Option<Name>,
    /// The names that it had.
    #[serde(default)]
    pub moved_from: OneOrMany<Name>,
}
