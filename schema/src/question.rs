//! Questions to the server: how would it store this fragment?
//!
//! A kind says which stand-in its fragments need, which statement puts a fragment on it and which expression reads
//! it back. All of it happens in pg_temp inside a transaction that is rolled back; running it is the compiler's
//! work (`elaborate`).

use crate::catalog::Catalog;
use crate::fragment::{self, Fragment, Grammar};
use crate::id::ObjectId;
use crate::ident::{Ident, QName};
use crate::kinds::{table, view};
use crate::names::{self, MentionKind};
use crate::object::{Context, Kind, Object};
use crate::sql;
use crate::type_name::TypeName;
use std::collections::HashSet;

/// A temporary relation that stands in for a real one: same name, same columns, no rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StandIn {
    /// The relation that it stands in for.
    pub relation: ObjectId,
    /// Its name in pg_temp: the relation's own, since the server prints it inside sub-selects.
    pub name: Ident,
    /// The statement that makes it.
    pub create: String,
}

impl StandIn {
    /// The statement that makes it with more elements than its columns.
    pub fn with(&self, elements: &[&str]) -> String {
        if elements.is_empty() {
            return self.create.clone();
        }
        let open = self.create.strip_suffix(')').unwrap_or(&self.create).trim_end();
        let comma = if open.ends_with('(') { "" } else { "," };
        format!("{open}{comma}\n    {}\n)", elements.join(",\n    "))
    }
}

/// A relation in pg_temp that stands in for another one inside a fragment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Instead {
    /// Its name there.
    pub name: Ident,
    /// Whom it is.
    pub real: QName,
    /// The fragment names the real one without an alias: its own name was added as one, and goes again.
    pub bare: bool,
}

/// How a stored text is read back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Read {
    /// By an SQL expression of its own (NULL: the server stored nothing).
    Alone(String),
    /// As the row with this key among those, of a key and a text, that a query gives for the stand-ins whose oids are
    /// `$1`. Without such a row the server stored nothing.
    Among(&'static str, String),
}

/// One question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// The object that it is about.
    pub object: ObjectId,
    /// The stand-in that must exist; `None` when `make` needs none.
    pub stand_in: Option<StandIn>,
    /// The statement that puts the fragments where they belong, on the stand-in or as a temporary object.
    pub make: String,
    /// For each place, how the stored text is read back.
    pub read: Vec<(String, Read)>,
    /// What `make` would do, said inside the statement that makes the stand-in: a constraint or a column of it.
    pub element: Option<String>,
    /// The relations in pg_temp that stand in for others inside the fragments.
    pub instead: Vec<Instead>,
}

impl Question {
    /// The stored text with the names of those that others stood in for.
    pub fn unmasked(&self, text: &str, grammar: Grammar) -> String {
        if self.instead.is_empty() {
            return text.to_owned();
        }
        let Ok(names) = fragment::names(text, grammar) else { return text.to_owned() };
        let mut changes = Vec::new();
        for mention in &names.mentions {
            let (MentionKind::Relation, Some(name)) = (mention.kind, mention.parts.last()) else { continue };
            let temporary = match mention.parts[..] {
                [schema, _] => schema.as_str().starts_with("pg_temp"),
                _ => true,
            };
            let Some(Instead { real, bare, .. }) =
                self.instead.iter().find(|one| temporary && one.name == *name)
            else {
                continue;
            };
            let mut end = mention.end;
            if *bare && mention.alias == Some(real.name) {
                let rest = text.get(end..).unwrap_or("");
                let aliases = ["", "AS "].map(|word| format!(" {word}{}", sql::quoted(real.name)));
                if let Some(alias) = aliases.iter().find(|alias| rest.starts_with(alias.as_str())) {
                    end += alias.len();
                }
            }
            changes.push((mention.start, end, sql::qualified(*real)));
        }
        names::splice(text, changes)
    }
}

/// A fragment whose relations that this plan changes, moves or creates are replaced by stand-ins with the columns
/// that they shall have, so that the server's answer is about the desired state.
#[derive(Clone, Debug)]
pub struct Masked {
    /// The fragment.
    pub fragment: Fragment,
    /// The statements that make the stand-ins, each with its semicolon.
    pub prelude: String,
    /// The stand-ins.
    pub instead: Vec<Instead>,
}

