//! What the server says to fragments is what it stores for the real thing.

use std::thread;
use std::time::{Duration, Instant};

use schemac_compiler::elaborate::{self, Answer, elaborate};
use schemac_compiler::scratch::Options;
use schemac_schema::catalog::Catalog;
use schemac_schema::fragment::Aside;
use schemac_schema::id::ObjectId;
use schemac_schema::ident::{Ident, QName};
use schemac_schema::kinds::column::{Column, Generated};
use schemac_schema::kinds::default::Default as ColumnDefault;
use schemac_schema::kinds::policy::{Command, Policy};
use schemac_schema::kinds::trigger::When;
use schemac_schema::object::{Context, Kind, Object, Server};
use schemac_schema::question::{Question, Questions};
use schemac_schema::reference::Reference;
use schemac_schema::type_name::TypeName;
use schemac_tests::made::{self, Made, expression};
use schemac_tests::servers::{self, As, OWNER};

use schemac_tests::made::table;

use crate::value;

/// The processor time that a server process has used so far.
fn cpu_milliseconds(pid: &str) -> u64 {
    let text = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let fields = text.rsplit(')').next().unwrap_or("").split_whitespace().skip(11).take(2);
    fields.filter_map(|ticks| ticks.parse::<u64>().ok()).sum::<u64>() * 10
}

const REAL: &str = "
    create schema app; create schema other;
    create type app.state as enum ('open', 'closed');
    create function app.tenant() returns uuid stable language sql
        as $$ select current_setting('app.tenant')::uuid $$;
    create table app.members (user_id uuid, tenant uuid);
    create table other.users (id int);
    create table app.users (
        id bigint, name text, state app.state, tenant uuid, price numeric(10,2), at timestamptz,
        span interval, twice bigint generated always as (id * 2) stored
    );
    alter table app.users add constraint name_is_set check (length(name) > 0 and state in ('open', 'closed')),
        add constraint price_ok check (price between 0 and 10 or name like 'x%' and at > '2024-01-01 00:00+00'),
        add constraint escaped check (name <> E'it''s \\\\ here'),
        alter tenant set default app.tenant(), alter price set default 1, alter at set default now(),
        alter span set default '1 day 2 hours', alter state set default null;
    create policy mine on app.users for all
        using (tenant = app.tenant() and exists (select 1 from members m where m.user_id = users.tenant))
        with check (tenant in (select tenant from app.members));
    create index by_name on app.users using btree (lower(name), at desc) include (price)
        with (fillfactor = 70) where state = 'open';
    create view app.active as select u.*, m.user_id from app.users u join members m using (tenant) where state <> 'closed';
    create trigger touched after update on app.users for each row
        when (old.* is distinct from new.* and new.name <> 'x')
        execute function suppress_redundant_updates_trigger();
";

fn hand_made() -> Made {
    let mut made = Made::default();
    let users = table("app", "users");
    made.columns(
        users,
        &[
            ("id", "bigint"),
            ("name", "text"),
            ("state", "app.state"),
            ("tenant", "uuid"),
            ("price", "numeric(10,2)"),
            ("at", "timestamptz"),
            ("span", "interval"),
        ],
    );
    made.check(users, "name_is_set", "LENGTH(name)>0 and state in ('open', 'closed')");
    made.check(users, "price_ok", "price between 0 and 10 or name like 'x%' and at > '2024-01-01 00:00+00'");
    made.check(users, "escaped", "name <> E'it''s \\\\ here'");
    made.check(users, "wrong", "nam <> ''");
    for (column, text) in [
        ("tenant", "tenant()"),
        ("price", "1"),
        ("at", "now()"),
        ("span", "'1 day 2 hours'"),
        ("state", "null"),
    ] {
        let column = ObjectId::on(Kind::Column, users, column);
        let object = Object::Default(ColumnDefault::new(expression(text)));
        made.put(ObjectId::of(Kind::Default, column, ""), object);
    }
    let mut twice = Column::new(TypeName::parse("bigint").unwrap());
    twice.generated = Some(Generated { expression: expression("id*2"), stored: true });
    twice.position = Aside(8);
    made.put(ObjectId::on(Kind::Column, users, "twice"), Object::Column(twice));
    let policy = Policy {
        command: Command::All,
        permissive: true,
        roles: vec![Reference::role("public".into(), None)],
        using: Some(expression(
            "tenant = tenant() and exists (select 1 from members m where m.user_id = users.tenant)",
        )),
        check: Some(expression("tenant in (select tenant from members)")),
    };
    made.put(ObjectId::on(Kind::Policy, users, "mine"), Object::Policy(policy));
    made.index(users, "by_name", "using btree (lower(name), at desc) include (price) where state = 'open'");
    made.view(
        "app",
        "active",
        "select u.*, m.user_id from users u join members m using (tenant) where state <> 'closed'",
    );
    let trigger = made::trigger(When::After, "old.* is distinct from new.* and new.name <> 'x'");
    made.put(ObjectId::on(Kind::Trigger, users, "touched"), trigger);
    // Another table of the same name.
    let others = table("other", "users");
    made.columns(others, &[("id", "int"), ("label", "varchar(10)")]);
    made.check(others, "label", "label = 'a'");
    made
}

