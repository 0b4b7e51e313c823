//! The fixture `disruptor`, end to end: fifteen tables move behind facades, and no client notices.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use postgres::{Client, NoTls};
use schemac_tests::rows::{self, Names};
use schemac_tests::servers::{self, As, Database, Server};
use schemac_tests::{clients, dump, product, repository};

fn fixture() -> PathBuf {
    repository().join("fixtures/disruptor")
}

fn project() -> PathBuf {
    fixture().join("project")
}

/// The flat database, owned by a role that is no superuser.
fn flat(server: &Server) -> Database<'_> {
    let database = server.database();
    database.psql_file(As::Superuser, fixture().join("platform.sql")).expect("the platform loads");
    database.psql_file(As::Owner, fixture().join("before.sql")).expect("the flat database loads");
    database
}

fn blocks() -> Vec<clients::Block> {
    clients::parse(&std::fs::read_to_string(fixture().join("clients.sql")).expect("clients.sql"))
        .expect("parses")
}

const MOVED: &[&str] = &[
    "api_key_projects",
    "key_rotation_policies",
    "key_security_events",
    "key_usage_analytics",
    "mcp_key_access_requests",
    "mcp_key_audit_log",
    "mcp_key_sessions",
    "mcp_key_tools",
    "mcp_proxy_tokens",
    "memory_access_patterns",
    "memory_chunks",
    "memory_entries",
    "memory_search_analytics",
    "memory_versions",
    "stored_api_keys",
];

fn moved_names() -> Names {
    MOVED.iter().fold(Names::default(), |names, table| {
        names.table(&format!("public.{table}"), &format!("security_service.{table}"))
    })
}

/// Phase 1 of the guide, by hand.
const PHASE_ONE: &str = "
set client_min_messages = warning;
do $$
declare name text;
begin
  foreach name in array array['security_service', 'auth_gateway', 'shared_services', 'control_room', 'analytics',
      'billing', 'vendors', 'client_services', 'marketplace'] loop
    execute format('create schema %I', name);
    execute format('grant usage on schema %I to authenticated, service_role', name);
    execute format('alter default privileges in schema %I grant all on tables to authenticated', name);
    execute format('alter default privileges in schema %I grant all on sequences to authenticated', name);
  end loop;
  foreach name in array array['app_the_fixer_initiative', 'app_onasis_core', 'app_lanonasis_maas', 'app_seftec',
      'app_seftechub', 'app_vortexcore', 'app_mcp_monorepo'] loop
    execute format('create schema %I', name);
  end loop;
end $$;
comment on schema security_service is 'API keys, secrets, memory service, MCP tools';
comment on schema auth_gateway is 'Authentication, authorization, OAuth, sessions';
comment on schema shared_services is 'Cross-cutting: profiles, settings';
comment on schema control_room is 'Admin cockpit, app registry, system health';
comment on schema analytics is 'Usage tracking, logs, metrics';
comment on schema billing is 'Payments, subscriptions, invoicing';
comment on schema vendors is 'Vendor/platform management';
comment on schema client_services is 'Client organizations and their resources';
comment on schema marketplace is 'E-commerce: products, orders, transactions';
";

/// The same by hand, as the guide and the field notes say it: what the migrated database is compared with.
fn by_hand(database: &Database<'_>) {
    let mut script = String::from(PHASE_ONE);
    for table in MOVED {
        script.push_str(&format!(
            r"
alter table public.{table} set schema security_service;
do $$
declare list text; entry record; expression text;
begin
  select string_agg(quote_ident(attname), ', ' order by attnum) into list from pg_attribute
  where attrelid = 'security_service.{table}'::regclass and attnum > 0 and not attisdropped;
  execute format('create view public.{table} with (security_invoker = true) as select %s from security_service.{table}', list);
  execute 'revoke all on public.{table} from anon, authenticated, service_role';
  for entry in select case grantee when 0 then 'public' else quote_ident(pg_get_userbyid(grantee)) end as who, privilege_type
    from pg_class, aclexplode(relacl) where oid = 'security_service.{table}'::regclass and grantee <> relowner loop
    execute format('grant %s on public.{table} to %s', entry.privilege_type, entry.who);
  end loop;
  for entry in select quote_ident(pg_get_userbyid(grantee)) as who, privilege_type, attname
    from pg_attribute, aclexplode(attacl) where attrelid = 'security_service.{table}'::regclass loop
    execute format('grant %s (%I) on public.{table} to %s', entry.privilege_type, entry.attname, entry.who);
  end loop;
  for entry in select attname, pg_get_expr(adbin, adrelid) as value from pg_attrdef
    join pg_attribute on attrelid = adrelid and attnum = adnum
    where adrelid = 'security_service.{table}'::regclass and attgenerated = '' loop
    execute format('alter view public.{table} alter column %I set default %s', entry.attname, entry.value);
  end loop;
end $$;
"
        ));
    }
    database.psql(As::Owner, &script).expect("the moves by hand");
}

