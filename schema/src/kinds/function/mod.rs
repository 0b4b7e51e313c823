//! Functions and procedures. Their privileges and comments are objects of their own.
//!
//! A body in a string is compared as text and binds to nothing: PostgreSQL looks its names up at each call. A body of
//! SQL's own (`RETURN …`, `BEGIN ATOMIC … END`) is stored analysed and depends on what it names.

pub mod declare;
pub mod read;
pub mod settings;
pub mod write;

use crate::analyse::{self, Found, World};
use crate::fragment::{Aside, Fragment};
use crate::id::{Address, ObjectId};
use crate::ident::{Ident, Text};
use crate::kinds::{grant, naming};
use crate::object::{Alter, Context, Nature, Object, ObjectKind, Visitor};
use crate::question::{Question, Questions, Read, StandIn};
use crate::reference::Reference;
use crate::sql::{self, Sql};
use crate::step::{Loss, Steps};
use crate::type_name::TypeName;
use crate::write::Writer;
use settings::Settings;

/// The places of the defaults of the first arguments.
const DEFAULTS: [&str; 12] = [
    "default 1",
    "default 2",
    "default 3",
    "default 4",
    "default 5",
    "default 6",
    "default 7",
    "default 8",
    "default 9",
    "default 10",
    "default 11",
    "default 12",
];

/// How an argument passes its value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub enum Mode {
    /// Into the routine.
    In,
    /// Out of it.
    Out,
    /// Both ways.
    InOut,
    /// Any number of values, as an array.
    Variadic,
}

impl Mode {
    /// Whether callers give a value for it; only such arguments identify the routine.
    pub fn is_input(self) -> bool {
        self != Mode::Out
    }
}

/// An argument.
#[derive(Clone, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub struct Argument {
    /// How it passes its value.
    pub mode: Mode,
    /// Its name.
    pub name: Option<Ident>,
    /// Its type, without modifiers.
    pub type_name: TypeName,
    /// What it is when it is left out.
    pub default: Option<Fragment>,
}

/// What a function gives back.
#[derive(Clone, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub enum Returns {
    /// A value, or a set of values. With OUT arguments it says what they amount to.
    Type {
        /// SETOF.
        set: bool,
        /// Of this type.
        type_name: TypeName,
    },
    /// `TABLE (…)`.
    Table(Vec<(Ident, TypeName)>),
}

impl Returns {
    /// Whether it gives back any number of rows.
    pub fn is_set(&self) -> bool {
        matches!(self, Returns::Table(_) | Returns::Type { set: true, .. })
    }
}

/// What a routine does.
#[derive(Clone, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub enum Body {
    /// A text for its language.
    Text(Fragment),
    /// `RETURN …` or `BEGIN ATOMIC … END`.
    Sql(Fragment),
    /// A function in C.
    Library {
        /// The file.
        file: Text,
        /// The name in it.
        symbol: Text,
    },
}

/// What the planner may assume of a function.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default, serde::Serialize, serde::Deserialize)]
pub enum Volatility {
    /// Nothing.
    #[default]
    Volatile,
    /// The same within a statement.
    Stable,
    /// The same for ever.
    Immutable,
}

/// Whether it may run in parallel workers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default, serde::Serialize, serde::Deserialize)]
pub enum Parallel {
    /// No.
    #[default]
    Unsafe,
    /// In the leader only.
    Restricted,
    /// Anywhere.
    Safe,
}

/// What CREATE FUNCTION says beside arguments, result and body, as far as ALTER FUNCTION can change it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Default, serde::Serialize, serde::Deserialize)]
pub struct Attributes {
    /// IMMUTABLE, STABLE, VOLATILE.
    pub volatility: Volatility,
    /// RETURNS NULL ON NULL INPUT.
    pub strict: bool,
    /// SECURITY DEFINER.
    pub definer: bool,
    /// LEAKPROOF.
    pub leakproof: bool,
    /// PARALLEL.
    pub parallel: Parallel,
    /// COST, unless it is the language's.
    pub cost: Option<Text>,
    /// ROWS, unless it is what PostgreSQL assumes.
    pub rows: Option<Text>,
    /// Settings during a call.
    pub settings: Settings,
}

