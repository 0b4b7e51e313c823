//! Constants: what a type's input function makes of a literal, as its output function prints it.
//!
//! Only what is sure. A literal whose meaning depends on what no session fixes (a time zone by its name, today) is
//! undecided.

use crate::analyse::from::system_relation;
use crate::analyse::types::{self, Class, Type};
use crate::analyse::world::World;
use crate::analyse::{Analysed, float, interval, json, jsonpath, list, moment, range, search, undecided};
use crate::names;
use crate::object::Object;
use crate::sql;
use crate::type_name::TypeName;

/// The text search configurations that every version has in pg_catalog, where names are looked up first.
const CONFIGURATIONS: [&str; 29] = [
    "arabic",
    "armenian",
    "basque",
    "catalan",
    "danish",
    "dutch",
    "english",
    "finnish",
    "french",
    "german",
    "greek",
    "hindi",
    "hungarian",
    "indonesian",
    "irish",
    "italian",
    "lithuanian",
    "nepali",
    "norwegian",
    "portuguese",
    "romanian",
    "russian",
    "serbian",
    "simple",
    "spanish",
    "swedish",
    "tamil",
    "turkish",
    "yiddish",
];

/// What a literal of a type is printed as, without quotes.
pub fn input(world: &World<'_>, of: Type, text: &str) -> Analysed<String> {
    let class = of.class(world)?;
    if of.array {
        return list::input(world, of, text);
    }
    if class == Class::Enum {
        let known = world.catalog.type_named(of.name).and_then(|id| world.catalog.get(id));
        let is_label = matches!(known.map(|entry| &entry.object), Some(Object::Enum(found))
            if found.values.iter().any(|label| label.as_str() == text));
        return if is_label { Ok(text.into()) } else { undecided("not a label of the enum") };
    }
    if let Some(family) = range::family(world, of)? {
        return range::input(world, &family, of, text);
    }
    if !of.is_system() {
        return undecided(format!("literals of {}", of.name));
    }
    let sure = match of.name.name.as_str() {
        "text" | "varchar" | "bpchar" | "unknown" | "refcursor" => Some(text.to_owned()),
        "name" => (text.len() < 64).then(|| text.to_owned()),
        "int2" => integer(text, i16::MIN.into(), i16::MAX.into()),
        "int4" => integer(text, i32::MIN.into(), i32::MAX.into()),
        "int8" => integer(text, i64::MIN, i64::MAX),
        "oid" => integer(text, 0, u32::MAX.into()),
        "numeric" => numeric(text),
        "float4" => float::float4(text),
        "float8" => float::float8(text),
        "bool" => boolean(text),
        "bit" | "varbit" => bits(text),
        "uuid" => uuid(text),
        "json" => json::of(text).map(|_| text.to_owned()),
        "jsonpath" => jsonpath::printed(text, world.version),
        "jsonb" => json::of(text).map(|value| value.to_string()),
        "date" => moment::date(text),
        "time" => moment::time(text),
        "timestamp" => moment::timestamp(text),
        "timestamptz" => moment::timestamptz(text),
        "timetz" => moment::timetz(text),
        "interval" => interval::printed(text, -1, world.version),
        "tsvector" => search::vector(text),
        "tsquery" => search::query(text),
        "bytea" => bytea(text),
        "inet" | "cidr" => address(text, of.is("cidr")),
        "regconfig" => CONFIGURATIONS.contains(&text).then(|| text.to_owned()),
        "regclass" => relation(world, text),
        "regtype" => type_of(world, text),
        "int2vector" => numbers(text, i16::MAX.into()),
        "oidvector" => numbers(text, u32::MAX.into()),
        "tid" => row(text),
        "pg_lsn" => position(text),
        "macaddr" => address_of_card(text, 6),
        "macaddr8" => address_of_card(text, 8),
        "point" => point(text),
        "char" => (text.len() == 1 && text.is_ascii()).then(|| text.to_owned()),
        _ => None,
    };
    sure.map_or_else(|| undecided(format!("the {} literal '{text}'", of.name.name)), Ok)
}

fn digits(text: &str) -> Option<(bool, &str)> {
    let text = text.trim_matches([' ', '\t', '\n', '\r']);
    let (negative, rest) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    (!rest.is_empty()).then_some((negative, rest))
}

fn integer(text: &str, least: i64, most: i64) -> Option<String> {
    let (negative, rest) = digits(text)?;
    if rest.len() > 19 || !rest.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let number: i128 = rest.parse().ok()?;
    let number = i64::try_from(if negative { -number } else { number }).ok()?;
    (least..=most).contains(&number).then(|| number.to_string())
}

