//! Old names that live on.

use schemars::JsonSchema;
use serde::Deserialize;

use super::security::Grants;
use crate::yaml::{At, Flag, Map, Name, OneOrMany, Sql, Text, Written};

/// The facades of a table: one or several old names, each alone or with more to say.
pub type TableFacades = OneOrMany<Written<TableFacadeSpec, Name>>;

/// The long form of a table's facade.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TableFacadeSpec {
    /// The old name.
    pub name: Name,
    /// For a column as clients see it, the column or expression that it is now; the others pass through.
    #[serde(default)]
    pub columns: Map<Sql>,
    /// What may be written through it.
    #[serde(default)]
    pub writes: Option<At<FacadeWrites>>,
    /// As whom the generated functions of `writes: triggers` run.
    #[serde(default)]
    pub security: Option<At<FacadeSecurity>>,
    /// Whether functions that take rows of the table get overloads that take the facade's.
    #[serde(default)]
    pub row_functions: Option<Flag>,
    /// The rows that are seen through it.
    #[serde(default)]
    pub r#where: Option<Sql>,
    /// Its comment, instead of the table's.
    #[serde(default)]
    pub comment: Option<Text>,
    /// Its privileges, instead of the table's.
    #[serde(default)]
    pub grants: Option<Grants>,
}

/// A facade that reshapes; the old name is its key.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FacadeSpec {
    /// The table.
    pub of: Name,
    /// For each column as clients see it, the column or expression that it is now; only these.
    #[serde(default)]
    pub columns: Map<Sql>,
    /// What may be written through it.
    #[serde(default)]
    pub writes: Option<At<FacadeWrites>>,
    /// As whom the generated functions of `writes: triggers` run.
    #[serde(default)]
    pub security: Option<At<FacadeSecurity>>,
    /// The rows that are seen through it.
    #[serde(default)]
    pub r#where: Option<Sql>,
    /// Its comment, instead of the table's.
    #[serde(default)]
    pub comment: Option<Text>,
    /// Its privileges, instead of the table's.
    #[serde(default)]
    pub grants: Option<Grants>,
}

/// What may be written through a facade.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum FacadeWrites {
    /// What PostgreSQL can do by itself.
    Auto,
    /// Everything, through INSTEAD OF triggers.
    Triggers,
    /// Nothing.
    None,
}

/// As whom the generated functions of a facade run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum FacadeSecurity {
    /// As the caller.
    Invoker,
    /// As their owner, past row-level security.
    Definer,
}
