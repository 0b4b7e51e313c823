//! What absence means: adds to the desired side what the database has and no file declares, where it stays.
//!
//! Inside a declared object everything is declared. A whole object that no file declares follows `undeclared`. What
//! belongs to somebody else stays, always.

use crate::load::Project;
use crate::relocate::Relocated;
use schemac_schema::catalog::{Catalog, Entry, Standing};
use schemac_schema::code::Code;
use schemac_schema::diagnostic::Diagnostic;
use schemac_schema::id::ObjectId;
use schemac_schema::ident::QName;
use schemac_schema::kinds;
use schemac_schema::object::Kind;
use schemac_schema::spec::project::Undeclared;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

/// Adds what stays, and takes over what the files leave alone (owners, positions).
pub fn complete(
    desired: &mut Catalog,
    relocated: &Relocated,
    project: &Project,
    notes: &mut Vec<Diagnostic>,
) {
    let current = &relocated.catalog;
    let policy = project.undeclared();
    kinds::settle_owners(
        desired,
        current,
        project.owner().filter(|_| project.compares_owners()),
        project.compares_owners(),
    );
    let dropped: BTreeSet<QName> = project.dropped.iter().map(|(name, _)| *name).collect();
    let declared: HashSet<ObjectId> = desired.ids().map(ObjectId::root).collect();
    let mut undeclared: BTreeMap<Kind, Vec<ObjectId>> = BTreeMap::new();
    let unspoken: BTreeSet<ObjectId> =
        current.ids().filter(|id| id.parent().is_some() && kinds::is_unspoken(desired, *id)).collect();
    // What stands on an object comes after it, whatever the order of kinds.
    let (wholes, parts): (Vec<_>, Vec<_>) = current.iter().partition(|(id, _)| id.parent().is_none());
    // What a column owns comes after the column's table: it goes when the column goes.
    let owners: HashMap<ObjectId, ObjectId> = parts
        .iter()
        .filter(|(_, entry)| entry.object.takes_along())
        .filter_map(|(id, entry)| {
            Some((id.parent()?, entry.uses.iter().copied().find(|used| used.parent().is_some())?))
        })
        .collect();
    let (owned, wholes): (Vec<_>, Vec<_>) = wholes.into_iter().partition(|(id, _)| owners.contains_key(id));
    for (id, entry) in wholes.into_iter().chain(owned).chain(parts) {
        if desired.contains(id) {
            let left = is_left_alone(id, project);
            if let Some(known) = desired.get_mut(id) {
                if left {
                    *known = Entry { standing: Standing::Kept, ..entry.clone() };
                } else {
                    known.object.inherit(&entry.object);
                }
            }
            continue;
        }
        let root = id.root();
        if relocated.shadows.contains_key(&root) {
            continue;
        }
        let standing = if entry.standing == Standing::Managed && root != id && is_external(root, current) {
            // Adopted, and not wanted.
            continue;
        } else if entry.standing == Standing::External || is_external(root, current) {
            Standing::External
        } else if declared.contains(&root) {
            let unspoken =
                desired.get(root).is_some_and(|entry| entry.object.is_opaque()) || unspoken.contains(&id);
            if unspoken
                || project.leaves_alone(id)
                || entry.object.is_opaque()
                || stays_on_schema(id, desired)
            {
                Standing::Kept
            } else {
                continue;
            }
        } else if entry.object.is_opaque() {
            Standing::Kept
        } else if root.qname().is_some_and(|name| dropped.contains(&name))
            || owners.get(&root).is_some_and(|column| {
                !desired.contains(column.root())
                    || declared.contains(&column.root()) && !desired.contains(*column)
            })
        {
            continue;
        } else {
            if root == id && policy != Undeclared::Keep && project.is_managed(id) {
                undeclared.entry(id.kind()).or_default().push(id);
            }
            match policy {
                // Every database has it, also one that was built from the files.
                Undeclared::Drop if root.is_public_schema() => Standing::Kept,
                Undeclared::Drop if project.is_managed(root) => continue,
                _ => Standing::Kept,
            }
        };
        let mut kept = entry.clone();
        kept.standing = standing;
        if root != id && !desired.contains(root) && current.contains(root) {
            continue;
        }
        if let Err(holder) = desired.insert(id, kept) {
            // The same name as a whole object of another kind: the files say what it shall be, and what goes is in
            // the plan, gated. Anything else is two owners of one name.
            if id.parent().is_some() || holder.parent().is_some() {
                let taken = Diagnostic::error(
                    Code::TwoOwners,
                    format!("{holder} needs a name that {id} has, which no file declares"),
                );
                notes.push(taken.at(desired.get(holder).and_then(|entry| entry.span)));
            }
        }
    }
    leave_alone(desired, current, project);
    leave_unstored(desired, current);
    for (id, entry) in desired.iter() {
        let root = id.root();
        let missing = root != id && entry.standing == Standing::Managed && !desired.contains(root);
        if missing && root.schema().is_some_and(|schema| project.external_schemas.contains(&schema)) {
            let message = format!("{id} is declared on {root}, which does not exist");
            let error = Diagnostic::error(Code::UnknownRelation, message);
            notes.push(error.at(entry.span));
        }
    }
    if policy == Undeclared::Report {
        for (kind, ids) in undeclared {
            notes.push(report(kind, &ids));
        }
    }
    // What is new on an existing object comes behind what is there.
    let late: Vec<ObjectId> = desired
        .ids()
        .filter(|id| !current.contains(*id) && id.parent().is_some_and(|parent| current.contains(parent)))
        .collect();
    for id in late {
        if let Some(entry) = desired.get_mut(id) {
            entry.object.append();
        }
    }
    desired.sort();
}

