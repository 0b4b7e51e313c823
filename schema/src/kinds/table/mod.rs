//! Tables, without what stands on them: columns, constraints, indexes and policies are objects of their own.

mod adopt;
mod join;
mod leave;
pub mod read;
mod room;
pub mod write;

pub use adopt::{adoptable, adopter, drop_index, drop_key, freed_with, unsettled};
pub(crate) use join::{generated, refuses_null};
pub use join::{is_brought_by_joining, merges};
pub use leave::{comes_as_part, stays};

use crate::analyse::{self, Found, World};
use crate::catalog::Catalog;
use crate::fragment::{Aside, Fragment};
use crate::id::{ObjectId, Slot};
use crate::ident::{Ident, QName};
use crate::kinds::copied_trigger;
use crate::kinds::grant;
use crate::kinds::naming;
use crate::kinds::options::Options;
use crate::object::{Alter, Context, Kind, Nature, Object, ObjectKind, Visitor};
use crate::question::{Question, Questions, Read, StandIn};
use crate::reference::Reference;
use crate::sql::{self, Sql};
use crate::step::{ELEMENTS, Guard, Lock, Loss, Steps};
use crate::write::Writer;

/// What a table's logical replication identifies rows by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default, serde::Serialize, serde::Deserialize)]
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
#[derive(Clone, Debug, PartialEq, Eq, Hash, Default, serde::Serialize, serde::Deserialize)]
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
    pub partition_by: Option<Fragment>,
    /// The partitioned table and the bound, as in `PARTITION OF … FOR VALUES …`.
    pub partition_of: Option<(Reference, Fragment)>,
    /// The tables that it inherits from, in order.
    pub inherits: Vec<Reference>,
    /// Its access method, unless it is the default one.
    pub access_method: Option<Ident>,
    /// Its tablespace, unless it is the database's.
    pub tablespace: Option<Ident>,
    /// What a partition has of its table's indexes and constraints: as its own it would be called so, and of which it
    /// is a part. It stays when the partition leaves.
    #[serde(skip)]
    pub parts: Aside<Vec<(ObjectId, ObjectId)>>,
}

/// The table that a table is a partition of, and what that is a partition of.
pub fn wholes(table: ObjectId, catalog: &Catalog) -> impl Iterator<Item = ObjectId> {
    let whole = |id: ObjectId| catalog.get(id)?.object.whole();
    std::iter::successors(whole(table), move |id| whole(*id))
}

/// The like constraints and indexes of the partitions of a table, and of the tables that it is a partition of: one that
/// is made on the table takes one of a partition for its own part, and what is a part still is in the way of another.
pub fn of_partitions(id: ObjectId, context: &Context<'_>) -> Vec<ObjectId> {
    let Some(table) = id.parent() else { return Vec::new() };
    let of = |id: ObjectId| match context.current.get(id).map(|entry| &entry.object) {
        Some(Object::Table(table)) => Some(table),
        _ => None,
    };
    let mut relatives: Vec<ObjectId> = wholes(table, context.current).collect();
    if of(table).is_some_and(|table| table.partition_by.is_some()) {
        relatives.extend(super::heirs(context.current, table));
    }
    // A key takes an index too.
    let like = |kind: Kind| kind == id.kind() || id.kind() == Kind::Key && kind == Kind::Index;
    let children = relatives.into_iter().flat_map(|id| context.current.children(id).iter().copied());
    children.filter(|id| like(id.kind())).collect()
}

impl ObjectKind for Table {
    fn nature(&self) -> Nature {
        Nature { dies_with_parent: false, ..Nature::DATA }
    }

    fn visit(&mut self, visitor: &mut dyn Visitor) {
        if let Some(key) = &mut self.partition_by {
            visitor.fragment("partition key", key);
        }
        if let Some((parent, bound)) = &mut self.partition_of {
            visitor.reference(parent);
            visitor.fragment("bound", bound);
        }
        for parent in &mut self.inherits {
            visitor.reference(parent);
        }
    }

    crate::kinds::types::has_owner!();

    fn whole(&self) -> Option<ObjectId> {
        self.parent()
    }

    fn implies(&self, id: ObjectId, context: &Context<'_>) -> Vec<(ObjectId, Object)> {
        grant::implied(id, context)
    }

