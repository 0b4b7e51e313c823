//! Types as the analysis sees them: what they are, how they are printed, and their modifiers.

use crate::analyse::system::{self, SystemType};
use crate::analyse::world::World;
use crate::analyse::{Analysed, interval, undecided};
use crate::ident::{Ident, QName};
use crate::object::{Kind, Object};
use crate::sql;
use crate::type_name::TypeName;

/// A type without modifiers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Type {
    /// Its name, or that of its elements.
    pub name: QName,
    /// Whether it is the array type of that.
    pub array: bool,
}

/// What kind of type it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// One of pg_catalog that is no array.
    System(SystemType),
    /// An array.
    Array,
    /// An enum.
    Enum,
    /// A domain over a type with a modifier.
    Domain(Type, i32),
    /// A row type.
    Row,
    /// A range that users made.
    Range,
    /// A base type that users or extensions made: nothing is known of its input, casts and operators.
    Other,
}

/// The domains of the information schema, with what they are over and its modifier.
const INFORMATION_DOMAINS: [(&str, &str, i32); 5] = [
    ("cardinal_number", "int4", -1),
    ("character_data", "varchar", -1),
    ("sql_identifier", "name", -1),
    ("time_stamp", "timestamptz", 2),
    ("yes_or_no", "varchar", 7),
];

impl Type {
    /// A type of pg_catalog; `_int4` is an array.
    pub fn system(name: &str) -> Self {
        let (name, array) = name.strip_prefix('_').map_or((name, false), |element| (element, true));
        Self { name: QName::new("pg_catalog", name), array }
    }

    /// Whether it is that type of pg_catalog.
    pub fn is(self, name: &str) -> bool {
        let (name, array) = name.strip_prefix('_').map_or((name, false), |element| (element, true));
        self.array == array && self.is_system() && self.name.name.as_str() == name
    }

    /// Whether pg_catalog has it.
    pub fn is_system(self) -> bool {
        self.name.schema.as_str() == "pg_catalog"
    }

    /// The type of a literal that nothing is known of yet.
    pub fn unknown() -> Self {
        Self::system("unknown")
    }

    /// Whether it is a literal's.
    pub fn is_unknown(self) -> bool {
        self.is("unknown")
    }

    /// The array type over it, which arrays do not have.
    pub fn array_of(self, world: &World<'_>) -> Analysed<Self> {
        let has = match self.class(world)? {
            Class::System(found) => found.has_array && found.kind != 'p',
            Class::Array => false,
            _ => true,
        };
        if has {
            Ok(Self { array: true, ..self })
        } else {
            undecided(format!("there are no arrays of {}", self.name))
        }
    }

    /// An array's element type.
    pub fn element(self) -> Option<Self> {
        self.array.then_some(Self { array: false, ..self })
    }

    /// What kind of type it is.
    pub fn class(self, world: &World<'_>) -> Analysed<Class> {
        if self.array {
            return Ok(Class::Array);
        }
        if self.is_system() {
            return match system::type_named(self.name.name.as_str(), world.version) {
                Some(found) => Ok(Class::System(found)),
                None if system::relation(self.name.name.as_str(), world.version).is_some() => Ok(Class::Row),
                None => undecided(format!("the type {} is not known", self.name)),
            };
        }
        if let ("information_schema", name) = (self.name.schema.as_str(), self.name.name.as_str()) {
            return match INFORMATION_DOMAINS.iter().find(|(own, ..)| *own == name) {
                Some((_, base, modifier)) => Ok(Class::Domain(Type::system(base), *modifier)),
                None => undecided(format!("the type {} is not known", self.name)),
            };
        }
        let Some(id) = world.catalog.type_named(self.name) else {
            return undecided(format!("the type {} is not known", self.name));
        };
        let entry = world.catalog.get(id);
        Ok(match (id.kind(), entry.map(|entry| &entry.object)) {
            (Kind::Enum, _) => Class::Enum,
            (_, Some(Object::Domain(domain))) => {
                let (base, modifier) = of(&domain.base)?;
                Class::Domain(base, modifier)
            }
            (Kind::Range, _) => Class::Range,
            (Kind::BaseType, _) => Class::Other,
            (_, Some(_)) => Class::Row,
            (_, None) => return undecided(format!("the type {} is not known", self.name)),
        })
    }

    /// `getBaseTypeAndTypmod`: what a domain is over, and the modifier there.
    pub fn base(self, modifier: i32, world: &World<'_>) -> Analysed<(Self, i32)> {
        let (mut found, mut at) = (self, modifier);
        for _ in 0..64 {
            match found.class(world)? {
                Class::Domain(base, below) => (found, at) = (base, below),
                _ => return Ok((found, at)),
            }
        }
        undecided("a domain over itself")
    }

