//! Reads tables, partitioned tables and what they inherit from.

use crate::fragment::{Aside, Fragment, Grammar};
use crate::ident::Ident;
use crate::kinds::options::Options;
use crate::kinds::table::{ReplicaIdentity, Table};
use crate::object::{Kind, Object};
use crate::read::{Error, Reader, class};
use crate::reference::{Reference, Target};

/// Tables.
pub const READER: Reader = Reader {
    name: "tables",
    sql: |_| include_str!("read.sql").into(),
    decode: |row, out| {
        let (oid, name, schema) = (row.oid()?, row.ident()?, row.oid()?);
        let Some(id) = out.in_schema(Kind::Table, schema, name) else { return Ok(()) };
        let (row_type, array_type) = (row.opt_oid()?, row.opt_oid()?);
        let owner = Aside(Some(out.role(row.oid()?)?));
        let unlogged = row.letter()? == 'u';
        let mut options: Options = Options(row.options()?.into_iter().collect());
        for (name, value) in row.options()? {
            options.0.insert(Ident::new(&format!("toast.{name}")), value);
        }
        let (rls, rls_forced) = (row.flag()?, row.flag()?);
        let (identity, index) = (row.letter()?, row.opt_ident()?);
        let replica_identity = match (identity, index) {
            ('f', _) => ReplicaIdentity::Full,
            ('n', _) => ReplicaIdentity::Nothing,
            ('i', Some(index)) => ReplicaIdentity::Index(index),
            // Of an index that was dropped: as if there were none.
            ('i', None) => ReplicaIdentity::Nothing,
            _ => ReplicaIdentity::Default,
        };
        let partition_by = row.text_if()?.map(|key| Fragment::canonical(key, Grammar::PartitionKey));
        let (access_method, tablespace) = (row.opt_ident()?, row.opt_ident()?);
        // It is read as what it is without that; only the type's own changes would reach it otherwise.
        if let Some(of) = row.opt_ident()? {
            out.unplaced.push(format!("{id} is a table OF {of}; the files declare its columns instead"));
        }
        let table = Table {
            owner,
            unlogged,
            options,
            rls,
            rls_forced,
            replica_identity,
            partition_by,
            partition_of: None,
            inherits: Vec::new(),
            access_method,
            tablespace,
            parts: Aside(Vec::new()),
        };
        out.add(id, Object::Table(table), class::RELATION, oid, 0)?;
        out.alias(class::TYPE, row_type, id);
        out.alias(class::TYPE, array_type, id);
        Ok(())
    },
};

/// The parents of tables, in the order of inheritance.
pub const INHERITANCE: Reader = Reader {
    name: "inheritance",
    sql: |_| include_str!("inheritance.sql").into(),
    decode: |row, out| {
        let (child, parent) = (row.oid()?, row.oid()?);
        let bound = row.text_if()?;
        let Some(child) = out.relation(child) else { return Ok(()) };
        let parent = out.relation(parent).and_then(|parent| parent.qname());
        let parent = parent.ok_or_else(|| Error::Changed(format!("what {child} inherits from is gone")))?;
        let reference = Reference::to(Target::Relation, parent);
        if let Some(Object::Table(table)) = out.catalog.get_mut(child).map(|entry| &mut entry.object) {
            match bound {
                Some(bound) => {
                    table.partition_of = Some((reference, Fragment::canonical(bound, Grammar::Bound)))
                }
                None => table.inherits.push(reference),
            }
        }
        Ok(())
    },
};
