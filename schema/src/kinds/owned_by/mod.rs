//! Which column owns a sequence. An object of its own, since a sequence comes before the default that uses it, and is
//! owned only once the column is there.

pub mod write;

use crate::catalog::Catalog;
use crate::id::ObjectId;
use crate::ident::Ident;
use crate::kinds::{sequence, types};
use crate::object::{Alter, Context, Kind, Nature, Object, ObjectKind, Visitor};
use crate::reference::Reference;
use crate::sql::{self, Sql};
use crate::step::Steps;
use crate::write::Writer;

/// The column that owns a sequence.
#[derive(Clone, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub struct OwnedBy {
    /// Its table.
    pub table: Reference,
    /// The column.
    pub column: Ident,
}

/// The id of the ownership of a sequence.
pub fn id(sequence: ObjectId) -> ObjectId {
    ObjectId::of(Kind::OwnedBy, sequence, "")
}

impl OwnedBy {
    /// A new sequence of a column that has values goes on behind them.
    fn go_on(&self, sequence: ObjectId, context: &Context<'_>, out: &mut Steps) {
        let column = |catalog: &Catalog| {
            let table = self.table.qname().and_then(|name| catalog.relation(name))?;
            catalog.column(table, self.column)
        };
        // A sequence that gives the column no values has none of them to stay behind.
        let gives = |column: &ObjectId| {
            let default = context.desired.get(ObjectId::of(Kind::Default, *column, ""));
            default.is_some_and(|entry| entry.uses.contains(&sequence))
        };
        let is_new = !context.current.contains(sequence);
        let Some(column) = column(context.current).filter(|column| is_new && gives(column)) else { return };
        let settings = context.desired.get(sequence).map(|entry| &entry.object);
        if let (Some(Object::Sequence(settings)), Some(name)) = (settings, sequence.qname()) {
            let mut expression = Sql::default();
            expression.literal(&sql::qualified(name));
            sequence::go_on(&expression, column, settings, out);
        }
    }
}

impl ObjectKind for OwnedBy {
    fn nature(&self) -> Nature {
        Nature::CARRIED
    }

    fn visit(&mut self, visitor: &mut dyn Visitor) {
        visitor.reference(&mut self.table);
    }

    fn uses(&self, _: ObjectId, catalog: &Catalog, out: &mut Vec<ObjectId>) {
        let table = self.table.qname().and_then(|name| catalog.relation(name));
        out.extend(table.and_then(|table| catalog.column(table, self.column)));
    }

    fn takes_along(&self) -> bool {
        true
    }

    fn write(&self, id: ObjectId, out: &mut Writer<'_>) {
        write::write(self, id, out);
    }

    fn create(&self, id: ObjectId, context: &Context<'_>, out: &mut Steps) {
        let mut sql = types::alter(id.root());
        sql.kw("OWNED BY");
        if let Some(table) = self.table.qname() {
            sql.name(table).kw(".").tight().ident(self.column);
        }
        out.push(sql);
        self.go_on(id.root(), context, out);
    }

    fn alter(_: &Self, new: &Self, id: ObjectId, context: &Context<'_>, out: &mut Steps) -> Alter {
        let Self { table: _, column: _ } = new;
        new.create(id, context, out);
        Alter::InPlace
    }

    fn drop(&self, id: ObjectId, _: &Context<'_>, out: &mut Steps) {
        let mut sql = types::alter(id.root());
        sql.kw("OWNED BY NONE");
        out.push(sql);
    }
}
