//! Indexes that belong to no constraint.

pub mod declare;
pub mod read;
pub mod write;

use crate::analyse::{self, Found, World};
use crate::catalog::Catalog;
use crate::fragment::{self, Fragment, Grammar};
use crate::id::ObjectId;
use crate::ident::{Ident, Text};
use crate::kinds::column::compare;
use crate::kinds::options::Options;
use crate::kinds::{key, naming, table};
use crate::object::{Alter, Context, Nature, Object, ObjectKind, Visitor};
use crate::question::{Question, Questions, Read};
use crate::sql::Sql;
use crate::step::{Lock, Steps};
use crate::tree::Tree;
use crate::write::Writer;

/// An index.
#[derive(Clone, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub struct Index {
    /// UNIQUE.
    pub unique: bool,
    /// What follows the table's name, without storage parameters and tablespace: `USING gin (tags) WHERE …`.
    pub definition: Fragment,
    /// Storage parameters.
    pub options: Options,
    /// Its tablespace, unless it is the database's.
    pub tablespace: Option<Ident>,
    /// CLUSTER goes by it.
    pub clustered: bool,
    /// The statistics targets of its expressions, by their numbers among the index's columns.
    #[serde(default)]
    pub statistics: Options,
    /// It serves no query and keeps nothing unique: what a build that failed left, or a partitioned table's that some
    /// partition has no part of.
    #[serde(default)]
    pub invalid: bool,
}

impl Index {
    /// What PostgreSQL calls the part that a partition has of its table's.
    fn part_name(&self, id: ObjectId) -> Text {
        let mut columns: Vec<String> = Vec::new();
        if let Ok((tree, _)) = fragment::tree(self.definition.text(), Grammar::Index) {
            let keys = [tree.get("index_params"), tree.get("index_including_params")];
            for key in keys.iter().flat_map(|list| list.items()) {
                let own = match key.get("name").str() {
                    "" => analyse::index_column(key.get("expr")),
                    name => name.to_owned(),
                };
                // ChooseIndexColumnNames: what is there already gets a number.
                let numbered = (1..).map(|number| format!("{own}{number}"));
                let free = std::iter::once(own.clone()).chain(numbered).find(|name| !columns.contains(name));
                columns.extend(free);
            }
        }
        key::chosen_name(id.root().name().as_str(), &columns.join("_"), "idx")
    }
}

impl ObjectKind for Index {
    fn nature(&self) -> Nature {
        Nature::CARRIED
    }

    fn visit(&mut self, visitor: &mut dyn Visitor) {
        visitor.fragment("index", &mut self.definition);
    }

    fn uses(&self, id: ObjectId, catalog: &Catalog, out: &mut Vec<ObjectId>) {
        let Some(table) = id.parent() else { return };
        let Ok((tree, _)) = fragment::tree(self.definition.text(), Grammar::Index) else { return };
        let columns = column_names(&tree);
        out.extend(columns.iter().filter_map(|name| catalog.column(table, *name)));
        if let (true, Some(columns)) = (self.unique, plain_columns(&tree)) {
            out.extend(table::adoptable(id, &columns, catalog));
        }
    }

    fn gives_way(&self, id: ObjectId, context: &Context<'_>) -> bool {
        compare::has_expressions(&self.definition) && compare::stands_between(id, context)
    }

    fn write(&self, id: ObjectId, out: &mut Writer<'_>) {
        write::write(self, id, out);
    }

    fn comes_after(&self, id: ObjectId, context: &Context<'_>) -> Vec<ObjectId> {
        table::of_partitions(id, context)
    }

    fn create(&self, id: ObjectId, context: &Context<'_>, out: &mut Steps) {
        if table::stays(id, context) || table::comes_as_part(id, self.part_name(id), context) {
            return;
        }
        let Some(table) = id.parent() else { return };
        let mut sql = Sql::new(if self.unique { "CREATE UNIQUE INDEX" } else { "CREATE INDEX" });
        sql.ident(id.name()).kw("ON");
        naming::own_name(&mut sql, table);
        write_definition(&mut sql, &self.definition, &self.options, self.tablespace);
        out.push(sql).lock(table, Lock::Share).scans();
        if self.clustered {
            cluster(id, out);
        }
        set_statistics(&Options::default(), &self.statistics, id, out);
        table::identify_by(id, context, out);
    }

