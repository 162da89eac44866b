//! Importing what OpenCode has on disk. The homes were made by real releases
//! (`tests/homes/make.ts`), each beside what the plugin recorded there.

use std::fs;
use std::path::Path;

use rusqlite::Connection;
use rusqlite::types::Value as Sql;
use serde_json::{Value, json};

use crate::support::history::{
    assert_same, comparable, fixture, home_of, put_database, put_home, recorded, stored,
    with_columns_of, without,
};
use crate::support::home::Home;
use crate::support::recording;

const KILO: &str = "kilo-7.7.9";
const RELEASES: &[&str] = &["1.0.61", "1.1.31", "1.3.2", "1.18.34", "2.0.15", KILO];

/// How many sessions the home of a release has, and its export messages.
fn sessions(release: &str) -> (&'static str, i64) {
    match release {
        "2.0.15" => ("12 sessions", 9),
        KILO => ("10 sessions", 8),
        _ => ("6 sessions", 8),
    }
}

/// What OpenCode 2 tells in events and keeps nowhere, when a text was begun and
/// ended; and what it keeps and does not always tell, the release that made a session.
fn told_by_one(release: &str) -> &'static [(&'static str, &'static str)] {
    if release == "2.0.15" {
        &[
            ("parts", "started_at"),
            ("parts", "ended_at"),
            ("sessions", "source_version"),
        ]
    } else {
        &[]
    }
}

/// What its exports leave out of what its database has.
fn left_out_of_exports(release: &str) -> &'static [(&'static str, &'static str)] {
    if release == "2.0.15" {
        &[("messages", "position")]
    } else {
        &[]
    }
}

#[test]
fn what_is_imported_equals_what_the_plugin_records() {
    for release in RELEASES {
        let home = home_of(release);
        let said = home.stdout(&["import"]);
        let brought = format!("brought in {}", sessions(release).0);
        assert!(said.contains(&brought), "{release}: {said}");
        let recorded = without(recorded(release), told_by_one(release));
        let imported = with_columns_of(&recorded, stored(&home.open()));
        let [recorded, imported] = [recorded, imported].map(|rows| comparable(&rows));
        assert!(recorded.len() > 100, "{release}");
        assert_same(&imported, &recorded, release);
        let rejections: i64 = home
            .open()
            .query_row("SELECT count(*) FROM rejections", [], |row| row.get(0))
            .unwrap();
        assert_eq!(rejections, 0, "{release}");
        let source = if release == &KILO { "kilo" } else { "opencode" };
        assert_eq!(sources(&home), [source], "{release}");
    }
}

/// Which programs' sessions are recorded.
fn sources(home: &Home) -> Vec<String> {
    let db = home.open();
    let mut found = db
        .prepare("SELECT DISTINCT source FROM sessions ORDER BY 1")
        .unwrap();
    let sources = found.query_map([], |row| row.get(0)).unwrap();
    sources.map(Result::unwrap).collect()
}

#[test]
fn both_programs_on_one_machine_are_read_and_told_apart() {
    let home = home_of("1.18.34");
    put_home(KILO, &home);
    let said = home.stdout(&["import"]);
    assert!(said.contains("brought in 16 sessions"), "{said}");
    let db = home.open();
    let both: Vec<String> = ["1.18.34", KILO]
        .iter()
        .flat_map(|release| comparable(&recorded(release)))
        .collect();
    let imported = comparable(&with_columns_of(&recorded(KILO), stored(&db)));
    assert_eq!(imported.len(), both.len());
    let count = |source: &str| -> i64 {
        let sql = "SELECT count(*) FROM sessions WHERE source = ?1";
        db.query_row(sql, [source], |row| row.get(0)).unwrap()
    };
    assert_eq!((count("opencode"), count("kilo")), (6, 10));
    let listed = home.stdout(&["sessions", "--format", "json"]);
    let listed: Vec<Value> = serde_json::from_str(&listed).unwrap();
    let of_kilo = |session: &&Value| session["source"] == "kilo";
    assert!(listed.iter().any(|session| !of_kilo(&session)));
    assert!(
        listed
            .iter()
            .filter(of_kilo)
            .all(|session| session["source_version"] == "7.7.9")
    );
    let heads = |home: &Home| {
        home.stdout(&["sessions", "--width", "200"])
            .contains("SOURCE")
    };
    assert!(heads(&home), "a person is told which program it was");
    let one = home_of(KILO);
    one.stdout(&["import"]);
    assert!(!heads(&one), "where there is one, that says nothing");
    // Files that a database of OpenCode's has replaced are no reason not to
    // read Kilo's, and the other way round.
    let home = home_of("1.1.31");
    put_home(KILO, &home);
    let said = home.stdout(&["import"]);
    assert!(said.contains("brought in 16 sessions"), "{said}");
    assert_eq!(sources(&home), ["kilo", "opencode"]);
}

