//! Statements of functions and procedures.

use super::settings::Settings;

#[test]
fn settings_are_written_as_pg_dump_writes_them() {
    let mut settings = Settings::default();
    settings.insert_written("search_path", &["pg_catalog", "$user", "Odd, one"]);
    settings.insert_written("DateStyle", &["ISO", "MDY"]);
    let mut sql = crate::sql::Sql::default();
    settings.changes(&Settings::default(), &mut sql);
    assert_eq!(
        sql.text(),
        "SET datestyle TO 'ISO, MDY' SET search_path TO pg_catalog, \"$user\", \"Odd, one\""
    );
    let mut stored = Settings::default();
    stored.insert_stored("search_path", "pg_catalog, \"$user\", \"Odd, one\"");
    stored.insert_stored("DateStyle", "ISO, MDY");
    assert_eq!(settings, stored);
    let mut empty = Settings::default();
    empty.insert_written("search_path", &[""]);
    let mut sql = crate::sql::Sql::default();
    empty.changes(&settings, &mut sql);
    assert_eq!(sql.text(), "SET search_path TO '' RESET datestyle");
    let mut stored = Settings::default();
    stored.insert_stored("search_path", "\"\"");
    assert_eq!(empty, stored);
}

#[test]
fn a_setting_is_found_by_the_spelling_that_is_there() {
    let set = |name: &str, value: &str| {
        let mut settings = Settings::default();
        settings.insert_written(name, &[value]);
        settings
    };
    let changes = |old: &Settings, new: &Settings| {
        let mut sql = crate::sql::Sql::default();
        new.changes(old, &mut sql);
        sql.into_text()
    };
    let mut old = Settings::default();
    old.insert_stored("My.Tenant.Of", "one");
    assert_eq!(changes(&Settings::default(), &old), r#"SET "My"."Tenant.Of" TO 'one'"#);
    assert_eq!(changes(&old, &Settings::default()), r#"RESET "My"."Tenant.Of""#);
    assert_eq!(changes(&old, &set("my.tenant.OF", "two")), r#"SET "My"."Tenant.Of" TO 'two'"#);
    assert_eq!(old, set("my.tenant.OF", "one"));
    assert_eq!(changes(&set("x", "1"), &set("DateStyle", "ISO")), "SET datestyle TO 'ISO' RESET x");
}
