//! Dates, times and intervals whose meaning no setting changes, printed as DateStyle ISO and TimeZone UTC have it.

/// The days of a month.
fn month_days(year: i64, month: i64) -> i64 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        _ => 31,
    }
}

/// A number of so many digits.
fn number(text: &str, least: usize, most: usize) -> Option<i64> {
    let fits = (least..=most).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    if fits { text.parse().ok() } else { None }
}

fn parse_date(text: &str) -> Option<(i64, i64, i64)> {
    let parts: Vec<&str> = text.split('-').collect();
    let [year, month, day] = parts[..] else { return None };
    let (year, month, day) = (number(year, 4, 4)?, number(month, 1, 2)?, number(day, 1, 2)?);
    let valid = year >= 1 && (1..=12).contains(&month) && (1..=month_days(year, month)).contains(&day);
    valid.then_some((year, month, day))
}

/// Microseconds of the day.
fn parse_time(text: &str) -> Option<i64> {
    let (clock, fraction) = text.split_once('.').map_or((text, ""), |(clock, fraction)| (clock, fraction));
    let parts: Vec<&str> = clock.split(':').collect();
    let (hour, minute, second) = match parts[..] {
        [hour, minute] if fraction.is_empty() => (hour, minute, "0"),
        [hour, minute, second] => (hour, minute, second),
        _ => return None,
    };
    let (hour, minute, second) = (number(hour, 1, 2)?, number(minute, 2, 2)?, number(second, 1, 2)?);
    if hour > 23 || minute > 59 || second > 59 || fraction.len() > 6 {
        return None;
    }
    let micro = if fraction.is_empty() { 0 } else { number(&format!("{fraction:0<6}"), 6, 6)? };
    Some(((hour * 60 + minute) * 60 + second) * 1_000_000 + micro)
}

fn print_time(microseconds: i64) -> String {
    let (seconds, micro) = (microseconds / 1_000_000, microseconds % 1_000_000);
    let fraction =
        if micro == 0 { String::new() } else { format!(".{micro:06}").trim_end_matches('0').into() };
    format!("{:02}:{:02}:{:02}{fraction}", seconds / 3600, seconds / 60 % 60, seconds % 60)
}

fn print_date((year, month, day): (i64, i64, i64)) -> String {
    format!("{year:04}-{month:02}-{day:02}")
}

/// What both ends of time are called.
fn infinity(text: &str) -> Option<String> {
    matches!(text, "infinity" | "-infinity").then(|| text.to_owned())
}

/// The day after one of a four-digit year.
pub fn day_after(text: &str) -> Option<String> {
    let (mut year, mut month, mut day) = parse_date(text)?;
    day += 1;
    if day > month_days(year, month) {
        (day, month) = (1, month + 1);
    }
    if month > 12 {
        (month, year) = (1, year + 1);
    }
    (year < 10_000).then(|| print_date((year, month, day)))
}

/// `date`.
pub fn date(text: &str) -> Option<String> {
    infinity(text).or_else(|| parse_date(text.trim()).map(print_date))
}

/// `time`.
pub fn time(text: &str) -> Option<String> {
    parse_time(text.trim()).map(print_time)
}

fn split(text: &str) -> Option<((i64, i64, i64), &str)> {
    let text = text.trim();
    let (day, rest) = text.split_once([' ', 'T']).map_or((text, ""), |(day, rest)| (day, rest.trim()));
    Some((parse_date(day)?, rest))
}

/// `timestamp`.
pub fn timestamp(text: &str) -> Option<String> {
    if let Some(end) = infinity(text) {
        return Some(end);
    }
    let (day, rest) = split(text)?;
    let time = if rest.is_empty() { 0 } else { parse_time(rest)? };
    Some(format!("{} {}", print_date(day), print_time(time)))
}

/// `timestamptz`, with its offset.
pub fn timestamptz(text: &str) -> Option<String> {
    if let Some(end) = infinity(text) {
        return Some(end);
    }
    let (day, rest) = split(text)?;
    let at = rest.find(['+', '-', 'Z', 'z'])?;
    let (clock, zone) = rest.split_at(at);
    let clock = clock.trim();
    let time = if clock.is_empty() { return None } else { parse_time(clock)? };
    let offset = match zone {
        "Z" | "z" => 0,
        // Anything behind it is a zone of another kind.
        _ if zone.starts_with(['Z', 'z']) => return None,
        _ => {
            let (hours, minutes) = match zone[1..].split_once(':') {
                Some((hours, minutes)) => (number(hours, 1, 2)?, number(minutes, 2, 2)?),
                None if zone.len() == 5 => (number(&zone[1..3], 2, 2)?, number(&zone[3..], 2, 2)?),
                None => (number(&zone[1..], 1, 2)?, 0),
            };
            if hours > 15 || minutes > 59 {
                return None;
            }
            (hours * 60 + minutes) * if zone.starts_with('-') { -1 } else { 1 }
        }
    };
    const DAY: i64 = 86_400_000_000;
    let mut time = time - offset * 60_000_000;
    let (mut year, mut month, mut date) = day;
    if time < 0 {
        (time, date) = (time + DAY, date - 1);
        if date == 0 {
            month -= 1;
            if month == 0 {
                (year, month) = (year - 1, 12);
            }
            date = month_days(year, month);
        }
    } else if time >= DAY {
        (time, date) = (time - DAY, date + 1);
        if date > month_days(year, month) {
            (date, month) = (1, month + 1);
            if month == 13 {
                (year, month) = (year + 1, 1);
            }
        }
    }
    (year >= 1).then(|| format!("{} {}+00", print_date((year, month, date)), print_time(time)))
}

