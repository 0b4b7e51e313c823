//! A state of a world as the files of a project. JSON is YAML too, and keeps every text as it is.

use super::{Sort, Thing, World, Writes, Y, quoted};
use std::collections::BTreeMap;
use std::fmt::Write;

/// What a file says, by the kinds of its objects.
type Sections<'a> = BTreeMap<&'a str, Vec<(String, Y)>>;

const PROJECT: &str = "\
postgres: 14
sources: [schema/]
search_path: [public]
exposed: [public]
external: { roles: [anon, authenticated, service_role] }
undeclared: drop
";

impl Y {
    fn json(&self, out: &mut String, depth: usize) {
        match self {
            Y::Text(text) => out.push_str(&json_text(text)),
            Y::List(all) => {
                out.push('[');
                for (at, one) in all.iter().enumerate() {
                    out.push_str(if at > 0 { ", " } else { "" });
                    one.json(out, depth);
                }
                out.push(']');
            }
            Y::Map(all) => {
                out.push_str("{\n");
                for (at, (key, one)) in all.iter().enumerate() {
                    let _ = write!(out, "{}{}: ", "  ".repeat(depth + 1), json_text(key));
                    one.json(out, depth + 1);
                    out.push_str(if at + 1 < all.len() { ",\n" } else { "\n" });
                }
                let _ = write!(out, "{}}}", "  ".repeat(depth));
            }
        }
    }

    fn said(&self, world: &World, state: usize) -> Y {
        match self {
            Y::Text(text) => Y::Text(world.said(text, state)),
            Y::List(all) => Y::List(all.iter().map(|one| one.said(world, state)).collect()),
            Y::Map(all) => {
                Y::Map(all.iter().map(|(key, one)| (key.clone(), one.said(world, state))).collect())
            }
        }
    }
}

/// Begins a text that stands without quotes.
pub(super) const BARE: char = '\u{1}';

fn json_text(text: &str) -> String {
    match text.strip_prefix(BARE) {
        Some(bare) => bare.to_owned(),
        None => serde_json::Value::from(text).to_string(),
    }
}

fn section(sort: Sort) -> &'static str {
    match sort {
        Sort::Enum => "enums",
        Sort::Composite => "types",
        Sort::Domain => "domains",
        Sort::Sequence => "sequences",
        Sort::Table => "tables",
        Sort::View => "views",
        Sort::Matview => "materialized_views",
        Sort::Function => "functions",
        Sort::Procedure => "procedures",
        Sort::Aggregate => "aggregates",
    }
}

impl World {
    /// The files of a state: name and text.
    pub fn files(&self, state: usize) -> Vec<(String, String)> {
        let mut domains: BTreeMap<&str, Sections<'_>> = BTreeMap::new();
        domains.entry("public").or_default();
        for (schema, _) in self.usage.iter().filter(|_| state > 0) {
            domains.entry(schema).or_default();
        }
        for (at, thing) in self.things.iter().enumerate() {
            let place = &thing.places[state];
            let entry = Y::Map(self.entry(at, state));
            let sections = domains.entry(&place.schema).or_default();
            sections.entry(section(thing.sort)).or_default().push((place.name.clone(), entry));
        }
        let mut files = vec![("schemac.yaml".to_owned(), PROJECT.to_owned())];
        for (number, (schema, sections)) in domains.into_iter().enumerate() {
            let mut all = vec![("domain".to_owned(), Y::text(schema))];
            let roles = |roles: &[String]| {
                Y::Map(roles.iter().map(|role| (role.clone(), Y::text("usage"))).collect())
            };
            let open = ["anon", "authenticated", "service_role"].map(str::to_owned);
            if schema == "public" {
                all.push(("grants".to_owned(), roles(&open)));
                all.extend(self.globals());
            } else if let Some((_, to)) =
                self.usage.iter().find(|(name, to)| name == schema && !to.is_empty())
            {
                all.push(("grants".to_owned(), roles(to)));
            }
            all.extend(sections.into_iter().map(|(key, entries)| (key.to_owned(), Y::Map(entries))));
            let mut text = String::new();
            Y::Map(all).json(&mut text, 0);
            text.push('\n');
            files.push((format!("schema/{number}.yaml"), text));
        }
        files
    }

    fn globals(&self) -> Vec<(String, Y)> {
        let mut all = Vec::new();
        let one = |(objects, role): &(String, String)| {
            let grant = if objects == "functions" { "execute" } else { "all" };
            Y::Map(vec![
                ("objects".into(), Y::text(objects)),
                ("to".into(), Y::text(role)),
                ("grant".into(), Y::text(grant)),
            ])
        };
        if !self.defaults.is_empty() {
            all.push(("default_privileges".into(), Y::List(self.defaults.iter().map(one).collect())));
        }
        if self.published {
            let feed = Y::Map(vec![("publish".into(), Y::List(vec![Y::text("insert")]))]);
            all.push(("publications".into(), Y::Map(vec![("feed".into(), feed)])));
        }
        all
    }

