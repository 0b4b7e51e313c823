//! Columns as people write them: what follows the name in CREATE TABLE, or keys.

use super::{Column, Generated, Identity};
use crate::code::Code;
use crate::declare::constraint::{Constraint, kind};
use crate::declare::frame::{self, Frame};
use crate::diagnostic::Diagnostic;
use crate::fragment::{Aside, Fragment, Grammar};
use crate::ident::{Ident, QName, Text};
use crate::kinds::identity_sequence::declare::Said;
use crate::kinds::key::Timing;
use crate::kinds::not_null::{self, NotNull};
use crate::kinds::options::{self, Options};
use crate::kinds::{check, foreign_key, key};
use crate::object::Object;
use crate::reference::{Reference, Target};
use crate::span::Span;
use crate::spec::ColumnSpec;
use crate::spec::table::{ColumnStorage, GeneratedKind, IdentityKind, IdentitySpec, InheritedSpec};
use crate::tree::Tree;
use crate::type_name::TypeName;
use crate::yaml::{Sql, Written};
use std::collections::BTreeMap;

/// A column and what stands in its entry beside it.
#[derive(Clone, Debug)]
pub struct Declared {
    /// The column; its position is not known here.
    pub column: Column,
    /// Its default.
    pub default: Option<Fragment>,
    /// `serial`: a sequence of its own gives the default.
    pub serial: bool,
    /// What is said about the sequence of an identity column.
    pub sequence: Said,
    /// What is said about its NOT NULL.
    pub not_null: Option<not_null::declare::Said>,
    /// Its constraints.
    pub constraints: Vec<Constraint>,
    /// What is read and not modelled yet.
    pub ignored: Vec<(Span, &'static str)>,
}

impl Declared {
    fn new(type_name: TypeName) -> Self {
        let mut declared = Self {
            column: Column::new(type_name),
            default: None,
            serial: false,
            sequence: Said::default(),
            not_null: None,
            constraints: Vec::new(),
            ignored: Vec::new(),
        };
        let plain = type_name.qname().is_none() && !type_name.is_array();
        let integer = serial_type(type_name.name().as_str()).filter(|_| plain);
        if let Some(Ok(integer)) = integer.map(TypeName::parse) {
            declared.column.type_name = integer;
            declared.column.not_null = true;
            declared.serial = true;
        }
        declared
    }
}

/// The integer type of a serial pseudo-type.
fn serial_type(name: &str) -> Option<&'static str> {
    match name {
        "serial" | "serial4" => Some("integer"),
        "bigserial" | "serial8" => Some("bigint"),
        "smallserial" | "serial2" => Some("smallint"),
        _ => None,
    }
}

/// A column from its short or long form.
///
/// # Errors
/// What PostgreSQL's grammar says, with its place.
pub fn column(name: Ident, written: &Written<ColumnSpec>) -> Result<Declared, Diagnostic> {
    match written {
        Written::Short(sql) => short(name, sql),
        Written::Long(spec) => long(spec),
    }
}

