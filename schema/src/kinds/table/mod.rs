//! Tables, without what stands on them: columns, constraints, indexes and policies are objects of their own.

pub mod read;

use crate::fragment::Aside;
use crate::id::ObjectId;
use crate::ident::{Ident, QName, Text};
use crate::kinds::grant;
use crate::kinds::naming;
use crate::kinds::options::Options;
use crate::object::{Alter, Context, Kind, Nature, Object, ObjectKind, Visitor};
use crate::question::StandIn;
use crate::reference::Reference;
use crate::sql::Sql;
use crate::step::{ELEMENTS, Lock, Loss, Steps};

/// What a table's logical replication identifies rows by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum ReplicaIdentity {
    /// Its primary key.
    #[default]
    Default,
    /// The whole row.
    Full,
    /// Nothing.
    Nothing,
    /// A unique index.
    Index(Ident),
}

/// A table.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Default)]
pub struct Table {
    /// Its owner, where it is known.
    pub owner: Aside<Option<Ident>>,
    /// Not written to the write-ahead log.
    pub unlogged: bool,
    /// Storage parameters; those of its TOAST table begin with `toast.`.
    pub options: Options,
    /// Row-level security is on.
    pub rls: bool,
    /// Row-level security binds the owner too.
    pub rls_forced: bool,
    /// What logical replication identifies rows by.
    pub replica_identity: ReplicaIdentity,
    /// The partition key, as in `PARTITION BY …`.
    pub partition_by: Option<Text>,
    /// The partitioned table and the bound, as in `PARTITION OF … FOR VALUES …`.
    pub partition_of: Option<(Reference, Text)>,
    /// The tables that it inherits from, in order.
    pub inherits: Vec<Reference>,
    /// Its access method, unless it is the default one.
    pub access_method: Option<Ident>,
    /// Its tablespace, unless it is the database's.
    pub tablespace: Option<Ident>,
}

impl ObjectKind for Table {
    fn nature(&self) -> Nature {
        Nature { dies_with_parent: false, ..Nature::DATA }
    }

    fn visit(&mut self, visitor: &mut dyn Visitor) {
        if let Some((parent, _)) = &mut self.partition_of {
            visitor.reference(parent);
        }
        for parent in &mut self.inherits {
            visitor.reference(parent);
        }
    }

    fn inherit(&mut self, current: &Self) {
        if self.owner.0.is_none() {
            self.owner = current.owner;
        }
    }

    fn implies(&self, id: ObjectId, context: &Context<'_>) -> Vec<(ObjectId, Object)> {
        grant::implied(id, context)
    }

    fn create(&self, id: ObjectId, context: &Context<'_>, out: &mut Steps) {
        let mut sql = Sql::new("CREATE");
        if self.unlogged {
            sql.kw("UNLOGGED");
        }
        sql.kw("TABLE");
        naming::own_name(&mut sql, id);
        // `fold` puts the elements where the marker stands.
        sql.kw(ELEMENTS);
        out.push(sql);
        if let Some(owner) = self.owner.0.filter(|owner| *owner != context.server.role) {
            let mut sql = alter(id);
            sql.kw("OWNER TO").ident(owner);
            out.push(sql);
        }
        for statement in Options::default().alter(&self.options, &alter(id)) {
            out.push(statement);
        }
        self.row_security(&Table::default(), id, out);
        // An index says so itself, once it is there.
        if !matches!(self.replica_identity, ReplicaIdentity::Default | ReplicaIdentity::Index(_)) {
            out.push(replica_identity(id, self.replica_identity));
        }
    }

    fn alter(old: &Self, new: &Self, id: ObjectId, context: &Context<'_>, out: &mut Steps) -> Alter {
        let Self {
            owner: _,
            unlogged,
            options,
            rls: _,
            rls_forced: _,
            replica_identity: identity,
            partition_by,
            partition_of,
            inherits,
            access_method,
            tablespace,
        } = new;
        if *partition_by != old.partition_by || *inherits != old.inherits {
            return Alter::Replace(
                "how a table is partitioned, and what it inherits from, is chosen when it is created",
            );
        }
        if *partition_of != old.partition_of {
            return Alter::Replace("its partition bound changes");
        }
        if *unlogged != old.unlogged {
            let mut sql = alter(id);
            sql.kw(if *unlogged { "SET UNLOGGED" } else { "SET LOGGED" });
            out.push(sql).lock(id, Lock::AccessExclusive).rewrites();
        }
        if *access_method != old.access_method {
            let mut sql = alter(id);
            sql.kw("SET ACCESS METHOD").ident(access_method.unwrap_or_else(|| Ident::new("heap")));
            out.push(sql).lock(id, Lock::AccessExclusive).rewrites();
        }
        if *tablespace != old.tablespace {
            let mut sql = alter(id);
            sql.kw("SET TABLESPACE").ident(tablespace.unwrap_or_else(|| Ident::new("pg_default")));
            out.push(sql).lock(id, Lock::AccessExclusive).rewrites();
        }
        for statement in old.options.alter(options, &alter(id)) {
            out.push(statement).lock(id, Lock::ShareUpdateExclusive);
        }
        new.row_security(old, id, out);
        if *identity != old.replica_identity && !is_new_index(*identity, id, context) {
            out.push(replica_identity(id, *identity)).lock(id, Lock::AccessExclusive);
        }
        Alter::InPlace
    }

