//! The pipeline: from a project and a database to a plan, and from a plan to a changed database.

pub mod apply;
pub mod connect;
pub mod elaborate;
pub mod fingerprint;
pub mod plan;
pub mod scratch;
