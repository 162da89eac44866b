//! What a copy's rank decides beyond the session's own columns: messages, texts,
//! to-dos, whichever way the copies come.

use std::path::PathBuf;

use super::{DATABASES, assert_at_rest, copy, import, minutes, renamed};
use crate::support::home::Home;
use crate::support::recording;

/// Two copies of OpenCode 1's database of the same times of change, in which all
/// that a copy tells differs; the one written last first.
fn two(home: &Home) -> [PathBuf; 2] {
    let sql = |name: &str, amount: f64| {
        format!(
            "{};
            UPDATE message SET data = json_set(data, '$.finish', '{name}', '$.cost', {amount})
              WHERE data ->> 'role' = 'assistant';
            UPDATE part SET data = json_set(data, '$.text', '{name}') WHERE data ->> 'type' = 'text';
            INSERT INTO todo (session_id, content, status, priority, position, time_created, time_updated)
              SELECT id, '{name}', 'pending', 'high', 0, 1, 1 FROM session;",
            renamed("session", name, 2)
        )
    };
    let database = |name: &str, sql: &str, ago| copy(home, "1.18.34", name, sql, ago);
    [
        database("opencode.db", &sql("new", 0.5), minutes(1)),
        database("opencode-old.db", &sql("old", 0.25), minutes(9)),
    ]
}

/// All that differs between the two.
fn told(home: &Home) -> Vec<String> {
    let db = home.open();
    let mut told = db
        .prepare(
            "SELECT 'title ' || title FROM sessions
            UNION SELECT 'text ' || text FROM parts WHERE type = 'text'
            UNION SELECT 'finish ' || finish_reason FROM messages WHERE role = 'assistant'
            UNION SELECT 'cost ' || cost FROM messages WHERE role = 'assistant'
            UNION SELECT 'todo ' || content FROM todos",
        )
        .unwrap();
    let found = told.query_map([], |row| row.get(0)).unwrap();
    found.map(Result::unwrap).collect()
}

#[test]
fn the_copy_that_ranks_highest_tells_messages_texts_and_todos() {
    let home = Home::new();
    let [newer, older] = two(&home);
    let expected = [
        "cost 0.5",
        "finish new",
        "text new",
        "title new",
        "todo new",
    ];
    for both in [[&newer, &older], [&older, &newer]] {
        let home = Home::new();
        import(&home, &both);
        assert_eq!(told(&home), expected);
        assert_at_rest(&home, &both, "in one command");
        let home = Home::new();
        for one in both {
            import(&home, &[one]);
        }
        assert_eq!(told(&home), expected);
        assert_at_rest(&home, &both, "one after the other");
        // Asked for in any case, they tell the same.
        let before = recording::dump(&home.open());
        for one in both {
            home.stdout(&["import", "--all", "--from", one.to_str().unwrap()]);
        }
        assert_eq!(recording::dump(&home.open()), before);
    }
}

/// OpenCode 2 empties a text that it has taken over from a turn that was killed.
#[test]
fn an_empty_text_of_a_newer_copy_replaces_no_words() {
    for (release, table) in DATABASES {
        let home = Home::new();
        let older = copy(&home, release, "opencode-old.db", "", minutes(9));
        let emptied = if table == "session" {
            "UPDATE part SET data = json_set(data, '$.text', '') WHERE data ->> 'type' = 'text';"
        } else {
            "UPDATE session_message SET data = json_set(data, '$.content[0].text', '')
             WHERE data ->> '$.content[0].type' = 'text';"
        };
        let sql = format!("{emptied} UPDATE {table} SET time_updated = time_updated + 1");
        let newer = copy(&home, release, "opencode.db", &sql, minutes(1));
        let texts = |home: &Home| -> i64 {
            let sql = "SELECT count(*) FROM parts WHERE type = 'text' AND text <> ''";
            home.open().query_row(sql, [], |row| row.get(0)).unwrap()
        };
        let alone = Home::new();
        import(&alone, &[&newer]);
        let emptied = texts(&alone);
        let home = Home::new();
        import(&home, &[&older]);
        let all = texts(&home);
        assert!(all > 3 && emptied < all, "{release}: {emptied} of {all}");
        import(&home, &[&newer]);
        assert_eq!(texts(&home), all, "{release}");
        assert_at_rest(&home, &[&older, &newer], release);
    }
}
