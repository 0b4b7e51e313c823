//! Reads what NOT NULL constraints have that is their own. Names of those of columns come with the columns.

use super::NotNull;
use crate::fragment::Aside;
use crate::id::ObjectId;
use crate::ident::Text;
use crate::kinds::comment::Comment;
use crate::kinds::not_null;
use crate::object::{Kind, Object};
use crate::read::{Declarations, Error, Reader, class};

/// Comments on NOT NULL constraints, which are objects where there is something to say about them.
pub const COMMENTS: Reader = Reader {
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
        add_comment(text, not_null::id(column), out)
    },
};

/// A comment on a NOT NULL, which is an object where there is something to say about it.
fn add_comment(text: &str, id: ObjectId, out: &mut Declarations) -> Result<(), Error> {
    if !out.catalog.contains(id) {
        out.add_satellite(id, Object::NotNull(NotNull::default()))?;
    }
    let comment = Object::Comment(Comment { text: Text::new(text) });
    out.add_satellite(ObjectId::of(Kind::Comment, id, ""), comment)
}

/// The NOT NULL of domains, which PostgreSQL 17 keeps as a constraint.
pub const OF_DOMAINS: Reader = Reader {
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
        let id = not_null::id(domain);
        if given.is_some() {
            out.add_satellite(id, Object::NotNull(NotNull { name: given, ..NotNull::default() }))?;
        }
        match row.opt_text()? {
            Some(text) => add_comment(text, id, out),
            None => Ok(()),
        }
    },
};
