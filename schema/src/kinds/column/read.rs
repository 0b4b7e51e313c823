//! Reads columns of tables and foreign tables. Of views and materialized views only the names of the columns are
//! remembered; the sequences behind identity columns are read with the others.

use crate::catalog::Standing;
use crate::fragment::{Aside, Fragment, Grammar};
use crate::id::ObjectId;
use crate::ident::{Ident, QName, Text};
use crate::kinds::column::{Column, Generated, Identity};
use crate::kinds::not_null::{self, NotNull};
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
        let foreign = Options(row.options()?.into_iter().collect());
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
            foreign,
            position,
            using: Aside(None),
            inherited: Aside(false),
            not_null_name: Aside(None),
        };
        let id = ObjectId::on(Kind::Column, parent, name);
        let is_local = row.flag()?;
        let (above, storage_above, compression_above) =
            (row.opt_text()? == Some("t"), row.letter()?, row.letter()?);
        if is_local {
            out.add(id, Object::Column(column), class::RELATION, relation, number)?;
            out.alias(class::DEFAULT, default, id);
        } else {
            // What the parent's says too is none of the child's own.
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
        let (name, flags) = (row.opt_ident()?, row.opt_text()?.unwrap_or_default());
        let given = name.filter(|name| !not_null::is_chosen(*name, id));
        let own = NotNull {
            name: given,
            no_inherit: flags.contains('i'),
            not_valid: flags.contains('v'),
            outlived: Aside(false),
        };
        if let Some(Object::Column(column)) = out.catalog.get_mut(id).map(|entry| &mut entry.object) {
            column.not_null_name = Aside(name);
        }
        if own != NotNull::default() {
            out.add_satellite(not_null::id(id), Object::NotNull(own))?;
        }
        Ok(())
    },
};

/// Settings of columns that are no table's: what no file can say, and nobody shall miss silently.
pub const OTHER_SETTINGS: Reader = Reader {
    name: "settings of other columns",
    sql: |_| include_str!("settings.sql").into(),
    decode: |row, out| {
        let (relation, kind, name, what) = (row.oid()?, row.letter()?, row.ident()?, row.text()?);
        let Some(owner) = out.find(class::RELATION, relation, 0) else { return Ok(()) };
        let external =
            out.catalog.get(owner.root()).is_some_and(|entry| entry.standing == Standing::External);
        if !external {
            let part = if kind == 'm' { "column" } else { "expression" };
            out.unplaced.push(format!("{part} {name} of {owner} has {what}"));
        }
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
