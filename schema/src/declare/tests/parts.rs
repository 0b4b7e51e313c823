//! Everything else that stands in a domain: keys, indexes, triggers, policies, privileges, views.

use super::{caret, catalog, column, complaints, for_version, object, one, project, t, table};
use crate::id::ObjectId;
use crate::ident::{Ident, QName};
use crate::kinds::foreign_key::Action;
use crate::kinds::key::Timing;
use crate::kinds::policy::Command;
use crate::kinds::table::ReplicaIdentity;
use crate::kinds::trigger::{Enabled, When};
use crate::object::Kind;

const COLUMNS: &str = "columns:\n  a: int\n  b: int\n  c: text\n";

fn with(body: &str) -> crate::catalog::Catalog {
    one(&format!("{COLUMNS}{body}"))
}

#[test]
fn keys_and_foreign_keys() {
    let catalog = with(
        "primary_key:
  t_key: (a)
unique:
  t_b_key: nulls not distinct (b, c)
  t_c_key:
    definition: (c) include (a) with (fillfactor = 70)
    deferrable: true
    initially_deferred: true
    comment: One of each
foreign_keys:
  t_user: (a, b) references auth.users (id, no) on delete set null (a) deferrable
  t_late: { definition: (c) references other, not_valid: true }
",
    );
    assert!(object!(catalog, Key, ObjectId::on(Kind::Key, t(), "t_key")).primary);
    let key = object!(catalog, Key, ObjectId::on(Kind::Key, t(), "t_b_key"));
    assert!(key.nulls_not_distinct && key.columns == ["b".into(), "c".into()]);
    let id = ObjectId::on(Kind::Key, t(), "t_c_key");
    let key = object!(catalog, Key, id);
    assert_eq!((key.timing, key.include.as_slice()), (Timing::Deferred, &["a".into()][..]));
    assert_eq!(key.options.0.get(&Ident::new("fillfactor")).map(|text| text.as_str()), Some("70"));
    object!(catalog, Comment, ObjectId::of(Kind::Comment, id, ""));
    let key = object!(catalog, ForeignKey, ObjectId::on(Kind::ForeignKey, t(), "t_user"));
    assert_eq!(key.target_columns, ["id".into(), "no".into()]);
    assert_eq!((key.on_delete, key.timing), (Action::SetNull(vec!["a".into()]), Timing::Deferrable));
    assert!(object!(catalog, ForeignKey, ObjectId::on(Kind::ForeignKey, t(), "t_late")).not_valid);
}

#[test]
fn indexes_keep_the_words_and_lose_parameters() {
    let catalog = with(
        "indexes:
  i1: (a, b desc) where c is not null
  i2: unique using btree (lower(c)) include (a) with (fillfactor=70) tablespace fast where b > 0
  i3: { definition: using gin (c extensions.gin_trgm_ops), comment: For the search }
",
    );
    let index = |name: &str| object!(catalog, Index, ObjectId::on(Kind::Index, t(), name));
    assert_eq!(index("i1").definition.text(), "(a, b desc) where c is not null");
    let second = index("i2");
    assert!(second.unique && second.tablespace == Some("fast".into()));
    // The default access method goes without saying.
    assert_eq!(second.definition.text(), "(lower(c)) include (a) where b > 0");
    assert_eq!(second.options.0.len(), 1);
    assert_eq!(index("i3").definition.text(), "using gin (c extensions.gin_trgm_ops)");
}

#[test]
fn triggers() {
    let catalog = with(
        "triggers:
  touch: before update for each row execute function app.touch()
  log: |
    after insert or update of a, \"b\" or delete for each row
    when (old.a is distinct from new.a)
    execute procedure log('x', 1, y)
  later: constraint after insert deferrable initially deferred for each row execute function f()
  whole:
    definition: after truncate on t for each statement execute function f()
    enabled: always
  rows: after update referencing old table as before new table as now execute function f()
",
    );
    let trigger = |name: &str| object!(catalog, Trigger, ObjectId::on(Kind::Trigger, t(), name));
    let touch = trigger("touch");
    assert!(touch.when == When::Before && touch.update && touch.row && !touch.insert);
    assert_eq!(touch.function.qname(), Some(QName::new("app", "touch")));
    let log = trigger("log");
    assert!(log.insert && log.update && log.delete && log.update_of == ["a".into(), "b".into()]);
    assert_eq!(log.condition.expect("a condition").text(), "old.a is distinct from new.a");
    assert_eq!(log.arguments.iter().map(|text| text.as_str()).collect::<Vec<_>>(), ["x", "1", "y"]);
    assert!(log.function.schema.is_none() && log.function.name.as_str() == "log");
    assert_eq!(trigger("later").constraint, Some(Timing::Deferred));
    let whole = trigger("whole");
    assert!(whole.truncate && !whole.row && whole.enabled == Enabled::Always);
    let rows = trigger("rows");
    assert_eq!((rows.old_table, rows.new_table), (Some("before".into()), Some("now".into())));
}

