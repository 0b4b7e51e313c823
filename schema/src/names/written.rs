//! The columns that statements write: those have no name in front, and belong to what the statement is about.

use super::one_name;
use crate::ident::Ident;
use crate::tree::Tree;

/// A column that a fragment writes, or by which ON CONFLICT finds an index.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Written {
    /// The relation's name, as it stands there.
    pub relation: Vec<Ident>,
    /// The column's; `*` where INSERT names none.
    pub column: Ident,
    /// Where the column's name stands in the text, where the grammar says so.
    pub place: Option<(usize, usize)>,
}

/// The columns that INSERT, UPDATE and MERGE write, and by which ON CONFLICT finds an index: the statements name them
/// without their relation.
pub(super) fn written(tree: &Tree, text: &str, prefix: usize) -> Vec<Written> {
    let mut found = Vec::new();
    tree.walk(&mut |node| {
        let conflict = node.get("on_conflict_clause");
        let keys = conflict.get("infer").get("index_elems");
        let lists = match node.name() {
            "InsertStmt" => vec![node.get("cols"), conflict.get("target_list"), keys],
            "UpdateStmt" => vec![node.get("target_list")],
            "MergeStmt" => vec![node.get("merge_when_clauses")],
            _ => return,
        };
        let relation = node.get("relation");
        let parts = [relation.get("schemaname").str(), relation.get("relname").str()];
        let parts: Vec<Ident> =
            parts.iter().filter(|part| !part.is_empty()).map(|part| Ident::new(part)).collect();
        let mut add = |column: &str, place| {
            found.push(Written { relation: parts.clone(), column: Ident::new(column), place });
        };
        if node.name() == "InsertStmt" && node.get("cols").items().is_empty() {
            add("*", None);
        }
        for item in lists.iter().flat_map(|list| list.items()) {
            let clause = [item];
            let targets: Vec<&Tree> = match item.name() {
                "MergeWhenClause" => item.get("target_list").items().iter().collect(),
                _ => clause.to_vec(),
            };
            // A key may be an expression.
            for target in targets.into_iter().filter(|target| !target.get("name").str().is_empty()) {
                let start = usize::try_from(target.get("location").int()).ok();
                let start = start.and_then(|start| start.checked_sub(prefix));
                let place = start.filter(|_| target.name() == "ResTarget").and_then(|start| {
                    let (name, end) = one_name(text, start)?;
                    (name.as_str() == target.get("name").str()).then_some((start, end))
                });
                add(target.get("name").str(), place);
            }
        }
    });
    found.sort();
    found.dedup();
    found
}
