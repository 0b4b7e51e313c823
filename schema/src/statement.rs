//! What a statement of a plan does, read off the statement itself: a plan from a file is believed no word.
//!
//! Only statements that define things have a place in a plan; whatever reads or changes rows, runs code at once or
//! takes more away than it names (CASCADE) is none of them.

use crate::id::ObjectId;
use crate::ident::{Ident, QName};
use crate::object::Kind;
use crate::parse;
use crate::step::Loss;
use crate::tree::Tree;

/// What a statement does that matters before it runs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Effect {
    /// What is lost for good.
    pub loses: Vec<(Loss, ObjectId)>,
    /// The names that it brings into being, for certain; nobody has privileges on them yet.
    pub creates: Vec<String>,
    /// The names that it takes privileges from.
    pub revokes: Vec<String>,
}

/// The statements that a plan may hold, by their node in PostgreSQL's grammar.
const DEFINING: &[&str] = &[
    "AlterCollationStmt",
    "AlterDefaultPrivilegesStmt",
    "AlterDomainStmt",
    "AlterEnumStmt",
    "AlterEventTrigStmt",
    "AlterExtensionContentsStmt",
    "AlterExtensionStmt",
    "AlterFdwStmt",
    "AlterForeignServerStmt",
    "AlterFunctionStmt",
    "AlterObjectDependsStmt",
    "AlterObjectSchemaStmt",
    "AlterOperatorStmt",
    "AlterOpFamilyStmt",
    "AlterOwnerStmt",
    "AlterPolicyStmt",
    "AlterPublicationStmt",
    "AlterSeqStmt",
    "AlterStatsStmt",
    "AlterTableStmt",
    "AlterTsconfigurationStmt",
    "AlterTsdictionaryStmt",
    "AlterTypeStmt",
    "ClusterStmt",
    "CommentStmt",
    "CompositeTypeStmt",
    "CreateAmStmt",
    "CreateCastStmt",
    "CreateConversionStmt",
    "CreateDomainStmt",
    "CreateEnumStmt",
    "CreateEventTrigStmt",
    "CreateExtensionStmt",
    "CreateFdwStmt",
    "CreateForeignServerStmt",
    "CreateForeignTableStmt",
    "CreateFunctionStmt",
    "CreateOpClassStmt",
    "CreateOpFamilyStmt",
    "CreatePolicyStmt",
    "CreatePublicationStmt",
    "CreateRangeStmt",
    "CreateSchemaStmt",
    "CreateSeqStmt",
    "CreateStatsStmt",
    "CreateStmt",
    "CreateTableAsStmt",
    "CreateTransformStmt",
    "CreateTrigStmt",
    "DefineStmt",
    "DropStmt",
    "GrantStmt",
    "IndexStmt",
    "RefreshMatViewStmt",
    "RenameStmt",
    "RuleStmt",
    "SecLabelStmt",
    "ViewStmt",
];

/// What can be made again from its declaration without loss.
const HARMLESS: &[&str] = &[
    "OBJECT_VIEW",
    "OBJECT_INDEX",
    "OBJECT_POLICY",
    "OBJECT_TRIGGER",
    "OBJECT_RULE",
    "OBJECT_STATISTIC_EXT",
];