    fn alter(old: &Self, new: &Self, id: ObjectId, context: &Context<'_>, out: &mut Steps) -> Alter {
        let Self { unique, definition, options, tablespace, clustered, statistics, invalid } = new;
        if old.invalid && !invalid {
            return Alter::Replace("it is not valid: its build failed, or a partition has no part of it");
        }
        if *unique != old.unique || *definition != old.definition {
            return Alter::Replace("an index's definition cannot be changed in place");
        }
        if *options != old.options && table::is_divided(id.root(), context.current) {
            return Alter::Replace("what is stored as partitions has no options that could be changed");
        }
        let mut head = Sql::new("ALTER INDEX");
        naming::own_name(&mut head, id);
        for statement in old.options.alter(options, &head) {
            out.push(statement).lock(id.root(), Lock::ShareUpdateExclusive);
        }
        set_statistics(&old.statistics, statistics, id, out);
        if *tablespace != old.tablespace {
            head.kw("SET TABLESPACE").ident(tablespace.unwrap_or_else(|| Ident::new("pg_default")));
            out.push(head).lock(id.root(), Lock::AccessExclusive);
        }
        cluster_otherwise((old.clustered, *clustered), id, context, out);
        Alter::InPlace
    }

    fn drop(&self, id: ObjectId, context: &Context<'_>, out: &mut Steps) {
        if table::merges(id, context) {
            return;
        }
        let mut sql = Sql::new("DROP INDEX");
        naming::own_name(&mut sql, id);
        table::drop_index(id, sql, context, out);
    }

    fn analyse(&self, id: ObjectId, world: &World<'_>, out: &mut Found) {
        let Some(parent) = id.parent() else { return };
        let found = analyse::index(world, &self.definition, parent);
        let found = found.map(|text| text.strip_prefix("USING btree ").map_or(text.clone(), str::to_owned));
        out.push(("index", found));
    }

    fn ask(&self, id: ObjectId, context: &Context<'_>, out: &mut Questions) {
        let Some(stand_in) = id.parent().and_then(|parent| table::stand_in(parent, context)) else { return };
        let name = out.fresh_name();
        let mut make = Sql::new(if self.unique { "CREATE UNIQUE INDEX" } else { "CREATE INDEX" });
        make.ident(name).kw("ON pg_temp.").tight().ident(stand_in.name).fragment(&self.definition);
        out.push(Question {
            object: id,
            stand_in: Some(stand_in),
            make: make.into_text(),
            read: vec![("index".into(), Read::Among(STORED, name.as_str().to_owned()))],
            element: None,
            instead: Vec::new(),
        });
    }

    fn stored(_place: &str, text: &str) -> String {
        stored_definition(text)
    }
}

/// The indexes of stand-ins as PostgreSQL prints them.
const STORED: &str = "SELECT c.relname, pg_catalog.pg_get_indexdef(c.oid) FROM pg_catalog.pg_index i \
    JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid WHERE i.indrelid = ANY ($1)";

/// `ALTER INDEX … ALTER COLUMN 2 SET STATISTICS 500`; -1 is the default.
fn set_statistics(old: &Options, new: &Options, id: ObjectId, out: &mut Steps) {
    let (set, reset) = old.changes(new);
    let number = |text: &str| text.parse::<i64>().ok();
    let set = set.0.iter().map(|(column, target)| (column.as_str(), number(target.as_str())));
    let reset = reset.iter().map(|column| (column.as_str(), Some(-1)));
    for (column, target) in set.chain(reset) {
        let (Some(column), Some(target)) = (number(column), target) else { continue };
        let mut sql = Sql::new("ALTER INDEX");
        naming::own_name(&mut sql, id);
        sql.kw("ALTER COLUMN").number(column).kw("SET STATISTICS").number(target);
        out.push(sql).lock(id.root(), Lock::ShareUpdateExclusive);
    }
}

/// CLUSTER goes by an index, or no longer does.
pub fn cluster_otherwise((old, new): (bool, bool), id: ObjectId, context: &Context<'_>, out: &mut Steps) {
    if new && !old {
        cluster(id, out);
    }
    let another = |child: &ObjectId| match context.desired.get(*child).map(|entry| &entry.object) {
        Some(Object::Index(index)) => index.clustered,
        Some(Object::Key(key)) => key.clustered,
        _ => false,
    };
    // Where another index takes its place, that is enough.
    if old && !new && !context.desired.children(id.root()).iter().any(another) {
        let mut sql = naming::alter_parent(id);
        sql.kw("SET WITHOUT CLUSTER");
        out.push(sql).lock(id.root(), Lock::ShareUpdateExclusive);
    }
}

/// CLUSTER goes by an index.
pub fn cluster(id: ObjectId, out: &mut Steps) {
    let mut sql = naming::alter_parent(id);
    sql.kw("CLUSTER ON").ident(id.name());
    out.push(sql).lock(id.root(), Lock::ShareUpdateExclusive);
}

/// Writes a definition with its storage parameters and tablespace in the places where the grammar wants them: before
/// WHERE. The predicate is found by the parser's own location of it.
fn write_definition(sql: &mut Sql, definition: &Fragment, options: &Options, tablespace: Option<Ident>) {
    if options.0.is_empty() && tablespace.is_none() {
        sql.fragment(definition);
        return;
    }
    let (head, predicate) = split_predicate(definition.text());
    sql.fragment(&Fragment::part(head, Grammar::Index));
    sql.kw(" ").tight();
    options.with(sql);
    if let Some(tablespace) = tablespace {
        sql.kw("TABLESPACE").ident(tablespace);
    }
    if let Some(predicate) = predicate {
        sql.fragment(&Fragment::part(predicate, Grammar::Index));
    }
}

