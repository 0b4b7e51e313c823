//! One shape for the files that people write: what `schemac fmt` does.
//!
//! It works on whole lines: they are indented anew (two blanks a level, lists one level deeper than their key), and keys
//! that the language knows are put into its order. Blanks at the ends of lines, blank lines beyond one, a byte order
//! mark and CR LF go away. What stands on a line stays as it is, comments too, and so does the inside of scalars. The
//! result counts only when it has the same lines and is read as the same: nothing here is trusted to keep the meaning.
//! Not here: values are not spelt anew, and names that people choose keep their order.

use serde_json::Value as Json;

use crate::diagnostic::Diagnostic;
use crate::span::{FileId, Sources};
use crate::spec::json_schema::Kind;
use crate::spec::{read_domain, read_project, read_rules};
use crate::write;
use crate::yaml::{self, Key, Node, Style, Value};

/// What laying out came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Laid {
    /// The text.
    Out(String),
    /// The text would not mean the same: the file is best left as it is.
    Refused,
}

/// Lays out a file of a kind; `schema` is its JSON Schema.
///
/// # Errors
/// What is wrong in the file, with its place: only what can be read is laid out.
pub fn layout(sources: &Sources, file: FileId, kind: Kind, schema: &Json) -> Result<Laid, Diagnostic> {
    let text = sources.text(file);
    let before = meaning(sources, file, kind)?;
    let plain = text.trim_start_matches('\u{feff}').replace("\r\n", "\n");
    let Some(once) = arranged(&plain, schema) else { return Ok(Laid::Refused) };
    let mut again = Sources::new();
    let read = again.add("", once.as_str());
    let same =
        meaning(&again, read, kind).is_ok_and(|after| after == before) && lines_of(&plain) == lines_of(&once);
    let stable = same && arranged(&once, schema).as_deref() == Some(once.as_str());
    Ok(if stable { Laid::Out(once) } else { Laid::Refused })
}

/// All that is read of a file, without places.
fn meaning(sources: &Sources, file: FileId, kind: Kind) -> Result<String, Diagnostic> {
    match kind {
        Kind::Domain => read_domain(sources, file).map(|spec| format!("{spec:?}")),
        Kind::Project => read_project(sources, file).map(|spec| format!("{spec:?}")),
        Kind::Rules => read_rules(sources, file).map(|spec| format!("{spec:?}")),
    }
}

/// The lines that are not blank, without what is around them, in any order.
fn lines_of(text: &str) -> Vec<&str> {
    let mut lines: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    lines.sort_unstable();
    lines
}

fn arranged(text: &str, schema: &Json) -> Option<String> {
    let mut sources = Sources::new();
    let file = sources.add("", text);
    let root = yaml::parse(&sources, file).ok()?;
    let lines: Vec<&str> = text.lines().collect();
    let mut page = Page {
        sources: &sources,
        file,
        inside: vec![false; lines.len()],
        shift: vec![None; lines.len()],
        lines,
        root: schema,
    };
    page.place(&root, 0, 0);
    page.place_comments();
    let all = 0..page.lines.len();
    let order = page.order(&root, Some(schema), all);
    Some(page.print(&order))
}

struct Page<'a> {
    sources: &'a Sources,
    file: FileId,
    lines: Vec<&'a str>,
    /// Whether a line is the inside of a value that began on an earlier one.
    inside: Vec<bool>,
    /// By how many blanks a line moves to the right.
    shift: Vec<Option<isize>>,
    root: &'a Json,
}

type Lines = std::ops::Range<usize>;

