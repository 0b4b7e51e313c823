//! Runs a plan, segment by segment, so that at every moment the database stands at a boundary between two segments.
//!
//! A segment locks its tables first and waits for them only shortly: who waits for ACCESS EXCLUSIVE makes everybody
//! behind wait too. What cannot be locked now is tried again later, with nothing held in between.

mod error;

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher as _, Hasher as _};
use std::thread::sleep;
use std::time::{Duration, Instant};

use postgres::{Client, SimpleQueryMessage};
use schemac_schema::id::ObjectId;
use schemac_schema::span::Span;
use schemac_schema::sql;

pub use self::error::{ApplyError, FailedStatement, Holder};

use crate::connect::{SET_LOCAL, ServerError};
use crate::plan::{Plan, PlannedStep, Segment};
use crate::render::RELOAD;
use crate::state::journal::Running;

/// How a plan is run.
#[derive(Clone, Debug)]
pub struct ApplyOptions {
    /// How long a statement waits for a lock. Below the server's deadlock_timeout (1 s by default), so that a client
    /// is never the one that a deadlock kills.
    pub lock_timeout: Duration,
    /// How often a segment is tried again after a lock timeout.
    pub retries: u32,
    /// Everything in one transaction, for a database that nobody uses.
    pub single_transaction: bool,
    /// The row of the journal that tells how far it is.
    pub journal: Option<Running>,
}

impl Default for ApplyOptions {
    fn default() -> Self {
        Self {
            lock_timeout: Duration::from_millis(500),
            retries: 20,
            single_transaction: false,
            journal: None,
        }
    }
}

/// Hears how it goes. Segments are counted from 1.
pub trait Progress {
    /// A segment begins, for the first time.
    fn started(&mut self, _number: usize, _count: usize, _segment: &Segment) {}
    /// A statement of it is about to run; steps are counted from 1.
    fn step(&mut self, _number: usize, _step: usize, _count: usize, _planned: &PlannedStep) {}
    /// It was rolled back since something is locked, and is tried again after a pause.
    fn retrying(&mut self, _retry: &Retry<'_>) {}
    /// It is committed.
    fn finished(&mut self, _number: usize, _count: usize, _took: Duration) {}
}

/// Hears nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Quiet;

impl Progress for Quiet {}

/// A segment that will be tried again.
#[derive(Clone, Debug)]
pub struct Retry<'a> {
    /// Which segment, from 1.
    pub segment: usize,
    /// The how manieth retry, from 1.
    pub retry: u32,
    /// How many there may be.
    pub retries: u32,
    /// What the server said.
    pub error: &'a ServerError,
    /// How long we wait before.
    pub pause: Duration,
}

/// What was done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Applied {
    /// Segments that were committed.
    pub segments: usize,
    /// Statements that ran in them.
    pub steps: usize,
    /// How often a segment was tried again.
    pub retries: u32,
}

/// Runs a plan.
///
/// The client must not be in a transaction and is in none afterwards; the advisory lock is released in any case.
///
/// # Errors
/// Which statement failed, why, and where the database stands.
pub fn apply(
    client: &mut Client,
    plan: &Plan,
    options: &ApplyOptions,
    progress: &mut dyn Progress,
) -> Result<Applied, ApplyError> {
    if options.single_transaction
        && let Some(step) =
            plan.segments.iter().filter(|segment| !segment.transactional).find_map(|s| s.steps.first())
    {
        return Err(ApplyError::NotInOneTransaction(step.sql.clone()));
    }
    let process = lock(client)?;
    let mut run = Run { client, plan, options, progress, process, applied: Applied::default() };
    let outcome = if options.single_transaction { run.at_once() } else { run.one_by_one() };
    let applied = run.applied;
    if plan.compatibility.reload && applied.segments > 0 {
        // Whoever does not hear it looks again by itself some day.
        let _ = client.batch_execute(RELOAD);
    }
    unlock(client);
    outcome.map(|()| applied)
}

/// The key of the advisory lock that an apply holds: `schemac` in ASCII.
pub const LOCK_KEY: i64 = 0x0073_6368_656d_6163;

/// What is over soon: lock_not_available, deadlock_detected, serialization_failure.
const PASSING: [&str; 3] = ["55P03", "40P01", "40001"];

