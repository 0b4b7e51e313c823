//! Intervals as they are printed under `IntervalStyle = postgres`: months, days and microseconds.
//!
//! Not understood: fractions that no whole number of the next smaller unit is, which versions round differently.

use crate::analyse::moment;

/// Bits of the fields that an interval's type may name.
const MONTH: i32 = 1 << 1;
const YEAR: i32 = 1 << 2;
const DAY: i32 = 1 << 3;
const HOUR: i32 = 1 << 10;
const MINUTE: i32 = 1 << 11;
const SECOND: i32 = 1 << 12;

const MICROSECOND: i64 = 1;
const OF_SECOND: i64 = 1_000_000;
const OF_MINUTE: i64 = 60 * OF_SECOND;
const OF_HOUR: i64 = 60 * OF_MINUTE;
const OF_DAY: i64 = 24 * OF_HOUR;

/// What a unit counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Unit {
    Months(i64),
    Days(i64),
    Micro(i64),
}

/// A unit by its name; of one length are those that may stand beside each other only once.
fn unit(word: &str) -> Option<Unit> {
    Some(match word {
        "us" | "usec" | "usecs" | "microsecond" | "microseconds" => Unit::Micro(MICROSECOND),
        "ms" | "msec" | "msecs" | "millisecond" | "milliseconds" => Unit::Micro(1000),
        "s" | "sec" | "secs" | "second" | "seconds" => Unit::Micro(OF_SECOND),
        "m" | "min" | "mins" | "minute" | "minutes" => Unit::Micro(OF_MINUTE),
        "h" | "hr" | "hrs" | "hour" | "hours" => Unit::Micro(OF_HOUR),
        "d" | "day" | "days" => Unit::Days(1),
        "w" | "week" | "weeks" => Unit::Days(7),
        "mon" | "mons" | "month" | "months" => Unit::Months(1),
        "y" | "yr" | "yrs" | "year" | "years" => Unit::Months(12),
        "dec" | "decs" | "decade" | "decades" => Unit::Months(120),
        "c" | "cent" | "century" | "centuries" => Unit::Months(1200),
        "mil" | "mils" | "millennium" | "millennia" | "millenniums" => Unit::Months(12_000),
        _ => return None,
    })
}

/// What an interval is made of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Parts {
    months: i64,
    days: i64,
    micro: i64,
}

impl Parts {
    /// Adds a number with a fraction of a unit; `None` where the fraction has to be rounded.
    fn add(&mut self, sign: i64, whole: &str, fraction: &str, unit: Unit) -> Option<()> {
        if whole.len() > 18 || fraction.len() > 9 {
            return None;
        }
        let whole: i64 = if whole.is_empty() { 0 } else { whole.parse().ok()? };
        let (part, scale): (i64, i64) = match fraction.trim_end_matches('0') {
            "" => (0, 1),
            digits => (digits.parse().ok()?, 10_i64.checked_pow(u32::try_from(digits.len()).ok()?)?),
        };
        // Of months and days a fraction is computed in binary digits.
        if !matches!(unit, Unit::Micro(_)) && part.checked_mul(512)? % scale != 0 {
            return None;
        }
        // So much of the next smaller unit, if that is whole.
        let exact = |size: i64| {
            let all = part.checked_mul(size)?;
            (all % scale == 0).then_some(all / scale)
        };
        match unit {
            Unit::Months(size) => {
                self.months = self.months.checked_add(sign.checked_mul(whole.checked_mul(size)?)?)?;
                if size > 1 {
                    self.months = self.months.checked_add(sign * exact(size)?)?;
                } else {
                    self.days = self.days.checked_add(sign * exact(30)?)?;
                }
            }
            Unit::Days(size) => {
                self.days = self.days.checked_add(sign.checked_mul(whole.checked_mul(size)?)?)?;
                let micro = exact(size * OF_DAY)?;
                self.days = self.days.checked_add(sign * (micro / OF_DAY))?;
                self.micro = self.micro.checked_add(sign * (micro % OF_DAY))?;
            }
            Unit::Micro(size) => {
                let micro = whole.checked_mul(size)?.checked_add(exact(size)?)?;
                self.micro = self.micro.checked_add(sign.checked_mul(micro)?)?;
            }
        }
        Some(())
    }
}

