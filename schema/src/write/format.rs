//! The shape of a file: block style, lists and words on one line where they fit, lines of SQL in block scalars.

use super::scalar;
use super::tree::{Item, Map, Node};

/// How long a line in brackets may be.
const WIDTH: usize = 100;

/// The keys of the language in the order in which they stand in an entry.
const KEYS: &[&str] = &[
    "postgres",
    "profile",
    "sources",
    "search_path",
    "external",
    "undeclared",
    "exposed",
    "manage",
    "phases",
    "migrations",
    "lint",
    "environments",
    "url",
    "phase",
    "online",
    "lock_timeout",
    "statement_timeout",
    "retry",
    "allow",
    "dir",
    "format",
    "names",
    "severities",
    "silences",
    "on",
    "reason",
    "only",
    "owners",
    "domain",
    "name",
    "match",
    "rule",
    "of",
    "type",
    "values",
    "fields",
    "range",
    "not_null",
    "default",
    "generated",
    "identity",
    "provider",
    "locale",
    "lc_collate",
    "lc_ctype",
    "deterministic",
    "collation",
    "generate",
    "sequence",
    "definition",
    "expression",
    "kind",
    "for",
    "objects",
    "as",
    "to",
    "using",
    "with_check",
    "check",
    "grant",
    "revoke",
    "not_valid",
    "no_inherit",
    "enforced",
    "deferrable",
    "initially_deferred",
    "enabled",
    "clustered",
    "comment",
    "index_comment",
    "owner",
    "renamed_from",
    "moved_from",
    "facade",
    "writes",
    "security",
    "row_functions",
    "use",
    "parameters",
    "arguments",
    "returns",
    "sfunc",
    "stype",
    "sspace",
    "finalfunc",
    "finalfunc_extra",
    "finalfunc_modify",
    "initcond",
    "msfunc",
    "minvfunc",
    "mstype",
    "msspace",
    "mfinalfunc",
    "mfinalfunc_extra",
    "mfinalfunc_modify",
    "minitcond",
    "combinefunc",
    "serialfunc",
    "deserialfunc",
    "sortop",
    "hypothetical",
    "parallel",
    "language",
    "attributes",
    "set",
    "library",
    "body",
    "outer_space",
    "server",
    "foreign_data_wrapper",
    "handler",
    "validator",
    "start",
    "increment",
    "min_value",
    "max_value",
    "cache",
    "cycle",
    "unlogged",
    "owned_by",
    "subtype",
    "subtype_opclass",
    "canonical",
    "subtype_diff",
    "multirange_type_name",
    "schema",
    "version",
    "publish",
    "via_root",
    "generated_columns",
    "all_tables",
    "schemas",
    "inherits",
    "query",
    "columns",
    "inherited",
    "inherited_triggers",
    "column_options",
    "where",
    "primary_key",
    "unique",
    "checks",
    "foreign_keys",
    "exclusions",
    "indexes",
    "rls",
    "policies",
    "triggers",
    "rules",
    "grants",
    "public",
    "options",
    "with_data",
    "statistics",
    "target",
    "storage",
    "compression",
    "replica_identity",
    "published_in",
    "partition_by",
    "partitions",
    "access_method",
    "every",
    "hour",
    "day",
    "week",
    "month",
    "quarter",
    "year",
    "from",
    "ahead",
    "keep",
    "user_mappings",
    "login",
    "inherit",
    "superuser",
    "createdb",
    "createrole",
    "replication",
    "bypassrls",
    "connection_limit",
    "valid_until",
    "member_of",
    "comments",
    "tablespace",
    "default_privileges",
    "mixins",
    "extensions",
    "roles",
    "publications",
    "event_triggers",
    "foreign_data_wrappers",
    "servers",
    "collations",
    "enums",
    "domains",
    "types",
    "sequences",
    "tables",
    "foreign_tables",
    "views",
    "materialized_views",
    "functions",
    "procedures",
    "aggregates",
    "on_external",
    "include",
    "dropped",
    "facades",
    "data",
    "backfills",
    "stage",
    "after",
    "batch",
    "table",
    "key",
    "size",
    "rows",
    "sql",
];

/// The place of a key in the language's order; the last but one for what is no key.
pub fn rank(key: &str) -> usize {
    KEYS.iter().position(|known| *known == key).unwrap_or(usize::MAX - 1)
}

/// What may stand in braces on one line, when there is nothing but words and names in it.
const IN_BRACES: &[&str] = &["grants", "options", "identity", "set"];

/// The sections of a file whose entries are worth a blank line between two.
const ROOMY: &[&str] = &[
    "tables",
    "views",
    "materialized_views",
    "functions",
    "procedures",
    "aggregates",
    "foreign_tables",
    "on_external",
];

/// The text of a file.
pub(super) fn file(map: &Map) -> String {
    let mut out = String::new();
    for (key, item) in sorted(map) {
        let nested = matches!(&item.node, Node::Map(map) if map.named && !in_braces(key, map));
        if nested && !out.is_empty() {
            out.push('\n');
        }
        entry(&mut out, key, &item.node, 0, ROOMY.contains(&key));
    }
    out
}

fn sorted(map: &Map) -> Vec<(&str, &Item)> {
    let mut items: Vec<(&str, &Item)> =
        map.items.iter().map(|((name, _), item)| (name.as_str(), item)).collect();
    if map.named {
        items.sort_by_key(|(_, item)| item.place);
    } else {
        items.sort_by_key(|(key, _)| KEYS.iter().position(|known| known == key).unwrap_or(KEYS.len()));
    }
    items
}

