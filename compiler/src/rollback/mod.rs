//! The way back from an apply: the plan from the database as it is to what was recorded before, made by the ordinary
//! pipeline. The reverse of a move is a move, so rows stay where they are, also those written since.
//!
//! What the apply did not touch stays as it is. What it touched must be as it left it, or as it was before (part of the
//! way back was gone already); anything else is named and refused. Names are compared as they will be afterwards, so
//! that what only refers to a moved object counts as unchanged. Not here: what is recorded (`record`), running it.

mod obstacles;
mod recorded;

use crate::address;
use crate::compile;
use crate::connect::{Connection, ServerError};
use crate::fingerprint::Seen;
use crate::introspect::{self, Reading};
use crate::memory::{Circumstances, Meanings, Memory};
use crate::normalize;
use crate::plan::{self, Plan, Verb};
use crate::record::Record;
use crate::relocate::{self, Relocated, Relocation};
use crate::settle::Remembering;
use crate::state::{Unavailable, journal};
use recorded::{Recorded, first_names, recorded, restrict, torn_before};
use schemac_schema::catalog::{Catalog, Standing};
use schemac_schema::code::Code;
use schemac_schema::declare::Move;
use schemac_schema::diagnostic::{Diagnostic, Severity};
use schemac_schema::id::ObjectId;
use schemac_schema::ident::Ident;
use schemac_schema::kinds::privileges_cover;
use schemac_schema::span::{Sources, Span};
use std::collections::{BTreeSet, HashMap};
use std::fmt;

/// What shall be taken back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wish {
    /// The last apply that stands.
    Last,
    /// This apply and all later ones.
    To(i64),
    /// What the last apply that touched this table did to it, by its old or new name.
    Table(String),
}

/// A way back.
#[derive(Debug)]
pub struct Way {
    /// The plan.
    pub plan: Plan,
    /// What it was made from.
    pub seen: Seen,
    /// The applies that it is about.
    pub back: Back,
}

/// What a way back takes back.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Back {
    /// These applies as a whole, the last one first.
    pub whole: Vec<i64>,
    /// A part of these: a single table.
    pub partly: Vec<i64>,
}

