//! Exports whose words were taken out, before and after copies that have them.

use super::export::Export;
use super::{assert_at_rest, copy, import, minutes, titles};
use crate::support::home::Home;

const RELEASES: [&str; 2] = ["1.18.34", "2.0.15"];

/// How many texts, tools' inputs, outputs and titles are stored, and how many of
/// these are taken out.
fn words(home: &Home) -> (i64, i64) {
    let sql = "
        WITH words (word) AS (
          SELECT text FROM parts WHERE text <> ''
          UNION ALL SELECT data FROM parts WHERE data IS NOT NULL
          UNION ALL SELECT text_content FROM messages WHERE text_content <> ''
          UNION ALL SELECT input FROM tool_calls WHERE input IS NOT NULL
          UNION ALL SELECT output FROM tool_calls WHERE output IS NOT NULL
          UNION ALL SELECT title FROM sessions WHERE title IS NOT NULL)
        SELECT count(*), sum(word LIKE '%redacted%') FROM words";
    let read = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?));
    home.open().query_row(sql, [], read).unwrap()
}

/// The session was recorded with its words before the export that lacks some.
#[test]
fn a_copy_with_the_words_completes_what_an_export_without_them_brought() {
    for release in RELEASES {
        let home = Home::new();
        let earlier = Export::whole(release).earlier();
        let earlier = earlier.put(&home, "earlier.json", minutes(9));
        let sanitized = Export::sanitized(release).put(&home, "sanitized.json", minutes(5));
        import(&home, &[&earlier]);
        import(&home, &[&sanitized]);
        let (all, taken_out) = words(&home);
        assert!(taken_out > 0 && taken_out < all, "{release}: {taken_out}");
        let whole = Export::whole(release).put(&home, "whole.json", minutes(1));
        import(&home, &[&whole]);
        let (all, taken_out) = words(&home);
        assert!(all > 8, "{release}: {all}");
        assert_eq!(taken_out, 0, "{release}");
        assert_at_rest(&home, &[&earlier, &sanitized, &whole], release);
    }
}

#[test]
fn an_older_copy_gives_its_words_to_what_they_were_taken_out_of() {
    for release in RELEASES {
        let home = Home::new();
        let sanitized = Export::sanitized(release).put(&home, "sanitized.json", minutes(1));
        let earlier = Export::whole(release).earlier();
        let earlier = earlier.put(&home, "earlier.json", minutes(9));
        import(&home, &[&sanitized]);
        let (_, before) = words(&home);
        import(&home, &[&earlier]);
        let (all, after) = words(&home);
        // What was said after the older copy was made stays taken out.
        assert!(
            after > 0 && after < before / 2,
            "{release}: {before}, {after}"
        );
        assert!(all - after > 4, "{release}: {all}, {after}");
        assert!(!titles(&home).concat().contains("redacted"), "{release}");
        let places = "SELECT count(*) FROM sessions
            WHERE project_path = '/home/user/project' AND project_name = 'project'";
        let places: i64 = home.open().query_row(places, [], |row| row.get(0)).unwrap();
        assert_eq!(places, 1, "{release}");
        assert_at_rest(&home, &[&sanitized, &earlier], release);
    }
}

#[test]
fn of_two_exports_without_words_the_one_written_last_tells() {
    for release in RELEASES {
        let home = Home::new();
        let export = |name: &str, archived: u32, ago| {
            let export = Export::sanitized(release).with("/time/archived", archived.into());
            export.put(&home, name, ago)
        };
        let newer = export("newer.json", 2, minutes(1));
        let older = export("older.json", 3, minutes(9));
        for both in [[&newer, &older], [&older, &newer]] {
            let home = Home::new();
            for one in both {
                import(&home, &[one]);
            }
            let archived = "SELECT archived_at FROM sessions";
            let archived: i64 = home
                .open()
                .query_row(archived, [], |row| row.get(0))
                .unwrap();
            assert_eq!(archived, 2, "{release}");
            assert_at_rest(&home, &both, release);
        }
    }
}

/// The texts are taken out of a database, too, by `opencode import` of such an export.
#[test]
fn a_database_of_which_words_were_taken_out_comes_to_rest() {
    let home = Home::new();
    let sql = "UPDATE session SET title = '[redacted:session-title:' || id || ']'";
    let taken_out = copy(&home, "1.18.34", "opencode.db", sql, minutes(1));
    let whole = copy(&home, "1.18.34", "opencode-old.db", "", minutes(9));
    for both in [[&taken_out, &whole], [&whole, &taken_out]] {
        let home = Home::new();
        import(&home, &both);
        assert!(!titles(&home).concat().contains("redacted"));
        assert_at_rest(&home, &both, "1.18.34");
    }
}
