//! Equality of SQL without a server: what people write and what PostgreSQL stores, in pairs that servers of 14 to 18
//! have answered.

use schemac_compiler::load::load;
use schemac_compiler::{compile, normalize};
use schemac_schema::analyse::{Undecided, World, squeeze};
use schemac_schema::fragment::Aside;
use schemac_schema::id::{Address, ObjectId};
use schemac_schema::ident::{Ident, QName};
use schemac_schema::kinds::column::Column;
use schemac_schema::object::{Kind, Object};
use schemac_schema::parse::on_large_stack;
use schemac_schema::type_name::TypeName;
use schemac_tests::made::Made;
use schemac_tests::pairs::{self, Pair};
use schemac_tests::servers::MAJORS;

/// The project of the pairs, bound.
fn catalog() -> (Made, Vec<Ident>) {
    let mut project =
        load(&pairs::folder().join("project"), 14).unwrap_or_else(|failure| panic!("{failure}"));
    let search_path = compile::search_path(&project);
    if let Err(diagnostics) = compile::check(&mut project) {
        panic!("{diagnostics:?}");
    }
    (Made(project.catalog), search_path)
}

/// The object that has a written form at its place.
fn object(catalog: &mut Made, place: &str, pair: &Pair, number: usize) -> ObjectId {
    catalog.probe(place, pairs::relation(place), &pair.of, &pair.written, number)
}

/// What the analysis says of a pair.
fn found(world: &World<'_>, id: ObjectId) -> Result<String, Undecided> {
    let mut out = Vec::new();
    let entry = world.catalog.get(id).expect("it was put there");
    entry.object.analyse(id, world, &mut out);
    match out.pop() {
        Some((_, found)) => found,
        None => Err(Undecided("this place is not analysed".into())),
    }
}

/// What came of the pairs of a place.
#[derive(Default)]
struct Count {
    all: usize,
    equal: usize,
    /// Texts that are not what the server stores: each is a mistake, also where it matches nothing.
    wrong: Vec<String>,
    undecided: Vec<String>,
}

fn count(place: &str, folder: &str) -> Count {
    let (mut catalog, search_path) = catalog();
    let pairs = pairs::load(&format!("{folder}{place}")).expect("pairs");
    let ids: Vec<ObjectId> =
        pairs.iter().enumerate().map(|(number, pair)| object(&mut catalog, place, pair, number)).collect();
    let mut count = Count::default();
    for version in MAJORS {
        let world = World::new(&catalog.0, &catalog.0, &search_path, version, true);
        for (pair, id) in pairs.iter().zip(&ids) {
            let Some(stored) = pair.stored.get(&version) else { continue };
            count.all += 1;
            let what = || format!("{place} {version} {}\t{}\n    {stored}", pair.of, pair.written);
            match found(&world, *id) {
                Ok(text) if squeeze(&text) == *stored => count.equal += 1,
                Ok(text) => count.wrong.push(format!("{}\n    {}", what(), squeeze(&text))),
                Err(why) => count.undecided.push(format!("{}\n    ({})", what(), why.0)),
            }
        }
    }
    count
}

#[test]
fn most_pairs_are_decided_without_a_server_and_none_wrongly() {
    on_large_stack(|| {
        let (mut all, mut equal, mut wrong) = (0, 0, Vec::new());
        for place in pairs::PLACES {
            let count = count(place, "");
            println!("{place}: {} of {} decided without a server", count.equal, count.all);
            // SCHEMAC_UNDECIDED=1 shows what is left to the server.
            if std::env::var_os("SCHEMAC_UNDECIDED").is_some() {
                count.undecided.iter().for_each(|line| println!("{line}"));
            }
            assert!(count.equal * 100 >= count.all * 90, "{place}: {} of {}", count.equal, count.all);
            all += count.all;
            equal += count.equal;
            wrong.extend(count.wrong);
        }
        println!("{equal} of {all} decided without a server");
        assert!(wrong.is_empty(), "texts that no server stores:\n{}", wrong.join("\n"));
        assert!(all > 10_000, "only {all} pairs");
    });
}

