//! Columns of tables. Their defaults are objects of their own; identity and generation belong to the column.

mod casts;
pub mod compare;
pub mod declare;
mod numbered;
pub mod read;
pub mod write;

use crate::analyse::{self, Found, Place, Seen, World};
use crate::catalog::{Catalog, Entry};
use crate::fragment::{Aside, Fragment};
use crate::id::ObjectId;
use crate::ident::{Ident, QName, Text};
use crate::kinds::options::Options;
use crate::kinds::sequence::{self, Sequence};
use crate::kinds::table;
use crate::kinds::types;
use crate::kinds::{self, identity_sequence, key, naming, not_null};
use crate::object::{Alter, Context, Kind, Nature, Object, ObjectKind, Visitor};
use crate::question::{Question, Questions, Read};
use crate::reference::Reference;
use crate::sql::{self, Sql};
use crate::step::{Element, Lock, Loss, Steps};
use crate::type_name::TypeName;
use crate::write::Writer;
use std::collections::BTreeMap;

pub use casts::casts;

/// A column.
#[derive(Clone, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub struct Column {
    /// Its type.
    pub type_name: TypeName,
    /// Its collation, unless it is the type's.
    pub collation: Option<Reference>,
    /// NOT NULL; primary keys and identity make it so too.
    pub not_null: bool,
    /// What that constraint is called, where the server has told another name than it would choose (PostgreSQL 18).
    pub not_null_name: Aside<Option<Ident>>,
    /// GENERATED … AS IDENTITY.
    pub identity: Option<Identity>,
    /// GENERATED ALWAYS AS (…).
    pub generated: Option<Generated>,
    /// Storage, unless it is the type's: PLAIN, EXTERNAL, EXTENDED, MAIN.
    pub storage: Option<Text>,
    /// Compression: pglz or lz4, unless it is the default.
    pub compression: Option<Text>,
    /// Statistics target, unless it is the default.
    pub statistics: Option<i64>,
    /// `n_distinct` and the like.
    pub options: Options,
    /// Its options for a foreign table's server.
    #[serde(default)]
    pub foreign: Options,
    /// Its place; PostgreSQL cannot change it, so it is not compared.
    pub position: Aside<u32>,
    /// How existing values convert when the type changes.
    pub using: Aside<Option<Fragment>>,
    /// It comes from a parent (a partition's, a child's): made, changed and dropped with the column there. Only its
    /// name, type and collation are known then.
    pub inherited: Aside<bool>,
}

/// An identity column's sequence.
#[derive(Clone, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub struct Identity {
    /// ALWAYS, not BY DEFAULT.
    pub always: bool,
    /// Sequence options that differ from the type's defaults, by their keywords: `START WITH`, `INCREMENT BY`,
    /// `MINVALUE`, `MAXVALUE`, `CACHE` with numbers; `CYCLE` with 1.
    #[serde(with = "crate::keep::words")]
    pub options: BTreeMap<&'static str, i64>,
}

impl Identity {
    /// An identity.
    pub fn new(always: bool, options: BTreeMap<&'static str, i64>) -> Self {
        Self { always, options }
    }

    /// The settings of its sequence.
    fn settings(&self, type_name: TypeName) -> Sequence {
        let option = |word: &str| self.options.get(word).copied();
        let mut all = Sequence::usual(type_name, option("INCREMENT BY").unwrap_or(1));
        all.minimum = option("MINVALUE").unwrap_or(all.minimum);
        all.maximum = option("MAXVALUE").unwrap_or(all.maximum);
        all.start = option("START WITH").unwrap_or(if all.increment > 0 { all.minimum } else { all.maximum });
        all
    }
}

/// A generated column's expression.
#[derive(Clone, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub struct Generated {
    /// The expression.
    pub expression: Fragment,
    /// STORED; false is VIRTUAL (PostgreSQL 18).
    pub stored: bool,
}

