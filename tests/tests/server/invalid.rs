//! Indexes that are not valid serve nobody, so they are none: what a build that failed left behind, and those of
//! partitioned tables that some partition has no part of.

use schemac_tests::project::Project;
use schemac_tests::servers;

const PROJECT: &str = "domain: app
tables:
  t:
    columns: { id: int, a: int }
    indexes:
      t_a: unique (a)
  log:
    columns: { id: int not null, a: int }
    primary_key: { log_pkey: (id) }
    partition_by: range (id)
    indexes:
      log_a: (a)
    partitions:
      log_1: for values from (0) to (10)
      log_2: for values from (10) to (20)
";

/// What `CREATE INDEX … ON ONLY` and `ADD PRIMARY KEY` on ONLY leave when the partitions' are never attached.
const LIVE: &str = "
    create schema app;
    create table app.t (id int, a int);
    insert into app.t values (1, 1), (2, 1);
    create table app.log (id int not null, a int) partition by range (id);
    create table app.log_1 partition of app.log for values from (0) to (10);
    create table app.log_2 partition of app.log for values from (10) to (20);
    alter table only app.log add constraint log_pkey primary key (id);
    create index log_a on only app.log (a);
    create index log_1_a on app.log_1 (a);
    alter index app.log_a attach partition app.log_1_a";

#[test]
fn an_index_that_is_not_valid_is_made_anew() {
    for server in servers::all() {
        let database = server.database();
        database.execute(LIVE).unwrap();
        database.execute("create unique index concurrently t_a on app.t (a)").unwrap_err();
        database.execute("delete from app.t where id = 2").unwrap();
        let project =
            Project::new("invalid", &[("schemac.yaml", "postgres: 14\n"), ("schema/app.yaml", PROJECT)]);
        let plan = project.run(&database, &["diff"]).expect(0).stdout.clone();
        for statement in ["DROP INDEX app.t_a", "DROP INDEX app.log_a", "DROP CONSTRAINT log_pkey"] {
            assert!(plan.contains(statement), "{plan}");
        }
        project.run(&database, &["apply", "--yes"]).expect(0);
        project.run(&database, &["diff", "--exit-code"]).expect(0);
    }
}