/// As many digits as a number may have in front of the point and behind it.
const MOST_WHOLE: i32 = 131_072;
const MOST_FRACTION: i32 = 16_383;

/// A number with an exponent, written out.
fn without_exponent(text: &str) -> Option<String> {
    let (mantissa, exponent) = text.split_once(['e', 'E'])?;
    let exponent: i32 =
        exponent.parse().ok().filter(|exponent| (-MOST_FRACTION..=MOST_WHOLE).contains(exponent))?;
    let (negative, rest) = digits(mantissa)?;
    let (whole, fraction) = rest.split_once('.').unwrap_or((rest, ""));
    if !format!("{whole}{fraction}").bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let point = i32::try_from(whole.len()).ok()? + exponent;
    let all = format!("{whole}{fraction}");
    let length = i32::try_from(all.len()).ok()?;
    let written = if point <= 0 {
        format!("0.{}{all}", "0".repeat(usize::try_from(-point).ok()?))
    } else if point >= length {
        format!("{all}{}", "0".repeat(usize::try_from(point - length).ok()?))
    } else {
        let (head, tail) = all.split_at(usize::try_from(point).ok()?);
        format!("{head}.{tail}")
    };
    Some(if negative { format!("-{written}") } else { written })
}

/// `numeric_out`: no leading zeros, the scale as it was written.
pub fn numeric(text: &str) -> Option<String> {
    match text.trim_matches([' ', '\t', '\n', '\r']).to_ascii_lowercase().as_str() {
        "nan" => return Some("NaN".into()),
        "inf" | "infinity" | "+inf" | "+infinity" => return Some("Infinity".into()),
        "-inf" | "-infinity" => return Some("-Infinity".into()),
        _ => {}
    }
    let plain;
    let text = if text.contains(['e', 'E']) {
        plain = without_exponent(text)?;
        &plain
    } else {
        text
    };
    let (negative, rest) = digits(text)?;
    let (whole, fraction) = rest.split_once('.').map_or((rest, None), |(whole, part)| (whole, Some(part)));
    let numbers = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if !numbers(whole) || !numbers(fraction.unwrap_or("")) || rest == "." {
        return None;
    }
    let whole = whole.trim_start_matches('0');
    let whole = if whole.is_empty() { "0" } else { whole };
    let fraction = fraction.filter(|fraction| !fraction.is_empty());
    let fits = |text: &str, most: i32| i32::try_from(text.len()).is_ok_and(|length| length <= most);
    if !fits(whole, MOST_WHOLE) || !fits(fraction.unwrap_or(""), MOST_FRACTION) {
        return None;
    }
    let zero = whole == "0" && fraction.is_none_or(|fraction| fraction.bytes().all(|byte| byte == b'0'));
    let sign = if negative && !zero { "-" } else { "" };
    Some(match fraction {
        Some(fraction) => format!("{sign}{whole}.{fraction}"),
        None => format!("{sign}{whole}"),
    })
}

/// `boolin`.
fn boolean(text: &str) -> Option<String> {
    let text = text.trim_matches([' ', '\t', '\n', '\r']).to_ascii_lowercase();
    let begins = |word: &str, least: usize| text.len() >= least && word.starts_with(&text);
    if begins("true", 1) || begins("yes", 1) || text == "on" || text == "1" {
        Some("true".into())
    } else if begins("false", 1) || begins("no", 1) || begins("off", 2) || text == "0" {
        Some("false".into())
    } else {
        None
    }
}

/// Binary digits, with or without B in front, or hexadecimal ones behind X.
pub fn bits(text: &str) -> Option<String> {
    if let Some(digits) = text.strip_prefix(['x', 'X']) {
        let four = |c: char| c.to_digit(16).map(|digit| format!("{digit:04b}"));
        return digits.chars().map(four).collect();
    }
    let digits = text.strip_prefix(['b', 'B']).unwrap_or(text);
    digits.bytes().all(|byte| matches!(byte, b'0' | b'1')).then(|| digits.to_owned())
}

fn uuid(text: &str) -> Option<String> {
    let groups: Vec<&str> = text.split('-').collect();
    let lengths: Vec<usize> = groups.iter().map(|group| group.len()).collect();
    let hexadecimal = text.bytes().all(|byte| byte == b'-' || byte.is_ascii_hexdigit());
    (lengths == [8, 4, 4, 4, 12] && hexadecimal).then(|| text.to_ascii_lowercase())
}

