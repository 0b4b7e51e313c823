//! What an object is called.
//!
//! An `ObjectId` is a handle to an interned kind and address: copied and compared as one word, ordered by kind and
//! name so that the same input always gives the same output. Hierarchy is `id.parent()`, never containment.

use crate::ident::{Ident, Interned, QName, Text};
use crate::object::Kind;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::LazyLock;

/// Where an object's name lives.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Address {
    /// In the database or cluster: a schema, role, extension, publication, event trigger.
    Global(Ident),
    /// In a schema: a table, view, sequence, type, statistics object.
    InSchema(QName),
    /// On a relation or domain: a column, constraint, index, trigger, policy, rule.
    On(ObjectId, Ident),
    /// A function, procedure or aggregate: its name and its input argument types, canonical, separated by `, `.
    Routine(QName, Text),
    /// A satellite of another object: a comment (no name), a grant (the grantee).
    Of(ObjectId, Ident),
}

#[derive(PartialEq, Eq, Hash, PartialOrd, Ord)]
struct Data {
    kind: Kind,
    address: Address,
}

static INTERNED: LazyLock<Interned<Data>> = LazyLock::new(Interned::default);

/// What an object is called: its kind and address.
#[derive(Clone, Copy)]
pub struct ObjectId(&'static Data);

impl ObjectId {
    /// The id of a kind and address.
    pub fn new(kind: Kind, address: Address) -> Self {
        let data = Data { kind, address };
        Self(INTERNED.get(&data, || Box::leak(Box::new(Data { kind, address }))))
    }

    /// An object of the database: a schema, role, extension.
    pub fn global(kind: Kind, name: impl Into<Ident>) -> Self {
        Self::new(kind, Address::Global(name.into()))
    }

    /// An object in a schema.
    pub fn in_schema(kind: Kind, name: QName) -> Self {
        Self::new(kind, Address::InSchema(name))
    }

    /// An object on a relation or domain.
    pub fn on(kind: Kind, parent: ObjectId, name: impl Into<Ident>) -> Self {
        Self::new(kind, Address::On(parent, name.into()))
    }

    /// A satellite of another object.
    pub fn of(kind: Kind, target: ObjectId, name: impl Into<Ident>) -> Self {
        Self::new(kind, Address::Of(target, name.into()))
    }

    /// The kind.
    pub fn kind(self) -> Kind {
        self.0.kind
    }

    /// The address.
    pub fn address(self) -> Address {
        self.0.address
    }

    /// The object that this one stands on or belongs to, and dies with. Schemas are no parents.
    pub fn parent(self) -> Option<ObjectId> {
        match self.0.address {
            Address::On(parent, _) | Address::Of(parent, _) => Some(parent),
            _ => None,
        }
    }

    /// The outermost object: the table of a comment on a column of it.
    pub fn root(self) -> ObjectId {
        let mut id = self;
        while let Some(parent) = id.parent() {
            id = parent;
        }
        id
    }

    /// The id of a schema.
    pub fn of_schema(name: impl Into<Ident>) -> ObjectId {
        Self::global(Kind::Schema, name)
    }

    /// The id of a role.
    pub fn of_role(name: impl Into<Ident>) -> ObjectId {
        Self::global(Kind::Role, name)
    }

    /// The id of a table.
    pub fn of_table(name: QName) -> ObjectId {
        Self::in_schema(Kind::Table, name)
    }

    /// The id of a collation.
    pub fn of_collation(name: QName) -> ObjectId {
        Self::in_schema(Kind::Collation, name)
    }

    /// Whether this is a role.
    pub fn is_role(self) -> bool {
        self.kind() == Kind::Role
    }

    /// Whether this is a schema.
    pub fn is_schema(self) -> bool {
        self.kind() == Kind::Schema
    }

    /// Whether this is the schema `public`, which every database has.
    pub fn is_public_schema(self) -> bool {
        self.is_schema() && self.name().as_str() == "public"
    }

    /// Whether `ancestor` is above this object.
    pub fn is_below(self, ancestor: ObjectId) -> bool {
        let mut id = self;
        while let Some(parent) = id.parent() {
            if parent == ancestor {
                return true;
            }
            id = parent;
        }
        false
    }

    /// The object's own name.
    pub fn name(self) -> Ident {
        match self.0.address {
            Address::Global(name) | Address::On(_, name) | Address::Of(_, name) => name,
            Address::InSchema(name) | Address::Routine(name, _) => name.name,
        }
    }

    /// The qualified name of an object that has one of its own.
    pub fn qname(self) -> Option<QName> {
        match self.0.address {
            Address::InSchema(name) | Address::Routine(name, _) => Some(name),
            _ => None,
        }
    }

    /// The schema that the object lives in; a schema lives in itself.
    pub fn schema(self) -> Option<Ident> {
        let root = self.root();
        match root.0.address {
            Address::Global(name) if root.kind() == Kind::Schema => Some(name),
            _ => root.qname().map(|name| name.schema),
        }
    }

    /// The same address with `from` replaced by `to`, at any depth.
    pub fn rebased(self, from: ObjectId, to: ObjectId) -> ObjectId {
        if self == from {
            return to;
        }
        match self.0.address {
            Address::On(parent, name) => Self::on(self.kind(), parent.rebased(from, to), name),
            Address::Of(parent, name) => Self::of(self.kind(), parent.rebased(from, to), name),
            _ => self,
        }
    }
}

impl PartialEq for ObjectId {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self.0, other.0)
    }
}

