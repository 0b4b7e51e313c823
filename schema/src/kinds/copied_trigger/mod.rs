//! When a partition's copy of its table's trigger fires, where that is otherwise than the table above says.
//!
//! PostgreSQL makes, replaces and drops the copies with the table's trigger, and each time they fire as that does; what is
//! said of a copy goes for the partitions below as well. Not here: the trigger itself, which stands on the table at the
//! top.

pub mod declare;
pub mod write;

use crate::catalog::Catalog;
use crate::id::ObjectId;
use crate::kinds::table;
use crate::kinds::trigger::{self, Enabled};
use crate::object::{Alter, Context, Kind, Nature, Object, ObjectKind, Visitor};
use crate::step::Steps;
use crate::write::Writer;

/// When the copy fires.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub struct CopiedTrigger {
    /// For which sessions.
    pub enabled: Enabled,
}

/// The trigger that it is a copy of.
pub fn original(copy: ObjectId, catalog: &Catalog) -> Option<ObjectId> {
    above(copy, catalog).find(|id| id.kind() == Kind::Trigger)
}

/// What is said of the trigger on the tables above, the nearest first; the trigger itself comes last.
fn above(copy: ObjectId, catalog: &Catalog) -> impl Iterator<Item = ObjectId> {
    let tables = copy.parent().into_iter().flat_map(|table| table::wholes(table, catalog));
    let both = [Kind::CopiedTrigger, Kind::Trigger];
    let said = tables.flat_map(move |table| both.map(|kind| ObjectId::on(kind, table, copy.name())));
    said.filter(|id| catalog.contains(*id))
}

/// When the trigger fires on the table above.
pub fn usual(copy: ObjectId, catalog: &Catalog) -> Option<Enabled> {
    match &catalog.get(above(copy, catalog).next()?)?.object {
        Object::CopiedTrigger(copy) => Some(copy.enabled),
        Object::Trigger(trigger) => Some(trigger.enabled),
        _ => None,
    }
}

/// Says again when the copies fire that stay as they are, on the partitions below a table and on it itself: all of them,
/// or those of one trigger.
pub fn say_again(table: ObjectId, of: Option<ObjectId>, context: &Context<'_>, out: &mut Steps) {
    let copies = context.desired.iter().filter(|(id, entry)| {
        id.kind() == Kind::CopiedTrigger
            && of.is_none_or(|of| id.name() == of.name() && *id != of)
            && context.current.get(*id).is_some_and(|live| live.object == entry.object)
    });
    let mut found: Vec<(usize, ObjectId, Enabled)> = copies
        .filter_map(|(id, entry)| {
            let Object::CopiedTrigger(copy) = &entry.object else { return None };
            let own = id.parent()?;
            let depth = std::iter::once(own).chain(table::wholes(own, context.desired));
            let depth = depth.take_while(|above| *above != table).count();
            let is_below = own == table || table::wholes(own, context.desired).any(|above| above == table);
            let stays = is_below && original(id, context.current) == original(id, context.desired);
            stays.then_some((depth, id, copy.enabled))
        })
        .collect();
    found.sort_unstable_by_key(|(depth, id, _)| (*depth, *id));
    for (_, id, enabled) in found {
        trigger::fire(id, enabled, out);
    }
}

fn say(id: ObjectId, enabled: Enabled, context: &Context<'_>, out: &mut Steps) {
    trigger::fire(id, enabled, out);
    if let Some(table) = id.parent() {
        say_again(table, Some(id), context, out);
    }
}

/// Whether the trigger that it is a copy of is there and stays as it is.
fn is_untouched(copy: ObjectId, context: &Context<'_>) -> bool {
    let side = |catalog: &Catalog| {
        let id = original(copy, catalog)?;
        Some((id, catalog.get(id)?.object.clone()))
    };
    let (old, new) = (side(context.current), side(context.desired));
    old.is_some() && old == new
}

impl ObjectKind for CopiedTrigger {
    fn nature(&self) -> Nature {
        Nature::REBUILT
    }

    fn visit(&mut self, _: &mut dyn Visitor) {}

    fn uses(&self, id: ObjectId, catalog: &Catalog, out: &mut Vec<ObjectId>) {
        out.extend(above(id, catalog));
    }

    fn write(&self, id: ObjectId, out: &mut Writer<'_>) {
        write::write(*self, id, out);
    }

    fn create(&self, id: ObjectId, context: &Context<'_>, out: &mut Steps) {
        say(id, self.enabled, context, out);
    }

    fn alter(_: &Self, new: &Self, id: ObjectId, context: &Context<'_>, out: &mut Steps) -> Alter {
        let Self { enabled: _ } = new;
        new.create(id, context, out);
        Alter::InPlace
    }

    /// It fires as on the table above again. What becomes of the trigger becomes of its copies too.
    fn drop(&self, id: ObjectId, context: &Context<'_>, out: &mut Steps) {
        if context.desired.contains(id) || !is_untouched(id, context) {
            return;
        }
        if let Some(enabled) = usual(id, context.desired) {
            say(id, enabled, context, out);
        }
    }
}
