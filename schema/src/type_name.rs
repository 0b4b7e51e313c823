//! The name of a type, as PostgreSQL's grammar reads it.
//!
//! `int`, `integer`, `int4` and `pg_catalog.int4` are one name; `character(1)` and `char` too. That much needs no
//! server: the grammar itself turns the spellings of the standard into names of pg_catalog. A name without a schema
//! that is no built-in type is resolved by `bind`.

use crate::ident::{Ident, QName, Text};
use crate::parse::{self, SyntaxError};
use crate::span::Span;
use crate::sql;
use crate::tree::Tree;
use std::collections::HashMap;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::{LazyLock, Mutex, PoisonError};

/// A type with its modifiers and array dimensions.
#[derive(Clone, Copy)]
pub struct TypeName {
    schema: Option<Ident>,
    name: Ident,
    modifiers: Text,
    array: bool,
    text: Text,
    canonical: Text,
    place: Option<Span>,
}

static PARSED: LazyLock<Mutex<HashMap<Text, TypeName>>> = LazyLock::new(|| Mutex::new(HashMap::new()));

impl TypeName {
    /// Reads a type's name; each distinct text is parsed once.
    ///
    /// # Errors
    /// A syntax error with its offset in the text.
    pub fn parse(text: &str) -> Result<Self, SyntaxError> {
        let key = Text::new(text.trim());
        if let Some(known) = PARSED.lock().unwrap_or_else(PoisonError::into_inner).get(&key) {
            return Ok(*known);
        }
        let cast = parse::statement(&format!("SELECT NULL::{}\n", key.as_str())).map_err(|error| {
            SyntaxError { offset: error.offset.map(|offset| offset.saturating_sub(13)), ..error }
        })?;
        let tree = match cast.get("target_list").items() {
            [target] if cast.children().len() <= 3 && target.get("name").is_nothing() => {
                target.get("val").get("type_name").clone()
            }
            _ => Tree::Nothing,
        };
        if tree.name() != "TypeName" {
            return Err(SyntaxError {
                message: format!("\"{text}\" is not the name of a type"),
                offset: Some(0),
            });
        }
        let type_name = Self::from_tree(&tree, key.as_str());
        PARSED.lock().unwrap_or_else(PoisonError::into_inner).insert(key, type_name);
        Ok(type_name)
    }

    /// A type from its node; `text` is how it was written.
    pub fn from_tree(tree: &Tree, text: &str) -> Self {
        let names = tree.get("names").strings();
        let (schema, name) = match names.as_slice() {
            [.., schema, name] => (Some(Ident::new(schema)), Ident::new(name)),
            [name] => (None, Ident::new(name)),
            [] => (None, Ident::new("")),
        };
        let element = name.as_str().strip_prefix('_').unwrap_or(name.as_str());
        let built_in = is_built_in(name.as_str()) || is_built_in(element);
        let schema = schema.or_else(|| built_in.then(|| Ident::new("pg_catalog")));
        let (name, array) = match (schema.map(Ident::as_str), name.as_str().strip_prefix('_')) {
            (Some("pg_catalog"), Some(element)) if is_built_in(element) => (Ident::new(element), true),
            _ => (name, !tree.get("array_bounds").is_nothing()),
        };
        let mut modifiers: Vec<String> = tree.get("typmods").items().iter().map(modifier).collect();
        if name.as_str() == "numeric" && modifiers.len() == 1 {
            modifiers.push("0".into());
        }
        let modifiers = Text::new(&modifiers.join(","));
        let percent = if tree.get("pct_type").flag() { "%TYPE" } else { "" };
        Self::assemble(schema, name, modifiers, array, Text::new(&format!("{}{percent}", text.trim())))
    }

    fn assemble(schema: Option<Ident>, name: Ident, modifiers: Text, array: bool, written: Text) -> Self {
        let mut canonical = schema.map_or(String::new(), |schema| format!("{}.", sql::quoted(schema)));
        canonical.push_str(sql::quoted(name));
        if !modifiers.is_empty() {
            canonical.push_str(&format!("({modifiers})"));
        }
        if array {
            canonical.push_str("[]");
        }
        let canonical = Text::new(&canonical);
        // What people wrote stays for built-in types; the rest is spelled out so that it means the same everywhere.
        let user = schema.is_some_and(|schema| schema.as_str() != "pg_catalog");
        Self {
            schema,
            name,
            modifiers,
            array,
            text: if user { canonical } else { written },
            canonical,
            place: None,
        }
    }

    /// A type by its qualified name.
    pub fn of(name: QName) -> Self {
        let bare = Text::new("");
        Self::assemble(Some(name.schema), name.name, bare, false, Text::new(&sql::qualified(name)))
    }

    /// The same type in another schema or with another name, modifiers and dimensions kept.
    #[must_use]
    pub fn renamed(&self, name: QName) -> Self {
        Self::assemble(Some(name.schema), name.name, self.modifiers, self.array, self.text)
    }

    /// The same type without modifiers, as routines are identified.
    #[must_use]
    pub fn without_modifiers(&self) -> Self {
        if self.modifiers.is_empty() {
            return *self;
        }
        let mut bare = Self::assemble(self.schema, self.name, Text::new(""), self.array, self.canonical);
        bare.text = bare.canonical;
        bare
    }

    /// The same type, which a person wrote there.
    #[must_use]
    pub fn located(self, place: Span) -> Self {
        Self { place: Some(place), ..self }
    }

    /// Where a person wrote it, if one did. It plays no part in equality.
    pub fn place(&self) -> Option<Span> {
        self.place
    }

    /// How it is written in SQL.
    pub fn text(&self) -> Text {
        self.text
    }

