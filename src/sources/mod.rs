//! The agents' engines that clankers records, a folder each. Only here are
//! their names and the habits of their releases.

use std::borrow::Cow;

use serde::Serialize;

use crate::catch_up::Reading;
use crate::model::event::Event;
use crate::model::rejection::Rejection;
use crate::read::node::Node;

pub mod opencode1;

/// A source: an agent, and the engine whose events and answers it has. The host
/// chooses it; a fork of an agent is another value with the same engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Dialect {
    /// The agent's name, as it is stored (`sessions.source`).
    pub agent: &'static str,
    engine: Engine,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Engine {
    OpenCode1,
}

/// The event types a caller need not pass on, and those it must.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct EventTypes {
    /// Types that become rows.
    pub recorded: &'static [&'static str],
    /// Types that are known and ignored on purpose. Types in neither list are
    /// to be passed on as well: the core counts them as unknown.
    pub ignored: &'static [&'static str],
}

impl Dialect {
    /// OpenCode 1.0 to 1.x.
    pub const OPENCODE1: Self = Self {
        agent: "opencode",
        engine: Engine::OpenCode1,
    };

    /// The event types that it knows.
    pub const fn event_types(self) -> EventTypes {
        match self.engine {
            Engine::OpenCode1 => EventTypes {
                recorded: opencode1::types::RECORDED,
                ignored: opencode1::types::IGNORED,
            },
        }
    }

    /// Decodes one event.
    pub fn decode<N: Node>(self, event: &N, context: &Context<'_>) -> Decoded {
        match self.engine {
            Engine::OpenCode1 => opencode1::decode(event, context),
        }
    }

    /// How its answers are compared.
    pub(crate) const fn reading<N: Node>(self) -> Reading<N> {
        match self.engine {
            Engine::OpenCode1 => Reading {
                listed: opencode1::answers::listed,
                spoken: opencode1::answers::spoken,
            },
        }
    }

    /// Reads what it answers of a session.
    pub(crate) fn session<N: Node>(self, info: &N) -> Decoded {
        match self.engine {
            Engine::OpenCode1 => opencode1::answers::session(info),
        }
    }

    /// Reads a message that it answers with: the message, then its parts.
    pub(crate) fn message<N: Node>(self, message: &N) -> Vec<Decoded> {
        match self.engine {
            Engine::OpenCode1 => opencode1::answers::message(message),
        }
    }

    /// Reads a session's to-do list that it answers with.
    pub(crate) fn todos<N: Node>(self, session_id: &str, todos: &N) -> Decoded {
        match self.engine {
            Engine::OpenCode1 => opencode1::answers::todos(session_id, todos),
        }
    }
}

/// What became of one event.
#[derive(Debug)]
pub struct Decoded {
    /// Its type, or `(none)`.
    pub event_type: Cow<'static, str>,
    /// What it says, unless it was refused or is ignored on purpose.
    pub event: Option<Event>,
    /// What was refused of it, all of it or fields.
    pub rejections: Vec<Rejection>,
}

/// What decoding has to know beside the event.
pub struct Context<'c> {
    /// The present, Unix milliseconds.
    pub now: f64,
    /// How long the text is, in UTF-16 units, that is held of a part.
    pub held: &'c dyn Fn(&str) -> Option<usize>,
}