impl Questions {
    /// Puts stand-ins where they are needed. `None` where one cannot be made: a changed view whose columns are not
    /// known yet.
    pub fn mask(&mut self, fragment: &Fragment, context: &Context<'_>) -> Option<Masked> {
        let mut masked = Masked { fragment: fragment.clone(), prelude: String::new(), instead: Vec::new() };
        let Ok(names) = fragment.names() else { return Some(masked) };
        let text = fragment.text();
        let mentions = &names.mentions;
        let mut changes = Vec::new();
        for mention in mentions.iter().filter(|mention| mention.kind == MentionKind::Relation) {
            let [schema, name] = mention.parts[..] else { continue };
            let real = QName { schema, name };
            let Some(id) = context.desired.relation(real).filter(|id| self.differs(*id, context)) else {
                continue;
            };
            let bare = mention.alias.is_none();
            let own = match masked.instead.iter().find(|one| one.real == real && one.bare == bare) {
                Some(known) => known.name,
                None => {
                    let own = self.fresh_name();
                    masked.prelude.push_str(&create_stand_in(own, id, names.grouped, context)?);
                    masked.instead.push(Instead { name: own, real, bare });
                    own
                }
            };
            // INSERT takes an alias only behind AS.
            let alias =
                if mention.alias.is_none() { format!(" AS {}", sql::quoted(name)) } else { String::new() };
            changes.push((mention.start, mention.end, format!("pg_temp.{}{alias}", sql::quoted(own))));
        }
        for mention in mentions.iter().filter(|mention| mention.kind == MentionKind::Column) {
            let [schema, name, column] = mention.parts[..] else { continue };
            if masked.instead.iter().any(|one| one.real == QName { schema, name }) {
                let column = if column.as_str() == "*" { "*" } else { sql::quoted(column) };
                changes.push((mention.start, mention.end, format!("{}.{column}", sql::quoted(name))));
            }
        }
        if !changes.is_empty() {
            masked.fragment.rewrite(&names::splice(text, changes));
        }
        Some(masked)
    }

    /// Whether a relation is not on the server as it shall be.
    fn differs(&self, id: ObjectId, context: &Context<'_>) -> bool {
        let (Some(old), Some(new)) = (context.current.get(id), context.desired.get(id)) else { return true };
        if self.moved.contains(&id.root()) {
            return true;
        }
        match (&old.object, &new.object) {
            (Object::View(old), Object::View(new)) => old.query != new.query,
            (Object::MaterializedView(old), Object::MaterializedView(new)) => old.query != new.query,
            _ => {
                let shape = |catalog: &Catalog| -> Vec<(Ident, TypeName)> {
                    catalog.columns(id).iter().map(|(id, column)| (id.name(), column.type_name)).collect()
                };
                shape(context.current) != shape(context.desired)
            }
        }
    }
}

/// The statement that makes a stand-in under a name of its own.
fn create_stand_in(own: Ident, id: ObjectId, grouped: bool, context: &Context<'_>) -> Option<String> {
    let output = match context.desired.get(id).map(|entry| &entry.object) {
        Some(Object::View(view)) => Some(view.output.0),
        Some(Object::MaterializedView(view)) => Some(view.output.0),
        _ => None,
    };
    if let Some(output) = output {
        return Some(format!("{};\n", view::stand_in_with(own, output?)));
    }
    let mut stand_in = table::stand_in(id, context)?;
    stand_in.create = stand_in.create.replacen(
        &format!("CREATE TEMPORARY TABLE {}", sql::quoted(stand_in.name)),
        &format!("CREATE TEMPORARY TABLE {}", sql::quoted(own)),
        1,
    );
    let mut text = format!("{};\n", stand_in.create);
    let key =
        context.desired.children_of(id, Kind::Key).find_map(|key| match &context.desired.get(key)?.object {
            Object::Key(key) if key.primary => Some(key.columns.clone()),
            _ => None,
        });
    if let Some(columns) = key.filter(|_| grouped) {
        // GROUP BY a primary key lets other columns through.
        let columns: Vec<&str> = columns.iter().map(|name| sql::quoted(*name)).collect();
        text.push_str(&format!(
            "ALTER TABLE pg_temp.{} ADD PRIMARY KEY ({});\n",
            sql::quoted(own),
            columns.join(", ")
        ));
    }
    Some(text)
}

/// Collects questions; hands out names for temporary objects.
#[derive(Debug, Default)]
pub struct Questions {
    /// The questions, in order.
    pub list: Vec<Question>,
    /// What this plan moves, by its desired id.
    pub moved: HashSet<ObjectId>,
    counter: usize,
}

impl Questions {
    /// No questions yet, in a plan that moves these.
    pub fn new(moved: HashSet<ObjectId>) -> Self {
        Self { moved, ..Self::default() }
    }

    /// A name that no other question uses.
    pub fn fresh_name(&mut self) -> Ident {
        self.counter += 1;
        Ident::new(&format!("schemac_question_{}", self.counter))
    }

    /// Adds a question.
    pub fn push(&mut self, question: Question) {
        self.list.push(question);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stand_in_is_made_with_its_columns_and_more() {
        let stand_in = |create: &str| StandIn {
            relation: ObjectId::of_table(QName::new("app", "t")),
            name: Ident::new("t"),
            create: create.to_owned(),
        };
        let table = stand_in("CREATE TEMPORARY TABLE t (\n    a int\n)");
        assert_eq!(table.with(&[]), table.create);
        let made = "CREATE TEMPORARY TABLE t (\n    a int,\n    CHECK (a > 0),\n    b int DEFAULT (1)\n)";
        assert_eq!(table.with(&["CHECK (a > 0)", "b int DEFAULT (1)"]), made);
        let bare = stand_in("CREATE TEMPORARY TABLE t ()");
        assert_eq!(bare.with(&["CHECK (true)"]), "CREATE TEMPORARY TABLE t (\n    CHECK (true)\n)");
        let view = stand_in("CREATE TEMPORARY VIEW t AS SELECT f(1)");
        assert_eq!(view.with(&[]), view.create);
    }
}
