//! Reads comments, on anything that is known.

use crate::id::ObjectId;
use crate::ident::Text;
use crate::kinds::comment::{Comment, ON_INDEX};
use crate::object::{Kind, Object};
use crate::read::{Reader, class};

/// Comments. What is on a part of an object (the index of a key) is only noted.
pub const READER: Reader = Reader {
    name: "comments",
    sql: |_| include_str!("read.sql").into(),
    decode: |row, out| {
        let (of, oid, sub, text) = (row.oid()?, row.oid()?, row.sub()?, row.text()?);
        if let Some(target) = out.target(of, oid, sub) {
            let comment = Object::Comment(Comment { text: Text::new(text) });
            return out.add_satellite(ObjectId::of(Kind::Comment, target, ""), comment);
        }
        if let Some(whole) = out.find(of, oid, sub) {
            let is_index = matches!(whole.kind(), Kind::Key | Kind::Exclusion) && of == class::RELATION;
            if is_index && !out.is_clone(of, oid) {
                let comment = Object::Comment(Comment { text: Text::new(text) });
                return out.add_satellite(ObjectId::of(Kind::Comment, whole, ON_INDEX), comment);
            }
            out.unplaced.push(format!("a comment on a part of {whole}: {text}"));
        }
        Ok(())
    },
};
