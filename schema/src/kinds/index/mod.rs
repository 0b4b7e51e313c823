//! Indexes that belong to no constraint.

pub mod declare;
pub mod read;

use crate::catalog::Catalog;
use crate::fragment::{self, Fragment, Grammar};
use crate::id::ObjectId;
use crate::ident::{Ident, QName};
use crate::kinds::options::Options;
use crate::kinds::{naming, table};
use crate::object::{Alter, Context, Nature, ObjectKind, Visitor};
use crate::question::{Question, Questions};
use crate::sql::{self, Sql};
use crate::step::{Lock, Loss, Steps};
use crate::tree::Tree;

/// An index.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Index {
    /// UNIQUE.
    pub unique: bool,
    /// What follows the table's name, without storage parameters and tablespace: `USING gin (tags) WHERE …`.
    pub definition: Fragment,
    /// Storage parameters.
    pub options: Options,
    /// Its tablespace, unless it is the database's.
    pub tablespace: Option<Ident>,
    /// The index of the partitioned table that this one is attached to.
    pub attached_to: Option<QName>,
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
        out.extend(column_names(&tree).into_iter().filter_map(|name| catalog.column(table, name)));
    }

    fn create(&self, id: ObjectId, _: &Context<'_>, out: &mut Steps) {
        let Some(table) = id.parent() else { return };
        let mut sql = Sql::new(if self.unique { "CREATE UNIQUE INDEX" } else { "CREATE INDEX" });
        sql.ident(id.name()).kw("ON");
        naming::own_name(&mut sql, table);
        write_definition(&mut sql, &self.definition, &self.options, self.tablespace);
        out.push(sql).lock(table, Lock::Share).scans();
    }

    fn alter(old: &Self, new: &Self, id: ObjectId, _: &Context<'_>, out: &mut Steps) -> Alter {
        let Self { unique, definition, options, tablespace, attached_to } = new;
        if *unique != old.unique || *definition != old.definition || *attached_to != old.attached_to {
            return Alter::Replace("an index's definition cannot be changed in place");
        }
        let mut head = Sql::new("ALTER INDEX");
        naming::own_name(&mut head, id);
        for statement in old.options.alter(options, &head) {
            out.push(statement).lock(id.root(), Lock::ShareUpdateExclusive);
        }
        if *tablespace != old.tablespace {
            head.kw("SET TABLESPACE").ident(tablespace.unwrap_or_else(|| Ident::new("pg_default")));
            out.push(head).lock(id.root(), Lock::AccessExclusive);
        }
        Alter::InPlace
    }

    fn drop(&self, id: ObjectId, _: &Context<'_>, out: &mut Steps) {
        let mut sql = Sql::new("DROP INDEX");
        naming::own_name(&mut sql, id);
        out.push(sql).lock(id.root(), Lock::AccessExclusive);
        let _ = Loss::DropObject;
    }

    fn ask(&self, id: ObjectId, context: &Context<'_>, out: &mut Questions) {
        let Some(stand_in) = id.parent().and_then(|parent| table::stand_in(parent, context)) else { return };
        let name = out.fresh_name();
        let mut make = Sql::new(if self.unique { "CREATE UNIQUE INDEX" } else { "CREATE INDEX" });
        make.ident(name).kw("ON pg_temp.").tight().ident(stand_in.name).fragment(&self.definition);
        let target = sql::literal(&format!("pg_temp.{}", sql::quoted(name)));
        // What follows the first ` USING ` behind the table's name: the same cut as in read.sql.
        let read = format!("(SELECT pg_catalog.pg_get_indexdef({target}::pg_catalog.regclass))");
        let undo = format!("DROP INDEX pg_temp.{}", sql::quoted(name));
        out.push(Question {
            object: id,
            stand_in: Some(stand_in),
            make: make.into_text(),
            read: vec![("index".into(), read)],
            undo: Some(undo),
        });
    }

    fn stored(_place: &str, text: &str) -> String {
        without_storage(after_table(text))
    }
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

/// A definition without WITH (…) and TABLESPACE, which are objects' options of their own.
pub fn without_storage(definition: &str) -> String {
    let Ok(tokens) = crate::parse::tokens(definition) else { return definition.to_owned() };
    let (mut depth, mut kept, mut skipped_from) = (0_i32, String::new(), None);
    let mut from = 0;
    for (index, token) in tokens.iter().enumerate() {
        let word = definition.get(token.start..token.end).unwrap_or("");
        if depth == 0 && skipped_from.is_none() && matches!(word, "WITH" | "TABLESPACE") {
            kept.push_str(definition.get(from..token.start).unwrap_or("").trim_end());
            skipped_from = Some((index, word));
        }
        match word {
            "(" => depth += 1,
            ")" => depth -= 1,
            _ => {}
        }
        let ends = skipped_from.is_some_and(|(start, first)| match first {
            "WITH" => index > start && depth == 0,
            _ => index == start + 1,
        });
        if ends {
            (skipped_from, from) = (None, token.end);
        }
    }
    kept.push_str(definition.get(from..).unwrap_or(""));
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
