//! Old names in the bodies of functions and in string constants, read token by token.
//!
//! PL/pgSQL is no SQL, and a body may be put together from pieces: only the scanner reads both. What a name means is
//! told by the words around it. Names in fragments are bound and follow their objects; only their texts are looked at.

use super::structure::triggers;
use super::words::Words;
use super::{Finding, Moved, Old, Rule, Sides};
use crate::catalog::Standing;
use crate::fragment::{Fragment, Grammar};
use crate::id::ObjectId;
use crate::ident::{Ident, QName};
use crate::kinds::function::{Body, Function};
use crate::names::{dotted_name, search_path};
use crate::object::{Kind, Object, Visitor};
use crate::reference::Reference;
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
        let mut scan = Scan::new(sides, old, id, sides.search_path.to_vec(), out);
        match &entry.object {
            Object::Function(Function { body: Body::Text(body), language, attributes, .. }) => {
                let path = attributes.settings.get("search_path");
                if let Some(path) = path {
                    scan.path = search_path(path.as_str());
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
    for outside in sides.outside {
        let mut scan = Scan {
            label: Some(outside.label.as_str()),
            ..Scan::new(sides, old, outside.at, sides.search_path.to_vec(), out)
        };
        match Words::of(&outside.sql) {
            Some(words) => {
                scan.names(&words, &outside.sql, 0);
                scan.blocks(&words, &outside.sql);
            }
            None if scan.is_named(&outside.sql) => {
                scan.add(Rule::Unreadable, None, &outside.sql, 0, String::new())
            }
            None => {}
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
        let path = attributes.settings.get("search_path");
        let path = path.map_or(sides.search_path.to_vec(), |path| search_path(path.as_str()));
        let mut scan = Scan { origin: body.origin().cloned(), ..Scan::new(sides, old, id, path, out) };
        let text = body.text();
        let Some(words) = Some(text).filter(|text| scan.is_named(text)).and_then(Words::of) else { continue };
        for at in (0..words.tokens.len()).filter(|at| words.is_relation(*at)) {
            let place = words.tokens[at].start;
            let Some((parts, end)) = dotted_name(text, place) else { continue };
            if let [name] = parts.as_slice()
                && !scan.is_made(&words, at, *name)
                && let Some(moved) = scan.relation(&parts)
            {
                let said = text.get(place..end).unwrap_or_default().to_owned();
                scan.add(Rule::OldName, Some(moved.old), text, place, said);
            }
        }
    }
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

/// What relations stand behind in other languages.
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

/// Columns of the catalogs that hold names of relations.
const CATALOGUED: [&str; 8] = [
    "relname",
    "tablename",
    "table_name",
    "viewname",
    "matviewname",
    "sequencename",
    "sequence_name",
    "event_object_table",
];

/// Functions that look a relation up by a text.
const LOOKING_UP: [&str; 14] = [
    "nextval",
    "currval",
    "setval",
    "pg_get_serial_sequence",
    "to_regclass",
    "has_table_privilege",
    "has_any_column_privilege",
    "has_column_privilege",
    "has_sequence_privilege",
    "row_security_active",
    "pg_relation_size",
    "pg_table_size",
    "pg_total_relation_size",
    "pg_indexes_size",
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
    /// What a text that is in no object is called.
    label: Option<&'a str>,
}

impl<'a> Scan<'a> {
    fn new(
        sides: &'a Sides<'a>,
        old: &'a Old,
        id: ObjectId,
        path: Vec<Ident>,
        out: &'a mut BTreeSet<Finding>,
    ) -> Self {
        Self { sides, old, id, out, origin: None, path, depth: 0, label: None }
    }
}

/// What is wrong with a name that nothing stands for any more.
fn gone(moved: Moved) -> Rule {
    match moved.old.kind() {
        Kind::Sequence => Rule::SequenceName,
        Kind::Index => Rule::IndexName,
        _ => Rule::NoFacade,
    }
}

/// Whether what stands behind a name are the types of a routine's arguments.
fn is_signature(rest: &str) -> bool {
    let rest = rest.trim();
    rest.starts_with('(') && rest.ends_with(')') && rest.matches('(').count() == 1
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
                "execute" if dynamic => self.dynamic(&words, at, (text, 0)),
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

    /// A body that is neither SQL nor PL/pgSQL: a name with its schema, or one behind a word that relations stand
    /// behind.
    fn foreign(&mut self, body: &Fragment) {
        let text = body.text();
        self.origin = body.origin().cloned();
        if !self.is_named(text) {
            return;
        }
        let mut seen = BTreeSet::new();
        let mut rest = 0;
        while let Some(first) = text[rest..].find(|c: char| c.is_alphabetic() || c == '_') {
            let place = rest + first;
            let one = || place + text[place..].chars().next().map_or(1, char::len_utf8);
            let Some((parts, end)) = dotted_name(text, place) else {
                rest = one();
                continue;
            };
            rest = end.max(one());
            let before =
                text[..place].trim_end().rsplit(|c: char| !c.is_alphanumeric()).next().unwrap_or_default();
            let wanted = parts.len() > 1 || RELATION_WORDS.contains(&before.to_ascii_lowercase().as_str());
            let found = self.relation(&parts).filter(|_| wanted);
            if let Some(moved) = found.filter(|moved| seen.insert(moved.old)) {
                self.add(Rule::OtherLanguage, Some(moved.old), text, place, text[place..end].to_owned());
            }
        }
    }

    /// What DO blocks in a text put together when they run.
    fn blocks(&mut self, words: &Words<'_>, whole: &str) {
        for at in (0..words.tokens.len()).filter(|at| words.is_text(*at)) {
            if words.word(words.statement(at).start) != "do" {
                continue;
            }
            let (content, start) = words.content(at);
            let Some(inner) = Words::of(&content) else { continue };
            for execute in (0..inner.tokens.len()).filter(|at| inner.word(*at) == "execute") {
                self.dynamic(&inner, execute, (whole, start));
            }
        }
    }

    /// `EXECUTE` of anything but one whole text. What is put together of nothing but texts is read as the whole.
    /// `offset` is where the text of these words begins in the whole.
    fn dynamic(&mut self, words: &Words<'_>, at: usize, (whole, offset): (&str, usize)) {
        let (next, behind) = (words.word(at + 1), words.word(at + 2));
        let granted = matches!(words.before(at, 1).as_str(), "grant" | "revoke" | "," | "all");
        if granted || matches!(next.as_str(), "function" | "procedure" | "on" | "privilege") {
            return;
        }
        if words.is_text(at + 1) && matches!(behind.as_str(), ";" | "using" | "into" | "" | "loop") {
            return;
        }
        let place = words.tokens[at].start;
        let Some(sql) = words.put_together(at + 1) else {
            let line = words.text[place..].lines().next().unwrap_or_default();
            return self.add(Rule::DynamicSql, None, whole, offset + place, line.trim().to_owned());
        };
        if let Some(inner) = Words::of(&sql).filter(|_| self.is_named(&sql)) {
            self.depth += 1;
            // Its line is that of the word EXECUTE.
            let place = offset + place;
            self.names(&inner, whole.get(..place).unwrap_or_default(), place);
            self.depth -= 1;
        }
    }

    /// Every old name in a text; `offset` is where the text begins in the body.
    fn names(&mut self, words: &Words<'_>, whole: &str, offset: usize) {
        for at in 0..words.tokens.len() {
            let place = words.tokens[at].start;
            if words.is_text(at) {
                self.constant(words, at, whole, offset);
            } else if words.starts_name(at) {
                let Some((parts, end)) = words.dotted(at) else { continue };
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
        let is_call = || calls && !["into", "table", "with", "recursive", "on"].contains(&before.as_str());
        if let Some(moved) = self.routine(parts).filter(|moved| is_call() && self.takes(words, end, *moved)) {
            let rule = if moved.facade.is_some() { Rule::OldName } else { Rule::FunctionName };
            return self.add(rule, Some(moved.old), whole, place, said);
        }
        let (relation, kind) =
            (words.is_relation(at) || words.is_listed(at) || words.is_index(at), words.is_type(at));
        // `a.b` is a column where `a` is an alias or a variable.
        let qualified = parts.len() > 1 && (relation || kind || !words.is_alias(parts[0]));
        if let Some(moved) = self.type_named(parts).filter(|_| qualified || kind) {
            return self.add(Rule::TypeName, Some(moved.old), whole, place, said);
        }
        let parts = match words.row_of(parts, end) {
            Some([]) => return,
            Some(relation) => relation,
            None if qualified || relation || kind => parts,
            None => return,
        };
        if let [name] = parts
            && self.is_made(words, at, *name)
        {
            return;
        }
        let Some(moved) = self.relation(parts) else { return };
        let rule = self.use_of(words, at, end, moved);
        self.add(rule, Some(moved.old), whole, place, said);
    }

    /// Whether a call reaches one of the routines that move, and not only others of the same name.
    fn takes(&self, words: &Words<'_>, end: usize, moved: Moved) -> bool {
        let Some(open) = words.tokens.iter().position(|token| token.start >= end) else { return true };
        let (given, Some(name)) = (words.given(open), moved.old.qname()) else { return true };
        let takes = |id: &ObjectId| match self.sides.before.get(*id).map(|entry| &entry.object) {
            Some(Object::Function(function)) => function.takes(given),
            _ => true,
        };
        let moves = |id: &ObjectId| self.sides.moved.iter().any(|(old, _)| old == id);
        let (ours, others): (Vec<ObjectId>, Vec<ObjectId>) =
            self.sides.before.routines(name).iter().filter(|id| takes(id)).partition(|id| moves(id));
        !ours.is_empty() || others.is_empty()
    }

    /// Whether the body itself makes what a bare name means there: a WITH query, a temporary table.
    fn is_made(&self, words: &Words<'_>, at: usize, name: Ident) -> bool {
        words.is_with_query(at, name) || words.is_temporary(at, name)
    }

    /// What a statement does with a relation.
    fn use_of(&self, words: &Words<'_>, at: usize, end: usize, moved: Moved) -> Rule {
        if moved.facade.is_none() {
            return gone(moved);
        }
        let (before, earlier) = (words.before(at, 1), words.before(at, 2));
        let statement = words.statement(at);
        let first = words.word(statement.start);
        match (first.as_str(), before.as_str()) {
            ("truncate", _) | (_, "truncate") => return Rule::Truncate,
            (_, "copy") => return Rule::Copy,
            (_, "references" | "partition")
            | ("alter" | "drop" | "create" | "comment", "table" | "exists")
            | ("create" | "drop" | "alter", "on")
            | ("refresh", _)
            | ("reindex" | "cluster" | "vacuum" | "analyze", _)
            | ("drop", ",") => return Rule::Ddl,
            (_, "only") if matches!(earlier.as_str(), "table" | "on" | "exists") => return Rule::Ddl,
            (_, "of") if earlier == "partition" => return Rule::Ddl,
            (_, "(") if earlier == "inherits" => return Rule::Ddl,
            (_, "into") if earlier == "merge" && self.sides.version < 17 => return Rule::Merge,
            (_, "into") if earlier == "insert" => {
                let rest = at..words.insert_ends(at);
                if words.has(rest.clone(), &["on", "conflict", "on", "constraint"]) {
                    return Rule::ConflictConstraint;
                }
                if moved.triggers && words.has(rest, &["on", "conflict"]) {
                    return Rule::ConflictTrigger;
                }
            }
            _ => {}
        }
        let alias = words.alias(end, moved.old.name());
        if statement.clone().any(|at| words.is_system_column(at, alias)) {
            return Rule::SystemColumn;
        }
        Rule::OldName
    }

    /// A text that is a name, or SQL with names in it.
    fn constant(&mut self, words: &Words<'_>, at: usize, whole: &str, offset: usize) {
        let (content, start) = words.content(at);
        // What is said to people is no SQL.
        let first = words.word(words.statement(at).start);
        if !self.is_named(&content) || first == "raise" || first == "comment" {
            return;
        }
        let place = offset + start;
        let caller = words.caller(at);
        let reg = if words.word(at + 1) == "::" { words.word(at + 2) } else { String::new() };
        let said =
            || if caller.is_empty() { format!("'{content}'") } else { format!("{caller}('{content}')") };
        let trimmed = content.trim();
        if let Some((parts, end)) = dotted_name(trimmed, 0)
            && (end == trimmed.len() || is_signature(&trimmed[end..]))
        {
            // Settings and channels are called as they are, and so are the keys of JSON.
            let other = ["set_config", "current_setting", "pg_notify"].contains(&caller.as_str());
            if other || ["->", "->>", "?"].contains(&words.before(at, 1).as_str()) {
                return;
            }
            // A text without a schema may be anything, unless PostgreSQL is told to look it up.
            let looked_up = |callers: &[&str], types: &[&str]| {
                parts.len() > 1 || callers.contains(&caller.as_str()) || types.contains(&reg.as_str())
            };
            if end < trimmed.len() || reg == "regproc" || caller == "to_regproc" {
                let moved = self.routine(&parts).filter(|moved| moved.facade.is_none());
                let moved = moved
                    .filter(|_| looked_up(&["to_regproc", "to_regprocedure"], &["regproc", "regprocedure"]));
                let Some(moved) = moved else { return };
                return self.add(Rule::FunctionName, Some(moved.old), whole, place, said());
            }
            let moved = self.type_named(&parts).filter(|_| looked_up(&["to_regtype"], &["regtype"]));
            if let Some(moved) = moved {
                return self.add(Rule::TypeName, Some(moved.old), whole, place, said());
            }
            // In the catalogs the facade has the name too.
            let compared = CATALOGUED.contains(&words.compared(at).as_str());
            let asked = compared || LOOKING_UP.contains(&words.call_around(at).as_str());
            let moved = self.relation(&parts).filter(|_| asked || looked_up(&[], &["regclass", "regtype"]));
            let Some(moved) = moved else { return };
            let rule = match caller.as_str() {
                "pg_get_serial_sequence" => Rule::SerialSequence,
                _ if moved.facade.is_none() => gone(moved),
                _ => Rule::RelationText,
            };
            return self.add(rule, Some(moved.old), whole, place, said());
        }
        if self.depth < 3 && content.contains(char::is_whitespace) && words.may_be_sql(at, &content) {
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
        let counts = self.id.kind() == Kind::Function || self.label.is_some();
        let what = match self.label {
            Some(label) if what.is_empty() => label.to_owned(),
            Some(label) => format!("{label}: {what}"),
            None => what,
        };
        self.out.insert(Finding { rule, old, at: self.id, line: counts.then_some(line), span, what });
    }
}
