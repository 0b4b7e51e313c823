//! Foreign keys that cross domains are in the report both ways, whoever their tables belong to; those that do not are not.

use schemac_tests::project::Project;
use schemac_tests::servers::{self, As};
use serde_json::Value;

const PROJECT: &str = "postgres: 14\nsources: [schema/]\nsearch_path: [public]\nundeclared: keep\n\
                       external: { schemas: [auth], roles: [anon] }\n";

const BEFORE: &str = "
create schema auth;
create table auth.users (id int primary key);
create table auth.sessions (user_id int);
create table public.accounts (id int primary key references auth.users, code text unique, parent int references public.accounts);
create table public.members (account_id int constraint members_account references public.accounts);
create table public.plans (id int primary key);
create table public.orders (account_id int constraint orders_account references public.accounts,
    plan_id int constraint orders_plan references public.plans);
create table public.invoices (code text constraint invoices_code references public.accounts (code),
    plan_id int constraint invoices_plan references public.plans);
create table public.events (account_id int constraint events_account references public.accounts, at date)
    partition by range (at);
create table public.events_2026 partition of public.events for values from ('2026-01-01') to ('2027-01-01');
alter table auth.sessions add constraint sessions_account foreign key (user_id) references public.accounts;
grant usage on schema auth to owner; grant select, references on auth.users to owner;
do $$ declare t text; begin
    foreach t in array array['accounts', 'members', 'plans', 'orders', 'invoices', 'events', 'events_2026'] loop
        execute format('alter table public.%I owner to owner', t);
    end loop;
end $$;
";

const APP: &str = "domain: app
tables:
  accounts:
    moved_from: [public.accounts]
    facade: public.accounts
    columns: { id: int primary key, code: text, parent: int }
    unique: { accounts_code_key: (code) }
    foreign_keys:
      accounts_id_fkey: (id) references auth.users
      accounts_parent_fkey: (parent) references app.accounts
  members:
    moved_from: [public.members]
    facade: public.members
    columns: { account_id: int }
    foreign_keys: { members_account: (account_id) references app.accounts }
  orders:
    moved_from: [public.orders]
    facade: public.orders
    columns: { account_id: int, plan_id: int }
    foreign_keys:
      orders_account: (account_id) references app.accounts
      orders_plan: (plan_id) references public.plans
";

const BILLING: &str = "domain: billing
tables:
  invoices:
    moved_from: [public.invoices]
    facade: public.invoices
    columns: { code: text, plan_id: int }
    foreign_keys:
      invoices_code: (code) references app.accounts (code)
      invoices_plan: (plan_id) references public.plans
";

fn found_both_ways(major: u32) {
    let Some(server) = servers::get(major) else { return };
    let database = server.database();
    database.psql(As::Superuser, BEFORE).expect("the database");
    let project = Project::new(
        &format!("crossing-{major}"),
        &[("schemac.yaml", PROJECT), ("schema/app.yaml", APP), ("schema/billing.yaml", BILLING)],
    );
    let run = project.run(&database, &["diff", "--json"]);
    let report: Value = serde_json::from_str(&run.expect(0).stdout).expect("JSON");
    let all = report["compatibility"]["findings"].as_array().expect("a list").iter();
    let keys = all.filter(|one| one["rule"] == "foreign-key-crosses-domains");
    let mut keys: Vec<String> = keys.map(|one| one["what"].as_str().unwrap_or_default().to_owned()).collect();
    keys.sort();
    assert_eq!(
        keys,
        [
            "app.accounts references auth.users",
            "app.orders references public.plans",
            "auth.sessions references app.accounts",
            "billing.invoices references app.accounts",
            "billing.invoices references public.plans",
            "public.events references app.accounts",
        ],
        "PostgreSQL {major}"
    );
    project.apply(&database);
    // They go on working, both ways.
    let value = |question: &str| -> i64 {
        database.connect(As::Superuser).query_one(question, &[]).expect("an answer").get(0)
    };
    let works = "insert into auth.users values (1); insert into public.accounts values (1, 'a', 1);
         insert into public.orders (account_id) values (1); insert into auth.sessions values (1);
         insert into public.events values (1, '2026-02-02')";
    database.execute_as(As::Superuser, works).expect("rows that fit");
    for wrong in ["insert into public.orders values (2)", "insert into auth.sessions values (2)"] {
        let error = database.execute_as(As::Superuser, wrong).expect_err(wrong);
        assert_eq!(error.code().map(|code| code.code()), Some("23503"), "{wrong}");
    }
    assert_eq!(value("select count(*) from public.orders"), 1);
}

#[test]
fn found_both_ways_on_15() {
    found_both_ways(15);
}

#[test]
fn found_both_ways_on_17() {
    found_both_ways(17);
}

#[test]
fn found_both_ways_on_18() {
    found_both_ways(18);
}
