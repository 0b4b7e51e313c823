//! Reading under other conditions: other roles, other sessions, large schemas.

use super::*;

#[test]
fn the_session_is_left_as_it_was_and_strange_settings_do_no_harm() {
    for server in servers::all() {
        let database = server.database();
        database
            .execute("create schema app; create table app.\"T\" (a timestamptz default '2024-01-01 00:00Z')")
            .unwrap();
        let mut client = database.connect(As::Owner);
        let settings = "set search_path = app; set timezone = 'Asia/Tokyo'; set datestyle = 'SQL, DMY';
            set quote_all_identifiers = on; set bytea_output = 'escape'; create temp table pg_class (oid oid);";
        client.batch_execute(settings).unwrap();
        let reading = introspect(&mut client, &BTreeSet::new()).unwrap();
        let column = ObjectId::on(Kind::Column, table("T"), "a");
        let default = object!(reading, Default, ObjectId::of(Kind::Default, column, "")).value.text();
        assert_eq!(default, "'2024-01-01 00:00:00+00'::timestamp with time zone");
        assert_eq!(reading.search_path, names(&["app"]));
        let path: String = client.query_one("show search_path", &[]).unwrap().get(0);
        assert_eq!(path, "app");
        client.batch_execute("create schema schemac; create table schemac.memory (a int)").unwrap();
        let again = introspect(&mut client, &BTreeSet::new()).unwrap();
        assert_eq!(again.catalog.len(), reading.catalog.len());
        assert!(again.catalog.ids().all(|id| id.name().as_str() != "schemac"));
    }
}

#[test]
fn reading_goes_on_while_others_change_the_schema() {
    let Some(server) = servers::get(15).or_else(|| servers::all().next()) else { return };
    let database = server.database();
    let url = database.url_as_owner();
    let stop = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut client = Client::connect(&url, NoTls).unwrap();
            while !stop.load(std::sync::atomic::Ordering::Relaxed) {
                client
                    .batch_execute(
                        "create table public.x (a int primary key check (a > 0), b text default 'x');
                         create index on public.x (b); create view public.y as select * from public.x;
                         drop view public.y; drop table public.x;",
                    )
                    .unwrap();
            }
        });
        let mut client = database.connect(As::Owner);
        let (mut good, mut failed) = (0, Vec::new());
        for _ in 0..60 {
            match introspect(&mut client, &BTreeSet::new()) {
                Ok(_) => good += 1,
                Err(error) => failed.push(error.to_string()),
            }
        }
        stop.store(true, std::sync::atomic::Ordering::Relaxed);
        eprintln!("{good} readings, {} gave up: {failed:?}", failed.len());
        assert!(good >= 55, "{failed:?}");
    });
}

