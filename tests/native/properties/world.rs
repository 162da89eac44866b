//! OpenCode's own state, as naive as can be, and the events it sends.
#![expect(clippy::indexing_slicing, reason = "the model names only what it made")]

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::history::{Deed, Release};
use crate::catching_up::{Answered, Answers};
use crate::events;
use crate::support::Recorded;

#[derive(Debug, Clone)]
pub(crate) struct Session {
    pub(crate) parent: Option<String>,
    pub(crate) title: String,
    pub(crate) created: u32,
    pub(crate) updated: u32,
    pub(crate) archived: Option<u32>,
    pub(crate) deleted: bool,
    pub(crate) todos: usize,
}

#[derive(Debug, Clone)]
pub(crate) struct Message {
    pub(crate) session: String,
    /// The model of an answer; none of a person's message.
    pub(crate) model: Option<String>,
    pub(crate) created: u32,
    pub(crate) completed: Option<u32>,
    /// Input tokens and dollars, known when it is completed.
    pub(crate) spent: (u32, f64),
    pub(crate) removed: bool,
    /// Whether it went because its session did.
    pub(crate) removed_with_session: bool,
}

#[derive(Debug, Clone)]
pub(crate) enum Kind {
    Text,
    Reasoning,
    Step {
        input: u32,
        cost: f64,
    },
    Call {
        fails: bool,
        wait: u32,
        duration: u32,
    },
}

#[derive(Debug, Clone)]
pub(crate) struct Part {
    pub(crate) message: String,
    pub(crate) kind: Kind,
    pub(crate) text: String,
    pub(crate) started: u32,
    pub(crate) ended: Option<u32>,
    pub(crate) removed: bool,
    /// The provider's id of a call; forks copy it.
    pub(crate) call: String,
    /// Whether OpenCode told of its end before the message went.
    pub(crate) is_end_told: bool,
}

#[derive(Debug)]
pub(crate) struct World {
    release: Release,
    now: u32,
    pub(crate) sessions: BTreeMap<String, Session>,
    pub(crate) messages: BTreeMap<String, Message>,
    pub(crate) parts: BTreeMap<String, Part>,
    /// Permissions: when each was asked and answered, and of which call.
    pub(crate) asked: BTreeMap<String, (u32, u32, String)>,
    pub(crate) events: Vec<Recorded>,
    /// Whether an event tells what a fork's copies make it cost; none does in
    /// OpenCode, which is asked for it.
    pub(crate) tells_forks: bool,
}

impl World {
    pub(crate) fn new(release: Release) -> Self {
        Self {
            release,
            now: 1_000_000,
            sessions: BTreeMap::new(),
            messages: BTreeMap::new(),
            parts: BTreeMap::new(),
            asked: BTreeMap::new(),
            events: Vec::new(),
            tells_forks: true,
        }
    }

    /// The messages of a session that were not removed, in order.
    pub(crate) fn messages_of(&self, session: &str) -> impl Iterator<Item = (&String, &Message)> {
        self.messages
            .iter()
            .filter(move |(_, message)| message.session == session && !message.removed)
    }

    /// Whether this release tells a session's totals.
    pub(crate) fn tells_totals(&self) -> bool {
        self.release == Release::Numbered
    }

