//! What clients of the old names will find after a plan: found in the database and the project, not guessed.
//!
//! `structure` looks at objects, `bodies` at the texts of functions and at string constants, both for names that move;
//! `words`, `places` and `together` say what stands in such a text.
//! Not here: what is shown of it (the compiler's `render`), and what the queries of clients do that nobody can see.

mod bodies;
mod places;
mod structure;
mod together;
mod words;

use crate::catalog::Catalog;
use crate::declare::Facade;
use crate::id::ObjectId;
use crate::ident::{Ident, QName};
use crate::kinds::key;
use crate::object::Kind;
use crate::span::Span;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// How much a finding weighs for clients.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Weight {
    /// Something ends with an error, or without its rows.
    Breaks,
    /// Something answers otherwise.
    Changes,
    /// It cannot be read.
    Unknown,
    /// It goes on working, through a facade or otherwise.
    Works,
}

impl Weight {
    /// For programs and people.
    pub fn word(self) -> &'static str {
        match self {
            Weight::Breaks => "breaks",
            Weight::Changes => "changes",
            Weight::Unknown => "unknown",
            Weight::Works => "works",
        }
    }
}

macro_rules! rules {
    ($($name:ident $word:literal $weight:ident $why:literal $help:literal)*) => {
        /// What a finding is about.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Rule {
            $(#[doc = $why] $name,)*
        }

        impl Rule {
            /// All, in the order in which they are shown.
            pub const ALL: &'static [Rule] = &[$(Rule::$name,)*];

            /// For programs.
            pub fn word(self) -> &'static str {
                match self { $(Rule::$name => $word,)* }
            }

            /// How much it weighs.
            pub fn weight(self) -> Weight {
                match self { $(Rule::$name => Weight::$weight,)* }
            }

            /// Why it matters.
            pub fn why(self) -> &'static str {
                match self { $(Rule::$name => $why,)* }
            }

            /// What to do about it.
            pub fn help(self) -> &'static str {
                match self { $(Rule::$name => $help,)* }
            }
        }
    };
}

rules! {
    NoFacade "no-facade" Breaks
        "the old name is gone, and nothing stands in its place"
        "write the new name, or give the old one a facade"
    SequenceName "sequence-name" Breaks
        "the sequence moves with its table, and a sequence has no facade"
        "write the sequence's new name"
    IndexName "index-name" Breaks
        "the index moves with its table, and an index has no facade"
        "write the index's new name"
    SerialSequence "serial-sequence" Breaks
        "the columns of a facade own no sequence: pg_get_serial_sequence answers NULL"
        "write the table's new name"
    TypeName "type-name" Breaks
        "the type moves, and a type has no facade"
        "write the type's new name"
    FunctionName "function-name" Breaks
        "the function moves, and its old name has no facade"
        "write the new name, or give the old one a facade"
    RowTypeFunction "row-type-function" Breaks
        "it takes rows of the table; rows of the facade are of another type, so that calls with them find no function"
        "say `row_functions: true` on the facade, which makes overloads that take its rows, or call it with rows of the table"
    RoutineUsage "routine-usage" Breaks
        "what stands in its place is bound when it runs (of procedures, and of functions with types like anyelement): its callers need USAGE on the new schema, and these have none"
        "grant USAGE on the new schema, in its file (`grants: { ROLE: usage }`), or write the new name there too"
    ConflictConstraint "on-conflict-on-constraint" Breaks
        "the constraint is the table's, and a facade has none"
        "write ON CONFLICT (columns), or the table's new name"
    ConflictTrigger "on-conflict" Breaks
        "INSTEAD OF triggers take no ON CONFLICT"
        "write the table's new name, or let PostgreSQL write through the facade (`writes: auto`)"
    Truncate "truncate" Breaks
        "a view cannot be truncated"
        "write the table's new name"
    Copy "copy" Breaks
        "COPY does not go through a view"
        "write the table's new name; COPY (SELECT …) TO works"
    Merge "merge" Breaks
        "MERGE into a view needs PostgreSQL 17, and no INSTEAD OF triggers for only some of its actions"
        "write the table's new name"
    SystemColumn "system-column" Breaks
        "a view has no ctid, xmin or tableoid"
        "write the table's new name"
    Ddl "ddl" Breaks
        "the old name is a view now, and the statement is for tables"
        "write the table's new name"
    ColumnPrivilege "column-privilege" Breaks
        "a facade that runs as its caller needs SELECT on every column that it shows, and this role has it on some only"
        "grant SELECT on the whole table, or say `security: definer` where the table has no row-level security"
    PublicationLost "publication-lost" Breaks
        "the publication holds the tables of the old schema: subscribers would silently hear nothing more of it"
        "say `published_in:` in the table's entry, or publish the new schema too"
    TriggerSchema "trigger-table-name" Changes
        "TG_TABLE_SCHEMA and TG_TABLE_NAME say what the table is called now"
        "compare with the new name, or pass a name as the trigger's argument"
    PublicationName "publication-name" Changes
        "subscribers and realtime clients hear of the table by its new name"
        "let them listen to the new name too"
    RowTypeResult "row-type-result" Changes
        "it returns rows of the table, whose type has the new name: an API server that embeds by what a function returns looks for relationships there"
        "let it return rows of the facade where clients embed by it, or let the server show the new schema too"
    ClientTypes "client-types" Changes
        "information_schema shows every column of a view as nullable and without identity, so that generated client types change"
        "generate client types from the table's new schema"
    RelationText "name-in-text" Changes
        "a text with the old name means the facade"
        "write the new name where the table is meant"
    OtherLanguage "other-language" Unknown
        "the old name stands in a body that schemac does not read"
        "look at it"
    DynamicSql "dynamic-sql" Unknown
        "the statement is put together when it runs, and cannot be read here"
        "look for old names in what it is made of"
    Unreadable "unreadable" Unknown
        "the text cannot be read or taken apart"
        "look at it"
    OldName "old-name" Works
        "it goes through the facade"
        "write the new name before the facade goes"
    CrossDomain "foreign-key-crosses-domains" Works
        "the foreign key crosses domains; it goes on working"
        "nothing has to be done; whoever drops one domain meets the other"
}

