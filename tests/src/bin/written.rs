//! How much of other people's SQL is decided without a server: runs scripts statement by statement, takes every query,
//! check, default, index, policy and trigger condition that they write, lets the server store it, and compares what
//! analysis makes of the written form with that. What analysis leaves open is judged by the whole ladder, which has to
//! call all of it equal. The files are arguments: nothing of them belongs to schemac.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;

use postgres::Client;
use schemac_compiler::introspect::{self, Reading};
use schemac_schema::analyse::squeeze;
use schemac_schema::id::ObjectId;
use schemac_schema::ident::{Ident, QName};
use schemac_schema::parse::{self, on_large_stack};
use schemac_schema::tree::Tree;
use schemac_tests::judge::{Case, judge};
use schemac_tests::made::table;
use schemac_tests::servers::{self, As, Database, Server};
use schemac_tests::{Result, pairs, script};

struct Wishes {
    files: Vec<PathBuf>,
    major: u32,
    prelude: Option<PathBuf>,
    undecided: bool,
    analysis_only: bool,
    refused: bool,
}

fn main() -> ExitCode {
    let mut wishes = Wishes {
        files: Vec::new(),
        major: 18,
        prelude: None,
        undecided: false,
        analysis_only: false,
        refused: false,
    };
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--version" => wishes.major = arguments.next().and_then(|text| text.parse().ok()).unwrap_or(18),
            "--prelude" => wishes.prelude = arguments.next().map(PathBuf::from),
            "--undecided" => wishes.undecided = true,
            "--refused" => wishes.refused = true,
            "--analysis-only" => wishes.analysis_only = true,
            _ => wishes.files.push(argument.into()),
        }
    }
    let Some(server) = servers::get(wishes.major).filter(|_| !wishes.files.is_empty()) else {
        eprintln!(
            "usage: script/written [--version 18] [--prelude FILE] [--undecided] [--refused] [--analysis-only] FILE.sql …"
        );
        return ExitCode::FAILURE;
    };
    on_large_stack(|| {
        let mut all = Count::default();
        for file in &wishes.files {
            let name = file.file_stem().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
            match one(&wishes, server, file) {
                Ok(count) => {
                    println!("{name:<24} {}", count.line());
                    all.add(count);
                }
                Err(error) => {
                    println!("{name:<24} failed: {error}");
                    all.wrong += 1;
                }
            }
        }
        let mut reasons: Vec<(&String, &usize)> = all.reasons.iter().collect();
        reasons.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
        for (why, count) in reasons.into_iter().take(60) {
            println!("{count:>6} {why}");
        }
        for (place, (equal, count)) in &all.places {
            println!("{place:<10} {equal} of {count} without a server");
        }
        println!("all: {}", all.line());
        if all.wrong + all.different == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
    })
}

#[derive(Default)]
struct Count {
    all: usize,
    equal: usize,
    wrong: usize,
    different: usize,
    reasons: BTreeMap<String, usize>,
    places: BTreeMap<&'static str, (usize, usize)>,
}

impl Count {
    fn line(&self) -> String {
        let Count { all, equal, wrong, different, .. } = self;
        let share = if *all == 0 { 0.0 } else { 100.0 * *equal as f64 / *all as f64 };
        format!(
            "{all} forms, {equal} decided without a server ({share:.1} %), {wrong} texts wrong; {different} not equal with a server"
        )
    }

    fn add(&mut self, other: Count) {
        self.all += other.all;
        self.equal += other.equal;
        self.wrong += other.wrong;
        self.different += other.different;
        for (why, count) in other.reasons {
            *self.reasons.entry(why).or_default() += count;
        }
        for (place, (equal, all)) in other.places {
            let known = self.places.entry(place).or_default();
            known.0 += equal;
            known.1 += all;
        }
    }
}

/// A written form that a server took.
struct Form {
    place: &'static str,
    on: ObjectId,
    of: String,
    written: String,
    stored: String,
}

struct Run<'a> {
    wishes: &'a Wishes,
    client: Client,
    reader: Client,
    reading: Option<Reading>,
    forms: Vec<Form>,
    count: Count,
}

fn one(wishes: &Wishes, server: &'static Server, file: &PathBuf) -> Result<Count> {
    let text = String::from_utf8_lossy(&fs::read(file)?).into_owned();
    let database = server.database();
    let mut run = Run {
        wishes,
        client: connect(&database)?,
        reader: database.connect(As::Superuser),
        reading: None,
        forms: Vec::new(),
        count: Count::default(),
    };
    run.client.batch_execute("CREATE SCHEMA app; CREATE TABLE app.members (id int)")?;
    if let Some(prelude) = &wishes.prelude {
        for statement in script::statements(&String::from_utf8_lossy(&fs::read(prelude)?)) {
            let _ = run.client.batch_execute(&permanent(&statement));
        }
    }
    for statement in script::statements(&text) {
        if run.client.is_closed() {
            run.client = connect(&database)?;
        }
        run.statement(&permanent(&statement))?;
    }
    run.flush()?;
    Ok(run.count)
}

