//! No foreign key ever fails: whatever is written and deleted, in any order.

use clankers::model::command::Command;
use clankers::model::row::OnDelete;
use clankers::{Core, Options};
use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use serde_json::{Value, json};

use crate::events::{
    answer, event, message_removed, part, part_removed, session, session_deleted, status, step,
    text, tokens, tool, user,
};
use crate::support::{Db, command, replay_into, story};

/// A session, and everything in it that can be deleted, deleted.
fn lived(session_id: &str) -> Vec<Value> {
    let message = |id: &str| format!("msg_{session_id}_{id}");
    let messages = ["1", "2", "3"].map(message);
    let [asked, said, removed] = messages.each_ref().map(String::as_str);
    let ids: Vec<String> = (0..6).map(|at| format!("prt_{session_id}_{at}")).collect();
    let place = |message, id: usize| (session_id, message, ids[id].as_str());
    let call = json!({ "messageID": said, "callID": "c" });
    let permission = json!({ "id": format!("per_{session_id}"), "sessionID": session_id, "permission": "bash", "patterns": [], "tool": call });
    let retry = json!({ "type": "retry", "attempt": 1, "message": "m", "next": 5 });
    vec![
        session(session_id, json!({ "parentID": "ses_0" })),
        user(session_id, asked, json!({})),
        text(place(asked, 0), "t"),
        answer(
            session_id,
            said,
            json!({ "cost": 0.5, "tokens": tokens(1, 1) }),
        ),
        status(session_id, retry),
        tool(place(said, 1), "c", json!({})),
        event("permission.asked", permission),
        step(place(said, 2), 0.5, tokens(1, 1)),
        part(place(said, 3), "patch", json!({ "hash": "h", "files": [] })),
        event(
            "todo.updated",
            json!({ "sessionID": session_id, "todos": [{ "content": "c", "status": "pending" }] }),
        ),
        answer(
            session_id,
            removed,
            json!({ "error": { "name": "E", "data": {} } }),
        ),
        tool(place(removed, 4), "c", json!({})),
        text(place(removed, 5), "t"),
        part_removed(place(said, 1)),
        part_removed(place(said, 3)),
        message_removed(session_id, removed),
        session_deleted(session_id),
    ]
}

/// What a session had that its store lacks.
fn missing(session: &str) -> [Command; 3] {
    let (message, part) = (format!("msg_{session}_2"), format!("prt_{session}_1"));
    let of = |kind: &str, mut params: Value| {
        params["storeId"] = json!("store");
        params["since"] = json!(5);
        command(kind, params)
    };
    [
        of("session.missing", json!({ "id": session })),
        of(
            "message.missing",
            json!({ "id": message, "sessionId": session }),
        ),
        of(
            "part.missing",
            json!({ "id": part, "messageId": message, "sessionId": session }),
        ),
    ]
}

/// The commands of three sessions, one of each way of deleting, event by event.
fn commands() -> Vec<Command> {
    let mut all = Vec::new();
    for (number, &on_delete) in OnDelete::ALL.iter().enumerate() {
        let session = format!("ses_{number}");
        all.push(command(
            "part.append",
            json!({
                "id": format!("prt_{session}_0"), "messageId": format!("msg_{session}_1"),
                "sessionId": session, "offset": 1, "text": " and more",
            }),
        ));
        all.extend(missing(&session));
        all.push(command(
            "session.revert",
            json!({
                "sessionId": session, "to": format!("msg_{session}_2"), "deletedAt": 9000,
                "onDelete": on_delete.word(),
            }),
        ));
        all.push(command("usage.balance", json!({ "sessionId": session })));
        let events = story(lived(&session));
        for one in &events {
            let mut core = Core::new(Options {
                on_delete,
                ..Options::default()
            });
            replay_into(&mut core, std::slice::from_ref(one), |commands| {
                all.extend_from_slice(commands);
            });
        }
    }
    all
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 48,
        rng_seed: RngSeed::Fixed(7),
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn no_foreign_key_fails_whatever_is_deleted_in_whatever_order(
        order in Just(commands()).prop_shuffle(),
        again in prop::sample::subsequence(commands(), 0..20),
    ) {
        let db = Db::new();
        prop_assert_eq!(db.value("PRAGMA foreign_keys"), "1");
        // Fails at the first command that cannot be applied.
        order.iter().chain(&again).for_each(|command| db.apply(std::slice::from_ref(command)));
        prop_assert_eq!(db.rows("PRAGMA foreign_key_check"), [""; 0]);
    }
}

#[test]
fn what_is_shuffled_has_every_command_and_every_way_of_deleting() {
    let all = commands();
    for method in Command::METHODS {
        let is_there = all.iter().any(|command| command.method() == *method);
        assert_eq!(is_there, *method != "rejection.record", "{method}");
    }
    let wire = serde_json::to_string(&all).unwrap_or_default();
    for on_delete in OnDelete::ALL {
        assert!(wire.contains(&format!(r#""onDelete":"{}""#, on_delete.word())));
    }
}
