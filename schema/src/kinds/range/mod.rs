//! Range types. The multirange type is part of one: PostgreSQL does not move it along, the statements here do.
//!
//! Not here: the constructor functions belong to the bootstrap superuser, so nobody else can move or rename them. They
//! keep the names that they were born with, and a new range of an old one's name cannot stand beside it: a range that
//! columns have cannot be replaced.

pub mod declare;
pub mod read;
pub mod write;

use crate::fragment::Aside;
use crate::id::ObjectId;
use crate::ident::{Ident, MAX_NAME_BYTES, QName};
use crate::kinds::{grant, naming, types};
use crate::object::{Alter, Context, Nature, Object, ObjectKind, Visitor};
use crate::reference::Reference;
use crate::sql::Sql;
use crate::step::{Loss, Steps};
use crate::type_name::TypeName;
use crate::write::Writer;

/// A range type.
#[derive(Clone, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub struct Range {
    /// The type of its bounds.
    pub subtype: TypeName,
    /// The operator class that orders them, unless it is the type's default.
    pub operator_class: Option<Ident>,
    /// Where the operator class is.
    pub operator_class_schema: Aside<Option<Ident>>,
    /// Their collation, unless it is the type's.
    pub collation: Option<Reference>,
    /// The function that makes equal ranges alike.
    pub canonical: Option<Reference>,
    /// The function that tells how far bounds are apart.
    pub subtype_diff: Option<Reference>,
    /// The name of its multirange type, which is in the same schema.
    pub multirange: Ident,
    /// Its owner, where it is known.
    pub owner: Aside<Option<Ident>>,
}

/// The name that PostgreSQL gives a multirange type (`makeMultirangeTypeName`).
pub fn chosen_multirange(range: &str) -> Ident {
    let mut name = match range.find("range") {
        Some(at) => format!("{}multi{}", &range[..at], &range[at..]),
        None => {
            let mut end = range.len().min(MAX_NAME_BYTES - "_multirange".len());
            while !range.is_char_boundary(end) {
                end -= 1;
            }
            format!("{}_multirange", &range[..end])
        }
    };
    while name.len() > MAX_NAME_BYTES {
        name.pop();
    }
    Ident::new(&name)
}

fn type_head(name: QName) -> Sql {
    let mut sql = Sql::new("ALTER TYPE");
    sql.name(name);
    sql
}

impl ObjectKind for Range {
    fn nature(&self) -> Nature {
        Nature { dies_with_parent: false, ..Nature::DATA }
    }

    fn visit(&mut self, visitor: &mut dyn Visitor) {
        visitor.type_name(&mut self.subtype);
        let references = [&mut self.collation, &mut self.canonical, &mut self.subtype_diff];
        for reference in references.into_iter().flatten() {
            visitor.reference(reference);
        }
    }

    crate::kinds::types::has_owner!();

    fn brings_types(&self, id: ObjectId) -> Vec<QName> {
        id.schema().map(|schema| QName::new(schema, self.multirange)).into_iter().collect()
    }

    fn implies(&self, id: ObjectId, context: &Context<'_>) -> Vec<(ObjectId, Object)> {
        grant::implied(id, context)
    }

    fn write(&self, id: ObjectId, out: &mut Writer<'_>) {
        write::write(self, id, out);
    }

    fn create(&self, id: ObjectId, context: &Context<'_>, out: &mut Steps) {
        let mut items = Vec::new();
        let mut item = |keyword: &'static str, write: &dyn Fn(&mut Sql)| {
            let mut sql = Sql::new(keyword);
            sql.kw("=");
            write(&mut sql);
            items.push(sql);
        };
        item("SUBTYPE", &|sql| {
            sql.type_name(&self.subtype);
        });
        if let Some(class) = self.operator_class {
            item("SUBTYPE_OPCLASS", &|sql| {
                match self.operator_class_schema.0 {
                    Some(schema) => sql.name(QName::new(schema, class)),
                    None => sql.ident(class),
                };
            });
        }
        let references = [
            ("COLLATION", &self.collation),
            ("CANONICAL", &self.canonical),
            ("SUBTYPE_DIFF", &self.subtype_diff),
        ];
        for (keyword, reference) in references {
            if let Some(name) = reference.as_ref().and_then(Reference::qname) {
                item(keyword, &|sql| {
                    sql.name(name);
                });
            }
        }
        if self.multirange != chosen_multirange(id.name().as_str()) {
            if let Some(schema) = id.schema() {
                item("MULTIRANGE_TYPE_NAME", &|sql| {
                    sql.name(QName::new(schema, self.multirange));
                });
            }
        }
        let mut sql = Sql::new("CREATE TYPE");
        naming::own_name(&mut sql, id);
        sql.kw("AS RANGE (").list(&items).kw(")");
        out.push(sql);
        types::set_owner(id, self.owner.0, context, out);
    }

    fn alter(old: &Self, new: &Self, id: ObjectId, _: &Context<'_>, out: &mut Steps) -> Alter {
        let Self {
            subtype,
            operator_class,
            operator_class_schema: _,
            collation,
            canonical,
            subtype_diff,
            multirange,
            owner: _,
        } = new;
        let same = *subtype == old.subtype
            && *operator_class == old.operator_class
            && *collation == old.collation
            && *canonical == old.canonical
            && *subtype_diff == old.subtype_diff;
        if !same {
            return Alter::Replace("what a range is made of is chosen when it is created");
        }
        if let (true, Some(range)) = (*multirange != old.multirange, id.qname()) {
            let name = |name: Ident| QName { schema: range.schema, name };
            types::rename(type_head, name(old.multirange), name(*multirange), out);
        }
        Alter::InPlace
    }

    fn drop(&self, id: ObjectId, _: &Context<'_>, out: &mut Steps) {
        out.push(types::drop(id)).loses(Loss::DropObject, id);
    }

    fn rename(&self, from: ObjectId, to: ObjectId, _: &Context<'_>, out: &mut Steps) {
        let (Some(old), Some(new)) = (from.qname(), to.qname()) else { return };
        types::rename(type_head, old, new, out);
        // Its name is compared and changed like any other setting.
        let name = self.multirange;
        types::rename(type_head, QName { name, ..old }, QName { name, ..new }, out);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn multiranges_are_named_as_postgresql_does() {
        for (range, multirange) in [
            ("floatrange", "floatmultirange"),
            ("fr", "fr_multirange"),
            ("range_of_range", "multirange_of_range"),
        ] {
            assert_eq!(chosen_multirange(range).as_str(), multirange);
        }
        assert_eq!(chosen_multirange(&"x".repeat(63)).as_str(), format!("{}_multirange", "x".repeat(52)));
    }
}