#[test]
fn what_differs_in_one_place_is_never_taken_for_the_same() {
    on_large_stack(|| {
        let (mut all, mut decided, mut wrong) = (0, 0, Vec::new());
        for place in pairs::PLACES {
            let count = count(place, "mutants/");
            println!("{place}: {} mutants, {} with a stored form of their own", count.all, count.equal);
            all += count.all;
            decided += count.equal;
            // Each is stored otherwise than what it was made from: its own text is not that one's.
            wrong.extend(count.wrong);
        }
        println!("{decided} of {all} mutants decided without a server");
        assert!(wrong.is_empty(), "texts that no server stores:\n{}", wrong.join("\n"));
        assert!(all > 10_000, "only {all} mutants");
    });
}

/// What a check with this text would be stored as, in the project of the pairs with one object more.
fn check_stored(text: &str, change: impl FnOnce(&mut Made)) -> Result<String, Undecided> {
    let (mut catalog, search_path) = catalog();
    change(&mut catalog);
    let pair = Pair { of: String::new(), written: text.into(), stored: Default::default() };
    let id = object(&mut catalog, "check", &pair, 0);
    found(&World::new(&catalog.0, &catalog.0, &search_path, 18, true), id)
}

fn unmodelled(catalog: &mut Made, name: &str) {
    let known = schemac_schema::kinds::opaque::Opaque { what: schemac_schema::ident::Text::new("object") };
    catalog.put(ObjectId::global(Kind::Unmodelled, Ident::new(name)), Object::Unmodelled(known));
}

fn function(catalog: &mut Made, schema: &str, name: &str, argument: &str) {
    let template = catalog.0.routines(QName::new("app", "norm"))[0];
    let Some(Object::Function(mut function)) = catalog.0.get(template).map(|entry| entry.object.clone())
    else {
        panic!("the project has a function norm(text)")
    };
    let of = TypeName::parse(argument).expect("a type");
    function.arguments[0].type_name = of;
    let id = ObjectId::new(Kind::Function, Address::Routine(QName::new(schema, name), of.canonical()));
    catalog.put(id, Object::Function(function));
}

#[test]
fn a_new_function_on_the_search_path_changes_what_a_call_means() {
    on_large_stack(|| {
        let none = check_stored("length(name) > lower(name)::int", |_| {});
        assert!(none.is_ok_and(|text| text.contains("(lower(name))::integer")));
        // Behind pg_catalog nothing shadows what fits exactly; what fits better wins.
        let stored = check_stored("norm(name) = 'a'", |_| {});
        assert_eq!(stored.as_deref(), Ok("(app.norm(name) = 'a'::text)"));
        let better = check_stored("norm(email) = 'a'", |catalog| function(catalog, "app", "norm", "varchar"));
        assert_eq!(better.as_deref(), Ok("(app.norm(email) = 'a'::text)"));
        let elsewhere =
            check_stored("norm(email) = 'a'", |catalog| function(catalog, "public", "norm", "varchar"));
        assert_eq!(elsewhere.as_deref(), Ok("(public.norm(email) = 'a'::text)"));
        let of_system =
            check_stored("upper(email) = 'a'", |catalog| function(catalog, "public", "upper", "varchar"));
        assert_eq!(of_system.as_deref(), Ok("(public.upper(email) = 'a'::text)"));
    });
}

