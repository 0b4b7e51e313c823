//! The kinds, one folder each: `mod.rs` is the contract, `read.sql` and `read.rs` take it from the catalogs,
//! `declare.rs` from what people write.

pub mod aggregate;
pub mod check;
pub mod collation;
pub mod column;
pub mod comment;
pub mod composite;
pub mod copied_trigger;
pub mod default;
pub mod default_privileges;
pub mod domain;
pub mod enumeration;
pub mod event_trigger;
pub mod exclusion;
pub mod extension;
pub mod foreign_data_wrapper;
pub mod foreign_key;
pub mod foreign_table;
pub mod function;
pub mod grant;
pub mod identity_sequence;
pub mod index;
pub mod key;
mod kin;
pub mod materialized_view;
pub mod member;
pub mod naming;
pub mod near;
pub mod not_null;
pub mod opaque;
pub mod options;
pub mod owned_by;
pub mod policy;
pub mod publication;
pub mod range;
pub mod rule;
pub mod schema;
pub mod sequence;
pub mod server;
pub mod statistics;
pub mod table;
pub mod trigger;
pub mod types;
pub mod view;

use crate::catalog::{Catalog, Entry, Standing};
use crate::id::{Address, ObjectId, Slot};
use crate::ident::{Ident, QName};
use crate::object::{Kind, Object};
use crate::sql;
use crate::step::Steps;
use std::collections::HashSet;

pub use grant::covers as privileges_cover;
pub use kin::Kin;
pub use not_null::outlives_its_choice;
pub use schema::first_owner;

/// Where a part of a table was made that came to it from a parent: the column of the partitioned table.
pub fn origin(catalog: &Catalog, id: ObjectId) -> Option<ObjectId> {
    match &catalog.get(id)?.object {
        Object::Column(column) if column.inherited.0 => table::origin(catalog, id),
        _ => None,
    }
}

/// The primary key of a relation whose columns are all among these: a query that groups by them may say the relation's
/// other columns, and PostgreSQL keeps the key as long as there is such a view.
pub fn keys_within(catalog: &Catalog, relation: ObjectId, columns: &[Ident]) -> Vec<ObjectId> {
    let is_within = |id: &ObjectId| match catalog.get(*id).map(|entry| &entry.object) {
        Some(Object::Key(key)) => key.primary && key.columns.iter().all(|column| columns.contains(column)),
        _ => false,
    };
    catalog.children_of(relation, Kind::Key).filter(is_within).collect()
}

/// The roles that privileges are for.
pub fn grantees(id: ObjectId, object: &Object) -> Vec<Ident> {
    match object {
        Object::Grant(_) => vec![id.name()],
        Object::DefaultPrivileges(entry) if entry.role.is_empty() => vec![entry.grantee],
        Object::DefaultPrivileges(entry) => vec![entry.role, entry.grantee],
        _ => Vec::new(),
    }
}

/// What an object is handed down from others: a child's columns are its parents', and so is a column of its own kind.
pub fn handed_down(id: ObjectId, catalog: &Catalog) -> Vec<ObjectId> {
    match id.kind() {
        Kind::Table => table::parents(catalog, id)
            .into_iter()
            .flat_map(|parent| catalog.children_of(parent, Kind::Column))
            .collect(),
        Kind::Column => origin(catalog, id).into_iter().collect(),
        Kind::Default => id
            .parent()
            .and_then(|column| origin(catalog, column))
            .map(|above| ObjectId::of(Kind::Default, above, ""))
            .into_iter()
            .collect(),
        _ => Vec::new(),
    }
}

/// Whether a catalog has every column of a relation: it is a table, and none of its columns come from another one.
pub fn knows_its_columns(catalog: &Catalog, id: ObjectId) -> bool {
    let Some(Object::Table(table)) = catalog.get(id).map(|entry| &entry.object) else { return false };
    table.partition_of.is_none() && table.inherits.is_empty() && !catalog.columns(id).is_empty()
}