/// Whether an object is of an area that the project file takes out of the comparison. A facade comes with what it needs:
/// without its privileges the old name would not live on.
fn is_left_alone(id: ObjectId, project: &Project) -> bool {
    let own = |id: ObjectId| {
        let root = id.root();
        !project.facades.iter().any(|facade| facade.id == root)
    };
    project.leaves_alone(id) && own(id)
}

/// Nothing of an area that is left alone is made, whatever the files say of it, and neither is what stands on it.
fn leave_alone(desired: &mut Catalog, current: &Catalog, project: &Project) {
    let unmade = |id: ObjectId| !current.contains(id) && is_left_alone(id, project);
    if desired.ids().any(unmade) {
        desired.retain(|id| !std::iter::successors(Some(id), |id| id.parent()).any(unmade));
    }
}

/// What the files say that PostgreSQL does not store, since it says nothing, is no difference.
fn leave_unstored(desired: &mut Catalog, current: &Catalog) {
    let unstored: HashSet<ObjectId> = desired
        .iter()
        .filter(|(id, entry)| {
            let stays =
                || id.parent().is_some_and(|column| desired.type_of(column) == current.type_of(column));
            !current.contains(*id) && stays() && kinds::default::is_unstored(*id, &entry.object, current)
        })
        .map(|(id, _)| id)
        .collect();
    desired.retain(|id| !unstored.contains(&id));
}

/// What the files declare on an object of somebody else, or say that it is to go, is theirs from now on, with what
/// hangs on it. Everything else there is left alone.
pub fn adopt(current: &mut Catalog, project: &Project) {
    let declared = project.catalog.iter().filter(|(_, entry)| entry.standing == Standing::Managed);
    let declared = declared.map(|(id, _)| id).filter(|id| id.parent().is_some());
    let dropped = project.dropped_parts.iter().map(|(id, _)| *id);
    let ours: Vec<ObjectId> = declared
        .chain(dropped)
        .filter(|id| current.contains(*id) && is_external(id.root(), current))
        .collect();
    for id in ours {
        for part in std::iter::once(id).chain(current.descendants(id)) {
            if let Some(entry) = current.get_mut(part) {
                entry.standing = Standing::Managed;
            }
        }
    }
}

fn is_external(root: ObjectId, current: &Catalog) -> bool {
    current.get(root).is_some_and(|entry| entry.standing == Standing::External)
}

/// The comment and privileges of the schema `public` come with every database; they stay unless a file speaks of
/// them, and everybody's unless it speaks of everybody's.
fn stays_on_schema(id: ObjectId, desired: &Catalog) -> bool {
    let root = id.root();
    let of_everybody = id.kind().is_grant() && id.name().as_str() == "public";
    // What was found to stay is there too by now, and no file speaks of it.
    let speaks = |child: ObjectId| {
        let declared = desired.get(child).is_some_and(|entry| entry.standing == Standing::Managed);
        child.kind() == id.kind() && declared
    };
    root.is_public_schema() && (of_everybody || !desired.children(root).iter().any(|child| speaks(*child)))
}

fn report(kind: Kind, ids: &[ObjectId]) -> Diagnostic {
    let mut names: Vec<String> = ids.iter().take(8).map(|id| id.path()).collect();
    if ids.len() > names.len() {
        names.push(format!("and {} more", ids.len() - names.len()));
    }
    let count = if ids.len() == 1 { "1 object".to_owned() } else { format!("{} objects", ids.len()) };
    Diagnostic::note(
        Code::Undeclared,
        format!(
            "{count} of kind {} in the database that no file declares: {}",
            kind.word(),
            names.join(", ")
        ),
    )
    .help("declare them, list them under `dropped`, or set `undeclared: keep`")
}
