//! A plan: the steps from the database as it is to the one that the files describe, in an order that works.

mod body;
mod change;
mod fold;
mod node;
mod order;
mod park;
mod segment;
mod soft;
mod unit;

pub use self::node::mentions;
pub use self::order::Edge;
use crate::normalize;
use crate::relocate::Relocated;
use park::Parked;
use schemac_schema::catalog::Catalog;
use schemac_schema::code::Code;
use schemac_schema::compatibility::Compatibility;
use schemac_schema::diagnostic::{Diagnostic, Severity};
use schemac_schema::id::ObjectId;
use schemac_schema::ident::Ident;
use schemac_schema::object::{Context, Server};
use schemac_schema::parse;
use schemac_schema::span::Span;
use schemac_schema::step::{Impact, Loss};
use std::collections::BTreeSet;

/// What a step does to its object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Verb {
    /// Brings it into being.
    Create,
    /// Changes it in place.
    Alter,
    /// Gives it another name or schema.
    Move,
    /// Takes it away.
    Drop,
}

impl Verb {
    /// For people: `create`, `alter`, `move`, `drop`.
    pub fn word(self) -> &'static str {
        match self {
            Verb::Create => "create",
            Verb::Alter => "alter",
            Verb::Move => "move",
            Verb::Drop => "drop",
        }
    }
}

/// Why a step is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Because {
    /// A file declares it, or declares it otherwise than the database has it.
    Declared,
    /// No file declares it any more, in a place where everything is declared.
    NotDeclared,
    /// `moved_from` or `renamed_from` says so; the old id.
    MovedFrom(ObjectId),
    /// It must make room for a change of another object and comes back afterwards; what and why.
    Rebuilt(ObjectId, &'static str),
    /// It cannot be changed in place; why.
    Replaced(&'static str),
    /// It goes with its parent or comes back with it.
    With(ObjectId),
    /// PostgreSQL would add it by itself to the new object (privileges by default), and the files do not want it.
    Implied(ObjectId),
}

/// One statement of a plan.
#[derive(Clone, Debug)]
pub struct PlannedStep {
    /// What it is about, by its desired id where it has one.
    pub object: ObjectId,
    /// What it does to it.
    pub verb: Verb,
    /// The statement, without a semicolon.
    pub sql: String,
    /// What it does beyond its purpose.
    pub impact: Impact,
    /// Why it is there.
    pub because: Because,
    /// Where the object is declared.
    pub span: Option<Span>,
    /// The SQL text that changes (a view's query, a policy's expression): before and after.
    pub texts: Option<(String, String)>,
}

impl PlannedStep {
    /// The schema under which people look for it.
    pub fn domain(&self) -> Option<Ident> {
        self.object.schema()
    }
}

/// Steps that are committed together: the smallest unit that leaves every client working.
#[derive(Clone, Debug)]
pub struct Segment {
    /// The steps, in order.
    pub steps: Vec<PlannedStep>,
    /// Runs in a transaction; false for the one statement that PostgreSQL refuses there.
    pub transactional: bool,
    /// Relations that exist before the segment and that it locks with ACCESS EXCLUSIVE: locked first, by the names
    /// that they have then.
    pub locks: Vec<ObjectId>,
}

/// Why one change comes before another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Arrow {
    /// What comes first.
    pub before: (Verb, ObjectId),
    /// What waits for it.
    pub after: (Verb, ObjectId),
    /// Why.
    pub why: Edge,
}

/// A plan.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    /// What is committed together, in order.
    pub segments: Vec<Segment>,
    /// What people should know: differences that could not be proven, objects that no file declares.
    pub notes: Vec<Diagnostic>,
    /// The search_path under which the statements mean what they say.
    pub search_path: Vec<Ident>,
    /// Why the changes come in their order; none of a plan from a file.
    pub arrows: Vec<Arrow>,
    /// What it means for clients of names that move; of a plan from a file only whether an API has to look again.
    pub compatibility: Compatibility,
    /// Whether it leads back to what was recorded: no file is the reason for its steps.
    pub back: bool,
}

impl Plan {
    /// Whether there is nothing to do.
    pub fn is_empty(&self) -> bool {
        self.segments.is_empty()
    }

    /// All steps, in order.
    pub fn steps(&self) -> impl Iterator<Item = &PlannedStep> {
        self.segments.iter().flat_map(|segment| &segment.steps)
    }

