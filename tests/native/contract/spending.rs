//! The ledger's rows are never lowered, and a session's sums are of all counts.

use clankers::{Core, Options};
use serde_json::{Value, json};

use crate::events::{answer, session, step, with};
use crate::support::{Db, tell, told};

const PLACE: (&str, &str, &str) = ("ses_1", "msg_1", "prt_1");
const COUNTS: &str = "prompt_tokens, completion_tokens, reasoning_tokens, cache_read_tokens, \
    cache_write_tokens, cost";
const ALL: [u32; 6] = [10, 20, 30, 40, 50, 60];

fn tokens([input, output, reasoning, read, write, _]: [u32; 6]) -> Value {
    json!({ "input": input, "output": output, "reasoning": reasoning, "cache": { "read": read, "write": write } })
}

fn stepped(counts: [u32; 6]) -> Value {
    step(PLACE, f64::from(counts[5]), tokens(counts))
}

fn answered(id: &str, counts: [u32; 6]) -> Value {
    let spent = json!({ "tokens": tokens(counts), "cost": counts[5] });
    answer("ses_1", id, spent)
}

/// Each of the counts one lower than all of them, or none.
fn lowered() -> impl Iterator<Item = [u32; 6]> {
    let lower = |at: usize, by: &dyn Fn(u32) -> u32| {
        let mut counts = ALL;
        counts[at] = by(counts[at]);
        counts
    };
    (0..6).flat_map(move |at| [lower(at, &|count| count - 1), lower(at, &|_| 0)])
}

fn ledger(db: &Db) -> Vec<String> {
    db.rows(&format!("SELECT {COUNTS} FROM usage"))
}

fn shown(counts: [u32; 6]) -> String {
    counts.map(|count| count.to_string()).join(" | ")
}

#[test]
fn no_count_of_a_step_is_lowered_and_each_is_raised() {
    for less in lowered() {
        let db = told([answer("ses_1", "msg_1", json!({})), stepped(ALL)]);
        tell(&db, Options::default(), [stepped(less)]);
        assert_eq!(ledger(&db), [shown(ALL)], "{less:?}");
        let db = told([answer("ses_1", "msg_1", json!({})), stepped(less)]);
        tell(&db, Options::default(), [stepped(ALL)]);
        assert_eq!(ledger(&db), [shown(ALL)], "{less:?}");
    }
}

#[test]
fn no_count_of_an_answer_without_a_step_is_lowered() {
    for less in lowered() {
        let db = told([answered("msg_1", ALL)]);
        tell(&db, Options::default(), [answered("msg_1", less)]);
        assert_eq!(ledger(&db), [shown(ALL)], "{less:?}");
    }
}

#[test]
fn an_answer_without_a_step_is_a_row_with_all_its_counts() {
    let db = told([session("ses_1", json!({})), answered("msg_1", ALL)]);
    assert_eq!(ledger(&db), [shown(ALL)]);
    assert_eq!(
        db.rows(
            "SELECT id, session_id, message_id, agent, model, provider, inherited, at FROM usage"
        ),
        [r#""msg_1" | "ses_1" | "msg_1" | "build" | "m" | "p" | 0 | 2000"#]
    );
}

#[test]
fn an_answer_without_a_step_that_is_older_than_its_session_is_inherited() {
    let fork = json!({ "time": { "created": 1500, "updated": 1500 } });
    let own = json!({ "time": { "created": 1600, "completed": 1700 } });
    let mut later = answered("msg_2", ALL);
    later["properties"]["info"] = with(later["properties"]["info"].clone(), own);
    let events = [session("ses_1", fork), answered("msg_1", ALL), later];
    for order in [[0, 1, 2], [1, 2, 0], [2, 1, 0], [1, 0, 2]] {
        let db = Db::new();
        for at in order {
            tell(&db, Options::default(), [events[at].clone()]);
        }
        assert_eq!(
            db.rows("SELECT id, inherited FROM usage ORDER BY id"),
            [r#""msg_1" | 1"#, r#""msg_2" | 0"#],
            "{order:?}"
        );
        // Nobody recorded the original, so that its copy accounts for it.
        let views = "SELECT own_cost, inherited_cost FROM session_usage WHERE session_id = 'ses_1'";
        assert_eq!(db.rows(views), ["120 | 0"], "{order:?}");
        let original = [
            session("ses_0", json!({})),
            answer(
                "ses_0",
                "msg_0",
                json!({ "tokens": tokens(ALL), "cost": ALL[5] }),
            ),
        ];
        tell(&db, Options::default(), original);
        assert_eq!(db.rows(views), ["60 | 60"], "{order:?}");
    }
}

#[test]
fn a_sessions_sums_are_of_all_five_counts_and_the_cost() {
    let db = told([
        session("ses_1", json!({})),
        answered("msg_1", ALL),
        answered("msg_2", [1, 2, 3, 4, 5, 6]),
    ]);
    let sums = format!("SELECT {COUNTS} FROM sessions");
    assert_eq!(db.rows(&sums), ["11 | 22 | 33 | 44 | 55 | 66"]);
    tell(
        &db,
        Options::default(),
        [answered("msg_2", [2, 4, 6, 8, 10, 12])],
    );
    assert_eq!(db.rows(&sums), ["12 | 24 | 36 | 48 | 60 | 72"]);
}

#[test]
fn a_sessions_own_totals_are_all_five_counts_and_the_cost() {
    for at in 0..6 {
        let mut reported = [0; 6];
        reported[at] = 7;
        let totals = json!({ "tokens": tokens(reported), "cost": reported[5] });
        let db = told([session("ses_1", totals), answered("msg_1", ALL)]);
        let own = db.rows(&format!("SELECT {COUNTS} FROM sessions"));
        assert_eq!(own, [shown(reported)]);
    }
}

#[test]
fn a_step_of_an_answer_that_is_recorded_again_by_another_writer_is_one_row() {
    let db = told([answered("msg_1", ALL), stepped(ALL)]);
    let mut other = Core::new(Options::default());
    for event in [answered("msg_1", ALL), stepped(ALL), answered("msg_1", ALL)] {
        other.observe(&&event, 1.0);
        db.apply(other.drain());
        other.settle(true);
    }
    assert_eq!(ledger(&db), [shown(ALL)]);
}