fn connect(database: &Database<'_>) -> Result<Client> {
    let mut client = database.connect(As::Superuser);
    client.batch_execute("SET statement_timeout = '5s'; SET client_min_messages = error")?;
    Ok(client)
}

/// What would be gone with the session stays, so that it can be read.
fn permanent(statement: &str) -> String {
    let mut words = statement.splitn(3, char::is_whitespace);
    match (words.next(), words.next(), words.next()) {
        (Some(create), Some(temporary), Some(rest))
            if create.eq_ignore_ascii_case("create")
                && (temporary.eq_ignore_ascii_case("temp")
                    || temporary.eq_ignore_ascii_case("temporary")) =>
        {
            format!("{create} {rest}")
        }
        _ => statement.to_owned(),
    }
}

impl Run<'_> {
    fn statement(&mut self, text: &str) -> Result<()> {
        let parsed = parse::statements(text).ok().filter(|parsed| parsed.len() == 1);
        let Some(parsed) = parsed else {
            self.flush()?;
            self.reading = None;
            let _ = self.client.batch_execute(text);
            return Ok(());
        };
        let tree = &parsed[0].tree;
        match tree.name() {
            "TransactionStmt" => return Ok(()),
            "SelectStmt" if tree.get("into_clause").is_nothing() => {
                self.form("view", table("app", "members"), "", text)?;
                // Many functions are called for what they do.
                return Ok(());
            }
            "ExplainStmt" | "PrepareStmt" | "CopyStmt" | "ExecuteStmt" => return Ok(()),
            "InsertStmt" | "UpdateStmt" | "DeleteStmt" => {
                let _ = self.client.batch_execute(text);
                return Ok(());
            }
            _ => {}
        }
        self.before(tree, text)?;
        self.flush()?;
        self.reading = None;
        if self.client.batch_execute(text).is_ok() {
            self.after(tree, text)?;
        }
        Ok(())
    }

    /// What can be tried before the statement runs.
    fn before(&mut self, tree: &Tree, text: &str) -> Result<()> {
        match tree.name() {
            "ViewStmt" => {
                if let Some(query) = behind_as(text) {
                    self.form("view", table("app", "members"), "", query)?;
                }
            }
            "CreateTableAsStmt" => {
                if let Some(query) = behind_as(text) {
                    self.form("view", table("app", "members"), "", query)?;
                }
            }
            "IndexStmt" => {
                if let (Some(on), Some(text)) = (self.relation(tree.get("relation"))?, index(text)) {
                    self.form("index", on, "", &text)?;
                }
            }
            "CreatePolicyStmt" => {
                if let Some(on) = self.relation(tree.get("table"))? {
                    for text in ["using", "check"].into_iter().flat_map(|word| behind(text, word)) {
                        self.form("policy", on, "", &text)?;
                    }
                }
            }
            "CreateTrigStmt" => {
                if let Some(on) = self.relation(tree.get("relation"))? {
                    for text in behind(text, "when") {
                        self.form("trigger", on, "", &text)?;
                    }
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// What can be tried once the statement ran.
    fn after(&mut self, tree: &Tree, text: &str) -> Result<()> {
        match tree.name() {
            "CreateStmt" | "AlterTableStmt" => {
                let Some(on) = self.relation(tree.get("relation"))? else { return Ok(()) };
                for text in behind(text, "check") {
                    self.form("check", on, "", &text)?;
                }
                for text in behind(text, "as") {
                    if let Some(name) = on.qname() {
                        let name = schemac_schema::sql::qualified(name);
                        self.form("view", on, "", &format!("select ({text}) from {name}"))?;
                    }
                }
                let columns = tree
                    .get("table_elts")
                    .items()
                    .iter()
                    .chain(tree.get("cmds").items().iter().map(|command| command.get("def")));
                for column in columns.filter(|column| column.name() == "ColumnDef") {
                    if let (Some(of), Some(text)) = (typed(column, text), default_of(column, text)) {
                        self.form("default", table("app", "members"), &of, &text)?;
                    }
                }
            }
            "CreateDomainStmt" => {
                let names = tree.get("type_name").get("names").strings();
                let of = schemac_schema::type_name::TypeName::from_tree(tree.get("type_name"), "");
                if of.qname().is_some() && !names.is_empty() {
                    for text in behind(text, "check") {
                        self.form("domain", table("app", "members"), of.canonical().as_str(), &text)?;
                    }
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn reading(&mut self) -> Result<&Reading> {
        if self.reading.is_none() {
            let mut reading = introspect::introspect(&mut self.reader, &BTreeSet::new())?;
            // The session that runs the script may have another one.
            let path: String = self
                .client
                .query_one(
                    "SELECT pg_catalog.array_to_string(pg_catalog.current_schemas(false), e'\\n')",
                    &[],
                )?
                .get(0);
            reading.search_path =
                path.lines().filter(|name| !name.starts_with("pg_temp")).map(Ident::new).collect();
            self.reading = Some(reading);
        }
        self.reading.as_ref().ok_or_else(|| "no reading".into())
    }

    fn relation(&mut self, tree: &Tree) -> Result<Option<ObjectId>> {
        let reading = self.reading()?;
        let name = tree.get("relname").str();
        let found = match tree.get("schemaname").str() {
            "" => reading
                .search_path
                .iter()
                .find_map(|schema| reading.catalog.relation(QName::new(*schema, name))),
            schema => reading.catalog.relation(QName::new(schema, name)),
        };
        Ok(found)
    }

    /// Lets the server store a form.
    fn form(&mut self, place: &'static str, on: ObjectId, of: &str, written: &str) -> Result<()> {
        let path: Vec<String> =
            self.reading()?.search_path.iter().map(|schema| format!("\"{schema}\"")).collect();
        if path.is_empty() {
            return Ok(());
        }
        let relation = on.qname().map(schemac_schema::sql::qualified).unwrap_or_default();
        let mut store =
            || pairs::stored_on(&mut self.client, place, &relation, &path.join(", "), of, written);
        let stored = store();
        // What means another thing each time is a difference each time: `timestamp 'now'`, what this session alone sees.
        let passing = ["'now'", "'today'", "'tomorrow'", "'yesterday'", "pg_temp"];
        let lower = written.to_lowercase();
        if passing.iter().any(|word| lower.contains(word)) && (stored != store() || lower.contains("pg_temp"))
        {
            return Ok(());
        }
        match stored {
            Ok(stored) => {
                let (of, written) = (of.to_owned(), written.to_owned());
                self.forms.push(Form { place, on, of, written, stored });
            }
            Err(why) if self.wishes.refused => println!("REFUSED {place} {written}\n    {why}"),
            Err(_) => {}
        }
        Ok(())
    }

    /// Judges what was collected, while the database is as it was then.
    fn flush(&mut self) -> Result<()> {
        let forms = std::mem::take(&mut self.forms);
        let Some(reading) = &self.reading else { return Ok(()) };
        if forms.is_empty() {
            return Ok(());
        }
        let cases: Vec<Case<'_>> = forms
            .iter()
            .map(|form| Case {
                place: form.place,
                on: form.on,
                of: &form.of,
                written: &form.written,
                stored: if self.wishes.analysis_only { &form.written } else { &form.stored },
            })
            .collect();
        let path = reading.search_path.clone();
        let verdict = judge(&reading.catalog, &cases, &reading.server, &path, &mut self.reader)?;
        for ((form, (equal, why)), analysed) in forms.iter().zip(&verdict.cases).zip(&verdict.analysed) {
            self.count.all += 1;
            let place = self.count.places.entry(form.place).or_default();
            place.1 += 1;
            match analysed {
                Ok(text) if squeeze(text) == squeeze(&form.stored) => {
                    self.count.equal += 1;
                    place.0 += 1;
                }
                Ok(text) => {
                    self.count.wrong += 1;
                    println!(
                        "WRONG {} {}\n    server   {}\n    analysis {}",
                        form.place,
                        form.written,
                        squeeze(&form.stored),
                        squeeze(text)
                    );
                }
                Err(why) => {
                    *self.count.reasons.entry(general(why)).or_default() += 1;
                    if self.wishes.undecided {
                        println!(
                            "OPEN {} {}\n    {}\n    ({why})",
                            form.place,
                            form.written,
                            squeeze(&form.stored)
                        );
                    }
                }
            }
            if !equal && !self.wishes.analysis_only {
                self.count.different += 1;
                println!(
                    "DIFFERENT {} {}\n    {}\n    {why:?}",
                    form.place,
                    form.written,
                    squeeze(&form.stored)
                );
            }
        }
        Ok(())
    }
}

/// A reason without what it speaks of.
fn general(why: &str) -> String {
    let words: Vec<&str> =
        why.split(' ').map(|word| if word.contains(['.', '\'', '"']) { "…" } else { word }).collect();
    words.join(" ").chars().take(90).collect()
}

/// The text behind the first AS that is in no parentheses, without what may follow a query.
fn behind_as(text: &str) -> Option<&str> {
    let tokens = parse::tokens(text).ok()?;
    let mut depth = 0;
    let mut start = None;
    for token in &tokens {
        match text.get(token.start..token.end)? {
            "(" => depth += 1,
            ")" => depth -= 1,
            word if depth == 0 && start.is_none() && word.eq_ignore_ascii_case("as") => {
                start = Some(token.end)
            }
            _ => {}
        }
    }
    let query = text.get(start?..)?.trim();
    let lower = query.to_ascii_lowercase();
    let tails = [
        "with check option",
        "with cascaded check option",
        "with local check option",
        "with no data",
        "with data",
    ];
    let tail = tails.iter().find(|tail| lower.ends_with(**tail)).map_or(0, |tail| tail.len());
    query.get(..query.len() - tail).map(str::trim)
}

/// What stands in the parentheses behind a word, each time.
fn behind(text: &str, word: &str) -> Vec<String> {
    let Ok(tokens) = parse::tokens(text) else { return Vec::new() };
    let piece = |token: &parse::Token| text.get(token.start..token.end).unwrap_or("");
    let mut found = Vec::new();
    for (place, pair) in tokens.windows(2).enumerate() {
        if !piece(&pair[0]).eq_ignore_ascii_case(word) || piece(&pair[1]) != "(" {
            continue;
        }
        let mut depth = 0;
        for token in &tokens[place + 1..] {
            depth += match piece(token) {
                "(" => 1,
                ")" => -1,
                _ => 0,
            };
            if depth == 0 {
                found.extend(text.get(pair[1].end..token.start).map(|text| text.trim().to_owned()));
                break;
            }
        }
    }
    found
}

/// What follows the table's name in CREATE INDEX, without storage parameters.
fn index(text: &str) -> Option<String> {
    let tokens = parse::tokens(text).ok()?;
    let piece = |token: &parse::Token| text.get(token.start..token.end).unwrap_or("");
    let on = tokens.iter().position(|token| piece(token).eq_ignore_ascii_case("on"))?;
    let start = tokens[on..]
        .iter()
        .find(|token| piece(token) == "(" || piece(token).eq_ignore_ascii_case("using"))?
        .start;
    let found = text.get(start..)?.trim();
    let lower = found.to_ascii_lowercase();
    (!lower.contains(" with ") && !lower.contains("with (") && !lower.contains("tablespace"))
        .then(|| found.to_owned())
}

/// A column's type as it is written.
fn typed(column: &Tree, text: &str) -> Option<String> {
    let at = usize::try_from(column.get("type_name").get("location").int()).ok()?;
    let rest = text.get(at..)?;
    let tokens = parse::tokens(rest).ok()?;
    let mut depth = 0;
    for token in &tokens {
        let word = rest.get(token.start..token.end)?.to_ascii_lowercase();
        match word.as_str() {
            "(" => depth += 1,
            ")" if depth > 0 => depth -= 1,
            ")" | "," | "default" | "not" | "null" | "primary" | "unique" | "check" | "collate"
            | "references" | "constraint" | "generated" | "storage" | "compression"
                if depth == 0 =>
            {
                let of = rest.get(..token.start)?.trim();
                // What schemac knows by name without binding.
                return schemac_schema::type_name::TypeName::parse(of)
                    .ok()
                    .filter(|of| of.qname().is_some())
                    .map(|_| of.to_owned());
            }
            _ => {}
        }
    }
    None
}

/// A column's default as it is written: the longest text behind DEFAULT that is an expression.
fn default_of(column: &Tree, text: &str) -> Option<String> {
    let constraint = column.get("constraints").items().iter().find(|one| one.get("contype").int() == 3)?;
    let at = usize::try_from(constraint.get("location").int()).ok()?;
    let rest = text.get(at..)?;
    let tokens = parse::tokens(rest).ok()?;
    let start = tokens.first()?.end;
    let (mut depth, mut best) = (0, None);
    for token in tokens.iter().skip(1) {
        match rest.get(token.start..token.end)? {
            "(" => depth += 1,
            ")" if depth == 0 => break,
            ")" => depth -= 1,
            "," if depth == 0 => break,
            _ => {}
        }
        if depth == 0 {
            let piece = rest.get(start..token.end)?;
            if parse::expression(piece).is_ok() {
                best = Some(piece.trim().to_owned());
            }
        }
    }
    best
}
