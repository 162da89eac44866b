//! What is stored at once, so that a process may be gone a moment later.

use crate::support::{Db, recordings};
use clankers::Urgency;

/// `OpenCode` tells a session's totals, and what its prompt changed, after the turn
/// has ended (1.17 on): whoever is gone just then has stored them.
#[test]
fn what_is_told_of_a_session_whose_turn_is_over_does_not_wait() {
    let mut late = 0;
    for one in recordings().filter(|one| one.name.starts_with("1.18.34/")) {
        let db = Db::new();
        let mut core = one.core();
        for told in &one.events {
            let urgency = core.observe(&&told.event, told.at);
            late += usize::from(told.event["type"] == "session.updated" && urgency == Urgency::Now);
            if urgency == Urgency::Now {
                db.apply(core.drain());
                core.settle(true);
            }
        }
        let sums = "SELECT id, cost, prompt_tokens, updated_at FROM sessions ORDER BY id";
        assert_eq!(db.rows(sums), one.replayed().rows(sums), "{}", one.name);
    }
    assert!(late > 0);
}

#[test]
fn what_is_told_in_a_turn_waits_for_its_end() {
    for one in recordings().filter(|one| one.name.starts_with("1.18.34/")) {
        let mut core = one.core();
        let count = |urgency: Urgency| urgency == Urgency::Now;
        let at_once = one
            .events
            .iter()
            .filter(|told| count(core.observe(&&told.event, told.at)));
        let at_once = at_once.count();
        assert!(at_once * 4 < one.events.len(), "{}: {at_once}", one.name);
    }
}