/// Takes the advisory lock; gives the server process that holds it.
fn lock(client: &mut Client) -> Result<i32, ApplyError> {
    let question = format!("SELECT pg_catalog.pg_try_advisory_lock({LOCK_KEY}), pg_catalog.pg_backend_pid()");
    // A holder that goes while we look is no holder.
    for _ in 0..2 {
        let answer = row(client, &question)?;
        if answer.first().is_some_and(|locked| locked == "t") {
            return Ok(answer.get(1).and_then(|pid| pid.parse().ok()).unwrap_or(0));
        }
        let holder = row(
            client,
            &format!(
                "SELECT l.pid, coalesce(a.application_name, ''), coalesce(a.usename, ''), \
                 coalesce(pg_catalog.to_char(a.backend_start AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI \"UTC\"'), '') \
                 FROM pg_catalog.pg_locks l LEFT JOIN pg_catalog.pg_stat_activity a ON a.pid = l.pid \
                 WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1 \
                 AND l.classid = {} AND l.objid = {} AND l.database = \
                 (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database())",
                LOCK_KEY >> 32,
                LOCK_KEY & 0xffff_ffff
            ),
        )?;
        if let [pid, application, role, since] = holder.as_slice() {
            let application = if application.is_empty() { "it gives no name" } else { application };
            return Err(ApplyError::Busy(Holder {
                pid: pid.parse().unwrap_or(0),
                application: application.to_owned(),
                role: role.clone(),
                since: since.clone(),
            }));
        }
    }
    Err(ApplyError::Busy(Holder::default()))
}

/// Gives the advisory lock back. Behind a transaction pooler the right server process may have to be met again.
fn unlock(client: &mut Client) {
    let question = format!("SELECT pg_catalog.pg_advisory_unlock({LOCK_KEY})");
    for _ in 0..100 {
        match row(client, &question) {
            Ok(answer) if answer.first().is_some_and(|unlocked| unlocked == "f") => {}
            // Where the connection is gone the server has released it already.
            _ => return,
        }
    }
}

fn row(client: &mut Client, question: &str) -> Result<Vec<String>, ApplyError> {
    let messages = client.simple_query(question).map_err(|error| ApplyError::Server(error.into()))?;
    let row = messages.into_iter().find_map(|message| match message {
        SimpleQueryMessage::Row(row) => Some(row),
        _ => None,
    });
    Ok(row.map_or_else(Vec::new, |row| {
        (0..row.len()).map(|place| row.get(place).unwrap_or_default().to_owned()).collect()
    }))
}

struct Run<'a> {
    client: &'a mut Client,
    plan: &'a Plan,
    options: &'a ApplyOptions,
    progress: &'a mut dyn Progress,
    process: i32,
    applied: Applied,
}

/// Where a segment stopped.
struct Stop {
    statement: String,
    object: Option<ObjectId>,
    span: Option<Span>,
    error: ServerError,
    segment: usize,
    certain: bool,
}

/// Why a segment stopped.
enum Halt {
    At(Box<Stop>),
    Pooler,
}

