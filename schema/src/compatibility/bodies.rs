//! Old names in the bodies of functions and in string constants, read token by token.
//!
//! PL/pgSQL is no SQL, and a body may be put together from pieces: only the scanner reads both. What a name means is
//! told by the words around it. Names in fragments are bound and follow their objects; only their texts are looked at.

use super::structure::triggers;
use super::{Finding, Moved, Old, Rule, Sides};
use crate::catalog::Standing;
use crate::fragment::{Fragment, Grammar};
use crate::id::ObjectId;
use crate::ident::{Ident, QName};
use crate::kinds::function::{Body, Function};
use crate::names::dotted_name;
use crate::object::{Kind, Object, Visitor};
use crate::parse;
use crate::reference::Reference;
use crate::sql;
use crate::type_name::TypeName;
use std::collections::BTreeSet;

pub(super) fn find(sides: &Sides<'_>, old: &Old, out: &mut BTreeSet<Finding>) {
    let mut by_triggers: BTreeSet<(ObjectId, usize)> = BTreeSet::new();
    for (at, moved) in old.moved.iter().enumerate().filter(|(_, moved)| moved.now.kind() == Kind::Table) {
        by_triggers.extend(triggers(sides.desired, moved.now, |_| true).into_iter().map(|id| (id, at)));
    }
    for (id, entry) in sides.desired.iter() {
        if old.own.contains(&id.root()) {
            continue;
        }
        let mut scan = Scan { sides, old, id, out, origin: None, path: sides.search_path.to_vec(), depth: 0 };
        match &entry.object {
            Object::Function(Function { body: Body::Text(body), language, attributes, .. }) => {
                let path = attributes.settings.0.get(&Ident::new("search_path"));
                if let Some(path) = path {
                    scan.path = path_of(path.as_str());
                }
                match language.as_str() {
                    "sql" | "plpgsql" => {
                        let of = by_triggers.range((id, 0)..=(id, usize::MAX)).map(|(_, at)| &old.moved[*at]);
                        let of: Vec<&Moved> = of.collect();
                        scan.body(body, language.as_str() == "plpgsql", &of);
                    }
                    _ => scan.foreign(body),
                }
            }
            object => {
                let mut object = object.clone();
                object.visit(&mut Constants { scan: &mut scan });
            }
        }
    }
}

/// Names of relations without a schema in the bodies of functions that are certain to mean what has moved. Texts within
/// bodies are left out: what is a statement there cannot be told from what is a message.
pub(super) fn find_bare(sides: &Sides<'_>, old: &Old, out: &mut BTreeSet<Finding>) {
    for (id, entry) in sides.desired.iter() {
        let Object::Function(Function { body: Body::Text(body), language, attributes, .. }) = &entry.object
        else {
            continue;
        };
        // What no file declares is not the files' fault.
        let declared = entry.standing == Standing::Managed;
        if !declared || old.own.contains(&id) || !matches!(language.as_str(), "sql" | "plpgsql") {
            continue;
        }
        let path = attributes.settings.0.get(&Ident::new("search_path"));
        let path = path.map_or(sides.search_path.to_vec(), |path| path_of(path.as_str()));
        let mut scan = Scan { sides, old, id, out, origin: body.origin().cloned(), path, depth: 0 };
        let text = body.text();
        let Some(words) = Some(text).filter(|text| scan.is_named(text)).and_then(Words::of) else { continue };
        for at in (0..words.tokens.len()).filter(|at| words.is_certain(*at)) {
            let place = words.tokens[at].start;
            let Some((parts, end)) = dotted_name(text, place) else { continue };
            if let [name] = parts.as_slice()
                && !words.is_made(*name)
                && let Some(moved) = scan.relation(&parts)
            {
                let said = text.get(place..end).unwrap_or_default().to_owned();
                scan.add(Rule::OldName, Some(moved.old), text, place, said);
            }
        }
    }
}

/// A search_path, taken apart.
fn path_of(setting: &str) -> Vec<Ident> {
    setting.split(',').filter_map(|one| Some(*dotted_name(one.trim(), 0)?.0.first()?)).collect()
}

/// Looks into the string constants of fragments.
struct Constants<'a, 'b> {
    scan: &'a mut Scan<'b>,
}

impl Visitor for Constants<'_, '_> {
    fn fragment(&mut self, _: &str, fragment: &mut Fragment) {
        if fragment.grammar() == Grammar::Body || !fragment.text().contains('\'') {
            return;
        }
        self.scan.origin = fragment.origin().cloned();
        self.scan.constants(fragment.text());
    }

