//! The names that a fragment mentions, and where they stand in its text.
//!
//! Names are only found here, not resolved: `bind` says what they mean. Positions are byte ranges of the whole
//! dotted name, so that a name can be qualified or mapped in place and the rest of the text stays as written.

mod written;

pub use self::written::Written;
use crate::ident::{Ident, QName};
use crate::parse;
use crate::tree::Tree;
use std::collections::{BTreeSet, HashMap, HashSet};

/// The names with a schema in a text that is not parsed as SQL, by its words alone: a routine's body in a string.
/// Strings inside are not looked into; a column behind an alias looks like a name too.
pub fn dotted(text: &str) -> BTreeSet<QName> {
    spoken(text, &[])
}

/// The same, and the words without a schema as if they were names in each schema of a search_path.
pub fn spoken(text: &str, search_path: &[Ident]) -> BTreeSet<QName> {
    let mut found = BTreeSet::new();
    let mut end = 0;
    for token in parse::tokens(text).unwrap_or_default() {
        let after = token.start >= end;
        let Some((parts, to)) = after.then(|| dotted_name(text, token.start)).flatten() else { continue };
        end = to;
        match parts[..] {
            [schema, name, ..] => {
                found.insert(QName { schema, name });
            }
            [name] => found.extend(search_path.iter().map(|schema| QName { schema: *schema, name })),
            [] => {}
        }
    }
    found
}

/// By which variables the body of a trigger's function asks what its table is called.
pub fn asks_for_its_table(text: &str) -> BTreeSet<&'static str> {
    const VARIABLES: [&str; 4] = ["tg_table_schema", "tg_table_name", "tg_relname", "tg_relid"];
    let lower = text.to_ascii_lowercase();
    VARIABLES.into_iter().filter(|variable| lower.contains(variable)).collect()
}

/// What a mentioned name is the name of.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum MentionKind {
    /// A relation in FROM (or the target of a statement).
    Relation,
    /// A column, possibly qualified; the last part may be `*`.
    Column,
    /// A function call.
    Routine,
    /// A type in a cast.
    Type,
    /// A relation inside a string constant: `nextval('s')`, `'t'::regclass`.
    RelationLiteral,
    /// A function inside a string constant: `'f'::regproc`, `'f(int)'::regprocedure`.
    RoutineLiteral,
    /// A type inside a string constant: `'t'::regtype`.
    TypeLiteral,
}

/// One name in a fragment.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Mention {
    /// What it is the name of.
    pub kind: MentionKind,
    /// Its parts, as PostgreSQL would store them.
    pub parts: Vec<Ident>,
    /// First byte in the fragment's text.
    pub start: usize,
    /// One past the last byte.
    pub end: usize,
    /// For relations: the alias, when there is one.
    pub alias: Option<Ident>,
    /// A column that is an output column by itself: its name is the output's.
    pub names_output: bool,
    /// A column that is an output column under this name.
    pub output: Option<Ident>,
    /// A column where ORDER BY, GROUP BY or DISTINCT may also mean an output column.
    pub may_be_output: bool,
}

/// What a fragment says of others; it is found once for each text.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Names {
    /// The names that it mentions.
    pub mentions: Vec<Mention>,
    /// The columns that it writes.
    pub written: Vec<Written>,
    /// Whether it uses columns that it does not name: it joins by all that two tables share, or gives a relation's columns
    /// other names, one after the other.
    pub natural: bool,
    /// Whether it has a GROUP BY.
    pub grouped: bool,
    /// The columns that it lists there as such, or by the place or name of an output.
    pub grouped_by: Vec<Ident>,
    /// Whether every column comes from a relation that it names: there are no subqueries in FROM, no functions there,
    /// no common table expressions, and no aliases of columns.
    pub closed: bool,
}

