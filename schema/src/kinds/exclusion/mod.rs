//! Exclusion constraints.

pub mod declare;
pub mod read;
pub mod write;

use crate::analyse::{self, Found, World};
use crate::catalog::Catalog;
use crate::fragment::{self, Fragment, Grammar};
use crate::id::ObjectId;
use crate::ident::{Ident, QName};
use crate::kinds::check::drop_constraint;
use crate::kinds::key::Timing;
use crate::kinds::options::Options;
use crate::kinds::{index, naming, table};
use crate::object::{Alter, Context, Nature, ObjectKind, Visitor};
use crate::question::{Question, Questions, Read};
use crate::sql::{self, Sql};
use crate::step::{Element, Lock, Steps};
use crate::tree::Tree;
use crate::write::Writer;

/// An exclusion constraint.
#[derive(Clone, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub struct Exclusion {
    /// What follows EXCLUDE, without what the other fields say: `USING gist (room WITH =, during WITH &&) WHERE (…)`.
    pub definition: Fragment,
    /// When it is checked.
    pub timing: Timing,
    /// Storage parameters of its index.
    pub options: Options,
    /// Tablespace of its index.
    pub tablespace: Option<Ident>,
}

impl Exclusion {
    fn definition(&self, id: ObjectId) -> Sql {
        let mut sql = Sql::new("CONSTRAINT");
        sql.ident(id.name()).kw("EXCLUDE");
        let (head, predicate) = index::split_predicate(self.definition.text());
        sql.fragment(&Fragment::part(head, Grammar::Exclusion));
        self.options.with(&mut sql);
        if let Some(tablespace) = self.tablespace {
            sql.kw("USING INDEX TABLESPACE").ident(tablespace);
        }
        if let Some(predicate) = predicate {
            sql.fragment(&Fragment::part(predicate, Grammar::Exclusion));
        }
        self.timing.write(&mut sql);
        sql
    }
}

impl ObjectKind for Exclusion {
    fn nature(&self) -> Nature {
        Nature::CARRIED
    }

    fn visit(&mut self, visitor: &mut dyn Visitor) {
        visitor.fragment("exclusion", &mut self.definition);
    }

    fn uses(&self, id: ObjectId, catalog: &Catalog, out: &mut Vec<ObjectId>) {
        let Some(table) = id.parent() else { return };
        let Ok((tree, _)) = fragment::tree(self.definition.text(), Grammar::Exclusion) else { return };
        out.extend(column_names(&tree).into_iter().filter_map(|name| catalog.column(table, name)));
    }

    fn write(&self, id: ObjectId, out: &mut Writer<'_>) {
        write::write(self, id, out);
    }

    fn create(&self, id: ObjectId, context: &Context<'_>, out: &mut Steps) {
        if table::stays(id, context) {
            return;
        }
        let definition = self.definition(id);
        let mut sql = naming::alter_parent(id);
        sql.kw("ADD").sql(&definition);
        out.push(sql).lock(id.root(), Lock::AccessExclusive).scans().element(Element::Item(definition));
    }

    fn alter(old: &Self, new: &Self, id: ObjectId, _: &Context<'_>, out: &mut Steps) -> Alter {
        let Self { definition, timing, options, tablespace } = new;
        if *definition != old.definition || *timing != old.timing {
            return Alter::Replace("an exclusion constraint cannot be changed in place");
        }
        let mut head = Sql::new("ALTER INDEX");
        if let Some(schema) = id.schema() {
            head.name(QName { schema, name: id.name() });
        }
        for statement in old.options.alter(options, &head) {
            out.push(statement).lock(id.root(), Lock::ShareUpdateExclusive);
        }
        if *tablespace != old.tablespace {
            head.kw("SET TABLESPACE").ident(tablespace.unwrap_or_else(|| Ident::new("pg_default")));
            out.push(head).lock(id.root(), Lock::AccessExclusive);
        }
        Alter::InPlace
    }

    fn drop(&self, id: ObjectId, context: &Context<'_>, out: &mut Steps) {
        if table::merges(id, context) {
            return;
        }
        drop_constraint(id, out);
    }

    fn analyse(&self, id: ObjectId, world: &World<'_>, out: &mut Found) {
        if let Some(table) = id.parent() {
            let found = analyse::exclusion(world, &self.definition, table);
            out.push(("exclusion", found.map(|text| stored_definition(&format!("EXCLUDE {text}")))));
        }
    }

    fn ask(&self, id: ObjectId, context: &Context<'_>, out: &mut Questions) {
        let Some(stand_in) = id.parent().and_then(|parent| table::stand_in(parent, context)) else { return };
        let name = out.fresh_name();
        let mut make = Sql::new("ALTER TABLE pg_temp.");
        make.tight()
            .ident(stand_in.name)
            .kw("ADD CONSTRAINT")
            .ident(name)
            .kw("EXCLUDE")
            .fragment(&self.definition);
        let read = format!(
            "(SELECT pg_catalog.pg_get_constraintdef(oid) FROM pg_catalog.pg_constraint \
             WHERE conrelid = {}::pg_catalog.regclass AND conname = {})",
            sql::literal(&format!("pg_temp.{}", sql::quoted(stand_in.name))),
            sql::literal(name.as_str())
        );
        out.push(Question {
            object: id,
            stand_in: Some(stand_in),
            make: make.into_text(),
            read: vec![("exclusion".into(), Read::Alone(read))],
            element: None,
            instead: Vec::new(),
        });
    }

    fn stored(_place: &str, text: &str) -> String {
        stored_definition(text)
    }
}

/// A definition as it is compared, from `pg_get_constraintdef`: without EXCLUDE, storage parameters and when it is
/// checked.
pub fn stored_definition(definition: &str) -> String {
    let Ok(tokens) = crate::parse::tokens(definition) else { return definition.to_owned() };
    let (mut depth, mut end) = (0_i32, definition.len());
    for token in &tokens {
        match definition.get(token.start..token.end).unwrap_or("") {
            "(" => depth += 1,
            ")" => depth -= 1,
            "DEFERRABLE" | "NOT" if depth == 0 => {
                end = token.start;
                break;
            }
            _ => {}
        }
    }
    index::stored_definition(definition[..end].trim_end())
}

/// The plain columns that a constraint's tree names, INCLUDE too.
pub fn column_names(tree: &Tree) -> Vec<Ident> {
    let mut names = index::column_names(tree);
    tree.walk(&mut |node| {
        if node.name() == "Constraint" {
            names.extend(node.get("including").strings().into_iter().map(Ident::new));
        }
    });
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_definition_is_what_follows_exclude_without_its_storage_and_timing() {
        for (stored, definition) in [
            ("EXCLUDE USING gist (room WITH =, during WITH &&)", "USING gist (room WITH =, during WITH &&)"),
            (
                "EXCLUDE USING gist (a WITH =) INCLUDE (b) WITH (fillfactor='70') WHERE ((NOT gone)) DEFERRABLE \
                 INITIALLY DEFERRED",
                "USING gist (a WITH =) INCLUDE (b) WHERE ((NOT gone))",
            ),
        ] {
            assert_eq!(stored_definition(stored), definition);
            let (tree, _) = fragment::tree(definition, Grammar::Exclusion).unwrap();
            assert!(!column_names(&tree).is_empty());
        }
    }
}