fn bytea(text: &str) -> Option<String> {
    if let Some(hexadecimal) = text.strip_prefix("\\x") {
        return (hexadecimal.len() % 2 == 0 && hexadecimal.bytes().all(|byte| byte.is_ascii_hexdigit()))
            .then(|| text.to_ascii_lowercase());
    }
    // Characters as they are, a backslash doubled or in front of three octal digits.
    let (mut out, mut rest) = (String::from("\\x"), text);
    while let Some(first) = rest.chars().next() {
        let (byte, length) = match first {
            '\\' if rest.starts_with("\\\\") => (b'\\', 2),
            '\\' => {
                (u8::from_str_radix(rest.get(1..4).filter(|digits| !digits.starts_with('+'))?, 8).ok()?, 4)
            }
            _ => (u8::try_from(first).ok().filter(u8::is_ascii)?, 1),
        };
        out.push_str(&format!("{byte:02x}"));
        rest = rest.get(length..)?;
    }
    Some(out)
}

/// Numbers with blanks between them.
fn numbers(text: &str, most: i64) -> Option<String> {
    let all = text.split_ascii_whitespace().map(|number| integer(number, 0, most));
    all.collect::<Option<Vec<_>>>().map(|numbers| numbers.join(" "))
}

/// A place in a table.
fn row(text: &str) -> Option<String> {
    let (page, place) = text.strip_prefix('(')?.strip_suffix(')')?.split_once(',')?;
    Some(format!("({},{})", integer(page, 0, u32::MAX.into())?, integer(place, 0, u16::MAX.into())?))
}

/// A place in the write-ahead log.
fn position(text: &str) -> Option<String> {
    let (file, offset) = text.split_once('/')?;
    let half = |digits: &str| {
        let fits = (1..=8).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
        u32::from_str_radix(digits, 16).ok().filter(|_| fits)
    };
    Some(format!("{:X}/{:X}", half(file)?, half(offset)?))
}

/// An address of a network card in pairs of digits; of six pairs, one of eight has `ff:fe` in the middle.
fn address_of_card(text: &str, count: usize) -> Option<String> {
    let sign = if text.contains(':') { ':' } else { '-' };
    let pairs: Vec<&str> = text.trim().split(sign).collect();
    let is_pair = |pair: &&str| pair.len() == 2 && pair.bytes().all(|byte| byte.is_ascii_hexdigit());
    if !pairs.iter().all(is_pair) {
        return None;
    }
    let pairs = match (&pairs[..], count) {
        (all @ [_, _, _, _, _, _], 6) | (all @ [_, _, _, _, _, _, _, _], 8) => all.to_vec(),
        ([a, b, c, d, e, f], 8) => vec![a, b, c, "ff", "fe", d, e, f],
        _ => return None,
    };
    Some(pairs.join(":").to_ascii_lowercase())
}

fn point(text: &str) -> Option<String> {
    let text = text.trim();
    let inner = match text.strip_prefix('(') {
        Some(rest) => rest.strip_suffix(')')?,
        None => text,
    };
    let (x, y) = inner.split_once(',')?;
    Some(format!("({},{})", float::float8(x)?, float::float8(y)?))
}

/// `regtypein`, of a type without modifiers.
fn type_of(world: &World<'_>, text: &str) -> Option<String> {
    if !text.starts_with(|first: char| first.is_ascii_alphabetic() || first == '"' || first == '_') {
        return None;
    }
    let written = TypeName::parse(text).ok().filter(|of| of.modifiers().is_empty() && !text.contains('%'))?;
    let (found, _) = match written.qname() {
        Some(_) => types::of(&written).ok()?,
        None => {
            let (parts, end) = names::dotted_name(text, 0)?;
            let parts: Vec<&str> = parts.iter().map(|part| part.as_str()).collect();
            let name = world.find(&parts, |name| world.catalog.type_named(name).map(|_| name))?;
            (end == text.len()).then_some((Type { name, array: false }, -1))?
        }
    };
    found.class(world).ok()?;
    types::written(found, -1).ok()
}

/// Addresses of version 4 with all four numbers.
fn address(text: &str, network: bool) -> Option<String> {
    let (host, bits) = text.split_once('/').map_or((text, None), |(host, bits)| (host, Some(bits)));
    let numbers: Vec<u8> = host.split('.').map(|part| part.parse().ok()).collect::<Option<_>>()?;
    let [a, b, c, d] = numbers[..] else { return None };
    let bits: u32 = match bits {
        Some(bits) if bits.bytes().all(|byte| byte.is_ascii_digit()) => bits.parse().ok()?,
        Some(_) => return None,
        None => 32,
    };
    if bits > 32 || format!("{a}.{b}.{c}.{d}") != host {
        return None;
    }
    let below = u32::from_be_bytes([a, b, c, d]).checked_shl(bits).unwrap_or(0);
    if network {
        return (below == 0).then(|| format!("{host}/{bits}"));
    }
    Some(if bits == 32 { host.to_owned() } else { format!("{host}/{bits}") })
}

