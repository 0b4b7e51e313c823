//! Dumps by `pg_dump`, made comparable: the second witness beside schemac's own diff.
//!
//! What counts as equal here is what no client can tell apart: the order of statements and of a
//! table's columns, and the names that the server chose by itself. Everything else counts.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;

use schemac_compiler::scratch;

use crate::sql::{Statement, Token, TokenKind, statements};
use crate::{Result, is_ci, repository, unified_diff};

/// The schema that schemac keeps its own objects in.
const OWN_SCHEMA: &str = "schemac";

/// See [`without_attribute_version`].
const ATTRIBUTE_VERSION: &str = "pg_attver";

/// The schema of a database as `pg_dump --schema-only` writes it, with owners and privileges.
pub fn of(url: &str) -> Result<String> {
    let output = command(url)?.output()?;
    if !output.status.success() {
        let words = String::from_utf8_lossy(&output.stderr);
        return Err(format!("pg_dump failed: {}", words.trim()).into());
    }
    Ok(String::from_utf8(output.stdout)?)
}

/// `pg_dump --schema-only` of a database, not run yet.
///
/// # Errors
/// When this machine has none.
pub fn command(url: &str) -> Result<Command> {
    let mut command = Command::new(program()?);
    // What schemac remembers is no part of what is compared.
    command.args(["--schema-only", "--exclude-schema=schemac", "--no-password", "--dbname", url]);
    Ok(command)
}

/// pg_dump 18 of `script/bootstrap --versions`, or else the newest of this machine.
fn program() -> Result<PathBuf> {
    static PROGRAM: OnceLock<Option<PathBuf>> = OnceLock::new();
    let found = PROGRAM.get_or_init(|| {
        let fetched = repository().join(".cache/pg_dump18/bin/pg_dump");
        if fetched.is_file() {
            return Some(fetched);
        }
        assert!(!is_ci(), "pg_dump 18 is missing: run script/bootstrap --versions");
        let mut all = scratch::installations();
        all.sort_by_key(|installation| std::cmp::Reverse(installation.version));
        all.into_iter().map(|installation| installation.bin.join("pg_dump")).find(|path| path.is_file())
    });
    found.clone().ok_or_else(|| "no pg_dump on this machine: run script/bootstrap --versions".into())
}

/// What differs between two dumps, as a unified diff of their normal forms; empty when nothing does.
pub fn difference(old: &str, new: &str) -> String {
    unified_diff(&normalized(old), &normalized(new), "old", "new")
}

/// The comparable form of a dump: sorted statements without settings, comments, column order, the
/// objects of the schema `schemac` and the names that the server chose.
pub fn normalized(dump: &str) -> String {
    let statements = statements(dump);
    let sequences = identity_sequences(&statements);
    let mut entry = Entry::default();
    let mut storage = BTreeMap::new();
    let mut all = Vec::new();
    for statement in &statements {
        entry.follow(&statement.comments);
        if let Some((name, value)) = setting(statement) {
            storage.insert(name, value);
            continue;
        }
        if starts_with(statement, &["select", "pg_catalog"]) || entry.is_own() {
            continue;
        }
        let Some(statement) = without_attribute_version(statement) else { continue };
        let mut text = comparable(&statement, &sequences);
        if starts_with(&statement, &["create"]) {
            text.push_str(&storage_note(&storage));
        }
        all.push(text + ";\n");
    }
    all.sort_unstable();
    all.join("\n")
}

/// The object that `pg_dump` announces in a comment before its statements.
#[derive(Default)]
struct Entry {
    name: String,
    schema: String,
}

impl Entry {
    fn follow(&mut self, comments: &[&str]) {
        for comment in comments {
            let Some(rest) = comment.strip_prefix("-- Name: ") else { continue };
            let Some((name, rest)) = rest.split_once("; Type: ") else { continue };
            let Some((_, rest)) = rest.split_once("; Schema: ") else { continue };
            let schema = rest.split("; ").next().unwrap_or_default();
            *self = Entry { name: name.to_owned(), schema: schema.to_owned() };
        }
    }

