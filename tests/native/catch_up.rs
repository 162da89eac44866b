//! What no event brought, asked of OpenCode.

mod asking;
mod counted;
mod cut_off;
mod early;
mod missing;
mod paged;
mod revived;
mod sanitized;

use clankers::Core;
use serde_json::{Value, json};

use crate::catching_up::{Answered, Answers, HOME, core_at, store};
use crate::events::{answer, idle, part, session, session_info, text};
use crate::support::Db;

fn core() -> Core {
    core_at(HOME)
}

fn told(core: &mut Core, db: &Db, events: impl IntoIterator<Item = Value>) {
    for event in events {
        core.observe(&&event, 1.0);
    }
    store(core, db);
}

pub(crate) fn updated(at: u32) -> Value {
    json!({ "time": { "created": 1000, "updated": at } })
}

/// A session whose answers `msg_N` have a text and a call each.
pub(crate) fn answered(updated_at: u32, messages: &[u32]) -> Answers {
    let message = |number: &u32| {
        let id = format!("msg_{number}");
        let mut info = answer("ses_1", &id, json!({}));
        let parts: Vec<Value> = parts_of(*number)
            .map(|mut event| event["properties"]["part"].take())
            .into();
        json!({ "info": info["properties"]["info"].take(), "parts": parts })
    };
    let one = Answered {
        info: session_info("ses_1", updated(updated_at)),
        messages: messages.iter().map(message).collect(),
        todos: Vec::new(),
    };
    Answers([("ses_1".to_owned(), one)].into())
}

fn parts_of(number: u32) -> [Value; 2] {
    let message = format!("msg_{number}");
    let (said, called) = (format!("prt_{number}a"), format!("prt_{number}b"));
    let state = json!({ "status": "completed", "input": {}, "output": "out", "title": "t", "metadata": {}, "time": { "start": 1, "end": 2 } });
    let call = json!({ "callID": "call", "tool": "bash", "state": state });
    [
        text(("ses_1", &message, &said), "words"),
        part(("ses_1", &message, &called), "tool", call),
    ]
}

/// A database in which that session was recorded from its creation on.
fn recorded(messages: &[u32]) -> Db {
    let db = Db::new();
    let mut created = session("ses_1", updated(1000));
    created["type"] = json!("session.created");
    let events = messages.iter().flat_map(|number| {
        let [said, called] = parts_of(*number);
        [
            answer("ses_1", &format!("msg_{number}"), json!({})),
            said,
            called,
        ]
    });
    let all = [created].into_iter().chain(events).chain([idle("ses_1")]);
    told(&mut core(), &db, all);
    db
}

const MESSAGES: &str =
    "SELECT id, deleted_at, missing_since, text_content FROM messages ORDER BY id";
const CALLS: &str = "SELECT id, deleted_at, missing_since, output FROM tool_calls ORDER BY id";

const PARTS: &str = "SELECT id, missing_since, text FROM parts ORDER BY id";
