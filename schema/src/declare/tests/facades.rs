//! Facades as ordinary objects.

use super::{complaints, for_version, object, project};
use crate::declare::Declared;
use crate::id::ObjectId;
use crate::ident::QName;
use crate::object::Kind;

const TABLE: &str = "domain: app
tables:
  items:
    comment: What there is
    moved_from: public.items
    columns:
      id: int primary key
      kind: { type: text, renamed_from: memory_type }
      \"Full Name\": text
    grants:
      reader: [select, \"update (kind)\"]
      writer: all
";

fn view(declared: &Declared) -> ObjectId {
    let id = ObjectId::in_schema(Kind::View, QName::new("public", "items"));
    assert!(declared.catalog.contains(id), "{:?}", declared.diagnostics);
    id
}

#[test]
fn a_facade_is_a_view_with_the_tables_grants_and_comment() {
    let text = format!(
        "{TABLE}    facade: {{ name: public.items, columns: {{ memory_type: kind, upper_kind: upper(kind) }} }}\n"
    );
    let (declared, _) = project(&[&text]);
    assert!(declared.diagnostics.is_empty(), "{:?}", declared.diagnostics);
    let id = view(&declared);
    let facade = object!(declared.catalog, View, id);
    let expected = "SELECT\n    id,\n    kind AS memory_type,\n    \"Full Name\",\n    (upper(kind)) AS upper_kind\nFROM app.items";
    assert_eq!(facade.query.text(), expected);
    assert_eq!(facade.options.0.values().map(|text| text.as_str()).collect::<Vec<_>>(), ["true"]);
    assert_eq!(object!(declared.catalog, Grant, ObjectId::of(Kind::Grant, id, "writer")).privileges.len(), 7);
    let column = ObjectId::on(Kind::Column, id, "memory_type");
    assert_eq!(
        object!(declared.catalog, Grant, ObjectId::of(Kind::Grant, column, "reader")).privileges.len(),
        1
    );
    let comment = object!(declared.catalog, Comment, ObjectId::of(Kind::Comment, id, ""));
    assert_eq!(comment.text.as_str(), "What there is\nFacade: the table is app.items.");
    assert_eq!(declared.facades.len(), 1);
    let (declared, _) = for_version(&[&text], 14);
    assert!(object!(declared.catalog, View, view(&declared)).options.0.is_empty());
}

#[test]
fn a_facade_without_writes_gives_no_right_to_write() {
    let text = format!(
        "{TABLE}    facade: {{ name: public.items, writes: none, columns: {{ kind: kind }}, where: id > 0 }}\n"
    );
    let (declared, _) = project(&[&text]);
    let id = view(&declared);
    let grant = object!(declared.catalog, Grant, ObjectId::of(Kind::Grant, id, "writer"));
    assert_eq!(
        grant.privileges.keys().map(|word| word.as_str()).collect::<Vec<_>>(),
        ["REFERENCES", "SELECT", "TRIGGER"]
    );
    let column = ObjectId::on(Kind::Column, id, "kind");
    assert!(!declared.catalog.contains(ObjectId::of(Kind::Grant, column, "reader")));
    assert!(object!(declared.catalog, View, id).query.text().ends_with("FROM app.items\nWHERE id > 0"));
}

#[test]
fn a_reshaping_facade_shows_what_it_lists() {
    let text = format!(
        "{TABLE}facades:\n  public.items:\n    of: app.items\n    columns:\n      number: id\n      hash: null::text\n"
    );
    let (declared, _) = project(&[&text]);
    let query = object!(declared.catalog, View, view(&declared)).query;
    assert_eq!(query.text(), "SELECT\n    id AS number,\n    (null::text) AS hash\nFROM app.items");
}

#[test]
fn facades_that_cannot_be() {
    let shown = complaints(&[&format!("{TABLE}    facade: public.items\n")]);
    assert!(shown.contains("error[SC0404]: `memory_type` was renamed to `kind`"), "{shown}");
    assert!(shown.contains("write `memory_type: kind`"), "{shown}");
    let shown = complaints(&[&format!("{TABLE}    facade: items\n")]);
    assert!(shown.contains("`items` must be a name with its schema"), "{shown}");
    let shown =
        complaints(&[&format!("{TABLE}    facade: {{ name: public.items, columns: {{ x: knd }} }}\n")]);
    assert!(shown.contains("has no column `knd`") && shown.contains("did you mean `kind`?"), "{shown}");
    let keyless = "domain: app\ntables:\n  t:\n    columns: { a: int }\n    facade: { name: public.t, writes: triggers }\n";
    let shown = complaints(&[keyless]);
    assert!(shown.contains("error[SC0405]: `writes: triggers` finds rows by the primary key"), "{shown}");
    let view = "domain: app\nviews:\n  v:\n    query: select 1 as a\n    facade: { name: public.v, writes: triggers }\n";
    let shown = complaints(&[view]);
    assert!(shown.contains("error[SC0405]: `writes: triggers` needs a table behind it"), "{shown}");
    let round = "facades:\n  public.a: { of: public.b, columns: { x: x } }\n  public.b: { of: public.a, columns: { x: x } }\n";
    let shown = complaints(&[round]);
    assert!(
        shown.contains("error[SC0303]: the facades public.a and those behind it show each other"),
        "{shown}"
    );
    let shown = complaints(&["facades:\n  public.a: { of: app.nothing, columns: { a: b } }\n"]);
    assert!(shown.contains("error[SC0303]: no file declares the table app.nothing"), "{shown}");
}
