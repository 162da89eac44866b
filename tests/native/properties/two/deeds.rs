//! What happens in OpenCode 2 as in OpenCode 1: what changes of its state, and
//! what it tells.

use serde_json::{Value, json};

use super::history::Deed;
use super::tell::{model, tokens};
use super::world::{Item, Kind, Session, Waiting, What, World};
use crate::catching_up::DIRECTORY;
use crate::properties::history as one;
use crate::properties::picks::Picks;

impl World {
    pub(crate) fn live(&mut self, deed: &Deed) {
        self.now += 10;
        match deed {
            Deed::Both(deed) => self.live_both(deed),
            deed => self.live_own(deed),
        }
    }

    fn live_both(&mut self, deed: &one::Deed) {
        match deed {
            one::Deed::Create { parent } => {
                let parent = parent.and_then(|pick| self.session(pick));
                self.create(parent);
            }
            one::Deed::Prompt { session, text } => self.in_session(*session, |world, id| {
                world.complete(id);
                world.enqueue(id, text, false);
                world.begin(id);
                world.deliver(id);
            }),
            one::Deed::Answer { session, model } => self.in_session(*session, |world, id| {
                world.end_step(id);
                world.begin(id);
                world.deliver(id);
                world.answer(id, &format!("model-{model}"));
            }),
            one::Deed::Write {
                session,
                text,
                reasoning,
            } => self.in_answer(*session, |world, answer| {
                world.write(answer, text, *reasoning);
            }),
            one::Deed::EndText { session } => self.in_answer(*session, Self::end_texts),
            one::Deed::Call {
                session,
                fails,
                asked,
            } => self.in_answer(*session, |world, answer| world.call(answer, *fails, *asked)),
            one::Deed::Step {
                session,
                input,
                quarters,
            } => self.in_answer(*session, |world, answer| {
                world.change(answer, |message| {
                    message.running.0 += input;
                    message.running.1 += f64::from(*quarters) / 4.0;
                });
            }),
            one::Deed::Complete { session } => self.in_session(*session, Self::complete),
            one::Deed::Revert { session, keep } => {
                self.in_session(*session, |world, id| world.revert(id, *keep));
            }
            one::Deed::Fork { session } => self.in_session(*session, |world, id| {
                world.complete(id);
                world.fork(id, usize::MAX);
            }),
            one::Deed::Rename { session, title } => self.in_session(*session, |world, id| {
                world.rename(id, title);
            }),
            one::Deed::Delete { session } => self.in_session(*session, Self::delete),
            // OpenCode 2 has no such call, and no to-do lists.
            one::Deed::RemovePart { .. } | one::Deed::Archive { .. } | one::Deed::Todos { .. } => {}
        }
    }

    fn create(&mut self, parent: Option<String>) {
        let id = self.new_id("ses");
        let title = "New session".to_owned();
        let mut data = json!({
            "projectID": "prj", "location": { "directory": DIRECTORY }, "subpath": "",
            "slug": "tea", "title": title, "version": "2.0.15",
        });
        if let Some(parent) = &parent {
            data["parentID"] = json!(parent);
        }
        self.touch(&id, "created", data);
        let (created, next) = (self.now, self.of(&id).next);
        *self.of(&id) = Session {
            parent,
            title,
            created,
            updated: created,
            next,
            ..Session::default()
        };
    }

    pub(super) fn enqueue(&mut self, session: &str, text: &str, is_note: bool) {
        let id = self.new_id("msg");
        let kind = if is_note { "synthetic" } else { "user" };
        let item = json!({ "type": kind, "payload": { "text": text }, "delivery": "steer" });
        let data = json!({ "inboxID": id, "item": item });
        self.touch(session, "inbox.enqueued", data);
        self.of(session).waiting.push(Waiting {
            id,
            text: text.to_owned(),
            is_note,
        });
    }

    /// All that waits becomes messages.
    pub(super) fn deliver(&mut self, session: &str) {
        for waiting in std::mem::take(&mut self.of(session).waiting) {
            let data = json!({ "inboxID": waiting.id });
            let (number, _) = self.durable(session, "inbox.delivered", data);
            let what = if waiting.is_note {
                What::Synthetic
            } else {
                What::User
            };
            self.message(&waiting.id, session, what, number);
            self.change(&waiting.id, |message| message.text = Some(waiting.text));
        }
    }