impl Run<'_> {
    /// One transaction for each segment.
    fn one_by_one(&mut self) -> Result<(), ApplyError> {
        let plan = self.plan;
        let count = plan.segments.len();
        for (index, segment) in plan.segments.iter().enumerate() {
            let begin = Instant::now();
            self.progress.started(index + 1, count, segment);
            if segment.transactional {
                self.patiently(index, |run| run.transaction(index..index + 1))?;
            } else {
                self.outside(index, segment).map_err(|halt| self.failed(halt, 0))?;
            }
            self.applied.segments += 1;
            self.applied.steps += segment.steps.len();
            self.progress.finished(index + 1, count, begin.elapsed());
        }
        Ok(())
    }

    /// One transaction for all.
    fn at_once(&mut self) -> Result<(), ApplyError> {
        let (begin, count) = (Instant::now(), self.plan.segments.len());
        if count == 0 {
            return Ok(());
        }
        self.patiently(0, |run| run.transaction(0..count))?;
        self.applied.segments = count;
        self.applied.steps = self.plan.steps().count();
        self.progress.finished(count, count, begin.elapsed());
        Ok(())
    }

    /// Tries until it works, fails otherwise than for a lock, or was tried often enough.
    fn patiently(
        &mut self,
        index: usize,
        mut attempt: impl FnMut(&mut Self) -> Result<(), Halt>,
    ) -> Result<(), ApplyError> {
        let mut retry = 0;
        loop {
            let Err(halt) = attempt(self) else { return Ok(()) };
            // Fails where there is no transaction, or no connection; both are fine.
            let _ = self.client.batch_execute("ROLLBACK");
            match halt {
                Halt::At(stop)
                    if retry < self.options.retries && PASSING.contains(&stop.error.sqlstate.as_str()) =>
                {
                    retry += 1;
                    self.applied.retries += 1;
                    let pause = pause(retry);
                    let (segment, retries) = (index + 1, self.options.retries);
                    self.progress.retrying(&Retry { segment, retry, retries, error: &stop.error, pause });
                    sleep(pause);
                }
                halt => return Err(self.failed(halt, retry)),
            }
        }
    }

    fn transaction(&mut self, segments: std::ops::Range<usize>) -> Result<(), Halt> {
        let plan = self.plan;
        let whole = segments.len() > 1;
        let first = segments.start;
        self.begin(first)?;
        let mut number = first;
        for index in segments {
            number = index;
            let segment = &plan.segments[index];
            if whole {
                self.progress.started(index + 1, plan.segments.len(), segment);
            }
            self.lock_tables(segment).map_err(|(statement, error)| stop(index, statement, &error))?;
            for (place, step) in segment.steps.iter().enumerate() {
                self.progress.step(index + 1, place + 1, segment.steps.len(), step);
                self.client.batch_execute(&step.sql).map_err(|error| stop_at(index, step, &error, true))?;
            }
        }
        self.note(number).map_err(|(statement, error)| stop(number, statement, &error))?;
        self.client.batch_execute("COMMIT").map_err(|error| {
            let mut halt = stop(number, "COMMIT".into(), &error);
            if let Halt::At(stop) = &mut halt {
                stop.certain = !stop.error.is_connection_lost();
            }
            halt
        })
    }

    /// Tells the journal that a segment is behind us, together with the segment itself.
    fn note(&mut self, index: usize) -> Result<(), (String, postgres::Error)> {
        let Some(running) = &self.options.journal else { return Ok(()) };
        let statement = running.passed(index + 1, self.plan.segments.len());
        self.client.batch_execute(&statement).map_err(|error| (statement, error))
    }

    /// Begins, and looks whether the server process is still the one that holds the advisory lock.
    fn begin(&mut self, index: usize) -> Result<(), Halt> {
        let path: Vec<&str> = self.plan.search_path.iter().map(|name| sql::quoted(*name)).collect();
        let path = if path.is_empty() { "''".to_owned() } else { path.join(", ") };
        let begin = format!(
            "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE; {SET_LOCAL}; SET LOCAL lock_timeout = {}; \
             SET LOCAL statement_timeout = 0; SET LOCAL search_path = {path}; SELECT pg_catalog.pg_backend_pid()",
            self.options.lock_timeout.as_millis()
        );
        let answer = self.client.simple_query(&begin).map_err(|error| stop(index, "BEGIN".into(), &error))?;
        let process = answer.iter().find_map(|message| match message {
            SimpleQueryMessage::Row(row) => row.get(0)?.parse::<i32>().ok(),
            _ => None,
        });
        if process == Some(self.process) { Ok(()) } else { Err(Halt::Pooler) }
    }

    fn lock_tables(&mut self, segment: &Segment) -> Result<(), (String, postgres::Error)> {
        let mut tables: Vec<ObjectId> =
            segment.locks.iter().copied().filter(|id| id.kind().can_be_locked()).collect();
        // As clients do, who come to a table through its view: the other way round they would wait for each other.
        tables.sort_unstable_by_key(|id| (!id.kind().is_view(), *id));
        tables.dedup();
        if tables.is_empty() {
            return Ok(());
        }
        let names: Vec<String> = tables.iter().filter_map(|id| id.qname()).map(sql::qualified).collect();
        // ONLY: partitions that are concerned are named themselves.
        let statement = format!("LOCK TABLE ONLY {} IN ACCESS EXCLUSIVE MODE", names.join(", ONLY "));
        let guarded = format!("SAVEPOINT locks; {statement}; RELEASE SAVEPOINT locks");
        match self.client.batch_execute(&guarded) {
            Ok(()) => Ok(()),
            // An owner who has given away the privileges on his own table may change it, but not LOCK it.
            Err(error) if error.code().is_some_and(|code| code.code() == "42501") => {
                self.client.batch_execute("ROLLBACK TO SAVEPOINT locks").map_err(|error| (statement, error))
            }
            Err(error) => Err((statement, error)),
        }
    }

    /// Runs statements that PostgreSQL refuses in a transaction. They wait for locks without limit: they ask for none
    /// that clients would queue behind, and an interrupted one leaves its half.
    fn outside(&mut self, index: usize, segment: &Segment) -> Result<(), Halt> {
        let path: Vec<&str> = self.plan.search_path.iter().map(|name| sql::quoted(*name)).collect();
        let path = if path.is_empty() { "''".to_owned() } else { path.join(", ") };
        let settings = SET_LOCAL.replace("SET LOCAL ", "SET ");
        let before =
            format!("{settings}; SET lock_timeout = 0; SET statement_timeout = 0; SET search_path = {path}");
        let outcome =
            self.client.batch_execute(&before).map_err(|error| stop(index, "SET".into(), &error)).and_then(
                |()| {
                    for (place, step) in segment.steps.iter().enumerate() {
                        self.progress.step(index + 1, place + 1, segment.steps.len(), step);
                        self.client
                            .batch_execute(&step.sql)
                            .map_err(|error| stop_at(index, step, &error, false))?;
                    }
                    Ok(())
                },
            );
        let reset: Vec<String> = settings
            .split(';')
            .filter_map(|setting| setting.split_whitespace().nth(1))
            .chain(["lock_timeout", "statement_timeout", "search_path"])
            .map(|name| format!("RESET {name}"))
            .collect();
        // After a failure the connection may be gone, and its settings with it.
        let _ = self.client.batch_execute(&reset.join("; "));
        outcome?;
        self.note(index).map_err(|(statement, error)| stop(index, statement, &error))
    }

    fn failed(&self, halt: Halt, retries: u32) -> ApplyError {
        let boundary = self.applied.segments;
        let stop = match halt {
            Halt::Pooler => return ApplyError::Pooler { boundary },
            Halt::At(stop) => *stop,
        };
        let Stop { statement, object, span, error, segment, certain } = stop;
        let (segment, segments) = (segment + 1, self.plan.segments.len());
        ApplyError::Statement(Box::new(FailedStatement {
            statement,
            object,
            span,
            error,
            segment,
            segments,
            retries,
            boundary,
            certain,
        }))
    }
}

