//! What is done on a live server: connecting, asking how it stores fragments, applying a plan.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use postgres::{Client, SimpleQueryMessage};
use schemac_compiler::apply::{ApplyError, ApplyOptions, Progress, Quiet, Retry, apply};
use schemac_compiler::connect::{ConnectError, Trouble, connect_with};
use schemac_compiler::elaborate::{self, Answer, Answers, elaborate};
use schemac_compiler::plan::{Because, Plan, PlannedStep, Segment, Verb};
use schemac_compiler::scratch::Options;
use schemac_schema::catalog::{Catalog, Entry, Standing};
use schemac_schema::fragment::{Aside, Fragment, Grammar};
use schemac_schema::id::ObjectId;
use schemac_schema::ident::{Ident, QName};
use schemac_schema::kinds::check::Check;
use schemac_schema::kinds::column::{Column, Generated};
use schemac_schema::kinds::default::Default as ColumnDefault;
use schemac_schema::kinds::index::Index;
use schemac_schema::kinds::policy::{Command, Policy};
use schemac_schema::kinds::trigger::{Trigger, When};
use schemac_schema::kinds::view::View;
use schemac_schema::object::{Context, Kind, Object, Server};
use schemac_schema::question::{Question, Questions};
use schemac_schema::reference::{Reference, Target};
use schemac_schema::type_name::TypeName;
use schemac_tests::servers::{self, As, Database, OWNER};

fn no_environment(_: &str) -> Option<String> {
    None
}

fn trouble(url: &str) -> ConnectError {
    match connect_with(Some(url), &no_environment) {
        Ok(_) => panic!("{url} connects"),
        Err(error) => error,
    }
}

#[test]
fn whoever_cannot_connect_hears_what_to_do_and_never_a_password() {
    for major in [15, 18] {
        let Some(server) = servers::get(major) else { continue };
        let database = server.database();
        let (scratch, name) = (server.scratch(), database.name());
        let connection = connect_with(Some(&database.url_as_owner()), &no_environment).unwrap();
        assert_eq!(
            (connection.version, connection.role.as_str(), connection.database.as_str()),
            (major, OWNER, name)
        );

        let password = "hunter2@/:%";
        let with = |role: &str, name: &str| scratch.url_as(role, password, name);
        database
            .execute_as(As::Superuser, &format!("REVOKE CONNECT ON DATABASE {name} FROM PUBLIC"))
            .unwrap();
        server.ensure_role("stranger", "LOGIN PASSWORD 'hunter2@/:%'").unwrap();
        let right = scratch.password();
        let good = database.url_as_owner();
        for (url, kind, word) in [
            (with(OWNER, name), Trouble::Password, "does not take the password of \"owner\""),
            (scratch.url_as(OWNER, right, "nowhere"), Trouble::Database, "has no database \"nowhere\""),
            (with("stranger", name), Trouble::Rights, "\"stranger\" may not connect"),
            (good.replace(&format!(":{}/", scratch.port()), ":1/"), Trouble::Unreachable, "127.0.0.1:1"),
            (good.replace("127.0.0.1", "nowhere.invalid"), Trouble::Unreachable, "nowhere.invalid"),
            (good.replace(&format!(":{right}@"), "@"), Trouble::Password, "none was given"),
            (format!("{good}?sslmode=require"), Trouble::Tls, "does not offer TLS"),
            (format!("{good}?sslmode=sometimes"), Trouble::Settings, "sslmode"),
            (scratch.socket_url("nobody_here", name), Trouble::Rights, "has no role \"nobody_here\""),
            (
                format!("host=/nowhere user=x password={password}"),
                Trouble::Unreachable,
                "/nowhere/.s.PGSQL.5432",
            ),
        ] {
            let error = trouble(&url);
            let said = format!("{error}\n{}\n{error:?}", error.help);
            assert_eq!(error.trouble, kind, "{said}");
            assert!(error.message.contains(word), "{word}: {said}");
            assert!(!error.help.is_empty() && !said.contains("hunter2") && !said.contains(right), "{said}");
        }
    }
}