    fn is_own(&self) -> bool {
        // The schema itself, its comment and its privileges are in no schema.
        self.schema == OWN_SCHEMA
            || (self.schema == "-"
                && (self.name == OWN_SCHEMA || self.name == format!("SCHEMA {OWN_SCHEMA}")))
    }
}

/// `SET name = value`; where tables are stored is said by such settings.
fn setting(statement: &Statement<'_>) -> Option<(String, String)> {
    if !starts_with(statement, &["set"]) {
        return None;
    }
    let text = statement.text();
    let (name, value) = text["set".len()..].split_once('=')?;
    Some((name.trim().to_owned(), value.trim().to_owned()))
}

/// Says what `default_tablespace` and `default_table_access_method` meant for a statement, where
/// they were not the usual ones; the settings themselves are lost by sorting.
fn storage_note(settings: &BTreeMap<String, String>) -> String {
    let mut note = String::new();
    for (name, usual) in [("default_tablespace", "''"), ("default_table_access_method", "heap")] {
        if let Some(value) = settings.get(name).filter(|value| *value != usual) {
            note.push_str(&format!(" /* {name} = {value} */"));
        }
    }
    note
}

/// For the sequences of identity columns with a name that the server chose: schema and name, and the
/// name that says what they are for.
fn identity_sequences(statements: &[Statement<'_>]) -> BTreeMap<(String, String), String> {
    let mut sequences = BTreeMap::new();
    for statement in statements.iter().filter(|statement| starts_with(statement, &["alter", "table"])) {
        let words: Vec<&Token<'_>> = statement.tokens.iter().filter(|token| !token.is_blank()).collect();
        let Some(at) = words.windows(2).position(|pair| pair[0].is("sequence") && pair[1].is("name")) else {
            continue;
        };
        let Some(column) = words.iter().position(|word| word.is("column")) else { continue };
        let [Some(schema), Some(name)] =
            [at + 2, at + 4].map(|at| words.get(at).and_then(|word| word.name()))
        else {
            continue;
        };
        if !ends_with_counted(&name, "_seq") {
            continue;
        }
        let table = words[..column].iter().rev().find_map(|word| word.name().filter(|_| !word.is("alter")));
        let column = words.get(column + 1).and_then(|word| word.name());
        let purpose =
            format!("\"<identity of {}.{}>\"", table.unwrap_or_default(), column.unwrap_or_default());
        sequences.insert((schema, name), purpose);
    }
    sequences
}

fn comparable(statement: &Statement<'_>, sequences: &BTreeMap<(String, String), String>) -> String {
    let mut tokens = statement.tokens.clone();
    sort_unordered(&mut tokens);
    for at in 2..tokens.len() {
        if !tokens[at - 1].is_symbol(".") {
            continue;
        }
        if let (Some(schema), Some(name)) = (tokens[at - 2].name(), tokens[at].name())
            && let Some(purpose) = sequences.get(&(schema, name))
        {
            tokens[at] = Token { kind: TokenKind::Quoted, text: purpose };
        }
    }
    let has = |keyword: &str| tokens.iter().take(8).any(|token| token.is(keyword));
    if starts_with(statement, &["create"]) && has("table") {
        return with_sorted_items(&without_not_null_names(&tokens), true);
    }
    if starts_with(statement, &["alter", "table"]) || starts_with(statement, &["alter", "foreign"]) {
        return text_of(&without_not_null_names(&tokens));
    }
    if starts_with(statement, &["alter", "publication"]) {
        return with_sorted_items(&tokens, false);
    }
    if starts_with(statement, &["create", "statistics"]) {
        return with_sorted_targets(&tokens);
    }
    text_of(&tokens)
}

/// Sorts what the server keeps in the order of writing and nobody can tell: options in `WITH (…)`, `UPDATE OF a, b`.
fn sort_unordered(tokens: &mut Vec<Token<'_>>) {
    let is_trigger = tokens.iter().take(6).any(|token| token.is("trigger"));
    let mut at = 0;
    while at < tokens.len() {
        let next = |from: usize| (from..tokens.len()).find(|at| !tokens[*at].is_blank());
        let with =
            tokens[at].is("with").then(|| next(at + 1)).flatten().filter(|open| tokens[*open].is_symbol("("));
        let of = (is_trigger && tokens[at].is("of")).then(|| next(at + 1)).flatten();
        let (from, to) = match (with, of) {
            (Some(open), _) => {
                let close = (open..tokens.len()).find(|at| tokens[*at].is_symbol(")"));
                (open + 1, close.unwrap_or(tokens.len()))
            }
            (_, Some(first)) => {
                let end = (first..tokens.len()).find(|at| tokens[*at].is("on") || tokens[*at].is("or"));
                (first, end.map_or(tokens.len(), |end| end - 1))
            }
            _ => (at, at),
        };
        if from < to {
            let items = sorted(&tokens[from..to]);
            at = from + items.len();
            tokens.splice(from..to, items);
        }
        at += 1;
    }
}

/// Sorts items between commas.
fn sorted<'a>(tokens: &[Token<'a>]) -> Vec<Token<'a>> {
    let plain =
        |item: &[Token<'a>]| item.iter().filter(|token| !token.is_blank()).copied().collect::<Vec<_>>();
    let mut items: Vec<Vec<Token<'a>>> = tokens.split(|token| token.is_symbol(",")).map(plain).collect();
    items.sort_by_key(|item| text_of(item));
    let comma = [Token { kind: TokenKind::Symbol, text: "," }, Token { kind: TokenKind::Space, text: " " }];
    items.join(&comma[..])
}

