//! Proof, on the database itself, that what an apply moved is still what it was, and that its old names still work.
//!
//! It reads, and where it is asked to write it rolls back. What it could not look at is a finding too, with the reason.
//! Everything is compared with what the applies recorded; what moved without one is not known here. Not here: how
//! findings are shown.

pub mod checks;
mod facts;
mod paths;
pub mod queries;
mod roles;
mod storage;
mod use_of;
mod words;

use crate::address;
use crate::connect::{Connection, ServerError};
use crate::introspect;
use crate::record::{self, Record, Relation, Role};
use crate::relocate::{self, Relocation};
use crate::rollback::differences;
use crate::state::{Unavailable, journal};
use postgres::{Client, SimpleQueryMessage};
use schemac_schema::catalog::Catalog;
use schemac_schema::id::ObjectId;
use schemac_schema::ident::Ident;
use schemac_schema::keep::Kept;
use serde::Serialize;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt;
use words::changed;

/// What came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// It is not as it should be.
    Failed,
    /// It could not be looked at.
    Unchecked,
    /// Something to know.
    Note,
    /// It is as it should be.
    Passed,
}

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Finding {
    /// What came out.
    pub verdict: Verdict,
    /// What was looked at: `definition`, `role`, `storage`, `rows`, `facade`, `reading`, `writing`, `query`, `check`.
    pub check: &'static str,
    /// On what.
    pub object: String,
    /// What was found, as a sentence without a full stop.
    pub message: String,
}

impl Finding {
    fn new(
        verdict: Verdict,
        check: &'static str,
        object: impl fmt::Display,
        message: impl Into<String>,
    ) -> Self {
        Self { verdict, check, object: object.to_string(), message: message.into() }
    }
}

/// How far to go.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Also write through the old names, in transactions that are rolled back.
    pub writes: bool,
    /// Who asks: a role and the subject of its token. Some are sampled where none is given.
    pub subjects: Vec<(String, String)>,
    /// Rows may have gone since: clients delete.
    pub rows_may_go: bool,
    /// Up to how many rows of a table are compared.
    pub rows: u64,
}

