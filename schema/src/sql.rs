//! SQL, written safely: the only place where names and literals are quoted.
//!
//! The writer takes keywords that stand in the source, names, literals and fragments, and no other text, so that
//! nothing from a file or a catalog reaches a statement unquoted.

use crate::fragment::Fragment;
use crate::ident::{Ident, QName, Text};
use crate::parse::{self, Keyword};
use crate::step::ELEMENTS;
use std::collections::HashMap;
use std::sync::{LazyLock, Mutex, PoisonError};

/// A statement, or a part of one, being written. Parts are separated by single blanks where SQL wants one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sql {
    text: String,
    tight: bool,
}

impl Sql {
    /// Begins with a keyword.
    pub fn new(keyword: &'static str) -> Self {
        let mut sql = Self::default();
        sql.kw(keyword);
        sql
    }

    fn space(&mut self) {
        if !self.tight && !self.text.is_empty() && !self.text.ends_with(['(', ' ', '\n', '.']) {
            self.text.push(' ');
        }
        self.tight = false;
    }

    /// Writes keywords or punctuation that stand in the source. `,`, `)`, `(` after `ident`… take no blank before.
    pub fn kw(&mut self, keyword: &'static str) -> &mut Self {
        if keyword.starts_with([',', ')', ';', '.', '\n', '[', '(']) && keyword != "(" && keyword != ELEMENTS
        {
            self.text.push_str(keyword);
            self.tight = false;
        } else {
            self.space();
            self.text.push_str(keyword);
        }
        self
    }

    /// The next part follows without a blank.
    pub fn tight(&mut self) -> &mut Self {
        self.tight = true;
        self
    }

    /// Writes a name, quoted where PostgreSQL needs it.
    pub fn ident(&mut self, name: Ident) -> &mut Self {
        self.space();
        self.text.push_str(quoted(name));
        self
    }

    /// Writes a qualified name.
    pub fn name(&mut self, name: QName) -> &mut Self {
        self.ident(name.schema);
        self.text.push('.');
        self.text.push_str(quoted(name.name));
        self
    }

    /// Writes a string literal.
    pub fn literal(&mut self, text: &str) -> &mut Self {
        self.space();
        self.text.push_str(&literal(text));
        self
    }

    /// Writes a whole number.
    pub fn number(&mut self, number: i64) -> &mut Self {
        self.space();
        self.text.push_str(&number.to_string());
        self
    }

    /// Writes an operator as `OPERATOR(schema.+)`; a name with any other character than an operator's is left out.
    pub fn operator(&mut self, schema: Ident, operator: Text) -> &mut Self {
        let known = |c: char| "+-*/<>=~!@#%^&|`?".contains(c);
        self.kw("OPERATOR(").tight().ident(schema).kw(".");
        self.text.extend(operator.as_str().chars().filter(|c| known(*c)));
        self.kw(")")
    }

    /// Writes a number that may have a fraction.
    pub fn float(&mut self, number: f64) -> &mut Self {
        self.space();
        self.text.push_str(&number.to_string());
        self
    }

    /// Writes a body between dollars, exactly, with a tag that neither stands in it nor comes about where they meet.
    pub fn body(&mut self, text: &str) -> &mut Self {
        self.space();
        let tag = std::iter::once("$$".to_owned())
            .chain((0..).map(|n| if n == 0 { "$body$".to_owned() } else { format!("$body{n}$") }))
            .find(|tag| format!("{text}{tag}").find(tag.as_str()) == Some(text.len()))
            .unwrap_or_default();
        self.text.push_str(&format!("{tag}{text}{tag}"));
        self
    }

    /// Writes a fragment as it was declared. Fragments were parsed when they were read.
    pub fn fragment(&mut self, fragment: &Fragment) -> &mut Self {
        self.space();
        self.text.push_str(fragment.text().trim());
        if fragment.ends_in_comment() {
            self.text.push('\n');
        }
        self
    }

    /// Writes a type's name; types are canonical or were parsed when they were read.
    pub fn type_name(&mut self, type_name: &crate::type_name::TypeName) -> &mut Self {
        self.space();
        self.text.push_str(type_name.text().as_str());
        self
    }

    /// Writes the argument types of a routine's address, which `TypeName` made.
    pub fn canonical_types(&mut self, types: Text) -> &mut Self {
        self.space();
        self.text.push_str(&crate::id::readable_types(types));
        self
    }

    /// Writes another piece of SQL.
    pub fn sql(&mut self, sql: &Sql) -> &mut Self {
        self.space();
        self.text.push_str(&sql.text);
        self
    }

    /// Writes names in parentheses.
    pub fn idents(&mut self, names: &[Ident]) -> &mut Self {
        self.space();
        self.text.push('(');
        for (index, name) in names.iter().enumerate() {
            if index > 0 {
                self.text.push_str(", ");
            }
            self.text.push_str(quoted(*name));
        }
        self.text.push(')');
        self
    }