/// All fields, where a type names none but a precision.
const ALL: i32 = 0x7fff;
/// No precision.
const NONE: i32 = 0xffff;

/// What stands behind `interval` for a modifier: fields and a precision. `None` for a combination that there is not.
pub fn fields(modifier: i32) -> Option<String> {
    if modifier < 0 {
        return Some(String::new());
    }
    let fields = match modifier >> 16 {
        ALL => "",
        YEAR => " year",
        MONTH => " month",
        DAY => " day",
        HOUR => " hour",
        MINUTE => " minute",
        SECOND => " second",
        mask if mask == YEAR | MONTH => " year to month",
        mask if mask == DAY | HOUR => " day to hour",
        mask if mask == DAY | HOUR | MINUTE => " day to minute",
        mask if mask == DAY | HOUR | MINUTE | SECOND => " day to second",
        mask if mask == HOUR | MINUTE => " hour to minute",
        mask if mask == HOUR | MINUTE | SECOND => " hour to second",
        mask if mask == MINUTE | SECOND => " minute to second",
        _ => return None,
    };
    Some(match modifier & NONE {
        NONE => fields.to_owned(),
        precision => format!("{fields}({precision})"),
    })
}

/// The modifier of fields by their bits, with a precision.
pub fn modifier(mask: i32, precision: Option<i32>) -> Option<i32> {
    let second = mask == ALL || mask & SECOND != 0;
    let precision = match precision {
        None => NONE,
        Some(precision) if second && (0..=6).contains(&precision) => precision,
        Some(_) => return None,
    };
    let modifier = (mask << 16) | precision;
    ((0..=ALL).contains(&mask) && fields(modifier).is_some()).then_some(modifier)
}

/// An interval, printed; of a type of some fields, as far as none of it is lost.
pub fn printed(text: &str, modifier: i32, version: u32) -> Option<String> {
    let lower = text.trim().to_ascii_lowercase();
    if let ("infinity" | "-infinity", true) = (lower.as_str(), modifier < 0) {
        return (version >= 17).then_some(lower);
    }
    let mask = if modifier < 0 || modifier >> 16 == ALL { 0 } else { modifier >> 16 };
    let step = match modifier & NONE {
        precision @ 0..=6 if modifier >= 0 => 10_i64.pow(6 - u32::try_from(precision).ok()?),
        _ => 1,
    };
    let parts = if lower.starts_with('p') { designated(&lower)? } else { verbose(&lower, mask)? };
    let kept = match mask {
        0 | SECOND => true,
        YEAR => parts.months % 12 == 0 && parts.days == 0 && parts.micro == 0,
        mask if mask & (YEAR | MONTH) != 0 => parts.days == 0 && parts.micro == 0,
        DAY => parts.micro == 0,
        mask if mask & SECOND != 0 => true,
        mask if mask & MINUTE != 0 => parts.micro % OF_MINUTE == 0,
        _ => parts.micro % OF_HOUR == 0,
    };
    let small = |number: i64| i32::try_from(number).is_ok_and(|number| number.checked_abs().is_some());
    if !kept
        || parts.micro % step != 0
        || !small(parts.months)
        || !small(parts.days)
        || parts.micro.checked_abs().is_none()
    {
        return None;
    }
    Some(print(parts))
}

