//! Reads columns of tables and foreign tables, and the sequences behind identity columns. Of views and materialized
//! views only the names of the columns are remembered.

use crate::fragment::{Aside, Fragment, Grammar};
use crate::id::ObjectId;
use crate::ident::{Ident, QName, Text};
use crate::kinds::column::{Column, Generated, Identity};
use crate::kinds::opaque::Opaque;
use crate::kinds::options::Options;
use crate::kinds::table;
use crate::object::{Kind, Object};
use crate::read::{Error, Reader, Row, class, for_version};
use crate::reference::{Reference, Target};
use std::collections::BTreeMap;

/// Columns.
pub const READER: Reader = Reader {
    name: "columns",
    sql: |version| for_version(include_str!("read.sql"), version),
    decode: |row, out| {
        let (relation, number, name) = (row.oid()?, row.sub()?, row.ident()?);
        let Some(parent) = out.relation(relation) else { return Ok(()) };
        out.name_column(relation, number, name);
        if !matches!(parent.kind(), Kind::Table | Kind::ForeignTable) {
            return Ok(());
        }
        let type_name = row.type_name()?;
        let collation = match (row.opt_ident()?, row.opt_ident()?) {
            (Some(schema), Some(name)) => Some(Reference::to(Target::Collation, QName::new(schema, name))),
            _ => None,
        };
        let not_null = row.flag()?;
        let identity = match row.letter()? {
            ' ' => None,
            letter => Some(Identity { always: letter == 'a', options: BTreeMap::new() }),
        };
        let (letter, default) = (row.letter()?, row.opt_oid()?);
        let generated = row.text_if()?.map(|expression| Generated {
            expression: Fragment::canonical(expression, Grammar::Expression),
            stored: letter == 's',
        });
        let storage = storage(row.letter()?);
        let compression = match row.letter()? {
            'p' => Some(Text::new("pglz")),
            'l' => Some(Text::new("lz4")),
            _ => None,
        };
        let statistics = row.opt_int()?;
        // Some minor versions note a number of their own here; nobody set it and nobody can.
        let own = Ident::new("pg_attver");
        let options = Options(row.options()?.into_iter().filter(|(name, _)| *name != own).collect());
        let position = Aside(u32::try_from(number).unwrap_or(0));
        let column = Column {
            type_name,
            collation,
            not_null,
            identity,
            generated,
            storage,
            compression,
            statistics,
            options,
            position,
            using: Aside(None),
            inherited: Aside(false),
        };
        let id = ObjectId::on(Kind::Column, parent, name);
        if row.flag()? {
            out.add(id, Object::Column(column), class::RELATION, relation, number)?;
            out.alias(class::DEFAULT, default, id);
        } else {
            out.add(id, Object::Column(column.handed_down()), class::RELATION, relation, number)?;
            out.clone_of(class::DEFAULT, default, table::origin(&out.catalog, id).unwrap_or(id));
        }
        Ok(())
    },
};

fn storage(letter: char) -> Option<Text> {
    let word = match letter {
        'p' => "PLAIN",
        'e' => "EXTERNAL",
        'x' => "EXTENDED",
        'm' => "MAIN",
        _ => return None,
    };
    Some(Text::new(word))
}

/// Sequences: those of identity columns are part of the column, the others are objects.
pub const SEQUENCES: Reader = Reader {
    name: "sequences",
    sql: |_| include_str!("sequences.sql").into(),
    decode: |row, out| {
        let (oid, name, schema) = (row.oid()?, row.ident()?, row.oid()?);
        let is_identity = row.letter()? == 'i';
        let owner = match (row.opt_oid()?, row.opt_int()?) {
            (Some(relation), Some(number)) => out.column(relation, i32::try_from(number).unwrap_or(0)),
            _ => None,
        };
        if !is_identity {
            let Some(id) = out.in_schema(Kind::Sequence, schema, name) else { return Ok(()) };
            let object = Object::Sequence(Opaque { what: Text::new("sequence") });
            out.add(id, object, class::RELATION, oid, 0)?;
            if let Some(owner) = owner {
                out.uses(id, owner);
            }
            return Ok(());
        }
        let Some(column) = owner else { return Ok(()) };
        let options = identity_options(row)?;
        out.alias(class::RELATION, Some(oid), column);
        if let Some(Object::Column(column)) = out.catalog.get_mut(column).map(|entry| &mut entry.object)
            && let Some(identity) = &mut column.identity
        {
            identity.options = options;
        }
        Ok(())
    },
};

/// The options that are not those which PostgreSQL gives a sequence of that type by itself (`init_params`).
fn identity_options(row: &mut Row<'_>) -> Result<BTreeMap<&'static str, i64>, Error> {
    let limits = match row.text()? {
        "smallint" => (i64::from(i16::MIN), i64::from(i16::MAX)),
        "integer" => (i64::from(i32::MIN), i64::from(i32::MAX)),
        _ => (i64::MIN, i64::MAX),
    };
    let (start, increment, minimum, maximum) = (row.int()?, row.int()?, row.int()?, row.int()?);
    let (cache, cycle) = (row.int()?, row.flag()?);
    let ascending = increment > 0;
    let (usual_minimum, usual_maximum) = if ascending { (1, limits.1) } else { (limits.0, -1) };
    let usual_start = if ascending { minimum } else { maximum };
    let all = [
        ("START WITH", start, usual_start),
        ("INCREMENT BY", increment, 1),
        ("MINVALUE", minimum, usual_minimum),
        ("MAXVALUE", maximum, usual_maximum),
        ("CACHE", cache, 1),
        ("CYCLE", i64::from(cycle), 0),
    ];
    Ok(all
        .into_iter()
        .filter(|(_, value, usual)| value != usual)
        .map(|(word, value, _)| (word, value))
        .collect())
}
