//! From a place inside a scalar's text back to the byte in the file that it came from.
//!
//! YAML folds lines, takes away indentation and resolves escapes, so the text of a scalar is not what
//! stands in the file. The stretches that did stay the same are kept; most scalars are one stretch.

use std::sync::Arc;

use super::node::Style;
use super::parts::Edit;

/// A stretch of text that stands in the file as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stretch {
    /// Its first byte in the scalar's text.
    pub text: u32,
    /// Its first byte in the file.
    pub source: u32,
    /// Its length in bytes.
    pub len: u32,
}

/// Where the bytes of a scalar's text stand in the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Positions(Repr);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Repr {
    /// The text stands in the file as it is, from this byte on.
    Linear(u32),
    /// In the order of the text.
    Stretches(Arc<[Stretch]>),
}

impl Positions {
    /// The positions of a text that stands in the file as it is.
    #[must_use]
    pub fn linear(start: u32) -> Self {
        Self(Repr::Linear(start))
    }

    /// The byte in the file of a byte of the text. What lies behind the text's end is at its end.
    #[must_use]
    pub fn position(&self, offset: u32) -> u32 {
        let stretches = match &self.0 {
            Repr::Linear(start) => return start.saturating_add(offset),
            Repr::Stretches(stretches) => stretches,
        };
        let after = stretches.partition_point(|stretch| stretch.text <= offset);
        match stretches.get(after.saturating_sub(1)) {
            Some(stretch) => stretch.source + offset.saturating_sub(stretch.text).min(stretch.len),
            None => 0,
        }
    }

    /// The byte in the file behind the character `start..end` of the text, which may be longer there: an escape, a
    /// doubled quote.
    #[must_use]
    pub fn behind(&self, start: u32, end: u32) -> u32 {
        let first = self.position(start);
        let next = match &self.0 {
            Repr::Linear(_) => None,
            Repr::Stretches(stretches) => {
                stretches.get(stretches.partition_point(|stretch| stretch.text < end))
            }
        };
        match next {
            Some(next) if next.text == end && next.source > first => next.source,
            _ => first.saturating_add(end.saturating_sub(start)),
        }
    }

    /// The positions of a text that stands nowhere; all of it is at one byte.
    #[must_use]
    pub(super) fn constant(at: u32) -> Self {
        Self(Repr::Stretches(Arc::from([Stretch { text: 0, source: at, len: 0 }])))
    }

    /// The positions after replacing ranges of a text of `len` bytes; the ranges are in order.
    pub(super) fn edited(&self, len: usize, edits: &[Edit]) -> Self {
        let whole = [Stretch { text: 0, source: self.position(0), len: narrow(len) }];
        let stretches = match &self.0 {
            Repr::Linear(_) => &whole[..],
            Repr::Stretches(stretches) => stretches,
        };
        let mut edited = Vec::with_capacity(stretches.len() + edits.len() * 2);
        let (mut from, mut shift) = (0, 0);
        for edit in edits {
            keep(stretches, narrow(from), narrow(edit.start), shift, &mut edited);
            let at = self.position(narrow(edit.start));
            edited.push(Stretch { text: shifted(narrow(edit.start), shift), source: at, len: 0 });
            let grown = i64::from(narrow(edit.len)) - i64::from(narrow(edit.end - edit.start));
            (from, shift) = (edit.end, shift + grown);
        }
        keep(stretches, narrow(from), narrow(len), shift, &mut edited);
        Self(Repr::Stretches(edited.into()))
    }

    /// The stretches as numbers, for the way through serde; one alone means linear.
    pub(crate) fn numbers(&self) -> Vec<u32> {
        match &self.0 {
            Repr::Linear(start) => vec![*start],
            Repr::Stretches(all) => all.iter().flat_map(|one| [one.text, one.source, one.len]).collect(),
        }
    }

