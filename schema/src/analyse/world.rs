//! What names mean: the desired catalog, the search_path, and what users added to PostgreSQL's own operators and casts.

use crate::analyse::expression::Analyser;
use crate::analyse::from::system_relation;
use crate::analyse::select::Columns;
use crate::analyse::types::{self, Type};
use crate::analyse::{Analysed, undecided};
use crate::catalog::Catalog;
use crate::fragment::Fragment;
use crate::id::ObjectId;
use crate::ident::{Ident, QName};
use crate::object::{Kind, Object};
use crate::parse;
use std::collections::HashSet;

/// Where names are looked up.
#[derive(Debug)]
pub struct World<'a> {
    /// The database as it shall be.
    pub catalog: &'a Catalog,
    /// The project's search_path; pg_catalog comes before it.
    pub search_path: &'a [Ident],
    /// The server's major version.
    pub version: u32,
    /// Names of operators that users made: a name in here may mean one of theirs.
    operators: HashSet<&'static str>,
    /// Operator classes that users or extensions made, as `schema.name USING method`.
    operator_classes: HashSet<&'static str>,
    /// Types that have casts which users made, as `schema.name`.
    cast: HashSet<&'static str>,
    /// Why nothing can be said at all.
    obstacle: Option<&'static str>,
}

impl<'a> World<'a> {
    /// Looks what there is, in the desired catalog and in the current one. `settled` says whether everything that the catalog's objects bring is known: not so when
    /// an extension is still to be created.
    pub fn new(
        catalog: &'a Catalog,
        current: &Catalog,
        search_path: &'a [Ident],
        version: u32,
        settled: bool,
    ) -> Self {
        let mut world = World {
            catalog,
            search_path,
            version,
            operators: HashSet::new(),
            operator_classes: HashSet::new(),
            cast: HashSet::new(),
            obstacle: (!settled).then_some("an extension that this plan creates may bring anything"),
        };
        if !(14..=18).contains(&version) {
            world.obstacle = Some("this version of PostgreSQL is not known");
        }
        let odd = ["pg_catalog", "information_schema", "pg_temp", "$user"];
        if search_path.iter().any(|schema| odd.contains(&schema.as_str())) {
            world.obstacle = Some("the search_path names pg_catalog, information_schema, pg_temp or $user");
        }
        for id in catalog.ids().chain(current.ids()).filter(|id| id.kind() == Kind::Unmodelled) {
            let name = id.name().as_str();
            if let Some(operator) = name.strip_prefix("operator ") {
                let head = operator.rsplit_once('(').map_or(operator, |(head, _)| head);
                let start = head.trim_end_matches(|c| "+-*/<>=~!@#%^&|`?".contains(c)).len();
                world.operators.insert(&head[start..]);
            } else if let Some(class) = name.strip_prefix("operator class ") {
                world.operator_classes.insert(class);
            } else if let Some(cast) = name.strip_prefix("cast ") {
                let sides = cast.trim_start_matches('(').trim_end_matches(')').split(" AS ");
                let users: Vec<&'static str> =
                    sides.filter(|side| side.contains('.') && !side.starts_with("pg_catalog.")).collect();
                if users.is_empty() {
                    world.obstacle = Some("users made casts between PostgreSQL's own types");
                }
                world.cast.extend(users.into_iter().map(|side| side.trim_end_matches("[]")));
            }
        }
        world
    }

    /// Whether anything can be said.
    ///
    /// # Errors
    /// Why not.
    pub fn usable(&self) -> Analysed<()> {
        self.obstacle.map_or(Ok(()), undecided)
    }

    /// Whether anything can be said of a fragment: before 16 a number ends where its decimal digits do, and what follows
    /// is a name (`0x10`, `1_000`).
    ///
    /// # Errors
    /// Why not.
    pub fn reads(&self, fragment: &Fragment) -> Analysed<()> {
        self.usable()?;
        let text = fragment.text();
        let grown =
            |pair: &[u8]| pair[0].is_ascii_digit() && (pair[1].is_ascii_alphabetic() || pair[1] == b'_');
        if self.version >= 16 || !text.as_bytes().windows(2).any(grown) {
            return Ok(());
        }
        let other = |token: &parse::Token| {
            let word = text.get(token.start..token.end).unwrap_or("");
            word.starts_with(|first: char| first.is_ascii_digit())
                && word.contains(|c: char| !(c.is_ascii_digit() || ".eE+-".contains(c)))
        };
        match parse::tokens(text) {
            Ok(tokens) if !tokens.iter().any(other) => Ok(()),
            _ => undecided("a number that this version reads otherwise"),
        }
    }

    /// Whether users made operators of that name.
    pub fn has_operators(&self, name: &str) -> bool {
        self.operators.contains(name)
    }

    /// Whether users made an operator class, `schema.name USING method`.
    pub fn has_operator_class(&self, written: &str) -> bool {
        self.operator_classes.contains(written)
    }

    /// Whether users made casts from or to a type.
    pub fn has_casts(&self, of: Type) -> bool {
        !of.is_system() && !self.cast.is_empty() && {
            let written = crate::sql::qualified(of.name);
            self.cast.contains(written.as_str())
        }
    }

    /// The first object along the search_path.
    pub fn find<T>(&self, parts: &[&str], find: impl Fn(QName) -> Option<T>) -> Option<T> {
        match parts {
            [name] => self.search_path.iter().find_map(|schema| find(QName::new(*schema, *name))),
            [schema, name] => find(QName::new(*schema, *name)),
            _ => None,
        }
    }

    /// A relation by its written name.
    pub fn relation(&self, parts: &[&str]) -> Option<ObjectId> {
        self.find(parts, |name| self.catalog.relation(name))
    }

    /// The fields of a row type.
    pub fn fields(&self, of: Type) -> Analysed<Columns> {
        if let (true, Some((_, _, columns))) =
            (of.is_system() && !of.array, system_relation("", of.name.name.as_str(), self.version))
        {
            return Ok(columns);
        }
        let Some(id) = self.catalog.type_named(of.name).filter(|_| !of.array) else {
            return undecided(format!("the fields of {}", of.name));
        };
        let Some(Object::Composite(composite)) = self.catalog.get(id).map(|entry| &entry.object) else {
            return Analyser::new(self).columns(id);
        };
        let mut fields: Vec<_> = composite.fields.iter().collect();
        fields.sort_by_key(|(_, field)| field.position.0);
        fields
            .into_iter()
            .map(|(name, field)| types::of(&field.type_name).map(|(of, modifier)| (*name, of, modifier)))
            .collect()
    }
}
