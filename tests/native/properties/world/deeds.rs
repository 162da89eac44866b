//! What a person and OpenCode do: each deed changes the state, and tells it.

use serde_json::{Value, json};

use super::telling::todo;
use super::{Kind, Message, Part, Session, World};
use crate::events;
use crate::properties::history::Release;
use crate::properties::picks::Picks;

impl Picks for World {
    fn alive(&self) -> Vec<&String> {
        let alive = self.sessions.iter().filter(|(_, one)| !one.deleted);
        alive.map(|(id, _)| id).collect()
    }

    fn open_answer(&self, session: &str) -> Option<String> {
        let (id, message) = self.messages_of(session).last()?;
        (message.model.is_some() && message.completed.is_none()).then(|| id.clone())
    }

    fn clock(&mut self) -> &mut u32 {
        &mut self.now
    }
}

impl World {
    pub(super) fn create(&mut self, parent: Option<String>) -> String {
        let id = self.new_id("ses");
        let now = self.now;
        let session = Session {
            parent,
            title: "New session".to_owned(),
            created: now,
            updated: now,
            archived: None,
            deleted: false,
            todos: 0,
        };
        self.sessions.insert(id.clone(), session);
        let mut event = self.told(&id);
        event["type"] = json!("session.created");
        self.send(event);
        id
    }

    pub(super) fn prompt(&mut self, session: &str, text: &str) {
        self.complete(session);
        let message = self.message(session, None);
        let part = self.part(&message, Kind::Text, text);
        self.tell_part(&part, None);
        self.change(session, |_, _| {});
    }

    pub(super) fn message(&mut self, session: &str, model: Option<String>) -> String {
        let id = self.new_id("msg");
        let message = Message {
            session: session.to_owned(),
            model,
            created: self.now,
            completed: None,
            spent: (0, 0.0),
            removed: false,
            removed_with_session: false,
        };
        self.messages.insert(id.clone(), message);
        self.tell_message(&id);
        id
    }

    pub(super) fn part(&mut self, message: &str, kind: Kind, text: &str) -> String {
        let id = self.new_id("prt");
        let part = Part {
            message: message.to_owned(),
            kind,
            text: text.to_owned(),
            started: self.now,
            ended: None,
            removed: false,
            call: format!("call_{id}"),
            is_end_told: false,
        };
        self.parts.insert(id.clone(), part);
        id
    }

    pub(super) fn open_text(&self, answer: &str, is_reasoning: bool) -> Option<String> {
        let is_open = |part: &Part| {
            let is_text = if is_reasoning {
                matches!(part.kind, Kind::Reasoning)
            } else {
                matches!(part.kind, Kind::Text)
            };
            part.message == answer && part.ended.is_none() && !part.removed && is_text
        };
        self.parts
            .iter()
            .find(|(_, part)| is_open(part))
            .map(|(id, _)| id.clone())
    }

    pub(super) fn write(&mut self, answer: &str, text: &str, is_reasoning: bool) {
        let kind = if is_reasoning {
            Kind::Reasoning
        } else {
            Kind::Text
        };
        let id = self.open_text(answer, is_reasoning).unwrap_or_else(|| {
            let id = self.part(answer, kind, "");
            self.tell_part(&id, None);
            id
        });
        if let Some(part) = self.parts.get_mut(&id) {
            part.text.push_str(text);
        }
        if self.release == Release::Whole {
            self.tell_part(&id, Some(text));
        } else {
            let session = self.messages[answer].session.clone();
            self.send(events::delta((&session, answer, &id), text));
        }
    }

    pub(super) fn end_texts(&mut self, answer: &str) {
        for is_reasoning in [true, false] {
            let of_person = self.messages[answer].model.is_none();
            while let Some(id) = self.open_text(answer, is_reasoning).filter(|_| !of_person) {
                self.now += 1;
                let now = self.now;
                self.parts
                    .entry(id.clone())
                    .and_modify(|part| part.ended = Some(now));
                if !self.messages[answer].removed {
                    self.tell_part(&id, None);
                }
            }
        }
    }

    pub(super) fn call(&mut self, answer: &str, fails: bool, is_asked: bool) {
        let id = self.part(
            answer,
            Kind::Call {
                fails,
                wait: 0,
                duration: 0,
            },
            "",
        );
        let started = self.now;
        self.tell_call(&id, json!({ "status": "pending", "input": {}, "raw": "" }));
        let running = json!({ "status": "running", "input": { "command": "ls" }, "title": "ls", "time": { "start": started } });
        self.tell_call(&id, running);
        let session = self.messages[answer].session.clone();
        let mut wait = 0;
        if is_asked {
            let permission = self.new_id("per");
            let asked_at = self.now;
            self.send(events::event("permission.asked", json!({
                "id": permission, "sessionID": session, "permission": "bash", "patterns": ["ls"], "metadata": {},
                "always": [], "tool": { "messageID": answer, "callID": self.parts[&id].call },
            })));
            self.now += 7;
            let reply = json!({ "sessionID": session, "requestID": permission, "reply": "once" });
            self.send(events::event("permission.replied", reply));
            wait = 7;
            self.asked
                .insert(permission, (asked_at, self.now, answer.to_owned()));
        }
        self.now += 5;
        let now = self.now;
        let duration = now - started;
        self.parts.entry(id.clone()).and_modify(|part| {
            part.kind = Kind::Call {
                fails,
                wait,
                duration,
            };
            part.ended = Some(now);
        });
        self.tell_part(&id, None);
    }

