//! What never came to rest: copies of which something cannot be read or is not
//! said, and sessions that a person has purged.

use std::path::PathBuf;

use serde_json::json;

use super::export::Export;
use super::{DATABASES, assert_at_rest, copy, import, minutes, renamed, titles};
use crate::support::diagnosis::doctor;
use crate::support::home::Home;
use crate::support::recording;

const RELEASE: &str = "1.18.34";

/// A message of each session that cannot be read.
const UNREADABLE: &str = "UPDATE message SET data = 'no document'
    WHERE id IN (SELECT min(id) FROM message GROUP BY session_id);";

fn archived(home: &Home) -> Vec<Option<i64>> {
    let db = home.open();
    let mut archived = db
        .prepare("SELECT DISTINCT archived_at FROM sessions")
        .unwrap();
    let found = archived.query_map([], |row| row.get(0)).unwrap();
    found.map(Result::unwrap).collect()
}

#[test]
fn a_copy_that_cannot_be_read_whole_still_tells_what_it_ranks_for() {
    let home = Home::new();
    let sql = format!("{UNREADABLE} {}", renamed("session", "kept", 2));
    let broken = copy(&home, RELEASE, "opencode.db", &sql, minutes(1));
    let sql = renamed("session", "kept", 3);
    let good = copy(&home, RELEASE, "opencode-old.db", &sql, minutes(9));
    for both in [[&broken, &good], [&good, &broken]] {
        let home = Home::new();
        for _ in 0..2 {
            for one in both {
                import(&home, &[one]);
                assert!(*one == good || archived(&home) == [Some(2)]);
            }
        }
        assert_eq!(archived(&home), [Some(2)]);
        assert_at_rest(&home, &both, RELEASE);
    }
}

/// The session is whole up to a time, changed later by a copy that cannot be read
/// whole, and a third copy lies between the two.
#[test]
fn a_copy_between_two_is_read_once() {
    let home = Home::new();
    let earlier = Export::whole(RELEASE).earlier();
    let earlier = earlier.put(&home, "earlier.json", minutes(9));
    let sql = format!("{UNREADABLE} UPDATE session SET time_updated = time_updated + 5");
    let broken = copy(&home, RELEASE, "opencode.db", &sql, minutes(5));
    let between = Export::whole(RELEASE).put(&home, "between.json", minutes(1));
    import(&home, &[&earlier]);
    import(&home, &[&broken]);
    import(&home, &[&between]);
    let before = recording::dump(&home.open());
    let said = import(&home, &[&between, &earlier]);
    assert!(said.contains("nothing to bring in"), "{said}");
    // Of the other one a message is named each time, and nothing changes.
    let said = import(&home, &[&broken]);
    assert!(said.contains("could not be read"), "{said}");
    assert_eq!(recording::dump(&home.open()), before);
}

#[test]
fn an_empty_title_is_told_by_the_copy_that_ranks_highest() {
    for (release, table) in DATABASES {
        let home = Home::new();
        let sql = renamed(table, "", 2);
        let newer = copy(&home, release, "opencode.db", &sql, minutes(1));
        let sql = renamed(table, "old", 2);
        let older = copy(&home, release, "opencode-old.db", &sql, minutes(9));
        for both in [[&newer, &older], [&older, &newer]] {
            let home = Home::new();
            for one in both {
                import(&home, &[one]);
            }
            assert_eq!(titles(&home), [""], "{release}");
            assert_at_rest(&home, &both, release);
        }
    }
}

#[test]
fn an_export_that_does_not_say_when_it_was_changed_is_read_once() {
    for (release, _) in DATABASES {
        let home = Home::new();
        let export = Export::whole(release).without("time");
        let export = export.put(&home, "export.json", minutes(1));
        let said = import(&home, &[&export]);
        assert!(said.contains("brought in 1 session"), "{release}: {said}");
        assert_at_rest(&home, &[&export], release);
    }
}

/// The damaged one was written last, so that it is read first.
#[test]
fn a_damaged_export_keeps_no_other_copy_away() {
    for release in ["1.18.34", "2.0.15"] {
        let held = if release == "2.0.15" {
            "content"
        } else {
            "parts"
        };
        for (pointer, value, where_) in [
            ("/messages".to_owned(), json!("x"), "no list of `messages`"),
            (
                "/messages/1".to_owned(),
                json!(null),
                "messages[1] is no message",
            ),
            (
                "/messages/1".to_owned(),
                json!({}),
                "messages[1] is no message",
            ),
            (format!("/messages/1/{held}"), json!("x"), "is no list"),
            (
                format!("/messages/1/{held}/0"),
                json!("x"),
                "[0] is no object",
            ),
        ] {
            let home = Home::new();
            let damaged = Export::whole(release).damaged(&pointer, value);
            let damaged = damaged.put(&home, "damaged.json", minutes(1));
            let whole = Export::whole(release).put(&home, "whole.json", minutes(9));
            let alone = Home::new();
            import(&alone, &[&whole]);
            let said = import(&home, &[&damaged]);
            assert!(said.contains("could not be read"), "{pointer}: {said}");
            assert!(said.contains(where_), "{pointer}: {said}");
            import(&home, &[&whole]);
            let parts = "SELECT group_concat(id, ' ') FROM (
                SELECT id FROM parts UNION ALL SELECT id FROM tool_calls ORDER BY 1)";
            let parts = |home: &Home| -> String {
                home.open().query_row(parts, [], |row| row.get(0)).unwrap()
            };
            assert_eq!(parts(&home), parts(&alone), "{release} {pointer}");
        }
    }
}

#[test]
fn what_a_person_has_purged_is_not_asked_for_again() {
    for (release, _) in DATABASES {
        let home = Home::new();
        let database = copy(&home, release, "opencode.db", "", minutes(1));
        import(&home, &[&database]);
        home.stdout(&["prune", "--older-than", "2100-01-01", "--purge"]);
        let left = "SELECT count(*) FROM sessions";
        let left: i64 = home.open().query_row(left, [], |row| row.get(0)).unwrap();
        assert_eq!(left, 0, "{release}");
        let from: Vec<&PathBuf> = vec![&database];
        assert_at_rest(&home, &from, release);
        let found = doctor(&home, &[]);
        let all = "every session that OpenCode has is recorded";
        assert!(
            found.says("history", "good", all),
            "{:?}",
            found.of("history")
        );
    }
}
