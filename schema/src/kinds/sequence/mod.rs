//! Sequences that are no identity column's. Which column owns one is an object of its own (`owned_by`).

pub mod declare;
pub mod read;
pub mod write;

use crate::fragment::Aside;
use crate::id::ObjectId;
use crate::ident::{Ident, QName};
use crate::kinds::{grant, naming, owned_by, types};
use crate::object::{Alter, Context, Nature, Object, ObjectKind, Visitor};
use crate::sql::{self, Sql};
use crate::step::{Lock, Loss, Steps};
use crate::type_name::TypeName;
use crate::write::Writer;

/// A sequence, with every setting spelled out.
#[derive(Clone, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub struct Sequence {
    /// smallint, integer or bigint.
    pub type_name: TypeName,
    /// Where it starts.
    pub start: i64,
    /// The step.
    pub increment: i64,
    /// The smallest value.
    pub minimum: i64,
    /// The largest value.
    pub maximum: i64,
    /// How many values a session takes at once.
    pub cache: i64,
    /// Whether it begins again at its end.
    pub cycle: bool,
    /// Not written to the write-ahead log (PostgreSQL 15).
    pub unlogged: bool,
    /// Its owner, where it is known.
    pub owner: Aside<Option<Ident>>,
    /// Whether it comes with a serial column, and no file speaks of it by its name.
    #[serde(default)]
    pub brought: Aside<bool>,
}

/// The smallest and largest value of a type.
fn limits(type_name: &TypeName) -> (i64, i64) {
    match type_name.name().as_str() {
        "int2" => (i64::from(i16::MIN), i64::from(i16::MAX)),
        "int4" => (i64::from(i32::MIN), i64::from(i32::MAX)),
        _ => (i64::MIN, i64::MAX),
    }
}

impl Sequence {
    /// What PostgreSQL makes of a sequence of that type and step when nothing else is said (`init_params`).
    pub fn usual(type_name: TypeName, increment: i64) -> Self {
        let (least, most) = limits(&type_name);
        let (minimum, maximum) = if increment > 0 { (1, most) } else { (least, -1) };
        let start = if increment > 0 { minimum } else { maximum };
        Self {
            type_name,
            start,
            increment,
            minimum,
            maximum,
            cache: 1,
            cycle: false,
            unlogged: false,
            owner: Aside(None),
            brought: Aside(false),
        }
    }

    /// Writes what differs from `usual`. What is a default may be said too, never left out by mistake.
    fn settings(&self, usual: &Sequence, sql: &mut Sql) {
        let numbers = [
            ("INCREMENT BY", self.increment, usual.increment),
            ("MINVALUE", self.minimum, usual.minimum),
            ("MAXVALUE", self.maximum, usual.maximum),
            ("START WITH", self.start, usual.start),
            ("CACHE", self.cache, usual.cache),
        ];
        for (keyword, value, usual) in numbers {
            if value != usual {
                sql.kw(keyword).number(value);
            }
        }
        if self.cycle != usual.cycle {
            sql.kw(if self.cycle { "CYCLE" } else { "NO CYCLE" });
        }
    }

    fn usual_start(&self) -> i64 {
        if self.increment > 0 { self.minimum } else { self.maximum }
    }
}

/// Moves a sequence (an expression of it) that is not within its new limits into them, before it gets them: PostgreSQL
/// refuses otherwise. Whether there is no such place, and the sequence must begin anew with its new settings.
pub fn make_room(sequence: &Sql, old: &Sequence, new: &Sequence, out: &mut Steps) -> bool {
    let (least, most) = (old.minimum.max(new.minimum), old.maximum.min(new.maximum));
    if least > most {
        return true;
    }
    if new.minimum <= old.minimum && new.maximum >= old.maximum {
        return false;
    }
    // Where values were given out, the next one must stay behind them: only what lies on the side where the sequence
    // has yet to come to is moved.
    let mut sql = Sql::new("SELECT pg_catalog.setval(s.oid,");
    sql.number(new.start.clamp(least, most)).kw(", false) FROM (SELECT").sql(sequence);
    sql.kw(") AS s (oid) WHERE coalesce(pg_catalog.pg_sequence_last_value(s.oid)");
    if new.increment > 0 {
        sql.kw("<").number(new.minimum);
    } else {
        sql.kw(">").number(new.maximum);
    }
    sql.kw(", true)");
    out.push(sql);
    false
}

/// Lets a new sequence (an expression of it) go on where the values of a column that exists end: it would give them
/// out again.
pub fn go_on(sequence: &Sql, column: ObjectId, settings: &Sequence, out: &mut Steps) {
    let Some(table) = column.parent() else { return };
    let last = |sql: &mut Sql| {
        sql.kw(if settings.increment > 0 { "max(" } else { "min(" });
        sql.tight().ident(column.name()).kw(")");
    };
    let mut sql = Sql::new("SELECT pg_catalog.setval(");
    sql.tight().sql(sequence).kw(",");
    last(&mut sql);
    sql.kw(") FROM");
    naming::own_name(&mut sql, table);
    sql.kw("HAVING");
    last(&mut sql);
    if settings.increment > 0 {
        sql.kw(">=").number(settings.start);
    } else {
        sql.kw("<=").number(settings.start);
    }
    out.push(sql).lock(table, Lock::AccessShare).scans();
}

impl ObjectKind for Sequence {
    fn nature(&self) -> Nature {
        Nature { dies_with_parent: false, ..Nature::DATA }
    }

    fn visit(&mut self, _: &mut dyn Visitor) {}