/// Leaves out `pg_attver`, a number of the server's own among the options of a column.
///
/// Seen with Debian's 15.20: every new column of a table, view or composite type has one, and a `SET`
/// of it is accepted and ignored. The `pg_dump` of 15.20 keeps quiet about it; 18.4's takes it for an option
/// that somebody has set. `None` when nothing else is left of the statement.
fn without_attribute_version<'a>(statement: &Statement<'a>) -> Option<Statement<'a>> {
    let mut statement = statement.clone();
    let tokens = &statement.tokens;
    let is_column_options = starts_with(&statement, &["alter"])
        && tokens.last().is_some_and(|token| token.is_symbol(")"))
        && tokens.iter().any(|token| token.is("column"));
    // The last one: a column may be called `set`.
    let set = tokens.iter().rposition(|token| token.is("set"));
    let Some(set) = set.filter(|_| is_column_options) else { return Some(statement) };
    let Some(open) = tokens[set + 1..].iter().position(|token| !token.is_blank()).map(|at| set + 1 + at)
    else {
        return Some(statement);
    };
    let inside = &tokens[open + 1..tokens.len() - 1];
    if !tokens[open].is_symbol("(") || !inside.iter().any(|token| token.is(ATTRIBUTE_VERSION)) {
        return Some(statement);
    }
    let options = inside.split(|token| token.is_symbol(","));
    let kept: Vec<&[Token<'a>]> =
        options.filter(|option| !option.iter().any(|token| token.is(ATTRIBUTE_VERSION))).collect();
    if kept.is_empty() {
        return None;
    }
    let comma = [Token { kind: TokenKind::Symbol, text: "," }, Token { kind: TokenKind::Space, text: " " }];
    let kept: Vec<Vec<Token<'a>>> =
        kept.into_iter().map(|option| option.iter().copied().skip_while(Token::is_blank).collect()).collect();
    let middle = kept.join(&comma[..]);
    let end = tokens.len() - 1;
    statement.tokens.splice(open + 1..end, middle);
    Some(statement)
}

/// Leaves out the names of NOT NULL constraints that follow the server's own pattern: those of the
/// time before a table or a column was renamed stay, and nobody chose them.
fn without_not_null_names<'a>(tokens: &[Token<'a>]) -> Vec<Token<'a>> {
    let mut kept = Vec::with_capacity(tokens.len());
    let mut at = 0;
    while at < tokens.len() {
        if tokens[at].is("constraint")
            && let [_, space, name, another, not, ..] = &tokens[at..]
            && space.is_blank()
            && another.is_blank()
            && not.is("not")
            && name.name().is_some_and(|name| ends_with_counted(&name, "_not_null"))
        {
            at += 4;
            continue;
        }
        kept.push(tokens[at]);
        at += 1;
    }
    kept
}

