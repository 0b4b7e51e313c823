//! Aggregates. Their privileges and comments are objects of their own.

pub mod declare;
pub mod read;
pub mod write;

use crate::fragment::Aside;
use crate::id::{Address, ObjectId};
use crate::ident::{Ident, Text};
use crate::kinds::function::{self, Parallel};
use crate::kinds::{grant, naming};
use crate::object::{Alter, Context, Nature, Object, ObjectKind, Visitor};
use crate::reference::Reference;
use crate::sql::Sql;
use crate::step::{Loss, Steps};
use crate::type_name::TypeName;
use crate::write::Writer;

/// An argument.
#[derive(Clone, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub struct Argument {
    /// VARIADIC.
    pub variadic: bool,
    /// Its name.
    pub name: Option<Ident>,
    /// Its type, without modifiers.
    pub type_name: TypeName,
}

/// How an ordered-set aggregate takes its arguments.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub struct Ordered {
    /// How many arguments stand before ORDER BY.
    pub direct: usize,
    /// It is a hypothetical-set aggregate.
    pub hypothetical: bool,
}

/// What the final function does to the state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub enum Modify {
    /// Nothing.
    ReadOnly,
    /// It can be called again with it, but the state cannot go on.
    Shareable,
    /// It is used up.
    ReadWrite,
}

/// One way to compute: the usual one, or that of a moving window.
#[derive(Clone, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub struct Way {
    /// Takes a row into the state.
    pub transition: Reference,
    /// Takes a row out again; only for moving windows.
    pub inverse: Option<Reference>,
    /// The state's type.
    pub state: TypeName,
    /// The state's size in bytes, 0 when nobody says.
    pub space: i64,
    /// Makes the result.
    pub last: Option<Reference>,
    /// The final function gets the arguments too, as nulls.
    pub extra: bool,
    /// What it does to the state.
    pub modify: Modify,
    /// The first state.
    pub first: Option<Text>,
}

/// An aggregate.
#[derive(Clone, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub struct Aggregate {
    /// Its arguments; none stand as a star.
    pub arguments: Vec<Argument>,
    /// How it takes them, when their order counts.
    pub ordered: Option<Ordered>,
    /// How it computes.
    pub way: Way,
    /// How it computes over a moving window.
    pub moving: Option<Way>,
    /// Joins two states.
    pub combine: Option<Reference>,
    /// Writes a state.
    pub serialize: Option<Reference>,
    /// Reads a state.
    pub deserialize: Option<Reference>,
    /// The operator by which a minimum or maximum is found in an index: schema and name.
    pub sort: Option<(Ident, Text)>,
    /// Whether it may run in parallel workers.
    pub parallel: Parallel,
    /// Its owner, where it is known.
    pub owner: Aside<Option<Ident>>,
}

impl Modify {
    /// What it is when nobody says.
    pub fn usual(ordered: bool) -> Self {
        if ordered { Modify::ReadWrite } else { Modify::ReadOnly }
    }

    fn word(self) -> &'static str {
        match self {
            Modify::ReadOnly => "READ_ONLY",
            Modify::Shareable => "SHAREABLE",
            Modify::ReadWrite => "READ_WRITE",
        }
    }
}

fn item(words: &'static str) -> Sql {
    let mut item = Sql::new(words);
    item.kw("=");
    item
}

fn reference(items: &mut Vec<Sql>, words: &'static str, reference: Option<&Reference>) {
    if let Some(name) = reference.and_then(Reference::qname) {
        let mut sql = item(words);
        sql.name(name);
        items.push(sql);
    }
}

impl Way {
    fn items(&self, items: &mut Vec<Sql>, words: &[&'static str; 8], ordered: bool) {
        reference(items, words[0], Some(&self.transition));
        reference(items, words[1], self.inverse.as_ref());
        let mut state = item(words[2]);
        state.type_name(&self.state);
        items.push(state);
        if self.space != 0 {
            let mut space = item(words[3]);
            space.number(self.space);
            items.push(space);
        }
        reference(items, words[4], self.last.as_ref());
        if self.extra {
            items.push(Sql::new(words[5]));
        }
        if self.modify != Modify::usual(ordered) {
            let mut modify = item(words[6]);
            modify.kw(self.modify.word());
            items.push(modify);
        }
        if let Some(first) = self.first {
            let mut condition = item(words[7]);
            condition.literal(first.as_str());
            items.push(condition);
        }
    }

    fn visit(&mut self, visitor: &mut dyn Visitor) {
        visitor.reference(&mut self.transition);
        visitor.type_name(&mut self.state);
        for reference in self.inverse.iter_mut().chain(&mut self.last) {
            visitor.reference(reference);
        }
    }
}

const USUAL: [&str; 8] =
    ["SFUNC", "", "STYPE", "SSPACE", "FINALFUNC", "FINALFUNC_EXTRA", "FINALFUNC_MODIFY", "INITCOND"];
const MOVING: [&str; 8] = [
    "MSFUNC",
    "MINVFUNC",
    "MSTYPE",
    "MSSPACE",
    "MFINALFUNC",
    "MFINALFUNC_EXTRA",
    "MFINALFUNC_MODIFY",
    "MINITCOND",
];

impl Aggregate {
    /// The types of its arguments.
    pub fn inputs(&self) -> Text {
        function::signature(self.arguments.iter().map(|one| &one.type_name))
    }

