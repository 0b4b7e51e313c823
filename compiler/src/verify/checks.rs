//! The project's own questions: each must be answered with true.
//!
//! They are asked as the role of the connection, each in a transaction that only reads and is rolled back. Not here:
//! where they stand in files (`load`).

use super::{Finding, Verdict, rows};
use crate::connect::{Connection, SET_LOCAL, ServerError};
use crate::load::Check;
use schemac_schema::ident::Ident;
use schemac_schema::sql;

/// Asks them all.
///
/// # Errors
/// The connection is lost.
pub fn ask(
    connection: &mut Connection,
    checks: &[Check],
    search_path: &[Ident],
) -> Result<Vec<Finding>, ServerError> {
    let path: Vec<&str> = search_path.iter().map(|name| sql::quoted(*name)).collect();
    let path = if path.is_empty() { "''".to_owned() } else { path.join(", ") };
    let begin = format!(
        "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; {SET_LOCAL}; SET LOCAL search_path = {path}; \
         SET LOCAL lock_timeout = '10s'; SET LOCAL statement_timeout = '5min'"
    );
    let mut findings = Vec::new();
    for check in checks {
        connection.client.batch_execute(&begin)?;
        let answer = connection.client.simple_query(&check.sql);
        let (verdict, message) = match answer {
            Ok(messages) => judged(&rows(&messages)),
            Err(error) => {
                let error = ServerError::from(error);
                if error.is_connection_lost() {
                    return Err(error);
                }
                (Verdict::Failed, format!("it cannot be asked: {error}"))
            }
        };
        connection.client.batch_execute("ROLLBACK")?;
        findings.push(Finding::new(verdict, "check", &check.name, message));
    }
    findings.sort();
    Ok(findings)
}

fn judged(rows: &[Vec<Option<String>>]) -> (Verdict, String) {
    match rows {
        [row] => match row.as_slice() {
            [Some(value)] if value == "t" => (Verdict::Passed, "true".to_owned()),
            [Some(value)] if value == "f" => (Verdict::Failed, "the answer is false".to_owned()),
            [None] => (Verdict::Failed, "the answer is NULL".to_owned()),
            [Some(value)] => (Verdict::Failed, format!("the answer is {value:?}, and no boolean")),
            row => (Verdict::Failed, format!("the answer has {} columns; one value is asked for", row.len())),
        },
        rows => (Verdict::Failed, format!("the answer has {} rows; one value is asked for", rows.len())),
    }
}
