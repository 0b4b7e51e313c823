//! Dates and times as they are printed under `DateStyle = ISO` and `TimeZone = UTC`, which every session of schemac has.
//!
//! Not understood: words that mean another moment each time, zones by name, years of two digits, and dates whose day
//! could be their month.

/// Microseconds of a day.
const DAY: i64 = 86_400_000_000;
/// The last whole years that a date and a timestamp can be in, and the first.
const LAST_OF_DATE: i64 = 5_874_896;
const LAST: i64 = 294_275;
const FIRST: i64 = -4_712;

const MONTHS: [&str; 12] = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
];
const WEEKDAYS: [&str; 7] = ["sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"];

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

/// A year, a month and a day. The year before 1 is 0.
type Date = (i64, i64, i64);

fn valid((year, month, day): Date) -> Option<Date> {
    ((1..=12).contains(&month) && (1..=month_days(year, month)).contains(&day)).then_some((year, month, day))
}

/// What was read.
#[derive(Clone, Copy, Debug, Default)]
struct Read {
    date: Option<Date>,
    /// Microseconds of the day.
    time: Option<i64>,
    /// Seconds east of Greenwich.
    zone: Option<i64>,
}

/// A month by its name or the first three letters of it.
fn month(word: &str) -> Option<i64> {
    let known = |name: &&str| {
        word == *name || word.len() == 3 && name.starts_with(word) || word == "sept" && **name == *"september"
    };
    MONTHS.iter().position(known).and_then(|place| i64::try_from(place + 1).ok())
}

fn is_weekday(word: &str) -> bool {
    WEEKDAYS.iter().any(|name| word == *name || word.len() == 3 && name.starts_with(word))
}

/// The parts of a moment; `clock`: digits alone are a time.
fn read(text: &str, clock: bool) -> Option<Read> {
    let lower = text.trim().to_ascii_lowercase();
    let mut found = Read::default();
    let (mut named, mut numbers, mut before_christ, mut era) = (None, Vec::new(), false, false);
    let mut afternoon = None;
    let spaced = lower.replace(',', " ");
    for word in spaced.split_ascii_whitespace() {
        for word in halves(word) {
            if let Some(date) =
                iso(word).or_else(|| with_name(word)).or_else(|| compact(word, clock || found.date.is_some()))
            {
                if found.date.replace(date).is_some() || named.is_some() {
                    return None;
                }
            } else if word.contains(':')
                || is_digits(word) && (clock || found.date.is_some()) && numbers.is_empty() && named.is_none()
            {
                let (time, zone) = split_zone(word)?;
                if found.time.replace(time_of_day(time)?).is_some() {
                    return None;
                }
                if let Some(zone) = zone {
                    found.zone = Some(offset(zone)?);
                }
            } else if word.starts_with(['+', '-']) || matches!(word, "z" | "utc" | "gmt" | "zulu") {
                if found.time.is_none() || found.zone.replace(offset(word)?).is_some() {
                    return None;
                }
            } else if let Some(number) = month(word) {
                if named.replace(number).is_some() || found.date.is_some() {
                    return None;
                }
            } else if matches!(word, "bc" | "ad") {
                (before_christ, era) = (word == "bc", !std::mem::replace(&mut era, true));
                if !era {
                    return None;
                }
            } else if matches!(word, "am" | "pm") && found.time.is_some() && afternoon.is_none() {
                afternoon = Some(word == "pm");
            } else if !is_weekday(word) {
                numbers.push(word);
            }
        }
    }
    if let Some(month) = named {
        let (year, day) = match numbers[..] {
            [year, day] if year.len() >= 4 => (year, day),
            [day, year] => (year, day),
            _ => return None,
        };
        found.date = Some(valid((number(year, 4, 7)?, month, number(day, 1, 2)?))?);
    } else if !numbers.is_empty() {
        return None;
    }
    if era {
        let (year, month, day) = found.date?;
        let year = if before_christ { 1 - year } else { year };
        found.date = Some(valid((year, month, day))?);
    }
    if let Some((year, ..)) = found.date.filter(|_| !era) {
        (year >= 1).then_some(())?;
    }
    if let (Some(afternoon), Some(time)) = (afternoon, found.time) {
        let hour = time / 3_600_000_000;
        let shift = match (hour, afternoon) {
            (12, false) => -12,
            (12, true) | (0..12, false) => 0,
            (0..12, true) => 12,
            _ => return None,
        };
        found.time = Some(time + shift * 3_600_000_000);
    }
    Some(found)
}

