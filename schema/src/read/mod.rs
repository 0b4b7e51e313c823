//! From the system catalogs to a `Catalog`: the contract of what each kind reads, and their order.
//!
//! A reader is one query and a function for one of its rows. Rows name other objects by class, oid and sub id, as
//! pg_depend does; `Declarations` knows which object that is. Nothing here talks to a server: `introspect` does.
//! A row whose parent is not known belongs to something that is not read (system schemas, temporary objects,
//! schemac's own) and is passed over.

mod row;

pub use row::{Error, Row, elements, type_name};

use crate::catalog::{Catalog, Entry, Standing};
use crate::id::{Address, ObjectId};
use crate::ident::{Ident, Known, QName, Text};
use crate::kinds;
use crate::object::{Kind, Object};
use std::collections::{BTreeSet, HashMap, HashSet};

/// One query and what its rows mean.
#[derive(Clone, Copy, Debug)]
pub struct Reader {
    /// What it reads, for messages.
    pub name: &'static str,
    /// The query for a major version, without a semicolon.
    pub sql: fn(version: u32) -> String,
    /// Takes one row.
    pub decode: fn(row: &mut Row<'_>, out: &mut Declarations) -> Result<(), Error>,
}

/// What runs before the readers, in the same transaction: how `pg_get_*` and `format_type` write what they return.
/// pg_temp comes last, so that a temporary table cannot stand in for a catalog.
pub const SETTINGS: &[&str] = &[
    "SET LOCAL search_path = pg_catalog, pg_temp",
    "SET LOCAL DateStyle = 'ISO, MDY'",
    "SET LOCAL IntervalStyle = 'postgres'",
    "SET LOCAL TimeZone = 'UTC'",
    "SET LOCAL extra_float_digits = 1",
    "SET LOCAL bytea_output = 'hex'",
    "SET LOCAL quote_all_identifiers = off",
    "SET LOCAL standard_conforming_strings = on",
    "SET LOCAL jit = off",
    "SET LOCAL statement_timeout = 0",
    // `pg_get_viewdef` locks what a view reads. Whoever changes several tables must not end in a deadlock with a reader.
    "SET LOCAL lock_timeout = 100",
];

/// All readers; what others stand on comes first.
pub const READERS: &[Reader] = &[
    kinds::opaque::read::ROLES,
    kinds::opaque::read::MEMBERS,
    kinds::schema::read::READER,
    kinds::extension::read::READER,
    kinds::opaque::read::LANGUAGES,
    kinds::collation::read::READER,
    kinds::opaque::read::BASE_TYPES,
    kinds::enumeration::read::READER,
    kinds::domain::read::READER,
    kinds::composite::read::READER,
    kinds::range::read::READER,
    kinds::table::read::READER,
    kinds::view::read::READER,
    kinds::materialized_view::read::READER,
    kinds::foreign_data_wrapper::read::READER,
    kinds::server::read::READER,
    kinds::foreign_table::read::READER,
    kinds::table::read::INHERITANCE,
    kinds::column::read::READER,
    kinds::not_null::read::COMMENTS,
    kinds::sequence::read::READER,
    kinds::function::read::READER,
    kinds::aggregate::read::READER,
    kinds::default::read::READER,
    kinds::check::read::READER,
    kinds::key::read::READER,
    kinds::exclusion::read::READER,
    kinds::index::read::READER,
    kinds::foreign_key::read::READER,
    kinds::statistics::read::READER,
    kinds::rule::read::READER,
    kinds::trigger::read::READER,
    kinds::policy::read::READER,
    kinds::publication::read::READER,
    kinds::member::read::READER,
    kinds::event_trigger::read::READER,
    kinds::opaque::read::UNMODELLED,
    kinds::column::read::OTHER_SETTINGS,
    kinds::not_null::read::OF_DOMAINS,
    kinds::comment::read::READER,
    kinds::grant::read::READER,
    kinds::default_privileges::read::READER,
    USES,
];

/// The query of a file for one major version: a line that ends in `-- since 15` or `-- before 15` is there only then.
pub fn for_version(sql: &str, version: u32) -> String {
    let holds = |line: &&str| {
        let Some((_, condition)) = line.rsplit_once("-- ") else { return true };
        match condition.trim().split_once(' ').map(|(word, number)| (word, number.parse::<u32>())) {
            Some(("since", Ok(first))) => version >= first,
            Some(("before", Ok(first))) => version < first,
            _ => true,
        }
    };
    sql.lines().filter(holds).collect::<Vec<_>>().join("\n")
}

/// The schema in which schemac keeps what it remembers. Its readers pass it over, and no file may declare it.
pub const OWN_SCHEMA: &str = "schemac";

/// The oids of the system catalogs that others refer to; they never change.
pub mod class {
    /// `pg_type`.
    pub const TYPE: u32 = 1247;
    /// `pg_proc`.
    pub const ROUTINE: u32 = 1255;
    /// `pg_class`.
    pub const RELATION: u32 = 1259;
    /// `pg_authid`.
    pub const ROLE: u32 = 1260;
    /// `pg_attrdef`.
    pub const DEFAULT: u32 = 2604;
    /// `pg_constraint`.
    pub const CONSTRAINT: u32 = 2606;
    /// `pg_language`.
    pub const LANGUAGE: u32 = 2612;
    /// `pg_namespace`.
    pub const SCHEMA: u32 = 2615;
    /// `pg_rewrite`.
    pub const RULE: u32 = 2618;
    /// `pg_foreign_server`.
    pub const SERVER: u32 = 1417;
    /// `pg_foreign_data_wrapper`.
    pub const FOREIGN_DATA_WRAPPER: u32 = 2328;
    /// `pg_trigger`.
    pub const TRIGGER: u32 = 2620;
    /// `pg_extension`.
    pub const EXTENSION: u32 = 3079;
    /// `pg_policy`.
    pub const POLICY: u32 = 3256;
    /// `pg_statistic_ext`.
    pub const STATISTICS: u32 = 3381;
    /// `pg_collation`.
    pub const COLLATION: u32 = 3456;
    /// `pg_event_trigger`.
    pub const EVENT_TRIGGER: u32 = 3466;
    /// `pg_publication`.
    pub const PUBLICATION: u32 = 6104;
}

/// A privilege that was given by somebody else than the owner: the owner's REVOKE does not take it away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OtherGrantor {
    /// The privileges that it is part of.
    pub grant: ObjectId,
    /// Which one.
    pub privilege: Text,
    /// Who gave it.
    pub grantor: Ident,
}

