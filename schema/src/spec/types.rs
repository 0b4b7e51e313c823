//! Types and sequences: enums, domains, composite and range types.

use schemars::JsonSchema;
use serde::Deserialize;

use super::security::Grants;
use super::table::{CheckSpec, NotNullSpec};
use crate::yaml::{At, Flag, Map, Name, OneOrMany, Sql, Text, Written};

/// A collation; the keys are the words of CREATE COLLATION.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CollationSpec {
    /// Who knows the order; `libc`, when it does not say.
    #[serde(default)]
    pub provider: Option<At<CollationProvider>>,
    /// The locale.
    #[serde(default)]
    pub locale: Option<Text>,
    /// The locale of the order, where it is another one.
    #[serde(default)]
    pub lc_collate: Option<Text>,
    /// The locale of the classes of characters, where it is another one.
    #[serde(default)]
    pub lc_ctype: Option<Text>,
    /// Whether only equal bytes are equal; `true`, when it does not say.
    #[serde(default)]
    pub deterministic: Option<Flag>,
    /// Rules beyond the locale's; PostgreSQL 16.
    #[serde(default)]
    pub rules: Option<Text>,
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

/// Who knows a collation's order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CollationProvider {
    /// The operating system.
    Libc,
    /// ICU.
    Icu,
    /// PostgreSQL; since 17.
    Builtin,
}

/// An enum: its labels, or the long form.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename = "$shape")]
pub enum EnumSpec {
    /// The labels in order.
    #[serde(rename = "sequence")]
    Short(Vec<Text>),
    /// Labels and more.
    #[serde(rename = "mapping")]
    Long(LongEnumSpec),
}

/// The long form of an enum.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LongEnumSpec {
    /// The labels in order.
    pub values: Vec<Text>,
    /// The names that it had.
    #[serde(default)]
    pub moved_from: OneOrMany<Name>,
    /// Its comment.
    #[serde(default)]
    pub comment: Option<Text>,
    /// Its owner.
    #[serde(default)]
    pub owner: Option<Name>,
    /// Who may use it.
    #[serde(default)]
    pub grants: Grants,
}

/// A PostgreSQL domain; its short form is the type.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DomainTypeSpec {
    /// The type that it narrows.
    pub r#type: Sql,
    /// Its collation.
    #[serde(default)]
    pub collation: Option<Name>,
    /// Whether null is refused, or what the constraint is called (`name`, `comment`).
    #[serde(default)]
    pub not_null: Option<Written<NotNullSpec, Flag>>,
    /// Its default.
    #[serde(default)]
    pub default: Option<Sql>,
    /// What its values must hold.
    #[serde(default)]
    pub checks: Map<Written<CheckSpec>>,
    /// Its comment.
    #[serde(default)]
    pub comment: Option<Text>,
    /// Its owner.
    #[serde(default)]
    pub owner: Option<Name>,
    /// Who may use it.
    #[serde(default)]
    pub grants: Grants,
    /// The names that it had.
    #[serde(default)]
    pub moved_from: OneOrMany<Name>,
}

/// A composite type (`fields`) or a range type (`range`).
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TypeSpec {
    /// The fields of a composite type in order.
    #[serde(default)]
    pub fields: Map<Written<CompositeFieldSpec>>,
    /// What a range type is made of.
    #[serde(default)]
    pub range: Option<RangeSpec>,
    /// Its comment.
    #[serde(default)]
    pub comment: Option<Text>,
    /// Its owner.
    #[serde(default)]
    pub owner: Option<Name>,
    /// Who may use it.
    #[serde(default)]
    pub grants: Grants,
    /// The names that it had.
    #[serde(default)]
    pub moved_from: OneOrMany<Name>,
}

/// The long form of a field.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CompositeFieldSpec {
    /// Its type.
    pub r#type: Sql,
    /// Its collation.
    #[serde(default)]
    pub collation: Option<Name>,
    /// Its comment.
    #[serde(default)]
    pub comment: Option<Text>,
    /// The names that it had.
    #[serde(default)]
    pub renamed_from: OneOrMany<Name>,
}

/// A range type; the keys are the words of CREATE TYPE.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RangeSpec {
    /// The type of its bounds.
    pub subtype: Sql,
    /// Their order.
    #[serde(default)]
    pub subtype_opclass: Option<Name>,
    /// Their collation.
    #[serde(default)]
    pub collation: Option<Name>,
    /// The function that makes equal ranges alike.
    #[serde(default)]
    pub canonical: Option<Name>,
    /// The function that tells how far bounds are apart.
    #[serde(default)]
    pub subtype_diff: Option<Name>,
    /// The name of its multirange.
    #[serde(default)]
    pub multirange_type_name: Option<Name>,
}

/// A sequence.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SequenceSpec {
    /// `smallint`, `integer` or `bigint`.
    #[serde(default)]
    pub r#type: Option<Sql>,
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
    /// Whether a crash may reset it.
    #[serde(default)]
    pub unlogged: Option<Flag>,
    /// The column that it belongs to, as `table.column`.
    #[serde(default)]
    pub owned_by: Option<Name>,
    /// Its comment.
    #[serde(default)]
    pub comment: Option<Text>,
    /// Its owner.
    #[serde(default)]
    pub owner: Option<Name>,
    /// Who may use it.
    #[serde(default)]
    pub grants: Grants,
    /// The names that it had.
    #[serde(default)]
    pub moved_from: OneOrMany<Name>,
}