impl Page<'_> {
    /// The line (from 0) and the column (from 0, in bytes) of a byte.
    fn at(&self, byte: u32) -> (usize, usize) {
        let line = self.sources.place(self.file, byte).line;
        (line - 1, (byte as usize).saturating_sub(self.sources.line(self.file, line).start))
    }

    fn indent(&self, line: usize) -> usize {
        let text = self.lines.get(line).copied().unwrap_or("");
        text.len() - text.trim_start_matches(' ').len()
    }

    fn is_comment(&self, line: usize) -> bool {
        !self.inside[line] && self.lines[line].trim_start().starts_with('#')
    }

    fn is_blank(&self, line: usize) -> bool {
        !self.inside[line] && self.lines[line].trim().is_empty()
    }

    /// Decides how far the lines of a node move, so that it begins at the column `wanted`; `around` is how far the
    /// line moves on which it stands when it is no block.
    fn place(&mut self, node: &Node, wanted: usize, around: isize) {
        match &node.value {
            Value::Mapping { entries, flow: false } => {
                let Some((first, _)) = entries.first() else { return };
                let column = self.at(first.span.start).1;
                let delta = signed(wanted) - signed(column);
                for (key, value) in entries {
                    let (line, at) = self.at(key.span.start);
                    if at == self.indent(line) {
                        self.shift[line] = Some(delta);
                    }
                    self.follow(key.span.start, key.span.end, delta);
                    let below = self.at(value.span.start).0 > line;
                    let is_list = matches!(value.value, Value::Sequence { flow: false, .. });
                    let deeper = if below || is_list { wanted + 2 } else { wanted };
                    self.place(value, deeper, delta);
                }
            }
            Value::Sequence { items, flow: false } => {
                for item in items {
                    self.place_item(item, wanted, around);
                }
            }
            Value::Scalar(scalar) if matches!(scalar.style, Style::Literal | Style::Folded) => {
                let (first, _) = self.at(node.span.start);
                let (last, _) = self.at(node.span.end.saturating_sub(1).max(node.span.start));
                let mut end = last.min(self.lines.len().saturating_sub(1));
                while end > first && self.lines[end].trim().is_empty() {
                    end -= 1;
                }
                for line in first..=end {
                    if let Some(inside) = self.inside.get_mut(line) {
                        *inside = true;
                        self.shift[line] = Some(around);
                    }
                }
            }
            _ => self.follow(node.span.start, node.span.end, around),
        }
    }

    fn place_item(&mut self, item: &Node, wanted: usize, around: isize) {
        let (line, column) = self.at(item.span.start);
        let indent = self.indent(line);
        let has_dash = self.lines.get(line).is_some_and(|text| text.trim_start().starts_with("- "));
        if !has_dash || column <= indent {
            // Alone on the lines below its dash, or a list in a list: both move as they are.
            return self.place(item, column.saturating_add_signed(around), around);
        }
        let delta = signed(wanted) - signed(indent);
        self.shift[line] = Some(delta);
        self.place(item, column.saturating_add_signed(delta), delta);
    }

    /// The lines of a value behind its first one move with it.
    fn follow(&mut self, start: u32, end: u32, delta: isize) {
        let (first, last) = (self.at(start).0, self.at(end).0);
        for line in first + 1..=last {
            if line < self.lines.len() {
                self.inside[line] = true;
                self.shift[line] = Some(delta);
            }
        }
    }

    /// Comments move with what they are beside of.
    fn place_comments(&mut self) {
        for line in (0..self.lines.len()).rev() {
            if self.shift[line].is_some() || self.lines[line].trim().is_empty() {
                continue;
            }
            let indent = self.indent(line);
            let content = |other: &usize| !self.inside[*other] && self.shift[*other].is_some();
            let next = (line + 1..self.lines.len()).find(content);
            let same = |other: &usize| self.indent(*other) == indent;
            let before = || (0..line).rev().filter(content).find(same).or((0..line).rev().find(content));
            let beside = next.filter(same).or_else(before).or(next);
            self.shift[line] = Some(beside.and_then(|other| self.shift[other]).unwrap_or(0));
        }
    }

    /// The lines of a range, in the order in which the keys of the node in it shall stand.
    fn order(&self, node: &Node, schema: Option<&Json>, range: Lines) -> Vec<usize> {
        let Value::Mapping { entries, flow: false } = &node.value else {
            return self.order_items(node, schema, range);
        };
        let line = |key: &Key| self.at(key.span.start);
        let Some((first, _)) = entries.first() else { return range.collect() };
        // Behind a dash the first key's line is not its own.
        let own = entries.iter().all(|(key, _)| line(key).1 == self.indent(line(key).0));
        let mut starts: Vec<usize> = entries.iter().map(|(key, _)| line(key).0).collect();
        let head = if range.start == 0 { line(first).0 } else { range.start };
        // Comments at the end that stand further to the left belong to what is around.
        let column = line(first).1;
        let mut tail = range.end;
        let outer = |at: usize| self.is_blank(at) || (self.is_comment(at) && self.indent(at) < column);
        while tail > range.start && outer(tail - 1) {
            tail -= 1;
        }
        for (index, start) in starts.iter_mut().enumerate() {
            let indent = self.indent(*start);
            let floor = if index == 0 { head } else { line(&entries[index - 1].0).0 + 1 };
            while *start > floor && self.is_comment(*start - 1) && self.indent(*start - 1) == indent {
                *start -= 1;
            }
            while *start > floor && self.is_blank(*start - 1) {
                *start -= 1;
            }
            if index == 0 {
                *start = head;
            }
        }
        let mut pieces: Vec<(usize, Vec<usize>)> = Vec::new();
        let properties = schema.map(|schema| self.object(schema));
        for (index, (key, value)) in entries.iter().enumerate() {
            let end = starts.get(index + 1).copied().unwrap_or(tail);
            let below = (line(key).0 + 1).min(end);
            let inner = properties.as_ref().and_then(|all| all.value(&key.text));
            let mut lines: Vec<usize> = (starts[index]..below).collect();
            lines.extend(self.order(value, inner, below..end));
            let known = properties.as_ref().is_some_and(|all| all.is_key(&key.text));
            pieces.push((if known { write::rank(&key.text) } else { usize::MAX }, lines));
        }
        let movable = own && pieces.iter().all(|(rank, _)| *rank != usize::MAX);
        if movable && !pieces.is_sorted_by_key(|(rank, _)| *rank) {
            pieces.sort_by_key(|(rank, _)| *rank);
            // The blank line that set an entry off from the one before has nothing before it now.
            if let Some((_, lines)) = pieces.first_mut() {
                let blank = lines.iter().take_while(|line| self.is_blank(**line)).count();
                lines.drain(..blank);
            }
        }
        let lines = pieces.into_iter().flat_map(|(_, lines)| lines);
        (range.start..head).chain(lines).chain(tail..range.end).collect()
    }

    fn order_items(&self, node: &Node, schema: Option<&Json>, range: Lines) -> Vec<usize> {
        let Value::Sequence { items, flow: false } = &node.value else { return range.collect() };
        let starts: Vec<usize> = items.iter().map(|item| self.at(item.span.start).0).collect();
        let item_schema = schema.and_then(|schema| self.object(schema).items);
        let mut lines: Vec<usize> = (range.start..starts.first().copied().unwrap_or(range.end)).collect();
        for (index, item) in items.iter().enumerate() {
            let end = starts.get(index + 1).copied().unwrap_or(range.end);
            lines.extend(self.order(item, item_schema, starts[index]..end));
        }
        lines
    }

    /// What a schema says of an object, through references and alternatives.
    fn object<'s>(&'s self, schema: &'s Json) -> Object<'s> {
        let mut found = Object { properties: None, rest: None, items: None };
        self.gather(schema, &mut found, 0);
        found
    }

    fn gather<'s>(&'s self, schema: &'s Json, found: &mut Object<'s>, depth: usize) {
        if depth > 16 {
            return;
        }
        if let Some(target) = schema.get("$ref").and_then(Json::as_str) {
            if let Some(target) = target.strip_prefix('#').and_then(|pointer| self.root.pointer(pointer)) {
                self.gather(target, found, depth + 1);
            }
        }
        for one in ["anyOf", "oneOf", "allOf"].iter().filter_map(|key| schema.get(*key)?.as_array()).flatten()
        {
            self.gather(one, found, depth + 1);
        }
        found.properties = found.properties.or(schema.get("properties"));
        found.rest = found.rest.or(schema.get("additionalProperties").filter(|rest| rest.is_object()));
        found.items = found.items.or(schema.get("items"));
    }

    fn print(&self, order: &[usize]) -> String {
        let mut out = String::new();
        let mut blank = true;
        for line in order {
            let (text, inside) = (self.lines[*line], self.inside[*line]);
            if text.is_empty() || (text.trim().is_empty() && !inside) {
                if inside || !blank {
                    out.push('\n');
                }
                blank = !inside;
                continue;
            }
            blank = false;
            let indent = self.indent(*line).saturating_add_signed(self.shift[*line].unwrap_or(0));
            out.extend(std::iter::repeat_n(' ', indent));
            let text = text.trim_start_matches(' ');
            out.push_str(if inside { text } else { text.trim_end() });
            out.push('\n');
        }
        while out.ends_with("\n\n") {
            out.pop();
        }
        out
    }
}

