//! A YAML text as a tree in which every key and value keeps its bytes and every scalar its spelling.
//!
//! The parser's events are read directly, because only they tell a plain `null` from a quoted one and
//! show tags, anchors and styles. What YAML would change without a word is an error here: tags, anchors
//! and merge keys, a second document, duplicate keys, and SQL that a flow mapping has split. Whether
//! a comment may stand beside a value depends on what the value is, so it is only noted.

use std::collections::HashMap;

use serde_saphyr::granit_parser::{
    Event, Parser, ScalarStyle, ScanError, Span as EventSpan, StrInput, StructureStyle, options,
};

use super::position::Positions;
use crate::code::Code;
use crate::diagnostic::Diagnostic;
use crate::span::{FileId, Sources, Span};

/// The deepest nesting of mappings and lists.
const MAX_DEPTH: usize = 64;
/// The largest file in bytes.
const MAX_BYTES: usize = 64 << 20;

/// A value with its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// The bytes of the value: a block collection from its first key or item, a block scalar from its
    /// first line, an empty value at the place where it is missing.
    pub span: Span,
    /// What stands there.
    pub value: Value,
}

/// What a node holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// Keys with values, in the order of the file; no key twice.
    Mapping {
        /// The entries.
        entries: Vec<(Key, Node)>,
        /// Whether it is written in braces.
        flow: bool,
    },
    /// A list.
    Sequence {
        /// The items.
        items: Vec<Node>,
        /// Whether it is written in brackets.
        flow: bool,
    },
    /// A single value.
    Scalar(Scalar),
    /// Nothing at all. A word such as `null` or `~` is a plain scalar.
    Null,
}

/// A key, exactly as written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    /// The name.
    pub text: String,
    /// Its bytes, quotes included.
    pub span: Span,
}

/// How a scalar is spelt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Style {
    /// Without quotes.
    Plain,
    /// `'…'`.
    SingleQuoted,
    /// `"…"`.
    DoubleQuoted,
    /// `|`.
    Literal,
    /// `>`.
    Folded,
}

/// A single value: text and nothing else, never a boolean, a null or a number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scalar {
    /// The text: for a plain scalar what stands in the file, with its lines folded.
    pub text: String,
    /// The spelling.
    pub style: Style,
    /// The comment that follows a plain scalar on its line.
    pub trailing_comment: Option<Span>,
    /// Where the bytes of the text stand in the file.
    pub positions: Positions,
}

impl Scalar {
    /// The byte in the file of a byte of the text.
    #[must_use]
    pub fn position(&self, offset: u32) -> u32 {
        self.positions.position(offset)
    }
}

impl Node {
    /// A word for the shape, for messages.
    #[must_use]
    pub fn shape(&self) -> &'static str {
        match &self.value {
            Value::Mapping { .. } => "a mapping",
            Value::Sequence { .. } => "a list",
            Value::Scalar(_) => "a single value",
            Value::Null => "nothing",
        }
    }
}

/// Reads a file's text. An empty file is an empty mapping.
///
/// # Errors
///
/// The first thing that is no YAML, or YAML that would not mean what it looks like.
pub fn parse(sources: &Sources, file: FileId) -> Result<Node, Diagnostic> {
    let text = sources.text(file);
    if text.len() > MAX_BYTES {
        let message =
            format!("the file has {} MiB, and {} are read at most", text.len() >> 20, MAX_BYTES >> 20);
        return Err(Diagnostic::error(Code::TooLarge, message).at(Span::new(file, 0, 0)));
    }
    if let Some(at) = text.find('\0') {
        let diagnostic = Diagnostic::error(Code::YamlSyntax, "the file holds a NUL character");
        return Err(diagnostic.at(Span::new(file, at, at + 1)));
    }
    let options = options! {
        emit_comments: false,
        emit_anchor_events: true,
        emit_unresolved_aliases: true,
        disallow_directives: true,
        block_nesting_limit: MAX_DEPTH * 2,
        flow_nesting_limit: MAX_DEPTH * 2,
    };
    let events = Parser::new_from_str_with_options(text, options);
    Reader { text, file, events, depth: 0, flow: Vec::new() }.document()
}

struct Reader<'a> {
    text: &'a str,
    file: FileId,
    events: Parser<'a, StrInput<'a>>,
    depth: usize,
    /// The flow collections that are open, by their opening bracket.
    flow: Vec<Span>,
}

type Spanned<'a> = (Event<'a>, Span);

