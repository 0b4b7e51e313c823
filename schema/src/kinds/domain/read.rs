//! Reads domains; their checks are read with those of tables.

use crate::fragment::{Aside, Fragment, Grammar};
use crate::ident::QName;
use crate::kinds::domain::Domain;
use crate::object::{Kind, Object};
use crate::read::{Reader, class};
use crate::reference::{Reference, Target};

/// Domains.
pub const READER: Reader = Reader {
    name: "domains",
    sql: |_| include_str!("read.sql").into(),
    decode: |row, out| {
        let (oid, name, schema) = (row.oid()?, row.ident()?, row.oid()?);
        let Some(id) = out.in_schema(Kind::Domain, schema, name) else { return Ok(()) };
        let owner = Aside(Some(out.role(row.oid()?)?));
        let array_type = row.opt_oid()?;
        let base = row.type_name()?;
        let collation = match (row.opt_ident()?, row.opt_ident()?) {
            (Some(schema), Some(name)) => Some(Reference::to(Target::Collation, QName::new(schema, name))),
            _ => None,
        };
        let not_null = row.flag()?;
        let default = row.text_if()?.map(|text| Fragment::canonical(text, Grammar::Expression));
        out.add(
            id,
            Object::Domain(Domain { base, collation, default, not_null, not_null_name: Aside(None), owner }),
            class::TYPE,
            oid,
            0,
        )?;
        out.alias(class::TYPE, array_type, id);
        Ok(())
    },
};