    /// A partition takes room among its siblings: the old ones make it before the new ones come.
    fn extra_slots(&self, _: ObjectId) -> Vec<Slot> {
        let parent = self.partition_of.as_ref().and_then(|(parent, _)| parent.qname());
        let slot = |name| Slot::On("partition", ObjectId::in_schema(Kind::Table, name), Ident::new(""));
        parent.map(slot).into_iter().collect()
    }

    /// What goes from a table that it joins: until then, it would have to have that too. And what is in its room.
    fn comes_after(&self, id: ObjectId, context: &Context<'_>) -> Vec<ObjectId> {
        let mut found = join::comes_after(self, id, context);
        found.extend(room::comes_after(self, id, context));
        found
    }

    fn unsettles(&self, id: ObjectId, context: &Context<'_>) -> Vec<ObjectId> {
        room::referrers(id, context)
    }

    fn makes_room(&self, id: ObjectId, context: &Context<'_>) -> Vec<ObjectId> {
        room::makes_room(id, context)
    }

    /// A partition's parts of its table's foreign keys are let go of by the partition, when it leaves that table. No
    /// column goes that it is divided by, wherever that was made.
    fn holds(&self, id: ObjectId, catalog: &Catalog) -> Vec<ObjectId> {
        let mut held = leave::referred_to(self, catalog);
        if self.partition_by.is_some() && self.partition_of.is_some() {
            let columns = catalog.columns(id).into_iter().map(|(column, _)| column);
            let keys = columns.filter(|column| is_divided_by(*column, catalog));
            held.extend(keys.filter_map(|column| origin(catalog, column)));
        }
        held
    }

    fn write(&self, id: ObjectId, out: &mut Writer<'_>) {
        write::write(self, id, out);
    }