/// Numbers with their units, and a time.
fn verbose(text: &str, mask: i32) -> Option<Parts> {
    let words = words(text)?;
    let (words, ago) = match words.split_last() {
        Some((&"ago", rest)) => (rest, true),
        _ => (&words[..], false),
    };
    let (mut parts, mut seen) = (Parts::default(), Vec::new());
    let mut words = words.iter().copied().peekable();
    words.peek()?;
    while let Some(word) = words.next() {
        if word == "@" {
            continue;
        }
        let (sign, digits) = signed(word);
        if let Some((years, months)) = digits.split_once('-') {
            // Years and months.
            let months: i64 = plain(months).filter(|months| (0..12).contains(months))?;
            parts.months = parts.months.checked_add(sign * (plain(years)?.checked_mul(12)? + months))?;
            seen.extend([Unit::Months(1), Unit::Months(12)]);
            continue;
        }
        if digits.contains(':') {
            if mask != 0 || words.peek().is_some() || seen.iter().any(|unit| matches!(unit, Unit::Micro(_))) {
                return None;
            }
            parts.micro = parts.micro.checked_add(sign * clock(digits)?)?;
            seen.push(Unit::Micro(OF_HOUR));
            continue;
        }
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        let numbers = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        if !numbers(whole) || !numbers(fraction) || whole.is_empty() && fraction.is_empty() {
            return None;
        }
        let next = words.peek().copied();
        let of = match next.and_then(unit) {
            Some(of) => {
                words.next();
                of
            }
            // A number before a time counts days, one at the end what the type ends with.
            None if next.is_some_and(|next| next.contains(':')) && mask == 0 => Unit::Days(1),
            None if next.is_none() => match mask {
                0 | SECOND => Unit::Micro(OF_SECOND),
                YEAR => Unit::Months(12),
                DAY => Unit::Days(1),
                MONTH => Unit::Months(1),
                mask if mask == YEAR | MONTH => Unit::Months(1),
                HOUR => Unit::Micro(OF_HOUR),
                MINUTE => Unit::Micro(OF_MINUTE),
                _ => return None,
            },
            None => return None,
        };
        if seen.contains(&of) {
            return None;
        }
        seen.push(of);
        parts.add(sign, whole, fraction, of)?;
    }
    if seen.is_empty() {
        return None;
    }
    Some(if ago { Parts { months: -parts.months, days: -parts.days, micro: -parts.micro } } else { parts })
}

/// Numbers and words, also where they grew together.
fn words(text: &str) -> Option<Vec<&str>> {
    let (mut rest, mut found) = (text.trim_start(), Vec::new());
    while let Some(first) = rest.chars().next() {
        let is_word = first.is_ascii_alphabetic();
        let end = if first == '@' {
            1
        } else {
            rest.find(|c: char| c.is_ascii_whitespace() || c == '@' || c.is_ascii_alphabetic() != is_word)
                .unwrap_or(rest.len())
        };
        // A word does not end where a number begins.
        if !first.is_ascii() || end == 0 || is_word && rest[end..].starts_with(|c: char| c.is_ascii_digit()) {
            return None;
        }
        found.push(&rest[..end]);
        rest = rest[end..].trim_start();
    }
    Some(found)
}

/// ISO 8601: `P1Y2M3DT4H5M6S`.
fn designated(text: &str) -> Option<Parts> {
    let (mut rest, mut parts, mut of_time, mut seen) =
        (text.strip_prefix('p')?, Parts::default(), false, Vec::new());
    while !rest.is_empty() {
        if let Some(behind) = rest.strip_prefix('t').filter(|_| !of_time) {
            (rest, of_time) = (behind, true);
            continue;
        }
        let end = rest.find(|c: char| c.is_ascii_alphabetic())?;
        let (sign, digits) = signed(&rest[..end]);
        let unit = match (&rest[end..=end], of_time) {
            ("y", false) => Unit::Months(12),
            ("m", false) => Unit::Months(1),
            ("w", false) => Unit::Days(7),
            ("d", false) => Unit::Days(1),
            ("h", true) => Unit::Micro(OF_HOUR),
            ("m", true) => Unit::Micro(OF_MINUTE),
            ("s", true) => Unit::Micro(OF_SECOND),
            _ => return None,
        };
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        plain(whole)?;
        if !fraction.bytes().all(|byte| byte.is_ascii_digit()) || seen.contains(&unit) {
            return None;
        }
        seen.push(unit);
        parts.add(sign, whole, fraction, unit)?;
        rest = &rest[end + 1..];
    }
    (!seen.is_empty()).then_some(parts)
}

fn plain(text: &str) -> Option<i64> {
    let fits = (1..=9).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    if fits { text.parse().ok() } else { None }
}

