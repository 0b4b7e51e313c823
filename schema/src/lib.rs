//! What a PostgreSQL object kind is.

pub mod analyse;
pub mod builtin;
pub mod catalog;
pub mod code;
pub mod compatibility;
pub mod declare;
pub mod diagnostic;
pub mod fragment;
pub mod id;
pub mod ident;
pub mod kinds;
pub mod names;
pub mod object;
pub mod parse;
pub mod question;
pub mod read;
pub mod reference;
pub mod span;
pub mod spec;
pub mod sql;
pub mod statement;
pub mod step;
pub mod tree;
pub mod type_name;
pub mod write;
pub mod yaml;
