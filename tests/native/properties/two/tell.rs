//! How OpenCode 2.0.15 tells it, event by event.

use serde_json::{Value, json};

use super::world::{Spent, What, World};
use crate::properties::picks::Picks;
use crate::support::Recorded;

pub(crate) fn tokens(input: u32) -> Value {
    json!({ "input": input, "output": 0, "reasoning": 0, "cache": { "read": 0, "write": 0 } })
}

pub(crate) fn model(id: &str) -> Value {
    json!({ "id": id, "providerID": "scripted" })
}

/// An error of this name.
pub(crate) fn error(name: &str) -> Value {
    json!({ "type": name, "message": "It went wrong.", "status": 500 })
}

/// These fields, too.
pub(crate) fn with(mut object: Value, more: Value) -> Value {
    if let (Value::Object(fields), Value::Object(more)) = (&mut object, more) {
        fields.extend(more);
    }
    object
}

impl World {
    /// An event that has a number. Gives that, and the id of the message that it
    /// makes where none is named.
    pub(super) fn durable(&mut self, session: &str, kind: &str, data: Value) -> (u32, String) {
        let number = self.of(session).next;
        self.of(session).next += 1;
        let version = match kind {
            "deleted" | "forked" | "instructions.updated" | "tool.success" | "tool.failed" => 2,
            _ => 1,
        };
        let durable = json!({ "aggregateID": session, "seq": number, "version": version });
        let id = self.send(session, &format!("session.{kind}"), data, Some(durable));
        (number, id.replacen("evt", "msg", 1))
    }

    /// One that has none.
    pub(super) fn live_event(&mut self, session: &str, kind: &str, data: Value) {
        self.send(session, kind, data, None);
    }

    fn send(&mut self, session: &str, kind: &str, data: Value, durable: Option<Value>) -> String {
        let id = self.new_id("evt");
        let data = if kind == "form.created" {
            data
        } else {
            with(json!({ "sessionID": session }), data)
        };
        let mut event = json!({ "id": id, "created": self.now, "type": kind, "data": data });
        if let Some(durable) = durable {
            event["durable"] = durable;
        }
        if !kind.starts_with("session.execution.") && kind != "session.usage.updated" {
            event["location"] = json!({ "directory": crate::catching_up::DIRECTORY });
        }
        self.events.push(Recorded {
            at: f64::from(self.now),
            event,
        });
        id
    }

    /// About an answer.
    pub(super) fn of_answer(&mut self, answer: &str, kind: &str, data: Value) -> u32 {
        let session = self.session_of(answer);
        let data = with(json!({ "assistantMessageID": answer }), data);
        self.durable(&session, kind, data).0
    }

    /// What a session has cost so far.
    pub(super) fn spend(&mut self, session: &str, (input, dollars): Spent) {
        let total = &mut self.of(session).total;
        *total = (total.0 + input, total.1 + dollars);
        let (input, dollars) = *total;
        let told = json!({ "cost": dollars, "tokens": tokens(input) });
        self.live_event(session, "session.usage.updated", told);
    }

    /// A turn begins, if none is under way. None does without a change of the
    /// session: of a prompt that was put in, or another.
    pub(super) fn begin(&mut self, session: &str) {
        if !self.of(session).is_busy {
            if self.of(session).waiting.is_empty() {
                self.touch(session, "metadata.updated", json!({ "metadata": {} }));
            }
            self.of(session).is_busy = true;
            self.durable(session, "execution.started", json!({}));
        }
    }

    /// It ends.
    pub(super) fn end(&mut self, session: &str, how: &str, data: Value) {
        if self.of(session).is_busy {
            self.of(session).is_busy = false;
            self.durable(session, &format!("execution.{how}"), data);
        }
    }

    /// An event after which a session was changed when it was made.
    pub(super) fn touch(&mut self, session: &str, kind: &str, data: Value) -> (u32, String) {
        let told = self.durable(session, kind, data);
        self.of(session).updated = self.now;
        told
    }

    /// A message that its own event makes.
    pub(super) fn note(&mut self, session: &str, what: What, text: &str) {
        let (kind, data) = match what {
            What::Skill => ("skill.activated", json!({ "id": "tea", "name": "tea" })),
            What::System => ("instructions.updated", json!({ "delta": {} })),
            _ => ("synthetic", json!({})),
        };
        let (number, id) = self.durable(session, kind, with(data, json!({ "text": text })));
        self.message(&id, session, what, number);
        self.change(&id, |message| message.text = Some(text.to_owned()));
    }
}