impl Column {
    /// A nullable column of a type.
    pub fn new(type_name: TypeName) -> Self {
        Self {
            type_name,
            collation: None,
            not_null: false,
            not_null_name: Aside(None),
            identity: None,
            generated: None,
            storage: None,
            compression: None,
            statistics: None,
            options: Options::default(),
            foreign: Options::default(),
            position: Aside(0),
            using: Aside(None),
            inherited: Aside(false),
        }
    }

    /// The same column as a child of its table has it.
    #[must_use]
    pub fn handed_down(&self) -> Self {
        let collation = self.collation.clone();
        Self { collation, position: self.position, inherited: Aside(true), ..Self::new(self.type_name) }
    }

    /// What stands in the parentheses of CREATE TABLE.
    pub fn definition(&self, id: ObjectId, desired: &Catalog) -> Sql {
        let mut sql = Sql::default();
        sql.ident(id.name()).type_name(&self.type_name);
        if let Some(collation) = self.collation.as_ref().and_then(Reference::qname) {
            sql.kw("COLLATE").name(collation);
        }
        if let Some(generated) = &self.generated {
            sql.kw("GENERATED ALWAYS AS (").fragment(&generated.expression);
            sql.kw(if generated.stored { ") STORED" } else { ") VIRTUAL" });
        }
        if let Some(identity) = &self.identity {
            sql.kw("GENERATED").kw(always(identity.always)).kw("AS IDENTITY");
            identity_options(&mut sql, &identity.options, said_sequence(id, desired));
        }
        match not_null::of(id, desired) {
            // It is added behind the table.
            Some(own) if own.not_valid => {}
            Some(own) => own.inline(&mut sql),
            None if self.not_null => drop(sql.kw("NOT NULL")),
            None => {}
        }
        sql
    }

    /// Settings that CREATE TABLE cannot say on every version.
    fn settings(&self, old: &Column, id: ObjectId, context: &Context<'_>, out: &mut Steps) {
        let version = context.server.version;
        if self.storage != old.storage {
            // Older servers have no word for the type's own.
            let own = if version < 16 { own_storage(&self.type_name) } else { "default" };
            let word = self.storage.unwrap_or_else(|| Text::new(own));
            let mut sql = alter(id);
            sql.kw("SET STORAGE").ident(Ident::new(&word.as_str().to_ascii_lowercase()));
            out.push(sql).lock(table_of(id), Lock::AccessExclusive);
        }
        if self.compression != old.compression {
            let mut sql = alter(id);
            sql.kw("SET COMPRESSION");
            match self.compression {
                Some(method) => sql.ident(Ident::new(method.as_str())),
                None => sql.kw("DEFAULT"),
            };
            out.push(sql).lock(table_of(id), Lock::AccessExclusive);
        }
        if self.statistics != old.statistics {
            let mut sql = alter_only(id, context);
            sql.kw("SET STATISTICS").number(self.statistics.unwrap_or(-1));
            out.push(sql).lock(table_of(id), Lock::ShareUpdateExclusive);
        }
        for statement in old.options.alter(&self.options, &alter(id)) {
            out.push(statement).lock(table_of(id), Lock::ShareUpdateExclusive);
        }
        if self.foreign != old.foreign {
            let mut sql = alter(id);
            old.foreign.generic_changes(&self.foreign, &mut sql);
            out.push(sql).lock(table_of(id), Lock::AccessExclusive);
        }
    }
}

/// How a type's values are kept (`pg_type.typstorage`); those of PostgreSQL itself that are not kept like text, and of
/// other types what is usual.
fn own_storage(type_name: &TypeName) -> &'static str {
    const MAIN: [&str; 3] = ["numeric", "inet", "cidr"];
    const PLAIN: [&str; 19] = [
        "bool",
        "int2",
        "int4",
        "int8",
        "float4",
        "float8",
        "money",
        "date",
        "time",
        "timetz",
        "timestamp",
        "timestamptz",
        "interval",
        "uuid",
        "oid",
        "name",
        "point",
        "macaddr",
        "macaddr8",
    ];
    let name = type_name.name();
    if type_name.is_array() || !type_name.is_system() {
        "extended"
    } else if MAIN.contains(&name.as_str()) {
        "main"
    } else if PLAIN.contains(&name.as_str()) {
        "plain"
    } else {
        "extended"
    }
}