#[test]
fn policies_grants_and_flags() {
    let catalog = with(
        "rls: forced
replica_identity: using index t_a
options: { fillfactor: 70, toast.autovacuum_enabled: false }
policies:
  Users read: { for: select, to: [b, a], using: a = (select auth.uid()) }
  Nobody deletes: { for: delete, as: restrictive, using: \"false\" }
grants:
  reader: [select, \"update (b, c)\", \"insert (b)\"]
  writer: all
  boss: select, insert with grant option
  public: none
",
    );
    let flags = object!(catalog, Table, t());
    assert!(flags.rls && flags.rls_forced && flags.options.0.len() == 2);
    assert_eq!(flags.replica_identity, ReplicaIdentity::Index("t_a".into()));
    let policy = object!(catalog, Policy, ObjectId::on(Kind::Policy, t(), "Users read"));
    assert_eq!(policy.roles.iter().map(|role| role.name.as_str()).collect::<Vec<_>>(), ["a", "b"]);
    assert_eq!(policy.using.expect("using").text(), "a = (select auth.uid())");
    let policy = object!(catalog, Policy, ObjectId::on(Kind::Policy, t(), "Nobody deletes"));
    assert!(
        policy.command == Command::Delete && !policy.permissive && policy.roles[0].name.as_str() == "public"
    );
    let words = |target: ObjectId, role: &str| {
        let grant = object!(catalog, Grant, ObjectId::of(Kind::Grant, target, role));
        grant
            .privileges
            .iter()
            .map(|(word, option)| format!("{word}{}", if *option { "*" } else { "" }))
            .collect::<Vec<_>>()
    };
    assert_eq!(words(t(), "reader"), ["SELECT"]);
    assert_eq!(words(column("b"), "reader"), ["INSERT", "UPDATE"]);
    assert_eq!(words(column("c"), "reader"), ["UPDATE"]);
    assert_eq!(words(t(), "writer").len(), 7);
    assert_eq!(words(t(), "boss"), ["INSERT*", "SELECT*"]);
    assert!(!catalog.contains(ObjectId::of(Kind::Grant, t(), "public")));
    let (declared, _) = for_version(&[&table(&format!("{COLUMNS}grants: {{ writer: all }}"))], 17);
    assert_eq!(
        object!(declared.catalog, Grant, ObjectId::of(Kind::Grant, t(), "writer")).privileges.len(),
        8
    );
}

#[test]
fn schemas_views_and_what_stands_on_external_tables() {
    let catalog = catalog(&["domain: app
comment: The application
grants: { authenticated: usage }
views:
  v:
    options: { security_invoker: true }
    query: |
      select id, title
        from app.t; -- the end
    columns: { title: { comment: As shown, grants: { r: select } } }
    grants: { authenticated: select }
on_external:
  auth.users:
    triggers:
      made: after insert for each row execute function app.made()
"]);
    let schema = ObjectId::global(Kind::Schema, "app");
    object!(catalog, Comment, ObjectId::of(Kind::Comment, schema, ""));
    assert_eq!(
        object!(catalog, Grant, ObjectId::of(Kind::Grant, schema, "authenticated")).privileges.len(),
        1
    );
    let view = ObjectId::in_schema(Kind::View, QName::new("app", "v"));
    assert!(object!(catalog, View, view).query.text().starts_with("select id"));
    object!(catalog, Grant, ObjectId::of(Kind::Grant, ObjectId::on(Kind::Column, view, "title"), "r"));
    let users = ObjectId::in_schema(Kind::Table, QName::new("auth", "users"));
    object!(catalog, Trigger, ObjectId::on(Kind::Trigger, users, "made"));
}

#[track_caller]
fn wrong(body: &str, message: &str, marked: &str) {
    caret(&format!("{COLUMNS}{body}"), message, marked);
}

#[test]
fn carets_stand_under_what_is_wrong() {
    wrong("unique:\n  k: (a b)", "at or near \"b\"", "k: (a «b»)");
    wrong("unique:\n  k: (a, x)", "has no column `x`", "k: (a, «x»)");
    wrong("unique:\n  k: (a), drop column b", "more than one constraint", "k: (a)«,» drop column b");
    wrong("checks:\n  k: a > ", "at the end", "k: a >«»");
    wrong("checks:\n  k: a > 0) or (b > 0", "at or near \")\"", "k: a > 0«)» or (b > 0");
    wrong("foreign_keys:\n  k: (a) reference x", "at or near \"reference\"", "k: (a) «reference» x");
    wrong("indexes:\n  k: unique (a) were b > 0", "at or near \"were\"", "k: unique (a) «were» b > 0");
    wrong("indexes:\n  k: (a, d)", "has no column `d`", "k: (a, «d»)");
    wrong(
        "triggers:\n  k: before update for each rwo execute function f()",
        "at or near \"rwo\"",
        "k: before update for each «rwo» execute function f()",
    );
    wrong(
        "triggers:\n  k: before update of a, x for each row execute function f()",
        "has no column `x`",
        "k: before update of a, «x» for each row execute function f()",
    );
    wrong(
        "triggers:\n  k: after insert on u execute function f()",
        "another table",
        "k: after insert on «u» execute function f()",
    );
    wrong("grants:\n  r: [select, slect]", "`slect` is no privilege", "r: [select, «slect»]");
    wrong("grants:\n  r: update (a, d)", "has no column `d`", "r: update (a, «d»)");
    wrong("grants:\n  r: delete (a)", "`delete` is no privilege of a column", "r: «delete» (a)");
    wrong("replica_identity: fully", "at or near \"fully\"", "replica_identity: «fully»");
    wrong(
        "policies:\n  p: { for: insert, using: a = 1 }",
        "only `with_check`",
        "p: { for: insert, using: «a = 1» }",
    );
    wrong("policies:\n  p:\n    using: |\n      a = 1\n      and and b", "at or near \"and\"", "and «and» b");
}

#[test]
fn two_owners_are_both_shown() {
    let file = "domain: app\ntables:\n  t: { columns: { a: int } }\n";
    let shown = complaints(&[file, "domain: app\nviews:\n  t: { query: select 1 }\n"]);
    assert!(shown.contains("error[SC0301]: view app.t and table app.t want the same name"), "{shown}");
    assert!(shown.contains("1.yaml:3:3") && shown.contains("0.yaml:3:3"), "{shown}");
    let shown = complaints(&[file, file]);
    assert!(
        shown.contains("table app.t is declared twice")
            && !shown.contains("column app.t.a is declared twice"),
        "{shown}"
    );
    let shown = complaints(&[&table("columns: { a: int primary key }\nprimary_key: { k: (a) }")]);
    assert!(shown.contains("table app.t has two primary keys"), "{shown}");
}

#[test]
fn what_cannot_be_declared_is_said_all_at_once() {
    let long = "x".repeat(64);
    let shown = complaints(&[
        "domain: auth\ntables:\n  users: { columns: { id: uuid } }\n",
        "domain: schemac\ntables:\n  memory: { columns: { id: uuid } }\n",
        "tables:\n  t: { columns: { a: int } }\n",
        "domain: app\non_external:\n  other.t: { comment: x }\n",
        &format!("domain: app\ntables:\n  {long}: {{ columns: {{ a: int }} }}\n"),
        "domain: app\nroles:\n  f: { login: true }\n  g: { login: true }\ndata:\n  app.t: { key: [a], rows: [{ a: 1 }] }\n",
    ]);
    for expected in [
        "error[SC0312]: the schema `auth` is external",
        "error[SC0314]: `schemac` is the schema in which schemac keeps what it remembers",
        "error[SC0104]: the file does not say which schema this belongs to",
        "error[SC0302]: `other` is no external schema",
        "error[SC0311]: `xxxx",
        "warning[SC0313]: `roles` is not modelled yet",
        "note: ignored here: f, g",
        "warning[SC0313]: `data` is not modelled yet",
    ] {
        assert!(shown.contains(expected), "{expected}\n{shown}");
    }
}

#[test]
fn moves_and_drops() {
    let (declared, _) = project(&[
        "domain: app\ntables:\n  t:\n    moved_from: [public.t, old_t, app.t]\n    columns: { a: int }\ndropped: [gone, public.gone]\n",
    ]);
    let paths: Vec<String> = declared.moves[0].from.iter().map(|id| id.path()).collect();
    assert_eq!(paths, ["public.t", "app.old_t"]);
    let dropped: Vec<String> = declared.dropped.iter().map(|(name, _)| name.to_string()).collect();
    assert_eq!(dropped, ["app.gone", "public.gone"]);
}

#[test]
fn what_only_newer_servers_have_is_said() {
    let body = format!(
        "{COLUMNS}  d: text generated always as (lower(c))\nunique:\n  k: nulls not distinct (a)\n\
         foreign_keys:\n  f: {{ definition: \"(a) references x (a)\", enforced: false }}\npartition_by: range (a)\n"
    );
    let (declared, sources) = for_version(&[&table(&body)], 14);
    let shown: String = declared.diagnostics.iter().map(|found| found.render(&sources, false)).collect();
    for expected in
        ["not STORED needs PostgreSQL 18", "DISTINCT needs PostgreSQL 15", "ENFORCED needs PostgreSQL 18"]
    {
        assert!(shown.contains(expected), "{expected}\n{shown}");
    }
    let (declared, _) = for_version(&[&table(&body)], 18);
    assert!(declared.diagnostics.is_empty(), "{:?}", declared.diagnostics);
    assert_eq!(
        object!(declared.catalog, Table, t()).partition_by.as_ref().map(|key| key.text()),
        Some("range (a)")
    );
}
