//! The team's own queries: their answers and the indexes that they use, recorded before a change and compared after it.
//!
//! A file of queries is SQL in blocks. Each begins with `-- client: NAME`; below it `-- role: ROLE`, and where it
//! matters `-- sub: SUBJECT` of its token and `-- mask: COLUMNS`, whose values are new each time. A block is one
//! transaction that is rolled back.

use super::{Finding, Verdict, dressed};
use crate::connect::Connection;
use postgres::{Client, SimpleQueryMessage};
use schemac_schema::parse;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// The version of the file's shape.
const FORMAT: u32 = 1;

/// What one client runs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Block {
    /// What it is about.
    pub name: String,
    /// As which role.
    pub role: String,
    /// The subject of its token.
    pub subject: Option<String>,
    /// Columns of which only counts whether there is a value.
    pub mask: BTreeSet<String>,
    /// Its statements.
    pub statements: Vec<String>,
}

/// Answers to a file of queries.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answers {
    format: u32,
    /// By the blocks' names.
    clients: BTreeMap<String, Vec<Answer>>,
}

/// What one statement was answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Answer {
    /// The columns' names; nothing for a statement without an answer.
    columns: Vec<String>,
    rows: Vec<Vec<Option<String>>>,
    /// How many rows it changed or gave.
    count: u64,
    /// The SQLSTATE, where it was refused.
    refused: Option<String>,
    /// The indexes that it uses.
    indexes: BTreeSet<String>,
}

/// Reads a file of queries.
///
/// # Errors
/// What is wrong, with the line.
pub fn read(text: &str) -> Result<Vec<Block>, String> {
    let mut blocks: Vec<Block> = Vec::new();
    let mut bodies: Vec<(usize, String)> = Vec::new();
    let mut head = false;
    for (at, line) in text.lines().enumerate() {
        if let Some(name) = line.strip_prefix("-- client:") {
            let name = name.trim().to_owned();
            if name.is_empty() || blocks.iter().any(|block| block.name == name) {
                return Err(format!("line {}: each `-- client:` has a name of its own", at + 1));
            }
            blocks.push(Block { name, ..Block::default() });
            bodies.push((at + 1, String::new()));
            head = true;
            continue;
        }
        let (Some(block), Some((_, body))) = (blocks.last_mut(), bodies.last_mut()) else {
            if line.trim().is_empty() || line.starts_with("--") {
                continue;
            }
            return Err(format!("line {}: SQL stands before the first `-- client:`", at + 1));
        };
        let said = line.strip_prefix("-- ").and_then(|line| line.split_once(':')).filter(|_| head);
        match said.map(|(key, value)| (key, value.trim())) {
            Some(("role", value)) => block.role = value.to_owned(),
            Some(("sub", value)) => block.subject = Some(value.to_owned()),
            Some(("mask", value)) => {
                block.mask = value.split(',').map(|column| column.trim().to_owned()).collect();
            }
            _ => {
                head = false;
                body.push_str(line);
                body.push('\n');
            }
        }
    }
    for (block, (line, body)) in blocks.iter_mut().zip(bodies) {
        if block.role.is_empty() {
            return Err(format!("line {line}: {} has no `-- role:` below its name", block.name));
        }
        let parsed = parse::statements(&body)
            .map_err(|error| format!("line {line}: {}: {}", block.name, error.message))?;
        block.statements = parsed
            .iter()
            .filter_map(|statement| body.get(statement.start..statement.end))
            .map(|statement| statement.trim().to_owned())
            .collect();
        if block.statements.is_empty() {
            return Err(format!("line {line}: {} has no SQL", block.name));
        }
    }
    Ok(blocks)
}

/// Asks them all.
///
/// # Errors
/// The connection is lost, or its role may not act as one of the blocks'.
pub fn ask(connection: &mut Connection, blocks: &[Block]) -> Result<Answers, String> {
    let mut clients = BTreeMap::new();
    for block in blocks {
        let answers = ask_one(&mut connection.client, block).map_err(|error| {
            let said =
                error.as_db_error().map_or_else(|| error.to_string(), |said| said.message().to_owned());
            format!("{}: {said}", block.name)
        })?;
        clients.insert(block.name.clone(), answers);
    }
    Ok(Answers { format: FORMAT, clients })
}

