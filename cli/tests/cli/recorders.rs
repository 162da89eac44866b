//! What recorders told of themselves is in `status`, and in `doctor` where it is
//! trouble that nothing has put right.

use std::time::{SystemTime, UNIX_EPOCH};

use rusqlite::params;
use serde_json::{Value, json};

use crate::support::diagnosis::doctor;
use crate::support::home::Home;

/// Minutes before now, Unix milliseconds.
fn ago(minutes: u64) -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    u64::try_from(now.as_millis()).unwrap() - minutes * 60_000
}

/// A home with a recorder for each report, by their names.
fn home(reports: &[(&str, Value)]) -> Home {
    let home = Home::with_recordings(&["1.18.34/served.jsonl"]);
    for (writer, report) in reports {
        tell(&home, writer, report);
    }
    home
}

/// Stores a report as that writer's.
fn tell(home: &Home, writer: &str, report: &Value) {
    home.open()
        .execute(
            "INSERT INTO batches (writer, number, stored_at, report) VALUES (?1, 1, 0, ?2)",
            params![writer, report.to_string()],
        )
        .unwrap();
}

/// A report of that long ago, with what is said of it.
fn report(minutes: u64, said: &Value) -> Value {
    let mut report = json!({
        "version": "0.1.0", "dialect": "opencode1", "pid": 4711,
        "startedAt": ago(minutes + 30), "reportedAt": ago(minutes),
        "seen": 1234, "ignored": 310, "refused": 2, "commands": 480, "drains": 60, "waiting": 0,
        "asked": 12, "answered": 11, "failed": 1
    });
    let said = said.as_object().unwrap().clone();
    report.as_object_mut().unwrap().extend(said);
    report
}

#[test]
fn status_shows_what_the_last_recorders_counted() {
    let ended = json!({
        "reportedAt": 1_795_860_300_000_u64, "startedAt": 1_795_859_000_000_u64,
        "caughtUpAt": 1_795_859_100_000_u64, "lastErrorAt": 1_795_859_200_000_u64,
        "lastError": "…: database is locked\u{1b}[31m", "dialect": "opencode2"
    });
    let others: Vec<String> = (1..4).map(|at| format!("other {at}")).collect();
    let mut reports = vec![("one", report(0, &ended))];
    for (at, name) in others.iter().enumerate() {
        let before = 1_795_800_000_000 + at as u64;
        reports.push((
            name,
            report(0, &json!({ "reportedAt": before, "startedAt": before })),
        ));
    }
    let home = home(&reports);
    let said = home.stdout(&["status"]);
    let from = said.find("● recorder").unwrap_or_else(|| panic!("{said}"));
    let lines: Vec<&str> = said[from..].lines().collect();
    assert_eq!(
        lines[..4],
        [
            "● recorder   OpenCode 2.x (pid 4711, clankers 0.1.0), from 2026-11-28 09:43 to 2026-11-28 10:05",
            "             1,234 events seen, 310 ignored, 2 refused; 480 commands in 60 drains, 0 waiting",
            "             catch-up: 12 sessions asked for, 11 answered, 1 failed; ended 2026-11-28 09:45",
            "             last error, 2026-11-28 09:46: …: database is locked[31m",
        ],
        "{said}"
    );
    assert_eq!(said.matches("● recorder").count(), 3);
    assert!(
        said.contains("             and 1 before: `clankers query"),
        "{said}"
    );
    let status = home.stdout(&["status", "--format", "json"]);
    let status: Value = serde_json::from_str(&status).unwrap();
    let all = status["recorders"].as_array().unwrap();
    assert_eq!(all.len(), 4);
    assert_eq!(
        (&all[0]["id"], &all[0]["seen"], &all[0]["caught_up_at"]),
        (&json!("one"), &json!(1234), &json!(1_795_859_100_000_u64))
    );
    assert_eq!(all[1]["last_error"], Value::Null);
}

#[test]
fn status_says_nothing_of_recorders_where_none_told_anything() {
    let home = home(&[]);
    assert!(!home.stdout(&["status"]).contains("recorder "));
    let status = home.stdout(&["status", "--format", "json"]);
    let status: Value = serde_json::from_str(&status).unwrap();
    assert_eq!(status["recorders"], json!([]));
}

