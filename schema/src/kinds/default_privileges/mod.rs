//! Privileges by default: what new objects of a role give to others.
//!
//! They are read, so that a new facade or table ends up with exactly the privileges that it shall have.

pub mod read;

use crate::id::ObjectId;
use crate::ident::{Ident, Text};
use crate::kinds::grant::Grant;
use crate::object::{Alter, Context, Kind, Nature, Object, ObjectKind, Visitor};
use crate::step::Steps;
use std::collections::BTreeMap;

/// What one role's new objects of one kind in one schema (or everywhere) give to one grantee.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
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
        Kind::Sequence => "SEQUENCES",
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
    given.retain(|grantee, grant| !grant.privileges.is_empty() && *grantee != context.server.role);
    given
}

impl ObjectKind for DefaultPrivileges {
    fn nature(&self) -> Nature {
        Nature::CARRIED
    }

    fn visit(&mut self, _: &mut dyn Visitor) {}

    fn create(&self, _: ObjectId, _: &Context<'_>, _: &mut Steps) {}

    fn alter(_: &Self, new: &Self, _: ObjectId, _: &Context<'_>, _: &mut Steps) -> Alter {
        let Self { role: _, schema: _, objects: _, grantee: _, grant: _ } = new;
        Alter::InPlace
    }

    fn drop(&self, _: ObjectId, _: &Context<'_>, _: &mut Steps) {}
}
