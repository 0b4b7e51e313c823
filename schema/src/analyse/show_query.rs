//! Prints queries as ruleutils.c does: `get_query_def` and what it calls.

use crate::analyse::expr::{Expr, Node};
use crate::analyse::naming::{self, Names};
use crate::analyse::query::{After, Body, Called, From, Group, Output, Query, Relation, Select, Set, Source};
use crate::analyse::show::Show;
use crate::analyse::types::{self, Type};
use crate::analyse::{Analysed, undecided};
use crate::ident::{Ident, MAX_NAME_BYTES};
use crate::sql;
use std::collections::HashSet;

impl Show {
    /// `get_query_def`. `visible`: whether the names of its columns matter to somebody.
    pub fn query(&mut self, query: &Query, visible: bool) -> Analysed<()> {
        let inside = !self.names.is_empty();
        let (mut names, count) = match &query.body {
            Body::Select(select) => {
                (naming::names(select, self.unique(&select.relations)?)?, select.relations.len())
            }
            Body::Write(write) => {
                let select = &write.select;
                // What is written to never stands alone: a rule has OLD and NEW, a routine stands around.
                (naming::names(select, self.unique(&select.relations)?)?, usize::MAX)
            }
            _ => (Names::default(), 0),
        };
        // Before 16 the query of a view has places for OLD and NEW.
        let prefix = inside || self.version < 16 || count != 1;
        if let (false, Body::Select(select)) = (prefix, &query.body) {
            names.outputs = select.outputs.iter().map(|output| (output.name, output.expr.clone())).collect();
        }
        let outer = (self.prefix, self.sorting);
        (self.prefix, self.sorting) = (prefix, false);
        self.names.push(names);
        let done = self.query_inside(query, visible);
        self.names.pop();
        (self.prefix, self.sorting) = outer;
        done
    }

    fn query_inside(&mut self, query: &Query, visible: bool) -> Analysed<()> {
        if !query.with.is_empty() {
            self.put(if query.recursive { "WITH RECURSIVE " } else { "WITH " });
            for (place, with) in query.with.iter().enumerate() {
                if place > 0 {
                    self.put(", ");
                }
                self.put(sql::quoted_on(with.name, self.version));
                self.names_in_parentheses(&with.columns);
                self.put(match with.materialized {
                    Some(true) => " AS MATERIALIZED (",
                    Some(false) => " AS NOT MATERIALIZED (",
                    None => " AS (",
                });
                self.query(&with.query, true)?;
                self.put(")");
                for after in &with.after {
                    self.after(after)?;
                }
            }
            self.put(" ");
        }
        match &query.body {
            Body::Select(select) => self.select(select, visible)?,
            Body::Set(set) => self.set(set, visible)?,
            Body::Values(rows, _) => self.values(rows)?,
            Body::Write(write) => self.write(write, visible)?,
            Body::Return(output) => {
                self.put("RETURN ");
                self.top(&output.expr, true)?;
            }
        }
        if !query.order.is_empty() {
            self.put(" ORDER BY ");
            self.order(&query.order, matches!(query.body, Body::Set(_)))?;
        }
        if let Some(offset) = &query.offset {
            self.put(" OFFSET ");
            self.expr(offset, false)?;
        }
        match &query.limit {
            Some(limit) if query.ties => {
                // Older minor versions print no parentheses.
                self.put(" FETCH FIRST (");
                self.expr(limit, false)?;
                self.put(") ROWS WITH TIES");
            }
            Some(limit) => {
                self.put(" LIMIT ");
                if matches!(limit.node, Node::Constant(None)) {
                    self.put("ALL");
                } else {
                    self.expr(limit, false)?;
                }
            }
            None => {}
        }
        for (strength, place, waiting) in &query.locks {
            let Some(name) = self.name_of(0, *place)? else { return undecided("a lock of nothing") };
            self.put(&format!(" FOR {strength} OF {}{waiting}", sql::quoted_on(name, self.version)));
        }
        Ok(())
    }

    /// `get_values_def`.
    pub(super) fn values(&mut self, rows: &[Vec<Expr>]) -> Analysed<()> {
        self.put("VALUES ");
        for (place, row) in rows.iter().enumerate() {
            self.put(if place > 0 { ", (" } else { "(" });
            for (place, value) in row.iter().enumerate() {
                if place > 0 {
                    self.put(", ");
                }
                self.top(value, false)?;
            }
            self.put(")");
        }
        Ok(())
    }

