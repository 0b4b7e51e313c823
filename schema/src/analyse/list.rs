//! Literals of arrays, as `array_in` reads and `array_out` prints them.
//!
//! Not understood: what versions read differently, such as junk beside quotes and empty arrays within arrays.

use crate::analyse::types::Type;
use crate::analyse::world::World;
use crate::analyse::{Analysed, constant, undecided};

/// As many dimensions as an array may have.
const DIMENSIONS: usize = 6;

/// An element: its text, unless it is NULL.
type Element = Option<String>;

/// An array literal, printed.
pub fn input(world: &World<'_>, of: Type, text: &str) -> Analysed<String> {
    let Some(element) = of.element() else { return undecided("no array") };
    let odd = || undecided(format!("the array literal '{text}'"));
    // Those of boxes stand between semicolons.
    if element.is("box") {
        return odd();
    }
    let Some((bounds, body)) = bounds(text.trim_matches(is_space)) else { return odd() };
    let mut reader = Reader { rest: body, lengths: Vec::new(), leaf: None, elements: Vec::new() };
    if reader.list(0).is_none() || !reader.rest.is_empty() {
        return odd();
    }
    let Reader { lengths, elements, .. } = reader;
    if elements.is_empty() {
        return if lengths.len() == 1 && bounds.is_empty() { Ok("{}".into()) } else { odd() };
    }
    if !bounds.is_empty() && bounds.iter().map(|(_, length)| *length).ne(lengths.iter().copied()) {
        return odd();
    }
    let mut printed = Vec::new();
    for value in elements {
        let Some(value) = value else {
            printed.push("NULL".to_owned());
            continue;
        };
        let value = constant::input(world, element, &value)?;
        printed.push(quoted(if element.is("bool") { value.get(..1).unwrap_or("") } else { &value }));
    }
    let mut out = String::new();
    if bounds.iter().any(|(first, _)| *first != 1) {
        for (first, length) in &bounds {
            let last = i64::try_from(*length).ok().and_then(|length| (first + length).checked_sub(1));
            let Some(last) = last.filter(|last| *last < i64::from(i32::MAX)) else { return odd() };
            out.push_str(&format!("[{first}:{last}]"));
        }
        out.push('=');
    }
    let mut rest = printed.into_iter();
    write(&lengths, &mut rest, &mut out);
    Ok(out)
}

fn write(lengths: &[usize], elements: &mut impl Iterator<Item = String>, out: &mut String) {
    let Some((length, inner)) = lengths.split_first() else { return };
    out.push('{');
    for place in 0..*length {
        if place > 0 {
            out.push(',');
        }
        if inner.is_empty() {
            out.push_str(&elements.next().unwrap_or_default());
        } else {
            write(inner, elements, out);
        }
    }
    out.push('}');
}

/// `array_isspace`.
fn is_space(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\n' | '\r' | '\x0b' | '\x0c')
}

/// An element as it is printed.
fn quoted(value: &str) -> String {
    let special = |c: char| is_space(c) || "{},\"\\".contains(c);
    if !value.is_empty() && !value.eq_ignore_ascii_case("null") && !value.contains(special) {
        return value.to_owned();
    }
    format!("\"{}\"", value.replace('\\', "\\\\").replace('"', "\\\""))
}

/// What stands before `=`: where each dimension begins, and how long it is.
fn bounds(text: &str) -> Option<(Vec<(i64, usize)>, &str)> {
    let (mut rest, mut found) = (text, Vec::new());
    while let Some(inner) = rest.strip_prefix('[') {
        let (range, behind) = inner.split_once(']')?;
        let number = |text: &str| {
            let digits = text.strip_prefix('-').unwrap_or(text);
            let plain = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
            text.parse::<i32>().ok().filter(|_| plain).map(i64::from)
        };
        let (first, last) = match range.split_once(':') {
            Some((first, last)) => (number(first)?, number(last)?),
            None => (1, number(range)?),
        };
        found.push((first, usize::try_from(last - first + 1).ok().filter(|length| *length > 0)?));
        rest = behind;
    }
    if found.is_empty() {
        return Some((found, text));
    }
    Some((found, rest.trim_start_matches(is_space).strip_prefix('=')?.trim_start_matches(is_space)))
}

struct Reader<'a> {
    rest: &'a str,
    /// The length of each dimension, as far as one is complete.
    lengths: Vec<usize>,
    /// At which depth elements stand.
    leaf: Option<usize>,
    elements: Vec<Element>,
}

