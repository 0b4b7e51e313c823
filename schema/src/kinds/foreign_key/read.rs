//! Reads foreign keys. Those that PostgreSQL adds for partitions are part of the one that was declared.

use crate::id::ObjectId;
use crate::ident::Ident;
use crate::kinds::foreign_key::{Action, ForeignKey};
use crate::kinds::key::read::timing;
use crate::object::{Kind, Object};
use crate::read::{Error, Reader, class, for_version};
use crate::reference::{Reference, Target};

/// Foreign keys.
pub const READER: Reader = Reader {
    name: "foreign keys",
    sql: |version| for_version(include_str!("read.sql"), version),
    decode: |row, out| {
        let (oid, name, relation, target) = (row.oid()?, row.ident()?, row.oid()?, row.oid()?);
        let Some(parent) = out.relation(relation) else { return Ok(()) };
        if let Some(origin) = row.opt_oid()? {
            if let Some(origin) = out.find(class::CONSTRAINT, origin, 0) {
                out.clone_of(class::CONSTRAINT, Some(oid), origin);
                if origin.parent() != Some(parent) {
                    out.part(parent, Kind::ForeignKey, name, origin);
                }
            }
            return Ok(());
        }
        let columns = out.column_names(relation, &row.numbers()?)?;
        let target_columns = out.column_names(target, &row.numbers()?)?;
        let target = out.relation(target).and_then(|target| target.qname());
        let target =
            target.ok_or_else(|| Error::Changed(format!("what {name} on {parent} refers to is gone")))?;
        let match_full = row.letter()? == 'f';
        let (on_delete, on_update) = (row.letter()?, row.letter()?);
        let only = out.column_names(relation, &row.numbers()?)?;
        let timing = timing(row)?;
        let (validated, enforced, period) = (row.flag()?, row.flag()?, row.flag()?);
        let key = ForeignKey {
            columns,
            target: Reference::to(Target::Relation, target),
            target_columns,
            match_full,
            on_delete: action(on_delete, only),
            on_update: action(on_update, Vec::new()),
            timing,
            not_valid: enforced && !validated,
            not_enforced: !enforced,
            period,
        };
        out.add(
            ObjectId::on(Kind::ForeignKey, parent, name),
            Object::ForeignKey(key),
            class::CONSTRAINT,
            oid,
            0,
        )
    },
};

fn action(letter: char, columns: Vec<Ident>) -> Action {
    match letter {
        'r' => Action::Restrict,
        'c' => Action::Cascade,
        'n' => Action::SetNull(columns),
        'd' => Action::SetDefault(columns),
        _ => Action::NoAction,
    }
}
