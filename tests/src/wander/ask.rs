//! The rows of a world, and what its clients ask by the flat names, as the roles of an API.

use super::{Sort, Values, World, Writes, make};
use postgres::{Client, SimpleQueryMessage};

const ROLES: [&str; 3] = ["anon", "authenticated", "service_role"];

/// Rows that are in each table.
const ROWS: usize = 3;

/// Every sequence goes on from the same number.
const COUNTED: &str = "select setval(oid::regclass, 1000, false) from pg_class where relkind = 'S'";

/// What a client runs in a transaction that is rolled back.
#[derive(Clone, Debug)]
pub struct Ask {
    /// The object that it is about.
    pub about: usize,
    /// Another one that it needs.
    pub with: Option<usize>,
    /// Who asks.
    pub role: &'static str,
    /// What it does.
    pub what: &'static str,
    /// The statement.
    pub sql: String,
}

/// What was answered: rows, or a code.
pub type Outcome = Result<Vec<String>, String>;

/// What a state may do to an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expected {
    /// It is the same.
    Same,
    /// It is refused.
    Refused,
    /// Nobody said that it goes on working.
    Anything,
}

impl World {
    /// The rows of the flat state, and what is made of them.
    pub fn rows(&self) -> String {
        let mut sql = String::new();
        for (at, thing) in self.things.iter().enumerate() {
            if thing.sort == Sort::Table && !thing.columns.is_empty() {
                for row in 1..=ROWS {
                    sql.push_str(&self.insert(at, row));
                    sql.push_str(";\n");
                }
            }
        }
        for thing in self.things.iter().filter(|thing| thing.sort == Sort::Matview) {
            sql.push_str(&format!("refresh materialized view {};\n", thing.places[0].sql()));
        }
        sql
    }

    fn insert(&self, at: usize, row: usize) -> String {
        let mut names = Vec::new();
        let mut values = Vec::new();
        let parent = self.things[at].parent;
        for of in parent.into_iter().chain([at]) {
            for column in &self.things[of].columns {
                // Children inherit no identity.
                let inherited = (of != at && column.values == Values::Made).then(|| (100 + row).to_string());
                if let Some(value) = self.value(column.values, row).or(inherited) {
                    names.push(super::quoted(&column.names[0]));
                    values.push(value);
                }
            }
        }
        if names.is_empty() {
            return format!("insert into {} default values", self.things[at].places[0].sql());
        }
        format!(
            "insert into {} ({}) values ({})",
            self.things[at].places[0].sql(),
            names.join(", "),
            values.join(", ")
        )
    }

    /// The value of a column in a row; none where the database makes it.
    fn value(&self, values: Values, row: usize) -> Option<String> {
        let uuid = |row: usize| format!("'00000000-0000-4000-8000-{row:012}'");
        Some(match values {
            Values::Number => row.to_string(),
            Values::Text => format!("'Text {row}'"),
            Values::Truth => row.is_multiple_of(2).to_string(),
            Values::Moment => format!("'2026-01-{row:02} 10:00:00+00'"),
            Values::Json => format!("'{{\"n\": {row}}}'"),
            Values::Label => ["'on'", "'it''s'", "'null'"][row % 3].to_owned(),
            Values::Mail => format!("'r{row}@x.org'"),
            Values::Pair => format!("'({row},\"a b\")'"),
            Values::Texts => "'{a,\"b c\"}'".to_owned(),
            Values::Owner => ["'ann'", "'bob'", "'cy'"][row % 3].to_owned(),
            Values::Bucket => ["'a'", "'b'", "'z'"][row % 3].to_owned(),
            Values::Uuid => uuid(row),
            Values::Key(other) => {
                let row = (row - 1) % ROWS + 1;
                let uuids = self.things[other].columns[0].values == Values::Uuid;
                if uuids { uuid(row) } else { row.to_string() }
            }
            Values::Made | Values::Computed => return None,
        })
    }

    /// Everything that clients ask.
    pub fn asks(&self) -> Vec<Ask> {
        let mut asks = Vec::new();
        for about in 0..self.things.len() {
            for role in ROLES {
                self.ask(about, role, &mut asks);
            }
        }
        asks
    }

