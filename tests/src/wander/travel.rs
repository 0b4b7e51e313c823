//! Where the objects of a world go: other schemas, other names, names that others free; and what becomes of the old ones.

use super::{Numbers, Place, STATES, Sort, World, Writes, Y, make};
use std::collections::BTreeSet;

const SCHEMAS: [&str; 4] = ["app", "Billing", "core", "ops"];

/// Sends some of the objects elsewhere, twice.
pub(super) fn send(world: &mut World, numbers: &mut Numbers) {
    let schemas = &SCHEMAS[..2 + numbers.below(3)];
    for schema in schemas {
        let roles = ["anon", "authenticated", "service_role"];
        let open = numbers.below(3);
        let roles = roles.into_iter().filter(|_| open == 2 || open == 1 && numbers.often(50));
        world.usage.push(((*schema).to_owned(), roles.map(str::to_owned).collect()));
    }
    for at in 0..world.things.len() {
        let thing = &mut world.things[at];
        // Only PostgreSQL calls the function of a trigger.
        let fires = thing
            .entry
            .iter()
            .any(|(key, value)| key == "returns" && matches!(value, Y::Text(text) if text == "trigger"));
        if matches!(thing.sort, Sort::Table | Sort::View | Sort::Matview | Sort::Function) && !fires {
            thing.facade = match numbers.below(8) {
                0..4 => Some(Writes::Auto),
                4 => Some(Writes::Nothing),
                5 if thing.sort == Sort::Table && !thing.log => Some(Writes::Triggers),
                5 => Some(Writes::Auto),
                _ => None,
            };
            if thing.sort != Sort::Table && thing.facade.is_some()
                || thing.needs_facade && thing.facade.is_none()
            {
                thing.facade = Some(Writes::Auto);
            }
        }
    }
    for state in make::later() {
        for at in 0..world.things.len() {
            let often = if state == 1 { 60 } else { 35 };
            // Who takes rows of a facade finds no function of the old name, once that moves as well.
            let takes_rows = world.things[at].places[0].name.starts_with("told_");
            if numbers.often(often) && !takes_rows {
                go(world, numbers, at, state, schemas);
            } else {
                stay(world, at, state);
            }
        }
    }
    swap_into_freed(world, numbers);
}

fn stay(world: &mut World, at: usize, state: usize) {
    let thing = &mut world.things[at];
    thing.places[state] = thing.places[state - 1].clone();
    for column in &mut thing.columns {
        column.names[state] = column.names[state - 1].clone();
    }
}

/// All names that something has, or had and still answers to, up to a state.
fn taken(world: &World, but: usize) -> BTreeSet<Place> {
    let others = world.things.iter().enumerate().filter(|(at, _)| *at != but);
    others.flat_map(|(_, thing)| thing.places.iter().cloned()).collect()
}

fn go(world: &mut World, numbers: &mut Numbers, at: usize, state: usize, schemas: &[&str]) {
    stay(world, at, state);
    let before = world.things[at].places[state - 1].clone();
    let schema = numbers.one(schemas).to_owned();
    let mut name = before.name.clone();
    if numbers.often(25) {
        name = format!("{name}{}", numbers.one(&["_new", " X", "s"]));
    }
    let place = Place { schema, name };
    if place == before || taken(world, at).contains(&place) {
        return;
    }
    let thing = &mut world.things[at];
    thing.places[state] = place;
    // Who has no old name to go by would notice new ones of columns, and so would a child of a table.
    if thing.sort == Sort::Table && thing.facade.is_some() && thing.parent.is_none() {
        for (c, column) in thing.columns.iter_mut().enumerate() {
            if c > 0 && numbers.often(15) {
                column.names[state] = format!("{}_{state}", column.names[state - 1]);
            }
        }
    }
}

/// Something that stays in `public` takes a name that a table has freed.
fn swap_into_freed(world: &mut World, numbers: &mut Numbers) {
    let freed: Vec<Place> = world
        .things
        .iter()
        .filter(|thing| {
            thing.sort == Sort::Table && thing.facade.is_none() && thing.places[0] != thing.places[1]
        })
        .filter(|thing| thing.places[1..].iter().all(|place| *place != thing.places[0]))
        .map(|thing| thing.places[0].clone())
        .collect();
    for place in freed {
        let stays = |at: &usize| {
            let thing = &world.things[*at];
            thing.sort == Sort::Table
                && thing.places.iter().all(|place| *place == thing.places[0])
                && !thing.needs_facade
                && thing.facade.is_none()
        };
        let staying: Vec<usize> = (0..world.things.len()).filter(stays).collect();
        if staying.is_empty() || !numbers.often(60) {
            continue;
        }
        let at = numbers.one(&staying);
        if taken(world, at).iter().filter(|other| **other == place).count() == 1 {
            for state in 1..STATES {
                world.things[at].places[state] = place.clone();
            }
        }
    }
}
