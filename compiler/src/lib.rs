//! The pipeline: from a project and a database to a plan, and from a plan to a changed database.

pub mod address;
pub mod apply;
pub mod bind;
pub mod compatibility;
pub mod compile;
pub mod complete;
pub mod connect;
pub mod elaborate;
pub mod facade;
pub mod fingerprint;
pub mod import;
pub mod introspect;
pub mod load;
pub mod normalize;
pub mod plan;
pub mod planfile;
pub mod record;
pub mod relocate;
pub mod rename;
pub mod render;
pub mod rollback;
pub mod scratch;
pub mod state;
pub mod timings;
pub mod verify;
