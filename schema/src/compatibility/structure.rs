//! What objects say about old names: row types, triggers, publications, privileges, foreign keys, users of facades.

use super::{Finding, Moved, Old, OldName, Rule, Sides};
use crate::catalog::Catalog;
use crate::declare::facade::is_facade;
use crate::id::ObjectId;
use crate::ident::{Ident, QName, Text};
use crate::kinds::function::{Function, Returns};
use crate::kinds::trigger::When;
use crate::object::{Kind, Object};
use crate::span::Span;
use crate::sql::Sql;
use crate::type_name::TypeName;
use std::collections::BTreeSet;

pub(super) fn find(sides: &Sides<'_>, old: &Old, out: &mut BTreeSet<Finding>) {
    for moved in &old.moved {
        routine_usage(sides, moved, out);
        // Names from before that live on meet the new place, too.
        for earlier in earlier(sides, moved) {
            routine_usage(sides, &earlier, out);
            column_privileges(sides, &earlier, out);
        }
        if moved.old.kind() == Kind::Sequence || !moved.old.kind().is_relation() {
            continue;
        }
        client_types(sides, moved, out);
        column_privileges(sides, moved, out);
        publications(sides, moved, out);
    }
    let now: BTreeSet<ObjectId> = old.moved.iter().map(|moved| moved.now).collect();
    let facades: BTreeSet<ObjectId> = old.moved.iter().filter_map(|moved| moved.facade).collect();
    for (id, entry) in sides.desired.iter() {
        match &entry.object {
            Object::ForeignKey(key) => {
                let target = key.target.resolved.0.or_else(|| sides.desired.relation(key.target.qname()?));
                let Some(target) = target else { continue };
                let ours = now.contains(&id.root()) || now.contains(&target);
                if ours && target.schema() != id.schema() {
                    let what = format!("{} references {}", id.root().path(), target.path());
                    add(out, Rule::CrossDomain, None, id, entry.span, what);
                }
            }
            Object::Function(function) if !old.own.contains(&id) => {
                row_types(sides, old, (id, function, entry.span), out);
            }
            _ => {}
        }
        if old.own.contains(&id.root()) || is_facade(sides.desired, id.root(), None) {
            continue;
        }
        for facade in entry.uses.iter().map(|used| used.root()).filter(|used| facades.contains(used)) {
            let moved = old.moved.iter().find(|moved| moved.facade == Some(facade));
            let rule = if id.kind() == Kind::ForeignKey { Rule::Ddl } else { Rule::OldName };
            add(out, rule, moved.map(|moved| moved.old), id, entry.span, String::new());
        }
    }
}

/// The other facades of what moves, as if it came from their names.
fn earlier(sides: &Sides<'_>, moved: &Moved) -> Vec<Moved> {
    let others =
        sides.facades.iter().filter(|facade| facade.of == moved.now && Some(facade.id) != moved.facade);
    let named = |facade: &crate::declare::Facade| {
        let old = match facade.id.kind().is_routine() {
            true => facade.id,
            false => ObjectId::in_schema(moved.old.kind(), facade.name),
        };
        Moved { old, facade: Some(facade.id), ..*moved }
    };
    others.map(named).collect()
}

fn add(
    out: &mut BTreeSet<Finding>,
    rule: Rule,
    old: Option<ObjectId>,
    at: ObjectId,
    span: Option<Span>,
    what: String,
) {
    out.insert(Finding { rule, old, at, line: None, span, what });
}

/// A function that takes or gives rows of what moves: their type moves too.
fn row_types(
    sides: &Sides<'_>,
    old: &Old,
    (id, function, span): (ObjectId, &Function, Option<Span>),
    out: &mut BTreeSet<Finding>,
) {
    let row_of = |type_name: &TypeName| {
        let name = type_name.qname()?;
        let rows = |moved: &&Moved| moved.now.kind().is_relation() && moved.now.qname() == Some(name);
        old.moved.iter().find(rows)
    };
    if !was_there(sides, id) {
        return;
    }
    for argument in function.arguments.iter().filter(|argument| argument.mode.is_input()) {
        if let Some(moved) = row_of(&argument.type_name)
            && !takes_facade(sides, id, moved)
        {
            add(out, Rule::RowTypeFunction, Some(moved.old), id, span, String::new());
        }
    }
    let served = |moved: &Moved| {
        let shown = |of: ObjectId| of.schema().is_some_and(|schema| sides.exposed.contains(&schema));
        sides.exposed.is_empty() || (shown(id) && !shown(moved.now))
    };
    if let Some(Returns::Type { type_name, .. }) = &function.returns
        && let Some(moved) = row_of(type_name).filter(|moved| served(moved))
    {
        add(out, Rule::RowTypeResult, Some(moved.old), id, span, String::new());
    }
}

