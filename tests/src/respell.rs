//! Writes a project's SQL in other words of the same meaning: other case, blanks, parentheses, names with and without
//! their schema. The files keep their YAML; only the tokens of fragments change in place. Strings and quoted names are
//! left alone, and so is what a place does not take (parentheses around a column that ORDER BY may know as an output).

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use schemac_compiler::compile;
use schemac_compiler::load::{Project, load};
use schemac_schema::fragment::{self, Fragment, Grammar};
use schemac_schema::ident::{Ident, QName};
use schemac_schema::names::{Mention, MentionKind};
use schemac_schema::object::Visitor;
use schemac_schema::parse::{self, Token};
use schemac_schema::reference::Reference;
use schemac_schema::span::FileId;
use schemac_schema::tree::Tree;
use schemac_schema::type_name::TypeName;
use schemac_schema::{builtin, sql, yaml};

use crate::Result;

/// One way to write the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spelling {
    /// Keywords and unquoted names in upper case.
    Shouted,
    /// A comment and blanks where there is a blank.
    Spaced,
    /// Parentheses around whole expressions, columns and constants.
    Parenthesised,
    /// Names without their schema, where the search_path finds them.
    Bare,
    /// Names with their schema.
    Qualified,
}

/// Copies a project into a folder and writes its SQL otherwise there; how many places changed.
///
/// # Errors
/// The project cannot be read, or a file cannot be written.
pub fn respell(project: &Path, out: &Path, spellings: &[Spelling], version: u32) -> Result<usize> {
    copy(project, out)?;
    let mut loaded = load(out, version).map_err(|failure| failure.to_string())?;
    let fragments = fragments(&mut loaded);
    // A mixin's fragment stands once in the files and many times in the catalog.
    let mut times: BTreeMap<(FileId, u32), usize> = BTreeMap::new();
    for (origin, _) in &fragments {
        *times.entry((origin.span().file, origin.span().start)).or_default() += 1;
    }
    let resolver = Resolver { project: &loaded, search_path: compile::search_path(&loaded) };
    let mut edits: BTreeMap<FileId, BTreeSet<Edit>> = BTreeMap::new();
    for (origin, grammar) in &fragments {
        let once = times[&(origin.span().file, origin.span().start)] == 1;
        for change in changes(origin.text(), *grammar, spellings, once.then_some(&resolver)) {
            // Both parentheses or none.
            let placed: Option<Vec<Edit>> =
                change.into_iter().map(|edit| place(origin, &loaded, edit)).collect();
            edits.entry(origin.span().file).or_default().extend(placed.into_iter().flatten());
        }
    }
    let mut count = 0;
    for (file, edits) in edits {
        count += edits.len();
        let text = apply(loaded.sources.text(file), &edits);
        fs::write(loaded.sources.path(file), text)?;
    }
    Ok(count)
}

/// Where a change of a fragment's text stands in its file. What was generated stands nowhere.
fn place(origin: &yaml::Sql, project: &Project, change: Edit) -> Option<Edit> {
    let text = origin.text();
    // What is put in stands beside a token.
    let touches = |token: &Token| match change.end - change.start {
        0 => token.start == change.start || token.end == change.start,
        _ => token.start >= change.start && token.end <= change.end,
    };
    for token in parse::tokens(text).ok()?.iter().filter(|token| touches(token)) {
        let there = project.sources.slice(origin.locate_range(token.start, token.end));
        if there != &text[token.start..token.end] {
            return None;
        }
    }
    let (start, end) = if change.end > change.start {
        let span = origin.locate_range(change.start, change.end);
        (span.start, span.end)
    } else {
        let at = match change.start {
            // Behind the last character.
            end if end == text.len() => origin.locate(end - 1).end,
            start => origin.locate(start).start,
        };
        (at, at)
    };
    Some(Edit { start: start as usize, end: end as usize, ..change })
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let path = entry?.path();
        let Some(name) = path.file_name() else { continue };
        if path.is_dir() {
            copy(&path, &to.join(name))?;
        } else {
            fs::copy(&path, to.join(name))?;
        }
    }
    Ok(())
}

/// A text in place of another; insertions at one place go by their rank.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Edit {
    start: usize,
    end: usize,
    rank: i8,
    text: String,
}

