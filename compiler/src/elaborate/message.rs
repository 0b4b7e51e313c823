//! One message to the server with many questions, and what comes back.
//!
//! A message is a transaction that is rolled back: functions in pg_temp, and for each batch the statements that make
//! its stand-ins and put the fragments on them, and what reads these back. Statements, expressions and queries are
//! numbered through the message; the numbers come back with the rows. Not here: which questions go together.

use std::collections::HashMap;
use std::fmt::Write as _;

use postgres::{Client, SimpleQueryMessage};
use schemac_schema::question::{Question, Read};
use schemac_schema::sql;

use super::{Answer, Answers, Attempt, Group};
use crate::connect::ServerError;

/// What has nothing to do with the fragment: a lock not available, a deadlock, the lock table full, the catalog
/// changed while it was read.
const PASSING: [&str; 5] = ["55P03", "40P01", "40001", "53200", "XX000"];

/// How many statements are tried at once. More than 64 subtransactions that write slow other sessions down.
const CHUNK: usize = 24;

/// One place of a question in a message, with what its numbers mean.
struct Asked<'a> {
    question: &'a Question,
    place: &'a str,
    /// The statement that makes its stand-in.
    stand_in: Option<usize>,
    /// The statement that puts it there: the same one, where both are one.
    made: usize,
    read: Reading<'a>,
}

/// Where a place's text comes from.
enum Reading<'a> {
    /// From the expression with this number.
    Alone(usize),
    /// From the rows with this number: that with this key.
    Among(usize, &'a str),
}

/// A message under way.
#[derive(Default)]
pub(super) struct Message<'a> {
    /// Its statements, without the transaction around them.
    pub(super) text: String,
    /// How many statements, expressions and queries there are.
    statements: usize,
    expressions: usize,
    queries: usize,
    asked: Vec<Asked<'a>>,
}

/// Runs statements, many in one subtransaction; where one fails, each in its own, with a row for each failure. Reads
/// expressions. And gives the rows of a query about stand-ins. All work under any search_path.
pub(super) const FUNCTIONS: &str = "\
CREATE FUNCTION pg_temp.schemac_make(base pg_catalog.int4, statements pg_catalog.text[], \
first pg_catalog.int4[], final pg_catalog.int4[], OUT part pg_catalog.text, OUT number pg_catalog.int4, \
OUT state pg_catalog.text, OUT key pg_catalog.text, OUT answer pg_catalog.text) \
RETURNS SETOF pg_catalog.record LANGUAGE plpgsql AS $schemac$
BEGIN
  part := 'make';
  FOR chunk IN 1 .. pg_catalog.cardinality(first) LOOP
    BEGIN
      FOR at IN first[chunk] .. final[chunk] LOOP EXECUTE statements[at]; END LOOP;
    EXCEPTION WHEN OTHERS THEN
      FOR at IN first[chunk] .. final[chunk] LOOP
        BEGIN
          EXECUTE statements[at];
        EXCEPTION WHEN OTHERS THEN
          number := base OPERATOR(pg_catalog.+) at; state := SQLSTATE; answer := SQLERRM;
          RETURN NEXT;
        END;
      END LOOP;
    END;
  END LOOP;
END $schemac$; \
CREATE FUNCTION pg_temp.schemac_read(base pg_catalog.int4, expressions pg_catalog.text[], \
OUT part pg_catalog.text, OUT number pg_catalog.int4, \
OUT state pg_catalog.text, OUT key pg_catalog.text, OUT answer pg_catalog.text) \
RETURNS SETOF pg_catalog.record LANGUAGE plpgsql AS $schemac$
BEGIN
  part := 'read';
  FOR at IN 1 .. pg_catalog.cardinality(expressions) LOOP
    number := base OPERATOR(pg_catalog.+) at; state := NULL; answer := NULL;
    BEGIN
      EXECUTE pg_catalog.concat('SELECT (', expressions[at], ')::pg_catalog.text') INTO answer;
    EXCEPTION WHEN OTHERS THEN
      state := SQLSTATE; answer := SQLERRM;
    END;
    RETURN NEXT;
  END LOOP;
