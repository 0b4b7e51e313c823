//! Functions that take rows of a table, for rows of its facade: `full_name(u)` where `u` comes from the old name.
//!
//! PostgreSQL finds a function by the type of the row, and the facade's is another one. Each overload takes the row that
//! the facade gave, finds the table's by its primary key, and calls the function with that, as the caller.

use super::{Pending, Shape};
use crate::code::Code;
use crate::declare::Declarations;
use crate::diagnostic::Diagnostic;
use crate::fragment::{Fragment, Grammar};
use crate::id::{Address, ObjectId};
use crate::ident::{QName, Text};
use crate::kinds::comment::Comment;
use crate::kinds::function::{Attributes, Body, Function, Returns, Volatility};
use crate::kinds::grant;
use crate::object::{Kind, Object};
use crate::span::Span;
use crate::sql::{qualified, quoted};
use crate::type_name::TypeName;

impl Declarations<'_> {
    pub(super) fn facade_row_functions(&mut self, facade: &Pending, shape: &Shape) {
        let Some(table) = facade.of.qname().filter(|_| facade.of.kind() == Kind::Table) else { return };
        let Some(key) = self.shown_key(facade.of, shape) else {
            let message = format!(
                "`row_functions` finds rows by the primary key, and {} does not show that of {}",
                facade.name, facade.of
            );
            return self.report(Diagnostic::error(Code::FacadeNotUpdatable, message).at(facade.span));
        };
        let takes_row = |function: &Function| {
            let mut inputs = function.arguments.iter().filter(|argument| argument.mode.is_input());
            inputs.clone().filter(|argument| argument.type_name.qname() == Some(table)).count() == 1
                && inputs.all(|argument| argument.mode == crate::kinds::function::Mode::In)
                && !function.procedure
        };
        let functions: Vec<(ObjectId, Function)> = self
            .out
            .catalog
            .iter()
            .filter_map(|(id, entry)| match &entry.object {
                Object::Function(function) if takes_row(function) => Some((id, function.clone())),
                _ => None,
            })
            .collect();
        for (id, function) in functions {
            let Some(name) = id.qname() else { continue };
            let mut overload = function.clone();
            let mut passed = Vec::new();
            let mut row = 0;
            let inputs = overload.arguments.iter_mut().filter(|argument| argument.mode.is_input());
            for (place, argument) in (1..).zip(inputs) {
                if argument.type_name.qname() == Some(table) {
                    argument.type_name = TypeName::of(facade.name);
                    row = place;
                    passed.push("t".to_owned());
                } else {
                    passed.push(format!("${place}"));
                }
            }
            let found: Vec<String> = key
                .iter()
                .map(|(seen, column)| format!("t.{} = (${row}).{}", quoted(*column), quoted(*seen)))
                .collect();
            let (from, call) = (qualified(table), format!("{}({})", qualified(name), passed.join(", ")));
            let found = found.join(" AND ");
            let select = match function.returns {
                Some(Returns::Table(_)) => {
                    format!("SELECT f.* FROM {from} AS t CROSS JOIN LATERAL {call} AS f WHERE {found}")
                }
                // Under a name of its own: PostgreSQL's would be the function's, and stay so when that gets another one.
                _ => format!("SELECT {call} AS result FROM {from} AS t WHERE {found}"),
            };
            let text = format!("BEGIN ATOMIC\n    {select};\nEND");
            overload.language = crate::ident::Ident::new("sql");
            overload.body = Body::Sql(Fragment::canonical(&text, Grammar::Routine));
            // It reads the table.
            let volatility = match function.attributes.volatility {
                Volatility::Immutable => Volatility::Stable,
                other => other,
            };
            let Attributes { strict, parallel, rows, .. } = function.attributes.clone();
            overload.attributes = Attributes { volatility, strict, parallel, rows, ..Attributes::default() };
            (overload.support, overload.transforms) = (None, Vec::new());
            // By its old names it is called with such rows too.
            let names: Vec<QName> = std::iter::once(name).chain(self.routine_names(id)).collect();
            for name in names {
                let own = ObjectId::new(Kind::Function, Address::Routine(name, overload.inputs()));
                self.row_function(id, own, overload.clone(), facade.span);
            }
        }
    }

    /// An overload of a function, with its privileges.
    fn row_function(&mut self, of: ObjectId, own: ObjectId, overload: Function, span: Span) {
        self.add(own, Object::Function(overload), span);
        let grants: Vec<(ObjectId, Object)> = self
            .out
            .catalog
            .children_of(of, Kind::Grant)
            .filter_map(|below| {
                Some((grant::id(own, below.name()), self.out.catalog.get(below)?.object.clone()))
            })
            .collect();
        for (id, object) in grants {
            self.add(id, object, span);
        }
        let comment = Comment { text: Text::new(&super::line(of)) };
        self.add(ObjectId::of(Kind::Comment, own, ""), Object::Comment(comment), span);
    }
}
