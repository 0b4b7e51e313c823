//! What the stages ask about a kind, so that they need not name it.
//!
//! Not here: what an object of the kind does (`object`).

use crate::object::Kind;

impl Kind {
    /// The kinds that can be declared; the others are read, so that names resolve and dependents are known.
    pub const MODELLED: &'static [Kind] = &[
        Kind::Schema,
        Kind::Extension,
        Kind::Collation,
        Kind::Function,
        Kind::Aggregate,
        Kind::Enum,
        Kind::Domain,
        Kind::Composite,
        Kind::Range,
        Kind::Sequence,
        Kind::ForeignDataWrapper,
        Kind::Server,
        Kind::Table,
        Kind::ForeignTable,
        Kind::Column,
        Kind::IdentitySequence,
        Kind::NotNull,
        Kind::Default,
        Kind::Check,
        Kind::Key,
        Kind::Exclusion,
        Kind::Index,
        Kind::View,
        Kind::MaterializedView,
        Kind::Statistics,
        Kind::ForeignKey,
        Kind::Rule,
        Kind::Trigger,
        Kind::CopiedTrigger,
        Kind::Policy,
        Kind::Publication,
        Kind::Member,
        Kind::OwnedBy,
        Kind::Comment,
        Kind::Grant,
        Kind::DefaultPrivileges,
        Kind::EventTrigger,
    ];

    /// Whether objects of this kind are only said of another one: they have no name, or that of a role.
    pub fn is_satellite(self) -> bool {
        matches!(
            self,
            Kind::IdentitySequence
                | Kind::NotNull
                | Kind::Default
                | Kind::OwnedBy
                | Kind::Comment
                | Kind::Grant
        )
    }

    /// Whether objects of this kind are relations (pg_class) of their own, with a row type.
    pub fn is_relation(self) -> bool {
        matches!(
            self,
            Kind::Table | Kind::ForeignTable | Kind::View | Kind::MaterializedView | Kind::Sequence
        )
    }

    /// Whether `LOCK TABLE` takes objects of this kind; with a view it takes the tables below.
    pub fn can_be_locked(self) -> bool {
        matches!(self, Kind::Table | Kind::View)
    }

    /// Whether objects of this kind are made by a query, which gives them their columns.
    pub fn is_view(self) -> bool {
        matches!(self, Kind::View | Kind::MaterializedView)
    }

    /// Whether objects of this kind are types (pg_type) of their own.
    pub fn is_type(self) -> bool {
        matches!(self, Kind::Enum | Kind::Domain | Kind::Composite | Kind::Range | Kind::BaseType)
    }

    /// Whether objects of this kind bring others, which go with them (an extension's members).
    pub fn has_members(self) -> bool {
        self == Kind::Extension
    }

    /// Whether objects of this kind change what later statements make or do, and so come last.
    pub fn comes_last(self) -> bool {
        matches!(self, Kind::DefaultPrivileges | Kind::EventTrigger)
    }

    /// Whether what refers to objects of this kind means the same however they change: the values of an enum are
    /// compared by the same operators whichever they are, and no expression depends on a sequence's step.
    pub fn keeps_meaning(self) -> bool {
        matches!(self, Kind::Enum | Kind::Sequence)
    }

    /// Whether objects of this kind read best when all others are there: foreign keys join what stands apart.
    pub fn reads_late(self) -> bool {
        self == Kind::ForeignKey
    }

    /// Whether PostgreSQL evaluates expressions when it makes an object of this kind, or plans them, which opens the
    /// bodies of SQL functions: over rows, as an index's key, to see whether they are immutable.
    pub fn is_evaluated(self) -> bool {
        matches!(
            self,
            Kind::Table
                | Kind::Column
                | Kind::Default
                | Kind::Check
                | Kind::Exclusion
                | Kind::Index
                | Kind::Statistics
                | Kind::MaterializedView
        )
    }

    /// Whether `undeclared: drop` covers objects of this kind although they live in no schema.
    pub fn is_managed_globally(self) -> bool {
        matches!(
            self,
            Kind::Publication
                | Kind::Extension
                | Kind::DefaultPrivileges
                | Kind::EventTrigger
                | Kind::ForeignDataWrapper
                | Kind::Server
        )
    }

    /// Whether objects of this kind are nothing but a name with what is said to it: known, and not understood.
    pub fn is_only_a_name(self) -> bool {
        self == Kind::Unmodelled
    }

    /// Whether the columns that fragments on objects of this kind mention are those of one plain table.
    pub fn has_plain_columns(self) -> bool {
        self == Kind::Table
    }

    /// Whether fragments of this kind see its table under other names as well (OLD and NEW of a trigger or rule).
    pub fn renames_its_table(self) -> bool {
        matches!(self, Kind::Trigger | Kind::Rule)
    }

    /// Whether objects of this kind are columns.
    pub fn is_column(self) -> bool {
        self == Kind::Column
    }

    /// Whether objects of this kind are privileges of one grantee, who is their name.
    pub fn is_grant(self) -> bool {
        self == Kind::Grant
    }

    /// Whether objects of this kind are routines (pg_proc).
    pub fn is_routine(self) -> bool {
        matches!(self, Kind::Function | Kind::Aggregate)
    }

    /// Whether LOCK TABLE can take a relation of this kind alone (on a view it takes the tables below as well).
    pub fn is_lockable(self) -> bool {
        matches!(self, Kind::Table | Kind::ForeignTable)
    }

    /// Whether objects of this kind hold rows of their own.
    pub fn holds_rows(self) -> bool {
        matches!(self, Kind::Table | Kind::ForeignTable)
    }

    /// Whether objects of this kind read the rows of what they use, as a query does: which rows they find, somebody's
    /// policies and privileges decide.
    pub fn reads_rows(self) -> bool {
        self.is_view() || self.is_routine() || matches!(self, Kind::Policy | Kind::Rule)
    }

    /// Whether an object of this kind, standing on one of another kind, matters to who uses that: of a table what decides
    /// which rows somebody finds there, or whether a query is answered at all; nowhere comments.
    pub fn matters_to_users(self, of: Kind) -> bool {
        match self {
            Kind::Comment => false,
            Kind::Column | Kind::Grant | Kind::Policy => true,
            _ => !of.holds_rows() || self.holds_rows(),
        }
    }

    /// Whether what uses an object of this kind does something else once that is another one.
    pub fn is_leaned_on(self) -> bool {
        self.is_relation() || self.is_routine() || self.is_type() || self == Kind::Publication
    }

    /// Whether objects of this kind tell subscribers what happens to tables.
    pub fn tells_subscribers(self) -> bool {
        self == Kind::Publication
    }
}
