//! What an object is: the contract of a kind, and the storage that joins the kinds.
//!
//! A trait is the contract, an enum is the storage, one macro joins them. The order of `kinds!` breaks ties in the
//! output, so that it reads well: what others stand on comes first.

use crate::analyse::{Found, World};
use crate::catalog::Catalog;
use crate::fragment::Fragment;
use crate::id::{ObjectId, Slot};
use crate::ident::{Ident, QName, Text};
use crate::kinds;
use crate::question::Questions;
use crate::reference::Reference;
use crate::step::Steps;
use crate::type_name::TypeName;
use crate::write::Writer;
use std::fmt::Debug;
use std::hash::Hash;

/// How objects of a kind behave when something that they use goes away or changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Nature {
    /// Dropping it and creating it anew loses nothing (a view, a policy); false for what holds data.
    pub rebuildable: bool,
    /// PostgreSQL itself carries it through a change of a column's type (an index, a check, a foreign key).
    pub survives_type_change: bool,
    /// It has no statement of its own for going away with its parent: `DROP TABLE` takes it along.
    pub dies_with_parent: bool,
}

impl Nature {
    /// Holds data: never rebuilt.
    pub const DATA: Nature =
        Nature { rebuildable: false, survives_type_change: true, dies_with_parent: true };
    /// Can be dropped and created at any time, and must be when a column it uses changes its type.
    pub const REBUILT: Nature =
        Nature { rebuildable: true, survives_type_change: false, dies_with_parent: true };
    /// Can be dropped and created, and is carried along by PostgreSQL when a column's type changes.
    pub const CARRIED: Nature =
        Nature { rebuildable: true, survives_type_change: true, dies_with_parent: true };
}

