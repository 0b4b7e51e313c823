//! What stands around the objects in the files of an import: schemac.yaml, comments, names of files.

use super::Options;
use crate::introspect::Reading;
use crate::load::profile;
use schemac_schema::ident::{Ident, QName};
use schemac_schema::spec::project::Profile;
use schemac_schema::write::{Map, Node, name, text};
use std::collections::BTreeSet;

/// The name of a schema's file, without anything that a file's name cannot have.
pub fn file_name(schema: Ident) -> String {
    let safe = |c: char| if c.is_alphanumeric() || "_-".contains(c) { c } else { '_' };
    schema.as_str().chars().map(safe).collect()
}

/// The comment that lists what a file does not say.
pub fn of_missing(all: &[String]) -> String {
    let mut head =
        String::from("# In the database, and not in this file, because schemac has no form for it yet:\n");
    for one in all {
        head.push_str(&comment(one));
    }
    head.push('\n');
    head
}

fn comment(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    // A control character would be no YAML even here.
    let line: String = line.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    format!("#   {line}\n")
}

/// schemac.yaml; the owner is that of what names none, where owners matter. What no file declares goes, unless the import itself could not write everything.
pub fn project(
    reading: &Reading,
    options: &Options,
    (roles, owner): (BTreeSet<Ident>, Option<Ident>),
    review: &[QName],
    whole: bool,
) -> String {
    let mut map = Map::keys();
    map.set("postgres", Node::word(reading.server.version));
    if options.profile == Some(Profile::Supabase) {
        map.set("profile", Node::word("supabase"));
    }
    map.set("sources", Node::List(vec![Node::word("schema/")]));
    let names = |names: Vec<Ident>| Node::List(names.into_iter().map(|one| Node::Text(name(one))).collect());
    map.set("search_path", names(search_path(reading, options)));
    let preset = profile::preset(options.profile).1;
    let roles: Vec<Ident> = roles.into_iter().filter(|role| !preset.contains(role)).collect();
    if !roles.is_empty() {
        let mut external = Map::keys();
        external.set("roles", names(roles));
        map.set("external", Node::Map(external));
    }
    if let Some(owner) = owner {
        let mut manage = Map::keys();
        manage.flag("owners", true);
        map.set("owner", Node::Text(name(owner))).set("manage", Node::Map(manage));
    }
    map.set("undeclared", Node::word(if whole { "drop" } else { "report" }));
    let mut out = text(&map);
    if !review.is_empty() {
        out.push_str(
            "\n# review_needed: no rule of the import speaks of these tables; they stay where they are.\n",
        );
        for table in review {
            out.push_str(&comment(&table.to_string()));
        }
    }
    out
}

/// The schemas of the connection's search_path; on Supabase its extensions too.
fn search_path(reading: &Reading, options: &Options) -> Vec<Ident> {
    let mut path = reading.search_path.clone();
    if path.is_empty() {
        path.push(Ident::new("public"));
    }
    let extensions = Ident::new("extensions");
    if options.profile == Some(Profile::Supabase) && !path.contains(&extensions) {
        path.push(extensions);
    }
    path
}
