//! Fragments and names that try to leave their place: each is refused where it stands.
//!
//! Nothing here runs SQL: what is read as a fragment of one place can do nothing else, so it is enough that everything
//! else is not read. Names are hostile too, and stay names.

use schemac_schema::declare::{Declared, declare, frame};
use schemac_schema::diagnostic::Severity;
use schemac_schema::ident::Ident;
use schemac_schema::parse;
use schemac_schema::span::Sources;
use schemac_schema::spec;

/// An entry of a file, with `%` where the fragment stands, and a fragment that belongs there.
const PLACES: &[(&str, &str)] = &[
    ("tables: { t: { columns: { a: int }, checks: { c: % } } }", "a > 0"),
    ("tables: { t: { columns: { a: int }, checks: { c: { definition: % } } } }", "a > 0"),
    ("tables: { t: { columns: { a: % } } }", "boolean default (true)"),
    ("tables: { t: { columns: { a: { type: boolean, default: % } } } }", "true"),
    ("tables: { t: { columns: { a: { type: % } } } }", "boolean"),
    ("tables: { t: { columns: { a: { type: boolean, generated: % } } } }", "true"),
    ("tables: { t: { columns: { a: { type: boolean, renamed_from: b, using: % } } } }", "true"),
    ("tables: { t: { columns: { a: boolean }, policies: { p: { using: % } } } }", "true"),
    ("tables: { t: { columns: { a: boolean }, policies: { p: { with_check: % } } } }", "true"),
    ("tables: { t: { columns: { a: boolean }, indexes: { i: % } } }", "(a) where (true)"),
    ("tables: { t: { columns: { a: boolean }, unique: { u: % } } }", "(a)"),
    ("tables: { t: { columns: { a: boolean }, foreign_keys: { f: % } } }", "(a) references app.u (a)"),
    ("tables: { t: { columns: { a: boolean }, exclusions: { e: % } } }", "(a with =) where (true)"),
    ("tables: { t: { columns: { a: boolean }, statistics: { s: % } } }", "on a, (not a)"),
    (
        "tables: { t: { columns: { a: boolean }, triggers: { x: % } } }",
        "before update for each row when (true) execute function f()",
    ),
    ("tables: { t: { columns: { a: boolean }, grants: { r: % } } }", "select"),
    ("tables: { t: { columns: { a: boolean }, partition_by: % } }", "list (a)"),
    (
        "tables: { t: { columns: { a: boolean }, partition_by: list (a), partitions: { p: % } } }",
        "for values in (true)",
    ),
    ("tables: { t: { columns: { a: boolean }, replica_identity: % } }", "full"),
    ("tables: { t: { columns: { a: boolean }, facade: { name: public.t, where: % } } }", "true"),
    ("tables: { t: { columns: { a: boolean }, facade: { name: public.t, columns: { b: % } } } }", "a"),
    ("views: { v: { query: % } }", "select (true) as a"),
    ("materialized_views: { v: { query: % } }", "select (true) as a"),
    ("domains: { d: % }", "boolean"),
    ("domains: { d: { type: boolean, checks: { c: % } } }", "value"),
    ("domains: { d: { type: boolean, default: % } }", "true"),
    ("types: { c: { fields: { a: % } } }", "boolean"),
    ("types: { c: { range: { subtype: % } } }", "float8"),
    ("sequences: { s: { type: % } }", "bigint"),
    ("functions: { f: { arguments: %, returns: int, body: select 1 } }", "a boolean default (true)"),
    ("functions: { f: { returns: %, body: select 1 } }", "boolean"),
    ("functions: { f: { returns: int, attributes: %, body: select 1 } }", "stable"),
    ("functions: { f: { returns: boolean, body: % } }", "return (true)"),
    ("aggregates: { a: { arguments: %, sfunc: f, stype: int } }", "boolean"),
    ("aggregates: { a: { arguments: int, sfunc: f, stype: % } }", "boolean"),
    ("default_privileges: [ { objects: tables, to: r, grant: % } ]", "select"),
    ("publications: { p: { tables: { app.t: { where: % } } } }", "true"),
];

/// What is put behind, before or in place of a fragment.
const HOSTILE: &[&str] = &[
    "%; drop table x",
    "%;",
    "%) or (true",
    "%), (%",
    "%)",
    "(%",
    "%]",
    "% 'open",
    "% \"open",
    "% $$open",
    "% $tag$open",
    "% /* open",
    "% */",
    "% e'\\",
    "% union select 1; select 1",
    "%) from x where (true",
    ");select 1;--",
    "",
    "   ",
    "-- nothing",
    "/* nothing */",
    ";",
    "\\",
    "%\n;\ndrop schema app",
];