    /// A call of a model begins. It ends the answer that was left open.
    pub(super) fn answer(&mut self, session: &str, name: &str) {
        let id = self.new_id("msg");
        let number = self.start(&id, session, name);
        let now = self.now;
        let mut left: Vec<_> = self.messages.values_mut().collect();
        left.retain(|one| one.session == session && !one.removed && one.what == What::Answer);
        for one in left.into_iter().filter(|one| one.completed.is_none()) {
            one.completed = Some(now);
        }
        self.message(&id, session, What::Answer, number);
        self.change(&id, |message| {
            message.model = Some(name.to_owned());
            message.created = now - 1;
        });
        self.of(session).open = Some(id);
    }

    /// Tells that a model is called. Gives the event's number.
    pub(super) fn start(&mut self, answer: &str, session: &str, name: &str) -> u32 {
        let data = json!({
            "assistantMessageID": answer, "agent": "build", "model": model(name),
            "snapshot": "tree", "started": self.now,
        });
        self.durable(session, "step.started", data).0
    }

    fn write(&mut self, answer: &str, text: &str, is_reasoning: bool) {
        let (word, kind) = if is_reasoning {
            ("reasoning", Kind::Reasoning)
        } else {
            ("text", Kind::Text)
        };
        let items = self.messages.get(answer).map(|one| one.items.clone());
        let items = items.unwrap_or_default();
        let of_kind = || items.iter().filter(|item| item.kind == kind);
        let open = of_kind().find(|item| item.is_open());
        let ordinal = open.map_or_else(|| of_kind().count(), |item| item.ordinal);
        if open.is_none() {
            let data = json!({ "ordinal": ordinal });
            self.of_answer(answer, &format!("{word}.started"), data);
            let item = Item {
                id: format!("{answer}:{word}:{ordinal}"),
                kind: kind.clone(),
                ordinal,
                text: String::new(),
                started: self.now,
                ended: None,
                is_lost: false,
            };
            self.change(answer, |message| message.items.push(item));
        }
        self.change(answer, |message| {
            let open = message.items.iter_mut();
            let open = open.filter(|item| item.kind == kind && item.is_open());
            open.for_each(|item| item.text.push_str(text));
        });
        let session = self.session_of(answer);
        let data = json!({ "assistantMessageID": answer, "ordinal": ordinal, "delta": text });
        self.live_event(&session, &format!("session.{word}.delta"), data);
    }

    pub(super) fn end_texts(&mut self, answer: &str) {
        let items = self.messages.get(answer).map(|one| one.items.clone());
        for item in items.unwrap_or_default().iter().filter(|one| one.is_open()) {
            let word = if item.kind == Kind::Text {
                "text"
            } else {
                "reasoning"
            };
            let data = json!({ "ordinal": item.ordinal, "text": item.text });
            self.of_answer(answer, &format!("{word}.ended"), data);
            let now = self.now;
            self.change(answer, |message| {
                let open = message.items.iter_mut().filter(|one| one.id == item.id);
                open.for_each(|one| one.ended = Some(now));
            });
        }
    }