impl Eq for ObjectId {}

impl Hash for ObjectId {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (std::ptr::from_ref(self.0) as usize).hash(state);
    }
}

impl PartialOrd for ObjectId {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for ObjectId {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        if self == other { std::cmp::Ordering::Equal } else { self.0.cmp(other.0) }
    }
}

impl fmt::Display for ObjectId {
    /// For people: `table app.users`, `column app.users.id`, `policy "Own rows" on app.users`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = self.kind().word();
        match self.0.address {
            Address::Global(name) => write!(f, "{kind} {name}"),
            Address::InSchema(name) => write!(f, "{kind} {name}"),
            Address::Routine(name, arguments) => write!(f, "{kind} {name}({})", readable_types(arguments)),
            Address::On(parent, name) if self.kind() == Kind::Column => {
                write!(f, "{kind} {}.{name}", parent.path())
            }
            Address::On(parent, name) => write!(f, "{kind} {name} on {}", parent.path()),
            Address::Of(target, name) if name.is_empty() => write!(f, "{kind} on {target}"),
            Address::Of(target, name) => write!(f, "{kind} to {name} on {target}"),
        }
    }
}

impl ObjectId {
    /// The name with its parents, without the kind: `app.users.id`.
    pub fn path(self) -> String {
        match self.0.address {
            Address::Global(name) => name.to_string(),
            Address::InSchema(name) => name.to_string(),
            Address::Routine(name, arguments) => format!("{name}({})", readable_types(arguments)),
            Address::On(parent, name) => format!("{}.{name}", parent.path()),
            Address::Of(target, name) if name.is_empty() => target.path(),
            Address::Of(target, name) => format!("{} to {name}", target.path()),
        }
    }
}

/// Canonical argument types without the schema of PostgreSQL's own: a name without one is looked up there first.
pub fn readable_types(types: Text) -> String {
    let text = types.as_str();
    if text.contains('"') {
        return text.to_owned();
    }
    text.split(", ").map(|one| one.strip_prefix("pg_catalog.").unwrap_or(one)).collect::<Vec<_>>().join(", ")
}

impl fmt::Debug for ObjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A name that PostgreSQL keeps unique, across kinds: what one object frees, another may take.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub enum Slot {
    /// Tables, views, indexes and sequences share one space of names in a schema (pg_class).
    Relation(QName),
    /// Types share one with the row types of relations (pg_type).
    Type(QName),
    /// Functions, procedures and aggregates: schema, name and input types (pg_proc).
    Routine(QName, Text),
    /// Constraints of a relation or domain, triggers, policies, rules, columns: kind class and name on their parent.
    On(&'static str, ObjectId, Ident),
    /// Any other object: its own id.
    Own(ObjectId),
}
