//! The rows of a database as one number and one digest per table, to show that none was lost.

use std::collections::{BTreeMap, BTreeSet};

use postgres::Client;

/// What tables and columns are called on the other side of a comparison, and what does not count.
#[derive(Clone, Debug, Default)]
pub struct Names {
    tables: BTreeMap<String, String>,
    columns: BTreeMap<(String, String), String>,
    ignored_tables: BTreeSet<String>,
    ignored_columns: BTreeSet<(String, String)>,
}

impl Names {
    /// Reports a table under another name: `.table("public.users", "identity.users")`.
    pub fn table(mut self, name: &str, other: &str) -> Self {
        self.tables.insert(name.to_owned(), other.to_owned());
        self
    }

    /// Places a column, of the table under its name in this database, as if it had another name.
    pub fn column(mut self, table: &str, name: &str, other: &str) -> Self {
        self.columns.insert((table.to_owned(), name.to_owned()), other.to_owned());
        self
    }

    /// Leaves out a table.
    pub fn without_table(mut self, name: &str) -> Self {
        self.ignored_tables.insert(name.to_owned());
        self
    }

    /// Leaves out a column, of the table under its name in this database.
    pub fn without_column(mut self, table: &str, name: &str) -> Self {
        self.ignored_columns.insert((table.to_owned(), name.to_owned()));
        self
    }

    fn of_table<'a>(&'a self, name: &'a str) -> &'a str {
        self.tables.get(name).map_or(name, String::as_str)
    }

    fn of_column(&self, table: &str, name: &str) -> String {
        let key = (table.to_owned(), name.to_owned());
        self.columns.get(&key).cloned().unwrap_or(key.1)
    }
}

const TABLES: &str = "
    SELECT n.nspname, c.relname, c.relkind = 'p',
           coalesce(array_agg(a.attname::text) FILTER (WHERE a.attname IS NOT NULL), '{}')
    FROM pg_class c
    JOIN pg_namespace n ON n.oid = c.relnamespace
    LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
    WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition
      AND n.nspname !~ '^pg_' AND n.nspname NOT IN ('information_schema', 'schemac')
    GROUP BY 1, 2, 3";

/// Per table (`schema.name`, a partitioned one with all its rows) the number of rows and a digest of
/// them as text: the rows sorted, the columns in the order of their names, so that neither the order
/// of columns nor a schema counts. Use a superuser's connection: row-level security is an error.
pub fn checksums(
    client: &mut Client,
    names: &Names,
) -> Result<BTreeMap<String, (i64, String)>, postgres::Error> {
    let mut transaction = client.transaction()?;
    transaction.batch_execute(
        "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ;
         SET LOCAL row_security = off; SET LOCAL search_path = ''; SET LOCAL timezone = 'UTC';
         SET LOCAL datestyle = 'ISO'; SET LOCAL intervalstyle = 'postgres';
         SET LOCAL bytea_output = 'hex'; SET LOCAL extra_float_digits = 1",
    )?;
    let mut sums = BTreeMap::new();
    for row in transaction.query(TABLES, &[])? {
        let (schema, table): (String, String) = (row.get(0), row.get(1));
        let (is_partitioned, mut columns): (bool, Vec<String>) = (row.get(2), row.get(3));
        let name = format!("{schema}.{table}");
        if names.ignored_tables.contains(&name) {
            continue;
        }
        columns.retain(|column| !names.ignored_columns.contains(&(name.clone(), column.clone())));
        columns.sort_by_key(|column| names.of_column(&name, column));
        let columns: Vec<String> = columns.iter().map(|column| format!("t.{}", quoted(column))).collect();
        // A table that others inherit from is counted without them: they are counted themselves.
        let only = if is_partitioned { "" } else { "ONLY" };
        let sql = format!(
            "SELECT count(*), md5(coalesce(string_agg(line, E'\\n' ORDER BY line COLLATE \"C\"), ''))
             FROM (SELECT ROW({})::text AS line FROM {only} {}.{} AS t) AS lines",
            columns.join(", "),
            quoted(&schema),
            quoted(&table)
        );
        let sum = transaction.query_one(&sql, &[])?;
        sums.insert(names.of_table(&name).to_owned(), (sum.get(0), sum.get(1)));
    }
    transaction.rollback()?;
    Ok(sums)
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}
