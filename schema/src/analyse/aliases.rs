//! Two stored queries that differ only in what they call their relations are the same query.
//!
//! Sound because an alias of a relation is known only inside the query that it stands in: columns of the result have names
//! of their own, which PostgreSQL always writes down. Both texts get numbers in the place of these names, in the order in
//! which they first occur; where the texts are one then, each column is of the same relation in both. Where a name could
//! be something else too (an alias of a sub-select, a column, what FOR UPDATE locks), nothing is said.
//!
//! PostgreSQL invents such names itself, and others after a table was renamed than when the query is made anew.

use super::squeeze::squeeze;
use crate::fragment::{self, Grammar};
use crate::ident::Ident;
use crate::names::{self, MentionKind};
use crate::sql;
use crate::tree::Tree;
use std::collections::HashMap;

/// Whether two stored texts are one but for the aliases of relations.
pub fn same_but_for_aliases(one: &str, other: &str, grammar: Grammar) -> bool {
    // Only a query inside gives names.
    let asks = |text: &str| text.contains("FROM ");
    if !asks(one) || !asks(other) {
        return false;
    }
    match (numbered(one, grammar), numbered(other, grammar)) {
        (Some(one), Some(other)) => squeeze(&one) == squeeze(&other),
        _ => false,
    }
}

/// The text with numbers for the names of its relations.
fn numbered(text: &str, grammar: Grammar) -> Option<String> {
    let names = fragment::names(text, grammar).ok()?;
    let mut numbers: HashMap<Ident, usize> = HashMap::new();
    for mention in names.mentions.iter().filter(|mention| mention.kind == MentionKind::Relation) {
        if let [_, name] = mention.parts[..] {
            let next = numbers.len() + 1;
            numbers.entry(mention.alias.unwrap_or(name)).or_insert(next);
        }
    }
    let (tree, _) = fragment::tree(text, grammar).ok()?;
    let columns = names.mentions.iter().filter(|mention| mention.kind == MentionKind::Column).count();
    if !is_clear(&tree, &numbers, columns) {
        return None;
    }
    let mut changes = Vec::new();
    for mention in &names.mentions {
        match (mention.kind, &mention.parts[..]) {
            (MentionKind::Relation, [_, name]) => {
                let mut end = mention.end;
                if let Some(alias) = mention.alias {
                    let rest = text.get(end..)?;
                    let start = end + rest.len() - rest.trim_start().len();
                    let (parts, behind) = names::dotted_name(text, start)?;
                    if parts != [alias] {
                        return None;
                    }
                    end = behind;
                }
                let number = numbers.get(&mention.alias.unwrap_or(*name))?;
                let relation = text.get(mention.start..mention.end)?;
                changes.push((mention.start, end, format!("{relation} ?{number}")));
            }
            (MentionKind::Column, [name]) if numbers.contains_key(name) => return None,
            (MentionKind::Column, [front, column]) => {
                if let Some(number) = numbers.get(front) {
                    let column = if column.as_str() == "*" { "*" } else { sql::quoted(*column) };
                    changes.push((mention.start, mention.end, format!("?{number}.{column}")));
                }
            }
            _ => {}
        }
    }
    Some(names::splice(text, changes))
}

/// Whether the names are those of relations and of nothing else, and every column was found.
fn is_clear(tree: &Tree, numbers: &HashMap<Ident, usize>, columns: usize) -> bool {
    let (mut clear, mut found) = (true, 0);
    tree.walk(&mut |node| {
        let known = |name: &str| !name.is_empty() && numbers.contains_key(&Ident::new(name));
        clear &= match node.name() {
            "ColumnRef" => {
                found += 1;
                node.get("fields").items().len() < 3
            }
            "LockingClause" => false,
            "CommonTableExpr" => !known(node.get("ctename").str()),
            "RangeVar" => {
                let front = match node.get("alias").get("aliasname").str() {
                    "" => node.get("relname").str(),
                    alias => alias,
                };
                !node.get("schemaname").str().is_empty() || !known(front)
            }
            "JoinExpr" => {
                let own = ["alias", "join_using_alias"].map(|field| node.get(field).get("aliasname").str());
                !own.into_iter().any(known)
            }
            _ => !known(node.get("alias").get("aliasname").str()),
        };
    });
    clear && found == columns
}