impl Reader<'_> {
    fn blanks(&mut self) {
        self.rest = self.rest.trim_start_matches(is_space);
    }

    fn take(&mut self, c: char) -> bool {
        self.blanks();
        let found = self.rest.strip_prefix(c);
        self.rest = found.unwrap_or(self.rest);
        found.is_some()
    }

    fn list(&mut self, depth: usize) -> Option<()> {
        if depth >= DIMENSIONS || !self.take('{') {
            return None;
        }
        if self.lengths.len() <= depth {
            self.lengths.push(usize::MAX);
        }
        let mut count = 0;
        if self.take('}') {
            // Of empty ones only the outermost is understood.
            if depth > 0 || self.lengths.len() > 1 {
                return None;
            }
            self.lengths[depth] = 0;
            return Some(());
        }
        loop {
            self.blanks();
            if self.rest.starts_with('{') {
                if self.leaf.is_some_and(|leaf| leaf <= depth) {
                    return None;
                }
                self.list(depth + 1)?;
            } else {
                if *self.leaf.get_or_insert(depth) != depth {
                    return None;
                }
                let element = self.element()?;
                self.elements.push(element);
            }
            count += 1;
            if self.take('}') {
                break;
            }
            if !self.take(',') {
                return None;
            }
        }
        let known = self.lengths.get_mut(depth)?;
        if *known == usize::MAX {
            *known = count;
        }
        (*known == count).then_some(())
    }

    fn element(&mut self) -> Option<Element> {
        if let Some(inner) = self.rest.strip_prefix('"') {
            let (mut value, mut characters) = (String::new(), inner.char_indices());
            loop {
                match characters.next()? {
                    (_, '\\') => value.push(characters.next()?.1),
                    (at, '"') => {
                        self.rest = &inner[at + 1..];
                        break;
                    }
                    (_, c) => value.push(c),
                }
            }
            self.blanks();
            return self.rest.starts_with([',', '}']).then_some(Some(value));
        }
        let end = self.rest.find([',', '}', '{', '"', '\\'])?;
        let (value, rest) = self.rest.split_at(end);
        let value = value.trim_end_matches(is_space);
        if value.is_empty() || !rest.starts_with([',', '}']) {
            return None;
        }
        self.rest = rest;
        Some((!value.eq_ignore_ascii_case("null")).then(|| value.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::Catalog;

    fn printed(of: &str, text: &str) -> Option<String> {
        let catalog = Catalog::default();
        let world = World::new(&catalog, &catalog, &[], 18, true);
        input(&world, Type::system(of), text).ok()
    }

    #[test]
    fn elements_are_quoted_where_they_have_to_be() {
        for (of, text, stored) in [
            ("_text", "{a,b}", "{a,b}"),
            ("_text", " { a b , \"c\" , \"\" , null, \"NULL\" } ", "{\"a b\",c,\"\",NULL,\"NULL\"}"),
            ("_text", "{\"a\\\"b\",\"c\\\\d\"}", "{\"a\\\"b\",\"c\\\\d\"}"),
            ("_int4", "{{1,2},{3,NULL}}", "{{1,2},{3,NULL}}"),
            ("_int4", "[2:4]={1,2,3}", "[2:4]={1,2,3}"),
            ("_int4", "[1:3]={1,2,3}", "{1,2,3}"),
            ("_int4", "[0:1][-1:0] = {{1,2},{3,4}}", "[0:1][-1:0]={{1,2},{3,4}}"),
            ("_bool", "{yes,f}", "{t,f}"),
            ("_int4", "{}", "{}"),
        ] {
            assert_eq!(printed(of, text).as_deref(), Some(stored), "{text}");
        }
        for (of, text) in [
            ("_int4", "{{1,2},{3}}"),
            ("_int4", "{1,{2}}"),
            ("_int4", "{{1},2}"),
            ("_int4", "{{},{}}"),
            ("_int4", "[1:2]={1,2,3}"),
            ("_int4", "{1,2"),
            ("_int4", "{1,,2}"),
            ("_text", "{a\"b\"}"),
            ("_text", "{\"a\"b}"),
            ("_text", "{a\\b}"),
            ("_int4", "{1}}"),
        ] {
            assert_eq!(printed(of, text), None, "{text}");
        }
    }
}
