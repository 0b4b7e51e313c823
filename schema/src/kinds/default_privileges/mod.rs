//! Privileges by default: what new objects of a role give to others.
//!
//! A plan changes them last, so that its own new objects get what the database gives now, and then exactly the
//! privileges that they shall have.

pub mod declare;
pub mod read;
pub mod write;

use crate::catalog::Catalog;
use crate::id::ObjectId;
use crate::ident::{Ident, Text};
use crate::kinds::grant::{self, Grant};
use crate::object::{Alter, Context, Kind, Nature, Object, ObjectKind, Visitor};
use crate::sql::Sql;
use crate::step::Steps;
use crate::write::Writer;
use std::collections::BTreeMap;

/// What one role's new objects of one kind in one schema (or everywhere) give to one grantee.
#[derive(Clone, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub struct DefaultPrivileges {
    /// Whose new objects.
    pub role: Ident,
    /// In which schema; everywhere when there is none.
    pub schema: Option<Ident>,
    /// Of which kind: `TABLES`, `SEQUENCES`, `FUNCTIONS`, `TYPES`, `SCHEMAS`.
    pub objects: Text,
    /// To whom.
    pub grantee: Ident,
    /// What. Empty in an entry for everywhere: what PostgreSQL gives by itself is taken away.
    pub grant: Grant,
}

impl DefaultPrivileges {
    /// The id of an entry.
    pub fn id(&self) -> ObjectId {
        let place = self.schema.map_or("*".to_owned(), |schema| schema.to_string());
        let name = format!("for {} in {place} on {} to {}", self.role, self.objects, self.grantee);
        ObjectId::global(Kind::DefaultPrivileges, Ident::new(&name))
    }
}

/// What a new object of the role that runs the plan gives to whom.
pub fn of_new(id: ObjectId, context: &Context<'_>) -> BTreeMap<Ident, Grant> {
    let objects = match id.kind() {
        Kind::Table | Kind::View | Kind::MaterializedView | Kind::ForeignTable => "TABLES",
        Kind::Sequence | Kind::IdentitySequence => "SEQUENCES",
        Kind::Function | Kind::Aggregate => "FUNCTIONS",
        Kind::Enum | Kind::Domain | Kind::Composite | Kind::Range | Kind::BaseType => "TYPES",
        Kind::Schema => "SCHEMAS",
        _ => return BTreeMap::new(),
    };
    let schema = if id.kind() == Kind::Schema { None } else { id.schema() };
    let mut given: BTreeMap<Ident, Grant> = BTreeMap::new();
    let everybody = Ident::new("public");
    match objects {
        "FUNCTIONS" | "TYPES" => {
            given.insert(everybody, Grant::all(id.kind(), context.server.version));
        }
        _ => {}
    }
    for (_, entry) in context.current.iter() {
        let Object::DefaultPrivileges(privileges) = &entry.object else { continue };
        if privileges.role != context.server.role || privileges.objects.as_str() != objects {
            continue;
        }
        match privileges.schema {
            // An entry for everywhere replaces what PostgreSQL gives by itself.
            None => {
                given.insert(privileges.grantee, privileges.grant.clone());
            }
            // The owner of a new object has all without it.
            Some(place) if Some(place) == schema && is_own(privileges, &given) => {}
            Some(place) if Some(place) == schema => {
                let grant = given.entry(privileges.grantee).or_default();
                for (word, option) in &privileges.grant.privileges {
                    let known = grant.privileges.entry(*word).or_insert(false);
                    *known |= *option;
                }
            }
            Some(_) => {}
        }
    }
    // An entry of the role itself says what the owner of a new object has.
    given.retain(|grantee, grant| !grant.privileges.is_empty() || *grantee == context.server.role);
    given
}

/// Whether what a role gives itself in a schema is what it has: nothing was taken away everywhere.
fn is_own(privileges: &DefaultPrivileges, given: &BTreeMap<Ident, Grant>) -> bool {
    privileges.grantee == privileges.role && !given.contains_key(&privileges.grantee)
}

impl ObjectKind for DefaultPrivileges {
    fn nature(&self) -> Nature {
        Nature::CARRIED
    }

    fn visit(&mut self, _: &mut dyn Visitor) {}

    fn address(&self, _: ObjectId) -> ObjectId {
        self.id()
    }

    fn take_role(&mut self, role: Ident) -> bool {
        let open = self.role.is_empty();
        if open {
            self.role = role;
        }
        open
    }

