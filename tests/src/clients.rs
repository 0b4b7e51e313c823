//! What clients of a database run, and what they are answered: the same before and after a change.
//!
//! A client file is SQL in blocks:
//!
//! ```sql
//! -- client: memory_entries: list own
//! -- role: authenticated
//! -- sub: 11111111-1111-4111-8111-111111111111
//! -- mask: id, created_at
//! select id, created_at, title from memory_entries order by title;
//! ```
//!
//! `sub` is the subject of the client's token. Columns under `mask` hold what a rolled-back
//! transaction does not take back (sequences) or what is new each time (times, uuids); only their form
//! is compared. `sub` and `mask` may be left out.

use std::collections::BTreeSet;
use std::fmt::{self, Write};

use postgres::{Client, SimpleQueryMessage};

use crate::sql::{Statement, statements};
use crate::{Result, unified_diff};

/// What one client runs in one transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Block {
    /// What it is about, unique in its file.
    pub name: String,
    /// The role that it runs as.
    pub role: String,
    /// The subject of its token.
    pub sub: Option<String>,
    /// The columns of its answers of which only the form counts.
    pub mask: BTreeSet<String>,
    /// Its statements.
    pub statements: Vec<String>,
    /// The line in the file where it starts, counted from 1.
    pub line: usize,
}

/// What one client was answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The name of the block.
    pub client: String,
    /// One per statement, up to the first that failed.
    pub outcomes: Vec<Outcome>,
}

/// What one statement was answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Rows, as text.
    Rows {
        /// The columns' names.
        columns: Vec<String>,
        /// The values, `None` for NULL.
        rows: Vec<Vec<Option<String>>>,
    },
    /// The number of rows that a statement without an answer of its own has changed.
    Done(u64),
    /// The SQLSTATE; messages name objects that may have moved, so they do not count.
    Failed(String),
}

/// Reads a client file; an error names the line.
pub fn parse(text: &str) -> Result<Vec<Block>> {
    let mut blocks: Vec<Block> = Vec::new();
    let mut names = BTreeSet::new();
    let mut lines = text.lines().enumerate().peekable();
    while let Some((at, line)) = lines.next() {
        let Some(name) = line.strip_prefix("-- client:") else {
            if line.trim().is_empty() || line.starts_with("--") {
                continue;
            }
            return Err(format!("line {}: SQL before the first \"-- client: …\"", at + 1).into());
        };
        let mut block = Block {
            name: name.trim().to_owned(),
            role: String::new(),
            sub: None,
            mask: BTreeSet::new(),
            statements: Vec::new(),
            line: at + 1,
        };
        while let Some((key, value)) = lines.peek().and_then(|(_, line)| header(line)) {
            match key {
                "role" => block.role = value.to_owned(),
                "sub" => block.sub = Some(value.to_owned()),
                _ => block.mask = value.split(',').map(|column| column.trim().to_owned()).collect(),
            }
            lines.next();
        }
        let mut sql = String::new();
        while let Some((_, line)) = lines.next_if(|(_, line)| !line.starts_with("-- client:")) {
            sql.push_str(line);
            sql.push('\n');
        }
        block.statements = statements(&sql).iter().map(Statement::text).collect();
        let complaint = match &block {
            Block { name, .. } if name.is_empty() => "has no name",
            Block { role, .. } if role.is_empty() => "has no \"-- role: …\" right below its name",
            Block { statements, .. } if statements.is_empty() => "has no SQL",
            Block { name, .. } if !names.insert(name.clone()) => "has a name that another one has",
            _ => {
                blocks.push(block);
                continue;
            }
        };
        return Err(format!("line {}: client \"{}\" {complaint}", block.line, block.name).into());
    }
    Ok(blocks)
}

fn header(line: &str) -> Option<(&str, &str)> {
    let (key, value) = line.strip_prefix("-- ")?.split_once(':')?;
    ["role", "sub", "mask"].contains(&key).then(|| (key, value.trim()))
}

