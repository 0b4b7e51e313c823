//! Mixins: the entries of conventions, put into a table's own.

use super::Declarations;
use super::substitute::{Substitute, Values};
use crate::code::Code;
use crate::diagnostic::Diagnostic;
use crate::ident::Ident;
use crate::span::Span;
use crate::spec::{Map, MixinSpec, Name, Text, UseSpec, ViewSpec, Written};
use crate::spec::{TableSpec, table::PrimaryKeySpec};
use std::collections::HashMap;
use std::fmt::Debug;

/// A table with what its mixins bring.
#[derive(Debug)]
pub(super) struct Mixed {
    pub(super) table: TableSpec,
    /// Views that come with the table.
    pub(super) views: Map<ViewSpec>,
}

/// The table with its mixins' entries; nothing when it uses none. Its own entries win.
pub(super) fn mixed(
    declarations: &mut Declarations<'_>,
    schema: Ident,
    table: Ident,
    spec: &TableSpec,
) -> Option<Mixed> {
    if spec.r#use.is_empty() {
        return None;
    }
    let mut found = Vec::new();
    for used in &spec.r#use {
        collect(declarations, used, &mut Vec::new(), &mut found);
    }
    let mut mixing = Mixing { table, origins: HashMap::new(), conflicts: Vec::new() };
    let mut mixed = Mixed { table: spec.clone(), views: Map::default() };
    for (name, mixin, parameters) in found {
        let mut mixin = mixin.clone();
        mixin.substitute(&Values { schema, table, parameters });
        mixing.put(&mut mixed, mixin, &name);
    }
    for conflict in mixing.conflicts {
        declarations.report(conflict);
    }
    Some(mixed)
}

type Found<'a> = (Name, &'a MixinSpec, HashMap<String, String>);

/// The mixins that one use names, those that they build on first.
fn collect<'a>(
    declarations: &mut Declarations<'a>,
    used: &UseSpec,
    open: &mut Vec<String>,
    found: &mut Vec<Found<'a>>,
) {
    let nothing = Map::default();
    let uses: Vec<(&Name, &Map<Text>)> = match used {
        Written::Short(name) => vec![(name, &nothing)],
        Written::Long(map) => map.iter().map(|(name, parameters)| (name, parameters)).collect(),
    };
    for (name, given) in uses {
        let Some((_, mixin)) = declarations.mixins.get(name.as_str()).copied() else {
            let message = format!("there is no mixin `{name}`");
            let mut error = Diagnostic::error(Code::UnknownMixin, message).at(name.span);
            let known = declarations
                .mixins
                .keys()
                .map(|known| (strsim::damerau_levenshtein(known, name.as_str()), *known));
            if let Some((_, near)) = known.filter(|(distance, _)| *distance <= 2).min() {
                error = error.help(format!("did you mean `{near}`?"));
            }
            declarations.report(error);
            continue;
        };
        if open.iter().any(|other| other == name.as_str()) {
            let message = format!("the mixin `{name}` builds on itself");
            declarations.report(Diagnostic::error(Code::UnknownMixin, message).at(name.span));
            continue;
        }
        let Some(parameters) = parameters(declarations, name, mixin, given) else { continue };
        // What two mixins build on is looked at once: each level may use the one below twice.
        if found.iter().any(|(other, _, values)| other.text == name.text && *values == parameters) {
            continue;
        }
        open.push(name.text.clone());
        for inner in &mixin.r#use {
            collect(declarations, inner, open, found);
        }
        open.pop();
        found.push((name.clone(), mixin, parameters));
    }
}

fn parameters(
    declarations: &mut Declarations<'_>,
    name: &Name,
    mixin: &MixinSpec,
    given: &Map<Text>,
) -> Option<HashMap<String, String>> {
    let mut values = HashMap::new();
    let mut complete = true;
    for (parameter, _) in
        given.iter().filter(|(parameter, _)| mixin.parameters.get(parameter.as_str()).is_none())
    {
        let message = format!("the mixin `{name}` has no parameter `{parameter}`");
        let error = Diagnostic::error(Code::MixinParameter, message).at(parameter.span);
        let known: Vec<&str> = mixin.parameters.iter().map(|(known, _)| known.as_str()).collect();
        let near = known.iter().map(|known| (strsim::damerau_levenshtein(known, parameter.as_str()), known));
        declarations.report(match near.min().filter(|(distance, _)| *distance <= 2) {
            Some((_, near)) => error.help(format!("did you mean `{near}`?")),
            None if known.is_empty() => error.help("it has none"),
            None => error.help(format!("it has {}", known.join(", "))),
        });
        complete = false;
    }
    for (parameter, default) in &mixin.parameters {
        match given.get(parameter.as_str()).or(default.0.as_ref()) {
            Some(value) => {
                values.insert(parameter.text.clone(), value.text.clone());
            }
            None => {
                let message = format!("the mixin `{name}` needs a value for `{parameter}`");
                let error = Diagnostic::error(Code::MixinParameter, message).at(name.span);
                declarations.report(error.label(parameter.span, "has no default"));
                complete = false;
            }
        }
    }
    complete.then_some(values)
}