    /// Writes pieces separated by `, `.
    pub fn list(&mut self, pieces: &[Sql]) -> &mut Self {
        self.separated(pieces, ", ")
    }

    /// Writes pieces, one a line, indented, in parentheses: the elements of a table.
    pub fn lines(&mut self, pieces: &[Sql]) -> &mut Self {
        self.space();
        if pieces.is_empty() {
            self.text.push_str("()");
            return self;
        }
        self.text.push_str("(\n    ");
        self.tight = true;
        self.separated(pieces, ",\n    ");
        self.text.push_str("\n)");
        self
    }

    fn separated(&mut self, pieces: &[Sql], separator: &'static str) -> &mut Self {
        for (index, piece) in pieces.iter().enumerate() {
            if index > 0 {
                self.text.push_str(separator);
                self.text.push_str(&piece.text);
            } else {
                self.sql(piece);
            }
        }
        self
    }

    /// What was written.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// What was written, owned.
    pub fn into_text(self) -> String {
        self.text
    }

    /// Whether nothing was written.
    pub fn is_empty(&self) -> bool {
        self.text.is_empty()
    }
}

static QUOTED: LazyLock<Mutex<HashMap<Ident, &'static str>>> = LazyLock::new(|| Mutex::new(HashMap::new()));

/// A name as it stands in SQL: bare where PostgreSQL's own `quote_ident` leaves it bare, else in double quotes.
pub fn quoted(name: Ident) -> &'static str {
    let mut known = QUOTED.lock().unwrap_or_else(PoisonError::into_inner);
    known.entry(name).or_insert_with(|| Text::new(&quote(name.as_str())).as_str())
}

/// Words that need quotes only since the version beside them.
const NEW_WORDS: [(&str, u32); 13] = [
    ("json_array", 16),
    ("json_arrayagg", 16),
    ("json_object", 16),
    ("json_objectagg", 16),
    ("system_user", 16),
    ("json", 17),
    ("json_exists", 17),
    ("json_query", 17),
    ("json_scalar", 17),
    ("json_serialize", 17),
    ("json_table", 17),
    ("json_value", 17),
    ("merge_action", 17),
];

/// A name as a server of a version prints it: one that is older knows fewer words.
pub fn quoted_on(name: Ident, version: u32) -> &'static str {
    let new = NEW_WORDS.iter().find(|(word, _)| name.as_str() == *word);
    match new {
        Some((word, since)) if version < *since => word,
        _ => quoted(name),
    }
}

fn quote(name: &str) -> String {
    let mut characters = name.chars();
    let starts_well = characters.next().is_some_and(|first| first.is_ascii_lowercase() || first == '_');
    let plain = starts_well && characters.all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
    let bare = plain
        && parse::tokens(name).is_ok_and(|tokens| {
            tokens.iter().all(|t| matches!(t.keyword, Keyword::No | Keyword::Unreserved))
        });
    if bare { name.to_owned() } else { in_quotes(name) }
}

/// A name in quotes, whether it needs them or not.
pub fn in_quotes(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// A text as it stands between the quotes of a literal without escapes.
pub fn doubled(text: &str) -> String {
    text.replace('\'', "''")
}

/// A string literal; backslashes are kept under every setting of `standard_conforming_strings`.
pub fn literal(text: &str) -> String {
    let doubled = doubled(text);
    if text.contains('\\') { format!("E'{}'", doubled.replace('\\', "\\\\")) } else { format!("'{doubled}'") }
}

/// What a literal's inside says: `it''s` is `it's`.
pub fn undoubled(inside: &str) -> String {
    inside.replace("''", "'")
}

/// A qualified name as it stands in SQL.
pub fn qualified(name: QName) -> String {
    format!("{}.{}", quoted(name.schema), quoted(name.name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_quoted_exactly_where_postgresql_would() {
        for (name, sql) in [
            ("users", "users"),
            ("Users", "\"Users\""),
            ("select", "\"select\""),
            ("user", "\"user\""),
            ("name", "name"),
            ("between", "\"between\""),
            ("a\"b", "\"a\"\"b\""),
            ("1a", "\"1a\""),
            ("", "\"\""),
            ("a; drop table x", "\"a; drop table x\""),
            ("größe", "\"größe\""),
        ] {
            assert_eq!(quoted(Ident::new(name)), sql);
        }
    }

    #[test]
    fn literals_survive_quotes_and_backslashes() {
        assert_eq!(literal("it's"), "'it''s'");
        assert_eq!(literal("a\\b"), "E'a\\\\b'");
    }

    #[test]
    fn blanks_stand_where_sql_wants_them() {
        let mut sql = Sql::new("CREATE TABLE");
        sql.name(QName::new("app", "order")).idents(&["a".into(), "B".into()]).kw(";");
        assert_eq!(sql.text(), "CREATE TABLE app.\"order\" (a, \"B\");");
    }
}
