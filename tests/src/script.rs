//! Other people's SQL scripts (regression tests, dumps of examples) cut into statements that a driver can send.
//!
//! What only psql understands is left out, and so are rows given to COPY: what counts is the schema that remains.

use crate::sql;

/// The statements of a script, without psql's commands and the data of COPY FROM STDIN.
pub fn statements(text: &str) -> Vec<String> {
    let mut plain = String::with_capacity(text.len());
    let mut in_data = false;
    for line in text.lines() {
        if in_data {
            // Some keep the rows as comments.
            in_data = line.trim_start_matches("--").trim() != "\\.";
            continue;
        }
        let lower = line.trim_start().to_ascii_lowercase();
        if lower.starts_with("copy ") && lower.contains("from stdin") {
            in_data = lower.trim_end().ends_with(';');
            continue;
        }
        // A query that psql itself ends.
        match ["\\gset", "\\gexec", "\\gx", "\\gdesc", "\\g ", "\\crosstabview"]
            .iter()
            .find_map(|command| line.find(command))
        {
            Some(at) => {
                plain.push_str(&line[..at]);
                plain.push(';');
            }
            None => plain.push_str(line),
        }
        plain.push('\n');
    }
    let about_databases = |text: &str| {
        let start: String = text.chars().take(60).collect::<String>().to_ascii_lowercase();
        ["create database", "drop database", "alter database", "alter system", "create tablespace", "vacuum"]
            .iter()
            .any(|words| start.starts_with(words))
    };
    sql::statements(&plain).iter().map(sql::Statement::text).filter(|text| !about_databases(text)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_that_are_commented_out_end_too() {
        assert_eq!(statements("copy t from stdin;\n-- 1\n-- \\.\nselect 1;"), ["select 1"]);
    }

    #[test]
    fn only_sql_remains() {
        let text = "\\set a 1\ncreate table t (a int);\ncopy t from stdin;\n1\n2;\n\\.\nselect 1 as a \\gset\nselect 2;";
        assert_eq!(statements(text), ["create table t (a int)", "select 1 as a", "select 2"]);
    }
}
