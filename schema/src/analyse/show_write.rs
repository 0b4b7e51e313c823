//! Prints INSERT, UPDATE and DELETE as ruleutils.c does: `get_insert_query_def` and its kin.

use crate::analyse::expr::{Expr, Node};
use crate::analyse::query::{Conflict, Given, Insert, Select, Source, Verb, Write};
use crate::analyse::show::Show;
use crate::analyse::{Analysed, undecided};
use crate::ident::Ident;
use crate::sql;

impl Show {
    /// A statement that writes. `visible`: whether the names of what it returns matter to somebody.
    pub(super) fn write(&mut self, write: &Write, visible: bool) -> Analysed<()> {
        let select = &write.select;
        match &write.verb {
            Verb::Insert(insert) => self.insert(insert, write)?,
            Verb::Update(set) => {
                self.put("UPDATE ");
                self.target(write, " ")?;
                self.put(" SET ");
                self.set_list(set)?;
                self.items(select, " FROM ")?;
            }
            Verb::Delete => {
                self.put("DELETE FROM ");
                self.target(write, " ")?;
                self.items(select, " USING ")?;
            }
        }
        if let Some(filter) = &select.filter {
            self.put(" WHERE ");
            self.expr(filter, false)?;
        }
        if !select.outputs.is_empty() {
            self.put(" RETURNING");
            self.outputs(&select.outputs, visible)?;
        }
        Ok(())
    }

    fn items(&mut self, select: &Select, word: &str) -> Analysed<()> {
        for (place, item) in select.from.iter().enumerate() {
            self.put(if place > 0 { ", " } else { word });
            self.from(item, select)?;
        }
        Ok(())
    }

    /// The relation, with its alias where it has one or needs one.
    fn target(&mut self, write: &Write, word: &str) -> Analysed<()> {
        let relation = write.select.relations.get(write.target);
        let Some((relation, Source::Named(name, only))) =
            relation.map(|relation| (relation, &relation.source))
        else {
            return undecided("a target of nowhere");
        };
        if *only {
            self.put("ONLY ");
        }
        self.put(&sql::qualified(*name));
        let shown = self.name_of(0, write.target)?;
        if let Some(shown) = shown.filter(|shown| relation.alias || *shown != name.name) {
            self.put(&format!("{word}{}", sql::quoted_on(shown, self.version)));
        }
        Ok(())
    }

    /// `get_update_query_targetlist_def`.
    fn set_list(&mut self, set: &[(Ident, Expr)]) -> Analysed<()> {
        for (place, (column, value)) in set.iter().enumerate() {
            self.put(if place > 0 { ", " } else { "" });
            self.put(&format!("{} = ", sql::quoted_on(*column, self.version)));
            self.expr(value, false)?;
        }
        Ok(())
    }

    fn insert(&mut self, insert: &Insert, write: &Write) -> Analysed<()> {
        self.put("INSERT INTO ");
        self.target(write, " AS ")?;
        self.put(" ");
        self.names_in_parentheses(&insert.columns);
        self.put(" ");
        self.put(insert.overriding);
        match &insert.given {
            Given::Nothing => self.put("DEFAULT VALUES"),
            Given::Rows(rows) => self.values(rows)?,
            Given::Query(query) => self.query(query, false)?,
        }
        match &insert.conflict {
            Some(conflict) => self.conflict(conflict),
            None => Ok(()),
        }
    }

    fn conflict(&mut self, conflict: &Conflict) -> Analysed<()> {
        self.put(" ON CONFLICT");
        // What finds an index can only speak of the target.
        let prefix = std::mem::replace(&mut self.prefix, false);
        for (place, key) in conflict.keys.iter().enumerate() {
            self.put(if place > 0 { ", " } else { "(" });
            let bare = matches!(&key.node, Node::Column { .. })
                || matches!(&key.node, Node::Call(call) if call.syntax.is_none());
            self.put(if bare { "" } else { "(" });
            self.expr(key, false)?;
            self.put(if bare { "" } else { ")" });
        }
        if !conflict.keys.is_empty() {
            self.put(")");
        }
        if let Some(condition) = &conflict.condition {
            self.put(" WHERE ");
            self.expr(condition, false)?;
        }
        self.prefix = prefix;
        if let Some(constraint) = conflict.constraint {
            self.put(&format!(" ON CONSTRAINT {}", sql::quoted_on(constraint, self.version)));
        }
        let Some((set, condition)) = &conflict.update else {
            self.put(" DO NOTHING");
            return Ok(());
        };
        self.put(" DO UPDATE SET ");
        self.set_list(set)?;
        if let Some(condition) = condition {
            self.put(" WHERE ");
            self.expr(condition, false)?;
        }
        Ok(())
    }
}