fn ask_one(client: &mut Client, block: &Block) -> Result<Vec<Answer>, postgres::Error> {
    client.batch_execute("BEGIN; SET LOCAL statement_timeout = '5min'; SET LOCAL lock_timeout = '10s'")?;
    let dress = client.simple_query(&dressed(&block.role, block.subject.as_deref()));
    if let Err(error) = dress {
        client.batch_execute("ROLLBACK")?;
        return Err(error);
    }
    let mut answers = Vec::new();
    for statement in &block.statements {
        let indexes = indexes(client, statement)?;
        match client.simple_query(statement) {
            Ok(messages) => answers.push(answer(&messages, &block.mask, indexes)),
            Err(error) => {
                let Some(code) = error.code().map(|code| code.code().to_owned()) else { return Err(error) };
                answers.push(Answer {
                    columns: Vec::new(),
                    rows: Vec::new(),
                    count: 0,
                    refused: Some(code),
                    indexes,
                });
                break;
            }
        }
    }
    client.batch_execute("ROLLBACK")?;
    Ok(answers)
}

/// The indexes that the server would use; none where it cannot explain the statement.
fn indexes(client: &mut Client, statement: &str) -> Result<BTreeSet<String>, postgres::Error> {
    client.batch_execute("SAVEPOINT explain")?;
    let explained = client.simple_query(&format!("EXPLAIN (FORMAT JSON, COSTS OFF) {statement}"));
    client.batch_execute("ROLLBACK TO SAVEPOINT explain")?;
    let mut found = BTreeSet::new();
    if let Ok(messages) = explained {
        let text: Vec<String> = super::rows(&messages).into_iter().flatten().flatten().collect();
        if let Ok(plan) = serde_json::from_str::<Value>(&text.join("\n")) {
            collect(&plan, &mut found);
        }
    }
    Ok(found)
}

fn collect(plan: &Value, found: &mut BTreeSet<String>) {
    match plan {
        Value::Object(fields) => {
            if let Some(Value::String(index)) = fields.get("Index Name") {
                found.insert(index.clone());
            }
            fields.values().for_each(|value| collect(value, found));
        }
        Value::Array(items) => items.iter().for_each(|item| collect(item, found)),
        _ => {}
    }
}

fn answer(messages: &[SimpleQueryMessage], mask: &BTreeSet<String>, indexes: BTreeSet<String>) -> Answer {
    let mut answer = Answer { columns: Vec::new(), rows: Vec::new(), count: 0, refused: None, indexes };
    for message in messages {
        match message {
            SimpleQueryMessage::RowDescription(columns) => {
                answer.columns = columns.iter().map(|column| column.name().to_owned()).collect();
            }
            SimpleQueryMessage::Row(row) => {
                let cells = row.columns().iter().enumerate().map(|(at, column)| {
                    let masked = mask.contains(column.name());
                    row.get(at).map(|value| if masked { "(masked)".to_owned() } else { value.to_owned() })
                });
                answer.rows.push(cells.collect());
            }
            SimpleQueryMessage::CommandComplete(count) => answer.count = *count,
            _ => {}
        }
    }
    answer
}

impl Answers {
    /// The file of answers.
    pub fn write(&self) -> String {
        serde_json::to_string_pretty(self).unwrap_or_default() + "\n"
    }

    /// Answers from their file.
    ///
    /// # Errors
    /// It is no such file.
    pub fn read(text: &str) -> Result<Self, String> {
        let answers: Self = serde_json::from_str(text).map_err(|error| error.to_string())?;
        if answers.format == FORMAT { Ok(answers) } else { Err(format!("it has format {}", answers.format)) }
    }

    /// How many blocks were asked.
    pub fn len(&self) -> usize {
        self.clients.len()
    }

    /// Whether none was.
    pub fn is_empty(&self) -> bool {
        self.clients.is_empty()
    }