/// Callers of a facade whose body PostgreSQL binds when it runs, as the caller, and who may not look into the schema.
fn routine_usage(sides: &Sides<'_>, moved: &Moved, out: &mut BTreeSet<Finding>) {
    let facade = moved.facade.and_then(|facade| Some((facade, sides.desired.get(facade)?)));
    let Some((facade, entry)) = facade else { return };
    match &entry.object {
        Object::Function(function) if function.asks_its_caller() => {}
        _ => return,
    }
    let grantees = |of: ObjectId| -> BTreeSet<Ident> {
        let grants = sides.desired.children(of).iter().filter(|id| id.kind() == Kind::Grant);
        grants.map(|id| id.name()).collect()
    };
    let schema =
        |of: ObjectId| of.schema().map(|name| grantees(ObjectId::of_schema(name))).unwrap_or_default();
    let everybody = Ident::new("public");
    let (reach, mut callers) = (schema(moved.now), grantees(facade));
    if reach.contains(&everybody) {
        return;
    }
    if callers.remove(&everybody) {
        // Everybody who comes as far as the old name.
        callers.extend(schema(facade));
    }
    for role in callers.difference(&reach) {
        let who = if *role == everybody { "everybody".to_owned() } else { role.to_string() };
        let Some(schema) = moved.now.schema() else { continue };
        let mut grant = Sql::new("GRANT USAGE ON SCHEMA");
        grant.ident(schema).kw("TO");
        if *role == everybody {
            grant.kw("PUBLIC")
        } else {
            grant.ident(*role)
        };
        let what = format!("{who}: {}", grant.text());
        add(out, Rule::RoutineUsage, Some(moved.old), facade, entry.span, what);
    }
}

/// A new function has no callers yet.
fn was_there(sides: &Sides<'_>, id: ObjectId) -> bool {
    let Some(name) = id.qname() else { return false };
    let before = sides.moved.iter().find(|(_, now)| *now == id).and_then(|(old, _)| old.qname());
    !sides.before.routines(before.unwrap_or(name)).is_empty()
}

/// Whether an overload takes what the facade gives.
fn takes_facade(sides: &Sides<'_>, id: ObjectId, moved: &Moved) -> bool {
    // A function that moves is called by its old name.
    let called = sides.moved.iter().find(|(_, now)| *now == id).map_or(id, |(old, _)| *old);
    let (Some(name), Some(facade)) = (called.qname(), moved.facade.and_then(ObjectId::qname)) else {
        return false;
    };
    let desired = sides.desired;
    desired.routines(name).iter().any(|other| match desired.get(*other).map(|entry| &entry.object) {
        Some(Object::Function(function)) => {
            function.arguments.iter().any(|argument| argument.type_name.qname() == Some(facade))
        }
        _ => false,
    })
}

/// What a generator of client types sees of the table and not of the facade.
fn client_types(sides: &Sides<'_>, moved: &Moved, out: &mut BTreeSet<Finding>) {
    let Some(facade) = moved.facade else { return };
    let served = moved.old.schema().is_some_and(|schema| sides.exposed.contains(&schema));
    if !sides.exposed.is_empty() && !served {
        return;
    }
    let columns = sides.desired.columns(moved.now);
    let told = columns.iter().filter(|(_, column)| column.not_null || column.identity.is_some()).count();
    if told > 0 {
        let what = if told == 1 { "1 column".to_owned() } else { format!("{told} columns") };
        add(out, Rule::ClientTypes, Some(moved.old), facade, None, what);
    }
}

/// Roles that may read some columns of the table: a facade that runs as its caller asks for all that it shows.
fn column_privileges(sides: &Sides<'_>, moved: &Moved, out: &mut BTreeSet<Finding>) {
    let facade = moved.facade.and_then(|facade| Some((facade, sides.desired.get(facade)?)));
    let Some((facade, entry)) = facade else { return };
    if !matches!(&entry.object, Object::View(view) if view.is_invoker()) {
        return;
    }
    let select = Text::new("SELECT");
    let may_read = |id: ObjectId| match sides.desired.get(id).map(|entry| &entry.object) {
        Some(Object::Grant(grant)) => grant.privileges.contains_key(&select),
        _ => false,
    };
    // An identity column has a sequence below it, with privileges of its own.
    let reads = |id: &ObjectId| {
        let target = id.parent();
        target == Some(moved.now) || target.is_some_and(|target| target.kind() == Kind::Column)
    };
    let grants =
        sides.desired.descendants(moved.now).into_iter().filter(|id| id.kind() == Kind::Grant && reads(id));
    let (whole, some): (Vec<ObjectId>, Vec<ObjectId>) =
        grants.filter(|id| may_read(*id)).partition(|id| id.parent() == Some(moved.now));
    let whole: BTreeSet<Ident> = whole.into_iter().map(ObjectId::name).collect();
    let some: BTreeSet<Ident> = some.into_iter().map(ObjectId::name).collect();
    if whole.contains(&Ident::new("public")) {
        return;
    }
    for role in some.difference(&whole) {
        add(out, Rule::ColumnPrivilege, Some(moved.old), facade, entry.span, role.to_string());
    }
}

