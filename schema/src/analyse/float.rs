//! Floating point numbers as `float8out` prints them: the fewest digits that give the number again.

/// A number of eight bytes.
pub fn float8(text: &str) -> Option<String> {
    let text = text.trim_matches([' ', '\t', '\n', '\r', '\x0b', '\x0c']);
    special(text).or_else(|| {
        let number: f64 = plain(text)?.parse().ok()?;
        (number.is_finite() && (number != 0.0 || is_zero(text)))
            .then(|| shortest(&format!("{number:e}"), 15))?
    })
}

/// A number of four bytes.
pub fn float4(text: &str) -> Option<String> {
    let text = text.trim_matches([' ', '\t', '\n', '\r', '\x0b', '\x0c']);
    special(text).or_else(|| {
        let number: f32 = plain(text)?.parse().ok()?;
        (number.is_finite() && (number != 0.0 || is_zero(text)))
            .then(|| shortest(&format!("{number:e}"), 6))?
    })
}

fn special(text: &str) -> Option<String> {
    match text.to_ascii_lowercase().as_str() {
        "nan" => Some("NaN".into()),
        "infinity" | "inf" | "+infinity" | "+inf" => Some("Infinity".into()),
        "-infinity" | "-inf" => Some("-Infinity".into()),
        _ => None,
    }
}

/// Only decimal digits, a point and an exponent.
fn plain(text: &str) -> Option<&str> {
    let odd = |c: char| !(c.is_ascii_digit() || "+-.eE".contains(c));
    (!text.contains(odd) && text.contains(|c: char| c.is_ascii_digit())).then_some(text)
}

/// Whether nothing but zeros was written: anything else is too small to be told from it.
fn is_zero(text: &str) -> bool {
    let mantissa = text.split(['e', 'E']).next().unwrap_or(text);
    !mantissa.contains(|c: char| ('1'..='9').contains(&c))
}

/// From one digit, a fraction and an exponent; from so many digits in front of the point on with an exponent.
fn shortest(text: &str, most: i32) -> Option<String> {
    let (sign, text) = text.strip_prefix('-').map_or(("", text), |rest| ("-", rest));
    let (mantissa, exponent) = text.split_once('e')?;
    let exponent: i32 = exponent.parse().ok()?;
    let digits: String = mantissa.chars().filter(|c| *c != '.').collect();
    if exponent < -4 || exponent >= most {
        let (first, rest) = digits.split_at(1);
        let point = if rest.is_empty() { "" } else { "." };
        let direction = if exponent < 0 { '-' } else { '+' };
        return Some(format!("{sign}{first}{point}{rest}e{direction}{:02}", exponent.abs()));
    }
    let point = usize::try_from(exponent + 1).unwrap_or(0);
    if exponent < 0 {
        let zeros = usize::try_from(-exponent - 1).ok()?;
        return Some(format!("{sign}0.{}{digits}", "0".repeat(zeros)));
    }
    if digits.len() <= point {
        return Some(format!("{sign}{digits}{}", "0".repeat(point - digits.len())));
    }
    let (whole, fraction) = digits.split_at(point);
    Some(format!("{sign}{whole}.{fraction}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fewest_digits_are_printed() {
        for (text, printed) in [
            ("0", "0"),
            ("-0", "-0"),
            ("1.50", "1.5"),
            (" +12. ", "12"),
            (".5", "0.5"),
            ("0.0001", "0.0001"),
            ("0.00001", "1e-05"),
            ("1e14", "100000000000000"),
            ("1e15", "1e+15"),
            ("1.2345678901234e+200", "1.2345678901234e+200"),
            ("0.1", "0.1"),
            ("3.14159265358979323846", "3.141592653589793"),
            ("nan", "NaN"),
            ("-INF", "-Infinity"),
        ] {
            assert_eq!(float8(text).as_deref(), Some(printed), "{text}");
        }
        assert_eq!(float4("1234567").as_deref(), Some("1.234567e+06"));
        assert_eq!(float4("0.1").as_deref(), Some("0.1"));
        for odd in ["", "1e400", "1e-400", "0x10", "1_0", "infinit", "1 2", "e5"] {
            assert_eq!(float8(odd), None, "{odd}");
        }
    }
}