/// A column from what follows its name in CREATE TABLE.
///
/// # Errors
/// What PostgreSQL's grammar says, with its place.
pub fn short(name: Ident, sql: &Sql) -> Result<Declared, Diagnostic> {
    let frame = Frame::read(sql, "CREATE TABLE t (c ", ")")?;
    let node = match frame.tree.get("table_elts").items() {
        [node] if node.name() == "ColumnDef" => node,
        _ => {
            let comma = frame.words().find_outside(0, ",").and_then(|index| frame.words().token(index));
            return Err(frame.refuse(comma.map_or(0, |token| token.start), "this is more than one column"));
        }
    };
    let constraints = node.get("constraints").items();
    let mut starts: Vec<usize> = constraints.iter().map(|node| frame.at(node.get("location"))).collect();
    let collate = node.get("coll_clause");
    if !collate.is_nothing() {
        starts.push(frame.at(collate.get("location")));
    }
    starts.push(sql.text().len());
    starts.sort_unstable();
    let next = |start: usize| starts.iter().copied().find(|other| *other > start).unwrap_or(sql.text().len());

    let type_tree = node.get("type_name");
    if type_tree.get("setof").flag() {
        return Err(frame.refuse(0, "a column holds one value, not SETOF"));
    }
    let end =
        storage_words(&frame).into_iter().chain(starts.iter().copied()).min().unwrap_or(sql.text().len());
    let written = frame.slice(0, end);
    let mut declared = Declared::new(TypeName::from_tree(type_tree, written.text()).located(written.span()));
    declared.column.storage = storage(node.get("storage_name").str());
    declared.column.compression = compression(node.get("compression").str());
    if !collate.is_nothing() {
        let at = frame.at(collate.get("location"));
        let index = frame.words().index_at(at) + 1;
        let start = frame.words().token(index).map_or(at, |token| token.start);
        let parts: Vec<Ident> = collate.get("collname").strings().into_iter().map(Ident::new).collect();
        declared.column.collation = Some(frame.reference(Target::Collation, &parts, start));
    }
    for node in constraints {
        let start = frame.at(node.get("location"));
        constraint(&frame, node, (start, next(start)), name, &mut declared)?;
    }
    Ok(declared)
}

/// Where STORAGE and COMPRESSION stand, whose places the tree does not tell: behind the type.
fn storage_words(frame: &Frame<'_>) -> Option<usize> {
    let words = frame.words();
    ["storage", "compression"]
        .iter()
        .filter_map(|word| words.find_outside(1, word))
        .filter(|index| words.word(index - 1) != ".")
        .filter_map(|index| words.token(index).map(|token| token.start))
        .min()
}

/// One constraint of a short form; it ends before the next one.
fn constraint(
    frame: &Frame<'_>,
    node: &Tree,
    (start, end): (usize, usize),
    column: Ident,
    declared: &mut Declared,
) -> Result<(), Diagnostic> {
    let written = node.get("conname").str();
    let name = (!written.is_empty()).then(|| Ident::new(written));
    // Behind `CONSTRAINT name`.
    let first = frame.words().index_at(start) + if name.is_some() { 2 } else { 0 };
    let behind_keyword = frame.words().token(first).map_or(start, |token| token.end);
    let span = frame.span(start);
    match node.get("contype").int() {
        kind::NULL => {}
        kind::NOT_NULL => {
            declared.column.not_null = true;
            let own = NotNull {
                name,
                no_inherit: node.get("is_no_inherit").flag(),
                not_valid: node.get("skip_validation").flag(),
                outlived: Aside(false),
            };
            if own != NotNull::default() {
                declared.not_null = Some(not_null::declare::Said { own, comment: None, span });
            }
        }
        kind::DEFAULT => {
            if declared.default.is_some() {
                return Err(frame.refuse(start, "a column has one default"));
            }
            let text = frame.slice(behind_keyword, end);
            declared.default = Some(default(&text, node.get("raw_expr"))?);
        }
        kind::IDENTITY => {
            let always = node.get("generated_when").str() == "a";
            let settings = sequence_settings(frame, node, declared)?;
            declared.column.identity = Some(Identity { always, options: settings });
            declared.column.not_null = true;
        }
        kind::GENERATED => {
            let Some(expression) = frame.inside_parentheses(start) else {
                return Err(frame.refuse(start, "a generated column has its expression in parentheses"));
            };
            let expression = Fragment::declared(&expression, Grammar::Expression);
            // Before 18 there is no other way than STORED; a tree says `v` only where VIRTUAL or nothing is written.
            let stored = node.get("generated_kind").str() != "v";
            declared.column.generated = Some(Generated { expression, stored });
        }
        kind::CHECK => declared.constraints.push(check::declare::from_tree(frame, node, name, start)?),
        kind::PRIMARY | kind::UNIQUE => {
            let object = key::declare::from_tree(frame, node, &[column]);
            let named_after = if object.primary { Vec::new() } else { vec![column] };
            declared.column.not_null |= object.primary;
            declared.constraints.push(of_column(name, Object::Key(object), named_after, span));
        }
        kind::FOREIGN => {
            let object = foreign_key::declare::from_tree(frame, node, &[column])?;
            declared.constraints.push(of_column(name, Object::ForeignKey(object), vec![column], span));
        }
        attribute => attribute_of_last(frame, attribute, start, declared)?,
    }
    Ok(())
}

