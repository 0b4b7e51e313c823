//! Reads columns of tables and foreign tables. Of views and materialized views only the names of the columns are
//! remembered; the sequences behind identity columns are read with the others.

use crate::catalog::Standing;
use crate::fragment::{Aside, Fragment, Grammar};
use crate::id::ObjectId;
use crate::ident::{Ident, QName, Text};
use crate::kinds::column::{Column, Generated, Identity};
use crate::kinds::comment::Comment;
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
        let own = NotNull { name: given, no_inherit: flags.contains('i'), not_valid: flags.contains('v') };
        if let Some(Object::Column(column)) = out.catalog.get_mut(id).map(|entry| &mut entry.object) {
            column.not_null_name = Aside(name);
        }
        if own != NotNull::default() {
            out.add_satellite(not_null::id(id), Object::NotNull(own))?;
        }
        Ok(())
    },
};

/// Comments on NOT NULL constraints, which are objects where there is something to say about them.
pub const NOT_NULLS: Reader = Reader {
    name: "NOT NULL constraints",
    sql: |version| {
        let there = if version >= 18 { "c.contype = 'n'" } else { "false" };
        format!(
            "SELECT c.conrelid, c.conkey[1], d.description FROM pg_description d \
             JOIN pg_constraint c ON d.classoid = 2606 AND d.objoid = c.oid \
             WHERE {there} AND c.conrelid >= 16384"
        )
    },
    decode: |row, out| {
        let (relation, number, text) = (row.oid()?, row.sub()?, row.text()?);
        let Some(column) = out.column(relation, number) else { return Ok(()) };
        let id = not_null::id(column);
        if !out.catalog.contains(id) {
            out.add_satellite(id, Object::NotNull(NotNull::default()))?;
        }
        let comment = Object::Comment(Comment { text: Text::new(text) });
        out.add_satellite(ObjectId::of(Kind::Comment, id, ""), comment)
    },
};

/// The NOT NULL of domains, which PostgreSQL 17 keeps as a constraint.
pub const NOT_NULLS_OF_DOMAINS: Reader = Reader {
    name: "NOT NULL constraints of domains",
    sql: |version| {
        let there = if version >= 17 { "c.contype = 'n'" } else { "false" };
        format!(
            "SELECT c.contypid, c.conname, d.description FROM pg_constraint c \
             LEFT JOIN pg_description d ON d.classoid = 2606 AND d.objoid = c.oid \
             WHERE {there} AND c.contypid >= 16384"
        )
    },
    decode: |row, out| {
        let (domain, name) = (row.oid()?, row.ident()?);
        let Some(domain) = out.exact(class::TYPE, domain, 0) else { return Ok(()) };
        if let Some(Object::Domain(known)) = out.catalog.get_mut(domain).map(|entry| &mut entry.object) {
            known.not_null_name = Aside(Some(name));
        }
        let given = Some(name).filter(|name| !not_null::is_chosen(*name, domain));
        let text = row.opt_text()?;
        let id = not_null::id(domain);
        if given.is_some() || text.is_some() {
            out.add_satellite(id, Object::NotNull(NotNull { name: given, ..NotNull::default() }))?;
        }
        if let Some(text) = text {
            let comment = Object::Comment(Comment { text: Text::new(text) });
            out.add_satellite(ObjectId::of(Kind::Comment, id, ""), comment)?;
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