fn always(always: bool) -> &'static str {
    if always { "ALWAYS" } else { "BY DEFAULT" }
}

/// The name of the sequence of an identity column, where it is not the one that PostgreSQL chooses.
fn said_sequence(id: ObjectId, desired: &Catalog) -> Option<QName> {
    match desired.get(identity_sequence::id(id)).map(|entry| &entry.object) {
        Some(Object::IdentitySequence(sequence)) => sequence.said(id),
        _ => None,
    }
}

fn identity_options(sql: &mut Sql, options: &BTreeMap<&'static str, i64>, name: Option<QName>) {
    if options.is_empty() && name.is_none() {
        return;
    }
    sql.kw("(").tight();
    if let Some(name) = name {
        sql.kw("SEQUENCE NAME").name(name);
    }
    for (word, value) in options {
        sql.kw(word);
        if *word != "CYCLE" {
            sql.number(*value);
        }
    }
    sql.kw(")");
}

fn table_of(id: ObjectId) -> ObjectId {
    id.parent().unwrap_or(id)
}

/// `ALTER TABLE app.t ALTER COLUMN c`.
pub fn alter(id: ObjectId) -> Sql {
    let mut sql = naming::alter_parent(id);
    sql.kw("ALTER COLUMN").ident(id.name());
    sql
}

/// The same, and not for the children, which have settings of their own.
fn alter_only(id: ObjectId, context: &Context<'_>) -> Sql {
    if kinds::heirs(context.current, table_of(id)).is_empty() {
        return alter(id);
    }
    let mut sql = Sql::new("ALTER TABLE ONLY");
    naming::own_name(&mut sql, table_of(id));
    sql.kw("ALTER COLUMN").ident(id.name());
    sql
}

impl ObjectKind for Column {
    fn nature(&self) -> Nature {
        // What is computed can be computed again.
        if self.generated.is_some() { Nature::REBUILT } else { Nature::DATA }
    }

    fn visit(&mut self, visitor: &mut dyn Visitor) {
        visitor.type_name(&mut self.type_name);
        if let Some(collation) = &mut self.collation {
            visitor.reference(collation);
        }
        if let Some(generated) = &mut self.generated {
            visitor.fragment("generated", &mut generated.expression);
        }
        if let Some(using) = &mut self.using.0 {
            visitor.fragment("using", using);
        }
    }

    fn inherit(&mut self, current: &Self) {
        self.position = current.position;
        self.not_null_name = current.not_null_name;
    }

    fn append(&mut self) {
        // PostgreSQL has at most 1,600 columns.
        self.position.0 = self.position.0.saturating_add(1_000_000);
    }

    fn place(&self) -> u32 {
        self.position.0
    }

    fn write(&self, id: ObjectId, out: &mut Writer<'_>) {
        write::write(self, id, out);
    }

    fn create(&self, id: ObjectId, context: &Context<'_>, out: &mut Steps) {
        if self.inherited.0 {
            let own = not_null::of(id, context.desired).is_some();
            if self.not_null && !own && !key::is_primary(id, context.desired) {
                out.push(set_not_null(id, true)).lock(table_of(id), Lock::AccessExclusive).scans();
            }
            self.settings(&Column::new(self.type_name), id, context, out);
            return;
        }
        if table::is_brought_by_joining(id, context) {
            return self.settings(&Column::new(self.type_name), id, context, out);
        }
        if let Some(identity) = self.identity.as_ref().filter(|_| numbered::has_children(id, context)) {
            numbered::add(self, identity, id, context, out);
            return self.settings(&Column::new(self.type_name), id, context, out);
        }
        let definition = if context.server.version < 16 && numbered::is_computed_above(id, context.desired) {
            Self { generated: None, ..self.clone() }.definition(id, context.desired)
        } else {
            self.definition(id, context.desired)
        };
        let mut sql = naming::alter_parent(id);
        sql.kw("ADD COLUMN").sql(&definition);
        let rewrites = self.identity.is_some() || self.generated.as_ref().is_some_and(|g| g.stored);
        let step = out.push(sql).lock(table_of(id), Lock::AccessExclusive).element(Element::Item(definition));
        if rewrites {
            step.rewrites();
        }
        self.settings(&Column::new(self.type_name), id, context, out);
        table::toast_again(id, context, out);
    }

