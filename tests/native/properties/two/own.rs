//! What happens in OpenCode 2 alone, and how it ends.

use serde_json::json;

use super::history::{Deed, Note, Reason};
use super::tell::{error, model, tokens, with};
use super::world::{Session, Spent, What, World};
use crate::properties::picks::Picks;

impl World {
    pub(super) fn live_own(&mut self, deed: &Deed) {
        match deed {
            Deed::Both(_) => {}
            Deed::Wait {
                session,
                text,
                is_note,
            } => self.in_session(*session, |world, id| world.enqueue(id, text, *is_note)),
            Deed::Cancel { session } => self.in_session(*session, Self::cancel),
            Deed::Note {
                session,
                text,
                note,
            } => self.in_session(*session, |world, id| {
                let what = match note {
                    Note::Synthetic => What::Synthetic,
                    Note::Skill => What::Skill,
                    Note::System => What::System,
                };
                world.begin(id);
                world.note(id, what, text);
            }),
            Deed::Shell { session, exit } => {
                self.in_session(*session, |world, id| world.shell(id, *exit));
            }
            Deed::Compact {
                session,
                reason,
                fails,
                input,
                quarters,
            } => self.in_session(*session, |world, id| {
                let spent = (*input, f64::from(*quarters) / 4.0);
                world.compact(id, *reason, *fails, spent);
            }),
            Deed::Retry { session } => self.in_answer(*session, Self::retry),
            Deed::Fail { session, is_paid } => self.in_answer(*session, |world, answer| {
                world.fail(answer, "provider.auth", *is_paid);
                let session = world.session_of(answer);
                let data = json!({ "error": error("provider.auth") });
                world.end(&session, "failed", data);
            }),
            Deed::Interrupt { session, waits } => self.in_answer(*session, |world, answer| {
                world.interrupt(answer, *waits);
            }),
            Deed::Cut { session } => self.in_answer(*session, Self::cut),
            Deed::Title {
                session,
                title,
                input,
                quarters,
            } => self.in_session(*session, |world, id| {
                // Its event is told to nobody.
                world.of(id).next += 1;
                world.spend(id, (*input, f64::from(*quarters) / 4.0));
                world.rename(id, title);
            }),
            Deed::Select {
                session,
                choice,
                is_agent,
            } => self.in_session(*session, |world, id| world.select(id, *choice, *is_agent)),
            Deed::Ask {
                session,
                is_answered,
            } => self.in_session(*session, |world, id| world.form(id, *is_answered)),
            Deed::ForkAt {
                session,
                pick,
                is_through,
            } => self.in_session(*session, |world, id| {
                world.fork(id, pick + usize::from(*is_through));
            }),
            Deed::Stage {
                session,
                is_cleared,
            } => self.in_session(*session, |world, id| world.stage(id, *is_cleared)),
        }
    }

    fn cancel(&mut self, session: &str) {
        let waiting = &mut self.of(session).waiting;
        if !waiting.is_empty() {
            let first = waiting.remove(0);
            let data = json!({ "inboxID": first.id });
            self.durable(session, "inbox.cancelled", data);
        }
    }

    fn shell(&mut self, session: &str, exit: u8) {
        let id = format!("sh_{}", self.now);
        let shell = json!({
            "id": id, "command": "ls", "cwd": "/", "shell": "/bin/bash", "file": "/f", "pid": 1,
            "metadata": { "background": true },
        });
        let running = with(shell.clone(), json!({ "status": "running" }));
        let (number, message) = self.durable(session, "shell.started", json!({ "shell": running }));
        self.message(&message, session, What::Shell { exit }, number);
        let output = json!({ "output": "out", "cursor": 3, "size": 3, "truncated": false });
        let ended = with(shell, json!({ "status": "exited", "exit": exit }));
        let data = json!({ "shell": ended, "output": output });
        self.durable(session, "shell.ended", data);
        let now = self.now;
        self.change(&message, |message| {
            message.completed = Some(now);
            message.text = Some("ls".to_owned());
        });
        self.enqueue(session, "A person ran ls.", true);
    }

