//! Catalogs made by hand, object by object, and fragments at every kind of place in them.

use schemac_compiler::elaborate::{self, Answers, elaborate};
use schemac_schema::catalog::{Catalog, Entry, Standing};
use schemac_schema::fragment::{Aside, Fragment, Grammar};
use schemac_schema::id::{Address, ObjectId};
use schemac_schema::ident::{Ident, QName, Text};
use schemac_schema::kinds::check::Check;
use schemac_schema::kinds::column::{Column, Generated};
use schemac_schema::kinds::default::Default as ColumnDefault;
use schemac_schema::kinds::domain::Domain;
use schemac_schema::kinds::exclusion::Exclusion;
use schemac_schema::kinds::function::{Argument, Body, Mode};
use schemac_schema::kinds::index::Index;
use schemac_schema::kinds::member::Member;
use schemac_schema::kinds::policy::{Command, Policy};
use schemac_schema::kinds::rule::{Event, Rule};
use schemac_schema::kinds::statistics::Statistics;
use schemac_schema::kinds::table::Table;
use schemac_schema::kinds::trigger::{Trigger, When};
use schemac_schema::kinds::view::View;
use schemac_schema::object::{Context, Kind, Object, Server};
use schemac_schema::question::Questions;
use schemac_schema::reference::{Reference, Target};
use schemac_schema::type_name::TypeName;

use crate::servers::OWNER;

/// A table's id.
pub fn table(schema: &str, name: &str) -> ObjectId {
    ObjectId::in_schema(Kind::Table, QName::new(schema, name))
}

/// An expression.
pub fn expression(text: &str) -> Fragment {
    Fragment::canonical(text, Grammar::Expression)
}

/// A check with this condition.
pub fn check(text: &str) -> Object {
    let expression = expression(text);
    Object::Check(Check { expression, no_inherit: false, not_valid: false, not_enforced: false })
}

/// An index with this definition.
pub fn index(text: &str) -> Object {
    Object::Index(Index {
        unique: false,
        definition: Fragment::canonical(text, Grammar::Index),
        options: Default::default(),
        tablespace: None,
        clustered: false,
        statistics: Default::default(),
        invalid: false,
    })
}

/// A view of this query.
pub fn view(text: &str) -> Object {
    Object::View(View {
        query: Fragment::canonical(text, Grammar::Query),
        columns: Aside(Vec::new()),
        options: Default::default(),
        owner: Aside(None),
        output: Aside(None),
    })
}

/// A trigger with this condition.
pub fn trigger(when: When, text: &str) -> Object {
    let new = when == When::Before && !text.to_lowercase().contains("old.");
    Object::Trigger(Trigger {
        when,
        insert: new,
        delete: false,
        update: true,
        update_of: Vec::new(),
        truncate: false,
        row: true,
        condition: Some(expression(text)),
        function: Reference::to(
            Target::Routine,
            QName::new("pg_catalog", "suppress_redundant_updates_trigger"),
        ),
        arguments: Vec::new(),
        constraint: None,
        from: None,
        old_table: None,
        new_table: None,
        enabled: Default::default(),
    })
}

fn table_of(name: Ident) -> ObjectId {
    ObjectId::in_schema(Kind::Table, QName { schema: "app".into(), name })
}

