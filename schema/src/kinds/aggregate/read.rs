//! Reads aggregates.

use super::{Aggregate, Argument, Modify, Ordered, Way};
use crate::fragment::Aside;
use crate::id::{Address, ObjectId};
use crate::ident::{Ident, QName, Text};
use crate::kinds::function::Parallel;
use crate::names;
use crate::object::{Kind, Object};
use crate::read::{Error, Reader, Row, class, type_name};
use crate::reference::{Reference, Target};

/// Aggregates.
pub const READER: Reader = Reader {
    name: "aggregates",
    sql: |_| include_str!("read.sql").into(),
    decode: |row, out| {
        let (oid, name, schema) = (row.oid()?, row.ident()?, row.oid()?);
        let Some(schema) = out.schema(schema) else { return Ok(()) };
        let owner = Aside(Some(out.role(row.oid()?)?));
        let (types, variadic, names) = (row.list()?, row.flag()?, row.list()?);
        let mut arguments = Vec::new();
        for (place, text) in types.iter().enumerate() {
            let name = names.get(place).filter(|name| !name.is_empty()).map(|name| Ident::new(name));
            let variadic = variadic && place + 1 == types.len();
            arguments.push(Argument { variadic, name, type_name: type_name(text)? });
        }
        let (kind, direct) = (row.letter()?, usize::try_from(row.int()?).unwrap_or(0));
        let ordered = matches!(kind, 'o' | 'h').then_some(Ordered { direct, hypothetical: kind == 'h' });
        let way =
            way(row)?.ok_or_else(|| Error::Changed("an aggregate without transition function".into()))?;
        let moving = self::way(row)?;
        let (combine, serialize, deserialize) = (function(row)?, function(row)?, function(row)?);
        let sort = match (row.opt_ident()?, row.opt_text()?) {
            (Some(schema), Some(name)) => Some((schema, Text::new(name))),
            _ => None,
        };
        let parallel = match row.letter()? {
            's' => Parallel::Safe,
            'r' => Parallel::Restricted,
            _ => Parallel::Unsafe,
        };
        let aggregate = Aggregate {
            arguments,
            ordered,
            way,
            moving,
            combine,
            serialize,
            deserialize,
            sort,
            parallel,
            owner,
        };
        let address = Address::Routine(QName::new(schema, name), aggregate.inputs());
        out.add(ObjectId::new(Kind::Aggregate, address), Object::Aggregate(aggregate), class::ROUTINE, oid, 0)
    },
};

fn function(row: &mut Row<'_>) -> Result<Option<Reference>, Error> {
    let Some(text) = row.opt_text()?.filter(|text| *text != "-") else { return Ok(None) };
    let Some((mut parts, _)) = names::dotted_name(text, 0) else {
        return Err(Error::Malformed(format!("\"{text}\" is no function")));
    };
    if parts.len() == 1 {
        parts.insert(0, Ident::new("pg_catalog"));
    }
    Ok(Some(Reference::written(Target::AnyRoutine, &parts, None)))
}

fn way(row: &mut Row<'_>) -> Result<Option<Way>, Error> {
    let (transition, inverse, state, space) = (function(row)?, function(row)?, row.opt_text()?, row.int()?);
    let (last, extra, modify, first) = (function(row)?, row.flag()?, row.letter()?, row.opt_text()?);
    let (Some(transition), Some(state)) = (transition, state) else { return Ok(None) };
    let modify = match modify {
        'r' => Modify::ReadOnly,
        's' => Modify::Shareable,
        _ => Modify::ReadWrite,
    };
    let state = type_name(state)?;
    Ok(Some(Way { transition, inverse, state, space, last, extra, modify, first: first.map(Text::new) }))
}