/// Later edits that would change what an earlier one took are left out.
fn apply(text: &str, edits: &BTreeSet<Edit>) -> String {
    let (mut out, mut from) = (String::new(), 0);
    // Insertions come before what replaces the text at the same place.
    for edit in edits {
        if edit.start < from {
            continue;
        }
        out.push_str(&text[from..edit.start]);
        out.push_str(&edit.text);
        from = edit.end;
    }
    out.push_str(&text[from..]);
    out
}

/// The fragments of a project as they stand in its files.
fn fragments(project: &mut Project) -> Vec<(yaml::Sql, Grammar)> {
    struct Collect(Vec<(yaml::Sql, Grammar)>);
    impl Visitor for Collect {
        fn fragment(&mut self, _: &str, fragment: &mut Fragment) {
            if let Some(origin) = fragment.origin().filter(|_| fragment.grammar() != Grammar::Body) {
                self.0.push((origin.clone(), fragment.grammar()));
            }
        }
        fn type_name(&mut self, _: &mut TypeName) {}
        fn reference(&mut self, _: &mut Reference) {}
    }
    let mut collect = Collect(Vec::new());
    for (_, entry) in project.catalog.iter_mut() {
        entry.object.visit(&mut collect);
    }
    collect.0
}

/// The changes of a text; the edits of one belong together.
fn changes(
    text: &str,
    grammar: Grammar,
    spellings: &[Spelling],
    resolver: Option<&Resolver<'_>>,
) -> Vec<Vec<Edit>> {
    let (Ok(tokens), Ok((tree, prefix)), Ok(names)) =
        (parse::tokens(text), fragment::tree(text, grammar), fragment::names(text, grammar))
    else {
        return Vec::new();
    };
    let mut out = Vec::new();
    let insert = |at: usize, rank: i8, text: &str| Edit { start: at, end: at, rank, text: text.into() };
    for spelling in spellings {
        match spelling {
            Spelling::Shouted => out.extend(shouted(text, &tokens).map(|edit| vec![edit])),
            Spelling::Spaced => {
                let behind_blank = tokens.windows(2).filter(|two| two[0].end < two[1].start);
                out.extend(behind_blank.map(|two| vec![insert(two[1].start, -2, " /* said */   ")]));
            }
            Spelling::Parenthesised => {
                let mut wrap = |start: usize, end: usize, outer: i8| {
                    out.push(vec![insert(start, -outer, "("), insert(end, outer - 9, ")")]);
                };
                if grammar == Grammar::Expression {
                    wrap(0, text.len(), 1);
                }
                // What an index includes is no expression.
                let include =
                    tokens.iter().find(|one| text[one.start..one.end].eq_ignore_ascii_case("include"));
                let include = include.filter(|_| matches!(grammar, Grammar::Index | Grammar::Exclusion));
                let wrapped = |mention: &&Mention| {
                    is_wrapped(mention, text, &tokens)
                        && include.is_none_or(|include| !is_listed_behind(include, mention, text))
                };
                for mention in names.mentions.iter().filter(wrapped) {
                    wrap(mention.start, mention.end, 0);
                }
                for (start, end) in operands(&tree, prefix, &tokens) {
                    wrap(start, end, 0);
                }
            }
            Spelling::Bare | Spelling::Qualified => {
                let bare = *spelling == Spelling::Bare;
                let mentions = names.mentions.iter();
                out.extend(
                    resolver
                        .into_iter()
                        .flat_map(|resolver| {
                            mentions.clone().filter_map(|one| resolver.respelled(one, &tokens, bare))
                        })
                        .map(|edit| vec![edit]),
                );
            }
        }
    }
    out
}

fn shouted<'a>(text: &'a str, tokens: &'a [Token]) -> impl Iterator<Item = Edit> + 'a {
    tokens.iter().filter_map(|token| {
        let word = text.get(token.start..token.end)?;
        let plain = word.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
            && !word.contains(['\'', '"', '$']);
        let upper = word.to_ascii_uppercase();
        (plain && upper != word).then_some(Edit { start: token.start, end: token.end, rank: 9, text: upper })
    })
}