fn named(name: &str) -> TypeName {
    TypeName::parse(name).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// The arguments of a routine as they are written: `(a int, out b text default 'x') returns int`. Names and types of
/// one word.
fn arguments(head: &str) -> Vec<Argument> {
    let list = head.rsplit_once(") returns").map_or(head, |(list, _)| list);
    // A type's length has no comma in it here, and plays no part.
    let written = list.trim_start_matches('(').split(',').map(str::trim).filter(|one| !one.is_empty());
    written
        .map(|one| {
            let one = one.split_once(" default ").map_or(one, |(one, _)| one);
            let (mode, one) = match one.split_once(' ') {
                Some(("out", rest)) => (Mode::Out, rest),
                Some(("variadic", rest)) => (Mode::Variadic, rest),
                _ => (Mode::In, one),
            };
            let (name, of) = match one.split_once(' ') {
                Some((name, of)) => (Some(Ident::new(name)), of),
                None => (None, one),
            };
            Argument { mode, name, type_name: named(of), default: None }
        })
        .collect()
}

/// A catalog made by hand.
#[derive(Clone, Debug, Default)]
pub struct Made(pub Catalog);

impl Made {
    /// Puts an object where nothing stands yet.
    ///
    /// # Panics
    /// Something stands there.
    pub fn put(&mut self, id: ObjectId, object: Object) -> ObjectId {
        let entry = Entry { object, span: None, standing: Standing::Managed, uses: Vec::new() };
        self.0.insert(id, entry).unwrap_or_else(|holder| panic!("{holder}"));
        id
    }

    /// Columns of a table: names and types.
    pub fn columns(&mut self, table: ObjectId, columns: &[(&str, &str)]) {
        for (position, (name, of)) in columns.iter().enumerate() {
            let mut column = Column::new(named(of));
            column.position = Aside(u32::try_from(position).unwrap_or(0) + 1);
            self.put(ObjectId::on(Kind::Column, table, *name), Object::Column(column));
        }
    }

    /// A check of a table.
    pub fn check(&mut self, table: ObjectId, name: &str, text: &str) -> ObjectId {
        self.put(ObjectId::on(Kind::Check, table, name), check(text))
    }

    /// An index of a table.
    pub fn index(&mut self, table: ObjectId, name: &str, text: &str) -> ObjectId {
        self.put(ObjectId::on(Kind::Index, table, name), index(text))
    }

    /// A view.
    pub fn view(&mut self, schema: &str, name: &str, text: &str) -> ObjectId {
        self.put(ObjectId::in_schema(Kind::View, QName::new(schema, name)), view(text))
    }

    /// An object whose SQL at that place is a text, on a relation and of a type where the place needs them.
    pub fn probe(&mut self, place: &str, on: ObjectId, of: &str, text: &str, number: usize) -> ObjectId {
        let name = Ident::new(&format!("probe_{number}"));
        match place {
            "check" => self.put(ObjectId::on(Kind::Check, on, name), check(text)),
            "policy" => {
                let policy = Policy {
                    command: Command::All,
                    permissive: true,
                    roles: Vec::new(),
                    using: Some(expression(text)),
                    check: None,
                };
                self.put(ObjectId::on(Kind::Policy, on, name), Object::Policy(policy))
            }
            "trigger" => self.put(ObjectId::on(Kind::Trigger, on, name), trigger(When::Before, text)),
            "default" => {
                let mut column = Column::new(named(of));
                column.position = Aside(20_000 + u32::try_from(number).unwrap_or(0));
                let column = self.put(ObjectId::on(Kind::Column, on, name), Object::Column(column));
                let value = ColumnDefault::new(expression(text));
                self.put(ObjectId::of(Kind::Default, column, ""), Object::Default(value))
            }
            "generated" => {
                let mut column = Column::new(named(of));
                column.generated = Some(Generated { expression: expression(text), stored: true });
                column.position = Aside(10_000 + u32::try_from(number).unwrap_or(0));
                self.put(ObjectId::on(Kind::Column, on, name), Object::Column(column))
            }
            "domain" => {
                let domain = Domain {
                    base: named(of),
                    collation: None,
                    default: None,
                    not_null: false,
                    not_null_name: Aside(None),
                    owner: Aside(None),
                };
                let id = ObjectId::in_schema(Kind::Domain, QName { schema: "app".into(), name });
                self.put(id, Object::Domain(domain));
                self.put(ObjectId::on(Kind::Check, id, "it"), check(text))
            }
            "exclusion" => {
                let exclusion = Exclusion {
                    definition: Fragment::canonical(text, Grammar::Exclusion),
                    timing: Default::default(),
                    options: Default::default(),
                    tablespace: None,
                };
                self.put(ObjectId::on(Kind::Exclusion, on, name), Object::Exclusion(exclusion))
            }
            "statistics" => {
                let definition = Fragment::canonical(text, Grammar::Statistics);
                let statistics = Statistics { schema: "app".into(), definition, target: None };
                self.put(ObjectId::on(Kind::Statistics, on, name), Object::Statistics(statistics))
            }
            "rows" => {
                let member = Member { rows: Some(expression(text)), ..Member::default() };
                self.put(ObjectId::on(Kind::Member, on, name), Object::Member(member))
            }
            "partition_key" => self.partitioned(on, text, &name),
            "bound" => {
                let whole = self.partitioned(on, of, &Ident::new(&format!("probe_{number}_whole")));
                let parent = whole.qname().unwrap_or_else(|| panic!("a table has a name"));
                let bound = Fragment::canonical(text, Grammar::Bound);
                let of = Some((Reference::to(Target::Relation, parent), bound));
                let table = Table { partition_of: of, ..Table::default() };
                self.put(table_of(name), Object::Table(table))
            }
            "argument" => {
                let Some(Object::Function(mut function)) = self.template() else {
                    panic!("the project has a function norm(text)")
                };
                function.arguments[0].type_name = named(of);
                function.arguments[0].default = Some(expression(text));
                let address = Address::Routine(QName { schema: "app".into(), name }, named(of).canonical());
                self.put(ObjectId::new(Kind::Function, address), Object::Function(function))
            }
            "rule" => {
                let event = match of {
                    "INSERT" => Event::Insert,
                    "UPDATE" => Event::Update,
                    _ => Event::Delete,
                };
                let definition = Fragment::canonical(text, Grammar::Rule);
                let rule = Rule { event, definition, enabled: Default::default() };
                self.put(ObjectId::on(Kind::Rule, on, name), Object::Rule(rule))
            }
            "body" => {
                let Some(Object::Function(mut function)) = self.template() else {
                    panic!("the project has a function norm(text)")
                };
                function.arguments = arguments(of);
                function.body = Body::Sql(Fragment::canonical(text, Grammar::Routine));
                // Its own name is printed, so it has that one, and a schema for itself.
                let own = QName { schema: name, name: "f".into() };
                let types: Vec<String> =
                    function.arguments.iter().map(|one| one.type_name.canonical().to_string()).collect();
                let address = Address::Routine(own, Text::new(&types.join(", ")));
                self.put(ObjectId::new(Kind::Function, address), Object::Function(function))
            }
            "index" | "predicate" => self.put(ObjectId::on(Kind::Index, on, name), index(text)),
            _ => self.put(ObjectId::in_schema(Kind::View, QName { schema: "app".into(), name }), view(text)),
        }
    }

    /// The project's function `norm(text)`.
    fn template(&self) -> Option<Object> {
        let id = self.0.routines(QName::new("app", "norm")).first().copied()?;
        self.0.get(id).map(|entry| entry.object.clone())
    }

    /// A table partitioned by a key, with the columns of another one.
    fn partitioned(&mut self, like: ObjectId, key: &str, name: &Ident) -> ObjectId {
        let columns: Vec<(Ident, Column)> =
            self.0.columns(like).into_iter().map(|(id, column)| (id.name(), column.clone())).collect();
        let key = Some(Fragment::canonical(key, Grammar::PartitionKey));
        let table = self.put(table_of(*name), Object::Table(Table { partition_by: key, ..Table::default() }));
        for (name, column) in columns {
            self.put(ObjectId::on(Kind::Column, table, name), Object::Column(column));
        }
        table
    }

    /// Asks a server about everything in it, as the role that owns the tests' databases.
    ///
    /// # Panics
    /// The connection is lost.
    pub fn ask(&self, client: &mut postgres::Client, major: u32) -> Answers {
        let server = Server { version: major, role: Ident::new(OWNER) };
        let context = Context { current: &Catalog::default(), desired: &self.0, server: &server };
        let mut questions = Questions::default();
        for (id, entry) in self.0.iter() {
            entry.object.ask(id, &context, &mut questions);
        }
        elaborate(client, &questions, &["app".into()], &elaborate::Options::default())
            .unwrap_or_else(|error| panic!("{error}"))
    }
}