    /// `get_target_list`.
    pub(super) fn outputs(&mut self, outputs: &[Output], visible: bool) -> Analysed<()> {
        for (place, output) in outputs.iter().enumerate() {
            self.put(if place > 0 { ", " } else { " " });
            let own = match &output.expr.node {
                Node::Column { .. } => self.column(&output.expr)?,
                _ => {
                    self.top(&output.expr, true)?;
                    (!visible).then(|| Ident::new("?column?"))
                }
            };
            if own != Some(output.name) {
                self.put(&format!(" AS {}", sql::quoted_on(output.name, self.version)));
            }
        }
        Ok(())
    }

    /// SEARCH and CYCLE.
    fn after(&mut self, after: &After) -> Analysed<()> {
        let list = |names: &[Ident]| {
            let names: Vec<&str> = names.iter().map(|name| sql::quoted_on(*name, self.version)).collect();
            names.join(", ")
        };
        match after {
            After::Search(breadth, columns, made) => {
                let word = if *breadth { "BREADTH" } else { "DEPTH" };
                let (columns, made) = (list(columns), sql::quoted_on(*made, self.version));
                self.put(&format!(" SEARCH {word} FIRST BY {columns} SET {made}"));
            }
            After::Cycle(columns, mark, values, path) => {
                self.put(&format!(" CYCLE {} SET {}", list(columns), sql::quoted_on(*mark, self.version)));
                if let Some((value, other)) = values {
                    self.put(" TO ");
                    self.expr(value, false)?;
                    self.put(" DEFAULT ");
                    self.expr(other, false)?;
                }
                self.put(&format!(" USING {}", sql::quoted_on(*path, self.version)));
            }
        }
        Ok(())
    }

    pub(super) fn names_in_parentheses(&mut self, names: &[Ident]) {
        if !names.is_empty() {
            let names: Vec<&str> = names.iter().map(|name| sql::quoted_on(*name, self.version)).collect();
            self.put(&format!("({})", names.join(", ")));
        }
    }