/// Whether a name stands in the list that a word is in front of.
fn is_listed_behind(word: &Token, mention: &Mention, text: &str) -> bool {
    let end = text[word.end..].find(')').map_or(text.len(), |end| word.end + end);
    (word.end..end).contains(&mention.start)
}

/// Whether a column may stand in parentheses.
fn is_wrapped(mention: &Mention, text: &str, tokens: &[Token]) -> bool {
    let of_all = mention.parts.iter().any(|part| part.as_str() == "*");
    if mention.kind != MentionKind::Column || mention.may_be_output || of_all {
        return false;
    }
    let next = tokens.iter().find(|token| token.start >= mention.end);
    let next = next.and_then(|token| text.get(token.start..token.end)).unwrap_or("");
    // `count(a.*)`, and a field that is written behind the name.
    !next.starts_with('.')
}

/// The constants beside an operator.
fn operands(tree: &Tree, prefix: usize, tokens: &[Token]) -> Vec<(usize, usize)> {
    let mut found = Vec::new();
    tree.walk(&mut |node| {
        if node.name() != "AExpr" {
            return;
        }
        for side in [node.get("lexpr"), node.get("rexpr")] {
            let sides =
                if side.name() == "List" { side.get("items").items() } else { std::slice::from_ref(side) };
            for constant in sides.iter().filter(|one| one.name() == "AConst") {
                let at = usize::try_from(constant.get("location").int()).ok();
                let at = at.and_then(|at| at.checked_sub(prefix));
                let token = at.and_then(|at| tokens.iter().find(|token| token.start == at));
                found.extend(token.map(|token| (token.start, token.end)));
            }
        }
    });
    found
}

/// Types whose names are those that the catalog has.
const TYPES: [&str; 8] = ["text", "uuid", "date", "jsonb", "json", "inet", "int4", "timestamptz"];

struct Resolver<'a> {
    project: &'a Project,
    search_path: Vec<Ident>,
}

impl Resolver<'_> {
    /// A name of the project without its schema, or with it.
    fn respelled(&self, mention: &Mention, tokens: &[Token], bare: bool) -> Option<Edit> {
        let rank = 5;
        match (&mention.parts[..], bare) {
            ([schema, name], true) => {
                let name = QName { schema: *schema, name: *name };
                let found = self.find(mention.kind, name.name);
                let last = tokens.iter().rfind(|token| token.end <= mention.end)?;
                (found == Some(name) && self.knows(mention.kind, name)).then(|| Edit {
                    start: mention.start,
                    end: last.start,
                    rank,
                    text: String::new(),
                })
            }
            ([name], false) => {
                let schema = self.find(mention.kind, *name)?.schema;
                let text = format!("{}.", sql::quoted(schema));
                // No two words, as `double precision` is.
                let is_token = tokens.iter().any(|one| one.start == mention.start && one.end == mention.end);
                is_token.then_some(Edit { start: mention.start, end: mention.start, rank, text })
            }
            _ => None,
        }
    }

    fn knows(&self, kind: MentionKind, name: QName) -> bool {
        let catalog = &self.project.catalog;
        match kind {
            MentionKind::Relation => {
                // An old name that lives on is no name of the table's.
                catalog.relation(name).is_some() && self.project.facades.iter().all(|one| one.name != name)
            }
            MentionKind::Routine => !catalog.routines(name).is_empty(),
            MentionKind::Type => catalog.type_named(name).is_some(),
            _ => false,
        }
    }

    /// What a name without a schema means, as far as the project and PostgreSQL itself tell.
    fn find(&self, kind: MentionKind, name: Ident) -> Option<QName> {
        let system = Ident::new("pg_catalog");
        let of_system = match kind {
            MentionKind::Routine => builtin::is_function(name.as_str()),
            MentionKind::Type => TYPES.contains(&name.as_str()),
            _ => false,
        };
        let path = self.search_path.iter().map(|schema| QName { schema: *schema, name });
        let own: Vec<QName> = path.filter(|name| self.knows(kind, *name)).collect();
        match (of_system, &own[..]) {
            (true, []) => Some(QName { schema: system, name }),
            (false, [first, ..]) => Some(*first),
            _ => None,
        }
    }
}