    fn alter(old: &Self, new: &Self, id: ObjectId, context: &Context<'_>, out: &mut Steps) -> Alter {
        let Self {
            type_name,
            collation,
            not_null,
            not_null_name: _,
            identity,
            generated,
            storage: _,
            compression: _,
            statistics: _,
            options: _,
            foreign: _,
            position: _,
            using: _,
            inherited,
        } = new;
        let new_type = *type_name != old.type_name || *collation != old.collation;
        if new_type && table::is_divided_by(id, context.current) {
            return Alter::ReplaceParent("a column of the partition key keeps its type");
        }
        // What is more than a plain NOT NULL is added by its own statement.
        let own = not_null::of(id, context.desired).is_some();
        if inherited.0 {
            // The parent's statement has changed it before; who uses it is concerned all the same.
            let table = table_of(id);
            if *not_null && !old.not_null && !own {
                out.push(set_not_null(id, true)).lock(table, Lock::AccessExclusive).scans();
            }
            let above = table::origin(context.desired, id).and_then(|above| context.desired.get(above));
            let above =
                above.is_some_and(|above| matches!(&above.object, Object::Column(above) if above.not_null));
            if !*not_null && old.not_null && !above {
                out.push(set_not_null(id, false)).lock(table, Lock::AccessExclusive);
            }
            new.settings(old, id, context, out);
            return if new_type { Alter::Disturb("its type changes") } else { Alter::InPlace };
        }
        let table = table_of(id);
        match (&old.generated, generated) {
            (Some(before), Some(after)) if before != after => {
                let settable = after.stored || !is_tested(table, context.current);
                if before.stored != after.stored || context.server.version < 17 || !settable {
                    return Alter::Replace("a generated column's expression is computed anew");
                }
                let mut sql = alter(id);
                sql.kw("SET EXPRESSION AS (").fragment(&after.expression).kw(")");
                out.push(sql).lock(table, Lock::AccessExclusive).rewrites();
            }
            (Some(_), None) => {
                let mut sql = alter(id);
                sql.kw("DROP EXPRESSION");
                out.push(sql).lock(table, Lock::AccessExclusive);
            }
            (None, Some(_)) => {
                return Alter::Replace("a column with values of its own becomes a generated one");
            }
            _ => {}
        }
        let mut changed_type = false;
        if *type_name != old.type_name || *collation != old.collation {
            changed_type = true;
            if old.identity.is_some() && identity.is_none() {
                let mut sql = alter(id);
                sql.kw("DROP IDENTITY");
                out.push(sql).lock(table, Lock::AccessExclusive);
            }
            let sql = set_type(old, new, id, context);
            let step = out.push(sql).lock(table, Lock::AccessExclusive);
            if !widens(&old.type_name, type_name) {
                step.rewrites();
            }
        }
        if *not_null != old.not_null && *not_null && !own {
            out.push(set_not_null(id, true)).lock(table, Lock::AccessExclusive).scans();
        }
        match (&old.identity, identity) {
            (None, Some(identity)) => {
                let mut sql = alter(id);
                sql.kw("ADD GENERATED").kw(always(identity.always)).kw("AS IDENTITY");
                identity_options(&mut sql, &identity.options, said_sequence(id, context.desired));
                out.push(sql).lock(table, Lock::AccessExclusive);
                sequence::go_on(&serial_sequence(id), id, &identity.settings(*type_name), out);
            }
            (Some(_), None) if !changed_type => {
                let mut sql = alter(id);
                sql.kw("DROP IDENTITY");
                out.push(sql).lock(table, Lock::AccessExclusive);
            }
            (Some(before), Some(after)) if before != after => {
                alter_identity(before, after, &new.type_name, id, out);
            }
            _ => {}
        }
        if *not_null != old.not_null && !*not_null {
            out.push(set_not_null(id, false)).lock(table, Lock::AccessExclusive);
        }
        new.settings(old, id, context, out);
        if changed_type {
            table::toast_again(id, context, out);
        }
        if changed_type { Alter::Disturb("its type changes") } else { Alter::InPlace }
    }

