//! What an apply records of the objects that it touches, before and after: enough to know what changed since, and to
//! make the way back with the ordinary pipeline.
//!
//! The objects are kept as the readers gave them, so that they compare with a later reading. Of relations that move
//! also their files and rows are kept, which no catalog of schemac holds. Not here: the plan that leads back
//! (`rollback`), and where the record is stored (`state::journal`).

use crate::introspect::Reading;
use crate::plan::{Because, Plan, Verb};
use crate::relocate::{self, Relocation};
use crate::state::{Unavailable, pinned};
use postgres::{Client, SimpleQueryMessage};
use schemac_schema::catalog::{Catalog, Standing};
use schemac_schema::id::ObjectId;
use schemac_schema::ident::{Ident, QName};
use schemac_schema::keep::Kept;
use schemac_schema::sql;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// The version of the shape.
pub const FORMAT: u32 = 1;

/// From how many rows on, by the server's own estimate, rows are not counted.
const COUNTED: f64 = 1_000_000.0;

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
    /// What the touched objects lean on and the apply does not touch, with all that stands on it: routines and views that
    /// they use, the schemas that they are in. Only recorded afterwards.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub leans: Vec<Kept>,
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
    /// Of a sequence: how far it is, in its own direction, where it goes in one and somebody may look.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reached: Option<i64>,
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
        record.lean(&reading.catalog);
        Ok(record)
    }

    fn lean(&mut self, catalog: &Catalog) {
        let touched: BTreeSet<ObjectId> = self.touched.iter().copied().collect();
        let used = self.objects.iter().flat_map(|kept| kept.uses.iter().map(|used| used.root()));
        let used = used.filter(|root| root.kind().is_routine() || root.kind().is_view());
        let schemas = self.objects.iter().filter_map(|kept| kept.id.schema()).map(ObjectId::of_schema);
        // What belongs to somebody else changes as they please.
        let ours = |root: &ObjectId| {
            let kept = catalog.get(*root).is_some_and(|entry| entry.standing != Standing::External);
            kept && !touched.contains(root)
        };
        let leans: BTreeSet<ObjectId> = used.chain(schemas).filter(ours).collect();
        let below = leans.iter().flat_map(|root| catalog.descendants(*root).into_iter().chain([*root]));
        let below: BTreeSet<ObjectId> = below.collect();
        self.leans = below.iter().filter_map(|id| Some(Kept::of(*id, catalog.get(*id)?))).collect();
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

/// Objects by their names, and the names as rows of VALUES.
fn named(of: &[ObjectId]) -> (BTreeMap<QName, ObjectId>, String) {
    let names: BTreeMap<QName, ObjectId> = of.iter().filter_map(|id| Some((id.qname()?, *id))).collect();
    let rows: Vec<String> = names
        .keys()
        .map(|name| format!("({}, {})", sql::literal(name.schema.as_str()), sql::literal(name.name.as_str())))
        .collect();
    (names, rows.join(", "))
}

/// Files and rows of relations, by two questions.
///
/// # Errors
/// The server could not be asked.
pub fn relations_of(client: &mut Client, of: &[ObjectId]) -> Result<Vec<Relation>, Unavailable> {
    let (names, rows) = named(of);
    if names.is_empty() {
        return Ok(Vec::new());
    }
    // Somebody's row-level security would hide rows from the count.
    let question = format!(
        "SELECT n.nspname, c.relname, c.oid, c.relfilenode, c.relkind IN ('r', 'p', 'm') \
         AND c.reltuples < {COUNTED} AND pg_catalog.has_table_privilege(c.oid, 'SELECT') \
         AND NOT pg_catalog.row_security_active(c.oid), \
         CASE WHEN c.relkind = 'S' AND pg_catalog.has_sequence_privilege(c.oid, 'USAGE, SELECT') THEN \
         (SELECT pg_catalog.pg_sequence_last_value(c.oid) * pg_catalog.sign(s.seqincrement)::pg_catalog.int8 \
         FROM pg_catalog.pg_sequence s WHERE s.seqrelid = c.oid AND NOT s.seqcycle) END \
         FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
         WHERE (n.nspname, c.relname) IN (VALUES {rows}) ORDER BY 1, 2"
    );
    let (mut relations, mut counts) = (Vec::new(), Vec::new());
    for message in pinned(client, &question)? {
        let SimpleQueryMessage::Row(row) = message else { continue };
        let text = |place: usize| row.get(place).unwrap_or_default();
        let Some(id) = names.get(&QName::new(text(0), text(1))) else { continue };
        if let (true, Some(name)) = (text(4) == "t", id.qname()) {
            counts.push(format!(
                "SELECT {}, pg_catalog.count(*) FROM {}",
                relations.len(),
                sql::qualified(name)
            ));
        }
        let number = |place: usize| text(place).parse().unwrap_or(0);
        relations.push(Relation {
            id: *id,
            oid: number(2),
            file: number(3),
            rows: None,
            reached: text(5).parse().ok(),
        });
    }
    if counts.is_empty() {
        return Ok(relations);
    }
    for message in pinned(client, &counts.join(" UNION ALL "))? {
        let SimpleQueryMessage::Row(row) = message else { continue };
        let place = row.get(0).and_then(|place| place.parse::<usize>().ok());
        if let Some(relation) = place.and_then(|place| relations.get_mut(place)) {
            relation.rows = row.get(1).and_then(|rows| rows.parse().ok());
        }
    }
    Ok(relations)
}

/// Which types they are.
///
/// # Errors
/// The server could not be asked.
pub fn types_of(client: &mut Client, of: &[ObjectId]) -> Result<Vec<Relation>, Unavailable> {
    let (names, rows) = named(of);
    if names.is_empty() {
        return Ok(Vec::new());
    }
    let question = format!(
        "SELECT n.nspname, t.typname, t.oid FROM pg_catalog.pg_type t \
         JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace \
         WHERE (n.nspname, t.typname) IN (VALUES {rows}) ORDER BY 1, 2"
    );
    let mut types = Vec::new();
    for message in pinned(client, &question)? {
        let SimpleQueryMessage::Row(row) = message else { continue };
        let text = |place: usize| row.get(place).unwrap_or_default();
        if let Some(id) = names.get(&QName::new(text(0), text(1))) {
            let oid = text(2).parse().unwrap_or(0);
            types.push(Relation { id: *id, oid, file: 0, rows: None, reached: None });
        }
    }
    Ok(types)
}