/// A function or procedure.
#[derive(Clone, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub struct Function {
    /// A procedure.
    pub procedure: bool,
    /// A window function.
    pub window: bool,
    /// The arguments, in order, without the columns of `RETURNS TABLE`.
    pub arguments: Vec<Argument>,
    /// What it gives back; nothing for a procedure.
    pub returns: Option<Returns>,
    /// Its language.
    pub language: Ident,
    /// What it does.
    pub body: Body,
    /// What ALTER FUNCTION can change.
    pub attributes: Attributes,
    /// SUPPORT.
    pub support: Option<Reference>,
    /// TRANSFORM FOR TYPE.
    pub transforms: Vec<TypeName>,
    /// Its owner, where it is known.
    pub owner: Aside<Option<Ident>>,
}

/// Whether an object is a routine whose body is looked up at each call, with the privileges of who calls.
pub fn asks_its_caller(object: &Object) -> bool {
    matches!(object, Object::Function(function) if function.asks_its_caller())
}

impl Function {
    /// Whether the names in its body are looked up at each call, with the privileges of who calls.
    pub fn asks_its_caller(&self) -> bool {
        matches!(self.body, Body::Text(_)) && !self.attributes.definer
    }

    /// Whether a call may give that many values: some have defaults, and a procedure is given its results too.
    pub fn takes(&self, given: usize) -> bool {
        let inputs = self.arguments.iter().filter(|one| one.mode.is_input());
        let variadic = self.arguments.iter().any(|one| one.mode == Mode::Variadic);
        let needed = inputs.filter(|one| one.default.is_none() && one.mode != Mode::Variadic).count();
        let most = self.arguments.iter().filter(|one| self.procedure || one.mode.is_input()).count();
        given >= needed && (variadic || given <= most)
    }
}

/// COST, where a language has another one than most.
pub fn usual_cost(language: Ident) -> f64 {
    if matches!(language.as_str(), "c" | "internal") { 1.0 } else { 100.0 }
}

/// ROWS of a function that returns a set.
pub const USUAL_ROWS: f64 = 1000.0;

/// A number as it is compared: `10` and `10.0` are one.
pub fn number(value: f64, usual: f64) -> Option<Text> {
    #[expect(clippy::float_cmp, reason = "a value that was written, not computed")]
    let is_usual = value == usual;
    (!is_usual).then(|| Text::new(&value.to_string()))
}

/// The id's argument types, from the arguments.
pub fn signature<'a>(types: impl Iterator<Item = &'a TypeName>) -> Text {
    let types: Vec<&str> = types.map(|one| one.without_modifiers().canonical().as_str()).collect();
    Text::new(&types.join(", "))
}

