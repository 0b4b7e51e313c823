//! What differs, and what has to be rebuilt because of it: a map from ids to changes.
//!
//! The differ has no code per kind: it compares objects and asks them for the steps. `replace` is one reverse walk
//! from what is dropped or disturbed to what depends on it.

use super::Because;
use super::park::Parked;
use schemac_schema::catalog::{Entry, Standing};
use schemac_schema::code::Code;
use schemac_schema::diagnostic::Diagnostic;
use schemac_schema::id::{ObjectId, Slot};
use schemac_schema::kinds;
use schemac_schema::object::{Alter, Context, Object};
use schemac_schema::step::Steps;
use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};

/// What happens to one object.
#[derive(Clone, Debug)]
pub enum Change {
    /// It comes into being.
    Create(Because),
    /// It goes away.
    Drop(Because),
    /// It is changed in place.
    Alter(Steps),
    /// It is dropped and created.
    Replace(Because),
    /// It came into being with its parent in this shape, and is changed from there.
    Implied(Object),
    /// It came into being with its parent and goes away again.
    Unwanted(Object),
}

/// All changes, and which of them belong together because one causes the other.
#[derive(Debug, Default)]
pub struct Changes {
    /// By object.
    pub map: BTreeMap<ObjectId, Change>,
    /// Pairs of objects whose changes must be committed together.
    pub together: Vec<(ObjectId, ObjectId)>,
    /// Pairs of objects of which the first lets go of the second, before that comes or changes.
    pub letting_go: Vec<(ObjectId, ObjectId)>,
}

/// Compares the two sides. `replaced` is not changed in place, though it could be: that would close a circle.
pub fn changes(
    context: &Context<'_>,
    (parked, replaced): (&Parked, &BTreeSet<ObjectId>),
    diagnostics: &mut Vec<Diagnostic>,
) -> Changes {
    let mut changes = Changes::default();
    let mut open = VecDeque::new();
    for (id, entry) in context.desired.iter() {
        match context.current.get(id) {
            None => {
                // What stands on a parked type comes back with it, declared or not.
                let with = parked.new.get(&id.root()).filter(|_| entry.standing == Standing::Kept);
                if (entry.standing == Standing::Managed || with.is_some()) && !entry.object.is_opaque() {
                    let because = with.map_or(Because::Declared, |root| Because::With(*root));
                    changes.map.insert(id, Change::Create(because));
                }
            }
            Some(_) if replaced.contains(&id) => {
                let why = "what it uses goes before what it will use is there";
                changes.map.insert(id, Change::Replace(Because::Replaced(why)));
                open.push_back((id, why));
            }
            Some(live) if live.object != entry.object && is_changed(entry, parked) => {
                let mut steps = Steps::default();
                changes
                    .together
                    .extend(entry.object.at_once(id, context).into_iter().map(|other| (id, other)));
                for other in entry.object.makes_room(id, context) {
                    changes.together.push((id, other));
                    changes.letting_go.push((id, other));
                }
                match Object::alter(&live.object, &entry.object, id, context, &mut steps) {
                    Alter::InPlace => {
                        alter_owner(live, entry, id, context, &mut steps);
                        if !steps.list.is_empty() {
                            changes.map.insert(id, Change::Alter(steps));
                        }
                    }
                    Alter::Disturb(why) => {
                        alter_owner(live, entry, id, context, &mut steps);
                        changes.map.insert(id, Change::Alter(steps));
                        open.push_back((id, why));
                    }
                    Alter::ReplaceParent(why) => {
                        let parent = id.parent().unwrap_or(id);
                        changes.map.insert(parent, Change::Replace(Because::Replaced(why)));
                        open.push_back((parent, why));
                    }
                    // A type was parked before; anything else has no other way.
                    Alter::Replace(why) | Alter::Park(why) => {
                        changes.map.insert(id, Change::Replace(Because::Replaced(why)));
                        open.push_back((id, why));
                    }
                }
            }
            Some(live) => {
                let mut steps = Steps::default();
                alter_owner(live, entry, id, context, &mut steps);
                if !steps.list.is_empty() {
                    changes.map.insert(id, Change::Alter(steps));
                }
            }
        }
    }
    for (id, entry) in context.current.iter() {
        if !context.desired.contains(id) && entry.standing == Standing::Managed && !entry.object.is_opaque() {
            let (because, why) = match parked.types.get(&id) {
                Some((_, why)) => (Because::Replaced(why), *why),
                None => (Because::NotDeclared, "it goes away"),
            };
            changes.map.insert(id, Change::Drop(because));
            open.push_back((id, why));
        }
    }
    unsettle(context, &mut changes, &mut open);
    replace(context, parked, &mut changes, open, diagnostics);
    refuse(context, &changes, diagnostics);
    imply(context, &mut changes);
    changes
}

