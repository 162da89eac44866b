//! What catch-up did is counted by sessions.

use clankers::Core;
use clankers::catch_up::{Answer, Request};
use serde_json::Value;

use super::answered;
use crate::catching_up::{DIRECTORY, HOME, NOW, compare, core_at, drive_until};
use crate::events::session;
use crate::support::Db;

/// The sessions that were asked for since the last call, that came whole, and that
/// did not.
fn fetched(core: &mut Core) -> [usize; 3] {
    let counts = core.take_counts();
    [counts.asked, counts.answered, counts.failed]
}

#[test]
fn a_session_that_comes_whole_was_answered_and_is_told_once() {
    let (mut core, db) = (core_at(HOME), Db::new());
    compare(&mut core, &db, &answered(2000, &[1]));
    assert_eq!(fetched(&mut core), [1, 1, 0]);
    assert_eq!(fetched(&mut core), [0, 0, 0]);
}

#[test]
fn a_session_whose_messages_are_not_answered_failed() {
    let (mut core, db) = (core_at(HOME), Db::new());
    let answers = answered(2000, &[1]);
    let stops = |request: &Request| matches!(request, Request::Messages { .. });
    core.compare(DIRECTORY);
    drive_until((&mut core, HOME), &db, &answers, NOW, stops);
    assert_eq!(fetched(&mut core), [1, 0, 0]);
    core.answer::<&Value>(Answer::Failed, NOW);
    assert_eq!(fetched(&mut core), [0, 0, 1]);
}

#[test]
fn one_that_nobody_waits_for_any_more_is_neither() {
    let (mut core, db) = (core_at(HOME), Db::new());
    let stops = |request: &Request| matches!(request, Request::Messages { .. });
    core.compare(DIRECTORY);
    drive_until((&mut core, HOME), &db, &answered(2000, &[1]), NOW, stops);
    core.leave(DIRECTORY);
    assert_eq!(fetched(&mut core), [1, 0, 0]);
}

#[test]
fn what_is_not_in_flight_waits() {
    let mut core = core_at(HOME);
    for id in ["ses_1", "ses_2", "ses_3"] {
        core.observe(&&session(id, super::updated(1000)), NOW);
    }
    let all = core.take_counts().waiting;
    assert!(all >= 3, "{all}");
    assert_eq!(core.drain_at_most(1).len(), 1);
    assert_eq!(core.take_counts().waiting, all - 1);
    core.settle(false);
    assert_eq!(core.take_counts().waiting, all);
    core.drain();
    core.settle(true);
    assert_eq!(core.take_counts().waiting, 0);
}
