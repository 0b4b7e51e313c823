//! Reads range types.

use crate::fragment::Aside;
use crate::ident::QName;
use crate::kinds::range::Range;
use crate::object::{Kind, Object};
use crate::read::{Error, Reader, Row, class};
use crate::reference::{Reference, Target};

/// Range types.
pub const READER: Reader = Reader {
    name: "range types",
    sql: |_| include_str!("read.sql").into(),
    decode: |row, out| {
        let (oid, name, schema) = (row.oid()?, row.ident()?, row.oid()?);
        let Some(id) = out.in_schema(Kind::Range, schema, name) else { return Ok(()) };
        let owner = Aside(Some(out.role(row.oid()?)?));
        let parts = [row.opt_oid()?, row.opt_oid()?, row.opt_oid()?];
        let multirange = row.ident()?;
        let subtype = row.type_name()?;
        let (operator_class, operator_class_schema) = (row.opt_ident()?, Aside(row.opt_ident()?));
        let range = Range {
            subtype,
            operator_class,
            operator_class_schema,
            collation: reference(row, Target::Collation)?,
            canonical: reference(row, Target::Routine)?,
            subtype_diff: reference(row, Target::Routine)?,
            multirange,
            owner,
        };
        out.add(id, Object::Range(range), class::TYPE, oid, 0)?;
        for part in parts {
            out.alias(class::TYPE, part, id);
        }
        Ok(())
    },
};

fn reference(row: &mut Row<'_>, target: Target) -> Result<Option<Reference>, Error> {
    Ok(match (row.opt_ident()?, row.opt_ident()?) {
        (Some(schema), Some(name)) => Some(Reference::to(target, QName::new(schema, name))),
        _ => None,
    })
}
