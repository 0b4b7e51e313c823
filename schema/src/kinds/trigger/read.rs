//! Reads triggers, without those behind constraints.

use crate::fragment::{Fragment, Grammar};
use crate::id::ObjectId;
use crate::ident::{QName, Text};
use crate::kinds::copied_trigger::CopiedTrigger;
use crate::kinds::key::read::timing;
use crate::kinds::table;
use crate::kinds::trigger::{Enabled, Trigger, When, condition_of};
use crate::object::{Kind, Object};
use crate::read::{Error, Reader, class};
use crate::reference::{Reference, Target};

/// Triggers.
pub const READER: Reader = Reader {
    name: "triggers",
    sql: |_| include_str!("read.sql").into(),
    decode: |row, out| {
        let (oid, name, relation) = (row.oid()?, row.ident()?, row.oid()?);
        let Some(parent) = out.relation(relation) else { return Ok(()) };
        let id = ObjectId::on(Kind::Trigger, parent, name);
        if let Some(whole) = row.opt_oid()? {
            // A clone on a partition is made and dropped with the partitioned table's.
            let whole = out.find(class::TRIGGER, whole, 0).or_else(|| table::origin(&out.catalog, id));
            out.clone_of(class::TRIGGER, Some(oid), whole.unwrap_or(parent));
            let (own, above) = (enabled(row.letter()?), enabled(row.letter()?));
            if own == above {
                return Ok(());
            }
            let copy = Object::CopiedTrigger(CopiedTrigger { enabled: own });
            return out.add_satellite(ObjectId::on(Kind::CopiedTrigger, parent, name), copy);
        }
        let (enabled, _) = (enabled(row.letter()?), row.letter()?);
        let bits = row.int()?;
        let has = |bit: i64| bits & bit != 0;
        let mut update_of = out.column_names(relation, &row.numbers()?)?;
        update_of.sort_unstable();
        let condition = row.text_if()?.map(|definition| {
            let condition = condition_of(definition);
            condition.ok_or_else(|| Error::Malformed(format!("no condition in: {definition}")))
        });
        let condition = condition.transpose()?.map(|text| Fragment::canonical(text, Grammar::Expression));
        let function = Reference::to(Target::Routine, QName::new(row.ident()?, row.ident()?));
        let arguments = arguments(row.text()?)?;
        let constraint = row.opt_oid()?;
        let timing = timing(row)?;
        let from = match (row.opt_ident()?, row.opt_ident()?) {
            (Some(schema), Some(name)) => Some(Reference::to(Target::Relation, QName::new(schema, name))),
            _ => None,
        };
        let (old_table, new_table) = (row.opt_ident()?, row.opt_ident()?);
        let trigger = Trigger {
            when: match (has(BEFORE), has(INSTEAD)) {
                (true, _) => When::Before,
                (_, true) => When::InsteadOf,
                _ => When::After,
            },
            insert: has(INSERT),
            delete: has(DELETE),
            update: has(UPDATE),
            update_of,
            truncate: has(TRUNCATE),
            row: has(ROW),
            condition,
            function,
            arguments,
            constraint: constraint.map(|_| timing),
            from,
            old_table,
            new_table,
            enabled,
        };
        out.add(id, Object::Trigger(trigger), class::TRIGGER, oid, 0)?;
        out.alias(class::CONSTRAINT, constraint, id);
        Ok(())
    },
};

/// For which sessions a trigger, an event trigger or a rule fires.
pub fn enabled(letter: char) -> Enabled {
    match letter {
        'D' => Enabled::Disabled,
        'R' => Enabled::Replica,
        'A' => Enabled::Always,
        _ => Enabled::Origin,
    }
}

// The bits of `tgtype` (pg_trigger.h).
const ROW: i64 = 1;
const BEFORE: i64 = 2;
const INSERT: i64 = 4;
const DELETE: i64 = 8;
const UPDATE: i64 = 16;
const TRUNCATE: i64 = 32;
const INSTEAD: i64 = 64;

/// The arguments, which stand one after the other in hexadecimal, each with a zero byte behind it.
fn arguments(hexadecimal: &str) -> Result<Vec<Text>, Error> {
    let malformed = || Error::Malformed(format!("\"{hexadecimal}\" are no arguments of a trigger"));
    let bytes: Option<Vec<u8>> = hexadecimal
        .as_bytes()
        .chunks(2)
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok())
        .collect();
    let text = String::from_utf8(bytes.ok_or_else(malformed)?).map_err(|_| malformed())?;
    Ok(text.split_terminator('\0').map(Text::new).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_are_taken_apart() {
        assert_eq!(arguments(""), Ok(vec![]));
        assert_eq!(arguments("6100c3a42700"), Ok(vec![Text::new("a"), Text::new("ä'")]));
        assert_eq!(arguments("0000"), Ok(vec![Text::new(""), Text::new("")]));
        assert!(arguments("6").is_ok_and(|all| all.len() == 1));
        assert!(arguments("zz").is_err());
    }
}
