//! Aggregates as people write them; the keys are the words of CREATE AGGREGATE.

use super::{Aggregate, Argument, Modify, Ordered, Way};
use crate::code::Code;
use crate::declare::frame::{self, Frame};
use crate::declare::{written_ident, written_name};
use crate::diagnostic::Diagnostic;
use crate::fragment::Aside;
use crate::ident::{Ident, Text};
use crate::kinds::function::Parallel;
use crate::reference::{Reference, Target};
use crate::spec::AggregateSpec;
use crate::tree::Tree;
use crate::type_name::TypeName;
use crate::yaml::{Flag, Name, Sql};

/// An aggregate from its entry.
///
/// # Errors
/// What PostgreSQL's grammar says, with its place, and words that are none.
pub fn aggregate(spec: &AggregateSpec) -> Result<Aggregate, Diagnostic> {
    let (arguments, direct) = spec.arguments.as_ref().map(arguments).transpose()?.unwrap_or_default();
    let hypothetical = is(spec.hypothetical);
    let ordered = direct.map(|direct| Ordered { direct, hypothetical });
    let way = Way {
        transition: function(&spec.sfunc),
        inverse: None,
        state: type_name(&spec.stype)?,
        space: spec.sspace.map_or(0, i64::from),
        last: spec.finalfunc.as_ref().map(function),
        extra: is(spec.finalfunc_extra),
        modify: modify(spec.finalfunc_modify.as_ref(), ordered.is_some())?,
        first: spec.initcond.as_ref().map(|text| Text::new(text.as_str())),
    };
    let moving = match (&spec.msfunc, &spec.mstype) {
        (Some(transition), Some(state)) => Some(Way {
            transition: function(transition),
            inverse: spec.minvfunc.as_ref().map(function),
            state: type_name(state)?,
            space: spec.msspace.map_or(0, i64::from),
            last: spec.mfinalfunc.as_ref().map(function),
            extra: is(spec.mfinalfunc_extra),
            modify: modify(spec.mfinalfunc_modify.as_ref(), ordered.is_some())?,
            first: spec.minitcond.as_ref().map(|text| Text::new(text.as_str())),
        }),
        _ => None,
    };
    Ok(Aggregate {
        arguments,
        ordered,
        way,
        moving,
        combine: spec.combinefunc.as_ref().map(function),
        serialize: spec.serialfunc.as_ref().map(function),
        deserialize: spec.deserialfunc.as_ref().map(function),
        sort: spec.sortop.as_ref().map(operator),
        parallel: parallel(spec.parallel.as_ref())?,
        owner: Aside(spec.owner.as_ref().map(written_ident)),
    })
}

fn is(flag: Option<Flag>) -> bool {
    flag.is_some_and(|flag| flag.value)
}

fn function(name: &Name) -> Reference {
    Reference::written(Target::AnyRoutine, &written_name(name), Some(name.span))
}

fn type_name(sql: &Sql) -> Result<TypeName, Diagnostic> {
    // The name of a type stays in its place.
    frame::Words::of(sql)?;
    TypeName::parse(sql.text())
        .map(|one| one.without_modifiers())
        .map_err(|error| frame::syntax_error(sql, &error))
}

fn unknown(name: &Name, known: &str) -> Diagnostic {
    Diagnostic::error(Code::UnknownValue, format!("`{name}` is not one of {known}")).at(name.span)
}

fn modify(name: Option<&Name>, ordered: bool) -> Result<Modify, Diagnostic> {
    let Some(name) = name else { return Ok(Modify::usual(ordered)) };
    match name.as_str().to_ascii_lowercase().as_str() {
        "read_only" => Ok(Modify::ReadOnly),
        "shareable" => Ok(Modify::Shareable),
        "read_write" => Ok(Modify::ReadWrite),
        _ => Err(unknown(name, "read_only, shareable, read_write")),
    }
}

fn parallel(name: Option<&Name>) -> Result<Parallel, Diagnostic> {
    let Some(name) = name else { return Ok(Parallel::Unsafe) };
    match name.as_str().to_ascii_lowercase().as_str() {
        "safe" => Ok(Parallel::Safe),
        "restricted" => Ok(Parallel::Restricted),
        "unsafe" => Ok(Parallel::Unsafe),
        _ => Err(unknown(name, "safe, restricted, unsafe")),
    }
}

/// An operator, with or without its schema.
fn operator(sql: &Sql) -> (Ident, Text) {
    let text = sql.text().trim();
    let text = text.strip_prefix("operator(").and_then(|rest| rest.strip_suffix(')')).unwrap_or(text);
    match text.rsplit_once('.') {
        Some((schema, name)) => (Ident::new(schema.trim()), Text::new(name.trim())),
        None => (Ident::new("pg_catalog"), Text::new(text)),
    }
}

/// `PROARGMODE_VARIADIC` as pg_query numbers it.
const VARIADIC: i64 = 4;

/// What stands between the parentheses, and how many arguments stand before ORDER BY.
fn arguments(sql: &Sql) -> Result<(Vec<Argument>, Option<usize>), Diagnostic> {
    let frame = Frame::read(sql, "CREATE AGGREGATE x(", ") (SFUNC = f, STYPE = t)")?;
    let mut found = Vec::new();
    let mut nodes = Vec::new();
    frame.tree.get("args").walk(&mut |node| {
        if node.name() == "FunctionParameter" {
            nodes.push(node);
        }
    });
    for node in nodes {
        let name = node.get("name").str();
        let type_name = type_of(&frame, node.get("arg_type"));
        let variadic = node.get("mode").int() == VARIADIC;
        found.push(Argument { variadic, name: (!name.is_empty()).then(|| Ident::new(name)), type_name });
    }
    let words = frame.words();
    let direct = words.find_outside(0, "order").map(|order| {
        let before = (0..order).filter(|at| words.word(*at) == ",").count();
        if order == 0 { 0 } else { before + 1 }
    });
    Ok((found, direct))
}

fn type_of(frame: &Frame<'_>, node: &Tree) -> TypeName {
    let words = frame.words();
    let start = frame.at(node.get("location"));
    let (mut depth, mut end) = (0_usize, start);
    for at in words.index_at(start)..words.len() {
        match words.word(at) {
            "(" | "[" => depth += 1,
            ")" | "]" => depth = depth.saturating_sub(1),
            "," if depth == 0 => break,
            _ if depth == 0 && words.is(at, "order") => break,
            _ => {}
        }
        end = words.token(at).map_or(end, |token| token.end);
    }
    TypeName::from_tree(node, frame.slice(start, end).text()).without_modifiers()
}