#[test]
fn what_is_named_by_way_of_kilos_folder_is_not_kilos() {
    let home = home_of("1.18.34");
    put_home(KILO, &home);
    let path = home.path(".local/share/kilo/../opencode/opencode.db");
    home.stdout(&["import", "--from", path.to_str().unwrap()]);
    assert_eq!(sources(&home), ["opencode"]);
}

#[test]
fn a_copy_tells_which_program_it_is_of_wherever_it_lies() {
    let home = Home::new();
    let database = home.path("backup.db");
    put_database(KILO, &database);
    let from = |path: &Path| {
        let other = Home::new();
        other.stdout(&["import", "--from", path.to_str().unwrap()]);
        sources(&other)
    };
    assert_eq!(from(&database), ["kilo"]);
    assert_eq!(from(&fixture(KILO, "export.json")), ["kilo"]);
    assert_eq!(from(&fixture("1.18.34", "export.json")), ["opencode"]);
    let change = |sql: &str| {
        let db = Connection::open(&database).unwrap();
        db.execute_batch(sql).unwrap();
    };
    // A build that was made from source has no number to go by.
    change("UPDATE session SET version = 'local'");
    assert_eq!(from(&database), ["kilo"]);
    // A release that had no tables of its own yet has.
    change("DROP TABLE kilo_board");
    assert_eq!(from(&database), ["opencode"]);
    let named = home.path("kilo-local.db");
    fs::copy(&database, &named).unwrap();
    assert_eq!(from(&named), ["kilo"]);
    change("UPDATE session SET version = '7.0.33'");
    assert_eq!(from(&database), ["kilo"]);
    // What Kilo did not begin is OpenCode's, where nothing else tells.
    change("UPDATE session SET version = '1.18.34' WHERE title = 'Tools that work'");
    assert_eq!(from(&database), ["kilo", "opencode"]);
}

#[test]
fn a_database_that_the_environment_names_is_read() {
    let home = Home::new();
    put_database(KILO, &home.path("elsewhere.db"));
    let data = home.path(".local/share/opencode");
    fs::create_dir_all(&data).unwrap();
    put_database("1.18.34", &data.join("mine.db"));
    let output = home
        .command(&["import"])
        .env("KILO_DB", home.path("elsewhere.db"))
        // As OpenCode reads it: in the folder of its data.
        .env("OPENCODE_DB", "mine.db")
        .output()
        .unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(said.contains("brought in 16 sessions"), "{said}");
    assert_eq!(sources(&home), ["kilo", "opencode"]);
}

#[test]
fn every_database_in_kilos_folder_is_kilos_but_for_what_opencode_began() {
    let home = Home::new();
    let data = home.path(".local/share/kilo");
    fs::create_dir_all(&data).unwrap();
    let database = data.join("opencode-beta.db");
    put_database("1.18.34", &database);
    // Most were begun by a build of a channel, whose number says nothing.
    Connection::open(&database)
        .unwrap()
        .execute_batch(
            "UPDATE session SET version = '0.0.0-beta-202609010000'
            WHERE id <> (SELECT min(id) FROM session)",
        )
        .unwrap();
    let said = home.stdout(&["import"]);
    assert!(said.contains("brought in 6 sessions"), "{said}");
    assert_eq!(sources(&home), ["kilo", "opencode"]);
}

#[test]
fn importing_again_changes_nothing() {
    for release in RELEASES {
        let home = home_of(release);
        home.stdout(&["import"]);
        let before = recording::dump(&home.open());
        let (all, _) = sessions(release);
        let nothing = format!("nothing to bring in: all of {all} are recorded");
        assert!(home.stdout(&["import"]).contains(&nothing), "{release}");
        assert_eq!(recording::dump(&home.open()), before, "{release}");
        let brought = format!("brought in {all}");
        let said = home.stdout(&["import", "--all"]);
        assert!(said.contains(&brought), "{release}: {said}");
        assert_eq!(recording::dump(&home.open()), before, "{release}");
    }
}

