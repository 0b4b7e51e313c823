//! What the NOT NULL of a column or domain has that is its own, since PostgreSQL keeps it as a constraint (18, that of a
//! domain 17): a name that nobody but a person gives, NO INHERIT, NOT VALID, a comment. An object only where there is such
//! a thing.
//!
//! Not here: whether the column or domain refuses null, which belongs to it.

pub mod declare;
pub mod read;
pub mod write;

use crate::catalog::{Catalog, Entry, Standing};
use crate::fragment::Aside;
use crate::id::ObjectId;
use crate::ident::Ident;
use crate::kinds::column::Column;
use crate::kinds::{self, key, naming, types};
use crate::object::{Alter, Context, Kind, Nature, Object, ObjectKind, Visitor};
use crate::sql::Sql;
use crate::step::{Element, Lock, Steps};
use crate::write::Writer;

/// The NOT NULL of a column or domain; that of a domain has a name only.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default, serde::Serialize, serde::Deserialize)]
pub struct NotNull {
    /// Its name, unless PostgreSQL has chosen it.
    pub name: Option<Ident>,
    /// Children of the table may have null.
    pub no_inherit: bool,
    /// Rows that were there before are left unchecked.
    pub not_valid: bool,
    /// Its name is none that anybody gave: PostgreSQL chose it when table and column were called otherwise.
    #[serde(skip)]
    pub outlived: Aside<bool>,
}

/// The id of the NOT NULL of a column.
pub fn id(column: ObjectId) -> ObjectId {
    ObjectId::of(Kind::NotNull, column, "")
}

/// What one side says of the NOT NULL of a column.
pub fn of(column: ObjectId, catalog: &Catalog) -> Option<NotNull> {
    match catalog.get(id(column)).map(|entry| &entry.object) {
        Some(Object::NotNull(own)) => Some(*own),
        _ => None,
    }
}

/// Whether a name is one that PostgreSQL has chosen, now or before the table or the column got another name: nobody
/// misses it.
pub fn is_chosen(name: Ident, column: ObjectId) -> bool {
    if name == chosen(column) {
        return true;
    }
    let Some(stem) =
        name.as_str().trim_end_matches(|digit: char| digit.is_ascii_digit()).strip_suffix("_not_null")
    else {
        return false;
    };
    if column.kind() == Kind::Domain {
        return true;
    }
    let table = column.parent().map(ObjectId::name);
    let of = |part: Ident, rest: Option<&str>| !part.is_empty() && rest.is_some();
    table.is_some_and(|table| {
        of(table, stem.strip_prefix(table.as_str()).and_then(|rest| rest.strip_prefix('_')))
    }) || of(column.name(), stem.strip_suffix(column.name().as_str()).and_then(|rest| rest.strip_suffix('_')))
}

/// The name that PostgreSQL chooses where nobody has it.
fn chosen(column: ObjectId) -> Ident {
    if column.kind() == Kind::Domain {
        return Ident::new(key::chosen_name(column.name().as_str(), "", "not_null").as_str());
    }
    let table = column.parent().map(ObjectId::name).unwrap_or(column.name());
    Ident::new(key::chosen_name(table.as_str(), column.name().as_str(), "not_null").as_str())
}

/// The name that PostgreSQL chose once says the table or the column. Where a plan gives both another name, it would be
/// nobody's choice any more: as one that somebody gave, it gives way to what PostgreSQL would choose now.
pub fn outlives_its_choice(catalog: &mut Catalog, column: ObjectId) {
    let Some(Object::Column(live)) = catalog.get(column).map(|entry| &entry.object) else { return };
    let Some(name) = live.not_null_name.0.filter(|name| live.not_null && !is_chosen(*name, column)) else {
        return;
    };
    if handed_down(catalog, column).is_some() {
        return;
    }
    let id = id(column);
    match catalog.get_mut(id).map(|entry| &mut entry.object) {
        Some(Object::NotNull(own)) => own.name = own.name.or(Some(name)),
        Some(_) => {}
        None => {
            let standing = catalog.get(column).map_or(Standing::Managed, |entry| entry.standing);
            let own = NotNull { name: Some(name), outlived: Aside(true), ..NotNull::default() };
            let object = Object::NotNull(own);
            catalog.insert_over(id, Entry { object, span: None, standing, uses: Vec::new() });
        }
    }
}

