//! Near misses: an object that goes while one like it comes, a column that goes while one of its type comes. Rows, values,
//! clients and what only the database knows would be lost where a move or a new name was meant.
//!
//! What is alike is judged and never proven: a judgement says how sure it is, and only what is sure holds anybody up. Not
//! here: what is said of it (the compiler's `near`).

use crate::catalog::{Catalog, Entry, Standing};
use crate::declare::facade::is_facade;
use crate::id::{Address, ObjectId};
use crate::ident::{Ident, Text};
use crate::kinds::function::{Body, Function};
use crate::object::{Kind, Object};
use crate::parse;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

/// An object that no file declares any more, and those that come and may be the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Miss {
    /// The object that goes, or stays behind undeclared.
    pub old: ObjectId,
    /// What comes; one, where it is sure.
    pub new: Vec<ObjectId>,
    /// Others that go and that the same may have been.
    pub rivals: Vec<ObjectId>,
    /// What they have in common.
    pub likeness: Likeness,
    /// A move was meant as good as certainly, and something would be lost without it.
    pub sure: bool,
}

/// What two objects have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Likeness {
    /// Tables of the same columns, as many as this.
    Columns(usize),
    /// Tables of one name: how many columns they share.
    Some(usize),
    /// Sequences of one name.
    Counter,
    /// One name and one definition.
    Definition,
    /// One name.
    Name,
}

/// The columns of a table, by name and type.
type Columns = BTreeSet<(Ident, Text)>;

/// Tables with their columns.
type Tables = BTreeMap<ObjectId, Columns>;

/// From here on tables of the same columns and of other names are worth a word: `id, name, created_at` is every lookup
/// table's. Those of fewer have to have something more in common.
const SOME: usize = 4;

/// With one column alone nothing is like anything.
const FEW: usize = 2;

/// What columns are called in all kinds of tables.
const COMMON: [&str; 20] = [
    "id",
    "uuid",
    "name",
    "code",
    "key",
    "value",
    "label",
    "title",
    "description",
    "kind",
    "type",
    "status",
    "position",
    "note",
    "data",
    "created_at",
    "updated_at",
    "deleted_at",
    "created",
    "updated",
];

/// As many equal columns are no chance, whatever they are called.
const MANY: usize = 8;

/// Tables that look moved. `current` is the database under its future names, `desired` bound and completed; `meant` says
/// of which objects the files say that they are others.
pub fn lookalikes(current: &Catalog, desired: &Catalog, meant: impl Fn(ObjectId) -> bool) -> Vec<Miss> {
    let declared = |id: ObjectId| desired.get(id).is_some_and(|entry| entry.standing == Standing::Managed);
    let comes =
        |id: &ObjectId| id.kind() == Kind::Table && declared(*id) && !current.contains(*id) && !meant(*id);
    let mut new: Tables = desired.ids().filter(comes).map(|id| (id, columns(desired, id))).collect();
    if new.is_empty() {
        return Vec::new();
    }
    let left = |(id, entry): &(ObjectId, &Entry)| {
        id.kind() == Kind::Table && entry.standing != Standing::External && !declared(*id) && !meant(*id)
    };
    let mut old: Tables = current.iter().filter(left).map(|(id, _)| (id, columns(current, id))).collect();
    let mut found = Vec::new();
    // What is told by all columns is not told by some again.
    for tell in [namesakes_of_the_same_columns, under_other_names, namesakes_of_some_columns] {
        let told = tell(&old, &new, current, desired);
        for miss in told.iter().filter(|miss| miss.sure) {
            for id in std::iter::once(&miss.old).chain(&miss.new) {
                old.remove(id);
                new.remove(id);
            }
        }
        found.extend(told);
    }
    found
}

fn columns(catalog: &Catalog, table: ObjectId) -> Columns {
    let columns = catalog.columns(table);
    columns.iter().map(|(id, column)| (id.name(), column.type_name.canonical())).collect()
}

/// Tables by their names.
fn by_name(new: &Tables) -> HashMap<Ident, Vec<ObjectId>> {
    let mut by_name: HashMap<Ident, Vec<ObjectId>> = HashMap::new();
    for id in new.keys() {
        by_name.entry(id.name()).or_default().push(*id);
    }
    by_name
}