END $schemac$; \
CREATE FUNCTION pg_temp.schemac_rows(number pg_catalog.int4, query pg_catalog.text, names pg_catalog.name[], \
OUT part pg_catalog.text, OUT rows pg_catalog.int4, \
OUT state pg_catalog.text, OUT key pg_catalog.text, OUT answer pg_catalog.text) \
RETURNS SETOF pg_catalog.record LANGUAGE plpgsql AS $schemac$
DECLARE
  relations CONSTANT pg_catalog.oid[] := ARRAY(SELECT c.oid FROM pg_catalog.pg_class c
    WHERE c.relname OPERATOR(pg_catalog.=) ANY (names)
      AND c.relnamespace OPERATOR(pg_catalog.=) pg_catalog.pg_my_temp_schema());
BEGIN
  part := 'rows'; rows := number;
  FOR key, answer IN EXECUTE query USING relations LOOP RETURN NEXT; END LOOP;
EXCEPTION WHEN OTHERS THEN
  state := SQLSTATE; key := NULL; answer := SQLERRM;
  RETURN NEXT;
END $schemac$;";

/// Texts that are literals in one message, as an array.
fn array(texts: &[String], of: &str) -> String {
    format!("ARRAY[{}]::pg_catalog.{of}[]", texts.join(",\n"))
}