#[test]
fn what_users_add_to_operators_and_casts_leaves_the_question_to_the_server() {
    on_large_stack(|| {
        let operator = |catalog: &mut Made| unmodelled(catalog, "operator public.=(character varying,text)");
        assert!(check_stored("email = 'a'", operator).is_err());
        assert!(check_stored("name = 'a'", operator).is_ok(), "what pg_catalog has exactly comes first");
        // One of types that nothing here becomes by itself says nothing, until there is a cast.
        let elsewhere = |catalog: &mut Made| unmodelled(catalog, "operator public.=(app.status,app.status)");
        assert!(check_stored("email = 'a'", elsewhere).is_ok());
        assert!(check_stored("status = 'open'", elsewhere).is_err());
        let reached = |catalog: &mut Made| {
            elsewhere(catalog);
            unmodelled(catalog, "cast (character varying AS app.status)");
        };
        assert!(check_stored("email = 'a'", reached).is_err());
        let any = |catalog: &mut Made| unmodelled(catalog, "operator public.=(anyelement,pg_catalog.text)");
        assert!(check_stored("email = 'a'", any).is_err());
        let cast = |catalog: &mut Made| unmodelled(catalog, "cast (pg_catalog.int4 AS pg_catalog.text)");
        assert!(check_stored("name = 'a'", cast).is_err());
        let of_enum = |catalog: &mut Made| unmodelled(catalog, "cast (pg_catalog.text AS app.status)");
        assert!(check_stored("status::text = 'open'", of_enum).is_err());
        assert!(check_stored("name = 'a'", of_enum).is_ok());
    });
}

#[test]
fn what_depends_on_settings_or_the_server_is_undecided() {
    on_large_stack(|| {
        for text in [
            "at > '2020-01-01 PST'",
            "at > '2020-01-01 Europe/Berlin'",
            "born > '01/02/2020'",
            "born > 'today'",
            "at > 'now'",
            "name collate \"de_DE\" = 'a'",
            "name = unknown_function(name)",
            "status = 'no such label'",
            "qty > '1_000'",
            "name operator(public.=) 'a'",
            "no_such_column = 1",
        ] {
            assert!(check_stored(text, |_| {}).is_err(), "{text}");
        }
    });
}

#[test]
fn a_moment_without_a_zone_is_of_utc_as_in_every_session_of_schemac() {
    on_large_stack(|| {
        for (text, moment) in [
            ("at > '2020-01-01'", "2020-01-01 00:00:00+00"),
            ("at > '2020-01-01 01:00+01'", "2020-01-01 00:00:00+00"),
            ("at > 'Jan 1, 2020'", "2020-01-01 00:00:00+00"),
        ] {
            let stored = format!("(at > '{moment}'::timestamp with time zone)");
            assert_eq!(check_stored(text, |_| {}).as_ref(), Ok(&stored), "{text}");
        }
    });
}

#[test]
fn without_a_server_what_is_left_says_so() {
    on_large_stack(|| {
        let (base, search_path) = catalog();
        let with = |text: &str| {
            let mut catalog = base.clone();
            let pair = Pair { of: String::new(), written: text.into(), stored: Default::default() };
            object(&mut catalog, "check", &pair, 0);
            catalog.0
        };
        let offline = |written: &str, stored: &str| {
            normalize::offline(&mut with(written), &with(stored), 18, &search_path)
        };
        let same = offline("NAME in ('a','b')", "(name = ANY (ARRAY['a'::text, 'b'::text]))");
        assert!(same.unproven.is_empty() && same.decided.analysed == 1, "{same:?}");
        let itself = offline("name = 'a'", "name = 'a'");
        assert!(itself.unproven.is_empty() && itself.decided.analysed == 0, "{itself:?}");
        for (written, stored) in [
            ("name in ('a','c')", "(name = ANY (ARRAY['a'::text, 'b'::text]))"),
            ("at > '2020-01-01 PST'", "(at > '2020-01-01 08:00:00+00'::timestamp with time zone)"),
            ("at > '2020-01-01'", "(at > '2020-01-01 01:00:00+00'::timestamp with time zone)"),
        ] {
            let left = offline(written, stored);
            assert_eq!(left.unproven.len(), 1, "{written}");
            assert_eq!(left.unproven[0].1, "could not be proven equal without a server");
        }
    });
}