#[test]
fn what_a_recorder_knows_to_be_missing_is_a_warning_until_somebody_caught_up() {
    let missing = "did not answer all that it was asked";
    let behind = report(
        10,
        &json!({ "behindSince": ago(15), "lastError": "no answer", "lastErrorAt": ago(15) }),
    );
    let home = home(&[("one", behind)]);
    let found = doctor(&home, &[]);
    assert!(
        found.says("recorders", "warning", missing),
        "{:#}",
        found.report
    );
    assert!(found.says("recorders", "warning", "no answer"));
    let screen = home.stdout(&["status"]);
    let line = screen.lines().find(|line| line.contains("recorder "));
    assert!(line.is_some_and(|line| line.starts_with("○") && line.contains(missing)));
    // One of another program, or one that caught up before, puts nothing right.
    tell(
        &home,
        "kilo",
        &report(5, &json!({ "dialect": "kilo", "caughtUpAt": ago(6) })),
    );
    tell(
        &home,
        "early",
        &report(5, &json!({ "caughtUpAt": ago(20) })),
    );
    assert!(doctor(&home, &[]).says("recorders", "warning", missing));
    tell(&home, "late", &report(5, &json!({ "caughtUpAt": ago(6) })));
    let found = doctor(&home, &[]);
    assert_eq!(found.of("recorders").len(), 1, "{:#}", found.report);
    assert!(found.says("recorders", "good", "nothing is known to be missing"));
}

#[test]
fn what_a_recorder_still_held_is_a_warning() {
    let home = home(&[("one", report(10, &json!({ "waiting": 7 })))]);
    let found = doctor(&home, &[]);
    let words = "7 changes had not been stored when it stored last";
    assert!(
        found.says("recorders", "warning", words),
        "{:#}",
        found.report
    );
}

#[test]
fn what_is_under_way_is_no_trouble() {
    let just_now = json!({ "waiting": 7, "behindSince": ago(0) });
    let home = home(&[("one", report(0, &just_now))]);
    let found = doctor(&home, &[]);
    assert!(
        found.says("recorders", "good", "1 recorder told how it went"),
        "{:#}",
        found.report
    );
}

/// A home with the plugin of release 0.1.0 for OpenCode 1.x.
fn home_with_plugin() -> Home {
    let home = home(&[]);
    home.program("bin/opencode", "1.18.34");
    let dist = home.built_plugin("0.1.0");
    home.stdout(&["install", "--plugin", dist.to_str().unwrap()]);
    home
}

#[test]
fn another_release_than_the_one_that_is_placed_is_told_until_that_one_has_begun() {
    let home = home_with_plugin();
    let of = |version: &str, pid: u64, began: u64| json!({ "version": version, "pid": pid, "startedAt": ago(began) });
    let older = "OpenCode 1.x (pid 1) had clankers 0.0.9 loaded when it stored last";
    tell(&home, "old", &report(90, &of("0.0.9", 1, 200)));
    // One that began before and has what is placed says nothing of the other.
    tell(&home, "new", &report(1, &of("0.1.0", 2, 100)));
    let found = doctor(&home, &[]);
    assert!(
        found.says("version", "warning", older),
        "{:#}",
        found.report
    );
    assert!(found.says("version", "warning", "placed is 0.1.0\nwhat is at work"));
    tell(&home, "newer", &report(1, &of("0.1.0", 3, 80)));
    let found = doctor(&home, &[]);
    let good = "OpenCode 1.x had clankers 0.1.0 loaded when it stored last";
    assert_eq!(found.of("version").len(), 1, "{:#}", found.report);
    assert!(found.says("version", "good", good));
    // It was not the other that was started again: that one goes on.
    tell(&home, "old again", &report(0, &of("0.0.9", 4, 200)));
    let found = doctor(&home, &[]);
    let goes_on = older.replace("pid 1", "pid 4");
    assert!(
        found.says("version", "warning", &goes_on),
        "{:#}",
        found.report
    );
}

#[test]
fn what_was_loaded_long_ago_or_by_another_program_is_not_told() {
    let home = home_with_plugin();
    let old = json!({ "version": "0.0.9" });
    tell(&home, "long ago", &report(25 * 60, &old));
    tell(
        &home,
        "kilo",
        &report(5, &json!({ "version": "0.0.9", "dialect": "kilo" })),
    );
    let found = doctor(&home, &[]);
    assert!(found.of("version").is_empty(), "{:#}", found.report);
}
