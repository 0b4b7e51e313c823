//! Reads policies.

use crate::fragment::{Fragment, Grammar};
use crate::id::ObjectId;
use crate::kinds::policy::{Command, Policy};
use crate::object::{Kind, Object};
use crate::read::{Error, Reader, class};
use crate::reference::Reference;

/// Policies.
pub const READER: Reader = Reader {
    name: "policies",
    sql: |_| include_str!("read.sql").into(),
    decode: |row, out| {
        let (oid, name) = (row.oid()?, row.ident()?);
        let Some(parent) = out.relation(row.oid()?) else { return Ok(()) };
        let command = match row.letter()? {
            'r' => Command::Select,
            'a' => Command::Insert,
            'w' => Command::Update,
            'd' => Command::Delete,
            _ => Command::All,
        };
        let permissive = row.flag()?;
        let names: Result<Vec<_>, Error> = row.numbers()?.into_iter().map(|oid| out.role(oid)).collect();
        let mut names = names?;
        names.sort_unstable();
        let roles = names.into_iter().map(|name| Reference::role(name, None)).collect();
        let using = row.text_if()?.map(|text| Fragment::canonical(text, Grammar::Expression));
        let check = row.text_if()?.map(|text| Fragment::canonical(text, Grammar::Expression));
        let policy = Policy { command, permissive, roles, using, check };
        out.add(ObjectId::on(Kind::Policy, parent, name), Object::Policy(policy), class::POLICY, oid, 0)
    },
};