fn moves_on(major: u32) {
    let Some(server) = servers::get(major) else { return };
    let database = flat(server);
    let (mut admin, url) = (database.connect(As::Superuser), database.url_as_owner());
    let blocks = blocks();
    let before = clients::run(&mut admin, &blocks).expect("the clients run");
    let rows_before = rows::checksums(&mut admin, &moved_names()).expect("rows");
    let files_before = storage(&mut admin, "public");

    product::run(&project(), &url, &["check"]).expect("runs").expect(0);
    product::run(&project(), &url, &["diff", "--exit-code"]).expect("runs").expect(2);
    let first = product::run(&project(), &url, &["diff", "--format", "sql"]).expect("runs");
    let second = product::run(&project(), &url, &["diff", "--format", "sql"]).expect("runs");
    assert_eq!(first.expect(0).stdout, second.stdout, "the same input gives the same bytes");
    product::run(&project(), &url, &["apply", "--yes"]).expect("runs").expect(0);
    product::run(&project(), &url, &["diff", "--exit-code"]).expect("runs").expect(0);

    let after = clients::run(&mut admin, &blocks).expect("the clients run");
    let difference = clients::difference(&before, &after);
    assert!(difference.is_empty(), "PostgreSQL {major}: the clients are answered differently\n{difference}");
    assert_eq!(
        rows_before,
        rows::checksums(&mut admin, &Names::default()).expect("rows"),
        "rows were changed"
    );
    assert_eq!(files_before, storage(&mut admin, "security_service"), "a table was copied, not moved");

    let hand = flat(server);
    by_hand(&hand);
    // The words of a facade's comment are schemac's own.
    for table in MOVED {
        let uncomment = format!("comment on view public.{table} is null");
        database.execute(&uncomment).expect("a facade's comment");
    }
    let difference = dump::difference(&database.dump(), &hand.dump());
    assert!(
        difference.is_empty(),
        "PostgreSQL {major}: the result differs from the moves by hand\n{difference}"
    );
}

/// Name and file of each of the fifteen tables.
fn storage(admin: &mut Client, schema: &str) -> BTreeSet<(String, u32)> {
    admin
        .query(
            "SELECT relname::text, relfilenode FROM pg_class WHERE relkind = 'r' AND relnamespace = $1::text::regnamespace \
             AND relname = ANY ($2)",
            &[&schema, &MOVED],
        )
        .expect("pg_class")
        .iter()
        .map(|row| (row.get(0), row.get(1)))
        .collect()
}

#[test]
fn fifteen_tables_move_and_no_client_notices_on_15() {
    moves_on(15);
}

#[test]
fn fifteen_tables_move_and_no_client_notices_on_18() {
    moves_on(18);
}

/// The script that `--format sql` gives does the same as `apply`.
#[test]
fn psql_runs_the_script_as_it_is() {
    let Some(server) = servers::get(15) else { return };
    let database = flat(server);
    let url = database.url_as_owner();
    let script = product::run(&project(), &url, &["diff", "--format", "sql"]).expect("runs");
    database.psql(As::Owner, &script.expect(0).stdout).expect("psql runs the script");
    product::run(&project(), &url, &["diff", "--exit-code"]).expect("runs").expect(0);
}

