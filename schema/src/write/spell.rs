//! Stored SQL in words that mean it when they are read again.
//!
//! PostgreSQL does not always read its own words as it wrote them. `x in ('a', 'b')` over a varchar is stored as an
//! array of varchar that is cast as a whole, and printed so; read again, the cast goes to each element, which is stored
//! otherwise (transformArrayExpr in parse_expr.c). The list that people write is what comes back as it was. Whether it
//! does is for the caller to see: analysis gives the stored text for it, or it is not used.

use crate::parse;

/// The same with lists in place of such arrays; nothing when there is none.
pub fn spell(text: &str) -> Option<String> {
    if !text.contains("])::text[])") {
        return None;
    }
    let tokens = parse::tokens(text).ok()?;
    let words: Vec<&str> = tokens.iter().filter_map(|token| text.get(token.start..token.end)).collect();
    if words.len() != tokens.len() {
        return None;
    }
    let mut out = String::with_capacity(text.len());
    let mut from = 0;
    let mut at = 0;
    while at < words.len() {
        let found = list(&words, at).and_then(|list| Some((opening(&words, at)?, list)));
        let Some((open, List { negated, values, end })) = found else {
            at += 1;
            continue;
        };
        if tokens[open].start < from {
            at += 1;
            continue;
        }
        out.push_str(&text[from..tokens[open].start]);
        out.push_str(&text[tokens[open].end..tokens[at].start]);
        out.push_str(if negated { " NOT IN (" } else { " IN (" });
        out.push_str(&values.join(", "));
        out.push(')');
        from = tokens[end].end;
        at = end + 1;
    }
    (from > 0).then(|| {
        out.push_str(&text[from..]);
        out
    })
}

struct List<'a> {
    negated: bool,
    values: Vec<&'a str>,
    end: usize,
}

/// `)::text = ANY ((ARRAY['a'::character varying, …])::text[])`, which begins at `at`.
fn list<'a>(words: &[&'a str], at: usize) -> Option<List<'a>> {
    const ANY: [&str; 9] = [")", "::", "text", "=", "ANY", "(", "(", "ARRAY", "["];
    const ALL: [&str; 9] = [")", "::", "text", "<>", "ALL", "(", "(", "ARRAY", "["];
    const END: [&str; 7] = ["]", ")", "::", "text", "[", "]", ")"];
    let head = words.get(at..at + 9)?;
    let negated = head == ALL;
    if head != ANY && !negated {
        return None;
    }
    let mut values = Vec::new();
    let mut next = at + 9;
    loop {
        let [value, "::", "character", "varying", after] = *words.get(next..next + 5)? else { return None };
        if !value.starts_with(['\'', 'E']) || !value.ends_with('\'') {
            return None;
        }
        values.push(value);
        next += 5;
        if after != "," {
            break;
        }
    }
    let end = next - 1;
    (words.get(end..end + 7)? == END).then_some(List { negated, values, end: end + 6 })
}

/// The parenthesis that the one at `close` closes.
fn opening(words: &[&str], close: usize) -> Option<usize> {
    let mut depth = 0_usize;
    for at in (0..close).rev() {
        match words[at] {
            ")" => depth += 1,
            "(" if depth == 0 => return Some(at),
            "(" => depth -= 1,
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::spell;

    #[test]
    fn lists_over_varchar_are_lists_again() {
        let stored =
            "((role)::text = ANY ((ARRAY['user'::character varying, 'it''s'::character varying])::text[]))";
        assert_eq!(spell(stored).unwrap(), "(role IN ('user', 'it''s'))");
        let stored =
            "((a > 1) AND ((lower((b)::text))::text <> ALL ((ARRAY['x'::character varying])::text[])))";
        assert_eq!(spell(stored).unwrap(), "((a > 1) AND (lower((b)::text) NOT IN ('x')))");
    }

    #[test]
    fn what_is_read_as_it_was_written_stays() {
        for stored in [
            "(role = ANY (ARRAY['a'::text, 'b'::text]))",
            "((role)::text = ANY (ARRAY[('a'::character varying)::text]))",
            "((role)::text = ANY ((ARRAY['a'::character varying, x])::text[]))",
            "((role)::text = ANY ((ARRAY['a'::character varying])::text[]",
            "'((role)::text = ANY ((ARRAY[''a''::character varying])::text[]))'",
        ] {
            assert_eq!(spell(stored), None, "{stored}");
        }
    }
}