fn of_column(name: Option<Ident>, object: Object, named_after: Vec<Ident>, span: Span) -> Constraint {
    Constraint { name, object, named_after, columns: Vec::new(), comment: None, index_comment: None, span }
}

/// DEFERRABLE and the like are nodes of their own behind the constraint that they are about.
fn attribute_of_last(
    frame: &Frame<'_>,
    attribute: i64,
    start: usize,
    declared: &mut Declared,
) -> Result<(), Diagnostic> {
    let misplaced =
        || frame.refuse(start, "this belongs behind a constraint that can be deferred or enforced");
    let last = declared.constraints.last_mut().ok_or_else(misplaced)?;
    let timing = match (attribute, &mut last.object) {
        (kind::NOT_ENFORCED, Object::Check(check)) => {
            (check.not_enforced, check.not_valid) = (true, false);
            return Ok(());
        }
        (kind::NOT_ENFORCED, Object::ForeignKey(key)) => {
            (key.not_enforced, key.not_valid) = (true, false);
            return Ok(());
        }
        (kind::ENFORCED, Object::Check(_) | Object::ForeignKey(_)) => return Ok(()),
        (_, Object::Key(key)) => &mut key.timing,
        (_, Object::ForeignKey(key)) => &mut key.timing,
        _ => return Err(misplaced()),
    };
    match attribute {
        kind::DEFERRED => *timing = Timing::Deferred,
        kind::DEFERRABLE if *timing == Timing::Immediate => *timing = Timing::Deferrable,
        kind::DEFERRABLE | kind::NOT_DEFERRABLE | kind::IMMEDIATE => {}
        _ => return Err(misplaced()),
    }
    Ok(())
}

