//! CREATE FUNCTION and CREATE PROCEDURE, cut into the keys of a routine's entry.

use super::{Done, File, Made, Part, What, position};
use crate::diagnostic::Diagnostic;
use crate::fragment::without_outer_space;
use crate::ident::Text as Interned;
use crate::spec::{OneOrMany, RoutineSpec, Text};
use crate::tree::Tree;
use crate::type_name::TypeName;
use crate::yaml::{BodySql, Name, Sql};

/// `FunctionParameterMode` of PostgreSQL's parse tree, as pg_query numbers it.
const OUT: i64 = 2;
const TABLE: i64 = 5;

impl File<'_> {
    pub(super) fn routine(&mut self, words: &Part<'_>, tree: &Tree) -> Done {
        let procedure = tree.get("is_procedure").flag();
        let keyword = if procedure { "procedure" } else { "function" };
        let at = words.find_outside(0, keyword).unwrap_or(0) + 1;
        let (name, open) = self.name(words, at, &tree.get("funcname").strings())?;
        let close = words.closing(open).unwrap_or(words.len());
        let options = tree.get("options").items();
        let places: Vec<usize> =
            options.iter().map(|option| words.index_at(position(option.get("location")))).collect();
        // SQL's own body follows the last attribute.
        let behind = places.last().map_or(close + 1, |last| last + 1);
        let own_body = match tree.get("sql_body") {
            Tree::Nothing => None,
            // A list of lists stands for BEGIN ATOMIC.
            body if body.name() == "ReturnStmt" => words.find_outside(behind, "return"),
            _ => words.find_outside(behind, "begin"),
        };
        let end = own_body.unwrap_or(words.len());
        let mut spec = RoutineSpec::default();
        if close > open + 1 {
            spec.arguments = Some(words.slice(open + 1, close));
        }
        let parameters = tree.get("parameters").items();
        let has_result = !tree.get("return_type").is_nothing()
            && words.is(close + 1, "returns")
            && !words.is(close + 2, "null");
        if has_result {
            let last = places.iter().copied().filter(|place| *place > close).min().unwrap_or(end);
            spec.returns = Some(words.slice(close + 2, last));
        }
        let mut attributes = Vec::new();
        for (index, (option, first)) in options.iter().zip(&places).enumerate() {
            let last = places.get(index + 1).copied().unwrap_or(end);
            match option.get("defname").str() {
                "language" => {
                    let text = option.get("arg").str().to_owned();
                    spec.language = Some(Name { text, span: words.span(first + 1, last) });
                }
                "as" => body(words, first + 1, option.get("arg"), &mut spec),
                _ => attributes.push(*first..last),
            }
        }
        if spec.language.is_none() && own_body.is_none() {
            return Err(words
                .refuse(at, format!("`{name}` does not say its language"))
                .help("write `language sql`"));
        }
        spec.attributes = joined(words, &attributes);
        if let Some(start) = own_body {
            spec.body = Some(BodySql(words.slice(start, words.len())));
        }
        let inputs = parameters
            .iter()
            .filter(|one| ![OUT, TABLE].contains(&one.get("mode").int()))
            .map(|one| type_of(one.get("arg_type")))
            .collect();
        let entry = (name.clone(), OneOrMany(vec![spec]));
        let map = if procedure { &mut self.domain.procedures } else { &mut self.domain.functions };
        map.0.push(entry);
        let (what, at) = (if procedure { What::Procedure } else { What::Function }, map.len() - 1);
        self.made.push(Made { what, name: name.text, inputs, at });
        Ok(())
    }

    /// The routine that a statement such as COMMENT ON FUNCTION f(int) is about.
    pub(super) fn routine_of(
        &mut self,
        words: &Part<'_>,
        at: usize,
        what: What,
        object: &Tree,
    ) -> Result<&mut RoutineSpec, Diagnostic> {
        let (name, _) = self.name(words, at, &object.get("objname").strings())?;
        let inputs: Vec<Interned> = object.get("objargs").items().iter().map(type_of).collect();
        let any = object.get("args_unspecified").flag();
        let found: Vec<&Made> = self
            .made
            .iter()
            .filter(|made| made.what == what && made.name == name.text && (any || made.inputs == inputs))
            .collect();
        let place = match found.as_slice() {
            [one] => one.at,
            [] => return Err(super::about::not_made_here(&name)),
            _ => {
                return Err(words.refuse(at, format!("there are several `{name}`: write its argument types")));
            }
        };
        let map =
            if what == What::Procedure { &mut self.domain.procedures } else { &mut self.domain.functions };
        let spec = map.0.get_mut(place).and_then(|(_, specs)| specs.0.first_mut());
        spec.ok_or_else(|| super::about::not_made_here(&name))
    }
}

fn type_of(tree: &Tree) -> Interned {
    TypeName::from_tree(tree, "").without_modifiers().canonical()
}

/// `AS 'body'` or `AS 'library', 'symbol'`.
fn body(words: &Part<'_>, at: usize, arg: &Tree, spec: &mut RoutineSpec) {
    match super::listed(arg) {
        [file, symbol] => {
            spec.library = Some(words.text(at, file.str()));
            spec.body = Some(BodySql(Sql::made(symbol.str(), words.span(at, at + 1))));
        }
        [text] => {
            let written = constant(words, at, text.str());
            // White space around it is kept as it stands here.
            let all = written.text();
            let inside = without_outer_space(all);
            let from = inside.as_ptr().addr() - all.as_ptr().addr();
            let (before, after) = (&all[..from], &all[from + inside.len()..]);
            let span = written.span();
            let space = |text: &str| Text { text: text.to_owned(), span };
            spec.outer_space = Some(vec![space(before), space(after)]);
            spec.body = Some(BodySql(written));
        }
        _ => {}
    }
}

/// A string constant's content, every character with its place where it stands in the file as it is.
fn constant(words: &Part<'_>, at: usize, content: &str) -> Sql {
    let raw = words.slice(at, at + 1);
    let text = raw.text();
    let (open, close) = if let Some(rest) = text.strip_prefix('$') {
        let tag = rest.find('$').map_or(1, |end| end + 2);
        (tag, text.len().saturating_sub(tag))
    } else {
        (1, text.len().saturating_sub(1))
    };
    let mut inside = raw.part(open, close);
    if text.starts_with('\'') {
        let doubled: Vec<usize> = inside.text().match_indices("''").map(|(at, _)| at).collect();
        for at in doubled.into_iter().rev() {
            inside = inside.without(at, at + 1);
        }
    }
    if inside.text() == content { inside } else { Sql::made(content, raw.span()) }
}

/// Clauses as one fragment, without what stands between them.
fn joined(words: &Part<'_>, clauses: &[std::ops::Range<usize>]) -> Option<Sql> {
    let (first, last) = (clauses.first()?, clauses.last()?);
    let offset = words.start(first.start);
    let mut all = words.slice(first.start, last.end);
    for pair in clauses.windows(2).rev() {
        let [one, next] = pair else { continue };
        if one.end < next.start {
            let (from, to) = (words.start(one.end) - offset, words.start(next.start) - offset);
            all = all.without(from, to);
        }
    }
    Some(all)
}
