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