/// `regclassin`, for what the catalog knows: printed with its schema.
fn relation(world: &World<'_>, text: &str) -> Option<String> {
    let (parts, end) = names::dotted_name(text, 0)?;
    if end != text.len() {
        return None;
    }
    let parts: Vec<&str> = parts.iter().map(|part| part.as_str()).collect();
    let (schema, name) = match parts[..] {
        [name] => ("", name),
        [schema, name] => (schema, name),
        _ => return None,
    };
    if let Some((found, ..)) = system_relation(schema, name, world.version) {
        let bare = found.schema.as_str() == "pg_catalog";
        return Some(if bare {
            sql::quoted_on(found.name, world.version).into()
        } else {
            sql::qualified(found)
        });
    }
    let id = world.relation(&parts)?;
    id.qname().map(sql::qualified)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_printed_as_the_server_prints_them() {
        assert_eq!(integer(" 007 ", 0, 100).as_deref(), Some("7"));
        assert_eq!(integer("-1", -5, 5).as_deref(), Some("-1"));
        assert_eq!(integer("32768", i16::MIN.into(), i16::MAX.into()), None);
        assert_eq!(integer("1_000", 0, 5000), None);
        assert_eq!(integer("0x10", 0, 5000), None);
        assert_eq!(numeric("007.50").as_deref(), Some("7.50"));
        assert_eq!(numeric(".5").as_deref(), Some("0.5"));
        assert_eq!(numeric("-0.0").as_deref(), Some("0.0"));
        assert_eq!(numeric("5.").as_deref(), Some("5"));
        assert_eq!(numeric("1e3").as_deref(), Some("1000"));
        assert_eq!(numeric("1.5e2").as_deref(), Some("150"));
        assert_eq!(numeric("1.50e1").as_deref(), Some("15.0"));
        assert_eq!(numeric("25e-3").as_deref(), Some("0.025"));
        assert_eq!(numeric("1e"), None);
        assert_eq!(numeric("ee1"), None);
        assert_eq!(numeric("1.5.2e3"), None);
        assert_eq!(numeric("nan").as_deref(), Some("NaN"));
        assert_eq!(numeric(" -inf ").as_deref(), Some("-Infinity"));
        assert_eq!(numeric("1.5e50").map(|text| text.len()), Some(51));
        assert_eq!(numeric("1e131072"), None);
    }

    #[test]
    fn truth_is_abbreviated_as_boolin_allows() {
        assert_eq!(boolean(" T ").as_deref(), Some("true"));
        assert_eq!(boolean("o"), None);
        assert_eq!(boolean("of").as_deref(), Some("false"));
        assert_eq!(boolean(""), None);
    }

    #[test]
    fn what_has_a_form_of_its_own_is_printed_in_it() {
        assert_eq!(bytea("a\\\\b\\001").as_deref(), Some("\\x615c6201"));
        assert_eq!(bytea("\\xAB").as_deref(), Some("\\xab"));
        assert_eq!(bytea("").as_deref(), Some("\\x"));
        assert_eq!(bytea("a\\b"), None);
        assert_eq!(bytea("\\400"), None);
        assert_eq!(row("(0,07)").as_deref(), Some("(0,7)"));
        assert_eq!(position("0/16ae7F7").as_deref(), Some("0/16AE7F7"));
        assert_eq!(address_of_card("08-00-2B-01-02-03", 6).as_deref(), Some("08:00:2b:01:02:03"));
        assert_eq!(address_of_card("08:00:2b:01:02:03", 8).as_deref(), Some("08:00:2b:ff:fe:01:02:03"));
        assert_eq!(address_of_card("08002b:010203", 6), None);
        assert_eq!(point(" ( 1.50 , -2 ) ").as_deref(), Some("(1.5,-2)"));
        assert_eq!(numbers(" 01 2 ", 10).as_deref(), Some("1 2"));
    }

    #[test]
    fn addresses_lose_a_full_mask() {
        assert_eq!(address("10.0.0.1/32", false).as_deref(), Some("10.0.0.1"));
        assert_eq!(address("10.0.0.0/8", true).as_deref(), Some("10.0.0.0/8"));
        assert_eq!(address("10.0.0.1/8", true), None);
    }
}