impl Function {
    fn word(&self) -> &'static str {
        if self.procedure { "PROCEDURE" } else { "FUNCTION" }
    }

    /// The types of the arguments that identify it.
    pub fn inputs(&self) -> Text {
        signature(self.arguments.iter().filter(|one| one.mode.is_input()).map(|one| &one.type_name))
    }

    /// The names and types of what comes out, beside or instead of the result's type.
    fn outputs(&self) -> Vec<(Option<Ident>, TypeName)> {
        if let Some(Returns::Table(columns)) = &self.returns {
            return columns.iter().map(|(name, type_name)| (Some(*name), *type_name)).collect();
        }
        let out = self.arguments.iter().filter(|one| matches!(one.mode, Mode::Out | Mode::InOut));
        out.map(|one| (one.name, one.type_name)).collect()
    }

    /// `app.f(a integer, …) RETURNS … LANGUAGE … STABLE …`, up to the body.
    fn head(&self, sql: &mut Sql) {
        let arguments: Vec<Sql> = self.arguments.iter().map(argument).collect();
        sql.kw("(").tight();
        if !arguments.is_empty() {
            sql.list(&arguments);
        }
        sql.kw(")");
        self.result(sql);
        sql.kw("LANGUAGE").ident(self.language);
    }

    fn result(&self, sql: &mut Sql) {
        match &self.returns {
            None => {}
            Some(Returns::Type { set, type_name }) => {
                sql.kw("RETURNS");
                if *set {
                    sql.kw("SETOF");
                }
                sql.type_name(type_name);
            }
            Some(Returns::Table(columns)) => {
                let columns: Vec<Sql> = columns
                    .iter()
                    .map(|(name, type_name)| {
                        let mut item = Sql::default();
                        item.ident(*name).type_name(type_name);
                        item
                    })
                    .collect();
                sql.kw("RETURNS TABLE").kw("(").tight().list(&columns).kw(")");
            }
        }
    }

    fn statement(&self, head: &'static str, id: ObjectId) -> Sql {
        let mut sql = Sql::new(head);
        sql.kw(self.word());
        if let Some(name) = id.qname() {
            sql.name(name).tight();
        }
        self.head(&mut sql);
        if !self.transforms.is_empty() {
            let types: Vec<Sql> = self
                .transforms
                .iter()
                .map(|one| {
                    let mut item = Sql::new("FOR TYPE");
                    item.type_name(one);
                    item
                })
                .collect();
            sql.kw("TRANSFORM").list(&types);
        }
        if self.window {
            sql.kw("WINDOW");
        }
        let usual = Attributes::default();
        self.attributes.changes(&usual, &mut sql, self);
        if let Some(support) = self.support.as_ref().and_then(Reference::qname) {
            sql.kw("SUPPORT").name(support);
        }
        self.body(&mut sql);
        sql
    }

    fn body(&self, sql: &mut Sql) {
        match &self.body {
            Body::Text(text) => {
                sql.kw("AS").body(text.text());
            }
            Body::Sql(text) => {
                sql.kw("\n").fragment(text);
            }
            Body::Library { file, symbol } => {
                sql.kw("AS").literal(file.as_str()).kw(",").literal(symbol.as_str());
            }
        }
    }

    /// Why CREATE OR REPLACE does not lead from `self` to `new`.
    fn obstacle(&self, new: &Function) -> Option<&'static str> {
        if self.procedure != new.procedure || self.window != new.window {
            return Some("a function, a procedure and a window function are three kinds of routines");
        }
        if result_type(self.returns.as_ref()) != result_type(new.returns.as_ref())
            || self.outputs() != new.outputs()
        {
            return Some("what a function returns cannot be changed in place");
        }
        let inputs = |function: &Function| -> Vec<Option<Ident>> {
            function.arguments.iter().filter(|one| one.mode.is_input()).map(|one| one.name).collect()
        };
        let renamed = inputs(self).into_iter().zip(inputs(new)).any(|(old, new)| old.is_some() && old != new);
        if renamed {
            return Some("the names of arguments cannot be changed in place");
        }
        let defaults =
            |function: &Function| function.arguments.iter().filter(|one| one.default.is_some()).count();
        (defaults(new) < defaults(self)).then_some("defaults of arguments cannot be removed in place")
    }
}

/// The result as far as it counts for replacing: `TABLE (…)` is SETOF record, or of the only column's type.
fn result_type(returns: Option<&Returns>) -> Option<(bool, Text)> {
    Some(match returns? {
        Returns::Type { set, type_name } => (*set, type_name.canonical()),
        Returns::Table(columns) => match columns.as_slice() {
            [(_, only)] => (true, only.canonical()),
            _ => (true, Text::new("pg_catalog.record")),
        },
    })
}

fn argument(argument: &Argument) -> Sql {
    let mut item = match argument.mode {
        Mode::In => Sql::default(),
        Mode::Out => Sql::new("OUT"),
        Mode::InOut => Sql::new("INOUT"),
        Mode::Variadic => Sql::new("VARIADIC"),
    };
    if let Some(name) = argument.name {
        item.ident(name);
    }
    item.type_name(&argument.type_name);
    if let Some(default) = &argument.default {
        item.kw("DEFAULT").fragment(default);
    }
    item
}

