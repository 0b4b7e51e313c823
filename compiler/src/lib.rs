//! The pipeline: from a project and a database to a plan, and from a plan to a changed database.

pub mod load;
pub mod plan;
pub mod scratch;
