//! What is missing is hidden, shown on demand, and counted.

use clankers::model::command::{Command, PartMissing};
use serde_json::Value;

use super::{RECORDINGS, SINCE, STORE, Sample, json, number, sample, since};
use crate::support::home::Home;
use crate::support::recording;

#[test]
fn reading_commands_hide_what_is_missing() {
    let Sample {
        home,
        session,
        other,
        message,
        call,
    } = sample();
    let listed = |args: &[&str]| -> Vec<Value> {
        let listed = json(&home, &[&["sessions"], args].concat());
        listed.as_array().unwrap().clone()
    };
    let of = |sessions: &[Value], id: &str| {
        let found = sessions.iter().find(|session| session["id"] == id);
        found.cloned().unwrap_or_default()
    };
    assert_eq!(of(&listed(&[]), &session), Value::Null);
    assert_eq!(of(&listed(&[]), &other)["messages"], 7);
    let all = of(&listed(&["--all"]), &session);
    assert_eq!(
        (&all["title"], &all["messages"]),
        (&Value::Null, &0.into()),
        "as of a deleted session, only the shell is listed"
    );
    assert!(home.stdout(&["sessions", "--all"]).contains("(missing)"));
    assert_eq!(listed(&["Delegation"]), [] as [Value; 0]);
    assert_eq!(listed(&["They counted"]), [] as [Value; 0]);
    let said = home.stdout(&["sessions", "Delegation"]);
    assert!(
        said.ends_with(
            "\nno session matches; --missing shows 1 session that OpenCode does not have any \
             more; --all shows sub-agents' and deleted ones too\n"
        ),
        "{said}"
    );

    let shown = home.stdout(&["show", &session]);
    assert!(shown.starts_with("(missing)\n"), "{shown}");
    assert!(
        shown.contains("missing in OpenCode since 2026-11-24 00:00")
            && shown
                .ends_with("OpenCode does not have this session any more: --missing shows it\n")
            && !shown.contains("They counted"),
        "{shown}"
    );
    let shown = home.stdout(&["show", &other]);
    assert!(
        !shown.contains("wc -l haiku.txt") && !shown.contains("▸ write"),
        "{shown}"
    );
    assert!(
        shown.ends_with(
            "not shown: 1 message and 1 part that OpenCode does not have any more; --missing shows all\n"
        ),
        "{shown}"
    );
    let ids = json(&home, &["show", &other]).to_string();
    assert!(!ids.contains(&message) && !ids.contains(&call));

    for words in ["counted", "Delegation", "wc", "write"] {
        let found = home.stdout(&["search", words, "--format", "jsonl"]);
        for id in [&session, &message, &call] {
            assert!(!found.contains(id.as_str()), "{words}: {found}");
        }
    }
    let tail = home.stdout(&["tail", "--once", "-n", "1000", "--format", "jsonl"]);
    let exported = home.stdout(&["export"]);
    for id in [&message, &call] {
        assert!(!tail.contains(id.as_str()) && !exported.contains(&format!("\"id\":\"{id}\"")));
    }
    assert!(!tail.contains(&session));
    for table in ["sessions", "messages", "parts", "tool_calls", "todos"] {
        let column = if table == "sessions" {
            "id"
        } else {
            "session_id"
        };
        let rows = home.stdout(&["export", "--table", table]);
        let of_session = format!("\"{column}\":\"{session}\"");
        assert!(!rows.contains(&of_session), "{table}");
    }
}

#[test]
fn what_belongs_to_something_missing_is_hidden_with_it() {
    let Sample {
        home,
        session,
        other,
        message,
        ..
    } = sample();
    home.open()
        .execute_batch(&format!(
            "INSERT INTO parts (id, message_id, session_id, type, text)
               VALUES ('prt_x', '{message}', '{other}', 'reasoning', 'Zebras.');
             INSERT INTO todos (session_id, position, content) VALUES ('{session}', 0, 'Zebra one');
             INSERT INTO session_errors (id, session_id, message_id, name, message) VALUES
               ('err_1', '{session}', NULL, 'Lost', 'Zebra two'),
               ('err_2', '{other}', '{message}', 'Lost', 'Zebra three'),
               ('err_3', '{other}', NULL, 'Lost', 'Horse one'),
               ('err_4', NULL, NULL, 'Lost', 'Horse two');
             INSERT INTO permissions (id, session_id, message_id, patterns) VALUES
               ('per_1', '{session}', NULL, 'Zebra four'),
               ('per_2', '{other}', '{message}', 'Zebra five'),
               ('per_3', '{other}', NULL, 'Horse three');"
        ))
        .unwrap();
    let animals = |text: &str| (text.matches("Zebra").count(), text.matches("Horse").count());
    assert_eq!(animals(&home.stdout(&["export"])), (0, 3));
    assert_eq!(animals(&home.stdout(&["export", "--missing"])), (6, 3));
    assert_eq!(
        animals(&home.stdout(&["search", "zebra", "--format", "jsonl"])),
        (0, 0)
    );
    for form in ["table", "md", "json"] {
        let shown = |args: &[&str]| {
            let args = [&["show", "--reasoning", "--format", form], args].concat();
            animals(&home.stdout(&args))
        };
        assert_eq!(shown(&[&session]), (0, 0), "{form}");
        assert_eq!(shown(&[&other]), (0, 1), "{form}");
        assert_eq!(shown(&[&session, "--missing"]), (2, 0), "{form}");
    }
}