type Key = (u32, u32, i32);

/// The objects found so far, by what the catalogs call them.
#[derive(Debug)]
pub struct Declarations {
    /// The major version of the server.
    pub version: u32,
    /// The objects.
    pub catalog: Catalog,
    /// Privileges that somebody else than the owner gave.
    pub other_grantors: Vec<OtherGrantor>,
    /// What was found on something that is no object of its own, in words (the comment on a key's index).
    pub unplaced: Vec<String>,
    external: BTreeSet<Ident>,
    members: HashSet<(u32, u32)>,
    objects: Known<Key, ObjectId>,
    aliases: Known<(u32, u32), ObjectId>,
    clones: HashSet<(u32, u32)>,
    columns: Known<(u32, i32), Ident>,
    uses: Known<ObjectId, Vec<ObjectId>>,
}

impl Declarations {
    /// Nothing yet. Objects in the schemas `external` belong to somebody else.
    pub fn new(version: u32, external: &BTreeSet<Ident>) -> Self {
        Self {
            version,
            catalog: Catalog::default(),
            other_grantors: Vec::new(),
            unplaced: Vec::new(),
            external: external.clone(),
            members: HashSet::new(),
            objects: Known::default(),
            aliases: Known::default(),
            clones: HashSet::new(),
            columns: Known::default(),
            uses: Known::default(),
        }
    }

