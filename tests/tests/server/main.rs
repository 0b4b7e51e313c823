//! What is done on a live server: connecting, asking how it stores fragments, applying a plan, what
//! is kept in the database.

mod aliases;
mod apply;
mod connect;
mod elaborate;
mod equality;
mod invalid;
mod meanwhile;
mod memory;
mod standby;
mod state;
mod trips;

use postgres::{Client, SimpleQueryMessage};

pub(crate) fn no_environment(_: &str) -> Option<String> {
    None
}

pub(crate) fn value(client: &mut Client, question: &str) -> String {
    let rows = client.simple_query(question).unwrap();
    rows.iter()
        .find_map(|message| match message {
            SimpleQueryMessage::Row(row) => Some(row.get(0).unwrap_or("(null)").to_owned()),
            _ => None,
        })
        .unwrap_or_default()
}