#[test]
fn a_dry_run_says_what_would_come_and_makes_nothing() {
    let home = home_of("1.18.34");
    let said = home.stdout(&["import", "--dry-run"]);
    assert!(said.contains("would bring in 6 sessions"), "{said}");
    assert!(!home.data().exists());
    home.stdout(&["import"]);
    Connection::open(home.path(".local/share/opencode/opencode.db"))
        .unwrap()
        .execute_batch("UPDATE session SET title = 'renamed' WHERE title = 'Tools that work'")
        .unwrap();
    let before = recording::dump(&home.open());
    let said = home.stdout(&["import", "--dry-run", "--format", "json"]);
    let said: Value = serde_json::from_str(&said).unwrap();
    assert_eq!((&said["imported"], &said["new"]), (&json!(1), &json!(0)));
    assert_eq!(recording::dump(&home.open()), before);
}

#[test]
fn what_was_deleted_here_stays_deleted() {
    let home = home_of("1.18.34");
    home.stdout(&["import"]);
    let db = home.open();
    let delete = json!({ "method": "session.delete", "params": {
        "id": db.query_row("SELECT id FROM sessions WHERE title = 'Tools that work'", [], |row| row.get::<_, String>(0)).unwrap(),
        "deletedAt": 1, "onDelete": "tombstone",
    } });
    recording::apply(&db, &[serde_json::from_value(delete).unwrap()]);
    let before = recording::dump(&db);
    home.stdout(&["import", "--all"]);
    assert_eq!(recording::dump(&db), before);
}

#[test]
fn what_was_pruned_here_is_not_imported_again() {
    for more in [&[][..], &["--purge"]] {
        let home = home_of("1.18.34");
        home.stdout(&["import"]);
        home.stdout(&[&["prune", "--older-than", "2100-01-01"], more].concat());
        let before = recording::dump(&home.open());
        home.stdout(&["import", "--all"]);
        assert_eq!(recording::dump(&home.open()), before, "{more:?}");
    }
}

#[test]
fn files_that_a_database_has_replaced_are_not_read() {
    let home = home_of("1.1.31");
    let data = home.path(".local/share/opencode");
    put_database("1.18.34", &data.join("opencode.db"));
    let said = home.stdout(&["import"]);
    assert!(
        said.contains("opencode.db") && !said.contains("storage"),
        "{said}"
    );
    let storage = data.join("storage");
    let said = home.stdout(&["import", "--from", storage.to_str().unwrap()]);
    assert!(said.contains("brought in 6 sessions"), "{said}");
}

#[test]
fn every_channels_database_is_read() {
    let home = home_of("1.18.34");
    put_database(
        "1.3.2",
        &home.path(".local/share/opencode/opencode-beta.db"),
    );
    let said = home.stdout(&["import"]);
    assert!(said.contains("brought in 12 sessions"), "{said}");
}

#[test]
fn a_database_that_cannot_be_read_keeps_nothing_of_the_others_back() {
    let home = home_of("2.0.15");
    let other = home.path(".local/share/opencode/opencode-next.db");
    Connection::open(&other)
        .unwrap()
        .execute_batch("CREATE TABLE session (id text); CREATE TABLE session_message (id text)")
        .unwrap();
    let said = String::from_utf8(home.run(&["import"]).stdout).unwrap();
    assert!(
        said.contains("brought in 12 sessions")
            && said.contains("opencode-next.db is no database of OpenCode's"),
        "{said}"
    );
    fs::remove_file(home.path(".local/share/opencode/opencode.db")).unwrap();
    let complaint = home.stderr(&["import"]);
    assert!(
        complaint.contains("opencode-next.db is no database of OpenCode's"),
        "{complaint}"
    );
}

#[test]
fn an_export_of_opencodes_is_read() {
    for release in RELEASES {
        let home = Home::new();
        let file = fixture(release, "export.json");
        let said = home.stdout(&["import", "--from", file.to_str().unwrap()]);
        let brought = format!("brought in 1 session, {} messages", sessions(release).1);
        assert!(said.contains(&brought), "{release}: {said}");
        let recorded = without(recorded(release), told_by_one(release));
        let recorded = without(recorded, left_out_of_exports(release));
        let imported = comparable(&with_columns_of(&recorded, stored(&home.open())));
        let all = comparable(&recorded);
        let missing: Vec<&String> = imported.iter().filter(|line| !all.contains(line)).collect();
        assert!(missing.is_empty(), "{release}: {missing:#?}");
    }
}