    fn create(&self, id: ObjectId, context: &Context<'_>, out: &mut Steps) {
        let mut sql = Sql::new("CREATE");
        if self.unlogged {
            sql.kw("UNLOGGED");
        }
        sql.kw("TABLE");
        naming::own_name(&mut sql, id);
        if let Some((parent, bound)) = &self.partition_of {
            write_parent(sql.kw("PARTITION OF"), parent);
            sql.fragment(bound);
        } else {
            // `fold` puts the elements where the marker stands.
            sql.kw(ELEMENTS);
        }
        if !self.inherits.is_empty() {
            let parents: Vec<Sql> = self.inherits.iter().map(parent_name).collect();
            sql.kw("INHERITS").kw("(").tight().list(&parents).kw(")");
        }
        if let Some(key) = &self.partition_by {
            sql.kw("PARTITION BY").fragment(key);
        }
        if let Some(method) = self.access_method {
            sql.kw("USING").ident(method);
        }
        if let Some(tablespace) = self.tablespace {
            sql.kw("TABLESPACE").ident(tablespace);
        }
        let step = out.push(sql);
        if let Some(parent) = self.parent() {
            step.lock(parent, Lock::AccessExclusive);
            if room::has_default(parent, context) {
                step.scans();
            }
        }
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
            parts: _,
        } = new;
        if *partition_by != old.partition_by {
            return Alter::Replace("how a table is partitioned is chosen when it is created");
        }
        if *partition_of != old.partition_of {
            attach(old, new, id, context, out);
        }
        for parent in old.inherits.iter().filter(|parent| !inherits.contains(parent)) {
            let mut sql = alter(id);
            write_parent(sql.kw("NO INHERIT"), parent);
            out.push(sql).lock(id, Lock::AccessExclusive);
        }
        if old.inherits.iter().any(|parent| !inherits.contains(parent)) {
            leave::unwanted_columns(id, context, out);
        }
        if *partition_of == old.partition_of {
            join::prepare(old, new, id, context, out);
        }
        for parent in inherits.iter().filter(|parent| !old.inherits.contains(parent)) {
            let mut sql = alter(id);
            write_parent(sql.kw("INHERIT"), parent);
            out.push(sql).lock(id, Lock::AccessExclusive);
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

    fn drop(&self, id: ObjectId, context: &Context<'_>, out: &mut Steps) {
        // A foreign key to the whole keeps its partitions, until they are none.
        if let Some(parent) = self.parent().filter(|parent| is_referred_to(*parent, context)) {
            let mut sql = alter(parent);
            naming::own_name(sql.kw("DETACH PARTITION"), id);
            out.push(sql).lock(parent, Lock::AccessExclusive).scans();
        }
        let mut sql = Sql::new("DROP TABLE");
        naming::own_name(&mut sql, id);
        // A partition goes under its parent's lock.
        out.push(sql).lock(self.parent().unwrap_or(id), Lock::AccessExclusive).loses(Loss::DropTable, id);
    }

    fn rename(&self, from: ObjectId, to: ObjectId, context: &Context<'_>, out: &mut Steps) {
        rename_relation(from, to, context, out);
    }

    fn analyse(&self, id: ObjectId, world: &World<'_>, out: &mut Found) {
        if let Some(key) = &self.partition_by {
            out.push(("partition key", analyse::partition_key(world, key, id)));
        }
        if let (Some((_, bound)), Some(parent)) = (&self.partition_of, self.parent()) {
            out.push(("bound", analyse::bound(world, bound, parent)));
        }
    }

    fn ask(&self, id: ObjectId, context: &Context<'_>, out: &mut Questions) {
        if let (Some(key), Some(stand_in)) = (&self.partition_by, stand_in(id, context)) {
            let name = out.fresh_name();
            let make = partitioned_like(&stand_in, name, key);
            let relation = sql::literal(&format!("pg_temp.{}", sql::quoted(name)));
            let read = format!("(SELECT pg_catalog.pg_get_partkeydef({relation}::pg_catalog.regclass))");
            out.push(Question {
                object: id,
                stand_in: Some(stand_in),
                make: make.into_text(),
                read: vec![("partition key".into(), Read::Alone(read))],
                element: None,
                instead: Vec::new(),
            });
        }
        let Some((bound, parent)) = self.partition_of.as_ref().map(|(_, bound)| bound).zip(self.parent())
        else {
            return;
        };
        let Some(Object::Table(above)) = context.desired.get(parent).map(|entry| &entry.object) else {
            return;
        };
        let (Some(key), Some(stand_in)) = (&above.partition_by, stand_in(parent, context)) else { return };
        let (name, part) = (out.fresh_name(), out.fresh_name());
        // The bound is of the types of the key's columns: a copy of the whole makes it.
        let mut make = partitioned_like(&stand_in, name, key);
        make.kw(";").kw("CREATE TEMPORARY TABLE").ident(part).kw("PARTITION OF pg_temp.").tight().ident(name);
        make.fragment(bound);
        let relation = sql::literal(&format!("pg_temp.{}", sql::quoted(part)));
        let read = format!(
            "(SELECT pg_catalog.pg_get_expr(relpartbound, oid) FROM pg_catalog.pg_class \
             WHERE oid = {relation}::pg_catalog.regclass)"
        );
        out.push(Question {
            object: id,
            stand_in: Some(stand_in),
            make: make.into_text(),
            read: vec![("bound".into(), Read::Alone(read))],
            element: None,
            instead: Vec::new(),
        });
    }
}

/// A partitioned table with the columns of a stand-in.
fn partitioned_like(stand_in: &StandIn, name: Ident, key: &Fragment) -> Sql {
    let mut make = Sql::new("CREATE TEMPORARY TABLE");
    make.ident(name).kw("(").tight().kw("LIKE pg_temp.").tight().ident(stand_in.name).kw(")");
    make.kw("PARTITION BY").fragment(key);
    make
}

fn parent_name(parent: &Reference) -> Sql {
    let mut sql = Sql::default();
    write_parent(&mut sql, parent);
    sql
}

fn write_parent(sql: &mut Sql, parent: &Reference) {
    match parent.qname() {
        Some(name) => sql.name(name),
        None => sql.ident(parent.name),
    };
}

/// Takes a partition out of its table and puts it in again with another bound, or into another table.
fn attach(old: &Table, new: &Table, id: ObjectId, context: &Context<'_>, out: &mut Steps) {
    if let Some(parent) = old.parent() {
        let leaving = if new.parent() == Some(parent) { room::shifting(parent, context) } else { vec![id] };
        for part in leaving.iter().filter(|_| leaving.first() == Some(&id)) {
            let mut sql = alter(parent);
            naming::own_name(sql.kw("DETACH PARTITION"), *part);
            out.push(sql).lock(parent, Lock::AccessExclusive);
        }
    }
    leave::settle(old, new, id, context, out);
    join::prepare(old, new, id, context, out);
    if let (Some(parent), Some((_, bound))) = (new.parent(), &new.partition_of) {
        let mut sql = alter(parent);
        naming::own_name(sql.kw("ATTACH PARTITION"), id);
        sql.fragment(bound);
        out.push(sql).lock(parent, Lock::AccessExclusive).scans();
    }
    copied_trigger::say_again(id, None, context, out);
}

impl Table {
    /// The table that it is a partition of.
    pub fn parent(&self) -> Option<ObjectId> {
        let (parent, _) = self.partition_of.as_ref()?;
        parent.resolved.0.or_else(|| Some(ObjectId::in_schema(Kind::Table, parent.qname()?)))
    }
}

/// The tables that a table has its columns from: those that it inherits from, or the one that it is a partition of.
pub fn parents(catalog: &Catalog, id: ObjectId) -> Vec<ObjectId> {
    let Some(Object::Table(table)) = catalog.get(id).map(|entry| &entry.object) else { return Vec::new() };
    let references = table.partition_of.iter().map(|(parent, _)| parent).chain(&table.inherits);
    references.filter_map(Reference::qname).filter_map(|name| catalog.relation(name)).collect()
}

/// The partitions of a table, and theirs.
pub fn partitions(catalog: &Catalog, table: ObjectId) -> Vec<ObjectId> {
    let mut found = Vec::new();
    let mut open = vec![table];
    while let Some(above) = open.pop().filter(|above| is_divided(*above, catalog)) {
        let below = catalog.kin().children(above);
        found.extend(below);
        open.extend(below);
    }
    found
}

/// Whether a table is partitioned.
pub fn is_divided(table: ObjectId, catalog: &Catalog) -> bool {
    let table = catalog.get(table).map(|entry| &entry.object);
    matches!(table, Some(Object::Table(table)) if table.partition_by.is_some())
}

/// Whether a column is a part of its table's partition key.
pub fn is_divided_by(column: ObjectId, catalog: &Catalog) -> bool {
    let table = column.parent().and_then(|table| catalog.get(table));
    let Some(Object::Table(Table { partition_by: Some(key), .. })) = table.map(|entry| &entry.object) else {
        return false;
    };
    let Ok((tree, _)) = key.tree() else { return false };
    let mut open = vec![&tree];
    while let Some(node) = open.pop() {
        let names = match node.name() {
            "PartitionElem" => vec![node.get("name").str()],
            "ColumnRef" => node.get("fields").strings(),
            _ => Vec::new(),
        };
        if names.last() == Some(&column.name().as_str()) {
            return true;
        }
        open.extend(node.children());
    }
    false
}

/// Whether a foreign key that is there and stays refers to a table, or to one that it is a partition of.
fn is_referred_to(table: ObjectId, context: &Context<'_>) -> bool {
    let mut above = vec![table];
    while let Some(Object::Table(last)) =
        above.last().and_then(|id| context.current.get(*id)).map(|entry| &entry.object)
    {
        match last.parent().filter(|parent| !above.contains(parent)) {
            Some(parent) => above.push(parent),
            None => break,
        }
    }
    let serves = |child: &ObjectId| {
        let index = context.current.get(*child).map(|entry| &entry.object);
        child.kind() == Kind::Key || matches!(index, Some(Object::Index(index)) if index.unique)
    };
    let has_key = |id: &ObjectId| context.current.children(*id).iter().any(serves);
    let refers = |key: &ObjectId| context.current.contains(*key);
    above.iter().any(has_key)
        && above.iter().any(|target| context.desired.kin().referrers(*target).iter().any(refers))
}

/// The object of the same kind and name that a table has from a parent: where it was made.
pub fn origin(catalog: &Catalog, id: ObjectId) -> Option<ObjectId> {
    let own = |id: ObjectId| match catalog.get(id).map(|entry| &entry.object) {
        Some(Object::Column(column)) => !column.inherited.0,
        Some(_) => true,
        None => false,
    };
    let mut open = parents(catalog, id.parent()?);
    let mut at = 0;
    while let Some(parent) = open.get(at).copied() {
        let candidate = ObjectId::on(id.kind(), parent, id.name());
        if own(candidate) {
            return Some(candidate);
        }
        open.extend(
            parents(catalog, parent).into_iter().filter(|above| !open.contains(above)).collect::<Vec<_>>(),
        );
        at += 1;
    }
    None
}

/// `SET SCHEMA` and `RENAME TO`; indexes, constraints, triggers, policies and owned sequences follow. Where another
/// relation has its old name in the new schema, it gets its new name before it goes there.
pub fn rename_relation(from: ObjectId, to: ObjectId, context: &Context<'_>, out: &mut Steps) {
    let (Some(old), Some(new)) = (from.qname(), to.qname()) else { return };
    let taken = |schema: Ident, name: Ident| {
        let name = QName { schema, name };
        context.current.relation(name).is_some() || context.desired.relation(name).is_some()
    };
    let early = old.schema != new.schema
        && old.name != new.name
        && taken(new.schema, old.name)
        && !taken(old.schema, new.name);
    let mut at = old;
    let mut step = |at: QName, word: &'static str, name: Ident| {
        let mut sql = Sql::new("ALTER");
        sql.kw(naming::keyword(from.kind())).name(at).kw(word).ident(name);
        out.push(sql).lock(to, Lock::AccessExclusive);
    };
    if early {
        step(at, "RENAME TO", new.name);
        at = QName { name: new.name, ..at };
    }
    if at.schema != new.schema {
        step(at, "SET SCHEMA", new.schema);
        at = QName { schema: new.schema, ..at };
    }
    if at.name != new.name {
        step(at, "RENAME TO", new.name);
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

/// Options of a TOAST table are lost on a table that has none: they are said again once a column has come that needs
/// one.
pub fn toast_again(column: ObjectId, context: &Context<'_>, out: &mut Steps) {
    let Some(id) = column.parent() else { return };
    let of = |catalog: &Catalog| match catalog.get(id).map(|entry| &entry.object) {
        Some(Object::Table(table)) => Some(table.options.only("toast.")),
        _ => None,
    };
    let (Some(old), Some(new)) = (of(context.current), of(context.desired)) else { return };
    let head = alter(id);
    for statement in Options::default().alter(&new, &head).into_iter().filter(|_| old != new) {
        out.push(statement).lock(id, Lock::ShareUpdateExclusive);
    }
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
            let step = out.push(sql).lock(id, Lock::AccessExclusive).guards(Guard::Rows);
            if !self.rls {
                step.loses(Loss::DisableRls, id);
            }
        }
        if self.rls_forced != old.rls_forced {
            let mut sql = alter(id);
            sql.kw(if self.rls_forced { "FORCE ROW LEVEL SECURITY" } else { "NO FORCE ROW LEVEL SECURITY" });
            let step = out.push(sql).lock(id, Lock::AccessExclusive).guards(Guard::Rows);
            if !self.rls_forced && old.rls {
                step.loses(Loss::DisableRls, id);
            }
        }
    }
}

/// What a stand-in's column says of its storage: no row is ever stored, and without a TOAST table a stand-in costs a
/// third.
pub fn unstored(context: &Context<'_>) -> &'static str {
    if context.server.version >= 16 { "STORAGE PLAIN" } else { "" }
}

/// A temporary table with the columns that the relation shall have: fragments are put on it and read back.
/// `None` for what has no columns here.
pub fn stand_in(relation: ObjectId, context: &Context<'_>) -> Option<StandIn> {
    if let Some(Object::MaterializedView(view)) = context.desired.get(relation).map(|entry| &entry.object) {
        let current = match context.current.get(relation).map(|entry| &entry.object) {
            Some(Object::MaterializedView(current)) => Some(current),
            _ => None,
        };
        return view.stand_in(relation, current);
    }
    let columns = context.desired.columns(relation);
    let name = relation.name();
    let items: Vec<Sql> = columns
        .iter()
        .map(|(id, column)| {
            let mut item = Sql::default();
            item.ident(id.name()).type_name(&column.type_name);
            item.kw(unstored(context));
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
