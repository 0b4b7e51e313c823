//! Where something stands in what people wrote: files, byte spans, lines and columns.
//!
//! Nothing here reads a file; texts are handed in, so that a project at a git revision or a text made
//! by a test is as good as one on disk.

use std::ops::Range;
use std::sync::Arc;

/// One file of a [`Sources`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FileId(pub u32);

/// A range of bytes of one file, end exclusive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Span {
    /// The file.
    pub file: FileId,
    /// The first byte.
    pub start: u32,
    /// The byte after the last.
    pub end: u32,
}

impl Span {
    /// The span of `start..end`. Offsets beyond four gigabytes are cut to the largest that fits.
    #[must_use]
    pub fn new(file: FileId, start: usize, end: usize) -> Self {
        let clamp = |offset: usize| u32::try_from(offset).unwrap_or(u32::MAX);
        Self { file, start: clamp(start), end: clamp(end.max(start)) }
    }

    /// The bytes of the span as a range of the file's text.
    #[must_use]
    pub fn range(self) -> Range<usize> {
        self.start as usize..(self.end.max(self.start)) as usize
    }

    /// The smallest span that holds both. The other's file does not count.
    #[must_use]
    pub fn to(self, other: Span) -> Self {
        Self { file: self.file, start: self.start.min(other.start), end: self.end.max(other.end) }
    }
}

/// A place as people count: from one, columns in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Place {
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
}

#[derive(Clone, Debug)]
struct Source {
    path: String,
    text: Arc<str>,
    /// The byte at which each line starts.
    lines: Vec<u32>,
}

/// The files of a run, each with the path that is shown to people.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    files: Vec<Source>,
}

impl Sources {
    /// No files.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes in a file. `path` is only ever shown, never opened.
    pub fn add(&mut self, path: impl Into<String>, text: impl Into<Arc<str>>) -> FileId {
        let text = text.into();
        let breaks = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n');
        let starts = breaks.filter_map(|(at, _)| u32::try_from(at + 1).ok());
        let lines = std::iter::once(0).chain(starts).collect();
        self.files.push(Source { path: path.into(), text, lines });
        FileId(u32::try_from(self.files.len() - 1).unwrap_or(u32::MAX))
    }

    /// Every file, in the order in which they were added.
    pub fn files(&self) -> impl Iterator<Item = FileId> + use<> {
        (0..u32::try_from(self.files.len()).unwrap_or(u32::MAX)).map(FileId)
    }

    /// The path as shown to people; empty for a file of other sources.
    #[must_use]
    pub fn path(&self, file: FileId) -> &str {
        self.files.get(file.0 as usize).map_or("", |source| &source.path)
    }

    /// The whole text; empty for a file of other sources.
    #[must_use]
    pub fn text(&self, file: FileId) -> &str {
        self.files.get(file.0 as usize).map_or("", |source| &source.text)
    }

    /// The text of a span, cut to what there is.
    #[must_use]
    pub fn slice(&self, span: Span) -> &str {
        let text = self.text(span.file);
        let start = floor(text, span.start as usize);
        let end = floor(text, (span.end as usize).max(start));
        text.get(start..end).unwrap_or("")
    }

    /// The line and column of a byte; the end of the text for what lies behind it.
    #[must_use]
    pub fn place(&self, file: FileId, offset: u32) -> Place {
        let Some(source) = self.files.get(file.0 as usize) else {
            return Place { line: 1, column: 1 };
        };
        let offset = floor(&source.text, offset as usize);
        let line = source.lines.partition_point(|start| *start as usize <= offset).max(1);
        let start = source.lines.get(line - 1).map_or(0, |start| *start as usize);
        // A byte order mark is not seen.
        let seen = source.text.get(start..offset).unwrap_or("").trim_start_matches('\u{feff}');
        let column = seen.chars().count() + 1;
        Place { line, column }
    }

    /// The bytes of a line (counted from 1) without its line break.
    #[must_use]
    pub fn line(&self, file: FileId, line: usize) -> Range<usize> {
        let Some(source) = self.files.get(file.0 as usize) else { return 0..0 };
        let Some(start) = line.checked_sub(1).and_then(|index| source.lines.get(index)) else { return 0..0 };
        let start = *start as usize;
        let end = source.lines.get(line).map_or(source.text.len(), |next| *next as usize);
        let text = source.text.get(start..end).unwrap_or("");
        start..start + text.trim_end_matches(['\n', '\r']).len()
    }

    /// `path:line:column` of the span's start.
    #[must_use]
    pub fn describe(&self, span: Span) -> String {
        let Place { line, column } = self.place(span.file, span.start);
        format!("{}:{line}:{column}", self.path(span.file))
    }
}

/// The start of the character that holds a byte, or the end of the text.
pub(crate) fn floor(text: &str, offset: usize) -> usize {
    let mut offset = offset.min(text.len());
    while !text.is_char_boundary(offset) {
        offset -= 1;
    }
    offset
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_and_columns_count_from_one_in_characters() {
        let mut sources = Sources::new();
        let file = sources.add("a.yaml", "ab\r\nµ: x\n");
        assert_eq!(sources.place(file, 0), Place { line: 1, column: 1 });
        assert_eq!(sources.place(file, 4), Place { line: 2, column: 1 });
        assert_eq!(sources.place(file, 6), Place { line: 2, column: 2 });
        assert_eq!(sources.place(file, 5), Place { line: 2, column: 1 }, "inside the µ");
        assert_eq!(sources.place(file, 999), Place { line: 3, column: 1 });
        assert_eq!(sources.line(file, 1), 0..2);
        assert_eq!(sources.line(file, 9), 0..0);
        assert_eq!(sources.describe(Span::new(file, 6, 7)), "a.yaml:2:2");
        assert_eq!(sources.slice(Span::new(file, 4, 6)), "µ");
    }

    #[test]
    fn a_file_of_other_sources_is_empty() {
        let sources = Sources::new();
        assert_eq!(sources.text(FileId(3)), "");
        assert_eq!(sources.describe(Span::new(FileId(3), 1, 2)), ":1:1");
    }
}