    fn call(&mut self, answer: &str, fails: bool, is_asked: bool) {
        let call = format!("call_{}", self.now);
        let id = json!({ "id": call });
        let about = |more: Value| super::tell::with(id.clone(), more);
        let name = about(json!({ "name": "shell" }));
        self.of_answer(answer, "tool.input.started", name);
        let text = about(json!({ "text": "{\"command\":\"ls\"}" }));
        self.of_answer(answer, "tool.input.ended", text);
        let input = about(json!({ "input": { "command": "ls" }, "executed": false }));
        self.of_answer(answer, "tool.called", input);
        let started = self.now;
        let mut wait = 0;
        if is_asked {
            wait = self.ask(answer, &call);
        }
        let session = self.session_of(answer);
        let shell = json!({ "assistantMessageID": answer, "metadata": { "shellID": "sh_1" } });
        self.live_event(&session, "session.tool.progress", about(shell));
        if fails {
            let error = json!({ "type": "tool.execution", "message": "failed" });
            let data = about(json!({ "error": error, "executed": false }));
            self.of_answer(answer, "tool.failed", data);
        } else {
            let content = json!([{ "type": "text", "text": "out" }]);
            let data = json!({ "content": content, "metadata": { "exit": 0 }, "executed": false });
            self.of_answer(answer, "tool.success", about(data));
        }
        let item = Item {
            id: format!("{answer}:tool:{call}"),
            kind: Kind::Call { call, fails, wait },
            ordinal: 0,
            text: String::new(),
            started,
            ended: Some(self.now),
            is_lost: false,
        };
        self.change(answer, |message| message.items.push(item));
    }

    /// Asks for permission of a call. Gives how long that took.
    fn ask(&mut self, answer: &str, call: &str) -> u32 {
        let session = self.session_of(answer);
        let id = self.new_id("per");
        let source = json!({ "type": "tool", "messageID": answer, "id": call });
        let data = json!({
            "id": id, "action": "shell", "resources": ["ls"], "save": [], "source": source,
        });
        self.live_event(&session, "permission.asked", data);
        let asked = self.now;
        self.now += 7;
        let data = json!({ "requestID": id, "reply": "once" });
        self.live_event(&session, "permission.replied", data);
        let told = (asked, self.now, answer.to_owned());
        self.asked.insert(id, told);
        self.now - asked
    }

    /// Ends the answer that is being written.
    pub(super) fn end_step(&mut self, session: &str) {
        let Some(answer) = self.of(session).open.take() else {
            return;
        };
        self.end_texts(&answer);
        self.of_answer(&answer, "step.streamed", json!({}));
        let spent = self.messages.get(&answer).map(|one| one.running);
        let (input, cost) = spent.unwrap_or_default();
        let data = json!({
            "finish": "stop", "rawFinish": "stop", "cost": cost, "tokens": tokens(input),
            "snapshot": "tree", "files": [],
        });
        self.of_answer(&answer, "step.ended", data);
        let now = self.now;
        self.change(&answer, |message| {
            message.completed = Some(now);
            message.finish = Some("stop");
            message.spent = Some((input, cost));
        });
        self.spend(session, (input, cost));
    }

    pub(super) fn complete(&mut self, session: &str) {
        if self.of(session).open.is_some() {
            self.end_step(session);
            self.end(session, "succeeded", json!({}));
        }
    }

    fn revert(&mut self, session: &str, keep: usize) {
        self.complete(session);
        let all = self.messages_of(session).into_iter().skip(keep);
        let removed: Vec<String> = all.map(|(id, _)| id.clone()).collect();
        let Some(to) = removed.first() else {
            return;
        };
        self.end(session, "succeeded", json!({}));
        let revert = json!({ "messageID": to, "snapshot": "tree", "files": [] });
        self.touch(session, "revert.staged", json!({ "revert": revert }));
        self.touch(session, "revert.committed", json!({ "to": to }));
        self.of(session).waiting.clear();
        for id in removed {
            self.change(&id, |message| message.removed = true);
        }
    }

    pub(super) fn rename(&mut self, session: &str, title: &str) {
        self.touch(session, "renamed", json!({ "title": title }));
        title.clone_into(&mut self.of(session).title);
    }

    /// Children first, each with its event.
    fn delete(&mut self, session: &str) {
        let is_child = |one: &Session| one.parent.as_deref() == Some(session) && !one.deleted;
        let children = self.sessions.iter().filter(|(_, one)| is_child(one));
        let children: Vec<String> = children.map(|(id, _)| id.clone()).collect();
        children.iter().for_each(|child| self.delete(child));
        self.durable(session, "deleted", json!({}));
        self.of(session).deleted = true;
        self.of(session).open = None;
        let all = self.messages.values_mut();
        for one in all.filter(|one| one.session == session && !one.removed) {
            one.removed = true;
            one.removed_with_session = true;
        }
    }
}
