//! Any number of copies of one session, in any order.

use std::cmp::Reverse;
use std::fs;
use std::path::PathBuf;

use proptest::prelude::*;
use serde_json::json;

use super::export::Export;
use super::{assert_at_rest, import, minutes};
use crate::support::home::Home;

const RELEASE: &str = "1.18.34";

/// What a copy is like; where two differ in something, both say which they are.
#[derive(Debug, Clone)]
struct Made {
    /// Before the last answer.
    is_earlier: bool,
    is_sanitized: bool,
    /// How long ago it was written, minutes; each copy at another time.
    ago: u64,
}

impl Made {
    /// What ranks it: the time of change that it tells, then whether it has its words,
    /// then when it was written.
    fn rank(&self) -> (bool, bool, Reverse<u64>) {
        (!self.is_earlier, !self.is_sanitized, Reverse(self.ago))
    }

    fn put(&self, home: &Home) -> PathBuf {
        let mut export = if self.is_sanitized {
            Export::sanitized(RELEASE)
        } else {
            Export::whole(RELEASE).named(&format!("of {}", self.ago))
        };
        if self.is_earlier {
            export = export.earlier();
        }
        let export = export.with("/time/archived", json!(self.ago));
        export.put(home, &format!("{}.json", self.ago), minutes(self.ago))
    }
}

fn all() -> impl Strategy<Value = Vec<Made>> {
    let times = prop::sample::subsequence((1..40).collect::<Vec<u64>>(), 1..6).prop_shuffle();
    times.prop_flat_map(|times| {
        let kinds = prop::collection::vec(any::<(bool, bool)>(), times.len());
        kinds.prop_map(move |kinds| {
            let made = kinds.into_iter().zip(&times);
            let made = made.map(|((is_earlier, is_sanitized), &ago)| Made {
                is_earlier,
                is_sanitized,
                ago,
            });
            made.collect()
        })
    })
}

/// The title and the texts that are stored, each once, and when it was archived.
fn told(home: &Home) -> (String, Vec<String>, i64) {
    let db = home.open();
    let session = "SELECT title, archived_at FROM sessions";
    let read = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?));
    let (title, archived) = db.query_row(session, [], read).unwrap();
    let mut texts = db
        .prepare("SELECT DISTINCT substr(text, 1, 10) FROM parts WHERE type = 'text' ORDER BY 1")
        .unwrap();
    let found = texts.query_map([], |row| row.get(0)).unwrap();
    (title, found.map(Result::unwrap).collect(), archived)
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 16,
        failure_persistence: None,
        max_shrink_iters: 64,
        ..ProptestConfig::default()
    })]

    #[test]
    fn whatever_copies_there_are_the_best_tells_and_all_come_to_rest(made in all()) {
        let home = Home::new();
        let paths: Vec<PathBuf> = made.iter().map(|made| made.put(&home)).collect();
        let from: Vec<&PathBuf> = paths.iter().collect();
        import(&home, &from);
        let (title, texts, archived) = told(&home);
        let best = made.iter().max_by_key(|made| made.rank()).unwrap();
        prop_assert_eq!(archived, i64::try_from(best.ago).unwrap());
        let with_words = made.iter().filter(|made| !made.is_sanitized);
        match with_words.max_by_key(|made| made.rank()) {
            None => prop_assert!(title.starts_with("[redacted:"), "{}", title),
            Some(best) => {
                prop_assert_eq!(&title, &format!("of {}", best.ago));
                // But for what was said since that copy was made.
                let is_all = !best.is_earlier || made.iter().all(|made| made.is_earlier);
                prop_assert_eq!(texts.iter().any(|text| text.starts_with("[redacted")), !is_all);
            }
        }
        assert_at_rest(&home, &from, "in one command");
        // One after the other, in this order, they come to rest as well.
        fs::remove_dir_all(home.data()).unwrap();
        for path in &from {
            import(&home, &[path]);
        }
        for path in &from {
            import(&home, &[path]);
        }
        let (again, _, archived) = told(&home);
        prop_assert_eq!(archived, i64::try_from(best.ago).unwrap());
        // Which copy's words fill in what is taken out depends on the order then.
        prop_assert_eq!(again.starts_with("[redacted:"), title.starts_with("[redacted:"));
        assert_at_rest(&home, &from, "one after the other");
    }
}