impl<'a> Reader<'a> {
    fn document(mut self) -> Result<Node, Diagnostic> {
        let mut root = None;
        while let Some((event, span)) = self.next()? {
            match event {
                Event::StreamStart | Event::StreamEnd | Event::DocumentEnd => {}
                Event::DocumentStart(..) if root.is_some() => {
                    let message = "a second document begins here";
                    let diagnostic = Diagnostic::error(Code::ManyDocuments, message).at(span);
                    return Err(diagnostic.help("make it a file of its own"));
                }
                Event::DocumentStart(..) => {}
                event => root = Some(self.node(event, span)?),
            }
        }
        Ok(root.unwrap_or(Node { span: Span::new(self.file, 0, 0), value: Value::Null }))
    }

    fn next(&mut self) -> Result<Option<Spanned<'a>>, Diagnostic> {
        match self.events.next_event() {
            None => Ok(None),
            Some(Ok((event, span))) => {
                self.refuse_tag(&span)?;
                let span = self.span(&span);
                Ok(Some((event, span)))
            }
            Some(Err(error)) => Err(self.syntax(&error)),
        }
    }

    fn span(&self, span: &EventSpan) -> Span {
        let start = span.start.byte_offset().unwrap_or(0).min(self.text.len());
        let end = span.end.byte_offset().unwrap_or(start).clamp(start, self.text.len());
        Span::new(self.file, start, end)
    }

    fn refuse_tag(&self, span: &EventSpan) -> Result<(), Diagnostic> {
        let Some(tag) = span.tag_span() else { return Ok(()) };
        let at = self.span(&tag);
        let spelling = self.text.get(at.range()).unwrap_or("");
        let diagnostic = Diagnostic::error(Code::Tag, format!("`{spelling}` is a YAML tag")).at(at);
        Err(diagnostic.help(
            "values are read as they are written: take the tag away, or quote a value that begins with `!`",
        ))
    }

    fn refuse_anchor(&mut self, anchor: usize, span: Span) -> Result<(), Diagnostic> {
        if anchor == 0 {
            return Ok(());
        }
        // The anchor's own place comes as the next event.
        let at = match self.next()? {
            Some((Event::Anchor(..), at)) => at,
            _ => span,
        };
        Err(self.anchor(at))
    }

    fn anchor(&self, at: Span) -> Diagnostic {
        let spelling = self.text.get(at.range()).unwrap_or("");
        let what = match spelling.bytes().next() {
            Some(b'&') => "anchor",
            Some(b'*') => "alias",
            _ => "merge key",
        };
        Diagnostic::error(Code::Anchor, format!("`{spelling}` is a YAML {what}"))
            .at(at)
            .help("what several tables share is said once with a mixin; a value that begins with `*` or `&` stands in quotes")
    }

    fn node(&mut self, event: Event<'a>, span: Span) -> Result<Node, Diagnostic> {
        match event {
            Event::Scalar(text, style, anchor, _) => {
                self.refuse_anchor(anchor, span)?;
                if text.contains('\0') {
                    let message = "PostgreSQL keeps no NUL character, and this value has one";
                    let error = Diagnostic::error(Code::YamlSyntax, message).at(span);
                    return Err(error.help("take the `\\0` out of the text"));
                }
                Ok(self.scalar(&text, style, span))
            }
            Event::SequenceStart(style, anchor, _) => {
                self.refuse_anchor(anchor, span)?;
                self.nested(style, span, Self::sequence)
            }
            Event::MappingStart(style, anchor, _) => {
                self.refuse_anchor(anchor, span)?;
                self.nested(style, span, Self::mapping)
            }
            Event::Alias(_) | Event::UnresolvedAlias(_) => Err(self.anchor(span)),
            _ => Err(Diagnostic::error(Code::YamlSyntax, "a value was expected here").at(span)),
        }
    }

    fn nested(
        &mut self,
        style: StructureStyle,
        span: Span,
        read: fn(&mut Self, bool, Span) -> Result<Node, Diagnostic>,
    ) -> Result<Node, Diagnostic> {
        if self.depth >= MAX_DEPTH {
            let message = format!("the file nests more than {MAX_DEPTH} levels deep");
            return Err(Diagnostic::error(Code::TooLarge, message).at(span));
        }
        let flow = style == StructureStyle::Flow;
        self.depth += 1;
        if flow {
            self.flow.push(span);
        }
        let node = read(self, flow, span)?;
        self.depth -= 1;
        if flow {
            self.flow.pop();
        }
        Ok(node)
    }

    fn ended(&self, span: Span) -> Diagnostic {
        Diagnostic::error(Code::YamlSyntax, "the file ends within a value").at(span)
    }

    fn sequence(&mut self, flow: bool, span: Span) -> Result<Node, Diagnostic> {
        let mut items: Vec<Node> = Vec::new();
        let end = loop {
            match self.next()?.ok_or_else(|| self.ended(span))? {
                (Event::SequenceEnd, end) => break end,
                (event, at) => items.push(self.node(event, at)?),
            }
        };
        let last = items.last().map_or(span, |item| item.span);
        let span = span.to(if flow { end } else { last });
        if flow {
            self.refuse_split_items(&items, span)?;
        }
        Ok(Node { span, value: Value::Sequence { items, flow } })
    }

    fn mapping(&mut self, flow: bool, span: Span) -> Result<Node, Diagnostic> {
        let mut entries: Vec<(Key, Node)> = Vec::new();
        let end = loop {
            let (event, at) = match self.next()?.ok_or_else(|| self.ended(span))? {
                (Event::MappingEnd, end) => break end,
                key => key,
            };
            let key = self.key(event, at)?;
            let (event, at) = self.next()?.ok_or_else(|| self.ended(span))?;
            let value = self.node(event, at)?;
            entries.push((key, value));
        };
        let last = entries.last().map_or(span, |(_, value)| value.span);
        let span = span.to(if flow { end } else { last });
        if flow {
            self.refuse_split_entries(&entries, span)?;
        }
        refuse_duplicates(&entries)?;
        Ok(Node { span, value: Value::Mapping { entries, flow } })
    }

    fn key(&mut self, event: Event<'a>, span: Span) -> Result<Key, Diagnostic> {
        let node = self.node(event, span)?;
        match node.value {
            Value::Scalar(scalar) if scalar.text == "<<" && scalar.style == Style::Plain => {
                Err(self.anchor(node.span))
            }
            Value::Scalar(scalar) => Ok(Key { text: scalar.text, span: node.span }),
            Value::Null => Err(Diagnostic::error(Code::EmptyValue, "a key is missing here").at(node.span)),
            Value::Mapping { .. } | Value::Sequence { .. } => {
                let message = format!("a key must be a name, and this is {}", node.shape());
                Err(Diagnostic::error(Code::WrongShape, message)
                    .at(node.span)
                    .help("a name with brackets stands in quotes"))
            }
        }
    }

    fn scalar(&self, text: &str, style: ScalarStyle, span: Span) -> Node {
        let style = match style {
            ScalarStyle::Plain if span.start == span.end => return Node { span, value: Value::Null },
            ScalarStyle::Plain => Style::Plain,
            ScalarStyle::SingleQuoted => Style::SingleQuoted,
            ScalarStyle::DoubleQuoted => Style::DoubleQuoted,
            ScalarStyle::Literal => Style::Literal,
            ScalarStyle::Folded => Style::Folded,
        };
        let range = span.range();
        let positions = Positions::find(style, self.text, range.start, range.end, text);
        let trailing_comment = if style == Style::Plain { self.comment(range.end) } else { None };
        Node {
            span,
            value: Value::Scalar(Scalar { text: text.to_owned(), style, trailing_comment, positions }),
        }
    }

    /// The comment on the rest of a line.
    fn comment(&self, from: usize) -> Option<Span> {
        let rest = self.text.get(from..)?;
        let comment = rest.trim_start_matches([' ', '\t']);
        if !comment.starts_with('#') || comment.len() == rest.len() {
            return None;
        }
        let start = self.text.len() - comment.len();
        let len = comment.find(['\n', '\r']).unwrap_or(comment.len());
        Some(Span::new(self.file, start, start + len))
    }

    /// `{ slug_key: (a, b) }`: an entry without a colon behind a plain value is the value's other half.
    fn refuse_split_entries(&self, entries: &[(Key, Node)], span: Span) -> Result<(), Diagnostic> {
        for pair in entries.windows(2) {
            let [(name, value), (key, Node { value: Value::Null, .. })] = pair else { continue };
            let Value::Scalar(Scalar { style: Style::Plain, .. }) = &value.value else { continue };
            let behind = self.text.get(key.span.end as usize..).unwrap_or("").trim_start();
            if behind.starts_with(':') {
                continue;
            }
            let whole = self.rest_of_fragment(value.span, span);
            return Err(self.split(Some(name), &whole, value.span, key.span));
        }
        Ok(())
    }

    /// `[select, update (a, b)]`: an item that opens a bracket which a later one closes.
    fn refuse_split_items(&self, items: &[Node], span: Span) -> Result<(), Diagnostic> {
        let plain = |node: &Node| match &node.value {
            Value::Scalar(scalar) if scalar.style == Style::Plain => balance(&scalar.text),
            _ => 0,
        };
        for (index, item) in items.iter().enumerate() {
            let Some(next) = items.get(index + 1) else { break };
            if plain(item) > 0 && items.iter().skip(index + 1).any(|later| plain(later) < 0) {
                let whole = self.rest_of_fragment(item.span, span);
                return Err(self.split(None, &whole, item.span, next.span));
            }
        }
        Ok(())
    }

    /// What the person likely meant as one value: up to the bracket that closes the first open one,
    /// or to the end of the collection.
    fn rest_of_fragment(&self, from: Span, within: Span) -> String {
        let text = self.text.get(from.start as usize..within.end as usize).unwrap_or("");
        let text = text.get(..text.len().saturating_sub(1)).unwrap_or("").trim_end();
        let (mut depth, mut opened) = (0_i32, false);
        for (at, byte) in text.bytes().enumerate() {
            match byte {
                b'(' => (depth, opened) = (depth + 1, true),
                b')' => depth -= 1,
                b',' if opened && depth <= 0 => return text.get(..at).unwrap_or("").to_owned(),
                _ => {}
            }
        }
        text.to_owned()
    }

    fn split(&self, name: Option<&Key>, whole: &str, value: Span, next: Span) -> Diagnostic {
        let quoted = format!("\"{}\"", whole.replace('\\', "\\\\").replace('"', "\\\""));
        let help = match name {
            Some(name) => format!("write `{}: {quoted}`, or use block style, one entry on a line", name.text),
            None => format!("write `{quoted}`, or use block style, one item on a line"),
        };
        let brackets = if name.is_some() { "{ … }" } else { "[ … ]" };
        Diagnostic::error(Code::SplitFragment, format!("inside `{brackets}` the comma ends this value"))
            .at(value)
            .label(value, "the value ends here")
            .label(next, "and this is read as the next entry")
            .help(help)
    }

    fn syntax(&self, error: &ScanError) -> Diagnostic {
        use serde_saphyr::granit_parser::ErrorKind as Kind;
        let at = crate::span::floor(self.text, error.marker().byte_offset().unwrap_or(0));
        let character = self.text.get(at..).and_then(|rest| rest.chars().next());
        let span = Span::new(self.file, at, at + character.map_or(0, char::len_utf8));
        let plain = |code, message: String| Diagnostic::error(code, message).at(span);
        let syntax = plain(Code::YamlSyntax, error.info());
        match error.kind() {
            Kind::RecursionLimitExceeded => {
                plain(Code::TooLarge, format!("the file nests more than {MAX_DEPTH} levels deep"))
            }
            Kind::CommentInterceptedScalar => {
                plain(Code::SwallowedComment, "a comment stands within a value of several lines".into())
                    .help("put the value in a block scalar (`|`), where `#` is no comment")
            }
            Kind::ExpectedFlowMappingSeparator | Kind::ExpectedFlowSequenceSeparator
                if matches!(character, Some('[' | '{' | '"' | '\'')) =>
            {
                let mut diagnostic = plain(Code::SplitFragment, "inside brackets a value ends here".into());
                if let Some(open) = self.flow.last() {
                    diagnostic = diagnostic.label(*open, "opened here");
                }
                diagnostic.help("SQL stands in quotes or in block style: `tags: \"text[]\"`")
            }
            Kind::MappingValueNotAllowed => syntax.help("a value that holds `: ` stands in quotes or in a block scalar (`|`)"),
            Kind::InvalidTrailingSingleQuotedScalar | Kind::InvalidTrailingDoubleQuotedScalar => {
                syntax.help("a value that begins with a quote ends at the next one; put SQL that does in a block scalar (`|`)")
            }
            Kind::TabNotAllowed | Kind::TabInBlockIndentation | Kind::TabInIndentation => {
                syntax.help("indent with spaces")
            }
            _ => match character {
                Some('@' | '`' | '%' | '*' | '&' | '!' | '|' | '>' | '?') => {
                    syntax.help("a value that begins with this character stands in quotes")
                }
                _ => match self.flow.last() {
                    Some(open) if *open != span => syntax.label(*open, "opened here"),
                    _ => syntax,
                },
            },
        }
    }
}

/// How many round brackets a text opens more than it closes.
fn balance(text: &str) -> i32 {
    text.bytes().fold(0, |sum, byte| match byte {
        b'(' => sum + 1,
        b')' => sum - 1,
        _ => sum,
    })
}

fn refuse_duplicates(entries: &[(Key, Node)]) -> Result<(), Diagnostic> {
    let mut seen: HashMap<&str, Span> = HashMap::with_capacity(entries.len());
    for (key, _) in entries {
        if let Some(first) = seen.insert(&key.text, key.span) {
            return Err(Diagnostic::error(Code::DuplicateKey, format!("`{}` stands here twice", key.text))
                .at(key.span)
                .label(first, "first here"));
        }
    }
    Ok(())
}
