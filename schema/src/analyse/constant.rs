//! Constants: what a type's input function makes of a literal, as its output function prints it.
//!
//! Only what is sure. A literal whose meaning depends on what no session fixes (a time zone by its name, today) is
//! undecided.

use crate::analyse::types::{Class, Type};
use crate::analyse::world::World;
use crate::analyse::{Analysed, float, interval, json, jsonpath, list, moment, range, undecided};
use crate::names;
use crate::object::Object;
use crate::sql;

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
        "bytea" => bytea(text),
        "inet" | "cidr" => address(text, of.is("cidr")),
        "regconfig" => CONFIGURATIONS.contains(&text).then(|| text.to_owned()),
        "regclass" => relation(world, text),
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
    if text.is_empty() {
        return Some("\\x".into());
    }
    let hexadecimal = text.strip_prefix("\\x")?;
    (hexadecimal.len() % 2 == 0 && hexadecimal.bytes().all(|byte| byte.is_ascii_hexdigit()))
        .then(|| text.to_ascii_lowercase())
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
    fn addresses_lose_a_full_mask() {
        assert_eq!(address("10.0.0.1/32", false).as_deref(), Some("10.0.0.1"));
        assert_eq!(address("10.0.0.0/8", true).as_deref(), Some("10.0.0.0/8"));
        assert_eq!(address("10.0.0.1/8", true), None);
    }
}
