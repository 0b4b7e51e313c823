//! Reads functions and procedures.

use super::settings::Settings;
use super::{
    Argument, Attributes, Body, Function, Mode, Parallel, Returns, USUAL_ROWS, Volatility, number, usual_cost,
};
use crate::fragment::{Aside, Fragment, Grammar};
use crate::id::{Address, ObjectId};
use crate::ident::{Ident, QName, Text};
use crate::object::{Kind, Object};
use crate::read::{Declarations, Error, Reader, Row, class, type_name};
use crate::reference::{Reference, Target};
use crate::type_name::TypeName;

/// Functions, procedures and window functions.
pub const READER: Reader = Reader { name: "functions", sql: |_| include_str!("read.sql").into(), decode };

fn decode(row: &mut Row<'_>, out: &mut Declarations) -> Result<(), Error> {
    let (oid, name, schema, letter) = (row.oid()?, row.ident()?, row.oid()?, row.letter()?);
    // The constructors of a range type are part of the type.
    if let (Some(class), Some(owner)) = (row.opt_oid()?, row.opt_oid()?) {
        if let Some(owner) = out.find(class, owner, 0) {
            out.alias(class::ROUTINE, Some(oid), owner);
            return Ok(());
        }
    }
    let Some(schema) = out.schema(schema) else { return Ok(()) };
    let owner = Aside(Some(out.role(row.oid()?)?));
    let language = row.ident()?;
    let (arguments, table) = arguments(row)?;
    let (result, set) = (type_name(row.text()?)?, row.flag()?);
    let returns = match (letter, table.is_empty()) {
        ('p', _) => None,
        (_, true) => Some(Returns::Type { set, type_name: result }),
        (_, false) => Some(Returns::Table(table)),
    };
    let volatility = match row.letter()? {
        'i' => Volatility::Immutable,
        's' => Volatility::Stable,
        _ => Volatility::Volatile,
    };
    let (strict, definer, leakproof) = (row.flag()?, row.flag()?, row.flag()?);
    let parallel = match row.letter()? {
        's' => Parallel::Safe,
        'r' => Parallel::Restricted,
        _ => Parallel::Unsafe,
    };
    let (cost, rows) = (real(row)?, real(row)?);
    let rows = if set { number(rows, USUAL_ROWS) } else { None };
    let support = match (row.opt_ident()?, row.opt_ident()?) {
        (Some(schema), Some(name)) => Some(Reference::to(Target::Routine, QName::new(schema, name))),
        _ => None,
    };
    let transforms = row.list()?.iter().map(|one| type_name(one)).collect::<Result<_, _>>()?;
    let mut settings = Settings::default();
    for (name, value) in row.options()? {
        settings.insert_stored(name.as_str(), value.as_str());
    }
    let (source, library, standard) = (row.text()?, row.opt_text()?, row.text_if()?);
    let body = match (standard, library) {
        (Some(text), _) => Body::Sql(Fragment::canonical(text, Grammar::Routine)),
        (None, Some(file)) => Body::Library { file: Text::new(file), symbol: Text::new(source) },
        (None, None) => Body::Text(Fragment::body(source)),
    };
    let cost = number(cost, usual_cost(language));
    let attributes = Attributes { volatility, strict, definer, leakproof, parallel, cost, rows, settings };
    let function = Function {
        procedure: letter == 'p',
        window: letter == 'w',
        arguments,
        returns,
        language,
        body,
        attributes,
        support,
        transforms,
        owner,
    };
    let address = Address::Routine(QName::new(schema, name), function.inputs());
    out.add(ObjectId::new(Kind::Function, address), Object::Function(function), class::ROUTINE, oid, 0)
}

/// The arguments, and the columns of `RETURNS TABLE`.
/// The columns of a function that returns a table.
type Columns = Vec<(Ident, TypeName)>;

fn arguments(row: &mut Row<'_>) -> Result<(Vec<Argument>, Columns), Error> {
    let (types, modes, names, defaults) = (row.list()?, row.list()?, row.list()?, row.list()?);
    let (mut arguments, mut table) = (Vec::new(), Vec::new());
    for (place, text) in types.iter().enumerate() {
        let type_name = type_name(text)?;
        let name = names.get(place).filter(|name| !name.is_empty()).map(|name| Ident::new(name));
        let mode = match modes.get(place).map_or("i", String::as_str) {
            "o" => Mode::Out,
            "b" => Mode::InOut,
            "v" => Mode::Variadic,
            "t" => {
                table.push((name.unwrap_or_else(|| Ident::new("")), type_name));
                continue;
            }
            _ => Mode::In,
        };
        let default = defaults.get(place).filter(|text| !text.is_empty());
        let default = default.map(|text| Fragment::canonical(text, Grammar::Expression));
        arguments.push(Argument { mode, name, type_name, default });
    }
    Ok((arguments, table))
}

fn real(row: &mut Row<'_>) -> Result<f64, Error> {
    let text = row.text()?;
    text.parse().map_err(|_| Error::Malformed(format!("\"{text}\" is not a number")))
}
