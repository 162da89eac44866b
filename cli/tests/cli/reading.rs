//! The commands that read, on recorded conversations.

use std::io::{BufRead, BufReader};
use std::process::Stdio;

use serde_json::Value;

use crate::support::home::{Home, mode};
use crate::support::recording;

/// What the snapshots are of: two releases; tools that work and fail, a
/// sub-agent, a rename, a delete, a revert, a fork.
const RECORDINGS: &[&str] = &[
    "1.18.34/run.jsonl",
    "1.18.34/served.jsonl",
    "1.18.34/matrix-history.jsonl",
    "1.18.34/matrix-failures.jsonl",
    "1.3.2/run.jsonl",
];

fn home() -> Home {
    Home::with_recordings(RECORDINGS)
}

/// What commands print, each after its command line.
fn transcript(home: &Home, commands: &[&[&str]]) -> String {
    let one = |args: &&[&str]| {
        let output = home.run(args);
        let text = |bytes| String::from_utf8(bytes).unwrap();
        let said = text(output.stdout) + &text(output.stderr);
        let words: Vec<String> = args
            .iter()
            .map(|word| {
                if word.contains(' ') {
                    format!("\"{word}\"")
                } else {
                    (*word).to_owned()
                }
            })
            .collect();
        format!("$ clankers {}\n{}\n", words.join(" "), said.trim_end())
    };
    commands.iter().map(one).collect::<Vec<_>>().join("\n")
}

fn session_titled(home: &Home, title: &str) -> String {
    let query = "SELECT id FROM sessions WHERE title = ?1 ORDER BY id LIMIT 1";
    home.open()
        .query_row(query, [title], |row| row.get(0))
        .unwrap()
}

#[test]
fn status_is_a_screenful() {
    let home = home();
    let said = transcript(&home, &[&["status"]]);
    insta::with_settings!({ filters => [(r"[\d.]+ KiB", "[size]")] }, { insta::assert_snapshot!(said) });
}

#[test]
fn sessions_are_listed_and_filtered() {
    let home = home();
    insta::assert_snapshot!(transcript(
        &home,
        &[
            &["sessions", "--width", "110"],
            &["sessions", "--all", "--width", "80", "-n", "5"],
            &["sessions", "tokens"],
            &[
                "sessions",
                "--model",
                "scripted-large",
                "--sort",
                "cost",
                "-n",
                "2"
            ],
            &["sessions", "--project", "elsewhere"],
            &["sessions", "--since", "soon"],
        ]
    ));
}

#[test]
fn a_session_is_shown_as_it_went() {
    let home = home();
    let failing = session_titled(&home, "Tools that fail");
    insta::assert_snapshot!(transcript(
        &home,
        &[
            &["show", &failing, "--width", "100"],
            &["show", &failing, "--format", "md", "--tools"],
            &["show", "ses_nowhere"],
        ]
    ));
}

#[test]
fn spend_is_added_up_in_several_ways() {
    let home = home();
    insta::assert_snapshot!(transcript(
        &home,
        &[
            &["stats"],
            &["stats", "--by", "model", "--format", "csv"],
            &["stats", "--by", "agent", "--width", "100"],
            &["stats", "--by", "session", "--width", "130"],
            &["stats", "--tree", "--width", "120"],
            &["stats", "--until", "2001-01-01"],
        ]
    ));
}

#[test]
fn tools_are_counted() {
    let home = home();
    let said = transcript(&home, &[&["tools", "--width", "120"]]);
    insta::assert_snapshot!(said);
}

#[test]
fn words_are_found_with_what_is_about_them() {
    let home = home();
    insta::assert_snapshot!(transcript(
        &home,
        &[
            &["search", "pond", "--color", "always"],
            &["search", "count*", "--width", "100"],
            &["search", "exit code", "--format", "md"],
            &["search", "--", "pond", "-silent"],
            &["search", "zebra"],
            &["search", "AND", "NEAR(", "\"", "*"],
            &["search", "-"],
        ]
    ));
}

#[test]
fn what_happened_last_is_followed() {
    let home = home();
    insta::assert_snapshot!(transcript(
        &home,
        &[&["tail", "--once", "-n", "6", "--width", "100"]]
    ));
}