impl Names {
    /// What a tree says; `prefix` is how far its locations are ahead of `text`.
    pub fn of(tree: &Tree, text: &str, prefix: usize) -> Self {
        let (mut natural, mut grouped, mut closed) = (false, false, true);
        let mut grouped_by = Vec::new();
        tree.walk(&mut |node| {
            closed &= !matches!(
                node.name(),
                "RangeSubselect" | "RangeFunction" | "RangeTableFunc" | "JsonTable" | "CommonTableExpr"
            );
            closed &= node.get("colnames").items().is_empty();
            closed &= node.name() != "JoinExpr"
                || (node.get("alias").is_nothing() && node.get("join_using_alias").is_nothing());
            natural |= node.name() == "JoinExpr" && node.get("is_natural").flag()
                || matches!(node.name(), "RangeVar" | "JoinExpr")
                    && !node.get("alias").get("colnames").items().is_empty();
            if !node.get("group_clause").is_nothing() {
                grouped = true;
                add_grouped(node, &mut grouped_by);
            }
        });
        Self {
            mentions: mentions(tree, text, prefix),
            written: written::written(tree, text, prefix),
            natural,
            grouped,
            grouped_by,
            closed,
        }
    }
}

/// The columns in a query's GROUP BY.
fn add_grouped(query: &Tree, out: &mut Vec<Ident>) {
    let column = |node: &Tree| {
        let fields = node.get("fields").items();
        (node.name() == "ColumnRef").then(|| fields.last().map(|field| Ident::new(field.str()))).flatten()
    };
    let outputs = query.get("target_list").items();
    for item in query.get("group_clause").items() {
        let place = item.get("val").get("ival").int();
        if item.name() == "AConst" {
            let output = usize::try_from(place).ok().and_then(|place| outputs.get(place.checked_sub(1)?));
            out.extend(output.and_then(|output| column(output.get("val"))));
        } else if let Some(name) = column(item) {
            let meant = outputs.iter().filter(|output| output.get("name").str() == name.as_str());
            out.extend(meant.filter_map(|output| column(output.get("val"))));
            out.push(name);
        }
    }
}

/// The names that a tree mentions. `prefix` is how far its locations are ahead of `text`.
/// Names of common table expressions are no mentions.
pub fn mentions(tree: &Tree, text: &str, prefix: usize) -> Vec<Mention> {
    let mut ctes = Vec::new();
    tree.walk(&mut |node| {
        if node.name() == "CommonTableExpr" {
            ctes.push(node.get("ctename").str().to_owned());
        }
    });
    // FOR UPDATE OF names relations of the query as FROM calls them: they take no schema.
    let mut locked: HashSet<i64> = HashSet::new();
    tree.walk(&mut |node| {
        if node.name() == "LockingClause" {
            locked.extend(node.get("locked_rels").items().iter().map(|one| one.get("location").int()));
        }
    });
    let mut outputs: HashMap<i64, Option<Ident>> = HashMap::new();
    tree.walk(&mut |node| {
        if node.name() == "SelectStmt" {
            for target in
                node.get("target_list").items().iter().filter(|t| t.get("val").name() == "ColumnRef")
            {
                let name = target.get("name").str();
                let name = (!name.is_empty()).then(|| Ident::new(name));
                outputs.insert(target.get("val").get("location").int(), name);
            }
        }
    });
    let mut ambiguous: HashSet<i64> = HashSet::new();
    tree.walk(&mut |node| {
        if node.name() == "SelectStmt" {
            for clause in ["sort_clause", "group_clause", "distinct_clause"] {
                node.get(clause).walk(&mut |part| {
                    if part.name() == "ColumnRef" {
                        ambiguous.insert(part.get("location").int());
                    }
                });
            }
        }
    });
    let mut found = Vec::new();
    tree.walk(&mut |node| match node.name() {
        "RangeVar" if locked.contains(&node.get("location").int()) => {}
        "RangeVar" => {
            let (schema, relation) = (node.get("schemaname").str(), node.get("relname").str());
            if !schema.is_empty() || !ctes.iter().any(|cte| cte == relation) {
                let parts =
                    [schema, relation].iter().filter(|p| !p.is_empty()).map(|p| Ident::new(p)).collect();
                let alias = node.get("alias").get("aliasname").str();
                let alias = (!alias.is_empty()).then(|| Ident::new(alias));
                push(&mut found, MentionKind::Relation, parts, alias, node, text, prefix);
            }
        }
        "ColumnRef" => {
            let parts = node
                .get("fields")
                .items()
                .iter()
                .map(|field| Ident::new(if field.name() == "AStar" { "*" } else { field.str() }))
                .collect();
            push(&mut found, MentionKind::Column, parts, None, node, text, prefix);
            let location = node.get("location").int();
            if let Some(last) = found.last_mut().filter(|last| last.kind == MentionKind::Column) {
                last.may_be_output = ambiguous.contains(&location);
                if let Some(output) = outputs.get(&location) {
                    (last.names_output, last.output) = (output.is_none(), *output);
                }
            }
        }
        // A column of a partition key is a plain name.
        "PartitionElem" if !node.get("name").str().is_empty() => {
            let parts = vec![Ident::new(node.get("name").str())];
            push(&mut found, MentionKind::Column, parts, None, node, text, prefix);
        }
        "FuncCall" => {
            if node.get("funcformat").int() != SQL_SYNTAX {
                let parts = node.get("funcname").strings().into_iter().map(Ident::new).collect();
                push(&mut found, MentionKind::Routine, parts, None, node, text, prefix);
            }
            let name = node.get("funcname").strings().last().copied().unwrap_or_default();
            if matches!(name, "nextval" | "currval" | "setval" | "lastval" | "to_regclass") {
                if let Some(argument) = node.get("args").items().first() {
                    literal(&mut found, MentionKind::RelationLiteral, argument, text, prefix);
                }
            }
        }
        "TypeName" => {
            let names = node.get("names").strings();
            let parts: Vec<Ident> = names.iter().map(|name| Ident::new(name)).collect();
            if parts.first().is_some_and(|first| first.as_str() != "pg_catalog") {
                push(&mut found, MentionKind::Type, parts, None, node, text, prefix);
            }
        }
        "TypeCast" => {
            let target = node.get("type_name").get("names").strings();
            let kind = match target.last().copied().unwrap_or_default() {
                "regclass" => MentionKind::RelationLiteral,
                "regproc" | "regprocedure" => MentionKind::RoutineLiteral,
                "regtype" => MentionKind::TypeLiteral,
                _ => return,
            };
            literal(&mut found, kind, node.get("arg"), text, prefix);
        }
        _ => {}
    });
    elements(&mut found, tree, text);
    found.sort_by_key(|mention| (mention.start, mention.end));
    found.dedup();
    found
}