/// Those of the same name in other schemas.
fn elsewhere(id: ObjectId, by_name: &HashMap<Ident, Vec<ObjectId>>) -> Vec<ObjectId> {
    let others = by_name.get(&id.name()).into_iter().flatten();
    others.filter(|other| other.schema() != id.schema()).copied().collect()
}

fn namesakes_of_the_same_columns(old: &Tables, new: &Tables, _: &Catalog, _: &Catalog) -> Vec<Miss> {
    let (mut found, by_name) = (Vec::new(), by_name(new));
    for (id, before) in old {
        let mut same = elsewhere(*id, &by_name);
        same.retain(|other| new[other] == *before);
        if !same.is_empty() {
            let likeness = Likeness::Columns(before.len());
            found.push(Miss { old: *id, new: same, rivals: Vec::new(), likeness, sure: true });
        }
    }
    found
}

/// Tables of one name that share most of their columns.
fn namesakes_of_some_columns(old: &Tables, new: &Tables, _: &Catalog, desired: &Catalog) -> Vec<Miss> {
    let names = |columns: &Columns| columns.iter().map(|(name, _)| *name).collect::<BTreeSet<_>>();
    let (mut found, by_name) = (Vec::new(), by_name(new));
    for (id, before) in old {
        let shared = |other: &ObjectId| names(before).intersection(&names(&new[other])).count();
        let mut alike = elsewhere(*id, &by_name);
        alike.retain(|other| shared(other) > 1 && shared(other) * 2 >= before.len());
        if let Some(first) = alike.first() {
            // With all its columns and more it is the same table, and its rows would go. One that stays loses none.
            let sure = alike.len() == 1 && before.is_subset(&new[first]) && !desired.contains(*id);
            let likeness = Likeness::Some(shared(first));
            found.push(Miss { old: *id, new: alike, rivals: Vec::new(), likeness, sure });
        }
    }
    found
}

/// Tables of the same columns and another name. What many tables look like says nothing of any of them.
fn under_other_names(old: &Tables, new: &Tables, current: &Catalog, desired: &Catalog) -> Vec<Miss> {
    let whole = |catalog: &Catalog, id: ObjectId| match catalog.get(id).map(|entry| &entry.object) {
        // Partitions and heirs have the columns of others by nature, and come and go.
        Some(Object::Table(table)) => table.partition_of.is_none() && table.inherits.is_empty(),
        _ => false,
    };
    let open =
        |catalog: &Catalog, id: ObjectId, columns: &Columns| columns.len() >= FEW && whole(catalog, id);
    let mut shapes: BTreeMap<&Columns, (Vec<ObjectId>, Vec<ObjectId>)> = BTreeMap::new();
    for (id, columns) in new.iter().filter(|(id, columns)| open(desired, **id, columns)) {
        shapes.entry(columns).or_default().1.push(*id);
    }
    for (id, columns) in old.iter().filter(|(id, columns)| open(current, **id, columns)) {
        if let Some((goes, _)) = shapes.get_mut(columns) {
            goes.push(*id);
        }
    }
    shapes.retain(|_, (goes, _)| !goes.is_empty());
    if shapes.is_empty() {
        return Vec::new();
    }
    // How many tables beside these have a column of that name, and which have all of the same.
    let mut elsewhere: BTreeSet<Ident> = BTreeSet::new();
    let mut twins: HashMap<&Columns, usize> = HashMap::new();
    let judged: HashSet<ObjectId> =
        shapes.values().flat_map(|(goes, comes)| goes.iter().chain(comes).copied()).collect();
    for id in desired.ids().filter(|id| id.kind() == Kind::Table && !judged.contains(id)) {
        let columns = columns(desired, id);
        elsewhere.extend(columns.iter().map(|(name, _)| *name));
        if let Some((shape, _)) = shapes.get_key_value(&columns) {
            *twins.entry(*shape).or_default() += 1;
        }
    }
    let mut found = Vec::new();
    for (shape, (goes, comes)) in &shapes {
        let twins = twins.get(shape).copied().unwrap_or_default();
        let own = shape.iter().filter(|(name, _)| !elsewhere.contains(name)).count();
        let single = goes.len() == 1 && comes.len() == 1;
        let akin = single && have_one_name_in_the_other(goes[0], comes[0]);
        let sure = match shape.len() < SOME {
            // Two columns that no other table has and whose names say something; or one, and more that is alike.
            true => {
                let rare = |name: &Ident| !elsewhere.contains(name) && !COMMON.contains(&name.as_str());
                let telling = shape.iter().filter(|(name, _)| rare(name)).count();
                let alike = || akin || asks_the_same(current, goes[0], desired, comes[0]);
                single && twins == 0 && (telling > 1 || telling == 1 && alike())
            }
            false => single && twins == 0 && (shape.len() >= MANY || own > 1 || akin),
        };
        let worth = shape.len() >= SOME && (own > 0 || shape.len() > SOME);
        if twins > 1 || !(sure || worth) {
            continue;
        }
        for id in goes {
            let rivals = goes.iter().filter(|other| *other != id).copied().collect();
            let likeness = Likeness::Columns(shape.len());
            found.push(Miss { old: *id, new: comes.clone(), rivals, likeness, sure });
        }
    }
    found
}