/// Where an entry that is not the table's own came from, and how it reads.
struct Origin {
    mixin: Name,
    span: Span,
    print: String,
}

struct Mixing {
    table: Ident,
    origins: HashMap<(&'static str, String), Origin>,
    conflicts: Vec<Diagnostic>,
}

impl Mixing {
    fn put(&mut self, mixed: &mut Mixed, from: MixinSpec, name: &Name) {
        let MixinSpec {
            parameters: _,
            comment: _,
            r#use: _,
            columns,
            primary_key,
            unique,
            checks,
            foreign_keys,
            exclusions,
            indexes,
            statistics,
            rls,
            policies,
            triggers,
            rules,
            grants,
            options,
            replica_identity,
            published_in,
            views,
        } = from;
        let table = &mut mixed.table;
        self.map("column", &mut table.columns, columns, name);
        self.map("unique", &mut table.unique, unique, name);
        self.map("check", &mut table.checks, checks, name);
        self.map("foreign key", &mut table.foreign_keys, foreign_keys, name);
        self.map("exclusion", &mut table.exclusions, exclusions, name);
        self.map("index", &mut table.indexes, indexes, name);
        self.map("statistics", &mut table.statistics, statistics, name);
        self.map("policy", &mut table.policies, policies, name);
        self.map("trigger", &mut table.triggers, triggers, name);
        self.map("rule", &mut table.rules, rules, name);
        self.map("grants to", &mut table.grants, grants, name);
        self.map("option", &mut table.options, options, name);
        self.map("view", &mut mixed.views, views, name);
        let key_span = primary_key.as_ref().map(primary_key_span);
        self.one("primary key", &mut table.primary_key, primary_key, key_span, name);
        let rls_span = rls.as_ref().map(|rls| rls.span);
        self.one("row-level security", &mut table.rls, rls, rls_span, name);
        let identity_span = replica_identity.as_ref().map(|sql| sql.span());
        self.one("replica identity", &mut table.replica_identity, replica_identity, identity_span, name);
        for publication in published_in.0 {
            if !table.published_in.iter().any(|known| known.text == publication.text) {
                table.published_in.0.push(publication);
            }
        }
    }

    fn map<V: Debug>(&mut self, what: &'static str, own: &mut Map<V>, from: Map<V>, mixin: &Name) {
        for (key, value) in from {
            let print = format!("{value:?}");
            if own.get(key.as_str()).is_none() {
                self.remember(what, key.as_str(), key.span, print, mixin);
                own.0.push((key, value));
            } else {
                self.compare(what, key.as_str(), key.span, &print, mixin);
            }
        }
    }

    fn one<V: Debug>(
        &mut self,
        what: &'static str,
        own: &mut Option<V>,
        from: Option<V>,
        span: Option<Span>,
        mixin: &Name,
    ) {
        let Some(value) = from else { return };
        let span = span.unwrap_or(mixin.span);
        let print = format!("{value:?}");
        if own.is_none() {
            self.remember(what, "", span, print, mixin);
            *own = Some(value);
        } else {
            self.compare(what, "", span, &print, mixin);
        }
    }

    fn remember(&mut self, what: &'static str, key: &str, span: Span, print: String, mixin: &Name) {
        self.origins.insert((what, key.to_owned()), Origin { mixin: mixin.clone(), span, print });
    }

    /// An entry of that key is there. It is the table's own, or another mixin's that must say the same.
    fn compare(&mut self, what: &'static str, key: &str, span: Span, print: &str, mixin: &Name) {
        let Some(first) = self.origins.get(&(what, key.to_owned())).filter(|first| first.print != print)
        else {
            return;
        };
        let thing = if key.is_empty() { what.to_owned() } else { format!("{what} `{key}`") };
        let message = format!(
            "the mixins `{}` and `{mixin}` disagree about the {thing} of `{}`",
            first.mixin, self.table
        );
        let error = Diagnostic::error(Code::MixinConflict, message).at(mixin.span);
        let error =
            error.label(first.span, format!("in `{}`", first.mixin)).label(span, format!("in `{mixin}`"));
        self.conflicts.push(error.help("write it in the table's own entry, which wins over both"));
    }
}

fn primary_key_span(key: &PrimaryKeySpec) -> Span {
    match key {
        Written::Short(sql) => sql.span(),
        Written::Long(map) => {
            map.iter().next().map_or_else(|| Span::new(crate::span::FileId(0), 0, 0), |(name, _)| name.span)
        }
    }
}