/// Sorts what stands in the first parentheses: a table's columns and checks, a publication's columns.
fn with_sorted_items(tokens: &[Token<'_>], one_a_line: bool) -> String {
    let Some(open) = tokens.iter().position(|token| token.is_symbol("(") || token.is("where")) else {
        return text_of(tokens);
    };
    if tokens[open].is("where") {
        return text_of(tokens);
    }
    let mut items = Vec::new();
    let mut item = String::new();
    let mut depth = 0usize;
    let mut close = tokens.len();
    for (at, token) in tokens.iter().enumerate().skip(open + 1) {
        if token.is_symbol(")") && depth == 0 {
            close = at;
            break;
        }
        if token.is_symbol(",") && depth == 0 {
            items.push(std::mem::take(&mut item).trim().to_owned());
            continue;
        }
        depth += usize::from(token.is_symbol("("));
        depth -= usize::from(token.is_symbol(")"));
        item.push_str(token.text);
    }
    items.push(item.trim().to_owned());
    items.sort_unstable();
    let list = if one_a_line { format!("\n    {}\n", items.join(",\n    ")) } else { items.join(", ") };
    format!("{}({list}{}", text_of(&tokens[..open]), text_of(&tokens[close..]))
}

/// Sorts what extended statistics are `ON`; the server keeps it in the order of the columns.
fn with_sorted_targets(tokens: &[Token<'_>]) -> String {
    let position = |keyword: &str| tokens.iter().position(|token| token.is(keyword));
    let (Some(on), Some(from)) = (position("on"), position("from")) else { return text_of(tokens) };
    let mut targets = vec![String::new()];
    let mut depth = 0usize;
    for token in &tokens[on + 1..from] {
        if token.is_symbol(",") && depth == 0 {
            targets.push(String::new());
            continue;
        }
        depth += usize::from(token.is_symbol("("));
        depth -= usize::from(token.is_symbol(")"));
        if let Some(target) = targets.last_mut() {
            target.push_str(token.text);
        }
    }
    let mut targets: Vec<&str> = targets.iter().map(|target| target.trim()).collect();
    targets.sort_unstable();
    format!("{} {} {}", text_of(&tokens[..=on]), targets.join(", "), text_of(&tokens[from..]))
}

/// Whether a name ends in a word and perhaps a number: `t_a_not_null`, `t_a_not_null1`.
fn ends_with_counted(name: &str, word: &str) -> bool {
    name.trim_end_matches(|c: char| c.is_ascii_digit()).ends_with(word)
}

fn starts_with(statement: &Statement<'_>, keywords: &[&str]) -> bool {
    let mut words = statement.tokens.iter().filter(|token| !token.is_blank());
    keywords.iter().all(|keyword| words.next().is_some_and(|token| token.is(keyword)))
}

fn text_of(tokens: &[Token<'_>]) -> String {
    tokens.iter().map(|token| token.text).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const DUMP: &str = r#"--
-- PostgreSQL database dump
--

\restrict 8dhT4

SET statement_timeout = 0;
SELECT pg_catalog.set_config('search_path', '', false);

--
-- Name: schemac; Type: SCHEMA; Schema: -; Owner: owner
--

CREATE SCHEMA schemac;

--
-- Name: memory; Type: TABLE; Schema: schemac; Owner: owner
--

CREATE TABLE schemac.memory (
    id integer
);

SET default_tablespace = '';

SET default_table_access_method = heap;

--
-- Name: t; Type: TABLE; Schema: public; Owner: owner
--

CREATE TABLE public.t (
    id integer CONSTRAINT old_id_not_null NOT NULL,
    price numeric(10,2) DEFAULT 1.5,
    note text DEFAULT 'a, (b'::text COLLATE "C",
    CONSTRAINT t_price_check CHECK ((price > (0)::numeric))
)
WITH (fillfactor='70');

ALTER TABLE public.t OWNER TO owner;

ALTER TABLE public.t ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.old_id_seq
    START WITH 1
);

CREATE STATISTICS public.s (ndistinct) ON id, price, (lower(note)) FROM public.t;

ALTER PUBLICATION p ADD TABLE ONLY public.t (id, note) WHERE ((id > 1));

--
-- Name: SEQUENCE old_id_seq; Type: ACL; Schema: public; Owner: owner
--

GRANT ALL ON SEQUENCE public.old_id_seq TO anon;

\unrestrict 8dhT4
"#;

    /// The dump with its columns in another order and other names from the server's own pattern.
    fn reordered() -> String {
        let other = DUMP
            .replace("    id integer CONSTRAINT old_id_not_null NOT NULL,\n", "")
            .replace("::numeric))\n)", "::numeric)),\n    id integer NOT NULL\n)")
            .replace("ON id, price, (lower(note))", "ON price, id, (lower(note))")
            .replace("(id, note) WHERE", "(note, id) WHERE")
            .replace("old_id_seq", "t_id_seq1")
            .replace("8dhT4", "other");
        assert_ne!(DUMP, other);
        other
    }

    #[test]
    fn column_order_and_the_servers_own_names_are_no_difference() {
        assert_eq!(difference(DUMP, &reordered()), "");
    }

    #[test]
    fn order_of_statements_is_no_difference() {
        let (head, grant) = DUMP.split_once("GRANT").unwrap();
        let moved = format!("GRANT{}\n{head}", grant.replace("\\unrestrict 8dhT4", ""));
        assert_eq!(difference(DUMP, &moved), "");
    }

    #[test]
    fn anything_lost_is_a_difference() {
        for lost in [
            "\nWITH (fillfactor='70')",
            " COLLATE \"C\"",
            " NOT NULL",
            "ALTER TABLE public.t OWNER TO owner;",
            "    START WITH 1\n",
            " BY DEFAULT",
            " WHERE ((id > 1))",
            "price, ",
            ",2",
        ] {
            let other = reordered().replace(lost, "");
            assert_ne!(other, reordered(), "{lost} is not in the dump");
            assert_ne!(difference(DUMP, &other), "", "{lost}");
        }
        for (from, to) in [
            ("default_tablespace = ''", "default_tablespace = fast"),
            ("table_access_method = heap", "table_access_method = columnar"),
            ("'a, (b'", "'a,  (b'"),
        ] {
            assert_ne!(difference(DUMP, &reordered().replace(from, to)), "", "{to}");
        }
    }

    #[test]
    fn only_the_servers_own_option_of_a_column_is_left_out() {
        let with = |options: &str| format!("ALTER TABLE ONLY public.t ALTER COLUMN a SET ({options});\n");
        assert_eq!(normalized(&with("pg_attver=22158912")), "");
        for options in ["pg_attver=1, n_distinct=5", "n_distinct=5, pg_attver=2", "n_distinct=5"] {
            assert_eq!(normalized(&with(options)), with("n_distinct=5"));
        }
        assert_ne!(difference(&with("pg_attver=1, n_distinct=5"), &with("pg_attver=1")), "");
        assert_ne!(difference(&with("pg_attver=1, n_distinct=5"), &with("pg_attver=1, n_distinct=6")), "");
    }

    #[test]
    fn a_difference_shows_both_sides() {
        let text = difference(DUMP, &DUMP.replace("numeric(10,2)", "numeric(12,2)"));
        assert!(
            text.contains("-    price numeric(10,2)") && text.contains("+    price numeric(12,2)"),
            "{text}"
        );
    }

    #[test]
    fn leaves_out_what_is_schemacs_own_and_nothing_twice() {
        let normal = normalized(DUMP);
        assert!(
            !normal.contains("schemac") && !normal.contains("SET ") && !normal.contains("--"),
            "{normal}"
        );
        assert_eq!(normalized(&normal), normal);
    }
}