    fn ask(&self, about: usize, role: &'static str, asks: &mut Vec<Ask>) {
        let thing = &self.things[about];
        let name = thing.places[0].sql();
        let mut add = |what, with, sql| asks.push(Ask { about, with, role, what, sql });
        match thing.sort {
            Sort::View | Sort::Matview => add("read", None, format!("select * from {name} order by 1")),
            Sort::Function => {
                if let Some(call) = make::called(thing) {
                    add("call", None, format!("select {call}"));
                }
                let argument = thing.entry.iter().find(|(key, _)| key == "arguments");
                if let Some((_, super::Y::Text(text))) = argument
                    && let Some(rest) = text.strip_prefix("r @")
                    && let Some(table) = rest.trim_end_matches('@').parse::<usize>().ok()
                {
                    let of = self.things[table].places[0].sql();
                    add("rows", Some(table), format!("select {name}(r) from {of} as r order by 1"));
                }
            }
            Sort::Procedure => add("do", None, format!("call {name}(1)")),
            Sort::Table => {
                add("read", None, format!("select * from {name} order by 1, 2"));
                add("count", None, format!("select count(*) from {name}"));
                for column in &thing.columns {
                    let column = super::quoted(&column.names[0]);
                    add("column", None, format!("select {column} from {name} order by {column}::text"));
                }
                add("lock", None, format!("select 1 from {name} for update"));
                add("delete", None, format!("delete from {name} returning 1"));
                if thing.log {
                    return;
                }
                let insert = self.insert(about, 7);
                add("blind", None, insert.clone());
                let all: Vec<String> =
                    thing.columns.iter().map(|column| super::quoted(&column.names[0])).collect();
                add("insert", None, format!("{insert} returning {}", all.join(", ")));
                if thing.columns[0].values != Values::Uuid {
                    add("default", None, format!("insert into {name} default values returning *"));
                }
                let key = super::quoted(&thing.columns[0].names[0]);
                let known = thing.columns.iter().all(|column| column.values != Values::Bucket);
                if known {
                    let conflict = self.insert(about, 2);
                    add(
                        "conflict",
                        None,
                        format!(
                            "{conflict} on conflict ({key}) do update set {key} = excluded.{key} returning {key}"
                        ),
                    );
                }
                let plain =
                    |values: Values| !matches!(values, Values::Made | Values::Computed | Values::Key(_));
                let set = thing.columns.iter().skip(1).rev().find(|column| plain(column.values));
                if let Some(set) = set
                    && let Some(value) = self.value(set.values, 4)
                {
                    let set = super::quoted(&set.names[0]);
                    add("update", None, format!("update {name} set {set} = {value} where {set} is not null"));
                    add("change", None, format!("update {name} set {set} = {value} returning *"));
                    add("reset", None, format!("update {name} set {set} = default returning 1"));
                }
            }
            _ => {}
        }
    }

    /// What a state may do to an answer.
    pub fn expected(&self, ask: &Ask, state: usize) -> Expected {
        let through = |at: usize| {
            let thing = &self.things[at];
            (thing.places[state] != thing.places[0]).then_some(thing.facade)
        };
        if let Some(with) = ask.with {
            return match (through(ask.about), through(with)) {
                (Some(None), _) | (_, Some(None)) => Expected::Anything,
                _ => Expected::Same,
            };
        }
        match through(ask.about) {
            None => Expected::Same,
            Some(None) => Expected::Anything,
            Some(Some(Writes::Auto)) => Expected::Same,
            Some(Some(_)) if matches!(ask.what, "read" | "count" | "column" | "call") => Expected::Same,
            Some(Some(Writes::Triggers)) if matches!(ask.what, "conflict" | "lock") => Expected::Anything,
            Some(Some(Writes::Triggers)) => Expected::Same,
            Some(Some(Writes::Nothing)) => Expected::Refused,
        }
    }
}

/// Asks in a transaction that is rolled back.
///
/// # Errors
/// The connection is lost.
pub fn answer(client: &mut Client, ask: &Ask) -> crate::Result<Outcome> {
    // What is rolled back has counted on.
    client.batch_execute(&format!(
        "{COUNTED}; begin; set local role {}; set local app.who = 'ann'",
        ask.role
    ))?;
    let outcome = match client.simple_query(&ask.sql) {
        Ok(messages) => {
            let row = |message: &SimpleQueryMessage| match message {
                SimpleQueryMessage::Row(row) => {
                    let values = (0..row.len()).map(|at| row.get(at).unwrap_or("null"));
                    Some(values.collect::<Vec<_>>().join(" | "))
                }
                SimpleQueryMessage::CommandComplete(many) => Some(format!("{many} rows")),
                _ => None,
            };
            Ok(messages.iter().filter_map(row).collect())
        }
        Err(error) => Err(error.code().ok_or_else(|| error.to_string())?.code().to_owned()),
    };
    client.batch_execute("rollback")?;
    Ok(outcome)
}