/// Their names. Those behind ON CONFLICT stand elsewhere.
fn plain_elements(tree: &Tree, names: &mut Vec<Ident>) {
    match tree.name() {
        "InferClause" => return,
        "IndexElem" | "StatsElem" if !tree.get("name").str().is_empty() => {
            names.push(Ident::new(tree.get("name").str()));
        }
        _ => {}
    }
    tree.children().into_iter().for_each(|child| plain_elements(child, names));
}

/// The plain columns of indexes, exclusion constraints and statistics, whose places the tree does not tell: each
/// begins an element of the list in parentheses, or behind ON.
fn elements(found: &mut Vec<Mention>, tree: &Tree, text: &str) {
    let mut names: Vec<Ident> = Vec::new();
    plain_elements(tree, &mut names);
    tree.walk(&mut |node| {
        if node.name() == "Constraint" {
            names.extend(node.get("including").strings().into_iter().map(Ident::new));
        }
    });
    if names.is_empty() {
        return;
    }
    let Ok(tokens) = crate::parse::tokens(text) else { return };
    let mut names = names.into_iter().peekable();
    let (mut depth, mut begins) = (0_u32, false);
    for token in tokens {
        let word = text.get(token.start..token.end).unwrap_or("");
        if begins {
            let written = one_name(text, token.start).filter(|(_, end)| *end == token.end);
            if let Some((name, end)) = written.filter(|(name, _)| names.peek() == Some(name)) {
                let start = token.start;
                found.push(Mention {
                    kind: MentionKind::Column,
                    parts: vec![name],
                    start,
                    end,
                    alias: None,
                    output: None,
                    names_output: false,
                    may_be_output: false,
                });
                names.next();
            }
        }
        begins = match word {
            "(" => {
                depth += 1;
                depth == 1
            }
            ")" => {
                depth = depth.saturating_sub(1);
                false
            }
            "," => depth <= 1,
            _ => depth == 0 && word.eq_ignore_ascii_case("on"),
        };
    }
}

