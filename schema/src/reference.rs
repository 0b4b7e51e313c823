//! The name of another object, as it was written, and what it was resolved to.

use crate::fragment::Aside;
use crate::id::ObjectId;
use crate::ident::{Ident, QName};
use crate::span::Span;

/// What a reference may be to.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, serde::Serialize, serde::Deserialize)]
pub enum Target {
    /// A table, view or other relation.
    Relation,
    /// A function or procedure without arguments (a trigger's), or with any.
    Routine,
    /// A function that may as well be one of PostgreSQL's own, which no catalog here holds.
    AnyRoutine,
    /// A role.
    Role,
    /// A collation.
    Collation,
}

/// A reference. Two are equal when they name the same object; where they stand does not count.
#[derive(Clone, PartialEq, Eq, Hash, Debug, serde::Serialize, serde::Deserialize)]
pub struct Reference {
    /// What it may be to.
    pub target: Target,
    /// The schema; `None` until it is resolved under the search_path.
    pub schema: Option<Ident>,
    /// The name.
    pub name: Ident,
    /// Where it was written.
    #[serde(skip)]
    pub span: Aside<Option<Span>>,
    /// What it was resolved to.
    pub resolved: Aside<Option<ObjectId>>,
}

impl Reference {
    /// A reference by its full name.
    pub fn to(target: Target, name: QName) -> Self {
        Self { target, schema: Some(name.schema), name: name.name, span: Aside(None), resolved: Aside(None) }
    }

    /// A reference by a dotted name's parts (the last two count).
    pub fn written(target: Target, parts: &[Ident], span: Option<Span>) -> Self {
        let (schema, name) = match parts {
            [.., schema, name] => (Some(*schema), *name),
            [name] => (None, *name),
            [] => (None, Ident::new("")),
        };
        Self { target, schema, name, span: Aside(span), resolved: Aside(None) }
    }

    /// A role.
    pub fn role(name: Ident, span: Option<Span>) -> Self {
        Self { target: Target::Role, schema: None, name, span: Aside(span), resolved: Aside(None) }
    }

    /// The full name, once it is known.
    pub fn qname(&self) -> Option<QName> {
        self.schema.map(|schema| QName::new(schema, self.name))
    }
}
