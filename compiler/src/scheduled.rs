//! SQL that a scheduler in the database runs: the jobs of pg_cron. It stands in rows, so that no object says the names in
//! it, and it fails at night.

use crate::connect::ServerError;
use postgres::{Client, SimpleQueryMessage, SimpleQueryRow};
use schemac_schema::compatibility::Outside;
use schemac_schema::id::ObjectId;
use schemac_schema::ident::QName;

/// Whether jobs can be read, and whether only some are shown.
const STATE: &str = "SELECT pg_catalog.has_schema_privilege(n.oid, 'USAGE') AND pg_catalog.has_table_privilege(c.oid, 'SELECT'), \
     pg_catalog.row_security_active(c.oid) \
     FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
     WHERE n.nspname = 'cron' AND c.relname = 'job' AND c.relkind IN ('r', 'p', 'v')";

/// By way of JSON, since older versions have fewer columns.
const JOBS: &str = "SELECT j ->> 'jobid', j ->> 'jobname', j ->> 'command' \
     FROM (SELECT pg_catalog.to_jsonb(job) AS j FROM cron.job) AS jobs \
     WHERE COALESCE(j ->> 'database', pg_catalog.current_database()::text) = pg_catalog.current_database()::text \
     ORDER BY (j ->> 'jobid')::bigint";

/// The jobs of this database; what of them may not be read.
#[derive(Debug, Default)]
pub struct Scheduled {
    /// Their commands.
    pub jobs: Vec<Outside>,
    /// Where some could not be read, and why.
    pub hidden: Option<(ObjectId, &'static str)>,
}

/// Reads the jobs, where there is a scheduler.
///
/// # Errors
/// The server or the connection says no.
pub fn scheduled(client: &mut Client) -> Result<Scheduled, ServerError> {
    let at = ObjectId::of_table(QName::new("cron", "job"));
    let state = rows(client, STATE)?;
    let Some(state) = state.first() else { return Ok(Scheduled::default()) };
    if state.get(0) != Some("t") {
        let hidden = Some((at, "this role may not read the jobs of pg_cron"));
        return Ok(Scheduled { jobs: Vec::new(), hidden });
    }
    let jobs = rows(client, JOBS)?.into_iter().map(|row| {
        let number = row.get(0).unwrap_or_default();
        let label = row.get(1).map_or(format!("job {number}"), |name| format!("job {number} \"{name}\""));
        Outside { at, label, sql: row.get(2).unwrap_or_default().to_owned() }
    });
    let some = state.get(1) == Some("t");
    let hidden = some.then_some((at, "pg_cron shows this role its own jobs only, and not those of others"));
    Ok(Scheduled { jobs: jobs.collect(), hidden })
}

fn rows(client: &mut Client, sql: &str) -> Result<Vec<SimpleQueryRow>, ServerError> {
    let messages = client.simple_query(sql).map_err(|error| ServerError::from(&error))?;
    let row = |message| match message {
        SimpleQueryMessage::Row(row) => Some(row),
        _ => None,
    };
    Ok(messages.into_iter().filter_map(row).collect())
}