    fn uses(&self, _: ObjectId, catalog: &Catalog, out: &mut Vec<ObjectId>) {
        let schema = self.schema.map(|schema| ObjectId::global(Kind::Schema, schema));
        out.extend(schema.filter(|schema| catalog.contains(*schema)));
    }

    fn write(&self, id: ObjectId, out: &mut Writer<'_>) {
        write::write(self, id, out);
    }

    fn create(&self, _: ObjectId, context: &Context<'_>, out: &mut Steps) {
        self.changes(&self.usual(context), out);
    }

    fn alter(old: &Self, new: &Self, _: ObjectId, _: &Context<'_>, out: &mut Steps) -> Alter {
        let Self { role: _, schema: _, objects: _, grantee: _, grant: _ } = new;
        new.changes(&old.grant, out);
        Alter::InPlace
    }

    fn drop(&self, _: ObjectId, context: &Context<'_>, out: &mut Steps) {
        // They go with their schema.
        let schema = self.schema.map(|schema| ObjectId::global(Kind::Schema, schema));
        if schema.is_some_and(|schema| !context.desired.contains(schema)) {
            return;
        }
        // DROP SCHEMA takes them along, and they come last.
        if self.schema.is_some_and(|schema| !context.desired.contains(ObjectId::of_schema(schema))) {
            return;
        }
        Self { grant: self.usual(context), ..self.clone() }.changes(&self.grant, out);
    }
}

impl DefaultPrivileges {
    /// What there is without an entry: PostgreSQL lets everybody use new routines and types.
    fn usual(&self, context: &Context<'_>) -> Grant {
        let everybody = self.schema.is_none() && self.grantee.as_str() == "public";
        if self.schema.is_none() && self.grantee == self.role {
            let kind = match self.objects.as_str() {
                "TABLES" => Kind::Table,
                "SEQUENCES" => Kind::Sequence,
                "FUNCTIONS" => Kind::Function,
                "TYPES" => Kind::Enum,
                _ => Kind::Schema,
            };
            return Grant::all(kind, context.server.version);
        }
        match self.objects.as_str() {
            "FUNCTIONS" if everybody => Grant::all(Kind::Function, context.server.version),
            "TYPES" if everybody => Grant::all(Kind::Enum, context.server.version),
            _ => Grant::default(),
        }
    }

    /// Writes what leads from `old` to this entry's privileges.
    fn changes(&self, old: &Grant, out: &mut Steps) {
        let new = &self.grant.privileges;
        let pick = |from: &BTreeMap<Text, bool>, keep: &dyn Fn(Text, bool) -> bool| -> Vec<Text> {
            from.iter().filter(|(word, option)| keep(**word, **option)).map(|(word, _)| *word).collect()
        };
        let gone = pick(&old.privileges, &|word, _| !new.contains_key(&word));
        let weaker = pick(&old.privileges, &|word, option| option && new.get(&word) == Some(&false));
        let plain = pick(new, &|word, option| !option && !old.privileges.contains_key(&word));
        let optional = pick(new, &|word, option| option && old.privileges.get(&word) != Some(&true));
        for (verb, words, preposition, option) in [
            ("REVOKE", gone, "FROM", false),
            ("REVOKE GRANT OPTION FOR", weaker, "FROM", false),
            ("GRANT", plain, "TO", false),
            ("GRANT", optional, "TO", true),
        ] {
            if !words.is_empty() {
                out.push(self.statement(verb, &words, preposition, option));
            }
        }
    }

    fn statement(&self, verb: &'static str, words: &[Text], preposition: &'static str, option: bool) -> Sql {
        let mut sql = Sql::new("ALTER DEFAULT PRIVILEGES FOR ROLE");
        sql.ident(self.role);
        if let Some(schema) = self.schema {
            sql.kw("IN SCHEMA").ident(schema);
        }
        sql.kw(verb).list(&grant::keywords(words)).kw("ON");
        let objects = ["TABLES", "SEQUENCES", "FUNCTIONS", "TYPES", "SCHEMAS"];
        if let Some(objects) = objects.into_iter().find(|objects| *objects == self.objects.as_str()) {
            sql.kw(objects);
        }
        sql.kw(preposition);
        grant::grantee_of(&mut sql, self.grantee);
        if option {
            sql.kw("WITH GRANT OPTION");
        }
        sql
    }
}