#[test]
fn the_server_says_how_it_would_store_each_fragment() {
    for server in servers::all() {
        let database = server.database();
        let mut client = database.connect(As::Owner);
        client.batch_execute("set search_path = app").unwrap();
        client.batch_execute(REAL).unwrap();
        client.batch_execute("reset search_path").unwrap();
        let answers = hand_made().ask(&mut client, server.major());
        assert_eq!(answers.unavailable, None);

        let users = table("app", "users");
        client.batch_execute("set search_path = ''").unwrap();
        let mut stored = |question: &str| value(&mut client, question);
        let check = |name: &str| {
            format!("select pg_get_expr(conbin, conrelid) from pg_constraint where conname = '{name}'")
        };
        for name in ["name_is_set", "price_ok", "escaped"] {
            let answer = answers.text(ObjectId::on(Kind::Check, users, name), "check");
            assert_eq!(answer, Some(stored(&check(name)).as_str()), "{name}");
        }
        let default =
            |column: &str| ObjectId::of(Kind::Default, ObjectId::on(Kind::Column, users, column), "");
        let expression = |column: &str| {
            format!(
                "select pg_get_expr(adbin, adrelid) from pg_attrdef join pg_attribute on attrelid = adrelid \
                 and attnum = adnum where attrelid = 'app.users'::regclass and attname = '{column}'"
            )
        };
        for column in ["tenant", "price", "at", "span"] {
            let answer = answers.text(default(column), "default");
            assert_eq!(answer, Some(stored(&expression(column)).as_str()), "{column}");
        }
        assert_eq!(answers.get(default("state"), "default"), Some(&Answer::Nothing));
        let twice = answers.text(ObjectId::on(Kind::Column, users, "twice"), "generated");
        assert_eq!(twice, Some(stored(&expression("twice")).as_str()));
        let policy = ObjectId::on(Kind::Policy, users, "mine");
        for (place, column) in [("using", "polqual"), ("check", "polwithcheck")] {
            let real = stored(&format!("select pg_get_expr({column}, polrelid) from pg_policy"));
            assert_eq!(answers.text(policy, place), Some(real.as_str()));
        }
        let index = answers.text(ObjectId::on(Kind::Index, users, "by_name"), "index").unwrap();
        let real = stored("select pg_get_indexdef('app.by_name'::regclass)");
        assert_eq!(index, Kind::Index.stored("index", &real));
        assert!(real.contains("fillfactor") && !Kind::Index.stored("index", &real).contains("fillfactor"));
        let view = ObjectId::in_schema(Kind::View, QName::new("app", "active"));
        let real = stored("select pg_get_viewdef('app.active'::regclass)");
        assert_eq!(answers.text(view, "query"), Some(Kind::View.stored("query", &real).as_str()));
        assert!(answers.text(view, "output").unwrap().contains("price numeric(10,2)"));
        let trigger = ObjectId::on(Kind::Trigger, users, "touched");
        let real = stored("select pg_get_triggerdef(oid) from pg_trigger");
        assert_eq!(answers.text(trigger, "when"), Some(Kind::Trigger.stored("when", &real).as_str()));

        let wrong = answers.get(ObjectId::on(Kind::Check, users, "wrong"), "check");
        assert!(matches!(wrong, Some(Answer::Failed { sqlstate, .. }) if sqlstate == "42703"), "{wrong:?}");
        let label = answers.text(ObjectId::on(Kind::Check, table("other", "users"), "label"), "check");
        assert_eq!(label, Some("((label)::text = 'a'::text)"));
        // Nothing is left, and the connection is as before.
        assert_eq!(stored("select count(*) from pg_class where relpersistence = 't'"), "0");
        assert_eq!(stored("show lock_timeout"), "0");
    }
}

