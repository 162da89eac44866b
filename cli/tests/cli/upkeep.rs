//! Looking after what is recorded, pruning and copying.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use rusqlite::Connection;
use serde_json::Value;

use crate::support::diagnosis::doctor;
use crate::support::history::put_home;
use crate::support::home::{Home, mode};
use crate::support::recording;

const RECORDINGS: &[&str] = &["1.18.34/served.jsonl", "1.3.2/run.jsonl"];

fn write(path: &Path, text: &str) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

/// A home in which all is well.
fn healthy() -> Home {
    let home = Home::with_recordings(RECORDINGS);
    home.program(".opencode/bin/opencode", "1.18.34");
    let plugin = home.built_plugin("0.1.0");
    home.stdout(&["install", "--plugin", plugin.to_str().unwrap()]);
    // Before what was recorded.
    home.backdate(".config/opencode/plugin/clankers.js");
    for (path, mode) in [(home.data(), 0o700), (home.db(), 0o600)] {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    }
    home
}

#[test]
fn all_is_well_ends_with_0() {
    let diagnosis = doctor(&healthy(), &[]);
    assert_eq!(diagnosis.status, Some(0), "{:#}", diagnosis.report);
    assert!(diagnosis.says("opencode", "good", "1.18.34"));
    assert!(diagnosis.says("plugin", "good", "OpenCode 1.18.34: recording"));
    assert!(diagnosis.says("integrity", "good", "sound"));
}

#[test]
fn doctor_reads_well() {
    let home = healthy();
    home.open()
        .execute_batch(
            "INSERT INTO rejections VALUES ('session.updated', 'wrong_type', 'properties.info.title', 'string', \
             'number', '{\"type\":\"string\"}', '1.19.0', 12, 1795404102373, 1795404102373, 1), \
             ('session.sung', 'unknown_event', 'type', 'an event type of a known release', 'another word', \
             '{\"type\":\"string\"}', '1.19.0', 1, 1795404102000, 1795404102000, 1)",
        )
        .unwrap();
    let output = home.run(&["doctor"]);
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8(output.stdout).unwrap();
    insta::with_settings!({ filters => [(r"[\d.]+ KiB", "[size]")] }, {
        insta::assert_snapshot!(said);
    });
}

#[test]
fn a_stale_copy_of_the_package_is_found_and_removed() {
    let home = healthy();
    // As 1.0, later releases of 1.x, Kilo and 2.x keep it.
    for above in [
        ".cache/opencode",
        ".cache/opencode/packages/opencode-clankers@latest",
        ".cache/kilo/packages/opencode-clankers@latest",
        ".cache/opencode/npm/opencode-clankers@latest/1795404102373-1",
        ".cache/opencode/npm/opencode-clankers@0.0.1/1795404102374-1",
    ] {
        let copy = home.path(above).join("node_modules/opencode-clankers");
        write(
            &copy.join("package.json"),
            r#"{"name":"opencode-clankers","version":"0.0.1"}"#,
        );
        let diagnosis = doctor(&home, &[]);
        assert_eq!(diagnosis.status, Some(1), "{above}");
        assert!(
            diagnosis.says("cache", "warning", "opencode-clankers 0.0.1"),
            "{above}"
        );
        assert_eq!(doctor(&home, &["--fix"]).status, Some(0), "{above}");
        assert!(!copy.exists(), "{above}");
    }
    let theirs = home.path(".cache/opencode/npm/opencode-clankers-theme@latest/1");
    write(
        &theirs.join("node_modules/opencode-clankers/package.json"),
        r#"{"name":"opencode-clankers","version":"0.0.1"}"#,
    );
    assert!(doctor(&home, &[]).of("cache").is_empty(), "another package");
}

#[test]
fn open_permissions_and_a_stale_socket_are_fixed() {
    let home = healthy();
    fs::set_permissions(home.data(), fs::Permissions::from_mode(0o755)).unwrap();
    fs::set_permissions(home.db(), fs::Permissions::from_mode(0o644)).unwrap();
    drop(std::os::unix::net::UnixListener::bind(home.socket()).unwrap());
    let diagnosis = doctor(&home, &[]);
    assert!(diagnosis.says("privacy", "warning", "others on this machine can read"));
    assert!(diagnosis.says("daemon", "warning", "left behind"));
    assert!(home.socket().exists(), "looking changes nothing");
    assert_eq!(doctor(&home, &["--fix"]).status, Some(0));
    assert_eq!((mode(&home.data()), mode(&home.db())), (0o700, 0o600));
    assert!(!home.socket().exists());
}