    fn at_once(&self, id: ObjectId, context: &Context<'_>) -> Vec<ObjectId> {
        let numbered = |entry: &Entry| matches!(&entry.object, Object::Column(old) if old.identity.is_some());
        let turns = context.current.get(id).is_some_and(|old| numbered(old) != self.identity.is_some());
        turns.then(|| ObjectId::of(Kind::Default, id, "")).into_iter().collect()
    }

    fn drop(&self, id: ObjectId, context: &Context<'_>, out: &mut Steps) {
        if self.inherited.0 {
            return;
        }
        let (keeping, others) = children(id, context);
        let mut sql = match keeping {
            false => naming::alter_parent(id),
            // The children have it for themselves from then on.
            true => {
                let mut sql = Sql::new("ALTER TABLE ONLY");
                naming::own_name(&mut sql, table_of(id));
                sql
            }
        };
        sql.kw("DROP COLUMN").ident(id.name());
        let step = out.push(sql).lock(table_of(id), Lock::AccessExclusive);
        if self.generated.is_none() {
            step.loses(Loss::DropColumn, id);
        }
        for child in others.into_iter().filter(|_| keeping) {
            let mut sql = naming::alter_parent(child);
            sql.kw("DROP COLUMN").ident(id.name());
            out.push(sql).lock(table_of(child), Lock::AccessExclusive).loses(Loss::DropColumn, child);
        }
    }

    fn rename(&self, from: ObjectId, to: ObjectId, _: &Context<'_>, out: &mut Steps) {
        if self.inherited.0 {
            return;
        }
        let mut sql = naming::alter_parent(to);
        sql.kw("RENAME COLUMN").ident(from.name()).kw("TO").ident(to.name());
        out.push(sql).lock(table_of(to), Lock::AccessExclusive);
    }

    fn analyse(&self, id: ObjectId, world: &World<'_>, out: &mut Found) {
        if let (Some(generated), Some(table)) = (&self.generated, id.parent()) {
            let place = Place::Assigned(Seen::Columns(table), self.type_name);
            out.push(("generated", analyse::expression(world, &generated.expression, place)));
        }
    }

    fn ask(&self, id: ObjectId, context: &Context<'_>, out: &mut Questions) {
        let Some(generated) = &self.generated else { return };
        let Some(stand_in) = id.parent().and_then(|table| table::stand_in(table, context)) else { return };
        let column = out.fresh_name();
        let mut make = Sql::new("ALTER TABLE pg_temp.");
        let mut element = Sql::default();
        element.ident(column).type_name(&self.type_name).kw("GENERATED ALWAYS AS (");
        element.fragment(&generated.expression);
        element.kw(if generated.stored { ") STORED" } else { ") VIRTUAL" });
        make.tight().ident(stand_in.name).kw("ADD COLUMN").sql(&element);
        out.push(Question {
            object: id,
            stand_in: Some(stand_in),
            make: make.into_text(),
            read: vec![("generated".into(), read_default(column))],
            element: Some(element.into_text()),
            instead: Vec::new(),
        });
    }
}

