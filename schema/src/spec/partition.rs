//! Partitions of a table, one by one or rolling forward with time.

use std::fmt;

use schemars::JsonSchema;
use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};

use super::facade::TableFacades;
use super::security::{Grants, PolicySpec, Rls, Rules, TriggerEnabled, Triggers};
use super::table::{
    CheckSpec, ExclusionSpec, ForeignKeySpec, IndexSpec, InheritedSpec, KeySpec, PrimaryKeySpec,
    StatisticsSpec, TableSpec,
};
use crate::yaml::{At, Flag, Map, Name, OneOrMany, Sql, Text, Written};

/// The partitions of a table.
#[derive(Debug, Clone, Default)]
pub struct PartitionsSpec {
    /// The partitions that are named; the short form is what follows PARTITION OF: `default`,
    /// `for values …`.
    pub named: Map<Written<PartitionSpec>>,
    /// The partitions that are made as time goes on.
    pub every: EverySpec,
}

impl<'de> Deserialize<'de> for PartitionsSpec {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Entries;

        impl<'de> Visitor<'de> for Entries {
            type Value = PartitionsSpec;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a mapping of partitions")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Self::Value, A::Error> {
                let mut spec = PartitionsSpec::default();
                while let Some(name) = access.next_key::<Name>()? {
                    if name.text == "every" {
                        spec.every = access.next_value()?;
                    } else {
                        spec.named.0.push((name, access.next_value()?));
                    }
                }
                Ok(spec)
            }
        }

        deserializer.deserialize_map(Entries)
    }
}

/// The long form of a partition.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PartitionSpec {
    /// What follows PARTITION OF: `default`, `for values …`.
    pub definition: Sql,
    /// What follows PARTITION BY, where it is divided again.
    #[serde(default)]
    pub partition_by: Option<Sql>,
    /// Its own partitions.
    #[serde(default)]
    pub partitions: PartitionsSpec,
    /// Its owner.
    #[serde(default)]
    pub owner: Option<Name>,
    /// What it says otherwise about its table's columns.
    #[serde(default)]
    pub inherited: Map<InheritedSpec>,
    /// Its own primary key, where its table has none.
    #[serde(default)]
    pub primary_key: Option<PrimaryKeySpec>,
    /// Its own unique constraints, beside those of its table; so with all that follow.
    #[serde(default)]
    pub unique: Map<Written<KeySpec>>,
    /// Its own check constraints.
    #[serde(default)]
    pub checks: Map<Written<CheckSpec>>,
    /// Its own foreign keys.
    #[serde(default)]
    pub foreign_keys: Map<Written<ForeignKeySpec>>,
    /// Its own exclusion constraints.
    #[serde(default)]
    pub exclusions: Map<Written<ExclusionSpec>>,
    /// Its own indexes.
    #[serde(default)]
    pub indexes: Map<Written<IndexSpec>>,
    /// Its own extended statistics.
    #[serde(default)]
    pub statistics: Map<Written<StatisticsSpec>>,
    /// Row-level security, for those who name the partition itself.
    #[serde(default)]
    pub rls: Option<At<Rls>>,
    /// Its policies, for those who name the partition itself.
    #[serde(default)]
    pub policies: Map<PolicySpec>,
    /// Those of its table's triggers that fire otherwise on it, and when.
    #[serde(default)]
    pub inherited_triggers: Map<At<TriggerEnabled>>,
    /// Its own triggers.
    #[serde(default)]
    pub triggers: Triggers,
    /// Its rules.
    #[serde(default)]
    pub rules: Rules,
    /// What stands in `WITH (…)`.
    #[serde(default)]
    pub options: Map<Text>,
    /// What follows REPLICA IDENTITY.
    #[serde(default)]
    pub replica_identity: Option<Sql>,
    /// The publications that hold it.
    #[serde(default)]
    pub published_in: OneOrMany<Name>,
    /// Whether a crash may empty it.
    #[serde(default)]
    pub unlogged: Option<Flag>,
    /// Where its rows are kept.
    #[serde(default)]
    pub tablespace: Option<Name>,
    /// How its rows are kept.
    #[serde(default)]
    pub access_method: Option<Name>,
    /// Who may do what.
    #[serde(default)]
    pub grants: Grants,
    /// Its comment.
    #[serde(default)]
    pub comment: Option<Text>,
    /// The names that it had.
    #[serde(default)]
    pub moved_from: OneOrMany<Name>,
    /// The old names that live on.
    #[serde(default)]
    pub facade: TableFacades,
}

impl PartitionSpec {
    /// What it says as a table: everything but its columns and its bound.
    pub fn as_table(&self) -> TableSpec {
        let Self {
            definition: _,
            inherited_triggers: _,
            partition_by,
            partitions,
            owner,
            inherited,
            primary_key,
            unique,
            checks,
            foreign_keys,
            exclusions,
            indexes,
            statistics,
            rls,
            policies,
            triggers,
            rules,
            options,
            replica_identity,
            published_in,
            unlogged,
            tablespace,
            access_method,
            grants,
            comment,
            moved_from,
            facade,
        } = self.clone();
        TableSpec {
            partition_by,
            partitions,
            owner,
            inherited,
            primary_key,
            unique,
            checks,
            foreign_keys,
            exclusions,
            indexes,
            statistics,
            rls,
            policies,
            triggers,
            rules,
            options,
            replica_identity,
            published_in,
            unlogged,
            tablespace,
            access_method,
            grants,
            comment,
            moved_from,
            facade,
            ..TableSpec::default()
        }
    }
}

/// Partitions that are made as time goes on, by their length.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EverySpec {
    /// One an hour.
    #[serde(default)]
    pub hour: Option<RollingSpec>,
    /// One a day.
    #[serde(default)]
    pub day: Option<RollingSpec>,
    /// One a week, from Monday.
    #[serde(default)]
    pub week: Option<RollingSpec>,
    /// One a month.
    #[serde(default)]
    pub month: Option<RollingSpec>,
    /// One a quarter.
    #[serde(default)]
    pub quarter: Option<RollingSpec>,
    /// One a year.
    #[serde(default)]
    pub year: Option<RollingSpec>,
}

/// A row of partitions.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RollingSpec {
    /// Their names, with `{yyyy}`, `{mm}`, `{dd}`, `{hh}`, `{ww}` and `{q}` for their start.
    pub name: Text,
    /// The start of the first, such as `2026-02`.
    pub from: Text,
    /// How many there are beyond the present one.
    #[serde(default)]
    pub ahead: Option<u32>,
    /// How many past ones stay; all, when it does not say.
    #[serde(default)]
    pub keep: Option<u32>,
}