    fn entry(&self, at: usize, state: usize) -> Vec<(String, Y)> {
        let thing = &self.things[at];
        let mut entry: Vec<(String, Y)> = Vec::new();
        let earlier = self.earlier(at, state);
        if !earlier.is_empty() {
            let names = earlier.iter().map(|(_, place)| Y::text(place.sql())).collect();
            entry.push(("moved_from".into(), Y::List(names)));
            if let Some(writes) = thing.facade {
                // Where clients may not come, nobody knows a name.
                let open = |schema: &str| {
                    schema == "public" || self.usage.iter().any(|(name, to)| name == schema && to.len() > 2)
                };
                let all = earlier
                    .iter()
                    .filter(|(_, place)| open(&place.schema))
                    .map(|(before, place)| self.facade(thing, *before, state, &place.sql(), writes));
                entry.push(("facade".into(), Y::List(all.collect())));
            }
        }
        if !thing.columns.is_empty() {
            let columns = thing.columns.iter().map(|column| {
                let own = column.names[state].clone();
                let mut earlier: Vec<&String> =
                    column.names[..state].iter().filter(|name| **name != own).collect();
                earlier.dedup();
                let definition = self.said(&column.definition, state);
                (own, self.column(definition, column.comment.as_deref(), &earlier))
            });
            entry.push(("columns".into(), Y::Map(columns.collect())));
        }
        entry.extend(thing.entry.iter().map(|(key, value)| (key.clone(), value.said(self, state))));
        if !thing.grants.is_empty() {
            let grants = thing.grants.iter().map(|(role, granted)| {
                (role.clone(), Y::List(granted.iter().map(|one| Y::text(self.said(one, state))).collect()))
            });
            entry.push(("grants".into(), Y::Map(grants.collect())));
        }
        entry
    }

    /// The short form, or the long one where there is more to say.
    fn column(&self, definition: String, comment: Option<&str>, earlier: &[&String]) -> Y {
        if comment.is_none() && earlier.is_empty() {
            return Y::Text(definition);
        }
        let mut long = Vec::new();
        let mut rest = definition.as_str();
        let mut take = |key: &str, word: &str| {
            let (before, behind) = rest.split_once(word)?;
            rest = before;
            Some((key.to_owned(), Y::text(behind)))
        };
        let generated = take("generated", " generated always as (");
        let identity = take("identity", " generated ");
        let default = take("default", " default ");
        let not_null = take("not_null", " not null");
        long.push(("type".to_owned(), Y::text(rest)));
        if let Some((key, _)) = not_null {
            long.push((key, Y::Text(format!("{BARE}true"))));
        }
        long.extend(default);
        if let Some((key, Y::Text(expression))) = generated {
            let expression = expression.trim_end_matches(" stored");
            let expression = expression.strip_suffix(')').unwrap_or(expression);
            long.push((key, Y::text(expression)));
        }
        if let Some((key, Y::Text(text))) = identity {
            long.push((key, Y::text(text.trim_end_matches(" as identity"))));
        }
        if let Some(comment) = comment {
            long.push(("comment".to_owned(), Y::text(comment)));
        }
        if !earlier.is_empty() {
            let names = earlier.iter().map(|name| Y::text(name.as_str())).collect();
            long.push(("renamed_from".to_owned(), Y::List(names)));
        }
        Y::Map(long)
    }

    fn facade(&self, thing: &Thing, before: usize, state: usize, name: &str, writes: Writes) -> Y {
        if thing.sort != Sort::Table {
            return Y::text(name);
        }
        let renamed: Vec<(String, Y)> = thing
            .columns
            .iter()
            // Once it had another name, every facade says which one it shows.
            .filter(|column| column.names[..state].iter().any(|name| *name != column.names[state]))
            .map(|column| (column.names[before].clone(), Y::text(quoted(&column.names[state]))))
            .collect();
        if renamed.is_empty() && writes == Writes::Auto && !thing.rows_taken {
            return Y::text(name);
        }
        let mut long = vec![("name".to_owned(), Y::text(name))];
        if !renamed.is_empty() {
            long.push(("columns".to_owned(), Y::Map(renamed)));
        }
        match writes {
            Writes::Auto => {}
            Writes::Triggers => long.push(("writes".to_owned(), Y::text("triggers"))),
            Writes::Nothing => long.push(("writes".to_owned(), Y::text("none"))),
        }
        if thing.rows_taken {
            long.push(("row_functions".to_owned(), Y::Text(format!("{BARE}true"))));
        }
        Y::Map(long)
    }
}
