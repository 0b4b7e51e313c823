//! The places where SQL stands: what can be seen there, what the expression must be, how it is printed.

use crate::analyse::coerce::{self, Context};
use crate::analyse::expr::{Expr, Form};
use crate::analyse::expression::Analyser;
use crate::analyse::naming::Names;
use crate::analyse::query::{Body, Query};
use crate::analyse::scope::{Level, Visible};
use crate::analyse::show::Show;
use crate::analyse::types::{self, Type};
use crate::analyse::world::World;
use crate::analyse::{Analysed, undecided};
use crate::fragment::Fragment;
use crate::id::ObjectId;
use crate::ident::Ident;
use crate::type_name::TypeName;

/// What an expression can see.
#[derive(Clone, Copy, Debug)]
pub enum Seen {
    /// Nothing: a domain's default, a function argument's.
    Nothing,
    /// A relation's columns, printed without its name.
    Columns(ObjectId),
    /// The relation as OLD and NEW.
    OldAndNew(ObjectId),
    /// VALUE, of this type.
    Value(TypeName),
}

/// What an expression must be.
#[derive(Clone, Copy, Debug)]
pub enum Place {
    /// A condition.
    Condition(Seen),
    /// What is assigned to something of a type.
    Assigned(Seen, TypeName),
}

/// What PostgreSQL would store for an expression at a place, as `pg_get_expr` prints it.
///
/// # Errors
/// Why that cannot be said.
pub fn expression(world: &World<'_>, fragment: &Fragment, place: Place) -> Analysed<String> {
    world.reads(fragment)?;
    let Ok((tree, _)) = fragment.tree() else { return undecided("a syntax error") };
    let (seen, wanted) = match place {
        Place::Condition(seen) => (seen, None),
        Place::Assigned(seen, of) => (seen, Some(of)),
    };
    let (mut analyser, names) = around(world, seen)?;
    let expr = analyser.expression(&tree)?;
    let expr = match wanted {
        None => coerce::to_boolean(world, expr)?,
        Some(of) => {
            let (of, modifier) = types::of(&of)?;
            coerce::to_target(world, expr, of, modifier, Context::Assignment, Form::Implicit)?
        }
    };
    print(world, &expr, names, matches!(seen, Seen::OldAndNew(_)))
}

pub(super) fn print(world: &World<'_>, expr: &Expr, names: Names, prefix: bool) -> Analysed<String> {
    let mut show =
        Show { text: String::new(), names: vec![names], prefix, sorting: false, version: world.version };
    show.expr(expr, false)?;
    Ok(show.text)
}

/// An analyser that sees what a place has to see.
pub(super) fn around<'a>(world: &'a World<'a>, seen: Seen) -> Analysed<(Analyser<'a>, Names)> {
    let mut analyser = Analyser::new(world);
    let (mut level, mut names) = (Level::default(), Names::default());
    match seen {
        Seen::Nothing => {}
        Seen::Value(of) => analyser.value = Some(types::of(&of)?),
        Seen::Columns(id) | Seen::OldAndNew(id) => {
            let Some(qualified) = id.qname() else { return undecided("a relation without a name") };
            let columns = analyser.columns(id)?;
            let row = Some(Type { name: qualified, array: false });
            let rows = matches!(seen, Seen::OldAndNew(_));
            let visible =
                if rows { vec![Ident::new("old"), Ident::new("new")] } else { vec![qualified.name] };
            for (place, name) in visible.into_iter().enumerate() {
                let qualified = (!rows).then_some(qualified);
                let mut visible = Visible::relation(place, name, qualified, columns.clone(), row);
                visible.bare = !rows;
                visible.system = id.kind().is_lockable() && !rows;
                level.visible.push(visible);
                names.relations.push(Some(name));
                names.columns.push(columns.iter().map(|(name, ..)| *name).collect());
            }
        }
    }
    analyser.scope.levels.push(level);
    Ok((analyser, names))
}

/// Gives a view's query the names of its columns, in every arm.
fn rename(query: &mut Query, names: &[Ident]) -> Analysed<()> {
    match &mut query.body {
        Body::Select(select) => {
            for (output, name) in select.outputs.iter_mut().zip(names) {
                output.name = *name;
            }
            Ok(())
        }
        Body::Set(set) => {
            rename(&mut set.left, names)?;
            rename(&mut set.right, names)
        }
        Body::Values(_, outputs) => {
            let same = outputs.iter().map(|output| output.name).eq(names.iter().copied());
            if same { Ok(()) } else { undecided("names for the columns of VALUES") }
        }
        Body::Write(_) | Body::Return(_) => undecided("names for what is written"),
    }
}

/// What PostgreSQL would store for a view's query, as `pg_get_viewdef` prints it, without the semicolon.
///
/// # Errors
/// Why that cannot be said.
pub fn query(world: &World<'_>, fragment: &Fragment, columns: &[Ident]) -> Analysed<String> {
    world.reads(fragment)?;
    let Ok((tree, _)) = fragment.tree() else { return undecided("a syntax error") };
    let mut analyser = Analyser::new(world);
    let mut query = analyser.sub_query(&tree)?;
    let mut names: Vec<Ident> = query.outputs().map(|output| output.name).collect();
    if columns.len() > names.len() {
        return undecided("more names than columns");
    }
    for (name, given) in names.iter_mut().zip(columns) {
        *name = *given;
    }
    rename(&mut query, &names)?;
    let mut show =
        Show { text: String::new(), names: Vec::new(), prefix: true, sorting: false, version: world.version };
    show.query(&query, true)?;
    Ok(show.text)
}