/// Looks at a statement.
///
/// # Errors
/// Why no plan may hold it.
pub fn effect(tree: &Tree) -> Result<Effect, String> {
    let name = tree.name();
    if name == "SelectStmt" && moves_a_sequence(tree) {
        return Ok(Effect::default());
    }
    if !DEFINING.contains(&name) {
        return Err(format!("a plan only defines things, and this is a {}", words(name)));
    }
    let mut effect = Effect::default();
    let cascades = |tree: &Tree| parse::drop_behaviour(tree.get("behavior").int()) == "DROP_CASCADE";
    if cascades(tree) {
        return Err("CASCADE takes away what the plan does not name".into());
    }
    match name {
        "DropStmt" => {
            let kind = parse::object_type(tree.get("remove_type").int());
            for object in tree.get("objects").items() {
                let lost = match kind {
                    "OBJECT_TABLE" | "OBJECT_FOREIGN_TABLE" => (Loss::DropTable, Kind::Table),
                    kind if HARMLESS.contains(&kind) => continue,
                    "OBJECT_SCHEMA" => (Loss::DropObject, Kind::Schema),
                    _ => (Loss::DropObject, Kind::Unmodelled),
                };
                effect.loses.push((lost.0, named(lost.1, &dotted(object))));
            }
        }
        "AlterTableStmt" => {
            let relation = named(Kind::Table, &range(tree.get("relation")));
            for command in tree.get("cmds").items() {
                if cascades(command) {
                    return Err("CASCADE takes away what the plan does not name".into());
                }
                match parse::alter_type(command.get("subtype").int()) {
                    "AT_DropColumn" => {
                        let column = ObjectId::on(Kind::Column, relation, command.get("name").str());
                        effect.loses.push((Loss::DropColumn, column));
                    }
                    "AT_DisableRowSecurity" | "AT_NoForceRowSecurity" => {
                        effect.loses.push((Loss::DisableRls, relation))
                    }
                    _ => {}
                }
            }
        }
        "GrantStmt" if !tree.get("is_grant").flag() => {
            effect.revokes =
                tree.get("objects").items().iter().map(|object| dotted(object).join(".")).collect();
        }
        "CreateStmt" | "CreateForeignTableStmt" | "CreateSeqStmt" if !tree.get("if_not_exists").flag() => {
            let relation = match tree.get("sequence") {
                Tree::Nothing => tree.get("relation"),
                sequence => sequence,
            };
            // A foreign table is a table with more to it.
            let relation =
                if relation.is_nothing() { tree.get("base_stmt").get("relation") } else { relation };
            effect.creates.push(range(relation).join("."));
        }
        "ViewStmt" if !tree.get("replace").flag() => effect.creates.push(range(tree.get("view")).join(".")),
        "CreateTableAsStmt" if !tree.get("if_not_exists").flag() => {
            effect.creates.push(range(tree.get("into").get("rel")).join("."));
        }
        "CreateFunctionStmt" if !tree.get("replace").flag() => {
            effect.creates.push(tree.get("funcname").strings().join("."));
        }
        "CreateEnumStmt" | "CreateRangeStmt" => {
            effect.creates.push(tree.get("type_name").strings().join("."))
        }
        "CreateDomainStmt" => effect.creates.push(tree.get("domainname").strings().join(".")),
        "CompositeTypeStmt" => effect.creates.push(range(tree.get("typevar")).join(".")),
        "DefineStmt" if !tree.get("replace").flag() && !tree.get("if_not_exists").flag() => {
            effect.creates.push(tree.get("defnames").strings().join("."));
        }
        "CreateSchemaStmt" if !tree.get("if_not_exists").flag() => {
            effect.creates.push(tree.get("schemaname").str().to_owned());
        }
        _ => {}
    }
    Ok(effect)
}

/// Whether a query does nothing but move a sequence: no function but these is called, so that it runs nobody's code, and
/// nothing is written by it.
fn moves_a_sequence(tree: &Tree) -> bool {
    const CALLED: [&str; 3] =
        ["pg_catalog.setval", "pg_catalog.pg_get_serial_sequence", "pg_catalog.pg_sequence_last_value"];
    let mut moves = false;
    let mut only = tree.get("into_clause").is_nothing() && tree.get("with_clause").is_nothing();
    tree.walk(&mut |node| match node.name() {
        "FuncCall" => {
            let name = node.get("funcname").strings().join(".");
            moves |= name == CALLED[0];
            only &= CALLED.contains(&name.as_str()) || matches!(name.as_str(), "max" | "min");
        }
        // Of whose operator it is, only PostgreSQL's own can be told apart, and these are about whole numbers.
        "AExpr" => {
            only &= node.get("name").strings().iter().all(|name| matches!(*name, "<" | ">" | "<=" | ">="))
        }
        "DeleteStmt" | "InsertStmt" | "MergeStmt" | "UpdateStmt" => only = false,
        _ => {}
    });
    moves && only
}

/// `TruncateStmt` as people say it: `TRUNCATE`.
fn words(node: &str) -> String {
    let mut out = String::new();
    for character in node.trim_end_matches("Stmt").chars() {
        if character.is_ascii_uppercase() && !out.is_empty() {
            out.push(' ');
        }
        out.push(character.to_ascii_uppercase());
    }
    if out.is_empty() { "statement of another kind".into() } else { out }
}

fn range(relation: &Tree) -> Vec<String> {
    [relation.get("schemaname"), relation.get("relname")]
        .into_iter()
        .map(|part| part.str().to_owned())
        .filter(|part| !part.is_empty())
        .collect()
}