/// `interval`, of whole numbers of units, printed in PostgreSQL's own style.
pub fn interval(text: &str) -> Option<String> {
    if text.trim() == "0" {
        return Some("00:00:00".into());
    }
    let words: Vec<&str> = text.split_whitespace().collect();
    let (mut months, mut days, mut micro) = (0_i64, 0_i64, 0_i64);
    let mut words = words.into_iter().peekable();
    words.peek()?;
    let mut seen: Vec<&str> = Vec::new();
    while let Some(word) = words.next() {
        if word.contains(':') {
            if seen.contains(&"clock") || words.peek().is_some() {
                return None;
            }
            seen.push("clock");
            let (sign, clock) = signed(word);
            micro += sign * parse_time(clock)?;
            continue;
        }
        let (sign, digits) = signed(word);
        let (whole, fraction) = digits.split_once('.').map_or((digits, None), |(a, b)| (a, Some(b)));
        let count = sign * number(whole, 1, 6)?;
        let unit = words.next()?.to_ascii_lowercase();
        let unit = match unit.as_str() {
            "second" | "seconds" | "sec" | "secs" => "second",
            "minute" | "minutes" | "min" | "mins" => "minute",
            "hour" | "hours" => "hour",
            "day" | "days" => "day",
            "week" | "weeks" => "week",
            "month" | "months" | "mon" | "mons" => "month",
            "year" | "years" => "year",
            _ => return None,
        };
        if seen.contains(&unit) {
            return None;
        }
        seen.push(unit);
        if let Some(fraction) = fraction {
            // A part of a second is what is written; parts of other units are computed.
            if unit != "second" || !(1..=6).contains(&fraction.len()) {
                return None;
            }
            micro += sign * number(&format!("{fraction:0<6}"), 6, 6)?;
        }
        match unit {
            "second" => micro += count * 1_000_000,
            "minute" => micro += count * 60_000_000,
            "hour" => micro += count * 3_600_000_000,
            "day" => days += count,
            "week" => days += count * 7,
            "month" => months += count,
            _ => months += count * 12,
        }
    }
    // EncodeInterval: a part behind a negative one says that it is not.
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
        parts.push(format!("{sign}{}", print_time(micro.abs())));
    }
    Some(parts.join(" "))
}

/// A sign, and what it stands before.
fn signed(word: &str) -> (i64, &str) {
    match word.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, word.strip_prefix('+').unwrap_or(word)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_printed_in_utc() {
        assert_eq!(date("2024-2-29").as_deref(), Some("2024-02-29"));
        assert_eq!(date("2023-02-29"), None);
        assert_eq!(date("01/02/2024"), None);
        assert_eq!(timestamp("2024-01-01").as_deref(), Some("2024-01-01 00:00:00"));
        assert_eq!(timestamptz("2024-01-01 00:00:00"), None);
        assert_eq!(timestamptz("2024-01-01 00:00:00Z1"), None);
        assert_eq!(timestamptz("2024-01-01 00:30+01").as_deref(), Some("2023-12-31 23:30:00+00"));
        assert_eq!(timestamptz("2024-02-29T23:00:00.50-02:00").as_deref(), Some("2024-03-01 01:00:00.5+00"));
    }

    #[test]
    fn intervals_are_summed_up() {
        for (text, printed) in [
            ("1 day 2 hours", "1 day 02:00:00"),
            ("14 months", "1 year 2 mons"),
            ("2 weeks", "14 days"),
            ("90 minutes", "01:30:00"),
            ("0 days", "00:00:00"),
            ("100 hours", "100:00:00"),
            ("1 day 12:30", "1 day 12:30:00"),
            ("-1 day", "-1 days"),
            ("-1 year 2 days -3 hours", "-1 years +2 days -03:00:00"),
            ("-1 day +02:00", "-1 days +02:00:00"),
            ("0.5 seconds", "00:00:00.5"),
        ] {
            assert_eq!(interval(text).as_deref(), Some(printed), "{text}");
        }
        for odd in ["1", "1.5 days", "- 1 day", "1 day ago", "1 fortnight", "P1D", "", "1 day 1 day"] {
            assert_eq!(interval(odd), None, "{odd}");
        }
    }
}