impl Attributes {
    /// Writes what differs from `old`, as CREATE FUNCTION and ALTER FUNCTION both take it.
    fn changes(&self, old: &Attributes, sql: &mut Sql, function: &Function) {
        let Self { volatility, strict, definer, leakproof, parallel, cost, rows, settings } = self;
        if *volatility != old.volatility {
            sql.kw(match volatility {
                Volatility::Volatile => "VOLATILE",
                Volatility::Stable => "STABLE",
                Volatility::Immutable => "IMMUTABLE",
            });
        }
        if *strict != old.strict {
            sql.kw(if *strict { "STRICT" } else { "CALLED ON NULL INPUT" });
        }
        if *definer != old.definer {
            sql.kw(if *definer { "SECURITY DEFINER" } else { "SECURITY INVOKER" });
        }
        if *leakproof != old.leakproof {
            sql.kw(if *leakproof { "LEAKPROOF" } else { "NOT LEAKPROOF" });
        }
        if *parallel != old.parallel {
            sql.kw(match parallel {
                Parallel::Unsafe => "PARALLEL UNSAFE",
                Parallel::Restricted => "PARALLEL RESTRICTED",
                Parallel::Safe => "PARALLEL SAFE",
            });
        }
        if *cost != old.cost {
            let usual = usual_cost(function.language);
            sql.kw("COST").float(cost.map_or(usual, |text| text.as_str().parse().unwrap_or(usual)));
        }
        if *rows != old.rows {
            sql.kw("ROWS").float(rows.map_or(USUAL_ROWS, |text| text.as_str().parse().unwrap_or(USUAL_ROWS)));
        }
        settings.changes(&old.settings, sql);
    }
}

impl ObjectKind for Function {
    fn means_as(&self, old: &Self) -> bool {
        let call = |one: &Self| -> Vec<(Mode, Option<Ident>, TypeName)> {
            one.arguments.iter().map(|argument| (argument.mode, argument.name, argument.type_name)).collect()
        };
        (self.procedure, self.window, &self.returns) == (old.procedure, old.window, &old.returns)
            && call(self) == call(old)
    }

    fn nature(&self) -> Nature {
        // Dropping a function loses nothing that its definition does not hold. A body of SQL's own is stored with
        // the types of its columns.
        Nature { dies_with_parent: false, ..Nature::REBUILT }
    }

    fn visit(&mut self, visitor: &mut dyn Visitor) {
        for (place, argument) in (1..).zip(&mut self.arguments) {
            visitor.type_name(&mut argument.type_name);
            if let Some(default) = &mut argument.default {
                visitor.fragment(&format!("default {place}"), default);
            }
        }
        match &mut self.returns {
            None => {}
            Some(Returns::Type { type_name, .. }) => visitor.type_name(type_name),
            Some(Returns::Table(columns)) => {
                for (_, type_name) in columns {
                    visitor.type_name(type_name);
                }
            }
        }
        for one in &mut self.transforms {
            visitor.type_name(one);
        }
        if let Some(support) = &mut self.support {
            visitor.reference(support);
        }
        match &mut self.body {
            Body::Text(text) | Body::Sql(text) => visitor.fragment("body", text),
            Body::Library { .. } => {}
        }
    }

    fn address(&self, id: ObjectId) -> ObjectId {
        match id.address() {
            Address::Routine(name, _) => ObjectId::new(id.kind(), Address::Routine(name, self.inputs())),
            _ => id,
        }
    }

    crate::kinds::types::has_owner!();

    fn implies(&self, id: ObjectId, context: &Context<'_>) -> Vec<(ObjectId, Object)> {
        grant::implied(id, context)
    }

    fn write(&self, id: ObjectId, out: &mut Writer<'_>) {
        write::write(self, id, out);
    }

    fn create(&self, id: ObjectId, context: &Context<'_>, out: &mut Steps) {
        out.push(self.statement("CREATE", id));
        if let Some(owner) = self.owner.0.filter(|owner| *owner != context.server.role) {
            let mut sql = Sql::new("ALTER");
            sql.kw(self.word());
            naming::own_name(&mut sql, id);
            sql.kw("OWNER TO").ident(owner);
            out.push(sql);
        }
    }

    fn alter(old: &Self, new: &Self, id: ObjectId, _: &Context<'_>, out: &mut Steps) -> Alter {
        let Self {
            procedure: _,
            window: _,
            arguments: _,
            returns: _,
            language,
            body: _,
            attributes,
            support: _,
            transforms: _,
            owner: _,
        } = new;
        if let Some(why) = old.obstacle(new) {
            return Alter::Replace(why);
        }
        let attributes_only = Function { attributes: old.attributes.clone(), ..new.clone() } == *old;
        // What a language takes as its usual cost is written out by CREATE only.
        if !attributes_only || *language != old.language {
            out.push(new.statement("CREATE OR REPLACE", id));
            return Alter::InPlace;
        }
        let mut sql = Sql::new("ALTER");
        sql.kw(new.word());
        naming::own_name(&mut sql, id);
        attributes.changes(&old.attributes, &mut sql, new);
        out.push(sql);
        Alter::InPlace
    }