    /// `set_rtable_names`: a name that is taken, also further out, gets a number.
    fn unique(&self, relations: &[Relation]) -> Analysed<Vec<Option<Ident>>> {
        let mut taken: HashSet<Ident> =
            self.names.iter().flat_map(|names| &names.relations).flatten().copied().collect();
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
            self.order(&select.distinct_on, false)?;
            self.put(")");
        } else if select.distinct {
            self.put(" DISTINCT");
        }
        self.outputs(&select.outputs, visible)?;
        for (place, item) in select.from.iter().enumerate() {
            self.put(if place > 0 { ", " } else { " FROM " });
            self.from(item, select)?;
        }
        if let Some(filter) = &select.filter {
            self.put(" WHERE ");
            self.expr(filter, false)?;
        }
        if !select.group.is_empty() {
            self.put(if select.group_distinct { " GROUP BY DISTINCT " } else { " GROUP BY " });
            // Names of what comes out are no danger here.
            let outputs = self.names.last_mut().map(|names| std::mem::take(&mut names.outputs));
            self.groups(&select.group, true)?;
            if let (Some(outputs), Some(names)) = (outputs, self.names.last_mut()) {
                names.outputs = outputs;
            }
        }
        if let Some(having) = &select.having {
            self.put(" HAVING ");
            self.expr(having, false)?;
        }
        for (place, (name, window)) in select.windows.iter().enumerate() {
            self.put(if place > 0 { ", " } else { " WINDOW " });
            self.put(&format!("{} AS ", sql::quoted_on(*name, self.version)));
            self.window(window)?;
        }
        Ok(())
    }

    /// `get_rule_groupingset`; `bare`: one key needs no parentheses.
    fn groups(&mut self, groups: &[Group], bare: bool) -> Analysed<()> {
        for (place, group) in groups.iter().enumerate() {
            if place > 0 {
                self.put(", ");
            }
            match group {
                Group::Empty => self.put("()"),
                Group::Key(key) if bare => self.sort_key(&key.key)?,
                Group::Key(key) => {
                    self.put("(");
                    self.sort_key(&key.key)?;
                    self.put(")");
                }
                Group::Keys(keys) => {
                    let parentheses = !bare || keys.len() != 1;
                    if parentheses {
                        self.put("(");
                    }
                    for (place, key) in keys.iter().enumerate() {
                        if place > 0 {
                            self.put(", ");
                        }
                        self.sort_key(&key.key)?;
                    }
                    if parentheses {
                        self.put(")");
                    }
                }
                Group::Sets(word, content) => {
                    self.put(word);
                    self.groups(content, *word != "GROUPING SETS (")?;
                    self.put(")");
                }
            }
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
    pub(super) fn from(&mut self, item: &From, select: &Select) -> Analysed<()> {
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
            let usings = self.names.last().and_then(|names| names.usings.get(join.place)).cloned();
            self.names_in_parentheses(&usings.unwrap_or_default());
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
        if relation.lateral {
            self.put("LATERAL ");
        }
        let mut own = None;
        let mut columns: &[(Ident, Type, i32)] = &[];
        match &relation.source {
            Source::Named(name, only) => {
                if *only {
                    self.put("ONLY ");
                }
                // What pg_catalog has is found under any search_path.
                if name.schema.as_str() == "pg_catalog" {
                    self.put(sql::quoted_on(name.name, self.version));
                } else {
                    self.put(&sql::qualified(*name));
                }
                own = Some(name.name);
            }
            Source::With(name) => {
                self.put(sql::quoted_on(*name, self.version));
                own = Some(*name);
            }
            Source::Query(query) => {
                self.put("(");
                self.query(query, true)?;
                self.put(")");
            }
            Source::Functions(functions, ordinality) => {
                columns = self.functions(functions, *ordinality)?;
                if *ordinality {
                    self.put(" WITH ORDINALITY");
                }
            }
            Source::Join => return undecided("a join as a relation"),
        }
        let level = self.names.last();
        let printed = level.and_then(|level| level.printed.get(place)).copied().unwrap_or(false);
        let names = level.and_then(|level| level.columns.get(place)).cloned().unwrap_or_default();
        if let Some(name) = shown.filter(|name| relation.alias || printed || own != Some(*name)) {
            self.put(&format!(" {}", sql::quoted_on(name, self.version)));
        }
        if !columns.is_empty() {
            self.definitions(columns, Some(&names))?;
        } else if printed {
            self.names_in_parentheses(&names);
        }
        if let Some((method, arguments, repeatable)) = &relation.sample {
            self.put(&format!(" TABLESAMPLE {method} ("));
            self.list(arguments, false)?;
            self.put(")");
            if let Some(repeatable) = repeatable {
                self.put(" REPEATABLE (");
                self.expr(repeatable, false)?;
                self.put(")");
            }
        }
        Ok(())
    }

    /// Functions in FROM; the columns that have to be defined behind the alias.
    fn functions<'q>(
        &mut self,
        functions: &'q [Called],
        ordinality: bool,
    ) -> Analysed<&'q [(Ident, Type, i32)]> {
        if let [function] = functions {
            if function.columns.is_empty() || !ordinality {
                self.function(&function.expr)?;
                return Ok(&function.columns);
            }
        }
        let unnest = |function: &Called| {
            matches!(&function.expr.node, Node::Call(call) if call.name == "unnest"
                && matches!(&call.arguments[..], [argument] if argument.of.array))
                && function.columns.is_empty()
        };
        if functions.iter().all(unnest) {
            self.put("UNNEST(");
            for (place, function) in functions.iter().enumerate() {
                if place > 0 {
                    self.put(", ");
                }
                if let Node::Call(call) = &function.expr.node {
                    self.list(&call.arguments, true)?;
                }
            }
            self.put(")");
            return Ok(&[]);
        }
        self.put("ROWS FROM(");
        for (place, function) in functions.iter().enumerate() {
            if place > 0 {
                self.put(", ");
            }
            self.function(&function.expr)?;
            if !function.columns.is_empty() {
                self.put(" AS ");
                self.definitions(&function.columns, None)?;
            }
        }
        self.put(")");
        Ok(&[])
    }

    /// `get_rule_expr_funccall`.
    fn function(&mut self, expr: &Expr) -> Analysed<()> {
        if matches!(&expr.node, Node::Call(_) | Node::Value(_) | Node::Among(..) | Node::NullIf(..)) {
            return self.expr(expr, true);
        }
        self.put("CAST(");
        self.expr(expr, false)?;
        self.put(&format!(" AS {})", types::written(expr.of, expr.modifier)?));
        Ok(())
    }

    /// `get_from_clause_coldeflist`.
    fn definitions(&mut self, columns: &[(Ident, Type, i32)], names: Option<&[Ident]>) -> Analysed<()> {
        self.put("(");
        for (place, (name, of, modifier)) in columns.iter().enumerate() {
            if place > 0 {
                self.put(", ");
            }
            let name = names.and_then(|names| names.get(place)).unwrap_or(name);
            self.put(&format!("{} {}", sql::quoted_on(*name, self.version), types::written(*of, *modifier)?));
        }
        self.put(")");
        Ok(())
    }
}

/// Whether a side of a set operation stands on its own.
fn has_own_clauses(query: &Query) -> bool {
    !query.with.is_empty()
        || !query.order.is_empty()
        || query.limit.is_some()
        || query.offset.is_some()
        || !query.locks.is_empty()
}
