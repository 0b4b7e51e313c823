//! Enum types.

pub mod declare;
pub mod read;
pub mod write;

use crate::fragment::Aside;
use crate::id::ObjectId;
use crate::ident::{Ident, Text};
use crate::kinds::{grant, naming, types};
use crate::object::{Alter, Context, Nature, Object, ObjectKind, Visitor};
use crate::sql::Sql;
use crate::step::{Loss, Steps};
use crate::write::Writer;

/// An enum type.
#[derive(Clone, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub struct Enum {
    /// Its labels in order.
    pub values: Vec<Text>,
    /// Its owner, where it is known.
    pub owner: Aside<Option<Ident>>,
}

impl ObjectKind for Enum {
    fn nature(&self) -> Nature {
        Nature { dies_with_parent: false, ..Nature::DATA }
    }

    fn visit(&mut self, _: &mut dyn Visitor) {}

    crate::kinds::types::has_owner!();

    fn implies(&self, id: ObjectId, context: &Context<'_>) -> Vec<(ObjectId, Object)> {
        grant::implied(id, context)
    }

    fn write(&self, id: ObjectId, out: &mut Writer<'_>) {
        write::write(self, id, out);
    }

    fn create(&self, id: ObjectId, context: &Context<'_>, out: &mut Steps) {
        let mut sql = Sql::new("CREATE TYPE");
        naming::own_name(&mut sql, id);
        let labels: Vec<Sql> = self
            .values
            .iter()
            .map(|label| {
                let mut item = Sql::default();
                item.literal(label.as_str());
                item
            })
            .collect();
        sql.kw("AS ENUM (").list(&labels).kw(")");
        out.push(sql);
        types::set_owner(id, self.owner.0, context, out);
    }

    fn alter(old: &Self, new: &Self, id: ObjectId, _: &Context<'_>, out: &mut Steps) -> Alter {
        let Self { values, owner: _ } = new;
        if old.values.iter().any(|label| !values.contains(label)) {
            return Alter::Park("a value is taken away, and PostgreSQL can only add values");
        }
        let kept: Vec<Text> = values.iter().filter(|label| old.values.contains(label)).copied().collect();
        if kept != old.values {
            return Alter::Park("values change places, and PostgreSQL cannot move them");
        }
        for (index, label) in values.iter().enumerate().filter(|(_, label)| !old.values.contains(label)) {
            let mut sql = types::alter(id);
            sql.kw("ADD VALUE").literal(label.as_str());
            let old_behind = values.iter().skip(index).find(|label| old.values.contains(label));
            match (old_behind, index.checked_sub(1).and_then(|before| values.get(before))) {
                (None, _) => {}
                (Some(_), Some(before)) => {
                    sql.kw("AFTER").literal(before.as_str());
                }
                (Some(behind), None) => {
                    sql.kw("BEFORE").literal(behind.as_str());
                }
            }
            out.push(sql).impact.ends_segment = true;
        }
        Alter::InPlace
    }

    fn drop(&self, id: ObjectId, _: &Context<'_>, out: &mut Steps) {
        out.push(types::drop(id)).loses(Loss::DropObject, id);
    }

    fn rename(&self, from: ObjectId, to: ObjectId, _: &Context<'_>, out: &mut Steps) {
        types::rename_type(from, to, out);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::Catalog;
    use crate::ident::QName;
    use crate::object::{Kind, Server};

    fn of(labels: &[&str]) -> Enum {
        Enum { values: labels.iter().map(|label| Text::new(label)).collect(), owner: Aside(None) }
    }

    fn altered(old: &[&str], new: &[&str]) -> Result<Vec<String>, &'static str> {
        let catalog = Catalog::default();
        let server = Server { version: 15, role: Ident::new("me") };
        let context = Context { current: &catalog, desired: &catalog, server: &server };
        let id = ObjectId::in_schema(Kind::Enum, QName::new("app", "mood"));
        let mut steps = Steps::default();
        match Enum::alter(&of(old), &of(new), id, &context, &mut steps) {
            Alter::Park(why) => Err(why),
            _ => Ok(steps.list.into_iter().map(|step| step.sql).collect()),
        }
    }

    #[test]
    fn values_are_added_where_they_stand() {
        assert_eq!(
            altered(&["a", "b"], &["a", "b", "c", "d"]).unwrap(),
            ["ALTER TYPE app.mood ADD VALUE 'c'", "ALTER TYPE app.mood ADD VALUE 'd'",]
        );
        assert_eq!(
            altered(&["b", "d"], &["a", "A", "b", "it's", "d"]).unwrap(),
            [
                "ALTER TYPE app.mood ADD VALUE 'a' BEFORE 'b'",
                "ALTER TYPE app.mood ADD VALUE 'A' AFTER 'a'",
                "ALTER TYPE app.mood ADD VALUE 'it''s' AFTER 'b'",
            ]
        );
        assert_eq!(altered(&[], &["a"]).unwrap(), ["ALTER TYPE app.mood ADD VALUE 'a'"]);
        assert!(altered(&["a"], &["a"]).unwrap().is_empty());
    }

    #[test]
    fn a_value_that_goes_or_moves_needs_a_new_type() {
        assert!(altered(&["a", "b"], &["a"]).unwrap_err().contains("taken away"));
        assert!(altered(&["a", "b"], &["b", "c", "a"]).unwrap_err().contains("places"));
    }
}