/// Whether two tables have the same foreign keys and keys beside the primary one, and any at all.
fn asks_the_same(current: &Catalog, old: ObjectId, desired: &Catalog, new: ObjectId) -> bool {
    let asked = |catalog: &Catalog, table: ObjectId| -> BTreeSet<(Vec<Ident>, Option<Ident>)> {
        let asks = |id: &ObjectId| match catalog.get(*id).map(|entry| &entry.object) {
            Some(Object::ForeignKey(key)) => {
                Some((key.columns.clone(), key.target.qname().map(|name| name.name)))
            }
            Some(Object::Key(key)) if !key.primary => Some((key.columns.clone(), None)),
            _ => None,
        };
        catalog.children(table).iter().filter_map(asks).collect()
    };
    let old = asked(current, old);
    !old.is_empty() && old == asked(desired, new)
}

/// Whether the words of one name are all in the other: `client_keys` and `keys`, `events` and `auth_event`.
fn have_one_name_in_the_other(old: ObjectId, new: ObjectId) -> bool {
    let words = |id: ObjectId| -> BTreeSet<String> {
        let words = id.name().as_str().split('_').filter(|word| !word.is_empty());
        words.map(|word| word.trim_end_matches('s').to_lowercase()).collect()
    };
    let (old, new) = (words(old), words(new));
    !old.is_empty() && !new.is_empty() && (old.is_subset(&new) || new.is_subset(&old))
}

/// Other whole objects that go, each with new ones of the same kind and name (of routines, arguments too) in other
/// schemas; sequences that stay behind, too, since two count from then on. `meant` as above.
pub fn namesakes(current: &Catalog, desired: &Catalog, meant: impl Fn(ObjectId) -> bool) -> Vec<Miss> {
    let key = |id: ObjectId| match id.address() {
        Address::InSchema(name) => Some((id.kind(), name.name, Text::new(""))),
        Address::Routine(name, arguments) => Some((id.kind(), name.name, arguments)),
        _ => None,
    };
    let wanted =
        |catalog: &Catalog, id: ObjectId| id.kind() != Kind::Table && !is_made(catalog, id) && !meant(id);
    let mut new: HashMap<_, Vec<ObjectId>> = HashMap::new();
    for (id, entry) in desired.iter().filter(|(id, _)| id.parent().is_none() && !current.contains(*id)) {
        if let Some(key) = key(id).filter(|_| entry.standing == Standing::Managed && wanted(desired, id)) {
            new.entry(key).or_default().push(id);
        }
    }
    if new.is_empty() {
        return Vec::new();
    }
    let (past, future) = (serving(current), serving(desired));
    let mut found = Vec::new();
    for (id, entry) in current.iter().filter(|(id, _)| id.parent().is_none()) {
        let goes = !desired.contains(id);
        let stays = desired.get(id).is_some_and(|entry| entry.standing == Standing::Kept);
        let counts = id.kind() == Kind::Sequence;
        if entry.standing == Standing::External || !(goes || counts && stays) {
            continue;
        }
        let Some(others) = key(id).and_then(|key| new.get(&key)) else { continue };
        let others = others.iter().filter(|other| other.schema() != id.schema() && !future.contains(other));
        let others: Vec<ObjectId> = others.copied().collect();
        if others.is_empty() || past.contains(&id) || !wanted(current, id) {
            continue;
        }
        let same = |other: &ObjectId| desired.get(*other).is_some_and(|other| is_alike(entry, other));
        let likeness = match others.iter().any(same) {
            _ if counts => Likeness::Counter,
            true => Likeness::Definition,
            false => Likeness::Name,
        };
        // What holds nothing is made as it was; only a counter cannot be.
        let sure = goes && likeness == Likeness::Counter;
        found.push(Miss { old: id, new: others, rivals: Vec::new(), likeness, sure });
    }
    found
}

