//! Which operator or function a name means, as parse_oper.c and parse_func.c choose.

use crate::analyse::coerce::{self, Context};
use crate::analyse::polymorphic::{consistent, settle};
use crate::analyse::system;
use crate::analyse::types::Type;
use crate::analyse::world::World;
use crate::analyse::{Analysed, undecided};
use crate::id::ObjectId;
use crate::ident::{Ident, QName, Text};
use crate::kinds::aggregate::Aggregate;
use crate::kinds::function::{self, Mode, Returns};
use crate::object::Object;
use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

/// What an operator takes and gives.
#[derive(Clone, Debug)]
pub struct Operator {
    /// The types of its operands: one for a prefix operator.
    pub operands: Vec<Type>,
    /// The type of its result.
    pub result: Type,
}

/// What a function takes and gives.
#[derive(Clone, Debug)]
pub struct Function {
    /// Its name.
    pub name: QName,
    /// The types of its arguments, as many as the call has.
    pub arguments: Vec<Type>,
    /// The type of its result.
    pub result: Type,
    /// `prokind`.
    pub kind: char,
    /// How many of the arguments are gathered into an array for VARIADIC.
    pub gathered: Option<usize>,
    /// Whether the last argument is printed as VARIADIC.
    pub variadic: bool,
    /// What it returns by OUT arguments.
    pub out: Vec<(Ident, Type, i32)>,
}

/// `func_select_candidate`: the candidate that fits best.
fn select<T: Clone>(
    world: &World<'_>,
    inputs: &[Type],
    candidates: Vec<(Vec<Type>, T)>,
) -> Analysed<Option<(Vec<Type>, T)>> {
    let mut bases = Vec::new();
    for input in inputs {
        bases.push(input.base(-1, world)?.0);
    }
    let unknown = |place: usize| bases[place].is_unknown();
    let keep = |candidates: Vec<(Vec<Type>, T)>, score: &dyn Fn(usize, Type) -> Analysed<bool>| {
        let mut best = 0;
        let mut kept: Vec<(Vec<Type>, T)> = Vec::new();
        for candidate in candidates {
            let mut matches = 0;
            for (place, of) in candidate.0.iter().enumerate() {
                if !bases[place].is_unknown() && score(place, *of)? {
                    matches += 1;
                }
            }
            if matches > best || kept.is_empty() {
                best = matches;
                kept = vec![candidate];
            } else if matches == best {
                kept.push(candidate);
            }
        }
        Analysed::Ok(kept)
    };
    let mut candidates = keep(candidates, &|place, of| Ok(of == bases[place]))?;
    if candidates.len() == 1 {
        return Ok(candidates.pop());
    }
    candidates = keep(candidates, &|place, of| {
        if of == bases[place] {
            return Ok(true);
        }
        let (category, preferred) = of.category(world)?;
        Ok(preferred && category == bases[place].category(world)?.0)
    })?;
    if candidates.len() == 1 {
        return Ok(candidates.pop());
    }
    let unknowns: Vec<usize> = (0..bases.len()).filter(|place| unknown(*place)).collect();
    if unknowns.is_empty() {
        return Ok(None);
    }
    let mut resolved: Vec<(usize, char, bool)> = Vec::new();
    for place in &unknowns {
        let (mut category, mut has_preferred, mut conflict) = (None, false, false);
        for (types, _) in &candidates {
            let (its, preferred) = types[*place].category(world)?;
            match category {
                None => (category, has_preferred) = (Some(its), preferred),
                Some(known) if known == its => has_preferred |= preferred,
                Some(_) if its == 'S' => (category, has_preferred) = (Some('S'), preferred),
                Some(_) => conflict = true,
            }
        }
        let category = category.unwrap_or(' ');
        if conflict && category != 'S' {
            resolved.clear();
            break;
        }
        resolved.push((*place, category, has_preferred));
    }
    if !resolved.is_empty() {
        let mut kept = Vec::new();
        for candidate in &candidates {
            let mut fits = true;
            for (place, category, has_preferred) in &resolved {
                let (its, preferred) = candidate.0[*place].category(world)?;
                fits &= its == *category && (!has_preferred || preferred);
            }
            if fits {
                kept.push(candidate.clone());
            }
        }
        if !kept.is_empty() {
            candidates = kept;
        }
        if candidates.len() == 1 {
            return Ok(candidates.pop());
        }
    }
    // All known inputs are of one type: try that for the others too.
    let mut known = bases.iter().filter(|of| !of.is_unknown());
    let Some(first) = known.next().copied() else { return Ok(None) };
    if known.all(|of| *of == first) {
        let mut fitting = Vec::new();
        for candidate in candidates {
            let mut fits = true;
            for of in &candidate.0 {
                fits &= coerce::can_coerce(world, first, *of, Context::Implicit)?;
            }
            if fits && consistent(world, &vec![first; candidate.0.len()], &candidate.0)? {
                fitting.push(candidate);
            }
        }
        if fitting.len() == 1 {
            return Ok(fitting.pop());
        }
    }
    Ok(None)
}

