//! Importing several copies of one history: which of them tells what their times
//! of change leave open, and that it comes to rest.

mod export;
mod random;
mod ranks;
mod resting;
mod said_since;
mod taken_out;

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use rusqlite::Connection;
use serde_json::{Value, json};

use crate::support::diagnosis::doctor;
use crate::support::history::{fixture, put_database};
use crate::support::home::Home;
use crate::support::recording;

/// The releases that keep a database, and the table of its sessions.
const DATABASES: [(&str, &str); 2] = [("1.18.34", "session"), ("2.0.15", "session_v2")];

/// The session that is exported.
const TITLE: &str = "Tools that work";

/// A copy of a release's database, written this long ago, after this was done to it.
fn copy(home: &Home, release: &str, name: &str, sql: &str, ago: Duration) -> PathBuf {
    let path = home.path(&format!(".local/share/opencode/{name}"));
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    put_database(release, &path);
    Connection::open(&path).unwrap().execute_batch(sql).unwrap();
    written(&path, ago);
    path
}

/// As if a file had been written this long ago.
fn written(path: &Path, ago: Duration) {
    let file = File::options().append(true).open(path).unwrap();
    file.set_modified(SystemTime::now() - ago).unwrap();
}

fn minutes(minutes: u64) -> Duration {
    Duration::from_secs(minutes * 60)
}

/// Imports from each of these in turn.
fn import(home: &Home, from: &[&PathBuf]) -> String {
    let mut args = vec!["import"];
    for path in from {
        args.extend(["--from", path.to_str().unwrap()]);
    }
    home.stdout(&args)
}

/// Every session's title, without those that say the same twice.
fn titles(home: &Home) -> Vec<String> {
    let db = home.open();
    let mut titles = db
        .prepare("SELECT DISTINCT title FROM sessions ORDER BY 1")
        .unwrap();
    let found = titles.query_map([], |row| row.get(0)).unwrap();
    found.map(Result::unwrap).collect()
}

fn renamed(table: &str, title: &str, archived: u32) -> String {
    format!("UPDATE {table} SET title = '{title}', time_archived = {archived}")
}

/// Nothing is left to bring in, and nothing changes whichever way it is tried.
fn assert_at_rest(home: &Home, from: &[&PathBuf], what: &str) {
    let before = recording::dump(&home.open());
    for from in [from.to_vec(), from.iter().rev().copied().collect()] {
        let said = import(home, &from);
        assert!(said.contains("nothing to bring in"), "{what}: {said}");
        assert_eq!(recording::dump(&home.open()), before, "{what}");
    }
}

#[test]
fn of_two_copies_of_one_database_the_one_written_last_tells() {
    for (release, table) in DATABASES {
        for turned in [false, true] {
            let home = Home::new();
            let newer = copy(
                &home,
                release,
                "opencode.db",
                &renamed(table, "new", 2),
                minutes(1),
            );
            let older = copy(
                &home,
                release,
                "opencode-backup.db",
                &renamed(table, "old", 3),
                minutes(9),
            );
            let mut both = [&newer, &older];
            if turned {
                both.reverse();
            }
            import(&home, &both);
            assert_eq!(titles(&home), ["new"], "{release}");
            let archived = "SELECT count(*) FROM sessions WHERE archived_at IS NOT 2";
            let others: i64 = home
                .open()
                .query_row(archived, [], |row| row.get(0))
                .unwrap();
            assert_eq!(others, 0, "{release}");
            assert_at_rest(&home, &both, release);
            let found = doctor(&home, &[]);
            let all = "every session that OpenCode has is recorded";
            assert!(
                found.says("history", "good", all),
                "{:?}",
                found.of("history")
            );
            // It is renamed once more, which leaves its time of change as it was.
            Connection::open(&older)
                .unwrap()
                .execute_batch(&renamed(table, "newest", 2))
                .unwrap();
            import(&home, &both);
            assert_eq!(titles(&home), ["newest"], "{release}");
            assert_at_rest(&home, &both, release);
        }
    }
}

/// The middle one comes last, and what the newest one has was stored before that came.
#[test]
fn of_three_copies_the_one_written_last_tells_though_it_says_nothing_new() {
    for (release, table) in DATABASES {
        let home = Home::new();
        let oldest = copy(
            &home,
            release,
            "opencode-oldest.db",
            &renamed(table, "kept", 2),
            minutes(9),
        );
        let newest = copy(
            &home,
            release,
            "opencode.db",
            &renamed(table, "kept", 2),
            minutes(1),
        );
        let middle = copy(
            &home,
            release,
            "opencode-middle.db",
            &renamed(table, "middle", 3),
            minutes(5),
        );
        let all = [&oldest, &newest, &middle];
        import(&home, &all);
        assert_eq!(titles(&home), ["kept"], "{release}");
        assert_at_rest(&home, &all, release);
    }
}