/// Microseconds of hours, minutes and seconds.
fn clock(text: &str) -> Option<i64> {
    let (clock, part) = text.split_once('.').map_or((text, None), |(clock, part)| (clock, Some(part)));
    let parts: Vec<&str> = clock.split(':').collect();
    let (hours, minutes, seconds) = match parts[..] {
        [hours, minutes] if part.is_none() => (hours, minutes, "0"),
        [hours, minutes, seconds] => (hours, minutes, seconds),
        _ => return None,
    };
    let (hours, minutes, seconds) = (plain(hours)?, plain(minutes)?, plain(seconds)?);
    let part = part.map_or(Some(0), moment::fraction)?;
    (minutes <= 59 && seconds <= 59)
        .then(|| hours * OF_HOUR + minutes * OF_MINUTE + seconds * OF_SECOND + part)
}

/// A sign, and what it stands before.
fn signed(word: &str) -> (i64, &str) {
    match word.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, word.strip_prefix('+').unwrap_or(word)),
    }
}

/// `EncodeInterval`: a part behind a negative one says that it is not.
fn print(interval: Parts) -> String {
    let Parts { months, days, micro } = interval;
    let (mut parts, mut before): (Vec<String>, bool) = (Vec::new(), false);
    let mut part = |count: i64, unit: &str| {
        if count != 0 {
            let plus = if before && count > 0 { "+" } else { "" };
            parts.push(format!("{plus}{count} {unit}{}", if count == 1 { "" } else { "s" }));
            before = count < 0;
        }
    };
    part(months / 12, "year");
    part(months % 12, "mon");
    part(days, "day");
    if micro != 0 || parts.is_empty() {
        let sign = if micro < 0 {
            "-"
        } else if before {
            "+"
        } else {
            ""
        };
        parts.push(format!("{sign}{}", moment::print_time(micro.abs())));
    }
    parts.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn interval(text: &str) -> Option<String> {
        printed(text, -1, 18)
    }

    #[test]
    fn intervals_are_summed_up() {
        for (text, printed) in [
            ("1 day 2 hours", "1 day 02:00:00"),
            ("14 months", "1 year 2 mons"),
            ("2 weeks", "14 days"),
            ("90 minutes", "01:30:00"),
            ("0 days", "00:00:00"),
            ("0", "00:00:00"),
            ("100 hours", "100:00:00"),
            ("1 day 12:30", "1 day 12:30:00"),
            ("1 12:30", "1 day 12:30:00"),
            ("-1 day", "-1 days"),
            ("-1 year 2 days -3 hours", "-1 years +2 days -03:00:00"),
            ("-1 day +02:00", "-1 days +02:00:00"),
            ("0.5 seconds", "00:00:00.5"),
            ("1.5 days", "1 day 12:00:00"),
            ("1.5 weeks", "10 days 12:00:00"),
            ("1.5 months", "1 mon 15 days"),
            ("1.5 years", "1 year 6 mons"),
            ("1 day ago", "-1 days"),
            ("@ 1 hour 5 mins", "01:05:00"),
            ("1y 2mon 3d 4h", "1 year 2 mons 3 days 04:00:00"),
            ("1-2", "1 year 2 mons"),
            ("30", "00:00:30"),
            ("2 decades", "20 years"),
            ("250 ms", "00:00:00.25"),
            ("P1Y2M3DT4H5M6S", "1 year 2 mons 3 days 04:05:06"),
            ("Infinity", "infinity"),
        ] {
            assert_eq!(interval(text).as_deref(), Some(printed), "{text}");
        }
        for odd in [
            "",
            "- 1 day",
            "1 fortnight",
            "1 day 1 day",
            "1.1 months",
            "1:2:3:4",
            "1 2 days",
            "ago",
            "P",
            "day 1",
            "1-13",
        ] {
            assert_eq!(interval(odd), None, "{odd}");
        }
        assert_eq!(printed("infinity", -1, 16), None);
        let day = modifier(DAY, None).expect("a field");
        assert_eq!(printed("30", day, 18).as_deref(), Some("30 days"));
        assert_eq!(printed("1 day 1 hour", day, 18), None);
        assert_eq!(fields(day).as_deref(), Some(" day"));
        let precise = modifier(ALL, Some(3)).expect("a precision");
        assert_eq!(fields(precise).as_deref(), Some("(3)"));
        assert_eq!(printed("1.5 s", precise, 18).as_deref(), Some("00:00:01.5"));
        assert_eq!(printed("1.2345 s", precise, 18), None);
    }
}