/// The parent's column that hands its NOT NULL down to this one.
fn handed_down(side: &Catalog, column: ObjectId) -> Option<ObjectId> {
    let above = kinds::origin(side, column)?;
    let refuses = matches!(&side.get(above)?.object, Object::Column(Column { not_null: true, .. }));
    (refuses && !of(above, side).is_some_and(|own| own.no_inherit)).then_some(above)
}

/// What it is called on the first of the two sides that has the column. What a parent hands down keeps its name.
pub fn name_of(id: ObjectId, sides: [&Catalog; 2]) -> Ident {
    let column = id.parent().unwrap_or(id);
    let found = sides.into_iter().find_map(|side| match side.get(column).map(|entry| &entry.object) {
        Some(Object::Column(live)) => Some((side, live.not_null_name.0)),
        Some(Object::Domain(live)) => Some((side, live.not_null_name.0)),
        _ => None,
    });
    found
        .and_then(|(side, read)| {
            let own = of(column, side).and_then(|own| own.name).or(read);
            own.or_else(|| Some(name_of(self::id(handed_down(side, column)?), [side, side])))
        })
        .unwrap_or_else(|| chosen(column))
}

impl NotNull {
    /// `CONSTRAINT c NOT NULL NO INHERIT`, behind a column's type.
    pub fn inline(self, sql: &mut Sql) {
        if let Some(name) = self.name {
            sql.kw("CONSTRAINT").ident(name);
        }
        sql.kw("NOT NULL");
        if self.no_inherit {
            sql.kw("NO INHERIT");
        }
    }

    /// `ALTER DOMAIN d ADD CONSTRAINT c NOT NULL`.
    fn add_to_domain(self, domain: ObjectId, out: &mut Steps) {
        let mut sql = types::alter(domain);
        sql.kw("ADD");
        self.inline(&mut sql);
        out.push(sql).scans();
    }

    /// `ALTER TABLE t ADD CONSTRAINT c NOT NULL a`. In the statement of a new child it stands in front of what its parents
    /// have, which could get no other name afterwards.
    fn add(self, column: ObjectId, out: &mut Steps) {
        let mut definition = Sql::default();
        if let Some(name) = self.name {
            definition.kw("CONSTRAINT").ident(name);
        }
        definition.kw("NOT NULL").ident(column.name());
        if self.no_inherit {
            definition.kw("NO INHERIT");
        }
        let mut sql = naming::alter_parent(column);
        sql.kw("ADD").sql(&definition);
        if self.not_valid {
            sql.kw("NOT VALID");
        }
        let step = out.push(sql).lock(column.root(), Lock::AccessExclusive);
        if !self.not_valid {
            step.scans().element(Element::Item(definition));
        }
    }

    /// The statements from one to another on a column that refuses null before and after; `name` is what the
    /// constraint is called.
    fn change(self, new: NotNull, name: Ident, column: ObjectId, out: &mut Steps) {
        let table = column.root();
        let own = if self.name.is_some() {
            new.name.unwrap_or_else(|| chosen(column))
        } else {
            new.name.unwrap_or(name)
        };
        if column.kind() == Kind::Domain {
            if own != name {
                let mut sql = types::alter(column);
                sql.kw("RENAME CONSTRAINT").ident(name).kw("TO").ident(own);
                out.push(sql);
            }
            return;
        }
        if new.not_valid && !self.not_valid {
            let mut sql = naming::alter_parent(column);
            sql.kw("DROP CONSTRAINT").ident(name);
            out.push(sql).lock(table, Lock::AccessExclusive);
            NotNull { name: Some(own), ..new }.add(column, out);
            return;
        }
        if own != name {
            let mut sql = naming::alter_parent(column);
            sql.kw("RENAME CONSTRAINT").ident(name).kw("TO").ident(own);
            out.push(sql).lock(table, Lock::AccessExclusive);
        }
        if new.no_inherit != self.no_inherit {
            let mut sql = naming::alter_parent(column);
            sql.kw("ALTER CONSTRAINT").ident(own).kw(if new.no_inherit { "NO INHERIT" } else { "INHERIT" });
            let step = out.push(sql).lock(table, Lock::AccessExclusive);
            if !new.no_inherit {
                step.scans();
            }
        }
        if self.not_valid && !new.not_valid {
            let mut sql = naming::alter_parent(column);
            sql.kw("VALIDATE CONSTRAINT").ident(own);
            out.push(sql).lock(table, Lock::ShareUpdateExclusive).scans();
        }
    }
}