/// Every text that is in the value, put through `change`.
fn each_text(value: &mut Value, change: &dyn Fn(&str, &str) -> Option<String>) {
    fn walk(key: &str, value: &mut Value, change: &dyn Fn(&str, &str) -> Option<String>) {
        match value {
            Value::String(text) => {
                if let Some(changed) = change(key, text) {
                    *text = changed;
                }
            }
            Value::Array(items) => {
                for item in items {
                    walk(key, item, change);
                }
            }
            Value::Object(fields) => {
                for (key, field) in fields {
                    walk(key, field, change);
                }
            }
            _ => {}
        }
    }
    walk("", value, change);
}

/// An export of the home of a release, and the same as `export --sanitize` makes
/// it: the release's own where it has that, and of the others what that takes out,
/// under the real ids.
fn exports(release: &str) -> (Value, Value) {
    let read = |name| serde_json::from_slice(&fs::read(fixture(release, name)).unwrap()).unwrap();
    let export: Value = read("export.json");
    let sanitized = if fixture(release, "sanitized.json").exists() {
        read("sanitized.json")
    } else {
        sanitized(&export)
    };
    (export, sanitized)
}

fn sanitized(export: &Value) -> Value {
    const TAKEN_OUT: [&str; 8] = [
        "title",
        "directory",
        "text",
        "output",
        "error",
        "command",
        "description",
        "filePath",
    ];
    let mut export = export.clone();
    each_text(&mut export, &|key, _| {
        TAKEN_OUT
            .contains(&key)
            .then(|| format!("[redacted:{key}:prt_1]"))
    });
    for message in export["messages"].as_array_mut().unwrap() {
        for part in message["parts"].as_array_mut().unwrap() {
            if let Some(input) = part.pointer_mut("/state/input") {
                *input = json!({ "redacted": "tool-input:prt_1" });
            }
        }
    }
    export
}

/// Imports an export that says this, whatever is recorded.
fn import(home: &Home, export: &Value) {
    let file = home.path("export.json");
    fs::write(&file, export.to_string()).unwrap();
    home.stdout(&["import", "--all", "--from", file.to_str().unwrap()]);
}

/// The rows with their texts, without what counts changes.
fn content(home: &Home) -> Vec<String> {
    let db = home.open();
    let mut lines = Vec::new();
    for sql in [
        "SELECT id, title, project_path, project_name, updated_at FROM sessions",
        "SELECT id, text_content, error_message FROM messages",
        "SELECT id, text, data FROM parts",
        "SELECT id, title, input, output, error, file_path, status FROM tool_calls",
        "SELECT session_id, position, content FROM todos",
    ] {
        let mut statement = db.prepare(sql).unwrap();
        let count = statement.column_count();
        let rows = statement.query_map([], |row| {
            let cell = |at| row.get::<_, Sql>(at).map(|value| format!("{value:?}"));
            (0..count).map(cell).collect::<Result<Vec<_>, _>>()
        });
        lines.extend(rows.unwrap().map(|row| row.unwrap().join(" | ")));
    }
    lines.sort();
    lines
}

#[test]
fn an_export_with_its_texts_taken_out_replaces_none_that_is_recorded() {
    for release in RELEASES {
        let home = home_of(release);
        home.stdout(&["import"]);
        let before = content(&home);
        let (_, mut later) = exports(release);
        import(&home, &later);
        assert_eq!(content(&home), before, "{release}");
        // Nor where the session has gone on since.
        later["info"]["time"]["updated"] = json!(9_999_999_999_999_i64);
        import(&home, &later);
        let words = |lines: Vec<String>| -> Vec<String> {
            let time = |line: &String| line.rsplit_once(" | ").map(|(start, _)| start.to_owned());
            lines.iter().filter_map(time).collect()
        };
        assert_eq!(words(content(&home)), words(before), "{release}");
    }
}

#[test]
fn an_older_export_puts_no_text_back() {
    for release in RELEASES {
        let home = home_of(release);
        home.stdout(&["import"]);
        let before = content(&home);
        let (mut export, _) = exports(release);
        each_text(&mut export, &|key, text| {
            (key == "text" || key == "title").then(|| format!("{text} as it was"))
        });
        export["info"]["time"]["updated"] = json!(1);
        import(&home, &export);
        assert_eq!(content(&home), before, "{release}");
    }
}

#[test]
fn an_export_of_the_same_time_replaces_no_words() {
    const WORDS: [&str; 4] = ["title", "text", "output", "error"];
    for release in RELEASES {
        let home = home_of(release);
        home.stdout(&["import"]);
        let before = content(&home);
        let (export, _) = exports(release);
        let mut empty = export.clone();
        each_text(&mut empty, &|key, _| WORDS.contains(&key).then(String::new));
        import(&home, &empty);
        assert_eq!(content(&home), before, "{release}");
        let mut other = export;
        each_text(&mut other, &|key, text| {
            (key != "title" && WORDS.contains(&key)).then(|| format!("{text} as it was"))
        });
        import(&home, &other);
        assert_eq!(content(&home), before, "{release}");
    }
}

