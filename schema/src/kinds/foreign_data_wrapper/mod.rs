//! Foreign data wrappers that users made. Only a superuser may make one, and has to own it.

pub mod read;
pub mod write;

use crate::fragment::Aside;
use crate::id::ObjectId;
use crate::ident::Ident;
use crate::kinds::options::Options;
use crate::kinds::{grant, types};
use crate::object::{Alter, Context, Nature, Object, ObjectKind, Visitor};
use crate::reference::Reference;
use crate::sql::Sql;
use crate::step::{Loss, Steps};
use crate::write::Writer;

/// A foreign data wrapper.
#[derive(Clone, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub struct ForeignDataWrapper {
    /// The function that gives access.
    pub handler: Option<Reference>,
    /// The function that looks at options.
    pub validator: Option<Reference>,
    /// Its options.
    pub options: Options,
    /// Its owner, where it is known.
    pub owner: Aside<Option<Ident>>,
}

impl ForeignDataWrapper {
    /// The functions that differ from `old`'s.
    fn functions(&self, old: &Self, sql: &mut Sql) {
        for (new, old, with, without) in [
            (&self.handler, &old.handler, "HANDLER", "NO HANDLER"),
            (&self.validator, &old.validator, "VALIDATOR", "NO VALIDATOR"),
        ] {
            match new.as_ref().and_then(Reference::qname) {
                _ if new == old => {}
                Some(name) => drop(sql.kw(with).name(name)),
                None => drop(sql.kw(without)),
            }
        }
    }

    fn bare() -> Self {
        Self { handler: None, validator: None, options: Options::default(), owner: Aside(None) }
    }
}

impl ObjectKind for ForeignDataWrapper {
    fn nature(&self) -> Nature {
        Nature { dies_with_parent: false, ..Nature::CARRIED }
    }

    fn visit(&mut self, visitor: &mut dyn Visitor) {
        for function in [&mut self.handler, &mut self.validator].into_iter().flatten() {
            visitor.reference(function);
        }
    }

    crate::kinds::types::has_owner!();

    fn implies(&self, id: ObjectId, context: &Context<'_>) -> Vec<(ObjectId, Object)> {
        grant::implied(id, context)
    }

    fn write(&self, id: ObjectId, out: &mut Writer<'_>) {
        write::write(self, id, out);
    }

    fn create(&self, id: ObjectId, context: &Context<'_>, out: &mut Steps) {
        let mut sql = Sql::new("CREATE FOREIGN DATA WRAPPER");
        sql.ident(id.name());
        self.functions(&Self::bare(), &mut sql);
        self.options.generic(&mut sql);
        out.push(sql);
        types::set_owner(id, self.owner.0, context, out);
    }

    fn alter(old: &Self, new: &Self, id: ObjectId, _: &Context<'_>, out: &mut Steps) -> Alter {
        let Self { handler, validator, options, owner: _ } = new;
        if *handler != old.handler || *validator != old.validator {
            let mut sql = types::alter(id);
            new.functions(old, &mut sql);
            out.push(sql);
        }
        if *options != old.options {
            let mut sql = types::alter(id);
            old.options.generic_changes(options, &mut sql);
            out.push(sql);
        }
        Alter::InPlace
    }

    fn drop(&self, id: ObjectId, _: &Context<'_>, out: &mut Steps) {
        out.push(types::drop(id)).loses(Loss::DropObject, id);
    }
}