    /// By a person's wish, or because there is no room: then before a call, in
    /// the turn that makes it.
    fn compact(&mut self, session: &str, reason: Reason, fails: bool, spent: Spent) {
        let is_manual = reason == Reason::Manual;
        let word = if is_manual { "manual" } else { "auto" };
        let mut started = json!({ "reason": word, "recent": "" });
        if is_manual {
            self.complete(session);
        } else {
            self.end_step(session);
        }
        let input = is_manual.then(|| self.new_id("msg"));
        if let Some(id) = &input {
            let item = json!({ "type": "compaction", "payload": {}, "delivery": "steer" });
            let data = json!({ "inboxID": id, "item": item });
            self.touch(session, "inbox.enqueued", data);
            started["inputID"] = json!(id);
        }
        self.begin(session);
        if let Some(id) = &input {
            self.durable(session, "inbox.delivered", json!({ "inboxID": id }));
        } else {
            self.deliver(session);
        }
        let (number, own) = self.durable(session, "compaction.started", started);
        let id = input.clone().unwrap_or(own);
        self.message(&id, session, What::Compaction, number);
        // What it cost is an event that is told to nobody.
        self.of(session).next += 1;
        self.spend(session, spent);
        let mut data = json!({ "reason": word, "cost": spent.1, "tokens": tokens(spent.0) });
        if let Some(input) = input {
            data["inputID"] = json!(input);
        }
        self.change(&id, |message| message.spent = Some(spent));
        if fails {
            let name = "compaction.failed";
            let data = with(data, json!({ "error": error(name) }));
            self.durable(session, "compaction.failed", data);
            self.change(&id, |message| message.error = Some(name));
            self.failed(&id, name);
            if !is_manual {
                let data = json!({ "error": error(name) });
                self.end(session, "failed", data);
            }
        } else {
            let more = json!({ "text": "In short.", "model": model("summary"), "recent": "" });
            self.durable(session, "compaction.ended", with(data, more));
            self.change(&id, |message| {
                message.text = Some("In short.".to_owned());
                message.model = Some("summary".to_owned());
            });
        }
        if is_manual {
            self.end(session, "succeeded", json!({}));
        }
    }

    /// Notes that a message failed.
    fn failed(&mut self, message: &str, name: &'static str) {
        let failure = (self.session_of(message), message.to_owned(), name, None);
        self.failures.insert(format!("{message}:error"), failure);
    }

    /// The provider refused. Only before the model wrote anything the same
    /// message is tried again.
    fn retry(&mut self, answer: &str) {
        let message = self.messages.get(answer);
        let Some(message) = message.filter(|message| message.items.is_empty()) else {
            return;
        };
        let (session, name) = (message.session.clone(), message.model.clone());
        self.schedule(answer, "provider.internal");
        let started = self.now;
        self.start(answer, &session, name.as_deref().unwrap_or_default());
        self.change(answer, |message| message.created = started);
    }

    fn schedule(&mut self, answer: &str, name: &'static str) {
        let session = self.session_of(answer);
        let at = self.now + 100;
        let data = json!({ "attempt": 2, "at": at, "error": error(name) });
        self.of_answer(answer, "retry.scheduled", data);
        let failure = (session.clone(), answer.to_owned(), name, Some(2));
        self.failures
            .insert(format!("{session}:retry:2:{at}"), failure);
    }

    /// An answer fails, its turn does not yet.
    fn fail(&mut self, answer: &str, name: &'static str, is_paid: bool) {
        self.end_texts(answer);
        let session = self.session_of(answer);
        let spent = self.messages.get(answer).map(|message| message.running);
        let spent = spent.filter(|_| is_paid);
        let mut data = json!({ "error": error(name), "snapshot": "tree", "files": [] });
        if let Some((input, cost)) = spent {
            data = with(data, json!({ "cost": cost, "tokens": tokens(input) }));
        }
        self.of_answer(answer, "step.failed", data);
        let now = self.now;
        self.change(answer, |message| {
            message.completed = Some(now);
            message.finish = Some("error");
            message.error = Some(name);
            message.spent = spent;
        });
        self.failed(answer, name);
        if let Some(spent) = spent {
            self.spend(&session, spent);
        }
        self.of(&session).open = None;
    }

    /// Where it `waits` to be tried again, nothing is told of the answer's end.
    fn interrupt(&mut self, answer: &str, waits: bool) {
        let session = self.session_of(answer);
        let has_items = self
            .messages
            .get(answer)
            .is_some_and(|one| !one.items.is_empty());
        if waits && !has_items {
            self.schedule(answer, "provider.internal");
            self.of(&session).open = None;
        } else {
            self.fail(answer, "aborted", false);
        }
        let data = json!({ "reason": "user" });
        self.end(&session, "interrupted", data);
    }

    fn cut(&mut self, answer: &str) {
        let session = self.session_of(answer);
        let name = self.messages.get(answer).and_then(|one| one.model.clone());
        self.fail(answer, "provider.transport", false);
        self.schedule(answer, "provider.transport");
        self.note(&session, What::Synthetic, "Continue.");
        self.answer(&session, name.as_deref().unwrap_or_default());
    }

