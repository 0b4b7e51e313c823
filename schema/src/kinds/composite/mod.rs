//! Composite types. PostgreSQL cannot reorder fields, so as with columns their places are not compared.

pub mod declare;
pub mod read;
pub mod write;

use crate::catalog::Catalog;
use crate::fragment::Aside;
use crate::id::ObjectId;
use crate::ident::Ident;
use crate::kinds::{grant, naming, types};
use crate::object::{Alter, Context, Kind, Nature, Object, ObjectKind, Visitor};
use crate::reference::Reference;
use crate::sql::Sql;
use crate::step::{Loss, Steps};
use crate::type_name::TypeName;
use crate::write::Writer;
use std::collections::BTreeMap;

/// A composite type.
#[derive(Clone, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub struct Composite {
    /// Its fields.
    pub fields: BTreeMap<Ident, Field>,
    /// Its owner, where it is known.
    pub owner: Aside<Option<Ident>>,
}

/// A field.
#[derive(Clone, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub struct Field {
    /// Its type.
    pub type_name: TypeName,
    /// Its collation, unless it is the type's.
    pub collation: Option<Reference>,
    /// Its place.
    pub position: Aside<u32>,
}

impl Field {
    fn write(&self, sql: &mut Sql) {
        sql.type_name(&self.type_name);
        if let Some(collation) = self.collation.as_ref().and_then(Reference::qname) {
            sql.kw("COLLATE").name(collation);
        }
    }
}

impl Composite {
    /// The fields in their order.
    pub fn in_order(&self) -> Vec<(Ident, &Field)> {
        let mut fields: Vec<_> = self.fields.iter().map(|(name, field)| (*name, field)).collect();
        fields.sort_by_key(|(name, field)| (field.position.0, *name));
        fields
    }

    fn names(&self) -> Vec<Ident> {
        self.in_order().into_iter().map(|(name, _)| name).collect()
    }
}

/// Whether values of a type are stored somewhere, also inside of other types that are made of it.
fn is_stored(id: ObjectId, catalog: &Catalog) -> bool {
    let mut made_of_it = vec![id];
    let mut at = 0;
    while let Some(one) = made_of_it.get(at).copied() {
        at += 1;
        for (user, _) in catalog.iter().filter(|(_, entry)| entry.uses.contains(&one)) {
            if user.kind() == Kind::Column {
                return true;
            }
            if user.kind().is_type() && !made_of_it.contains(&user) {
                made_of_it.push(user);
            }
        }
    }
    false
}

impl ObjectKind for Composite {
    fn nature(&self) -> Nature {
        Nature { dies_with_parent: false, ..Nature::DATA }
    }

    fn visit(&mut self, visitor: &mut dyn Visitor) {
        for field in self.fields.values_mut() {
            visitor.type_name(&mut field.type_name);
            if let Some(collation) = &mut field.collation {
                visitor.reference(collation);
            }
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
        let mut sql = Sql::new("CREATE TYPE");
        naming::own_name(&mut sql, id);
        let fields: Vec<Sql> = self
            .in_order()
            .into_iter()
            .map(|(name, field)| {
                let mut item = Sql::default();
                item.ident(name);
                field.write(&mut item);
                item
            })
            .collect();
        sql.kw("AS").lines(&fields);
        out.push(sql);
        types::set_owner(id, self.owner.0, context, out);
    }

    fn alter(old: &Self, new: &Self, id: ObjectId, context: &Context<'_>, out: &mut Steps) -> Alter {
        let Self { fields, owner: _ } = new;
        let changed =
            |name: &Ident| old.fields.get(name).is_some_and(|before| Some(before) != fields.get(name));
        let retyped = fields.keys().any(changed);
        if retyped && is_stored(id, context.current) {
            // The text of a value lists its fields by place.
            if old.names() != new.names() {
                return Alter::Replace(
                    "a field of a type that columns have changes together with the list of fields",
                );
            }
            return Alter::Park("a field's type changes, and columns have the type");
        }
        for name in old.fields.keys().filter(|name| !fields.contains_key(name)) {
            let mut sql = types::alter(id);
            sql.kw("DROP ATTRIBUTE").ident(*name);
            out.push(sql).loses(Loss::DropColumn, ObjectId::on(Kind::Column, id, *name));
        }
        for (name, field) in new.in_order() {
            let mut sql = types::alter(id);
            if changed(&name) {
                sql.kw("ALTER ATTRIBUTE").ident(name).kw("TYPE");
            } else if old.fields.contains_key(&name) {
                continue;
            } else {
                sql.kw("ADD ATTRIBUTE").ident(name);
            }
            field.write(&mut sql);
            out.push(sql);
        }
        let takes_away = retyped || old.fields.keys().any(|name| !fields.contains_key(name));
        if takes_away { Alter::Disturb("its fields change") } else { Alter::InPlace }
    }

    fn drop(&self, id: ObjectId, _: &Context<'_>, out: &mut Steps) {
        out.push(types::drop(id)).loses(Loss::DropObject, id);
    }

    fn rename(&self, from: ObjectId, to: ObjectId, _: &Context<'_>, out: &mut Steps) {
        types::rename_type(from, to, out);
    }
}
