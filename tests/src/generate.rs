//! Schemas of any size for `script/bench`: the same number of tables gives the same bytes.
//!
//! Every schema comes twice: as a project and as the SQL of the same objects. Its SQL is spelled as people spell it
//! (`in (…)`, `like`, casts, short names of types) and not as the catalog does, so that a project's texts are equal to
//! the database's in meaning only.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use crate::Result;

/// How many tables share a schema.
const TABLES_PER_DOMAIN: usize = 50;

/// How many tables there are for each view.
const TABLES_PER_VIEW: usize = 10;

/// A schema.
#[derive(Clone, Debug)]
pub struct Generated {
    /// What is there before: an enum and functions, which nobody declares.
    pub prelude: String,
    /// The project's files: name and text.
    pub files: Vec<(String, String)>,
    /// The same as the project, as SQL that runs after the prelude.
    pub sql: String,
}

impl Generated {
    /// Writes the project into a folder.
    ///
    /// # Errors
    /// When the files cannot be written.
    pub fn write(&self, folder: &Path) -> Result<()> {
        for (name, text) in &self.files {
            let path = folder.join(name);
            fs::create_dir_all(path.parent().unwrap_or(folder))?;
            fs::write(path, text)?;
        }
        Ok(())
    }
}

const PROJECT: &str = "\
postgres: 14
sources: [schema/]
search_path: [public]
external:
  schemas: [shared]
  roles: [authenticated, service_role]
undeclared: keep
";

const PRELUDE: &str = "\
create schema shared;
create type shared.stage as enum ('draft', 'review', 'active', 'closed');
create function shared.me() returns uuid language sql stable
  as $$ select nullif(current_setting('request.sub', true), '')::uuid $$;
create function shared.touch() returns trigger language plpgsql
  as $$ begin new.updated_at := now(); return new; end $$;
create function shared.is_member(who uuid, level text) returns boolean language sql stable
  as $$ select who is not null and level <> '' $$;
grant usage on schema shared to authenticated, service_role;
";

/// The schema of that many tables.
pub fn generate(tables: usize) -> Generated {
    let mut files = vec![("schemac.yaml".to_owned(), PROJECT.to_owned())];
    let mut sql = String::new();
    for first in (0..tables).step_by(TABLES_PER_DOMAIN) {
        let last = tables.min(first + TABLES_PER_DOMAIN);
        let domain = domain(first);
        let mut yaml =
            format!("domain: {domain}\ngrants: {{ authenticated: usage, service_role: usage }}\n\ntables:\n");
        let _ = writeln!(
            sql,
            "create schema {domain};\ngrant usage on schema {domain} to authenticated, service_role;"
        );
        for number in first..last {
            table(number, &mut yaml, &mut sql);
        }
        yaml.push_str("\nviews:\n");
        for number in (first..last).step_by(TABLES_PER_VIEW) {
            view(number, first, &mut yaml, &mut sql);
        }
        files.push((format!("schema/{domain}.yaml"), yaml));
    }
    Generated { prelude: PRELUDE.to_owned(), files, sql }
}

fn domain(table: usize) -> String {
    format!("area_{:02}", table / TABLES_PER_DOMAIN)
}

fn name(table: usize) -> String {
    const NOUNS: [&str; 10] =
        ["orders", "items", "notes", "events", "keys", "teams", "plans", "files", "tasks", "votes"];
    format!("{}_{table:04}", NOUNS[table % NOUNS.len()])
}