/// One thing that was found.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Finding {
    /// What it is about.
    pub rule: Rule,
    /// The old name that it is about; none where it may be any.
    pub old: Option<ObjectId>,
    /// The object in which it was found.
    pub at: ObjectId,
    /// The line in a function's body as PostgreSQL stores it, from 1: PL/pgSQL's errors count so too.
    pub line: Option<usize>,
    /// The place in a file.
    pub span: Option<Span>,
    /// What stands there, where that says more: `nextval('public.users_id_seq')`, the role, the publication.
    pub what: String,
}

/// An old name, and what becomes of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OldName {
    /// What it was.
    pub old: ObjectId,
    /// What it is now.
    pub now: ObjectId,
    /// What stands in its place.
    pub facade: Option<ObjectId>,
    /// What goes on working through it.
    pub works: Vec<&'static str>,
    /// What does not.
    pub stops: Vec<&'static str>,
}

/// What a plan means for the clients of old names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Compatibility {
    /// The old names, in order.
    pub names: Vec<OldName>,
    /// What was found, the worst first.
    pub findings: Vec<Finding>,
    /// An API server that keeps a picture of the exposed schemas has to look again.
    pub reload: bool,
}

impl Compatibility {
    /// Whether there is nothing to say.
    pub fn is_empty(&self) -> bool {
        self.names.is_empty() && self.findings.is_empty() && !self.reload
    }
}

/// SQL that is in no object: what a scheduler runs.
#[derive(Clone, Debug)]
pub struct Outside {
    /// The object in whose rows it stands.
    pub at: ObjectId,
    /// What it is called there.
    pub label: String,
    /// The text.
    pub sql: String,
}

/// What the report is made from.
#[derive(Clone, Copy, Debug)]
pub struct Sides<'a> {
    /// The whole objects that move: old and new name.
    pub moved: &'a [(ObjectId, ObjectId)],
    /// The database as it is.
    pub before: &'a Catalog,
    /// What it shall be, with names bound.
    pub desired: &'a Catalog,
    /// The project's facades.
    pub facades: &'a [Facade],
    /// Where unqualified names are looked up by who has no search_path of its own.
    pub search_path: &'a [Ident],
    /// The schemas that an API serves; none where the project does not say.
    pub exposed: &'a BTreeSet<Ident>,
    /// The server's major version.
    pub version: u32,
    /// SQL that is in no object.
    pub outside: &'a [Outside],
    /// Where there is SQL that may not be read, and why.
    pub hidden: Option<(ObjectId, &'static str)>,
}

/// Looks for everything that knows an old name.
pub fn report(sides: &Sides<'_>) -> Compatibility {
    let old = Old::of(sides);
    if old.moved.is_empty() {
        return Compatibility::default();
    }
    let mut findings = BTreeSet::new();
    structure::find(sides, &old, &mut findings);
    bodies::find(sides, &old, &mut findings);
    if let Some((at, why)) = sides.hidden {
        let rule = Rule::Unreadable;
        findings.insert(Finding { rule, old: None, at, line: None, span: None, what: why.to_owned() });
    }
    let mut findings: Vec<Finding> = findings.into_iter().collect();
    findings.sort_by_key(|finding| (finding.rule.weight(), finding.rule));
    Compatibility { names: structure::names(sides, &old), findings, reload: false }
}

