//! A parse tree in one generic shape, so that a walk needs no arm per node type.
//!
//! pg_query's tree has some 270 node types. Every pass over it (which names does a fragment mention, are two
//! fragments equal under a rule) would have to list them all, and a missed one is a missed reference. The tree
//! is serialized once into this shape instead: a node is its type's name and its non-empty fields.
//! No object holds one: `parse` keeps them as long as a comparison may ask again.

use serde::ser::{self, Serialize};
use std::fmt;

/// One value of a parse tree.
#[derive(Clone, Debug, PartialEq)]
pub enum Tree {
    /// A node: its type's name (`RangeVar`) and its fields that are not empty.
    Node(&'static str, Vec<(&'static str, Tree)>),
    /// A list.
    List(Vec<Tree>),
    /// A string.
    Str(String),
    /// An integer, an enumeration's number, or a location.
    Int(i64),
    /// A float of the protocol (constants are strings, so this is rare).
    Float(f64),
    /// A flag.
    Bool(bool),
    /// Absent.
    Nothing,
}

impl Tree {
    /// Converts anything that serializes.
    pub fn of(value: &impl Serialize) -> Tree {
        value.serialize(Builder).unwrap_or(Tree::Nothing)
    }

    /// The node's type name, or an empty string.
    pub fn name(&self) -> &'static str {
        match self {
            Tree::Node(name, _) => name,
            _ => "",
        }
    }

    /// The field of that name; `Nothing` when it is absent or empty.
    pub fn get(&self, field: &str) -> &Tree {
        match self {
            Tree::Node(_, fields) => {
                fields.iter().find(|(name, _)| *name == field).map_or(&Tree::Nothing, |(_, tree)| tree)
            }
            _ => &Tree::Nothing,
        }
    }

    /// The field of that name, to change it.
    pub fn get_mut(&mut self, field: &str) -> Option<&mut Tree> {
        match self {
            Tree::Node(_, fields) => fields.iter_mut().find(|(name, _)| *name == field).map(|(_, tree)| tree),
            _ => None,
        }
    }

    /// A string's text, or an empty one. A `String` node gives its `sval`.
    pub fn str(&self) -> &str {
        match self {
            Tree::Str(text) => text,
            Tree::Node("String", _) => self.get("sval").str(),
            _ => "",
        }
    }

    /// A number, 0 when absent (as in the protocol, where a default is left out).
    pub fn int(&self) -> i64 {
        match self {
            Tree::Int(number) => *number,
            _ => 0,
        }
    }

    /// A flag, false when absent.
    pub fn flag(&self) -> bool {
        matches!(self, Tree::Bool(true))
    }

    /// Whether an expression is NULL and nothing else.
    pub fn is_null(&self) -> bool {
        self.name() == "AConst" && self.get("isnull").flag()
    }

    /// A list's items; none for anything else.
    pub fn items(&self) -> &[Tree] {
        match self {
            Tree::List(items) => items,
            _ => &[],
        }
    }

    /// Whether the value is absent.
    pub fn is_nothing(&self) -> bool {
        matches!(self, Tree::Nothing)
    }

    /// The strings of a list of `String` nodes (a dotted name).
    pub fn strings(&self) -> Vec<&str> {
        self.items().iter().filter(|item| item.name() == "String").map(Tree::str).collect()
    }

    /// The children of a node or list, in order.
    pub fn children(&self) -> Vec<&Tree> {
        match self {
            Tree::Node(_, fields) => fields.iter().map(|(_, tree)| tree).collect(),
            Tree::List(items) => items.iter().collect(),
            _ => Vec::new(),
        }
    }

    /// Calls `visit` for every node, parents first.
    pub fn walk<'a>(&'a self, visit: &mut dyn FnMut(&'a Tree)) {
        match self {
            Tree::Node(_, fields) => {
                visit(self);
                for (_, tree) in fields {
                    tree.walk(visit);
                }
            }
            Tree::List(items) => {
                for tree in items {
                    tree.walk(visit);
                }
            }
            _ => {}
        }
    }

    /// Rebuilds every node, children first.
    pub fn map(self, change: &mut dyn FnMut(Tree) -> Tree) -> Tree {
        match self {
            Tree::Node(name, fields) => {
                let fields = fields.into_iter().map(|(field, tree)| (field, tree.map(change))).collect();
                change(Tree::Node(name, fields))
            }
            Tree::List(items) => Tree::List(items.into_iter().map(|tree| tree.map(change)).collect()),
            other => other,
        }
    }
}

/// Serializes into a `Tree`. Wrappers of one field (`Node { node }`, the variants of the node union) vanish.
struct Builder;

/// The tree has no error: every shape that the protocol has is accepted.
#[derive(Debug)]
struct Impossible(String);

impl fmt::Display for Impossible {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Impossible {}

impl ser::Error for Impossible {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Impossible(message.to_string())
    }
}

struct Fields(&'static str, Vec<(&'static str, Tree)>);
struct Items(Vec<Tree>);

impl ser::SerializeStruct for Fields {
    type Ok = Tree;
    type Error = Impossible;

    fn serialize_field<T: ?Sized + Serialize>(
        &mut self,
        key: &'static str,
        value: &T,
    ) -> Result<(), Impossible> {
        let tree = value.serialize(Builder)?;
        let empty = match &tree {
            Tree::Nothing => true,
            Tree::Int(number) => *number == 0,
            Tree::Bool(flag) => !flag,
            Tree::Str(text) => text.is_empty(),
            Tree::List(items) => items.is_empty(),
            _ => false,
        };
        if !empty {
            self.1.push((key, tree));
        }
        Ok(())
    }

