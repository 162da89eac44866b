//! What a fork copied is spent once: by its original, or by one of the copies where
//! nobody recorded that.

use clankers::model::command::Command;
use clankers::{Core, Options};
use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use serde_json::{Value, json};

use crate::events::{answer, session, session_deleted, step, tokens, tool};
use crate::support::{Db, command, replay_into, story};

/// When the original's session was made, and its forks, each later.
const MADE: [u32; 3] = [1000, 5000, 6000];

/// The events of a session. It has the two answers of the original, the second of
/// them with two steps, and one of its own.
fn told(number: usize) -> Vec<Value> {
    let id = ["ses_b", "ses_c", "ses_a"][number];
    let made = MADE[number];
    let mut events = vec![session(
        id,
        json!({ "time": { "created": made, "updated": made } }),
    )];
    for (at, steps) in [(2000, 1), (3000, 2), (made + 500, 1)] {
        let message = format!("msg_{at}_{id}");
        let cost = 0.5 * f64::from(steps);
        let time = json!({ "created": at, "completed": at + 100 });
        let more = json!({ "cost": cost, "tokens": tokens(1, 1), "time": time });
        events.push(answer(id, &message, more));
        for number in 0..steps {
            let part = format!("prt_{at}_{number}_{id}");
            events.push(step((id, &message, &part), 0.5, tokens(1, 1)));
        }
        let call = format!("prt_{at}_call_{id}");
        events.push(tool((id, &message, &call), "call", json!({})));
    }
    events
}

/// The commands of events, each by itself.
fn commands(events: Vec<Value>) -> Vec<Command> {
    let mut all = Vec::new();
    for one in story(events) {
        replay_into(&mut Core::new(Options::default()), &[one], |commands| {
            all.extend_from_slice(commands);
        });
    }
    all
}

/// What the sums come to: steps, cost, calls, and what each session has.
fn sums(db: &Db) -> [Vec<String>; 3] {
    [
        db.rows("SELECT sum(steps), sum(cost) FROM usage_by_model"),
        db.rows("SELECT calls FROM tool_usage"),
        db.rows("SELECT session_id, own_cost, inherited_cost FROM session_usage ORDER BY 1"),
    ]
}

/// A database with these sessions.
fn with(numbers: &[usize]) -> Db {
    let db = Db::new();
    for &number in numbers {
        db.apply(&commands(told(number)));
    }
    db
}

#[test]
fn what_a_fork_copied_is_inherited_once_its_original_is_there() {
    let fork = with(&[1]);
    assert_eq!(
        sums(&fork),
        [vec!["4 | 2"], vec!["3"], vec![r#""ses_c" | 2 | 0"#]]
    );
    fork.apply(&commands(told(0)));
    let both = [r#""ses_b" | 2 | 0"#, r#""ses_c" | 0.5 | 1.5"#];
    assert_eq!(sums(&fork), [vec!["5 | 2.5"], vec!["4"], both.to_vec()]);
    assert_eq!(sums(&with(&[0, 1])), sums(&fork));
}

#[test]
fn of_two_forks_of_what_nobody_recorded_one_counts() {
    let forks = with(&[1, 2]);
    let each = [r#""ses_a" | 2 | 0"#, r#""ses_c" | 0.5 | 1.5"#];
    assert_eq!(sums(&forks), [vec!["5 | 2.5"], vec!["4"], each.to_vec()]);
    assert_eq!(sums(&with(&[2, 1])), sums(&forks));
}

#[test]
fn what_was_deleted_or_purged_accounts_for_its_copies() {
    for purged in [false, true] {
        let db = with(&[0]);
        db.apply(&commands(vec![session_deleted("ses_b")]));
        if purged {
            let purge = json!({ "id": "ses_b", "deletedAt": 9000, "onDelete": "purge" });
            db.apply(&[command("session.delete", purge)]);
        }
        db.apply(&commands(told(1)));
        assert_eq!(sums(&db)[0], ["5 | 2.5"], "{purged}");
    }
}

#[test]
fn a_step_that_costs_something_else_is_no_copy_of_it() {
    let db = with(&[0]);
    let mut other = told(1);
    for event in &mut other {
        if let Some(cost) = event.pointer_mut("/properties/part/cost") {
            *cost = json!(0.25);
        }
    }
    db.apply(&commands(other));
    assert_eq!(sums(&db)[0], ["8 | 3"]);
}

#[test]
fn an_older_database_counts_what_a_fork_copied_of_what_it_has_not() {
    for (numbers, expected) in [(vec![1], "4 | 2"), (vec![0, 1], "5 | 2.5")] {
        let old = Db::of_schema(7);
        let new = with(&numbers);
        let columns = "id, session_id, message_id, agent, model, provider, prompt_tokens,
            completion_tokens, reasoning_tokens, cache_read_tokens, cache_write_tokens, cost,
            inherited, at, kind";
        for (table, columns) in [
            ("sessions", "id, created_at"),
            ("messages", "id, session_id, created_at, text_content"),
            ("usage", columns),
        ] {
            for row in new.rows(&format!("SELECT {columns} FROM {table}")) {
                let values = row.replace(" | ", ", ").replace('"', "'");
                old.rows(&format!(
                    "INSERT INTO {table} ({columns}) VALUES ({values})"
                ));
            }
        }
        old.migrate();
        assert_eq!(sums(&old)[0], [expected], "{numbers:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 12,
        rng_seed: RngSeed::Fixed(11),
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn the_sums_are_the_same_in_whatever_order_it_is_recorded(
        which in prop::sample::subsequence(vec![0, 1, 2], 1..=3),
        order in prop::collection::vec(any::<prop::sample::Index>(), 200),
        twice in any::<bool>(),
    ) {
        let mut all: Vec<Command> = which.iter().flat_map(|&number| commands(told(number))).collect();
        let expected = Db::new();
        expected.apply(&all);
        // An import brings in once more what is there.
        if twice {
            all.extend(all.clone());
        }
        let db = Db::new();
        for at in order {
            if !all.is_empty() {
                db.apply(&[all.swap_remove(at.index(all.len()))]);
            }
        }
        db.apply(&all);
        prop_assert_eq!(sums(&db), sums(&expected));
        let flags = "SELECT id, inherited, counted, message_at FROM usage ORDER BY id";
        prop_assert_eq!(db.rows(flags), expected.rows(flags));
        prop_assert_eq!(db.rows("SELECT * FROM usage_miscounted"), [""; 0]);
    }
}