/// `COERCE_SQL_SYNTAX`: EXTRACT, POSITION and the like, whose name does not stand in the text.
const SQL_SYNTAX: i64 = 4;

fn push(
    found: &mut Vec<Mention>,
    kind: MentionKind,
    parts: Vec<Ident>,
    alias: Option<Ident>,
    node: &Tree,
    text: &str,
    prefix: usize,
) {
    let Some(start) = usize::try_from(node.get("location").int()).ok().and_then(|at| at.checked_sub(prefix))
    else {
        return;
    };
    let Some((written, end)) = dotted_name(text, start) else { return };
    // Names that the grammar made up (`pg_catalog.int4` for `int`, COALESCE's kin) do not stand in the text.
    if written == parts {
        found.push(Mention {
            kind,
            parts,
            start,
            end,
            alias,
            names_output: false,
            output: None,
            may_be_output: false,
        });
    }
}

fn literal(found: &mut Vec<Mention>, kind: MentionKind, node: &Tree, text: &str, prefix: usize) {
    // A text is looked up when it is used, under the search_path of that session: `nextval('s'::text)`.
    let cast = node.get("type_name").get("names").strings();
    if cast.last().is_some_and(|name| !matches!(*name, "regclass" | "regproc" | "regprocedure" | "regtype")) {
        return;
    }
    let constant = if node.name() == "TypeCast" { node.get("arg") } else { node };
    let value = constant.get("val").get("sval").str();
    if constant.name() != "AConst" || value.is_empty() {
        return;
    }
    let Some(start) =
        usize::try_from(constant.get("location").int()).ok().and_then(|at| at.checked_sub(prefix))
    else {
        return;
    };
    let Some((parts, end)) = dotted_name(value, 0) else { return };
    let (whole, rest) = (end == value.len(), value.get(end..).unwrap_or(""));
    // The literal as it stands in the text; escapes are left alone because they cannot be mapped in place.
    let written = format!("'{}'", crate::sql::doubled(value));
    let in_text = text.get(start..).is_some_and(|tail| tail.starts_with(&written));
    if in_text && (whole || (kind == MentionKind::RoutineLiteral && rest.starts_with('('))) {
        // Only the name inside the quotes, so that a signature behind it stays.
        found.push(Mention {
            kind,
            parts,
            start: start + 1,
            end: start + 1 + end,
            alias: None,
            names_output: false,
            output: None,
            may_be_output: false,
        });
    }
}

/// The schemas of a search_path as a setting spells it.
pub fn search_path(setting: &str) -> Vec<Ident> {
    setting.split(',').filter_map(|one| Some(*dotted_name(one.trim(), 0)?.0.first()?)).collect()
}

/// Reads a dotted name at `start`: its parts, folded as PostgreSQL folds them, and where it ends.
/// Blanks around the dots are allowed. `None` where no name stands.
pub fn dotted_name(text: &str, start: usize) -> Option<(Vec<Ident>, usize)> {
    let bytes = text.as_bytes();
    let mut parts = Vec::new();
    let mut at = start;
    loop {
        let (part, end) = one_name(text, at)?;
        parts.push(part);
        at = end;
        let mut next = end;
        while bytes.get(next).is_some_and(u8::is_ascii_whitespace) {
            next += 1;
        }
        if bytes.get(next) != Some(&b'.') || bytes.get(next + 1) == Some(&b'.') {
            return Some((parts, at));
        }
        next += 1;
        while bytes.get(next).is_some_and(u8::is_ascii_whitespace) {
            next += 1;
        }
        at = next;
    }
}

