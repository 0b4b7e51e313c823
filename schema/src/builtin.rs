//! The names that PostgreSQL itself has: its functions.
//!
//! `analyse/system/functions.txt` holds those of pg_catalog on PostgreSQL 14 to 18 that analysis knows, the name first on a
//! line; `builtin_rest.txt` holds the names of all others, such as the input functions of types. Not here: what the functions take and give (`analyse`), types (`type_name`), and what extensions bring.

use std::sync::LazyLock;

static FUNCTIONS: LazyLock<Vec<&'static str>> = LazyLock::new(|| {
    let lines =
        include_str!("analyse/system/functions.txt").lines().filter_map(|line| line.split('\t').next());
    let mut names: Vec<&str> = lines.chain(include_str!("builtin_rest.txt").lines()).collect();
    names.sort_unstable();
    names.dedup();
    names
});

/// The names of the functions of pg_catalog on any supported version, sorted.
pub fn functions() -> impl Iterator<Item = &'static str> {
    FUNCTIONS.iter().copied()
}

/// Whether some supported version has a function of that name in pg_catalog.
#[must_use]
pub fn is_function(name: &str) -> bool {
    FUNCTIONS.binary_search(&name).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_sorted_and_whole() {
        assert!(functions().zip(functions().skip(1)).all(|(one, next)| one < next));
        assert!(["now", "lower", "jsonb_build_object", "uuidv7", "int4_sum"].into_iter().all(is_function));
        assert!(!is_function("") && !is_function("is_okay"));
    }
}
