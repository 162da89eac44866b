//! What repeats a deletion or an answer changes nothing: what was there again
//! stays, what was deleted since stays so, whoever deleted it and how.

use clankers::model::command::Command;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use proptest::test_runner::TestRunner;
use serde_json::{Value, json};

use super::assert_held;
use crate::events::with;
use crate::support::{Db, command, difference};

/// What is there: a message with a text and a tool call, each.
const MESSAGES: [&str; 2] = ["msg_1", "msg_2"];

/// What happens next.
#[derive(Debug, Clone)]
enum Step {
    /// A store answers with the session and these of its messages.
    Answer {
        store: &'static str,
        messages: Vec<&'static str>,
    },
    Delete {
        method: &'static str,
        /// Which message, or what of it.
        of: &'static str,
        store: Option<&'static str>,
        on_delete: &'static str,
    },
    /// The same is stored again that was.
    Again(Index),
}

fn step() -> impl Strategy<Value = Step> {
    let store = || select(vec!["store_1", "store_2"]);
    let answer = (store(), prop::sample::subsequence(&MESSAGES, 0..=2));
    let method = select(vec![
        "session.delete",
        "session.revert",
        "message.delete",
        "part.delete",
        "call.delete",
    ]);
    let mode = select(vec!["tombstone", "keep", "purge"]);
    let deletion = (
        method,
        select(MESSAGES.to_vec()),
        prop::option::weighted(0.9, store()),
        mode,
    );
    prop_oneof![
        3 => answer.prop_map(|(store, messages)| Step::Answer { store, messages }),
        2 => deletion.prop_map(|(method, of, store, on_delete)| {
            Step::Delete { method, of, store, on_delete }
        }),
        3 => any::<Index>().prop_map(Step::Again),
    ]
}

/// The commands of a step that happens at a time.
fn commands(step: &Step, at: usize) -> Vec<Command> {
    match step {
        Step::Answer { store, messages } => {
            let by = json!({ "storeId": store, "answeredAt": at });
            let session = json!({ "id": "ses_1", "title": "words", "updatedAt": 1 });
            let mut all = vec![command("session.upsert", with(session, by.clone()))];
            for message in messages {
                all.extend(answered(message, &by));
            }
            all
        }
        Step::Delete {
            method,
            of,
            store,
            on_delete,
        } => {
            let how = json!({ "deletedAt": at, "onDelete": on_delete, "storeId": store });
            let place = |id: &str| json!({ "id": id, "messageId": of, "sessionId": "ses_1" });
            let (method, ids) = match *method {
                "session.delete" => (*method, json!({ "id": "ses_1" })),
                "session.revert" => (*method, json!({ "to": of, "sessionId": "ses_1" })),
                "message.delete" => (*method, json!({ "id": of, "sessionId": "ses_1" })),
                "part.delete" => (*method, place(&format!("{of}_text"))),
                _ => ("part.delete", place(&format!("{of}_call"))),
            };
            vec![command(method, with(ids, how))]
        }
        Step::Again(_) => Vec::new(),
    }
}

fn answered(message: &str, by: &Value) -> [Command; 3] {
    let told = |ids: Value, more: Value| with(with(ids, more), by.clone());
    let place = |id: &str| json!({ "id": format!("{message}_{id}"), "messageId": message, "sessionId": "ses_1" });
    let itself = json!({ "id": message, "sessionId": "ses_1" });
    let whole = json!({ "role": "assistant", "createdAt": 1, "completedAt": 2 });
    let text = json!({ "type": "text", "text": "words", "endedAt": 2 });
    let call = json!({ "tool": "bash", "status": "completed", "input": "words" });
    [
        command("message.upsert", told(itself, whole)),
        command("part.upsert", told(place("text"), text)),
        command("tool_call.upsert", told(place("call"), call)),
    ]
}

/// What is there, with its words.
fn alive(db: &Db) -> String {
    [
        "SELECT id, title FROM sessions WHERE deleted_at IS NULL",
        "SELECT id, text_content FROM messages WHERE deleted_at IS NULL",
        "SELECT parts.id, text FROM parts JOIN messages ON messages.id = message_id WHERE deleted_at IS NULL AND text IS NOT NULL",
        "SELECT id, input FROM tool_calls WHERE deleted_at IS NULL",
    ]
    .into_iter()
    .flat_map(|sql| {
        let mut rows = db.rows(sql);
        rows.sort();
        rows
    })
    .collect::<Vec<_>>()
    .join("\n")
}

/// Whether it takes back what is not stored: what a revert is about is found
/// among the rows, so that it is another one once there are more of them.
fn is_in_vain(db: &Db, step: &Step) -> bool {
    let is_revert = matches!(
        step,
        Step::Delete {
            method: "session.revert",
            ..
        }
    );
    is_revert && db.value("SELECT count(*) FROM messages") != "2"
}

#[test]
fn what_is_repeated_deletes_nothing_and_brings_nothing_back() {
    let (once, repeated) = (Db::new(), Db::new());
    let steps = prop::collection::vec(step(), 2..16);
    let held = TestRunner::new(super::config()).run(&steps, |steps| {
        once.clear();
        repeated.clear();
        let mut told: Vec<Vec<Command>> = Vec::new();
        for (at, step) in steps.iter().enumerate() {
            if let Step::Again(which) = step {
                if !told.is_empty() {
                    repeated.apply(&told[which.index(told.len())]);
                }
            } else if !is_in_vain(&once, step) {
                let batch = commands(step, at + 1);
                once.apply(&batch);
                repeated.apply(&batch);
                // What a deletion kept out is news when it is told after that.
                let is_taken = "SELECT count(*) FROM sessions WHERE deleted_at IS NULL";
                if matches!(step, Step::Delete { .. }) || once.value(is_taken) == "1" {
                    told.push(batch);
                }
            }
            let (expected, found) = (alive(&once), alive(&repeated));
            prop_assert!(
                expected == found,
                "{at}:\n{}",
                difference(&expected, &found)
            );
        }
        Ok(())
    });
    assert_held(&held);
}