/// A date and a time with T between them, or T in front of a time.
fn halves(word: &str) -> Vec<&str> {
    match word.split_once('t') {
        Some((date, time))
            if time.starts_with(|c: char| c.is_ascii_digit())
                && (date.is_empty() || date.ends_with(|c: char| c.is_ascii_digit())) =>
        {
            [date, time].into_iter().filter(|half| !half.is_empty()).collect()
        }
        _ => vec![word],
    }
}

fn is_digits(word: &str) -> bool {
    word.starts_with(|c: char| c.is_ascii_digit())
}

/// `2024-01-31`.
fn iso(word: &str) -> Option<Date> {
    let parts: Vec<&str> = word.split('-').collect();
    let [year, month, day] = parts[..] else { return None };
    valid((number(year, 4, 7)?, number(month, 1, 2)?, number(day, 1, 2)?))
}

/// `31-Jan-2024` and its kin.
fn with_name(word: &str) -> Option<Date> {
    let parts: Vec<&str> = word.split('-').collect();
    let (year, name, day) = match parts[..] {
        [year, name, day] if year.len() >= 4 && month(name).is_some() => (year, name, day),
        [day, name, year] if month(name).is_some() => (year, name, day),
        [name, day, year] => (year, name, day),
        _ => return None,
    };
    valid((number(year, 4, 7)?, month(name)?, number(day, 1, 2)?))
}

/// `20240131`, where nothing makes it a time.
fn compact(word: &str, taken: bool) -> Option<Date> {
    if taken || word.len() != 8 || !word.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    valid((number(&word[..4], 4, 4)?, number(&word[4..6], 2, 2)?, number(&word[6..], 2, 2)?))
}

/// A time and the zone that grew together with it.
fn split_zone(word: &str) -> Option<(&str, Option<&str>)> {
    match word.find(|c: char| !(c.is_ascii_digit() || ":.".contains(c))) {
        Some(at) => Some((&word[..at], Some(&word[at..]))),
        None => Some((word, None)),
    }
}

/// Seconds east of Greenwich.
fn offset(zone: &str) -> Option<i64> {
    if matches!(zone, "z" | "utc" | "gmt" | "zulu") {
        return Some(0);
    }
    let digits = zone.strip_prefix(['+', '-'])?;
    let parts: Vec<&str> = digits.split(':').collect();
    let (hours, minutes, seconds) = match parts[..] {
        [all] if all.len() == 4 => (number(&all[..2], 2, 2)?, number(&all[2..], 2, 2)?, 0),
        [hours] => (number(hours, 1, 2)?, 0, 0),
        [hours, minutes] => (number(hours, 1, 2)?, number(minutes, 2, 2)?, 0),
        [hours, minutes, seconds] => (number(hours, 1, 2)?, number(minutes, 2, 2)?, number(seconds, 2, 2)?),
        _ => return None,
    };
    if hours > 15 || minutes > 59 || seconds > 59 {
        return None;
    }
    let size = (hours * 60 + minutes) * 60 + seconds;
    Some(if zone.starts_with('-') { -size } else { size })
}

/// Microseconds of a fraction of a second, rounded as PostgreSQL rounds them.
pub fn fraction(digits: &str) -> Option<i64> {
    if !digits.bytes().all(|byte| byte.is_ascii_digit()) || digits.len() > 15 {
        return None;
    }
    if digits.len() <= 6 {
        return number(&format!("{digits:0<6}"), 6, 6);
    }
    // Exactly between two: how the machine holds it decides.
    if digits[6..].starts_with('5') {
        return None;
    }
    let up = i64::from(digits[6..] > *"5");
    Some(number(&digits[..6], 6, 6)? + up)
}

/// Microseconds of the day.
fn time_of_day(text: &str) -> Option<i64> {
    let (clock, part) = text.split_once('.').map_or((text, None), |(clock, part)| (clock, Some(part)));
    let parts: Vec<&str> = clock.split(':').collect();
    let (hour, minute, second) = match parts[..] {
        [all] if all.len() == 6 => (&all[..2], &all[2..4], &all[4..]),
        [all] if all.len() == 4 && part.is_none() => (&all[..2], &all[2..], "0"),
        [hour, minute] if part.is_none() => (hour, minute, "0"),
        [hour, minute, second] => (hour, minute, second),
        _ => return None,
    };
    let (hour, minute, second) = (number(hour, 1, 2)?, number(minute, 1, 2)?, number(second, 1, 2)?);
    let time = ((hour * 60 + minute) * 60 + second) * 1_000_000 + part.map_or(Some(0), fraction)?;
    (minute <= 59 && second <= 59 && (hour <= 23 || time == DAY)).then_some(time)
}