    fn select(&mut self, session: &str, choice: u8, is_agent: bool) {
        if is_agent {
            let agent = format!("agent-{choice}");
            self.touch(session, "agent.selected", json!({ "agent": agent }));
            self.of(session).agent = Some(agent);
        } else {
            let id = format!("model-{choice}");
            self.touch(session, "model.selected", json!({ "model": model(&id) }));
            self.of(session).model = Some(id);
        }
    }

    /// A form is no row.
    fn form(&mut self, session: &str, is_answered: bool) {
        let id = self.new_id("frm");
        let form = json!({ "id": id, "sessionID": session, "title": "Questions", "fields": [] });
        self.live_event(session, "form.created", json!({ "form": form }));
        if is_answered {
            let data = json!({ "id": id, "answer": { "q0": "Blue" } });
            self.live_event(session, "form.replied", data);
        } else {
            self.live_event(session, "form.cancelled", json!({ "id": id }));
        }
    }

    fn stage(&mut self, session: &str, is_cleared: bool) {
        let first = self
            .messages_of(session)
            .first()
            .map(|(id, _)| (*id).clone());
        if let Some(first) = first {
            let revert = json!({ "messageID": first, "snapshot": "tree", "files": [] });
            self.touch(session, "revert.staged", json!({ "revert": revert }));
            if is_cleared {
                self.touch(session, "revert.cleared", json!({}));
            }
        }
    }

    /// Copies the finished ones of the first messages, up to `count`, with their
    /// places. One event tells that, and none of them.
    pub(super) fn fork(&mut self, session: &str, count: usize) {
        let id = self.new_id("ses");
        let all = self.messages_of(session).into_iter().take(count);
        let copied: Vec<_> = all
            .filter(|(_, one)| one.what != What::Answer || one.completed.is_some())
            .map(|(id, one)| (id.clone(), one.clone()))
            .collect();
        let last = copied.last().map(|(id, _)| id.clone()).unwrap_or_default();
        let boundary = json!({ "type": "through", "messageID": last });
        let data = json!({ "parentID": session, "boundary": boundary, "instructionEntries": [] });
        let (_, event) = self.touch(&id, "forked", data);
        let origin = self.of(session).clone();
        let forks = self.sessions.values();
        let is_fork = |one: &&Session| one.fork_of.as_ref().is_some_and(|(of, _)| of == session);
        let title = format!(
            "{} (fork #{})",
            origin.title,
            forks.filter(is_fork).count() + 1
        );
        let next = copied.last().map_or(0, |(_, one)| one.number) + 1;
        *self.of(&id) = Session {
            fork_of: Some((session.to_owned(), last)),
            title,
            agent: origin.agent,
            model: origin.model,
            created: self.now,
            updated: self.now,
            next,
            ..Session::default()
        };
        for (_, mut message) in copied {
            let copy = format!("{event}_{}", message.number);
            for item in &mut message.items {
                if let Some(at) = item.id.find(':') {
                    item.id = format!("{copy}{}", item.id.split_at(at).1);
                }
                if let super::world::Kind::Call { wait, .. } = &mut item.kind {
                    // The copy was not asked again.
                    *wait = 0;
                }
            }
            message.session.clone_from(&id);
            message.is_copy = true;
            if let Some(name) = message.error {
                let failure = (id.clone(), copy.clone(), name, None);
                self.failures.insert(format!("{copy}:error"), failure);
            }
            self.messages.insert(copy, message);
        }
    }

    /// Ends what is being written, and the turns.
    pub(crate) fn finish(&mut self) {
        for id in self.alive() {
            self.end_step(&id);
            self.end(&id, "succeeded", json!({}));
        }
    }

    /// OpenCode is stopped in order: what it writes then, nobody hears.
    pub(crate) fn stop(&mut self) {
        let heard = self.events.len();
        for id in self.alive() {
            if let Some(answer) = self.open_answer(&id) {
                self.fail(&answer, "aborted", false);
            }
            let data = json!({ "reason": "shutdown" });
            self.end(&id, "interrupted", data);
        }
        self.events.truncate(heard);
    }

    /// It is killed: of a text that has no end it has nothing.
    pub(crate) fn crash(&mut self) {
        for id in self.alive() {
            if let Some(answer) = self.of(&id).open.take() {
                self.change(&answer, |message| {
                    let open = message.items.iter_mut().filter(|item| item.is_open());
                    open.for_each(|item| item.is_lost = true);
                });
            }
            self.of(&id).is_busy = false;
        }
    }

    fn alive(&self) -> Vec<String> {
        let alive = self.sessions.iter().filter(|(_, one)| !one.deleted);
        alive.map(|(id, _)| id.clone()).collect()
    }
}
