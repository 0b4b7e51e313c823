//! Functions, procedures and aggregates, and the facades that keep a function's old name alive.

use super::{Declarations, Facade};
use crate::code::Code;
use crate::diagnostic::Diagnostic;
use crate::fragment::{Aside, Fragment, Grammar};
use crate::id::{Address, ObjectId};
use crate::ident::{Ident, QName, Text};
use crate::kinds::comment::Comment;
use crate::kinds::function::settings::Settings;
use crate::kinds::function::{Argument, Attributes, Body, Function, Mode, Returns};
use crate::kinds::grant::{self, Grant};
use crate::kinds::{aggregate, function};
use crate::object::{Kind, Object};
use crate::span::Span;
use crate::spec::routine::PublicExecute;
use crate::spec::{AggregateSpec, Grants, Name, RoutineSpec};
use crate::sql::{qualified, quoted};
use crate::yaml::At;

/// A function's facade that waits until everything is known.
#[derive(Debug)]
pub(super) struct PendingRoutine {
    name: QName,
    of: ObjectId,
    span: Span,
}

impl Declarations<'_> {
    pub(super) fn routine(&mut self, schema: Ident, name: &Name, spec: &RoutineSpec, procedure: bool) {
        let Some(own) = self.name(name) else { return };
        let Some(function) = self.keep(function::declare::routine(spec, procedure, own, name.span)) else {
            return;
        };
        let id = routine_id(Kind::Function, QName::new(schema, own), function.inputs());
        self.add(id, Object::Function(function), name.span);
        self.comment(id, spec.comment.as_ref());
        self.routine_grants(id, &spec.grants, spec.public, name.span);
        self.moved(id, &spec.moved_from, |old| renamed(id, old));
        for facade in &spec.facade {
            if let Some(old) = self.qualified(facade, None) {
                self.routine_facades.push(PendingRoutine { name: old, of: id, span: facade.span });
            }
        }
    }

    pub(super) fn aggregate(&mut self, schema: Ident, name: &Name, spec: &AggregateSpec) {
        let Some(own) = self.name(name) else { return };
        let Some(aggregate) = self.keep(aggregate::declare::aggregate(spec)) else { return };
        let id = routine_id(Kind::Aggregate, QName::new(schema, own), aggregate.inputs());
        self.add(id, Object::Aggregate(aggregate), name.span);
        self.comment(id, spec.comment.as_ref());
        self.routine_grants(id, &spec.grants, spec.public, name.span);
        self.moved(id, &spec.moved_from, |old| renamed(id, old));
    }

    /// What is written, and PUBLIC's EXECUTE unless that is taken away.
    fn routine_grants(
        &mut self,
        id: ObjectId,
        grants: &Grants,
        public: Option<At<PublicExecute>>,
        span: Span,
    ) {
        self.grants(id, grants, None);
        let everybody = Ident::new("public");
        let spoken_of = grants.iter().any(|(name, _)| name.as_str() == everybody.as_str());
        let taken = public.is_some_and(|public| public.value == PublicExecute::None);
        if !spoken_of && !taken {
            let object = Object::Grant(Grant::all(id.kind(), self.version));
            self.add(grant::id(id, everybody), object, public.map_or(span, |public| public.span));
        }
    }

    /// The old names of a routine that live on.
    pub(super) fn routine_names(&self, of: ObjectId) -> Vec<QName> {
        self.routine_facades.iter().filter(|facade| facade.of == of).map(|facade| facade.name).collect()
    }

    pub(super) fn expand_routine_facades(&mut self) {
        for facade in std::mem::take(&mut self.routine_facades) {
            self.expand_routine(&facade);
        }
    }

    fn expand_routine(&mut self, facade: &PendingRoutine) {
        let Some(Object::Function(of)) = self.out.catalog.get(facade.of).map(|entry| &entry.object) else {
            return;
        };
        let Some(name) = facade.of.qname() else { return };
        if let Some(why) = obstacle(of) {
            let error =
                Diagnostic::error(Code::NotModelled, format!("{} can have no facade: {why}", facade.of));
            return self.report(error.at(facade.span));
        }
        let wrapper = wrapper(of, name, facade.name.name);
        let id = renamed(facade.of, facade.name);
        self.add(id, Object::Function(wrapper), facade.span);
        let mut satellites = Vec::new();
        for below in self.out.catalog.children(facade.of) {
            let Some(entry) = self.out.catalog.get(*below) else { continue };
            if let Object::Grant(grant) = &entry.object {
                satellites.push((grant::id(id, below.name()), Object::Grant(grant.clone())));
            }
        }
        let of_routine = ObjectId::of(Kind::Comment, facade.of, "");
        let own = match self.out.catalog.get(of_routine).map(|entry| &entry.object) {
            Some(Object::Comment(comment)) => comment.text.as_str(),
            _ => "",
        };
        let line = super::facade::line(facade.of);
        let text = if own.is_empty() { line } else { format!("{own}\n{line}") };
        satellites
            .push((ObjectId::of(Kind::Comment, id, ""), Object::Comment(Comment { text: Text::new(&text) })));
        satellites.sort_by_key(|(id, _)| *id);
        for (id, object) in satellites {
            self.add(id, object, facade.span);
        }
        self.out.facades.push(Facade {
            id,
            name: facade.name,
            of: facade.of,
            shape: None,
            span: facade.span,
        });
    }
}