#[test]
fn history_that_is_not_recorded_is_told() {
    let home = healthy();
    assert!(
        doctor(&home, &[]).of("history").is_empty(),
        "OpenCode has nothing here"
    );
    let info = |updated: u32| {
        format!(
            r#"{{"id":"ses_x","projectID":"p","directory":"/p","title":"t","version":"1.1.31","time":{{"created":1,"updated":{updated}}}}}"#
        )
    };
    let storage = home.path(".local/share/opencode/storage");
    let message = r#"{"id":"msg_x","sessionID":"ses_x","role":"assistant","time":{"created":1}}"#;
    write(&storage.join("session/p/ses_x.json"), &info(2));
    write(&storage.join("message/ses_x/msg_x.json"), message);
    assert!(doctor(&home, &[]).says(
        "history",
        "warning",
        "1 session that OpenCode has is not recorded"
    ));
    home.stdout(&["import"]);
    assert!(
        doctor(&home, &[]).says("history", "good", "is recorded"),
        "an answer that never ended in OpenCode either is no lack"
    );
    write(&storage.join("session/p/ses_x.json"), &info(3));
    assert!(doctor(&home, &[]).says("history", "warning", "only in an older state"));
}

#[test]
fn history_is_told_of_each_program_and_of_either_major() {
    let said = |home: &Home| -> Vec<(String, String)> {
        let found = doctor(home, &[]).of("history").into_iter();
        let words = |text: String| text.lines().next().unwrap_or_default().to_owned();
        found.map(|(level, text)| (level, words(text))).collect()
    };
    let all = |product: &str| {
        let text = format!("every session that {product} has is recorded");
        ("good".to_owned(), text)
    };
    let lack = |what: &str| {
        let text = format!("{what} not recorded, or only in an older state");
        ("warning".to_owned(), text)
    };
    for (release, product, count, table) in [
        ("1.18.34", "OpenCode", "6 sessions", "session"),
        ("2.0.15", "OpenCode", "12 sessions", "session_v2"),
        ("kilo-7.7.9", "Kilo", "10 sessions", "session"),
    ] {
        let home = healthy();
        let kept = put_home(release, &home);
        let none = lack(&format!("{count} that {product} has are"));
        assert_eq!(said(&home), [none], "{release}");
        home.stdout(&["import"]);
        assert_eq!(said(&home), [all(product)]);
        let change = format!(
            "UPDATE {table} SET time_updated = time_updated + 1
            WHERE id = (SELECT id FROM {table} ORDER BY time_updated DESC LIMIT 1)"
        );
        Connection::open(kept)
            .unwrap()
            .execute_batch(&change)
            .unwrap();
        let one = lack(&format!("1 session that {product} has is"));
        assert_eq!(said(&home), [one], "{release}");
    }
    let home = healthy();
    put_home("2.0.15", &home);
    home.stdout(&["import"]);
    put_home("kilo-7.7.9", &home);
    let kilos = lack("10 sessions that Kilo has are");
    assert_eq!(said(&home), [all("OpenCode"), kilos]);
}

#[test]
fn paths_are_read_from_the_environment_as_the_plugin_reads_them() {
    let home = Home::new();
    let database = |variables: &[(&str, &str)], args: &[&str]| {
        let mut command = home.command(&[&["status", "--format", "json"], args].concat());
        let output = command.envs(variables.iter().copied()).output().unwrap();
        let report: Value = serde_json::from_slice(&output.stdout).unwrap();
        let path = report["db_path"].as_str().unwrap().to_owned();
        path.replace(home.path("").to_str().unwrap().trim_end_matches('/'), "~")
    };
    let default = "~/.local/share/clankers/clankers.db";
    assert_eq!(database(&[], &[]), default);
    assert_eq!(database(&[("CLANKERS_DB_PATH", "")], &[]), default);
    assert_eq!(
        database(&[("CLANKERS_DB_PATH", "relative.db")], &[]),
        default
    );
    assert_eq!(
        database(
            &[("CLANKERS_DB_PATH", "~/a.db"), ("CLANKERS_DATA_PATH", "/d")],
            &[]
        ),
        "~/a.db"
    );
    assert_eq!(
        database(&[("CLANKERS_DATA_PATH", "/d")], &[]),
        "/d/clankers.db"
    );
    assert_eq!(
        database(&[("CLANKERS_DB_PATH", "/a.db")], &["--data-path", "/d"]),
        "/d/clankers.db"
    );
    assert_eq!(
        database(&[("CLANKERS_DB_PATH", "/a.db")], &["--db-path", "b.db"]),
        "~/b.db"
    );
    let output = home
        .command(&["doctor"])
        .env("CLANKERS_DB_PATH", "relative.db")
        .output()
        .unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(
        said.contains("CLANKERS_DB_PATH is not a path from the root"),
        "{said}"
    );
    let output = home
        .command(&["daemon", "--stop"])
        .env("CLANKERS_LOG_LEVEL", "LOUD")
        .output()
        .unwrap();
    assert!(output.status.success());
}