/// `func_match_argtypes`: those whose arguments the inputs can become.
fn matching<T>(
    world: &World<'_>,
    inputs: &[Type],
    candidates: Vec<(Vec<Type>, T)>,
) -> Analysed<Vec<(Vec<Type>, T)>> {
    let mut kept = Vec::new();
    for candidate in candidates {
        let mut fits = candidate.0.len() == inputs.len();
        for (input, of) in inputs.iter().zip(&candidate.0) {
            fits = fits && coerce::can_coerce(world, *input, *of, Context::Implicit)?;
        }
        if fits && consistent(world, inputs, &candidate.0)? {
            kept.push(candidate);
        }
    }
    Ok(kept)
}

/// Operators of pg_catalog: the types of their operands and of their results.
type Operators = Arc<[(Vec<Type>, Type)]>;

/// All operators of pg_catalog of that name. There are some ninety that are called `=`: they are looked up once.
fn system_operators(name: &str, version: u32, prefix: bool) -> Operators {
    type Known = HashMap<(Text, u32, bool), Operators>;
    static KNOWN: LazyLock<Mutex<Known>> = LazyLock::new(Mutex::default);
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    let found = known.entry((Text::new(name), version, prefix)).or_insert_with(|| {
        system::operators(name, version)
            .filter(|found| (found.left == "-") == prefix)
            .map(|found| {
                let operands = [found.left, found.right];
                let operands = operands.iter().filter(|of| **of != "-").map(|of| Type::system(of)).collect();
                (operands, Type::system(found.result))
            })
            .collect()
    });
    Arc::clone(found)
}

/// The operator that a name means between two types; `left` is missing for a prefix operator.
pub fn operator(world: &World<'_>, name: &str, left: Option<Type>, right: Type) -> Analysed<Operator> {
    let candidates = system_operators(name, world.version, left.is_none());
    let inputs: Vec<Type> = left.into_iter().chain([right]).collect();
    if world.may_have_operator(name, &inputs) {
        // Users' operators may fit better, unless everything stays within what pg_catalog has exactly.
        let known = inputs.iter().copied().find(|of| !of.is_unknown());
        let exact: Option<Vec<Type>> =
            known.map(|known| inputs.iter().map(|of| if of.is_unknown() { known } else { *of }).collect());
        let same = inputs.iter().all(|of| of.is_system() && !of.array);
        let found =
            exact.filter(|_| same).and_then(|exact| candidates.iter().find(|(of, _)| *of == exact).cloned());
        return match found {
            // An operator of the users' on the same two types would stand behind pg_catalog's.
            Some((operands, result)) => Ok(Operator { operands, result }),
            None => undecided(format!("users made operators called {name}")),
        };
    }
    let exact = |inputs: &[Type]| candidates.iter().find(|(of, _)| of == inputs).cloned();
    let mut chosen;
    if let [a, b] = inputs[..] {
        let (a, b, unknown) = match (a.is_unknown(), b.is_unknown()) {
            (true, false) => (b, b, true),
            (false, true) => (a, a, true),
            _ => (a, b, false),
        };
        chosen = exact(&[a, b]);
        if chosen.is_none() && unknown {
            let (base, _) = a.base(-1, world)?;
            if base != a {
                chosen = exact(&[base, base]);
            }
        }
    } else {
        chosen = exact(&inputs);
    }
    let chosen = match chosen {
        Some(chosen) => chosen,
        None => {
            let mut fitting = matching(world, &inputs, candidates.to_vec())?;
            let best = if fitting.len() == 1 { fitting.pop() } else { select(world, &inputs, fitting)? };
            match best {
                Some(best) => best,
                None => return undecided(format!("no single operator {name} fits")),
            }
        }
    };
    let (operands, result) = settle(world, &inputs, &chosen.0, chosen.1)?;
    Ok(Operator { operands, result })
}

