//! YAML as people write it: a tree that keeps every byte's place, and serde on top of it.
//!
//! Nothing here knows what a table is.

pub mod de;
pub mod node;
pub mod parts;
mod position;

pub use de::from_node;
pub use node::{Key, Node, Scalar, Style, Value, parse};
pub use parts::{At, BodySql, Datum, Flag, Map, Maybe, Name, OneOrMany, Sql, Text, Written};
pub use position::Positions;

#[cfg(test)]
mod tests;