#[test]
fn two_copies_written_at_the_same_moment_come_to_rest() {
    for (release, table) in DATABASES {
        let home = Home::new();
        let one = copy(
            &home,
            release,
            "opencode.db",
            &renamed(table, "one", 2),
            minutes(1),
        );
        let other = copy(
            &home,
            release,
            "opencode-other.db",
            &renamed(table, "other", 3),
            minutes(1),
        );
        let moment = SystemTime::UNIX_EPOCH + minutes(28_000_000);
        for path in [&one, &other] {
            File::options()
                .append(true)
                .open(path)
                .unwrap()
                .set_modified(moment)
                .unwrap();
        }
        import(&home, &[&one, &other]);
        assert_at_rest(&home, &[&one, &other], release);
    }
}

/// OpenCode 1.18 adds the last step to a session's totals, and neither tells nor
/// changes its time.
#[test]
fn what_was_spent_and_not_told_comes_whatever_ranks_higher() {
    for (release, table) in DATABASES {
        let home = Home::new();
        let more = format!(
            "UPDATE {table} SET cost = cost + 1; {}",
            renamed(table, "old", 3)
        );
        let newer = copy(
            &home,
            release,
            "opencode.db",
            &renamed(table, "new", 3),
            minutes(1),
        );
        let older = copy(&home, release, "opencode-old.db", &more, minutes(9));
        for both in [[&newer, &older], [&older, &newer]] {
            let home = Home::new();
            import(&home, &both);
            assert_eq!(titles(&home), ["new"], "{release}");
            let spent = "SELECT count(*) FROM sessions WHERE cost < 1";
            let without: i64 = home.open().query_row(spent, [], |row| row.get(0)).unwrap();
            assert_eq!(without, 0, "{release}");
            assert_at_rest(&home, &both, release);
        }
    }
}

#[test]
fn a_database_ranks_above_an_export_of_the_same_time() {
    for (release, table) in DATABASES {
        let home = Home::new();
        let database = copy(&home, release, "opencode.db", "", minutes(9));
        let mut export: Value =
            serde_json::from_slice(&fs::read(fixture(release, "export.json")).unwrap()).unwrap();
        let id = export["info"]["id"].as_str().unwrap().to_owned();
        export["info"]["title"] = json!("as it was exported");
        let export = home.write("export.json", &export.to_string());
        for both in [[&export, &database], [&database, &export]] {
            let home = Home::new();
            import(&home, &both);
            let titles = titles(&home);
            assert!(
                !titles.contains(&"as it was exported".to_owned()),
                "{table}"
            );
            assert_at_rest(&home, &both, release);
        }
        // Where there is nothing else, the export tells.
        let alone = Home::new();
        import(&alone, &[&export]);
        assert_eq!(titles(&alone), ["as it was exported"], "{id}");
    }
}

#[test]
fn an_export_with_its_texts_taken_out_comes_to_rest() {
    for (release, _) in DATABASES {
        let home = Home::new();
        let database = copy(&home, release, "opencode.db", "", minutes(9));
        let sanitized = fixture(release, "sanitized.json");
        for both in [[&sanitized, &database], [&database, &sanitized]] {
            let home = Home::new();
            import(&home, &both);
            let said = titles(&home).concat();
            assert!(!said.contains("redacted"), "{release}: {said}");
            assert_at_rest(&home, &both, release);
        }
    }
}

#[test]
fn words_that_only_look_taken_out_are_brought_in() {
    let words = "what is [redacted:text:prt_1] in an export?";
    let home = Home::new();
    let change = |text: &str, more: &str| {
        format!(
            "UPDATE part SET data = json_set(data, '$.text', '{text}') WHERE data ->> 'type' = 'text';
            UPDATE session SET time_updated = time_updated {more};"
        )
    };
    let older = copy(
        &home,
        "1.18.34",
        "opencode-old.db",
        &change("before", ""),
        minutes(9),
    );
    let newer = copy(
        &home,
        "1.18.34",
        "opencode.db",
        &change(words, "+ 1"),
        minutes(1),
    );
    import(&home, &[&older, &newer]);
    let texts = "SELECT DISTINCT text FROM parts WHERE type = 'text'";
    let text: String = home.open().query_row(texts, [], |row| row.get(0)).unwrap();
    assert_eq!(text, words);
    assert_at_rest(&home, &[&newer, &older], TITLE);
}