/// Sixteen clients read and write random tables through the old names while all fifteen tables move.
#[test]
fn sixteen_clients_work_on_while_the_tables_move() {
    let Some(shared) = servers::get(15) else { return };
    // A server of its own: its log tells who was in a deadlock with whom.
    let server = Server::start(shared.scratch().installation()).expect("a server");
    let database = flat(&server);
    let url = database.url_as_superuser();
    let blocks = blocks();
    let stop = AtomicBool::new(false);
    let asked = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..16_usize)
            .map(|worker| {
                let (url, blocks, stop, asked) = (&url, &blocks, &stop, &asked);
                scope.spawn(move || {
                    let mut client = Client::connect(url, NoTls).expect("connects");
                    // What each block answers when nothing moves is known from a first round; blocks that take locks
                    // on the same rows as other clients' are left to the single-client test.
                    let mut state = 0x9e37_79b9_u64.wrapping_mul(worker as u64 + 1) | 1;
                    let mut wrong = Vec::new();
                    while !stop.load(Ordering::Relaxed) {
                        state ^= state << 13;
                        state ^= state >> 7;
                        state ^= state << 17;
                        let block = &blocks[(state % blocks.len() as u64) as usize];
                        match clients::run_block(&mut client, block) {
                            Ok(answer) => {
                                for outcome in &answer.outcomes {
                                    if let clients::Outcome::Failed(code) = outcome {
                                        // Undefined table, column or function; a killed client, a lock that was not to be had.
                                        let fatal =
                                            ["42P01", "42703", "42883", "55P03", "XX000", "57P01", "42809"];
                                        if fatal.contains(&code.as_str()) && !block_fails_alone(block) {
                                            wrong.push(format!("{}: {code}", block.name));
                                        }
                                    }
                                }
                            }
                            Err(error) => wrong.push(format!("{}: {error}", block.name)),
                        }
                        asked.fetch_add(1, Ordering::Relaxed);
                    }
                    wrong
                })
            })
            .collect();
        // They are at work before the first table moves.
        while asked.load(Ordering::Relaxed) < 200 {
            std::thread::yield_now();
        }
        let run = product::run(&project(), &database.url_as_owner(), &["apply", "--yes"]).expect("runs");
        let during = asked.load(Ordering::Relaxed);
        while asked.load(Ordering::Relaxed) < during + 200 {
            std::thread::yield_now();
        }
        stop.store(true, Ordering::Relaxed);
        let wrong: Vec<String> =
            workers.into_iter().flat_map(|worker| worker.join().expect("a client")).collect();
        run.expect(0);
        assert!(wrong.is_empty(), "{} clients' errors:\n{}", wrong.len(), wrong.join("\n"));
    });
    // Clients that write the same rows in another order deadlock among themselves, with or without a move: over rows,
    // that is over transactions. A deadlock over a relation would be the move's.
    let log = server.scratch().log();
    let ours: Vec<&str> =
        log.lines().filter(|line| line.contains("waits for") && line.contains(" on relation ")).collect();
    let involved: Vec<&&str> = ours.iter().filter(|line| line.contains("AccessExclusiveLock")).collect();
    assert!(involved.is_empty(), "the move was in a deadlock: {ours:?}");
    product::run(&project(), &database.url_as_owner(), &["diff", "--exit-code"]).expect("runs").expect(0);
}

/// Blocks that are refused by any other client's lock too: they say NOWAIT.
fn block_fails_alone(block: &clients::Block) -> bool {
    block.statements.iter().any(|statement| statement.to_lowercase().contains("nowait"))
}

/// A statement that fails in the middle leaves every client working, and applying again finishes.
#[test]
fn a_failure_in_the_middle_leaves_every_client_working() {
    let Some(server) = servers::get(15) else { return };
    let database = flat(server);
    let (mut admin, url) = (database.connect(As::Superuser), database.url_as_owner());
    let blocks = blocks();
    let before = clients::run(&mut admin, &blocks).expect("the clients run");
    // An event trigger of the platform refuses one of the moves.
    admin
        .batch_execute(
            "create function public.refuse() returns event_trigger language plpgsql as $$ begin \
             if exists (select from pg_event_trigger_ddl_commands() where object_identity = 'security_service.memory_chunks') then \
             raise exception 'not today'; end if; end $$; \
             create event trigger refuse on ddl_command_end when tag in ('ALTER TABLE') execute function public.refuse()",
        )
        .expect("an event trigger");
    let run = product::run(&project(), &url, &["apply", "--yes"]).expect("runs");
    run.expect(1);
    assert!(run.stderr.contains("not today"), "{}", run.all());
    assert!(run.stderr.contains("memory_chunks"), "{}", run.all());
    assert!(run.stderr.contains("security_service.yaml"), "the origin in the files is named: {}", run.all());
    let between = clients::run(&mut admin, &blocks).expect("the clients run");
    let difference = clients::difference(&before, &between);
    assert!(difference.is_empty(), "{difference}");
    admin.batch_execute("drop event trigger refuse; drop function public.refuse()").expect("drops");
    product::run(&project(), &url, &["apply", "--yes"]).expect("runs").expect(0);
    product::run(&project(), &url, &["diff", "--exit-code"]).expect("runs").expect(0);
    let after = clients::run(&mut admin, &blocks).expect("the clients run");
    let difference = clients::difference(&before, &after);
    assert!(difference.is_empty(), "{difference}");
}
