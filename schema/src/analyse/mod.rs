//! What PostgreSQL would store for a fragment, found out without a server.
//!
//! A small, partial re-implementation of PostgreSQL's parse analysis (parse_expr.c, parse_coerce.c, parse_func.c,
//! parse_oper.c, parse_clause.c) and of how it prints what it stored (ruleutils.c). A written fragment is analysed with
//! the types of the desired catalog and printed as `pg_get_expr` or `pg_get_viewdef` would; where that is, token by
//! token, the text that the catalog holds, both are the same.
//!
//! It is sound because it only says "stored as this text" where every step is understood: each name is resolved as
//! PostgreSQL resolves it, with what users added in mind, each literal is one whose meaning no setting changes that
//! sessions of schemac leave open (they fix TimeZone, DateStyle and the like), and each construct is listed.
//! Everything else is undecided, and the server is asked. What is printed holds all that was chosen, so a mistake here
//! gives another text, which is undecided too.
//!
//! Not here: what each kind of object needs (`ObjectKind::analyse`), and what follows from the answer
//! (`compiler/src/normalize`).

mod aliases;
mod call;
mod coerce;
mod constant;
mod construct;
mod definition;
mod expr;
mod expression;
mod figure;
mod float;
mod from;
mod group;
mod index;
mod interval;
mod json;
mod json_call;
mod jsonpath;
mod list;
mod moment;
mod naming;
mod place;
mod polymorphic;
mod query;
mod range;
mod resolve;
mod scope;
mod search;
mod select;
mod show;
mod show_query;
mod show_write;
mod squeeze;
mod statement;
mod system;
mod types;
mod window;
mod with;
mod world;
mod write;

use std::borrow::Cow;

pub use aliases::same_but_for_aliases;
pub use definition::{argument, bound, exclusion, partition_key, statistics};
pub use figure::index_column;
pub use index::index;
pub use place::{Place, Seen, expression, query};
pub use squeeze::squeeze;
pub use statement::{Argument, On, body, rule};
pub use world::World;

/// Why nothing can be said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Undecided(pub Cow<'static, str>);

/// What was found out, or why not.
pub type Analysed<T> = Result<T, Undecided>;

/// For each place of an object: how its fragment would be stored.
pub type Found = Vec<(&'static str, Analysed<String>)>;

/// Nothing can be said.
fn undecided<T>(why: impl Into<Cow<'static, str>>) -> Analysed<T> {
    Err(Undecided(why.into()))
}