/// What it takes to get from one object to another of the same id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Alter {
    /// The steps do it, and nobody who uses the object is concerned.
    InPlace,
    /// The steps do it, but PostgreSQL refuses while some dependents exist; why.
    Disturb(&'static str),
    /// It must be dropped and created; why. Steps that were pushed are ignored.
    Replace(&'static str),
    /// What it stands on must be dropped and created; why. Steps that were pushed are ignored.
    ReplaceParent(&'static str),
    /// A type that columns are made of must become otherwise: the old one gives up its name, a new one is created, the
    /// columns get from one to the other, and the old one is dropped; why. Steps that were pushed are ignored.
    Park(&'static str),
}

/// The server that a plan is for, as far as kinds need to know it.
#[derive(Clone, Debug)]
pub struct Server {
    /// Major version, 14 to 18.
    pub version: u32,
    /// The role that runs the plan.
    pub role: Ident,
}

/// What a kind may look at when it writes its steps.
#[derive(Clone, Copy)]
pub struct Context<'a> {
    /// The database as it is, with the names that it will have.
    pub current: &'a Catalog,
    /// The database as it shall be.
    pub desired: &'a Catalog,
    /// The server.
    pub server: &'a Server,
}

/// Why PostgreSQL would refuse a change, and what to do instead.
#[derive(Clone, Debug)]
pub struct Obstacle {
    /// What cannot be, and why.
    pub message: String,
    /// What can.
    pub help: &'static str,
}

/// Receives what stands inside an object, to read or rewrite it.
pub trait Visitor {
    /// A fragment; `place` names it within its object (`using`, `default`, `column 2`).
    fn fragment(&mut self, place: &str, fragment: &mut Fragment);
    /// A type.
    fn type_name(&mut self, type_name: &mut TypeName);
    /// A name of another object.
    fn reference(&mut self, reference: &mut Reference);
    /// The name of a column of the relation that the object stands on, or of another one.
    fn column(&mut self, _of: Option<&Reference>, _name: &mut Ident) {}
}

/// The contract of a kind.
pub trait ObjectKind: Clone + Eq + Hash + Debug {
    /// How the object behaves.
    fn nature(&self) -> Nature;

    /// Shows the fragments, types and named references inside.
    fn visit(&mut self, visitor: &mut dyn Visitor);

    /// Fills in what PostgreSQL would choose, once all names are resolved (the key a foreign key refers to).
    fn complete(&mut self, _id: ObjectId, _catalog: &Catalog) {}

    /// Takes over from the current object what the files leave alone: owner, position.
    fn inherit(&mut self, _current: &Self) {}

    /// The role that it belongs to, where that is known and is an own matter of this kind.
    fn owner(&self) -> Option<Ident> {
        None
    }

    /// Says who it shall belong to.
    fn take_owner(&mut self, _owner: Option<Ident>) {}

    /// The satellites that PostgreSQL adds by itself when the object is created: privileges by default.
    fn implies(&self, _id: ObjectId, _context: &Context<'_>) -> Vec<(ObjectId, Object)> {
        Vec::new()
    }

    /// Whether what refers to it means the same as with `old`, though the two differ: a function with another body.
    fn means_as(&self, _old: &Self) -> bool {
        false
    }

    /// Whether it says nothing but a name that PostgreSQL chose, before what it belongs to got another one.
    fn is_left_over(&self) -> bool {
        false
    }

    /// Takes an answer of the server that is no fragment's stored text (what a view's columns would be).
    fn answer(&mut self, _place: &str, _text: &str) {}

    /// Name slots beyond those of its id: a table has one primary key, whatever its name.
    fn extra_slots(&self, _id: ObjectId) -> Vec<Slot> {
        Vec::new()
    }

    /// More types that it brings: a range's multirange.
    fn brings_types(&self, _id: ObjectId) -> Vec<QName> {
        Vec::new()
    }

    /// The id that its contents give it: a routine is called by its argument types, which may have to be resolved or
    /// get other names.
    fn address(&self, id: ObjectId) -> ObjectId {
        id
    }

    /// Takes the role that applies the plan, where the files leave open whose the object is. Whether its address
    /// may have changed with that.
    fn take_role(&mut self, _role: Ident) -> bool {
        false
    }

    /// The schema in which creating it makes objects that no file declares: an extension's.
    fn brings(&self) -> Option<Ident> {
        None
    }

    /// It is new on an object that exists: its place is behind the siblings that are there.
    fn append(&mut self) {}

    /// Its place among its siblings, where they have an order of their own (columns).
    fn place(&self) -> u32 {
        0
    }

    /// Adds what the object uses beyond its parent, its fragments and references: columns by position or name.
    fn uses(&self, _id: ObjectId, _catalog: &Catalog, _out: &mut Vec<ObjectId>) {}

    /// The object that it is a part of, rows and all: a partition's table. It goes and comes back with that.
    fn whole(&self) -> Option<ObjectId> {
        None
    }

    /// What cannot go before it does, though it does not use it: the partitions of a table that a foreign key refers to.
    fn holds(&self, _id: ObjectId, _catalog: &Catalog) -> Vec<ObjectId> {
        Vec::new()
    }

    /// Whether it goes before what it uses becomes of another type, though PostgreSQL carries its kind through most.
    fn gives_way(&self, _id: ObjectId, _context: &Context<'_>) -> bool {
        false
    }

    /// What changes at the same moment, for whoever writes: the default of a column that begins or ends to be numbered.
    fn at_once(&self, _id: ObjectId, _context: &Context<'_>) -> Vec<ObjectId> {
        Vec::new()
    }

    /// What is made anew when it comes or changes: an index of a partitioned table that has a part of its name, a foreign
    /// key to rows that are somewhere else for a moment.
    fn unsettles(&self, _id: ObjectId, _context: &Context<'_>) -> Vec<ObjectId> {
        Vec::new()
    }

    /// What comes or changes only after it has changed, and at the same moment: the partitions that take its room.
    fn makes_room(&self, _id: ObjectId, _context: &Context<'_>) -> Vec<ObjectId> {
        Vec::new()
    }

    /// Whether what it is about goes away with what it uses (an owned sequence with the column).
    fn takes_along(&self) -> bool {
        false
    }

    /// What must be gone before it is created (or changed, where it is a whole object): PostgreSQL would take it for a
    /// part of what is created, or could not change what has it.
    fn comes_after(&self, _id: ObjectId, _context: &Context<'_>) -> Vec<ObjectId> {
        Vec::new()
    }

    /// What PostgreSQL would refuse about bringing it about on a database that has data.
    fn obstacle(&self, _id: ObjectId, _context: &Context<'_>) -> Option<Obstacle> {
        None
    }

    /// Writes the steps that create it. What stands in a table's parentheses also gives its element.
    fn create(&self, id: ObjectId, context: &Context<'_>, out: &mut Steps);

    /// Writes the steps from `old` to `new`. Begins by destructuring `new` without `..`, so that a new field does
    /// not compile until it is considered here.
    fn alter(old: &Self, new: &Self, id: ObjectId, context: &Context<'_>, out: &mut Steps) -> Alter;

    /// Writes the steps that drop it. `id` is its name at that moment.
    fn drop(&self, id: ObjectId, context: &Context<'_>, out: &mut Steps);

    /// Writes the steps that give it a new address (SET SCHEMA, RENAME). Only for kinds that `moved_from` or
    /// `renamed_from` can name.
    fn rename(&self, _from: ObjectId, _to: ObjectId, _context: &Context<'_>, _out: &mut Steps) {}

    /// Asks the server how it would store the fragments: statements on stand-ins in pg_temp, and what to read back.
    fn ask(&self, _id: ObjectId, _context: &Context<'_>, _out: &mut Questions) {}

    /// Says without a server how it would be stored: for each place of a fragment, the text or why it is not known.
    fn analyse(&self, _id: ObjectId, _world: &World<'_>, _out: &mut Found) {}

    /// The query that it is made by, with the names of its columns where they are given beside it.
    fn query(&self) -> Option<(&Fragment, &[Ident])> {
        None
    }

    /// Writes the entry that declares it; see [`crate::write`]. What has no form in the language is said there.
    fn write(&self, id: ObjectId, out: &mut Writer<'_>) {
        out.missing_whole(id);
    }

    /// The fragment of a place in what the server gave back for it: `pg_get_indexdef` gives a whole statement.
    fn stored(_place: &str, text: &str) -> String {
        text.to_owned()
    }
}

macro_rules! kinds {
    ($($variant:ident ($type:ty) $word:literal,)*) => {
        /// The kinds of objects, in the order that breaks ties in the output.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Kind {
            $(#[doc = $word] $variant,)*
        }

        impl Kind {
            /// All kinds, in order.
            pub const ALL: &'static [Kind] = &[$(Kind::$variant,)*];

            /// PostgreSQL's word for the kind.
            pub fn word(self) -> &'static str {
                match self { $(Kind::$variant => $word,)* }
            }

            /// See [`ObjectKind::stored`].
            pub fn stored(self, place: &str, text: &str) -> String {
                match self { $(Kind::$variant => <$type as ObjectKind>::stored(place, text),)* }
            }
        }

        /// What an object is.
        #[derive(Clone, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
        pub enum Object {
            $(#[doc = $word] $variant($type),)*
        }

        impl Object {
            /// Its kind.
            pub fn kind(&self) -> Kind {
                match self { $(Object::$variant(_) => Kind::$variant,)* }
            }

            /// How it behaves.
            pub fn nature(&self) -> Nature {
                match self { $(Object::$variant(object) => ObjectKind::nature(object),)* }
            }

            /// See [`ObjectKind::visit`].
            pub fn visit(&mut self, visitor: &mut dyn Visitor) {
                match self { $(Object::$variant(object) => object.visit(visitor),)* }
            }

            /// See [`ObjectKind::complete`].
            pub fn complete(&mut self, id: ObjectId, catalog: &Catalog) {
                match self { $(Object::$variant(object) => ObjectKind::complete(object, id, catalog),)* }
            }

            /// See [`ObjectKind::inherit`].
            pub fn inherit(&mut self, current: &Self) {
                match (self, current) {
                    $((Object::$variant(object), Object::$variant(current)) => object.inherit(current),)*
                    _ => {}
                }
            }

            /// See [`ObjectKind::means_as`].
            pub fn means_as(&self, old: &Self) -> bool {
                match (self, old) {
                    $((Object::$variant(object), Object::$variant(old)) => object.means_as(old),)*
                    _ => false,
                }
            }

            /// See [`ObjectKind::is_left_over`].
            pub fn is_left_over(&self) -> bool {
                match self { $(Object::$variant(object) => object.is_left_over(),)* }
            }

            /// See [`ObjectKind::owner`].
            pub fn owner(&self) -> Option<Ident> {
                match self { $(Object::$variant(object) => ObjectKind::owner(object),)* }
            }

            /// See [`ObjectKind::take_owner`].
            pub fn take_owner(&mut self, owner: Option<Ident>) {
                match self { $(Object::$variant(object) => ObjectKind::take_owner(object, owner),)* }
            }

            /// See [`ObjectKind::implies`].
            pub fn implies(&self, id: ObjectId, context: &Context<'_>) -> Vec<(ObjectId, Object)> {
                match self { $(Object::$variant(object) => object.implies(id, context),)* }
            }

            /// See [`ObjectKind::comes_after`].
            pub fn comes_after(&self, id: ObjectId, context: &Context<'_>) -> Vec<ObjectId> {
                match self { $(Object::$variant(object) => ObjectKind::comes_after(object, id, context),)* }
            }

            /// See [`ObjectKind::gives_way`].
            pub fn gives_way(&self, id: ObjectId, context: &Context<'_>) -> bool {
                match self { $(Object::$variant(object) => ObjectKind::gives_way(object, id, context),)* }
            }

            /// See [`ObjectKind::obstacle`].
            pub fn obstacle(&self, id: ObjectId, context: &Context<'_>) -> Option<Obstacle> {
                match self { $(Object::$variant(object) => ObjectKind::obstacle(object, id, context),)* }
            }

            /// See [`ObjectKind::answer`].
            pub fn answer(&mut self, place: &str, text: &str) {
                match self { $(Object::$variant(object) => ObjectKind::answer(object, place, text),)* }
            }

            /// The name slots that the object takes.
            pub fn slots(&self, id: ObjectId) -> Vec<Slot> {
                let mut slots = slots(id);
                slots.extend(match self { $(Object::$variant(object) => ObjectKind::extra_slots(object, id),)* });
                slots.extend(self.brings_types(id).into_iter().map(Slot::Type));
                slots
            }

            /// See [`ObjectKind::brings_types`].
            pub fn brings_types(&self, id: ObjectId) -> Vec<QName> {
                match self { $(Object::$variant(object) => ObjectKind::brings_types(object, id),)* }
            }

            /// See [`ObjectKind::address`].
            pub fn address(&self, id: ObjectId) -> ObjectId {
                match self { $(Object::$variant(object) => ObjectKind::address(object, id),)* }
            }

            /// See [`ObjectKind::take_role`].
            pub fn take_role(&mut self, role: Ident) -> bool {
                match self { $(Object::$variant(object) => ObjectKind::take_role(object, role),)* }
            }

            /// See [`ObjectKind::brings`].
            pub fn brings(&self) -> Option<Ident> {
                match self { $(Object::$variant(object) => ObjectKind::brings(object),)* }
            }

            /// See [`ObjectKind::append`].
            pub fn append(&mut self) {
                match self { $(Object::$variant(object) => ObjectKind::append(object),)* }
            }

            /// See [`ObjectKind::place`].
            pub fn place(&self) -> u32 {
                match self { $(Object::$variant(object) => ObjectKind::place(object),)* }
            }

            /// See [`ObjectKind::whole`].
            pub fn whole(&self) -> Option<ObjectId> {
                match self { $(Object::$variant(object) => ObjectKind::whole(object),)* }
            }

            /// See [`ObjectKind::at_once`].
            pub fn at_once(&self, id: ObjectId, context: &Context<'_>) -> Vec<ObjectId> {
                match self { $(Object::$variant(object) => ObjectKind::at_once(object, id, context),)* }
            }

            /// See [`ObjectKind::unsettles`].
            pub fn unsettles(&self, id: ObjectId, context: &Context<'_>) -> Vec<ObjectId> {
                match self { $(Object::$variant(object) => ObjectKind::unsettles(object, id, context),)* }
            }

            /// See [`ObjectKind::makes_room`].
            pub fn makes_room(&self, id: ObjectId, context: &Context<'_>) -> Vec<ObjectId> {
                match self { $(Object::$variant(object) => ObjectKind::makes_room(object, id, context),)* }
            }

            /// See [`ObjectKind::holds`].
            pub fn holds(&self, id: ObjectId, catalog: &Catalog) -> Vec<ObjectId> {
                match self { $(Object::$variant(object) => ObjectKind::holds(object, id, catalog),)* }
            }

            /// See [`ObjectKind::takes_along`].
            pub fn takes_along(&self) -> bool {
                match self { $(Object::$variant(object) => ObjectKind::takes_along(object),)* }
            }

            /// See [`ObjectKind::uses`].
            pub fn uses(&self, id: ObjectId, catalog: &Catalog, out: &mut Vec<ObjectId>) {
                match self { $(Object::$variant(object) => ObjectKind::uses(object, id, catalog, out),)* }
            }

            /// See [`ObjectKind::create`].
            pub fn create(&self, id: ObjectId, context: &Context<'_>, out: &mut Steps) {
                match self { $(Object::$variant(object) => object.create(id, context, out),)* }
            }

            /// See [`ObjectKind::alter`]. Objects of two kinds are replaced.
            pub fn alter(old: &Self, new: &Self, id: ObjectId, context: &Context<'_>, out: &mut Steps) -> Alter {
                match (old, new) {
                    $((Object::$variant(old), Object::$variant(new)) => ObjectKind::alter(old, new, id, context, out),)*
                    _ => Alter::Replace("it becomes an object of another kind"),
                }
            }

            /// See [`ObjectKind::drop`].
            pub fn drop(&self, id: ObjectId, context: &Context<'_>, out: &mut Steps) {
                match self { $(Object::$variant(object) => ObjectKind::drop(object, id, context, out),)* }
            }

            /// See [`ObjectKind::rename`].
            pub fn rename(&self, from: ObjectId, to: ObjectId, context: &Context<'_>, out: &mut Steps) {
                match self { $(Object::$variant(object) => object.rename(from, to, context, out),)* }
            }

            /// See [`ObjectKind::write`].
            pub fn write(&self, id: ObjectId, out: &mut Writer<'_>) {
                match self { $(Object::$variant(object) => ObjectKind::write(object, id, out),)* }
            }

            /// See [`ObjectKind::analyse`].
            pub fn analyse(&self, id: ObjectId, world: &World<'_>, out: &mut Found) {
                match self { $(Object::$variant(object) => ObjectKind::analyse(object, id, world, out),)* }
            }

            /// See [`ObjectKind::query`].
            pub fn query(&self) -> Option<(&Fragment, &[Ident])> {
                match self { $(Object::$variant(object) => ObjectKind::query(object),)* }
            }

            /// See [`ObjectKind::ask`].
            pub fn ask(&self, id: ObjectId, context: &Context<'_>, out: &mut Questions) {
                match self { $(Object::$variant(object) => object.ask(id, context, out),)* }
            }
        }
    };
}

kinds! {
    Role (kinds::opaque::Opaque) "role",
    Schema (kinds::schema::Schema) "schema",
    Extension (kinds::extension::Extension) "extension",
    Language (kinds::opaque::Opaque) "language",
    Collation (kinds::collation::Collation) "collation",
    Enum (kinds::enumeration::Enum) "enum type",
    Domain (kinds::domain::Domain) "domain",
    Composite (kinds::composite::Composite) "composite type",
    Range (kinds::range::Range) "range type",
    BaseType (kinds::opaque::Opaque) "base type",
    Sequence (kinds::sequence::Sequence) "sequence",
    Function (kinds::function::Function) "function",
    Aggregate (kinds::aggregate::Aggregate) "aggregate",
    ForeignDataWrapper (kinds::foreign_data_wrapper::ForeignDataWrapper) "foreign data wrapper",
    Server (kinds::server::Server) "foreign server",
    Table (kinds::table::Table) "table",
    ForeignTable (kinds::foreign_table::ForeignTable) "foreign table",
    Column (kinds::column::Column) "column",
    IdentitySequence (kinds::identity_sequence::IdentitySequence) "identity sequence",
    NotNull (kinds::not_null::NotNull) "not-null constraint",
    Default (kinds::default::Default) "default",
    Check (kinds::check::Check) "check",
    Key (kinds::key::Key) "key",
    Exclusion (kinds::exclusion::Exclusion) "exclusion constraint",
    Index (kinds::index::Index) "index",
    View (kinds::view::View) "view",
    MaterializedView (kinds::materialized_view::MaterializedView) "materialized view",
    Statistics (kinds::statistics::Statistics) "statistics",
    ForeignKey (kinds::foreign_key::ForeignKey) "foreign key",
    Rule (kinds::rule::Rule) "rule",
    Trigger (kinds::trigger::Trigger) "trigger",
    CopiedTrigger (kinds::copied_trigger::CopiedTrigger) "copied trigger",
    Policy (kinds::policy::Policy) "policy",
    Publication (kinds::publication::Publication) "publication",
    Member (kinds::member::Member) "publication member",
    OwnedBy (kinds::owned_by::OwnedBy) "ownership",
    Comment (kinds::comment::Comment) "comment",
    Grant (kinds::grant::Grant) "privileges",
    DefaultPrivileges (kinds::default_privileges::DefaultPrivileges) "default privileges",
    EventTrigger (kinds::event_trigger::EventTrigger) "event trigger",
    Unmodelled (kinds::opaque::Opaque) "object",
}

impl Object {
    /// Whether these are privileges, and this is one of them.
    pub fn gives(&self, privilege: Text) -> bool {
        matches!(self, Object::Grant(grant) if grant.privileges.contains_key(&privilege))
    }

    /// Whether schemac only reads objects of this kind and writes nothing for them.
    pub fn is_opaque(&self) -> bool {
        !Kind::MODELLED.contains(&self.kind())
    }
}

/// The name slots that an object of that id takes.
pub fn slots(id: ObjectId) -> Vec<Slot> {
    use crate::id::Address;
    let relation = |name: QName| Slot::Relation(name);
    match (id.kind(), id.address()) {
        (Kind::Sequence, Address::InSchema(name)) => vec![relation(name)],
        (kind, Address::InSchema(name)) if kind.is_relation() => vec![relation(name), Slot::Type(name)],
        (Kind::Composite, Address::InSchema(name)) => vec![relation(name), Slot::Type(name)],
        (kind, Address::InSchema(name)) if kind.is_type() => vec![Slot::Type(name)],
        (_, Address::Routine(name, arguments)) => vec![Slot::Routine(name, arguments)],
        (Kind::Index, Address::On(parent, name)) => {
            parent.schema().map(|schema| relation(QName::new(schema, name))).into_iter().collect()
        }
        (Kind::Key | Kind::Exclusion, Address::On(parent, name)) => parent
            .schema()
            .map(|schema| relation(QName::new(schema, name)))
            .into_iter()
            .chain([Slot::On("constraint", parent, name)])
            .collect(),
        (Kind::Check | Kind::ForeignKey, Address::On(parent, name)) => {
            vec![Slot::On("constraint", parent, name)]
        }
        (kind, Address::On(parent, name)) => vec![Slot::On(kind.word(), parent, name)],
        _ => vec![Slot::Own(id)],
    }
}