    /// What stands between the parentheses, but for the star of no arguments.
    fn write_arguments(&self, sql: &mut Sql) {
        let written: Vec<Sql> = self
            .arguments
            .iter()
            .map(|one| {
                let mut item = if one.variadic { Sql::new("VARIADIC") } else { Sql::default() };
                if let Some(name) = one.name {
                    item.ident(name);
                }
                item.type_name(&one.type_name);
                item
            })
            .collect();
        match self.ordered {
            None => {
                sql.list(&written);
            }
            Some(Ordered { direct, .. }) => {
                let (before, behind) = written.split_at(direct.min(written.len()));
                if !before.is_empty() {
                    sql.list(before);
                }
                sql.kw("ORDER BY");
                // A variadic last argument before ORDER BY is the one behind it as well.
                let again = before.last().map(std::slice::from_ref).unwrap_or_default();
                sql.list(if behind.is_empty() { again } else { behind });
            }
        }
    }

    fn statement(&self, head: &'static str, id: ObjectId) -> Sql {
        let mut sql = Sql::new(head);
        if let Some(name) = id.qname() {
            sql.name(name).tight();
        }
        sql.kw("(").tight();
        if self.arguments.is_empty() && self.ordered.is_none() {
            sql.kw("*");
        } else {
            self.write_arguments(&mut sql);
        }
        sql.kw(")");
        let ordered = self.ordered.is_some();
        let mut items = Vec::new();
        self.way.items(&mut items, &USUAL, ordered);
        reference(&mut items, "COMBINEFUNC", self.combine.as_ref());
        reference(&mut items, "SERIALFUNC", self.serialize.as_ref());
        reference(&mut items, "DESERIALFUNC", self.deserialize.as_ref());
        if let Some(moving) = &self.moving {
            moving.items(&mut items, &MOVING, ordered);
        }
        if let Some((schema, operator)) = self.sort {
            let mut sort = item("SORTOP");
            sort.operator(schema, operator);
            items.push(sort);
        }
        if self.parallel != Parallel::Unsafe {
            let mut parallel = item("PARALLEL");
            parallel.kw(if self.parallel == Parallel::Safe { "SAFE" } else { "RESTRICTED" });
            items.push(parallel);
        }
        if self.ordered.is_some_and(|ordered| ordered.hypothetical) {
            items.push(Sql::new("HYPOTHETICAL"));
        }
        sql.lines(&items);
        sql
    }
}

impl ObjectKind for Aggregate {
    fn nature(&self) -> Nature {
        Nature { dies_with_parent: false, ..Nature::REBUILT }
    }

    fn visit(&mut self, visitor: &mut dyn Visitor) {
        for argument in &mut self.arguments {
            visitor.type_name(&mut argument.type_name);
        }
        self.way.visit(visitor);
        if let Some(moving) = &mut self.moving {
            moving.visit(visitor);
        }
        for reference in self.combine.iter_mut().chain(&mut self.serialize).chain(&mut self.deserialize) {
            visitor.reference(reference);
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
        out.push(self.statement("CREATE AGGREGATE", id));
        if let Some(owner) = self.owner.0.filter(|owner| *owner != context.server.role) {
            let mut sql = Sql::new("ALTER ROUTINE");
            naming::own_name(&mut sql, id);
            sql.kw("OWNER TO").ident(owner);
            out.push(sql);
        }
    }

    fn alter(old: &Self, new: &Self, id: ObjectId, _: &Context<'_>, out: &mut Steps) -> Alter {
        let Self {
            arguments,
            ordered,
            way,
            moving: _,
            combine: _,
            serialize: _,
            deserialize: _,
            sort: _,
            parallel: _,
            owner: _,
        } = new;
        if *arguments != old.arguments || *ordered != old.ordered {
            return Alter::Replace("the arguments of an aggregate cannot be changed in place");
        }
        let same_result = way.last == old.way.last && (way.last.is_some() || way.state == old.way.state);
        if !same_result {
            return Alter::Replace("what an aggregate returns cannot be changed in place");
        }
        out.push(new.statement("CREATE OR REPLACE AGGREGATE", id));
        Alter::InPlace
    }

    fn drop(&self, id: ObjectId, _: &Context<'_>, out: &mut Steps) {
        let mut sql = Sql::new("DROP ROUTINE");
        naming::own_name(&mut sql, id);
        out.push(sql).loses(Loss::DropObject, id);
    }

    fn rename(&self, from: ObjectId, to: ObjectId, _: &Context<'_>, out: &mut Steps) {
        function::rename_routine("ROUTINE", from, to, out);
    }
}
