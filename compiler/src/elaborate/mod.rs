//! Asks the server how it would store fragments: rung 3 of the ladder of equality.
//!
//! Everything happens on temporary relations, in read-write transactions that are always rolled back. What is asked is
//! analysed under the project's search_path with `pg_temp` last, so that a stand-in never hides the relation that it
//! stands in for, and read back under an empty one, so that names come back qualified. Permanent relations are taken
//! with ACCESS SHARE at most, unless a fragment itself says FOR UPDATE. Event triggers of the database fire for the
//! temporary objects, as they do for anybody's.
//!
//! Many stand-ins may have one name (a table `users` in each of two schemas), and each takes locks from the table that
//! all sessions share. So the questions go in batches: within one each name is unique and locks are few; rolling back
//! to its savepoint gives both back. Several batches are one transaction and one round trip.

mod message;

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use postgres::{Client, SimpleQueryMessage};
use schemac_schema::id::ObjectId;
use schemac_schema::ident::Ident;
use schemac_schema::question::{Question, Questions, StandIn};
use schemac_schema::sql;

use self::message::{FUNCTIONS, Message};
use crate::connect::{SET_LOCAL, ServerError};

/// How the server is asked.
#[derive(Clone, Debug)]
pub struct Options {
    /// How long a question waits for a relation that somebody has locked.
    pub lock_timeout: Duration,
    /// How long a batch may take.
    pub statement_timeout: Duration,
    /// How many locks a transaction takes at most, by a cautious estimate, and never more than a fifth of what the
    /// server has room for: `max_locks_per_transaction * max_connections`, 6,400 by default, for all sessions
    /// together.
    pub locks: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            // Less than PostgreSQL's deadlock_timeout.
            lock_timeout: Duration::from_millis(800),
            statement_timeout: Duration::from_secs(300),
            locks: 1_200,
        }
    }
}

/// What the server said to one place of an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// It would store this text.
    Stored(String),
    /// It would store nothing (a default NULL).
    Nothing,
    /// It does not take the fragment, or not here.
    Failed {
        /// The five characters of SQLSTATE.
        sqlstate: String,
        /// Its message.
        message: String,
    },
}

/// What the server said.
#[derive(Clone, Debug, Default)]
pub struct Answers {
    answers: HashMap<ObjectId, BTreeMap<String, Answer>>,
    /// Why it could not be asked at all (no right to temporary objects, a standby). What differs is then not proven.
    pub unavailable: Option<String>,
}

impl Answers {
    /// The answer for a place of an object; `None` when it was not asked, or could not be.
    pub fn get(&self, object: ObjectId, place: &str) -> Option<&Answer> {
        self.answers.get(&object)?.get(place)
    }

    /// The text that the server would store for a place of an object.
    pub fn text(&self, object: ObjectId, place: &str) -> Option<&str> {
        match self.get(object, place)? {
            Answer::Stored(text) => Some(text),
            _ => None,
        }
    }

    /// All answers, in the order of ids.
    pub fn iter(&self) -> impl Iterator<Item = (ObjectId, &str, &Answer)> {
        let mut ids: Vec<_> = self.answers.iter().collect();
        ids.sort_by_key(|(id, _)| **id);
        ids.into_iter()
            .flat_map(|(id, places)| places.iter().map(move |(place, answer)| (*id, place.as_str(), answer)))
    }

    fn put(&mut self, object: ObjectId, place: &str, answer: Answer) {
        self.answers.entry(object).or_default().insert(place.to_owned(), answer);
    }
}