    /// Adds an object and says what the catalogs call it.
    ///
    /// # Errors
    /// Two objects with one name: the catalog was read in two states.
    pub fn add(&mut self, id: ObjectId, object: Object, class: u32, oid: u32, sub: i32) -> Result<(), Error> {
        let standing = self.standing(id, class, oid, id.schema());
        self.add_with(id, object, (class, oid, sub), standing)
    }

    /// Adds an object whose name does not say in which schema it is.
    ///
    /// # Errors
    /// As [`Declarations::add`].
    pub fn add_global(
        &mut self,
        id: ObjectId,
        object: Object,
        class: u32,
        oid: u32,
        schema: Option<Ident>,
    ) -> Result<(), Error> {
        let standing = self.standing(id, class, oid, schema);
        self.add_with(id, object, (class, oid, 0), standing)
    }

    /// Adds an object that nobody but the catalogs' own rows speak of: a comment, a grant.
    ///
    /// # Errors
    /// As [`Declarations::add`].
    pub fn add_satellite(&mut self, id: ObjectId, object: Object) -> Result<(), Error> {
        let standing = self.standing(id, 0, 0, id.schema());
        self.insert(id, object, standing)
    }

    /// Adds an object that is never changed.
    ///
    /// # Errors
    /// As [`Declarations::add`].
    pub fn add_external(&mut self, id: ObjectId, object: Object, class: u32, oid: u32) -> Result<(), Error> {
        self.add_with(id, object, (class, oid, 0), Standing::External)
    }

    fn add_with(&mut self, id: ObjectId, object: Object, key: Key, standing: Standing) -> Result<(), Error> {
        self.insert(id, object, standing)?;
        self.objects.insert(key, id);
        Ok(())
    }

    fn insert(&mut self, id: ObjectId, object: Object, standing: Standing) -> Result<(), Error> {
        let entry = Entry { object, span: None, standing, uses: Vec::new() };
        self.catalog
            .insert(id, entry)
            .map_err(|holder| Error::Changed(format!("{id} and {holder} have one name")))
    }

    /// What belongs to an extension or stands in an external schema is somebody else's, with all that is on it.
    fn standing(&self, id: ObjectId, class: u32, oid: u32, schema: Option<Ident>) -> Standing {
        let root = id.root();
        let inherited = self.catalog.get(root).filter(|_| root != id).map(|entry| entry.standing);
        let external = self.members.contains(&(class, oid))
            || schema.is_some_and(|schema| self.external.contains(&schema))
            || inherited == Some(Standing::External);
        if external { Standing::External } else { Standing::Managed }
    }

    /// Says that the catalogs have another name for an object, or one for a part of it.
    pub fn alias(&mut self, class: u32, oid: Option<u32>, id: ObjectId) {
        if let Some(oid) = oid {
            self.aliases.insert((class, oid), id);
        }
    }

    /// Says that something is what a partition or child has of its parent's object: who uses it uses that one, and
    /// what it uses itself counts for nothing.
    pub fn clone_of(&mut self, class: u32, oid: Option<u32>, id: ObjectId) {
        self.alias(class, oid, id);
        self.clones.extend(oid.map(|oid| (class, oid)));
    }

    /// Says what a partition has of its table's indexes and constraints, under which name.
    pub fn part(&mut self, table: ObjectId, kind: Kind, name: Ident, whole: ObjectId) {
        if let Some(Object::Table(table_spec)) = self.catalog.get_mut(table).map(|entry| &mut entry.object) {
            table_spec.parts.0.push((ObjectId::on(kind, table, name), whole));
        }
    }

    /// Whether something is what a partition or child has of its parent's object.
    pub fn is_clone(&self, class: u32, oid: u32) -> bool {
        self.clones.contains(&(class, oid))
    }

    /// Says that an object belongs to an extension. Before it is added.
    pub fn member(&mut self, class: u32, oid: u32) {
        self.members.insert((class, oid));
    }

