//! What a PostgreSQL object kind is.

pub mod code;
pub mod diagnostic;
pub mod span;
pub mod spec;
pub mod yaml;
