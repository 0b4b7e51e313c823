//! The project file, `schemac.yaml`.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::object::Kind;
use crate::yaml::{At, Flag, Map, Name, OneOrMany, Text};

/// The project file.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ProjectSpec {
    /// The oldest major version of the server that it must run on.
    #[serde(default)]
    pub postgres: Option<At<u16>>,
    /// What `external` and the roles are preset with.
    #[serde(default)]
    pub profile: Option<At<Profile>>,
    /// The files and folders of the schema.
    #[serde(default)]
    pub sources: Vec<Text>,
    /// How unqualified names inside SQL fragments resolve.
    #[serde(default)]
    pub search_path: Vec<Name>,
    /// What may be referenced and is never created, altered or dropped.
    #[serde(default)]
    pub external: ExternalSpec,
    /// The schemas that an API serves.
    #[serde(default)]
    pub exposed: Vec<Name>,
    /// The areas that are compared.
    #[serde(default)]
    pub manage: ManageSpec,
    /// The role that owns what names no owner of its own, where owners are compared (`manage: { owners: true }`).
    #[serde(default)]
    pub owner: Option<Name>,
    /// What happens to whole objects that no file declares.
    #[serde(default)]
    pub undeclared: Option<Undeclared>,
    /// What moves when, where a project moves step by step.
    #[serde(default)]
    pub phases: Vec<PhaseSpec>,
    /// Where migrations are written, and how.
    #[serde(default)]
    pub migrations: MigrationsSpec,
    /// Conventions.
    #[serde(default)]
    pub lint: LintSpec,
    /// The databases, by name.
    #[serde(default)]
    pub environments: Map<EnvironmentSpec>,
}

/// A preset.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Profile {
    /// Nothing is preset.
    None,
    /// The schemas and roles that Supabase brings.
    Supabase,
}

/// What belongs to someone else.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ExternalSpec {
    /// Schemas.
    #[serde(default)]
    pub schemas: Vec<Name>,
    /// Roles.
    #[serde(default)]
    pub roles: Vec<Name>,
}

/// The areas that are compared; each is, unless it says `false`.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ManageSpec {
    /// Privileges.
    #[serde(default)]
    pub grants: Option<Flag>,
    /// Comments.
    #[serde(default)]
    pub comments: Option<Flag>,
    /// Owners; not compared unless it says `true`.
    #[serde(default)]
    pub owners: Option<Flag>,
    /// Policies and the flags of row-level security.
    #[serde(default)]
    pub policies: Option<Flag>,
    /// Triggers.
    #[serde(default)]
    pub triggers: Option<Flag>,
    /// Indexes that no constraint owns.
    #[serde(default)]
    pub indexes: Option<Flag>,
    /// Default privileges.
    #[serde(default)]
    pub default_privileges: Option<Flag>,
    /// Publications and what they hold.
    #[serde(default)]
    pub publications: Option<Flag>,
    /// Extensions.
    #[serde(default)]
    pub extensions: Option<Flag>,
    /// Roles.
    #[serde(default)]
    pub roles: Option<Flag>,
    /// Rows under `data:`.
    #[serde(default)]
    pub data: Option<Flag>,
}

impl ManageSpec {
    /// Whether objects of a kind are taken out of the comparison.
    #[must_use]
    pub fn leaves_alone(&self, kind: Kind) -> bool {
        let area = match kind {
            Kind::Grant => self.grants,
            Kind::Comment => self.comments,
            Kind::Policy => self.policies,
            Kind::Trigger | Kind::CopiedTrigger => self.triggers,
            Kind::Index => self.indexes,
            Kind::DefaultPrivileges => self.default_privileges,
            Kind::Publication | Kind::Member => self.publications,
            Kind::Extension => self.extensions,
            Kind::Role => self.roles,
            _ => None,
        };
        area.is_some_and(|flag| !flag.value)
    }
}

/// What happens to whole objects that no file declares.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Undeclared {
    /// They stay.
    Keep,
    /// They stay and are named.
    Report,
    /// They are dropped, under the usual gates.
    Drop,
}

/// A part of the project that is applied at one time.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PhaseSpec {
    /// What the phase is called.
    pub name: Name,
    /// The domains that belong to it.
    #[serde(default)]
    pub domains: Vec<Name>,
    /// The tables that belong to it.
    #[serde(default)]
    pub tables: Vec<Name>,
    /// Only these areas of them, such as `schemas` and `grants`.
    #[serde(default)]
    pub only: Vec<Name>,
}

/// Where migrations are written, and how.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MigrationsSpec {
    /// The folder.
    #[serde(default)]
    pub dir: Option<Text>,
    /// The tool whose names and headers they have.
    #[serde(default)]
    pub format: Option<MigrationFormat>,
}

/// The tool that migrations are written for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum MigrationFormat {
    /// Numbered SQL files.
    Plain,
    /// The Supabase command line.
    Supabase,
    /// Flyway.
    Flyway,
    /// dbmate.
    Dbmate,
    /// golang-migrate.
    GolangMigrate,
    /// Sqitch.
    Sqitch,
}

/// Conventions: names, severities, and silences with their reason.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LintSpec {
    /// For a kind of object, `plural`, `singular`, `verb_first` or patterns such as `*_id`.
    #[serde(default)]
    pub names: Map<OneOrMany<Text>>,
    /// For a rule, how much it weighs.
    #[serde(default)]
    pub severities: Map<LintSeverity>,
    /// Findings that are meant.
    #[serde(default)]
    pub silences: Vec<SilenceSpec>,
}

/// How much a finding weighs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum LintSeverity {
    /// Not looked for.
    Off,
    /// Good to know.
    Note,
    /// Likely not what was meant.
    Warning,
    /// Refused.
    Error,
}

/// A finding that is meant.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SilenceSpec {
    /// The rule.
    pub rule: Name,
    /// The objects; all, when it says none.
    #[serde(default)]
    pub on: OneOrMany<Name>,
    /// Why.
    pub reason: Text,
}

/// A database that the project is applied to.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EnvironmentSpec {
    /// The connection; `${NAME}` stands for a variable of the environment.
    #[serde(default)]
    pub url: Option<Text>,
    /// The last phase that is applied there.
    #[serde(default)]
    pub phase: Option<Name>,
    /// Whether clients go on working during an apply.
    #[serde(default)]
    pub online: Option<Flag>,
    /// How long a statement waits for a lock, as PostgreSQL writes durations.
    #[serde(default)]
    pub lock_timeout: Option<Text>,
    /// How long a statement may run, as PostgreSQL writes durations.
    #[serde(default)]
    pub statement_timeout: Option<Text>,
    /// How often a segment is tried again after a lock timeout.
    #[serde(default)]
    pub retry: Option<u32>,
    /// The hazards that are accepted.
    #[serde(default)]
    pub allow: Vec<Name>,
}