    /// `TypeCategory` and whether it is the preferred type there.
    pub fn category(self, world: &World<'_>) -> Analysed<(char, bool)> {
        Ok(match self.class(world)? {
            Class::System(found) => (found.category, found.preferred),
            Class::Array => ('A', false),
            Class::Enum => ('E', false),
            Class::Domain(..) => (self.base(-1, world)?.0.category(world)?.0, false),
            Class::Row => ('C', false),
            Class::Range => ('R', false),
            Class::Other => return undecided(format!("nothing is known of the type {}", self.name)),
        })
    }

    /// Whether it stands for others in a signature.
    pub fn is_polymorphic(self) -> bool {
        self.is_system() && !self.array && self.name.name.as_str().starts_with("any") && !self.is("any")
    }
}

/// A type by its written name, with its modifier as `atttypmod` has it (-1: none).
pub fn of(type_name: &TypeName) -> Analysed<(Type, i32)> {
    let Some(name) = type_name.qname() else {
        return undecided(format!("the type {type_name} is not resolved"));
    };
    let found = Type { name, array: type_name.is_array() };
    let modifiers = type_name.modifiers();
    if modifiers.is_empty() {
        return Ok((found, -1));
    }
    let numbers: Vec<i32> =
        modifiers.as_str().split(',').filter_map(|number| number.trim().parse().ok()).collect();
    let modifier = match (found.is_system(), name.name.as_str(), &numbers[..]) {
        (true, "varchar" | "bpchar", [length]) if *length > 0 => length.saturating_add(4),
        (true, "numeric", [precision, scale])
            if (1..=1000).contains(precision) && (0..=1000).contains(scale) =>
        {
            ((precision << 16) | scale) + 4
        }
        (true, "time" | "timetz" | "timestamp" | "timestamptz", [precision])
            if (0..=6).contains(precision) =>
        {
            *precision
        }
        (true, "varbit" | "bit", [length]) if *length > 0 => *length,
        (true, "interval", [mask]) => interval_modifier(*mask, None)?,
        (true, "interval", [mask, precision]) => interval_modifier(*mask, Some(*precision))?,
        _ => return undecided(format!("the modifiers of {type_name} are not understood")),
    };
    Ok((found, modifier))
}

fn interval_modifier(mask: i32, precision: Option<i32>) -> Analysed<i32> {
    match interval::modifier(mask, precision) {
        Some(modifier) => Ok(modifier),
        None => undecided("the fields of an interval"),
    }
}

/// `format_type_with_typemod` under an empty search_path.
pub fn written(of: Type, modifier: i32) -> Analysed<String> {
    let name = of.name.name.as_str();
    let array = if of.array { "[]" } else { "" };
    let digits = |offset: i32| if modifier < 0 { String::new() } else { format!("({})", modifier - offset) };
    if !of.is_system() {
        return if modifier < 0 {
            Ok(format!("{}{array}", sql::qualified(of.name)))
        } else {
            undecided("modifiers of a type that users made")
        };
    }
    let text = match name {
        "bool" => "boolean".into(),
        "int2" => "smallint".into(),
        "int4" => "integer".into(),
        "int8" => "bigint".into(),
        "float4" => "real".into(),
        "float8" => "double precision".into(),
        "bpchar" if modifier >= 0 => format!("character{}", digits(4)),
        "varchar" => format!("character varying{}", digits(4)),
        "varbit" => format!("bit varying{}", digits(0)),
        "numeric" if modifier >= 4 => {
            format!("numeric({},{})", (modifier - 4) >> 16, (modifier - 4) & 0x7ff)
        }
        "numeric" if modifier < 0 => "numeric".into(),
        // Words of the grammar that are no keywords where a type stands.
        "interval" => format!("interval{}", interval::fields(modifier).unwrap_or_default()),
        "json" if modifier < 0 => "json".into(),
        "time" => format!("time{} without time zone", digits(0)),
        "timetz" => format!("time{} with time zone", digits(0)),
        "timestamp" => format!("timestamp{} without time zone", digits(0)),
        "timestamptz" => format!("timestamp{} with time zone", digits(0)),
        "bit" if modifier >= 0 => format!("bit{}", digits(0)),
        _ if modifier >= 0 => return undecided("a modifier that is not understood"),
        _ => sql::quoted(Ident::new(name)).into(),
    };
    Ok(format!("{text}{array}"))
}