#[test]
fn the_disruptor_database() {
    let folder = repository().join("fixtures/disruptor");
    if !folder.is_dir() {
        eprintln!("skipped: no {}", folder.display());
        return;
    }
    for server in servers::all() {
        let database = server.database();
        database.psql_file(As::Superuser, folder.join("platform.sql")).unwrap();
        database.psql_file(As::Owner, folder.join("before.sql")).unwrap();
        let mut client = database.connect(As::Owner);
        let external: BTreeSet<Ident> = names(&["auth", "extensions"]).into_iter().collect();
        introspect(&mut client, &external).unwrap();
        let begin = Instant::now();
        let reading = introspect(&mut client, &external).unwrap();
        let took = begin.elapsed();
        let mut counts: BTreeMap<Kind, usize> = BTreeMap::new();
        for (id, _) in reading.catalog.iter().filter(|(_, entry)| entry.standing == Standing::Managed) {
            *counts.entry(id.kind()).or_default() += 1;
        }
        eprintln!(
            "PostgreSQL {}: {} objects in {took:.1?}: {counts:?}",
            server.major(),
            reading.catalog.len()
        );
        for (kind, at_least) in [
            (Kind::Table, 99),
            (Kind::Column, 700),
            (Kind::ForeignKey, 80),
            (Kind::Key, 99),
            (Kind::Index, 50),
            (Kind::View, 5),
            (Kind::Policy, 20),
            (Kind::Trigger, 20),
            (Kind::Grant, 200),
            (Kind::DefaultPrivileges, 9),
            (Kind::Enum, 10),
        ] {
            assert!(counts[&kind] >= at_least, "{kind:?}: {}", counts[&kind]);
        }
        let embedding = reading.catalog.ids().filter(|id| {
            matches!(&reading.catalog.get(*id).unwrap().object, Object::Column(column)
                if column.type_name.canonical().as_str() == "extensions.vector(1536)")
        });
        assert!(embedding.count() > 0);
        for (id, entry) in reading.catalog.iter() {
            assert!(entry.uses.iter().all(|used| reading.catalog.contains(*used)), "{id}: {:?}", entry.uses);
        }
        let again = introspect(&mut client, &external).unwrap();
        let texts = |reading: &Reading| -> Vec<String> {
            reading
                .catalog
                .iter()
                .map(|(id, entry)| format!("{id} {:?} {:?}", entry.object, entry.uses))
                .collect()
        };
        assert_eq!(texts(&reading), texts(&again));
        assert!(reading.unplaced.is_empty(), "{:?}", reading.unplaced);
    }
}

/// Not a test of every run: `cargo test -p schemac-tests --test read -- --ignored --nocapture thousand`.
#[test]
#[ignore = "measures"]
fn a_thousand_tables() {
    for major in [15, 18] {
        let Some(server) = servers::get(major) else { continue };
        let database = server.database();
        database.execute("create schema app").unwrap();
        let mut sql = String::new();
        for i in 0..1000 {
            sql.push_str(&format!(
                "create table app.t{i} (id bigint generated always as identity primary key, org bigint not null,
                    name text not null default 'x', email varchar(200) unique, price numeric(10,2) check (price > 0),
                    at timestamptz not null default now(), tags text[], parent bigint references app.t{parent},
                    kind text check (kind in ('a', 'b')), note text, c1 int, c2 int, c3 int, c4 int, c5 int);
                 create index on app.t{i} (org, at desc); create index on app.t{i} (lower(name)) where kind = 'a';
                 alter table app.t{i} enable row level security;
                 create policy own on app.t{i} to authenticated using (name = current_user) with check (org > 0);
                 create view app.v{i} as select id, name, email, price * 2 as twice from app.t{i} where kind <> 'b';
                 comment on table app.t{i} is 'Table {i}'; comment on column app.t{i}.note is 'Note {i}';
                 grant select, insert, update, delete on app.t{i}, app.v{i} to anon, authenticated, service_role;",
                parent = if i == 0 { 0 } else { i - 1 }
            ));
            if i % 100 == 99 {
                database.execute(&std::mem::take(&mut sql)).unwrap();
            }
        }
        database.execute_as(As::Superuser, "vacuum analyze").unwrap();
        let begin = Instant::now();
        let dump = database.dump();
        let dumped = begin.elapsed();
        let mut client = database.connect(As::Owner);
        for _ in 0..2 {
            for reader in schemac_schema::read::READERS {
                let begin = Instant::now();
                let rows = client.simple_query(&(reader.sql)(major)).unwrap().len();
                eprintln!("    {:.1?} {rows} rows: {}", begin.elapsed(), reader.name);
            }
        }
        for _ in 0..3 {
            let begin = Instant::now();
            let reading = introspect(&mut client, &BTreeSet::new()).unwrap();
            let (took, objects) = (begin.elapsed(), reading.catalog.len());
            eprintln!(
                "PostgreSQL {major}: {objects} objects in {took:.0?}; pg_dump of {} bytes in {dumped:.0?}",
                dump.len()
            );
        }
    }
}