#[test]
fn parts_of_an_address_come_from_the_environment_and_from_files() {
    use std::os::unix::fs::PermissionsExt as _;
    let Some(server) = servers::get(15) else { return };
    let database = server.database();
    let folder = std::env::temp_dir().join(format!("schemac-connect-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let (port, password) = (server.scratch().port().to_string(), server.scratch().password());
    let (pass, service) = (folder.join("pass"), folder.join("service"));
    std::fs::write(&pass, format!("127.0.0.1:{port}:*:owner:{password}\n")).unwrap();
    std::fs::set_permissions(&pass, std::fs::Permissions::from_mode(0o600)).unwrap();
    std::fs::write(&service, format!("[here]\nhost=127.0.0.1\nport={port}\ndbname={}\n", database.name()))
        .unwrap();
    let environment = |name: &str| match name {
        "PGPASSFILE" => Some(pass.to_string_lossy().into_owned()),
        "PGSERVICEFILE" => Some(service.to_string_lossy().into_owned()),
        "PGSERVICE" => Some("here".to_owned()),
        "PGUSER" => Some(OWNER.to_owned()),
        "PGHOST" => Some("nowhere.invalid".to_owned()),
        _ => None,
    };
    let mut connection = connect_with(None, &environment).unwrap();
    assert_eq!(connection.database, database.name());
    assert_eq!(value(&mut connection.client, "SHOW application_name"), "schemac");
    std::fs::set_permissions(&pass, std::fs::Permissions::from_mode(0o644)).unwrap();
    let error = connect_with(None, &environment).err().unwrap();
    assert!(error.trouble == Trouble::Password && error.help.contains("chmod 0600"), "{error:?}");
    std::fs::remove_dir_all(folder).unwrap();
}

/// Runs `openssl` in a folder.
fn openssl(folder: &std::path::Path, arguments: &str) {
    let output =
        std::process::Command::new("openssl").args(arguments.split(' ')).current_dir(folder).output();
    let output = output.unwrap_or_else(|error| panic!("openssl: {error}; or run script/bootstrap"));
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn encryption_is_as_sslmode_says() {
    use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown};
    for major in [15, 18] {
        let Some(shared) = servers::get(major) else { continue };
        let server = servers::Server::start(shared.scratch().installation()).unwrap();
        let database = server.database();
        let folder = std::env::temp_dir().join(format!("schemac-tls-{}-{major}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        for name in ["ours", "theirs"] {
            openssl(
                &folder,
                &format!(
                    "req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN={name} -keyout {name}.key -out {name}.crt"
                ),
            );
        }
        std::fs::write(folder.join("names"), "subjectAltName=DNS:localhost\n").unwrap();
        openssl(
            &folder,
            "req -new -newkey rsa:2048 -nodes -subj /CN=localhost -keyout server.key -out server.csr",
        );
        openssl(
            &folder,
            "x509 -req -in server.csr -CA ours.crt -CAkey ours.key -CAcreateserial -days 2 -extfile names -out server.crt",
        );
        let data = server.scratch().data_folder();
        let owner = std::fs::metadata(&data).unwrap();
        for name in ["server.crt", "server.key"] {
            std::fs::copy(folder.join(name), data.join(name)).unwrap();
            std::fs::set_permissions(data.join(name), std::fs::Permissions::from_mode(0o600)).unwrap();
            chown(data.join(name), Some(owner.uid()), Some(owner.gid())).unwrap();
        }
        server.execute("ALTER SYSTEM SET ssl = on").unwrap();
        server.execute("SELECT pg_reload_conf()").unwrap();
        thread::sleep(Duration::from_millis(300));

        let (ours, theirs) = (folder.join("ours.crt"), folder.join("theirs.crt"));
        let by_name = database.url_as_owner().replace("127.0.0.1", "localhost");
        let by_address = database.url_as_owner();
        let encrypted = |url: &str| {
            let mut connection = connect_with(Some(url), &no_environment).map_err(|error| error.trouble)?;
            Ok(value(&mut connection.client, "select ssl from pg_stat_ssl where pid = pg_backend_pid()"))
        };
        for (url, mode, roots, expected) in [
            (&by_name, "disable", None, Ok("f")),
            (&by_name, "allow", None, Ok("f")),
            (&by_name, "prefer", None, Ok("t")),
            (&by_address, "require", None, Ok("t")),
            (&by_address, "require", Some(&theirs), Err(Trouble::Tls)),
            (&by_address, "verify-ca", Some(&ours), Ok("t")),
            (&by_address, "verify-ca", Some(&theirs), Err(Trouble::Tls)),
            (&by_name, "verify-ca", None, Err(Trouble::Tls)),
            (&by_name, "verify-full", Some(&ours), Ok("t")),
            (&by_address, "verify-full", Some(&ours), Err(Trouble::Tls)),
            (&by_name, "verify-full", Some(&theirs), Err(Trouble::Tls)),
        ] {
            let roots = roots.map(|path| format!("&sslrootcert={}", path.display())).unwrap_or_default();
            let outcome = encrypted(&format!("{url}?sslmode={mode}{roots}"));
            assert_eq!(outcome, expected.map(str::to_owned), "PostgreSQL {major}: {mode} {roots}");
        }
        std::fs::remove_dir_all(folder).unwrap();
    }
}

fn value(client: &mut Client, question: &str) -> String {
    let rows = client.simple_query(question).unwrap();
    rows.iter()
        .find_map(|message| match message {
            SimpleQueryMessage::Row(row) => Some(row.get(0).unwrap_or("(null)").to_owned()),
            _ => None,
        })
        .unwrap_or_default()
}

/// The processor time that a server process has used so far.
fn cpu_milliseconds(pid: &str) -> u64 {
    let text = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let fields = text.rsplit(')').next().unwrap_or("").split_whitespace().skip(11).take(2);
    fields.filter_map(|ticks| ticks.parse::<u64>().ok()).sum::<u64>() * 10
}

fn table(schema: &str, name: &str) -> ObjectId {
    ObjectId::in_schema(Kind::Table, QName::new(schema, name))
}

fn expression(text: &str) -> Fragment {
    Fragment::canonical(text, Grammar::Expression)
}

/// A catalog made by hand.
#[derive(Default)]
struct Made(Catalog);

impl Made {
    fn put(&mut self, id: ObjectId, object: Object) -> ObjectId {
        let entry = Entry { object, span: None, standing: Standing::Managed, uses: Vec::new() };
        self.0.insert(id, entry).unwrap();
        id
    }

    fn columns(&mut self, table: ObjectId, columns: &[(&str, &str)]) {
        for (position, (name, type_name)) in columns.iter().enumerate() {
            let mut column = Column::new(TypeName::parse(type_name).unwrap());
            column.position = Aside(u32::try_from(position).unwrap() + 1);
            self.put(ObjectId::on(Kind::Column, table, *name), Object::Column(column));
        }
    }

    fn check(&mut self, table: ObjectId, name: &str, text: &str) -> ObjectId {
        let check =
            Check { expression: expression(text), no_inherit: false, not_valid: false, not_enforced: false };
        self.put(ObjectId::on(Kind::Check, table, name), Object::Check(check))
    }

    fn index(&mut self, table: ObjectId, name: &str, text: &str) -> ObjectId {
        let index = Index {
            unique: false,
            definition: Fragment::canonical(text, Grammar::Index),
            options: Default::default(),
            tablespace: None,
            attached_to: None,
        };
        self.put(ObjectId::on(Kind::Index, table, name), Object::Index(index))
    }

    fn view(&mut self, schema: &str, name: &str, text: &str) -> ObjectId {
        let view = View {
            query: Fragment::canonical(text, Grammar::Query),
            columns: Aside(Vec::new()),
            options: Default::default(),
            owner: Aside(None),
            output: Aside(None),
        };
        self.put(ObjectId::in_schema(Kind::View, QName::new(schema, name)), Object::View(view))
    }

    /// Asks about everything in it.
    fn ask(&self, client: &mut Client, major: u32) -> Answers {
        let server = Server { version: major, role: Ident::new(OWNER) };
        let context = Context { current: &Catalog::default(), desired: &self.0, server: &server };
        let mut questions = Questions::default();
        for (id, entry) in self.0.iter() {
            entry.object.ask(id, &context, &mut questions);
        }
        elaborate(client, &questions, &["app".into()], &elaborate::Options::default()).unwrap()
    }
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

fn made() -> Made {
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
        let object = Object::Default(ColumnDefault { value: expression(text) });
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
    let trigger = Trigger {
        when: When::After,
        insert: false,
        delete: false,
        update: true,
        update_of: Vec::new(),
        truncate: false,
        row: true,
        condition: Some(expression("old.* is distinct from new.* and new.name <> 'x'")),
        function: Reference::to(
            Target::Routine,
            QName::new("pg_catalog", "suppress_redundant_updates_trigger"),
        ),
        arguments: Vec::new(),
        constraint: None,
        from: None,
        old_table: None,
        new_table: None,
        enabled: Default::default(),
        cloned: Aside(false),
    };
    made.put(ObjectId::on(Kind::Trigger, users, "touched"), Object::Trigger(trigger));
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
        let answers = made().ask(&mut client, server.major());
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
        assert_eq!(answers.text(view, "query"), Some(real.as_str()));
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
fn asking_takes_no_lock_that_disturbs_anybody() {
    for major in [15, 18] {
        let Some(server) = servers::get(major) else { continue };
        let database = server.database();
        let mut client = database.connect(As::Owner);
        client.batch_execute("set search_path = app").unwrap();
        client.batch_execute(REAL).unwrap();
        client.batch_execute("reset search_path").unwrap();
        let made = made();
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
            undo: None,
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
    let answers = made().ask(&mut client, 15);
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
    assert_eq!(answers.text(view, "query"), Some(" SELECT held.a\n   FROM app.held;"));
}

fn step(object: ObjectId, sql: &str) -> PlannedStep {
    PlannedStep {
        object,
        verb: Verb::Alter,
        sql: sql.into(),
        impact: Default::default(),
        because: Because::Declared,
        span: None,
        texts: None,
    }
}

fn segment(locks: &[ObjectId], steps: Vec<PlannedStep>) -> Segment {
    Segment { steps, transactional: true, locks: locks.to_vec() }
}

fn plan(segments: Vec<Segment>) -> Plan {
    Plan { segments, notes: Vec::new(), search_path: vec!["app".into(), "Odd \"one".into()] }
}

/// Moves `public.tN` behind a facade.
fn moves(count: usize) -> Plan {
    let segments = (0..count).map(|number| {
        let (name, id) = (format!("t{number}"), table("public", &format!("t{number}")));
        segment(
            &[id],
            vec![
                step(id, &format!("ALTER TABLE public.{name} SET SCHEMA app")),
                step(id, &format!("CREATE VIEW public.{name} AS SELECT * FROM app.{name}")),
            ],
        )
    });
    plan(segments.collect())
}

fn tables(database: &Database<'_>, count: usize) {
    database.execute("create schema app").unwrap();
    for number in 0..count {
        let sql = format!(
            "create table public.t{number} (id serial primary key, n int); insert into public.t{number} (n) values (1)"
        );
        database.execute(&sql).unwrap();
    }
}

#[derive(Default)]
struct Heard {
    started: usize,
    finished: usize,
    retries: usize,
}

impl Progress for Heard {
    fn started(&mut self, _: usize, _: usize, _: &Segment) {
        self.started += 1;
    }
    fn retrying(&mut self, _: &Retry<'_>) {
        self.retries += 1;
    }
    fn finished(&mut self, _: usize, _: usize, _: Duration) {
        self.finished += 1;
    }
}

#[test]
fn apply_gets_through_among_sixteen_clients_and_hurts_none() {
    for major in [15, 18] {
        let Some(server) = servers::get(major) else { continue };
        let database = server.database();
        tables(&database, 15);
        let (stop, rounds) = (AtomicBool::new(false), AtomicUsize::new(0));
        thread::scope(|scope| {
            for client in 0..16 {
                let (database, stop, rounds) = (&database, &stop, &rounds);
                scope.spawn(move || {
                    let mut connection = database.connect(As::Owner);
                    let mut at = client;
                    while !stop.load(Ordering::Relaxed) {
                        at = (at * 7 + 3) % 15;
                        let (one, two) = (at, (at + client) % 15);
                        // Some hold their locks for a while.
                        let pause = if client % 4 == 0 { "select pg_sleep(0.2);" } else { "" };
                        let sql = format!(
                            "begin; select * from public.t{one} where id = 1; insert into public.t{two} (n) values (2); \
                             {pause} commit"
                        );
                        if let Err(error) = connection.batch_execute(&sql) {
                            stop.store(true, Ordering::Relaxed);
                            panic!("client {client}: {error:?}");
                        }
                        rounds.fetch_add(1, Ordering::Relaxed);
                    }
                });
            }
            let mut heard = Heard::default();
            let begin = Instant::now();
            let options =
                ApplyOptions { lock_timeout: Duration::from_millis(100), retries: 60, ..Default::default() };
            let outcome = apply(&mut database.connect(As::Owner), &moves(15), &options, &mut heard);
            stop.store(true, Ordering::Relaxed);
            let applied = outcome.unwrap();
            eprintln!(
                "PostgreSQL {major}: 15 moves among 16 clients in {:.0?}, {} retries, {} rounds of clients",
                begin.elapsed(),
                applied.retries,
                rounds.load(Ordering::Relaxed)
            );
            assert_eq!((applied.segments, applied.steps, heard.started, heard.finished), (15, 30, 15, 15));
            assert_eq!(heard.retries as u32, applied.retries);
        });
    }
}

#[test]
fn a_segment_that_stays_locked_is_tried_so_often_and_leaves_nothing() {
    let Some(server) = servers::get(15) else { return };
    let database = server.database();
    tables(&database, 3);
    let mut holder = database.connect(As::Owner);
    holder.batch_execute("begin; insert into public.t1 (n) values (5)").unwrap();
    let mut client = database.connect(As::Owner);
    let options = ApplyOptions { lock_timeout: Duration::from_millis(50), retries: 2, ..Default::default() };
    let mut heard = Heard::default();
    let error = apply(&mut client, &moves(3), &options, &mut heard).unwrap_err();
    let ApplyError::Statement(failed) = &error else { panic!("{error}") };
    assert_eq!((failed.error.sqlstate.as_str(), failed.segment, failed.boundary), ("55P03", 2, 1));
    assert_eq!((failed.retries, heard.retries, heard.finished), (2, 2, 1));
    assert_eq!(failed.statement, "LOCK TABLE ONLY public.t1 IN ACCESS EXCLUSIVE MODE");
    assert!(error.to_string().contains("behind segment 1; apply again"), "{error}");
    // One transaction for all leaves nothing at all.
    holder.batch_execute("rollback").unwrap();
    let mut rest = moves(3);
    rest.segments.remove(0);
    rest.segments.push(segment(&[], vec![step(table("app", "x"), "SELECT 1/0")]));
    let single = ApplyOptions { single_transaction: true, ..options.clone() };
    let error = apply(&mut client, &rest, &single, &mut Quiet).unwrap_err();
    assert!(error.to_string().contains("nothing was changed"), "{error}");
    assert_eq!(value(&mut client, "select to_regclass('app.t1')"), "(null)");
    rest.segments.pop();
    let applied = apply(&mut client, &rest, &single, &mut Quiet).unwrap();
    assert_eq!((applied.segments, applied.steps), (2, 4));
}

#[test]
fn a_statement_that_fails_leaves_the_database_at_a_boundary() {
    for major in [15, 18] {
        let Some(server) = servers::get(major) else { continue };
        let database = server.database();
        tables(&database, 3);
        let mut broken = moves(3);
        let second = table("public", "t1");
        let wrong = step(second, "ALTER TABLE app.t1 ADD CONSTRAINT c CHECK (n > 1)");
        broken.segments[1].steps.push(wrong.clone());
        let mut client = database.connect(As::Owner);
        let error = apply(&mut client, &broken, &ApplyOptions::default(), &mut Quiet).unwrap_err();
        let ApplyError::Statement(failed) = &error else { panic!("{error}") };
        assert_eq!((failed.segment, failed.segments, failed.boundary, failed.certain), (2, 3, 1, true));
        assert_eq!((failed.object, failed.statement.as_str()), (Some(second), wrong.sql.as_str()));
        assert_eq!(failed.error.sqlstate, "23514");
        assert!(error.to_string().contains("segment 2 of 3 failed at table public.t1"), "{error}");
        // Every client still works, through the old names.
        let mut owner = database.connect(As::Owner);
        for number in 0..3 {
            owner.batch_execute(&format!("insert into public.t{number} (n) values (3)")).unwrap();
        }
        assert_eq!(value(&mut owner, "select relkind from pg_class where oid = 'public.t1'::regclass"), "r");
        // The same connection is in no transaction and holds no lock; the rest goes through.
        let advisory = "select count(*) from pg_locks where locktype = 'advisory' and database = \
                        (select oid from pg_database where datname = current_database())";
        assert_eq!(value(&mut owner, advisory), "0");
        broken.segments[1].steps.pop();
        broken.segments.remove(0);
        assert_eq!(apply(&mut client, &broken, &ApplyOptions::default(), &mut Quiet).unwrap().segments, 2);
        assert_eq!(value(&mut client, "show search_path"), "\"$user\", public");
    }
}

#[test]
fn two_applies_keep_out_of_each_others_way() {
    let Some(server) = servers::get(18) else { return };
    let database = server.database();
    tables(&database, 1);
    let mut first = connect_with(Some(&database.url_as_owner()), &no_environment).unwrap();
    let pid = value(&mut first.client, "select pg_backend_pid()");
    let slow = plan(vec![segment(&[], vec![step(table("app", "x"), "SELECT pg_catalog.pg_sleep(1)")])]);
    thread::scope(|scope| {
        let running =
            scope.spawn(move || apply(&mut first.client, &slow, &ApplyOptions::default(), &mut Quiet));
        thread::sleep(Duration::from_millis(300));
        let mut client = database.connect(As::Owner);
        let error = apply(&mut client, &moves(1), &ApplyOptions::default(), &mut Quiet).unwrap_err();
        assert!(matches!(&error, ApplyError::Busy(holder) if holder.pid.to_string() == pid), "{error}");
        assert!(error.to_string().contains("(schemac, role owner"), "{error}");
        running.join().unwrap().unwrap();
        apply(&mut client, &moves(1), &ApplyOptions::default(), &mut Quiet).unwrap();
    });
}

#[test]
fn statements_outside_a_transaction_and_tables_that_may_not_be_locked() {
    let Some(server) = servers::get(15) else { return };
    let database = server.database();
    tables(&database, 1);
    database.execute("create schema \"Odd \"\"one\"; revoke all on public.t0 from owner").unwrap();
    let id = table("public", "t0");
    let outside = |sql: &str| Segment { steps: vec![step(id, sql)], transactional: false, locks: Vec::new() };
    let mut whole = moves(1);
    whole.segments.push(outside("CREATE INDEX CONCURRENTLY t0_n ON app.t0 (n)"));
    whole.segments.push(outside("CREATE UNIQUE INDEX CONCURRENTLY t0_n ON app.t0 (n)"));
    let mut client = database.connect(As::Owner);
    let single = ApplyOptions { single_transaction: true, ..Default::default() };
    let error = apply(&mut client, &whole, &single, &mut Quiet).unwrap_err();
    assert!(matches!(error, ApplyError::NotInOneTransaction(_)));
    let error = apply(&mut client, &whole, &ApplyOptions::default(), &mut Quiet).unwrap_err();
    let ApplyError::Statement(failed) = &error else { panic!("{error}") };
    assert_eq!((failed.error.sqlstate.as_str(), failed.boundary, failed.certain), ("42P07", 2, false));
    assert_eq!(value(&mut client, "show search_path"), "\"$user\", public");
    assert_eq!(value(&mut client, "show check_function_bodies"), "on");
}
