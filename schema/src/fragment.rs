//! SQL that a person wrote inside an object, or that the catalog gave for it.
//!
//! Two fragments are equal when their canonical texts are; what is emitted is always the declared text, so people
//! read their own words in a plan. Where a fragment came from plays no part in equality.

use crate::ident::Text;
use crate::names::Names;
use crate::parse::{self, SyntaxError};
use crate::tree::Tree;
use crate::yaml;
use std::collections::HashMap;
use std::hash::{Hash, Hasher};
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

/// What a fragment's text is.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, serde::Serialize, serde::Deserialize)]
pub enum Grammar {
    /// A value expression: a check, default, predicate, policy.
    Expression,
    /// A query: a view's.
    Query,
    /// What follows the table's name in CREATE INDEX: `USING gin (tags) WHERE …`.
    Index,
    /// What follows EXCLUDE: `USING gist (room WITH =, during WITH &&) WHERE (…)`.
    Exclusion,
    /// What follows the name in CREATE STATISTICS, without FROM: `(ndistinct) ON a, b`.
    Statistics,
    /// What follows PARTITION BY: `RANGE (created_at)`.
    PartitionKey,
    /// What follows the table's name in PARTITION OF: `FOR VALUES …`, `DEFAULT`.
    Bound,
    /// What follows the table's name in CREATE RULE: `WHERE (…) DO INSTEAD NOTHING`.
    Rule,
    /// The body of a routine in SQL's own form: `RETURN …` or `BEGIN ATOMIC … END`.
    Routine,
    /// A string body, compared without outer white space and never parsed as SQL here.
    Body,
}

/// SQL inside an object.
#[derive(Clone, Debug)]
pub struct Fragment {
    declared: Text,
    canonical: Text,
    grammar: Grammar,
    origin: Option<Arc<yaml::Sql>>,
}

impl Fragment {
    /// A fragment from a catalog or from generated text: the declared and the canonical text are one.
    pub fn canonical(text: &str, grammar: Grammar) -> Self {
        let text = Text::new(text.trim());
        Self { declared: text, canonical: text, grammar, origin: None }
    }

    /// A fragment from a file.
    pub fn declared(sql: &yaml::Sql, grammar: Grammar) -> Self {
        let sql = sql.trimmed();
        let text = Text::new(sql.text());
        Self { declared: text, canonical: text, grammar, origin: Some(Arc::new(sql)) }
    }

    /// A body: emitted with its outer white space, compared without.
    pub fn body(text: &str) -> Self {
        Self {
            declared: Text::new(text),
            canonical: Text::new(without_outer_space(text)),
            grammar: Grammar::Body,
            origin: None,
        }
    }

    /// A body from a file, whose text is `sql` with other white space around it.
    pub fn declared_body(sql: &yaml::Sql, text: &str) -> Self {
        Self { origin: Some(Arc::new(sql.trimmed())), ..Self::body(text) }
    }

    /// A part of a fragment from a file: `text` stands `offset` bytes into it.
    pub fn part(text: &str, grammar: Grammar) -> Self {
        Self::canonical(text, grammar)
    }

    /// What is emitted.
    pub fn text(&self) -> &'static str {
        self.declared.as_str()
    }

    /// What is compared.
    pub fn canonical_text(&self) -> Text {
        self.canonical
    }

    /// The grammar.
    pub fn grammar(&self) -> Grammar {
        self.grammar
    }

    /// Where it was declared.
    pub fn origin(&self) -> Option<&yaml::Sql> {
        self.origin.as_deref()
    }

    /// The same fragment with its names qualified or mapped: the text changes, its place in the file does not.
    pub fn rewrite(&mut self, text: &str) {
        let text = Text::new(text);
        if self.canonical == self.declared {
            self.canonical = text;
        }
        self.declared = text;
    }

    /// Says that this fragment was proven equal to one with that canonical text.
    pub fn settle(&mut self, canonical: Text) {
        self.canonical = canonical;
    }

    /// Takes that back: the text stands for itself.
    pub fn unsettle(&mut self) {
        self.canonical = self.declared;
    }

    /// Whether the text ends in a line comment that would swallow what follows.
    pub fn ends_in_comment(&self) -> bool {
        let text = self.text();
        let last = text.rsplit('\n').next().unwrap_or(text);
        last.contains("--")
    }

    /// The names that the text mentions. Each text is parsed once for them.
    ///
    /// # Errors
    /// A syntax error with its offset in the text.
    pub fn names(&self) -> Result<Arc<Names>, SyntaxError> {
        names(self.text(), self.grammar)
    }

    /// The parse tree and how far its locations are ahead of the text. No fragment holds it; `parse` keeps it for a while.
    ///
    /// # Errors
    /// A syntax error with its offset in the text.
    pub fn tree(&self) -> Result<(Tree, usize), SyntaxError> {
        tree(self.text(), self.grammar)
    }
}

