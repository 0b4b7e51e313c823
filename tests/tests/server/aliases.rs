//! What a query calls its relations means nothing: a table that is renamed leaves aliases behind that nobody would write,
//! and one apply is enough.

use schemac_tests::project::Project;
use schemac_tests::servers::{self, As};

/// The project with the table under a name.
fn project(table: &str, moved: &str) -> String {
    format!(
        "domain: app
tables:
  {table}:
{moved}    columns:
      id: bigint primary key
      up: bigint
  lines:
    columns:
      id: bigint primary key
      order_id: bigint
    rls: enabled
    policies:
      own_alias: {{ for: select, using: \"exists (select 1 from {table} orders where orders.id = order_id)\" }}
      new_name: {{ for: select, using: \"exists (select 1 from {table} purchases where purchases.id = lines.order_id)\" }}
views:
  old_name: {{ query: \"select orders.id from {table} orders\" }}
  old_name_numbered: {{ query: \"select orders_1.id from {table} orders_1\" }}
  other_name: {{ query: \"select o.id from {table} o\" }}
  new_name_of_another: {{ query: \"select purchases.id, orders.up from {table} orders join lines purchases on purchases.order_id = orders.id\" }}
  new_name_already: {{ query: \"select purchases.id from {table} purchases\" }}
  twice: {{ query: \"select orders.id from {table} orders where exists (select 1 from {table} orders_1 where orders_1.up = orders.id)\" }}
  inside: {{ query: \"select a.id from (select orders.id from {table} orders) a join lines purchases using (id)\" }}
  in_arms: {{ query: \"select orders.id from {table} orders union select purchases.id from lines purchases\" }}
  renamed_columns: {{ query: \"select orders.a from {table} orders (a, b)\" }}
  follows: {{ query: \"select {table}.id from {table} {table}\" }}
  follows_numbered: {{ query: \"select {table}_1.id from {table} {table}_1\" }}
  follows_inside: {{ query: \"select id from lines l where exists (select 1 from {table} {table} where {table}.id = l.id)\" }}
  follows_nothing: {{ query: \"select {table}.id from {table}\" }}
  rows: {{ query: \"select orders as whole from {table} orders\" }}
materialized_views:
  kept: {{ query: \"select orders.id from {table} orders\" }}
"
    )
}

#[test]
fn one_apply_is_enough_after_a_rename_whatever_the_aliases() {
    for server in servers::all() {
        let major = server.major();
        let database = server.database();
        let settings = "postgres: 14\nsources: [app.yaml]\nsearch_path: [app, public]\nundeclared: drop\n";
        let own = Project::new(&format!("aliases-{major}"), &[("schemac.yaml", settings)]);
        let run = |arguments: &[&str]| own.run(&database, arguments);
        let write = |text: String| own.write("app.yaml", &text);
        write(project("orders", ""));
        run(&["apply", "--yes"]).expect(0);
        let dumped = database.dump();
        for (table, moved) in [("purchases", "orders"), ("orders", "purchases")] {
            write(project(table, &format!("    moved_from: [{moved}]\n")));
            let applied = run(&["apply", "--yes", "--no-cache"]);
            applied.expect(0);
            let left = run(&["diff", "--exit-code", "--no-cache"]);
            assert_eq!(left.code, 0, "PostgreSQL {major} as {table}\n{}\n{}", applied.stdout, left.all());
            // Nor when nothing is remembered.
            database.execute_as(As::Superuser, "truncate schemac.memory").unwrap();
            run(&["diff", "--exit-code", "--no-cache"]).expect(0);
        }
        assert_eq!(schemac_tests::dump::difference(&dumped, &database.dump()), "", "PostgreSQL {major}");
        // Which relation a column is of is never a matter of its name.
        write(project("orders", "").replace("select o.id from orders o", "select o.id from lines o"));
        assert!(run(&["diff", "--no-cache"]).expect(0).stdout.contains("view app.other_name"));
    }
}