struct Object<'s> {
    properties: Option<&'s Json>,
    rest: Option<&'s Json>,
    items: Option<&'s Json>,
}

impl<'s> Object<'s> {
    fn is_key(&self, key: &str) -> bool {
        self.properties.is_some_and(|all| all.get(key).is_some())
    }

    fn value(&self, key: &str) -> Option<&'s Json> {
        self.properties.and_then(|all| all.get(key)).or(self.rest)
    }
}

fn signed(number: usize) -> isize {
    isize::try_from(number).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::json_schema::json_schema;

    fn laid(text: &str) -> Laid {
        let mut sources = Sources::new();
        let file = sources.add("a.yaml", text);
        layout(&sources, file, Kind::Domain, &json_schema(Kind::Domain))
            .unwrap_or_else(|error| panic!("{error:?}"))
    }

    fn out(text: &str) -> String {
        match laid(text) {
            Laid::Out(text) => text,
            Laid::Refused => panic!("refused: {text}"),
        }
    }

    #[test]
    fn lines_move_and_stay_as_they_are() {
        let before = "\u{feff}# what this is\r\n\r\n\r\ntables:\r\n    # people\r\n    users:\r\n        columns:  # in order\r\n            z: int\r\n            # the first\r\n            a: text\r\n\r\n        comment: >-\r\n            they\r\n              are\r\n        moved_from:\r\n        - public.users\r\n    # not yet\r\n    # old: {}\r\ndomain:   app   \r\ncomment: |2\r\n    two\r\n   one\r\n";
        let after = "# what this is\n\ndomain:   app\ncomment: |2\n    two\n   one\ntables:\n  # people\n  users:\n    comment: >-\n        they\n          are\n    moved_from:\n      - public.users\n    columns:  # in order\n      z: int\n      # the first\n      a: text\n  # not yet\n  # old: {}\n";
        assert_eq!(out(before), after);
    }

    #[test]
    fn scalars_keep_their_inside() {
        let text = "domain: app\nfunctions:\n  f:\n    language: plpgsql\n    body: |\n      begin   \n\n\n        return;\t\n      end\n    comment: 'a\n\n\n      b'\n";
        let shown = out(text);
        assert!(shown.contains("begin   \n\n\n        return;\t\n"), "{shown}");
        assert!(shown.contains("'a\n\n      b'") || shown.contains("'a\n\n\n      b'"), "{shown}");
    }

    #[test]
    fn flow_collections_and_lists_of_mappings() {
        let text = "domain: app\ndefault_privileges:\n- to: a\n  objects: tables\n  grant: all\n-   objects: sequences\n    to: [a,\n      b]\n    grant: {\n    }\n";
        let mut sources = Sources::new();
        let file = sources.add("a.yaml", text);
        assert!(layout(&sources, file, Kind::Domain, &json_schema(Kind::Domain)).is_err());
        let text = "domain: app\ndefault_privileges:\n- to: a\n  objects: tables\n  grant: all\n-   objects: sequences\n    to: [a,\n      b]\n";
        assert_eq!(
            out(text),
            "domain: app\ndefault_privileges:\n  - to: a\n    objects: tables\n    grant: all\n  -   objects: sequences\n      to: [a,\n        b]\n"
        );
    }

    #[test]
    fn every_key_has_its_place() {
        fn keys(value: &Json, found: &mut std::collections::BTreeSet<String>) {
            if let Some(properties) = value.get("properties").and_then(Json::as_object) {
                found.extend(properties.keys().cloned());
            }
            match value {
                Json::Object(all) => all.values().for_each(|one| keys(one, found)),
                Json::Array(all) => all.iter().for_each(|one| keys(one, found)),
                _ => {}
            }
        }
        let mut found = std::collections::BTreeSet::new();
        for kind in [Kind::Domain, Kind::Project, Kind::Rules] {
            keys(&json_schema(kind), &mut found);
        }
        let missing: Vec<&String> = found.iter().filter(|key| write::rank(key) == usize::MAX - 1).collect();
        assert!(missing.is_empty(), "{missing:?}");
    }
}