fn table(number: usize, yaml: &mut String, sql: &mut String) {
    let (domain, table) = (domain(number), name(number));
    let before = number.saturating_sub(1);
    let parent = format!("{}.{}", self::domain(before), name(before));
    let columns = [
        ("id", "uuid primary key default gen_random_uuid()".to_owned()),
        ("owner_id", "uuid not null".to_owned()),
        ("parent_id", format!("uuid references {parent} (id) on delete set null")),
        ("name", "varchar(120) not null".to_owned()),
        ("kind", "text not null default 'plain'".to_owned()),
        ("stage", "shared.stage not null default 'draft'".to_owned()),
        ("amount", "decimal(12,2) not null default 0".to_owned()),
        ("weight", "int".to_owned()),
        ("tags", "text[] default '{}'".to_owned()),
        ("settings", "jsonb not null default '{}'".to_owned()),
        ("is_archived", "bool not null default false".to_owned()),
        ("created_at", "timestamptz not null default now()".to_owned()),
        ("updated_at", "timestamptz not null default now()".to_owned()),
    ];
    let checks = [
        ("kind_check", format!("kind in ('plain', 'special', 'kind_{number}')")),
        ("name_check", "length(trim(name)) > 0 and name not like 'tmp%'".to_owned()),
        (
            "amount_check",
            format!("amount >= 0 and amount < {} and weight between 1 and 1000", 1_000_000 + number),
        ),
    ];
    let indexes = [
        ("owner_idx", "(owner_id, created_at desc)"),
        ("parent_idx", "(parent_id) where parent_id is not null"),
        ("stage_idx", "(stage, updated_at) where stage in ('draft', 'review') and not is_archived"),
        ("name_idx", "(lower(name))"),
        ("tags_idx", "using gin (tags)"),
    ];
    let using = format!(
        "owner_id = (select shared.me()) or exists (\n\
         \x20         select 1 from {parent} p where p.id = {table}.parent_id and p.owner_id = shared.me()\n\
         \x20       )"
    );
    let own = format!(
        "owner_id = shared.me() and shared.is_member(owner_id, 'level_{number}') and kind <> 'locked'::text"
    );
    let trigger =
        "before update for each row when (old.* is distinct from new.*) execute function shared.touch()";

    let _ = writeln!(yaml, "  {table}:\n    comment: Table {number} of the benchmark\n    columns:");
    let _ = writeln!(sql, "create table {domain}.{table} (");
    for (column, definition) in &columns {
        let definition_sql = if *column == "parent_id" { "uuid".to_owned() } else { definition.clone() };
        if matches!(*column, "weight") {
            let _ = writeln!(yaml, "      {column}: {{ type: int, comment: \"In grams, of {number}\" }}");
        } else {
            let _ = writeln!(yaml, "      {column}: {definition}");
        }
        let _ = writeln!(sql, "  {column} {definition_sql},");
    }
    let _ = writeln!(yaml, "    checks:");
    for (place, (check, expression)) in checks.iter().enumerate() {
        let _ = writeln!(yaml, "      {table}_{check}: {expression}");
        let end = if place + 1 < checks.len() { "," } else { "\n);" };
        let _ = writeln!(sql, "  constraint {table}_{check} check ({expression}){end}");
    }
    let _ = writeln!(
        sql,
        "alter table {domain}.{table} add foreign key (parent_id) references {parent} (id) on delete set null;"
    );
    let _ = writeln!(yaml, "    indexes:");
    for (index, definition) in indexes {
        let _ = writeln!(yaml, "      {table}_{index}: {definition}");
        let _ = writeln!(sql, "create index {table}_{index} on {domain}.{table} {definition};");
    }
    let _ = writeln!(
        yaml,
        "    rls: enabled\n    policies:\n      Owners read {table}:\n        for: select\n        to: authenticated\n\
         \x20       using: |\n          {}\n      Owners change {table}:\n        for: update\n        to: authenticated\n\
         \x20       using: {own}\n        with_check: {own}",
        using.replace('\n', "\n  ")
    );
    let _ = writeln!(
        sql,
        "alter table {domain}.{table} enable row level security;\n\
         create policy \"Owners read {table}\" on {domain}.{table} for select to authenticated using ({using});\n\
         create policy \"Owners change {table}\" on {domain}.{table} for update to authenticated using ({own}) \
         with check ({own});"
    );
    let _ = writeln!(yaml, "    triggers:\n      touch: {trigger}");
    let timing = trigger.replacen("before update", &format!("before update on {domain}.{table}"), 1);
    let _ = writeln!(sql, "create trigger touch {timing};");
    let _ = writeln!(yaml, "    grants: {{ authenticated: [select, insert, update], service_role: all }}\n");
    let _ = writeln!(
        sql,
        "grant select, insert, update on {domain}.{table} to authenticated;\n\
         grant all on {domain}.{table} to service_role;\n\
         comment on table {domain}.{table} is 'Table {number} of the benchmark';\n\
         comment on column {domain}.{table}.weight is 'In grams, of {number}';"
    );
}

/// A view over a table and the view before it in the same schema.
fn view(number: usize, first: usize, yaml: &mut String, sql: &mut String) {
    let (domain, table) = (domain(number), name(number));
    let mut query = format!(
        "select t.id, t.name, t.stage, t.amount * 1.19 as gross,\n\
         \x20 case when t.kind in ('plain', 'special') then 'usual' else t.kind end as sort\n\
         from {domain}.{table} t\nwhere not t.is_archived and t.name like 'a%'"
    );
    if number > first {
        let before = number - TABLES_PER_VIEW;
        let _ =
            write!(query, " and exists (select 1 from {domain}.open_{before:04} o where o.id = t.parent_id)");
    }
    let _ = writeln!(
        yaml,
        "  open_{number:04}:\n    query: |\n      {}\n    options: {{ security_invoker: true }}\n    comment: Open ones of {table}\n    \
         grants: {{ authenticated: select }}",
        query.replace('\n', "\n      ")
    );
    let _ = writeln!(
        sql,
        "create view {domain}.open_{number:04} with (security_invoker = true) as {query};\n\
         comment on view {domain}.open_{number:04} is 'Open ones of {table}';\n\
         grant select on {domain}.open_{number:04} to authenticated;"
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_number_gives_the_same_bytes() {
        let (one, two) = (generate(60), generate(60));
        assert_eq!((one.sql, one.files), (two.sql.clone(), two.files.clone()));
        assert_eq!(two.sql.matches("create table").count(), 60);
        assert_eq!(two.files.len(), 3);
    }
}
