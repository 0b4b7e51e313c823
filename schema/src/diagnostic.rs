//! What the compiler says to people about what they wrote: a message with a code and the characters
//! that it is about, rendered as rustc renders its own.
//!
//! Diagnostics are data until they are rendered; nothing here prints.

use std::fmt::Write as _;

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use crate::code::Code;
use crate::span::{Sources, Span};

/// How much a diagnostic weighs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Severity {
    /// Nothing can be made of the project.
    Error,
    /// Likely not what was meant.
    Warning,
    /// Good to know.
    Note,
}

impl Severity {
    /// The word that a rendering begins with.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Note => "note",
        }
    }

    fn colour(self) -> &'static str {
        match self {
            Self::Error => "\x1b[1;31m",
            Self::Warning => "\x1b[1;33m",
            Self::Note => "\x1b[1;36m",
        }
    }
}

/// One thing to say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// The kind of message; `schemac explain` tells more about it.
    pub code: Code,
    /// How much it weighs.
    pub severity: Severity,
    /// One sentence without a full stop, names in backticks.
    pub message: String,
    /// The characters that it is about.
    pub primary: Option<Span>,
    /// Further places, each with a few words. A label at the primary span stands beside its carets.
    pub labels: Vec<(Span, String)>,
    /// What to do about it.
    pub help: Option<String>,
    /// What else is good to know.
    pub notes: Vec<String>,
}

impl Diagnostic {
    /// A diagnostic without a place.
    #[must_use]
    pub fn new(code: Code, severity: Severity, message: impl Into<String>) -> Self {
        let (labels, notes) = (Vec::new(), Vec::new());
        Self { code, severity, message: message.into(), primary: None, labels, help: None, notes }
    }

    /// An error.
    #[must_use]
    pub fn error(code: Code, message: impl Into<String>) -> Self {
        Self::new(code, Severity::Error, message)
    }

    /// A warning.
    #[must_use]
    pub fn warning(code: Code, message: impl Into<String>) -> Self {
        Self::new(code, Severity::Warning, message)
    }

    /// A note.
    #[must_use]
    pub fn note(code: Code, message: impl Into<String>) -> Self {
        Self::new(code, Severity::Note, message)
    }

    /// Sets the characters that it is about, where they are known.
    #[must_use]
    pub fn at(mut self, span: impl Into<Option<Span>>) -> Self {
        self.primary = span.into().or(self.primary);
        self
    }

    /// Adds a further place; at the primary span, the words beside its carets.
    #[must_use]
    pub fn label(mut self, span: Span, text: impl Into<String>) -> Self {
        self.labels.push((span, text.into()));
        self
    }

    /// Says what to do about it.
    #[must_use]
    pub fn help(mut self, text: impl Into<String>) -> Self {
        self.help = Some(text.into());
        self
    }

    /// Adds what else is good to know.
    #[must_use]
    pub fn with_note(mut self, text: impl Into<String>) -> Self {
        self.notes.push(text.into());
        self
    }

    /// Puts diagnostics into the order of the files; those without a place come first.
    pub fn sort(diagnostics: &mut [Diagnostic]) {
        diagnostics.sort_by_key(|diagnostic| diagnostic.primary.map(|span| (span.file, span.start)));
    }

    /// The text for people, with a line break at its end; with ANSI colours if `colour` says so.
    #[must_use]
    pub fn render(&self, sources: &Sources, colour: bool) -> String {
        Renderer { sources, paint: Paint { on: colour }, out: String::new() }.render(self)
    }
}

const TAB: usize = 4;
/// Lines longer than this are shown around what is marked.
const WIDEST: usize = 160;
const BOLD: &str = "\x1b[1m";
const BLUE: &str = "\x1b[1;34m";
const CYAN: &str = "\x1b[1;36m";

struct Paint {
    on: bool,
}

impl Paint {
    fn paint(&self, style: &str, text: &str) -> String {
        if self.on && !text.is_empty() { format!("{style}{text}\x1b[0m") } else { text.to_owned() }
    }
}

/// A marked stretch of one line.
struct Mark<'a> {
    span: Span,
    line: usize,
    primary: bool,
    text: &'a str,
}

struct Renderer<'a> {
    sources: &'a Sources,
    paint: Paint,
    out: String,
}

