//! A database that is removed while the plugin records: in the end the new one has
//! what `OpenCode` answers.

use super::answers::{answered, is_told_whole, rows, unanswered, was_ended};
use super::told_meanwhile::Plugin;
use super::{Recording, recordings};
use crate::support::{Db, assert_same};

/// The rows that are left when the database is lost after so many events.
fn told(one: &Recording, lost_after: usize) -> String {
    let mut plugin = Plugin::new(&one.truth);
    let (before, since) = one.events.split_at(lost_after);
    for told in before {
        plugin.hears(told);
    }
    plugin.drain();
    let lost = plugin.db.rows("SELECT id FROM sessions").join(", ");
    plugin.db = Db::new();
    plugin.core.forget_stored();
    for told in since {
        plugin.hears(told);
    }
    plugin.drain();
    // Whatever events say of them, most of it is not stored any more.
    let whole = format!(
        "SELECT session_id FROM session_own WHERE whole_at IS NOT NULL AND session_id IN ({lost})"
    );
    assert_eq!(
        plugin.db.rows(&whole.replace('"', "'")),
        [""; 0],
        "{} {lost_after}",
        one.name
    );
    plugin.fetches();
    let now = one.events.last().map_or(0.0, |told| told.at);
    plugin.asks(now, |_, _| {});
    rows(&plugin.db, unanswered(one))
}

#[test]
fn a_database_that_is_lost_is_filled_again() {
    let answered_again = |one: &Recording| unanswered(one) != "usage";
    let told_whole = recordings().filter(|one| is_told_whole(one) && !was_ended(one));
    let mut played = 0;
    for one in told_whole.filter(answered_again) {
        let expected = rows(&answered(&one.truth), unanswered(&one));
        let length = one.events.len();
        for lost_after in (1..length).step_by(length.div_ceil(6)) {
            let found = told(&one, lost_after);
            assert_same(&format!("{} {lost_after}", one.name), &expected, &found);
        }
        played += 1;
    }
    assert!(played > 20, "{played}");
}