/// The name of what a statement lists, whatever it is: a relation, a routine with its arguments, a type, a name.
fn dotted(object: &Tree) -> Vec<String> {
    let parts = match object.name() {
        "RangeVar" => return range(object),
        "ObjectWithArgs" => object.get("objname").strings(),
        "TypeName" => object.get("names").strings(),
        "List" => object.get("items").strings(),
        "String" => vec![object.str()],
        _ => object.strings(),
    };
    parts.into_iter().map(str::to_owned).collect()
}

fn named(kind: Kind, parts: &[String]) -> ObjectId {
    match parts {
        [.., schema, name] => ObjectId::in_schema(kind, QName::new(schema.as_str(), name.as_str())),
        [name] => ObjectId::global(kind, name.as_str()),
        [] => ObjectId::global(kind, Ident::new("?")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(sql: &str) -> Result<Effect, String> {
        effect(&parse::statement(sql).expect(sql))
    }

    #[test]
    fn losses_are_seen_whatever_the_spelling() {
        for (sql, loss, object) in [
            ("drop table app.t", Loss::DropTable, "table app.t"),
            ("DROP TABLE IF EXISTS app.\"T\" RESTRICT", Loss::DropTable, "table app.T"),
            ("alter table only app.t drop c", Loss::DropColumn, "column app.t.c"),
            ("alter table app.t add d int, drop column if exists c", Loss::DropColumn, "column app.t.c"),
            ("alter table app.t disable row level security", Loss::DisableRls, "table app.t"),
            ("alter table app.t no force row level security", Loss::DisableRls, "table app.t"),
            ("drop schema app", Loss::DropObject, "schema app"),
            ("drop function app.f(int)", Loss::DropObject, "object app.f"),
            ("drop type app.mood", Loss::DropObject, "object app.mood"),
            ("drop materialized view app.m", Loss::DropObject, "object app.m"),
        ] {
            let effect = of(sql).expect(sql);
            let seen: Vec<_> = effect.loses.iter().map(|(loss, id)| (*loss, id.to_string())).collect();
            assert_eq!(seen, [(loss, object.to_owned())], "{sql}");
        }
        assert_eq!(of("drop table a.b, c.d").expect("two").loses.len(), 2);
        assert_eq!(of("revoke select on app.t from anon").expect("it").revokes, ["app.t"]);
        assert_eq!(of("revoke all on function app.f(int) from public").expect("it").revokes, ["app.f"]);
        assert_eq!(of("revoke usage on schema app from public").expect("it").revokes, ["app"]);
    }

    #[test]
    fn what_defines_loses_nothing() {
        for sql in [
            "create table app.t (a int)",
            "create view app.v as select 1",
            "drop view app.v",
            "drop policy p on app.t",
            "alter table app.t enable row level security",
            "alter table app.t alter a drop default, drop constraint c",
            "grant select on app.t to anon",
            "comment on table app.t is 'DROP TABLE app.t'",
        ] {
            assert_eq!(of(sql).expect(sql).loses, [], "{sql}");
        }
        assert_eq!(of("create table app.t (a int)").expect("it").creates, ["app.t"]);
        assert_eq!(of("create table if not exists app.t (a int)").expect("it").creates, [""; 0]);
        assert_eq!(of("create or replace view app.t as select 1").expect("it").creates, [""; 0]);
    }

    #[test]
    fn a_sequence_may_be_moved_and_nothing_else_run() {
        let seq = "pg_catalog.setval('app.s', max(id))";
        assert_eq!(of(&format!("SELECT {seq} FROM app.t HAVING max(id) >= 1")), Ok(Effect::default()));
        assert!(of("SELECT max(id) FROM app.t").is_err());
        assert!(of("SELECT pg_catalog.setval('app.s', app.evil())").is_err());
        assert!(of("SELECT setval('app.s', 1)").is_err());
        let writes = format!("WITH d AS (DELETE FROM app.t RETURNING id) SELECT {seq} FROM d");
        assert!(of(&writes).is_err());
    }

    #[test]
    fn what_does_not_define_has_no_place_in_a_plan() {
        for sql in [
            "truncate app.t",
            "delete from app.t",
            "select pg_terminate_backend(1)",
            "do $$ begin end $$",
            "drop owned by app",
            "drop role app",
            "drop database app",
            "copy app.t to program 'sh'",
            "commit",
            "set search_path = evil",
            "grant postgres to anon",
            "drop table app.t cascade",
            "alter table app.t drop column c cascade",
            "alter system set fsync = off",
        ] {
            assert!(of(sql).is_err(), "{sql}");
        }
    }
}
