//! Ranges and multiranges: which type belongs to which, and literals of them as `range_out` prints them.
//!
//! A literal is understood where its bounds can be put in order here: numbers, dates and times of four-digit years.

use crate::analyse::types::{Class, Type};
use crate::analyse::world::World;
use crate::analyse::{Analysed, constant, undecided};
use crate::ident::QName;
use crate::kinds::range::Range;
use crate::object::Object;
use std::cmp::Ordering;

/// Ranges of pg_catalog with what they are over; their multiranges.
const SYSTEM: [(&str, &str, &str); 6] = [
    ("int4range", "int4", "int4multirange"),
    ("int8range", "int8", "int8multirange"),
    ("numrange", "numeric", "nummultirange"),
    ("tsrange", "timestamp", "tsmultirange"),
    ("tstzrange", "timestamptz", "tstzmultirange"),
    ("daterange", "date", "datemultirange"),
];

/// A range type with what belongs to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Family {
    /// The range.
    pub range: Type,
    /// The type of its bounds.
    pub element: Type,
    /// The multirange over it.
    pub multirange: Type,
    /// Whether bounds are whole steps, so that equal ranges are made alike.
    discrete: bool,
    /// Whether a function of users makes equal ranges alike, or an order of their own decides.
    own: bool,
}

/// The family of a range or of a multirange.
pub fn family(world: &World<'_>, of: Type) -> Analysed<Option<Family>> {
    if of.array {
        return Ok(None);
    }
    let name = of.name.name.as_str();
    if of.is_system() {
        let found = SYSTEM.iter().find(|(range, _, multirange)| name == *range || name == *multirange);
        return Ok(found.map(|(range, element, multirange)| Family {
            range: Type::system(range),
            element: Type::system(element),
            multirange: Type::system(multirange),
            discrete: ["int4", "int8", "date"].contains(element),
            own: false,
        }));
    }
    if of.class(world)? != Class::Range {
        return Ok(None);
    }
    let found = world.catalog.type_named(of.name).and_then(|id| Some((id, world.catalog.get(id)?)));
    let Some((id, Object::Range(range))) = found.map(|(id, entry)| (id, &entry.object)) else {
        return undecided(format!("the range {} is not known", of.name));
    };
    let Some(name) = id.qname() else { return undecided("a range without a name") };
    let Range { subtype, multirange, canonical, operator_class, collation, .. } = range;
    let multirange = QName::new(name.schema, *multirange);
    Ok(Some(Family {
        range: Type { name, array: false },
        element: super::types::of(subtype)?.0,
        multirange: Type { name: multirange, array: false },
        discrete: false,
        own: canonical.is_some() || operator_class.is_some() || collation.is_some(),
    }))
}

/// The family of a range, where it is one.
pub fn of_range(world: &World<'_>, of: Type) -> Analysed<Option<Family>> {
    Ok(family(world, of)?.filter(|found| found.range == of))
}

/// The family of a multirange, where it is one.
pub fn of_multirange(world: &World<'_>, of: Type) -> Analysed<Option<Family>> {
    Ok(family(world, of)?.filter(|found| found.multirange == of))
}

/// A bound: its value as it is printed, `None` for none, and whether it is part of the range.
#[derive(Clone, Debug, PartialEq)]
struct Bound {
    value: Option<String>,
    inclusive: bool,
}

/// A literal of a range or a multirange, printed.
pub fn input(world: &World<'_>, family: &Family, of: Type, text: &str) -> Analysed<String> {
    let odd = || undecided(format!("the {} literal '{text}'", of.name.name));
    if family.own || !is_ordered(family.element) {
        return odd();
    }
    if of == family.range {
        let Some((raw, "")) = raw(text.trim_start()).map(|(raw, rest)| (raw, rest.trim())) else {
            return odd();
        };
        return match range(world, family, raw)? {
            Some(bounds) => Ok(print(&bounds)),
            None => Ok("empty".into()),
        };
    }
    let Some(inner) = text.trim().strip_prefix('{').and_then(|rest| rest.strip_suffix('}')) else {
        return odd();
    };
    let (mut rest, mut ranges) = (inner.trim(), Vec::new());
    while !rest.is_empty() {
        let Some((one, behind)) = raw(rest) else { return odd() };
        ranges.extend(range(world, family, one)?);
        let behind = behind.trim_start();
        rest = match behind.strip_prefix(',') {
            Some(more) if !more.trim().is_empty() => more.trim_start(),
            None if behind.is_empty() => behind,
            _ => return odd(),
        };
    }
    let printed: Vec<String> = merged(family, ranges).iter().map(print).collect();
    Ok(format!("{{{}}}", printed.join(",")))
}