    /// What is otherwise than it was.
    pub fn compare(&self, now: &Self) -> Vec<Finding> {
        let mut findings = Vec::new();
        let mut say = |verdict, name: &str, message: String| {
            findings.push(Finding::new(verdict, "query", name, message));
        };
        for (name, was) in &self.clients {
            let Some(is) = now.clients.get(name) else {
                say(
                    Verdict::Unchecked,
                    name,
                    "it was recorded, and is not in the file of queries any more".into(),
                );
                continue;
            };
            let different = was.iter().zip(is).position(|(was, is)| !was.says(is));
            let place = different.or((was.len() != is.len()).then(|| was.len().min(is.len())));
            match place {
                Some(place) => say(Verdict::Failed, name, told(place, was.get(place), is.get(place))),
                None => say(Verdict::Passed, name, "the same answer as before".into()),
            }
            for (place, (was, is)) in was.iter().zip(is).enumerate() {
                let lost: Vec<&str> = was.indexes.difference(&is.indexes).map(String::as_str).collect();
                if !lost.is_empty() {
                    let message = format!(
                        "statement {} used the index {}, and no longer does",
                        place + 1,
                        lost.join(", ")
                    );
                    say(Verdict::Failed, name, message);
                }
            }
        }
        for name in now.clients.keys().filter(|name| !self.clients.contains_key(*name)) {
            say(Verdict::Unchecked, name, "it was not recorded before".into());
        }
        findings.sort();
        findings
    }
}

fn told(place: usize, was: Option<&Answer>, is: Option<&Answer>) -> String {
    let words = |answer: Option<&Answer>| match answer {
        None => "nothing".to_owned(),
        Some(Answer { refused: Some(code), .. }) => format!("refused with {code}"),
        Some(answer) if answer.columns.is_empty() => format!("{} rows changed", answer.count),
        Some(answer) => format!("{} rows ({})", answer.rows.len(), answer.columns.join(", ")),
    };
    let (old, new) = (words(was), words(is));
    let row = match (was, is) {
        (Some(was), Some(is)) if old == new => was.rows.iter().zip(&is.rows).find(|(was, is)| was != is),
        _ => None,
    };
    let row = row.map_or_else(String::new, |(was, is)| {
        let text = |row: &Vec<Option<String>>| {
            row.iter().map(|cell| cell.as_deref().unwrap_or("NULL")).collect::<Vec<_>>().join(" | ")
        };
        format!("; the first other row was {:?} and is {:?}", text(was), text(is))
    });
    format!("statement {} was answered with {old}, and is now with {new}{row}", place + 1)
}

impl Answer {
    fn says(&self, other: &Self) -> bool {
        (&self.columns, &self.rows, self.count, &self.refused)
            == (&other.columns, &other.rows, other.count, &other.refused)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_are_read_with_their_heads() {
        let text = "-- all\n\n-- client: one: list\n-- role: anon\n-- sub: abc\n-- mask: id, at\n-- a remark\n\
                    select 1; select ';'\n;\n-- client: two\n-- role: r\nselect 2\n";
        let blocks = read(text).unwrap();
        assert_eq!((blocks[0].name.as_str(), blocks[0].role.as_str()), ("one: list", "anon"));
        assert_eq!(blocks[0].subject.as_deref(), Some("abc"));
        assert!(blocks[0].mask.iter().eq(["at", "id"]));
        assert_eq!(blocks[0].statements.len(), 2, "{:?}", blocks[0].statements);
        assert!(blocks[0].statements[1].ends_with("select ';'"));
        assert_eq!(blocks[1].statements, ["select 2"]);
        for (text, complaint) in [
            ("select 1;", "line 1: SQL stands before"),
            ("-- client: a\nselect 1", "line 1: a has no `-- role:`"),
            ("-- client: a\n-- role: r\n", "a has no SQL"),
            ("-- client: a\n-- role: r\nselec 1", "line 1: a: "),
        ] {
            let error = read(text).unwrap_err();
            assert!(error.contains(complaint), "{error}");
        }
    }

    #[test]
    fn other_answers_and_lost_indexes_are_told() {
        let answer = |value: &str, index: &str| Answer {
            columns: vec!["a".into()],
            rows: vec![vec![Some(value.into())]],
            count: 1,
            refused: None,
            indexes: BTreeSet::from([index.to_owned()]),
        };
        let answers =
            |answer| Answers { format: FORMAT, clients: BTreeMap::from([("c".to_owned(), vec![answer])]) };
        let was = answers(answer("1", "i"));
        assert!(was.compare(&was).iter().all(|finding| finding.verdict == Verdict::Passed));
        let other = was.compare(&answers(answer("2", "i")));
        assert!(
            other[0].verdict == Verdict::Failed && other[0].message.contains("was \"1\" and is \"2\""),
            "{other:?}"
        );
        let lost = was.compare(&answers(answer("1", "j")));
        assert!(lost.iter().any(|finding| finding.message.contains("used the index i")), "{lost:?}");
        assert_eq!(Answers::read(&was.write()), Ok(was));
    }
}
