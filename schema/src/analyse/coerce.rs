//! Coercion between types, as parse_coerce.c has it.

use crate::analyse::constant;
use crate::analyse::expr::{Expr, Form, Node, Way};
use crate::analyse::system;
use crate::analyse::types::{Class, Type};
use crate::analyse::world::World;
use crate::analyse::{Analysed, interval, range, undecided};

/// In which context a coercion happens; each allows what those before it allow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Context {
    /// By itself.
    Implicit,
    /// To what a column takes.
    Assignment,
    /// Somebody wrote a cast.
    Explicit,
}

/// How a value gets from one type to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Path {
    /// It does not.
    None,
    /// Its bytes stay.
    Relabel,
    /// By a function.
    Function,
    /// By its text.
    ViaIo,
    /// Element by element.
    Array,
}

/// `find_coercion_pathway`.
pub fn pathway(world: &World<'_>, target: Type, source: Type, context: Context) -> Analysed<Path> {
    let (source, _) = source.base(-1, world)?;
    let (target, _) = target.base(-1, world)?;
    if source == target {
        return Ok(Path::Relabel);
    }
    if world.has_casts(source) || world.has_casts(target) {
        return undecided("users made casts of this type");
    }
    let (from, to) = (source.class(world)?, target.class(world)?);
    if from == Class::Other || to == Class::Other {
        return undecided("a cast of a type that an extension made");
    }
    if source.is_system() && target.is_system() && !source.array && !target.array {
        let found = system::cast(source.name.name.as_str(), target.name.name.as_str(), world.version);
        if let Some((allowed, method)) = found {
            let least = match allowed {
                'i' => Context::Implicit,
                'a' => Context::Assignment,
                _ => Context::Explicit,
            };
            if context < least {
                return Ok(Path::None);
            }
            return Ok(match method {
                'f' => Path::Function,
                'i' => Path::ViaIo,
                _ => Path::Relabel,
            });
        }
    }
    // A range that users made comes with a cast to its multirange.
    if let (Class::Range, Class::Range) = (from, to) {
        let own = range::of_range(world, source)?.is_some_and(|family| family.multirange == target);
        return Ok(if own && context == Context::Explicit { Path::Function } else { Path::None });
    }
    if let (Some(from), Some(to)) = (source.element(), target.element()) {
        return Ok(match pathway(world, to, from, context)? {
            Path::None => Path::None,
            _ => Path::Array,
        });
    }
    if context >= Context::Assignment && target.category(world)?.0 == 'S' {
        return Ok(Path::ViaIo);
    }
    if context >= Context::Explicit && source.category(world)?.0 == 'S' {
        return Ok(Path::ViaIo);
    }
    Ok(Path::None)
}

/// `can_coerce_type` for one argument; polymorphic targets are the caller's to compare.
pub fn can_coerce(world: &World<'_>, source: Type, target: Type, context: Context) -> Analysed<bool> {
    if source == target || target.is("any") || target.is_polymorphic() || source.is_unknown() {
        return Ok(true);
    }
    let row = |of: Type| -> Analysed<bool> { Ok(of.is("record") || of.class(world)? == Class::Row) };
    if (source.is("record") && row(target)?) || (target.is("record") && row(source)?) {
        return Ok(true);
    }
    if pathway(world, target, source, context)? != Path::None {
        return Ok(true);
    }
    if source.class(world)? == Class::Row && target.class(world)? == Class::Row {
        return undecided("a row of a child as one of its parent");
    }
    Ok(false)
}

