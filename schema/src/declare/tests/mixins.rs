//! Conventions and the tables that follow them.

use super::{column, complaints, object, project, t};
use crate::id::ObjectId;
use crate::ident::QName;
use crate::object::Kind;

const MIXINS: &str = "mixins:
  stamps:
    columns:
      created_at: timestamptz not null default now()
      updated_at: timestamptz
    triggers:
      \"{table}_touch\": before update for each row execute function app.touch()
  tenant:
    parameters: { column: organization_id, role: }
    use: [stamps]
    rls: enabled
    policies:
      \"{table} tenant isolation\":
        to: \"{role}\"
        using: \"{column} in (select tenant.mine())\"
    views:
      \"{table}_all\":
        query: select * from {schema}.{table}
  other:
    columns:
      created_at: timestamptz
";

#[test]
fn a_table_takes_what_its_mixins_bring_and_its_own_wins() {
    let file = "domain: app
tables:
  t:
    use: [{ tenant: { role: member } }]
    columns:
      organization_id: uuid
      updated_at: date not null
";
    let (declared, sources) = project(&[file, MIXINS]);
    let shown: String = declared.diagnostics.iter().map(|found| found.render(&sources, false)).collect();
    assert!(shown.is_empty(), "{shown}");
    let catalog = declared.catalog;
    let names: Vec<&str> = catalog.columns(t()).iter().map(|(id, _)| id.name().as_str()).collect();
    assert_eq!(names, ["organization_id", "updated_at", "created_at"]);
    assert_eq!(object!(catalog, Column, column("updated_at")).type_name.text().as_str(), "date");
    object!(catalog, Default, ObjectId::of(Kind::Default, column("created_at"), ""));
    assert!(object!(catalog, Table, t()).rls);
    object!(catalog, Trigger, ObjectId::on(Kind::Trigger, t(), "t_touch"));
    let policy = object!(catalog, Policy, ObjectId::on(Kind::Policy, t(), "t tenant isolation"));
    assert_eq!(policy.using.expect("using").text(), "organization_id in (select tenant.mine())");
    assert_eq!(policy.roles[0].name.as_str(), "member");
    let view = ObjectId::in_schema(Kind::View, QName::new("app", "t_all"));
    assert_eq!(object!(catalog, View, view).query.text(), "select * from app.t");
}

#[test]
fn mixins_that_cannot_be_used() {
    let file =
        |used: &str| format!("domain: app\ntables:\n  t: {{ use: [{used}], columns: {{ a: int }} }}\n");
    let shown = complaints(&[&file("stamps, other"), MIXINS]);
    assert!(
        shown.contains(
            "error[SC0310]: the mixins `stamps` and `other` disagree about the column `created_at` of `t`"
        ),
        "{shown}"
    );
    let shown = complaints(&[&file("stamp"), MIXINS]);
    assert!(
        shown.contains("error[SC0308]: there is no mixin `stamp`")
            && shown.contains("did you mean `stamps`?"),
        "{shown}"
    );
    let shown = complaints(&[&file("tenant"), MIXINS]);
    assert!(shown.contains("error[SC0309]: the mixin `tenant` needs a value for `role`"), "{shown}");
    let shown = complaints(&[&file("{ tenant: { role: a, rol: b } }"), MIXINS]);
    assert!(shown.contains("error[SC0309]: the mixin `tenant` has no parameter `rol`"), "{shown}");
    let shown = complaints(&[&file("x"), "mixins:\n  x: { use: [y] }\n  y: { use: [x] }\n"]);
    assert!(shown.contains("the mixin `x` builds on itself"), "{shown}");
}

#[test]
fn an_error_in_a_mixin_is_said_once_and_at_its_place() {
    let file = "domain: app\ntables:\n  t: { use: [m], columns: { a: int } }\n  u: { use: [m], columns: { a: int } }\n";
    let shown = complaints(&[file, "mixins:\n  m:\n    checks:\n      \"{table}_c\": \"{table}.a > > 0\"\n"]);
    assert_eq!(shown.matches("error[").count(), 1, "{shown}");
    assert!(shown.contains("1.yaml:4:33"), "{shown}");
}
