//! What PostgreSQL brings itself: types, casts, operators, functions, operator classes and relations of 14 to 18.
//!
//! The files in `system/` are written from live servers by `cargo run -p schemac-tests --bin system`. Each is taken
//! apart once, when something in it is first looked up, so that a run that needs none of them pays nothing.

use std::collections::HashMap;
use std::sync::LazyLock;

static TYPES: Lines = LazyLock::new(|| apart(include_str!("system/types.txt")));
static CASTS: Lines = LazyLock::new(|| apart(include_str!("system/casts.txt")));
static OPERATORS: Lines = LazyLock::new(|| apart(include_str!("system/operators.txt")));
static FUNCTIONS: Lines = LazyLock::new(|| apart(include_str!("system/functions.txt")));
static OPCLASSES: Lines = LazyLock::new(|| apart(include_str!("system/opclasses.txt")));
static RELATIONS: Lines = LazyLock::new(|| apart(include_str!("system/relations.txt")));

/// The lines of a file by their first field: the versions that have each, one bit from 14 on, and its other fields.
type Lines = LazyLock<HashMap<&'static str, Vec<(u32, Vec<&'static str>)>>>;

fn apart(text: &'static str) -> HashMap<&'static str, Vec<(u32, Vec<&'static str>)>> {
    let mut lines: HashMap<&'static str, Vec<(u32, Vec<&'static str>)>> = HashMap::new();
    for line in text.lines() {
        let fields = line.split_once('\t').and_then(|(key, rest)| Some((key, rest.rsplit_once('\t')?)));
        if let Some((key, (fields, versions))) = fields {
            let versions = versions.parse().unwrap_or(0);
            lines.entry(key).or_default().push((versions, fields.split('\t').collect()));
        }
    }
    lines
}

/// The lines whose first field is `key`, each without it, of those that the version has.
fn lines(lines: &'static Lines, key: &str, version: u32) -> impl Iterator<Item = &'static [&'static str]> {
    let bit = 1_u32 << version.saturating_sub(14).min(31);
    let found = lines.get(key).map_or(&[][..], Vec::as_slice).iter();
    found.filter(move |(versions, _)| versions & bit != 0).map(|(_, fields)| fields.as_slice())
}

/// A type of pg_catalog.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SystemType {
    /// `typtype`: b, r, m or p.
    pub kind: char,
    /// `typcategory`.
    pub category: char,
    /// `typispreferred`.
    pub preferred: bool,
    /// Whether there are arrays of it.
    pub has_array: bool,
    /// Whether its values have a collation.
    pub collatable: bool,
}

/// The type of that name.
pub fn type_named(name: &str, version: u32) -> Option<SystemType> {
    let fields = lines(&TYPES, name, version).next()?;
    let letter = |place: usize| fields.get(place).and_then(|field| field.chars().next()).unwrap_or(' ');
    Some(SystemType {
        kind: letter(0),
        category: letter(1),
        preferred: letter(2) == '1',
        has_array: letter(3) == '1',
        collatable: letter(4) == '1',
    })
}

/// A cast between two types: its context (i, a, e) and method (f, i, b).
pub fn cast(source: &str, target: &str, version: u32) -> Option<(char, char)> {
    lines(&CASTS, source, version)
        .find(|fields| fields.first() == Some(&target))
        .and_then(|fields| Some((fields.get(1)?.chars().next()?, fields.get(2)?.chars().next()?)))
}

/// An operator: the types of its sides (`-` for none) and of its result.
#[derive(Clone, Copy, Debug)]
pub struct SystemOperator {
    /// Left.
    pub left: &'static str,
    /// Right.
    pub right: &'static str,
    /// Result.
    pub result: &'static str,
}

/// The operators of that name.
pub fn operators(name: &str, version: u32) -> impl Iterator<Item = SystemOperator> {
    lines(&OPERATORS, name, version).filter_map(|fields| match *fields {
        [left, right, result] => Some(SystemOperator { left, right, result }),
        _ => None,
    })
}

