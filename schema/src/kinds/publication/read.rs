//! Reads publications.

use super::{EVERYTHING, Publication};
use crate::fragment::Aside;
use crate::id::ObjectId;
use crate::ident::{Ident, Text};
use crate::object::{Kind, Object};
use crate::read::{Reader, class};

/// `pg_publication_namespace`.
const PUBLISHED_SCHEMA: u32 = 6237;

/// Publications.
pub const READER: Reader = Reader {
    name: "publications",
    sql: |version| crate::read::for_version(include_str!("read.sql"), version),
    decode: |row, out| {
        let (oid, name) = (row.oid()?, row.ident()?);
        let owner = Aside(Some(out.role(row.oid()?)?));
        let all_tables = row.flag()?;
        let mut publish = std::collections::BTreeSet::new();
        for word in EVERYTHING {
            if row.flag()? {
                publish.insert(Text::new(word));
            }
        }
        let via_root = row.flag()?;
        let generated_columns = (row.letter()? == 's').then(|| Text::new("stored"));
        let schemas = row.list()?.iter().map(|schema| Ident::new(schema)).collect();
        let publication = Publication { all_tables, schemas, publish, via_root, generated_columns, owner };
        let id = ObjectId::global(Kind::Publication, name);
        out.add_global(id, Object::Publication(publication), class::PUBLICATION, oid, None)?;
        for part in row.numbers::<u32>()? {
            out.alias(PUBLISHED_SCHEMA, Some(part), id);
        }
        Ok(())
    },
};