fn routine_id(kind: Kind, name: QName, inputs: Text) -> ObjectId {
    ObjectId::new(kind, Address::Routine(name, inputs))
}

/// The same routine under another name.
fn renamed(id: ObjectId, name: QName) -> ObjectId {
    match id.address() {
        Address::Routine(_, inputs) => routine_id(id.kind(), name, inputs),
        _ => id,
    }
}

fn obstacle(function: &Function) -> Option<&'static str> {
    let result = match &function.returns {
        Some(Returns::Type { type_name, .. }) => type_name.canonical().as_str(),
        _ => "",
    };
    if function.window {
        return Some("a window function can only be called over a window");
    }
    match result {
        "pg_catalog.trigger" | "pg_catalog.event_trigger" => {
            Some("only PostgreSQL calls it, by the trigger and not by name")
        }
        "pg_catalog.internal" => Some("it returns what SQL cannot hold"),
        _ if function
            .arguments
            .iter()
            .any(|one| one.type_name.canonical().as_str() == "pg_catalog.\"any\"") =>
        {
            Some("its arguments may be of any type, which cannot be passed on")
        }
        _ => None,
    }
}

const POLYMORPHIC: [&str; 10] = [
    "anyelement",
    "anyarray",
    "anynonarray",
    "anyenum",
    "anyrange",
    "anymultirange",
    "anycompatible",
    "anycompatiblearray",
    "anycompatiblenonarray",
    "anycompatiblerange",
];

/// The same signature, and a body that calls the function. Names in a body of SQL's own are resolved once, by who
/// creates it: callers need no USAGE on the function's schema.
fn wrapper(of: &Function, name: QName, own: Ident) -> Function {
    let inputs = of.arguments.iter().filter(|one| one.mode.is_input());
    let passed: Vec<String> =
        (1..).zip(inputs).map(|(place, one)| format!("{}${place}", variadic(one))).collect();
    let call = format!("{}({})", qualified(name), passed.join(", "));
    let polymorphic = of.arguments.iter().any(|one| {
        let own = one.type_name.name().as_str();
        one.type_name.is_system() && (POLYMORPHIC.contains(&own) || own == "anycompatiblemultirange")
    });
    let outputs = of.arguments.iter().filter(|one| matches!(one.mode, Mode::Out | Mode::InOut)).count();
    let (language, body) = if of.procedure {
        // Only PL/pgSQL hands OUT arguments back and lets the procedure commit.
        let all: Vec<String> =
            (1..).zip(&of.arguments).map(|(place, one)| format!("{}${place}", variadic(one))).collect();
        let text = format!("\nbegin\n    call {}({});\nend\n", qualified(name), all.join(", "));
        ("plpgsql", Body::Text(Fragment::body(&text)))
    } else {
        // A record without columns of its own cannot be taken apart.
        let columns = matches!(of.returns, Some(Returns::Table(_))) || outputs > 1;
        let rows = match &of.returns {
            Some(Returns::Type { set, type_name }) => {
                *set && (columns || type_name.canonical().as_str() != "pg_catalog.record")
            }
            _ => false,
        };
        let select = if columns || rows { format!("SELECT * FROM {call}") } else { format!("SELECT {call}") };
        if polymorphic {
            ("sql", Body::Text(Fragment::body(&select)))
        } else {
            // PostgreSQL calls a column by the function that makes it, and goes on so when that gets another name.
            let column = match own == name.name || columns || rows {
                true => String::new(),
                false => format!(" AS {}", quoted(own)),
            };
            let text = format!("BEGIN ATOMIC\n    {select}{column};\nEND");
            ("sql", Body::Sql(Fragment::canonical(&text, Grammar::Routine)))
        }
    };
    let Attributes { volatility, strict, parallel, rows, definer, .. } = of.attributes.clone();
    let bound = matches!(body, Body::Sql(_));
    let attributes = Attributes {
        volatility,
        strict,
        // Bound when it runs, its callers would need USAGE. What runs as its owner anyway may be called by that owner: in
        // it nobody is anybody else, and in between nothing is but this call.
        definer: definer && !bound,
        parallel,
        rows,
        settings: Settings::default(),
        ..Attributes::default()
    };
    Function {
        procedure: of.procedure,
        window: false,
        arguments: of.arguments.clone(),
        returns: of.returns.clone(),
        language: Ident::new(language),
        body,
        attributes,
        support: None,
        transforms: Vec::new(),
        owner: Aside(of.owner.0),
    }
}

fn variadic(argument: &Argument) -> &'static str {
    if argument.mode == Mode::Variadic { "VARIADIC " } else { "" }
}
