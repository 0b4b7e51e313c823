//! The NOT NULL of a column as people write it: `constraint c not null no inherit` in its short form, keys of
//! `not_null` in its long one.

use super::NotNull;
use crate::declare::written_ident;
use crate::fragment::Aside;
use crate::span::Span;
use crate::spec::table::NotNullSpec;
use crate::yaml::{Flag, Text, Written};

/// What is said about the NOT NULL of a column.
#[derive(Clone, Debug)]
pub struct Said {
    /// What it has that is its own.
    pub own: NotNull,
    /// Its comment.
    pub comment: Option<Text>,
    /// Where it is said.
    pub span: Span,
}

/// Whether null is refused.
pub fn refuses(written: Option<&Written<NotNullSpec, Flag>>) -> bool {
    match written {
        Some(Written::Short(flag)) => flag.value,
        Some(Written::Long(_)) => true,
        None => false,
    }
}

/// The long form.
pub fn said(spec: &NotNullSpec, span: Span) -> Said {
    let flag = |flag: Option<crate::yaml::Flag>| flag.is_some_and(|flag| flag.value);
    let own = NotNull {
        name: spec.name.as_ref().map(written_ident),
        no_inherit: flag(spec.no_inherit),
        not_valid: flag(spec.not_valid),
        outlived: Aside(false),
    };
    Said { own, comment: spec.comment.clone(), span: spec.name.as_ref().map_or(span, |name| name.span) }
}
