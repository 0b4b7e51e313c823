//! An object that schemac reads, so that names resolve and dependents are known, and for which it writes nothing.

pub mod read;

use crate::id::ObjectId;
use crate::ident::Text;
use crate::object::{Alter, Context, Nature, ObjectKind, Visitor};
use crate::step::Steps;

/// Something that is not modelled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub struct Opaque {
    /// What it is, in PostgreSQL's words (`operator class`).
    pub what: Text,
}

impl ObjectKind for Opaque {
    fn nature(&self) -> Nature {
        Nature { rebuildable: false, survives_type_change: false, dies_with_parent: true }
    }

    fn visit(&mut self, _: &mut dyn Visitor) {}

    fn create(&self, _: ObjectId, _: &Context<'_>, _: &mut Steps) {}

    fn alter(_: &Self, _: &Self, _: ObjectId, _: &Context<'_>, _: &mut Steps) -> Alter {
        Alter::InPlace
    }

    fn drop(&self, _: ObjectId, _: &Context<'_>, _: &mut Steps) {}
}