    pub(crate) fn live(&mut self, deed: &Deed) {
        self.now += 10;
        match deed {
            Deed::Create { parent } => {
                let parent = parent.and_then(|pick| self.session(pick));
                self.create(parent);
            }
            Deed::Prompt { session, text } => {
                self.in_session(*session, |world, id| world.prompt(id, text));
            }
            Deed::Answer { session, model } => self.in_session(*session, |world, id| {
                world.complete(id);
                let model = Some(format!("model-{model}"));
                world.message(id, model);
                world.status(id, "busy");
            }),
            Deed::Write {
                session,
                text,
                reasoning,
            } => {
                self.in_answer(*session, |world, answer| {
                    world.write(answer, text, *reasoning);
                });
            }
            Deed::EndText { session } => {
                self.in_answer(*session, World::end_texts);
            }
            Deed::Call {
                session,
                fails,
                asked,
            } => {
                self.in_answer(*session, |world, answer| world.call(answer, *fails, *asked));
            }
            Deed::Step {
                session,
                input,
                quarters,
            } => self.in_answer(*session, |world, answer| {
                let cost = f64::from(*quarters) / 4.0;
                let part = world.part(
                    answer,
                    Kind::Step {
                        input: *input,
                        cost,
                    },
                    "",
                );
                world.tell_part(&part, None);
            }),
            Deed::Complete { session } => self.in_session(*session, Self::complete),
            Deed::RemovePart { pick } => self.remove_part(*pick),
            Deed::Revert { session, keep } => {
                self.in_session(*session, |world, id| world.revert(id, *keep));
            }
            Deed::Fork { session } => self.in_session(*session, Self::fork),
            Deed::Rename { session, title } => self.in_session(*session, |world, id| {
                world.change(id, |session, _| session.title.clone_from(title));
            }),
            Deed::Archive { session, archived } => self.in_session(*session, |world, id| {
                world.change(id, |session, now| {
                    session.archived = archived.then_some(now);
                });
            }),
            Deed::Todos { session, count } => {
                self.in_session(*session, |world, id| world.todos(id, *count));
            }
            Deed::Delete { session } => self.in_session(*session, Self::delete),
        }
    }

    /// What OpenCode's API answers now.
    pub(crate) fn answers(&self) -> Answers {
        let alive = self.sessions.iter().filter(|(_, one)| !one.deleted);
        let of = |(id, session): (&String, &Session)| {
            let todos = (0..session.todos).map(todo).collect();
            let info = self.told(id)["properties"]["info"].take();
            let messages = self.messages_of(id).map(|(id, _)| self.answered(id));
            let messages = messages.collect();
            (
                id.clone(),
                Answered {
                    info,
                    messages,
                    todos,
                },
            )
        };
        Answers(alive.map(of).collect())
    }

    fn answered(&self, message: &str) -> Value {
        let parts = self.parts.iter();
        let parts = parts.filter(|(_, part)| part.message == message && !part.removed);
        let parts = parts.map(|(id, _)| self.part_event(id)["properties"]["part"].take());
        let parts: Vec<Value> = parts.collect();
        let info = self.message_event(message)["properties"]["info"].take();
        json!({ "info": info, "parts": parts })
    }

    /// OpenCode ends: what is being written is broken off.
    pub(crate) fn quit(&mut self) {
        let sessions: Vec<String> = self.sessions.keys().cloned().collect();
        sessions.iter().for_each(|session| self.complete(session));
    }

    /// Ends what is being written, and tells what OpenCode says last.
    pub(crate) fn finish(&mut self) {
        let answers: Vec<String> = self.messages.keys().cloned().collect();
        answers.iter().for_each(|answer| self.end_texts(answer));
        let alive = self.sessions.iter().filter(|(_, session)| !session.deleted);
        let alive: Vec<String> = alive.map(|(id, _)| id.clone()).collect();
        for id in alive {
            self.status(&id, "idle");
            self.send(events::idle(&id));
            self.change(&id, |_, _| {});
        }
    }

    /// What an answer's steps cost: input tokens and dollars. Removing a part
    /// unspends nothing.
    fn spent_in(&self, answer: &str) -> (u32, f64) {
        let steps = self.parts.values().filter(|part| part.message == answer);
        steps.fold((0, 0.0), |(tokens, dollars), part| match part.kind {
            Kind::Step { input, cost } => (tokens + input, dollars + cost),
            _ => (tokens, dollars),
        })
    }

    fn session(&self, pick: usize) -> Option<String> {
        let alive: Vec<&String> = self
            .sessions
            .iter()
            .filter(|(_, one)| !one.deleted)
            .map(|(id, _)| id)
            .collect();
        (!alive.is_empty()).then(|| alive[pick % alive.len()].clone())
    }