/// What a call looks like before it is known what is called.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// The name.
    pub parts: &'a [&'a str],
    /// The types of the arguments, in the order of the call.
    pub inputs: &'a [Type],
    /// The names of the last arguments, where these are given by name.
    pub names: &'a [Ident],
    /// Whether VARIADIC was written.
    pub variadic: bool,
}

/// A function as it is declared.
struct Declared {
    inputs: Vec<Type>,
    names: Vec<Option<Ident>>,
    /// The element type of a VARIADIC last argument.
    variadic: Option<Type>,
    defaults: usize,
}

impl Declared {
    /// The types that it declares for the arguments of a call, in the order of the call, and how many of them are
    /// gathered for VARIADIC; `None` where the call does not fit.
    fn fits(&self, request: &Request<'_>) -> Analysed<Option<(Vec<Type>, Option<usize>)>> {
        let count = request.inputs.len();
        let mut inputs = self.inputs.clone();
        if let Some(element) = self.variadic {
            if !request.names.is_empty() {
                return undecided("arguments by name of what takes any number of them");
            }
            let fixed = inputs.len() - 1;
            if request.variadic {
                return Ok((count == inputs.len()).then_some((inputs, None)));
            }
            if count < fixed + 1 {
                return Ok(None);
            }
            inputs.truncate(fixed);
            inputs.resize(count, element);
            return Ok(Some((inputs, (!element.is("any")).then_some(count - fixed))));
        }
        if request.variadic || count > inputs.len() || count + self.defaults < inputs.len() {
            return Ok(None);
        }
        let by_place = count - request.names.len();
        let mut given: Vec<bool> = (0..inputs.len()).map(|place| place < by_place).collect();
        let mut order: Vec<Type> = inputs[..by_place].to_vec();
        for name in request.names {
            let Some(place) = self.names.iter().position(|own| own.as_ref() == Some(name)) else {
                return Ok(None);
            };
            if given[place] {
                return Ok(None);
            }
            given[place] = true;
            order.push(inputs[place]);
        }
        let optional = inputs.len() - self.defaults;
        let complete = given.iter().enumerate().all(|(place, given)| *given || place >= optional);
        Ok(complete.then_some((order, None)))
    }
}

