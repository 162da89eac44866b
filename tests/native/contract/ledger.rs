//! `usage`, the ledger: one row a step, append-only.

use clankers::Options;
use clankers::model::command::Command;
use clankers::model::row::OnDelete;
use serde_json::json;

use crate::events::{
    answer, message_removed, part_removed, session, session_deleted, step, text, tokens,
};
use crate::support::{Db, command, tell, told};

const PLACE: (&str, &str, &str) = ("ses_1", "msg_1", "prt_1");
const ROW: &str = "SELECT id, session_id, message_id, agent, model, provider, prompt_tokens, \
    completion_tokens, cost, inherited, at FROM usage";
const WHOLE: &str =
    r#""prt_1" | "ses_1" | "msg_1" | "build" | "m" | "p" | 10 | 5 | 0.5 | 0 | 2000"#;

#[test]
fn a_step_is_a_row_with_all_five_counts() {
    let all = json!({ "input": 1, "output": 2, "reasoning": 3, "cache": { "read": 4, "write": 5 }, "total": 15 });
    let db = told([answer("ses_1", "msg_1", json!({})), step(PLACE, 0.25, all)]);
    assert_eq!(
        db.rows("SELECT prompt_tokens, completion_tokens, reasoning_tokens, cache_read_tokens, cache_write_tokens, cost FROM usage"),
        ["1 | 2 | 3 | 4 | 5 | 0.25"]
    );
}

#[test]
fn what_the_message_knows_of_a_step_is_there_whichever_comes_first() {
    let session = || session("ses_1", json!({}));
    let message = || answer("ses_1", "msg_1", json!({}));
    let step = || step(PLACE, 0.5, tokens(10, 5));
    for events in [
        [session(), message(), step()],
        [session(), step(), message()],
        [message(), step(), session()],
        [step(), message(), session()],
        [step(), session(), message()],
        [message(), session(), step()],
    ] {
        let db = Db::new();
        events
            .into_iter()
            .for_each(|event| tell(&db, Options::default(), [event]));
        assert_eq!(db.rows(ROW), [WHOLE]);
    }
}

#[test]
fn no_removal_takes_a_row_from_the_ledger() {
    for on_delete in OnDelete::ALL {
        let db = told([
            session("ses_1", json!({})),
            answer("ses_1", "msg_1", json!({})),
            step(PLACE, 0.5, tokens(10, 5)),
        ]);
        let archived = json!({ "time": { "created": 1000, "updated": 5000, "archived": 6000 } });
        for event in [
            session(
                "ses_1",
                json!({ "revert": { "messageID": "msg_1" }, "time": { "created": 1000, "updated": 4000 } }),
            ),
            session("ses_1", archived),
            part_removed(PLACE),
            message_removed("ses_1", "msg_1"),
            session_deleted("ses_1"),
        ] {
            let options = Options {
                on_delete: *on_delete,
                ..Options::default()
            };
            tell(&db, options, [event.clone()]);
            assert_eq!(db.rows(ROW), [WHOLE], "{on_delete:?}: {event}");
        }
    }
}

#[test]
fn no_later_telling_lowers_a_row_of_the_ledger() {
    let db = told([
        answer("ses_1", "msg_1", json!({})),
        step(PLACE, 0.5, tokens(10, 5)),
    ]);
    tell(&db, Options::default(), [step(PLACE, 0.0, tokens(0, 0))]);
    tell(
        &db,
        Options::default(),
        [crate::events::part(
            PLACE,
            "step-finish",
            json!({ "reason": "stop" }),
        )],
    );
    assert_eq!(db.rows(ROW), [WHOLE]);
}