#[test]
fn a_column_that_joins_the_table_joins_what_a_star_stands_for() {
    on_large_stack(|| {
        let stored = |more: bool| {
            let (mut catalog, search_path) = catalog();
            let table = ObjectId::in_schema(Kind::Table, QName::new("app", "orders"));
            if more {
                let mut column = Column::new(TypeName::parse("int").expect("a type"));
                column.position = Aside(100);
                catalog.put(ObjectId::on(Kind::Column, table, "more"), Object::Column(column));
            }
            let pair = Pair {
                of: String::new(),
                written: "select * from orders".into(),
                stored: Default::default(),
            };
            let id = object(&mut catalog, "view", &pair, 0);
            found(&World::new(&catalog.0, &catalog.0, &search_path, 18, true), id)
        };
        let (before, after) = (stored(false).expect("understood"), stored(true).expect("understood"));
        assert!(!before.contains("more") && after.contains("more"), "{before}\n{after}");
    });
}

/// What the analysis says of the pairs of a place on a version when they are written otherwise: how many there are, how
/// many are stored as before, and the texts that are neither that nor left open.
fn respelled(
    place: &str,
    version: u32,
    respell: impl Fn(&Pair) -> Option<String>,
) -> (usize, usize, Vec<String>) {
    let (mut catalog, search_path) = catalog();
    let mut pairs: Vec<Pair> = pairs::load(place).expect("pairs");
    let mut stored = Vec::new();
    pairs.retain_mut(|pair| {
        let (Some(known), Some(text)) = (pair.stored.get(&version).cloned(), respell(pair)) else {
            return false;
        };
        stored.push(known);
        pair.written = text;
        true
    });
    let ids: Vec<ObjectId> =
        pairs.iter().enumerate().map(|(number, pair)| object(&mut catalog, place, pair, number)).collect();
    let world = World::new(&catalog.0, &catalog.0, &search_path, version, true);
    let (mut equal, mut wrong) = (0, Vec::new());
    for ((pair, id), stored) in pairs.iter().zip(ids).zip(stored) {
        match found(&world, id) {
            Ok(text) if squeeze(&text) == stored => equal += 1,
            Ok(text) => {
                wrong.push(format!("{place}: {}\n    {stored}\n    {}", pair.written, squeeze(&text)))
            }
            Err(_) => {}
        }
    }
    (pairs.len(), equal, wrong)
}

/// Words in upper case, other blanks, a comment and parentheses more: the same SQL.
fn shouted(place: &str, text: &str) -> Option<String> {
    let tokens = schemac_schema::parse::tokens(text).ok()?;
    let mut out = String::new();
    let mut end = 0;
    for token in tokens {
        let word = text.get(token.start..token.end)?;
        // What grows together stays together: `a.b`, `f(`.
        if end < token.start {
            out.push_str(" /* said */\n\t");
        }
        let quoted = word.contains(['\'', '"', '$']);
        out.push_str(&if quoted { word.to_owned() } else { word.to_uppercase() });
        end = token.end;
    }
    let expression =
        ["check", "policy", "trigger", "default", "generated", "domain", "rows", "argument"].contains(&place);
    Some(if expression { format!("( ({out}) )") } else { out })
}

#[test]
fn another_spelling_of_the_same_is_the_same() {
    on_large_stack(|| {
        for version in [14, 18] {
            let (mut all, mut equal, mut wrong) = (0, 0, Vec::new());
            for place in pairs::PLACES {
                let found = respelled(place, version, |pair| shouted(place, &pair.written));
                all += found.0;
                equal += found.1;
                wrong.extend(found.2);
            }
            println!("PostgreSQL {version}: {equal} of {all} in another spelling");
            assert!(wrong.is_empty(), "{}", wrong.join("\n"));
            assert!(equal * 100 >= all * 95, "{equal} of {all}");
        }
    });
}