    pub(crate) fn from_numbers(numbers: &[u32]) -> Self {
        if let [start] = numbers {
            return Self::linear(*start);
        }
        let stretches = numbers.chunks_exact(3).filter_map(|chunk| match chunk {
            [text, source, len] => Some(Stretch { text: *text, source: *source, len: *len }),
            _ => None,
        });
        Self(Repr::Stretches(stretches.collect()))
    }

    /// Finds the positions of `text`, which was decoded from the bytes `start..end` of `file`.
    pub(crate) fn find(style: Style, file: &str, start: usize, end: usize, text: &str) -> Self {
        let inner = match style {
            Style::SingleQuoted | Style::DoubleQuoted => start + 1..end.saturating_sub(1),
            Style::Plain | Style::Literal | Style::Folded => start..end,
        };
        let source = file.get(inner.clone()).unwrap_or("");
        let mut walk = Walk { out: 0, kept: 0, stretches: Vec::new() };
        match style {
            _ if source == text => return Self::linear(narrow(inner.start)),
            Style::Literal | Style::Folded => {
                let line = file.get(..start).and_then(|before| before.rfind('\n')).map_or(0, |at| at + 1);
                walk.block(file.get(line..end).unwrap_or(""), line, text);
            }
            Style::Plain => walk.flow(source, inner.start, None),
            Style::SingleQuoted => walk.flow(source, inner.start, Some(b'\'')),
            Style::DoubleQuoted => walk.flow(source, inner.start, Some(b'\\')),
        }
        #[cfg(test)]
        assert!(
            matches!(style, Style::Literal | Style::Folded) || walk.out == text.len(),
            "{source:?} {text:?}"
        );
        if walk.stretches.is_empty() {
            return Self::linear(narrow(inner.start));
        }
        Self(Repr::Stretches(walk.stretches.into()))
    }
}

/// The parts of the stretches between two bytes of the text, moved.
fn keep(stretches: &[Stretch], from: u32, to: u32, shift: i64, out: &mut Vec<Stretch>) {
    for stretch in stretches {
        let start = stretch.text.max(from);
        let end = (stretch.text + stretch.len).min(to);
        let mark = stretch.len == 0 && start == end;
        if start < end || mark {
            let source = stretch.source + (start - stretch.text);
            out.push(Stretch { text: shifted(start, shift), source, len: end - start });
        }
    }
}

fn shifted(offset: u32, shift: i64) -> u32 {
    u32::try_from(i64::from(offset) + shift).unwrap_or(0)
}

fn narrow(offset: usize) -> u32 {
    u32::try_from(offset).unwrap_or(u32::MAX)
}

struct Walk {
    /// How many bytes of text there are so far.
    out: usize,
    /// How many of them a line break does not take away as trailing white space.
    kept: usize,
    stretches: Vec<Stretch>,
}

impl Walk {
    /// Adds bytes that stand at `source`.
    fn push(&mut self, source: usize, len: usize) {
        let (text, source, len) = (narrow(self.out), narrow(source), narrow(len));
        self.out += len as usize;
        match self.stretches.last_mut() {
            Some(last) if last.text + last.len == text && last.source + last.len == source => last.len += len,
            _ => self.stretches.push(Stretch { text, source, len }),
        }
    }

    fn trim(&mut self) {
        self.out = self.kept;
        let out = narrow(self.out);
        self.stretches.retain_mut(|stretch| {
            stretch.len = stretch.len.min(out.saturating_sub(stretch.text));
            // An empty one marks where the character before it ends.
            stretch.text <= out
        });
    }

    /// Notes that what was read last ends at `source`, where its length in the text does not tell.
    fn mark(&mut self, source: usize) {
        let (text, source) = (narrow(self.out), narrow(source));
        self.stretches.push(Stretch { text, source, len: 0 });
    }