fn read(entry: &str, fragment: &str) -> Result<Declared, String> {
    // Double quotes of YAML take JSON's escapes.
    let quoted = serde_json::to_string(fragment).unwrap();
    let text = format!("domain: app\n{}\n", entry.replace('%', &quoted));
    let mut sources = Sources::new();
    let file = sources.add("x.yaml", text.as_str());
    let domain = spec::read_domain(&sources, file).map_err(|error| error.render(&sources, false))?;
    let mut declared = declare(&[domain], 18, &Default::default());
    // What need not be parsed to be read is parsed by `check`.
    declared.diagnostics.extend(frame::all_unreadable(&mut declared.catalog));
    let errors: Vec<String> = declared
        .diagnostics
        .iter()
        .filter(|one| one.severity == Severity::Error)
        .map(|one| one.render(&sources, false))
        .collect();
    if errors.is_empty() { Ok(declared) } else { Err(errors.concat()) }
}

#[test]
fn fragments_stay_where_they_stand() {
    let mut failures = Vec::new();
    parse::on_large_stack(|| {
        for (entry, good) in PLACES {
            if let Err(error) = read(entry, good) {
                failures.push(format!("{entry}: {good:?} is refused: {error}"));
            }
            for hostile in HOSTILE {
                // A body that is a text may be empty, or only say what it does.
                let text = entry.contains("body: %") && !hostile.contains('%');
                if text && parse::statements(hostile).is_ok() {
                    continue;
                }
                let fragment = hostile.replace('%', good);
                // A query and a body of SQL's own may end with one semicolon.
                let ends = *hostile == "%;" && (entry.contains("query:") || entry.contains("body: %"));
                if !ends && read(entry, &fragment).is_ok() {
                    failures.push(format!("{entry}: {fragment:?} is taken"));
                }
            }
            // A comment at the end takes nothing with it.
            match (read(entry, good), read(entry, &format!("{good} -- end"))) {
                (Ok(one), Ok(other)) => {
                    let ids = |declared: &Declared| declared.catalog.ids().collect::<Vec<_>>();
                    if ids(&one) != ids(&other) {
                        failures.push(format!("{entry}: a comment changes what is declared"));
                    }
                }
                (_, Err(error)) => failures.push(format!("{entry}: a comment is refused: {error}")),
                (Err(_), _) => {}
            }
        }
    });
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn names_stay_names() {
    for name in
        ["a\"b", "a'b", "a\nb", "a;b", "a--b", "a)b", "é漢字", "$$", "\\", "a.b", " ", "A b", "select"]
    {
        let declared = read("tables: { %: { columns: { a: int } } }", name);
        let declared = declared.unwrap_or_else(|error| panic!("{name:?}: {error}"));
        let id = declared.catalog.ids().find(|id| id.kind().is_relation()).unwrap();
        assert_eq!(id.name(), Ident::new(name));
        let statement = format!("drop table {}", schemac_schema::sql::qualified(id.qname().unwrap()));
        let trees = parse::statements(&statement).unwrap_or_else(|error| panic!("{statement}: {error}"));
        assert_eq!(trees.len(), 1, "{statement}");
    }
    let long = "x".repeat(63);
    assert!(read("tables: { %: { columns: { a: int } } }", &long).is_ok());
    for long in ["x".repeat(64), "é".repeat(32)] {
        for place in [
            "tables: { %: { columns: { a: int } } }",
            "tables: { t: { columns: { %: int } } }",
            "tables: { t: { columns: { a: int }, indexes: { %: (a) } } }",
            "tables: { t: { columns: { a: int }, checks: { %: a > 0 } } }",
            "tables: { t: { columns: { a: int }, policies: { %: { using: 'true' } } } }",
            "tables: { t: { columns: { a: int }, triggers: { %: before update for each row execute function f() } } }",
            "tables: { t: { columns: { a: int }, grants: { %: select } } }",
            "views: { %: { query: select 1 as a } }",
            "functions: { %: { returns: int, body: select 1 } }",
            "enums: { %: [a] }",
            "types: { %: { fields: { a: int } } }",
            "types: { t: { fields: { %: int } } }",
            "domains: { %: int }",
            "sequences: { %: {} }",
            "extensions: { %: {} }",
            "publications: { %: {} }",
        ] {
            let error =
                read(place, &long).err().unwrap_or_else(|| panic!("{place} takes {} bytes", long.len()));
            assert!(error.contains("SC0311"), "{place}: {error}");
        }
    }
    assert!(read("tables: { %: { columns: { a: int } } }", "").is_err());
    assert!(read("tables: { %: { columns: { a: int } } }", "a\0b").is_err());
}
