//! OpenCode's own state, as naive as can be, and the events it sends.
#![expect(clippy::indexing_slicing, reason = "the model names only what it made")]

mod deeds;
mod telling;

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::history::{Deed, Release};
use super::picks::Picks;
use crate::catching_up::{Answered, Answers};
use crate::events;
use crate::support::Recorded;
use telling::todo;

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
        let alive: Vec<String> = self.alive().into_iter().cloned().collect();
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
}
