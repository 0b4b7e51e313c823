//! Stub.
use schemac_schema::id::ObjectId;
use schemac_schema::ident::QName;
use schemac_schema::span::Span;
/// s
pub struct Move { /// f
 pub from: Vec<ObjectId>, /// t
 pub to: ObjectId, /// s
 pub span: Span }
/// u
#[derive(PartialEq, Eq, Clone, Copy)]
pub enum Undeclared { /// k
 Keep, /// r
 Report, /// d
 Drop }
/// p
pub struct Project { /// d
 pub dropped: Vec<(QName, Span)> }
impl Project { 
/// u
pub fn undeclared(&self) -> Undeclared { Undeclared::Keep } 
/// l
pub fn leaves_alone(&self, _: ObjectId) -> bool { false } 
/// m
pub fn is_managed(&self, _: ObjectId) -> bool { false } }
