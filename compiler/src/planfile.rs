//! A plan as a file, and back: what `diff --save` writes is exactly what `apply PLAN` runs.
//!
//! The file is the plan's JSON (`render::json`) with what the plan was made from. It comes back as input from a
//! stranger: every statement must parse as one that a plan may hold, and what it loses is read off the statement, so
//! that a changed file needs the same `--allow` as an honest one.

use crate::fingerprint::Seen;
use crate::load;
use crate::plan::{Because, Plan, PlannedStep, Segment, Verb};
use crate::render;
use schemac_schema::code::Code;
use schemac_schema::compatibility::Compatibility;
use schemac_schema::diagnostic::Diagnostic;
use schemac_schema::id::{Address, ObjectId};
use schemac_schema::ident::{Ident, QName, Text};
use schemac_schema::object::Kind;
use schemac_schema::parse;
use schemac_schema::span::{FileId, Sources, Span};
use schemac_schema::statement;
use schemac_schema::step::{Impact, Lock, Loss};
use serde::Deserialize;
use serde_json::json;
use sha2::{Digest as _, Sha256};
use std::collections::HashSet;

/// The version of the shape; the same as that of the plan.
const FORMAT: u32 = render::FORMAT;

/// A plan from a file.
#[derive(Debug)]
pub struct Saved {
    /// The plan.
    pub plan: Plan,
    /// What it was made from.
    pub seen: Seen,
    /// A digest of the project's files.
    pub project: String,
}

