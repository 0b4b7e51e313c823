//! The kinds, one folder each: `mod.rs` is the contract, `read.sql` and `read.rs` take it from the catalogs,
//! `declare.rs` from what people write.

pub mod check;
pub mod column;
pub mod comment;
pub mod default;
pub mod default_privileges;
pub mod foreign_key;
pub mod grant;
pub mod index;
pub mod key;
pub mod naming;
pub mod opaque;
pub mod options;
pub mod policy;
pub mod schema;
pub mod table;
pub mod trigger;
pub mod view;
