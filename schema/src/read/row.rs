//! One row of a catalog query as the server's text, read cell by cell from the left.

use crate::ident::{Ident, Text};
use crate::type_name::TypeName;
use std::fmt;
use std::str::FromStr;

/// Why a catalog could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Error {
    /// Something that a row speaks of is gone: somebody changed the schema meanwhile. Reading again helps.
    Changed(String),
    /// The row is not what the query promises.
    Malformed(String),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Changed(what) => write!(f, "the database changed while it was read: {what}"),
            Error::Malformed(what) => write!(f, "the catalog gave something unexpected: {what}"),
        }
    }
}

impl std::error::Error for Error {}

/// A cursor over the cells of one row.
#[derive(Clone, Copy, Debug)]
pub struct Row<'a> {
    cells: &'a [Option<&'a str>],
    at: usize,
}

impl<'a> Row<'a> {
    /// Starts at the first cell.
    pub fn new(cells: &'a [Option<&'a str>]) -> Self {
        Self { cells, at: 0 }
    }

    /// A text or nothing.
    pub fn opt_text(&mut self) -> Result<Option<&'a str>, Error> {
        let cell = self.cells.get(self.at).copied();
        self.at += 1;
        cell.ok_or_else(|| Error::Malformed(format!("there is no cell {}", self.at)))
    }

    /// A text. A NULL here means that what it describes is gone.
    pub fn text(&mut self) -> Result<&'a str, Error> {
        self.opt_text()?.ok_or_else(|| {
            let row: Vec<&str> = self.cells.iter().take(4).map(|cell| cell.unwrap_or("NULL")).collect();
            Error::Changed(format!("cell {} of the row {} is NULL", self.at, row.join(", ")))
        })
    }

    /// Two cells: whether there is a text, and the text; so that a NULL of `pg_get_expr` is not taken for none.
    pub fn text_if(&mut self) -> Result<Option<&'a str>, Error> {
        if self.flag()? { self.text().map(Some) } else { self.opt_text().map(|_| None) }
    }

    /// A name.
    pub fn ident(&mut self) -> Result<Ident, Error> {
        self.text().map(Ident::new)
    }

    /// A name or nothing.
    pub fn opt_ident(&mut self) -> Result<Option<Ident>, Error> {
        Ok(self.opt_text()?.map(Ident::new))
    }

    /// A boolean.
    pub fn flag(&mut self) -> Result<bool, Error> {
        Ok(self.text()? == "t")
    }

    /// A number.
    pub fn int(&mut self) -> Result<i64, Error> {
        number(self.text()?)
    }

    /// A number or nothing.
    pub fn opt_int(&mut self) -> Result<Option<i64>, Error> {
        self.opt_text()?.map(number).transpose()
    }

    /// An oid.
    pub fn oid(&mut self) -> Result<u32, Error> {
        number(self.text()?)
    }

    /// A sub id: a column's number, or 0.
    pub fn sub(&mut self) -> Result<i32, Error> {
        number(self.text()?)
    }

    /// An oid or nothing; 0 is nothing too.
    pub fn opt_oid(&mut self) -> Result<Option<u32>, Error> {
        let oid: Option<u32> = self.opt_text()?.map(number).transpose()?;
        Ok(oid.filter(|oid| *oid != 0))
    }

    /// A value of the type `"char"`; a blank when it is empty or NULL.
    pub fn letter(&mut self) -> Result<char, Error> {
        Ok(self.opt_text()?.and_then(|text| text.chars().next()).unwrap_or(' '))
    }

    /// The elements of an array; none for NULL.
    pub fn list(&mut self) -> Result<Vec<String>, Error> {
        self.opt_text()?.map_or(Ok(Vec::new()), elements)
    }

    /// The numbers of an array or of an `int2vector`; none for NULL.
    pub fn numbers<N: FromStr>(&mut self) -> Result<Vec<N>, Error> {
        let text = self.opt_text()?.unwrap_or("");
        let words = text.split(['{', '}', ',', ' ']).filter(|word| !word.is_empty());
        words.map(number).collect()
    }

    /// `name=value` pairs, as `reloptions` holds them.
    pub fn options(&mut self) -> Result<Vec<(Ident, Text)>, Error> {
        let pairs = self.list()?;
        Ok(pairs
            .iter()
            .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
            .map(|(name, value)| (Ident::new(name), Text::new(value)))
            .collect())
    }

    /// A type, as `format_type` writes it.
    pub fn type_name(&mut self) -> Result<TypeName, Error> {
        type_name(self.text()?)
    }
}

/// A type, as `format_type` writes it.
pub fn type_name(text: &str) -> Result<TypeName, Error> {
    if text.starts_with("???") || text == "-" {
        return Err(Error::Changed("a type is gone".into()));
    }
    TypeName::parse(text).map_err(|error| Error::Malformed(format!("the type {text}: {error}")))
}

fn number<N: FromStr>(text: &str) -> Result<N, Error> {
    text.parse().map_err(|_| Error::Malformed(format!("\"{text}\" is not the number that was expected")))
}

/// The elements of a one-dimensional array's text: `{a,"b c","d\"e"}`. An element that is NULL means that something
/// is gone.
pub fn elements(text: &str) -> Result<Vec<String>, Error> {
    let malformed = || Error::Malformed(format!("\"{text}\" is not an array"));
    let inner = text.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')).ok_or_else(malformed)?;
    let mut found = Vec::new();
    if inner.is_empty() {
        return Ok(Vec::new());
    }
    let (mut element, mut quoted, mut was_quoted) = (String::new(), false, false);
    let mut characters = inner.chars();
    loop {
        match characters.next() {
            Some('"') => {
                quoted = !quoted;
                was_quoted = true;
            }
            Some('\\') => element.push(characters.next().ok_or_else(malformed)?),
            Some(',') if !quoted => {
                found.push((std::mem::take(&mut element), std::mem::take(&mut was_quoted)));
            }
            Some(character) => element.push(character),
            None => break,
        }
    }
    found.push((element, was_quoted));
    found
        .into_iter()
        .map(|(element, quoted)| {
            if element == "NULL" && !quoted {
                Err(Error::Changed("an element is NULL".into()))
            } else {
                Ok(element)
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arrays_are_taken_apart_as_postgresql_writes_them() {
        for (text, expected) in [
            ("{}", vec![]),
            ("{a}", vec!["a"]),
            (
                "{a,\"b c\",\"d\\\"e\",\"\",\"x,y\",\"\\\\\",\"NULL\"}",
                vec!["a", "b c", "d\"e", "", "x,y", "\\", "NULL"],
            ),
        ] {
            assert_eq!(elements(text).expect(text), expected);
        }
        assert!(elements("{NULL}").is_err());
        assert!(elements("a,b").is_err());
    }

    #[test]
    fn a_row_says_what_is_missing_and_never_panics() {
        let cells = [Some("1"), None, Some("t"), Some("f"), None, Some("1 2"), Some("{3,4}")];
        let mut row = Row::new(&cells);
        assert_eq!(row.int(), Ok(1));
        assert!(matches!(row.text(), Err(Error::Changed(_))));
        assert_eq!(row.flag(), Ok(true));
        assert_eq!(row.text_if(), Ok(None));
        assert_eq!(row.numbers::<i16>(), Ok(vec![1, 2]));
        assert_eq!(row.numbers::<u32>(), Ok(vec![3, 4]));
        assert!(matches!(row.text(), Err(Error::Malformed(_))));
    }
}