impl Renderer<'_> {
    fn render(mut self, diagnostic: &Diagnostic) -> String {
        let severity = diagnostic.severity;
        let head = format!("{}[{}]", severity.word(), diagnostic.code.id());
        let head = self.paint.paint(severity.colour(), &head);
        let message = self.paint.paint(BOLD, &format!(": {}", diagnostic.message));
        let _ = writeln!(self.out, "{head}{message}");
        let marks = self.marks(diagnostic);
        let last = marks.iter().map(|mark| mark.line).max().unwrap_or(0);
        let gutter = last.to_string().len();
        self.snippets(&marks, gutter, severity);
        if let Some(help) = &diagnostic.help {
            self.footer("help", help, CYAN);
        }
        for note in &diagnostic.notes {
            self.footer("note", note, BOLD);
        }
        self.out
    }

    fn marks<'d>(&self, diagnostic: &'d Diagnostic) -> Vec<Mark<'d>> {
        let line = |span: Span| self.sources.place(span.file, span.start).line;
        let mut marks = Vec::new();
        if let Some(span) = diagnostic.primary {
            let text = diagnostic.labels.iter().find(|(at, _)| *at == span).map_or("", |(_, text)| text);
            marks.push(Mark { span, line: line(span), primary: true, text });
        }
        for (span, text) in &diagnostic.labels {
            if diagnostic.primary != Some(*span) {
                marks.push(Mark { span: *span, line: line(*span), primary: false, text });
            }
        }
        marks
    }

    /// Prints the primary file first, then the others in the order of their first label.
    fn snippets(&mut self, marks: &[Mark<'_>], gutter: usize, severity: Severity) {
        let mut files: Vec<_> = Vec::new();
        for mark in marks {
            if !files.contains(&mark.span.file) {
                files.push(mark.span.file);
            }
        }
        for (index, file) in files.into_iter().enumerate() {
            let mut here: Vec<&Mark<'_>> = marks.iter().filter(|mark| mark.span.file == file).collect();
            let Some(first) = here.first() else { continue };
            let arrow = if index == 0 { "-->" } else { ":::" };
            let arrow = self.paint.paint(BLUE, &format!("{:gutter$}{arrow}", ""));
            let _ = writeln!(self.out, "{arrow} {}", self.sources.describe(first.span));
            here.sort_by_key(|mark| (mark.line, !mark.primary, mark.span));
            self.bar(gutter, "");
            let mut previous = None;
            let mut from = 0;
            for (position, mark) in here.iter().enumerate() {
                if previous != Some(mark.line) {
                    if previous.is_some_and(|line| line + 1 < mark.line) {
                        let dots = self.paint.paint(BLUE, "...");
                        let _ = writeln!(self.out, "{dots}");
                    }
                    let line_marks = here.iter().skip(position).take_while(|other| other.line == mark.line);
                    from = line_marks.map(|other| other.span.start).min().unwrap_or(mark.span.start);
                    self.source_line(mark, from, gutter, severity);
                } else {
                    self.carets(mark, from, gutter, severity);
                }
                previous = Some(mark.line);
            }
        }
    }

    fn source_line(&mut self, mark: &Mark<'_>, from: u32, gutter: usize, severity: Severity) {
        let range = self.sources.line(mark.span.file, mark.line);
        let text = self.sources.text(mark.span.file).get(range.clone()).unwrap_or("");
        let (start, end) = window(text, (from as usize).saturating_sub(range.start));
        let mut shown = String::new();
        if start > 0 {
            shown.push('…');
        }
        shown.push_str(&expand(text.get(start..end).unwrap_or("")));
        if end < text.len() {
            shown.push('…');
        }
        let number = self.paint.paint(BLUE, &format!("{:>gutter$} |", mark.line));
        let _ = writeln!(self.out, "{}", format!("{number} {shown}").trim_end());
        self.carets_in(mark, text, range.start, start, gutter, severity);
    }

    fn carets(&mut self, mark: &Mark<'_>, from: u32, gutter: usize, severity: Severity) {
        let range = self.sources.line(mark.span.file, mark.line);
        let text = self.sources.text(mark.span.file).get(range.clone()).unwrap_or("");
        let (start, _) = window(text, (from as usize).saturating_sub(range.start));
        self.carets_in(mark, text, range.start, start, gutter, severity);
    }

    fn carets_in(
        &mut self,
        mark: &Mark<'_>,
        line: &str,
        at: usize,
        shown_from: usize,
        gutter: usize,
        severity: Severity,
    ) {
        let inside = |offset: u32| crate::span::floor(line, (offset as usize).saturating_sub(at));
        let (start, end) = (inside(mark.span.start).max(shown_from), inside(mark.span.end));
        let before = expand(line.get(shown_from..start).unwrap_or("")).width() + usize::from(shown_from > 0);
        let width = expand(line.get(start..end).unwrap_or("")).width().clamp(1, WIDEST);
        let (sign, style) = if mark.primary { ("^", severity.colour()) } else { ("-", BLUE) };
        let mut carets = sign.repeat(width);
        if !mark.text.is_empty() {
            carets.push(' ');
            carets.push_str(mark.text);
        }
        let carets = format!("{:before$}{}", "", self.paint.paint(style, &carets));
        self.bar(gutter, &carets);
    }

    fn bar(&mut self, gutter: usize, text: &str) {
        let bar = self.paint.paint(BLUE, &format!("{:gutter$} |", ""));
        let gap = if text.is_empty() { "" } else { " " };
        let _ = writeln!(self.out, "{bar}{gap}{text}");
    }

    fn footer(&mut self, word: &str, text: &str, style: &str) {
        let word_painted = self.paint.paint(style, &format!("{word}:"));
        let indent = word.len() + 2;
        let text = text.replace('\n', &format!("\n{:indent$}", ""));
        let _ = writeln!(self.out, "{word_painted} {text}");
    }
}

