//! Functions and procedures as people write them: what stands in the parts of CREATE FUNCTION.

use super::settings::Settings;
use super::{
    Argument, Attributes, Body, Function, Mode, Parallel, Returns, USUAL_ROWS, Volatility, number, usual_cost,
};
use crate::declare::frame::{self, Frame, Words};
use crate::declare::written_ident;
use crate::diagnostic::Diagnostic;
use crate::fragment::{self, Aside, Fragment, Grammar};
use crate::ident::{Ident, Text};
use crate::names;
use crate::parse;
use crate::reference::Target;
use crate::spec::RoutineSpec;
use crate::tree::Tree;
use crate::type_name::TypeName;
use crate::yaml::{BodySql, Sql};

/// `FunctionParameterMode` of PostgreSQL's parse tree, as pg_query numbers it.
const OUT: i64 = 2;
const INOUT: i64 = 3;
const VARIADIC: i64 = 4;

/// A routine from its entry. `span` is that of its name.
///
/// # Errors
/// What PostgreSQL's grammar says, with its place.
pub fn routine(
    spec: &RoutineSpec,
    procedure: bool,
    name: Ident,
    span: crate::span::Span,
) -> Result<Function, Diagnostic> {
    let arguments = spec.arguments.as_ref().map(arguments).transpose()?.unwrap_or_default();
    let returns = match (&spec.returns, procedure) {
        (Some(sql), true) => return Err(frame::refuse(sql, 0, "a procedure returns nothing")),
        (Some(sql), false) => Some(returns(sql)?),
        (None, true) => None,
        (None, false) => Some(implied_result(&arguments)),
    };
    let language = spec.language.as_ref().map_or_else(|| Ident::new("sql"), written_ident);
    let mut function = Function {
        procedure,
        window: false,
        arguments,
        returns,
        language,
        body: Body::Text(Fragment::body("")),
        attributes: Attributes::default(),
        support: None,
        transforms: Vec::new(),
        owner: Aside(spec.owner.as_ref().map(written_ident)),
    };
    if let Some(sql) = &spec.attributes {
        attributes(sql, &mut function)?;
    }
    for (setting, values) in &spec.set {
        let values: Vec<&str> = values.iter().map(|value| value.as_str()).collect();
        function.attributes.settings.insert_written(setting.as_str(), &values);
    }
    function.body = body(spec, language, name, span)?;
    Ok(function)
}

/// What a function without RETURNS gives back: its OUT arguments.
fn implied_result(arguments: &[Argument]) -> Returns {
    let out: Vec<&Argument> =
        arguments.iter().filter(|one| matches!(one.mode, Mode::Out | Mode::InOut)).collect();
    let type_name = match out.as_slice() {
        [] => TypeName::parse("void"),
        [one] => Ok(one.type_name),
        _ => TypeName::parse("record"),
    };
    // Both names are words of the grammar.
    Returns::Type {
        set: false,
        type_name: type_name.unwrap_or_else(|_| TypeName::of(crate::ident::QName::new("pg_catalog", "void"))),
    }
}

/// What stands between the parentheses of CREATE FUNCTION.
fn arguments(sql: &Sql) -> Result<Vec<Argument>, Diagnostic> {
    let frame = Frame::read(sql, "CREATE FUNCTION x(", ") RETURNS void LANGUAGE sql AS ''")?;
    let words = frame.words();
    let mut found = Vec::new();
    for (parameter, (first, last)) in
        frame.tree.get("parameters").items().iter().zip(pieces(words, 0, words.len()))
    {
        let default_at = (first..last)
            .find(|at| words.is(*at, "default") || words.word(*at) == "=" || words.word(*at) == ":=");
        let end = |at: usize| at.checked_sub(1).and_then(|at| words.token(at)).map_or(0, |token| token.end);
        let type_name = type_of(&frame, parameter.get("arg_type"), end(default_at.unwrap_or(last)))?;
        let default = match default_at.filter(|_| !parameter.get("defexpr").is_nothing()) {
            Some(at) => {
                let start = words.token(at + 1).map_or(0, |token| token.start);
                let value = sql.part(start, end(last)).trimmed();
                frame::expression(&value)?;
                Some(Fragment::declared(&value, Grammar::Expression))
            }
            None => None,
        };
        let name = parameter.get("name").str();
        found.push(Argument {
            mode: match parameter.get("mode").int() {
                OUT => Mode::Out,
                INOUT => Mode::InOut,
                VARIADIC => Mode::Variadic,
                _ => Mode::In,
            },
            name: (!name.is_empty()).then(|| Ident::new(name)),
            type_name,
            default,
        });
    }
    Ok(found)
}