/// Runs each block in a transaction of its own that is rolled back.
///
/// The connection's user must be a superuser or a member of the blocks' roles.
pub fn run(client: &mut Client, blocks: &[Block]) -> Result<Vec<Answer>> {
    blocks.iter().map(|block| run_block(client, block)).collect()
}

/// Runs one block in a transaction that is rolled back.
pub fn run_block(client: &mut Client, block: &Block) -> Result<Answer> {
    let context = |error: postgres::Error| -> crate::Error {
        format!("client \"{}\" (line {}): {}", block.name, block.line, words(&error)).into()
    };
    let mut transaction = client.transaction().map_err(context)?;
    transaction.batch_execute(&prelude(block)).map_err(context)?;
    let mut outcomes = Vec::new();
    for statement in &block.statements {
        match transaction.simple_query(statement) {
            Ok(messages) => outcomes.push(outcome(&messages, &block.mask)),
            Err(error) => {
                let Some(code) = error.code() else { return Err(context(error)) };
                outcomes.push(Outcome::Failed(code.code().to_owned()));
                break;
            }
        }
    }
    transaction.rollback().map_err(context)?;
    Ok(Answer { client: block.name.clone(), outcomes })
}

/// Makes the session look as an API in front of the database makes it look.
fn prelude(block: &Block) -> String {
    let role = block.role.replace('"', "\"\"");
    let sub = block.sub.as_deref().unwrap_or_default();
    let mut claims = String::from("{");
    if block.sub.is_some() {
        let _ = write!(claims, "\"sub\":{},", json(sub));
    }
    let _ = write!(claims, "\"role\":{}}}", json(&block.role));
    format!(
        "SET LOCAL timezone = 'UTC'; SET LOCAL role \"{role}\";
         SELECT set_config('request.jwt.claim.sub', {}, true),
                set_config('request.jwt.claim.role', {}, true),
                set_config('request.jwt.claims', {}, true)",
        literal(sub),
        literal(&block.role),
        literal(&claims)
    )
}

fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

fn json(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

fn words(error: &postgres::Error) -> String {
    error.as_db_error().map_or_else(|| error.to_string(), |error| error.to_string())
}

fn outcome(messages: &[SimpleQueryMessage], mask: &BTreeSet<String>) -> Outcome {
    let mut columns: Option<Vec<String>> = None;
    let mut rows = Vec::new();
    let mut changed = 0;
    for message in messages {
        match message {
            SimpleQueryMessage::RowDescription(description) => {
                columns = Some(description.iter().map(|column| column.name().to_owned()).collect());
            }
            SimpleQueryMessage::Row(row) => {
                let values = row.columns().iter().enumerate().map(|(at, column)| {
                    let value = row.get(at)?;
                    Some(if mask.contains(column.name()) { form(value) } else { value }.to_owned())
                });
                rows.push(values.collect());
            }
            SimpleQueryMessage::CommandComplete(count) => changed = *count,
            _ => {}
        }
    }
    match columns {
        Some(columns) => Outcome::Rows { columns, rows },
        None => Outcome::Done(changed),
    }
}

/// What a masked value looks like.
fn form(value: &str) -> &'static str {
    let matches = |pattern: &str| {
        value.len() == pattern.len()
            && value.chars().zip(pattern.chars()).all(|(c, expected)| match expected {
                'x' => c.is_ascii_hexdigit(),
                '0' => c.is_ascii_digit(),
                ' ' => c == ' ' || c == 'T',
                _ => c == expected,
            })
    };
    let digits = value.strip_prefix('-').unwrap_or(value);
    if matches("xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx") {
        "<uuid>"
    } else if !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()) {
        "<int>"
    } else if is_timestamp(value) {
        "<timestamp>"
    } else {
        "<text>"
    }
}