impl<'a> Message<'a> {
    /// Adds a batch. What is `joint` makes each stand-in with all fragments that can be said in its statement.
    pub(super) fn push(&mut self, batch: &[Group<'a>], path: &str, joint: bool) {
        let (base, read_base) = (self.statements, self.expressions);
        let (mut texts, mut expressions) = (Vec::new(), Vec::new());
        let (mut first, mut last) = (Vec::new(), Vec::new());
        let mut queries: Vec<(&str, Vec<String>)> = Vec::new();
        let mut start = 0;
        for group in batch {
            let elements = group.questions.iter().filter_map(|question| question.element.as_deref());
            let elements: Vec<&str> = elements.filter(|_| joint).collect();
            let stand_in = group.stand_in.map(|stand_in| {
                texts.push(sql::literal(&stand_in.with(&elements)));
                base + texts.len() - 1
            });
            for question in &group.questions {
                let made = match stand_in.filter(|_| joint && question.element.is_some()) {
                    Some(stand_in) => stand_in,
                    None => {
                        texts.push(sql::literal(&question.make));
                        base + texts.len() - 1
                    }
                };
                for (place, read) in &question.read {
                    let read = match read {
                        Read::Alone(expression) => {
                            expressions.push(sql::literal(expression));
                            Reading::Alone(read_base + expressions.len() - 1)
                        }
                        Read::Among(query, key) => {
                            let known = queries.iter().position(|(known, _)| known == query);
                            let at = known.unwrap_or_else(|| {
                                queries.push((query, Vec::new()));
                                queries.len() - 1
                            });
                            let name = group.stand_in.map(|stand_in| sql::literal(stand_in.name.as_str()));
                            let names = &mut queries[at].1;
                            names.extend(name.filter(|name| names.last() != Some(name)));
                            Reading::Among(self.queries + at, key)
                        }
                    };
                    self.asked.push(Asked { question, place, stand_in, made, read });
                }
            }
            if texts.len() - start >= CHUNK {
                first.push((start + 1).to_string());
                last.push(texts.len().to_string());
                start = texts.len();
            }
        }
        if texts.len() > start {
            first.push((start + 1).to_string());
            last.push(texts.len().to_string());
        }
        let _ = write!(
            self.text,
            "SAVEPOINT batch; SET LOCAL search_path = {path};\n\
             SELECT * FROM pg_temp.schemac_make({base}, {}, {}, {});\n\
             SET LOCAL search_path = pg_catalog, pg_temp;\n\
             SELECT * FROM pg_temp.schemac_read({read_base}, {});\n",
            array(&texts, "text"),
            array(&first, "int4"),
            array(&last, "int4"),
            array(&expressions, "text"),
        );
        for (at, (query, names)) in queries.iter().enumerate() {
            let (number, query) = (self.queries + at + 1, sql::literal(query));
            let names = array(names, "name");
            let _ = writeln!(self.text, "SELECT * FROM pg_temp.schemac_rows({number}, {query}, {names});");
        }
        self.text.push_str("ROLLBACK TO SAVEPOINT batch; RELEASE SAVEPOINT batch;\n");
        self.statements += texts.len();
        self.expressions += expressions.len();
        self.queries += queries.len();
    }

    /// Sends it, and takes the answers; what is to be asked again goes to `again`.
    pub(super) fn send(
        self,
        client: &mut Client,
        begin: &str,
        attempt: Attempt,
        answers: &mut Answers,
        again: &mut Vec<&'a Question>,
    ) -> Result<(), ServerError> {
        if self.text.is_empty() || answers.unavailable.is_some() {
            return Ok(());
        }
        let rows = match client.simple_query(&format!("{begin}{}ROLLBACK", self.text)) {
            Ok(rows) => rows,
            Err(error) => {
                let error = ServerError::from(error);
                // A lost connection rolls back by itself.
                let _ = client.batch_execute("ROLLBACK");
                // No right, read-only, no plpgsql: inside a function an error would be an answer.
                if matches!(error.sqlstate.as_str(), "42501" | "25006" | "42704") {
                    answers.unavailable = Some(format!("the server cannot be asked: {}", error.message));
                    return Ok(());
                }
                return Err(error);
            }
        };
        let said = Said::of(&rows);
        for Asked { question, place, stand_in, made, read } in &self.asked {
            let failure = stand_in.and_then(|stand_in| said.failed.get(&stand_in));
            let failure = failure.or_else(|| said.failed.get(made));
            // Another fragment may be to blame.
            let shared = if failure.is_some() { attempt == Attempt::Joint } else { said.is_unread(read) };
            let answer = match failure.cloned().unwrap_or_else(|| said.answer(read)) {
                Answer::Stored(text) => Answer::Stored(question.object.kind().stored(place, &text)),
                answer => answer,
            };
            match &answer {
                Answer::Failed { sqlstate, .. }
                    if attempt != Attempt::Last && (shared || PASSING.contains(&sqlstate.as_str())) =>
                {
                    if again.last().is_none_or(|last| !std::ptr::eq(*last, *question)) {
                        again.push(question);
                    }
                }
                _ => answers.put(question.object, place, answer),
            }
        }
        Ok(())
    }
}

/// What came back, by its numbers.
#[derive(Default)]
struct Said<'a> {
    failed: HashMap<usize, Answer>,
    alone: HashMap<usize, Answer>,
    among: HashMap<(usize, &'a str), Answer>,
    /// Queries that failed.
    unread: HashMap<usize, Answer>,
}

impl<'a> Said<'a> {
    fn of(messages: &'a [SimpleQueryMessage]) -> Self {
        let mut said = Self::default();
        for message in messages {
            let SimpleQueryMessage::Row(row) = message else { continue };
            let number = row.get(1).and_then(|number| number.parse::<usize>().ok());
            let number = number.unwrap_or(0).saturating_sub(1);
            let text = row.get(4).map(str::to_owned);
            let answer = match (row.get(2), text) {
                (Some(sqlstate), message) => {
                    Answer::Failed { sqlstate: sqlstate.to_owned(), message: message.unwrap_or_default() }
                }
                (None, Some(text)) => Answer::Stored(text),
                (None, None) => Answer::Nothing,
            };
            match (row.get(0), row.get(3)) {
                (Some("make"), _) => said.failed.insert(number, answer),
                (Some("rows"), Some(key)) => said.among.insert((number, key), answer),
                (Some("rows"), None) => said.unread.insert(number, answer),
                _ => said.alone.insert(number, answer),
            };
        }
        said
    }

    fn is_unread(&self, read: &Reading<'_>) -> bool {
        matches!(read, Reading::Among(number, _) if self.unread.contains_key(number))
    }

    fn answer(&self, read: &Reading<'_>) -> Answer {
        let found = match *read {
            Reading::Alone(number) => self.alone.get(&number),
            Reading::Among(number, key) => {
                self.unread.get(&number).or_else(|| self.among.get(&(number, key)))
            }
        };
        found.cloned().unwrap_or(Answer::Nothing)
    }
}
