//! Prints queries as ruleutils.c does: `get_query_def` and what it calls.

use crate::analyse::expr::Node;
use crate::analyse::query::{Body, From, Query, Relation, Select, Set, Source};
use crate::analyse::show::Show;
use crate::analyse::{Analysed, undecided};
use crate::ident::{Ident, MAX_NAME_BYTES};
use crate::sql;
use std::collections::HashSet;

impl Show {
    /// `get_query_def`. `visible`: whether the names of its columns matter to somebody.
    pub fn query(&mut self, query: &Query, visible: bool) -> Analysed<()> {
        let inside = !self.names.is_empty();
        let (names, count) = match &query.body {
            Body::Select(select) => (self.unique(&select.relations)?, select.relations.len()),
            _ => (Vec::new(), 0),
        };
        // Before 16 the query of a view has places for OLD and NEW.
        let prefix = inside || self.version < 16 || count != 1;
        let outer = std::mem::replace(&mut self.prefix, prefix);
        self.names.push(names);
        let done = self.query_inside(query, visible);
        self.names.pop();
        self.prefix = outer;
        done
    }

    fn query_inside(&mut self, query: &Query, visible: bool) -> Analysed<()> {
        if !query.with.is_empty() {
            self.put(if query.recursive { "WITH RECURSIVE " } else { "WITH " });
            for (place, with) in query.with.iter().enumerate() {
                if place > 0 {
                    self.put(", ");
                }
                self.put(sql::quoted(with.name));
                self.names_in_parentheses(&with.columns);
                self.put(match with.materialized {
                    Some(true) => " AS MATERIALIZED (",
                    Some(false) => " AS NOT MATERIALIZED (",
                    None => " AS (",
                });
                self.query(&with.query, true)?;
                self.put(")");
            }
            self.put(" ");
        }
        match &query.body {
            Body::Select(select) => self.select(select, visible)?,
            Body::Set(set) => self.set(set, visible)?,
            Body::Values(rows, _) => {
                self.put("VALUES ");
                for (place, row) in rows.iter().enumerate() {
                    self.put(if place > 0 { ", (" } else { "(" });
                    self.list(row, false)?;
                    self.put(")");
                }
            }
        }
        if !query.order.is_empty() {
            self.put(" ORDER BY ");
            self.order(&query.order)?;
        }
        if let Some(offset) = &query.offset {
            self.put(" OFFSET ");
            self.expr(offset, false)?;
        }
        if let Some(limit) = &query.limit {
            self.put(" LIMIT ");
            if matches!(limit.node, Node::Constant(None)) {
                self.put("ALL");
            } else {
                self.expr(limit, false)?;
            }
        }
        Ok(())
    }

    fn names_in_parentheses(&mut self, names: &[Ident]) {
        if !names.is_empty() {
            let names: Vec<&str> = names.iter().map(|name| sql::quoted(*name)).collect();
            self.put(&format!("({})", names.join(", ")));
        }
    }

    /// `set_rtable_names`: a name that is taken, also further out, gets a number.
    fn unique(&self, relations: &[Relation]) -> Analysed<Vec<Option<Ident>>> {
        let mut taken: HashSet<Ident> = self.names.iter().flatten().flatten().copied().collect();
        let mut found = Vec::new();
        for relation in relations {
            let Some(name) = relation.name else {
                found.push(None);
                continue;
            };
            let mut own = name;
            let mut number = 0;
            while !taken.insert(own) {
                number += 1;
                let numbered = format!("{name}_{number}");
                if numbered.len() > MAX_NAME_BYTES {
                    return undecided("a name that would be cut");
                }
                own = Ident::new(&numbered);
            }
            found.push(Some(own));
        }
        Ok(found)
    }

