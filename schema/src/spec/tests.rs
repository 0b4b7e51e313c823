//! The whole language is read, errors stand in their place, and no mutilated file makes it panic.

use super::*;
use crate::code::Code;

const DOMAIN: &str = include_str!("tests/library.yaml");
const PROJECT: &str = include_str!("tests/schemac.yaml");

fn domain(text: &str) -> Result<(Sources, DomainSpec), String> {
    let mut sources = Sources::new();
    let file = sources.add("schema/library.yaml", text);
    match read_domain(&sources, file) {
        Ok(spec) => Ok((sources, spec)),
        Err(error) => Err(error.render(&sources, false)),
    }
}

fn written<L, S>(written: &Written<L, S>) -> &L {
    match written {
        Written::Long(long) => long,
        Written::Short(_) => panic!("a short form"),
    }
}

fn short<L>(written: &Written<L>) -> &str {
    match written {
        Written::Short(sql) => sql.text(),
        Written::Long(_) => panic!("a long form"),
    }
}

#[test]
fn a_whole_domain_is_read() {
    let (sources, spec) = domain(DOMAIN).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(spec.domain.unwrap().text, "library");
    assert_eq!(spec.grants.get("reader").unwrap().0[0].text(), "usage");
    let EnumSpec::Short(labels) = spec.enums.get("mood").unwrap() else { panic!() };
    let labels: Vec<_> = labels.iter().map(Text::as_str).collect();
    assert_eq!(labels, ["on", "null", "1.10", "~", "No", "two words"]);
    assert!(matches!(spec.domains.get("isbn"), Some(Written::Long(long)) if long.checks.len() == 1));

    let books = spec.tables.get("books").unwrap();
    assert_eq!(books.moved_from.0[0].text, "public.books");
    let facade = written(&books.facade.0[0]);
    assert_eq!(facade.columns.get("genre").unwrap().text(), "kind");
    assert!(matches!(&books.r#use[0], Written::Short(name) if name.text == "stamps"));
    let parameters = written(&books.r#use[1]).get("tenant").unwrap();
    assert_eq!(parameters.get("column").unwrap().text, "house_id");
    assert_eq!(short(books.columns.get("tags").unwrap()), "text[] not null default '{}'");
    let kind = written(books.columns.get("kind").unwrap());
    assert_eq!(kind.default.as_ref().unwrap().text(), "'novel'");
    let default = kind.default.as_ref().unwrap();
    assert_eq!(sources.slice(default.locate_range(0, 7)), "'novel'");
    assert!(default.is_quoted() && !kind.r#type.is_quoted());
    assert_eq!(kind.statistics, Some(500));
    assert_eq!(short(books.unique.get("books_slug_key").unwrap()), "nulls not distinct (house_id, slug)");
    assert_eq!(written(books.checks.get("title_is_set").unwrap()).definition.text(), "length(title) > 0");
    assert!(matches!(&books.rls, Some(At { value: Rls::Forced, .. })));
    let policy = books.policies.get("Readers see their house").unwrap();
    assert_eq!(policy.to.0.len(), 2);
    let mine = policy.using.as_ref().unwrap();
    let at = mine.text().find("auth.uid").unwrap();
    assert_eq!(sources.slice(mine.locate_range(at, at + 8)), "auth.uid");
    let privileges: Vec<_> = books.grants.get("reader").unwrap().iter().map(Sql::text).collect();
    assert_eq!(privileges, ["select", "update (title, kind)"]);
    assert_eq!(books.options.get("fillfactor").unwrap().text, "70");

    let loans = spec.tables.get("loans").unwrap();
    assert!(matches!(&loans.primary_key, Some(Written::Long(keys)) if keys.get("loans_pkey").is_some()));
    assert_eq!(short(loans.partitions.named.get("loans_rest").unwrap()), "default");
    assert_eq!(loans.partitions.every.month.as_ref().unwrap().ahead, Some(3));
    assert!(
        matches!(&spec.tables.get("rooms").unwrap().primary_key, Some(Written::Short(sql)) if sql.text() == "(id)")
    );
    assert_eq!(spec.functions.get("find_books").unwrap().0.len(), 2);
    assert!(matches!(
        spec.functions.get("touch").unwrap().0[0].public,
        Some(At { value: routine::PublicExecute::None, .. })
    ));
    assert_eq!(spec.mixins.get("tenant").unwrap().parameters.len(), 2);
    assert!(
        matches!(spec.data.get("library.plans").unwrap().rows[1].get("note"), Some(DataValue::Single(datum)) if datum.plain)
    );
    assert_eq!(spec.backfills.get("houses_from_readers").unwrap().stage.value, Stage::Migrate);
    assert_eq!(spec.on_external.get("auth.users").unwrap().triggers.len(), 1);
    assert!(spec.extensions.get("pg_trgm").is_some() && spec.publications.get("feed").is_some());
}

#[test]
fn a_project_is_read() {
    let mut sources = Sources::new();
    let file = sources.add("schemac.yaml", PROJECT);
    let spec =
        read_project(&sources, file).unwrap_or_else(|error| panic!("{}", error.render(&sources, false)));
    assert_eq!(spec.postgres.unwrap().value, 15);
    assert_eq!(spec.external.schemas.len(), 2);
    assert!(!spec.manage.owners.unwrap().value);
    assert_eq!(spec.phases[1].tables[0].text, "library.books");
    assert_eq!(spec.lint.names.get("booleans").unwrap().0.len(), 2);
    assert_eq!(spec.environments.get("production").unwrap().retry, Some(20));
    assert!(domain("").unwrap().1.domain.is_none());
}

#[track_caller]
fn wrong(text: &str, code: Code, says: &str) {
    let error = domain(text).expect_err(text);
    assert!(error.starts_with(&format!("error[{code}]")) && error.contains(says), "{error}");
}

#[test]
fn errors_name_what_was_meant() {
    wrong("tables:\n  books:\n    colums: {}\n", Code::UnknownKey, "library.yaml:3:5\n");
    wrong("tables:\n  books:\n    colums: {}\n", Code::UnknownKey, "did you mean `columns`?");
    wrong("tables:\n  t:\n    policy: {}\n", Code::UnknownKey, "did you mean `policies`?");
    wrong("tabels: {}\n", Code::UnknownKey, "did you mean `tables`?");
    wrong(
        "tables:\n  t:\n    columns:\n      id: { type: int, nullable: true }\n",
        Code::UnknownKey,
        "known keys: type, not_null",
    );
    let values = "possible values: enabled, forced, disabled, forced_when_enabled";
    wrong("tables:\n  t:\n    rls: on\n", Code::UnknownValue, values);
    wrong("tables:\n  t:\n    rls: enable\n", Code::UnknownValue, "did you mean `enabled`?");
    wrong("views:\n  v: { comment: x }\n", Code::MissingKey, "the key `query` is missing");
    wrong("tables:\n  t:\n    checks:\n      c:\n", Code::EmptyFragment, "4:7");
    wrong("tables:\n  t:\n    unique: { k: (a, b) }\n", Code::SplitFragment, "write `k: \"(a, b)\"`");
    wrong("tables:\n  t:\n    checks:\n      c: a #>> '{b}' = 'x'\n", Code::SwallowedComment, "4:12");
    wrong("enums:\n  mood: sad\n", Code::WrongShape, "`mood` must be a list or a mapping");
    wrong(
        "tables:\n  t:\n    partitions:\n      every: { mounth: { name: x, from: y } }\n",
        Code::UnknownKey,
        "`month`",
    );
    wrong("tables:\n  t: {}\n  t: {}\n", Code::DuplicateKey, "first here");
    wrong("functions:\n  f: [{ body: x, lang: sql }]\n", Code::UnknownKey, "`language`");
    wrong("sequences:\n  s: { start: 1e3 }\n", Code::UnknownValue, "`1e3` is no number");
}

struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % sides.max(1) as u64).unwrap()
    }
}

/// One random change to bytes or to lines.
fn mutilate(text: &str, dice: &mut Dice) -> String {
    let mut bytes = text.as_bytes().to_vec();
    let mut lines: Vec<&str> = text.split_inclusive('\n').collect();
    let at = dice.roll(bytes.len());
    let line = dice.roll(lines.len());
    let other = dice.roll(lines.len());
    let signs = b"{}[]()'\"|>:#&*!%@`?-,\\ \t\n\r\0\xc3\xf0~<$x0";
    match dice.roll(8) {
        0 => bytes[at] = signs[dice.roll(signs.len())],
        1 => bytes.insert(at, signs[dice.roll(signs.len())]),
        2 => drop(bytes.remove(at)),
        3 => bytes.truncate(at),
        4 => bytes[at] = u8::try_from(dice.roll(256)).unwrap(),
        5 => {
            return {
                lines.swap(line, other);
                lines.concat()
            };
        }
        6 => {
            return {
                lines.remove(line);
                lines.concat()
            };
        }
        _ => {
            return {
                lines.insert(line, lines[other]);
                lines.concat()
            };
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[test]
fn mutilated_files_never_panic() {
    let mut dice = Dice(0x2545_f491_4f6c_dd1d);
    let (mut refused, mut codes) = (0, std::collections::BTreeSet::new());
    for round in 0..6000 {
        let original = if round % 6 == 0 { PROJECT } else { DOMAIN };
        let mut text = original.to_owned();
        for _ in 0..=dice.roll(3) {
            text = if text.is_empty() { "x".into() } else { mutilate(&text, &mut dice) };
        }
        let mut sources = Sources::new();
        let file = sources.add("a.yaml", text.as_str());
        let error = if round % 6 == 0 {
            read_project(&sources, file).err()
        } else {
            read_domain(&sources, file).err()
        };
        let Some(error) = error else { continue };
        let span = error.primary.unwrap_or_else(|| panic!("no place: {error:?}"));
        assert!(span.end as usize <= text.len() && span.start <= span.end, "{error:?}");
        assert!(text.is_char_boundary(span.start as usize) && text.is_char_boundary(span.end as usize));
        assert!(error.render(&sources, true).contains("a.yaml:"));
        refused += 1;
        codes.insert(error.code);
    }
    assert!(refused > 2000 && codes.len() > 8, "{refused} {codes:?}");
}

#[test]
fn every_place_of_a_fragment_is_within_its_value() {
    let (sources, spec) = domain(DOMAIN).unwrap();
    let mut fragments: Vec<&Sql> = spec.views.iter().map(|(_, view)| &view.query).collect();
    fragments.extend(
        spec.functions
            .iter()
            .flat_map(|(_, all)| all.iter().filter_map(|one| one.body.as_ref().map(|body| &body.0))),
    );
    fragments.extend(spec.backfills.iter().map(|(_, backfill)| &backfill.sql));
    assert!(fragments.len() >= 5);
    for sql in fragments {
        for (at, character) in sql.text().char_indices().filter(|(_, character)| !character.is_whitespace()) {
            let found = sources.slice(sql.locate(at));
            assert!(found.starts_with([character, '\\']), "{character:?} in {sql:?}");
        }
    }
}
