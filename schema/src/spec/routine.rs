//! Functions, procedures and aggregates. A name with several overloads has a list.

use schemars::JsonSchema;
use serde::Deserialize;

use super::security::Grants;
use crate::yaml::{At, BodySql, Map, Name, OneOrMany, Sql, Text};

/// A function or procedure.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RoutineSpec {
    /// What stands between the brackets of CREATE FUNCTION; left out where there is nothing.
    #[serde(default)]
    pub arguments: Option<Sql>,
    /// What follows RETURNS; a procedure has none.
    #[serde(default)]
    pub returns: Option<Sql>,
    /// The language; `sql`, when it does not say.
    #[serde(default)]
    pub language: Option<Name>,
    /// The rest of what CREATE FUNCTION says: `stable security definer parallel safe cost 10`.
    #[serde(default)]
    pub attributes: Option<Sql>,
    /// Settings during a call.
    #[serde(default)]
    pub set: Map<OneOrMany<Text>>,
    /// The body, in whatever language; or `begin atomic …` or `return …` for one that is SQL's own.
    #[serde(default)]
    pub body: Option<BodySql>,
    /// The white space before and after the body, where it is other than what the body's form gives it: lines stand
    /// between line ends, and what is on one line stands as it is written.
    #[serde(default)]
    pub outer_space: Option<Vec<Text>>,
    /// The library of a function in C; its symbol is `body`.
    #[serde(default)]
    pub library: Option<Text>,
    /// PUBLIC's EXECUTE; PostgreSQL's default, when it does not say.
    #[serde(default)]
    pub public: Option<At<PublicExecute>>,
    /// Who may call it.
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
    /// The old names that live on as wrappers with the same signature.
    #[serde(default)]
    pub facade: OneOrMany<Name>,
}

/// What everybody may do with a routine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PublicExecute {
    /// Call it, as PostgreSQL has it.
    Execute,
    /// Nothing.
    None,
}

/// An aggregate; the keys are the words of CREATE AGGREGATE.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AggregateSpec {
    /// What stands between the brackets of the name; `*` in quotes for none, `order by` included.
    #[serde(default)]
    pub arguments: Option<Sql>,
    /// The state transition function.
    pub sfunc: Name,
    /// The state's type.
    pub stype: Sql,
    /// The state's size in bytes, roughly.
    #[serde(default)]
    pub sspace: Option<i32>,
    /// Makes the result.
    #[serde(default)]
    pub finalfunc: Option<Name>,
    /// Whether the final function gets the arguments too.
    #[serde(default)]
    pub finalfunc_extra: Option<crate::yaml::Flag>,
    /// `read_only`, `shareable` or `read_write`.
    #[serde(default)]
    pub finalfunc_modify: Option<Name>,
    /// Joins two states.
    #[serde(default)]
    pub combinefunc: Option<Name>,
    /// Writes a state.
    #[serde(default)]
    pub serialfunc: Option<Name>,
    /// Reads a state.
    #[serde(default)]
    pub deserialfunc: Option<Name>,
    /// The first state.
    #[serde(default)]
    pub initcond: Option<Text>,
    /// Transition in moving-aggregate mode.
    #[serde(default)]
    pub msfunc: Option<Name>,
    /// Inverse transition in moving-aggregate mode.
    #[serde(default)]
    pub minvfunc: Option<Name>,
    /// The state's type in moving-aggregate mode.
    #[serde(default)]
    pub mstype: Option<Sql>,
    /// The state's size in moving-aggregate mode.
    #[serde(default)]
    pub msspace: Option<i32>,
    /// Makes the result in moving-aggregate mode.
    #[serde(default)]
    pub mfinalfunc: Option<Name>,
    /// Whether that function gets the arguments too.
    #[serde(default)]
    pub mfinalfunc_extra: Option<crate::yaml::Flag>,
    /// `read_only`, `shareable` or `read_write`.
    #[serde(default)]
    pub mfinalfunc_modify: Option<Name>,
    /// The first state in moving-aggregate mode.
    #[serde(default)]
    pub minitcond: Option<Text>,
    /// The operator by which a minimum or maximum is found in an index.
    #[serde(default)]
    pub sortop: Option<Sql>,
    /// `safe`, `restricted` or `unsafe`.
    #[serde(default)]
    pub parallel: Option<Name>,
    /// Whether it is a hypothetical-set aggregate.
    #[serde(default)]
    pub hypothetical: Option<crate::yaml::Flag>,
    /// PUBLIC's EXECUTE.
    #[serde(default)]
    pub public: Option<At<PublicExecute>>,
    /// Who may call it.
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