/// The functions that a call may mean, each with the types that it declares for this call.
fn functions(world: &World<'_>, request: &Request<'_>) -> Analysed<Vec<(Vec<Type>, Function)>> {
    let parts = request.parts;
    let mut found: Vec<(Vec<Type>, Function)> = Vec::new();
    let mut doubt = false;
    let mut push = |arguments: Vec<Type>, function: Function| {
        // One that comes later on the search_path is hidden by an earlier one.
        let same = |known: &Function| known.name.schema == function.name.schema;
        match found.iter_mut().find(|(known, _)| *known == arguments) {
            // In one schema that without VARIADIC is meant.
            Some((_, known)) if same(known) => {
                if known.gathered.is_some() {
                    *known = function;
                }
            }
            Some((_, known)) => doubt |= known.gathered.is_some() || function.gathered.is_some(),
            None => found.push((arguments, function)),
        }
    };
    let name = parts.last().copied().unwrap_or_default();
    if parts.len() == 1 || parts.first() == Some(&"pg_catalog") {
        for function in system::functions(name, world.version) {
            let declared = Declared {
                inputs: function.arguments.iter().map(|of| Type::system(of)).collect(),
                names: function.names.iter().map(|name| Some(Ident::new(name))).collect(),
                variadic: function.variadic.map(Type::system),
                defaults: function.defaults,
            };
            let Some((arguments, gathered)) = declared.fits(request)? else { continue };
            let name = QName::new("pg_catalog", name);
            let (result, kind) = (Type::system(function.result), function.kind);
            let out =
                function.out.iter().map(|(name, of)| (Ident::new(name), Type::system(of), -1)).collect();
            let variadic = request.variadic || gathered.is_some();
            push(arguments.clone(), Function { name, arguments, result, kind, gathered, variadic, out });
        }
    }
    let schemas: Vec<Ident> = match parts {
        [_] => world.search_path.to_vec(),
        [schema, _] if *schema != "pg_catalog" => vec![Ident::new(schema)],
        _ => Vec::new(),
    };
    for schema in schemas {
        let overloads = world.catalog.routines(QName::new(schema, name));
        for id in overloads {
            let Some(entry) = world.catalog.get(*id) else { continue };
            let (declared, function) = match &entry.object {
                Object::Function(function) => of_users(*id, function)?,
                Object::Aggregate(aggregate) => of_aggregate(world, *id, aggregate)?,
                _ => return undecided(format!("{} is a routine of another kind", id.path())),
            };
            let Some((arguments, gathered)) = declared.fits(request)? else { continue };
            if arguments.len() < declared.inputs.len() && overloads.len() > 1 {
                return undecided(format!("{} has overloads and defaults", id.path()));
            }
            let variadic = request.variadic || gathered.is_some();
            let name = QName { schema, name: id.name() };
            push(arguments.clone(), Function { name, arguments, gathered, variadic, ..function });
        }
    }
    if doubt {
        return undecided(format!("{name} with and without VARIADIC"));
    }
    Ok(found)
}

/// A function of users, as it is declared and with what it returns.
fn of_users(id: ObjectId, function: &function::Function) -> Analysed<(Declared, Function)> {
    let given: Vec<_> = function.arguments.iter().filter(|argument| argument.mode.is_input()).collect();
    let of = |argument: &function::Argument| super::types::of(&argument.type_name).map(|(of, _)| of);
    let inputs: Analysed<Vec<Type>> = given.iter().map(|argument| of(argument)).collect();
    let inputs = inputs?;
    let variadic = match given.last() {
        Some(last) if last.mode == Mode::Variadic => {
            inputs.last().and_then(|of| if of.is("any") { Some(*of) } else { of.element() })
        }
        _ => None,
    };
    if variadic.is_none() && given.iter().any(|argument| argument.mode == Mode::Variadic) {
        return undecided(format!("{} takes any number of arguments", id.path()));
    }
    let mut out: Vec<(Ident, Type, i32)> = Vec::new();
    for (place, argument) in function.arguments.iter().enumerate() {
        if matches!(argument.mode, Mode::Out | Mode::InOut) {
            let name = argument.name.unwrap_or_else(|| Ident::new(&format!("column{}", place + 1)));
            out.push((name, of(argument)?, -1));
        }
    }
    if out.len() > 1 && function.arguments.iter().any(|argument| argument.name.is_none()) {
        return undecided(format!("what {} returns has no names", id.path()));
    }
    let result = match &function.returns {
        Some(Returns::Type { type_name, .. }) => super::types::of(type_name)?.0,
        Some(Returns::Table(columns)) => {
            for (name, of) in columns {
                out.push((*name, super::types::of(of)?.0, -1));
            }
            let record = Type::system("record");
            if let [(_, of, _)] = out[..] { of } else { record }
        }
        None => match out[..] {
            [] => return undecided(format!("what {} returns", id.path())),
            [(_, of, _)] => of,
            _ => Type::system("record"),
        },
    };
    let declared = Declared {
        inputs,
        names: given.iter().map(|argument| argument.name).collect(),
        variadic,
        defaults: given.iter().filter(|argument| argument.default.is_some()).count(),
    };
    let name = QName::new("", "");
    let found =
        Function { name, arguments: Vec::new(), result, kind: 'f', gathered: None, variadic: false, out };
    Ok((declared, found))
}

