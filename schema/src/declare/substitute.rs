//! `{table}`, `{schema}` and parameters in a mixin, replaced for one table.
//!
//! In SQL a name is put in as SQL would write it, quoted where it must be; in keys and texts as it is.

use crate::ident::Ident;
use crate::spec::security::{PolicySpec, RewriteRuleSpec, TriggerSpec};
use crate::spec::table::{
    CheckSpec, ColumnSpec, ExclusionSpec, ForeignKeySpec, GeneratedSpec, IdentitySpec, IndexSpec, KeySpec,
    NotNullSpec, StatisticsSpec,
};
use crate::spec::view::{ViewColumnSpec, ViewSpec};
use crate::spec::{MixinSpec, TableFacadeSpec};
use crate::sql::quoted;
use crate::yaml::{At, Flag, Map, Name, OneOrMany, Sql, Text, Written};
use std::collections::HashMap;

/// What stands for the braces of one use of a mixin.
#[derive(Debug)]
pub(super) struct Values {
    pub(super) schema: Ident,
    pub(super) table: Ident,
    pub(super) parameters: HashMap<String, String>,
}

impl Values {
    fn plain(&self, name: &str) -> Option<&str> {
        match name {
            "schema" => Some(self.schema.as_str()),
            "table" => Some(self.table.as_str()),
            _ => self.parameters.get(name).map(String::as_str),
        }
    }

    fn sql(&self, name: &str) -> Option<&str> {
        match name {
            "schema" => Some(quoted(self.schema)),
            "table" => Some(quoted(self.table)),
            _ => self.parameters.get(name).map(String::as_str),
        }
    }
}

/// Something that may hold names in braces.
pub(super) trait Substitute {
    /// Replaces them.
    fn substitute(&mut self, values: &Values);
}

impl Substitute for Sql {
    fn substitute(&mut self, values: &Values) {
        *self = Sql::substitute(self, |name| values.sql(name));
    }
}

impl Substitute for Name {
    fn substitute(&mut self, values: &Values) {
        *self = Name::substitute(self, |name| values.plain(name));
    }
}

impl Substitute for Text {
    fn substitute(&mut self, values: &Values) {
        *self = Text::substitute(self, |name| values.plain(name));
    }
}

impl<T: Substitute> Substitute for Option<T> {
    fn substitute(&mut self, values: &Values) {
        if let Some(inner) = self {
            inner.substitute(values);
        }
    }
}

impl<T: Substitute> Substitute for OneOrMany<T> {
    fn substitute(&mut self, values: &Values) {
        self.0.iter_mut().for_each(|one| one.substitute(values));
    }
}

impl<V: Substitute> Substitute for Map<V> {
    fn substitute(&mut self, values: &Values) {
        for (name, value) in &mut self.0 {
            name.substitute(values);
            value.substitute(values);
        }
    }
}

impl<L: Substitute, S: Substitute> Substitute for Written<L, S> {
    fn substitute(&mut self, values: &Values) {
        match self {
            Written::Short(short) => short.substitute(values),
            Written::Long(long) => long.substitute(values),
        }
    }
}

/// Words and numbers hold no names.
macro_rules! constant {
    ($($type:ty),*) => { $(impl Substitute for $type { fn substitute(&mut self, _: &Values) {} })* };
}

constant!(Flag, i32, i64, crate::spec::table::IdentityKind);

impl<T> Substitute for At<T> {
    fn substitute(&mut self, _: &Values) {}
}

/// Names every field, so that a new one does not compile until it is considered here.
macro_rules! fields {
    ($($type:ident { $($field:ident),* $(; $($still:ident),*)? })*) => {
        $(impl Substitute for $type {
            fn substitute(&mut self, values: &Values) {
                let $type { $($field,)* $($($still: _,)*)? } = self;
                $($field.substitute(values);)*
            }
        })*
    };
}

fields! {
    ColumnSpec {
        r#type, not_null, default, generated, identity, renamed_from, using, collation, statistics, storage,
        compression, options, grants, comment
    }
    GeneratedSpec { expression, kind }
    IdentitySpec {
        generate, sequence, start, increment, min_value, max_value, cache, cycle, unlogged, grants, comment
    }
    NotNullSpec { name, no_inherit, not_valid, comment }
    KeySpec { definition, clustered, deferrable, initially_deferred, comment, index_comment, renamed_from }
    CheckSpec { definition, not_valid, no_inherit, enforced, comment, renamed_from }
    ForeignKeySpec { definition, not_valid, enforced, deferrable, initially_deferred, comment, renamed_from }
    ExclusionSpec { definition, deferrable, initially_deferred, comment, index_comment, renamed_from }
    IndexSpec { definition, clustered, statistics, comment, renamed_from }
    StatisticsSpec { definition, target, comment, renamed_from }
    PolicySpec { r#for, r#as, to, using, with_check, comment, renamed_from }
    TriggerSpec { definition, enabled, comment, renamed_from }
    RewriteRuleSpec { definition, enabled, comment, renamed_from }
    ViewColumnSpec { comment, default, grants }
    ViewSpec { query, options, columns, comment, owner, grants, triggers, rules, moved_from, facade }
    TableFacadeSpec { name, columns, writes, security, row_functions, r#where, comment, grants }
    MixinSpec {
        columns, primary_key, unique, checks, foreign_keys, exclusions, indexes, statistics, rls, policies, triggers,
        rules, grants, options, replica_identity, published_in, views; parameters, comment, r#use
    }
}