/// Why nothing could be verified.
#[derive(Debug)]
pub enum Error {
    /// Nothing is recorded.
    Nothing(String),
    /// The journal could not be read.
    Journal(Unavailable),
    /// The database could not be read.
    Read(introspect::Error),
    /// The server said no.
    Ask(ServerError),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Nothing(why) => f.write_str(why),
            Error::Journal(error) => write!(f, "the journal cannot be read: {error}"),
            Error::Read(error) => error.fmt(f),
            Error::Ask(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for Error {}

impl From<postgres::Error> for Error {
    fn from(error: postgres::Error) -> Self {
        Error::Ask(error.into())
    }
}

/// An old name and what is behind it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Facade {
    name: ObjectId,
    of: ObjectId,
}

/// What the applies that stand left behind, under the names of today.
struct Left {
    /// What each touched object was after the last apply that touched it.
    catalog: Catalog,
    /// The touched objects, each with that apply.
    roots: BTreeMap<ObjectId, i64>,
    /// What they lean on, each with the last apply that saw it.
    leans: BTreeMap<ObjectId, i64>,
    facades: Vec<Facade>,
    /// Facades that are routines.
    wrappers: Vec<Facade>,
    /// The relations that moved: before the first of their moves, by their names of today.
    relations: BTreeMap<ObjectId, Relation>,
    /// The files that they had when the last apply ended that said so.
    files: BTreeMap<ObjectId, u32>,
    /// The roles that all this names, each with the last apply that saw it.
    roles: BTreeMap<Ident, (i64, Role)>,
    /// Applies of which the end is not recorded.
    torn: Vec<i64>,
}

/// Verifies what the applies of a database moved; the findings, those that failed first.
///
/// # Errors
/// There is nothing to verify, or the database cannot be read.
pub fn verify(connection: &mut Connection, options: &Options) -> Result<Vec<Finding>, Error> {
    let (left, external) = left(&mut connection.client)?;
    let reading = introspect::introspect(&mut connection.client, &external).map_err(Error::Read)?;
    let mut findings = Vec::new();
    for id in &left.torn {
        let message = "it did not end, so what it left is not recorded";
        findings.push(Finding::new(Verdict::Unchecked, "definition", format!("apply {id}"), message));
    }
    definitions(&left, &reading.catalog, &mut findings);
    leaned_on(&left, &reading.catalog, &mut findings);
    roles::compare(&mut connection.client, &left, reading.server.version, &mut findings)?;
    storage::storage(&mut connection.client, &left, options, &mut findings)?;
    facts::facades(&mut connection.client, &left, reading.server.version, &mut findings)?;
    paths::shadows(&mut connection.client, &left, &mut findings)?;
    facts::wrappers(&mut connection.client, &left, &reading.catalog, &mut findings)?;
    use_of::compare(&mut connection.client, &left, &reading, options, &mut findings)?;
    findings.sort();
    Ok(findings)
}

fn left(client: &mut Client) -> Result<(Left, BTreeSet<Ident>), Error> {
    let applies = journal::applies(client).map_err(Error::Journal)?;
    let standing: Vec<i64> = applies
        .iter()
        // A part that was taken back is not what its apply left.
        .filter(|apply| apply.stands() || apply.is_there() && !apply.partly.is_empty())
        .map(|apply| apply.id)
        .collect();
    if standing.is_empty() {
        return Err(Error::Nothing("no apply that stands is recorded in this database".into()));
    }
    let texts = journal::texts(client, &standing).map_err(Error::Journal)?;
    let mut external = BTreeSet::new();
    let mut left = Left {
        catalog: Catalog::default(),
        roots: BTreeMap::new(),
        leans: BTreeMap::new(),
        facades: Vec::new(),
        wrappers: Vec::new(),
        relations: BTreeMap::new(),
        files: BTreeMap::new(),
        roles: BTreeMap::new(),
        torn: Vec::new(),
    };
    for (id, texts) in standing.into_iter().zip(texts) {
        let read = |text: &Option<String>| text.as_deref().map(serde_json::from_str::<Record>);
        let (before, after) = match (read(&texts.before), read(&texts.after)) {
            (Some(Ok(before)), Some(Ok(after))) => (before, after),
            _ => {
                left.torn.push(id);
                continue;
            }
        };
        external.extend(before.external.iter().copied());
        left.add(id, &before, &after);
    }
    Ok((left, external))
}

impl Left {
    /// Goes behind one more apply.
    fn add(&mut self, id: i64, before: &Record, after: &Record) {
        let moves = before.moves.iter().map(|(from, to)| Relocation { from: *from, to: *to });
        let mut moves: Vec<Relocation> = moves.collect();
        // Routines are called by their argument types, which may have moved without them.
        let called = relocate::called_anew(&self.catalog, &moves);
        if !called.is_empty() {
            address::rebase(&mut self.catalog, &called);
        }
        for one in &mut moves {
            if let Some(now) = called.get(&one.from) {
                one.from = *now;
            }
        }
        let relocated = relocate::carry_out(std::mem::take(&mut self.catalog), moves, HashMap::new());
        let today = |old: ObjectId| {
            let moved = before.moves.iter().find(|(from, _)| *from == old).map(|(_, to)| *to);
            moved.or_else(|| called.get(&old).copied()).unwrap_or(old)
        };
        self.roots =
            std::mem::take(&mut self.roots).into_iter().map(|(id, apply)| (today(id), apply)).collect();
        // What moves along (the sequences of serial columns) is known by its oid.
        let along: HashMap<ObjectId, ObjectId> = before
            .relations
            .iter()
            .filter_map(|was| {
                let same =
                    |is: &&Relation| (is.oid, is.id.kind().is_type()) == (was.oid, was.id.kind().is_type());
                Some((was.id, after.relations.iter().find(same)?.id))
            })
            .collect();
        let moved = |id: ObjectId| along.get(&id).copied().unwrap_or_else(|| today(id));
        self.relations =
            std::mem::take(&mut self.relations).into_iter().map(|(id, one)| (moved(id), one)).collect();
        for facade in self.facades.iter_mut().chain(&mut self.wrappers) {
            facade.of = today(facade.of);
        }
        let touched: BTreeSet<ObjectId> = after.touched.iter().copied().collect();
        // What an apply touched is as that left it, whoever leaned on it since and saw a part of it.
        let is_seen = |kept: &&Kept| !self.roots.contains_key(&kept.id.root());
        let leans: Vec<&Kept> = after.leans.iter().filter(is_seen).collect();
        let seen: BTreeSet<ObjectId> = leans.iter().map(|kept| kept.id.root()).collect();
        let mut catalog = Catalog::default();
        for (id, entry) in relocated.catalog.iter() {
            // What an apply touched is known whole; what is leaned on, in those parts only that matter to who does.
            let known = self.roots.contains_key(&id.root());
            if touched.contains(&id.root()) || seen.contains(&id.root()) && !known {
                continue;
            }
            catalog.insert_over(id, entry.clone());
        }
        for kept in after.objects.iter().chain(leans.iter().copied()) {
            catalog.insert_over(kept.id, kept.entry());
        }
        catalog.sort();
        self.catalog = catalog;
        self.leans =
            std::mem::take(&mut self.leans).into_iter().map(|(id, apply)| (today(id), apply)).collect();
        self.leans.extend(leans.iter().map(|kept| (kept.id.root(), id)));
        self.leans.retain(|root, _| !touched.contains(root));
        self.roots.extend(touched.iter().map(|root| (*root, id)));
        // An overload for rows of a facade goes with it.
        self.roots.retain(|root, _| !relocate::is_shadow(*root));
        self.leans.retain(|root, _| !relocate::is_shadow(*root));
        self.facades.retain(|facade| self.catalog.contains(facade.name));
        self.wrappers.retain(|facade| self.catalog.contains(facade.name));
        for (old, new) in before.moves.iter().filter(|(old, _)| old.parent().is_none()) {
            let facade = touched
                .iter()
                .find(|root| **root != *new && root.qname() == old.qname() && self.catalog.contains(**root));
            match facade {
                // Another table may have taken the name in the same plan.
                Some(name) if name.kind().is_relation() && !name.kind().holds_rows() => {
                    self.facades.push(Facade { name: *name, of: *new });
                }
                Some(name) if name.kind().is_routine() => {
                    self.wrappers.push(Facade { name: *name, of: *new });
                }
                _ => {}
            }
        }
        // Files and rows are those before the move; a follower's new name is known from afterwards, by its oid.
        for one in &before.relations {
            let now = moved(one.id);
            let known = self.relations.remove(&one.id).filter(|known| known.oid == one.oid);
            self.relations.entry(now).or_insert_with(|| known.unwrap_or_else(|| one.clone()));
        }
        self.files =
            std::mem::take(&mut self.files).into_iter().map(|(id, file)| (today(id), file)).collect();
        self.files.extend(after.relations.iter().map(|one| (one.id, one.file)));
        self.roles.extend(after.roles.iter().map(|role| (role.name, (id, role.clone()))));
        // A view that is no more than its query is made anew where what it reads changes.
        for now in after.relations.iter().filter(|now| now.id.kind().is_view()) {
            if let Some(known) = self.relations.get_mut(&now.id).filter(|known| known.oid != now.oid) {
                (known.oid, known.file) = (now.oid, now.file);
            }
        }
        // Rows that a plan wrote anew, as it said it would, are in another file since.
        for id in &after.rewritten {
            let now = after.relations.iter().find(|now| now.id == *id);
            if let (Some(now), Some(known)) = (now, self.relations.get_mut(id)) {
                known.file = now.file;
            }
        }
    }
}

/// What was touched is defined as the apply left it: row-level security, policies, privileges, options, triggers.
fn definitions(left: &Left, now: &Catalog, findings: &mut Vec<Finding>) {
    for (root, apply) in &left.roots {
        if !left.catalog.contains(*root) && !now.contains(*root) {
            continue;
        }
        let mut different = differences(&left.catalog, now, *root);
        let other = other_owner(&left.catalog, now, *root);
        if other.is_some() && !different.iter().any(|(id, _)| id == root) {
            different.push((*root, "is different"));
        }
        if different.is_empty() {
            let message = format!("as apply {apply} left it");
            findings.push(Finding::new(Verdict::Passed, "definition", root, message));
        }
        for (id, how) in different {
            let details = match (left.catalog.get(id), now.get(id)) {
                (Some(was), Some(is)) => format!(": {}", changed(&was.object, &is.object)),
                _ => String::new(),
            };
            let message = format!("{how} since apply {apply}{details}");
            findings.push(Finding::new(Verdict::Failed, "definition", id, message));
        }
    }
}

/// The owner that something had and the one that it has. Owners play no part when files are compared.
fn other_owner(was: &Catalog, now: &Catalog, root: ObjectId) -> Option<(Ident, Ident)> {
    let owner = |catalog: &Catalog| catalog.get(root)?.object.owner();
    let (was, is) = (owner(was)?, owner(now)?);
    (was != is).then_some((was, is))
}

/// What is touched leans on others: what policies and triggers call and views read, what that calls and reads, and who may
/// enter the schemas.
fn leaned_on(left: &Left, now: &Catalog, findings: &mut Vec<Finding>) {
    for (root, apply) in left.leans.iter().filter(|(root, _)| !left.roots.contains_key(*root)) {
        if let Some((was, is)) = other_owner(&left.catalog, now, *root).filter(|_| !root.is_schema()) {
            let message = format!("it belongs to {is}, and belonged to {was} when apply {apply} ended");
            findings.push(Finding::new(Verdict::Failed, "definition", root, message));
        }
        for (id, how) in differences(&left.catalog, now, *root) {
            // A schema is others' too: only who cannot enter it any more is told. So is a table: a column that came
            // changes nothing for who reads the others.
            let lost = how != "is new";
            let tells = match (root.is_schema(), id.kind().is_column()) {
                (true, _) => lost && id.kind().is_grant(),
                (_, true) => lost || !root.kind().holds_rows(),
                _ => record::counts(id),
            };
            if !tells {
                continue;
            }
            let details = match (left.catalog.get(id), now.get(id)) {
                (Some(was), Some(is)) => format!(": {}", changed(&was.object, &is.object)),
                _ => String::new(),
            };
            let message = format!("{how} since apply {apply}, and what moved leans on it{details}");
            findings.push(Finding::new(Verdict::Failed, "definition", id, message));
        }
    }
}

/// The rows of an answer; a NULL is nothing.
fn rows(messages: &[SimpleQueryMessage]) -> Vec<Vec<Option<String>>> {
    messages
        .iter()
        .filter_map(|message| match message {
            SimpleQueryMessage::Row(row) => {
                Some((0..row.len()).map(|place| row.get(place).map(str::to_owned)).collect())
            }
            _ => None,
        })
        .collect()
}

/// The beginning of a session as an API in front of the database makes it: the role, and both settings of its token.
fn dressed(role: &str, subject: Option<&str>) -> String {
    use schemac_schema::sql::{literal, quoted};
    let subject_value = subject.map_or(Value::Null, |subject| Value::String(subject.to_owned()));
    let mut claims = serde_json::json!({ "role": role });
    if subject.is_some() {
        claims["sub"] = subject_value;
    }
    format!(
        "SET LOCAL timezone = 'UTC'; SET LOCAL ROLE {}; SELECT pg_catalog.set_config('request.jwt.claim.sub', {}, true), \
         pg_catalog.set_config('request.jwt.claim.role', {}, true), \
         pg_catalog.set_config('request.jwt.claims', {}, true)",
        quoted(Ident::new(role)),
        literal(subject.unwrap_or_default()),
        literal(role),
        literal(&claims.to_string())
    )
}