/// `2026-01-31`, `2026-01-31 12:00:00`, both with fractions and a time zone where they have them.
fn is_timestamp(value: &str) -> bool {
    let shape: String = value.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
    let Some(rest) = shape.strip_prefix("0000-00-00") else { return false };
    if rest.is_empty() {
        return true;
    }
    let Some(rest) = rest.strip_prefix([' ', 'T']).and_then(|rest| rest.strip_prefix("00:00:00")) else {
        return false;
    };
    let rest = rest.strip_prefix('.').map_or(rest, |fraction| fraction.trim_start_matches('0'));
    ["", "Z", "+00", "-00", "+00:00", "-00:00"].contains(&rest)
}

/// What differs between two runs of the same file, as a unified diff; empty when nothing does.
pub fn difference(before: &[Answer], after: &[Answer]) -> String {
    let text = |answers: &[Answer]| answers.iter().map(Answer::to_string).collect::<String>();
    unified_diff(&text(before), &text(after), "before", "after")
}

impl Answer {
    /// Whether the server chose this client as the one to fail in a deadlock: clients that write the same rows in
    /// another order are in one with each other whether something moves or not, and ask again.
    #[must_use]
    pub fn is_deadlock(&self) -> bool {
        self.outcomes.iter().any(|outcome| matches!(outcome, Outcome::Failed(code) if code == "40P01"))
    }
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.client)?;
        for outcome in &self.outcomes {
            match outcome {
                Outcome::Done(changed) => writeln!(f, "    {changed} rows changed")?,
                Outcome::Failed(code) => writeln!(f, "    failed with {code}")?,
                Outcome::Rows { columns, rows } => {
                    writeln!(f, "    {} rows: {}", rows.len(), columns.join(" | "))?;
                    for row in rows {
                        let values: Vec<String> = row
                            .iter()
                            .map(|value| value.as_ref().map_or("NULL".into(), |v| format!("{v:?}")))
                            .collect();
                        writeln!(f, "    {}", values.join(" | "))?;
                    }
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_blocks() {
        let text = "-- A file of clients.\n\n-- client: one: list\n-- role: anon\n-- sub: abc\n-- mask: id, at\n\
                    -- a remark\nselect 1; select ';'\n;\n\n-- client: two\n-- role: authenticated\nselect 2\n";
        let blocks = parse(text).unwrap();
        assert_eq!(blocks.len(), 2);
        assert_eq!(
            (blocks[0].name.as_str(), blocks[0].role.as_str(), blocks[0].line),
            ("one: list", "anon", 3)
        );
        assert_eq!(blocks[0].sub.as_deref(), Some("abc"));
        assert!(blocks[0].mask.iter().eq(["at", "id"]));
        assert_eq!(blocks[0].statements, ["select 1", "select ';'"]);
        assert_eq!((blocks[1].sub.as_deref(), blocks[1].mask.len()), (None, 0));
    }

    #[test]
    fn complains_with_the_line() {
        for (text, complaint) in [
            ("select 1;", "line 1: SQL before"),
            ("\n-- client: a\nselect 1;", "line 2: client \"a\" has no \"-- role"),
            ("-- client: a\n-- role: r\n", "has no SQL"),
            ("-- client:\n-- role: r\nselect 1", "has no name"),
            (
                "-- client: a\n-- role: r\nselect 1;\n-- client: a\n-- role: r\nselect 1;",
                "line 4: client \"a\" has a name",
            ),
        ] {
            let error = parse(text).unwrap_err().to_string();
            assert!(error.contains(complaint), "{error}");
        }
    }

    #[test]
    fn masks_by_form() {
        for (value, expected) in [
            ("8b1f5a4e-0000-4000-8000-00000000000f", "<uuid>"),
            ("-12", "<int>"),
            ("2026-01-31", "<timestamp>"),
            ("2026-01-31 12:00:00.123456+00", "<timestamp>"),
            ("2026-01-31T12:00:00Z", "<timestamp>"),
            ("2026-01-31 soon", "<text>"),
            ("-", "<text>"),
            ("", "<text>"),
        ] {
            assert_eq!(form(value), expected, "{value}");
        }
    }
}