/// `coerce_type`: the type only, not its modifier.
pub fn coerce_type(
    world: &World<'_>,
    expr: Expr,
    target: Type,
    context: Context,
    form: Form,
) -> Analysed<Expr> {
    if expr.of == target || target.is("any") || target.is_polymorphic() {
        return Ok(expr);
    }
    if let (true, Node::Constant(value)) = (expr.of.is_unknown(), &expr.node) {
        let (base, modifier) = target.base(-1, world)?;
        let value = match value {
            None => None,
            Some(text) => Some(constant::input(world, base, text)?),
        };
        if base != target && modifier >= 0 && base.is("interval") {
            return undecided("an interval of some precision");
        }
        let constant = Expr::new(Node::Constant(value), base);
        return to_domain(world, constant, target, form, false);
    }
    if let Node::Collate(inner, name) = &expr.node {
        let coerced = coerce_type(world, (**inner).clone(), target, context, form)?;
        let collatable = collatable(world, target)?;
        return Ok(if collatable {
            Expr {
                of: coerced.of,
                modifier: coerced.modifier,
                node: Node::Collate(Box::new(coerced), name.clone()),
            }
        } else {
            coerced
        });
    }
    if expr.of.is_unknown() {
        return undecided("an expression of no known type");
    }
    // ROW(…) becomes a row of a known type field by field: coerce_record_to_complex.
    if let (true, Node::MakeRow(fields, _), Class::Row) =
        (expr.of.is("record"), &expr.node, target.class(world)?)
    {
        let columns = world.fields(target)?;
        if columns.len() != fields.len() {
            return undecided("a row of another length");
        }
        let mut made = Vec::new();
        for (field, (_, of, modifier)) in fields.iter().zip(columns) {
            made.push(to_target(world, field.clone(), of, modifier, context, Form::Implicit)?);
        }
        return Ok(Expr::new(Node::MakeRow(made, form == Form::Explicit), target));
    }
    // A row of a known type is a record as it is.
    if target.is("record") && expr.of.class(world)? == Class::Row {
        return Ok(expr);
    }
    match pathway(world, target, expr.of, context)? {
        Path::Relabel => {
            let (base, _) = target.base(-1, world)?;
            if base != target {
                return to_domain(world, expr, target, form, false);
            }
            Ok(Expr::new(Node::Cast(Box::new(expr), form, Way::Other), target))
        }
        path @ (Path::Function | Path::ViaIo | Path::Array) => {
            let (base, modifier) = target.base(-1, world)?;
            if base != target && modifier >= 0 {
                return undecided("a cast to a domain of some length");
            }
            let way = if path == Path::Function { Way::Function } else { Way::Other };
            let cast = Expr::new(Node::Cast(Box::new(expr), form, way), base);
            to_domain(world, cast, target, form, true)
        }
        Path::None => undecided(format!("no cast from {} to {}", expr.of.name, target.name)),
    }
}

/// Whether values of a type have a collation.
pub fn collatable(world: &World<'_>, of: Type) -> Analysed<bool> {
    let (base, _) = of.base(-1, world)?;
    let element = base.element().unwrap_or(base);
    Ok(match element.class(world)? {
        Class::System(found) => found.collatable,
        Class::Domain(..) | Class::Other => return undecided("a collation of a type that users made"),
        _ => false,
    })
}

/// `coerce_to_domain`: an expression of the base type becomes one of the domain.
fn to_domain(world: &World<'_>, expr: Expr, target: Type, form: Form, hide: bool) -> Analysed<Expr> {
    let (base, modifier) = target.base(-1, world)?;
    if base == target {
        return Ok(expr);
    }
    let mut inner = if hide { hidden(expr) } else { expr };
    if modifier >= 0 {
        inner = coerce_modifier(world, inner, base, modifier, Form::Implicit, false)?;
    }
    Ok(Expr::new(Node::Cast(Box::new(inner), form, Way::Other), target))
}

/// `hide_coercion_node`.
fn hidden(mut expr: Expr) -> Expr {
    if let Node::Cast(_, form, _) = &mut expr.node {
        *form = Form::Implicit;
    }
    expr
}

/// `coerce_type_typmod`.
fn coerce_modifier(
    world: &World<'_>,
    expr: Expr,
    target: Type,
    modifier: i32,
    form: Form,
    hide: bool,
) -> Analysed<Expr> {
    if modifier == expr.modifier {
        return Ok(expr);
    }
    let expr = if hide { hidden(expr) } else { expr };
    let array = target.array;
    let by_function = modifier >= 0 && {
        let element = target.element().unwrap_or(target);
        let name = element.name.name.as_str();
        element.is_system()
            && system::cast(name, name, world.version).is_some_and(|(_, method)| method == 'f')
    };
    if by_function {
        let way = if array { Way::Other } else { Way::Function };
        return Ok(Expr { node: Node::Cast(Box::new(expr), form, way), of: target, modifier });
    }
    // applyRelabelType: stacked relabels become one, a constant is relabelled itself.
    if expr.is_constant() {
        return Ok(Expr { of: target, modifier, ..expr });
    }
    Ok(Expr { node: Node::Cast(Box::new(expr), form, Way::Other), of: target, modifier })
}

