//! The pipeline.

pub mod scratch;
