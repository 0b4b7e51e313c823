//! Event triggers. Only a superuser may make one, and has to own it.

pub mod declare;
pub mod read;
pub mod write;

use crate::fragment::Aside;
use crate::id::ObjectId;
use crate::ident::{Ident, Text};
use crate::kinds::trigger::Enabled;
use crate::kinds::types;
use crate::object::{Alter, Context, Nature, ObjectKind, Visitor};
use crate::reference::Reference;
use crate::sql::Sql;
use crate::step::{Loss, Steps};
use crate::write::Writer;

/// An event trigger.
#[derive(Clone, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub struct EventTrigger {
    /// The event: `ddl_command_end`.
    pub event: Ident,
    /// WHEN TAG IN: the commands, in capitals as PostgreSQL keeps them; all, when there are none.
    pub tags: Vec<Text>,
    /// The function that it calls.
    pub function: Reference,
    /// For which sessions it fires.
    pub enabled: Enabled,
    /// Its owner, where it is known.
    pub owner: Aside<Option<Ident>>,
}

impl EventTrigger {
    fn set_enabled(&self, id: ObjectId, out: &mut Steps) {
        let mut sql = types::alter(id);
        sql.kw(match self.enabled {
            Enabled::Origin => "ENABLE",
            Enabled::Disabled => "DISABLE",
            Enabled::Replica => "ENABLE REPLICA",
            Enabled::Always => "ENABLE ALWAYS",
        });
        out.push(sql);
    }
}

impl ObjectKind for EventTrigger {
    fn nature(&self) -> Nature {
        Nature { dies_with_parent: false, ..Nature::CARRIED }
    }

    fn visit(&mut self, visitor: &mut dyn Visitor) {
        visitor.reference(&mut self.function);
    }

    crate::kinds::types::has_owner!();

    fn write(&self, id: ObjectId, out: &mut Writer<'_>) {
        write::write(self, id, out);
    }

    fn create(&self, id: ObjectId, context: &Context<'_>, out: &mut Steps) {
        let mut sql = Sql::new("CREATE EVENT TRIGGER");
        sql.ident(id.name()).kw("ON").ident(self.event);
        if !self.tags.is_empty() {
            let tags: Vec<Sql> = self.tags.iter().map(|tag| literal(tag.as_str())).collect();
            sql.kw("WHEN TAG IN (").list(&tags).kw(")");
        }
        sql.kw(" EXECUTE FUNCTION");
        if let Some(function) = self.function.qname() {
            sql.name(function);
        }
        sql.kw("()");
        out.push(sql);
        if self.enabled != Enabled::Origin {
            self.set_enabled(id, out);
        }
        types::set_owner(id, self.owner.0, context, out);
    }

    fn alter(old: &Self, new: &Self, id: ObjectId, _: &Context<'_>, out: &mut Steps) -> Alter {
        let Self { event, tags, function, enabled, owner: _ } = new;
        if *event != old.event || *tags != old.tags || *function != old.function {
            return Alter::Replace("of an event trigger only who owns it and when it fires can be changed");
        }
        if *enabled != old.enabled {
            new.set_enabled(id, out);
        }
        Alter::InPlace
    }

    fn drop(&self, id: ObjectId, _: &Context<'_>, out: &mut Steps) {
        out.push(types::drop(id)).loses(Loss::DropObject, id);
    }
}

fn literal(text: &str) -> Sql {
    let mut sql = Sql::default();
    sql.literal(text);
    sql
}