    /// Decodes a plain or quoted scalar; `escape` is what is special inside the quotes.
    fn flow(&mut self, source: &str, start: usize, escape: Option<u8>) {
        let bytes = source.as_bytes();
        let mut at = 0;
        while let Some(&byte) = bytes.get(at) {
            match byte {
                b'\n' | b'\r' => {
                    self.trim();
                    let (next, breaks) = line_breaks(bytes, at);
                    self.out += if breaks == 1 { 1 } else { breaks - 1 };
                    self.kept = self.out;
                    at = next;
                }
                b' ' | b'\t' => {
                    self.push(start + at, 1);
                    at += 1;
                }
                b'\\' if escape == Some(b'\\') => at = self.escape(source, start, at),
                b'\'' if escape == Some(b'\'') => {
                    self.push(start + at, 1);
                    self.kept = self.out;
                    at += 2;
                    self.mark(start + at);
                }
                _ => {
                    self.push(start + at, 1);
                    self.kept = self.out;
                    at += 1;
                }
            }
        }
    }

    /// Decodes one backslash sequence of a double-quoted scalar and gives the byte after it.
    fn escape(&mut self, source: &str, start: usize, at: usize) -> usize {
        let bytes = source.as_bytes();
        let hex = |from: usize, digits: usize| {
            let text = source.get(from..from + digits)?;
            u32::from_str_radix(text, 16).ok()
        };
        let (len, next) = match bytes.get(at + 1) {
            Some(b'\n' | b'\r') => {
                // A break behind a backslash takes itself away, and keeps the blanks before it.
                let (next, breaks) = line_breaks(bytes, at + 1);
                self.mark(start + at);
                self.out += breaks - 1;
                self.kept = self.out;
                return next;
            }
            Some(b'N' | b'_') => (2, at + 2),
            Some(b'L' | b'P') => (3, at + 2),
            Some(b'x') => (char_len(hex(at + 2, 2)), at + 4),
            Some(b'u') => match hex(at + 2, 4) {
                Some(0xd800..=0xdbff) => (4, at + 12),
                code => (char_len(code), at + 6),
            },
            Some(b'U') => (char_len(hex(at + 2, 8)), at + 10),
            _ => (1, at + 2),
        };
        // One stretch of its own: the text is one character, the source several.
        self.stretches.push(Stretch { text: narrow(self.out), source: narrow(start + at), len: narrow(len) });
        self.out += len;
        self.kept = self.out;
        self.mark(start + next);
        next
    }

    /// Finds the lines of a block scalar in its text, which differs from them by white space only.
    fn block(&mut self, source: &str, start: usize, text: &str) {
        let mut line_start = start;
        for line in source.split_inclusive('\n') {
            let bare = line.trim_end_matches(['\n', '\r']);
            let content = bare.trim_start_matches(' ');
            let rest = text.get(self.out..).unwrap_or("");
            let found = rest.trim_start_matches([' ', '\n']);
            if !content.is_empty() && found.starts_with(content) {
                // Blanks directly before the content may be its own deeper indentation.
                let skipped = rest.get(..rest.len() - found.len()).unwrap_or("");
                let blanks = skipped.len() - skipped.trim_end_matches(' ').len();
                let blanks = blanks.min(bare.len() - content.len());
                // The first is the line break, where lines are folded.
                let blanks = blanks.min(skipped.len() - usize::from(self.out > 0).min(skipped.len()));
                self.out += skipped.len() - blanks;
                self.push(line_start + bare.len() - content.len() - blanks, content.len() + blanks);
            }
            line_start += line.len();
        }
    }
}

fn char_len(code: Option<u32>) -> usize {
    code.and_then(char::from_u32).map_or(1, char::len_utf8)
}

/// Skips line breaks and the white space around them; gives the next byte and how many breaks there were.
fn line_breaks(bytes: &[u8], from: usize) -> (usize, usize) {
    let (mut at, mut breaks) = (from, 0);
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'\r' if bytes.get(at + 1) == Some(&b'\n') => {
                breaks += 1;
                at += 2;
            }
            b'\n' | b'\r' => {
                breaks += 1;
                at += 1;
            }
            b' ' | b'\t' => at += 1,
            _ => break,
        }
    }
    (at, breaks)
}
