//! What OpenCode 2.0.15 answers, as its database has it.

use serde_json::{Value, json};

use super::tell::{error, model, tokens, with};
use super::world::{Item, Kind, Message, Session, What, World};
use crate::catching_up::{Answered, Answers, DIRECTORY};

impl World {
    /// What it answers now.
    pub(crate) fn answers(&self) -> Answers {
        let alive = self.sessions.iter().filter(|(_, one)| !one.deleted);
        let of = |(id, session): (&String, &Session)| {
            let messages = self.messages_of(id).into_iter();
            let answered = Answered {
                info: info(id, session),
                messages: messages.map(|(id, one)| answered(id, one)).collect(),
                todos: Vec::new(),
            };
            (id.clone(), answered)
        };
        Answers(alive.map(of).collect())
    }
}

fn info(id: &str, session: &Session) -> Value {
    let (input, cost) = session.total;
    let mut info = json!({
        "id": id, "projectID": "prj", "cost": cost, "tokens": tokens(input),
        "time": { "created": session.created, "updated": session.updated },
        "title": session.title, "location": { "directory": DIRECTORY },
    });
    if let Some(parent) = &session.parent {
        info["parentID"] = json!(parent);
    }
    if let Some(agent) = &session.agent {
        info["agent"] = json!(agent);
    }
    if let Some(id) = &session.model {
        info["model"] = model(id);
    }
    if let Some((origin, last)) = &session.fork_of {
        let boundary = json!({ "type": "through", "messageID": last });
        info["fork"] = json!({ "sessionID": origin, "boundary": boundary });
    }
    info
}

fn answered(id: &str, message: &Message) -> Value {
    let mut time = json!({ "created": message.created });
    if let Some(completed) = message.completed {
        time["completed"] = json!(completed);
    }
    let mut answered = json!({
        "id": id, "type": message.what.word(), "seq": message.number, "time": time,
    });
    if let Some((input, cost)) = message.spent {
        answered = with(answered, json!({ "cost": cost, "tokens": tokens(input) }));
    }
    if let Some(name) = message.error {
        answered["error"] = error(name);
    }
    if let Some(id) = &message.model {
        answered["model"] = model(id);
    }
    let text = message.text.as_deref().unwrap_or_default();
    let more = match message.what {
        What::Answer => {
            let content: Vec<Value> = message.items.iter().map(content).collect();
            let mut more = json!({ "agent": "build", "content": content });
            if let Some(finish) = message.finish {
                more["finish"] = json!(finish);
            }
            more
        }
        What::Compaction if message.text.is_none() => {
            json!({ "status": "failed", "reason": "manual" })
        }
        What::Compaction => json!({ "status": "completed", "summary": text, "recent": "" }),
        What::Shell { exit } => json!({
            "shellID": format!("sh_{id}"), "command": text, "status": "exited", "exit": exit,
            "output": { "output": "out", "cursor": 3, "size": 3, "truncated": false },
        }),
        What::Skill => json!({ "text": text, "skill": "tea", "name": "tea" }),
        _ => json!({ "text": text }),
    };
    with(answered, more)
}

/// A text is in the database once it has ended.
fn content(item: &Item) -> Value {
    let mut time = json!({ "created": item.started });
    if let Some(ended) = item.ended {
        time["completed"] = json!(ended);
    }
    let text = item.ended.map_or("", |_| item.text.as_str());
    match &item.kind {
        Kind::Text => json!({ "type": "text", "text": text }),
        Kind::Reasoning => json!({ "type": "reasoning", "text": text, "time": time }),
        Kind::Call { call, fails, .. } => {
            let state = if *fails {
                json!({ "status": "error", "input": { "command": "ls" }, "error": { "type": "tool.execution", "message": "failed" } })
            } else {
                json!({ "status": "completed", "input": { "command": "ls" }, "content": [{ "type": "text", "text": "out" }], "metadata": { "exit": 0 } })
            };
            json!({
                "type": "tool", "id": call, "name": "shell", "executed": false, "state": state,
                "time": { "created": item.started - 1, "ran": item.started, "completed": item.ended },
            })
        }
    }
}