/// What subscribers hear of a table that moves.
fn publications(sides: &Sides<'_>, moved: &Moved, out: &mut BTreeSet<Finding>) {
    let (Some(old), Some(new)) = (moved.old.schema(), moved.now.schema()) else { return };
    for (id, entry) in sides.before.iter() {
        let Object::Publication(before) = &entry.object else { continue };
        let Some(after) = sides.desired.get(id) else { continue };
        let Object::Publication(publication) = &after.object else { continue };
        let listed = |catalog: &Catalog, table: ObjectId| {
            catalog.contains(ObjectId::on(Kind::Member, table, id.name()))
        };
        let was = before.all_tables || before.schemas.contains(&old) || listed(sides.before, moved.old);
        let is =
            publication.all_tables || publication.schemas.contains(&new) || listed(sides.desired, moved.now);
        if moved.old.kind() != Kind::Table || !was {
            continue;
        }
        let lost = before.schemas.contains(&old) && !listed(sides.before, moved.old);
        let rule = match (is, lost) {
            (true, _) => Rule::PublicationName,
            (false, true) => Rule::PublicationLost,
            // A file takes it out, and says so.
            (false, false) => continue,
        };
        add(out, rule, Some(moved.old), id, after.span, String::new());
    }
}

/// Whether a facade has INSTEAD OF triggers.
pub(super) fn has_triggers(desired: &Catalog, facade: ObjectId) -> bool {
    !trigger_functions(desired, facade).is_empty()
}

/// The functions that a facade writes by.
pub(super) fn trigger_functions(desired: &Catalog, facade: ObjectId) -> Vec<ObjectId> {
    triggers(desired, facade, |when| when == When::InsteadOf)
}

/// The functions that the triggers of a relation call.
pub(super) fn triggers(
    desired: &Catalog,
    relation: ObjectId,
    wanted: impl Fn(When) -> bool,
) -> Vec<ObjectId> {
    let names = desired.children_of(relation, Kind::Trigger).filter_map(|id| {
        match desired.get(id).map(|entry| &entry.object) {
            Some(Object::Trigger(trigger)) if wanted(trigger.when) => trigger.function.qname(),
            _ => None,
        }
    });
    names.flat_map(|name: QName| desired.routines(name).iter().copied()).collect()
}

/// What becomes of each old name.
pub(super) fn names(sides: &Sides<'_>, old: &Old) -> Vec<OldName> {
    let mut names: Vec<OldName> = old
        .moved
        .iter()
        .filter(|moved| moved.old.kind() != Kind::Index)
        .map(|moved| {
            let (works, stops) = through(sides, moved);
            OldName { old: moved.old, now: moved.now, facade: moved.facade, works, stops }
        })
        .collect();
    names.sort_by_key(|name| name.old);
    names
}

/// What goes through a facade and what does not, by PostgreSQL's rules for views.
fn through(sides: &Sides<'_>, moved: &Moved) -> (Vec<&'static str>, Vec<&'static str>) {
    let Some(facade) = moved.facade else { return (Vec::new(), vec!["everything"]) };
    if facade.kind().is_routine() {
        return (vec!["calls"], vec!["ALTER FUNCTION, DROP FUNCTION"]);
    }
    let grants = sides.desired.descendants(facade);
    let writes = ["INSERT", "UPDATE", "DELETE"].iter().any(|word| {
        grants.iter().any(|id| match sides.desired.get(*id).map(|entry| &entry.object) {
            Some(Object::Grant(grant)) => grant.privileges.contains_key(&Text::new(word)),
            _ => false,
        })
    });
    let default = grants.iter().any(|id| id.kind() == Kind::Default);
    let stored = moved.now.kind() != Kind::MaterializedView;
    let mut works = vec!["SELECT"];
    let mut stops = Vec::new();
    if stored && (writes || default || moved.triggers) {
        works.extend(["INSERT", "UPDATE", "DELETE", "RETURNING"]);
    }
    if moved.triggers {
        stops.push("ON CONFLICT");
    } else if stored {
        works.extend(["ON CONFLICT (columns)", "FOR UPDATE"]);
        stops.push("ON CONFLICT ON CONSTRAINT");
    }
    match sides.version {
        17.. => works.push("MERGE"),
        15.. => stops.push("MERGE"),
        _ => {}
    }
    stops.extend(["TRUNCATE", "COPY", "ctid, xmin, tableoid", "foreign keys to it and other DDL"]);
    (works, stops)
}