/// What is written of a range: its bounds with whether they are part of it; none of the empty one.
type Raw = Option<[(Option<String>, bool); 2]>;

/// `range_parse`: a range at the beginning of the text, and what is behind it.
fn raw(text: &str) -> Option<(Raw, &str)> {
    if let (Some("empty"), Some(rest)) =
        (text.get(..5).map(str::to_ascii_lowercase).as_deref(), text.get(5..))
    {
        return Some((None, rest));
    }
    let lower = match text.chars().next()? {
        '[' => true,
        '(' => false,
        _ => return None,
    };
    let (from, rest) = raw_bound(&text[1..])?;
    let (to, rest) = raw_bound(rest.strip_prefix(',')?)?;
    let upper = match rest.chars().next()? {
        ']' => true,
        ')' => false,
        _ => return None,
    };
    Some((Some([(from, lower), (to, upper)]), &rest[1..]))
}

/// `range_parse_bound`.
fn raw_bound(text: &str) -> Option<(Option<String>, &str)> {
    if text.starts_with([',', ')', ']']) {
        return Some((None, text));
    }
    let (mut value, mut quoted) = (String::new(), false);
    let mut characters = text.char_indices().peekable();
    while let Some((at, c)) = characters.next() {
        match c {
            '\\' => value.push(characters.next()?.1),
            '"' if !quoted => quoted = true,
            '"' if characters.peek().is_some_and(|(_, next)| *next == '"') => {
                value.push('"');
                characters.next();
            }
            '"' => quoted = false,
            ',' | '(' | ')' | '[' | ']' if !quoted => return Some((Some(value), &text[at..])),
            _ => value.push(c),
        }
    }
    None
}

/// The bounds as they are stored; none of an empty range.
fn range(world: &World<'_>, family: &Family, raw: Raw) -> Analysed<Option<[Bound; 2]>> {
    let Some([from, to]) = raw else { return Ok(None) };
    let bound = |(value, inclusive): (Option<String>, bool)| -> Analysed<Bound> {
        let Some(value) = value else { return Ok(Bound { value: None, inclusive: false }) };
        let value = constant::input(world, family.element, &value)?;
        if value.contains("infinity") || value.contains("BC") || value == "NaN" || value.contains("Infinity")
        {
            return undecided("a bound at the end of its type");
        }
        if !is_plain(family.element, &value) {
            return undecided("a year of more than four digits as a bound");
        }
        Ok(Bound { value: Some(value), inclusive })
    };
    let (mut from, mut to) = (bound(from)?, bound(to)?);
    if let (Some(a), Some(b)) = (&from.value, &to.value) {
        match compare(family.element, a, b) {
            Ordering::Greater => return undecided("a range that ends before it begins"),
            Ordering::Equal if !(from.inclusive && to.inclusive) => return Ok(None),
            _ => {}
        }
    }
    if family.discrete {
        for (bound, inclusive) in [(&mut from, true), (&mut to, false)] {
            if let Some(value) = bound.value.take() {
                let next =
                    if bound.inclusive == inclusive { Some(value) } else { next(family.element, &value) };
                let Some(next) = next else { return undecided("a bound at the end of its type") };
                *bound = Bound { value: Some(next), inclusive };
            }
        }
        if from.value.is_some() && from.value == to.value {
            return Ok(None);
        }
    }
    Ok(Some([from, to]))
}

/// `multirange_canonicalize`: in order, those that touch each other made one.
fn merged(family: &Family, mut ranges: Vec<[Bound; 2]>) -> Vec<[Bound; 2]> {
    let of = family.element;
    let lower = |a: &Bound, b: &Bound| match (&a.value, &b.value) {
        (None, None) => Ordering::Equal,
        (None, _) => Ordering::Less,
        (_, None) => Ordering::Greater,
        (Some(x), Some(y)) => compare(of, x, y).then(b.inclusive.cmp(&a.inclusive)),
    };
    let upper = |a: &Bound, b: &Bound| match (&a.value, &b.value) {
        (None, None) => Ordering::Equal,
        (None, _) => Ordering::Greater,
        (_, None) => Ordering::Less,
        (Some(x), Some(y)) => compare(of, x, y).then(a.inclusive.cmp(&b.inclusive)),
    };
    ranges.sort_by(|a, b| lower(&a[0], &b[0]).then_with(|| upper(&a[1], &b[1])));
    let mut found: Vec<[Bound; 2]> = Vec::new();
    for one in ranges {
        let touches = |last: &[Bound; 2]| match (&last[1].value, &one[0].value) {
            (Some(end), Some(begin)) => match compare(of, end, begin) {
                Ordering::Greater => true,
                Ordering::Equal => last[1].inclusive || one[0].inclusive,
                Ordering::Less => false,
            },
            _ => true,
        };
        match found.last_mut() {
            Some(last) if touches(last) => {
                if upper(&one[1], &last[1]) == Ordering::Greater {
                    last[1] = one[1].clone();
                }
            }
            _ => found.push(one),
        }
    }
    found
}

