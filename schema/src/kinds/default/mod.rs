//! Column defaults.

pub mod read;
pub mod write;

use crate::analyse::{self, Found, Place, Seen, World};
use crate::catalog::Catalog;
use crate::fragment::{Aside, Fragment};
use crate::id::ObjectId;
use crate::kinds::table;
use crate::kinds::{self, column};
use crate::object::{Alter, Context, Kind, Nature, Object, ObjectKind, Visitor};
use crate::question::{Question, Questions};
use crate::sql::Sql;
use crate::step::{Element, Lock, Steps};
use crate::write::Writer;

/// A column's default.
#[derive(Clone, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub struct Default {
    /// The expression.
    pub value: Fragment,
    /// The table's column whose type it takes, where it is the default of a view's column.
    pub like: Aside<Option<ObjectId>>,
}

impl Default {
    /// A column's default.
    pub fn new(value: Fragment) -> Self {
        Self { value, like: Aside(None) }
    }

    /// Whether a text is NULL, with or without a cast.
    pub fn is_null(text: &str) -> bool {
        let Ok(mut tree) = crate::parse::expression(text) else { return false };
        while tree.name() == "TypeCast" {
            tree = tree.get("arg").clone();
        }
        tree.is_null()
    }
}

/// Whether PostgreSQL keeps no word of a default: NULL on a table's column whose type has no length to enforce, and no
/// default of its own as a domain has (`AddRelationNewConstraints` skips a bare constant; intervals take their length
/// as constants). What comes from a parent has a default to stand against.
pub fn is_unstored(id: ObjectId, default: &Object, catalog: &Catalog) -> bool {
    let Object::Default(default) = default else { return false };
    let entry =
        id.parent().filter(|column| column.root().kind() == Kind::Table).and_then(|id| catalog.get(id));
    let Some((entry, Object::Column(column))) = entry.map(|entry| (entry, &entry.object)) else {
        return false;
    };
    let own = column.type_name;
    let is_domain = !own.is_array() && entry.uses.iter().any(|used| used.kind() == Kind::Domain);
    let has_length = own.is_system() && !own.modifiers().is_empty() && own.name().as_str() != "interval";
    !column.inherited.0 && !is_domain && !has_length && Default::is_null(default.value.text())
}

fn column_of(id: ObjectId) -> ObjectId {
    id.parent().unwrap_or(id)
}

fn set(value: &Fragment, id: ObjectId, out: &mut Steps) {
    let column = column_of(id);
    let mut sql = column::alter(column);
    sql.kw("SET DEFAULT").fragment(value);
    // In a column's definition the grammar takes only a part of all expressions, and would read COLLATE or NOT NULL
    // as the column's own.
    let mut suffix = Sql::new("DEFAULT");
    if is_simple(value) {
        suffix.fragment(value);
    } else {
        suffix.kw("(").tight().fragment(value).kw(")");
    }
    out.push(sql).lock(column.root(), Lock::AccessExclusive).element(Element::Suffix(column, suffix));
}

/// A parent's statement has changed the children's defaults too: those that have their own get it again.
fn restore_below(id: ObjectId, context: &Context<'_>, out: &mut Steps) {
    let column = column_of(id);
    if !context.current.contains(column.root()) {
        return;
    }
    for heir in kinds::heirs(context.desired, column.root()) {
        let own = ObjectId::of(Kind::Default, ObjectId::on(Kind::Column, heir, column.name()), "");
        // It comes back by its own statement.
        if column::becomes_another_type(column_of(own), context) {
            continue;
        }
        let kept = context.current.get(own).zip(context.desired.get(own));
        if let Some((old, new)) = kept.filter(|(old, new)| old.object == new.object) {
            if let (Object::Default(_), Object::Default(own_value)) = (&old.object, &new.object) {
                set(&own_value.value, own, out);
            }
        }
    }
}

/// A constant, a cast or a plain call.
fn is_simple(value: &Fragment) -> bool {
    /// `COERCE_SQL_SYNTAX`: AT TIME ZONE and the like.
    const SQL_SYNTAX: i64 = 4;
    value.tree().is_ok_and(|(tree, _)| match tree.name() {
        "AConst" | "SqlValueFunction" | "AArrayExpr" => true,
        "TypeCast" => matches!(tree.get("arg").name(), "AConst" | "AArrayExpr"),
        "FuncCall" => tree.get("funcformat").int() != SQL_SYNTAX,
        _ => false,
    })
}

