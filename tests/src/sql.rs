//! SQL text cut into tokens and statements, far enough for dumps and client files.
//!
//! Knows strings, dollar quotes, comments, parentheses and bodies between BEGIN ATOMIC and END, so
//! that a semicolon in one of them ends nothing. Knows no grammar beyond that: the tests must not
//! judge the product with the product's own parser.

/// What a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TokenKind {
    Space,
    Comment,
    /// A name, keyword or number, not quoted.
    Word,
    /// A name in double quotes.
    Quoted,
    /// A string, with its quotes or dollars.
    Text,
    /// A line for psql, such as `\restrict`.
    Command,
    /// One character of anything else.
    Symbol,
}

/// A piece of SQL; all pieces together are the whole text.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Token<'a> {
    pub(crate) kind: TokenKind,
    pub(crate) text: &'a str,
}

impl Token<'_> {
    pub(crate) fn is(&self, keyword: &str) -> bool {
        self.kind == TokenKind::Word && self.text.eq_ignore_ascii_case(keyword)
    }

    pub(crate) fn is_symbol(&self, symbol: &str) -> bool {
        self.kind == TokenKind::Symbol && self.text == symbol
    }

    pub(crate) fn is_blank(&self) -> bool {
        matches!(self.kind, TokenKind::Space | TokenKind::Comment | TokenKind::Command)
    }

    /// The name that this token stands for.
    pub(crate) fn name(&self) -> Option<String> {
        match self.kind {
            TokenKind::Word => Some(self.text.to_owned()),
            TokenKind::Quoted => Some(self.text[1..self.text.len() - 1].replace("\"\"", "\"")),
            _ => None,
        }
    }
}

/// A statement without its semicolon, and the comments in front of it.
#[derive(Clone, Debug)]
pub(crate) struct Statement<'a> {
    pub(crate) comments: Vec<&'a str>,
    pub(crate) tokens: Vec<Token<'a>>,
}

impl Statement<'_> {
    pub(crate) fn text(&self) -> String {
        self.tokens.iter().map(|token| token.text).collect()
    }
}

/// Cuts a text into statements.
pub(crate) fn statements(text: &str) -> Vec<Statement<'_>> {
    let mut all = Vec::new();
    let mut comments = Vec::new();
    let mut tokens: Vec<Token<'_>> = Vec::new();
    let mut parentheses = 0usize;
    let mut blocks = 0usize;
    let mut rest = text;
    while !rest.is_empty() {
        let token = next_token(rest, tokens.is_empty());
        rest = &rest[token.text.len()..];
        if tokens.is_empty() && token.is_blank() {
            if token.kind == TokenKind::Comment {
                comments.push(token.text);
            }
            continue;
        }
        if token.is_symbol(";") && parentheses == 0 && blocks == 0 {
            finish(&mut all, &mut comments, &mut tokens);
            continue;
        }
        if token.is_symbol("(") {
            parentheses += 1;
        } else if token.is_symbol(")") {
            parentheses = parentheses.saturating_sub(1);
        } else if is_routine(&tokens) {
            // As psql counts them.
            if token.is("begin") || (blocks > 0 && token.is("case")) {
                blocks += 1;
            } else if blocks > 0 && token.is("end") {
                blocks -= 1;
            }
        }
        tokens.push(token);
    }
    finish(&mut all, &mut comments, &mut tokens);
    all
}

fn finish<'a>(all: &mut Vec<Statement<'a>>, comments: &mut Vec<&'a str>, tokens: &mut Vec<Token<'a>>) {
    while tokens.last().is_some_and(Token::is_blank) {
        tokens.pop();
    }
    if !tokens.is_empty() {
        all.push(Statement { comments: std::mem::take(comments), tokens: std::mem::take(tokens) });
    }
}

fn is_routine(tokens: &[Token<'_>]) -> bool {
    let mut words = tokens.iter().filter(|token| !token.is_blank());
    words.next().is_some_and(|token| token.is("create"))
        && words
            .find(|token| !token.is("or") && !token.is("replace"))
            .is_some_and(|token| token.is("function") || token.is("procedure"))
}

fn next_token(text: &str, at_start: bool) -> Token<'_> {
    let (kind, length) = measure(text, at_start);
    Token { kind, text: &text[..length] }
}

