//! One drain leaves what many leave: however commands are grouped, put back
//! after a failure and told again, the store holds what it holds when it is
//! told each by itself.

use clankers::model::command::Command;
use clankers::reconcile::pending::Pending;
use proptest::prelude::*;
use proptest::test_runner::{FileFailurePersistence, RngSeed, TestRunner};
use serde_json::json;

use super::assert_held;
use super::commands::commands;
use crate::events::with;
use crate::support::{Db, assert_same, command, difference};

/// What becomes of a drain.
#[derive(Debug, Clone, Copy)]
enum Outcome {
    Stored,
    /// Nothing is stored, and it is put back.
    Failed,
    /// It is stored, but that is not heard: it is put back and stored again.
    Unheard,
}

/// Commands, and what becomes of a drain after one of them.
type Told = Vec<(Command, Option<Outcome>)>;

fn told() -> impl Strategy<Value = Told> {
    let outcome = prop_oneof![
        4 => Just(None),
        2 => Just(Some(Outcome::Stored)),
        1 => Just(Some(Outcome::Failed)),
        1 => Just(Some(Outcome::Unheard)),
    ];
    let outcomes = prop::collection::vec(outcome, 14);
    (commands(1..14), outcomes)
        .prop_map(|(commands, outcomes)| commands.into_iter().zip(outcomes).collect())
}

/// Tells commands in drains. Gives them in the order in which that told them.
fn drained(db: &Db, told: &Told) -> Vec<Command> {
    let mut order = Vec::new();
    let mut since: Vec<Command> = Vec::new();
    let mut pending = Pending::default();
    let end = (None, Some(Outcome::Stored));
    let steps = told
        .iter()
        .map(|(command, outcome)| (Some(command), *outcome));
    for (command, outcome) in steps.chain([end]) {
        if let Some(command) = command {
            pending.add(command.clone());
            since.push(command.clone());
        }
        let Some(outcome) = outcome else { continue };
        let commands = std::mem::take(&mut pending).into_commands();
        if !matches!(outcome, Outcome::Failed) {
            db.apply(&commands);
            order.extend(since.iter().cloned());
        }
        if matches!(outcome, Outcome::Stored) {
            since.clear();
        } else {
            pending.put_back(commands);
        }
    }
    order
}

#[test]
fn one_drain_leaves_what_many_leave() {
    let default = ProptestConfig::default();
    let config = ProptestConfig {
        // 1024, or four times `PROPTEST_CASES`: a case is a few commands.
        cases: default.cases.saturating_mul(4),
        // The same ones each time, so that what is found late is found by
        // `make long`, which plays others.
        rng_seed: option_env!("CLANKERS_RANDOM").map_or(RngSeed::Fixed(5), |_| RngSeed::Random),
        max_shrink_iters: 20_000,
        source_file: Some(file!()),
        failure_persistence: Some(Box::new(FileFailurePersistence::Direct(
            "tests/native/properties/draining.regressions.txt",
        ))),
        ..default
    };
    let (one_by_one, in_drains) = (Db::new(), Db::new());
    let held = TestRunner::new(config).run(&told(), |told| {
        one_by_one.clear();
        in_drains.clear();
        for command in &drained(&in_drains, &told) {
            one_by_one.apply(std::slice::from_ref(command));
        }
        let (expected, found) = (one_by_one.contents(), in_drains.contents());
        prop_assert!(expected == found, "{}", difference(&expected, &found));
        Ok(())
    });
    assert_held(&held);
}

/// Fails where commands leave something else in one drain than one by one.
#[track_caller]
fn assert_drains(what: &str, stored: &[Command], commands: Vec<Command>) {
    let (one_by_one, in_a_drain) = (Db::new(), Db::new());
    let mut pending = Pending::default();
    for db in [&one_by_one, &in_a_drain] {
        db.apply(stored);
    }
    for command in commands {
        one_by_one.apply(std::slice::from_ref(&command));
        pending.add(command);
    }
    in_a_drain.apply(&pending.into_commands());
    let (expected, found) = (one_by_one.contents(), in_a_drain.contents());
    assert_same(what, &expected, &found);
}