    /// What is compared: `pg_catalog.int4`, `extensions.vector(1536)`, `public.mood[]`.
    pub fn canonical(&self) -> Text {
        self.canonical
    }

    /// The type's qualified name, unless it still has to be resolved.
    pub fn qname(&self) -> Option<QName> {
        self.schema.map(|schema| QName::new(schema, self.name))
    }

    /// The type's own name.
    pub fn name(&self) -> Ident {
        self.name
    }

    /// The modifiers, canonical: `1536`, `12,2`, or nothing.
    pub fn modifiers(&self) -> Text {
        self.modifiers
    }

    /// Whether it is an array.
    pub fn is_array(&self) -> bool {
        self.array
    }

    /// Whether PostgreSQL itself brings it.
    pub fn is_system(&self) -> bool {
        self.schema.is_some_and(|schema| schema.as_str() == "pg_catalog")
    }
}

impl PartialEq for TypeName {
    fn eq(&self, other: &Self) -> bool {
        self.canonical == other.canonical
    }
}

impl Eq for TypeName {}

impl Hash for TypeName {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.canonical.hash(state);
    }
}

impl fmt::Debug for TypeName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.canonical.as_str())
    }
}

impl fmt::Display for TypeName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text.as_str())
    }
}

fn modifier(tree: &Tree) -> String {
    match tree.name() {
        "AConst" => {
            let value = tree.get("val");
            match value.name() {
                "Integer" => value.get("ival").int().to_string(),
                "Float" => value.get("fval").str().to_owned(),
                _ => sql::literal(value.get("sval").str()),
            }
        }
        "ColumnRef" => tree.get("fields").strings().join("."),
        _ => "?".into(),
    }
}

/// Whether PostgreSQL has a type of that name in pg_catalog (14 to 18), which unqualified names find first.
pub fn is_built_in(name: &str) -> bool {
    BUILT_IN.binary_search(&name).is_ok()
}

/// The names of those types, sorted.
pub fn built_in() -> impl Iterator<Item = &'static str> {
    BUILT_IN.iter().copied()
}

/// From pg_type: base, range, multirange and pseudo types of pg_catalog; sorted.
const BUILT_IN: &[&str] = &[
    "aclitem",
    "any",
    "anyarray",
    "anycompatible",
    "anycompatiblearray",
    "anycompatiblemultirange",
    "anycompatiblenonarray",
    "anycompatiblerange",
    "anyelement",
    "anyenum",
    "anymultirange",
    "anynonarray",
    "anyrange",
    "bit",
    "bool",
    "box",
    "bpchar",
    "bytea",
    "char",
    "cid",
    "cidr",
    "circle",
    "cstring",
    "date",
    "datemultirange",
    "daterange",
    "event_trigger",
    "fdw_handler",
    "float4",
    "float8",
    "gtsvector",
    "index_am_handler",
    "inet",
    "int2",
    "int2vector",
    "int4",
    "int4multirange",
    "int4range",
    "int8",
    "int8multirange",
    "int8range",
    "internal",
    "interval",
    "json",
    "jsonb",
    "jsonpath",
    "language_handler",
    "line",
    "lseg",
    "macaddr",
    "macaddr8",
    "money",
    "name",
    "numeric",
    "nummultirange",
    "numrange",
    "oid",
    "oid8",
    "oidvector",
    "path",
    "pg_brin_bloom_summary",
    "pg_brin_minmax_multi_summary",
    "pg_ddl_command",
    "pg_dependencies",
    "pg_lsn",
    "pg_mcv_list",
    "pg_ndistinct",
    "pg_node_tree",
    "pg_snapshot",
    "point",
    "polygon",
    "record",
    "refcursor",
    "regclass",
    "regcollation",
    "regconfig",
    "regdictionary",
    "regnamespace",
    "regoper",
    "regoperator",
    "regproc",
    "regprocedure",
    "regrole",
    "regtype",
    "table_am_handler",
    "text",
    "tid",
    "time",
    "timestamp",
    "timestamptz",
    "timetz",
    "trigger",
    "tsm_handler",
    "tsmultirange",
    "tsquery",
    "tsrange",
    "tstzmultirange",
    "tstzrange",
    "tsvector",
    "txid_snapshot",
    "unknown",
    "uuid",
    "varbit",
    "varchar",
    "void",
    "xid",
    "xid8",
    "xml",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_of_one_type_are_one_type() {
        for (a, b) in [
            ("int", "integer"),
            ("int4", "pg_catalog.int4"),
            ("varchar(500)", "character varying(500)"),
            ("timestamptz(3)", "timestamp(3) with time zone"),
            ("char", "character(1)"),
            ("numeric(5)", "numeric(5,0)"),
            ("text[]", "text[3][]"),
            ("_text", "text[]"),
            ("float8", "double precision"),
            ("decimal(12, 2)", "numeric(12,2)"),
            ("extensions.vector(1536)", "\"extensions\".vector( 1536 )"),
        ] {
            assert_eq!(TypeName::parse(a).expect(a), TypeName::parse(b).expect(b));
        }
    }

    #[test]
    fn different_types_stay_different() {
        for (a, b) in [
            ("varchar(5)", "varchar(6)"),
            ("varchar", "text"),
            ("char", "\"char\""),
            ("timestamp", "timestamptz"),
            ("a.mood", "b.mood"),
            ("interval day to second", "interval"),
            ("text", "text[]"),
        ] {
            assert_ne!(TypeName::parse(a).expect(a), TypeName::parse(b).expect(b));
        }
    }

    #[test]
    fn the_list_is_sorted() {
        assert!(BUILT_IN.is_sorted());
    }
}
