//! Gives the current side the names that it will have, so that the rest of the pipeline compares like with like.
//!
//! A move that has happened already means nothing; a move whose old name does not exist means nothing either. What
//! moves takes everything that stands on it along, and what PostgreSQL moves with it (owned sequences).

use crate::rename::{self, Renaming};
use schemac_schema::catalog::Catalog;
use schemac_schema::code::Code;
use schemac_schema::declare::Move;
use schemac_schema::declare::facade::is_facade;
use schemac_schema::diagnostic::Diagnostic;
use schemac_schema::id::{Address, ObjectId, Slot};
use schemac_schema::ident::{Ident, QName};
use schemac_schema::kinds::{companions, followers, members_along, operators_along, outlives_its_choice};
use std::collections::{HashMap, HashSet};

/// One move that the plan has to carry out.
#[derive(Clone, Copy, Debug)]
pub struct Relocation {
    /// What it is called now.
    pub from: ObjectId,
    /// What it will be called.
    pub to: ObjectId,
}

/// The current side under its future names.
#[derive(Clone, Debug, Default)]
pub struct Relocated {
    /// The objects, under the names that they will have.
    pub catalog: Catalog,
    /// The moves to carry out, in the order of the files.
    pub moves: Vec<Relocation>,
    /// From the names that the database has to those that it will have.
    pub renaming: Renaming,
    /// What each moved object is called now.
    pub was: HashMap<ObjectId, ObjectId>,
    /// The objects as they were read, where any of them moves.
    pub before: Option<Catalog>,
    /// Facades whose names are taken by what is behind them: under names that nothing can have, and their own. They go.
    pub shadows: HashMap<ObjectId, ObjectId>,
}

impl Relocated {
    /// What an object is called in the database until it goes.
    pub fn own_name(&self, id: ObjectId) -> ObjectId {
        self.shadows.get(&id.root()).map_or(id, |own| id.rebased(id.root(), *own))
    }

    /// The facade that has the name of what moves into it, until then.
    pub fn facade_at(&self, to: ObjectId) -> Option<ObjectId> {
        let before = self.before();
        let shadow = self.shadows.values().find(|own| own.qname() == to.qname()).copied();
        shadow.or_else(|| before.relation(to.qname()?)).filter(|id| is_facade(before, *id, None))
    }

    /// The objects as they were read.
    pub fn before(&self) -> &Catalog {
        self.before.as_ref().unwrap_or(&self.catalog)
    }
}

/// Renames the current side as the moves say.
pub fn relocate(
    mut current: Catalog,
    moves: &[Move],
    desired: &Catalog,
    diagnostics: &mut Vec<Diagnostic>,
) -> Relocated {
    let (routines, others): (Vec<&Move>, Vec<&Move>) =
        moves.iter().partition(|wish| wish.to.kind().is_routine());
    let mut chosen = choose(&current, &others, desired, diagnostics);
    accompany(&current, desired, &mut chosen);
    let members = |current: &Catalog, are_routines: bool| {
        let all = members_along(current, desired).into_iter();
        let these = all.filter(move |(from, _)| from.kind().is_routine() == are_routines);
        these.map(|(from, to)| Relocation { from, to }).collect::<Vec<_>>()
    };
    chosen.extend(members(&current, false));
    // Routines are called by their argument types, which have their new names from here on.
    let before = (!chosen.is_empty()).then(|| current.clone());
    let called = call_anew(&mut current, &chosen);
    chosen.extend(choose(&current, &routines, desired, diagnostics));
    chosen.extend(members(&current, true));
    if chosen.is_empty() {
        return Relocated { catalog: current, ..Relocated::default() };
    }
    let before = before.unwrap_or_else(|| current.clone());
    let shadows = shadows(&current, &chosen);
    let operators = operators_along(&current, desired);
    let carried = carry_all(current, chosen, shadows, operators);
    let mut relocated = Relocated { before: Some(before), ..carried };
    let renamed: Vec<ObjectId> = relocated.was.keys().filter(|id| id.kind().is_column()).copied().collect();
    for column in renamed {
        outlives_its_choice(&mut relocated.catalog, column);
    }
    relocated.catalog.sort();
    for was in relocated.was.values_mut() {
        if let Some(old) = called.get(&was.root()) {
            *was = was.rebased(was.root(), *old);
        }
    }
    for (new, old) in called {
        if shadow(old) == Some(new) {
            relocated.shadows.insert(new, old);
        }
        if relocated.catalog.contains(new) {
            relocated.was.insert(new, old);
        }
    }
    relocated
}

