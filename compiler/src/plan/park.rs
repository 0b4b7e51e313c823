//! The third way to replace, for what columns are made of: the old type gives up its name, the new one is created, the
//! columns get from one to the other, and the old one is dropped.
//!
//! Parking is a relocation of the current side. From there on nothing is special: columns of the parked type differ
//! from what they shall be, what mentions it is rebuilt, and it goes away because no file declares it. Nothing is
//! lost: a row with a value that the new type does not take makes its column's statement fail.

use crate::relocate::{self, Relocated, Relocation};
use schemac_schema::catalog::{Catalog, Standing};
use schemac_schema::id::{ObjectId, Slot};
use schemac_schema::ident::{Ident, MAX_NAME_BYTES, QName};
use schemac_schema::object::{Alter, Context, Object, Server};
use schemac_schema::step::Steps;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// The types that give up their names.
#[derive(Debug, Default)]
pub struct Parked {
    /// By the names under which they wait: what they become, and why.
    pub types: BTreeMap<ObjectId, (ObjectId, &'static str)>,
    /// The new ones.
    pub new: BTreeSet<ObjectId>,
}

/// Parks what must be; a type that is made of a parked one follows. Nothing when nothing must be.
pub fn park(relocated: &Relocated, desired: &Catalog, server: &Server) -> Option<(Relocated, Parked)> {
    let mut parked = Parked::default();
    let mut at: Option<Relocated> = None;
    loop {
        let here = at.as_ref().unwrap_or(relocated);
        let found = to_park(&Context { current: &here.catalog, desired, server });
        if found.is_empty() {
            return at.map(|at| (at, parked));
        }
        let mut moves = Vec::new();
        for (id, why) in found {
            // What moves in this plan waits where it is: its new name is taken by the new one before it could get there.
            let origin = here.was.get(&id).copied().unwrap_or(id);
            let Some(waiting) = waiting_name(origin, &here.catalog, desired) else { continue };
            parked.types.insert(waiting, (id, why));
            parked.new.insert(id);
            moves.push(Relocation { from: id, to: waiting });
        }
        at = Some(follow(at.unwrap_or_else(|| relocated.clone()), moves));
    }
}

fn to_park(context: &Context<'_>) -> Vec<(ObjectId, &'static str)> {
    context
        .desired
        .iter()
        .filter(|(id, entry)| {
            id.kind().is_type() && entry.standing != Standing::External && !entry.object.is_opaque()
        })
        .filter_map(|(id, entry)| {
            let live = context.current.get(id).filter(|live| live.object != entry.object)?;
            match Object::alter(&live.object, &entry.object, id, context, &mut Steps::default()) {
                Alter::Park(why) => Some((id, why)),
                _ => None,
            }
        })
        .collect()
}

/// A name that nobody has: `mood__schemac_old`, within 63 bytes.
fn waiting_name(id: ObjectId, current: &Catalog, desired: &Catalog) -> Option<ObjectId> {
    let name = id.qname()?;
    (0_u32..).find_map(|attempt| {
        let suffix =
            if attempt == 0 { "__schemac_old".to_owned() } else { format!("__schemac_old{attempt}") };
        let mut end = name.name.as_str().len().min(MAX_NAME_BYTES - suffix.len());
        while !name.name.as_str().is_char_boundary(end) {
            end -= 1;
        }
        let own = Ident::new(&format!("{}{suffix}", &name.name.as_str()[..end]));
        let waiting = QName { schema: name.schema, name: own };
        let taken = [Slot::Type(waiting), Slot::Relation(waiting)]
            .into_iter()
            .any(|slot| current.holder(slot).is_some() || desired.holder(slot).is_some());
        (!taken).then(|| ObjectId::in_schema(id.kind(), waiting))
    })
}

/// Carries out more moves on a side that is relocated already.
fn follow(relocated: Relocated, moves: Vec<Relocation>) -> Relocated {
    let Relocated { catalog, moves: earlier, renaming, was, before, shadows } = relocated;
    let mut next = relocate::carry_out(catalog, moves, HashMap::new());
    next.shadows = shadows;
    // What moves in this plan anyway goes to its waiting name directly.
    let mut all = earlier;
    for relocation in std::mem::take(&mut next.moves) {
        match all.iter_mut().find(|earlier| earlier.to == relocation.from) {
            Some(earlier) => earlier.to = relocation.to,
            None => all.push(relocation),
        }
    }
    next.moves = all;
    (next.renaming, next.before) = (renaming, before);
    for origin in next.was.values_mut() {
        *origin = was.get(origin).copied().unwrap_or(*origin);
    }
    for (id, origin) in was {
        if next.catalog.contains(id) {
            next.was.entry(id).or_insert(origin);
        }
    }
    next
}