pub fn print_time(microseconds: i64) -> String {
    let (seconds, micro) = (microseconds / 1_000_000, microseconds % 1_000_000);
    let fraction =
        if micro == 0 { String::new() } else { format!(".{micro:06}").trim_end_matches('0').into() };
    format!("{:02}:{:02}:{:02}{fraction}", seconds / 3600, seconds / 60 % 60, seconds % 60)
}

/// What stands behind a date that is before Christ.
fn era(year: i64) -> &'static str {
    if year < 1 { " BC" } else { "" }
}

fn print_date((year, month, day): Date) -> String {
    format!("{:04}-{month:02}-{day:02}", if year < 1 { 1 - year } else { year })
}

/// Both ends of time, and its beginning for a computer.
fn special(text: &str, epoch: &str) -> Option<String> {
    match text.trim().to_ascii_lowercase().as_str() {
        "epoch" => Some(epoch.to_owned()),
        end @ ("infinity" | "-infinity") => Some(end.to_owned()),
        _ => None,
    }
}

/// The day after one of a four-digit year.
pub fn day_after(text: &str) -> Option<String> {
    let next = from_days(days(iso(text)?) + 1);
    (next.0 < 10_000).then(|| print_date(next))
}

/// Days since 0000-03-01.
fn days((year, month, day): Date) -> i64 {
    let year = if month > 2 { year } else { year - 1 };
    let month = (month + 9) % 12;
    year * 365 + year.div_euclid(4) - year.div_euclid(100)
        + year.div_euclid(400)
        + (month * 306 + 5) / 10
        + day
        - 1
}

fn from_days(days: i64) -> Date {
    let mut year = (days * 400).div_euclid(146_097) + 1;
    while self::days((year, 3, 1)) > days {
        year -= 1;
    }
    let rest = days - self::days((year, 3, 1));
    let month = (rest * 10 + 5) / 306;
    let day = rest - (month * 306 + 5) / 10 + 1;
    let (year, month) = if month > 9 { (year + 1, month - 9) } else { (year, month + 3) };
    (year, month, day)
}

/// `date`.
pub fn date(text: &str) -> Option<String> {
    special(text, "1970-01-01").or_else(|| {
        let found = read(text, false)?;
        let date = found.date.filter(|(year, ..)| (FIRST..=LAST_OF_DATE).contains(year))?;
        Some(format!("{}{}", print_date(date), era(date.0)))
    })
}

/// `time`: a date and a zone say nothing of it.
pub fn time(text: &str) -> Option<String> {
    read(text, true)?.time.map(print_time)
}

/// `time with time zone`.
pub fn timetz(text: &str) -> Option<String> {
    let found = read(text, true)?;
    let zone = found.zone.unwrap_or(0);
    let (size, sign) = (zone.abs(), if zone < 0 { '-' } else { '+' });
    let mut printed = format!("{}{sign}{:02}", print_time(found.time?), size / 3600);
    if size % 3600 > 0 {
        printed.push_str(&format!(":{:02}", size / 60 % 60));
    }
    if size % 60 > 0 {
        printed.push_str(&format!(":{:02}", size % 60));
    }
    Some(printed)
}

/// A timestamp, moved by so many seconds.
fn moved(found: Read, zone: i64, suffix: &str) -> Option<String> {
    let date = found.date.filter(|(year, ..)| (FIRST..=LAST).contains(year))?;
    let time = found.time.unwrap_or(0) - zone * 1_000_000;
    let date = from_days(days(date) + time.div_euclid(DAY));
    let year = date.0;
    (FIRST..=LAST)
        .contains(&year)
        .then(|| format!("{} {}{suffix}{}", print_date(date), print_time(time.rem_euclid(DAY)), era(year)))
}

/// `timestamp`: a zone says nothing of it.
pub fn timestamp(text: &str) -> Option<String> {
    special(text, "1970-01-01 00:00:00").or_else(|| moved(read(text, false)?, 0, ""))
}

