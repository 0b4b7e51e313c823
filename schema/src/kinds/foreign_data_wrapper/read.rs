//! Reads foreign data wrappers.

use super::ForeignDataWrapper;
use crate::fragment::Aside;
use crate::id::ObjectId;
use crate::ident::QName;
use crate::kinds::options::Options;
use crate::object::{Kind, Object};
use crate::read::{Error, Reader, Row, class};
use crate::reference::{Reference, Target};

/// Foreign data wrappers.
pub const READER: Reader = Reader {
    name: "foreign data wrappers",
    sql: |_| include_str!("read.sql").into(),
    decode: |row, out| {
        let (oid, name) = (row.oid()?, row.ident()?);
        let owner = Aside(Some(out.role(row.oid()?)?));
        let (handler, validator) = (function(row)?, function(row)?);
        let options = Options(row.options()?.into_iter().collect());
        let wrapper = ForeignDataWrapper { handler, validator, options, owner };
        let id = ObjectId::global(Kind::ForeignDataWrapper, name);
        out.add_global(id, Object::ForeignDataWrapper(wrapper), class::FOREIGN_DATA_WRAPPER, oid, None)
    },
};

fn function(row: &mut Row<'_>) -> Result<Option<Reference>, Error> {
    Ok(match (row.opt_ident()?, row.opt_ident()?) {
        (Some(schema), Some(name)) => Some(Reference::to(Target::AnyRoutine, QName::new(schema, name))),
        _ => None,
    })
}