/// Where the bodies of functions use the name of a facade without its schema: it means the facade and not the table.
pub fn bare_names(desired: &Catalog, facades: &[Facade], search_path: &[Ident]) -> Vec<Finding> {
    let views = facades.iter().filter(|facade| facade.id.kind() == Kind::View);
    let moved: Vec<(ObjectId, ObjectId)> =
        views.map(|facade| (ObjectId::in_schema(Kind::Table, facade.name), facade.of)).collect();
    if moved.is_empty() {
        return Vec::new();
    }
    let exposed = BTreeSet::new();
    let sides = Sides {
        moved: &moved,
        before: desired,
        desired,
        facades,
        search_path,
        exposed: &exposed,
        version: 0,
        outside: &[],
        hidden: None,
    };
    let mut findings = BTreeSet::new();
    bodies::find_bare(&sides, &Old::of(&sides), &mut findings);
    findings.into_iter().collect()
}

/// An old name.
#[derive(Clone, Copy, Debug)]
struct Moved {
    old: ObjectId,
    now: ObjectId,
    facade: Option<ObjectId>,
    /// INSTEAD OF triggers write through the facade.
    triggers: bool,
}

/// The old names, by what they can be found by.
struct Old {
    moved: Vec<Moved>,
    relations: HashMap<QName, usize>,
    types: HashMap<QName, usize>,
    routines: HashMap<QName, usize>,
    /// Everything that is called so in some schema.
    names: BTreeSet<Ident>,
    /// The objects that facades are made of.
    own: BTreeSet<ObjectId>,
}

impl Old {
    fn of(sides: &Sides<'_>) -> Self {
        let by_name: BTreeMap<(bool, QName), &Facade> = sides
            .facades
            .iter()
            .map(|facade| ((facade.id.kind().is_routine(), facade.name), facade))
            .collect();
        let mut old = Self {
            moved: Vec::new(),
            relations: HashMap::new(),
            types: HashMap::new(),
            routines: HashMap::new(),
            names: BTreeSet::new(),
            own: BTreeSet::new(),
        };
        for (from, now) in sides.moved {
            let (Some(name), Some(new)) = (from.qname(), now.qname()) else { continue };
            if name == new {
                continue;
            }
            let facade = by_name.get(&(from.kind().is_routine(), name)).map(|facade| facade.id);
            let triggers = facade.is_some_and(|facade| structure::has_triggers(sides.desired, facade));
            let at = old.moved.len();
            old.moved.push(Moved { old: *from, now: *now, facade, triggers });
            old.names.insert(name.name);
            if from.kind().is_relation() {
                old.relations.insert(name, at);
            } else if from.kind().is_type() {
                old.types.insert(name, at);
            } else if from.kind().is_routine() {
                old.routines.insert(name, at);
            }
        }
        for (from, now) in sides.moved.iter().filter(|(from, now)| from.schema() != now.schema()) {
            old.identities(sides.before, *from, *now);
            old.indexes(sides.before, *from, *now);
        }
        for facade in sides.facades {
            old.own.insert(facade.id);
            old.own.extend(structure::trigger_functions(sides.desired, facade.id));
        }
        old
    }

    /// The sequences of identity columns go along. They are no objects of their own; their names are those that
    /// PostgreSQL gives.
    fn identities(&mut self, before: &Catalog, from: ObjectId, now: ObjectId) {
        let Some(old) = from.qname() else { return };
        for (id, column) in before.columns(from) {
            if column.identity.is_some() {
                let name = key::chosen_name(old.name.as_str(), id.name().as_str(), "seq");
                self.along(Kind::Sequence, Ident::new(name.as_str()), (from, now));
            }
        }
    }

    /// Indexes go along, those of keys too; SQL that is for an index says its name.
    fn indexes(&mut self, before: &Catalog, from: ObjectId, now: ObjectId) {
        for kind in [Kind::Index, Kind::Key, Kind::Exclusion] {
            for id in before.children_of(from, kind) {
                self.along(Kind::Index, id.name(), (from, now));
            }
        }
    }

    /// What moves with a table and keeps its name.
    fn along(&mut self, kind: Kind, name: Ident, (from, now): (ObjectId, ObjectId)) {
        let (Some(old), Some(new)) = (from.schema(), now.schema()) else { return };
        let at = |schema| ObjectId::in_schema(kind, QName { schema, name });
        self.names.insert(name);
        self.relations.insert(QName { schema: old, name }, self.moved.len());
        self.moved.push(Moved { old: at(old), now: at(new), facade: None, triggers: false });
    }
}