    fn select(&mut self, select: &Select, visible: bool) -> Analysed<()> {
        self.put("SELECT");
        if !select.distinct_on.is_empty() {
            self.put(" DISTINCT ON (");
            self.order(&select.distinct_on)?;
            self.put(")");
        } else if select.distinct {
            self.put(" DISTINCT");
        }
        for (place, output) in select.outputs.iter().enumerate() {
            self.put(if place > 0 { ", " } else { " " });
            let own = match &output.expr.node {
                Node::Column { name, .. } | Node::Merged(name) => {
                    self.expr(&output.expr, true)?;
                    Some(name.as_str())
                }
                _ => {
                    self.expr(&output.expr, true)?;
                    (!visible).then_some("?column?")
                }
            };
            if own != Some(output.name.as_str()) {
                self.put(&format!(" AS {}", sql::quoted(output.name)));
            }
        }
        for (place, item) in select.from.iter().enumerate() {
            self.put(if place > 0 { ", " } else { " FROM " });
            self.from(item, select)?;
        }
        if let Some(filter) = &select.filter {
            self.put(" WHERE ");
            self.expr(filter, false)?;
        }
        if !select.group.is_empty() {
            self.put(" GROUP BY ");
            self.order(&select.group)?;
        }
        if let Some(having) = &select.having {
            self.put(" HAVING ");
            self.expr(having, false)?;
        }
        Ok(())
    }

    /// `get_setop_query`.
    fn set(&mut self, set: &Set, visible: bool) -> Analysed<()> {
        let nested = |query: &Query| match &query.body {
            Body::Set(inner) if !has_own_clauses(query) => Some((inner.word, inner.all)),
            _ => None,
        };
        let left = has_own_clauses(&set.left)
            || nested(&set.left).is_some_and(|(word, all)| word != set.word || all != set.all);
        self.side(&set.left, left, visible)?;
        self.put(&format!(" {} {}", set.word, if set.all { "ALL " } else { "" }));
        let right = has_own_clauses(&set.right) || nested(&set.right).is_some();
        self.side(&set.right, right, false)
    }

    fn side(&mut self, query: &Query, parentheses: bool, visible: bool) -> Analysed<()> {
        if parentheses {
            self.put("(");
        }
        self.query(query, visible)?;
        if parentheses {
            self.put(")");
        }
        Ok(())
    }

    /// `get_from_clause_item`.
    fn from(&mut self, item: &From, select: &Select) -> Analysed<()> {
        let join = match item {
            From::Relation(place) => return self.relation(*place, select),
            From::Join(join) => join,
        };
        self.put("(");
        self.from(&join.left, select)?;
        self.put(&format!(" {} ", join.word));
        self.from(&join.right, select)?;
        if !join.using.is_empty() {
            self.put(" USING ");
            self.names_in_parentheses(&join.using);
        } else if let Some(on) = &join.on {
            self.put(" ON (");
            self.expr(on, false)?;
            self.put(")");
        } else if join.word != "CROSS JOIN" {
            self.put(" ON TRUE");
        }
        self.put(")");
        Ok(())
    }

    fn relation(&mut self, place: usize, select: &Select) -> Analysed<()> {
        let Some(relation) = select.relations.get(place) else { return undecided("a relation of nowhere") };
        let shown = self.name_of(0, place)?;
        let mut own = None;
        match &relation.source {
            Source::Named(name, only) => {
                if !relation.columns.is_empty() {
                    return undecided("other names for a relation's columns");
                }
                if *only {
                    self.put("ONLY ");
                }
                self.put(&sql::qualified(*name));
                own = Some(name.name);
            }
            Source::With(name) => {
                self.put(sql::quoted(*name));
                own = Some(*name);
            }
            Source::Query(query) => {
                self.put("(");
                self.query(query, true)?;
                self.put(")");
            }
            Source::Join => return undecided("a join as a relation"),
        }
        if let Some(name) = shown.filter(|name| relation.alias || own != Some(*name)) {
            self.put(&format!(" {}", sql::quoted(name)));
        }
        self.names_in_parentheses(&relation.columns);
        Ok(())
    }
}

/// Whether a side of a set operation stands on its own.
fn has_own_clauses(query: &Query) -> bool {
    !query.with.is_empty() || !query.order.is_empty() || query.limit.is_some() || query.offset.is_some()
}