/// Asks the questions. Nothing is left behind, also after an error; the client must not be in a transaction.
///
/// # Errors
/// What the server said when the asking itself fails: a lost connection, a timeout. A fragment that it does not take
/// is an answer, and so is a right that is missing.
pub fn elaborate(
    client: &mut Client,
    questions: &Questions,
    search_path: &[Ident],
    options: &Options,
) -> Result<Answers, ServerError> {
    let mut answers = Answers::default();
    if questions.list.is_empty() {
        return Ok(answers);
    }
    let (room, obstacle) = room(client)?;
    answers.unavailable = obstacle;
    let mut open: Vec<&Question> = questions.list.iter().collect();
    // The live sessions need the lock table too. What failed for want of room gets by with less and less, at the end
    // with one stand-in at a time.
    let locks = options.locks.min(room / 5);
    // Whoever holds many relations does not wait for another one: a migration that has locked that one and waits for these
    // would be ended by PostgreSQL, because of a question. What is locked is asked about at the end, by itself.
    let soon = options.lock_timeout.min(SOON);
    for (attempt, locks, lock_timeout) in [
        (Attempt::Joint, locks.max(3), soon),
        (Attempt::Apart, (locks / 6).max(2), soon),
        (Attempt::Last, 1, options.lock_timeout),
    ] {
        if open.is_empty() || answers.unavailable.is_some() {
            break;
        }
        let options = Options { locks, lock_timeout, ..options.clone() };
        open = ask(client, &open, search_path, &options, attempt, &mut answers)?;
    }
    Ok(answers)
}

/// How long a question waits that is asked together with others.
const SOON: Duration = Duration::from_millis(10);

/// How questions are put.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Attempt {
    /// One statement makes a stand-in with all fragments that can be said in it. Where it fails, nobody knows which
    /// of them is to blame: they are asked about again.
    Joint,
    /// Each fragment has a statement of its own.
    Apart,
    /// The same; what fails now has failed.
    Last,
}

/// How many questions are put on one stand-in: each may add a column, of which a table takes 1,600.
const QUESTIONS_PER_STAND_IN: usize = 100;

/// How much text travels in one round trip, about, in bytes.
const MESSAGE: usize = 1 << 18;

/// How many locks the server has room for, and why this role cannot ask here.
fn room(client: &mut Client) -> Result<(usize, Option<String>), ServerError> {
    let rows = client.simple_query(
        "SELECT pg_catalog.current_setting('max_locks_per_transaction')::pg_catalog.int8 * \
         (pg_catalog.current_setting('max_connections')::pg_catalog.int8 + \
         pg_catalog.current_setting('max_prepared_transactions')::pg_catalog.int8), \
         CASE WHEN pg_catalog.pg_is_in_recovery() \
         THEN 'the server is a standby, where nothing can be created' \
         WHEN NOT pg_catalog.has_database_privilege(pg_catalog.current_database(), 'TEMPORARY') \
         THEN 'the role ' || current_user || ' may not create temporary objects here: \
         GRANT TEMPORARY ON DATABASE ' || pg_catalog.quote_ident(pg_catalog.current_database()) || ' TO ' || \
         pg_catalog.quote_ident(current_user) END",
    )?;
    let row = rows.iter().find_map(|message| match message {
        SimpleQueryMessage::Row(row) => Some((row.get(0)?.parse().ok()?, row.get(1).map(str::to_owned))),
        _ => None,
    });
    Ok(row.unwrap_or_default())
}

/// Questions on one stand-in, or one question that needs none.
struct Group<'a> {
    stand_in: Option<&'a StandIn>,
    questions: Vec<&'a Question>,
}

impl Group<'_> {
    /// A table takes locks on itself, its TOAST table and that one's index; a view on what it reads.
    fn locks(&self) -> usize {
        self.questions.len() * if self.stand_in.is_some() { 1 } else { 4 } + 3
    }
}

fn groups<'a>(questions: &[&'a Question]) -> Vec<Group<'a>> {
    let mut groups: Vec<Group<'a>> = Vec::new();
    let mut by_stand_in: HashMap<(ObjectId, &str), usize> = HashMap::new();
    for question in questions {
        let Some(stand_in) = &question.stand_in else {
            groups.push(Group { stand_in: None, questions: vec![question] });
            continue;
        };
        let key = (stand_in.relation, stand_in.create.as_str());
        match by_stand_in.get(&key) {
            Some(place) if groups[*place].questions.len() < QUESTIONS_PER_STAND_IN => {
                groups[*place].questions.push(question);
            }
            _ => {
                by_stand_in.insert(key, groups.len());
                groups.push(Group { stand_in: Some(stand_in), questions: vec![question] });
            }
        }
    }
    groups
}

