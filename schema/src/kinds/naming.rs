//! How statements name an object: `COMMENT ON CONSTRAINT c ON app.t`, `ALTER TABLE app.t`, `GRANT … ON FUNCTION`.

use crate::catalog::Catalog;
use crate::id::{Address, ObjectId};
use crate::ident::QName;
use crate::kinds::{identity_sequence, not_null};
use crate::object::Kind;
use crate::sql::Sql;

/// `ALTER TABLE app.t` or the like, for the relation or domain that an object stands on.
pub fn alter_parent(id: ObjectId) -> Sql {
    let parent = id.parent().unwrap_or(id);
    let mut sql = Sql::new("ALTER");
    sql.kw(keyword(parent.kind()));
    own_name(&mut sql, parent);
    sql
}

/// The keyword of statements on a kind: `TABLE`, `MATERIALIZED VIEW`.
pub fn keyword(kind: Kind) -> &'static str {
    match kind {
        Kind::Role => "ROLE",
        Kind::Schema => "SCHEMA",
        Kind::Extension => "EXTENSION",
        Kind::Language => "LANGUAGE",
        Kind::Collation => "COLLATION",
        Kind::Enum | Kind::Composite | Kind::Range | Kind::BaseType => "TYPE",
        Kind::Domain => "DOMAIN",
        Kind::Sequence | Kind::IdentitySequence => "SEQUENCE",
        // An aggregate as a routine needs no star and no ORDER BY between its parentheses.
        Kind::Function | Kind::Aggregate => "ROUTINE",
        Kind::Table => "TABLE",
        Kind::ForeignTable => "FOREIGN TABLE",
        Kind::Column => "COLUMN",
        Kind::NotNull | Kind::Check | Kind::Key | Kind::Exclusion | Kind::ForeignKey => "CONSTRAINT",
        Kind::Index => "INDEX",
        Kind::View => "VIEW",
        Kind::MaterializedView => "MATERIALIZED VIEW",
        Kind::Statistics => "STATISTICS",
        Kind::Rule => "RULE",
        Kind::Trigger | Kind::CopiedTrigger => "TRIGGER",
        Kind::Policy => "POLICY",
        Kind::Publication => "PUBLICATION",
        Kind::EventTrigger => "EVENT TRIGGER",
        Kind::ForeignDataWrapper => "FOREIGN DATA WRAPPER",
        Kind::Server => "SERVER",
        Kind::Member => "TABLE",
        Kind::Default
        | Kind::OwnedBy
        | Kind::Comment
        | Kind::Grant
        | Kind::DefaultPrivileges
        | Kind::Unmodelled => "OBJECT",
    }
}

/// Writes the name of a root object: `app.t`, `app.f(integer)`, `app`.
pub fn own_name(sql: &mut Sql, id: ObjectId) {
    match id.address() {
        Address::Global(name) => {
            sql.ident(name);
        }
        Address::InSchema(name) => {
            sql.name(name);
        }
        Address::Routine(name, arguments) => {
            sql.name(name).tight();
            // Canonical type names, written by TypeName.
            sql.kw("(").tight().canonical_types(arguments).kw(")");
        }
        Address::On(parent, name) => match (id.kind(), parent.schema()) {
            (Kind::Index | Kind::Statistics, Some(schema)) => {
                sql.name(QName::new(schema, name));
            }
            _ => {
                sql.ident(name);
            }
        },
        Address::Of(target, _) => own_name(sql, target),
    }
}

/// Writes the name of a root object, or of what has one in the catalog only: the sequence of an identity column, as the
/// first of the two sides that knows it calls it.
pub fn name_at(sql: &mut Sql, id: ObjectId, sides: [&Catalog; 2]) {
    match identity_sequence::name_of(id, sides).filter(|_| id.kind() == Kind::IdentitySequence) {
        Some(name) => drop(sql.name(name)),
        None => own_name(sql, id),
    }
}

/// Writes the relation or domain that a constraint is on.
pub fn constrained(sql: &mut Sql, id: ObjectId) {
    if id.kind() == Kind::Domain {
        sql.kw("DOMAIN");
    }
    own_name(sql, id);
}

/// Writes an object as COMMENT ON, SECURITY LABEL or ALTER EXTENSION name it.
pub fn object(sql: &mut Sql, id: ObjectId, sides: [&Catalog; 2]) {
    sql.kw(keyword(id.kind()));
    match (id.kind(), id.address()) {
        (Kind::Column, Address::On(parent, name)) => {
            own_name(sql, parent);
            sql.kw(".").tight().ident(name);
        }
        (Kind::Index | Kind::Statistics, _) => own_name(sql, id),
        (Kind::NotNull, _) => {
            sql.ident(not_null::name_of(id, sides)).kw("ON");
            constrained(sql, id.root());
        }
        (_, Address::On(parent, name)) => {
            sql.ident(name).kw("ON");
            constrained(sql, parent);
        }
        _ => name_at(sql, id, sides),
    }
}