/// A column from its long form.
fn long(spec: &ColumnSpec) -> Result<Declared, Diagnostic> {
    frame::Words::of(&spec.r#type)?;
    let type_name = TypeName::parse(spec.r#type.text()).map_err(|error| {
        let leading = spec.r#type.text().len() - spec.r#type.text().trim_start().len();
        let offset = error.offset.map(|offset| offset + leading);
        let error = frame::syntax_error(&spec.r#type, &crate::parse::SyntaxError { offset, ..error });
        error.help("`type:` holds the type alone; the rest has keys of its own (`not_null`, `default`, …)")
    })?;
    let mut declared = Declared::new(type_name.located(spec.r#type.span()));
    declared.column.not_null |= not_null::declare::refuses(spec.not_null.as_ref());
    if let Some(Written::Long(own)) = &spec.not_null {
        declared.not_null = Some(not_null::declare::said(own, spec.r#type.span()));
    }
    if let Some(value) = &spec.default {
        let tree = frame::expression(value).map_err(|error| quoted(value, error))?;
        declared.default = Some(default(value, &tree)?);
    }
    if let Some(generated) = &spec.generated {
        let (expression, stored) = match generated {
            Written::Short(sql) => (sql, true),
            Written::Long(spec) => {
                (&spec.expression, !spec.kind.is_some_and(|kind| kind.value == GeneratedKind::Virtual))
            }
        };
        let expression = frame::unread(expression, Grammar::Expression)?;
        declared.column.generated = Some(Generated { expression, stored });
    }
    if let Some(identity) = &spec.identity {
        let (kind, written) = match identity {
            Written::Short(kind) => (*kind, BTreeMap::new()),
            Written::Long(spec) => {
                let name = spec.sequence.as_ref();
                declared.sequence.name = name.map(|name| (crate::declare::written_name(name), name.span));
                declared.sequence.unlogged = spec.unlogged;
                (spec.generate.value, written_settings(spec))
            }
        };
        let options = settings(written, &declared.column.type_name);
        declared.column.identity = Some(Identity { always: kind == IdentityKind::Always, options });
        declared.column.not_null = true;
    }
    if let Some(using) = &spec.using {
        frame::expression(using)?;
        declared.column.using = Aside(Some(Fragment::declared(using, Grammar::Expression)));
    }
    if let Some(collation) = &spec.collation {
        let parts = crate::declare::written_name(collation);
        declared.column.collation = Some(Reference::written(Target::Collation, &parts, Some(collation.span)));
    }
    declared.column.statistics = spec.statistics.filter(|target| *target >= 0).map(i64::from);
    declared.column.storage = spec.storage.and_then(|storage| storage_word(storage.value));
    declared.column.compression = spec.compression.as_ref().and_then(|name| compression(name.as_str()));
    declared.column.options = Options::declared(&spec.options);
    Ok(declared)
}

/// What a child says otherwise about a column that it has from a parent, and its default.
///
/// # Errors
/// What PostgreSQL's grammar says, with its place.
pub fn inherited(spec: &InheritedSpec, column: &mut Column) -> Result<Option<Fragment>, Diagnostic> {
    column.not_null |= not_null::declare::refuses(spec.not_null.as_ref());
    column.statistics = spec.statistics.filter(|target| *target >= 0).map(i64::from);
    column.storage = spec.storage.and_then(|storage| storage_word(storage.value));
    column.compression = spec.compression.as_ref().and_then(|name| compression(name.as_str()));
    column.options = Options::declared(&spec.options);
    let Some(sql) = &spec.default else { return Ok(None) };
    let tree = frame::expression(sql).map_err(|error| quoted(sql, error))?;
    let value = default(sql, &tree)?;
    // So the catalog says that a child has let go of its parent's.
    let is_nothing = tree.is_null() && column.type_name.is_system();
    Ok(Some(if is_nothing { Fragment::canonical("NULL", Grammar::Expression) } else { value }))
}

/// YAML's quotes were taken for SQL's where the text in them is no SQL.
pub(crate) fn quoted(sql: &Sql, error: Diagnostic) -> Diagnostic {
    if !sql.is_quoted() {
        return error;
    }
    let message = format!("`{}` is no SQL expression: the quotes around it are YAML's", sql.text());
    let help = format!("for a text, write both: `\"'{}'\"`", crate::sql::doubled(sql.text()));
    Diagnostic::error(Code::QuotedNoSql, message).at(sql.span()).help(help)
}

/// A default, which uses no columns.
pub(crate) fn default(sql: &Sql, tree: &Tree) -> Result<Fragment, Diagnostic> {
    let mut column = false;
    tree.walk(&mut |node| column |= node.name() == "ColumnRef");
    if column {
        let error = frame::refuse(sql, 0, "a default cannot use columns");
        if tree.name() == "ColumnRef" {
            return Err(if sql.is_quoted() {
                quoted(sql, error)
            } else {
                error.help(format!("for a text, write `'{}'` with its quotes", sql.text()))
            });
        }
        return Err(error);
    }
    Ok(Fragment::declared(sql, Grammar::Expression))
}

fn storage(word: &str) -> Option<Text> {
    let word = word.to_ascii_uppercase();
    (!word.is_empty() && word != "DEFAULT").then(|| Text::new(&word))
}

fn storage_word(storage: ColumnStorage) -> Option<Text> {
    let word = match storage {
        ColumnStorage::Plain => "PLAIN",
        ColumnStorage::External => "EXTERNAL",
        ColumnStorage::Extended => "EXTENDED",
        ColumnStorage::Main => "MAIN",
        ColumnStorage::Default => return None,
    };
    Some(Text::new(word))
}

fn compression(word: &str) -> Option<Text> {
    let word = word.to_ascii_lowercase();
    (!word.is_empty() && word != "default").then(|| Text::new(&word))
}

/// The settings of an identity column's sequence in a short form.
fn sequence_settings(
    frame: &Frame<'_>,
    node: &Tree,
    declared: &mut Declared,
) -> Result<BTreeMap<&'static str, i64>, Diagnostic> {
    let mut written = BTreeMap::new();
    for option in node.get("options").items() {
        let at = frame.at(option.get("location"));
        let keyword = match option.get("defname").str() {
            "start" => "START WITH",
            "increment" => "INCREMENT BY",
            "minvalue" => "MINVALUE",
            "maxvalue" => "MAXVALUE",
            "cache" => "CACHE",
            "cycle" => "CYCLE",
            "sequence_name" => {
                let parts = option.get("arg").get("items").strings().into_iter().map(Ident::new).collect();
                declared.sequence.name = Some((parts, frame.span(at)));
                continue;
            }
            _ => return Err(frame.refuse(at, "this does not belong to an identity column")),
        };
        let value = option.get("arg");
        // NO MINVALUE and NO MAXVALUE have no value.
        if value.is_nothing() {
            continue;
        }
        let text = options::value(value);
        let number = if keyword == "CYCLE" { Ok(i64::from(text == "true")) } else { text.parse() };
        let number = number
            .map_err(|_| frame.refuse(at, format!("`{text}` is no number that a sequence can have")))?;
        written.insert(keyword, number);
    }
    Ok(settings(written, &declared.column.type_name))
}

fn written_settings(spec: &IdentitySpec) -> BTreeMap<&'static str, i64> {
    let numbers = [
        ("START WITH", spec.start),
        ("INCREMENT BY", spec.increment),
        ("MINVALUE", spec.min_value),
        ("MAXVALUE", spec.max_value),
        ("CACHE", spec.cache),
        ("CYCLE", spec.cycle.map(|flag| i64::from(flag.value))),
    ];
    numbers.into_iter().filter_map(|(word, number)| Some((word, number?))).collect()
}

/// Settings that differ from what the sequence of a column of that type has by default.
fn settings(mut written: BTreeMap<&'static str, i64>, type_name: &TypeName) -> BTreeMap<&'static str, i64> {
    let (smallest, largest) = match type_name.name().as_str() {
        "int2" => (i64::from(i16::MIN), i64::from(i16::MAX)),
        "int4" => (i64::from(i32::MIN), i64::from(i32::MAX)),
        _ => (i64::MIN, i64::MAX),
    };
    let ascending = written.get("INCREMENT BY").is_none_or(|step| *step > 0);
    let least = if ascending { 1 } else { smallest };
    let most = if ascending { largest } else { -1 };
    let first = if ascending {
        written.get("MINVALUE").copied().unwrap_or(least)
    } else {
        written.get("MAXVALUE").copied().unwrap_or(most)
    };
    let defaults = [
        ("START WITH", first),
        ("INCREMENT BY", 1),
        ("MINVALUE", least),
        ("MAXVALUE", most),
        ("CACHE", 1),
        ("CYCLE", 0),
    ];
    for (word, default) in defaults {
        if written.get(word) == Some(&default) {
            written.remove(word);
        }
    }
    written
}

/// `nextval('app.t_id_seq'::regclass)`.
pub fn next_value(sequence: QName, span: Span) -> Fragment {
    let name = crate::sql::literal(&crate::sql::qualified(sequence));
    Fragment::declared(&Sql::made(format!("nextval({name}::regclass)"), span), Grammar::Expression)
}
