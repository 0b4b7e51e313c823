//! Ownership in the files of an import is a key of the sequence.

use super::OwnedBy;
use crate::id::ObjectId;
use crate::write::Writer;

/// The sequence's entry says it, or the column's.
pub fn write(_: &OwnedBy, _: ObjectId, _: &mut Writer<'_>) {}
