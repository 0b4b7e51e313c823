//! Reads comments, on anything that is known.

use crate::id::ObjectId;
use crate::ident::Text;
use crate::kinds::comment::Comment;
use crate::object::{Kind, Object};
use crate::read::Reader;

/// Comments. What is on a part of an object (the index of a key) is only noted.
pub const READER: Reader = Reader {
    name: "comments",
    sql: |_| include_str!("read.sql").into(),
    decode: |row, out| {
        let (class, oid, sub, text) = (row.oid()?, row.oid()?, row.sub()?, row.text()?);
        if let Some(target) = out.target(class, oid, sub) {
            let comment = Object::Comment(Comment { text: Text::new(text) });
            return out.add_satellite(ObjectId::of(Kind::Comment, target, ""), comment);
        }
        if let Some(whole) = out.find(class, oid, sub) {
            out.unplaced.push(format!("a comment on a part of {whole}: {text}"));
        }
        Ok(())
    },
};