fn one_name(text: &str, start: usize) -> Option<(Ident, usize)> {
    let rest = text.get(start..)?;
    let mut characters = rest.char_indices();
    match characters.next()?.1 {
        '"' => {
            let mut name = String::new();
            let mut characters = characters.peekable();
            while let Some((at, character)) = characters.next() {
                if character != '"' {
                    name.push(character);
                } else if characters.peek().is_some_and(|(_, next)| *next == '"') {
                    name.push('"');
                    characters.next();
                } else {
                    return Some((Ident::new(&name), start + at + 1));
                }
            }
            None
        }
        '*' => Some((Ident::new("*"), start + 1)),
        first if first.is_alphabetic() || first == '_' || !first.is_ascii() => {
            let end = rest
                .char_indices()
                .find(|(_, c)| !(c.is_ascii_alphanumeric() || *c == '_' || *c == '$' || !c.is_ascii()))
                .map_or(rest.len(), |(at, _)| at);
            // Only ASCII is folded in a UTF-8 database.
            Some((Ident::new(&rest.get(..end)?.to_ascii_lowercase()), start + end))
        }
        _ => None,
    }
}

/// A text with some of its ranges replaced. Ranges must not overlap.
pub fn splice(text: &str, mut changes: Vec<(usize, usize, String)>) -> String {
    changes.sort();
    changes.dedup();
    let mut out = String::with_capacity(text.len() + 32 * changes.len());
    let mut from = 0;
    for (start, end, new) in changes {
        if start < from {
            continue;
        }
        out.push_str(text.get(from..start).unwrap_or(""));
        out.push_str(&new);
        from = end;
    }
    out.push_str(text.get(from..).unwrap_or(""));
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fragment::{self, Grammar};

    fn found(text: &str, grammar: Grammar) -> Vec<(MentionKind, String, String)> {
        let (tree, prefix) = fragment::tree(text, grammar).expect("parses");
        mentions(&tree, text, prefix)
            .into_iter()
            .map(|m| {
                let name = m.parts.iter().map(|p| p.as_str()).collect::<Vec<_>>().join(".");
                (m.kind, name, text[m.start..m.end].to_owned())
            })
            .collect()
    }

    #[test]
    fn a_text_is_no_name_until_it_is_used() {
        let literals = |text: &str| {
            let all = found(text, Grammar::Expression);
            all.iter().filter(|(kind, ..)| matches!(kind, MentionKind::RelationLiteral)).count()
        };
        assert_eq!(literals("nextval('s')"), 1);
        assert_eq!(literals("nextval('s'::regclass)"), 1);
        assert_eq!(literals("nextval('s'::text)"), 0);
        assert_eq!(literals("nextval(('s'::text)::regclass)"), 0);
    }

    #[test]
    fn names_are_found_where_they_stand() {
        use MentionKind::*;
        let text = "user_id = (select auth.uid()) and \"Kind\"::public.mood = 'a' and exists (select 1 from App . Members m where m.id = t.id)";
        let names = found(text, Grammar::Expression);
        for expected in [
            (Column, "user_id", "user_id"),
            (Routine, "auth.uid", "auth.uid"),
            (Column, "Kind", "\"Kind\""),
            (Type, "public.mood", "public.mood"),
            (Relation, "app.members", "App . Members"),
            (Column, "t.id", "t.id"),
        ] {
            let expected = (expected.0, expected.1.to_owned(), expected.2.to_owned());
            assert!(names.contains(&expected), "{expected:?} in {names:?}");
        }
    }

    #[test]
    fn what_a_query_locks_is_no_new_mention() {
        let names = found("select a from t, u as v for update of t, v", Grammar::Query);
        let relations = names.iter().filter(|(kind, ..)| *kind == MentionKind::Relation);
        let relations: Vec<&str> = relations.map(|(_, name, _)| name.as_str()).collect();
        assert_eq!(relations, ["t", "u"]);
    }

    #[test]
    fn relations_in_constants_are_found() {
        let names = found("nextval('public.t_id_seq'::regclass)", Grammar::Expression);
        assert!(names.contains(&(
            MentionKind::RelationLiteral,
            "public.t_id_seq".into(),
            "public.t_id_seq".into()
        )));
    }

    #[test]
    fn common_table_expressions_and_special_functions_are_no_mentions() {
        let names =
            found("with x as (select 1) select coalesce(a, 1), extract(year from d) from x", Grammar::Query);
        assert!(names.iter().all(|(kind, ..)| *kind == MentionKind::Column), "{names:?}");
    }
}