    fn in_session(&mut self, pick: usize, act: impl FnOnce(&mut Self, &str)) {
        if let Some(id) = self.session(pick) {
            act(self, &id);
        }
    }

    fn in_answer(&mut self, pick: usize, act: impl FnOnce(&mut Self, &str)) {
        let open = self.session(pick).and_then(|id| self.open_answer(&id));
        if let Some(answer) = open {
            act(self, &answer);
        }
    }

    fn open_answer(&self, session: &str) -> Option<String> {
        let (id, message) = self.messages_of(session).last()?;
        (message.model.is_some() && message.completed.is_none()).then(|| id.clone())
    }

    fn new_id(&mut self, kind: &str) -> String {
        self.now += 1;
        format!("{kind}_{:09}", self.now)
    }

    fn create(&mut self, parent: Option<String>) -> String {
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

    fn prompt(&mut self, session: &str, text: &str) {
        self.complete(session);
        let message = self.message(session, None);
        let part = self.part(&message, Kind::Text, text);
        self.tell_part(&part, None);
        self.change(session, |_, _| {});
    }

    fn message(&mut self, session: &str, model: Option<String>) -> String {
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

    fn part(&mut self, message: &str, kind: Kind, text: &str) -> String {
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

    fn open_text(&self, answer: &str, is_reasoning: bool) -> Option<String> {
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

    fn write(&mut self, answer: &str, text: &str, is_reasoning: bool) {
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

    fn end_texts(&mut self, answer: &str) {
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

    fn call(&mut self, answer: &str, fails: bool, is_asked: bool) {
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

    fn complete(&mut self, session: &str) {
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

    fn remove_part(&mut self, pick: usize) {
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

    fn revert(&mut self, session: &str, keep: usize) {
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
    fn fork(&mut self, session: &str) {
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

    fn todos(&mut self, session: &str, count: usize) {
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
    fn delete(&mut self, session: &str) {
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

    fn change(&mut self, session: &str, change: impl FnOnce(&mut Session, u32)) {
        self.now += 1;
        let now = self.now;
        if let Some(one) = self.sessions.get_mut(session) {
            change(one, now);
            one.updated = now;
        }
        let event = self.told(session);
        self.send(event);
    }

    fn told(&self, id: &str) -> Value {
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

    fn tell_message(&mut self, id: &str) {
        let event = self.message_event(id);
        self.send(event);
    }

    fn message_event(&self, id: &str) -> Value {
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

    fn tell_part(&mut self, id: &str, delta: Option<&str>) {
        if let Some(part) = self.parts.get_mut(id) {
            part.is_end_told = part.ended.is_some();
        }
        let mut event = self.part_event(id);
        if let Some(delta) = delta {
            event["properties"]["delta"] = json!(delta);
        }
        self.send(event);
    }

    fn part_event(&self, id: &str) -> Value {
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

    fn tell_call(&mut self, id: &str, state: Value) {
        let event = self.call_event(id, state);
        self.send(event);
    }

    fn call_event(&self, id: &str, state: Value) -> Value {
        let part = &self.parts[id];
        let session = &self.messages[&part.message].session;
        let call = json!({ "callID": part.call, "tool": "bash", "state": state });
        events::part((session, &part.message, id), "tool", call)
    }

    fn status(&mut self, session: &str, word: &str) {
        self.send(events::status(session, json!({ "type": word })));
    }

    fn send(&mut self, mut event: Value) {
        if self.release == Release::Numbered {
            event["id"] = json!(format!("evt_{:09}", self.events.len()));
        }
        self.events.push(Recorded {
            at: f64::from(self.now),
            event,
        });
    }
}

fn todo(at: usize) -> Value {
    json!({ "content": format!("todo {at}"), "status": "pending", "priority": "low", "id": "1" })
}