/// `coerce_to_target_type`.
pub fn to_target(
    world: &World<'_>,
    expr: Expr,
    target: Type,
    modifier: i32,
    context: Context,
    form: Form,
) -> Analysed<Expr> {
    if !can_coerce(world, expr.of, target, context)? {
        return undecided(format!("no cast from {} to {}", expr.of.name, target.name));
    }
    if let Node::Collate(inner, name) = &expr.node {
        let coerced = to_target(world, (**inner).clone(), target, modifier, context, form)?;
        let (of, known) = (coerced.of, coerced.modifier);
        return Ok(if collatable(world, target)? {
            Expr { node: Node::Collate(Box::new(coerced), name.clone()), of, modifier: known }
        } else {
            coerced
        });
    }
    if let (true, Node::Constant(Some(text)), true) =
        (expr.of.is_unknown() && modifier >= 0, &expr.node, target.is("interval"))
    {
        // An interval's fields say how its literal is read.
        return match interval::printed(text, modifier, world.version) {
            Some(value) => Ok(Expr { node: Node::Constant(Some(value)), of: target, modifier }),
            None => undecided(format!("the interval literal '{text}'")),
        };
    }
    let before = expr.clone();
    let coerced = coerce_type(world, expr, target, context, form)?;
    let hide = coerced != before && !coerced.is_constant();
    coerce_modifier(world, coerced, target, modifier, form, hide)
}

/// `coerce_to_boolean`.
pub fn to_boolean(world: &World<'_>, expr: Expr) -> Analysed<Expr> {
    if expr.of.is("bool") {
        return Ok(expr);
    }
    to_target(world, expr, Type::system("bool"), -1, Context::Assignment, Form::Implicit)
}

/// `select_common_type`.
pub fn common_type(world: &World<'_>, exprs: &[&Expr]) -> Analysed<Type> {
    let Some(first) = exprs.first() else { return undecided("no values") };
    let mut found = first.of;
    if !found.is_unknown() && exprs.iter().all(|expr| expr.of == found) {
        return Ok(found);
    }
    found = found.base(-1, world)?.0;
    let (mut category, mut preferred) = found.category(world)?;
    for expr in &exprs[1..] {
        let of = expr.of.base(-1, world)?.0;
        if of.is_unknown() || of == found {
            continue;
        }
        let (its, its_preferred) = of.category(world)?;
        if found.is_unknown() {
            (found, category, preferred) = (of, its, its_preferred);
        } else if its != category {
            return undecided("values of types that do not go together");
        } else if !preferred
            && can_coerce(world, found, of, Context::Implicit)?
            && !can_coerce(world, of, found, Context::Implicit)?
        {
            (found, category, preferred) = (of, its, its_preferred);
        }
    }
    if found.is_unknown() {
        found = Type::system("text");
    }
    Ok(found)
}

/// `coerce_to_common_type`.
pub fn to_common(world: &World<'_>, expr: Expr, target: Type) -> Analysed<Expr> {
    if expr.of == target {
        return Ok(expr);
    }
    if !can_coerce(world, expr.of, target, Context::Implicit)? {
        return undecided("values of types that do not go together");
    }
    coerce_type(world, expr, target, Context::Implicit, Form::Implicit)
}

/// `select_common_typmod`.
pub fn common_modifier(exprs: &[Expr], of: Type) -> i32 {
    match exprs {
        [first, rest @ ..] if first.of == of => {
            let same = rest.iter().all(|expr| expr.of == of && expr.modifier == first.modifier);
            if same { first.modifier } else { -1 }
        }
        _ => -1,
    }
}
