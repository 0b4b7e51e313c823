//! Privileges: one object for each pair of a target and a grantee. Columns are targets of their own.

pub mod declare;
pub mod read;
pub mod write;

use crate::catalog::Catalog;
use crate::id::{Address, ObjectId, Slot};
use crate::ident::{Ident, Text};
use crate::kinds::default_privileges;
use crate::kinds::naming;
use crate::object::{Alter, Context, Kind, Nature, Object, ObjectKind, Visitor};
use crate::sql::Sql;
use crate::step::{Guard, Loss, Steps};
use crate::write::Writer;
use std::collections::BTreeMap;

/// What a grantee may do with a target.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Default, serde::Serialize, serde::Deserialize)]
pub struct Grant {
    /// Each privilege by its keyword in capitals (`SELECT`), and whether it was given WITH GRANT OPTION.
    pub privileges: BTreeMap<Text, bool>,
}

impl Grant {
    /// All privileges of a kind of object on that version, as GRANT ALL gives them.
    pub fn all(kind: Kind, version: u32) -> Self {
        let privileges = all_privileges(kind, version).iter().map(|word| (Text::new(word), false)).collect();
        Self { privileges }
    }
}

/// The privileges that a kind of object has (PostgreSQL's documentation, "Privileges").
pub fn all_privileges(kind: Kind, version: u32) -> &'static [&'static str] {
    match kind {
        Kind::Table | Kind::View | Kind::MaterializedView | Kind::ForeignTable if version >= 17 => {
            &["DELETE", "INSERT", "MAINTAIN", "REFERENCES", "SELECT", "TRIGGER", "TRUNCATE", "UPDATE"]
        }
        Kind::Table | Kind::View | Kind::MaterializedView | Kind::ForeignTable => {
            &["DELETE", "INSERT", "REFERENCES", "SELECT", "TRIGGER", "TRUNCATE", "UPDATE"]
        }
        Kind::Column => &["INSERT", "REFERENCES", "SELECT", "UPDATE"],
        Kind::Sequence | Kind::IdentitySequence => &["SELECT", "UPDATE", "USAGE"],
        Kind::Schema => &["CREATE", "USAGE"],
        Kind::Function | Kind::Aggregate => &["EXECUTE"],
        _ => &["USAGE"],
    }
}

/// The satellites that privileges by default add to a new object of the role that runs the plan.
pub fn implied(id: ObjectId, context: &Context<'_>) -> Vec<(ObjectId, Object)> {
    let mut given = default_privileges::of_new(id, context);
    let own = owner(id, context.desired).unwrap_or(context.server.role);
    if context.desired.contains(self::id(id, own)) {
        given.entry(own).or_insert_with(|| Grant::all(id.kind(), context.server.version));
    }
    given
        .into_iter()
        .map(|(grantee, grant)| (ObjectId::of(Kind::Grant, id, grantee), Object::Grant(grant)))
        .collect()
}

/// The role that has all privileges on an object until some are taken away.
fn owner(target: ObjectId, catalog: &Catalog) -> Option<Ident> {
    // The sequence of an identity column is the table's owner's.
    let owned = if target.kind() == Kind::IdentitySequence { target.root() } else { target };
    catalog.get(owned).and_then(|entry| entry.object.owner())
}

/// What a grantee has without a word said: the owner everything, others nothing.
fn unspoken(id: ObjectId, (first, second): (&Catalog, &Catalog), context: &Context<'_>) -> Grant {
    let target = target_of(id);
    let own = owner(target, first).or_else(|| owner(target, second)).unwrap_or(context.server.role);
    let has_owner = target.parent().is_none() || target.kind() == Kind::IdentitySequence;
    if own == id.name() && has_owner {
        Grant::all(target.kind(), context.server.version)
    } else {
        Grant::default()
    }
}

fn target_of(id: ObjectId) -> ObjectId {
    id.parent().unwrap_or(id)
}

