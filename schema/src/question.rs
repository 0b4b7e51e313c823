//! Questions to the server: how would it store this fragment?
//!
//! A kind says which stand-in its fragments need, which statement puts a fragment on it and which expression reads
//! it back. All of it happens in pg_temp inside a transaction that is rolled back; running it is the compiler's
//! work (`elaborate`).

use crate::id::ObjectId;
use crate::ident::Ident;

/// A temporary relation that stands in for a real one: same name, same columns, no rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StandIn {
    /// The relation that it stands in for.
    pub relation: ObjectId,
    /// Its name in pg_temp: the relation's own, since the server prints it inside sub-selects.
    pub name: Ident,
    /// The statement that makes it.
    pub create: String,
}

/// One question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// The object that it is about.
    pub object: ObjectId,
    /// The stand-in that must exist; `None` when `make` needs none.
    pub stand_in: Option<StandIn>,
    /// The statement that puts the fragments where they belong, on the stand-in or as a temporary object.
    pub make: String,
    /// For each place, an SQL expression that reads the stored text back (NULL: the server stored nothing).
    pub read: Vec<(String, String)>,
    /// The statement that takes it away again, so that names stay free.
    pub undo: Option<String>,
}

/// Collects questions; hands out names for temporary objects.
#[derive(Debug, Default)]
pub struct Questions {
    /// The questions, in order.
    pub list: Vec<Question>,
    counter: usize,
}

impl Questions {
    /// A name that no other question uses.
    pub fn fresh_name(&mut self) -> Ident {
        self.counter += 1;
        Ident::new(&format!("schemac_question_{}", self.counter))
    }

    /// Adds a question.
    pub fn push(&mut self, question: Question) {
        self.list.push(question);
    }
}