#[test]
fn a_running_daemon_is_seen() {
    let home = healthy();
    let _daemon = home.daemon();
    assert!(doctor(&home, &["--fix"]).says("daemon", "good", "answers on"));
    assert!(home.stdout(&["status"]).contains("running for"));
    let other = home.path("other.db");
    fs::copy(home.db(), &other).unwrap();
    let diagnosis = doctor(&home, &["--db-path", other.to_str().unwrap()]);
    assert!(diagnosis.says("daemon", "warning", "it writes another database"));
    let status = home.stdout(&["status", "--db-path", other.to_str().unwrap()]);
    assert!(status.contains("it writes another database"), "{status}");
}

#[test]
fn damage_to_the_database_is_found() {
    let home = healthy();
    let db = home.open();
    db.execute_batch(
        "PRAGMA foreign_keys = OFF; INSERT INTO messages (id, session_id) VALUES ('m', 'nowhere')",
    )
    .unwrap();
    let diagnosis = doctor(&home, &[]);
    assert_eq!(diagnosis.status, Some(2));
    assert!(diagnosis.says("integrity", "broken", "1 row of messages has no parent"));
    db.execute_batch("DELETE FROM messages WHERE id = 'm'; BEGIN IMMEDIATE")
        .unwrap();
    assert!(doctor(&home, &[]).says("database", "warning", "held by another program"));
    drop(db);

    let newer = healthy();
    newer
        .open()
        .execute_batch("UPDATE clankers_database SET oldest_writer = 99; PRAGMA user_version = 99")
        .unwrap();
    assert!(doctor(&newer, &[]).says("database", "broken", "has schema 99"));

    let garbage = healthy();
    fs::write(garbage.db(), "not a database at all, and longer than a header of one would have to be, so that it is read and refused").unwrap();
    for ending in ["-wal", "-shm"] {
        let _ = fs::remove_file(garbage.data().join(format!("clankers.db{ending}")));
    }
    assert!(doctor(&garbage, &[]).says("database", "broken", "cannot be read"));
}

#[test]
fn what_is_no_file_is_refused_and_waited_for_by_nobody() {
    let home = Home::new();
    fs::create_dir_all(home.data()).unwrap();
    let made = std::process::Command::new("mkfifo").arg(home.db()).status();
    assert!(made.unwrap().success());
    let folder = home.path("folder");
    fs::create_dir(&folder).unwrap();
    for path in [home.db(), folder] {
        let at = ["--db-path", path.to_str().unwrap()];
        for command in [
            &["sessions"][..],
            &["backup", "copy.db"],
            &["prune", "--older-than", "1d"],
            &["daemon", "--foreground"],
        ] {
            let said = home.stderr(&[command, &at].concat());
            let is_told = said.contains("it is no file") || said.contains("it is a folder");
            assert!(is_told, "{command:?}: {said}");
        }
        assert!(doctor(&home, &at).says("database", "broken", "is no file"));
    }
    let said = home.stderr(&["sessions", "--db-path", "/dev/zero"]);
    assert!(said.contains("it is no file"), "{said}");
    assert!(!home.path("copy.db").exists());
}

#[test]
fn another_programs_database_keeps_its_mode() {
    let home = Home::new();
    fs::create_dir_all(home.data()).unwrap();
    home.open()
        .execute_batch("CREATE TABLE notes (text)")
        .unwrap();
    fs::set_permissions(home.db(), fs::Permissions::from_mode(0o644)).unwrap();
    let said = home.stderr(&["daemon", "--foreground"]);
    assert!(said.contains("holds tables of something else"), "{said}");
    assert_eq!(mode(&home.db()), 0o644);
}

