//! What columns are called inside a query that is printed: `set_using_names` and `set_relation_column_names` of
//! ruleutils.c. Columns of one relation have different names, and those that USING merges have the same on both sides.

use crate::analyse::expr::Expr;
use crate::analyse::query::{From, Join, Select, Source};
use crate::analyse::{Analysed, undecided};
use crate::ident::{Ident, MAX_NAME_BYTES};

/// The number of a column that every table has: its name stands for itself.
pub const SYSTEM_COLUMN: usize = usize::MAX;

/// The names at one level of queries.
#[derive(Clone, Debug, Default)]
pub struct Names {
    /// Of the relations; a join has none.
    pub relations: Vec<Option<Ident>>,
    /// Of their columns.
    pub columns: Vec<Vec<Ident>>,
    /// For which relations the names of the columns are printed.
    pub printed: Vec<bool>,
    /// The names of USING, by the place of the join.
    pub usings: Vec<Vec<Ident>>,
    /// What comes out, where a column could be mistaken for it.
    pub outputs: Vec<(Ident, Expr)>,
}

/// The names of a SELECT's columns, whose relations are called so.
pub fn names(select: &Select, relations: Vec<Option<Ident>>) -> Analysed<Names> {
    let count = select.relations.len();
    let mut naming = Naming {
        select,
        columns: select.relations.iter().map(|relation| vec![None; relation.real.len()]).collect(),
        parents: vec![Vec::new(); count],
        usings: vec![Vec::new(); count],
        global: select.from.iter().any(dangerous),
        used: Vec::new(),
    };
    for item in &select.from {
        naming.merged(item, &[])?;
    }
    let printed = naming.rest()?;
    let nothing = Ident::new("");
    let plain = |names: Vec<Option<Ident>>| names.into_iter().map(|name| name.unwrap_or(nothing)).collect();
    let columns = naming.columns.into_iter().map(plain).collect();
    Ok(Names { relations, columns, printed, usings: naming.usings, outputs: Vec::new() })
}

/// `has_dangerous_join_using`.
pub fn dangerous(item: &From) -> bool {
    match item {
        From::Relation(_) => false,
        From::Join(join) => join.dangerous || dangerous(&join.left) || dangerous(&join.right),
    }
}

struct Naming<'a> {
    select: &'a Select,
    columns: Vec<Vec<Option<Ident>>>,
    parents: Vec<Vec<Ident>>,
    usings: Vec<Vec<Ident>>,
    /// Whether names of USING must be unique in the whole query.
    global: bool,
    used: Vec<Ident>,
}

impl Naming<'_> {
    fn is_taken(&self, name: Ident, relation: usize) -> bool {
        self.columns[relation].contains(&Some(name))
            || self.used.contains(&name)
            || self.parents[relation].contains(&name)
    }

    /// `make_colname_unique`.
    fn unique(&self, name: Ident, relation: usize) -> Analysed<Ident> {
        let (mut own, mut number) = (name, 0);
        while self.is_taken(own, relation) {
            number += 1;
            let numbered = format!("{name}_{number}");
            if numbered.len() > MAX_NAME_BYTES {
                return undecided("a name that would be cut");
            }
            own = Ident::new(&numbered);
        }
        Ok(own)
    }

    fn push_down(&mut self, join: &Join, column: usize, name: Ident) -> Analysed<()> {
        let Some((left, right)) = join.columns.get(column) else { return undecided("a join's column") };
        for (side, place) in [(&join.left, left), (&join.right, right)] {
            if let Some(place) = place {
                match self.columns.get_mut(side.place()).and_then(|columns| columns.get_mut(*place)) {
                    Some(slot) => *slot = Some(name),
                    None => return undecided("a join's column"),
                }
            }
        }
        Ok(())
    }

    /// `set_using_names`.
    fn merged(&mut self, item: &From, parent: &[Ident]) -> Analysed<()> {
        let From::Join(join) = item else { return Ok(()) };
        for column in 0..self.columns[join.place].len() {
            if let Some(name) = self.columns[join.place][column] {
                self.push_down(join, column, name)?;
            }
        }
        let mut parent = parent.to_vec();
        for (column, using) in join.using.iter().enumerate() {
            let name = match self.columns[join.place].get(column).copied().flatten() {
                Some(name) => name,
                None => {
                    let name = self.unique(*using, join.place)?;
                    if self.global {
                        self.used.push(name);
                    }
                    self.columns[join.place][column] = Some(name);
                    name
                }
            };
            self.usings[join.place].push(name);
            parent.push(name);
            self.push_down(join, column, name)?;
        }
        for side in [&join.left, &join.right] {
            if !join.using.is_empty() {
                self.parents[side.place()] = parent.clone();
            }
            self.merged(side, &parent)?;
        }
        Ok(())
    }

    /// `set_relation_column_names`: whether the names of each relation's columns are printed.
    fn rest(&mut self) -> Analysed<Vec<bool>> {
        let mut printed = Vec::new();
        for (place, relation) in self.select.relations.iter().enumerate() {
            if relation.source == Source::Join {
                printed.push(false);
                continue;
            }
            let mut changed = false;
            for (column, real) in relation.real.iter().enumerate() {
                let name = match self.columns[place][column] {
                    Some(name) => name,
                    None => {
                        let wished = relation.columns.get(column).unwrap_or(real);
                        let name = self.unique(*wished, place)?;
                        self.columns[place][column] = Some(name);
                        name
                    }
                };
                changed |= name != *real;
            }
            printed.push(match &relation.source {
                Source::Named(..) => changed,
                Source::Functions(..) => true,
                _ => changed || !relation.columns.is_empty(),
            });
        }
        Ok(printed)
    }
}