/// The names that a new column or check takes in the tables that inherit it, and those that the own columns of a new
/// child must not meet in its parents.
pub fn taken_of_relatives(id: ObjectId, current: &Catalog, desired: &Catalog) -> Vec<Slot> {
    if id.kind() == Kind::Table {
        let own = || desired.children_of(id, Kind::Column);
        let above = table::parents(desired, id).into_iter();
        return above
            .flat_map(|parent| own().map(move |column| Slot::On(Kind::Column.word(), parent, column.name())))
            .collect();
    }
    // A sequence is no type, and yet CREATE SEQUENCE refuses the name of one.
    if let (Kind::Sequence, Some(name)) = (id.kind(), id.qname()) {
        return vec![Slot::Type(name)];
    }
    // A check of a child that goes would be taken for the same as one that comes from above, and could not go any more.
    let word = match (id.kind(), desired.get(id).map(|entry| &entry.object)) {
        (Kind::Column, _) => Kind::Column.word(),
        (_, Some(Object::Check(check))) if !check.no_inherit => "constraint",
        _ => return Vec::new(),
    };
    let Some(table) = id.parent().filter(|table| current.contains(*table)) else { return Vec::new() };
    heirs(current, table).into_iter().map(|heir| Slot::On(word, heir, id.name())).collect()
}

/// The names that a check which goes frees in the tables that inherit it, for others: the same one is taken for it. And
/// those of the parts that partitions have of an index or key which goes.
pub fn freed_to_relatives(id: ObjectId, current: &Catalog, desired: &Catalog) -> Vec<Slot> {
    if matches!(id.kind(), Kind::Index | Kind::Key | Kind::Exclusion) {
        return table::freed_with(id, current);
    }
    let Some(Object::Check(check)) = current.get(id).map(|entry| &entry.object) else { return Vec::new() };
    let Some(table) = id.parent().filter(|_| !check.no_inherit) else { return Vec::new() };
    let other = |id: &ObjectId| matches!(desired.get(*id).map(|entry| &entry.object), Some(Object::Check(other)) if other != check);
    heirs(current, table)
        .into_iter()
        .filter(|heir| other(&ObjectId::on(Kind::Check, *heir, id.name())))
        .map(|heir| Slot::On("constraint", heir, id.name()))
        .collect()
}

/// The tables that have their columns from that of a new column now and will not: they leave before it comes.
pub fn leavers(id: ObjectId, current: &Catalog, desired: &Catalog) -> Vec<ObjectId> {
    let Some(table) = id.parent().filter(|table| id.kind() == Kind::Column && current.contains(*table))
    else {
        return Vec::new();
    };
    let mut found = heirs(current, table);
    if !found.is_empty() {
        let stays = heirs(desired, table);
        found.retain(|heir| !stays.contains(heir));
    }
    found
}

/// The columns that come from parents, and that the files have as their tables' own.
pub fn left_columns(current: &Catalog, desired: &Catalog) -> Vec<ObjectId> {
    let inherited = |catalog: &Catalog, id: ObjectId| match catalog.get(id).map(|entry| &entry.object) {
        Some(Object::Column(column)) => Some(column.inherited.0),
        _ => None,
    };
    let is_left =
        |id: &ObjectId| inherited(current, *id) == Some(true) && inherited(desired, *id) == Some(false);
    desired.ids().filter(is_left).collect()
}

/// Fills in what a column has from its parents: that stays when its table leaves them, and is compared with what the files
/// say.
pub fn fill_in(current: &mut Catalog, column: ObjectId) {
    let (generated, refuses_null) = (table::generated(column, current), table::refuses_null(column, current));
    if let Some(Object::Column(column)) = current.get_mut(column).map(|entry| &mut entry.object) {
        column.generated = generated;
        column.not_null |= refuses_null;
    }
}

/// What goes first when an object goes: a column that a child has itself and from its parents too stays theirs until they
/// lose it, and a key that an index has for its part stays as long as that.
pub fn goes_after(id: ObjectId, current: &Catalog) -> Vec<ObjectId> {
    if id.kind() == Kind::Key {
        return table::adopter(id, current).into_iter().collect();
    }
    let Some(table) = id.parent().filter(|_| id.kind() == Kind::Column) else { return Vec::new() };
    let above = table::parents(current, table).into_iter();
    above.map(|parent| ObjectId::on(Kind::Column, parent, id.name())).collect()
}

/// The tables that have their columns from another one, at any depth.
pub(crate) fn heirs(catalog: &Catalog, of: ObjectId) -> Vec<ObjectId> {
    let mut found: Vec<ObjectId> = Vec::new();
    let mut known: HashSet<ObjectId> = HashSet::from([of]);
    let mut open = vec![of];
    while let Some(parent) = open.pop() {
        for child in catalog.kin().children(parent).iter().copied().filter(|child| known.insert(*child)) {
            found.push(child);
            open.push(child);
        }
    }
    found.sort_unstable();
    found
}