/// The digest of a plan's file.
pub fn digest_of(text: &str) -> String {
    Sha256::digest(text).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The file of a plan.
///
/// # Errors
/// A defect: a statement that could not be run from the file.
pub fn write(plan: &Plan, seen: &Seen, sources: &Sources) -> Result<String, Vec<Diagnostic>> {
    let mut value = render::json(plan, sources);
    value["made_from"] = json!({
        "version": seen.version,
        "fingerprint": seen.fingerprint,
        "concerned": seen.concerned.iter().copied().map(render::json_object).collect::<Vec<_>>(),
        "external": seen.external,
        "project": load::digest(sources),
    });
    let text = format!("{value:#}\n");
    // What is written must come back as it is.
    let mut own = Sources::new();
    let file = own.add("the plan", text.as_str());
    let saved = read(&own, file)?;
    let same = saved.seen == *seen
        && saved.plan.search_path == plan.search_path
        && saved.plan.segments.len() == plan.segments.len()
        && saved.plan.steps().zip(plan.steps()).all(|(a, b)| a.object == b.object && a.sql == b.sql)
        && saved.plan.steps().count() == plan.steps().count();
    if same {
        Ok(text)
    } else {
        Err(vec![wrong("this plan does not come back from a file as it is: a defect".into())])
    }
}

/// The plan of a file.
///
/// # Errors
/// Everything that is wrong with it.
pub fn read(sources: &Sources, file: FileId) -> Result<Saved, Vec<Diagnostic>> {
    let text = sources.text(file);
    let head: Head = serde_json::from_str(text).map_err(|error| vec![shape(&error, file, text)])?;
    if head.format != FORMAT {
        let message = format!("the file has format {}, and this schemac reads format {FORMAT}", head.format);
        return Err(vec![wrong(message).help("make the plan again")]);
    }
    let shape: Shape = serde_json::from_str(text).map_err(|error| vec![shape(&error, file, text)])?;
    let mut reader = Reader { file, text, from: 0, made: HashSet::new(), errors: Vec::new() };
    let segments: Vec<Segment> = shape.segments.iter().map(|segment| reader.segment(segment)).collect();
    let seen = Seen {
        concerned: shape.made_from.concerned.iter().filter_map(|id| reader.id(id)).collect(),
        fingerprint: shape.made_from.fingerprint,
        external: shape.made_from.external.iter().map(|name| Ident::new(name)).collect(),
        version: shape.made_from.version,
    };
    // A file that names fewer objects than it changes would hide what happened to the others.
    let concerned: HashSet<ObjectId> = seen.concerned.iter().copied().collect();
    for step in segments.iter().flat_map(|segment| &segment.steps) {
        if !concerned.contains(&step.object.root()) {
            reader.errors.push(wrong(format!("{} is changed, but not among `concerned`", step.object)));
        }
    }
    if !reader.errors.is_empty() {
        return Err(reader.errors);
    }
    let search_path = shape.search_path.iter().map(|name| Ident::new(name)).collect();
    let compatibility = Compatibility { reload: shape.compatibility.reload, ..Compatibility::default() };
    Ok(Saved {
        plan: Plan { segments, search_path, compatibility, ..Plan::default() },
        seen,
        project: shape.made_from.project,
    })
}

fn wrong(message: String) -> Diagnostic {
    Diagnostic::error(Code::BadPlanFile, message)
}

fn shape(error: &serde_json::Error, file: FileId, text: &str) -> Diagnostic {
    let start: usize = text.split_inclusive('\n').take(error.line().saturating_sub(1)).map(str::len).sum();
    let at = (start + error.column().saturating_sub(1)).min(text.len());
    let message = error.to_string();
    // The place is shown beside it.
    let message = message.split(" at line ").next().unwrap_or_default();
    wrong(format!("this is not a plan: {message}")).at(Span::new(file, at, at + 1))
}

/// What is read first, whatever the rest looks like.
#[derive(Deserialize)]
struct Head {
    format: u32,
}

#[derive(Deserialize)]
struct Shape {
    search_path: Vec<String>,
    segments: Vec<SegmentShape>,
    made_from: MadeFrom,
    #[serde(default)]
    compatibility: CompatibilityShape,
}

/// What was found is said when a plan is made; whoever runs it only tells an API server.
#[derive(Deserialize, Default)]
struct CompatibilityShape {
    #[serde(default)]
    reload: bool,
}

#[derive(Deserialize)]
struct MadeFrom {
    version: u32,
    fingerprint: String,
    concerned: Vec<IdShape>,
    external: Vec<String>,
    project: String,
}

#[derive(Deserialize)]
struct SegmentShape {
    transactional: bool,
    locks: Vec<IdShape>,
    steps: Vec<StepShape>,
}

#[derive(Deserialize)]
struct StepShape {
    verb: String,
    object: IdShape,
    sql: String,
    because: BecauseShape,
    impact: ImpactShape,
    change: Option<Change>,
}

#[derive(Deserialize)]
struct BecauseShape {
    rule: String,
    object: Option<IdShape>,
    why: Option<String>,
}

#[derive(Deserialize)]
struct ImpactShape {
    lock: Option<LockShape>,
    rewrites: bool,
    scans: bool,
    loses: Vec<LossShape>,
}

#[derive(Deserialize)]
struct LockShape {
    relation: IdShape,
    mode: String,
}

#[derive(Deserialize)]
struct LossShape {
    allow: String,
    object: IdShape,
}

#[derive(Deserialize)]
struct Change {
    before: String,
    after: String,
}

#[derive(Deserialize)]
struct IdShape {
    kind: String,
    name: String,
    schema: Option<String>,
    arguments: Option<String>,
    on: Option<Box<IdShape>>,
}

struct Reader<'a> {
    file: FileId,
    text: &'a str,
    /// Behind the last statement that was found in the text.
    from: usize,
    /// What the steps so far have made: nobody has privileges on it yet.
    made: HashSet<String>,
    errors: Vec<Diagnostic>,
}

