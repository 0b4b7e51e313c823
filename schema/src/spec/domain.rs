//! A file of the schema: a domain, and what stands beside domains.

use schemars::JsonSchema;
use serde::Deserialize;

use super::data::{BackfillSpec, DataSpec};
use super::facade::FacadeSpec;
use super::global::{
    EventTriggerSpec, ExtensionSpec, ForeignDataWrapperSpec, ForeignTableSpec, PublicationSpec, RoleSpec,
    ServerSpec,
};
use super::mixin::MixinSpec;
use super::routine::{AggregateSpec, RoutineSpec};
use super::security::{DefaultPrivilegeSpec, Grants, PolicySpec, Rls, Triggers};
use super::table::{IndexSpec, TableSpec};
use super::types::{CollationSpec, DomainTypeSpec, EnumSpec, SequenceSpec, TypeSpec};
use super::view::{MaterializedViewSpec, ViewSpec};
use crate::yaml::{At, Map, Name, OneOrMany, Sql, Text, Written};

/// A file of the schema. Without `domain:` it holds only what lives outside a schema.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DomainSpec {
    /// The schema that the file is about.
    #[serde(default)]
    pub domain: Option<Name>,
    /// The schema's comment.
    #[serde(default)]
    pub comment: Option<Text>,
    /// The schema's owner.
    #[serde(default)]
    pub owner: Option<Name>,
    /// Who may use the schema.
    #[serde(default)]
    pub grants: Grants,
    /// The names that the schema had.
    #[serde(default)]
    pub renamed_from: OneOrMany<Name>,
    /// What objects of the schema get when they are made.
    #[serde(default)]
    pub default_privileges: Vec<DefaultPrivilegeSpec>,
    /// Collations.
    #[serde(default)]
    pub collations: Map<CollationSpec>,
    /// Enum types.
    #[serde(default)]
    pub enums: Map<EnumSpec>,
    /// PostgreSQL domains; the short form is the type.
    #[serde(default)]
    pub domains: Map<Written<DomainTypeSpec>>,
    /// Composite and range types.
    #[serde(default)]
    pub types: Map<TypeSpec>,
    /// Sequences that no identity column owns.
    #[serde(default)]
    pub sequences: Map<SequenceSpec>,
    /// Tables.
    #[serde(default)]
    pub tables: Map<TableSpec>,
    /// Foreign tables.
    #[serde(default)]
    pub foreign_tables: Map<ForeignTableSpec>,
    /// Views.
    #[serde(default)]
    pub views: Map<ViewSpec>,
    /// Materialized views.
    #[serde(default)]
    pub materialized_views: Map<MaterializedViewSpec>,
    /// Functions; a list where a name is overloaded.
    #[serde(default)]
    pub functions: Map<OneOrMany<RoutineSpec>>,
    /// Procedures.
    #[serde(default)]
    pub procedures: Map<OneOrMany<RoutineSpec>>,
    /// Aggregates.
    #[serde(default)]
    pub aggregates: Map<OneOrMany<AggregateSpec>>,
    /// SQL files that are read into the same objects.
    #[serde(default)]
    pub include: Vec<Text>,
    /// Objects of the schema that are meant to go.
    #[serde(default)]
    pub dropped: Vec<Name>,
    /// Conventions, for every file.
    #[serde(default)]
    pub mixins: Map<MixinSpec>,
    /// Facades that reshape, by their old names.
    #[serde(default)]
    pub facades: Map<FacadeSpec>,
    /// Rows that belong to the schema, by table.
    #[serde(default)]
    pub data: Map<DataSpec>,
    /// Statements that run once per database.
    #[serde(default)]
    pub backfills: Map<BackfillSpec>,
    /// Questions that must answer true after an apply.
    #[serde(default)]
    pub checks: Map<Sql>,
    /// What the project adds to tables of external schemas.
    #[serde(default)]
    pub on_external: Map<OnExternalSpec>,
    /// Extensions.
    #[serde(default)]
    pub extensions: Map<ExtensionSpec>,
    /// Roles.
    #[serde(default)]
    pub roles: Map<RoleSpec>,
    /// Publications.
    #[serde(default)]
    pub publications: Map<PublicationSpec>,
    /// Event triggers.
    #[serde(default)]
    pub event_triggers: Map<Written<EventTriggerSpec>>,
    /// Foreign data wrappers.
    #[serde(default)]
    pub foreign_data_wrappers: Map<ForeignDataWrapperSpec>,
    /// Foreign servers.
    #[serde(default)]
    pub servers: Map<ServerSpec>,
}

/// What is declared on a table that belongs to someone else; everything else there is left alone.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OnExternalSpec {
    /// Triggers.
    #[serde(default)]
    pub triggers: Triggers,
    /// Row-level security.
    #[serde(default)]
    pub rls: Option<At<Rls>>,
    /// Policies.
    #[serde(default)]
    pub policies: Map<PolicySpec>,
    /// Indexes.
    #[serde(default)]
    pub indexes: Map<Written<IndexSpec>>,
    /// Privileges.
    #[serde(default)]
    pub grants: Grants,
    /// Publications.
    #[serde(default)]
    pub published_in: OneOrMany<Name>,
    /// Its comment.
    #[serde(default)]
    pub comment: Option<Text>,
    /// What an earlier state of the files put there and is meant to go. Taking an entry out of the files leaves it in
    /// the database: nothing tells it from what somebody else made.
    #[serde(default)]
    pub dropped: DroppedOnExternalSpec,
}

/// What is meant to go from a table that belongs to someone else.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DroppedOnExternalSpec {
    /// Triggers.
    #[serde(default)]
    pub triggers: Vec<Name>,
    /// Policies.
    #[serde(default)]
    pub policies: Vec<Name>,
    /// Indexes.
    #[serde(default)]
    pub indexes: Vec<Name>,
    /// The roles whose privileges go.
    #[serde(default)]
    pub grants: Vec<Name>,
}