/// Why there is no way back.
#[derive(Debug)]
pub enum Error {
    /// Nothing is recorded that could be taken back, or not that; why.
    Nothing(String),
    /// What stands in the way since, each in words.
    Refused(Vec<String>),
    /// What the pipeline says.
    Diagnostics(Vec<Diagnostic>),
    /// The journal could not be read.
    Journal(Unavailable),
    /// The database could not be read.
    Read(introspect::Error),
    /// The database could not be asked.
    Ask(ServerError),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Nothing(why) => f.write_str(why),
            Error::Refused(reasons) => f.write_str(&reasons.join("\n")),
            Error::Diagnostics(all) => write!(f, "{} errors", all.len()),
            Error::Journal(error) => write!(f, "the journal cannot be read: {error}"),
            Error::Read(error) => error.fmt(f),
            Error::Ask(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for Error {}

/// Makes the plan that leads back. Places in its diagnostics are those of `sources`.
///
/// # Errors
/// What stands in the way, all at once.
pub fn way_back(connection: &mut Connection, wish: &Wish, sources: &mut Sources) -> Result<Way, Error> {
    let applies = journal::applies(&mut connection.client).map_err(Error::Journal)?;
    let recorded = recorded(connection, wish, &applies)?;
    let mut external: BTreeSet<Ident> = BTreeSet::new();
    for one in &recorded {
        external.extend(one.before.external.iter().copied());
    }
    let reading = introspect::introspect(&mut connection.client, &external).map_err(Error::Read)?;
    let span = Span::new(sources.add("the journal of schemac", ""), 0, 0);
    let mut target = Target::of(&reading);
    let (mut reasons, mut notes, mut unwatched) = (Vec::new(), Vec::new(), Vec::new());
    for one in &recorded {
        let touched = match wish {
            Wish::Table(name) => restrict(one, name),
            Wish::Last | Wish::To(_) => one.before.touched.iter().copied().collect(),
        };
        target.take_back(
            one,
            &touched,
            &first_names(&applies, one.apply.id),
            span,
            &mut reasons,
            &mut notes,
        )?;
        if one.after.is_none() {
            unwatched.push(one.apply.id);
        }
    }
    target.forsaken(&mut reasons);
    target.taken(&mut reasons);
    target.published(&reading.catalog, &mut reasons);
    if !reasons.is_empty() {
        return Err(Error::Refused(reasons));
    }
    notes.extend(unwatched.into_iter().map(|id| {
        let message =
            format!("apply {id} did not end, so nobody can say what has changed since by other hands");
        Diagnostic::note(Code::WayBack, message).help("look at the plan with care")
    }));
    if let (Wish::Last, Some(id)) = (wish, torn_before(&applies, &recorded)) {
        let message = format!("apply {id} before it broke off in the middle, and stays");
        notes
            .push(Diagnostic::note(Code::WayBack, message).help(format!("to take that back too: --to {id}")));
    }
    let search_path = recorded.first().map(|one| one.before.search_path.clone()).unwrap_or_default();
    let (plan, relocated) = target.plan(&reading, &search_path, connection, span, notes)?;
    let theirs = obstacles::not_ours(&mut connection.client, &plan, &relocated).map_err(Error::Journal)?;
    if !theirs.is_empty() {
        return Err(Error::Refused(theirs));
    }
    let seen = compile::seen(&plan, &relocated, external, reading.server.version);
    let of: Vec<i64> = recorded.iter().map(|one| one.apply.id).collect();
    let back = match wish {
        Wish::Table(_) => Back { partly: of, ..Back::default() },
        Wish::Last | Wish::To(_) => Back { whole: of, ..Back::default() },
    };
    Ok(Way { plan, seen, back })
}

/// The plan that leads back from an apply that has just ended, to be recorded with it.
///
/// # Errors
/// What stands in the way.
pub fn reverse(
    connection: &mut Connection,
    reading: &Reading,
    before: &Record,
    after: &Record,
) -> Result<Plan, Error> {
    let span = Span::new(Sources::new().add("", ""), 0, 0);
    let mut target = Target::of(reading);
    let one =
        Recorded { apply: journal::Apply::default(), before: before.clone(), after: Some(after.clone()) };
    let touched = before.touched.iter().copied().collect();
    let (mut reasons, mut notes) = (Vec::new(), Vec::new());
    target.take_back(&one, &touched, &[], span, &mut reasons, &mut notes)?;
    target.plan(reading, &before.search_path, connection, span, notes).map(|(plan, _)| plan)
}

/// The database as it shall be, and what it takes in names.
struct Target {
    state: Catalog,
    moves: Vec<(ObjectId, ObjectId)>,
    reload: bool,
}

impl Target {
    fn of(reading: &Reading) -> Self {
        let mut state = reading.catalog.clone();
        for (_, entry) in state.iter_mut() {
            if entry.standing == Standing::Managed {
                entry.standing = Standing::Kept;
            }
        }
        Self { state, moves: Vec::new(), reload: false }
    }

    /// Goes behind one apply.
    fn take_back(
        &mut self,
        one: &Recorded,
        touched: &BTreeSet<ObjectId>,
        older: &[Relocation],
        span: Span,
        reasons: &mut Vec<String>,
        notes: &mut Vec<Diagnostic>,
    ) -> Result<(), Error> {
        let is_touched = |id: ObjectId| touched.contains(&id.root());
        // What moved with it and does not go back is still called as it is now.
        let stays = one.before.moves.iter().filter(|(old, new)| !is_touched(*old) && !is_touched(*new));
        let stays = stays.filter(|(_, new)| self.state.contains(*new));
        let stays: Vec<Relocation> = stays.map(|(from, to)| Relocation { from: *from, to: *to }).collect();
        let whole = match stays.is_empty() {
            true => one.before.catalog(),
            false => relocate::carry_out(one.before.catalog(), stays, HashMap::new()).catalog,
        };
        let mut before = Catalog::default();
        for (id, entry) in whole.into_entries().filter(|(id, _)| is_touched(*id)) {
            before.insert_over(id, entry);
        }
        before.sort();
        let back: Vec<(ObjectId, ObjectId)> = one
            .before
            .moves
            .iter()
            .filter(|(old, new)| is_touched(*old) || is_touched(*new))
            .map(|(old, new)| (*new, *old))
            .collect();
        let relocated = relocated(std::mem::take(&mut self.state), &back, &before, span).map_err(
            |error| match error {
                // No file is to blame.
                Error::Diagnostics(all) => Error::Refused(all.into_iter().map(|one| one.message).collect()),
                error => error,
            },
        )?;
        if let Some(after) = &one.after {
            // All of it: what was touched refers to what moved with it.
            let all: Vec<(ObjectId, ObjectId)> =
                one.before.moves.iter().map(|(old, new)| (*new, *old)).collect();
            let first = |catalog| relocate::carry_out(catalog, older.to_vec(), HashMap::new()).catalog;
            let now =
                first(self::relocated(relocated.catalog.clone(), &all, &one.before.catalog(), span)?.catalog);
            let left = first(self::relocated(after.catalog(), &all, &one.before.catalog(), span)?.catalog);
            let was = first(one.before.catalog());
            let of = |root: ObjectId| older.iter().find(|one| one.from == root).map_or(root, |one| one.to);
            for root in touched {
                let mut since = differences(&left, &now, of(*root));
                if since.is_empty() || differences(&was, &now, of(*root)).is_empty() {
                    continue;
                }
                // Where it is gone, what stood on it is too.
                if since.contains(&(of(*root), "is gone")) {
                    since.retain(|(id, _)| *id == of(*root));
                }
                let more = since.len().saturating_sub(5);
                reasons.extend(since.iter().take(5).map(|(id, how)| {
                    format!("{} {how} since apply {}", today(*id, &relocated, &back), one.apply.id)
                }));
                if more > 0 {
                    reasons.push(format!("and {more} more on {}", today(*root, &relocated, &back)));
                }
            }
            // A facade of the same kind as what takes its name is compared under its own.
            let left = after.catalog();
            let own: BTreeSet<&ObjectId> = relocated.shadows.values().collect();
            for own in own.into_iter().filter(|own| touched.contains(own)) {
                let since = differences(&left, relocated.before(), *own);
                reasons
                    .extend(since.iter().map(|(id, how)| format!("{id} {how} since apply {}", one.apply.id)));
            }
        }
        self.follow(&back);
        let mut desired = before;
        let mut stay: Vec<ObjectId> = Vec::new();
        for (id, entry) in relocated.catalog.iter() {
            let root = id.root();
            if relocated.shadows.contains_key(&root) {
                continue;
            }
            if touched.contains(&root) {
                if root == id && root.is_schema() && !desired.contains(root) {
                    stay.push(root);
                }
                continue;
            }
            desired.insert_over(id, entry.clone());
        }
        // A schema that the apply made stays while somebody else's objects are in it.
        for schema in stay {
            // What is only a name to schemac has its schema among what it uses.
            let is_in = |id: ObjectId, uses: &[ObjectId]| {
                id.schema() == Some(schema.name()) || id.kind().is_only_a_name() && uses.contains(&schema)
            };
            let guest = desired.iter().find(|(id, entry)| !id.root().is_schema() && is_in(*id, &entry.uses));
            let guest = guest.map(|(id, _)| id);
            let Some(guest) = guest else { continue };
            let message = format!("{schema} stays, since {guest} is in it, which this does not take back");
            notes.push(Diagnostic::note(Code::WayBack, message));
            for id in relocated.catalog.descendants(schema).into_iter().chain([schema]) {
                if let Some(entry) = relocated.catalog.get(id) {
                    let mut entry = entry.clone();
                    entry.standing = Standing::Kept;
                    desired.insert_over(id, entry);
                }
            }
        }
        desired.sort();
        self.state = desired;
        self.reload |= one.before.reload;
        Ok(())
    }

    /// Adds older moves to those that come first on the way back.
    fn follow(&mut self, back: &[(ObjectId, ObjectId)]) {
        // They happened at once: the name that one of them comes to is not the one that another leaves.
        let first = self.moves.clone();
        for (_, then) in self.moves.iter_mut().filter(|(_, then)| then.parent().is_some()) {
            if let Some((from, to)) = back.iter().find(|(from, _)| *from == then.root()) {
                *then = then.rebased(*from, *to);
            }
        }
        for (from, to) in back {
            let known = first.iter().position(|(_, then)| then == from);
            let whole = first.iter().find(|(_, then)| *then == from.root());
            match known {
                Some(place) => self.moves[place].1 = *to,
                None => {
                    let now = whole.map_or(*from, |(today, _)| from.rebased(from.root(), *today));
                    self.moves.push((now, *to));
                }
            }
        }
        self.moves.retain(|(now, then)| now != then);
    }

    fn plan(
        mut self,
        reading: &Reading,
        search_path: &[Ident],
        connection: &mut Connection,
        span: Span,
        mut notes: Vec<Diagnostic>,
    ) -> Result<(Plan, Relocated), Error> {
        let relocated = relocated(reading.catalog.clone(), &self.moves, &self.state, span)?;
        let late: Vec<ObjectId> = self
            .state
            .ids()
            .filter(|id| !relocated.catalog.contains(*id))
            .filter(|id| id.parent().is_some_and(|parent| relocated.catalog.contains(parent)))
            .collect();
        for id in late {
            if let Some(entry) = self.state.get_mut(id) {
                entry.object.append();
            }
        }
        // What is brought back was stored once: there is nothing worth remembering.
        let facades = BTreeSet::new();
        let version = reading.server.version;
        let circumstances = Circumstances { version, search_path, facades: &facades };
        let meanings = Meanings::new(relocated.before(), &circumstances);
        let mut memory = Memory::default();
        let mut remembering = Remembering { memory: &mut memory, meanings: &meanings };
        normalize::normalize(
            &mut self.state,
            &relocated,
            &reading.server,
            search_path,
            &mut remembering,
            &mut connection.client,
        )
        .map_err(Error::Ask)?;
        let mut plan =
            plan::plan(&relocated, &self.state, &reading.server, search_path).map_err(Error::Diagnostics)?;
        // The apply made them, and another apply makes them again; a schema goes only when it is empty.
        let steps = plan.segments.iter_mut().flat_map(|segment| &mut segment.steps);
        for step in steps.filter(|step| step.verb == Verb::Drop && made_again(step.object)) {
            step.impact.loses.clear();
        }
        // Clients know the old name: what they may do with the facade they may do with what takes its place.
        for step in plan.segments.iter_mut().flat_map(|segment| &mut segment.steps) {
            let root = step.object.root();
            let moved = relocated.was.contains_key(&root) && step.object.kind().is_grant();
            if let (true, Some(facade)) = (moved, relocated.facade_at(root))
                && privileges_cover((&self.state, root), (relocated.before(), facade), step.object.name())
            {
                step.impact.loses.clear();
            }
        }
        for step in plan.steps().filter(|step| step.verb == Verb::Create) {
            let (id, kind) = (step.object, step.object.kind());
            if kind.can_be_locked() || kind.is_column() {
                let message =
                    format!("{id} comes back without the values that it had: they went with the apply");
                notes.push(Diagnostic::warning(Code::WayBack, message));
            }
        }
        plan.notes = notes;
        plan.back = true;
        plan.compatibility.reload = self.reload;
        Ok((plan, relocated))
    }
}

/// What an object is called before the moves back.
fn today(id: ObjectId, relocated: &Relocated, back: &[(ObjectId, ObjectId)]) -> ObjectId {
    if let Some(was) = relocated.was.get(&id) {
        return *was;
    }
    let moved = back.iter().find(|(_, old)| *old == id.root() && !relocated.shadows.contains_key(&id.root()));
    moved.map_or_else(|| relocated.own_name(id), |(new, old)| id.rebased(*old, *new))
}

/// Whether nothing is lost with it: no rows, no state.
fn made_again(id: ObjectId) -> bool {
    id.is_schema() || id.kind().is_routine()
}

fn relocated(
    catalog: Catalog,
    moves: &[(ObjectId, ObjectId)],
    desired: &Catalog,
    span: Span,
) -> Result<Relocated, Error> {
    // A routine is looked for by the names that its argument types have by then.
    let called = |from: ObjectId, to: ObjectId| address::from_arguments(from, to).unwrap_or(from);
    // Two applies tell of the same move where the first broke off before it.
    let mut told = BTreeSet::new();
    let once = moves.iter().filter(|one| told.insert(**one));
    let wishes: Vec<Move> =
        once.map(|(from, to)| Move { from: vec![called(*from, *to)], to: *to, span }).collect();
    let mut diagnostics = Vec::new();
    let relocated = relocate::relocate(catalog, &wishes, desired, &mut diagnostics);
    if diagnostics.iter().any(|diagnostic| diagnostic.severity == Severity::Error) {
        return Err(Error::Diagnostics(diagnostics));
    }
    Ok(relocated)
}

/// What of an object and all that stands on it is otherwise than it was: each with how.
pub fn differences(was: &Catalog, now: &Catalog, root: ObjectId) -> Vec<(ObjectId, &'static str)> {
    let below = |catalog: &Catalog| -> BTreeSet<ObjectId> {
        let ids = catalog.descendants(root).into_iter().chain([root]);
        ids.filter(|id| catalog.contains(*id)).collect()
    };
    let (old, new) = (below(was), below(now));
    let mut found: Vec<(ObjectId, &'static str)> = Vec::new();
    for id in old.union(&new) {
        match (was.get(*id), now.get(*id)) {
            (Some(old), Some(new)) if old.object == new.object => {}
            (Some(_), Some(_)) => found.push((*id, "is different")),
            (None, Some(new)) if new.object.is_left_over() => {}
            (None, _) => found.push((*id, "is new")),
            (_, None) => found.push((*id, "is gone")),
        }
    }
    found
}
