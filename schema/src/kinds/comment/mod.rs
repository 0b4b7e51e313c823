//! Comments, on anything.

pub mod read;
pub mod write;

use crate::catalog::Catalog;
use crate::id::ObjectId;
use crate::ident::{QName, Text};
use crate::kinds::naming;
use crate::object::{Alter, Context, Nature, ObjectKind, Visitor};
use crate::sql::Sql;
use crate::step::Steps;
use crate::write::Writer;

/// A comment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub struct Comment {
    /// The text.
    pub text: Text,
}

/// The name of a comment that is on the index of a constraint.
pub const ON_INDEX: &str = "index";

fn head(id: ObjectId, sides: [&Catalog; 2]) -> Sql {
    let mut sql = Sql::new("COMMENT ON");
    if let (Some(schema), Some(constraint), ON_INDEX) = (id.schema(), id.parent(), id.name().as_str()) {
        sql.kw("INDEX").name(QName::new(schema, constraint.name())).kw("IS");
        return sql;
    }
    naming::object(&mut sql, id.parent().unwrap_or(id), sides);
    sql.kw("IS");
    sql
}

impl ObjectKind for Comment {
    fn nature(&self) -> Nature {
        Nature::CARRIED
    }

    fn visit(&mut self, _: &mut dyn Visitor) {}

    fn write(&self, id: ObjectId, out: &mut Writer<'_>) {
        write::write(self, id, out);
    }

    fn create(&self, id: ObjectId, context: &Context<'_>, out: &mut Steps) {
        let mut sql = head(id, [context.desired, context.current]);
        sql.literal(self.text.as_str());
        out.push(sql);
    }

    fn alter(_: &Self, new: &Self, id: ObjectId, context: &Context<'_>, out: &mut Steps) -> Alter {
        let Self { text: _ } = new;
        new.create(id, context, out);
        Alter::InPlace
    }

    fn drop(&self, id: ObjectId, context: &Context<'_>, out: &mut Steps) {
        let mut sql = head(id, [context.current, context.desired]);
        sql.kw("NULL");
        out.push(sql);
    }
}
