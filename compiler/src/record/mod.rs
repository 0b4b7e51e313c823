//! What an apply records of the objects that it touches, before and after: enough to know what changed since, and to
//! make the way back with the ordinary pipeline.
//!
//! The objects are kept as the readers gave them, so that they compare with a later reading. Of relations that move
//! also their files and rows are kept, which no catalog of schemac holds. Not here: the plan that leads back
//! (`rollback`), and where the record is stored (`state::journal`).

mod leans;
mod relations;
mod roles;

pub use leans::counts;
pub use relations::{names_of, relations_of, types_of};
pub use roles::{Role, named};

use crate::introspect::Reading;
use crate::plan::{Because, Plan, Verb};
use crate::relocate::{self, Relocation};
use crate::state::Unavailable;
use postgres::Client;
use schemac_schema::catalog::Catalog;
use schemac_schema::id::ObjectId;
use schemac_schema::ident::Ident;
use schemac_schema::keep::Kept;
use schemac_schema::kinds::companions;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// The version of the shape.
pub const FORMAT: u32 = 1;

/// What was recorded at one moment.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// The version of the shape.
    pub format: u32,
    /// The schemas that belonged to somebody else.
    pub external: BTreeSet<Ident>,
    /// The search_path under which the plan's statements mean what they say.
    pub search_path: Vec<Ident>,
    /// Whether what stands in front of the database has to read its schema anew afterwards.
    pub reload: bool,
    /// The applies of which it takes a part back.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub partly: Vec<i64>,
    /// The relations whose rows the plan itself writes anew, by their new names.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rewritten: Vec<ObjectId>,
    /// What moves, from its old name to its new one, in the order of the plan.
    pub moves: Vec<(ObjectId, ObjectId)>,
    /// The outermost objects that the apply touches, by their old and new names.
    pub touched: Vec<ObjectId>,
    /// Those of them that are there, with all that stands on them.
    pub objects: Vec<Kept>,
    /// What the touched objects lean on and the apply does not touch: what they call and read, what that calls and reads,
    /// and so on, and the schemas that they are in. Only recorded afterwards.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub leans: Vec<Kept>,
    /// The roles that policies and privileges of all that name. Only recorded afterwards.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub roles: Vec<Role>,
    /// The relations and types that move, by the names that they have at this moment.
    pub relations: Vec<Relation>,
}

/// What is kept of a relation or a type beyond its definition.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Relation {
    /// Which.
    pub id: ObjectId,
    /// Its oid: the same as long as it is the same relation, whatever it is called.
    pub oid: u32,
    /// Its file: the same as long as nobody wrote its rows anew; none of a type.
    pub file: u32,
    /// How many rows it has, where somebody could count them: no more than a million, and none hidden.
    pub rows: Option<u64>,
    /// Where they are: it itself, and the tables below it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parts: Vec<Part>,
    /// The foreign keys that nobody checks on it, since their triggers do not fire.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unchecked: Vec<String>,
    /// How far the sequences of its identity columns are, by the columns, as `reached`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub identities: BTreeMap<String, Option<i64>>,
    /// Whether nothing can be read from it until it is refreshed.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unpopulated: bool,
    /// Of a sequence: how far it is, in its own direction, where it goes in one and somebody may look.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reached: Option<i64>,
}

impl Relation {
    /// One of which nothing is known.
    fn nothing(id: ObjectId) -> Self {
        Self {
            id,
            oid: 0,
            file: 0,
            rows: None,
            parts: Vec::new(),
            unchecked: Vec::new(),
            identities: BTreeMap::new(),
            unpopulated: false,
            reached: None,
        }
    }
}

/// A table with rows that are counted: a relation itself, a partition or a child of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// Its oid.
    pub oid: u32,
    /// Its name at that moment, as it stands in SQL.
    pub name: String,
    /// How many rows are in it.
    pub rows: u64,
}

