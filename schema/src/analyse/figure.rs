//! The names that PostgreSQL gives to output columns without one: FigureColname in parse_target.c.

use crate::analyse::{Analysed, undecided};
use crate::tree::Tree;

/// The name of an output column by its expression.
pub fn figure(tree: &Tree, version: u32) -> Analysed<String> {
    match find(tree, version) {
        (Some(name), _) if name == STAR => undecided("the name of what * stands for"),
        (name, _) => Ok(name.unwrap_or_else(|| "?column?".into())),
    }
}

/// The name of an index's column by its expression: FigureIndexColname.
pub fn index_column(tree: &Tree) -> String {
    find(tree, 0).0.filter(|name| name != STAR).unwrap_or_else(|| "expr".into())
}

/// No name can be this: the first column of a `*`, which only analysis finds.
const STAR: &str = "\0";

/// A name and how good it is: 0 none, 1 a fallback, 2 a good one.
fn find(tree: &Tree, version: u32) -> (Option<String>, u8) {
    let good = |name: &str| (Some(name.to_owned()), 2);
    match tree.name() {
        "ColumnRef" => {
            let fields = tree.get("fields").items();
            match fields.iter().rev().find(|field| field.name() == "String") {
                Some(field) => good(field.str()),
                None => (None, 0),
            }
        }
        "AIndirection" => {
            let items = tree.get("indirection").items();
            match items.iter().rev().find(|item| item.name() == "String") {
                Some(field) => good(field.str()),
                None => find(tree.get("arg"), version),
            }
        }
        "FuncCall" => match tree.get("funcname").strings().last() {
            Some(name) => good(name),
            None => (None, 0),
        },
        "AExpr" if tree.get("kind").int() == 6 => good("nullif"),
        "AExpr" if matches!(tree.get("kind").int(), 1) && tree.get("lexpr").is_nothing() => (None, 0),
        "TypeCast" => {
            let (name, strength) = find(tree.get("arg"), version);
            if strength <= 1 {
                if let Some(name) = tree.get("type_name").get("names").strings().last() {
                    return (Some((*name).to_owned()), 1);
                }
            }
            (name, strength)
        }
        // Before 15 the grammar reads TRUE as a cast of a string.
        "AConst" if version < 15 && tree.get("val").name() == "Boolean" => (Some("bool".into()), 1),
        "CollateClause" => find(tree.get("arg"), version),
        "SubLink" => match tree.get("sub_link_type").int() {
            1 => good("exists"),
            7 => good("array"),
            5 => {
                let mut select = tree.get("subselect");
                while !select.get("larg").is_nothing() {
                    select = select.get("larg");
                }
                if !select.get("values_lists").is_nothing() {
                    return good("column1");
                }
                let Some(target) = select.get("target_list").items().first() else { return (None, 0) };
                let value = target.get("val");
                let fields = if value.name() == "AIndirection" { "indirection" } else { "fields" };
                if value.get(fields).items().last().is_some_and(|last| last.name() == "AStar") {
                    return good(STAR);
                }
                match target.get("name").str() {
                    "" => find(target.get("val"), version),
                    name => good(name),
                }
            }
            _ => (None, 0),
        },
        "CaseExpr" => {
            let (name, strength) = find(tree.get("defresult"), version);
            if strength <= 1 { (Some("case".into()), 1) } else { (name, strength) }
        }
        "AArrayExpr" => good("array"),
        "RowExpr" => good("row"),
        "CoalesceExpr" => good("coalesce"),
        "MinMaxExpr" => good(if tree.get("op").int() == 2 { "least" } else { "greatest" }),
        "GroupingFunc" => good("grouping"),
        "XmlSerialize" => good("xmlserialize"),
        "MergeSupportFunc" => good("merge_action"),
        "JsonObjectConstructor" => good("json_object"),
        "JsonArrayConstructor" | "JsonArrayQueryConstructor" => good("json_array"),
        "JsonParseExpr" => good("json"),
        "JsonScalarExpr" => good("json_scalar"),
        "JsonSerializeExpr" => good("json_serialize"),
        "JsonObjectAgg" => good("json_objectagg"),
        "JsonArrayAgg" => good("json_arrayagg"),
        "JsonFuncExpr" => good(match tree.get("op").int() {
            1 => "json_exists",
            2 => "json_query",
            3 => "json_value",
            _ => STAR,
        }),
        "XmlExpr" => good(STAR),
        "SqlValueFunction" => good(match tree.get("op").int() {
            1 => "current_date",
            2 | 3 => "current_time",
            4 | 5 => "current_timestamp",
            6 | 7 => "localtime",
            8 | 9 => "localtimestamp",
            10 => "current_role",
            11 => "current_user",
            12 => "user",
            13 => "session_user",
            14 => "current_catalog",
            _ => "current_schema",
        }),
        _ => (None, 0),
    }
}
