//! Reads columns of tables and foreign tables. Of views and materialized views only the names of the columns are
//! remembered; the sequences behind identity columns are read with the others.

use crate::fragment::{Aside, Fragment, Grammar};
use crate::id::ObjectId;
use crate::ident::{Ident, QName, Text};
use crate::kinds::column::{Column, Generated, Identity};
use crate::kinds::options::Options;
use crate::kinds::table;
use crate::object::{Kind, Object};
use crate::read::{Reader, class, for_version};
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
        let storage_of = storage(row.letter()?);
        let compression_of = compression(row.letter()?);
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
            storage: storage_of,
            compression: compression_of,
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
            // What the parent's says too is none of the child's own.
            let (above, storage_above, compression_above) = (row.flag()?, row.letter()?, row.letter()?);
            let own = Column {
                not_null: column.not_null && !above,
                storage: column.storage.filter(|own| storage(storage_above) != Some(*own)),
                compression: column.compression.filter(|own| compression(compression_above) != Some(*own)),
                statistics: column.statistics,
                options: column.options.clone(),
                ..column.handed_down()
            };
            out.add(id, Object::Column(own), class::RELATION, relation, number)?;
            out.clone_of(class::DEFAULT, default, table::origin(&out.catalog, id).unwrap_or(id));
        }
        Ok(())
    },
};

/// What a NOT NULL of PostgreSQL 18 has that no file can say.
pub const NOT_NULLS: Reader = Reader {
    name: "NOT NULL constraints",
    sql: |version| {
        let valid = if version >= 18 { "c.contype = 'n'" } else { "false" };
        format!(
            "SELECT c.conrelid, c.conkey[1], c.conname, c.connoinherit FROM pg_constraint c \
             WHERE {valid} AND c.conrelid >= 16384 AND (c.connoinherit OR NOT c.convalidated)"
        )
    },
    decode: |row, out| {
        let (relation, number, name, no_inherit) = (row.oid()?, row.sub()?, row.ident()?, row.flag()?);
        let Some(column) = out.column(relation, number) else { return Ok(()) };
        let what = if no_inherit { "NO INHERIT" } else { "NOT VALID" };
        out.unplaced.push(format!("the NOT NULL constraint {name} of {column} is {what}"));
        Ok(())
    },
};

fn compression(letter: char) -> Option<Text> {
    match letter {
        'p' => Some(Text::new("pglz")),
        'l' => Some(Text::new("lz4")),
        _ => None,
    }
}

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