/// Gives an object that stays another owner. What a column owns follows the column's table.
fn alter_owner(live: &Entry, entry: &Entry, id: ObjectId, context: &Context<'_>, out: &mut Steps) {
    let owner = entry.object.owner().filter(|_| entry.standing == Standing::Managed);
    let Some(owner) = owner.filter(|owner| live.object.owner() != Some(*owner)) else { return };
    let follows = context
        .desired
        .children(id)
        .iter()
        .any(|child| context.desired.get(*child).is_some_and(|entry| entry.object.takes_along()));
    if !follows {
        kinds::alter_owner(id, owner, out);
    }
}

/// What is made anew because something comes or changes, though it does not use that.
fn unsettle(context: &Context<'_>, changes: &mut Changes, open: &mut VecDeque<(ObjectId, &'static str)>) {
    let why = "it comes or changes";
    let comes =
        changes.map.iter().filter(|(_, change)| matches!(change, Change::Create(_) | Change::Alter(_)));
    let found: Vec<(ObjectId, ObjectId)> = comes
        .filter_map(|(id, _)| Some((*id, context.desired.get(*id)?)))
        .flat_map(|(id, entry)| entry.object.unsettles(id, context).into_iter().map(move |other| (id, other)))
        .collect();
    for (id, other) in found {
        changes.together.push((id, other));
        let is_ours = |entry: &Entry| entry.standing != Standing::External;
        if context.desired.get(other).is_some_and(is_ours) && !is_replaced(changes, other) {
            changes.map.insert(other, Change::Replace(Because::Rebuilt(id, why)));
            open.push_back((other, why));
        }
    }
}

/// Whether a difference is one that the plan makes go away: what no file declares differs only by a parked type.
fn is_changed(entry: &Entry, parked: &Parked) -> bool {
    match entry.standing {
        Standing::Managed => true,
        Standing::Kept => {
            !entry.object.is_opaque() && entry.uses.iter().any(|used| parked.new.contains(used))
        }
        Standing::External => false,
    }
}

