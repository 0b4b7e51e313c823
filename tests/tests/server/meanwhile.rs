//! Somebody changes the schema while it is read: a diff is the one before or the one after, or says that it must be
//! tried again.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use schemac_tests::project::Project;
use schemac_tests::servers::{self, As};

const PROJECT: &str = "domain: app
enums:
  state: [open, closed]
functions:
  label:
    arguments: a text
    returns: text
    language: sql
    attributes: immutable
    body: select upper(a)
tables:
  people:
    columns:
      id: bigint primary key
      name: varchar(20)
      loud: text generated always as (upper(name)) stored
      state: state default 'open' not null
    checks:
      name_check: name in ('a', 'b') or length(name) > 3
    indexes:
      people_name_idx: (lower(name)) where name like 'a%'
    policies:
      mine: { for: select, using: \"name = current_user\" }
    triggers:
      touch: before update for each row when (old.name is distinct from new.name) execute function suppress_redundant_updates_trigger()
  orders:
    # Renamed it is another table here.
    moved_from: [app.orders]
    columns:
      id: bigint primary key
      person: bigint references people (id)
views:
  names:
    query: select * from people where name in ('a', 'b')
  both:
    query: select o.id, p.name from orders o join people p on p.id = o.person where p.state in ('open')
  labels:
    query: select label(name) as label from people
";

/// There and back, each in one transaction: what has a name gets another one, what has a definition another one.
const THERE: &str = "
    begin;
    alter table app.people rename column name to called;
    alter table app.orders rename to purchases;
    alter type app.state rename value 'open' to 'opened';
    alter function app.label(text) rename to marked;
    drop index app.people_name_idx;
    create index people_name_idx on app.people (upper(called));
    create or replace trigger touch before update on app.people for each row
        when (old.called <> new.called) execute function suppress_redundant_updates_trigger();
    create or replace view app.both as select o.id, p.called as name from app.purchases o join app.people p on p.id = o.id;
    create table app.more (id int);
    commit";
const BACK: &str = "
    begin;
    drop table app.more;
    create or replace view app.both as select o.id, p.called as name from app.purchases o
        join app.people p on p.id = o.person where p.state in ('opened');
    alter table app.people rename column called to name;
    alter table app.purchases rename to orders;
    alter type app.state rename value 'opened' to 'open';
    alter function app.marked(text) rename to label;
    drop index app.people_name_idx;
    create index people_name_idx on app.people (lower(name)) where name like 'a%';
    create or replace trigger touch before update on app.people for each row
        when (old.name is distinct from new.name) execute function suppress_redundant_updates_trigger();
    commit";

/// How often the database is compared.
const DIFFS: usize = 50;

#[test]
fn a_diff_is_of_one_moment_or_says_that_it_is_not() {
    for server in servers::all() {
        let major = server.major();
        let database = server.database();
        let settings = "postgres: 14\nsources: [app.yaml]\nsearch_path: [app, public]\nundeclared: drop\n";
        let files = [("schemac.yaml", settings), ("app.yaml", PROJECT)];
        let own = Project::new(&format!("meanwhile-{major}"), &files);
        own.run(&database, &["apply", "--yes"]).expect(0);
        // All is asked anew each time.
        let diff = || own.run(&database, &["diff", "--no-cache", "--format", "sql", "--allow", "all"]);
        let mut client = database.connect(As::Owner);
        client.batch_execute("truncate schemac.memory").unwrap();
        let before = diff().expect(0).stdout.clone();
        client.batch_execute(THERE).unwrap();
        let after = diff().expect(0).stdout.clone();
        client.batch_execute(BACK).unwrap();
        assert_eq!(diff().expect(0).stdout, before, "PostgreSQL {major}");
        assert!(!before.contains("app.people") && after.contains("app.people"), "{before}\n{after}");

        let done = AtomicBool::new(false);
        let (mut seen, mut torn) = ([0; 3], Vec::new());
        thread::scope(|scope| {
            let changing = scope.spawn(|| {
                let mut pause = 1_u64;
                while !done.load(Ordering::Relaxed) {
                    // From a storm to a change that comes between two questions.
                    pause = pause * 7 % 211;
                    for sql in [THERE, BACK] {
                        client.batch_execute(sql).unwrap();
                        thread::sleep(Duration::from_millis(pause));
                    }
                }
            });
            for _ in 0..DIFFS {
                let run = diff();
                match run.code {
                    0 if run.stdout == before => seen[0] += 1,
                    0 if run.stdout == after => seen[1] += 1,
                    1 if run.stderr.contains("try again") && !run.stderr.contains("panicked") => seen[2] += 1,
                    _ => torn.push(run.all()),
                }
            }
            done.store(true, Ordering::Relaxed);
            changing.join().unwrap();
        });
        println!("PostgreSQL {major}: {} before, {} after, {} to be tried again", seen[0], seen[1], seen[2]);
        assert!(torn.is_empty(), "PostgreSQL {major}: {} of {DIFFS}\n{}", torn.len(), torn.join("\n=====\n"));
    }
}
