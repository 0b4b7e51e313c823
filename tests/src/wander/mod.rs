//! Databases made at random whose objects move twice: a flat `public`, the same in a few schemas, and once more elsewhere.
//!
//! One model says all three states, as projects. What an object is called stands in its texts as `@3@`, a column of it as
//! `@3:1@`, and each state puts its own names there. `@3!@` and `@3:1!@` are the names of the flat state, which clients
//! go on using. The same seed makes the same worlds.

mod ask;
mod make;
mod travel;
mod write;

pub use ask::{Ask, Expected, Outcome, answer};
pub use make::world;

/// How many states a world has: flat, moved, and moved on.
pub const STATES: usize = 3;

/// Numbers that are the same for the same seed.
#[derive(Clone, Debug)]
pub struct Numbers(u64);

impl Numbers {
    /// From a seed.
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_add(0x1234_5678_9abc_def1))
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below a limit.
    pub fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.next() >> 33).unwrap_or(0) % limit.max(1)
    }

    /// Whether something happens that does so this often of a hundred times.
    pub fn often(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    /// One of several.
    pub fn one<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.below(of.len())]
    }
}

/// A schema and a name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The schema.
    pub schema: String,
    /// The name.
    pub name: String,
}

impl Place {
    fn sql(&self) -> String {
        format!("{}.{}", quoted(&self.schema), quoted(&self.name))
    }
}

/// What an object is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Sort {
    /// An enum type.
    Enum,
    /// A composite type.
    Composite,
    /// A domain.
    Domain,
    /// A sequence that no column owns.
    Sequence,
    /// A table.
    Table,
    /// A view.
    View,
    /// A materialized view.
    Matview,
    /// A function.
    Function,
    /// A procedure.
    Procedure,
    /// An aggregate.
    Aggregate,
}

/// How a facade is written through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Writes {
    /// As PostgreSQL can.
    Auto,
    /// By triggers.
    Triggers,
    /// Not at all.
    Nothing,
}

/// A piece of YAML.
#[derive(Clone, Debug)]
pub enum Y {
    /// A scalar.
    Text(String),
    /// A list.
    List(Vec<Y>),
    /// A mapping, in order.
    Map(Vec<(String, Y)>),
}

impl Y {
    fn text(text: impl Into<String>) -> Self {
        Y::Text(text.into())
    }
}

/// What a column's values are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Values {
    /// Numbers.
    Number,
    /// Texts.
    Text,
    /// Truth.
    Truth,
    /// Moments.
    Moment,
    /// JSON.
    Json,
    /// Labels of an enum.
    Label,
    /// Texts with an @.
    Mail,
    /// Composites of a number and a text.
    Pair,
    /// Arrays of texts.
    Texts,
    /// The name of who owns the row.
    Owner,
    /// A key that the database makes.
    Made,
    /// A uuid.
    Uuid,
    /// The key of another table.
    Key(usize),
    /// The list that rows are divided by.
    Bucket,
    /// Computed from others.
    Computed,
}

/// A column.
#[derive(Clone, Debug)]
pub struct Column {
    /// What it is called in each state.
    pub names: [String; STATES],
    /// What follows its name.
    pub definition: String,
    /// Its comment.
    pub comment: Option<String>,
    /// What stands in it.
    pub values: Values,
}

/// An object.
#[derive(Clone, Debug)]
pub struct Thing {
    /// What it is.
    pub sort: Sort,
    /// Where it is in each state.
    pub places: [Place; STATES],
    /// How its old names are written through; none where they are gone.
    pub facade: Option<Writes>,
    /// Whether its old names may go at all: nobody uses them.
    pub needs_facade: bool,
    /// A table's columns.
    pub columns: Vec<Column>,
    /// What else its entry has.
    pub entry: Vec<(String, Y)>,
    /// Rows of others stand in it: nobody inserts into it by hand.
    pub log: bool,
    /// The roles that may do something with it.
    pub grants: Vec<(String, Vec<String>)>,
    /// What clients call it with, where they do.
    pub call: Option<String>,
    /// Whether there are functions that take its rows.
    pub rows_taken: bool,
    /// The table that it reads as its caller, by its flat name.
    pub asks: Option<usize>,
    /// Its parent, by inheritance.
    pub parent: Option<usize>,
}

/// A database in three states.
#[derive(Clone, Debug)]
pub struct World {
    /// Its seed.
    pub seed: u64,
    /// Its objects, each after those that it uses.
    pub things: Vec<Thing>,
    /// Who may look into a schema, beside `public`.
    pub usage: Vec<(String, Vec<String>)>,
    /// Who gets what by default in `public`.
    pub defaults: Vec<(String, String)>,
    /// Whether there is a publication.
    pub published: bool,
}

/// A name in SQL, quoted where it has to be.
pub fn quoted(name: &str) -> String {
    let plain = name.starts_with(|first: char| first.is_ascii_lowercase() || first == '_')
        && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
    let word = ["select", "user", "order", "table", "group", "check", "end", "desc"].contains(&name);
    if plain && !word { name.to_owned() } else { format!("\"{}\"", name.replace('"', "\"\"")) }
}

impl World {
    /// A text with the names of a state.
    pub fn said(&self, text: &str, state: usize) -> String {
        let mut out = String::new();
        let mut rest = text;
        while let Some((before, behind)) = rest.split_once('@') {
            out.push_str(before);
            let Some((mark, after)) = behind.split_once('@').filter(|(mark, _)| self.is_mark(mark)) else {
                out.push('@');
                rest = behind;
                continue;
            };
            let state = if mark.ends_with('!') { 0 } else { state };
            let mark = mark.trim_end_matches('!');
            let (thing, column) = match mark.split_once(':') {
                Some((thing, column)) => (thing, column.parse::<usize>().ok()),
                None => (mark, None),
            };
            let thing = &self.things[thing.parse::<usize>().unwrap_or(0)];
            match column {
                Some(column) => out.push_str(&quoted(&thing.columns[column].names[state])),
                None => out.push_str(&thing.places[state].sql()),
            }
            rest = after;
        }
        out.push_str(rest);
        out
    }

    fn is_mark(&self, mark: &str) -> bool {
        let mark = mark.trim_end_matches('!');
        let (thing, column) = mark.split_once(':').unwrap_or((mark, "0"));
        let number = |text: &str| text.parse::<usize>().ok();
        number(column).is_some() && number(thing).is_some_and(|thing| thing < self.things.len())
    }

    /// The names that an object had before a state and has no more, the oldest first.
    pub fn earlier(&self, thing: usize, state: usize) -> Vec<(usize, Place)> {
        let thing = &self.things[thing];
        let mut found: Vec<(usize, Place)> = Vec::new();
        for before in 0..state {
            let place = &thing.places[before];
            if *place != thing.places[state] && !found.iter().any(|(_, other)| other == place) {
                found.push((before, place.clone()));
            }
        }
        found
    }
}