/// `range_deparse`.
fn print(bounds: &[Bound; 2]) -> String {
    let [from, to] = bounds;
    // No value that can be put in order here holds a quote.
    let value = |bound: &Bound| match &bound.value {
        None => String::new(),
        Some(value) if value.contains(' ') => format!("\"{value}\""),
        Some(value) => value.clone(),
    };
    let (open, close) = (if from.inclusive { '[' } else { '(' }, if to.inclusive { ']' } else { ')' });
    format!("{open}{},{}{close}", value(from), value(to))
}

/// Whether values of the type can be put in order as they are printed.
fn is_ordered(of: Type) -> bool {
    ["int2", "int4", "int8", "numeric", "date", "timestamp", "timestamptz"].iter().any(|name| of.is(name))
}

fn is_number(of: Type) -> bool {
    ["int2", "int4", "int8", "numeric"].iter().any(|name| of.is(name))
}

fn is_plain(of: Type, value: &str) -> bool {
    is_number(of) || value.as_bytes().get(4) == Some(&b'-')
}

/// Numbers by their digits, dates and times of four-digit years by their text.
fn compare(of: Type, a: &str, b: &str) -> Ordering {
    if !is_number(of) {
        return a.cmp(b);
    }
    let size = |text: &str| {
        let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
        (whole.len(), whole.to_owned(), fraction.trim_end_matches('0').to_owned())
    };
    match (a.strip_prefix('-'), b.strip_prefix('-')) {
        (None, None) => size(a).cmp(&size(b)),
        (Some(a), Some(b)) => size(b).cmp(&size(a)),
        (Some(_), None) => Ordering::Less,
        (None, Some(_)) => Ordering::Greater,
    }
}

/// The next value of a type that has one.
fn next(of: Type, value: &str) -> Option<String> {
    if of.is("date") {
        return super::moment::day_after(value);
    }
    let next = value.parse::<i64>().ok()?.checked_add(1)?;
    (of.is("int8") || i32::try_from(next).is_ok()).then(|| next.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::Catalog;

    fn printed(of: &str, text: &str) -> Option<String> {
        let catalog = Catalog::default();
        let world = World::new(&catalog, &catalog, &[], 18, true);
        let of = Type::system(of);
        input(&world, &family(&world, of).ok()??, of, text).ok()
    }

    #[test]
    fn ranges_are_printed_in_one_form() {
        for (of, text, stored) in [
            ("int4range", "[1,10)", "[1,10)"),
            ("int4range", " ( 1 , 10 ] ", "[2,11)"),
            ("int4range", "(1,2)", "empty"),
            ("int4range", "[3,3]", "[3,4)"),
            ("int4range", "Empty", "empty"),
            ("int4range", "[,5]", "(,6)"),
            ("int4range", "(,)", "(,)"),
            ("numrange", "[1.50,2]", "[1.50,2]"),
            ("numrange", "[-2,-1.5)", "[-2,-1.5)"),
            ("numrange", "(1,1]", "empty"),
            ("daterange", "[2024-02-28,2024-02-28]", "[2024-02-28,2024-02-29)"),
            ("tsrange", "[2024-01-01,)", "[\"2024-01-01 00:00:00\",)"),
            ("int4multirange", "{}", "{}"),
            ("int4multirange", "{[5,7), [1,2],(2,5)}", "{[1,7)}"),
            ("nummultirange", "{[1,2),(2,3]}", "{[1,2),(2,3]}"),
            ("nummultirange", "{[1,2],(2,3]}", "{[1,3]}"),
            ("nummultirange", "{empty,(,1)}", "{(,1)}"),
        ] {
            assert_eq!(printed(of, text).as_deref(), Some(stored), "{text}");
        }
        for (of, text) in [
            ("int4range", "[2,1]"),
            ("int4range", "[1,2147483647]"),
            ("int4range", "[1,2"),
            ("int4range", "[1,2)x"),
            ("int4range", "1,2"),
            ("int4multirange", "{[1,2),}"),
            ("int4multirange", "{[1,2)"),
            ("numrange", "[a,b]"),
        ] {
            assert_eq!(printed(of, text), None, "{text}");
        }
    }
}