/// A column that exists, refuses null, and is not made anew by this plan.
fn stays(column: ObjectId, context: &Context<'_>) -> Option<bool> {
    let (old, new) = (context.current.get(column)?, context.desired.get(column)?);
    let made_anew = |old: &Object, new: &Object, id: ObjectId| {
        let alter = Object::alter(old, new, id, context, &mut Steps::default());
        old != new && !matches!(alter, Alter::InPlace | Alter::Disturb(_))
    };
    let table = column.root();
    let tables = (context.current.get(table)?, context.desired.get(table)?);
    if made_anew(&old.object, &new.object, column) || made_anew(&tables.0.object, &tables.1.object, table) {
        return None;
    }
    let refuses = |object: &Object| match object {
        Object::Column(column) => column.not_null,
        Object::Domain(domain) => domain.not_null,
        _ => false,
    };
    Some(refuses(&old.object) && refuses(&new.object))
}

impl ObjectKind for NotNull {
    fn nature(&self) -> Nature {
        Nature::DATA
    }

    fn is_left_over(&self) -> bool {
        self.outlived.0 && !self.no_inherit && !self.not_valid
    }

    fn visit(&mut self, _: &mut dyn Visitor) {}

    fn write(&self, id: ObjectId, out: &mut Writer<'_>) {
        write::write(*self, id, out);
    }

    /// A new column has it in its own statement, but for what cannot stand there.
    fn create(&self, id: ObjectId, context: &Context<'_>, out: &mut Steps) {
        let Some(column) = id.parent() else { return };
        let inherited = match context.desired.get(column).map(|entry| &entry.object) {
            Some(Object::Column(column)) => column.inherited.0,
            _ => false,
        };
        match stays(column, context) {
            Some(true) => {
                let name = name_of(id, [context.current, context.desired]);
                NotNull::default().change(*self, name, column, out);
            }
            Some(false) if column.kind() == Kind::Domain => self.add_to_domain(column, out),
            Some(false) => self.add(column, out),
            // It has but a comment of its own.
            None if *self == NotNull::default() && handed_down(context.desired, column).is_some() => {}
            None if self.not_valid || inherited => self.add(column, out),
            None => {}
        }
    }

    fn alter(old: &Self, new: &Self, id: ObjectId, context: &Context<'_>, out: &mut Steps) -> Alter {
        let Self { name: _, no_inherit: _, not_valid: _, outlived: _ } = new;
        let Some(column) = id.parent() else { return Alter::InPlace };
        if stays(column, context) == Some(true) {
            old.change(*new, name_of(id, [context.current, context.desired]), column, out);
        }
        Alter::InPlace
    }

    /// The column's own statement drops it, or it becomes one like any other.
    fn drop(&self, id: ObjectId, context: &Context<'_>, out: &mut Steps) {
        let Some(column) = id.parent().filter(|column| stays(*column, context) == Some(true)) else { return };
        let name = name_of(id, [context.current, context.desired]);
        let comment = ObjectId::of(Kind::Comment, id, "");
        if context.current.contains(comment) {
            let mut sql = Sql::new("COMMENT ON CONSTRAINT");
            sql.ident(name).kw("ON");
            naming::constrained(&mut sql, column.root());
            sql.kw("IS NULL");
            out.push(sql);
        }
        self.change(NotNull::default(), name, column, out);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ident::QName;

    #[test]
    fn names_that_postgresql_chose_are_told_from_those_that_people_gave() {
        let table = ObjectId::of_table(QName::new("app", "users"));
        let column = ObjectId::on(Kind::Column, table, "id");
        for (name, expected) in [
            ("users_id_not_null", true),
            ("users_id_not_null1", true),
            ("people_id_not_null", true),
            ("users_number_not_null", true),
            ("id_is_there", false),
            ("not_null", false),
            ("is_not_null", false),
            ("usersid_not_null", false),
        ] {
            assert_eq!(is_chosen(Ident::new(name), column), expected, "{name}");
        }
    }
}