#[test]
fn prune_erases_what_is_old_and_keeps_what_was_spent() {
    let home = Home::with_recordings(RECORDINGS);
    let value = |sql: &str| -> f64 { home.open().query_row(sql, [], |row| row.get(0)).unwrap() };
    let spent = value("SELECT sum(cost) FROM usage");
    let before = recording::dump(&home.open());
    let dry = home.stdout(&["prune", "--older-than", "2100-01-01", "--dry-run"]);
    assert!(dry.contains("would erase the content of"), "{dry}");
    home.stdout(&["prune", "--older-than", "2001-01-01"]);
    assert_eq!(recording::dump(&home.open()), before, "nothing is that old");
    assert!(home.stdout(&["search", "pond"]).contains("pond"));

    let said = home.stdout(&["prune", "--older-than", "2100-01-01", "--vacuum"]);
    assert!(said.contains("the database went from"), "{said}");
    assert!(value("SELECT count(*) * 1.0 FROM sessions") > 0.0);
    assert!((value("SELECT sum(cost) FROM usage") - spent).abs() < 1e-9);
    let content = "SELECT (SELECT count(*) FROM messages WHERE text_content <> '') \
        + (SELECT count(*) FROM parts WHERE text IS NOT NULL) + (SELECT count(*) FROM tool_calls WHERE output IS NOT NULL) * 1.0";
    assert!(value(content).abs() < 0.5);
    assert!(
        home.stdout(&["search", "pond"])
            .contains("nothing was found")
    );
    let bytes: Vec<u8> = ["clankers.db", "clankers.search"]
        .iter()
        .flat_map(|file| fs::read(home.data().join(file)).unwrap())
        .collect();
    assert!(!bytes.windows(14).any(|window| window == b"a frog jumps i"));

    home.stdout(&["prune", "--older-than", "2100-01-01", "--purge"]);
    assert!(value("SELECT count(*) * 1.0 FROM sessions").abs() < 0.5);
    assert!((value("SELECT sum(cost) FROM usage") - spent).abs() < 1e-9);
    assert!(home.stderr(&["prune"]).contains("--older-than"));
}

#[test]
fn a_backup_is_whole_while_somebody_writes() {
    let home = Home::with_recordings(RECORDINGS);
    let before = recording::dump(&home.open());
    let writer = home.open();
    writer
        .execute_batch("BEGIN IMMEDIATE; UPDATE sessions SET title = 'unfinished'")
        .unwrap();
    let copy = home.path("copy.db");
    let said = home.stdout(&["backup", copy.to_str().unwrap()]);
    assert!(
        said.contains("copied ~/.local/share/clankers/clankers.db to ~/copy.db"),
        "{said}"
    );
    let copied = Connection::open(&copy).unwrap();
    assert_eq!(recording::dump(&copied), before);
    let about = |db: &Connection| {
        let both = "SELECT id, changed FROM clankers_database";
        db.query_row(both, [], |row| Ok((row.get(0)?, row.get(1)?)))
            .unwrap()
    };
    let (id, changed): (String, i64) = about(&home.open());
    let (other, same): (String, i64) = about(&copied);
    assert_eq!((id == other, changed), (false, same));
    assert_eq!(mode(&copy), 0o600);
    assert!(
        home.stderr(&["backup", copy.to_str().unwrap()])
            .contains("is there already")
    );
    assert!(
        home.stdout(&["sessions", "--db-path", copy.to_str().unwrap()])
            .contains("Tools that work")
    );
}

#[test]
fn completions_and_man_pages_are_made() {
    let home = Home::new();
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        assert!(
            home.stdout(&["completions", shell]).contains("clankers"),
            "{shell}"
        );
    }
    assert!(home.stdout(&["man"]).contains(".TH clankers 1"));
    home.stdout(&["man", "--dir", "man"]);
    let pages: Vec<_> = fs::read_dir(home.path("man"))
        .unwrap()
        .map(|page| page.unwrap().file_name())
        .collect();
    assert!(
        pages.iter().any(|page| page == "clankers-search.1"),
        "{pages:?}"
    );
}
