//! One statement, and what a person should know before running it.

use crate::id::ObjectId;
use crate::sql::Sql;

/// The table-level locks of PostgreSQL, weakest first (its documentation, "Explicit Locking").
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Lock {
    /// Reads take it.
    AccessShare,
    /// `SELECT … FOR UPDATE` takes it.
    RowShare,
    /// Writes take it.
    RowExclusive,
    /// Blocks schema changes and VACUUM only.
    ShareUpdateExclusive,
    /// Blocks writes.
    Share,
    /// Blocks writes, and itself.
    ShareRowExclusive,
    /// Allows only plain reads.
    Exclusive,
    /// Blocks everything.
    AccessExclusive,
}

impl Lock {
    /// All, weakest first.
    pub const ALL: &'static [Lock] = &[
        Lock::AccessShare,
        Lock::RowShare,
        Lock::RowExclusive,
        Lock::ShareUpdateExclusive,
        Lock::Share,
        Lock::ShareRowExclusive,
        Lock::Exclusive,
        Lock::AccessExclusive,
    ];

    /// As `LOCK TABLE … IN … MODE` spells it.
    pub fn words(self) -> &'static str {
        match self {
            Lock::AccessShare => "ACCESS SHARE",
            Lock::RowShare => "ROW SHARE",
            Lock::RowExclusive => "ROW EXCLUSIVE",
            Lock::ShareUpdateExclusive => "SHARE UPDATE EXCLUSIVE",
            Lock::Share => "SHARE",
            Lock::ShareRowExclusive => "SHARE ROW EXCLUSIVE",
            Lock::Exclusive => "EXCLUSIVE",
            Lock::AccessExclusive => "ACCESS EXCLUSIVE",
        }
    }
}

/// Something that is lost for good and must be allowed by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Loss {
    /// A table's rows.
    DropTable,
    /// A column's values.
    DropColumn,
    /// Row-level security of a table.
    DisableRls,
    /// A privilege that somebody has.
    Revoke,
    /// Row-level security of the table behind a facade, for whoever uses its old name: the facade reads or writes the
    /// table as its owner.
    FacadeBypassesRls,
    /// Any other object that holds data or that the plan cannot bring back (a schema, a sequence, a type).
    DropObject,
}

impl Loss {
    /// All, in the order in which they are listed.
    pub const ALL: &'static [Loss] = &[
        Loss::DropTable,
        Loss::DropColumn,
        Loss::DropObject,
        Loss::DisableRls,
        Loss::FacadeBypassesRls,
        Loss::Revoke,
    ];

    /// The word that `--allow` takes.
    pub fn word(self) -> &'static str {
        match self {
            Loss::DropTable => "drop-table",
            Loss::DropColumn => "drop-column",
            Loss::DisableRls => "disable-rls",
            Loss::Revoke => "revoke",
            Loss::FacadeBypassesRls => "facade-bypasses-rls",
            Loss::DropObject => "drop-object",
        }
    }
}

/// What a statement does beyond its purpose.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Impact {
    /// The strongest lock on a relation that exists before the plan.
    pub lock: Option<(ObjectId, Lock)>,
    /// The table is written anew.
    pub rewrites: bool,
    /// The whole table is read (a validation, an index build).
    pub scans: bool,
    /// What is lost, and of which object.
    pub loses: Vec<(Loss, ObjectId)>,
    /// It cannot run in a transaction block.
    pub outside_transaction: bool,
    /// What it makes can be used only after a commit.
    pub ends_segment: bool,
    /// It says who may see or do what. What else of its object says that is committed with it.
    pub guards: Option<Guard>,
}

/// What stands between people and a relation's rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Guard {
    /// Which rows are seen and written, and what happens when they are: row-level security, policies, triggers.
    Rows,
    /// Privileges.
    Privileges,
}

/// How a step can stand inside its table's CREATE TABLE.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Element {
    /// An element of its own: a column, a constraint.
    Item(Sql),
    /// Words behind a column's element: its default.
    Suffix(ObjectId, Sql),
}

/// Stands in a CREATE TABLE where its elements go; `fold` puts them there.
pub const ELEMENTS: &str = "(/* elements */)";

/// One statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// The statement, without a semicolon.
    pub sql: String,
    /// What it does beyond its purpose.
    pub impact: Impact,
    /// How it can stand inside its table's CREATE TABLE.
    pub element: Option<Element>,
}

impl Step {
    /// Sets the strongest lock.
    pub fn lock(&mut self, relation: ObjectId, lock: Lock) -> &mut Self {
        self.impact.lock = Some((relation, lock));
        self
    }

    /// The whole table is read.
    pub fn scans(&mut self) -> &mut Self {
        self.impact.scans = true;
        self
    }

    /// The table is written anew.
    pub fn rewrites(&mut self) -> &mut Self {
        self.impact.rewrites = true;
        self
    }

    /// Something is lost.
    pub fn loses(&mut self, loss: Loss, object: ObjectId) -> &mut Self {
        self.impact.loses.push((loss, object));
        self
    }

    /// It says who may see or do what.
    pub fn guards(&mut self, guard: Guard) -> &mut Self {
        self.impact.guards = Some(guard);
        self
    }

    /// Can stand inside its table's CREATE TABLE.
    pub fn element(&mut self, element: Element) -> &mut Self {
        self.element = Some(element);
        self
    }
}

/// The steps of one change, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Steps {
    /// The steps.
    pub list: Vec<Step>,
}

impl Steps {
    /// Adds a statement.
    pub fn push(&mut self, sql: Sql) -> &mut Step {
        self.list.push(Step { sql: sql.into_text(), impact: Impact::default(), element: None });
        let last = self.list.len() - 1;
        &mut self.list[last]
    }
}