#[test]
fn what_only_an_export_has_comes_with_what_it_has_left_of_it() {
    for release in ["1.18.34", "2.0.15"] {
        let home = Home::new();
        let (export, sanitized) = exports(release);
        import(&home, &sanitized);
        let db = home.open();
        let count = |sql: &str| db.query_row(sql, [], |row| row.get::<_, i64>(0)).unwrap();
        let (_, messages) = sessions(release);
        assert_eq!(
            count("SELECT count(*) FROM messages"),
            messages,
            "{release}"
        );
        let redacted = "SELECT count(*) FROM sessions WHERE project_path LIKE '%[redacted:%'
            OR project_name LIKE '%[redacted:%'";
        assert_eq!(count(redacted), 0, "{release}");
        // The whole one fills in what is missing, the second time nothing.
        import(&home, &export);
        let whole = content(&home);
        assert!(
            !whole.concat().contains("redacted"),
            "{release}: {whole:#?}"
        );
        import(&home, &export);
        assert_eq!(content(&home), whole, "{release}");
    }
}

#[test]
fn two_copies_of_one_database_come_to_rest() {
    let home = home_of("1.18.34");
    let older = home.path("older.db");
    fs::copy(home.path(".local/share/opencode/opencode.db"), &older).unwrap();
    let newer = home.path("newer.db");
    fs::copy(&older, &newer).unwrap();
    let change = Connection::open(&newer).unwrap();
    change
        .execute_batch("UPDATE session SET time_updated = time_updated + 1000, title = 'Later'")
        .unwrap();
    drop(change);
    let both = |home: &Home| {
        let (older, newer) = (older.to_str().unwrap(), newer.to_str().unwrap());
        home.stdout(&["import", "--from", newer, "--from", older])
    };
    both(&home);
    let rested = content(&home);
    let said = both(&home);
    assert!(said.contains("nothing to bring in"), "{said}");
    assert_eq!(content(&home), rested);
}

#[test]
fn what_cannot_be_read_is_told_and_the_rest_comes() {
    let home = home_of("1.1.31");
    let storage = home.path(".local/share/opencode/storage");
    let part = fs::read_dir(storage.join("part"))
        .unwrap()
        .next()
        .unwrap()
        .unwrap()
        .path();
    let file = fs::read_dir(part).unwrap().next().unwrap().unwrap().path();
    fs::write(&file, "{ broken").unwrap();
    let said = home.stdout(&["import"]);
    assert!(said.contains("brought in 6 sessions"), "{said}");
    assert!(
        said.contains("1 document could not be read:")
            && said.contains(file.file_name().unwrap().to_str().unwrap()),
        "{said}"
    );
}

#[test]
fn what_is_no_history_is_refused_with_advice() {
    let home = Home::new();
    assert!(
        home.stderr(&["import"])
            .contains("OpenCode has nothing in ~/.local/share/opencode")
    );
    let file = home.path("notes.txt");
    fs::write(&file, "no session").unwrap();
    assert!(
        home.stderr(&["import", "--from", file.to_str().unwrap()])
            .contains("opencode export SESSION")
    );
    let db = home.path("other.db");
    Connection::open(&db)
        .unwrap()
        .execute_batch("CREATE TABLE x (y)")
        .unwrap();
    assert!(
        home.stderr(&["import", "--from", db.to_str().unwrap()])
            .contains("is no database of OpenCode's")
    );
}

#[test]
fn who_names_a_file_without_its_option_is_told_the_option() {
    let home = Home::new();
    let refused = |args: &[&str]| {
        let output = home.run(args);
        assert_eq!(output.status.code(), Some(2), "{args:?}");
        String::from_utf8(output.stderr).unwrap()
    };
    let said = refused(&["import", "my file.db"]);
    assert!(
        said.contains("unexpected argument 'my file.db' found"),
        "{said}"
    );
    assert!(
        said.contains("tip: name it with '--from my file.db'"),
        "{said}"
    );
    assert!(said.contains("Usage: clankers import [OPTIONS]"), "{said}");
    let said = refused(&["install", "."]);
    assert!(said.contains("tip: name it with '--project .'"), "{said}");
    for args in [["import", "--form"], ["doctor", "x.db"]] {
        let said = refused(&args);
        assert!(!said.contains("name it with"), "{said}");
    }
}