impl ObjectKind for Default {
    fn nature(&self) -> Nature {
        Nature::CARRIED
    }

    fn visit(&mut self, visitor: &mut dyn Visitor) {
        visitor.fragment("default", &mut self.value);
    }

    fn write(&self, id: ObjectId, out: &mut Writer<'_>) {
        write::write(self, id, out);
    }

    fn create(&self, id: ObjectId, context: &Context<'_>, out: &mut Steps) {
        set(&self.value, id, out);
        restore_below(id, context, out);
    }

    fn uses(&self, id: ObjectId, catalog: &Catalog, out: &mut Vec<ObjectId>) {
        // A literal takes the column's type without naming it.
        let column = catalog.get(column_of(id));
        out.extend(column.iter().flat_map(|entry| &entry.uses).filter(|used| used.kind().is_type()));
    }

    fn alter(_: &Self, new: &Self, id: ObjectId, context: &Context<'_>, out: &mut Steps) -> Alter {
        let Self { value, like: _ } = new;
        set(value, id, out);
        restore_below(id, context, out);
        Alter::InPlace
    }

    /// PostgreSQL has no cast for most defaults: `'x'::text` does not become a number by itself.
    fn gives_way(&self, id: ObjectId, context: &Context<'_>) -> bool {
        column::becomes_another_type(column_of(id), context)
    }

    fn drop(&self, id: ObjectId, context: &Context<'_>, out: &mut Steps) {
        let column = column_of(id);
        if context.desired.contains(id) || column::becomes_another_type(column, context) {
            // What comes back does so when its column has the new type, and the children's own with it.
            let mut sql = column::alter(column);
            sql.kw("DROP DEFAULT");
            out.push(sql).lock(column.root(), Lock::AccessExclusive);
            return;
        }
        // A child's own makes way for its parent's.
        let above = kinds::origin(context.desired, column);
        let above = above.and_then(|above| context.desired.get(ObjectId::of(Kind::Default, above, "")));
        if let Some(Object::Default(above)) = above.map(|entry| &entry.object) {
            // It says the same already.
            if above.value == self.value {
                return;
            }
            return set(&above.value, id, out);
        }
        let mut sql = column::alter(column);
        sql.kw("DROP DEFAULT");
        out.push(sql).lock(column.root(), Lock::AccessExclusive);
        restore_below(id, context, out);
    }

    fn analyse(&self, id: ObjectId, world: &World<'_>, out: &mut Found) {
        let column = self.like.0.unwrap_or_else(|| column_of(id));
        if let Some(Object::Column(spec)) = world.catalog.get(column).map(|entry| &entry.object) {
            let place = Place::Assigned(Seen::Nothing, spec.type_name);
            out.push(("default", analyse::expression(world, &self.value, place)));
        }
    }

    fn ask(&self, id: ObjectId, context: &Context<'_>, out: &mut Questions) {
        let column = self.like.0.unwrap_or_else(|| column_of(id));
        let Some(Object::Column(spec)) = context.desired.get(column).map(|entry| &entry.object) else {
            return;
        };
        let Some(stand_in) = column.parent().and_then(|table| table::stand_in(table, context)) else {
            return;
        };
        let name = out.fresh_name();
        let mut make = Sql::new("ALTER TABLE pg_temp.");
        make.tight().ident(stand_in.name).kw("ADD COLUMN").ident(name).type_name(&spec.type_name);
        make.kw(table::unstored(context));
        // In two parts: a column that comes with its default evaluates it, and `current_setting('x')` may fail.
        make.kw(", ALTER COLUMN").ident(name).kw("SET DEFAULT").fragment(&self.value);
        let mut element = Sql::default();
        element.ident(name).type_name(&spec.type_name).kw(table::unstored(context));
        // Without parentheses the grammar takes less here than behind SET DEFAULT.
        element.kw("DEFAULT (").tight().fragment(&self.value).kw(")");
        out.push(Question {
            object: id,
            stand_in: Some(stand_in),
            make: make.into_text(),
            read: vec![("default".into(), column::read_default(name))],
            element: Some(element.into_text()),
            instead: Vec::new(),
        });
    }
}