    fn end(mut self) -> Result<Tree, Impossible> {
        if self.0 == "Node" {
            return Ok(self.1.pop().map_or(Tree::Nothing, |(_, tree)| tree));
        }
        Ok(Tree::Node(self.0, self.1))
    }
}

impl ser::SerializeSeq for Items {
    type Ok = Tree;
    type Error = Impossible;

    fn serialize_element<T: ?Sized + Serialize>(&mut self, value: &T) -> Result<(), Impossible> {
        self.0.push(value.serialize(Builder)?);
        Ok(())
    }

    fn end(self) -> Result<Tree, Impossible> {
        Ok(Tree::List(self.0))
    }
}

macro_rules! numbers {
    ($($method:ident $type:ty),*) => {
        $(fn $method(self, value: $type) -> Result<Tree, Impossible> { Ok(Tree::Int(i64::from(value))) })*
    };
}

impl ser::Serializer for Builder {
    type Ok = Tree;
    type Error = Impossible;
    type SerializeSeq = Items;
    type SerializeTuple = ser::Impossible<Tree, Impossible>;
    type SerializeTupleStruct = ser::Impossible<Tree, Impossible>;
    type SerializeTupleVariant = ser::Impossible<Tree, Impossible>;
    type SerializeMap = ser::Impossible<Tree, Impossible>;
    type SerializeStruct = Fields;
    type SerializeStructVariant = ser::Impossible<Tree, Impossible>;

    numbers!(serialize_i8 i8, serialize_i16 i16, serialize_i32 i32, serialize_i64 i64, serialize_u8 u8,
             serialize_u16 u16, serialize_u32 u32);

    fn serialize_u64(self, value: u64) -> Result<Tree, Impossible> {
        Ok(Tree::Int(i64::try_from(value).unwrap_or(i64::MAX)))
    }

    fn serialize_bool(self, value: bool) -> Result<Tree, Impossible> {
        Ok(Tree::Bool(value))
    }

    fn serialize_f32(self, value: f32) -> Result<Tree, Impossible> {
        Ok(Tree::Float(f64::from(value)))
    }

    fn serialize_f64(self, value: f64) -> Result<Tree, Impossible> {
        Ok(Tree::Float(value))
    }

    fn serialize_char(self, value: char) -> Result<Tree, Impossible> {
        Ok(Tree::Str(value.to_string()))
    }

    fn serialize_str(self, value: &str) -> Result<Tree, Impossible> {
        Ok(Tree::Str(value.to_owned()))
    }

    fn serialize_bytes(self, value: &[u8]) -> Result<Tree, Impossible> {
        Ok(Tree::Str(String::from_utf8_lossy(value).into_owned()))
    }

    fn serialize_none(self) -> Result<Tree, Impossible> {
        Ok(Tree::Nothing)
    }

    fn serialize_some<T: ?Sized + Serialize>(self, value: &T) -> Result<Tree, Impossible> {
        value.serialize(Builder)
    }

    fn serialize_unit(self) -> Result<Tree, Impossible> {
        Ok(Tree::Nothing)
    }

    fn serialize_unit_struct(self, name: &'static str) -> Result<Tree, Impossible> {
        Ok(Tree::Node(name, Vec::new()))
    }

    fn serialize_unit_variant(
        self,
        _: &'static str,
        index: u32,
        _: &'static str,
    ) -> Result<Tree, Impossible> {
        Ok(Tree::Int(i64::from(index)))
    }

    fn serialize_newtype_struct<T: ?Sized + Serialize>(
        self,
        _: &'static str,
        value: &T,
    ) -> Result<Tree, Impossible> {
        value.serialize(Builder)
    }

    fn serialize_newtype_variant<T: ?Sized + Serialize>(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<Tree, Impossible> {
        let tree = value.serialize(Builder)?;
        // The value of a constant is a bare number, string or flag in the union: keep which of them it is.
        Ok(match tree {
            node @ Tree::Node(..) => node,
            bare => Tree::Node(variant, vec![("value", bare)]),
        })
    }

    fn serialize_seq(self, length: Option<usize>) -> Result<Items, Impossible> {
        Ok(Items(Vec::with_capacity(length.unwrap_or(0))))
    }

    fn serialize_tuple(self, _: usize) -> Result<Self::SerializeTuple, Impossible> {
        Err(Impossible("tuple".into()))
    }

    fn serialize_tuple_struct(
        self,
        name: &'static str,
        _: usize,
    ) -> Result<Self::SerializeTupleStruct, Impossible> {
        Err(Impossible(name.into()))
    }

    fn serialize_tuple_variant(
        self,
        name: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeTupleVariant, Impossible> {
        Err(Impossible(name.into()))
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Self::SerializeMap, Impossible> {
        Err(Impossible("map".into()))
    }

    fn serialize_struct(self, name: &'static str, length: usize) -> Result<Fields, Impossible> {
        Ok(Fields(name, Vec::with_capacity(length)))
    }

    fn serialize_struct_variant(
        self,
        name: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeStructVariant, Impossible> {
        Err(Impossible(name.into()))
    }
}