/// Gives routines whose argument types move the ids that they will have; the old ids by the new ones.
fn call_anew(current: &mut Catalog, chosen: &[Relocation]) -> HashMap<ObjectId, ObjectId> {
    let new = called_anew(current, chosen);
    if !new.is_empty() {
        crate::address::rebase(current, &new);
    }
    new.into_iter().map(|(old, new)| (new, old)).collect()
}

/// The ids that routines will have whose argument types move, by their old ones.
pub(crate) fn called_anew(current: &Catalog, chosen: &[Relocation]) -> HashMap<ObjectId, ObjectId> {
    let mut renaming = Renaming::default();
    for one in chosen.iter().filter(|one| one.from.kind().is_relation() || one.from.kind().is_type()) {
        if let (Some(old), Some(new)) = (one.from.qname(), one.to.qname()) {
            renaming.types.insert(old, new);
        }
    }
    let mut new: HashMap<ObjectId, ObjectId> = HashMap::new();
    if renaming.is_empty() {
        return new;
    }
    for (id, entry) in current.iter().filter(|(id, _)| id.kind().is_routine()) {
        let mut object = entry.object.clone();
        renaming.apply(&mut object, None);
        let address = object.address(id);
        if address != id {
            new.insert(id, address);
            // An overload for rows of a facade, whose name the table takes back: whoever wrote it, it takes rows of
            // what is on its way out.
            if current.contains(address)
                && let Some(shadow) = shadow(address)
            {
                new.insert(address, shadow);
            }
        }
    }
    new
}

/// A name that nothing can have: none in PostgreSQL holds a zero byte.
fn shadow(id: ObjectId) -> Option<ObjectId> {
    let name = Ident::new(&format!("{}\0", id.name()));
    match id.address() {
        Address::InSchema(own) => Some(ObjectId::in_schema(id.kind(), QName { name, ..own })),
        Address::Routine(own, inputs) => {
            Some(ObjectId::new(id.kind(), Address::Routine(QName { name, ..own }, inputs)))
        }
        _ => None,
    }
}

/// Whether this is such a name.
pub(crate) fn is_shadow(id: ObjectId) -> bool {
    id.root().name().as_str().ends_with('\0')
}

