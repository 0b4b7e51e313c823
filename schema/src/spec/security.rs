//! Who may do what: privileges, row-level security, policies; and triggers.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::yaml::{At, Map, Name, OneOrMany, Sql, Text, Written};

/// For a role (or `public`) its privileges, each as SQL has it: `select`, `update (title)`, `all`.
pub type Grants = Map<OneOrMany<Sql>>;

/// Row-level security of a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Rls {
    /// On, save for the owner.
    Enabled,
    /// On, for the owner too.
    Forced,
    /// Off.
    Disabled,
    /// Off; for the owner too as soon as somebody enables it.
    ForcedWhenEnabled,
}

/// A policy.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PolicySpec {
    /// The command; all, when it says none.
    #[serde(default)]
    pub r#for: Option<At<PolicyCommand>>,
    /// Whether it widens or narrows; `permissive`, when it does not say.
    #[serde(default)]
    pub r#as: Option<At<PolicyMode>>,
    /// The roles; `public`, when it names none.
    #[serde(default)]
    pub to: OneOrMany<Name>,
    /// Which rows are seen.
    #[serde(default)]
    pub using: Option<Sql>,
    /// Which rows may be written.
    #[serde(default, alias = "check")]
    pub with_check: Option<Sql>,
    /// Its comment.
    #[serde(default)]
    pub comment: Option<Text>,
    /// The names that it had.
    #[serde(default)]
    pub renamed_from: OneOrMany<Name>,
}

/// The command of a policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PolicyCommand {
    /// Every command.
    All,
    /// SELECT.
    Select,
    /// INSERT.
    Insert,
    /// UPDATE.
    Update,
    /// DELETE.
    Delete,
}

/// How a policy joins the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PolicyMode {
    /// One of these must hold.
    Permissive,
    /// All of these must hold.
    Restrictive,
}

/// The long form of a trigger.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TriggerSpec {
    /// What follows `CREATE TRIGGER name`, without `ON table`.
    pub definition: Sql,
    /// When it fires.
    #[serde(default)]
    pub enabled: Option<At<TriggerEnabled>>,
    /// Its comment.
    #[serde(default)]
    pub comment: Option<Text>,
    /// The names that it had.
    #[serde(default)]
    pub renamed_from: OneOrMany<Name>,
}

/// The long form of a rule.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RewriteRuleSpec {
    /// What follows `CREATE RULE name AS`, without `TO table`: `on delete do instead nothing`.
    pub definition: Sql,
    /// When it holds.
    #[serde(default)]
    pub enabled: Option<At<TriggerEnabled>>,
    /// Its comment.
    #[serde(default)]
    pub comment: Option<Text>,
    /// The names that it had.
    #[serde(default)]
    pub renamed_from: OneOrMany<Name>,
}

/// The rules of a table or view.
pub type Rules = Map<Written<RewriteRuleSpec>>;

/// When a trigger fires, by `session_replication_role`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum TriggerEnabled {
    /// In ordinary sessions.
    Origin,
    /// In replication only.
    Replica,
    /// In both.
    Always,
    /// Never.
    Disabled,
}

/// Privileges that objects get when they are made.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DefaultPrivilegeSpec {
    /// The roles that make them; the one that applies, when it names none.
    #[serde(default)]
    pub r#for: OneOrMany<Name>,
    /// The objects.
    pub objects: At<DefaultPrivilegeObjects>,
    /// Who gets the privileges.
    pub to: OneOrMany<Name>,
    /// The privileges.
    #[serde(default)]
    pub grant: OneOrMany<Sql>,
    /// Privileges that PostgreSQL would give by itself and that are taken away.
    #[serde(default)]
    pub revoke: OneOrMany<Sql>,
}

/// The objects that default privileges are about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum DefaultPrivilegeObjects {
    /// Tables and views.
    Tables,
    /// Sequences.
    Sequences,
    /// Functions, procedures and aggregates.
    Functions,
    /// Types and domains.
    Types,
    /// Schemas; only in a file without `domain:`.
    Schemas,
}

/// The triggers of a table or view.
pub type Triggers = Map<Written<TriggerSpec>>;