/// `timestamp with time zone`; without a zone it is of UTC.
pub fn timestamptz(text: &str) -> Option<String> {
    special(text, "1970-01-01 00:00:00+00").or_else(|| {
        let found = read(text, false)?;
        moved(found, found.zone.unwrap_or(0), "+00")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_read_where_nothing_is_in_doubt() {
        for (text, printed) in [
            ("2024-2-29", "2024-02-29"),
            (" 20240229 ", "2024-02-29"),
            ("Jan 08 1999", "1999-01-08"),
            ("January 8, 1999", "1999-01-08"),
            ("8 january 1999", "1999-01-08"),
            ("1999 Jan 08", "1999-01-08"),
            ("08-Jan-1999", "1999-01-08"),
            ("1999-Jan-08", "1999-01-08"),
            ("0044-03-15 BC", "0044-03-15 BC"),
            ("12345-01-01", "12345-01-01"),
            ("Infinity", "infinity"),
            ("epoch", "1970-01-01"),
            ("2024-01-01 12:00", "2024-01-01"),
        ] {
            assert_eq!(date(text).as_deref(), Some(printed), "{text}");
        }
        for odd in [
            "2023-02-29",
            "01/02/2024",
            "01-02-2024",
            "990108",
            "99-Jan-08",
            "today",
            "now",
            "2024-01",
            "0000-01-01",
            "2024-01-01 2024-01-02",
            "Jan 8",
            "2024-01-01 BC AD",
            "J2451187",
            "",
            "12:00",
        ] {
            assert_eq!(date(odd), None, "{odd}");
        }
    }

    #[test]
    fn moments_are_printed_in_utc() {
        for (text, printed) in [
            ("2024-01-01", "2024-01-01 00:00:00"),
            ("2024-01-01T12:30", "2024-01-01 12:30:00"),
            ("2024-01-01 24:00:00", "2024-01-02 00:00:00"),
            ("2024-01-01 01:02:03.1234567+05", "2024-01-01 01:02:03.123457"),
            ("20011227 040506", "2001-12-27 04:05:06"),
            ("20011227T040506.789", "2001-12-27 04:05:06.789"),
            ("2024-01-01 12:30 pm", "2024-01-01 12:30:00"),
            ("2024-01-01 12:30 AM", "2024-01-01 00:30:00"),
        ] {
            assert_eq!(timestamp(text).as_deref(), Some(printed), "{text}");
        }
        for (text, printed) in [
            ("2024-01-01 00:00:00", "2024-01-01 00:00:00+00"),
            ("2024-01-01 00:30+01", "2023-12-31 23:30:00+00"),
            ("2024-02-29T23:00:00.50-02:00", "2024-03-01 01:00:00.5+00"),
            ("2024-01-01 00:00:00 UTC", "2024-01-01 00:00:00+00"),
            ("20011227 040506+08", "2001-12-26 20:05:06+00"),
            ("0001-01-01 00:00+01", "0001-12-31 23:00:00+00 BC"),
        ] {
            assert_eq!(timestamptz(text).as_deref(), Some(printed), "{text}");
        }
        for odd in [
            "2024-01-01 00:00:00Z1",
            "2024-01-01 00:00 PST",
            "2024-01-01 America/New_York",
            "2024-01-01 25:00",
            "2024-01-01 13:00 pm",
            "2024-01-01 00:00:00.0000005",
            "2024-01-01+01",
        ] {
            assert_eq!(timestamptz(odd), None, "{odd}");
        }
        assert_eq!(time("040506").as_deref(), Some("04:05:06"));
        assert_eq!(time("T04:05").as_deref(), Some("04:05:00"));
        assert_eq!(time("24:00:00").as_deref(), Some("24:00:00"));
        assert_eq!(time("24:00:01"), None);
        assert_eq!(timetz("11:27:42").as_deref(), Some("11:27:42+00"));
        assert_eq!(timetz("13:30:25.5-04:30").as_deref(), Some("13:30:25.5-04:30"));
    }

    #[test]
    fn days_are_counted_both_ways() {
        for date in [
            (2000, 2, 29),
            (1, 1, 1),
            (0, 12, 31),
            (-4712, 1, 1),
            (294275, 12, 31),
            (1900, 3, 1),
            (2024, 12, 31),
        ] {
            assert_eq!(from_days(days(date)), date);
        }
        assert_eq!(days((2000, 3, 1)) - days((2000, 2, 28)), 2);
    }
}