    fn type_name(&mut self, _: &mut TypeName) {}

    fn reference(&mut self, _: &mut Reference) {}
}

/// What a name is used for, as the words before it say.
const RELATION_WORDS: [&str; 12] = [
    "from",
    "join",
    "into",
    "update",
    "only",
    "table",
    "truncate",
    "copy",
    "using",
    "references",
    "lock",
    "exists",
];

/// What may begin a statement behind THEN or ELSE.
const STATEMENTS: [&str; 22] = [
    "insert", "update", "delete", "merge", "truncate", "copy", "alter", "create", "drop", "lock", "execute",
    "perform", "return", "raise", "if", "with", "for", "while", "comment", "analyze", "call", "open",
];

struct Scan<'a> {
    sides: &'a Sides<'a>,
    old: &'a Old,
    id: ObjectId,
    out: &'a mut BTreeSet<Finding>,
    origin: Option<crate::yaml::Sql>,
    path: Vec<Ident>,
    /// How deep in texts within texts.
    depth: usize,
}

/// The tokens of a text, with what is asked of them.
struct Words<'t> {
    text: &'t str,
    tokens: Vec<parse::Token>,
    /// Where each token's statement begins.
    starts: Vec<usize>,
}

impl<'t> Words<'t> {
    fn of(text: &'t str) -> Option<Self> {
        let tokens = parse::tokens(text).ok()?;
        let mut words = Self { text, tokens, starts: Vec::new() };
        let mut start = 0;
        for at in 0..words.tokens.len() {
            let before = at.checked_sub(1).map_or(";".into(), |before| words.word(before));
            let begins = match before.as_str() {
                ";" | "begin" | "loop" | "declare" | "atomic" => true,
                "then" | "else" => STATEMENTS.contains(&words.word(at).as_str()),
                _ => false,
            };
            if begins {
                start = at;
            }
            words.starts.push(start);
        }
        Some(words)
    }

    fn raw(&self, at: usize) -> &'t str {
        self.tokens.get(at).and_then(|token| self.text.get(token.start..token.end)).unwrap_or_default()
    }

    /// A token in lower case; a quoted name and a text are no words.
    fn word(&self, at: usize) -> String {
        self.raw(at).to_ascii_lowercase()
    }

    fn before(&self, at: usize, steps: usize) -> String {
        at.checked_sub(steps).map(|at| self.word(at)).unwrap_or_default()
    }

    fn is_text(&self, at: usize) -> bool {
        let raw = self.raw(at);
        raw.starts_with('\'')
            || (raw.starts_with('$') && raw.len() > 1 && raw.ends_with('$'))
            || (raw.len() > 1 && raw.starts_with(['e', 'E', 'n', 'N', 'u', 'U']) && raw.ends_with('\''))
    }

    /// What a text says, and where that begins.
    fn content(&self, at: usize) -> (String, usize) {
        let (raw, start) = (self.raw(at), self.tokens.get(at).map_or(0, |token| token.start));
        if let Some(rest) = raw.strip_prefix('$') {
            let tag = rest.find('$').map_or(0, |end| end + 2);
            let inside = raw.get(tag..raw.len().saturating_sub(tag)).unwrap_or_default();
            return (inside.to_owned(), start + tag);
        }
        let open = raw.find('\'').map_or(0, |at| at + 1);
        let inside = raw.get(open..raw.len().saturating_sub(1)).unwrap_or_default();
        (sql::undoubled(inside), start + open)
    }

    fn starts_name(&self, at: usize) -> bool {
        let first = self.raw(at).chars().next();
        let names = first.is_some_and(|c| c.is_alphabetic() || c == '_' || c == '"');
        names && !self.is_text(at) && self.before(at, 1) != "."
    }

    /// The tokens of the statement around a token.
    fn statement(&self, at: usize) -> std::ops::Range<usize> {
        let start = self.starts.get(at).copied().unwrap_or(0);
        let end = (at..self.tokens.len()).find(|next| self.starts[*next] != start || self.raw(*next) == ";");
        start..end.unwrap_or(self.tokens.len())
    }

    /// The function in whose parentheses a token is the first argument.
    fn caller(&self, at: usize) -> String {
        if self.before(at, 1) == "(" { self.before(at, 2) } else { String::new() }
    }

    /// Whether a token begins the name of a relation, and can be no variable, column or argument.
    fn is_certain(&self, at: usize) -> bool {
        if !self.starts_name(at) {
            return false;
        }
        let (before, earlier) = (self.before(at, 1), self.before(at, 2));
        match before.as_str() {
            "join" => true,
            "from" => earlier != "distinct" && !self.is_in_call(at),
            "into" => matches!(earlier.as_str(), "insert" | "merge"),
            // Not FOR UPDATE, DO UPDATE and ON UPDATE.
            "update" => matches!(earlier.as_str(), "" | ";" | "(" | ")" | "begin" | "then" | "else" | "loop"),
            "only" => matches!(earlier.as_str(), "from" | "join" | "update"),
            "truncate" => true,
            "table" => matches!(earlier.as_str(), "truncate" | "alter" | "lock"),
            _ => false,
        }
    }

    /// Whether a FROM is that of `extract(year from x)` and its like.
    fn is_in_call(&self, at: usize) -> bool {
        let mut depth = 0_usize;
        for open in (0..at).rev() {
            match self.raw(open) {
                ")" => depth += 1,
                "(" if depth == 0 => {
                    let caller = self.before(open, 1);
                    return ["extract", "substring", "trim", "overlay"].contains(&caller.as_str());
                }
                "(" => depth -= 1,
                ";" => return false,
                _ => {}
            }
        }
        false
    }

    /// Whether the body itself makes something of that name: a WITH query, a temporary table.
    fn is_made(&self, name: Ident) -> bool {
        (0..self.tokens.len()).any(|at| {
            let is_it = || dotted_name(self.raw(at), 0).is_some_and(|(parts, _)| parts == [name]);
            let behind = self.word(at + 1);
            let begins = behind == "as" || behind == "(";
            let query = begins && matches!(self.before(at, 1).as_str(), "with" | "recursive" | ",");
            let table = self.before(at, 1) == "table" || self.before(at, 1) == "exists";
            let temporary = || {
                let from = at.saturating_sub(5);
                self.has(from..at, &["temp"]) || self.has(from..at, &["temporary"])
            };
            (query || (table && temporary())) && is_it()
        })
    }

    fn has(&self, range: std::ops::Range<usize>, words: &[&str]) -> bool {
        range.clone().any(|at| {
            words
                .iter()
                .enumerate()
                .all(|(step, word)| at + step < range.end && self.word(at + step) == *word)
        })
    }
}

