//! What is said after a copy was made, and leaves the session's time of change as it was:
//! so does everything in a turn of `OpenCode` 2 after its prompt.

use std::fs;
use std::path::PathBuf;

use serde_json::Value;

use super::{assert_at_rest, copy, import, minutes};
use crate::support::history::fixture;
use crate::support::home::Home;

fn count(home: &Home, sql: &str) -> i64 {
    home.open().query_row(sql, [], |row| row.get(0)).unwrap()
}

const MESSAGES: &str = "SELECT count(*) FROM messages WHERE deleted_at IS NULL";
const OPEN: &str =
    "SELECT count(*) FROM messages WHERE role = 'assistant' AND completed_at IS NULL";

/// What makes `OpenCode` 2's database as it was while each session's last turn was under
/// way, of a model that costs nothing.
const FREE: &str = "UPDATE session_v2 SET cost = 0;
    UPDATE session_message SET data = json_set(data, '$.cost', 0) WHERE data ->> '$.cost' > 0;";
const NO_ANSWERS: &str =
    "DELETE FROM session_message WHERE type IN ('assistant', 'idle') AND seq > (
    SELECT max(seq) FROM session_message AS said
    WHERE said.session_id = session_message.session_id AND said.type = 'user');";
const OPEN_ANSWERS: &str = "UPDATE session_message
    SET data = json_remove(json_set(data, '$.content', json('[]')), '$.time.completed')
    WHERE type = 'assistant' AND seq = (SELECT max(seq) FROM session_message AS said
      WHERE said.session_id = session_message.session_id AND said.type = 'assistant');";

#[test]
fn a_turn_that_was_under_way_is_brought_in_once_it_has_ended() {
    for during in [NO_ANSWERS, OPEN_ANSWERS] {
        let whole = Home::new();
        import(
            &whole,
            &[&copy(&whole, "2.0.15", "opencode.db", FREE, minutes(1))],
        );

        let home = Home::new();
        let sql = format!("{FREE} {during}");
        import(
            &home,
            &[&copy(&home, "2.0.15", "opencode.db", &sql, minutes(9))],
        );
        assert!(
            count(&home, MESSAGES) < count(&whole, MESSAGES) || count(&home, OPEN) > 0,
            "{during}"
        );
        fs::remove_file(home.path(".local/share/opencode/opencode.db")).unwrap();
        let after = copy(&home, "2.0.15", "opencode.db", FREE, minutes(1));
        import(&home, &[&after]);
        for sql in [MESSAGES, OPEN] {
            assert_eq!(count(&home, sql), count(&whole, sql), "{during}");
        }
        assert_at_rest(&home, &[&after], during);
    }
}

#[test]
fn so_is_one_that_was_exported_meanwhile() {
    let home = Home::new();
    let mut document: Value = {
        let text = fs::read_to_string(fixture("2.0.15", "export.json")).unwrap();
        serde_json::from_str(&text).unwrap()
    };
    let put = |name: &str, document: &Value| -> PathBuf {
        let path = home.path(name);
        fs::write(&path, document.to_string()).unwrap();
        path
    };
    document["info"]["cost"] = 0.into();
    for message in document["messages"].as_array_mut().unwrap() {
        if message.get("cost").is_some() {
            message["cost"] = 0.into();
        }
    }
    let after = put("after.json", &document);
    let messages = document["messages"].as_array_mut().unwrap();
    while messages.last().is_some_and(|last| last["type"] != "user") {
        messages.pop();
    }
    let during = put("during.json", &document);
    import(&home, &[&during]);
    let before = count(&home, MESSAGES);
    import(&home, &[&after]);
    assert!(count(&home, MESSAGES) > before);
    assert_at_rest(&home, &[&after, &during], "both");
}

/// Of the same times of change, and the one that ranks higher has less.
#[test]
fn of_two_copies_what_either_lacks_comes_from_the_other() {
    let lacking = "DELETE FROM part WHERE message_id IN (SELECT id FROM message WHERE data ->> 'role' = 'assistant');
        DELETE FROM message WHERE data ->> 'role' = 'assistant';";
    for (sql, other) in [(lacking, ""), ("", lacking)] {
        for turned in [false, true] {
            let home = Home::new();
            let newer = copy(&home, "1.18.34", "opencode.db", sql, minutes(1));
            let older = copy(&home, "1.18.34", "opencode-old.db", other, minutes(9));
            let mut both = [&newer, &older];
            if turned {
                both.reverse();
            }
            for one in both {
                import(&home, &[one]);
            }
            let answers = "SELECT count(*) FROM messages WHERE role = 'assistant'";
            assert!(count(&home, answers) > 10, "{turned}");
            assert_at_rest(&home, &[&newer, &older], "one after the other");
        }
    }
}
