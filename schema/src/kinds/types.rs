//! What the kinds of types have in common: owner, rename, and how values get from an old type to a new one.

use crate::catalog::Catalog;
use crate::id::ObjectId;
use crate::ident::{Ident, QName};
use crate::kinds::column;
use crate::kinds::naming;
use crate::object::{Context, Object};
use crate::sql::Sql;
use crate::step::{Lock, Steps};
use crate::type_name::TypeName;

/// `ALTER TYPE app.t`, or the like for a domain or sequence.
pub fn alter(id: ObjectId) -> Sql {
    let mut sql = Sql::new("ALTER");
    sql.kw(naming::keyword(id.kind()));
    naming::own_name(&mut sql, id);
    sql
}

/// `DROP TYPE app.t`.
pub fn drop(id: ObjectId) -> Sql {
    let mut sql = Sql::new("DROP");
    sql.kw(naming::keyword(id.kind()));
    naming::own_name(&mut sql, id);
    sql
}

/// What a kind with a field `owner` says of it: whose it is, and that who is not named stays who it was.
macro_rules! has_owner {
    () => {
        fn owner(&self) -> Option<$crate::ident::Ident> {
            self.owner.0
        }

        fn take_owner(&mut self, owner: Option<$crate::ident::Ident>) {
            self.owner.0 = owner;
        }

        fn inherit(&mut self, current: &Self) {
            if self.owner.0.is_none() {
                self.owner = current.owner;
            }
        }
    };
}
pub(crate) use has_owner;

/// Gives a new object the owner that it shall have, unless the role that runs the plan is it.
pub fn set_owner(id: ObjectId, owner: Option<Ident>, context: &Context<'_>, out: &mut Steps) {
    if let Some(owner) = owner.filter(|owner| *owner != context.server.role) {
        alter_owner(id, owner, out);
    }
}

/// Gives an object another owner.
pub fn alter_owner(id: ObjectId, owner: Ident, out: &mut Steps) {
    let mut sql = alter(id);
    sql.kw("OWNER TO").ident(owner);
    let step = out.push(sql);
    if id.kind().is_relation() {
        step.lock(id, Lock::AccessExclusive);
    }
}

/// `SET SCHEMA` and `RENAME TO` behind `head`, which names the object as it is called at that moment.
pub fn rename(head: impl Fn(QName) -> Sql, old: QName, new: QName, out: &mut Steps) {
    let mut at = old;
    if old.schema != new.schema {
        let mut sql = head(at);
        sql.kw("SET SCHEMA").ident(new.schema);
        out.push(sql);
        at = QName { schema: new.schema, name: old.name };
    }
    if at.name != new.name {
        let mut sql = head(at);
        sql.kw("RENAME TO").ident(new.name);
        out.push(sql);
    }
}

/// The statements that give a type another name.
pub fn rename_type(from: ObjectId, to: ObjectId, out: &mut Steps) {
    let (Some(old), Some(new)) = (from.qname(), to.qname()) else { return };
    let head = |name: QName| {
        let mut sql = Sql::new("ALTER");
        sql.kw(naming::keyword(from.kind())).name(name);
        sql
    };
    rename(head, old, new, out);
}

/// Whether values get from one type to another only by their texts: there is no cast between two enums, composites or
/// ranges, and none between many of PostgreSQL's own types, but each of them can be written and read. What cannot be
/// read fails; nothing is converted by guessing.
pub fn through_text(old: &TypeName, new: &TypeName, context: &Context<'_>) -> bool {
    let textual = |type_name: &TypeName| {
        let name = type_name.name();
        let is_text = matches!(name.as_str(), "text" | "varchar" | "bpchar" | "name");
        type_name.is_system() && !type_name.is_array() && is_text
    };
    if textual(old) || textual(new) {
        return false;
    }
    if old.is_system() && new.is_system() {
        return !column::casts(old, new);
    }
    has_no_casts(old, context.current, 0) || has_no_casts(new, context.desired, 0)
}

fn has_no_casts(type_name: &TypeName, catalog: &Catalog, depth: u32) -> bool {
    let entry = type_name.qname().and_then(|name| catalog.type_named(name)).and_then(|id| catalog.get(id));
    match entry.map(|entry| &entry.object) {
        Some(Object::Enum(_) | Object::Composite(_) | Object::Range(_)) => true,
        Some(Object::Domain(domain)) => depth < 20 && has_no_casts(&domain.base, catalog, depth + 1),
        _ => false,
    }
}

/// Says in an import that not everybody may use a type or sequence, where that is so.
pub fn write_public(id: ObjectId, out: &mut crate::write::Writer<'_>) {
    let everybody = Ident::new("public");
    if !out.catalog.contains(crate::kinds::grant::id(id, everybody)) {
        out.entry(id).named("grants").put("public", "", 0, crate::write::Node::word("none"));
    }
}