    /// Remembers a column's name, also where columns are no objects (a view's).
    pub fn name_column(&mut self, relation: u32, number: i32, name: Ident) {
        self.columns.insert((relation, number), name);
    }

    /// The object that has exactly this name in the catalogs.
    pub fn exact(&self, class: u32, oid: u32, sub: i32) -> Option<ObjectId> {
        self.objects.get(&(class, oid, sub)).copied()
    }

    /// The object that this is, or is part of: a view's rule is the view, a key's index the key.
    pub fn find(&self, class: u32, oid: u32, sub: i32) -> Option<ObjectId> {
        let whole = || self.exact(class, oid, 0).or_else(|| self.aliases.get(&(class, oid)).copied());
        self.exact(class, oid, sub).or_else(whole)
    }

    /// What a comment or privilege is on: an object, or a column of a view.
    pub fn target(&self, class: u32, oid: u32, sub: i32) -> Option<ObjectId> {
        self.exact(class, oid, sub).or_else(|| {
            let name = self.columns.get(&(oid, sub)).filter(|_| class == class::RELATION)?;
            let composite =
                || self.aliases.get(&(class, oid)).copied().filter(|id| id.kind() == Kind::Composite);
            Some(ObjectId::on(Kind::Column, self.relation(oid).or_else(composite)?, *name))
        })
    }

    /// The name of a schema that is read.
    pub fn schema(&self, oid: u32) -> Option<Ident> {
        self.exact(class::SCHEMA, oid, 0).map(ObjectId::name)
    }

    /// The id of an object in a schema that is read.
    pub fn in_schema(&self, kind: Kind, schema: u32, name: Ident) -> Option<ObjectId> {
        Some(ObjectId::in_schema(kind, QName::new(self.schema(schema)?, name)))
    }

    /// A relation.
    pub fn relation(&self, oid: u32) -> Option<ObjectId> {
        self.exact(class::RELATION, oid, 0)
    }

    /// A column that is an object of its own.
    pub fn column(&self, relation: u32, number: i32) -> Option<ObjectId> {
        self.exact(class::RELATION, relation, number).filter(|_| number > 0)
    }

    /// The names of columns.
    ///
    /// # Errors
    /// One is not there any more.
    pub fn column_names(&self, relation: u32, numbers: &[i32]) -> Result<Vec<Ident>, Error> {
        numbers
            .iter()
            .map(|number| {
                let name = self.columns.get(&(relation, *number)).copied();
                name.ok_or_else(|| Error::Changed(format!("column {number} of relation {relation} is gone")))
            })
            .collect()
    }

    /// A role's name; 0 is everybody.
    ///
    /// # Errors
    /// It is not there any more.
    pub fn role(&self, oid: u32) -> Result<Ident, Error> {
        if oid == 0 {
            return Ok(Ident::new("public"));
        }
        let role = self.exact(class::ROLE, oid, 0).map(ObjectId::name);
        role.ok_or_else(|| Error::Changed(format!("role {oid} is gone")))
    }

    /// Says that one object uses another. Its own parents and parts, itself and schemas do not count; who uses a
    /// column of another relation uses that relation too.
    pub fn uses(&mut self, user: ObjectId, used: ObjectId) {
        let outside = |used: ObjectId| used != user && !user.is_below(used) && !used.is_below(user);
        // What is in a schema says so by its name; an extension does not, nor does what is nothing but a name.
        let says_so = !user.kind().has_members() && !user.kind().is_only_a_name();
        let is_in_name = used.kind() == Kind::Schema && says_so;
        if is_in_name || !outside(used) {
            return;
        }
        let list = self.uses.entry(user).or_default();
        list.push(used);
        let relation = used.parent().filter(|_| used.kind() == Kind::Column);
        list.extend(relation.filter(|relation| outside(*relation)));
        // A column that came from a parent is changed and dropped there.
        if let Some(origin) = kinds::origin(&self.catalog, used) {
            self.uses(user, origin);
        }
    }