impl Record {
    /// What is recorded before a plan runs.
    ///
    /// # Errors
    /// The server could not be asked.
    pub fn before(
        client: &mut Client,
        reading: &Reading,
        plan: &Plan,
        external: &BTreeSet<Ident>,
    ) -> Result<Self, Unavailable> {
        let mut moves: Vec<(ObjectId, ObjectId)> = plan
            .steps()
            .filter(|step| step.verb == Verb::Move)
            .filter_map(|step| match step.because {
                Because::MovedFrom(old) => Some((old, step.object)),
                _ => None,
            })
            .collect();
        // A move to another schema with another name is two statements.
        moves.dedup();
        // When a routine's statement runs, the types that it is called by have moved: a plan names it by what they are
        // then, and the record by what they are now.
        if moves.iter().any(|(old, _)| old.kind().is_routine()) {
            let by_then: Vec<Relocation> =
                moves.iter().map(|(from, to)| Relocation { from: *from, to: *to }).collect();
            let called = relocate::called_anew(&reading.catalog, &by_then);
            let now: HashMap<ObjectId, ObjectId> =
                called.into_iter().map(|(now, then)| (then, now)).collect();
            for (old, _) in &mut moves {
                *old = now.get(old).copied().unwrap_or(*old);
            }
        }
        let mut touched: BTreeSet<ObjectId> = plan.steps().map(|step| step.object.root()).collect();
        touched.extend(moves.iter().flat_map(|(old, new)| [old.root(), new.root()]));
        let relocations = moves.iter().map(|(from, to)| Relocation { from: *from, to: *to }).collect();
        // What PostgreSQL moves along (sequences) moves without a statement of its own.
        let relocated = relocate::carry_out(reading.catalog.clone(), relocations, HashMap::new());
        touched.extend(relocated.was.iter().flat_map(|(new, old)| [new.root(), old.root()]));
        // A child's columns are called as its parent's, and partitions go where their table goes.
        let along = |(old, new): &(ObjectId, ObjectId)| companions(&reading.catalog, *old, *new);
        touched.extend(moves.iter().flat_map(along).flat_map(|(old, new)| [old.root(), new.root()]));
        let rewritten: BTreeSet<ObjectId> = plan
            .steps()
            .filter(|step| step.impact.rewrites)
            .filter_map(|step| step.impact.lock.map(|(relation, _)| relation))
            .collect();
        let mut record = Self {
            format: FORMAT,
            rewritten: rewritten.into_iter().collect(),
            external: external.clone(),
            search_path: plan.search_path.clone(),
            reload: plan.compatibility.reload,
            moves,
            touched: touched.into_iter().collect(),
            ..Self::default()
        };
        let moving: BTreeSet<ObjectId> = relocated.was.values().copied().collect();
        record.fill(client, &reading.catalog, &moving)?;
        Ok(record)
    }

    /// What is recorded after it ran.
    ///
    /// # Errors
    /// The server could not be asked.
    pub fn after(&self, client: &mut Client, reading: &Reading) -> Result<Self, Unavailable> {
        let relocations = self.moves.iter().map(|(from, to)| Relocation { from: *from, to: *to }).collect();
        let relocated = relocate::carry_out(self.catalog(), relocations, HashMap::new());
        let moved: BTreeSet<ObjectId> = relocated.was.keys().chain(&self.rewritten).copied().collect();
        let mut record = Self { objects: Vec::new(), relations: Vec::new(), ..self.clone() };
        record.fill(client, &reading.catalog, &moved)?;
        let touched: BTreeSet<ObjectId> = record.touched.iter().copied().collect();
        record.leans = leans::of(&touched, &record.objects, &reading.catalog, &record.search_path);
        record.roles = roles::of(client, &record, reading.server.version)?;
        Ok(record)
    }

    fn fill(
        &mut self,
        client: &mut Client,
        catalog: &Catalog,
        moving: &BTreeSet<ObjectId>,
    ) -> Result<(), Unavailable> {
        let below: BTreeSet<ObjectId> = self
            .touched
            .iter()
            .flat_map(|root| catalog.descendants(*root).into_iter().chain([*root]))
            .collect();
        self.objects = below.iter().filter_map(|id| Some(Kept::of(*id, catalog.get(*id)?))).collect();
        let relations: Vec<ObjectId> =
            moving.iter().copied().filter(|id| id.kind().is_relation() && catalog.contains(*id)).collect();
        let types: Vec<ObjectId> =
            moving.iter().copied().filter(|id| id.kind().is_type() && catalog.contains(*id)).collect();
        self.relations = relations_of(client, &relations)?;
        self.relations.extend(types_of(client, &types)?);
        Ok(())
    }

    /// The recorded objects as a catalog.
    pub fn catalog(&self) -> Catalog {
        let mut catalog = Catalog::default();
        for kept in &self.objects {
            catalog.insert_over(kept.id, kept.entry());
        }
        catalog.sort();
        catalog
    }
}
