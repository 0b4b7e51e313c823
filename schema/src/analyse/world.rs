//! What names mean: the desired catalog, the search_path, and what users added to PostgreSQL's own operators and casts.

use crate::analyse::coerce::{self, Context};
use crate::analyse::expression::Analyser;
use crate::analyse::from::system_relation;
use crate::analyse::select::Columns;
use crate::analyse::types::{self, Class, Type};
use crate::analyse::{Analysed, undecided};
use crate::catalog::{Catalog, Entry};
use crate::fragment::Fragment;
use crate::id::ObjectId;
use crate::ident::{Ident, QName};
use crate::object::{Kind, Object};
use crate::parse;
use crate::type_name::TypeName;
use std::collections::{HashMap, HashSet};

/// Extensions of which a type has their own name, with the types that are cast to it on assignment alone.
const ASSIGNED: [(&str, &[&str]); 2] =
    [("citext", &["text", "varchar", "bpchar", "bool", "inet"]), ("hstore", &["_text"])];

/// Where names are looked up.
#[derive(Debug)]
pub struct World<'a> {
    /// The database as it shall be.
    pub catalog: &'a Catalog,
    /// The project's search_path; pg_catalog comes before it.
    pub search_path: &'a [Ident],
    /// The server's major version.
    pub version: u32,
    /// Operators that users made by their names, each with its operands as `left,right`: a name in here may mean one of
    /// theirs.
    operators: HashMap<&'static str, Vec<&'static str>>,
    /// Operator classes that users or extensions made, as `schema.name USING method`.
    operator_classes: HashSet<&'static str>,
    /// Types that have casts which users made, as `schema.name`.
    cast: HashSet<&'static str>,
    /// These casts, each from one type to another.
    casts: Vec<(&'static str, &'static str)>,
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
            operators: HashMap::new(),
            operator_classes: HashSet::new(),
            cast: HashSet::new(),
            casts: Vec::new(),
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
            if let Some(class) = name.strip_prefix("operator class ") {
                world.operator_classes.insert(class);
            } else if let Some(operator) = name.strip_prefix("operator ") {
                let (head, operands) = operator.rsplit_once('(').unwrap_or((operator, ""));
                let start = head.trim_end_matches(|c| "+-*/<>=~!@#%^&|`?".contains(c)).len();
                world.operators.entry(&head[start..]).or_default().push(operands.trim_end_matches(')'));
            } else if let Some(cast) = name.strip_prefix("cast ") {
                let inner = cast.trim_start_matches('(').trim_end_matches(')');
                let sides = inner.split(" AS ");
                world.casts.push(inner.split_once(" AS ").unwrap_or((inner, inner)));
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
        self.operators.contains_key(name)
    }

    /// Whether an operator that users made may be meant between operands of such types, of which those of no type may be
    /// anything.
    pub fn may_have_operator(&self, name: &str, inputs: &[Type]) -> bool {
        let Some(known) = self.operators.get(name) else { return false };
        if inputs.iter().all(|of| of.is_unknown()) {
            return true;
        }
        known.iter().any(|operands| {
            let (left, right) = operands.split_once(',').unwrap_or(("", operands));
            let prefix = left == "NONE";
            let operands: Vec<&str> = [left, right].into_iter().skip(usize::from(prefix)).collect();
            // What cannot be taken apart may be anything.
            operands.len() == inputs.len()
                && inputs.iter().zip(&operands).all(|(input, operand)| self.may_become(*input, operand))
        })
    }

    /// Whether a value of a type may be taken, by itself, as what an operator of users takes.
    fn may_become(&self, input: Type, operand: &str) -> bool {
        let Ok(operand) = TypeName::parse(operand) else { return true };
        let Some(name) = operand.qname() else { return true };
        let operand = Type { name, array: operand.is_array() };
        let base = |of: Type| of.base(-1, self).map_or(of, |(base, _)| base);
        let (from, to) = (base(input), base(operand));
        if input.is_unknown() || from == to || to.is_polymorphic() || to.is("any") {
            return true;
        }
        let (from, to) = match (from.element(), to.element()) {
            (Some(from), Some(to)) => (base(from), base(to)),
            _ => (from, to),
        };
        let means = |written: &str, of: Type| match TypeName::parse(written) {
            Ok(own) => own.qname().is_none_or(|name| base(Type { name, array: own.is_array() }) == of),
            Err(_) => true,
        };
        let by_users = !self.is_assigned(from, to)
            && self.casts.iter().any(|(source, target)| means(source, from) && means(target, to));
        let row = |of: Type| !matches!(of.class(self), Ok(class) if class != Class::Row) || of.is("record");
        let known = |of: Type| {
            let of = of.element().unwrap_or(of);
            of.is_system() || matches!(of.class(self), Ok(Class::Enum | Class::Range | Class::Other))
        };
        let by_system = from.is_system() && to.is_system();
        from == to
            || by_users
            || row(from) && row(to)
            || !known(from)
            || !known(to)
            || by_system && coerce::can_coerce(self, from, to, Context::Implicit).unwrap_or(true)
    }

    /// Whether a cast is an extension's that does not happen by itself.
    fn is_assigned(&self, from: Type, to: Type) -> bool {
        let known = ASSIGNED.iter().find(|(name, _)| to.name.name.as_str() == *name && !to.array);
        let Some((name, _)) = known.filter(|(_, sources)| sources.iter().any(|name| from.is(name))) else {
            return false;
        };
        let id = ObjectId::global(Kind::Extension, Ident::new(name));
        let of_extension = |entry: &Entry| match &entry.object {
            Object::Extension(extension) => extension.schema == Some(to.name.schema),
            _ => false,
        };
        self.catalog.get(id).is_some_and(of_extension)
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