/// `GRANT SELECT (c), … ON TABLE app.t`: the words between GRANT and TO.
fn privileges_on(sql: &mut Sql, words: &[Text], id: ObjectId, sides: [&Catalog; 2]) {
    let target = target_of(id);
    let column = (target.kind() == Kind::Column).then(|| target.name());
    let items: Vec<Sql> = words
        .iter()
        .filter_map(|word| KEYWORDS.iter().find(|known| **known == word.as_str()))
        .map(|word| {
            let mut item = Sql::new(word);
            if let Some(column) = column {
                item.idents(&[column]);
            }
            item
        })
        .collect();
    sql.list(&items).kw("ON");
    let object = if column.is_some() { target.parent().unwrap_or(target) } else { target };
    sql.kw(match object.kind() {
        Kind::View | Kind::MaterializedView | Kind::ForeignTable | Kind::Table => "TABLE",
        Kind::Enum | Kind::Composite | Kind::Range | Kind::BaseType => "TYPE",
        Kind::Function | Kind::Aggregate => "ROUTINE",
        Kind::Server => "FOREIGN SERVER",
        kind => naming::keyword(kind),
    });
    naming::name_at(sql, object, sides);
}

const KEYWORDS: &[&str] = &[
    "SELECT",
    "INSERT",
    "UPDATE",
    "DELETE",
    "TRUNCATE",
    "REFERENCES",
    "TRIGGER",
    "MAINTAIN",
    "USAGE",
    "CREATE",
    "CONNECT",
    "TEMPORARY",
    "EXECUTE",
    "SET",
    "ALTER SYSTEM",
];

/// Privileges as keywords; what is none is left out.
pub fn keywords(words: &[Text]) -> Vec<Sql> {
    words
        .iter()
        .filter_map(|word| KEYWORDS.iter().find(|known| **known == word.as_str()))
        .map(|word| Sql::new(word))
        .collect()
}

/// Writes a grantee.
pub fn grantee_of(sql: &mut Sql, name: Ident) {
    if name.as_str() == "public" {
        sql.kw("PUBLIC");
    } else {
        sql.ident(name);
    }
}

fn grantee(sql: &mut Sql, id: ObjectId) {
    grantee_of(sql, id.name());
}

fn grant(words: &[Text], option: bool, id: ObjectId, sides: [&Catalog; 2], out: &mut Steps) {
    if words.is_empty() {
        return;
    }
    let mut sql = Sql::new("GRANT");
    privileges_on(&mut sql, words, id, sides);
    sql.kw("TO");
    grantee(&mut sql, id);
    if option {
        sql.kw("WITH GRANT OPTION");
    }
    out.push(sql).guards(Guard::Privileges);
}

fn revoke(words: &[Text], option_only: bool, id: ObjectId, sides: [&Catalog; 2], out: &mut Steps) {
    if words.is_empty() {
        return;
    }
    let mut sql = Sql::new(if option_only { "REVOKE GRANT OPTION FOR" } else { "REVOKE" });
    privileges_on(&mut sql, words, id, sides);
    sql.kw("FROM");
    grantee(&mut sql, id);
    out.push(sql).loses(Loss::Revoke, id).guards(Guard::Privileges);
}

impl ObjectKind for Grant {
    fn nature(&self) -> Nature {
        Nature::CARRIED
    }

    fn visit(&mut self, _: &mut dyn Visitor) {}

    fn uses(&self, target_id: ObjectId, catalog: &Catalog, out: &mut Vec<ObjectId>) {
        // A REVOKE on the relation takes the columns' privileges along: it comes first, and gives them again under the
        // names that the columns have.
        let target = target_of(target_id);
        match (target.kind(), target.parent()) {
            (Kind::Column, Some(relation)) => out.push(id(relation, target_id.name())),
            (Kind::Table | Kind::ForeignTable, _) => {
                let given = |column: &ObjectId| catalog.contains(id(*column, target_id.name()));
                out.extend(catalog.children_of(target, Kind::Column).filter(given));
            }
            _ => {}
        }
    }

    /// What a REVOKE on the relation takes along is given afterwards, also where nothing is left on the relation.
    fn extra_slots(&self, id: ObjectId) -> Vec<Slot> {
        let target = target_of(id);
        let relation = match target.kind() {
            Kind::Column => target.parent(),
            Kind::Table | Kind::View | Kind::MaterializedView | Kind::ForeignTable => Some(target),
            _ => None,
        };
        relation.map(|relation| Slot::On("privileges of columns", relation, id.name())).into_iter().collect()
    }

    fn write(&self, id: ObjectId, out: &mut Writer<'_>) {
        write::write(self, id, out);
    }

