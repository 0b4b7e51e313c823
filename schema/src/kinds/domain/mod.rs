//! Domains. Their checks are objects of their own.

pub mod declare;
pub mod read;
pub mod within;
pub mod write;

use crate::analyse::{self, Found, Place, Seen, World};
use crate::fragment::{Aside, Fragment};
use crate::id::ObjectId;
use crate::ident::Ident;
use crate::kinds::{grant, naming, not_null, types};
use crate::object::{Alter, Context, Nature, Object, ObjectKind, Obstacle, Visitor};
use crate::question::{Question, Questions, Read};
use crate::reference::Reference;
use crate::sql::{self, Sql};
use crate::step::{Loss, Steps};
use crate::type_name::TypeName;
use crate::write::Writer;

/// A domain.
#[derive(Clone, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub struct Domain {
    /// The type that it narrows.
    pub base: TypeName,
    /// Its collation, unless it is the type's.
    pub collation: Option<Reference>,
    /// Its default.
    pub default: Option<Fragment>,
    /// Whether null is refused.
    pub not_null: bool,
    /// What the NOT NULL is called in the catalog, where it is known (PostgreSQL 17).
    #[serde(default)]
    pub not_null_name: Aside<Option<Ident>>,
    /// Its owner, where it is known.
    pub owner: Aside<Option<Ident>>,
}

impl Domain {
    /// Writes the base type and its collation.
    pub fn write_base(&self, sql: &mut Sql) {
        sql.kw("AS").type_name(&self.base);
        if let Some(collation) = self.collation.as_ref().and_then(Reference::qname) {
            sql.kw("COLLATE").name(collation);
        }
    }
}

impl ObjectKind for Domain {
    fn nature(&self) -> Nature {
        Nature { dies_with_parent: false, ..Nature::DATA }
    }

    fn visit(&mut self, visitor: &mut dyn Visitor) {
        visitor.type_name(&mut self.base);
        if let Some(collation) = &mut self.collation {
            visitor.reference(collation);
        }
        if let Some(default) = &mut self.default {
            visitor.fragment("default", default);
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
        let mut sql = Sql::new("CREATE DOMAIN");
        naming::own_name(&mut sql, id);
        self.write_base(&mut sql);
        if let Some(default) = &self.default {
            sql.kw("DEFAULT").fragment(default);
        }
        if self.not_null {
            not_null::of(id, context.desired).unwrap_or_default().inline(&mut sql);
        }
        out.push(sql);
        types::set_owner(id, self.owner.0, context, out);
    }

    fn alter(old: &Self, new: &Self, id: ObjectId, context: &Context<'_>, out: &mut Steps) -> Alter {
        let Self { base, collation, default, not_null, not_null_name: _, owner: _ } = new;
        if *base != old.base {
            return Alter::Park("a domain's type is chosen when it is created");
        }
        if *collation != old.collation {
            return Alter::Park("a domain's collation is chosen when it is created");
        }
        if *default != old.default {
            let mut sql = types::alter(id);
            match default {
                Some(value) => sql.kw("SET DEFAULT").fragment(value),
                None => sql.kw("DROP DEFAULT"),
            };
            out.push(sql);
        }
        // One with a name or a comment is an object, which adds it.
        if *not_null != old.not_null && !(*not_null && not_null::of(id, context.desired).is_some()) {
            let mut sql = types::alter(id);
            sql.kw(if *not_null { "SET NOT NULL" } else { "DROP NOT NULL" });
            let step = out.push(sql);
            if *not_null {
                step.scans();
            }
        }
        Alter::InPlace
    }

    fn obstacle(&self, id: ObjectId, context: &Context<'_>) -> Option<Obstacle> {
        let nullable = |object: &Object| matches!(object, Object::Domain(Domain { not_null: false, .. }));
        let was = context.current.get(id).is_some_and(|entry| nullable(&entry.object));
        let column = within::column(id, context).filter(|_| was && self.not_null)?;
        Some(Obstacle {
            message: format!("{id} cannot be made NOT NULL: {column} has it inside of another type"),
            help: "PostgreSQL cannot look at such values: a check `value is not null` that is `not_valid` holds for new \
                   ones",
        })
    }

    fn comes_after(&self, id: ObjectId, context: &Context<'_>) -> Vec<ObjectId> {
        if self.not_null { within::leaving(id, context) } else { Vec::new() }
    }

    fn drop(&self, id: ObjectId, _: &Context<'_>, out: &mut Steps) {
        out.push(types::drop(id)).loses(Loss::DropObject, id);
    }

    fn rename(&self, from: ObjectId, to: ObjectId, _: &Context<'_>, out: &mut Steps) {
        types::rename_type(from, to, out);
    }

    fn analyse(&self, _: ObjectId, world: &World<'_>, out: &mut Found) {
        if let Some(default) = &self.default {
            let place = Place::Assigned(Seen::Nothing, self.base);
            out.push(("default", analyse::expression(world, default, place)));
        }
    }

    fn ask(&self, id: ObjectId, _: &Context<'_>, out: &mut Questions) {
        let Some(default) = &self.default else { return };
        let name = out.fresh_name();
        let mut make = stand_in(name, self);
        make.kw("DEFAULT").fragment(default);
        let read = format!(
            "(SELECT pg_catalog.pg_get_expr(typdefaultbin, 0) FROM pg_catalog.pg_type \
             WHERE oid = {}::pg_catalog.regtype)",
            regtype(name)
        );
        out.push(Question {
            object: id,
            stand_in: None,
            make: make.into_text(),
            read: vec![("default".into(), Read::Alone(read))],
            element: None,
            instead: Vec::new(),
        });
    }
}

/// The beginning of a domain in pg_temp over the same type.
pub fn stand_in(name: Ident, domain: &Domain) -> Sql {
    let mut make = Sql::new("CREATE DOMAIN pg_temp.");
    make.tight().ident(name);
    domain.write_base(&mut make);
    make
}

/// The literal that names a domain in pg_temp.
pub fn regtype(name: Ident) -> String {
    sql::literal(&format!("pg_temp.{}", sql::quoted(name)))
}