    crate::kinds::types::has_owner!();

    fn implies(&self, id: ObjectId, context: &Context<'_>) -> Vec<(ObjectId, Object)> {
        grant::implied(id, context)
    }

    fn write(&self, id: ObjectId, out: &mut Writer<'_>) {
        write::write(self, id, out);
    }

    fn create(&self, id: ObjectId, context: &Context<'_>, out: &mut Steps) {
        let mut sql = Sql::new("CREATE");
        if self.unlogged {
            sql.kw("UNLOGGED");
        }
        sql.kw("SEQUENCE");
        naming::own_name(&mut sql, id);
        if self.type_name.name().as_str() != "int8" {
            sql.kw("AS").type_name(&self.type_name);
        }
        let usual = Sequence::usual(self.type_name, self.increment);
        // The usual start follows from the limits; the usual increment is 1.
        self.settings(&Sequence { increment: 1, start: self.usual_start(), ..usual }, &mut sql);
        out.push(sql);
        types::set_owner(id, self.owner.0, context, out);
    }

    fn alter(old: &Self, new: &Self, id: ObjectId, _: &Context<'_>, out: &mut Steps) -> Alter {
        let Self {
            type_name,
            start: _,
            increment: _,
            minimum: _,
            maximum: _,
            cache: _,
            cycle: _,
            unlogged,
            owner: _,
            brought: _,
        } = new;
        let mut settings = Sql::default();
        if *type_name != old.type_name {
            settings.kw("AS").type_name(type_name);
            // Limits that were the old type's become the new one's by themselves; said, they need no such rule.
            settings.kw("MINVALUE").number(new.minimum).kw("MAXVALUE").number(new.maximum);
            new.settings(
                &Sequence { minimum: new.minimum, maximum: new.maximum, ..old.clone() },
                &mut settings,
            );
        } else {
            new.settings(old, &mut settings);
        }
        if !settings.is_empty() {
            let mut expression = Sql::default();
            let name = id.qname().map(sql::qualified).unwrap_or_default();
            expression.literal(&name).tight().kw("::pg_catalog.regclass");
            if make_room(&expression, old, new, out) {
                settings.kw("RESTART");
            }
            let mut sql = types::alter(id);
            sql.sql(&settings);
            out.push(sql);
        }
        if *unlogged != old.unlogged {
            let mut sql = types::alter(id);
            sql.kw(if *unlogged { "SET UNLOGGED" } else { "SET LOGGED" });
            out.push(sql);
        }
        Alter::InPlace
    }

    fn drop(&self, id: ObjectId, _: &Context<'_>, out: &mut Steps) {
        out.push(types::drop(id)).loses(Loss::DropObject, id);
    }

    fn rename(&self, from: ObjectId, to: ObjectId, context: &Context<'_>, out: &mut Steps) {
        let (Some(old), Some(new)) = (from.qname(), to.qname()) else { return };
        // An owned sequence goes to another schema with its table, and cannot go alone.
        let owned = context.current.contains(owned_by::id(to));
        let at = if owned { QName { schema: new.schema, name: old.name } } else { old };
        let head = |name: QName| {
            let mut sql = Sql::new("ALTER SEQUENCE");
            sql.name(name);
            sql
        };
        types::rename(head, at, new, out);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::Catalog;
    use crate::object::{Kind, Server};

    fn steps(run: impl FnOnce(ObjectId, &Context<'_>, &mut Steps)) -> Vec<String> {
        let catalog = Catalog::default();
        let server = Server { version: 15, role: Ident::new("me") };
        let context = Context { current: &catalog, desired: &catalog, server: &server };
        let mut steps = Steps::default();
        run(ObjectId::in_schema(Kind::Sequence, QName::new("app", "s")), &context, &mut steps);
        steps.list.into_iter().map(|step| step.sql).collect()
    }

    fn of(type_name: &str, increment: i64) -> Sequence {
        Sequence::usual(TypeName::parse(type_name).unwrap(), increment)
    }

    #[test]
    fn a_new_sequence_says_what_is_unusual() {
        let created = |sequence: Sequence| steps(|id, context, out| sequence.create(id, context, out));
        assert_eq!(created(of("bigint", 1)), ["CREATE SEQUENCE app.s"]);
        assert_eq!(created(of("bigint", -1)), ["CREATE SEQUENCE app.s INCREMENT BY -1"]);
        assert_eq!(
            created(Sequence { start: 1000, cache: 10, cycle: true, ..of("smallint", 1) }),
            ["CREATE SEQUENCE app.s AS smallint START WITH 1000 CACHE 10 CYCLE"]
        );
        assert_eq!(
            created(Sequence { minimum: 10, start: 10, unlogged: true, ..of("bigint", 1) }),
            ["CREATE UNLOGGED SEQUENCE app.s MINVALUE 10"]
        );
    }

    #[test]
    fn settings_change_in_place() {
        let altered = |old: Sequence, new: Sequence| {
            steps(|id, context, out| {
                Sequence::alter(&old, &new, id, context, out);
            })
        };
        assert_eq!(
            altered(of("integer", 1), of("bigint", 1)),
            ["ALTER SEQUENCE app.s AS bigint MINVALUE 1 MAXVALUE 9223372036854775807"]
        );
        assert_eq!(
            altered(of("bigint", 1), Sequence { increment: 5, cycle: true, ..of("bigint", 1) }),
            ["ALTER SEQUENCE app.s INCREMENT BY 5 CYCLE"]
        );
        assert!(altered(of("bigint", 1), of("bigint", 1)).is_empty());
    }
}