/// The ranges of tokens between the commas that stand in no parentheses.
fn pieces(words: &Words<'_>, first: usize, last: usize) -> Vec<(usize, usize)> {
    let (mut found, mut start, mut depth) = (Vec::new(), first, 0_usize);
    for at in first..last {
        match words.word(at) {
            "(" | "[" => depth += 1,
            ")" | "]" => depth = depth.saturating_sub(1),
            "," if depth == 0 => {
                found.push((start, at));
                start = at + 1;
            }
            _ => {}
        }
    }
    found.push((start, last));
    found
}

/// A type that ends at the byte `end`, without modifiers: routines know none.
fn type_of(frame: &Frame<'_>, node: &Tree, end: usize) -> Result<TypeName, Diagnostic> {
    let start = frame.at(node.get("location"));
    if node.get("pct_type").flag() {
        return Err(frame.refuse(start, "name the type itself: PostgreSQL stores no `%TYPE`"));
    }
    let text = frame.slice(start, end);
    Ok(TypeName::from_tree(node, text.text()).without_modifiers().located(text.span()))
}

/// What follows RETURNS.
fn returns(sql: &Sql) -> Result<Returns, Diagnostic> {
    let frame = Frame::read(sql, "CREATE FUNCTION x() RETURNS ", " LANGUAGE sql AS ''")?;
    let tree = &frame.tree;
    if tree.get("options").items().len() > 2 {
        return Err(
            frame.refuse(0, "this is more than what follows RETURNS; the rest stands under `attributes`")
        );
    }
    let words = frame.words();
    let columns = tree.get("parameters").items();
    if columns.is_empty() {
        let node = tree.get("return_type");
        return Ok(Returns::Type {
            set: node.get("setof").flag(),
            type_name: type_of(&frame, node, sql.text().len())?,
        });
    }
    let mut found = Vec::new();
    // Behind `table (`.
    let close = words.closing(1).unwrap_or(words.len());
    for (column, (_, last)) in columns.iter().zip(pieces(words, 2, close)) {
        let end = last.checked_sub(1).and_then(|at| words.token(at)).map_or(0, |token| token.end);
        found.push((Ident::new(column.get("name").str()), type_of(&frame, column.get("arg_type"), end)?));
    }
    Ok(Returns::Table(found))
}

/// `stable security definer parallel safe cost 10 set search_path = ''`.
fn attributes(sql: &Sql, function: &mut Function) -> Result<(), Diagnostic> {
    let head = if function.procedure {
        "CREATE PROCEDURE x() LANGUAGE sql AS '' "
    } else {
        "CREATE FUNCTION x() RETURNS void LANGUAGE sql AS '' "
    };
    let frame = Frame::read(sql, head, "")?;
    let (mut cost, mut rows) = (None, None);
    // The first two are those of the frame.
    for option in frame.tree.get("options").items().iter().skip(2) {
        let (argument, at) = (option.get("arg"), frame.at(option.get("location")));
        let attributes = &mut function.attributes;
        match option.get("defname").str() {
            "volatility" => {
                attributes.volatility = match argument.str() {
                    "immutable" => Volatility::Immutable,
                    "stable" => Volatility::Stable,
                    _ => Volatility::Volatile,
                };
            }
            "strict" => attributes.strict = argument.get("boolval").flag(),
            "security" => attributes.definer = argument.get("boolval").flag(),
            "leakproof" => attributes.leakproof = argument.get("boolval").flag(),
            "parallel" => {
                attributes.parallel = match argument.str() {
                    "safe" => Parallel::Safe,
                    "restricted" => Parallel::Restricted,
                    "unsafe" => Parallel::Unsafe,
                    _ => return Err(frame.refuse(at, "PARALLEL is SAFE, RESTRICTED or UNSAFE")),
                };
            }
            "cost" => cost = numeric(argument),
            "rows" => rows = numeric(argument),
            "support" => {
                let parts: Vec<Ident> = argument.strings().into_iter().map(Ident::new).collect();
                let start = frame.words().find(at, |word| !word.eq_ignore_ascii_case("support"));
                let start =
                    start.and_then(|index| frame.words().token(index)).map_or(at, |token| token.start);
                function.support = Some(frame.reference(Target::Routine, &parts, start));
            }
            "window" => function.window = argument.get("boolval").flag(),
            "transform" => {
                for node in argument.items() {
                    let start = frame.at(node.get("location"));
                    let end = names::dotted_name(sql.text(), start).map_or(start, |(_, end)| end);
                    function.transforms.push(TypeName::from_tree(node, &sql.text()[start..end]));
                }
            }
            "set" => setting(&frame, argument, at, &mut attributes.settings)?,
            "language" => return Err(frame.refuse(at, "the language stands under `language:`")),
            "as" => return Err(frame.refuse(at, "the body stands under `body:`")),
            other => return Err(frame.refuse(at, format!("`{other}` is no attribute that schemac knows"))),
        }
    }
    let set = function.returns.as_ref().is_some_and(Returns::is_set);
    if let Some(cost) = cost {
        function.attributes.cost = number(cost, usual_cost(function.language));
    }
    if let (Some(rows), true) = (rows, set) {
        function.attributes.rows = number(rows, USUAL_ROWS);
    }
    Ok(())
}