#[test]
fn thousands_of_questions_fit_into_the_default_settings() {
    for major in [15, 18] {
        let Some(server) = servers::get(major) else { continue };
        let database = server.database();
        let mut made = Made::default();
        for number in 0..1_000 {
            // Every tenth has the name of others, in another schema.
            let (schema, name) = match number % 10 {
                0 => (format!("s{number}"), "users".to_owned()),
                _ => ("app".to_owned(), format!("t{number}")),
            };
            let table = table(&schema, &name);
            made.columns(
                table,
                &[("id", "bigint"), ("name", "text"), ("state", "text"), ("at", "timestamptz")],
            );
            made.check(table, "one", &format!("length(name)>{number} and state in ('a','b')"));
            match number % 3 {
                0 => made.check(table, "two", "id between 1 and 5"),
                _ => made.index(table, &format!("{name}_index"), "(lower(name)) where state = 'a'"),
            };
        }
        let mut client = database.connect(As::Owner);
        let pid = value(&mut client, "select pg_backend_pid()");
        let begin = Instant::now();
        let answers = made.ask(&mut client, major);
        eprintln!(
            "PostgreSQL {major}: 2,000 questions on 1,000 stand-ins in {:.0?}, {} ms of them the server's",
            begin.elapsed(),
            cpu_milliseconds(&pid)
        );
        assert_eq!(
            answers.iter().filter(|(_, _, answer)| matches!(answer, Answer::Stored(_))).count(),
            2_000
        );

        // With wrong ones among them, and on a server whose lock table is too small for the first attempt.
        let small = Options::default().set("max_locks_per_transaction", "10").set("max_connections", "20");
        let small = servers::Server::start_with(server.scratch().installation(), small).unwrap();
        let database = small.database();
        // Somebody else uses up most of it.
        let mut hog = database.connect(As::Owner);
        let many: String = (0..120).map(|number| format!("create table hog{number} (a int);")).collect();
        hog.batch_execute(&format!("begin; {many}")).unwrap();
        let mut client = database.connect(As::Owner);
        let table = table("app", "t1");
        for number in 0..50 {
            made.check(table, &format!("wrong{number}"), "nothing > 0");
        }
        let begin = Instant::now();
        let server = Server { version: major, role: Ident::new(OWNER) };
        let context = Context { current: &Catalog::default(), desired: &made.0, server: &server };
        let mut questions = Questions::default();
        for (id, entry) in made.0.iter() {
            entry.object.ask(id, &context, &mut questions);
        }
        let answers = elaborate(&mut client, &questions, &[], &elaborate::Options::default()).unwrap();
        eprintln!("PostgreSQL {major}: the same with a lock table that overflows in {:.0?}", begin.elapsed());
        let failed = answers.iter().filter(|(_, _, answer)| matches!(answer, Answer::Failed { .. })).count();
        assert_eq!((answers.iter().count(), failed), (2_050, 50));
    }
}

#[test]
fn five_thousand_tables_fit_into_the_default_settings() {
    for major in [15, 18] {
        let Some(server) = servers::get(major) else { continue };
        let database = server.database();
        let mut client = database.connect(As::Owner);
        assert_eq!(value(&mut client, "show max_locks_per_transaction"), "64");
        client.batch_execute("create schema app").unwrap();
        let mut made = Made::default();
        for first in (0..5_000).step_by(500) {
            let mut sql = String::new();
            for number in first..first + 500 {
                sql.push_str(&format!("create table app.t{number} (id bigint, state text);"));
                let table = table("app", &format!("t{number}"));
                made.columns(table, &[("id", "bigint"), ("state", "text")]);
                made.check(table, "one", &format!("id>{number} and state in ('a','b')"));
                if number % 5 == 0 {
                    // Its answer needs a permanent table, which is locked too.
                    let using = format!("exists (select 1 from t{} o where o.id = t{number}.id)", number + 1);
                    let policy = Policy {
                        command: Command::All,
                        permissive: true,
                        roles: vec![Reference::role("public".into(), None)],
                        using: Some(expression(&using)),
                        check: None,
                    };
                    made.put(ObjectId::on(Kind::Policy, table, "mine"), Object::Policy(policy));
                }
            }
            client.batch_execute(&sql).unwrap();
        }
        let begin = Instant::now();
        let answers = made.ask(&mut client, major);
        eprintln!("PostgreSQL {major}: 6,000 questions about 5,000 tables in {:.0?}", begin.elapsed());
        assert_eq!(answers.unavailable, None);
        let stored = answers.iter().filter(|(_, _, answer)| matches!(answer, Answer::Stored(_))).count();
        assert_eq!((answers.iter().count(), stored), (6_000, 6_000));
    }
}