fn measure(text: &str, at_start: bool) -> (TokenKind, usize) {
    let Some(first) = text.chars().next() else { return (TokenKind::Space, 0) };
    if first.is_whitespace() {
        return (TokenKind::Space, text.find(|c: char| !c.is_whitespace()).unwrap_or(text.len()));
    }
    if text.starts_with("--") {
        return (TokenKind::Comment, text.find('\n').unwrap_or(text.len()));
    }
    if text.starts_with("/*") {
        return (TokenKind::Comment, block_comment(text));
    }
    if first == '\\' && at_start {
        return (TokenKind::Command, text.find('\n').unwrap_or(text.len()));
    }
    if first == '"' {
        return (TokenKind::Quoted, quoted(text, 0, '"', false));
    }
    if first == '\'' {
        return (TokenKind::Text, quoted(text, 0, '\'', false));
    }
    if first == '$'
        && let Some(length) = dollar_quoted(text)
    {
        return (TokenKind::Text, length);
    }
    if is_word(first) {
        let length = text.find(|c| !is_word(c) && c != '$').unwrap_or(text.len());
        let prefix = &text[..length];
        if text[length..].starts_with('\'') && ["e", "b", "x", "n"].contains(&&*prefix.to_ascii_lowercase()) {
            return (TokenKind::Text, quoted(text, length, '\'', prefix.eq_ignore_ascii_case("e")));
        }
        return (TokenKind::Word, length);
    }
    (TokenKind::Symbol, first.len_utf8())
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// The length up to the closing quote, where the opening one is at `start`.
fn quoted(text: &str, start: usize, quote: char, backslashes: bool) -> usize {
    let mut characters = text[start + 1..].char_indices().peekable();
    while let Some((at, c)) = characters.next() {
        if c == '\\' && backslashes {
            characters.next();
        } else if c == quote {
            if characters.peek().is_some_and(|&(_, next)| next == quote) {
                characters.next();
            } else {
                return start + 1 + at + 1;
            }
        }
    }
    text.len()
}

fn dollar_quoted(text: &str) -> Option<usize> {
    let tag_length = text[1..].find('$')? + 2;
    let tag = &text[..tag_length];
    let inner = &tag[1..tag_length - 1];
    if inner.starts_with(|c: char| c.is_ascii_digit()) || !inner.chars().all(is_word) {
        return None;
    }
    let body = &text[tag_length..];
    Some(body.find(tag).map_or(text.len(), |at| tag_length + at + tag_length))
}

fn block_comment(text: &str) -> usize {
    let mut depth = 0usize;
    let mut at = 0;
    while at < text.len() {
        if text[at..].starts_with("/*") {
            depth += 1;
            at += 2;
        } else if text[at..].starts_with("*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += text[at..].chars().next().map_or(1, char::len_utf8);
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(text: &str) -> Vec<String> {
        statements(text).iter().map(Statement::text).collect()
    }

    #[test]
    fn semicolons_inside_of_things_end_nothing() {
        let parts = [
            "select ';', \";\", 'it''s;', E'\\';', $$;$$, $tag$ ; $$ ; $tag$, a$b",
            "create rule r as on insert to t do (select 1; select 2)",
            "select 1 -- not; here\n + /* nor; /* here; */ ; */ 2",
            "create or replace function f() returns int language sql begin atomic\n \
             select case when true then 1 else 2 end; select 3;\nend",
            "begin",
            "select $1",
        ];
        assert_eq!(texts(&parts.join(";\n")), parts);
    }

    #[test]
    fn what_stands_in_front_is_not_part_of_a_statement() {
        let text = "\\restrict abc\n-- one\n\n-- two\nselect 1;\n\n-- three\n;;\nselect 2";
        let all = statements(text);
        assert_eq!(texts(text), ["select 1", "select 2"]);
        assert_eq!(all[0].comments, ["-- one", "-- two"]);
    }

    #[test]
    fn a_text_that_stops_in_the_middle_is_one_statement() {
        for text in ["select 'a", "select $x$ a", "select /* a", "select \"a", "select E'a\\"] {
            assert_eq!(statements(text).len(), 1, "{text}");
        }
    }
}
