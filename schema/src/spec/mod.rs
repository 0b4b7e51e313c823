//! What the files of a project may say: one struct per kind of entry, nested as people write it.
//!
//! These are shapes only. Nothing here resolves a name, expands a mixin or a facade, or parses SQL.
//! Every key is known; a key that is not is an error. Fragments ([`Sql`]) hold exactly what PostgreSQL's
//! grammar has after the name of the thing. Long forms have that under `definition`, with what SQL does
//! not say in the same place beside it.

pub mod data;
pub mod domain;
pub mod facade;
pub mod global;
pub mod json_schema;
pub mod mixin;
pub mod partition;
pub mod project;
pub mod routine;
pub mod rules;
pub mod security;
pub mod table;
pub mod types;
pub mod view;

pub use data::{BackfillSpec, BatchSpec, DataSpec, DataValue, Stage};
pub use domain::{DomainSpec, DroppedOnExternalSpec, OnExternalSpec};
pub use facade::{FacadeSecurity, FacadeSpec, FacadeWrites, TableFacadeSpec};
pub use global::{
    EventTriggerSpec, ExtensionSpec, ForeignDataWrapperSpec, ForeignTableSpec, PublicationSpec, RoleSpec,
    ServerSpec,
};
pub use mixin::{MixinSpec, UseSpec};
pub use partition::{EverySpec, PartitionSpec, PartitionsSpec, RollingSpec};
pub use project::{EnvironmentSpec, PhaseSpec, ProjectSpec};
pub use routine::{AggregateSpec, RoutineSpec};
pub use rules::RuleSpec;
pub use security::{DefaultPrivilegeSpec, Grants, PolicySpec, Rls, TriggerSpec};
pub use table::{
    CheckSpec, ColumnSpec, ExclusionSpec, ForeignKeySpec, GeneratedSpec, IdentitySpec, IndexSpec,
    InheritedSpec, KeySpec, PrimaryKeySpec, StatisticsSpec, TableSpec,
};
pub use types::{CompositeFieldSpec, DomainTypeSpec, EnumSpec, RangeSpec, SequenceSpec, TypeSpec};
pub use view::{MaterializedViewSpec, ViewColumnSpec, ViewSpec};

pub use crate::yaml::{At, Datum, Flag, Map, Maybe, Name, OneOrMany, Sql, Text, Written};

use crate::diagnostic::Diagnostic;
use crate::span::{FileId, Sources};
use crate::yaml;

/// Reads the project file.
///
/// # Errors
///
/// The first thing in the file that is no YAML or has no meaning, with its place.
pub fn read_project(sources: &Sources, file: FileId) -> Result<ProjectSpec, Diagnostic> {
    yaml::from_node(&yaml::parse(sources, file)?)
}

/// Reads a file of the schema. A file without content declares nothing.
///
/// # Errors
///
/// The first thing in the file that is no YAML or has no meaning, with its place.
pub fn read_domain(sources: &Sources, file: FileId) -> Result<DomainSpec, Diagnostic> {
    yaml::from_node(&yaml::parse(sources, file)?)
}

/// Reads the rules of an import.
///
/// # Errors
///
/// The first thing in the file that is no YAML or has no meaning, with its place.
pub fn read_rules(sources: &Sources, file: FileId) -> Result<Vec<RuleSpec>, Diagnostic> {
    yaml::from_node(&yaml::parse(sources, file)?)
}

#[cfg(test)]
mod tests;