fn indent(out: &mut String, depth: usize) {
    out.push_str(&"  ".repeat(depth));
}

fn entry(out: &mut String, key: &str, node: &Node, depth: usize, roomy: bool) {
    indent(out, depth);
    out.push_str(&scalar::key(key));
    out.push(':');
    value(out, key, node, depth, roomy);
}

/// What follows the colon, with the end of the line.
fn value(out: &mut String, key: &str, node: &Node, depth: usize, roomy: bool) {
    match node {
        Node::Short(short, _) => value(out, key, short, depth, false),
        Node::Word(word) => line(out, word),
        Node::Text(text) | Node::Sql(text) if scalar::fits_block(text) => {
            block(out, text, depth, matches!(node, Node::Sql(_)));
        }
        Node::Block(text) => exact_block(out, text, depth),
        Node::Text(text) => line(out, &scalar::inline(text, false, false)),
        Node::Sql(text) => line(out, &scalar::inline(text, true, false)),
        Node::List(items) => list(out, items, depth),
        Node::Map(map) if map.is_empty() => line(out, "{}"),
        Node::Map(map) if in_braces(key, map) => line(out, &braces(map)),
        Node::Map(map) => {
            out.push('\n');
            mapping(out, map, depth + 1, roomy);
        }
    }
}

fn mapping(out: &mut String, map: &Map, depth: usize, roomy: bool) {
    let items = sorted(map);
    let mut first = true;
    let mut at = 0;
    while let Some((key, item)) = items.get(at) {
        if roomy && !first {
            out.push('\n');
        }
        first = false;
        // Overloads share one key.
        let same = items[at..].iter().take_while(|(other, _)| map.named && other == key).count().max(1);
        if same == 1 {
            entry(out, key, &item.node, depth, false);
        } else {
            indent(out, depth);
            out.push_str(&format!("{}:\n", scalar::key(key)));
            for (_, item) in &items[at..at + same] {
                item_of_list(out, &item.node, depth + 1);
            }
        }
        at += same;
    }
}

fn line(out: &mut String, text: &str) {
    out.push(' ');
    out.push_str(text);
    out.push('\n');
}

/// A block scalar that is read back to the letter.
fn exact_block(out: &mut String, text: &str, depth: usize) {
    // Where the first line begins with white space, YAML has to be told how far the lines are indented.
    let indented = text.starts_with(char::is_whitespace);
    let lines = text.strip_suffix('\n');
    out.push_str(" |");
    if indented {
        out.push('2');
    }
    if lines.is_none() {
        out.push('-');
    }
    out.push('\n');
    for one in lines.unwrap_or(text).split('\n') {
        if !one.is_empty() {
            indent(out, depth + 1);
            out.push_str(one);
        }
        out.push('\n');
    }
}

/// A block scalar. SQL are read without the white space around them; a text must end without a line end.
fn block(out: &mut String, text: &str, depth: usize, is_sql: bool) {
    out.push_str(if is_sql { " |\n" } else { " |-\n" });
    for one in text.split('\n') {
        if !one.is_empty() {
            indent(out, depth + 1);
            out.push_str(one);
        }
        out.push('\n');
    }
}

fn list(out: &mut String, items: &[Node], depth: usize) {
    if let Some(text) = flow(items) {
        return line(out, &text);
    }
    out.push('\n');
    for item in items {
        item_of_list(out, item, depth + 1);
    }
}

fn item_of_list(out: &mut String, item: &Node, depth: usize) {
    indent(out, depth);
    out.push('-');
    let Node::Map(map) = item else { return value(out, "", item, depth, false) };
    if let Some(text) = flat(map) {
        return line(out, &text);
    }
    // The first key stands behind the dash.
    let mut inner = String::new();
    mapping(&mut inner, map, depth + 1, false);
    out.push(' ');
    out.push_str(inner.trim_start_matches(' '));
}

/// A list of single values on one line, when it fits.
fn flow(items: &[Node]) -> Option<String> {
    let words: Option<Vec<String>> = items.iter().map(single).collect();
    let text = format!("[{}]", words?.join(", "));
    (text.len() <= WIDTH).then_some(text)
}

fn single(node: &Node) -> Option<String> {
    match node {
        Node::Word(word) => Some(word.clone()),
        Node::Text(text) if !text.contains('\n') => Some(scalar::inline(text, false, true)),
        Node::Sql(text) if !text.contains('\n') => Some(scalar::inline(text, true, true)),
        _ => None,
    }
}

fn in_braces(key: &str, map: &Map) -> bool {
    IN_BRACES.contains(&key) && flat(map).is_some()
}

fn braces(map: &Map) -> String {
    flat(map).unwrap_or_default()
}

/// A map on one line, when there is no SQL in it and it fits.
fn flat(map: &Map) -> Option<String> {
    let items: Option<Vec<String>> = sorted(map)
        .into_iter()
        .map(|(key, item)| {
            let value = match &item.node {
                Node::List(items) if !items.iter().any(|item| matches!(item, Node::Sql(_))) => flow(items),
                Node::Word(_) | Node::Text(_) => single(&item.node),
                _ => None,
            };
            let key = scalar::key(key);
            let key = if key.starts_with(['"', '\'']) { key } else { scalar::inline(&key, false, true) };
            Some(format!("{key}: {}", value?))
        })
        .collect();
    let text = format!("{{ {} }}", items?.join(", "));
    (text.len() <= WIDTH).then_some(text)
}
