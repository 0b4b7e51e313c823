//! Equality of SQL without a server: what people write and what PostgreSQL stores, in pairs that servers of 14 to 18
//! have answered.

use schemac_compiler::compile;
use schemac_compiler::load::load;
use schemac_schema::analyse::{Undecided, World, squeeze};
use schemac_schema::catalog::{Catalog, Entry, Standing};
use schemac_schema::fragment::{Aside, Fragment, Grammar};
use schemac_schema::id::ObjectId;
use schemac_schema::ident::{Ident, QName};
use schemac_schema::kinds::check::Check;
use schemac_schema::kinds::column::{Column, Generated};
use schemac_schema::kinds::default::Default as ColumnDefault;
use schemac_schema::kinds::domain::Domain;
use schemac_schema::kinds::index::Index;
use schemac_schema::kinds::policy::{Command, Policy};
use schemac_schema::kinds::view::View;
use schemac_schema::object::{Kind, Object};
use schemac_schema::parse::on_large_stack;
use schemac_schema::type_name::TypeName;
use schemac_tests::pairs::{self, Pair};
use schemac_tests::servers::MAJORS;

/// The project of the pairs, bound.
fn catalog() -> (Catalog, Vec<Ident>) {
    let mut project =
        load(&pairs::folder().join("project"), 14).unwrap_or_else(|failure| panic!("{failure}"));
    let search_path = compile::search_path(&project);
    if let Err(diagnostics) = compile::check(&mut project) {
        panic!("{diagnostics:?}");
    }
    (project.catalog, search_path)
}

fn users() -> ObjectId {
    ObjectId::in_schema(Kind::Table, QName::new("app", "users"))
}

fn put(catalog: &mut Catalog, id: ObjectId, object: Object) -> ObjectId {
    let entry = Entry { object, span: None, standing: Standing::Managed, uses: Vec::new() };
    catalog.insert(id, entry).unwrap_or_else(|holder| panic!("{holder}"));
    id
}

/// The object that has a written form at its place.
fn object(catalog: &mut Catalog, place: &str, pair: &Pair, number: usize) -> ObjectId {
    let name = Ident::new(&format!("probe_{number}"));
    let text = pair.written.as_str();
    let expression = Fragment::canonical(text, Grammar::Expression);
    let of = || TypeName::parse(&pair.of).unwrap_or_else(|error| panic!("{}: {error}", pair.of));
    let check = |expression| {
        Object::Check(Check { expression, no_inherit: false, not_valid: false, not_enforced: false })
    };
    match place {
        "check" => put(catalog, ObjectId::on(Kind::Check, users(), name), check(expression)),
        "policy" => {
            let policy = Policy {
                command: Command::All,
                permissive: true,
                roles: Vec::new(),
                using: Some(expression),
                check: None,
            };
            put(catalog, ObjectId::on(Kind::Policy, users(), name), Object::Policy(policy))
        }
        "trigger" => {
            let known =
                catalog.ids().find(|id| id.kind() == Kind::Trigger).expect("the project has a trigger");
            let Some(Object::Trigger(trigger)) = catalog.get(known).map(|entry| entry.object.clone()) else {
                panic!("a trigger")
            };
            let mut trigger = trigger;
            trigger.condition = Some(expression);
            put(catalog, ObjectId::on(Kind::Trigger, users(), name), Object::Trigger(trigger))
        }
        "default" => {
            let table = ObjectId::in_schema(Kind::Table, QName::new("app", "members"));
            let column =
                put(catalog, ObjectId::on(Kind::Column, table, name), Object::Column(Column::new(of())));
            put(
                catalog,
                ObjectId::of(Kind::Default, column, ""),
                Object::Default(ColumnDefault::new(expression)),
            )
        }
        "generated" => {
            let mut column = Column::new(of());
            column.generated = Some(Generated { expression, stored: true });
            column.position = Aside(10_000);
            put(catalog, ObjectId::on(Kind::Column, users(), name), Object::Column(column))
        }
        "domain" => {
            let domain =
                Domain { base: of(), collation: None, default: None, not_null: false, owner: Aside(None) };
            let id = ObjectId::in_schema(Kind::Domain, QName { schema: "app".into(), name });
            put(catalog, id, Object::Domain(domain));
            put(catalog, ObjectId::on(Kind::Check, id, "it"), check(expression))
        }
        "index" | "predicate" => {
            let index = Index {
                unique: false,
                definition: Fragment::canonical(text, Grammar::Index),
                options: Default::default(),
                tablespace: None,
                clustered: false,
            };
            put(catalog, ObjectId::on(Kind::Index, users(), name), Object::Index(index))
        }
        _ => {
            let view = View {
                query: Fragment::canonical(text, Grammar::Query),
                columns: Aside(Vec::new()),
                options: Default::default(),
                owner: Aside(None),
                output: Aside(None),
            };
            let id = ObjectId::in_schema(Kind::View, QName { schema: "app".into(), name });
            put(catalog, id, Object::View(view))
        }
    }
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

fn count(place: &str) -> Count {
    let (mut catalog, search_path) = catalog();
    let pairs = pairs::load(place).expect("pairs");
    let ids: Vec<ObjectId> =
        pairs.iter().enumerate().map(|(number, pair)| object(&mut catalog, place, pair, number)).collect();
    let mut count = Count::default();
    for version in MAJORS {
        let world = World::new(&catalog, &catalog, &search_path, version, true);
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
            let count = count(place);
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