/// The part of a line that is shown, so that what is marked is within it.
fn window(line: &str, marked: usize) -> (usize, usize) {
    if line.len() <= WIDEST {
        return (0, line.len());
    }
    let start = if marked < WIDEST * 3 / 4 { 0 } else { marked - WIDEST / 2 };
    let start = crate::span::floor(line, start);
    (start, crate::span::floor(line, start + WIDEST))
}

/// Tabs as spaces; control characters, which would disturb the terminal, as a replacement character.
fn expand(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\u{feff}' => {}
            '\t' => out.extend(std::iter::repeat_n(' ', TAB)),
            _ if character.width().is_none() => out.push('\u{fffd}'),
            _ => out.push(character),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(path: &str, text: &str, needle: &str) -> String {
        let mut sources = Sources::new();
        let file = sources.add(path, text);
        let start = text.find(needle).unwrap();
        let span = Span::new(file, start, start + needle.len());
        Diagnostic::error(Code::UnknownKey, format!("unknown key `{needle}`"))
            .at(span)
            .help("did you mean `columns`?")
            .render(&sources, false)
    }

    #[test]
    fn carets_stand_under_the_characters() {
        let shown = check("schema/a.yaml", "tables:\n  t:\n    colums: {}\n", "colums");
        let expected = "\
error[SC0103]: unknown key `colums`
 --> schema/a.yaml:3:5
  |
3 |     colums: {}
  |     ^^^^^^
help: did you mean `columns`?
";
        assert_eq!(shown, expected);
    }

    #[test]
    fn tabs_and_wide_characters_are_counted_as_shown() {
        let shown = check("a.yaml", "x: '\t漢字 colums'\n", "colums");
        assert!(shown.contains("1 | x: '    漢字 colums'\n  |              ^^^^^^\n"), "{shown}");
    }

    #[test]
    fn labels_of_one_line_and_of_other_lines_and_files() {
        let mut sources = Sources::new();
        let one = sources.add("one.yaml", "a: 1\nb: 2\nc: 3\nd: 4\n");
        let two = sources.add("two.yaml", "z: 9\n");
        let shown = Diagnostic::error(Code::TwoOwners, "two tables are called `a`")
            .at(Span::new(one, 15, 16))
            .label(Span::new(one, 15, 16), "again here")
            .label(Span::new(one, 18, 19), "value")
            .label(Span::new(one, 0, 1), "first")
            .label(Span::new(two, 0, 1), "and here")
            .with_note("a name has one owner")
            .render(&sources, false);
        let expected = "\
error[SC0301]: two tables are called `a`
 --> one.yaml:4:1
  |
1 | a: 1
  | - first
...
4 | d: 4
  | ^ again here
  |    - value
 ::: two.yaml:1:1
  |
1 | z: 9
  | - and here
note: a name has one owner
";
        assert_eq!(shown, expected);
    }

    #[test]
    fn colours_only_when_asked_and_long_lines_are_cut() {
        let mut sources = Sources::new();
        let file = sources.add("a.yaml", "é".repeat(5000));
        let diagnostic = Diagnostic::warning(Code::UnknownKey, "m").at(Span::new(file, 8000, 8002));
        assert!(!diagnostic.render(&sources, false).contains('\x1b'));
        assert!(diagnostic.render(&sources, true).contains("\x1b[1;33mwarning[SC0103]\x1b[0m"));
        let longest = diagnostic.render(&sources, false).lines().map(UnicodeWidthStr::width).max();
        assert!(longest < Some(200), "{longest:?}");
    }

    #[test]
    fn spans_beyond_the_text_do_no_harm() {
        let mut sources = Sources::new();
        let file = sources.add("a.yaml", "a: b");
        for (start, end) in [(0, 999), (4, 4), (999, 1000), (3, 1)] {
            let span = Span { file, start, end };
            assert!(
                Diagnostic::error(Code::UnknownKey, "m").at(span).render(&sources, true).contains("a.yaml")
            );
        }
    }
}