/// Cuts a definition before its WHERE.
pub fn split_predicate(definition: &str) -> (&str, Option<&str>) {
    let Ok(tokens) = crate::parse::tokens(definition) else { return (definition, None) };
    let mut depth = 0_i32;
    for token in tokens {
        let word = definition.get(token.start..token.end).unwrap_or("");
        match word {
            "(" => depth += 1,
            ")" => depth -= 1,
            _ if depth == 0 && word.eq_ignore_ascii_case("where") => {
                return (definition[..token.start].trim_end(), Some(&definition[token.start..]));
            }
            _ => {}
        }
    }
    (definition, None)
}

/// What stands behind the table's name in `pg_get_indexdef`: from its ` USING ` on. Names are quoted there, so the
/// tokens are read, not the text searched.
pub fn after_table(indexdef: &str) -> &str {
    let Ok(tokens) = crate::parse::tokens(indexdef) else { return indexdef };
    tokens
        .iter()
        .find(|token| indexdef.get(token.start..token.end) == Some("USING"))
        .map_or(indexdef, |token| &indexdef[token.start..])
}

/// A definition as it is compared, from `pg_get_indexdef`: without what stands before ` USING `, without storage
/// parameters and tablespace, which are fields of their own, and without the access method that goes without saying.
pub fn stored_definition(indexdef: &str) -> String {
    let definition = without_storage(indexdef);
    definition.strip_prefix("USING btree ").map_or(definition.clone(), str::to_owned)
}

fn without_storage(indexdef: &str) -> String {
    let definition = after_table(indexdef);
    let Ok(tokens) = crate::parse::tokens(definition) else { return definition.to_owned() };
    let word = |index: usize| {
        tokens.get(index).and_then(|token| definition.get(token.start..token.end)).unwrap_or("")
    };
    let (mut kept, mut from, mut depth) = (String::new(), 0, 0_i32);
    let mut at = 0;
    while at < tokens.len() {
        let start = tokens[at].start;
        match word(at) {
            "(" => depth += 1,
            ")" => depth -= 1,
            "WHERE" if depth == 0 => break,
            "WITH" if depth == 0 => {
                // Up to the closing parenthesis.
                loop {
                    at += 1;
                    match word(at) {
                        "(" => depth += 1,
                        ")" => depth -= 1,
                        _ => {}
                    }
                    if depth == 0 || at >= tokens.len() {
                        break;
                    }
                }
                kept.push_str(definition[from..start].trim_end());
                from = tokens.get(at).map_or(definition.len(), |token| token.end);
            }
            "TABLESPACE" if depth == 0 => {
                at += 1;
                kept.push_str(definition[from..start].trim_end());
                from = tokens.get(at).map_or(definition.len(), |token| token.end);
            }
            _ => {}
        }
        at += 1;
    }
    kept.push_str(&definition[from..]);
    kept
}

/// The plain columns that a definition's tree names, INCLUDE too.
pub fn column_names(tree: &Tree) -> Vec<Ident> {
    let mut names = Vec::new();
    tree.walk(&mut |node| {
        if node.name() == "IndexElem" && !node.get("name").str().is_empty() {
            names.push(Ident::new(node.get("name").str()));
        }
    });
    names
}

/// The columns of an index without expressions; a column in parentheses is one (ComputeIndexAttrs).
fn plain_columns(tree: &Tree) -> Option<Vec<Ident>> {
    let column = |element: &Tree| {
        let expression = element.get("expr");
        let name = match expression.name() {
            "" => element.get("name").str(),
            "ColumnRef" => expression.get("fields").items().last()?.str(),
            _ => return None,
        };
        Some(Ident::new(name))
    };
    tree.get("index_params").items().iter().map(column).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_definition_is_what_follows_the_table_without_its_storage() {
        for (indexdef, definition) in [
            ("CREATE INDEX i ON app.t USING btree (a)", "(a)"),
            ("CREATE INDEX \"USING\" ON ONLY app.\" WITH (x)\" USING gin (tags)", "USING gin (tags)"),
            (
                "CREATE UNIQUE INDEX i ON t USING btree (a, lower((b)::text)) INCLUDE (c) NULLS NOT DISTINCT \
                 WITH (fillfactor='70', x=')') TABLESPACE fast WHERE (a = ' WITH (y)'::text)",
                "(a, lower((b)::text)) INCLUDE (c) NULLS NOT DISTINCT WHERE (a = ' WITH (y)'::text)",
            ),
            ("CREATE INDEX i ON t USING btree (a) WITH (fillfactor='70')", "(a)"),
        ] {
            assert_eq!(stored_definition(indexdef), definition);
        }
    }
}
