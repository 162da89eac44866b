//! Events as OpenCode 1.18 sends them, for tests that tell a small story.

use serde_json::{Map, Value, json};

/// `base` with the fields of `more` over it; a field that is `undefined` in
/// JavaScript is left out there.
pub(crate) fn with(mut base: Value, more: Value) -> Value {
    if let (Some(base), Value::Object(more)) = (base.as_object_mut(), more) {
        base.extend(more);
    }
    base
}

/// An event about `properties`.
pub(crate) fn event(kind: &str, properties: Value) -> Value {
    json!({ "type": kind, "properties": properties })
}

/// A session's `info`.
pub(crate) fn session_info(id: &str, more: Value) -> Value {
    let info = json!({
        "id": id, "slug": "s", "version": "1.18.34", "projectID": "prj",
        "directory": "/home/user/project", "path": "", "title": "A title",
        "time": { "created": 1000, "updated": 1000 },
    });
    with(info, more)
}

/// `session.updated`.
pub(crate) fn session(id: &str, more: Value) -> Value {
    event(
        "session.updated",
        json!({ "sessionID": id, "info": session_info(id, more) }),
    )
}

/// `session.deleted`.
pub(crate) fn session_deleted(id: &str) -> Value {
    event(
        "session.deleted",
        json!({ "sessionID": id, "info": session_info(id, json!({})) }),
    )
}

/// Tokens of `input` and `output`.
pub(crate) fn tokens(input: u32, output: u32) -> Value {
    json!({ "input": input, "output": output, "reasoning": 0, "cache": { "read": 0, "write": 0 } })
}

/// `message.updated` of a person's message.
pub(crate) fn user(session: &str, id: &str, more: Value) -> Value {
    let info = json!({
        "id": id, "sessionID": session, "role": "user", "agent": "build",
        "model": { "providerID": "p", "modelID": "m" }, "time": { "created": 1000 },
    });
    event(
        "message.updated",
        json!({ "sessionID": session, "info": with(info, more) }),
    )
}

/// `message.updated` of an answer, completed unless `more` says otherwise.
pub(crate) fn answer(session: &str, id: &str, more: Value) -> Value {
    let info = json!({
        "id": id, "sessionID": session, "role": "assistant", "parentID": "msg_0",
        "modelID": "m", "providerID": "p", "mode": "build", "agent": "build",
        "path": { "cwd": "/", "root": "/" }, "cost": 0, "tokens": tokens(0, 0),
        "time": { "created": 1000, "completed": 2000 }, "finish": "stop",
    });
    event(
        "message.updated",
        json!({ "sessionID": session, "info": with(info, more) }),
    )
}

/// `message.removed`.
pub(crate) fn message_removed(session: &str, id: &str) -> Value {
    event(
        "message.removed",
        json!({ "sessionID": session, "messageID": id }),
    )
}

/// Where a part is: session, message, part.
pub(crate) type Place<'p> = (&'p str, &'p str, &'p str);

/// `message.part.updated` of a part of any type.
pub(crate) fn part((session, message, id): Place<'_>, kind: &str, more: Value) -> Value {
    let part = json!({ "id": id, "messageID": message, "sessionID": session, "type": kind });
    event(
        "message.part.updated",
        json!({ "sessionID": session, "part": with(part, more), "time": 1 }),
    )
}

/// A text part that is written.
pub(crate) fn text(place: Place<'_>, text: &str) -> Value {
    part(
        place,
        "text",
        json!({ "text": text, "time": { "start": 1, "end": 2 } }),
    )
}

/// `message.part.delta`.
pub(crate) fn delta((session, message, id): Place<'_>, delta: &str) -> Value {
    let properties = json!({
        "sessionID": session, "messageID": message, "partID": id, "field": "text", "delta": delta,
    });
    event("message.part.delta", properties)
}

/// `message.part.removed`.
pub(crate) fn part_removed((session, message, id): Place<'_>) -> Value {
    let properties = json!({ "sessionID": session, "messageID": message, "partID": id });
    event("message.part.removed", properties)
}

/// A tool call in the state `more` says, completed if it says none.
pub(crate) fn tool(place: Place<'_>, call: &str, more: Value) -> Value {
    let state = json!({
        "status": "completed", "input": { "command": "ls" }, "output": "README.md\n",
        "title": "ls", "metadata": { "exit": 0 }, "time": { "start": 5000, "end": 9000 },
    });
    part(
        place,
        "tool",
        json!({ "callID": call, "tool": "bash", "state": with(state, more) }),
    )
}

/// A step that a provider answered.
pub(crate) fn step(place: Place<'_>, cost: f64, tokens: Value) -> Value {
    part(
        place,
        "step-finish",
        json!({ "reason": "stop", "cost": cost, "tokens": tokens }),
    )
}

/// `session.status`.
pub(crate) fn status(session: &str, status: Value) -> Value {
    event(
        "session.status",
        json!({ "sessionID": session, "status": status }),
    )
}

/// `session.idle`.
pub(crate) fn idle(session: &str) -> Value {
    event("session.idle", json!({ "sessionID": session }))
}

/// An object without one of its fields.
pub(crate) fn without(mut value: Value, path: &str, key: &str) -> Value {
    value
        .pointer_mut(path)
        .and_then(Value::as_object_mut)
        .map(|fields: &mut Map<String, Value>| fields.shift_remove(key));
    value
}