/// A function.
#[derive(Clone, Debug)]
pub struct SystemFunction {
    /// The types of its arguments.
    pub arguments: Vec<&'static str>,
    /// The type of its result.
    pub result: &'static str,
    /// `prokind`: f, a, w, p.
    pub kind: char,
    /// How many of its last arguments may be left out.
    pub defaults: usize,
    /// The element type of a VARIADIC last argument.
    pub variadic: Option<&'static str>,
    /// What it returns by OUT arguments: names and types.
    pub out: Vec<(&'static str, &'static str)>,
    /// The names of its arguments, where all have some.
    pub names: Vec<&'static str>,
}

/// The functions of that name.
pub fn functions(name: &str, version: u32) -> impl Iterator<Item = SystemFunction> {
    lines(&FUNCTIONS, name, version).filter_map(|fields| match *fields {
        [arguments, result, kind, _, defaults, variadic, out, names] => Some(SystemFunction {
            arguments: arguments.split(' ').filter(|name| !name.is_empty()).collect(),
            result,
            kind: kind.chars().next()?,
            defaults: defaults.parse().ok()?,
            variadic: (variadic != "-").then_some(variadic),
            out: out.split(',').filter_map(|one| one.rsplit_once(' ')).collect(),
            names: names.split(' ').filter(|name| *name != "-").collect(),
        }),
        _ => None,
    })
}

/// The operator classes of an access method: name, type, whether it is the type's default.
pub fn operator_classes(
    method: &str,
    version: u32,
) -> impl Iterator<Item = (&'static str, &'static str, bool)> {
    lines(&OPCLASSES, method, version).filter_map(|fields| match *fields {
        [name, of, default] => Some((name, of, default == "1")),
        _ => None,
    })
}

/// A relation: whether it is a table, and its columns with their types and modifiers. One of the information schema is
/// called by both of its names.
pub fn relation(name: &str, version: u32) -> Option<(bool, Columns)> {
    let [kind, columns] = lines(&RELATIONS, name, version).next()? else { return None };
    let column = |text: &'static str| {
        let mut parts = text.split(' ');
        let (name, of) = (parts.next()?, parts.next()?);
        Some((name, of, parts.next().map_or(Some(-1), |modifier| modifier.parse().ok())?))
    };
    Some((*kind == "r", columns.split(',').map(column).collect::<Option<_>>()?))
}

/// Columns: names, types, modifiers.
pub type Columns = Vec<(&'static str, &'static str, i32)>;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_is_found_by_its_first_field() {
        for (text, taken) in [
            (include_str!("system/types.txt"), &TYPES),
            (include_str!("system/casts.txt"), &CASTS),
            (include_str!("system/operators.txt"), &OPERATORS),
            (include_str!("system/functions.txt"), &FUNCTIONS),
            (include_str!("system/opclasses.txt"), &OPCLASSES),
            (include_str!("system/relations.txt"), &RELATIONS),
        ] {
            let keys: std::collections::BTreeSet<&str> =
                text.lines().filter_map(|line| line.split('\t').next()).collect();
            for key in keys {
                let of_18 = text.lines().filter(|line| {
                    let last = line.rsplit('\t').next().and_then(|number| number.parse::<u32>().ok());
                    line.split('\t').next() == Some(key) && last.unwrap_or(0) & 16 != 0
                });
                assert_eq!(lines(taken, key, 18).count(), of_18.count(), "{key}");
            }
        }
        assert!(type_named("int4", 14).is_some_and(|found| found.category == 'N' && !found.preferred));
        assert!(type_named("nothing", 14).is_none());
        assert_eq!(cast("int4", "numeric", 14), Some(('i', 'f')));
    }

    #[test]
    fn versions_differ() {
        assert!(functions("any_value", 15).next().is_none());
        assert!(functions("any_value", 16).next().is_some());
    }
}