/// What has to be moved as well when an object is: partitions stay behind when their table gets another schema, and
/// belong where it is. A renamed column has another name in every child too.
pub fn companions(catalog: &Catalog, from: ObjectId, to: ObjectId) -> Vec<(ObjectId, ObjectId)> {
    match (from.kind(), from.parent(), from.qname(), to.qname()) {
        (Kind::Table, _, Some(old), Some(new)) if old.schema != new.schema => heirs(catalog, from)
            .into_iter()
            .filter(|child| child.schema() == Some(old.schema))
            .filter(|child| {
                matches!(&catalog.get(*child).map(|entry| &entry.object),
                Some(Object::Table(table)) if table.partition_of.is_some())
            })
            .map(|child| {
                (child, ObjectId::in_schema(Kind::Table, QName { schema: new.schema, name: child.name() }))
            })
            .collect(),
        (Kind::Column, Some(table), ..) => heirs(catalog, table)
            .into_iter()
            .map(|child| {
                (ObjectId::on(Kind::Column, child, from.name()), ObjectId::on(Kind::Column, child, to.name()))
            })
            .filter(|(column, _)| origin(catalog, *column) == Some(from))
            .collect(),
        _ => Vec::new(),
    }
}

/// The extensions that get another schema: the old one and the new one.
fn moving_extensions<'a>(
    current: &'a Catalog,
    desired: &'a Catalog,
) -> impl Iterator<Item = (ObjectId, Ident, Ident)> + 'a {
    let place = |catalog: &Catalog, id: ObjectId| match catalog.get(id).map(|entry| &entry.object) {
        Some(Object::Extension(extension)) => extension.schema,
        _ => None,
    };
    current.iter().filter(|(id, _)| id.kind() == Kind::Extension).filter_map(move |(id, _)| {
        let (old, new) = (place(current, id)?, place(desired, id)?);
        (old != new).then_some((id, old, new))
    })
}

/// The operators and operator classes that get another schema with the extension that they belong to: their schema and
/// name as PostgreSQL writes them, and the new schema.
pub fn operators_along(current: &Catalog, desired: &Catalog) -> Vec<(ObjectId, [String; 3])> {
    moving_extensions(current, desired)
        .flat_map(|(extension, old, new)| {
            let (old, new) = (sql::quoted(old), sql::quoted(new));
            let belongs = move |entry: &Entry| entry.uses.contains(&extension) && entry.object.is_opaque();
            current.iter().filter(move |(_, entry)| belongs(entry)).filter_map(move |(id, _)| {
                let own = id.name().as_str();
                let class = own.strip_prefix("operator class ").and_then(|rest| rest.rsplit_once(" USING "));
                let operator = own.strip_prefix("operator ").and_then(|rest| rest.rsplit_once('('));
                let (full, _) = class.or(operator)?;
                let name = full.strip_prefix(old)?.strip_prefix('.')?;
                Some((id, [old.to_owned(), name.to_owned(), new.to_owned()]))
            })
        })
        .collect()
}

/// The types and routines that get another schema with the extension that they belong to.
pub fn members_along(current: &Catalog, desired: &Catalog) -> Vec<(ObjectId, ObjectId)> {
    moving_extensions(current, desired)
        .flat_map(|(extension, old, new)| {
            let belongs =
                move |entry: &Entry| entry.standing == Standing::External && entry.uses.contains(&extension);
            current.iter().filter(move |(_, entry)| belongs(entry)).filter_map(move |(id, _)| {
                let own = id.qname().filter(|own| own.schema == old && id.parent().is_none())?;
                let moved = QName { schema: new, ..own };
                match id.address() {
                    Address::Routine(_, inputs) => {
                        Some((id, ObjectId::new(id.kind(), Address::Routine(moved, inputs))))
                    }
                    _ if id.kind().is_type() && !id.kind().is_relation() => {
                        Some((id, ObjectId::in_schema(id.kind(), moved)))
                    }
                    _ => None,
                }
            })
        })
        .filter(|(_, to)| !current.contains(*to))
        .collect()
}