fn numeric(node: &Tree) -> Option<f64> {
    match node.name() {
        "Integer" => node.get("ival").int().to_string().parse().ok(),
        _ => node.get("fval").str().parse().ok(),
    }
}

fn setting(frame: &Frame<'_>, node: &Tree, at: usize, settings: &mut Settings) -> Result<(), Diagnostic> {
    let values: Vec<String> = node.get("args").items().iter().map(constant).collect();
    // `SET x TO DEFAULT` is no setting; `FROM CURRENT` is what the session happens to have.
    match (node.get("kind").int(), values.is_empty()) {
        (_, false) => {
            let name = node.get("name").str();
            // Each name of a list has been taken apart by the grammar.
            let values: Vec<String> = match values.as_slice() {
                [one] if one.contains(',') => vec![crate::sql::in_quotes(one)],
                _ => values,
            };
            let values: Vec<&str> = values.iter().map(String::as_str).collect();
            settings.insert_written(name, &values);
            Ok(())
        }
        (2, true) => Ok(()),
        _ => Err(frame.refuse(at, "write the value: another session may have another one")),
    }
}

fn constant(node: &Tree) -> String {
    let value = node.get("val");
    match value.name() {
        "Integer" => value.get("ival").int().to_string(),
        "Float" => value.get("fval").str().to_owned(),
        "Boolean" => value.get("boolval").flag().to_string(),
        _ => value.get("sval").str().to_owned(),
    }
}

fn body(
    spec: &RoutineSpec,
    language: Ident,
    name: Ident,
    span: crate::span::Span,
) -> Result<Body, Diagnostic> {
    if let Some(file) = &spec.library {
        let symbol = spec.body.as_ref().map_or(name.as_str(), |sql| sql.0.text().trim());
        return Ok(Body::Library { file: Text::new(file.as_str()), symbol: Text::new(symbol) });
    }
    let Some(BodySql(sql)) = &spec.body else {
        return Err(
            Diagnostic::error(crate::code::Code::MissingKey, format!("`{name}` has no body")).at(span)
        );
    };
    if language.as_str() != "sql" {
        return Ok(Body::Text(Fragment::declared_body(sql, &exact(sql, spec)?)));
    }
    if !is_standard(sql.text()) {
        parse::check(sql.text()).map_err(|error| frame::syntax_error(sql, &error))?;
        return Ok(Body::Text(Fragment::declared_body(sql, &exact(sql, spec)?)));
    }
    let text = sql.text().trim_end();
    let sql = sql.part(0, text.strip_suffix(';').unwrap_or(text).len()).trimmed();
    fragment::tree(sql.text(), Grammar::Routine).map_err(|error| frame::syntax_error(&sql, &error))?;
    Ok(Body::Sql(Fragment::declared(&sql, Grammar::Routine)))
}

/// A body with the white space around it: lines stand between line ends, one line as it is written, unless the file
/// says otherwise.
fn exact(sql: &Sql, spec: &RoutineSpec) -> Result<String, Diagnostic> {
    let written = sql.text();
    let Some(outer) = &spec.outer_space else {
        return Ok(if written.contains('\n') { format!("\n{written}") } else { written.to_owned() });
    };
    match outer.as_slice() {
        [before, after]
            if [before, after].iter().all(|text| fragment::without_outer_space(text.as_str()).is_empty()) =>
        {
            Ok(format!("{}{}{}", before.as_str(), fragment::without_outer_space(written), after.as_str()))
        }
        _ => {
            let message = "`outer_space` is two texts of white space: before the body, and after it";
            let at = outer.first().map_or(sql.span(), |text| text.span);
            Err(Diagnostic::error(crate::code::Code::UnknownValue, message).at(at))
        }
    }
}

/// Whether a body is SQL's own form and no text.
pub fn is_standard(text: &str) -> bool {
    let Ok(tokens) = parse::tokens(text) else { return false };
    let word = |at: usize| tokens.get(at).and_then(|token| text.get(token.start..token.end)).unwrap_or("");
    word(0).eq_ignore_ascii_case("return")
        || (word(0).eq_ignore_ascii_case("begin") && word(1).eq_ignore_ascii_case("atomic"))
}