    /// Everything is read: fills in who uses what, and brings all into order.
    pub fn finish(&mut self) {
        let uses = std::mem::take(&mut self.uses);
        let members: HashMap<ObjectId, ObjectId> = uses
            .iter()
            .filter(|(id, _)| {
                self.catalog.get(**id).is_some_and(|entry| entry.standing == Standing::External)
            })
            .filter_map(|(id, used)| Some((*id, *used.iter().find(|used| used.kind().has_members())?)))
            .collect();
        for (id, mut used) in uses {
            // Who uses a member of an extension uses the extension.
            let extensions: Vec<ObjectId> =
                used.iter().filter_map(|used| members.get(used).copied()).collect();
            used.extend(extensions);
            used.sort_unstable();
            used.dedup();
            if let Some(entry) = self.catalog.get_mut(id) {
                entry.uses = used;
            }
        }
        // A cast to a type of an extension, an event trigger of the platform: somebody else's too.
        let externals: HashSet<ObjectId> = self
            .catalog
            .iter()
            .filter(|(id, entry)| {
                (id.kind().is_routine() || id.kind().is_type()) && entry.standing == Standing::External
            })
            .map(|(id, _)| id)
            .collect();
        for (id, entry) in self.catalog.iter_mut() {
            let nowhere = matches!(id.kind(), Kind::Unmodelled | Kind::EventTrigger)
                && matches!(id.address(), Address::Global(_));
            if nowhere && entry.uses.iter().any(|used| externals.contains(used)) {
                entry.standing = Standing::External;
            }
        }
        self.catalog.sort();
        self.unplaced.sort_unstable();
        self.other_grantors.sort_by_key(|other| (other.grant, other.privilege, other.grantor));
    }

    /// The objects in managed places that schemac only reads: what they are, and which.
    pub fn unmodelled(&self) -> Vec<(Text, ObjectId)> {
        self.catalog
            .iter()
            .filter(|(_, entry)| entry.standing == Standing::Managed && entry.object.is_opaque())
            .map(|(id, entry)| match &entry.object {
                Object::Unmodelled(opaque) => (opaque.what, id),
                _ => (Text::new(id.kind().word()), id),
            })
            .collect()
    }
}

const USES: Reader = Reader {
    name: "dependencies",
    sql: |_| include_str!("uses.sql").to_owned(),
    decode: |row, out| {
        let (class, oid, sub) = (row.oid()?, row.oid()?, row.sub()?);
        if out.clones.contains(&(class, oid)) {
            return Ok(());
        }
        let user = out.find(class, oid, sub);
        let used = out.find(row.oid()?, row.oid()?, row.sub()?);
        if let (Some(user), Some(used)) = (user, used) {
            // A sequence is owned by a column, and a partition's own key is a part of its table's index: neither uses it.
            let other = (user.kind(), used.kind());
            if matches!(other, (Kind::Sequence, Kind::Column) | (Kind::Key, Kind::Index)) {
                return Ok(());
            }
            out.uses(user, used);
        }
        Ok(())
    },
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_for_some_versions_only() {
        let sql = "SELECT a -- the first\n, b -- since 15\n, NULL -- before 15\nFROM t";
        assert_eq!(for_version(sql, 14), "SELECT a -- the first\n, NULL -- before 15\nFROM t");
        assert_eq!(for_version(sql, 15), "SELECT a -- the first\n, b -- since 15\nFROM t");
    }

    #[test]
    fn no_query_ends_in_a_semicolon_and_none_is_there_twice() {
        for version in 14..=18 {
            let all: Vec<String> = READERS.iter().map(|reader| (reader.sql)(version)).collect();
            for (index, sql) in all.iter().enumerate() {
                assert!(!sql.trim_end().ends_with(';'), "{sql}");
                assert!(!all[..index].contains(sql), "{sql}");
                crate::parse::statement(sql).unwrap_or_else(|error| panic!("{error}: {sql}"));
            }
        }
    }
}