    /// What would be lost, each once.
    pub fn losses(&self) -> Vec<(Loss, ObjectId)> {
        let mut losses: Vec<(Loss, ObjectId)> =
            self.steps().flat_map(|step| step.impact.loses.iter().copied()).collect();
        losses.sort();
        losses.dedup();
        losses
    }
}

/// Makes the plan from the relocated current side to the desired one.
///
/// # Errors
/// What cannot be carried out: something in the way that cannot be rebuilt, or a defect (a cycle, a statement that
/// does not parse).
pub fn plan(
    relocated: &Relocated,
    desired: &Catalog,
    server: &Server,
    search_path: &[Ident],
) -> Result<Plan, Vec<Diagnostic>> {
    let parking = park::park(relocated, desired, server);
    let nothing = Parked::default();
    let (relocated, parked) =
        parking.as_ref().map_or((relocated, &nothing), |(relocated, parked)| (relocated, parked));
    let context = Context { current: &relocated.catalog, desired, server };
    let mut replaced = BTreeSet::new();
    let (mut diagnostics, changes, nodes, mut graph, together) = loop {
        let mut diagnostics = Vec::new();
        let changes = change::changes(&context, (parked, &replaced), &mut diagnostics);
        let nodes = fold::fold(node::nodes(&changes, relocated, parked, (&context, search_path)), &changes);
        let mut graph = order::graph(&nodes, &changes);
        let together = body::follow(&mut graph, &nodes, relocated);
        // Each round one more object is replaced that could have been changed in place.
        match order::opening(&graph, &nodes, &context).filter(|id| !replaced.contains(id)) {
            Some(id) => replaced.insert(id),
            None => break (diagnostics, changes, nodes, graph, together),
        };
    };
    node::refuse_taken(&nodes, relocated, desired, &mut diagnostics);
    order::refuse_cycles(&graph, &nodes, desired, &mut diagnostics);
    soft::soften(&mut graph, &nodes);
    if diagnostics.iter().any(|diagnostic| diagnostic.severity == Severity::Error) {
        return Err(diagnostics);
    }
    let groups = unit::groups((&graph, &together), &nodes, &changes, &relocated.catalog);
    let segments = segment::segments(&groups, &nodes, relocated, |node| planned(node, relocated, desired));
    for step in segments.iter().flat_map(|segment| &segment.steps) {
        if let Err(error) = parse::statement(&step.sql) {
            diagnostics.push(
                Diagnostic::error(Code::PlanCycle, format!("a generated statement does not parse: {error}"))
                    .with_note(step.sql.clone()),
            );
        }
    }
    if diagnostics.is_empty() {
        let arrows = order::arrows(&graph, &nodes);
        Ok(Plan { segments, search_path: search_path.to_vec(), arrows, ..Plan::default() })
    } else {
        Err(diagnostics)
    }
}

fn planned(node: &node::Node, relocated: &Relocated, desired: &Catalog) -> Vec<PlannedStep> {
    let declared = desired.get(node.id);
    let span = declared.and_then(|entry| entry.span).or_else(|| {
        std::iter::successors(Some(node.id), |id| id.parent())
            .find_map(|id| desired.get(id).and_then(|entry| entry.span))
    });
    let texts = (node.verb != Verb::Drop).then(|| changed_text(node.id, relocated, desired)).flatten();
    node.steps
        .iter()
        .enumerate()
        .map(|(index, step)| PlannedStep {
            object: relocated.own_name(node.id),
            verb: node.verb,
            sql: step.sql.clone(),
            impact: step.impact.clone(),
            because: node.because.clone(),
            span,
            texts: texts.clone().filter(|_| index == 0),
        })
        .collect()
}

fn changed_text(id: ObjectId, relocated: &Relocated, desired: &Catalog) -> Option<(String, String)> {
    let (old, new) = (relocated.catalog.get(id)?, desired.get(id)?);
    let old = normalize::fragments(&old.object);
    let mut places: Vec<_> = normalize::fragments(&new.object).into_iter().collect();
    places.sort();
    let (place, new) =
        places.into_iter().find(|(place, text)| old.get(place).is_some_and(|before| before != text))?;
    Some((old[&place].to_string(), new.to_string()))
}