/// What was made along with something else, and comes and goes with it: facades, and the sequences that columns own.
fn is_made(catalog: &Catalog, id: ObjectId) -> bool {
    is_facade(catalog, id, None) || catalog.children_of(id, Kind::OwnedBy).next().is_some()
}

/// The functions that facades write by.
fn serving(catalog: &Catalog) -> HashSet<ObjectId> {
    let of_facade = |id: &ObjectId| id.kind() == Kind::Trigger && is_facade(catalog, id.root(), None);
    let triggers = catalog.iter().filter(|(id, _)| of_facade(id));
    triggers.flat_map(|(_, entry)| entry.uses.iter().map(|used| used.root())).collect()
}

/// Whether two objects are defined alike, but for schemas: what one uses may move with it.
fn is_alike(old: &Entry, new: &Entry) -> bool {
    match (&old.object, &new.object) {
        (Object::Function(old), Object::Function(new)) => same_function(old, new),
        (Object::View(old), Object::View(new)) => same_query(old.query.text(), new.query.text()),
        (Object::MaterializedView(old), Object::MaterializedView(new)) => {
            same_query(old.query.text(), new.query.text())
        }
        (old, new) => old == new,
    }
}

fn same_function(old: &Function, new: &Function) -> bool {
    let text = |function: &Function| match &function.body {
        Body::Text(body) => words(body.text()),
        Body::Sql(body) => words(body.text()),
        Body::Library { .. } => None,
    };
    old.language == new.language && text(old).is_some_and(|old| text(new) == Some(old))
}

/// PostgreSQL stores a query with more brackets, casts and qualifiers than anybody writes: what is left is compared.
fn same_query(old: &str, new: &str) -> bool {
    let set = |text: &str| words(text).map(|words| words.into_iter().collect::<BTreeSet<_>>());
    set(old).is_some_and(|old| set(new) == Some(old))
}

/// The words and signs of a text without qualifiers, casts and brackets; `None` where it cannot be read.
fn words(text: &str) -> Option<Vec<String>> {
    let tokens = parse::tokens(text).ok()?;
    let raw =
        |at: usize| tokens.get(at).and_then(|token| text.get(token.start..token.end)).unwrap_or_default();
    let mut words = Vec::new();
    let mut cast = false;
    for at in 0..tokens.len() {
        let word = raw(at);
        let qualifies = raw(at + 1) == ".";
        if word == "::" {
            cast = true;
        } else if !(qualifies || cast || matches!(word, "." | "(" | ")" | ";" | ",")) {
            words.push(word.to_lowercase());
        }
        cast &= word == "::" || word == "." || qualifies;
    }
    Some(words)
}

/// Columns that go, each with the one new column of the same type on its table.
pub fn renamed_columns(current: &Catalog, desired: &Catalog) -> Vec<(ObjectId, ObjectId)> {
    let mut found = Vec::new();
    for table in desired.ids().filter(|id| id.kind() == Kind::Table && current.contains(*id)) {
        let (before, after) = (current.columns(table), desired.columns(table));
        let gone: Vec<_> = before.iter().filter(|(id, _)| !desired.contains(*id)).collect();
        let new: Vec<_> = after.iter().filter(|(id, _)| !current.contains(*id)).collect();
        for (old, column) in &gone {
            let alike = |other: Text| other == column.type_name.canonical();
            let mut candidates = new.iter().filter(|(_, other)| alike(other.type_name.canonical()));
            let rivals = gone.iter().filter(|(_, other)| alike(other.type_name.canonical())).count();
            if let (Some((candidate, _)), None, 1) = (candidates.next(), candidates.next(), rivals) {
                found.push((*old, *candidate));
            }
        }
    }
    found
}