#[test]
fn asking_takes_no_lock_that_disturbs_anybody() {
    for major in [15, 18] {
        let Some(server) = servers::get(major) else { continue };
        let database = server.database();
        let mut client = database.connect(As::Owner);
        client.batch_execute("set search_path = app").unwrap();
        client.batch_execute(REAL).unwrap();
        client.batch_execute("reset search_path").unwrap();
        let made = hand_made();
        let kind = Server { version: major, role: Ident::new(OWNER) };
        let context = Context { current: &Catalog::default(), desired: &made.0, server: &kind };
        let mut questions = Questions::default();
        for (id, entry) in made.0.iter() {
            entry.object.ask(id, &context, &mut questions);
        }
        // The last one holds the transaction open.
        questions.push(Question {
            object: table("app", "zzz"),
            stand_in: None,
            make: "SELECT pg_catalog.pg_sleep(1)".into(),
            read: Vec::new(),
            element: None,
            instead: Vec::new(),
        });
        let pid = value(&mut client, "select pg_backend_pid()");
        let mut other = database.connect(As::Superuser);
        thread::scope(|scope| {
            let asking = scope.spawn(|| {
                elaborate(&mut client, &questions, &["app".into()], &elaborate::Options::default()).unwrap()
            });
            thread::sleep(Duration::from_millis(500));
            let locks = value(
                &mut other,
                &format!(
                    "select string_agg(distinct format('%s %s', relation::regclass, mode), ', ') from pg_locks l \
                     join pg_class c on c.oid = relation join pg_namespace n on n.oid = c.relnamespace \
                     where l.pid = {pid} and nspname in ('app', 'other')"
                ),
            );
            assert_eq!(locks, "app.members AccessShareLock, app.users AccessShareLock", "PostgreSQL {major}");
            asking.join().unwrap();
        });
    }
}

#[test]
fn who_may_not_ask_hears_why() {
    let Some(server) = servers::get(15) else { return };
    let database = server.database();
    database.execute("create schema app; create type app.state as enum ('open')").unwrap();
    let revoke = format!("REVOKE TEMPORARY ON DATABASE {} FROM PUBLIC, {OWNER}", database.name());
    database.execute_as(As::Superuser, &revoke).unwrap();
    let mut client = database.connect(As::Owner);
    let answers = hand_made().ask(&mut client, 15);
    assert!(answers.unavailable.as_deref().unwrap().contains("GRANT TEMPORARY ON DATABASE"), "{answers:?}");
    assert_eq!(answers.iter().count(), 0);
    // A lock that nobody gives back in time is no hang, and the connection can be used afterwards.
    let grant = format!("GRANT TEMPORARY ON DATABASE {} TO {OWNER}", database.name());
    database.execute_as(As::Superuser, &grant).unwrap();
    database.execute("create table app.held (a int)").unwrap();
    let mut holder = database.connect(As::Owner);
    holder.batch_execute("begin; lock table app.held").unwrap();
    let mut made = Made::default();
    let view = made.view("app", "v", "select * from app.held");
    let server = Server { version: 15, role: Ident::new(OWNER) };
    let context = Context { current: &Catalog::default(), desired: &made.0, server: &server };
    let mut questions = Questions::default();
    made.0.get(view).unwrap().object.ask(view, &context, &mut questions);
    let options = elaborate::Options { lock_timeout: Duration::from_millis(50), ..Default::default() };
    let answers = elaborate(&mut client, &questions, &[], &options).unwrap();
    assert!(
        matches!(answers.get(view, "query"), Some(Answer::Failed { sqlstate, .. }) if sqlstate == "55P03")
    );
    holder.batch_execute("rollback").unwrap();
    let answers = elaborate(&mut client, &questions, &[], &options).unwrap();
    assert_eq!(answers.text(view, "query"), Some("SELECT held.a\n   FROM app.held"));
}
