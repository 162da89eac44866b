//! Nothing can be stored for a while: what waits is bounded, and in the end the
//! database has what `OpenCode` answers.

use std::collections::BTreeSet;
use std::ops::Range;

use clankers::Evicted;

use super::answers::{DIRECTORY, answered, is_told_whole, rows, unanswered, was_ended};
use super::told_meanwhile::Plugin;
use super::{Recording, recordings};
use crate::support::assert_same;

/// What may wait: a few commands without their texts.
const MOST_BYTES: usize = 4_000;
const MOST: usize = 10_000;

/// Tries to store what is due, in vain.
fn fails(plugin: &mut Plugin<'_>) -> Evicted {
    plugin.core.drain_at_most(MOST_BYTES);
    plugin.core.settle(false);
    plugin.core.evict(MOST, MOST_BYTES)
}

/// The rows that are left when nothing can be stored from one event to another,
/// and how many sessions had something let go of.
fn told(one: &Recording, outage: &Range<usize>) -> (String, usize) {
    let mut plugin = Plugin::new(&one.truth);
    let mut behind = BTreeSet::new();
    for (at, told) in one.events.iter().enumerate() {
        if !outage.contains(&at) {
            plugin.hears(told);
            continue;
        }
        plugin.core.observe(&&told.event, told.at);
        if let Evicted::Texts { sessions } = fails(&mut plugin) {
            behind.extend(sessions);
        }
    }
    plugin.drain();
    for id in &behind {
        let whole =
            format!("SELECT 1 FROM session_own WHERE session_id = '{id}' AND whole_at IS NOT NULL");
        assert_eq!(plugin.db.rows(&whole), [""; 0], "{} {id}", one.name);
    }
    let count = behind.len();
    plugin.core.fetch(DIRECTORY, behind.into_iter().collect());
    let now = one.events.last().map_or(0.0, |told| told.at);
    plugin.asks(now, |_, _| {});
    (rows(&plugin.db, unanswered(one)), count)
}

#[test]
fn what_gave_way_while_nothing_could_be_stored_is_asked_for_again() {
    let told_whole = recordings().filter(|one| is_told_whole(one) && !was_ended(one));
    let mut gave_way = 0;
    for one in told_whole.step_by(3) {
        let length = one.events.len();
        let expected = rows(&answered(&one.truth), unanswered(&one));
        for outage in [0..length, length / 3..length, length / 4..length * 3 / 4] {
            let (found, behind) = told(&one, &outage);
            gave_way += behind;
            assert_same(&format!("{} {outage:?}", one.name), &expected, &found);
        }
    }
    assert!(gave_way > 5, "{gave_way}");
}

#[test]
fn what_is_left_is_no_longer_than_may_wait() {
    let mut gave_way = 0;
    for one in recordings() {
        let mut plugin = Plugin::new(&one.truth);
        for told in &one.events {
            plugin.core.observe(&&told.event, told.at);
        }
        let is_text =
            |method: &str| matches!(method, "part.upsert" | "part.append" | "tool_call.upsert");
        gave_way += usize::from(fails(&mut plugin) != Evicted::Nothing);
        let left = plugin.core.drain();
        let texts = left.iter().filter(|one| is_text(one.method())).count();
        let weight: usize = left
            .iter()
            .map(clankers::model::command::Command::weight)
            .sum();
        // What is no text stays, however much it is.
        assert!(
            texts == 0 || weight <= MOST_BYTES,
            "{}: {texts} {weight}",
            one.name
        );
    }
    assert!(gave_way > 20, "{gave_way}");
}

#[test]
fn beyond_so_many_changes_all_are_let_go_of() {
    let one = recordings().next().unwrap();
    let mut plugin = Plugin::new(&one.truth);
    for told in &one.events {
        plugin.core.observe(&&told.event, told.at);
    }
    plugin.core.drain_at_most(MOST_BYTES);
    plugin.core.settle(false);
    let Evicted::All { changes } = plugin.core.evict(5, usize::MAX) else {
        panic!("nothing was let go of");
    };
    assert!(changes > 5, "{changes}");
    assert_eq!(plugin.core.evict(0, 0), Evicted::Nothing);
    assert!(plugin.core.drain().is_empty());
}