    pub(super) fn complete(&mut self, session: &str) {
        let Some(answer) = self.open_answer(session) else {
            return;
        };
        self.end_texts(&answer);
        self.now += 1;
        let now = self.now;
        let spent = self.spent_in(&answer);
        self.messages.entry(answer.clone()).and_modify(|message| {
            message.completed = Some(now);
            message.spent = spent;
        });
        self.tell_message(&answer);
        self.change(session, |_, _| {});
        self.status(session, "idle");
    }

    pub(super) fn remove_part(&mut self, pick: usize) {
        let is_alive = |part: &Part| {
            !part.removed && !self.messages[&part.message].removed && part.ended.is_some()
        };
        let alive: Vec<String> = self
            .parts
            .iter()
            .filter(|(_, part)| is_alive(part))
            .map(|(id, _)| id.clone())
            .collect();
        if alive.is_empty() {
            return;
        }
        let id = alive[pick % alive.len()].clone();
        self.parts
            .entry(id.clone())
            .and_modify(|part| part.removed = true);
        let message = self.parts[&id].message.clone();
        let session = self.messages[&message].session.clone();
        self.send(events::part_removed((&session, &message, &id)));
    }

    pub(super) fn revert(&mut self, session: &str, keep: usize) {
        self.complete(session);
        let removed: Vec<String> = self
            .messages_of(session)
            .skip(keep)
            .map(|(id, _)| id.clone())
            .collect();
        for id in removed {
            self.messages
                .entry(id.clone())
                .and_modify(|message| message.removed = true);
            self.send(events::message_removed(session, &id));
        }
        self.change(session, |_, _| {});
    }

    /// Replays every message and part under new ids, with the times they had.
    pub(super) fn fork(&mut self, session: &str) {
        self.complete(session);
        let fork = self.create(None);
        let copied: Vec<(String, Message)> = self
            .messages_of(session)
            .map(|(id, one)| (id.clone(), one.clone()))
            .collect();
        for (original, message) in copied {
            let id = self.new_id("msg");
            self.messages.insert(
                id.clone(),
                Message {
                    session: fork.clone(),
                    ..message
                },
            );
            self.tell_message(&id);
            let parts: Vec<Part> = self
                .parts
                .values()
                .filter(|part| part.message == original && !part.removed)
                .cloned()
                .collect();
            for part in parts {
                let copy = self.new_id("prt");
                let kind = match part.kind {
                    // The copy was not asked again.
                    Kind::Call {
                        fails, duration, ..
                    } => Kind::Call {
                        fails,
                        duration,
                        wait: 0,
                    },
                    kind => kind,
                };
                self.parts.insert(
                    copy.clone(),
                    Part {
                        message: id.clone(),
                        kind,
                        ..part
                    },
                );
                self.tell_part(&copy, None);
            }
        }
        if self.tells_forks {
            self.change(&fork, |_, _| {});
        }
    }

    pub(super) fn todos(&mut self, session: &str, count: usize) {
        self.sessions
            .entry(session.to_owned())
            .and_modify(|one| one.todos = count);
        let todos: Vec<Value> = (0..count).map(todo).collect();
        self.send(events::event(
            "todo.updated",
            json!({ "sessionID": session, "todos": todos }),
        ));
    }

    /// Children first, each with its event.
    pub(super) fn delete(&mut self, session: &str) {
        let is_child = |one: &Session| one.parent.as_deref() == Some(session) && !one.deleted;
        let children: Vec<String> = self
            .sessions
            .iter()
            .filter(|(_, one)| is_child(one))
            .map(|(id, _)| id.clone())
            .collect();
        children.iter().for_each(|child| self.delete(child));
        let mut event = self.told(session);
        event["type"] = json!("session.deleted");
        self.sessions
            .entry(session.to_owned())
            .and_modify(|one| one.deleted = true);
        self.messages
            .values_mut()
            .filter(|one| one.session == session && !one.removed)
            .for_each(|one| {
                one.removed = true;
                one.removed_with_session = true;
            });
        self.send(event);
    }

    pub(super) fn change(&mut self, session: &str, change: impl FnOnce(&mut Session, u32)) {
        self.now += 1;
        let now = self.now;
        if let Some(one) = self.sessions.get_mut(session) {
            change(one, now);
            one.updated = now;
        }
        let event = self.told(session);
        self.send(event);
    }
}