/// Decides which moves the plan has to carry out.
fn choose(
    current: &Catalog,
    moves: &[&Move],
    desired: &Catalog,
    diagnostics: &mut Vec<Diagnostic>,
) -> Vec<Relocation> {
    let mut chosen: Vec<Relocation> = Vec::new();
    let leaving: HashSet<ObjectId> = moves.iter().flat_map(|m| m.from.iter().copied()).collect();
    // Whole objects first: the parts of a moved table stand on it under its old name.
    let mut was: HashMap<ObjectId, ObjectId> = HashMap::new();
    let (parts, wholes): (Vec<&Move>, Vec<&Move>) =
        moves.iter().copied().partition(|wish| wish.to.parent().is_some());
    for wish in wholes.into_iter().chain(parts) {
        // A part stands on what its whole is called now. The old name of a whole is one of today already, also where
        // something else comes to it.
        let today = |id: ObjectId| match was.get(&id.root()).filter(|_| id.parent().is_some()) {
            Some(old) => id.rebased(id.root(), *old),
            None => id,
        };
        let to_today = today(wish.to);
        let mut present: Vec<ObjectId> = wish
            .from
            .iter()
            .map(|from| today(*from))
            .filter(|from| *from != to_today && current.contains(*from))
            .collect();
        let mut seen = HashSet::new();
        present.retain(|from| seen.insert(*from));
        // What stands in an old place for the clients is not what was there, where that is elsewhere.
        let real = |id: &ObjectId| current.contains(*id) && !is_facade(current, *id, None);
        if real(&to_today) || present.iter().any(real) {
            present.retain(real);
        }
        // What the files have under the old name is another object, where there is one that is not.
        if present.len() > 1 && present.iter().any(|from| !desired.contains(*from)) {
            present.retain(|from| !desired.contains(*from));
        }
        if current.contains(to_today) {
            // It has moved already, and what has its old name now is another object of the files.
            present.retain(|from| !desired.contains(*from));
            if let [from] = present[..]
                && is_facade(current, to_today, Some(from))
            {
                chosen.push(Relocation { from, to: wish.to });
                was.insert(wish.to, from);
                continue;
            }
        }
        let arrived = current.contains(to_today) && !(leaving.contains(&wish.to) && present.len() == 1);
        match (present.as_slice(), arrived) {
            ([], _) => {}
            ([from], false) => {
                chosen.push(Relocation { from: *from, to: wish.to });
                if wish.to.parent().is_none() {
                    was.insert(wish.to, *from);
                }
            }
            ([from, ..], true) => diagnostics.push(
                Diagnostic::error(Code::BothNamesExist, format!("both {from} and {} exist", wish.to))
                    .at(wish.span)
                    .help("one of the two has to go first: drop or rename the one that is left over"),
            ),
            ([one, two, ..], false) => diagnostics.push(
                Diagnostic::error(
                    Code::BothNamesExist,
                    format!("both {one} and {two} exist; only one can become {}", wish.to),
                )
                .at(wish.span)
                .help("take the name that is another object out of `moved_from`"),
            ),
        }
    }
    chosen
}

/// The facades that stand where what is behind them goes back to. A table is told from its facade by its kind; a view
/// or function is not.
fn shadows(current: &Catalog, chosen: &[Relocation]) -> HashMap<ObjectId, ObjectId> {
    let leaving: HashSet<ObjectId> = chosen.iter().map(|one| one.from).collect();
    let mut shadows = HashMap::new();
    for one in chosen.iter().filter(|one| current.contains(one.to) && !leaving.contains(&one.to)) {
        // Another one may have it already, for the rows of a facade.
        let mut name = shadow(one.to);
        while let Some(taken) = name.filter(|name| current.contains(*name)) {
            name = shadow(taken);
        }
        shadows.extend(name.map(|name| (name, one.to)));
    }
    shadows
}

/// Adds what has to move because something else does: partitions, and the columns of children.
fn accompany(current: &Catalog, desired: &Catalog, chosen: &mut Vec<Relocation>) {
    let mut more: Vec<Relocation> = Vec::new();
    for relocation in chosen.iter() {
        for (from, to) in companions(current, relocation.from, relocation.to) {
            let moves = |one: &Relocation| one.from == from || one.to == to;
            if !chosen.iter().chain(&more).any(moves) && !current.contains(to) && !desired.contains(from) {
                more.push(Relocation { from, to });
            }
        }
    }
    // What stands on a moved table is named below its new name.
    let wholes: HashMap<ObjectId, ObjectId> = chosen
        .iter()
        .chain(&more)
        .filter(|one| one.from.parent().is_none())
        .map(|one| (one.from, one.to))
        .collect();
    for relocation in more.iter_mut().filter(|one| one.from.parent().is_some()) {
        if let Some(root) = wholes.get(&relocation.from.root()) {
            relocation.to = relocation.to.rebased(relocation.from.root(), *root);
        }
    }
    chosen.append(&mut more);
}

/// The current side after moves that are known to be possible.
pub(crate) fn carry_out(
    current: Catalog,
    moves: Vec<Relocation>,
    shadows: HashMap<ObjectId, ObjectId>,
) -> Relocated {
    carry_all(current, moves, shadows, Vec::new())
}