impl Scan<'_> {
    fn body(&mut self, body: &Fragment, plpgsql: bool, triggered: &[&Moved]) {
        let text = body.text();
        self.origin = body.origin().cloned();
        let lower = text.to_ascii_lowercase();
        let named = self.is_named(text);
        let dynamic = plpgsql && lower.contains("execute");
        let by_trigger = !triggered.is_empty() && lower.contains("tg_");
        if !named && !dynamic && !by_trigger {
            return;
        }
        let Some(words) = Words::of(text) else {
            if named {
                self.add(Rule::Unreadable, None, text, 0, String::new());
            }
            return;
        };
        if named {
            self.names(&words, text, 0);
        }
        for at in 0..words.tokens.len() {
            let place = words.tokens[at].start;
            match words.word(at).as_str() {
                "execute" if dynamic => self.dynamic(&words, at, text),
                word @ ("tg_table_schema" | "tg_table_name" | "tg_relname" | "tg_relid") => {
                    let by_name = word == "tg_table_name" || word == "tg_relname";
                    for moved in triggered {
                        if by_name && moved.old.name() == moved.now.name() {
                            continue;
                        }
                        // The oid stays what it is, its text does not.
                        if word == "tg_relid"
                            && words.word(at + 1) != "::"
                            && words.word(at + 1) != "typecast"
                        {
                            continue;
                        }
                        self.add(
                            Rule::TriggerSchema,
                            Some(moved.old),
                            text,
                            place,
                            word.to_ascii_uppercase(),
                        );
                    }
                }
                _ => {}
            }
        }
    }

    /// Whether a text may have an old name in it, in any case.
    fn is_named(&self, text: &str) -> bool {
        let lower = text.to_ascii_lowercase();
        self.old.names.iter().any(|name| text.contains(name.as_str()) || lower.contains(name.as_str()))
    }

    /// A body that is neither SQL nor PL/pgSQL.
    fn foreign(&mut self, body: &Fragment) {
        let text = body.text();
        self.origin = body.origin().cloned();
        for moved in &self.old.moved {
            let Some(name) = moved.old.qname() else { continue };
            if let Some(place) = text.find(&format!("{}.{}", name.schema, name.name)) {
                self.add(Rule::OtherLanguage, Some(moved.old), text, place, String::new());
            }
        }
    }

    /// `EXECUTE` of anything but one whole text.
    fn dynamic(&mut self, words: &Words<'_>, at: usize, text: &str) {
        let (next, behind) = (words.word(at + 1), words.word(at + 2));
        let granted = matches!(words.before(at, 1).as_str(), "grant" | "revoke" | "," | "all");
        if granted || matches!(next.as_str(), "function" | "procedure" | "on" | "privilege") {
            return;
        }
        let whole = words.is_text(at + 1) && matches!(behind.as_str(), ";" | "using" | "into" | "" | "loop");
        if !whole {
            let line = text[words.tokens[at].start..].lines().next().unwrap_or_default();
            self.add(Rule::DynamicSql, None, text, words.tokens[at].start, line.trim().to_owned());
        }
    }

    /// Every old name in a text; `offset` is where the text begins in the body.
    fn names(&mut self, words: &Words<'_>, whole: &str, offset: usize) {
        for at in 0..words.tokens.len() {
            let place = words.tokens[at].start;
            if words.is_text(at) {
                self.constant(words, at, whole, offset);
            } else if words.starts_name(at) {
                let Some((parts, end)) = dotted_name(words.text, place) else { continue };
                self.name(words, at, &parts, end, (whole, offset + place));
            }
        }
    }

    fn name(
        &mut self,
        words: &Words<'_>,
        at: usize,
        parts: &[Ident],
        end: usize,
        (whole, place): (&str, usize),
    ) {
        let calls = words.text[end..].trim_start().starts_with('(');
        let before = words.before(at, 1);
        let said = words.text.get(words.tokens[at].start..end).unwrap_or_default().to_owned();
        if let Some(moved) = self.routine(parts).filter(|_| calls && before != "into" && before != "table") {
            let rule = if moved.facade.is_some() { Rule::OldName } else { Rule::FunctionName };
            return self.add(rule, Some(moved.old), whole, place, said);
        }
        if let Some(moved) = self.type_named(parts).filter(|_| parts.len() > 1 || before == "::") {
            return self.add(Rule::TypeName, Some(moved.old), whole, place, said);
        }
        let listed = before == "," && words.has(words.statement(at), &["truncate"]);
        let wanted = parts.len() > 1 || listed || RELATION_WORDS.contains(&before.as_str());
        let Some(moved) = self.relation(parts).filter(|_| wanted) else { return };
        let rule = self.use_of(words, at, moved);
        self.add(rule, Some(moved.old), whole, place, said);
    }

    /// What a statement does with a relation.
    fn use_of(&self, words: &Words<'_>, at: usize, moved: Moved) -> Rule {
        if moved.facade.is_none() {
            return if moved.old.kind() == Kind::Sequence { Rule::SequenceName } else { Rule::NoFacade };
        }
        let (before, earlier) = (words.before(at, 1), words.before(at, 2));
        let statement = words.statement(at);
        let first = words.word(statement.start);
        match (first.as_str(), before.as_str()) {
            ("truncate", _) | (_, "truncate") => return Rule::Truncate,
            ("copy", _) | (_, "copy") => return Rule::Copy,
            (_, "references")
            | ("alter" | "drop" | "create", "table" | "only" | "exists")
            | ("create" | "drop", "on") => {
                return Rule::Ddl;
            }
            (_, "into") if earlier == "merge" && self.sides.version < 17 => return Rule::Merge,
            (_, "into") if earlier == "insert" => {
                let rest = at..statement.end;
                if words.has(rest.clone(), &["on", "conflict", "on", "constraint"]) {
                    return Rule::ConflictConstraint;
                }
                if moved.triggers && words.has(rest, &["on", "conflict"]) {
                    return Rule::ConflictTrigger;
                }
            }
            _ => {}
        }
        if ["ctid", "xmin", "xmax", "cmin", "cmax", "tableoid"]
            .iter()
            .any(|word| words.has(statement.clone(), &[word]))
        {
            return Rule::SystemColumn;
        }
        Rule::OldName
    }

    /// A text that is a name, or SQL with names in it.
    fn constant(&mut self, words: &Words<'_>, at: usize, whole: &str, offset: usize) {
        let (content, start) = words.content(at);
        if !self.is_named(&content) {
            return;
        }
        let place = offset + start;
        if let Some((parts, end)) = dotted_name(content.trim(), 0)
            && end == content.trim().len()
        {
            let caller = words.caller(at);
            let resolved = words.word(at + 1) == "::" && words.word(at + 2).starts_with("reg");
            // A text without a schema may be anything, unless PostgreSQL is told to look it up.
            let looked_up = resolved
                || ["nextval", "currval", "setval", "pg_get_serial_sequence", "to_regclass"]
                    .contains(&caller.as_str());
            let Some(moved) = self.relation(&parts).filter(|_| parts.len() > 1 || looked_up) else { return };
            let rule = match caller.as_str() {
                "pg_get_serial_sequence" => Rule::SerialSequence,
                _ if moved.old.kind() == Kind::Sequence => Rule::SequenceName,
                _ if moved.facade.is_none() => Rule::NoFacade,
                _ => Rule::RelationText,
            };
            let said =
                if caller.is_empty() { format!("'{content}'") } else { format!("{caller}('{content}')") };
            return self.add(rule, Some(moved.old), whole, place, said);
        }
        if self.depth < 3 && content.contains(char::is_whitespace) {
            let Some(inner) = Words::of(&content) else { return };
            self.depth += 1;
            // Doubled quotes move what comes behind them; the line is right.
            self.names(&inner, whole, place);
            self.depth -= 1;
        }
    }

    /// The texts in a bound fragment.
    fn constants(&mut self, text: &str) {
        if !self.is_named(text) {
            return;
        }
        let Some(words) = Words::of(text) else { return };
        for at in (0..words.tokens.len()).filter(|at| words.is_text(*at)) {
            // A constant of a reg type holds the object, and not its name.
            let held = words.word(at + 1) == "::" && words.word(at + 2).starts_with("reg");
            if !held {
                self.constant(&words, at, text, 0);
            }
        }
    }

    fn relation(&self, parts: &[Ident]) -> Option<Moved> {
        self.meant(parts, &self.old.relations, |name| {
            // Sequences of identity columns are in no catalog.
            let own = || self.old.relations.get(&name).map(|at| self.old.moved[*at].old);
            self.sides.before.relation(name).or_else(own)
        })
    }

    fn type_named(&self, parts: &[Ident]) -> Option<Moved> {
        self.meant(parts, &self.old.types, |name| self.sides.before.type_named(name))
    }

    fn routine(&self, parts: &[Ident]) -> Option<Moved> {
        self.meant(parts, &self.old.routines, |name| self.sides.before.routines(name).first().copied())
    }

    /// The moved object that a name meant before; nothing where it goes on to mean it.
    fn meant(
        &self,
        parts: &[Ident],
        moved: &std::collections::HashMap<QName, usize>,
        held: impl Fn(QName) -> Option<ObjectId>,
    ) -> Option<Moved> {
        match parts {
            [schema, name, ..] => {
                let at = moved.get(&QName { schema: *schema, name: *name })?;
                Some(self.old.moved[*at])
            }
            [name] => {
                let (at, schema) = self.path.iter().find_map(|schema| {
                    let name = QName { schema: *schema, name: *name };
                    held(name).map(|_| (moved.get(&name).copied(), *schema))
                })?;
                let found = self.old.moved[at?];
                // The new place may be on the path before the old one, or the old one be empty now.
                let now = found.now.qname()?;
                let first = self.path.iter().position(|schema| *schema == now.schema);
                let second = self.path.iter().position(|other| *other == schema);
                let same = now.name == *name && first.is_some() && (first < second || found.facade.is_none());
                (!same).then_some(found)
            }
            [] => None,
        }
    }

    fn add(&mut self, rule: Rule, old: Option<ObjectId>, whole: &str, place: usize, what: String) {
        let place = place.min(whole.len());
        let line = whole.as_bytes()[..place].iter().filter(|byte| **byte == b'\n').count() + 1;
        let span = match &self.origin {
            // A body may have white space around it that the file does not show.
            Some(origin) => {
                let around =
                    if self.id.kind() == Kind::Function { whole.len() - whole.trim_start().len() } else { 0 };
                Some(origin.locate(place.saturating_sub(around)))
            }
            None => self.sides.desired.get(self.id).and_then(|entry| entry.span),
        };
        let is_body = self.id.kind() == Kind::Function;
        self.out.insert(Finding { rule, old, at: self.id, line: is_body.then_some(line), span, what });
    }
}