#[test]
fn a_step_of_a_message_that_is_older_than_its_session_is_inherited() {
    let fork = || {
        session(
            "ses_1",
            json!({ "time": { "created": 1500, "updated": 1500 } }),
        )
    };
    let copied = || {
        answer(
            "ses_1",
            "msg_1",
            json!({ "time": { "created": 1000, "completed": 1100 } }),
        )
    };
    let own = || {
        answer(
            "ses_1",
            "msg_2",
            json!({ "time": { "created": 1600, "completed": 1700 } }),
        )
    };
    let copied_step = || step(PLACE, 0.5, tokens(10, 5));
    let own_step = || step(("ses_1", "msg_2", "prt_2"), 0.5, tokens(10, 5));
    for order in [
        [0, 1, 2, 3, 4],
        [4, 3, 2, 1, 0],
        [2, 1, 0, 3, 4],
        [1, 3, 2, 4, 0],
        [3, 4, 0, 1, 2],
    ] {
        let events = [fork(), copied(), own(), copied_step(), own_step()];
        let db = Db::new();
        for at in order {
            tell(&db, Options::default(), [events[at].clone()]);
        }
        assert_eq!(
            db.rows("SELECT id, inherited FROM usage ORDER BY id"),
            [r#""prt_1" | 1"#, r#""prt_2" | 0"#],
            "{order:?}"
        );
    }
}

#[test]
fn a_step_without_numbers_or_with_wrong_ones_is_a_row_of_what_is_right() {
    let wrong = json!({ "input": "10", "output": 5, "reasoning": null, "cache": [] });
    let db = told([answer("ses_1", "msg_1", json!({})), step(PLACE, 0.5, wrong)]);
    assert_eq!(
        db.rows("SELECT prompt_tokens, completion_tokens, cache_read_tokens, cost FROM usage"),
        ["0 | 5 | 0 | 0.5"]
    );
    assert_ne!(db.rows("SELECT path FROM rejections"), [""; 0]);
}

#[test]
fn only_steps_that_a_provider_answered_are_in_the_ledger() {
    let db = told([
        answer("ses_1", "msg_1", json!({})),
        crate::events::part(PLACE, "step-start", json!({ "snapshot": "s" })),
        text(("ses_1", "msg_1", "prt_2"), "text"),
    ]);
    assert_eq!(db.value("SELECT count(*) FROM usage"), "0");
}

#[test]
fn an_answer_that_no_step_accounts_for_is_a_row_until_its_step_comes() {
    let spent = json!({ "cost": 0.5, "tokens": tokens(10, 5) });
    let db = told([
        session("ses_1", json!({})),
        answer("ses_1", "msg_1", spent.clone()),
    ]);
    assert_eq!(
        db.rows("SELECT id, prompt_tokens, cost, at FROM usage"),
        [r#""msg_1" | 10 | 0.5 | 2000"#]
    );
    tell(&db, Options::default(), [step(PLACE, 0.5, tokens(10, 5))]);
    assert_eq!(db.rows(ROW), [WHOLE]);
    tell(&db, Options::default(), [answer("ses_1", "msg_1", spent)]);
    assert_eq!(db.rows(ROW), [WHOLE]);
}

#[test]
fn the_ledger_has_no_foreign_keys() {
    let db = Db::new();
    assert_eq!(
        db.rows("SELECT * FROM pragma_foreign_key_list('usage')"),
        [""; 0]
    );
    db.apply(&[command(
        "session.delete",
        json!({ "id": "ses_1", "deletedAt": 1, "onDelete": "purge" }),
    )]);
}

#[test]
fn a_session_with_steps_that_are_parts_has_no_row_for_what_only_its_totals_show() {
    let total = || {
        let row = json!({ "id": "ses_1", "cost": 0.75, "promptTokens": 30 });
        let balance = command("usage.balance", json!({ "sessionId": "ses_1" }));
        [command("session.upsert", row), balance]
    };
    let step = |id: &str, inherited: u32| {
        [
            command(
                "message.upsert",
                json!({ "id": "msg_1", "sessionId": "ses_1", "role": "assistant", "createdAt": 100 - inherited }),
            ),
            command(
                "usage.upsert",
                json!({ "id": id, "messageId": "msg_1", "sessionId": "ses_1", "cost": 0.25, "promptTokens": 10 }),
            ),
        ]
    };
    let created = [command(
        "session.upsert",
        json!({ "id": "ses_1", "createdAt": 90 }),
    )];
    let rows = |commands: Vec<Command>| {
        let db = Db::new();
        db.apply(&created);
        commands
            .iter()
            .for_each(|command| db.apply(std::slice::from_ref(command)));
        db.rows("SELECT id, cost FROM usage ORDER BY id")
    };
    let own = json!({
        "id": "msg_1", "sessionId": "ses_1", "role": "assistant", "createdAt": 100, "completedAt": 101,
        "cost": 0.25, "promptTokens": 10,
    });
    let mut of_message = vec![command("message.upsert", own)];
    of_message.extend(total());
    let both = [r#""msg_1" | 0.25"#, r#""ses_1:overhead" | 0.5"#];
    assert_eq!(rows(of_message), both);
    // A fork's copies are no exception.
    for inherited in [0, 50] {
        let step = step("prt_1", inherited);
        let told = |first: [Command; 2], then: [Command; 2]| rows([first, then].concat());
        assert_eq!(told(step.clone(), total()), [r#""prt_1" | 0.25"#]);
        assert_eq!(told(total(), step), [r#""prt_1" | 0.25"#]);
    }
}

#[test]
fn a_step_that_says_which_model_answered_is_not_overruled_by_its_message() {
    let message = || answer("ses_1", "msg_1", json!({}));
    let mut step = step(PLACE, 0.5, tokens(10, 5));
    step["properties"]["part"]["model"] = json!({ "providerID": "p2", "modelID": "m2" });
    for events in [
        [message(), step.clone(), message()],
        [step.clone(), message(), message()],
        [message(), message(), step],
    ] {
        let db = Db::new();
        events
            .into_iter()
            .for_each(|event| tell(&db, Options::default(), [event]));
        let row = "SELECT agent, model, provider FROM usage";
        assert_eq!(db.rows(row), [r#""build" | "m2" | "p2""#]);
        assert_eq!(db.rows("SELECT model FROM messages"), [r#""m""#]);
        assert!(db.rows("SELECT * FROM rejections").is_empty());
    }
}