#[test]
fn what_happens_is_followed_as_it_comes() {
    let home = home();
    let mut tail = home
        .command(&["tail", "-n", "1", "--format", "jsonl"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(tail.stdout.take().unwrap()).lines();
    lines.next().unwrap().unwrap();
    let db = home.open();
    db.execute_batch(
        "INSERT INTO messages (id, session_id, role, text_content, created_at)
         SELECT 'msg_new', min(id), 'user', 'Is it running?', 1999999999999 FROM sessions",
    )
    .unwrap();
    let line: Value = serde_json::from_str(&lines.next().unwrap().unwrap()).unwrap();
    assert_eq!(
        (&line["id"], &line["text"]),
        (&"msg_new".into(), &"Is it running?".into())
    );
    // Also once a backup was put back.
    home.stdout(&["backup", "backup.db"]);
    home.stdout(&["restore", "backup.db", "--yes"]);
    home.open()
        .execute_batch("UPDATE messages SET id = 'msg_newer' WHERE id = 'msg_new'")
        .unwrap();
    let line: Value = serde_json::from_str(&lines.next().unwrap().unwrap()).unwrap();
    assert_eq!(line["id"], "msg_newer");
    tail.kill().unwrap();
    tail.wait().unwrap();
}

#[test]
fn output_takes_the_form_that_is_asked_for() {
    let home = home();
    let ask = "SELECT title, cost FROM sessions WHERE title LIKE 'Tools%' ORDER BY title";
    insta::assert_snapshot!(transcript(
        &home,
        &[
            &["query", ask],
            &["query", ask, "--format", "json"],
            &["query", ask, "--format", "jsonl"],
            &["query", ask, "--format", "csv"],
            &["query", ask, "--format", "md"],
        ]
    ));
}

#[test]
fn a_query_cannot_change_anything() {
    let home = home();
    let before = recording::dump(&home.open());
    let outside = home.path("outside.db");
    for sql in [
        "DELETE FROM sessions",
        "UPDATE sessions SET title = 'x' RETURNING id",
        "WITH gone AS (SELECT id FROM sessions) DELETE FROM sessions WHERE id IN gone",
        "CREATE TABLE x (y)",
        "DROP TABLE todos",
        "PRAGMA user_version = 99",
        "PRAGMA journal_mode = DELETE",
        "PRAGMA writable_schema = ON; DELETE FROM sqlite_schema",
        "VACUUM",
        &format!("VACUUM INTO '{}'", outside.display()),
        &format!("ATTACH '{}' AS x", outside.display()),
        "SELECT 1; DELETE FROM sessions",
        "SELECT load_extension('x')",
    ] {
        let _ = home.run(&["query", sql]);
    }
    assert_eq!(recording::dump(&home.open()), before);
    assert!(!outside.exists());
    let error = home.stderr(&["query", "DELETE FROM sessions"]);
    assert!(error.contains("this would change the database"), "{error}");
    let error = home.stderr(&["query", "SELECT nowhere FROM sessions"]);
    assert!(
        error.contains("no such column: nowhere") && error.contains("sqlite_schema"),
        "{error}"
    );
}

#[test]
fn reading_goes_on_while_somebody_writes() {
    let home = home();
    let writer = home.open();
    writer
        .execute_batch("BEGIN EXCLUSIVE; UPDATE sessions SET title = 'unfinished'")
        .unwrap();
    for args in [
        &["sessions"][..],
        &["status"],
        &["stats"],
        &["tools"],
        &["search", "pond"],
        &["show"],
    ] {
        assert!(!home.stdout(args).contains("unfinished"), "{args:?}");
    }
}

#[test]
fn without_a_database_each_command_says_what_to_do() {
    let home = Home::new();
    for args in [
        &["sessions"][..],
        &["stats"],
        &["search", "x"],
        &["query", "SELECT 1"],
        &["export"],
    ] {
        let error = home.stderr(args);
        assert!(
            error.contains("there is no database at ~/.local/share/clankers/clankers.db"),
            "{error}"
        );
        assert!(error.contains("clankers install"), "{error}");
    }
    assert!(home.stdout(&["status"]).contains("none yet at"));
    assert!(!home.data().exists(), "looking makes nothing");
}

#[test]
fn a_reader_that_leaves_is_no_failure() {
    let home = home();
    let mut child = home
        .command(&["export"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.status.code(), output.stderr), (Some(0), Vec::new()));
}

#[test]
fn an_export_holds_every_row() {
    let home = home();
    let lines = home.stdout(&["export"]);
    let count = |table: &str| {
        let of = |line: &&str| serde_json::from_str::<Value>(line).unwrap()["table"] == table;
        lines.lines().filter(of).count()
    };
    for table in [
        "sessions",
        "messages",
        "parts",
        "tool_calls",
        "usage",
        "session_errors",
        "todos",
    ] {
        let query = format!("SELECT count(*) FROM {table}");
        let stored: usize = home
            .open()
            .query_row(&query, [], |row| row.get::<_, i64>(0))
            .unwrap()
            .try_into()
            .unwrap();
        assert_eq!(count(table), stored, "{table}");
    }
    let all: Value = serde_json::from_str(&home.stdout(&["export", "--format", "json"])).unwrap();
    assert_eq!(all.as_array().unwrap().len(), lines.lines().count());
    let id = session_titled(&home, "Delegation");
    let one = home.stdout(&[
        "export",
        "--session",
        &id,
        "--table",
        "messages",
        "--format",
        "csv",
    ]);
    assert!(
        one.starts_with("id,session_id,") && one.lines().skip(1).all(|line| line.contains(&id))
    );
    let file = home.path("rows.jsonl");
    home.stdout(&["export", "--output", file.to_str().unwrap()]);
    assert_eq!(std::fs::read_to_string(&file).unwrap(), lines);
    assert_eq!(mode(&file), 0o600);
    assert!(
        home.stderr(&["export", "--format", "csv"])
            .contains("CSV holds one table")
    );
    assert!(
        home.stderr(&["export", "--table", "secrets"])
            .contains("no table `secrets`")
    );
}

#[test]
fn the_index_follows_the_database_and_holds_no_text() {
    let home = home();
    let index = home.data().join("clankers.search");
    let found = |words: &str| {
        let text = home.stdout(&["search", words, "--format", "jsonl"]);
        text.lines()
            .map(|line| serde_json::from_str::<Value>(line).unwrap())
            .collect::<Vec<_>>()
    };
    let before = found("haiku").len();
    assert!(before > 0);
    assert_eq!(mode(&index), 0o600);
    let bytes = std::fs::read(&index).unwrap();
    let holds = |text: &str| {
        bytes
            .windows(text.len())
            .any(|window| window == text.as_bytes())
    };
    assert!(
        !holds("a frog jumps in"),
        "no sentence is stored a second time"
    );

    let db = home.open();
    db.execute_batch(
        "INSERT INTO sessions (id, title) VALUES ('ses_new', 'A haiku about zebras');
         UPDATE messages SET text_content = 'zebra crossing' WHERE id = (SELECT min(id) FROM messages WHERE role = 'user');",
    )
    .unwrap();
    assert_eq!(found("haiku").len(), before + 1);
    assert_eq!(
        found("zebra").len(),
        2,
        "porter's stems: zebras are a zebra"
    );
    db.execute_batch("UPDATE sessions SET title = NULL, deleted_at = 1 WHERE id = 'ses_new'")
        .unwrap();
    assert_eq!(found("haiku").len(), before);

    std::fs::write(&index, "damaged").unwrap();
    assert_eq!(
        found("haiku").len(),
        before,
        "an index that cannot be used is no obstacle"
    );
    home.stdout(&["search", "haiku", "--rebuild"]);
    assert_eq!(found("haiku").len(), before);
}

#[test]
fn colour_is_for_terminals_unless_asked_for() {
    let home = home();
    let is_coloured = |text: &str| text.contains('\u{1b}');
    assert!(!is_coloured(&home.stdout(&["sessions"])));
    assert!(is_coloured(
        &home.stdout(&["sessions", "--color", "always"])
    ));
    assert!(!is_coloured(
        &home.stdout(&["sessions", "--color", "always", "--format", "csv"])
    ));
}

#[test]
fn what_a_model_wrote_cannot_command_the_terminal() {
    let home = home();
    home.open()
        .execute_batch("UPDATE sessions SET title = 'a' || char(27) || ']0;b' || char(7) || 'c'")
        .unwrap();
    for args in [
        &["sessions"][..],
        &["show"],
        &["stats", "--tree"],
        &["tail", "--once"],
    ] {
        let said = home.stdout(args);
        assert!(
            !said.contains('\u{1b}') && !said.contains('\u{7}'),
            "{args:?}: {said:?}"
        );
    }
}

#[test]
fn several_sessions_with_one_beginning_are_told_apart() {
    let home = home();
    let error = home.stderr(&["show", "ses_"]);
    assert!(
        error.contains("several sessions begin with `ses_`"),
        "{error}"
    );
    let id = session_titled(&home, "Delegation");
    for name in [id.as_str(), &id[..16], &id[4..16]] {
        assert!(home.stdout(&["show", name]).starts_with("Delegation\n"));
    }
}

/// OpenCode 2's titles and calls that were tried again: spent, and no step.
#[test]
fn what_only_a_total_shows_is_spent_and_no_step() {
    let home = Home::with_recordings(&[]);
    home.open()
        .execute_batch(
            "INSERT INTO usage (id, session_id, provider, model, agent, cost, at, kind) VALUES
               ('prt_1', 'ses_1', 'p', 'large', 'build', 0.5, 1000, 'step'),
               ('ses_1:overhead', 'ses_1', NULL, NULL, NULL, 0.25, NULL, 'overhead')",
        )
        .unwrap();
    for (by, step) in [("model", "p/large"), ("agent", "build")] {
        let said = home.stdout(&["stats", "--by", by, "--format", "csv"]);
        let rows: Vec<Vec<&str>> = said.lines().map(|line| line.split(',').collect()).collect();
        let of = |name: &str| {
            let row = rows.iter().find(|row| row[0].trim_matches('"') == name);
            row.map(|row| (row[1], row[row.len() - 1]))
        };
        assert_eq!(of(step), Some(("1", "0.5")), "{said}");
        assert!(said.contains("(titles, retries)"), "{said}");
        assert!(said.contains(",0.25"), "{said}");
    }
    let by_day = home.stdout(&["stats", "--format", "json"]);
    let days: Vec<Value> = serde_json::from_str(&by_day).unwrap();
    let steps: i64 = days.iter().map(|day| day["steps"].as_i64().unwrap()).sum();
    assert_eq!(steps, 1, "{by_day}");
}