impl Reader<'_> {
    fn segment(&mut self, shape: &SegmentShape) -> Segment {
        let steps: Vec<PlannedStep> =
            shape.steps.iter().filter_map(|step| self.step(step, shape.transactional)).collect();
        if !shape.transactional && shape.steps.len() != 1 {
            self.errors.push(wrong("a segment outside a transaction has exactly one step".into()));
        }
        let locks = shape.locks.iter().filter_map(|id| self.id(id)).collect();
        Segment { steps, transactional: shape.transactional, locks }
    }

    fn step(&mut self, shape: &StepShape, transactional: bool) -> Option<PlannedStep> {
        let span = self.place(&shape.sql);
        let object = self.id(&shape.object)?;
        let verbs = [Verb::Create, Verb::Alter, Verb::Move, Verb::Drop];
        let verb = self.word("verb", &shape.verb, &verbs, |verb| verb.word())?;
        let because = self.because(&shape.because)?;
        let lock = match &shape.impact.lock {
            Some(lock) => {
                let relation = self.id(&lock.relation)?;
                Some((relation, self.word("lock", &lock.mode, Lock::ALL, |lock| lock.words())?))
            }
            None => None,
        };
        let mut loses = Vec::new();
        for loss in &shape.impact.loses {
            loses.push((
                self.word("loss", &loss.allow, Loss::ALL, |loss| loss.word())?,
                self.id(&loss.object)?,
            ));
        }
        let effect = parse::statement(&shape.sql).map_err(|error| error.message);
        match effect.and_then(|tree| statement::effect(&tree)) {
            Ok(effect) => self.add_losses(effect, object, &mut loses),
            Err(why) => {
                let error = wrong(format!("the statement of {object} cannot be run: {why}"));
                self.errors.push(match span {
                    Some(span) => error.at(span),
                    None => error.with_note(shape.sql.clone()),
                });
                return None;
            }
        }
        let (rewrites, scans) = (shape.impact.rewrites, shape.impact.scans);
        let impact =
            Impact { lock, rewrites, scans, loses, outside_transaction: !transactional, ..Impact::default() };
        let texts = shape.change.as_ref().map(|change| (change.before.clone(), change.after.clone()));
        Some(PlannedStep { object, verb, sql: shape.sql.clone(), impact, because, span, texts })
    }

    /// Adds what the statement loses beyond what the file says.
    fn add_losses(&mut self, effect: statement::Effect, object: ObjectId, loses: &mut Vec<(Loss, ObjectId)>) {
        for (loss, lost) in effect.loses {
            let said = |(known, id): &(Loss, ObjectId)| {
                // Functions are told apart by their arguments, which the statement spells in its own way.
                *known == loss && id.path().split('(').next() == lost.path().split('(').next()
            };
            if !loses.iter().any(said) {
                loses.push((loss, lost));
            }
        }
        let old = effect.revokes.iter().any(|name| !self.made.contains(name));
        // ALTER DEFAULT PRIVILEGES and REVOKE of roles are no GrantStmt; what it takes from nothing is no loss.
        if old && !loses.iter().any(|(loss, _)| *loss == Loss::Revoke) {
            loses.push((Loss::Revoke, object));
        }
        self.made.extend(effect.creates);
    }

    fn because(&mut self, shape: &BecauseShape) -> Option<Because> {
        let why = || Text::new(shape.why.as_deref().unwrap_or_default()).as_str();
        let of = match &shape.object {
            Some(id) => Some(self.id(id)?),
            None => None,
        };
        let because = match (shape.rule.as_str(), of) {
            ("declared", _) => Because::Declared,
            ("not-declared", _) => Because::NotDeclared,
            ("moved-from", Some(of)) => Because::MovedFrom(of),
            ("rebuilt", Some(of)) => Because::Rebuilt(of, why()),
            ("replaced", _) => Because::Replaced(why()),
            ("with", Some(of)) => Because::With(of),
            ("implied", Some(of)) => Because::Implied(of),
            (rule, _) => {
                self.errors.push(wrong(format!("`because` has no rule {rule:?} of this shape")));
                return None;
            }
        };
        Some(because)
    }

    fn word<T: Copy>(
        &mut self,
        what: &str,
        word: &str,
        all: &[T],
        said: impl Fn(T) -> &'static str,
    ) -> Option<T> {
        let found = all.iter().copied().find(|one| said(*one) == word);
        if found.is_none() {
            self.errors.push(wrong(format!("there is no {what} {word:?}")));
        }
        found
    }

    fn id(&mut self, shape: &IdShape) -> Option<ObjectId> {
        let kind = self.word("kind of object", &shape.kind, Kind::ALL, Kind::word)?;
        let name = Ident::new(&shape.name);
        let address = match (&shape.on, &shape.schema, &shape.arguments) {
            (Some(on), ..) => {
                let on = self.id(on)?;
                if kind.is_satellite() { Address::Of(on, name) } else { Address::On(on, name) }
            }
            (None, Some(schema), Some(arguments)) => {
                Address::Routine(QName::new(schema.as_str(), name), Text::new(arguments))
            }
            (None, Some(schema), None) => Address::InSchema(QName::new(schema.as_str(), name)),
            (None, None, _) => Address::Global(name),
        };
        Some(ObjectId::new(kind, address))
    }

    /// Where a statement stands in the file.
    fn place(&mut self, sql: &str) -> Option<Span> {
        let written = serde_json::to_string(sql).ok()?;
        let at = self.from + self.text.get(self.from..)?.find(&written)?;
        self.from = at + written.len();
        Some(Span::new(self.file, at, self.from))
    }
}