fn stop(segment: usize, statement: String, error: &postgres::Error) -> Halt {
    Halt::At(Box::new(Stop {
        statement,
        object: None,
        span: None,
        error: error.into(),
        segment,
        certain: true,
    }))
}

fn stop_at(segment: usize, step: &PlannedStep, error: &postgres::Error, certain: bool) -> Halt {
    Halt::At(Box::new(Stop {
        statement: step.sql.clone(),
        object: Some(step.object),
        span: step.span,
        error: error.into(),
        segment,
        certain,
    }))
}

/// Longer from time to time, up to two seconds, and never the same for two that wait for each other.
fn pause(retry: u32) -> Duration {
    let longest = Duration::from_millis(50).saturating_mul(1 << retry.min(6)).min(Duration::from_secs(2));
    // Each state has random keys.
    let random = RandomState::new().build_hasher().finish() % 1_000;
    longest.mul_f64(0.5 + random as f64 / 2_000.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_and_differ() {
        assert!(pause(1) >= Duration::from_millis(50) && pause(1) <= Duration::from_millis(100));
        assert!(pause(90) >= Duration::from_secs(1) && pause(90) <= Duration::from_secs(2));
        let some: std::collections::BTreeSet<Duration> = (0..20).map(|_| pause(9)).collect();
        assert!(some.len() > 1);
    }
}