/// Reads back the default or generation expression of a stand-in's column, whose name no other stand-in has.
pub fn read_default(column: Ident) -> Read {
    const STORED: &str = "SELECT a.attname, pg_catalog.pg_get_expr(d.adbin, d.adrelid) \
        FROM pg_catalog.pg_attrdef d \
        JOIN pg_catalog.pg_attribute a ON a.attrelid = d.adrelid AND a.attnum = d.adnum \
        WHERE d.adrelid = ANY ($1)";
    Read::Among(STORED, column.as_str().to_owned())
}

fn has_same_base(old: &TypeName, new: &TypeName) -> bool {
    new.qname() == old.qname() && new.is_array() == old.is_array()
}

/// Whether a table has checks or is published: PostgreSQL then changes no expression that is computed when it is read.
fn is_tested(table: ObjectId, catalog: &Catalog) -> bool {
    let publishes = |entry: &Entry| match &entry.object {
        Object::Publication(publication) => {
            publication.all_tables
                || table.schema().is_some_and(|schema| publication.schemas.contains(&schema))
        }
        _ => false,
    };
    [Kind::Check, Kind::Member].into_iter().any(|kind| catalog.children_of(table, kind).next().is_some())
        || catalog.iter().any(|(_, entry)| publishes(entry))
}

/// Whether a child of a column's table keeps its values as a column of its own, and those of the other children.
fn children(column: ObjectId, context: &Context<'_>) -> (bool, Vec<ObjectId>) {
    let table = table_of(column);
    let heirs = context.current.kin().children(table).iter().copied();
    let stay =
        heirs.filter(|heir| context.desired.contains(*heir) && !table::is_divided(table, context.current));
    let own = stay.map(|heir| ObjectId::on(Kind::Column, heir, column.name()));
    let keeps = |own: &ObjectId| matches!(context.desired.get(*own).map(|entry| &entry.object), Some(Object::Column(own)) if !own.inherited.0);
    let (kept, others): (Vec<ObjectId>, Vec<ObjectId>) = own.partition(keeps);
    (!kept.is_empty(), others.into_iter().filter(|own| !context.desired.contains(*own)).collect())
}

/// Whether the column becomes of another type in this plan, and not only of another length.
pub fn becomes_another_type(id: ObjectId, context: &Context<'_>) -> bool {
    let (old, new) = (type_of(id, context.current), type_of(id, context.desired));
    old.zip(new).is_some_and(|(old, new)| !has_same_base(&old, &new))
}

/// Whether the column becomes of a type in this plan whose values PostgreSQL does not compare with those of the old
/// one, so that a foreign key cannot have the one at one end and the other at the other end.
pub fn becomes_incomparable(id: ObjectId, context: &Context<'_>) -> bool {
    const FAMILIES: [&[&str]; 2] = [&["int2", "int4", "int8"], &["text", "varchar"]];
    let (old, new) = (type_of(id, context.current), type_of(id, context.desired));
    let in_one_family = |old: &TypeName, new: &TypeName| {
        let plain = old.is_system() && new.is_system() && !old.is_array() && !new.is_array();
        let both =
            |family: &&[&str]| family.contains(&old.name().as_str()) && family.contains(&new.name().as_str());
        plain && FAMILIES.iter().any(both)
    };
    old.zip(new).is_some_and(|(old, new)| !has_same_base(&old, &new) && !in_one_family(&old, &new))
}

fn type_of(id: ObjectId, catalog: &Catalog) -> Option<TypeName> {
    match &catalog.get(id)?.object {
        Object::Column(column) => Some(column.type_name),
        _ => None,
    }
}

/// An expression of the sequence that belongs to a column.
fn serial_sequence(id: ObjectId) -> Sql {
    let mut sql = Sql::new("pg_catalog.pg_get_serial_sequence(");
    let table = table_of(id).qname().map(sql::qualified).unwrap_or_default();
    sql.tight().literal(&table).kw(",").literal(id.name().as_str()).kw(")");
    sql.tight().kw("::pg_catalog.regclass");
    sql
}