/// Puts the groups into batches: in each the names are unique and the locks few.
fn batches(groups: Vec<Group<'_>>, locks: usize) -> Vec<Vec<Group<'_>>> {
    let mut batches: Vec<(usize, Vec<Group<'_>>)> = Vec::new();
    // Where the search for a batch begins: for each name behind the one that has it, never in front of a full one.
    let mut next: HashMap<Ident, usize> = HashMap::new();
    let mut first_with_room = 0;
    for group in groups {
        let weight = group.locks();
        let from = group.stand_in.and_then(|stand_in| next.get(&stand_in.name)).copied().unwrap_or(0);
        let mut place = from.max(first_with_room);
        while batches.get(place).is_some_and(|(used, _)| used + weight > locks) {
            if place == first_with_room && batches[place].0 + 4 > locks {
                first_with_room += 1;
            }
            place += 1;
        }
        if let Some(stand_in) = group.stand_in {
            next.insert(stand_in.name, place + 1);
        }
        if place >= batches.len() {
            batches.resize_with(place + 1, Default::default);
        }
        batches[place].0 += weight;
        batches[place].1.push(group);
    }
    batches.into_iter().map(|(_, groups)| groups).filter(|groups| !groups.is_empty()).collect()
}

/// Asks once; gives back what failed for a reason that may pass, unless this is the last time.
fn ask<'a>(
    client: &mut Client,
    questions: &[&'a Question],
    search_path: &[Ident],
    options: &Options,
    attempt: Attempt,
    answers: &mut Answers,
) -> Result<Vec<&'a Question>, ServerError> {
    let begin = begin(options);
    let path = analysis_path(search_path);
    let mut again = Vec::new();
    let mut message = Message::default();
    for batch in batches(groups(questions), options.locks) {
        message.push(&batch, &path, attempt == Attempt::Joint);
        if message.text.len() > MESSAGE {
            message.send(client, &begin, attempt, answers, &mut again)?;
            message = Message::default();
        }
    }
    message.send(client, &begin, attempt, answers, &mut again)?;
    Ok(again)
}

/// The beginning of each transaction.
fn begin(options: &Options) -> String {
    format!(
        "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE; {SET_LOCAL}; \
         SET LOCAL client_min_messages = error; SET LOCAL temp_tablespaces = ''; SET LOCAL default_tablespace = ''; \
         SET LOCAL lock_timeout = {}; SET LOCAL statement_timeout = {}; {FUNCTIONS}\n",
        options.lock_timeout.as_millis(),
        options.statement_timeout.as_millis(),
    )
}

/// The search_path under which fragments are analysed: the project's, with what is temporary last.
fn analysis_path(search_path: &[Ident]) -> String {
    let temporary = Ident::new("pg_temp");
    let path = search_path.iter().filter(|name| **name != temporary).chain([&temporary]);
    path.map(|name| sql::quoted(*name)).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use schemac_schema::ident::QName;
    use schemac_schema::object::Kind;
    use std::collections::HashSet;

    fn question(schema: &str, table: &str, number: usize) -> Question {
        let relation = ObjectId::in_schema(Kind::Table, QName::new(schema, table));
        let create = format!("CREATE TEMPORARY TABLE {table} (a int)");
        Question {
            object: ObjectId::on(Kind::Check, relation, format!("c{number}").as_str()),
            stand_in: Some(StandIn { relation, name: relation.name(), create }),
            make: String::new(),
            read: Vec::new(),
            element: None,
            instead: Vec::new(),
        }
    }

    #[test]
    fn in_a_batch_names_are_unique_and_locks_few() {
        let mut list = Vec::new();
        for number in 0..900 {
            list.push(question("app", &format!("t{}", number / 3), number));
            list.push(question(&format!("s{}", number / 100), "same", number));
        }
        let open: Vec<&Question> = list.iter().collect();
        let batches = batches(groups(&open), 300);
        let mut seen = 0;
        for batch in &batches {
            let mut names = HashSet::new();
            assert!(batch.iter().all(|group| names.insert(group.stand_in.unwrap().name)));
            assert!(batch.iter().map(Group::locks).sum::<usize>() <= 300);
            seen += batch.iter().map(|group| group.questions.len()).sum::<usize>();
        }
        assert_eq!(seen, 1_800);
        assert!(batches.len() < 20, "{}", batches.len());
    }
}