#[test]
fn what_is_missing_is_shown_on_demand_with_the_time_since_when() {
    let sample = sample();
    let home = &sample.home;
    let listed = home.stdout(&["sessions", "--missing", "--width", "150"]);
    let line = listed.lines().find(|line| line.contains("Delegation"));
    assert!(line.unwrap().ends_with("2026-11-24 00:00"), "{listed}");
    assert!(listed.contains("MISSING SINCE"), "{listed}");

    let shown = home.stdout(&["show", &sample.session, "--missing"]);
    assert!(shown.starts_with("Delegation\n"), "{shown}");
    assert!(
        shown.contains("$0.0026 · missing since 2026-11-24 00:00\nThey counted.\n"),
        "{shown}"
    );
    assert!(!shown.contains("--missing"), "{shown}");
    let shown = home.stdout(&["show", &sample.other, "--missing"]);
    assert!(
        shown.contains("▸ missing since 2026-11-24 00:00:\n▸ write  haiku.txt"),
        "{shown}"
    );
    assert!(
        shown.contains("$0.0029 · missing since 2026-11-24 00:00\n▸ bash  cat haiku.txt"),
        "a call that is missing with its message is marked once: {shown}"
    );
    let exported = home.stdout(&["export", "--missing"]);
    let stored = number(
        home,
        "SELECT (SELECT count(*) FROM sessions) + (SELECT count(*) FROM messages) \
         + (SELECT count(*) FROM parts) + (SELECT count(*) FROM tool_calls)",
    );
    let rows = ["sessions", "messages", "parts", "tool_calls"];
    let is_row = |line: &&str| {
        let line: Value = serde_json::from_str(line).unwrap();
        rows.iter().any(|table| line["table"] == **table)
    };
    let exported = exported.lines().filter(is_row).count();
    assert_eq!(i64::try_from(exported).unwrap(), stored);
    home.open()
        .execute_batch("UPDATE sessions SET updated_at = 1999999999999 WHERE missing_since > 0")
        .unwrap();
    assert!(
        home.stdout(&["show", "--missing"])
            .starts_with("Delegation\n")
    );
    assert!(!home.stdout(&["show"]).contains("(missing)"));
}

#[test]
fn what_was_spent_counts_whether_it_is_missing_or_not() {
    let untouched = Home::with_recordings(RECORDINGS);
    let sample = sample();
    for args in [
        &["stats", "--by", "day"][..],
        &["stats", "--by", "model"],
        &["stats", "--by", "agent"],
        &["tools"],
        &["export", "--table", "usage"],
    ] {
        assert_eq!(json(&sample.home, args), json(&untouched, args), "{args:?}");
    }
    let spent = |home: &Home| {
        json(home, &["sessions", "--all"])
            .as_array()
            .unwrap()
            .clone()
    };
    let costs =
        |home: &Home| -> Vec<Value> { spent(home).iter().map(|row| row["cost"].clone()).collect() };
    assert_eq!(costs(&sample.home), costs(&untouched));
    let said = sample.home.stdout(&["stats"]);
    assert!(
        said.contains("$0.0053 spent in sessions that OpenCode does not have any more"),
        "{said}"
    );
    let tree = sample.home.stdout(&["stats", "--tree"]);
    assert!(
        tree.contains("(missing)") && !tree.contains("Delegation"),
        "{tree}"
    );
    let by_session = sample.home.stdout(&["stats", "--by", "session"]);
    assert!(!by_session.contains("Delegation"), "{by_session}");
}