#[cfg(test)]
mod tests {
    use super::*;

    fn same(one: &str, other: &str) -> bool {
        same_but_for_aliases(one, other, Grammar::Query)
    }

    #[test]
    fn names_of_relations_are_their_own_business() {
        assert!(same("SELECT o.id FROM app.orders o", "SELECT x.id\n   FROM app.orders x"));
        assert!(same("SELECT orders.id FROM app.orders", "SELECT o.id FROM app.orders o"));
        assert!(same(
            "SELECT a.id, b.id FROM (app.t a JOIN app.t b ON ((a.id = b.up)))",
            "SELECT t.id, t_1.id FROM (app.t JOIN app.t t_1 ON ((t.id = t_1.up)))"
        ));
        assert!(same(
            "SELECT t.id FROM app.t WHERE (EXISTS ( SELECT 1 FROM app.u t_1 WHERE (t_1.id = t.id)))",
            "SELECT x.id FROM app.t x WHERE (EXISTS ( SELECT 1 FROM app.u WHERE (u.id = x.id)))"
        ));
        let policy = |text: &str| format!("(EXISTS ( SELECT 1 FROM {text}))");
        assert!(same_but_for_aliases(
            &policy("app.members m WHERE (m.id = users.id)"),
            &policy("app.members WHERE (members.id = users.id)"),
            Grammar::Expression
        ));
    }

    #[test]
    fn what_they_are_names_of_is_not() {
        assert!(!same("SELECT o.id FROM app.orders o", "SELECT o.id FROM app.lines o"));
        assert!(!same("SELECT o.id FROM app.orders o", "SELECT o.id AS x FROM app.orders o"));
        assert!(!same(
            "SELECT a.id FROM (app.t a JOIN app.t b ON ((a.id = b.up)))",
            "SELECT b.id FROM (app.t a JOIN app.t b ON ((a.id = b.up)))"
        ));
        assert!(!same(
            "SELECT t.id FROM app.t WHERE (EXISTS ( SELECT 1 FROM app.t t_1 WHERE (t_1.id = t.up)))",
            "SELECT t.id FROM app.t WHERE (EXISTS ( SELECT 1 FROM app.t t_1 WHERE (t_1.up = t.id)))"
        ));
        // Correlated with the outer row, or not.
        assert!(!same_but_for_aliases(
            "(EXISTS ( SELECT 1 FROM app.users u WHERE (u.id = users.id)))",
            "(EXISTS ( SELECT 1 FROM app.users WHERE (users.id = users.id)))",
            Grammar::Expression
        ));
    }

    #[test]
    fn where_a_name_may_be_another_nothing_is_said() {
        for (one, other) in [
            // A sub-select and a relation with one name, in two arms.
            (
                "SELECT a.id FROM app.t a UNION SELECT a.id FROM ( SELECT 1 AS id) a",
                "SELECT b.id FROM app.t b UNION SELECT b.id FROM ( SELECT 1 AS id) b",
            ),
            (
                "SELECT o.id FROM app.orders o FOR UPDATE OF o",
                "SELECT x.id FROM app.orders x FOR UPDATE OF x",
            ),
            (
                "WITH o AS ( SELECT 1) SELECT o.id FROM app.orders o",
                "WITH o AS ( SELECT 1) SELECT x.id FROM app.orders x",
            ),
            ("SELECT o FROM app.orders o", "SELECT o FROM app.orders x"),
        ] {
            assert!(!same(one, other), "{one}");
        }
    }
}
