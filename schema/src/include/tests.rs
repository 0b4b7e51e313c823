//! Statements become the entries that people would write.

use super::read;
use crate::declare::declare;
use crate::id::ObjectId;
use crate::object::{Kind, Object};
use crate::span::Sources;
use crate::spec::read_domain;

/// What the YAML and the SQL declare together, as texts, and what is wrong with them.
fn declared(yaml: &str, sql: &str) -> (Vec<(ObjectId, Object)>, String) {
    let mut sources = Sources::new();
    let file = sources.add("app.yaml", yaml);
    let included = sources.add("f.sql", sql);
    let mut domain = read_domain(&sources, file).unwrap_or_else(|error| panic!("{error:?}"));
    let mut diagnostics = read(&sources, included, &mut domain);
    let declared = declare(&[domain], 18, &Default::default());
    diagnostics.extend(declared.diagnostics);
    let texts: String = diagnostics.iter().map(|one| one.render(&sources, false)).collect();
    (declared.catalog.iter().map(|(id, entry)| (id, entry.object.clone())).collect(), texts)
}

/// The same from both, in every detail.
fn same(sql: &str, yaml: &str) {
    let head = "domain: app\ntables: { t: { columns: { id: int } } }\n";
    let table = "domain: app\n";
    let yaml = if yaml.contains("tables:") { format!("{table}{yaml}") } else { format!("{head}{yaml}") };
    let (from_sql, wrong) = declared(head, sql);
    assert_eq!(wrong, "");
    let (from_yaml, wrong) = declared(&yaml, "");
    assert_eq!(wrong, "");
    assert_eq!(from_sql.len(), from_yaml.len(), "{from_sql:#?}\n{from_yaml:#?}");
    for (one, other) in from_sql.iter().zip(&from_yaml) {
        assert_eq!(one, other);
    }
}

#[test]
fn routines() {
    same(
        "create or replace function app.f(a int, b text default 'x, y') returns setof int\n\
         stable language sql security definer set search_path = app, public as $$ select a $$ parallel safe;\n\
         comment on function app.f(integer, text) is 'what it does';\n\
         revoke all on function app.f(int, text) from public;\n\
         grant execute on function app.f to reader, \"Writer\";",
        "functions:\n  f:\n    arguments: a int, b text default 'x, y'\n    returns: setof int\n    language: sql\n\
         \x20   attributes: stable security definer set search_path = app, public parallel safe\n\
         \x20   body: \" select a \"\n    comment: what it does\n    public: none\n\
         \x20   grants: { reader: execute, Writer: execute }\n",
    );
    same(
        "create function f(out n int, out m text) as 'select 1, ''it''''s''' language 'sql';\n\
         create function f(a int) returns table (x int, \"Y\" text) begin atomic; select 1, 'a'; end;\n\
         create function g() returns int return 1;\n\
         create function h() returns null on null input language sql as '';\n",
        "functions:\n  f:\n  - arguments: out n int, out m text\n    body: \"select 1, 'it''s'\"\n\
         \x20 - arguments: a int\n    returns: table (x int, \"Y\" text)\n    body: begin atomic; select 1, 'a'; end\n\
         \x20 g: { returns: int, body: return 1 }\n  h: { attributes: strict, body: '' }\n",
    );
    same(
        "create procedure \"P q\"(inout a int) language plpgsql as $body$\nbegin\n  a := 1;\nend\n$body$;",
        "procedures:\n  P q:\n    arguments: inout a int\n    language: plpgsql\n    body: |\n      begin\n        a := 1;\n      end\n",
    );
}

#[test]
fn relations_and_types() {
    same(
        "create type app.mood as enum ('sad', 'o''k');\ncreate type app.pair as (a int, \"B\" text collate \"C\");\n\
         comment on type app.pair is 'two';\ngrant usage on type app.pair to reader;\n\
         create view app.v with (security_invoker = true) as select id from app.t with local check option;\n\
         comment on view v is 'a view';\ngrant select on app.v to reader with grant option;\n\
         create materialized view app.m as select id from app.t with no data;\n\
         create unique index m_key on app.m (id);\n",
        "enums: { mood: [sad, \"o'k\"] }\ntypes:\n  pair:\n    fields:\n      a: int\n      B: text collate \"C\"\n    comment: two\n\
         \x20   grants: { reader: usage }\nviews:\n  v:\n    options: { security_invoker: 'true', check_option: local }\n\
         \x20   query: select id from app.t\n    comment: a view\n    grants: { reader: select with grant option }\n\
         materialized_views:\n  m:\n    query: select id from app.t\n    with_data: false\n    indexes:\n      m_key: unique (id)\n",
    );
    same(
        "create function app.touch() returns trigger language plpgsql as $$begin return new; end$$;\n\
         create trigger touch before update on app.t for each row execute function app.touch();\n\
         create constraint trigger later after insert on t deferrable for each row execute function app.touch();\n\
         create index t_idx on app.t using btree (id) where id > 0;",
        "functions:\n  touch: { returns: trigger, language: plpgsql, body: begin return new; end }\n\
         tables:\n  t:\n    columns: { id: int }\n    triggers:\n\
         \x20     touch: before update for each row execute function app.touch()\n\
         \x20     later: constraint after insert deferrable for each row execute function app.touch()\n\
         \x20   indexes:\n      t_idx: using btree (id) where id > 0\n",
    );
}

#[test]
fn what_is_wrong_is_shown_in_the_sql_file() {
    let wrong = |sql: &str| declared("domain: app\n", sql).1;
    let shown = wrong("\u{feff}create view v as\n  select 1 as a,;");
    assert!(shown.contains("error[SC0201]") && shown.contains("f.sql:2:17"), "{shown}");
    let shown = wrong("create function f() returns int language sql as $$\n  select\n    from where\n$$;");
    assert!(shown.contains("f.sql:3:10"), "{shown}");
    let shown = wrong("create view other.v as select 1;");
    assert!(shown.contains("f.sql:1:13") && shown.contains("`domain: other`"), "{shown}");
    for refused in [
        "create table t (a int)",
        "drop view v",
        "insert into t values (1)",
        "create temporary view v as select 1",
        "create view v (a) as select 1",
        "grant select on app.t to reader",
        "comment on function f() is 'x'",
        "create trigger x before update on t for each row execute function f()",
        "create index on t (a)",
        "create function f() returns int as 'select 1'",
        "create recursive view v (a) as select 1",
        "do $$ begin end $$",
        "set search_path = app",
        "begin",
    ] {
        let shown = wrong(refused);
        assert!(shown.starts_with("error[SC0") && shown.contains("f.sql:1:"), "{refused}: {shown}");
    }
    let shown = wrong("create view v as select 1 as a; create view app.v as select 2 as a;");
    assert!(shown.contains("SC0301") && shown.contains("f.sql:1:45"), "{shown}");
}

#[test]
fn what_a_file_declares_is_of_the_kind_it_says() {
    let (objects, _) = declared("domain: app\n", "create view v as select 1 as a");
    assert!(objects.iter().any(|(id, _)| id.kind() == Kind::View));
}