#[test]
fn status_and_doctor_count_what_is_missing_and_say_what_to_do() {
    let home = Home::with_recordings(RECORDINGS);
    assert!(!home.stdout(&["status"]).contains("missing"));
    assert_eq!(json(&home, &["status"])["missing_sessions"], 0);
    let found = |home: &Home| -> Vec<Value> {
        let output = home.run(&["doctor", "--format", "json"]);
        let report: Value = serde_json::from_slice(&output.stdout).unwrap();
        let checks = report["checks"].as_array().unwrap().iter();
        checks
            .filter(|check| check["check"] == "missing")
            .cloned()
            .collect()
    };
    assert_eq!(found(&home), [] as [Value; 0]);

    let home = sample().home;
    let status = json(&home, &["status"]);
    for (name, count) in [
        ("missing_sessions", 1),
        ("missing_messages", 4),
        ("missing_tool_calls", 4),
        ("missing_parts", 0),
    ] {
        assert_eq!(status[name], count, "{name}");
    }
    let counts = "1 session, 4 messages, 4 tool calls that OpenCode does not have any more";
    let said = home.stdout(&["status"]);
    assert!(
        said.contains(counts)
            && said.contains("`clankers show --missing`")
            && said.contains("`clankers prune --missing` erases it"),
        "{said}"
    );
    let checks = found(&home);
    assert_eq!((checks.len(), &checks[0]["level"]), (1, &"good".into()));
    assert!(checks[0]["found"].as_str().unwrap().starts_with(counts));
    assert!(
        checks[0]["advice"]
            .as_str()
            .unwrap()
            .contains("prune --missing")
    );
}

#[test]
fn a_missing_text_is_hidden_and_counted_by_itself() {
    let home = Home::with_recordings(RECORDINGS);
    let db = home.open();
    let (part, message, session): (String, String, String) = db
        .query_row(
            "SELECT parts.id, message_id, parts.session_id FROM parts
             WHERE type = 'text' AND text = 'Written.'",
            [],
            |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
        )
        .unwrap();
    let missing = Command::PartMissing(PartMissing {
        id: part.clone(),
        message_id: message,
        session_id: session.clone(),
        store_id: STORE.to_owned(),
        since: since(SINCE),
    });
    recording::apply(&db, &[missing]);
    assert!(!home.stdout(&["show", &session]).contains("Written."));
    assert!(
        home.stdout(&["show", &session, "--missing"])
            .contains("Written.")
    );
    assert_eq!(json(&home, &["status"])["missing_parts"], 1);
    assert!(!home.stdout(&["export"]).contains(&part));
    let said = home.stdout(&["prune", "--missing", "--yes"]);
    assert!(
        said.starts_with("erased the content of 1 part that"),
        "{said}"
    );
    assert_eq!(
        number(&home, "SELECT count(*) FROM parts WHERE text = 'Written.'"),
        0
    );
    assert!(
        home.stdout(&["show", &session])
            .contains("The pond is young now.")
    );
}

#[test]
fn what_is_deleted_and_kept_is_not_missing() {
    let Sample { home, session, .. } = sample();
    let deleted = serde_json::json!({ "id": session, "deletedAt": 9, "onDelete": "keep" });
    let deleted = Command::SessionDelete(serde_json::from_value(deleted).unwrap());
    recording::apply(&home.open(), &[deleted]);
    assert!(home.stdout(&["show", &session]).contains("They counted."));
    assert_eq!(json(&home, &["status"])["missing_sessions"], 0);
    home.stdout(&["prune", "--missing", "--yes"]);
    assert!(home.stdout(&["show", &session]).contains("They counted."));
}

#[test]
fn a_database_that_nobody_wrote_since_an_update_is_read_as_far_as_it_goes() {
    let home = Home::new();
    std::fs::create_dir_all(home.data()).unwrap();
    let db = home.open();
    for migration in &clankers::store::MIGRATIONS[..4] {
        db.execute_batch(migration).unwrap();
    }
    db.execute_batch(
        "PRAGMA user_version = 4;
         INSERT INTO sessions (id, title, created_at) VALUES ('ses_1', 'An old one', 1)",
    )
    .unwrap();
    for args in [
        &["sessions"][..],
        &["show", "ses_1"],
        &["stats"],
        &["search", "old"],
        &["tail", "--once"],
        &["export"],
        &["prune", "--missing"],
    ] {
        let said = home.stderr(args);
        assert!(
            said.contains("has schema 4, of") && said.contains("`clankers doctor --fix`"),
            "{args:?}: {said}"
        );
    }
    assert!(home.stdout(&["status"]).contains("schema 4"));
    assert!(
        home.stdout(&["query", "SELECT title FROM sessions"])
            .contains("An old one")
    );
    let marks = &clankers::store::MIGRATIONS[4];
    db.execute_batch(&format!("{marks}; PRAGMA user_version = 5"))
        .unwrap();
    assert!(
        home.stdout(&["sessions"]).contains("An old one"),
        "later schemas have nothing that reading needs"
    );
    for args in ["stats", "tools", "status"] {
        home.stdout(&[args]);
    }
    home.run(&["doctor", "--fix"]);
    assert!(home.stdout(&["sessions"]).contains("An old one"));
}