/// One reverse walk: what is dropped or disturbed rebuilds each dependent that can be rebuilt, or is an error that
/// shows the chain.
fn replace(
    context: &Context<'_>,
    parked: &Parked,
    changes: &mut Changes,
    mut open: VecDeque<(ObjectId, &'static str)>,
    diagnostics: &mut Vec<Diagnostic>,
) {
    if open.is_empty() {
        return;
    }
    let users = context.current.users();
    let mut causes: HashMap<ObjectId, ObjectId> = HashMap::new();
    let mut refused: BTreeSet<ObjectId> = BTreeSet::new();
    while let Some((id, why)) = open.pop_front() {
        let gone = matches!(changes.map.get(&id), Some(Change::Drop(_) | Change::Replace(_)));
        if gone {
            // What stands on it goes with it, and comes back with it.
            for child in context.current.descendants(id) {
                let Some(live) = context.current.get(child) else { continue };
                let comes_back = context.desired.contains(child);
                if matches!(changes.map.get(&child), Some(Change::Drop(_) | Change::Replace(_))) {
                    continue;
                }
                if live.object.is_opaque() && comes_back {
                    diagnostics.push(blocked(child, id, &causes, why));
                    continue;
                }
                if comes_back {
                    changes.map.insert(child, Change::Replace(Because::With(id)));
                    changes.together.push((id, child));
                } else {
                    changes.map.insert(child, Change::Drop(Because::With(id)));
                }
                open.push_back((child, why));
            }
            // A replaced relation also gets new children that only the desired side has: they are created anyway.
        } else {
            for child in context.current.children(id) {
                let Some(live) = context.current.get(*child) else { continue };
                let stays = context.desired.contains(*child) && !is_replaced(changes, *child);
                if stays && live.object.gives_way(*child, context) {
                    changes.map.insert(*child, Change::Replace(Because::Rebuilt(id, why)));
                    changes.together.push((id, *child));
                }
            }
        }
        for user in users.get(&id).into_iter().flatten() {
            let Some(live) = context.current.get(*user) else { continue };
            if user.is_below(id) || id.is_below(*user) {
                continue;
            }
            // An extension's members go with it; who uses them uses the extension too.
            if id.kind().has_members() && live.standing == Standing::External {
                continue;
            }
            let nature = live.object.nature();
            if !gone && nature.survives_type_change && !live.object.gives_way(*user, context) {
                continue;
            }
            let differs = context.desired.get(*user).is_some_and(|entry| entry.object != live.object);
            let carried = !nature.rebuildable || nature.survives_type_change;
            if parked.types.contains_key(&id) && differs && carried && !is_replaced(changes, *user) {
                // It gets from the parked type to the new one by its own steps.
                changes.together.push((id, *user));
                continue;
            }
            let becomes = context.desired.get(*user);
            match changes.map.get(user) {
                // Made anew it would lose what it holds from now on: a column that is no longer computed.
                Some(Change::Alter(_))
                    if !gone
                        && becomes.is_some_and(|entry| {
                            !entry.object.nature().rebuildable && !entry.uses.contains(&id)
                        }) =>
                {
                    changes.letting_go.push((*user, id));
                    continue;
                }
                Some(Change::Drop(_) | Change::Replace(_)) => {
                    changes.together.push((id, *user));
                    continue;
                }
                // It changes, and no longer uses what goes.
                Some(Change::Alter(_)) if gone && !parked.types.contains_key(&id) => {
                    // What takes over its name cannot come while the old one is used.
                    let successors = live_slots(id, context).filter_map(|slot| context.desired.holder(slot));
                    let heirs: Vec<ObjectId> = std::iter::once(id).chain(successors).collect();
                    let uses =
                        context.desired.get(*user).map(|entry| entry.uses.as_slice()).unwrap_or_default();
                    if !uses.iter().any(|used| heirs.contains(used)) {
                        continue;
                    }
                }
                _ => {}
            }
            // A part goes with the whole and comes back with it.
            if gone && live.object.whole() == Some(id) && live.standing == Standing::Managed {
                changes.together.push((id, *user));
                let change = match context.desired.get(*user).filter(|_| context.desired.contains(id)) {
                    Some(_) => Change::Replace(Because::With(id)),
                    None => Change::Drop(Because::With(id)),
                };
                changes.map.insert(*user, change);
                open.push_back((*user, why));
                continue;
            }
            if !nature.rebuildable || live.object.is_opaque() || live.standing == Standing::External {
                if refused.insert(*user) {
                    diagnostics.push(blocked(*user, id, &causes, why));
                }
                continue;
            }
            // It shall stay as it is, but what it uses goes for good: nothing can bring it back.
            let for_good = matches!(changes.map.get(&id), Some(Change::Drop(_)));
            let still = context.desired.get(*user).is_some_and(|entry| entry.uses.contains(&id));
            if for_good && still {
                if refused.insert(*user) {
                    diagnostics.push(blocked(*user, id, &causes, why));
                }
                continue;
            }
            causes.insert(*user, id);
            changes.together.push((id, *user));
            if context.desired.contains(*user) {
                changes.map.insert(*user, Change::Replace(Because::Rebuilt(id, why)));
            } else {
                changes.map.insert(*user, Change::Drop(Because::NotDeclared));
            }
            open.push_back((*user, why));
        }
    }
}

/// The name slots that an object has.
fn live_slots(id: ObjectId, context: &Context<'_>) -> impl Iterator<Item = Slot> {
    context.current.get(id).map(|entry| entry.object.slots(id)).unwrap_or_default().into_iter()
}

fn is_replaced(changes: &Changes, id: ObjectId) -> bool {
    matches!(changes.map.get(&id), Some(Change::Drop(_) | Change::Replace(_)))
}

fn blocked(user: ObjectId, used: ObjectId, causes: &HashMap<ObjectId, ObjectId>, why: &str) -> Diagnostic {
    let mut chain = vec![user.to_string(), used.to_string()];
    let mut at = used;
    while let Some(cause) = causes.get(&at) {
        chain.push(cause.to_string());
        at = *cause;
        if chain.len() > 50 {
            break;
        }
    }
    Diagnostic::error(Code::Blocked, format!("{user} is in the way: it uses {used}, and {why}"))
        .with_note(format!("the chain: {}", chain.join(" uses ")))
        .help("change or drop the dependent first; schemac rebuilds only what loses nothing by it")
}

/// What PostgreSQL would refuse is said before anything runs.
fn refuse(context: &Context<'_>, changes: &Changes, diagnostics: &mut Vec<Diagnostic>) {
    for (id, change) in &changes.map {
        // What stands on something new meets no data.
        let meets_data = id
            .parent()
            .is_none_or(|_| context.current.contains(id.root()) && !is_replaced(changes, id.root()));
        if matches!(change, Change::Drop(_)) || !meets_data {
            continue;
        }
        let Some(entry) = context.desired.get(*id) else { continue };
        let Some(obstacle) = entry.object.obstacle(*id, context) else { continue };
        let error = Diagnostic::error(Code::Blocked, obstacle.message).help(obstacle.help);
        diagnostics.push(error.at(entry.span));
    }
}

/// Privileges that PostgreSQL adds to new objects by itself are compared with those that are declared.
fn imply(context: &Context<'_>, changes: &mut Changes) {
    let created: Vec<ObjectId> = changes
        .map
        .iter()
        .filter(|(_, change)| matches!(change, Change::Create(_) | Change::Replace(_)))
        .map(|(id, _)| *id)
        .collect();
    for id in created {
        let Some(entry) = context.desired.get(id) else { continue };
        for (satellite, implied) in entry.object.implies(id, context) {
            let change = match context.desired.get(satellite) {
                Some(declared) if declared.object == implied => None,
                Some(_) => Some(Change::Implied(implied)),
                None if kinds::is_unspoken(context.desired, satellite) => None,
                None => Some(Change::Unwanted(implied)),
            };
            match change {
                Some(change) => changes.map.insert(satellite, change),
                None => changes.map.remove(&satellite),
            };
        }
    }
}
