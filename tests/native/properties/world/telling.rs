//! How the state is told: as events, and as the same things in answers.

use serde_json::{Value, json};

use super::{Kind, World};
use crate::events;
use crate::properties::history::Release;
use crate::support::Recorded;

impl World {
    pub(super) fn told(&self, id: &str) -> Value {
        let session = &self.sessions[id];
        let mut time = json!({ "created": session.created, "updated": session.updated });
        if let Some(archived) = session.archived {
            time["archived"] = json!(archived);
        }
        let mut info = json!({ "title": session.title, "time": time });
        if let Some(parent) = &session.parent {
            info["parentID"] = json!(parent);
        }
        if self.tells_totals() {
            let (input, cost) = self
                .messages_of(id)
                .fold((0, 0.0), |(tokens, dollars), (_, one)| {
                    (tokens + one.spent.0, dollars + one.spent.1)
                });
            info["tokens"] = events::tokens(input, 0);
            info["cost"] = json!(cost);
        }
        events::session(id, info)
    }

    pub(super) fn tell_message(&mut self, id: &str) {
        let event = self.message_event(id);
        self.send(event);
    }

    pub(super) fn message_event(&self, id: &str) -> Value {
        let message = &self.messages[id];
        let Some(model) = &message.model else {
            let time = json!({ "time": { "created": message.created } });
            return events::user(&message.session, id, time);
        };
        let (input, cost) = message.spent;
        let mut more = json!({
            "modelID": model, "cost": cost, "tokens": events::tokens(input, 0), "time": { "created": message.created },
        });
        if let Some(completed) = message.completed {
            more["time"]["completed"] = json!(completed);
            more["finish"] = json!("stop");
        }
        let event = events::answer(&message.session, id, more);
        if message.completed.is_some() {
            event
        } else {
            events::without(event, "/properties/info", "finish")
        }
    }

    pub(super) fn tell_part(&mut self, id: &str, delta: Option<&str>) {
        if let Some(part) = self.parts.get_mut(id) {
            part.is_end_told = part.ended.is_some();
        }
        let mut event = self.part_event(id);
        if let Some(delta) = delta {
            event["properties"]["delta"] = json!(delta);
        }
        self.send(event);
    }

    pub(super) fn part_event(&self, id: &str) -> Value {
        let part = &self.parts[id];
        let message = &self.messages[&part.message];
        let place = (message.session.as_str(), part.message.as_str(), id);
        let mut time = json!({ "start": part.started });
        if let Some(ended) = part.ended {
            time["end"] = json!(ended);
        }
        match part.kind {
            Kind::Text if message.model.is_none() => {
                events::part(place, "text", json!({ "text": part.text }))
            }
            Kind::Text => events::part(place, "text", json!({ "text": part.text, "time": time })),
            Kind::Reasoning => events::part(
                place,
                "reasoning",
                json!({ "text": part.text, "time": time }),
            ),
            Kind::Step { input, cost } => events::step(place, cost, events::tokens(input, 0)),
            Kind::Call {
                fails, duration, ..
            } => {
                let ended = part.ended.unwrap_or_default();
                let time = json!({ "start": ended - duration, "end": ended });
                let state = if fails {
                    json!({ "status": "error", "input": { "command": "ls" }, "error": "failed", "time": time })
                } else {
                    json!({ "status": "completed", "input": { "command": "ls" }, "output": "out", "title": "ls", "metadata": {}, "time": time })
                };
                self.call_event(id, state)
            }
        }
    }

    pub(super) fn tell_call(&mut self, id: &str, state: Value) {
        let event = self.call_event(id, state);
        self.send(event);
    }

    pub(super) fn call_event(&self, id: &str, state: Value) -> Value {
        let part = &self.parts[id];
        let session = &self.messages[&part.message].session;
        let call = json!({ "callID": part.call, "tool": "bash", "state": state });
        events::part((session, &part.message, id), "tool", call)
    }

    pub(super) fn status(&mut self, session: &str, word: &str) {
        self.send(events::status(session, json!({ "type": word })));
    }

    pub(super) fn send(&mut self, mut event: Value) {
        if self.release == Release::Numbered {
            event["id"] = json!(format!("evt_{:09}", self.events.len()));
        }
        self.events.push(Recorded {
            at: f64::from(self.now),
            event,
        });
    }
}

pub(super) fn todo(at: usize) -> Value {
    json!({ "content": format!("todo {at}"), "status": "pending", "priority": "low", "id": "1" })
}