    fn create(&self, id: ObjectId, context: &Context<'_>, out: &mut Steps) {
        let first = unspoken(id, (context.desired, context.current), context);
        Self::alter(&first, self, id, context, out);
        // Nobody had it before.
        if !first.privileges.is_empty() && !context.current.contains(target_of(id)) {
            for step in &mut out.list {
                step.impact.loses.clear();
            }
        }
    }

    fn alter(old: &Self, new: &Self, id: ObjectId, context: &Context<'_>, out: &mut Steps) -> Alter {
        let Self { privileges } = new;
        changes(old, privileges, id, context, [context.desired, context.current], out);
        Alter::InPlace
    }

    fn drop(&self, id: ObjectId, context: &Context<'_>, out: &mut Steps) {
        let last = unspoken(id, (context.current, context.desired), context);
        changes(self, &last.privileges, id, context, [context.current, context.desired], out);
    }
}

/// The statements from one set of privileges to another; `sides` know what the target is called at that moment.
fn changes(
    old: &Grant,
    privileges: &BTreeMap<Text, bool>,
    id: ObjectId,
    context: &Context<'_>,
    sides: [&Catalog; 2],
    out: &mut Steps,
) {
    let words = |keep: &dyn Fn(&Text) -> bool, from: &BTreeMap<Text, bool>| -> Vec<Text> {
        from.keys().filter(|word| keep(word)).copied().collect()
    };
    let gone = words(&|word| !privileges.contains_key(word), &old.privileges);
    let weaker = words(&|word| old.privileges[word] && privileges.get(word) == Some(&false), &old.privileges);
    let plain = words(&|word| !privileges[word] && !old.privileges.contains_key(word), privileges);
    let optional = words(&|word| privileges[word] && old.privileges.get(word) != Some(&true), privileges);
    revoke(&gone, false, id, sides, out);
    revoke(&weaker, true, id, sides, out);
    if !gone.is_empty() || !weaker.is_empty() {
        restore_columns(id, context, out);
    }
    grant(&plain, false, id, sides, out);
    grant(&optional, true, id, sides, out);
}

/// A REVOKE on a relation has taken the grantee's privileges on its columns along: those that stay are given again.
fn restore_columns(id: ObjectId, context: &Context<'_>, out: &mut Steps) {
    let relation = target_of(id);
    for column in context.current.children_of(relation, Kind::Column) {
        let satellite = self::id(column, id.name());
        let grants = (context.current.get(satellite), context.desired.get(satellite));
        if let (Some(_), Some(Object::Grant(kept))) = (grants.0, grants.1.map(|entry| &entry.object)) {
            let of = |option: bool| -> Vec<Text> {
                kept.privileges.iter().filter(|(_, with)| **with == option).map(|(word, _)| *word).collect()
            };
            let sides = [context.desired, context.current];
            grant(&of(false), false, satellite, sides, out);
            grant(&of(true), true, satellite, sides, out);
        }
    }
}

/// Whether these are privileges on a sequence, or what gives them by default.
pub fn is_about_sequences(id: ObjectId, object: &Object) -> bool {
    match object {
        Object::DefaultPrivileges(privileges) => privileges.objects.as_str() == "SEQUENCES",
        Object::Grant(_) => matches!(target_of(id).kind(), Kind::Sequence | Kind::IdentitySequence),
        _ => false,
    }
}

/// The id of the privileges of a grantee on a target.
pub fn id(target: ObjectId, grantee: Ident) -> ObjectId {
    ObjectId::new(Kind::Grant, Address::Of(target, grantee))
}

/// Whether a grantee may do with a relation and its columns all that he may do with a facade and the same columns.
pub fn covers(
    (desired, relation): (&Catalog, ObjectId),
    (current, facade): (&Catalog, ObjectId),
    grantee: Ident,
) -> bool {
    let given = |catalog: &Catalog, target: ObjectId, word: &Text, option: bool| {
        let grant = catalog.get(self::id(target, grantee)).map(|entry| &entry.object);
        matches!(grant, Some(Object::Grant(grant)) if grant.privileges.get(word).is_some_and(|with| *with || !option))
    };
    let mut targets = current.children_of(facade, Kind::Column).chain([facade]);
    targets.all(|target| {
        let Some(Object::Grant(grant)) = current.get(self::id(target, grantee)).map(|entry| &entry.object)
        else {
            return true;
        };
        let same = target.rebased(facade, relation);
        grant.privileges.iter().all(|(word, option)| {
            given(desired, relation, word, *option) || given(desired, same, word, *option)
        })
    })
}