/// An aggregate of users: what its last function returns, or its state.
fn of_aggregate(world: &World<'_>, id: ObjectId, aggregate: &Aggregate) -> Analysed<(Declared, Function)> {
    let variadic = aggregate.arguments.iter().any(|argument| argument.variadic);
    if aggregate.ordered.is_some() || variadic {
        return undecided(format!("{} is an aggregate of another form", id.path()));
    }
    let inputs: Analysed<Vec<Type>> = aggregate
        .arguments
        .iter()
        .map(|argument| super::types::of(&argument.type_name).map(|(of, _)| of))
        .collect();
    let result = match aggregate.way.last.as_ref().map(|last| last.qname()) {
        None => super::types::of(&aggregate.way.state)?.0,
        Some(Some(name)) if name.schema.as_str() == "pg_catalog" => {
            let mut found = system::functions(name.name.as_str(), world.version).map(|one| one.result);
            match (found.next(), found.next()) {
                (Some(result), None) => Type::system(result),
                _ => return undecided(format!("what {} returns", id.path())),
            }
        }
        Some(Some(name)) => match world.catalog.routines(name) {
            [one] => match world.catalog.get(*one).map(|entry| &entry.object) {
                Some(Object::Function(function)) => of_users(*one, function)?.1.result,
                _ => return undecided(format!("what {} returns", id.path())),
            },
            _ => return undecided(format!("what {} returns", id.path())),
        },
        Some(None) => return undecided(format!("what {} returns", id.path())),
    };
    if result.is_polymorphic() {
        return undecided(format!("what {} returns", id.path()));
    }
    let names = aggregate.arguments.iter().map(|argument| argument.name).collect();
    let declared = Declared { inputs: inputs?, names, variadic: None, defaults: 0 };
    let (name, out) = (QName::new("", ""), Vec::new());
    let found =
        Function { name, arguments: Vec::new(), result, kind: 'a', gathered: None, variadic: false, out };
    Ok((declared, found))
}

/// The function that a call means.
pub fn function(world: &World<'_>, request: &Request<'_>) -> Analysed<Function> {
    let (parts, inputs) = (request.parts, request.inputs);
    let candidates = functions(world, request)?;
    let name = parts.join(".");
    if candidates.is_empty() {
        return undecided(format!("no function {name} with {} arguments is known", inputs.len()));
    }
    let exact = candidates.iter().find(|(of, _)| of == inputs).cloned();
    let chosen = match exact {
        Some(exact) => exact,
        None => {
            // A call in the form of a cast: text(x), date(x).
            let last = parts.last().copied().unwrap_or_default();
            let is_type = system::type_named(last, world.version).is_some()
                || world.find(parts, |name| world.catalog.type_named(name)).is_some();
            if inputs.len() == 1 && is_type {
                return undecided(format!("{name}(…) may be a cast"));
            }
            let mut fitting = matching(world, inputs, candidates)?;
            let best = if fitting.len() == 1 { fitting.pop() } else { select(world, inputs, fitting)? };
            match best {
                Some(best) => best,
                None => return undecided(format!("no single function {name} fits")),
            }
        }
    };
    let mut function = chosen.1;
    if function.out.iter().any(|(_, of, _)| of.is_polymorphic()) {
        return undecided(format!("{name} returns what it is given"));
    }
    let (arguments, result) = settle(world, inputs, &chosen.0, function.result)?;
    (function.arguments, function.result) = (arguments, result);
    Ok(function)
}