/// What PostgreSQL moves along when a relation gets another schema: the sequences that its columns own.
pub fn followers(catalog: &Catalog, from: ObjectId, to: ObjectId) -> Vec<(ObjectId, ObjectId)> {
    let (Some(old), Some(new)) = (from.qname(), to.qname()) else { return Vec::new() };
    if old.schema == new.schema || !from.kind().is_lockable() {
        return Vec::new();
    }
    owned(catalog, from)
        .filter_map(|id| {
            let name = id.qname()?;
            Some((id, ObjectId::in_schema(id.kind(), QName { schema: new.schema, name: name.name })))
        })
        .collect()
}

/// What columns of a relation own, or one column: it goes wherever they go.
pub fn owned(catalog: &Catalog, owner: ObjectId) -> impl Iterator<Item = ObjectId> {
    let all = catalog.kin().owned(owner.root()).iter();
    let mut found: Vec<ObjectId> =
        all.filter(|(used, _)| *used == owner || used.is_below(owner)).map(|(_, owned)| *owned).collect();
    // Who uses a column uses its relation too.
    found.dedup();
    found.into_iter()
}

/// Whether a table is a partition; nothing for what is no table.
pub fn is_partition(object: &Object) -> Option<bool> {
    match object {
        Object::Table(table) => Some(table.partition_of.is_some()),
        _ => None,
    }
}

/// The roles that an object names as grantees, in policies or as those whose new objects it speaks of.
pub fn named_roles(id: ObjectId, object: &Object) -> Vec<Ident> {
    match object {
        Object::Grant(_) => vec![id.name()],
        Object::Policy(policy) => policy.roles.iter().map(|role| role.name).collect(),
        Object::DefaultPrivileges(given) => vec![given.role, given.grantee],
        _ => Vec::new(),
    }
}

/// Whether something on somebody else's table was likely put there by whom the rest of the database belongs to: a
/// policy, or a trigger that calls a function of theirs. `table` is what its table uses: an extension's table has the
/// extension's policies.
pub fn is_put_on_others(id: ObjectId, table: &[ObjectId], uses_own: impl FnOnce() -> bool) -> bool {
    match id.kind() {
        Kind::Policy => !table.iter().any(|used| used.kind() == Kind::Extension),
        Kind::Trigger => uses_own(),
        _ => false,
    }
}

/// Says who owns what names no owner. Whoever owns an object that exists stays its owner where owners are not
/// compared; what a column owns belongs to the table's owner, always.
pub fn settle_owners(desired: &mut Catalog, current: &Catalog, usual: Option<Ident>, compared: bool) {
    for (id, entry) in desired.iter_mut() {
        match current.get(id).filter(|_| !compared) {
            Some(live) => entry.object.take_owner(live.object.owner()),
            // What every database has is left alone.
            None if entry.object.owner().is_none() && first_owner(id, 0).is_none() => {
                entry.object.take_owner(usual)
            }
            None => {}
        }
    }
    let owned: Vec<(ObjectId, Option<Ident>)> = desired
        .iter()
        .filter_map(|(id, entry)| match &entry.object {
            Object::OwnedBy(by) => {
                let table = desired.relation(by.table.qname()?)?;
                Some((id.parent()?, desired.get(table)?.object.owner()))
            }
            _ => None,
        })
        .collect();
    for (sequence, owner) in owned {
        if let (Some(entry), Some(_)) = (desired.get_mut(sequence), owner) {
            entry.object.take_owner(owner);
        }
    }
}

/// Gives an object another owner.
pub fn alter_owner(id: ObjectId, owner: Ident, out: &mut Steps) {
    types::alter_owner(id, owner, out);
}

/// Whether no file speaks of these satellites of an object: privileges on the sequence that a serial column brought, or on
/// that of an identity column, stay as they are, or as privileges by default make them. So does the comment that an
/// extension brings, where no file has another.
pub fn is_unspoken(desired: &Catalog, satellite: ObjectId) -> bool {
    let root = satellite.root();
    if root.kind() == Kind::Extension {
        return satellite.kind() == Kind::Comment;
    }
    let sequence = match satellite.parent() {
        Some(sequence) if sequence.kind() == Kind::IdentitySequence => {
            Some(sequence).filter(|sequence| desired.contains(*sequence))
        }
        _ => {
            let brought = desired.get(root).map(|entry| &entry.object);
            Some(root).filter(|_| matches!(brought, Some(Object::Sequence(sequence)) if sequence.brought.0))
        }
    };
    satellite.kind() == Kind::Grant
        && sequence.is_some_and(|sequence| desired.children_of(sequence, Kind::Grant).next().is_none())
}