/// The same with operators and operator classes that move, which only what uses them names.
fn carry_all(
    current: Catalog,
    moves: Vec<Relocation>,
    shadows: HashMap<ObjectId, ObjectId>,
    operators: Vec<(ObjectId, [String; 3])>,
) -> Relocated {
    let mut roots: HashMap<ObjectId, ObjectId> = HashMap::new();
    let mut renaming = Renaming::default();
    for relocation in moves.iter().filter(|relocation| relocation.from.parent().is_none()) {
        roots.insert(relocation.from, relocation.to);
    }
    for relocation in &moves {
        for (from, to) in followers(&current, relocation.from, relocation.to) {
            // Its own move says more: it also gets another name.
            roots.entry(from).or_insert(to);
        }
    }
    roots.extend(shadows.iter().map(|(shadow, own)| (*own, *shadow)));
    for (from, to) in &roots {
        let (Some(old), Some(new)) = (from.qname(), to.qname()) else { continue };
        if from.kind().is_relation() {
            renaming.relations.insert(old, new);
        }
        if from.kind().is_relation() || from.kind().is_type() {
            renaming.types.insert(old, new);
        }
        if from.kind().is_routine() {
            renaming.routines.insert(old, new);
        }
    }
    // The sequence of an identity column goes with its table, and may be named in SQL.
    for (id, entry) in current.iter().filter(|(id, _)| id.kind().is_satellite()) {
        let Some(to) = roots.get(&id.root()) else { continue };
        let names = |id: ObjectId| {
            entry.object.slots(id).into_iter().filter_map(|slot| match slot {
                Slot::Relation(name) => Some(name),
                _ => None,
            })
        };
        renaming
            .relations
            .extend(names(id).zip(names(id.rebased(id.root(), *to))).filter(|(old, new)| old != new));
    }
    // Parts of a moved object are named below its new name in the files.
    let mut parts: HashMap<ObjectId, ObjectId> = HashMap::new();
    for relocation in moves.iter().filter(|relocation| relocation.from.parent().is_some()) {
        let Some(old_root) = relocation.from.root().qname() else { continue };
        parts.insert(relocation.from, relocation.to);
        renaming.columns.insert((old_root, relocation.from.name()), relocation.to.name());
    }
    let moved = |id: ObjectId| -> ObjectId {
        let mut id = id;
        if !parts.is_empty() {
            let mut at = Some(id);
            while let Some(above) = at {
                if let Some(to) = parts.get(&above) {
                    // The new id already stands below the new root.
                    return id.rebased(above, *to);
                }
                at = above.parent();
            }
        }
        if let Some(to) = roots.get(&id.root()) {
            id = id.rebased(id.root(), *to);
        }
        id
    };
    let mut relocated = Relocated { moves, renaming, shadows, ..Relocated::default() };
    let mut touched: HashSet<ObjectId> = roots.keys().chain(parts.keys()).copied().collect();
    touched.extend(operators.iter().map(|(id, _)| *id));
    for (_, [old, name, new]) in operators {
        relocated.renaming.operators.insert((old, name), new);
    }
    // What moves comes last: whoever held its new name is on its way out.
    let (moving, staying): (Vec<_>, Vec<_>) = current.into_entries().partition(|(id, _)| moved(*id) != *id);
    for (id, mut entry) in staying.into_iter().chain(moving) {
        let new = moved(id);
        let concerned = new != id
            || entry.uses.iter().any(|used| touched.contains(used) || touched.contains(&used.root()));
        if concerned {
            relocated.renaming.apply(&mut entry.object, rename::own_relation(id));
            entry.uses = entry.uses.iter().map(|used| moved(*used)).collect();
        }
        if new != id {
            relocated.was.insert(new, id);
        }
        relocated.catalog.insert_over(new, entry);
    }
    relocated.catalog.sort();
    relocated
}