#[test]
fn what_a_copy_tells_is_held_against_what_was_told_before_it() {
    let copy = json!({ "id": "msg_1", "sessionId": "ses_1", "role": "user", "agent": "older", "copiedAt": 1 });
    let list = json!({ "sessionId": "ses_1", "todos": [{ "content": "older" }], "copiedAt": 1 });
    let stored = [
        command("session.upsert", json!({ "id": "ses_1", "updatedAt": 2 })),
        command(
            "message.upsert",
            json!({ "id": "msg_1", "sessionId": "ses_1", "role": "user" }),
        ),
        command(
            "todo.replace",
            json!({ "sessionId": "ses_1", "todos": [{ "content": "newer" }] }),
        ),
    ];
    let changed = command(
        "session.upsert",
        json!({ "id": "ses_1", "updatedAt": null }),
    );
    for copied in [
        command("message.upsert", copy),
        command("todo.replace", list),
    ] {
        assert_drains("a copy", &stored, vec![copied, changed.clone()]);
    }
}

#[test]
fn an_answer_whose_failure_is_told_by_itself_has_a_failed_step() {
    let kind = "SELECT kind FROM usage";
    let message = |more| {
        let ids = json!({ "id": "msg_1", "sessionId": "ses_1" });
        command("message.upsert", with(ids, more))
    };
    let answer = json!({ "role": "assistant", "createdAt": 1, "completedAt": 2, "cost": 0.5 });
    let told = vec![message(answer), message(json!({ "errorName": "E" }))];
    let db = Db::new();
    db.apply(&told[..1]);
    assert_eq!(db.value(kind), r#""step""#);
    db.apply(&told[1..]);
    assert_eq!(db.value(kind), r#""failed""#);
    assert_drains("a failure", &[], told);
}

/// Commands of every kind that belong to a message, and to its session.
fn told_of_a_message() -> Vec<Command> {
    let ids = json!({ "messageId": "msg_1", "sessionId": "ses_1" });
    let of_message = |method, more| command(method, with(ids.clone(), more));
    vec![
        of_message(
            "part.upsert",
            json!({ "id": "prt_1", "type": "text", "text": "words" }),
        ),
        of_message(
            "tool_call.upsert",
            json!({ "id": "prt_2", "tool": "bash", "output": "out" }),
        ),
        of_message(
            "session_error.upsert",
            json!({ "id": "msg_1:error", "message": "no" }),
        ),
        of_message(
            "permission.upsert",
            json!({ "id": "per_1", "patterns": "[]" }),
        ),
    ]
}

#[test]
fn what_is_told_of_a_deleted_session_before_it_is_there_again_stays_erased() {
    let deletion = json!({ "id": "ses_1", "deletedAt": 5, "storeId": "home" });
    let stored = [
        command("session.upsert", json!({ "id": "ses_1", "title": "t" })),
        command("session.delete", deletion),
    ];
    let message =
        json!({ "id": "msg_1", "sessionId": "ses_1", "role": "user", "textContent": "words" });
    let list = json!({ "sessionId": "ses_1", "todos": [{ "content": "to do" }] });
    let mut told = told_of_a_message();
    told.extend([
        command("message.upsert", message),
        command("todo.replace", list),
        command("session.upsert", json!({ "id": "ses_1", "title": "u" })),
        command("session.upsert", json!({ "id": "ses_1", "updatedAt": 4 })),
    ]);
    for when in ["seenAt", "answeredAt"] {
        let revival = json!({ "id": "ses_1", "storeId": "home", when: 6 });
        let revival = command("session.upsert", revival);
        for one in &told {
            let commands = vec![one.clone(), revival.clone()];
            assert_drains(one.method(), &stored, commands);
        }
    }
}

#[test]
fn what_is_told_of_a_deleted_message_before_it_is_there_again_stays_erased() {
    let ids = json!({ "id": "msg_1", "sessionId": "ses_1", "storeId": "home" });
    let of_message = |method, more| command(method, with(ids.clone(), more));
    let new = [
        command(
            "message.upsert",
            json!({ "id": "msg_1", "sessionId": "ses_1" }),
        ),
        of_message("message.delete", json!({ "deletedAt": 5 })),
    ];
    let mut known = new.to_vec();
    known.splice(1..1, told_of_a_message());
    let revival = of_message("message.upsert", json!({ "answeredAt": 6 }));
    for stored in [&new[..], &known] {
        for one in told_of_a_message() {
            let commands = vec![one.clone(), revival.clone()];
            assert_drains(one.method(), stored, commands);
        }
    }
}
