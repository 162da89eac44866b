//! A person's settings say what is recorded, and the program heeds them as the plugin does.

use std::fs;

use serde_json::Value;

use crate::support::history::{assert_same, comparable, home_of, stored};
use crate::support::home::Home;

const SETTINGS: &str = ".config/clankers/config.json";
/// Words that are said in the recordings of each release.
const RELEASES: &[&str] = &["1.0.61", "1.18.34", "2.0.15"];

fn value(home: &Home, sql: &str) -> String {
    home.open()
        .query_row(sql, [], |row| row.get::<_, rusqlite::types::Value>(0))
        .map(|value| format!("{value:?}"))
        .unwrap()
}

/// The texts of a conversation that are long enough to be nothing else.
fn said(home: &Home) -> Vec<String> {
    let db = home.open();
    let sql = "SELECT text FROM parts WHERE length(text) > 12 UNION SELECT title FROM sessions \
        UNION SELECT output FROM tool_calls WHERE length(output) > 12 UNION SELECT project_path FROM sessions";
    let mut texts = db.prepare(sql).unwrap();
    let rows = texts.query_map([], |row| row.get::<_, Option<String>>(0));
    rows.unwrap().filter_map(Result::unwrap).collect()
}

fn history(home: &Home) -> Value {
    let output = home.run(&["doctor", "--format", "json"]);
    let found: Value = serde_json::from_slice(&output.stdout).unwrap();
    let checks = found["checks"].as_array().unwrap();
    let check = checks.iter().find(|check| check["check"] == "history");
    check.unwrap()["level"].clone()
}

#[test]
fn an_import_brings_in_no_content_where_none_is_to_be_recorded() {
    for release in RELEASES {
        let full = home_of(release);
        full.stdout(&["import"]);
        let home = home_of(release);
        home.write(SETTINGS, r#"{ "content": "metadata" }"#);
        let first = home.stdout(&["import"]);
        assert!(first.contains("brought in"), "{release}: {first}");
        for sql in [
            "SELECT count(*) FROM messages",
            "SELECT count(*) FROM tool_calls",
            "SELECT group_concat(steps || ' ' || cost) FROM usage_by_day",
            "SELECT group_concat(calls || tool) FROM tool_usage",
        ] {
            assert_eq!(value(&home, sql), value(&full, sql), "{release}: {sql}");
        }
        let texts = said(&full);
        assert!(texts.len() > 10, "{release}");
        let bytes = fs::read(home.db()).unwrap();
        let stored = String::from_utf8_lossy(&bytes);
        for text in texts {
            assert!(!stored.contains(&text), "{release}: {text}");
        }
        let again = home.stdout(&["import"]);
        assert!(again.contains("nothing to bring in"), "{release}: {again}");
        assert_eq!(history(&home), "good", "{release}");
        let status = home.stdout(&["status"]);
        assert!(status.contains("recorded   content: metadata"), "{status}");
    }
}

#[test]
fn an_import_brings_in_nothing_of_a_project_that_is_ignored() {
    let projects = "SELECT group_concat(DISTINCT project_name) FROM sessions";
    for release in RELEASES {
        let home = home_of(release);
        home.write(SETTINGS, r#"{ "ignore": ["project"] }"#);
        for more in [&[][..], &["--all"]] {
            let args = [&["import"], more].concat();
            let said = home.stdout(&args);
            assert!(
                said.contains("of projects that are ignored"),
                "{release}: {said}"
            );
            let names = value(&home, projects);
            assert!(!names.contains("project"), "{release}: {names}");
        }
        assert_eq!(history(&home), "good", "{release}");
    }
}

#[test]
fn settings_that_cannot_be_read_record_nothing_and_are_told() {
    let home = home_of("1.18.34");
    home.write(SETTINGS, "content = metadata");
    let said = home.run(&["import"]);
    let told = String::from_utf8_lossy(&said.stdout).into_owned();
    assert!(
        told.contains("~/.config/clankers/config.json is not JSON"),
        "{told}"
    );
    assert!(told.contains("of projects that are ignored"), "{told}");
    let doctor = home.run(&["doctor"]);
    let doctor = String::from_utf8_lossy(&doctor.stdout).into_owned();
    assert!(
        doctor.contains("nothing is recorded until it is right"),
        "{doctor}"
    );
    let status = home.stdout(&["status"]);
    assert!(
        status.contains("settings   something in them is not used"),
        "{status}"
    );
    home.write(SETTINGS, r#"{ "content": "metadata" }"#);
    home.stdout(&["import"]);
    assert_ne!(value(&home, "SELECT count(*) FROM sessions"), "Integer(0)");
}

#[test]
fn where_content_is_not_known_none_is_stored() {
    let home = home_of("1.18.34");
    home.write(SETTINGS, r#"{ "content": "some" }"#);
    let told = home.stdout(&["import"]);
    assert!(
        told.contains("no content is stored until it is right"),
        "{told}"
    );
    let titled = "SELECT count(*) FROM sessions WHERE title IS NOT NULL";
    assert_eq!(value(&home, titled), "Integer(0)");
}

#[test]
fn an_import_brings_in_the_content_once_it_is_wanted() {
    for release in RELEASES {
        let full = home_of(release);
        full.stdout(&["import"]);
        let home = home_of(release);
        let settings = home.write(SETTINGS, r#"{ "content": "metadata" }"#);
        home.stdout(&["import"]);
        fs::remove_file(settings).unwrap();
        home.stdout(&["import"]);
        let rows = |home: &Home| comparable(&stored(&home.open()));
        assert_same(&rows(&home), &rows(&full), release);
        let again = home.stdout(&["import"]);
        assert!(again.contains("nothing to bring in"), "{release}: {again}");
    }
}
