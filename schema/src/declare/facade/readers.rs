//! Who may read some columns of a table reads them through its facade too.
//!
//! PostgreSQL asks whoever uses a view that runs as its caller for SELECT on every column that the view mentions,
//! whatever the query asks for (`ApplyRetrieveRule` checks what the rule was made with; the same on 15 to 18). So such a
//! role gets SELECT on the whole table, and on the facade exactly the columns that it had. That gives nobody more only
//! while the facade is the role's one way to the table: where it may enter the table's schema, or where something else
//! reads the table as its caller, nothing is given, and the plan says that the facade does not serve that role.

use super::{Declarations, Pending};
use crate::catalog::Catalog;
use crate::fragment::{Fragment, Grammar};
use crate::id::ObjectId;
use crate::ident::{Ident, Text};
use crate::kinds::grant::{self, Grant};
use crate::names::MentionKind;
use crate::object::{Kind, Object, Visitor};
use crate::reference::Reference;
use crate::span::Span;
use crate::spec::{FacadeSecurity, FacadeWrites};
use crate::type_name::TypeName;
use std::collections::BTreeSet;

/// A facade that may be a role's one way to a table.
#[derive(Clone, Copy, Debug)]
pub struct Way {
    of: ObjectId,
    span: Span,
}

impl Way {
    /// Of a facade that runs as its caller and has its table's privileges.
    pub(super) fn of(facade: &Pending) -> Option<Self> {
        let definer = facade.security == FacadeSecurity::Definer && facade.writes != FacadeWrites::Triggers;
        // A facade with privileges of its own says by itself who reads what.
        let copies = !definer && facade.grants.is_none() && facade.of.kind() == Kind::Table;
        copies.then_some(Self { of: facade.of, span: facade.span })
    }
}

/// Gives roles with SELECT on some columns SELECT on the whole table, where the facade is their only way to it: nothing
/// else reads it as its caller.
pub(super) fn let_in(declarations: &mut Declarations<'_>, facade: Way) {
    if declarations.version < 15 {
        return;
    }
    let Some(schema) = facade.of.schema().filter(|schema| schema.as_str() != "public") else { return };
    let catalog = &declarations.out.catalog;
    let select = Text::new("SELECT");
    let has = |id: ObjectId, word: Text| match catalog.get(id).map(|entry| &entry.object) {
        Some(Object::Grant(grant)) => grant.privileges.contains_key(&word),
        _ => false,
    };
    let everybody = Ident::new("public");
    let enters = |role: Ident| has(grant::id(ObjectId::of_schema(schema), role), Text::new("USAGE"));
    let reads = |role: Ident| has(grant::id(facade.of, role), select);
    let some: BTreeSet<Ident> = catalog
        .descendants(facade.of)
        .into_iter()
        .filter(|id| id.kind() == Kind::Grant && has(*id, select))
        // An identity column has a sequence below it, with privileges of its own.
        .filter(|id| id.parent().is_some_and(|target| target.kind() == Kind::Column))
        .map(ObjectId::name)
        .collect();
    let shut: Vec<Ident> =
        some.into_iter().filter(|role| *role != everybody && !enters(*role) && !reads(*role)).collect();
    if shut.is_empty()
        || enters(everybody)
        || reads(everybody)
        || declarations.read_as_caller.has(facade.of.name())
    {
        return;
    }
    for role in shut {
        let id = grant::id(facade.of, role);
        match declarations.out.catalog.get_mut(id).map(|entry| &mut entry.object) {
            Some(Object::Grant(grant)) => {
                grant.privileges.insert(select, false);
            }
            _ => {
                let grant = Grant { privileges: [(select, false)].into() };
                declarations.add(id, Object::Grant(grant), facade.span);
            }
        }
    }
}

/// What views that run as their caller, and bodies that PostgreSQL has bound, read: that needs no way into a schema.
#[derive(Default)]
pub struct Read {
    names: BTreeSet<Ident>,
    /// Something could not be understood, and may read anything.
    unknown: bool,
}

impl Read {
    /// Looks once at all views and functions; the facades are not among them yet.
    pub fn of(catalog: &Catalog) -> Self {
        let mut read = Self::default();
        for (_, entry) in catalog.iter() {
            let asks = match &entry.object {
                Object::View(view) => view.is_invoker(),
                Object::Function(_) => true,
                _ => false,
            };
            if asks {
                entry.object.clone().visit(&mut read);
            }
        }
        read
    }

    fn has(&self, table: Ident) -> bool {
        self.unknown || self.names.contains(&table)
    }
}

impl Visitor for Read {
    fn fragment(&mut self, _: &str, fragment: &mut Fragment) {
        // A body in a string is bound when it runs: whoever may not enter a schema finds nothing in it.
        if fragment.grammar() == Grammar::Body {
            return;
        }
        let Ok(names) = fragment.names() else {
            self.unknown = true;
            return;
        };
        let relations = names.mentions.iter().filter(|mention| mention.kind == MentionKind::Relation);
        self.names.extend(relations.filter_map(|mention| mention.parts.last().copied()));
    }
    fn type_name(&mut self, _: &mut TypeName) {}
    fn reference(&mut self, _: &mut Reference) {}
}
