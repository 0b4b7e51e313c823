//! What is said of names that mean nothing, or a facade: with the name that was likely meant.

use super::{Binder, is_system};
use schemac_schema::builtin;
use schemac_schema::code::Code;
use schemac_schema::diagnostic::Diagnostic;
use schemac_schema::id::ObjectId;
use schemac_schema::ident::{Ident, QName};
use schemac_schema::names::Mention;
use schemac_schema::span::Span;
use schemac_schema::type_name;

impl Binder<'_> {
    pub(super) fn unknown(&mut self, code: Code, what: &str, parts: &[Ident], span: Option<Span>) {
        if is_system(parts) || self.is_brought(parts) {
            return;
        }
        if code != Code::UnknownRole && self.unknown_schema(what, parts, span) {
            return;
        }
        let name = dotted(parts);
        let is_known: fn(ObjectId) -> bool = match code {
            Code::UnknownType => |id| id.kind().is_type(),
            Code::UnknownFunction => |id| id.kind().is_routine(),
            Code::UnknownRole => ObjectId::is_role,
            _ => |id| id.kind().is_relation(),
        };
        let own = |id: &ObjectId| id.schema().is_none_or(|schema| self.binding.search_path.contains(&schema));
        let nearest = match *parts {
            [bare] => {
                let known = self.catalog.ids().filter(|id| is_known(*id)).filter(own);
                let mut names: Vec<String> = known.map(|id| id.name().to_string()).collect();
                match code {
                    Code::UnknownType => {
                        names.extend(
                            type_name::built_in().chain(SPELLINGS.iter().copied()).map(str::to_owned),
                        );
                    }
                    Code::UnknownFunction => names.extend(builtin::functions().map(str::to_owned)),
                    _ => {}
                }
                nearest(bare.as_str(), names.iter().map(String::as_str)).map(str::to_owned)
            }
            _ => {
                let known = self.catalog.ids().filter(|id| is_known(*id)).filter_map(ObjectId::qname);
                let names: Vec<String> = known.map(|name| name.to_string()).collect();
                nearest(&name, names.iter().map(String::as_str)).map(str::to_owned)
            }
        };
        if !self.binding.complete {
            let declared = |schema: &Ident| self.binding.own.contains(schema);
            let is_own = match *parts {
                [_] => self.binding.search_path.iter().all(declared),
                [.., schema, _] => declared(&schema),
                [] => false,
            };
            if let (Some(nearest), true) = (nearest, is_own && code != Code::UnknownRole) {
                let message = format!("{} uses {what} \"{name}\", which no file declares", self.id);
                self.say(
                    Diagnostic::warning(code, message).help(format!("did you mean \"{nearest}\"?")),
                    span,
                );
            }
            return;
        }
        let diagnostic =
            Diagnostic::error(code, format!("{} uses {what} \"{name}\", which does not exist", self.id));
        let help = match nearest {
            Some(nearest) => format!("did you mean \"{nearest}\"?"),
            None => format!(
                "declare it in a file, or create it in the database before ({what}s that others manage are found there)"
            ),
        };
        self.say(diagnostic.help(help), span);
    }

    pub(super) fn say(&mut self, diagnostic: Diagnostic, span: Option<Span>) {
        self.diagnostics.push(diagnostic.at(span.or(self.span)));
    }

    /// Says that the name's first part is no schema of anybody, where that is so.
    pub(super) fn unknown_schema(&mut self, what: &str, parts: &[Ident], span: Option<Span>) -> bool {
        let [.., schema, _] = *parts else { return false };
        let exists = self.binding.own.contains(&schema)
            || self.catalog.ids().any(|id| id.is_schema() && id.name() == schema)
            || self.catalog.ids().any(|id| id.schema() == Some(schema));
        if exists || !self.binding.complete {
            return false;
        }
        let message =
            format!("{} uses {what} \"{}\", and there is no schema \"{schema}\"", self.id, dotted(parts));
        let schemas: Vec<Ident> =
            self.catalog.ids().filter(|id| id.is_schema()).map(ObjectId::name).collect();
        let error = Diagnostic::error(Code::UnknownSchema, message);
        let error = match nearest(schema.as_str(), schemas.iter().map(|name| name.as_str())) {
            Some(near) => error.help(format!("did you mean \"{near}\"?")),
            None => error.help("declare it with `domain:`, or create it in the database before"),
        };
        self.say(error, span);
        true
    }

    /// A name without a schema that means a facade would change its meaning when the facade goes.
    pub(super) fn refuse_facade(&mut self, mention: &Mention, name: QName, span: Option<Span>) {
        let Some(table) = self.binding.facades.get(&name).copied() else { return };
        if self.generated_facade || mention.parts.len() != 1 {
            return;
        }
        let mut diagnostic = Diagnostic::error(
            Code::OldNameBindsToFacade,
            format!(
                "{} says \"{}\", which is the facade {name} and not the table",
                self.id, mention.parts[0]
            ),
        )
        .help(format!("write {}, or {name} where the facade is meant", table.path()));
        if let Some(span) = span {
            diagnostic = diagnostic.at(span);
        }
        self.diagnostics.push(diagnostic);
    }

    pub(super) fn unknown_column(&mut self, tables: &[ObjectId], column: Ident, span: Option<Span>) {
        let names: Vec<Ident> =
            tables.iter().flat_map(|table| self.catalog.columns(*table)).map(|(id, _)| id.name()).collect();
        if names.is_empty() {
            return;
        }
        let who = match tables {
            [table] => format!("{} does not have", table.path()),
            _ => "none of its tables has".to_owned(),
        };
        let message = format!("{} uses the column \"{column}\", which {who}", self.id);
        let error = Diagnostic::error(Code::UnknownColumn, message);
        let error = match nearest(column.as_str(), names.iter().map(|name| name.as_str())) {
            Some(nearest) => error.help(format!("did you mean \"{nearest}\"?")),
            None => error,
        };
        self.say(error, span);
    }
}

/// Types that the grammar knows by other names than the catalogs.
const SPELLINGS: &[&str] =
    &["bigint", "boolean", "character", "decimal", "integer", "real", "smallint", "timestamp", "timestamptz"];

/// The known name that is nearest to a wrong one, where one is near.
pub(crate) fn nearest<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let limit = (name.len() / 3).max(1);
    known
        .filter(|candidate| candidate.len().abs_diff(name.len()) <= limit && *candidate != name)
        .map(|candidate| (strsim::osa_distance(name, candidate), candidate))
        .filter(|(distance, _)| *distance <= limit)
        .min()
        .map(|(_, candidate)| candidate)
}

/// A name as people read it.
fn dotted(parts: &[Ident]) -> String {
    parts.iter().map(|part| part.as_str()).collect::<Vec<_>>().join(".")
}