/// `ALTER COLUMN c TYPE …`, with how its values convert.
pub fn set_type(old: &Column, new: &Column, id: ObjectId, context: &Context<'_>) -> Sql {
    let Column { type_name, collation, using, .. } = new;
    let mut sql = alter(id);
    sql.kw("TYPE").type_name(type_name);
    if let Some(collation) = collation.as_ref().and_then(Reference::qname) {
        sql.kw("COLLATE").name(collation);
    }
    if let Some(using) = &using.0 {
        sql.kw("USING").fragment(using);
    } else if !casts::assigns(&old.type_name, type_name) {
        // A cast that PostgreSQL would not apply by itself is still what people mean.
        sql.kw("USING").ident(id.name());
        if types::through_text(&old.type_name, type_name, context) {
            sql.tight().kw("::text");
        }
        sql.tight().kw("::").tight().type_name(type_name);
    }
    sql
}

/// `ALTER COLUMN c SET NOT NULL`, or DROP.
pub fn set_not_null(id: ObjectId, set: bool) -> Sql {
    let mut sql = alter(id);
    sql.kw(if set { "SET NOT NULL" } else { "DROP NOT NULL" });
    sql
}

fn alter_identity(before: &Identity, after: &Identity, type_name: &TypeName, id: ObjectId, out: &mut Steps) {
    let (old, new) = (before.settings(*type_name), after.settings(*type_name));
    let restarts = sequence::make_room(&serial_sequence(id), &old, &new, out);
    let mut sql = alter(id);
    if before.always != after.always {
        sql.kw("SET GENERATED").kw(always(after.always));
    }
    let mut words: Vec<&'static str> = before.options.keys().chain(after.options.keys()).copied().collect();
    words.sort_unstable();
    words.dedup();
    for word in words.into_iter().filter(|word| before.options.get(word) != after.options.get(word)) {
        match (word, after.options.get(word)) {
            ("CYCLE", Some(_)) => sql.kw("SET CYCLE"),
            ("CYCLE", None) => sql.kw("SET NO CYCLE"),
            ("MINVALUE", None) => sql.kw("SET NO MINVALUE"),
            ("MAXVALUE", None) => sql.kw("SET NO MAXVALUE"),
            (word, value) => {
                let descending = after.options.get("INCREMENT BY").is_some_and(|by| *by < 0);
                let fallback = match (word, descending) {
                    ("START WITH", true) => after.options.get("MAXVALUE").copied().unwrap_or(-1),
                    ("START WITH", false) => after.options.get("MINVALUE").copied().unwrap_or(1),
                    _ => 1,
                };
                sql.kw("SET").kw(word).number(value.copied().unwrap_or(fallback))
            }
        };
    }
    if restarts {
        sql.kw("RESTART");
    }
    out.push(sql).lock(table_of(id), Lock::AccessExclusive);
}

/// Whether PostgreSQL changes the type without writing the table anew: a longer or unlimited varchar, varchar to
/// text, a larger numeric of the same scale, a finer timestamp (ATColumnChangeRequiresRewrite and the length
/// coercions' support functions).
fn widens(old: &TypeName, new: &TypeName) -> bool {
    if old.is_array() != new.is_array() || !old.is_system() || !new.is_system() {
        return false;
    }
    let numbers = |type_name: &TypeName| -> Vec<i64> {
        type_name.modifiers().as_str().split(',').filter_map(|n| n.parse().ok()).collect()
    };
    let (before, after) = (numbers(old), numbers(new));
    match (old.name().as_str(), new.name().as_str()) {
        ("varchar", "text") => true,
        ("varchar" | "text", "varchar") if after.is_empty() => true,
        ("varchar", "varchar") | ("varbit", "varbit") => {
            !before.is_empty() && !after.is_empty() && after >= before
        }
        ("numeric", "numeric") => {
            after.is_empty()
                || (before.len() == 2 && after.len() == 2 && before[1] == after[1] && after[0] >= before[0])
        }
        ("timestamp", "timestamp") | ("timestamptz", "timestamptz") | ("time", "time") => {
            after.is_empty() || (!before.is_empty() && after >= before)
        }
        _ => false,
    }
}