    fn drop(&self, id: ObjectId, _: &Context<'_>, out: &mut Steps) {
        let mut sql = Sql::new("DROP");
        sql.kw(self.word());
        naming::own_name(&mut sql, id);
        out.push(sql).loses(Loss::DropObject, id);
    }

    fn rename(&self, from: ObjectId, to: ObjectId, _: &Context<'_>, out: &mut Steps) {
        rename_routine(self.word(), from, to, out);
    }

    fn analyse(&self, id: ObjectId, world: &World<'_>, out: &mut Found) {
        if let (Body::Sql(body), Some(own)) = (&self.body, id.qname()) {
            let input = self.arguments.iter().filter(|argument| argument.mode.is_input());
            let arguments: Vec<_> = input
                .map(|argument| analyse::Argument { name: argument.name, of: argument.type_name })
                .collect();
            out.push(("body", analyse::body(world, body, own, &arguments)));
        }
        for (argument, place) in self.arguments.iter().zip(DEFAULTS) {
            if let Some(default) = &argument.default {
                out.push((place, analyse::argument(world, default, argument.type_name)));
            }
        }
    }

    fn ask(&self, id: ObjectId, context: &Context<'_>, out: &mut Questions) {
        let defaults: Vec<usize> =
            (1..).zip(&self.arguments).filter(|(_, one)| one.default.is_some()).map(|(at, _)| at).collect();
        let standard = matches!(self.body, Body::Sql(_));
        if defaults.is_empty() && !standard {
            return;
        }
        // A stored body spells the function's own name before its arguments, so the stand-in has that name. A batch
        // holds each name once.
        let own = id.name();
        let mut create = Sql::new("CREATE");
        create.kw(self.word()).kw("pg_temp.").tight().ident(own).tight();
        let plain = Ident::new("plpgsql");
        let (mut prelude, mut instead) = (String::new(), Vec::new());
        if let Body::Sql(text) = &self.body {
            let Some(masked) = out.mask(text, context) else { return };
            self.head(&mut create);
            create.kw("\n").fragment(&masked.fragment);
            (prelude, instead) = (masked.prelude, masked.instead);
        } else {
            Function { language: plain, ..self.clone() }.head(&mut create);
            create.kw("AS").literal("begin end");
        }
        let target = format!(
            "(SELECT p.oid FROM pg_catalog.pg_proc p WHERE p.pronamespace = pg_catalog.pg_my_temp_schema() \
             AND p.proname = {})",
            sql::literal(own.as_str())
        );
        let mut read: Vec<(String, Read)> = defaults
            .iter()
            .map(|at| {
                let read = format!("(SELECT pg_catalog.pg_get_function_arg_default({target}, {at}))");
                (format!("default {at}"), Read::Alone(read))
            })
            .collect();
        if standard {
            let body = format!("(SELECT pg_catalog.pg_get_function_sqlbody({target}))");
            read.push(("body".into(), Read::Alone(body)));
        }
        out.push(Question {
            object: id,
            stand_in: Some(StandIn { relation: id, name: own, create: prelude + create.text() }),
            make: "SELECT 1".into(),
            read,
            element: None,
            instead,
        });
    }
}

/// `SET SCHEMA` and `RENAME TO` of a routine.
pub fn rename_routine(word: &'static str, from: ObjectId, to: ObjectId, out: &mut Steps) {
    let (Address::Routine(old, arguments), Some(new)) = (from.address(), to.qname()) else { return };
    let head = |name| {
        let mut sql = Sql::new("ALTER");
        sql.kw(word);
        naming::own_name(&mut sql, ObjectId::new(from.kind(), Address::Routine(name, arguments)));
        sql
    };
    let mut at = old;
    if old.schema != new.schema {
        let mut sql = head(at);
        sql.kw("SET SCHEMA").ident(new.schema);
        out.push(sql);
        at.schema = new.schema;
    }
    if at.name != new.name {
        let mut sql = head(at);
        sql.kw("RENAME TO").ident(new.name);
        out.push(sql);
    }
}

#[cfg(test)]
mod tests;
