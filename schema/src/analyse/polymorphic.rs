//! What polymorphic types stand for in a call, as parse_coerce.c finds out.

use crate::analyse::coerce::{self, Context};
use crate::analyse::types::Type;
use crate::analyse::world::World;
use crate::analyse::{Analysed, range, undecided};

/// `check_generic_type_consistency`.
pub fn consistent(world: &World<'_>, inputs: &[Type], declared: &[Type]) -> Analysed<bool> {
    if !declared.iter().any(|of| of.is_polymorphic()) {
        return Ok(true);
    }
    Ok(Polymorphic::of(world, inputs, declared)?.is_some())
}

/// What polymorphic types stand for in a call.
#[derive(Clone, Copy, Debug, Default)]
struct Polymorphic {
    element: Option<Type>,
    array: Option<Type>,
    range: Option<Type>,
    multirange: Option<Type>,
    compatible: Option<Type>,
    compatible_array: bool,
}

impl Polymorphic {
    /// `None` where the inputs do not fit. Families that are not understood here are undecided.
    fn of(world: &World<'_>, inputs: &[Type], declared: &[Type]) -> Analysed<Option<Self>> {
        let mut found = Self::default();
        let mut compatible: Vec<Type> = Vec::new();
        let mut compatible_unknown = false;
        for (input, of) in inputs.iter().zip(declared) {
            if !of.is_polymorphic() {
                continue;
            }
            let base = input.base(-1, world)?.0;
            let same = |known: &mut Option<Type>, new: Type| match *known {
                Some(old) => old == new,
                None => {
                    *known = Some(new);
                    true
                }
            };
            let fits = match of.name.name.as_str() {
                "anyelement" | "anynonarray" | "anyenum" => {
                    if input.is_unknown() {
                        continue;
                    }
                    let enumerated = of.is("anyenum") && base.category(world)?.0 != 'E';
                    let array = of.is("anynonarray") && base.array;
                    !enumerated && !array && same(&mut found.element, *input)
                }
                "anyarray" => {
                    if input.is_unknown() {
                        continue;
                    }
                    base.array && same(&mut found.array, base)
                }
                "anycompatible" | "anycompatiblenonarray" => {
                    if input.is_unknown() {
                        compatible_unknown = true;
                        continue;
                    }
                    if of.is("anycompatiblenonarray") && base.array {
                        false
                    } else {
                        compatible.push(*input);
                        true
                    }
                }
                "anycompatiblearray" => {
                    found.compatible_array = true;
                    if input.is_unknown() {
                        compatible_unknown = true;
                        continue;
                    }
                    match base.element() {
                        Some(element) => {
                            compatible.push(element);
                            true
                        }
                        None => false,
                    }
                }
                "anyrange" => {
                    if input.is_unknown() {
                        continue;
                    }
                    range::of_range(world, base)?.is_some() && same(&mut found.range, base)
                }
                "anymultirange" => {
                    if input.is_unknown() {
                        continue;
                    }
                    range::of_multirange(world, base)?.is_some() && same(&mut found.multirange, base)
                }
                _ => return undecided(format!("{} as an argument", of.name.name)),
            };
            if !fits {
                return Ok(None);
            }
        }
        if let Some(array) = found.array {
            let element = array.element();
            if found.element.is_some() && found.element != element {
                return Ok(None);
            }
            found.element = element;
        }
        // A multirange says which range is meant, and the other way round.
        if let Some(family) =
            found.multirange.map(|of| range::of_multirange(world, of)).transpose()?.flatten()
        {
            if *found.range.get_or_insert(family.range) != family.range {
                return Ok(None);
            }
        }
        if let Some(family) = found.range.map(|of| range::of_range(world, of)).transpose()?.flatten() {
            found.multirange = Some(family.multirange);
            let element = Some(family.element);
            if found.element.is_some() && found.element != element {
                return Ok(None);
            }
            found.element = element;
        }
        if let [first, rest @ ..] = compatible.as_slice() {
            let mut common = *first;
            for of in rest {
                if *of != common {
                    // select_common_type_from_oids, for what is simply wider.
                    let (a, b) = (common.base(-1, world)?.0, of.base(-1, world)?.0);
                    if a.category(world)?.0 != b.category(world)?.0 {
                        return Ok(None);
                    }
                    let widens = !a.category(world)?.1
                        && coerce::can_coerce(world, a, b, Context::Implicit)?
                        && !coerce::can_coerce(world, b, a, Context::Implicit)?;
                    common = if widens { b } else { a };
                }
            }
            for of in &compatible {
                if !coerce::can_coerce(world, *of, common, Context::Implicit)? {
                    return Ok(None);
                }
            }
            found.compatible = Some(common);
        } else if compatible_unknown {
            found.compatible = Some(Type::system("text"));
        }
        Ok(Some(found))
    }

    /// What a declared type stands for.
    fn actual(&self, declared: Type, world: &World<'_>) -> Analysed<Type> {
        if !declared.is_polymorphic() {
            return Ok(declared);
        }
        let found = match declared.name.name.as_str() {
            "anyelement" | "anynonarray" | "anyenum" => self.element,
            "anyarray" => match (self.array, self.element) {
                (Some(array), _) => Some(array),
                (None, Some(element)) => Some(element.array_of(world)?),
                _ => None,
            },
            "anyrange" => self.range,
            "anymultirange" => self.multirange,
            "anycompatible" | "anycompatiblenonarray" => self.compatible,
            "anycompatiblearray" => match self.compatible {
                Some(element) => Some(element.array_of(world)?),
                None => None,
            },
            _ => None,
        };
        found.map_or_else(|| undecided("a polymorphic call"), Ok)
    }
}

/// Replaces polymorphic types by what they stand for.
pub fn settle(
    world: &World<'_>,
    inputs: &[Type],
    declared: &[Type],
    result: Type,
) -> Analysed<(Vec<Type>, Type)> {
    let Some(found) = Polymorphic::of(world, inputs, declared)? else {
        return undecided("a polymorphic call that does not fit");
    };
    let actual: Analysed<Vec<Type>> = declared.iter().map(|of| found.actual(*of, world)).collect();
    let result = found.actual(result, world)?;
    Ok((actual?, result))
}
