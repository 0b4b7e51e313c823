//! Reads composite types.

use crate::fragment::Aside;
use crate::ident::{Ident, QName};
use crate::kinds::composite::{Composite, Field};
use crate::object::{Kind, Object};
use crate::read::{Error, Reader, class, type_name};
use crate::reference::{Reference, Target};
use std::collections::BTreeMap;

/// Composite types.
pub const READER: Reader = Reader {
    name: "composite types",
    sql: |_| include_str!("read.sql").into(),
    decode: |row, out| {
        let (oid, name, schema) = (row.oid()?, row.ident()?, row.oid()?);
        let Some(id) = out.in_schema(Kind::Composite, schema, name) else { return Ok(()) };
        let owner = Aside(Some(out.role(row.oid()?)?));
        let (array_type, relation) = (row.opt_oid()?, row.opt_oid()?);
        let (types, collation_schemas) = (row.list()?, row.list()?);
        let (collations, names, numbers) = (row.list()?, row.list()?, row.numbers::<i32>()?);
        let mut fields = BTreeMap::new();
        for (place, name) in names.iter().enumerate() {
            let gone = || Error::Changed(format!("field {name} is gone"));
            let position = Aside(u32::try_from(place + 1).unwrap_or(0));
            let collation = collations.get(place).ok_or_else(gone)?;
            let schema = collation_schemas.get(place).ok_or_else(gone)?;
            let collation = (!collation.is_empty())
                .then(|| Reference::to(Target::Collation, QName::new(schema.as_str(), collation.as_str())));
            let type_name = type_name(types.get(place).ok_or_else(gone)?)?;
            fields.insert(Ident::new(name), Field { type_name, collation, position });
            if let (Some(relation), Some(number)) = (relation, numbers.get(place)) {
                out.name_column(relation, *number, Ident::new(name));
            }
        }
        out.add(id, Object::Composite(Composite { fields, owner }), class::TYPE, oid, 0)?;
        out.alias(class::TYPE, array_type, id);
        out.alias(class::RELATION, relation, id);
        Ok(())
    },
};