    fn drop(&self, id: ObjectId, _: &Context<'_>, out: &mut Steps) {
        let mut sql = Sql::new("DROP TABLE");
        naming::own_name(&mut sql, id);
        out.push(sql).lock(id, Lock::AccessExclusive).loses(Loss::DropTable, id);
    }

    fn rename(&self, from: ObjectId, to: ObjectId, _: &Context<'_>, out: &mut Steps) {
        rename_relation(from, to, out);
    }
}

/// `SET SCHEMA` and `RENAME TO`; indexes, constraints, triggers, policies and owned sequences follow.
pub fn rename_relation(from: ObjectId, to: ObjectId, out: &mut Steps) {
    let (Some(old), Some(new)) = (from.qname(), to.qname()) else { return };
    let head = |name: QName| {
        let mut sql = Sql::new("ALTER");
        sql.kw(naming::keyword(from.kind())).name(name);
        sql
    };
    let mut at = old;
    if old.schema != new.schema {
        let mut sql = head(at);
        sql.kw("SET SCHEMA").ident(new.schema);
        out.push(sql).lock(to, Lock::AccessExclusive);
        at = QName { schema: new.schema, name: old.name };
    }
    if at.name != new.name {
        let mut sql = head(at);
        sql.kw("RENAME TO").ident(new.name);
        out.push(sql).lock(to, Lock::AccessExclusive);
    }
}

fn alter(id: ObjectId) -> Sql {
    let mut sql = Sql::new("ALTER TABLE");
    naming::own_name(&mut sql, id);
    sql
}

/// Whether the index that rows are identified by is not there yet.
fn is_new_index(identity: ReplicaIdentity, table: ObjectId, context: &Context<'_>) -> bool {
    let ReplicaIdentity::Index(name) = identity else { return false };
    [Kind::Index, Kind::Key].iter().all(|kind| !context.current.contains(ObjectId::on(*kind, table, name)))
}

/// What is said when a new index (or key) is what its table's rows are identified by.
pub fn identify_by(index: ObjectId, context: &Context<'_>, out: &mut Steps) {
    let Some(table) = index.parent() else { return };
    let Some(Object::Table(spec)) = context.desired.get(table).map(|entry| &entry.object) else { return };
    if spec.replica_identity == ReplicaIdentity::Index(index.name()) {
        out.push(replica_identity(table, spec.replica_identity)).lock(table, Lock::AccessExclusive);
    }
}

fn replica_identity(id: ObjectId, identity: ReplicaIdentity) -> Sql {
    let mut sql = alter(id);
    sql.kw("REPLICA IDENTITY");
    match identity {
        ReplicaIdentity::Default => sql.kw("DEFAULT"),
        ReplicaIdentity::Full => sql.kw("FULL"),
        ReplicaIdentity::Nothing => sql.kw("NOTHING"),
        ReplicaIdentity::Index(name) => sql.kw("USING INDEX").ident(name),
    };
    sql
}

impl Table {
    fn row_security(&self, old: &Table, id: ObjectId, out: &mut Steps) {
        if self.rls != old.rls {
            let mut sql = alter(id);
            sql.kw(if self.rls { "ENABLE ROW LEVEL SECURITY" } else { "DISABLE ROW LEVEL SECURITY" });
            let step = out.push(sql).lock(id, Lock::AccessExclusive);
            if !self.rls {
                step.loses(Loss::DisableRls, id);
            }
        }
        if self.rls_forced != old.rls_forced {
            let mut sql = alter(id);
            sql.kw(if self.rls_forced { "FORCE ROW LEVEL SECURITY" } else { "NO FORCE ROW LEVEL SECURITY" });
            let step = out.push(sql).lock(id, Lock::AccessExclusive);
            if !self.rls_forced {
                step.loses(Loss::DisableRls, id);
            }
        }
    }
}

/// A temporary table with the columns that the relation shall have: fragments are put on it and read back.
/// `None` for what has no columns here.
pub fn stand_in(relation: ObjectId, context: &Context<'_>) -> Option<StandIn> {
    if let Some(Object::MaterializedView(view)) = context.desired.get(relation).map(|entry| &entry.object) {
        return Some(view.stand_in(relation));
    }
    let columns = context.desired.columns(relation);
    let name = relation.name();
    let items: Vec<Sql> = columns
        .iter()
        .map(|(id, column)| {
            let mut item = Sql::default();
            item.ident(id.name()).type_name(&column.type_name);
            if let Some(collation) = column.collation.as_ref().and_then(Reference::qname) {
                item.kw("COLLATE").name(collation);
            }
            item
        })
        .collect();
    let mut create = Sql::new("CREATE TEMPORARY TABLE");
    create.ident(name).lines(&items);
    Some(StandIn { relation, name, create: create.into_text() })
}
