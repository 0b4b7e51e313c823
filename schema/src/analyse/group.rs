//! Analyses GROUP BY, as parse_clause.c does: `transformGroupClause`.

use crate::analyse::expr::Sort;
use crate::analyse::expression::Analyser;
use crate::analyse::query::{Group, Output};
use crate::analyse::{Analysed, undecided};
use crate::tree::Tree;

/// The kinds of grouping sets in the protocol.
mod kind {
    pub const EMPTY: i64 = 1;
    pub const SIMPLE: i64 = 2;
    pub const ROLLUP: i64 = 3;
    pub const CUBE: i64 = 4;
    pub const SETS: i64 = 5;
}

/// An element of GROUP BY as `flatten_grouping_sets` leaves it.
enum Flat<'a> {
    Key(&'a Tree),
    List(Vec<&'a Tree>),
    Empty,
    Sets(i64, Vec<Flat<'a>>),
}

/// An implicit row in GROUP BY is the list of its fields.
fn fields<'a>(tree: &'a Tree, out: &mut Vec<&'a Tree>) {
    // COERCE_IMPLICIT_CAST: parentheses without ROW.
    if tree.name() == "RowExpr" && tree.get("row_format").int() == 3 {
        tree.get("args").items().iter().for_each(|field| fields(field, out));
    } else {
        out.push(tree);
    }
}

fn flat(tree: &Tree) -> Analysed<Vec<Flat<'_>>> {
    if tree.name() != "GroupingSet" {
        let mut found = Vec::new();
        fields(tree, &mut found);
        return Ok(match found[..] {
            [one] => vec![Flat::Key(one)],
            _ => vec![Flat::List(found)],
        });
    }
    let own = tree.get("kind").int();
    match own {
        kind::EMPTY => Ok(vec![Flat::Empty]),
        kind::SIMPLE => undecided("a grouping set of this kind"),
        _ => {
            let mut content = Vec::new();
            for item in tree.get("content").items() {
                // GROUPING SETS within others are part of them.
                if item.name() == "GroupingSet" && item.get("kind").int() == kind::SETS {
                    let mut inner = flat(item)?;
                    match inner.pop() {
                        Some(Flat::Sets(_, sets)) => content.extend(sets),
                        _ => return undecided("grouping sets"),
                    }
                } else {
                    content.extend(flat(item)?);
                }
            }
            Ok(vec![Flat::Sets(own, content)])
        }
    }
}

/// How many sets an element stands for.
fn sets_of(group: &Group) -> usize {
    match group {
        Group::Key(_) | Group::Keys(_) | Group::Empty => 1,
        Group::Sets("ROLLUP(", content) => content.len() + 1,
        Group::Sets("CUBE(", content) => 1 << content.len().min(16),
        Group::Sets(_, content) => content.iter().map(sets_of).sum(),
    }
}

/// The keys of an element, each once.
fn gather(group: &Group, out: &mut Vec<Sort>) {
    let mut put = |key: &Sort| {
        if !out.iter().any(|known| known.key == key.key) {
            out.push(key.clone());
        }
    };
    match group {
        Group::Key(key) => put(key),
        Group::Keys(keys) => keys.iter().for_each(put),
        Group::Empty => {}
        Group::Sets(_, content) => content.iter().for_each(|one| gather(one, out)),
    }
}

impl Analyser<'_> {
    /// GROUP BY.
    pub(super) fn group(&mut self, trees: &[Tree], outputs: &[Output]) -> Analysed<Vec<Group>> {
        let mut elements = Vec::new();
        let mut sets = false;
        for tree in trees {
            if tree.name() == "GroupingSet" {
                sets = true;
                elements.extend(flat(tree)?);
            } else {
                let mut found = Vec::new();
                fields(tree, &mut found);
                elements.extend(found.into_iter().map(Flat::Key));
            }
        }
        let mut group: Vec<Group> = Vec::new();
        for element in elements {
            let found = self.element(element, outputs)?;
            let twice = matches!(&found, Group::Key(key)
                if group.iter().any(|known| matches!(known, Group::Key(known) if known.key == key.key)));
            if !twice {
                group.push(found);
            }
        }
        if !sets {
            return Ok(group);
        }
        if group.is_empty() {
            return undecided("grouping sets of nothing");
        }
        if group.iter().map(sets_of).product::<usize>() == 1 {
            // parseCheckAggregates: a single set of something is no grouping set.
            let mut keys: Vec<Sort> = Vec::new();
            group.iter().for_each(|one| gather(one, &mut keys));
            if !keys.is_empty() {
                return Ok(keys.into_iter().map(Group::Key).collect());
            }
        }
        Ok(group)
    }

    fn element(&mut self, flat: Flat<'_>, outputs: &[Output]) -> Analysed<Group> {
        Ok(match flat {
            Flat::Empty => Group::Empty,
            Flat::Key(tree) => Group::Key(self.group_key(tree, outputs)?),
            Flat::List(trees) => {
                let mut keys: Vec<Sort> = Vec::new();
                for tree in trees {
                    let key = self.group_key(tree, outputs)?;
                    if !keys.iter().any(|known| known.key == key.key) {
                        keys.push(key);
                    }
                }
                Group::Keys(keys)
            }
            Flat::Sets(own, content) => {
                let word = match own {
                    kind::ROLLUP => "ROLLUP(",
                    kind::CUBE => "CUBE(",
                    _ => "GROUPING SETS (",
                };
                let content: Analysed<Vec<Group>> =
                    content.into_iter().map(|item| self.element(item, outputs)).collect();
                Group::Sets(word, content?)
            }
        })
    }

    fn group_key(&mut self, tree: &Tree, outputs: &[Output]) -> Analysed<Sort> {
        let (key, output) = self.key(tree, outputs, true)?;
        Ok(Sort { key, output, descending: false, nulls_first: false })
    }
}