/// A body without the white space around it: what PostgreSQL's own scanners take for white space, and no more.
pub fn without_outer_space(body: &str) -> &str {
    body.trim_matches(|c: char| c.is_ascii_whitespace())
}

type Known = HashMap<(Text, Grammar), Arc<Names>>;

static KNOWN: LazyLock<Mutex<Known>> = LazyLock::new(Mutex::default);

/// The names that a text mentions; each text is parsed once.
///
/// # Errors
/// A syntax error with its offset in the text.
pub fn names(text: &str, grammar: Grammar) -> Result<Arc<Names>, SyntaxError> {
    let key = (Text::new(text), grammar);
    if let Some(known) = KNOWN.lock().unwrap_or_else(PoisonError::into_inner).get(&key) {
        return Ok(Arc::clone(known));
    }
    let (tree, prefix) = tree(text, grammar)?;
    Ok(learn(text, grammar, &tree, prefix))
}

/// Keeps the names of a text that was parsed for another reason.
pub fn learn(text: &str, grammar: Grammar, tree: &Tree, prefix: usize) -> Arc<Names> {
    let names = Arc::new(Names::of(tree, text, prefix));
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    known.insert((Text::new(text), grammar), Arc::clone(&names));
    names
}

/// Parses text by its grammar: the tree and how far its locations are ahead of the text.
///
/// # Errors
/// A syntax error with its offset in the text.
pub fn tree(text: &str, grammar: Grammar) -> Result<(Tree, usize), SyntaxError> {
    match grammar {
        Grammar::Expression => Ok((parse::expression(text)?, parse::EXPRESSION_PREFIX)),
        Grammar::Query => {
            let tree = parse::statement(text)?;
            if tree.name() == "SelectStmt" {
                Ok((tree, 0))
            } else {
                Err(SyntaxError {
                    message: "this is not a query (SELECT, VALUES or WITH … SELECT)".into(),
                    offset: Some(0),
                })
            }
        }
        Grammar::Index => framed("CREATE INDEX ON t ", text, ""),
        Grammar::Exclusion => framed("ALTER TABLE t ADD CONSTRAINT c EXCLUDE ", text, ""),
        Grammar::Statistics => framed("CREATE STATISTICS s ", text, " FROM t"),
        Grammar::PartitionKey => framed("CREATE TABLE t () PARTITION BY ", text, ""),
        Grammar::Bound => framed("CREATE TABLE t PARTITION OF p ", text, ""),
        Grammar::Rule => framed("CREATE RULE x AS ON INSERT TO x ", text, ""),
        Grammar::Routine => framed("CREATE FUNCTION x() RETURNS void LANGUAGE sql ", text, ""),
        Grammar::Body => Ok((Tree::Nothing, 0)),
    }
}

/// Parses a part of a statement inside one.
fn framed(head: &str, text: &str, tail: &str) -> Result<(Tree, usize), SyntaxError> {
    // The same statement as `Frame` reads, so that it is parsed once.
    let tree = parse::statement(&format!("{head}{text}\n{tail}")).map_err(|error| SyntaxError {
        offset: error.offset.map(|offset| offset.saturating_sub(head.len()).min(text.len())),
        ..error
    })?;
    Ok((tree, head.len()))
}

impl PartialEq for Fragment {
    fn eq(&self, other: &Self) -> bool {
        self.canonical == other.canonical
    }
}

impl Eq for Fragment {}

impl Hash for Fragment {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.canonical.hash(state);
    }
}

/// A value that plays no part in equality: a column's position, where a thing came from.
#[derive(Clone, Copy, Debug, Default, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
pub struct Aside<T>(pub T);

impl<T> PartialEq for Aside<T> {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl<T> Eq for Aside<T> {}

impl<T> Hash for Aside<T> {
    fn hash<H: Hasher>(&self, _: &mut H) {}
}
