//! Stub.
use schemac_schema::id::ObjectId;
use schemac_schema::ident::Ident;
use schemac_schema::question::Questions;
/// a
pub enum Answer { /// s
 Stored(String), /// n
 Nothing, /// f
 Failed { /// s
 sqlstate: String, /// m
 message: String } }
/// a
pub struct Answers { /// u
 pub unavailable: Option<String> }
impl Answers { /// g
pub fn get(&self, _: ObjectId, _: &str) -> Option<&Answer> { None } }
/// e
#[derive(Debug)]
pub struct Error;
/// e
pub fn elaborate(_: &mut postgres::Client, _: &Questions, _: &[Ident]) -> Result<Answers, Error> { Err(Error) }
