//! Which built-in types PostgreSQL converts by itself when a column's type changes.
//!
//! Everything converts to a string type by assignment; the rest is pg_cast's rows of context `i` and `a` (PostgreSQL
//! 15; later versions add none among these types that a column can have). Where there is none, `ALTER COLUMN … TYPE`
//! needs a USING.

use crate::type_name::TypeName;

/// Whether values are converted by assignment, so that no USING is needed.
pub fn assigns(old: &TypeName, new: &TypeName) -> bool {
    if old.is_array() != new.is_array() || !old.is_system() || !new.is_system() {
        // Anything can be written as a string.
        return !new.is_array() && new.is_system() && is_string(new.name().as_str());
    }
    let (old, new) = (old.name().as_str(), new.name().as_str());
    old == new || is_string(new) || CASTS.binary_search(&(old, new)).is_ok()
}

/// Whether a cast that must be asked for leads from one of PostgreSQL's own types to another. Where none does, a value
/// gets across by its text only.
pub fn casts(old: &TypeName, new: &TypeName) -> bool {
    let textual = |type_name: &TypeName| !type_name.is_array() && is_string(type_name.name().as_str());
    if textual(old) || textual(new) {
        return true;
    }
    // Arrays convert as their elements do.
    let (from, to) = (old.name().as_str(), new.name().as_str());
    old.is_array() == new.is_array()
        && (from == to
            || is_string(from)
            || is_string(to)
            || CASTS.binary_search(&(from, to)).is_ok()
            || EXPLICIT.contains(&(from, to)))
}

/// The rows of pg_cast of context `e`, among types that columns have (PostgreSQL 14; later versions only add to them).
const EXPLICIT: &[(&str, &str)] = &[
    ("bit", "int4"),
    ("bit", "int8"),
    ("bool", "int4"),
    ("box", "circle"),
    ("box", "lseg"),
    ("box", "point"),
    ("char", "int4"),
    ("circle", "box"),
    ("circle", "point"),
    ("circle", "polygon"),
    ("int4", "bit"),
    ("int4", "bool"),
    ("int4", "char"),
    ("int8", "bit"),
    ("jsonb", "bool"),
    ("jsonb", "float4"),
    ("jsonb", "float8"),
    ("jsonb", "int2"),
    ("jsonb", "int4"),
    ("jsonb", "int8"),
    ("jsonb", "numeric"),
    ("lseg", "point"),
    ("polygon", "box"),
    ("polygon", "circle"),
    ("polygon", "point"),
];

fn is_string(name: &str) -> bool {
    matches!(name, "text" | "varchar" | "bpchar")
}

/// Sorted.
const CASTS: &[(&str, &str)] = &[
    ("bit", "varbit"),
    ("box", "polygon"),
    ("bpchar", "char"),
    ("bpchar", "name"),
    ("cidr", "inet"),
    ("date", "timestamp"),
    ("date", "timestamptz"),
    ("float4", "float8"),
    ("float4", "int2"),
    ("float4", "int4"),
    ("float4", "int8"),
    ("float4", "numeric"),
    ("float8", "float4"),
    ("float8", "int2"),
    ("float8", "int4"),
    ("float8", "int8"),
    ("float8", "numeric"),
    ("inet", "cidr"),
    ("int2", "float4"),
    ("int2", "float8"),
    ("int2", "int4"),
    ("int2", "int8"),
    ("int2", "numeric"),
    ("int2", "oid"),
    ("int4", "float4"),
    ("int4", "float8"),
    ("int4", "int2"),
    ("int4", "int8"),
    ("int4", "money"),
    ("int4", "numeric"),
    ("int4", "oid"),
    ("int8", "float4"),
    ("int8", "float8"),
    ("int8", "int2"),
    ("int8", "int4"),
    ("int8", "money"),
    ("int8", "numeric"),
    ("int8", "oid"),
    ("interval", "time"),
    ("json", "jsonb"),
    ("jsonb", "json"),
    ("macaddr", "macaddr8"),
    ("macaddr8", "macaddr"),
    ("money", "numeric"),
    ("numeric", "float4"),
    ("numeric", "float8"),
    ("numeric", "int2"),
    ("numeric", "int4"),
    ("numeric", "int8"),
    ("numeric", "money"),
    ("oid", "int4"),
    ("oid", "int8"),
    ("path", "polygon"),
    ("point", "box"),
    ("polygon", "path"),
    ("text", "char"),
    ("text", "name"),
    ("time", "interval"),
    ("time", "timetz"),
    ("timestamp", "date"),
    ("timestamp", "time"),
    ("timestamp", "timestamptz"),
    ("timestamptz", "date"),
    ("timestamptz", "time"),
    ("timestamptz", "timestamp"),
    ("timestamptz", "timetz"),
    ("timetz", "time"),
    ("varbit", "bit"),
    ("varchar", "char"),
    ("varchar", "name"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn casts_that_must_be_asked_for_are_known() {
        let of = |text: &str| TypeName::parse(text).expect("a type");
        for (old, new) in [("text", "uuid"), ("int", "boolean"), ("text[]", "int[]"), ("jsonb", "int")] {
            assert!(casts(&of(old), &of(new)), "{old} to {new}");
        }
        for (old, new) in [("jsonb", "uuid"), ("bigint", "timestamp"), ("int", "int[]"), ("date", "int")] {
            assert!(!casts(&of(old), &of(new)), "{old} to {new}");
        }
    }

    #[test]
    fn assignment_is_known_for_common_changes() {
        let of = |text: &str| TypeName::parse(text).expect("a type");
        assert!(CASTS.is_sorted());
        for (old, new) in [
            ("int", "bigint"),
            ("bigint", "int"),
            ("text", "varchar(5)"),
            ("uuid", "text"),
            ("date", "timestamptz"),
        ] {
            assert!(assigns(&of(old), &of(new)), "{old} to {new}");
        }
        for (old, new) in
            [("text", "int"), ("text", "uuid"), ("int", "boolean"), ("text", "app.mood"), ("text", "jsonb")]
        {
            assert!(!assigns(&of(old), &of(new)), "{old} to {new}");
        }
    }
}
